//! What those are told who are refused, and how often that is noted: whoever may connect could fill the log otherwise,
//! at no cost.

use alloc::string::String;

use super::failure::fill;
use crate::text::number::push_decimal_str;

/// How long none is noted after one, in milliseconds.
const QUIET: u64 = 60_000;

// What one is told who is not let in, or not let stay.
pub(super) const REFUSED: &[u8] =
    b"error refused no role for this user; the attributes view, operate and admin of the monitor give one\n";
pub(super) const LATE: &[u8] = b"error limit the login took longer than login_timeout\n";
pub(super) const EARLY: &str = "error limit a login from here has failed; try again in %s\n";
pub(super) const IDLED: &[u8] = b"error limit nothing was asked for as long as idle_timeout\n";
pub(super) const FULL: &[u8] = b"error limit as many sessions are open as max_sessions allows\n";
pub(super) const NO_RANDOM: &[u8] = b"error failed the system has no random bytes\n";

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
        if self.more == 0 {
            return Some(String::new());
        }
        let mut more = String::new();
        push_decimal_str(core::mem::take(&mut self.more), &mut more);
        Some(fill("; before that % that were not noted", &[&more]))
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
