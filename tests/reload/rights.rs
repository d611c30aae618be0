//! Changes after the program has given its rights away. Only root can see it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::host::{Program, body, site};

const ONE: &str = "[http:one]\nroot = %(here)s/one\nlisten = 127.0.0.1:0\n";

fn root() -> bool {
    let root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    if !root {
        eprintln!("SKIPPED: only root can test this");
    }
    root
}

/// A low port that nobody has, where this system has such.
fn low_port() -> Option<u16> {
    let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start").unwrap_or_default();
    let first: u16 = text.trim().parse().unwrap_or(1024);
    (200..first).find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
}

#[test]
fn what_it_may_not_do_any_more_is_told() {
    if !root() {
        return;
    }
    let program = Program::start(ONE);
    let one = program.address("one");
    let mut monitor = program.monitor();
    assert!(monitor.value("/process.user").contains("nobody"));
    // A file that only root reads.
    std::os::unix::fs::chown(&program.path, Some(0), Some(0)).unwrap();
    std::fs::set_permissions(&program.path, std::fs::Permissions::from_mode(0o600)).unwrap();
    let error = monitor.ask("call /config reload").unwrap_err();
    assert!(error.contains("web.conf: Permission denied") && error.starts_with("refused "), "{error}");
    assert_eq!(monitor.value("/config.last_failure"), error.split_once(' ').unwrap().1);
    assert_eq!(body(one, "/a.txt").1, "of one");
    // It may be read, but not be written.
    std::fs::set_permissions(&program.path, std::fs::Permissions::from_mode(0o644)).unwrap();
    monitor.ask("call /config reload").unwrap();
    monitor.ask("set /http/one hidden=on").unwrap();
    let text = std::fs::read_to_string(&program.path).unwrap();
    let error = monitor.ask("save").unwrap_err();
    for words in ["web.conf: nobody (65534:65534) may not write it", "chown", "--user"] {
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&program.path).unwrap(), text);
    let left = std::fs::read_dir(program.directory.path()).unwrap();
    assert!(left.flatten().all(|entry| !entry.file_name().to_string_lossy().contains("save")));
    // Directories that are closed to it.
    let closed = program.directory.file("closed/a.txt", "");
    let closed = closed.parent().unwrap();
    std::fs::set_permissions(closed, std::fs::Permissions::from_mode(0o700)).unwrap();
    let error = monitor.ask(&format!("set /http/one root={}", closed.display())).unwrap_err();
    assert!(
        error.starts_with("refused")
            && error.contains("Permission denied")
            && error.contains("/process.rights"),
        "{error}"
    );
    let Some(port) = low_port() else { return };
    for asked in [
        format!("set /http/one listen=127.0.0.1:{port}"),
        format!(
            "call /config add /http/low root={} listen=127.0.0.1:{port}",
            program.directory.path().join("two").display()
        ),
    ] {
        let error = monitor.ask(&asked).unwrap_err();
        assert!(error.starts_with("refused") && error.contains("ports below 1024 want root"), "{error}");
        assert_eq!(body(one, "/a.txt").1, "of one");
    }
    assert_eq!(program.address("one"), one);
}

/// A low port that it had is not let go for one that it may not have.
#[test]
fn a_low_port_is_kept_when_another_cannot_be_had() {
    if !root() {
        return;
    }
    let Some(port) = low_port() else { return };
    let listens = |rule: &str| ONE.replace("127.0.0.1:0", rule);
    let program = Program::start(&listens(&format!("127.0.0.1:{port}")));
    let one = program.address("one");
    let inodes = program.inodes(port);
    let error = program.reload(&listens(&format!(":{port}"))).unwrap_err();
    assert!(error.contains("ports below 1024 want root"), "{error}");
    assert_eq!(program.inodes(port), inodes);
    assert_eq!(body(one, "/a.txt").1, "of one");
    // To another server it may go, for its socket stays.
    program.reload(&listens(&format!("127.0.0.1:{port}")).replace("one", "two")).unwrap();
    assert_eq!(program.inodes(port), inodes);
    assert_eq!(body(one, "/a.txt").1, "of two");
}

