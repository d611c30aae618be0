//! Lines of an INI file. Each line is told apart by itself, with its place in the text, so that a reader can name it and
//! an editor can change it alone.
//!
//! ```text
//!   ; a comment, as is # at the start of a line
//!   [section]
//!   key = value      ; comment        the same as key: value
//!   listen = :80
//!     :81                             goes on with the value before it
//!   title = "a ; b"                   within quotes ; begins no comment
//! ```

use alloc::string::String;

/// The longest line, in bytes without its end.
pub const LINE_MAX: usize = 16 * 1024;

/// What differs between readers of such files.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// What begins a comment behind a blank.
    pub inline: &'static [u8],
    /// Whether quotes keep it from that.
    pub quotes: bool,
}

/// Gorgon's own.
pub const GORGON: Dialect = Dialect { inline: b";", quotes: true };

/// One line.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// Where it begins in the text, in bytes.
    pub start: usize,
    /// Where the next begins; behind the line's end, `\n` or `\r\n`.
    pub next: usize,
    /// What it is.
    pub kind: LineKind<'a>,
}

/// What a line is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum LineKind<'a> {
    /// Nothing but blanks.
    Blank,
    /// A comment.
    Comment,
    /// `[name]`, without blanks around the name.
    Section(&'a str),
    /// `key = value`.
    Pair {
        /// The key.
        key: &'a str,
        /// Its value, or the first line of it, without blanks around it and without a comment.
        value: &'a str,
        /// Where the value stands in the text, in bytes.
        at: usize,
    },
    /// A further line of the value before it.
    More {
        /// What it says, without blanks around it and without a comment.
        value: &'a str,
        /// Where that stands in the text, in bytes.
        at: usize,
    },
    /// None of these: why.
    Wrong(&'static str),
}

/// The lines of a text, in order. Together they are the whole text, but for a byte order mark before it.
#[derive(Clone)]
pub struct Lines<'a> {
    text: &'a str,
    dialect: Dialect,
    at: usize,
    number: u32,
    /// There is a value that can go on.
    open: bool,
}

impl<'a> Lines<'a> {
    /// The lines of `text`.
    #[must_use]
    pub fn new(text: &'a str, dialect: Dialect) -> Lines<'a> {
        let at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Lines { text, dialect, at, number: 0, open: false }
    }

    fn kind(&self, line: &'a str, start: usize) -> LineKind<'a> {
        if line.len() > LINE_MAX {
            return LineKind::Wrong("longer than 16384 bytes, the most a line may have");
        }
        if line.contains('\0') {
            return LineKind::Wrong("expected text without NUL");
        }
        let trimmed = line.trim_matches(BLANKS);
        if trimmed.is_empty() {
            return LineKind::Blank;
        }
        if trimmed.starts_with([';', '#']) {
            return LineKind::Comment;
        }
        let content = self.without_comment(line);
        // Where a part of this line stands in the text.
        let place = |part: &str| start + (part.as_ptr() as usize).saturating_sub(line.as_ptr() as usize);
        if line.starts_with(BLANKS) {
            let value = content.trim_matches(BLANKS);
            return if self.open {
                LineKind::More { value, at: place(value) }
            } else {
                LineKind::Wrong(
                    "expected no blank before it; a line with one goes on with a value, and there is none",
                )
            };
        }
        let content = content.trim_end_matches(BLANKS);
        if let Some(rest) = content.strip_prefix('[') {
            return match rest.split_once(']') {
                Some((name, "")) => LineKind::Section(name.trim_matches(BLANKS)),
                Some(_) => LineKind::Wrong("expected nothing behind the ]"),
                None => LineKind::Wrong("expected a ] behind the name of the section"),
            };
        }
        let Some((key, value)) = content.split_once(['=', ':']) else {
            return LineKind::Wrong("expected KEY = VALUE, [SECTION] or a comment");
        };
        let key = key.trim_end_matches(BLANKS);
        if key.is_empty() {
            return LineKind::Wrong("expected a key before the value");
        }
        // The place of an empty value is behind the sign.
        let value =
            if value.trim_matches(BLANKS).is_empty() { value } else { value.trim_start_matches(BLANKS) };
        let at = place(value);
        LineKind::Pair { key, value: value.trim_matches(BLANKS), at }
    }

    /// A line up to its comment.
    fn without_comment(&self, line: &'a str) -> &'a str {
        let bytes = line.as_bytes();
        let mut at = 0;
        let mut blank = false;
        while let Some(&byte) = bytes.get(at) {
            if blank && self.dialect.inline.contains(&byte) {
                return line.get(..at).unwrap_or(line);
            }
            if self.dialect.quotes && byte == b'"' {
                at += quoted(bytes.get(at..).unwrap_or_default()).unwrap_or(1);
                blank = false;
                continue;
            }
            blank = byte == b' ' || byte == b'\t';
            at += 1;
        }
        line
    }
}

const BLANKS: [char; 2] = [' ', '\t'];

/// How long a quoted text is that begins here, both quotes counted; none if it does not end.
fn quoted(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

impl<'a> Iterator for Lines<'a> {
    type Item = Line<'a>;

    fn next(&mut self) -> Option<Line<'a>> {
        let rest = self.text.get(self.at..).filter(|rest| !rest.is_empty())?;
        let (line, length) = match rest.split_once('\n') {
            Some((line, _)) => (line, line.len() + 1),
            None => (rest, rest.len()),
        };
        let line = line.strip_suffix('\r').unwrap_or(line);
        let start = self.at;
        let kind = self.kind(line, start);
        match kind {
            LineKind::Pair { .. } => self.open = true,
            LineKind::Section(_) | LineKind::Wrong(_) => self.open = false,
            LineKind::Blank | LineKind::Comment | LineKind::More { .. } => {}
        }
        self.at += length;
        self.number = self.number.saturating_add(1);
        Some(Line { number: self.number, start, next: self.at, kind })
    }
}

/// What a value stands for: one that is quoted as a whole is what is in the quotes, where `\"` and `\\` are a quote and a
/// backslash. Any other is what it is.
#[must_use]
pub fn unquote(value: &str) -> String {
    let mut out = String::new();
    let whole = value.starts_with('"') && quoted(value.as_bytes()) == Some(value.len());
    if !whole {
        out.push_str(value);
        return out;
    }
    let inner = value.get(1..value.len() - 1).unwrap_or_default();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        match (letter, letters.as_str().chars().next()) {
            ('\\', Some(escaped @ ('"' | '\\'))) => {
                letters.next();
                out.push(escaped);
            }
            _ => out.push(letter),
        }
    }
    out
}

/// Appends a value so that it is read as it is, quoted if it has to be.
pub fn push_value(value: &str, out: &mut String) {
    let bytes = value.as_bytes();
    let comment =
        bytes.first() == Some(&b';') || bytes.windows(2).any(|pair| matches!(pair, [b' ' | b'\t', b';']));
    // A sign of quotation in it may go with one in the comment behind it.
    let plain = !comment && !value.contains('"') && value.trim_matches(BLANKS) == value;
    // A line that goes on must not be taken for a comment, nor the end of a value for that of the line.
    if plain && !value.starts_with('#') && !value.ends_with('\r') {
        return out.push_str(value);
    }
    out.push('"');
    for letter in value.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}

#[cfg(test)]
mod tests;
