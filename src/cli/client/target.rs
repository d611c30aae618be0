//! Which monitor is meant. Pure: those of this machine were looked up elsewhere.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::Failure;
use crate::cli::rundir::{Found, Search};
use crate::monitor::keys::is_user;
use crate::text::columns::push_visible;
use crate::text::join::joined;
use crate::text::number::{parse_decimal, push_decimal_str};

/// What was asked for.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Target {
    /// The one that runs and whose socket lies where they usually do.
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
                vec![ip.ok_or_else(|| joined(&[&shown(text), words]))?]
            }
        };
        Ok(Target::Tcp(user, hosts.into_iter().map(|ip| SocketAddr::new(ip, port)).collect()))
    }
}

fn expected(text: &[u8]) -> String {
    let hint = if text.contains(&b':') { "" } else { "; a command goes behind -c" };
    joined(&[&shown(text), ": expected PID, PATH, unix:PATH, or [USER@]HOST:PORT", hint])
}

fn shown(text: &[u8]) -> String {
    let mut out = String::new();
    push_visible(text, &mut out);
    out
}

/// The one socket that is meant among those that were found. Of several of one process the first is.
///
/// # Errors
/// That there is none, or of several processes, which are listed so that each can be given.
pub fn choose(process: Option<u32>, search: Search) -> Result<Found, Failure> {
    let Search { places, mut found, denied } = search;
    let all = list(&found);
    found.retain(|found| process.is_none_or(|wanted| found.process == Some(wanted)));
    let first = found.first().map(|first| first.process);
    if found.len() > 1 && found.iter().any(|other| other.process.is_none() || Some(other.process) != first) {
        return Err(Failure::usage(&["several run; say which:", &list(&found)]));
    }
    if !found.is_empty() {
        return Ok(found.swap_remove(0));
    }
    let mut text = "no monitor answers".to_owned();
    if let Some(process) = process {
        text.push_str(" for process ");
        push_decimal_str(process.into(), &mut text);
        if !all.is_empty() {
            return Err(Failure::failed(&[&text, "; there are:", &all]));
        }
    }
    push_paths(" in ", &places, &mut text);
    push_paths("; this user may not use ", &denied, &mut text);
    Err(Failure::failed(&[
        &text,
        "; one with another name or place is given as gorgon monitor PATH or HOST:PORT",
    ]))
}

/// Appends paths, if there are any, with commas between them.
fn push_paths(before: &str, paths: &[Vec<u8>], out: &mut String) {
    for (at, path) in paths.iter().enumerate() {
        out.push_str(if at == 0 { before } else { ", " });
        push_visible(path, out);
    }
}

/// Sockets, one a line: the process, if it is known, and the path, by either of which it can be given.
fn list(found: &[Found]) -> String {
    let mut text = String::new();
    for Found { process, path, .. } in found {
        text.push_str("\n  ");
        if let Some(process) = process {
            push_decimal_str((*process).into(), &mut text);
            text.push_str("  ");
        }
        push_visible(path, &mut text);
    }
    text
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
    fn one_is_chosen() {
        let paths = |paths: &[&str]| paths.iter().map(|path| path.as_bytes().to_vec()).collect::<Vec<_>>();
        let among = |process: Option<u32>, found: &[(Option<u32>, &str)], denied: &[&str]| {
            let found =
                found.iter().map(|&(process, path)| Found { process, path: path.into(), socket: None });
            let places = paths(&["/run/user/7/gorgon", "/run/gorgon"]);
            let search = Search { places, found: found.collect(), denied: paths(denied) };
            match choose(process, search) {
                Ok(found) => String::from_utf8(found.path).unwrap(),
                Err(failure) => failure.message.clone(),
            }
        };
        let chosen = |process: Option<u32>, found: &[(Option<u32>, &str)]| among(process, found, &[]);
        let both = [(Some(3), "/run/gorgon/3.sock"), (Some(44), "/tmp/gorgon-7/44.sock")];
        assert_eq!(chosen(None, &both[..1]), both[0].1);
        assert_eq!(chosen(Some(44), &both), both[1].1);
        let listed = "several run; say which:\n  3  /run/gorgon/3.sock\n  44  /tmp/gorgon-7/44.sock";
        assert_eq!(chosen(None, &both), listed);
        let named = [(Some(5), "/run/gorgon/main.sock"), (None, "/run/gorgon/b.sock")];
        assert_eq!(chosen(None, &named[1..]), named[1].1);
        assert_eq!(chosen(Some(5), &named), named[0].1, "the system knows whose it is");
        let listed = "\n  5  /run/gorgon/main.sock\n  /run/gorgon/b.sock";
        assert_eq!(chosen(None, &named), ["several run; say which:", listed].concat());
        assert_eq!(
            chosen(Some(4), &named),
            ["no monitor answers for process 4; there are:", listed].concat()
        );
        let two = [(Some(5), "/a.sock"), (Some(5), "/b.sock"), (Some(6), "/c.sock")];
        assert_eq!(chosen(Some(5), &two), "/a.sock");
        assert_eq!(chosen(None, &two[..2]), "/a.sock");
        assert!(chosen(None, &two).starts_with("several run; say which:\n  5  /a.sock\n"));
        let unknown = [(None, "/a.sock"), (None, "/b.sock")];
        assert_eq!(chosen(None, &unknown), "several run; say which:\n  /a.sock\n  /b.sock");
        let end = "; one with another name or place is given as gorgon monitor PATH or HOST:PORT";
        let places = " in /run/user/7/gorgon, /run/gorgon";
        assert_eq!(chosen(None, &[]), ["no monitor answers", places, end].concat());
        assert_eq!(chosen(Some(4), &[]), ["no monitor answers for process 4", places, end].concat());
        let denied = "; this user may not use /run/gorgon/3.sock, /x";
        assert_eq!(
            among(None, &[], &["/run/gorgon/3.sock", "/x"]),
            ["no monitor answers", places, denied, end].concat()
        );
        assert_eq!(among(Some(3), &both, &["/x"]), both[0].1);
    }
}
