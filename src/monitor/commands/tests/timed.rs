//! Changes for a time of many nodes, and the end of all changes.

use super::*;

#[test]
fn so_many_changes_wait() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(1100), 64 << 10);
    let limit = "error limit at most 1024 changes wait to come back\n";
    // The slice that has no room is not done, and those before it are.
    let told = peer.ask("find connection | set traced=on for 1h");
    assert!(told.ends_with(&["\n", limit].concat()), "{told}");
    let done = peer.sessions.timed().waiting().count();
    assert!(done > 1024 - 64 && told.contains(&format!(" done={done}\n")), "{told}");
    let rest = 1024 - done;
    peer.ask(&format!("find connection where not traced limit {rest} | set traced=on for 1h"));
    peer.script(&[
        ("get /connection/1023-7161.traced", "/connection/1023-7161.traced=on\nok\n"),
        ("get /connection/1024-7168.traced", "/connection/1024-7168.traced=off\nok\n"),
        ("set /connection/63-441 traced=on write_buffer=1K for 1h", limit),
        ("set /connection/1024-7168 traced=on for 1h", limit),
        ("set /connection/63-441 traced=off for 1h", "ok\n"),
        ("save", "  wrote 1 change\nok\n"),
    ]);
    assert_eq!(peer.tree.passing.len(), 1024);
    // What was set last goes back first.
    assert_eq!(peer.tree.passing[0], ("/connection/63-441".into(), "traced".into(), "off".into()));
    peer.tree.fails = Some(crate::tree::Trouble::new(Code::Failed, &["there is\nno file"]));
    peer.script(&[
        ("save", "error failed there is\\nno file\n"),
        ("save x", "error syntax expected the end, not x\n"),
    ]);
    peer.tree.now += 3_600_000;
    peer.settle(usize::MAX);
    assert!(peer.sessions.timed().waiting().next().is_none());
    assert_eq!(peer.ask("find connection where traced"), "ok\n");
}

#[test]
fn what_is_found_is_set_for_a_time() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(300), 64 << 10);
    assert_eq!(
        peer.ask("find connection where server = main | set traced=on write_buffer=1K for 10s"),
        "/connection found=200 done=200\nok\n"
    );
    let log: Vec<String> = peer.tree.log().map(String::from).collect();
    let told = |log: &[String], words: &str| log.iter().filter(|line| line.contains(words)).count();
    // The first sixteen are told one by one.
    assert_eq!((told(&log, " is off again in 10s"), told(&log, " is 16K again in 10s")), (16, 16));
    assert!(log.last().is_some_and(|line| line.contains("for 10s on 200 of /connection")), "{log:?}");
    // One is kept, one is set to stay, one is set again for longer, and one goes; the others come back.
    peer.script(&[
        ("keep /connection/1-7 traced", "ok\n"),
        ("set /connection/2-14 traced=on", "ok\n"),
        (
            "find connection where server = main limit 3 | set write_buffer=2K for 1h",
            "/connection found=3 done=3\nok\n",
        ),
        (
            "find connection where server = main sort -sent limit 1 | close",
            "/connection found=1 done=1\nok\n",
        ),
    ]);
    peer.tree.now += 10_000;
    peer.settle(usize::MAX);
    peer.script(&[
        ("find connection where traced show traced", "/connection/1-7 traced=on\n/connection/2-14 traced=on\nok\n"),
        (
            "find connection where write_buffer != 16K show write_buffer",
            "/connection/1-7 write_buffer=2K\n/connection/2-14 write_buffer=2K\n/connection/4-28 write_buffer=2K\nok\n",
        ),
    ]);
    let log: Vec<String> = peer.tree.log().map(String::from).collect();
    // So are those that come back in one turn.
    assert_eq!(told(&log, "anna from 127.0.0.1: time is over: /connection/"), 32);
    assert_eq!(told(&log, "time is over: 256 changes in all"), 1);
    assert_eq!(log.last().map(String::as_str), Some("time is over: 137 changes in all"));
    // All that wait are kept at once.
    peer.script(&[
        ("keep /connection/* traced", "error conflict nothing of /connection/* is set for a time\n"),
        ("keep /http/*", "error conflict nothing of /http/* is set for a time\n"),
        ("keep /connection/*", "ok\n"),
    ]);
    assert!(peer.sessions.is_idle());
    peer.script(&[
        ("find http | set hidden=on write_buffer=3 for 1s", "error invalid write_buffer: expected a power of two from 512 to 1M, such as 64K, or a range such as auto:4K..256K\n"),
        ("find http | set hidden=on for soon", "error invalid expected a time such as 10m behind for, and no more\n"),
        ("find http | set for 1s", "error syntax expected KEY=VALUE\n"),
        ("find http | set hidden=on for 1s", "/http found=2 done=2\nok\n"),
        ("begin; find http | set hidden=off for 1s", "ok\nerror conflict in a transaction nothing is set for a time\n"),
        ("abort", "ok\n"),
    ]);
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    assert_eq!(peer.ask("find http where hidden"), "ok\n");
    let mut peer = Peer::new(Role::View);
    peer.script(&[(
        "find http | set hidden=on for 1s",
        "error refused hidden is for the role operate; yours is view\n",
    )]);
}

