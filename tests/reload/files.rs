//! What a configuration says: what is wrong with it, what it may not undo, and what its commands end with.

use crate::host::{Program, asking, body, connect, exchange, get, site, until};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";

/// Nothing changes, and all that is wrong is told three times: to who asked, as a fact, and as an event.
#[test]
fn a_bad_file_changes_nothing() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = other.local_addr().unwrap();
    let mut monitor = program.monitor();
    let before = monitor.ask("get /http/one").unwrap();
    let settings = before.lines().take_while(|line| !line.contains(".open=")).map(str::to_owned);
    let settings: Vec<String> = settings.collect();
    let (descriptors, inodes) = (program.server.descriptors(), program.inodes(one.port()));
    let cases: &[(&str, &[&str])] = &[
        ("[http:one\nroot = /\n", &[":1: "]),
        (&[ONE, "[http:two]\nroot = /nowhere\n"].concat(), &[":5: root=/nowhere: No such file"]),
        (&[ONE, "[http:two]\nlisten = :1\n"].concat(), &[":4: [http:two]: expected root"]),
        (&[ONE, "[monitor:m]\nlisten = 127.0.0.1:0\n"].concat(), &[":4: key_file: expected one for"]),
        (
            "[http:one]\nrot = /\nread_buffer = 3K\nlisten = 1.2.3.4.5\n[htpt:x]\n",
            &[
                ":2: rot: no such setting of [http:one]; did you mean root?",
                ":3: read_buffer=3K: expected",
                ":4: ",
                ":5: [htpt:x]: no such kind",
            ],
        ),
        (
            &format!("{ONE}hidden=on\n[http:two]\nroot=%(here)s/two\nlisten={taken}\n"),
            &["cannot listen on", "Address already in use"],
        ),
        (&ONE.replace("s/one", "s/nowhere"), &["nowhere: No such file or directory"]),
        (
            &format!("{ONE}[http:two]\nroot=%(here)s/nowhere\nlisten=127.0.0.1:0\n"),
            &["nowhere: No such file"],
        ),
        (
            &format!("{ONE}auth_file=/no/users\n[http:two]\nroot=/nowhere\nlisten=127.0.0.1:0\n"),
            &[":4: auth_file=/no/users: No such file", ":6: root=/nowhere: No such file"],
        ),
        // What cannot be comes with what the system has not.
        (
            &format!(
                "{ONE}auth_file=/no/users\nread_buffer=3\n[http:two]\nroot=/nowhere\nlisten=127.0.0.1:0\n"
            ),
            &[
                ":4: auth_file=/no/users: No such file",
                ":5: read_buffer=3: ",
                ":7: root=/nowhere: No such file",
            ],
        ),
        (&format!("{ONE}[handler:one/x]\nroot=%(here)s/nowhere\n"), &["nowhere: No such file"]),
        (&format!("{ONE}auth_file=%(here)s/nowhere\n"), &["nowhere: No such file"]),
        (&format!("{ONE}access_log=%(here)s/no/where.log\n"), &["where.log"]),
        (&format!("{ONE}types_file=%(here)s/nowhere\n"), &["nowhere"]),
        (&format!("{ONE}[include]\nfiles=nowhere.conf\n"), &["nowhere.conf"]),
        (&format!("{ONE}charset=%(ENV_NOBODY_SETS_THIS)s\n"), &["ENV_NOBODY_SETS_THIS"]),
    ];
    let mut kept = connect(one);
    for (count, (text, parts)) in cases.iter().enumerate() {
        let error = program.reload(text).unwrap_err();
        // An answer is one line: what is wrong stands there one behind the other.
        let fact = monitor.value("/config.last_failure");
        let log = monitor.ask("log 20").unwrap();
        for part in *parts {
            assert!(error.contains(part), "{part:?} is not in {error:?}");
            assert!(fact.contains(part), "{part:?} is not in {fact:?}");
            assert!(log.contains(part), "{part:?} is not in {log:?}");
        }
        assert_eq!(monitor.value("/config.failures"), (count + 1).to_string());
        assert_eq!(monitor.value("/config.changed"), "0");
        assert_eq!(program.inodes(one.port()), inodes);
        let after = monitor.ask("get /http/one").unwrap();
        assert!(after.lines().zip(&settings).all(|(one, other)| one == other), "{text}: {after}");
        assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of one");
        assert_eq!(monitor.ask("ls /http").unwrap(), "/http/one\n");
    }
    drop(kept);
    until("descriptors", || program.server.descriptors() <= descriptors + 1);
    program.reload(&ONE.replace("s/one", "s/two")).unwrap();
    assert_eq!(monitor.value("/config.last_failure"), "");
    assert_eq!(body(one, "/a.txt").1, "of two");
    // A file that is gone.
    std::fs::remove_file(&program.path).unwrap();
    let error = monitor.ask("call /config reload").unwrap_err();
    assert!(error.contains("web.conf: No such file or directory"), "{error}");
    assert_eq!(body(one, "/a.txt").1, "of two");
}

