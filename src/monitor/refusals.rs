//! How often it is noted that somebody was refused: whoever may connect could fill the log otherwise, at no cost.

use alloc::string::String;

use crate::text::number::push_decimal_str;

/// How long none is noted after one, in milliseconds.
const QUIET: u64 = 60_000;

/// The refusals of one monitor.
#[derive(Default)]
pub struct Refusals {
    /// Until when none is noted.
    until: u64,
    /// Those that were not noted.
    more: u64,
}

impl Refusals {
    /// Counts one at a time in milliseconds. When it is to be noted, gives what else is: how many were not since the last
    /// one that was, if any.
    pub fn count(&mut self, now: u64) -> Option<String> {
        if now < self.until {
            self.more += 1;
            return None;
        }
        self.until = now.saturating_add(QUIET);
        let mut words = String::new();
        if self.more > 0 {
            words.push_str("; before that ");
            push_decimal_str(core::mem::take(&mut self.more), &mut words);
            words.push_str(" that were not noted");
        }
        Some(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_a_minute_with_how_many_there_were() {
        let mut refusals = Refusals::default();
        let mut count = |now| refusals.count(now);
        assert_eq!(count(5).as_deref(), Some(""));
        assert!((5..1005).all(|now| count(now).is_none()));
        assert_eq!(count(60_004), None);
        assert_eq!(count(60_005).as_deref(), Some("; before that 1001 that were not noted"));
        assert_eq!(count(60_006), None);
        assert_eq!(count(500_000).as_deref(), Some("; before that 1 that were not noted"));
        assert_eq!(count(560_000).as_deref(), Some(""));
    }
}
