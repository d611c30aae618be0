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

use super::request::{Words, syntax};
use crate::text::nearest::nearest;
use crate::text::{duration, number, size};
use crate::tree::{About, Code, Schema, Trouble, Unit, Value};

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
    Test { place: usize, compare: Compare, operand: Operand },
    Jump { on: bool, to: usize },
    Not,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Contains,
}

enum Operand {
    Number(u64),
    Switch(bool),
    Text(String),
    /// `-`: what is not known.
    Nothing,
}

/// The longer ones first.
const COMPARES: [(&str, Compare); 7] = [
    ("!=", Compare::Unequal),
    ("<=", Compare::LessOrEqual),
    (">=", Compare::GreaterOrEqual),
    ("=", Compare::Equal),
    ("<", Compare::Less),
    (">", Compare::Greater),
    ("~", Compare::Contains),
];

impl Filter {
    /// Reads an expression about nodes of a kind, as far as it goes; the words behind it stay.
    ///
    /// # Errors
    /// What was expected, and what is limited.
    pub fn parse(words: &mut Words<'_>, schema: &'static Schema) -> Result<Filter, Trouble> {
        let mut parser = Parser { words, schema, code: Vec::new(), terms: 0 };
        parser.joined(DEPTH, true)?;
        Ok(Filter { code: parser.code })
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
    code: Vec<Op>,
    terms: usize,
}

impl Parser<'_, '_> {
    /// Terms joined by `or`, each of them joined by `and`. How often it calls itself is bounded by depth and terms.
    fn joined(&mut self, depth: usize, or: bool) -> Result<(), Trouble> {
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

    fn one(&mut self, depth: usize) -> Result<(), Trouble> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(Trouble::new(Code::Limit, &["an expression goes at most 16 levels deep"]));
        };
        if self.words.take("not") {
            self.one(depth)?;
            self.code.push(Op::Not);
            return Ok(());
        }
        if self.words.take_sign("(") {
            self.joined(depth, true)?;
            return if self.words.take_sign(")") { Ok(()) } else { Err(syntax("and, or or )")) };
        }
        self.terms += 1;
        if self.terms > TERMS {
            return Err(Trouble::new(Code::Limit, &["an expression has at most 64 comparisons"]));
        }
        let key = self.words.word_until(SIGNS)?.filter(|key| !key.is_empty());
        let (place, about) = attribute(self.schema, &key.ok_or_else(|| syntax("an attribute"))?)?;
        let found = COMPARES.iter().find(|(sign, _)| self.words.take_sign(sign));
        let Some(&(sign, compare)) = found else {
            if about.unit != Unit::Switch {
                return Err(syntax(&["= != < <= > >= or ~ behind ", about.name].concat()));
            }
            self.code.push(Op::Test { place, compare: Compare::Equal, operand: Operand::Switch(true) });
            return Ok(());
        };
        let text = self.words.word_until(b")")?;
        let text = text.ok_or_else(|| syntax(&["a value behind ", about.name, sign].concat()))?;
        let operand = operand(&about.unit, compare, text)
            .map_err(|expected| Trouble::new(Code::Invalid, &[about.name, ": expected ", &expected]))?;
        self.code.push(Op::Test { place, compare, operand });
        Ok(())
    }
}

/// The attribute of a kind.
///
/// # Errors
/// There is none of that name; the nearest one is named.
pub fn attribute(schema: &'static Schema, key: &str) -> Result<(usize, &'static About), Trouble> {
    schema.find(key).ok_or_else(|| {
        let near = nearest(key, &mut schema.abouts().map(|about| about.name));
        unknown(&[schema.name, " has no attribute ", key], near)
    })
}

/// Something has no such name, and perhaps one that is near.
#[must_use]
pub fn unknown(words: &[&str], nearest: Option<&str>) -> Trouble {
    let mut trouble = Trouble::new(Code::Unknown, words);
    if let Some(nearest) = nearest {
        trouble.message.extend(["; did you mean ", nearest, "?"]);
    }
    trouble
}

