//! The clients on a terminal, which `pty.py` makes.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common::Directory;
use crate::fake::{Answer, Fake};
use crate::usual;

/// What became of the program, and what it wrote.
struct Shown {
    exit: i32,
    restored: bool,
    /// The most memory that it had, in kB.
    peak: u64,
    stops: Vec<String>,
    written: String,
}

/// Runs the program on a terminal of so many columns and rows. Needs python3, without which nothing is tested.
fn on_terminal(size: (u16, u16), home: &Path, args: &[&str], steps: &str) -> Option<Shown> {
    on_terminal_of("xterm", size, home, args, steps)
}

/// The same on one of another kind.
fn on_terminal_of(kind: &str, size: (u16, u16), home: &Path, args: &[&str], steps: &str) -> Option<Shown> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/client/pty.py");
    let child = Command::new("python3")
        .arg(script)
        .args([size.0.to_string(), size.1.to_string()])
        .arg(env!("CARGO_BIN_EXE_gorgon"))
        .args(args)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TERM", kind)
        .env("HOME", home)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: there is no python3");
        return None;
    };
    child.stdin.take().unwrap().write_all(steps.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap().to_owned();
    Some(Shown {
        exit: value("ended: ").parse().unwrap(),
        peak: value("peak: ").parse().unwrap(),
        restored: value("terminal: ") == "as it was",
        stops: text
            .lines()
            .filter_map(|line| line.strip_prefix("while stopped: "))
            .map(str::to_owned)
            .collect(),
        written: value("written: "),
    })
}

fn top_answers(command: &str) -> Answer {
    if let Some(rest) = command.strip_prefix("kv find connection") {
        if rest.contains("where (wrong") {
            return Answer::Wrong("unknown", "connection has no wrong");
        }
        let port = if rest.contains("where (idle") { 4002 } else { 4001 };
        return Answer::Well(format!(
            "/connection/17-93 peer=10.0.0.1 port={port} server=main state=idle idle=12s\n"
        ));
    }
    match command {
        "kv get /loop" => Answer::Well("/loop.turns=17\n/loop.slowest=12ms\n".to_owned()),
        "call /connection/17-93 close" | "set /connection/17-93 write_buffer=64K" => {
            Answer::Well(String::new())
        }
        "kv get /process" => Answer::Well("/process.uptime=2h\n".to_owned()),
        _ => usual(command),
    }
}

#[test]
fn lines_are_typed() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let steps = "\
expect 4711 operate> \n\
send ls\\r\n\
expect /loop\\r\\n\n\
expect operate> \n\
send get /ht\\t\\t\\tain\\r\n\
expect main    mirror\n\
expect /srv/a b\n\
expect operate> \n\
send set /x password=1\\r\n\
expect missing: no such thing\n\
send nonsense\\r\n\
expect unknown: no verb is named nonsense\\\\x1b[2J\n\
expect operate> \n\
send watch /loop\\r\n\
expect turns\n\
expect /loop\n\
send x\n\
expect operate> \n\
send half\\x03\n\
expect ^C\n\
send \\x12ht\n\
expect search \"ht\": get /http/main\n\
send \\x07\\x1a\n\
stopped\n\
send \\x1b[A\\x1b[A\\x1b[A\n\
resize 40 10\n\
expect get /http/main\n\
send \\x15\\x04\n";
    let socket = fake.path.to_str().unwrap();
    let Some(shown) = on_terminal((80, 24), place.path(), &["monitor", socket], steps) else { return };
    assert_eq!((shown.exit, shown.restored), (0, true), "{}", shown.written);
    assert_eq!(shown.stops, ["as it was"]);
    let heard = fake.heard();
    for command in ["kv hello", "ls", "kv ls", "kv ls /http", "get /http/main", "unwatch"] {
        assert!(heard.iter().any(|heard| heard == command), "{command}: {heard:?}");
    }
    let history = place.path().join(".gorgon_history");
    assert_eq!(std::fs::read_to_string(&history).unwrap(), "ls\nget /http/main\nnonsense\nwatch /loop\n");
    let mode = std::os::unix::fs::PermissionsExt::mode(&history.metadata().unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    // The next conversation has it.
    let steps = "expect > \nsend \\x10\\x10\\x10\\r\nexpect /srv/a b\nexpect > \nsend end\\r\n";
    let shown = on_terminal((80, 24), place.path(), &["monitor", socket], steps).unwrap();
    assert_eq!((shown.exit, shown.restored), (1, true));
    assert!(shown.written.contains("the server has ended the connection"), "{}", shown.written);
}

