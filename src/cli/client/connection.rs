//! A conversation with a monitor: connected, logged in, request by request. It holds what one read gave and no more.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::terminal::wait_readable;
use gorgon_sys::{Address, AsFd, BorrowedFd, Errno, Io, OwnedFd, monotonic};

use super::framing::{Event, Framer, Kind};
use super::login::{self, Greeting, Strong};
use super::options::Options;
use super::password::password;
use super::target::{self, Target};
use super::untagged::Untagged;
use super::words::verb;
use super::{Environment, Failure, system};
use crate::cli::rundir::{self, Runtime};
use crate::monitor::keys::is_user;
use crate::monitor::login::NONCE;
use crate::monitor::medusa::LINE_MAX;
use crate::text::columns::push_visible;
use crate::text::join::joined;
use crate::text::number::push_decimal_str;

/// How long to wait for a connection and for each line of a login, in milliseconds.
const PATIENCE: u32 = 15_000;
/// The longest request with its tag, and the longest line of a login, in bytes.
const LINE: usize = 4096;
/// What is read at once.
const PIECE: usize = 16 * 1024;
/// What Medusa says when it waits for a line.
const PROMPTS: [&[u8]; 2] = [b">>> ", b"... "];

/// What a monitor of ours says first behind Medusa's login.
const OURS: &[u8] = b"Welcome to <gorgon ";
/// The most that is read of a reply that cannot be long, in bytes.
const BRIEF: usize = 64 * 1024 * 1024;

/// How a command went.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Reply {
    /// It is done.
    Done,
    /// It is not: the code and the message, as they may be shown.
    Error(String, String),
}

/// A monitor that takes requests.
pub struct Connection {
    socket: OwnedFd,
    /// What came and was not taken yet.
    input: Vec<u8>,
    framer: Framer,
    serial: u64,
    /// Whether it talks as Medusa does: no tags, and a prompt at the end of each reply.
    legacy: bool,
    /// Whether it is Medusa's: what it says is not known here.
    foreign: bool,
    ended: bool,
    /// Bytes that may still come of the reply that is awaited, and until when, if it cannot be long.
    brief: Option<(usize, u64)>,
}

impl Connection {
    /// Connects and logs in.
    ///
    /// # Errors
    /// That there is no such monitor, several, or that it does not let us in.
    pub fn open(options: &Options, environment: Environment<'_, '_>) -> Result<Connection, Failure> {
        let (path, tcp) = match &options.target {
            Target::Unix(path) => (path.clone(), None),
            Target::Tcp(user, addresses) => (Vec::new(), Some((user, addresses))),
            Target::Only | Target::Process(_) => {
                let process =
                    if let Target::Process(process) = options.target { Some(process) } else { None };
                let user = environment("XDG_RUNTIME_DIR");
                let places = rundir::places(Runtime { user, ..Runtime::default() });
                let found = target::choose(process, rundir::find_monitors(places))?;
                if let Some(socket) = found.socket {
                    return Ok(Connection::of(socket));
                }
                (found.path, None)
            }
        };
        let Some((named, addresses)) = tcp else {
            let mut name = String::new();
            push_visible(&path, &mut name);
            return Ok(Connection::of(connect(&Address::Unix(path), &name)?));
        };
        let mut outcome = Err(Failure::failed(&[]));
        for address in addresses {
            let mut name = String::new();
            crate::text::address::push_socket_address(address, &mut name);
            outcome = connect(&Address::Ip(*address), &name);
            if outcome.is_ok() {
                break;
            }
        }
        let mut connection = Connection::of(outcome?);
        let who = options.user.as_deref().or(named.as_deref());
        let who = who.map(ToOwned::to_owned).unwrap_or_else(|| user_name(environment));
        connection.log_in(&who, options)?;
        Ok(connection)
    }

    /// One over a socket that needs no login.
    #[must_use]
    pub fn of(socket: OwnedFd) -> Connection {
        let (input, framer) = (Vec::new(), Framer::default());
        Connection {
            socket,
            input,
            framer,
            serial: 0,
            legacy: false,
            foreign: false,
            ended: false,
            brief: None,
        }
    }

