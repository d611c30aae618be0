//! Changes for a time: values that come back by themselves.

use alloc::string::String;
use alloc::vec::Vec;

use crate::text::join::joined;
use crate::tree::Actor;

/// Changes that may wait at once, of all sessions together.
pub const TIMED: usize = 64;

/// How long one waits that could not be set back, in milliseconds, unless another one is due before.
pub(super) const AGAIN: u64 = 10_000;

/// One value that will come back.
pub struct Change {
    /// The node: `/http/main`.
    pub path: String,
    /// The attribute.
    pub key: String,
    /// Its text before, and again.
    pub back: String,
    /// When, in milliseconds since the program started.
    pub due: u64,
    /// The text it was set to: if it is something else by then, it stays.
    pub(super) set: String,
    /// Who set it; the session may be over.
    pub(super) actor: Actor,
    /// It could not be set back when it was due.
    pub(super) failed: bool,
}

/// All that wait. They outlive the sessions that made them.
#[derive(Default)]
pub struct Timed {
    pub(super) changes: Vec<Change>,
}

impl Timed {
    /// Those that wait, in no order.
    pub fn waiting(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter()
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<u64> {
        self.changes.iter().map(|change| change.due).min()
    }

    /// Takes those that are due; with them those that have failed, which may go together with them.
    pub(super) fn take_due(&mut self, now: u64) -> Vec<Change> {
        if self.changes.iter().all(|change| change.due > now) {
            return Vec::new();
        }
        let all = core::mem::take(&mut self.changes).into_iter();
        let (due, later) = all.partition(|change| change.failed || change.due <= now);
        self.changes = later;
        due
    }

    /// The one of that attribute.
    pub(super) fn find(&self, path: &str, key: &str) -> Option<&Change> {
        self.changes.get(self.place(path, key)?)
    }

    fn place(&self, path: &str, key: &str) -> Option<usize> {
        self.changes.iter().position(|change| change.path == path && change.key == key)
    }

    /// The value of that attribute stays as it is.
    pub(super) fn forget(&mut self, path: &str, key: &str) {
        if let Some(place) = self.place(path, key) {
            self.changes.swap_remove(place);
        }
    }

    /// A node is gone, and with a server its handlers: nothing of them comes back.
    pub(super) fn forget_node(&mut self, node: &str) {
        let handlers = node.strip_prefix("/http/").map(|server| joined(&["/handler/", server, "/"]));
        self.changes.retain(|change| {
            change.path != node && !handlers.as_ref().is_some_and(|front| change.path.starts_with(front))
        });
    }
}
