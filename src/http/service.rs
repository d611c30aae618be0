//! The one adapter between HTTP and the loop: bytes in, replies out, and what is read next.
//!
//! Most requests are parsed, answered and forgotten within one call, so a connection between requests, or one that is
//! sent a file, keeps nothing here: its key is `IDLE`; what can be told of the request whose reply waits for the peer is
//! kept with that output, and goes with it. What cannot be answered in one go has an `Exchange`, named by
//! the key. A connection that ends while the peer may still be sending is lingered on: our side is closed, and what
//! comes is read away for a while, for the system would answer unread input with a reset that destroys the reply.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::any::Any;

use crate::engine::log::Logs;
use crate::engine::slab::Slab;
use crate::engine::values::{ConnId, Key, Next, Timeout};
use crate::engine::{Cx, Loop, Service, Sight};
use crate::fs::VPathBuf;
use crate::tree::{About, Path, Value};

use super::date::DateText;
use super::error_page::PageForm;
use super::exchange::{Exchange, Fed, Noted, Pumped, Shape, Stage};
use super::facts::HttpFacts;
use super::handler::Means;
use super::head::{self, Fields, Head, Parsed};
use super::request::Request;
use super::router::Router;
use super::settings::HttpSettings;
use super::status::Status;
use access::LOG_TIMER;

mod access;
mod answer;
pub mod change;
pub mod passwords;
mod sight;

pub use access::AccessLog;
pub use change::{Access, Change};

/// Between requests.
const IDLE: Key = 0;
/// The last reply is on its way, then our side is closed.
const LEAVING: Key = Key::MAX;
/// Our side is closed; what the peer still sends is read away.
const LINGERING: Key = Key::MAX - 1;

/// A request head must be complete.
const HEADER: Timeout = Timeout(1);
/// The next request must begin.
const BETWEEN: Timeout = Timeout(2);
/// How often the rate of a body is looked at.
const BODY: Timeout = Timeout(3);
/// How long a peer is lingered on.
const LINGER: Timeout = Timeout(4);

/// How long a handler may have a request wait.
const WAITING: Timeout = Timeout(5);

/// A handler that has nobody woken for so long will not: in milliseconds.
const WAIT: u64 = 30_000;
/// How often the handlers are asked to let go what nobody asked for, in milliseconds.
const SWEEP: u64 = 5000;
/// The token of the timer for that.
const SWEEP_TIMER: u32 = 0;

/// An HTTP server.
pub struct HttpService<W> {
    /// Its own.
    number: u8,
    router: Router<W>,
    exchanges: Slab<Exchange<W>>,
    limits: head::Limits,
    keep_alive: bool,
    body_max: u64,
    drain_max: u64,
    rate_floor: u64,
    rate_grace: u64,
    // Reused from request to request.
    fields: Fields,
    head: Head,
    path: VPathBuf,
    date: DateText,
    text: Vec<u8>,
    /// A timer for the handlers' sweep is set.
    sweeps: bool,
    access: Option<Box<AccessLog>>,
    /// Handlers want to know where requests come from.
    addresses: bool,
    /// The credentials of the request that was answered last were right.
    granted: bool,
    /// Where in the input the request begins that was answered last, while nothing was parsed after it.
    answered: Option<usize>,
    facts: HttpFacts,
}

/// What follows an answer.
enum After<W> {
    /// The next request.
    Keep,
    /// The same request again, once the connection is woken.
    Wait,
    /// The end, once the reply is out.
    Close,
    /// The end, but the peer may still be sending.
    Leave,
    /// The exchange goes on.
    Begin(Exchange<W>),
}

impl<W: Logs> HttpService<W> {
    /// A server with its handlers.
    pub fn new(settings: &HttpSettings, router: Router<W>) -> HttpService<W> {
        let mut service = HttpService {
            number: u8::MAX,
            addresses: router.wants_addresses(),
            router,
            exchanges: Slab::new(),
            limits: head::Limits::default(),
            keep_alive: false,
            body_max: 0,
            drain_max: 0,
            rate_floor: 0,
            rate_grace: 0,
            fields: Fields::default(),
            head: Head::default(),
            path: VPathBuf::default(),
            date: DateText::default(),
            text: Vec::new(),
            sweeps: false,
            access: None,
            granted: false,
            answered: None,
            facts: HttpFacts::default(),
        };
        service.tune(settings);
        service
    }

