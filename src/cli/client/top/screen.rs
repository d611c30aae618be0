//! What a terminal has to be told to show other lines than it does: only those that changed. Pure.

use alloc::string::String;
use alloc::vec::Vec;

use super::paint::{Line, Style};
use crate::text::number::push_decimal_str;

/// Takes a screen of its own, without a cursor.
pub const ENTER: &[u8] = b"\x1b[?1049h\x1b[?25l\x1b[2J";
/// Gives it back.
pub const LEAVE: &[u8] = b"\x1b[0m\x1b[?25h\x1b[?1049l";

/// What the terminal shows.
pub struct Screen {
    shown: Vec<Line>,
    styled: bool,
}

impl Screen {
    /// One of which nothing is known, whose lines may stand out or not.
    #[must_use]
    pub fn new(styled: bool) -> Screen {
        Screen { shown: Vec::new(), styled }
    }

    /// Appends what clears it: nothing is known of what is there.
    pub fn clear(&mut self, out: &mut String) {
        self.shown.clear();
        out.push_str("\x1b[0m\x1b[2J");
    }

    /// Appends what has other lines shown.
    pub fn show(&mut self, lines: Vec<Line>, out: &mut String) {
        let nothing = Line::default();
        for (row, line) in lines.iter().enumerate() {
            if self.shown.get(row).unwrap_or(&nothing) == line {
                continue;
            }
            go(row, 0, out);
            let style = if self.styled { line.style } else { Style::Plain };
            out.push_str(match style {
                Style::Plain => "",
                Style::Bold => "\x1b[1m",
                Style::Reverse => "\x1b[7m",
            });
            out.push_str(&line.text);
            if style != Style::Plain {
                out.push_str("\x1b[0m");
            }
            out.push_str("\x1b[K");
        }
        self.shown = lines;
    }

    /// The last line is no more what it was: something else has written there.
    pub fn forget_last(&mut self) {
        if let Some(last) = self.shown.last_mut() {
            last.text = String::from("\x1b");
        }
    }
}

/// Appends what moves the cursor.
pub fn go(row: usize, column: usize, out: &mut String) {
    out.push_str("\x1b[");
    push_decimal_str(row as u64 + 1, out);
    out.push(';');
    push_decimal_str(column as u64 + 1, out);
    out.push('H');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(texts: &[&str]) -> Vec<Line> {
        texts.iter().map(|text| Line { text: (*text).to_owned(), style: Style::Plain }).collect()
    }

    #[test]
    fn only_changed_lines_are_written() {
        let mut screen = Screen::new(true);
        let mut shown = |new: Vec<Line>| {
            let mut out = String::new();
            screen.show(new, &mut out);
            out
        };
        assert_eq!(shown(lines(&["a", "", "c"])), "\x1b[1;1Ha\x1b[K\x1b[3;1Hc\x1b[K");
        assert_eq!(shown(lines(&["a", "", "c"])), "");
        assert_eq!(shown(lines(&["a", "b", "c", "d"])), "\x1b[2;1Hb\x1b[K\x1b[4;1Hd\x1b[K");
        let mut styled = lines(&["a", "b", "c", "d"]);
        styled[1].style = Style::Reverse;
        assert_eq!(shown(styled), "\x1b[2;1H\x1b[7mb\x1b[0m\x1b[K");
        let mut out = String::new();
        screen.forget_last();
        screen.show(lines(&["a", "b", "c", "d"]), &mut out);
        assert_eq!(out, "\x1b[2;1Hb\x1b[K\x1b[4;1Hd\x1b[K");
        screen.styled = false;
        out.clear();
        screen.clear(&mut out);
        let mut bold = lines(&["a"]);
        bold[0].style = Style::Bold;
        screen.show(bold, &mut out);
        assert_eq!(out, "\x1b[0m\x1b[2J\x1b[1;1Ha\x1b[K");
    }
}
