//! The clients of the monitor: the real program, against a monitor that says what a test has it say.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "monitor")]

#[path = "../common/mod.rs"]
mod common;
mod fake;
mod login;
mod terminal;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use common::{Directory, gorgon};
use fake::{Answer, Fake};

const FOUND: &str = "/connection/1-1 server=main idle=12s\n/connection/2-1 server=b idle=250ms\n";

/// What the fake monitor answers unless a test wants otherwise.
pub fn usual(command: &str) -> Answer {
    Answer::Well(match command {
        "hello" | "kv hello" => {
            "/process version=0.1.0 protocol=1 pid=4711 role=operate who=test\n".to_owned()
        }
        "ls" | "kv ls" => "/http\n/loop\n".to_owned(),
        "ls /http" | "kv ls /http" => "/http/main\n/http/mirror\n".to_owned(),
        "schema" | "kv schema" => "/schema/http.root unit=text\n/schema/http.hidden unit=switch\n".to_owned(),
        "get /http/main" => "/http/main.root=\"/srv/a b\"\n/http/main.hidden=off\n".to_owned(),
        "find connection" => FOUND.to_owned(),
        "find connection limit 3" => {
            "/connection/1-1 file=\"a\\x1b[2Jb\"\n/raw/\u{1b}]0;x\u{7} a=\u{9b}1\n".to_owned()
        }
        "quit" | "unwatch" | "format json" | "begin" | "abort" | "commit" => String::new(),
        "watch /loop" => return Answer::Samples("/loop turns=17\n".to_owned()),
        "end" => return Answer::End,
        "nonsense" => return Answer::Wrong("unknown", "no verb is named nonsense\u{1b}[2J"),
        _ => return Answer::Wrong("missing", "no such thing"),
    })
}

pub fn monitor(fake: &Fake, args: &[&str]) -> Command {
    let mut command = gorgon();
    command.arg("monitor").arg(&fake.path).args(args);
    command
}

pub fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Exit code, standard output and standard error.
fn run(command: &mut Command) -> (i32, String, String) {
    told(&command.stdin(Stdio::null()).output().unwrap())
}

fn with_input(mut command: Command, input: &[u8]) -> (i32, String, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that has ended reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input);
    told(&child.wait_with_output().unwrap())
}

#[test]
fn one_command_and_its_reply() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let well = |text: &str| (0, text.to_owned(), String::new());
    assert_eq!(run(&mut monitor(&fake, &["-c", "find connection"])), well(FOUND));
    assert_eq!(run(&mut monitor(&fake, &["-c", "ls; # no comment\n# ls\n\nls"])).0, 1);
    assert_eq!(
        run(&mut monitor(&fake, &["-c", "ls\n# ls\n\n; quit", "-c", "nonsense"])),
        well("/http\n/loop\n")
    );
    let csv = "node,server,idle\r\n/connection/1-1,main,12s\r\n/connection/2-1,b,250ms\r\n";
    assert_eq!(run(&mut monitor(&fake, &["--csv", "-c", "find connection"])), well(csv));
    let sorted =
        "node             server   idle\n/connection/2-1  b       250ms\n/connection/1-1  main      12s\n";
    assert_eq!(run(&mut monitor(&fake, &["-c", "find connection | sort idle"])), well(sorted));
    let sheet = "/http/main\n  root    /srv/a b\n  hidden  off\n";
    assert_eq!(run(&mut monitor(&fake, &["--table", "-c", "get /http/main"])), well(sheet));
    assert_eq!(run(&mut monitor(&fake, &["--json", "-c", "ls"])), well("/http\n/loop\n"));
    assert!(fake.heard().contains(&"format json".to_owned()));
}

