//! Servers that are turned off or gone, but for their connections.
//!
//! ```text
//!   running ── enabled=off, drain, remove ──▶ draining ── its last connection ends ──▶ stopped
//!      │                                         │                                       ▲
//!      │                                         └── stop: those are closed ─────────────┤
//!      └── stop ─────────────────────────────────────────────────────────────────────────┘
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use super::handlers::Recipe;
use super::running::Running;
use crate::engine::Reactor;
use crate::world::World;

/// One of them.
pub(super) struct Leaving {
    pub(super) name: String,
    /// Its number in the loop.
    pub(super) service: u8,
    /// What it uses.
    pub(super) recipe: Recipe,
}

impl Running {
    /// Whether something is to be looked after.
    pub(super) fn has_leaving(&self) -> bool {
        !self.leaving.is_empty()
    }

    /// The service of a server that drains, the last one of that name.
    pub(super) fn draining(&self, name: &str) -> Option<u8> {
        self.leaving.iter().rev().find(|leaving| leaving.name == name).map(|leaving| leaving.service)
    }

    /// Closes what connections a server has that drains.
    pub(super) fn cut(&self, name: &str, reactor: &mut Reactor<World>) {
        for leaving in self.leaving.iter().filter(|leaving| leaving.name == name) {
            reactor.lp().drain_service(leaving.service, 0);
        }
    }

    /// Lets go what servers that are gone have used. To be called now and then.
    pub(super) fn sweep(&mut self, reactor: &mut Reactor<World>) {
        reactor.world().let_go();
        let mut logins = Vec::new();
        self.leaving.retain(|leaving| {
            let counters = reactor.lp().service_counters(leaving.service);
            let drains = counters.is_some_and(|counters| counters.draining);
            if !drains {
                let nothing = Recipe::default();
                for number in leaving.recipe.filesystems_beyond(&nothing) {
                    reactor.world().remove_filesystem(number);
                }
                logins.append(&mut leaving.recipe.logins_beyond(&nothing));
            }
            drains
        });
        self.end_logins(&logins, reactor);
    }
}
