//! Listening sockets that whoever started this process has bound for it (sd_listen_fds(3)).

use rustix::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketType, sockopt};

use crate::address::Address;
use crate::socket::{ListenOptions, settle, tune};

/// The number of the first descriptor that is passed (`SD_LISTEN_FDS_START`).
pub const FIRST_PASSED: u32 = 3;

/// A listening stream socket that was passed.
#[derive(Debug)]
pub struct Passed {
    /// Not blocking, and closed on exec by now.
    pub socket: OwnedFd,
    /// Where it is bound; a path that is empty for an abstract name.
    pub address: Address,
    /// It takes IPv4 beside IPv6.
    pub dual: bool,
}

/// Why a descriptor that was passed cannot be listened on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unfit {
    /// There is none of that number.
    Closed,
    /// It is no socket.
    NoSocket,
    /// It is a socket, but not of streams.
    NoStream,
    /// It is a socket of streams, but a connection, or not told to listen.
    NoListener,
    /// It listens on something other than IP and Unix addresses.
    Family,
    /// The system's answer.
    System(Errno),
}

impl From<Errno> for Unfit {
    fn from(error: Errno) -> Unfit {
        Unfit::System(error)
    }
}

/// Takes the descriptor of that number, which this process was started with, as a listening socket.
///
/// # Errors
/// What is wrong with it. It is closed then.
pub fn take_listener(number: u32) -> Result<Passed, Unfit> {
    let socket = crate::inherited::inherit(number).map_err(|_none| Unfit::Closed)?;
    let kind = match sockopt::socket_type(&socket) {
        Err(Errno::NOTSOCK) => return Err(Unfit::NoSocket),
        kind => kind?,
    };
    if kind != SocketType::STREAM {
        return Err(Unfit::NoStream);
    }
    // macOS does not tell; accept(2) will.
    #[cfg(not(target_vendor = "apple"))]
    if !sockopt::socket_acceptconn(&socket)? {
        return Err(Unfit::NoListener);
    }
    let any = rustix::net::getsockname(&socket)?;
    let family = any.address_family();
    if ![AddressFamily::INET, AddressFamily::INET6, AddressFamily::UNIX].contains(&family) {
        return Err(Unfit::Family);
    }
    let dual = family == AddressFamily::INET6 && !sockopt::ipv6_v6only(&socket)?;
    rustix::io::ioctl_fionbio(&socket, true)?;
    Ok(Passed { socket: settle(socket)?, address: Address::of(Some(any)), dual })
}

impl Passed {
    /// Sets what its connections inherit. The length of its queue is left to whoever made it.
    ///
    /// # Errors
    /// The system's.
    pub fn prepare(&self, options: &ListenOptions) -> Result<(), Errno> {
        match self.address {
            Address::Ip(_) => tune(self.socket.as_fd(), options, true),
            Address::Unix(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixListener;

    /// Leaves a descriptor as one that came through exec.
    fn passed(fd: impl Into<OwnedFd>) -> u32 {
        let fd = fd.into();
        rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::empty()).unwrap();
        fd.into_raw_fd() as u32
    }

    #[test]
    fn listening_sockets_are_taken() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let number = passed(listener);
        let taken = take_listener(number).unwrap();
        assert_eq!((&taken.address, taken.dual), (&Address::Ip(address), false));
        let options =
            ListenOptions { send_buffer: Some(65_536), defer_accept: Some(1), ..Default::default() };
        taken.prepare(&options).unwrap();
        assert!(sockopt::tcp_nodelay(&taken.socket).unwrap());
        assert!(matches!(crate::accept(taken.socket.as_fd()), crate::Accepted::Blocked));
        assert_eq!(take_listener(number).err(), Some(Unfit::Closed), "it is taken once");

        if let Ok(listener) = TcpListener::bind("[::]:0") {
            // The standard library leaves it to the system whether IPv4 is taken too.
            sockopt::set_ipv6_v6only(&listener, true).ok();
            let v6only = sockopt::ipv6_v6only(&listener).unwrap();
            assert_eq!(take_listener(passed(listener)).unwrap().dual, !v6only);
        }

        let path = std::env::temp_dir().join(format!("gorgon-passed-{}", std::process::id()));
        let taken = take_listener(passed(UnixListener::bind(&path).unwrap())).unwrap();
        assert_eq!(taken.address, Address::Unix(path.as_os_str().as_encoded_bytes().to_vec()));
        taken.prepare(&options).unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn others_are_named_for_what_they_are() {
        let (reader, _writer) = std::io::pipe().unwrap();
        assert_eq!(take_listener(passed(reader)).err(), Some(Unfit::NoSocket));
        let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        assert_eq!(take_listener(passed(datagrams)).err(), Some(Unfit::NoStream));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let connection = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let number = passed(connection);
        assert_eq!(take_listener(number).err(), Some(Unfit::NoListener));
        assert_eq!(take_listener(number).err(), Some(Unfit::Closed));
        for number in [0, 1, 2, 1_000_000] {
            assert_eq!(take_listener(number).err(), Some(Unfit::Closed));
        }
    }
}
