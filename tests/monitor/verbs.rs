//! Every verb and every error over the real program's socket.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::host::Host;
use crate::session::{Frame, talk};

#[test]
fn frames_are_exact() {
    let host = Host::with("", "");
    let batch = "@a ls /http; @b get /http/main.index;; ; @c bogus\n# nothing\n\n  \nls /http\r\n@d get /http/main.root\n@e ls";
    let root = format!("/http/main.root={}/site\n", host.directory.path().display());
    let expected = format!(
        "=a ok 11\n/http/main\n=b ok 28\n/http/main.index=index.html\n=c unknown 39\nno verb is named bogus; help lists them\
         /http/main\nok\n=d ok {}\n{root}\
         =e syntax 42\nthe line has no end; nothing of it is done",
        root.len()
    );
    assert_eq!(talk(&host.socket(), batch), expected);
    for (line, expected) in [
        ("ls /http; quit; ls\nls\n", "/http/main\nok\nok\n"),
        ("@a exit\nls\n", "=a ok 0\n"),
        ("\u{e9}\n", "error unknown no verb is named \u{e9}; help lists them\n"),
        ("@a! ls\n", "error syntax expected after @ a tag of 1 to 32 letters, digits, _ . or -\n"),
        ("@b\n", "=b syntax 32\nexpected a verb; help lists them"),
    ] {
        assert_eq!(talk(&host.socket(), line), expected, "{line:?}");
    }
    let tag = "t".repeat(32);
    assert_eq!(talk(&host.socket(), format!("@{tag} ls /http\n")), format!("={tag} ok 11\n/http/main\n"));
    assert!(talk(&host.socket(), format!("@{tag}t ls /http\n")).starts_with("error syntax "));
    // A long reply comes in parts, whose sum is that of the same reply without a tag.
    let mut session = host.session();
    session.send("@l schema\n");
    let (mut text, mut parts) = (String::new(), 0);
    loop {
        match session.frame() {
            Frame::Part(_, part) => {
                text.push_str(&part);
                parts += 1;
            }
            Frame::End(_, code, part) => {
                assert_eq!(code, "ok");
                text.push_str(&part);
                break;
            }
            Frame::Push(..) => panic!("nothing is watched"),
        }
    }
    assert!(parts > 1);
    assert_eq!(talk(&host.socket(), "schema\n"), text + "ok\n");
}

#[test]
fn lines_have_a_limit() {
    let host = Host::with("", "");
    let padded = |length: usize| format!("ls /http{}\nls /http\n", " ".repeat(length - 9));
    assert_eq!(talk(&host.socket(), padded(4096)), "/http/main\nok\n/http/main\nok\n");
    let limit = "a line has at most 4096 bytes, its end included";
    assert_eq!(talk(&host.socket(), padded(4097)), format!("error limit {limit}\n/http/main\nok\n"));
    let endless = format!("@t {}", "x".repeat(100_000));
    assert_eq!(talk(&host.socket(), endless), format!("=t limit 47\n{limit}"));
    // Bytes that are no text are told so, whatever else is in the line.
    assert_eq!(
        talk(&host.socket(), b"@t ls \xff; ls\nls /http\n"),
        "=t syntax 14\nexpected UTF-8/http/main\nok\n"
    );
}

