//! Changes for a time: values that come back by themselves.

use alloc::string::String;
use alloc::vec::Vec;

use crate::tree::Actor;

/// Changes that may wait at once, of all sessions together.
pub const TIMED: usize = 64;

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

    /// Takes one that is due.
    pub(super) fn take_due(&mut self, now: u64) -> Option<Change> {
        let place = self.changes.iter().position(|change| change.due <= now)?;
        Some(self.changes.swap_remove(place))
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
}
