//! The whole service in a real loop over a real socket: input in pieces, with faults of the system, is answered as the
//! same input whole without them, every reply is one, and nothing is held afterwards.
#![no_main]

use std::cell::RefCell;
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use gorgon::engine::{Buffers, Loop, Reactor};
use gorgon::fs::media::MediaTypes;
use gorgon::fs::{Filesystem, MemoryFs, VPath};
use gorgon::http::body::BodyState;
use gorgon::http::chunked::ChunkedDecoder;
use gorgon::http::handler::{Body, Fill, Handler, Hx, Means, Reply, Response, Sink, Stream};
use gorgon::http::handlers::files::FilesHandler;
use gorgon::http::method::Method;
use gorgon::http::request::Request;
use gorgon::http::router::Router;
use gorgon::http::service::HttpService;
use gorgon::http::settings::HttpSettings;
use gorgon::http::status::Status;
use gorgon::world::World;
use gorgon_fuzz::pieces;
use gorgon_sys::fault::{Plan, clear, set};
use gorgon_sys::{Address, ListenOptions, PollerKind, listen};
use libfuzzer_sys::fuzz_target;

/// A service that there is not: its timers only end a turn.
const NOBODY: u8 = 99;
/// How many files the handler may keep open.
const FILES: usize = 4;

struct Host {
    reactor: Reactor<World>,
    path: PathBuf,
}

thread_local! {
    static HOST: RefCell<Host> = RefCell::new(Host::new());
}

fuzz_target!(|input: (u8, [u16; 4], &[u8])| {
    let (seed, cuts, text) = input;
    // In pieces, an error may be found later: at the end of its line or of the head.
    let text = [text, b"\n\r\n\r\n"].concat();
    HOST.with_borrow_mut(|host| {
        let whole = host.session(&[&text]);
        if seed > 0 {
            let seed = seed.into();
            set(Plan {
                seed,
                short_read: 30,
                short_write: 30,
                interrupted: 10,
                blocked: 10,
                ..Plan::default()
            });
        }
        let cut = host.session(&pieces(&text, &cuts));
        clear();
        let show = |replies: &[u8]| String::from_utf8_lossy(replies).into_owned();
        assert!(whole == cut, "whole: {}\n\nin pieces: {}", show(&whole), show(&cut));
    });
});

impl Host {
    fn new() -> Host {
        let files = MemoryFs::new();
        files.make_dir(VPath::new(b"/d").ok().unwrap(), 0o755).ok().unwrap();
        let large: Vec<u8> = b"large\n".repeat(50_000);
        for (path, content) in
            [("/a", &b"small"[..]), ("/d/index.html", b"<p>index"), ("/l", &large), ("/e", b"")]
        {
            files.add_file(VPath::new(path.as_bytes()).ok().unwrap(), content).ok().unwrap();
        }
        // The tags of files that have just changed are weak, and would be others in the next session.
        std::thread::sleep(std::time::Duration::from_millis(2100));
        let settings = HttpSettings {
            head_max: 1024,
            request_line_max: 256,
            fields_max: 8,
            body_max: 200,
            drain_max: 100,
            ..HttpSettings::default()
        };
        let mut world = World::default();
        let number = world.add_filesystem(Box::new(files));
        let mut reactor =
            Reactor::new(Loop::new(PollerKind::available()[0], 1 << 20).unwrap(), world, 4096).unwrap();
        let mut router = Router::default();
        router.add("echo", b"/u", Box::new(Echo(Vec::new())));
        router.add("files", b"", Box::new(FilesHandler::new(&settings, number, MediaTypes::new(), FILES)));
        let limits = HttpService::<World>::limits(&settings, 16);
        let (read_size, write_size) = (limits.read_size, limits.write_size);
        let service = reactor.add_service(Box::new(HttpService::new(&settings, router)), limits).unwrap();
        let path = std::env::temp_dir().join(format!("gorgon-fuzz-{}", std::process::id()));
        // Of another process with that number, long ago.
        let _ = std::fs::remove_file(&path);
        let options = ListenOptions { backlog: 16, ..ListenOptions::default() };
        let socket = listen(&Address::Unix(path.as_os_str().as_encoded_bytes().to_vec()), &options).unwrap();
        reactor.lp().add_listener(socket, service, Buffers::fixed(read_size, write_size)).unwrap();
        Host { reactor, path }
    }

    /// One connection, from its start until nothing is left of it; gives what was answered, without what may differ.
    fn session(&mut self, pieces: &[&[u8]]) -> Vec<u8> {
        let mut client = UnixStream::connect(&self.path).unwrap();
        client.set_nonblocking(true).unwrap();
        let (mut got, mut ended) = (Vec::new(), false);
        for piece in pieces {
            // It may be gone already.
            let _ = client.write_all(piece);
            self.turn();
            ended |= take(&mut client, &mut got);
        }
        let _ = client.shutdown(Shutdown::Write);
        let mut turns = 0;
        while !ended || self.reactor.lp().connections() > 0 {
            self.turn();
            ended |= take(&mut client, &mut got);
            turns += 1;
            assert!(turns < 10_000, "never ends");
        }
        assert_eq!(self.reactor.lp().page_bytes(), 0);
        assert!(self.reactor.lp().files().open() <= FILES);
        normal(&got)
    }

