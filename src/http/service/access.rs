//! The access log of a server: a line is begun when a request's head is read, and ended when its reply is out or given
//! up.
//!
//! ```text
//!  begin          replied, streamed + ended                    all of it is with the kernel
//!  ─────▶ open ─────────────────────────────▶ made ──────────────────────────────────────────▶ a line
//!           │                                   │
//!           └───────────── the connection is closed ─────────▶ a line that says how much went
//! ```
//!
//! Most lines are ended within the call that began them, and cost no memory. The others wait, each with its text, by
//! their connection. Places in a connection's output are counted from the start of the call that is being served, so
//! they are below zero in the calls after it.

use crate::engine::log::{Log, PATIENCE};
use crate::engine::slab::Slab;
use crate::engine::values::ConnId;
use crate::engine::{Cx, Loop};
use crate::text::log_line::{self, Form, Outcome, Stamp};

use super::super::field::Name;
use super::super::request::Request;

/// The token of the timer of the log.
pub(super) const LOG_TIMER: u32 = 1;

/// No line of this connection waits.
const NONE: u32 = u32::MAX;

/// The access log of one server.
pub struct AccessLog {
    /// The log's number in the world.
    number: usize,
    form: Form,
    /// Most bytes of a field.
    limit: usize,
    /// The number of the service it belongs to.
    service: u8,
    stamp: Stamp,
    /// The lines of the connection that is being served, those that wait for its output first.
    entries: Vec<Entry>,
    /// The texts of those that were begun in this call.
    texts: Vec<u8>,
    /// Reused from line to line.
    scratch: Vec<u8>,
    /// The lines of connections whose output is held, or whose replies are not all made.
    waiting: Slab<Vec<Entry>>,
    /// By the numbers of connections: where their lines wait.
    places: Vec<u32>,
}

/// A line that is not ended.
struct Entry {
    /// Its text, once it outlived the call that began it.
    kept: Box<[u8]>,
    /// Where its text lies in `texts` until then.
    text: (usize, usize),
    /// How much of its text stands before the status.
    split: usize,
    /// 0 before the reply.
    status: u16,
    /// The reply is not all made.
    open: bool,
    /// Where the reply's body begins and ends in the output.
    start: i64,
    end: i64,
    /// When the head was read, in milliseconds of the loop.
    began: u64,
}

impl AccessLog {
    /// Lines of one form for the world's log of that number, whose fields are no longer than `limit`.
    pub fn new(number: usize, form: Form, limit: usize) -> AccessLog {
        AccessLog {
            number,
            form,
            limit,
            service: 0,
            stamp: Stamp::default(),
            entries: Vec::new(),
            texts: Vec::new(),
            scratch: Vec::new(),
            waiting: Slab::new(),
            places: Vec::new(),
        }
    }

    /// Takes the service's own number over.
    pub(super) fn set_service(&mut self, service: u8) {
        self.service = service;
    }

    /// Before a connection is served: what waits for it is at hand again.
    pub(super) fn recall(&mut self, id: ConnId) {
        if self.waiting.is_empty() {
            return;
        }
        if let Some(place) = self.places.get_mut(id.slot() as usize) {
            if let Some(entries) = self.waiting.remove(std::mem::replace(place, NONE)) {
                self.entries = entries;
            }
        }
    }

    /// A request's head was read from the front of `input`.
    pub(super) fn begin(&mut self, request: &Request<'_>, input: &[u8], cx: &Cx<'_>) {
        let host = request.authority();
        let line = log_line::Request {
            remote: &[],
            user: None,
            line: first_line(input),
            whole: true,
            host: Some(host).filter(|host| !host.is_empty()),
            referer: request.field(Name::Referer),
            agent: request.field(Name::UserAgent),
        };
        self.add(line, cx);
    }

    /// What came is no request; `input` begins with it, or is empty.
    pub(super) fn begin_wrong(&mut self, input: &[u8], cx: &Cx<'_>) {
        let line = first_line(input);
        let nothing = log_line::Request {
            remote: &[],
            user: None,
            line,
            whole: false,
            host: None,
            referer: None,
            agent: None,
        };
        self.add(nothing, cx);
    }

    fn add(&mut self, line: log_line::Request<'_>, cx: &Cx<'_>) {
        let now = cx.now();
        self.stamp.set(self.form, now.unix_seconds, gorgon_sys::local_offset);
        self.scratch.clear();
        cx.client().push_address(&mut self.scratch);
        let line = log_line::Request { remote: &self.scratch, ..line };
        let from = self.texts.len();
        let split = log_line::begin(self.form, &line, &self.stamp, self.limit, &mut self.texts);
        self.entries.push(Entry {
            kept: Box::default(),
            text: (from, self.texts.len()),
            split,
            status: 0,
            open: true,
            start: 0,
            end: 0,
            began: now.milliseconds,
        });
    }

