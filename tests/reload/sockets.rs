//! Unix sockets whose files somebody removes while the program runs.

use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use crate::host::{Program, closing, exchange, until};

const ONE: &str =
    "[http:one]\nroot = %(here)s/one\nlisten =\n  127.0.0.1:0\n  unix:%(here)s/a.sock mode=666\n";

fn is_socket(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket())
}

fn asks(path: &Path) -> Vec<u8> {
    let mut stream = UnixStream::connect(path).unwrap();
    exchange(&mut stream, &closing("/a.txt")).unwrap().body
}

/// The socket of a server and that of a monitor, at a reload, when the program goes on after a stop, and by and by.
#[test]
fn a_socket_that_was_removed_comes_back() {
    let program = Program::start(ONE);
    let (own, monitor) =
        (program.directory.path().join("a.sock"), program.directory.path().join("monitor.sock"));
    let descriptors = program.server.descriptors();
    let mut kept = program.monitor();
    for signals in [["HUP"].as_slice(), &["STOP", "CONT"], &[]] {
        for path in [&own, &monitor] {
            std::fs::remove_file(path).unwrap();
        }
        for signal in signals {
            program.server.signal(signal);
        }
        until("they are there", || is_socket(&own) && is_socket(&monitor));
        let mode = std::fs::metadata(&own).unwrap().permissions().mode();
        assert_eq!((asks(&own), mode & 0o777), (b"of one".to_vec(), 0o666), "{signals:?}");
        // Who was let in by the old one stays.
        assert_eq!(kept.value("/config.failures"), "0");
        assert_eq!(program.monitor().value("/config.failures"), "0");
    }
    until("descriptors", || program.server.descriptors() <= descriptors + 1);
    // The new ones are the program's own, and go with it and with their rule.
    program.reload(&ONE.replace("\n  unix:%(here)s/a.sock mode=666", "")).unwrap();
    until("it is gone", || !own.exists());
    let (directory, mut server) = (program.directory, program.server);
    server.signal("TERM");
    until("it ends", || !server.runs());
    assert!(!monitor.exists());
    drop(directory);
}

/// What somebody else has put there stays, and is told once; when it is gone again the socket comes back.
#[test]
fn what_lies_in_its_place_stays() {
    let program = Program::start(ONE);
    let own = program.directory.path().join("a.sock");
    let told = |monitor: &mut crate::host::Monitor| {
        let events = monitor.ask("log 100").unwrap();
        events.lines().filter(|line| line.contains("a.sock: File exists; something else")).count()
    };
    let mut monitor = program.monitor();
    for round in 1..=2 {
        std::fs::remove_file(&own).unwrap();
        let other = UnixListener::bind(&own).unwrap();
        for _ in 0..3 {
            monitor.ask("call /config reload").unwrap();
        }
        assert_eq!(told(&mut monitor), round);
        drop(other);
        assert!(UnixStream::connect(&own).is_err(), "it is not the program's");
        std::fs::remove_file(&own).unwrap();
        monitor.ask("call /config reload").unwrap();
        assert_eq!(asks(&own), b"of one");
    }
}

/// Who may connect is what a fresh start would leave it to, when a rule does not say any more.
#[test]
fn a_mode_that_is_taken_away_is_the_umasks_again() {
    let text = |mode: &str| ONE.replace(" mode=666", mode);
    let program = Program::start(&text(""));
    let path = program.directory.path().join("a.sock");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    let fresh = mode();
    assert!(fresh != 0o666 && fresh != 0o622, "this umask shows nothing: {fresh:o}");
    program.reload(&text(" mode=666")).unwrap();
    assert_eq!(mode(), 0o666);
    program.reload(&text("")).unwrap();
    assert_eq!(mode(), fresh);
    let mut monitor = program.monitor();
    let set = |monitor: &mut crate::host::Monitor, more: &str, time: &str| {
        let rules = format!("127.0.0.1:0, unix:{}{more}", path.display());
        monitor.ask(&format!("set /http/one listen=\"{rules}\"{time}")).unwrap();
    };
    set(&mut monitor, " mode=622", "");
    assert_eq!(mode(), 0o622);
    set(&mut monitor, "", "");
    assert_eq!(mode(), fresh);
    set(&mut monitor, " mode=622", " for 1s");
    until("it is over", || monitor.ask("keep").unwrap().is_empty());
    assert_eq!(mode(), fresh);
    // The umask itself is as it was: one that is made anew says so.
    std::fs::remove_file(&path).unwrap();
    monitor.ask("call /config reload").unwrap();
    assert_eq!((mode(), asks(&path)), (fresh, b"of one".to_vec()));
}
