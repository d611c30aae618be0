//! The classes of bugs that small servers have had: `class_` and what the class is.
//!
//! Two rows have nothing to test yet, for there are neither CGI nor gateways: what a program finds in its environment
//! (`LD_PRELOAD` from a query, `HTTP_PROXY`), and shells that take words of a query as commands. Their tests say that
//! no program is run, and fail on the day when one is. Of the row of stuck slots the part about gateways waits too,
//! and so does that of multipart forms, which nothing here parses.

mod files;

use super::*;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

/// Users `sha` (password `sha`) and `slow` (`slow`), whose hash takes more than 100 milliseconds.
const USERS: &str = "sha:{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY=\n\
                     slow:$2y$12$k2jLrPMRypuEoJrWgMRqf.RqewIFArsqVwyxGcw9w3stsakzZ5iWK\n";
/// `sha:sha`, `slow:x` and `nobody:x`.
const LOGIN: &str = "Authorization: Basic c2hhOnNoYQ==\r\n";
const WRONG: &str = "Authorization: Basic c2xvdzp4\r\n";
const UNKNOWN: &str = "Authorization: Basic bm9ib2R5Ong=\r\n";

/// Writes a file of users that only the program may read.
fn users(directory: &Directory, name: &str, lines: &str) -> String {
    let file = directory.file(name, lines);
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    common::give(&file);
    file.to_str().unwrap().to_owned()
}

/// A site for which one needs a password.
fn guarded(lines: &str, arguments: &[&str]) -> (Directory, Site) {
    let aside = Directory::new();
    let file = users(&aside, "users", lines);
    let site = Site::start(&[&["--auth-file", &file], arguments].concat());
    (aside, site)
}

/// One request on a connection of its own.
fn once(server: &Server, line: &str, fields: &str, body: &[u8]) -> Reply {
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n{fields}\r\n"
    );
    Reply::first(&server.talk(&[head.as_bytes(), body].concat()), line.starts_with("HEAD")).0
}

/// The number of the helper process that checks passwords.
fn helper(server: &Server) -> u32 {
    let id = server.child.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    children.split_whitespace().next().unwrap().parse().unwrap()
}

/// Deeper: `requests/framing.rs` content_length, chunks.
#[test]
fn class_negative_or_wrapping_lengths() {
    let site = shared();
    for length in
        ["-1", "-0", "+5", "0x5", "9223372036854775808", "18446744073709551615", "18446744073709551621"]
    {
        site.ask("PUT /up/length", &format!("Content-Length: {length}\r\n"), 400, Closed);
        site.ask("GET /f", &format!("Content-Length: {length}\r\n"), 400, Closed);
    }
    for size in ["-1", "-5", "+5", "0x5", "10000000000000005"] {
        site.chunked("PUT /up/length", format!("{size}\r\nhello\r\n0\r\n\r\n"), 400, Closed);
    }
    // Two that are numbers, and whose sum wraps.
    site.chunked("PUT /up/length", "5\r\nhello\r\nffffffffffffffff\r\nx", 400, Closed);
    // Nothing is made ready for what is announced.
    let site = Site::start(&["--upload", "up", "--http.main.upload_reserve=0"]);
    let before = resident(site.server.child.id());
    let mut streams = Vec::new();
    for fields in [
        "Content-Length: 9223372036854775807\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n7fffffffffffff00\r\n",
    ] {
        for _ in 0..10 {
            let mut stream = site.server.connect();
            write!(stream, "PUT /up/length HTTP/1.1\r\nHost: h\r\n{fields}hello").unwrap();
            streams.push(stream);
        }
    }
    site.get("/f", "", 200);
    assert!(resident(site.server.child.id()) < before + 1024, "from {before} KiB");
    drop(streams);
    until("what was begun is gone", || site.uploads() == ["old"]);
}

