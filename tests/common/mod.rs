//! The real program in a directory of its own, for tests that talk to it over real sockets.
#![allow(dead_code)] // Each test program uses what it needs.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How long anything here may take before the test gives up: far more than it needs on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A directory that is removed when it is dropped.
pub struct Directory(pub PathBuf);

impl Directory {
    pub fn new() -> Directory {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("gorgon-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        // Run as root, the program becomes nobody, who reads here and removes sockets.
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        Directory(path)
    }

    /// Writes a file, with the directories it lies in; its time is an hour ago, so that it is not "just changed".
    pub fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        for above in path.parent().unwrap().ancestors().take_while(|above| *above != self.0) {
            std::fs::create_dir_all(above).unwrap();
            std::fs::set_permissions(above, std::fs::Permissions::from_mode(0o777)).unwrap();
        }
        std::fs::write(&path, bytes).unwrap();
        self.age(name, 3600);
        path
    }

    /// Sets a file's time so many seconds back.
    pub fn age(&self, name: &str, seconds: u64) {
        let time = std::time::SystemTime::now() - Duration::from_secs(seconds);
        std::fs::File::options().append(true).open(self.0.join(name)).unwrap().set_modified(time).unwrap();
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A port of all addresses that nobody has, and that the kernel gives to nobody who asks for any: those begin at 32768, and
/// between this and the start of the program one of them may become what a client of another test comes from.
pub fn free_port() -> u16 {
    const FIRST: u16 = 10_000;
    const COUNT: u16 = 22_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Programs of tests may run side by side.
    let begin = std::process::id().wrapping_mul(641) % u32::from(COUNT);
    loop {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(next < COUNT, "no port is free");
        let port = FIRST + ((begin + u32::from(next)) % u32::from(COUNT)) as u16;
        // Where there is no IPv6, nobody has it there.
        let taken = |address: &str| {
            let bound = TcpListener::bind((address, port));
            bound.is_err_and(|error| error.kind() == std::io::ErrorKind::AddrInUse)
        };
        if !taken("0.0.0.0") && !taken("::") {
            return port;
        }
    }
}

/// Gives a file to the user that the program becomes when these tests are run by root.
pub fn give(file: &Path) {
    if file.metadata().unwrap().uid() == 0 {
        std::os::unix::fs::chown(file, Some(65_534), None).unwrap();
    }
}

/// The program, ended when it is dropped.
pub struct Server {
    pub child: Child,
    pub address: SocketAddr,
    /// What it said before it was ready.
    pub report: String,
}

/// The command, with nothing of this environment that it would read.
pub fn gorgon() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gorgon"));
    command.env_clear();
    command
}

/// Runs a command that ends by itself; panics if it does not.
pub fn finish(mut command: Command) -> Output {
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("{command:?} goes on");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The one line that the program refuses to start with, its name taken off.
pub fn refusal(command: Command) -> String {
    let shown = format!("{command:?}");
    let output = finish(command);
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{shown}: {error}");
    assert!(output.stdout.is_empty(), "{shown}");
    let mut lines = error.lines().filter(|line| *line != "gorgon: see gorgon --help");
    let line = lines.next().unwrap_or_else(|| panic!("{shown} says nothing")).to_owned();
    assert_eq!(lines.next(), None, "{shown}: {error}");
    assert!(!line.contains("os error"), "{line}");
    line.strip_prefix("gorgon: ").unwrap_or_else(|| panic!("{line}")).to_owned()
}

impl Server {
    /// Serves a directory or file on a free port of 127.0.0.1, and waits until it is ready.
    pub fn start(target: &Path, arguments: &[&str]) -> Server {
        let mut command = gorgon();
        command.arg(target).args(["-l", "127.0.0.1:0"]).args(arguments);
        Server::spawn(command)
    }

    /// Starts a command that serves HTTP, and waits until it is ready: the first URL it prints is its address.
    pub fn spawn(command: Command) -> Server {
        Server::spawn_heard(command).0
    }

    /// The same, with what it goes on to say on its standard output.
    pub fn spawn_heard(mut command: Command) -> (Server, BufReader<ChildStdout>) {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn().unwrap();
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
        let address = address.unwrap_or_else(|| panic!("no URL in: {report}"));
        (Server { child, address, report }, lines)
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Sends bytes, ends our side, and gives all that comes back.
    pub fn talk(&self, bytes: &[u8]) -> Vec<u8> {
        let mut stream = self.connect();
        // A server that has answered may close before it has read all.
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        read_all(&mut stream)
    }

    /// A GET on a connection of its own: status, head and body.
    pub fn get(&self, target: &str) -> Reply {
        let request = format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
        Reply::first(&self.talk(request.as_bytes()), false).0
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn signal(&self, name: &str) {
        assert!(
            Command::new("kill")
                .args([&format!("-{name}"), &self.child.id().to_string()])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Descriptors it has open.
    pub fn descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.child.id())).unwrap().count()
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// All that comes until the peer ends; a reset counts as the end.
pub fn read_all(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error} after {} bytes", all.len()),
    }
    all
}

/// One response, taken apart as strictly as RFC 9112 asks a client to.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    /// The first response of a stream and what follows it. `head_only`: it answers HEAD.
    pub fn first(bytes: &[u8], head_only: bool) -> (Reply, &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let end =
            bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no head in {text:?}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let rest = &bytes[end + 4..];
        let line = head.lines().next().unwrap();
        assert!(line.starts_with("HTTP/1.1 ") && line.len() > 13, "{line:?}");
        let status = line[9..12].parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new() };
        let bodiless = head_only || status == 204 || status == 304 || status < 200;
        let length = match reply.field("content-length") {
            _ if bodiless => 0,
            Some(length) => length.parse().unwrap(),
            None if reply.field("transfer-encoding").as_deref() == Some("chunked") => {
                let (body, used) = dechunk(rest);
                reply.body = body;
                return (reply, &rest[used..]);
            }
            None => rest.len(),
        };
        assert!(rest.len() >= length, "the body is cut: {} of {length} bytes", rest.len());
        reply.body = rest[..length].to_vec();
        (reply, &rest[length..])
    }

    /// All responses of a stream, none of them to HEAD.
    pub fn all(mut bytes: &[u8]) -> Vec<Reply> {
        let mut replies = Vec::new();
        while !bytes.is_empty() {
            let (reply, rest) = Reply::first(bytes, false);
            replies.push(reply);
            bytes = rest;
        }
        replies
    }

    /// The value of a field that is there once; panics if it is there twice.
    pub fn field(&self, name: &str) -> Option<String> {
        let mut values = self.head.split("\r\n").skip(1).filter_map(|line| {
            let (key, value) = line.split_once(':').unwrap();
            key.eq_ignore_ascii_case(name).then(|| value.trim().to_owned())
        });
        let value = values.next();
        assert!(values.next().is_none(), "{name} is there twice: {}", self.head);
        value
    }
}

fn dechunk(mut bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut body, whole) = (Vec::new(), bytes.len());
    loop {
        let line = bytes.windows(2).position(|w| w == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..line]).unwrap(), 16).unwrap();
        bytes = &bytes[line + 2..];
        body.extend_from_slice(&bytes[..size]);
        assert_eq!(&bytes[size..size + 2], b"\r\n");
        bytes = &bytes[size + 2..];
        if size == 0 {
            return (body, whole - bytes.len());
        }
    }
}
