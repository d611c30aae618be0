//! Uploads to the real program: by curl, by Python and over raw sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

#[path = "../common/mod.rs"]
mod common;
mod places;

use common::{Directory, PATIENCE, Reply, Server, read_all};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A root with a directory `in` for uploads, and something outside of the root.
fn site() -> (Directory, std::path::PathBuf) {
    let directory = Directory::new();
    directory.file("root/index.html", "<p>index");
    directory.file("root/in/old.txt", "old");
    directory.file("root/in/sub/x", "x");
    directory.file("outside/secret", "secret");
    let root = directory.path().join("root");
    (directory, root)
}

fn served(arguments: &[&str]) -> (Directory, std::path::PathBuf, Server) {
    let (directory, root) = site();
    let server = Server::start(&root, &[&["--upload", "in"], arguments].concat());
    (directory, root, server)
}

/// A request with further fields and a body, on a connection of its own.
fn ask(server: &Server, method: &str, target: &str, fields: &str, body: &[u8]) -> Reply {
    let head = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{fields}");
    let bytes = [head.as_bytes(), b"\r\n", body].concat();
    Reply::first(&server.talk(&bytes), method == "HEAD").0
}

fn put(server: &Server, target: &str, fields: &str, body: &[u8]) -> Reply {
    ask(server, "PUT", target, &format!("{fields}Content-Length: {}\r\n", body.len()), body)
}

/// The names in a directory, sorted, those of drafts among them.
fn names(path: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Waits until something is so.
fn until(what: &str, is: &mut dyn FnMut() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn has_draft(path: &Path) -> bool {
    names(path).iter().any(|name| name.starts_with('.') && name.ends_with(".part"))
}

/// Memory of the process's own that has been touched, in KiB.
fn resident(server: &Server) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Bytes that do not repeat, so that a piece in a wrong place shows.
fn bytes(count: usize) -> Vec<u8> {
    (0..count as u32 / 4 + 1).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).take(count).collect()
}

#[test]
fn curl_sends_files() {
    let (directory, root, server) = served(&[]);
    for (size, name) in [(0, "empty"), (1, "one"), (5, "a b"), (100_000, "some"), (3_000_000, "large")] {
        let content = bytes(size);
        let file = directory.file(name, &content);
        for (piped, status) in [(false, "201"), (true, "204")] {
            let mut curl = Command::new("curl");
            curl.args(["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-T"]);
            if piped {
                curl.arg("-").stdin(std::fs::File::open(&file).unwrap());
            } else {
                curl.arg(&file);
            }
            let url = server.url(&format!("/in/{}", name.replace(' ', "%20")));
            let output = curl.arg(url).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), status, "{name} {piped}");
            assert!(std::fs::read(root.join("in").join(name)).unwrap() == content, "{name} {piped}");
        }
    }
    assert!(!has_draft(&root.join("in")));
    // A directory's URL takes the file's own name.
    let file = directory.file("named.txt", "named");
    let output = Command::new("curl").args(["-sS", "-T"]).arg(file).arg(server.url("/in/")).output().unwrap();
    assert!(output.status.success());
    assert_eq!(server.get("/in/named.txt").body, b"named");
}

#[test]
fn python_sends_files() {
    let (_directory, root, server) = served(&[]);
    let script = "
import sys, http.client
c = http.client.HTTPConnection(sys.argv[1], timeout=30)
def ask(method, path, body=None, **fields):
    c.request(method, path, body, {k.replace('_', '-'): v for k, v in fields.items()})
    r = c.getresponse(); data = r.read()
    print(r.status, end=' ')
    return r, data
r, _ = ask('PUT', '/in/p.txt', b'one')
assert r.headers['Location'] == '/in/p.txt', r.headers
assert r.headers['ETag'] and r.headers['Last-Modified']
h, _ = ask('HEAD', r.headers['Location'])
assert h.headers['ETag'] == r.headers['ETag'], (h.headers['ETag'], r.headers['ETag'])
assert h.headers['Last-Modified'] == r.headers['Last-Modified']
ask('PUT', '/in/p.txt', iter([b'tw', b'o']), If_None_Match='\"x\"')
assert ask('GET', '/in/p.txt')[1] == b'two'
ask('PUT', '/in/p.txt', b'three', If_None_Match='*')
ask('PUT', '/in/p.txt', b'three', If_Match='\"x\"')
ask('DELETE', '/in/p.txt')
assert ask('GET', '/in/p.txt')[1] == b'two'
";
    let output = Command::new("python3").args(["-c", script, &server.address.to_string()]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "201 200 204 200 412 412 405 200 ");
    assert_eq!(names(&root.join("in")), ["old.txt", "p.txt", "sub"]);
}

