//! One peer that was let in: lines in, framed replies out. What they ask is looked up by [`super::commands`].
//!
//! ```text
//!                 whole line                 all its commands answered
//!   Reading  ------------------->  Running  ----------------------------> Reading
//!      |      <----------------------------- TooLong
//!      |          answered                      ^
//!      +----------------------------------------+    4,096 bytes and no end: the rest is skipped
//!      |
//!      +-- the input has ended within a line -->  Unended  -- answered -->  Over
//!
//!   any  -- quit, or the input has ended and all of it is answered -->  Over
//! ```
//!
//! A watch is a job that waits. While a command is answered, or a sample is made, nothing more is read: a peer that
//! asks faster than it listens fills its own kernel's buffers.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::failure::{Failure, expected, failure};
use super::job::Job;
use super::output::{OUTPUT, Output};
use super::request::{self, LINE};
use crate::tree::{Actor, Code, Role, Step};

/// Watches of one session.
pub const WATCHES: usize = 8;

/// Steps between `begin` and `commit`.
pub const STEPS: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    Running,
    TooLong,
    /// What came of the line may be half of it, so none of it is done.
    Unended,
    Over,
}

/// A session. It knows no socket and no clock.
pub struct Session {
    pub(super) actor: Actor,
    opened: u64,
    state: State,
    /// The line so far, or the one that is being answered.
    line: Vec<u8>,
    /// Where its next command begins.
    at: usize,
    /// What comes is the rest of a line that was too long.
    skipping: bool,
    ended: bool,
    pub(super) json: bool,
    pub(super) job: Option<Box<Job>>,
    // A watch becomes the job and goes back: in its box it moves as one word.
    #[allow(clippy::vec_box)]
    pub(super) watches: Vec<Box<Job>>,
    /// The open transaction.
    pub(super) steps: Option<Vec<Step>>,
    /// Something failed since it was begun, so it will do nothing.
    pub(super) spoilt: bool,
    pub(super) output: Output,
    pub(super) commands: u64,
    pub(super) refused: u64,
}

/// One command of a line.
pub(super) struct Request {
    pub(super) tag: Option<String>,
    pub(super) text: Result<String, Failure>,
}

impl Session {
    /// A session of somebody, begun at that time in milliseconds.
    #[must_use]
    pub fn new(actor: Actor, now: u64) -> Session {
        Session::with_room(actor, now, OUTPUT)
    }

    /// A session whose work stops when that many bytes wait to be sent.
    pub(super) fn with_room(actor: Actor, now: u64, room: usize) -> Session {
        Session {
            actor,
            opened: now,
            state: State::Reading,
            line: Vec::new(),
            at: 0,
            skipping: false,
            ended: false,
            json: false,
            job: None,
            watches: Vec::new(),
            steps: None,
            spoilt: false,
            output: Output::new(room),
            commands: 0,
            refused: 0,
        }
    }

    /// Takes input up to the end of a line that asks for something; what is behind it is not used, and is to be fed
    /// again when [`Session::wants_input`]. Gives the number of bytes used.
    pub fn feed(&mut self, input: &[u8]) -> usize {
        let mut used = 0;
        while self.wants_input() {
            let rest = input.get(used..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let end = rest.iter().position(|&byte| byte == b'\n');
            let piece = end.and_then(|end| rest.get(..=end)).unwrap_or(rest);
            used += piece.len();
            if self.skipping {
                self.skipping = end.is_none();
                continue;
            }
            let room = LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(piece.get(..room).unwrap_or(piece));
            if piece.len() > room {
                self.skipping = end.is_none();
                self.end_untagged();
                self.enter(State::TooLong);
            } else if end.is_some() {
                self.whole_line();
            }
        }
        used
    }

    /// The peer sends no more, and all it sent was fed and used. A last line without an end is an error.
    pub fn end_input(&mut self) {
        self.ended = true;
        self.end_if_ended();
    }

    /// A sample is made: if the input ended meanwhile, so does the session.
    pub(super) fn end_if_ended(&mut self) {
        if self.ended && self.wants_input() {
            self.whole_line();
            self.enter(if self.state == State::Running { State::Unended } else { State::Over });
        }
    }

    /// Whether [`Session::feed`] would take anything.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        self.state == State::Reading && self.job.is_none()
    }

