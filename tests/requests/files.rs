//! Files, directories and their names.

use super::*;
use std::ffi::OsStr;
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStrExt;

/// A request for a target of any bytes.
pub fn get(method: &str, target: impl AsRef<[u8]>) -> Vec<u8> {
    [method.as_bytes(), b" ", target.as_ref(), b" HTTP/1.1\r\nHost: h\r\n\r\n"].concat()
}

#[test]
fn head_is_get_without_its_body() {
    let (directory, server) = served();
    directory.file("zero", "");
    directory.file("large", vec![b'x'; 3 << 20]);
    let fresh = directory.file("fresh", "just changed");
    std::fs::File::options()
        .append(true)
        .open(fresh)
        .unwrap()
        .set_modified(std::time::SystemTime::now())
        .unwrap();
    let cases = ["/f", "/zero", "/large", "/fresh", "/", "/d", "/d/", "/none", "/f/", "/d%2fg.txt"];
    all(
        &cases,
        |case| case.to_string(),
        |target| {
            for more in [
                "",
                "If-None-Match: *\r\n",
                "If-Match: \"x\"\r\n",
                "Connection: close\r\n",
                "Range: bytes=0-1\r\n",
            ] {
                let ask = |method| {
                    let request = format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{more}\r\n");
                    Reply::first(&exchange(&server, request.as_bytes()), method == "HEAD").0
                };
                // What the first made is kept, so each is asked first once.
                let (head, get) = (ask("HEAD"), ask("GET"));
                let again = ask("HEAD");
                sound(&head);
                // A range is for GET alone.
                if !matches!(get.status, 206 | 416) {
                    assert_eq!(undated(&head), undated(&get), "{target} {more}");
                }
                assert_eq!(undated(&head), undated(&again), "{target} {more}");
                assert!(head.body.is_empty());
            }
        },
    );
}

#[test]
fn sizes() {
    let (directory, server) = served();
    // Around what is kept in memory, what is read and written at once, and what a socket holds.
    for size in
        [0usize, 1, 2, 511, 4095, 4096, 4097, 16_383, 16_384, 16_385, 65_536, 65_537, 1 << 20, (5 << 20) + 1]
    {
        let content: Vec<u8> = (0..size).map(|at| ((at * 7) >> 2) as u8).collect();
        directory.file(&format!("s{size}"), &content);
        for _ in 0..2 {
            let reply = check(&server, &get("GET", format!("/s{size}")), 200, Kept);
            assert!(reply.body == content, "{size}");
            has(
                &reply,
                &[("Content-Length", &size.to_string()), ("Content-Type", "application/octet-stream")],
            );
        }
    }
}

#[test]
fn five_gibibytes() {
    let (directory, server) = served();
    let size = (5u64 << 30) + 7;
    let mut file = std::fs::File::create(directory.path().join("huge")).unwrap();
    file.write_all(b"start").unwrap();
    file.seek(SeekFrom::Start(size - 3)).unwrap();
    file.write_all(b"end").unwrap();
    has(&check(&server, &get("HEAD", "/huge"), 200, Kept), &[("Content-Length", "5368709127")]);
    let mut stream = server.connect();
    stream.write_all(&get("GET", "/huge")).unwrap();
    let mut bytes = vec![0; 1 << 20];
    stream.read_exact(&mut bytes).unwrap();
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.contains("Content-Length: 5368709127\r\n"));
    assert!(text.split_once("\r\n\r\n").unwrap().1.starts_with("start\0\0"));
    drop(stream);
    check(&server, &get("GET", "/f"), 200, Kept);
}

