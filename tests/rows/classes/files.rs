//! The classes about names, files and what is told of them.

use super::*;
use std::os::unix::fs::symlink;

/// A root with a secret beside it.
fn beside(arguments: &[&str]) -> (Directory, Server) {
    let directory = Directory::new();
    directory.file("root/f", "file\n");
    directory.file("root/d/g", "g\n");
    directory.file("secret", "secret");
    let server = Server::start(&directory.path().join("root"), arguments);
    (directory, server)
}

/// Deeper: `requests/lines.rs` paths, `sys/tests/beneath`, the fuzz target `path`.
#[test]
fn class_path_traversal() {
    for arguments in [&[][..], &["--http.main.symlinks=all"], &["--hidden"]] {
        let (_directory, server) = beside(arguments);
        for target in [
            "/../secret",
            "/d/../../secret",
            "/%2e%2e/secret",
            "/.%2E/secret",
            "/..%2fsecret",
            "/%2e%2e%2fsecret",
            "/..%5csecret",
            "/..\\secret",
            "/d/..\\..\\..\\secret",
            "/%5c..%5csecret",
            "/%252e%252e/secret",
            "/..%252fsecret",
            "/..;/secret",
            "/..%00/secret",
            "/%c0%ae%c0%ae/secret",
            "/%e0%80%ae./secret",
            "/.../secret",
            "/..%20/secret",
            "//../secret",
            "/./.././secret",
            "/d/%2e%2e/%2e%2e/secret",
            "//etc/passwd",
            "/%2fetc/passwd",
            "/f/../../secret",
            "/none/../../secret",
            "http://h/../secret",
        ] {
            let reply = server.get(target);
            assert!(matches!(reply.status, 400 | 404), "{target}: {}", reply.status);
            assert!(!String::from_utf8_lossy(&reply.body).contains("secret"), "{target}");
        }
    }
}

/// No path is made of it. Deeper: `requests/fields.rs` hosts.
#[test]
fn class_host_used_as_a_directory() {
    let (directory, server) = beside(&[]);
    directory.file("root/h.example/inner", "inner");
    for host in ["..", ".", "...", "d", "h.example", "root", "h.example:80", "%2e%2e", "..%2f.."] {
        let ask = |target: &str| {
            let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            Reply::first(&server.talk(text.as_bytes()), false).0
        };
        assert_eq!((ask("/f").status, ask("/f").body), (200, b"file\n".to_vec()), "{host}");
        for target in ["/secret", "/inner", "/g", "/root/f"] {
            assert_eq!(ask(target).status, 404, "{host} {target}");
        }
    }
    for host in ["", "/", "../", "/etc", "..\\", "h.example/"] {
        for target in ["/f", "/inner", "/secret", "/passwd"] {
            let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            assert_eq!(Reply::first(&server.talk(text.as_bytes()), false).0.status, 400, "{host} {target}");
        }
    }
}

/// A file that looks like a program, asked for in the ways that made others run it: it comes back as it is.
fn nothing_is_run(queries: &[&str]) {
    let site = Site::start(&[]);
    let script = "#!/bin/sh\ntouch ran; env\n";
    for name in ["cgi-bin/env", "env.cgi", "env.sh", "env.php"] {
        let file = site.directory.file(name, script);
        std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        for query in queries {
            let reply = site.get(&format!("/{name}{query}"), "Proxy: http://evil\r\nA_B: c", 200);
            assert_eq!(reply.body, script.as_bytes(), "{name}{query}");
        }
        site.body(&format!("POST /{name}"), "LD_PRELOAD=/proc/self/fd/0", 405, Kept);
        site.get(&format!("/{name}/more"), "", 404);
    }
    assert!(!site.directory.path().join("ran").exists());
    let id = site.server.child.id();
    assert_eq!(std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap(), "");
}

/// There is no CGI: see the module's comment.
#[test]
fn class_cgi_environment() {
    nothing_is_run(&["", "?LD_PRELOAD=/tmp/x.so", "?PATH=/tmp&HTTP_PROXY=evil"]);
}

