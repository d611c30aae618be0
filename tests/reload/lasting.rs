//! What is left of hundreds of changes: nothing. And what goes on while something is taken away beneath it.

use std::io::{Read, Write};

use crate::common::{Reply, give};
use crate::host::{Program, asking, body, closing, connect, exchange, get, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";

fn is_there(path: &std::path::Path, text: &str) -> bool {
    std::fs::read_to_string(path).unwrap_or_default().contains(text)
}

#[test]
fn nothing_is_left_of_hundreds_of_reloads() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let users = program.directory.file("users", "anna:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs=\n");
    give(&users);
    program.directory.file("one/up/keep", "");
    give(&program.directory.path().join("one/up"));
    let more = [
        "[http:two]\nroot=%(here)s/two\nlisten=127.0.0.1:0\naccess_log=%(here)s/two.log\n",
        "auth_file=%(here)s/users\n[handler:two/s]\nkind=status\nmatch=/s\n",
        "[handler:one/f]\nroot=%(here)s/two\n[handler:one/a]\nkind=auth\nauth_file=%(here)s/users\nmatch=/p\n",
        "[handler:one/u]\nkind=upload\ndirectory=up\n[monitor:more]\nlisten=unix:%(here)s/more.sock\n",
    ]
    .concat();
    let variants = [
        [&*ONE.replace("listen", "access_log=%(here)s/one.log\nlisten"), &*more].concat(),
        ONE.replace("s/one", "s/two").replace("127.0.0.1:0", "127.0.0.1:0\n  unix:%(here)s/x.sock"),
        [ONE, "[http:three]\nroot=%(here)s/nowhere\nlisten=127.0.0.1:0\n"].concat(),
        [ONE, &*more, "[http:three]\nroot=%(here)s/nowhere\nlisten=127.0.0.1:0\n"].concat(),
        ONE.to_owned(),
    ];
    let mut kept = connect(one);
    let mut monitor = program.monitor();
    let mut turn = |reloads: usize| {
        for text in variants.iter().cycle().take(reloads) {
            program.write(text);
            let outcome = monitor.ask("call /config reload");
            assert_eq!(outcome.is_err(), text.contains("nowhere"), "{outcome:?}");
            let reply = exchange(&mut kept, &asking("/a.txt")).unwrap();
            assert_eq!(reply.status, 200);
        }
        program.resident()
    };
    turn(20);
    let descriptors = || program.server.descriptors();
    let mut before = 0;
    // What a server that was removed had is let go a moment later.
    until("it is quiet", || {
        let now = descriptors();
        std::thread::sleep(std::time::Duration::from_millis(300));
        before = descriptors();
        now == before
    });
    let memory = turn(40);
    let after = turn(160);
    assert!(after < memory + 512, "{memory} KiB became {after}");
    until("descriptors", || descriptors() <= before);
    assert!(!program.directory.path().join("more.sock").exists());
}

#[test]
fn as_many_as_there_may_be() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let servers = |count: usize| {
        let more = (1..count).map(|n| format!("[http:s{n}]\nroot=%(here)s/two\nlisten=127.0.0.1:0\n"));
        [ONE.to_owned(), more.collect()].concat()
    };
    let descriptors = program.server.descriptors();
    program.reload(&servers(64)).unwrap();
    assert_eq!(body(program.address("s63"), "/a.txt").1, "of two");
    let error = program.reload(&servers(300)).unwrap_err();
    assert!(error.contains("at most 255 rules"), "{error}");
    assert_eq!(body(program.address("s63"), "/a.txt").1, "of two");
    // 255 sockets are the most.
    let listens = |count: usize| ONE.replace("127.0.0.1:0", &vec!["127.0.0.1:0"; count].join("\n  "));
    program.reload(ONE).unwrap();
    program.reload(&listens(254)).unwrap();
    let all = program.addresses("one");
    assert_eq!(all.len(), 254);
    assert!(all.contains(&one));
    assert_eq!(body(all[253], "/a.txt").1, "of one");
    let error = program.reload(&listens(255)).unwrap_err();
    assert!(error.contains("255"), "{error}");
    assert_eq!(program.addresses("one").len(), 254);
    program.reload(ONE).unwrap();
    assert_eq!(program.addresses("one"), [one]);
    until("descriptors", || program.server.descriptors() <= descriptors);
}

