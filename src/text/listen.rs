//! Addresses to listen on, as an operator writes them.

use alloc::vec::Vec;

use super::number::parse_decimal;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

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
    Unix(Vec<u8>),
    /// What a supervisor of services has bound, by the name it has there: `fd:NAME`.
    Passed(Vec<u8>),
}

/// The longest path of a Unix socket on every system: `sun_path` has 104 bytes on macOS and the BSDs, 108 on Linux,
/// one of them for the end.
const UNIX_PATH_MAX: usize = 103;

/// The longest name of a socket that is passed (systemd.socket(5), `FileDescriptorName=`).
const NAME_MAX: usize = 255;

impl Listen {
    /// Reads one address, with or without `http://` before it.
    ///
    /// # Errors
    /// What is wrong, naming the right form.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let address =
            match text.split_once(':').and_then(|(scheme, rest)| Some((scheme, rest.strip_prefix("//")?))) {
                None => text,
                Some(_) if text.starts_with("unix:") => text,
                // At the end of a path or a name a slash is part of it.
                Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => match rest {
                    _ if rest.starts_with("unix:") || rest.starts_with("fd:") => rest,
                    _ => rest.strip_suffix('/').unwrap_or(rest),
                },
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
        if let Some(name) = address.strip_prefix("fd:") {
            return passed(name);
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

    /// Whether two sockets cannot listen on both at once.
    #[must_use]
    pub fn clashes_with(&self, other: &Listen) -> bool {
        match (self, other) {
            (Self::Unix(one), Self::Unix(two)) | (Self::Passed(one), Self::Passed(two)) => one == two,
            (Self::Unix(_), _) | (_, Self::Unix(_)) => false,
            _ if self.is_ephemeral() || other.is_ephemeral() => false,
            _ => {
                for one in &self.addresses() {
                    for two in &other.addresses() {
                        let (Some(one), Some(two)) = (one, two) else { continue };
                        let any = one.ip().is_unspecified() || two.ip().is_unspecified();
                        if one == two || (any && one.port() == two.port() && one.is_ipv4() == two.is_ipv4()) {
                            return true;
                        }
                    }
                }
                false
            }
        }
    }

    /// The addresses that are meant, of which there are at most two.
    fn addresses(&self) -> [Option<SocketAddr>; 2] {
        let both = |v4: Ipv4Addr, v6: Ipv6Addr, port: u16| {
            [Some(SocketAddr::new(v4.into(), port)), Some(SocketAddr::new(v6.into(), port))]
        };
        match self {
            Self::Any { port } => both(Ipv4Addr::UNSPECIFIED, Ipv6Addr::UNSPECIFIED, *port),
            Self::Localhost { port } => both(Ipv4Addr::LOCALHOST, Ipv6Addr::LOCALHOST, *port),
            Self::Ip(address) => [Some(*address), None],
            Self::Unix(_) | Self::Passed(_) => [None, None],
        }
    }

    /// Whether the system picks the port.
    #[must_use]
    pub fn is_ephemeral(&self) -> bool {
        match self {
            Self::Any { port } | Self::Localhost { port } => *port == 0,
            Self::Ip(address) => address.port() == 0,
            Self::Unix(_) | Self::Passed(_) => false,
        }
    }
}

fn unix(mut path: &str) -> Result<Listen, &'static str> {
    // As in a URL: `unix:///run/x.sock`.
    while path.starts_with("//") {
        path = path.get(1..).unwrap_or_default();
    }
    if path.is_empty() {
        return Err("expected a path after unix:");
    }
    if path.len() > UNIX_PATH_MAX {
        return Err("expected a path of at most 103 bytes, which is as long as a Unix socket's may be");
    }
    if path.contains('\0') {
        return Err("expected a path without NUL");
    }
    Ok(Listen::Unix(path.as_bytes().to_vec()))
}

fn passed(name: &str) -> Result<Listen, &'static str> {
    let fits = |byte: u8| (b'!'..=b'~').contains(&byte) && byte != b':';
    if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
        return Err("expected the name of a socket after fd:, as FileDescriptorName= has it in its unit");
    }
    Ok(Listen::Passed(name.as_bytes().to_vec()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form() {
        let ip = |text: &str| Listen::Ip(text.parse().unwrap());
        let longest = "a".repeat(UNIX_PATH_MAX);
        for (text, listen) in [
            (":8080", Listen::Any { port: 8080 }),
            ("*:8080", Listen::Any { port: 8080 }),
            ("8080", Listen::Any { port: 8080 }),
            ("0", Listen::Any { port: 0 }),
            (":0", Listen::Any { port: 0 }),
            (":65535", Listen::Any { port: 65535 }),
            ("http://:80", Listen::Any { port: 80 }),
            ("127.0.0.1:8080", ip("127.0.0.1:8080")),
            ("http://127.0.0.1:8080", ip("127.0.0.1:8080")),
            ("HTTP://127.0.0.1:8080/", ip("127.0.0.1:8080")),
            ("0.0.0.0:80", ip("0.0.0.0:80")),
            ("[::]:80", ip("[::]:80")),
            ("[::1]:0", ip("[::1]:0")),
            ("http://[fe80::1]:80", ip("[fe80::1]:80")),
            ("[::ffff:127.0.0.1]:80", ip("[::ffff:127.0.0.1]:80")),
            ("localhost:80", Listen::Localhost { port: 80 }),
            ("LocalHost:0", Listen::Localhost { port: 0 }),
            ("unix:/run/x.sock", Listen::Unix("/run/x.sock".into())),
            ("unix:///run/x.sock", Listen::Unix("/run/x.sock".into())),
            ("unix:x:80", Listen::Unix("x:80".into())),
            ("fd:web", Listen::Passed("web".into())),
            ("fd:gorgon.socket", Listen::Passed("gorgon.socket".into())),
            ("fd:80", Listen::Passed("80".into())),
            ("http://unix:/run/x.sock", Listen::Unix("/run/x.sock".into())),
            ("http://unix:/run/x/", Listen::Unix("/run/x/".into())),
            ("fd:td/", Listen::Passed("td/".into())),
            ("http://fd:td/", Listen::Passed("td/".into())),
            (&["unix:", &longest].concat(), Listen::Unix(longest.clone().into())),
        ] {
            assert_eq!(Listen::parse(text), Ok(listen), "{text}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let long = ["unix:", &"a".repeat(UNIX_PATH_MAX + 1)].concat();
        for (text, message) in [
            ("", "expected a port"),
            ("127.0.0.1", "expected a port"),
            ("localhost", "expected a port"),
            ("example.org", "expected a port"),
            ("http://", "expected a port"),
            ("http:///", "expected a port"),
            ("http://127.0.0.1", "expected a port"),
            ("[::1]", "expected a port, as in [::1]"),
            ("[::1]80", "expected a port, as in [::1]"),
            (":", "expected a port from"),
            (":65536", "expected a port from"),
            ("65536", "expected a port from"),
            ("99999999999999999999999", "expected a port from"),
            (":-1", "expected a port from"),
            (":+1", "expected a port from"),
            (":http", "expected a port from"),
            (": 80", "expected a port from"),
            ("127.0.0.1:80/", "expected a port from"),
            ("http://127.0.0.1:80/files", "expected a port from"),
            ("[::1]:", "expected a port from"),
            ("::1", "in brackets"),
            ("::", "in brackets"),
            ("fe80::1:80", "in brackets"),
            ("[::1", "expected a ]"),
            ("[127.0.0.1]:80", "expected an IPv6"),
            ("[]:80", "expected an IPv6"),
            ("[fe80::1%eth0]:80", "without a zone"),
            ("example.org:80", "numeric"),
            ("256.0.0.1:80", "numeric"),
            ("1.2.3:80", "numeric"),
            (" 127.0.0.1:80", "numeric"),
            ("user@127.0.0.1:80", "numeric"),
            ("unix:", "a path after"),
            ("fd:", "name of a socket"),
            ("fd:a:b", "name of a socket"),
            ("fd:a b", "name of a socket"),
            ("unix:a\0b", "without NUL"),
            (&long, "at most 103"),
            ("ftp://:2121", "no FTP"),
            ("FTP://", "no FTP"),
            ("https://:443", "no TLS"),
            ("gopher://:70", "http://"),
            ("://:70", "http://"),
        ] {
            let Err(found) = Listen::parse(text) else { panic!("{text} was accepted") };
            assert!(found.contains(message), "{text}: {found}");
        }
    }

    #[test]
    fn knows_what_clashes() {
        for (one, two, clash) in [
            (":80", "*:80", true),
            (":80", ":81", false),
            (":80", "127.0.0.1:80", true),
            (":80", "[::1]:80", true),
            ("0.0.0.0:80", "[::]:80", false),
            ("0.0.0.0:80", "localhost:80", true),
            ("127.0.0.2:80", "localhost:80", false),
            ("127.0.0.1:80", "127.0.0.1:80", true),
            (":0", ":0", false),
            ("unix:/a", "unix:/a", true),
            ("unix:/a", "unix:/b", false),
            ("unix:/a", ":80", false),
            ("fd:a", "fd:a", true),
            ("fd:a", "fd:b", false),
            ("fd:a", ":80", false),
        ] {
            let (one, two) = (Listen::parse(one).unwrap(), Listen::parse(two).unwrap());
            assert_eq!(one.clashes_with(&two), clash, "{one:?} {two:?}");
            assert_eq!(two.clashes_with(&one), clash, "{two:?} {one:?}");
        }
    }

    #[test]
    fn knows_a_free_port() {
        for (text, free) in
            [("0", true), ("localhost:0", true), ("[::1]:0", true), (":1", false), ("unix:0", false)]
        {
            assert_eq!(Listen::parse(text).map(|listen| listen.is_ephemeral()), Ok(free), "{text}");
        }
    }
}