/// There is no CGI: see the module's comment.
#[test]
fn class_cgi_shell() {
    nothing_is_run(&["?touch+ran", "?;touch%20ran", "?$(touch+ran)", "?`touch+ran`", "?|touch+ran"]);
}

/// Deeper: `access_log.rs` nothing_that_is_sent_ends_a_line_or_a_field.
#[test]
fn class_terminal_escapes_in_logs() {
    for form in ["common", "combined", "json"] {
        let aside = Directory::new();
        let log = aside.path().join("log");
        let form = format!("--http.main.access_log_format={form}");
        let site = Site::start(&["--access-log", log.to_str().unwrap(), &form]);
        for request in [
            &b"GET /\x1b[2J\x1b]0;title\x07 HTTP/1.1\r\nHost: h\r\n\r\n"[..],
            b"GET /\x9b2J\"\\ HTTP/1.1\r\nHost: h\r\nUser-Agent: \"\\\x9b2J\xff\r\nReferer: \xc2\x9b\r\n\r\n",
            b"\x1b[2J\r\n\r\n",
            b"GET /f HTTP/1.1\r\nHost: h\r\nUser-Agent: \x1b[2J\r\n\r\n",
            b"GET /%1b%5b2J%0a HTTP/1.1\r\nHost: h\r\nAuthorization: Basic GzpbMko=\r\n\r\n",
        ] {
            site.server.talk(request);
        }
        until("five lines", || std::fs::read(&log).is_ok_and(|all| all.split(|b| *b == b'\n').count() > 5));
        let text = String::from_utf8(std::fs::read(&log).unwrap()).unwrap();
        assert_eq!(text.lines().count(), 5, "{text}");
        assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "{}", text.escape_debug());
    }
}

/// Deeper: `access_log.rs`, `privileges.rs`. No argument takes a password; one cannot be shown by ps.
#[test]
fn class_log_and_secret_exposure() {
    let aside = Directory::new();
    let (log, root) = (aside.path().join("log"), Directory::new());
    root.file("f", "file\n");
    let file = users(&root, ".htpasswd", USERS);
    let mut command = Command::new("bash");
    command.args(["-c", "umask 0; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_gorgon"), "-l", "127.0.0.1:0"]);
    command.args(["--auth-file", &file, "--upload", ".", "--access-log"]).arg(&log).arg(root.path());
    let server = Server::spawn(command);
    let login = format!("{LOGIN}Proxy-{LOGIN}Cookie: c2hhOnNoYQ==\r\n");
    assert_eq!(once(&server, "GET /f", &login, b"").status, 200);
    // It lies in the root, hidden, and neither goes out nor is replaced. One that would is refused.
    assert_eq!(once(&server, "GET /.htpasswd", LOGIN, b"").status, 404);
    assert!(matches!(once(&server, "PUT /.htpasswd", LOGIN, b"x:y").status, 403 | 404));
    assert_eq!(once(&server, "GET /.htpasswd", "", b"").status, 401);
    let listing = once(&server, "GET /", LOGIN, b"");
    assert!(!String::from_utf8_lossy(&listing.body).contains("htpasswd"));
    let shown = users(&root, "users", USERS);
    for arguments in [&["--auth-file", &shown][..], &["--hidden", "--auth-file", &file]] {
        let mut command = common::gorgon();
        command.args(["-l", "127.0.0.1:0"]).args(arguments).arg(root.path());
        let said = common::refusal(command);
        assert!(said.contains("lies in what is served"), "{said}");
    }
    until("a line", || log.metadata().is_ok_and(|about| about.len() > 0));
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    // The one that is made in its place, too.
    std::fs::rename(&log, aside.path().join("old")).unwrap();
    server.signal("USR1");
    until("another log", || log.exists());
    assert_eq!(log.metadata().unwrap().permissions().mode() & 0o7777, 0o640);
    // Neither the password nor its hash is told to others.
    let told = |path: &str| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    let mut all = server.report.clone() + &told(aside.path().join("old").to_str().unwrap());
    for process in [server.child.id(), helper(&server)] {
        all += &told(&format!("/proc/{process}/cmdline"));
        all += &told(&format!("/proc/{process}/environ"));
    }
    assert!(all.contains(".htpasswd"));
    for secret in ["c2hhOnNoYQ", "2PRZAyDh", "$2y$12", "sha:sha"] {
        assert!(!all.contains(secret), "{secret}");
    }
}

