//! Stream sockets: TCP and Unix, not blocking and closed on exec from birth.

use core::net::SocketAddr;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::address::Address;
use crate::socket_file::{bind_with_mode, is_left_behind};

/// What a listening socket is made with. Its connections inherit the buffer sizes and `TCP_NODELAY`.
#[derive(Clone, Copy, Default, Debug)]
pub struct ListenOptions {
    /// How many connections may wait to be accepted.
    pub backlog: u32,
    /// Seconds that a connection without data is kept from us, where the system can (Linux).
    pub defer_accept: Option<u32>,
    /// `SO_SNDBUF` in bytes.
    pub send_buffer: Option<u32>,
    /// `SO_RCVBUF` in bytes.
    pub receive_buffer: Option<u32>,
    /// An address that no interface has is bound all the same, where the system can: it may come later.
    pub freebind: bool,
    /// The permission bits of a Unix socket, whatever the umask; without them the umask has its way.
    pub mode: Option<u32>,
    /// An address that sockets listen on which [`share_address`] was called for, or that clashes with theirs. The socket
    /// is bound and does not listen yet: [`listen_again`].
    pub beside: bool,
}

/// What accepting gave.
#[derive(Debug)]
pub enum Accepted {
    /// A connection, and where it comes from.
    Connection(OwnedFd, Address),
    /// Nobody waits.
    Blocked,
    /// There is no descriptor or memory for the one that waits (`EMFILE`, `ENFILE`, `ENOBUFS`, `ENOMEM`).
    Full(Errno),
    /// The one that waited is gone, or a signal came: try again.
    Again,
    /// Accepting does not work on this socket.
    Failed(Errno),
}

#[cfg(not(target_vendor = "apple"))]
const BIRTH: SocketFlags = SocketFlags::CLOEXEC.union(SocketFlags::NONBLOCK);
#[cfg(target_vendor = "apple")]
const BIRTH: SocketFlags = SocketFlags::empty();

/// macOS cannot make a socket with its flags; it also has to be told not to raise `SIGPIPE`.
pub(crate) fn settle(fd: OwnedFd) -> Result<OwnedFd, Errno> {
    #[cfg(target_vendor = "apple")]
    {
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        sockopt::set_socket_nosigpipe(&fd, true)?;
    }
    Ok(fd)
}

pub(crate) fn new_socket(family: AddressFamily, kind: SocketType) -> Result<OwnedFd, Errno> {
    settle(rustix::net::socket_with(family, kind, BIRTH, None)?)
}

fn family(address: &Address) -> AddressFamily {
    match address {
        Address::Ip(SocketAddr::V4(_)) => AddressFamily::INET,
        Address::Ip(SocketAddr::V6(_)) => AddressFamily::INET6,
        Address::Unix(_) => AddressFamily::UNIX,
    }
}

/// Binds and listens. IPv6 sockets take IPv6 only. A Unix socket that a dead process left behind is replaced; one that
/// somebody listens on is not, nor is a file of another kind.
///
/// # Errors
/// The system's: `EADDRINUSE`, `EACCES`, `EADDRNOTAVAIL` above all.
pub fn listen(address: &Address, options: &ListenOptions) -> Result<OwnedFd, Errno> {
    let socket = new_socket(family(address), SocketType::STREAM)?;
    match address {
        Address::Ip(ip) => {
            sockopt::set_socket_reuseaddr(&socket, true)?;
            if options.beside {
                share_address(socket.as_fd(), true)?;
            }
            if ip.is_ipv6() {
                sockopt::set_ipv6_v6only(&socket, true)?;
            }
            tune(socket.as_fd(), options, false)?;
            match rustix::net::bind(&socket, ip) {
                Err(Errno::ADDRNOTAVAIL) if options.freebind => {
                    // Where that cannot be, the first answer is the one that helps.
                    bind_anywhere(socket.as_fd(), ip.is_ipv4()).map_err(|_error| Errno::ADDRNOTAVAIL)?;
                    rustix::net::bind(&socket, ip)?;
                }
                outcome => outcome?,
            }
            if let Some(seconds) = options.defer_accept {
                defer_accept(socket.as_fd(), seconds);
            }
            if options.beside {
                return Ok(socket);
            }
        }
        Address::Unix(path) => {
            let name = Address::unix(path)?;
            let bind = || bind_with_mode(&socket, &name, options.mode);
            match bind() {
                Err(Errno::ADDRINUSE) if is_left_behind(path, address) => {
                    rustix::fs::unlink(path)?;
                    bind()?;
                }
                outcome => outcome?,
            }
        }
    }
    rustix::net::listen(&socket, i32::try_from(options.backlog).unwrap_or(i32::MAX))?;
    Ok(socket)
}

