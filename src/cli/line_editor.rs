//! A line that is typed: edited in place, with a history, in one row of the terminal. Pure: bytes in, what to show out.
//!
//! The keys are those of Emacs, which shells have too:
//!
//! | keys | what they do |
//! |---|---|
//! | C-a C-e, Home End | to the beginning, to the end |
//! | C-b C-f, arrows | a letter back, a letter on; with Meta, or arrows with Ctrl, a word |
//! | C-d Delete, C-h Backspace | delete the letter under, before the cursor; C-d in an empty line ends |
//! | C-k C-u, C-w M-Backspace, M-d | cut to the end, to the beginning, the word before, the word after |
//! | C-y, C-t | insert what was cut, swap two letters |
//! | C-p C-n, arrows, M-< M-> | earlier and later lines, the first, the one being written |
//! | C-r, C-g | search earlier lines, give it up |
//! | Tab, C-l, C-c, C-z | complete, clear the screen, give up the line, stop |

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::keys::{Key, Keys};
use crate::text::columns::{fitting, is_command, width, width_of};
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;

/// The longest line, in bytes: what a monitor takes, less room for a tag.
pub const LONGEST: usize = 4000;
/// The most lines of history.
pub const HISTORY: usize = 500;

/// What a byte led to.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Step {
    /// Nothing to show.
    Nothing,
    /// Show it again: [`LineEditor::draw`].
    Draw,
    /// The line is done; it was taken out.
    Line(String),
    /// The line is done, and had no room for all that was typed; what it had is the last of the history.
    TooLong,
    /// Complete the word before the cursor: [`LineEditor::complete`].
    Complete,
    /// Clear the screen and show it again.
    Clear,
    /// The line was given up.
    Interrupt,
    /// There are no more lines.
    End,
    /// Stop the program, as Ctrl-Z does.
    Suspend,
}

/// A search in earlier lines.
struct Search {
    wanted: String,
    /// Where in the history it is found.
    found: Option<usize>,
    /// What the line was before, and where in the history.
    before: (String, usize),
}

/// The editor.
#[derive(Default)]
pub struct LineEditor {
    keys: Keys,
    line: String,
    /// Whether the line had no room for something.
    short: bool,
    /// The cursor, in bytes.
    at: usize,
    /// The first byte of the line that is shown.
    shown: usize,
    history: Vec<String>,
    /// The line of the history that is shown, counted from its end; 0 is the one being written.
    back: usize,
    /// The one being written, while another is shown.
    draft: String,
    cut: String,
    /// Whether the last key cut, so that the next one adds to that.
    cutting: bool,
    search: Option<Search>,
}

impl LineEditor {
    /// Adds a line to the history, unless it is the last one there.
    pub fn remember(&mut self, line: &str) {
        if self.history.last().is_some_and(|last| last == line) || line.is_empty() {
            return;
        }
        if self.history.len() >= HISTORY {
            self.history.remove(0);
        }
        self.history.push(line.to_owned());
    }

