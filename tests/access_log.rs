//! The access log of the real program: its forms, its sinks, and what becomes of it when files and readers go away.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, PATIENCE, Reply, Server, gorgon, read_all};
use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const BIG: usize = 40_000_000;

/// A site, and the path of a log beside it.
fn site() -> (Directory, PathBuf) {
    let directory = Directory::new();
    directory.file("site/a.txt", "a file");
    directory.file("site/big", vec![7; BIG]);
    let log = directory.path().join("log");
    (directory, log)
}

fn start(directory: &Directory, target: &str, arguments: &[&str]) -> Server {
    let mut all = vec!["--access-log", target];
    all.extend(arguments);
    Server::start(&directory.path().join("site"), &all)
}

/// The lines of a file, once there are so many.
fn lines(path: &Path, count: usize) -> Vec<String> {
    let begun = Instant::now();
    loop {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if lines.len() >= count && text.ends_with('\n') {
            assert_eq!(lines.len(), count, "{text}");
            return lines;
        }
        assert!(begun.elapsed() < PATIENCE, "{} of {count} lines: {text}", lines.len());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A line of the first two forms, taken apart.
#[derive(Debug)]
struct Line {
    time: String,
    request: String,
    status: String,
    bytes: u64,
    rest: Vec<String>,
}

impl Line {
    fn of(line: &str) -> Line {
        let rest = line.strip_prefix("127.0.0.1 - - [").unwrap_or_else(|| panic!("{line}"));
        let (time, rest) = rest.split_once("] ").unwrap();
        let (request, rest) = quoted(rest);
        let mut words = rest.trim_start().splitn(3, ' ');
        let status = words.next().unwrap().to_owned();
        let bytes = words.next().unwrap().parse().unwrap();
        let (mut fields, mut rest) = (Vec::new(), words.next().unwrap_or_default());
        while !rest.is_empty() {
            let (field, after) = quoted(rest);
            fields.push(field);
            rest = after.trim_start();
        }
        Line { time: time.to_owned(), request, status, bytes, rest: fields }
    }

    /// Its request, status and bytes.
    fn short(&self) -> (&str, &str, u64) {
        (&self.request, &self.status, self.bytes)
    }
}

/// A text in quotes, as it stands between them, and what follows.
fn quoted(text: &str) -> (String, &str) {
    let text = text.strip_prefix('"').unwrap();
    let mut escaped = false;
    let end = text
        .find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })
        .unwrap();
    (text[..end].to_owned(), &text[end + 1..])
}