/// Lets other TCP sockets be bound and listen where this one does, or at an address that clashes with its own, if they
/// belong to the same user and this was called for all of them (`SO_REUSEPORT`). Those that are there by then stay when
/// it is undone. Linux may remember for a port that it was shared, and then lets in who asks for that and belongs to the
/// same user; who does not ask is refused.
///
/// # Errors
/// The system's: a Unix socket cannot.
pub fn share_address(socket: BorrowedFd<'_>, shared: bool) -> Result<(), Errno> {
    sockopt::set_socket_reuseport(socket, shared)
}

/// Has a TCP socket that listens be found by no new connection, for good, while those that have begun go on: they come to
/// whoever else listens there by now.
///
/// # Errors
/// The system's: only Linux knows a way, from 5.7 on.
pub fn hide_listener(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    #[cfg(all(
        any(target_os = "linux", target_os = "android"),
        not(any(target_arch = "sparc", target_arch = "sparc64"))
    ))]
    {
        // Bound to an interface that is not there, by its number (socket(7), linux/include/uapi/asm-generic/socket.h).
        const SO_BINDTOIFINDEX: libc::c_int = 62;
        let nowhere = libc::c_int::MAX;
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the option's value is an int that outlives the call, and its size is given.
        let outcome = unsafe {
            let value = (&raw const nowhere).cast();
            libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, SO_BINDTOIFINDEX, value, size)
        };
        if outcome == 0 { Ok(()) } else { Err(crate::error::last_error()) }
    }
    #[cfg(not(all(
        any(target_os = "linux", target_os = "android"),
        not(any(target_arch = "sparc", target_arch = "sparc64"))
    )))]
    {
        let _ = socket;
        Err(Errno::OPNOTSUPP)
    }
}

/// Has a socket that is bound listen (listen(2)).
///
/// # Errors
/// The system's, `EADDRINUSE` when another one listens there by now.
pub fn listen_again(socket: BorrowedFd<'_>, backlog: u32) -> Result<(), Errno> {
    rustix::net::listen(socket, i32::try_from(backlog).unwrap_or(i32::MAX))
}

/// Has connections without data be kept from us for so many seconds, or not at all for 0, where the system can.
pub fn set_defer_accept(socket: BorrowedFd<'_>, seconds: u32) {
    defer_accept(socket, seconds);
}

/// Sets what the connections of an IP socket inherit. `bound`: it is bound already.
pub(crate) fn tune(socket: BorrowedFd<'_>, options: &ListenOptions, bound: bool) -> Result<(), Errno> {
    sockopt::set_tcp_nodelay(socket, true)?;
    if let Some(bytes) = options.send_buffer {
        sockopt::set_socket_send_buffer_size(socket, bytes as usize)?;
    }
    if let Some(bytes) = options.receive_buffer {
        sockopt::set_socket_recv_buffer_size(socket, bytes as usize)?;
    }
    if let Some(seconds) = options.defer_accept.filter(|_seconds| bound) {
        defer_accept(socket, seconds);
    }
    Ok(())
}

/// Lets a socket be bound to an address that no interface has (ip(7), `IP_FREEBIND`; on FreeBSD `IP_BINDANY`, for root).
fn bind_anywhere(socket: BorrowedFd<'_>, v4: bool) -> Result<(), Errno> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return if v4 {
        sockopt::set_ip_freebind(socket, true)
    } else {
        sockopt::set_ipv6_freebind(socket, true)
    };
    #[cfg(target_os = "freebsd")]
    {
        let (level, option) =
            if v4 { (libc::IPPROTO_IP, libc::IP_BINDANY) } else { (libc::IPPROTO_IPV6, libc::IPV6_BINDANY) };
        let on: libc::c_int = 1;
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        // SAFETY: the option's value is an int that outlives the call, and its size is given.
        let outcome =
            unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), size) };
        return if outcome == 0 { Ok(()) } else { Err(crate::error::last_error()) };
    }
    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    {
        let _ = (socket, v4);
        Err(Errno::OPNOTSUPP)
    }
}

/// Has the kernel keep connections to itself until their first data is there. Only saves work: failure is no matter.
fn defer_accept(socket: BorrowedFd<'_>, seconds: u32) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let value = libc::c_int::try_from(seconds).unwrap_or(libc::c_int::MAX);
        // SAFETY: the option's value is an int that outlives the call, and its size is given.
        let _outcome = unsafe {
            libc::setsockopt(
                socket.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_DEFER_ACCEPT,
                (&raw const value).cast(),
                size_of::<libc::c_int>() as libc::socklen_t,
            )
        };
    }
    let _ = (socket, seconds);
}

