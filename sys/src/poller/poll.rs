//! Waits with `poll(2)`: the set is kept here and handed to the kernel at each wait.

use alloc::vec::Vec;

use rustix::fd::{AsRawFd, BorrowedFd, RawFd};

use libc::{POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT, c_short, pollfd};
use rustix::io::Errno;

use super::{Event, LONGEST, Ready, TURN};

/// In [`Poll::slots`], a descriptor that is not registered.
const FREE: u32 = u32::MAX;

/// A poller of kind [`super::PollerKind::Poll`].
pub struct Poll {
    /// What the kernel is given, in no order.
    entries: Vec<pollfd>,
    /// As long as `entries`.
    tokens: Vec<u64>,
    /// By descriptor: where its entry is, or [`FREE`].
    slots: Vec<u32>,
    /// The entry to begin looking at: after the one told last, so that all have their turn.
    next: usize,
}

impl Poll {
    // A result as of the other pollers, though nothing can fail.
    pub(super) fn new() -> Result<Poll, Errno> {
        Ok(Poll { entries: Vec::new(), tokens: Vec::new(), slots: Vec::new(), next: 0 })
    }

    pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let fd = fd.as_raw_fd();
        if self.slot(fd).is_some() {
            return Err(Errno::EXIST);
        }
        let index = usize::try_from(fd).map_err(|_| Errno::BADF)?;
        let slot = u32::try_from(self.entries.len()).map_err(|_| Errno::NOMEM)?;
        if index >= self.slots.len() {
            self.slots.try_reserve(index + 1 - self.slots.len()).map_err(|_| Errno::NOMEM)?;
            self.slots.resize(index + 1, FREE);
        }
        self.entries.try_reserve(1).map_err(|_| Errno::NOMEM)?;
        self.tokens.try_reserve(1).map_err(|_| Errno::NOMEM)?;
        if let Some(place) = self.slots.get_mut(index) {
            *place = slot;
            self.entries.push(pollfd { fd, events: flags(interest), revents: 0 });
            self.tokens.push(token);
        }
        Ok(())
    }

    pub(super) fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let slot = self.slot(fd.as_raw_fd()).ok_or(Errno::NOENT)?;
        if let (Some(entry), Some(place)) = (self.entries.get_mut(slot), self.tokens.get_mut(slot)) {
            entry.events = flags(interest);
            *place = token;
        }
        Ok(())
    }

    pub(super) fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let slot = self.slot(fd.as_raw_fd()).ok_or(Errno::NOENT)?;
        self.entries.swap_remove(slot);
        self.tokens.swap_remove(slot);
        self.place(fd.as_raw_fd(), FREE);
        // The last entry took the place of this one.
        if let (Some(moved), Ok(slot)) = (self.entries.get(slot), u32::try_from(slot)) {
            self.place(moved.fd, slot);
        }
        Ok(())
    }

    pub(super) fn closing(&mut self, fd: BorrowedFd<'_>) {
        // One that is not registered is none to forget.
        let _ = self.remove(fd);
    }

    pub(super) fn wait(&mut self, timeout: Option<u32>, events: &mut Vec<Event>) -> Result<(), Errno> {
        let timeout = timeout.map_or(-1, |milliseconds| milliseconds.min(LONGEST) as libc::c_int);
        let length = self.entries.len();
        // SAFETY: the pointer and the length are of one live vector of `pollfd`, in which the kernel writes
        // only `revents`. A descriptor closed in the meantime gives `POLLNVAL`.
        let result = unsafe { libc::poll(self.entries.as_mut_ptr(), length as libc::nfds_t, timeout) };
        let Ok(ready) = usize::try_from(result) else {
            return Err(crate::error::last_error());
        };
        let start = if self.next < length { self.next } else { 0 };
        let order = (start..length).chain(0..start);
        let told = order.filter_map(|slot| {
            let entry = self.entries.get(slot).filter(|entry| entry.revents != 0)?;
            Some((slot, *self.tokens.get(slot)?, readiness(entry)))
        });
        for (slot, token, ready) in told.take(ready.min(TURN)) {
            self.next = slot + 1;
            if !ready.is_empty() {
                events.push(Event { token, ready });
            }
        }
        Ok(())
    }

    /// Where the entry of a registered descriptor is.
    fn slot(&self, fd: RawFd) -> Option<usize> {
        let slot = *self.slots.get(usize::try_from(fd).ok()?)?;
        if slot == FREE { None } else { usize::try_from(slot).ok() }
    }

    /// Notes where the entry of a descriptor is now.
    fn place(&mut self, fd: RawFd, slot: u32) {
        if let Some(place) = usize::try_from(fd).ok().and_then(|index| self.slots.get_mut(index)) {
            *place = slot;
        }
    }
}

/// Errors and hang-ups are told unasked.
fn flags(interest: Ready) -> c_short {
    let read = if interest.contains(Ready::READ) { POLLIN } else { 0 };
    let write = if interest.contains(Ready::WRITE) { POLLOUT } else { 0 };
    read | write
}

/// What the kernel told of an entry.
fn readiness(entry: &pollfd) -> Ready {
    if entry.revents & POLLNVAL != 0 {
        return Ready::GONE;
    }
    let gone = entry.revents & (POLLERR | POLLHUP) != 0;
    let told = if gone { entry.revents | entry.events } else { entry.revents };
    let mut ready = if gone { Ready::GONE } else { Ready::NONE };
    if told & POLLIN != 0 {
        ready = ready.union(Ready::READ);
    }
    if told & POLLOUT != 0 {
        ready = ready.union(Ready::WRITE);
    }
    ready
}