#[test]
fn the_answers_and_their_fields() {
    let (_directory, _root, server) = served(&[]);
    let new = put(&server, "/in/n%C3%A9w", "", b"new");
    assert_eq!((new.status, new.field("location").as_deref()), (201, Some("/in/n%C3%A9w")));
    let got = server.get("/in/n%C3%A9w");
    assert_eq!(got.body, b"new");
    for name in ["etag", "last-modified"] {
        assert_eq!(new.field(name), got.field(name));
    }
    let old = put(&server, "/in/old.txt", "", b"newer");
    assert_eq!((old.status, old.field("location")), (204, None));
    assert!(old.field("etag").is_some() && old.field("last-modified").is_some());
    let tag = old.field("etag").unwrap();
    assert_eq!(ask(&server, "GET", "/in/old.txt", &format!("If-None-Match: {tag}\r\n"), b"").status, 304);
    let all = Some("GET, HEAD, PUT, OPTIONS".to_owned());
    for method in ["DELETE", "POST", "PATCH"] {
        let reply = ask(&server, method, "/in/old.txt", "", b"");
        assert_eq!((reply.status, reply.field("allow")), (405, all.clone()), "{method}");
    }
    assert_eq!(ask(&server, "OPTIONS", "/in/", "", b"").field("allow"), all);
    // Elsewhere nothing has changed.
    for target in ["/", "/x", "/into", "/inx/y"] {
        let reply = put(&server, target, "", b"x");
        assert_eq!((reply.status, reply.field("allow").as_deref()), (405, Some("GET, HEAD, OPTIONS")));
    }
    // The longest name there is, and longer ones.
    for (length, status) in [(255, 201), (256, 414), (3000, 414)] {
        assert_eq!(put(&server, &format!("/in/{}", "x".repeat(length)), "", b"x").status, status, "{length}");
    }
    // HTTP/1.0 has no chunks.
    let reply = server.talk(b"PUT /in/ten HTTP/1.0\r\nContent-Length: 3\r\n\r\nten");
    assert_eq!(Reply::first(&reply, false).0.status, 201);
    assert_eq!(server.get("/in/ten").body, b"ten");
}

/// A PUT whose body has no length is not told from one without a body: it must not empty what is there.
#[test]
fn without_a_length_nothing_is_emptied() {
    let (_directory, root, server) = served(&[]);
    for version in ["1.1", "1.0"] {
        for target in ["/in/old.txt", "/in/new.txt"] {
            for (fields, body) in [
                ("", ""),
                ("", "body"),
                ("Expect: 100-continue\r\n", ""),
                ("Connection: keep-alive\r\n", "GET /in/old.txt HTTP/1.1\r\nHost: h\r\n\r\n"),
            ] {
                let request = format!("PUT {target} HTTP/{version}\r\nHost: h\r\n{fields}\r\n{body}");
                let replies = Reply::all(&server.talk(request.as_bytes()));
                assert_eq!(replies.len(), 1, "{request}");
                let told = (replies[0].status, replies[0].field("connection"));
                assert_eq!(told, (411, Some("close".to_owned())), "{request}");
            }
        }
    }
    assert_eq!(names(&root.join("in")), ["old.txt", "sub"]);
    assert_eq!(server.get("/in/old.txt").body, b"old");
    let curl = |arguments: &[&str]| {
        let target = server.url("/in/old.txt");
        let output = Command::new("curl")
            .args(["-sS", "-o", "/dev/null", "-w", "%{http_code}"])
            .args(arguments)
            .arg(target)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(curl(&["-X", "PUT"]), "411");
    assert_eq!(curl(&["-F", "file=content"]), "405");
    assert_eq!(curl(&["-X", "PUT", "-H", "Content-Type: multipart/form-data; boundary=x"]), "411");
    assert_eq!(server.get("/in/old.txt").body, b"old");
    // Who says that there is nothing is believed, and is not asked for it.
    let empty = ask(&server, "PUT", "/in/old.txt", "Content-Length: 0\r\nExpect: 100-continue\r\n", b"");
    assert_eq!(empty.status, 204);
    assert_eq!(server.get("/in/old.txt").body, b"");
    assert_eq!(ask(&server, "PUT", "/in/a", "Expect:\r\nContent-Length: 1\r\n", b"a").status, 201);
    assert_eq!(put(&server, "/in/none", "", b"").status, 201);
    assert_eq!(curl(&["-T", "/dev/null"]), "204");
}

/// Reads one head, of an interim or a last reply.
fn head(stream: &mut TcpStream) -> String {
    let (mut all, mut byte) = (Vec::new(), [0]);
    while !all.ends_with(b"\r\n\r\n") {
        assert_eq!(stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&all));
        all.push(byte[0]);
    }
    String::from_utf8(all).unwrap()
}

