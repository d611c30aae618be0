//! What handlers were built from, so that those stay that would become the same again.

use alloc::string::String;
use alloc::vec::Vec;

use crate::http::handlers::upload::Uploads;

/// What the handlers of a server were built from.
#[derive(Default)]
pub(in crate::assemble) struct Recipe {
    pub(super) roots: Vec<Root>,
    /// Files of users, and the numbers of their logins.
    pub(super) logins: Vec<(String, usize)>,
    pub(super) areas: Vec<Area>,
    /// Names of handlers, and all that they were made from.
    pub(super) made: Vec<(String, String)>,
}

pub(super) struct Root {
    pub(super) root: Vec<u8>,
    pub(super) symlinks: &'static str,
    pub(super) number: usize,
    /// The name of the one file there is.
    pub(super) single: Option<String>,
    /// Device and inode of what lay there.
    pub(super) key: (u64, u64),
}

pub(super) struct Area {
    /// As it was named.
    pub(super) name: String,
    pub(super) filesystem: usize,
    pub(super) uploads: Uploads,
}

impl Recipe {
    /// The numbers of the filesystems that it has and another has not.
    pub(in crate::assemble) fn filesystems_beyond(&self, other: &Recipe) -> Vec<usize> {
        let mut beyond = Vec::new();
        for root in &self.roots {
            if other.roots.iter().all(|other| other.number != root.number) {
                beyond.push(root.number);
            }
        }
        beyond
    }

    /// Whether it has logins of that number.
    pub(in crate::assemble) fn has_logins(&self, number: usize) -> bool {
        self.logins.iter().any(|(_, other)| *other == number)
    }

    /// The same of the logins.
    pub(in crate::assemble) fn logins_beyond(&self, other: &Recipe) -> Vec<usize> {
        let mut beyond = Vec::new();
        for (_, number) in &self.logins {
            if !other.has_logins(*number) {
                beyond.push(*number);
            }
        }
        beyond
    }
}
