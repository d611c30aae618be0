//! What a supervisor of services gives the program and wants of it: sockets, a place to tell how it is, a watchdog, a file
//! with its number.
#![cfg(feature = "http")]
#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Directory, PATIENCE, Reply, Server, finish, free_port, gorgon, refusal};
use std::io::{Read, Write};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Makes what is asked for, from descriptor 3 on, and becomes the program, as systemd does.
const PASS: &str = r#"
import os, socket, sys
made = []
for kind, name, address in (one.split("=", 2) for one in sys.argv[1].split(",")):
    if kind == "pipe":
        made.append((name, os.pipe()[0]))
        continue
    unix = kind == "unix"
    family = socket.AF_UNIX if unix else socket.AF_INET
    kept = socket.socket(family, socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM)
    kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    kept.bind(address if unix else ("127.0.0.1", int(address)))
    if kind in ("tcp", "unix"):
        kept.listen(16)
    made.append((name, kept.detach()))
for place, (_, number) in enumerate(made):
    os.dup2(number, 50 + place)
os.closerange(3, 50)
for place in range(len(made)):
    os.dup2(50 + place, 3 + place)
os.closerange(50, 100)
os.environ["LISTEN_FDS"] = str(len(made))
os.environ["LISTEN_FDNAMES"] = ":".join(name for name, _ in made)
os.execvp("sh", ["sh", "-c", 'LISTEN_PID=${LISTEN_PID:-$$} exec "$0" "$@"', *sys.argv[2:]])
"#;

/// The program with sockets that are passed, each `KIND=NAME=ADDRESS`.
fn passing(directory: &Directory, sockets: &str, arguments: &[&str]) -> Command {
    let mut command = pass(sockets, arguments);
    command.arg(directory.path().join("site"));
    command
}

fn pass(sockets: &str, arguments: &[&str]) -> Command {
    let path = std::env::var_os("PATH").unwrap();
    let mut command = Command::new("python3");
    command.env_clear().env("PATH", path).args(["-c", PASS, sockets, env!("CARGO_BIN_EXE_gorgon")]);
    command.args(arguments);
    command
}

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("site/a.txt", "a file");
    directory
}

fn get_unix(path: &Path) -> Reply {
    let mut stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    Reply::first(&all, false).0
}

