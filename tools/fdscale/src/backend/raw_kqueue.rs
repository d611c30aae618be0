//! kqueue(2) with nothing around it: one array of events, tokens in them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::{Backend, TURN, interrupted_is_none};
use crate::sys_calls::{kqueue, kqueue_change, kqueue_wait, no_event};

/// The queue, and room for one wait.
pub struct RawKqueue {
    queue: OwnedFd,
    events: Vec<libc::kevent>,
    told: usize,
}

impl RawKqueue {
    /// An empty queue.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<RawKqueue> {
        Ok(RawKqueue { queue: kqueue()?, events: (0..TURN).map(|_| no_event()).collect(), told: 0 })
    }
}

impl Backend for RawKqueue {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        kqueue_change(self.queue.as_raw_fd(), fd.as_raw_fd(), true, token as usize)
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        kqueue_change(self.queue.as_raw_fd(), fd.as_raw_fd(), false, 0)
    }

    fn closing(&mut self, _fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        Ok(())
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        self.told = interrupted_is_none(kqueue_wait(self.queue.as_raw_fd(), &mut self.events, milliseconds))?;
        Ok(())
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        for event in self.events.iter().take(self.told) {
            handle(event.udata as usize as u32);
        }
    }
}
