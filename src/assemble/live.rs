//! The tree over the running program: every node that the monitor, the status page and the metrics see.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::process_id;

use super::configured::Configured;
use super::listeners::display;
#[cfg(feature = "monitor")]
use super::nodes::MONITOR_FACTS;
use super::nodes::{
    CONFIG, ConfigFacts, LISTENER, LOG, ListenerFacts, LogFacts, PROCESS, ProcessFacts, SERVICE,
};
use super::notify::{FINISHING, Notifier};
use super::running::Running;
use super::schemas::{self, ALL};
use super::sockets::Bound;
use super::standing::standing;
use super::steps::{edit_part, part};
use super::told::{Nodes, Told};
use crate::cli::process::GORGON;
use crate::config::check::check;
use crate::config::difference::Difference;
use crate::config::edit::REVERT;
use crate::config::settings::{HttpServer, Settings};
use crate::engine::connection::CONNECTION;
use crate::engine::facts::{DESCRIPTORS, LOOP, MEMORY};
use crate::engine::values::ConnId;
use crate::engine::{Loop, Reactor};
use crate::http::facts::HTTP_FACTS;
use crate::http::settings::HTTP;
use crate::http::settings::handler::HANDLER;
#[cfg(feature = "monitor")]
use crate::monitor::{service::MonitorService, settings::MONITOR};
use crate::text::join::joined;
use crate::tree::rule::of_rule;
use crate::tree::{Actor, Code, Kind, Method, Path, Schema, Step, Tree, Trouble, Value};
use crate::world::World;

/// What the paths of connections begin with.
pub(super) const CONNECTIONS: &str = "/connection/";
/// What the monitor of a listener or a connection is called by, before its name.
const MONITOR_FRONT: &str = "monitor:";
/// Connections that are named in one call.
const SLICE: usize = 256;

/// The tree.
pub(super) struct Live<'a, 'c> {
    pub(super) reactor: &'a mut Reactor<World>,
    pub(super) running: &'a mut Running,
    pub(super) configured: &'a mut Configured<'c>,
    pub(super) notifier: &'a mut Notifier,
    pub(super) told: Told,
}

/// The value of a table's attribute.
fn value<T>(kind: &'static Kind<T>, attribute: usize, of: &T) -> Option<Value> {
    kind.attributes.get(attribute).map(|attribute| (attribute.get)(of))
}

impl Live<'_, '_> {
    /// The service of a server.
    fn service_of(&self, server: &str) -> Option<u8> {
        self.running.servers.iter().find(|running| running.name == server).map(|running| running.service)
    }

    /// The name of the server or monitor that a service is.
    fn name_of(&self, service: u8) -> Option<&str> {
        let server = self.running.servers.iter().find(|running| running.service == service);
        let leaving = || self.running.leaving.iter().find(|leaving| leaving.service == service);
        let name = server.map(|server| &*server.name).or_else(|| leaving().map(|leaving| &*leaving.name));
        #[cfg(feature = "monitor")]
        let name = name.or_else(|| {
            let monitor = self.running.monitors.iter().find(|running| running.service == service);
            monitor.map(|monitor| &*monitor.shown)
        });
        name
    }

    /// What a service tells of its nodes.
    fn told(&mut self, service: u8) -> Option<&Nodes> {
        let reactor = &*self.reactor;
        self.told.of(service, &|service, out| reactor.inspect(service, out))
    }

    /// The sockets, with the names of those they belong to and their rules.
    fn sockets(&self) -> Vec<(&str, &Bound)> {
        let bound = self.running.bound.iter();
        bound.filter_map(|bound| Some((self.name_of(bound.service)?, bound))).collect()
    }

