//! Sockets across reloads: those that stay, move, come and go.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use crate::common::{Reply, free_port};
use crate::host::{Crowd, Program, asking, body, closing, connect, exchange, get, patient, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";
const TWO: &str = "[http:two]\nroot = %(here)s/two\nlisten = 127.0.0.1:0\n";

fn both() -> String {
    [ONE, TWO].concat()
}

#[test]
fn what_stays_keeps_its_sockets() {
    let program = Program::start(&both());
    let (one, two) = (program.address("one"), program.address("two"));
    let before = (program.inodes(one.port()), program.inodes(two.port()));
    assert_eq!((before.0.len(), before.1.len()), (1, 1));
    for text in [
        both().replace("s/one\n", "s/two\nhidden = on\nlisting = off\n"),
        both().replace("127.0.0.1:0\n[http:two]", "127.0.0.1:0 write_buffer=4K backlog=3\n[http:two]"),
        [TWO, ONE, "[handler:one/h]\nkind=health\nmatch=/h\n"].concat(),
        both(),
    ] {
        program.reload(&text).unwrap();
        assert_eq!((program.address("one"), program.address("two")), (one, two), "{text}");
        assert_eq!((program.inodes(one.port()), program.inodes(two.port())), before, "{text}");
        assert_eq!(body(two, "/a.txt"), (200, "of two".to_owned()));
    }
    // By a signal it is the same, and what it did is told.
    program.write(&both().replace("s/one", "s/two"));
    program.server.signal("HUP");
    until("reload", || body(one, "/a.txt").1 == "of two");
    assert_eq!(program.inodes(one.port()), before.0);
    let mut monitor = program.monitor();
    assert_eq!(monitor.value("/config.reloads"), "5");
    let log = monitor.ask("log").unwrap();
    assert!(log.contains("reloaded ") && log.contains("[http:one] root: "), "{log}");
}

/// Who has come but was not accepted when all changes is served by the one who listens there afterwards.
#[test]
fn who_waits_in_the_queue_is_served() {
    let port = free_port();
    let listens = |text: &str| text.replace("127.0.0.1:0", &format!("127.0.0.1:{port}"));
    let program = Program::start(&listens(ONE));
    let address = program.address("one");
    for (text, words) in [
        (listens(&ONE.replace("s/one", "s/two")), "of two"),
        // It moves from one server to another: one that is new, and back to one that is there.
        ([ONE, &*listens(TWO)].concat(), "of two"),
        ([&*listens(ONE), TWO].concat(), "of one"),
        (listens(TWO), "of two"),
    ] {
        let inodes = program.inodes(port);
        program.server.signal("STOP");
        let mut waits: Vec<TcpStream> = (0..5).map(|_| connect(address)).collect();
        for stream in &mut waits {
            stream.write_all(closing("/a.txt").as_bytes()).unwrap();
        }
        program.write(&text);
        program.server.signal("HUP");
        program.server.signal("CONT");
        for mut stream in waits {
            let mut all = Vec::new();
            stream.read_to_end(&mut all).unwrap();
            assert_eq!(Reply::first(&all, false).0.status, 200);
        }
        until(words, || body(address, "/a.txt").1 == words);
        assert_eq!(program.inodes(port), inodes);
    }
}

/// Twenty reloads of all that can be changed, under clients that notice each lost request.
#[test]
fn no_request_is_lost() {
    let program = Program::start(ONE);
    let address = program.address("one");
    let crowd = Crowd::new(address, "/a.txt", |reply| {
        reply.status == 200 && (reply.body == b"of one" || reply.body == b"of two")
    });
    let variants = [
        both(),
        ONE.replace("listen", "access_log = %(here)s/one.log\nread_buffer = 512\nlisten"),
        [ONE, "[handler:one/x]\nkind=health\nmatch=/x\n[handler:one/y]\nkind=files\nroot=%(here)s/two\n"]
            .concat(),
        ONE.replace("s/one", "s/two").replace("listen", "write_buffer = auto:512..64K\nlisten"),
        ONE.replace("127.0.0.1:0", "127.0.0.1:0 write_buffer=1K\n  127.0.0.1:0\n  unix:%(here)s/one.sock"),
        [&*ONE.replace("listen", "max_connections=1000\nidle_timeout = 10s\nlisten"), TWO].concat(),
        ONE.replace(
            "listen",
            "file_cache = 0\nsendfile = off\nclients = 127.0.0.0/8 write_buffer=512\nlisten",
        ),
    ];
    let mut reloads = 0;
    for text in variants.iter().cycle().take(20) {
        let outcome = program.reload(text);
        // One that names what there is not would prove nothing.
        assert!(outcome.is_ok(), "{text}: {outcome:?}");
        reloads += 1;
        let report = outcome.unwrap();
        assert!(report.contains("[http:one]") || report.contains("[http:two]"), "{report}");
    }
    assert_eq!(reloads, 20);
    let counts = crowd.end();
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
}

#[test]
fn a_server_that_is_removed_finishes_what_it_was_asked() {
    let program = Program::start(&both());
    let large: Vec<u8> = (0..6_000_000_u32).flat_map(u32::to_le_bytes).collect();
    program.directory.file("two/large.bin", &large);
    let two = program.address("two");
    let mut slow = connect(two);
    slow.write_all(asking("/large.bin").as_bytes()).unwrap();
    let mut first = vec![0; 1000];
    slow.read_exact(&mut first).unwrap();
    let mut idle = connect(two);
    assert_eq!(exchange(&mut idle, &asking("/a.txt")).unwrap().body, b"of two");
    program.reload(ONE).unwrap();
    // Nobody comes in any more, and who asked for nothing goes.
    until("the socket is closed", || TcpStream::connect(two).is_err());
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
    let mut rest = first;
    slow.read_to_end(&mut rest).unwrap();
    assert!(Reply::first(&rest, false).0.body == large);
    // It comes back as a new one.
    program.reload(&both()).unwrap();
    assert_eq!(body(program.address("two"), "/a.txt").1, "of two");
}

/// From one address to all of them and back: the sockets cannot be there at the same time.
#[test]
fn one_address_becomes_all() {
    let port = free_port();
    let listens = |rule: &str| ONE.replace("127.0.0.1:0", rule);
    let (narrow, wide) = (listens(&format!("127.0.0.1:{port}")), listens(&format!(":{port}")));
    let program = Program::start(&narrow);
    let address = program.address("one");
    let mut kept = connect(address);
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
    for text in [&wide, &narrow, &wide, &listens(&format!("localhost:{port}"))] {
        program.server.signal("STOP");
        let mut waits = connect(address);
        waits.write_all(closing("/a.txt").as_bytes()).unwrap();
        program.write(text);
        program.server.signal("HUP");
        program.server.signal("CONT");
        let mut all = Vec::new();
        waits.read_to_end(&mut all).unwrap();
        assert_eq!(Reply::first(&all, false).0.status, 200);
        let count = program.server.descriptors();
        assert_eq!(program.monitor().value("/config.last_failure"), "", "{text}");
        assert_eq!(body(address, "/a.txt").1, "of one");
        assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
        until("what was replaced is closed", || program.server.descriptors() <= count + 1);
    }
    // What fails afterwards leaves the old ones as they were, with who waits.
    program.reload(&narrow).unwrap();
    until("one socket", || program.inodes(port).len() == 1);
    let inodes = program.inodes(port);
    let bad = [&*wide, "[http:bad]\nroot=%(here)s/nowhere\nlisten=127.0.0.1:0\n"].concat();
    let error = program.reload(&bad).unwrap_err();
    assert!(error.contains("nowhere"), "{error}");
    assert_eq!(program.inodes(port), inodes);
    assert_eq!(body(address, "/a.txt").1, "of one");
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
}

/// One address becomes all and back again and again, and so it would by changes that fail, under clients that notice each
/// connection that is refused or reset. One that says nothing meanwhile is not lost either.
#[test]
fn no_connection_is_lost_while_an_address_widens() {
    let port = free_port();
    let listens = |rule: &str| ONE.replace("127.0.0.1:0", &rule.replace('P', &port.to_string()));
    let program = Program::start(&listens("127.0.0.1:P"));
    let address = program.address("one");
    let crowd = Crowd::new(address, "/a.txt", |reply| reply.status == 200 && reply.body == b"of one");
    for rule in [":P", "127.0.0.1:P", "0.0.0.0:P", ":P", "localhost:P", "0.0.0.0:P", "127.0.0.1:P"].repeat(3)
    {
        let mut silent = connect(address);
        program.reload(&listens(rule)).unwrap();
        assert_eq!(exchange(&mut silent, &closing("/a.txt")).unwrap().status, 200, "{rule}");
    }
    for rule in [":P", "0.0.0.0:P"].repeat(3) {
        let mut silent = connect(address);
        // The first is found out before the address is touched; the second after all else.
        let nowhere = "[http:bad]\nroot=%(here)s/one\nlisten=unix:/nowhere/x\n";
        let taken = std::net::SocketAddr::from(([127, 0, 0, 1], free_port()));
        let other = std::net::TcpListener::bind(taken).unwrap();
        let both = format!("{rule}\n  {taken}");
        for (text, word) in [
            ([&*listens(rule), nowhere].concat(), "No such file or directory"),
            (listens(&both), "Address already in use"),
        ] {
            let error = program.reload(&text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
        drop(other);
        assert_eq!(exchange(&mut silent, &closing("/a.txt")).unwrap().status, 200, "{rule}");
    }
    let counts = crowd.end();
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    // What was replaced is closed soon.
    until("one socket", || program.inodes(port).len() == 1);
}

#[test]
fn unix_sockets_come_stay_and_go() {
    let text = |more: &str| ONE.replace("127.0.0.1:0", &format!("127.0.0.1:0\n  {more}"));
    let program = Program::start(&text("unix:%(here)s/a.sock mode=666"));
    let at = |name: &str| program.directory.path().join(name);
    let asks = |name: &str| {
        let mut stream = UnixStream::connect(at(name)).unwrap();
        exchange(&mut stream, &closing("/a.txt")).unwrap().body
    };
    assert_eq!(asks("a.sock"), b"of one");
    program.reload(&text("unix:%(here)s/a.sock mode=666\n  unix:%(here)s/b.sock mode=666")).unwrap();
    assert_eq!((asks("a.sock"), asks("b.sock")), (b"of one".to_vec(), b"of one".to_vec()));
    let mut kept = UnixStream::connect(at("a.sock")).unwrap();
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
    program.reload(&text("unix:%(here)s/b.sock mode=666")).unwrap();
    until("the file is gone", || !at("a.sock").exists());
    assert_eq!(asks("b.sock"), b"of one");
    // Who came by it stays.
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
    // One that comes to nothing leaves no file.
    let bad = [&*text("unix:%(here)s/c.sock"), "[http:x]\nroot=%(here)s/nowhere\nlisten=127.0.0.1:0\n"];
    program.reload(&bad.concat()).unwrap_err();
    assert!(!at("c.sock").exists());
    assert_eq!(asks("b.sock"), b"of one");
    program.reload(&text("unix:%(here)s/a.sock mode=666")).unwrap();
    until("the file is gone", || !at("b.sock").exists());
    assert_eq!(asks("a.sock"), b"of one");
}

/// What a rule says of its socket holds for one that stays, too: who may connect, and how many may wait.
#[test]
fn a_socket_that_stays_is_as_its_rule_says() {
    use std::os::unix::fs::PermissionsExt;
    let text = ONE.replace("127.0.0.1:0", "127.0.0.1:0\n  unix:%(here)s/a.sock mode=600");
    let program = Program::start(&text);
    let one = program.address("one");
    let mode = || {
        let socket = program.directory.path().join("a.sock").metadata().unwrap();
        socket.permissions().mode() & 0o777
    };
    assert_eq!(mode(), 0o600);
    let inodes = program.inodes(one.port());
    program.reload(&text.replace("mode=600", "mode=666").replace("listen", "backlog = 7\nlisten")).unwrap();
    assert_eq!(mode(), 0o666);
    assert_eq!(program.inodes(one.port()), inodes);
    // The kernel tells the length of the queue of one that listens as what it has to send.
    let shown = std::process::Command::new("ss").args(["-ltn", &format!("sport = :{}", one.port())]).output();
    let Ok(shown) = shown else { return eprintln!("skipped: ss cannot be had") };
    let shown = String::from_utf8(shown.stdout).unwrap();
    let line = shown.lines().find(|line| line.contains("LISTEN")).unwrap();
    assert_eq!(line.split_whitespace().nth(2), Some("7"), "{shown}");
}

/// A listener may change hands while connections that came by it stay where they are.
#[test]
fn a_listener_moves_between_servers() {
    let ports = (free_port(), free_port());
    let listens = |name: &str, ports: &[u16]| {
        let rules: Vec<String> = ports.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        format!("[http:{name}]\nroot=%(here)s/{name}\nlisten={}\n", rules.join("\n  "))
    };
    let program = Program::start(&[listens("one", &[ports.0, ports.1]), TWO.to_owned()].concat());
    let moved = program.addresses("one")[1];
    let mut kept = connect(moved);
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of one");
    let inodes = program.inodes(ports.1);
    program.reload(&[listens("one", &[ports.0]), listens("two", &[ports.1])].concat()).unwrap();
    assert_eq!(program.inodes(ports.1), inodes);
    assert_eq!(get(moved, "/a.txt").body, b"of two");
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of one");
    // They trade places.
    program.reload(&[listens("one", &[ports.1]), listens("two", &[ports.0])].concat()).unwrap();
    assert_eq!(program.inodes(ports.1), inodes);
    assert_eq!(get(moved, "/a.txt").body, b"of one");
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of one");
}

/// Names and order of rules do not matter to a socket, and the same rule twice is none that both can have.
#[test]
fn an_address_is_taken() {
    let program = Program::start(ONE);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let count = program.server.descriptors();
    let error = program.reload(&ONE.replace("127.0.0.1:0", &format!("127.0.0.1:0\n  {taken}"))).unwrap_err();
    assert!(error.contains(&format!("cannot listen on {taken}: Address already in use")), "{error}");
    assert_eq!(program.monitor().value("/config.failures"), "1");
    assert_eq!(body(program.address("one"), "/a.txt").1, "of one");
    until("descriptors", || program.server.descriptors() == count);
    drop(patient(TcpStream::connect(program.address("one")).unwrap()));
}

/// Nor while a socket that was replaced is looked after.
#[test]
fn an_address_that_another_would_share_is_taken() {
    use gorgon_sys::{Address, AsFd, ListenOptions};
    // Who becomes another may not share it anyway.
    let root =
        std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    let user = if root { "[gorgon]\nuser = root\n" } else { "" };
    let (own, other) = (free_port(), free_port());
    let options = ListenOptions { beside: true, ..ListenOptions::default() };
    let address = Address::Ip(([127, 0, 0, 1], other).into());
    let shared = gorgon_sys::listen(&address, &options).unwrap();
    gorgon_sys::listen_again(shared.as_fd(), 8).unwrap();
    let text = |rules: &str| [user, &ONE.replace(" 127.0.0.1:0", rules)].concat();
    let program = Program::start(&text(&format!(" 127.0.0.1:{own}")));
    let _silent = connect(([127, 0, 0, 1], own).into());
    program.reload(&text(&format!(" :{own}"))).unwrap();
    let error = program.reload(&text(&format!("\n  :{own}\n  127.0.0.1:{other}"))).unwrap_err();
    assert!(error.ends_with("Address already in use"), "{error}");
}

/// More of them than some bound of ours: each has a client that has said nothing when its socket is replaced.
#[test]
fn many_addresses_are_widened_at_once() {
    let ports: Vec<u16> = (0..60).map(|_| free_port()).collect();
    let rules = |host: &str| ports.iter().map(|port| format!("  {host}:{port}\n")).collect::<String>();
    let text = |host: &str| ONE.replace(" 127.0.0.1:0\n", &format!("\n{}", rules(host)));
    let program = Program::start(&text("127.0.0.1"));
    let mut clients: Vec<TcpStream> =
        ports.iter().map(|port| connect(([127, 0, 0, 1], *port).into())).collect();
    program.reload(&text("")).unwrap();
    for client in &mut clients {
        assert_eq!(exchange(client, &asking("/a.txt")).unwrap().status, 200);
    }
}
