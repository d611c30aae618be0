//! Every system call Gorgon makes, and all of its unsafe code.
//!
//! What is above this crate is safe Rust that knows no descriptor number and no `errno` but by name. Each block of
//! unsafe code argues for itself; each difference between systems is told where it is bridged.
//!
//! In reading order: [`io`] (what a call on a socket or file can end with), [`poller`] (readiness), [`socket`] and
//! [`address`], [`beneath`] with [`entry`], [`directory`] and [`mod@stat`] (files
//! under a root), [`name`] (names in one directory), [`memory`] (mapped blocks), [`signal`], [`clock`], [`limits`],
//! [`log`], [`random`], [`privilege`] and [`landlock`], [`child`] and [`crypt`] (passwords). `fault` makes the calls fail
//! on purpose, in test builds only.

pub mod address;
pub mod beneath;
pub mod child;
pub mod clock;
pub mod crypt;
pub mod directory;
pub mod entry;
#[cfg(feature = "fault")]
pub mod fault;
pub mod interface;
pub mod io;
pub mod landlock;
pub mod limits;
pub mod log;
pub mod memory;
mod memory_file;
pub mod name;
pub mod poller;
pub mod privilege;
pub mod random;
pub mod signal;
pub mod socket;
pub mod stat;
mod walk;

pub use address::Address;
pub use beneath::{Lookup, OpenHow, Symlinks, open_beneath, open_root};
pub use child::Child;
pub use clock::{Times, local_offset, now};
pub use crypt::Crypt;
pub use directory::Directory;
pub use entry::{
    chmod_beneath, mkdir_beneath, read_link_beneath, rename_beneath, rmdir_beneath, set_times_beneath,
    stat_beneath, stat_link_beneath, unlink_beneath,
};
pub use interface::interface_addresses;
pub use io::{
    Io, copy_file, peek, read, read_ahead, read_at, read_at_cached, recv, send, send_vectored, sendfile,
    wait_writable, write,
};
pub use limits::{descriptors, raise_descriptors, reserve_descriptor};
pub use log::{
    Output, complain_now, datagrams, give_file, host_name, open_log, rename, send_datagram, stat_path, unlink,
};
pub use memory::{Chunk, Mapping};
pub use memory_file::temporary_file;
pub use name::{create_in, directory_beneath, rename_in, rename_new_in, stat_in, unlink_in};
pub use poller::{Event, Poller, PollerKind, Ready};
pub use random::fill_random;
pub use rustix::io::Errno;
pub use signal::{Signal, Signals};
pub use socket::{
    Accepted, ListenOptions, accept, connect, listen, local_address, pair, peer_address, reset_on_close,
    shutdown_write, take_error, unacknowledged,
};
pub use stat::{FileKind, FileStat, space, stat, sync, truncate};
pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
