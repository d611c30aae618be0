//! The sockets of a monitor: lets peers in, hands what they ask to their sessions, and sends what those answer.
//!
//! ```text
//!                     credentials that have a role
//!   Unix ─────────────────────────────────────────▶ Session ◀─┐ on_bytes, on_wake, on_drained
//!                                                      ▲  └────┘
//!            greeting                  in              │
//!   TCP ────────────────▶ Login ───────────────────────┘
//!                           │ out, by key
//!                           └───────────────▶ Shut ── a second later ──▶ told, closed
//! ```
//! What is asked is not done here: the session has work, and the program does it after the turn ([`super::commands`]), for
//! only it reaches everything. Then the connection is woken. While a session works nothing is read of its peer, and while
//! its peer takes nothing it does not go on.
//!
//! A program that drains does not wait for these connections: they look on until the end.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::any::Any;

use gorgon_sys::{fill_random, process_id};

use super::failure::fill;
use super::login::door::{Door, Origin};
use super::login::{FAREWELL, Login, NONCE, Outcome};
use super::medusa::{self, Heard, PROMPT};
use super::refusals::{EARLY, FULL, IDLED, LATE, NO_RANDOM, REFUSED, Refusals};
use super::roles::{self, Roles};
use super::session::Session;
use super::sessions::Sessions;
use super::settings::MonitorSettings;
use crate::engine::values::{CLASSES, ConnId, Key, Next, Now, Timeout};
use crate::engine::{Cx, Limits, Loop, Service};
use crate::text::join::joined;
use crate::text::number::push_decimal_str;
use crate::tree::{Actor, Role};

pub mod key_file;
mod room;
use key_file::KeyFile;
pub use room::Counters;
use room::Peer;

/// Somebody logs in.
const LOGIN: Timeout = Timeout(1);
/// Somebody was not let in, and is told later.
const SHUT: Timeout = Timeout(2);
/// Somebody is in.
const IDLE: Timeout = Timeout(3);

/// How long one waits to be told that the proof was wrong, in milliseconds.
const PENALTY: u64 = 1000;
/// How many may wait so; more of them are told at once. Their addresses have to wait in any case.
const SHUT_MAX: usize = 16;

/// What monitors need of the world.
pub trait HasSessions {
    /// The sessions.
    fn sessions(&mut self) -> &mut Sessions;
    /// The door that those stand in who come by TCP.
    fn door(&mut self) -> &mut Door;
    /// Notes an event.
    fn note(&mut self, now: Now, words: &[&str]);
}

/// Who may come in, as it was resolved.
#[derive(Default)]
pub struct Access {
    /// By a Unix socket.
    pub roles: Roles,
    /// By TCP; none for those that it has.
    pub keys: Option<KeyFile>,
    /// By TCP it is Medusa's handshake.
    pub legacy: bool,
    /// Sessions at once.
    pub max_sessions: u32,
}

/// What a connection is.
enum Guest {
    Login { login: Box<Login>, origin: Origin },
    Shut(&'static [u8]),
    Session(Place, Peer),
}

/// A session and how its peer talks.
#[derive(Clone, Copy)]
struct Place {
    number: u32,
    medusa: bool,
    /// The prompt was given, and no line came since.
    prompted: bool,
}

impl Place {
    /// Asks for a line, where that is the custom.
    #[inline(never)]
    fn prompt(&mut self, session: &Session, cx: &mut Cx<'_>) {
        if self.medusa && !self.prompted && session.wants_input() {
            self.prompted = true;
            cx.write(PROMPT);
        }
    }
}

/// The service of one monitor.
pub struct MonitorService {
    /// The name of its node.
    name: String,
    access: Access,
    keys: KeyFile,
    /// By the keys of connections, less one.
    guests: Vec<Option<Guest>>,
    counters: Counters,
    refusals: Refusals,
    /// Other rules hold than those that who is in was let in by.
    stale: bool,
}

impl MonitorService {
    /// A monitor of that name.
    #[must_use]
    pub fn new(name: &str, access: Access) -> MonitorService {
        let mut service = MonitorService {
            name: name.into(),
            access: Access::default(),
            keys: KeyFile::default(),
            guests: Vec::new(),
            counters: Counters::default(),
            refusals: Refusals::default(),
            stale: false,
        };
        service.change(access);
        service
    }

