//! What the program gives up: it becomes nobody, has no capabilities, and opens nothing but what it serves.
//!
//! Most of it can be seen only by root; another user skips that, and says so.
#![cfg(feature = "http")]
#![cfg(target_os = "linux")]
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Directory, Server, finish, gorgon, refusal};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Whether this is root. Says what is not tested if it is not.
fn root() -> bool {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        eprintln!("SKIPPED: only root can test this");
    }
    root
}

fn site() -> Directory {
    let directory = Directory::new();
    directory.file("site/a.txt", "a file");
    directory
}

fn served(directory: &Directory) -> PathBuf {
    directory.path().join("site")
}

fn start(directory: &Directory, arguments: &[&str]) -> Server {
    let server = Server::start(&served(directory), arguments);
    assert_eq!(server.get("/a.txt").body, b"a file");
    assert_eq!(server.get("/").status, 200);
    server
}

/// The line that will not do, with these arguments.
fn refused(target: &Path, arguments: &[&str]) -> String {
    let mut command = gorgon();
    command.args(["-l", "127.0.0.1:0"]).args(arguments).arg(target);
    refusal(command)
}

/// The program as another user, from a place that one can reach; its name and the directory are to be added.
fn as_nobody(directory: &Directory, more: &[&str]) -> Command {
    let program = directory.path().join("gorgon");
    // By another process: a copy that is being written here could be inherited by what other tests start, and then not be run.
    let copied = Command::new("cp").arg(env!("CARGO_BIN_EXE_gorgon")).arg(&program).status().unwrap();
    assert!(copied.success());
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).args(more).arg(program);
    command.args(["-l", "127.0.0.1:0"]).arg(served(directory));
    command
}

