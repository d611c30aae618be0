//! What signals do to the program, and what it changes of its own limits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Reply, Server, gorgon, read_all};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const BIG: usize = 40_000_000;

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("a.txt", "a file");
    directory.file("big", vec![7; BIG]);
    directory
}

/// Waits for the end; gives the exit code and how long it took.
fn ended(server: &mut Server) -> (Option<i32>, Duration) {
    let begun = Instant::now();
    while server.runs() {
        assert!(begun.elapsed() < PATIENCE, "it does not end");
        std::thread::sleep(Duration::from_millis(5));
    }
    (server.child.wait().unwrap().code(), begun.elapsed())
}

/// Waits until nobody listens any more.
fn await_refusal(server: &Server) {
    let begun = Instant::now();
    while TcpStream::connect(server.address).is_ok() {
        assert!(begun.elapsed() < PATIENCE, "it still accepts");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A connection whose reply is on its way, with its first bytes read.
fn downloading(server: &Server, fields: &str) -> (TcpStream, Vec<u8>) {
    let mut stream = server.connect();
    write!(stream, "GET /big HTTP/1.1\r\nHost: test\r\n{fields}\r\n").unwrap();
    let mut first = vec![0; 10_000];
    stream.read_exact(&mut first).unwrap();
    (stream, first)
}

/// A connection that waits for its next request.
fn idle(server: &Server) -> TcpStream {
    let mut stream = server.connect();
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    read_reply(&mut stream, b"a file");
    stream
}

fn read_reply(stream: &mut TcpStream, body: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while !all.ends_with(body) {
        let mut some = [0; 4096];
        let count = stream.read(&mut some).unwrap();
        assert!(count > 0, "it ended after {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&some[..count]);
    }
    all
}

#[test]
fn stops_at_once() {
    let directory = site();
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(directory.path(), &["--gorgon.grace=60s"]);
        let mut idle = idle(&server);
        let (mut busy, _first) = downloading(&server, "");
        let mut half = server.connect();
        half.write_all(b"GET / HT").unwrap();
        let _silent = server.connect();
        server.signal(signal);
        let (code, time) = ended(&mut server);
        assert_eq!(code, Some(0), "{signal}");
        assert!(time < Duration::from_secs(5), "{signal}: {time:?}");
        assert_eq!(idle.read(&mut [0; 10]).unwrap(), 0);
        assert!(read_all(&mut busy).len() < BIG);
        read_all(&mut half);
    }
}

#[test]
fn quitting_finishes_what_is_in_flight() {
    let directory = site();
    let mut server = Server::start(directory.path(), &["--gorgon.grace=60s"]);
    let mut waiting = idle(&server);
    let (mut closes, mut first) = downloading(&server, "Connection: close\r\n");
    let (mut keeps, mut second) = downloading(&server, "");
    let (mut pipelines, mut third) = downloading(&server, "");
    pipelines.write_all(b"GET /a.txt HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let mut half = server.connect();
    half.write_all(b"GET /a.txt HTTP/1.1\r\nHos").unwrap();
    let mut body = server.connect();
    body.write_all(b"POST /a.txt HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\n12345").unwrap();
    read_reply(&mut body, b"\r\n\r\n405 Method Not Allowed\n");
    server.signal("QUIT");
    await_refusal(&server);
    assert!(server.runs());
    assert_eq!(waiting.read(&mut [0; 10]).unwrap(), 0, "an idle connection is closed");

    half.write_all(b"t: test\r\n\r\n").unwrap();
    let reply = Reply::first(&read_all(&mut half), false).0;
    assert_eq!((reply.status, &reply.body[..]), (200, &b"a file"[..]));
    assert_eq!(reply.field("connection").as_deref(), Some("close"));

    // Its reply is out, and when its body is read there is nothing to wait for.
    body.write_all(b"67890").unwrap();
    assert_eq!(body.read(&mut [0; 10]).unwrap(), 0);

    first.append(&mut read_all(&mut closes));
    assert_eq!(Reply::first(&first, false).0.body.len(), BIG);
    second.append(&mut read_all(&mut keeps));
    assert_eq!(Reply::first(&second, false).0.body.len(), BIG, "a connection that would be kept ends too");
    third.append(&mut read_all(&mut pipelines));
    let replies = Reply::all(&third);
    assert_eq!(replies.len(), 2, "a request that had come is answered");
    assert_eq!(replies[1].body, b"a file");
    let (code, time) = ended(&mut server);
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(20), "{time:?}");
}

#[test]
fn quitting_waits_no_longer_than_the_grace() {
    let directory = site();
    let mut server = Server::start(directory.path(), &["--gorgon.grace=500ms"]);
    let (mut stuck, _first) = downloading(&server, "");
    server.signal("QUIT");
    await_refusal(&server);
    let (code, time) = ended(&mut server);
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(10), "{time:?}");
    assert!(read_all(&mut stuck).len() < BIG);
}

#[test]
fn quitting_ends_at_once_when_nobody_is_served() {
    let directory = site();
    let mut server = Server::start(directory.path(), &["--gorgon.grace=60s"]);
    let _idle: Vec<_> = (0..20).map(|_| idle(&server)).collect();
    let _silent = server.connect();
    server.signal("QUIT");
    let (code, time) = ended(&mut server);
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(10), "{time:?}");
}