#[test]
fn what_is_refused_is_refused_before_the_body() {
    let (_directory, root, server) = served(&["--http.main.upload_max=1G"]);
    let begin = |fields: &str, target: &str| {
        let mut stream = server.connect();
        let head = format!("PUT {target} HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n{fields}\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut stream = begin("Content-Length: 3\r\n", "/in/new");
    assert_eq!(head(&mut stream), "HTTP/1.1 100 Continue\r\n\r\n");
    assert!(has_draft(&root.join("in")));
    stream.write_all(b"newGET /in/new HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let replies = read_all(&mut stream);
    let replies = Reply::all(&replies);
    assert_eq!((replies[0].status, replies[1].status, &replies[1].body[..]), (201, 200, &b"new"[..]));
    for (fields, target, status) in [
        ("Content-Length: 3\r\nIf-None-Match: *\r\n", "/in/new", "412"),
        ("Content-Length: 3\r\nIf-Match: \"x\"\r\n", "/in/new", "412"),
        ("Content-Length: 2000000000\r\n", "/in/new", "413"),
        ("Content-Length: 3\r\n", "/in/none/new", "409"),
        ("Content-Length: 3\r\n", "/in/.hidden", "403"),
        ("Transfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n", "/in/z", "415"),
        ("Content-Length: 3\r\nContent-Range: bytes 0-2/3\r\n", "/in/new", "400"),
    ] {
        let mut stream = begin(fields, target);
        let reply = head(&mut stream);
        assert!(reply.starts_with(&format!("HTTP/1.1 {status} ")), "{target} {fields} {reply}");
        assert!(reply.contains("\r\nConnection: close\r\n"), "{reply}");
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        read_all(&mut stream);
    }
    let full = Server::start(&root, &["--upload", "in", "--http.main.upload_reserve=1048576G"]);
    let mut stream = full.connect();
    stream
        .write_all(b"PUT /in/x HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        .unwrap();
    assert!(head(&mut stream).starts_with("HTTP/1.1 507 "));
    assert_eq!(names(&root.join("in")), ["new", "old.txt", "sub"]);
}

#[test]
fn limits_hold_for_chunks_too_and_body_max_does_not() {
    let (_directory, root, server) = served(&["--http.main.upload_max=10", "--http.main.body_max=1"]);
    let chunked = "Transfer-Encoding: chunked\r\n";
    assert_eq!(put(&server, "/in/a", "", b"0123456789").status, 201);
    assert_eq!(put(&server, "/in/b", "", b"0123456789a").status, 413);
    assert_eq!(ask(&server, "PUT", "/in/c", chunked, b"a\r\n0123456789\r\n0\r\n\r\n").status, 201);
    assert_eq!(ask(&server, "PUT", "/in/d", chunked, b"a\r\n0123456789\r\n1\r\na\r\n0\r\n\r\n").status, 413);
    // Malformed, after a good piece.
    assert_eq!(ask(&server, "PUT", "/in/e", chunked, b"3\r\nabc\r\nx\r\n").status, 400);
    assert_eq!(names(&root.join("in")), ["a", "c", "old.txt", "sub"]);
}

#[test]
fn what_is_cut_leaves_nothing() {
    let (_directory, root, mut server) = served(&[]);
    let place = root.join("in");
    let before = server.descriptors();
    let begin = || {
        let mut stream = server.connect();
        stream.write_all(b"PUT /in/old.txt HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
        until("a draft", &mut || has_draft(&place));
        stream
    };
    // The client goes: in order, and not.
    for _ in 0..2 {
        drop(begin());
        until("no draft", &mut || !has_draft(&place));
    }
    let mut stream = begin();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    read_all(&mut stream);
    until("no draft", &mut || !has_draft(&place));
    until("no descriptor", &mut || server.descriptors() <= before);
    assert_eq!(server.get("/in/old.txt").body, b"old");
    // While it comes it is not served, nor listed.
    let stream = begin();
    let draft = names(&place).into_iter().find(|name| name.ends_with(".part")).unwrap();
    assert_eq!(server.get(&format!("/in/{draft}")).status, 404);
    assert!(!String::from_utf8_lossy(&server.get("/in/").body).contains(".part"));
    // The process ends.
    server.signal("TERM");
    until("it ends", &mut || !server.runs());
    assert_eq!(names(&place), ["old.txt", "sub"]);
    assert_eq!(std::fs::read(place.join("old.txt")).unwrap(), b"old");
    drop(stream);
    // What a process that was killed leaves is not served, even with --hidden.
    let left = ".a-0123456789abcdef.part";
    std::fs::write(place.join(left), "left").unwrap();
    let server = Server::start(&root, &["--upload", "in", "--hidden"]);
    assert_eq!(server.get(&format!("/in/{left}")).status, 404);
    assert!(!String::from_utf8_lossy(&server.get("/in/").body).contains(left));
    assert_eq!(put(&server, &format!("/in/{left}"), "", b"x").status, 403);
}

#[test]
fn who_is_too_slow_is_cut() {
    let (_directory, root, server) = served(&["--http.main.rate_grace=1s", "--http.main.rate_floor=1000"]);
    let mut stream = server.connect();
    stream.write_all(b"PUT /in/slow HTTP/1.1\r\nHost: h\r\nContent-Length: 9999\r\n\r\nhalf").unwrap();
    let reply = Reply::first(&read_all(&mut stream), false).0;
    assert_eq!(reply.status, 408);
    assert_eq!(names(&root.join("in")), ["old.txt", "sub"]);
}

#[test]
fn a_reader_gets_the_old_file_whole_and_the_next_one_the_new() {
    let (directory, _root, server) = served(&[]);
    let (old, new) = (bytes(20_000_000), vec![b'n'; 1000]);
    directory.file("root/in/large", &old);
    let mut reader = server.connect();
    reader.write_all(b"GET /in/large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut first = [0; 1000];
    reader.read_exact(&mut first).unwrap();
    assert_eq!(put(&server, "/in/large", "", &new).status, 204);
    assert!(server.get("/in/large").body == new);
    let mut rest = read_all(&mut reader);
    rest.splice(0..0, first);
    assert!(Reply::first(&rest, false).0.body == old);
    // No reply that was kept outlives an upload: neither of a small file, nor of an index, nor by its twin.
    let kept = Server::start(&directory.path().join("root/in"), &["--upload", ".", "--spa"]);
    for round in 0..50 {
        let content = format!("round {round}");
        put(&kept, "/old.txt", "", content.as_bytes());
        put(&kept, "/index.html", "", content.as_bytes());
        put(&kept, "/sub/index.html", "", content.as_bytes());
        for target in ["/old.txt", "/", "/sub/", "/none"] {
            assert_eq!(String::from_utf8_lossy(&kept.get(target).body), content, "{target}");
        }
    }
}

#[test]
fn two_at_once() {
    let (_directory, root, server) = served(&[]);
    for (fields, statuses) in [("", [201, 204]), ("If-None-Match: *\r\n", [201, 412])] {
        let name = if fields.is_empty() { "any" } else { "new" };
        let mut streams: Vec<TcpStream> = (0..2)
            .map(|number| {
                let mut stream = server.connect();
                let head = format!("PUT /in/{name} HTTP/1.1\r\nHost: h\r\n{fields}Content-Length: 6\r\n\r\n{number}{number}{number}");
                stream.write_all(head.as_bytes()).unwrap();
                stream
            })
            .collect();
        let drafts = || names(&root.join("in")).iter().filter(|name| name.ends_with(".part")).count();
        until("two drafts", &mut || drafts() == 2);
        for (number, status) in [(1, statuses[0]), (0, statuses[1])] {
            streams[number].write_all(&[b'0' + number as u8; 3]).unwrap();
            streams[number].shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(Reply::first(&read_all(&mut streams[number]), false).0.status, status, "{fields}");
        }
        let last = if fields.is_empty() { b"000000" } else { b"111111" };
        assert_eq!(server.get(&format!("/in/{name}")).body, last);
        assert_eq!(drafts(), 0);
    }
    // What was to be replaced has been replaced meanwhile.
    let mut stream = server.connect();
    stream
        .write_all(b"PUT /in/any HTTP/1.1\r\nHost: h\r\nIf-Match: *\r\nContent-Length: 6\r\n\r\nabc")
        .unwrap();
    until("a draft", &mut || has_draft(&root.join("in")));
    assert_eq!(put(&server, "/in/any", "", b"meanwhile").status, 204);
    stream.write_all(b"def").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(Reply::first(&read_all(&mut stream), false).0.status, 412);
    assert_eq!(server.get("/in/any").body, b"meanwhile");
}

#[test]
fn a_race_for_a_new_name_has_one_winner() {
    let (_directory, root, server) = served(&[]);
    for round in 0..20 {
        let wins: Vec<bool> = std::thread::scope(|scope| {
            let tries: Vec<_> = (0..4)
                .map(|number| {
                    let server = &server;
                    scope.spawn(move || {
                        let body = [b'0' + number; 5000];
                        match put(server, &format!("/in/race{round}"), "If-None-Match: *\r\n", &body).status {
                            201 => true,
                            412 => false,
                            other => panic!("{other}"),
                        }
                    })
                })
                .collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(wins.iter().filter(|won| **won).count(), 1);
        let winner = wins.iter().position(|won| *won).unwrap() as u8;
        assert!(std::fs::read(root.join(format!("in/race{round}"))).unwrap() == [b'0' + winner; 5000]);
    }
    assert!(!has_draft(&root.join("in")));
}

#[test]
fn a_large_file_takes_no_memory() {
    let (_directory, root, server) = served(&[]);
    const SIZE: usize = 64 << 20;
    assert_eq!(put(&server, "/in/warm", "", b"x").status, 201);
    let before = resident(&server);
    let content = bytes(1 << 20);
    let mut stream = server.connect();
    let head =
        format!("PUT /in/large HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {SIZE}\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut most = 0;
    for _ in 0..SIZE / content.len() {
        stream.write_all(&content).unwrap();
        most = most.max(resident(&server));
    }
    assert_eq!(Reply::first(&read_all(&mut stream), false).0.status, 201);
    assert!(most < before + 512, "{before} KiB, then {most}");
    let written = std::fs::read(root.join("in/large")).unwrap();
    assert!(written.len() == SIZE && written.chunks(content.len()).all(|chunk| chunk == content));
}

/// A small disk of its own, unmounted when it is dropped.
struct Disk(std::path::PathBuf);

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk() {
    let directory = Directory::new();
    let place = directory.path().join("disk");
    std::fs::create_dir(&place).unwrap();
    let mount =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=2m,mode=777", "tmpfs"]).arg(&place).output();
    if !mount.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no disk can be mounted here, so nothing was tried on a full one");
        return;
    }
    let disk = Disk(place.clone());
    let chunked =
        |size: usize| [format!("{size:x}\r\n").as_bytes(), &bytes(size)[..], b"\r\n0\r\n\r\n"].concat();
    let field = "Transfer-Encoding: chunked\r\n";
    for (reserve, fits) in [("0", 1 << 20), ("1M", 500_000)] {
        let reserve = format!("--http.main.upload_reserve={reserve}");
        let server = Server::start(&place, &["--upload", ".", &reserve]);
        assert_eq!(put(&server, "/fits", "", &bytes(fits)).status, 201, "{reserve}");
        assert_eq!(put(&server, "/fits", "", &bytes(3 << 20)).status, 507, "{reserve}");
        assert_eq!(ask(&server, "PUT", "/fits", field, &chunked(3 << 20)).status, 507, "{reserve}");
        assert_eq!(names(&place), ["fits"], "{reserve}");
        assert!(server.get("/fits").body == bytes(fits), "{reserve}");
        std::fs::remove_file(place.join("fits")).unwrap();
    }
    drop(disk);
}

#[test]
fn a_limit_of_the_system_ends_the_upload_and_not_the_process() {
    let (_directory, root) = site();
    let mut command = Command::new("sh");
    command.env_clear().args(["-c", "ulimit -f 64; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_gorgon")]);
    command.arg(&root).args(["-l", "127.0.0.1:0", "--upload", "in"]);
    let mut server = Server::spawn(command);
    assert_eq!(put(&server, "/in/x", "", &bytes(1000)).status, 201);
    assert_eq!(put(&server, "/in/y", "", &bytes(200_000)).status, 413);
    assert!(server.runs());
    assert_eq!(names(&root.join("in")), ["old.txt", "sub", "x"]);
}

#[test]
fn large_files_are_freed_by_another_process() {
    let (_directory, root, server) = served(&[]);
    let mut stream = server.connect();
    write!(stream, "PUT /in/large HTTP/1.1\r\nHost: test\r\nContent-Length: 200000000\r\n\r\n").unwrap();
    for _ in 0..70 {
        stream.write_all(&bytes(1 << 20)).unwrap();
    }
    let begun = Instant::now();
    while names(&root.join("in")).len() < 3 {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    let descriptors = server.descriptors();
    drop(stream);
    // Neither the name nor a descriptor stays, and no connection is kept open by who frees it.
    while names(&root.join("in")).len() > 2 || server.descriptors() >= descriptors {
        assert!(begun.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(server.get("/in/old.txt").body, b"old");
}
