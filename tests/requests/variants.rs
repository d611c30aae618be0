//! Settings that must not change what is sent, and those that change types.

use super::files::get;
use super::*;

#[test]
fn however_files_are_kept_and_sent() {
    let directory = site();
    directory.file("zero", "");
    directory.file("page.html", "<p>");
    for size in [1000, 20_000, 100_000, 3_000_000] {
        let content: Vec<u8> = (0..size).map(|at: usize| ((at * 13) >> 3) as u8).collect();
        directory.file(&format!("s{size}"), content);
    }
    let variants: [&[&str]; 10] = [
        &[],
        &["--http.main.file_cache=0"],
        &["--http.main.cache_file_max=0"],
        &["--http.main.cache_file_max=512K"],
        &["--http.main.sendfile=off"],
        &["--http.main.file_cache=0", "--http.main.sendfile=off"],
        &["--http.main.file_cache=0", "--http.main.cache_file_max=0"],
        &["--http.main.read_buffer=512", "--http.main.write_buffer=512", "--http.main.sendfile=off"],
        &["--http.main.read_buffer=512", "--http.main.send_buffer=64K"],
        &["--gorgon.poller=poll"],
    ];
    let etag = Server::start(directory.path(), &[]).get("/s1000").field("etag").unwrap();
    let mut first: Option<Vec<(String, Vec<u8>)>> = None;
    for arguments in variants {
        let server = Server::start(directory.path(), arguments);
        let mut stream = server.connect();
        let mut requests = Vec::new();
        let mut heads = Vec::new();
        for target in
            ["/f", "/zero", "/page.html", "/s1000", "/s20000", "/s100000", "/s3000000", "/", "/d", "/none"]
        {
            for method in ["GET", "HEAD", "GET", "POST"] {
                requests.extend(get(method, target));
                heads.push(method == "HEAD");
            }
        }
        requests
            .extend(format!("GET /s1000 HTTP/1.1\r\nHost: h\r\nIf-None-Match: {etag}\r\n\r\n").as_bytes());
        heads.push(false);
        stream.write_all(&[&requests, PROBE].concat()).unwrap();
        let all = read_all(&mut stream);
        let mut rest = &all[..];
        let mut replies = Vec::new();
        for head in heads {
            let (reply, after) = Reply::first(rest, head);
            sound(&reply);
            replies.push((undated(&reply), reply.body));
            rest = after;
        }
        assert_eq!(Reply::first(rest, false).0.body, PROBE_BODY);
        let expected = first.get_or_insert_with(|| replies.clone());
        for (reply, expected) in replies.iter().zip(expected) {
            assert!(reply == expected, "{arguments:?}: {} is not {}", reply.0, expected.0);
        }
    }
}

/// Names and the type each is sent as.
fn types(server: &Server, directory: &Directory, cases: &[(&str, &str)]) {
    all(
        cases,
        |case| case.0.to_owned(),
        |(name, media_type)| {
            directory.file(name, "x");
            has(&check(server, &get("GET", format!("/{name}")), 200, Kept), &[("Content-Type", media_type)]);
        },
    );
}

#[test]
fn media_types() {
    let (directory, server) = served();
    types(
        &server,
        &directory,
        &[
            ("a.html", "text/html; charset=utf-8"),
            ("a.htm", "text/html; charset=utf-8"),
            ("a.HTML", "text/html; charset=utf-8"),
            ("a.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.mjs", "text/javascript; charset=utf-8"),
            ("a.txt", "text/plain; charset=utf-8"),
            ("a.png", "image/png"),
            ("a.jpg", "image/jpeg"),
            ("a.webp", "image/webp"),
            ("a.woff2", "font/woff2"),
            ("a.wasm", "application/wasm"),
            ("a.pdf", "application/pdf"),
            ("a.json", "application/json"),
            ("a.webmanifest", "application/manifest+json"),
            ("a.xml", "application/xml"),
            ("a.xhtml", "application/xhtml+xml"),
            ("a.svg", "image/svg+xml"),
            ("a.tsx", "text/plain; charset=utf-8"),
            ("a.mpd", "application/dash+xml"),
            ("a.mp4", "video/mp4"),
            ("a.b.png", "image/png"),
            ("a", "application/octet-stream"),
            ("a.", "application/octet-stream"),
            ("a.unknown", "application/octet-stream"),
            ("html", "application/octet-stream"),
            ("in.png/b", "application/octet-stream"),
        ],
    );
}

#[test]
fn types_of_ones_own() {
    let directory = site();
    let file = Directory::new();
    let path = file.file("types", "# ours\ntext/x-ours ours OUR2\n\nimage/x-png\tpng\napplication/x-none\n");
    let setting = format!("--http.main.types_file={}", path.display());
    let server = Server::start(directory.path(), &[&setting]);
    types(
        &server,
        &directory,
        &[
            ("a.ours", "text/x-ours; charset=utf-8"),
            ("a.OURS", "text/x-ours; charset=utf-8"),
            ("a.our2", "text/x-ours; charset=utf-8"),
            ("a.png", "image/x-png"),
            ("a.html", "text/html; charset=utf-8"),
            ("a.none", "application/octet-stream"),
        ],
    );
}

#[test]
fn charsets() {
    let directory = site();
    directory.file("a.txt", "x");
    for (setting, media_type) in [
        ("iso-8859-1", "text/plain; charset=iso-8859-1"),
        ("", "text/plain"),
        ("utf-8", "text/plain; charset=utf-8"),
    ] {
        let server = Server::start(directory.path(), &[&format!("--http.main.charset={setting}")]);
        has(&server.get("/a.txt"), &[("Content-Type", media_type)]);
    }
}

#[test]
fn indexes_of_ones_own() {
    let directory = site();
    directory.file("d/home.htm", "home");
    let server =
        Server::start(directory.path(), &["--http.main.index=start.html", "--http.main.index=home.htm"]);
    let reply = server.get("/d/");
    assert_eq!(reply.body, b"home");
    has(&reply, &[("Content-Type", "text/html; charset=utf-8")]);
    has(&server.get("/"), &[("Vary", "Accept")]);
}