/// What is sent as a body, or behind a refusal, is never answered as a request: that is looked at after each of these.
/// Deeper: `requests/framing.rs`.
#[test]
fn class_request_smuggling() {
    let site = shared();
    let hidden = "GET /d/g.txt HTTP/1.1\r\nHost: h\r\n\r\n";
    for fields in [
        "Transfer-Encoding: ,chunked\r\n",
        "Transfer-Encoding: chunked,\r\n",
        "Transfer-Encoding: chunked, chunked\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding: \x0bchunked\r\n",
        "Content-Length: 5,\r\n",
        "Content-Length: 0, 5\r\n",
        "Content-Length: 5\r\nContent-Length:\r\n",
        "Content-Length : 5\r\n",
        ": b\r\nContent-Length: 5\r\n",
        ":\r\n",
        "A\r\n",
        "A: b\nContent-Length: 5\r\n",
        "A: b\r\n Content-Length: 5\r\n",
    ] {
        site.raw(format!("POST /f HTTP/1.1\r\nHost: h\r\n{fields}\r\n{hidden}"), 400, Closed);
    }
    // Trailers are not fields, and end nothing.
    let trailers =
        "0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\nConnection: close\r\nHost: a b\r\n\r\n";
    site.chunked("POST /f", trailers, 405, Closed);
    site.chunked("PUT /up/smuggled", format!("2;a=\"b\"\r\nhi\r\n{trailers}"), 201, Kept);
    assert_eq!(site.get("/up/smuggled", "", 200).body, b"hi");
    site.chunked("PUT /up/smuggled", format!("2;\n\r\nhi\r\n0\r\n\r\n{hidden}"), 400, Closed);
    // A body of requests, of a method that takes none.
    site.body("GET /f", hidden, 200, Kept);
    site.body("OPTIONS *", hidden, 204, Kept);
}

/// Rules are about the place that is meant, however it is written. What is open without a password, and where files
/// may be put, is all there is of rules yet. Deeper: `auth.rs`, `upload/places.rs`.
#[test]
fn class_access_rule_evaded_by_spelling() {
    let (_aside, site) = guarded(USERS, &["--upload", "up"]);
    for target in [
        "/f",
        "//f",
        "/./f",
        "/d/../f",
        "/%2e/f",
        "/%66",
        "/f/",
        "/f?x",
        "/F",
        "/f%20",
        "/f%00",
        "/f;x",
        "/d%2fg.txt",
        "/d\\g.txt",
        "/",
        "/d",
        "/d/",
        "/.well-known/w",
        "http://h/f",
        "http://other//f",
        "/none",
    ] {
        for method in ["GET", "HEAD", "POST", "OPTIONS", "PUT"] {
            let reply = once(&site.server, &format!("{method} {target}"), "", b"");
            // These are no places at all, and what is there does not matter.
            let status = if target.contains("%00") {
                400
            } else if target.contains("%2f") {
                404
            } else {
                401
            };
            assert_eq!(reply.status, status, "{method} {target}");
        }
    }
    assert_eq!(once(&site.server, "GET /f", LOGIN, b"").body, b"file\n");
    for (target, status) in [
        ("/up/a", 201),
        ("//up//b", 201),
        ("/up/./c", 201),
        ("/d/../up/d", 201),
        ("/%75p/e", 201),
        ("/up/../x", 405),
        ("/up/%2e%2e/x", 405),
        ("/up/.%2e/f", 405),
        ("/up//../f", 405),
        ("/upx", 405),
        ("/UP/x", 405),
        ("/up%2fx", 404),
        ("/up/..%2fx", 404),
        ("/up/../../x", 400),
        ("/up/%2e%2e/%2e%2e/x", 400),
    ] {
        assert_eq!(once(&site.server, &format!("PUT {target}"), LOGIN, b"x").status, status, "{target}");
        let unknown = if matches!(status, 400 | 404) { status } else { 401 };
        assert_eq!(once(&site.server, &format!("PUT {target}"), "", b"x").status, unknown, "{target}");
    }
    assert_eq!(site.uploads(), ["a", "b", "c", "d", "e", "old"]);
}

/// Deeper: `auth.rs` who_is_not_let_in, files_that_cannot_be_used_are_refused_at_start; the fuzz targets `passwords`,
/// `accounts`.
#[test]
fn class_fixed_buffers() {
    // Lines that are long in a comment and behind the hash; one that is no user's is refused, and nothing breaks.
    let long = "x".repeat(200_000);
    let lines =
        format!("# {long}\n{}:{long}\n", USERS.replace("\nslow", &format!(":{long}\nslow")).trim_end());
    let (_aside, mut site) = guarded(&lines, &["--http.main.head_max=64K"]);
    for scheme in ["Basic", "Digest username=", "Bearer", "", &"S".repeat(300)] {
        for size in [255, 256, 257, 1024, 4095, 4096, 8192, 60_000] {
            let fields = format!("Authorization: {scheme} {}\r\n", "QUFB".repeat(size / 4));
            assert_eq!(once(&site.server, "GET /f", &fields, b"").status, 401, "{scheme} {size}");
        }
        let fields = format!("Authorization: {scheme} {}\r\n", "QUFB".repeat(16 << 10));
        assert_eq!(once(&site.server, "GET /f", &fields, b"").status, 431, "{scheme}");
    }
    for name in
        ["Forwarded", "X-Forwarded-For", "Range", "Accept", "Accept-Encoding", "If-None-Match", "Cookie"]
    {
        let fields = format!("{LOGIN}{name}: {}\r\n", "for=\"".repeat(10_000));
        assert_eq!(once(&site.server, "GET /f", &fields, b"").status, 200, "{name}");
    }
    assert!(site.server.runs());
    for lines in
        [format!("{long}:{{SHA}}2PRZAyDhNDqRW2OUFwZQqPNdaSY=\n"), format!("a:{long}\n"), long.repeat(6)]
    {
        let mut command = common::gorgon();
        let (aside, root) = (Directory::new(), Directory::new());
        command.args(["-l", "127.0.0.1:0", "--auth-file", &users(&aside, "users", &lines)]).arg(root.path());
        let said = common::refusal(command);
        assert!(said.contains("expected") && said.len() < 1000, "{said}");
    }
}

