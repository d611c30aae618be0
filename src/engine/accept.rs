//! Accepting, and making room for those that come.

use gorgon_sys::{Accepted, Address, accept};

use super::buffers::Buffers;
use super::clients::ClientId;
use super::conn::Mode;
use super::event_loop::Loop;
use super::listener::ListenerId;
use super::naming::choose;
use super::reactor::{Call, Reactor};
use super::timers::Owner;

/// Most connections accepted per listener and turn.
const ACCEPTS: usize = 64;
/// How many turns' worth of connections are accepted before a listener closes.
const ROUNDS: usize = 64;
/// Most connections turned away per listener and turn: those that are served go first.
const REFUSALS: usize = 16;

impl Loop {
    /// Counts a connection that a listener accepted; gives the buffers it begins with, and whether its client's name may
    /// bring others.
    fn count_accepted(&mut self, number: usize, address: &Address, others: Buffers) -> (Buffers, bool) {
        self.counters.accepted += 1;
        let Some(Some(listener)) = self.listeners.get_mut(number) else { return (others, false) };
        listener.accepted += 1;
        let Some(state) = self.services.get_mut(usize::from(listener.service())) else {
            return (others, false);
        };
        state.accepted += 1;
        if state.rules.is_empty() { (others, false) } else { choose(&state.rules, address.ip(), others) }
    }
}

impl<W> Reactor<W> {
    /// Serves the event of a listener, if it is still there.
    pub(super) fn accept_event(&mut self, token: u64) {
        if let Some(number) = self.lp.listener_at(token) {
            self.accept(number);
        }
    }

    /// Accepts what waits on a listener and closes it at once; connections live on. Says whether it was there. Called
    /// from outside of a turn, where the address is wanted again: [`Loop::remove_listener`] is for all else.
    pub fn close_listener(&mut self, id: ListenerId) -> bool {
        let Some(number) = self.lp.listener(id).and_then(|listener| self.lp.listener_at(listener.token()))
        else {
            return false;
        };
        self.finish_listener(number);
        true
    }

    /// Accepts what waits on a listener, and closes it. A flood that goes on is not waited for.
    pub(super) fn finish_listener(&mut self, number: usize) {
        let _more = (0..ROUNDS).any(|_| !self.accept(number));
        self.lp.close_listener(number);
    }

    /// Accepts what waits on a listener. Each connection is read from at once, and made known to the poller only when
    /// there is nothing to read yet. One that is too many is turned away, if that is how its service wants it. Says
    /// whether more may be waiting.
    pub(super) fn accept(&mut self, number: usize) -> bool {
        let mut refused = 0;
        for _ in 0..ACCEPTS {
            let Some(Some(listener)) = self.lp.listeners.get(number) else { return false };
            let (service, buffers, from) = (listener.service(), listener.buffers(), listener.id());
            let Some(state) = self.lp.services.get(usize::from(service)) else { return false };
            let (full, refuses) = (state.is_full(), state.limits.refuses);
            if full && !refuses && !self.make_room(service) {
                self.lp.pause(number);
                self.plan_accept();
                return false;
            }
            let Some(Some(listener)) = self.lp.listeners.get(number) else { return false };
            match accept(listener.fd()) {
                Accepted::Connection(fd, address) => {
                    let Some(client) = self.admit(service, &address, full && refuses) else {
                        self.lp.refuse(fd, service);
                        refused += 1;
                        if refused >= REFUSALS {
                            return true;
                        }
                        continue;
                    };
                    let (given, named) = self.lp.count_accepted(number, &address, buffers);
                    let Ok(id) = self.lp.add_conn(fd, service, given, Mode::Reading, client, from.short())
                    else {
                        self.lp.leave(service, client);
                        return self.wait_for_room(number);
                    };
                    if named {
                        self.lp.wait_for_name(id, address.ip(), given, buffers);
                    }
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
