//! Finds the node that a path names, and the attribute that may hang on it.

use alloc::boxed::Box;

use super::{Desk, kind};
use crate::monitor::failure::{Failure, expected_of, expected_with, failure_of};
use crate::monitor::job::{Shape, Walk};
use crate::monitor::request::Words;
use crate::tree::{Code, Path, Schema, Tree};

/// Nothing of that name is there.
#[inline(never)]
pub(super) fn missing(kind: &str, name: &str) -> Failure {
    failure_of(Code::Missing, "there is no %", &Path { kind, name }.text())
}

/// Whether a node is there.
pub(super) fn exists(tree: &mut dyn Tree, schema: &'static Schema, name: &str) -> bool {
    if !schema.named {
        return name.is_empty();
    }
    !name.is_empty() && tree.get(&Path { kind: schema.name, name }, 0).is_some()
}

/// Reads a path without asking whether its node is there.
pub(super) fn parse<'a>(tree: &dyn Tree, text: &'a str) -> Result<(&'static Schema, &'a str), Failure> {
    let path = Path::parse(text).ok_or_else(|| expected_of("a path such as /http/main, not %", text))?;
    Ok((kind(tree, path.kind)?, path.name))
}

impl Desk<'_> {
    /// A walk over the node of a path, or where that is asked for over all nodes of a kind, and attributes of theirs, up
    /// to the end or `every`. An attribute may also hang on the path: a name that holds a dot goes before it.
    pub(super) fn place(&mut self, words: &mut Words<'_>, all: bool) -> Result<Box<Walk>, Failure> {
        let text = words.expect("a path")?;
        let mut node = self.node(text, all);
        if node.is_err() {
            if let Some((front, key)) = text.rsplit_once('.') {
                if let Ok(mut walk) = self.node(front, all) {
                    walk.show(key)?;
                    node = Ok(walk);
                }
            }
        }
        let mut walk = node?;
        while !words.is_empty() && !words.begin_with("every") {
            walk.show(words.expect("")?)?;
        }
        Ok(walk)
    }

    fn node(&mut self, text: &str, all: bool) -> Result<Box<Walk>, Failure> {
        let (schema, name) = parse(self.tree, text)?;
        if schema.named && name.is_empty() {
            let form = if all { "/%/NAME or /%/*" } else { "/%/NAME" };
            return Err(expected_with(form, &[schema.name, schema.name]));
        }
        let every = all && schema.named && name == "*";
        if !every && !exists(self.tree, schema, name) {
            return Err(missing(schema.name, name));
        }
        let mut walk = Walk::new(schema, Shape::Lines);
        walk.one = !every;
        walk.name.push_str(name);
        Ok(walk)
    }
}
