//! What is changed by the monitor: values, nodes, and connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use crate::common::Reply;
use crate::host::{Crowd, Program, asking, body, closing, connect, exchange, get, until};

const ONE: &str = "\
; Of the first.
[http:one]
root = %(here)s/one  ; Where it lies.
listen = 127.0.0.1:0
";
const TWO: &str = "[http:two]\nroot = %(here)s/two\nlisten = 127.0.0.1:0\n";

#[test]
fn all_or_nothing() {
    let program = Program::start(&[ONE, TWO].concat());
    let mut monitor = program.monitor();
    let hidden = |monitor: &mut crate::host::Monitor| {
        (monitor.value("/http/one.hidden"), monitor.value("/http/two.hidden"))
    };
    program.directory.file("one/.x", "");
    program.directory.file("two/.x", "");
    let (one, two) = (program.address("one"), program.address("two"));
    let seen = || (get(one, "/.x").status, get(two, "/.x").status);
    assert_eq!(seen(), (404, 404));
    monitor.ask("set /http/one hidden=on index=x.html").unwrap();
    assert_eq!(seen(), (200, 404));
    assert_eq!(monitor.value("/config.changed"), "2");
    let error = monitor.ask("set /http/one hidden=off read_buffer=3K").unwrap_err();
    assert!(error.starts_with("invalid read_buffer: expected"), "{error}");
    assert_eq!(hidden(&mut monitor), ("on".to_owned(), "off".to_owned()));

    monitor.ask("begin").unwrap();
    monitor.ask("set /http/one hidden=off").unwrap();
    monitor.ask("set /http/two hidden=on").unwrap();
    monitor.ask("call /config add /handler/two/h kind=health match=/h").unwrap();
    // Nobody sees it yet.
    assert_eq!(hidden(&mut monitor), ("on".to_owned(), "off".to_owned()));
    assert_eq!(seen(), (200, 404));
    monitor.ask("commit").unwrap();
    assert_eq!(seen(), (404, 200));
    assert_eq!(get(two, "/h").status, 200);

    // The last of them fails, in ways that are known at once and in ways that only the doing shows.
    for bad in
        ["set /http/two root=/nowhere", "call /config add /http/three root=/nowhere listen=127.0.0.1:0"]
    {
        monitor.ask("begin").unwrap();
        monitor.ask("set /http/one hidden=on").unwrap();
        monitor.ask("set /http/two hidden=off").unwrap();
        monitor.ask("call /handler/two/h remove").unwrap();
        let outcome = monitor.ask(bad).and_then(|_| monitor.ask("commit"));
        let error = outcome.unwrap_err();
        assert!(error.contains("/nowhere"), "{error}");
        let _open = monitor.ask("abort");
        assert_eq!(seen(), (404, 200));
        assert_eq!(hidden(&mut monitor), ("off".to_owned(), "on".to_owned()));
        assert_eq!(get(two, "/h").status, 200);
    }
    // So does one of a connection, which is no part of the configuration.
    let mut stream = connect(one);
    exchange(&mut stream, &asking("/a.txt")).unwrap();
    let row = monitor.ask("find connection where server = one show server").unwrap();
    let id = row.split(' ').next().unwrap();
    for bad in ["write_buffer=3K", "age=3s", "nothing=1", "read_buffer=auto"] {
        monitor.ask("begin").unwrap();
        monitor.ask("set /http/one hidden=on").unwrap();
        let outcome = monitor.ask(&format!("set {id} {bad}")).and_then(|_| monitor.ask("commit"));
        assert!(outcome.is_err(), "{bad}");
        let _open = monitor.ask("abort");
        assert_eq!(monitor.value("/http/one.hidden"), "off", "{bad}");
    }
    monitor.ask("begin").unwrap();
    monitor.ask("set /http/one hidden=on").unwrap();
    monitor.ask("abort").unwrap();
    assert_eq!(seen(), (404, 200));
    assert!(monitor.ask("commit").unwrap_err().starts_with("conflict"));
}

