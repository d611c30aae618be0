//! Watches: samples, slow watchers, the log that is followed.

use super::*;
use crate::monitor::session::WATCHES;

impl Peer {
    fn after(&mut self, milliseconds: u64) -> String {
        self.tree.now += milliseconds;
        self.settle(usize::MAX)
    }
}

#[test]
fn samples_come_when_they_are_due() {
    let mut peer = Peer::new(Role::View);
    peer.script(&[("@w watch /loop turns", "=w ok 0\n!w 20\n/loop.turns=1000000\n")]);
    assert_eq!(peer.due, Some(1_001_000));
    assert!(!peer.sessions.is_idle());
    assert_eq!(peer.after(999), "");
    assert_eq!(peer.after(1), "!w 20\n/loop.turns=1001000\n");
    // Commands are answered between them.
    assert_eq!(peer.ask("ls /loop"), "ok\n");
    peer.script(&[(
        "@v json watch find http where not hidden show hidden every 250ms",
        "=v ok 0\n!v 78\n{\"path\":\"/http/main\",\"hidden\":false}\n{\"path\":\"/http/v1.local\",\"hidden\":false}\n",
    )]);
    assert!(peer.after(250).starts_with("!v 78\n"));
    // Those that were due and not asked for are dropped and counted.
    let both = peer.after(3_000);
    assert!(both.contains("!w 39\n/watch w dropped=2\n/loop.turns=1004250\n"), "{both}");
    assert!(
        both.contains("{\"path\":\"/watch\",\"tag\":\"v\",\"dropped\":11}\n{\"path\":\"/http/main\""),
        "{both}"
    );
    peer.script(&[
        ("@v watch /loop", "=v conflict 28\nthere is a watch of that tag"),
        ("unwatch v", "ok\n"),
        ("unwatch v", "error missing there is no watch of the tag v\n"),
        ("unwatch", "ok\n"),
        ("unwatch", "ok\n"),
        ("unwatch a b", "error syntax expected the end, not b\n"),
    ]);
    assert_eq!((peer.after(5_000).as_str(), peer.due), ("", None));
    assert!(peer.sessions.is_idle());
}

#[test]
fn what_cannot_be_watched() {
    let mut peer = Peer::new(Role::Admin);
    peer.script(&[
        ("watch", "error syntax expected a path\n"),
        ("watch /htp", "error unknown no kind is named htp; did you mean http?\n"),
        ("watch /http/mian", "error missing there is no /http/mian\n"),
        ("watch /http/main rot", "error unknown http has no attribute rot; did you mean root?\n"),
        ("watch /loop every", "error syntax expected a time behind every\n"),
        (
            "watch /loop every 99ms",
            "error invalid expected a time of at least 100ms behind every, not 99ms\n",
        ),
        ("watch /loop every day", "error invalid expected a time of at least 100ms behind every, not day\n"),
        ("watch /loop every 1s x", "error syntax expected the end, not x\n"),
        ("watch find", "error syntax expected a kind\n"),
        ("watch find http | stop", "error syntax expected no | but behind find\n"),
    ]);
    for number in 0..WATCHES {
        assert!(
            peer.ask(&format!("@{number} watch /loop turns every 1h"))
                .starts_with(&format!("={number} ok 0\n"))
        );
    }
    assert_eq!(peer.ask("@x watch /loop"), "=x limit 31\na session has at most 8 watches");
    assert_eq!(peer.ask("log follow"), "error limit a session has at most 8 watches\n");
    assert_eq!(peer.ask("@quit quit"), "=quit ok 0\n");
    assert!(peer.session().is_over() && peer.after(7_200_000).is_empty() && peer.due.is_none());
}

#[test]
fn without_a_tag_it_ends_with_the_next_line() {
    let mut peer = Peer::new(Role::View);
    assert_eq!(peer.ask("watch /loop turns; ls /loop"), "ok\n/loop.turns=1000000\n\nok\n");
    assert_eq!(peer.after(1000), "/loop.turns=1001000\n\n");
    for (line, answer) in [
        ("", ""),
        ("# well", ""),
        ("ls /loop", "ok\n"),
        (&"x".repeat(5000), "error limit a line has at most 4096 bytes, its end included\n"),
    ] {
        assert_eq!(peer.ask("watch /loop turns").lines().next(), Some("ok"));
        assert_eq!(peer.ask(line), answer);
        assert_eq!((peer.after(9000).as_str(), peer.due), ("", None), "{line}");
    }
    // With one it goes on.
    peer.ask("@w watch /loop turns");
    assert_eq!(peer.ask(""), "");
    assert!(peer.after(1000).starts_with("!w "));
}