/// Every name that the server knows, twice. Deeper: `requests/fields.rs`, `requests/framing.rs`.
#[test]
fn class_duplicate_fields() {
    let site = shared();
    let tag = site.get("/f", "", 200).field("etag").unwrap();
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (name, value, status, fate) in [
        ("Host", "h", 400, Closed),
        ("Content-Length", "5", 400, Closed),
        ("Transfer-Encoding", "chunked", 400, Closed),
        ("Connection", "close", 200, Closed),
        ("Connection", "x", 200, Kept),
        ("Expect", "100-continue", 200, Kept),
        ("Expect", "x", 417, Closed),
        ("Range", "bytes=0-1", 200, Kept),
        ("If-Range", &tag, 200, Kept),
        ("If-Match", &tag, 200, Kept),
        ("If-Match", "\"x\"", 412, Kept),
        ("If-None-Match", &tag, 304, Kept),
        ("If-Modified-Since", date, 200, Kept),
        ("If-Unmodified-Since", date, 200, Kept),
        ("Accept", "text/html", 200, Kept),
        ("Accept-Encoding", "gzip", 200, Kept),
        ("Authorization", "Basic c2hhOnNoYQ==", 200, Kept),
        ("Origin", "http://a", 200, Kept),
        ("Upgrade", "h2c", 200, Kept),
        ("TE", "trailers", 200, Kept),
        ("Trailer", "A", 200, Kept),
        ("Content-Type", "text/plain", 200, Kept),
        ("Content-Range", "bytes 0-1/2", 200, Kept),
        ("User-Agent", "a", 200, Kept),
        ("Referer", "a", 200, Kept),
        ("Cookie", "a=b", 200, Kept),
        ("Date", date, 200, Kept),
    ] {
        let field = format!("{name}: {value}\r\n");
        // With Host alone, the first is that of the request.
        let count = if name == "Host" { 1 } else { 2 };
        site.ask("GET /f", &field.repeat(count), status, fate);
        site.ask(
            "GET /f",
            &format!("{}{field}", field.to_uppercase().repeat(count - 1)),
            status.min(999),
            fate,
        );
        let many =
            site.server.talk(format!("GET /f HTTP/1.1\r\nHost: h\r\n{}\r\n", field.repeat(90)).as_bytes());
        assert_eq!(Reply::first(&many, false).0.status, status, "{name}");
    }
}

/// Deeper: `ranges.rs` abuse.
#[test]
fn class_range_abuse() {
    let site = shared();
    let killer: Vec<String> = (0..1000).map(|n| format!("5-{n}")).collect();
    assert_eq!(site.get("/r", &format!("Range: bytes=0-,{}", killer.join(",")), 200).body, pieces());
    for range in ["bytes=-9223372036854775808", "bytes=-18446744073709551615", "bytes=0-18446744073709551616"]
    {
        assert_eq!(site.get("/r", &format!("Range: {range}"), 206).body, pieces(), "{range}");
    }
    site.get("/r", "Range: bytes=18446744073709551615-", 416);
    let reply = site.get("/r", "Range: bytes=4999-9223372036854775807", 206);
    assert_eq!(reply.body, pieces()[4999..]);
}

/// Deeper: `slow.rs`, `scale.rs` half_requests_hold_nobody_up; how long: `choice_44_dripping_heads_and_bodies`.
#[test]
fn class_memory_per_small_read() {
    let site = Site::start(&[]);
    let before = resident(site.server.child.id());
    let mut streams: Vec<_> = (0..20).map(|_| site.server.connect()).collect();
    for stream in &mut streams {
        stream.write_all(b"GET /f HTTP/1.1\r\nHost: h\r\nA: ").unwrap();
    }
    for _ in 0..3000 {
        for stream in &mut streams {
            stream.write_all(b"x").unwrap();
        }
    }
    site.get("/f", "", 200);
    // A page of 4 KiB for each is what they need; one for each read were 240 MB.
    let after = resident(site.server.child.id());
    assert!(after < before + 20 * 16 + 256, "from {before} to {after} KiB");
    for stream in &mut streams {
        stream.write_all(b"\r\nConnection: close\r\n\r\n").unwrap();
        assert_eq!(Reply::first(&read_all(stream), false).0.status, 200);
    }
}

