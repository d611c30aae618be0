//! Changes of a server that serves: what is new holds from the next request on, and what is under way goes on with what
//! it has.
//!
//! A change is made between two calls, when nothing of the old router is lent out. Replies under way own what they need:
//! bytes that a peer has yet to take are in its output, files are held by themselves, streams and sinks are the
//! exchange's own. A request that waits is asked again of the new handlers.

use alloc::boxed::Box;
use core::mem;

use crate::engine::log::Logs;
use crate::engine::values::{CLASSES, Timeout};
use crate::engine::{Limits, Loop};

use super::super::error_page;
use super::super::head;
use super::super::router::Router;
use super::super::settings::HttpSettings;
use super::{AccessLog, BETWEEN, BODY, HEADER, HttpService, LINGER, WAIT, WAITING};

/// What changes.
pub struct Change<W> {
    /// The settings from now on. Handlers have their own copies: what concerns them is in the router.
    pub settings: HttpSettings,
    /// Other handlers, if they change.
    pub router: Option<Router<W>>,
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
    New(Box<AccessLog>),
}

impl<W: Logs> HttpService<W> {
    /// The loop's limits for a server with these settings and at most `connections` connections. Those beyond a number
    /// that was set are told so; those beyond what the system allows wait.
    pub fn limits(settings: &HttpSettings, connections: usize) -> Limits {
        let mut timeouts = [0; CLASSES];
        for (class, time) in [
            (Timeout::WRITE, settings.rate_grace),
            (HEADER, settings.header_timeout),
            (BETWEEN, settings.idle_timeout),
            (BODY, settings.rate_grace),
            (LINGER, settings.linger_timeout),
            (WAITING, WAIT),
        ] {
            if let Some(slot) = timeouts.get_mut(usize::from(class.0)) {
                *slot = time;
            }
        }
        Limits {
            timeouts,
            rate_floor: settings.rate_floor.into(),
            connections,
            per_address: settings.max_per_address,
            addresses: false,
            refusal: error_page::TOO_MANY,
            refuses: settings.max_connections > 0 && connections >= settings.max_connections as usize,
            idle: BETWEEN,
            read_size: settings.read_buffer.least,
            write_size: settings.write_buffer.least,
            sendfile: settings.sendfile,
            looks_on: false,
        }
    }

    /// Takes over what holds for the next request.
    pub(super) fn tune(&mut self, settings: &HttpSettings) {
        self.limits = head::Limits {
            line: settings.request_line_max as usize,
            head: settings.head_max as usize,
            fields: settings.fields_max as usize,
        };
        self.keep_alive = settings.keep_alive;
        self.body_max = settings.body_max;
        self.drain_max = settings.drain_max.min(settings.body_max);
        self.rate_floor = settings.rate_floor.into();
        self.rate_grace = settings.rate_grace;
    }

    /// Makes a change, between two calls. What the handlers before used of the world, and these do not, can go then.
    pub fn configure(&mut self, change: Change<W>, world: &mut W, lp: &mut Loop) {
        self.tune(&change.settings);
        if let Some(mut router) = change.router {
            router.replace(&mut self.router, lp.files());
            self.addresses = router.wants_addresses();
            self.router = router;
        }
        let mut access = match change.access {
            Access::Same => return,
            Access::Off => Box::new(AccessLog::off()),
            Access::New(access) => access,
        };
        access.set_service(self.number);
        access.follow(mem::take(&mut self.access), world, lp);
        self.access = Some(access);
        self.forget_log();
    }

    /// The end: gives back what the handlers hold, and ends the logs.
    pub(super) fn give_back(&mut self, world: &mut W, lp: &mut Loop) {
        Router::default().replace(&mut self.router, lp.files());
        if let Some(mut access) = mem::take(&mut self.access) {
            access.abandon(world, lp);
        }
    }

    /// Without a log, nothing is kept of it once the last line of the one before is written.
    pub(super) fn forget_log(&mut self) {
        if self.access.as_ref().is_some_and(|access| access.is_over()) {
            self.access = None;
        }
    }
}
