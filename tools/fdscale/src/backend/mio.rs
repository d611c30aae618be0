//! The crate mio. It is edge-triggered: what is not used up is not told again.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{Backend, TURN};

/// Its poller, and the events of one wait.
pub struct Mio {
    poll: Poll,
    events: Events,
}

impl Mio {
    /// An empty poller.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<Mio> {
        Ok(Mio { poll: Poll::new()?, events: Events::with_capacity(TURN) })
    }
}

impl Backend for Mio {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        let token = Token(token as usize);
        self.poll.registry().register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        self.poll.registry().deregister(&mut SourceFd(&fd.as_raw_fd()))
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        let time = std::time::Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0));
        match self.poll.poll(&mut self.events, Some(time)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                self.events.clear();
                Ok(())
            }
            other => other,
        }
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        for event in &self.events {
            handle(event.token().0 as u32);
        }
    }

    fn is_level_triggered(&self) -> bool {
        false
    }
}