#[test]
fn what_is_set_for_a_time_comes_back() {
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    monitor.ask("set /http/one index=b.html").unwrap();
    monitor.ask("set /http/one index=c.html hidden=on for 1s").unwrap();
    assert_eq!(monitor.value("/http/one.index"), "c.html");
    until("it comes back", || monitor.value("/http/one.index") == "b.html");
    assert_eq!(monitor.value("/http/one.hidden"), "off");
    monitor.ask("set /http/one index=d.html for 1s").unwrap();
    monitor.ask("set /http/one hidden=on for 1s").unwrap();
    monitor.ask("keep /http/one index").unwrap();
    until("the other comes back", || monitor.value("/http/one.hidden") == "off");
    assert_eq!(monitor.value("/http/one.index"), "d.html");
    // A reload in between does not end it, and its own value comes back afterwards.
    monitor.ask("set /http/one hidden=on for 1s").unwrap();
    program.reload(&ONE.replace("listen", "spa = on\nlisten")).unwrap();
    assert_eq!(
        (monitor.value("/http/one.hidden"), monitor.value("/http/one.spa")),
        ("on".into(), "on".into())
    );
    until("it comes back", || monitor.value("/http/one.hidden") == "off");
}

#[test]
fn what_was_changed_is_saved() {
    let more = "[include]\nfiles = conf.d/*.conf\n";
    let directory = crate::host::site();
    let included = directory
        .file("conf.d/two.conf", "# Of the second.\n[http:two]\nroot=%(here)s/../two\nlisten=127.0.0.1:0\n");
    crate::host::give_all(&included);
    crate::host::give_all(included.parent().unwrap());
    let program = Program::start_in(directory, &[ONE, more].concat(), &[]);
    let mut monitor = program.monitor();
    monitor.ask("call /config reload").unwrap();
    assert_eq!(monitor.value("/config.changed"), "0");
    monitor.ask("set /http/one hidden=on").unwrap();
    monitor.ask("set /http/two index=two.html").unwrap();
    monitor.ask("call /config add /handler/one/h kind=health match=/h").unwrap();
    monitor.ask("set /http/one spa=on for 1h").unwrap();
    let before = program.server.descriptors();
    let report = monitor.ask("save").unwrap();
    assert!(
        report.contains("hidden: off -> on") && report.contains("index: index.html -> two.html"),
        "{report}"
    );
    let text = std::fs::read_to_string(&program.path).unwrap();
    for part in
        ["; Of the first.\n", "root = %(here)s/one  ; Where it lies.\n", "hidden = on\n", "[handler:one/h]"]
    {
        assert!(text.contains(part), "{part:?} is not in {text}");
    }
    assert!(!text.contains("spa"), "{text}");
    let second = std::fs::read_to_string(&included).unwrap();
    assert!(second.starts_with("# Of the second.\n") && second.contains("index = two.html"), "{second}");
    assert_eq!(program.server.descriptors(), before);
    assert_eq!(monitor.value("/config.changed"), "1");
    monitor.ask("set /http/one spa=off").unwrap();
    assert_eq!(monitor.value("/config.changed"), "0");
    // What was saved says what runs.
    assert_eq!(monitor.ask("call /config diff").unwrap(), "");
    let report = monitor.ask("call /config reload").unwrap();
    assert_eq!(report, "");
    // A file that says something else by now is not overwritten.
    program.write(&[&*ONE.replace("listen", "charset = utf-8\nlisten"), more].concat());
    monitor.ask("set /http/one hidden=off").unwrap();
    let text = std::fs::read_to_string(&program.path).unwrap();
    let error = monitor.ask("save").unwrap_err();
    assert!(error.contains("reload it first"), "{error}");
    assert_eq!(std::fs::read_to_string(&program.path).unwrap(), text);
}

/// What one node shows and another one keeps.
#[test]
fn what_is_set_for_a_time_through_another_node_comes_back_and_is_not_saved() {
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    let listener = format!("/listener/{}", program.address("one"));
    let rule = monitor.value("/http/one.listen");
    let text = std::fs::read_to_string(&program.path).unwrap();
    assert_eq!(monitor.value("/handler/one/files.kind"), "files");
    assert_eq!(monitor.value("/handler/one/files.enabled"), "on");
    monitor.ask("set /handler/one/files enabled=off for 10m").unwrap();
    monitor.ask(&format!("set {listener} write_buffer=256K read_buffer=64K for 10m")).unwrap();
    assert_eq!(monitor.value("/http/one.files"), "off");
    assert_eq!(monitor.value(&format!("{listener}.write_buffer")), "256K");
    monitor.ask("save").unwrap();
    assert_eq!(std::fs::read_to_string(&program.path).unwrap(), text);
    // Again, for a shorter time; the handler is gone meanwhile.
    monitor.ask("set /http/one files=off for 1s").unwrap();
    monitor.ask(&format!("set {listener} write_buffer=128K read_buffer=8K for 1s")).unwrap();
    until("the files come back", || monitor.value("/http/one.files") == "on");
    until("the rule comes back", || monitor.value("/http/one.listen") == rule);
    assert_eq!(monitor.value("/config.changed"), "0");
}

