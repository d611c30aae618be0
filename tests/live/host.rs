//! A server in its loop, and its clients, in one thread.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use gorgon::engine::log::{Log, LogOptions};
use gorgon::engine::values::ConnId;
use gorgon::engine::{Buffers, Loop, Reactor};
use gorgon::fact;
use gorgon::fs::media::MediaTypes;
use gorgon::fs::{LocalFs, Symlinks};
use gorgon::http::handlers::files::FilesHandler;
use gorgon::http::router::Router;
use gorgon::http::service::{Access, AccessLog, Change, HttpService};
use gorgon::http::settings::HttpSettings;
use gorgon::text::log_line::Form;
use gorgon::text::log_target::LogTarget;
use gorgon::tree::{About, Actor, Method, Path, Schema, Step, Tree, Trouble, Unit, Value};
use gorgon::world::World;
use gorgon_sys::{Address, ListenOptions, PollerKind, listen};

use crate::common::{Directory, Reply};

pub struct Host {
    pub reactor: Reactor<World>,
    pub directory: Directory,
    pub settings: HttpSettings,
    pub service: u8,
    pub filesystem: usize,
}

impl Host {
    pub fn new(settings: HttpSettings, files: &[(&str, &[u8])]) -> Host {
        let directory = Directory::new();
        for (name, bytes) in files {
            directory.file(&format!("root/{name}"), bytes);
        }
        let mut world = World::default();
        let root = directory.path().join("root");
        let local = LocalFs::new(root.as_os_str().as_encoded_bytes(), Symlinks::Inside).ok().unwrap();
        let filesystem = world.add_filesystem(Box::new(local));
        let lp = Loop::new(PollerKind::available()[0], 1 << 20).unwrap();
        let mut reactor = Reactor::new(lp, world, 4096).unwrap();
        let mut router = Router::default();
        router.add("files", b"", Box::new(FilesHandler::new(&settings, filesystem, MediaTypes::new(), 16)));
        let limits = HttpService::<World>::limits(&settings, 64);
        let service = Box::new(HttpService::new(&settings, router));
        let service = reactor.add_service(service, limits).unwrap();
        let options = ListenOptions { backlog: 16, ..ListenOptions::default() };
        let address = Address::Unix(socket(&directory).as_os_str().as_encoded_bytes().to_vec());
        reactor
            .lp()
            .add_listener(listen(&address, &options).unwrap(), service, Buffers::fixed(12, 14))
            .unwrap();
        Host { reactor, directory, settings, service, filesystem }
    }

    pub fn turn(&mut self) {
        // So that it need not wait, though there may be nothing to do.
        self.reactor.lp().set_timer(0, 99, 0);
        self.reactor.turn().unwrap();
    }

    pub fn client(&self) -> Client {
        let stream = UnixStream::connect(socket(&self.directory)).unwrap();
        stream.set_nonblocking(true).unwrap();
        Client { stream, got: Vec::new(), ended: false }
    }

    /// Asks on a connection, and turns until there is one reply.
    pub fn ask(&mut self, client: &mut Client, request: &str) -> Reply {
        client.stream.write_all(format!("{request}\r\nHost: h\r\n\r\n").as_bytes()).unwrap();
        self.reply(client)
    }

    pub fn reply(&mut self, client: &mut Client) -> Reply {
        for _ in 0..2000 {
            self.turn();
            client.take(usize::MAX);
            if is_whole(&client.got) {
                let (reply, rest) = Reply::first(&client.got, false);
                client.got = rest.to_vec();
                return reply;
            }
        }
        panic!("no reply but {:?}", String::from_utf8_lossy(&client.got));
    }

    pub fn change(&mut self, router: Option<Router<World>>, access: Access) {
        let settings = self.settings.clone();
        let (service, world, lp) = self.reactor.service_with(self.service).unwrap();
        let service = service.as_any().unwrap().downcast_mut::<HttpService<World>>().unwrap();
        service.configure(Change { settings, router, access }, world, lp);
    }

    pub fn add_root(&mut self, name: &str) -> usize {
        let root = self.directory.path().join(name);
        let local = LocalFs::new(root.as_os_str().as_encoded_bytes(), Symlinks::Inside).ok().unwrap();
        self.reactor.world().add_filesystem(Box::new(local))
    }

