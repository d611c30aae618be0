//! What changes something: roles, transactions, changes for a time, what is noted.

use super::*;

fn last(peer: &Peer) -> String {
    peer.tree.log().last().unwrap_or_default().to_owned()
}

#[test]
fn setting() {
    let mut peer = Peer::new(Role::Admin);
    peer.script(&[
        ("set /http/main write_buffer=256K hidden=yes", "ok\n"),
        ("get /http/main write_buffer hidden", "/http/main.write_buffer=256K\n/http/main.hidden=on\nok\n"),
        ("set /http/main.write_buffer=auto:4K..64K", "ok\n"),
        ("get /http/main.write_buffer", "/http/main.write_buffer=auto:4K..64K\nok\n"),
        (
            "json get /http/main.write_buffer",
            "{\"path\":\"/http/main\",\"write_buffer\":\"auto:4K..64K\"}\nok\n",
        ),
        ("set /http/v1.local.hidden=on enabled=off", "ok\n"),
        ("get /http/v1.local enabled hidden", "/http/v1.local.enabled=off\n/http/v1.local.hidden=on\nok\n"),
    ]);
    let log: Vec<&str> = peer.tree.log().collect();
    let who = "anna from 127.0.0.1: /http/";
    assert_eq!(
        log,
        [
            [who, "main.write_buffer=256K, was 16K"].concat(),
            [who, "main.hidden=yes, was off"].concat(),
            [who, "main.write_buffer=auto:4K..64K, was 256K"].concat(),
            [who, "v1.local.hidden=on, was off"].concat(),
            [who, "v1.local.enabled=off, was on"].concat(),
        ]
    );
    let changes = peer.tree.calls[2];
    peer.script(&[
        ("set", "error syntax expected a path\n"),
        ("set /http/main", "error syntax expected KEY=VALUE\n"),
        ("set /http/main hidden", "error syntax expected KEY=VALUE, not hidden\n"),
        ("set /http/main =x", "error syntax expected KEY=VALUE, not =x\n"),
        ("set /http/main=x", "error syntax expected a path and KEY=VALUE\n"),
        ("set /http/main hidden=on hidden=off", "error conflict hidden is there twice\n"),
        ("set /http/mian hidden=on", "error missing there is no /http/mian\n"),
        ("set /http hidden=on", "error missing there is no /http\n"),
        ("set /http/* hidden=on", "error missing there is no /http/*\n"),
        ("set /htp/main hidden=on", "error unknown no kind is named htp; did you mean http?\n"),
        ("set /http/main hiden=on", "error unknown http has no attribute hiden; did you mean hidden?\n"),
        ("set /http/main requests=1", "error refused requests is a fact; nobody sets it\n"),
        ("set /http/main root=/", "error refused root changes only when the program starts\n"),
        ("set /http/main hidden=maybe", "error invalid hidden: expected on or off\n"),
        (
            "set /http/main hidden=off idle_timeout=0",
            "error invalid idle_timeout: expected a time such as 200ms, 10s or 5m, from 1ms to 1h\n",
        ),
        (
            "set /http/main hidden=off for",
            "error invalid expected a time such as 10m behind for, and no more\n",
        ),
        (
            "set /http/main hidden=off for ever",
            "error invalid expected a time such as 10m behind for, and no more\n",
        ),
        ("set /handler/main/files match=/forbidden", "error invalid not that one\n"),
    ]);
    // Only the last of them came so far.
    assert_eq!(peer.tree.calls[2], changes + 1);
    assert_eq!(peer.tree.read("/http/main", "hidden"), "on");
}

#[test]
fn all_or_none_is_set() {
    let mut peer = Peer::new(Role::Admin);
    peer.script(&[(
        "begin; set /handler/main/status enabled=off; set /handler/main/files match=/forbidden; commit",
        "ok\nok\nok\nerror invalid not that one\n",
    )]);
    assert_eq!(peer.tree.read("/handler/main/status", "enabled"), "on");
    assert_eq!(peer.tree.log().count(), 0);
}

