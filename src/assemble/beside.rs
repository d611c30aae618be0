//! Sockets that take the place of others: two cannot listen on one address and on all at the same port, unless both are told
//! to share it, and so a new one is bound beside the old.
//!
//! ```text
//!   prepare: its address is in use ──▶ all else is ready: bound beside the old ──▶ it listens ──▶ commit: the old retires
//!                                          └── it cannot be: nothing was listened on, and the old is as it was ──▶ undo
//! ```
//! At no moment does nobody listen, and nothing is listened on before all else has succeeded: who comes in the meantime
//! would be lost when that is undone.

use alloc::boxed::Box;
use alloc::vec::Vec;

use gorgon_sys::{Address, Errno, ListenOptions};

use super::listeners::{bind, display};
use super::running::{Opened, Running};
use super::sockets::{Bound, rules, too_many};
use super::{Failure, failure};
use crate::config::settings::Settings;
use crate::engine::{ListenerId, Reactor};
use crate::text::listen::Listen;
use crate::world::World;

/// The rules whose addresses are in use by sockets that go.
#[derive(Default)]
pub(super) struct Beside {
    /// Each by its place among those that are ready.
    waiting: Vec<usize>,
    /// The sockets whose places they take, and for which service.
    pub(super) replaced: Vec<(ListenerId, u8)>,
}

impl Running {
    /// Notes that the rule that is made ready next waits for the addresses of sockets that go. Says whether there are such.
    pub(super) fn wait_for_place(
        &self,
        wanted: &Bound,
        new: &Settings,
        reactor: &mut Reactor<World>,
        opened: &mut Opened,
    ) -> bool {
        let clashes = |address: &Address| match address {
            Address::Ip(address) => Listen::Ip(*address).clashes_with(&wanted.rule.listen),
            // Another socket can have its name at once.
            Address::Unix(_) => false,
        };
        let mut found = reactor.lp().retired().any(|address| clashes(&address));
        let stays = rules(new);
        for bound in &self.bound {
            if stays.iter().any(|rule| rule.listen == bound.rule.listen) {
                continue;
            }
            for (id, address) in &bound.sockets {
                if clashes(address) {
                    opened.beside.replaced.push((*id, wanted.service));
                    found = true;
                }
            }
        }
        if found {
            opened.beside.waiting.push(opened.bound.len());
        }
        found
    }

    /// Binds what waits for that, when all else is ready.
    pub(super) fn take_places(
        &self,
        reactor: &mut Reactor<World>,
        opened: &mut Opened,
    ) -> Result<(), Box<Failure>> {
        if opened.beside.waiting.is_empty() {
            return Ok(());
        }
        let olds: Vec<ListenerId> = opened.beside.replaced.iter().map(|(id, _)| *id).collect();
        reactor.lp().share_addresses(&olds, true);
        let outcome = listen_beside(reactor, opened);
        // Nobody else is to take a place here.
        reactor.lp().share_addresses(&olds, false);
        outcome
    }
}

fn listen_beside(reactor: &mut Reactor<World>, opened: &mut Opened) -> Result<(), Box<Failure>> {
    let mut silent = Vec::new();
    for at in &opened.beside.waiting {
        let Some(bound) = opened.bound.get_mut(*at) else { continue };
        let options = ListenOptions { beside: true, ..bound.options };
        for (socket, address) in bind(&bound.rule.listen, &options)? {
            let added = reactor.lp().add_listener(socket, bound.service, bound.buffers);
            let id = added.map_err(|error| too_many(&address, error))?;
            opened.listeners.push(id);
            bound.sockets.push((id, address.clone()));
            silent.push((id, address, options.backlog));
        }
    }
    for (id, address, backlog) in silent {
        let Some(listener) = reactor.lp().listener(id) else { continue };
        let listens = gorgon_sys::listen_again(listener.fd(), backlog);
        let closed: Result<(), Errno> = gorgon_sys::share_address(listener.fd(), false);
        listens.and(closed).map_err(|error| failure(&display(&address), error))?;
    }
    Ok(())
}
