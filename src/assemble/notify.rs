//! Tells the supervisor of services how we are, and that we live.
//!
//! ```text
//! start -> READY=1 -> RELOADING=1 -> READY=1 -> .. -> STOPPING=1
//!              WATCHDOG=1 from turns of the loop, twice in the time that is set
//! ```
//!
//! Nobody is waited for: what the manager's socket has no room for is kept, a few messages of it, and sent again.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::{Errno, Io, Notify, ReadyPipe, monotonic, process_id};

use super::environment::Environment;
use super::{Failure, failure};
use crate::text::join::joined;
use crate::text::number::{parse_decimal, push_decimal_str};

/// The most messages that are kept for a manager that does not read.
const OWED: usize = 8;
/// How long until they are sent again, in milliseconds.
const RETRY: u64 = 100;
/// The most bytes of a status.
const STATUS: usize = 240;

/// The status while connections are finished.
pub(super) const FINISHING: &str = "finishing what was asked";

/// Who is told: nobody, unless the process was started so.
#[derive(Default)]
pub struct Notifier {
    manager: Option<Notify>,
    /// The descriptor that gets one line feed.
    pipe: Option<ReadyPipe>,
    watchdog: Option<Watchdog>,
    /// What the manager has not taken yet.
    owed: Vec<String>,
    /// When that is tried again, and the line feed.
    retry: Option<u64>,
    is_ready: bool,
    /// What was told last of what is served.
    status: String,
}

/// Times are milliseconds, on the loop's clock.
struct Watchdog {
    period: u64,
    due: u64,
}

impl Notifier {
    /// Connects to whoever is to be told, while that can be done: before user, root directory or sandbox change.
    /// `notify_fd` is the setting, 0 for none. The text is a warning to be shown: a manager that cannot be told is no
    /// reason not to serve.
    ///
    /// # Errors
    /// The descriptor of `notify_fd` is not open for writing.
    pub fn new(
        environment: &Environment,
        notify_fd: u32,
    ) -> Result<(Notifier, Option<String>), Box<Failure>> {
        let mut notifier = Notifier::default();
        let mut warning = None;
        if notify_fd > 0 {
            notifier.pipe =
                Some(ReadyPipe::inherit(notify_fd).map_err(|error| wrong_pipe(notify_fd, error))?);
        }
        if let Some(name) = environment.notify_socket {
            match Notify::open(name) {
                Ok(manager) => notifier.manager = Some(manager),
                Err(error) => {
                    let thing = joined(&["NOTIFY_SOCKET=", &*String::from_utf8_lossy(name)]);
                    warning = Some(failure(&thing, error).message);
                }
            }
        }
        if notifier.manager.is_some() {
            let own = u64::from(process_id());
            notifier.watchdog = period(environment, own).map(|period| Watchdog { period, due: 0 });
        }
        Ok((notifier, warning))
    }

    /// All is served now, for the first time or again after [`Notifier::reloading`].
    pub fn ready(&mut self, status: &str, now: u64) {
        let mut text = String::from("READY=1\nMAINPID=");
        push_decimal_str(process_id().into(), &mut text);
        push_status(status, &mut text);
        status.clone_into(&mut self.status);
        self.tell(text, now);
        self.is_ready = true;
        self.turn(now);
    }

    /// The configuration is being read anew; [`Notifier::ready`] follows, whatever comes of it.
    pub fn reloading(&mut self, now: u64) {
        let mut text = String::from("RELOADING=1\nMONOTONIC_USEC=");
        push_decimal_str(monotonic() / 1000, &mut text);
        self.tell(text, now);
    }

    /// The end has begun.
    pub fn stopping(&mut self, status: &str, now: u64) {
        let mut text = String::from("STOPPING=1");
        push_status(status, &mut text);
        self.tell(text, now);
    }

    /// One line for people: what goes on, if that is something else.
    pub fn status(&mut self, status: &str, now: u64) {
        if self.status == status {
            return;
        }
        status.clone_into(&mut self.status);
        let mut text = String::new();
        push_status(status, &mut text);
        let text = text.split_off(1);
        // The last one is what counts.
        if self.owed.last().is_some_and(|last| last.starts_with("STATUS=")) {
            self.owed.pop();
        }
        self.tell(text, now);
    }