#[test]
fn values_come_back_as_they_went() {
    let host = Host::with("", "");
    let mut session = host.session();
    for (given, back, json) in [
        ("a b", "\"a b\"", "\"a b\""),
        ("\"\"", "\"\"", "\"\""),
        ("'it''s'", "its", "\"its\""),
        ("\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\"", "\"a\\\"b\\\\c\""),
        ("\"a;b|c=d\"", "\"a;b|c=d\"", "\"a;b|c=d\""),
    ] {
        let given = if given.starts_with(['"', '\'']) { given.to_owned() } else { format!("\"{given}\"") };
        session.ask(&format!("set /http/main cache_control={given}"));
        assert_eq!(session.value("/http/main.cache_control"), back, "{given}");
        let text = session.ask("json get /http/main cache_control");
        assert_eq!(text, format!("{{\"path\":\"/http/main\",\"cache_control\":{json}}}\n"), "{given}");
        // What was printed is read again as the same.
        session.ask(&format!("set /http/main cache_control={back}"));
        assert_eq!(session.value("/http/main.cache_control"), back, "{given}");
    }
    session.ask("set /http/main index=\"\u{e9}\\xe2\\x82\\xac\"");
    assert_eq!(session.value("/http/main.index"), "\u{e9}\u{20ac}");
    assert!(session.ask("json get /http/main index").ends_with(":[\"\u{e9}\u{20ac}\"]}\n"));
    for (given, message) in [
        ("\"\\xff\"", "expected UTF-8 behind the escapes"),
        ("\"open", "expected a closing \""),
        ("'open", "expected a closing '"),
    ] {
        let (code, text) = session.try_ask(&format!("set /http/main cache_control={given}"));
        assert_eq!((code.as_str(), text.as_str()), ("syntax", message), "{given}");
    }
    // Whatever a value and an event hold, lines stay lines.
    let _ = session.try_ask("set /http/main cache_control=\"a\\nok\\n=t99 ok 0\\n\\x1b[2J\"");
    let (code, _) = session.try_ask("get /http/main.cache_control; ");
    assert_eq!(code, "ok");
    let log = session.ask("log");
    assert!(!log.contains(['\x1b', '\r']) && log.lines().all(|line| line.starts_with("  ")), "{log}");
}

#[test]
fn every_error_has_its_code() {
    let host = Host::with("", "");
    let mut session = host.session();
    for (command, code, words) in [
        ("frobnicate", "unknown", "no verb is named frobnicate; help lists them"),
        ("gett /http/main", "unknown", "did you mean get?"),
        ("get", "syntax", "expected a path"),
        ("get http", "syntax", "expected a path"),
        ("get /nothing", "unknown", "no kind is named nothing"),
        ("get /http/other", "missing", "there is no /http/other"),
        ("get /http/main.write_bufer", "unknown", "did you mean write_buffer?"),
        ("get /http/main | close", "syntax", "expected no |"),
        ("set /http/main", "syntax", "expected KEY=VALUE"),
        ("set /http/main write_buffer=3", "invalid", "expected a power of two from 512 to 1M"),
        ("set /http/main idle_timeout=5s for never", "invalid", ""),
        ("set /http/main open=4", "refused", "a fact"),
        ("set /gorgon user=nobody", "refused", "only when the program starts"),
        ("set /connection/99-99 write_buffer=4K", "missing", ""),
        ("keep /http/main write_buffer", "", ""),
        ("call /http/main", "syntax", "expected a method"),
        ("call /http/main dance", "unknown", "http has no method dance"),
        ("call /connection/99-99 close", "missing", ""),
        ("find", "syntax", "expected a kind"),
        ("find connection where", "syntax", ""),
        ("find connection where idle >", "syntax", ""),
        ("find connection where (idle > 1s", "syntax", ""),
        ("find connection where idle > soon", "invalid", ""),
        ("find connection where colour = red", "unknown", ""),
        ("find connection | dance", "unknown", "connection has no method dance"),
        ("find connection limit x", "invalid", ""),
        ("watch /loop every 99ms", "invalid", "at least 100ms"),
        ("unwatch w", "missing", "no watch of the tag w"),
        ("commit", "conflict", "no transaction is open"),
        ("abort", "conflict", "no transaction is open"),
        ("log x", "invalid", ""),
        ("schema nothing", "unknown", ""),
        ("help nothing", "unknown", ""),
        ("format xml", "syntax", "expected kv or json"),
        ("hello there", "syntax", ""),
    ] {
        let (found, text) = session.try_ask(command);
        let code = if code.is_empty() { found.as_str() } else { code };
        assert_eq!(found, code, "{command}: {text}");
        assert!(text.contains(words), "{command}: {text}");
    }
    let limit = (0..9).map(|number| format!("@w{number} watch /loop turns every 10m\n")).collect::<String>();
    assert!(talk(&host.socket(), limit).ends_with("=w8 limit 31\na session has at most 8 watches"));
    session.ask("begin");
    assert_eq!(session.try_ask("begin").0, "conflict");
    for _ in 0..256 {
        session.ask("set /http/main idle_timeout=9s");
    }
    assert_eq!(session.try_ask("set /http/main idle_timeout=9s").0, "limit");
    assert_eq!(session.value("/http/main.idle_timeout"), "1m", "nothing is done before commit");
    session.ask("abort");
}

