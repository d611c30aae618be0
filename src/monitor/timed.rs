//! Changes for a time: values that come back by themselves.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::text::join::joined;
use crate::tree::{Actor, Step};

/// Changes that may wait at once, of all sessions together.
pub const TIMED: usize = 1024;

/// How many come back in one turn. Those that are too many for it and hold only together with others fail, and come back
/// with the next ones.
const TOGETHER: usize = 256;

/// How long one waits that could not be set back, in milliseconds, unless another one is due before.
pub(super) const AGAIN: u64 = 10_000;

/// One value that will come back.
pub struct Change {
    /// The node: `/http/main`.
    pub path: String,
    /// The attribute.
    pub key: String,
    /// The node by the name that it was set by: of a part of a rule, the listener.
    pub(super) node: String,
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

impl Change {
    /// Whether it is of that attribute, or of a part of it.
    pub(super) fn is_of(&self, path: &str, key: &str) -> bool {
        self.path == path && (self.key == key || self.attribute() == key)
    }

    /// The attribute that it is of, or of a part of.
    pub(super) fn attribute(&self) -> &str {
        self.key.split_once('[').map_or(&self.key, |(attribute, _)| attribute)
    }

    /// Its text before, for people: a part may have had none.
    pub(super) fn before(&self) -> &str {
        if self.back.is_empty() && self.attribute() != self.key { "as it was" } else { &self.back }
    }
}

/// The steps that set their attributes back.
#[inline(never)]
pub(super) fn steps(changes: &mut dyn Iterator<Item = &Change>) -> Vec<Step> {
    let mut steps = Vec::new();
    for change in changes {
        steps.push(Step::set(&change.path, &change.key, &change.back));
    }
    steps
}

/// All that wait. They outlive the sessions that made them.
#[derive(Default)]
pub struct Timed {
    // In its box one moves as one word.
    #[allow(clippy::vec_box)]
    changes: Vec<Box<Change>>,
    /// None of them is due before: while they wait, a turn looks at no more than this.
    soonest: u64,
}

impl Timed {
    /// Those that wait, in no order.
    pub fn waiting(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().map(|change| &**change)
    }

    /// How many.
    pub(super) fn count(&self) -> usize {
        self.changes.len()
    }

    /// When the next one is due, or one that has gone meanwhile was.
    pub(super) fn next(&self) -> Option<u64> {
        (!self.changes.is_empty()).then_some(self.soonest)
    }

    /// One more has to wait.
    pub(super) fn push(&mut self, change: Box<Change>) {
        self.soonest = if self.changes.is_empty() { change.due } else { self.soonest.min(change.due) };
        self.changes.push(change);
    }

    /// Takes those that are due, a slice of them; with them those that have failed, which may go together with them.
    #[inline(never)]
    #[expect(clippy::vec_box, reason = "they are moved between two lists, and a box moves as one word")]
    pub(super) fn take_due(&mut self, now: u64) -> Vec<Box<Change>> {
        let mut due = Vec::new();
        if self.soonest > now {
            return due;
        }
        let is_due = self.changes.iter().any(|change| change.due <= now);
        for change in core::mem::take(&mut self.changes) {
            if due.len() < TOGETHER && (change.due <= now || (is_due && change.failed)) {
                due.push(change);
            } else {
                self.push(change);
            }
        }
        due
    }

    /// The one of that attribute.
    pub(super) fn find(&self, path: &str, key: &str) -> Option<&Change> {
        self.waiting().find(|change| change.path == path && change.key == key)
    }

    /// Forgets some: their values stay as they are.
    pub(super) fn forget(&mut self, which: &mut dyn FnMut(&Change) -> bool) {
        self.changes.retain(|change| !which(change));
        if self.changes.is_empty() {
            self.changes = Vec::new();
        }
    }

    /// A node is gone, and with a server its handlers: nothing of them comes back.
    pub(super) fn forget_node(&mut self, node: &str) {
        let handlers = node.strip_prefix("/http/").map(|server| joined(&["/handler/", server, "/"]));
        self.forget(&mut |change| {
            change.path == node || handlers.as_ref().is_some_and(|front| change.path.starts_with(front))
        });
    }
}
