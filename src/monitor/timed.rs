//! Changes for a time: values that come back by themselves.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use crate::text::split::split_once;
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
    /// Whether it is of that attribute.
    pub(super) fn is(&self, path: &str, key: &str) -> bool {
        self.path == path && self.key == key
    }

    /// Whether it is of that attribute, or of a part of it.
    #[inline(never)]
    pub(super) fn is_of(&self, path: &str, key: &str) -> bool {
        self.path == path && (self.key == key || self.attribute() == key)
    }

    /// Whether it is of that node, or where that is a server, of a handler of it.
    pub(super) fn is_below(&self, node: &str) -> bool {
        let handler = || self.path.strip_prefix("/handler")?.strip_prefix(node.strip_prefix("/http")?);
        self.path == node || handler().is_some_and(|rest| rest.as_bytes().first() == Some(&b'/'))
    }

    /// The attribute that it is of, or of a part of.
    pub(super) fn attribute(&self) -> &str {
        self.key.split_once('[').map_or(&self.key, |(attribute, _)| attribute)
    }

    /// The attribute of a listener that it is: a part of a rule is kept by that one's name.
    #[inline(never)]
    pub(super) fn of_listener(&self) -> Option<&str> {
        split_once(&self.key, "].").map(|(_, key)| key)
    }

    /// Its text before, for people: a part may have had none.
    pub(super) fn before(&self) -> &str {
        if self.back.is_empty() && self.attribute() != self.key { "as it was" } else { &self.back }
    }
}

/// The steps that set their attributes to one of their texts: what they were set to, or back.
#[inline(never)]
pub(super) fn steps(changes: &[Box<Change>], text: fn(&Change) -> &String) -> Vec<Step> {
    let mut steps = Vec::new();
    // What was set last goes back first: what it is a part of may have been set before it.
    for change in changes.iter().rev() {
        steps.push(Step::set(&change.path, &change.key, text(change)));
    }
    steps
}

/// All that wait. They outlive the sessions that made them.
#[derive(Default)]
pub struct Timed {
    // In its box one moves as one word.
    #[allow(clippy::vec_box)]
    pub(super) changes: Vec<Box<Change>>,
    /// None of them is due before: while they wait, a turn looks at no more than this.
    soonest: u64,
}

impl Timed {
    /// Those that wait, in the order that they were set in, but for those that could not be set back.
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

    /// Those of another list have to wait as well.
    #[inline(never)]
    pub(super) fn append(&mut self, more: Timed) {
        for change in more.changes {
            self.push(change);
        }
    }

    /// Takes those that are due, a slice of them; with them those that have failed, which may go together with them.
    pub(super) fn take_due(&mut self, now: u64) -> Timed {
        if self.soonest > now {
            return Timed::default();
        }
        let is_due = self.changes.iter().any(|change| change.due <= now);
        let mut room = TOGETHER;
        self.take(&mut |change| {
            let takes = room > 0 && (change.due <= now || (is_due && change.failed));
            room -= usize::from(takes);
            takes
        })
    }

    /// Takes some of them.
    #[inline(never)]
    pub(super) fn take(&mut self, which: &mut dyn FnMut(&Change) -> bool) -> Timed {
        let mut taken = Timed::default();
        for change in core::mem::take(&mut self.changes) {
            if which(&change) {
                taken.push(change);
            } else {
                self.push(change);
            }
        }
        taken
    }

    /// The one of that attribute.
    #[inline(never)]
    pub(super) fn find(&self, path: &str, key: &str) -> Option<&Change> {
        self.waiting().find(|change| change.is(path, key))
    }

    /// Forgets some: their values stay as they are.
    pub(super) fn forget(&mut self, which: &mut dyn FnMut(&Change) -> bool) {
        self.take(which);
    }
}
