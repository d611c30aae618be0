//! Clients that are slow, silent or rude: each is let go in time, and none takes another one's place.

use super::*;
use std::io::Read;
use std::time::{Duration, Instant};

/// Name, the limit that is set, what is sent, what drips after it, and what is answered.
type Wait = (&'static str, &'static str, &'static [u8], &'static [u8], &'static [u16]);

const POST: &[u8] = b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 10000\r\n\r\n";

/// Sends `start`, then one byte of `drip` every 50 ms until the server ends; gives what it answered, and after how
/// long.
fn drip(server: &Server, start: &[u8], drip: &[u8]) -> (Vec<Reply>, Duration) {
    let mut stream = server.connect();
    stream.write_all(start).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    let (began, mut all, mut bytes) = (Instant::now(), Vec::new(), drip.iter().cycle());
    let mut room = [0; 4096];
    loop {
        match stream.read(&mut room) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&room[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                let next = bytes.next().map(std::slice::from_ref).unwrap_or_default();
                let _ = stream.write_all(next);
            }
            Err(_reset) => break,
        }
        assert!(began.elapsed() < Duration::from_secs(10), "it is never let go");
    }
    (Reply::all(&all), began.elapsed())
}

#[test]
fn each_wait_has_its_end() {
    let directory = site();
    let short = |name: &str| format!("--http.main.{name}=400ms");
    let get = b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n";
    let cases: [Wait; 9] = [
        ("nothing at all", "header_timeout", b"", b"", &[]),
        ("a head that stops", "header_timeout", b"GET /f HTTP/1.1\r\n", b"", &[408]),
        ("a head that drips", "header_timeout", b"GET /f HTTP/1.1\r\nA: ", b"b", &[408]),
        ("fields that drip", "header_timeout", b"GET /f HTTP/1.1\r\n", b"A: b\r\n", &[408]),
        (
            "a second head that drips",
            "header_timeout",
            b"GET /f HTTP/1.1\r\nHost: h\r\n\r\nG",
            b"E",
            &[200, 408],
        ),
        ("no second request", "idle_timeout", get, b"", &[200]),
        ("a body that stops", "rate_grace", POST, b"", &[405]),
        ("a body that drips", "rate_grace", POST, b"b", &[405]),
        (
            "a refused one that goes on",
            "linger_timeout",
            b"BREW /f HTTP/1.1\r\nHost: h\r\n\r\n",
            b"b",
            &[501],
        ),
    ];
    all(
        &cases,
        |case| case.0.to_owned(),
        |&(_, setting, start, bytes, statuses)| {
            let server = Server::start(directory.path(), &[&short(setting)]);
            let (replies, time) = drip(&server, start, bytes);
            assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), statuses);
            replies.iter().for_each(sound);
            // The last one is answered before it is lingered on.
            let least = if setting == "linger_timeout" { 0 } else { 350 };
            assert!(time >= Duration::from_millis(least) && time < Duration::from_secs(5), "{time:?}");
        },
    );
}

#[test]
fn many_slow_ones_keep_nobody_waiting() {
    let (_directory, server) = served();
    let slow: Vec<_> = [&b"G"[..], b"GET /f HTTP/1.1\r\nA: b\r\n", POST, b"", b"BREW / HTTP/1.1\r\n\r\n"]
        .iter()
        .cycle()
        .take(200)
        .map(|start| {
            let mut stream = server.connect();
            stream.write_all(start).unwrap();
            stream
        })
        .collect();
    let began = Instant::now();
    for _ in 0..50 {
        check(&server, b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept);
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(slow);
}

#[test]
fn those_that_leave_are_forgotten() {
    let (directory, mut server) = served();
    directory.file("large", vec![b'l'; 4 << 20]);
    check(&server, b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept);
    let before = server.descriptors();
    for round in 0..200usize {
        let mut stream = server.connect();
        let requests: [&[u8]; 5] = [b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n", POST, b"GET /", b"\0", b""];
        stream.write_all(requests[round % 5]).unwrap();
        if round % 2 == 0 && round % 5 < 2 {
            // What is unread makes this a reset.
            let _ = stream.read(&mut [0; 10]);
        }
        drop(stream);
    }
    let began = Instant::now();
    while server.descriptors() > before {
        assert!(began.elapsed() < Duration::from_secs(20), "{} of {before}", server.descriptors());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(server.runs());
    check(&server, b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept);
}
