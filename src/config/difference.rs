//! What differs between two configurations: what a reload has to do, and what `gorgon diff` shows.

use alloc::string::String;
use alloc::vec::Vec;

#[cfg(feature = "http")]
use super::kind::NodeKind;
use super::nodes::NodeId;
use super::settings::Settings;
use super::source::section;
use crate::text::join::{joined, push_all};
use crate::tree::About;

/// What differs.
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub struct Difference {
    /// Nodes that are only in the new one, in its order.
    pub added: Vec<NodeId>,
    /// Nodes that are only in the old one, in its order.
    pub removed: Vec<NodeId>,
    /// Values of nodes that are in both.
    pub changed: Vec<Change>,
    /// Servers whose handlers, as far as they are in both, are asked in another order.
    pub reordered: Vec<String>,
}

/// A value that differs.
pub struct Change {
    /// The node.
    pub node: NodeId,
    /// The attribute.
    pub about: &'static About,
    /// Its value in the old one.
    pub old: String,
    /// Its value in the new one.
    pub new: String,
}

#[cfg(test)]
impl core::fmt::Debug for Change {
    fn fmt(&self, out: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(out, "{:?} {}: {} -> {}", self.node, self.about.name(), self.old, self.new)
    }
}

#[cfg(test)]
impl PartialEq for Change {
    fn eq(&self, other: &Change) -> bool {
        let all = |change: &Change| (change.about.name(), change.old.clone(), change.new.clone());
        self.node == other.node && all(self) == all(other)
    }
}

impl Difference {
    /// What differs between `old` and `new`.
    #[must_use]
    pub fn between(old: &Settings, new: &Settings) -> Difference {
        let mut difference = Difference::default();
        for node in old.nodes() {
            if !new.has(node.kind, &node.name) {
                difference.removed.push(node);
            }
        }
        for node in new.nodes() {
            if !old.has(node.kind, &node.name) {
                difference.added.push(node);
                continue;
            }
            for (at, about) in node.kind.abouts().enumerate().filter(|(_, about)| !about.fact) {
                let text = |settings: &Settings| printed(settings, &node, at);
                let (old, new) = (text(old), text(new));
                if old != new {
                    difference.changed.push(Change { node: node.clone(), about, old, new });
                }
            }
        }
        #[cfg(feature = "http")]
        for server in &new.servers {
            if handlers(new, old, &server.name) != handlers(old, new, &server.name) {
                difference.reordered.push(server.name.clone());
            }
        }
        difference
    }

    /// Whether nothing differs.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.added.is_empty()
            && self.removed.is_empty()
            && self.changed.is_empty()
            && self.reordered.is_empty()
    }

    /// Lines for people: what is less, what is more with its values, what is another. `new` is what was compared with.
    #[must_use]
    pub fn print(&self, new: &Settings) -> String {
        let mut out = String::new();
        let name = |node: &NodeId| joined(&["[", &section(node.kind, &node.name), "]"]);
        for node in &self.removed {
            push_all(&mut out, &["- ", &name(node), "\n"]);
        }
        for node in &self.added {
            push_all(&mut out, &["+ ", &name(node), "\n"]);
            for (at, about) in node.kind.abouts().enumerate().filter(|(_, about)| !about.fact) {
                let text = printed(new, node, at);
                if !is_default(about, &text) {
                    push_all(&mut out, &["+ ", &name(node), " ", about.name(), ": ", &text, "\n"]);
                }
            }
        }
        for Change { node, about, old, new } in &self.changed {
            let shown = |text: &str| if text.is_empty() { String::from("[]") } else { String::from(text) };
            push_all(
                &mut out,
                &["~ ", &name(node), " ", about.name(), ": ", &shown(old), " -> ", &shown(new), "\n"],
            );
        }
        for server in &self.reordered {
            push_all(&mut out, &["~ [http:", server, "] order of its handlers\n"]);
        }
        out
    }
}

/// A value as text; nothing where there is none.
pub(super) fn printed(settings: &Settings, node: &NodeId, attribute: usize) -> String {
    let mut text = String::new();
    if let Some(value) = settings.value(node.kind, &node.name, attribute) {
        value.print(&mut text);
    }
    text
}

/// Whether a printed value is what the attribute has by default.
fn is_default(about: &About, text: &str) -> bool {
    let mut default = String::new();
    if let Ok(value) = about.unit.parse(about.default()) {
        value.print(&mut default);
    }
    default == text
}

/// The handlers of a server, in their order, that are in the other configuration too.
#[cfg(feature = "http")]
fn handlers<'a>(settings: &'a Settings, other: &Settings, server: &str) -> Vec<&'a str> {
    let found = settings.servers.iter().find(|known| known.name == server);
    let mut names = Vec::new();
    for handler in found.map_or(&[][..], |found| &found.handlers) {
        let name = handler.name.as_str();
        if other.has(NodeKind::Handler, &joined(&[server, "/", name])) {
            names.push(name);
        }
    }
    names
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests {
    use super::super::load::tests::good;
    use super::*;

    fn told(old: &str, new: &str) -> String {
        let (old, new) = (good(old).settings, good(new).settings);
        let difference = Difference::between(&old, &new);
        assert_eq!(difference.is_empty(), old == new);
        difference.print(&new)
    }

    #[test]
    fn tells_what_is_more_less_and_other() {
        let old =
            "[http:a]\nroot=/\nlisten=:1\n[handler:a/x]\n[handler:a/y]\n[handler:a/z]\n[http:b]\nroot=/\n";
        assert_eq!(told(old, old), "");
        // The same value in other words.
        assert_eq!(told(old, &old.replace("listen=:1", "listen=:1\nread_buffer=4096\nhidden=no")), "");
        assert_eq!(
            told(old, &old.replace("listen=:1", "listen=:1,:2\nhidden=on")),
            "~ [http:a] listen: :1 -> :1,:2\n~ [http:a] hidden: off -> on\n"
        );
        assert_eq!(
            told(&old.replace("[http:b]\n", "[http:b]\nupload=u\n"), old),
            "~ [http:b] upload: u -> []\n"
        );
        assert_eq!(
            told(
                old,
                &old.replace("[handler:a/x]\n[handler:a/y]\n", "[handler:a/w]\nmatch=/w\n[handler:a/y]\n")
            ),
            "- [handler:a/x]\n+ [handler:a/w]\n+ [handler:a/w] match: /w\n"
        );
        let moved = old.replace("[handler:a/x]\n[handler:a/y]\n", "[handler:a/y]\n[handler:a/x]\n");
        assert_eq!(told(old, &moved), "~ [http:a] order of its handlers\n");
        assert_eq!(
            told(old, "[monitor:m]\n[http:c]\nroot=/c\nlisten=:1\n"),
            "- [monitor:main]\n- [http:a]\n- [handler:a/x]\n- [handler:a/y]\n- [handler:a/z]\n- [http:b]\n\
             + [monitor:m]\n+ [http:c]\n+ [http:c] listen: :1\n+ [http:c] root: /c\n"
        );
    }
}