/// Values that contradict what is beside them come back together.
#[test]
fn what_was_set_together_for_a_time_comes_back_together() {
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    monitor.ask("set /http/one head_max=64K request_line_max=32K for 1s").unwrap();
    until("both come back", || monitor.value("/config.changed") == "0");
    assert!(!monitor.ask("log 100").unwrap().contains("failed"));
}

/// All files are written before one of them has its new text, and what a process of the same number left is no obstacle.
#[test]
fn all_files_are_saved_or_none() {
    let directory = crate::host::site();
    let included =
        directory.file("conf.d/two.conf", "[http:two]\nroot=%(here)s/../two\nlisten=127.0.0.1:0\n");
    crate::host::give_all(&included);
    crate::host::give_all(included.parent().unwrap());
    let program = Program::start_in(directory, &[ONE, "[include]\nfiles = conf.d/*.conf\n"].concat(), &[]);
    let mut monitor = program.monitor();
    monitor.ask("set /http/one hidden=on").unwrap();
    monitor.ask("set /http/two hidden=on").unwrap();
    let texts = || [&program.path, &included].map(|path| std::fs::read_to_string(path).unwrap());
    let before = texts();
    let name = [".two.conf.", &monitor.value("/process.pid")].concat();
    let left = included.parent().unwrap().join(name);
    std::fs::create_dir(&left).unwrap();
    let error = monitor.ask("save").unwrap_err();
    assert!(error.contains("two.conf: File exists"), "{error}");
    assert_eq!(texts(), before);
    assert_eq!(
        std::fs::read_dir(program.directory.path())
            .unwrap()
            .flatten()
            .filter(|entry| { entry.file_name().to_string_lossy().starts_with(".web.conf") })
            .count(),
        0
    );
    std::fs::remove_dir(&left).unwrap();
    std::fs::write(&left, "half").unwrap();
    crate::host::give_all(&left);
    monitor.ask("save").unwrap();
    assert!(texts().iter().all(|text| text.contains("hidden = on")));
    assert!(!left.exists());
}

#[test]
fn servers_come_stop_start_and_go() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let crowd = Crowd::new(one, "/a.txt", |reply| reply.status == 200);
    let mut monitor = program.monitor();
    let root = program.directory.path().join("two").display().to_string();
    for _ in 0..5 {
        monitor.ask(&format!("call /config add /http/two root={root} listen=127.0.0.1:0")).unwrap();
        let two = program.address("two");
        assert_eq!(body(two, "/a.txt").1, "of two");
        let mut kept = connect(two);
        assert_eq!(exchange(&mut kept, &asking("/a.txt")).unwrap().status, 200);
        monitor.ask("call /http/two stop").unwrap();
        until("it is stopped", || TcpStream::connect(two).is_err());
        assert_eq!(kept.read(&mut [0; 1]).unwrap(), 0);
        assert_eq!(monitor.value("/http/two.enabled"), "off");
        monitor.ask("call /http/two start").unwrap();
        assert_eq!(body(program.address("two"), "/a.txt").1, "of two");
        let error = monitor.ask(&format!("call /config add /http/two root={root}")).unwrap_err();
        assert!(error.starts_with("conflict /http/two: is there already"), "{error}");
        monitor.ask("call /http/two remove").unwrap();
        assert!(monitor.ask("get /http/two").unwrap_err().starts_with("missing"));
    }
    assert!(crowd.end().iter().all(|count| *count > 0));
    let error = monitor.ask("call /config add /http/three root=/nowhere listen=127.0.0.1:0").unwrap_err();
    assert!(error.contains("/nowhere"), "{error}");
    let error = monitor.ask(&format!("call /config add /http/three root={root} listen={one}")).unwrap_err();
    assert!(error.contains("in use") || error.starts_with("conflict"), "{error}");
    assert_eq!(monitor.ask("ls /http").unwrap(), "/http/one\n");
}

