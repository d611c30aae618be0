//! Settings that save a developer a proxy: Cache-Control, CORS, and one page for all paths.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, Reply, Server, gorgon};

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("index.html", "<p>application");
    directory.file("app.js", "script");
    directory.file("docs/index.html", "<p>docs");
    directory.file("empty/x.txt", "x");
    directory
}

/// A request with further fields, on a connection of its own.
fn ask(server: &Server, method: &str, target: &str, fields: &str) -> Reply {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{fields}\r\n");
    Reply::first(&server.talk(request.as_bytes()), method == "HEAD").0
}

#[test]
fn nothing_unless_asked_for() {
    let directory = site();
    let server = Server::start(directory.path(), &[]);
    for (method, target) in [("GET", "/"), ("GET", "/app.js"), ("GET", "/none"), ("OPTIONS", "/")] {
        let reply = ask(&server, method, target, "Origin: http://a\r\n");
        for name in ["cache-control", "access-control-allow-origin", "access-control-allow-methods"] {
            assert_eq!(reply.field(name), None, "{method} {target} {name}");
        }
        // An error's page is the one that the client takes.
        let vary = (target == "/none").then_some("Accept");
        assert_eq!(reply.field("vary").as_deref(), vary, "{method} {target}");
    }
    assert_eq!(server.get("/none").status, 404);
}