    /// The reply was written, with so many bytes of body at its end.
    pub(super) fn replied(&mut self, status: u16, body: u64, cx: &Cx<'_>) {
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.open) {
            entry.end = place(cx.produced());
            entry.start = entry.end - place(body);
            entry.status = status;
            entry.open = false;
        }
    }

    /// The reply's head was written; its body follows.
    pub(super) fn streamed(&mut self, status: u16, cx: &Cx<'_>) {
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.open) {
            entry.start = place(cx.produced());
            entry.status = status;
        }
    }

    /// All of the reply's body was written.
    pub(super) fn ended(&mut self, cx: &Cx<'_>) {
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.open) {
            entry.end = place(cx.produced());
            entry.open = false;
        }
    }

    /// After a connection was served: sends what it wrote, ends the lines of what went out whole, and keeps the others.
    pub(super) fn settle(&mut self, log: Option<&mut Log>, cx: &mut Cx<'_>) {
        if self.entries.is_empty() {
            return;
        }
        let unsent = cx.flush();
        let total = place(cx.produced());
        let went = total - place(unsent);
        let mut entries = std::mem::take(&mut self.entries);
        self.end_lines(&mut entries, went, false, log, cx.lp());
        for entry in &mut entries {
            if entry.open {
                entry.end = total;
                if entry.status == 0 {
                    entry.start = total;
                }
            }
            entry.start -= total;
            entry.end -= total;
            if entry.kept.is_empty() {
                entry.kept = self.texts.get(entry.text.0..entry.text.1).unwrap_or(&[]).into();
            }
        }
        self.texts.clear();
        if entries.is_empty() {
            // Its memory serves the next call.
            self.entries = entries;
            return;
        }
        if unsent > 0 {
            cx.notify_drained();
        }
        let slot = cx.id().slot() as usize;
        if self.places.len() <= slot {
            self.places.resize(slot + 1, NONE);
        }
        // Without memory for it a line is lost.
        if let (Some(place), Ok(number)) = (self.places.get_mut(slot), self.waiting.insert(entries)) {
            *place = number;
        }
    }

    /// A connection is gone: its lines say how much went.
    pub(super) fn close(&mut self, id: ConnId, log: Option<&mut Log>, lp: &mut Loop) {
        self.recall(id);
        if !self.entries.is_empty() {
            let mut entries = std::mem::take(&mut self.entries);
            self.end_lines(&mut entries, -place(lp.lost()), true, log, lp);
        }
    }

    /// Writes the lines of replies whose last byte stands before `went`, or all, and takes them out.
    fn end_lines(
        &mut self,
        entries: &mut Vec<Entry>,
        went: i64,
        all: bool,
        log: Option<&mut Log>,
        lp: &mut Loop,
    ) {
        let Some(log) = log else { return entries.clear() };
        let now = lp.now();
        entries.retain(|entry| {
            let completed = !entry.open && went >= entry.end;
            if !completed && !all {
                return true;
            }
            let bytes = went.clamp(entry.start, entry.end.max(entry.start)) - entry.start;
            let outcome = Outcome {
                status: entry.status,
                bytes: bytes.unsigned_abs(),
                milliseconds: now.milliseconds.saturating_sub(entry.began),
                completed,
            };
            let text = match &*entry.kept {
                [] => self.texts.get(entry.text.0..entry.text.1).unwrap_or(&[]),
                kept => kept,
            };
            self.scratch.clear();
            log_line::finish(self.form, text, entry.split, &outcome, &mut self.scratch);
            log.push(&self.scratch, now);
            false
        });
        if log.wants_timer() {
            lp.set_timer(PATIENCE, self.service, LOG_TIMER);
        }
    }

    /// The timer has fired.
    pub(super) fn timer(&mut self, log: Option<&mut Log>, lp: &mut Loop) {
        if let Some(log) = log {
            log.timer(lp.now());
            if log.wants_timer() {
                lp.set_timer(PATIENCE, self.service, LOG_TIMER);
            }
        }
    }

    /// Gives memory back.
    pub(super) fn trim(&mut self) {
        if self.waiting.has_spare() && self.waiting.is_empty() {
            self.waiting.trim();
            self.places = Vec::new();
        }
    }

    /// The log's number in the world.
    pub(super) fn number(&self) -> usize {
        self.number
    }
}

/// A number of bytes as a place. No output is longer than that.
fn place(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}

/// The first line that is not empty, without its end.
fn first_line(input: &[u8]) -> &[u8] {
    let start = input.iter().position(|byte| !b"\r\n".contains(byte)).unwrap_or(input.len());
    let line = input.get(start..).unwrap_or(&[]);
    let end = line.iter().position(|byte| b"\r\n".contains(byte)).unwrap_or(line.len());
    line.get(..end).unwrap_or(line)
}

/// The status of a reply that lies ready: `HTTP/1.1 200 ..`.
pub(super) fn status_of(reply: &[u8]) -> u16 {
    let digits = reply.get(9..12).unwrap_or_default();
    digits.iter().fold(0, |status, digit| status * 10 + u16::from(digit.wrapping_sub(b'0') % 10))
}
