//! How the program starts: what it listens on, what it serves, what it says when it cannot.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Reply, Server, finish, gorgon, refusal};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

fn with(arguments: &[&str]) -> Command {
    let mut command = gorgon();
    command.args(arguments);
    command
}

/// The addresses in the URLs of a report.
fn addresses(server: &Server) -> Vec<std::net::SocketAddr> {
    let urls = server.report.lines().filter_map(|line| line.trim().strip_prefix("http://"));
    urls.map(|url| url.strip_suffix('/').unwrap().parse().unwrap()).collect()
}

fn get_from(stream: &mut (impl Read + Write), target: &str) -> Reply {
    let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    Reply::first(&all, false).0
}

fn get_unix(path: &Path, target: &str) -> Reply {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    get_from(&mut stream, target)
}

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("a.txt", "a file");
    directory
}

/// Starts with these arguments before the directory, and the first URL it prints works.
fn listening(directory: &Directory, arguments: &[&str]) -> Server {
    let mut command = with(arguments);
    command.arg(directory.path());
    let server = Server::spawn(command);
    assert_eq!(server.get("/a.txt").body, b"a file");
    server
}

/// A host need not have IPv6.
fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").is_ok()
}

#[test]
fn says_what_it_serves_and_where() {
    let directory = site();
    let server = Server::start(directory.path(), &[]);
    let report = &server.report;
    assert!(report.starts_with(&format!("Serving {}\n", directory.path().display())), "{report}");
    assert!(report.contains(&format!("  {}\n", server.url("/"))), "{report}");
    assert!(report.contains("; poller: "), "{report}");
    assert_eq!(server.get("/a.txt").body, b"a file");
}

#[test]
fn listens_on_every_address() {
    let directory = site();
    for form in [":0", "0", "*:0", "http://:0"] {
        let server = listening(&directory, &["-l", form]);
        let addresses = addresses(&server);
        let port = addresses[0].port();
        assert_ne!(port, 0);
        assert!(addresses.iter().all(|address| address.port() == port), "{addresses:?}");
        assert!(addresses.contains(&format!("127.0.0.1:{port}").parse().unwrap()), "{addresses:?}");
        if has_ipv6() {
            assert!(addresses.contains(&format!("[::1]:{port}").parse().unwrap()), "{addresses:?}");
        }
        for address in addresses {
            // An address of an interface may be one that cannot be reached from here.
            if address.ip().is_loopback() {
                assert_eq!(get_from(&mut TcpStream::connect(address).unwrap(), "/a.txt").status, 200);
            }
        }
    }
}

#[test]
fn listens_on_the_loopback_addresses() {
    let directory = site();
    let server = listening(&directory, &["--listen=localhost:0"]);
    let both = addresses(&server);
    assert_eq!(both.len(), if has_ipv6() { 2 } else { 1 }, "{both:?}");
    for address in both {
        assert!(address.ip().is_loopback());
        assert_eq!(get_from(&mut TcpStream::connect(address).unwrap(), "/a.txt").status, 200);
    }
    if has_ipv6() {
        let server = listening(&directory, &["-l[::1]:0"]);
        assert!(server.address.is_ipv6());
        let (port, v4) = (server.address.port(), "127.0.0.1");
        assert!(TcpStream::connect((v4, port)).is_err(), "[::1] is not IPv4 too");
    }
}

#[test]
fn listens_on_several_addresses() {
    let directory = site();
    let path = directory.path().join("socket");
    let unix = format!("unix:{}", path.display());
    let server = listening(&directory, &["-l", "127.0.0.1:0", "-l", &unix, "-l", "127.0.0.1:0"]);
    let tcp = addresses(&server);
    assert_eq!(tcp.len(), 2);
    assert_ne!(tcp[0], tcp[1]);
    assert!(server.report.contains(&format!("  {unix}\n")), "{}", server.report);
    assert_eq!(get_from(&mut TcpStream::connect(tcp[1]).unwrap(), "/a.txt").status, 200);
    assert_eq!(get_unix(&path, "/a.txt").body, b"a file");
    assert_eq!(get_unix(&path, "/none").status, 404);
    // The socket lies in the directory, and is nothing to be served.
    assert_ne!(server.get("/socket").status, 200);
}

