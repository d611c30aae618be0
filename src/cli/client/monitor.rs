//! `gorgon monitor`: commands of the command line, of standard input, or typed; and their replies, shown.

use alloc::vec::Vec;

use gorgon_sys::terminal::{Guard, Mode, wait_readable, window_size};
use gorgon_sys::{Io, is_terminal, standard_input, standard_output};

use super::connection::{Connection, Reply, gone};
use super::framing::{Event, Kind};
use super::options::{Form, Options};
use super::output::Output;
use super::words::{commands, is_watch, stages, verb};
use super::{Environment, Failure, interactive, system};
use crate::cli::terminal;
use crate::text::join::joined;

/// Columns where there is no terminal to tell: room for all that a table may have, and still an end to what a long value
/// has the others padded by.
const COLUMNS: usize = 8192;
/// The longest line of standard input, in bytes.
const LINE: usize = 4096;
/// Text that is gathered before it is shown, in bytes.
const GATHERED: usize = 8192;

/// What commands are done by.
pub struct Session<'o> {
    /// The monitor.
    pub connection: Connection,
    /// How replies are shown.
    form: Form,
    options: &'o Options,
    /// Whether keys end a watch.
    keys: bool,
    /// What is said of an empty reply, for people.
    nothing: &'static str,
    /// Whether a transaction is open.
    open: bool,
}

/// How a command went.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Went {
    /// Well.
    Well,
    /// It failed, which standard error says.
    Wrong,
    /// It was the last one.
    Over,
}

/// Does what the options say; gives whether all went well. `nothing` is said where a reply is well and empty.
///
/// # Errors
/// What keeps it from going on.
pub fn run(
    options: &Options,
    environment: Environment<'_, '_>,
    nothing: &'static str,
) -> Result<bool, Failure> {
    let connection = Connection::open(options, environment)?;
    let shown = is_terminal(standard_output());
    let typed = options.commands.is_empty() && is_terminal(standard_input()) && shown;
    let form = if options.form == Form::Fitting && shown { Form::Table } else { options.form };
    let mut session = Session { connection, form, options, keys: typed, nothing, open: false };
    if form == Form::Json && !session.connection.is_foreign() {
        session.ask("format json")?;
    }
    if typed {
        let prompt = interactive::prompt(&mut session)?;
        if can_move(environment) {
            interactive::run(&mut session, &prompt, environment)?;
            return Ok(session.is_closed());
        }
        let well = session.batch(&prompt)?;
        return Ok(session.is_closed() && well);
    }
    if options.commands.is_empty() {
        let well = session.batch("")?;
        return Ok(session.is_closed() && well);
    }
    let count = options.count.unwrap_or(if options.interval.is_some() { u64::MAX } else { 1 });
    // The samples of a watch are counted, not the watch.
    let watches = options.commands.iter().any(|line| commands(line).any(is_watch));
    for time in 0..if watches { 1 } else { count } {
        if time > 0 {
            gorgon_sys::pause(u32::try_from(options.interval.unwrap_or(1000)).unwrap_or(u32::MAX));
        }
        for line in options.commands.iter().flat_map(|text| text.lines()) {
            match session.line(line)? {
                Went::Well => {}
                went => return Ok(session.is_closed() && went == Went::Over),
            }
        }
    }
    Ok(session.is_closed())
}

/// Whether the terminal is one on which the cursor can be moved.
pub fn can_move(environment: Environment<'_, '_>) -> bool {
    environment("TERM").is_some_and(|terminal| !matches!(terminal, b"" | b"dumb"))
}

