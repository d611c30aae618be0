//! What the program tells of itself by HTTP: the status page, its JSON, metrics, and whether it is well.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::host::{Program, body, connect, exchange, get, until};

const TEXT: &str = "\
[http:one]
root = %(here)s/one
listen = 127.0.0.1:0
[handler:one/status]
kind = status
match = /-/status
[handler:one/metrics]
kind = metrics
match = /-/metrics
[handler:one/health]
kind = health
match = /-/healthz
";

/// Reads metrics as strictly as their format is written down.
const CHECKER: &str = r##"
import re, sys
text = sys.stdin.buffer.read().decode()
assert text.endswith('\n'), 'no end of the last line'
name = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
label = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
sample = re.compile(r'(%s)(?:\{(%s(?:,%s)*),?\})? (NaN|[+-]Inf|[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)$' % (name, label, label))
types, helps, seen, done, current = {}, set(), set(), set(), None
for line in text.split('\n')[:-1]:
    if line.startswith('# HELP '):
        family = line.split(' ')[2]
        assert re.fullmatch(name, family) and family not in helps, line
        assert re.fullmatch(r'(?:[^\\]|\\[\\n])*', line), line
        helps.add(family)
    elif line.startswith('# TYPE '):
        _, _, family, kind = line.split(' ')
        assert kind in ('counter', 'gauge', 'histogram', 'summary', 'untyped'), line
        assert family not in types, line
        types[family] = kind
    else:
        match = sample.match(line)
        assert match, line
        family = match.group(1)
        base = family
        for end in ('_bucket', '_sum', '_count'):
            if family.endswith(end) and types.get(family[:-len(end)]) == 'histogram':
                base = family[:-len(end)]
        assert base in types, 'no type: ' + line
        if base != current:
            assert base not in done, 'in two places: ' + line
            done.add(base)
            current = base
        if types[base] == 'counter':
            assert family.endswith('_total'), line
            assert float(match.group(3)) >= 0, line
        names = re.findall(r'([a-zA-Z_][a-zA-Z0-9_]*)="', match.group(2) or '')
        assert len(names) == len(set(names)), line
        key = (family, match.group(2))
        assert key not in seen, 'twice: ' + line
        seen.add(key)
assert set(types) == done, set(types) ^ done
print(len(seen))
"##;

fn check(metrics: &[u8]) {
    let python =
        Command::new("python3").args(["-c", CHECKER]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut python) = python else {
        eprintln!("skipped: python3 cannot be had");
        return;
    };
    python.stdin.take().unwrap().write_all(metrics).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(metrics));
    let count: usize = String::from_utf8(output.stdout).unwrap().trim().parse().unwrap();
    assert!(count > 20, "{count}");
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let program = Program::start(TEXT);
    let one = program.address("one");
    let metrics = get(one, "/-/metrics");
    assert_eq!(metrics.status, 200);
    let kind = metrics.field("content-type").unwrap();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    check(&metrics.body);
    // More servers, with names that could be mistaken, and none.
    let two = TEXT.replace("one/", "two/").replace("http:one", "http:two").replace("s/two", "s/one");
    program
        .reload(&[TEXT, &two, "[http:a-b.c_d]\nroot=%(here)s/two\nlisten=unix:%(here)s/x.sock\n"].concat())
        .unwrap();
    // A report is good for a second.
    let told = || String::from_utf8(get(one, "/-/metrics").body).unwrap();
    until("they are told", || told().contains("\"two\"") && told().contains("\"a-b.c_d\""));
    let text = told();
    check(text.as_bytes());
    let requests = |text: &str| -> f64 {
        let line = text
            .lines()
            .find(|line| line.starts_with("gorgon_http_requests_total{") && line.contains("\"one\""));
        line.unwrap_or_else(|| panic!("{text}")).rsplit(' ').next().unwrap().parse().unwrap()
    };
    let before = requests(&text);
    for _ in 0..5 {
        assert_eq!(get(one, "/a.txt").status, 200);
    }
    until("they are counted", || requests(&told()) - before >= 6.0);
    program.reload(TEXT).unwrap();
    until("it is gone", || !told().contains("\"two\""));
}

#[test]
fn the_status_page_and_its_json() {
    let program = Program::start(TEXT);
    let one = program.address("one");
    let (status, page) = body(one, "/-/status");
    assert!(status == 200 && page.contains("<html") && page.contains("<h2>http</h2>"), "{page}");
    assert!(page.contains("viewport"), "{page}");
    let mut stream = connect(one);
    let request = "GET /-/status HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n";
    let reply = exchange(&mut stream, request).unwrap();
    assert_eq!(reply.field("content-type").unwrap(), "application/json");
    let python = Command::new("python3")
        .args(["-c", "import json,sys\nd=json.load(sys.stdin)\nassert d, d"])
        .stdin(Stdio::piped())
        .spawn();
    if let Ok(mut python) = python {
        python.stdin.take().unwrap().write_all(&reply.body).unwrap();
        assert!(python.wait().unwrap().success(), "{}", String::from_utf8_lossy(&reply.body));
    }
}

/// One that finishes what it was asked tells those that would send it more.
#[test]
fn it_is_not_well_while_it_drains() {
    let program = Program::start(TEXT);
    let large = vec![b'x'; 24_000_000];
    program.directory.file("one/large.bin", &large);
    let one = program.address("one");
    assert_eq!(get(one, "/-/healthz").status, 200);
    // A request that is under way keeps its connection.
    let mut slow = connect(one);
    slow.write_all(b"GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut held = connect(one);
    held.write_all(b"GET /-/healthz HTTP/1.1\r\nHo").unwrap();
    let mut monitor = program.monitor();
    until("both are there", || {
        monitor.ask("find connection where server = one").unwrap().lines().count() == 2
    });
    monitor.ask("call /process quit").unwrap();
    assert_eq!(monitor.value("/process.state"), "draining");
    let reply = exchange(&mut held, "st: x\r\n\r\n").unwrap();
    assert_eq!(reply.status, 503, "{reply:?}");
    drop(slow);
}
