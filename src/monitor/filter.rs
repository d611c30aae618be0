//! What `where` says: which nodes are meant.
//!
//! ```text
//!   any   = all {"or" all}
//!   all   = one {"and" one}
//!   one   = "not" one | "(" any ")" | KEY [OPERATOR VALUE]
//!
//!   idle > 60s and (server = main or busy)
//!
//!     0 test idle > 60000      one accumulator, and jumps that only go forward:
//!     1 if off, to 5           no stack, and never more steps than there are
//!     2 test server = main
//!     3 if on, to 5
//!     4 test busy
//! ```
//!
//! Values are read once, by the unit of the attribute they are compared with, but without its bounds: to ask for
//! buffers of less than 1 byte is no mistake.

use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::failure::{Failure, expected, expected_of, expected_with, failure, failure_with, unknown};
use super::request::Words;
use crate::text::nearest::nearest;
use crate::text::network::Network;
use crate::text::{duration, number, size};
use crate::tree::{About, Code, Schema, Unit, Value};

/// Comparisons of one expression.
pub const TERMS: usize = 64;

/// How deep `not` and parentheses may go.
pub const DEPTH: usize = 16;

/// Where a word ends though no blank follows.
const SIGNS: &[u8] = b"()=<>!~";

/// An expression, ready to be asked. The default lets all through.
#[derive(Default)]
pub struct Filter {
    code: Vec<Op>,
}

enum Op {
    Test { place: usize, compare: Compare, operand: Key },
    Jump { on: bool, to: usize },
    Not,
}

/// How values may be to each other: a bit each for less, equal, greater, and not comparable.
type Compare = u8;

/// No order, but that the text is within.
const CONTAINS: Compare = 0;

/// That they are the same.
const EQUAL: Compare = 0b0010;

/// What values are compared by.
pub(super) enum Key {
    /// A size, a count, a time, a switch, or the most a buffer may become.
    Number(u64),
    Text(String),
    /// Any address of it.
    Network(Network),
    /// What is not known; written `-`.
    Nothing,
}

impl Key {
    pub(super) fn of(value: &Value) -> Key {
        match value {
            Value::Size(number) | Value::Count(number) | Value::Time(number) => Key::Number(*number),
            Value::Buffer(buffer) => Key::Number(buffer.most_bytes()),
            Value::Switch(on) => Key::Number((*on).into()),
            Value::Nothing => Key::Nothing,
            Value::Choice(_) | Value::Text(_) | Value::List(_) => Key::Text(value.text()),
        }
    }

    /// The order of two of one sort.
    fn compare(&self, other: &Key) -> Option<Ordering> {
        match (self, other) {
            (Key::Number(a), Key::Number(b)) => Some(a.cmp(b)),
            (Key::Text(a), Key::Text(b)) => Some(a.as_str().cmp(b)),
            (Key::Nothing, Key::Nothing) => Some(Ordering::Equal),
            _ => None,
        }
    }

    /// Whether `sort` puts it before a `later` one: `down` has the greatest first. What is not known comes last, and
    /// equals keep their order.
    pub(super) fn goes_before(&self, later: &Key, down: bool) -> bool {
        match self.compare(later) {
            Some(order) => order.is_eq() || order.is_gt() == down,
            None => matches!(later, Key::Nothing),
        }
    }
}

/// The longer ones first.
const COMPARES: [(&str, Compare); 7] = [
    ("!=", 0b1101),
    ("<=", 0b0011),
    (">=", 0b0110),
    ("=", EQUAL),
    ("<", 0b0001),
    (">", 0b0100),
    ("~", CONTAINS),
];

impl Filter {
    /// Reads an expression about nodes of a kind, as far as it goes; the words behind it stay.
    ///
    /// # Errors
    /// What was expected, and what is limited. It is of no use then.
    pub fn read(&mut self, words: &mut Words<'_>, schema: &'static Schema) -> Result<(), Failure> {
        Parser { words, schema, code: &mut self.code, terms: 0 }.joined(DEPTH, true)
    }

    /// Whether a node is meant; `get` tells the value of the attribute at a place. Nothing: the node is gone.
    pub fn accepts(&self, get: &mut dyn FnMut(usize) -> Option<Value>) -> Option<bool> {
        let mut on = true;
        let mut at = 0;
        while let Some(op) = self.code.get(at) {
            at += 1;
            match op {
                Op::Test { place, compare, operand } => on = holds(&get(*place)?, *compare, operand),
                Op::Jump { on: wanted, to } if *wanted == on => at = *to,
                Op::Jump { .. } => {}
                Op::Not => on = !on,
            }
        }
        Some(on)
    }
}

struct Parser<'p, 'a> {
    words: &'p mut Words<'a>,
    schema: &'static Schema,
    code: &'p mut Vec<Op>,
    terms: usize,
}