    fn listener(&mut self, name: &str) -> Option<ListenerFacts> {
        let (server, bound, id) = self.sockets().iter().find_map(|&(server, bound)| {
            let socket = bound.sockets.iter().find(|(_, address)| display(address) == name)?;
            Some((server.to_owned(), bound.rule.text.clone(), socket.0))
        })?;
        let listener = self.reactor.lp().listener(id)?;
        Some(ListenerFacts {
            buffers: (!server.starts_with(MONITOR_FRONT)).then(|| listener.buffers()),
            server,
            rule: bound,
            accepted: listener.accepted(),
            paused: listener.is_paused(),
        })
    }

    fn connection(&mut self, id: ConnId, attribute: usize) -> Option<Value> {
        let lp = self.reactor.lp();
        let service = lp.service_of(id)?;
        match (attribute, attribute.checked_sub(1).and_then(|at| CONNECTION.get(at))) {
            (0, _) => Some(self.name_of(service).map_or(Value::Nothing, |name| Value::Text(name.to_owned()))),
            (_, Some(fact)) => Some((fact.get)(self.reactor.lp(), id)),
            (_, None) => {
                let wanted = schemas::DESCRIBED.get(attribute - 1 - CONNECTION.len())?.name();
                let mut found = Value::Nothing;
                self.reactor.describe(id, &mut |word, value| {
                    if word == wanted || (wanted == "login" && word == "user") {
                        found = value;
                    }
                });
                Some(found)
            }
        }
    }

    fn process(&mut self) -> ProcessFacts {
        let running = &self.running;
        let (user, rights) = (running.user.clone(), running.rights.clone());
        let lp = self.reactor.lp();
        ProcessFacts {
            pid: process_id().into(),
            uptime: lp.now().milliseconds,
            user,
            rights,
            poller: lp.poller().name(),
            state: if lp.is_draining() { "draining" } else { "serving" },
        }
    }

    #[cfg(feature = "monitor")]
    fn monitor(&mut self, name: &str, attribute: usize) -> Option<Value> {
        let monitor = self.running.settings.monitors.iter().find(|monitor| monitor.name == name)?;
        if let Some(value) = value(&MONITOR, attribute, &monitor.settings) {
            return Some(value);
        }
        // One that is turned off has no service.
        let running = self.running.monitors.iter().find(|running| running.name == name);
        let service = running.and_then(|running| self.reactor.service(running.service));
        let service = service.and_then(|service| service.as_any());
        let counters = service.and_then(|any| any.downcast_mut::<MonitorService>()).map(|own| own.counters());
        let facts = counters.unwrap_or_default();
        value(&MONITOR_FACTS, attribute - MONITOR.attributes.len(), &facts)
    }

    fn config(&mut self, attribute: usize) -> ConfigFacts {
        // All settings are compared for that one alone.
        let counts = CONFIG.attributes.get(attribute).is_some_and(|fact| fact.about.name() == "changed");
        let now = self.reactor.lp().now().milliseconds;
        let configured = &self.configured;
        ConfigFacts {
            file: configured.path().to_owned(),
            changed: if counts { configured.count_changed(&self.running.settings) } else { 0 },
            loaded: now.saturating_sub(configured.loaded),
            reloads: configured.reloads,
            failures: configured.failures,
            last_failure: configured.last_failure.clone(),
        }
    }

    fn log(&mut self) -> LogFacts {
        let world = self.reactor.world();
        let (logs, dropped) = world.count_logs();
        LogFacts { events: world.events.count(), logs, dropped }
    }

