//! What `dist` holds for supervisors of services: each can be read by what will read it, and is run by it where that needs
//! no more than a directory. `tools/inits` runs all of it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Directory, PATIENCE, Reply, Server, finish, free_port, read_all};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn dist(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dist").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(dist(name)).unwrap()
}

/// All files of a directory and those beneath.
fn files(place: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(place).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

/// Whether a program is here to check with. Says what is not tested if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: {program} is not installed");
    }
    found
}

#[test]
fn scripts_are_shell() {
    let mut all = Vec::new();
    files(&dist(""), &mut all);
    let scripts: Vec<PathBuf> = all
        .into_iter()
        .filter(|path| std::fs::read(path).unwrap().starts_with(b"#!"))
        .filter(|path| {
            let first = std::fs::read_to_string(path).unwrap().lines().next().unwrap().to_owned();
            first.starts_with("#!/bin/sh") || first == "#!/sbin/openrc-run"
        })
        .collect();
    assert!(scripts.len() >= 12, "{scripts:?}");
    let checked = has("shellcheck");
    for script in &scripts {
        assert!(Command::new("sh").arg("-n").arg(script).status().unwrap().success(), "{script:?}");
        if checked {
            let output = Command::new("shellcheck").args(["-s", "sh"]).arg(script).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        }
    }
}

/// The instance differs from the one server in its names alone.
#[test]
fn the_units_are_one() {
    let settings = |name: &str| -> Vec<String> {
        let text = text(name).replace("gorgon/%i.conf", "gorgon/gorgon.conf").replace("gorgon-%i", "gorgon");
        let settings = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        settings.map(str::to_owned).filter(|line| !line.starts_with("Description=")).collect()
    };
    assert_eq!(settings("systemd/gorgon.service"), settings("systemd/gorgon@.service"));
}

#[test]
fn systemd_knows_every_line_of_the_units() {
    if !has("systemd-analyze") {
        return;
    }
    let directory = Directory::new();
    let names = ["gorgon.service", "gorgon@.service", "gorgon.socket"];
    let units = names.map(|name| {
        // It looks whether the program is there.
        let text = text(&format!("systemd/{name}")).replace("/usr/bin/gorgon", "/bin/sh");
        directory.file(&name.replace("@.", "@one."), text)
    });
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    // What it says of other units of this system is not our matter.
    let ours: Vec<&str> = said.lines().filter(|line| line.contains("gorgon")).collect();
    assert!(output.status.success() && ours.is_empty(), "{said}");
}

#[test]
fn s6_is_told_by_the_descriptor_that_is_written_to() {
    let number: u32 = text("s6/gorgon/notification-fd").trim().parse().unwrap();
    assert!(number > 2 && text("s6/gorgon/run").contains(&format!("--gorgon.notify_fd={number}\n")));
}