impl Session<'_> {
    /// Lines of standard input, up to the first that fails: what follows may depend on it. Who is asked for each by a
    /// prompt sees that it fails, and goes on.
    fn batch(&mut self, prompt: &str) -> Result<bool, Failure> {
        let mut held = Vec::new();
        loop {
            while let Some(end) = held.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = held.drain(..=end).collect();
                match self.bytes(&line)? {
                    Went::Well => {}
                    Went::Wrong if !prompt.is_empty() => {}
                    went => return Ok(went == Went::Over),
                }
            }
            if held.is_empty() && !terminal::say(prompt) {
                return Err(Failure::unread());
            }
            if held.len() > LINE {
                return Err(Failure::usage(&["standard input: a line is at most 4096 bytes long"]));
            }
            let mut piece = [0; LINE];
            match gorgon_sys::read(standard_input(), &mut piece) {
                Io::Done(count) => held.extend_from_slice(piece.get(..count).unwrap_or_default()),
                Io::Blocked => {
                    wait_readable(standard_input(), None, None)
                        .map_err(|error| system("standard input: ", error))?;
                }
                Io::Ended => return Ok(self.bytes(&held)? != Went::Wrong),
                Io::Failed(error) => return Err(system("standard input: ", error)),
            }
        }
    }

    fn bytes(&mut self, line: &[u8]) -> Result<Went, Failure> {
        match core::str::from_utf8(line) {
            Ok(line) => self.line(line),
            Err(_) => Err(Failure::usage(&["standard input: expected UTF-8"])),
        }
    }

    /// Does the commands of a line, up to the first that fails.
    ///
    /// # Errors
    /// The connection's; nobody reads what is shown.
    pub fn line(&mut self, line: &str) -> Result<Went, Failure> {
        if self.connection.is_foreign() {
            return self.command(line.trim_ascii());
        }
        for command in commands(line) {
            match self.command(command)? {
                Went::Well => {}
                went => return Ok(went),
            }
        }
        Ok(Went::Well)
    }

    /// Whether no transaction is open; says so of one that is, of which nothing is done now.
    fn is_closed(&self) -> bool {
        if self.open {
            terminal::complain("gorgon: what follows begin was not done, for there was no commit\n");
        }
        !self.open
    }

    /// What is shown before a line is typed.
    pub fn prompt(&self) -> &'static str {
        if self.open { "(begin) " } else { "" }
    }

    fn command(&mut self, command: &str) -> Result<Went, Failure> {
        if is_watch(command) && self.connection.is_legacy() && !self.connection.is_foreign() {
            terminal::complain("gorgon: the samples of a watch do not come by Medusa's login\n");
            return Ok(Went::Wrong);
        }
        let (command, stages) = stages(command);
        let columns = window_size(standard_output()).map_or(COLUMNS, |(columns, _)| columns.into());
        let mut output = Output::new(self.form, &stages, columns);
        output.finds = verb(command) == "find" || command.contains("watch find ");
        let most = self.options.count.unwrap_or(u64::MAX);
        let mut shown = Shown { output, count: 0, most, read: true, wrong: false, empty: true };
        // From before it is asked for: the first sample may be answered by a key at once.
        let watches = is_watch(command) && !self.connection.is_foreign();
        let take = || Guard::take(standard_input(), Mode::Keys, b"", b"").ok();
        let keys = if watches && self.keys { take() } else { None };
        let reply = self.connection.ask_all(command, &mut |kind, event| {
            shown.take(kind, event);
            shown.show(GATHERED);
            shown.read
        })?;
        while shown.output.give_sorted() {
            shown.show(GATHERED);
        }
        shown.output.finish();
        shown.show(0);
        if !shown.read {
            return Err(Failure::unread());
        }
        match verb(command) {
            "begin" => self.open |= reply == Reply::Done,
            // It is over, whatever became of it.
            "commit" | "abort" => self.open = false,
            _ => {}
        }
        if let Reply::Error(code, message) = reply {
            terminal::complain(&joined(&["gorgon: ", &code, ": ", &message, "\n"]));
            return Ok(Went::Wrong);
        }
        if shown.empty && self.form != Form::Json && !terminal::say(self.nothing) {
            return Err(Failure::unread());
        }
        if shown.wrong {
            return Ok(Went::Wrong);
        }
        if matches!(verb(command), "quit" | "exit") || self.connection.has_ended() {
            return Ok(Went::Over);
        }
        if watches {
            self.watch(&mut shown, keys)?;
        }
        Ok(if shown.wrong { Went::Wrong } else { Went::Well })
    }

    /// Asks and shows nothing of it, unless it fails.
    fn ask(&mut self, command: &str) -> Result<(), Failure> {
        match self.connection.ask(command, &mut |_| {})? {
            Reply::Done => Ok(()),
            Reply::Error(code, message) => Err(Failure::failed(&[&code, ": ", &message])),
        }
    }

    /// Shows samples until there were enough, a key is pressed, or the server is gone.
    fn watch(&mut self, shown: &mut Shown, guard: Option<Guard>) -> Result<(), Failure> {
        loop {
            self.connection.drain(&mut |framer, event| shown.take(framer.kind(), event))?;
            shown.show(0);
            if !shown.read {
                return Err(Failure::unread());
            }
            if self.connection.has_ended() {
                return Err(gone());
            }
            if shown.count >= shown.most {
                break;
            }
            let keys = guard.is_some().then(standard_input);
            let waited = wait_readable(self.connection.as_fd(), keys, None);
            let (came, pressed) = waited.map_err(|error| system("poll: ", error))?;
            if pressed {
                let _key = gorgon_sys::read(standard_input(), &mut [0; 64]);
                break;
            }
            if came {
                self.connection.fill()?;
            }
        }
        drop(guard);
        self.ask("unwatch")
    }
}

/// What is shown of a command and, if it is a watch, of its samples.
struct Shown {
    output: Output,
    /// Samples so far, and the most of them.
    count: u64,
    most: u64,
    /// Whether somebody takes it.
    read: bool,
    /// Whether something of it is not as it was asked for, which standard error says once.
    wrong: bool,
    /// Whether nothing came yet.
    empty: bool,
}

impl Shown {
    fn take(&mut self, kind: Kind, event: &Event<'_>) {
        match (kind, event) {
            (Kind::Push, _) if self.count >= self.most => {}
            (Kind::Push, Event::Whole) => {
                self.count += 1;
                self.output.finish_sample();
            }
            (Kind::Part | Kind::Last | Kind::Push, Event::Piece(bytes)) => {
                self.empty &= bytes.is_empty();
                self.output.push(bytes);
            }
            (Kind::Part | Kind::Last | Kind::Error | Kind::Push, _) => {}
        }
    }

    /// Shows what is ready, if it is more than so many bytes.
    fn show(&mut self, least: usize) {
        if self.output.ready() > least {
            let text = self.output.take();
            self.read = self.read && terminal::say(&text);
        }
        let trouble = self.output.take_trouble();
        if !trouble.is_empty() && !self.wrong {
            self.wrong = true;
            trouble.lines().for_each(|line| terminal::complain(&joined(&["gorgon: ", line, "\n"])));
        }
    }
}
