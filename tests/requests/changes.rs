//! Files that change: between requests, and while they are sent.

use super::*;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, Instant};

/// Asks until the reply is as wanted; that must be so within about a second, in which a kept reply is good.
fn soon(server: &Server, target: &str, wanted: impl Fn(&Reply) -> bool) -> Reply {
    let start = Instant::now();
    loop {
        let reply = server.get(target);
        if wanted(&reply) {
            return reply;
        }
        assert!(start.elapsed() < Duration::from_secs(3), "{}", reply.head);
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn between_requests() {
    let (directory, server) = served();
    let path = |name: &str| directory.path().join(name);
    let large = |byte: u8| vec![byte; 200_000];
    for (name, first, second) in
        [("small", b"one".to_vec(), b"two".to_vec()), ("large", large(b'1'), large(b'2'))]
    {
        directory.file(name, &first);
        let target = format!("/{name}");
        let before = server.get(&target);
        assert!(before.body == first);
        let tag = |reply: &Reply| reply.field("etag").unwrap().trim_start_matches("W/").to_owned();
        // Rewritten in place, to the same length.
        std::fs::write(path(name), &second).unwrap();
        let rewritten = soon(&server, &target, |reply| reply.body == second);
        assert_ne!(tag(&rewritten), tag(&before));
        // Another one in its place, with the same time.
        directory.file("other", &first);
        std::fs::rename(path("other"), path(name)).unwrap();
        let replaced = soon(&server, &target, |reply| reply.body == first);
        assert!(tag(&replaced) != tag(&before) && tag(&replaced) != tag(&rewritten));
        // Longer and shorter.
        std::fs::write(path(name), [&first[..], b"and more"].concat()).unwrap();
        soon(&server, &target, |reply| reply.body.ends_with(b"and more"));
        std::fs::write(path(name), "").unwrap();
        soon(&server, &target, |reply| reply.status == 200 && reply.body.is_empty());
        // Gone, a directory, and back.
        std::fs::remove_file(path(name)).unwrap();
        soon(&server, &target, |reply| reply.status == 404);
        std::fs::create_dir(path(name)).unwrap();
        soon(&server, &target, |reply| reply.status == 301);
        std::fs::remove_dir(path(name)).unwrap();
        directory.file(name, &second);
        soon(&server, &target, |reply| reply.body == second);
    }
}

#[test]
fn an_index_that_comes_and_goes() {
    let (directory, server) = served();
    assert_eq!(server.get("/d/").field("vary").as_deref(), Some("Accept"));
    directory.file("d/index.html", "index");
    soon(&server, "/d/", |reply| reply.body == b"index");
    std::fs::remove_file(directory.path().join("d/index.html")).unwrap();
    soon(&server, "/d/", |reply| reply.field("vary").is_some());
}

#[test]
fn rewritten_again_and_again_within_a_second() {
    let (directory, server) = served();
    for round in 0..5 {
        let content = format!("round {round:03}");
        std::fs::write(directory.path().join("f"), &content).unwrap();
        soon(&server, "/f", |reply| reply.body == content.as_bytes());
        if round % 2 == 0 {
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

/// Asks for the file `big`, and gives the connection when the head and a first piece have come, with all that came.
fn begun(server: &Server) -> (TcpStream, Vec<u8>) {
    let mut stream = server.connect();
    stream.write_all(&[b"GET /big HTTP/1.1\r\nHost: h\r\n\r\n", PROBE].concat()).unwrap();
    let mut all = vec![0; 1000];
    stream.read_exact(&mut all).unwrap();
    (stream, all)
}

/// More than the sockets between us hold.
const BIG: usize = 32 << 20;

#[test]
fn while_they_are_sent() {
    for arguments in [&[][..], &["--http.main.sendfile=off"], &["--http.main.file_cache=0"]] {
        let directory = site();
        let big = directory.path().join("big");
        let server = Server::start(directory.path(), arguments);
        let whole = || std::fs::write(&big, vec![b'b'; BIG]).unwrap();

        // Cut short: the length cannot be kept, so the connection ends, and nothing is made up.
        whole();
        let (mut stream, mut all) = begun(&server);
        std::fs::File::options().write(true).open(&big).unwrap().set_len(1 << 20).unwrap();
        all.extend(read_all(&mut stream));
        let (_, body) = split(&all);
        assert!(body.len() < BIG, "{} bytes", body.len());
        assert!(body.iter().take(1 << 20).all(|byte| *byte == b'b'));
        // The kernel may empty pages that it still has to send, but nothing else may take their place.
        assert!(body.iter().all(|byte| [0, b'b'].contains(byte)));

        // Grown: what was promised is sent, and the next reply follows it.
        whole();
        soon(&server, "/big", |reply| reply.body.len() == BIG);
        let (mut stream, mut all) = begun(&server);
        std::fs::File::options().append(true).open(&big).unwrap().write_all(b"more").unwrap();
        all.extend(read_all(&mut stream));
        let (reply, rest) = Reply::first(&all, false);
        assert!(reply.body.len() == BIG && reply.body.iter().all(|byte| *byte == b'b'));
        assert_eq!(Reply::first(rest, false).0.body, PROBE_BODY);

        // Removed or replaced: what was opened is sent.
        for replace in [false, true] {
            whole();
            soon(&server, "/big", |reply| reply.body.len() == BIG);
            let (mut stream, mut all) = begun(&server);
            std::fs::remove_file(&big).unwrap();
            if replace {
                std::fs::write(&big, "another").unwrap();
            }
            all.extend(read_all(&mut stream));
            let (reply, rest) = Reply::first(&all, false);
            assert!(reply.body.len() == BIG && reply.body.iter().all(|byte| *byte == b'b'));
            assert_eq!(Reply::first(rest, false).0.body, PROBE_BODY);
        }
    }
}

fn split(all: &[u8]) -> (&[u8], &[u8]) {
    let end = all.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    all.split_at(end)
}

#[test]
fn a_large_file_never_goes_out_under_another_tag() {
    let (directory, server) = served();
    let path = directory.path().join("big");
    let mut seen: Vec<(String, Vec<u8>)> = Vec::new();
    for round in 0..30u8 {
        // In place, so that the descriptor that is kept open sees it: longer, shorter, and of one length.
        std::fs::write(&path, vec![round; 300_000 + usize::from(round % 3) * 1000]).unwrap();
        for _ in 0..2 {
            let reply = server.get("/big");
            assert!(reply.body == vec![round; 300_000 + usize::from(round % 3) * 1000], "round {round}");
            let tag = reply.field("etag").unwrap().trim_start_matches("W/").to_owned();
            assert!(
                seen.iter().all(|(other, body)| (*other == tag) == (*body == reply.body)),
                "round {round}"
            );
            seen.push((tag, reply.body));
        }
        std::thread::sleep(Duration::from_millis(15));
    }
}

#[test]
fn descriptors_are_given_back() {
    let (directory, server) = served();
    for number in 0..50 {
        directory.file(&format!("l{number}"), vec![b'l'; 200_000]);
    }
    let before = server.descriptors();
    for number in 0..50 {
        assert_eq!(server.get(&format!("/l{number}")).body.len(), 200_000);
        drop(server.connect());
        let mut stream = server.connect();
        stream.write_all(format!("GET /l{number} HTTP/1.1\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
    }
    for number in 0..50 {
        std::fs::remove_file(directory.path().join(format!("l{number}"))).unwrap();
    }
    let start = Instant::now();
    while server.descriptors() > before {
        assert!(
            start.elapsed() < Duration::from_secs(25),
            "{} descriptors, {before} before",
            server.descriptors()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn a_time_that_was_set_back_hides_nothing() {
    let (directory, server) = served();
    for (name, first, second) in [("kept", "version-1", "version-2"), ("anew", "version-1", "version-3")] {
        directory.file(name, first);
        let path = directory.path().join(name);
        let time = path.metadata().unwrap().modified().unwrap();
        let target = format!("/{name}");
        assert_eq!(server.get(&target).body, first.as_bytes());
        if name == "anew" {
            std::fs::remove_file(&path).unwrap();
        }
        std::fs::write(&path, second).unwrap();
        std::fs::File::options().append(true).open(&path).unwrap().set_modified(time).unwrap();
        soon(&server, &target, |reply| reply.body == second.as_bytes());
    }
}

/// Sets how many descriptors the server may have from now on.
fn allow(server: &Server, descriptors: &str) {
    let pid = server.child.id().to_string();
    let limit = format!("--nofile={descriptors}:");
    // Root may have become nobody in it, whose limits only nobody may change unless root has CAP_SYS_RESOURCE.
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let user = status.lines().find_map(|line| line.strip_prefix("Uid:")?.split_whitespace().next()).unwrap();
    let own = std::fs::metadata("/proc/self").unwrap().uid().to_string();
    let mut command = std::process::Command::new(if user == own { "prlimit" } else { "setpriv" });
    if user != own {
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "prlimit"]);
    }
    let status = command.args(["--pid", &pid, &limit]).status().unwrap();
    assert!(status.success());
}

#[test]
fn without_a_descriptor_no_new_bytes_go_out_under_an_old_tag() {
    let (directory, server) = served();
    let (old, new) = (vec![b'1'; 200_000], vec![b'2'; 200_010]);
    directory.file("large", &old);
    directory.file("same", &old);
    let mut stream = server.connect();
    let mut ask = |target: &str| {
        write!(stream, "GET {target} HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let (mut got, mut buffer) = (Vec::new(), vec![0; 65536]);
        loop {
            let count = stream.read(&mut buffer).unwrap();
            assert!(count > 0, "it ended");
            got.extend_from_slice(&buffer[..count]);
            let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let head = String::from_utf8_lossy(&got[..end]).into_owned();
            let length = head.split_once("Content-Length: ").unwrap().1.lines().next().unwrap();
            if got.len() >= end + 4 + length.parse::<usize>().unwrap() {
                return Reply::first(&got, false).0;
            }
        }
    };
    for target in ["/large", "/same"] {
        assert!(ask(target).body == old);
    }
    allow(&server, "3");
    std::fs::write(directory.path().join("large"), &new).unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    for _ in 0..3 {
        assert_eq!(ask("/large").status, 503);
        // What did not change is still known to be right.
        assert!(ask("/same").body == old);
    }
    allow(&server, "1000");
    let after = ask("/large");
    assert!(after.status == 200 && after.body == new);
}
