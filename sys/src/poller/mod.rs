//! Waits until descriptors can be read from or written to, with whichever call the system has for it.
//!
//! A [`Poller`] is one of a closed set chosen at run time by [`PollerKind`]. All of them are level-triggered:
//! what is ready is told again at every [`Poller::wait`] until it is used up or no longer asked for. One wait
//! gives at most [`TURN`] events; descriptors left over come first in the next, so none starves.
//!
//! A descriptor whose peer stopped writing is [`Ready::READ`] (the read gives the end of the stream). One that
//! failed or was hung up on wholly is [`Ready::GONE`], alone or with others: who waits for anything looks then, and
//! meets the end or the error in its read or write.
//!
//! The owner of a descriptor calls [`Poller::closing`] before it closes it. Where the systems differ:
//!
//! | | epoll | kqueue | poll | select |
//! |---|---|---|---|---|
//! | `GONE` with no interest | yes | no: no filter is left to report it | yes | no: it is in no set |
//! | `GONE` with interest `READ` | yes | no, `READ` only | yes | no, `READ` only |
//! | `GONE` with interest `WRITE` | yes | yes | yes | no, `WRITE` at an error |
//! | `GONE` when the peer only stopped writing | no | no | macOS only | no |
//! | closed without `closing` | never told, unless a duplicate is open | never told | `GONE`, each time | `GONE`, once |
//! | `add` of that number used again | yes | `EEXIST` | `EEXIST` | `EEXIST` |
//! | regular file | `add` fails with `EPERM` | ready until its end | always ready | always ready |
//! | descriptor above 1023 | yes | yes | yes | not on macOS: `add` fails with `EINVAL` |
//! | cost of one wait | ready ones | ready ones | all registered | highest descriptor |

use alloc::vec::Vec;

mod absent;
mod poll;
#[allow(dead_code)] // Where there is poll alone, or no select, some of it has no use.
mod registry;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod epoll;
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod kqueue;
#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod select;

// One description per system: which pollers it has, best first, and what stands in for the others.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod system {
    pub use super::absent::Absent as Kqueue;
    pub use super::{epoll::Epoll, select::Select};
    pub(super) const AVAILABLE: &[super::PollerKind] =
        &[super::PollerKind::Epoll, super::PollerKind::Poll, super::PollerKind::Select];
}
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
mod system {
    pub use super::absent::Absent as Epoll;
    pub use super::{kqueue::Kqueue, select::Select};
    pub(super) const AVAILABLE: &[super::PollerKind] =
        &[super::PollerKind::Kqueue, super::PollerKind::Poll, super::PollerKind::Select];
}
#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
mod system {
    pub use super::absent::{Absent as Epoll, Absent as Kqueue, Absent as Select};
    pub(super) const AVAILABLE: &[super::PollerKind] = &[super::PollerKind::Poll];
}

use rustix::event::Timespec;
use rustix::fd::BorrowedFd;
use rustix::io::Errno;

/// The most events one [`Poller::wait`] gives.
pub const TURN: usize = 256;

/// What a descriptor is ready for, or what is asked about it: a set of bits.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const NONE: Ready = Ready(0);
    /// A read, or an accept, would not block; it may give the end of the stream or an error.
    pub const READ: Ready = Ready(1);
    /// A write would not block, or a connect has ended; it may give an error.
    pub const WRITE: Ready = Ready(2);
    /// [`Ready::READ`] and [`Ready::WRITE`].
    pub const BOTH: Ready = Ready(3);
    /// An error, or both directions hung up: told whatever the interest is, and ignored within an interest.
    pub const GONE: Ready = Ready(4);

    /// Whether all bits of `other` are in this set; true of [`Ready::NONE`].
    pub const fn contains(self, other: Ready) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits in either set.
    #[must_use]
    pub const fn union(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }

    /// Whether no bit is set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The bits: read is 1, write is 2, gone is 4.
    pub const fn bits(self) -> u8 {
        self.0
    }
}

/// One registered descriptor that is ready.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Event {
    /// What the descriptor was registered with.
    pub token: u64,
    /// What it is ready for; never empty.
    pub ready: Ready,
}

/// A way to wait for descriptors, named as in settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollerKind {
    /// `epoll(7)`: Linux.
    Epoll,
    /// `kqueue(2)`: the BSDs and macOS.
    Kqueue,
    /// `poll(2)`: everywhere.
    Poll,
    /// `select(2)`, with sets as large as need be.
    Select,
}

