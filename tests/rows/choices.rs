//! The table of choices: `choice_NN_` and what row NN is about. Here are the rows about requests and connections.

mod replies;

use super::*;
use std::io::Read;

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
        // Where the body is not wanted, the reply says that nothing follows it.
        site.chunked("POST /f", body, 405, Closed);
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
    for line in [
        "GET  /f HTTP/1.1",
        "GET /f  HTTP/1.1",
        "GET /f HTTP/1.1 ",
        " GET /f HTTP/1.1",
        "GET/f HTTP/1.1",
        "G ET /f HTTP/1.1",
    ] {
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
        ("HTTP/1.10", 400, Closed),
        ("HTTP/01.1", 400, Closed),
        ("http/1.1", 400, Closed),
        ("HTTP/1.1x", 400, Closed),
        ("ICY/1.1", 400, Closed),
    ] {
        site.raw(format!("GET /f {version}\r\nHost: h\r\n\r\n"), status, fate);
    }
    // Before the method is looked at.
    site.raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, Closed);
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
    site.chunked("POST /f", "5\r\nhello\r\n0\r\n\r\n", 405, Closed);
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
    // Space before an extension is not its padding (RFC 9112, section 7.1.1).
    site.chunked("PUT /up/row26", "5 ;a = b\r\nhello\r\n0\r\n\r\n", 201, Kept);
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
    for value in ["x", "200-ok", "100-continued", "100-continue, x"] {
        site.ask("GET /f", &format!("Expect: {value}\r\n"), 417, Closed);
    }
    // An empty list expects nothing.
    site.ask("GET /f", "Expect:\r\n", 200, Kept);
}

/// Deeper: `requests/connections.rs` tokens_of_connection.
#[test]
fn choice_30_tokens_of_connection() {
    let site = shared();
    for (value, fate) in [("closed", Kept), ("clos", Kept), ("close", Closed), ("x, CLOSE", Closed)] {
        site.ask("GET /f", &format!("Connection: {value}\r\n"), 200, fate);
    }
}
