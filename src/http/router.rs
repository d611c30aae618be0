//! The router: a list of handlers, and the first that answers wins.
//!
//! A router is never changed while it serves: another one takes its place, between two requests, and takes over from it
//! the handlers that stay ([`Router::keep`]), with all they hold, and what was counted under their names.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::values::{Files, Now};

use super::facts::{HANDLER_FACTS, HandlerFacts, Tell, tell};
use super::handler::{Handler, Hx, Reply};
use super::request::Request;

/// A server's handlers, in order.
pub struct Router<W> {
    mounts: Vec<Mount<W>>,
    /// How many of them the last request has come by.
    reached: usize,
}

/// A handler in its place.
pub struct Mount<W> {
    name: Box<str>,
    /// Whole segments of the decoded path: `/a` is the front of `/a` and `/a/b`, not of `/ab`. Empty fits all.
    prefix: Box<[u8]>,
    enabled: bool,
    /// `None` until it is taken over from the router before.
    handler: Option<Box<dyn Handler<W>>>,
    facts: HandlerFacts,
}

impl<W> Mount<W> {
    /// Its name, which no other mount of the router has.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The front of the paths it is asked for; empty for all.
    #[must_use]
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Whether it is asked at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Whether its handler is still to be taken over.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.handler.is_none()
    }

    /// What was counted under its name.
    #[must_use]
    pub fn facts(&self) -> HandlerFacts {
        self.facts
    }

    fn fits(&self, path: &[u8]) -> bool {
        self.enabled && is_below(path, &self.prefix)
    }
}

impl<W> Default for Router<W> {
    fn default() -> Self {
        Router { mounts: Vec::new(), reached: 0 }
    }
}

impl<W> Router<W> {
    /// Adds a handler after all others, for paths below `prefix`.
    pub fn add(&mut self, name: &str, prefix: &[u8], handler: Box<dyn Handler<W>>) {
        self.mount(name, prefix, Some(handler));
    }

    /// Adds, after all others, the handler that has this name in the router whose place is taken.
    pub fn keep(&mut self, name: &str, prefix: &[u8]) {
        self.mount(name, prefix, None);
    }

    fn mount(&mut self, name: &str, prefix: &[u8], handler: Option<Box<dyn Handler<W>>>) {
        let prefix = prefix.strip_suffix(b"/").unwrap_or(prefix).into();
        let facts = HandlerFacts::default();
        self.mounts.push(Mount { name: name.into(), prefix, enabled: true, handler, facts });
    }

    /// Has the handler that was added last asked, or not.
    pub fn enable_last(&mut self, enabled: bool) {
        if let Some(mount) = self.mounts.last_mut() {
            mount.enabled = enabled;
        }
    }

    /// All mounts, in order.
    pub fn mounts(&self) -> impl Iterator<Item = &Mount<W>> {
        self.mounts.iter()
    }

    /// Takes the place of another one, and over from it what is to be kept. What is left there gives back what it holds.
    pub fn replace(&mut self, before: &mut Router<W>, files: &mut Files) {
        for mount in &mut self.mounts {
            let Some(same) = before.mounts.iter_mut().find(|other| other.name == mount.name) else {
                continue;
            };
            mount.facts = same.facts;
            if mount.handler.is_none() {
                mount.handler = same.handler.take();
            }
        }
        before
            .mounts
            .drain(..)
            .filter_map(|mount| mount.handler)
            .for_each(|mut handler| handler.retire(files));
    }

    /// Asks one after the other.
    pub fn route<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        let Router { mounts, reached } = self;
        for (at, mount) in mounts.iter_mut().enumerate() {
            if !mount.fits(hx.path.as_bytes()) {
                continue;
            }
            *reached = at + 1;
            let Mount { handler: Some(handler), facts, .. } = mount else { continue };
            facts.asked += 1;
            match handler.handle(request, world, hx) {
                Reply::Pass => {}
                reply => {
                    facts.answered += 1;
                    if let Reply::Respond(response) = &reply {
                        facts.errors += u64::from(response.status.code() >= 500);
                    }
                    return reply;
                }
            }
        }
        Reply::Pass
    }

    /// The request for this path, the last that was routed, will be asked again: it counts only then.
    pub fn put_off(&mut self, path: &[u8]) {
        let mut waits = true;
        for mount in self.mounts.iter_mut().take(self.reached).rev().filter(|mount| mount.fits(path)) {
            mount.facts.asked -= u64::from(mount.facts.asked > 0);
            mount.facts.answered -= u64::from(core::mem::take(&mut waits) && mount.facts.answered > 0);
        }
    }

    /// Whether a handler wants to know where requests come from.
    #[must_use]
    pub fn wants_addresses(&self) -> bool {
        self.mounts.iter().filter_map(|mount| mount.handler.as_ref()).any(|handler| handler.wants_addresses())
    }

    /// Has every handler let go what it need not keep; says whether one wants to be asked again.
    pub fn sweep(&mut self, now: Now, files: &mut Files) -> bool {
        let handlers = self.mounts.iter_mut().filter_map(|mount| mount.handler.as_mut());
        handlers.fold(false, |again, handler| handler.sweep(now, files) | again)
    }

    /// Tells what was counted of each handler, and what each has counted itself.
    pub fn inspect(&self, out: Tell<'_>) {
        for mount in &self.mounts {
            tell(&HANDLER_FACTS, &mount.facts, &mount.name, out);
            if let Some(handler) = &mount.handler {
                handler.inspect(&mount.name, out);
            }
        }
    }
}

/// Whether a path lies at or below a prefix, by whole segments.
pub(super) fn is_below(path: &[u8], prefix: &[u8]) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.first() == Some(&b'/'))
}

#[cfg(test)]
mod tests;
