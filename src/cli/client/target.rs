//! Which monitor is meant, and where those of this machine are. Reading what was typed is pure.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use gorgon_sys::{Address, Errno};

use super::Failure;
use crate::text::columns::push_visible;
use crate::text::number::{parse_decimal, push_decimal_str};

/// What was asked for.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Target {
    /// The one that runs.
    Only,
    /// The one of a process.
    Process(u32),
    /// A socket by its path.
    Unix(Vec<u8>),
    /// By TCP, at the first of these that takes the connection; and who to be there.
    Tcp(Option<String>, Vec<SocketAddr>),
}

impl Target {
    /// Reads `PID`, `unix:PATH`, a path with a slash in it, or `[USER@]HOST:PORT`.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &[u8]) -> Result<Target, String> {
        if let Some(path) = text.strip_prefix(b"unix:") {
            return if path.is_empty() { Err(expected(text)) } else { Ok(Target::Unix(path.to_owned())) };
        }
        if text.contains(&b'/') {
            return Ok(Target::Unix(text.to_owned()));
        }
        if let Some(process) = parse_decimal(text) {
            return u32::try_from(process).map(Target::Process).map_err(|_| expected(text));
        }
        let address = core::str::from_utf8(text).map_err(|_| expected(text))?;
        let (user, address) = match address.rsplit_once('@') {
            Some((user, address)) => (Some(user.to_owned()), address),
            None => (None, address),
        };
        if user.as_ref().is_some_and(|user| !is_user(user)) {
            return Err(expected(text));
        }
        let Some((host, port)) = address.rsplit_once(':') else { return Err(expected(text)) };
        let port = parse_decimal(port.as_bytes()).and_then(|port| u16::try_from(port).ok());
        let port = port.filter(|port| *port > 0).ok_or_else(|| expected(text))?;
        let hosts = match host {
            "localhost" | "" => vec![IpAddr::V6(Ipv6Addr::LOCALHOST), IpAddr::V4(Ipv4Addr::LOCALHOST)],
            _ => {
                // IPv6 stands in brackets.
                let bare = host
                    .strip_prefix('[')
                    .and_then(|host| host.strip_suffix(']'))
                    .filter(|host| host.contains(':'));
                let ip =
                    bare.or(Some(host).filter(|host| !host.contains(':'))).and_then(|host| host.parse().ok());
                let words = ": names are not looked up: give the address itself, or localhost";
                vec![ip.ok_or_else(|| [&shown(text), words].concat())?]
            }
        };
        Ok(Target::Tcp(user, hosts.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()))
    }
}

/// Whether a login may have this name: one word of the login's first line.
#[must_use]
pub fn is_user(user: &str) -> bool {
    !user.is_empty() && user.len() <= 64 && user.bytes().all(|byte| byte.is_ascii_graphic())
}

fn expected(text: &[u8]) -> String {
    [&shown(text), ": expected PID, PATH, unix:PATH, or [USER@]HOST:PORT"].concat()
}

fn shown(text: &[u8]) -> String {
    let mut out = String::new();
    push_visible(text, &mut out);
    out
}

/// Where monitors of this machine put their sockets: best first. `user` is who looks.
#[must_use]
pub fn places(runtime: Option<&[u8]>, user: u32) -> Vec<Vec<u8>> {
    let mut places = vec![b"/run/gorgon".to_vec()];
    places.extend(
        runtime.filter(|place| place.first() == Some(&b'/')).map(|place| [place, b"/gorgon"].concat()),
    );
    let mut own = "/tmp/gorgon-".to_owned();
    push_decimal_str(user.into(), &mut own);
    places.push(own.into_bytes());
    places
}

/// The sockets that somebody listens on, with the processes they are named after. Places of others are not looked at in
/// `/tmp`, where anybody could have made them.
#[must_use]
pub fn find(places: &[Vec<u8>], user: u32) -> Vec<(u32, Vec<u8>)> {
    let mut found: Vec<(u32, Vec<u8>)> = Vec::new();
    for place in places {
        let Ok(stat) = gorgon_sys::stat_path(place.as_slice()) else { continue };
        if place.starts_with(b"/tmp/") && (stat.user != user || stat.mode & 0o022 != 0) {
            continue;
        }
        let Ok(mut directory) = gorgon_sys::open_file(place.as_slice()).and_then(gorgon_sys::Directory::new)
        else {
            continue;
        };
        let mut buffer = [core::mem::MaybeUninit::uninit(); 4096];
        let mut each = |name: &[u8], _: Option<gorgon_sys::FileKind>, _: u64| {
            let process = name.strip_suffix(b".sock").and_then(parse_decimal);
            if let Some(process) = process.and_then(|process| u32::try_from(process).ok()) {
                let at = found.partition_point(|(other, _)| *other < process);
                found.insert(at, (process, [place.as_slice(), b"/", name].concat()));
            }
        };
        while directory.next_slice(&mut buffer, &mut each).unwrap_or(false) {}
    }
    found.retain(|(_, path)| is_live(path));
    found
}