fn operand(unit: &Unit, compare: Compare, text: String) -> Result<Operand, String> {
    if text == "-" {
        return Ok(Operand::Nothing);
    }
    if compare == Compare::Contains {
        return Ok(Operand::Text(text));
    }
    let number = match unit {
        // A range is compared as it is written.
        Unit::Buffer { .. } if text.starts_with("auto") => return Ok(Operand::Text(text)),
        Unit::Size { .. } | Unit::Buffer { .. } => size::parse(&text).ok_or("a size such as 4K"),
        Unit::Count { .. } => number::parse_decimal(text.as_bytes()).ok_or("a number"),
        Unit::Time { .. } => duration::parse(&text).ok_or("a time such as 10s"),
        Unit::Switch => match unit.parse(&text) {
            Ok(Value::Switch(on)) => return Ok(Operand::Switch(on)),
            _ => Err("on or off"),
        },
        Unit::Choice(words) if !words.split('|').any(|word| word == text) => {
            let mut expected = String::new();
            unit.describe(&mut expected);
            return Err(expected);
        }
        Unit::Choice(_) | Unit::Text | Unit::List | Unit::Rules => return Ok(Operand::Text(text)),
    };
    number.map(Operand::Number).map_err(String::from)
}

fn holds(value: &Value, compare: Compare, operand: &Operand) -> bool {
    let order = match (value, operand) {
        (Value::Nothing, Operand::Nothing) => Some(Ordering::Equal),
        (Value::Size(a) | Value::Count(a) | Value::Time(a), Operand::Number(b)) => Some(a.cmp(b)),
        // A range counts as the most it may become.
        (Value::Buffer(a), Operand::Number(b)) => Some(a.most_bytes().cmp(b)),
        (Value::Switch(a), Operand::Switch(b)) => Some(a.cmp(b)),
        (value, Operand::Text(text)) if *value != Value::Nothing => {
            let mut whole = String::new();
            value.print(&mut whole);
            if compare == Compare::Contains {
                return whole.contains(text.as_str());
            }
            // Of a list, an item is equal as well as all of it.
            let item = matches!(value, Value::List(items) if items.contains(text));
            Some(if item { Ordering::Equal } else { whole.as_str().cmp(text) })
        }
        _ => None,
    };
    match compare {
        Compare::Equal => order == Some(Ordering::Equal),
        Compare::Unequal => order != Some(Ordering::Equal),
        Compare::Less => order == Some(Ordering::Less),
        Compare::LessOrEqual => order.is_some_and(Ordering::is_le),
        Compare::Greater => order == Some(Ordering::Greater),
        Compare::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        Compare::Contains => false,
    }
}

/// The order that `sort` puts values in: what is not known comes last.
#[must_use]
pub fn order(a: &Value, b: &Value) -> Ordering {
    match (a, b) {
        (Value::Nothing, Value::Nothing) => Ordering::Equal,
        (Value::Nothing, _) => Ordering::Greater,
        (_, Value::Nothing) => Ordering::Less,
        (
            Value::Size(a) | Value::Count(a) | Value::Time(a),
            Value::Size(b) | Value::Count(b) | Value::Time(b),
        ) => a.cmp(b),
        (Value::Buffer(a), Value::Buffer(b)) => (a.most, a.least).cmp(&(b.most, b.least)),
        (Value::Switch(a), Value::Switch(b)) => a.cmp(b),
        (Value::Choice(a), Value::Choice(b)) => a.cmp(b),
        (Value::Text(a), Value::Text(b)) => a.cmp(b),
        (Value::List(a), Value::List(b)) => a.cmp(b),
        // Values of one attribute have one unit.
        _ => Ordering::Equal,
    }
}

#[cfg(test)]
mod tests;
