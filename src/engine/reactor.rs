//! The loop. [`Reactor::turn`] reads from top to bottom: wait, serve what is ready, go on with what was begun, end what
//! took too long, settle.
//!
//! Level-triggered, so that what is not done now is reported again. Work per connection and turn is bounded: one receive,
//! one burst of replies or of a file; and so is the number of those that only go on with what they are sent.

use alloc::boxed::Box;
use alloc::vec::Vec;

use gorgon_sys::{AsFd, Errno, Event, Io, Mapping, Ready, Signal, Signals, peek, recv};

use super::buffers::shrink_rested;
use super::conn::{Conn, Flags, Mode, NONE};
use super::event_loop::{Leaving, Loop};
use super::gather::Gather;
use super::listener::SIGNALS;
use super::pages::{LARGEST, PageId};
use super::scarcity::LOOK;
use super::service::{Cx, Service};
use super::statistics::Work;
use super::values::{ConnId, Flow, Next, Timeout};

/// Room for events that is there from the start; a poller gives a few more when there are.
const EVENTS: usize = 128;
/// Most calls for one connection in a row, before others get their turn.
const CALLS: usize = 32;
/// Most connections that go on with their output in one turn, so that new requests need not wait for all of them.
const GO_ON: usize = 32;
/// The least room for input, what was kept and what is read behind it: as much as any connection may be given while the
/// loop runs. What is never reached takes no memory.
const INPUT: usize = LARGEST;

/// What a turn of the loop ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Turn {
    /// All is done for now.
    Done,
    /// A signal came: what it means is the program's matter.
    Signal(Signal),
    /// Nothing is left to do: the loop was stopped, or is drained.
    Finished,
}

/// The loop with its services and what they share.
pub struct Reactor<W> {
    pub(super) lp: Loop,
    /// By number; none where one is gone.
    pub(super) services: Vec<Option<Box<dyn Service<W>>>>,
    pub(super) world: W,
    signals: Option<Signals>,
    events: Vec<Event>,
    pub(super) scratch: Mapping,
    gather: Gather,
    /// The input of the connection being served was only looked at, behind so many bytes that were kept.
    sip: Option<usize>,
}

/// Why a service is called.
#[derive(Clone, Copy)]
pub(super) enum Call {
    Open,
    /// The input between these places of the scratch.
    Bytes(usize, usize),
    Drained,
    Wake,
    Timeout,
    End,
}

impl<W> Reactor<W> {
    /// A loop with no service yet. `read_buffer` is the largest that any connection may get, in bytes, if it is more than
    /// 1 MiB.
    ///
    /// # Errors
    /// When the system has no memory.
    pub fn new(lp: Loop, world: W, read_buffer: usize) -> Result<Reactor<W>, Errno> {
        let scratch = Mapping::new(read_buffer.max(INPUT))?;
        let events = Vec::with_capacity(EVENTS);
        Ok(Reactor {
            lp,
            services: Vec::new(),
            world,
            signals: None,
            events,
            scratch,
            gather: Gather::new()?,
            sip: None,
        })
    }

    /// Has signals end a turn.
    ///
    /// # Errors
    /// The poller's.
    pub fn watch_signals(&mut self, signals: Signals) -> Result<(), Errno> {
        self.lp.poller.add(signals.as_fd(), SIGNALS, Ready::READ)?;
        self.signals = Some(signals);
        Ok(())
    }

    /// The loop's own things.
    pub fn lp(&mut self) -> &mut Loop {
        &mut self.lp
    }

    /// What the services share.
    pub fn world(&mut self) -> &mut W {
        &mut self.world
    }

