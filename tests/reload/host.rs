//! A program that was started with a configuration and a monitor, and clients that count what they lose.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::ChildStdout;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::common::{Directory, PATIENCE, Reply, Server, gorgon};

/// One session with a monitor.
pub struct Monitor(BufReader<UnixStream>);

impl Monitor {
    pub fn connect(path: &Path) -> Monitor {
        let stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Monitor(BufReader::new(stream))
    }

    /// What it answers: the lines of the body, or the code and the message of what is wrong.
    pub fn ask(&mut self, line: &str) -> Result<String, String> {
        self.0.get_mut().write_all([line, "\n"].concat().as_bytes()).unwrap();
        let mut body = String::new();
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the monitor ended after {body:?}");
            if line == "ok\n" {
                return Ok(body);
            }
            if let Some(message) = line.strip_prefix("error ") {
                return Err(message.trim_end().to_owned());
            }
            body.push_str(&line);
        }
    }

    /// The value of one attribute, without its quotes.
    pub fn value(&mut self, place: &str) -> String {
        let line = self.ask(&["get ", place].concat()).unwrap_or_else(|error| panic!("{place}: {error}"));
        let (_, value) = line.trim_end().split_once('=').unwrap_or_else(|| panic!("{place}: {line:?}"));
        value.trim_matches('"').to_owned()
    }
}

/// The program, its configuration and where it lies.
pub struct Program {
    pub server: Server,
    pub directory: Directory,
    pub path: PathBuf,
}

impl Program {
    /// Starts it with a configuration, to which a monitor is added. Beneath `one` and `two` there is a file `a.txt`.
    pub fn start(text: &str) -> Program {
        let directory = site();
        Program::start_in(directory, text, &[])
    }

    pub fn start_in(directory: Directory, text: &str, arguments: &[&str]) -> Program {
        let path = directory.path().join("web.conf");
        write(&path, text);
        let mut command = gorgon();
        command.args(["run", "-c"]).arg(&path).args(arguments);
        let server = Server::spawn(command);
        Program { server, directory, path }
    }

    /// The same, with what it goes on to say.
    pub fn start_heard(text: &str) -> (Program, BufReader<ChildStdout>) {
        let directory = site();
        let path = directory.path().join("web.conf");
        write(&path, text);
        let mut command = gorgon();
        command.args(["run", "-c"]).arg(&path);
        let (server, said) = Server::spawn_heard(command);
        (Program { server, directory, path }, said)
    }

    pub fn monitor(&self) -> Monitor {
        Monitor::connect(&self.directory.path().join("monitor.sock"))
    }

    /// Has the configuration say something else.
    pub fn write(&self, text: &str) {
        write(&self.path, text);
    }

    /// Has it say something else, and take effect.
    pub fn reload(&self, text: &str) -> Result<String, String> {
        self.write(text);
        self.monitor().ask("call /config reload")
    }

    /// The addresses where a server listens, in the order of its rules.
    pub fn addresses(&self, server: &str) -> Vec<SocketAddr> {
        addresses(&mut self.monitor(), server)
    }

    pub fn address(&self, server: &str) -> SocketAddr {
        self.addresses(server)[0]
    }

    /// The inodes of the sockets that listen on a port.
    pub fn inodes(&self, port: u16) -> Vec<String> {
        let mut inodes = Vec::new();
        for table in ["tcp", "tcp6"] {
            let text = std::fs::read_to_string(format!("/proc/{}/net/{table}", self.server.child.id()))
                .unwrap_or_default();
            for line in text.lines().skip(1) {
                let words: Vec<&str> = line.split_whitespace().collect();
                if words[1].ends_with(&format!(":{port:04X}")) && words[3] == "0A" {
                    inodes.push(words[9].to_owned());
                }
            }
        }
        inodes
    }

