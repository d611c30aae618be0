//! Getting pages back when they have run out: the connections that keep the most unread input are given up.
//!
//! Waiting for pages instead would let whoever fills them with halves of requests lock everybody else out. A half that is
//! worth much memory is rarely an honest one's: heads that people send fit in the smallest pages.

use super::conn::NONE;
use super::event_loop::Loop;
use super::reactor::{Call, Reactor};
use super::values::ConnId;

/// Among how many connections with unread input one is chosen.
const CHOICE: usize = 32;

impl Loop {
    /// The connection with the largest page of input among the next few that have one; one without held output rather
    /// than one with, for its service can still say why it ends.
    fn largest_input(&mut self) -> Option<ConnId> {
        let end = self.slots.end();
        let (mut found, mut best) = (None, (0, false));
        let mut choice = CHOICE;
        for _ in 0..end {
            self.hand = if self.hand + 1 < end { self.hand + 1 } else { 0 };
            let Some(conn) = self.slots.at(self.hand) else { continue };
            let worth = (self.pages.get(conn.input).len(), conn.output == NONE);
            if worth.0 == 0 {
                continue;
            }
            choice -= 1;
            if worth > best {
                (found, best) = (self.slots.id_at(self.hand), worth);
            }
            if choice == 0 {
                break;
            }
        }
        found
    }
}

impl<W> Reactor<W> {
    /// Gives connections up until the pages suffice again.
    pub(super) fn reclaim(&mut self) {
        while self.lp.pages.is_exhausted() {
            // Without any input it is held output, whose own cap is lower.
            let Some(id) = self.lp.largest_input() else { return };
            self.lp.counters.reclaimed += 1;
            let before = self.lp.pages.used();
            if self.lp.holds_output(id) {
                self.close(id);
                continue;
            }
            self.run(id, Call::Timeout);
            if self.lp.pages.used() >= before {
                self.close(id);
            } else {
                self.lp.watch(id);
            }
        }
    }
}
