//! Services that come, change and go while the loop runs.
//!
//! ```text
//!               drain_service                       all idle ones are closed, the others finish
//!   in use ───────────────────────▶ draining ───────────────────────────────────────────────────▶ empty
//!     ▲  ◀── undrain, add_listener ──┘   │ its time is over: the rest is closed                      │
//!     │                                  └───────────────────────────────────────────────────────▶──┤
//!     └── add_service, in its place ◀── its box is dropped ◀── if remove_service was called ────────┘
//! ```
//!
//! What takes long is done a slice a turn, so that the connections of other services do not notice.

use alloc::boxed::Box;
use alloc::vec::Vec;

use gorgon_sys::Errno;

use super::clients::Clients;
use super::conn::Flags;
use super::event_loop::Loop;
use super::limits::{Limits, ServiceCounters};
use super::reactor::Reactor;
use super::service::Service;
use super::timers::Owner;
use super::values::ConnId;
use crate::tree::rule::ClientRule;

/// Most connections that are looked at in one turn to end those of a service.
const SWEPT: usize = 1024;

/// How long connections between requests are kept when their service drains, in milliseconds: on those that are in use
/// the next request is on its way, and gets a last reply.
const LAST_REQUEST: u64 = 500;

/// What the loop keeps of one service.
#[derive(Default)]
pub(super) struct ServiceState {
    pub(super) limits: Limits,
    pub(super) open: usize,
    /// Connections among them that lead to parts of the program.
    pub(super) inside: usize,
    pub(super) clients: Clients,
    /// Buffers of some clients.
    pub(super) rules: Vec<ClientRule>,
    /// Connections there ever were.
    pub(super) opened: u64,
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) received: u64,
    pub(super) sent: u64,
    /// There is a service at this place.
    used: bool,
    draining: bool,
    /// It goes when its last connection is gone.
    removed: bool,
    /// The connections from this slot on have still to be looked at.
    sweep: Option<u32>,
    /// The time for draining is over: the sweep closes all it meets.
    forced: bool,
    /// When that time is over, in milliseconds on the loop's clock.
    due: u64,
    /// Until when connections between requests are kept while it drains.
    rests_until: u64,
}

impl ServiceState {
    pub(super) fn is_full(&self) -> bool {
        self.open >= self.limits.connections
    }

    /// Whether there is a service at this place, be it one that goes.
    pub(super) fn is_used(&self) -> bool {
        self.used
    }
}

impl Loop {
    /// Registers the limits of a service that was put at this place.
    fn place_service(&mut self, number: u8, limits: Limits) {
        let state = ServiceState { used: true, limits, ..ServiceState::default() };
        self.timeouts.set(&mut self.slots, number, &state.limits.timeouts, self.now.tick);
        match self.services.get_mut(usize::from(number)) {
            Some(place) => *place = state,
            None => {
                self.timeouts.add_service(&state.limits.timeouts);
                self.services.push(state);
            }
        }
    }

    /// Whether there is a service of that number, and it stays.
    pub fn has_service(&self, number: u8) -> bool {
        self.services.get(usize::from(number)).is_some_and(|state| state.used && !state.removed)
    }

    /// The limits of a service.
    pub fn limits(&self, number: u8) -> Option<&Limits> {
        self.services.get(usize::from(number)).filter(|state| state.used).map(|state| &state.limits)
    }

    /// Changes the limits of a service. New connections have them at once; those that wait are taken to have waited in
    /// the new times from the start. Says whether there is such a service.
    pub fn set_limits(&mut self, number: u8, limits: Limits) -> bool {
        if !self.has_service(number) {
            return false;
        }
        let Some(state) = self.services.get_mut(usize::from(number)) else { return false };
        state.limits = limits;
        self.timeouts.set(&mut self.slots, number, &state.limits.timeouts, self.now.tick);
        self.look_for_room();
        true
    }

    /// Sets the buffers of clients, instead of what the listener gives: the first rule that covers a client counts.
    /// Connections that are there keep what they have. Rules for domains want [`Reactor::name_clients`] after each turn,
    /// and a [`Resolver`](super::resolver::Resolver).
    pub fn set_client_rules(&mut self, number: u8, rules: Vec<ClientRule>) -> bool {
        if !self.has_service(number) {
            return false;
        }
        let Some(state) = self.services.get_mut(usize::from(number)) else { return false };
        state.rules = rules;
        true
    }

