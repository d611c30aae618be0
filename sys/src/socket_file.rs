//! The files of Unix sockets: who may connect, and whether somebody listens.

use rustix::fd::OwnedFd;
use rustix::fs::Mode;
use rustix::io::Errno;

use crate::address::Address;
use crate::socket::connect;

/// Binds a Unix socket whose file has these permission bits from the moment it is there.
pub(crate) fn bind_with_mode(
    socket: &OwnedFd,
    name: &rustix::net::SocketAddrUnix,
    mode: Option<u32>,
) -> Result<(), Errno> {
    let Some(bits) = mode else { return rustix::net::bind(socket, name) };
    let wanted = Mode::from_bits_truncate((bits & 0o777) as rustix::fs::RawMode);
    // On Linux the file gets the socket's own bits. Elsewhere it has all but those that the mask takes.
    let linux = cfg!(any(target_os = "linux", target_os = "android"));
    if linux {
        rustix::fs::fchmod(socket, wanted)?;
    }
    let mask =
        if linux { Mode::empty() } else { Mode::from_bits_truncate((!bits & 0o777) as rustix::fs::RawMode) };
    // The process has one thread: nobody makes a file meanwhile.
    let before = rustix::process::umask(mask);
    let outcome = rustix::net::bind(socket, name);
    rustix::process::umask(before);
    outcome
}

/// The permission bits of a Unix socket that is made without [`ListenOptions::mode`](crate::ListenOptions::mode): what the umask leaves.
#[must_use]
pub fn unmasked_mode() -> u32 {
    // It is told only to who sets it. The process has one thread: nobody makes a file meanwhile.
    let mask = rustix::process::umask(Mode::RWXG.union(Mode::RWXO));
    rustix::process::umask(mask);
    0o777 & !(mask.as_raw_mode() as u32)
}

/// Whether a path is a socket that nobody listens on. Linux refuses a connection to a file of another kind with the same
/// error, so the kind is asked for first; a symbolic link is not followed, for it is the link that would be removed.
pub(crate) fn is_left_behind(path: &[u8], address: &Address) -> bool {
    let found = rustix::fs::lstat(path);
    found.is_ok_and(|found| is_of_socket(&found)) && matches!(connect(address), Err(Errno::CONNREFUSED))
}

fn is_of_socket(found: &rustix::fs::Stat) -> bool {
    rustix::fs::FileType::from_raw_mode(found.st_mode) == rustix::fs::FileType::Socket
}

/// Whether a path leads to what is no socket. Who connects there is told no more than that nobody listens.
#[must_use]
pub fn is_no_socket(path: &[u8]) -> bool {
    rustix::fs::stat(path).is_ok_and(|found| !is_of_socket(&found))
}