#[test]
fn terminating_ends_a_drain() {
    let directory = site();
    let mut server = Server::start(directory.path(), &["--gorgon.grace=60s"]);
    let _stuck = downloading(&server, "");
    server.signal("QUIT");
    await_refusal(&server);
    server.signal("QUIT");
    std::thread::sleep(Duration::from_millis(50));
    assert!(server.runs());
    server.signal("TERM");
    let (code, time) = ended(&mut server);
    assert_eq!(code, Some(0));
    assert!(time < Duration::from_secs(5), "{time:?}");
}

#[test]
fn a_lost_pipe_is_no_end() {
    let directory = site();
    let mut server = Server::start(directory.path(), &[]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap();
    let ignored = u64::from_str_radix(ignored.trim(), 16).unwrap();
    assert_ne!(ignored & 1 << 12, 0, "SIGPIPE (13) is ignored");
    for _ in 0..20 {
        drop(downloading(&server, ""));
    }
    assert_eq!(server.get("/a.txt").status, 200);
    assert!(server.runs());
}

/// The soft and hard limit of a process.
fn limits(server: &Server) -> (String, String) {
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", server.child.id())).unwrap();
    let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let mut words = line.split_whitespace().skip(3);
    (words.next().unwrap().to_owned(), words.next().unwrap().to_owned())
}

fn under(limit: &str, directory: &Directory) -> Server {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit {limit}; exec \"$0\" \"$@\""), env!("CARGO_BIN_EXE_gorgon")]);
    command.args(["-l", "127.0.0.1:0"]).arg(directory.path());
    Server::spawn(command)
}

#[test]
fn raises_its_descriptor_limit() {
    let directory = site();
    let server = under("-Sn 100", &directory);
    let (soft, hard) = limits(&server);
    assert_eq!(soft, hard);
    let line = server.report.lines().find(|line| line.starts_with("Descriptors: ")).unwrap();
    assert!(line.contains(&format!(": {hard}, raised from 100;")), "{line}");
    let streams: Vec<_> = (0..200).map(|_| idle(&server)).collect();
    assert!(server.descriptors() > streams.len());

    let server = under("-n 100", &directory);
    assert_eq!(limits(&server), ("100".to_owned(), "100".to_owned()));
    assert!(server.report.contains("Descriptors: 100;"), "{}", server.report);
}

