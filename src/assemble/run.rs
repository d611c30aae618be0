//! The program's own loop around the engine's: what is asked of the whole program is done between two turns.

use alloc::boxed::Box;
#[cfg(feature = "monitor")]
use alloc::vec::Vec;

use gorgon_sys::Signal;

use super::configured::Configured;
use super::live::Live;
use super::notify::{FINISHING, Notifier};
use super::running::Running;
use super::told::Told;
use super::{Failure, failure};
#[cfg(feature = "monitor")]
use crate::engine::values::ConnId;
use crate::engine::{Reactor, Turn};
use crate::http::handlers::status;
use crate::http::handlers::status::HasReports;
#[cfg(feature = "monitor")]
use crate::monitor::commands;
use crate::world::World;

/// How often what is gone is looked after, in milliseconds.
const SWEEP: u64 = 5000;
/// How often what monitors ask for is gone on with before a turn that may be the last one.
const LAST: u32 = 16;

/// Turns the loop until it is done.
///
/// # Errors
/// The poller's.
pub(super) fn run(
    reactor: &mut Reactor<World>,
    running: &mut Running,
    configured: &mut Configured<'_>,
    notifier: &mut Notifier,
) -> Result<(), Box<Failure>> {
    let mut work = None;
    loop {
        set_alarm(work, reactor, running, notifier);
        match reactor.turn().map_err(|error| failure("poller", error))? {
            Turn::Done => {}
            Turn::Finished => return Ok(()),
            Turn::Signal(Signal::Quit) => {
                let now = reactor.now().milliseconds;
                notifier.stopping(FINISHING, now);
                reactor.lp().drain(running.settings.process.grace);
            }
            Turn::Signal(Signal::Terminate | Signal::Interrupt) => reactor.lp().stop(),
            Turn::Signal(Signal::User1) => {
                let now = reactor.now();
                reactor.world().reopen_logs(now);
            }
            Turn::Signal(Signal::Hangup) => {
                // What is wrong is an event, and told where those are told.
                let _told = configured.reload(running, reactor, notifier);
            }
            Turn::Signal(Signal::Continue) => running.look_for_sockets(reactor),
            Turn::Signal(Signal::User2 | Signal::Child) => {}
        }
        let now = reactor.now().milliseconds;
        running.turn(now, reactor);
        notifier.turn(now);
        work = answer(reactor, running, configured, notifier);
        // Who had it ended is told so: by what is ready now, for the next turn may be the last one.
        for _ in 0..LAST {
            let now = reactor.now().milliseconds;
            if !reactor.lp().is_ending() || work.is_none_or(|due| due > now) {
                break;
            }
            work = answer(reactor, running, configured, notifier);
        }
    }
}

/// Does what monitors and status pages ask for; gives when there is more, in milliseconds on the loop's clock.
fn answer(
    reactor: &mut Reactor<World>,
    running: &mut Running,
    configured: &mut Configured<'_>,
    notifier: &mut Notifier,
) -> Option<u64> {
    let due = obey(reactor, running, configured, notifier);
    if !reactor.world().reports().is_quiet() {
        let mut reports = core::mem::take(reactor.world().reports());
        let mut tree = Live { reactor, running, configured, notifier, told: Told::default() };
        let woken = status::work(&mut reports, &mut tree);
        *reactor.world().reports() = reports;
        woken.into_iter().for_each(|id| reactor.lp().wake(id));
    }
    due
}

/// Does what is asked of monitors.
#[cfg(feature = "monitor")]
fn obey(
    reactor: &mut Reactor<World>,
    running: &mut Running,
    configured: &mut Configured<'_>,
    notifier: &mut Notifier,
) -> Option<u64> {
    if reactor.world().sessions.is_idle() {
        return None;
    }
    // They are taken out for as long as they are worked on, for the tree borrows all else.
    let mut sessions = core::mem::take(&mut reactor.world().sessions);
    let mut woken = Vec::new();
    let mut tree = Live { reactor, running, configured, notifier, told: Told::default() };
    let due = commands::work(&mut sessions, &mut tree, &mut |id: ConnId| woken.push(id));
    reactor.world().sessions = sessions;
    woken.into_iter().for_each(|id| reactor.lp().wake(id));
    due
}

/// Nobody can ask.
#[cfg(not(feature = "monitor"))]
fn obey(_: &mut Reactor<World>, _: &mut Running, _: &mut Configured<'_>, _: &mut Notifier) -> Option<u64> {
    None
}

/// Has the next turn end in time for what is to be done.
fn set_alarm(work: Option<u64>, reactor: &mut Reactor<World>, running: &Running, notifier: &Notifier) {
    let sweep = running.has_leaving().then(|| reactor.now().milliseconds.saturating_add(SWEEP));
    let mut due = work;
    for other in [sweep, running.late.next(), running.next_look(), notifier.next()] {
        due = due.map_or(other, |one| Some(other.map_or(one, |two| one.min(two))));
    }
    reactor.lp().set_alarm(due);
}
