//! When pages have run out, input is only looked at: what is used of it is taken from the kernel, the rest stays there.
//!
//! So a request that comes whole is answered as ever, and one that does not grows in the kernel's buffer, which is larger
//! than any head may be. None is dropped, and whoever fills the pages with halves of requests locks nobody out.

use gorgon_sys::{AsFd, Io, recv};

use super::conn::{Flags, Mode, NONE};
use super::event_loop::Loop;
use super::reactor::Reactor;
use super::timers::Owner;
use super::values::{ConnId, TICK_MILLISECONDS};

/// How much is looked at: as much as the largest head that can be allowed.
pub(super) const LOOK: usize = 64 * 1024;
/// The least time between two of these looks, in milliseconds.
const LEAST: u64 = 20;
/// How many connections are looked at again in one turn.
const FED: usize = 64;
/// How often a call on input that is known to be there may say that there is none.
const PATIENCE: u32 = 1000;

impl Loop {
    /// Has those that wait for room looked at again soon: all of them in a tick, or as many as can be without making the
    /// others wait.
    fn plan_starved(&mut self) {
        if !self.starved_set && !self.starved.is_empty() {
            self.starved_set = true;
            let turns = (self.starved.len() / FED + 1) as u64;
            let wait = (TICK_MILLISECONDS / turns).max(LEAST);
            self.timers.set(self.now.milliseconds + wait, Owner::Starved);
        }
    }

    /// Has a connection wait, its input with the kernel, until there is room among the pages, or for a moment.
    pub(super) fn starve(&mut self, id: ConnId) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        if conn.mode != Mode::Reading || conn.output != NONE || conn.flags.has(Flags::STARVED) {
            return;
        }
        conn.flags.set(Flags::STARVED);
        self.starved.push(id);
        self.counters.page_waits += 1;
        self.plan_starved();
        // Those that closed meanwhile are forgotten now and then, so that the list does not outgrow the table.
        if self.starved.len() > 2 * self.slots.len() + 64 {
            let slots = &self.slots;
            self.starved.retain(|id| slots.get(*id).is_some());
        }
    }
}

impl<W> Reactor<W> {
    /// While pages are scarce: takes from the kernel what was used of the input that was only looked at, behind the first
    /// `kept` bytes, and leaves the rest there. A whole request is answered as ever, and a part of one grows in the
    /// kernel's buffer instead of ours.
    pub(super) fn leave_rest(&mut self, id: ConnId, kept: usize, (at, end): (usize, usize)) {
        if at < kept {
            self.keep(id, (at, kept));
        }
        if let Some(conn) = self.lp.slots.get_mut(id) {
            // The rest may come in smaller pieces than it was seen in.
            conn.resume = conn.resume.min(kept.saturating_sub(at) as u32);
        }
        let mut used = at.saturating_sub(kept);
        let mut patience = PATIENCE;
        while used > 0 {
            let Some(conn) = self.lp.slots.get(id) else { return };
            // What lies in front of the unread was used, and may be written over.
            let Some(room) = self.scratch.get_mut(..used) else { return };
            match recv(conn.fd.as_fd(), room) {
                Io::Done(count) => {
                    if let Some(state) = self.lp.services.get_mut(usize::from(conn.service)) {
                        state.received += count as u64;
                    }
                    used -= count;
                }
                Io::Blocked if patience > 0 => patience -= 1,
                Io::Blocked | Io::Ended | Io::Failed(_) => return self.close(id),
            }
        }
        if at < end {
            self.lp.starve(id);
        }
    }

    /// Has some of those that wait for room read again, in turn.
    pub(super) fn feed_starved(&mut self) {
        let mut fed = core::mem::take(&mut self.lp.starved);
        let rest = fed.split_off(fed.len().min(FED));
        self.lp.starved = rest;
        for id in fed {
            let Some(conn) = self.lp.slots.get_mut(id) else { continue };
            conn.flags.clear(Flags::STARVED);
            self.readable(id);
        }
        self.lp.plan_starved();
    }
}