/// A part of a command is another command; and what waits for a commit is seen.
#[test]
fn a_line_that_is_too_long_is_not_done() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let socket = fake.path.to_str().unwrap();
    let long = "x".repeat(1000);
    let steps = format!(
        "expect operate> \\x1b[K\nsend ls \n{}send y\\r\n\
         expect a line is at most 4000 bytes long; this one was longer, and is not done\nexpect operate> \\x1b[K\n\
         send begin\\r\nexpect (begin) \\x1b[K\nsend ls\\r\nexpect (begin) \\x1b[K\nsend abort\\r\nexpect operate> \\x1b[K\nsend \\x04\n",
        format!("send {long}\n").repeat(4)
    );
    let Some(shown) = on_terminal((80, 24), place.path(), &["monitor", socket], &steps) else { return };
    assert_eq!((shown.exit, shown.restored), (0, true), "{}", shown.written);
    assert_eq!(fake.heard(), ["kv hello", "begin", "ls", "abort"]);
    for end in ["\\x04", "quit\\r"] {
        let steps = format!(
            "expect operate> \\x1b[K\nsend begin\\r\nexpect (begin) \\x1b[K\nsend {end}\nexpect no commit\n"
        );
        let shown = on_terminal((80, 24), place.path(), &["monitor", socket], &steps).unwrap();
        assert_eq!((shown.exit, shown.restored), (1, true), "{}", shown.written);
    }
}

/// A terminal whose cursor stays where it is gets lines, and what fails does not end the conversation.
#[test]
fn a_terminal_that_can_do_nothing_gets_lines() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), usual);
    let socket = fake.path.to_str().unwrap();
    let steps = "\
expect 4711 operate> \n\
send nonsense\\n\n\
expect unknown: no verb\n\
expect 4711 operate> \n\
send get /http/main\\n\n\
expect /srv/a b\n\
expect 4711 operate> \n\
send quit\\n\n\
";
    for kind in ["dumb", ""] {
        let shown = on_terminal_of(kind, (80, 24), place.path(), &["monitor", socket], steps);
        let Some(shown) = shown else { return };
        assert_eq!((shown.exit, shown.restored), (0, true), "{}", shown.written);
        let signs = shown.written.replace(r"\\x1b", "");
        assert!(!signs.contains(r"\x1b"), "{}", shown.written);
        let shown = on_terminal_of(kind, (80, 24), place.path(), &["top", socket], "").unwrap();
        assert_eq!((shown.exit, shown.restored), (2, true), "{}", shown.written);
        assert!(shown.written.contains("TERM says that this is none") && !shown.written.contains("x1b"));
    }
}

