//! A [`Source`] into [`Settings`], and what is wrong with the whole.

use alloc::string::String;
use alloc::vec::Vec;

use super::check::{Wrong, check};
#[cfg(feature = "http")]
use super::kind::NodeKind;
use super::nodes::NodeId;
use super::problems::Problems;
use super::settings::Settings;
use super::source::{Origin, Source, SourceNode};
use crate::text::join::joined;

/// Makes the settings of every node. What is wrong keeps its default, and is told; what that default then contradicts is
/// not, for nobody asked for it.
pub fn build(source: &Source, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    let mut wrong_nodes: Vec<&SourceNode> = Vec::new();
    // Handlers come after all servers: they may stand before theirs.
    for handlers in [false, true] {
        for node in &source.nodes {
            if node.kind.is_handler() == handlers {
                settings.add(node.kind, &node.name);
                let mut alone = Settings::default();
                let has = settings.has(node.kind, &node.name);
                // What is wrong with one of a server that is not there is told all the same.
                let settings = if has { &mut settings } else { alone_with(node, &mut alone) };
                if !set(source, node, settings, problems) || node.flawed {
                    wrong_nodes.push(node);
                }
            }
        }
    }
    for wrong in check(&settings) {
        let follows =
            |id: &NodeId| wrong_nodes.iter().any(|node| node.kind == id.kind && node.name == id.name);
        if !follows(&wrong.node) && !wrong.other.as_ref().is_some_and(follows) {
            tell(source, &wrong, problems);
        }
    }
    settings
}

/// Settings of nothing but a handler and its server.
fn alone_with<'s>(node: &SourceNode, alone: &'s mut Settings) -> &'s mut Settings {
    #[cfg(feature = "http")]
    if let Some((server, _)) = node.name.split_once('/') {
        alone.add(NodeKind::Http, server);
        alone.add(node.kind, &node.name);
    }
    let _ = node;
    alone
}

/// Sets what was given of a node, and tells what is wrong. Says whether nothing was.
fn set(source: &Source, node: &SourceNode, settings: &mut Settings, problems: &mut Problems) -> bool {
    let mut right = true;
    for given in &node.given {
        let Err(problem) = settings.set(node.kind, &node.name, given.about.name(), &given.text) else {
            continue;
        };
        right = false;
        match &given.origin {
            Origin::File(place) => {
                let shown = joined(&[given.about.name(), "=", &given.text, ": ", &problem.message]);
                problems.add_at(source, *place, &shown);
            }
            // These say the value themselves.
            Origin::Environment(place) | Origin::Flag(place) => problems.add(place, &problem.message),
        }
    }
    right
}

/// Names a key of a node where it was given, or else the node.
fn tell(source: &Source, wrong: &Wrong, problems: &mut Problems) {
    let Some(node) = source.find(wrong.node.kind, &wrong.node.name) else { return };
    let other = wrong.other.as_ref().and_then(|other| source.find(other.kind, &other.name));
    let other = match other.map(|other| (other, other.given(wrong.key))) {
        Some((_, Some(given))) => joined(&[", ", &source.show_origin(&given.origin)]),
        Some((other, None)) => joined(&[", ", &source.show_node(other)]),
        None => String::new(),
    };
    let message = joined(&[wrong.key, ": ", &wrong.message, &other]);
    match (node.given(wrong.key).map(|given| &given.origin), node.place) {
        (Some(Origin::File(place)), _) => problems.add_at(source, *place, &message),
        (Some(Origin::Environment(place) | Origin::Flag(place)), _) => problems.add(place, &message),
        (None, Some(place)) => problems.add_at(source, place, &message),
        (None, None) => problems.add(&source.show_node(node), &message),
    }
}
