//! The handlers *status* and *metrics*: what the program does, as a page, as JSON, and as Prometheus reads it.
//!
//! What they tell is the facts of the [`Tree`](crate::tree::Tree), which no handler can reach. So a request that finds no
//! report waits, and leaves the question in the world; when the turn is over, the program has [`work`] make the report
//! from the tree, once for all who wait, and they are woken.
//!
//! ```text
//!            ask                   work                a second
//!  (nothing) ───▶ somebody waits ─────────▶ it is kept ───────▶ (nothing)
//!                                              │  ▲
//!                                              └──┘ ask: it is sent as it is
//! ```
//! So that one who asks often does not keep the program busy, a report is good for a second.

mod json;
mod metrics;
mod page;
mod reports;
mod view;

pub use reports::{Answer, HasReports, Report, Reports, work};

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::super::accept;
use super::super::field::Name;
use super::super::handler::{Body, Fill, Handler, Hx, Means, Reply, Response, Stream};
use super::super::request::Request;
use super::super::response;
use super::super::status::Status;
use super::fixed::{self, argument};
use crate::text::number::{parse_decimal, push_decimal};

/// The longest time between two looks of a page that asks for itself again, in seconds.
const REFRESH_MAX: u64 = 3600;

/// The handler of either kind.
pub struct StatusHandler {
    metrics: bool,
}

impl StatusHandler {
    /// Tells people, and programs that read JSON.
    #[must_use]
    pub fn page() -> StatusHandler {
        StatusHandler { metrics: false }
    }

    /// Tells Prometheus.
    #[must_use]
    pub fn metrics() -> StatusHandler {
        StatusHandler { metrics: true }
    }

    /// What is asked for.
    fn report(&self, request: &Request<'_>) -> Report {
        if self.metrics {
            return Report::Metrics;
        }
        let named = argument(request.query().unwrap_or_default(), b"format");
        let json = match named {
            Some(name) => name == b"json",
            None => {
                let types: [&[u8]; 2] = [b"text/html", b"application/json"];
                accept::preferred(&mut request.values(Name::Accept), &types) == 1
            }
        };
        if json { Report::Json } else { Report::Page }
    }
}

impl<W: HasReports> Handler<W> for StatusHandler {
    fn handle<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W> {
        if let Some(response) = fixed::refuse_others(request) {
            return Reply::Respond(response);
        }
        let report = self.report(request);
        let bytes = match world.reports().ask(report, hx.conn, hx.now.milliseconds) {
            Answer::Ready(bytes) => bytes,
            Answer::Wait => return Reply::Wait,
            Answer::Busy => return Reply::Respond(Response::page(Status::SERVICE_UNAVAILABLE)),
        };
        let mut fields = Vec::with_capacity(256);
        fields.extend_from_slice(fixed::FIELDS);
        fields.extend_from_slice(report.fields());
        if report == Report::Page {
            let seconds = argument(request.query().unwrap_or_default(), b"refresh").and_then(parse_decimal);
            if let Some(seconds) = seconds.filter(|seconds| (1..=REFRESH_MAX).contains(seconds)) {
                let mut value = Vec::new();
                push_decimal(seconds, &mut value);
                response::field(&mut fields, b"Refresh", &value);
            }
        }
        let length = bytes.len() as u64;
        let stream = Box::new(Shared { bytes, at: 0 });
        Reply::Respond(Response { status: Status::OK, fields, body: Body::Sized { length, stream } })
    }
}

/// A report on its way: all who are sent it at once share its bytes.
struct Shared {
    bytes: Arc<[u8]>,
    at: usize,
}

impl<W> Stream<W> for Shared {
    fn fill(&mut self, out: &mut [u8], _means: &mut Means<'_, W>) -> Fill {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let count = rest.len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.at += count;
        if count == rest.len() { Fill::End(count) } else { Fill::Some(count) }
    }
}

#[cfg(test)]
mod tests;
