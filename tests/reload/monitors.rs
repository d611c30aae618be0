//! Sockets of monitors across reloads and changes: they stay, move, come and go as those of servers do.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;

use crate::common::{PATIENCE, free_port};
use crate::host::{Monitor, Program, asking, body, closing, connect, exchange, give_all, site, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";

/// A program whose configuration may name a file of keys, `%(here)s/keys`.
fn start(text: &str) -> Program {
    let directory = site();
    let keys = directory.file("keys", "");
    std::fs::set_permissions(&keys, PermissionsExt::from_mode(0o600)).unwrap();
    give_all(&keys);
    Program::start_in(directory, text, &[])
}

/// A monitor that listens there, by these rules.
fn listens(name: &str, rules: &str) -> String {
    format!("[monitor:{name}]\nlisten = {rules}\nkey_file = %(here)s/keys\n")
}

/// A connection whose client has not been accepted yet when what is done meanwhile has begun.
fn waits<S>(program: &Program, connect: impl FnOnce() -> S) -> S {
    program.server.signal("STOP");
    let stream = connect();
    program.server.signal("HUP");
    program.server.signal("CONT");
    stream
}

fn reloaded(program: &Program, count: usize) {
    let mut monitor = program.monitor();
    until("reload", || monitor.value("/config.reloads") == count.to_string());
    assert_eq!(monitor.value("/config.last_failure"), "");
}

/// A monitor greets who comes by TCP.
fn is_greeted(stream: TcpStream) {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("gorgon-monitor 1 "), "{line:?}");
}

/// The sockets of a server or a monitor, in their order.
fn shown(program: &Program, server: &str) -> Vec<String> {
    let rows = program.monitor().ask(&format!("find listener where server = {server}")).unwrap();
    let names = rows.lines().filter_map(|row| row.split(' ').next()?.strip_prefix("/listener/"));
    names.map(str::to_owned).collect()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn one_address_of_a_monitor_becomes_all() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let text = |host: &str| [ONE, &listens("tcp", &format!("{host}:{port}"))].concat();
    let program = start(&text("127.0.0.1"));
    is_greeted(connect(address));
    let hosts = ["", "127.0.0.1", "0.0.0.0", "127.0.0.1", "localhost", "", "localhost", "127.0.0.1"];
    for (at, host) in hosts.iter().enumerate() {
        program.write(&text(host));
        let client = waits(&program, || connect(address));
        reloaded(&program, at + 1);
        is_greeted(client);
        is_greeted(connect(address));
    }
    // The monitor itself does the same.
    for host in hosts {
        let mut monitor = program.monitor();
        monitor.ask(&format!("set /monitor/tcp listen={host}:{port}")).unwrap();
        is_greeted(connect(address));
    }
    until("one socket", || program.inodes(port).len() == 1);
    // What fails leaves the old one as it was.
    let inodes = program.inodes(port);
    let bad = [&*text(""), "[http:bad]\nroot=%(here)s/one\nlisten=unix:/nowhere/x\n"].concat();
    let error = program.reload(&bad).unwrap_err();
    assert!(error.contains("No such file or directory"), "{error}");
    assert_eq!(program.inodes(port), inodes);
    is_greeted(connect(address));
}

/// From a server to a monitor, both ways, while the address widens and narrows.
#[test]
fn all_addresses_become_another_kind() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let server = |host: &str| ONE.replace("127.0.0.1:0", &format!("{host}:{port}"));
    let program = start(&server("127.0.0.1"));
    program.reload(&listens("tcp", &format!(":{port}"))).unwrap();
    is_greeted(connect(address));
    program.reload(&server("127.0.0.1")).unwrap();
    assert_eq!(body(address, "/a.txt").1, "of one");
}

/// Who was let in by the one that is gone is out with it, and who waits is let in by the one that comes.
#[test]
fn a_monitor_with_another_name_keeps_its_sockets() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let rules = format!("127.0.0.1:{port}\n  unix:%(here)s/m.sock backlog=300");
    let text = |name: &str| [ONE, &listens(name, &rules), "max_sessions = 1000\n"].concat();
    let program = start(&text("main"));
    let path = program.directory.path().join("m.sock");
    let file = || (path.metadata().unwrap().ino(), mode(&path));
    let (inodes, before) = (program.inodes(port), file());
    for (at, (was, name)) in [("main", "two"), ("two", "main")].into_iter().enumerate() {
        let mut session = UnixStream::connect(&path).unwrap();
        session.set_read_timeout(Some(PATIENCE)).unwrap();
        program.write(&text(name));
        // More than are accepted before what is asked for is done.
        let mut clients = waits(&program, || (0..250).map(|_| Monitor::connect(&path)).collect::<Vec<_>>());
        reloaded(&program, at + 1);
        assert_eq!(session.read(&mut [0; 1]).unwrap(), 0);
        for client in clients.iter_mut().rev().take(20) {
            client.ask("hello").unwrap();
        }
        is_greeted(connect(address));
        assert_eq!((program.inodes(port), file()), (inodes.clone(), before));
        assert_eq!(shown(&program, &format!("monitor:{was}")), [""; 0]);
        assert_eq!(shown(&program, &format!("monitor:{name}")).len(), 2);
    }
}

/// Whoever asks for it by one that goes is answered.
#[test]
fn who_gives_a_monitor_another_name_is_answered() {
    let text = |name: &str| [ONE, &listens(name, "unix:%(here)s/m.sock")].concat();
    let program = start(&text("main"));
    let path = program.directory.path().join("m.sock");
    program.write(&text("two"));
    let report = Monitor::connect(&path).ask("call /config reload").unwrap();
    assert!(report.contains("[monitor:two]"), "{report}");
    assert_eq!(Monitor::connect(&path).value("/config.reloads"), "1");
}

