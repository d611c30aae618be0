//! Finds the node that a path names, and the attribute that may hang on it.

use alloc::string::String;

use super::{Desk, kind};
use crate::monitor::failure::{Failure, expected, failure};
use crate::monitor::filter::attribute;
use crate::tree::{Code, Path, Schema, Tree};

/// A node that is there; `*` for all of its kind.
pub(super) struct Place {
    pub(super) schema: &'static Schema,
    pub(super) name: String,
    /// The attribute, when the path went on to one.
    pub(super) key: Option<usize>,
}

impl Place {
    pub(super) fn path(&self) -> Path<'_> {
        Path { kind: self.schema.name, name: &self.name }
    }

    /// Its path as text.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        self.path().print(&mut text);
        text
    }

    pub(super) fn is_all(&self) -> bool {
        self.schema.named && self.name == "*"
    }
}

/// Nothing of that name is there.
pub(super) fn missing(path: &str) -> Failure {
    failure(Code::Missing, &["there is no ", path])
}

/// Whether a node is there.
pub(super) fn exists(tree: &mut dyn Tree, schema: &'static Schema, name: &str) -> bool {
    if !schema.named {
        return name.is_empty();
    }
    !name.is_empty() && tree.get(&Path { kind: schema.name, name }, 0).is_some()
}

/// Reads a path without asking whether its node is there.
pub(super) fn parse<'a>(tree: &dyn Tree, text: &'a str) -> Result<(&'static Schema, Path<'a>), Failure> {
    let path = Path::parse(text).ok_or_else(|| expected(&["a path such as /http/main, not ", text]))?;
    Ok((kind(tree, path.kind)?, path))
}

impl Desk<'_> {
    /// The node of `text`, or the attribute of one: a name that holds a dot goes before an attribute.
    pub(super) fn place(&mut self, text: &str, all: bool) -> Result<Place, Failure> {
        let whole = self.node(text, all);
        let Some((front, key)) = text.rsplit_once('.').filter(|_| whole.is_err()) else { return whole };
        match self.node(front, all) {
            Ok(mut place) => {
                place.key = Some(attribute(place.schema, key)?.0);
                Ok(place)
            }
            Err(_) => whole,
        }
    }

    fn node(&mut self, text: &str, all: bool) -> Result<Place, Failure> {
        let (schema, path) = parse(self.tree, text)?;
        if schema.named && path.name.is_empty() {
            let name = schema.name;
            let form = if all { [" or /", name, "/*"].concat() } else { String::new() };
            return Err(expected(&["/", name, "/NAME", &form]));
        }
        let found = (all && schema.named && path.name == "*") || exists(self.tree, schema, path.name);
        if !found {
            return Err(missing(text));
        }
        Ok(Place { schema, name: String::from(path.name), key: None })
    }
}