/// One that was emptied, by an editor or a full disk, does not close all that is served.
#[test]
fn an_emptied_file_changes_nothing() {
    let program = Program::start(ONE);
    let one = program.address("one");
    for text in ["", "; [http:one]\n"] {
        std::fs::write(&program.path, text).unwrap();
        let error = program.monitor().ask("call /config reload").unwrap_err();
        assert!(error.contains("nothing is configured"), "{error}");
        assert_eq!(body(one, "/a.txt").1, "of one");
        let mut check = crate::common::gorgon();
        check.args(["check", "-c"]).arg(&program.path);
        let output = crate::common::finish(check);
        assert_eq!(output.status.code(), Some(2));
    }
    // A monitor alone is meant.
    program.reload("").unwrap();
    until("it is closed", || std::net::TcpStream::connect(one).is_err());
}

/// Nobody ever writes into a FIFO: who opened it to read would wait for good, and with it all clients.
#[test]
fn a_pipe_is_not_waited_for() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let pipe = |name: &str| {
        let path = program.directory.path().join(name);
        assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    };
    std::fs::create_dir(program.directory.path().join("conf.d")).unwrap();
    pipe("conf.d/pipe.conf");
    pipe("pipe");
    for more in [
        "[include]\nfiles=conf.d/*.conf\n",
        "[include]\nfiles=pipe/*.conf\n",
        "types_file=%(here)s/pipe\n",
        "auth_file=%(here)s/pipe\n",
        "root=%(here)s/pipe\n",
    ] {
        let text = if more.starts_with("root") {
            ONE.replace("root = %(here)s/one\n", more)
        } else {
            [ONE, more].concat()
        };
        let error = program.reload(&text).unwrap_err();
        let told = ["expected a file", "ot a directory", "neither a directory"];
        assert!(told.iter().any(|words| error.contains(words)), "{more}: {error}");
        assert_eq!(body(one, "/a.txt").1, "of one");
    }
    std::fs::remove_file(&program.path).unwrap();
    pipe("web.conf");
    let mut monitor = program.monitor();
    for verb in ["call /config reload", "call /config check", "call /config diff", "save"] {
        let error = monitor.ask(verb).unwrap_err();
        assert!(error.contains("web.conf: expected a file"), "{verb}: {error}");
    }
    assert_eq!(body(one, "/a.txt").1, "of one");
}

/// With the words of `gorgon check`, which looks at the same, and without waiting for what nobody writes to.
#[test]
fn what_is_named_and_not_there_is_told() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let mut monitor = program.monitor();
    let path = program.path.display().to_string();
    assert_eq!(monitor.ask("call /config check").unwrap(), format!("{path}: ok, 1 server, 1 monitor\n"));
    let pipe = program.directory.path().join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let more = "access_log=%(here)s/gone/log\n[gorgon]\npid_file=%(here)s/gone/pid\n\
        [http:two]\nroot=%(here)s/two\nlisten=127.0.0.1:0\nupload=up\n[http:three]\nroot=%(here)s/nowhere\n\
        listen=127.0.0.1:0\n[handler:three/files]\nkind=files\nroot=%(here)s/gone\n";
    program.write(&[ONE, more].concat());
    let told = monitor.ask("call /config check").unwrap_err();
    let mut check = crate::common::gorgon();
    check.args(["check", "-c", &path]);
    let output = crate::common::finish(check);
    let said = String::from_utf8(output.stderr).unwrap();
    let said: Vec<&str> = said.lines().map(|line| line.strip_prefix("gorgon: ").unwrap()).collect();
    assert_eq!(told, format!("failed {}", said.join("; ")));
    assert_eq!(said.len(), 5, "{told}");
    program.write(&[ONE, "read_buffer=3\n", more].concat());
    let told = monitor.ask("call /config check").unwrap_err();
    assert!(told.contains(":4: read_buffer=3: ") && told.contains("/gone/log: No such file"), "{told}");
    for key in ["root", "types_file", "auth_file"] {
        program.write(&format!(
            "{}{key}=%(here)s/pipe\n",
            ONE.replace("root = %(here)s/one\n", if key == "root" { "" } else { "root = %(here)s/one\n" })
        ));
        let told = monitor.ask("call /config check").unwrap_err();
        assert!(told.contains(&format!(" {key}=")) && told.contains("/pipe: "), "{told}");
    }
    // What a reload does not want is told by both as well.
    let text = ["[gorgon]\npid_file=%(here)s/gone/pid\n", ONE].concat();
    let told = program.reload(&text).unwrap();
    let warning =
        format!(":2: pid_file={}/gone/pid: No such file or directory\n", program.directory.path().display());
    let anew = "/gorgon.pid_file: takes effect when the program starts anew\n";
    assert_eq!(told, format!("{anew}  warning: {path}{warning}"));
    let told = monitor.ask("call /config check").unwrap();
    assert_eq!(told, format!("  warning: {path}{warning}{path}: ok, 1 server, 1 monitor\n"));
    assert!(monitor.ask("log").unwrap().contains(&warning));
    assert_eq!(body(one, "/a.txt").1, "of one");
}

