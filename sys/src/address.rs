//! Where a socket is or listens.

use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{SocketAddrAny, SocketAddrUnix};

/// The address of a stream socket.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Address {
    /// IPv4 or IPv6.
    Ip(SocketAddr),
    /// A path; empty for a peer that has none.
    Unix(Vec<u8>),
}

impl Address {
    /// The address behind what the system gives. IPv4 in IPv6's clothes is given as IPv4.
    pub(crate) fn of(any: Option<SocketAddrAny>) -> Address {
        let Some(any) = any else { return Address::Unix(Vec::new()) };
        if let Ok(ip) = SocketAddr::try_from(any.clone()) {
            return Address::Ip(SocketAddr::new(ip.ip().to_canonical(), ip.port()));
        }
        let path = SocketAddrUnix::try_from(any).ok();
        let path = path.as_ref().and_then(SocketAddrUnix::path_bytes).unwrap_or(&[]);
        let path = path.strip_suffix(&[0]).unwrap_or(path);
        Address::Unix(path.to_vec())
    }

    /// The Unix socket address of a path.
    pub(crate) fn unix(path: &[u8]) -> Result<SocketAddrUnix, Errno> {
        SocketAddrUnix::new(path)
    }

    /// The IP address, if it has one.
    pub fn ip(&self) -> Option<IpAddr> {
        match self {
            Address::Ip(address) => Some(address.ip()),
            Address::Unix(_) => None,
        }
    }
}
