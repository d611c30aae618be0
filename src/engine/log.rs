//! A log: lines are gathered, and written when there are many or a second has passed. Nobody waits for it.
//!
//! ```text
//!            push                  48 KiB, or a second
//!  (empty) ───────▶ gathering ───────────────────────▶ written ──▶ (empty)
//!                       ▲                                 │ the sink takes no more
//!                       │ tried again each second         ▼
//!                       └────────────────────────────── stuck: 64 KiB are kept, further lines dropped and counted
//! ```
//!
//! Once a stuck sink takes lines again, the next one says how many were dropped. Pipes, terminals and sockets are never
//! waited for; a file is written as files are, so a disk that does not answer holds up the loop. A file is opened anew
//! when it is told so ([`Log::reopen`]), when another one lies at its path or none, and when its own rotation has
//! renamed it.

use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{Address, AsFd, Errno, FileKind, Io, Output, OwnedFd};

use super::values::Now;
use crate::text::address::push_socket_address;
use crate::text::log_line::push_syslog_time;
use crate::text::log_target::LogTarget;
use crate::text::number::push_decimal;

/// Most bytes that are kept.
const CAPACITY: usize = 64 * 1024;
/// So many are written at once.
const BATCH: usize = 48 * 1024;
/// How long lines may lie before they are written, in milliseconds.
pub const PATIENCE: u64 = 1000;
/// How long it is before the same is said again, in milliseconds.
const SILENCE: u64 = 60_000;
/// The most files that are kept.
const MOST_KEPT: u32 = 1000;
/// Facility daemon, severity informational (RFC 3164, section 4.1.1).
const PRIORITY: &[u8] = b"<30>";

/// What a service gets its logs from.
pub trait Logs {
    /// The log of that number.
    fn log(&mut self, _number: usize) -> Option<&mut Log> {
        None
    }

    /// Nobody has a line for that log any more.
    fn end_log(&mut self, _number: usize, _now: Now) {}
}

/// How a log behaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct LogOptions {
    /// Bytes after which a file is renamed and a new one begun, 0 for never.
    pub size: u64,
    /// How many renamed files are kept.
    pub keep: u32,
    /// Lines are objects of JSON: so is the one about dropped lines.
    pub json: bool,
    /// Say on standard error what goes wrong.
    pub warns: bool,
}

/// What takes the lines.
enum Sink {
    Output(Output),
    File(File),
    /// None while the daemon is not there.
    Datagrams(Option<OwnedFd>),
}

struct File {
    fd: OwnedFd,
    /// Device and inode.
    identity: (u64, u64),
    /// It was not there before.
    made: bool,
    /// Bytes it holds; none for what is no regular file, and is not rotated.
    size: Option<u64>,
}

/// One log.
pub struct Log {
    target: LogTarget,
    options: LogOptions,
    sink: Sink,
    /// Whole lines, but for the first, of which the front may be written. The sink has taken `taken` bytes of it.
    buffer: Vec<u8>,
    taken: usize,
    /// The sink has taken a part of a line.
    begun: bool,
    stuck: bool,
    timer_set: bool,
    /// Lines dropped since this was last told.
    dropped: u64,
    /// Those dropped before.
    lost: u64,
    /// When it was last looked whether the file is still at its path, and when something was last said.
    looked: u64,
    said: Option<u64>,
    /// It was said that the file cannot be opened or renamed.
    told: bool,
    host: Vec<u8>,
}

impl Log {
    /// Opens a log. A log daemon need not be there yet.
    ///
    /// # Errors
    /// The system's.
    pub fn open(target: LogTarget, options: LogOptions) -> Result<Log, Errno> {
        let mut host = Vec::new();
        let sink = match &target {
            LogTarget::Output => Sink::Output(Output::standard()?),
            LogTarget::File(path) => Sink::File(open_file(path)?),
            LogTarget::Unix(_) => Sink::Datagrams(connect(&target).ok()),
            LogTarget::Udp(_) => {
                // A daemon on this host knows its name.
                host = gorgon_sys::host_name();
                host.push(b' ');
                Sink::Datagrams(Some(connect(&target)?))
            }
        };
        Ok(Log {
            target,
            options,
            sink,
            buffer: Vec::new(),
            taken: 0,
            begun: false,
            stuck: false,
            timer_set: false,
            dropped: 0,
            lost: 0,
            looked: 0,
            said: None,
            told: false,
            host,
        })
    }

    /// Takes a whole line with its end, or counts it as dropped.
    pub fn push(&mut self, line: &[u8], now: Now) {
        if let Some(room) = self.room(line.len(), now) {
            room.extend_from_slice(line);
            self.pushed(now);
        }
    }

    /// Where one line of at most `length` bytes is to be appended, with its end; [`Log::pushed`] follows. None when it
    /// is dropped.
    pub fn room(&mut self, length: usize, now: Now) -> Option<&mut Vec<u8>> {
        if self.buffer.capacity() == 0 {
            self.buffer.reserve_exact(CAPACITY);
        }
        if self.buffer.len() + length > CAPACITY && !self.stuck {
            self.flush(now);
        }
        if self.dropped > 0 {
            self.tell_dropped();
        }
        if self.dropped > 0 || self.buffer.len() + length > CAPACITY {
            self.dropped += 1;
            return None;
        }
        Some(&mut self.buffer)
    }

