//! The addresses of this host, for telling people where to connect.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The addresses of the interfaces that are up, without link-local ones, which need a zone to be of use. Empty when the
/// system does not tell.
pub fn interface_addresses() -> Vec<IpAddr> {
    let mut found = Vec::new();
    let mut list: *mut libc::ifaddrs = core::ptr::null_mut();
    // SAFETY: the call writes one pointer; on success the list is ours until freeifaddrs below.
    if unsafe { libc::getifaddrs(&raw mut list) } != 0 {
        return found;
    }
    let mut at = list;
    // SAFETY: `at` walks the list, whose end is null and which is not freed before the walk is over.
    while let Some(entry) = unsafe { at.as_ref() } {
        at = entry.ifa_next;
        if entry.ifa_flags as libc::c_int & libc::IFF_UP == 0 {
            continue;
        }
        // SAFETY: an address that is not null has at least its family, and as much as that family needs.
        let address =
            match unsafe { entry.ifa_addr.as_ref() }.map(|address| libc::c_int::from(address.sa_family)) {
                Some(libc::AF_INET) => {
                    // SAFETY: the family says that it is a sockaddr_in; getifaddrs aligns it as one.
                    let address = unsafe { &*entry.ifa_addr.cast::<libc::sockaddr_in>() };
                    IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr)))
                }
                Some(libc::AF_INET6) => {
                    // SAFETY: the family says that it is a sockaddr_in6; getifaddrs aligns it as one.
                    let address = unsafe { &*entry.ifa_addr.cast::<libc::sockaddr_in6>() };
                    IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr))
                }
                _ => continue,
            };
        let link_local = match address {
            IpAddr::V4(address) => address.is_link_local(),
            IpAddr::V6(address) => address.segments().first().is_some_and(|first| first & 0xffc0 == 0xfe80),
        };
        if !link_local && !found.contains(&address) {
            found.push(address);
        }
    }
    // SAFETY: the list came from getifaddrs and nothing of it is kept.
    unsafe { libc::freeifaddrs(list) };
    found
}

#[cfg(test)]
mod tests {
    #[test]
    fn loopback_is_among_them() {
        assert!(super::interface_addresses().iter().any(|address| address.is_loopback()));
    }
}