    /// After each turn of the loop: says that we live when it is time to, and sends again what was not taken.
    pub fn turn(&mut self, now: u64) {
        if self.retry.is_some_and(|due| due <= now) {
            self.retry = None;
        }
        while self.retry.is_none() {
            if self.owed.is_empty() {
                break;
            }
            let text = self.owed.remove(0);
            if !self.send(&text, now) {
                self.owed.insert(0, text);
            }
        }
        if self.is_ready && self.retry.is_none() {
            if let Some(Err(pipe)) = self.pipe.take().map(ReadyPipe::ready) {
                self.pipe = Some(pipe);
                self.retry = Some(now.saturating_add(RETRY));
            }
        }
        if self.watchdog.as_ref().is_some_and(|watchdog| watchdog.due <= now) {
            let taken = self.send("WATCHDOG=1", now);
            if let Some(watchdog) = &mut self.watchdog {
                let wait = if taken { watchdog.period } else { watchdog.period.min(RETRY) };
                watchdog.due = now.saturating_add(wait);
            }
        }
    }

    /// When the next turn is wanted at the latest, for [`Loop::set_alarm`](crate::engine::Loop::set_alarm).
    #[must_use]
    pub fn next(&self) -> Option<u64> {
        self.watchdog.as_ref().map(|watchdog| watchdog.due).into_iter().chain(self.retry).min()
    }

    fn tell(&mut self, text: String, now: u64) {
        if self.manager.is_none() {
            return;
        }
        // In order: nothing overtakes what waits.
        if !self.owed.is_empty() || !self.send(&text, now) {
            if self.owed.len() >= OWED {
                self.owed.remove(0);
            }
            self.owed.push(text);
        }
    }

    /// Says whether it need not be sent again.
    fn send(&mut self, text: &str, now: u64) -> bool {
        let Some(manager) = &self.manager else { return true };
        match manager.send(text.as_bytes()) {
            Io::Blocked => {
                self.retry = Some(now.saturating_add(RETRY));
                false
            }
            // Who is gone does not want to know.
            Io::Done(_) | Io::Ended | Io::Failed(_) => true,
        }
    }
}

/// A line more, of one line: `STATUS=`.
fn push_status(status: &str, text: &mut String) {
    text.push_str("\nSTATUS=");
    for letter in status.chars() {
        if text.len() >= STATUS {
            break;
        }
        text.push(if letter.is_control() { ' ' } else { letter });
    }
}

/// Half of the watchdog's time, in milliseconds, if this process is meant.
fn period(environment: &Environment, own: u64) -> Option<u64> {
    let meant = environment.watchdog_process.is_none_or(|text| parse_decimal(text) == Some(own));
    let microseconds = environment.watchdog_time.and_then(parse_decimal).filter(|time| *time > 0 && meant)?;
    Some((microseconds / 2000).max(1))
}

