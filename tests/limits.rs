//! Limits of connections: those that are too many are told so, and those that are served do not notice.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Reply, Server, read_all};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET /a.txt HTTP/1.1\r\nHost: test\r\n\r\n";

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("a.txt", "a file");
    directory
}

/// One request on a connection that stays.
fn served(stream: &mut TcpStream) {
    stream.write_all(REQUEST).unwrap();
    let (mut all, mut some) = (Vec::new(), [0; 1024]);
    while !all.ends_with(b"\r\n\r\na file") {
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "it ended after {:?}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..count]);
    }
    assert!(all.starts_with(b"HTTP/1.1 200 "));
}

/// Reads a refusal, whole, to its end, which is no reset.
fn refused(stream: &mut TcpStream) {
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    let (reply, rest) = Reply::first(&all, false);
    assert_eq!((reply.status, rest.len()), (503, 0), "{}", reply.head);
    assert_eq!(reply.field("retry-after").as_deref(), Some("1"));
    assert_eq!(reply.field("connection").as_deref(), Some("close"));
    assert_eq!(reply.body, b"503 Service Unavailable\n");
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn beyond_the_limit_of_connections() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.max_connections=10"]);
    let base = server.descriptors();
    let mut inside: Vec<_> = (0..10).map(|_| server.connect()).collect();
    // Nobody is idle for a second yet, and half a request is not idle at all.
    for stream in &mut inside {
        served(stream);
        stream.write_all(b"GET /a.txt HT").unwrap();
    }
    for round in 0..150 {
        let mut one = server.connect();
        one.write_all(REQUEST).unwrap();
        refused(&mut one);
        if round % 50 == 0 {
            let mut many: Vec<_> = (0..100).map(|_| server.connect()).collect();
            // One with much to say, which nobody reads, is told all the same.
            let _ = many[0].write_all(&[b'x'; 9000]);
            many.iter_mut().for_each(refused);
        }
    }
    // With the file, which is kept open.
    assert!(server.descriptors() <= base + 10 + 64 + 1, "{}", server.descriptors());
    for stream in &mut inside {
        stream.write_all(b"TP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        assert!(read_all(stream).starts_with(b"HTTP/1.1 200 "));
    }
    until("those that were refused are closed", || server.descriptors() <= base + 1);
    served(&mut server.connect());
}

#[test]
fn the_longest_idle_makes_room() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.max_connections=3"]);
    let mut inside: Vec<_> = (0..3).map(|_| server.connect()).collect();
    for stream in &mut inside {
        served(stream);
        std::thread::sleep(Duration::from_millis(600));
    }
    // The first has been idle for longest; now it is the last.
    served(&mut inside[0]);
    std::thread::sleep(Duration::from_millis(300));
    let mut new = server.connect();
    served(&mut new);
    assert_eq!(inside[1].read(&mut [0]).unwrap(), 0, "it made room");
    served(&mut inside[0]);
    served(&mut inside[2]);
    // None of them is idle for a second.
    refused(&mut server.connect());
}

#[test]
fn quit_finishes_in_spite_of_the_refused() {
    let directory = site();
    let mut server = Server::start(directory.path(), &["--http.main.max_connections=1"]);
    let mut inside = server.connect();
    served(&mut inside);
    inside.write_all(b"GET /a.txt HT").unwrap();
    let mut outside: Vec<_> = (0..40).map(|_| server.connect()).collect();
    outside.iter_mut().for_each(refused);
    server.signal("QUIT");
    std::thread::sleep(Duration::from_millis(200));
    assert!(server.runs());
    inside.write_all(b"TP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert!(read_all(&mut inside).starts_with(b"HTTP/1.1 200 "));
    until("it is gone", || !server.runs());
}

#[test]
fn loopback_is_not_counted() {
    let directory = site();
    let server = Server::start(directory.path(), &["--http.main.max_per_address=1"]);
    let mut streams: Vec<_> = (0..20).map(|_| server.connect()).collect();
    streams.iter_mut().for_each(served);
}

/// The limit per address needs addresses that are not loopback: this program runs itself where it may have some, in a
/// network of its own.
#[test]
fn beyond_the_limit_per_address() {
    let script = "ip link set lo up && for address in 192.0.2.1/32 192.0.2.2/32; do ip address add $address dev lo; \
                  done && for address in 1::1 1::2 2::1; do ip address add 2001:db8:0:$address/128 dev lo nodad; done";
    let network = |run: &str| {
        let mut command = Command::new("unshare");
        command.args(["-rn", "sh", "-c", &format!("{script} && {run}")]);
        command
    };
    let possible = network("true").output().is_ok_and(|output| output.status.success());
    if !possible {
        eprintln!(
            "SKIPPED beyond_the_limit_per_address: a network namespace (unshare -rn, ip) cannot be had here"
        );
        return;
    }
    let mut inner = network("exec \"$0\" --exact within_a_network --ignored --nocapture");
    assert!(inner.arg(std::env::current_exe().unwrap()).status().unwrap().success());
}

#[test]
#[ignore = "run by beyond_the_limit_per_address, in a network that has the addresses"]
fn within_a_network() {
    let directory = site();
    let mut command = common::gorgon();
    command.arg(directory.path()).args(["--http.main.max_per_address=3", "-l", "192.0.2.1:0"]);
    let server = Server::spawn(command);
    // From the address of the server itself: the kernel takes the one that is asked.
    let mut inside: Vec<_> = (0..3).map(|_| server.connect()).collect();
    inside.iter_mut().for_each(served);
    for _ in 0..100 {
        let mut stream = server.connect();
        stream.write_all(REQUEST).unwrap();
        refused(&mut stream);
    }
    inside.iter_mut().for_each(served);
    drop(inside.pop());
    until("there is room", || {
        let mut stream = server.connect();
        stream.write_all(b"GET /a.txt HTTP/1.0\r\n\r\n").unwrap();
        read_all(&mut stream).starts_with(b"HTTP/1.1 200 ")
    });
    // Another address has a count of its own; all of a /64 of IPv6 have one together.
    let mut command = common::gorgon();
    command.arg(directory.path()).args(["--http.main.max_per_address=3", "-l", ":0"]);
    let server = Server::spawn(command);
    let mut kept = Vec::new();
    for (address, is_served) in [
        ("192.0.2.1", true),
        ("192.0.2.1", true),
        ("192.0.2.2", true),
        ("192.0.2.1", true),
        ("192.0.2.1", false),
        ("192.0.2.2", true),
        ("2001:db8:0:1::1", true),
        ("2001:db8:0:1::2", true),
        ("2001:db8:0:1::1", true),
        ("2001:db8:0:1::1", false),
        ("2001:db8:0:1::2", false),
        ("2001:db8:0:2::1", true),
        ("127.0.0.1", true),
    ] {
        let to = SocketAddr::new(address.parse().unwrap(), server.address.port());
        let mut stream = TcpStream::connect(to).unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), to.ip(), "the kernel takes the address that is asked");
        if is_served {
            served(&mut stream);
            kept.push(stream);
        } else {
            stream.write_all(REQUEST).unwrap();
            refused(&mut stream);
        }
    }
}