/// Medusa's way: what a path is answered with is taken away and put back while somebody asks for it.
#[test]
fn handlers_are_added_moved_and_removed() {
    let text = [ONE, "[handler:one/docs]\nroot=%(here)s/two\nmatch=/docs\n"].concat();
    let program = Program::start(&text);
    program.directory.file("two/docs/a.txt", "docs");
    program.directory.file("one/docs/a.txt", "own");
    let one = program.address("one");
    let mut kept = connect(one);
    let mut monitor = program.monitor();
    let mut asks = |target: &str| {
        let reply = exchange(&mut kept, &asking(target)).unwrap();
        (reply.status, String::from_utf8(reply.body).unwrap())
    };
    let order = |monitor: &mut crate::host::Monitor| -> Vec<String> {
        let rows = monitor.ask("ls /handler").unwrap();
        rows.lines().map(|row| row.rsplit('/').next().unwrap().to_owned()).collect()
    };
    assert_eq!(asks("/docs/a.txt"), (200, "docs".to_owned()));
    assert_eq!(order(&mut monitor), ["docs", "files"]);
    monitor.ask("call /handler/one/docs stop").unwrap();
    assert_eq!(asks("/docs/a.txt"), (200, "own".to_owned()));
    monitor.ask("call /handler/one/docs start").unwrap();
    assert_eq!(asks("/docs/a.txt"), (200, "docs".to_owned()));
    monitor.ask("call /config add /handler/one/away kind=redirect match=/docs to=/elsewhere").unwrap();
    assert_eq!(order(&mut monitor), ["docs", "away", "files"]);
    assert_eq!(asks("/docs/a.txt").0, 200);
    for (words, orders, status) in [
        ("move first", ["away", "docs", "files"], 302),
        ("move last", ["docs", "away", "files"], 200),
        ("move before docs", ["away", "docs", "files"], 302),
        ("move after docs", ["docs", "away", "files"], 200),
    ] {
        monitor.ask(&["call /handler/one/away ", words].concat()).unwrap();
        assert_eq!(order(&mut monitor), orders);
        assert_eq!(asks("/docs/a.txt").0, status, "{words}");
    }
    for bad in ["move", "move up", "move before nobody", "move before away"] {
        monitor.ask(&["call /handler/one/away ", bad].concat()).unwrap_err();
        assert_eq!(order(&mut monitor), ["docs", "away", "files"], "{bad}");
    }
    // The server's own files go, and come back.
    assert_eq!(asks("/a.txt"), (200, "of one".to_owned()));
    monitor.ask("set /http/one files=off").unwrap();
    assert_eq!((asks("/a.txt").0, asks("/docs/a.txt").0), (404, 200));
    monitor.ask("set /http/one files=on").unwrap();
    assert_eq!(asks("/a.txt"), (200, "of one".to_owned()));
    monitor.ask("call /handler/one/docs remove").unwrap();
    assert_eq!(asks("/docs/a.txt").0, 302);
    monitor.ask("call /handler/one/away remove").unwrap();
    assert_eq!(asks("/docs/a.txt"), (200, "own".to_owned()));
    let error = monitor.ask("call /handler/one/away remove").unwrap_err();
    assert!(error.starts_with("missing"), "{error}");
}

#[test]
fn a_crowd_does_not_notice_handlers() {
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    let crowd = Crowd::new(program.address("one"), "/a.txt", |reply| reply.status == 200);
    for _ in 0..20 {
        monitor.ask("call /config add /handler/one/h kind=health match=/h").unwrap();
        monitor.ask("call /config add /handler/one/m kind=metrics match=/m").unwrap();
        monitor.ask("call /handler/one/m move first").unwrap();
        monitor.ask("call /handler/one/h remove").unwrap();
        monitor.ask("call /handler/one/m remove").unwrap();
    }
    assert!(crowd.end().iter().all(|count| *count > 0));
}