    /// Whether it talks as Medusa does.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.legacy
    }

    /// Whether what it takes and says is none of ours.
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        self.foreign
    }

    /// What came and nobody has asked for, from one that has no tags.
    pub fn take_stray(&mut self) -> String {
        String::from_utf8_lossy(&core::mem::take(&mut self.input)).into_owned()
    }

    /// Whether the server has ended it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended
    }

    /// What is readable when something came.
    #[must_use]
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    fn log_in(&mut self, user: &str, options: &Options) -> Result<(), Failure> {
        let first = self.line()?;
        match login::greeting(&first) {
            Greeting::Strong(nonce) => {
                let mut random = [0; NONCE];
                gorgon_sys::fill_random(&mut random).map_err(|error| system("random numbers: ", error))?;
                let mut strong = Strong::new(user, nonce, random);
                let password = password(options, &joined(&["Password of ", user, ": "]))?;
                self.write(strong.auth().as_bytes())?;
                let proof =
                    strong.proof(&self.line()?, &password).map_err(|words| Failure::failed(&[&words]))?;
                self.write(proof.as_bytes())?;
                strong.finish(&self.line()?).map_err(|words| Failure::failed(&[&words]))?;
            }
            Greeting::Bare => {
                // Who stands between could ask for the weak answer and try passwords against it; so could any user of
                // this host who takes the port while the monitor is down.
                if !options.legacy {
                    let words = "it asks for Medusa's MD5 answer, which gives the password away to who listens: if that is what runs there, use --legacy";
                    return Err(Failure::failed(&[words]));
                }
                let password = password(options, "Password: ")?;
                let answer = joined(&[&login::bare_answer(&first, &password), "\r\n"]);
                self.write(answer.as_bytes())?;
                self.legacy = true;
                let mut welcome = Vec::new();
                self.until_prompt(&mut |bytes| {
                    let room = OURS.len().saturating_sub(welcome.len()).min(bytes.len());
                    welcome.extend_from_slice(bytes.get(..room).unwrap_or_default());
                    true
                })?;
                self.foreign = welcome != OURS;
                if self.ended {
                    return Err(Failure::failed(&["the login was refused: wrong password"]));
                }
            }
            Greeting::Other => return Err(told(&first)),
        }
        Ok(())
    }

    /// A line of a login, without its end. Empty when the server has ended the connection.
    fn line(&mut self) -> Result<String, Failure> {
        loop {
            if let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                return Ok(String::from_utf8_lossy(&line).trim_ascii_end().to_owned());
            }
            if self.ended || self.input.len() > LINE {
                return Ok(String::new());
            }
            if !self.wait(PATIENCE)? {
                return Err(Failure::failed(&["the server says nothing, so it may be no monitor"]));
            }
            self.fill()?;
        }
    }

    fn wait(&self, milliseconds: u32) -> Result<bool, Failure> {
        let (one, _) =
            wait_readable(self.as_fd(), None, Some(milliseconds)).map_err(|error| system("poll: ", error))?;
        Ok(one)
    }

    /// Takes what has come from the kernel, once.
    ///
    /// # Errors
    /// The system's. That the server has ended the connection is none: [`Connection::has_ended`].
    pub fn fill(&mut self) -> Result<(), Failure> {
        let before = self.input.len();
        self.input.resize(before + PIECE, 0);
        let outcome = gorgon_sys::recv(self.socket.as_fd(), self.input.get_mut(before..).unwrap_or_default());
        let count = if let Io::Done(count) = outcome { count } else { 0 };
        self.input.truncate(before + count);
        match outcome {
            Io::Done(_) | Io::Blocked => {}
            Io::Ended | Io::Failed(Errno::CONNRESET | Errno::PIPE) => self.ended = true,
            Io::Failed(error) => return Err(system("connection: ", error)),
        }
        Ok(())
    }

    /// Tells what has come, part by part.
    ///
    /// # Errors
    /// What the server says outside of a reply: that it turns us away, say.
    pub fn drain(&mut self, each: &mut dyn FnMut(&Framer, &Event<'_>)) -> Result<(), Failure> {
        let input = core::mem::take(&mut self.input);
        let mut rest = input.as_slice();
        loop {
            let (taken, event) = self.framer.next(rest).map_err(|line| told(&line))?;
            rest = rest.get(taken..).unwrap_or_default();
            if event == Event::More {
                break;
            }
            each(&self.framer, &event);
        }
        self.input = input;
        self.input.clear();
        Ok(())
    }

    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match gorgon_sys::send(self.socket.as_fd(), bytes) {
                Io::Done(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Io::Blocked => {
                    if !gorgon_sys::wait_writable(self.socket.as_fd(), PATIENCE) {
                        return Err(Failure::failed(&["the server takes no more requests"]));
                    }
                }
                // What it said before it went is still to be read, and says more than this.
                Io::Ended => return Ok(()),
                Io::Failed(error) => return Err(system("connection: ", error)),
            }
        }
        Ok(())
    }

    /// Sends a command, which holds no line's end; gives the tag that its reply will have.
    ///
    /// # Errors
    /// The connection's; that the command is too long.
    pub fn send(&mut self, command: &str) -> Result<String, Failure> {
        self.serial += 1;
        let mut tag = "c".to_owned();
        push_decimal_str(self.serial, &mut tag);
        let line =
            if self.legacy { joined(&[command, "\r\n"]) } else { joined(&["@", &tag, " ", command, "\n"]) };
        if line.len() > LINE {
            return Err(Failure::usage(&["a command is at most 4080 bytes long"]));
        }
        if self.legacy && !self.foreign && command.len() > LINE_MAX {
            return Err(Failure::usage(&["by Medusa's login a command is at most 1024 bytes long"]));
        }
        self.write(line.as_bytes())?;
        Ok(tag)
    }

    /// Sends a command and waits for the end of its reply, whose body it tells as it comes. Samples of watches that come
    /// meanwhile are passed over.
    ///
    /// # Errors
    /// The connection's. That the command failed is a [`Reply`].
    pub fn ask(&mut self, command: &str, each: &mut dyn FnMut(&[u8])) -> Result<Reply, Failure> {
        self.ask_all(command, &mut |kind, event| {
            if let (Kind::Part | Kind::Last, Event::Piece(bytes)) = (kind, event) {
                each(bytes);
            }
            true
        })
    }

    /// The same, but samples are told too: the first of a watch comes right behind its reply. Once `each` says that nobody
    /// takes what it is told, nothing more is waited for.
    ///
    /// # Errors
    /// As for [`Connection::ask`].
    pub fn ask_all(
        &mut self,
        command: &str,
        each: &mut dyn FnMut(Kind, &Event<'_>) -> bool,
    ) -> Result<Reply, Failure> {
        let tag = self.send(command)?;
        let told = &mut |bytes: &[u8]| each(Kind::Part, &Event::Piece(bytes));
        if self.foreign {
            self.until_prompt(told)?;
            return Ok(Reply::Done);
        }
        if self.legacy {
            let mut reader = Untagged::default();
            self.until_prompt(&mut |bytes| {
                let mut taken = true;
                reader.push(bytes, &mut |bytes| taken &= told(bytes));
                taken
            })?;
            let leaves = self.ended && matches!(verb(command), "quit" | "exit");
            return reader.end().or(leaves.then_some(Reply::Done)).ok_or_else(gone);
        }
        let (mut message, mut reply, mut taken) = (Vec::new(), None, true);
        loop {
            self.drain(&mut |framer, event| match (framer.kind(), event) {
                (Kind::Push, event) => taken &= each(Kind::Push, event),
                _ if framer.tag() != tag => {}
                (Kind::Error, Event::Piece(bytes)) => {
                    let room = LINE.saturating_sub(message.len()).min(bytes.len());
                    message.extend_from_slice(bytes.get(..room).unwrap_or_default());
                }
                (Kind::Error, Event::Whole) => {
                    let (mut code, mut words) = (String::new(), String::new());
                    push_visible(framer.code().as_bytes(), &mut code);
                    push_visible(message.trim_ascii_end(), &mut words);
                    reply = Some(Reply::Error(code, words));
                }
                (kind, event) => {
                    taken &= each(kind, event);
                    if (kind, event) == (Kind::Last, &Event::Whole) {
                        reply = Some(Reply::Done);
                    }
                }
            })?;
            if !taken {
                return Err(Failure::unread());
            }
            if let Some(reply) = reply {
                return Ok(reply);
            }
            if self.ended {
                return Err(gone());
            }
            self.more()?;
        }
    }

    /// The same where a person waits who cannot stop it: gives the front of the reply, of at most so many bytes. One that
    /// has no end, or does not come, is given up.
    ///
    /// # Errors
    /// As for [`Connection::ask`], and those.
    pub fn ask_briefly(&mut self, command: &str, most: usize) -> Result<(Reply, String), Failure> {
        let mut text = Vec::new();
        self.brief = Some((BRIEF, monotonic().saturating_add(u64::from(PATIENCE) * 1_000_000)));
        let reply = self.ask(command, &mut |bytes| {
            let room = most.saturating_sub(text.len()).min(bytes.len());
            text.extend_from_slice(bytes.get(..room).unwrap_or_default());
        });
        self.brief = None;
        Ok((reply?, String::from_utf8_lossy(&text).into_owned()))
    }

    /// Waits for more of a reply, and takes it.
    fn more(&mut self) -> Result<(), Failure> {
        let Some((left, until)) = self.brief else {
            self.wait(u32::MAX / 2)?;
            return self.fill();
        };
        let patience = until.saturating_sub(monotonic()) / 1_000_000;
        if patience == 0 {
            return Err(Failure::failed(&["the server does not answer in time"]));
        }
        let before = self.input.len();
        self.wait(u32::try_from(patience).unwrap_or(PATIENCE))?;
        self.fill()?;
        let taken = self.input.len().saturating_sub(before);
        let left =
            left.checked_sub(taken).ok_or_else(|| Failure::failed(&["the server's answer has no end"]))?;
        self.brief = Some((left, until));
        Ok(())
    }

    /// Tells what comes up to a prompt of Medusa's, or to the end.
    fn until_prompt(&mut self, each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        let mut begins = true;
        loop {
            let held = self.input.as_slice();
            let length = held.len().saturating_sub(4);
            let (body, end) = held.split_at_checked(length).unwrap_or_default();
            let starts = if body.is_empty() { begins } else { body.ends_with(b"\n") };
            if self.ended || (starts && PROMPTS.contains(&end)) {
                let _over = each(if self.ended { held } else { body });
                self.input.clear();
                return Ok(());
            }
            // The prompt may be cut, and it has to be seen that it begins a line.
            let told = length.saturating_sub(1);
            if told > 0 {
                if !each(held.get(..told).unwrap_or_default()) {
                    return Err(Failure::unread());
                }
                self.input.drain(..told);
                begins = false;
            }
            self.more()?;
        }
    }
}

