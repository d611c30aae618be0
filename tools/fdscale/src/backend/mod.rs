//! Ways to wait for many descriptors, all behind one small trait that is compiled in, not called through.

pub mod engine;
pub mod event_library;
#[cfg(feature = "mio")]
pub mod mio;
pub mod poller;
#[cfg(feature = "polling")]
pub mod polling;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub mod raw_epoll;
#[cfg(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
))]
pub mod raw_kqueue;
pub mod raw_poll;
pub mod raw_select;

use std::io;
use std::os::fd::BorrowedFd;

use gorgon_sys::PollerKind;

/// Most events of one wait, for all that can be told: as many as Gorgon takes.
pub const TURN: usize = 256;

/// Waits until descriptors can be read from.
pub trait Backend {
    /// Watches a descriptor. Tokens are dense: a backend may keep a table by token.
    ///
    /// # Errors
    /// The system's.
    fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()>;

    /// Watches it no more; it is still open.
    ///
    /// # Errors
    /// The system's.
    fn remove(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()>;

    /// Watches it no more, for it is closed right after this. Where the system forgets by itself, nothing is done.
    ///
    /// # Errors
    /// The system's.
    fn closing(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
        self.remove(fd, token)
    }

    /// Waits for at most so many milliseconds. An interrupted wait is no error.
    ///
    /// # Errors
    /// The system's.
    fn wait(&mut self, milliseconds: i32) -> io::Result<()>;

    /// Tells the tokens of those that are ready, as the last wait found them.
    fn each(&mut self, handle: impl FnMut(u32));

    /// Whether what stays ready is told again and again.
    fn is_level_triggered(&self) -> bool {
        true
    }

    /// Renews the deadline of this descriptor, for those with timers of their own. For the others the caller notes the
    /// time in a table, the least that anybody could do.
    fn renew(&mut self, _token: u32) {}

    /// Whether [`Backend::renew`] is more than nothing.
    fn has_timers(&self) -> bool {
        false
    }
}

/// What is done with a backend, whichever it is.
pub trait Visitor {
    /// What comes of it.
    type Outcome;
    /// Does it.
    fn visit<B: Backend>(self, backend: B) -> Self::Outcome;
}

/// Whose code waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// The system calls with nothing around them.
    Raw,
    /// Gorgon's pollers.
    Gorgon,
    /// Gorgon's loop: pollers, lookup, timers and services.
    Engine,
    /// The crate mio.
    Mio,
    /// The crate polling.
    Polling,
    /// The C library libevent.
    Libevent,
    /// The C library libev.
    Libev,
}

/// One way to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Whose code.
    pub family: Family,
    /// Over which call; none where the family has its own choice.
    pub call: Option<PollerKind>,
}

impl Kind {
    /// `raw-epoll` and so on.
    pub fn name(self) -> String {
        let family = match self.family {
            Family::Raw => "raw",
            Family::Gorgon => "gorgon",
            Family::Engine => "engine",
            Family::Mio => "mio",
            Family::Polling => "polling",
            Family::Libevent => "libevent",
            Family::Libev => "libev",
        };
        match self.call {
            Some(call) => format!("{family}-{}", call.name()),
            None => family.to_owned(),
        }
    }

    /// All that this host has, best calls first; `with` names families that are not had unasked.
    pub fn all(with: &[String]) -> Vec<Kind> {
        let mut all = Vec::new();
        for call in PollerKind::available() {
            for family in [Family::Raw, Family::Gorgon, Family::Engine] {
                all.push(Kind { family, call: Some(*call) });
            }
        }
        let asked = |name: &str| with.iter().any(|word| word == name);
        if asked("mio") {
            all.push(Kind { family: Family::Mio, call: None });
        }
        if asked("polling") {
            all.push(Kind { family: Family::Polling, call: None });
        }
        for (name, family) in [("libevent", Family::Libevent), ("libev", Family::Libev)] {
            if asked(name) {
                all.extend(PollerKind::available().iter().map(|call| Kind { family, call: Some(*call) }));
            }
        }
        all
    }

    /// Those of these that wait with the same call, or with the system's best, together.
    pub fn groups(kinds: &[Kind]) -> Vec<Vec<Kind>> {
        let best = PollerKind::available().first().copied();
        let of = |call: &PollerKind| {
            kinds.iter().copied().filter(|kind| kind.call.or(best) == Some(*call)).collect::<Vec<Kind>>()
        };
        PollerKind::available().iter().map(of).filter(|group| !group.is_empty()).collect()
    }

    /// Makes a backend and has it visited. The engine is none: it owns what it watches.
    ///
    /// # Errors
    /// `Unsupported` when this host or this build does not have it, or what the system says.
    pub fn visit<V: Visitor>(self, visitor: V) -> io::Result<V::Outcome> {
        let unsupported = |text: &str| Err(io::Error::new(io::ErrorKind::Unsupported, text.to_owned()));
        match (self.family, self.call) {
            #[cfg(any(target_os = "linux", target_os = "android"))]
            (Family::Raw, Some(PollerKind::Epoll)) => Ok(visitor.visit(raw_epoll::RawEpoll::new()?)),
            #[cfg(any(
                target_vendor = "apple",
                target_os = "freebsd",
                target_os = "dragonfly",
                target_os = "netbsd",
                target_os = "openbsd"
            ))]
            (Family::Raw, Some(PollerKind::Kqueue)) => Ok(visitor.visit(raw_kqueue::RawKqueue::new()?)),
            (Family::Raw, Some(PollerKind::Poll)) => Ok(visitor.visit(raw_poll::RawPoll::default())),
            (Family::Raw, Some(PollerKind::Select)) => Ok(visitor.visit(raw_select::RawSelect::default())),
            (Family::Gorgon, Some(call)) => Ok(visitor.visit(poller::GorgonPoller::new(call)?)),
            #[cfg(feature = "mio")]
            (Family::Mio, _) => Ok(visitor.visit(mio::Mio::new()?)),
            #[cfg(feature = "polling")]
            (Family::Polling, _) => Ok(visitor.visit(polling::Polling::new()?)),
            (Family::Libevent, Some(call)) => {
                let library = crate::sys_calls::event_library::Libevent::new(call.name())?;
                Ok(visitor.visit(event_library::EventLibrary::new(library)))
            }
            (Family::Libev, Some(call)) => {
                let library = crate::sys_calls::event_library::Libev::new(call.name())?;
                Ok(visitor.visit(event_library::EventLibrary::new(library)))
            }
            #[cfg(not(all(feature = "mio", feature = "polling")))]
            (Family::Mio | Family::Polling, _) => {
                unsupported("not in this build: cargo build --features mio,polling")
            }
            (Family::Engine, _) => unsupported("the engine owns what it watches"),
            _ => unsupported("this system or this build does not have it"),
        }
    }
}

/// An interrupted wait found nothing.
fn interrupted_is_none(outcome: io::Result<usize>) -> io::Result<usize> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
        other => other,
    }
}
