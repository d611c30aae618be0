//! The service the tests talk to, and the host it lives in.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::{Rc, Weak};

use gorgon::engine::connection::fact;
use gorgon::engine::values::{CLASSES, ConnId, FileRange, Flow, Key, Next, Timeout};
use gorgon::engine::{Buffers, Cx, Limits, ListenerId, Loop, Reactor, Service};
use gorgon_sys::{Address, ListenOptions, OwnedFd, PollerKind, listen, local_address};

const IDLE: Timeout = Timeout(1);

/// A number that no other test of this process has: they run side by side.
fn unique() -> usize {
    static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed)
}

/// What the tests see of the service.
#[derive(Default)]
pub struct Seen {
    pub opened: usize,
    pub closed: Vec<(Key, ConnId)>,
    pub ended: usize,
    pub timeouts: usize,
    pub waiting: Option<ConnId>,
    pub outbound: Option<Address>,
    pub peer: Option<ConnId>,
    pub timer: Option<u32>,
    pub held: usize,
    /// How often a piece of output was made.
    pub pieces: usize,
    /// The address of the connection that was closed last.
    pub gone: Vec<u8>,
}

/// Lines: `echo TEXT`, `big N` (N bytes, pulled), `file N` (the first N bytes of a file), `wait`, `wake`, `close`,
/// `rest` (ends our side), `who` (the client's address and port), `dial`, `relay N`, `timer`, `drop` (closes the waiting one),
/// `sleep N` (holds up the loop for so many milliseconds), `drains` (whether it is to end), `user` (of a Unix socket), `noted N`
/// (N bytes of a file, and a note of what that is).
struct Lines {
    file: std::fs::File,
    left: Vec<usize>,
    /// Gone with it.
    _alive: Rc<()>,
}