    /// What was counted of a service.
    pub fn service_counters(&self, number: u8) -> Option<ServiceCounters> {
        let state = self.services.get(usize::from(number)).filter(|state| state.used)?;
        Some(ServiceCounters {
            accepted: state.accepted,
            refused: state.refused,
            open: state.open - state.inside,
            closed: state.opened.saturating_sub(state.open as u64),
            bytes_received: state.received,
            bytes_sent: state.sent,
            listeners: self.listeners().filter(|listener| listener.service() == number).count(),
            draining: state.draining,
        })
    }

    /// Has a service take no new connections: in this turn its listeners accept what waits on them and close. Its idle
    /// connections are closed half a second later, the others when their request is finished; what is left after so
    /// many milliseconds is closed.
    /// Says whether there is such a service. Once more, it sets the time anew.
    pub fn drain_service(&mut self, number: u8, grace: u64) -> bool {
        let now = self.now.milliseconds;
        let Some(state) = self.services.get_mut(usize::from(number)).filter(|state| state.used) else {
            return false;
        };
        state.due = now.saturating_add(grace);
        if state.due < u64::MAX {
            self.timers.set(state.due, Owner::Drain(number));
        }
        if !state.draining {
            state.draining = true;
            state.rests_until = now.saturating_add(grace.min(LAST_REQUEST));
            self.timers.set(state.rests_until, Owner::Drain(number));
            self.drainings += 1;
            for listener in self.listeners.iter_mut().flatten() {
                listener.closing |= listener.service() == number;
            }
        }
        self.has_chores();
        true
    }

    /// Has a service that drains go on. Its listeners are gone, and may be added again.
    pub fn undrain(&mut self, number: u8) {
        let state = self.services.get_mut(usize::from(number));
        let Some(state) = state.filter(|state| state.draining && !state.removed) else { return };
        (state.draining, state.sweep, state.forced) = (false, None, false);
        self.drainings -= 1;
    }

    /// Whether a connection is to end with its request.
    #[inline]
    pub(super) fn drains(&self, id: ConnId) -> bool {
        self.drainings > 0 && self.drains_now(id)
    }

    #[cold]
    fn drains_now(&self, id: ConnId) -> bool {
        let service = self.slots.get(id).and_then(|conn| self.services.get(usize::from(conn.service)));
        self.draining || service.is_some_and(|state| state.draining)
    }

    /// Whether a connection is to end when it comes to rest.
    pub(super) fn rests_no_more(&self, id: ConnId) -> bool {
        self.drains(id) && (self.draining || !self.may_rest(id))
    }

    /// The next request on a connection of a service that drains may be on its way.
    fn may_rest(&self, id: ConnId) -> bool {
        let Some(conn) = self.slots.get(id) else { return false };
        let state = self.services.get(usize::from(conn.service));
        state.is_some_and(|state| state.rests_until > self.now.milliseconds)
    }

    /// The time of a service's draining may be over.
    pub(super) fn end_draining(&mut self, number: u8) {
        let now = self.now.milliseconds;
        let Some(state) = self.services.get_mut(usize::from(number)) else { return };
        if state.draining && state.due <= now {
            (state.forced, state.sweep) = (true, Some(0));
            self.has_chores();
        } else if state.draining && state.rests_until <= now && state.sweep.is_none() {
            state.sweep = Some(0);
            self.has_chores();
        }
    }

    /// Has the next settling look after services and listeners that go.
    pub(super) fn has_chores(&mut self) {
        self.chores = true;
        self.unsettled = true;
    }

    /// Has the next settling let listeners accept again that have room now.
    pub(super) fn look_for_room(&mut self) {
        self.released = true;
        self.unsettled = true;
    }
}

impl<W> Reactor<W> {
    /// Adds a service; gives its number, which its listeners name. The number of one that is gone is used again.
    ///
    /// # Errors
    /// `ENOSPC` after the 255th.
    pub fn add_service(&mut self, mut service: Box<dyn Service<W>>, limits: Limits) -> Result<u8, Errno> {
        let free = self.services.iter().position(Option::is_none).unwrap_or(self.services.len());
        let number = u8::try_from(free).ok().filter(|number| *number < u8::MAX).ok_or(Errno::NOSPC)?;
        service.on_added(number);
        match self.services.get_mut(free) {
            Some(place) => *place = Some(service),
            None => self.services.push(Some(service)),
        }
        self.lp.place_service(number, limits);
        Ok(number)
    }