/// One that does not come back is found among many in few steps.
#[test]
fn what_fails_holds_nothing_else_up() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(500), 64 << 10);
    peer.script(&[
        (
            "set /http/main clients=pair idle_timeout=1h for 1s; set /http/main idle_timeout=1h for 1h",
            "ok\nok\n",
        ),
        ("find connection | set traced=on for 1s", "/connection found=500 done=500\nok\n"),
    ]);
    let before = peer.tree.calls[2];
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    assert_eq!(peer.ask("find connection where traced"), "ok\n");
    assert_eq!(peer.tree.read("/http/main", "clients"), "pair");
    let calls = peer.tree.calls[2] - before;
    assert!((3..=40).contains(&calls), "{calls}");
}

#[test]
fn all_is_reverted_and_nothing_of_it_comes_back() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(3), 64 << 10);
    peer.script(&[
        ("set /http/main hidden=on; set /http/main hidden=off for 1s", "ok\nok\n"),
        ("set /connection/1-7 traced=on for 1s", "ok\n"),
        ("call /config revert now", "error syntax revert takes no words\n"),
        ("begin; call /config revert; set /http/main write_buffer=1K", "ok\nok\nok\n"),
        ("get /http/main.hidden; commit", "/http/main.hidden=off\nok\nok\n"),
    ]);
    assert_eq!(peer.sessions.timed().waiting().count(), 1);
    peer.tree.now += 1000;
    peer.settle(usize::MAX);
    peer.script(&[(
        "get /http/main hidden write_buffer",
        "/http/main.hidden=off\n/http/main.write_buffer=1K\nok\n",
    )]);
    assert_eq!(peer.ask("find connection where traced"), "ok\n");
    let mut peer = Peer::new(Role::Operate);
    peer.script(&[("call /config revert", "error refused revert is for the role admin; yours is operate\n")]);
}

#[test]
fn what_waits_is_told() {
    let mut peer = Peer::with(Role::Admin, MemoryTree::new().with_connections(2), 64 << 10);
    peer.script(&[
        ("keep", "ok\n"),
        ("set /http/main write_buffer=256K for 10m", "ok\n"),
        ("set /connection/1-7 traced=on for 90s", "ok\n"),
    ]);
    peer.tree.now += 60_000;
    peer.script(&[
        (
            "keep",
            "/http/main attribute=write_buffer value=256K earlier=16K left=9m\n\
             /connection/1-7 attribute=traced value=on earlier=off left=30s\nok\n",
        ),
        ("keep /http/main", "ok\n"),
        ("keep", "/connection/1-7 attribute=traced value=on earlier=off left=30s\nok\n"),
        (
            "json keep",
            "{\"path\":\"/connection/1-7\",\"attribute\":\"traced\",\"value\":\"on\",\"earlier\":\"off\",\"left\":30}\nok\n",
        ),
        (
            "set /http/main hidden=on for 10 m",
            "error invalid expected a time such as 10m behind for, and no more\n",
        ),
    ]);
}

/// As the listener of a monitor has no buffers to set.
#[test]
fn what_has_no_such_attribute_is_left_out() {
    let mut peer = Peer::new(Role::Admin);
    peer.tree.lack("/handler/main/status", "match");
    peer.script(&[
        ("find handler | set match=/a", "/handler found=2 done=1\nok\n"),
        ("get /handler/*.match", "/handler/main/files.match=/a\n/handler/main/status.match=-\nok\n"),
        (
            "find handler where match = - | set enabled=off match=/b",
            "/handler found=1 done=0\nerror conflict /handler/main/status has no match to set\n",
        ),
        ("get /handler/main/status.enabled", "/handler/main/status.enabled=on\nok\n"),
        ("find handler where match = none | set match=/b", "/handler found=0 done=0\nok\n"),
    ]);
}

#[test]
fn what_the_configuration_says_when_it_is_read_again_stays() {
    let mut peer = Peer::new(Role::Admin);
    let reload = |peer: &mut Peer, touched: &[&str]| {
        peer.tree.touched = Some(touched.iter().map(|name| (*name).to_owned()).collect());
        peer.work();
        peer.sessions.timed().waiting().map(|change| change.key.clone()).collect::<Vec<_>>()
    };
    peer.script(&[
        ("set /http/main hidden=on write_buffer=256K idle_timeout=5m for 10m", "ok\n"),
        ("set /http/v1.local hidden=on for 10m", "ok\n"),
    ]);
    let all = ["hidden", "write_buffer", "idle_timeout", "hidden"];
    assert_eq!(reload(&mut peer, &[]), all);
    // It names another attribute; and says what holds, or something else.
    peer.tree.said.insert("/http/main.idle_timeout".to_owned(), "1m".to_owned());
    assert_eq!(reload(&mut peer, &["/http/main.clients", "/http/v1.local.idle_timeout"]), all);
    peer.tree.said.insert("/http/main.idle_timeout".to_owned(), "5m".to_owned());
    assert_eq!(reload(&mut peer, &["/http/main.hidden"]), ["write_buffer", "hidden"]);
    // A node that is gone has nothing that could come back on another one of its name.
    peer.tree.remove(&Path { kind: "http", name: "v1.local" }).unwrap();
    assert_eq!(reload(&mut peer, &[]), ["write_buffer"]);
    // What was touched before is no matter of what is set afterwards.
    assert_eq!(reload(&mut peer, &["/http/main.write_buffer"]), [] as [&str; 0]);
    peer.script(&[("set /http/main write_buffer=64K for 10m", "ok\n")]);
    assert_eq!(peer.sessions.timed().waiting().count(), 1);
}
