//! Files that lie beside their originals in content codings: who gets which, and under what tags.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, Reply, Server};
use std::process::Command;

const ALL: &str = "--http.main.precompressed=br,zstd,gzip";

/// A directory in which `app.js` has three twins, `style.css` one, and `plain.txt` none.
fn site() -> Directory {
    let directory = Directory::new();
    for (name, content) in [
        ("app.js", "the script itself"),
        ("app.js.br", "script in br"),
        ("app.js.zst", "script in zstd"),
        ("app.js.gz", "script in gzip"),
        ("style.css", "the style itself"),
        ("style.css.gz", "style in gzip"),
        ("plain.txt", "plain"),
        ("index.html", "<p>the page itself"),
        ("index.html.gz", "page in gzip"),
    ] {
        directory.file(name, content);
        directory.age(name, 3000);
    }
    directory
}

/// A request with further fields, on a connection of its own.
fn ask(server: &Server, method: &str, target: &str, fields: &str) -> Reply {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{fields}\r\n");
    Reply::first(&server.talk(request.as_bytes()), method == "HEAD").0
}

fn accepting(server: &Server, target: &str, codings: &str) -> Reply {
    ask(server, "GET", target, &format!("Accept-Encoding: {codings}\r\n"))
}

fn body(reply: &Reply) -> &str {
    std::str::from_utf8(&reply.body).unwrap()
}

#[test]
fn each_gets_what_it_takes() {
    let directory = site();
    // A small file is kept as its bytes, a large one as its descriptor; or nothing is kept.
    for arguments in [&[ALL][..], &[ALL, "--http.main.cache_file_max=0"], &[ALL, "--http.main.file_cache=0"]]
    {
        let server = Server::start(directory.path(), arguments);
        for (target, codings, expected, coding, media_type) in [
            ("/app.js", "gzip, deflate, br, zstd", "script in br", "br", "text/javascript; charset=utf-8"),
            ("/app.js", "gzip, zstd", "script in zstd", "zstd", "text/javascript; charset=utf-8"),
            ("/app.js", "GZIP", "script in gzip", "gzip", "text/javascript; charset=utf-8"),
            ("/app.js", "br;q=0.1, gzip", "script in gzip", "gzip", "text/javascript; charset=utf-8"),
            ("/app.js", "deflate", "the script itself", "-", "text/javascript; charset=utf-8"),
            ("/app.js", "identity;q=0", "the script itself", "-", "text/javascript; charset=utf-8"),
            ("/app.js", "*", "script in br", "br", "text/javascript; charset=utf-8"),
            ("/app.js", "br, *;q=0", "script in br", "br", "text/javascript; charset=utf-8"),
            ("/style.css", "br, gzip", "style in gzip", "gzip", "text/css; charset=utf-8"),
            ("/style.css", "br", "the style itself", "-", "text/css; charset=utf-8"),
            ("/plain.txt", "br, gzip", "plain", "-", "text/plain; charset=utf-8"),
            ("/", "br, gzip", "page in gzip", "gzip", "text/html; charset=utf-8"),
            ("/", "", "<p>the page itself", "-", "text/html; charset=utf-8"),
            ("/app.js.gz", "gzip", "script in gzip", "-", "application/gzip"),
        ] {
            // The second time it comes from the cache.
            for _ in 0..2 {
                let reply = accepting(&server, target, codings);
                assert_eq!((reply.status, body(&reply)), (200, expected), "{target} {codings}");
                assert_eq!(reply.field("content-encoding").unwrap_or("-".to_owned()), coding);
                assert_eq!(reply.field("content-type").unwrap(), media_type);
                assert_eq!(reply.field("vary").unwrap(), "Accept-Encoding");
                let head = ask(&server, "HEAD", target, &format!("Accept-Encoding: {codings}\r\n"));
                let undated = |reply: &Reply| {
                    let lines = reply.head.lines().filter(|line| !line.starts_with("Date:"));
                    lines.map(str::to_owned).collect::<Vec<_>>()
                };
                assert_eq!(undated(&head), undated(&reply));
            }
        }
        let without = server.get("/app.js");
        assert_eq!(body(&without), "the script itself");
        assert_eq!(without.field("vary").unwrap(), "Accept-Encoding");
        assert_eq!(accepting(&server, "/none", "br").field("vary").as_deref(), Some("Accept"));
    }
}

