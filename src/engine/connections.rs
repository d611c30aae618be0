//! Connections, looked up by their names and gone through a slice at a time.
//!
//! Those that lead to parts of the program are not among them: nobody has business with them.

use alloc::boxed::Box;

use gorgon_sys::AsFd;

use super::conn::{Conn, Flags};
use super::event_loop::Loop;
use super::listener::ListenerId;
use super::values::{ConnId, Key};
use crate::tree::{Buffer, Code, Trouble, Value};

impl Loop {
    /// Visits connections from a place on, at most so many, and gives the place to go on from; nothing at the end. The
    /// first place is 0. Those that come and go between the calls may be visited or not; those that stay are visited
    /// once.
    pub fn connections_from(
        &self,
        cursor: u64,
        most: usize,
        visit: &mut dyn FnMut(&Loop, ConnId),
    ) -> Option<u64> {
        let mut at = u32::try_from(cursor).ok()?;
        for _ in 0..most {
            let id = self.slots.from(at)?;
            if self.outside(id).is_some() {
                visit(self, id);
            }
            at = id.index.checked_add(1)?;
        }
        Some(at.into())
    }

    /// The connection of that name, as [`ConnId::print`] writes it, if it is open.
    pub fn find_connection(&self, name: &str) -> Option<ConnId> {
        ConnId::parse(name).filter(|id| self.outside(*id).is_some())
    }

    /// A connection that leads out of the program.
    pub(super) fn outside(&self, id: ConnId) -> Option<&Conn> {
        self.slots.get(id).filter(|conn| !conn.flags.has(Flags::INSIDE))
    }

    /// The service that a connection belongs to.
    pub fn service_of(&self, id: ConnId) -> Option<u8> {
        self.slots.get(id).map(|conn| conn.service)
    }

    /// What the service keeps with a connection; 0 is idle.
    pub fn key_of(&self, id: ConnId) -> Option<Key> {
        self.slots.get(id).map(|conn| conn.key)
    }

    /// The listener that a connection came by, if it is still there.
    pub fn listener_of(&self, id: ConnId) -> Option<ListenerId> {
        self.listener_named(self.slots.get(id)?.listener)
    }

    /// Changes a connection: `read_buffer` and `write_buffer`, and `send_buffer` and `receive_buffer`, the kernel's. The
    /// value is one that the unit in [`CONNECTION`](super::connection::CONNECTION) has let through.
    ///
    /// # Errors
    /// There is no such connection or key, the value is wrong, or the system's words.
    pub fn set_connection(&mut self, id: ConnId, key: &str, value: Value) -> Result<(), Box<Trouble>> {
        let Some(conn) = self.outside(id) else {
            return Err(Trouble::new(Code::Missing, &["no such connection"]));
        };
        if let "send_buffer" | "receive_buffer" = key {
            let set = if key == "send_buffer" {
                gorgon_sys::set_send_buffer
            } else {
                gorgon_sys::set_receive_buffer
            };
            let mut bytes = 0;
            let stored = value.store_u64(&mut bytes);
            stored.map_err(|message| Box::new(Trouble { code: Code::Invalid, message }))?;
            if bytes == 0 {
                let message = ["what was set once cannot be left to the kernel again"];
                return Err(Trouble::new(Code::Invalid, &message));
            }
            let bytes = bytes.min(i32::MAX as u64) as usize;
            return set(conn.fd.as_fd(), bytes)
                .map_err(|error| Trouble::new(Code::Failed, &[&gorgon_sys::describe(error)]));
        }
        let sides = match key {
            "read_buffer" => (true, false),
            "write_buffer" => (false, true),
            _ => return Err(Trouble::new(Code::Unknown, &[key, ": no such setting of a connection"])),
        };
        let mut buffer = Buffer::fixed(0);
        let stored = value.store_buffer(&mut buffer);
        stored.map_err(|message| Box::new(Trouble { code: Code::Invalid, message }))?;
        self.set_connection_buffers(id, sides.0.then_some(buffer), sides.1.then_some(buffer));
        Ok(())
    }
}
