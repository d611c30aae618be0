//! The service *passwords*: has credentials checked by a helper process, for to hash a password takes longer than the
//! loop may wait.
//!
//! ```text
//!             on_open             settle: some wait
//!  Starting ───────────▶ Resting ───────────────────▶ Asking
//!     ▲                   │   ▲                        │ │
//!     │                   │   └──── its answer ────────┘ │
//!     │                   ▼                              │
//!     └─────────────── Gone ◀────────────────────────────┘
//!       settle: some wait,       the helper ended: all who wait are told
//!       a second later
//! ```
//!
//! The helper gets one question at a time; the rest of the queue stays here, where those who waited too long can leave
//! it. The file of users is looked at each second while somebody is let in by it, and before each question.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::any::Any;

mod checker;

use gorgon_sys::{
    AsFd, Child, Crypt, Errno, FileKind, FileStat, Io, OwnedFd, describe, open_file, pause, read, read_file,
    stat_path, write,
};

use super::super::authorization;
use super::super::logins::{Digest, HasLogins, Logins, Verdict};
use super::super::users::{FILE_MAX, Users};
use crate::engine::values::{ConnId, Key, Next, Timeout};
use crate::engine::{Cx, Limits, Loop, Service};
use crate::text::join::joined;
use crate::text::number::push_decimal_str;

/// How often the file is looked at, a helper is started at most, and those who wait too long are looked for, in
/// milliseconds.
const PERIOD: u64 = 1000;
/// How long the helper may take for one hash at start, in milliseconds.
const TRIAL: u32 = 30_000;

/// What tells one state of a file from another: device, inode, size, and the time of the last change.
type Stamp = (u64, u64, u64, i64, u32);

/// Where the helper is.
enum Helper {
    Starting,
    Resting(ConnId),
    Asking(Question),
    Gone,
}

/// What the helper was asked.
struct Question {
    digest: Digest,
    /// The line of the user's hash; none for a name that is not in the file, whatever the answer is.
    line: Option<u32>,
    /// The file has changed since: the answer is of no use.
    stale: bool,
}

/// The service.
pub struct Passwords {
    file: String,
    /// The number of its logins.
    logins: usize,
    users: Users,
    stamp: Option<Stamp>,
    /// What lay there when it was looked at last.
    seen: Option<Stamp>,
    /// When the file was looked at.
    looked: u64,
    helper: Helper,
    child: Option<Child>,
    /// When a helper was started last.
    started: u64,
    /// This service's number.
    service: u8,
    /// A timer is set.
    ticks: bool,
    /// That a scheme is unknown was told since the file was read.
    told: bool,
}

/// What is odd about a file that is open to all.
pub const OTHERS: &str = "other users can read it; chgrp it to whom the server runs as, and chmod 640, to keep its hashes from them";

