//! A conversation with a monitor: connected, logged in, request by request. It holds what one read gave and no more.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use gorgon_sys::terminal::{Guard, Mode, open_terminal, wait_readable};
use gorgon_sys::{Address, AsFd, BorrowedFd, Errno, Io, OwnedFd};

use super::framing::{Event, Framer, Kind};
use super::login::{self, Greeting, Strong};
use super::options::Options;
use super::target::{self, Target};
use super::{Environment, Failure, system};
use crate::cli::rundir::{self, Runtime};
use crate::monitor::keys::is_user;
use crate::monitor::login::NONCE;
use crate::text::columns::push_visible;
use crate::text::join::joined;
use crate::text::number::push_decimal_str;

/// How long to wait for a connection and for each line of a login, in milliseconds.
const PATIENCE: u32 = 15_000;
/// The longest request with its tag, and the longest line of a login, in bytes.
const LINE: usize = 4096;
/// What is read at once.
const PIECE: usize = 16 * 1024;
/// The longest password that is read, in bytes.
const PASSWORD: usize = 1024;
/// What Medusa says when it waits for a line.
const PROMPTS: [&[u8]; 2] = [b">>> ", b"... "];

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
    ended: bool,
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
                (target::choose(process, rundir::find_monitors(&places), &places)?, None)
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
        Connection { socket, input, framer, serial: 0, legacy: false, ended: false }
    }

    /// Whether it talks as Medusa does.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.legacy
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
                self.until_prompt(&mut |_| {})?;
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
        })
    }

    /// The same, but samples are told too: the first of a watch comes right behind its reply.
    ///
    /// # Errors
    /// As for [`Connection::ask`].
    pub fn ask_all(
        &mut self,
        command: &str,
        each: &mut dyn FnMut(Kind, &Event<'_>),
    ) -> Result<Reply, Failure> {
        let tag = self.send(command)?;
        if self.legacy {
            self.until_prompt(&mut |bytes| each(Kind::Part, &Event::Piece(bytes)))?;
            return Ok(Reply::Done);
        }
        let (mut message, mut reply) = (Vec::new(), None);
        loop {
            self.drain(&mut |framer, event| match (framer.kind(), event) {
                (Kind::Push, event) => each(Kind::Push, event),
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
                    each(kind, event);
                    if (kind, event) == (Kind::Last, &Event::Whole) {
                        reply = Some(Reply::Done);
                    }
                }
            })?;
            if let Some(reply) = reply {
                return Ok(reply);
            }
            if self.ended {
                return Err(gone());
            }
            self.wait(u32::MAX / 2)?;
            self.fill()?;
        }
    }

    /// Tells what comes up to a prompt of Medusa's, or to the end.
    fn until_prompt(&mut self, each: &mut dyn FnMut(&[u8])) -> Result<(), Failure> {
        let mut begins = true;
        loop {
            let held = self.input.as_slice();
            let length = held.len().saturating_sub(4);
            let (body, end) = held.split_at_checked(length).unwrap_or_default();
            let starts = if body.is_empty() { begins } else { body.ends_with(b"\n") };
            if self.ended || (starts && PROMPTS.contains(&end)) {
                each(if self.ended { held } else { body });
                self.input.clear();
                return Ok(());
            }
            // The prompt may be cut, and it has to be seen that it begins a line.
            let told = length.saturating_sub(1);
            if told > 0 {
                each(held.get(..told).unwrap_or_default());
                self.input.drain(..told);
                begins = false;
            }
            self.wait(u32::MAX / 2)?;
            self.fill()?;
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
    let failed = |error| system(&joined(&["cannot connect to ", name, ": "]), error);
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

/// The password: the first line of the file that was named, or what is typed at the terminal, unseen.
fn password(options: &Options, prompt: &str) -> Result<Vec<u8>, Failure> {
    let mut text = match &options.password_file {
        Some(path) => {
            let mut name = String::new();
            push_visible(path, &mut name);
            let failed = |error| Failure::usage(&[&name, ": ", &gorgon_sys::describe(error)]);
            let stat = gorgon_sys::stat_path(path.as_slice()).map_err(failed)?;
            if stat.kind == gorgon_sys::FileKind::File && stat.mode & 0o077 != 0 {
                return Err(Failure::usage(&[&name, ": others can read it; make it 0600"]));
            }
            gorgon_sys::read_stream(path.as_slice(), PASSWORD).map_err(failed)?
        }
        None => typed(prompt)?,
    };
    let end = text.iter().position(|&byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::usage(&["without a password there is no login"]));
    }
    Ok(text)
}

/// A line typed at the terminal, which shows none of it.
fn typed(prompt: &str) -> Result<Vec<u8>, Failure> {
    let no_terminal =
        |_| Failure::usage(&["a password is wanted and there is no terminal to ask at: use --password-file"]);
    let terminal = open_terminal().map_err(no_terminal)?;
    let _guard = Guard::take(terminal.as_fd(), Mode::Silent, b"", b"").map_err(no_terminal)?;
    let _shown = gorgon_sys::write(terminal.as_fd(), prompt.as_bytes());
    let mut line = vec![0; PASSWORD];
    let count = if let Io::Done(count) = gorgon_sys::read(terminal.as_fd(), &mut line) { count } else { 0 };
    line.truncate(count);
    Ok(line)
}
