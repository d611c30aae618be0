//! A [`Source`] into [`Settings`], and what is wrong with the whole.

use alloc::string::String;

use super::check::{Wrong, check};
use super::problems::Problems;
use super::settings::Settings;
use super::source::{Origin, Source, SourceNode};
use crate::text::join::joined;

/// Makes the settings of every node. What is wrong keeps its default, and is told.
pub fn build(source: &Source, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    // Handlers come after all servers: they may stand before theirs.
    for handlers in [false, true] {
        for node in &source.nodes {
            if node.kind.is_handler() == handlers {
                settings.add(node.kind, &node.name);
                set(source, node, &mut settings, problems);
            }
        }
    }
    for wrong in check(&settings) {
        tell(source, &wrong, problems);
    }
    settings
}

fn set(source: &Source, node: &SourceNode, settings: &mut Settings, problems: &mut Problems) {
    for given in &node.given {
        let Err(problem) = settings.set(node.kind, &node.name, given.about.name, &given.text) else {
            continue;
        };
        match &given.origin {
            Origin::File(place) => {
                let shown = joined(&[given.about.name, "=", &given.text, ": ", &problem.message]);
                problems.add_at(source, *place, &shown);
            }
            // These say the value themselves.
            Origin::Environment(place) | Origin::Flag(place) => problems.add(place, &problem.message),
        }
    }
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
