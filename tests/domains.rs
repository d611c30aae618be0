//! Buffers of clients by their names: the real program, and servers of names that are honest, lie, or say nothing.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]
#![cfg(all(feature = "http", feature = "monitor"))]

mod common;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{Directory, PATIENCE, Server, gorgon};

const A: u16 = 1;
const PTR: u16 = 12;

/// What a server of names makes of a question: records, or nothing at all.
type Behaviour = fn(&str, u16) -> Option<Vec<(u16, Vec<u8>)>>;

/// A server of names.
struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl NameServer {
    fn new(behaviour: Behaviour) -> NameServer {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let address = socket.local_addr().unwrap();
        let (asked, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (count, over) = (asked.clone(), ends.clone());
        let thread = std::thread::spawn(move || {
            let mut message = [0; 600];
            while !over.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut message) else { continue };
                let (name, record) = read_question(&message[..length]);
                if let Some(records) = behaviour(&name, record) {
                    // Who asked may be gone.
                    let _ = socket.send_to(&answer(&message[..length], &records), peer);
                }
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        NameServer { address, asked, ends, thread: Some(thread) }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for NameServer {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn read_question(message: &[u8]) -> (String, u16) {
    let (mut at, mut labels) = (12, Vec::new());
    while message[at] > 0 {
        let end = at + 1 + usize::from(message[at]);
        labels.push(std::str::from_utf8(&message[at + 1..end]).unwrap());
        at = end;
    }
    (labels.join("."), u16::from_be_bytes([message[at + 1], message[at + 2]]))
}

/// The question's message as an answer, with these records of the question's name.
fn answer(message: &[u8], records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = message.to_vec();
    (out[2], out[3], out[7]) = (0x81, 0x80, records.len() as u8);
    for (kind, data) in records {
        out.extend_from_slice(&[0xc0, 12]);
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 1, 0, 0, data.len() as u8]);
        out.extend_from_slice(data);
    }
    out
}

fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

/// 127.0.0.1 is host.example.org, and that is 127.0.0.1.
fn honest(name: &str, record: u16) -> Option<Vec<(u16, Vec<u8>)>> {
    Some(match (name, record) {
        ("1.0.0.127.in-addr.arpa", PTR) => vec![(PTR, wire("host.example.org"))],
        ("host.example.org", A) => vec![(A, vec![127, 0, 0, 1])],
        _ => Vec::new(),
    })
}

/// It would be bank.example.com too, whose owner knows nothing of it.
fn liar(name: &str, record: u16) -> Option<Vec<(u16, Vec<u8>)>> {
    match (name, record) {
        ("bank.example.com", A) => Some(vec![(A, vec![192, 0, 2, 1])]),
        (_, PTR) => Some(vec![(PTR, wire("bank.example.com")), (PTR, wire("host.example.org"))]),
        _ => honest(name, record),
    }
}

/// It says nothing.
fn silent(_name: &str, _record: u16) -> Option<Vec<(u16, Vec<u8>)>> {
    None
}

/// The program with its configuration, and a session with its monitor.
struct Program {
    server: Server,
    directory: Directory,
    names: SocketAddr,
    monitor: BufReader<UnixStream>,
}

impl Program {
    /// Starts it with these servers, whose sections get what they need besides.
    fn start(names: &NameServer, servers: &[(&str, &str)], arguments: &[&str]) -> Program {
        let directory = Directory::new();
        directory.file("root/a.txt", "a");
        write(&directory, names.address, servers);
        let mut command = gorgon();
        command.args(["run", "-c"]).arg(directory.path().join("web.conf")).args(arguments);
        let server = Server::spawn(command);
        let stream = UnixStream::connect(directory.path().join("monitor.sock")).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Program { server, directory, names: names.address, monitor: BufReader::new(stream) }
    }

    /// What the monitor answers to one command or more, without what ends each.
    fn ask(&mut self, line: &str) -> String {
        self.monitor.get_mut().write_all([line, "\n"].concat().as_bytes()).unwrap();
        let (mut body, mut left) = (String::new(), line.split(';').count());
        while left > 0 {
            let mut line = String::new();
            assert!(self.monitor.read_line(&mut line).unwrap() > 0, "the monitor ended after {body:?}");
            assert!(!line.starts_with("error "), "{line}");
            if line == "ok\n" {
                left -= 1;
            } else {
                body.push_str(&line);
            }
        }
        body
    }

    fn reload(&mut self, servers: &[(&str, &str)]) {
        write(&self.directory, self.names, servers);
        self.ask("call /config reload");
    }

    /// A client of a server that has asked for something, and been served.
    fn client(&mut self, server: &str) -> Client {
        let rows = self.ask(&format!("find listener where server={server}"));
        let row = rows.lines().find_map(|row| row.strip_prefix("/listener/")).unwrap();
        let address: SocketAddr = row.split_whitespace().next().unwrap().parse().unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut client = Client { port: stream.local_addr().unwrap().port(), stream };
        client.get();
        client
    }

    /// The read and the write buffer of a client's connection.
    fn buffers(&mut self, client: &Client) -> (String, String) {
        let row =
            self.ask(&format!("find connection where port={} show read_buffer,write_buffer", client.port));
        let value = |key: &str| {
            let mut words = row.split_whitespace();
            words.find_map(|word| word.strip_prefix(key)).unwrap_or_else(|| panic!("{row}")).to_owned()
        };
        (value("read_buffer="), value("write_buffer="))
    }

    /// Waits until a client's connection has these.
    fn until(&mut self, client: &Client, read: &str, write: &str) {
        let begun = Instant::now();
        loop {
            let found = self.buffers(client);
            if found == (read.to_owned(), write.to_owned()) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{found:?} instead of {read} {write}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn has(&mut self, client: &Client, read: &str, write: &str) {
        assert_eq!(self.buffers(client), (read.to_owned(), write.to_owned()));
    }

    fn ends(mut self, signal: &str) {
        self.server.signal(signal);
        let begun = Instant::now();
        while self.server.runs() {
            assert!(begun.elapsed() < PATIENCE, "it goes on after {signal}");
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(self.server.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

struct Client {
    stream: TcpStream,
    port: u16,
}

impl Client {
    /// Asks for a file of one byte.
    fn get(&mut self) {
        self.stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        let mut reply = Vec::new();
        while !reply.ends_with(b"\r\n\r\na") {
            let mut byte = [0];
            assert_eq!(self.stream.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&reply));
            reply.push(byte[0]);
        }
        assert!(reply.starts_with(b"HTTP/1.1 200 "));
    }
}

fn write(directory: &Directory, names: SocketAddr, servers: &[(&str, &str)]) {
    let mut text =
        format!("[gorgon]\nnameservers={names}\n[monitor:main]\nlisten=unix:%(here)s/monitor.sock\n");
    for (name, lines) in servers {
        text.push_str(&format!("[http:{name}]\nroot=%(here)s/root\n"));
        if !lines.contains("listen=") {
            text.push_str("listen=127.0.0.1:0\n");
        }
        text.push_str(lines);
    }
    std::fs::write(directory.path().join("web.conf"), text).unwrap();
}

fn until(what: &str, is: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is() {
        assert!(begun.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_first_rule_that_fits_counts_be_it_a_network_or_a_domain() {
    let names = NameServer::new(liar);
    let servers = [
        (
            "domain",
            "clients=\n  .example.com write_buffer=1K\n  .example.org read_buffer=32K write_buffer=256K\n  \
             127.0.0.0/8 write_buffer=2K\n",
        ),
        ("network", "clients=\n  127.0.0.0/8 write_buffer=2K\n  .example.org write_buffer=256K\n"),
        ("other", "clients=\n  .example.net write_buffer=8K\n  127.0.0.0/8 write_buffer=2K\n"),
        (
            "partly",
            "listen=127.0.0.1:0 read_buffer=8K\nclients=\n  .example.org write_buffer=auto:4K..64K\n  \
             127.0.0.0/8 read_buffer=1K write_buffer=2K\n",
        ),
    ];
    let mut program = Program::start(&names, &servers, &[]);
    let mut network = program.client("network");
    program.has(&network, "4K", "2K");
    assert_eq!(names.asked(), 0, "no name could change anything");
    // They came before the name did, or not: it comes to the same.
    let (mut domain, mut other, mut partly) =
        (program.client("domain"), program.client("other"), program.client("partly"));
    program.until(&domain, "32K", "256K");
    program.until(&partly, "8K", "auto:4K..64K");
    program.has(&other, "4K", "2K");
    program.has(&network, "4K", "2K");
    // Whoever comes later has it from the table.
    let mut again = program.client("domain");
    program.until(&again, "32K", "256K");
    assert_eq!(names.asked(), 3, "one address, one false name, one true one");
    for client in [&mut network, &mut domain, &mut other, &mut partly, &mut again] {
        client.get();
    }
    program.ends("TERM");
}

#[test]
fn nobody_waits_for_a_server_that_says_nothing() {
    let names = NameServer::new(silent);
    let rules = "clients=\n  .example.org read_buffer=32K write_buffer=256K\n  127.0.0.0/8 write_buffer=2K\n";
    let mut program = Program::start(&names, &[("main", rules)], &[]);
    let mut client = program.client("main");
    program.has(&client, "4K", "2K");
    until("it is asked", || names.asked() > 0);
    let gone = program.client("main");
    drop(gone);
    client.get();
    until("it is asked again", || names.asked() > 1);
    client.get();
    program.has(&client, "4K", "2K");
    // What it was not told by one it is told by another.
    let honest = NameServer::new(honest);
    program.ask(&format!("set /gorgon nameservers={}", honest.address));
    let late = program.client("main");
    program.until(&late, "32K", "256K");
    client.get();
    program.ends("QUIT");
}

#[test]
fn who_waits_is_looked_up_anew_by_other_servers() {
    let (names, honest) = (NameServer::new(silent), NameServer::new(honest));
    let rules = "clients=.example.org read_buffer=32K write_buffer=256K\n";
    let mut program = Program::start(&names, &[("main", rules)], &[]);
    let (client, by_hand) = (program.client("main"), program.client("main"));
    until("it is asked", || names.asked() > 0);
    let port = by_hand.port;
    program.ask(&format!("find connection where port={port} | set write_buffer=8K"));
    // Twice within one turn.
    let first = "set /gorgon nameservers=127.0.0.1:9";
    program.ask(&format!("{first}; set /gorgon nameservers={}", honest.address));
    program.until(&client, "32K", "256K");
    // What somebody has set meanwhile stays.
    program.until(&by_hand, "32K", "8K");
    program.ends("TERM");
}

#[test]
fn rules_come_and_go_while_it_runs() {
    let names = NameServer::new(honest);
    let none = [("main", "")];
    let rule = [("main", "clients=.example.org write_buffer=256K\n")];
    let mut program = Program::start(&names, &none, &[]);
    let before = program.client("main");
    assert_eq!(names.asked(), 0);
    program.reload(&rule);
    let client = program.client("main");
    program.until(&client, "4K", "256K");
    program.has(&before, "4K", "16K");
    assert_eq!(names.asked(), 2);

    program.reload(&none);
    let without = program.client("main");
    program.has(&without, "4K", "16K");
    program.has(&client, "4K", "256K");
    assert_eq!(names.asked(), 2);

    // By the monitor too; nothing was kept of what was known.
    program.ask("set /http/main clients=\".example.org write_buffer=64K\"");
    let client = program.client("main");
    program.until(&client, "4K", "64K");
    assert_eq!(names.asked(), 4);
    program.ask("set /http/main clients=\"10.0.0.0/8 write_buffer=64K\"");
    let without = program.client("main");
    program.has(&without, "4K", "16K");
    // Of a server that is turned off no client wants a name.
    program.ask("set /http/main clients=\".example.org write_buffer=64K\" enabled=off");
    program.ask("set /http/main enabled=on");
    let client = program.client("main");
    program.until(&client, "4K", "64K");
    assert_eq!(names.asked(), 6);
    program.ends("QUIT");
}

#[test]
fn a_rule_that_goes_leaves_nobody_waiting() {
    let names = NameServer::new(silent);
    let rules = "clients=.example.org write_buffer=256K\n";
    let mut program = Program::start(&names, &[("main", rules)], &[]);
    let mut client = program.client("main");
    until("it is asked", || names.asked() > 0);
    let open = program.server.descriptors();
    program.reload(&[("main", "")]);
    until("the socket of the question is closed", || program.server.descriptors() < open);
    client.get();
    program.has(&client, "4K", "16K");
    // It begins anew, and can end at any time.
    program.reload(&[("main", rules)]);
    let asked = names.asked();
    let _waits = program.client("main");
    until("it is asked again", || names.asked() > asked);
    program.ends("QUIT");
}

#[test]
fn unix_peers_have_no_names() {
    let names = NameServer::new(honest);
    let rules = "listen=unix:%(here)s/web.sock,127.0.0.1:0\nclients=.example.org write_buffer=256K\n";
    let mut program = Program::start(&names, &[("main", rules)], &[]);
    let mut stream = UnixStream::connect(program.directory.path().join("web.sock")).unwrap();
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    assert!(stream.read(&mut [0; 16]).unwrap() > 0);
    let row = program.ask("find connection where peer=unix: and server=main show write_buffer");
    assert!(row.contains("write_buffer=16K"), "{row}");
    assert_eq!(names.asked(), 0);
}

/// Questions go by UDP, which Landlock lets pass, and who answers them was read before.
#[test]
fn a_sandbox_does_not_forbid_it() {
    let names = NameServer::new(honest);
    for sandbox in ["auto", "on"] {
        let mut program = Program::start(&names, &[("main", "")], &["--gorgon.sandbox", sandbox]);
        let applies = program.server.report.contains("Landlock ABI");
        program.ask("set /http/main clients=\".example.org write_buffer=256K\"");
        let client = program.client("main");
        program.until(&client, "4K", "256K");
        program.ends("TERM");
        if !applies {
            eprintln!("skipped: this system has no Landlock");
            return;
        }
    }
}
