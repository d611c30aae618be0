//! Real clients against the real program: what they make of it is what counts.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Server};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A tool with its arguments, run to its end; panics if it is missing or goes on.
fn run(directory: &Path, words: &[&str]) -> Output {
    let out = tempfile(directory, "out");
    let error = tempfile(directory, "error");
    let mut child = Command::new(words[0])
        .args(&words[1..])
        .env_remove("http_proxy")
        .env_remove("HTTP_PROXY")
        .env_remove("ALL_PROXY")
        .env_remove("all_proxy")
        .env("HOME", directory)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(out.1)
        .stderr(error.1)
        .spawn()
        .unwrap_or_else(|error| panic!("{} is needed (tools/test installs it): {error}", words[0]));
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{words:?} goes on");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    Output { status, stdout: std::fs::read(out.0).unwrap(), stderr: std::fs::read(error.0).unwrap() }
}

/// Output goes to files, so that a full pipe stops nobody.
fn tempfile(directory: &Path, name: &str) -> (std::path::PathBuf, std::fs::File) {
    let path = directory.join(name);
    let file = std::fs::File::create(&path).unwrap();
    (path, file)
}

/// What a tool printed; panics unless it went well.
fn printed(directory: &Directory, words: &[&str]) -> String {
    let output = run(directory.path(), words);
    let (out, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{words:?}: {}: {out}{error}", output.status);
    out.into_owned()
}

fn site() -> (Directory, Server, Directory) {
    let directory = Directory::new();
    directory.file("index.html", "<a href=\"sub/\">sub</a> <a href=\"a%20b.txt\">text</a>\n");
    directory.file("a b.txt", "text\n");
    directory.file("sub/index.html", "<a href=\"deep/c.html\">deep</a> <img src=\"/picture.png\">\n");
    directory.file("sub/deep/c.html", "<p>deep\n");
    directory.file("picture.png", [0x89, b'P', b'N', b'G', 0, 1, 2, 3]);
    directory.file("big", (0..3_000_000u32).map(|n| (n * 7 + n / 256) as u8).collect::<Vec<_>>());
    let server = Server::start(directory.path(), &[]);
    (directory, server, Directory::new())
}

#[test]
fn curl() {
    let (files, server, here) = site();
    let url = server.url("/sub/deep/c.html");
    let big = server.url("/big");
    let curl = |words: &[&str]| {
        let all = [&["curl", "-sS", "--max-time", "25"][..], words].concat();
        printed(&here, &all)
    };
    assert_eq!(curl(&[&url]), "<p>deep\n");
    assert_eq!(curl(&["--http1.0", &url]), "<p>deep\n");
    assert_eq!(curl(&["--compressed", &url]), "<p>deep\n");
    let head = curl(&["-I", &url]);
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    assert!(head.contains("Content-Length: 8\r\n"), "{head}");
    // A file with a space, and a directory's address made whole.
    assert_eq!(curl(&[&server.url("/a%20b.txt")]), "text\n");
    let followed =
        curl(&["-L", "-w", "%{num_redirects} %{url_effective}", "-o", "moved", &server.url("/sub")]);
    assert_eq!(followed, format!("1 {}", server.url("/sub/")));
    // A big one, whole and in part: a range may be ignored, but what comes must be right.
    curl(&["-o", "whole", &big]);
    assert_eq!(
        std::fs::read(here.path().join("whole")).unwrap(),
        std::fs::read(files.path().join("big")).unwrap()
    );
    let status = curl(&["-r", "100-199", "-o", "part", "-w", "%{http_code}", &big]);
    let (part, whole) =
        (std::fs::read(here.path().join("part")).unwrap(), std::fs::read(files.path().join("big")).unwrap());
    assert!((status == "206" && part == whole[100..200]) || (status == "200" && part == whole), "{status}");
    // Two on one connection.
    let counts =
        curl(&["-w", "%{num_connects} ", "-o", "x", &url, "-o", "y", &big, "-o", "z", &server.url("/none")]);
    assert_eq!(counts, "1 0 0 ");
    // Conditions.
    let code = ["-o", "x", "-w", "%{http_code}"];
    let dated = |time: &str| curl(&[&["-z", time][..], &code, &[&url]].concat());
    // The time of a file of that name; the one served is an hour old.
    here.file("time", "");
    here.age("time", 60);
    assert_eq!(dated("time"), "304");
    here.age("time", 2 * 24 * 3600);
    assert_eq!(dated("time"), "200");
    let tagged = ["--etag-save", "etag", "--etag-compare", "etag"];
    let by_etag = || curl(&[&tagged[..], &code, &[&url]].concat());
    assert_eq!(by_etag(), "200");
    assert_eq!(by_etag(), "304");
}

#[test]
fn curl_that_sends() {
    let (files, server, here) = site();
    let url = server.url("/big");
    let big = format!("@{}", files.path().join("big").display());
    let small = files.file("small", "a few bytes");
    let code = ["-o", "x", "-w", "%{http_code}"];
    let curl = |words: &[&str]| {
        let all = [&["curl", "-sS", "--max-time", "25"][..], &code, words].concat();
        printed(&here, &all)
    };
    assert_eq!(curl(&["-T", small.to_str().unwrap(), &url]), "405");
    assert_eq!(curl(&["-X", "DELETE", &url]), "405");
    // A body that waits to be asked for, one that does not, and one in chunks.
    for fields in [&["Expect: 100-continue"][..], &["Expect:"], &["Transfer-Encoding: chunked", "Expect:"]] {
        for data in ["x=1", &big] {
            let fields: Vec<&str> = fields.iter().flat_map(|field| ["-H", field]).collect();
            let begun = Instant::now();
            let status = curl(&[&fields[..], &["--data-binary", data, &url]].concat());
            assert!(["405", "413"].contains(&&*status), "{fields:?} {}: {status}", data.len());
            assert!(begun.elapsed() < Duration::from_secs(20), "{fields:?}");
        }
    }
    assert_eq!(curl(&["-X", "OPTIONS", &url]).len(), 3);
    assert_eq!(curl(&[&url]), "200");
}

#[test]
fn curl_over_a_unix_socket() {
    let (_files, _, here) = site();
    let path = here.path().join("socket");
    here.file("a.txt", "a file");
    let listen = format!("unix:{}", path.display());
    let server = Server::start(here.path(), &["-l", &listen]);
    let out = printed(&here, &["curl", "-sS", "--unix-socket", "socket", "http://localhost/a.txt"]);
    assert_eq!(out, "a file");
    drop(server);
}

#[test]
fn wget() {
    let (files, server, here) = site();
    let root = server.url("/");
    printed(&here, &["wget", "-q", "-r", "-nH", "-P", "mirror", "--tries=1", "--timeout=20", &root]);
    for name in ["index.html", "sub/index.html", "sub/deep/c.html", "a b.txt", "picture.png"] {
        let (ours, theirs) = (here.path().join("mirror").join(name), files.path().join(name));
        assert_eq!(std::fs::read(ours).unwrap(), std::fs::read(theirs).unwrap(), "{name}");
    }
    let big = server.url("/big");
    let expected = std::fs::read(files.path().join("big")).unwrap();
    // Times are kept, and what is not newer is not fetched again.
    printed(&here, &["wget", "-q", "-N", "--tries=1", "--timeout=20", &big]);
    let time = |path: &Path| {
        std::fs::metadata(path)
            .unwrap()
            .modified()
            .unwrap()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap()
            .as_secs()
    };
    let copy = here.path().join("big");
    assert_eq!(std::fs::read(&copy).unwrap(), expected);
    assert_eq!(time(&copy), time(&files.path().join("big")));
    let output = run(here.path(), &["wget", "-N", "--tries=1", "--timeout=20", &big]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("304"), "{said}");
    // What was begun is completed, with ranges or without.
    std::fs::write(&copy, &expected[..1_000_000]).unwrap();
    printed(&here, &["wget", "-q", "-c", "--tries=1", "--timeout=20", &big]);
    assert_eq!(std::fs::read(&copy).unwrap(), expected);
    // And what is complete stays.
    run(here.path(), &["wget", "-q", "-c", "--tries=1", "--timeout=20", &big]);
    assert_eq!(std::fs::read(&copy).unwrap(), expected);
}

const PYTHON: &str = r#"
import http.client, socket, sys, urllib.request
host, port = sys.argv[1], int(sys.argv[2])

connection = http.client.HTTPConnection(host, port, timeout=20)
connection.connect()
first = connection.sock
for number in range(1000):
    method = "HEAD" if number % 7 == 3 else "GET"
    path = ["/sub/deep/c.html", "/none", "/a%20b.txt", "/sub"][number % 4]
    connection.request(method, path)
    response = connection.getresponse()
    body = response.read()
    assert response.status == [200, 404, 200, 301][number % 4], (path, response.status)
    assert (method == "HEAD") == (body == b""), (method, path, body)
    if method == "GET":
        assert len(body) == int(response.headers["Content-Length"])
    assert connection.sock is first, "the connection was not kept"
for number in range(100):
    connection.request("POST", "/sub/deep/c.html", body=b"x" * number * 10)
    response = connection.getresponse()
    response.read()
    assert response.status == 405, response.status
assert connection.sock is first, "the connection was not kept"
connection.request("GET", "/big")
assert len(connection.getresponse().read()) == 3000000
connection.close()

with urllib.request.urlopen("http://%s:%d/sub" % (host, port), timeout=20) as response:
    assert response.url.endswith("/sub/") and response.status == 200

# Pipelined: all sent before anything is read, in pieces that end where no request does.
raw = socket.create_connection((host, port), timeout=20)
count = 500
wire = b"".join(b"GET /sub/deep/c.html?%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(count - 1))
wire += b"GET /a%20b.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
for at in range(0, len(wire), 1009):
    raw.sendall(wire[at:at + 1009])
got = b""
while piece := raw.recv(65536):
    got += piece
assert got.count(b"HTTP/1.1 200 ") == count, got.count(b"HTTP/1.1 200 ")
assert got.count(b"<p>deep\n") == count - 1 and got.endswith(b"text\n")
print("good")
"#;

#[test]
fn python() {
    let (_files, server, here) = site();
    let (host, port) = (server.address.ip().to_string(), server.address.port().to_string());
    assert_eq!(printed(&here, &["python3", "-c", PYTHON, &host, &port]), "good\n");
}

#[test]
fn wrk() {
    let (_files, server, here) = site();
    for (path, close) in [("/sub/deep/c.html", false), ("/big", false), ("/sub/deep/c.html", true)] {
        let url = server.url(path);
        let mut words = vec!["wrk", "-t", "1", "-c", "20", "-d", "1", "--timeout", "20"];
        if close {
            words.extend(["-H", "Connection: close"]);
        }
        words.push(&url);
        let report = printed(&here, &words);
        assert!(!report.contains("Non-2xx"), "{report}");
        assert!(!report.contains("Socket errors"), "{report}");
        let line = report.lines().find(|line| line.contains(" requests in ")).unwrap();
        let count: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        assert!(count > 10, "{report}");
    }
}

#[test]
fn ab() {
    let (_files, server, here) = site();
    let url = server.url("/sub/deep/c.html");
    for words in [&["ab", "-q", "-k", "-n", "2000", "-c", "20"][..], &["ab", "-q", "-n", "500", "-c", "20"]] {
        let report = printed(&here, &[words, &["-s", "20", &url]].concat());
        let field = |name: &str| {
            let line = report.lines().find(|line| line.starts_with(name));
            line.map(|line| line.rsplit(' ').find(|word| !word.is_empty()).unwrap().to_owned())
        };
        let count = words[words.iter().position(|word| *word == "-n").unwrap() + 1];
        assert_eq!(field("Complete requests:").as_deref(), Some(count), "{report}");
        assert_eq!(field("Failed requests:").as_deref(), Some("0"), "{report}");
        assert_eq!(field("Non-2xx responses:"), None, "{report}");
        if words.contains(&"-k") {
            assert_eq!(field("Keep-Alive requests:").as_deref(), Some(count), "{report}");
        }
    }
}
