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
    lp: &'a Loop,
    id: ConnId,
}

impl Client<'_> {
    /// Appends the peer's address as text, without its port: IPv4 in dots (for IPv4 within IPv6, too), IPv6 as RFC 5952
    /// writes it and without brackets, `unix:` for a Unix socket, `-` when it is not known.
    ///
    /// It comes from the table when [`Limits::addresses`](super::Limits) is set, and is known during `on_close` too; it
    /// is asked of the kernel otherwise, which forgets it when the peer is gone.
    pub fn push_address(self, text: &mut Vec<u8>) {
        let (service, client) = self.lp.client_of(self.id);
        let state = self.lp.services.get(usize::from(service));
        if client != ClientId::NONE && state.is_some_and(|state| state.clients.push_text(client, text)) {
            return;
        }
        match self.ask() {
            Some(Address::Ip(address)) => push_ip(address.ip(), text),
            Some(Address::Unix(_)) => text.extend_from_slice(b"unix:"),
            None => text.push(b'-'),
        }
    }

    /// The bits of the peer's address, if the table knows it: what text was made of them can be used again.
    pub fn bits(self) -> Option<[u8; 16]> {
        let (service, client) = self.lp.client_of(self.id);
        self.lp.services.get(usize::from(service))?.clients.bits(client)
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
        Client { lp: self, id }
    }

    /// The service of a connection and its peer's place in that service's table.
    fn client_of(&self, id: ConnId) -> (u8, ClientId) {
        if let Some(conn) = self.slots.get(id) {
            return (conn.service, conn.client);
        }
        match self.leaving.filter(|leaving| leaving.id == id) {
            Some(leaving) => (leaving.service, leaving.client),
            None => (u8::MAX, ClientId::NONE),
        }
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
