//! What is changed and taken back: all at once, and by itself.

use std::net::TcpListener;

use crate::common::free_port;
use crate::host::{Program, asking, body, connect, exchange, get, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";

#[test]
fn all_that_was_changed_is_reverted() {
    let text =
        [ONE, "[handler:one/h]\nkind=health\nmatch=/h\n[handler:one/i]\nkind=health\nmatch=/i\n"].concat();
    let program = Program::start(&text);
    let (mut monitor, one) = (program.monitor(), program.address("one"));
    let mut kept = connect(one);
    exchange(&mut kept, &asking("/a.txt")).unwrap();
    let root = program.directory.path().join("two").display().to_string();
    for change in [
        "set /http/one hidden=on write_buffer=64K",
        "set /gorgon grace=3s",
        "set /http/one spa=on for 1h",
        "find connection where server = one | set write_buffer=32K for 1h",
        "call /handler/one/h move last",
        "call /handler/one/i remove",
        &format!("call /config add /http/live root={root} listen=127.0.0.1:0"),
        "call /monitor/control start",
    ] {
        monitor.ask(change).unwrap();
    }
    let live = program.address("live");
    assert_eq!(body(live, "/a.txt").1, "of two");
    assert_ne!(monitor.ask("call /config diff").unwrap(), "");
    assert!(monitor.ask("call /config revert now").unwrap_err().starts_with("syntax "));
    monitor.ask("call /config revert").unwrap();
    assert_eq!(monitor.ask("call /config diff").unwrap(), "");
    assert_eq!(monitor.value("/config.changed"), "0");
    let log = monitor.ask("log 3").unwrap();
    assert!(log.contains("reverted: - [http:live]; + [handler:one/i]"), "{log}");
    assert!(log.contains("hidden: on -> off") && log.contains(": /config revert\n"), "{log}");
    until("it is gone", || std::net::TcpStream::connect(live).is_err());
    assert_eq!(get(one, "/i").status, 200);
    // What is of a connection is no configuration, and comes back in its time; the other has nothing to come back.
    assert_eq!(monitor.ask("find connection where write_buffer = 32K").unwrap().lines().count(), 1);
    assert!(monitor.ask("keep /http/one").unwrap_err().starts_with("conflict "));
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of one");
    // In a transaction it is one step of it; what was saved is what it goes back to.
    monitor.ask("set /http/one hidden=on").unwrap();
    monitor.ask("save").unwrap();
    monitor.ask("set /http/one hidden=off index=x.html").unwrap();
    for step in ["begin", "call /config revert", "set /http/one spa=on"] {
        monitor.ask(step).unwrap();
    }
    assert_eq!(monitor.value("/http/one.index"), "x.html");
    monitor.ask("commit").unwrap();
    let mut value = |key: &str| monitor.value(&["/http/one.", key].concat());
    assert_eq!(
        (value("hidden"), value("index"), value("spa")),
        ("on".into(), "index.html".into(), "on".into())
    );
}

#[test]
fn what_cannot_be_reverted_changes_nothing() {
    let port = free_port();
    let text = ONE.replace(":0", &format!(":{port}"));
    let program = Program::start(&text);
    let mut monitor = program.monitor();
    monitor.ask("set /http/one hidden=on listen=127.0.0.1:0").unwrap();
    let one = program.address("one");
    let mut taken = None;
    until("the port is free", || {
        taken = TcpListener::bind(("127.0.0.1", port)).ok();
        taken.is_some()
    });
    let error = monitor.ask("call /config revert").unwrap_err();
    assert!(error.starts_with("failed ") && error.contains("in use"), "{error}");
    assert_eq!((monitor.value("/http/one.hidden").as_str(), program.address("one")), ("on", one));
    assert_eq!(body(one, "/a.txt").1, "of one");
    drop(taken);
    monitor.ask("call /config revert").unwrap();
    assert_eq!((monitor.value("/http/one.hidden").as_str(), program.address("one").port()), ("off", port));
}

#[test]
fn what_was_found_comes_back_unless_it_is_kept_or_gone() {
    let program = Program::start(ONE);
    let (mut monitor, one) = (program.monitor(), program.address("one"));
    let mut clients: Vec<_> = (0..5).map(|_| connect(one)).collect();
    for client in &mut clients {
        exchange(client, &asking("/a.txt")).unwrap();
    }
    let mut other = program.monitor();
    let told =
        other.ask("find connection where server = one | set write_buffer=64K read_buffer=8K for 4s").unwrap();
    assert_eq!(told, "/connection found=5 done=5\n");
    // Who set it may go.
    drop(other);
    let rows = monitor.ask("find connection where write_buffer = 64K show write_buffer").unwrap();
    assert_eq!(rows.lines().count(), 5);
    let kept = rows.split(' ').next().unwrap();
    monitor.ask(&format!("keep {kept} write_buffer")).unwrap();
    let last = rows.lines().last().unwrap().split(' ').next().unwrap();
    monitor.ask(&format!("call {last} close")).unwrap();
    let changed = |monitor: &mut crate::host::Monitor, what: &str| {
        monitor.ask(&format!("find connection where server = one and {what} show server")).unwrap()
    };
    until("they come back", || changed(&mut monitor, "read_buffer = 8K").is_empty());
    assert_eq!(changed(&mut monitor, "write_buffer = 64K"), format!("{kept} server=one\n"));
    assert_eq!(changed(&mut monitor, "write_buffer = 16K and read_buffer = 4K").lines().count(), 3);
    let log = monitor.ask("log 100").unwrap();
    assert!(log.contains("time is over: ") && !log.contains("failed"), "{log}");
    let error = monitor.ask("find connection where server = one | set send_buffer=64K for 1s").unwrap_err();
    assert!(error.starts_with("refused send_buffer of a connection cannot come back"), "{error}");
}