#[test]
#[cfg(all(feature = "http", feature = "monitor"))]
fn the_files_that_come_along_are_right() {
    for name in ["debian/gorgon.conf", "container/gorgon.conf"] {
        let mut command = common::gorgon();
        // What they name is there once they are installed.
        command.args(["dump", "-c"]).arg(dist(name));
        let output = finish(command);
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// What looks whether the program is well asks at the socket that its configuration names.
#[test]
fn the_container_is_asked_where_it_listens() {
    let configuration = text("container/gorgon.conf");
    let socket = configuration.lines().find_map(|line| line.strip_prefix("listen = unix:")).unwrap();
    let wanted = format!("CMD [\"/gorgon\", \"monitor\", \"{socket}\", \"-c\", \"hello\"]");
    assert!(text("container/Dockerfile").contains(&wanted));
    // Without a section of monitors the socket is named after the process.
    assert!(!text("debian/gorgon.conf").contains("[monitor"));
    assert!(text("runit/gorgon/check").contains("gorgon monitor \"$(cat supervise/pid)\" -c hello"));
}

#[test]
fn all_read_the_same_file() {
    for name in [
        "systemd/gorgon.service",
        "openrc/gorgon",
        "runit/gorgon/run",
        "s6/gorgon/run",
        "procd/gorgon.init",
        "container/Dockerfile",
    ] {
        assert!(text(name).contains("/etc/gorgon/gorgon.conf"), "{name}");
    }
}

/// A supervisor that runs a service of `dist` as it stands: what it calls `gorgon` is this program, which reads a
/// configuration of ours in place of the one in /etc. It is ended when this is dropped.
struct Supervised {
    directory: Directory,
    service: PathBuf,
    child: Child,
}

const LARGE: usize = 32 << 20;

impl Supervised {
    fn new(kind: &str, supervisor: &str) -> Supervised {
        let directory = Directory::new();
        directory.file("site/a.txt", "a file");
        let large = directory.file("site/large", "");
        File::options().write(true).open(large).unwrap().set_len(LARGE as u64).unwrap();
        let root = directory.path().display();
        let text = format!("[http:main]\nlisten = 127.0.0.1:0\nroot = {root}/site\n");
        let configuration = directory.file("gorgon.conf", text);
        let shim = format!(
            "#!/bin/sh\nfor one; do\nshift\n[ \"$one\" != /etc/gorgon/gorgon.conf ] || one={}\n\
             set -- \"$@\" \"$one\"\ndone\nexec {} \"$@\"\n",
            configuration.display(),
            env!("CARGO_BIN_EXE_gorgon")
        );
        let shim = directory.file("bin/gorgon", shim);
        std::fs::set_permissions(shim, PermissionsExt::from_mode(0o755)).unwrap();
        let service = directory.path().join("gorgon");
        let copied = Command::new("cp").arg("-R").arg(dist(kind).join("gorgon")).arg(&service).status();
        assert!(copied.unwrap().success());
        // That one writes where the system has its logs.
        let _none = std::fs::remove_dir_all(service.join("log"));
        let log = File::create(directory.path().join("log")).unwrap();
        let mut command = Command::new(supervisor);
        command
            .arg(&service)
            .env_clear()
            .env("PATH", path(&directory))
            .env("XDG_RUNTIME_DIR", directory.path());
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Supervised { directory, service, child }
    }

    /// A program that talks to the supervisor, with the service at the end.
    fn command(&self, words: &str) -> Command {
        let mut words = words.split(' ');
        let mut command = Command::new(words.next().unwrap());
        command.args(words).arg(&self.service).env("PATH", path(&self.directory));
        command
    }

    fn succeeds(&self, words: &str) {
        let output = finish(self.command(words));
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{words}: {}{}", String::from_utf8_lossy(&said), self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap()
    }

    /// Where it serves since it was started last.
    fn address(&self) -> SocketAddr {
        let log = self.log();
        let url = log.lines().rev().find_map(|line| line.trim().strip_prefix("http://"));
        url.unwrap_or_else(|| panic!("no URL in {log}")).trim_end_matches('/').parse().unwrap()
    }

    fn get(&self, target: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(stream, "GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
        stream
    }

    fn serves(&self) {
        assert_eq!(Reply::first(&read_all(&mut self.get("/a.txt")), false).0.body, b"a file");
    }

    /// What ends it leaves a download that is under way whole.
    fn is_ended_gently(&self, words: &str) {
        let address = self.address();
        let mut download = self.get("/large");
        let mut start = [0; 1024];
        download.read_exact(&mut start).unwrap();
        let mut ending = self.command(words).stdout(Stdio::null()).spawn().unwrap();
        wait_for(words, &mut || TcpStream::connect(address).is_err());
        let rest = read_all(&mut download);
        drop(download);
        let reply = Reply::first(&[&start[..], &rest].concat(), false).0;
        assert_eq!(reply.body.len(), LARGE, "{words}");
        assert!(ending.wait().unwrap().success(), "{words}: {}", self.log());
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        let _told = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ended = self.child.wait();
    }
}

/// Waits until something is so.
fn wait_for(what: &str, is_so: &mut dyn FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn path(directory: &Directory) -> String {
    format!("{}/bin:{}", directory.path().display(), std::env::var("PATH").unwrap())
}

#[test]
#[cfg(all(feature = "http", feature = "monitor"))]
fn runit_runs_it() {
    if !has("runsv") || !has("sv") {
        return;
    }
    let service = Supervised::new("runit", "runsv");
    wait_for("runsv listens", &mut || service.service.join("supervise/ok").exists());
    // Its check has said yes by then.
    service.succeeds("sv -w 30 start");
    service.serves();
    let first = service.address();
    service.succeeds("sv hup");
    service.is_ended_gently("sv -w 30 restart");
    // The check may have been answered by the one that was about to end.
    wait_for("another one serves", &mut || service.address() != first);
    service.serves();
    service.is_ended_gently("sv -w 30 stop");
    service.succeeds("sv -w 30 start");
    service.serves();
}

#[test]
#[cfg(feature = "http")]
fn s6_runs_it() {
    if !has("s6-supervise") || !has("s6-svwait") {
        return;
    }
    let service = Supervised::new("s6", "s6-supervise");
    wait_for("s6-supervise listens", &mut || finish(service.command("s6-svok")).status.success());
    // It is told when it is ready.
    service.succeeds("s6-svwait -t 25000 -U");
    service.serves();
    let first = service.address();
    service.succeeds("s6-svc -h");
    service.is_ended_gently("s6-svc -wR -T 25000 -r");
    assert_ne!(service.address(), first);
    service.serves();
    service.is_ended_gently("s6-svc -wD -T 25000 -d");
    // Wrong settings are not tried again.
    service.directory.file("gorgon.conf", "wrong\n");
    service.succeeds("s6-svc -u");
    wait_for("it gives up", &mut || {
        let said = String::from_utf8(finish(service.command("s6-svstat")).stdout).unwrap();
        said.starts_with("down (exitcode 2)") && !said.contains("want up")
    });
}

/// The socket of `gorgon.socket`, by its name.
#[test]
#[cfg(feature = "http")]
fn systemd_passes_the_socket_of_its_unit() {
    if !has("systemd-socket-activate") {
        return;
    }
    let directory = Directory::new();
    directory.file("site/a.txt", "a file");
    let root = directory.path().display();
    let unit = text("systemd/gorgon.socket");
    let name = unit.lines().find_map(|line| line.strip_prefix("FileDescriptorName=")).unwrap();
    let text = format!("[http:main]\nlisten = fd:{name}\nroot = {root}/site\n");
    let configuration = directory.file("gorgon.conf", text);
    let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &address.to_string(), &format!("--fdname={name}"), env!("CARGO_BIN_EXE_gorgon")]);
    command.args(["run", "-c"]).arg(configuration).stdout(Stdio::null()).stderr(Stdio::null());
    let child = command.spawn().unwrap();
    let mut server = Server { child, address, report: String::new() };
    // The first client starts it, and is served.
    let mut client = None;
    wait_for("somebody listens", &mut || {
        assert!(server.runs());
        client = TcpStream::connect(address).ok();
        client.is_some()
    });
    let mut stream = client.unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!(Reply::first(&read_all(&mut stream), false).0.body, b"a file");
}
