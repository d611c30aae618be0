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
//! Most replies are with the kernel as soon as they are written: their lines go straight to the log. The lines of the
//! other requests are texts of their own; those that are not ended within the call that began them wait by their
//! connection. Places in a connection's output are counted from the start of the call that is being served, so
//! they are below zero in the calls after it.
//!
//! When another log takes the place of one, lines that wait stay where they were begun: the new log keeps the old one
//! before it until the last of them is ended.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::clients::ClientId;
use crate::engine::log::{Log, Logs, PATIENCE};
use crate::engine::values::ConnId;
use crate::engine::{Cx, Loop};
use crate::text::log_line::{self, Form, Outcome, Stamp};

use super::super::authorization;
use super::super::field::Name;
use super::super::request::Request;
use super::super::status::Status;

/// The most logs that wait before another one for their last lines.
const MOST_BEFORE: usize = 4;
/// What stands for the status of a request whose connection ended before its reply, as other servers write it.
const GONE: [u8; 3] = *b"499";
/// The token of the timer of the log.
pub(super) const LOG_TIMER: u32 = 1;

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
    /// Their texts.
    texts: Vec<u8>,
    /// Whose address is in the stamp, and its bits: the next line is often of the same peer, or of one that came back.
    remote: Option<(u64, ClientId)>,
    remote_bits: Option<[u8; 16]>,
    /// By the numbers of connections: the lines of those whose output is held, or whose replies are not all made.
    waiting: Vec<Option<Box<Waiting>>>,
    /// How many connections have lines that wait.
    count: usize,
    /// It takes no new lines.
    off: bool,
    /// The log whose place it took, while lines wait there.
    before: Option<Box<AccessLog>>,
}

/// Lines that wait, and their texts: behind one thin pointer, for most connections have none.
struct Waiting {
    entries: Vec<Entry>,
    texts: Vec<u8>,
}

/// A line that is not ended.
#[derive(Clone, Copy)]
struct Entry {
    /// Where its text lies among the texts.
    text: (usize, usize),
    /// How much of its text stands before the status.
    split: usize,
    /// None before the reply.
    status: Option<[u8; 3]>,
    /// The reply is not all made.
    open: bool,
    /// The request will be read again.
    put_off: bool,
    /// Where the reply's body begins and ends in the output.
    start: i64,
    end: i64,
    /// When the head was read, in milliseconds of the loop.
    began: u64,
}

impl Entry {
    /// Whether all of the reply stands before a place.
    fn is_out(&self, went: i64) -> bool {
        !self.open && went >= self.end
    }
}

