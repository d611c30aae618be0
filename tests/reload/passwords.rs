//! Files of users that come, change and go: nothing is left of the processes that checked passwords by them, and who is
//! being let in meanwhile is.

use std::io::{Read, Write};

use crate::common::{Reply, give};
use crate::host::{Program, connect, site, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";
const TWO: &str = "[http:two]\nroot=%(here)s/two\nlisten=127.0.0.1:0\nauth_file=%(here)s/first\n";

/// The processes that the program has started and nobody has awaited yet, those that have ended among them.
fn children(program: &Program) -> Vec<String> {
    let own = program.server.child.id().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let stats = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // `ID (NAME) STATE PARENT ..`
    let is_ours =
        |stat: &String| stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.split(' ').nth(1) == Some(&own));
    stats.filter(is_ours).filter_map(|stat| Some(stat.split_once(' ')?.0.to_owned())).collect()
}

/// However a helper process ends, nothing is left of it.
#[test]
fn no_helper_is_left_behind() {
    let directory = site();
    for name in ["first", "second"] {
        // `{SHA}` of 1.
        give(&directory.file(name, "anna:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs=\n"));
    }
    let text = |file: &str| [ONE, &TWO.replace("first", file)].concat();
    let program = Program::start_in(directory, &text("first"), &[]);
    for file in ["second", "first", "second", "first"] {
        program.reload(&text(file)).unwrap();
    }
    until("one helper", || children(&program).len() == 1);
    // One that is killed while it has nothing to do.
    let killed = std::process::Command::new("kill").arg("-KILL").args(children(&program)).status();
    assert!(killed.unwrap().success());
    until("no helper", || children(&program).is_empty());
    // Those that change by turns, faster than they end.
    for file in ["second", "first", "second", "first"] {
        program.reload(&text(file)).unwrap();
    }
    program.reload(ONE).unwrap();
    until("no helper", || children(&program).is_empty());
}

/// A hash of "slow" that takes long enough for what happens meanwhile.
const SLOW: &str = "$2y$12$k2jLrPMRypuEoJrWgMRqf.RqewIFArsqVwyxGcw9w3stsakzZ5iWK";

/// A login that is being checked when its users change is checked by the new ones; when nobody asks any more it is let in.
#[test]
fn a_login_under_way_is_answered() {
    let directory = site();
    give(&directory.file("first", format!("anna:{SLOW}\n")));
    // `{SHA}` of "slow" and of 1.
    give(&directory.file("same", "anna:{SHA}V+ind21okqg/Kklnj4FB9PuIPmI=\n"));
    give(&directory.file("other", "anna:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs=\n"));
    let first = [ONE, TWO].concat();
    let program = Program::start_in(directory, &first, &[]);
    let changes: &[(String, u16)] = &[
        (first.replace("first", "same"), 200),
        (first.replace("first", "other"), 401),
        (first.replace("auth_file=%(here)s/first\n", ""), 200),
        // It finishes what it was asked.
        (ONE.to_owned(), 200),
    ];
    for (text, status) in changes {
        program.reload(&first).unwrap();
        let mut client = connect(program.address("two"));
        let mut monitor = program.monitor();
        program.write(text);
        client
            .write_all(b"GET /a.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Basic YW5uYTpzbG93\r\n\r\n")
            .unwrap();
        until("it is being checked", || monitor.value("/http/two.open") == "1");
        monitor.ask("call /config reload").unwrap();
        let mut all = Vec::new();
        client.read_to_end(&mut all).unwrap();
        assert_eq!(Reply::first(&all, false).0.status, *status, "{text}");
    }
}