#[test]
fn directories() {
    let (directory, server) = served();
    std::fs::create_dir_all(directory.path().join("empty")).unwrap();
    std::fs::create_dir_all(directory.path().join("indexed/index.html")).unwrap();
    directory.file("sub/index.html", "sub");
    directory.file("sp ace/index.html", "space");
    directory.file("per%cent/q?/h#/index.html", "signs");
    directory.file("a&b<c>\"d\"/index.html", "markup");
    let cases: [(&str, u16, &str); 22] = [
        ("/", 200, "-"),
        ("/sub/", 200, "-"),
        ("/sub", 301, "/sub/"),
        ("/sub?a=b&c=d", 301, "/sub/?a=b&c=d"),
        ("/sub?", 301, "/sub/?"),
        ("/sub?a?b", 301, "/sub/?a?b"),
        ("/sub?//x/..", 301, "/sub/?//x/.."),
        ("/sub/index.html", 200, "-"),
        ("/sub/.", 200, "-"),
        ("//sub", 301, "/sub/"),
        ("///sub?q", 301, "/sub/?q"),
        ("/./sub", 301, "/sub/"),
        ("/d/../sub", 301, "/sub/"),
        ("/%73ub", 301, "/sub/"),
        ("/sp%20ace", 301, "/sp%20ace/"),
        ("/per%25cent/q%3F/h%23", 301, "/per%25cent/q%3F/h%23/"),
        ("/a&b<c>\"d\"", 301, "/a%26b%3Cc%3E%22d%22/"),
        ("http://evil.example/sub", 301, "/sub/"),
        ("http://evil.example//sub", 301, "/sub/"),
        ("/empty/", 200, "-"),
        ("/empty", 301, "/empty/"),
        ("/indexed/", 200, "-"),
    ];
    all(
        &cases,
        |case| case.0.to_owned(),
        |(target, status, location)| {
            let reply = check(&server, &get("GET", target), *status, Kept);
            has(&reply, &[("Location", location)]);
            check(&server, &get("HEAD", target), *status, Kept);
        },
    );
}

#[test]
fn redirects_stay_here() {
    let (directory, server) = served();
    std::fs::create_dir_all(directory.path().join("evil.example/x")).unwrap();
    std::fs::create_dir_all(directory.path().join(["\\", "evil.example"].concat())).unwrap();
    std::fs::create_dir_all(directory.path().join("http:/evil.example")).unwrap();
    std::fs::create_dir_all(directory.path().join("a\r\nX: y")).unwrap();
    std::fs::create_dir_all(directory.path().join("@evil.example")).unwrap();
    let cases: [(&[u8], u16); 19] = [
        (b"//evil.example", 301),
        (b"///evil.example", 301),
        (b"/.//evil.example", 301),
        (b"//evil.example/x/..", 200),
        (b"//evil.example/x/../x", 301),
        (b"//evil.example/..", 200),
        (b"//evil.example/%2e%2e", 200),
        (b"/d/..//evil.example", 301),
        (b"/%2fevil.example", 404),
        (b"/%2f%2fevil.example", 404),
        (b"/%5cevil.example", 301),
        (b"/\\evil.example", 301),
        (b"http://evil.example", 200),
        (b"http://h//evil.example", 301),
        (b"/http://evil.example", 301),
        (b"/@evil.example", 301),
        (b"/a%0d%0aX:%20y", 301),
        (b"/evil.example?\xff\xe2\x80\xa8", 301),
        (b"/evil.example?\"><script>", 301),
    ];
    all(
        &cases,
        |case| case.0.escape_ascii().to_string(),
        |(target, status)| {
            let reply = check(&server, &get("GET", target), *status, Kept);
            let Some(location) = reply.field("location") else { return assert_ne!(*status, 301) };
            assert!(
                location.starts_with('/') && !location.starts_with("//") && location.is_ascii(),
                "{location}"
            );
            let path = location.split('?').next().unwrap();
            assert!(
                path.ends_with('/') && !path.contains(['\\', '<', '>', '"', ' ', '\r', '\n']),
                "{location}"
            );
            assert!(!location.contains(['<', '>', '"']), "{location}");
            // It leads to the directory itself, not on to another place.
            check(&server, &get("GET", &location), 200, Kept);
        },
    );
}

