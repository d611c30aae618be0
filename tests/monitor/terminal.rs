//! The clients on a terminal, and a program that asks for a password on one.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::free_port;
use crate::host::{Host, site};
use crate::passwords::by_tcp;

/// Runs the program on a terminal of 100 columns and 30 rows, as `tests/client/pty.py` has it; gives how it ended,
/// whether the terminal is as it was, and what was written. Needs python3, without which nothing is tested.
fn on_terminal(home: &Path, args: &[&str], steps: &str) -> Option<(i32, bool, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client/pty.py");
    let child = Command::new("python3")
        .arg(script)
        .args(["100", "30", env!("CARGO_BIN_EXE_gorgon")])
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", "xterm")
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    child.stdin.take().unwrap().write_all(steps.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    let ended = value("ended: ").parse().unwrap();
    Some((ended, value("terminal: ") == "as it was", value("written: ")))
}

#[test]
fn a_person_looks_and_changes() {
    let host = Host::with("", "");
    let socket = host.socket();
    let socket = socket.to_str().unwrap();
    let steps = "\
expect > \n\
send get /ht\\t/ma\\t wri\\t\\r\n\
expect 16K\n\
expect > \n\
send sett\\x7f /http/main write_bufX\\x7ffer=64K\\r\n\
expect > \n\
send get /http/main write_buffer\\r\n\
expect 64K\n\
expect > \n\
send \\x1b[A\\x1b[A\\x15nonsense\\r\n\
expect no verb is named nonsense\n\
expect > \n\
send watch /loop turns\\r\n\
expect   turns  \n\
send \\x03\n\
expect > \n\
send \\x04\n";
    let Some((code, restored, text)) = on_terminal(host.directory.path(), &["monitor", socket], steps) else {
        return;
    };
    assert_eq!((code, restored), (0, true), "{text}");
    assert_eq!(host.session().value("/http/main.write_buffer"), "64K");
    let (code, restored, text) =
        on_terminal(host.directory.path(), &["monitor", socket], "expect > \nsignal SIGTERM\n").unwrap();
    assert_eq!((code, restored), (-15, true), "{text}");
}

#[test]
fn top_shows_the_real_thing() {
    let mut host = Host::with("", "");
    let client = host.server.connect();
    let port = client.local_addr().unwrap().port();
    let socket = host.socket();
    let socket = socket.to_str().unwrap();
    let steps = format!("expect {port}\nresize 60 12\nexpect {port}\nsend q\n");
    let Some((code, restored, text)) = on_terminal(host.directory.path(), &["top", socket], &steps) else {
        return;
    };
    assert_eq!((code, restored), (0, true), "{text}");
    assert!(text.contains("\\x1b[?1049h") && text.contains("\\x1b[?1049l"), "{text}");
    // The server is killed meanwhile.
    let number = host.server.child.id();
    let killer = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_secs(2));
        Command::new("kill").args(["-KILL", &number.to_string()]).status().unwrap();
    });
    let steps = format!("expect {port}\n");
    let (code, restored, text) = on_terminal(host.directory.path(), &["top", socket], &steps).unwrap();
    killer.join().unwrap();
    assert_eq!((code, restored), (1, true), "{text}");
    assert!(text.contains("gorgon: "), "{text}");
    assert!(!host.server.runs());
}

#[test]
fn a_password_is_asked_for_without_echo() {
    let (host, port) = by_tcp("");
    let target = format!("ada@127.0.0.1:{port}");
    let steps = "expect Password of ada: \nsend right\\r\nexpect ada from 127.0.0.1\n";
    let arguments = ["monitor", &target, "-c", "hello"];
    let Some((code, restored, text)) = on_terminal(host.directory.path(), &arguments, steps) else { return };
    assert_eq!((code, restored), (0, true), "{text}");
    assert!(!text.contains("right"), "{text}");
}

/// As Medusa did: no file of keys, and a terminal.
#[test]
fn the_server_asks_for_a_password_at_its_start() {
    let directory = site();
    let (place, port) = (directory.path().display(), free_port());
    let text = format!(
        "[http:main]\nlisten = 127.0.0.1:0\nroot = {place}/site\n[monitor:main]\nlisten = 127.0.0.1:{port}\n"
    );
    let file = directory.file("gorgon.conf", text);
    let arguments = ["run", "-c", file.to_str().unwrap()];
    let again = "expect Password of the monitor main: \nsend one\\r\nexpect :\nsend two\\r\n";
    let Some((code, restored, text)) = on_terminal(directory.path(), &arguments, again) else { return };
    assert_eq!((code, restored), (2, true), "{text}");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/monitor/login.py");
    let login = std::thread::spawn(move || {
        // Until it listens.
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        Command::new("python3")
            .arg(script)
            .args(["strong", &port.to_string(), "admin", "fnord"])
            .output()
            .unwrap()
    });
    let steps = "expect Password of the monitor main: \nsend fnord\\r\nexpect :\nsend fnord\\r\n\
                 expect Descriptors\nexpect admin from 127.0.0.1 logged in as admin\nsignal SIGTERM\n";
    let (code, restored, text) = on_terminal(directory.path(), &arguments, steps).unwrap();
    assert_eq!((code, restored), (0, true), "{text}");
    assert!(!text.contains("fnord"), "{text}");
    let output = login.join().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("role admin mutual True\n"), "{text}");
}
