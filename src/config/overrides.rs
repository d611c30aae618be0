//! What goes before a file: the command line, and after it the environment.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::kind::NodeKind;
use super::problems::Problems;
use super::source::{Given, Origin, Source};
use crate::text::join::joined;
use crate::text::nearest::nearest;
use crate::tree::{About, Problem, Unit};

/// One value of the command line.
#[derive(Clone)]
pub struct Override {
    /// The kind of the node.
    pub kind: NodeKind,
    /// Its name; nothing for the only one of its kind, which a short form means.
    pub name: Option<String>,
    /// The attribute.
    pub about: &'static About,
    /// As it was written: `-l :80`.
    pub place: String,
    /// The value.
    pub text: String,
}

/// Adds a value to those of the command line: a list goes on, of other values the last counts.
pub fn give(overrides: &mut Vec<Override>, new: Override) {
    let same = |before: &&mut Override| {
        before.kind == new.kind && before.name == new.name && before.about.name() == new.about.name()
    };
    match overrides.iter_mut().find(same) {
        Some(before) if matches!(new.about.unit, Unit::List | Unit::Rules) => {
            before.place = joined(&[&*before.place, " ", &new.place]);
            before.text = joined(&[&*before.text, ",", &new.text]);
        }
        Some(_) | None => overrides.push(new),
    }
}

/// Puts the values of the command line into a source; its nodes are those that there are.
pub fn apply_flags(source: &mut Source, overrides: &[Override], problems: &mut Problems) {
    for flag in overrides {
        let name = match &flag.name {
            Some(name) => name.clone(),
            None => {
                let mut all = source.of_kind(flag.kind).map(|node| node.name.as_str());
                match (all.next(), all.next()) {
                    (Some(only), None) => only.to_owned(),
                    _ => {
                        let message = joined(&["expected --", flag.kind.word(), ".NAME.", flag.about.name()]);
                        problems.add(&flag.place, &joined(&[&message, ", for the file has not just one"]));
                        continue;
                    }
                }
            }
        };
        let given =
            Given { about: flag.about, text: flag.text.clone(), origin: Origin::Flag(flag.place.clone()) };
        match source.find_mut(flag.kind, &name) {
            Some(node) => {
                // One that is overridden still has to be a right one.
                if let Some(Given { text, origin: Origin::Flag(place), .. }) = node.given(flag.about.name()) {
                    if let Err(message) = flag.about.unit.parse(text) {
                        problems.add(place, &message);
                    }
                }
                node.give(given);
            }
            None => {
                let mut names = source.of_kind(flag.kind).map(|node| node.name.as_str());
                let near = nearest(&name, &mut names);
                let prefix = joined(&["--", flag.kind.word(), "."]);
                let problem = Problem::unknown(&flag.place, "node in the configuration", &prefix, near);
                problems.add(&problem.place, &problem.message);
            }
        }
    }
}

/// Puts what the environment says into a source, unless the command line says otherwise.
pub fn apply_environment<'e>(
    source: &mut Source,
    environment: &dyn Fn(&str) -> Option<&'e [u8]>,
    problems: &mut Problems,
) {
    for node in &mut source.nodes {
        let prefix = prefix(node.kind, &node.name);
        for about in node.kind.abouts().filter(|about| !about.fact) {
            let name = variable(&prefix, about.name());
            let flagged =
                node.given(about.name()).is_some_and(|given| matches!(given.origin, Origin::Flag(_)));
            let Some(value) = environment(&name).filter(|_| !flagged) else { continue };
            let place = joined(&[&name, "=", &*String::from_utf8_lossy(value)]);
            match core::str::from_utf8(value) {
                Ok(text) => {
                    let origin = Origin::Environment(place);
                    node.give(Given { about, text: text.to_owned(), origin });
                }
                Err(_) => problems.add(&place, "expected UTF-8"),
            }
        }
    }
}

/// What goes before the key of a node in the environment: `GORGON_HTTP_MAIN_`.
#[must_use]
pub fn prefix(kind: NodeKind, name: &str) -> String {
    let mut prefix = "GORGON_".to_owned();
    if kind.is_named() {
        for part in [kind.word(), name] {
            let letters = part.chars().map(|letter| match letter {
                '-' | '.' | '/' => '_',
                letter => letter.to_ascii_uppercase(),
            });
            prefix.extend(letters);
            prefix.push('_');
        }
    }
    prefix
}

fn variable(prefix: &str, key: &str) -> String {
    let mut name = prefix.to_owned();
    name.extend(key.chars().map(|letter| letter.to_ascii_uppercase()));
    name
}

/// Variables of the environment that look like ours and are not: a setting that is mistyped there must not be lost
/// without a word.
#[must_use]
pub fn strangers(source: &Source, names: &mut dyn Iterator<Item = &[u8]>) -> Vec<Problem> {
    let mut known: Option<Vec<String>> = None;
    let mut problems = Vec::new();
    for name in names {
        let name =
            core::str::from_utf8(name).ok().and_then(|name| Some((name, name.strip_prefix("GORGON_")?)));
        let Some((name, key)) = name else { continue };
        // What Kubernetes, and Docker before it, tell every container of a service named gorgon.
        let linked =
            key == "PORT" || ["PORT_", "SERVICE_", "ENV_", "NAME"].iter().any(|front| key.starts_with(front));
        if linked || name == CONF {
            continue;
        }
        let known = known.get_or_insert_with(|| all_variables(source));
        if known.iter().any(|known| known == name) {
            continue;
        }
        let mut key = key;
        while let Some(rest) = key.strip_prefix("GORGON_") {
            key = rest;
        }
        // The key of a setting without its node's name is likelier than a mistyped one of another node.
        let end = joined(&["_", key]);
        let near =
            known.iter().find(|known| known.ends_with(&end)).and_then(|near| near.strip_prefix("GORGON_"));
        let keys = &mut known.iter().filter_map(|known| known.strip_prefix("GORGON_"));
        problems.push(Problem::unknown(name, "setting", "GORGON_", near.or_else(|| nearest(key, keys))));
    }
    problems
}

/// Names the file of the configuration.
pub const CONF: &str = "GORGON_CONF";

fn all_variables(source: &Source) -> Vec<String> {
    let mut all = Vec::new();
    for node in &source.nodes {
        let prefix = prefix(node.kind, &node.name);
        all.extend(
            node.kind.abouts().filter(|about| !about.fact).map(|about| variable(&prefix, about.name())),
        );
    }
    all
}
