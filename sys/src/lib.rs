//! Every system call Gorgon makes, and all of its unsafe code.

mod memory_file;
mod stat;

pub use memory_file::temporary_file;
pub use rustix::io::Errno;
pub use stat::{FileKind, FileStat, space, stat, sync, truncate};
pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