impl AccessLog {
    /// The number of its log in the world.
    #[must_use]
    pub fn number(&self) -> usize {
        self.number
    }

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
            remote: None,
            remote_bits: None,
            waiting: Vec::new(),
            count: 0,
            off: false,
            before: None,
        }
    }

    /// A log that takes no lines.
    pub(super) fn off() -> AccessLog {
        AccessLog { off: true, ..AccessLog::new(usize::MAX, Form::Common, 0) }
    }

    /// Takes the place of another one, between two calls. Where logs are changed faster than slow clients read, the
    /// oldest lines are ended as if all had gone out that was made.
    pub(super) fn follow<W: Logs>(&mut self, before: Option<Box<AccessLog>>, world: &mut W, lp: &mut Loop) {
        self.before = before;
        let mut at = &mut self.before;
        for _ in 0..MOST_BEFORE {
            let Some(log) = at else { break };
            at = &mut log.before;
        }
        if let Some(mut oldest) = at.take() {
            oldest.abandon(world, lp);
        }
        self.tidy(world, lp);
    }

    /// Ends all lines that wait, and the logs.
    pub(super) fn abandon<W: Logs>(&mut self, world: &mut W, lp: &mut Loop) {
        if let Some(mut before) = self.before.take() {
            before.abandon(world, lp);
        }
        for mut waiting in core::mem::take(&mut self.waiting).into_iter().flatten() {
            self.texts = core::mem::take(&mut waiting.texts);
            for entry in &waiting.entries {
                self.end_line(entry, 0, world.log(self.number), lp);
            }
        }
        self.texts.clear();
        self.count = 0;
        world.end_log(self.number, lp.now());
    }

    /// Lets the logs before this one go in which no line waits.
    fn tidy<W: Logs>(&mut self, world: &mut W, lp: &mut Loop) {
        let Some(before) = &mut self.before else { return };
        before.tidy(world, lp);
        if before.count == 0 && before.entries.is_empty() {
            world.end_log(before.number, lp.now());
            self.before = before.before.take();
        }
    }

    /// Whether it takes no lines, and none waits.
    pub(super) fn is_over(&self) -> bool {
        self.off && self.before.is_none()
    }

    /// Takes the service's own number over.
    pub(super) fn set_service(&mut self, service: u8) {
        self.service = service;
    }

    /// Before a connection is served: what waits for it is at hand again.
    pub(super) fn recall(&mut self, id: ConnId) {
        if let Some(before) = &mut self.before {
            before.recall(id);
        }
        if self.count == 0 {
            return;
        }
        if let Some(waiting) = self.waiting.get_mut(id.slot() as usize).and_then(Option::take) {
            self.count -= 1;
            self.entries = waiting.entries;
            self.texts = waiting.texts;
        }
    }

    /// A request's head was read.
    pub(super) fn begin(&mut self, request: &Request<'_>, cx: &Cx<'_>) {
        if self.off {
            return self.forget_put_off();
        }
        let mut credentials = Vec::new();
        let mut line = told(self.form, request);
        if request.has_any(Name::Authorization.mask())
            && authorization::credentials(request, &mut credentials)
        {
            // As it was given: the status tells whether the password was right.
            line.user = authorization::split(&credentials).map(|(name, _)| name);
        }
        self.add(&line, cx);
        credentials.fill(0);
    }

    /// A request was answered at once, with so many bytes of body at the reply's end. If all of that is with the kernel,
    /// and no line stands before this one, that is a line; otherwise it is begun, and replied to.
    pub(super) fn answered<W: Logs>(
        &mut self,
        request: &Request<'_>,
        status: [u8; 3],
        bytes: u64,
        world: &mut W,
        cx: &mut Cx<'_>,
    ) {
        if self.has_lines() || !cx.is_out() || request.has_any(Name::Authorization.mask()) {
            self.begin(request, cx);
            return self.replied(status, bytes, cx);
        }
        let Some(log) = world.log(self.number) else { return };
        self.set_stamp(cx);
        let line = told(self.form, request);
        if let Some(room) = log.room(log_line::longest(&line, self.limit), cx.now()) {
            let outcome = Outcome { status: Some(status), bytes, milliseconds: 0, completed: true };
            log_line::push_line(self.form, &line, &self.stamp, self.limit, Some(&outcome), room);
            log.pushed(cx.now());
        }
        self.plan(log, cx.lp());
    }

    /// The request that was begun last is read again later, unless its client leaves before.
    pub(super) fn put_off(&mut self) {
        if let Some(entry) = self.entries.last_mut() {
            entry.put_off = true;
        }
    }

    /// What was put off is begun again.
    fn forget_put_off(&mut self) {
        if let Some(before) = &mut self.before {
            before.forget_put_off();
        }
        if self.entries.last().is_some_and(|entry| entry.put_off) {
            if let Some(entry) = self.entries.pop() {
                self.texts.truncate(entry.text.0);
            }
        }
    }

    /// What came is no request; `input` begins with it, or is empty.
    pub(super) fn begin_wrong(&mut self, input: &[u8], cx: &Cx<'_>) {
        let line = first_line(input);
        let target = target_of(line).filter(|_| line.len() <= self.limit);
        let nothing = log_line::Request { user: None, line, target, host: None, referer: None, agent: None };
        self.add(&nothing, cx);
    }

    fn set_stamp(&mut self, cx: &Cx<'_>) {
        self.stamp.set(self.form, cx.now().unix_seconds, gorgon_sys::local_offset);
        let client = cx.client();
        let tag = client.tag();
        if tag.is_some() && tag == self.remote {
            return;
        }
        let bits = client.bits();
        // An address that is not in the table is asked for each time.
        self.remote = tag.filter(|_| bits.is_some());
        if bits.is_none() || bits != self.remote_bits {
            self.remote_bits = bits;
            self.stamp.set_remote(self.form, |text| client.push_address(text));
        }
    }

    fn add(&mut self, line: &log_line::Request<'_>, cx: &Cx<'_>) {
        self.forget_put_off();
        if self.off {
            return;
        }
        self.set_stamp(cx);
        let from = self.texts.len();
        let split = log_line::push_line(self.form, line, &self.stamp, self.limit, None, &mut self.texts);
        self.entries.push(Entry {
            text: (from, self.texts.len()),
            split,
            status: None,
            open: true,
            put_off: false,
            start: 0,
            end: 0,
            began: cx.now().milliseconds,
        });
    }

    /// The reply was written, with so many bytes of body at its end.
    pub(super) fn replied(&mut self, status: [u8; 3], body: u64, cx: &Cx<'_>) {
        if let Some(before) = &mut self.before {
            before.replied(status, body, cx);
        }
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.open) {
            entry.end = place(cx.produced());
            entry.start = entry.end - place(body);
            entry.status = Some(status);
            entry.open = false;
        }
    }

    /// The reply's head was written; its body follows.
    pub(super) fn streamed(&mut self, status: [u8; 3], cx: &Cx<'_>) {
        if let Some(before) = &mut self.before {
            before.streamed(status, cx);
        }
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.open) {
            entry.start = place(cx.produced());
            entry.status = Some(status);
        }
    }

    /// All of the reply's body was written.
    pub(super) fn ended(&mut self, cx: &Cx<'_>) {
        if let Some(before) = &mut self.before {
            before.ended(cx);
        }
        if let Some(entry) = self.entries.last_mut().filter(|entry| entry.open) {
            entry.end = place(cx.produced());
            entry.open = false;
        }
    }

    /// Whether [`AccessLog::settle`] has anything to do.
    pub(super) fn has_lines(&self) -> bool {
        !self.entries.is_empty() || self.before.is_some() || self.off
    }

    /// After a connection was served: sends what it wrote, ends the lines of what went out whole, and keeps the others.
    pub(super) fn settle<W: Logs>(&mut self, world: &mut W, cx: &mut Cx<'_>) {
        if let Some(before) = &mut self.before {
            before.settle(world, cx);
            self.tidy(world, cx.lp());
        }
        if self.entries.is_empty() {
            return;
        }
        let unsent = cx.flush();
        let total = place(cx.produced());
        let went = total - place(unsent);
        let mut log = world.log(self.number);
        for at in 0..self.entries.len() {
            let Some(&entry) = self.entries.get(at) else { break };
            if entry.is_out(went) {
                self.end_line(&entry, went, log.as_deref_mut(), cx.lp());
            }
        }
        if self.entries.last().is_some_and(|entry| !entry.is_out(went)) {
            self.keep(went, total, cx.id());
            if unsent > 0 {
                cx.notify_drained();
            }
        }
        // Their memory serves the next call.
        self.entries.clear();
        self.texts.clear();
    }

    /// Has the lines wait of what is not out.
    fn keep(&mut self, went: i64, total: i64, id: ConnId) {
        let (mut entries, mut texts) = (Vec::new(), Vec::new());
        for mut entry in self.entries.iter().copied().filter(|entry| !entry.is_out(went)) {
            if entry.open {
                entry.end = total;
                if entry.status.is_none() {
                    entry.start = total;
                }
            }
            entry.start -= total;
            entry.end -= total;
            let from = texts.len();
            texts.extend_from_slice(self.texts.get(entry.text.0..entry.text.1).unwrap_or(&[]));
            entry.text = (from, texts.len());
            entries.push(entry);
        }
        let slot = id.slot() as usize;
        if self.waiting.len() <= slot {
            self.waiting.resize_with(slot + 1, || None);
        }
        if let Some(place) = self.waiting.get_mut(slot) {
            self.count += 1;
            *place = Some(Box::new(Waiting { entries, texts }));
        }
    }

    /// A connection is gone: its lines say how much went.
    pub(super) fn close<W: Logs>(&mut self, id: ConnId, world: &mut W, lp: &mut Loop) {
        if let Some(before) = &mut self.before {
            before.close(id, world, lp);
            self.tidy(world, lp);
        }
        self.recall(id);
        let (mut log, went) = (world.log(self.number), -place(lp.lost()));
        for mut entry in core::mem::take(&mut self.entries) {
            entry.status = entry.status.or(Some(GONE));
            self.end_line(&entry, went, log.as_deref_mut(), lp);
        }
        self.texts.clear();
    }

    /// Writes a line. The output has gone up to `went`.
    fn end_line(&mut self, entry: &Entry, went: i64, log: Option<&mut Log>, lp: &mut Loop) {
        let Some(log) = log else { return };
        let now = lp.now();
        let outcome = Outcome {
            status: entry.status,
            bytes: (went.min(entry.end) - entry.start).max(0).unsigned_abs(),
            milliseconds: now.milliseconds.saturating_sub(entry.began),
            completed: entry.is_out(went),
        };
        let text = self.texts.get(entry.text.0..entry.text.1).unwrap_or(&[]);
        // Numbers and words, beside the text.
        if let Some(room) = log.room(text.len() + 160, now) {
            log_line::finish(self.form, text, entry.split, &outcome, room);
            log.pushed(now);
        }
        self.plan(log, lp);
    }

    /// Has the log's timer called if it wants that.
    fn plan(&self, log: &mut Log, lp: &mut Loop) {
        if log.wants_timer() {
            lp.set_timer(PATIENCE, self.service, LOG_TIMER);
        }
    }

    /// The timer has fired.
    pub(super) fn timer<W: Logs>(&mut self, world: &mut W, lp: &mut Loop) {
        if let Some(before) = &mut self.before {
            before.timer(world, lp);
        }
        if let Some(log) = world.log(self.number) {
            log.timer(lp.now());
            self.plan(log, lp);
        }
    }

    /// Gives memory back.
    pub(super) fn trim(&mut self) {
        if self.count == 0 {
            self.waiting = Vec::new();
        }
    }
}

