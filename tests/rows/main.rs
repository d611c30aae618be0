//! One test for each row of the two tables that this server is held against: the choices on which HTTP servers
//! differ, and the classes of bugs that small servers have had. A row is found by the name of its test. Each is
//! decided by few requests to the real process; the comment names the test that goes deeper.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

#[path = "../common/mod.rs"]
mod common;

mod choices;
mod classes;

use common::{Directory, Reply, Server, read_all};
use std::io::Write;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// What becomes of the connection after the reply.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fate {
    /// The request sent behind it is answered.
    Kept,
    /// It is closed, and the reply says so.
    Closed,
}
use Fate::{Closed, Kept};

/// What is to end soon ends within this: more is a hang.
const SOON: Duration = Duration::from_secs(20);
/// Sent behind each request. Its reply is known by its body, and nothing else has that.
const PROBE: &[u8] = b"GET /probe HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
const PROBE_BODY: &[u8] = b"the probe";
/// The largest upload.
const UPLOAD_MAX: usize = 100 << 10;

/// A directory and its server.
struct Site {
    directory: Directory,
    server: Server,
}

/// The site of all tests that need no settings of their own. The last to use it ends it.
fn shared() -> Arc<Site> {
    static SITE: Mutex<Weak<Site>> = Mutex::new(Weak::new());
    let mut site = SITE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    site.upgrade().unwrap_or_else(|| {
        let new = Arc::new(Site::start(&["--upload", "up", "--http.main.upload_max=100K"]));
        *site = Arc::downgrade(&new);
        new
    })
}

/// The bytes of the file `r`, which do not repeat soon.
fn pieces() -> Vec<u8> {
    (0..5000_u32).map(|n| (n * 7 + n / 256) as u8).collect()
}

impl Site {
    fn start(arguments: &[&str]) -> Site {
        let directory = Directory::new();
        directory.file("probe", PROBE_BODY);
        directory.file("f", "file\n");
        directory.file("r", pieces());
        directory.file("d/g.txt", "g\n");
        directory.file("up/old", "old");
        directory.file(".hidden", "hidden");
        directory.file(".well-known/w", "w");
        let server = Server::start(directory.path(), arguments);
        Site { directory, server }
    }

    /// Sends bytes with the probe behind them, expects this status and fate, and gives the reply.
    fn raw(&self, bytes: impl AsRef<[u8]>, status: u16, fate: Fate) -> Reply {
        let bytes = bytes.as_ref();
        let shown = bytes[..bytes.len().min(200)].escape_ascii().to_string();
        let mut stream = self.server.connect();
        // A server that has refused may have closed before all is written.
        let _ = stream.write_all(&[bytes, PROBE].concat());
        let all = read_all(&mut stream);
        assert!(!all.is_empty(), "no reply to {shown}");
        let (reply, rest) = Reply::first(&all, bytes.starts_with(b"HEAD "));
        assert_eq!(reply.status, status, "{shown}\n{}", reply.head);
        let closes = reply.field("connection").as_deref() == Some("close");
        if fate == Kept {
            assert!(!closes, "{shown}\n{}", reply.head);
            let replies = Reply::all(rest);
            assert_eq!(replies.len(), 1, "{shown}");
            assert_eq!((replies[0].status, &replies[0].body[..]), (200, PROBE_BODY), "{shown}");
        } else {
            assert!(closes, "{shown}\n{}", reply.head);
            assert!(rest.is_empty(), "{shown}: more than was asked for: {}", String::from_utf8_lossy(rest));
        }
        reply
    }

    /// A request with a good Host. `line` is its method and target, `fields` end in CR LF each.
    fn ask(&self, line: &str, fields: &str, status: u16, fate: Fate) -> Reply {
        self.raw(format!("{line} HTTP/1.1\r\nHost: h\r\n{fields}\r\n"), status, fate)
    }

    /// A GET with one more field, after which the connection goes on.
    fn get(&self, target: &str, field: &str, status: u16) -> Reply {
        let fields = if field.is_empty() { String::new() } else { format!("{field}\r\n") };
        self.ask(&format!("GET {target}"), &fields, status, Kept)
    }

    /// A request with a chunked body.
    fn chunked(&self, line: &str, body: impl AsRef<[u8]>, status: u16, fate: Fate) -> Reply {
        let head = format!("{line} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
        self.raw([head.as_bytes(), body.as_ref()].concat(), status, fate)
    }

    /// A request with a body of a length.
    fn body(&self, line: &str, body: impl AsRef<[u8]>, status: u16, fate: Fate) -> Reply {
        let length = body.as_ref().len();
        let head = format!("{line} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
        self.raw([head.as_bytes(), body.as_ref()].concat(), status, fate)
    }

    /// The names in the directory for uploads, drafts among them.
    fn uploads(&self) -> Vec<String> {
        let all = std::fs::read_dir(self.directory.path().join("up")).unwrap();
        let mut names: Vec<String> =
            all.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// Expects fields; `-` is one that is not there.
fn has(reply: &Reply, fields: &[(&str, &str)]) {
    for &(name, value) in fields {
        let found = reply.field(name);
        assert_eq!(found.as_deref(), Some(value).filter(|value| *value != "-"), "{name} in {}", reply.head);
    }
}

/// Waits until something is so.
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < SOON, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Memory of a process's own that has been touched, in KiB.
fn resident(process: u32) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Processor time that a process has used, in the hundredths of a second that proc(5) counts.
fn processor_time(process: u32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    Duration::from_millis(10 * (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()))
}