/// Waits until something is so.
fn wait_for(what: &str, is_so: &mut dyn FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn end(server: &mut Server) {
    server.signal("TERM");
    wait_for("it ends", &mut || !server.runs());
}

#[test]
fn sockets_are_taken_by_name() {
    let directory = site();
    let path = directory.path().join("passed.sock");
    let sockets = format!("tcp=web=0,unix=local={}", path.display());
    let mut server = Server::spawn(passing(&directory, &sockets, &["-l", "fd:local", "-l", "fd:web"]));
    assert_eq!(server.get("/a.txt").body, b"a file");
    assert_eq!(get_unix(&path).body, b"a file");
    end(&mut server);
    assert!(path.exists(), "it belongs to whoever made it");
}

#[test]
fn sockets_are_taken_by_address() {
    let directory = site();
    let path = directory.path().join("passed.sock");
    let unix = format!("unix:{}", path.display());
    let port = free_port();
    let sockets = format!("tcp=unknown={port},unix=unknown={}", path.display());
    let address = format!("localhost:{port}");
    let arguments = ["-l", &address, "-l", &unix, "-l", "127.0.0.1:0"];
    let server = Server::spawn(passing(&directory, &sockets, &arguments));
    assert_eq!(server.address.port(), port);
    assert_eq!(server.get("/a.txt").body, b"a file");
    assert_eq!(get_unix(&path).body, b"a file");
    assert_eq!(server.report.matches("  http://").count(), 2, "{}", server.report);
}

/// A monitor takes what is passed for it.
#[cfg(feature = "monitor")]
#[test]
fn a_monitor_takes_its_socket() {
    let directory = site();
    let (place, path) = (directory.path().display(), directory.path().join("monitor.sock"));
    let text =
        format!("[http:main]\nlisten = fd:web\nroot = {place}/site\n[monitor:main]\nlisten = fd:control\n");
    let file = directory.file("gorgon.conf", text);
    let sockets = format!("unix=control={},tcp=web=0", path.display());
    let mut server = Server::spawn(pass(&sockets, &["run", "-c", file.to_str().unwrap()]));
    assert_eq!(server.get("/a.txt").body, b"a file");
    let mut stream = UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"ls /http\nquit\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text, "/http/main\nok\nok\n");
    end(&mut server);
    assert!(path.exists(), "it belongs to whoever made it");
}

#[test]
fn what_does_not_fit_is_refused() {
    let directory = site();
    for (sockets, arguments, expected) in [
        ("tcp=web=0,tcp=b=0", ["-l", "fd:web"], "descriptor 4 (b, 127.0.0.1:"),
        ("tcp=web=0", ["-l", "fd:b"], "listen=fd:b: no socket of that name was passed; there is web"),
        ("udp=web=0", ["-l", "fd:web"], "descriptor 3 (web): expected a socket of streams"),
        ("mute=web=0", ["-l", "fd:web"], "descriptor 3 (web): expected a socket that listens"),
        ("pipe=web=0", ["-l", "fd:web"], "descriptor 3 (web): expected a socket"),
    ] {
        let line = refusal(passing(&directory, sockets, &arguments));
        assert!(line.starts_with(expected), "{line}");
    }
}

#[test]
fn what_is_meant_for_another_is_left_alone() {
    let directory = site();
    let mut command = passing(&directory, "tcp=web=0", &["-l", "127.0.0.1:0"]);
    command.env("LISTEN_PID", "1");
    let server = Server::spawn(command);
    assert_eq!(server.get("/a.txt").body, b"a file");
}

/// A manager, and the program that is told where it is.
fn told(directory: &Directory, arguments: &[&str]) -> (UnixDatagram, Command) {
    let path = directory.path().join("notify");
    let manager = UnixDatagram::bind(&path).unwrap();
    manager.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut command = gorgon();
    command.env("NOTIFY_SOCKET", path).args(["-l", "127.0.0.1:0"]).args(arguments);
    command.arg(directory.path().join("site"));
    (manager, command)
}

fn receive(manager: &UnixDatagram) -> String {
    let mut text = [0; 1000];
    let count = manager.recv(&mut text).unwrap();
    String::from_utf8(text[..count].to_vec()).unwrap()
}

/// Also after it has become another user and is kept from all files but those it serves.
#[test]
fn a_manager_is_told() {
    let directory = site();
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let place = directory.path().join("site").display().to_string();
    let inside = ["--chroot", place.as_str()];
    for arguments in [[].as_slice(), if root { &inside } else { &[] }] {
        let (manager, command) = told(&directory, arguments);
        let mut server = Server::spawn(command);
        let text = receive(&manager);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["READY=1", &format!("MAINPID={}", server.child.id())]);
        assert!(lines[2].starts_with("STATUS=Serving /"), "{text}");
        end(&mut server);
        assert!(receive(&manager).starts_with("STOPPING=1"));
        std::fs::remove_file(directory.path().join("notify")).unwrap();
    }
}

/// Whether the new file is right or wrong, it serves again afterwards; and whoever asks for it, by a signal or by the
/// monitor. What is served is said, of all servers.
#[test]
fn a_reload_is_told() {
    let directory = site();
    let (manager, _) = told(&directory, &[]);
    let place = directory.path().display();
    let text = format!(
        "[http:main]\nlisten = 127.0.0.1:0\nroot = {place}/site\n[monitor:main]\nlisten = unix:{place}/monitor.sock mode=666\n"
    );
    let file = directory.file("gorgon.conf", &text);
    let mut command = gorgon();
    command.env("NOTIFY_SOCKET", directory.path().join("notify")).arg("run").arg("-c").arg(&file);
    let server = Server::spawn(command);
    let serving = format!("Serving {place}/site on {}", server.address);
    let ready = receive(&manager);
    assert!(ready.starts_with("READY=1\n") && ready.ends_with(&format!("\nSTATUS={serving}")), "{ready}");
    let two = format!("[http:two]\nroot={place}\nlisten=unix:{place}/two.sock\n");
    let both = format!("{serving}; {place} on unix:{place}/two.sock");
    let failed = "Serving as before; the last reload failed".to_owned();
    for by_monitor in [false, true] {
        for (more, status) in [("", &serving), ("x = y\n", &failed), (&*two, &both), ("", &serving)] {
            std::fs::write(&file, format!("{text}{more}")).unwrap();
            if by_monitor {
                ask(&directory, "call /config reload");
            } else {
                server.signal("HUP");
            }
            let reloading = receive(&manager);
            assert!(reloading.starts_with("RELOADING=1\nMONOTONIC_USEC="), "{reloading}");
            let ready = receive(&manager);
            assert!(
                ready.starts_with("READY=1\n") && ready.ends_with(&format!("\nSTATUS={status}")),
                "{ready}"
            );
            assert_eq!(server.get("/a.txt").body, b"a file");
        }
    }
    // What the monitor changes is told as well, where that is something else.
    ask(&directory, "set /http/main write_buffer=1K");
    ask(&directory, &format!("call /config add /http/two root={place} listen=unix:{place}/two.sock"));
    assert_eq!(receive(&manager), format!("STATUS={both}"));
    ask(&directory, "call /process quit");
    assert!(receive(&manager).starts_with("STOPPING=1\n"));
}

