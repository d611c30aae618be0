//! Sockets that stand aside: two cannot listen on one address and on all at the same port, so one that a change will close
//! makes room for one that it opens, and comes back if the change comes to nothing.
//!
//! ```text
//!               its address is wanted            the change takes effect
//!   listening ────────────────────────▶ aside ─────────────────────────▶ closed
//!       ▲      what waits is accepted     │
//!       └─────────────────────────────────┘ the change comes to nothing
//! ```
//! It stays bound meanwhile, so that a port comes back that the program could not have anew.

use alloc::vec::Vec;

use gorgon_sys::Address;

use super::listeners::options;
use super::running::Server;
use crate::config::settings::Settings;
use crate::engine::{ListenerId, Reactor};
use crate::text::listen::Listen;
use crate::world::World;

/// Those that stand aside, and how many may wait on them.
#[derive(Default)]
pub(super) struct Aside(Vec<(ListenerId, u32)>);

impl Aside {
    /// Has those of the servers that run make room for an address, if the new settings have no use for them. Says whether
    /// there is more room than before.
    pub(super) fn make_room(
        &mut self,
        wanted: &Listen,
        running: &[Server],
        (before, new): (&Settings, &Settings),
        reactor: &mut Reactor<World>,
    ) -> bool {
        let mut found = false;
        for server in running {
            let settings = before.servers.iter().find(|other| other.name == server.name);
            for bound in &server.bound {
                let enabled = new.servers.iter().filter(|server| server.settings.enabled);
                let mut rules = enabled.flat_map(|server| &server.listeners);
                if rules.any(|rule| rule.listen == bound.rule.listen) {
                    continue;
                }
                let backlog = settings.map_or(0, |own| options(&own.settings, &bound.rule).backlog);
                for (id, address) in &bound.sockets {
                    let Address::Ip(address) = address else { continue };
                    if Listen::Ip(*address).clashes_with(wanted) && reactor.listen_no_more(*id) {
                        self.0.push((*id, backlog));
                        found = true;
                    }
                }
            }
        }
        found
    }

    /// All is as it was.
    pub(super) fn undo(self, reactor: &mut Reactor<World>) {
        for (id, backlog) in self.0 {
            reactor.listen_again(id, backlog);
        }
    }
}