#[test]
fn cache_control() {
    let directory = site();
    for arguments in [
        &["--cache-control", "public, max-age=3600"][..],
        &["--cache-control=public, max-age=3600", "--http.main.cache_file_max=0"],
        &["--http.main.cache_control=public, max-age=3600", "--http.main.file_cache=0"],
    ] {
        let server = Server::start(directory.path(), arguments);
        let told = |reply: &Reply| reply.field("cache-control");
        let expected = Some("public, max-age=3600".to_owned());
        let whole = server.get("/app.js");
        assert_eq!(told(&whole), expected);
        assert_eq!(told(&ask(&server, "HEAD", "/app.js", "")), expected);
        let condition = format!("If-None-Match: {}\r\n", whole.field("etag").unwrap());
        let same = ask(&server, "GET", "/app.js", &condition);
        assert_eq!((same.status, told(&same)), (304, expected.clone()));
        let part = ask(&server, "GET", "/app.js", "Range: bytes=0-1\r\n");
        assert!(matches!(part.status, 200 | 206));
        assert_eq!(told(&part), expected);
        // An error or a redirect is not what was meant.
        assert_eq!(told(&server.get("/none")), None);
        assert_eq!(told(&server.get("/docs")), None);
    }
    let empty = Server::start(directory.path(), &["--cache-control="]);
    assert_eq!(empty.get("/app.js").field("cache-control"), None);
    for wrong in ["a\nSet-Cookie: b", "a\tb", " a"] {
        let output = gorgon().arg(directory.path()).args(["--cache-control", wrong]).output().unwrap();
        assert!(!output.status.success(), "{wrong:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("cache-control"), "{output:?}");
    }
}

#[test]
fn cors() {
    let directory = site();
    for arguments in [&["--cors"][..], &["--cors", "--http.main.file_cache=0"]] {
        let server = Server::start(directory.path(), arguments);
        let tag = server.get("/app.js").field("etag").unwrap();
        for (method, target, fields, status) in [
            ("GET", "/app.js", String::new(), 200),
            ("HEAD", "/app.js", String::new(), 200),
            ("GET", "/", String::new(), 200),
            ("GET", "/app.js", format!("If-None-Match: {tag}\r\n"), 304),
            ("GET", "/app.js", "If-Match: \"x\"\r\n".to_owned(), 412),
            ("GET", "/app.js", "Range: bytes=1-2\r\n".to_owned(), 206),
            ("GET", "/app.js", "Range: bytes=0-0,2-2\r\n".to_owned(), 206),
            ("GET", "/app.js", "Range: bytes=99-\r\n".to_owned(), 416),
            ("GET", "/empty/", String::new(), 200),
            ("GET", "/docs", String::new(), 301),
            ("GET", "/none", String::new(), 404),
            ("POST", "/app.js", String::new(), 405),
        ] {
            let reply = ask(&server, method, target, &format!("Origin: http://a\r\n{fields}"));
            assert_eq!(reply.status, status, "{method} {target} {fields}");
            assert_eq!(reply.field("access-control-allow-origin").as_deref(), Some("*"), "{status}");
            assert_eq!(reply.field("access-control-allow-methods"), None, "{status}");
            let exposed = reply.field("access-control-expose-headers");
            let names = "Accept-Ranges, Content-Encoding, Content-Range, ETag, Location";
            assert_eq!(exposed.as_deref(), Some(names), "{status}");
            assert_eq!(reply.head.matches("Access-Control-Allow-Origin").count(), 1, "{}", reply.head);
        }
        let asked = "Origin: http://a\r\nAccess-Control-Request-Method: GET\r\n\
                     Access-Control-Request-Headers: range, x-own\r\n";
        let reply = ask(&server, "OPTIONS", "/app.js", asked);
        assert_eq!(reply.status, 204);
        for (name, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", "GET, HEAD, OPTIONS"),
            ("access-control-allow-headers", "Authorization, *"),
            ("access-control-max-age", "86400"),
            ("allow", "GET, HEAD, OPTIONS"),
        ] {
            assert_eq!(reply.field(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(reply.field("access-control-expose-headers"), None);
    }
}

#[test]
fn one_page_for_all_paths() {
    let directory = site();
    directory.file(".git/config", "secret");
    let server = Server::start(directory.path(), &["--spa"]);
    let browser = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
    let page = server.get("/");
    for (target, accept, status, body) in [
        ("/", browser, 200, "<p>application"),
        ("/users", browser, 200, "<p>application"),
        ("/users/7/edit?tab=1", browser, 200, "<p>application"),
        ("/users/", browser, 200, "<p>application"),
        ("/app.js/users", browser, 200, "<p>application"),
        ("/v1.2/users", browser, 200, "<p>application"),
        ("/users", "", 200, "<p>application"),
        ("/users", "Accept: */*\r\n", 200, "<p>application"),
        // What exists is as ever.
        ("/app.js", browser, 200, "script"),
        ("/app.js", "Accept: application/json\r\n", 200, "script"),
        ("/docs/", browser, 200, "<p>docs"),
        ("/docs", browser, 301, "-"),
        ("/empty/", browser, 200, "-"),
        // Other files that are not there.
        ("/none.js", browser, 404, "-"),
        ("/users/v1.2", browser, 404, "-"),
        ("/.env", browser, 404, "-"),
        ("/users", "Accept: application/json\r\n", 404, "-"),
        ("/users", "Accept: text/html;q=0, */*\r\n", 404, "-"),
        // A hidden one is as one that is not there.
        ("/.git/config", browser, 200, "<p>application"),
        ("/%2e%2e/users", browser, 400, "-"),
    ] {
        for method in ["GET", "HEAD", "GET"] {
            let reply = ask(&server, method, target, accept);
            assert_eq!(reply.status, status, "{method} {target} {accept}");
            if body != "-" && method == "GET" {
                assert_eq!(String::from_utf8_lossy(&reply.body), body, "{target} {accept}");
            }
            if body == "<p>application" {
                assert_eq!(reply.field("etag"), page.field("etag"));
                assert_eq!(reply.field("vary").as_deref(), Some("Accept"));
                assert_eq!(reply.field("content-type").as_deref(), Some("text/html; charset=utf-8"));
            }
        }
    }
    assert_eq!(server.get("/app.js").field("vary"), None);
    let refused = ask(&server, "GET", "/users", "Accept: application/json\r\n");
    assert_eq!(refused.field("vary").as_deref(), Some("Accept"));
    let condition = format!("{browser}If-None-Match: {}\r\n", page.field("etag").unwrap());
    assert_eq!(ask(&server, "GET", "/users", &condition).status, 304);
    assert_eq!(ask(&server, "POST", "/users", browser).status, 405);
    // Without an index file there is nothing to fall back to.
    std::fs::remove_file(directory.path().join("index.html")).unwrap();
    let server = Server::start(directory.path(), &["--spa"]);
    assert_eq!(ask(&server, "GET", "/users", browser).status, 404);
}

#[test]
fn all_of_it_together() {
    let directory = site();
    directory.file("index.html.gz", "encoded");
    let server = Server::start(
        directory.path(),
        &["--spa", "--cors", "--cache-control", "no-cache", "--http.main.precompressed=gzip"],
    );
    for fields in ["Accept-Encoding: gzip\r\n", ""] {
        let reply = ask(&server, "GET", "/users", fields);
        assert_eq!(reply.status, 200);
        assert_eq!(reply.body, if fields.is_empty() { &b"<p>application"[..] } else { b"encoded" });
        assert_eq!(reply.field("vary").as_deref(), Some("Accept, Accept-Encoding"));
        assert_eq!(reply.field("cache-control").as_deref(), Some("no-cache"));
        assert_eq!(reply.field("access-control-allow-origin").as_deref(), Some("*"));
    }
}