    /// One pass through the loop.
    ///
    /// # Errors
    /// When the poller fails: nothing can go on then.
    pub fn turn(&mut self) -> Result<Turn, Errno> {
        let mut events = core::mem::take(&mut self.events);
        let patience = self.lp.patience();
        let waited = self.lp.poller.wait(patience, &mut events);
        let moved = self.lp.read_clock();
        self.lp.counters.turns += 1;
        let mut signalled = false;
        for event in &events {
            match event.token {
                SIGNALS => signalled = true,
                token if token >> 32 == 0 => {
                    self.lp.statistics.step(Work::Read);
                    self.accept_event(token);
                    self.lp.statistics.step(Work::Accept);
                }
                token => {
                    self.ready(ConnId::from_token(token), event.ready);
                    self.lp.statistics.count_step(Work::Read);
                }
            }
        }
        self.lp.statistics.step(Work::Read);
        self.events = events;
        waited?;
        if moved {
            // However many turns there are, a disk gets its millisecond.
            self.lp.queue.append(&mut self.lp.disk_queue);
        }
        if !self.lp.queue.is_empty() {
            self.go_on();
            self.lp.statistics.step(Work::Output);
        }
        if moved {
            self.expire();
        }
        self.settle();
        self.lp.statistics.end(gorgon_sys::monotonic(), self.lp.now);
        if self.lp.stopped {
            self.close_all();
            return Ok(Turn::Finished);
        }
        if signalled {
            if let Some(signal) = self.signals.as_mut().and_then(Signals::read) {
                // After any of them: one more may have found no room where they wait.
                self.lp.reap_children();
                return Ok(Turn::Signal(signal));
            }
        }
        if self.lp.draining && self.drained() { Ok(Turn::Finished) } else { Ok(Turn::Done) }
    }

    /// Serves one event of a connection.
    fn ready(&mut self, id: ConnId, ready: Ready) {
        if ready == Ready::READ && self.receive(id) {
            return;
        }
        let Some(conn) = self.lp.slots.get(id) else { return };
        let (mode, wanted) = (conn.mode, conn.wanted());
        if mode == Mode::Connecting {
            return self.connected(id);
        }
        let gone = ready.contains(Ready::GONE);
        if wanted.contains(Ready::READ) && (gone || ready.contains(Ready::READ)) {
            return self.readable(id);
        }
        if gone {
            // The peer is lost, and nobody would notice by reading.
            return self.close(id);
        }
        if wanted.contains(Ready::WRITE) && ready.contains(Ready::WRITE) {
            // In the second half of the turn: requests come before replies that are on their way.
            return self.lp.go_on_later(id);
        }
        // Input that is not wanted now: the interest in it, left in place for as long as none came, has to go.
        self.lp.set_interest(id, wanted);
    }

    fn connected(&mut self, id: ConnId) {
        let Some(conn) = self.lp.slots.get_mut(id) else { return };
        match gorgon_sys::take_error(conn.fd.as_fd()) {
            Ok(()) => {
                conn.mode = Mode::Reading;
                self.run(id, Call::Open);
                self.lp.watch(id);
            }
            Err(_) => self.close(id),
        }
    }

    /// Receives if input is wanted, and lets the connection wait otherwise.
    pub(super) fn readable(&mut self, id: ConnId) {
        if !self.receive(id) {
            self.lp.watch(id);
        }
    }

    /// Receives once and has the service see it. Says that input is not wanted now if it is not.
    fn receive(&mut self, id: ConnId) -> bool {
        let Some(conn) = self.lp.slots.get_mut(id) else { return true };
        if !conn.wanted().contains(Ready::READ) {
            return false;
        }
        if conn.streaks.any() {
            shrink_rested(conn, &self.lp.services, &self.lp.timeouts, self.lp.now.tick);
        }
        let kept = conn.input_length as usize;
        let scarce = self.lp.pages.is_exhausted();
        let most = if scarce { LOOK } else { 1 << conn.read_size };
        let end = (kept + most).min(self.scratch.len());
        // What fills all the room and is still not enough will never be.
        let Some(room) = self.scratch.get_mut(kept..end).filter(|room| !room.is_empty()) else {
            self.close(id);
            return true;
        };
        match if scarce { peek(conn.fd.as_fd(), room) } else { recv(conn.fd.as_fd(), room) } {
            Io::Done(count) if scarce => {
                self.fetch(id);
                self.sip = Some(kept);
                self.run(id, Call::Bytes(0, kept + count));
                self.sip = None;
                self.rest(id);
            }
            Io::Done(count) => {
                conn.note_read(count == 1usize << conn.read_size);
                let service = usize::from(conn.service);
                if let Some(state) = self.lp.services.get_mut(service) {
                    state.received += count as u64;
                }
                if kept > 0 {
                    self.fetch(id);
                }
                self.run(id, Call::Bytes(0, kept + count));
                self.rest(id);
            }
            Io::Blocked => self.lp.watch(id),
            Io::Ended => {
                conn.flags.set(Flags::ENDED);
                self.run(id, Call::End);
                self.lp.watch(id);
            }
            Io::Failed(_) => self.close(id),
        }
        true
    }