/// Deeper: `requests/pages.rs`, `listing.rs` every_name_can_be_followed.
#[test]
fn class_cross_site_scripting() {
    let site = Site::start(&["--upload", "up"]);
    let mark = "<script>alert(1)</script>";
    for (line, fields) in [
        (format!("GET /{mark}"), String::new()),
        ("GET /%3Cscript%3Ealert(1)%3C/script%3E?\"><script>alert(1)</script>".to_owned(), String::new()),
        (format!("BREW /{mark}"), String::new()),
        ("GET /none".to_owned(), format!("Referer: {mark}\r\nUser-Agent: {mark}\r\nCookie: {mark}\r\n")),
        ("GET /f".to_owned(), format!("Expect: {mark}\r\n")),
        ("GET /f".to_owned(), format!("{mark}: x\r\n")),
        (format!("GET /d?{mark}"), String::new()),
        (format!("PUT /{mark}"), String::new()),
        (format!("PUT /up/none/{mark}"), String::new()),
    ] {
        for kind in ["text/html", "application/json", "text/plain"] {
            let reply = once(&site.server, &line, &format!("Accept: {kind}\r\n{fields}"), b"");
            assert!(reply.status >= 301, "{line}");
            has(&reply, &[("X-Content-Type-Options", "nosniff")]);
            // Nothing of the request is there but, encoded, where it is led.
            let page = String::from_utf8_lossy(&reply.body).into_owned();
            let led = reply.field("location").unwrap_or_default();
            assert!(led.is_empty() || (led.starts_with("/d/?") && !led.contains(['<', '>', '"', '\''])));
            assert!(!page.replace(&led, "").contains("alert"), "{line}");
            assert!(!page.contains("<script"), "{line}");
        }
    }
    std::fs::create_dir_all(site.directory.path().join("names")).unwrap();
    for name in
        ["<img src=x onerror=alert(1)>", "\"onload=\"alert(1)", "'x", "javascript:alert(1)", "&lt;b&gt;"]
    {
        site.directory.file(&format!("names/{name}"), "");
    }
    let reply = once(&site.server, "GET /names/?\"><script>alert(1)</script>", "Accept: text/html\r\n", b"");
    has(&reply, &[("X-Content-Type-Options", "nosniff")]);
    assert!(reply.field("content-security-policy").unwrap().starts_with("default-src 'none'"));
    let page = String::from_utf8_lossy(&reply.body);
    assert!(!page.contains("<img") && !page.contains("<script") && !page.contains("\"onload=\""), "{page}");
    for href in page.split("href=").skip(1) {
        assert!(href.starts_with("\"./") || href.starts_with("\"../") || href.starts_with("\"?"), "{href}");
    }
}

/// Deeper: `requests/files.rs` redirects_stay_here.
#[test]
fn class_response_splitting_and_open_redirects() {
    let site = Site::start(&["--upload", "up"]);
    for name in ["evil.example", "a\r\nX: y", "\\evil.example", "@evil.example", "http:/evil.example"] {
        std::fs::create_dir_all(site.directory.path().join(name)).unwrap();
    }
    for (target, location) in [
        ("//evil.example", "/evil.example/"),
        ("///evil.example", "/evil.example/"),
        ("/.//evil.example", "/evil.example/"),
        ("/d/..//evil.example", "/evil.example/"),
        ("http://x//evil.example", "/evil.example/"),
        ("/%5cevil.example", "/%5Cevil.example/"),
        ("/@evil.example", "/%40evil.example/"),
        ("/http://evil.example", "/http%3A/evil.example/"),
        ("/a%0d%0aX:%20y", "/a%0D%0AX%3A%20y/"),
        ("/evil.example?%0d%0aX:y", "/evil.example/?%0d%0aX:y"),
    ] {
        has(&site.get(target, "", 301), &[("Location", location), ("X", "-")]);
    }
    site.get("/%2fevil.example", "", 404);
    site.get("/%2f%2fevil.example/%2f..", "", 404);
    has(
        &site.body("PUT /up/b%0d%0aX:%20y", "x", 201, Kept),
        &[("Location", "/up/b%0D%0AX%3A%20y"), ("X", "-")],
    );
    // What a client sends comes back in one field alone, and cannot end it.
    site.ask("GET /evil.example?a\rb", "", 400, Closed);
}