#[test]
fn off_unless_asked_for() {
    let directory = site();
    let server = Server::start(directory.path(), &[]);
    let reply = accepting(&server, "/app.js", "br, gzip");
    assert_eq!(body(&reply), "the script itself");
    assert_eq!((reply.field("vary"), reply.field("content-encoding")), (None, None));
    // Only those that are listed, and of equal ones the first of the list.
    let server = Server::start(directory.path(), &["--http.main.precompressed=gzip,br"]);
    assert_eq!(body(&accepting(&server, "/app.js", "br, zstd, gzip")), "script in gzip");
    assert_eq!(body(&accepting(&server, "/app.js", "zstd")), "the script itself");
}

#[test]
fn each_has_a_tag_of_its_own() {
    let directory = site();
    // Even when two of them are one file.
    std::fs::hard_link(directory.path().join("plain.txt"), directory.path().join("plain.txt.br")).unwrap();
    let server = Server::start(directory.path(), &[ALL]);
    let mut tags = Vec::new();
    for (target, codings) in [
        ("/app.js", "br"),
        ("/app.js", "zstd"),
        ("/app.js", "gzip"),
        ("/app.js", ""),
        ("/plain.txt", ""),
        ("/plain.txt", "br"),
    ] {
        let reply = accepting(&server, target, codings);
        let tag = reply.field("etag").unwrap();
        assert!(tag.starts_with('"'), "{tag} is weak");
        assert!(!tags.contains(&tag), "{tag} is there twice");
        let field = |other: &str| format!("Accept-Encoding: {codings}\r\nIf-None-Match: {other}\r\n");
        let same = ask(&server, "GET", target, &field(&tag));
        assert_eq!(same.status, 304);
        assert_eq!(same.field("vary").unwrap(), "Accept-Encoding");
        assert_eq!(same.field("etag").unwrap(), tag);
        for other in &tags {
            assert_eq!(ask(&server, "GET", target, &field(other)).status, 200, "{other}");
        }
        let guarded = format!("Accept-Encoding: {codings}\r\nIf-Match: {tag}\r\n");
        assert_eq!(ask(&server, "GET", target, &guarded).status, 200);
        tags.push(tag);
    }
}

#[test]
fn an_old_twin_is_left_alone() {
    let directory = site();
    directory.age("app.js.br", 3001);
    directory.age("app.js.gz", 2000);
    let server = Server::start(directory.path(), &[ALL]);
    assert_eq!(body(&accepting(&server, "/app.js", "br")), "the script itself");
    assert_eq!(body(&accepting(&server, "/app.js", "br, gzip")), "script in gzip");
    // A new original, and then a new twin, are seen within the second for which a reply is good.
    directory.age("app.js", 1000);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(body(&accepting(&server, "/app.js", "br, gzip")), "the script itself");
    directory.file("app.js.br", "new in br");
    directory.age("app.js.br", 500);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(body(&accepting(&server, "/app.js", "br, gzip")), "new in br");
    // A time that was copied without its fraction is not older.
    let second = std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000);
    for (name, time) in
        [("style.css", second + std::time::Duration::from_millis(700)), ("style.css.gz", second)]
    {
        let file = std::fs::File::options().append(true).open(directory.path().join(name)).unwrap();
        file.set_modified(time).unwrap();
    }
    assert_eq!(body(&accepting(&server, "/style.css", "gzip")), "style in gzip");
}