#[test]
fn a_slow_watcher_loses_samples_and_costs_nothing() {
    let mut peer = Peer::with(Role::View, MemoryTree::new().with_connections(40), 64 << 10);
    peer.session().feed(b"@w watch find connection show idle every 1s\n");
    peer.work();
    let first = peer.session().output().len();
    assert!(first > 500);
    // Nothing is read, or a little of it.
    for taken in [0, 10, 10] {
        peer.session().sent(taken);
        for _ in 0..100 {
            peer.tree.now += 1000;
            peer.work();
            assert_eq!(peer.due, Some(peer.tree.now + 1000));
        }
    }
    assert_eq!(peer.session().output().len(), first - 20);
    peer.session().sent(first);
    assert!(peer.settle(usize::MAX).is_empty());
    let next = peer.after(1000);
    assert!(next.starts_with("!w "), "{next}");
    assert_eq!(next.lines().nth(1), Some("/watch w dropped=300"));
    assert_eq!(next.lines().count(), 42);
}

#[test]
fn a_sample_that_is_too_long_is_cut_and_says_so() {
    let mut peer = Peer::with(Role::View, MemoryTree::new().with_connections(300), 2000);
    let sample = peer.ask("@w watch find connection show idle");
    let (head, rest) = sample.strip_prefix("=w ok 0\n!w ").unwrap().split_once('\n').unwrap();
    assert_eq!(head.parse(), Ok(rest.len()));
    let rows = rest.matches("/connection/").count();
    assert!(rows > 20 && rest.len() < 1100, "{rest}");
    assert_eq!(rest.lines().last(), Some(format!("/watch w left={}", 300 - rows).as_str()));
    assert_eq!(peer.after(1000), sample.strip_prefix("=w ok 0\n").unwrap());
}

#[test]
fn a_node_that_goes_ends_its_watch() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(3), 64 << 10);
    assert!(peer.ask("@w watch /connection/1-7 peer").ends_with("/connection/1-7.peer=10.0.0.1\n"));
    peer.ask("call /connection/1-7 close");
    assert_eq!(peer.after(1000), "!w 44\n/watch w over=\"there is no /connection/1-7\"\n");
    assert_eq!((peer.after(1000).as_str(), peer.due), ("", None));
    // All of a kind may be none.
    peer.ask("@a watch /connection/* peer; find connection | close");
    assert_eq!(peer.after(1000), "!a 0\n");
    assert_eq!(peer.after(1000), "!a 0\n");
}

#[test]
fn the_log_is_followed() {
    let mut peer = Peer::new(Role::View);
    peer.tree.note(&["first"]);
    peer.script(&[("@l log follow", "=l ok 0\n!l 8\n  first\n"), ("@m log follow 0", "=m ok 0\n")]);
    assert!(peer.due.is_none() && !peer.sessions.is_idle());
    peer.tree.note(&["second"]);
    assert_eq!(peer.settle(usize::MAX), "!l 9\n  second\n!m 9\n  second\n");
    assert_eq!(peer.ask("unwatch m"), "ok\n");
    // Many come in pieces, and those that are not kept are counted.
    for number in 0..100_u32 {
        peer.tree.note(&["event ", &number.to_string()]);
    }
    let pushed = peer.settle(usize::MAX);
    assert_eq!(pushed.matches("!l ").count(), 2);
    assert!(pushed.contains("\n/watch l dropped=36\n  event 36\n"), "{pushed}");
    assert_eq!(pushed.matches("event").count(), 64);
    assert!(pushed.ends_with("  event 99\n"));
    assert_eq!(peer.settle(usize::MAX), "");
    // Untagged, for people.
    peer.ask("unwatch");
    assert_eq!(peer.ask("log follow 1"), "ok\n  event 99\n\n");
    peer.tree.note(&["more"]);
    assert_eq!(peer.settle(usize::MAX), "  more\n\n");
    assert_eq!(peer.ask("json log follow 0 x"), "error syntax expected the end, not x\n");
}

#[test]
fn watches_end_with_the_input() {
    let mut peer = Peer::new(Role::View);
    peer.session().feed(b"@w watch /loop turns\nls /loop");
    peer.settle(usize::MAX);
    peer.session().feed(b"ls /loop\n");
    peer.session().end_input();
    assert_eq!(peer.settle(usize::MAX), "ok\n");
    assert!(peer.session().is_over());
    assert_eq!((peer.after(5000).as_str(), peer.due), ("", None));
}
