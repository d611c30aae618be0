//! Where the socket is, and who is let in.

use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{Directory, Server, finish, gorgon};
use crate::host::{Host, as_user, is_root, site, told};
use crate::session::Session;

/// A user that is nobody's.
const OTHER: u32 = 54_321;

/// A directory for sockets, and a user whose they are: with other users there may be other programs.
struct Runtime {
    place: Directory,
    user: Option<u32>,
}

impl Runtime {
    fn new() -> Option<Runtime> {
        let place = site();
        if !is_root() {
            return Some(Runtime { place, user: None });
        }
        as_user(OTHER, gorgon())?;
        let runtime = place.path().join("runtime");
        std::fs::create_dir(&runtime).unwrap();
        std::os::unix::fs::chown(&runtime, Some(OTHER), Some(OTHER)).unwrap();
        Some(Runtime { place, user: Some(OTHER) })
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = gorgon();
        let runtime = self.place.path().join("runtime");
        let _made = std::fs::create_dir(&runtime);
        command.env("XDG_RUNTIME_DIR", runtime).args(arguments);
        match self.user {
            Some(user) => as_user(user, command).unwrap(),
            None => command,
        }
    }

    fn start(&self) -> Server {
        let mut command = self.command(&["-l", "127.0.0.1:0"]);
        command.arg(self.place.path().join("site"));
        Server::spawn(command)
    }

    fn directory(&self) -> PathBuf {
        self.place.path().join("runtime/gorgon")
    }

    fn socket(&self, server: &Server) -> PathBuf {
        self.directory().join(format!("{}.sock", server.child.id()))
    }

    fn monitor(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut all = vec!["monitor"];
        all.extend(arguments);
        told(&finish(self.command(&all)))
    }
}

fn end(server: &mut Server) {
    server.signal("TERM");
    server.child.wait().unwrap();
}

#[test]
fn the_only_one_is_found_and_several_are_listed() {
    let Some(runtime) = Runtime::new() else { return };
    let (code, _, error) = runtime.monitor(&["-c", "hello"]);
    assert!(code == 1 && error.starts_with("gorgon: no monitor answers "), "{error}");

    let mut one = runtime.start();
    let socket = runtime.socket(&one);
    let found = socket.metadata().unwrap();
    assert!(found.file_type().is_socket());
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    assert_eq!(runtime.directory().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    let (code, text, error) = runtime.monitor(&["-c", "hello"]);
    assert_eq!((code, error.as_str()), (0, ""));
    assert!(text.contains(&format!(" pid={} role=admin ", one.child.id())), "{text}");

    let mut two = runtime.start();
    let (code, text, error) = runtime.monitor(&["-c", "hello"]);
    assert_eq!((code, text.as_str()), (2, ""));
    for server in [&one, &two] {
        let line = format!("  {}  {}\n", server.child.id(), runtime.socket(server).display());
        assert!(error.contains(&line), "{error}");
    }
    let number = two.child.id().to_string();
    for target in [&*number, runtime.socket(&two).to_str().unwrap()] {
        let (code, text, _) = runtime.monitor(&[target, "--json", "-c", "hello"]);
        assert!(code == 0 && text.contains(&format!("\"pid\":{number},")), "{target}: {text}");
    }

    end(&mut two);
    assert!(!runtime.socket(&two).exists());
    // One that was killed leaves its socket, and is passed over; the next one clears it away.
    one.child.kill().unwrap();
    one.child.wait().unwrap();
    assert!(socket.exists());
    assert_eq!(runtime.monitor(&["-c", "hello"]).0, 1);
    let mut three = runtime.start();
    assert!(!socket.exists());
    assert_eq!(runtime.monitor(&["-c", "hello"]).0, 0);
    end(&mut three);
}

#[test]
fn where_it_cannot_be_is_one_line() {
    let Some(runtime) = Runtime::new() else { return };
    let directory = runtime.directory();
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
    if let Some(user) = runtime.user {
        std::os::unix::fs::chown(&directory, Some(user), Some(user)).unwrap();
    }
    let mut command = runtime.command(&["-l", "127.0.0.1:0"]);
    command.arg(runtime.place.path().join("site")).stderr(Stdio::piped());
    let said = runtime.place.path().join("said");
    command.stderr(std::fs::File::create(&said).unwrap());
    let mut server = spawn(command);
    assert_eq!(server.get("/a.txt").body, b"a file");
    end(&mut server);
    let said = std::fs::read_to_string(said).unwrap();
    assert!(said.starts_with("gorgon: warning: no monitor: ") && said.lines().count() == 1, "{said}");
    assert!(said.contains("expected a directory that nobody else may write to"), "{said}");
}

/// As [`Server::spawn`], which takes standard error for its own.
pub fn spawn(mut command: Command) -> Server {
    use std::io::{BufRead, BufReader};
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let (mut report, mut address) = (String::new(), None);
    while !report.contains("Descriptors:") {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).unwrap() > 0, "it ended after saying: {report}");
        if let Some(url) = line.trim().strip_prefix("http://") {
            address = address.or_else(|| url.trim_end_matches('/').parse().ok());
        }
        report.push_str(&line);
    }
    Server { child, address: address.unwrap(), report }
}