    /// What is before the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        self.line.get(..self.at).unwrap_or_default()
    }

    /// Takes a byte.
    pub fn feed(&mut self, byte: u8) -> Step {
        let Some(key) = self.keys.push(byte) else { return Step::Nothing };
        self.key(key)
    }

    /// Whether an Escape waits for what follows it.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.keys.is_waiting()
    }

    /// Nothing followed for a while: gives whether there was an Escape by itself.
    pub fn settle(&mut self) -> bool {
        self.keys.settle().is_some()
    }

    /// Puts a text into the line.
    pub fn insert(&mut self, text: &str) {
        if self.line.len() + text.len() <= LONGEST {
            self.replace(self.at, self.at, text);
            self.at += text.len();
        } else {
            self.short = true;
        }
    }

    fn key(&mut self, key: Key) -> Step {
        let cutting = core::mem::take(&mut self.cutting);
        if self.search.is_some() {
            if let Some(step) = self.key_in_search(key) {
                return step;
            }
        }
        match key {
            Key::Enter if self.short => {
                // A part of a command is another command.
                let line = self.take();
                self.remember(&line);
                return Step::TooLong;
            }
            Key::Enter => return Step::Line(self.take()),
            Key::Tab => return Step::Complete,
            Key::Control(b'c') => {
                self.take();
                return Step::Interrupt;
            }
            Key::Control(b'd') if self.line.is_empty() => return Step::End,
            Key::Control(b'l') => return Step::Clear,
            Key::Control(b'z') => return Step::Suspend,
            Key::Letter(letter) if !is_command(letter) => self.insert(letter.encode_utf8(&mut [0; 4])),
            Key::Backspace => self.remove(self.before(self.at), self.at),
            Key::Delete | Key::Control(b'd') => self.remove(self.at, self.after(self.at)),
            Key::Left | Key::Control(b'b') => self.at = self.before(self.at),
            Key::Right | Key::Control(b'f') => self.at = self.after(self.at),
            Key::WordLeft | Key::Meta('b') => self.at = self.word_before(),
            Key::WordRight | Key::Meta('f') => self.at = self.word_after(),
            Key::Home | Key::Control(b'a') => self.at = 0,
            Key::End | Key::Control(b'e') => self.at = self.line.len(),
            Key::Control(b'k') => self.cut(self.at, self.line.len(), cutting),
            Key::Control(b'u') => self.cut(0, self.at, cutting),
            Key::Control(b'w') => self.cut(self.blank_before(), self.at, cutting),
            Key::Meta('\x7f' | '\x08') => self.cut(self.word_before(), self.at, cutting),
            Key::Meta('d') => self.cut(self.at, self.word_after(), cutting),
            Key::Control(b'y') => {
                let cut = core::mem::take(&mut self.cut);
                self.insert(&cut);
                self.cut = cut;
            }
            Key::Control(b't') => self.swap(),
            Key::Up | Key::Control(b'p') => self.show(self.back + 1),
            Key::Down | Key::Control(b'n') => self.show(self.back.saturating_sub(1)),
            Key::Meta('<') => self.show(self.history.len()),
            Key::Meta('>') => self.show(0),
            Key::Control(b'r') => {
                let before = (self.line.clone(), self.back);
                self.search = Some(Search { wanted: String::new(), found: None, before });
            }
            Key::Letter(_)
            | Key::Control(_)
            | Key::Meta(_)
            | Key::PageUp
            | Key::PageDown
            | Key::Escape
            | Key::Other => {
                self.cutting = cutting;
                return Step::Nothing;
            }
        }
        Step::Draw
    }

    /// A key while earlier lines are searched. None: the search ends with what was found, and the key does what it does.
    fn key_in_search(&mut self, key: Key) -> Option<Step> {
        let mut search = self.search.take()?;
        let again = match key {
            Key::Letter(letter) if !is_command(letter) && search.wanted.len() < 200 => {
                search.wanted.push(letter);
                false
            }
            Key::Backspace => {
                search.wanted.pop();
                false
            }
            Key::Control(b'r') => true,
            Key::Control(b'g') => {
                let (line, back) = search.before;
                self.back = back;
                self.set_line(line);
                return Some(Step::Draw);
            }
            _ => return None,
        };
        let end = match search.found {
            Some(found) if again => found,
            Some(found) => found + 1,
            None => self.history.len(),
        };
        let earlier = self.history.iter().take(end).rposition(|line| find(line, &search.wanted).is_some());
        if let Some((found, line)) = earlier.and_then(|found| Some((found, self.history.get(found)?.clone())))
        {
            let at = find(&line, &search.wanted).unwrap_or(0);
            search.found = Some(found);
            self.back = self.history.len() - found;
            self.set_line(line);
            self.at = at;
        }
        self.search = Some(search);
        Some(Step::Draw)
    }

    /// Completes the word that begins at a byte before the cursor, by what may stand there. Gives whether there are
    /// several and none of them could be told from the rest, so that they are worth listing. A blank follows the only one,
    /// unless that is `open` to go on.
    pub fn complete(&mut self, start: usize, words: &[String], open: bool) -> bool {
        let Some((first, rest)) = words.split_first() else { return false };
        let mut common = first.as_str();
        for word in rest {
            let same = common.char_indices().zip(word.chars()).find(|((_, one), other)| one != other);
            let end = same.map_or(common.len().min(word.len()), |((at, _), _)| at);
            common = common.get(..end).unwrap_or_default();
        }
        let typed = self.line.get(start..self.at).unwrap_or_default();
        let grows = common.len() > typed.len();
        let Some(more) = common.strip_prefix(typed).map(ToOwned::to_owned) else { return false };
        self.insert(&more);
        if rest.is_empty() && !open {
            self.insert(" ");
        }
        !grows && !rest.is_empty()
    }

    /// Appends what shows the line in a row of so many columns, from wherever in it the terminal's cursor is.
    pub fn draw(&mut self, prompt: &str, columns: usize, out: &mut String) {
        let searching = self.search.as_ref().map(|search| joined(&["search \"", &search.wanted, "\": "]));
        let (prompt, before) = fitting(searching.as_deref().unwrap_or(prompt), columns / 2);
        // The last column stays free: a letter there would begin a new row on some terminals.
        let room = columns.saturating_sub(before + 1).max(1);
        if self.at < self.shown {
            self.shown = self.at;
        }
        while width_of(self.line.get(self.shown..self.at).unwrap_or_default()) >= room && self.shown < self.at
        {
            self.shown = self.after(self.shown);
        }
        // What was deleted at the end leaves room for what is before.
        while self.shown > 0 {
            let earlier = self.before(self.shown);
            if width_of(self.line.get(earlier..).unwrap_or_default()) >= room {
                break;
            }
            self.shown = earlier;
        }
        let (shown, _) = fitting(self.line.get(self.shown..).unwrap_or_default(), room);
        let cursor = before + width_of(self.line.get(self.shown..self.at).unwrap_or_default());
        push_all(out, &["\r", prompt, shown, "\x1b[K\r"]);
        if cursor > 0 {
            out.push_str("\x1b[");
            push_decimal_str(cursor as u64, out);
            out.push('C');
        }
    }

    fn take(&mut self) -> String {
        self.short = false;
        self.search = None;
        self.back = 0;
        self.at = 0;
        self.shown = 0;
        core::mem::take(&mut self.line)
    }

    fn set_line(&mut self, line: String) {
        self.at = line.len();
        self.line = line;
    }

    /// Shows a line of the history.
    fn show(&mut self, back: usize) {
        let back = back.min(self.history.len());
        if self.back == 0 {
            self.draft.clone_from(&self.line);
        }
        let line = match back {
            0 => self.draft.clone(),
            _ => self.history.get(self.history.len() - back).cloned().unwrap_or_default(),
        };
        if back != self.back {
            self.back = back;
            self.set_line(line);
        }
    }

    fn remove(&mut self, from: usize, to: usize) {
        self.replace(from, to, "");
        self.at = from;
    }

    /// Puts a text in place of a part of the line.
    fn replace(&mut self, from: usize, to: usize, text: &str) {
        let ends = self.line.get(..from).zip(self.line.get(to..));
        if let Some((before, after)) = ends {
            self.line = joined(&[before, text, after]);
            self.short &= !self.line.is_empty();
        }
    }

    /// Cuts a part that ends or begins at the cursor. With `more`, what was cut before stays beside it.
    fn cut(&mut self, from: usize, to: usize, more: bool) {
        let part = self.line.get(from..to).unwrap_or_default();
        self.cut = match (more, to == self.at) {
            (false, _) => part.to_owned(),
            (true, true) => joined(&[part, &self.cut]),
            (true, false) => joined(&[&self.cut, part]),
        };
        self.cutting = true;
        self.remove(from, to);
    }

    /// Swaps the letters before and under the cursor, or the last two.
    fn swap(&mut self) {
        let middle = if self.at == self.line.len() { self.before(self.at) } else { self.at };
        let (from, to) = (self.before(middle), self.after(middle));
        let parts = self.line.get(from..middle).zip(self.line.get(middle..to));
        let Some(swapped) = parts.map(|(one, other)| joined(&[other, one])) else { return };
        self.replace(from, to, &swapped);
        self.at = to;
    }

    /// Where the letter before a place begins, with the marks that are over it.
    fn before(&self, at: usize) -> usize {
        let before = self.line.get(..at).unwrap_or_default();
        before.char_indices().rev().find(|(_, letter)| width(*letter) > 0).map_or(0, |(at, _)| at)
    }

    /// Where the letter after the one at a place begins.
    fn after(&self, at: usize) -> usize {
        let rest = self.line.get(at..).unwrap_or_default();
        rest.char_indices()
            .skip(1)
            .find(|(_, letter)| width(*letter) > 0)
            .map_or(self.line.len(), |(next, _)| at + next)
    }

    fn word_before(&self) -> usize {
        let before = self.before_cursor().trim_end_matches(|letter| !is_word(letter));
        before.trim_end_matches(is_word).len()
    }

    fn word_after(&self) -> usize {
        let rest = self.line.get(self.at..).unwrap_or_default();
        let rest = rest.trim_start_matches(|letter| !is_word(letter)).trim_start_matches(is_word);
        self.line.len() - rest.len()
    }

    /// Where the word before the cursor begins, be it of whatever letters.
    fn blank_before(&self) -> usize {
        self.before_cursor().trim_end_matches(' ').trim_end_matches(|letter| letter != ' ').len()
    }
}

/// Where a text is found in another. The lines are short, so the plain way will do.
#[must_use]
pub fn find(text: &str, wanted: &str) -> Option<usize> {
    (0..=text.len().checked_sub(wanted.len())?)
        .find(|&at| text.as_bytes().get(at..at + wanted.len()) == Some(wanted.as_bytes()))
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || !letter.is_ascii()
}

#[cfg(test)]
mod tests;