    /// A service, also one that is being removed.
    pub fn service(&mut self, number: u8) -> Option<&mut (dyn Service<W> + '_)> {
        match self.services.get_mut(usize::from(number)) {
            Some(Some(service)) => Some(&mut **service),
            Some(None) | None => None,
        }
    }

    /// A service with what it is given when it is called: what all services share, and the loop.
    pub fn service_with(&mut self, number: u8) -> Option<(&mut (dyn Service<W> + '_), &mut W, &mut Loop)> {
        match self.services.get_mut(usize::from(number)) {
            Some(Some(service)) => Some((&mut **service, &mut self.world, &mut self.lp)),
            Some(None) | None => None,
        }
    }

    /// Removes a service: it drains, if it does not yet, without an end unless [`Loop::drain_service`] set one. It is
    /// dropped when its last connection is gone, and its timers are forgotten. Says whether it was there.
    pub fn remove_service(&mut self, number: u8) -> bool {
        if !self.lp.has_service(number) {
            return false;
        }
        if self.lp.services.get(usize::from(number)).is_some_and(|state| !state.draining) {
            self.lp.drain_service(number, u64::MAX);
        }
        if let Some(state) = self.lp.services.get_mut(usize::from(number)) {
            state.removed = true;
            self.lp.removing += 1;
        }
        self.lp.has_chores();
        true
    }

    /// Looks after listeners and services that go.
    pub(super) fn do_chores(&mut self) {
        self.lp.chores = false;
        for number in 0..self.lp.listeners.len() {
            if self.lp.listeners.get(number).is_some_and(|place| place.as_ref().is_some_and(|l| l.closing)) {
                self.finish_listener(number);
            }
        }
        for number in 0..self.services.len() {
            self.sweep(number);
            self.drop_if_gone(number);
        }
    }

    /// Closes connections of a service that drains, a slice of them.
    fn sweep(&mut self, number: usize) {
        let Some(state) = self.lp.services.get(number) else { return };
        let (Some(mut at), forced) = (state.sweep, state.forced) else { return };
        let mut left = SWEPT;
        let rest = loop {
            let Some(id) = self.lp.slots.from(at) else { break None };
            if left == 0 {
                break Some(at);
            }
            (at, left) = (id.index.saturating_add(1), left - 1);
            let ours = self.lp.slots.get(id).is_some_and(|conn| usize::from(conn.service) == number);
            match (ours, forced) {
                (true, true) => self.close(id),
                (true, false) if self.is_idle(id) => self.rest(id),
                (true | false, _) => {}
            }
        };
        // Unless what was called meanwhile put an end to it.
        if let Some(state) = self.lp.services.get_mut(number).filter(|state| state.sweep.is_some()) {
            state.sweep = rest;
        }
        if rest.is_some() {
            self.lp.has_chores();
        }
    }

    /// Drops a service that is to be removed and has no connection any more.
    fn drop_if_gone(&mut self, number: usize) {
        let Some(state) = self.lp.services.get_mut(number).filter(|state| state.removed) else { return };
        if state.open > state.inside {
            return;
        }
        if state.inside > 0 {
            // Only what leads to its own helpers is left.
            for index in 0..self.lp.slots.end() {
                let Some(id) = self.lp.slots.id_at(index) else { continue };
                let conn = self.lp.slots.get(id);
                if conn.is_some_and(|c| usize::from(c.service) == number && c.flags.has(Flags::INSIDE)) {
                    self.close(id);
                }
            }
        }
        let Some(state) = self.lp.services.get_mut(number).filter(|state| state.open == 0) else { return };
        self.lp.counters.bytes_received += state.received;
        self.lp.counters.bytes_sent += state.sent;
        *state = ServiceState::default();
        self.lp.removing -= 1;
        self.lp.drainings -= 1;
        self.lp.timers.forget(number as u8);
        if let Some(mut service) = self.services.get_mut(number).and_then(Option::take) {
            service.on_removed(&mut self.world, &mut self.lp);
        }
    }
}