/// Accepts one connection, with one call.
pub fn accept(listener: BorrowedFd<'_>) -> Accepted {
    #[cfg(feature = "fault")]
    {
        if crate::fault::accept_full() {
            return Accepted::Full(Errno::MFILE);
        }
        if crate::fault::interrupts().is_some() {
            return Accepted::Again;
        }
    }
    let outcome =
        rustix::net::acceptfrom_with(listener, BIRTH).and_then(|(fd, peer)| Ok((settle(fd)?, peer)));
    match outcome {
        Ok((fd, peer)) => Accepted::Connection(fd, Address::of(peer)),
        Err(Errno::AGAIN) => Accepted::Blocked,
        Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => Accepted::Full(error),
        Err(error @ (Errno::BADF | Errno::INVAL | Errno::NOTSOCK | Errno::OPNOTSUPP | Errno::FAULT)) => {
            Accepted::Failed(error)
        }
        // Whatever befell that connection before it was taken: accept(2) names a dozen, and none is the listener's.
        Err(_) => Accepted::Again,
    }
}

/// Begins a connection. The second value says whether it is there already; if not, the socket becomes writable when it
/// is known, and [`take_error`] tells.
///
/// # Errors
/// The system's.
pub fn connect(address: &Address) -> Result<(OwnedFd, bool), Errno> {
    let socket = new_socket(family(address), SocketType::STREAM)?;
    let outcome = match address {
        Address::Ip(ip) => {
            sockopt::set_tcp_nodelay(&socket, true)?;
            rustix::net::connect(&socket, ip)
        }
        Address::Unix(path) => rustix::net::connect(&socket, &Address::unix(path)?),
    };
    match outcome {
        Ok(()) => Ok((socket, true)),
        Err(Errno::INPROGRESS | Errno::INTR) => Ok((socket, false)),
        Err(error) => Err(error),
    }
}

/// The error that waits on a socket: what a connection attempt ended with.
///
/// # Errors
/// That error.
pub fn take_error(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    sockopt::socket_error(socket)?
}

/// Where a socket is bound.
///
/// # Errors
/// The system's.
pub fn local_address(socket: BorrowedFd<'_>) -> Result<Address, Errno> {
    rustix::net::getsockname(socket).map(|any| Address::of(Some(any)))
}

/// Where a connection comes from or goes to.
///
/// # Errors
/// `ENOTCONN` when it is over.
pub fn peer_address(socket: BorrowedFd<'_>) -> Result<Address, Errno> {
    rustix::net::getpeername(socket).map(Address::of)
}

/// Ends our side: the peer reads to the end and then sees it.
///
/// # Errors
/// `ENOTCONN` when it is over already.
pub fn shutdown_write(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    rustix::net::shutdown(socket, rustix::net::Shutdown::Write)
}

/// Has the close of this socket reset the connection (`SO_LINGER` of 0 seconds).
///
/// # Errors
/// The system's.
pub fn reset_on_close(socket: BorrowedFd<'_>) -> Result<(), Errno> {
    sockopt::set_socket_linger(socket, Some(core::time::Duration::ZERO))
}

/// The most data that one segment to the peer holds, in bytes (`TCP_MAXSEG`); nothing where the socket has no segments, as
/// a Unix socket.
pub fn segment_size(socket: BorrowedFd<'_>) -> Option<usize> {
    let mut size: libc::c_int = 0;
    let mut length = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the call writes at most `length` bytes, one int, to a place that outlives it.
    let outcome = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_MAXSEG,
            (&raw mut size).cast(),
            &raw mut length,
        )
    };
    usize::try_from(size).ok().filter(|size| outcome == 0 && *size > 0)
}

/// Bytes that were given to the kernel and not taken by the peer yet.
///
/// # Errors
/// Where the system cannot tell.
pub fn unacknowledged(socket: BorrowedFd<'_>) -> Result<usize, Errno> {
    let mut count: libc::c_int = 0;
    // FIONWRITE of FreeBSD, NetBSD and DragonFly is SIOCOUTQ of Linux; OpenBSD and macOS have TIOCOUTQ, which knows
    // terminals only and fails here.
    #[cfg(any(target_os = "freebsd", target_os = "netbsd", target_os = "dragonfly"))]
    const REQUEST: libc::c_ulong = 0x4004_6677;
    #[cfg(target_os = "openbsd")]
    const REQUEST: libc::c_ulong = 0x4004_7473;
    #[cfg(not(any(
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "dragonfly",
        target_os = "openbsd"
    )))]
    const REQUEST: libc::c_ulong = libc::TIOCOUTQ as libc::c_ulong;
    // SAFETY: the request writes one int, to a place that outlives the call.
    let outcome = unsafe { libc::ioctl(socket.as_raw_fd(), REQUEST as _, &raw mut count) };
    if outcome < 0 {
        return Err(crate::error::last_error());
    }
    Ok(usize::try_from(count).unwrap_or(0))
}

