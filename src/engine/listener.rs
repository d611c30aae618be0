//! Listening sockets: accepting, and pausing when there is no room.

use gorgon_sys::{Accepted, Address, AsFd, Errno, OwnedFd, PollerKind, Ready, accept};

use super::clients::{ClientId, Entered};
use super::conn::Mode;
use super::event_loop::Loop;
use super::reactor::{Call, Reactor};
use super::timers::Owner;
use super::values::{ConnId, TICK_MILLISECONDS, Tick};

/// Most connections accepted per listener and turn.
const ACCEPTS: usize = 64;
/// Most connections turned away per listener and turn: those that are served go first.
const REFUSALS: usize = 16;
/// How long a connection is idle before it makes room for a new one: a second at least.
const IDLE_TICKS: Tick = (1000 / TICK_MILLISECONDS + 1) as Tick;

/// A listening socket and what its connections begin with.
pub struct Listener {
    pub(super) fd: OwnedFd,
    pub(super) service: u8,
    /// Buffer sizes as powers of two.
    pub(super) read_size: u8,
    pub(super) write_size: u8,
    pub(super) paused: bool,
}

/// The poller's token of a listener: generation 0, which no connection has.
pub(super) fn token(number: usize) -> u64 {
    number as u64
}

/// The poller's token of the signals.
pub(super) const SIGNALS: u64 = u32::MAX as u64;

impl Loop {
    /// Adds a listening socket that belongs to a service.
    ///
    /// # Errors
    /// The poller's, when it cannot watch the socket.
    pub fn add_listener(
        &mut self,
        fd: OwnedFd,
        service: u8,
        read_size: u8,
        write_size: u8,
    ) -> Result<(), Errno> {
        if self.listeners.len() >= usize::from(u8::MAX) {
            return Err(Errno::NOSPC);
        }
        self.poller.add(fd.as_fd(), token(self.listeners.len()), Ready::READ)?;
        self.listeners.push(Some(Listener { fd, service, read_size, write_size, paused: false }));
        Ok(())
    }

    /// Stops accepting on one listener until room is made.
    pub(super) fn pause(&mut self, number: usize) {
        let Some(Some(listener)) = self.listeners.get_mut(number) else { return };
        if !listener.paused && self.poller.change(listener.fd.as_fd(), token(number), Ready::NONE).is_ok() {
            listener.paused = true;
            self.paused += 1;
            self.counters.pauses += 1;
        }
    }

    /// Lets listeners accept again whose service has room or can make some, if descriptors are free.
    pub(super) fn resume_listeners(&mut self) {
        if !self.take_reserve() || self.paused == 0 {
            return;
        }
        for number in 0..self.listeners.len() {
            let Some(Some(listener)) = self.listeners.get(number) else { continue };
            let (service, paused) = (listener.service, listener.paused);
            let full = self.services.get(usize::from(service)).is_some_and(|service| service.is_full());
            // Who has been idle for long enough makes room, once somebody is there who needs it.
            if !paused || (full && self.longest_idle(service).is_none()) {
                continue;
            }
            let Some(Some(listener)) = self.listeners.get(number) else { continue };
            if self.poller.change(listener.fd.as_fd(), token(number), Ready::READ).is_ok() {
                if let Some(Some(listener)) = self.listeners.get_mut(number) {
                    listener.paused = false;
                }
                self.paused -= 1;
            }
        }
    }

    /// Counts a connection for its peer, where somebody wants to know. Nothing: the peer has as many as it may have.
    fn enter(&mut self, service: u8, address: &Address) -> Option<ClientId> {
        let state = self.services.get_mut(usize::from(service))?;
        let (limit, addresses) = (state.limits.per_address, state.limits.addresses);
        match address.ip() {
            Some(ip) if limit > 0 || addresses => match state.clients.enter(ip, limit, addresses) {
                Entered::Client(client) => Some(client),
                Entered::Full => None,
            },
            Some(_) | None => Some(ClientId::NONE),
        }
    }

    /// Tells a connection that it is one too many.
    fn refuse(&mut self, fd: OwnedFd, service: u8) {
        let refusal = self.services.get(usize::from(service)).map_or(&b""[..], |state| state.limits.refusal);
        self.turn_away(fd, refusal);
    }

