//! The service in its loop, over real sockets, and those who come to it. A tree without nodes stands for the program.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use gorgon::engine::values::Now;
use gorgon::engine::{Buffers, Loop, Reactor, Turn};
use gorgon::monitor::Sessions;
use gorgon::monitor::commands::work;
use gorgon::monitor::keys::{Keys, print_line};
use gorgon::monitor::login::door::Door;
use gorgon::monitor::roles::Roles;
use gorgon::monitor::service::key_file::KeyFile;
use gorgon::monitor::service::{Access, Counters, HasSessions, MonitorService};
use gorgon::monitor::settings::MonitorSettings;
use gorgon::tree::{Actor, Method, Path, Role, Schema, Step, Tree, Trouble, Value};
use gorgon_sys::{Address, AsFd, ListenOptions, PollerKind, listen, local_address, privilege};

#[derive(Default)]
pub struct World {
    pub sessions: Sessions,
    pub door: Door,
    pub notes: Vec<String>,
}

impl HasSessions for World {
    fn sessions(&mut self) -> &mut Sessions {
        &mut self.sessions
    }
    fn door(&mut self) -> &mut Door {
        &mut self.door
    }
    fn note(&mut self, _now: Now, words: &[&str]) {
        self.notes.push(words.concat());
    }
}

struct Nothing;

impl Tree for Nothing {
    fn schemas(&self) -> &'static [Schema] {
        &[]
    }
    fn names(&mut self, _: &'static Schema, _: u64, _: &mut dyn FnMut(&str)) -> Option<u64> {
        None
    }
    fn get(&mut self, _: &Path<'_>, _: usize) -> Option<Value> {
        None
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
    fn events(&mut self, from: u64, _: &mut dyn FnMut(&str)) -> u64 {
        from
    }
    fn note(&mut self, _: &[&str]) {}
    fn milliseconds(&self) -> u64 {
        0
    }
}

pub struct Host {
    pub reactor: Reactor<World>,
    service: u8,
    /// Another monitor.
    pub other: u8,
    pub tcp: SocketAddr,
    pub unix: PathBuf,
}

impl Drop for Host {
    fn drop(&mut self) {
        let _gone = std::fs::remove_file(&self.unix);
    }
}

fn keys() -> Keys {
    let mut text = String::new();
    print_line("anna", Role::Operate, b"secret", b"12345678", 4096, &mut text);
    text.push_str("\nlegacy:admin:fnord\n");
    Keys::parse(text.as_bytes()).ok().unwrap()
}

pub fn access(legacy: bool) -> Access {
    let mut roles = Roles::default();
    roles.add_own(privilege::identity().0);
    Access { roles, keys: Some(KeyFile::in_memory(keys())), legacy, max_sessions: 32 }
}

impl Host {
    pub fn new(legacy: bool) -> Host {
        Host::with(PollerKind::available()[0], access(legacy), 60_000, 0)
    }

    pub fn with(kind: PollerKind, access: Access, login_timeout: u64, idle_timeout: u64) -> Host {
        static NEXT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let lp = Loop::new(kind, 1 << 24).unwrap();
        let mut reactor = Reactor::new(lp, World::default(), 4096).unwrap();
        let settings = MonitorSettings { login_timeout, idle_timeout, ..MonitorSettings::default() };
        let service = MonitorService::new("main", access);
        let service = reactor.add_service(Box::new(service), MonitorService::limits(&settings)).unwrap();
        let other = MonitorService::new("other", self::access(false));
        let other = reactor.add_service(Box::new(other), MonitorService::limits(&settings)).unwrap();
        let unix = std::env::temp_dir().join(format!("gorgon-monitor-{}-{number}", std::process::id()));
        let path = Address::Unix(unix.as_os_str().as_encoded_bytes().to_vec());
        let options = ListenOptions { backlog: 128, mode: Some(0o666), ..ListenOptions::default() };
        let tcp = listen(&Address::Ip("127.0.0.1:0".parse().unwrap()), &options).unwrap();
        let Ok(Address::Ip(address)) = local_address(tcp.as_fd()) else { panic!("no address") };
        for listener in [tcp, listen(&path, &options).unwrap()] {
            reactor.lp().add_listener(listener, service, Buffers::fixed(12, 14)).unwrap();
        }
        Host { reactor, service, other, tcp: address, unix }
    }

    fn monitor(&mut self, service: u8) -> &mut MonitorService {
        self.reactor.service(service).unwrap().as_any().unwrap().downcast_mut().unwrap()
    }

    pub fn counters(&mut self) -> Counters {
        self.counters_of(self.service)
    }

    pub fn counters_of(&mut self, service: u8) -> Counters {
        self.monitor(service).counters()
    }

    pub fn change(&mut self, access: Access) {
        self.monitor(self.service).change(access);
        self.turn();
    }

    pub fn turn(&mut self) -> Turn {
        // A timer that is soon due keeps the turn from waiting for ever when nothing happens.
        self.reactor.lp().set_timer(1, 99, 0);
        let turn = self.reactor.turn().unwrap();
        let mut woken = Vec::new();
        work(&mut self.reactor.world().sessions, &mut Nothing, &mut |id| woken.push(id));
        woken.into_iter().for_each(|id| self.reactor.lp().wake(id));
        turn
    }

    pub fn unix(&self) -> Client<UnixStream> {
        let stream = UnixStream::connect(&self.unix).unwrap();
        stream.set_nonblocking(true).unwrap();
        Client { stream, got: Vec::new(), ended: false }
    }

    pub fn tcp(&self) -> Client<TcpStream> {
        let stream = TcpStream::connect(self.tcp).unwrap();
        stream.set_nonblocking(true).unwrap();
        Client { stream, got: Vec::new(), ended: false }
    }

    #[track_caller]
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&mut World) -> bool) {
        let begun = Instant::now();
        while !done(self.reactor.world()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
            self.turn();
        }
    }

    /// What a client gets, up to and with a text, and takes it from what it has.
    #[track_caller]
    pub fn heard<S: Read + Write>(&mut self, client: &mut Client<S>, end: &str) -> String {
        let mut at = None;
        self.until(end, |_| {
            client.take();
            at = client.got.windows(end.len()).position(|window| window == end.as_bytes());
            at.is_some() || client.ended
        });
        let Some(at) = at else { panic!("it ended after {:?}", String::from_utf8_lossy(&client.got)) };
        let rest = client.got.split_off(at + end.len());
        String::from_utf8(std::mem::replace(&mut client.got, rest)).unwrap()
    }

    /// All that a client gets until its connection ends.
    #[track_caller]
    pub fn rest<S: Read + Write>(&mut self, client: &mut Client<S>) -> String {
        self.until("the end", |_| {
            client.take();
            client.ended
        });
        String::from_utf8(std::mem::take(&mut client.got)).unwrap()
    }

    pub fn notes(&mut self) -> String {
        self.reactor.world().notes.join("\n")
    }

    pub fn wait(&mut self, time: u64) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_millis(time) {
            self.turn();
        }
    }
}

pub struct Client<S> {
    pub stream: S,
    pub got: Vec<u8>,
    pub ended: bool,
}

impl<S: Read + Write> Client<S> {
    pub fn say(&mut self, text: impl AsRef<[u8]>) {
        self.stream.write_all(text.as_ref()).unwrap();
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