#[test]
fn other_signals_are_as_the_system_has_them() {
    let directory = site();
    let mut command = gorgon();
    command.args(["-l", "127.0.0.1:0"]).arg(directory.path());
    let mut server = Server::spawn(command);
    for signal in ["CHLD", "WINCH", "CONT", "URG"] {
        server.signal(signal);
    }
    server.signal("STOP");
    let mut stream = server.connect();
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    server.signal("CONT");
    assert_eq!(Reply::first(&read_all(&mut stream), false).0.status, 200);
    assert!(server.runs());
}

/// Standard output that is full, with the end that nobody reads.
fn full_output() -> (Stdio, UnixStream) {
    let (mut ours, reader) = UnixStream::pair().unwrap();
    ours.set_nonblocking(true).unwrap();
    while ours.write(&[b'x'; 4096]).is_ok() {}
    while ours.write(b"x").is_ok() {}
    ours.set_nonblocking(false).unwrap();
    (Stdio::from(OwnedFd::from(ours)), reader)
}

#[test]
fn output_that_nobody_reads_makes_no_signal_vain() {
    let directory = site();
    let path = directory.path().join("socket");
    for name in ["TERM", "INT", "QUIT"] {
        let (output, _reader) = full_output();
        let mut command = gorgon();
        command.arg(directory.path()).arg("-v").arg("-l").arg(format!("unix:{}", path.display()));
        let mut child = command.stdout(output).spawn().unwrap();
        let begun = Instant::now();
        while UnixStream::connect(&path).is_err() {
            assert!(begun.elapsed() < PATIENCE, "it does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        let sent = Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let begun = Instant::now();
        while child.try_wait().unwrap().is_none() {
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("{name} did not end it");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        assert_eq!(child.wait().unwrap().code(), Some(0), "{name}");
    }
}

#[test]
fn a_signal_after_the_last_changes_nothing() {
    let directory = site();
    for _ in 0..60 {
        let mut server = Server::start(directory.path(), &[]);
        let process = server.child.id().to_string();
        let both = format!(
            "kill -QUIT {process}; kill -TERM {process} 2>/dev/null; kill -INT {process} 2>/dev/null"
        );
        Command::new("sh").args(["-c", &both]).status().unwrap();
        assert_eq!(ended(&mut server).0, Some(0));
    }
}

#[test]
fn errors_that_nobody_reads_hold_nothing_up() {
    let directory = site();
    // Readable by others, which is worth a warning at the start.
    let users = directory.file("users", "a:{SHA}qUqP5cyxm6YcTAhz05Hph5gvu9M=\n");
    std::fs::set_permissions(&users, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    let root = directory.path().join("root");
    directory.file("root/a.txt", "a file");
    let path = directory.path().join("socket");
    let (errors, _reader) = full_output();
    let mut command = gorgon();
    command.arg(&root).arg("--auth-file").arg(&users).arg("-l").arg(format!("unix:{}", path.display()));
    let mut child = command.stdout(Stdio::null()).stderr(errors).spawn().unwrap();
    let begun = Instant::now();
    let ask = || {
        let mut stream = UnixStream::connect(&path)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
        let mut reply = String::new();
        stream.read_to_string(&mut reply).map(|_| reply)
    };
    let mut answer = ask();
    while answer.is_err() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(20));
        answer = ask();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.unwrap().starts_with("HTTP/1.1 401 "));
}

#[test]
fn who_asks_for_more_is_told_that_there_is_nothing_to_read_again() {
    let directory = site();
    let said = directory.path().join("said");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" -v -l 127.0.0.1:0 \"$1\" 2> \"$2\"", env!("CARGO_BIN_EXE_gorgon")]);
    let server = Server::spawn({
        command.arg(directory.path()).arg(&said);
        command
    });
    server.signal("HUP");
    let begun = Instant::now();
    let told = "gorgon: nothing was reloaded: it was started without a configuration file\n";
    while std::fs::read_to_string(&said).unwrap() != told {
        assert!(begun.elapsed() < PATIENCE, "{:?}", std::fs::read_to_string(&said));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(server.get("/a.txt").status, 200);
}
