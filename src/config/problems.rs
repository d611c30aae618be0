//! All that is wrong with a configuration, in the order of its files.

use alloc::string::String;
use alloc::vec::Vec;

use super::source::{Place, Source};
use crate::text::number::push_decimal_str;
use crate::tree::Problem;

/// The most problems that are told one by one.
const TOLD_MAX: usize = 100;

/// What is wrong, and what is only odd.
#[derive(Default)]
pub struct Problems {
    /// Each with where it goes among the others.
    list: Vec<(u64, Problem)>,
    /// How many more there were.
    more: u64,
    /// There may be others in what was not looked at.
    stopped: bool,
    /// What is odd, but can be borne.
    pub warnings: Vec<Problem>,
}

impl Problems {
    /// Adds one that stands in no file; they come last.
    pub fn add(&mut self, place: &str, message: &str) {
        self.insert(u64::MAX, Problem::new(place, message));
    }

    /// Adds one with a line of a file.
    pub fn add_at(&mut self, source: &Source, place: Place, message: &str) {
        let order = ((place.file as u64) << 32) | u64::from(place.line);
        self.insert(order, Problem { place: source.show_place(place), message: String::from(message) });
    }

    /// Whether there are as many as are told. What could find more of them need not be looked at.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= TOLD_MAX
    }

    /// Something was not looked at.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// Adds a warning.
    pub fn warn_at(&mut self, source: &Source, place: Place, message: &str) {
        self.warn(&source.show_place(place), message);
    }

    /// Adds a warning of what may stand in no file.
    pub fn warn(&mut self, place: &str, message: &str) {
        if self.warnings.len() < TOLD_MAX {
            self.warnings.push(Problem::new(place, message));
        }
    }

    /// Adds all of others, each in its place, and their warnings.
    pub fn join(&mut self, others: Problems) {
        others.list.into_iter().for_each(|(order, problem)| self.insert(order, problem));
        self.more += others.more;
        self.warnings.extend(others.warnings);
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// All of them.
    #[must_use]
    pub fn into_list(self) -> Vec<Problem> {
        let mut list: Vec<Problem> = self.list.into_iter().map(|(_, problem)| problem).collect();
        if self.more > 0 || self.stopped {
            let mut message = String::new();
            if self.stopped {
                message.push_str("the rest was not read");
            } else {
                push_decimal_str(self.more, &mut message);
            }
            list.push(Problem { place: String::from("and more"), message });
        }
        list
    }

    fn insert(&mut self, order: u64, problem: Problem) {
        if self.is_full() {
            self.more += 1;
            return;
        }
        let at = self.list.iter().position(|(other, _)| *other > order).unwrap_or(self.list.len());
        self.list.insert(at, (order, problem));
    }
}
