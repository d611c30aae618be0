//! What is done with the backends.

pub mod chain;
pub mod churn;
pub mod crowd;
pub mod idle_tcp;
pub mod memory;
pub mod server;

use std::io;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use crate::measure::Bench;

/// Measures a workload other than the chain by its name, at each number of descriptors asked for, until a limit is met.
///
/// # Errors
/// When a backend was wrong.
pub fn run(bench: &mut Bench, name: &str) -> io::Result<()> {
    let mut last = 0;
    while let Some(wanted) = bench.next_place(last) {
        let later = bench.options.descriptors.iter().filter(|number| **number > wanted).count() as u32;
        let left = bench.end.saturating_duration_since(Instant::now());
        let place = Place {
            wanted,
            last,
            end: Instant::now() + left / (1 + later),
            share: 1.0 / f64::from(1 + later),
            begun: Instant::now(),
        };
        let reached = match name {
            "churn" => churn::measure(bench, &place)?,
            "idle-tcp" => idle_tcp::measure(bench, &place)?,
            "memory" => memory::measure(bench, &place)?,
            "server" => server::measure(bench, &place)?,
            _ => return Ok(()),
        };
        if reached < wanted {
            break;
        }
        last = wanted;
    }
    Ok(())
}

/// One number of descriptors, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// How many were asked for.
    pub wanted: u64,
    /// How many there were before: fewer are not worth a second measurement.
    pub last: u64,
    /// No round is begun after this.
    pub end: Instant,
    share: f64,
    begun: Instant,
}

impl Place {
    /// Whether there is time for another round.
    pub fn has_time(&self) -> bool {
        Instant::now() < self.end
    }

    /// Tells how far it is: this share of the rounds is done.
    pub fn tell(&self, bench: &mut Bench, rounds: f64, what: &str) {
        let whole = self.end.saturating_duration_since(self.begun).as_secs_f64().max(0.001);
        let done = rounds.max(self.begun.elapsed().as_secs_f64() / whole).min(1.0);
        bench.progress.tell(1.0 - self.share + self.share * done, what);
    }
}

/// The part of a workload that is done in a process of its own.
pub fn helper(words: &[String]) -> ExitCode {
    let _ = gorgon_sys::raise_descriptors();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["connect", address, helper, count, speech] => crowd::helper(address, helper, count, speech),
        ["memory", kind, count] => memory::helper(kind, count),
        ["serve", program, poller] => server::helper(program, poller),
        _ => ExitCode::from(2),
    }
}

/// Waits for a child to end by itself, and kills it if it does not.
pub fn reap(child: &mut std::process::Child, patience: Duration) {
    let begun = Instant::now();
    while let Ok(None) = child.try_wait() {
        if begun.elapsed() > patience {
            let _ = child.kill();
            let _ = child.wait();
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