    /// Writes a line of every request.
    pub fn set_access_log(&mut self, mut access: AccessLog) {
        access.set_service(self.number);
        self.access = Some(Box::new(access));
    }

    /// Feeds input to the exchange; gives how much it used, and what is next when that is not "the next request".
    fn feed(&mut self, key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Option<Next>) {
        let Some(exchange) = self.exchanges.get_mut(*key - 1) else {
            return (input.len(), Some(Next::Close));
        };
        let (used, fed) = exchange.feed(input, world);
        let mut shape = exchange.shape;
        match (exchange.stage(), fed) {
            (Stage::Receiving | Stage::Discarding, Fed::More) => (used, Some(Next::More)),
            (Stage::Receiving, Fed::Complete) => {
                let Some(sink) = exchange.take_sink() else { return (used, Some(Next::Close)) };
                let response = sink.finish(cx.now(), world);
                self.date.set(cx.now().unix_seconds);
                match self.respond(response, &mut shape, world, cx) {
                    Some(made) => {
                        if let Some(exchange) = self.exchanges.get_mut(*key - 1) {
                            exchange.shape = shape;
                            exchange.start_stream(made);
                        }
                        (used, Some(Next::Drain))
                    }
                    None => (used, self.ended(key, shape, used < input.len(), world, cx)),
                }
            }
            (Stage::Discarding, Fed::Complete) => {
                (used, self.ended(key, shape, used < input.len(), world, cx))
            }
            (Stage::Receiving, Fed::Refused(status)) => {
                self.refuse(status, shape, world, cx);
                (input.len(), Some(self.leave(key, world, cx)))
            }
            // It is answered; all that can still be said is the end.
            (Stage::Discarding, Fed::Refused(_)) => (input.len(), Some(self.leave(key, world, cx))),
            (Stage::Streaming, Fed::More | Fed::Complete | Fed::Refused(_)) => (used, Some(Next::Drain)),
        }
    }

