//! What the program answers, byte for byte over real connections: the cases of RFC 9110 and 9112 on which servers
//! differ, and those that test suites for servers and their advisories are made of. Each case is a line of a table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

#[path = "../common/mod.rs"]
mod common;

mod changes;
mod conditions;
mod connections;
mod fields;
mod files;
mod framing;
mod kinds;
mod lines;
mod pages;
mod times;
mod variants;

use common::{Directory, Reply, Server, read_all};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What becomes of the connection after the reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// The request sent behind it is answered.
    Kept,
    /// It is closed, and the reply says so.
    Closed,
}
pub use Fate::{Closed, Kept};

/// Name, bytes sent, status of the first reply, fate.
pub type Case = (&'static str, &'static [u8], u16, Fate);
/// A [`Case`] with fields of the reply; `-` is one that is not there.
pub type Told = (&'static str, &'static [u8], u16, Fate, &'static [(&'static str, &'static str)]);

/// Sent behind each case. Its reply is known by its body, and nothing else has that.
pub const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
/// The body of its reply.
pub const PROBE_BODY: &[u8] = b"the probe";

/// A directory with the probe, a small file `f`, an index and a subdirectory.
pub fn site() -> Directory {
    let directory = Directory::new();
    directory.file("probe", PROBE_BODY);
    directory.file("f", "file\n");
    directory.file("index.html", "<p>index");
    directory.file("d/g.txt", "g\n");
    directory
}

/// A site and its server, started with no further arguments.
pub fn served() -> (Directory, Server) {
    let directory = site();
    let server = Server::start(directory.path(), &[]);
    (directory, server)
}

/// Runs all cases and tells of all that fail.
pub fn run(cases: &[Case]) {
    let told: Vec<Told> =
        cases.iter().map(|&(name, bytes, status, fate)| (name, bytes, status, fate, &[][..])).collect();
    run_told(&told);
}

/// As [`run`], with fields.
pub fn run_told(cases: &[Told]) {
    let (_directory, mut server) = served();
    all(
        cases,
        |&(name, ..)| name.to_owned(),
        |&(_, bytes, status, fate, fields)| {
            let reply = check(&server, bytes, status, fate);
            has(&reply, fields);
        },
    );
    assert!(server.runs());
}

/// Tries each case and fails after the last one, with the names of those that failed.
pub fn all<T>(cases: &[T], name: impl Fn(&T) -> String, attempt: impl Fn(&T)) {
    let failed: Vec<String> = cases
        .iter()
        .filter(|case| catch_unwind(AssertUnwindSafe(|| attempt(case))).is_err())
        .map(name)
        .collect();
    assert!(failed.is_empty(), "{} of {} failed: {failed:#?}", failed.len(), cases.len());
}

/// Sends a request with the probe behind it in one piece, and leaves it to the server to end the connection.
pub fn exchange(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = server.connect();
    // A server that has refused may have closed before all is written.
    let _ = stream.write_all(&[bytes, PROBE].concat());
    read_all(&mut stream)
}

/// Whether a request is for the head alone.
pub fn is_head(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\r\n").unwrap_or(bytes).starts_with(b"HEAD ")
}

/// Sends a request, expects this status and fate, and gives the reply.
pub fn check(server: &Server, bytes: &[u8], status: u16, fate: Fate) -> Reply {
    let all = exchange(server, bytes);
    let text = String::from_utf8_lossy(&all);
    assert!(!all.is_empty(), "no reply");
    let (reply, mut rest) = Reply::first(&all, is_head(bytes));
    assert_eq!(reply.status, status, "{text}");
    sound(&reply);
    let connection = reply.field("connection");
    match fate {
        Kept => {
            assert_ne!(connection.as_deref(), Some("close"), "{text}");
            let (probe, after) = Reply::first(rest, false);
            assert_eq!((probe.status, &probe.body[..]), (200, PROBE_BODY), "{text}");
            assert_eq!(probe.field("connection").as_deref(), Some("close"));
            rest = after;
        }
        Closed => assert_eq!(connection.as_deref(), Some("close"), "{text}"),
    }
    assert!(rest.is_empty(), "more than was asked for: {text}");
    reply
}

/// The rules that every reply keeps.
pub fn sound(reply: &Reply) {
    let head = &reply.head;
    assert_eq!(reply.field("server").as_deref(), Some("gorgon"), "{head}");
    let date = reply.field("date").expect("a date");
    assert!(httpdate::parse_http_date(&date).is_ok() && date.len() == 29 && date.ends_with(" GMT"), "{head}");
    match reply.status {
        204 | 304 => {
            assert!(reply.body.is_empty());
            assert_eq!(reply.field("content-length"), None, "{head}");
            assert_eq!(reply.field("content-type"), None, "{head}");
        }
        // A listing is made while it is sent.
        200 if reply.field("vary").as_deref() == Some("Accept") => {
            has(reply, &[("Transfer-Encoding", "chunked"), ("Content-Length", "-")]);
        }
        _ => has(reply, &[("Transfer-Encoding", "-")]),
    }
    let framed = reply.field("content-length").is_some() || reply.field("transfer-encoding").is_some();
    assert_eq!(framed, !matches!(reply.status, 204 | 304), "{head}");
    if reply.status == 405 {
        assert_eq!(reply.field("allow").as_deref(), Some("GET, HEAD, OPTIONS"), "{head}");
    }
    if reply.status == 301 || reply.status >= 400 {
        assert_eq!(reply.field("x-content-type-options").as_deref(), Some("nosniff"), "{head}");
        assert_eq!(reply.field("last-modified").or(reply.field("etag")), None, "{head}");
        assert_eq!(reply.field("vary").as_deref(), Some("Accept"), "{head}");
        // Code and reason are all that the page says, and where it leads: nothing else of the request is in it.
        let line = head.split("\r\n").next().unwrap().strip_prefix("HTTP/1.1 ").unwrap();
        let (code, reason) = line.split_once(' ').unwrap();
        let sentence = match code {
            "403" => "<p>This is not open to visitors.\n",
            "404" => "<p>There is nothing at this address. It may have been moved, or mistyped.\n",
            _ => "",
        };
        let location = reply.field("location").unwrap_or_default();
        let (text, link) = if location.is_empty() {
            (String::new(), String::new())
        } else {
            let shown = location.replace('&', "&amp;").replace('\'', "&#39;");
            assert!(!location.contains(['<', '>', '"']), "{head}");
            (format!(": {location}"), format!("<p><a href=\"{shown}\">{shown}</a>\n"))
        };
        let page = match reply.field("content-type").unwrap().as_str() {
            "text/plain; charset=utf-8" => format!("{line}{text}\n"),
            "application/json" => format!("{{\"status\":{code},\"error\":\"{reason}\"}}\n"),
            "text/html; charset=utf-8" => format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<meta name=\"viewport\" content=\"width=device-width\">\n\
                 <meta name=\"color-scheme\" content=\"light dark\">\n\
                 <title>{line}</title>\n<h1>{line}</h1>\n{sentence}{link}</html>\n"
            ),
            other => panic!("{other}"),
        };
        assert_eq!(reply.field("content-length"), Some(page.len().to_string()));
        assert!(reply.body.is_empty() || reply.body == page.as_bytes(), "{head}");
    }
}

/// Expects fields; `-` is one that is not there.
pub fn has(reply: &Reply, fields: &[(&str, &str)]) {
    for &(name, value) in fields {
        let found = reply.field(name);
        assert_eq!(found.as_deref(), Some(value).filter(|value| *value != "-"), "{name} in {}", reply.head);
    }
}

/// The head without its date, which may be another a moment later.
pub fn undated(reply: &Reply) -> String {
    reply.head.split("\r\n").filter(|line| !line.starts_with("Date: ")).collect::<Vec<_>>().join("\n")
}
