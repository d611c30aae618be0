//! What is wrong with a setting, said so that it can be mended.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// One thing wrong, as one line for the operator: `place: message`.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Problem {
    /// What it is about, as the operator wrote it: `--http.main.read_buffer=3K`.
    pub place: String,
    /// What was expected, and the nearest valid name where there is one.
    pub message: String,
}

impl Problem {
    /// A problem with `place`.
    #[must_use]
    pub fn new(place: &str, message: &str) -> Self {
        Self { place: place.to_owned(), message: message.to_owned() }
    }

    /// A name that is not known: `place: no such WHAT; did you mean PREFIXnearest?`
    #[must_use]
    pub fn unknown(place: &str, what: &str, prefix: &str, nearest: Option<&str>) -> Self {
        let mut problem = Self::new(place, "no such ");
        problem.message.push_str(what);
        if let Some(nearest) = nearest {
            problem.message.push_str("; did you mean ");
            problem.message.push_str(prefix);
            problem.message.push_str(nearest);
            problem.message.push('?');
        }
        problem
    }

    /// Whether this is its line.
    #[must_use]
    pub fn says(&self, line: &str) -> bool {
        let rest = line.strip_prefix(&*self.place).and_then(|rest| rest.strip_prefix(": "));
        rest == Some(&*self.message)
    }

    /// Appends the line, without its end.
    pub fn print(&self, out: &mut String) {
        out.push_str(&self.place);
        out.push_str(": ");
        out.push_str(&self.message);
    }
}
