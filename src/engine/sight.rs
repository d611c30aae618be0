//! What can be seen of services and their connections from outside.

use super::conn::{Flags, NONE};
use super::reactor::Reactor;
use super::service::Sight;
use super::values::{ConnId, Now};
use crate::tree::{About, Path, Value};

impl<W> Reactor<W> {
    /// The time of this turn.
    pub fn now(&self) -> Now {
        self.lp.now()
    }

    /// Has a service tell its facts; see [`Service::inspect`](super::Service::inspect).
    pub fn inspect(&self, service: u8, out: &mut dyn FnMut(&Path<'_>, &'static About, Value)) {
        if let Some(Some(service)) = self.services.get(usize::from(service)) {
            service.inspect(out);
        }
    }

    /// Has the service of a connection tell about it; see [`Service::describe`](super::Service::describe).
    pub fn describe(&self, id: ConnId, out: &mut dyn FnMut(&'static str, Value)) {
        let Some(conn) = self.lp.slots.get(id) else { return };
        let unread = conn.input_length > 0 || conn.flags.has(Flags::STARVED);
        let sends = conn.output != NONE;
        let seen = Sight { id, key: conn.key, class: conn.class, sends, unread, noted: self.lp.noted(conn) };
        if let Some(Some(service)) = self.services.get(usize::from(conn.service)) {
            service.describe(&seen, out);
        }
    }
}
