//! The rows about what is sent: ranges, conditions, files, and how long a connection lasts.

use super::super::*;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::SystemTime;

/// Deeper, as the next three: `ranges.rs`.
#[test]
fn choice_31_range_of_a_head() {
    let reply = shared().ask("HEAD /r", "Range: bytes=0-1\r\n", 200, Kept);
    has(&reply, &[("Content-Length", "5000"), ("Content-Range", "-")]);
}

#[test]
fn choice_32_invalid_ranges() {
    let site = shared();
    for range in ["bytes=5-2", "bytes=", "bytes=-", "lines=0-1", "bytes=0-1,x"] {
        assert_eq!(site.get("/r", &format!("Range: {range}"), 200).body, pieces(), "{range}");
    }
}

#[test]
fn choice_33_suffix_of_nothing() {
    let site = shared();
    has(&site.get("/r", "Range: bytes=-0", 416), &[("Content-Range", "bytes */5000")]);
    has(&site.get("/r", "Range: bytes=5000-", 416), &[("Content-Range", "bytes */5000")]);
}

#[test]
fn choice_34_many_ranges() {
    let site = shared();
    let list = |step: usize, count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("{}-{}", n * step, n * step)).collect();
        format!("Range: bytes={}", all.join(","))
    };
    let sixteen = site.get("/r", &list(300, 16), 206);
    assert!(sixteen.field("content-type").unwrap().starts_with("multipart/byteranges; boundary="));
    assert_eq!(site.get("/r", &list(290, 17), 200).body, pieces());
    // Closer than what a part's head takes they are one, and in order.
    let one = site.get("/r", "Range: bytes=140-149,0-9,70-79", 206);
    has(&one, &[("Content-Range", "bytes 0-149/5000")]);
    assert_eq!(one.body, pieces()[..150]);
    // Nothing is sent twice.
    let overlapping = site.get("/r", &format!("Range: bytes={}0-", "0-,".repeat(300)), 200);
    assert_eq!(overlapping.body, pieces());
}

/// An HTTP date so many seconds from now.
fn date(seconds: i64) -> String {
    let now = SystemTime::now();
    let span = Duration::from_secs(seconds.unsigned_abs());
    httpdate::fmt_http_date(if seconds < 0 { now - span } else { now + span })
}

/// Deeper, as the next two: `requests/conditions.rs` preconditions.
#[test]
fn choice_35_if_modified_since_a_later_time() {
    let site = shared();
    site.get("/f", &format!("If-Modified-Since: {}", date(-60)), 304);
    site.get("/f", &format!("If-Modified-Since: {}", date(-7200)), 200);
}

#[test]
fn choice_36_if_none_match_masks_if_modified_since() {
    let site = shared();
    let tag = site.get("/f", "", 200).field("etag").unwrap();
    site.get("/f", &format!("If-Modified-Since: {}\r\nIf-None-Match: {tag}", date(-7200)), 304);
    site.get("/f", &format!("If-Modified-Since: {}\r\nIf-None-Match: \"x\"", date(-60)), 200);
}

#[test]
fn choice_37_order_of_preconditions() {
    let site = shared();
    let tag = site.get("/r", "", 200).field("etag").unwrap();
    let (old, new) = (date(-7200), date(-60));
    for (fields, status) in [
        ("If-Match: \"x\"\r\nIf-Unmodified-Since: NEW\r\nIf-None-Match: TAG", 412),
        ("If-Match: TAG\r\nIf-Unmodified-Since: OLD", 200),
        ("If-Match: W/TAG", 412),
        ("If-Unmodified-Since: OLD\r\nIf-None-Match: TAG", 412),
        ("If-Unmodified-Since: NEW", 200),
        ("If-Match: *\r\nIf-None-Match: TAG\r\nRange: bytes=0-1", 304),
        ("If-Match: TAG\r\nRange: bytes=0-1\r\nIf-Range: TAG", 206),
        ("Range: bytes=0-1\r\nIf-Range: \"x\"", 200),
    ] {
        site.get("/r", &fields.replace("TAG", &tag).replace("OLD", &old).replace("NEW", &new), status);
    }
}

