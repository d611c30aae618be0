//! `gorgon top`: one screen of what a running gorgon does.
//!
//! [`sample`] is what was seen, [`model`] what the keys do with it, [`paint`] how it looks, [`screen`] what of that is new
//! to the terminal. This is what joins them with the terminal and the connection.

pub mod model;
pub mod paint;
pub mod sample;
pub mod screen;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::terminal::{Guard, Mode as TerminalMode, take_resized, wait_readable, window_size};
use gorgon_sys::{Io, is_terminal, monotonic, standard_input, standard_output};

use self::model::{Act, Mode, Model};
use self::sample::{Incoming, QUESTIONS, Question};
use self::screen::{ENTER, LEAVE, Screen, go};
use super::connection::{Connection, gone};
use super::framing::{Event, Kind};
use super::monitor::can_move;
use super::options::Options;
use super::table::visible;
use super::{Environment, Failure, system};
use crate::cli::terminal;
use crate::text::join::joined;

/// How long the rest of a key's bytes may take, in milliseconds.
const KEY: u32 = 50;
const MILLISECOND: u64 = 1_000_000;

/// What a reply will be to.
enum What {
    Question(Question),
    Hello,
    /// Something that was asked for by a key.
    Command,
}

/// A reply that is awaited.
struct Awaited {
    tag: String,
    what: What,
    incoming: Incoming,
}

struct Top {
    connection: Connection,
    model: Model,
    screen: Screen,
    awaited: Vec<Awaited>,
    /// Nanoseconds, when to look next.
    due: u64,
    /// Whether the terminal's cursor is seen.
    cursor: bool,
}

/// Shows the screen until it is left.
///
/// # Errors
/// That there is no terminal or no monitor, or that it is gone.
pub fn run(options: &Options, environment: Environment<'_, '_>) -> Result<bool, Failure> {
    let no_terminal = || Failure::usage(&["top wants a terminal; gorgon monitor does without"]);
    if !is_terminal(standard_input()) || !is_terminal(standard_output()) {
        return Err(no_terminal());
    }
    if !can_move(environment) {
        return Err(Failure::usage(&[
            "top wants a terminal whose cursor it can move, and TERM says that this is none; gorgon monitor does without",
        ]));
    }
    let connection = Connection::open(options, environment)?;
    let styled = environment("NO_COLOR").is_none_or(<[u8]>::is_empty);
    let mut top = Top {
        connection,
        model: Model::new(options.interval.unwrap_or(1000)),
        screen: Screen::new(styled),
        awaited: Vec::new(),
        due: 0,
        cursor: false,
    };
    top.send("kv hello", What::Hello)?;
    let guard = Guard::take(standard_input(), TerminalMode::Keys, ENTER, LEAVE)
        .map_err(|error| system("terminal: ", error))?;
    let outcome = top.work(&guard);
    drop(guard);
    outcome.map(|()| true)
}

impl Top {
    fn work(&mut self, guard: &Guard) -> Result<(), Failure> {
        self.paint()?;
        loop {
            let now = monotonic();
            let looking = self.awaited.iter().any(|awaited| matches!(awaited.what, What::Question(_)));
            if now >= self.due && !looking && !self.model.paused {
                self.look(now)?;
            }
            let left = self.due.saturating_sub(now).div_ceil(MILLISECOND);
            let timeout = if self.model.is_waiting() {
                Some(KEY)
            } else if looking || self.model.paused {
                None
            } else {
                Some(u32::try_from(left).unwrap_or(u32::MAX).max(1))
            };
            let waited = wait_readable(standard_input(), Some(self.connection.as_fd()), timeout);
            let (typed, came) = waited.map_err(|error| system("poll: ", error))?;
            let mut act = Act::Nothing;
            if came {
                self.connection.fill()?;
                if self.receive()? {
                    act = Act::Paint;
                }
                if self.connection.has_ended() {
                    return Err(gone());
                }
            }
            if typed {
                let mut bytes = [0; 64];
                match gorgon_sys::read(standard_input(), &mut bytes) {
                    Io::Done(count) => {
                        for &byte in bytes.get(..count).unwrap_or_default() {
                            let page = paint::page(&self.model, size().1);
                            let next = self.model.byte(byte, page);
                            if next == Act::Quit {
                                return Ok(());
                            }
                            act = self.act(next, act, guard)?;
                        }
                    }
                    Io::Blocked => {}
                    // The terminal is gone.
                    Io::Ended | Io::Failed(_) => return Ok(()),
                }
            } else if self.model.is_waiting() && !came {
                let next = self.model.settle();
                act = self.act(next, act, guard)?;
            }
            if take_resized() {
                act = Act::Clear;
            }
            match act {
                Act::Nothing => {}
                Act::Clear => {
                    let mut out = String::new();
                    self.screen.clear(&mut out);
                    say(&out)?;
                    self.paint()?;
                }
                _ => self.paint()?,
            }
        }
    }