#[test]
fn roles() {
    let commands = [
        ("set /http/main hidden=on", Role::Operate),
        ("set /http/main enabled=off", Role::Admin),
        ("set /http/main hidden=on enabled=off", Role::Admin),
        ("call /http/main drain", Role::Operate),
        ("call /http/main stop", Role::Admin),
        ("call /config diff", Role::View),
        ("call /config add /http/x", Role::Admin),
        ("find http | drain", Role::Operate),
        ("find http | stop", Role::Admin),
        ("find http | set hidden=on", Role::Operate),
        ("begin; set /http/main enabled=off; commit", Role::Admin),
        ("save", Role::Admin),
        ("ls; hello; log; schema; help; get /http/*; find http; watch /loop; begin; abort", Role::View),
    ];
    for (command, least) in commands {
        for role in [Role::View, Role::Operate, Role::Admin] {
            let mut peer = Peer::new(role);
            let answer = peer.ask(command);
            let refused = answer.matches("error refused").count();
            assert_eq!(refused, usize::from(role < least), "{command}: {answer}");
            assert_eq!(peer.session().refused, refused as u64);
            assert_eq!(
                peer.tree.calls[2..],
                if role < least { [0, 0] } else { peer.tree.calls[2..].try_into().unwrap() }
            );
            if role < least {
                let told = ["; yours is ", roles::word(role), "\n"].concat();
                assert!(answer.contains(&told) && answer.contains(" is for the role "), "{answer}");
                assert_eq!(peer.tree.log().count(), 0);
            }
        }
    }
}

#[test]
fn calling() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(3), 64 << 10);
    peer.script(&[
        ("call /connection/1-7 close", "ok\n"),
        ("call /connection/1-7 close", "error missing there is no /connection/1-7\n"),
        ("call /connection/0-0 poke", "error failed it does not move\n"),
        ("call /http/main drain", "  draining\nok\n"),
        ("json call /http/main drain", "{\"text\":\"draining\"}\nok\n"),
        ("call /http/main drain now", "error syntax drain takes no words\n"),
        // Text never ends a reply.
        ("call /config diff", "  ok\n  error\n/http/main.hidden=on\nok\n"),
        ("call /config add /http/new hidden=on", "ok\n"),
        ("get /http/new.hidden", "/http/new.hidden=on\nok\n"),
        ("call /handler/main/files move before \"main/a b\"", "ok\n"),
        ("call /handler/main/files move before \"a\\nb\"", "ok\n"),
        ("call /config add", "error syntax expected add PATH [KEY=VALUE ...]\n"),
        ("call /config add /http/y hidden", "error syntax expected add PATH [KEY=VALUE ...]\n"),
        ("call /http/main stop for 2s", "error syntax stop takes no words\n"),
        ("call /handler/main/files remove if-empty", "error syntax remove takes no words\n"),
        (
            "call /handler/main/files move up",
            "error syntax expected move first | last | before NAME | after NAME\n",
        ),
        // Also where nothing is found.
        ("find connection where idle = 9h | close x", "error syntax close takes no words\n"),
        ("find http where hidden and not hidden | stop x", "error syntax stop takes no words\n"),
        ("call", "error syntax expected a path\n"),
        ("call /http/main", "error syntax expected a method\n"),
        ("call /http/main strat", "error unknown http has no method strat\n"),
        ("call /http/main drian", "error unknown http has no method drian; did you mean drain?\n"),
        ("call /http/mian drain", "error missing there is no /http/mian\n"),
        ("call /x/main drain", "error unknown no kind is named x\n"),
    ]);
    let log: Vec<&str> = peer.tree.log().collect();
    assert_eq!(log[0], "anna from 127.0.0.1: /connection/1-7 close");
    assert_eq!(log[1], "anna from 127.0.0.1: /http/main drain");
    assert_eq!(log[4], "anna from 127.0.0.1: /config add /http/new hidden=on");
    assert_eq!(log[6], "anna from 127.0.0.1: /handler/main/files move before a\\nb");
    assert_eq!(log.len(), 7);
}

