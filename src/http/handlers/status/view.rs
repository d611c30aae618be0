//! What reports look at: the facts of the nodes, so many of them, and values as programs read them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use crate::text::json::push_string;
use crate::text::number::push_decimal;
use crate::tree::{About, Path, Schema, Tree, Value};

/// The most bytes of a report.
pub(super) const REPORT_MAX: usize = 1 << 20;
/// A report that has grown so long gets no further node: one takes no more than what is left.
pub(super) const FULL: usize = REPORT_MAX - REPORT_MAX / 8;
/// The most connections that are listed.
pub(super) const CONNECTIONS_MAX: usize = 200;
/// The most nodes of another kind that are listed.
const NODES_MAX: usize = 1000;
/// How often the tree is asked for further names of one kind: it may have few to tell in many places.
const CALLS_MAX: usize = 256;
/// The most bytes that are told of one text, or of all texts of a list.
const TEXT_MAX: usize = 512;

/// The kind of the nodes that are too many for some reports.
pub(super) const CONNECTION: &str = "connection";

/// The facts of a kind, with their places.
pub(super) fn facts(schema: &'static Schema) -> impl Iterator<Item = (usize, &'static About)> {
    schema.abouts().enumerate().filter(|(_, about)| about.fact)
}

/// The names of a kind's nodes, and whether those are all. The only node of its kind has an empty one.
pub(super) fn names(tree: &mut dyn Tree, schema: &'static Schema) -> (Vec<String>, bool) {
    if !schema.named {
        return (vec![String::new()], true);
    }
    let most = if schema.name == CONNECTION { CONNECTIONS_MAX } else { NODES_MAX };
    let (mut names, mut all, mut from) = (Vec::new(), true, Some(0));
    for _ in 0..CALLS_MAX {
        let Some(place) = from else { break };
        from = tree.names(schema, place, &mut |name| {
            if names.len() < most {
                names.push(name.to_owned());
            } else {
                all = false;
            }
        });
        if !all {
            break;
        }
    }
    (names, all && from.is_none())
}

/// A fact's value, its texts cut where they are very long. Nothing if the node is gone.
pub(super) fn value(tree: &mut dyn Tree, schema: &Schema, name: &str, place: usize) -> Value {
    let mut value = tree.get(&Path { kind: schema.name, name }, place).unwrap_or(Value::Nothing);
    match &mut value {
        Value::Text(text) => cut(text, TEXT_MAX),
        Value::List(items) => {
            let mut left = TEXT_MAX;
            for item in items.iter_mut() {
                cut(item, left);
                left -= item.len();
            }
            items.retain(|item| !item.is_empty());
        }
        Value::Size(_)
        | Value::Count(_)
        | Value::Time(_)
        | Value::Switch(_)
        | Value::Choice(_)
        | Value::Buffer(_)
        | Value::Nothing => {}
    }
    value
}

/// Shortens a text, between two characters.
fn cut(text: &mut String, most: usize) {
    let end = (0..=most.min(text.len())).rev().find(|&end| text.is_char_boundary(end)).unwrap_or(0);
    text.truncate(end);
}

/// Appends a value as JSON has it: bytes, seconds, numbers, `null` for what is not known.
pub(super) fn push_json(value: &Value, out: &mut Vec<u8>) {
    match value {
        Value::Size(number) | Value::Count(number) => push_decimal(*number, out),
        Value::Time(milliseconds) => push_seconds(*milliseconds, out),
        Value::Switch(on) => out.extend_from_slice(if *on { b"true" } else { b"false" }),
        Value::Choice(word) => push_string(word.as_bytes(), out),
        Value::Text(text) => push_string(text.as_bytes(), out),
        Value::List(items) => {
            out.push(b'[');
            for (place, item) in items.iter().enumerate() {
                if place > 0 {
                    out.push(b',');
                }
                push_string(item.as_bytes(), out);
            }
            out.push(b']');
        }
        // One size, or two and what lies between.
        Value::Buffer(_) => {
            let mut text = String::new();
            value.print(&mut text);
            push_string(text.as_bytes(), out);
        }
        Value::Nothing => out.extend_from_slice(b"null"),
    }
}

/// Appends milliseconds as seconds: `12`, `0.25`.
pub(super) fn push_seconds(milliseconds: u64, out: &mut Vec<u8>) {
    push_decimal(milliseconds / 1000, out);
    let rest = milliseconds % 1000;
    if rest > 0 {
        let digits = [rest / 100, rest / 10 % 10, rest % 10].map(|digit| b'0' + digit as u8);
        let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
        out.push(b'.');
        out.extend_from_slice(digits.get(..end).unwrap_or_default());
    }
}
