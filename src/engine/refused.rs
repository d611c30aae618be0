//! Connections that are too many: told so in a few bytes, without having been read from, and let go.
//!
//! They have no slot, no page and no place in the poller. Our side is ended at once, and the descriptor is kept for
//! `LINGER` milliseconds, for what the peer sent or still sends would, unread at the close, be answered with a reset
//! that destroys what it was told. At most `MOST` are kept; the one kept for longest makes room for the next.

use alloc::vec::Vec;

use gorgon_sys::{AsFd, Io, OwnedFd, recv, send, shutdown_write};

use super::event_loop::Loop;
use super::timers::Owner;

/// How many are kept at a time, if there is room.
const MOST: usize = 64;
/// How long each is kept, in milliseconds.
const LINGER: u64 = 1000;
/// How often one is read from before it is closed: enough for a request head of 16 KiB.
const READS: usize = 4;

/// Those that were refused and are still open, in order of their time.
pub struct Refused {
    kept: Vec<Kept>,
    most: usize,
    timer_set: bool,
}

impl Default for Refused {
    fn default() -> Refused {
        Refused { kept: Vec::new(), most: MOST, timer_set: false }
    }
}

struct Kept {
    fd: OwnedFd,
    /// Milliseconds on the loop's clock.
    due: u64,
}

impl Refused {
    pub(super) fn len(&self) -> usize {
        self.kept.len()
    }
}

impl Loop {
    /// Keeps at most so many descriptors of refused connections open for a while, and no more than 64.
    pub fn keep_refused(&mut self, most: usize) {
        self.refused.most = most.clamp(1, MOST);
    }

    /// Tells a connection a last word and ends it.
    pub(super) fn turn_away(&mut self, fd: OwnedFd, word: &[u8]) {
        self.counters.refused += 1;
        // A new connection takes this much, or is lost.
        let Io::Done(_) = send(fd.as_fd(), word) else { return };
        if shutdown_write(fd.as_fd()).is_err() {
            return;
        }
        if self.refused.kept.len() >= self.refused.most {
            read_away(&self.refused.kept.remove(0).fd);
        }
        self.refused.kept.push(Kept { fd, due: self.now.milliseconds + LINGER });
        self.plan_refused();
    }

    /// Closes those whose time is over.
    pub(super) fn let_refused_go(&mut self) {
        let now = self.now.milliseconds;
        let over = self.refused.kept.iter().take_while(|kept| kept.due <= now).count();
        for kept in self.refused.kept.drain(..over) {
            read_away(&kept.fd);
        }
        if self.refused.kept.is_empty() {
            self.refused.kept = Vec::new();
        }
        self.refused.timer_set = false;
        self.plan_refused();
    }

    /// Sets a timer for the one whose time is over first.
    fn plan_refused(&mut self) {
        let due = self.refused.kept.first().map(|kept| kept.due);
        if let (Some(due), false) = (due, self.refused.timer_set) {
            self.refused.timer_set = true;
            self.timers.set(due, Owner::Refused);
        }
    }

    /// Closes all of them: at the end, and when descriptors are needed.
    pub(super) fn drop_refused(&mut self) {
        for kept in core::mem::take(&mut self.refused.kept) {
            read_away(&kept.fd);
        }
    }
}

/// Takes what the peer sent, so that the close is no reset.
fn read_away(fd: &OwnedFd) {
    let mut room = [0; 4096];
    for _ in 0..READS {
        let Io::Done(_) = recv(fd.as_fd(), &mut room) else { return };
    }
}
