//! The peer of one connection, as a service sees it.

use alloc::vec::Vec;

use gorgon_sys::{Address, AsFd, Credentials, peer_address, peer_credentials};

use super::clients::ClientId;
use super::event_loop::Loop;
use super::values::ConnId;
use crate::text::address::push_ip;

/// The peer of a connection. Nothing is looked up before it is asked for.
#[derive(Clone, Copy)]
pub struct Client<'a> {
    pub(super) lp: &'a Loop,
    pub(super) id: ConnId,
    /// Its service, and its place in that service's table.
    pub(super) service: u8,
    pub(super) place: ClientId,
}

impl Client<'_> {
    /// Appends the peer's address as text, without its port: IPv4 in dots (for IPv4 within IPv6, too), IPv6 as RFC 5952
    /// writes it and without brackets, `unix:` for a Unix socket, `-` when it is not known.
    ///
    /// It comes from the table when [`Limits::addresses`](super::Limits) is set, and is known during `on_close` too; it
    /// is asked of the kernel otherwise, which forgets it when the peer is gone.
    pub fn push_address(self, text: &mut Vec<u8>) {
        let state = self.lp.services.get(usize::from(self.service));
        if self.place != ClientId::NONE
            && state.is_some_and(|state| state.clients.push_text(self.place, text))
        {
            return;
        }
        match self.ask() {
            Some(Address::Ip(address)) => push_ip(address.ip(), text),
            Some(Address::Unix(_)) => text.extend_from_slice(b"unix:"),
            None => text.push(b'-'),
        }
    }

    /// What two connections have in common only if they are of the same entry of the table, now or earlier: for those who
    /// keep what they made of [`Client::bits`]. It changes when another entry is made.
    pub fn tag(self) -> Option<(u64, ClientId)> {
        let state =
            self.lp.services.get(usize::from(self.service)).filter(|_| self.place != ClientId::NONE)?;
        Some((state.clients.made(), self.place))
    }

    /// The bits of the peer's address, if the table knows it.
    pub fn bits(self) -> Option<[u8; 16]> {
        self.lp.services.get(usize::from(self.service))?.clients.bits(self.place)
    }

    /// The peer's port, asked of the kernel; none for a Unix socket or when the peer is gone.
    pub fn port(self) -> Option<u16> {
        match self.ask()? {
            Address::Ip(address) => Some(address.port()),
            Address::Unix(_) => None,
        }
    }

    fn ask(self) -> Option<Address> {
        peer_address(self.lp.slots.get(self.id)?.fd.as_fd()).ok()
    }
}

impl Loop {
    /// Who the peer of a Unix socket is; nothing for one of another kind.
    pub fn credentials(&self, id: ConnId) -> Option<Credentials> {
        peer_credentials(self.slots.get(id)?.fd.as_fd()).ok()
    }

    /// The peer of a connection; also, within `on_close`, of the one that is gone.
    pub fn client(&self, id: ConnId) -> Client<'_> {
        let (service, place) = match (self.slots.get(id), self.leaving) {
            (Some(conn), _) => (conn.service, conn.client),
            (None, Some(leaving)) if leaving.id == id => (leaving.service, leaving.client),
            (None, _) => (u8::MAX, ClientId::NONE),
        };
        Client { lp: self, id, service, place }
    }

    /// A connection is gone: its peer has one less.
    pub(super) fn leave(&mut self, service: u8, client: ClientId) {
        if client == ClientId::NONE {
            return;
        }
        if let Some(state) = self.services.get_mut(usize::from(service)) {
            state.clients.leave(client);
        }
    }
}