/// A client that sends all at once does not look whether each of it was well.
#[test]
fn what_fails_spoils_a_transaction() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new(), 64 << 10);
    let spoilt = "error conflict a command since begin failed, so nothing was done\n";
    for (bad, error) in [
        ("begin", "error conflict a transaction is open; commit or abort ends it\n"),
        ("set /http/main hidden=maybe", "error invalid hidden: expected on or off\n"),
        ("set /http/main hidden=off for 1m", "error conflict in a transaction nothing is set for a time\n"),
        ("set /http/new hidden=on", "error missing there is no /http/new\n"),
        ("find handler | set enabled=maybe", "error invalid enabled: expected on or off\n"),
    ] {
        let line = ["begin; set /http/main hidden=on; ", bad, "; set /http/main clients=a; commit"].concat();
        let answer = ["ok\nok\n", error, "ok\n", spoilt].concat();
        peer.script(&[
            (&line, &answer),
            ("get /http/main.hidden", "/http/main.hidden=off\nok\n"),
            ("commit", "error conflict no transaction is open; begin opens one\n"),
            ("begin", "ok\n"),
            (bad, error),
            ("abort", "ok\n"),
            // What failed before it was begun is no matter.
            ("set /http/main hidden=maybe", "error invalid hidden: expected on or off\n"),
            ("begin; set /http/main hidden=on; commit; set /http/main hidden=off", "ok\nok\nok\nok\n"),
        ]);
    }
}

#[test]
fn transactions() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(100), 64 << 10);
    peer.script(&[
        ("commit", "error conflict no transaction is open; begin opens one\n"),
        ("abort", "error conflict no transaction is open; begin opens one\n"),
        ("begin", "ok\n"),
        ("set /http/main hidden=on", "ok\n"),
        ("call /config add /http/new enabled=off", "ok\n"),
        // Now there will be one.
        ("set /http/new hidden=on", "ok\n"),
        ("find handler | set enabled=off", "/handler found=2 done=2\nok\n"),
        ("call /handler/main/files remove", "ok\n"),
        // What does not configure is done at once.
        ("call /connection/1-7 close", "ok\n"),
        ("get /http/main.hidden", "/http/main.hidden=off\nok\n"),
        ("get /handler/*.enabled", "/handler/main/files.enabled=on\n/handler/main/status.enabled=on\nok\n"),
    ]);
    assert_eq!((peer.tree.calls[2], peer.tree.log().count()), (0, 1));
    peer.script(&[
        ("commit", "ok\n"),
        ("get /http/*.hidden", "/http/main.hidden=on\n/http/new.hidden=on\n/http/v1.local.hidden=off\nok\n"),
        ("get /handler/*.enabled", "/handler/main/status.enabled=off\nok\n"),
        ("commit", "error conflict no transaction is open; begin opens one\n"),
    ]);
    assert_eq!(peer.tree.calls[2], 1, "all in one");
    assert_eq!(peer.tree.log().count(), 1 + 6);
    peer.script(&[
        ("begin; set /http/main hidden=off; abort", "ok\nok\nok\n"),
        ("get /http/main.hidden", "/http/main.hidden=on\nok\n"),
        ("begin; commit", "ok\nok\n"),
        ("begin", "ok\n"),
    ]);
    // The limit.
    peer.script(&[
        ("find connection limit 90 | set traced=on write_buffer=1K", "/connection found=90 done=90\nok\n"),
        (
            "find connection limit 90 | set traced=on",
            "/connection found=90 done=0\nerror limit a transaction has at most 256 steps\n",
        ),
        ("set /http/main hidden=off; set /http/main clients=a", "ok\nok\n"),
    ]);
    for _ in 0..74 {
        assert_eq!(peer.ask("set /http/main hidden=off"), "ok\n");
    }
    assert_eq!(peer.ask("set /http/main hidden=off"), "error limit a transaction has at most 256 steps\n");
    assert_eq!(peer.ask("commit"), "error conflict a command since begin failed, so nothing was done\n");
    assert_ne!(peer.tree.read("/connection/5-35", "write_buffer"), "1K");
    // A session that goes leaves nothing.
    peer.script(&[("begin; set /http/main hidden=off", "ok\nok\n"), ("quit", "ok\n")]);
    assert_eq!(peer.tree.read("/http/main", "hidden"), "on");
}