    /// The loop's limits for it. How many may come in is its own matter.
    #[must_use]
    pub fn limits(settings: &MonitorSettings) -> Limits {
        let mut timeouts = [0; CLASSES];
        let times = [(LOGIN, settings.login_timeout), (SHUT, PENALTY), (IDLE, settings.idle_timeout)];
        for (Timeout(class), time) in times {
            if let Some(place) = timeouts.get_mut(usize::from(class)) {
                *place = time;
            }
        }
        Limits { timeouts, addresses: true, looks_on: true, ..Limits::default() }
    }

    /// Takes other rules; who is in goes by them as soon as the services settle. It is found in the loop by
    /// [`Service::as_any`].
    pub fn change(&mut self, mut access: Access) {
        self.stale = true;
        if let Some(keys) = access.keys.take() {
            self.keys = keys;
        }
        self.access = access;
    }

    /// Notes an event of this monitor.
    #[inline(never)]
    fn note<W: HasSessions>(&self, now: Now, text: &str, words: &[&str], world: &mut W) {
        world.note(now, &["monitor ", &self.name, ": ", &fill(text, words)]);
    }

    /// Looks whether there are other keys.
    #[inline(never)]
    fn refresh<W: HasSessions>(&mut self, now: Now, world: &mut W) {
        match self.keys.refresh() {
            Ok(others) => self.stale |= others,
            Err(problem) => {
                self.stale = true;
                self.note(now, "%", &[&problem], world);
            }
        }
    }

    fn guest(&mut self, key: Key) -> Option<&mut Guest> {
        let at = (key as usize).checked_sub(1)?;
        self.guests.get_mut(at)?.as_mut()
    }

    /// Gives a connection its place.
    fn seat(&mut self, key: &mut Key, guest: Guest) {
        if self.guest(*key).is_none() {
            let at = self.guests.iter().position(Option::is_none).unwrap_or(self.guests.len());
            if at == self.guests.len() {
                self.guests.push(None);
            }
            *key = at as Key + 1;
        }
        if let Some(place) = self.guests.get_mut(*key as usize - 1) {
            *place = Some(guest);
        }
    }

