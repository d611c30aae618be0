//! What the services tell of their nodes. A service tells all of it at once, so it is asked once for all that is read
//! in one call: a report on a thousand handlers would otherwise have a thousand of them told for each value.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::tree::{About, Path, Value};

/// What has been told, as long as nothing has happened since: it holds for one call of the tree, and no longer.
#[derive(Default)]
pub(super) struct Told {
    services: Vec<(u8, Nodes)>,
}

/// The nodes of one service.
#[derive(Default)]
pub(super) struct Nodes {
    /// As they were told.
    nodes: Vec<Node>,
    /// Their places, by kind and name.
    order: Vec<usize>,
}

/// One node.
struct Node {
    kind: String,
    name: String,
    facts: Vec<(&'static str, Value)>,
}

/// A service's own tale, for a place to put each fact.
type Ask<'a> = &'a dyn Fn(u8, &mut dyn FnMut(&Path<'_>, &'static About, Value));

impl Told {
    /// What a service tells, which is asked by `ask` if it was not yet.
    pub(super) fn of(&mut self, service: u8, ask: Ask<'_>) -> Option<&Nodes> {
        if !self.services.iter().any(|(known, _)| *known == service) {
            let mut nodes = Nodes::default();
            ask(service, &mut |path, about, value| nodes.take(path, about, value));
            self.services.push((service, nodes));
        }
        self.services.iter().find(|(known, _)| *known == service).map(|(_, nodes)| nodes)
    }

    /// Something may be otherwise now.
    pub(super) fn forget(&mut self) {
        self.services.clear();
    }
}

impl Nodes {
    fn take(&mut self, path: &Path<'_>, about: &'static About, value: Value) {
        // Those of one node come together.
        let same = self.nodes.last().is_some_and(|last| last.kind == path.kind && last.name == path.name);
        if !same {
            let at = self.place(path.kind, path.name);
            self.order.insert(at, self.nodes.len());
            let (kind, name) = (path.kind.to_owned(), path.name.to_owned());
            self.nodes.push(Node { kind, name, facts: Vec::new() });
        }
        if let Some(last) = self.nodes.last_mut() {
            last.facts.push((about.name(), value));
        }
    }

    /// The place behind a node of that name in the order.
    fn place(&self, kind: &str, name: &str) -> usize {
        self.order.partition_point(|&at| {
            self.nodes.get(at).is_some_and(|node| (&*node.kind, &*node.name) <= (kind, name))
        })
    }

    fn find(&self, kind: &str, name: &str) -> Option<&Node> {
        let at = self.order.get(self.place(kind, name).checked_sub(1)?)?;
        self.nodes.get(*at).filter(|node| node.kind == kind && node.name == name)
    }

    /// Whether the service has a node.
    pub(super) fn has(&self, kind: &str, name: &str) -> bool {
        self.find(kind, name).is_some()
    }

    /// A fact of a node; nothing where the service tells nothing.
    pub(super) fn value(&self, kind: &str, name: &str, key: &str) -> Value {
        let facts = self.find(kind, name).map(|node| node.facts.as_slice()).unwrap_or_default();
        let found = facts.iter().rev().find(|(known, _)| *known == key);
        found.map_or(Value::Nothing, |(_, value)| value.clone())
    }

    /// The names of the nodes of a kind, as they were told.
    pub(super) fn names(&self, kind: &str) -> impl Iterator<Item = &str> {
        self.nodes.iter().filter(move |node| node.kind == kind).map(|node| node.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::settings::handler::HANDLER;
    use core::cell::Cell;

    #[test]
    fn a_service_is_asked_once() {
        let (one, two) = (&HANDLER.attributes[0].about, &HANDLER.attributes[1].about);
        let asked = Cell::new(0);
        let ask = |service: u8, out: &mut dyn FnMut(&Path<'_>, &'static About, Value)| {
            asked.set(asked.get() + 1);
            if service == 1 {
                return;
            }
            out(&Path { kind: "http", name: "" }, one, Value::Count(7));
            for number in [5_u64, 3, 9, 0] {
                let name = number.to_string();
                out(&Path { kind: "handler", name: &name }, one, Value::Count(number));
                out(&Path { kind: "handler", name: &name }, two, Value::Count(number * 10));
            }
            out(&Path { kind: "cache", name: "5" }, one, Value::Count(50));
        };
        let mut told = Told::default();
        for _ in 0..3 {
            for number in [0_u64, 3, 5, 9] {
                let nodes = told.of(0, &ask).unwrap();
                let name = number.to_string();
                assert!(nodes.has("handler", &name));
                assert_eq!(nodes.value("handler", &name, one.name()), Value::Count(number));
                assert_eq!(nodes.value("handler", &name, two.name()), Value::Count(number * 10));
            }
            let nodes = told.of(0, &ask).unwrap();
            assert_eq!(nodes.names("handler").collect::<Vec<_>>(), ["5", "3", "9", "0"]);
            assert_eq!(nodes.names("cache").collect::<Vec<_>>(), ["5"]);
            assert_eq!(nodes.value("http", "", one.name()), Value::Count(7));
            assert_eq!(nodes.value("cache", "5", one.name()), Value::Count(50));
            assert_eq!(nodes.value("cache", "5", two.name()), Value::Nothing);
            assert!(!nodes.has("cache", "3") && !nodes.has("handler", "") && !nodes.has("z", "5"));
            assert_eq!(told.of(1, &ask).unwrap().names("handler").count(), 0);
        }
        assert_eq!(asked.get(), 2);
        told.forget();
        assert!(told.of(0, &ask).is_some());
        assert_eq!(asked.get(), 3);
    }
}
