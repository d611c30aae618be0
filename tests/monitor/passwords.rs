//! Who comes by TCP: by key, as the manual has it, and as Medusa's client does.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::{Directory, PATIENCE, Server, finish, free_port, gorgon, refusal};
use crate::host::{Host, command, is_root, site, told};
use crate::places::spawn;

/// Has `gorgon passwd` put a line into the file of keys.
pub fn add_key(directory: &Directory, user: &str, password: &str) {
    let mut command = gorgon();
    command.args(["passwd", "--monitor", user, "--iterations", "4096"]).arg(directory.path().join("keys"));
    let mut child = command.stdin(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// A program with a monitor by TCP.
pub fn by_tcp(more: &str) -> (Host, u16) {
    let directory = site();
    add_key(&directory, "ada:admin", "right");
    add_key(&directory, "vic", "look");
    add_key(&directory, "legacy:operate", "fnord");
    let keys = directory.path().join("keys");
    assert_eq!(keys.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let port = free_port();
    let monitor = format!("    127.0.0.1:{port}\nkey_file = {}\n{more}", keys.display());
    (Host::on(directory, &monitor, ""), port)
}

/// What the client in Python says; none where there is no Python.
fn python(arguments: &[&str]) -> Option<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/monitor/login.py");
    let output = Command::new("python3").arg(script).args(arguments).stderr(Stdio::inherit()).output();
    let Ok(output) = output else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    assert!(output.status.success(), "{arguments:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_client_by_the_manual_is_let_in() {
    let (host, port) = by_tcp("");
    let port = port.to_string();
    let Some(text) = python(&["strong", &port, "ada", "right"]) else { return };
    assert!(text.starts_with("role admin mutual True\n/process version="), "{text}");
    assert!(text.ends_with(" role=admin who=\"ada from 127.0.0.1\"\nok\nok\n"), "{text}");
    let text = python(&["strong", &port, "vic", "look", "replay"]).unwrap();
    assert!(text.starts_with("role view mutual True\n"), "{text}");
    assert!(text.ends_with("replayed error refused\n"), "{text}");
    let mut session = host.session();
    assert_eq!(session.value("/monitor/main.failed_logins"), "1");
    assert!(session.ask("log").contains("login of vic from 127.0.0.1 failed: wrong password or user"));
    // A change of something else does not want the keys, which the program may not read any more.
    session.ask("set /http/main idle_timeout=33s");
    session.ask("set /monitor/main max_sessions=30");
}

/// Each on a monitor of its own, for who failed has to wait.
#[test]
fn what_is_not_right_is_refused() {
    for (user, password, how, end) in [
        ("ada", "wrong", "", "end error refused \n"),
        ("eve", "right", "", "end error refused \n"),
        ("legacy", "fnord", "", "end error refused \n"),
        ("ada", "right", "truncated", "end error refused \n"),
        ("ada", "right", "long-proof", "end error refused \n"),
        ("ada", "right", "other-nonce", "end error refused \n"),
        ("ada", "right", "reflected", "end error refused \n"),
        ("ada", "right", "oversized", "end error limit expected a login of at most 1024 bytes\n"),
    ] {
        let (host, port) = by_tcp("");
        let port = port.to_string();
        let Some(text) = python(&["strong", &port, user, password, how]) else { return };
        assert_eq!(text, end, "{user} {password} {how}");
        assert_eq!(host.session().value("/monitor/main.failed_logins"), "1", "{how}");
    }
}

#[test]
fn logins_have_limits() {
    let (host, port) = by_tcp("login_timeout = 1s");
    let connect = || {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    };
    let mut five: Vec<TcpStream> = (0..5).map(|_| connect()).collect();
    let mut ends: Vec<String> = Vec::new();
    for stream in &mut five {
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        ends.push(text.lines().last().unwrap().to_owned());
    }
    // From one address two may go on, and who comes later takes the place of one who has said nothing.
    let late = ends.iter().filter(|end| *end == "error limit the login took longer than login_timeout");
    assert_eq!(late.count(), 2, "{ends:?}");
    assert_eq!(ends.iter().filter(|end| end.starts_with("gorgon-monitor 1 ")).count(), 3, "{ends:?}");
    let log = host.session().ask("log");
    assert!(log.contains("login from 127.0.0.1 took too long"), "{log}");
}

/// However many stall, from however many addresses.
#[test]
fn who_stalls_keeps_nobody_out() {
    let (host, port) = by_tcp("login_timeout = 5m");
    let Some(text) = python(&["strong", &port.to_string(), "ada", "right", "crowd"]) else { return };
    assert!(text.starts_with("role admin mutual True\n/process version="), "{text}");
    assert_eq!(host.session().value("/monitor/main.failed_logins"), "0");
}

#[test]
fn who_guesses_is_slowed() {
    let (_host, port) = by_tcp("legacy = on");
    let port = port.to_string();
    let Some(text) = python(&["medusa", &port, "guess"]) else { return };
    assert_eq!(text, "''\n", "not a word");
    // Now there is no challenge.
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    assert_eq!(stream.read(&mut [0; 10]).unwrap(), 0);
}

#[test]
fn medusas_client_is_let_in() {
    let (host, port) = by_tcp("legacy = on");
    let port = port.to_string();
    let number = host.server.child.id();
    let welcome = format!(
        "'Welcome to <gorgon {}, process {number}, role operate>\\r\\n>>> ",
        env!("CARGO_PKG_VERSION")
    );
    for (arguments, rest) in [
        // As often as it takes for some digest to have a byte below 16.
        (&["exit\\r\\n"][..], "BCNU\\r\\n'\n"),
        (&["exit\\r\\n"], "BCNU\\r\\n'\n"),
        (&["exit\\r\\n"], "BCNU\\r\\n'\n"),
        (&["padded", "exit\\r\\n"], "BCNU\\r\\n'\n"),
        (&["padded", "upper", "\\x04\\r\\n"], "BCNU\\r\\n'\n"),
        (
            &["ls /http\\r\\n", "nonsense\\r\\n", "lX\\x08s /http\\r\\n", "exit\\r\\n"],
            "/http/main\\r\\nok\\r\\n>>> error unknown no verb is named nonsense; help lists them\\r\\n>>> \
             /http/main\\r\\nok\\r\\n>>> BCNU\\r\\n'\n",
        ),
    ] {
        let mut all = vec!["medusa", &port, "fnord"];
        all.extend(arguments);
        let Some(text) = python(&all) else { return };
        assert_eq!(text.strip_prefix(&welcome), Some(rest), "{text}");
    }
    let long = "x".repeat(1100);
    let text = python(&["medusa", &port, "fnord", &long]).unwrap();
    assert_eq!(text.strip_prefix(&welcome), Some("BCNU\\r\\n'\n"), "{text}");
    // The same before login.
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(long.as_bytes()).unwrap();
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text);
    assert!(text.ends_with(b"\r\nBCNU\r\n"), "{text:?}");
    assert_eq!(host.session().value("/monitor/main.failed_logins"), "1");
}

#[test]
fn what_is_not_safe_is_refused_at_start() {
    let directory = site();
    add_key(&directory, "legacy:operate", "fnord");
    let keys = directory.path().join("keys");
    let with = |lines: &str| {
        let mut command = command(&directory, lines, "");
        command.stderr(Stdio::piped());
        // With a warning before it where there is one.
        let (code, _, error) = told(&finish(command));
        assert_eq!(code, 2, "{error}");
        error
    };
    let listen = format!("    127.0.0.1:{}\n", free_port());
    assert!(with(&listen).trim_end().ends_with("or a terminal to ask for a password"));
    let open = format!("    :{}\nlegacy = on\nkey_file = {}", free_port(), keys.display());
    assert!(with(&open).contains("legacy: expected a loopback address in listen"));
    let host = Host::on(site(), &format!("{open}\nlegacy_force = on"), "");
    drop(host);
    std::fs::set_permissions(&keys, std::fs::Permissions::from_mode(0o644)).unwrap();
    let readable = format!("{listen}key_file = {}", keys.display());
    assert!(with(&readable).contains("expected a file that nobody else can read"));
}

#[test]
fn the_client_logs_in_with_a_password_of_a_file() {
    let (host, port) = by_tcp("");
    let file = host.directory.file("password", "right\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let mut command = gorgon();
    command.args(["monitor", &format!("ada@127.0.0.1:{port}"), "--password-file"]).arg(&file);
    command.args(["-c", "hello"]);
    let (code, text, error) = told(&finish(command));
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains("who=\"ada from 127.0.0.1\""), "{text}");
}

/// Keys that are changed where the program may not look any more are told of while there is time.
#[test]
fn keys_that_go_stale_are_told_of() {
    if !is_root() {
        return;
    }
    let directory = site();
    add_key(&directory, "ada:admin", "right");
    let (keys, place) = (directory.path().join("keys"), directory.path().display());
    let text = format!(
        "[http:main]\nlisten = 127.0.0.1:0\nroot = {place}/site\n\n[monitor:main]\nlisten = 127.0.0.1:0\nkey_file = {place}/keys\n"
    );
    let file = directory.file("gorgon.conf", text).display().to_string();
    let why =
        "nobody (65534:65534) may not read it, so what changes in it holds when the program starts anew\n";
    for (group, mode, closed, warned) in [
        (0, 0o600, 0o777, true),
        (0, 0o640, 0o777, true),
        (65_534, 0o640, 0o777, false),
        (65_534, 0o600, 0o777, true),
        // A directory above that it may not pass.
        (65_534, 0o640, 0o776, true),
    ] {
        std::os::unix::fs::chown(&keys, Some(0), Some(group)).unwrap();
        std::fs::set_permissions(&keys, PermissionsExt::from_mode(mode)).unwrap();
        std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(closed)).unwrap();
        let mut check = gorgon();
        check.args(["check", "-c", &file]);
        let (code, _, error) = told(&finish(check));
        let line = format!("gorgon: warning: {file}:7: key_file={place}/keys: {why}");
        assert_eq!((code, error == line), (0, warned), "{error}");
        let said = directory.path().join("said");
        let mut run = gorgon();
        run.args(["run", "-c", &file]).stdin(Stdio::null()).stderr(std::fs::File::create(&said).unwrap());
        drop(spawn(run));
        let said = std::fs::read_to_string(said).unwrap();
        assert_eq!(said.contains(&format!("gorgon: warning: {place}/keys: {why}")), warned, "{said}");
    }
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o777)).unwrap();
}