impl Passwords {
    /// `logins` is the number of the logins it decides. Reads the file, and has the system's library of hashes loaded:
    /// neither may be within reach later.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn new(file: &str, logins: usize) -> Result<Passwords, String> {
        let (users, stamp, others) = load(file)?;
        if others {
            complain(&[file, ": ", OTHERS]);
        }
        // It stays loaded. Where there is none, the helper says of which hash that is a loss.
        let _library = Crypt::load();
        Ok(Passwords {
            file: file.to_owned(),
            logins,
            users,
            stamp: Some(stamp),
            seen: Some(stamp),
            looked: 0,
            helper: Helper::Starting,
            child: None,
            started: 0,
            service: 0,
            ticks: false,
            told: false,
        })
    }

    /// Reads a file and no more; says whether other users can read it as well.
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn check(file: &str) -> Result<bool, String> {
        load(file).map(|(.., others)| others)
    }

    /// The number of its logins.
    #[must_use]
    pub fn logins(&self) -> usize {
        self.logins
    }

    /// Starts the helper, as the user that the program runs as from now on, and has it try each scheme of the file. Gives
    /// its socket for [`Loop::adopt`].
    ///
    /// # Errors
    /// What is wrong, in one line.
    pub fn start(&mut self) -> Result<OwnedFd, String> {
        if open_file(&self.file).is_err() {
            complain(&[
                &self.file,
                ": whom the server runs as cannot read it, so changes to it will not be seen; chgrp and chmod 640 would let it",
            ]);
        }
        let (child, socket) = Child::start(checker::work)
            .map_err(|_| line(&self.file, 0, "the helper process that checks passwords cannot be started"))?;
        self.child = Some(child);
        trial(&self.file, &self.users, &socket)?;
        Ok(socket)
    }

    /// The loop's limits for this service.
    #[must_use]
    pub fn limits() -> Limits {
        Limits { connections: 2, read_size: 9, write_size: 12, ..Limits::default() }
    }

    /// Reads the file again if it is another one. A wrong one changes nothing.
    fn look(&mut self, logins: &mut Logins, now: u64) {
        if now.saturating_sub(self.looked) < PERIOD {
            return;
        }
        self.looked = now;
        let found = stat_path(&self.file).ok().map(|found| stamp(&found));
        if found == self.stamp {
            return;
        }
        if found != core::mem::replace(&mut self.seen, found) {
            // It may still be being written: it is read when it has been left alone since the last look.
            return;
        }
        self.stamp = found;
        match load(&self.file) {
            Ok((users, stamp, _)) => {
                (self.users, self.stamp, self.told) = (users, Some(stamp), false);
                if let Helper::Asking(question) = &mut self.helper {
                    question.stale = true;
                }
                logins.forget();
                logins.requeue();
            }
            Err(problem) => complain(&[&problem, "; the users stay as they were"]),
        }
    }

    /// Asks the helper for those who wait longest.
    fn ask(&mut self, conn: ConnId, logins: &mut Logins, lp: &mut Loop) {
        let Some((digest, credentials)) = logins.take() else { return };
        let (name, password) = authorization::split(credentials).unwrap_or_default();
        let found = self.users.find(name);
        let question = Question { digest, line: found.map(|hash| hash.line), stale: false };
        match found.or_else(|| self.users.costliest()) {
            Some(hash) => {
                let text = checker::question(hash.text, password);
                self.helper = Helper::Asking(question);
                // A failure closes the connection, and that is seen to.
                lp.send(conn, &text);
            }
            // Nobody is in the file.
            None => {
                let now = lp.now().milliseconds;
                logins.decide(digest, Verdict::Refused, now, &mut |id| lp.wake(id));
                self.ask(conn, logins, lp);
            }
        }
    }

    /// Starts another helper, unless one was just started; says whether there will be one.
    fn restart(&mut self, lp: &mut Loop) -> bool {
        let now = lp.now().milliseconds;
        if now.saturating_sub(self.started) < PERIOD {
            return false;
        }
        self.started = now;
        if let Some(child) = self.child.take() {
            lp.end_child(child);
        }
        let Ok((child, socket)) = Child::start(checker::work) else { return false };
        self.child = Some(child);
        let adopted = lp.adopt(socket, self.service).is_ok();
        if adopted {
            self.helper = Helper::Starting;
        }
        adopted
    }
}

impl<W: HasLogins> Service<W> for Passwords {
    fn on_open(&mut self, _key: &mut Key, _world: &mut W, cx: &mut Cx<'_>) -> Next {
        self.helper = Helper::Resting(cx.id());
        Next::Read(Timeout::NEVER)
    }

    fn on_bytes(&mut self, _key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Next) {
        let before = core::mem::replace(&mut self.helper, Helper::Resting(cx.id()));
        let (Helper::Asking(question), [answer]) = (before, input) else {
            return (input.len(), Next::Close);
        };
        if *answer == checker::UNKNOWN && !self.told {
            self.told = true;
            complain(&[&line(&self.file, question.line.unwrap_or(0), "crypt(3) does not know this scheme")]);
        }
        if !question.stale {
            let granted = *answer == checker::YES && question.line.is_some();
            let verdict = if granted { Verdict::Granted } else { Verdict::Refused };
            let now = cx.now().milliseconds;
            if let Some(logins) = world.logins(self.logins) {
                logins.decide(question.digest, verdict, now, &mut |id| cx.lp().wake(id));
            }
        }
        (1, Next::Read(Timeout::NEVER))
    }

    fn on_drained(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Read(Timeout::NEVER)
    }

    fn on_wake(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Read(Timeout::NEVER)
    }

    fn on_timeout(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Close
    }

    fn on_end(&mut self, _key: &mut Key, _world: &mut W, _cx: &mut Cx<'_>) -> Next {
        Next::Close
    }

