//! The status for people: tables that fit a phone, without a script.

use alloc::string::String;
use alloc::vec::Vec;

use super::view::{FULL, facts, names, value};
use crate::text::number::push_decimal;
use crate::text::{html, size};
use crate::tree::{Schema, Tree, Value};

const HEAD: &[u8] = b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Gorgon status</title>\n<style>\n\
    :root{color-scheme:light dark}\n\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n\
    h1{font-size:1.2rem;margin:0}\nh2{font-size:1rem;margin:1.5rem 0 .25rem}\n\
    div{overflow-x:auto}\ntable{border-collapse:collapse}\n\
    th,td{text-align:left;padding:.2rem 1rem .2rem 0;border-bottom:1px solid #8884;white-space:nowrap;\
    font-variant-numeric:tabular-nums}\nth{font-weight:600}\n\
    </style>\n</head>\n<body>\n<h1>Gorgon</h1>\n\
    <p><a href=\"?format=json\">JSON</a> <a href=\"?refresh=5\">every 5 seconds</a></p>\n";

pub(super) fn make(tree: &mut dyn Tree) -> Vec<u8> {
    let mut out = Vec::with_capacity(8192);
    out.extend_from_slice(HEAD);
    for schema in tree.schemas().iter().filter(|schema| facts(schema).next().is_some()) {
        if out.len() > FULL {
            break;
        }
        out.extend_from_slice(b"<h2>");
        html::escape(schema.name.as_bytes(), &mut out);
        out.extend_from_slice(b"</h2>\n");
        if schema.named {
            push_nodes(tree, schema, &mut out);
        } else {
            push_only(tree, schema, &mut out);
        }
    }
    out.extend_from_slice(b"</body>\n</html>\n");
    out
}

/// The only node of its kind: a fact a line.
fn push_only(tree: &mut dyn Tree, schema: &'static Schema, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<div><table>\n");
    for (place, about) in facts(schema) {
        out.extend_from_slice(b"<tr><th scope=\"row\" title=\"");
        html::escape(about.help().as_bytes(), out);
        out.extend_from_slice(b"\">");
        push_words(about.name(), out);
        out.extend_from_slice(b"</th>");
        push_cell(&value(tree, schema, "", place), out);
        out.extend_from_slice(b"</tr>\n");
    }
    out.extend_from_slice(b"</table></div>\n");
}

/// The nodes of a kind: one a line.
fn push_nodes(tree: &mut dyn Tree, schema: &'static Schema, out: &mut Vec<u8>) {
    let (names, mut all) = names(tree, schema);
    if names.is_empty() {
        return out.extend_from_slice(b"<p>none</p>\n");
    }
    out.extend_from_slice(b"<div><table>\n<tr><th>name</th>");
    for (_, about) in facts(schema) {
        out.extend_from_slice(b"<th title=\"");
        html::escape(about.help().as_bytes(), out);
        out.extend_from_slice(b"\">");
        push_words(about.name(), out);
        out.extend_from_slice(b"</th>");
    }
    out.extend_from_slice(b"</tr>\n");
    for name in &names {
        if out.len() > FULL {
            all = false;
            break;
        }
        out.extend_from_slice(b"<tr><th scope=\"row\">");
        html::escape(name.as_bytes(), out);
        out.extend_from_slice(b"</th>");
        for (place, _) in facts(schema) {
            push_cell(&value(tree, schema, name, place), out);
        }
        out.extend_from_slice(b"</tr>\n");
    }
    out.extend_from_slice(b"</table></div>\n");
    if !all {
        out.extend_from_slice(b"<p>There are more than are shown.</p>\n");
    }
}

fn push_words(name: &str, out: &mut Vec<u8>) {
    out.extend(name.bytes().map(|byte| if byte == b'_' { b' ' } else { byte }));
}

fn push_cell(value: &Value, out: &mut Vec<u8>) {
    out.extend_from_slice(b"<td>");
    match value {
        Value::Size(bytes) => size::push_short(*bytes, out),
        Value::Time(milliseconds) => push_time(*milliseconds, out),
        Value::Count(_)
        | Value::Switch(_)
        | Value::Choice(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Buffer(_)
        | Value::Nothing => {
            let mut text = String::new();
            value.print(&mut text);
            html::escape(text.as_bytes(), out);
        }
    }
    out.extend_from_slice(b"</td>");
}

/// Appends a time in its two largest units: `250 ms`, `12 s`, `3 min 5 s`, `2 d 4 h`.
pub(super) fn push_time(milliseconds: u64, out: &mut Vec<u8>) {
    let seconds = milliseconds / 1000;
    if seconds == 0 {
        push_decimal(milliseconds, out);
        return out.extend_from_slice(b" ms");
    }
    let parts = [
        (seconds / 86_400, &b" d"[..]),
        (seconds / 3600 % 24, b" h"),
        (seconds / 60 % 60, b" min"),
        (seconds % 60, b" s"),
    ];
    let first = parts.iter().position(|(count, _)| *count > 0).unwrap_or(0);
    for (place, (count, unit)) in parts.iter().skip(first).take(2).enumerate() {
        if place > 0 && *count == 0 {
            break;
        }
        if place > 0 {
            out.push(b' ');
        }
        push_decimal(*count, out);
        out.extend_from_slice(unit);
    }
}