#[test]
fn what_fails_is_told_and_ends_it() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let (code, out, err) = run(&mut monitor(&fake, &["-c", "ls", "-c", "nonsense; quit", "-c", "ls"]));
    assert_eq!((code, out.as_str()), (1, "/http\n/loop\n"));
    assert_eq!(err, "gorgon: unknown: no verb is named nonsense\\x1b[2J\n");
    assert_eq!(fake.heard(), ["ls", "nonsense"]);
    let gone = (1, String::new(), "gorgon: the server has ended the connection\n".to_owned());
    assert_eq!(run(&mut monitor(&fake, &["-c", "end"])), gone);
    let long = format!("get /{}", "x".repeat(5000));
    assert_eq!(run(&mut monitor(&fake, &["-c", &long])).0, 2);
    let (code, _, err) = run(gorgon().args(["monitor", "--nonsense"]));
    assert!(
        code == 2 && err.contains("--nonsense: no such option\ngorgon: see gorgon monitor --help"),
        "{err}"
    );
    // The name of a socket is its path, though there is no slash in it.
    let client = |word: &str| run(gorgon().current_dir(place.path()).args(["monitor", word, "-c", "ls"]));
    assert_eq!(client("m.sock").0, 0);
    let (code, _, err) = client("n.sock");
    assert!(code == 2 && err.starts_with("gorgon: n.sock: expected PID, PATH"), "{err}");
    let (code, _, err) = run(gorgon().args(["monitor", "/nonexistent/x.sock", "-c", "ls"]));
    assert!(
        code == 1 && err.starts_with("gorgon: cannot connect to /nonexistent/x.sock: No such file"),
        "{err}"
    );
    for (commands, code) in
        [("begin; ls", 1), ("begin; quit", 1), ("begin; ls; abort", 0), ("begin; commit; ls", 0)]
    {
        let said =
            if code == 1 { "gorgon: what follows begin was not done, for there was no commit\n" } else { "" };
        let (ended, _, err) = run(monitor(&fake, &["-c"]).arg(commands));
        assert_eq!((ended, err.as_str()), (code, said), "{commands}");
        let (ended, _, err) = with_input(monitor(&fake, &[]), commands.as_bytes());
        assert_eq!((ended, err.as_str()), (code, said), "{commands}");
    }
    for other in ["/dev/null", "/"] {
        let (code, _, err) = run(gorgon().args(["monitor", other, "-c", "ls"]));
        assert_eq!((code, err), (1, format!("gorgon: cannot connect to {other}: it is no socket\n")));
    }
    let (code, out, _) = run(gorgon().args(["monitor", "--help"]));
    assert!(code == 0 && out.contains("Usage: gorgon monitor"));
    let (code, _, err) = run(gorgon().arg("top").arg(&fake.path));
    assert!(code == 2 && err.contains("top wants a terminal"), "{err}");
}

#[test]
fn nothing_of_the_server_reaches_the_terminal_raw() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    for form in [&["--table"][..], &["--csv"], &["--json"], &[]] {
        let (_, out, _) = run(monitor(&fake, form).args(["-c", "find connection limit 3"]));
        let bad = out.chars().find(|letter| letter.is_control() && !"\r\n".contains(*letter));
        assert!(bad.is_none() && out.contains("\\x1b[2J"), "{form:?} {out:?}");
    }
}

#[test]
fn commands_come_by_standard_input() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let (code, out, _) = with_input(monitor(&fake, &[]), b"ls\n\n# ls\nls /http");
    assert_eq!((code, out.as_str()), (0, "/http\n/loop\n/http/main\n/http/mirror\n"));
    let (code, out, err) = with_input(monitor(&fake, &[]), b"nonsense\nls\n");
    assert!(code == 1 && out.is_empty() && err.contains("unknown"), "{err}");
    assert_eq!(with_input(monitor(&fake, &[]), b"quit\nls\n").0, 0);
    assert_eq!(with_input(monitor(&fake, &[]), b"\xff\n").0, 2);
    assert_eq!(with_input(monitor(&fake, &[]), &[b'x'; 10_000]).0, 2);
}

/// An empty reply to a reload is told in words, but to programs.
#[test]
fn a_reload_of_what_is_the_same_says_so() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |_| Answer::Well(String::new()));
    for (form, wanted) in [(&[][..], "nothing differs\n"), (&["--json"], "")] {
        let (code, out, _) = run(gorgon().arg("reload").arg(&fake.path).args(form));
        assert_eq!((code, out.as_str()), (0, wanted));
    }
    let differs = Fake::new(&place.path().join("d.sock"), |_| Answer::Well("~ [gorgon] x\n".to_owned()));
    assert_eq!(run(gorgon().arg("reload").arg(&differs.path)).1, "~ [gorgon] x\n");
}

/// What is no terminal has no width: every column is there, and none is cut.
#[test]
fn a_pipe_has_room_for_all_columns() {
    let place = Directory::new();
    let fields: String = (0..40).map(|key| format!(" key_{key}=\"{}\"", "x ".repeat(15))).collect();
    let fake = Fake::new(&place.path().join("m.sock"), move |_| {
        Answer::Well(format!("/connection/1-1{fields} rule=-\n").repeat(2))
    });
    let (code, out, _) = run(&mut monitor(&fake, &["--table", "-c", "find connection"]));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((code, lines.len()), (0, 3), "{out}");
    assert!(lines[0].ends_with(" rule") && lines[0].contains("key_39"), "{out}");
    assert!(!out.contains(['\u{2026}', ':']), "{out}");
}

#[test]
fn samples_are_counted() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let (code, out, err) = run(&mut monitor(&fake, &["-r", "2", "-c", "watch /loop"]));
    assert_eq!((code, out.as_str(), err.as_str()), (0, "/loop turns=17\n/loop turns=17\n", ""));
    assert_eq!(fake.heard(), ["watch /loop", "unwatch"]);
    let (code, out, _) = run(&mut monitor(&fake, &["-r", "3", "-i", "100ms", "-c", "ls /http"]));
    assert_eq!((code, out.as_str()), (0, "/http/main\n/http/mirror\n".repeat(3).as_str()));
}

