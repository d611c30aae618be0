//! What reports look at: the facts of the nodes, so many of them, and values as programs read them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

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
