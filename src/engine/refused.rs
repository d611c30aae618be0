//! Connections that are too many: told so in a few bytes, without having been read from, and let go.
//!
//! They have no slot, no page and no place in the poller. Our side is ended at once, and the descriptor is kept for
//! [`LINGER`] milliseconds, for what the peer sent or still sends would, unread at the close, be answered with a reset
//! that destroys what it was told. At most [`MOST`] are kept; the one kept for longest makes room for the next.

use gorgon_sys::{AsFd, Io, OwnedFd, recv, send, shutdown_write};

use super::event_loop::Loop;
use super::timers::Owner;

/// How many are kept at a time.
pub const MOST: usize = 64;
/// How long each is kept, in milliseconds.
const LINGER: u64 = 1000;
/// How often one is read from before it is closed: enough for a request head of 16 KiB.
const READS: usize = 4;

/// Those that were refused and are still open, in order of their time.
#[derive(Default)]
pub struct Refused {
    kept: Vec<Kept>,
}

struct Kept {
    fd: OwnedFd,
    /// Milliseconds on the loop's clock.
    due: u64,
}

impl Loop {
    /// Tells a connection a last word and ends it.
    pub(super) fn turn_away(&mut self, fd: OwnedFd, word: &[u8]) {
        self.counters.refused += 1;
        // A new connection takes this much, or is lost.
        let Io::Done(_) = send(fd.as_fd(), word) else { return };
        if shutdown_write(fd.as_fd()).is_err() {
            return;
        }
        if self.refused.kept.len() >= MOST {
            read_away(&self.refused.kept.remove(0).fd);
        }
        if self.refused.kept.is_empty() {
            self.timers.set(self.now.milliseconds + LINGER, Owner::Refused);
        }
        self.refused.kept.push(Kept { fd, due: self.now.milliseconds + LINGER });
    }

    /// Closes those whose time is over.
    pub(super) fn let_refused_go(&mut self) {
        let now = self.now.milliseconds;
        let over = self.refused.kept.iter().take_while(|kept| kept.due <= now).count();
        for kept in self.refused.kept.drain(..over) {
            read_away(&kept.fd);
        }
        match self.refused.kept.first() {
            Some(kept) => self.timers.set(kept.due, Owner::Refused),
            None => self.refused = Refused::default(),
        }
    }

    /// Closes all of them, at the end.
    pub(super) fn drop_refused(&mut self) {
        for kept in std::mem::take(&mut self.refused.kept) {
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