    pub fn files(&self, filesystem: usize) -> Box<FilesHandler> {
        Box::new(FilesHandler::new(&self.settings, filesystem, MediaTypes::new(), 16))
    }

    pub fn log(&mut self, name: &str) -> AccessLog {
        let target = LogTarget::File(self.path(name).as_os_str().as_encoded_bytes().to_vec());
        let options = LogOptions { size: 0, keep: 0, json: false, warns: false };
        let log = Log::open(target, options).unwrap();
        AccessLog::new(self.reactor.world().add_log(log), Form::Common, 200)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The requests of a log's lines, each with what came after it.
    pub fn lines(&mut self, name: &str) -> Vec<String> {
        let now = self.reactor.lp().now();
        self.reactor.world().reopen_logs(now);
        let text = std::fs::read_to_string(self.path(name)).unwrap();
        text.lines().map(|line| line.split_once('"').unwrap().1.to_owned()).collect()
    }

    pub fn fact(&self, kind: &str, name: &str, fact: &str) -> u64 {
        let mut found = None;
        self.reactor.inspect(self.service, &mut |path, about, value| {
            if (path.kind, path.name, about.name()) == (kind, name, fact) {
                assert!(found.is_none(), "{kind} {name} {fact} is told twice");
                found = Some(value);
            }
        });
        match found {
            Some(Value::Count(count) | Value::Size(count)) => count,
            other => panic!("{kind} {name} {fact}: {}", other.is_some()),
        }
    }

    /// What is told of a connection.
    pub fn seen(&self, id: ConnId) -> Vec<(&'static str, String)> {
        let mut all = Vec::new();
        self.reactor.describe(id, &mut |key, value| {
            let mut text = String::new();
            value.print(&mut text);
            all.push((key, text));
        });
        all
    }
}

fn socket(directory: &Directory) -> PathBuf {
    directory.path().join("socket")
}

/// Whether all of one reply has come.
fn is_whole(bytes: &[u8]) -> bool {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else {
        return false;
    };
    let head = String::from_utf8_lossy(&bytes[..end]);
    match head.split("\r\n").find_map(|line| line.strip_prefix("Content-Length: ")) {
        Some(length) => bytes.len() - end >= length.parse().unwrap(),
        None => !head.contains("chunked") || bytes.ends_with(b"\r\n0\r\n\r\n"),
    }
}

pub struct Client {
    pub stream: UnixStream,
    pub got: Vec<u8>,
    pub ended: bool,
}

impl Client {
    /// Takes at most so many bytes of what has come.
    pub fn take(&mut self, most: usize) {
        let mut room = vec![0; 65_536];
        let mut left = most;
        while left > 0 {
            let end = room.len().min(left);
            match self.stream.read(&mut room[..end]) {
                Ok(0) => return self.ended = true,
                Ok(count) => {
                    self.got.extend_from_slice(&room[..count]);
                    left -= count;
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

/// A tree of one number.
pub struct Small;

static ABOUT: About = fact!("open", Unit::Count { min: 0, max: 9 }, "What is open.");
static SCHEMAS: [Schema; 1] = [Schema {
    name: "door",
    help: "door",
    named: false,
    about: |at| if at == 0 { Some(&ABOUT) } else { None },
    methods: &[],
}];

impl Tree for Small {
    fn schemas(&self) -> &'static [Schema] {
        &SCHEMAS
    }
    fn names(&mut self, _: &'static Schema, _: u64, _: &mut dyn FnMut(&str)) -> Option<u64> {
        None
    }
    fn get(&mut self, _: &Path<'_>, _: usize) -> Option<Value> {
        Some(Value::Count(1))
    }
    fn change(&mut self, _: &[Step], _: &Actor) -> Result<(), Box<Trouble>> {
        Ok(())
    }
    fn call(
        &mut self,
        _: &Path<'_>,
        _: &'static Method,
        _: &[String],
        _: &Actor,
    ) -> Result<String, Box<Trouble>> {
        Ok(String::new())
    }
    fn save(&mut self, _: &[Step], _: &Actor) -> Result<String, Box<Trouble>> {
        Ok(String::new())
    }
    fn events(&mut self, _: u64, _: &mut dyn FnMut(&str)) -> u64 {
        0
    }
    fn note(&mut self, _: &[&str]) {}
    fn milliseconds(&self) -> u64 {
        0
    }
}
