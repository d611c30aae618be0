//! What the system knows of a socket and its peer. Asked for one connection at a time, by those who look.

use alloc::vec::Vec;

use rustix::fd::{AsRawFd, BorrowedFd};
use rustix::io::Errno;
use rustix::net::sockopt;

/// Who is at the other end of a Unix socket.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Credentials {
    /// The user, as it was when the connection was made.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The process, where the system tells.
    pub pid: Option<u32>,
}

/// Who is at the other end of a Unix socket (`SO_PEERCRED`; getpeereid(3) elsewhere).
///
/// # Errors
/// The system's. A socket of another kind has no answer.
pub fn peer_credentials(socket: BorrowedFd<'_>) -> Result<Credentials, Errno> {
    let any = rustix::net::getsockname(socket)?;
    if any.address_family() != rustix::net::AddressFamily::UNIX {
        return Err(Errno::OPNOTSUPP);
    }
    credentials(socket)
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn credentials(socket: BorrowedFd<'_>) -> Result<Credentials, Errno> {
    // A peer in another namespace of processes has number 0 here, which is no process: rustix's type for it cannot hold that.
    let mut peer = libc::ucred { pid: 0, uid: 0, gid: 0 };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the call writes at most `length` bytes, one ucred, to a place that outlives it.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut peer).cast(),
            &raw mut length,
        )
    };
    if outcome != 0 {
        return Err(crate::error::last_error());
    }
    Ok(Credentials {
        uid: peer.uid,
        gid: peer.gid,
        pid: u32::try_from(peer.pid).ok().filter(|pid| *pid != 0),
    })
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn credentials(socket: BorrowedFd<'_>) -> Result<Credentials, Errno> {
    let (mut uid, mut gid): (libc::uid_t, libc::gid_t) = (0, 0);
    // SAFETY: both places outlive the call, which writes to nothing else.
    let outcome = unsafe { libc::getpeereid(socket.as_raw_fd(), &raw mut uid, &raw mut gid) };
    if outcome == 0 { Ok(Credentials { uid, gid, pid: None }) } else { Err(crate::error::last_error()) }
}

/// What the kernel keeps of a TCP connection.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct TcpState {
    /// Bytes received.
    pub received: Option<u64>,
    /// Bytes sent that the peer has acknowledged.
    pub acknowledged: Option<u64>,
    /// The smoothed round trip, in microseconds.
    pub round_trip: Option<u32>,
    /// Segments sent again.
    pub retransmits: Option<u32>,
    /// Milliseconds since data was last sent.
    pub since_sent: Option<u32>,
    /// Milliseconds since data was last received.
    pub since_received: Option<u32>,
}

/// What the kernel keeps of a TCP connection; nothing where it does not tell, as of a Unix socket.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub fn tcp_state(socket: BorrowedFd<'_>) -> Option<TcpState> {
    let mut info = [0u8; 144];
    let mut length = info.len() as libc::socklen_t;
    // SAFETY: the call writes at most `length` bytes to a place that outlives it, and says how many.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if outcome != 0 {
        return None;
    }
    let known = info.get(..length as usize)?;
    let short = |at: usize| Some(u32::from_ne_bytes(*known.get(at..)?.first_chunk()?));
    let long = |at: usize| Some(u64::from_ne_bytes(*known.get(at..)?.first_chunk()?));
    // The places of linux/tcp.h, `struct tcp_info`: it only grows. Older kernels fill less of it.
    Some(TcpState {
        received: long(128),
        acknowledged: long(120),
        round_trip: short(68),
        retransmits: short(100),
        since_sent: short(44),
        since_received: short(52),
    })
}

/// See above: not known here.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub fn tcp_state(_socket: BorrowedFd<'_>) -> Option<TcpState> {
    None
}

/// The kernel's buffer for what is sent, in bytes (`SO_SNDBUF`). Linux tells the double of what was set, for it counts
/// its own records.
pub fn send_buffer(socket: BorrowedFd<'_>) -> Option<usize> {
    sockopt::socket_send_buffer_size(socket).ok()
}

/// The kernel's buffer for what is received, in bytes (`SO_RCVBUF`).
pub fn receive_buffer(socket: BorrowedFd<'_>) -> Option<usize> {
    sockopt::socket_recv_buffer_size(socket).ok()
}

/// Sets the kernel's buffer for what is sent, which ends its own tuning of it. What is accepted inherits it.
///
/// # Errors
/// The system's.
pub fn set_send_buffer(socket: BorrowedFd<'_>, bytes: usize) -> Result<(), Errno> {
    sockopt::set_socket_send_buffer_size(socket, bytes)
}

/// Sets the kernel's buffer for what is received, which ends its own tuning of it. What is accepted inherits it.
///
/// # Errors
/// The system's.
pub fn set_receive_buffer(socket: BorrowedFd<'_>, bytes: usize) -> Result<(), Errno> {
    sockopt::set_socket_recv_buffer_size(socket, bytes)
}

/// The path of an open file, as `/proc/self/fd` has it; nothing where there is none, or no right to see it.
pub fn descriptor_path(fd: BorrowedFd<'_>) -> Option<Vec<u8>> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let mut path = b"/proc/self/fd/".to_vec();
        let mut digits = [0; 10];
        let mut number = u32::try_from(fd.as_raw_fd()).ok()?;
        let mut at = digits.len();
        loop {
            at -= 1;
            *digits.get_mut(at)? = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        path.extend_from_slice(digits.get(at..)?);
        rustix::fs::readlinkat(rustix::fs::CWD, &*path, Vec::new()).ok().map(alloc::ffi::CString::into_bytes)
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        let _ = fd;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;

    #[test]
    fn a_pair_knows_who_made_it() {
        let (one, _two) = crate::pair().unwrap();
        let peer = peer_credentials(one.as_fd()).unwrap();
        assert_eq!(peer.uid, rustix::process::geteuid().as_raw());
        if cfg!(target_os = "linux") {
            assert_eq!(peer.pid, Some(std::process::id()));
        }
        assert!(tcp_state(one.as_fd()).is_none());
    }

    #[test]
    fn tcp_connections_are_seen() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut here = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut there, _) = listener.accept().unwrap();
        assert!(peer_credentials(here.as_fd()).is_err());
        here.write_all(&[1; 1000]).unwrap();
        there.read_exact(&mut [0; 1000]).unwrap();
        if cfg!(target_os = "linux") {
            assert_eq!(tcp_state(there.as_fd()).unwrap().received, Some(1000));
            assert!(tcp_state(here.as_fd()).unwrap().round_trip.is_some());
        }
        let before = send_buffer(here.as_fd()).unwrap();
        set_send_buffer(here.as_fd(), 16 * 1024).unwrap();
        assert_ne!(send_buffer(here.as_fd()).unwrap(), before);
        set_receive_buffer(here.as_fd(), 16 * 1024).unwrap();
        assert!(receive_buffer(here.as_fd()).unwrap() >= 16 * 1024);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn open_files_have_paths() {
        let path = std::env::temp_dir().join(format!("gorgon-path-{}", std::process::id()));
        let file = std::fs::File::create(&path).unwrap();
        let found = descriptor_path(file.as_fd()).unwrap();
        assert_eq!(found, std::fs::canonicalize(&path).unwrap().as_os_str().as_encoded_bytes());
        std::fs::remove_file(&path).unwrap();
    }
}
