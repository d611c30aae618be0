//! Waits with `epoll(7)`: the kernel keeps the set and gives only what is ready.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use super::registry::Registry;
use super::{Event, Ready, TURN, timespec};

/// A poller of kind [`super::PollerKind::Epoll`].
pub struct Epoll {
    queue: OwnedFd,
    /// The kernel tells a hang-up without telling what was asked: a pipe's is told alone.
    registry: Registry,
    /// Room for one turn; none before the first wait.
    buffer: Vec<epoll::Event>,
}

impl Epoll {
    pub(super) fn new() -> Result<Epoll, Errno> {
        let queue = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(Epoll { queue, registry: Registry::new(), buffer: Vec::new() })
    }

    pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let number = fd.as_raw_fd();
        self.registry.reserve(number)?;
        epoll::add(&self.queue, fd, data(number, token), flags(interest))?;
        self.registry.set(number, token, interest);
        Ok(())
    }

    pub(super) fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let number = fd.as_raw_fd();
        // The kernel may know it when the registry does not: its `closing` came, but then no close.
        self.registry.get(number).ok_or(Errno::NOENT)?;
        epoll::modify(&self.queue, fd, data(number, token), flags(interest))?;
        self.registry.set(number, token, interest);
        Ok(())
    }

    pub(super) fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        self.registry.forget(fd.as_raw_fd());
        epoll::delete(&self.queue, fd)
    }

    pub(super) fn closing(&mut self, fd: BorrowedFd<'_>) {
        self.registry.forget(fd.as_raw_fd());
    }

    pub(super) fn wait(&mut self, timeout: Option<u32>, events: &mut Vec<Event>) -> Result<(), Errno> {
        self.buffer.clear();
        self.buffer.try_reserve_exact(TURN).map_err(|_| Errno::NOMEM)?;
        epoll::wait(&self.queue, spare_capacity(&mut self.buffer), timespec(timeout).as_ref())?;
        for event in &self.buffer {
            let (flags, told) = (event.flags, event.data);
            // The low half is the descriptor; no information is lost that `data` put in.
            let number = told.u64() as u32 as RawFd;
            let Some((token, interest)) = self.registry.get(number) else { continue };
            if data(number, token) != told {
                continue;
            }
            let mut ready = Ready::NONE;
            if flags.contains(EventFlags::IN) {
                ready = ready.union(Ready::READ);
            }
            if flags.contains(EventFlags::OUT) {
                ready = ready.union(Ready::WRITE);
            }
            if flags.intersects(EventFlags::ERR.union(EventFlags::HUP)) {
                ready = ready.union(Ready::GONE).union(interest);
            }
            if !ready.is_empty() {
                events.push(Event { token, ready });
            }
        }
        Ok(())
    }
}

/// What the kernel gives back with an event: the descriptor, and above it a digest of the token, which tells
/// events of a descriptor closed while a duplicate of it lives on from those of the next one of its number.
fn data(number: RawFd, token: u64) -> EventData {
    let digest = (token ^ (token >> 32)) & 0xffff_ffff;
    EventData::new_u64(digest << 32 | u64::from(number.unsigned_abs()))
}

/// Errors and hang-ups are told unasked.
fn flags(interest: Ready) -> EventFlags {
    let mut flags = EventFlags::empty();
    flags.set(EventFlags::IN, interest.contains(Ready::READ));
    flags.set(EventFlags::OUT, interest.contains(Ready::WRITE));
    flags
}