/// What a server sends is not held, however much it is and whoever asked.
#[test]
fn what_never_ends_is_not_held() {
    let place = Directory::new();
    for (at, (endless, steps, end)) in [
        ("kv hello", "", "has no end"),
        ("kv ls", "expect > \nsend get /\\t\n", "has no end"),
        ("ls", "expect > \nsend ls\\r\nexpect xxxx\nsignal SIGINT\n", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let fake = Fake::new(&place.path().join(at.to_string()), move |command| {
            if command == endless { Answer::Endless } else { usual(command) }
        });
        let args = ["monitor", fake.path.to_str().unwrap()];
        let Some(shown) = on_terminal((80, 24), place.path(), &args, steps) else { return };
        let tail = shown.written.get(shown.written.len().saturating_sub(200)..).unwrap();
        assert_eq!((shown.exit, shown.restored), (if end.is_empty() { -2 } else { 1 }, true), "{tail}");
        assert!(tail.contains(end) && shown.peak < 40_000, "{endless} {} {tail}", shown.peak);
    }
}

/// Signals that end a program, with their numbers on Linux.
const ENDING: [(&str, i32); 19] = [
    ("SIGTERM", 15),
    ("SIGHUP", 1),
    ("SIGINT", 2),
    ("SIGQUIT", 3),
    ("SIGABRT", 6),
    ("SIGSEGV", 11),
    ("SIGBUS", 7),
    ("SIGFPE", 8),
    ("SIGILL", 4),
    ("SIGSYS", 31),
    ("SIGTRAP", 5),
    ("SIGALRM", 14),
    ("SIGVTALRM", 26),
    ("SIGPROF", 27),
    ("SIGUSR1", 10),
    ("SIGUSR2", 12),
    ("SIGXCPU", 24),
    ("SIGIO", 29),
    ("SIGPWR", 30),
];

/// Stopped by whoever, it gives the terminal back, and shows all of itself again when it goes on.
#[test]
fn a_stop_by_another_is_borne() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), top_answers);
    let socket = fake.path.to_str().unwrap();
    for (client, steps) in [
        (
            "monitor",
            "expect > \nsend half\nexpect half\nsignal SIGTSTP\nstopped\nexpect operate> half\nsend \\x15\\x04\n",
        ),
        ("top", "expect 10.0.0.1\nsignal SIGTSTP\nstopped\nexpect \\x1b[?1049h\nexpect 10.0.0.1\nsend q\n"),
    ] {
        let Some(shown) = on_terminal((80, 24), place.path(), &[client, socket], steps) else { return };
        assert_eq!((shown.exit, shown.restored), (0, true), "{client}: {}", shown.written);
        assert_eq!(shown.stops, ["as it was"], "{client}");
    }
}

#[test]
fn signals_give_the_terminal_back() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), top_answers);
    let socket = fake.path.to_str().unwrap();
    for (client, ready) in [("monitor", "> "), ("top", "10.0.0.1")] {
        for (signal, number) in ENDING {
            let steps = format!("expect {ready}\nsignal {signal}\n");
            let Some(shown) = on_terminal((80, 24), place.path(), &[client, socket], &steps) else { return };
            assert_eq!((shown.exit, shown.restored), (-number, true), "{client} {signal}: {}", shown.written);
            assert_eq!(shown.written.contains("\\x1b[?1049l"), client == "top");
        }
    }
}

#[test]
fn top_shows_and_acts() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), top_answers);
    let steps = "\
expect \\x1b[?1049h\n\
expect gorgon 0.1.0  pid 4711  up 2h0m  role operate  every 100ms\n\
expect > 10.0.0.1:4001\n\
send ?\n\
expect sort by the next column\n\
send x\n\
expect > 10.0.0.1:4001\n\
send /idle > 1s\\r\n\
expect 4002\n\
send /\\x15wrong\\r\n\
expect unknown: connection has no wrong\n\
send /\\x15\\r\n\
expect 4001\n\
send ssr\n\
expect -server\n\
send k\n\
expect close 10.0.0.1:4001? y or n\n\
send y\n\
expect done\n\
send w\n\
expect write buffer of 10.0.0.1:4001:\n\
send 64K\\r\n\
send  \n\
expect PAUSED\n\
resize 40 8\n\
expect \\x1b[2J\n\
expect > 10.0.0.1\n\
send \\x1a\n\
stopped\n\
expect \\x1b[?1049h\n\
expect > 10.0.0.1\n\
send /\\x1b\n\
expect \\x1b[?25h\n\
expect q quit\n\
send q\n";
    let args = ["top", "-i", "100ms", fake.path.to_str().unwrap()];
    let Some(shown) = on_terminal((100, 24), place.path(), &args, steps) else { return };
    assert_eq!((shown.exit, shown.restored), (0, true), "{}", shown.written);
    assert_eq!(shown.stops, ["as it was"]);
    assert!(shown.written.ends_with("\\x1b[0m\\x1b[?25h\\x1b[?1049l'"), "{}", shown.written);
    let heard = fake.heard();
    for command in [
        "call /connection/17-93 close",
        "set /connection/17-93 write_buffer=64K",
        "kv find connection where (idle > 1s) limit 500",
        "kv find connection sort -server limit 500",
    ] {
        assert!(heard.iter().any(|heard| heard == command), "{command}: {heard:?}");
    }
}

