//! Waits with `kqueue(2)`: the kernel keeps a filter for each direction asked about and gives what is ready.
//!
//! A filter told `EV_EOF` means for reading that the peer writes no more, or that the socket failed, which the
//! read will tell; for writing it means that nothing can be written ever again.

use alloc::vec::Vec;

use core::ptr::null_mut;
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use rustix::buffer::spare_capacity;
use rustix::event::kqueue::{self, EventFilter, EventFlags};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use super::registry::Registry;
use super::{Event, Ready, TURN, timespec};

/// A poller of kind [`super::PollerKind::Kqueue`].
pub struct Kqueue {
    queue: OwnedFd,
    /// Tells which filters there are. Tokens are here as well: a filter holds but a pointer's worth.
    registry: Registry,
    /// Room for one turn; none before the first wait.
    buffer: Vec<kqueue::Event>,
}

impl Kqueue {
    pub(super) fn new() -> Result<Kqueue, Errno> {
        let queue = kqueue::kqueue()?;
        // No child of a fork has it, but another program run in this process would.
        fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        Ok(Kqueue { queue, registry: Registry::new(), buffer: Vec::new() })
    }

    pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let number = fd.as_raw_fd();
        if self.registry.get(number).is_some() {
            return Err(Errno::EXIST);
        }
        self.registry.reserve(number)?;
        self.apply(number, Ready::NONE, interest)?;
        self.registry.set(number, token, interest);
        Ok(())
    }

    pub(super) fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let number = fd.as_raw_fd();
        let (_, before) = self.registry.get(number).ok_or(Errno::NOENT)?;
        self.apply(number, before, interest)?;
        self.registry.set(number, token, interest);
        Ok(())
    }

    pub(super) fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let before = self.registry.forget(fd.as_raw_fd()).ok_or(Errno::NOENT)?;
        self.apply(fd.as_raw_fd(), before, Ready::NONE)
    }

    pub(super) fn closing(&mut self, fd: BorrowedFd<'_>) {
        self.registry.forget(fd.as_raw_fd());
    }

    pub(super) fn wait(&mut self, timeout: Option<u32>, events: &mut Vec<Event>) -> Result<(), Errno> {
        self.buffer.clear();
        self.buffer.try_reserve_exact(TURN).map_err(|_| Errno::NOMEM)?;
        let room = spare_capacity(&mut self.buffer);
        // SAFETY: no change is handed in. Filters of a closed descriptor were dropped by the kernel with it.
        unsafe { kqueue::kevent_timespec(&self.queue, &[], room, timespec(timeout).as_ref()) }?;
        for told in &self.buffer {
            let (number, asked) = match told.filter() {
                EventFilter::Read(number) => (number, Ready::READ),
                EventFilter::Write(number) => (number, Ready::WRITE),
                _ => continue,
            };
            let Some((token, interest)) = self.registry.get(number) else { continue };
            let failed = told.flags().contains(EventFlags::ERROR);
            let ended = told.flags().contains(EventFlags::EOF) && asked == Ready::WRITE;
            let ready = if failed || ended { interest.union(Ready::GONE) } else { asked };
            // Both filters of one descriptor make one event. Few descriptors have both, so few are looked for.
            let both = interest.contains(Ready::BOTH);
            match events.iter_mut().find(|event| both && event.token == token) {
                Some(event) => event.ready = event.ready.union(ready),
                None => events.push(Event { token, ready }),
            }
        }
        Ok(())
    }

    /// Adds and deletes filters until those of `before` are those of `after`. Should the system refuse one,
    /// the filters are those of `before` again, as far as it lets them.
    fn apply(&self, fd: RawFd, before: Ready, after: Ready) -> Result<(), Errno> {
        self.filter(EventFilter::Read(fd), Ready::READ, before, after)?;
        let result = self.filter(EventFilter::Write(fd), Ready::WRITE, before, after);
        if result.is_err() {
            // The first error is the one to tell.
            let _ = self.filter(EventFilter::Read(fd), Ready::READ, after, before);
        }
        result
    }

    /// Adds or deletes one filter, if `before` and `after` differ in its direction.
    fn filter(&self, filter: EventFilter, of: Ready, before: Ready, after: Ready) -> Result<(), Errno> {
        let action = match (before.contains(of), after.contains(of)) {
            (false, true) => EventFlags::ADD,
            (true, false) => EventFlags::DELETE,
            (false, false) | (true, true) => return Ok(()),
        };
        let change = kqueue::Event::new(filter, action, null_mut());
        let none: &mut [kqueue::Event] = &mut [];
        // SAFETY: the descriptor is borrowed by the caller, thus open now; once it is closed, the kernel drops
        // its filters. With no room for events an error is returned, and nothing is waited for.
        unsafe { kqueue::kevent_timespec(&self.queue, &[change], none, timespec(Some(0)).as_ref()) }?;
        Ok(())
    }
}
