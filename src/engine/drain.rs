//! The end: listeners close, requests in flight are finished, and connections that come to rest are closed.

use super::conn::{Flags, Mode, NONE};
use super::pages::PageId;
use super::reactor::Reactor;
use super::values::ConnId;

impl<W> Reactor<W> {
    /// Lets a connection wait for what it wants. While the loop drains, or its service, one between requests has nothing to wait for: it
    /// is read from once more, for its next request may have come, and then closed.
    pub(super) fn rest(&mut self, id: ConnId) {
        if self.lp.rests_no_more(id) && self.is_idle(id) {
            self.readable(id);
            if self.is_idle(id) {
                self.close(id);
            }
        } else {
            self.lp.watch(id);
        }
    }

    /// Whether all is drained: what waits is accepted first, then the listeners close; an idle connection is read from
    /// once more, for its request may have come, and then closed.
    pub(super) fn drained(&mut self) -> bool {
        if self.lp.listeners.iter().any(Option::is_some) {
            for number in 0..self.lp.listeners.len() {
                // Those that waited when the word came are served.
                self.finish_listener(number);
            }
            for index in 0..self.lp.slots.end() {
                let Some(id) = self.lp.slots.id_at(index) else { continue };
                if self.is_idle(id) {
                    self.rest(id);
                }
            }
        }
        let is_over = self.lp.is_deserted();
        if is_over {
            self.lp.drop_refused();
        }
        is_over
    }

    pub(super) fn is_idle(&self, id: ConnId) -> bool {
        let conn = self.lp.slots.get(id);
        conn.is_some_and(|c| {
            let rests = c.mode == Mode::Reading && c.output == NONE && c.input == PageId::NONE;
            rests && c.key == 0 && !c.flags.has(Flags::INSIDE)
        })
    }

    pub(super) fn close_all(&mut self) {
        self.lp.close_listeners();
        self.lp.drop_refused();
        for index in 0..self.lp.slots.end() {
            if let Some(id) = self.lp.slots.id_at(index) {
                self.close(id);
            }
        }
    }
}