#[test]
fn changes_for_a_time() {
    let mut peer = Peer::new(Role::Admin);
    let set = |peer: &mut Peer, time: u64| {
        peer.tree.now += time;
        peer.settle(usize::MAX);
        peer.tree.read("/http/main", "write_buffer")
    };
    // It comes back by itself.
    peer.script(&[("set /http/main write_buffer=256K hidden=on for 10m", "ok\n")]);
    assert_eq!(last(&peer), "anna from 127.0.0.1: /http/main.hidden is off again in 10m");
    assert_eq!(peer.due, Some(peer.tree.now + 600_000));
    assert!(!peer.sessions.is_idle());
    assert_eq!(set(&mut peer, 599_999), "256K");
    assert_eq!(set(&mut peer, 1), "16K");
    assert_eq!(peer.tree.read("/http/main", "hidden"), "off");
    assert!(last(&peer).starts_with("anna from 127.0.0.1: time is over: /http/main."), "{}", last(&peer));
    assert!(peer.due.is_none() && peer.sessions.is_idle());

    // Kept, in part.
    peer.script(&[
        ("set /http/main write_buffer=256K hidden=on for 1s", "ok\n"),
        ("keep /http/main hidden", "ok\n"),
        ("keep /http/main hidden", "error conflict nothing of /http/main is set for a time\n"),
    ]);
    assert_eq!(last(&peer), "anna from 127.0.0.1: keep 1 of /http/main");
    assert_eq!(
        (set(&mut peer, 1000).as_str(), peer.tree.read("/http/main", "hidden").as_str()),
        ("16K", "on")
    );

    // Kept, all of it.
    peer.script(&[("set /http/main write_buffer=1K hidden=off for 1s; keep /http/main", "ok\nok\n")]);
    assert_eq!(
        (set(&mut peer, 1000).as_str(), peer.tree.read("/http/main", "hidden").as_str()),
        ("1K", "off")
    );
    peer.script(&[("set /http/main write_buffer=2K for 1s; keep /http/main.write_buffer", "ok\nok\n")]);
    assert_eq!(set(&mut peer, 1000), "2K");

    // Set again to stay; set again for a time, where the first value comes back.
    peer.script(&[("set /http/main write_buffer=4K for 1s; set /http/main write_buffer=8K", "ok\nok\n")]);
    assert_eq!(set(&mut peer, 1000), "8K");
    peer.script(&[(
        "set /http/main write_buffer=1K for 1s; set /http/main write_buffer=2K for 3s",
        "ok\nok\n",
    )]);
    assert_eq!(set(&mut peer, 1000), "2K");
    assert_eq!(set(&mut peer, 2000), "8K");
    peer.script(&[("set /http/main write_buffer=1K for 1s", "ok\n")]);
    peer.script(&[(
        "find http where write_buffer = 1K | set write_buffer=16K",
        "/http found=1 done=1\nok\n",
    )]);
    assert_eq!(set(&mut peer, 1000), "16K");

    // Somebody else changed it meanwhile, or the node is gone: nothing is set back.
    peer.script(&[("set /http/main write_buffer=1K for 1s", "ok\n")]);
    let step =
        crate::tree::Step::Set { path: "/http/main".into(), key: "write_buffer".into(), text: "2K".into() };
    peer.tree.change(&[step], &actor(Role::Admin)).unwrap();
    assert_eq!(set(&mut peer, 1000), "2K");
    peer.script(&[("set /handler/main/files match=/a for 1s; call /handler/main/files remove", "ok\nok\n")]);
    assert_eq!(set(&mut peer, 1000), "2K");
    assert_eq!(last(&peer), "anna from 127.0.0.1: /handler/main/files remove");

    // It outlives its session; what cannot be set back is noted.
    peer.script(&[("set /http/main write_buffer=1K for 1s; quit", "ok\nok\n")]);
    peer.sessions.close(1);
    assert!(peer.sessions.count() == 0 && !peer.sessions.is_idle());
    peer.tree.fails = Some(crate::tree::Trouble::new(Code::Failed, &["no room"]));
    peer.tree.now += 1000;
    peer.work();
    let told =
        "anna from 127.0.0.1: time is over: /http/main.write_buffer=2K failed, and is tried again: no room";
    assert_eq!((peer.due, last(&peer).as_str()), (Some(peer.tree.now + 10_000), told));
    // It is tried again, and noted as a failure once.
    let noted = peer.tree.log().count();
    peer.tree.fails = Some(crate::tree::Trouble::new(Code::Failed, &["no room"]));
    peer.tree.now += 10_000;
    peer.work();
    assert_eq!((peer.due, peer.tree.log().count()), (Some(peer.tree.now + 10_000), noted));
    peer.tree.now += 10_000;
    peer.work();
    assert_eq!((peer.due, peer.tree.read("/http/main", "write_buffer").as_str()), (None, "2K"));
    assert_eq!(last(&peer), "anna from 127.0.0.1: time is over: /http/main.write_buffer=2K, was 1K");
    assert!(peer.sessions.is_idle());

    let mut peer = Peer::new(Role::View);
    peer.sessions.timed.push(Box::new(crate::monitor::timed::Change {
        path: "/http/main".into(),
        key: "hidden".into(),
        node: "/http/main".into(),
        back: "off".into(),
        due: u64::MAX,
        set: "on".into(),
        actor: actor(Role::Admin),
        failed: false,
    }));
    peer.script(&[
        ("keep", "/http/main attribute=hidden value=on earlier=off left=18446744073708551s\nok\n"),
        ("keep /http/mian", "error missing there is no /http/mian\n"),
        ("keep /http/main hiden", "error unknown http has no attribute hiden; did you mean hidden?\n"),
        ("keep /http/main root", "error conflict nothing of /http/main is set for a time\n"),
        ("keep /http/main", "error refused hidden is for the role operate; yours is view\n"),
    ]);
}

