//! Listening sockets: they come, go, and change owner while the loop runs.
//!
//! ```text
//!                  no room                        remove_listener, drain_service
//!   listening ◀──────────────▶ paused  ─────────┬────────────────────────────────▶ closing ──▶ gone
//!       └───────────────────────────────────────┘        what waits is accepted first, in `settle`
//! ```
//! One whose place another one has taken is [`retired`](super::retired) for a while before.
//!
//! A number is used again when its listener is gone; the id says which one is meant, and so does the poller's token, so
//! that an event of one that is gone cannot have another one accept.

use gorgon_sys::{Address, AsFd, BorrowedFd, Errno, OwnedFd, PollerKind, Ready};

use super::buffers::Buffers;
use super::clients::{ClientId, Entered};
use super::event_loop::Loop;
use super::values::{ConnId, TICK_MILLISECONDS, Tick};

/// How long a connection is idle before it makes room for a new one: a second at least.
const IDLE_TICKS: Tick = (1000 / TICK_MILLISECONDS + 1) as Tick;

/// Names a listener for as long as it lives: a serial number above, its place below.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct ListenerId(u32);

/// A connection that came by no listener.
pub(super) const NO_LISTENER: u16 = u16::MAX;

impl ListenerId {
    fn new(serial: u32, place: usize) -> ListenerId {
        ListenerId(serial << 8 | place as u32)
    }

    fn place(self) -> usize {
        (self.0 & 0xff) as usize
    }

    /// The poller's token: generation 0, which no connection has.
    fn token(self) -> u64 {
        self.0.into()
    }

    /// What a slot has room for: the place, and the end of the serial number.
    pub(super) fn short(self) -> u16 {
        self.0 as u16
    }
}

/// A listening socket and what its connections begin with.
pub struct Listener {
    fd: OwnedFd,
    id: ListenerId,
    pub(super) service: u8,
    buffers: Buffers,
    pub(super) paused: bool,
    pub(super) closing: bool,
    /// Another one has its place, and this one closes at that time, in milliseconds on the loop's clock.
    pub(super) retired: Option<u64>,
    pub(super) accepted: u64,
}

impl Listener {
    /// Its id.
    pub fn id(&self) -> ListenerId {
        self.id
    }
    /// The service its connections belong to.
    pub fn service(&self) -> u8 {
        self.service
    }
    /// What its connections begin with.
    pub fn buffers(&self) -> Buffers {
        self.buffers
    }
    /// It does not accept for want of room.
    pub fn is_paused(&self) -> bool {
        self.paused
    }
    /// Connections accepted since it was added.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }
    pub(super) fn token(&self) -> u64 {
        self.id.token()
    }
    /// It is not about to go.
    fn stays(&self) -> bool {
        !self.closing && self.retired.is_none()
    }
    /// Its socket.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// The poller's token of the signals. No listener has the last place.
pub(super) const SIGNALS: u64 = u32::MAX as u64;

impl Loop {
    /// Adds a listening socket that belongs to a service. A service that drains is in use again by that.
    ///
    /// # Errors
    /// `EINVAL` for a service that is not there or is being removed, `ENOSPC` for more than 255 listeners, and the
    /// poller's, when it cannot watch the socket.
    pub fn add_listener(&mut self, fd: OwnedFd, service: u8, buffers: Buffers) -> Result<ListenerId, Errno> {
        if !self.has_service(service) {
            return Err(Errno::INVAL);
        }
        let free = self.listeners.iter().position(Option::is_none).unwrap_or(self.listeners.len());
        if free >= usize::from(u8::MAX) {
            return Err(Errno::NOSPC);
        }
        self.listener_serial = (self.listener_serial + 1) & 0x00ff_ffff;
        let id = ListenerId::new(self.listener_serial, free);
        self.poller.add(fd.as_fd(), id.token(), Ready::READ)?;
        let listener =
            Listener { fd, id, service, buffers, paused: false, closing: false, retired: None, accepted: 0 };
        match self.listeners.get_mut(free) {
            Some(place) => *place = Some(listener),
            None => self.listeners.push(Some(listener)),
        }
        self.undrain(service);
        Ok(id)
    }

    /// Gives the sockets of all listeners to a user and a group, so that others of that user may share their addresses.
    /// Nothing happens to those that the system does not give.
    pub fn give_listeners(&self, user: u32, group: u32) {
        for listener in self.listeners.iter().flatten() {
            let _given = gorgon_sys::give_file(listener.fd(), user, group);
        }
    }

    /// The listeners that are open, those about to be closed left out.
    pub fn listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners.iter().flatten().filter(|listener| listener.stays())
    }

    /// A listener that is open.
    pub fn listener(&self, id: ListenerId) -> Option<&Listener> {
        let listener = self.listeners.get(id.place())?.as_ref()?;
        (listener.id == id && listener.stays()).then_some(listener)
    }

