//! Puts the program together from its settings, and runs it: the only place that names every protocol.

use alloc::string::String;
use alloc::vec;

use gorgon_sys::{Errno, PollerKind, Signal, Signals};

use crate::cli::process::Level;
use crate::cli::terminal;
use crate::config::load::Configuration;
use crate::config::settings::Settings;
use crate::engine::{Loop, Reactor, Turn};
use crate::text::number::push_decimal_str;
use crate::world::World;

pub mod activation;
pub mod environment;
#[cfg(feature = "http")]
mod handlers;
#[cfg(feature = "http")]
mod http;
pub mod late;
#[cfg(feature = "http")]
mod listeners;
pub mod notify;
pub mod pid_file;
mod privileges;
#[cfg(feature = "http")]
mod roots;
mod running;
#[cfg(feature = "http")]
mod uploads;
use privileges::Plan;
use running::Running;

/// What a connection reads at once for which nothing is set, as an exponent of 2.
const OTHERS_READ: u8 = 12;

/// Why the program cannot run or go on.
#[cfg_attr(test, derive(Debug))]
pub struct Failure {
    /// One line that names the thing.
    pub message: String,
    /// Whether it lies in what the user asked for, rather than in the system.
    pub usage: bool,
}

/// Serves until a signal ends it. `configuration` is what the settings come from, if it was a file.
///
/// # Errors
/// What cannot be had at start, or the failure of the poller.
pub fn serve(settings: &Settings, configuration: Option<&Configuration<'_, '_>>) -> Result<(), Failure> {
    let plan = Plan::new(&settings.process)?;
    let raised = gorgon_sys::raise_descriptors();
    let limit = gorgon_sys::descriptors().0;
    let poller = poller(settings.process.poller)?;
    let page_memory = usize::try_from(settings.process.page_memory).unwrap_or(usize::MAX);
    let lp = Loop::new(poller, page_memory).map_err(|error| failure(poller.name(), error))?;
    let mut reactor =
        Reactor::new(lp, World::default(), largest_read(settings)).map_err(|e| failure("memory", e))?;
    let mut report = String::new();
    if let Some(configuration) = configuration {
        report.extend(["Configuration: ", &configuration.inputs.path, "\n"]);
    }
    let mut running = Running::new(limit);
    running.apply(settings.clone(), &mut reactor, &mut report)?;
    // HUP means "read the configuration" to those who send it, USR2 "upgrade": there is nothing of that to do yet, and
    // to die of them would be a bad answer. A terminal that hangs up does end it.
    let mut taken = vec![Signal::Terminate, Signal::Interrupt, Signal::Quit, Signal::User1, Signal::User2];
    if !gorgon_sys::is_terminal(gorgon_sys::standard_input()) {
        taken.push(Signal::Hangup);
    }
    let signals = Signals::install(&taken);
    let watched = signals.and_then(|signals| reactor.watch_signals(signals));
    watched.map_err(|error| failure("signals", error))?;
    plan.carry_out(&mut running.served, reactor.world(), &mut report)?;
    running.start(&mut reactor)?;
    report.push_str("Descriptors: ");
    push_decimal_str(limit, &mut report);
    match raised {
        Ok((before, after)) if before != after => {
            report.push_str(", raised from ");
            push_decimal_str(before, &mut report);
        }
        Ok(_) => {}
        Err(_) => report.push_str(", which cannot be raised"),
    }
    report.extend(["; poller: ", poller.name(), "\n"]);
    let level = settings.process.level();
    if level >= Level::Info {
        terminal::report(&report);
    }
    // What only the start took.
    drop(report);
    gorgon_sys::trim_heap();
    let outcome = run(&mut reactor, settings.process.grace);
    let now = reactor.lp().now();
    reactor.world().finish_logs(now);
    if level >= Level::Debug {
        terminal::report(&summary(reactor.lp()));
    }
    drop(running);
    // A signal that comes now is taken as those before it were, and changes nothing: were the handlers dropped here, it
    // would end the process in another way than the one before it.
    core::mem::forget(reactor);
    outcome
}

/// What was done, for those who want to know at the end.
fn summary(lp: &Loop) -> String {
    let counters = lp.counters();
    let mut text = String::new();
    for (count, what) in [
        (counters.accepted, " connections, "),
        (counters.refused, " refused, "),
        (counters.bytes_received, " bytes in, "),
        (counters.bytes_sent, " bytes out, "),
        (counters.turns, " turns, waited for the disk "),
        (counters.disk_waits, " times, for descriptors "),
        (counters.pauses, " times, for memory "),
        (counters.page_waits, "\n"),
    ] {
        push_decimal_str(count, &mut text);
        text.push_str(what);
    }
    text
}

/// Turns the loop until it is done.
fn run(reactor: &mut Reactor<World>, grace: u64) -> Result<(), Failure> {
    loop {
        match reactor.turn().map_err(|error| failure("poller", error))? {
            Turn::Done => {}
            Turn::Finished => return Ok(()),
            Turn::Signal(Signal::Quit) => reactor.lp().drain(grace),
            Turn::Signal(Signal::Terminate | Signal::Interrupt) => reactor.lp().stop(),
            Turn::Signal(Signal::User1) => {
                let now = reactor.lp().now();
                reactor.world().reopen_logs(now);
            }
            Turn::Signal(Signal::Hangup | Signal::User2 | Signal::Child) => {}
        }
    }
}

/// The poller that was asked for, or the best there is.
fn poller(name: &str) -> Result<PollerKind, Failure> {
    let available = PollerKind::available();
    let found = match name {
        "auto" => available.first().copied(),
        name => PollerKind::from_name(name).filter(|kind| available.contains(kind)),
    };
    found.ok_or_else(|| Failure {
        message: ["--gorgon.poller=", name, ": this system has no such poller"].concat(),
        usage: true,
    })
}

/// The largest read that any connection may come to do, in bytes.
fn largest_read(settings: &Settings) -> usize {
    #[cfg(feature = "http")]
    let exponents = settings.servers.iter().flat_map(|server| {
        let listeners = server.listeners.iter().filter_map(|rule| rule.read_buffer);
        let clients = server.clients.iter().filter_map(|rule| rule.read_buffer);
        listeners.chain(clients).chain([server.settings.read_buffer]).map(|buffer| buffer.most)
    });
    #[cfg(not(feature = "http"))]
    let exponents = {
        let _ = settings;
        [].into_iter()
    };
    1 << exponents.fold(OTHERS_READ, u8::max)
}

/// Names the thing, then says what the system said of it.
fn failure(thing: &str, error: Errno) -> Failure {
    Failure { message: [thing, ": ", &gorgon_sys::describe(error)].concat(), usage: false }
}