    /// Puts kept input in front of the scratch and gives its page back; gives its length.
    fn fetch(&mut self, id: ConnId) -> usize {
        let Some(conn) = self.lp.slots.get_mut(id).filter(|conn| conn.input != PageId::NONE) else {
            return 0;
        };
        let length = core::mem::take(&mut conn.input_length) as usize;
        let page = core::mem::replace(&mut conn.input, PageId::NONE);
        if let (Some(room), Some(kept)) =
            (self.scratch.get_mut(..length), self.lp.pages.get(page).get(..length))
        {
            room.copy_from_slice(kept);
        }
        self.lp.pages.give(page);
        length
    }

    /// Goes on with a connection whose output may move.
    fn progress(&mut self, id: ConnId) {
        match self.lp.advance(id) {
            Flow::Dead => return self.close(id),
            Flow::Held => {}
            Flow::Done => {
                let Some(conn) = self.lp.slots.get_mut(id) else { return };
                let (mode, class) = (conn.mode, conn.class);
                let notify = conn.flags.has(Flags::NOTIFY);
                conn.flags.clear(Flags::NOTIFY);
                // What it produces next gets the full time again.
                self.lp.timeouts.disarm(&mut self.lp.slots, id);
                match mode {
                    Mode::Closing => return self.close(id),
                    Mode::Draining => self.run(id, Call::Drained),
                    Mode::Reading | Mode::Waiting if notify => self.run(id, Call::Drained),
                    Mode::Reading => {
                        self.lp.timeouts.arm(&mut self.lp.slots, id, class, self.lp.now.tick);
                        let length = self.fetch(id);
                        if length > 0 {
                            self.run(id, Call::Bytes(0, length));
                        }
                    }
                    Mode::Waiting | Mode::Connecting => {
                        self.lp.timeouts.arm(&mut self.lp.slots, id, class, self.lp.now.tick);
                    }
                }
            }
        }
        self.rest(id);
    }

    /// Calls the service, and again for as long as what it wants can be done at once.
    pub(super) fn run(&mut self, id: ConnId, first: Call) {
        let mut call = first;
        let mut input = (0, 0);
        self.gather.given = 0;
        for count in 1.. {
            let timed_out = matches!(call, Call::Timeout);
            if let Call::Bytes(at, end) = call {
                input = (at, end);
            }
            let Some((used, next, flow, conn)) = self.call(id, call) else { return };
            if flow == Flow::Dead {
                return self.close(id);
            }
            input.0 = (input.0 + used).min(input.1);
            let drained = conn.output == NONE;
            let kept = conn.input_length > 0;
            conn.mode = match next {
                Next::Read(_) | Next::More => Mode::Reading,
                Next::Drain => Mode::Draining,
                Next::Wait(_) => Mode::Waiting,
                Next::Close => Mode::Closing,
            };
            let more = matches!(next, Next::More);
            if let Next::Read(class) | Next::Wait(class) = next {
                conn.class = class;
            }
            let class = conn.class;
            let listed = conn.list != super::timeouts::NO_LIST;
            let writing = conn.list == super::timeouts::list_number(conn.service, Timeout::WRITE);
            let read = matches!(next, Next::Read(_) | Next::More);
            if read && drained && kept && !matches!(call, Call::Bytes(..)) {
                // What an earlier call left unread goes on now.
                input = (0, self.fetch(id));
            }
            let drained_before = matches!(call, Call::Drained);
            let fed_again = input.0 < input.1 && (used > 0 || !matches!(call, Call::Bytes(..)));
            call = match next {
                Next::Close if drained => return self.close(id),
                Next::Drain if drained => Call::Drained,
                Next::Read(_) | Next::More if drained && fed_again => Call::Bytes(input.0, input.1),
                Next::Read(_) | Next::More | Next::Drain | Next::Wait(_) | Next::Close => {
                    let class = if drained { class } else { Timeout::WRITE };
                    let waits = !drained && writing;
                    let keeps = more && drained && listed && !timed_out && count == 1;
                    if !keeps && !waits {
                        self.lp.timeouts.arm(&mut self.lp.slots, id, class, self.lp.now.tick);
                    }
                    break;
                }
            };
            // To make output takes longer than to hand over a file: one piece a turn.
            let makes = drained_before && matches!(call, Call::Drained);
            if makes || count >= CALLS || self.gather.is_enough() {
                self.lp.timeouts.arm(&mut self.lp.slots, id, class, self.lp.now.tick);
                self.lp.go_on_later(id);
                break;
            }
        }
        match self.sip.take() {
            Some(kept) => self.leave_rest(id, kept, input),
            None if input.0 < input.1 => self.keep(id, input),
            None => {}
        }
    }

