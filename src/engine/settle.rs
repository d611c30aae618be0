//! The second half of a turn: what took too long is ended, and what was put off is done.

use super::conn::{Flags, Mode, NONE};
use super::reactor::{Call, Reactor};
use super::statistics::Work;
use super::timeouts::list_number;
use super::timers::Owner;
use super::values::Timeout;

/// Most connections whose time is over that are ended in one turn: a time that was made shorter may be over for all of
/// them at once.
const EXPIRED: usize = 512;

impl<W> Reactor<W> {
    /// Ends what took too long. What is due is so at a millisecond: it need not be looked for twice in one.
    pub(super) fn expire(&mut self) {
        for _ in 0..EXPIRED {
            let Some(id) = self.lp.timeouts.expired(&mut self.lp.slots, self.lp.now.tick) else { break };
            let Some(conn) = self.lp.slots.get(id) else { return };
            let (service, connecting) = (conn.service, conn.mode == Mode::Connecting);
            let writing = conn.list == list_number(service, Timeout::WRITE);
            let (rate, period) = self.lp.services.get(usize::from(service)).map_or((0, 0), |state| {
                (state.limits.rate_floor, state.limits.timeouts.first().copied().unwrap_or(0))
            });
            if connecting {
                self.close(id);
            } else if writing && self.lp.output_keeps_rate(id, rate, period) {
                self.lp.timeouts.arm(&mut self.lp.slots, id, Timeout::WRITE, self.lp.now.tick);
            } else if writing {
                // It takes too little; nothing more can be told it.
                self.close(id);
            } else {
                self.run(id, Call::Timeout);
                self.lp.watch(id);
            }
            self.lp.statistics.step(Work::Expire);
        }
        while let Some(owner) = self.lp.timers.expired(self.lp.now.milliseconds) {
            match owner {
                Owner::Accept => {
                    self.lp.accept_set = false;
                    self.lp.resume_listeners();
                    if self.lp.reserve.is_none() || self.lp.paused > 0 {
                        self.plan_accept();
                    }
                }
                Owner::Refused => self.lp.let_refused_go(),
                Owner::Trim => self.lp.trim(),
                Owner::Starved => {
                    self.lp.starved_set = false;
                    self.feed_starved();
                }
                Owner::Grace if self.lp.grace_until <= self.lp.now.milliseconds => self.lp.stop(),
                // It was given more time.
                Owner::Grace => {}
                Owner::Retired => self.lp.end_retired(self.lp.now.milliseconds),
                Owner::Drain(number) => self.lp.end_draining(number),
                Owner::Service(number, token) => {
                    if let Some(Some(service)) = self.services.get_mut(usize::from(number)) {
                        self.lp.statistics.service = number;
                        service.on_timer(token, number, &mut self.world, &mut self.lp);
                    }
                }
            }
            self.lp.statistics.step(Work::Expire);
        }
    }

    /// Does what was put off: settles the services, wakes, closes, and lets those go on that waited for room.
    pub(super) fn settle(&mut self) {
        self.lp.unsettled = false;
        for service in self.services.iter_mut().flatten() {
            service.settle(&mut self.world, &mut self.lp);
        }
        if self.lp.chores || self.lp.removing > 0 {
            self.do_chores();
        }
        // Each may cause the other; a chain longer than this goes on in the next turn.
        for _ in 0..8 {
            if self.lp.woken.is_empty() && self.lp.doomed.is_empty() {
                break;
            }
            for id in core::mem::take(&mut self.lp.woken) {
                let Some(conn) = self.lp.slots.get_mut(id) else { continue };
                conn.flags.clear(Flags::WOKEN);
                match conn.mode {
                    // It is not there yet, or about to go, or its output has to go out before anything else.
                    Mode::Connecting | Mode::Closing | Mode::Draining => continue,
                    Mode::Reading | Mode::Waiting if conn.output != NONE => conn.flags.set(Flags::NOTIFY),
                    Mode::Reading | Mode::Waiting => self.run(id, Call::Wake),
                }
                self.lp.watch(id);
            }
            for id in core::mem::take(&mut self.lp.doomed) {
                self.close(id);
            }
        }
        if !self.lp.starved.is_empty() && !self.lp.pages.is_exhausted() {
            self.feed_starved();
        }
        let released = core::mem::take(&mut self.lp.released) | self.lp.files.take_closed();
        if released {
            self.lp.resume_listeners();
        }
        self.lp.plan_trim();
    }
}
