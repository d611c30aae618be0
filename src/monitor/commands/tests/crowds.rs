//! Many nodes, many sessions, little room.

use super::*;
use crate::monitor::request::LINE;

/// What is asked of everybody here.
const SCRIPT: &str = "hello; ls\n@1 get /http/main; @2 find connection where idle > 3s show peer,user sort peer\r\n\
                      # a remark\n\n@3 eval; json get /http/*\n@4 help; schema connection\nfind connection limit 9 | poke\n\
                      @5 find connection\nlog 3; @6 call /config diff; save; \"x\n@7 json find connection; quit\nls\n";

fn crowd(room: usize) -> Peer {
    Peer::with(Role::View, MemoryTree::new().with_connections(120), room)
}

fn whole() -> String {
    crowd(64 << 10).ask(SCRIPT)
}

/// The parts of tagged replies put together, and the rest.
fn unframed(answer: &str) -> (Vec<(String, String)>, String) {
    let (mut bodies, mut rest, mut at) = (Vec::<(String, String)>::new(), String::new(), answer);
    while !at.is_empty() {
        let (line, after) = at.split_once('\n').unwrap();
        at = after;
        if !line.starts_with(['+', '=', '!']) {
            rest.extend([line, "\n"]);
            continue;
        }
        let (head, length) = line.rsplit_once(' ').unwrap();
        let (body, after) = at.split_at(length.parse().unwrap());
        at = after;
        let tag = head[1..].split(' ').next().unwrap().to_owned();
        match bodies.iter_mut().find(|(other, _)| *other == tag) {
            Some((_, whole)) => whole.push_str(body),
            None => bodies.push((tag, body.to_owned())),
        }
        assert!(bodies.iter().filter(|(other, _)| head.starts_with('=') && other == head).count() == 0);
    }
    (bodies, rest)
}

#[test]
fn input_may_come_in_any_pieces() {
    let whole = whole();
    assert!(whole.len() > 10_000, "{whole}");
    for split in 0..=SCRIPT.len() {
        let mut peer = crowd(64 << 10);
        let mut out = String::new();
        for piece in [&SCRIPT.as_bytes()[..split], &SCRIPT.as_bytes()[split..]] {
            let mut piece = piece;
            while !piece.is_empty() && !peer.session().is_over() {
                let used = peer.session().feed(piece);
                piece = &piece[used..];
                out.push_str(&peer.settle(usize::MAX));
            }
        }
        assert_eq!(out, whole, "{split}");
    }
    let mut peer = crowd(64 << 10);
    let mut out = String::new();
    for byte in SCRIPT.bytes() {
        if peer.session().is_over() {
            break;
        }
        assert_eq!(peer.session().feed(&[byte]), 1);
        out.push_str(&peer.settle(usize::MAX));
    }
    assert_eq!(out, whole);
}

#[test]
fn output_waits_for_room() {
    let whole = unframed(&whole());
    for (room, taken) in [(1, 1), (1, 1000), (100, 7), (1000, 1000), (5000, 300)] {
        let mut peer = crowd(room);
        let mut input = SCRIPT.as_bytes();
        let mut out = Vec::new();
        let mut longest = 0;
        for turn in 0.. {
            assert!(turn < 100_000);
            if peer.session().wants_input() {
                let used = peer.session().feed(input);
                input = &input[used..];
            }
            peer.work();
            let session = peer.session();
            longest = longest.max(session.output().len());
            let count = session.output().len().min(taken);
            out.extend_from_slice(&session.output()[..count]);
            session.sent(count);
            if session.is_over() && session.output().is_empty() {
                break;
            }
        }
        assert!(longest < room + 500, "{longest} in {room}");
        assert_eq!(unframed(&String::from_utf8(out).unwrap()), whole, "{room} {taken}");
    }
}

#[test]
fn a_peer_that_does_not_read_is_not_read_either() {
    let mut peer = crowd(4000);
    let lines = "find connection\n".repeat(1000);
    let mut used = 0;
    for _ in 0..1000 {
        used += peer.session().feed(&lines.as_bytes()[used..]);
        peer.work();
    }
    assert_eq!(used, "find connection\n".len());
    assert!(peer.session().output().len() < 4200 && !peer.session().wants_input());
    assert_eq!(peer.due, None, "there is nothing to do before something is sent");
}

#[test]
fn lines_that_are_too_long() {
    let told = "error limit a line has at most 4096 bytes, its end included\n";
    let mut peer = crowd(64 << 10);
    let fits = ["ls /loop", &" ".repeat(LINE - 9)].concat();
    assert_eq!(peer.ask(&fits), "ok\n");
    assert_eq!(peer.ask(&[&fits, " "].concat()), told);
    assert_eq!(
        peer.ask(&["@t ", &"x".repeat(100_000), "\nls /loop"].concat()),
        "=t limit 47\na line has at most 4096 bytes, its end includedok\n"
    );
    // One without an end, in pieces: answered once, whatever comes.
    for _ in 0..100 {
        let mut piece: &[u8] = &[b'x'; 1000];
        while !piece.is_empty() {
            let used = peer.session().feed(piece);
            piece = &piece[used..];
            peer.work();
        }
    }
    assert_eq!(peer.settle(usize::MAX), told);
    assert_eq!(peer.ask("\nls /loop"), "ok\n");
    // Asked without end by somebody who does not listen.
    let mut peer = crowd(100);
    let lines = "x".repeat(LINE + 10) + "\n";
    let mut used = 0;
    for _ in 0..100 {
        used += peer.session().feed(lines.repeat(20).as_bytes().get(used..).unwrap_or_default());
        peer.work();
    }
    assert!(used < 4 * lines.len() && peer.session().output().len() < 200);
}