/// What a line tells of a request, but for the name its client gave.
fn told<'a>(form: Form, request: &Request<'a>) -> log_line::Request<'a> {
    let (line, target) = request.line();
    // The first two forms do not tell the host.
    let host = if form == Form::Json { request.authority() } else { &[] };
    log_line::Request {
        user: None,
        line,
        target: Some(target),
        host: Some(host).filter(|host| !host.is_empty()),
        referer: request.field(Name::Referer),
        agent: request.field(Name::UserAgent),
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

/// Where the target is in a line that has three parts with one space between them.
fn target_of(line: &[u8]) -> Option<(usize, usize)> {
    let space = |text: &[u8]| text.iter().position(|&byte| byte == b' ');
    let start = space(line)? + 1;
    let end = start + space(line.get(start..)?)?;
    let last = line.get(end + 1..)?;
    (start > 1 && end > start && !last.is_empty() && space(last).is_none()).then_some((start, end))
}

/// The digits of the status of a reply that lies ready: `HTTP/1.1 200 ..`.
pub(super) fn status_of(reply: &[u8]) -> [u8; 3] {
    reply.get(9..).and_then(|rest| rest.first_chunk()).copied().unwrap_or(*b"000")
}

/// The digits of a status.
pub(super) fn digits_of(status: Status) -> [u8; 3] {
    let digit = |value: u16| b'0' + (value % 10) as u8;
    let code = status.code();
    [digit(code / 100), digit(code / 10), digit(code)]
}