/// Whoever checks a file before it is reloaded is told what that would be refused for, in the same words.
#[test]
fn what_a_reload_refuses_a_check_does() {
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    let keyed = "[monitor:main]\nkey_file = %(here)s/nowhere\n";
    for (line, more) in [
        (":5: view: ", "[monitor:main]\nview = nobody-of-that-name\n"),
        (":5: key_file=", keyed),
        ("key_file: ", "[monitor:two]\nlisten = 127.0.0.1:0\n"),
        (":4: auth_file=", "auth_file = %(here)s/nowhere\n"),
        (":4: types_file=", "types_file = %(here)s/nowhere\n"),
        (":4: access_log=", "access_log = %(here)s/no/where\n"),
        (":4: upload=", "upload = nowhere\n"),
        (":5: root=", "[handler:one/x]\nroot = %(here)s/nowhere\n"),
        (":5: root=", "[http:two]\nroot = %(here)s/nowhere\nlisten = 127.0.0.1:0\n"),
        (":4: rot: ", "rot = x\n"),
    ] {
        let refused = program.reload(&[ONE, more].concat()).unwrap_err();
        assert!(refused.starts_with("failed ") && refused.contains(line), "{refused}");
        assert_eq!(monitor.ask("call /config check").unwrap_err(), refused);
    }
    // What was changed live holds instead of what the file says, and is what may contradict it.
    let two = program.directory.path().join("two").display().to_string();
    program.reload(ONE).unwrap();
    monitor.ask(&format!("set /http/one root={two}")).unwrap();
    std::fs::rename(program.directory.path().join("one"), program.directory.path().join("away")).unwrap();
    let told = monitor.ask("call /config check").unwrap();
    assert!(
        told.starts_with("  warning: ") && told.contains(":2: root=") && told.contains(": ok, 1 "),
        "{told}"
    );
    monitor.ask("call /config reload").unwrap();
    let port = crate::common::free_port();
    monitor.ask(&format!("set /http/one listen=127.0.0.1:0,127.0.0.1:{port}")).unwrap();
    let refused = program.reload(&format!("{ONE}[http:two]\nroot={two}\nlisten=:{port}\n")).unwrap_err();
    assert!(refused.starts_with("conflict "), "{refused}");
    assert_eq!(monitor.ask("call /config check").unwrap_err(), refused);
}

