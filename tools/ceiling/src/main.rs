//! The physical limit: a server that only waits, receives and sends a constant reply.
//!
//! It is the yardstick of `tools/compare`. Nothing is parsed but the ends of heads, so that a pipelined batch of k
//! requests gets k replies in one send; nothing is looked up; no clock is read. What another server costs more than
//! this one is what it does for its users, or waste.
//!
//! ```text
//!              accept
//!                 v                would block, or answered
//!   +-----> recv at once ---------------------------------> registered, readable
//!   |  next turn  | owes replies                               |          ^
//!   |             v          socket full                       v          | all sent
//!   +------- send a piece -------------> registered, writable -+----------+
//! ```
#![forbid(unsafe_code)]

mod arguments;
mod reply;

use rustix::fd::{AsFd, AsRawFd, OwnedFd};
use std::io::{self, Write};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::process::ExitCode;

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fs::{Mode, OFlags, open, sendfile};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};

use arguments::Arguments;
use reply::{HeadEnds, Reply};

/// What one recv may bring, in bytes. Shared by all connections: nothing is kept of it between turns.
const CONNECTION_BYTES: usize = 64 * 1024;
/// What one sendfile may take, in bytes. More at once costs more per byte, and less does too.
const FILE_PIECE: u64 = 256 * 1024;
/// Events taken in one turn.
const EVENTS: usize = 512;

/// What a connection waits for, as epoll was last told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Interest {
    Unregistered,
    Readable,
    Writable,
}

struct Connection {
    socket: OwnedFd,
    interest: Interest,
    ends: HeadEnds,
    /// Bytes still to be sent, heads and bodies, of all the replies asked for.
    owed: u64,
    /// In the list of connections that have more to send and were not stopped by a full socket.
    listed: bool,
}

/// What became of a connection's turn.
enum Turn {
    Answered,
    Full,
    More,
    Closed,
}

struct Server {
    epoll: OwnedFd,
    listener: OwnedFd,
    /// By descriptor number.
    connections: Vec<Option<Connection>>,
    /// Descriptor numbers whose replies go on in the next turn.
    unfinished: Vec<usize>,
    reply: Reply,
    close: bool,
    accepts: u32,
    input: Vec<u8>,
}

fn main() -> ExitCode {
    let arguments = match Arguments::read(std::env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(problem) => {
            let _ = writeln!(io::stderr(), "ceiling: {problem}\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "ceiling: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: Arguments) -> Result<(), Errno> {
    let reply = match &arguments.file {
        Some(path) => {
            Reply::file(open(path, OFlags::RDONLY, Mode::empty())?, arguments.split, arguments.close)?
        }
        None => Reply::constant(arguments.body, arguments.close),
    };
    let listener = listen(arguments.port)?;
    let bound = net::getsockname(&listener)?;
    let port = SocketAddr::try_from(bound)?.port();
    let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, &listener, token(listener.as_raw_fd()), EventFlags::IN)?;
    let mut out = io::stdout();
    // Whoever started it may not care where it is.
    let _ = writeln!(out, "http://127.0.0.1:{port}/").and_then(|()| out.flush());
    Server {
        epoll,
        listener,
        connections: Vec::new(),
        unfinished: Vec::new(),
        reply,
        close: arguments.close,
        accepts: arguments.accepts,
        input: vec![0; CONNECTION_BYTES],
    }
    .run()
}

fn listen(port: u16) -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    // Accepted sockets inherit it, so that it costs no call for each.
    sockopt::set_tcp_nodelay(&socket, true)?;
    net::bind(&socket, &SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)))?;
    net::listen(&socket, 4096)?;
    Ok(socket)
}

fn token(fd: i32) -> EventData {
    EventData::new_u64(u64::try_from(fd).unwrap_or(u64::MAX))
}

