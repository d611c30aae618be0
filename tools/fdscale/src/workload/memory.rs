//! What an idle TCP connection and its watch take of memory, in the process and in the kernel, found out in a process of
//! its own for each backend: nothing that was freed before is there to be used again.

use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use gorgon_sys::Address;
use std::os::fd::{AsFd, OwnedFd};

use super::Place;
use super::chain::median;
use super::idle_tcp::{accept_one, listener};
use crate::backend::engine::{Engine, Handler};
use crate::backend::{Backend, Family, Kind, Visitor};
use crate::limits;
use crate::machine;
use crate::measure::Bench;
use crate::sample::Curve;
use crate::sys_calls::peak_memory;

/// Descriptors that are no connections.
const SPARE: u64 = 32;
/// The kernel's memory is that of all processes: from so many connections on, they stand out.
const SEEN: u64 = 2000;
const ROUNDS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(30);

/// Measures all backends at one number of connections; gives how many there could be.
///
/// # Errors
/// None as of now.
pub fn measure(bench: &mut Bench, place: &Place) -> io::Result<u64> {
    // Both ends are in one process.
    let most = gorgon_sys::descriptors().0.saturating_sub(SPARE) / 2;
    let count = place.wanted.min(most);
    if count < place.wanted {
        let error = io::Error::from_raw_os_error(libc::EMFILE);
        if let Some(stop) = limits::met(&error, count, place.wanted) {
            bench.stop(stop);
        }
    }
    if count <= place.last || count == 0 {
        return Ok(count);
    }
    let mut kinds = bench.kinds();
    let mut found_kernel = Kernel::default();
    let rounds = bench.options.rounds.min(ROUNDS);
    for round in 0..rounds {
        bench.dice.shuffle(&mut kinds);
        for (at, kind) in kinds.iter().enumerate() {
            if round > 0 && !place.has_time() {
                break;
            }
            let share = (f64::from(round) + at as f64 / kinds.len() as f64) / f64::from(rounds);
            place.tell(bench, share, &format!("memory {count} {}", kind.name()));
            let curve = |measure: &'static str, backend: String| Curve {
                workload: "memory",
                measure,
                unit: "bytes",
                backend,
                active: 0,
            };
            match ask(&kind.name(), count) {
                Ok(found) => {
                    bench.sheet.note(&curve("user", kind.name()), count, found.user);
                    match (found.socket, found.watch) {
                        _ if count < SEEN => {
                            let reason =
                                format!("{count} are too few to be told from what others do; {SEEN} are not");
                            bench.sheet.skip(&curve("kernel", kind.name()), &reason);
                        }
                        (Some(socket), Some(watch)) => {
                            found_kernel.note("sockets", socket);
                            found_kernel.note(&kind.name(), watch);
                        }
                        _ => bench.sheet.skip(&curve("kernel", kind.name()), "/proc/meminfo cannot be read"),
                    }
                }
                Err(error) => bench.sheet.skip(&curve("user", kind.name()), &format!("at {count}: {error}")),
            }
        }
    }
    for (backend, mut values) in found_kernel.0 {
        let curve = Curve { workload: "memory", measure: "kernel", unit: "bytes", backend, active: 0 };
        bench.sheet.note(&curve, count, median(&mut values));
    }
    Ok(count)
}

/// What was found of the kernel's memory. What others give back meanwhile makes it less than it is, and what they take
/// makes it more, so that the least is no better than the most: one value is kept, the median.
#[derive(Default)]
struct Kernel(Vec<(String, Vec<f64>)>);

impl Kernel {
    fn note(&mut self, backend: &str, value: f64) {
        match self.0.iter_mut().find(|(name, _)| name == backend) {
            Some((_, values)) => values.push(value),
            None => self.0.push((backend.to_owned(), vec![value])),
        }
    }
}

/// Bytes for one connection.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Found {
    /// In the process, for the watch.
    user: f64,
    /// In the kernel, for one end of a connection.
    socket: Option<f64>,
    /// In the kernel, for the watch.
    watch: Option<f64>,
}