/// Who may read the file stays the same, and so does the file where no other can be its like, or none can be made.
#[test]
fn a_file_that_cannot_be_made_anew_is_written_in_its_place() {
    if !root() {
        return;
    }
    let program = Program::start(ONE);
    let mut monitor = program.monitor();
    let mut value = true;
    let (foreign, alone) = ("a new file could not have its owner and group", "no file can be made beside it");
    let (other, neither) = ("and no new file could have its owner and group", "nor make files beside it");
    // Whose the directory is; then the file; how it is written, or what is missing.
    for (above, (user, group, mode), saved) in [
        (65_534, (65_534, 65_534, 0o640), Ok("")),
        (65_534, (65_534, 4321, 0o640), Ok(foreign)),
        (65_534, (0, 65_534, 0o660), Ok(foreign)),
        (65_534, (65_534, 4321, 0o440), Err(other)),
        (65_534, (0, 65_534, 0o640), Err(other)),
        (0, (65_534, 65_534, 0o640), Ok(alone)),
        (0, (0, 65_534, 0o660), Ok(alone)),
        (0, (65_534, 65_534, 0o440), Err(neither)),
        (0, (0, 65_534, 0o640), Err(neither)),
    ] {
        let directory = program.directory.path();
        std::os::unix::fs::chown(directory, Some(above), Some(above)).unwrap();
        std::fs::set_permissions(directory, std::fs::Permissions::from_mode(0o755)).unwrap();
        let owned = || {
            let found = program.path.metadata().unwrap();
            (found.uid(), found.gid(), found.mode() & 0o7777)
        };
        std::os::unix::fs::chown(&program.path, Some(user), Some(group)).unwrap();
        std::fs::set_permissions(&program.path, std::fs::Permissions::from_mode(mode)).unwrap();
        let before =
            (program.path.metadata().unwrap().ino(), std::fs::read_to_string(&program.path).unwrap());
        let word = if value { "on" } else { "off" };
        monitor.ask(&format!("set /http/one hidden={word}")).unwrap();
        let report = monitor.ask("save");
        let (inode, text) =
            (program.path.metadata().unwrap().ino(), std::fs::read_to_string(&program.path).unwrap());
        match saved {
            Ok(way) => {
                let report = report.unwrap();
                assert!(report.contains("[http:one] hidden: "), "{report}");
                let in_place = report.contains(&format!("web.conf: written in its place, for {way}\n"));
                assert_eq!((in_place, inode == before.0), (!way.is_empty(), !way.is_empty()), "{report}");
                assert!(text.contains(&format!("\nhidden = {word}\n")), "{text}");
                value = !value;
            }
            Err(missing) => {
                let error = report.unwrap_err();
                assert!(error.contains(&format!(" may not write it, {missing}; chown it, ")), "{error}");
                assert_eq!((inode, text), before);
            }
        }
        assert_eq!(owned(), (user, group, mode));
        let names = std::fs::read_dir(program.directory.path()).unwrap();
        let names: Vec<_> = names.flatten().map(|entry| entry.file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().starts_with('.')), "{names:?}");
    }
}

/// That has nothing to do with whose it is.
#[test]
fn a_file_that_nobody_may_change_is_told_as_such() {
    if !root() {
        return;
    }
    let directory = site();
    let other = directory.file("two.conf", "[http:two]\nroot = %(here)s/two\nlisten = 127.0.0.1:0\n");
    let text = [ONE, "[gorgon]\nuser = root\n[include]\nfiles = two.conf\n"].concat();
    let program = Program::start_in(directory, &text, &[]);
    let mark = |sign: &str| {
        let mut command = std::process::Command::new("chattr");
        let status = command.arg(sign).arg(&other).stderr(std::process::Stdio::null()).status();
        status.is_ok_and(|status| status.success())
    };
    let mut monitor = program.monitor();
    monitor.ask("set /http/one hidden=on").unwrap();
    monitor.ask("set /http/two hidden=on").unwrap();
    let before = std::fs::read_to_string(&program.path).unwrap();
    if !mark("+i") {
        eprintln!("SKIPPED: no file can be made immutable here");
        return;
    }
    let error = monitor.ask("save");
    assert!(mark("-i"));
    assert_eq!(error.unwrap_err(), format!("failed {}: Operation not permitted", other.display()));
    // All of it or nothing.
    assert_eq!(std::fs::read_to_string(&program.path).unwrap(), before);
    monitor.ask("save").unwrap();
    assert_ne!(std::fs::read_to_string(&program.path).unwrap(), before);
}

/// In a sandbox nothing can be opened but what was served at the start.
#[test]
fn a_sandbox_is_not_left() {
    if !root() {
        return;
    }
    let directory = site();
    let program = {
        let text = [ONE, "[gorgon]\nsandbox=on\n"].concat();
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Program::start_in(directory, &text, &[])))
    };
    let Ok(program) = program else {
        eprintln!("SKIPPED: this kernel has no Landlock");
        return;
    };
    let one = program.address("one");
    let mut monitor = program.monitor();
    let rights = monitor.value("/process.rights");
    assert!(rights.contains("Landlock"), "{rights}");
    let root = program.directory.path().join("two").display().to_string();
    for asked in [
        format!("set /http/one root={root}"),
        format!("call /config add /http/two root={root} listen=127.0.0.1:0"),
    ] {
        let error = monitor.ask(&asked).unwrap_err();
        assert!(error.starts_with("refused") && error.contains("/process.rights"), "{asked}: {error}");
        assert_eq!(body(one, "/a.txt").1, "of one");
    }
    // What needs nothing new goes on.
    monitor.ask("set /http/one hidden=on").unwrap();
    assert_eq!(monitor.value("/http/one.hidden"), "on");
    // The file itself lies outside.
    let error = monitor.ask("call /config reload").unwrap_err();
    assert!(error.starts_with("refused") && error.contains("/process.rights"), "{error}");
}

/// What it uses already it has from before, and to be told of it each time would hide what matters.
#[test]
fn what_it_uses_is_not_told_for_want_of_rights() {
    if !root() {
        return;
    }
    let directory = site();
    let users = directory.file("users", "");
    std::fs::set_permissions(&users, std::fs::Permissions::from_mode(0o600)).unwrap();
    let text = [ONE, "auth_file = %(here)s/users\n"].concat();
    let program = Program::start_in(directory, &text, &[]);
    let mut monitor = program.monitor();
    let told = monitor.ask("call /config check").unwrap();
    assert!(told.lines().count() == 1 && told.contains(": ok, "), "{told}");
    let other = program.directory.file("others", "");
    std::fs::set_permissions(&other, std::fs::Permissions::from_mode(0o600)).unwrap();
    program.write(&text.replace("/users", "/others"));
    let told = monitor.ask("call /config check").unwrap();
    assert!(told.contains("/others: Permission denied; whoever runs the server has to reach it\n"), "{told}");
}
