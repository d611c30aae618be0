//! Waits with `epoll(7)`: the kernel keeps the set and gives only what is ready. Nothing is kept here for a descriptor.

use alloc::vec::Vec;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::io::Errno;

use super::{Event, LONGEST, Ready, TURN};
use crate::error::last_error;

/// A poller of kind [`super::PollerKind::Epoll`].
pub struct Epoll {
    queue: OwnedFd,
    /// Room for one turn; none before the first wait.
    buffer: Vec<libc::epoll_event>,
}

impl Epoll {
    pub(super) fn new() -> Result<Epoll, Errno> {
        Ok(Epoll { queue: epoll::create(CreateFlags::CLOEXEC)?, buffer: Vec::new() })
    }

    pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        epoll::add(&self.queue, fd, EventData::new_u64(token), flags(interest))
    }

    pub(super) fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        epoll::modify(&self.queue, fd, EventData::new_u64(token), flags(interest))
    }

    pub(super) fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        epoll::delete(&self.queue, fd)
    }

    /// The kernel forgets a descriptor that is closed, unless a duplicate of it lives on: its events then carry a token
    /// that nobody has any more.
    pub(super) fn closing(&mut self, _fd: BorrowedFd<'_>) {}

    pub(super) fn wait(&mut self, timeout: Option<u32>, events: &mut Vec<Event>) -> Result<(), Errno> {
        if self.buffer.is_empty() {
            self.buffer.try_reserve_exact(TURN).map_err(|_| Errno::NOMEM)?;
            self.buffer.resize(TURN, libc::epoll_event { events: 0, u64: 0 });
        }
        let milliseconds = timeout.map_or(-1, |time| time.min(LONGEST) as libc::c_int);
        // Not by rustix, which takes a time in seconds and nanoseconds only to divide it into milliseconds again.
        // SAFETY: the queue is open for the call, and the buffer holds TURN events.
        let count = unsafe {
            libc::epoll_wait(
                self.queue.as_raw_fd(),
                self.buffer.as_mut_ptr(),
                TURN as libc::c_int,
                milliseconds,
            )
        };
        let count = usize::try_from(count).map_err(|_| last_error())?;
        for event in self.buffer.iter().take(count) {
            let (flags, token) = (EventFlags::from_bits_retain(event.events), event.u64);
            let mut ready = Ready::NONE;
            if flags.contains(EventFlags::IN) {
                ready = ready.union(Ready::READ);
            }
            if flags.contains(EventFlags::OUT) {
                ready = ready.union(Ready::WRITE);
            }
            if flags.intersects(EventFlags::ERR.union(EventFlags::HUP)) {
                ready = ready.union(Ready::GONE);
            }
            if !ready.is_empty() {
                events.push(Event { token, ready });
            }
        }
        Ok(())
    }
}

/// Errors and hang-ups are told unasked.
fn flags(interest: Ready) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest.contains(Ready::READ));
    flags.set(EventFlags::OUT, interest.contains(Ready::WRITE));
    flags
}