#[test]
fn a_reader_that_is_gone_is_no_error_worth_a_word() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |_| Answer::Well(FOUND.repeat(20_000)));
    let mut child = monitor(&fake, &["-c", "find connection"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    assert_eq!(told(&child.wait_with_output().unwrap()), (1, String::new(), String::new()));
}

#[test]
fn the_only_one_is_found_and_several_are_listed() {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt};
    let place = Directory::new();
    // Root's are not where its environment says.
    let sockets = match place.path().metadata().unwrap().uid() {
        0 => std::path::PathBuf::from("/tmp/gorgon-0"),
        _ => place.path().join("gorgon"),
    };
    let _made = std::fs::DirBuilder::new().mode(0o700).create(&sockets);
    let client = |args: &[&str]| {
        run(gorgon().env("XDG_RUNTIME_DIR", place.path()).arg("monitor").args(args).args(["-c", "ls"]))
    };
    let (one, two) = (sockets.join("3999998.sock"), sockets.join("3999999.sock"));
    let clean = || [&one, &two].map(std::fs::remove_file);
    let _none = clean();
    // Another that runs on this machine would be found too, which is as it should be.
    let alone = client(&[]).2.contains("no monitor answers");
    let _one = Fake::new(&one, usual);
    assert_eq!(client(&["3999998"]).0, 0);
    assert!(!alone || client(&[]).0 == 0);
    let _two = Fake::new(&two, usual);
    let (code, _, err) = client(&[]);
    assert!(
        code == 2 && err.contains("several run; say which:\n") && err.contains("\n  3999998  /"),
        "{err}"
    );
    assert_eq!(client(&["3999999"]).0, 0);
    // One with another name is that of the process that listens.
    let named = sockets.join("named.sock");
    let _gone = std::fs::remove_file(&named);
    let _three = Fake::new(&named, usual);
    let own = std::process::id().to_string();
    assert_eq!(client(&[&own]).0, 0);
    let (_, _, err) = client(&[]);
    assert!(err.contains(&format!("\n  {own}  {}\n", named.display())), "{err}");
    std::fs::remove_file(&named).unwrap();
    let (code, _, err) = client(&["3999997"]);
    assert!(code == 1 && err.contains("no monitor answers for process 3999997"), "{err}");
    let _removed = clean();
    // Unless there are others.
    let _gone = std::fs::remove_dir(&sockets);
}

#[test]
fn who_is_turned_away_is_told() {
    let place = Directory::new();
    for (at, (said, wanted)) in [
        ("error refused who are you", "the server does not let us in: refused who are you"),
        ("error limit too many sessions", "the server says: limit too many sessions"),
        ("HTTP/1.1 400 Bad\u{1b} Request", "this is no monitor; it says: HTTP/1.1 400 Bad\\x1b Request"),
        ("=c1 ok 10\nshort", "the server has ended the connection"),
    ]
    .into_iter()
    .enumerate()
    {
        let path = place.path().join(at.to_string());
        let fake = Fake::new(&path, move |_| Answer::Raw(format!("{said}\n").into_bytes()));
        let (code, _, err) = run(&mut monitor(&fake, &["-c", "ls"]));
        assert_eq!((code, err), (1, format!("gorgon: {wanted}\n")));
    }
}

/// More rows than a monitor sorts itself are sorted here, and what cannot be is an error, not a row.
#[test]
fn rows_are_sorted_on_this_side() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |_| {
        Answer::Well(
            (0..20_000).map(|row| format!("/connection/{row} idle={}s\n", row * 7 % 20_000)).collect(),
        )
    });
    let (code, out, err) = run(&mut monitor(&fake, &["-c", "find connection | sort -idle | csv"]));
    assert_eq!((code, err.as_str()), (0, ""));
    let rows: Vec<&str> = out.lines().collect();
    assert_eq!((rows.len(), rows[0]), (20_001, "node,idle"));
    let idle = |row: &str| row.split_once(',').unwrap().1.trim_end_matches('s').parse::<u32>().unwrap();
    assert!(rows[1..].windows(2).all(|pair| idle(pair[0]) >= idle(pair[1])));
    for form in [&[][..], &["--json"], &["--csv"]] {
        let (code, out, err) =
            run(monitor(&fake, form).args(["-c", "find connection | sort nosuch", "-c", "ls"]));
        assert_eq!((code, err.as_str()), (1, "gorgon: sort: there is no column nosuch\n"), "{form:?}");
        assert!(out.is_empty() || form == ["--json"]);
    }
}

/// It is shown as it comes, be it without an end.
#[test]
fn what_never_ends_is_shown() {
    use std::io::Read;
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |command| match command {
        "format json" => Answer::Well(String::new()),
        _ => Answer::Endless,
    });
    for form in [&[][..], &["--json"], &["--csv"], &["--table"]] {
        let mut child = monitor(&fake, form)
            .args(["-c", "ls"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = vec![0; 1_000_000];
        child.stdout.take().unwrap().read_exact(&mut out).unwrap();
        assert!(out.iter().all(|&byte| byte == b'x'));
        // Its reader is gone.
        assert_eq!(child.wait().unwrap().code(), Some(1), "{form:?}");
    }
}