#[test]
fn connections_are_found_and_closed() {
    let program = Program::start(&[ONE, TWO].concat());
    let (one, two) = (program.address("one"), program.address("two"));
    let mut of_one: Vec<TcpStream> = (0..5).map(|_| connect(one)).collect();
    let mut of_two: Vec<TcpStream> = (0..5).map(|_| connect(two)).collect();
    for stream in of_one.iter_mut().chain(&mut of_two) {
        exchange(stream, &asking("/a.txt")).unwrap();
    }
    let mut monitor = program.monitor();
    let rows = monitor.ask("find connection where server = two show server").unwrap();
    assert_eq!(rows.lines().count(), 5, "{rows}");
    assert!(
        rows.lines().all(|row| row.starts_with("/connection/") && row.ends_with(" server=two")),
        "{rows}"
    );
    let first = rows.split(' ').next().unwrap();
    monitor.ask(&["call ", first, " close"].concat()).unwrap();
    assert!(monitor.ask(&["get ", first].concat()).unwrap_err().starts_with("missing"));
    let done = monitor.ask("find connection where server = two | close").unwrap();
    assert_eq!(done, "/connection found=4 done=4\n");
    for stream in &mut of_two {
        assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
    }
    for stream in &mut of_one {
        assert_eq!(exchange(stream, &asking("/a.txt")).unwrap().status, 200);
    }
    let done = monitor.ask("find connection where server = one | set write_buffer=512").unwrap();
    assert_eq!(done, "/connection found=5 done=5\n");
    let rows = monitor.ask("find connection where write_buffer = 512").unwrap();
    assert_eq!(rows.lines().count(), 5, "{rows}");
}

/// Where buffers come from: the connection's own, rules by address, the listener, the server.
#[test]
fn buffers_of_one_connection_one_listener_and_some_clients() {
    let program =
        Program::start(&ONE.replace("listen = 127.0.0.1:0", "listen =\n  127.0.0.1:0\n  127.0.0.1:0"));
    let mut monitor = program.monitor();
    let all = program.addresses("one");
    let sizes = |monitor: &mut crate::host::Monitor, stream: &TcpStream| {
        let port = stream.local_addr().unwrap().port();
        let row = monitor.ask(&format!("find connection where port = {port} show write_buffer")).unwrap();
        row.trim_end().rsplit('=').next().unwrap_or_default().to_owned()
    };
    let open = |address| {
        let mut stream = connect(address);
        exchange(&mut stream, &asking("/a.txt")).unwrap();
        stream
    };
    let (first, second) = (open(all[0]), open(all[1]));
    assert_eq!((sizes(&mut monitor, &first), sizes(&mut monitor, &second)), ("16K".into(), "16K".into()));
    let rules = monitor.value("/http/one.listen");
    monitor.ask(&format!("set /listener/{} write_buffer=2K", all[1])).unwrap();
    assert_ne!(monitor.value("/http/one.listen"), rules);
    // Those that are there keep what they have.
    assert_eq!((sizes(&mut monitor, &first), sizes(&mut monitor, &second)), ("16K".into(), "16K".into()));
    let (first, second) = (open(all[0]), open(all[1]));
    assert_eq!((sizes(&mut monitor, &first), sizes(&mut monitor, &second)), ("16K".into(), "2K".into()));
    assert_eq!(program.addresses("one"), all);
    // Two values at once, and two listeners at once, whose rules read the same.
    monitor.ask(&format!("set /listener/{} read_buffer=1K write_buffer=4K", all[1])).unwrap();
    let second = open(all[1]);
    assert_eq!(sizes(&mut monitor, &second), "4K");
    monitor.ask("begin").unwrap();
    monitor.ask(&format!("set /listener/{} write_buffer=8K", all[0])).unwrap();
    monitor.ask(&format!("set /listener/{} write_buffer=32K", all[1])).unwrap();
    monitor.ask("commit").unwrap();
    let (first, second) = (open(all[0]), open(all[1]));
    assert_eq!((sizes(&mut monitor, &first), sizes(&mut monitor, &second)), ("8K".into(), "32K".into()));
    assert_eq!(monitor.value(&format!("/listener/{}.read_buffer", all[1])), "1K");
    monitor.ask(&format!("set /listener/{} write_buffer=16K", all[0])).unwrap();
    // By the address of who comes, whatever the listener says; the first rule that fits.
    for (rules, size) in [
        ("127.0.0.2 write_buffer=512", "16K"),
        ("127.0.0.2 write_buffer=1K,127.0.0.0/8 write_buffer=512", "512"),
        ("127.0.0.1 write_buffer=1K,127.0.0.0/8 write_buffer=512", "1K"),
        ("", "16K"),
    ] {
        monitor.ask(&format!("set /http/one \"clients={rules}\"")).unwrap();
        let third = open(all[0]);
        assert_eq!(sizes(&mut monitor, &third), size, "{rules}");
    }
    for (path, value, code) in [
        (format!("/listener/{}", all[0]), "write_buffer=3K", "invalid"),
        (format!("/listener/{}", all[0]), "accepted=3", "refused"),
        ("/listener/127.0.0.9:1".to_owned(), "write_buffer=4K", "missing"),
        ("/connection/1-1".to_owned(), "write_buffer=4K", "missing"),
    ] {
        let error = monitor.ask(&format!("set {path} {value}")).unwrap_err();
        assert!(error.starts_with(code), "{path} {value}: {error}");
    }
}