    /// Lets somebody in.
    fn begin<W: HasSessions>(
        &mut self,
        key: &mut Key,
        actor: Actor,
        peer: Peer,
        medusa: bool,
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> Next {
        if !self.make_room(actor.role, world, cx) {
            cx.write(if medusa { FAREWELL } else { FULL });
            return Next::Close;
        }
        self.counters.sessions += 1;
        if medusa {
            cx.write(medusa::welcome(process_id(), roles::word(actor.role)).as_bytes());
            cx.write(PROMPT);
        }
        let number = world.sessions().open(cx.id(), actor, cx.now().milliseconds);
        self.seat(key, Guest::Session(Place { number, medusa, prompted: medusa }, peer));
        Next::Read(IDLE)
    }

    /// One who comes by TCP: is greeted, unless the door is shut.
    fn greet<W: HasSessions>(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        // One that is gone already has no address.
        let Some(bits) = cx.client().bits() else { return Next::Close };
        let (origin, now, legacy) = (Origin::of(bits), cx.now(), self.access.legacy);
        let wait = world.door().wait(origin, now.milliseconds);
        if wait > 0 {
            return turn_away(legacy, wait, cx);
        }
        // Of which role one is who comes will be known when they are in.
        let full = self.counters.sessions >= self.access.max_sessions;
        if full && self.least(Role::Admin, world).is_none() {
            return refuse(legacy, FULL, cx);
        }
        let mut random = [0; NONCE];
        if fill_random(&mut random).is_err() {
            return refuse(legacy, NO_RANDOM, cx);
        }
        if let Some(stalled) = world.door().enter(cx.id(), origin) {
            cx.lp().close(stalled);
        }
        self.refresh(now, world);
        let login = Login::new(legacy.then_some(now.unix_seconds), random);
        let mut out = Vec::new();
        login.greet(&mut out);
        cx.write(&out);
        self.seat(key, Guest::Login { login: Box::new(login), origin });
        Next::Read(LOGIN)
    }

    /// Input of one who logs in.
    fn log_in<W: HasSessions>(
        &mut self,
        key: &mut Key,
        input: &[u8],
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> (usize, Next) {
        let now = cx.now();
        // Whose key is gone by now has none, whatever was asked of them before.
        self.refresh(now, world);
        let at = (*key as usize).wrapping_sub(1);
        let Some(Some(Guest::Login { login, origin })) = self.guests.get_mut(at) else {
            return (input.len(), Next::Close);
        };
        let (origin, legacy) = (*origin, login.is_legacy());
        let wait = world.door().wait(origin, now.milliseconds);
        if wait > 0 {
            // Another one from there has guessed wrong meanwhile: to guess side by side is no way round the wait.
            return (input.len(), turn_away(legacy, wait, cx));
        }
        let (mut used, mut out) = (0, Vec::new());
        let outcome = loop {
            let rest = input.get(used..).unwrap_or_default();
            let (count, outcome) = login.feed(rest, self.keys.keys(), &mut out);
            used += count;
            if outcome != Outcome::More || count == 0 || used >= input.len() {
                break outcome;
            }
        };
        cx.write(&out);
        let who = String::from(login.user());
        match outcome {
            Outcome::More => {
                if !who.is_empty() {
                    world.door().name(cx.id());
                }
                (used, Next::More)
            }
            Outcome::In(role) => {
                self.leave(key, cx.id(), world);
                let from = joined(&[&who, " from ", &address(cx)]);
                self.note(now, "% logged in as %", &[&from, roles::word(role)], world);
                (used, self.begin(key, Actor { role, who: from }, Peer::Key(who), legacy, world, cx))
            }
            Outcome::Out(why) => {
                self.counters.failed_logins += 1;
                world.door().fail(origin, now.milliseconds);
                let of = if who.is_empty() { "" } else { " of " };
                let words = [of, &who, &address(cx), why.words()];
                self.note(now, "login%% from % failed: %", &words, world);
                world.door().leave(cx.id());
                let farewell = why.farewell(legacy);
                let shut = self.guests.iter().flatten().filter(|guest| matches!(guest, Guest::Shut(_)));
                if legacy || shut.count() >= SHUT_MAX {
                    cx.write(farewell);
                    return (input.len(), Next::Close);
                }
                self.seat(key, Guest::Shut(farewell));
                (input.len(), Next::Wait(SHUT))
            }
        }
    }

    /// Input of one who is in.
    fn hear<W: HasSessions>(
        &mut self,
        mut place: Place,
        key: Key,
        input: &[u8],
        world: &mut W,
        cx: &mut Cx<'_>,
    ) -> (usize, Next) {
        let Some(session) = world.sessions().get(place.number) else { return (input.len(), Next::Close) };
        let mut used = 0;
        while session.wants_input() {
            let rest = input.get(used..).unwrap_or_default();
            if !place.medusa {
                used += session.feed(rest);
                break;
            }
            let (count, heard) = medusa::hear(rest);
            used += count;
            match heard {
                Heard::Nothing => break,
                Heard::Empty => cx.write(PROMPT),
                Heard::Line(line) => {
                    place.prompted = false;
                    session.feed(&line);
                    // It may have been a comment, and nothing will be answered.
                    place.prompt(session, cx);
                }
                Heard::Over => {
                    cx.write(FAREWELL);
                    return (input.len(), Next::Close);
                }
            }
        }
        let next = if session.wants_input() { Next::Read(IDLE) } else { Next::Wait(Timeout::NEVER) };
        if session.has_work() {
            cx.lp().settle_soon();
        }
        self.keep(key, place);
        (used, next)
    }

    /// Sends what the session of one who is in has answered, as far as the peer takes it.
    fn tell<W: HasSessions>(&mut self, mut place: Place, key: Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        let Some(session) = world.sessions().get(place.number) else { return Next::Close };
        self.count(session);
        let (mut told, mut room) = (false, Vec::new());
        while !session.output().is_empty() {
            if cx.held() {
                return Next::Drain;
            }
            let piece = session.output();
            let piece = piece.get(..cx.write_buffer()).unwrap_or(piece);
            let count = piece.len();
            if place.medusa {
                room.clear();
                medusa::say(piece, &mut room);
                cx.write(&room);
            } else {
                cx.write(piece);
            }
            session.sent(count);
            told = true;
        }
        if session.is_over() {
            if place.medusa {
                cx.write(FAREWELL);
            }
            return Next::Close;
        }
        if told || session.has_work() {
            // There is room again for what waited for it.
            cx.lp().settle_soon();
        }
        if !session.wants_input() {
            return Next::Wait(Timeout::NEVER);
        }
        place.prompt(session, cx);
        self.keep(key, place);
        Next::Read(IDLE)
    }
}

impl<W: HasSessions> Service<W> for MonitorService {
    fn on_open(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        let Some(peer) = cx.credentials() else { return self.greet(key, world, cx) };
        let mut who = String::from("uid ");
        push_decimal_str(peer.uid.into(), &mut who);
        if let Some(process) = peer.pid {
            who.push_str(", pid ");
            push_decimal_str(process.into(), &mut who);
        }
        match self.access.roles.of(peer.uid, peer.gid) {
            Some(role) => {
                let peer = Peer::Unix(peer.uid, peer.gid);
                self.begin(key, Actor { role, who }, peer, false, world, cx)
            }
            None => {
                if let Some(more) = self.refusals.count(cx.now().milliseconds) {
                    self.note(cx.now(), "refused %, who has no role%", &[&who, &more], world);
                }
                cx.write(REFUSED);
                Next::Close
            }
        }
    }

    fn on_bytes(&mut self, key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Next) {
        match self.guest(*key) {
            Some(Guest::Login { .. }) => self.log_in(key, input, world, cx),
            Some(Guest::Session(place, peer)) => {
                let place = *place;
                if matches!(peer, Peer::Key(_)) {
                    // What is asked is done after the services have settled, and so by the keys that hold now.
                    self.refresh(cx.now(), world);
                }
                self.hear(place, *key, input, world, cx)
            }
            Some(Guest::Shut(_)) => (input.len(), Next::Wait(SHUT)),
            None => (input.len(), Next::Close),
        }
    }

    fn on_drained(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        self.on_wake(key, world, cx)
    }

    fn on_wake(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        match self.guest(*key) {
            Some(Guest::Session(place, _)) => {
                let place = *place;
                self.tell(place, *key, world, cx)
            }
            Some(Guest::Login { .. }) => Next::More,
            Some(Guest::Shut(_)) => Next::Wait(SHUT),
            None => Next::Close,
        }
    }

    fn on_timeout(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        match self.guest(*key) {
            Some(Guest::Login { login, .. }) => {
                let legacy = login.is_legacy();
                self.note(cx.now(), "login from % took too long", &[&address(cx)], world);
                return refuse(legacy, LATE, cx);
            }
            Some(Guest::Shut(farewell)) => cx.write(farewell),
            Some(Guest::Session(place, _)) => cx.write(if place.medusa { FAREWELL } else { IDLED }),
            None => {}
        }
        Next::Close
    }

    fn on_end(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next {
        let Some(Guest::Session(place, _)) = self.guest(*key) else { return Next::Close };
        if let Some(session) = world.sessions().get(place.number) {
            session.end_input();
        }
        self.on_wake(key, world, cx)
    }

    fn settle(&mut self, world: &mut W, lp: &mut Loop) {
        if core::mem::take(&mut self.stale) {
            self.judge(world, lp);
        }
    }

    fn on_close(&mut self, mut key: Key, id: ConnId, world: &mut W, _lp: &mut Loop) {
        self.leave(&mut key, id, world);
    }

    fn as_any(&mut self) -> Option<&mut dyn Any> {
        Some(self)
    }
}

/// Tells one who comes by TCP why not, and lets it go. Medusa's clients expect no such line.
#[inline(never)]
fn refuse(legacy: bool, why: &[u8], cx: &mut Cx<'_>) -> Next {
    if !legacy {
        cx.write(why);
    }
    Next::Close
}

/// Lets go one who came too early.
#[inline(never)]
fn turn_away(legacy: bool, wait: u64, cx: &mut Cx<'_>) -> Next {
    let mut seconds = String::new();
    push_decimal_str(wait.div_ceil(1000), &mut seconds);
    refuse(legacy, fill(EARLY, &[&seconds]).as_bytes(), cx)
}

/// Where a connection comes from.
fn address(cx: &Cx<'_>) -> String {
    let mut address = Vec::new();
    cx.client().push_address(&mut address);
    String::from_utf8(address).unwrap_or_default()
}