/// The service, and what is gone when it is dropped.
fn lines() -> (Box<Lines>, Weak<()>) {
    let path = std::env::temp_dir().join(format!("gorgon-engine-{}-{}", std::process::id(), unique()));
    std::fs::write(&path, (0..3_000_000u32).map(|at| at as u8).collect::<Vec<u8>>()).unwrap();
    let file = std::fs::File::open(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let alive = Rc::new(());
    let weak = Rc::downgrade(&alive);
    (Box::new(Lines { file, left: Vec::new(), _alive: alive }), weak)
}

/// A socket that listens on a port of its own.
pub fn socket() -> (OwnedFd, SocketAddr) {
    let options = ListenOptions { backlog: 1024, ..ListenOptions::default() };
    let listener = listen(&Address::Ip("127.0.0.1:0".parse().unwrap()), &options).unwrap();
    let Address::Ip(address) = local_address(std::os::fd::AsFd::as_fd(&listener)).unwrap() else {
        panic!("not an IP address")
    };
    (listener, address)
}

impl Lines {
    fn line(&mut self, key: &mut Key, line: &str, seen: &mut Seen, cx: &mut Cx<'_>) -> Next {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let number = argument.parse().unwrap_or(0);
        match verb {
            "echo" => {
                cx.write(argument.as_bytes());
                cx.write(b"\n");
                Next::Read(IDLE)
            }
            "last" => {
                cx.write_last(&[argument.as_bytes(), b"\n"]);
                Next::Read(IDLE)
            }
            "big" => {
                self.left.push(number);
                *key = self.left.len() as Key;
                Next::Drain
            }
            "file" => {
                let fd = OwnedFd::from(self.file.try_clone().unwrap());
                let file = cx.files().insert(fd);
                cx.write(b"file:");
                cx.write_file(FileRange { file, at: 0, left: number as u64 });
                Next::Read(IDLE)
            }
            "noted" => {
                let path = std::env::temp_dir().join(format!("gorgon-engine-{}-noted", unique()));
                let file =
                    std::fs::File::options().read(true).append(true).create_new(true).open(&path).unwrap();
                std::fs::remove_file(&path).unwrap();
                file.set_len(number as u64).unwrap();
                let file = cx.files().insert(OwnedFd::from(file));
                cx.write_file(FileRange { file, at: 0, left: number as u64 });
                assert!(cx.flush() > 0);
                cx.note(b"a line", b"a user");
                seen.pieces += 1;
                Next::Read(IDLE)
            }
            "wait" => {
                seen.waiting = Some(cx.id());
                Next::Wait(Timeout::NEVER)
            }
            "wake" => {
                let waiting = seen.waiting.take().unwrap();
                cx.lp().wake(waiting);
                cx.lp().wake(waiting);
                Next::More
            }
            "drop" => {
                let waiting = seen.waiting.take().unwrap();
                cx.lp().close(waiting);
                Next::More
            }
            "relay" => {
                let to = seen.waiting.unwrap();
                let mut left = number;
                while left > 0 {
                    let count = left.min(1000);
                    left -= count;
                    match cx.lp().send(to, &vec![b'r'; count]) {
                        Flow::Done => {}
                        Flow::Held => seen.held += 1,
                        Flow::Dead => panic!("the peer is gone"),
                    }
                }
                Next::More
            }
            "dial" => {
                let address = seen.outbound.clone().unwrap();
                seen.peer = cx.lp().connect(0, 77, &address, IDLE).ok();
                Next::More
            }
            "timer" => {
                cx.lp().set_timer(1, 0, 42);
                Next::More
            }
            "who" => {
                let mut text = Vec::new();
                cx.client().push_address(&mut text);
                text.extend(format!(" {}\n", cx.client().port().unwrap()).bytes());
                cx.write(&text);
                Next::Read(IDLE)
            }
            "sleep" => {
                std::thread::sleep(std::time::Duration::from_millis(number as u64));
                Next::Read(IDLE)
            }
            "drains" => {
                cx.write(if cx.draining() { b"yes\n" } else { b"no\n" });
                Next::Read(IDLE)
            }
            "user" => {
                let text = cx.credentials().map_or("nobody\n".to_owned(), |peer| format!("{}\n", peer.uid));
                cx.write(text.as_bytes());
                Next::Read(IDLE)
            }
            "close" => Next::Close,
            _ => panic!("no such line: {line}"),
        }
    }
}

impl Service<Seen> for Lines {
    fn on_open(&mut self, key: &mut Key, seen: &mut Seen, cx: &mut Cx<'_>) -> Next {
        seen.opened += 1;
        if *key == 77 {
            cx.write(b"echo outbound\n");
        }
        Next::Read(IDLE)
    }

    fn on_bytes(&mut self, key: &mut Key, input: &[u8], seen: &mut Seen, cx: &mut Cx<'_>) -> (usize, Next) {
        if *key == 77 {
            seen.held += input.len();
            return (input.len(), Next::More);
        }
        let resume = cx.resume() as usize;
        assert!(resume <= input.len());
        let Some(end) = input[resume..].iter().position(|byte| *byte == b'\n').map(|at| at + resume) else {
            cx.set_resume(input.len() as u32);
            return (0, Next::More);
        };
        let line = std::str::from_utf8(&input[..end]).unwrap().to_owned();
        (end + 1, self.line(key, &line, seen, cx))
    }

    fn on_drained(&mut self, key: &mut Key, seen: &mut Seen, cx: &mut Cx<'_>) -> Next {
        if *key == 0 {
            // A relay's taker.
            seen.timer = Some(u32::MAX);
            return Next::Wait(Timeout::NEVER);
        }
        seen.pieces += 1;
        let left = &mut self.left[*key as usize - 1];
        let count = cx.write_with(cx.write_buffer(), |room, _files| {
            let count = room.len().min(*left);
            room[..count].fill(b'b');
            (count, count)
        });
        *left -= count.unwrap();
        if *left == 0 {
            *key = 0;
            return Next::Read(IDLE);
        }
        Next::Drain
    }

    fn on_wake(&mut self, _key: &mut Key, _seen: &mut Seen, cx: &mut Cx<'_>) -> Next {
        cx.write(b"woken\n");
        Next::Read(IDLE)
    }

    fn on_timeout(&mut self, _key: &mut Key, seen: &mut Seen, cx: &mut Cx<'_>) -> Next {
        seen.timeouts += 1;
        cx.write(b"timeout\n");
        Next::Close
    }

    fn on_end(&mut self, _key: &mut Key, seen: &mut Seen, cx: &mut Cx<'_>) -> Next {
        seen.ended += 1;
        cx.write(b"bye\n");
        Next::Close
    }

    fn on_close(&mut self, key: Key, id: ConnId, seen: &mut Seen, lp: &mut Loop) {
        seen.closed.push((key, id));
        seen.gone.clear();
        lp.client(id).push_address(&mut seen.gone);
    }

    fn on_timer(&mut self, token: u32, _service: u8, seen: &mut Seen, _lp: &mut Loop) {
        seen.timer = Some(token);
    }
}

pub struct Host {
    pub reactor: Reactor<Seen>,
    pub address: SocketAddr,
    pub service: u8,
    pub listener: ListenerId,
    pub limits: Limits,
}

pub struct Client {
    pub stream: TcpStream,
    pub got: Vec<u8>,
    pub ended: bool,
}

impl Client {
    pub fn to(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nonblocking(true).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream, got: Vec::new(), ended: false }
    }
    pub fn say(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).unwrap();
    }
    /// Reads what is there.
    pub fn take(&mut self) {
        let mut buffer = vec![0; 65536];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return self.ended = true,
                Ok(count) => self.got.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.ended = true,
            }
        }
    }
}

