//! The table of choices: `choice_NN_` and what row NN is about.

use super::*;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::process::Command;
use std::time::SystemTime;

const ALLOW: (&str, &str) = ("Allow", "GET, HEAD, OPTIONS");

/// Deeper: `requests/lines.rs` shape, `requests/fields.rs`, `requests/framing.rs` chunks.
#[test]
fn choice_01_bare_line_feed() {
    let site = shared();
    site.raw("GET /f HTTP/1.1\nHost: h\n\n", 400, Closed);
    site.raw("GET /f HTTP/1.1\r\nHost: h\nA: b\r\n\r\n", 400, Closed);
    site.raw("GET /f HTTP/1.1\r\nHost: h\r\n\n", 400, Closed);
    for body in
        ["5\nhello\r\n0\r\n\r\n", "5;a\nhello\r\n0\r\n\r\n", "5\r\nhello\n0\r\n\r\n", "0\r\nA: b\n\r\n"]
    {
        site.chunked("PUT /up/row01", body, 400, Closed);
        // Where the body is not wanted, the reply is out before it is looked at.
        site.chunked("POST /f", body, 405, Cut);
    }
}

/// Deeper: `requests/lines.rs` shape, `requests/fields.rs`.
#[test]
fn choice_02_bare_carriage_return() {
    let site = shared();
    site.raw("GET /f HTTP/1.1\r\r\nHost: h\r\n\r\n", 400, Closed);
    site.raw("GET /f HTTP/1.1\rHost: h\r\n\r\n", 400, Closed);
    site.ask("GET /f", "A: b\r\r\n", 400, Closed);
    site.ask("GET /f", "A: b\rContent-Length: 5\r\n", 400, Closed);
}

/// Deeper: `requests/fields.rs`.
#[test]
fn choice_03_folded_field() {
    let site = shared();
    site.ask("GET /f", "A: b\r\n c\r\n", 400, Closed);
    site.ask("GET /f", "A: b\r\n\tc\r\n", 400, Closed);
}