/// A name that was chosen is as good as the process's, and the report says where it is.
#[test]
fn one_with_a_name_is_found() {
    let Some(runtime) = Runtime::new() else { return };
    let place = runtime.place.path();
    // The directory of sockets is made for it.
    std::fs::create_dir_all(place.join("runtime")).unwrap();
    if let Some(user) = runtime.user {
        std::os::unix::fs::chown(place.join("runtime"), Some(user), Some(user)).unwrap();
    }
    let socket = runtime.directory().join("web.sock");
    let text = format!(
        "[http:main]\nlisten = 127.0.0.1:0\nroot = {}\n[monitor:main]\nlisten = unix:{}\n",
        place.join("site").display(),
        socket.display()
    );
    runtime.place.file("web.conf", text);
    let mut command = runtime.command(&["run", "-c"]);
    command.arg(place.join("web.conf"));
    let mut server = Server::spawn(command);
    let line = format!("\nMonitor: {}\n", socket.display());
    assert!(server.report.contains(&line), "{}", server.report);
    let (code, text, error) = runtime.monitor(&["-c", "hello"]);
    assert!(code == 0 && text.contains(&format!(" pid={} ", server.child.id())), "{error}");
    let number = server.child.id().to_string();
    let (code, text, error) = runtime.monitor(&[&number, "-c", "hello"]);
    assert!(code == 0 && text.contains(&format!(" pid={number} ")), "{error}");
    let (code, _, error) = runtime.monitor(&["1", "-c", "hello"]);
    let told = format!("process 1; there are:\n  {number}  {}\n", socket.display());
    assert!(code == 1 && error.contains(&told), "{error}");
    end(&mut server);
    let (code, _, error) = runtime.monitor(&["-c", "hello"]);
    let looked = format!(" in {}, ", runtime.directory().display());
    assert!(code == 1 && error.contains(&looked) && error.contains("gorgon monitor PATH"), "{error}");
}

/// The socket of one that was started by root, as it says: in the directory of root's, or beside it.
fn in_run(server: &Server) -> PathBuf {
    let line = server.report.lines().find_map(|line| line.strip_prefix("Monitor: ")).unwrap();
    let name = format!("{}.sock", server.child.id());
    assert!(line.starts_with("/run/gorgon") && line.ends_with(&name), "{line}");
    PathBuf::from(line)
}

