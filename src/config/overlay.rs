//! A configuration that was read anew, with what was changed live and the files did not touch.
//!
//! ```text
//!   base    what the files said before      live   what holds now
//!   fresh   what the files say now          result what shall hold
//!
//!   the files changed it:  fresh            they did not:  live
//! ```

use super::difference::{Difference, printed};
use super::nodes::NodeId;
use super::settings::Settings;

/// Other names of `log_level`, which is taken over by that one.
const OTHER_NAMES: [&str; 2] = ["verbose", "quiet"];

/// What shall hold after the files have changed from `base` to `fresh`.
#[must_use]
pub fn overlay(base: &Settings, live: &Settings, fresh: &Settings) -> Settings {
    let files = Difference::between(base, fresh);
    let touched = |node: &NodeId| files.changed.iter().any(|change| change.node == *node);
    let mut result = fresh.clone();
    for node in fresh.nodes() {
        let was = base.has(node.kind, &node.name);
        match (was, live.has(node.kind, &node.name)) {
            // The files say the same of it as when it was removed.
            (true, false) if !touched(&node) => {
                result.remove(node.kind, &node.name);
            }
            (true, true) => {
                for (at, about) in node.kind.abouts().enumerate().filter(|(_, about)| !about.fact) {
                    let by_files = files
                        .changed
                        .iter()
                        .any(|change| change.node == node && change.about.name() == about.name());
                    if !by_files && !OTHER_NAMES.contains(&about.name()) {
                        copy(live, &node, at, about.name(), &mut result);
                    }
                }
            }
            (true, false) | (false, _) => {}
        }
    }
    // What was added live. A handler goes with its server.
    for node in live.nodes() {
        let known = base.has(node.kind, &node.name) || fresh.has(node.kind, &node.name);
        if !known && result.add(node.kind, &node.name) {
            for (at, about) in node.kind.abouts().enumerate().filter(|(_, about)| !about.fact) {
                copy(live, &node, at, about.name(), &mut result);
            }
        }
    }
    #[cfg(feature = "http")]
    for server in &mut result.servers {
        if files.reordered.contains(&server.name) {
            continue;
        }
        let Some(order) = live.servers.iter().find(|other| other.name == server.name) else { continue };
        // Those that are not live yet keep their order behind the others.
        let mut rest = core::mem::take(&mut server.handlers);
        for name in order.handlers.iter().map(|handler| &handler.name) {
            if let Some(at) = rest.iter().position(|handler| handler.name == *name) {
                server.handlers.push(rest.remove(at));
            }
        }
        server.handlers.append(&mut rest);
    }
    result
}

/// Takes a value over. What holds in one configuration can be set in another.
fn copy(from: &Settings, node: &NodeId, attribute: usize, key: &str, to: &mut Settings) {
    let text = printed(from, node, attribute);
    let before = printed(to, node, attribute);
    if text != before {
        let _set = to.set(node.kind, &node.name, key, &text);
    }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests {
    use super::super::kind::NodeKind;
    use super::super::load::tests::good;
    use super::*;

    const BASE: &str =
        "[http:a]\nroot=/a\nlisten=:1\n[handler:a/x]\n[handler:a/y]\n[http:b]\nroot=/b\nlisten=:2\n";

    fn order(settings: &Settings) -> Vec<&str> {
        settings.servers[0].handlers.iter().map(|handler| handler.name.as_str()).collect()
    }

    #[test]
    fn what_the_file_does_not_touch_stays() {
        let base = good(BASE).settings;
        let mut live = base.clone();
        for (kind, name, key, text) in [
            (NodeKind::Http, "a", "read_buffer", "8K"),
            (NodeKind::Http, "a", "write_buffer", "8K"),
            (NodeKind::Http, "a", "listen", ":1,:3"),
            (NodeKind::Http, "b", "hidden", "on"),
            (NodeKind::Handler, "a/x", "match", "/x"),
            (NodeKind::Process, "", "grace", "1s"),
        ] {
            live.set(kind, name, key, text).unwrap();
        }
        // The file changes one of those, and another.
        let text = BASE.replace("root=/a", "root=/a\nwrite_buffer=32K\nspa=on");
        let fresh = good(&text).settings;
        let result = overlay(&base, &live, &fresh);
        let a = &result.servers[0];
        assert_eq!(
            (a.settings.read_buffer.least, a.settings.write_buffer.least, a.settings.spa),
            (13, 15, true)
        );
        assert_eq!(a.listeners.len(), 2);
        assert_eq!(a.handlers[0].settings.r#match, "/x");
        assert!(result.servers[1].settings.hidden);
        assert_eq!(result.process.grace, 1000);
        // A file that says the same changes nothing.
        assert!(overlay(&base, &live, &base) == live);
        // A program that was not changed live is what the file says.
        assert!(overlay(&base, &base, &fresh) == fresh);
    }

    #[test]
    fn nodes_that_came_and_went() {
        let base = good(BASE).settings;
        let mut live = base.clone();
        assert!(live.remove(NodeKind::Http, "b") && live.remove(NodeKind::Handler, "a/x"));
        assert!(live.add(NodeKind::Http, "c") && live.add(NodeKind::Handler, "a/z"));
        live.set(NodeKind::Http, "c", "root", "/c").unwrap();
        assert!(overlay(&base, &live, &base) == live);
        // A new server of the file comes before the one that was added live.
        let fresh = good(&[BASE, "[http:d]\nroot=/d\nlisten=:4\n"].concat()).settings;
        let result = overlay(&base, &live, &fresh);
        let names: Vec<&str> = result.servers.iter().map(|server| server.name.as_str()).collect();
        assert_eq!(names, ["a", "d", "c"]);
        assert_eq!(order(&result), ["y", "z"]);
        // What the file changes is there again.
        let fresh = good(&BASE.replace("root=/b", "root=/b2")).settings;
        let result = overlay(&base, &live, &fresh);
        assert_eq!(result.servers[1].settings.root, b"/b2");
        // With its server goes what was added to it.
        let fresh = good("[http:b]\nroot=/b\nlisten=:2\n").settings;
        let result = overlay(&base, &live, &fresh);
        let names: Vec<&str> = result.servers.iter().map(|server| server.name.as_str()).collect();
        assert_eq!(names, ["c"]);
    }

    #[test]
    fn handlers_keep_the_order_of_the_last_who_chose_it() {
        let base = good(&BASE.replace("[http:b]", "[handler:a/z]\n[http:b]")).settings;
        let mut live = base.clone();
        live.servers[0].handlers.reverse();
        assert_eq!(order(&overlay(&base, &live, &base)), ["z", "y", "x"]);
        let mut fresh = base.clone();
        fresh.servers[0].handlers.rotate_left(1);
        assert_eq!(order(&overlay(&base, &live, &fresh)), ["y", "z", "x"]);
    }
}