#[test]
fn names_of_any_bytes() {
    let (directory, server) = served();
    let mut names: Vec<Vec<u8>> =
        (1..=255).filter(|byte| *byte != b'/').map(|byte| vec![b'n', byte, b'm']).collect();
    for name in [
        &b"sp ace"[..],
        b"%",
        b"%41",
        b"%2f",
        b"a?b",
        b"a#b",
        b"a;b=c",
        b"a+b",
        b"a&b",
        b"new\nline",
        b"\r\n",
        b"<script>",
        b"\"quotes'",
        b"back\\slash",
        b"\xff\xfe",
        b"\xc3\xa9t\xc3\xa9",
        b"caf\xe9",
        b"~",
        b"a:b",
        b"...",
        b"..a",
        b"a..",
        b" ",
        b"-",
        b"*",
        b"[x]",
        b"$HOME",
        b"`id`",
        b"\x01",
        b"\x7f",
    ] {
        names.push(name.to_vec());
    }
    names.push(vec![b'l'; 255]);
    names.retain(|name| !name.starts_with(b"."));
    let encoded = |name: &[u8]| name.iter().map(|byte| format!("%{byte:02X}")).collect::<String>();
    for name in &names {
        std::fs::write(directory.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let mut stream = server.connect();
    let requests: Vec<u8> = names.iter().flat_map(|name| get("GET", format!("/{}", encoded(name)))).collect();
    stream.write_all(&[&requests, PROBE].concat()).unwrap();
    let replies = Reply::all(&read_all(&mut stream));
    assert_eq!(replies.len(), names.len() + 1);
    for (name, reply) in names.iter().zip(&replies) {
        assert_eq!((reply.status, &reply.body), (200, name), "{}", name.escape_ascii());
    }
    // As they are, where a target may hold them.
    for name in names
        .iter()
        .filter(|name| !name.iter().any(|byte| matches!(byte, 0..=b' ' | b'%' | b'?' | b'#' | 0x7f)))
    {
        let reply = check(&server, &get("GET", [b"/", &name[..]].concat()), 200, Kept);
        assert_eq!(&reply.body, name);
    }
}

#[test]
fn hidden_names() {
    let (directory, server) = served();
    for name in [
        ".secret",
        ".git/config",
        "d/.hidden/f",
        ".well-known/acme",
        ".well-known/.secret",
        "d/.well-known/f",
        ".well-knownx",
    ] {
        directory.file(name, name);
    }
    let shown = Server::start(directory.path(), &["--hidden"]);
    for (target, status) in [
        ("/.secret", 404),
        ("/%2esecret", 404),
        ("/d/../.secret", 404),
        ("//.secret", 404),
        ("/.git", 404),
        ("/.git/", 404),
        ("/.git/config", 404),
        ("/d/.hidden/f", 404),
        ("/d/.hidden/none", 404),
        ("/d/.well-known/f", 404),
        ("/.well-known/.secret", 404),
        ("/.well-knownx", 404),
        ("/.WELL-KNOWN/acme", 404),
        ("/.none", 404),
        ("/.well-known/acme", 200),
        ("/%2ewell-known/acme", 200),
        ("/.well-known", 301),
        ("/.git/../f", 200),
    ] {
        for _ in 0..2 {
            check(&server, &get("GET", target), status, Kept);
        }
        let with_hidden = match target {
            _ if target.contains("none") || target.contains("KNOWN") => 404,
            "/.git" | "/.well-known" => 301,
            _ => 200,
        };
        check(&shown, &get("GET", target), with_hidden, Kept);
    }
    // What is not shown and what is not there look alike.
    let (hidden, missing) = (server.get("/.secret"), server.get("/none"));
    assert_eq!((undated(&hidden), hidden.body), (undated(&missing), missing.body));
}