#[test]
fn what_holds_only_together_comes_back_together() {
    let mut peer = Peer::new(Role::Admin);
    let read = |peer: &mut Peer| {
        [peer.tree.read("/http/main", "clients"), peer.tree.read("/http/main", "idle_timeout")]
    };
    peer.script(&[
        ("set /http/main clients=pair", "error conflict only as a pair\n"),
        ("set /http/main clients=pair idle_timeout=1h for 1s", "ok\n"),
    ]);
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    assert_eq!(read(&mut peer), ["", "1m"]);
    assert!(peer.sessions.is_idle());

    // One is due before the other, which it waits for; what else is due comes back alone.
    peer.script(&[
        ("set /http/main clients=pair idle_timeout=1h for 1s", "ok\n"),
        ("set /http/main idle_timeout=1h for 3s; set /http/main hidden=on for 1s", "ok\nok\n"),
    ]);
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    assert_eq!(read(&mut peer), ["pair", "1h"]);
    assert_eq!(peer.tree.read("/http/main", "hidden"), "off");
    peer.tree.now += 2000;
    peer.settle(usize::MAX);
    assert_eq!(read(&mut peer), ["", "1m"]);
    assert!(peer.sessions.is_idle());
    assert_eq!(peer.tree.log().filter(|line| line.contains("failed")).count(), 1);
}

#[test]
fn what_another_node_keeps_comes_back_there() {
    let mut peer = Peer::new(Role::Admin);
    peer.script(&[
        ("call /config add /handler/main/hidden", "ok\n"),
        ("set /handler/main/hidden enabled=on for 1s", "ok\n"),
        ("save", "  wrote 1 change\nok\n"),
    ]);
    assert_eq!(peer.tree.passing, [("/http/main".into(), "hidden".into(), "off".into())]);
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    assert_eq!(peer.tree.read("/http/main", "hidden"), "off");
    // By either name it is kept, and set to stay.
    for line in ["keep /handler/main/hidden enabled", "set /handler/main/hidden enabled=on"] {
        peer.script(&[("set /handler/main/hidden enabled=on for 1s", "ok\n"), (line, "ok\n")]);
        assert!(peer.sessions.is_idle(), "{line}");
    }
    assert_eq!(peer.tree.read("/http/main", "hidden"), "on");
}

