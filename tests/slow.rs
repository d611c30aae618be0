//! Clients that take their time: what is too slow ends, what is fast enough does not.
//!
//! No test here relies on a tight time: an end is awaited for as long as a hang would be the failure.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Reply, Server, read_all};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /a.txt HTTP/1.1\r\nHost: test\r\n\r\n";
const BIG: u64 = 50_000_000;
/// What is to end after one second, or a few: more is a hang.
const SOON: Duration = Duration::from_secs(20);

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("a.txt", "a file");
    directory.file("big", "");
    std::fs::File::options().write(true).open(directory.path().join("big")).unwrap().set_len(BIG).unwrap();
    directory.age("big", 3600);
    directory
}

/// Sends a byte of what is given, again and again, until something comes back; gives all of that.
fn drip(mut stream: TcpStream, bytes: &[u8], pause: Duration) -> Vec<u8> {
    let begun = Instant::now();
    stream.set_read_timeout(Some(pause)).unwrap();
    for byte in bytes.iter().cycle() {
        assert!(begun.elapsed() < SOON, "it is borne for {:?}", begun.elapsed());
        // Once the other side has ended, sending may fail.
        let sent = stream.write_all(&[*byte]);
        match stream.peek(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock && sent.is_ok() => {}
            _ => break,
        }
    }
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    read_all(&mut stream)
}

/// Reads one reply to [`REQUEST`].
fn take(stream: &mut TcpStream) {
    let (mut all, mut some) = (Vec::new(), [0; 1024]);
    while !all.ends_with(b"\r\n\r\na file") {
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "it ended after {:?}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..count]);
    }
}

fn await_descriptors(server: &Server, count: usize) {
    let begun = Instant::now();
    while server.descriptors() > count {
        assert!(begun.elapsed() < SOON, "{} descriptors, not {count}", server.descriptors());
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_head_has_its_time_and_no_byte_renews_it() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.header_timeout=1s"]);
    let begun = Instant::now();
    let mut stream = server.connect();
    stream.write_all(b"GET / HTTP/1.1\r\nX: ").unwrap();
    let reply = Reply::first(&drip(stream, b"x", Duration::from_millis(200)), false).0;
    assert_eq!(reply.status, 408);
    assert_eq!(reply.field("connection").as_deref(), Some("close"));
    assert!(begun.elapsed() >= Duration::from_secs(1), "{:?}", begun.elapsed());

    // From the first byte on, and the second request of a connection just so.
    let reply = drip(server.connect(), b"G", Duration::from_millis(200));
    assert_eq!(Reply::first(&reply, false).0.status, 408);
    let mut stream = server.connect();
    stream.write_all(REQUEST).unwrap();
    take(&mut stream);
    let reply = drip(stream, b"GET ", Duration::from_millis(200));
    assert_eq!(Reply::first(&reply, false).0.status, 408);
}

#[test]
fn a_slow_head_in_time_is_answered() {
    let directory = site();
    let server = Server::start(directory.path(), &[]);
    let mut stream = server.connect();
    for byte in REQUEST {
        stream.write_all(&[*byte]).unwrap();
        std::thread::sleep(Duration::from_millis(10));
    }
    take(&mut stream);
}

#[test]
fn silence_ends() {
    let directory = site();
    for defer in ["0", "1s"] {
        let defer = format!("--http.main.defer_accept={defer}");
        let path = directory.path().join("socket");
        let unix = format!("unix:{}", path.display());
        let arguments = ["--http.main.header_timeout=1s", &defer, "-l", &unix];
        let server = Server::start(directory.path(), &arguments);
        let base = server.descriptors();
        let begun = Instant::now();
        let (mut tcp, mut unix) = (server.connect(), UnixStream::connect(&path).unwrap());
        unix.set_read_timeout(Some(PATIENCE)).unwrap();
        assert_eq!(tcp.read(&mut [0; 10]).unwrap(), 0);
        assert_eq!(unix.read(&mut [0; 10]).unwrap(), 0);
        assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
        await_descriptors(&server, base);
    }
}

#[test]
fn a_kept_connection_ends_when_nothing_comes() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.idle_timeout=1s"]);
    let mut stream = server.connect();
    for _ in 0..3 {
        stream.write_all(REQUEST).unwrap();
        take(&mut stream);
        std::thread::sleep(Duration::from_millis(400));
    }
    let begun = Instant::now();
    stream.write_all(REQUEST).unwrap();
    take(&mut stream);
    assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
    let time = begun.elapsed();
    assert!(time >= Duration::from_secs(1) && time < SOON, "{time:?}");
}

#[test]
fn a_reader_that_takes_nothing_is_given_up() {
    let directory = site();
    for sendfile in ["on", "off"] {
        let sendfile = format!("--http.main.sendfile={sendfile}");
        let server = Server::start(directory.path(), &["--http.main.rate_grace=1s", &sendfile]);
        server.get("/big");
        let base = server.descriptors();
        let mut stuck = server.connect();
        stuck.write_all(b"GET /big HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        stuck.read_exact(&mut [0; 1000]).unwrap();
        let mut slow = server.connect();
        slow.write_all(b"GET /big HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        // 5 MB in some five seconds, which is several times the grace.
        let mut room = vec![0; 100_000];
        for _ in 0..50 {
            slow.read_exact(&mut room).unwrap();
            std::thread::sleep(Duration::from_millis(100));
        }
        let rest = std::io::copy(&mut slow, &mut std::io::sink()).unwrap();
        assert!(rest > BIG - 5_000_000, "{rest}");
        await_descriptors(&server, base);
        assert!((read_all(&mut stuck).len() as u64) < BIG);
    }
}

#[test]
fn a_body_must_come_at_some_rate() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.rate_grace=1s"]);
    let head = b"POST /a.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 30000\r\n\r\n";
    let mut stream = server.connect();
    stream.write_all(head).unwrap();
    // The answer is there at once, and the body is read away only for the next request's sake.
    let mut first = vec![0; 4096];
    let count = stream.read(&mut first).unwrap();
    assert!(first[..count].starts_with(b"HTTP/1.1 405 "));
    drip(stream, b"x", Duration::from_millis(100));

    // A tenth a second is slow and enough.
    let mut stream = server.connect();
    stream.write_all(head).unwrap();
    for _ in 0..30 {
        stream.write_all(&[b'x'; 1000]).unwrap();
        std::thread::sleep(Duration::from_millis(100));
    }
    stream.write_all(REQUEST).unwrap();
    take(&mut stream);
}

#[test]
fn who_leaves_is_not_lingered_on_for_ever() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.linger_timeout=1s"]);
    let base = server.descriptors();
    // A body that will not be read, and a client that neither reads nor ends.
    let mut streams = Vec::new();
    for _ in 0..20 {
        let mut stream = server.connect();
        stream.write_all(b"POST /a.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 3000000\r\n\r\nx").unwrap();
        streams.push(stream);
    }
    await_descriptors(&server, base);
    for stream in &mut streams {
        assert_eq!(Reply::first(&read_all(stream), false).0.field("connection").as_deref(), Some("close"));
    }
    // Nor one that goes on sending.
    let mut stream = server.connect();
    stream.write_all(b"nonsense\r\n\r\n").unwrap();
    let begun = Instant::now();
    while stream.write_all(b"more").is_ok() {
        assert!(begun.elapsed() < SOON);
        std::thread::sleep(Duration::from_millis(50));
    }
}