/// Deeper: `requests/conditions.rs` a_later_time_than_now_is_not_told, tags_are_weak_while_a_file_may_change_unseen.
#[test]
fn choice_38_times_and_tags() {
    let site = shared();
    let path = site.directory.file("row38/future", "a");
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() + Duration::from_secs(86_400)).unwrap();
    let reply = site.get("/row38/future", "", 200);
    let told = |name: &str| httpdate::parse_http_date(&reply.field(name).unwrap()).unwrap();
    assert!(told("last-modified") <= told("date"));
    // Same size and time, another inode; same inode, another time and another size.
    let tag = |name: &str| site.get(&format!("/row38/{name}"), "", 200).field("etag").unwrap();
    let time = SystemTime::now() - Duration::from_secs(7200);
    let mut tags = Vec::new();
    for (name, content, nanoseconds) in [("a", "a", 0), ("b", "b", 0), ("c", "c", 1000), ("d", "dd", 0)] {
        let path = site.directory.file(&format!("row38/{name}"), content);
        let file = std::fs::File::options().append(true).open(path).unwrap();
        file.set_modified(time + Duration::from_nanos(nanoseconds)).unwrap();
        tags.push(tag(name));
    }
    assert!(tags.iter().all(|tag| tag.starts_with('"')), "{tags:?}");
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
    site.directory.file("row38/new", "new");
    site.directory.age("row38/new", 0);
    assert!(tag("new").starts_with("W/\""));
}

/// Deeper: `requests/kinds.rs` neither_file_nor_directory.
#[test]
fn choice_39_fifo_device_and_socket() {
    let site = shared();
    let path = site.directory.path();
    std::fs::create_dir_all(path.join("row39")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("row39/fifo")).status().unwrap().success());
    let _socket = std::os::unix::net::UnixListener::bind(path.join("row39/socket")).unwrap();
    // Only root can make one, and not everywhere.
    let device = Command::new("mknod").arg(path.join("row39/null")).args(["c", "1", "3"]).output();
    let names: &[&str] = if device.is_ok_and(|made| made.status.success()) {
        &["fifo", "socket", "null"]
    } else {
        &["fifo", "socket"]
    };
    for name in names {
        site.get(&format!("/row39/{name}"), "", 403);
        site.ask(&format!("HEAD /row39/{name}"), "", 403, Kept);
    }
}

/// The setting is `symlinks`, of `never`, `inside` and `all`. Deeper: `requests/kinds.rs` symbolic_links; the walk
/// without openat2: `sys/tests/beneath`.
#[test]
fn choice_40_symbolic_links_out_of_the_root() {
    let outside = Directory::new();
    outside.file("secret", "secret");
    for (setting, inner, outer) in
        [("", 200, 404), ("never", 404, 404), ("inside", 200, 404), ("all", 200, 200)]
    {
        let setting = format!("--http.main.symlinks={setting}");
        let arguments = [setting.as_str()];
        let site = Site::start(if setting.ends_with('=') { &[] } else { &arguments });
        for (name, target) in [
            ("in", "f".into()),
            ("out", outside.path().join("secret")),
            ("way", outside.path().into()),
            ("magic", "/proc/self/cwd".into()),
        ] {
            symlink(target, site.directory.path().join(name)).unwrap();
        }
        site.get("/in", "", inner);
        site.get("/out", "", outer);
        site.get("/way/secret", "", outer);
        if setting != "--http.main.symlinks=all" {
            site.get("/magic/f", "", 404);
        }
    }
}

/// Deeper: `requests/files.rs` hidden_names.
#[test]
fn choice_41_dot_files() {
    let site = shared();
    site.get("/.hidden", "", 404);
    site.get("/%2ehidden", "", 404);
    site.get("/.well-known/w", "", 200);
    Site::start(&["--hidden"]).get("/.hidden", "", 200);
}

