//! The sessions of all monitors, and what they share. They live in the world, so that sockets fill them and commands,
//! which reach the whole program, empty them.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::session::Session;
use super::timed::Timed;
use crate::engine::values::ConnId;
use crate::tree::Actor;

/// One session and its connection.
pub(super) struct Entry {
    pub(super) id: ConnId,
    pub(super) session: Session,
    /// Its connection is to be told.
    pub(super) woken: bool,
}

/// All sessions, by number from 1 on.
#[derive(Default)]
pub struct Sessions {
    pub(super) slots: Vec<Option<Box<Entry>>>,
    pub(super) timed: Timed,
    /// Whose turn is next.
    pub(super) turn: usize,
}

impl Sessions {
    /// Lets somebody in at that time in milliseconds; gives the number of the session.
    pub fn open(&mut self, id: ConnId, actor: Actor, now: u64) -> u32 {
        self.add(id, Session::new(actor, now))
    }

    /// Takes a session; gives its number.
    pub(super) fn add(&mut self, id: ConnId, session: Session) -> u32 {
        let entry = Some(Box::new(Entry { id, session, woken: false }));
        let place = self.slots.iter().position(Option::is_none).unwrap_or(self.slots.len());
        if place == self.slots.len() {
            self.slots.push(None);
        }
        if let Some(slot) = self.slots.get_mut(place) {
            *slot = entry;
        }
        place as u32 + 1
    }

    /// The session of that number.
    pub fn get(&mut self, number: u32) -> Option<&mut Session> {
        self.find(number).map(|(_, session)| session)
    }

    /// The same with its connection.
    pub fn find(&mut self, number: u32) -> Option<(ConnId, &mut Session)> {
        let place = (number as usize).checked_sub(1)?;
        self.slots.get_mut(place)?.as_mut().map(|entry| (entry.id, &mut entry.session))
    }

    /// Forgets a session whose connection is gone: what it asked and was not answered, its watches, its transaction.
    pub fn close(&mut self, number: u32) {
        if let Some(place) = (number as usize).checked_sub(1) {
            self.slots.get_mut(place).map(Option::take);
        }
        if self.count() == 0 {
            self.slots = Vec::new();
        }
    }

    /// How many are open.
    #[must_use]
    pub fn count(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// The open ones with their connections.
    pub fn iter(&self) -> impl Iterator<Item = (ConnId, &Session)> {
        self.slots.iter().flatten().map(|entry| (entry.id, &entry.session))
    }

    /// Changes that will come back.
    #[must_use]
    pub fn timed(&self) -> &Timed {
        &self.timed
    }

    /// Whether [`super::commands::work`] has nothing to do, now or later.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.timed.next().is_none()
            && self.slots.iter().flatten().all(|entry| {
                let session = &entry.session;
                session.watches.is_empty() && !session.has_work()
            })
    }
}
