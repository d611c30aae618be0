//! What is wrong with settings each of which is right: what contradicts another value of its node, or another node.

use alloc::string::String;
use alloc::vec::Vec;

use super::kind::NodeKind;
use super::nodes::NodeId;
use super::settings::Settings;
use crate::text::join::joined;
use crate::tree::rule::ListenRule;

/// More sockets than these the loop does not listen on.
const LISTENERS_MAX: usize = 255;

/// One contradiction.
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Wrong {
    /// The node at fault.
    pub node: NodeId,
    /// Its key at fault.
    pub key: &'static str,
    /// What was expected.
    pub message: String,
    /// The node that it goes against, if that is another.
    pub other: Option<NodeId>,
}

/// All that is wrong with settings that are to run together. Of two nodes the later one is at fault.
#[must_use]
pub fn check(settings: &Settings) -> Vec<Wrong> {
    let mut all = Vec::new();
    #[cfg(feature = "monitor")]
    for monitor in &settings.monitors {
        own(NodeKind::Monitor, &monitor.name, monitor.settings.contradiction(), &mut all);
    }
    #[cfg(feature = "http")]
    for server in &settings.servers {
        own(NodeKind::Http, &server.name, server.settings.contradiction(), &mut all);
        for handler in &server.handlers {
            let name = joined(&[&server.name, "/", &handler.name]);
            own(NodeKind::Handler, &name, handler.settings.contradiction(), &mut all);
        }
    }
    check_addresses(settings, &mut all);
    #[cfg(feature = "http")]
    check_logs(settings, &mut all);
    all
}

/// What a node says of itself.
#[cfg(any(feature = "http", feature = "monitor"))]
fn own(kind: NodeKind, name: &str, wrong: Option<(&'static str, &'static str)>, all: &mut Vec<Wrong>) {
    if let Some((key, message)) = wrong {
        all.push(Wrong { node: NodeId::new(kind, name), key, message: String::from(message), other: None });
    }
}

/// No two servers listen on one address.
fn check_addresses(settings: &Settings, all: &mut Vec<Wrong>) {
    #[allow(unused_mut)] // A build without protocols has none.
    let mut rules: Vec<(NodeKind, &str, &ListenRule)> = Vec::new();
    #[cfg(feature = "http")]
    for server in settings.servers.iter().filter(|server| server.settings.enabled) {
        rules.extend(server.listeners.iter().map(|rule| (NodeKind::Http, server.name.as_str(), rule)));
    }
    #[cfg(feature = "monitor")]
    for monitor in settings.monitors.iter().filter(|monitor| monitor.settings.enabled) {
        rules.extend(monitor.listeners.iter().map(|rule| (NodeKind::Monitor, monitor.name.as_str(), rule)));
    }
    #[cfg(not(any(feature = "http", feature = "monitor")))]
    let _ = settings;
    // Each is compared with all before it, which is nothing for as many as the loop listens on.
    if let Some((kind, name, _)) = rules.get(LISTENERS_MAX) {
        let message = String::from("expected at most 255 rules in all");
        all.push(Wrong { node: NodeId::new(*kind, name), key: "listen", message, other: None });
        rules.truncate(LISTENERS_MAX);
    }
    for (at, (kind, name, rule)) in rules.iter().enumerate() {
        let before = rules.iter().take(at).find(|(other, named, before)| {
            (other, named) != (kind, name) && before.listen.clashes_with(&rule.listen)
        });
        if let Some((other, named, before)) = before {
            let other = NodeId::new(*other, named);
            let section = super::source::section(other.kind, &other.name);
            let message =
                joined(&[&rule.text, " cannot be together with ", &before.text, " of [", &section, "]"]);
            all.push(Wrong { node: NodeId::new(*kind, name), key: "listen", message, other: Some(other) });
        }
    }
}

/// Servers that write one log agree how.
#[cfg(feature = "http")]
fn check_logs(settings: &Settings, all: &mut Vec<Wrong>) {
    for (at, server) in settings.servers.iter().enumerate() {
        let own = &server.settings;
        let json = |format| format == "json";
        let before = settings.servers.iter().take(at).find(|other| {
            let other = &other.settings;
            !own.access_log.is_empty()
                && other.access_log == own.access_log
                && (other.access_log_size, other.access_log_keep, json(other.access_log_format))
                    != (own.access_log_size, own.access_log_keep, json(own.access_log_format))
        });
        if let Some(before) = before {
            let message =
                joined(&["[http:", &before.name, "] writes it with another _size, _keep or _format"]);
            let node = NodeId::new(NodeKind::Http, &server.name);
            all.push(Wrong { node, key: "access_log", message, other: None });
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests {
    use super::super::load::tests::good;
    use super::*;

    #[test]
    fn finds_what_does_not_go_together() {
        let good =
            good("[http:a]\nroot=/\nlisten=:1\n[handler:a/x]\n[http:b]\nroot=/\nlisten=:2\n[monitor:m]\n")
                .settings;
        assert_eq!(check(&good), []);
        for (kind, name, key, text, wrong) in [
            (NodeKind::Http, "b", "listen", ":1", ("b", "listen", Some("a"))),
            (NodeKind::Http, "a", "listen", ":2", ("b", "listen", Some("a"))),
            (NodeKind::Monitor, "m", "listen", "127.0.0.1:2", ("m", "listen", Some("b"))),
            (NodeKind::Http, "a", "head_max", "1K", ("a", "request_line_max", None)),
            (NodeKind::Handler, "a/x", "kind", "status", ("a/x", "match", None)),
            (NodeKind::Monitor, "m", "legacy", "on", ("m", "legacy", None)),
        ] {
            let mut settings = good.clone();
            settings.set(kind, name, key, text).unwrap();
            let found = check(&settings);
            assert_eq!(found.len(), 1, "{name} {key}={text}: {found:?}");
            let other = found[0].other.as_ref().map(|other| other.name.as_str());
            assert_eq!((found[0].node.name.as_str(), found[0].key, other), wrong);
        }
        // As many rules as there can be sockets.
        for (count, wrong) in [(254, 0), (255, 1), (5000, 1)] {
            let rules: Vec<String> =
                (0..count).map(|at| format!("127.{}.{}.1:80", at / 250, at % 250)).collect();
            let mut settings = good.clone();
            settings.set(NodeKind::Http, "b", "listen", &rules.join(",")).unwrap();
            let found = check(&settings);
            assert_eq!(found.len(), wrong, "{count}");
            assert!(found.iter().all(|wrong| wrong.message.contains("255")), "{found:?}");
        }
        // What is turned off listens on nothing.
        let mut settings = good.clone();
        settings.set(NodeKind::Http, "b", "listen", ":1").unwrap();
        settings.set(NodeKind::Http, "a", "enabled", "off").unwrap();
        assert_eq!(check(&settings), []);
    }
}
