//! The settings of every node of the program. To change the configuration is to make new ones and to apply what differs.

#[cfg(any(feature = "http", feature = "monitor"))]
use alloc::string::String;
#[cfg(any(feature = "http", feature = "monitor"))]
use alloc::vec::Vec;

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
        };
        server.read_rules();
        server
    }

    /// Reads the rules of the attributes anew, after these have changed.
    pub fn read_rules(&mut self) {
        self.listeners = read_listeners(&self.settings.listen);
        // Wrong rules are refused when they are set, so none is lost.
        self.clients = self.settings.clients.iter().filter_map(|text| ClientRule::parse(text).ok()).collect();
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
    texts.iter().filter_map(|text| ListenRule::parse(text).ok()).collect()
}
