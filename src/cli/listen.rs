//! Addresses to listen on, as an operator writes them.

use crate::text::number::parse_decimal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where to listen. Port 0 is any free one.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Listen {
    /// Every address of the host, IPv4 and IPv6: `:8080`, `8080`, `*:8080`.
    Any {
        /// The port.
        port: u16,
    },
    /// One address: `127.0.0.1:8080`, `[::1]:8080`.
    Ip(SocketAddr),
    /// Both loopback addresses: `localhost:8080`.
    Localhost {
        /// The port.
        port: u16,
    },
    /// A Unix socket: `unix:PATH`.
    Unix(PathBuf),
}

/// The longest path of a Unix socket on every system: `sun_path` has 104 bytes on macOS and the BSDs, 108 on Linux,
/// one of them for the end.
const UNIX_PATH_MAX: usize = 103;

impl Listen {
    /// Reads one address, with or without `http://` before it.
    ///
    /// # Errors
    /// What is wrong, naming the right form.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let address = match text.split_once("://") {
            None => text,
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => {
                rest.strip_suffix('/').unwrap_or(rest)
            }
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("ftp") => {
                return Err("this build has no FTP server");
            }
            Some((scheme, _)) if scheme.eq_ignore_ascii_case("https") => {
                return Err("this build has no TLS; put a proxy before it and listen on http");
            }
            Some(_) => return Err("expected http:// or an address alone"),
        };
        if let Some(path) = address.strip_prefix("unix:") {
            return unix(path);
        }
        if let Some(rest) = address.strip_prefix('[') {
            return bracketed(rest);
        }
        match address.rsplit_once(':') {
            Some((host, port)) => named(host, port),
            None if !address.is_empty() && address.bytes().all(|byte| byte.is_ascii_digit()) => {
                Ok(Self::Any { port: port(address)? })
            }
            None => Err("expected a port, as in 127.0.0.1:8080 or :8080"),
        }
    }
}

fn unix(path: &str) -> Result<Listen, &'static str> {
    if path.is_empty() {
        return Err("expected a path after unix:");
    }
    if path.len() > UNIX_PATH_MAX {
        return Err("expected a path of at most 103 bytes, which is as long as a Unix socket's may be");
    }
    if path.contains('\0') {
        return Err("expected a path without NUL");
    }
    Ok(Listen::Unix(PathBuf::from(path)))
}

fn bracketed(rest: &str) -> Result<Listen, &'static str> {
    let Some((host, after)) = rest.split_once(']') else { return Err("expected a ] after the IPv6 address") };
    let Some(number) = after.strip_prefix(':') else { return Err("expected a port, as in [::1]:8080") };
    if host.contains('%') {
        return Err("expected an address without a zone");
    }
    let Ok(address) = host.parse::<Ipv6Addr>() else {
        return Err("expected an IPv6 address between [ and ]");
    };
    Ok(Listen::Ip(SocketAddr::new(IpAddr::V6(address), port(number)?)))
}

fn named(host: &str, number: &str) -> Result<Listen, &'static str> {
    if host.contains(':') {
        return Err("expected an IPv6 address in brackets, as in [::1]:8080");
    }
    let port = port(number)?;
    if host.is_empty() || host == "*" {
        return Ok(Listen::Any { port });
    }
    if host.eq_ignore_ascii_case("localhost") {
        return Ok(Listen::Localhost { port });
    }
    let Ok(address) = host.parse::<Ipv4Addr>() else {
        return Err(
            "expected a numeric address, localhost, or nothing before the port; names are not looked up",
        );
    };
    Ok(Listen::Ip(SocketAddr::new(IpAddr::V4(address), port)))
}

fn port(text: &str) -> Result<u16, &'static str> {
    let number = parse_decimal(text.as_bytes()).and_then(|number| u16::try_from(number).ok());
    number.ok_or("expected a port from 0 to 65535")
}
