//! Where lines of a log go: files that are appended to, standard output that never makes us wait, datagrams to a log
//! daemon.

use alloc::vec::Vec;
use core::ffi::CStr;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{CWD, FileType, Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType};
use rustix::path::Arg;

use crate::address::Address;
use crate::io::{Io, send, wait_writable, write};
use crate::standard::{standard_error, standard_output};

/// The most that is written at once to what cannot be told not to wait. POSIX promises at least so much room in a pipe
/// that is writable (`PIPE_BUF`).
const PORTION: usize = 512;

/// Opens a file to append to, made with mode 0640 if it is not there; says whether it was made. A FIFO or terminal does
/// not make us wait.
///
/// Root follows no link there and takes no file that has another name: whoever may write to the directory could have
/// another file written to, and made theirs.
///
/// # Errors
/// The system's: `ELOOP` for a link, `EMLINK` for another name.
pub fn open_log(path: impl Arg) -> Result<(OwnedFd, bool), Errno> {
    open_log_at(&path.into_c_str()?)
}

fn open_log_at(path: &CStr) -> Result<(OwnedFd, bool), Errno> {
    let trusts = rustix::process::geteuid().as_raw() != 0;
    let usual = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
    let open = |flags| {
        rustix::io::retry_on_intr(|| rustix::fs::openat(CWD, path, usual | flags, Mode::from_raw_mode(0o640)))
    };
    // It may come or go between two attempts.
    for _ in 0..3 {
        match open(OFlags::CREATE | OFlags::EXCL) {
            Err(Errno::EXIST) => {}
            made => return made.map(|fd| (fd, true)),
        }
        match open(if trusts { OFlags::empty() } else { OFlags::NOFOLLOW }) {
            Err(Errno::NOENT) if trusts => {
                // A link that leads to nothing yet.
                return open(OFlags::CREATE).map(|fd| (fd, true));
            }
            Err(Errno::NOENT) => {}
            found => {
                let fd = found?;
                let stat = rustix::fs::fstat(&fd)?;
                let another =
                    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile && stat.st_nlink > 1;
                return if another && !trusts { Err(Errno::MLINK) } else { Ok((fd, false)) };
            }
        }
    }
    Err(Errno::EXIST)
}

/// Gives an open file to a user and a group.
///
/// # Errors
/// The system's.
pub fn give_file(file: BorrowedFd<'_>, user: u32, group: u32) -> Result<(), Errno> {
    rustix::fs::fchown(file, Some(rustix::fs::Uid::from_raw(user)), Some(rustix::fs::Gid::from_raw(group)))
}

/// Gives a file another name, in place of what has it.
///
/// # Errors
/// The system's.
pub fn rename(from: impl Arg, to: impl Arg) -> Result<(), Errno> {
    rustix::fs::rename(&*from.into_c_str()?, &*to.into_c_str()?)
}

/// Takes a name away.
///
/// # Errors
/// The system's.
pub fn unlink(path: impl Arg) -> Result<(), Errno> {
    rustix::fs::unlink(&*path.into_c_str()?)
}

/// Standard output for a log. Its own flags stay as they are, for others may share it.
#[derive(Debug)]
pub struct Output {
    fd: OwnedFd,
    how: How,
}

/// How standard output is kept from making us wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum How {
    /// It is a file, or was opened a second time for us alone.
    Plain,
    /// Each send says it.
    Socket,
    /// It is asked beforehand, and given little.
    Portions,
}

impl Output {
    /// Standard output as it is now.
    ///
    /// # Errors
    /// The system's, if it is closed.
    pub fn standard() -> Result<Output, Errno> {
        let fd = rustix::io::fcntl_dupfd_cloexec(standard_output(), 3)?;
        let how = match FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode) {
            FileType::RegularFile => How::Plain,
            FileType::Socket => How::Socket,
            _ => {
                let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
                // Only Linux opens the thing itself by this name; elsewhere the flags may be shared.
                if cfg!(target_os = "linux") {
                    if let Ok(fd) = rustix::fs::openat(CWD, "/proc/self/fd/1", flags, Mode::empty()) {
                        return Ok(Output { fd, how: How::Plain });
                    }
                }
                How::Portions
            }
        };
        Ok(Output { fd, how })
    }

    /// Writes what is taken without waiting.
    pub fn write(&self, bytes: &[u8]) -> Io {
        match self.how {
            How::Plain => write(self.fd.as_fd(), bytes),
            How::Socket => send_now(self.fd.as_fd(), bytes),
            How::Portions if !wait_writable(self.fd.as_fd(), 0) => Io::Blocked,
            How::Portions => write(self.fd.as_fd(), bytes.get(..PORTION).unwrap_or(bytes)),
        }
    }
}

/// Sends without waiting, on a socket that may be one that waits.
fn send_now(socket: BorrowedFd<'_>, bytes: &[u8]) -> Io {
    use rustix::net::SendFlags;
    match rustix::io::retry_on_intr(|| {
        rustix::net::send(socket, bytes, crate::io::QUIET | SendFlags::DONTWAIT)
    }) {
        Ok(count) => Io::Done(count),
        Err(Errno::AGAIN) => Io::Blocked,
        Err(Errno::PIPE | Errno::CONNRESET) => Io::Ended,
        Err(error) => Io::Failed(error),
    }
}

/// Writes a short line to standard error if that takes it at once.
pub fn complain_now(text: &[u8]) {
    let error = standard_error();
    if wait_writable(error, 0) {
        // That nobody listens cannot be told to anybody.
        let _outcome = write(error, text.get(..PORTION).unwrap_or(text));
    }
}

/// A socket for datagrams to one address, which does not wait.
///
/// # Errors
/// The system's: `ENOENT` and `ECONNREFUSED` for a Unix socket where nobody listens.
pub fn datagrams(address: &Address) -> Result<OwnedFd, Errno> {
    let family = match address {
        Address::Ip(ip) if ip.is_ipv4() => AddressFamily::INET,
        Address::Ip(_) => AddressFamily::INET6,
        Address::Unix(_) => AddressFamily::UNIX,
    };
    let socket = crate::socket::new_socket(family, SocketType::DGRAM)?;
    match address {
        Address::Ip(ip) => rustix::net::connect(&socket, ip)?,
        Address::Unix(path) => rustix::net::connect(&socket, &Address::unix(path)?)?,
    }
    Ok(socket)
}

/// Sends one datagram. A refusal that an earlier one met (ICMP) is not this one's: it is sent again.
pub fn send_datagram(socket: BorrowedFd<'_>, bytes: &[u8]) -> Io {
    match send(socket, bytes) {
        Io::Failed(Errno::CONNREFUSED) => send(socket, bytes),
        outcome => outcome,
    }
}

/// The name of this host, as the kernel has it.
pub fn host_name() -> Vec<u8> {
    rustix::system::uname().nodename().to_bytes().to_vec()
}
