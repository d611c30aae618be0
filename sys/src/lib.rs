//! Every system call Gorgon makes, and all of its unsafe code.
//!
//! What is above this crate is safe Rust that knows no descriptor number and no `errno` but by name. Each block of
//! unsafe code argues for itself; each difference between systems is told where it is bridged.
//!
//! In reading order: [`io`] (what a call on a socket or file can end with), [`poller`] (readiness), [`socket`] and
//! [`address`], [`peer`], [`beneath`] with [`entry`], [`directory`] and [`mod@stat`] (files
//! under a root), [`name`] (names in one directory), [`memory`] (mapped blocks), [`signal`], [`clock`], [`limits`],
//! [`log`], [`random`], [`privilege`] and [`landlock`], [`child`] and [`crypt`] (passwords), [`inherited`] with
//! [`activation`], [`notify`], [`pid_file`] and [`place`] (what a supervisor of services gives and wants). `fault` makes the calls fail
//! on purpose, in test builds only. [`runtime`] is what the program starts by, with [`error`],
//! [`mod@file`] and [`standard`] in place of the standard library; [`terminal`] is for those who talk to people.
//!
//! The crate does without the standard library, so that the program can. With the feature `std`, which tests turn on,
//! descriptors and paths are those of the standard library.
#![cfg_attr(not(any(test, feature = "std")), no_std)]

extern crate alloc;

pub mod activation;
pub mod address;
pub mod beneath;
pub mod child;
pub mod clock;
pub mod crypt;
pub mod directory;
pub mod entry;
pub mod error;
#[cfg(feature = "fault")]
pub mod fault;
pub mod file;
pub mod inherited;
pub mod interface;
pub mod io;
pub mod landlock;
pub mod limits;
pub mod log;
pub mod memory;
#[cfg(any(test, feature = "std"))]
mod memory_file;
pub mod name;
pub mod notify;
pub mod peer;
pub mod pid_file;
pub mod place;
pub mod poller;
pub mod privilege;
pub mod random;
pub mod replace;
pub mod runtime;
pub mod signal;
pub mod socket;
pub mod socket_file;
pub mod standard;
pub mod stat;
pub mod terminal;
mod walk;

pub use activation::{FIRST_PASSED, Passed, Unfit, take_listener};
pub use address::Address;
pub use beneath::{Lookup, OpenHow, Symlinks, open_beneath, open_root};
pub use child::{Child, close_elsewhere, reap_orphans};
pub use clock::{Times, coarse, local_offset, monotonic, now};
pub use crypt::Crypt;
pub use directory::Directory;
pub use entry::{
    chmod_beneath, mkdir_beneath, read_link_beneath, rename_beneath, rmdir_beneath, set_times_beneath,
    stat_beneath, stat_link_beneath, unlink_beneath,
};
pub use error::describe;
pub use file::{
    NO_FILE, append_private, create_private, open_file, read_file, read_open, read_stream, real_path,
    stat_link, stat_path,
};
pub use interface::interface_addresses;
pub use io::{
    Io, copy_file, peek, read, read_ahead, read_at, read_at_cached, recv, send, send_vectored, sendfile,
    wait_writable, write,
};
pub use limits::{descriptors, raise_descriptors, reserve_descriptor};
pub use log::{
    Output, complain_now, datagrams, give_file, host_name, open_log, rename, send_datagram, unlink,
};
pub use memory::{Chunk, Mapping, trim_heap};
#[cfg(any(test, feature = "std"))]
pub use memory_file::temporary_file;
pub use name::{create_in, directory_beneath, hold_in, rename_in, rename_new_in, stat_in, unlink_in};
pub use notify::{Notify, ReadyPipe};
pub use peer::{
    Credentials, TcpState, descriptor_path, peer_credentials, receive_buffer, send_buffer,
    set_receive_buffer, set_send_buffer, tcp_state,
};
pub use pid_file::{Claim, PidFile};
pub use place::{is_running, make_directory, open_directory, set_mode, try_lock};
pub use poller::{Event, Poller, PollerKind, Ready};
pub use random::fill_random;
pub use replace::{Broken, InPlace, Refused, Replacement};
pub use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
pub use rustix::io::Errno;
pub use rustix::path::Arg;
pub use signal::{Signal, Signals};
pub use socket::{
    Accepted, ListenOptions, accept, connect, hide_listener, listen, listen_again, local_address, pair,
    peer_address, reset_on_close, segment_size, set_defer_accept, share_address, shutdown_write, take_error,
    unacknowledged,
};
pub use socket_file::{is_no_socket, unmasked_mode};
pub use standard::{is_terminal, pause, process_id, standard_error, standard_input, standard_output};
pub use stat::{FileKind, FileStat, space, stat, sync, truncate};