impl Server {
    fn run(mut self) -> Result<(), Errno> {
        let mut events = Vec::with_capacity(EVENTS);
        let listener = token(self.listener.as_raw_fd()).u64();
        let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            events.clear();
            let timeout = if self.unfinished.is_empty() { None } else { Some(&at_once) };
            match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error),
            }
            for index in std::mem::take(&mut self.unfinished) {
                if let Some(Some(connection)) = self.connections.get_mut(index) {
                    connection.listed = false;
                    let turn = self.reply.send(&connection.socket, &mut connection.owed);
                    let turn = self.closing(turn);
                    self.settle(index, turn)?;
                }
            }
            for event in &events {
                let data = event.data.u64();
                if data == listener {
                    self.accept()?;
                } else if let Ok(index) = usize::try_from(data) {
                    self.turn(index)?;
                }
            }
        }
    }

    fn accept(&mut self) -> Result<(), Errno> {
        for _ in 0..self.accepts {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            let socket = match net::accept_with(&self.listener, flags) {
                Ok(socket) => socket,
                Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR | Errno::CONNABORTED) => continue,
                Err(error) => return Err(error),
            };
            let index = usize::try_from(socket.as_raw_fd()).unwrap_or(usize::MAX);
            if self.connections.len() <= index {
                self.connections.resize_with(index.saturating_add(1), || None);
            }
            if let Some(place) = self.connections.get_mut(index) {
                *place = Some(Connection {
                    socket,
                    interest: Interest::Unregistered,
                    ends: HeadEnds::default(),
                    owed: 0,
                    listed: false,
                });
            }
            self.turn(index)?;
        }
        Ok(())
    }

    /// Goes on sending what is owed, or else receives and answers.
    fn turn(&mut self, index: usize) -> Result<(), Errno> {
        let Some(Some(connection)) = self.connections.get_mut(index) else { return Ok(()) };
        if connection.listed {
            return Ok(());
        }
        if connection.owed == 0 {
            let received = match net::recv(&connection.socket, self.input.as_mut_slice(), RecvFlags::empty())
            {
                Ok((0, _)) => return self.settle(index, Turn::Closed),
                Ok((received, _)) => received,
                Err(Errno::AGAIN | Errno::INTR) => return self.settle(index, Turn::Answered),
                Err(_) => return self.settle(index, Turn::Closed),
            };
            let mut replies = connection.ends.count(self.input.get(..received).unwrap_or_default());
            if self.close {
                replies = replies.min(1);
            }
            if replies == 0 {
                return self.settle(index, Turn::Answered);
            }
            connection.owed = self.reply.bytes().saturating_mul(replies);
        }
        let turn = self.reply.send(&connection.socket, &mut connection.owed);
        let turn = self.closing(turn);
        self.settle(index, turn)
    }

    /// What answering means when there is one reply a connection.
    fn closing(&self, turn: Turn) -> Turn {
        match turn {
            Turn::Answered if self.close => Turn::Closed,
            Turn::Answered | Turn::Full | Turn::More | Turn::Closed => turn,
        }
    }

    /// The one place where a connection's interest changes.
    fn settle(&mut self, index: usize, turn: Turn) -> Result<(), Errno> {
        let Some(place) = self.connections.get_mut(index) else { return Ok(()) };
        let Some(connection) = place else { return Ok(()) };
        let wanted = match turn {
            Turn::Closed => {
                // Closing takes it out of epoll as well.
                *place = None;
                return Ok(());
            }
            Turn::More => {
                connection.listed = true;
                self.unfinished.push(index);
                return Ok(());
            }
            Turn::Answered => Interest::Readable,
            Turn::Full => Interest::Writable,
        };
        if connection.interest == wanted {
            return Ok(());
        }
        let flags = if wanted == Interest::Writable { EventFlags::OUT } else { EventFlags::IN };
        let data = token(connection.socket.as_raw_fd());
        if connection.interest == Interest::Unregistered {
            epoll::add(self.epoll.as_fd(), &connection.socket, data, flags)?;
        } else {
            epoll::modify(self.epoll.as_fd(), &connection.socket, data, flags)?;
        }
        connection.interest = wanted;
        Ok(())
    }
}

impl Reply {
    /// Sends once: what is owed of constant replies, or a head and one piece of the file.
    fn send(&self, socket: &OwnedFd, owed: &mut u64) -> Turn {
        let wanted;
        let sent = match self {
            Reply::Constant { close, .. } => {
                let gather = if *close { SendFlags::MORE } else { SendFlags::empty() };
                let bytes = self.constant_piece(*owed);
                wanted = bytes.len();
                net::send(socket, bytes, SendFlags::NOSIGNAL | gather)
            }
            Reply::File { file, length, split, .. } => {
                let gather = if *split { SendFlags::empty() } else { SendFlags::MORE };
                let (head, mut offset) = self.file_piece(*owed);
                if !head.is_empty() {
                    match net::send(socket, head, SendFlags::NOSIGNAL | gather) {
                        Ok(sent) => {
                            *owed = owed.saturating_sub(sent as u64);
                            if sent < head.len() {
                                return Turn::Full;
                            }
                        }
                        Err(Errno::AGAIN) => return Turn::Full,
                        Err(Errno::INTR) => return Turn::More,
                        Err(_) => return Turn::Closed,
                    }
                }
                let piece = length.saturating_sub(offset).min(FILE_PIECE);
                wanted = usize::try_from(piece).unwrap_or(usize::MAX);
                match wanted {
                    0 => Ok(0),
                    _ => match sendfile(socket, file, Some(&mut offset), wanted) {
                        // The file was cut while it was sent: what the head promised cannot be kept.
                        Ok(0) => return Turn::Closed,
                        result => result,
                    },
                }
            }
        };
        match sent {
            Ok(sent) => {
                *owed = owed.saturating_sub(sent as u64);
                if *owed == 0 {
                    Turn::Answered
                } else if sent < wanted {
                    Turn::Full
                } else {
                    Turn::More
                }
            }
            Err(Errno::AGAIN) => Turn::Full,
            Err(Errno::INTR) => Turn::More,
            Err(_) => Turn::Closed,
        }
    }
}