#[test]
fn every_verb_does_its_work() {
    let host = Host::with("", "");
    let mut session = host.session();
    let number = host.server.child.id();
    let hello = session.ask("hello");
    assert!(hello.starts_with("/process version="), "{hello}");
    assert!(hello.contains(&format!(" protocol=1 pid={number} role=admin who=\"uid ")), "{hello}");
    assert!(session.ask("ls").lines().any(|line| line == "/http"));
    session.ask("set /http/main write_buffer=64K idle_timeout=31s");
    assert_eq!(
        session.ask("get /http/main write_buffer idle_timeout"),
        "/http/main.write_buffer=64K\n/http/main.idle_timeout=31s\n"
    );
    // For a time, and kept.
    session.ask("set /http/main write_buffer=128K for 1s");
    session.ask("set /http/main idle_timeout=32s for 1s");
    session.ask("keep /http/main idle_timeout");
    let mut watcher = host.session();
    watcher.send("@w watch /http/main write_buffer idle_timeout every 100ms\n");
    while !watcher.sample("w").contains("write_buffer=64K") {}
    assert_eq!(watcher.sample("w"), "/http/main.write_buffer=64K\n/http/main.idle_timeout=32s\n");
    // All or nothing, in one turn.
    session.ask("begin");
    session.ask("set /http/main write_buffer=32K");
    session.ask("set /monitor/main idle_timeout=1h");
    session.ask("commit");
    assert_eq!(session.value("/http/main.write_buffer"), "32K");
    // One's own connection, which is told and then closed.
    let found = session.ask("find connection where server = monitor:main show user");
    assert_eq!(found.lines().count(), 2, "{found}");
    assert_eq!(session.ask("find connection where server = main"), "");
    assert_eq!(session.ask("find connection where server = main | close"), "/connection found=0 done=0\n");
    // What was counted, which is of no use when it is always 0.
    let counted: u64 = session.value("/monitor/main.commands").parse().unwrap();
    assert!(counted >= 12, "{counted}");
    assert_eq!(session.value("/monitor/main.sessions"), "2");
    let log = session.ask("log 100");
    assert!(log.contains("/http/main.write_buffer=32K, was 64K"), "{log}");
    assert_eq!(session.ask("log 1").lines().count(), 1);
    assert!(session.ask("help find").contains("where EXPR"));
    assert!(session.ask("help http.write_buffer").contains("its default is 16K"));
    session.ask("call /log reopen");
    session.ask("call /loop reset");
    // The file is root's or ours; as nobody it cannot be written.
    let (code, text) = session.try_ask("save");
    assert!(code == "ok" || text.contains(" may not write it"), "{code} {text}");
    assert_eq!(session.ask("format json"), "");
    assert_eq!(session.ask("ls /http"), "{\"path\":\"/http/main\"}\n");
    assert_eq!(session.ask("kv ls /http"), "/http/main\n");
    // Who turns it off is still answered, and then out as everybody else.
    session.ask("format kv");
    let mut other = host.session();
    other.ask("format kv");
    session.ask("set /monitor/main enabled=off");
    assert!(session.ends() && other.ends());
}