#[test]
fn nothing_comes_back_on_another_node_of_the_name() {
    let mut peer = Peer::new(Role::Admin);
    peer.script(&[
        ("set /handler/main/files match=/a for 1s; call /handler/main/files remove", "ok\nok\n"),
        ("call /config add /handler/main/files match=/a", "ok\n"),
    ]);
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    assert_eq!(peer.tree.read("/handler/main/files", "match"), "/a");
    let mut timed = Timed::default();
    for path in ["/http/a", "/http/ab", "/handler/a/x", "/handler/ab/x", "/connection/1-1"] {
        timed.push(Box::new(crate::monitor::timed::Change {
            path: path.into(),
            key: "enabled".into(),
            node: path.into(),
            back: "off".into(),
            due: 0,
            set: "on".into(),
            actor: actor(Role::Admin),
            failed: false,
        }));
    }
    timed.forget(&mut |change| change.is_below("/http/a"));
    let left: Vec<&str> = timed.waiting().map(|change| change.path.as_str()).collect();
    assert_eq!(left, ["/http/ab", "/handler/ab/x", "/connection/1-1"]);
}

#[test]
fn what_is_dear_uses_a_turn_up() {
    for dear in [
        "set /http/main hidden=on",
        "set /http/main hidden=on for 1h",
        "call /http/main stop",
        "call /config diff",
        "call /config reload",
        "find config | diff",
        "find http | set hidden=on",
        "save",
    ] {
        let mut peer = Peer::new(Role::Admin);
        let line = [dear, "; "].concat().repeat(10);
        peer.session().feed([&line, "\n"].concat().as_bytes());
        for turn in 0..10 {
            peer.work();
            let out = String::from_utf8_lossy(peer.session().output()).into_owned();
            let done = out.lines().filter(|line| *line == "ok").count();
            assert!(done <= turn + 1, "{dear}: {done} in turn {turn}");
            assert_eq!(peer.due, Some(peer.tree.now), "{dear}");
        }
        assert_eq!(peer.settle(usize::MAX).lines().filter(|line| *line == "ok").count(), 10, "{dear}");
    }
    // What only looks is not.
    let mut peer = Peer::new(Role::Admin);
    peer.session().feed(["get /loop; ".repeat(50), "\n".into()].concat().as_bytes());
    peer.work();
    let out = String::from_utf8_lossy(peer.session().output()).into_owned();
    assert_eq!(out.lines().filter(|line| *line == "ok").count(), 50);
}

#[test]
fn actions() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(1000), 64 << 10);
    peer.script(&[
        (
            "find connection where idle > 95s | set write_buffer=1K traced=on",
            "/connection found=40 done=40\nok\n",
        ),
        (
            "json find connection where traced | close",
            "{\"path\":\"/connection\",\"found\":40,\"done\":40}\nok\n",
        ),
        ("find connection where traced", "ok\n"),
        ("find connection where idle > 1h | close", "/connection found=0 done=0\nok\n"),
        ("find connection sort -idle limit 3 | close", "/connection found=3 done=3\nok\n"),
        ("find connection limit 2 | poke", "/connection found=2 done=0\nerror failed it does not move\n"),
        (
            "@f find connection limit 2 | poke",
            "+f 27\n/connection found=2 done=0\n=f failed 16\nit does not move",
        ),
        ("find handler | remove", "/handler found=2 done=2\nok\n"),
        ("find http | set hidden=maybe", "error invalid hidden: expected on or off\n"),
        ("find http | set", "error syntax expected KEY=VALUE\n"),
        (
            "find http | set hidden=on for",
            "error invalid expected a time such as 10m behind for, and no more\n",
        ),
    ]);
    assert_eq!(peer.tree.count("connection"), 1000 - 43);
    // A change in slices, each noted up to a number, and the whole.
    assert_eq!(peer.tree.calls[2], 11);
    let log: Vec<&str> = peer.tree.log().collect();
    let who = "anna from 127.0.0.1: ";
    assert!(log.contains(&[who, "/handler/main/files remove"].concat().as_str()));
    assert!(
        log.contains(&[who, "set write_buffer=1K traced=on on 40 of /connection"].concat().as_str()),
        "{log:?}"
    );
    assert!(log.contains(&[who, "close on 3 of /connection"].concat().as_str()));
    assert!(log.len() < 64);
    // What a slice cannot do stops it, with the count of what was done before.
    peer.tree.fails = Some(crate::tree::Trouble::new(Code::Failed, &["no room"]));
    peer.script(&[(
        "find connection | set traced=on",
        "/connection found=61 done=0\nerror failed no room\n",
    )]);
}
