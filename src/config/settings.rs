//! The settings of every node of the program. To change the configuration is to make new ones and to apply what differs.

#[cfg(any(feature = "http", feature = "monitor"))]
use alloc::string::String;
#[cfg(any(feature = "http", feature = "monitor"))]
use alloc::vec::Vec;
#[cfg(feature = "http")]
use core::cell::Cell;

use super::difference::Difference;
use crate::cli::process::ProcessSettings;
#[cfg(feature = "http")]
use crate::http::settings::HttpSettings;
#[cfg(feature = "http")]
use crate::http::settings::handler::HandlerSettings;
#[cfg(feature = "monitor")]
use crate::monitor::settings::MonitorSettings;
#[cfg(feature = "http")]
use crate::tree::rule::ClientRule;
#[cfg(any(feature = "http", feature = "monitor"))]
use crate::tree::rule::ListenRule;

/// Everything that was set, and the defaults of the rest.
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Settings {
    /// Of the process.
    pub process: ProcessSettings,
    /// The HTTP servers, in the order of the file.
    #[cfg(feature = "http")]
    pub servers: Vec<HttpServer>,
    /// The monitors, in the order of the file.
    #[cfg(feature = "monitor")]
    pub monitors: Vec<MonitorServer>,
}

/// By the tables of their attributes, which are a tenth of the code of comparing every field.
impl PartialEq for Settings {
    fn eq(&self, other: &Settings) -> bool {
        self.nodes() == other.nodes() && Difference::between(self, other).is_empty()
    }
}

/// One HTTP server.
#[cfg(feature = "http")]
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub struct HttpServer {
    /// Its name: that of node `/http/NAME`.
    pub name: String,
    /// Its attributes.
    pub settings: HttpSettings,
    /// The rules of its attribute `listen`, read; at least one.
    pub listeners: Vec<ListenRule>,
    /// The rules of its attribute `clients`, read.
    pub clients: Vec<ClientRule>,
    /// Its handlers, in the order in which they are asked.
    pub handlers: Vec<HandlerNode>,
    last: Last,
}

/// Where the handler was that was found last. It is no part of what the server is.
#[cfg(feature = "http")]
#[derive(Clone, Default)]
#[cfg_attr(test, derive(Debug))]
struct Last(Cell<usize>);

#[cfg(feature = "http")]
impl PartialEq for Last {
    fn eq(&self, _: &Last) -> bool {
        true
    }
}

/// One handler of an HTTP server.
#[cfg(feature = "http")]
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub struct HandlerNode {
    /// Its name within the server: that of node `/handler/SERVER/NAME`.
    pub name: String,
    /// Its attributes.
    pub settings: HandlerSettings,
}

/// One monitor.
#[cfg(feature = "monitor")]
#[derive(Clone, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub struct MonitorServer {
    /// Its name: that of node `/monitor/NAME`.
    pub name: String,
    /// Its attributes.
    pub settings: MonitorSettings,
    /// The rules of its attribute `listen`, read; none for the default socket.
    pub listeners: Vec<ListenRule>,
}

#[cfg(feature = "http")]
impl HttpServer {
    /// A server of that name and those attributes, without handlers.
    #[must_use]
    pub fn new(name: &str, settings: HttpSettings) -> HttpServer {
        let mut server = HttpServer {
            name: String::from(name),
            settings,
            listeners: Vec::new(),
            clients: Vec::new(),
            handlers: Vec::new(),
            last: Last::default(),
        };
        server.read_rules();
        server
    }

    /// The handler of a name. Who asks for one after the other, or for the same again, finds each at once: to compare
    /// servers of a thousand handlers would otherwise take a million looks for each attribute.
    #[must_use]
    pub fn handler(&self, name: &str) -> Option<&HandlerNode> {
        let last = self.last.0.get();
        let is = |at: &usize| self.handlers.get(*at).is_some_and(|handler| handler.name == name);
        let near = [last, last.saturating_add(1)].into_iter().find(is);
        let at = near.or_else(|| self.handlers.iter().position(|handler| handler.name == name))?;
        self.last.0.set(at);
        self.handlers.get(at)
    }

    /// Reads the rules of the attributes anew, after these have changed.
    pub fn read_rules(&mut self) {
        self.listeners = read_listeners(&self.settings.listen);
        // Wrong rules are refused when they are set, so none is lost.
        self.clients.clear();
        for text in &self.settings.clients {
            self.clients.extend(ClientRule::parse(text));
        }
    }
}

#[cfg(feature = "monitor")]
impl MonitorServer {
    /// A monitor of that name and those attributes.
    #[must_use]
    pub fn new(name: &str, settings: MonitorSettings) -> MonitorServer {
        let listeners = read_listeners(&settings.listen);
        MonitorServer { name: String::from(name), settings, listeners }
    }

    /// Reads the rules of the attributes anew, after these have changed.
    pub fn read_rules(&mut self) {
        self.listeners = read_listeners(&self.settings.listen);
    }
}

/// Wrong rules are refused when they are set, so none is lost.
#[cfg(any(feature = "http", feature = "monitor"))]
fn read_listeners(texts: &[String]) -> Vec<ListenRule> {
    let mut rules = Vec::new();
    for text in texts {
        rules.extend(ListenRule::parse(text));
    }
    rules
}

#[cfg(test)]
#[cfg(feature = "http")]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_found_wherever_one_was_found_last() {
        let mut server = HttpServer::new("main", HttpSettings::default());
        for name in ["a", "b", "c", "d"] {
            server.handlers.push(HandlerNode { name: name.into(), settings: HandlerSettings::default() });
        }
        let other = server.clone();
        for names in ["abcd", "dcba", "aabbd", "xaxd"] {
            for name in names.chars().map(String::from) {
                assert_eq!(server.handler(&name).map(|found| &*found.name), (name != "x").then_some(&*name));
            }
        }
        assert!(server == other, "where one was found is no difference");
        server.handlers.truncate(1);
        assert!(server.handler("d").is_none());
        assert!(server.handler("a").is_some());
    }
}