/// Deeper: `upload/main.rs` what_is_cut_leaves_nothing, `requests/framing.rs` bodies_that_end_early.
#[test]
fn class_stuck_connection_slots() {
    let site = Site::start(&["--upload", "up", "--http.main.max_connections=8"]);
    site.get("/probe", "", 200);
    let before = site.server.descriptors();
    let mut streams = Vec::new();
    for line in ["PUT /up/stuck", "POST /f", "GET /f", "PUT /up/old"] {
        for body in ["5\r\nhel", "5\r\nhello\r\n0\r\n"] {
            let mut stream = site.server.connect();
            write!(stream, "{line} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}").unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            streams.push(stream);
        }
    }
    // The clients keep their half, and the slots are free.
    streams.iter_mut().for_each(|stream| drop(read_all(stream)));
    until("their slots are free", || site.server.descriptors() <= before + 1);
    site.get("/f", "", 200);
    assert_eq!(site.uploads(), ["old"]);
    assert_eq!(once(&site.server, "GET /up/old", "", b"").body, b"old");
}

/// Deeper: `scale.rs` half_requests_hold_nobody_up.
#[test]
fn class_busy_loop_on_a_long_head() {
    let site = Site::start(&["--http.main.head_max=64K"]);
    let process = site.server.child.id();
    let before = processor_time(process);
    let mut stream = site.server.connect();
    stream.write_all(b"GET /f HTTP/1.1\r\nHost: h\r\nA: ").unwrap();
    for _ in 0..60_000 {
        stream.write_all(b"x").unwrap();
    }
    // Scanned anew after each read these were two thousand million bytes.
    let used = processor_time(process) - before;
    assert!(used < Duration::from_secs(2), "{used:?}");
    // Beyond the limit it is answered, and what remains costs nothing.
    stream.write_all(&[b'x'; 10_000]).unwrap();
    stream.peek(&mut [0]).unwrap();
    let before = processor_time(process);
    std::thread::sleep(Duration::from_millis(500));
    let used = processor_time(process) - before;
    assert!(used <= Duration::from_millis(100), "{used:?} of doing nothing");
    assert_eq!(Reply::first(&read_all(&mut stream), false).0.status, 431);
}

/// By structure, for no time is told reliably: the helper works as long for a user that is not there as for the one
/// whose hash is the costliest. Verdicts are known by a keyed digest. Deeper: `auth.rs` others_do_not_wait.
#[test]
fn class_timing_of_passwords() {
    let (_aside, site) = guarded(USERS, &[]);
    let work = |fields: &str| {
        let before = processor_time(helper(&site.server));
        assert_eq!(once(&site.server, "GET /f", fields, b"").status, 401);
        processor_time(helper(&site.server)) - before
    };
    let (wrong, unknown) = (work(WRONG), work(UNKNOWN));
    assert!(wrong >= Duration::from_millis(30), "{wrong:?}");
    assert!(unknown >= wrong / 3 && unknown <= wrong * 3, "{wrong:?} {unknown:?}");
}

/// A page of its own for each connection, and descriptors that come back. Deeper: `scale.rs`, `limits.rs`,
/// `engine/main.rs` a_system_that_fails_at_times_loses_nothing.
#[test]
fn class_exhaustion_of_memory_and_descriptors() {
    let directory = Directory::new();
    directory.file("f", "file\n");
    let mut command = Command::new("bash");
    command.args([
        "-c",
        "ulimit -n 32; exec \"$0\" \"$@\"",
        env!("CARGO_BIN_EXE_gorgon"),
        "-l",
        "127.0.0.1:0",
    ]);
    command.arg(directory.path());
    let mut server = Server::spawn(command);
    server.get("/f");
    let (before, memory) = (server.descriptors(), resident(server.child.id()));
    for _ in 0..5 {
        let silent: Vec<_> = (0..100).map(|_| server.connect()).collect();
        let mut half: Vec<_> = (0..100).map(|_| server.connect()).collect();
        for stream in &mut half {
            let _ = stream.write_all(b"GET /f HTTP/1.1\r\nHost: h\r\n");
        }
        assert!(server.descriptors() <= 32);
        drop((silent, half));
        assert_eq!(server.get("/f").body, b"file\n");
    }
    until("descriptors come back", || server.descriptors() <= before);
    let after = resident(server.child.id());
    assert!(after < memory + 512, "from {memory} to {after} KiB");
    assert!(server.runs());
}