    /// The exchange is over. Gives what is next, unless that is the next request.
    fn ended(
        &mut self,
        key: &mut Key,
        shape: Shape,
        unread: bool,
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> Option<Next> {
        // While output waits more may come.
        if shape.close && (unread || cx.held()) {
            return Some(self.leave(key, world, cx));
        }
        self.forget(key, world, cx.lp());
        shape.close.then_some(Next::Close)
    }

    /// Our side ends when the reply is out.
    fn leave(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        self.forget(key, world, cx.lp());
        *key = LEAVING;
        Next::Drain
    }

    /// Drops the exchange that a key names.
    fn forget(&mut self, key: &mut Key, world: &mut W, lp: &mut Loop) {
        if let Some(mut exchange) = key.checked_sub(1).and_then(|number| self.exchanges.remove(number)) {
            let now = lp.now();
            exchange.end(&mut Means { world, files: lp.files(), now });
        }
        *key = IDLE;
    }

    /// Makes the next piece of a reply's body.
    fn pump(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        let Some(exchange) = self.exchanges.get_mut(*key - 1) else { return Next::Close };
        if exchange.stage() != Stage::Streaming {
            // The log waited for the output; the request's body is still to come.
            return Next::Read(cx.class());
        }
        let limit = cx.write_buffer();
        let now = cx.now();
        let pumped = cx.write_with(limit, |room, files| {
            exchange.pump(room, &mut Means { world: &mut *world, files, now })
        });
        if let (Some(access), Some(Pumped::End)) = (&mut self.access, pumped) {
            access.ended(cx);
        }
        match pumped {
            Some(Pumped::More) => Next::Drain,
            Some(Pumped::Pending) => Next::Wait(Timeout::NEVER),
            Some(Pumped::Disk) => {
                cx.wait_for_disk();
                Next::Wait(Timeout::NEVER)
            }
            // Nothing was read meanwhile: what came would, unread at the close, have the reply thrown away.
            Some(Pumped::End) if exchange.shape.close => self.leave(key, world, cx),
            Some(Pumped::End) if exchange.has_whole_body() => {
                self.forget(key, world, cx.lp());
                Next::Read(BETWEEN)
            }
            Some(Pumped::End) => {
                exchange.discard_rest(&mut Means { world, files: cx.files(), now });
                Next::Read(BODY)
            }
            Some(Pumped::Failed) | None => Next::Close,
        }
    }

    /// Takes requests from the input until they or it are at an end.
    fn read(&mut self, key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Next) {
        let mut at = 0;
        let mut begun = false;
        loop {
            let rest = input.get(at..).unwrap_or(&[]);
            if *key == LINGERING {
                return (input.len(), Next::More);
            }
            if *key == LEAVING {
                return (input.len(), Next::Drain);
            }
            if *key != IDLE {
                let (used, next) = self.feed(key, rest, world, cx);
                at += used;
                match next {
                    Some(Next::More) if begun => return (at, Next::Read(BODY)),
                    Some(next) => return (at, next),
                    None => {}
                }
            }
            let rest = input.get(at..).unwrap_or(&[]);
            if rest.is_empty() || cx.held() {
                return (at, Next::Read(BETWEEN));
            }
            self.answered = None;
            let resume = if at == 0 { cx.resume() } else { 0 };
            let length = match head::parse(rest, resume, &self.limits, &mut self.fields, &mut self.head) {
                Parsed::Complete { length } => length,
                Parsed::Partial { resume } => {
                    cx.set_resume(resume);
                    // The time for a head counts from its first byte, and no further byte renews it.
                    let same = at == 0 && cx.class() == HEADER;
                    return (at, if same { Next::More } else { Next::Read(HEADER) });
                }
                Parsed::Error(error) => {
                    // Even a wrong request for a head gets no body.
                    let head_only = rest.strip_prefix(b"\r\n").unwrap_or(rest).starts_with(b"HEAD ");
                    let shape = Shape { is_11: true, head_only, close: true, page: PageForm::Text };
                    if let Some(access) = &mut self.access {
                        access.begin_wrong(rest, cx);
                    }
                    self.refuse(error.status(), shape, world, cx);
                    return (input.len(), self.leave(key, world, cx));
                }
            };
            self.answered = Some(at);
            at += length;
            match self.answer(rest, at == input.len(), world, cx) {
                After::Keep => {}
                After::Wait => {
                    if let Some(access) = &mut self.access {
                        access.put_off();
                    }
                    self.facts.requests -= 1;
                    self.router.put_off(self.path.path().as_bytes());
                    // Another service has to act on it.
                    cx.lp().settle_soon();
                    return (at - length, Next::Wait(WAITING));
                }
                After::Close if at == input.len() && !cx.held() => return (at, Next::Close),
                After::Close | After::Leave => return (input.len(), self.leave(key, world, cx)),
                After::Begin(mut exchange) => {
                    let request = Request::new(rest, &self.head, &self.fields);
                    exchange.note(Noted::of(&request, self.granted));
                    let streams = exchange.stage() == Stage::Streaming;
                    match self.exchanges.insert(exchange) {
                        Ok(number) => *key = number + 1,
                        Err(_) => return (input.len(), Next::Close),
                    }
                    if streams {
                        return (at, Next::Drain);
                    }
                    begun = true;
                }
            }
        }
    }

    /// All output is out: goes on with what waited for that.
    fn go_on(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        match *key {
            // The log waited for it.
            IDLE => Next::Read(cx.class()),
            LEAVING => {
                cx.end_output();
                *key = LINGERING;
                if cx.ended() { Next::Close } else { Next::Read(LINGER) }
            }
            LINGERING => Next::More,
            _ => self.pump(key, world, cx),
        }
    }

    /// A deadline passed.
    fn give_up(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        let shape = Shape { is_11: true, head_only: false, close: true, page: PageForm::Text };
        match *key {
            IDLE if cx.class() == WAITING => {
                // It is not asked again, so it counts now.
                self.facts.requests += 1;
                self.refuse(Status::SERVICE_UNAVAILABLE, shape, world, cx);
                self.leave(key, world, cx)
            }
            IDLE if cx.has_unread() => {
                if let Some(access) = &mut self.access {
                    access.begin_wrong(&[], cx);
                }
                self.refuse(Status::REQUEST_TIMEOUT, shape, world, cx);
                self.leave(key, world, cx)
            }
            IDLE | LINGERING | LEAVING => Next::Close,
            number => {
                let Some(exchange) = self.exchanges.get_mut(number - 1) else { return Next::Close };
                if exchange.keeps_rate(self.rate_floor, self.rate_grace) {
                    return Next::Read(BODY);
                }
                match exchange.stage() {
                    Stage::Receiving => {
                        self.refuse(Status::REQUEST_TIMEOUT, shape, world, cx);
                        self.leave(key, world, cx)
                    }
                    Stage::Discarding | Stage::Streaming => Next::Close,
                }
            }
        }
    }

    /// Keeps what can be told of the request that was answered last while its reply waits for the peer: most do not.
    fn note_answered(&mut self, input: &[u8], cx: &mut Cx<'_>) {
        let Some(at) = self.answered.take() else { return };
        // As the end of the call would, which is all that is left of it.
        if cx.flush() > 0 {
            let request = Request::new(input.get(at..).unwrap_or(&[]), &self.head, &self.fields);
            let noted = Noted::of(&request, self.granted);
            cx.note(&noted.line, &noted.user);
        }
    }

    /// What the log waits for on this connection is at hand while it is served.
    fn recall_log(&mut self, cx: &Cx<'_>) {
        if let Some(access) = &mut self.access {
            access.recall(cx.id());
        }
    }

    /// Ends the lines of what was answered.
    fn settle_log(&mut self, world: &mut W, cx: &mut Cx<'_>) {
        if let Some(access) = self.access.as_mut().filter(|access| access.has_lines()) {
            access.settle(world, cx);
            self.forget_log();
        }
    }
}

impl<W: Logs + 'static> Service<W> for HttpService<W> {
    fn on_open(&mut self, _key: &mut Key, _world: &mut W, cx: &mut Cx<'_>) -> Next {
        if !self.sweeps {
            self.sweeps = true;
            cx.lp().set_timer(SWEEP, self.number, SWEEP_TIMER);
        }
        Next::Read(HEADER)
    }