#[test]
fn bytes_that_are_no_text() {
    let mut peer = crowd(64 << 10);
    let mut ask = |bytes: &[u8]| {
        peer.session().feed(bytes);
        peer.settle(usize::MAX)
    };
    assert_eq!(ask(b"ls \xff; ls\n"), "error syntax expected UTF-8\n");
    assert_eq!(ask(b"@t ls \xff; ls\n"), "=t syntax 14\nexpected UTF-8");
    assert_eq!(ask(b"ls /\0\n"), "error unknown no kind is named \\x00\n");
    assert_eq!(ask("ls /\u{e9}\n".as_bytes()), "error unknown no kind is named \u{e9}\n");
}

#[test]
fn what_was_sent_is_answered_before_the_end() {
    let mut peer = crowd(64 << 10);
    peer.session().feed(b"ls /loop; ls /loop\n");
    peer.session().end_input();
    assert!(!peer.session().is_over());
    assert_eq!(peer.settle(usize::MAX), "ok\nok\n");
    assert!(peer.session().is_over() && peer.session().feed(b"ls\n") == 0);
    for input in ["", "ls /loop\n", "# nothing"] {
        let mut peer = crowd(64 << 10);
        peer.ask(input.trim());
        peer.session().end_input();
        assert!(peer.session().is_over(), "{input}");
    }
}

/// What was to come behind it may say something else: `max_connections=10` was the front of `max_connections=1000`.
#[test]
fn of_half_a_line_nothing_is_done() {
    for (line, told) in [
        ("set /http/main backlog=1", "error syntax the line has no end; nothing of it is done\n"),
        ("set /http/main backlog=1\r", "error syntax the line has no end; nothing of it is done\n"),
        ("@t set /http/main backlog=1; ls", "=t syntax 42\nthe line has no end; nothing of it is done"),
    ] {
        let mut peer = Peer::new(Role::Admin);
        peer.session().feed(line.as_bytes());
        peer.session().end_input();
        assert!(!peer.session().is_over());
        assert_eq!(peer.settle(usize::MAX), told);
        assert!(peer.session().is_over() && peer.tree.log().next().is_none());
    }
}

#[test]
fn a_hundred_thousand_connections_are_looked_at_in_slices() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(100_000), 64 << 10);
    let other = peer.join(Role::View);
    peer.session().feed(b"find connection where idle = 99s show idle\n");
    let mut turns = 0;
    let mut rows = 0;
    while peer.session().has_work() || turns == 0 {
        turns += 1;
        let (gets, names) = (peer.tree.calls[1], peer.tree.calls[0]);
        // Somebody else is answered in the same turn.
        peer.sessions.get(other).unwrap().feed(b"ls /loop\n");
        peer.work();
        assert_eq!(peer.sessions.get(other).unwrap().output(), b"ok\n");
        peer.sessions.get(other).unwrap().sent(3);
        assert!(peer.tree.calls[1] - gets <= u64::from(2 * NODES) && peer.tree.calls[0] - names <= 8);
        let session = peer.session();
        rows += session.output().split(|byte| *byte == b'\n').count() - 1;
        let count = session.output().len();
        session.sent(count);
    }
    assert_eq!(rows, 1001);
    assert!(turns > 300, "{turns}");

    // One that finds nothing wakes nobody before its end.
    peer.woken.clear();
    assert_eq!(peer.ask("find connection where idle > 1h"), "ok\n");
    assert!(peer.woken.len() <= 2, "{}", peer.woken.len());

    peer.script(&[
        (
            "find connection sort sent",
            "error limit sort keeps at most 4096 rows; a limit or a narrower where helps\n",
        ),
        (
            "find connection sort -idle limit 2 show idle",
            "/connection/99-693 idle=99s\n/connection/199-1393 idle=99s\nok\n",
        ),
        (
            "find connection sort idle limit 5000",
            "error limit sort keeps at most 4096 rows; a limit or a narrower where helps\n",
        ),
    ]);
    assert_eq!(peer.ask("find connection where idle < 4s sort peer show peer").lines().count(), 4001);
    assert_eq!(
        peer.ask("find connection where idle < 50s | set traced=on"),
        "/connection found=50000 done=50000\nok\n"
    );
    assert_eq!(peer.ask("find connection where traced | close"), "/connection found=50000 done=50000\nok\n");
    assert_eq!(peer.tree.count("connection"), 50_000);
    assert!(peer.tree.log().count() < 64);
}

#[test]
fn sessions_take_turns() {
    let mut peer = Peer::with(Role::View, MemoryTree::new().with_connections(5000), 1 << 20);
    let others = [peer.join(Role::View), peer.join(Role::View)];
    for number in [peer.number, others[0], others[1]] {
        peer.sessions.get(number).unwrap().feed(b"find connection show idle\n");
    }
    for _ in 0..12 {
        peer.work();
    }
    let lengths = [1, 2, 3].map(|number| peer.sessions.get(number).unwrap().output().len());
    let (least, most) = (lengths.iter().min().unwrap(), lengths.iter().max().unwrap());
    assert!(*least > 0 && most - least < most / 3, "{lengths:?}");
    // Numbers are used again; a closed session is nobody's.
    peer.sessions.close(2);
    peer.sessions.close(2);
    peer.sessions.close(0);
    assert!(
        peer.sessions.get(2).is_none() && peer.sessions.get(0).is_none() && peer.sessions.get(9).is_none()
    );
    assert_eq!((peer.join(Role::View), peer.sessions.count(), peer.sessions.iter().count()), (2, 3, 3));
}
