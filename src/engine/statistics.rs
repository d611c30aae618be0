//! What a turn costs: how long turns take, which was the slowest, and what it did.
//!
//! An exact clock is read once, at a turn's end. What a long turn spent its time with is told by a coarse one, which costs a
//! few nanoseconds and moves every few milliseconds: whoever is at work when it moves is charged for the step. A short
//! turn sees it move seldom and is not charged for much; a long one is sampled often enough to name the right one.

use super::event_loop::Loop;
use super::values::Now;

/// What the loop does in a turn.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Work {
    /// Accepts connections, and reads from them.
    Accept,
    /// Reads from connections and has services answer.
    Read,
    /// Goes on with output, from files above all.
    Output,
    /// Ends what took too long, and fires timers.
    Expire,
    /// Does what was put off: wakes, closes, and has services settle.
    Settle,
}

impl Work {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Work::Accept => "accept",
            Work::Read => "read",
            Work::Output => "output",
            Work::Expire => "expire",
            Work::Settle => "settle",
        }
    }
}

const WORKS: [Work; 5] = [Work::Accept, Work::Read, Work::Output, Work::Expire, Work::Settle];

/// How many classes of lengths there are.
pub const LENGTHS: usize = 12;

/// The slowest turn.
#[derive(Clone, Copy)]
pub struct Slowest {
    /// How long it took, in nanoseconds.
    pub nanoseconds: u64,
    /// When it began.
    pub at: Now,
    /// What took the most of it, if it was long enough to tell.
    pub work: Option<Work>,
    /// The service that was called last in the longest step of that work.
    pub service: Option<u8>,
}

#[derive(Default)]
pub(super) struct Statistics {
    pub(super) busy: u64,
    /// Turns by length: below a millisecond, below 2, 4, .. 1024, and longer.
    pub(super) lengths: [u64; LENGTHS],
    pub(super) slowest: Option<Slowest>,
    /// The service that was called last.
    pub(super) service: u8,
    /// When the turn began, and the last step, in nanoseconds.
    begun: u64,
    mark: u64,
    /// Small steps, counted.
    steps: u8,
    /// Something was charged in this turn.
    charged: bool,
    spent: [u64; WORKS.len()],
    /// The longest step of each, and its service.
    longest: [(u64, u8); WORKS.len()],
}

impl Statistics {
    /// A turn's work begins.
    pub(super) fn begin(&mut self, nanoseconds: u64) {
        self.begun = nanoseconds;
        self.mark = nanoseconds;
        self.service = NOBODY;
    }

    /// One of many small steps is over: some of them are told together.
    #[inline]
    pub(super) fn count_step(&mut self, work: Work) {
        self.steps = self.steps.wrapping_add(1);
        if self.steps % TOGETHER == 0 {
            self.step(work);
        }
    }

    /// A step of the turn is over.
    #[inline]
    pub(super) fn step(&mut self, work: Work) {
        self.step_at(work, gorgon_sys::coarse());
    }

    #[inline]
    fn step_at(&mut self, work: Work, now: u64) {
        if now > self.mark {
            self.charge(work, now);
        }
    }

    #[cold]
    fn charge(&mut self, work: Work, now: u64) {
        let time = now - self.mark;
        self.mark = now;
        self.charged = true;
        let place = work as usize;
        if let Some(spent) = self.spent.get_mut(place) {
            *spent += time;
        }
        if let Some(longest) = self.longest.get_mut(place).filter(|longest| longest.0 < time) {
            *longest = (time, self.service);
        }
    }