    fn on_bytes(&mut self, key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Next) {
        self.recall_log(cx);
        let outcome = self.read(key, input, world, cx);
        self.note_answered(input, cx);
        self.settle_log(world, cx);
        outcome
    }

    fn on_drained(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        self.recall_log(cx);
        let next = self.go_on(key, world, cx);
        self.settle_log(world, cx);
        next
    }

    fn on_wake(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        self.on_drained(key, world, cx)
    }

    fn on_timeout(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        self.recall_log(cx);
        let next = self.give_up(key, world, cx);
        self.settle_log(world, cx);
        next
    }
    fn on_end(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Close
    }

    fn on_close(&mut self, mut key: Key, id: ConnId, world: &mut W, lp: &mut Loop) {
        if let Some(access) = &mut self.access {
            access.close(id, world, lp);
            self.forget_log();
        }
        if key != LEAVING && key != LINGERING {
            self.forget(&mut key, world, lp);
        }
    }

    fn on_timer(&mut self, token: u32, service: u8, world: &mut W, lp: &mut Loop) {
        if token == LOG_TIMER {
            if let Some(access) = &mut self.access {
                access.timer(world, lp);
            }
            return;
        }
        if let Some(access) = &mut self.access {
            access.trim();
        }
        let now = lp.now();
        self.sweeps = self.router.sweep(now, lp.files()) || lp.connections() > 0;
        if self.sweeps {
            lp.set_timer(SWEEP, service, SWEEP_TIMER);
        }
    }

    fn on_added(&mut self, service: u8) {
        self.number = service;
        if let Some(access) = &mut self.access {
            access.set_service(service);
        }
    }

    fn on_removed(&mut self, world: &mut W, lp: &mut Loop) {
        self.give_back(world, lp);
    }

    fn as_any(&mut self) -> Option<&mut dyn Any> {
        Some(self)
    }

    fn inspect(&self, out: &mut dyn FnMut(&Path<'_>, &'static About, Value)) {
        self.tell_facts(out);
    }

    fn describe(&self, seen: &Sight<'_>, out: &mut dyn FnMut(&'static str, Value)) {
        self.tell_connection(seen, out);
    }

    fn settle(&mut self, _world: &mut W, _lp: &mut Loop) {
        if self.exchanges.has_spare() && self.exchanges.is_empty() {
            self.exchanges.trim();
        }
    }
}