impl Host {
    pub fn new(kind: PollerKind, change: impl FnOnce(&mut Limits)) -> Host {
        Self::with_pages(kind, 1 << 24, change)
    }

    pub fn with_pages(kind: PollerKind, pages: usize, change: impl FnOnce(&mut Limits)) -> Host {
        Self::with_sizes(kind, pages, (12, 14), change)
    }

    pub fn with_sizes(
        kind: PollerKind,
        pages: usize,
        sizes: (u8, u8),
        change: impl FnOnce(&mut Limits),
    ) -> Host {
        let lp = Loop::new(kind, pages).unwrap();
        let mut reactor = Reactor::new(lp, Seen::default(), 1 << sizes.0).unwrap();
        let mut timeouts = [0; CLASSES];
        timeouts[0] = 20_000;
        timeouts[1] = 60_000;
        let mut limits = Limits {
            timeouts,
            rate_floor: 240,
            connections: 20_000,
            read_size: sizes.0,
            write_size: sizes.1,
            sendfile: true,
            ..Limits::default()
        };
        change(&mut limits);
        let service = reactor.add_service(lines().0, limits.clone()).unwrap();
        let (listener, address) = socket();
        let listener =
            reactor.lp().add_listener(listener, service, Buffers::fixed(sizes.0, sizes.1)).unwrap();
        reactor.world().outbound = Some(Address::Ip(address));
        Host { reactor, address, service, listener, limits }
    }

    /// Adds another service of the kind, with the limits of the first one.
    pub fn add(&mut self) -> (u8, Weak<()>) {
        let (service, alive) = lines();
        (self.reactor.add_service(service, self.limits.clone()).unwrap(), alive)
    }

    pub fn client(&mut self) -> Client {
        Client::to(self.address)
    }

    /// Some turns, none of which waits long.
    pub fn turns(&mut self, count: usize) {
        for _ in 0..count {
            self.reactor.lp().set_timer(1, 99, 0);
            self.reactor.turn().unwrap();
        }
    }

    /// What the table tells of a connection, as text.
    #[track_caller]
    pub fn fact(&mut self, id: ConnId, name: &str) -> String {
        let mut text = String::new();
        (fact(name).unwrap().get)(self.reactor.lp(), id).print(&mut text);
        text
    }

    /// The connections that are open.
    pub fn ids(&mut self) -> Vec<ConnId> {
        let mut ids = Vec::new();
        assert!(self.reactor.lp().connections_from(0, 100_000, &mut |_, id| ids.push(id)).is_none());
        ids
    }

    /// Turns the loop until something holds.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut Seen) -> bool) {
        for _ in 0..200_000 {
            if done(self.reactor.world()) {
                return;
            }
            // A timer that is soon due keeps the turn from waiting for ever when nothing happens.
            self.reactor.lp().set_timer(1, 99, 0);
            self.reactor.turn().unwrap();
        }
        panic!("never: {what}");
    }

    #[track_caller]
    pub fn expect(&mut self, client: &mut Client, text: &str) {
        self.until(text, |_| {
            client.take();
            client.got.len() >= text.len()
        });
        assert_eq!(String::from_utf8_lossy(&client.got), text);
        client.got.clear();
    }

    #[track_caller]
    pub fn gone(&mut self, client: &mut Client) {
        self.until("the end", |_| {
            client.take();
            client.ended
        });
    }
}