/// That the server is not there any more.
#[must_use]
pub fn gone() -> Failure {
    Failure::failed(&["the server has ended the connection"])
}

/// What a line means that is no reply: `error CODE MESSAGE` turns us away.
fn told(line: &str) -> Failure {
    if line.is_empty() {
        return gone();
    }
    let mut out = String::new();
    match line.strip_prefix("error ") {
        Some(words) => out.push_str(if words.starts_with("refused") {
            "the server does not let us in: "
        } else {
            "the server says: "
        }),
        None => out.push_str("this is no monitor; it says: "),
    }
    push_visible(line.strip_prefix("error ").unwrap_or(line).as_bytes(), &mut out);
    Failure::failed(&[&out])
}

fn connect(address: &Address, name: &str) -> Result<OwnedFd, Failure> {
    let failed = |error| match address {
        Address::Unix(path) if gorgon_sys::is_no_socket(path) => {
            Failure::failed(&["cannot connect to ", name, ": it is no socket"])
        }
        _ => system(&joined(&["cannot connect to ", name, ": "]), error),
    };
    let (socket, done) = gorgon_sys::connect(address).map_err(failed)?;
    if !done {
        if !gorgon_sys::wait_writable(socket.as_fd(), PATIENCE) {
            return Err(failed(Errno::TIMEDOUT));
        }
        gorgon_sys::take_error(socket.as_fd()).map_err(failed)?;
    }
    Ok(socket)
}

/// Who sits here, as far as that can be a user of a monitor.
fn user_name(environment: Environment<'_, '_>) -> String {
    let known = ["LOGNAME", "USER"].into_iter().filter_map(environment);
    let name = known.filter_map(|name| core::str::from_utf8(name).ok()).find(|name| is_user(name));
    name.unwrap_or("admin").to_owned()
}
