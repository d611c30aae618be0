//! Listeners whose place another one has taken, at the same address or one that clashes with theirs.
//!
//! ```text
//!               retire_listener                        a second and a half later, or too many are retired
//!   listening ──────────────────▶ retired: hidden ─────────────────────────────────────────────────────▶ closing ──▶ gone
//!                                  what had begun to connect is accepted still
//! ```
//! A connection may have begun long before it can be accepted: the handshake takes a round trip, and the kernel keeps those
//! to itself that have sent nothing yet (`TCP_DEFER_ACCEPT`). They belong to the old socket, and would be lost with it.

use gorgon_sys::Address;

use super::event_loop::Loop;
use super::listener::ListenerId;
use super::timers::Owner;

/// How long they stay: the kernel asks a client again after a second that is there and says nothing, and takes its answer
/// for a connection. In milliseconds.
const TIME: u64 = 1500;
/// The most that are retired at once. One more, and the one that was retired first closes. No change retires more, for
/// there would be no places for those that take theirs.
const MOST: usize = 128;

impl Loop {
    /// Closes a listener whose place another one has taken, after all that had begun to connect are accepted, for a
    /// service that may be another one. Says whether it was there.
    pub fn retire_listener(&mut self, id: ListenerId, service: u8) -> bool {
        let due = self.now().milliseconds.saturating_add(TIME);
        let has_service = self.has_service(service);
        let Some(listener) = self.listener_mut(id) else { return false };
        if has_service {
            listener.service = service;
        }
        listener.retired = Some(due);
        gorgon_sys::set_defer_accept(listener.fd(), 0);
        // Where that cannot be, some find the old one until it closes.
        let _hidden = gorgon_sys::hide_listener(listener.fd());
        self.timers.set(due, Owner::Retired);
        let retired = self.listeners.iter().flatten().filter(|one| one.retired.is_some() && !one.closing);
        if retired.count() > MOST {
            let living = self.listeners.iter_mut().flatten().filter(|one| !one.closing);
            if let Some(first) = living.filter(|one| one.retired.is_some()).min_by_key(|one| one.retired) {
                first.closing = true;
                self.has_chores();
            }
        }
        true
    }

    /// The addresses of those that are retired.
    pub fn retired(&self) -> impl Iterator<Item = Address> {
        let retired = self.listeners.iter().flatten().filter(|listener| listener.retired.is_some());
        retired.filter_map(|listener| gorgon_sys::local_address(listener.fd()).ok())
    }

    /// Lets new sockets be bound where these listeners are and those that are retired, or ends that.
    pub fn share_addresses(&self, ids: &[ListenerId], shared: bool) {
        for listener in self.listeners.iter().flatten() {
            if listener.retired.is_some() || ids.contains(&listener.id()) {
                // Where that cannot be, the address is in use, and that is told then.
                let _shared = gorgon_sys::share_address(listener.fd(), shared);
            }
        }
    }

    /// Closes those whose time has come, in this turn.
    pub(super) fn end_retired(&mut self, now: u64) {
        for listener in self.listeners.iter_mut().flatten() {
            listener.closing |= listener.retired.is_some_and(|due| due <= now);
        }
        self.has_chores();
    }
}