#[test]
fn top_ends_with_its_server() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |command| match command {
        "call /connection/17-93 close" => Answer::End,
        command => top_answers(command),
    });
    let steps = "expect 10.0.0.1\nsend ky\n";
    let args = ["top", fake.path.to_str().unwrap()];
    let Some(shown) = on_terminal((80, 24), place.path(), &args, steps) else { return };
    assert_eq!((shown.exit, shown.restored), (1, true), "{}", shown.written);
    assert!(
        shown.written.contains("\\x1b[?1049lgorgon: the server has ended the connection"),
        "{}",
        shown.written
    );
}

#[test]
fn a_server_that_does_not_answer_can_be_left() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |_| Answer::Silence);
    let args = ["top", fake.path.to_str().unwrap()];
    let Some(shown) = on_terminal((80, 24), place.path(), &args, "expect quit\nsend q\n") else { return };
    assert_eq!((shown.exit, shown.restored), (0, true), "{}", shown.written);
}

#[test]
fn a_password_is_asked_for_and_not_shown() {
    let place = Directory::new();
    let server = crate::login::strong();
    let target = format!("ada@{server}");
    let steps = "expect Password of ada: \nsend right\\r\nexpect /loop\n";
    let Some(shown) = on_terminal((80, 24), place.path(), &["monitor", &target, "-c", "ls"], steps) else {
        return;
    };
    assert_eq!((shown.exit, shown.restored), (0, true), "{}", shown.written);
    assert!(!shown.written.contains("right"), "{}", shown.written);
    let steps = "expect Password of ada: \nsend ri\nsignal SIGINT\n";
    let shown = on_terminal((80, 24), place.path(), &["monitor", &target, "-c", "ls"], steps).unwrap();
    assert_eq!((shown.exit, shown.restored), (-2, true), "{}", shown.written);
}

/// A table is no wider than the terminal: columns are whole, and those that have no room are named.
#[test]
fn columns_without_room_are_named() {
    let place = Directory::new();
    let fake = Fake::new(&place.path().join("m.sock"), |command| match command {
        "find connection" | "get /connection/*" => Answer::Well(
            "/connection/17-93 peer=10.0.0.1 port=4001 server=main state=idle user=somebody\n".repeat(2),
        ),
        _ => usual(command),
    });
    let socket = fake.path.to_str().unwrap();
    for (width, command, named) in [
        (80, "find connection", &[""][..]),
        (52, "find connection", &["1 more column: show user"]),
        (52, "get /connection/*", &["1 more column: user"]),
        (46, "find connection", &["2 more columns: show state,user"]),
        // What names them has no more room than the table.
        (30, "find connection", &["4 more columns: show port,", "  server,state,user"]),
        (24, "find connection", &["4 more columns: show", "  port,server,state,user"]),
    ] {
        let args = ["monitor", socket, "--table", "-c", command];
        let Some(shown) = on_terminal((width, 24), place.path(), &args, "") else { return };
        assert_eq!(shown.exit, 0);
        let text = shown.written.trim_start_matches("b'").trim_end_matches('\'');
        let lines: Vec<&str> = text.split("\\r\\n").collect();
        assert!(lines.iter().all(|line| line.len() <= width.into()), "{lines:?}");
        assert_eq!(lines.get(3..3 + named.len()).unwrap(), named);
    }
}