#[test]
fn watches_come_and_go() {
    let host = Host::with("", "");
    let mut session = host.session();
    session.send("@w watch /loop turns every 100ms; @f log follow 1\n");
    let first = session.sample("w");
    assert!(first.starts_with("/loop.turns="), "{first}");
    assert_ne!(session.sample("w"), first);
    let mut other = host.session();
    other.ask("set /http/main index=b.html");
    assert!(session.sample("f").contains("/http/main.index=b.html, was index.html"));
    session.ask("unwatch w");
    session.ask("unwatch");
    assert_eq!(session.try_ask("unwatch w").0, "missing");
    // A watch of a node that goes says so.
    let ids = other.ask("find connection show user");
    let own = ids.lines().last().unwrap().split(' ').next().unwrap().to_owned();
    session.send(format!("@g watch {own} idle every 100ms\n"));
    session.sample("g");
    drop(other);
    while !session.sample("g").starts_with("/watch g over=\"") {}
    // Without a tag it ends with the next line.
    session.send("watch /loop turns every 100ms\n");
    assert_eq!(session.line(), "ok");
    assert!(session.line().starts_with("/loop.turns="));
    assert_eq!(session.line(), "");
    session.send("ls /http\n");
    let mut line = session.line();
    while line.is_empty() || line.starts_with("/loop.turns=") {
        line = session.line();
    }
    assert_eq!((line.as_str(), session.line().as_str()), ("/http/main", "ok"));
}

/// By a reader of JSON that is not ours.
#[test]
fn json_is_json() {
    let host = Host::with("", "");
    let mut session = host.session();
    session.ask("set /http/main cache_control=\"a \\\"quoted\\\" \\\\ one\"");
    let kinds = session.ask("ls");
    let mut text = String::new();
    for kind in kinds.lines() {
        let kind = kind.trim_start_matches('/');
        for command in ["find", "schema", "help"] {
            text.push_str(&session.ask(&format!("json {command} {kind}")));
        }
        for node in session.ask(&format!("ls /{kind}")).lines() {
            text.push_str(&session.ask(&format!("json get {node}")));
        }
    }
    for command in ["json ls", "json hello", "json log", "json help", "json help find"] {
        text.push_str(&session.ask(command));
    }
    let script = "import sys, json\nfor line in sys.stdin: assert type(json.loads(line)) is dict, line";
    let child =
        Command::new("python3").args(["-c", script]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut child) = child else { return };
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// What is told of a setting is what the manual and the configuration have.
#[test]
fn the_schema_is_that_of_the_manual() {
    let host = Host::with("", "");
    let mut session = host.session();
    let manual = include_str!("../../man/gorgon.conf.5");
    for kind in ["http", "monitor", "handler"] {
        let mut settings = 0;
        for line in session.ask(&format!("schema {kind}")).lines() {
            if !line.contains(" fact=off ") {
                continue;
            }
            let key = line.split_once(&format!("/schema/{kind}.")).unwrap().1.split_once(' ').unwrap().0;
            assert!(manual.contains(&format!(".It Cm {key}")), "{kind}.{key}: {line}");
            settings += 1;
        }
        assert!(settings > 5, "{kind}");
    }
}

/// There is a verb of that name, and a kind.
#[test]
fn help_tells_of_both() {
    let host = Host::with("", "");
    let text = host.session().ask("help log");
    assert!(text.contains("  log [N] | log follow [N]\n") && text.contains("\n  log: "), "{text}");
}

/// Who has the program ended is answered before it ends.
#[test]
fn the_last_command_is_answered() {
    for (command, answer) in [("@a call /process stop\n", "=a ok 0\n"), ("call /process quit\n", "ok\n")] {
        let mut host = Host::with("", "");
        let mut session = host.session();
        session.send(command);
        let mut said = String::new();
        std::io::Read::read_to_string(&mut session.stream, &mut said).unwrap();
        assert_eq!(said, answer);
        assert!(host.server.child.wait().unwrap().success());
    }
}
