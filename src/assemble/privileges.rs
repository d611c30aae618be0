//! Gives up, once everything is open, what serving does not need: a program like this starts no others and acts for no
//! user of the system.
//!
//! ```text
//! plan: read users -> bind, open -> enter chroot -> drop bounds -> groups, group, user -> drop capabilities
//!                                     -> no new privileges -> what is served can be read? -> Landlock -> serve
//! ```

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{AsFd, BorrowedFd, Errno, OwnedFd, PidFile, landlock, open_root, privilege, read_file};

use super::listeners::Sockets;
use super::uploads::Area;
use super::{Failure, failure};
use crate::cli::process::{Level, ProcessSettings};
use crate::cli::terminal;
use crate::cli::user::User;
use crate::engine::log::LogOptions;
use crate::fs::FsError;
use crate::fs::path::VPath;
use crate::http::service::passwords::Passwords;
use crate::http::settings::HTTP;
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;
use crate::world::World;

/// The most of `/etc/passwd` or `/etc/group` that is read, in bytes.
const ACCOUNTS: usize = 1 << 20;

/// Why a user will not do for what is served.
pub(super) const UNREADABLE: &str =
    " may not read it; make it readable (chmod o+rX), or name one who may by --user";
/// What comes of it for a log, in whose directory a user may make no files.
pub(super) const CLOSED: &str = " may not make files beside it, so it will not be rotated, nor opened anew unless the new one is this user's";

/// A directory that is served: that of the world's filesystem at the same place.
pub(super) struct Reach {
    pub(super) name: String,
    /// What was asked to be served: it, or a file in it.
    pub(super) asked: String,
    /// Whether links in it may lead anywhere.
    pub(super) everywhere: bool,
}

/// A file that is written to, and its directory.
pub(super) struct Place {
    pub(super) path: String,
    pub(super) directory: OwnedFd,
}

/// What the running program still has to reach by name.
#[derive(Default)]
pub(super) struct Served {
    /// The settings come from a file, rather than from the command line alone.
    pub(super) by_file: bool,
    /// The file of the process's number.
    pub(super) pid_file: Option<PidFile>,
    pub(super) reaches: Vec<Reach>,
    pub(super) sockets: Sockets,
    /// What takes uploads.
    pub(super) areas: Vec<Area>,
    /// Logs.
    pub(super) logs: Vec<Place>,
    /// Directories of files that are read again when they change.
    pub(super) reads: Vec<OwnedFd>,
    /// Files of the keys of monitors, which are among these.
    pub(super) key_files: Vec<String>,
    /// Their helper processes are started last, when there is nothing left to give up.
    pub(super) passwords: Vec<Passwords>,
    /// The files of users, each with the number of its logins.
    pub(super) users: Vec<(String, usize)>,
    /// The access logs, each with its number and its options.
    pub(super) access_logs: Vec<(String, usize, LogOptions)>,
}

impl Served {
    /// The program is who it will be, or a change is over: what was only wanted for that goes.
    pub(super) fn settle(&mut self) {
        self.reaches.clear();
        self.areas.clear();
        self.logs.clear();
        self.reads.clear();
        self.key_files.clear();
        self.passwords.clear();
    }

    /// What a message about a value begins with: `[http:main] upload=`, or the option of who has no file. `section` is
    /// that of the node.
    pub(super) fn place(&self, section: &str, key: &str) -> String {
        if self.by_file {
            return joined(&["[", section, "] ", key, "="]);
        }
        match HTTP.find(key).and_then(|attribute| attribute.about.flag) {
            Some(flag) => joined(&["--", flag.long, " "]),
            None => joined(&["--", &section.replace(':', "."), ".", key, "="]),
        }
    }

    /// The directories that are written to: of logs, and those that take uploads. Where links lead anywhere, which is
    /// beneath `top`, so do uploads.
    fn writes<'a>(&'a self, top: Option<&'a OwnedFd>) -> Vec<BorrowedFd<'a>> {
        let mut writes = Vec::new();
        self.areas.iter().for_each(|area| writes.push(top.unwrap_or(&area.directory).as_fd()));
        self.logs.iter().for_each(|log| writes.push(log.directory.as_fd()));
        writes
    }