    /// A line was appended.
    pub fn pushed(&mut self, now: Now) {
        if self.buffer.len() >= BATCH && !self.stuck {
            self.flush(now);
        }
    }

    /// Whether [`Log::timer`] must be called in [`PATIENCE`] milliseconds. Says so once.
    pub fn wants_timer(&mut self) -> bool {
        let wants = !self.timer_set && (!self.buffer.is_empty() || self.dropped > 0);
        self.timer_set |= wants;
        wants
    }

    /// The time is over: writes what is there.
    pub fn timer(&mut self, now: Now) {
        self.timer_set = false;
        self.flush(now);
    }

    /// Writes what the sink takes. Says whether that was all.
    pub fn flush(&mut self, now: Now) -> bool {
        if self.buffer.is_empty() && self.dropped > 0 {
            self.tell_dropped();
        }
        if !self.buffer.is_empty() {
            self.look(now);
            self.write(now);
            if self.buffer.is_empty() && self.dropped > 0 {
                self.tell_dropped();
            }
        }
        self.buffer.is_empty()
    }

    /// How many lines were dropped so far.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.lost + self.dropped
    }

    /// Gives its file to a user, who can then open it anew, if it was made for this: another's stays another's.
    pub fn give(&self, user: u32, group: u32) {
        if let Sink::File(File { fd, made: true, .. }) = &self.sink {
            // Where it cannot be given, the open file is still written to.
            let _given = gorgon_sys::give_file(fd.as_fd(), user, group);
        }
    }

    /// Writes what is there, then opens the file at the path, or connects to the daemon, anew.
    pub fn reopen(&mut self, now: Now) {
        self.flush(now);
        self.renew();
    }

    /// A line that says how many were dropped, if there is room for it.
    fn tell_dropped(&mut self) {
        let (before, after): (&[u8], &[u8]) = if self.options.json {
            (b"{\"dropped\":", b"}\n")
        } else {
            (b"# gorgon: lines dropped here: ", b"\n")
        };
        if self.buffer.len() + 64 <= CAPACITY {
            self.buffer.extend_from_slice(before);
            push_decimal(self.dropped, &mut self.buffer);
            self.buffer.extend_from_slice(after);
            self.lost += self.dropped;
            self.dropped = 0;
        }
    }

    fn write(&mut self, now: Now) {
        let head = match self.sink {
            Sink::Datagrams(_) => self.datagram_head(now),
            Sink::Output(_) | Sink::File(_) => Vec::new(),
        };
        let mut renewed = false;
        let outcome = loop {
            let rest = self.buffer.get(self.taken..).unwrap_or(&[]);
            if rest.is_empty() {
                break Io::Done(0);
            }
            let outcome = match &mut self.sink {
                Sink::Output(output) => output.write(rest),
                Sink::File(file) => {
                    let outcome = gorgon_sys::write(file.fd.as_fd(), rest);
                    if let (Io::Done(count), Some(size)) = (outcome, &mut file.size) {
                        *size += count as u64;
                    }
                    outcome
                }
                Sink::Datagrams(socket) => send_line(socket.as_ref(), &head, rest),
            };
            match outcome {
                Io::Done(count) if count > 0 => self.taken += count,
                // A daemon that was started anew has another socket at the same path.
                Io::Ended | Io::Failed(_) if matches!(self.sink, Sink::Datagrams(_)) && !renewed => {
                    renewed = true;
                    self.renew();
                }
                outcome => break outcome,
            }
        };
        if let Some(last) = self.taken.checked_sub(1) {
            self.begun = self.buffer.get(last) != Some(&b'\n');
        }
        self.buffer.drain(..self.taken.min(self.buffer.len()));
        self.taken = 0;
        self.stuck = !self.buffer.is_empty();
        match outcome {
            Io::Done(_) | Io::Blocked => {}
            Io::Ended => self.say(now, Errno::PIPE),
            Io::Failed(error) => self.say(now, error),
        }
    }

    /// Before a file is written: opens the one that lies at its path if that is another, and begins a new one if this
    /// one would grow too large.
    fn look(&mut self, now: Now) {
        let (LogTarget::File(path), Sink::File(file)) = (&self.target, &self.sink) else { return };
        let length = (self.buffer.len() - self.taken) as u64;
        let is_large = self.options.size > 0
            && !self.begun
            && file.size.is_some_and(|size| size > 0 && size.saturating_add(length) > self.options.size);
        if now.milliseconds.wrapping_sub(self.looked) < PATIENCE && !is_large {
            return;
        }
        self.looked = now.milliseconds;
        let found = gorgon_sys::stat_path(path).ok().map(|stat| (stat.device, stat.inode));
        if found != Some(file.identity) {
            self.renew();
        } else if is_large {
            match rotate(path, self.options.keep) {
                Ok(()) => self.renew(),
                Err(error) => self.tell(error),
            }
        }
    }

    /// Opens the file, or connects, anew. If that fails the old one is kept.
    fn renew(&mut self) {
        let path = match &self.target {
            LogTarget::Output => return,
            LogTarget::File(path) => path,
            LogTarget::Unix(_) | LogTarget::Udp(_) => {
                if let Ok(socket) = connect(&self.target) {
                    self.sink = Sink::Datagrams(Some(socket));
                }
                return;
            }
        };
        match open_file(path) {
            Ok(file) => {
                self.sink = Sink::File(file);
                self.told = false;
                if core::mem::take(&mut self.begun) {
                    // The front of this line is in the old file.
                    let end = self.buffer.iter().position(|&byte| byte == b'\n').map_or(0, |at| at + 1);
                    self.buffer.drain(..end);
                    self.dropped += 1;
                }
            }
            Err(error) => self.tell(error),
        }
    }

    /// The head of a message of syslog (RFC 3164); its local form, without a host, for a daemon on this one.
    fn datagram_head(&self, now: Now) -> Vec<u8> {
        let mut head = PRIORITY.to_vec();
        let offset = gorgon_sys::local_offset(now.unix_seconds);
        push_syslog_time(now.unix_seconds.saturating_add(offset.into()), &mut head);
        head.push(b' ');
        head.extend_from_slice(&self.host);
        head.extend_from_slice(b"gorgon[");
        push_decimal(gorgon_sys::process_id().into(), &mut head);
        head.extend_from_slice(b"]: ");
        head
    }

    /// Says that a file cannot be opened or renamed: once, until it can.
    fn tell(&mut self, error: Errno) {
        if !core::mem::replace(&mut self.told, true) && self.options.warns {
            self.complain(": going on with the old file: ", error);
        }
    }

    /// Says what is wrong with writing: once a minute.
    fn say(&mut self, now: Now, error: Errno) {
        let due = self.said.is_none_or(|said| now.milliseconds.wrapping_sub(said) >= SILENCE);
        if due && self.options.warns {
            self.said = Some(now.milliseconds);
            self.complain(": ", error);
        }
    }

    fn complain(&self, what: &str, error: Errno) {
        let error = gorgon_sys::describe(error);
        let name = match &self.target {
            LogTarget::Output => "standard output".into(),
            LogTarget::File(path) | LogTarget::Unix(path) => String::from_utf8_lossy(path),
            LogTarget::Udp(address) => {
                let mut text = String::new();
                push_socket_address(address, &mut text);
                text.into()
            }
        };
        gorgon_sys::complain_now(["gorgon: log ", &name, what, &error, "\n"].concat().as_bytes());
    }
}

