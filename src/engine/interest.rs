//! What the poller is asked to report of a connection.

use gorgon_sys::{AsFd, Ready};

use super::conn::{Conn, Flags, Mode, NONE};
use super::event_loop::Loop;
use super::values::ConnId;

impl Loop {
    /// Asks the poller for what the connection waits for, with as few system calls as can be: an interest in input that
    /// is not wanted for a while stays until input comes, one in room for output goes at once.
    pub(super) fn watch(&mut self, id: ConnId) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        if conn.flags.has(Flags::QUEUED) {
            // It goes on in the next turn by itself.
            return;
        }
        let wanted = conn.wanted();
        let kept = if conn.interest.contains(Ready::READ) && !conn.flags.has(Flags::ENDED) {
            wanted.union(Ready::READ)
        } else {
            wanted
        };
        if conn.flags.has(Flags::REGISTERED) && conn.interest == kept {
            return;
        }
        self.set_interest(id, wanted);
    }

    /// Sets the poller's interest exactly.
    pub(super) fn set_interest(&mut self, id: ConnId, interest: Ready) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        let outcome = if conn.flags.has(Flags::REGISTERED) {
            if conn.interest == interest {
                return;
            }
            self.poller.change(conn.fd.as_fd(), id.token(), interest)
        } else {
            self.poller.add(conn.fd.as_fd(), id.token(), interest)
        };
        match outcome {
            Ok(()) => {
                conn.flags.set(Flags::REGISTERED);
                conn.interest = interest;
            }
            // A connection that cannot be watched would hang for ever (epoll's max_user_watches, memory).
            Err(_) => self.doomed.push(id),
        }
    }
}

impl Conn {
    /// What must be reported for the connection to go on.
    pub(super) fn wanted(&self) -> Ready {
        if self.mode == Mode::Connecting || self.flags.has(Flags::BLOCKED) {
            return Ready::WRITE;
        }
        let reads = self.mode == Mode::Reading && self.output == NONE;
        if reads && !self.flags.has(Flags::ENDED) && !self.flags.has(Flags::STARVED) {
            Ready::READ
        } else {
            Ready::NONE
        }
    }
}
