//! What the program's services share.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::log::{Log, Logs};
use crate::engine::names::{HasNames, Names};
#[cfg(feature = "http")]
use crate::engine::values::ConnId;
use crate::engine::values::Now;
use crate::fs::Filesystem;
#[cfg(feature = "http")]
use crate::http::{
    handlers::files::Filesystems,
    handlers::listing::Directories,
    handlers::status::{HasReports, Reports},
    logins::{HasLogins, Logins},
};

#[cfg(feature = "monitor")]
use crate::monitor::{login::door::Door, service::HasSessions, sessions::Sessions};
use crate::text::join::joined;

pub mod events;

use events::Events;

/// How often a log that is stuck is tried again at the end, and the milliseconds between.
const LAST_TRIES: (u32, u32) = (50, 10);
/// The most logs that are kept for the sake of lines that they have not taken.
const MOST_ENDING: usize = 4;

/// The world: one, handed to every call of a service.
#[derive(Default)]
pub struct World {
    filesystems: Vec<Option<Box<dyn Filesystem>>>,
    /// Those that are to be removed: a listing that is being sent may still need them.
    leaving: Vec<usize>,
    /// Each with how many services write it.
    logs: Vec<Option<(Log, u32)>>,
    /// Those that nobody has lines for any more, and that have not taken the last ones.
    ending: Vec<Log>,
    /// What happened.
    pub events: Events,
    /// Names of clients.
    names: Names,
    /// The sessions of the monitors.
    #[cfg(feature = "monitor")]
    pub sessions: Sessions,
    #[cfg(feature = "monitor")]
    door: Door,
    /// Events are told on standard error too.
    pub speaks: bool,
    #[cfg(feature = "http")]
    directories: Directories,
    #[cfg(feature = "http")]
    logins: Vec<Option<Logins>>,
    #[cfg(feature = "http")]
    reports: Reports,
}

/// Puts something in the first free place; gives its number.
fn place<T>(list: &mut Vec<Option<T>>, value: T) -> usize {
    let at = list.iter().position(Option::is_none).unwrap_or(list.len());
    match list.get_mut(at) {
        Some(free) => *free = Some(value),
        None => list.push(Some(value)),
    }
    at
}

impl World {
    /// Adds a filesystem; gives the number that handlers know it by.
    pub fn add_filesystem(&mut self, filesystem: Box<dyn Filesystem>) -> usize {
        self.let_go();
        place(&mut self.filesystems, filesystem)
    }

    /// Removes a filesystem that no handler uses any more; what is still being sent of it goes on.
    pub fn remove_filesystem(&mut self, number: usize) {
        self.leaving.push(number);
        self.let_go();
    }

    /// Lets go what waited to be removed, where it can be. To be called now and then.
    pub fn let_go(&mut self) {
        #[cfg(feature = "http")]
        if self.directories.open() > 0 {
            return;
        }
        for number in self.leaving.drain(..) {
            if let Some(filesystem) = self.filesystems.get_mut(number) {
                *filesystem = None;
            }
        }
    }

    /// All of them, in the order they were added.
    pub fn filesystems(&self) -> impl Iterator<Item = &dyn Filesystem> {
        self.filesystems.iter().flatten().map(Box::as_ref)
    }

    /// Adds a log; gives the number that services know it by.
    pub fn add_log(&mut self, log: Log) -> usize {
        place(&mut self.logs, (log, 1))
    }

    /// One more service writes a log.
    pub fn share_log(&mut self, number: usize) {
        if let Some(Some((_, writers))) = self.logs.get_mut(number) {
            *writers += 1;
        }
    }

    /// Gives the files of the logs to a user.
    pub fn give_logs(&self, user: u32, group: u32) {
        self.logs.iter().flatten().for_each(|(log, _)| log.give(user, group));
    }