/// Has a helper find out.
fn ask(kind: &str, count: u64) -> io::Result<Found> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["helper", "memory", kind, &count.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    super::reap(&mut child, PATIENCE);
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        output.take(1000).read_to_string(&mut said)?;
    }
    parse(&said).ok_or_else(|| io::Error::other("the helper failed"))
}

fn parse(said: &str) -> Option<Found> {
    let mut words = said.split_whitespace().map(|word| word.parse::<f64>().ok());
    let (user, socket, watch) = (words.next()?, words.next()?, words.next()?);
    Some(Found { user: user?, socket, watch })
}

/// The helper: says bytes of user memory, kernel memory of a socket, and kernel memory of a watch.
pub fn helper(kind: &str, count: &str) -> ExitCode {
    let everything: Vec<String> = crate::arguments::EXTRA.iter().map(|name| (*name).to_owned()).collect();
    let kind = Kind::all(&everything).into_iter().find(|other| other.name() == kind);
    let (Some(kind), Ok(count)) = (kind, count.parse::<u64>()) else { return ExitCode::from(2) };
    let Ok(found) = find(kind, count) else { return ExitCode::from(1) };
    let word = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    let line = [word(Some(found.user)), word(found.socket), word(found.watch)].join(" ");
    match writeln!(io::stdout(), "{line}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(1),
    }
}

/// The process's memory: what is in memory now, or the most that ever was, which is the same while nothing is freed.
fn user() -> u64 {
    machine::resident().unwrap_or_else(peak_memory)
}

fn kernel() -> Option<u64> {
    machine::memory("Slab")
}

fn per(after: Option<u64>, before: Option<u64>, count: u64) -> Option<f64> {
    Some((after? as f64 - before? as f64) / count.max(1) as f64)
}

fn find(kind: Kind, count: u64) -> io::Result<Found> {
    let (listener, address) = listener()?;
    let room = usize::try_from(count).unwrap_or(0);
    let (mut clients, mut accepted) = (Vec::with_capacity(room), Vec::with_capacity(room));
    let before = kernel();
    for _ in 0..count {
        let (client, _) = gorgon_sys::connect(&Address::Ip(address))?;
        gorgon_sys::reset_on_close(client.as_fd())?;
        clients.push(client);
        accepted.push(accept_one(&listener)?);
    }
    let connected = kernel();
    let (taken, watched) = match (kind.family, kind.call) {
        (Family::Engine, Some(call)) => {
            let began = user();
            let mut engine = Engine::new(call, Nobody)?;
            for fd in accepted {
                engine.add(fd)?;
            }
            engine.open_all()?;
            (user().saturating_sub(began), kernel())
        }
        _ => kind.visit(Watch(&accepted))??,
    };
    Ok(Found {
        user: taken as f64 / count.max(1) as f64,
        socket: per(connected, before, 2 * count),
        watch: per(watched, connected, count),
    })
}

struct Nobody;

impl Handler for Nobody {
    fn received(&mut self, _token: u32, _count: usize) {}
}

struct Watch<'a>(&'a [OwnedFd]);

impl Visitor for Watch<'_> {
    type Outcome = io::Result<(u64, Option<u64>)>;

    fn visit<B: Backend>(self, mut backend: B) -> Self::Outcome {
        let began = user();
        for (token, fd) in (0..).zip(self.0) {
            backend.add(fd.as_fd(), token)?;
        }
        // Buffers for waiting are part of it.
        let begun = Instant::now();
        backend.wait(0)?;
        let found = (user().saturating_sub(began), kernel());
        if begun.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_helper_may_not_know_the_kernel() {
        assert_eq!(parse("12.5 - -\n"), Some(Found { user: 12.5, socket: None, watch: None }));
        assert_eq!(parse("1 2 3\n"), Some(Found { user: 1.0, socket: Some(2.0), watch: Some(3.0) }));
        assert_eq!(parse(""), None);
        assert_eq!(parse("- 1 2"), None);
        assert_eq!(per(Some(50), Some(100), 10), Some(-5.0));
        assert_eq!(per(None, Some(100), 10), None);
    }
}