/// A line of `/proc/PID/status`, its words joined by single spaces.
fn status(server: &Server, name: &str) -> String {
    let text = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn ids(server: &Server) -> [String; 3] {
    ["Uid", "Gid", "Groups"].map(|name| status(server, name))
}

/// Whether it has no way to more rights.
fn is_powerless(server: &Server) {
    for set in ["CapInh", "CapPrm", "CapEff", "CapAmb"] {
        assert_eq!(status(server, set), "0000000000000000", "{set}");
    }
    assert_eq!(status(server, "NoNewPrivs"), "1");
}

/// The line of the report that tells of it.
fn told(server: &Server) -> &str {
    server.report.lines().find(|line| line.starts_with("User: ")).unwrap()
}

fn four(id: u32) -> String {
    format!("{id} {id} {id} {id}")
}

#[test]
fn becomes_nobody() {
    if !root() {
        return;
    }
    let directory = site();
    let server = start(&directory, &[]);
    assert_eq!(ids(&server), [four(65534), four(65534), "65534".to_owned()]);
    is_powerless(&server);
    assert_eq!(status(&server, "CapBnd"), "0000000000000000");
    let line = told(&server);
    assert!(line.starts_with("User: nobody (65534:65534); no capabilities; "), "{line}");
}

#[test]
fn becomes_who_was_named() {
    if !root() {
        return;
    }
    let directory = site();
    for (text, user, group) in [
        ("1234:2345", 1234, 2345),
        ("daemon", 1, 1),
        ("1", 1, 1),
        ("daemon:2345", 1, 2345),
        ("daemon:sys", 1, 3),
        ("1234:sys", 1234, 3),
        ("0:2345", 0, 2345),
    ] {
        let server = start(&directory, &["--user", text]);
        let [users, groups, more] = ids(&server);
        assert_eq!((users, groups), (four(user), four(group)), "{text}");
        assert!(more.split(' ').any(|one| one == group.to_string()), "{text}: {more}");
        if user != 0 {
            is_powerless(&server);
        }
    }
}

#[test]
fn keeps_root_when_told() {
    if !root() {
        return;
    }
    let directory = site();
    let closed = served(&directory);
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let server = start(&directory, &["--user", "root"]);
    assert_eq!(ids(&server)[0], four(0));
    assert_ne!(status(&server, "CapEff"), "0000000000000000");
    assert_eq!(status(&server, "NoNewPrivs"), "1");
    assert!(told(&server).contains("root (0:0); capabilities kept"), "{}", server.report);

    let line = refused(&closed, &[]);
    for word in [closed.to_str().unwrap(), "nobody (65534:65534)", "--user", "chmod"] {
        assert!(line.contains(word), "{line}");
    }
    // A file that nobody may read is no better.
    let file = directory.file("secret.txt", "x");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(refused(&file, &[]).contains("may not read it"));
}

/// At the root as well as beneath it.
#[test]
fn a_place_of_uploads_has_to_be_writable() {
    if !root() {
        return;
    }
    let directory = site();
    directory.file("site/in/a.txt", "");
    for name in ["site", "site/in"] {
        let closed = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(directory.path().join(name), closed).unwrap();
    }
    for (place, target) in [("site", "site"), ("site/in", "site"), ("site/in", "site/in")] {
        let at = |name: &str| directory.path().join(name);
        let line = refused(&at(target), &["--upload", at(place).to_str().unwrap()]);
        assert!(line.contains("nobody (65534:65534) may not make files there; chown it"), "{line}");
    }
}

/// What `run` refuses once it is another user, `check` by root tells before.
#[test]
fn check_tells_what_the_user_may_not() {
    if !root() {
        return;
    }
    let directory = site();
    directory.file("site/in/a.txt", "");
    directory.file("closed/a.txt", "");
    directory.file("logs/old", "");
    let set = |name: &str, mode: u32| {
        std::fs::set_permissions(directory.path().join(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    for (name, mode) in [("closed", 0o700), ("site", 0o755), ("site/in", 0o755), ("logs", 0o755)] {
        set(name, mode);
    }
    let said = |command: &str, user: &str, text: &str| {
        let path = directory.file("web.conf", text);
        let mut program = gorgon();
        program.args([command, "--user", user, "-c"]).arg(path);
        let output = finish(program);
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let server =
        |root: &str, more: &str| format!("[http:a]\nlisten = 127.0.0.1:0\nroot = %(here)s/{root}\n{more}\n");
    let user = "nobody (65534:65534) may not ";
    let handler = "[handler:a/x]\nkind = files\nmatch = /x\nroot = %(here)s/closed\n";
    for (text, words) in [
        (
            server("closed", ""),
            ["web.conf:3: root=", "/closed: user ", user, "read it; make it readable (chmod"],
        ),
        (
            server("site", handler),
            ["web.conf:7: root=", "/closed: user ", user, "read it; make it readable (chmod"],
        ),
        (server("site", "upload = in"), ["web.conf:4: upload=", "in: ", user, "make files there; chown it"]),
        (server("site", "upload = ."), ["web.conf:4: upload=", ".: ", user, "make files there; chown it"]),
    ] {
        let (code, error) = said("check", "nobody", &text);
        assert!(code == 2 && words.iter().all(|words| error.contains(words)), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
        // With the same words, but for where it stands.
        let (code, error) = said("run", "nobody", &text);
        assert!(code == 2 && words[1..].iter().all(|words| error.contains(words)), "{error}");
        assert_eq!(said("check", "root", &text), (0, String::new()));
    }
    for (mode, may) in [(0o711, false), (0o744, false), (0o755, true), (0o705, true)] {
        set("closed", mode);
        assert_eq!(said("check", "nobody", &server("closed", "")).0 == 0, may, "{mode:o}");
        if !may {
            assert_eq!(said("run", "nobody", &server("closed", "")).0, 2, "{mode:o}");
        }
    }
    // Of a log it is a warning, as at the start.
    let log = server("site", "access_log = %(here)s/logs/log");
    let (code, error) = said("check", "nobody", &log);
    assert_eq!(code, 0);
    assert!(error.starts_with("gorgon: warning: ") && error.contains("web.conf:4: access_log="), "{error}");
    assert!(
        error.contains(&format!("/logs/log: {user}make files beside it, so it will not be rotated")),
        "{error}"
    );
    set("logs", 0o777);
    assert_eq!(said("check", "nobody", &log), (0, String::new()));
}

#[test]
fn a_way_that_is_closed_to_the_user_is_no_hindrance() {
    if !root() {
        return;
    }
    let directory = site();
    std::fs::set_permissions(directory.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    start(&directory, &[]);
}

#[test]
fn names_who_is_unknown() {
    let directory = site();
    for (text, word) in [
        ("no-such-user", "no-such-user"),
        ("1234567", "no user 1234567; "),
        ("root:no-such-group", "no-such-group"),
        (":", "NAME"),
        ("4294967295:1", "4294967295"),
    ] {
        let line = refused(&served(&directory), &["--user", text]);
        assert!(line.starts_with(&format!("--gorgon.user={text}: ")) && line.contains(word), "{line}");
    }
}

#[test]
fn another_user_stays_who_it_is() {
    if !root() {
        return;
    }
    let directory = site();
    for mine in [&[][..], &["--user", "nobody"], &["--user", "65534"], &["--user=nobody:65534"]] {
        let mut command = as_nobody(&directory, &["--inh-caps=+net_raw", "--ambient-caps=+net_raw"]);
        command.args(mine);
        let server = Server::spawn(command);
        assert_eq!(ids(&server), [four(65534), four(65534), String::new()]);
        is_powerless(&server);
        assert!(told(&server).starts_with("User: 65534:65534; no capabilities"), "{}", server.report);
        assert_eq!(server.get("/a.txt").status, 200);
    }
    for other in ["root", "daemon", "1:65534", "nobody:1"] {
        let mut command = as_nobody(&directory, &[]);
        command.args(["--user", other]);
        let line = refusal(command);
        assert!(line.contains(other) && line.contains("only root"), "{line}");
    }
    let mut command = as_nobody(&directory, &[]);
    command.arg("--chroot").arg(directory.path());
    assert!(refusal(command).contains("only root"));
}

#[test]
fn a_socket_stays_only_where_it_must() {
    if !root() {
        return;
    }
    let directory = site();
    for (mode, stays) in [(0o755, true), (0o777, false), (0o1777, false)] {
        let run = directory.path().join(format!("run-{mode:o}"));
        std::fs::create_dir(&run).unwrap();
        std::fs::set_permissions(&run, std::fs::Permissions::from_mode(mode)).unwrap();
        let socket = run.join("socket");
        let unix = format!("unix:{}", socket.display());
        for _start in 0..2 {
            let mut server = start(&directory, &["-l", &unix]);
            let data = std::fs::metadata(&socket).unwrap();
            assert_eq!((data.uid(), data.gid()), (65534, 65534));
            assert_eq!(
                server.report.contains(&format!("{unix} stays when the program ends\n")),
                stays,
                "{}",
                server.report
            );
            server.signal("TERM");
            assert_eq!(server.child.wait().unwrap().code(), Some(0));
            assert_eq!(socket.exists(), stays, "{mode:o}");
        }
    }
}

#[test]
fn changes_its_root_directory() {
    if !root() {
        return;
    }
    let directory = site();
    directory.file("outside.txt", "in the new root directory, beside what is served");
    symlink("/outside.txt", served(&directory).join("link")).unwrap();
    symlink("/etc/passwd", served(&directory).join("passwd")).unwrap();
    let top = directory.path().to_str().unwrap();
    let server = start(&directory, &["--chroot", top, "--http.main.symlinks=all"]);
    let id = server.child.id();
    for place in ["root", "cwd"] {
        assert_eq!(std::fs::read_link(format!("/proc/{id}/{place}")).unwrap(), Path::new(top));
    }
    assert_eq!(ids(&server)[0], four(65534));
    assert!(told(&server).contains(&format!("; root directory {top}")), "{}", server.report);
    assert_eq!(server.get("/link").status, 200);
    assert_eq!(server.get("/passwd").status, 404);

    // The same directory is beneath itself; a file's directory counts.
    let inner = served(&directory);
    start(&directory, &["--chroot", inner.to_str().unwrap()]);
    let one = Server::start(&inner.join("a.txt"), &["--chroot", top]);
    assert_eq!(one.get("/").body, b"a file");

    for (target, new) in [(directory.path(), inner.as_path()), (Path::new("/"), Path::new(top))] {
        let line = refused(target, &["--chroot", new.to_str().unwrap()]);
        assert!(line.contains("is not beneath it") && line.contains(new.to_str().unwrap()), "{line}");
    }
    assert!(refused(&inner, &["--chroot", "/no/such"]).contains("/no/such"));
    assert!(refused(&inner, &["--chroot", inner.join("a.txt").to_str().unwrap()]).contains("a.txt"));
}

#[test]
fn a_socket_outside_the_root_directory_stays() {
    if !root() {
        return;
    }
    let directory = site();
    let top = served(&directory);
    std::fs::set_permissions(&top, std::fs::Permissions::from_mode(0o777)).unwrap();
    for (socket, stays) in [(directory.path().join("socket"), true), (top.join("socket"), false)] {
        let unix = format!("unix:{}", socket.display());
        let mut server = start(&directory, &["-l", &unix, "--chroot", top.to_str().unwrap()]);
        assert_eq!(server.report.contains(&format!("{unix} stays when")), stays, "{}", server.report);
        server.signal("TERM");
        assert_eq!(server.child.wait().unwrap().code(), Some(0));
        assert_eq!(socket.exists(), stays);
    }
}

/// Nothing but a sandbox stands between the program and what a link leads to that was put in place of the one file it
/// serves: who names a file wants it followed.
#[test]
fn opens_nothing_but_what_it_serves() {
    let directory = site();
    let outside = directory.file("outside.txt", "outside");
    let file = served(&directory).join("a.txt");
    for (sandbox, denied) in [("off", false), ("auto", true)] {
        std::fs::remove_file(&file).unwrap();
        directory.file("site/a.txt", "a file");
        let server = Server::start(&file, &["--gorgon.sandbox", sandbox, "--http.main.file_cache=0"]);
        assert_eq!(server.get("/").body, b"a file");
        if denied && !told(&server).contains("Landlock ABI") {
            assert!(told(&server).contains("; no Landlock: "), "{}", server.report);
            eprintln!("SKIPPED: this kernel has no Landlock");
            return;
        }
        std::fs::remove_file(&file).unwrap();
        symlink(&outside, &file).unwrap();
        let reply = server.get("/");
        if denied {
            assert_eq!(reply.status, 403);
            let beneath = format!("reads beneath {} only", served(&directory).display());
            assert!(told(&server).ends_with(&beneath), "{}", server.report);
        } else {
            assert_eq!(reply.body, b"outside");
            assert!(told(&server).contains("; no Landlock, as sandbox says"), "{}", server.report);
        }
    }
    // Where links may lead anywhere from the start, they do.
    let server = Server::start(&file, &[]);
    assert_eq!(server.get("/").body, b"outside");
    symlink(&outside, served(&directory).join("link")).unwrap();
    for (symlinks, status) in [("all", 200), ("inside", 404)] {
        let server = Server::start(&served(&directory), &["--http.main.symlinks", symlinks]);
        assert_eq!(server.get("/link").status, status, "{}", server.report);
    }
}

#[test]
fn warns_of_staying_root() {
    if !root() {
        return;
    }
    let directory = site();
    for (quiet, lines) in [(&[][..], 1), (&["-q"], 0)] {
        let mut command = Command::new("timeout");
        command.args(["-s", "TERM", "1", env!("CARGO_BIN_EXE_gorgon"), "-l", "127.0.0.1:0", "--user=root"]);
        command.env_clear().args(quiet).arg(served(&directory));
        let output = finish(command);
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(error.lines().count(), lines, "{error}");
        assert!(lines == 0 || error.contains("warning: it stays root"), "{error}");
    }
}

#[test]
fn root_of_a_namespace_with_nobody_else_in_it() {
    let directory = site();
    let mut command = Command::new("unshare");
    command.args(["--user", "--map-root-user", env!("CARGO_BIN_EXE_gorgon"), "-l", "127.0.0.1:0"]);
    let tried = Command::new("unshare").args(["--user", "--map-root-user", "true"]).status();
    if !tried.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: no user namespace can be made here");
        return;
    }
    command.arg(served(&directory));
    let server = Server::spawn(command);
    assert_eq!(server.get("/a.txt").body, b"a file");
    assert!(server.report.contains("User: root (0:0), who may not become another here; no capabilities"));
    assert_eq!(
        (status(&server, "CapEff"), status(&server, "NoNewPrivs")),
        ("0000000000000000".into(), "1".into())
    );
}

#[test]
fn a_log_gives_no_file_of_others_away() {
    if !root() {
        return;
    }
    let directory = site();
    let victim = directory.file("victim", "secret");
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o600)).unwrap();
    let log = directory.path().join("log");
    let option = format!("--access-log={}", log.display());
    for link in [true, false] {
        if link {
            symlink(&victim, &log).unwrap()
        } else {
            std::fs::hard_link(&victim, &log).unwrap()
        }
        assert!(refused(&served(&directory), &[&option]).contains("log: Too many"));
        std::fs::remove_file(&log).unwrap();
        let data = victim.metadata().unwrap();
        assert_eq!((data.uid(), data.len()), (0, 6));
    }
    // One that is there already stays whose it is; one that is made is the server's, and can be opened anew.
    std::fs::write(&log, "").unwrap();
    drop(start(&directory, &[&option]));
    assert_eq!(log.metadata().unwrap().uid(), 0);
    std::fs::remove_file(&log).unwrap();
    drop(start(&directory, &[&option]));
    assert_eq!(log.metadata().unwrap().uid(), 65_534);
}