    /// The directories where files are removed at the end.
    fn removes(&self) -> Vec<BorrowedFd<'_>> {
        let mut removes = Vec::new();
        self.sockets.0.iter().for_each(|socket| removes.push(socket.directory.as_fd()));
        removes.extend(self.pid_file.as_ref().and_then(PidFile::directory));
        removes
    }
}

/// What is to be given up. Its parts are kept apart: all in one function they are larger.
pub(super) struct Plan<'a> {
    settings: &'a ProcessSettings,
    /// Other things may be served later, as a configuration can be read again.
    changes: bool,
    /// Who to become, for one who is root.
    user: Option<User>,
    chroot: Option<OwnedFd>,
}

impl<'a> Plan<'a> {
    /// Looks up who is meant and opens the directory of `chroot`, so that what cannot be is said before anything is
    /// bound.
    ///
    /// # Errors
    /// There is no such user or directory, or only root could do it.
    #[inline(never)]
    pub(super) fn new(settings: &'a ProcessSettings, changes: bool) -> Result<Plan<'a>, Box<Failure>> {
        let mut plan = Plan { settings, changes, user: None, chroot: None };
        let (user, group) = privilege::identity();
        if user == 0 || !settings.user.is_empty() {
            let (passwd, groups) = (read("/etc/passwd")?, read("/etc/group")?);
            let found = User::resolve(&settings.user, &passwd, &groups)
                .map_err(|message| refuse("user", &settings.user, &message))?;
            if user == 0 {
                plan.user = Some(found);
            } else if found.user != user || (settings.user.contains(':') && found.group != group) {
                return Err(refuse("user", &settings.user, "only root can become somebody else"));
            }
        }
        if !settings.chroot.is_empty() {
            if user != 0 {
                return Err(refuse("chroot", &settings.chroot, "only root can change its root directory"));
            }
            let opened = open_root(&settings.chroot);
            plan.chroot = Some(opened.map_err(|error| told("--gorgon.chroot=", &settings.chroot, error))?);
        }
        Ok(plan)
    }

    /// The user and group that the program will have, if it has others now.
    pub(super) fn becomes(&self) -> Option<(u32, u32)> {
        self.user.as_ref().filter(|user| user.user != 0).map(|user| (user.user, user.group))
    }

    /// Does it, and says what was done.
    ///
    /// # Errors
    /// What was asked for cannot be, or what is served cannot be read any more.
    #[inline(never)]
    pub(super) fn carry_out(
        &self,
        served: &mut Served,
        world: &World,
        report: &mut String,
    ) -> Result<(), Box<Failure>> {
        if let Some(chroot) = &self.chroot {
            self.enter(chroot.as_fd(), served, world, report)?;
        }
        let keeps_root = self.user.as_ref().is_some_and(|user| user.user == 0);
        let became = match &self.user {
            Some(user) => self.become_user(user, served, world)?,
            None => false,
        };
        report.push_str("User: ");
        match &self.user {
            Some(user) if became => user.push(report),
            Some(_) => report.push_str("root (0:0), who may not become another here"),
            None => push_ids(privilege::identity(), report),
        }
        if became && self.user.as_ref().is_some_and(|user| !user.listed && self.settings.user.is_empty()) {
            report.push_str(", for /etc/passwd has no nobody");
        }
        if keeps_root {
            report.push_str("; capabilities kept");
            if self.settings.level() >= Level::Warn {
                terminal::complain("gorgon: warning: it stays root, as --user says\n");
            }
        } else if cfg!(target_os = "linux") {
            privilege::drop_capabilities().map_err(|error| told("capabilities", "", error))?;
            report.push_str("; no capabilities");
        }
        if cfg!(target_os = "linux") && !privilege::no_new_privileges() {
            report.push_str("; new privileges possible");
        }
        if self.chroot.is_some() {
            push_all(report, &["; root directory ", &self.settings.chroot]);
        }
        for (reach, filesystem) in served.reaches.iter().zip(world.filesystems()) {
            if matches!(filesystem.open(VPath::ROOT), Err(FsError::Denied)) {
                return Err(self.unreadable(&reach.asked));
            }
        }
        self.restrict(served, world, report)?;
        for area in &served.areas {
            area.probe(world, &self.who())?;
        }
        report.push('\n');
        self.name_what_stays(served, report);
        self.name_logs(served);
        #[cfg(feature = "monitor")]
        self.name_key_files(served);
        Ok(())
    }

    #[inline(never)]
    fn enter(
        &self,
        chroot: BorrowedFd<'_>,
        served: &mut Served,
        world: &World,
        report: &mut String,
    ) -> Result<(), Box<Failure>> {
        for (reach, filesystem) in served.reaches.iter().zip(world.filesystems()) {
            let directory = filesystem.directory();
            // A descriptor of a directory outside would lead out again.
            if directory.is_some_and(|directory| privilege::is_beneath(directory, chroot) != Ok(true)) {
                let message = joined(&[reach.name.as_str(), " is not beneath it"]);
                return Err(refuse("chroot", &self.settings.chroot, &message));
            }
        }
        if let Some(file) = &mut served.pid_file {
            if file.directory().is_some_and(|place| privilege::is_beneath(place, chroot) != Ok(true)) {
                file.forget_directory();
            }
        }
        served.sockets.0.retain(|socket| {
            let inside = privilege::is_beneath(socket.directory.as_fd(), chroot) == Ok(true);
            if !inside {
                push_stays(&socket.path, report);
            }
            inside
        });
        privilege::enter_root(chroot).map_err(|error| told("--gorgon.chroot=", &self.settings.chroot, error))
    }

    /// Says whether it became that user.
    #[inline(never)]
    fn become_user(&self, user: &User, served: &Served, world: &World) -> Result<bool, Box<Failure>> {
        if user.user == 0 && !self.settings.user.contains(':') {
            // Nothing changes, and one who is root in a namespace alone might not be allowed to say so.
            return Ok(true);
        }
        if user.user != 0 {
            for socket in &served.sockets.0 {
                // It works without; then it stays when the program ends.
                let _given = socket.give(user.user, user.group);
            }
            world.give_logs(user.user, user.group);
            privilege::drop_bounds();
        }
        let outcome = privilege::become_user(user.user, user.group, &user.groups);
        if outcome.is_err() && self.settings.user.is_empty() && privilege::identity() == (0, 0) {
            // Root of a namespace that has no other user, or one who has no capabilities: what goes beyond that is given
            // up all the same.
            return Ok(false);
        }
        outcome.map(|()| true).map_err(|error| {
            let mut shown = "cannot become ".to_owned();
            user.push(&mut shown);
            let mut failure = told(&shown, "", error);
            failure.message.push_str("; --user root keeps root");
            failure
        })
    }

    /// `nobody (65534:65534)`
    fn who(&self) -> String {
        let mut text = String::new();
        match &self.user {
            Some(user) => user.push(&mut text),
            None => push_ids(privilege::identity(), &mut text),
        }
        text
    }

    fn unreadable(&self, name: &str) -> Box<Failure> {
        let message = joined(&[name, ": user ", &self.who(), UNREADABLE]);
        Box::new(Failure { message, usage: true, error: None })
    }

    /// Landlock, as the setting `sandbox` says.
    #[inline(never)]
    fn restrict(&self, served: &Served, world: &World, report: &mut String) -> Result<(), Box<Failure>> {
        if self.settings.sandbox == "off" {
            report.push_str("; no Landlock, as sandbox says");
            return Ok(());
        }
        if self.changes && self.settings.sandbox == "auto" {
            // What is served may be something else after the next reload.
            match landlock::restrict_execution() {
                Ok(applied) => {
                    report.push_str("; Landlock ABI ");
                    push_decimal_str(applied.abi.into(), report);
                    report.push_str(": executes nothing, connects nowhere");
                }
                Err(error) => push_all(report, &["; no ", &failure("Landlock", error).message]),
            }
            return Ok(());
        }
        let everywhere = served.reaches.iter().any(|reach| reach.everywhere);
        let top = if everywhere { privilege::open_to_name("/").ok() } else { None };
        let mut read = Vec::new();
        match &top {
            Some(top) => read.push(top.as_fd()),
            None => {
                world.filesystems().for_each(|filesystem| read.extend(filesystem.directory()));
                served.reads.iter().for_each(|directory| read.push(directory.as_fd()));
            }
        }
        let (write, remove) = (served.writes(top.as_ref()), served.removes());
        match landlock::restrict(&read, &write, &remove) {
            Ok(applied) => {
                report.push_str("; Landlock ABI ");
                push_decimal_str(applied.abi.into(), report);
                if everywhere {
                    report.push_str(": reads anywhere");
                } else {
                    for (place, reach) in served.reaches.iter().enumerate() {
                        push_all(report, &[if place == 0 { ": reads beneath " } else { ", " }, &reach.name]);
                    }
                    if !served.reads.is_empty() {
                        report.push_str(" and beside the file of users");
                    }
                    report.push_str(" only");
                }
                report.push_str(match (write.len() > served.logs.len(), served.logs.is_empty()) {
                    (false, true) => "",
                    (false, false) => ", writes beside the log",
                    (true, true) => ", writes where uploads go",
                    (true, false) => ", writes where uploads go and beside the log",
                });
                Ok(())
            }
            Err(error) => {
                let error = failure("Landlock", error).message;
                if self.settings.sandbox == "on" {
                    return Err(refuse("sandbox", "on", &error));
                }
                push_all(report, &["; no ", &error]);
                Ok(())
            }
        }
    }

    /// Names the directories of logs where no file can be made: such a log is neither rotated nor opened anew.
    fn name_logs(&self, served: &Served) {
        let closed = |log: &&Place| !privilege::may_write(log.directory.as_fd());
        for log in served.logs.iter().filter(closed) {
            let text = joined(&["gorgon: warning: ", &log.path, ": ", &self.who(), CLOSED, "\n"]);
            if self.settings.level() >= Level::Warn {
                terminal::complain(&text);
            }
        }
    }

    /// Names the files of keys that cannot be read again when they change.
    #[cfg(feature = "monitor")]
    fn name_key_files(&self, served: &Served) {
        for file in served.key_files.iter().filter(|_| self.settings.level() >= Level::Warn) {
            let mut text = joined(&["gorgon: warning: ", file, ": "]);
            match gorgon_sys::open_file(file.as_str()) {
                Ok(_) => continue,
                Err(Errno::ACCESS | Errno::PERM) => {
                    push_all(&mut text, &[&self.who(), " may not read it", super::monitors::STALE]);
                }
                // In another root directory, perhaps.
                Err(error) => push_all(&mut text, &[&gorgon_sys::describe(error), ", so nobody can log in"]),
            }
            text.push('\n');
            terminal::complain(&text);
        }
    }

    /// Names the sockets that cannot be removed at the end.
    fn name_what_stays(&self, served: &Served, report: &mut String) {
        for socket in &served.sockets.0 {
            if self.user.is_some() && !socket.can_be_removed() {
                push_stays(&socket.path, report);
            }
        }
    }
}

fn push_stays(path: &[u8], report: &mut String) {
    push_all(report, &["unix:", &String::from_utf8_lossy(path), " stays when the program ends\n"]);
}

fn push_ids((user, group): (u32, u32), out: &mut String) {
    push_decimal_str(user.into(), out);
    out.push(':');
    push_decimal_str(group.into(), out);
}

/// A file of users or groups; nothing where there is none.
pub(super) fn read(path: &str) -> Result<Vec<u8>, Box<Failure>> {
    match read_file(path, ACCOUNTS + 1) {
        Ok(text) if text.len() > ACCOUNTS => Err(Box::new(Failure {
            message: joined(&[path, ": expected at most 1 MiB"]),
            usage: true,
            error: None,
        })),
        Ok(text) => Ok(text),
        Err(Errno::NOENT) => Ok(Vec::new()),
        Err(error) => Err(told(path, "", error)),
    }
}

fn told(thing: &str, value: &str, error: Errno) -> Box<Failure> {
    Box::new(Failure { usage: true, ..*failure(&joined(&[thing, value]), error) })
}

fn refuse(key: &str, value: &str, message: &str) -> Box<Failure> {
    Box::new(Failure {
        message: joined(&["--gorgon.", key, "=", value, ": ", message]),
        usage: true,
        error: None,
    })
}