/// Asks the monitor something, and waits for its answer or its end.
fn ask(directory: &Directory, line: &str) {
    let mut monitor = UnixStream::connect(directory.path().join("monitor.sock")).unwrap();
    monitor.set_read_timeout(Some(PATIENCE)).unwrap();
    monitor.write_all(format!("{line}\n").as_bytes()).unwrap();
    let _answer = monitor.read(&mut [0; 1000]).unwrap();
}

#[test]
fn a_watchdog_is_fed_though_nothing_happens() {
    let directory = site();
    let (manager, mut command) = told(&directory, &[]);
    command.env("WATCHDOG_USEC", "50000");
    let _server = Server::spawn(command);
    let mut fed = 0;
    while fed < 5 {
        fed += u32::from(receive(&manager) == "WATCHDOG=1");
    }
}

#[test]
fn a_descriptor_gets_one_line_feed() {
    let directory = site();
    let path = directory.file("ready", "");
    let script = r#"exec 7>"$READY"; exec "$0" "$@""#;
    let mut command = Command::new("sh");
    command.env_clear().env("READY", &path).args(["-c", script, env!("CARGO_BIN_EXE_gorgon")]);
    command.args(["--gorgon.notify_fd=7", "-l", "127.0.0.1:0"]).arg(directory.path().join("site"));
    let server = Server::spawn(command);
    wait_for("the line feed", &mut || std::fs::read(&path).unwrap() == b"\n");
    assert_eq!(server.get("/a.txt").body, b"a file");

    let mut command = gorgon();
    command.args(["--gorgon.notify_fd=7", "-l", "127.0.0.1:0"]).arg(directory.path().join("site"));
    let line = refusal(command);
    assert!(line.starts_with("--gorgon.notify_fd=7: Bad file descriptor; "), "{line}");
}

#[test]
fn a_file_holds_the_number() {
    let directory = site();
    let path = directory.file("gorgon.pid", "1\n");
    let argument = format!("--gorgon.pid_file={}", path.display());
    let mut server = Server::start(&directory.path().join("site"), &[&argument]);
    let number = format!("{}\n", server.child.id());
    wait_for("the number", &mut || std::fs::read_to_string(&path).unwrap() == number);

    let mut second = gorgon();
    second.args(["-l", "127.0.0.1:0", &argument]).arg(directory.path().join("site"));
    let line = refusal(second);
    assert!(line.ends_with(&format!("process {} runs with it", server.child.id())), "{line}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), number);

    end(&mut server);
    // One who has become another user may remove it from a directory that anybody may write to.
    assert!(!path.exists());

    let mut foreign = gorgon();
    let other = format!("--gorgon.pid_file={}", directory.path().join("site/a.txt").display());
    foreign.args(["-l", "127.0.0.1:0", &other]).arg(directory.path().join("site"));
    assert!(refusal(foreign).ends_with("it is there, and is no file of a process's number"));
}

/// An address for documentation (RFC 5737), which no host has.
#[cfg(target_os = "linux")]
#[test]
fn an_address_that_is_not_there_yet_is_bound() {
    let directory = site();
    let mut command = gorgon();
    command.args(["-l", "127.0.0.1:0", "-l", "192.0.2.1:0"]).arg(directory.path().join("site"));
    assert!(refusal(command).contains("192.0.2.1:0"));
    let server =
        Server::start(&directory.path().join("site"), &["-l", "192.0.2.1:0", "--gorgon.listen_retry=on"]);
    assert!(server.report.contains("  http://192.0.2.1:"), "{}", server.report);
    assert_eq!(server.get("/a.txt").body, b"a file");
}

#[test]
fn the_environment_is_checked() {
    let directory = site();
    let mut command = passing(&directory, "tcp=web=0", &["-l", "fd:web"]);
    command.env("LISTEN_PID", "nobody");
    assert_eq!(refusal(command), "LISTEN_PID=nobody: expected the number of a process");
    // A manager that cannot be reached is no reason not to serve.
    let mut command = gorgon();
    command.env("NOTIFY_SOCKET", "/no/such/socket").args(["-l", "127.0.0.1:0", "/no/such/site"]);
    let output = finish(command);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("gorgon: warning: NOTIFY_SOCKET=/no/such/socket: "), "{said}");
}
