//! Changes of a server that serves: what is new holds from the next request on, and what is under way goes on with what
//! it has.
//!
//! A change lies in the world until the service comes by, at the end of the turn, when nothing of the old router is lent
//! out. Replies under way own what they need: bytes that a peer has yet to take are in its output, files are held by
//! themselves, streams and sinks are the exchange's own. A request that waits is asked again of the new handlers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;

use crate::engine::Loop;
use crate::engine::log::Logs;

use super::super::head;
use super::super::router::Router;
use super::super::settings::HttpSettings;
use super::{AccessLog, HttpService};

/// What changes.
pub struct Change<W> {
    /// The settings from now on. Handlers have their own copies: what concerns them is in the router.
    pub settings: HttpSettings,
    /// Other handlers, if they change.
    pub router: Option<Router<W>>,
    /// Filesystems that only the handlers before these used, by their numbers.
    pub filesystems: Vec<usize>,
    /// The access log.
    pub access: Access,
}

/// What becomes of the access log.
pub enum Access {
    /// It stays.
    Same,
    /// There is none from now on.
    Off,
    /// Another one takes its place.
    New(AccessLog),
}

/// What gives a service its changes: a part of what the program shares.
pub trait HasChanges: Sized {
    /// The change of the service of that number, once.
    fn take_change(&mut self, _service: u8) -> Option<Box<Change<Self>>> {
        None
    }
}

impl<W: Logs> HttpService<W> {
    /// Takes over what holds for the next request.
    pub(super) fn tune(&mut self, settings: &HttpSettings) {
        self.limits = head::Limits {
            line: settings.request_line_max as usize,
            head: settings.head_max as usize,
            fields: settings.fields_max as usize,
        };
        self.keep_alive = settings.keep_alive;
        self.body_max = settings.body_max;
        self.drain_max = settings.drain_max;
        self.rate_floor = settings.rate_floor.into();
        self.rate_grace = settings.rate_grace;
    }

    /// Makes a change, between two calls.
    pub(super) fn configure(&mut self, change: Change<W>, world: &mut W, lp: &mut Loop) {
        self.tune(&change.settings);
        if let Some(mut router) = change.router {
            router.replace(&mut self.router, lp.files());
            self.addresses = router.wants_addresses();
            self.router = router;
        }
        let mut access = match change.access {
            Access::Same => return,
            Access::Off => AccessLog::off(),
            Access::New(access) => access,
        };
        access.set_service(self.number);
        access.follow(mem::take(&mut self.access), world, lp);
        self.access = Some(Box::new(access));
        self.forget_log();
    }

    /// Without a log, nothing is kept of it once the last line of the one before is written.
    pub(super) fn forget_log(&mut self) {
        if self.access.as_ref().is_some_and(|access| access.is_over()) {
            self.access = None;
        }
    }
}