/// Deeper: `requests/lines.rs` shape.
#[test]
fn choice_04_spaces_in_the_request_line() {
    let site = shared();
    for line in
        ["GET  /f HTTP/1.1", "GET /f  HTTP/1.1", "GET /f HTTP/1.1 ", " GET /f HTTP/1.1", "GET/f HTTP/1.1"]
    {
        site.raw(format!("{line}\r\nHost: h\r\n\r\n"), 400, Closed);
    }
    site.raw("GET /fHTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed);
}

/// Deeper: `requests/lines.rs` shape.
#[test]
fn choice_05_leading_empty_line() {
    let site = shared();
    site.raw("\r\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept);
    site.raw("\r\n\r\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed);
    // One for each request: the line end that old clients send after a body.
    site.body("POST /f", "", 405, Kept);
    site.raw("POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx\r\n", 405, Kept);
}

/// Deeper: `requests/lines.rs` shape.
#[test]
fn choice_06_http_09() {
    let site = shared();
    site.raw("GET /f\r\n", 400, Closed);
    site.raw("GET /f\r\n\r\n", 400, Closed);
}

/// Deeper: `requests/lines.rs` versions.
#[test]
fn choice_07_other_versions() {
    let site = shared();
    for (version, status, fate) in [
        ("HTTP/1.2", 200, Kept),
        ("HTTP/2.0", 505, Closed),
        ("HTTP/3.0", 505, Closed),
        ("HTTP/0.9", 400, Closed),
        ("HTTP/1", 400, Closed),
        ("http/1.1", 400, Closed),
        ("HTTP/1.1x", 400, Closed),
        ("ICY/1.1", 400, Closed),
    ] {
        site.raw(format!("GET /f {version}\r\nHost: h\r\n\r\n"), status, fate);
    }
}

/// Deeper: `requests/lines.rs` methods.
#[test]
fn choice_08_unknown_method() {
    let site = shared();
    has(&site.ask("BREW /f", "", 501, Closed), &[("Allow", "-")]);
    has(&site.ask("get /f", "", 501, Closed), &[("Allow", "-")]);
    has(&site.ask("DELETE /f", "", 405, Kept), &[ALLOW]);
    has(&site.ask("PROPFIND /f", "", 405, Kept), &[ALLOW]);
    site.ask("G@T /f", "", 400, Closed);
    site.ask("G\u{e9}T /f", "", 400, Closed);
}

/// Deeper: `requests/lines.rs` methods.
#[test]
fn choice_09_options_of_the_server() {
    has(&shared().ask("OPTIONS *", "", 204, Kept), &[ALLOW, ("Content-Length", "-")]);
}

/// Deeper: `requests/lines.rs` methods.
#[test]
fn choice_10_trace() {
    let reply = shared().ask("TRACE /f", "X-Secret: echo\r\n", 405, Kept);
    has(&reply, &[ALLOW]);
    assert!(!String::from_utf8_lossy(&reply.body).contains("echo"));
}

/// Deeper: `requests/framing.rs` bodies_are_never_requests.
#[test]
fn choice_11_post_on_a_file() {
    let site = shared();
    has(&site.body("POST /f", "hello", 405, Kept), &[ALLOW]);
    site.body("POST /f", vec![b'x'; 65_536], 405, Kept);
    has(&site.body("POST /f", vec![b'x'; 65_537], 405, Closed), &[ALLOW]);
}

/// Deeper: `requests/fields.rs` hosts.
#[test]
fn choice_12_characters_of_host() {
    let site = shared();
    for host in
        ["a b", "h/..", "h\\g", "h?q", "<b>", "u@h", "h:80x", "h:65536", "[::1", "[x]", "::1", "", "a, b"]
    {
        site.raw(format!("GET /f HTTP/1.1\r\nHost: {host}\r\n\r\n"), 400, Closed);
    }
    for host in ["a_b", "h:8080", "h:", "[::1]", "[2001:db8::1]:80", "192.0.2.1", "h."] {
        site.raw(format!("GET /f HTTP/1.1\r\nHost: {host}\r\n\r\n"), 200, Kept);
    }
    site.raw("GET /f HTTP/1.1\r\n\r\n", 400, Closed);
}

/// There are no virtual hosts yet, so 421 has no case: any authority is ours. Deeper: `requests/lines.rs`
/// forms_of_targets.
#[test]
fn choice_13_absolute_form_and_host() {
    let site = shared();
    site.ask("GET http://other.example/f", "", 200, Kept);
    site.raw("GET http://h/f HTTP/1.1\r\n\r\n", 400, Closed);
    site.raw("GET http://a/b@h/f HTTP/1.1\r\nHost: x y\r\n\r\n", 400, Closed);
    site.ask("GET http://u@h/f", "", 400, Closed);
}

/// Deeper: `requests/files.rs` redirects_stay_here.
#[test]
fn choice_14_redirect_of_an_absolute_form() {
    let site = shared();
    for target in ["http://evil.example/d", "http://evil.example//d", "//d", "/%64", "/./d"] {
        has(&site.get(target, "", 301), &[("Location", "/d/")]);
    }
    std::fs::create_dir_all(site.directory.path().join("row 14<")).unwrap();
    has(&site.get("/row%2014%3c", "", 301), &[("Location", "/row%2014%3C/")]);
}

/// Deeper: `requests/lines.rs` forms_of_targets.
#[test]
fn choice_15_fragment() {
    let site = shared();
    site.ask("GET /f#a", "", 400, Closed);
    site.ask("GET /f?q#a", "", 400, Closed);
}

/// Deeper: `requests/lines.rs` paths.
#[test]
fn choice_16_bad_percent() {
    let site = shared();
    for target in ["/%", "/f%2", "/%zz", "/%u0066", "/f%00"] {
        site.ask(&format!("GET {target}"), "", 400, Closed);
    }
}

/// Deeper: `requests/lines.rs` paths.
#[test]
fn choice_17_encoded_slash() {
    let site = shared();
    site.get("/d%2Fg.txt", "", 404);
    site.get("/d%2fg.txt", "", 404);
    site.get("/d%252fg.txt", "", 404);
    site.get("/d/g.txt", "", 200);
}

/// Before auth: `class_access_rule_evaded_by_spelling`.
#[test]
fn choice_18_repeated_slashes() {
    let site = shared();
    assert_eq!(site.get("//d///g.txt", "", 200).body, b"g\n");
    has(&site.get("///d", "", 301), &[("Location", "/d/")]);
    // Where files go is decided on the merged path as well.
    has(&site.body("PUT //up///row18", "x", 201, Kept), &[("Location", "/up/row18")]);
    site.body("PUT //row18", "x", 405, Kept);
}

/// Deeper: `requests/lines.rs` paths.
#[test]
fn choice_19_file_with_more_behind_it() {
    let site = shared();
    site.get("/f/", "", 404);
    site.get("/f/extra", "", 404);
    site.get("/d/g.txt/", "", 404);
}

/// Deeper: `requests/lines.rs` lengths, `requests/connections.rs` a_refusal_can_be_read_after_all_is_written.
#[test]
fn choice_20_long_targets_and_fields() {
    let site = shared();
    let line = |length: usize| format!("GET /{}", "x".repeat(length - "GET / HTTP/1.1".len()));
    site.ask(&line(8192), "", 404, Kept);
    site.ask(&line(8200), "", 414, Closed);
    // With Host they are 100.
    site.ask("GET /f", &"A: b\r\n".repeat(99), 200, Kept);
    site.ask("GET /f", &"A: b\r\n".repeat(100), 431, Closed);
    site.ask("GET /f", &format!("A: {}\r\n", "x".repeat(16_000)), 200, Kept);
    site.ask("GET /f", &format!("A: {}\r\n", "x".repeat(16 << 10)), 431, Closed);
    // The refusal can be read by a client that sends on.
    for (start, status) in [("GET /", 414), ("GET /f HTTP/1.1\r\nA: ", 431)] {
        let mut stream = site.server.connect();
        stream.write_all(start.as_bytes()).unwrap();
        for _ in 0..32 {
            stream.write_all(&[b'x'; 1 << 16]).expect("what is not wanted is still read");
        }
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("no reset takes the reply");
        assert_eq!(Reply::first(&all, false).0.status, status);
    }
}

/// Deeper, as the next two: `requests/framing.rs` content_length.
#[test]
fn choice_21_repeated_content_length() {
    let site = shared();
    site.ask("POST /f", "Content-Length: 5\r\nContent-Length: 5\r\n", 400, Closed);
    site.ask("POST /f", "Content-Length: 5, 5\r\n", 400, Closed);
    site.ask("POST /f", "Content-Length: 5\r\nContent-Length: 6\r\n", 400, Closed);
}

#[test]
fn choice_22_leading_zeros_of_content_length() {
    let site = shared();
    let post = |length: &str, status, fate| {
        site.raw(
            format!("POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\nhello"),
            status,
            fate,
        );
    };
    post("005", 405, Kept);
    post("0000000000000000005", 405, Kept);
    post("00000000000000000005", 400, Closed);
}

#[test]
fn choice_23_empty_content_length() {
    let site = shared();
    site.ask("POST /f", "Content-Length:\r\n", 400, Closed);
    site.ask("GET /f", "Content-Length:  \r\n", 400, Closed);
}

/// Deeper, as the next: `requests/framing.rs` transfer_encoding.
#[test]
fn choice_24_transfer_encoding_and_content_length() {
    let site = shared();
    site.ask("POST /f", "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", 400, Closed);
    site.ask("POST /f", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400, Closed);
    site.ask("PUT /up/row24", "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", 400, Closed);
}

#[test]
fn choice_25_other_transfer_encodings() {
    let site = shared();
    for (value, status) in [
        ("gzip, chunked", 501),
        ("gzip", 501),
        ("identity", 501),
        ("xchunked", 501),
        ("chunked, gzip", 400),
        ("chunked, chunked", 400),
        ("chunked\r\nTransfer-Encoding: chunked", 400),
        ("", 400),
    ] {
        site.ask("POST /f", &format!("Transfer-Encoding: {value}\r\n"), status, Closed);
    }
    site.raw("POST /f HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, Closed);
    site.chunked("POST /f", "5\r\nhello\r\n0\r\n\r\n", 405, Kept);
}

/// Deeper, as the next: `requests/framing.rs` chunks, limits_of_chunks.
#[test]
fn choice_26_padded_chunk_size() {
    let site = shared();
    for body in
        ["5 \r\nhello\r\n0\r\n\r\n", " 5\r\nhello\r\n0\r\n\r\n", "5\t\r\nhello\r\n0\r\n\r\n", "0 \r\n\r\n"]
    {
        site.chunked("PUT /up/row26", body, 400, Closed);
    }
}

#[test]
fn choice_27_bytes_of_extensions_and_trailers() {
    let site = shared();
    let line = |length: usize| format!("1;{}\r\nx\r\n", "e".repeat(length - "1;\r\n".len()));
    let trailers = |length: usize| format!("0\r\nA: {}\r\n\r\n", "t".repeat(length - "A: \r\n\r\n".len()));
    let end = "0\r\n\r\n";
    site.chunked("PUT /up/row27a", line(256) + end, 201, Kept);
    site.chunked("PUT /up/row27b", line(250).repeat(60) + end, 201, Kept);
    site.chunked("PUT /up/row27c", trailers(8000), 201, Kept);
    for body in [line(257) + end, line(250).repeat(80) + end, trailers(8300)] {
        site.chunked("PUT /up/row27d", body, 400, Closed);
    }
}

/// A request line and fields of a PUT that waits for 100 before it sends; gives the first status and the last.
fn expecting(site: &Site, target: &str) -> (u16, Reply) {
    let head =
        format!("PUT {target} HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    let mut stream = site.server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let mut first = [0; 12];
    stream.read_exact(&mut first).unwrap();
    let _ = stream.write_all(&[b"hello", PROBE].concat());
    let all = [&first[..], &read_all(&mut stream)].concat();
    let replies = Reply::all(&all);
    let last = replies.iter().rfind(|reply| reply.body != PROBE_BODY).unwrap();
    (replies[0].status, last.clone())
}

/// Deeper, as the next: `requests/connections.rs` expectations.
#[test]
fn choice_28_expect_on_a_refused_request() {
    let site = shared();
    for target in ["/row28", "/f", "/up/none/row28"] {
        let (first, reply) = expecting(&site, target);
        assert_eq!(first, reply.status, "{target}");
        assert!(first >= 400, "{target}");
        has(&reply, &[("Connection", "close")]);
    }
    let (first, reply) = expecting(&site, "/up/row28");
    assert_eq!((first, reply.status), (100, 201));
}

#[test]
fn choice_29_unknown_expect() {
    let site = shared();
    for value in ["x", "200-ok", "100-continued", "100-continue, x", ""] {
        site.ask("GET /f", &format!("Expect: {value}\r\n"), 417, Closed);
    }
}

/// Deeper: `requests/connections.rs` tokens_of_connection.
#[test]
fn choice_30_tokens_of_connection() {
    let site = shared();
    for (value, fate) in [("closed", Kept), ("clos", Kept), ("close", Closed), ("x, CLOSE", Closed)] {
        site.ask("GET /f", &format!("Connection: {value}\r\n"), 200, fate);
    }
}

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
        let site = Site::start(if setting.ends_with('=') { &[] } else { std::slice::from_ref(&&*setting) });
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
    let hurry = ["--upload", "up", "--http.main.header_timeout=500ms", "--http.main.rate_grace=500ms"];
    let site = Site::start(&hurry);
    std::fs::File::create(site.directory.path().join("big")).unwrap().set_len(50_000_000).unwrap();
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
