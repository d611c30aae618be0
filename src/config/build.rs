//! A [`Source`] into [`Settings`], and what is wrong with the whole.

use alloc::vec::Vec;

use super::kind::NodeKind;
use super::problems::Problems;
#[cfg(feature = "http")]
use super::settings::HttpServer;
use super::settings::Settings;
use super::source::{Origin, Source, SourceNode};
use crate::text::join::joined;
use crate::tree::rule::ListenRule;

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
    check(source, &settings, problems);
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
fn tell(source: &Source, node: &SourceNode, key: &str, message: &str, problems: &mut Problems) {
    let message = joined(&[key, ": ", message]);
    match (node.given(key).map(|given| &given.origin), node.place) {
        (Some(Origin::File(place)), _) => problems.add_at(source, *place, &message),
        (Some(Origin::Environment(place) | Origin::Flag(place)), _) => problems.add(place, &message),
        (None, Some(place)) => problems.add_at(source, place, &message),
        (None, None) => problems.add(&source.show_node(node), &message),
    }
}

/// What one setting cannot tell.
fn check(source: &Source, settings: &Settings, problems: &mut Problems) {
    if let Some(process) = source.find(NodeKind::Process, "") {
        if settings.process.verbose && settings.process.quiet {
            tell(source, process, "quiet", "cannot go with verbose", problems);
        }
    }
    #[cfg(feature = "http")]
    for server in &settings.servers {
        let contradiction = server.settings.contradiction();
        if let (Some((key, message)), Some(node)) = (contradiction, source.find(NodeKind::Http, &server.name))
        {
            tell(source, node, key, message, problems);
        }
        for handler in &server.handlers {
            let node = source.find(NodeKind::Handler, &joined(&[&server.name, "/", &handler.name]));
            let contradiction = handler.settings.contradiction().filter(|_| problems.is_empty());
            // What is missing may have been given, and be wrong.
            if let (Some((key, message)), Some(node)) = (contradiction, node) {
                tell(source, node, key, message, problems);
            }
        }
    }
    check_addresses(source, settings, problems);
    #[cfg(feature = "http")]
    check_logs(source, settings, problems);
}

/// No two servers listen on one address.
fn check_addresses(source: &Source, settings: &Settings, problems: &mut Problems) {
    #[allow(unused_mut)] // A build without protocols has none.
    let mut all: Vec<(&SourceNode, &ListenRule)> = Vec::new();
    #[cfg(feature = "http")]
    for server in &settings.servers {
        let node = source.find(NodeKind::Http, &server.name);
        all.extend(node.into_iter().flat_map(|node| server.listeners.iter().map(move |rule| (node, rule))));
    }
    #[cfg(feature = "monitor")]
    for monitor in settings.monitors.iter().filter(|monitor| monitor.settings.enabled) {
        let node = source.find(NodeKind::Monitor, &monitor.name);
        all.extend(node.into_iter().flat_map(|node| monitor.listeners.iter().map(move |rule| (node, rule))));
    }
    #[cfg(not(any(feature = "http", feature = "monitor")))]
    let _ = settings;
    for (at, (node, rule)) in all.iter().enumerate() {
        let before = all.iter().take(at).find(|(other, before)| {
            !core::ptr::eq(*other, *node) && before.listen.clashes_with(&rule.listen)
        });
        if let Some((other, before)) = before {
            let place = match other.given("listen") {
                Some(given) => source.show_origin(&given.origin),
                None => source.show_node(other),
            };
            let message =
                [&*rule.text, " cannot be together with ", &before.text, " of [", &other.section(), "], "];
            let message = joined(&[&*message.concat(), &place]);
            tell(source, node, "listen", &message, problems);
        }
    }
}

/// Servers that write one log agree how.
#[cfg(feature = "http")]
fn check_logs(source: &Source, settings: &Settings, problems: &mut Problems) {
    for (at, server) in settings.servers.iter().enumerate() {
        let own = &server.settings;
        let same = |other: &&HttpServer| {
            let other = &other.settings;
            let json = |format| format == "json";
            other.access_log == own.access_log
                && (other.access_log_size, other.access_log_keep, json(other.access_log_format))
                    != (own.access_log_size, own.access_log_keep, json(own.access_log_format))
        };
        let target = !own.access_log.is_empty();
        let other = settings.servers.iter().take(at).find(same).filter(|_| target);
        if let (Some(other), Some(node)) = (other, source.find(NodeKind::Http, &server.name)) {
            let message =
                joined(&["[http:", &other.name, "] writes it with another _size, _keep or _format"]);
            tell(source, node, "access_log", &message, problems);
        }
    }
}