    /// The turn is over.
    pub(super) fn end(&mut self, nanoseconds: u64, at: Now) {
        // The coarse clock may have been that much behind at the last step.
        if nanoseconds.saturating_sub(self.mark) > BEHIND {
            self.charge(Work::Settle, nanoseconds - BEHIND);
        }
        let length = nanoseconds.saturating_sub(self.begun);
        self.busy += length;
        match &mut self.lengths {
            // As it almost always is.
            [shortest, ..] if length < 1_000_000 => *shortest += 1,
            lengths => count_long(length, lengths),
        }
        let is_slowest = self.slowest.is_none_or(|slowest| slowest.nanoseconds < length);
        if is_slowest {
            let most = WORKS.iter().zip(&self.spent).zip(&self.longest).max_by_key(|((_, spent), _)| **spent);
            let most = most.filter(|_| self.charged);
            let service = most.map(|(_, (_, service))| *service).filter(|service| *service != NOBODY);
            let work = most.map(|((work, _), _)| *work);
            self.slowest = Some(Slowest { nanoseconds: length, at, work, service });
        }
        if self.charged {
            self.charged = false;
            self.spent = [0; WORKS.len()];
            self.longest = [(0, 0); WORKS.len()];
        }
    }
}

/// Counts a turn by its length: outside of where most are counted, for the division.
#[cold]
fn count_long(length: u64, lengths: &mut [u64; LENGTHS]) {
    let class = (u64::BITS - (length / 1_000_000).leading_zeros()) as usize;
    if let Some(count) = lengths.get_mut(class.min(LENGTHS - 1)) {
        *count += 1;
    }
}

/// How far behind the coarse clock may be, in nanoseconds: a tick of the slowest kernels.
const BEHIND: u64 = 10_000_000;
/// How many small steps are told together. They are as short as the clock's reading is cheap.
const TOGETHER: u8 = 4;
/// No service was called.
const NOBODY: u8 = u8::MAX;

impl Loop {
    /// Forgets the slowest turn: the next one is the slowest until a slower one comes.
    pub fn reset_slowest(&mut self) {
        self.statistics.slowest = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn turn(statistics: &mut Statistics, from: u64, steps: &[(Work, u8, u64)]) {
        statistics.begin(from * MS);
        for (work, service, until) in steps {
            statistics.service = *service;
            statistics.step_at(*work, until * MS);
        }
        let end = steps.last().map_or(from, |step| step.2);
        statistics.end(end * MS, Now { milliseconds: from, ..Now::default() });
    }

    #[test]
    fn lengths_are_counted_in_powers_of_two() {
        let mut statistics = Statistics::default();
        for (length, class) in [(0, 0), (1, 1), (2, 2), (3, 2), (4, 3), (1023, 10), (1024, 11), (99_999, 11)]
        {
            let before = statistics.lengths[class];
            turn(&mut statistics, 10, &[(Work::Read, 0, 10 + length)]);
            assert_eq!(statistics.lengths[class], before + 1, "{length}");
        }
        assert_eq!(statistics.lengths.iter().sum::<u64>(), 8);
        assert_eq!(statistics.busy, (1 + 2 + 3 + 4 + 1023 + 1024 + 99_999) * MS);
    }

    #[test]
    fn the_slowest_turn_names_what_took_most() {
        let mut statistics = Statistics::default();
        turn(&mut statistics, 100, &[(Work::Read, 3, 104), (Work::Output, 9, 105)]);
        turn(&mut statistics, 200, &[(Work::Accept, 1, 201), (Work::Read, 1, 205), (Work::Read, 2, 240)]);
        turn(&mut statistics, 300, &[(Work::Output, 5, 310)]);
        let slowest = statistics.slowest.unwrap();
        assert_eq!((slowest.nanoseconds, slowest.at.milliseconds), (40 * MS, 200));
        assert_eq!((slowest.work, slowest.service), (Some(Work::Read), Some(2)));
        statistics.slowest = None;
        // A coarse clock that has not moved tells nothing; and nothing is left of the turns before.
        statistics.begin(400 * MS);
        statistics.step_at(Work::Read, 399 * MS);
        statistics.end(403 * MS, Now::default());
        let slowest = statistics.slowest.unwrap();
        assert_eq!((slowest.nanoseconds, slowest.work, slowest.service), (3 * MS, None, None));
    }
}
