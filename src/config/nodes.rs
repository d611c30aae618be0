//! The nodes of [`Settings`], by kind and name: what is the same for all of them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::kind::NodeKind;
#[cfg(feature = "monitor")]
use super::settings::MonitorServer;
use super::settings::Settings;
#[cfg(feature = "http")]
use super::settings::{HandlerNode, HttpServer};
use crate::cli::process::GORGON;
#[cfg(feature = "http")]
use crate::http::settings::HTTP;
#[cfg(feature = "http")]
use crate::http::settings::handler::HANDLER;
#[cfg(feature = "monitor")]
use crate::monitor::settings::MONITOR;
#[cfg(feature = "http")]
use crate::text::join::joined;
use crate::tree::{Problem, Value};

/// Names a node.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct NodeId {
    /// Its kind.
    pub kind: NodeKind,
    /// Its name; empty for the process, `SERVER/NAME` for a handler.
    pub name: String,
}

impl NodeId {
    /// The node of that kind and name.
    #[must_use]
    pub fn new(kind: NodeKind, name: &str) -> NodeId {
        NodeId { kind, name: name.to_owned() }
    }
}

impl Settings {
    /// All nodes, in order: the process, the monitors, and each server with its handlers.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeId> {
        #[allow(unused_mut)] // A build without protocols has no more.
        let mut all = Vec::from([NodeId::new(NodeKind::Process, "")]);
        #[cfg(feature = "monitor")]
        all.extend(self.monitors.iter().map(|monitor| NodeId::new(NodeKind::Monitor, &monitor.name)));
        #[cfg(feature = "http")]
        for server in &self.servers {
            all.push(NodeId::new(NodeKind::Http, &server.name));
            for handler in &server.handlers {
                all.push(NodeId::new(NodeKind::Handler, &joined(&[&server.name, "/", &handler.name])));
            }
        }
        all
    }

    /// Whether there is a node of that kind and name.
    #[must_use]
    pub fn has(&self, kind: NodeKind, name: &str) -> bool {
        self.value(kind, name, 0).is_some()
    }

    /// The value of a node's attribute, by its place among those of the kind. Nothing: there is none.
    #[must_use]
    pub fn value(&self, kind: NodeKind, name: &str, attribute: usize) -> Option<Value> {
        // A build without protocols has one node.
        let _ = name;
        match kind {
            #[cfg(feature = "http")]
            NodeKind::Http => {
                let attribute = HTTP.attributes.get(attribute)?;
                Some((attribute.get)(&self.server(name)?.settings))
            }
            #[cfg(feature = "http")]
            NodeKind::Handler => {
                let attribute = HANDLER.attributes.get(attribute)?;
                Some((attribute.get)(&self.handler(name)?.settings))
            }
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => {
                let attribute = MONITOR.attributes.get(attribute)?;
                let monitor = self.monitors.iter().find(|monitor| monitor.name == name)?;
                Some((attribute.get)(&monitor.settings))
            }
            NodeKind::Process => Some((GORGON.attributes.get(attribute)?.get)(&self.process)),
        }
    }

    /// Sets an attribute of a node from text. Rules are read anew.
    ///
    /// # Errors
    /// There is no such node or attribute, or it is no value for it.
    pub fn set(&mut self, kind: NodeKind, name: &str, key: &str, text: &str) -> Result<(), Problem> {
        let _ = name;
        #[cfg(any(feature = "http", feature = "monitor"))]
        let missing = || Problem::new(&super::source::section(kind, name), "no such node");
        match kind {
            #[cfg(feature = "http")]
            NodeKind::Http => {
                let server =
                    self.servers.iter_mut().find(|server| server.name == name).ok_or_else(missing)?;
                HTTP.set_text(&mut server.settings, key, text)?;
                server.read_rules();
                Ok(())
            }
            #[cfg(feature = "http")]
            NodeKind::Handler => {
                let (server, own) = name.split_once('/').unwrap_or_default();
                let server =
                    self.servers.iter_mut().find(|known| known.name == server).ok_or_else(missing)?;
                let handler = server.handlers.iter_mut().find(|handler| handler.name == own);
                HANDLER.set_text(&mut handler.ok_or_else(missing)?.settings, key, text)
            }
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => {
                let monitor = self.monitors.iter_mut().find(|monitor| monitor.name == name);
                let monitor = monitor.ok_or_else(missing)?;
                MONITOR.set_text(&mut monitor.settings, key, text)?;
                monitor.read_rules();
                Ok(())
            }
            NodeKind::Process => GORGON.set_text(&mut self.process, key, text),
        }
    }

    /// Adds a node with the defaults of its kind, after the others. Says whether it did: a handler wants its server, and
    /// no two have one name.
    pub fn add(&mut self, kind: NodeKind, name: &str) -> bool {
        let new = !self.has(kind, name);
        match kind {
            _ if !new => {}
            #[cfg(feature = "http")]
            NodeKind::Http => self.servers.push(HttpServer::new(name, Default::default())),
            #[cfg(feature = "http")]
            NodeKind::Handler => {
                let Some((server, own)) = name.split_once('/') else { return false };
                let Some(server) = self.servers.iter_mut().find(|known| known.name == server) else {
                    return false;
                };
                server.handlers.push(HandlerNode { name: own.to_owned(), settings: Default::default() });
            }
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => self.monitors.push(MonitorServer::new(name, Default::default())),
            NodeKind::Process => {}
        }
        new
    }

    /// Removes a node; a server with its handlers. Says whether it was there; the process always is, and stays.
    pub fn remove(&mut self, kind: NodeKind, name: &str) -> bool {
        let there = self.has(kind, name);
        match kind {
            #[cfg(feature = "http")]
            NodeKind::Http => self.servers.retain(|server| server.name != name),
            #[cfg(feature = "http")]
            NodeKind::Handler => {
                let (server, own) = name.split_once('/').unwrap_or_default();
                for known in self.servers.iter_mut().filter(|known| known.name == server) {
                    known.handlers.retain(|handler| handler.name != own);
                }
            }
            #[cfg(feature = "monitor")]
            NodeKind::Monitor => self.monitors.retain(|monitor| monitor.name != name),
            NodeKind::Process => {}
        }
        there
    }

    #[cfg(feature = "http")]
    fn server(&self, name: &str) -> Option<&HttpServer> {
        self.servers.iter().find(|server| server.name == name)
    }

    #[cfg(feature = "http")]
    fn handler(&self, name: &str) -> Option<&HandlerNode> {
        let (server, own) = name.split_once('/')?;
        self.server(server)?.handler(own)
    }
}
