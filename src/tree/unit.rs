//! Units: what a value of an attribute may be, and how its text is read.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{Buffer, Value};
use crate::text::{duration, number, size};

/// What an attribute holds, and within which bounds (both included).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes: `512`, `4K`, `1M`, `2G`.
    Size {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
        /// Whether only powers of two will do.
        power_of_two: bool,
    },
    /// A number of things.
    Count {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// Milliseconds, written `200ms`, `10s`, `5m`, `2h` or in bare seconds.
    Time {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// `on` or `off`; also `true` and `false`, `yes` and `no`, `1` and `0`.
    Switch,
    /// One of some words, here joined by `|`.
    Choice(&'static str),
    /// Any text without control characters, also none.
    Text,
    /// Texts with commas between them, also none.
    List,
    /// The size of a buffer: a power of two, or `auto:4K..256K`. Bounds are in bytes.
    Buffer {
        /// Least.
        min: u64,
        /// Most.
        max: u64,
    },
    /// Rules, one a line or with commas between them, also none. Blanks in a rule have a meaning.
    Rules,
}

impl Unit {
    /// Reads a value and checks its bounds.
    ///
    /// # Errors
    /// `expected ..`, naming the form and the bounds.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        self.read(text).ok_or_else(|| {
            let mut message = "expected ".to_owned();
            self.describe(&mut message);
            message
        })
    }

    /// What stands for a value in help: `SIZE`.
    #[must_use]
    pub fn placeholder(&self) -> &'static str {
        match self {
            Self::Size { .. } => "SIZE",
            Self::Count { .. } => "COUNT",
            Self::Time { .. } => "TIME",
            Self::Switch => "SWITCH",
            Self::Choice(_) => "CHOICE",
            Self::Text => "TEXT",
            Self::List => "LIST",
            Self::Buffer { .. } => "BUFFER",
            Self::Rules => "RULES",
        }
    }

    /// Appends what is expected, bounds included: `a size from 512 to 1M, a power of two`.
    pub fn describe(&self, out: &mut String) {
        match *self {
            Self::Size { min, max, power_of_two } => {
                out.push_str("a size such as 4K or 8M,");
                bounds(Value::Size(min), Value::Size(max), out);
                if power_of_two {
                    out.push_str(", a power of two");
                }
            }
            Self::Count { min, max } => {
                out.push_str("a number");
                bounds(Value::Count(min), Value::Count(max), out);
            }
            Self::Time { min, max } => {
                out.push_str("a time such as 200ms, 10s or 5m,");
                bounds(Value::Time(min), Value::Time(max), out);
            }
            Self::Switch => out.push_str("on or off"),
            Self::Choice(words) => {
                out.push_str("one of");
                for (place, word) in words.split('|').enumerate() {
                    out.push_str(if place == 0 { " " } else { ", " });
                    out.push_str(word);
                }
            }
            Self::Text => out.push_str("text without control characters"),
            Self::List => out.push_str("a list with commas between its items"),
            Self::Buffer { min, max } => {
                out.push_str("a power of two");
                bounds(Value::Size(min), Value::Size(max), out);
                out.push_str(", such as 64K, or a range such as auto:4K..256K");
            }
            Self::Rules => out.push_str("rules with commas or line ends between them"),
        }
    }

    fn read(&self, text: &str) -> Option<Value> {
        match *self {
            Self::Size { min, max, power_of_two } => {
                let size = size::parse(text)?;
                let fits = within(size, min, max) && (!power_of_two || size.is_power_of_two());
                fits.then_some(Value::Size(size))
            }
            Self::Count { min, max } => {
                let count = number::parse_decimal(text.as_bytes())?;
                within(count, min, max).then_some(Value::Count(count))
            }
            Self::Time { min, max } => {
                let time = duration::parse(text)?;
                within(time, min, max).then_some(Value::Time(time))
            }
            Self::Switch => {
                let is = |words: &str| words.split('|').any(|word| word.eq_ignore_ascii_case(text));
                if is("on|true|yes|1") {
                    Some(Value::Switch(true))
                } else {
                    is("off|false|no|0").then_some(Value::Switch(false))
                }
            }
            Self::Choice(words) => words.split('|').find(|&word| word == text).map(Value::Choice),
            Self::Text => printable(text).then(|| Value::Text(text.to_owned())),
            Self::List => items(text, &[',']),
            Self::Buffer { min, max } => {
                Buffer::parse(text).filter(|buffer| buffer.is_within(min, max)).map(Value::Buffer)
            }
            Self::Rules => items(text, &[',', '\n']),
        }
    }
}

/// What stands between separators, none of it empty. Nothing at all is none.
fn items(text: &str, separators: &[char]) -> Option<Value> {
    let mut items = Vec::new();
    if !text.is_empty() {
        for item in text.split(separators) {
            let item = item.trim_matches([' ', '\t']);
            if item.is_empty() || !printable(item) {
                return None;
            }
            items.push(item.to_owned());
        }
    }
    Some(Value::List(items))
}

/// Control characters have no place in a path, a name or a header field, and would garble a terminal.
fn printable(text: &str) -> bool {
    !text.chars().any(char::is_control)
}

fn within(number: u64, min: u64, max: u64) -> bool {
    min <= number && number <= max
}

fn bounds(min: Value, max: Value, out: &mut String) {
    out.push_str(" from ");
    min.print(out);
    out.push_str(" to ");
    max.print(out);
}