/// Whether somebody listens: one who turns us away does.
fn is_live(path: &[u8]) -> bool {
    match gorgon_sys::connect(&Address::Unix(path.to_owned())) {
        Ok(_) | Err(Errno::ACCESS | Errno::PERM | Errno::AGAIN) => true,
        Err(_) => false,
    }
}

/// The one socket that is meant among those found.
///
/// # Errors
/// That there is none, or several, which are listed.
pub fn choose(
    process: Option<u32>,
    found: Vec<(u32, Vec<u8>)>,
    places: &[Vec<u8>],
) -> Result<Vec<u8>, Failure> {
    let mut wanted: Vec<_> =
        found.into_iter().filter(|(found, _)| process.is_none_or(|pid| pid == *found)).collect();
    match (wanted.pop(), wanted.is_empty()) {
        (Some((_, path)), true) => Ok(path),
        (Some(last), false) => {
            let mut text = "several run; say which:".to_owned();
            wanted.push(last);
            for (process, path) in wanted {
                text.push_str("\n  ");
                push_decimal_str(process.into(), &mut text);
                text.push_str("  ");
                push_visible(&path, &mut text);
            }
            Err(Failure::usage(&[&text]))
        }
        (None, _) => {
            let mut text = "no monitor answers".to_owned();
            if let Some(process) = process {
                text.push_str(" for process ");
                push_decimal_str(process.into(), &mut text);
            }
            for (at, place) in places.iter().enumerate() {
                text.push_str(if at == 0 { " in " } else { ", " });
                push_visible(place, &mut text);
            }
            Err(Failure::failed(&[&text]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let tcp = |user: Option<&str>, addresses: &[&str]| {
            Target::Tcp(
                user.map(ToOwned::to_owned),
                addresses.iter().map(|text| text.parse().unwrap()).collect(),
            )
        };
        for (text, wanted) in [
            ("4711", Target::Process(4711)),
            ("unix:x", Target::Unix(b"x".to_vec())),
            ("./x", Target::Unix(b"./x".to_vec())),
            ("/run/x.sock", Target::Unix(b"/run/x.sock".to_vec())),
            ("127.0.0.1:8023", tcp(None, &["127.0.0.1:8023"])),
            ("[::1]:8023", tcp(None, &["[::1]:8023"])),
            ("me@[::1]:8023", tcp(Some("me"), &["[::1]:8023"])),
            ("localhost:8023", tcp(None, &["[::1]:8023", "127.0.0.1:8023"])),
            (":8023", tcp(None, &["[::1]:8023", "127.0.0.1:8023"])),
        ] {
            assert_eq!(Target::parse(text.as_bytes()), Ok(wanted), "{text}");
        }
        for text in [
            "",
            "x",
            "unix:",
            "localhost",
            "localhost:",
            "localhost:0",
            "localhost:70000",
            "4294967296",
            "@:1",
        ] {
            assert!(Target::parse(text.as_bytes()).unwrap_err().contains("expected"), "{text}");
        }
        assert!(Target::parse(b"example.org:80").unwrap_err().contains("names are not looked up"));
        assert!(Target::parse(b"\xff\x1b").unwrap_err().starts_with("\u{fffd}\\x1b: expected"));
    }

    #[test]
    fn places_are_named() {
        let named = |runtime: Option<&'static [u8]>| {
            places(runtime, 7)
                .into_iter()
                .map(|place| String::from_utf8(place).unwrap())
                .collect::<Vec<_>>()
                .join(" ")
        };
        assert_eq!(named(None), "/run/gorgon /tmp/gorgon-7");
        assert_eq!(named(Some(b"/run/user/7")), "/run/gorgon /run/user/7/gorgon /tmp/gorgon-7");
        assert_eq!(named(Some(b"relative")), "/run/gorgon /tmp/gorgon-7");
    }

    #[test]
    fn live_sockets_are_found() {
        let place = std::env::temp_dir().join(format!("gorgon-places-{}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        let places = [place.as_os_str().as_encoded_bytes().to_vec(), b"/nonexistent".to_vec()];
        let live = |name: &str| std::os::unix::net::UnixListener::bind(place.join(name)).unwrap();
        drop(live("1.sock"));
        std::fs::write(place.join("2.sock"), "").unwrap();
        let user = gorgon_sys::privilege::identity().0;
        let chosen = |process| match choose(process, find(&places, user), &places) {
            Ok(path) => String::from_utf8(path).unwrap().rsplit('/').next().unwrap().to_owned(),
            Err(failure) => failure.message.clone(),
        };
        assert!(chosen(None).starts_with("no monitor answers in /"));
        let _three = live("3.sock");
        let _other = live("other.sock");
        assert_eq!((chosen(None), chosen(Some(3))), ("3.sock".to_owned(), "3.sock".to_owned()));
        assert!(chosen(Some(1)).starts_with("no monitor answers for process 1 in /"));
        let _four = live("4.sock");
        assert!(chosen(None).starts_with("several run; say which:\n  3  /"));
        assert_eq!(chosen(Some(4)), "4.sock");
        assert!(find(&places, user + 1).is_empty() || !place.starts_with("/tmp"));
        std::fs::remove_dir_all(&place).unwrap();
    }
}
