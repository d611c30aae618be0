//! The handlers that a configuration names, in the real program.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, Reply, Server, give, gorgon, refusal};

/// What of a configuration comes before the handlers.
fn head(directory: &Directory) -> String {
    let root = directory.path().join("www");
    format!("[http:main]\nlisten = 127.0.0.1:0\nroot = {}\n", root.display())
}

fn with(directory: &Directory, handlers: &str) -> std::process::Command {
    let file = directory.file("gorgon.conf", head(directory) + handlers);
    let mut command = gorgon();
    command.args(["run", "-c"]).arg(file);
    command
}

fn request(server: &Server, head: &str, body: &str) -> Reply {
    let length = body.len();
    let text = format!("{head}\r\nHost: h\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}");
    Reply::first(&server.talk(text.as_bytes()), false).0
}

#[test]
fn the_first_that_fits_answers() {
    let directory = Directory::new();
    directory.file("www/a.txt", "a");
    directory.file("www/private/b.txt", "b");
    directory.file("www/in/old.txt", "old");
    directory.file("more/other/c.txt", "c");
    directory.file("users", "sha:{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY=\n");
    give(&directory.path().join("www/in"));
    let path = |name: &str| directory.path().join(name).display().to_string();
    let server = Server::spawn(with(
        &directory,
        &format!(
            "[handler:main/health]\nkind = health\nmatch = /-/healthz\n\
             [handler:main/status]\nkind = status\nmatch = /-/status\n\
             [handler:main/metrics]\nkind = metrics\nmatch = /-/metrics\n\
             [handler:main/moved]\nkind = redirect\nmatch = /old\nto = /new\nstatus = 308\n\
             [handler:main/away]\nkind = redirect\nmatch = /away\nto = https://example.org/x\n\
             [handler:main/off]\nkind = redirect\nmatch = /a.txt\nto = /nowhere\nenabled = off\n\
             [handler:main/inbox]\nkind = upload\ndirectory = in\nupload_max = 8\n\
             [handler:main/others]\nmatch = /other\nroot = {}\n\
             [handler:main/users]\nkind = auth\nmatch = /private\nauth_file = {}\nauth_realm = here\n",
            path("more"),
            path("users")
        ),
    ));
    let health = server.get("/-/healthz");
    assert_eq!((health.status, &health.body[..]), (200, &b"ok\n"[..]));
    assert_eq!(health.field("cache-control").as_deref(), Some("no-store"));
    assert_eq!(request(&server, "POST /-/healthz HTTP/1.1", "").status, 405);
    let moved = server.get("/old/x%20y?q=1");
    assert_eq!((moved.status, moved.field("location").as_deref()), (308, Some("/new/x%20y?q=1")));
    let away = server.get("/away");
    assert_eq!((away.status, away.field("location").as_deref()), (302, Some("https://example.org/x")));
    // The page says where, too.
    assert_eq!(moved.body, b"308 Permanent Redirect: /new/x%20y?q=1\n");
    let page = request(&server, "GET /away/?a&b HTTP/1.1\r\nAccept: text/html", "");
    let link = "<a href=\"https://example.org/x/?a&amp;b\">https://example.org/x/?a&amp;b</a>";
    assert!(String::from_utf8_lossy(&page.body).contains(link), "{page:?}");
    // What is made just now has no tag that could match.
    for target in ["/-/healthz", "/-/status", "/-/metrics"] {
        for (field, status) in [("If-Match: \"x\"", 412), ("If-Match: *", 200), ("If-None-Match: \"x\"", 200)]
        {
            let reply = request(&server, &format!("GET {target} HTTP/1.1\r\n{field}"), "");
            assert_eq!(reply.status, status, "{target} {field}");
        }
    }
    assert_eq!(server.get("/a.txt").body, b"a");
    assert_eq!(server.get("/other/c.txt").body, b"c");
    assert_eq!(server.get("/other/a.txt").status, 404);
    assert_eq!(server.get("/older").status, 404);
    assert_eq!(request(&server, "PUT /in/new.txt HTTP/1.1", "new").status, 201);
    assert_eq!(request(&server, "PUT /in/new.txt HTTP/1.1", "too large").status, 413);
    assert_eq!(server.get("/in/new.txt").body, b"new");
    let private = server.get("/private/b.txt");
    let asks = private.field("www-authenticate");
    assert_eq!((private.status, asks.as_deref()), (401, Some("Basic realm=\"here\", charset=\"UTF-8\"")));
    let let_in = "GET /private/b.txt HTTP/1.1\r\nAuthorization: Basic c2hhOnNoYQ==";
    assert_eq!(request(&server, let_in, "").body, b"b");
    assert_eq!(request(&server, "PUT /a.txt HTTP/1.1", "new").status, 405);
}

#[test]
fn what_contradicts_itself_is_refused() {
    let directory = Directory::new();
    directory.file("www/a.txt", "a");
    directory.file("www/users", "anna:x\n");
    let users = directory.path().join("www/users");
    for (handlers, part) in [
        ("[handler:main/s]\nkind = status\n".to_owned(), "match"),
        ("[handler:main/r]\nkind = redirect\nmatch = /a\nto = /a/b\n".to_owned(), "to"),
        ("[handler:main/files]\nkind = health\nmatch = /h\n".to_owned(), "another one of that name"),
        (
            format!("[handler:main/u]\nkind = auth\nauth_file = {}\n", users.display()),
            "lies in what is served",
        ),
        ("[handler:main/f]\nroot = /does/not/exist\nmatch = /f\n".to_owned(), "/does/not/exist: "),
    ] {
        let message = refusal(with(&directory, &handlers));
        assert!(message.contains(part), "{handlers}: {message}");
    }
}
