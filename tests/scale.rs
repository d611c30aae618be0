//! Many connections at once, few descriptors, clients that vanish: nobody is lost, nothing is kept.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /a.txt HTTP/1.1\r\nHost: test\r\n\r\n";
const BIG: u64 = 50_000_000;

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("a.txt", "a file");
    directory.file("big", "");
    std::fs::File::options().write(true).open(directory.path().join("big")).unwrap().set_len(BIG).unwrap();
    directory.age("big", 3600);
    directory
}

/// A server that has every file open that it will keep open, and how many descriptors that is.
fn warm(directory: &Directory, arguments: &[&str]) -> (Server, usize) {
    gorgon_sys::raise_descriptors().unwrap();
    let server = Server::start(directory.path(), arguments);
    let alone = sockets(&server);
    assert_eq!(server.get("/a.txt").status, 200);
    assert_eq!(server.get("/big").body.len(), BIG as usize);
    until("the first connections are closed", || sockets(&server) == alone);
    let base = server.descriptors();
    (server, base)
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sockets of the server, its listener and what else it has when nobody is connected among them.
fn sockets(server: &Server) -> usize {
    let entries = std::fs::read_dir(format!("/proc/{}/fd", server.child.id())).unwrap();
    let links = entries.filter_map(|entry| std::fs::read_link(entry.unwrap().path()).ok());
    links.filter(|link| link.to_string_lossy().starts_with("socket:")).count()
}

/// Kilobytes that the process alone has written to.
fn private_dirty(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", server.child.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().trim().parse().unwrap()
}

/// Processor time used so far.
fn processor_time(server: &Server) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{}/stat", server.child.id())).unwrap();
    let fields: Vec<&str> = text.rsplit_once(')').unwrap().1.split_whitespace().collect();
    // utime and stime in hundredths of a second (proc(5)).
    Duration::from_millis(10 * (fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()))
}

fn ask(stream: &mut TcpStream) {
    stream.write_all(REQUEST).unwrap();
}

/// Reads the reply to [`REQUEST`].
fn take(stream: &mut TcpStream) {
    let (mut all, mut some) = (Vec::new(), [0; 1024]);
    while !all.ends_with(b"\r\n\r\na file") {
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "it ended after {:?}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..count]);
    }
    assert!(all.starts_with(b"HTTP/1.1 200 "));
}

