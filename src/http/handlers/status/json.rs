//! The status as JSON: one object with a member for each kind. A kind of which there is one node is an object of its
//! facts, another one an object of its nodes. Sizes are bytes, times seconds.

use alloc::vec::Vec;

use super::view::{self, FULL, facts, names, value};
use crate::text::json::push_string;
use crate::tree::{Schema, Tree};

pub(super) fn make(tree: &mut dyn Tree) -> Vec<u8> {
    let mut out = Vec::with_capacity(4096);
    out.push(b'{');
    for schema in tree.schemas().iter().filter(|schema| facts(schema).next().is_some()) {
        push_comma(&mut out);
        push_string(schema.name.as_bytes(), &mut out);
        out.push(b':');
        let (names, _) = names(tree, schema);
        if !schema.named {
            push_node(tree, schema, "", &mut out);
            continue;
        }
        out.push(b'{');
        for name in &names {
            if out.len() > FULL {
                break;
            }
            push_comma(&mut out);
            push_string(name.as_bytes(), &mut out);
            out.push(b':');
            push_node(tree, schema, name, &mut out);
        }
        out.push(b'}');
    }
    out.extend_from_slice(b"}\n");
    out
}

fn push_node(tree: &mut dyn Tree, schema: &'static Schema, name: &str, out: &mut Vec<u8>) {
    out.push(b'{');
    for (place, about) in facts(schema) {
        push_comma(out);
        push_string(about.name().as_bytes(), out);
        out.push(b':');
        value(tree, schema, name, place).push_json(out);
    }
    out.push(b'}');
}

fn push_comma(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

const _: () = assert!(FULL < view::REPORT_MAX);
