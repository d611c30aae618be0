//! Addresses as text: IPv4 in dots, IPv6 as RFC 5952 writes it.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, SocketAddr};

use super::number::push_decimal_str;

/// Appends an address; IPv4 in IPv6's clothes as IPv4.
pub fn push_ip(ip: IpAddr, text: &mut Vec<u8>) {
    let octets = match ip {
        IpAddr::V4(ip) => ip.to_ipv6_mapped().octets(),
        IpAddr::V6(ip) => ip.octets(),
    };
    push_octets(&octets, text);
}

/// Appends an address and its port: `127.0.0.1:80`, `[::1]:80`.
pub fn push_socket_address(address: &SocketAddr, text: &mut String) {
    let mut ip = Vec::new();
    push_ip(address.ip(), &mut ip);
    let parts = match address.ip() {
        IpAddr::V4(_) => ["", ""],
        IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some() => ["[::ffff:", "]"],
        IpAddr::V6(_) => ["[", "]"],
    };
    let [before, after] = parts;
    text.push_str(before);
    text.extend(ip.into_iter().map(char::from));
    text.push_str(after);
    text.push(':');
    push_decimal_str(address.port().into(), text);
}

/// Appends what 16 bytes stand for.
pub fn push_octets(octets: &[u8; 16], text: &mut Vec<u8>) {
    if let [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, rest @ ..] = octets {
        // Each with a dot before it, of which the first is left out.
        let mut room = [0; 16];
        let mut end = 0;
        for byte in rest {
            let digits = [b'.', b'0' + byte / 100, b'0' + byte / 10 % 10, b'0' + byte % 10];
            let skipped = if *byte >= 100 {
                0
            } else if *byte >= 10 {
                1
            } else {
                2
            };
            for (at, digit) in digits.into_iter().enumerate() {
                if at == 0 || at > skipped {
                    if let Some(place) = room.get_mut(end) {
                        *place = digit;
                        end += 1;
                    }
                }
            }
        }
        text.extend_from_slice(room.get(1..end).unwrap_or_default());
        return;
    }
    let mut groups = [0u16; 8];
    for (group, pair) in groups.iter_mut().zip(octets.chunks_exact(2)) {
        *group = pair.iter().fold(0, |value, byte| value << 8 | u16::from(*byte));
    }
    let (start, length) = longest_zeros(&groups);
    for (at, group) in groups.iter().enumerate() {
        if length > 0 && at == start {
            text.extend_from_slice(b"::");
        } else if at < start || at >= start + length {
            if at > 0 && at != start + length {
                text.push(b':');
            }
            push_hex(*group, text);
        }
    }
}

/// The first of the longest runs of at least two zero groups: where it starts and how long it is. No run: length 0, at
/// the end.
fn longest_zeros(groups: &[u16; 8]) -> (usize, usize) {
    let (mut best, mut run) = ((8, 0), 0);
    for (at, group) in groups.iter().enumerate() {
        run = if *group == 0 { run + 1 } else { 0 };
        if run > best.1.max(1) {
            best = (at + 1 - run, run);
        }
    }
    best
}

/// Lower case, without zeros in front.
fn push_hex(value: u16, text: &mut Vec<u8>) {
    let mut begun = false;
    for shift in [12, 8, 4, 0] {
        let digit = (value >> shift & 15) as u8;
        begun |= digit > 0 || shift == 0;
        if begun {
            text.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_addresses_are_as_the_standard_library_has_them() {
        for text in [
            "127.0.0.1:80",
            "0.0.0.0:0",
            "[::]:65535",
            "[::1]:8080",
            "[::ffff:127.0.0.1]:1",
            "[2001:db8::1:0:0:1]:443",
        ] {
            let mut out = String::new();
            push_socket_address(&text.parse().unwrap(), &mut out);
            assert_eq!(out, text);
        }
    }
}