    /// Keeps unread input in a page.
    pub(super) fn keep(&mut self, id: ConnId, (at, end): (usize, usize)) {
        let Some(conn) = self.lp.slots.get_mut(id) else { return };
        if conn.mode == Mode::Closing {
            return;
        }
        let length = end - at;
        let Some(page) = self.lp.pages.take(length) else { return self.close(id) };
        if let (Some(room), Some(unread)) =
            (self.lp.pages.get_mut(page).get_mut(..length), self.scratch.get(at..end))
        {
            room.copy_from_slice(unread);
        }
        conn.input = page;
        conn.input_length = length as u32;
    }

    /// The one place where a service is called for a connection. Gives what of the input was used, what is wanted next,
    /// what became of the output, and the connection; nothing when that is gone.
    fn call(&mut self, id: ConnId, call: Call) -> Option<(usize, Next, Flow, &mut Conn)> {
        let conn = self.lp.slots.get_mut(id)?;
        let (mut key, service, client) = (conn.key, conn.service, conn.client);
        let resume = if let Call::Bytes(..) = call { core::mem::take(&mut conn.resume) } else { 0 };
        self.gather.produced = 0;
        self.gather.held = conn.output != NONE;
        self.lp.statistics.service = service;
        let mut cx = Cx { id, service, client, resume, lp: &mut self.lp, gather: &mut self.gather };
        let service = self.services.get_mut(usize::from(service))?.as_mut()?;
        let world = &mut self.world;
        let (used, next) = match call {
            Call::Bytes(at, end) => {
                let input = self.scratch.get(at..end).unwrap_or(&[]);
                service.on_bytes(&mut key, input, world, &mut cx)
            }
            Call::Open => (0, service.on_open(&mut key, world, &mut cx)),
            Call::Drained => (0, service.on_drained(&mut key, world, &mut cx)),
            Call::Wake => (0, service.on_wake(&mut key, world, &mut cx)),
            Call::Timeout => (0, service.on_timeout(&mut key, world, &mut cx)),
            Call::End => (0, service.on_end(&mut key, world, &mut cx)),
        };
        let flow = cx.finish();
        let conn = self.lp.slots.get_mut(id)?;
        conn.key = key;
        Some((used, next, flow, conn))
    }

    /// Closes a connection at once and gives back all it holds.
    pub(super) fn close(&mut self, id: ConnId) {
        self.lp.timeouts.disarm(&mut self.lp.slots, id);
        let lost = core::mem::take(&mut self.lp.lost);
        let lost = lost.saturating_add(self.lp.unsent(id));
        self.lp.drop_output(id);
        let Some(conn) = self.lp.slots.remove(id) else { return };
        self.lp.pages.give(conn.input);
        if conn.flags.has(Flags::REGISTERED) {
            self.lp.poller.closing(conn.fd.as_fd());
        }
        if conn.flags.has(Flags::INSIDE) {
            self.lp.inside -= 1;
        }
        if let Some(state) = self.lp.services.get_mut(usize::from(conn.service)) {
            state.open -= 1;
            state.inside -= usize::from(conn.flags.has(Flags::INSIDE));
        }
        // The last one of a service that goes may be among those that are closed when all else is settled.
        self.lp.unsettled |= self.lp.removing > 0;
        let (key, number, client) = (conn.key, conn.service, conn.client);
        drop(conn);
        self.lp.released = true;
        self.lp.leaving = Some(Leaving { id, service: number, client });
        self.lp.lost = lost;
        if let Some(Some(service)) = self.services.get_mut(usize::from(number)) {
            service.on_close(key, id, &mut self.world, &mut self.lp);
        }
        self.lp.leaving = None;
        self.lp.lost = 0;
        self.lp.leave(number, client);
    }

    /// Goes on with connections that have more to do, a few of them in each turn.
    fn go_on(&mut self) {
        let count = self.lp.queue.len().min(GO_ON);
        for at in 0..count {
            // What is queued meanwhile goes behind them.
            let Some(&id) = self.lp.queue.get(at) else { break };
            let Some(conn) = self.lp.slots.get_mut(id) else { continue };
            conn.flags.clear(Flags::QUEUED);
            if conn.mode == Mode::Connecting { self.connected(id) } else { self.progress(id) }
        }
        self.lp.queue.drain(..count);
    }
}