/// No form is parsed. Deeper: `upload/main.rs` what_is_cut_leaves_nothing, a_full_disk.
#[test]
fn class_upload_handlers() {
    let site = Site::start(&["--upload", "up", "--http.main.upload_max=1K"]);
    let form =
        "--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../g\"\r\n\r\nhello\r\n--x--\r\n";
    let fields = "Content-Type: multipart/form-data; boundary=x\r\n";
    assert_eq!(once(&site.server, "POST /up/", fields, form.as_bytes()).status, 405);
    assert_eq!(once(&site.server, "PUT /up/form", fields, form.as_bytes()).status, 201);
    assert_eq!(site.get("/up/form", "", 200).body, form.as_bytes());
    // What is cut, too long or malformed leaves the old file, and nothing beside it.
    for body in ["3\r\nabc\r\n", "3\r\nab", "3\r\nabcde\r\n0\r\n\r\n", "3\r\nabc\r\nx"] {
        let head = "PUT /up/old HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
        site.server.talk(format!("{head}{body}").as_bytes());
    }
    site.chunked("PUT /up/old", format!("800\r\n{}\r\n0\r\n\r\n", "x".repeat(0x800)), 413, Closed);
    site.body("PUT /up/new", vec![b'x'; 1025], 413, Kept);
    let mut stream = site.server.connect();
    stream.write_all(b"PUT /up/old HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
    until("a draft", || site.uploads().len() == 3);
    drop(stream);
    until("no draft", || site.uploads() == ["form", "old"]);
    assert_eq!(site.get("/up/old", "", 200).body, b"old");
}

/// Beyond `choice_39_fifo_device_and_socket` and `choice_40_symbolic_links_out_of_the_root`: what changes while it is
/// opened. Deeper: `sys/tests/beneath/race.rs`, `requests/kinds.rs`.
#[test]
fn class_unix_specials() {
    let (directory, server) = beside(&["--http.main.file_cache=0"]);
    let root = directory.path().join("root");
    let turning = std::sync::atomic::AtomicBool::new(true);
    std::fs::create_dir(directory.path().join("out")).unwrap();
    std::fs::write(directory.path().join("out/g"), "secret").unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let targets = ["d", "../out", "/dev", "none", "turned"];
            for target in targets.iter().cycle() {
                if !turning.load(std::sync::atomic::Ordering::Relaxed) {
                    break;
                }
                symlink(target, root.join("new")).unwrap();
                std::fs::rename(root.join("new"), root.join("turned")).unwrap();
            }
        });
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(300) {
            for target in ["/turned/g", "/turned/../turned/g", "/turned/null"] {
                let reply = server.get(target);
                assert!(matches!(reply.status, 200 | 404), "{target} {}", reply.status);
                assert!(reply.status == 404 || reply.body == b"g\n", "{target}");
            }
        }
        turning.store(false, std::sync::atomic::Ordering::Relaxed);
    });
    // Where links may lead anywhere, they lead to files.
    let server = Server::start(&root, &["--http.main.symlinks=all"]);
    for (name, target) in [("null", "/dev/null"), ("zero", "/dev/zero"), ("tty", "/dev/tty")] {
        symlink(target, root.join(name)).unwrap();
        assert_eq!(server.get(&format!("/{name}")).status, 403, "{name}");
    }
    assert_eq!(server.get("/f").status, 200);
}