#[test]
fn listens_on_a_comma_list() {
    let directory = site();
    let server = listening(&directory, &["--http.main.listen=127.0.0.1:0,127.0.0.1:0"]);
    assert_eq!(addresses(&server).len(), 2);
}

#[test]
fn a_unix_socket_is_taken_over_only_from_the_dead() {
    let directory = site();
    let path = directory.path().join("socket");
    let unix = format!("unix:{}", path.display());
    let arguments = ["-l", "127.0.0.1:0", "-l", &unix];

    // Left behind by a process that is gone.
    drop(UnixListener::bind(&path).unwrap());
    assert!(path.exists());
    let mut server = listening(&directory, &arguments);
    assert_eq!(get_unix(&path, "/a.txt").status, 200);

    // Somebody listens.
    let mut command = with(&arguments);
    command.arg(directory.path());
    let line = refusal(command);
    assert!(line.contains(&unix) && line.contains("in use"), "{line}");
    assert_eq!(get_unix(&path, "/a.txt").status, 200, "the refused one has not removed it");

    // Removed with its server.
    server.signal("TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    assert!(!path.exists());

    // Something else lies there.
    directory.file("socket", "precious");
    let mut command = with(&arguments);
    command.arg(directory.path());
    assert!(refusal(command).contains(&unix));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");

    let line = refusal(with(&["-l", "unix:/no/such/directory/socket", "/"]));
    assert!(line.contains("unix:/no/such/directory/socket"), "{line}");
}

#[test]
fn a_unix_socket_goes_when_another_listener_is_refused() {
    let directory = site();
    let path = directory.path().join("socket");
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut command = with(&["-l", &format!("unix:{}", path.display())]);
    command.args(["-l", &busy.local_addr().unwrap().to_string()]).arg(directory.path());
    refusal(command);
    assert!(!path.exists());
}

#[test]
fn serves_one_file() {
    let directory = Directory::new();
    directory.file("other.txt", "other");
    let file = directory.file("page one.html", "<p>one");
    let server = Server::start(&file, &[]);
    for target in ["/", "/page%20one.html", "/?query", "//page%20one.html"] {
        let reply = server.get(target);
        if reply.status == 301 {
            continue;
        }
        assert_eq!((reply.status, &reply.body[..]), (200, &b"<p>one"[..]), "{target}");
        assert!(reply.field("content-type").unwrap().starts_with("text/html"), "{target}");
    }
    for target in ["/other.txt", "/page", "/page%20one.html/", "/page%20one.html/x", "/x/", "/../other.txt"] {
        let status = server.get(target).status;
        assert!(status == 404 || status == 400, "{target}: {status}");
    }
    // Replaced as editors and deployments do it.
    let new = directory.file("new", "<p>two, and longer");
    std::fs::rename(new, &file).unwrap();
    let begun = Instant::now();
    while server.get("/").body != b"<p>two, and longer" {
        assert!(begun.elapsed() < PATIENCE, "the new file is not seen");
        std::thread::sleep(Duration::from_millis(50));
    }
    std::fs::remove_file(&file).unwrap();
    while server.get("/").status != 404 {
        assert!(begun.elapsed() < PATIENCE, "the file is still served");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn serves_a_hidden_file_that_was_named() {
    let directory = Directory::new();
    let file = directory.file(".profile", "x");
    let server = Server::start(&file, &[]);
    assert_eq!(server.get("/.profile").status, 200);
    assert_eq!(server.get("/").body, b"x");
}

#[test]
fn serves_the_current_directory_by_default() {
    let directory = site();
    let mut command = with(&["-l", "127.0.0.1:0"]);
    command.current_dir(directory.path());
    assert_eq!(Server::spawn(command).get("/a.txt").body, b"a file");
    let mut command = with(&["-l", "127.0.0.1:0", "a.txt"]);
    command.current_dir(directory.path());
    assert_eq!(Server::spawn(command).get("/").body, b"a file");
}

#[test]
fn names_the_busy_port() {
    let directory = site();
    let busy = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = busy.local_addr().unwrap().port();
    for form in [format!("127.0.0.1:{port}"), format!(":{port}"), format!("localhost:{port}")] {
        let mut command = with(&["-l", &form]);
        command.arg(directory.path());
        let line = refusal(command);
        assert!(line.contains(&format!(":{port}")) && line.contains("in use"), "{line}");
    }
    // 192.0.2.0/24 is nobody's (RFC 5737).
    let line = refusal(with(&["-l", "192.0.2.1:0", "/"]));
    assert!(line.contains("192.0.2.1:0"), "{line}");
}

#[test]
fn names_what_cannot_be_served() {
    let directory = site();
    let missing = directory.path().join("missing");
    let fifo = directory.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let socket = directory.path().join("socket");
    let _listener = UnixListener::bind(&socket).unwrap();
    let below = directory.path().join("a.txt/x");
    for target in [&*missing, &*fifo, &*socket, &*below, Path::new("/dev/null")] {
        let mut command = with(&["-l", "127.0.0.1:0"]);
        command.arg(target);
        let line = refusal(command);
        assert!(line.contains(target.to_str().unwrap()), "{line}");
    }
}

#[test]
fn names_a_directory_that_it_may_not_read() {
    use std::os::unix::fs::PermissionsExt;
    let directory = site();
    let closed = directory.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read_dir(&closed).is_ok() {
        // Root may read everything: somebody else tries, who must get as far as there.
        let program = directory.path().join("gorgon");
        // By another process: what a test beside this one starts meanwhile would hold a copy of ours open for writing.
        let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_gorgon")).arg(&program).status().unwrap();
        assert!(copied.success());
        std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(program);
        command.args(["-l", "127.0.0.1:0"]).arg(&closed).env_remove("GORGON_CONF");
        let line = refusal(command);
        assert!(line.contains("closed") && line.contains("ermission"), "{line}");
    } else {
        let mut command = with(&["-l", "127.0.0.1:0"]);
        command.arg(&closed);
        let line = refusal(command);
        assert!(line.contains("closed") && line.contains("ermission"), "{line}");
    }
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn names_the_wrong_word() {
    for (arguments, word) in [
        (&["--nonsense"][..], "--nonsense"),
        (&["-x"], "-x"),
        (&["--liste", "x"], "--listen"),
        (&["-l"], "-l"),
        (&["-l", "example.org:80"], "example.org:80"),
        (&["-l", "127.0.0.1:99999"], "127.0.0.1:99999"),
        (&["--http.main.idle_timeout=soon"], "soon"),
        (&["--http.main.nonsense=1"], "nonsense"),
        (&["--http.other.root=/"], "--http.other.root"),
        (&["--http.main.read_buffer=5000"], "5000"),
        (&["--http.main.symlinks=perhaps"], "perhaps"),
        (&["--gorgon.poller=guess"], "guess"),
        (&["--gorgon.poller=kqueue", "-l", "127.0.0.1:0", "/"], "kqueue"),
        (&["--http.main.types_file=/no/such/types", "-l", "127.0.0.1:0", "/"], "/no/such/types"),
        (&["--http.main.types_file=/", "-l", "127.0.0.1:0", "/"], "/"),
        (&["one", "two"], "two"),
        (&["upgrade"], "upgrade"),
    ] {
        let line = refusal(with(arguments));
        assert!(line.contains(word), "{arguments:?}: {line}");
    }
    // All that is wrong is said at once.
    let output = finish(with(&["--one", "--two", "-l", "x"]));
    let error = String::from_utf8(output.stderr).unwrap();
    for word in ["--one", "--two", "-l x"] {
        assert!(error.contains(word), "{word}: {error}");
    }
}

#[test]
fn helps() {
    for arguments in [["-h"], ["--help"]] {
        let output = finish(with(&arguments));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stderr.is_empty());
        for word in ["Usage: gorgon", "--listen", "idle_timeout", "--version"] {
            assert!(text.contains(word), "{word}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
    for arguments in [["-V"], ["--version"]] {
        let output = finish(with(&arguments));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text.starts_with(&format!("gorgon {}\n", env!("CARGO_PKG_VERSION"))), "{text}");
        assert!(text.contains("features: +http") && text.contains("poll select"), "{text}");
    }
}

#[test]
fn output_that_nobody_takes_does_no_harm() {
    for argument in ["--help", "--version"] {
        for redirection in [">&-", ">/dev/full", "<&- >&- 2>&-", "| true"] {
            let mut command = Command::new("sh");
            let program = env!("CARGO_BIN_EXE_gorgon");
            command.args(["-c", &format!("'{program}' {argument} {redirection}")]);
            let output = finish(command);
            let full = "gorgon: standard output: No space left on device\n";
            let said = if redirection == ">/dev/full" { full } else { "" };
            assert_eq!(String::from_utf8_lossy(&output.stderr), said, "{argument} {redirection}");
            assert!(matches!(output.status.code(), Some(0 | 1)), "{argument} {redirection}: {output:?}");
        }
    }
    // A server whose report cannot be written serves all the same.
    let directory = site();
    let path = directory.path().join("socket");
    let mut command = gorgon();
    command.arg(directory.path()).arg("-l").arg(format!("unix:{}", path.display()));
    command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    let mut child = command.spawn().unwrap();
    await_socket(&path);
    assert_eq!(get_unix(&path, "/a.txt").status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

fn await_socket(path: &Path) {
    let begun = Instant::now();
    while UnixStream::connect(path).is_err() {
        assert!(begun.elapsed() < PATIENCE, "{} is not listened on", path.display());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn closed_standard_descriptors_are_not_reused() {
    let directory = site();
    let path = directory.path().join("socket");
    let mut command = Command::new("sh");
    command.args(["-c", "exec \"$0\" \"$@\" <&- >&- 2>&-", env!("CARGO_BIN_EXE_gorgon")]);
    command.arg(directory.path()).arg("-l").arg(format!("unix:{}", path.display()));
    let mut child = command.spawn().unwrap();
    await_socket(&path);
    for number in 0..3 {
        let link = std::fs::read_link(format!("/proc/{}/fd/{number}", child.id()));
        assert_eq!(link.unwrap(), Path::new("/dev/null"), "descriptor {number}");
    }
    assert_eq!(get_unix(&path, "/a.txt").status, 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn every_poller_serves() {
    let directory = site();
    directory.file("big", vec![7; 3_000_000]);
    for poller in ["auto", "epoll", "poll", "select"] {
        let server = Server::start(directory.path(), &[&format!("--gorgon.poller={poller}")]);
        assert!(
            poller == "auto" || server.report.contains(&format!("poller: {poller}\n")),
            "{}",
            server.report
        );
        assert_eq!(server.get("/a.txt").body, b"a file", "{poller}");
        assert_eq!(server.get("/big").body.len(), 3_000_000, "{poller}");
    }
}

#[test]
fn reads_the_environment() {
    let directory = site();
    let mut command = gorgon();
    command.env("GORGON_HTTP_MAIN_LISTEN", "127.0.0.1:0").env("GORGON_POLLER", "poll");
    command.env("GORGON_HTTP_MAIN_ROOT", directory.path());
    let server = Server::spawn(command);
    assert!(server.report.contains("poller: poll\n"));
    assert_eq!(server.get("/a.txt").body, b"a file");

    let mut command = with(&["-l", "127.0.0.1:0", "--gorgon.poller=select"]);
    command.arg(directory.path()).env("GORGON_POLLER", "poll").env("GORGON_HTTP_MAIN_ROOT", "/no/such");
    let server = Server::spawn(command);
    assert!(server.report.contains("poller: select\n"), "a flag goes before the environment");
    assert_eq!(server.get("/a.txt").body, b"a file");

    let mut command = gorgon();
    command.env("GORGON_HTTP_MAIN_HEAD_MAX", "many");
    let line = refusal(command);
    assert!(line.contains("GORGON_HTTP_MAIN_HEAD_MAX=many"), "{line}");
}

#[test]
fn what_lies_at_a_socket_that_is_not_its_own_stays() {
    let directory = Directory::new();
    let path = directory.path().join("socket");
    let start = || {
        let mut command = gorgon();
        command
            .arg(directory.path())
            .args(["-l", "127.0.0.1:0", "-l"])
            .arg(format!("unix:{}", path.display()));
        Server::spawn(command)
    };
    let mut first = start();
    std::fs::remove_file(&path).unwrap();
    let second = start();
    first.signal("TERM");
    first.child.wait().unwrap();
    assert_eq!(get_unix(&path, "/").status, 200, "the successor's socket is there");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "mine").unwrap();
    let mut second = second;
    second.signal("TERM");
    second.child.wait().unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"mine");
}