/// What python makes of lines of JSON: one expression for each, printed.
fn python(path: &Path, expression: &str) -> Vec<String> {
    let script = format!(
        "import json,sys\nfor l in open(sys.argv[1], 'rb').read().decode('utf-8').splitlines():\n o=json.loads(l)\n print(({expression}))"
    );
    let output = Command::new("python3").args(["-c", &script]).arg(path).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn each_form_tells_what_was_asked_and_answered() {
    for form in ["common", "combined", "json"] {
        let (directory, log) = site();
        let server =
            start(&directory, log.to_str().unwrap(), &[&format!("--http.main.access_log_format={form}")]);
        let mut expected = Vec::new();
        let mut ask = |line: &str, fields: &str, status: u16, bytes: Option<usize>| {
            let request = format!(
                "{line}\r\nHost: test\r\nReferer: http://r/\"\r\nUser-Agent: a\\b\r\nConnection: close\r\n{fields}\r\n"
            );
            let all = server.talk(request.as_bytes());
            let (reply, _) = Reply::first(&all, line.starts_with("HEAD"));
            assert_eq!(reply.status, status, "{line}");
            expected.push((line.to_owned(), status.to_string(), bytes.unwrap_or(reply.body.len()) as u64));
            reply
        };
        let tag = ask("GET /a.txt HTTP/1.1", "", 200, Some(6)).field("etag").unwrap();
        ask("HEAD /a.txt HTTP/1.1", "", 200, Some(0));
        ask("GET /a.txt?q HTTP/1.1", &format!("If-None-Match: {tag}\r\n"), 304, Some(0));
        ask("GET /none HTTP/1.1", "", 404, None);
        ask("GET /a.txt HTTP/1.1", "Range: bytes=1-2\r\n", 206, Some(2));
        ask("GET /big HTTP/1.1", "", 200, Some(BIG));
        ask("OPTIONS * HTTP/1.1", "", 204, Some(0));
        ask("DELETE /a.txt HTTP/1.1", "", 405, None);
        let found = lines(&log, expected.len());
        if form == "json" {
            let told = python(
                &log,
                "o['method'],o['target'],o['protocol'],o['status'],o['bytes'],o['completed'],o['referer'],\
                 o['user_agent'],o['host'],o['remote'],o['user']",
            );
            for (told, (line, status, bytes)) in told.iter().zip(&expected) {
                let parts: Vec<&str> = line.split(' ').collect();
                let wanted = format!(
                    "('{}', '{}', '{}', {status}, {bytes}, True, 'http://r/\"', 'a\\\\b', 'test', '127.0.0.1', None)",
                    parts[0], parts[1], parts[2]
                );
                assert_eq!(*told, wanted);
            }
            // RFC 3339, as the library reads it, and about now.
            let script = "import json,sys,datetime,time\nfor l in open(sys.argv[1]):\n t=datetime.datetime.fromisoformat(json.loads(l)['time'])\n assert abs(t.timestamp()-time.time())<60";
            assert!(Command::new("python3").args(["-c", script]).arg(&log).status().unwrap().success());
            continue;
        }
        for (line, (request, status, bytes)) in found.iter().zip(&expected) {
            let line = Line::of(line);
            assert_eq!(line.short(), (request.as_str(), status.as_str(), *bytes));
            let fields: &[&str] = if form == "common" { &[] } else { &["http://r/\\\"", "a\\\\b"] };
            assert_eq!(line.rest, fields);
            assert!(line.time.ends_with(" +0000") && line.time.len() == 26, "{}", line.time);
        }
    }
}

#[test]
fn pipelined_requests_have_a_line_each() {
    let (directory, log) = site();
    let server = start(&directory, log.to_str().unwrap(), &[]);
    let mut text = String::new();
    for number in 0..200 {
        text.push_str(&format!("GET /a.txt?{number} HTTP/1.1\r\nHost: test\r\n\r\n"));
    }
    text.push_str("GET /big HTTP/1.1\r\nHost: test\r\n\r\nGET /a.txt?last HTTP/1.1\r\nHost: test\r\n\r\n");
    assert_eq!(Reply::all(&server.talk(text.as_bytes())).len(), 202);
    let found = lines(&log, 202);
    for (number, line) in found.iter().enumerate() {
        let line = Line::of(line);
        match number {
            200 => assert_eq!(line.short(), ("GET /big HTTP/1.1", "200", BIG as u64)),
            201 => assert_eq!(line.short(), ("GET /a.txt?last HTTP/1.1", "200", 6)),
            number => assert_eq!(line.short(), (format!("GET /a.txt?{number} HTTP/1.1").as_str(), "200", 6)),
        }
    }
}

#[test]
fn what_an_aborted_transfer_got() {
    let (directory, log) = site();
    let form = "--http.main.access_log_format=json";
    for arguments in [vec![form], vec![form, "--http.main.sendfile=off"]] {
        let _ = std::fs::remove_file(&log);
        let server = start(&directory, log.to_str().unwrap(), &arguments);
        let mut stream = server.connect();
        stream
            .write_all(b"GET /a.txt HTTP/1.1\r\nHost: t\r\n\r\nGET /big HTTP/1.1\r\nHost: t\r\n\r\n")
            .unwrap();
        stream.read_exact(&mut vec![0; 100_000]).unwrap();
        drop(stream);
        lines(&log, 2);
        let told = python(&log, "o['target'],o['status'],o['completed'],o['bytes']");
        assert_eq!(told[0], "('/a.txt', 200, True, 6)");
        let bytes = told[1].strip_prefix("('/big', 200, False, ").unwrap().trim_end_matches(')');
        let bytes: usize = bytes.parse().unwrap();
        assert!((100_000 - 1000..BIG).contains(&bytes), "{bytes}");
    }
    // One that is under way when the program is told to stop.
    let _ = std::fs::remove_file(&log);
    let mut server = start(&directory, log.to_str().unwrap(), &[form]);
    let mut stream = server.connect();
    stream.write_all(b"GET /big HTTP/1.1\r\nHost: t\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    server.signal("TERM");
    server.child.wait().unwrap();
    lines(&log, 1);
    let told = python(&log, "o['completed'],o['status']");
    assert_eq!(told, ["(False, 200)"]);
}

#[test]
fn what_is_no_request_is_told_too() {
    let (directory, log) = site();
    let server = start(&directory, log.to_str().unwrap(), &["--http.main.header_timeout=300ms"]);
    let long = format!("GET /{} HTTP/1.1\r\nHost: t\r\n\r\n", "x".repeat(9000));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(101));
    let cut = format!("GET /{}\\...", "x".repeat(1019));
    let mut count = 0;
    for (bytes, request, status) in [
        (&b"nonsense\r\n\r\n"[..], "nonsense", "400"),
        (b"GET /a.txt HTTP/1.1\r\nA b\r\n\r\n", "GET /a.txt HTTP/1.1", "400"),
        (b"\x16\x03\x01\x02\"\\\r\n\r\n", "\\x16\\x03\\x01\\x02\\\"\\\\", "400"),
        (long.as_bytes(), cut.as_str(), "414"),
        (many.as_bytes(), "GET / HTTP/1.1", "431"),
        (b"GET /a%00b HTTP/1.1\r\nHost: t\r\n\r\n", "GET /a%00b HTTP/1.1", "400"),
    ] {
        let all = server.talk(bytes);
        assert!(
            all.starts_with(format!("HTTP/1.1 {status}").as_bytes()),
            "{}",
            String::from_utf8_lossy(&all)
        );
        count += 1;
        let line = lines(&log, count).remove(count - 1);
        let line = Line::of(&line);
        assert_eq!((line.request.as_str(), line.status.as_str()), (request, status));
        assert!(line.bytes > 0);
    }
    let mut half = server.connect();
    half.write_all(b"GET / HT").unwrap();
    assert!(read_all(&mut half).starts_with(b"HTTP/1.1 408"));
    let line = lines(&log, count + 1).remove(count);
    assert_eq!((Line::of(&line).request.as_str(), Line::of(&line).status.as_str()), ("-", "408"));
}

#[test]
fn an_upload_that_is_broken_off_is_told_as_such() {
    let (directory, log) = site();
    directory.file("site/in/old", "old");
    for form in ["combined", "json"] {
        let _ = std::fs::remove_file(&log);
        let format = format!("--http.main.access_log_format={form}");
        let server = start(&directory, log.to_str().unwrap(), &[&format, "--upload", "in"]);
        let mut stream = server.connect();
        stream.write_all(b"PUT /in/x HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nhalf").unwrap();
        drop(stream);
        let line = lines(&log, 1).remove(0);
        if form == "json" {
            assert_eq!(python(&log, "o['method'],o['status'],o['completed']"), ["('PUT', 499, False)"]);
        } else {
            assert_eq!(Line::of(&line).short(), ("PUT /in/x HTTP/1.1", "499", 0));
        }
    }
}

#[test]
fn refused_requests_have_parts_where_they_are_plain() {
    let (directory, log) = site();
    let server = start(&directory, log.to_str().unwrap(), &["--http.main.access_log_format=json"]);
    for (bytes, told) in [
        (&b"GET /a.txt HTTP/1.1\r\nA b\r\n\r\n"[..], "('GET', '/a.txt', 'HTTP/1.1', 400)"),
        (b"BREW /pot HTTP/1.1\r\nHost: t\r\n\r\n", "('BREW', '/pot', 'HTTP/1.1', 501)"),
        (b"PRI * HTTP/2.0\r\n\r\n", "('PRI', '*', 'HTTP/2.0', 505)"),
        (b"GET  / HTTP/1.1\r\n\r\n", "(None, 'GET  / HTTP/1.1', None, 400)"),
        (b"GET / HTTP/1.1 \r\n\r\n", "(None, 'GET / HTTP/1.1 ', None, 400)"),
        (b"G ET /a HTTP/1.1\r\n\r\n", "(None, 'G ET /a HTTP/1.1', None, 400)"),
        (b" / HTTP/1.1\r\n\r\n", "(None, ' / HTTP/1.1', None, 400)"),
        (b"GET /\r\n\r\n", "(None, 'GET /', None, 400)"),
        (b"GET / \r\n\r\n", "(None, 'GET / ', None, 400)"),
        (b"nonsense\r\n\r\n", "(None, 'nonsense', None, 400)"),
    ] {
        let _ = std::fs::write(&log, "");
        server.talk(bytes);
        lines(&log, 1);
        assert_eq!(python(&log, "o['method'],o['target'],o['protocol'],o['status']"), [told]);
    }
}

#[test]
fn nothing_that_is_sent_ends_a_line_or_a_field() {
    let (directory, log) = site();
    let server = start(&directory, log.to_str().unwrap(), &[]);
    let agent = b"a\" 200 1\t\x80\xff\\x41";
    let request =
        [b"GET /\x80\"x HTTP/1.1\r\nHost: t\r\nUser-Agent: ", agent.as_slice(), b"\r\n\r\n"].concat();
    server.talk(&request);
    server.talk(b"GET /a.txt HTTP/1.1\r\nHost: t\r\nUser-Agent: \x1b[2J\r\n\r\n");
    let found = lines(&log, 2);
    assert!(found.iter().all(|line| line.bytes().all(|byte| (b' '..=b'~').contains(&byte))), "{found:?}");
    let line = Line::of(&found[0]);
    assert!(line.request.starts_with("GET /\\x80\\\"x"), "{line:?}");
    if line.status != "400" {
        assert_eq!(line.rest[1], "a\\\" 200 1\\x09\\x80\\xFF\\\\x41");
    }
}

#[test]
fn files_are_renamed_with_and_without_a_signal() {
    let (directory, log) = site();
    let server = start(&directory, log.to_str().unwrap(), &[]);
    let old = directory.path().join("log.old");
    server.get("/a.txt?1");
    std::fs::rename(&log, &old).unwrap();
    server.signal("USR1");
    assert!(lines(&old, 1)[0].contains("?1 "));
    server.get("/a.txt?2");
    assert!(lines(&log, 1)[0].contains("?2 "));
    // Nobody tells.
    std::thread::sleep(Duration::from_millis(1100));
    std::fs::rename(&log, &old).unwrap();
    server.get("/a.txt?3");
    assert!(lines(&log, 1)[0].contains("?3 "));
    assert_eq!(lines(&old, 1).len(), 1);
}

#[test]
fn its_own_rotation_keeps_to_its_cap() {
    let (directory, log) = site();
    let arguments = ["--http.main.access_log_size=64K", "--http.main.access_log_keep=2"];
    let mut server = start(&directory, log.to_str().unwrap(), &arguments);
    let request = format!("GET /a.txt?{} HTTP/1.1\r\nHost: t\r\n\r\n", "x".repeat(900)).repeat(10);
    for _ in 0..40 {
        server.talk(request.as_bytes());
    }
    server.signal("TERM");
    server.child.wait().unwrap();
    let mut total = 0;
    for name in ["log", "log.1", "log.2"] {
        let text = std::fs::read_to_string(directory.path().join(name)).unwrap();
        assert!(text.len() <= 64 * 1024 && text.ends_with('\n'), "{name}: {}", text.len());
        text.lines().for_each(|line| assert_eq!(Line::of(line).status, "200"));
        total += text.len();
    }
    assert!(total > 64 * 1024 && !directory.path().join("log.3").exists());
}

#[test]
fn nobody_reads_standard_output() {
    let (directory, _) = site();
    let mut command = gorgon();
    command.arg(directory.path().join("site")).args(["-l", "127.0.0.1:0", "--access-log", "-"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut output = child.stdout.take().unwrap();
    let (mut report, mut byte) = (String::new(), [0]);
    while !(report.contains("Descriptors:") && report.ends_with('\n')) {
        assert_eq!(output.read(&mut byte).unwrap(), 1);
        report.push(char::from(byte[0]));
    }
    let url = report.lines().find_map(|line| line.trim().strip_prefix("http://")).unwrap();
    let address = url.trim_end_matches('/').parse().unwrap();
    let server = Server { child, address, report: report.clone() };
    let request = "GET /a.txt HTTP/1.1\r\nHost: t\r\n\r\n".repeat(100);
    // Far more than a pipe and the buffer hold.
    const ROUNDS: usize = 60;
    for _ in 0..ROUNDS {
        assert_eq!(Reply::all(&server.talk(request.as_bytes())).len(), 100);
    }
    // Now somebody reads: what was dropped is told by itself, and with what is there it is all.
    let (mut text, mut some) = (Vec::new(), [0; 4096]);
    let (mut written, mut told) = (0, 0);
    while written + told < ROUNDS * 100 {
        let count = output.read(&mut some).unwrap();
        assert!(count > 0);
        text.extend_from_slice(&some[..count]);
        let whole = String::from_utf8_lossy(&text);
        let whole = whole.rsplit_once('\n').map_or("", |(whole, _)| whole);
        written = whole.lines().filter(|line| line.ends_with("\"-\" \"-\"")).count();
        let notes = whole.lines().filter_map(|line| line.strip_prefix("# gorgon: lines dropped here: "));
        told = notes.map(|count| count.parse::<usize>().unwrap()).sum();
    }
    assert!(written + told == ROUNDS * 100 && told > 3000, "{written} {told}");
    server.get("/a.txt?again");
    let mut rest = Vec::new();
    while !rest.ends_with(b"\n") {
        let count = output.read(&mut some).unwrap();
        rest.extend_from_slice(&some[..count]);
    }
    assert!(String::from_utf8_lossy(&rest).contains("?again"));
}

#[test]
fn log_daemons_get_a_message_a_line() {
    let (directory, _) = site();
    let path = directory.path().join("socket");
    let unix = UnixDatagram::bind(&path).unwrap();
    unix.set_read_timeout(Some(PATIENCE)).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    udp.set_read_timeout(Some(PATIENCE)).unwrap();
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let mut message = [0; 4096];
    for (target, host) in [
        (format!("syslog:{}", path.display()), String::new()),
        (format!("syslog:udp:{}", udp.local_addr().unwrap()), format!("{} ", host.trim())),
    ] {
        let server = start(&directory, &target, &[]);
        let long = format!("GET /{} HTTP/1.1\r\nHost: t\r\n\r\n", "x".repeat(5000));
        server.talk(format!("GET /a.txt HTTP/1.1\r\nHost: t\r\n\r\n{long}").as_bytes());
        for request in ["GET /a.txt HTTP/1.1", "GET /xxxx"] {
            let unix_turn = host.is_empty();
            let length = if unix_turn { unix.recv(&mut message) } else { udp.recv(&mut message) }.unwrap();
            let text = std::str::from_utf8(&message[..length]).unwrap();
            assert!(length <= 2048 && text.starts_with("<30>") && !text.contains('\n'), "{text}");
            // `<30>Mmm dd hh:mm:ss `, perhaps a host, `gorgon[pid]: `.
            let head = format!("{host}gorgon[{}]: 127.0.0.1 - - [", server.child.id());
            assert!(text[20..].starts_with(&head), "{text}");
            assert!(text.contains(&format!("\"{request}")), "{text}");
        }
    }
}

#[test]
fn the_zone_is_the_local_one() {
    let (directory, log) = site();
    let mut command = gorgon();
    command.env("TZ", "America/New_York").arg(directory.path().join("site"));
    command.args(["-l", "127.0.0.1:0", "--access-log", log.to_str().unwrap()]);
    let server = Server::spawn(command);
    server.get("/a.txt");
    let line = lines(&log, 1).remove(0);
    let output = Command::new("date").env("TZ", "America/New_York").arg("+%d/%b/%Y:%H %z").output().unwrap();
    let now = String::from_utf8(output.stdout).unwrap();
    let (hour, zone) = now.trim().split_once(' ').unwrap();
    let time = Line::of(&line).time;
    assert!(time.ends_with(zone), "{time} {now}");
    // An hour may have begun meanwhile.
    assert!(time.starts_with(hour) || now.contains(":00"), "{time} {now}");
}

#[test]
fn levels() {
    let (directory, _) = site();
    let run = |arguments: &[&str]| {
        let mut command = gorgon();
        command.arg(directory.path().join("site")).args(["-l", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(300));
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        let mut text = String::new();
        child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        child.wait().unwrap();
        text
    };
    for (arguments, report, summary) in [
        (&[][..], true, false),
        (&["-q"], false, false),
        (&["-v"], true, true),
        (&["--gorgon.log_level=warn"], false, false),
        (&["--gorgon.log_level=debug"], true, true),
        (&["-q", "--gorgon.log_level=debug"], true, true),
        (&["-v", "--gorgon.log_level=error"], false, false),
    ] {
        let text = run(arguments);
        assert_eq!(text.contains("Serving"), report, "{arguments:?}: {text}");
        assert_eq!(text.contains(" turns"), summary, "{arguments:?}: {text}");
    }
    let mut command = gorgon();
    command.arg(directory.path().join("site")).args(["--access-log", "/none/log"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        "gorgon: --access-log /none/log: No such file or directory\n"
    );
}