    fn on_close(&mut self, _key: Key, _id: ConnId, world: &mut W, lp: &mut Loop) {
        self.helper = Helper::Gone;
        // Without its socket it is of no use, should it still run.
        if let Some(child) = self.child.take() {
            lp.end_child(child);
        }
        let now = lp.now().milliseconds;
        if let Some(logins) = world.logins(self.logins) {
            logins.give_up(true, now, &mut |id| lp.wake(id));
        }
    }

    fn as_any(&mut self) -> Option<&mut dyn Any> {
        Some(self)
    }

    fn on_added(&mut self, service: u8) {
        self.service = service;
    }

    fn on_removed(&mut self, _world: &mut W, lp: &mut Loop) {
        // One whose socket was never adopted.
        if let Some(child) = self.child.take() {
            lp.end_child(child);
        }
    }

    fn on_timer(&mut self, _token: u32, service: u8, world: &mut W, lp: &mut Loop) {
        let now = lp.now().milliseconds;
        let Some(logins) = world.logins(self.logins) else { return };
        logins.give_up(false, now, &mut |id| lp.wake(id));
        logins.expire(now);
        self.ticks = !logins.is_quiet(now);
        if self.ticks {
            self.look(logins, now);
            lp.set_timer(PERIOD, service, 0);
        }
    }

    fn settle(&mut self, world: &mut W, lp: &mut Loop) {
        let now = lp.now().milliseconds;
        let Some(logins) = world.logins(self.logins) else { return };
        if logins.is_quiet(now) {
            return;
        }
        if !self.ticks {
            self.ticks = true;
            lp.set_timer(PERIOD, self.service, 0);
        }
        if !logins.is_queued() {
            return;
        }
        self.look(logins, now);
        match self.helper {
            Helper::Resting(conn) => self.ask(conn, logins, lp),
            Helper::Starting | Helper::Asking(..) => {}
            Helper::Gone => {
                if !self.restart(lp) {
                    logins.give_up(true, now, &mut |id| lp.wake(id));
                }
            }
        }
    }
}

/// Has the helper check one hash of each scheme: what it does not know now it will not know later.
fn trial(file: &str, users: &Users, socket: &OwnedFd) -> Result<(), String> {
    for hash in users.schemes() {
        let question = checker::question(hash.text, b"trial");
        let told = match write(socket.as_fd(), &question) {
            Io::Done(count) if count == question.len() => wait(socket),
            _ => None,
        };
        let what = match told {
            Some(checker::UNKNOWN) => joined(&["this system's crypt(3) does not know ", hash.scheme.name()]),
            Some(_) => continue,
            None => "the helper process does not answer".to_owned(),
        };
        return Err(line(file, hash.line, &what));
    }
    Ok(())
}

/// Waits for an answer, which does not take long; nothing else runs yet.
fn wait(socket: &OwnedFd) -> Option<u8> {
    let mut answer = [0];
    for _ in 0..TRIAL {
        match read(socket.as_fd(), &mut answer) {
            Io::Done(1) => return answer.first().copied(),
            Io::Blocked => pause(1),
            Io::Done(_) | Io::Ended | Io::Failed(_) => return None,
        }
    }
    None
}

/// Reads a file of users; gives them, its stamp, and whether others may read it.
fn load(file: &str) -> Result<(Users, Stamp, bool), String> {
    let system = |error: Errno| line(file, 0, &describe(error));
    // Before it is read: if it changes meanwhile, it is another one by its stamp.
    let found = stat_path(file).map_err(system)?;
    if found.kind != FileKind::File || found.size > FILE_MAX as u64 {
        return Err(line(file, 0, "expected a file of at most 1 MiB"));
    }
    let text = read_file(file, FILE_MAX).map_err(system)?;
    let users = Users::parse(text).map_err(|problem| line(file, problem.line, &problem.expected))?;
    Ok((users, stamp(&found), found.mode & 0o004 != 0))
}

fn stamp(found: &FileStat) -> Stamp {
    (found.device, found.inode, found.size, found.modified, found.modified_ns)
}

/// `FILE:LINE: what`, without the line if it is 0.
fn line(file: &str, number: u32, what: &str) -> String {
    let mut text = file.to_owned();
    if number > 0 {
        text.push(':');
        push_decimal_str(number.into(), &mut text);
    }
    text.push_str(": ");
    text.push_str(what);
    text
}

/// Tells whoever reads standard error, who is not waited for.
fn complain(parts: &[&str]) {
    gorgon_sys::complain_now(joined(&["gorgon: ", &joined(parts), "\n"]).as_bytes());
}
