//! One line that tells how far it is: on a terminal, and only there.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const WIDTH: usize = 24;
const PAUSE: Duration = Duration::from_millis(100);

/// The line.
#[derive(Debug)]
pub struct Progress {
    shown: bool,
    begun: Instant,
    drawn: Option<Instant>,
    /// Share of the whole that is done, and the part of it that is being done.
    done: f64,
    part: (f64, f64),
}

impl Progress {
    /// Nothing is done yet.
    pub fn new(quiet: bool) -> Progress {
        let shown = !quiet && std::io::stderr().is_terminal();
        Progress { shown, begun: Instant::now(), drawn: None, done: 0.0, part: (0.0, 1.0) }
    }

    /// What follows goes from this share of the whole to that one.
    pub fn part(&mut self, from: f64, to: f64) {
        self.part = (from, to);
        self.done = from;
    }

    /// This share of the part is done; `what` comes next.
    pub fn tell(&mut self, share: f64, what: &str) {
        let (from, to) = self.part;
        self.done = from + (to - from) * share.clamp(0.0, 1.0);
        if !self.shown || self.drawn.is_some_and(|drawn| drawn.elapsed() < PAUSE) {
            return;
        }
        self.drawn = Some(Instant::now());
        let line = line(self.done, self.begun.elapsed(), what);
        // A terminal that is gone is no reason to stop.
        let _ = write!(std::io::stderr(), "\r{line}\x1b[K");
    }

    /// Takes the line away.
    pub fn clear(&mut self) {
        if self.shown && self.drawn.take().is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// The line at this share of the whole.
fn line(done: f64, elapsed: Duration, what: &str) -> String {
    let full = ((done * WIDTH as f64) as usize).min(WIDTH);
    let bar = ["#".repeat(full), ".".repeat(WIDTH - full)].concat();
    let left = match done {
        // Too early to tell.
        done if done < 0.02 => String::new(),
        done => {
            let seconds = (elapsed.as_secs_f64() * (1.0 - done) / done).ceil() as u64;
            format!(", {}:{:02} left", seconds / 60, seconds % 60)
        }
    };
    format!("[{bar}] {:3.0} %{left}  {}", done * 100.0, what.chars().take(40).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_share_and_time() {
        let begin = line(0.0, Duration::ZERO, "chain");
        assert_eq!(begin, "[........................]   0 %  chain");
        let half = line(0.5, Duration::from_secs(90), "churn");
        assert_eq!(half, "[############............]  50 %, 1:30 left  churn");
        assert!(line(1.0, Duration::from_secs(9), "").contains("100 %, 0:00 left"));
    }
}