/// Two Unix sockets that are connected with each other.
///
/// # Errors
/// The system's.
pub fn pair() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (one, two) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, BIRTH, None)?;
    Ok((settle(one)?, settle(two)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_unix_socket_has_the_bits_that_were_asked_for() {
        let place = std::env::temp_dir().join(format!("gorgon-mode-{}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        for (at, mode) in [0o600, 0o660, 0o666, 0o777, 0o7600].into_iter().enumerate() {
            let path = place.join(at.to_string());
            let address = Address::Unix(path.as_os_str().as_encoded_bytes().to_vec());
            let options = ListenOptions { backlog: 1, mode: Some(mode), ..ListenOptions::default() };
            drop(listen(&address, &options).unwrap());
            // And again, in place of what was left behind.
            let _socket = listen(&address, &options).unwrap();
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, mode & 0o777);
            assert!(connect(&address).is_ok());
            assert_eq!(listen(&address, &options).err(), Some(Errno::ADDRINUSE), "somebody listens");
        }
        std::fs::remove_dir_all(&place).unwrap();
    }

    /// One address becomes all, and the other way round, without a moment in which nobody listens and without a
    /// connection that is lost.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_takes_the_place_of_another() {
        let options =
            ListenOptions { backlog: 8, defer_accept: Some(1), beside: true, ..ListenOptions::default() };
        let address = |text: &str| Address::Ip(text.parse().unwrap());
        let old = listen(&address("127.0.0.1:0"), &ListenOptions { beside: false, ..options }).unwrap();
        let there = local_address(old.as_fd()).unwrap();
        let port = match &there {
            Address::Ip(ip) => ip.port(),
            Address::Unix(_) => unreachable!(),
        };
        let all = Address::Ip(([0, 0, 0, 0], port).into());
        assert_eq!(listen(&all, &options).err(), Some(Errno::ADDRINUSE), "both have to share");
        let connect = || std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let accepted = |listener: &OwnedFd, client: &std::net::TcpStream| {
            let asked = client.local_addr().unwrap();
            (0..500).any(|_| match accept(listener.as_fd()) {
                Accepted::Connection(_, Address::Ip(peer)) => {
                    assert_eq!(peer, asked);
                    true
                }
                _ => {
                    std::thread::sleep(core::time::Duration::from_millis(10));
                    false
                }
            })
        };
        let mut before = old;
        for wanted in [&all, &there, &all, &all, &there] {
            let silent = connect();
            share_address(before.as_fd(), true).unwrap();
            let new = listen(wanted, &options).unwrap();
            let early = connect();
            listen_again(new.as_fd(), 8).unwrap();
            for socket in [&before, &new] {
                share_address(socket.as_fd(), false).unwrap();
            }
            let alone = ListenOptions { beside: false, ..options };
            assert_eq!(
                listen(wanted, &alone).err(),
                Some(Errno::ADDRINUSE),
                "who does not ask to share may not"
            );
            hide_listener(before.as_fd()).unwrap();
            set_defer_accept(before.as_fd(), 0);
            let late = connect();
            std::io::Write::write_all(&mut &late, b"x").unwrap();
            assert!(accepted(&new, &late));
            // They come by the old one, whether they say something or not.
            std::io::Write::write_all(&mut &early, b"x").unwrap();
            assert!(accepted(&before, &early));
            assert!(accepted(&before, &silent));
            before = new;
        }
    }

    #[test]
    fn only_tcp_has_segments() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        assert!((500..=65_536).contains(&segment_size(client.as_fd()).unwrap()));
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        assert_eq!(segment_size(one.as_fd()), None);
    }

    /// An address for documentation (RFC 5737, RFC 3849), which no host has.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_address_that_is_not_there_yet_can_be_bound() {
        for text in ["192.0.2.1:0", "[2001:db8::1]:0"] {
            let address = Address::Ip(text.parse().unwrap());
            let options = ListenOptions { backlog: 1, ..ListenOptions::default() };
            let error = match listen(&address, &options) {
                Err(Errno::AFNOSUPPORT) => continue,
                outcome => outcome.err(),
            };
            assert_eq!(error, Some(Errno::ADDRNOTAVAIL));
            let socket = listen(&address, &ListenOptions { freebind: true, ..options }).unwrap();
            assert_eq!(local_address(socket.as_fd()).unwrap().ip(), address.ip());
        }
    }
}