    /// Does what a key asked for; gives what is left to do.
    fn act(&mut self, next: Act, before: Act, guard: &Guard) -> Result<Act, Failure> {
        match next {
            Act::Look => self.due = 0,
            Act::Send(command) => {
                self.send(&command, What::Command)?;
                self.due = 0;
            }
            Act::Suspend => guard.suspend(),
            Act::Nothing => return Ok(before),
            Act::Clear => return Ok(Act::Clear),
            Act::Paint | Act::Quit => {}
        }
        Ok(if before == Act::Clear { Act::Clear } else { Act::Paint })
    }

    fn send(&mut self, command: &str, what: What) -> Result<(), Failure> {
        match self.connection.send(command) {
            Ok(tag) => self.awaited.push(Awaited { tag, what, incoming: Incoming::default() }),
            // A filter that is too long, say.
            Err(failure) if failure.usage => self.model.notice.clone_from(&failure.message),
            Err(failure) => return Err(failure),
        }
        Ok(())
    }

    fn look(&mut self, now: u64) -> Result<(), Failure> {
        self.due = now.saturating_add(self.model.interval.saturating_mul(MILLISECOND));
        self.model.sample.rates.begin(now);
        for question in QUESTIONS {
            let request = self.model.request(question);
            self.send(&request, What::Question(question))?;
        }
        Ok(())
    }

    /// Takes the replies that are there; gives whether there is something new to show.
    fn receive(&mut self) -> Result<bool, Failure> {
        let (awaited, model) = (&mut self.awaited, &mut self.model);
        let mut new = false;
        self.connection.drain(&mut |framer, event| {
            let place = awaited.iter().position(|awaited| awaited.tag == framer.tag());
            let Some(place) = place.filter(|_| framer.kind() != Kind::Push) else { return };
            match event {
                Event::Piece(bytes) => {
                    if let Some(awaited) = awaited.get_mut(place) {
                        awaited.incoming.push(bytes);
                    }
                }
                Event::Whole if framer.kind() != Kind::Part => {
                    let done = awaited.remove(place);
                    let failed = framer.kind() == Kind::Error;
                    let message = || visible(&joined(&[framer.code(), ": ", &done.incoming.text()]));
                    match done.what {
                        What::Question(question) if failed => model.fail(question, message()),
                        What::Question(question) => model.take(question, done.incoming.records()),
                        What::Hello => model.sample.hello = done.incoming.records().pop().unwrap_or_default(),
                        What::Command if failed => model.notice = message(),
                        What::Command => model.notice = "done".to_owned(),
                    }
                    new |= awaited.is_empty();
                }
                Event::Whole | Event::More => {}
            }
        })?;
        Ok(new)
    }

    fn paint(&mut self) -> Result<(), Failure> {
        let (columns, rows) = size();
        let mut out = String::new();
        let lines = paint::paint(&self.model, columns.saturating_sub(1), rows);
        self.screen.show(lines, &mut out);
        let prompt = self.model.prompt();
        if let Mode::Typing(_, _, editor) = &mut self.model.mode {
            go(rows.saturating_sub(1), 0, &mut out);
            editor.draw(&prompt, columns, &mut out);
            out.push_str("\x1b[?25h");
            self.cursor = true;
            self.screen.forget_last();
        } else if core::mem::take(&mut self.cursor) {
            out.push_str("\x1b[?25l");
        }
        say(&out)
    }
}

/// Columns and lines.
fn size() -> (usize, usize) {
    window_size(standard_output()).map_or((80, 24), |(columns, rows)| (columns.into(), rows.into()))
}

fn say(text: &str) -> Result<(), Failure> {
    if terminal::say(text) { Ok(()) } else { Err(Failure::unread()) }
}
