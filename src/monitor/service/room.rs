//! Who may stay in: roles that change while sessions are open, and room for those who come when all of it is taken.

use alloc::string::String;
use alloc::vec::Vec;

use super::{FAREWELL, Guest, HasSessions, MonitorService, Place};
use crate::engine::values::{ConnId, Key};
use crate::engine::{Cx, Loop};
use crate::monitor::roles;
use crate::monitor::session::Session;
use crate::tree::Role;

const DISPLACED: &[u8] = b"error limit max_sessions are open, and somebody of a higher role came\n";

/// What somebody's role comes of.
pub(super) enum Peer {
    /// The numbers of the user and the group.
    Unix(u32, u32),
    /// The name of a user with a key.
    Key(String),
}

/// What happened since the monitor was turned on.
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Sessions that are open.
    pub sessions: u32,
    /// Commands that were asked and answered.
    pub commands: u64,
    /// Commands refused for want of a role.
    pub refused: u64,
    /// Logins that failed.
    pub failed_logins: u64,
}

impl MonitorService {
    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Adds what a session has counted since it was asked last.
    pub(super) fn count(&mut self, session: &mut Session) {
        let (commands, refused) = session.take_counters();
        self.counters.commands += commands;
        self.counters.refused += refused;
    }

    /// Keeps what has changed of a session's place.
    pub(super) fn keep(&mut self, key: Key, place: Place) {
        if let Some(Guest::Session(kept, _)) = self.guest(key) {
            *kept = place;
        }
    }

    /// The place of the session that has to go where room is wanted for one of that role: of the lowest role, which is
    /// lower; of those one that does nothing; and of those the oldest.
    pub(super) fn least<W: HasSessions>(&self, role: Role, world: &mut W) -> Option<usize> {
        let mut found: Option<(_, usize)> = None;
        for (at, guest) in self.guests.iter().enumerate() {
            let Some(Guest::Session(place, _)) = guest else { continue };
            let Some(session) = world.sessions().get(place.number) else { continue };
            let works = session.has_work() || session.is_watching();
            let key = (session.actor().role, works, session.opened());
            if key.0 < role && found.is_none_or(|(other, _)| key < other) {
                found = Some((key, at));
            }
        }
        found.map(|(_, at)| at)
    }

    /// Whether there is room for one of that role, or was made for it.
    pub(super) fn make_room<W: HasSessions>(&mut self, role: Role, world: &mut W, cx: &mut Cx<'_>) -> bool {
        if self.counters.sessions < self.access.max_sessions {
            return true;
        }
        let Some(at) = self.least(role, world) else { return false };
        let Some(Some(guest)) = self.guests.get_mut(at) else { return false };
        let Guest::Session(place, _) = guest else { return false };
        let place = *place;
        *guest = Guest::Shut(DISPLACED);
        if let Some((id, session)) = world.sessions().find(place.number) {
            let who = session.actor().who.clone();
            cx.lp().send(id, if place.medusa { FAREWELL } else { DISPLACED });
            cx.lp().close(id);
            self.note(cx.now(), "% had to make room", &[&who], world);
        }
        self.end(place, world);
        true
    }

    /// Those who are in get the roles that they would be let in with now; who has none is out.
    pub(super) fn judge<W: HasSessions>(&self, world: &mut W, lp: &mut Loop) {
        for guest in self.guests.iter().flatten() {
            let Guest::Session(place, peer) = guest else { continue };
            let Some((id, session)) = world.sessions().find(place.number) else { continue };
            let held = session.actor().role;
            let role = match peer {
                Peer::Unix(user, group) => self.access.roles.of(*user, *group),
                Peer::Key(user) => self.keys.keys().role(user, held),
            };
            if role == Some(held) {
                continue;
            }
            session.set_role(role);
            let words = role.map_or("none", roles::word);
            let who = session.actor().who.clone();
            lp.wake(id);
            self.note(lp.now(), "the role of % is now %", &[&who, words], world);
        }
    }

    /// Ends a session.
    #[inline(never)]
    fn end<W: HasSessions>(&mut self, place: Place, world: &mut W) {
        if let Some(session) = world.sessions().get(place.number) {
            self.count(session);
        }
        world.sessions().close(place.number);
        self.counters.sessions = self.counters.sessions.saturating_sub(1);
    }

    /// Takes its place from a connection.
    pub(super) fn leave<W: HasSessions>(&mut self, key: &mut Key, id: ConnId, world: &mut W) {
        let at = (core::mem::take(key) as usize).wrapping_sub(1);
        match self.guests.get_mut(at).and_then(Option::take) {
            Some(Guest::Login { .. }) => world.door().leave(id),
            Some(Guest::Session(place, _)) => self.end(place, world),
            Some(Guest::Shut(_)) | None => {}
        }
        if self.guests.iter().all(Option::is_none) {
            // While nobody looks it holds no memory.
            self.guests = Vec::new();
        }
    }
}
