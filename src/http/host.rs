//! The authority of a request: `host[:port]` (RFC 3986, section 3.2, without userinfo; RFC 9110, section 7.2).

use core::net::Ipv6Addr;

use super::class::{self, HOST};
use crate::text::number::{hex_value, parse_decimal};

/// Whether `authority` is a host that is not empty, with or without a port; the port is digits up to 65535, or nothing
/// after its `:`. Userinfo is never allowed.
#[must_use]
pub fn is_valid(authority: &[u8]) -> bool {
    let (host, port) = split(authority);
    is_host(host) && port.is_none_or(|port| port.is_empty() || is_port(port))
}

/// As [`is_valid`], but there must be a port: the target of CONNECT (RFC 9110, section 9.3.6).
#[must_use]
pub fn is_valid_with_port(authority: &[u8]) -> bool {
    let (host, port) = split(authority);
    is_host(host) && port.is_some_and(is_port)
}

/// The host, an IPv6 address with its brackets, and the port if there is a `:` for it. Both may be wrong.
#[must_use]
pub fn split(authority: &[u8]) -> (&[u8], Option<&[u8]>) {
    // The colons of an address in brackets are not the port's.
    let from = match authority.first() {
        Some(b'[') => authority.iter().position(|&byte| byte == b']').unwrap_or(authority.len()),
        _ => 0,
    };
    let after = authority.get(from..).unwrap_or_default();
    let Some(colon) = after.iter().position(|&byte| byte == b':') else { return (authority, None) };
    let (host, port) = authority.split_at_checked(from + colon).unwrap_or((authority, &[]));
    (host, port.get(1..))
}

fn is_port(port: &[u8]) -> bool {
    parse_decimal(port).is_some_and(|port| port <= 65_535)
}

fn is_host(host: &[u8]) -> bool {
    match host {
        [] => false,
        [b'[', address @ .., b']'] => is_address(address),
        _ => is_name(host),
    }
}

/// `reg-name`; an IPv4 address reads as one.
fn is_name(name: &[u8]) -> bool {
    let mut rest = name;
    loop {
        rest = rest.get(class::run(rest, HOST)..).unwrap_or_default();
        rest = match rest {
            [] => return true,
            [b'%', high, low, after @ ..] if hex_value(*high).is_some() && hex_value(*low).is_some() => after,
            _ => return false,
        };
    }
}

/// What stands in brackets: an IPv6 address, or IPvFuture, which is `v` hex `.` and characters of a name or `:`.
fn is_address(address: &[u8]) -> bool {
    let [b'v' | b'V', future @ ..] = address else {
        return core::str::from_utf8(address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok());
    };
    let Some(dot) = future.iter().position(|&byte| byte == b'.') else { return false };
    let (version, rest) = future.split_at_checked(dot).unwrap_or_default();
    !version.is_empty()
        && version.iter().all(|&byte| hex_value(byte).is_some())
        && rest.len() > 1
        && rest.iter().all(|&byte| class::is(byte, HOST) || byte == b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_hosts() {
        for (authority, host, port) in [
            ("a", "a", None),
            ("example.org", "example.org", None),
            ("example.org.", "example.org.", None),
            ("EXAMPLE.org:80", "EXAMPLE.org", Some("80")),
            ("example.org:", "example.org", Some("")),
            ("a:0", "a", Some("0")),
            ("a:65535", "a", Some("65535")),
            ("a:000080", "a", Some("000080")),
            ("127.0.0.1:8080", "127.0.0.1", Some("8080")),
            ("a_b-c~d", "a_b-c~d", None),
            ("!$&'()*+,;=", "!$&'()*+,;=", None),
            ("b%C3%bccher.example", "b%C3%bccher.example", None),
            ("[::]", "[::]", None),
            ("[::1]:8080", "[::1]", Some("8080")),
            ("[2001:db8::a:B]", "[2001:db8::a:B]", None),
            ("[1:2:3:4:5:6:7:8]", "[1:2:3:4:5:6:7:8]", None),
            ("[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7::]", None),
            ("[1:2:3:4:5:6:1.2.3.4]", "[1:2:3:4:5:6:1.2.3.4]", None),
            ("[0001::]", "[0001::]", None),
            ("[::ffff:192.0.2.1]:", "[::ffff:192.0.2.1]", Some("")),
            ("[v1.fe80::a+en1]", "[v1.fe80::a+en1]", None),
            ("[VAF.x]:1", "[VAF.x]", Some("1")),
        ] {
            assert!(is_valid(authority.as_bytes()), "{authority}");
            assert_eq!(
                split(authority.as_bytes()),
                (host.as_bytes(), port.map(str::as_bytes)),
                "{authority}"
            );
            let with_port = port.is_some_and(|port| !port.is_empty());
            assert_eq!(is_valid_with_port(authority.as_bytes()), with_port, "{authority}");
        }
    }

    #[test]
    fn refuses_what_is_no_host() {
        for authority in [
            "",
            ":",
            ":80",
            "a b",
            " a",
            "a\t",
            "a/b",
            "a?b",
            "a#b",
            "a@b",
            "user:pw@a",
            "user@a:80",
            "a:b",
            "a:-1",
            "a:+1",
            "a:65536",
            "a:99999999999999999999999",
            "a:80:80",
            "a:80 ",
            "::1",
            "a\\b",
            "<a>",
            "a\"b",
            "a|b",
            "a^b",
            "%",
            "%4",
            "%4g",
            "a%zz",
            "a\u{e9}",
            "a\u{0}",
            "[",
            "]",
            "[]",
            "[:]",
            "[::",
            "::]",
            "[::1]x",
            "[::1]80",
            "[::1]:x",
            "[::1]:65536",
            "x[::1]",
            "[::1%25eth0]",
            "[::g]",
            "[1]",
            "[::1]]",
            "[[::1]]",
            "[1:2:3:4:5:6:7:8:9]",
            "[::12345]",
            "[1::2::3]",
            "[:::]",
            "[1:2:3]",
            "[1:2:3:4:5:6:7]",
            "[1:2:3:4:5:6:7:8::]",
            "[::1.2.3]",
            "[::1.2.3.256]",
            "[::1.2.3.04]",
            "[1.2.3.4::]",
            "[1:]",
            "[:1]",
            "[v.x]",
            "[v1]",
            "[v1.]",
            "[vg.x]",
            "[v1.a/b]",
            "a,b:c",
        ] {
            assert!(!is_valid(authority.as_bytes()), "{authority}");
            assert!(!is_valid_with_port(authority.as_bytes()), "{authority}");
        }
    }
}