    pub(super) fn listener_mut(&mut self, id: ListenerId) -> Option<&mut Listener> {
        let listener = self.listeners.get_mut(id.place())?.as_mut()?;
        (listener.id == id && listener.stays()).then_some(listener)
    }

    /// Closes a listener in this turn, once those that wait on it are accepted; connections live on. Says whether it was
    /// there.
    pub fn remove_listener(&mut self, id: ListenerId) -> bool {
        let Some(listener) = self.listener_mut(id) else { return false };
        listener.closing = true;
        self.has_chores();
        true
    }

    /// Has a listener's connections belong to another service from now on: its socket and those that wait on it stay.
    /// Says whether both are there.
    pub fn move_listener(&mut self, id: ListenerId, service: u8) -> bool {
        if !self.has_service(service) {
            return false;
        }
        let Some(listener) = self.listener_mut(id) else { return false };
        listener.service = service;
        self.undrain(service);
        // It may have been paused for want of room with the one before.
        self.look_for_room();
        true
    }

    /// Changes what the connections of a listener begin with; those that are there keep what they have.
    pub fn set_listener_buffers(&mut self, id: ListenerId, buffers: Buffers) -> bool {
        let Some(listener) = self.listener_mut(id) else { return false };
        listener.buffers = buffers;
        true
    }

    /// Changes the kernel's buffers of connections that will be accepted, in bytes (`SO_SNDBUF`, `SO_RCVBUF`). What was
    /// set once cannot be left to the kernel again, but by a new socket: 0 changes nothing.
    ///
    /// # Errors
    /// The system's; `EINVAL` when there is no such listener.
    pub fn set_listener_socket_buffers(
        &mut self,
        id: ListenerId,
        send: Option<u32>,
        receive: Option<u32>,
    ) -> Result<(), Errno> {
        let listener = self.listener(id).ok_or(Errno::INVAL)?;
        if let Some(bytes) = send.filter(|bytes| *bytes > 0) {
            gorgon_sys::set_send_buffer(listener.fd(), bytes as usize)?;
        }
        if let Some(bytes) = receive.filter(|bytes| *bytes > 0) {
            gorgon_sys::set_receive_buffer(listener.fd(), bytes as usize)?;
        }
        Ok(())
    }

    /// Gives a listener's socket away, open, with those that wait on it.
    pub fn release_listener(&mut self, id: ListenerId) -> Option<OwnedFd> {
        self.listener(id)?;
        let listener = self.listeners.get_mut(id.place())?.take()?;
        // Not known to the poller is as good as forgotten by it.
        let _forgotten = self.poller.remove(listener.fd());
        self.paused -= usize::from(listener.paused);
        Some(listener.fd)
    }

    /// The place of the listener that the poller's token names, if it is still there.
    pub(super) fn listener_at(&self, token: u64) -> Option<usize> {
        let place = (token & 0xff) as usize;
        let listener = self.listeners.get(place)?.as_ref()?;
        (listener.id.token() == token).then_some(place)
    }

    /// The listener that the front of an id names, if it is still there.
    pub(super) fn listener_named(&self, short: u16) -> Option<ListenerId> {
        let id = self.listeners.get(usize::from(short & 0xff))?.as_ref()?.id;
        (id.short() == short).then_some(id)
    }

    /// Closes a listening socket at once.
    pub(super) fn close_listener(&mut self, number: usize) {
        let Some(listener) = self.listeners.get_mut(number).and_then(Option::take) else { return };
        self.poller.closing(listener.fd());
        self.paused -= usize::from(listener.paused);
    }

    /// Stops accepting on one listener until room is made.
    pub(super) fn pause(&mut self, number: usize) {
        let Some(Some(listener)) = self.listeners.get_mut(number) else { return };
        let outcome = self.poller.change(listener.fd.as_fd(), listener.id.token(), Ready::NONE);
        if !listener.paused && outcome.is_ok() {
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
            let Some(Some(listener)) = self.listeners.get_mut(number) else { continue };
            if self.poller.change(listener.fd.as_fd(), listener.id.token(), Ready::READ).is_ok() {
                listener.paused = false;
                self.paused -= 1;
            }
        }
    }

    /// Counts a connection for its peer, where somebody wants to know. Nothing: the peer has as many as it may have.
    pub(super) fn enter(&mut self, service: u8, address: &Address) -> Option<ClientId> {
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
    pub(super) fn refuse(&mut self, fd: OwnedFd, service: u8) {
        let state = self.services.get_mut(usize::from(service));
        let refusal = state.map_or(&b""[..], |state| {
            state.refused += 1;
            state.limits.refusal
        });
        self.turn_away(fd, refusal);
    }

    /// The connection of a service that has been between requests for longest, and for a second at least.
    pub(super) fn longest_idle(&mut self, service: u8) -> Option<ConnId> {
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
        for number in 0..self.listeners.len() {
            self.close_listener(number);
        }
    }

    /// The name of the poller in use.
    pub fn poller(&self) -> PollerKind {
        self.poller.kind()
    }
}