    /// Sets something of a connection.
    fn set_connection(&mut self, name: &str, key: &str, text: &str) -> Result<(), Box<Trouble>> {
        let missing = || Trouble::new(Code::Missing, &["/connection/", name, ": no such node"]);
        let id = self.reactor.lp().find_connection(name).ok_or_else(missing)?;
        let place = joined(&["/connection/", name, ".", key]);
        let Some(fact) = CONNECTION.iter().find(|fact| fact.about.name() == key) else {
            return Err(Trouble::new(Code::Unknown, &[&place, ": no such setting"]));
        };
        if fact.about.fact {
            return Err(Trouble::new(Code::Invalid, &[&place, ": tells what is, and is not set"]));
        }
        let value = match fact.about.unit.parse(text) {
            Ok(value) => value,
            // A range is no size, and means something here all the same.
            Err(_) if text.starts_with("auto") => Value::Text(text.to_owned()),
            Err(message) => return Err(Trouble::new(Code::Invalid, &[&place, ": ", &message])),
        };
        self.reactor
            .lp()
            .set_connection(id, key, value)
            .map_err(|trouble| Trouble::new(trouble.code, &[&place, ": ", &trouble.message]))
    }
}

impl Tree for Live<'_, '_> {
    fn schemas(&self) -> &'static [Schema] {
        ALL
    }

    fn names(&mut self, schema: &'static Schema, from: u64, visit: &mut dyn FnMut(&str)) -> Option<u64> {
        match schema.name {
            "connection" => {
                let mut name = String::new();
                return self.reactor.lp().connections_from(from, SLICE, &mut |_: &Loop, id| {
                    name.clear();
                    id.print(&mut name);
                    visit(&name);
                });
            }
            "http" => self.running.settings.servers.iter().for_each(|server| visit(&server.name)),
            #[cfg(feature = "monitor")]
            "monitor" => self.running.settings.monitors.iter().for_each(|monitor| visit(&monitor.name)),
            "listener" => {
                for (_, bound) in self.sockets() {
                    bound.sockets.iter().for_each(|(_, address)| visit(&display(address)));
                }
            }
            "handler" | "cache" => {
                for server in &self.running.settings.servers {
                    let service = self.service_of(&server.name);
                    let mut each = |name: &str| visit(&joined(&[&server.name, "/", name]));
                    match service {
                        Some(service) => {
                            let reactor = &*self.reactor;
                            let told = self.told.of(service, &|service, out| reactor.inspect(service, out));
                            told.into_iter().flat_map(|told| told.names(schema.name)).for_each(each);
                        }
                        None if schema.name == "handler" => {
                            server.handlers.iter().for_each(|handler| each(&handler.name));
                        }
                        None => {}
                    }
                    // Turned off, the server's own files are asked nothing, but can be turned on.
                    if schema.name == "handler" && has_files(server) {
                        visit(&joined(&[&server.name, "/files"]));
                    }
                }
            }
            _ => visit(""),
        }
        None
    }

    fn get(&mut self, path: &Path<'_>, attribute: usize) -> Option<Value> {
        match path.kind {
            "process" => value(&PROCESS, attribute, &self.process()),
            "gorgon" => value(&GORGON, attribute, &self.running.settings.process),
            "loop" => value(&LOOP, attribute, &self.reactor.lp().loop_facts()),
            "descriptors" => value(&DESCRIPTORS, attribute, &self.reactor.lp().descriptor_facts()),
            "memory" => value(&MEMORY, attribute, &self.reactor.lp().memory_facts()),
            "config" => value(&CONFIG, attribute, &self.config(attribute)),
            "log" => value(&LOG, attribute, &self.log()),
            "connection" => {
                let id = self.reactor.lp().find_connection(path.name)?;
                self.connection(id, attribute)
            }
            "listener" => value(&LISTENER, attribute, &self.listener(path.name)?),
            "http" => {
                let server = self.running.settings.servers.iter().find(|server| server.name == path.name)?;
                if let Some(value) = value(&HTTP, attribute, &server.settings) {
                    return Some(value);
                }
                let service = self.service_of(path.name).or_else(|| self.running.draining(path.name));
                let counters = service.and_then(|service| self.reactor.lp().service_counters(service));
                let at = attribute - HTTP.attributes.len();
                if let Some(about) = SERVICE.attributes.get(at) {
                    let stopped = about.about.name() == "state";
                    let none = if stopped { Value::Choice("stopped") } else { Value::Nothing };
                    return Some(counters.map_or(none, |counters| (about.get)(&counters)));
                }
                let key = HTTP_FACTS.attributes.get(at - SERVICE.attributes.len())?.about.name();
                let told = service.and_then(|service| self.told(service));
                Some(told.map_or(Value::Nothing, |told| told.value("http", "", key)))
            }
            "handler" | "cache" => {
                let (server, name) = path.name.split_once('/')?;
                let told = self.service_of(server).and_then(|service| self.told(service));
                let known = told.is_some_and(|told| told.has(path.kind, name));
                if let Some(key) = schemas::told(path.kind, attribute).filter(|_| known) {
                    return told.map(|told| told.value(path.kind, name, key));
                }
                let settings = self.running.settings.servers.iter().find(|other| other.name == server)?;
                let handler = settings.handler(name);
                let own = name == "files" && path.kind == "handler";
                if !known && !own && (path.kind == "cache" || handler.is_none()) {
                    return None;
                }
                if path.kind == "handler" && attribute < HANDLER.attributes.len() {
                    // Those that are the server's own have no settings but the server's.
                    let own = || match HANDLER.attributes.get(attribute).map(|found| found.about.name()) {
                        Some("enabled") if name == "files" => Value::Switch(settings.settings.files),
                        // They are named by what they are.
                        Some("kind") => {
                            let kind = ["auth", "upload", "files"].into_iter().find(|kind| *kind == name);
                            kind.map_or(Value::Nothing, Value::Choice)
                        }
                        _ => Value::Nothing,
                    };
                    let set = handler.and_then(|handler| value(&HANDLER, attribute, &handler.settings));
                    return Some(set.unwrap_or_else(own));
                }
                match schemas::told(path.kind, attribute) {
                    Some(_) => Some(Value::Nothing),
                    None => Some(Value::Text(server.to_owned())),
                }
            }
            #[cfg(feature = "monitor")]
            "monitor" => self.monitor(path.name, attribute),
            _ => None,
        }
    }

    fn canonical(&mut self, steps: &[Step]) -> Result<Vec<Step>, Box<Trouble>> {
        self.resolve(steps).map(|(_, steps)| steps)
    }

    fn part(&mut self, path: &str, key: &str) -> Option<String> {
        let (server, place, key) = part(path, key)?;
        let server = self.running.settings.servers.iter().find(|other| other.name == server);
        let rule = server.and_then(|server| server.settings.listen.get(place));
        Some(rule.map_or("", |rule| of_rule(rule, key)).to_owned())
    }

    fn touched(&mut self) -> Option<Vec<String>> {
        self.configured.touched.take()
    }

    fn said(&mut self, path: &str, key: &str) -> Option<String> {
        self.configured.said(path, key)
    }

    fn change(&mut self, steps: &[Step], _actor: &Actor) -> Result<(), Box<Trouble>> {
        let mut stopped = Vec::new();
        for step in steps {
            match step {
                Step::Call { path, method, .. } if method.name == "stop" => {
                    stopped.extend(path.strip_prefix("/http/").map(String::from));
                }
                Step::Call { .. } | Step::Set { .. } => {}
            }
        }
        let (new, steps) = self.resolve(steps)?;
        look(&new)?;
        let connections = || {
            steps.iter().filter_map(|step| match step {
                Step::Set { path, key, text } => Some((path.strip_prefix(CONNECTIONS)?, key, text)),
                Step::Call { .. } => None,
            })
        };
        // Those that are gone by now are looked for before anything changes.
        for (name, ..) in connections() {
            if self.reactor.lp().find_connection(name).is_none() {
                return Err(Trouble::new(Code::Missing, &["/connection/", name, ": no such node"]));
            }
        }
        self.told.forget();
        if new != self.running.settings {
            let reverts =
                |step: &Step| matches!(step, Step::Call { method, .. } if method.name == REVERT.name);
            let told = steps.iter().any(reverts).then(|| difference(&self.running.settings, &new));
            self.running.change(new, self.reactor)?;
            if let Some(told) = told {
                self.note(&["reverted: ", &told]);
            }
            self.notifier.status(&standing(self.running), self.reactor.lp().now().milliseconds);
        }
        stopped.iter().for_each(|name| self.running.cut(name, self.reactor));
        for (name, key, text) in connections() {
            self.set_connection(name, key, text)?;
        }
        Ok(())
    }

    fn call(
        &mut self,
        path: &Path<'_>,
        method: &'static Method,
        _words: &[String],
        _actor: &Actor,
    ) -> Result<String, Box<Trouble>> {
        self.told.forget();
        let lp = self.reactor.lp();
        match (path.kind, method.name) {
            ("connection", "close") => {
                let missing = || Trouble::new(Code::Missing, &["/connection/", path.name, ": no such node"]);
                let id = lp.find_connection(path.name).ok_or_else(missing)?;
                lp.close(id);
                lp.settle_soon();
            }
            ("process", "quit") => {
                self.notifier.stopping(FINISHING, lp.now().milliseconds);
                lp.drain(self.running.settings.process.grace);
            }
            ("process", "stop") => {
                lp.stop();
                lp.settle_soon();
            }
            ("loop", "reset") => lp.reset_slowest(),
            ("log", "reopen") => {
                let now = lp.now();
                self.reactor.world().reopen_logs(now);
            }
            ("config", "reload") => {
                return self.configured.reload(self.running, self.reactor, self.notifier);
            }
            ("config", "check") => {
                return self.configured.check(self.running);
            }
            ("config", "diff") => return self.configured.diff(&self.running.settings).map_err(failed),
            _ => return Err(Trouble::new(Code::Unknown, &[method.name, ": no such method"])),
        }
        Ok(String::new())
    }

    fn save(&mut self, passing: &[Step], _actor: &Actor) -> Result<String, Box<Trouble>> {
        let mut wanted = self.running.settings.clone();
        for step in passing {
            let (Step::Set { path, .. } | Step::Call { path, .. }) = step;
            match edit_part(&mut wanted, step) {
                // One of a connection, or of a node that is gone, is in no file.
                Err(trouble) if path.starts_with(CONNECTIONS) || trouble.code == Code::Missing => {}
                // To write what passes would make it stay.
                result => result?,
            }
        }
        self.configured.save(&wanted, &self.running.user).map_err(failed)
    }

    fn events(&mut self, from: u64, visit: &mut dyn FnMut(&str)) -> u64 {
        self.reactor.world().events.visit(from, visit)
    }

    fn note(&mut self, words: &[&str]) {
        let now = self.reactor.now();
        self.reactor.world().note(now, words);
    }

    fn milliseconds(&self) -> u64 {
        self.reactor.now().milliseconds
    }
}

/// Whether a server has files of its own that are turned off, and no other handler of that name.
fn has_files(server: &HttpServer) -> bool {
    !(server.settings.enabled && server.settings.files) && server.handler("files").is_none()
}

/// Looks for what contradicts in settings that were changed as a whole.
///
/// # Errors
/// The first that is found.
pub(super) fn look(settings: &Settings) -> Result<(), Box<Trouble>> {
    let Some(wrong) = check(settings).into_iter().next() else { return Ok(()) };
    let place = ["/", wrong.node.kind.word(), "/", &wrong.node.name, ".", wrong.key, ": ", &wrong.message];
    Err(Trouble::new(Code::Conflict, &place))
}

/// What differs, in one line for an event.
fn difference(old: &Settings, new: &Settings) -> String {
    Difference::between(old, new).print(new).trim_end().replace('\n', "; ")
}

fn failed(message: String) -> Box<Trouble> {
    Box::new(Trouble { code: Code::Failed, message })
}
