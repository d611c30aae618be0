//! What the program's services share.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::log::{Log, Logs};
use crate::engine::values::Now;
use crate::fs::Filesystem;
#[cfg(feature = "http")]
use crate::http::logins::Logins;

pub mod events;

use events::Events;

/// How often a log that is stuck is tried again at the end, and the milliseconds between.
const LAST_TRIES: (u32, u32) = (50, 10);

/// The world: one, handed to every call of a service.
#[derive(Default)]
pub struct World {
    filesystems: Vec<Box<dyn Filesystem>>,
    logs: Vec<Log>,
    /// What happened.
    pub events: Events,
    #[cfg(feature = "http")]
    directories: crate::http::handlers::listing::Directories,
    #[cfg(feature = "http")]
    logins: Vec<Logins>,
}

impl World {
    /// Adds a filesystem; gives the number that handlers know it by.
    pub fn add_filesystem(&mut self, filesystem: Box<dyn Filesystem>) -> usize {
        self.filesystems.push(filesystem);
        self.filesystems.len() - 1
    }

    /// All of them, in the order they were added.
    pub fn filesystems(&self) -> impl Iterator<Item = &dyn Filesystem> {
        self.filesystems.iter().map(Box::as_ref)
    }

    /// Adds a log; gives the number that services know it by.
    pub fn add_log(&mut self, log: Log) -> usize {
        self.logs.push(log);
        self.logs.len() - 1
    }

    /// Gives the files of the logs to a user.
    pub fn give_logs(&self, user: u32, group: u32) {
        self.logs.iter().for_each(|log| log.give(user, group));
    }

    /// Opens all logs anew.
    pub fn reopen_logs(&mut self, now: Now) {
        self.logs.iter_mut().for_each(|log| log.reopen(now));
    }

    /// The end: writes what the logs hold, and waits half a second for one that is stuck.
    pub fn finish_logs(&mut self, now: Now) {
        for _ in 0..LAST_TRIES.0 {
            // None is skipped because one before it is stuck.
            if self.logs.iter_mut().filter_map(|log| (!log.flush(now)).then_some(())).count() == 0 {
                break;
            }
            gorgon_sys::pause(LAST_TRIES.1);
        }
    }
}

impl Logs for World {
    fn log(&mut self, number: usize) -> Option<&mut Log> {
        self.logs.get_mut(number)
    }
}

#[cfg(feature = "http")]
impl crate::http::handlers::files::Filesystems for World {
    fn filesystem(&self, number: usize) -> Option<&dyn Filesystem> {
        self.filesystems.get(number).map(Box::as_ref)
    }

    fn listed(
        &mut self,
        number: usize,
    ) -> Option<(&dyn Filesystem, &mut crate::http::handlers::listing::Directories)> {
        Some((self.filesystems.get(number)?.as_ref(), &mut self.directories))
    }
}

#[cfg(feature = "http")]
impl World {
    /// Adds the logins of one file of users; gives the number that handlers know them by.
    pub fn add_logins(&mut self, logins: Logins) -> usize {
        self.logins.push(logins);
        self.logins.len() - 1
    }
}

#[cfg(feature = "http")]
impl crate::http::logins::HasLogins for World {
    fn logins(&mut self, number: usize) -> Option<&mut Logins> {
        self.logins.get_mut(number)
    }
}
