//! What was given: every node with the texts of its attributes and where each comes from.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::kind::NodeKind;
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;
use crate::text::split::split_once;
use crate::tree::About;

/// All that was given.
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Source {
    /// The files that were read, the first of them the one that includes the others.
    pub files: Vec<String>,
    /// The nodes, in the order in which they stand.
    pub nodes: Vec<SourceNode>,
}

/// One node.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub struct SourceNode {
    /// Its kind.
    pub kind: NodeKind,
    /// Its name; empty for the process, `SERVER/NAME` for a handler.
    pub name: String,
    /// Where its section stands; nothing for one that stands in no file.
    pub place: Option<Place>,
    /// What was given, each key once.
    pub given: Vec<Given>,
    /// A line of its section could not be read: what contradicts the rest may be so for that.
    pub flawed: bool,
    /// That may have been the key that it wants.
    pub excused: bool,
}

/// A line of a file.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Place {
    /// The file's place in [`Source::files`].
    pub file: usize,
    /// The line, from 1.
    pub line: u32,
}

/// The text of one attribute.
#[derive(Clone)]
pub struct Given {
    /// The attribute.
    pub about: &'static About,
    /// The text, expanded.
    pub text: String,
    /// Where it comes from.
    pub origin: Origin,
}

#[cfg(test)]
impl core::fmt::Debug for Given {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{}={} ({:?})", self.about.name(), self.text, self.origin)
    }
}

/// Where a value comes from.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Origin {
    /// A line of a file.
    File(Place),
    /// A variable of the environment: `NAME=VALUE`.
    Environment(String),
    /// The command line, as it was written there: `-l :80`.
    Flag(String),
}

impl Source {
    /// The node of that kind and name.
    #[must_use]
    pub fn find(&self, kind: NodeKind, name: &str) -> Option<&SourceNode> {
        self.nodes.iter().find(|node| node.kind == kind && node.name == name)
    }

    /// The same, to change it.
    pub fn find_mut(&mut self, kind: NodeKind, name: &str) -> Option<&mut SourceNode> {
        self.nodes.iter_mut().find(|node| node.kind == kind && node.name == name)
    }

    /// Adds a node that stands in no file, unless there is one of that kind and name.
    pub fn ensure(&mut self, kind: NodeKind, name: &str) {
        if self.find(kind, name).is_none() {
            let name = name.to_owned();
            self.nodes.push(SourceNode {
                kind,
                name,
                place: None,
                given: Vec::new(),
                flawed: false,
                excused: false,
            });
        }
    }

    /// The nodes of a kind, in order.
    pub fn of_kind(&self, kind: NodeKind) -> impl Iterator<Item = &SourceNode> {
        self.nodes.iter().filter(move |node| node.kind == kind)
    }

    /// `FILE:LINE`.
    #[must_use]
    pub fn show_place(&self, place: Place) -> String {
        let mut shown = self.files.get(place.file).cloned().unwrap_or_default();
        shown.push(':');
        push_decimal_str(place.line.into(), &mut shown);
        shown
    }

    /// Where a value comes from: `FILE:LINE`, `NAME=VALUE`, or what was written on the command line.
    #[must_use]
    pub fn show_origin(&self, origin: &Origin) -> String {
        match origin {
            Origin::File(place) => self.show_place(*place),
            Origin::Environment(text) | Origin::Flag(text) => text.clone(),
        }
    }

    /// A message about a value, with where that stands in place of its node: `FILE:LINE: root=/x: ..` of
    /// `[http:main] root=/x: ..`, `FILE:LINE: user=x: ..` of `--gorgon.user=x: ..`; for a key that is not given the line is
    /// that of the section. What does not stand in a file, or is about no value, stays as it is.
    #[must_use]
    pub fn locate(&self, message: &str) -> String {
        let found = match message.strip_prefix("--gorgon.") {
            Some(rest) => Some(("gorgon", rest)),
            None => message.strip_prefix('[').and_then(|rest| split_once(rest, "] ")),
        };
        let place = found.and_then(|(section, rest)| {
            let node = self.nodes.iter().find(|node| node.section() == section)?;
            let end = rest.bytes().position(|byte| matches!(byte, b'=' | b':'))?;
            match rest.get(..end).and_then(|key| node.given(key)).map(|given| &given.origin) {
                Some(Origin::File(place)) => Some((*place, rest)),
                Some(Origin::Environment(_) | Origin::Flag(_)) => None,
                None => node.place.map(|place| (place, rest)),
            }
        });
        match place {
            Some((place, rest)) => joined(&[&self.show_place(place), ": ", rest]),
            None => message.to_owned(),
        }
    }

    /// Where a node stands: `FILE:LINE`, or else its flag `--http.main`.
    #[must_use]
    pub fn show_node(&self, node: &SourceNode) -> String {
        match node.place {
            Some(place) => self.show_place(place),
            None => {
                let mut shown = joined(&["--", node.kind.word()]);
                if node.kind.is_named() {
                    push_all(&mut shown, &[".", &node.name]);
                }
                shown
            }
        }
    }
}

impl SourceNode {
    /// What was given for that key.
    #[must_use]
    pub fn given(&self, key: &str) -> Option<&Given> {
        self.given.iter().find(|given| given.about.name() == key)
    }

    /// Takes a value in place of one that was given before.
    pub fn give(&mut self, given: Given) {
        match self.given.iter_mut().find(|before| before.about.name() == given.about.name()) {
            Some(before) => *before = given,
            None => self.given.push(given),
        }
    }

    /// The section's name: `http:main`.
    #[must_use]
    pub fn section(&self) -> String {
        section(self.kind, &self.name)
    }
}

/// The name of a node's section: `http:main`, `gorgon`.
#[must_use]
pub fn section(kind: NodeKind, name: &str) -> String {
    if kind.is_named() { joined(&[kind.word(), ":", name]) } else { kind.word().to_owned() }
}