    /// Opens all logs anew.
    pub fn reopen_logs(&mut self, now: Now) {
        self.logs.iter_mut().flatten().for_each(|(log, _)| log.reopen(now));
        self.ending.retain_mut(|log| !log.flush(now));
    }

    /// The end: writes what the logs hold, and waits half a second for one that is stuck.
    pub fn finish_logs(&mut self, now: Now) {
        for _ in 0..LAST_TRIES.0 {
            // None is skipped because one before it is stuck.
            let logs = self.logs.iter_mut().flatten().map(|(log, _)| log).chain(&mut self.ending);
            if logs.filter_map(|log| (!log.flush(now)).then_some(())).count() == 0 {
                break;
            }
            gorgon_sys::pause(LAST_TRIES.1);
        }
    }
}

#[cfg(feature = "monitor")]
impl HasSessions for World {
    fn sessions(&mut self) -> &mut Sessions {
        &mut self.sessions
    }

    fn door(&mut self) -> &mut Door {
        &mut self.door
    }

    fn note(&mut self, now: Now, words: &[&str]) {
        World::note(self, now, words);
    }
}

impl World {
    /// Notes an event.
    pub fn note(&mut self, now: Now, words: &[&str]) {
        let line = self.events.note(now.unix_seconds, words);
        if self.speaks {
            // Without the time: who keeps standard error has one of its own.
            // A reader who takes nothing is not waited for: events can come from anybody who connects.
            gorgon_sys::complain_now(joined(&["gorgon: ", line.get(21..).unwrap_or(line), "\n"]).as_bytes());
        }
    }

    /// How many access logs there are, and how many lines they have dropped.
    #[must_use]
    pub fn count_logs(&self) -> (u64, u64) {
        let logs = self.logs.iter().flatten();
        (logs.clone().count() as u64, logs.map(|(log, _)| log.dropped()).sum())
    }
}

impl HasNames for World {
    fn names(&mut self) -> &mut Names {
        &mut self.names
    }
}

impl Logs for World {
    fn log(&mut self, number: usize) -> Option<&mut Log> {
        self.logs.get_mut(number)?.as_mut().map(|(log, _)| log)
    }

    fn end_log(&mut self, number: usize, now: Now) {
        self.ending.retain_mut(|log| !log.flush(now));
        let Some(place) = self.logs.get_mut(number) else { return };
        if let Some((log, writers @ 2..)) = place {
            *writers -= 1;
            // The timer that was to write what it holds may have been set by who goes: the next line sets another one.
            log.timer(now);
            return;
        }
        let Some((mut log, _)) = place.take() else { return };
        if !log.flush(now) && self.ending.len() < MOST_ENDING {
            self.ending.push(log);
        }
    }
}

#[cfg(feature = "http")]
impl Filesystems for World {
    fn filesystem(&self, number: usize) -> Option<&dyn Filesystem> {
        self.filesystems.get(number)?.as_deref()
    }

    fn listed(&mut self, number: usize) -> (Option<&dyn Filesystem>, &mut Directories) {
        (self.filesystems.get(number).and_then(Option::as_deref), &mut self.directories)
    }
}

#[cfg(feature = "http")]
impl World {
    /// Adds a table of logins; gives the number that those who ask and who decide know it by.
    pub fn add_logins(&mut self, logins: Logins) -> usize {
        place(&mut self.logins, logins)
    }

    /// Removes one that nobody asks any more; gives the connections that still wait for an answer.
    pub fn remove_logins(&mut self, number: usize) -> Vec<ConnId> {
        let logins = self.logins.get_mut(number).and_then(Option::take);
        logins.map(Logins::into_waiters).unwrap_or_default()
    }
}

#[cfg(feature = "http")]
impl HasLogins for World {
    fn logins(&mut self, number: usize) -> Option<&mut Logins> {
        self.logins.get_mut(number)?.as_mut()
    }
}

#[cfg(feature = "http")]
impl HasReports for World {
    fn reports(&mut self) -> &mut Reports {
        &mut self.reports
    }
}
