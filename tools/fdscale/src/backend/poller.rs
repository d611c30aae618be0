//! Gorgon's pollers, called as its loop calls them.

use std::io;
use std::os::fd::BorrowedFd;

use gorgon_sys::{Event, Poller, PollerKind, Ready};

use super::{Backend, TURN};

/// The poller, and the events of one wait.
pub struct GorgonPoller {
    poller: Poller,
    events: Vec<Event>,
}

impl GorgonPoller {
    /// An empty poller of this kind.
    ///
    /// # Errors
    /// The system's.
    pub fn new(kind: PollerKind) -> io::Result<GorgonPoller> {
        Ok(GorgonPoller { poller: Poller::new(kind)?, events: Vec::with_capacity(TURN) })
    }
}

impl Backend for GorgonPoller {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        Ok(self.poller.add(fd, token.into(), Ready::READ)?)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        Ok(self.poller.remove(fd)?)
    }

    fn closing(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        self.poller.closing(fd);
        Ok(())
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        Ok(self.poller.wait(u32::try_from(milliseconds).ok(), &mut self.events)?)
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        for event in &self.events {
            handle(event.token as u32);
        }
    }
}
