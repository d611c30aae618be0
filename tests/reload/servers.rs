//! Servers that are stopped, drained and started, with a download in progress.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::host::{Program, asking, body, closing, connect, exchange, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";
/// Much more than sockets hold.
const LARGE: u64 = 64 << 20;

/// A server with a connection at rest and one with a download that has begun.
fn busy() -> (Program, TcpStream, TcpStream) {
    let program = Program::start(ONE);
    let large = program.directory.file("one/large", "");
    std::fs::OpenOptions::new().write(true).open(large).unwrap().set_len(LARGE).unwrap();
    let one = program.address("one");
    let mut kept = connect(one);
    exchange(&mut kept, &asking("/a.txt")).unwrap();
    let mut download = connect(one);
    download.write_all(closing("/large").as_bytes()).unwrap();
    download.read_exact(&mut [0; 1000]).unwrap();
    (program, kept, download)
}

/// How much more comes before it ends, well or not.
fn rest(stream: &mut TcpStream) -> u64 {
    let (mut room, mut sum) = (vec![0; 1 << 16], 0);
    while let Ok(count @ 1..) = stream.read(&mut room) {
        sum += count as u64;
    }
    sum
}

fn takes_none(one: SocketAddr) {
    until("its listener goes", || TcpStream::connect(one).is_err());
}

/// It begins again, with what was set.
fn starts(program: &Program) {
    let mut monitor = program.monitor();
    assert_eq!(monitor.ask("find connection where server = one").unwrap(), "");
    assert_eq!(monitor.value("/http/one.enabled"), "off");
    monitor.ask("call /http/one start").unwrap();
    assert_eq!(monitor.value("/http/one.state"), "running");
    assert_eq!(body(program.address("one"), "/a.txt").1, "of one");
}

#[test]
fn what_drains_finishes_what_it_was_asked() {
    let (program, mut kept, mut download) = busy();
    let (mut monitor, one) = (program.monitor(), program.address("one"));
    assert_eq!(monitor.value("/http/one.state"), "running");
    monitor.ask("call /http/one drain").unwrap();
    takes_none(one);
    assert_eq!(rest(&mut kept), 0);
    assert_eq!(monitor.value("/http/one.state"), "draining");
    assert_eq!(monitor.value("/http/one.open"), "1");
    assert_eq!(monitor.ask("find connection where server = one").unwrap().lines().count(), 1);
    assert!(rest(&mut download) > LARGE - 1000);
    until("the last one ends", || monitor.value("/http/one.state") == "stopped");
    assert_eq!(monitor.value("/http/one.open"), "-");
    starts(&program);
}

#[test]
fn what_stops_closes_its_connections() {
    let (program, mut kept, mut download) = busy();
    let (mut monitor, one) = (program.monitor(), program.address("one"));
    // Others do not notice.
    program.reload(&[ONE, &ONE.replace("one", "two")].concat()).unwrap();
    let mut other = connect(program.address("two"));
    exchange(&mut other, &asking("/a.txt")).unwrap();
    monitor.ask("call /http/one stop").unwrap();
    takes_none(one);
    until("all of them end", || monitor.value("/http/one.state") == "stopped");
    assert_eq!(rest(&mut kept), 0);
    assert!(rest(&mut download) < LARGE - 1000);
    exchange(&mut other, &asking("/a.txt")).unwrap();
    starts(&program);
}

#[test]
fn what_drains_can_be_stopped_and_started() {
    let (program, _kept, mut download) = busy();
    let mut monitor = program.monitor();
    monitor.ask("call /http/one drain").unwrap();
    assert_eq!(monitor.value("/http/one.state"), "draining");
    // A new one serves beside what is left of the old one, and is not what a stop in the same step would end.
    monitor.ask("call /http/one start").unwrap();
    assert_eq!(monitor.value("/http/one.state"), "running");
    assert_eq!(body(program.address("one"), "/a.txt").1, "of one");
    monitor.ask("call /http/one drain").unwrap();
    monitor.ask("begin").unwrap();
    monitor.ask("call /http/one stop").unwrap();
    assert_eq!(monitor.value("/http/one.state"), "draining");
    monitor.ask("commit").unwrap();
    until("all of them end", || monitor.ask("find connection where server = one").unwrap().is_empty());
    assert!(rest(&mut download) < LARGE - 1000);
    until("it is stopped", || monitor.value("/http/one.state") == "stopped");
    starts(&program);
}