fn wrong_pipe(number: u32, error: Errno) -> Box<Failure> {
    let mut thing = String::from("--gorgon.notify_fd=");
    push_decimal_str(number.into(), &mut thing);
    let mut failure = Box::new(Failure { usage: true, ..*failure(&thing, error) });
    failure.message.push_str("; whoever starts it has to leave it open for writing");
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;
    use std::path::PathBuf;

    fn manager(name: &str) -> (UnixDatagram, Environment, PathBuf) {
        let path = std::env::temp_dir().join(format!("gorgon-manager-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let text: &'static str = path.to_str().unwrap().to_owned().leak();
        (socket, Environment { notify_socket: Some(text.as_bytes()), ..Environment::default() }, path)
    }

    fn receive(socket: &UnixDatagram) -> Option<String> {
        let mut text = [0; 2000];
        let count = socket.recv(&mut text).ok()?;
        Some(String::from_utf8(text[..count].to_vec()).unwrap())
    }

    #[test]
    fn nobody_is_told_when_nobody_asked() {
        let (mut notifier, warning) = Notifier::new(&Environment::default(), 0).unwrap();
        assert_eq!(warning, None);
        notifier.ready("x", 0);
        notifier.reloading(0);
        notifier.status("y", 0);
        notifier.stopping("z", 0);
        notifier.turn(1000);
        assert_eq!((notifier.next(), notifier.owed.len()), (None, 0));
    }

    #[test]
    fn a_manager_hears_each_state() {
        let (socket, environment, path) = manager("states");
        let (mut notifier, warning) = Notifier::new(&environment, 0).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!((warning, receive(&socket)), (None, None));
        notifier.ready("Serving /srv\nat :80", 5);
        let pid = std::process::id();
        assert_eq!(receive(&socket).unwrap(), format!("READY=1\nMAINPID={pid}\nSTATUS=Serving /srv at :80"));
        let before = monotonic() / 1000;
        notifier.reloading(6);
        let text = receive(&socket).unwrap();
        let time: u64 = text.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap().parse().unwrap();
        assert!(time >= before && time <= monotonic() / 1000);
        notifier.status(&"é".repeat(1000), 7);
        let text = receive(&socket).unwrap();
        assert!(text.starts_with("STATUS=éé") && text.len() <= STATUS + 1);
        notifier.stopping("bye", 8);
        assert_eq!(receive(&socket).unwrap(), "STOPPING=1\nSTATUS=bye");
        assert_eq!((receive(&socket), notifier.next()), (None, None));
    }

    #[test]
    fn the_watchdog_is_fed_in_half_its_time() {
        let (socket, mut environment, path) = manager("watchdog");
        environment.watchdog_time = Some(b"3000000");
        let (mut notifier, _) = Notifier::new(&environment, 0).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(notifier.next(), Some(0));
        for (now, fed) in [(10, true), (11, false), (1509, false), (1510, true), (9000, true), (9001, false)]
        {
            notifier.turn(now);
            assert_eq!(receive(&socket).is_some(), fed, "{now}");
        }
        assert_eq!(notifier.next(), Some(10_500));
    }

    #[test]
    fn the_watchdog_may_mean_another() {
        for (time, process, expected) in [
            (None, None, None),
            (Some("0"), None, None),
            (Some("x"), None, None),
            (Some("-1"), None, None),
            (Some("1"), None, Some(1)),
            (Some("30000000"), None, Some(15_000)),
            (Some("30000000"), Some("7"), Some(15_000)),
            (Some("30000000"), Some("8"), None),
            (Some("30000000"), Some(""), None),
            (Some("18446744073709551615"), None, Some(9_223_372_036_854_775)),
            (Some("18446744073709551616"), None, None),
        ] {
            let environment = Environment {
                watchdog_time: time.map(str::as_bytes),
                watchdog_process: process.map(str::as_bytes),
                ..Environment::default()
            };
            assert_eq!(period(&environment, 7), expected, "{time:?} {process:?}");
        }
    }

    #[test]
    fn a_manager_that_does_not_read_is_told_later() {
        let (socket, environment, path) = manager("late");
        let (mut notifier, _) = Notifier::new(&environment, 0).unwrap();
        let mut sent = 0;
        while notifier.owed.is_empty() {
            notifier.status(&sent.to_string(), 0);
            sent += 1;
            assert!(sent < 100_000);
        }
        assert_eq!(notifier.next(), Some(RETRY));
        notifier.status("newer", 1);
        notifier.ready("up", 2);
        for _ in 0..100 {
            notifier.reloading(3);
        }
        assert!(notifier.owed.len() <= OWED);
        for _ in 0..100 {
            notifier.status("newest", 3);
        }
        while receive(&socket).is_some() {}
        notifier.turn(RETRY - 1);
        assert_eq!(receive(&socket), None, "not yet");
        // As many at a time as there is room for.
        for now in (0..20).map(|step| 1000 * (step + 1)) {
            let due = notifier.next().unwrap_or(now);
            assert!(due <= now);
            notifier.turn(now);
            while let Some(text) = receive(&socket) {
                assert!(text.starts_with("RELOADING=1") || text == "STATUS=newest", "{text}");
            }
        }
        assert_eq!((notifier.owed.len(), notifier.next()), (0, None));
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn what_cannot_be_told_is_said() {
        let environment = Environment { notify_socket: Some(b"vsock:2:1"), ..Environment::default() };
        let (notifier, warning) = Notifier::new(&environment, 0).unwrap();
        assert!(notifier.manager.is_none());
        assert!(warning.unwrap().starts_with("NOTIFY_SOCKET=vsock:2:1: "));
        for number in [1, 2, 60_000] {
            let Err(failure) = Notifier::new(&environment, number) else { panic!("{number} was taken") };
            assert!(
                failure.usage && failure.message.starts_with("--gorgon.notify_fd="),
                "{}",
                failure.message
            );
        }
    }
}
