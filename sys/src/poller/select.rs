//! Waits with `select(2)`: three sets of bits by descriptor, handed to the kernel at each wait.
//!
//! The sets are as long as the highest descriptor asks for, not the 1024 bits of the usual type; every system
//! here takes that but for macOS, where a longer set would need another symbol of its C library, and a
//! descriptor above 1023 is refused. The set for exceptions would tell urgent data only, so none is given.

use alloc::vec::Vec;

use rustix::event::{FdSetElement, FdSetIter, fd_set_insert, fd_set_num_elements, fd_set_remove, select};
use rustix::fd::{AsRawFd, BorrowedFd, RawFd};
use rustix::io::Errno;

use super::registry::Registry;
use super::{Event, Ready, TURN, timespec};

/// Descriptors in one element of a set.
const BITS: usize = size_of::<FdSetElement>() * 8;

/// A poller of kind [`super::PollerKind::Select`].
pub struct Select {
    registry: Registry,
    /// Who asked to read.
    read: Vec<FdSetElement>,
    /// Who asked to write; as long as `read`.
    write: Vec<FdSetElement>,
    /// Copies of both, which the kernel overwrites with who is ready.
    read_ready: Vec<FdSetElement>,
    write_ready: Vec<FdSetElement>,
    /// The descriptor to begin looking at: after the one told last, so that all have their turn.
    next: RawFd,
}

impl Select {
    // A result as of the other pollers, though nothing can fail.
    pub(super) fn new() -> Result<Select, Errno> {
        Ok(Select {
            registry: Registry::new(),
            read: Vec::new(),
            write: Vec::new(),
            read_ready: Vec::new(),
            write_ready: Vec::new(),
            next: 0,
        })
    }

    pub(super) fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        let fd = fd.as_raw_fd();
        if self.registry.get(fd).is_some() {
            return Err(Errno::EXIST);
        }
        if cfg!(target_vendor = "apple") && fd >= 1024 {
            return Err(Errno::INVAL);
        }
        self.registry.reserve(fd)?;
        let length = fd_set_num_elements(0, fd.saturating_add(1));
        for set in [&mut self.read, &mut self.write, &mut self.read_ready, &mut self.write_ready] {
            set.try_reserve(length.saturating_sub(set.len())).map_err(|_| Errno::NOMEM)?;
        }
        // Only now that none of them can fail: all are of one length.
        for set in [&mut self.read, &mut self.write, &mut self.read_ready, &mut self.write_ready] {
            if set.len() < length {
                set.resize(length, FdSetElement::default());
            }
        }
        self.ask(fd, token, interest);
        Ok(())
    }

    pub(super) fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        self.registry.get(fd.as_raw_fd()).ok_or(Errno::NOENT)?;
        self.ask(fd.as_raw_fd(), token, interest);
        Ok(())
    }

    pub(super) fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        let (token, _) = self.registry.get(fd.as_raw_fd()).ok_or(Errno::NOENT)?;
        self.ask(fd.as_raw_fd(), token, Ready::NONE);
        self.registry.forget(fd.as_raw_fd());
        Ok(())
    }

    pub(super) fn closing(&mut self, fd: BorrowedFd<'_>) {
        // One that is not registered is none to forget.
        let _ = self.remove(fd);
    }

    pub(super) fn wait(&mut self, timeout: Option<u32>, events: &mut Vec<Event>) -> Result<(), Errno> {
        let bound = self.registry.bound();
        self.read_ready.copy_from_slice(&self.read);
        self.write_ready.copy_from_slice(&self.write);
        let (read, write) = (Some(self.read_ready.as_mut_slice()), Some(self.write_ready.as_mut_slice()));
        // SAFETY: both sets hold `bound` bits and more, which rustix checks again. Of a descriptor that is no
        // longer open the kernel says `EBADF`; it is only a number to it, and none is read or written here.
        match unsafe { select(bound, read, write, None, timespec(timeout).as_ref()) } {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::BADF) => {
                self.drop_stale(bound, events);
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let start = if self.next < bound { self.next } else { 0 };
        self.collect(start, bound, events);
        self.collect(0, start, events);
        Ok(())
    }

    /// Registers `fd` with this interest and puts it in the sets it asks for. They have room for it.
    fn ask(&mut self, fd: RawFd, token: u64, interest: Ready) {
        self.registry.set(fd, token, interest);
        for (set, asked) in [(&mut self.read, Ready::READ), (&mut self.write, Ready::WRITE)] {
            if interest.contains(asked) {
                fd_set_insert(set, fd);
            } else {
                fd_set_remove(set, fd);
            }
        }
    }

    /// Tells the ready ones from descriptor `from` up to but not including `to`, until the turn is full.
    fn collect(&mut self, from: RawFd, to: RawFd, events: &mut Vec<Event>) {
        // Iterators begin at a whole element.
        let element = from.unsigned_abs() as usize / BITS;
        let base = (element * BITS) as RawFd;
        let mut read = FdSetIter::new(self.read_ready.get(element..).unwrap_or_default()).peekable();
        let mut write = FdSetIter::new(self.write_ready.get(element..).unwrap_or_default()).peekable();
        while events.len() < TURN {
            let first = match (read.peek(), write.peek()) {
                (Some(read), Some(write)) => *read.min(write),
                (Some(only), None) | (None, Some(only)) => *only,
                (None, None) => return,
            };
            let mut ready = Ready::NONE;
            if read.next_if_eq(&first).is_some() {
                ready = ready.union(Ready::READ);
            }
            if write.next_if_eq(&first).is_some() {
                ready = ready.union(Ready::WRITE);
            }
            let fd = base + first;
            if fd >= to {
                return;
            }
            if let (true, Some((token, _))) = (fd >= from, self.registry.get(fd)) {
                events.push(Event { token, ready });
                self.next = fd + 1;
            }
        }
    }

    /// Finds the descriptors that were closed without `closing`, tells that they are gone, and takes them out
    /// of the sets: one of them fails every wait for all the others. They stay registered, with no interest.
    fn drop_stale(&mut self, bound: RawFd, events: &mut Vec<Event>) {
        for fd in 0..bound {
            let Some((token, interest)) = self.registry.get(fd) else { continue };
            // SAFETY: asks for the flags of a number that may or may not be an open descriptor; no memory.
            if interest.is_empty() || unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1 {
                continue;
            }
            self.ask(fd, token, Ready::NONE);
            events.push(Event { token, ready: Ready::GONE });
            if events.len() >= TURN {
                return;
            }
        }
    }
}