    /// What is to be sent.
    #[must_use]
    pub fn output(&self) -> &[u8] {
        self.output.unsent()
    }

    /// The first `count` bytes of the output were sent.
    pub fn sent(&mut self, count: usize) {
        self.output.sent(count);
    }

    /// Whether something was asked and is not answered yet.
    #[must_use]
    pub fn has_work(&self) -> bool {
        self.job.is_some() || matches!(self.state, State::Running | State::TooLong | State::Unended)
    }

    /// Whether nothing more will come: when the output is sent, the connection is to be closed.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Whose session it is.
    #[must_use]
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// When it began, in milliseconds since the program started.
    #[must_use]
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Commands answered since this was called last, and how many of them were refused for want of a role.
    pub fn take_counters(&mut self) -> (u64, u64) {
        (core::mem::take(&mut self.commands), core::mem::take(&mut self.refused))
    }

    /// Whether it has watches.
    #[must_use]
    pub fn is_watching(&self) -> bool {
        !self.watches.is_empty()
    }

    /// Gives it another role. What a transaction keeps was allowed by the one before, so it will do nothing. Without a
    /// role the session ends.
    pub fn set_role(&mut self, role: Option<Role>) {
        self.spoilt |= self.steps.is_some();
        match role {
            Some(role) => self.actor.role = role,
            None => {
                self.quit();
                self.output.part.clear();
                self.output.end(None, Err(failure(Code::Refused, "you have no role any more")));
            }
        }
    }

    /// Ends the session; what is in the output is still to be sent.
    pub fn quit(&mut self) {
        self.enter(State::Over);
    }

    /// The next command of the line; nothing when all of them are answered.
    #[inline(never)]
    pub(super) fn next_request(&mut self) -> Option<Request> {
        let line = core::str::from_utf8(&self.line);
        let wrong = match self.state {
            State::Reading | State::Over => return None,
            State::TooLong => failure(Code::Limit, "a line has at most 4096 bytes, its end included"),
            State::Unended => failure(Code::Syntax, "the line has no end; nothing of it is done"),
            State::Running => match line {
                Ok(line) => {
                    let request = take_request(line, &mut self.at);
                    if request.is_none() {
                        self.enter(State::Reading);
                    }
                    return request;
                }
                Err(_) => expected("UTF-8"),
            },
        };
        // Answered once, whatever else the line holds.
        let tag = request::tag(&self.line).ok().and_then(|(tag, _)| tag).map(String::from);
        self.enter(State::Reading);
        Some(Request { tag, text: Err(wrong) })
    }

    fn whole_line(&mut self) {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let length = line.len();
        let asks = !line.trim_ascii().is_empty() && line.first() != Some(&b'#');
        self.line.truncate(length);
        self.end_untagged();
        if asks {
            self.enter(State::Running);
        } else {
            self.line.clear();
        }
    }

    /// A line came: watches without a tag are over.
    fn end_untagged(&mut self) {
        self.end_watches(&|watch| watch.tag.is_none());
    }

    /// Ends some watches; whether there were any.
    pub(super) fn end_watches(&mut self, which: &dyn Fn(&Job) -> bool) -> bool {
        let before = self.watches.len();
        self.watches.retain(|watch| !which(watch));
        self.watches.len() < before
    }

    fn enter(&mut self, state: State) {
        self.state = if state == State::Reading && self.ended { State::Over } else { state };
        self.at = 0;
        match self.state {
            State::Running | State::TooLong | State::Unended => return,
            State::Reading => {}
            State::Over => {
                self.job = None;
                self.watches = Vec::new();
                self.steps = None;
            }
        }
        self.line = Vec::new();
    }
}

/// Takes the next command off a line, from a place on.
fn take_request(line: &str, at: &mut usize) -> Option<Request> {
    while let Some(rest) = line.get(*at..).filter(|rest| !rest.is_empty()) {
        let (command, _) = request::divide(rest, b';');
        *at += command.len() + 1;
        let command = command.trim_ascii();
        if command.is_empty() {
            continue;
        }
        return Some(match request::tag(command.as_bytes()) {
            Ok((tag, rest)) => {
                let text = command.get(command.len() - rest.len()..).unwrap_or_default();
                Request { tag: tag.map(String::from), text: Ok(String::from(text)) }
            }
            Err(trouble) => Request { tag: None, text: Err(trouble) },
        });
    }
    None
}
