//! Configurations: several servers of one process, and what the commands say that read one.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(all(feature = "http", feature = "monitor"))]

mod common;

use common::{Directory, Reply, Server, finish, gorgon};
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;

/// A command with its working directory elsewhere, where no configuration is looked for.
fn with(arguments: &[&str]) -> Command {
    let mut command = gorgon();
    command.args(arguments);
    command
}

/// What a command says: its exit code, standard output and standard error.
fn said(command: Command) -> (i32, String, String) {
    let output = finish(command);
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

fn get(address: SocketAddr, request: &str) -> Reply {
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(common::PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    Reply::first(&all, false).0
}

fn plain(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

/// The addresses of the URLs of a report, in order.
fn addresses(server: &Server) -> Vec<SocketAddr> {
    let urls = server.report.lines().filter_map(|line| line.trim().strip_prefix("http://"));
    urls.map(|url| url.strip_suffix('/').unwrap().parse().unwrap()).collect()
}

fn written(directory: &Directory, name: &str, text: &str) -> String {
    directory.file(name, text).to_str().unwrap().to_owned()
}

const TWO: &str = "\
[gorgon]
grace = 1s

[http:one]
root = %(here)s/one
listen =
  127.0.0.1:0 write_buffer=512 backlog=7
  unix:%(here)s/one.sock mode=606

[http:two]
root = %(here)s/two
listen = 127.0.0.1:0
hidden = on
";

fn two_sites() -> (Directory, String) {
    let directory = Directory::new();
    directory.file("one/a.txt", "of one");
    directory.file("two/a.txt", "of two");
    directory.file("one/.hidden", "hidden");
    directory.file("two/.hidden", "hidden");
    let path = written(&directory, "web.conf", TWO);
    (directory, path)
}

#[test]
fn several_servers_in_one_process() {
    let (directory, path) = two_sites();
    let server = Server::spawn(with(&["run", "-c", &path]));
    assert!(server.report.contains(&["Configuration: ", &path].concat()), "{}", server.report);
    let all = addresses(&server);
    assert_eq!(all.len(), 2, "{}", server.report);
    assert_eq!(get(all[0], &plain("/a.txt")).body, b"of one");
    assert_eq!(get(all[1], &plain("/a.txt")).body, b"of two");
    // Each has its own settings.
    assert_eq!(get(all[0], &plain("/.hidden")).status, 404);
    assert_eq!(get(all[1], &plain("/.hidden")).status, 200);
    let socket = directory.path().join("one.sock");
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o606);
    let mut stream = UnixStream::connect(&socket).unwrap();
    stream.write_all(plain("/a.txt").as_bytes()).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(Reply::first(&reply, false).0.body, b"of one");
}

#[test]
fn what_is_large_goes_through_the_smallest_buffers() {
    let (directory, _) = two_sites();
    let large: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    directory.file("one/large.bin", &large);
    let text = "[http:one]\nroot=%(here)s/one\nsendfile=off\nread_buffer=auto:512..4K\nfile_cache=0\nlisten=\n  \
        127.0.0.1:0 read_buffer=512 write_buffer=512\n  127.0.0.1:0 write_buffer=auto:512..64K\n";
    let path = written(&directory, "small.conf", text);
    let server = Server::spawn(with(&["run", "-c", &path]));
    for address in addresses(&server) {
        assert!(get(address, &plain("/large.bin")).body == large, "{address}");
    }
}

/// The users of one server's file are not let in by another's, though it is the same name and password.
#[test]
fn each_server_has_its_own_users() {
    let (directory, _) = two_sites();
    // `{SHA}` needs no library of the system.
    let one = directory.file("users.one", "anna:{SHA}NWoZK3kTsExUV00Ywo1G5jlUKKs=\n");
    let two = directory.file("users.two", "anna:{SHA}2kuSN7rMzfGcB2DKt67EqDWQELA=\n");
    common::give(&one);
    common::give(&two);
    let lines = |name: &str, users: &Path| {
        let users = users.display();
        format!("[http:{name}]\nroot=%(here)s/{name}\nlisten=127.0.0.1:0\nauth_file={users}\n")
    };
    let text =
        [lines("one", &one), lines("two", &two), lines("three", &one).replace("s/three", "s/two")].concat();
    let path = written(&directory, "auth.conf", &text);
    let server = Server::spawn(with(&["run", "-c", &path]));
    let all = addresses(&server);
    let status = |place: usize, password: &str| {
        let credentials = match password {
            "1" => "YW5uYTox",
            "2" => "YW5uYToy",
            _ => panic!("no such password"),
        };
        let request = format!(
            "GET /a.txt HTTP/1.1\r\nHost: test\r\nAuthorization: Basic {credentials}\r\nConnection: close\r\n\r\n"
        );
        get(all[place], &request).status
    };
    // Twice: what is known of one must not be known to the other.
    for _ in 0..2 {
        assert_eq!((status(0, "1"), status(0, "2")), (200, 401));
        assert_eq!((status(1, "1"), status(1, "2")), (401, 200));
        assert_eq!((status(2, "1"), status(2, "2")), (200, 401));
    }
}

#[test]
fn servers_share_a_log() {
    let (directory, _) = two_sites();
    let text = TWO.replace("\nlisten", "\naccess_log = %(here)s/log/access.log\nlisten");
    let path = written(&directory, "log.conf", &text);
    directory.file("log/keep", "");
    let server = Server::spawn(with(&["run", "-c", &path]));
    for address in addresses(&server) {
        assert_eq!(get(address, &plain("/a.txt")).status, 200);
    }
    let log = directory.path().join("log/access.log");
    let begun = std::time::Instant::now();
    let mut text = String::new();
    while text.lines().count() < 2 {
        assert!(begun.elapsed() < common::PATIENCE, "{text}");
        std::thread::sleep(std::time::Duration::from_millis(20));
        text = std::fs::read_to_string(&log).unwrap_or_default();
    }
    assert_eq!(text.matches("GET /a.txt").count(), 2, "{text}");
}

#[test]
fn check_says_what_is_wrong() {
    let (directory, path) = two_sites();
    assert_eq!(
        said(with(&["check", "-c", &path])),
        (0, format!("{path}: ok, 2 servers, 1 monitor\n"), String::new())
    );
    // By the environment; what lies in the current directory is never read.
    let mut command = with(&["check"]);
    command.env("GORGON_CONF", &path).current_dir("/");
    assert_eq!(said(command).0, 0);
    directory.file("gorgon.conf", TWO);
    let mut command = with(&["check", "--http.one.hidden=on"]);
    command.current_dir(directory.path());
    if !Path::new("/etc/gorgon/gorgon.conf").exists() {
        let (code, _, error) = said(command);
        assert_eq!(
            (code, error),
            (2, "gorgon: /etc/gorgon/gorgon.conf: No such file or directory\n".to_owned())
        );
    }
    let bad = written(&directory, "bad.conf", "[http:one]\nrot = /\nread_buffer = 3K\n[htpt:x]\n");
    for command in ["check", "run", "dump", "diff"] {
        let mut arguments = vec![command, "-c", &bad];
        if command == "diff" {
            arguments.push(&path);
        }
        let (code, output, error) = said(with(&arguments));
        assert_eq!((code, output.as_str()), (2, ""));
        let lines: Vec<&str> = error.lines().map(|line| line.strip_prefix("gorgon: ").unwrap()).collect();
        assert_eq!(lines.len(), 4, "{error}");
        for (line, start) in lines.iter().zip([
            ":1: [http:one]: expected root",
            ":2: rot: no such setting of [http:one]; did you mean root?",
            ":3: read_buffer=3K: expected",
            ":4: [htpt:x]: no such kind of node; did you mean http?",
        ]) {
            assert!(line.strip_prefix(&*bad).is_some_and(|rest| rest.starts_with(start)), "{line}");
        }
    }
    // A value that is wrong leaves the default, which contradicts nothing that was said.
    let text = "[http:a]\nroot = /\nlisten = 127.0.0.1:8o90\n[http:b]\nroot = /\nlisten = 127.0.0.1:8080\n";
    let wrong = written(&directory, "wrong.conf", text);
    let (_, _, error) = said(with(&["check", "-c", &wrong]));
    assert!(error.lines().count() == 1 && error.contains(":3: listen=127.0.0.1:8o90: "), "{error}");
    // What is odd is told, and no more.
    let odd = written(&directory, "odd.conf", "[http:a]\nroot=/\nindex=50%\n");
    let (code, output, error) = said(with(&["check", "-c", &odd]));
    assert_eq!((code, output), (0, format!("{odd}: ok, 1 server, 1 monitor\n")));
    assert!(error.starts_with(&format!("gorgon: warning: {odd}:3: ")), "{error}");
}

/// What `run` would refuse for what the system has not, `check` tells, with the lines; and `run` with section and key.
#[test]
fn check_looks_whether_what_is_named_is_there() {
    let directory = Directory::new();
    directory.file("site/in/a.txt", "a");
    directory.file("site/users", "");
    let text = "[gorgon]\nuser = nobody-of-that-name\npid_file = %(here)s/gone/pid\n[http:a]\nroot = %(here)s/site\n\
        listen = 127.0.0.1:0\nupload = uplod\nauth_file = %(here)s/keys\ntypes_file = %(here)s/types\n\
        access_log = %(here)s/gone/log\n[handler:a/in]\nkind = upload\ndirectory = uplad\n[handler:a/who]\nkind = auth\n\
        auth_file = %(here)s/site/users\n[http:b]\nroot = %(here)s/stie\nlisten = 127.0.0.1:0\nenabled = on\n\
        [http:c]\nroot = /nowhere\nlisten = 127.0.0.1:0\nenabled = off\n[monitor:m]\nview = nobody-of-that-name\n\
        listen = 127.0.0.1:0\nkey_file = %(here)s/keys\n";
    let path = written(&directory, "gone.conf", text);
    let (code, output, error) = said(with(&["check", "-c", &path]));
    assert_eq!((code, output.as_str()), (2, ""), "{error}");
    let lines: Vec<&str> = error.lines().map(|line| line.strip_prefix("gorgon: ").unwrap()).collect();
    let here = directory.path().display();
    for (line, start) in lines.iter().zip([
        ":2: user=nobody-of-that-name: /etc/passwd has no user ",
        &format!(":3: pid_file={here}/gone/pid: No such file or directory"),
        ":7: upload=uplod: no such thing at or beneath",
        &format!(":8: auth_file={here}/keys: No such file or directory"),
        &format!(":9: types_file={here}/types: No such file or directory"),
        &format!(":10: access_log={here}/gone/log: No such file or directory"),
        ":13: directory=uplad: no such thing at or beneath",
        &format!(":16: auth_file={here}/site/users: lies in what is served"),
        &format!(":18: root={here}/stie: No such file or directory"),
        ":26: view: expected users",
        &format!(":28: key_file={here}/keys: No such file or directory"),
    ]) {
        assert!(line.strip_prefix(&*path).is_some_and(|rest| rest.starts_with(start)), "{line} {start}");
    }
    assert_eq!(lines.len(), 11, "{error}");
    let one = "[http:a]\nlisten = 127.0.0.1:0\nroot = %(here)s/site\n";
    for (text, start) in [
        ("[http:a]\nlisten = 127.0.0.1:0\nroot = nowhere\n".to_owned(), ":3: root=nowhere: No such file"),
        (format!("{one}upload = uplod\n"), ":4: upload=uplod: no such thing"),
        (format!("{one}auth_file = keys\n"), ":4: auth_file=keys: No such file"),
        (format!("{one}access_log = gone/log\n"), ":4: access_log=gone/log: No such file"),
        (format!("{one}types_file = types\n"), ":4: types_file=types: No such file"),
        (
            format!("{one}[handler:a/in]\nkind = upload\ndirectory = uplad\n"),
            ":6: directory=uplad: no such thing",
        ),
        (format!("{one}[gorgon]\nchroot = /nowhere\n"), ":5: chroot=/nowhere: No such file"),
        // What is not given is missed in its section.
        (
            format!("{one}\n[monitor:m]\nlisten = 127.0.0.1:0\n"),
            ":5: key_file: expected one for those who come by TCP",
        ),
    ] {
        let path = written(&directory, "one.conf", &text);
        let mut command = with(&["run", "-c", &path]);
        command.current_dir(directory.path());
        let (code, _, error) = said(command);
        assert!(code == 2 && error.starts_with(&format!("gorgon: {path}{start}")), "{error}");
    }
    // Who starts it may be at a terminal, and be asked.
    let path = written(&directory, "one.conf", &format!("{one}\n[monitor:m]\nlisten = 127.0.0.1:0\n"));
    let (code, output, error) = said(with(&["check", "-c", &path]));
    assert!(code == 0 && output.contains(": ok, "), "{error}");
    assert!(error.starts_with(&format!("gorgon: warning: {path}:5: key_file: expected one ")), "{error}");
    // A flag has no line.
    let (_, _, error) = said(with(&["run", "-c", &path, "--gorgon.chroot=/nowhere"]));
    assert!(error.starts_with("gorgon: --gorgon.chroot=/nowhere: "), "{error}");
}

/// Values that cannot be, and what the system has not, in one go.
#[test]
fn all_that_is_wrong_is_told_at_once() {
    let directory = Directory::new();
    let text = "[http:a]\nroot = /nowhere\nlisten = 127.0.0.1:0\nauth_file = /no/users\n\
        [http:b]\nroot = /nowhere/too\nlisten = 127.0.0.1:0\n";
    let path = written(&directory, "a.conf", text);
    let missing = |line: &str| format!("gorgon: {path}:{line}: No such file or directory\n");
    let (a, users, b) =
        (missing("2: root=/nowhere"), missing("4: auth_file=/no/users"), missing("6: root=/nowhere/too"));
    assert_eq!(said(with(&["check", "-c", &path])), (2, String::new(), format!("{a}{users}{b}")));
    assert_eq!(said(with(&["run", "-c", &path])), (2, String::new(), format!("{a}{users}{b}")));
    let path =
        written(&directory, "a.conf", &text.replace("listen = 127.0.0.1:0\nauth", "idle_timeout = x\nauth"));
    let (code, _, error) = said(with(&["check", "-c", &path]));
    assert!(code == 2 && error.contains(&format!("{path}:3: idle_timeout=x: expected a time")), "{error}");
    for line in [a, users, b] {
        assert!(error.contains(&line), "{error}");
    }
    // Who starts it is told the same.
    assert_eq!(said(with(&["run", "-c", &path])), (2, String::new(), error));
    // What is wrong comes in its order also where the start ends at a later one.
    let path = written(&directory, "b.conf", "[gorgon]\npid_file = /no/pid\n[http:a]\nroot = /nowhere\n");
    let (_, _, error) = said(with(&["check", "-c", &path]));
    assert_eq!(said(with(&["run", "-c", &path])), (2, String::new(), error));
    // A variable that nothing takes refuses it, too.
    let mut command = with(&["run", "-c", &path]);
    command.env("GORGON_HTTP_NONE_ROOT", "/");
    let (code, _, error) = said(command);
    for part in ["GORGON_HTTP_NONE_ROOT", ":2: pid_file=/no/pid: ", ":4: root=/nowhere: "] {
        assert!(code == 2 && error.contains(part), "{error}");
    }
}

/// The words of other servers.
#[test]
fn what_others_call_it_is_told() {
    let directory = Directory::new();
    let text = "[http:a]\nport = 80\ndocument_root = /\nerror_log = /x\nserver_name = a.example\nkeepalive_timeout = 5\n\
        [gorgon]\nworker_processes = 4\nusername = www\nindex = i.html\n";
    let path = written(&directory, "a.conf", text);
    let wanted = [
        ":1: [http:a]: expected root, the directory or file to serve",
        ":2: port: no such setting of [http:a]; did you mean listen?",
        ":3: document_root: no such setting of [http:a]; did you mean root?",
        ":4: error_log: no such setting of [http:a]; did you mean log_level of [gorgon]?",
        ":5: server_name: no such setting of [http:a]; a server answers to every name",
        ":6: keepalive_timeout: no such setting of [http:a]; did you mean idle_timeout?",
        ":8: worker_processes: no such setting of [gorgon]; one process with one thread serves all",
        ":9: username: no such setting of [gorgon]; did you mean user?",
        ":10: index: no such setting of [gorgon]; did you mean index of [http:NAME]?",
    ]
    .map(|line| format!("gorgon: {path}{line}\n"))
    .concat();
    for command in ["check", "run", "dump"] {
        assert_eq!(said(with(&[command, "-c", &path])), (2, String::new(), wanted.clone()));
    }
}

#[test]
fn what_is_no_command_is_told_near() {
    for (arguments, wanted) in [
        (
            &["chekc"][..],
            "gorgon: chekc: No such file or directory; did you mean gorgon check? Commands: run, check, ",
        ),
        (&["check", "web.conf"], "did you mean gorgon check -c web.conf?\n"),
        (&["-t"], "did you mean gorgon check -c FILE?\n"),
        (&["run", "-c", "web.conf", "site"], "gorgon: site: expected no file but that of -c\n"),
        (&["run", "--daemon"], "gorgon: --daemon: no such option\n"),
        (&["monitor", "INFO"], "; a command goes behind -c\n"),
    ] {
        let (code, _, error) = said(with(arguments));
        assert!(code == 2 && error.contains(wanted), "{error}");
    }
    let (code, _, error) = said(with(&["./chekc"]));
    assert_eq!((code, error.as_str()), (2, "gorgon: ./chekc: No such file or directory\n"));
    let (code, output, _) = said(with(&["reload", "--help"]));
    assert!(code == 0 && output.contains("\nUsage: gorgon reload [OPTIONS] [TARGET]\n"), "{output}");
}

#[test]
fn what_is_mistyped_elsewhere_is_not_lost() {
    let (_directory, path) = two_sites();
    for (name, value, message) in [
        ("GORGON_HTTP_MAIN_HIDDEN", "on", "GORGON_HTTP_MAIN_HIDDEN: no such setting"),
        (
            "GORGON_HTTP_ONE_HIDEN",
            "on",
            "GORGON_HTTP_ONE_HIDEN: no such setting; did you mean GORGON_HTTP_ONE_HIDDEN?",
        ),
        ("GORGON_HTTP_ONE_HIDDEN", "x", "GORGON_HTTP_ONE_HIDDEN=x: expected on or off"),
    ] {
        let mut command = with(&["check", "-c", &path]);
        command.env(name, value);
        let (code, _, error) = said(command);
        assert!(code == 2 && error.contains(message), "{error}");
    }
}

/// What a file says may come from anywhere, and goes to the terminal of who looks at it.
#[test]
fn what_is_told_commands_no_terminal() {
    let directory = Directory::new();
    let command = |text: &str| {
        text.chars().find(|letter| {
            (letter.is_control() && *letter != '\n') || ('\u{202a}'..='\u{202e}').contains(letter)
        })
    };
    let root = "[http:a]\nroot = %(here)s\nlisten = 127.0.0.1:0\n";
    let bad = "ind\u{1b}[31mex = a\nbacklog = \u{1b}]0;x\u{7}\u{9b}\nread_buffer = 3\u{202e}\n";
    let bad = written(&directory, "bad.conf", &[root, bad].concat());
    let odd = written(&directory, "odd.conf", &[root, "index = a\u{202e}\n"].concat());
    let gone = written(&directory, "gone.conf", &root.replace("%(here)s", "/no\u{202e}"));
    let plain = written(&directory, "plain.conf", root);
    for (arguments, wanted) in [
        (
            &["check", "-c", &bad][..],
            &["ind\\x1b[31mex: no such", "=\\x1b]0;x\\x07\\xc2\\x9b: ", "=3\\xe2\\x80\\xae: "][..],
        ),
        (&["run", "-c", &bad], &["ind\\x1b[31mex: no such"]),
        (&["diff", "-c", &plain, &odd], &["a\\xe2\\x80\\xae\n"]),
        (&["check", "-c", &gone], &["root=/no\\xe2\\x80\\xae: No such"]),
        (&["run", "-c", &gone], &["root=/no\\xe2\\x80\\xae: No such"]),
        (&["/no\u{1b}[31m"], &["/no\\x1b[31m: No such"]),
        (&["--h\u{1b}[31m"], &["--h\\x1b[31m: no such"]),
    ] {
        let (_, output, error) = said(with(arguments));
        let all = [output, error].concat();
        assert_eq!(command(&all), None, "{all:?}");
        assert!(wanted.iter().all(|part| all.contains(part)), "{all}");
    }
    // The dump is a configuration, which is read again.
    assert!(command(&said(with(&["dump", "-c", &odd])).1).is_some());
}

#[test]
fn a_dump_is_a_configuration() {
    let (directory, path) = two_sites();
    let (code, dumped, _) = said(with(&["dump", "-c", &path, "--http.two.index=x"]));
    assert_eq!(code, 0);
    assert!(dumped.contains("hidden = on  ; ") && dumped.contains("web.conf:13\n"), "{dumped}");
    assert!(dumped.contains("index = x  ; --http.two.index=x\n"), "{dumped}");
    let again = written(&directory, "dumped.conf", &dumped);
    assert_eq!(
        said(with(&["diff", "-c", &path, &again])),
        (1, "~ [http:two] index: index.html -> x\n".to_owned(), String::new())
    );
    assert_eq!(said(with(&["diff", "-c", &again, &again])), (0, String::new(), String::new()));
    // The command line is meant for both.
    assert_eq!(said(with(&["diff", "-c", &path, "--http.two.index=x", &again])).0, 0);
    let (code, json, _) = said(with(&["dump", "--json", "-c", &path]));
    let lines: Vec<&str> = json.lines().collect();
    assert_eq!((code, lines.len()), (0, 4));
    assert!(lines.iter().all(|line| line.starts_with("{\"path\":\"/") && line.ends_with("\"}}")), "{json}");
}

#[test]
fn included_files_are_read() {
    let (directory, _) = two_sites();
    directory.file("conf.d/20-two.conf", "[http:two]\nroot=%(here)s/../two\nlisten=127.0.0.1:0\n");
    directory.file("conf.d/10-one.conf", "[http:one]\nroot=%(ENV_SITE)s/one\nlisten=127.0.0.1:0\n");
    directory.file("conf.d/10-one.conf.old", "[nonsense\n");
    let path = written(&directory, "main.conf", "[include]\nfiles = conf.d/*.conf\n");
    let mut command = with(&["run", "-c", &path]);
    command.env("SITE", directory.path());
    let server = Server::spawn(command);
    let all = addresses(&server);
    assert_eq!(get(all[0], &plain("/a.txt")).body, b"of one");
    assert_eq!(get(all[1], &plain("/a.txt")).body, b"of two");
}

/// Nor by a link, nor by another name of its own.
#[test]
fn a_file_is_read_once_by_all_its_names() {
    let directory = Directory::new();
    let a = directory.file("inc/a.conf", "[gorgon]\ngrace = 3s\n");
    std::os::unix::fs::symlink("a.conf", directory.path().join("inc/b.conf")).unwrap();
    std::fs::hard_link(a, directory.path().join("inc/c.conf")).unwrap();
    let check = |files: &str| {
        let path = written(&directory, "main.conf", &["[include]\nfiles = ", files, "\n"].concat());
        said(with(&["check", "-c", &path]))
    };
    for files in ["inc/*.conf", "inc/a.conf inc/*.conf *.conf"] {
        assert_eq!(check(files).0, 0, "{files}");
    }
    let here = directory.path().display();
    for name in ["./inc/a.conf", "inc/b.conf", "inc/c.conf"] {
        let (code, _, error) = check(&["inc/a.conf ", name].concat());
        let twice = format!(":2: {here}/{name}: included twice, first as {here}/inc/a.conf\n");
        assert!(code == 2 && error.lines().count() == 1 && error.ends_with(&twice), "{error}");
    }
}

#[test]
fn commands_and_directories_of_their_names() {
    let directory = Directory::new();
    directory.file("run/a.txt", "here");
    let mut command = with(&["./run", "-l", "127.0.0.1:0"]);
    command.current_dir(directory.path());
    let server = Server::spawn(command);
    assert_eq!(server.get("/a.txt").body, b"here");
    for (word, usage) in [
        ("run", "Usage: gorgon run [-c FILE]"),
        ("check", "Usage: gorgon check [-c FILE]"),
        ("dump", "Usage: gorgon dump [-c FILE] [--json]"),
        ("diff", "Usage: gorgon diff [-c FILE]"),
    ] {
        let (code, output, _) = said(with(&[word, "--help"]));
        assert!(code == 0 && output.starts_with(usage), "{output}");
        let (_, help, _) = said(with(&["--help"]));
        assert!(help.contains(&format!("\n  {word} ")), "{help}");
    }
}

/// Two that cannot be had together are told before anything is bound.
#[test]
fn one_address_for_two_servers() {
    let directory = Directory::new();
    let path = written(&directory, "x.conf", "[http:a]\nroot=/\n[http:b]\nroot=/\nlisten=127.0.0.1:8080\n");
    let (code, _, error) = said(with(&["run", "-c", &path]));
    assert_eq!(code, 2);
    assert_eq!(
        error,
        format!(
            "gorgon: {path}:5: listen: 127.0.0.1:8080 cannot be together with :8080 of [http:a], {path}:1\n"
        )
    );
}
