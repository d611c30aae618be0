//! Many connections, watchers that do not read, and a loop that has nothing to do.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::host::Host;
use crate::session::Session;

/// Clients at once; with their ends here they are twice as many descriptors.
const CROWD: usize = 3000;

fn crowd(host: &Host) -> Vec<TcpStream> {
    let limit = std::fs::read_to_string("/proc/self/limits").unwrap();
    let limit = limit.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let limit: usize = limit.split_whitespace().nth(3).unwrap().parse().unwrap();
    let count = CROWD.min(limit.saturating_sub(200));
    (0..count)
        .map(|_| {
            let mut stream = host.server.connect();
            ask(&mut stream);
            stream
        })
        .collect()
}

/// One request on a connection that stays.
fn ask(stream: &mut TcpStream) {
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    let mut got = Vec::new();
    while !got.ends_with(b"a file") {
        let mut room = [0; 1000];
        let count = stream.read(&mut room).unwrap();
        assert!(count > 0);
        got.extend_from_slice(&room[..count]);
    }
}

#[test]
fn a_crowd_is_looked_at_while_it_is_served() {
    let host = Host::with("", "");
    let clients = crowd(&host);
    let mut client = host.server.connect();
    let mut session = host.session();
    session.send("@a find connection where server = main\n");
    // Between the slices of one answer others are served: it is not read to its end before they are.
    for _ in 0..20 {
        ask(&mut client);
    }
    let mut rows = 0;
    loop {
        match session.frame() {
            crate::session::Frame::Part(_, part) => rows += part.matches("/connection/").count(),
            crate::session::Frame::End(_, code, part) => {
                assert_eq!(code, "ok");
                rows += part.matches("/connection/").count();
                break;
            }
            crate::session::Frame::Push(..) => panic!("nothing is watched"),
        }
    }
    assert_eq!(rows, clients.len() + 1);
    let found = session.ask("find connection where server = main sort -age limit 3 show age");
    assert_eq!(found.lines().count(), 3);
    // For a time: as many as may wait, or all, and then they come back.
    let (code, text) = session.try_ask("find connection where server = main | set read_buffer=8K for 2s");
    let few = clients.len() < 1024;
    assert_eq!(
        (code.as_str(), text.contains("at most 1024 changes wait")),
        (if few { "ok" } else { "limit" }, !few)
    );
    let done = text.split_once(" done=").unwrap().1.lines().next().unwrap().parse::<usize>().unwrap();
    assert!(done > clients.len().min(900), "{text}");
    while !session.ask("find connection where read_buffer = 8K limit 1").is_empty() {}
    let found = session.ask("find connection where server = main and not idle > 1h | set write_buffer=32K");
    assert_eq!(found, format!("/connection found={0} done={0}\n", clients.len() + 1));
    let found = session.ask("find connection where write_buffer = 32K | close");
    assert_eq!(found, format!("/connection found={0} done={0}\n", clients.len() + 1));
    assert_eq!(session.ask("find connection where server = main"), "");
    // What waits for connections that are gone takes no place from others.
    let mut again = crowd(&host);
    let (code, _) = session.try_ask("find connection where server = main | set read_buffer=8K for 1h");
    assert_eq!(code, if again.len() < 1024 { "ok" } else { "limit" });
    again.clear();
    while !session.ask("find connection where server = main limit 1").is_empty() {}
    session.ask("set /http/main idle_timeout=5s for 1m");
    for mut client in clients.into_iter().take(10) {
        assert_eq!(client.read(&mut [0; 10]).unwrap(), 0);
    }
}

#[test]
fn who_does_not_read_loses_samples_and_costs_no_memory() {
    let host = Host::with("", "");
    let _clients = crowd(&host);
    let mut slow = host.session();
    let before = host.status("VmRSS");
    let watches: String = (0..8).map(|at| format!("@w{at} watch find connection every 100ms\n")).collect();
    slow.send(watches);
    slow.send("@all get /connection/*\n");
    let mut other = host.session();
    other.send("@t watch /loop turns every 100ms\n");
    for _ in 0..20 {
        other.sample("t");
    }
    let after = host.status("VmRSS");
    assert!(after < before + 2000, "{before} kB became {after} kB");
    // What was lost is counted.
    let mut dropped = false;
    for _ in 0..200 {
        if let crate::session::Frame::Push(_, text) = slow.frame() {
            dropped |= text.starts_with("/watch w") && text.lines().next().unwrap().contains(" dropped=");
            assert!(text.len() <= 33 << 10, "{}", text.len());
        }
        if dropped {
            break;
        }
    }
    assert!(dropped);
}

#[test]
fn nobody_to_tell_is_no_reason_to_wake() {
    let host = Host::with("", "");
    let _idle: Session = host.session();
    // What the start and the session have left to do is done by then.
    std::thread::sleep(Duration::from_millis(1500));
    let before = host.status("voluntary_ctxt_switches");
    std::thread::sleep(Duration::from_secs(3));
    let woken = host.status("voluntary_ctxt_switches") - before;
    assert_eq!(woken, 0, "an open session that asks nothing");
    drop(_idle);
    std::thread::sleep(Duration::from_millis(1500));
    let before = host.status("voluntary_ctxt_switches");
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(host.status("voluntary_ctxt_switches") - before, 0, "no session");
}
