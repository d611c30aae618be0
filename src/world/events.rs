//! What happened: starts, reloads, changes, failed logins. The last of it is kept in memory, for whoever asks.

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::string::String;

use crate::text::calendar::format_iso;
use crate::text::columns::is_command;

/// Events that are kept.
const EVENTS: usize = 256;
/// The longest line of one, in bytes; the rest is left out.
const LINE: usize = 512;

/// The last events, each a line `2026-11-28T22:30:00Z TEXT`.
#[derive(Default)]
pub struct Events {
    lines: VecDeque<Box<str>>,
    /// How many there were.
    count: u64,
}

impl Events {
    /// Notes one at a time in seconds since 1970; gives its line. What would command a terminal becomes a space.
    pub fn note(&mut self, unix_seconds: i64, words: &[&str]) -> &str {
        let mut line = String::new();
        line.extend(format_iso(unix_seconds).iter().map(|&byte| char::from(byte)));
        line.push(' ');
        for character in words.iter().flat_map(|word| word.chars()) {
            if line.len() + character.len_utf8() > LINE {
                break;
            }
            line.push(if is_command(character) { ' ' } else { character });
        }
        if self.lines.len() == EVENTS {
            self.lines.pop_front();
        }
        self.count += 1;
        self.lines.push_back(line.into());
        self.lines.back().map_or("", |line| line)
    }

    /// Visits those from a number on that are still kept, oldest first; gives the number of the next one.
    pub fn visit(&self, from: u64, visit: &mut dyn FnMut(&str)) -> u64 {
        let first = self.count - self.lines.len() as u64;
        let skip = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        self.lines.iter().skip(skip).for_each(|line| visit(line));
        self.count
    }

    /// How many there were since the start.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(events: &Events, from: u64) -> (u64, Vec<String>) {
        let mut lines = Vec::new();
        let next = events.visit(from, &mut |line| lines.push(line.to_owned()));
        (next, lines)
    }

    #[test]
    fn the_last_ones_are_kept() {
        let mut events = Events::default();
        assert_eq!(all(&events, 0), (0, vec![]));
        assert_eq!(events.note(0, &["a", " b"]), "1970-01-01T00:00:00Z a b");
        let (next, lines) = all(&events, 0);
        assert_eq!((next, lines.len()), (1, 1));
        assert_eq!(all(&events, next), (1, vec![]));
        for number in 0..2 * EVENTS {
            events.note(1, &[&number.to_string()]);
        }
        let (next, lines) = all(&events, 1);
        assert_eq!((next, lines.len()), (2 * EVENTS as u64 + 1, EVENTS));
        assert_eq!(lines[0], ["1970-01-01T00:00:01Z ", &EVENTS.to_string()].concat());
        assert_eq!(all(&events, next - 1).1.len(), 1);
        assert_eq!(all(&events, u64::MAX).1.len(), 0);
        assert_eq!(events.count(), next);
    }

    #[test]
    fn a_line_is_one_and_bounded() {
        let mut events = Events::default();
        assert_eq!(events.note(0, &["a\nb\x1b[c\u{202e}d"]), "1970-01-01T00:00:00Z a b [c d");
        assert!(events.note(0, &[&"ä".repeat(LINE)]).len() <= LINE);
    }
}
