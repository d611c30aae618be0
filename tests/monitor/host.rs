//! A program with a monitor, in a directory of its own, and other users.

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::common::{Directory, Server, gorgon};
use crate::session::Session;

pub struct Host {
    pub directory: Directory,
    pub server: Server,
}

impl Host {
    /// With a monitor on a socket in the directory, and more lines of configuration: of the monitor, and whole sections.
    pub fn with(monitor: &str, more: &str) -> Host {
        let directory = site();
        Host::on(directory, monitor, more)
    }

    pub fn on(directory: Directory, monitor: &str, more: &str) -> Host {
        let command = command(&directory, monitor, more);
        let server = Server::spawn(command);
        Host { directory, server }
    }

    pub fn socket(&self) -> PathBuf {
        self.directory.path().join("m.sock")
    }

    pub fn session(&self) -> Session {
        Session::new(&self.socket())
    }

    /// A number in the process's `status`, such as `VmRSS` in kB.
    pub fn status(&self, name: &str) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.server.child.id())).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }
}

pub fn site() -> Directory {
    let directory = Directory::new();
    directory.file("site/a.txt", "a file");
    directory
}

/// `gorgon run` of a configuration with `monitor` for the lines of its monitor and `more` sections.
pub fn command(directory: &Directory, monitor: &str, more: &str) -> Command {
    let place = directory.path().display();
    let text = format!(
        "[gorgon]\nquiet = off\n[http:main]\nlisten = 127.0.0.1:0\nroot = {place}/site\n\
         [monitor:main]\nlisten = unix:{place}/m.sock\n{monitor}\n{more}\n"
    );
    let file = directory.file("gorgon.conf", text);
    let mut command = gorgon();
    command.arg("run").arg("-c").arg(file).stdin(Stdio::null()).stderr(Stdio::null());
    command
}

pub fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Whether these tests are run by root, who can be anybody.
pub fn is_root() -> bool {
    Path::new("/proc/self").metadata().unwrap().uid() == 0
}

/// The command as another user; none where that cannot be, or where that user does not reach the program.
pub fn as_user(user: u32, mut command: Command) -> Option<Command> {
    if !is_root() {
        return None;
    }
    let mut probe = gorgon();
    probe.arg("--version").stdout(Stdio::null()).uid(user).gid(user);
    if probe.status().is_err() {
        eprintln!("skipped: another user does not reach the program");
        return None;
    }
    command.uid(user).gid(user);
    Some(command)
}
