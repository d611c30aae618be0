//! What a session is at: a reply or a sample that is made a little at a time.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::failure::Failure;
use super::filter::{Filter, Key, attribute};
use crate::tree::{Schema, Step};

/// Rows that `sort` keeps at most.
pub const ROWS: usize = 4096;

/// A reply or, with a timing, a watch.
pub(super) struct Job {
    pub(super) plan: Plan,
    pub(super) json: bool,
    pub(super) tag: Option<String>,
    pub(super) timing: Option<Timing>,
    /// Lines that the sample had no room for.
    pub(super) left: u64,
}

/// When the samples of a watch are due. Times are milliseconds of the tree's clock.
pub(super) struct Timing {
    /// 0: when there is something.
    pub(super) every: u64,
    pub(super) due: u64,
    /// Samples dropped since the last one that was not.
    pub(super) dropped: u64,
    /// Where in the output the last sample ends; 0 before the first.
    pub(super) end: u64,
}

/// What is to be given.
pub(super) enum Plan {
    /// Lines that are ready, from a place on.
    Text { text: String, at: usize },
    /// Events from the number `next` on, up to `end`.
    Log { next: u64, end: u64 },
    /// The tables of `kinds` from an item on: the kind itself, its attributes, its methods.
    Schema { kinds: &'static [Schema], item: usize },
    /// Nodes of a kind.
    Walk(Box<Walk>),
}

/// A walk over nodes of a kind.
pub(super) struct Walk {
    pub(super) schema: &'static Schema,
    pub(super) shape: Shape,
    /// The places of the attributes to show; none for all.
    pub(super) keys: Vec<usize>,
    /// One node, of that name, or all. Where a kind has one only, that one.
    pub(super) one: bool,
    pub(super) name: String,
    /// What the names begin with; and whether it names nothing itself, so that there has to be something.
    pub(super) prefix: String,
    pub(super) within: bool,
    pub(super) filter: Filter,
    /// By which attribute, and whether the greatest comes first.
    pub(super) sort: Option<(usize, bool)>,
    pub(super) limit: u64,
    /// What is done to each node instead of showing it, its path left out; and how that was asked.
    pub(super) action: Vec<Step>,
    pub(super) told: String,
    /// When what is set comes back, for all of them at once.
    pub(super) due: Option<u64>,

    /// Where to go on; nothing at the end.
    pub(super) from: Option<u64>,
    /// Names that were told and not looked at yet, each with a line feed behind it.
    pub(super) batch: String,
    pub(super) at: usize,
    /// Kept for sorting, in order.
    #[allow(clippy::vec_box)] // They are moved when one comes between.
    pub(super) rows: Vec<Box<Row>>,
    /// The rows are being given.
    pub(super) giving: bool,
    pub(super) found: u64,
    pub(super) done: u64,
    /// Changes that go together.
    pub(super) steps: Vec<Step>,
    /// Steps that the transaction held before.
    pub(super) kept: usize,
    /// What the first of those has not that were left out, for they do not have what is to be set.
    pub(super) lacks: Option<Failure>,
    /// The first thing that an action met.
    pub(super) trouble: Option<Failure>,
}

/// How a node is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Its path alone.
    Path,
    /// A line for each attribute.
    Lines,
    /// One line.
    Row,
}

/// A node that was found, kept for sorting.
pub(super) struct Row {
    pub(super) key: Key,
    pub(super) name: String,
}

impl Job {
    pub(super) fn new(plan: Plan, json: bool, tag: Option<String>, timing: Option<Timing>) -> Box<Job> {
        Box::new(Job { plan, json, tag, timing, left: 0 })
    }
}

impl Walk {
    /// A walk over all nodes of a kind.
    pub(super) fn new(schema: &'static Schema, shape: Shape) -> Box<Walk> {
        Box::new(Walk {
            schema,
            shape,
            keys: Vec::new(),
            one: !schema.named,
            name: String::new(),
            prefix: String::new(),
            within: false,
            filter: Filter::default(),
            sort: None,
            limit: u64::MAX,
            action: Vec::new(),
            told: String::new(),
            due: None,
            from: Some(0),
            batch: String::new(),
            at: 0,
            rows: Vec::new(),
            giving: false,
            found: 0,
            done: 0,
            steps: Vec::new(),
            kept: 0,
            lacks: None,
            trouble: None,
        })
    }

    /// Shows one attribute more.
    #[inline(never)]
    pub(super) fn show(&mut self, key: &str) -> Result<(), Failure> {
        self.keys.push(attribute(self.schema, key)?.0);
        Ok(())
    }

    /// Goes back to the beginning.
    pub(super) fn rewind(&mut self) {
        self.batch.clear();
        self.from = Some(0);
        if self.one {
            self.batch.push_str(&self.name);
            self.batch.push('\n');
            self.from = None;
        }
        (self.at, self.found, self.done, self.giving) = (0, 0, 0, false);
        self.rows = Vec::new();
    }
}

impl Timing {
    /// Passes over the samples that were due before `now`, each dropped but the first; all of them when that one
    /// cannot be made either.
    pub(super) fn pass(&mut self, now: u64, made: bool) {
        if self.every == 0 {
            return;
        }
        let passed = now.saturating_sub(self.due) / self.every;
        self.due = (self.due + passed * self.every).saturating_add(self.every);
        self.dropped += passed + u64::from(!made);
    }
}
