//! Where the body of a request ends (RFC 9112, sections 6 and 7): whatever is sent as a body must never be answered as
//! a request, and what follows it must be.

use super::*;
use common::read_all;

#[test]
fn content_length() {
    run(&[
        ("body", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 405, Kept),
        ("body of a GET", b"GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 200, Kept),
        ("body of a HEAD", b"HEAD /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", 200, Kept),
        (
            "body of nothing found",
            b"GET /none HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello",
            404,
            Kept,
        ),
        (
            "body in 1.0",
            b"POST /f HTTP/1.0\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
            405,
            Kept,
        ),
        ("zero", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405, Kept),
        ("leading zeros", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 005\r\n\r\nhello", 405, Kept),
        ("no octal", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 010\r\n\r\n0123456789", 405, Kept),
        (
            "19 digits",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0000000000000000005\r\n\r\nhello",
            405,
            Kept,
        ),
        (
            "20 digits",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 00000000000000000005\r\n\r\nhello",
            400,
            Closed,
        ),
        (
            "line end after the body",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello\r\n",
            405,
            Kept,
        ),
        (
            "largest",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775807\r\n\r\n",
            413,
            Closed,
        ),
        (
            "beyond i64",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 9223372036854775808\r\n\r\n",
            400,
            Closed,
        ),
        (
            "beyond u64",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551621\r\n\r\nhello",
            400,
            Closed,
        ),
        (
            "far beyond",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999999999\r\n\r\n",
            400,
            Closed,
        ),
        (
            "twice the same",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            400,
            Closed,
        ),
        (
            "twice",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\nhello",
            400,
            Closed,
        ),
        (
            "twice, other case",
            b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\ncontent-length: 6\r\n\r\nhello",
            400,
            Closed,
        ),
        ("list", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello", 400, Closed),
        ("list of two", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0,5\r\n\r\nhello", 400, Closed),
        ("empty", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n", 400, Closed),
        ("space", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length:  \r\n\r\n", 400, Closed),
        ("plus", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello", 400, Closed),
        ("minus", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: -5\r\n\r\nhello", 400, Closed),
        ("minus zero", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: -0\r\n\r\n", 400, Closed),
        ("hexadecimal", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello", 400, Closed),
        ("letters", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: five\r\n\r\nhello", 400, Closed),
        ("letters after", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5a\r\n\r\nhello", 400, Closed),
        ("fraction", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5.0\r\n\r\nhello", 400, Closed),
        ("two numbers", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5 5\r\n\r\nhello", 400, Closed),
        ("quoted", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: \"5\"\r\n\r\nhello", 400, Closed),
        ("of a GET, wrong", b"GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n", 400, Closed),
        (
            "of an unknown path, wrong",
            b"GET /none HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
            400,
            Closed,
        ),
        ("in 1.0, wrong", b"GET /f HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400, Closed),
        (
            "a name alike",
            b"GET /f HTTP/1.1\r\nHost: h\r\nContent_Length: 99\r\nContent-Length2: 99\r\n\r\n",
            200,
            Kept,
        ),
    ]);
}

#[test]
fn transfer_encoding() {
    run(&[
        ("chunked", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 405, Closed),
        ("chunked GET", b"GET /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, Closed),
        ("capitals", b"POST /f HTTP/1.1\r\nHost: h\r\nTRANSFER-ENCODING: Chunked\r\n\r\n0\r\n\r\n", 405, Closed),
        ("space around", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \t chunked \t\r\n\r\n0\r\n\r\n", 405, Closed),
        ("length first", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("length last", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, Closed),
        ("length of zero", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n0\r\n\r\n", 400, Closed),
        ("length and identity", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\nContent-Length: 5\r\n\r\nhello", 400, Closed),
        ("CL.TE", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nG", 400, Closed),
        ("TE.CL", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n5c\r\nGET /none HTTP/1.1\r\n", 400, Closed),
        ("twice", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("TE.TE", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n", 400, Closed),
        ("TE.TE, other order", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, Closed),
        ("chunked, chunked", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("gzip, chunked", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, Closed),
        ("chunked, gzip", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", 400, Closed),
        ("chunked, identity", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400, Closed),
        ("gzip", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n", 501, Closed),
        ("identity", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n", 501, Closed),
        ("xchunked", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 501, Closed),
        ("chunkedx", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunkedx\r\n\r\n0\r\n\r\n", 501, Closed),
        ("parameter", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked;q=1\r\n\r\n0\r\n\r\n", 501, Closed),
        ("quoted", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n", 501, Closed),
        ("comma first", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("comma last", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked,\r\n\r\n0\r\n\r\n", 400, Closed),
        ("empty", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n\r\n", 400, Closed),
        ("vertical tab", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("space before the colon", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("folded", b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("after a bare LF", b"POST /f HTTP/1.1\r\nHost: h\r\nA: b\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("in 1.0", b"POST /f HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, Closed),
        ("unknown in 1.0", b"POST /f HTTP/1.0\r\nTransfer-Encoding: gzip\r\n\r\n", 400, Closed),
        ("a name alike", b"GET /f HTTP/1.1\r\nHost: h\r\nTransfer_Encoding: chunked\r\n\r\n", 200, Kept),
    ]);
}

/// Bodies in chunks, as uploads: those that are right are taken, and what follows them is answered.
fn run_chunked(cases: &[(&str, Vec<u8>, Fate)]) {
    let directory = site();
    directory.file("up/new", "");
    let server = Server::start(directory.path(), &["--upload", "up"]);
    all(
        cases,
        |case| case.0.to_owned(),
        |(_, body, fate)| {
            let status = if *fate == Kept { 204 } else { 400 };
            let head = b"PUT /up/new HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
            check(&server, &[head, &body[..]].concat(), status, *fate);
        },
    );
}

/// Chunks that nobody wants may turn out to be none when the reply has gone: so that the reply says that nothing
/// follows it, whatever they are and however much of them is there.
#[test]
fn unwanted_chunks_end_the_connection() {
    let (_directory, server) = served();
    for body in ["5\r\nhello\r\n0\r\n\r\n", "5\nhello\r\n0\r\n\r\n", "nonsense", "5\r\nhel", ""] {
        for (line, status) in
            [("GET /f", 200), ("HEAD /f", 200), ("POST /f", 405), ("GET /d/", 200), ("OPTIONS *", 204)]
        {
            let head = format!("{line} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{body}");
            check(&server, head.as_bytes(), status, Closed);
        }
    }
}

#[test]
fn chunks() {
    let cases: [(&str, &[u8], Fate); 51] = [
        ("one", b"5\r\nhello\r\n0\r\n\r\n", Kept),
        ("three", b"5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\n\r\n", Kept),
        ("hexadecimal, small", b"a\r\n0123456789\r\n0\r\n\r\n", Kept),
        ("hexadecimal, capital", b"A\r\n0123456789\r\n0\r\n\r\n", Kept),
        ("leading zeros", b"0005\r\nhello\r\n000\r\n\r\n", Kept),
        ("16 digits", b"0000000000000005\r\nhello\r\n0\r\n\r\n", Kept),
        ("17 digits", b"00000000000000005\r\nhello\r\n0\r\n\r\n", Closed),
        ("line ends as data", b"4\r\n\r\n\r\n\r\n0\r\n\r\n", Kept),
        ("a last chunk as data", b"5\r\n0\r\n\r\n\r\n0\r\n\r\n", Kept),
        ("a request as data", b"2a\r\nGET /none HTTP/1.1\r\nHost: h\r\nContent-Len\r\n\r\n0\r\n\r\n", Kept),
        ("extension", b"5;a\r\nhello\r\n0;b\r\n\r\n", Kept),
        ("extension with value", b"5;a=b;c=d\r\nhello\r\n0\r\n\r\n", Kept),
        ("extension, quoted", b"5;a=\"b;\\\"c\"\r\nhello\r\n0\r\n\r\n", Kept),
        ("extension, bare LF", b"5;a\nhello\r\n0\r\n\r\n", Closed),
        ("extension, bare LF and more", b"2;\nxx\r\n5\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, bare CR", b"5;a\rb\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, NUL", b"5;a\0\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, LF in quotes", b"5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, CR LF in quotes", b"5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, empty", b"5;\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, space before it", b"5 ;a = b\r\nhello\r\n0\t;\ta\r\n\r\n", Kept),
        ("extension, space and bare LF", b"5 \n;a\r\nhello\r\n0\r\n\r\n", Closed),
        ("extension, space and NUL", b"5 \0;a\r\nhello\r\n0\r\n\r\n", Closed),
        ("SP after the size", b"5 \r\nhello\r\n0\r\n\r\n", Closed),
        ("tab after the size", b"5\t\r\nhello\r\n0\r\n\r\n", Closed),
        ("SP before the size", b" 5\r\nhello\r\n0\r\n\r\n", Closed),
        ("plus", b"+5\r\nhello\r\n0\r\n\r\n", Closed),
        ("minus", b"-5\r\nhello\r\n0\r\n\r\n", Closed),
        ("0x", b"0x5\r\nhello\r\n0\r\n\r\n", Closed),
        ("underscore", b"1_0\r\n0123456789abcdef\r\n0\r\n\r\n", Closed),
        ("no number", b"g\r\nhello\r\n0\r\n\r\n", Closed),
        ("no size", b"\r\nhello\r\n0\r\n\r\n", Closed),
        ("overflow", b"10000000000000005\r\nhello\r\n0\r\n\r\n", Closed),
        ("largest", b"ffffffffffffffff\r\nhello", Closed),
        ("bare LF after the size", b"5\nhello\r\n0\r\n\r\n", Closed),
        ("bare CR after the size", b"5\rhello\r\n0\r\n\r\n", Closed),
        ("CR CR LF after the size", b"5\r\r\nhello\r\n0\r\n\r\n", Closed),
        ("bare LF after the data", b"5\r\nhello\n0\r\n\r\n", Closed),
        ("nothing after the data", b"5\r\nhello0\r\n\r\n", Closed),
        ("two bytes for the line end", b"5\r\nhelloXX0\r\n\r\n", Closed),
        ("more than the size", b"5\r\nhello world\r\n0\r\n\r\n", Closed),
        ("less than the size", b"6\r\nhello\r\n0\r\n\r\n", Closed),
        ("bare LF after the last chunk", b"0\n\r\n", Closed),
        ("bare LF at the end", b"0\r\n\n", Closed),
        ("trailer", b"0\r\nA: b\r\nC: d\r\n\r\n", Kept),
        (
            "trailers are not fields",
            b"0\r\nContent-Length: 50\r\nConnection: close\r\nHost: x y\r\n\r\n",
            Kept,
        ),
        ("trailer, bare LF", b"0\r\nA: b\n\r\n", Closed),
        ("trailer, space before the colon", b"0\r\nA : b\r\n\r\n", Closed),
        ("trailer, folded", b"0\r\nA: b\r\n c\r\n\r\n", Closed),
        ("trailer, NUL", b"0\r\nA: \0\r\n\r\n", Closed),
        ("trailer, a request line", b"0\r\nGET /none HTTP/1.1\r\nHost: h\r\n\r\n", Closed),
    ];
    run_chunked(&cases.map(|(name, body, fate)| (name, body.to_vec(), fate)));
}

#[test]
fn limits_of_chunks() {
    let line = |length: usize| format!("1;{}\r\nx\r\n", "e".repeat(length - "1;\r\n".len()));
    let trailers = |length: usize| format!("0\r\nA: {}\r\n\r\n", "t".repeat(length - "A: \r\n\r\n".len()));
    let end = "0\r\n\r\n";
    let cases = [
        ("longest line of a size", line(256) + end, Kept),
        ("line of a size too long", line(257) + end, Closed),
        ("line of a size without end", format!("1;{}", "e".repeat(100_000)), Closed),
        ("60 extensions", line(250).repeat(60) + end, Kept),
        ("80 extensions", line(250).repeat(80) + end, Closed),
        ("trailers", trailers(8000), Kept),
        ("trailers too long", trailers(8300), Closed),
        ("trailers without end", format!("0\r\n{}", "A: b\r\n".repeat(20_000)), Closed),
        ("many small chunks", "1\r\nx\r\n".repeat(9000) + end, Kept),
        ("over 64 KB", format!("10000\r\n{}\r\n{end}", "x".repeat(0x10000)), Kept),
    ];
    run_chunked(&cases.map(|(name, body, fate)| (name, body.into_bytes(), fate)));
}

#[test]
fn longest_body() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.body_max=100"]);
    for (line, status) in
        [("GET /f", 200), ("POST /f", 405), ("OPTIONS *", 204), ("GET /none", 404), ("PUT /f", 405)]
    {
        for (length, over) in [(100, false), (101, true), (1_000_000_000, true)] {
            let body = vec![b'x'; 101.min(length)];
            let head = format!("{line} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
            // No PUT is wanted there, however short.
            let status = if over && !line.starts_with("PUT") { 413 } else { status };
            let fate = if over { Closed } else { Kept };
            check(&server, &[head.as_bytes(), &body].concat(), status, fate);
        }
    }
    // Nor is the client told to send it.
    let head = b"GET /f HTTP/1.1\r\nHost: h\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n";
    check(&server, head, 413, Closed);
}

#[test]
fn bodies_are_never_requests() {
    let (_directory, server) = served();
    for (length, fate) in
        [(51, Kept), (510, Kept), (65_535, Kept), (65_536, Kept), (65_537, Closed), (200_000, Closed)]
    {
        for (method, status) in [("POST", 405), ("GET", 200), ("OPTIONS", 204)] {
            let mut body = PROBE.repeat(length / PROBE.len() + 1);
            body.truncate(length);
            let head = format!("{method} /f HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n");
            check(&server, &[head.as_bytes(), &body].concat(), status, fate);
        }
    }
    // Refused before the body: its bytes are requests, but not to us.
    for (head, status) in [
        ("POST /f HTTP/1.1\r\nContent-Length: 500\r\n\r\n", 400),
        ("BREW /f HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n", 501),
        ("POST /%zz HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n", 400),
        ("POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\nExpect: x\r\n\r\n", 417),
    ] {
        check(&server, &[head.as_bytes(), &PROBE.repeat(10)].concat(), status, Closed);
    }
}

#[test]
fn bodies_that_end_early() {
    let (_directory, mut server) = served();
    for request in [
        &b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nhello"[..],
        b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n",
        b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ] {
        let replies = Reply::all(&server.talk(request));
        assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [405]);
    }
    // A head that ends early is no request.
    for request in [&b"GET /f HTTP/1.1\r\nHost: h\r\n\r"[..], b"GET /f HTTP/1.1\r\nHo", b"G", b"\r\n", b""] {
        let all = server.talk(request);
        assert!(
            all.is_empty() || Reply::first(&all, false).0.status == 400,
            "{}",
            String::from_utf8_lossy(&all)
        );
    }
    assert!(server.runs());
}

#[test]
fn the_body_may_come_late() {
    let (_directory, server) = served();
    let mut stream = server.connect();
    for piece in
        [&b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n"[..], b"hello", b"hell", b"o", PROBE]
    {
        stream.write_all(piece).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let statuses: Vec<u16> = Reply::all(&read_all(&mut stream)).iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [405, 200]);
}
