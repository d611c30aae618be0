//! How long a connection lasts (RFC 9112, section 9), what is expected (RFC 9110, section 10.1.1), and how bytes may be
//! cut and closed without changing what is answered.

use super::*;
use std::io::{ErrorKind, Read};
use std::net::Shutdown;
use std::time::{Duration, Instant};

#[test]
fn expectations() {
    run_told(&[
        ("refused at once", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 405, Closed, &[]),
        ("refused, body sent all the same", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello", 405, Closed, &[]),
        ("refused, chunked", b"PUT /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n", 405, Closed, &[]),
        ("capitals", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-Continue\r\n\r\n", 405, Closed, &[]),
        ("not found", b"GET /none HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 404, Closed, &[]),
        ("found", b"GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n", 200, Closed, &[]),
        ("without a body", b"GET /f HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n\r\n", 200, Kept, &[]),
        ("with an empty body", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n", 405, Kept, &[]),
        ("unknown", b"GET /f HTTP/1.1\r\nHost: h\r\nExpect: 200-ok\r\n\r\n", 417, Closed, &[]),
        ("unknown with the known", b"GET /f HTTP/1.1\r\nHost: h\r\nExpect: 100-continue, x\r\n\r\n", 417, Closed, &[]),
        ("longer", b"GET /f HTTP/1.1\r\nHost: h\r\nExpect: 100-continued\r\n\r\n", 417, Closed, &[]),
        ("empty", b"GET /f HTTP/1.1\r\nHost: h\r\nExpect:\r\n\r\n", 200, Kept, &[]),
        ("nothing but commas", b"GET /f HTTP/1.1\r\nHost: h\r\nExpect: , ,\r\n\r\n", 200, Kept, &[]),
        ("HEAD", b"HEAD /f HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417, Closed, &[]),
        ("ignored in 1.0", b"GET /f HTTP/1.0\r\nExpect: x\r\n\r\n", 200, Closed, &[]),
        ("ignored in 1.0, body drained", b"POST /f HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhello", 405, Kept, &[]),
    ]);
}

#[test]
fn tokens_of_connection() {
    run_told(&[
        ("close", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, Closed, &[]),
        ("Close", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: Close\r\n\r\n", 200, Closed, &[]),
        ("close in a list", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: x, close ,y\r\n\r\n", 200, Closed, &[]),
        ("close in a second field", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: x\r\nConnection: close\r\n\r\n", 200, Closed, &[]),
        ("close wins", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, close\r\n\r\n", 200, Closed, &[]),
        ("closed", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: closed\r\n\r\n", 200, Kept, &[]),
        ("clos", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: clos\r\n\r\n", 200, Kept, &[]),
        ("not-close", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: not-close\r\n\r\n", 200, Kept, &[]),
        ("empty", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection:\r\n\r\n", 200, Kept, &[]),
        ("commas", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: ,,\r\n\r\n", 200, Kept, &[]),
        ("keep-alive", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n", 200, Kept, &[("Connection", "-")]),
        ("upgrade", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 200, Kept, &[("Upgrade", "-")]),
        ("upgrade to HTTP/2", b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n", 200, Kept, &[("Upgrade", "-")]),
        ("close of a HEAD", b"HEAD /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200, Closed, &[("Content-Length", "5")]),
        ("close of a refusal", b"POST /f HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", 405, Closed, &[]),
        ("1.0", b"GET /f HTTP/1.0\r\n\r\n", 200, Closed, &[]),
        ("1.0 keep-alive", b"GET /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, Kept, &[("Connection", "keep-alive")]),
        ("1.0 Keep-Alive", b"GET /f HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 200, Kept, &[("Connection", "keep-alive")]),
        ("1.0 keep-alive of a HEAD", b"HEAD /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, Kept, &[("Connection", "keep-alive")]),
        ("1.0 keep-alive of nothing", b"GET /none HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 404, Kept, &[("Connection", "keep-alive")]),
        ("1.0 keep-alive and close", b"GET /f HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", 200, Closed, &[]),
        ("1.0 keep-alives", b"GET /f HTTP/1.0\r\nConnection: keep-alives\r\n\r\n", 200, Closed, &[]),
        ("1.0 Proxy-Connection", b"GET /f HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", 200, Closed, &[]),
        ("1.0 refused", b"BREW /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 501, Closed, &[]),
    ]);
}

#[test]
fn persistence_by_status() {
    let (directory, server) = served();
    let _listener = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
    let etag = server.get("/f").field("etag").unwrap();
    let get = |target: &str, more: &str| format!("GET {target} HTTP/1.1\r\nHost: h\r\n{more}\r\n");
    let cases = [
        (200, Kept, get("/f", "")),
        (204, Kept, "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        (301, Kept, get("/d", "")),
        (304, Kept, get("/f", &format!("If-None-Match: {etag}\r\n"))),
        (403, Kept, get("/socket", "")),
        (404, Kept, get("/none", "")),
        (405, Kept, "DELETE /f HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        (412, Kept, get("/f", "If-Match: \"none\"\r\n")),
        (400, Closed, get("/f", "A : b\r\n")),
        (414, Closed, get(&format!("/{}", "x".repeat(9000)), "")),
        (431, Closed, get("/f", &"A: b\r\n".repeat(200))),
        (501, Closed, "BREW /f HTTP/1.1\r\nHost: h\r\n\r\n".to_owned()),
        (505, Closed, "GET /f HTTP/2.0\r\nHost: h\r\n\r\n".to_owned()),
    ];
    all(
        &cases,
        |case| case.0.to_string(),
        |(status, fate, request)| {
            check(&server, request.as_bytes(), *status, *fate);
        },
    );
}

#[test]
fn a_head_that_never_ends_is_answered_408() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.header_timeout=300ms"]);
    for start in ["GET /f HTTP/1.1\r\nHost: h\r\n", "G", "GET /f HTTP/1.1\r\nHost: h\r\n\r\nGET /f HT"] {
        let mut stream = server.connect();
        stream.write_all(start.as_bytes()).unwrap();
        let replies = Reply::all(&read_all(&mut stream));
        let last = replies.last().unwrap();
        sound(last);
        assert_eq!((last.status, last.field("connection").as_deref()), (408, Some("close")), "{start:?}");
    }
}

#[test]
fn keep_alive_can_be_off() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.keep_alive=off"]);
    for request in [
        &b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n"[..],
        b"GET /f HTTP/1.1\r\nHost: h\r\nConnection: keep-alive\r\n\r\n",
        b"GET /f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    ] {
        check(&server, request, 200, Closed);
    }
}

#[test]
fn a_hundred_at_once() {
    let (directory, server) = served();
    directory.file("large", vec![b'l'; 300_000]);
    let kinds: [(&str, u16, usize); 8] = [
        ("GET /f", 200, 5),
        ("HEAD /f", 200, 0),
        ("GET /none", 404, 0),
        ("HEAD /none", 404, 0),
        ("GET /large", 200, 300_000),
        ("HEAD /large", 200, 0),
        ("POST /f", 405, 0),
        ("GET /d", 301, 0),
    ];
    let chosen: Vec<_> = (0..100usize).map(|number| kinds[number * number % 11 % 8]).collect();
    let mut bytes = Vec::new();
    for (line, ..) in &chosen {
        let body = if line.starts_with("POST") {
            "Content-Length: 20\r\n\r\nGET /none HTTP/1.1\r\n"
        } else {
            "\r\n"
        };
        bytes.extend_from_slice(format!("{line} HTTP/1.1\r\nHost: h\r\n{body}").as_bytes());
    }
    let all = exchange(&server, &bytes);
    let mut rest = &all[..];
    for (number, (line, status, length)) in chosen.iter().enumerate() {
        let (reply, after) = Reply::first(rest, line.starts_with("HEAD"));
        sound(&reply);
        assert_eq!(reply.status, *status, "{number}: {line}");
        assert!(*length == 0 || reply.body.len() == *length, "{number}: {line}");
        rest = after;
    }
    assert_eq!(Reply::first(rest, false).0.body, PROBE_BODY);
}

/// Replies without their dates.
fn undated_stream(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .split("\r\n")
        .filter(|line| !line.starts_with("Date: "))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn however_the_bytes_are_cut() {
    let (_directory, server) = served();
    let samples: [&[u8]; 4] = [
        b"\r\nGET /d/../f?q=%20 HTTP/1.1\r\nHost: example.org:8080\r\nAccept: */*\r\n\r\n",
        b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n0\r\nT: u\r\n\r\nHEAD /d HTTP/1.1\r\nHost: h\r\n\r\n",
        b"PUT /f HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n\r\nGET /GET /none HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /f HTTP/1.1\r\nHost: h\r\n\r\nGET /f HTTP/1.1\r\nA : b\r\n\r\n",
    ];
    for sample in samples {
        let bytes = [sample, PROBE].concat();
        let expected = undated_stream(&exchange(&server, sample));
        for cut in 1..bytes.len() {
            let mut stream = server.connect();
            stream.write_all(&bytes[..cut]).unwrap();
            std::thread::yield_now();
            // After a refusal nothing more may be taken.
            let _ = stream.write_all(&bytes[cut..]);
            assert_eq!(
                undated_stream(&read_all(&mut stream)),
                expected,
                "cut at {cut} of {}",
                bytes.escape_ascii()
            );
        }
        let mut stream = server.connect();
        for byte in &bytes {
            let _ = stream.write_all(&[*byte]);
            std::thread::sleep(Duration::from_micros(200));
        }
        assert_eq!(
            undated_stream(&read_all(&mut stream)),
            expected,
            "byte by byte: {}",
            bytes.escape_ascii()
        );
    }
}

#[test]
fn half_closed_clients_are_answered_in_full() {
    let (directory, server) = served();
    for (name, size) in [("kilo", 1024), ("mega", 1 << 20), ("more", 9 << 20)] {
        let content: Vec<u8> = (0..size).map(|at: usize| ((at * 31) >> 3) as u8).collect();
        directory.file(name, &content);
        for close in ["", "Connection: close\r\n"] {
            let request = format!("GET /{name} HTTP/1.1\r\nHost: h\r\n{close}\r\n");
            let replies = Reply::all(&server.talk(request.as_bytes()));
            assert_eq!(replies.len(), 1);
            assert!(replies[0].body == content, "{name}");
            // Several, and a client that reads late.
            let mut stream = server.connect();
            stream.write_all(&request.repeat(3).into_bytes()).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
            std::thread::sleep(Duration::from_millis(100));
            let replies = Reply::all(&read_all(&mut stream));
            assert_eq!(replies.len(), if close.is_empty() { 3 } else { 1 });
            assert!(replies.iter().all(|reply| reply.body == content), "{name}");
        }
    }
}

/// Writes all, only then reads, and must come to an orderly end.
fn write_then_read(server: &Server, pieces: &[&[u8]]) -> Reply {
    let mut stream = server.connect();
    for piece in pieces {
        stream.write_all(piece).expect("what is not wanted is still read");
    }
    let mut all = Vec::new();
    stream.read_to_end(&mut all).expect("no reset takes the reply");
    Reply::first(&all, false).0
}

#[test]
fn a_refusal_can_be_read_after_all_is_written() {
    let (_directory, server) = served();
    let megabyte = vec![b'x'; 1 << 20];
    for (head, status) in [
        ("POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n", 413),
        ("POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\nConnection: close\r\n\r\n", 413),
        ("POST /f HTTP/1.0\r\nContent-Length: 10485760\r\n\r\n", 413),
        ("PUT /none HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nA00000\r\n", 405),
        ("POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nnonsense", 405),
        ("POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\nExpect: 100-continue\r\n\r\n", 413),
        ("GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n", 413),
        ("GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n", 200),
        ("GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400),
        ("GET /%zz HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\n\r\n", 400),
        ("BREW /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10485760\r\n\r\n", 501),
        // A body that is made, after which the connection ends.
        ("GET /d/ HTTP/1.0\r\n\r\n", 200),
        ("GET /d/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", 200),
        ("GET /f HTTP/1.1\r\nA: ", 431),
        ("GET /", 414),
    ] {
        let mut pieces = vec![head.as_bytes()];
        pieces.extend([&megabyte[..]; 10]);
        assert_eq!(write_then_read(&server, &pieces).status, status, "{head}");
    }
}

#[test]
fn what_comes_while_the_last_reply_is_sent_does_not_cut_it() {
    const BIG: usize = 20_000_000;
    let directory = site();
    directory.file("big", vec![b'b'; BIG]);
    for sendfile in ["on", "off"] {
        let server = Server::start(directory.path(), &[&format!("--http.main.sendfile={sendfile}")]);
        let mut stream = server.connect();
        stream.write_all(b"GET /big HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        // It does not fit what the kernel buffers, so the server waits for us.
        std::thread::sleep(Duration::from_millis(100));
        stream.write_all(b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).expect("no reset takes the reply");
        assert_eq!(Reply::first(&all, false).0.body.len(), BIG, "{sendfile}");
    }
}

#[test]
fn lingering_has_an_end() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.linger_timeout=300ms"]);
    let mut stream = server.connect();
    stream.write_all(b"BREW / HTTP/1.1\r\n").unwrap();
    let start = Instant::now();
    let error = loop {
        match stream.write_all(b"and so on ") {
            Ok(()) => std::thread::sleep(Duration::from_millis(10)),
            Err(error) => break error,
        }
        assert!(start.elapsed() < Duration::from_secs(10), "it reads for ever");
    };
    assert!(matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{error}");
    assert!(start.elapsed() >= Duration::from_millis(200), "it did not linger: {:?}", start.elapsed());
}