/// An address that no host has (RFC 5737) is bound for a monitor as for a server.
#[cfg(target_os = "linux")]
#[test]
fn an_address_that_is_not_there_yet_is_bound() {
    let directory = site();
    add_key(&directory, "ada:admin", "right");
    crate::common::give(&directory.path().join("keys"));
    let monitor = format!("    192.0.2.1:0\nkey_file = {}", directory.path().join("keys").display());
    let mut server = Server::spawn(command(&directory, &monitor, ""));
    assert!(server.report.contains("m.sock, 192.0.2.1:"), "{}", server.report);
    server.signal("TERM");
    server.child.wait().unwrap();
    let mut without = command(&directory, &monitor, "");
    without.arg("--gorgon.listen_retry=off").stderr(Stdio::piped());
    let line = refusal(without);
    assert!(line.starts_with("cannot listen on 192.0.2.1:0: "), "{line}");
}

/// The client is told by a monitor of ours how a command went, and tells it as it does without that login.
#[test]
fn medusas_login_makes_no_difference_to_the_client() {
    let (host, port) = by_tcp("legacy = on");
    let file = host.directory.file("password", "fnord\n");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let socket = host.socket();
    let client = |legacy: bool, args: &[&str]| {
        let mut command = gorgon();
        command.arg("monitor");
        match legacy {
            true => {
                command.arg(format!("127.0.0.1:{port}")).arg("--legacy").arg("--password-file").arg(&file)
            }
            false => command.arg(&socket),
        };
        command.args(args);
        told(&finish(command))
    };
    for args in [
        &["-c", "nosuch", "-c", "ls"][..],
        &["-c", "ls /http; get /http/nosuch; ls"],
        &["-c", "get /http/main.index", "-c", "# nothing", "-c", ""],
        &["--json", "-c", "get /http/main index"],
        &["--json", "-c", "get /http/nosuch"],
        &["--csv", "-c", "find http show index | sort index"],
        &["-c", "ls /http; quit; nosuch"],
    ] {
        let (with, without) = (client(true, args), client(false, args));
        let out = with.1.strip_suffix("BCNU\n").unwrap_or(&with.1).to_owned();
        assert_eq!((with.0, out, with.2), without, "{args:?}");
    }
    assert_eq!(client(true, &["-c", "exit"]), (0, "BCNU\n".to_owned(), String::new()));
    let (code, _, error) = client(true, &["-c", "watch /loop"]);
    assert!(code == 1 && error.contains("watch do not come"), "{error}");
    let (code, _, error) = client(true, &["-c", &format!("ls {}", "x".repeat(1100))]);
    assert!(code == 2 && error.contains("at most 1024 bytes"), "{error}");
}
