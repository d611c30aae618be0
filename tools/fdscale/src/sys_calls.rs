//! The raw system calls, and all unsafe code of this tool: what the pollers are held against has nothing between it and
//! the kernel but the C library's stub.

pub mod event_library;

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use libc::{c_int, c_void};

/// The result of a call that gives a number, or -1 and an error.
fn outcome(result: c_int) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// A descriptor that a call gave.
fn owned(result: c_int) -> io::Result<OwnedFd> {
    outcome(result)?;
    // SAFETY: the call just succeeded in making this descriptor, and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(result) })
}

#[cfg(any(target_os = "linux", target_os = "android"))]
pub use epoll::{epoll_control, epoll_create, epoll_wait};

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll {
    use super::*;

    /// epoll_create1(2).
    pub fn epoll_create() -> io::Result<OwnedFd> {
        // SAFETY: no pointer is given.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
    }

    /// epoll_ctl(2).
    pub fn epoll_control(
        queue: RawFd,
        operation: c_int,
        fd: RawFd,
        events: u32,
        token: u64,
    ) -> io::Result<()> {
        let mut event = libc::epoll_event { events, u64: token };
        // SAFETY: the event outlives the call.
        outcome(unsafe { libc::epoll_ctl(queue, operation, fd, &raw mut event) }).map(drop)
    }

    /// epoll_wait(2): gives how many of `events` were written.
    pub fn epoll_wait(queue: RawFd, events: &mut [libc::epoll_event], timeout: c_int) -> io::Result<usize> {
        let room = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
        // SAFETY: the kernel writes at most `room` events, which there are.
        outcome(unsafe { libc::epoll_wait(queue, events.as_mut_ptr(), room, timeout) })
    }
}

/// poll(2): gives how many of `entries` have something to tell.
pub fn poll(entries: &mut [libc::pollfd], timeout: c_int) -> io::Result<usize> {
    // SAFETY: pointer and length are of one slice, of which the kernel writes `revents`.
    outcome(unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, timeout) })
}

/// One element of a set of select(2): as long as a `long`, with which all systems but macOS (32 bits) make them; with
/// bits in the order of a little-endian machine they are the same.
pub type Word = libc::c_ulong;

/// select(2), for reading alone: gives how many bits of `read` are left.
pub fn select(bound: c_int, read: &mut [Word], timeout: c_int) -> io::Result<usize> {
    if usize::try_from(bound).is_ok_and(|bound| bound > read.len() * Word::BITS as usize) {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    // The field's type differs between systems; under a million fits in all of them.
    let mut time = libc::timeval {
        tv_sec: (timeout / 1000).into(),
        tv_usec: (timeout % 1000 * 1000) as libc::suseconds_t,
    };
    let set: *mut Word = read.as_mut_ptr();
    let none = std::ptr::null_mut();
    // SAFETY: the set has `bound` bits and more, as was just looked at; the kernel touches no others. The C library
    // hands on the pointer as it is.
    outcome(unsafe { libc::select(bound, set.cast(), none, none, &raw mut time) })
}

#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
pub use queue::{kqueue, kqueue_change, kqueue_wait, no_event};

#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod queue {
    use super::*;

    /// kqueue(2).
    pub fn kqueue() -> io::Result<OwnedFd> {
        // SAFETY: no pointer is given.
        owned(unsafe { libc::kqueue() })
    }

    /// An event that tells nothing.
    pub fn no_event() -> libc::kevent {
        // SAFETY: it is made of numbers and a pointer, which may all be 0.
        unsafe { std::mem::zeroed() }
    }

    /// Adds or deletes the filter for reading; the token comes back with its events.
    pub fn kqueue_change(queue: RawFd, fd: RawFd, add: bool, token: usize) -> io::Result<()> {
        let mut change = no_event();
        change.ident = fd as _;
        change.filter = libc::EVFILT_READ as _;
        change.flags = if add { libc::EV_ADD as _ } else { libc::EV_DELETE as _ };
        change.udata = token as _;
        let none = std::ptr::null_mut();
        // SAFETY: one change is given, which outlives the call, and no room for events.
        outcome(unsafe { libc::kevent(queue, &raw const change, 1, none, 0, std::ptr::null()) }).map(drop)
    }

    /// kevent(2): gives how many of `events` were written.
    pub fn kqueue_wait(queue: RawFd, events: &mut [libc::kevent], timeout: c_int) -> io::Result<usize> {
        let time =
            libc::timespec { tv_sec: (timeout / 1000).into(), tv_nsec: (timeout % 1000 * 1_000_000).into() };
        let room = c_int::try_from(events.len()).unwrap_or(c_int::MAX);
        // SAFETY: no change is given; the kernel writes at most `room` events, which there are.
        outcome(unsafe {
            libc::kevent(queue, std::ptr::null(), 0, events.as_mut_ptr(), room as _, &raw const time)
        })
    }
}

/// A library opened while the program runs. It is never closed.
#[derive(Clone, Copy, Debug)]
pub struct Library(*mut c_void);

impl Library {
    /// Opens the first of these that is there.
    pub fn open(names: &[&std::ffi::CStr]) -> Option<Library> {
        names.iter().find_map(|name| {
            // SAFETY: the name is a C string. The libraries asked for here do nothing when they are loaded.
            let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
            (!handle.is_null()).then_some(Library(handle))
        })
    }

    fn find(self, name: &std::ffi::CStr) -> Option<*mut c_void> {
        // SAFETY: the library is open, for it is never closed; the name is a C string.
        let symbol = unsafe { libc::dlsym(self.0, name.as_ptr()) };
        (!symbol.is_null()).then_some(symbol)
    }
}

/// How long this process has been at its largest, in bytes (getrusage(2)): never less than before.
pub fn peak_memory() -> u64 {
    // SAFETY: it is made of numbers, which may all be 0.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the structure outlives the call.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &raw mut usage) };
    let unit = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    u64::try_from(usage.ru_maxrss).unwrap_or(0) * unit
}

/// Watches a descriptor with the crate polling, level-triggered.
#[cfg(feature = "polling")]
pub fn polling_add(poller: &polling::Poller, fd: std::os::fd::BorrowedFd<'_>, key: usize) -> io::Result<()> {
    use std::os::fd::AsRawFd;
    let event = polling::Event::readable(key);
    // SAFETY: the poller does nothing with a descriptor that was closed: it is the kernel that forgets it, and what is
    // watched here is closed after the poller in all cases but one, in which it is closed last of its file.
    unsafe { poller.add_with_mode(fd.as_raw_fd(), event, polling::PollMode::Level) }
}
