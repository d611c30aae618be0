//! epoll(7) with nothing around it: one array of events, tokens in them.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::{Backend, TURN, interrupted_is_none};
use crate::sys_calls::{epoll_control, epoll_create, epoll_wait};

/// The set, and room for one wait.
pub struct RawEpoll {
    queue: OwnedFd,
    events: [libc::epoll_event; TURN],
    told: usize,
}

impl RawEpoll {
    /// An empty set.
    ///
    /// # Errors
    /// The system's.
    pub fn new() -> io::Result<RawEpoll> {
        Ok(RawEpoll {
            queue: epoll_create()?,
            events: [libc::epoll_event { events: 0, u64: 0 }; TURN],
            told: 0,
        })
    }
}

impl Backend for RawEpoll {
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        let events = libc::EPOLLIN as u32;
        epoll_control(self.queue.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), events, token.into())
    }

    fn remove(&mut self, fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        epoll_control(self.queue.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), 0, 0)
    }

    fn closing(&mut self, _fd: BorrowedFd<'_>, _token: u32) -> io::Result<()> {
        Ok(())
    }

    fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
        self.told = interrupted_is_none(epoll_wait(self.queue.as_raw_fd(), &mut self.events, milliseconds))?;
        Ok(())
    }

    fn each(&mut self, mut handle: impl FnMut(u32)) {
        for event in self.events.iter().take(self.told) {
            handle(event.u64 as u32);
        }
    }
}
