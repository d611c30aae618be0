//! The crate polling, level-triggered: its default, one event and then none before it is asked for again, costs a call more
//! for each event.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::BorrowedFd;

use polling::{Events, Poller};

use super::{Backend, TURN};
use crate::sys_calls::polling_add;

/// Its poller, and the events of one wait.
pub struct Polling {
    poller: Poller,
    events: Events,
}

impl Polling {
    /// An empty poller.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<Polling> {
        let room = NonZeroUsize::new(TURN).unwrap_or(NonZeroUsize::MIN);
        Ok(Polling { poller: Poller::new()?, events: Events::with_capacity(room) })
    }
}

impl Backend for Polling {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        polling_add(&self.poller, fd, token as usize)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        self.poller.delete(fd)
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        let time = std::time::Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        self.events.clear();
        self.poller.wait(&mut self.events, Some(time)).map(drop)
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        for event in self.events.iter() {
            handle(event.key as u32);
        }
    }
}
