//! Listings of directories, by the real program: what is listed, for people and for programs, and what it costs.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::{Directory, PATIENCE, Reply, Server, read_all};

/// A GET or HEAD of its own, with further fields.
fn ask(server: &Server, method: &str, target: &str, fields: &str) -> Reply {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{fields}Connection: close\r\n\r\n");
    Reply::first(&server.talk(request.as_bytes()), method == "HEAD").0
}

fn text(reply: &Reply) -> String {
    String::from_utf8(reply.body.clone()).unwrap()
}

/// What links there are beneath the directory, in order.
fn links(page: &str) -> Vec<String> {
    page.split("<a href=\"./").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

fn listed(server: &Server, target: &str) -> Vec<String> {
    links(&text(&server.get(target)))
}

/// Runs Python with text on its input; gives what it prints. Its JSON and HTML are not ours.
fn python(program: &str, arguments: &[&str], input: &[u8]) -> String {
    let mut command = Command::new("python3");
    command.args(["-c", program]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Fails unless every element is closed by its own end tag; follows every link.
const CRAWL: &str = "
import sys, html.parser, urllib.parse, urllib.request
class Page(html.parser.HTMLParser):
    void = {'meta'}
    def __init__(self):
        super().__init__(); self.open = []; self.links = []; self.tags = set()
    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        if tag not in self.void: self.open.append(tag)
        self.links += [value for key, value in attributes if key == 'href']
    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, tag
page = Page(); page.feed(sys.stdin.buffer.read().decode('utf-8')); page.close()
assert not page.open, page.open
assert page.tags == set('html head meta title style body h1 table thead tbody tr th td a'.split()), page.tags
for link in page.links:
    url = urllib.parse.urljoin(sys.argv[1], link)
    assert url.startswith(sys.argv[2]), url
    with urllib.request.urlopen(url) as reply:
        assert reply.status == 200 and reply.url == url, url
print(len(page.links))
";

#[test]
fn every_name_can_be_followed() {
    let directory = Directory::new();
    let inside = directory.path().join("in side&");
    std::fs::create_dir(&inside).unwrap();
    let mut names: Vec<Vec<u8>> =
        (1..=255).filter(|byte| !b"/.".contains(byte)).map(|byte| vec![byte]).collect();
    for name in [
        "<script>alert(1)<script>",
        "javascript:alert(1)",
        "a.b",
        "é",
        "\u{202e}txt",
        "&amp;",
        "%41",
        "?q",
        "#f",
        "a b",
        "x]]>",
    ] {
        names.push(name.as_bytes().to_vec());
    }
    names.push(vec![b'x'; 255]);
    names.push(vec![0xff; 255]);
    for name in &names {
        std::fs::write(inside.join(std::ffi::OsStr::from_bytes(name)), name).unwrap();
    }
    std::fs::create_dir(inside.join("directory")).unwrap();
    let server = Server::start(directory.path(), &[]);
    let reply = server.get("/in%20side&/");
    for (field, value) in [
        ("content-type", "text/html; charset=utf-8"),
        ("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'"),
        ("x-content-type-options", "nosniff"),
        ("cache-control", "no-cache"),
        ("vary", "Accept"),
    ] {
        assert_eq!(reply.field(field).as_deref(), Some(value));
    }
    let url = server.url("/in%20side&/");
    let count = python(CRAWL, &[&url, &server.url("/")], &reply.body);
    // Beside the names: the directory, the parent, three titles.
    assert_eq!(count.trim(), (names.len() + 5).to_string());
    for link in links(&text(&reply)).iter().filter(|link| !link.ends_with('/')) {
        let found = ask(&server, "GET", &format!("/in%20side&/{link}"), "").body;
        assert!(names.contains(&found), "{link}");
    }
    let json = ask(&server, "GET", "/in%20side&/", "Accept: application/json\r\n");
    assert_eq!(json.field("content-type").as_deref(), Some("application/json"));
    let program = "import sys, json; entries = json.load(sys.stdin.buffer)
for entry in entries: assert set(entry) - {'size'} == {'name', 'href', 'type', 'modified'} and ('size' in entry) == (entry['type'] == 'file'), entry
print(len(entries), '<script>' in str(entries), sum(e.get('size', 0) for e in entries))";
    let size: usize = names.iter().map(Vec::len).sum();
    assert_eq!(python(program, &[], &json.body).trim(), format!("{} True {size}", names.len() + 1));
    // Each can be fetched by what it says, be its name UTF-8 or not.
    let fetch = "import sys, json, urllib.parse, urllib.request
base, count = sys.argv[1], 0
for entry in json.load(sys.stdin.buffer):
    url = urllib.parse.urljoin(base, entry['href'])
    assert url == base + entry['href'] and url.isascii() and url.endswith('/') == (entry['type'] == 'directory'), url
    body = urllib.request.urlopen(url).read()
    assert entry['type'] == 'directory' or len(body) == entry['size'], url
    assert entry['type'] == 'directory' or body.decode('utf-8', 'replace') == entry['name'] or b'\\xff' in body, url
    count += 1
print(count)";
    assert_eq!(python(fetch, &[&url], &json.body).trim(), (names.len() + 1).to_string());
}

/// What is made just now has no validators: a tag cannot match it, and no date is compared (RFC 9110, section 13.1).
#[test]
fn conditions_that_cannot_match() {
    let directory = Directory::new();
    directory.file("in/a", "a");
    let server = Server::start(directory.path(), &[]);
    let descriptors = server.descriptors();
    for method in ["GET", "HEAD"] {
        for (field, status) in [
            ("If-Match: \"x\"", 412),
            ("If-Match: W/\"x\", \"y\"", 412),
            ("If-Match: x", 412),
            ("If-Match: *", 200),
            ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 200),
            ("If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 200),
            ("If-None-Match: \"x\"", 200),
            ("If-None-Match: *", 304),
            ("If-Match: \"x\"\r\nIf-None-Match: *", 412),
        ] {
            for target in ["/in/", "/"] {
                let reply = ask(&server, method, target, &format!("{field}\r\n"));
                assert_eq!(reply.status, status, "{method} {target} {field}");
                assert!(status == 200 || reply.field("transfer-encoding").is_none(), "{}", reply.head);
            }
        }
        // What is no success is told first.
        assert_eq!(ask(&server, method, "/none", "If-Match: \"x\"\r\n").status, 404);
    }
    // The directory that was opened is closed again.
    let begun = Instant::now();
    while server.descriptors() > descriptors {
        assert!(begun.elapsed() < PATIENCE, "a descriptor is kept");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn who_refuses_html_gets_no_page() {
    let directory = Directory::new();
    directory.file("a", "a");
    let server = Server::start(directory.path(), &[]);
    for (accept, media_type) in [
        ("text/html;q=0", "application/json"),
        ("application/json;q=0", "text/html; charset=utf-8"),
        ("*/*;q=0", "text/html; charset=utf-8"),
    ] {
        let reply = ask(&server, "GET", "/", &format!("Accept: {accept}\r\n"));
        assert_eq!(reply.field("content-type").as_deref(), Some(media_type), "{accept}");
    }
    let reply = ask(&server, "GET", "/none", "Accept: text/html;q=0\r\n");
    assert_eq!(reply.field("content-type").as_deref(), Some("text/plain; charset=utf-8"));
}

#[test]
fn heads_and_old_clients() {
    let directory = Directory::new();
    std::fs::create_dir(directory.path().join("empty")).unwrap();
    let server = Server::start(directory.path(), &[]);
    let undated =
        |reply: &Reply| reply.head.lines().filter(|line| !line.starts_with("Date")).collect::<String>();
    let (get, head) = (ask(&server, "GET", "/empty/", ""), ask(&server, "HEAD", "/empty/", ""));
    assert_eq!(undated(&get), undated(&head));
    assert!(links(&text(&get)).is_empty() && text(&get).contains("href=\"../\""));
    assert_eq!(text(&ask(&server, "GET", "/empty/", "Accept: application/json\r\n")), "[\n]\n");
    assert!(!text(&server.get("/")).contains("../"));
    let old = Reply::first(&server.talk(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), false).0;
    assert_eq!(old.field("transfer-encoding"), None);
    assert_eq!(old.field("connection").as_deref(), Some("close"));
    assert!(text(&old).ends_with("</html>\n"));
    // The connection is kept, and the next reply stands where it should.
    let two = server.talk(b"GET / HTTP/1.1\r\nHost: h\r\n\r\nHEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /empty/ HTTP/1.1\r\nHost: h\r\n\r\n");
    let (first, rest) = Reply::first(&two, false);
    let (second, rest) = Reply::first(rest, true);
    let (third, rest) = Reply::first(rest, false);
    assert_eq!((first.status, second.status, third.status, rest.len()), (200, 200, 200, 0));
}

#[test]
fn sorted_as_asked() {
    let directory = Directory::new();
    for (name, size, age) in [("b", 10, 400), ("A", 3000, 300), ("c", 5, 200)] {
        directory.file(name, vec![b'x'; size]);
        directory.age(name, age);
    }
    std::fs::create_dir(directory.path().join("z")).unwrap();
    let server = Server::start(directory.path(), &[]);
    for (query, expected) in [
        ("", ["z/", "A", "b", "c"]),
        ("?sort=name&order=desc", ["z/", "c", "b", "A"]),
        ("?sort=size", ["z/", "c", "b", "A"]),
        ("?sort=size&order=desc", ["z/", "A", "b", "c"]),
        ("?sort=date&order=asc", ["z/", "b", "A", "c"]),
        ("?sort=date&order=desc", ["z/", "c", "A", "b"]),
        ("?sort=%00&order=<script>", ["z/", "A", "b", "c"]),
    ] {
        assert_eq!(listed(&server, &format!("/{query}")), expected, "{query}");
    }
    let page = text(&server.get("/?sort=size"));
    assert!(page.contains("<td title=\"3000 bytes\">2.9 K</td>"), "{page}");
    assert!(page.contains("?sort=size&amp;order=desc") && page.contains("?sort=name&amp;order=asc"));
}

#[test]
fn only_what_can_be_had() {
    let (directory, outside) = (Directory::new(), Directory::new());
    let path = directory.path();
    directory.file("f", "f");
    directory.file(".hidden", "h");
    directory.file(".well-known/acme", "a");
    directory.file("d/index.html", "index");
    outside.file("secret", "secret");
    assert!(Command::new("mkfifo").arg(path.join("fifo")).status().unwrap().success());
    let _listener = std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap();
    for (link, target) in
        [("l-d", "d"), ("l-f", "f"), ("l-fifo", "fifo"), ("l-loop", "l-loop"), ("l-none", "none")]
    {
        symlink(target, path.join(link)).unwrap();
    }
    symlink(outside.path().join("secret"), path.join("l-out")).unwrap();
    for (arguments, expected) in [
        (&[][..], &["d/", "l-d/", "f", "l-f"][..]),
        (&["--http.main.symlinks=never"], &["d/", "f"]),
        (&["--http.main.symlinks=all"], &["d/", "l-d/", "f", "l-f", "l-out"]),
        (&["--hidden"], &["d/", "l-d/", ".hidden", "f", "l-f"]),
    ] {
        let server = Server::start(path, arguments);
        assert_eq!(listed(&server, "/"), expected, "{arguments:?}");
        for link in expected {
            assert_eq!(server.get(&format!("/{link}")).status, 200, "{link}");
        }
    }
}

#[test]
fn turned_off() {
    let directory = Directory::new();
    directory.file("d/f", "f");
    for argument in ["--http.main.listing=off", "--no-listing", "--listing=off"] {
        let server = Server::start(directory.path(), &[argument]);
        assert_eq!(server.get("/d/").status, 403);
        assert_eq!(server.get("/d/f").status, 200);
    }
}

/// Memory of the server's own that is resident, in KiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[test]
fn twenty_thousand_names_in_constant_memory() {
    let directory = Directory::new();
    for number in 0..20_000 {
        std::fs::write(directory.path().join(format!("{number:05}-{}", "x".repeat(40))), "").unwrap();
    }
    let server = Server::start(directory.path(), &["--http.main.send_buffer=4K"]);
    assert_eq!(server.get("/none").status, 404);
    let (before, descriptors) = (resident(&server), server.descriptors());
    let mut slow = server.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
    let mut start = vec![0; 600_000];
    slow.read_exact(&mut start).unwrap();
    std::thread::sleep(Duration::from_millis(200));
    let held = resident(&server);
    assert!(held <= before + 1024, "{before} KiB before, {held} KiB with a slow reader");
    // The others are not kept waiting.
    let began = Instant::now();
    assert_eq!(server.get("/none").status, 404);
    assert!(began.elapsed() < Duration::from_secs(2));
    start.extend(read_all(&mut slow));
    let page = text(&Reply::first(&start, false).0);
    let mut found = links(&page);
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 20_000);
    assert!(page.contains("Too many entries to sort") && page.ends_with("</html>\n"));
    drop(slow);
    assert_eq!(server.get("/none").status, 404);
    assert_eq!(server.descriptors(), descriptors);
}

#[test]
fn clients_that_do_not_read_keep_nobody_from_listing() {
    let directory = Directory::new();
    for number in 0..10_000 {
        directory.file(&format!("{number:0>200}"), "");
    }
    let mut command = Command::new("sh");
    // Of 64 descriptors 16 are no connections', and half of these are for listings.
    command.args([
        "-c",
        "ulimit -n 64; exec \"$@\"",
        "sh",
        env!("CARGO_BIN_EXE_gorgon"),
        "-l",
        "127.0.0.1:0",
    ]);
    let server = Server::spawn({
        command.args(["--http.main.send_buffer=128K"]).arg(directory.path());
        command
    });
    let before = server.descriptors();
    let mut slow: Vec<_> = (0..8).map(|_| server.connect()).collect();
    for client in &mut slow {
        client.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").unwrap();
        client.read_exact(&mut [0; 15]).unwrap();
    }
    std::thread::sleep(Duration::from_millis(1300));
    for _ in 0..3 {
        let page = server.get("/");
        assert_eq!((page.status, links(&text(&page)).len()), (200, 10_000));
    }
    // Those whose places were taken are cut, where they can see it.
    let replies = slow.iter_mut().map(read_all);
    let cut = replies.filter(|reply| !reply.ends_with(b"0\r\n\r\n")).count();
    assert!((1..8).contains(&cut), "{cut}");
    drop(slow);
    for _ in 0..100 {
        if server.descriptors() <= before {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("descriptors are left open");
}
