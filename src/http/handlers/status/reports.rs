//! Who waits for which report, and those that were made within the last second.

use alloc::sync::Arc;
use alloc::vec::Vec;

use super::{json, metrics, page};
use crate::engine::values::ConnId;
use crate::tree::Tree;

/// How long a report is good, in milliseconds.
const FRESH: u64 = 1000;
/// The most connections that wait at once. Further ones are answered 503.
const WAITING_MAX: usize = 1024;

/// A report.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Report {
    /// For people.
    Page,
    /// The same for programs.
    Json,
    /// For Prometheus: its text format, version 0.0.4.
    Metrics,
}

impl Report {
    /// Its fields.
    pub(super) fn fields(self) -> &'static [u8] {
        match self {
            Report::Page => {
                b"Content-Type: text/html; charset=utf-8\r\nVary: Accept\r\n\
                  Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
            }
            Report::Json => b"Content-Type: application/json\r\nVary: Accept\r\n",
            Report::Metrics => b"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n",
        }
    }

    fn make(self, tree: &mut dyn Tree) -> Vec<u8> {
        match self {
            Report::Page => page::make(tree),
            Report::Json => json::make(tree),
            Report::Metrics => metrics::make(tree),
        }
    }
}

/// What gives a handler its reports: a part of what the program shares.
pub trait HasReports {
    /// The reports.
    fn reports(&mut self) -> &mut Reports;
}

/// The answer to who asks.
pub enum Answer {
    /// All of it.
    Ready(Arc<[u8]>),
    /// The connection is woken when it is made.
    Wait,
    /// Too many wait.
    Busy,
}

/// The reports of the program.
#[derive(Default)]
pub struct Reports {
    made: Vec<Made>,
    waiting: Vec<(Report, ConnId)>,
}

struct Made {
    report: Report,
    bytes: Arc<[u8]>,
    /// When, in milliseconds.
    at: u64,
}

impl Reports {
    /// The report, if it was made lately; else the connection waits for it. `now` is in milliseconds.
    pub fn ask(&mut self, report: Report, conn: ConnId, now: u64) -> Answer {
        let made = self.made.iter().find(|made| made.report == report && is_fresh(made, now));
        if let Some(made) = made {
            return Answer::Ready(Arc::clone(&made.bytes));
        }
        if !self.waiting.contains(&(report, conn)) {
            if self.waiting.len() >= WAITING_MAX {
                return Answer::Busy;
            }
            self.waiting.push((report, conn));
        }
        Answer::Wait
    }

    /// Whether there is nothing to do for [`work`].
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.made.is_empty() && self.waiting.is_empty()
    }
}

fn is_fresh(made: &Made, now: u64) -> bool {
    now.saturating_sub(made.at) < FRESH
}

/// Makes the reports that somebody waits for, and gives the connections that are to be woken. To be called after each
/// turn, unless the reports are [quiet](Reports::is_quiet).
pub fn work(reports: &mut Reports, tree: &mut dyn Tree) -> Vec<ConnId> {
    let now = tree.milliseconds();
    reports.made.retain(|made| is_fresh(made, now));
    let waiting = core::mem::take(&mut reports.waiting);
    let mut woken = Vec::with_capacity(waiting.len());
    for (report, conn) in waiting {
        if !reports.made.iter().any(|made| made.report == report) {
            let bytes = report.make(tree).into();
            reports.made.push(Made { report, bytes, at: now });
        }
        woken.push(conn);
    }
    woken
}