    /// The connection of a service that has been between requests for longest, and for a second at least.
    fn longest_idle(&mut self, service: u8) -> Option<ConnId> {
        let class = self.services.get(usize::from(service))?.limits.idle;
        let (id, ticks) = self.timeouts.longest(&mut self.slots, service, class, self.now.tick)?;
        (ticks >= IDLE_TICKS).then_some(id)
    }

    /// Keeps one descriptor in reserve. It is let go when the last one is used up, so that a file that is being asked
    /// for can still be opened, and to get it back is the proof that there is room again.
    pub(super) fn take_reserve(&mut self) -> bool {
        if self.reserve.is_none() {
            self.reserve = gorgon_sys::reserve_descriptor().ok();
        }
        self.reserve.is_some()
    }

    /// Closes every listening socket.
    pub(super) fn close_listeners(&mut self) {
        for listener in self.listeners.iter_mut() {
            if let Some(listener) = listener.take() {
                self.poller.closing(listener.fd.as_fd());
            }
        }
        self.paused = 0;
    }

    /// The name of the poller in use.
    pub fn poller(&self) -> PollerKind {
        self.poller.kind()
    }
}

impl<W> Reactor<W> {
    /// Accepts what waits on a listener. Each connection is read from at once, and made known to the poller only when
    /// there is nothing to read yet. One that is too many is turned away, if that is how its service wants it. Says
    /// whether more may be waiting.
    pub(super) fn accept(&mut self, number: usize) -> bool {
        let mut refused = 0;
        for _ in 0..ACCEPTS {
            let Some(Some(listener)) = self.lp.listeners.get(number) else { return false };
            let (service, sizes) = (listener.service, (listener.read_size, listener.write_size));
            let Some(state) = self.lp.services.get(usize::from(service)) else { return false };
            let (full, refuses) = (state.is_full(), state.limits.refuses);
            if full && !refuses && !self.make_room(service) {
                self.lp.pause(number);
                self.plan_accept();
                return false;
            }
            let Some(Some(listener)) = self.lp.listeners.get(number) else { return false };
            match accept(listener.fd.as_fd()) {
                Accepted::Connection(fd, address) => {
                    let Some(client) = self.admit(service, &address, full && refuses) else {
                        self.lp.refuse(fd, service);
                        refused += 1;
                        if refused >= REFUSALS {
                            return true;
                        }
                        continue;
                    };
                    self.lp.counters.accepted += 1;
                    let Ok(id) = self.lp.add_conn(fd, service, sizes, Mode::Reading, client) else {
                        self.lp.leave(service, client);
                        return self.wait_for_room(number);
                    };
                    self.run(id, Call::Open);
                    self.readable(id);
                }
                Accepted::Again => {}
                Accepted::Blocked => return false,
                Accepted::Full(_) | Accepted::Failed(_) => return self.wait_for_room(number),
            }
        }
        true
    }

    /// Counts a new connection for its peer, and sees to it that there is room. Nothing: it is one too many.
    fn admit(&mut self, service: u8, address: &Address, full: bool) -> Option<ClientId> {
        let client = self.lp.enter(service, address)?;
        if full && !self.make_room(service) {
            self.lp.leave(service, client);
            return None;
        }
        Some(client)
    }

    /// Closes the connection of a service that has been idle for longest, if that is long enough. It is read from once
    /// more before, for its next request may have come.
    fn make_room(&mut self, service: u8) -> bool {
        let Some(idle) = self.lp.longest_idle(service) else { return false };
        if !self.is_idle(idle) {
            return false;
        }
        self.readable(idle);
        if self.is_idle(idle) && self.lp.longest_idle(service) == Some(idle) {
            self.lp.counters.displaced += 1;
            self.close(idle);
        }
        self.lp.services.get(usize::from(service)).is_some_and(|state| !state.is_full())
    }

    /// There is no descriptor or no memory for a connection: what can be let go is, and accepting waits for room.
    fn wait_for_room(&mut self, number: usize) -> bool {
        self.lp.reserve = None;
        self.lp.drop_refused();
        self.lp.pause(number);
        self.plan_accept();
        false
    }

    pub(super) fn plan_accept(&mut self) {
        if !self.lp.accept_set {
            self.lp.accept_set = true;
            self.lp.timers.set(self.lp.now.milliseconds + 1000, Owner::Accept);
        }
    }
}
