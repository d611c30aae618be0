//! Every system call Gorgon makes, and all of its unsafe code.

mod beneath;
mod directory;
mod entry;
mod stat;
mod walk;

pub use beneath::{Lookup, OpenHow, Symlinks, open_beneath, open_root};
pub use directory::Directory;
pub use entry::{
    chmod_beneath, mkdir_beneath, read_link_beneath, rename_beneath, rmdir_beneath, set_times_beneath,
    stat_beneath, stat_link_beneath, unlink_beneath,
};
pub use rustix::io::Errno;
pub use stat::{FileKind, FileStat, space, stat, sync, truncate};
pub use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