/// What a connection writes at once is its own: another one of the same server writes as before. The kernel is asked.
#[test]
fn one_connection_writes_less_at_once() {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    if !traced.is_ok_and(|status| status.success()) {
        eprintln!("skipped: strace cannot be had");
        return;
    }
    let program = Program::start(&ONE.replace("listen", "sendfile = off\nfile_cache = 0\nlisten"));
    program.directory.file("one/large.bin", vec![b'x'; 200_000]);
    let one = program.address("one");
    let (mut small, mut usual) = (connect(one), connect(one));
    for stream in [&mut small, &mut usual] {
        exchange(stream, &asking("/a.txt")).unwrap();
    }
    let mut monitor = program.monitor();
    let port = small.local_addr().unwrap().port();
    let done = monitor.ask(&format!("find connection where port = {port} | set write_buffer=512")).unwrap();
    assert_eq!(done, "/connection found=1 done=1\n");
    let trace = program.directory.path().join("trace");
    let mut strace = Command::new("strace")
        .args(["-e", "trace=sendto,sendmsg,write,writev,sendfile", "-o"])
        .arg(&trace)
        .args(["-p", &program.server.child.id().to_string()])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says when it is attached.
    let mut said = [0; 1];
    strace.stderr.as_mut().unwrap().read_exact(&mut said).unwrap();
    let many = "GET /large.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-49999,60000-120000\r\n\r\n";
    for (stream, name) in [(&mut small, "small"), (&mut usual, "usual")] {
        let reply = exchange(stream, many).unwrap();
        assert_eq!(reply.status, 206);
        assert!(reply.body.len() > 110_000, "{name}: {}", reply.body.len());
    }
    Command::new("kill").args(["-INT", &strace.id().to_string()]).status().unwrap();
    strace.wait().unwrap();
    let text = std::fs::read_to_string(&trace).unwrap();
    // By descriptor, in the order they wrote: how much each call wrote at most.
    let mut most: Vec<(String, usize)> = Vec::new();
    for line in text.lines() {
        let Some((call, count)) = line.rsplit_once(" = ") else { continue };
        let (Some((_, rest)), Ok(count)) = (call.split_once('('), count.trim().parse::<usize>()) else {
            continue;
        };
        let descriptor = rest.split(',').next().unwrap().to_owned();
        match most.iter_mut().find(|(other, _)| *other == descriptor) {
            Some((_, most)) => *most = count.max(*most),
            None => most.push((descriptor, count)),
        }
    }
    assert_eq!(most.len(), 2, "{text}");
    assert!(most[0].1 <= 512 && most[1].1 > 4096, "{most:?}");
}

/// What waits to be read is not lost when a connection's buffers become smaller.
#[test]
fn buffers_change_under_requests() {
    let program = Program::start(ONE);
    let one = program.address("one");
    let mut stream = connect(one);
    exchange(&mut stream, &asking("/a.txt")).unwrap();
    let mut monitor = program.monitor();
    for (read, write) in [("512", "512"), ("1M", "1M"), ("auto:512..64K", "auto:512..1M"), ("4K", "16K")] {
        let long = "x".repeat(3000);
        let request = format!("GET /a.txt HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n");
        // Half of it has come already.
        stream.write_all(&request.as_bytes()[..1500]).unwrap();
        let done = monitor.ask(&format!(
            "find connection where server = one | set \"read_buffer={read}\" \"write_buffer={write}\""
        ));
        assert!(done.as_ref().is_ok_and(|done| done.contains("done=1")), "{done:?}");
        stream.write_all(&request.as_bytes()[1500..]).unwrap();
        let mut bytes = vec![0; 4096];
        let count = stream.read(&mut bytes).unwrap();
        assert_eq!(Reply::first(&bytes[..count], false).0.body, b"of one");
    }
    let last = exchange(&mut stream, &closing("/a.txt")).unwrap();
    assert_eq!(last.status, 200);
}