/// What root is given, and who becomes another.
#[test]
fn root_has_it_in_run() {
    if !is_root() {
        return;
    }
    let place = site();
    let mut server = Server::start(&place.path().join("site"), &[]);
    let socket = in_run(&server);
    assert_eq!(socket.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(socket.metadata().unwrap().uid(), 65_534, "whom it runs as can remove it");
    let mut session = Session::new(&socket);
    assert!(session.ask("hello").contains("role=admin"));
    end(&mut server);
    assert!(!socket.exists());
}

/// Several whom root has become, in a `/run` of their own: each has a directory in which nobody else removes anything.
#[test]
fn each_user_that_root_becomes_has_a_place() {
    if !is_root() {
        return;
    }
    let place = site();
    let program = env!("CARGO_BIN_EXE_gorgon");
    let site = place.path().join("site").display().to_string();
    let start = |before: &[&str], user: &str| {
        let mut command = Command::new(before[0]);
        command.args(&before[1..]).args([program, "-l", "127.0.0.1:0", "--user", user, &site]);
        Server::spawn(command)
    };
    let mount = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o mode=755 none /run && exec \"$0\" \"$@\""];
    let mut probe = Command::new(mount[0]);
    probe.args(&mount[1..]).arg("true");
    if !finish(probe).status.success() {
        eprintln!("SKIPPED: no mount can be made here");
        return;
    }
    let mut one = start(&mount, "1234:1234");
    let process = one.child.id().to_string();
    let enter = ["nsenter", "-m", "-t", &process];
    let inside = |words: &[&str]| {
        let mut command = Command::new(enter[0]);
        command.args(&enter[1..]).args(words);
        told(&finish(command))
    };
    let mut same = start(&enter, "1234:1234");
    let mut two = start(&enter, "2345:2345");
    let mut root = start(&enter, "root");
    let number = |server: &Server| server.child.id().to_string();
    let path = |directory: &str, server: &Server| format!("/run/{directory}/{}.sock", number(server));
    for (server, directory) in
        [(&one, "gorgon"), (&same, "gorgon"), (&two, "gorgon-2345"), (&root, "gorgon-0")]
    {
        assert_eq!(in_run(server), Path::new(&path(directory, server)));
    }
    let owners = ["stat", "-c", "%U:%u %a", "/run/gorgon", "/run/gorgon-2345", "/run/gorgon-0"];
    assert_eq!(inside(&owners).1, "UNKNOWN:1234 700\nUNKNOWN:2345 700\nroot:0 700\n");
    // Neither removes what is the other's, nor puts something in its place.
    for (user, other) in [("1234", path("gorgon-2345", &two)), ("2345", path("gorgon", &one))] {
        let user = format!("--reuid={user}");
        for act in [&["rm", "-f", &*other][..], &["ln", "-sf", "/x", &other]] {
            let words = [&["setpriv", &*user, "--clear-groups"], act].concat();
            let (code, _, error) = inside(&words);
            assert!(code != 0 && error.contains("Permission denied"), "{words:?}: {error}");
        }
    }
    // All are found, by whoever reaches them.
    let (code, _, error) = inside(&[program, "monitor", "-c", "hello"]);
    assert_eq!(code, 2, "{error}");
    for server in [&one, &same, &two, &root] {
        assert!(error.contains(&format!("\n  {}  /run/gorgon", number(server))), "{error}");
        let (code, text, error) = inside(&[program, "monitor", &number(server), "-c", "hello"]);
        assert!(code == 0 && text.contains(&format!(" pid={} ", number(server))), "{error}");
    }
    for (server, directory) in [(&mut two, "gorgon-2345"), (&mut root, "gorgon-0"), (&mut same, "gorgon")] {
        let socket = path(directory, server);
        assert_eq!(inside(&["test", "-S", &socket]).0, 0, "{socket}");
        end(server);
        assert_eq!(inside(&["test", "-e", &socket]).0, 1, "{socket}");
    }
    end(&mut one);
}

#[test]
fn who_is_let_in_later_reaches_the_socket() {
    let host = Host::with("", "");
    let mode = || host.socket().metadata().unwrap().permissions().mode() & 0o777;
    let mut session = host.session();
    assert_eq!(mode(), 0o600);
    session.ask("set /monitor/main view=54321");
    assert_eq!(mode(), 0o666);
    session.ask("set /monitor/main view=");
    assert_eq!(mode(), 0o600);
    let rule = session.value("/monitor/main.listen");
    session.ask(&format!("set /monitor/main listen=\"{rule} mode=640\""));
    assert_eq!(mode(), 0o640);
    // What is written counts more than who may come in.
    session.ask("set /monitor/main view=54321");
    assert_eq!(mode(), 0o640);
}

#[test]
fn who_is_let_in_later_reaches_the_run_directory() {
    let place = site();
    let text = format!(
        "[gorgon]\nquiet = off\n[http:main]\nlisten = 127.0.0.1:0\nroot = {}/site\n[monitor:main]\n",
        place.path().display()
    );
    let file = place.file("gorgon.conf", text);
    let runtime = Directory::new();
    let mut command = gorgon();
    command.arg("run").arg("-c").arg(file).env("XDG_RUNTIME_DIR", runtime.path()).stdin(Stdio::null());
    let server = Server::spawn(command);
    let name = format!("{}.sock", server.child.id());
    let socket = if is_root() { in_run(&server) } else { runtime.path().join("gorgon").join(name) };
    let parent = socket.parent().unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    let mut session = Session::new(&socket);
    assert_eq!(mode(&socket), 0o600);
    session.ask("set /monitor/main view=54321");
    assert_eq!((mode(&socket), mode(parent)), (0o666, 0o755));
}