impl Parser<'_, '_> {
    /// Terms joined by `or`, each of them joined by `and`. How often it calls itself is bounded by depth and terms.
    fn joined(&mut self, depth: usize, or: bool) -> Result<(), Failure> {
        if or {
            self.joined(depth, false)?;
        } else {
            self.one(depth)?;
        }
        if self.words.take(if or { "or" } else { "and" }) {
            let jump = self.code.len();
            self.code.push(Op::Jump { on: or, to: 0 });
            self.joined(depth, or)?;
            let end = self.code.len();
            if let Some(Op::Jump { to, .. }) = self.code.get_mut(jump) {
                *to = end;
            }
        }
        Ok(())
    }

    fn one(&mut self, depth: usize) -> Result<(), Failure> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(failure(Code::Limit, "an expression goes at most 16 levels deep"));
        };
        if self.words.take("not") {
            self.one(depth)?;
            self.code.push(Op::Not);
            return Ok(());
        }
        if self.words.take_sign("(") {
            self.joined(depth, true)?;
            return if self.words.take_sign(")") { Ok(()) } else { Err(expected("and, or or )")) };
        }
        self.terms += 1;
        if self.terms > TERMS {
            return Err(failure(Code::Limit, "an expression has at most 64 comparisons"));
        }
        let key = self.words.word_until(SIGNS)?.filter(|key| !key.is_empty());
        let (place, about) = attribute(self.schema, key.ok_or_else(|| expected("an attribute"))?)?;
        let found = COMPARES.iter().find(|(sign, _)| self.words.take_sign(sign));
        let (compare, operand) = match found {
            Some(&(sign, compare)) => match self.words.word_until(b")")? {
                Some(text) => (compare, operand(about, compare, text)?),
                None => return Err(expected_with("a value behind %%", &[about.name(), sign])),
            },
            None if matches!(about.unit, Unit::Switch) => (EQUAL, Key::Number(1)),
            None => return Err(expected_of("= != < <= > >= or ~ behind %", about.name())),
        };
        self.code.push(Op::Test { place, compare, operand });
        Ok(())
    }
}

/// The attribute of a kind.
///
/// # Errors
/// There is none of that name; the nearest one is named.
pub fn attribute(schema: &'static Schema, key: &str) -> Result<(usize, &'static About), Failure> {
    schema.find(key).ok_or_else(|| {
        let near = nearest(key, &mut schema.abouts().map(|about| about.name()));
        unknown("% has no attribute %", &[schema.name, key], near)
    })
}

/// What an attribute is compared with.
#[inline(never)]
fn operand(about: &About, compare: Compare, text: &str) -> Result<Key, Failure> {
    let wrong;
    let (number, wrong) = match &about.unit {
        _ if text == "-" => return Ok(Key::Nothing),
        _ if compare == CONTAINS => (None, ""),
        // A range of buffers is compared as it is written.
        Unit::Size { .. } | Unit::Buffer { .. } | Unit::Count { .. } | Unit::Time { .. }
            if text.starts_with("auto") =>
        {
            (None, "")
        }
        Unit::Size { .. } | Unit::Buffer { .. } => (size::parse(text), "expected a size such as 4K"),
        Unit::Count { .. } => (number::parse_decimal(text.as_bytes()), "expected a number"),
        Unit::Time { .. } => (duration::parse(text), "expected a time such as 10s"),
        Unit::Switch | Unit::Choice(_) => match about.unit.parse(text) {
            Ok(value) => return Ok(Key::of(&value)),
            Err(expected) => {
                wrong = expected;
                (None, &*wrong)
            }
        },
        Unit::Text if text.contains('/') => match Network::parse(text) {
            Ok(network) => return Ok(Key::Network(network)),
            Err(_) => (None, ""),
        },
        Unit::Text | Unit::List | Unit::Rules => (None, ""),
    };
    match number {
        Some(number) => Ok(Key::Number(number)),
        None if wrong.is_empty() => Ok(Key::Text(String::from(text))),
        None => Err(failure_with(Code::Invalid, "%: %", &[about.name(), wrong])),
    }
}

#[inline(never)]
fn holds(value: &Value, compare: Compare, operand: &Key) -> bool {
    let mut key = Key::of(value);
    if let (Key::Text(_), Key::Number(_)) = (operand, &key) {
        key = Key::Text(value.text());
    }
    let mut order = key.compare(operand);
    if let (Key::Text(address), Key::Network(network)) = (&key, operand) {
        let is_of = address.parse().is_ok_and(|address| network.contains(address));
        order = is_of.then_some(Ordering::Equal);
    }
    if let (Key::Text(whole), Key::Text(text)) = (&key, operand) {
        if compare == CONTAINS {
            return contains(whole.as_bytes(), text.as_bytes());
        }
        // Of a list, an item is equal as well as all of it.
        if matches!(value, Value::List(items) if items.contains(text)) {
            order = Some(Ordering::Equal);
        }
    }
    let bit = order.map_or(3, |order| order as i8 + 1);
    compare >> bit & 1 != 0
}

/// A search that is small: values are short.
fn contains(whole: &[u8], part: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests;