#[test]
fn password_files_come_change_and_go() {
    let two = "[http:two]\nroot=%(here)s/two\nlisten=127.0.0.1:0\nauth_file=%(here)s/first\n";
    let program = Program::start(&[ONE, two].concat().replace("auth_file=%(here)s/first\n", ""));
    // `{SHA}` of 1 and 2.
    for (name, hash) in
        [("first", "NWoZK3kTsExUV00Ywo1G5jlUKKs="), ("second", "2kuSN7rMzfGcB2DKt67EqDWQELA=")]
    {
        give(&program.directory.file(name, format!("anna:{{SHA}}{hash}\n")));
    }
    let address = program.address("two");
    let status = |credentials: &str| {
        let line = if credentials.is_empty() {
            String::new()
        } else {
            format!("Authorization: Basic {credentials}\r\n")
        };
        let request = format!("GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{line}\r\n");
        exchange(&mut connect(address), &request).unwrap().status
    };
    let all = || (status(""), status("YW5uYTox"), status("YW5uYToy"));
    assert_eq!(all(), (200, 200, 200));
    let before = program.server.descriptors();
    for _ in 0..3 {
        program.reload(&[ONE, two].concat()).unwrap();
        assert_eq!(all(), (401, 200, 401));
        program.reload(&[ONE, two].concat().replace("first", "second")).unwrap();
        assert_eq!(all(), (401, 401, 200));
        // Both servers ask the same file, and then one of them.
        let shared = [ONE, "auth_file=%(here)s/second\n", two].concat().replace("first", "second");
        program.reload(&shared).unwrap();
        assert_eq!(all(), (401, 401, 200));
        assert_eq!(get(program.address("one"), "/a.txt").status, 401);
        program
            .reload(
                &[
                    ONE,
                    "auth_file=%(here)s/second\n",
                    &*two.replace("first", "second").replace("auth_file=%(here)s/second\n", ""),
                ]
                .concat(),
            )
            .unwrap();
        assert_eq!(all(), (200, 200, 200));
        assert_eq!(get(program.address("one"), "/a.txt").status, 401);
        program.reload(&[ONE, two].concat().replace("auth_file=%(here)s/first\n", "")).unwrap();
        assert_eq!(all(), (200, 200, 200));
        assert_eq!(get(program.address("one"), "/a.txt").status, 200);
    }
    until("descriptors", || program.server.descriptors() <= before);
}

/// A file that is on its way when the root changes arrives where it was sent.
#[test]
fn an_upload_under_way_arrives() {
    let text = ONE.replace("listen", "upload = up\nlisten");
    let directory = crate::host::site();
    for name in ["one/up/keep", "two/up/keep"] {
        let file = directory.file(name, "");
        give(file.parent().unwrap());
    }
    let program = Program::start_in(directory, &text, &[]);
    let one = program.address("one");
    let at = |name: &str| program.directory.path().join(name);
    let mut stream = connect(one);
    let put = |name: &str, length: usize| {
        format!("PUT /up/{name} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n")
    };
    stream.write_all(put("new.txt", 10).as_bytes()).unwrap();
    stream.write_all(b"first").unwrap();
    let mut monitor = program.monitor();
    until("it has come", || {
        let rows = monitor.ask("find connection where server = one show request").unwrap();
        rows.contains("new.txt")
    });
    let text = text.replace("s/one", "s/two");
    program.reload(&text).unwrap();
    let reply = exchange(&mut stream, "other").unwrap();
    assert_eq!(reply.status, 201, "{reply:?}");
    assert_eq!(std::fs::read_to_string(at("one/up/new.txt")).unwrap(), "firstother");
    assert!(!at("two/up/new.txt").exists());
    // The next one on the same connection goes to the new place.
    let reply = exchange(&mut stream, &[&*put("next.txt", 4), "next"].concat()).unwrap();
    assert_eq!(reply.status, 201);
    assert_eq!(std::fs::read_to_string(at("two/up/next.txt")).unwrap(), "next");
    // The same when the server goes: it is finished first.
    let mut stream = connect(one);
    stream.write_all(put("last.txt", 10).as_bytes()).unwrap();
    stream.write_all(b"first").unwrap();
    until("it has come", || {
        let rows = monitor.ask("find connection where server = one show request").unwrap();
        rows.contains("last.txt")
    });
    program.reload("[http:two]\nroot=%(here)s/one\nlisten=127.0.0.1:0\n").unwrap();
    stream.write_all(b"other").unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(Reply::first(&all, false).0.status, 201);
    assert_eq!(std::fs::read_to_string(at("two/up/last.txt")).unwrap(), "firstother");
}

/// Two servers write one log. When one of them goes, the other goes on, and no line is lost.
#[test]
fn a_log_of_two_servers() {
    let two = "[http:two]\nroot=%(here)s/two\nlisten=127.0.0.1:0\naccess_log=%(here)s/log/access.log\n";
    let directory = crate::host::site();
    give(directory.file("log/keep", "").parent().unwrap());
    let text = [ONE, "access_log=%(here)s/log/access.log\n"].concat();
    let program = Program::start_in(directory, &[&*text, two].concat(), &[]);
    let log = program.directory.path().join("log/access.log");
    let (one, gone) = (program.address("one"), program.address("two"));
    let mut kept = connect(one);
    assert_eq!(get(gone, "/a.txt?1").status, 200);
    exchange(&mut kept, &asking("/a.txt?2")).unwrap();
    program.reload(&text).unwrap();
    exchange(&mut kept, &asking("/a.txt?3")).unwrap();
    until("lines 1", || is_there(&log, "?1") && is_there(&log, "?2") && is_there(&log, "?3"));
    program.reload(&[&*text, two].concat()).unwrap();
    assert_eq!(get(program.address("two"), "/a.txt?4").status, 200);
    // To another file and back.
    program.reload(&text.replace("access.log", "other.log")).unwrap();
    exchange(&mut kept, &asking("/a.txt?5")).unwrap();
    until("lines 2", || is_there(&log, "?4") && is_there(&log.with_file_name("other.log"), "?5"));
    assert!(!is_there(&log, "?5"));
    // Renamed, and opened anew on request.
    program.reload(&text).unwrap();
    std::fs::rename(&log, log.with_file_name("old.log")).unwrap();
    program.monitor().ask("call /log reopen").unwrap();
    exchange(&mut kept, &closing("/a.txt?6")).unwrap();
    until("lines 3", || is_there(&log, "?6"));
    let mut rest = Vec::new();
    kept.read_to_end(&mut rest).unwrap();
}