/// systemd makes a directory for a service, and tells it of that.
#[test]
fn a_service_keeps_its_socket_in_its_directory() {
    let Some(runtime) = Runtime::new() else { return };
    let given = runtime.directory();
    let mut command = runtime.command(&["-l", "127.0.0.1:0"]);
    let other = runtime.place.path().join("other");
    command.env("RUNTIME_DIRECTORY", &given).env("XDG_RUNTIME_DIR", &other);
    command.arg(runtime.place.path().join("site"));
    let server = Server::spawn(command);
    let socket = runtime.socket(&server);
    assert!(server.report.contains(&format!("Monitor: {}\n", socket.display())), "{}", server.report);
    // Who looks for it there finds it.
    let (code, text, error) = runtime.monitor(&["-c", "hello"]);
    assert!(code == 0 && text.contains(&format!("pid={}", server.child.id())), "{text}{error}");
    assert!(!other.exists());
}

#[test]
fn roles_are_by_user_and_by_group() {
    let host = Host::with(&format!("view = {OTHER}\noperate = @54322\nadmin = 54323"), "");
    let mode = host.socket().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o666, "others have to reach it");
    let commands = ["hello", "set /http/main idle_timeout=31s", "set /http/main enabled=on", "save"];
    for (user, expected) in [
        (OTHER, "view: ok refused refused refused"),
        (54_322, "operate: ok ok refused refused"),
        (54_323, "admin: ok ok ok failed"),
        (54_324, "nobody"),
    ] {
        let mut found = String::new();
        for command in commands {
            let mut client = gorgon();
            client.arg("monitor").arg(host.socket()).args(["-c", command]);
            let Some(client) = as_user(user, client) else { return };
            let (code, text, error) = told(&finish(client));
            if error.contains("the server does not let us in") {
                assert!(error.contains("refused no role for this user"), "{error}");
                "nobody".clone_into(&mut found);
                break;
            }
            if let Some((_, role)) = text.split_once(" role=") {
                found = format!("{}:", role.split_once(' ').unwrap().0);
            }
            let word = match code {
                0 => "ok",
                _ if error.starts_with("gorgon: refused: ") => "refused",
                // Nobody may write what root wrote.
                _ if error.starts_with("gorgon: failed: ") => "failed",
                _ => &error,
            };
            found.extend([" ", word]);
        }
        assert_eq!(found, expected, "{user}");
    }
    let mut session = host.session();
    assert!(session.ask("log").contains("refused uid 54324, pid "));
    assert_eq!(session.value("/monitor/main.denied"), "5");
    // More are let in while it runs, and who is in stays in.
    session.ask("set /monitor/main view=54324");
    let mut client = gorgon();
    client.arg("monitor").arg(host.socket()).args(["-c", "hello"]);
    assert_eq!(told(&finish(as_user(54_324, client).unwrap())).0, 0);
    assert_eq!(session.try_ask("set /monitor/main view=no-such-user").0, "failed");
    assert_eq!(session.value("/monitor/main.view"), "54324");
}

/// As from the host into a container: the kernel has no number for such a peer there, but knows who it is.
#[test]
fn a_peer_of_another_namespace_of_processes_is_known() {
    if !is_root() || !Command::new("unshare").args(["-p", "-f", "true"]).status().is_ok_and(|it| it.success())
    {
        eprintln!("SKIPPED a_peer_of_another_namespace_of_processes_is_known: it needs root and unshare(1)");
        return;
    }
    let place = site();
    let (file, socket) = (place.path().join("a.conf"), place.path().join("m.sock"));
    let text = format!(
        "[http:a]\nroot = {}\nlisten = 127.0.0.1:0\n[monitor:m]\nlisten = unix:{}\n",
        place.path().display(),
        socket.display()
    );
    std::fs::write(&file, text).unwrap();
    let mut inside = Command::new("unshare");
    inside.args(["-p", "-f", "--kill-child", env!("CARGO_BIN_EXE_gorgon"), "run", "-q", "-c"]).arg(&file);
    let mut program = inside.args(["--gorgon.user=root"]).stdout(Stdio::null()).spawn().unwrap();
    let ask = || {
        let output = gorgon().arg("monitor").arg(&socket).args(["-c", "hello"]).output().unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    };
    for _ in 0..500 {
        if socket.exists() && ask().0 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let (good, text) = ask();
    program.kill().unwrap();
    program.wait().unwrap();
    assert!(good && text.contains("admin"), "{text}");
}