    /// The resident memory of the program, in KiB.
    pub fn resident(&self) -> usize {
        let text = std::fs::read_to_string(format!("/proc/{}/status", self.server.child.id())).unwrap();
        let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

pub fn site() -> Directory {
    let directory = Directory::new();
    directory.file("one/a.txt", "of one");
    directory.file("two/a.txt", "of two");
    directory
}

/// The monitor that each configuration here has.
pub const MONITOR: &str = "[monitor:control]\nlisten = unix:%(here)s/monitor.sock\n";

fn write(path: &Path, text: &str) {
    std::fs::write(path, [text, "\n", MONITOR].concat()).unwrap();
    give_all(path);
}

/// Gives a file to the user and the group that the program becomes, so that it may write it anew.
pub fn give_all(file: &Path) {
    if file.metadata().unwrap().uid() == 0 {
        std::os::unix::fs::chown(file, Some(65_534), Some(65_534)).unwrap();
    }
}

pub fn addresses(monitor: &mut Monitor, server: &str) -> Vec<SocketAddr> {
    let rows = monitor.ask(&format!("find listener where server = {server}")).unwrap();
    let names = rows.lines().filter_map(|row| row.split(' ').next()?.strip_prefix("/listener/"));
    names.filter_map(|name| name.parse().ok()).collect()
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap_or_else(|error| panic!("{address}: {error}"));
    patient(stream)
}

pub fn patient(stream: TcpStream) -> TcpStream {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// A request on a connection that is kept, and its reply.
pub fn exchange(stream: &mut (impl Read + Write), request: &str) -> Result<Reply, String> {
    stream.write_all(request.as_bytes()).map_err(|error| format!("it cannot be asked: {error}"))?;
    let mut bytes = Vec::new();
    let mut page = vec![0; 1 << 16];
    loop {
        let whole = bytes.windows(4).position(|end| end == b"\r\n\r\n").is_some_and(|head| {
            let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
            let length = text.lines().find_map(|line| line.strip_prefix("content-length: "));
            length.is_none_or(|length| bytes.len() >= head + 4 + length.trim().parse::<usize>().unwrap())
        });
        if whole {
            return Ok(Reply::first(&bytes, false).0);
        }
        match stream.read(&mut page) {
            Ok(0) => return Err(format!("it ended after {} bytes", bytes.len())),
            Ok(count) => bytes.extend_from_slice(&page[..count]),
            Err(error) => return Err(format!("{error} after {} bytes", bytes.len())),
        }
    }
}

pub fn asking(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\n\r\n")
}

pub fn closing(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")
}

pub fn get(address: SocketAddr, target: &str) -> Reply {
    exchange(&mut connect(address), &closing(target)).unwrap()
}

/// Status and body.
pub fn body(address: SocketAddr, target: &str) -> (u16, String) {
    let reply = get(address, target);
    (reply.status, String::from_utf8(reply.body).unwrap())
}

/// Clients that ask again and again, on connections that stay and on new ones, until they are stopped.
pub struct Crowd {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Result<usize, String>>>,
}

impl Crowd {
    /// `good` says whether a reply is right.
    pub fn new(address: SocketAddr, target: &'static str, good: fn(&Reply) -> bool) -> Crowd {
        let stop = Arc::new(AtomicBool::new(false));
        let clients = [true, true, false, false].map(|keeps| {
            let stop = Arc::clone(&stop);
            std::thread::spawn(move || {
                let request = if keeps { asking(target) } else { closing(target) };
                let (mut kept, mut count) = (None, 0);
                while !stop.load(Ordering::Relaxed) {
                    let mut stream = match kept.take() {
                        Some(stream) => stream,
                        None => {
                            TcpStream::connect(address).map(patient).map_err(|e| format!("no way in: {e}"))?
                        }
                    };
                    let reply = exchange(&mut stream, &request)
                        .map_err(|error| format!("kept={keeps}, request {count}: {error}"))?;
                    if !good(&reply) {
                        return Err(format!("kept={keeps}, request {count}: {reply:?}"));
                    }
                    count += 1;
                    kept = keeps.then_some(stream);
                }
                Ok(count)
            })
        });
        Crowd { stop, clients: clients.into() }
    }

    /// How often each one was answered.
    pub fn end(self) -> Vec<usize> {
        self.stop.store(true, Ordering::Relaxed);
        self.clients
            .into_iter()
            .map(|client| client.join().unwrap().unwrap_or_else(|e| panic!("{e}")))
            .collect()
    }
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it does not happen: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