    fn turn(&mut self) {
        self.reactor.lp().set_timer(0, NOBODY, 0);
        self.reactor.turn().unwrap();
    }
}

/// Reads what is there; whether that was all there will ever be.
fn take(client: &mut UnixStream, got: &mut Vec<u8>) -> bool {
    let mut buffer = [0; 65536];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return true,
            Ok(count) => got.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != ErrorKind::WouldBlock,
        }
    }
}

/// Gives back the body of a POST, whole or as a stream, and streams something for other methods at once.
struct Echo(Vec<u8>);

impl Handler<World> for Echo {
    fn handle<'h>(
        &'h mut self,
        request: &Request<'_>,
        _world: &mut World,
        hx: &mut Hx<'_>,
    ) -> Reply<'h, World> {
        let body = b"<".to_vec();
        match request.method() {
            Method::Post => Reply::Upload(Box::new(Echo(body))),
            _ => Reply::Respond(streamed([&body, hx.path.as_bytes()].concat().repeat(20))),
        }
    }
}

impl Sink<World> for Echo {
    fn write(&mut self, data: &[u8], _world: &mut World) -> Result<(), Status> {
        self.0.extend_from_slice(data);
        assert!(self.0.len() <= 201, "a body over its limit");
        if data.contains(&b'!') { Err(Status::CONFLICT) } else { Ok(()) }
    }

    fn finish(self: Box<Self>, _now: gorgon::engine::values::Now, _world: &mut World) -> Response<World> {
        if self.0.ends_with(b">") {
            return Response { body: Body::Bytes(self.0), ..Response::empty(Status::OK) };
        }
        streamed(self.0.repeat(200))
    }
}

impl Stream<World> for Echo {
    fn fill(&mut self, out: &mut [u8], _means: &mut Means<'_, World>) -> Fill {
        assert!(out.len() >= 256);
        let count = self.0.len().min(out.len()).min(5000);
        out[..count].copy_from_slice(&self.0[..count]);
        self.0.drain(..count);
        if self.0.is_empty() { Fill::End(count) } else { Fill::Some(count) }
    }
}

fn streamed(body: Vec<u8>) -> Response<World> {
    Response { body: Body::Stream(Box::new(Echo(body))), ..Response::empty(Status::OK) }
}

/// The replies without their dates, their chunks and the interim ones; each must be whole.
fn normal(mut got: &[u8]) -> Vec<u8> {
    let mut replies = Vec::new();
    while !got.is_empty() {
        let end = got.windows(4).position(|four| four == b"\r\n\r\n").expect("the head of a reply ends") + 4;
        let (head, rest) = got.split_at(end);
        assert!(head.is_ascii());
        let head = std::str::from_utf8(head).unwrap();
        let status: u16 =
            head.strip_prefix("HTTP/1.1 ").and_then(|line| line.get(..3)).unwrap().parse().unwrap();
        let start = replies.len();
        if status != 100 {
            head.lines()
                .filter(|line| !line.starts_with("Date: "))
                .for_each(|line| replies.extend(line.bytes()));
        }
        let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
        // A reply to HEAD has no body, and no body here looks like a reply.
        let bare = matches!(status, 100 | 204 | 304) || rest.is_empty() || rest.starts_with(b"HTTP/1.1 ");
        got = if bare {
            rest
        } else if let Some(length) = length {
            let (body, next) = rest.split_at_checked(length.parse().unwrap()).expect("the body is whole");
            replies.extend_from_slice(body);
            next
        } else if head.contains("Transfer-Encoding: chunked\r\n") {
            take_chunks(rest, &mut replies)
        } else {
            assert!(head.contains("Connection: close\r\n"));
            replies.extend_from_slice(rest);
            b""
        };
        // Every reply in parts has a boundary of its own.
        let boundary = head.split_once("boundary=").and_then(|(_, rest)| rest.get(..32)).unwrap_or("-");
        let mut at = start;
        while let Some(place) = replies.get_mut(at..at + 32) {
            if place == boundary.as_bytes() {
                place.fill(b'#');
            }
            at += 1;
        }
    }
    replies
}

/// Appends the data of a chunked body; gives what follows it.
fn take_chunks<'a>(mut rest: &'a [u8], data: &mut Vec<u8>) -> &'a [u8] {
    let mut decoder = ChunkedDecoder::new();
    loop {
        let step = decoder.feed(rest);
        data.extend_from_slice(&rest[step.data]);
        rest = &rest[step.used..];
        match step.state {
            BodyState::Done => return rest,
            BodyState::NeedMore => assert!(step.used > 0, "the body is whole"),
            BodyState::Error => panic!("not chunked"),
        }
    }
}