fn open_file(path: &[u8]) -> Result<File, Errno> {
    let (fd, made) = gorgon_sys::open_log(path)?;
    let stat = gorgon_sys::stat(fd.as_fd())?;
    let size = (stat.kind == FileKind::File).then_some(stat.size);
    Ok(File { fd, identity: (stat.device, stat.inode), size, made })
}

fn connect(target: &LogTarget) -> Result<OwnedFd, Errno> {
    match target {
        LogTarget::Unix(path) => gorgon_sys::datagrams(&Address::Unix(path.clone())),
        LogTarget::Udp(address) => gorgon_sys::datagrams(&Address::Ip(*address)),
        LogTarget::Output | LogTarget::File(_) => Err(Errno::INVAL),
    }
}

/// Sends the first of some lines; gives how many of their bytes are done with.
fn send_line(socket: Option<&OwnedFd>, head: &[u8], lines: &[u8]) -> Io {
    let Some(socket) = socket else { return Io::Failed(Errno::NOTCONN) };
    let length = lines.iter().position(|&byte| byte == b'\n').unwrap_or(lines.len());
    let message = [head, lines.get(..length).unwrap_or(lines)].concat();
    match gorgon_sys::send_datagram(socket.as_fd(), &message) {
        // A daemon that takes no message of this length will never take it.
        Io::Done(_) | Io::Failed(Errno::MSGSIZE) => Io::Done((length + 1).min(lines.len())),
        outcome => outcome,
    }
}

/// `PATH.1` becomes `PATH.2` and so on, PATH becomes `PATH.1`, and what is beyond `keep` is removed.
fn rotate(path: &[u8], keep: u32) -> Result<(), Errno> {
    let numbered = |number: u32| -> Vec<u8> {
        let mut name = [path, b"."].concat();
        push_decimal(number.into(), &mut name);
        name
    };
    // Those of a time when more were kept.
    for number in keep.saturating_add(1)..=MOST_KEPT {
        if gorgon_sys::unlink(numbered(number)).is_err() {
            break;
        }
    }
    if keep == 0 {
        return gorgon_sys::unlink(path);
    }
    for number in (1..keep).rev() {
        match gorgon_sys::rename(numbered(number), numbered(number + 1)) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    gorgon_sys::rename(path, numbered(1))
}

#[cfg(test)]
mod tests;
