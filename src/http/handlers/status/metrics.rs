//! The facts as Prometheus reads them: its text format, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>).
//!
//! A number is `gorgon_KIND_FACT`, with `_bytes` or `_seconds` after it, if it is such and does not say so itself, and
//! `_total` if it only grows. The nodes of a kind are told apart by the label `name`. Connections are not listed, for
//! each would be a series of its own for ever.

use alloc::string::String;
use alloc::vec::Vec;

use super::view::{CONNECTION, FULL, facts, names, value};
use crate::text::duration::push_seconds;
use crate::text::number::push_decimal;
use crate::tree::{About, Schema, Tree, Unit, Value};

pub(super) fn make(tree: &mut dyn Tree) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    for schema in tree.schemas().iter().filter(|schema| schema.name != CONNECTION) {
        let mut of_kind = None;
        for (place, about) in facts(schema).filter(|(_, about)| is_number(about.unit)) {
            let names = of_kind.get_or_insert_with(|| names(tree, schema).0);
            push_family(tree, schema, (place, about), names, &mut out);
        }
    }
    out
}

fn is_number(unit: Unit) -> bool {
    match unit {
        Unit::Size { .. } | Unit::Count { .. } | Unit::Time { .. } | Unit::Switch => true,
        Unit::Choice(_) | Unit::Text | Unit::List | Unit::Buffer { .. } | Unit::Rules => false,
    }
}

/// All samples of one fact, which have to stand together.
fn push_family(
    tree: &mut dyn Tree,
    schema: &'static Schema,
    (place, about): (usize, &'static About),
    names: &[String],
    out: &mut Vec<u8>,
) {
    let metric = metric(schema.name, about);
    let mut begun = false;
    for name in names {
        if out.len() > FULL {
            return;
        }
        let value = value(tree, schema, name, place);
        let mut number = Vec::new();
        match value {
            Value::Size(count) | Value::Count(count) => push_decimal(count, &mut number),
            Value::Time(milliseconds) => push_seconds(milliseconds, &mut number),
            Value::Switch(on) => number.push(if on { b'1' } else { b'0' }),
            // What this system does not tell is not there.
            Value::Choice(_) | Value::Text(_) | Value::List(_) | Value::Buffer(_) | Value::Nothing => {
                continue;
            }
        }
        if !begun {
            begun = true;
            out.extend_from_slice(b"# HELP ");
            out.extend_from_slice(&metric);
            out.push(b' ');
            push_escaped(about.short_help(), false, out);
            out.extend_from_slice(b"\n# TYPE ");
            out.extend_from_slice(&metric);
            out.extend_from_slice(if about.counter { b" counter\n" } else { b" gauge\n" });
        }
        out.extend_from_slice(&metric);
        if schema.named {
            out.extend_from_slice(b"{name=\"");
            push_escaped(name, true, out);
            out.extend_from_slice(b"\"}");
        }
        out.push(b' ');
        out.extend_from_slice(&number);
        out.push(b'\n');
    }
}

/// The name of a metric: `[a-zA-Z_:][a-zA-Z0-9_:]*`.
fn metric(kind: &str, about: &About) -> Vec<u8> {
    let unit = match about.unit {
        Unit::Size { .. } => "bytes",
        Unit::Time { .. } => "seconds",
        Unit::Count { .. }
        | Unit::Switch
        | Unit::Choice(_)
        | Unit::Text
        | Unit::List
        | Unit::Buffer { .. }
        | Unit::Rules => "",
    };
    let mut name = b"gorgon_".to_vec();
    let plain = |byte: u8| if byte.is_ascii_alphanumeric() { byte } else { b'_' };
    name.extend(kind.bytes().map(plain));
    name.push(b'_');
    name.extend(about.name().bytes().map(plain));
    if !unit.is_empty() && about.name().split('_').all(|word| word != unit) {
        name.push(b'_');
        name.extend_from_slice(unit.as_bytes());
    }
    if about.counter {
        name.extend_from_slice(b"_total");
    }
    name
}

/// Appends a text in which a backslash, a line's end and, in a label, a quote have a backslash before them.
fn push_escaped(text: &str, label: bool, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'"' if label => out.extend_from_slice(b"\\\""),
            _ => out.push(byte),
        }
    }
}