#[test]
fn monitors_trade_places() {
    let ports = [free_port(), free_port()];
    let rules = ports.map(|port| format!("127.0.0.1:{port}"));
    let text = |places: [usize; 2]| {
        let rules = |place: usize| format!("{}\n  unix:%(here)s/{place}.sock", rules[place]);
        [ONE, &listens("a", &rules(places[0])), &listens("b", &rules(places[1]))].concat()
    };
    let program = start(&text([0, 1]));
    let at = |place: usize| program.directory.path().join(format!("{place}.sock"));
    let sockets = || {
        let files = [at(0), at(1)].map(|path| path.metadata().unwrap().ino());
        (ports.map(|port| program.inodes(port)), files)
    };
    let before = sockets();
    let are = |places: [usize; 2]| {
        for (name, place) in ["a", "b"].into_iter().zip(places) {
            let unix = format!("unix:{}", at(place).display());
            assert_eq!(shown(&program, &format!("monitor:{name}")), [rules[place].clone(), unix]);
        }
        assert_eq!(sockets(), before);
        for port in ports {
            is_greeted(connect(([127, 0, 0, 1], port).into()));
        }
    };
    are([0, 1]);
    program.write(&text([1, 0]));
    let mut clients = waits(&program, || [0, 1].map(|place| Monitor::connect(&at(place))));
    reloaded(&program, 1);
    clients.iter_mut().for_each(|client| drop(client.ask("hello").unwrap()));
    are([1, 0]);
    // By a change in several steps it is the same; who has a session keeps it, for both monitors stay.
    let mut session = program.monitor();
    session.ask("begin").unwrap();
    for (name, place) in [("a", 0), ("b", 1)] {
        let rules = format!("{}, unix:{}", rules[place], at(place).display());
        session.ask(&format!("set /monitor/{name} listen=\"{rules}\"")).unwrap();
    }
    session.ask("commit").unwrap();
    are([0, 1]);
    clients.iter_mut().for_each(|client| drop(client.ask("hello").unwrap()));
}

/// What is a server's becomes a monitor's, and is as closed to others as that wants it; and back.
#[test]
fn a_socket_becomes_another_kind() {
    let port = free_port();
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    let rules = format!("127.0.0.1:{port}\n  unix:%(here)s/s.sock");
    let (server, monitor) = (ONE.replace("127.0.0.1:0", &rules), listens("tcp", &rules));
    let program = start(&server);
    let path = program.directory.path().join("s.sock");
    let (inodes, ino, fresh) = (program.inodes(port), path.metadata().unwrap().ino(), mode(&path));
    assert_ne!(fresh, 0o600);
    let mut kept = connect(address);
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
    program.reload(&monitor).unwrap();
    is_greeted(connect(address));
    Monitor::connect(&path).ask("hello").unwrap();
    assert_eq!((mode(&path), path.metadata().unwrap().ino()), (0o600, ino));
    // The server is gone, and its connections with it.
    assert_eq!(kept.read(&mut [0; 1]).unwrap(), 0);
    program.reload(&server).unwrap();
    assert_eq!(body(address, "/a.txt").1, "of one");
    let mut stream = UnixStream::connect(&path).unwrap();
    assert_eq!(exchange(&mut stream, &closing("/a.txt")).unwrap().body, b"of one");
    assert_eq!((mode(&path), path.metadata().unwrap().ino()), (fresh, ino));
    assert_eq!(program.inodes(port), inodes);
}

/// One that nobody gave a place keeps the one it has by another name.
#[test]
fn a_monitor_without_a_place_keeps_its_socket() {
    let program = start(&[ONE, "[monitor:main]\n"].concat());
    let rows = shown(&program, "monitor:main");
    let [name] = rows.as_slice() else { return eprintln!("skipped: no directory for sockets: {rows:?}") };
    let path = Path::new(name.strip_prefix("unix:").unwrap());
    let before = path.metadata().unwrap().ino();
    program.reload(&[ONE, "[monitor:two]\n"].concat()).unwrap();
    assert_eq!(shown(&program, "monitor:two"), rows);
    assert_eq!((path.metadata().unwrap().ino(), mode(path)), (before, 0o600));
}

/// A second one without a place has none, which is no reason to refuse the rest; nor is it one while a socket that was
/// replaced is looked after.
#[test]
fn a_monitor_that_can_have_no_place_is_borne() {
    let port = free_port();
    // Who becomes another has another place then.
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let user = if root { "[gorgon]\nuser = root\n" } else { "" };
    let server = |rule: &str| [user, &ONE.replace("127.0.0.1:0", rule)].concat();
    let program = start(&[&server(&format!("127.0.0.1:{port}")), "[monitor:main]\n"].concat());
    if shown(&program, "monitor:main").is_empty() {
        return eprintln!("skipped: no directory for sockets");
    }
    let _silent = connect(([127, 0, 0, 1], port).into());
    let wide = server(&format!(":{port}"));
    program.reload(&[&*wide, "[monitor:main]\n"].concat()).unwrap();
    program.reload(&[&*wide, "[monitor:main]\n[monitor:two]\nidle_timeout = 7s\n"].concat()).unwrap();
    assert_eq!(program.monitor().value("/monitor/two.idle_timeout"), "7s");
    assert!(shown(&program, "monitor:two").is_empty());
}