impl PollerKind {
    /// Every kind this system has, the best first.
    pub fn available() -> &'static [PollerKind] {
        system::AVAILABLE
    }

    /// The name, in lower case.
    pub const fn name(self) -> &'static str {
        match self {
            PollerKind::Epoll => "epoll",
            PollerKind::Kqueue => "kqueue",
            PollerKind::Poll => "poll",
            PollerKind::Select => "select",
        }
    }

    /// The kind of this name, on this system or not.
    pub fn from_name(name: &str) -> Option<PollerKind> {
        [PollerKind::Epoll, PollerKind::Kqueue, PollerKind::Poll, PollerKind::Select]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A set of registered descriptors to wait for. It owns none of them.
pub enum Poller {
    /// Of kind [`PollerKind::Epoll`].
    Epoll(Epoll),
    /// Of kind [`PollerKind::Kqueue`].
    Kqueue(Kqueue),
    /// Of kind [`PollerKind::Poll`].
    Poll(Poll),
    /// Of kind [`PollerKind::Select`].
    Select(Select),
}

pub use poll::Poll;
pub use system::{Epoll, Kqueue, Select};

/// Calls the same method of whichever poller it is.
macro_rules! each {
    ($poller:expr, $inner:ident => $call:expr) => {
        match $poller {
            Poller::Epoll($inner) => $call,
            Poller::Kqueue($inner) => $call,
            Poller::Poll($inner) => $call,
            Poller::Select($inner) => $call,
        }
    };
}

impl Poller {
    /// An empty poller of this kind. It takes memory only once something is registered.
    ///
    /// # Errors
    ///
    /// `ENOSYS` where the system has no such kind; `EMFILE`, `ENFILE` or `ENOMEM` from the system.
    pub fn new(kind: PollerKind) -> Result<Poller, Errno> {
        match kind {
            PollerKind::Epoll => Epoll::new().map(Poller::Epoll),
            PollerKind::Kqueue => Kqueue::new().map(Poller::Kqueue),
            PollerKind::Poll => Poll::new().map(Poller::Poll),
            PollerKind::Select => Select::new().map(Poller::Select),
        }
    }

    /// Which kind this is.
    pub fn kind(&self) -> PollerKind {
        match self {
            Poller::Epoll(_) => PollerKind::Epoll,
            Poller::Kqueue(_) => PollerKind::Kqueue,
            Poller::Poll(_) => PollerKind::Poll,
            Poller::Select(_) => PollerKind::Select,
        }
    }

    /// Registers a descriptor. Its events carry `token`.
    ///
    /// # Errors
    ///
    /// `EEXIST` when it is registered already, `ENOMEM`, and what the table in the module's text names.
    pub fn add(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        each!(self, poller => poller.add(fd, token, interest))
    }

    /// Gives a registered descriptor another token and interest.
    ///
    /// # Errors
    ///
    /// `ENOENT` when it is not registered.
    pub fn change(&mut self, fd: BorrowedFd<'_>, token: u64, interest: Ready) -> Result<(), Errno> {
        each!(self, poller => poller.change(fd, token, interest))
    }

    /// Forgets a descriptor that stays open.
    ///
    /// # Errors
    ///
    /// `ENOENT` when it is not registered.
    pub fn remove(&mut self, fd: BorrowedFd<'_>) -> Result<(), Errno> {
        each!(self, poller => poller.remove(fd))
    }

    /// Forgets a descriptor that is about to be closed, without a system call. One not registered is no error.
    ///
    /// It must be the last descriptor of its file: epoll goes on watching a file of which a duplicate is open,
    /// and though its events are told no more, they wake the waiter. [`Poller::remove`] is for that case.
    pub fn closing(&mut self, fd: BorrowedFd<'_>) {
        each!(self, poller => poller.closing(fd));
    }

    /// Waits until a descriptor is ready, a signal comes, or the time is over: `timeout` is in milliseconds,
    /// `None` is forever. `events` is cleared, then given what is ready: each token at most once.
    ///
    /// # Errors
    ///
    /// `ENOMEM`, or what the system says. An interrupted wait is no error and gives no event.
    pub fn wait(&mut self, timeout: Option<u32>, events: &mut Vec<Event>) -> Result<(), Errno> {
        events.clear();
        let waited = each!(self, poller => poller.wait(timeout, events));
        if matches!(waited, Err(Errno::INTR)) { Ok(()) } else { waited }
    }
}

/// The longest wait some systems take: a caller that asked for more wakes early, with no event.
const LONGEST: u32 = i32::MAX as u32;

/// Milliseconds as the system takes them.
#[allow(dead_code)] // Poll takes a plain number.
fn timespec(timeout: Option<u32>) -> Option<Timespec> {
    timeout.map(|milliseconds| {
        let milliseconds = milliseconds.min(LONGEST);
        // The field's type differs between systems; under a thousand million fits in all of them.
        Timespec { tv_sec: (milliseconds / 1000).into(), tv_nsec: (milliseconds % 1000 * 1_000_000) as _ }
    })
}