/// Whether a reply has begun to come.
fn has_reply(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let peeked = stream.peek(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    match peeked {
        Ok(count) => {
            assert!(count > 0, "it ended without a reply");
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
            false
        }
    }
}

#[test]
fn ten_thousand_connections() {
    const COUNT: usize = 10_000;
    let directory = site();
    let (server, base) = warm(&directory, &[]);
    let (_, limit) = gorgon_sys::descriptors();
    assert!(limit > 11_000, "a hard limit of {limit} descriptors is too few for this test");
    let memory = private_dirty(&server);
    let mut streams = Vec::new();
    while streams.len() < COUNT {
        let mut some: Vec<_> = (0..100).map(|_| server.connect()).collect();
        some.iter_mut().for_each(ask);
        some.iter_mut().for_each(take);
        streams.append(&mut some);
    }
    assert_eq!(server.descriptors(), base + COUNT);
    let grown = private_dirty(&server).saturating_sub(memory);
    println!("idle: {} bytes each", grown * 1024 / COUNT as u64);
    assert!(grown < 3_000, "{grown} kB for idle connections");
    let before = processor_time(&server);
    std::thread::sleep(Duration::from_secs(1));
    assert!(processor_time(&server) - before < Duration::from_millis(300), "idle connections cost time");
    // All of them at once, and again.
    for _ in 0..2 {
        streams.iter_mut().for_each(ask);
        streams.iter_mut().for_each(take);
    }
    assert_eq!(server.get("/a.txt").status, 200);
    drop(streams);
    until("all are closed", || server.descriptors() <= base);
    until("memory is given back", || private_dirty(&server) < memory + 400);
    assert_eq!(server.get("/a.txt").status, 200);
}

/// Many more clients than descriptors: some are served, the others wait without cost, and have their turn.
fn crowd(server: &Server, least: usize) {
    const COUNT: usize = 200;
    let mut streams: Vec<_> = (0..COUNT).map(|_| server.connect()).collect();
    streams.iter_mut().for_each(ask);
    until("some are served", || streams.iter().filter(|stream| has_reply(stream)).count() >= least);
    std::thread::sleep(Duration::from_millis(300));
    let before = processor_time(server);
    std::thread::sleep(Duration::from_secs(2));
    let used = processor_time(server) - before;
    assert!(used < Duration::from_millis(300), "it took {used:?} to wait");
    assert!(streams.iter().any(|stream| !has_reply(stream)), "there are not enough clients");
    let begun = Instant::now();
    while !streams.is_empty() {
        assert!(begun.elapsed() < PATIENCE, "{} are not served", streams.len());
        let (served, waiting) = streams.into_iter().partition(has_reply);
        let mut served: Vec<TcpStream> = served;
        served.iter_mut().for_each(take);
        streams = waiting;
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(server.get("/a.txt").status, 200);
}

fn under(directory: &Directory, script: &str, arguments: &[&str]) -> Server {
    let mut command = Command::new("bash");
    command.args(["-c", &format!("{script}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_gorgon")]);
    command.args(["-l", "127.0.0.1:0"]).args(arguments).arg(directory.path());
    Server::spawn(command)
}

#[test]
fn more_clients_than_descriptors() {
    let directory = site();
    for poller in ["epoll", "poll", "select"] {
        let poller = format!("--gorgon.poller={poller}");
        crowd(&under(&directory, "ulimit -n 64", &[&poller]), 20);
    }
}

#[test]
fn descriptors_run_out_before_the_limit_of_connections() {
    let directory = site();
    // 40 descriptors are taken by what the server was started with, which it did not reckon with.
    let script = "ulimit -n 64; for ((n = 20; n < 60; n++)); do eval \"exec $n</dev/null\"; done";
    let server = under(&directory, script, &[]);
    assert!(server.descriptors() > 40);
    crowd(&server, 5);
}

#[test]
fn half_requests_hold_nobody_up() {
    let directory = site();
    let (server, base) = warm(&directory, &["--http.main.header_timeout=60s"]);
    let memory = private_dirty(&server);
    let mut head = b"GET /a.txt HTTP/1.1\r\nHost: test\r\nX-Long: ".to_vec();
    head.resize(3000, b'x');
    let mut halves: Vec<_> = (0..500).map(|_| server.connect()).collect();
    for stream in &mut halves {
        stream.write_all(&head).unwrap();
    }
    until("all have come", || server.descriptors() == base + 500);
    let begun = Instant::now();
    for _ in 0..50 {
        assert_eq!(server.get("/a.txt").status, 200);
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    for stream in &mut halves[..400] {
        stream.write_all(b"x\r\n\r\n").unwrap();
        take(stream);
    }
    drop(halves);
    until("all are closed", || server.descriptors() <= base);
    until("memory is given back", || private_dirty(&server) < memory + 400);
}

#[test]
fn requests_wait_for_memory() {
    let directory = site();
    let (server, base) = warm(&directory, &["--http.main.header_timeout=60s", "--gorgon.page_memory=1M"]);
    let mut head = b"GET /a.txt HTTP/1.1\r\nHost: test\r\nX-Long: ".to_vec();
    head.resize(3900, b'x');
    // Twice of what there is, then more of each, so that those begun grow while others wait.
    let mut halves: Vec<_> = (0..500).map(|_| server.connect()).collect();
    for stream in &mut halves {
        stream.write_all(&head).unwrap();
    }
    until("all have come", || server.descriptors() == base + 500);
    for stream in &mut halves {
        stream.write_all(&[b'x'; 6000]).unwrap();
    }
    for stream in &mut halves {
        stream.write_all(b"\r\n\r\n").unwrap();
    }
    halves.iter_mut().for_each(take);
    drop(halves);
    until("all are closed", || server.descriptors() <= base);
    assert_eq!(server.get("/a.txt").status, 200);
}

#[test]
fn slow_readers_hold_nobody_up() {
    let directory = site();
    let (server, base) = warm(&directory, &[]);
    let memory = private_dirty(&server);
    let mut slow: Vec<_> = (0..50).map(|_| server.connect()).collect();
    for stream in &mut slow {
        stream.write_all(b"GET /big HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        stream.read_exact(&mut [0; 50_000]).unwrap();
    }
    let before = processor_time(&server);
    std::thread::sleep(Duration::from_secs(1));
    assert!(processor_time(&server) - before < Duration::from_millis(300), "stuck readers cost time");
    let begun = Instant::now();
    for _ in 0..50 {
        assert_eq!(server.get("/a.txt").body, b"a file");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert_eq!(server.get("/big").body.len(), BIG as usize);
    for mut stream in slow.drain(..5) {
        let copied = std::io::copy(&mut stream, &mut std::io::sink()).unwrap();
        assert!(copied > BIG - 50_000 && copied < BIG, "{copied}");
    }
    drop(slow);
    until("all are closed", || server.descriptors() <= base);
    until("memory is given back", || private_dirty(&server) < memory + 400);
}

#[test]
fn clients_that_vanish_leave_nothing() {
    let directory = site();
    for sendfile in ["on", "off"] {
        let sendfile = format!("--http.main.sendfile={sendfile}");
        let (server, base) = warm(&directory, &[&sendfile]);
        let memory = private_dirty(&server);
        for round in 0..500 {
            let mut stream = server.connect();
            stream.write_all(b"GET /big HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
            if round % 5 > 0 {
                stream.read_exact(&mut [0; 1000]).unwrap();
            }
            // To close with unread input is to reset.
        }
        until("all are closed", || server.descriptors() <= base);
        until("memory is given back", || private_dirty(&server) < memory + 400);
        assert_eq!(server.get("/big").body.len(), BIG as usize);
    }
}