#[test]
fn a_twin_is_no_way_around() {
    let directory = site();
    let outside = Directory::new();
    let secret = outside.file("secret", "secret");
    outside.age("secret", 10);
    std::os::unix::fs::symlink(&secret, directory.path().join("plain.txt.gz")).unwrap();
    std::fs::create_dir(directory.path().join("plain.txt.br")).unwrap();
    directory.file(".env", "secret");
    directory.file(".env.gz", "secret");
    directory.file("lost.txt.gz", "without an original");
    let server = Server::start(directory.path(), &[ALL]);
    assert_eq!(body(&accepting(&server, "/plain.txt", "br, gzip")), "plain");
    assert_eq!(accepting(&server, "/.env", "gzip").status, 404);
    assert_eq!(accepting(&server, "/lost.txt", "gzip").status, 404);
    let server = Server::start(directory.path(), &[ALL, "--http.main.symlinks=all"]);
    assert_eq!(body(&accepting(&server, "/plain.txt", "br, gzip")), "secret");
}

#[test]
fn what_curl_makes_of_it() {
    let directory = Directory::new();
    let text = "what is written here is written here again\n".repeat(2000);
    directory.file("text.txt", &text);
    let gzip = Command::new("gzip").args(["-k", "-9"]).arg(directory.path().join("text.txt")).status();
    assert!(gzip.expect("gzip is needed").success());
    let server = Server::start(directory.path(), &[ALL]);
    let url = server.url("/text.txt");
    let curl = |words: &[&str]| {
        let output =
            Command::new("curl").args(["-sS", "--noproxy", "*", "--max-time", "25"]).args(words).output();
        let output = output.expect("curl is needed");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(curl(&["--compressed", &url]), text);
    assert_eq!(curl(&[&url]), text);
    let wire = directory.path().join("wire");
    let told =
        curl(&["-H", "Accept-Encoding: gzip", "-o", wire.to_str().unwrap(), "-w", "%{size_download}", &url]);
    assert_eq!(std::fs::read(&wire).unwrap(), std::fs::read(directory.path().join("text.txt.gz")).unwrap());
    assert!(told.parse::<usize>().unwrap() < 2000);
}

#[test]
fn one_file_has_twins_too() {
    let directory = site();
    let server = Server::start(&directory.path().join("app.js"), &[ALL]);
    for target in ["/", "/app.js"] {
        for (codings, content, coding) in
            [("br", "script in br", Some("br")), ("gzip", "script in gzip", Some("gzip"))]
        {
            let reply = accepting(&server, target, codings);
            assert_eq!((body(&reply), reply.field("content-encoding").as_deref()), (content, coding));
            assert_eq!(reply.field("content-type").as_deref(), Some("text/javascript; charset=utf-8"));
            assert_eq!(reply.field("vary").as_deref(), Some("Accept-Encoding"));
        }
        assert_eq!(body(&server.get(target)), "the script itself");
    }
    // They have no names of their own, and neither has anything else.
    for target in ["/app.js.br", "/app.js.gz", "/style.css", "/style.css.gz"] {
        assert_eq!(accepting(&server, target, "br, gzip").status, 404, "{target}");
    }
}

/// An image that is called so is gzip to those who are not told (`image/svg+xml`, RFC 7303 aside).
#[test]
fn compressed_images_say_so() {
    let directory = site();
    for name in ["a.svgz", "B.SVGZ", "a.svgz.br"] {
        directory.file(name, "\x1f\u{8}image");
    }
    for arguments in [&[][..], &[ALL], &["--http.main.file_cache=0"]] {
        let server = Server::start(directory.path(), arguments);
        for (target, codings) in [("/a.svgz", "br, gzip"), ("/a.svgz", "identity"), ("/B.SVGZ", "")] {
            let reply = accepting(&server, target, codings);
            assert_eq!(reply.field("content-type").as_deref(), Some("image/svg+xml"));
            assert_eq!(reply.field("content-encoding").as_deref(), Some("gzip"), "{target}");
            assert_eq!(body(&reply), "\x1f\u{8}image");
            // There is but one of it, under a tag like that of any file.
            assert!(!reply.field("etag").unwrap().contains("gzip"));
            let condition = format!("If-None-Match: {}\r\n", reply.field("etag").unwrap());
            assert_eq!(ask(&server, "GET", target, &condition).status, 304);
        }
        assert_eq!(server.get("/app.js.gz").field("content-encoding"), None);
    }
}
