//! Every system call Gorgon makes, and all of its unsafe code.

pub mod poller;

pub use poller::{Event, Poller, PollerKind, Ready};
pub use rustix::io::Errno;
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