/// 408: `choice_44_dripping_heads_and_bodies`. Deeper: `requests/connections.rs` persistence_by_status.
#[test]
fn choice_42_persistence_by_status() {
    let site = shared();
    let tag = site.get("/f", "", 200).field("etag").unwrap();
    site.get("/f", "Range: bytes=0-1", 206);
    site.get("/d", "", 301);
    site.get("/f", &format!("If-None-Match: {tag}"), 304);
    site.get("/none", "", 404);
    site.ask("POST /f", "", 405, Kept);
    site.get("/f", "Range: bytes=9-", 416);
    site.ask("GET /f", "A : b\r\n", 400, Closed);
    site.body("PUT /up/row42", vec![b'x'; UPLOAD_MAX + 1], 413, Closed);
    site.ask(&format!("GET /{}", "x".repeat(9000)), "", 414, Closed);
    site.ask("GET /f", &"A: b\r\n".repeat(200), 431, Closed);
    site.ask("BREW /f", "", 501, Closed);
}

/// Deeper: `requests/connections.rs` half_closed_clients_are_answered_in_full.
#[test]
fn choice_43_half_closed_client() {
    let site = shared();
    let content: Vec<u8> = (0..4_000_000_u32).map(|n| (n >> 3) as u8).collect();
    site.directory.file("row43", &content);
    let request = b"GET /row43 HTTP/1.1\r\nHost: h\r\n\r\n";
    let replies = Reply::all(&site.server.talk(&request.repeat(2)));
    assert_eq!(replies.len(), 2);
    assert!(replies.iter().all(|reply| reply.body == content));
}

/// Sends a byte again and again until something comes back; gives all of that.
fn drip(site: &Site, start: &str) -> Vec<u8> {
    let mut stream = site.server.connect();
    stream.write_all(start.as_bytes()).unwrap();
    stream.set_nonblocking(true).unwrap();
    until("an answer to who drips", || {
        let _ = stream.write_all(b"x");
        std::thread::sleep(Duration::from_millis(80));
        stream.peek(&mut [0]).is_ok()
    });
    stream.set_nonblocking(false).unwrap();
    read_all(&mut stream)
}

/// Deeper: `slow.rs`, `requests/times.rs`.
#[test]
fn choice_44_dripping_heads_and_bodies() {
    let hurry =
        ["header_timeout", "rate_grace", "linger_timeout"].map(|name| format!("--http.main.{name}=500ms"));
    let site = Site::start(&["--upload", "up", &hurry[0], &hurry[1], &hurry[2]]);
    std::fs::File::create(site.directory.path().join("big")).unwrap().set_len(50_000_000).unwrap();
    // A file that was asked for stays open for a while.
    site.ask("HEAD /big", "", 200, Kept);
    let before = site.server.descriptors();
    // Who reads nothing, meanwhile.
    let mut stuck = site.server.connect();
    stuck.write_all(b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    for start in
        ["GET /f HTTP/1.1\r\nA: ", "PUT /up/row44 HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\n"]
    {
        let reply = Reply::first(&drip(&site, start), false).0;
        assert_eq!(reply.status, 408, "{start}");
        has(&reply, &[("Connection", "close")]);
    }
    assert_eq!(site.uploads(), ["old"]);
    until("who reads nothing is given up", || site.server.descriptors() <= before);
}

/// Deeper: `ranges.rs` a_file_that_is_cut_ends_the_connection, `requests/changes.rs` while_they_are_sent.
#[test]
fn choice_45_file_truncated_while_it_is_sent() {
    let site = shared();
    let path = site.directory.path().join("row45");
    let file = std::fs::File::create(path).unwrap();
    file.set_len(60_000_000).unwrap();
    let mut stream = site.server.connect();
    stream.write_all(b"GET /row45 HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut first = [0; 1000];
    stream.read_exact(&mut first).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("Content-Length: 60000000\r\n"));
    file.set_len(1000).unwrap();
    assert!(read_all(&mut stream).len() < 58_000_000);
    site.get("/f", "", 200);
}
