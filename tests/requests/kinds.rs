//! What is no plain file: FIFOs, sockets, devices, symbolic links, and files that may not be read.

use super::files::get;
use super::*;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn neither_file_nor_directory() {
    let (directory, server) = served();
    let path = directory.path();
    assert!(Command::new("mkfifo").arg(path.join("fifo")).status().unwrap().success());
    let _listener = std::os::unix::net::UnixListener::bind(path.join("socket")).unwrap();
    std::fs::create_dir(path.join("odd")).unwrap();
    assert!(Command::new("mkfifo").arg(path.join("odd/index.html")).status().unwrap().success());
    let start = Instant::now();
    for (target, status) in
        [("/fifo", 403), ("/socket", 403), ("/odd/", 200), ("/fifo/", 404), ("/socket/x", 404)]
    {
        for method in ["GET", "HEAD", "GET"] {
            check(&server, &get(method, target), status, Kept);
        }
    }
    assert!(start.elapsed() < Duration::from_secs(5), "one of them was waited for");
}

#[test]
fn what_may_not_be_read() {
    let (directory, server) = served();
    let file = directory.file("closed", "secret");
    let inner = directory.file("shut/inner", "secret");
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o000)).unwrap();
    std::fs::set_permissions(inner.parent().unwrap(), PermissionsExt::from_mode(0o000)).unwrap();
    // Root would read everything, but nobody serves.
    for target in ["/closed", "/shut/inner"] {
        check(&server, &get("GET", target), 403, Kept);
    }
    std::fs::set_permissions(inner.parent().unwrap(), PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    check(&server, &get("GET", "/closed"), 200, Kept);
}

#[test]
fn symbolic_links() {
    let (directory, server) = served();
    let outside = Directory::new();
    outside.file("secret", "secret");
    let path = directory.path();
    let links: [(&str, &str); 15] = [
        ("inside", "f"),
        ("inside-directory", "d"),
        ("d/up", "../f"),
        ("chain", "inside"),
        ("chained", "inside-directory/up"),
        ("dangling", "none"),
        ("loop", "loop"),
        ("ping", "pong"),
        ("pong", "ping"),
        ("absolute", "OUT/secret"),
        ("out-directory", "OUT"),
        ("root", "/"),
        ("parent", ".."),
        ("out-and-in", "../SELF/f"),
        ("proc", "/proc/self/root/etc/passwd"),
    ];
    let name = |path: &std::path::Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    for (link, target) in links {
        let target = target.replace("OUT", outside.path().to_str().unwrap()).replace("SELF", &name(path));
        symlink(target, path.join(link)).unwrap();
    }
    let never = Server::start(path, &["--http.main.symlinks=never"]);
    let every = Server::start(path, &["--http.main.symlinks=all"]);
    let secret = format!("/parent/{}/secret", name(outside.path()));
    let cases: [(&str, [u16; 3]); 21] = [
        ("/f", [200, 200, 200]),
        ("/inside", [200, 404, 200]),
        ("/inside-directory", [301, 404, 301]),
        ("/inside-directory/", [200, 404, 200]),
        ("/inside-directory/g.txt", [200, 404, 200]),
        ("/inside-directory/up", [200, 404, 200]),
        ("/d/up", [200, 404, 200]),
        ("/chain", [200, 404, 200]),
        ("/chained", [200, 404, 200]),
        ("/inside/", [404, 404, 404]),
        ("/inside/x", [404, 404, 404]),
        ("/dangling", [404, 404, 404]),
        ("/loop", [404, 404, 404]),
        ("/loop/x", [404, 404, 404]),
        ("/ping", [404, 404, 404]),
        ("/absolute", [404, 404, 200]),
        ("/out-directory/secret", [404, 404, 200]),
        ("/out-directory", [404, 404, 301]),
        ("/root/etc/passwd", [404, 404, 200]),
        (&secret, [404, 404, 200]),
        ("/out-and-in", [404, 404, 200]),
    ];
    all(
        &cases,
        |case| case.0.to_owned(),
        |(target, statuses)| {
            for (server, status) in [&server, &never, &every].into_iter().zip(statuses) {
                for _ in 0..2 {
                    check(server, &get("GET", target), *status, Kept);
                }
            }
        },
    );
    // The links of /proc lead past every wall.
    for server in [&server, &never] {
        check(server, &get("GET", "/proc"), 404, Kept);
    }
    // A way out looks like nothing at all.
    let (out, missing) = (server.get("/absolute"), server.get("/none"));
    assert_eq!((undated(&out), out.body), (undated(&missing), missing.body));
}

#[test]
fn a_link_that_is_turned_outwards() {
    let (directory, server) = served();
    let outside = Directory::new();
    outside.file("f", "secret");
    symlink("d", directory.path().join("link")).unwrap();
    check(&server, &get("GET", "/link/g.txt"), 200, Kept);
    std::fs::remove_file(directory.path().join("link")).unwrap();
    symlink(outside.path(), directory.path().join("link")).unwrap();
    check(&server, &get("GET", "/link/f"), 404, Kept);
    std::thread::sleep(Duration::from_millis(1100));
    check(&server, &get("GET", "/link/g.txt"), 404, Kept);
}

#[test]
fn a_single_file() {
    let directory = site();
    let server = Server::start(&directory.path().join("f"), &[]);
    for (target, status) in
        [("/", 200), ("/f", 200), ("/probe", 404), ("/d/g.txt", 404), ("/../probe", 400), ("/f/", 404)]
    {
        let reply = Reply::first(&server.talk(&get("GET", target)), false).0;
        sound(&reply);
        assert_eq!(reply.status, status, "{target}");
        assert!(status != 200 || reply.body == b"file\n");
    }
}