#[test]
fn live_changes_stay_unless_the_file_touches_them() {
    let text = [ONE, "[handler:one/h]\nkind=health\nmatch=/h\n"].concat();
    let program = Program::start(&text);
    let mut monitor = program.monitor();
    monitor.ask("set /http/one index=live.html write_buffer=64K").unwrap();
    monitor.ask("set /handler/one/h match=/live").unwrap();
    monitor.ask("set /gorgon grace=3s").unwrap();
    let root = program.directory.path().join("two").display().to_string();
    monitor.ask(&format!("call /config add /http/live root={root} listen=127.0.0.1:0")).unwrap();
    let (one, live) = (program.address("one"), program.address("live"));
    let inodes = program.inodes(live.port());
    let report = program.reload(&text.replace("listen", "write_buffer = 32K\nhidden = on\nlisten")).unwrap();
    assert!(report.contains("hidden: off -> on") && !report.contains("index"), "{report}");
    assert_eq!(monitor.value("/http/one.index"), "live.html");
    assert_eq!(monitor.value("/http/one.write_buffer"), "32K");
    assert_eq!(monitor.value("/http/one.hidden"), "on");
    assert_eq!(monitor.value("/gorgon.grace"), "3s");
    assert_eq!((get(one, "/live").status, get(one, "/h").status), (200, 404));
    assert_eq!(body(live, "/a.txt").1, "of two");
    assert_eq!(program.inodes(live.port()), inodes);
    // What was removed live stays away until the file says something else of it.
    monitor.ask("call /handler/one/h remove").unwrap();
    program.reload(&text).unwrap();
    assert_eq!(get(one, "/live").status, 404);
    program.reload(&text.replace("match=/h", "match=/h2")).unwrap();
    assert_eq!(get(one, "/h2").status, 200);
}

/// A directory that was put in the place of another one is served after a reload, also where the file says the same.
#[test]
fn a_root_that_was_replaced_is_found_again() {
    let directory = site();
    std::os::unix::fs::symlink(directory.path().join("one"), directory.path().join("current")).unwrap();
    let program = Program::start_in(directory, &ONE.replace("s/one", "s/current"), &[]);
    let one = program.address("one");
    let mut kept = connect(one);
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of one");
    let at = |name: &str| program.directory.path().join(name);
    std::os::unix::fs::symlink(at("two"), at("next")).unwrap();
    std::fs::rename(at("next"), at("current")).unwrap();
    program.monitor().ask("call /config reload").unwrap();
    assert_eq!(body(one, "/a.txt").1, "of two");
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of two");
    // The same with the directory itself, and with what has been in memory.
    std::fs::rename(at("two"), at("old")).unwrap();
    program.directory.file("two/a.txt", "of three");
    program.monitor().ask("call /config reload").unwrap();
    assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().body, b"of three");
    assert_eq!(program.monitor().value("/config.last_failure"), "");
}

/// What was changed live and what the file says now may not go together: then the file does not take effect.
#[test]
fn a_file_may_contradict_what_was_changed_live() {
    let port = crate::common::free_port();
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    monitor.ask(&format!("set /http/one listen=127.0.0.1:0,127.0.0.1:{port}")).unwrap();
    let more = format!("[http:two]\nroot=%(here)s/two\nlisten=:{port}\n");
    let error = program.reload(&[ONE, &more].concat()).unwrap_err();
    assert!(error.starts_with("conflict /http/") && error.contains("cannot be together"), "{error}");
    assert_eq!(monitor.value("/config.last_failure"), error.split_once(' ').unwrap().1);
    assert_eq!(program.addresses("one").len(), 2);
    monitor.ask("set /http/one listen=127.0.0.1:0").unwrap();
    monitor.ask("call /config reload").unwrap();
    assert_eq!(body(program.address("two"), "/a.txt").1, "of two");
}

/// Files that are read once are read again by a reload, if they say something else.
#[test]
fn media_types_are_read_again() {
    let directory = site();
    directory.file("types", "text/first txt\n");
    let text = ONE.replace("listen", "types_file = %(here)s/types\nlisten");
    let program = Program::start_in(directory, &text, &[]);
    let one = program.address("one");
    let kind = || get(one, "/a.txt").field("content-type").unwrap();
    assert!(kind().starts_with("text/first"), "{}", kind());
    program.directory.file("types", "text/other txt\n# It is longer.\n");
    program.monitor().ask("call /config reload").unwrap();
    assert!(kind().starts_with("text/other"), "{}", kind());
}

/// What holds for as long as the program runs is told, and the rest takes effect.
#[test]
fn what_only_a_start_changes_is_told() {
    let program = Program::start(ONE);
    let report =
        program.reload(&[&*ONE.replace("s/one", "s/two"), "[gorgon]\npoller=poll\ngrace=2s\n"].concat());
    let report = report.unwrap();
    assert!(report.contains("/gorgon.poller: takes effect when the program starts anew"), "{report}");
    assert_eq!(body(program.address("one"), "/a.txt").1, "of two");
    assert_eq!(program.monitor().value("/gorgon.grace"), "2s");
}
