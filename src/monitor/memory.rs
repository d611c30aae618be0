//! A tree in memory: the twin of the running program's, for tests. Its clock is turned by hand.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use crate::tree::{About, Actor, Code, Method, Path, Role, Schema, Step, Tree, Trouble, Unit, Value};
use crate::{counter, fact, fixed, live};

/// Names told in one call of [`Tree::names`].
const NAMES: usize = 50;

/// Events that are kept.
const EVENTS: usize = 64;

const ON: Unit = Unit::Switch;
const COUNT: Unit = Unit::Count { min: 0, max: u64::MAX };
const TIME: Unit = Unit::Time { min: 1, max: 3_600_000 };
const SIZE: Unit = Unit::Size { min: 0, max: u64::MAX, power_of_two: false };
const BUFFER: Unit = Unit::Buffer { min: 512, max: 1 << 20 };

static PROCESS: [About; 2] =
    [fact!("version", Unit::Text, "Its version."), fact!("pid", COUNT, "Its number.")];

static LOOP: [About; 2] = [
    counter!("turns", COUNT, "Turns of the loop."),
    fact!("slowest", TIME, "The slowest turn. Its reason is in the log."),
];

static HTTP: [About; 7] = [
    live!("enabled", ON, "on", "Serve at all.").by_admin(),
    fixed!("root", Unit::Text, ".", "The directory that is served."),
    live!("write_buffer", BUFFER, "16K", "Room for output. It is lent while a reply does not fit."),
    live!("idle_timeout", TIME, "1m", "How long a connection may wait for its next request."),
    live!("hidden", ON, "off", "Serve names that begin with a dot."),
    live!("clients", Unit::List, "", "Rules for some clients."),
    counter!("requests", COUNT, "Requests answered."),
];

static CONNECTION: [About; 8] = [
    fact!("server", Unit::Text, "Its server."),
    fact!("peer", Unit::Text, "Who it is with."),
    fact!("state", Unit::Choice("idle|busy"), "What it is at."),
    fact!("idle", TIME, "How long it has waited."),
    counter!("sent", SIZE, "Bytes sent."),
    fact!("user", Unit::Text, "Who logged in."),
    live!("write_buffer", BUFFER, "16K", "Room for output."),
    live!("traced", ON, "off", "Note what it does."),
];

static HANDLER: [About; 2] = [
    live!("match", Unit::Text, "/", "The path it answers below.").by_admin(),
    live!("enabled", ON, "on", "Whether it answers.").by_admin(),
];

static CONFIG: [About; 1] = [fact!("file", Unit::Text, "The file it was read from.")];

const fn method(name: &'static str, words: &'static str, role: Role, configures: bool) -> Method {
    Method { name, words, help: "Do it. It is done at once.", role, configures }
}

static SCHEMAS: [Schema; 6] = [
    Schema {
        name: "process",
        help: "The process.",
        named: false,
        about: |place| PROCESS.get(place),
        methods: &[method("stop", "", Role::Admin, false)],
    },
    Schema { name: "loop", help: "The loop.", named: false, about: |place| LOOP.get(place), methods: &[] },
    Schema {
        name: "config",
        help: "The configuration.",
        named: false,
        about: |place| CONFIG.get(place),
        methods: &[
            method("add", "PATH [KEY=VALUE ...]", Role::Admin, true),
            method("revert", "", Role::Admin, true),
            method("reload", "", Role::Admin, false),
            method("diff", "", Role::View, false),
        ],
    },
    Schema {
        name: "http",
        help: "A server.",
        named: true,
        about: |place| HTTP.get(place),
        methods: &[method("stop", "", Role::Admin, true), method("drain", "", Role::Operate, false)],
    },
    Schema {
        name: "handler",
        help: "A handler.",
        named: true,
        about: |place| HANDLER.get(place),
        methods: &[
            method("move", "first | last | before NAME | after NAME", Role::Admin, true),
            method("remove", "", Role::Admin, true),
        ],
    },
    Schema {
        name: "connection",
        help: "A connection.",
        named: true,
        about: |place| CONNECTION.get(place),
        methods: &[method("close", "", Role::Operate, false), method("poke", "", Role::Operate, false)],
    },
];

/// The tree. Its fields are for tests to turn.
#[derive(Default)]
pub struct MemoryTree {
    /// The clock.
    pub now: u64,
    /// What [`Tree::change`] and [`Tree::save`] say next instead of doing it.
    pub fails: Option<Box<Trouble>>,
    /// How often each method of [`Tree`] was called that costs by the node: names, get, change, call.
    pub calls: [u64; 4],
    /// What `save` was told.
    pub passing: Vec<(String, String, String)>,
    /// What [`Tree::touched`] gives next.
    pub touched: Option<Vec<String>>,
    /// What the configuration says of attributes, by their names.
    pub said: BTreeMap<String, String>,
    nodes: BTreeMap<(usize, String), Vec<Value>>,
    /// Names of connections, by their numbers.
    connections: BTreeMap<u64, String>,
    next: u64,
    events: VecDeque<String>,
    noted: u64,
}

impl MemoryTree {
    /// A tree of a process with two servers, two handlers and no connection.
    #[must_use]
    pub fn new() -> MemoryTree {
        let mut tree = MemoryTree { now: 1_000_000, ..MemoryTree::default() };
        let text = |text: &str| Value::Text(text.to_owned());
        tree.add("process", "", vec![text("0.1"), Value::Count(4711)]);
        tree.add("loop", "", vec![Value::Count(0), Value::Nothing]);
        tree.add("config", "", vec![text("/etc/gorgon.conf")]);
        for name in ["main", "v1.local"] {
            tree.add_defaults("http", name);
        }
        for name in ["main/files", "main/status"] {
            tree.add_defaults("handler", name);
        }
        tree
    }

    /// Adds that many connections.
    #[must_use]
    pub fn with_connections(mut self, count: u64) -> MemoryTree {
        for _ in 0..count {
            let number = self.next;
            self.next += 1;
            let name = [&number.to_string(), "-", &(number * 7).to_string()].concat();
            let values = vec![
                Value::Text(if number % 3 == 0 { "v1.local" } else { "main" }.to_owned()),
                Value::Text(["10.0.0.", &(number % 250).to_string()].concat()),
                Value::Choice(if number % 4 == 0 { "busy" } else { "idle" }),
                Value::Time(number % 100 * 1000),
                Value::Size(number * 10 % 1000),
                if number % 5 == 0 { Value::Text("anna b".to_owned()) } else { Value::Nothing },
                BUFFER.parse("16K").unwrap_or(Value::Nothing),
                Value::Switch(false),
            ];
            self.connections.insert(number, name.clone());
            self.add("connection", &name, values);
        }
        self
    }

    /// The value of an attribute as text; empty when there is none.
    pub fn read(&mut self, path: &str, key: &str) -> String {
        let mut text = String::new();
        let path = Path::parse(path);
        let place = path.and_then(|path| Some((path, self.kind(path.kind)?)));
        if let Some((path, kind)) = place {
            let place = SCHEMAS.get(kind).and_then(|schema| schema.find(key)).map(|found| found.0);
            if let Some(value) = place.and_then(|place| self.get(&path, place)) {
                value.print(&mut text);
            }
        }
        text
    }

    /// Has a node not have an attribute.
    pub fn lack(&mut self, path: &str, key: &str) {
        let Some(path) = Path::parse(path) else { return };
        let place =
            self.kind(path.kind).and_then(|kind| SCHEMAS.get(kind)).and_then(|schema| schema.find(key));
        if let (Some((place, _)), Some(values)) = (place, self.node(&path)) {
            values.get_mut(place).map(|value| core::mem::replace(value, Value::Nothing));
        }
    }

    /// How many nodes of a kind there are.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        let kind = self.kind(kind);
        self.nodes.keys().filter(|(other, _)| Some(*other) == kind).count()
    }

    /// The events that are kept.
    pub fn log(&self) -> impl Iterator<Item = &str> {
        self.events.iter().map(String::as_str)
    }

    fn kind(&self, name: &str) -> Option<usize> {
        SCHEMAS.iter().position(|schema| schema.name == name)
    }

    fn add(&mut self, kind: &str, name: &str, values: Vec<Value>) {
        if let Some(kind) = self.kind(kind) {
            self.nodes.insert((kind, name.to_owned()), values);
        }
    }

    fn add_defaults(&mut self, kind: &str, name: &str) {
        let Some(schema) = self.kind(kind).and_then(|kind| SCHEMAS.get(kind)) else { return };
        let values =
            schema.abouts().map(|about| about.unit.parse(about.default()).unwrap_or(Value::Count(0)));
        self.add(kind, name, values.collect());
    }

    fn node(&mut self, path: &Path<'_>) -> Option<&mut Vec<Value>> {
        let kind = self.kind(path.kind)?;
        self.nodes.get_mut(&(kind, path.name.to_owned()))
    }

    /// Takes a node out.
    pub fn remove(&mut self, path: &Path<'_>) -> Result<(), Box<Trouble>> {
        let kind = self.kind(path.kind).unwrap_or_default();
        if path.kind == "connection" {
            let number = path.name.split('-').next().and_then(|number| number.parse().ok());
            self.connections.remove(&number.unwrap_or(u64::MAX));
        }
        let removed = self.nodes.remove(&(kind, path.name.to_owned()));
        removed.map(drop).ok_or_else(|| Trouble::new(Code::Missing, &["it is gone"]))
    }

    /// The clients `pair` go with an `idle_timeout` of an hour, and that with them.
    fn look(&mut self) -> Result<(), Box<Trouble>> {
        let pair = self.read("/http/main", "clients") == "pair";
        let hour = self.read("/http/main", "idle_timeout") == "1h";
        if pair == hour { Ok(()) } else { Err(Trouble::new(Code::Conflict, &["only as a pair"])) }
    }

    fn step(&mut self, step: &Step) -> Result<(), Box<Trouble>> {
        let wrong = |words: &[&str]| Err(Trouble::new(Code::Invalid, words));
        match &canonical(step) {
            Step::Set { path, key, text } => {
                let Some(path) = Path::parse(path) else { return wrong(&["no path"]) };
                let schema = self.kind(path.kind).and_then(|kind| SCHEMAS.get(kind));
                let Some((place, about)) = schema.and_then(|schema| schema.find(key)) else {
                    return wrong(&["no attribute"]);
                };
                let value =
                    about.unit.parse(text).map_err(|message| Trouble::new(Code::Invalid, &[&message]))?;
                if text == "/forbidden" {
                    return wrong(&["not that one"]);
                }
                match self.node(&path).and_then(|values| values.get_mut(place)) {
                    Some(old) => *old = value,
                    None => return Err(Trouble::new(Code::Missing, &["there is no ", path.name])),
                }
                Ok(())
            }
            Step::Call { path, method, words } => {
                let Some(path) = Path::parse(path) else { return wrong(&["no path"]) };
                match (method.name, words.as_slice()) {
                    ("add", [added, pairs @ ..]) => {
                        let sound = !added.contains(char::is_control);
                        let Some(path) = Path::parse(added).filter(|_| sound) else {
                            return wrong(&["no path"]);
                        };
                        self.add_defaults(path.kind, path.name);
                        for pair in pairs {
                            let (key, text) = pair.split_once('=').unwrap_or((pair, ""));
                            let (path, key, text) = (added.clone(), key.to_owned(), text.to_owned());
                            self.step(&Step::Set { path, key, text })?;
                        }
                        Ok(())
                    }
                    ("remove", []) => self.remove(&path),
                    ("revert", []) => {
                        ["main", "v1.local"].into_iter().for_each(|name| self.add_defaults("http", name));
                        Ok(())
                    }
                    ("stop" | "move", _) => Ok(()),
                    _ => wrong(&["expected other words"]),
                }
            }
        }
    }
}

/// `/handler/SERVER/hidden` is turned on and off by `hidden` of its server.
fn canonical(step: &Step) -> Step {
    match step {
        Step::Set { path, key, text } if key == "enabled" => {
            match path.strip_prefix("/handler/").and_then(|name| name.strip_suffix("/hidden")) {
                Some(server) => {
                    let (path, key) = (["/http/", server].concat(), "hidden".to_owned());
                    Step::Set { path, key, text: text.clone() }
                }
                None => step.clone(),
            }
        }
        _ => step.clone(),
    }
}

impl Tree for MemoryTree {
    fn schemas(&self) -> &'static [Schema] {
        &SCHEMAS
    }

    fn names(&mut self, schema: &'static Schema, from: u64, visit: &mut dyn FnMut(&str)) -> Option<u64> {
        let [names, ..] = &mut self.calls;
        *names += 1;
        if schema.name == "connection" {
            let mut last = None;
            for (number, name) in self.connections.range(from..).take(NAMES) {
                visit(name);
                last = Some(*number + 1);
            }
            return last;
        }
        let kind = self.kind(schema.name);
        self.nodes.keys().filter(|(other, _)| Some(*other) == kind).for_each(|(_, name)| visit(name));
        None
    }

    fn get(&mut self, path: &Path<'_>, attribute: usize) -> Option<Value> {
        let [_, get, ..] = &mut self.calls;
        *get += 1;
        if path.kind == "loop" && attribute == 0 {
            return Some(Value::Count(self.now));
        }
        self.node(path)?.get(attribute).cloned()
    }

    fn canonical(&mut self, steps: &[Step]) -> Result<Vec<Step>, Box<Trouble>> {
        Ok(steps.iter().map(canonical).collect())
    }

    fn touched(&mut self) -> Option<Vec<String>> {
        self.touched.take()
    }

    fn said(&mut self, path: &str, key: &str) -> Option<String> {
        self.said.get(&[path, ".", key].concat()).cloned()
    }

    fn change(&mut self, steps: &[Step], _: &Actor) -> Result<(), Box<Trouble>> {
        let [_, _, change, _] = &mut self.calls;
        *change += 1;
        if let Some(trouble) = self.fails.take() {
            return Err(trouble);
        }
        // A copy of all is dear where there are many nodes.
        let sets = steps.iter().all(|step| matches!(step, Step::Set { .. }));
        let before = if sets { None } else { Some(self.nodes.clone()) };
        let mut olds = Vec::new();
        for step in steps {
            if let Step::Set { path, key, .. } = step {
                let text = self.read(path, key);
                olds.push(canonical(&Step::Set { path: path.clone(), key: key.clone(), text }));
            }
            let mut result = self.step(step);
            if result.is_err() {
                olds.pop();
            } else if olds.len() == steps.len() {
                result = self.look();
            }
            if let Err(trouble) = result {
                for old in olds.iter().rev() {
                    let _ = self.step(old);
                }
                self.nodes = before.unwrap_or(core::mem::take(&mut self.nodes));
                return Err(trouble);
            }
        }
        Ok(())
    }

    fn call(
        &mut self,
        path: &Path<'_>,
        method: &'static Method,
        words: &[String],
        _: &Actor,
    ) -> Result<String, Box<Trouble>> {
        let [.., call] = &mut self.calls;
        *call += 1;
        match (method.name, words) {
            ("close", []) => self.remove(path).map(|()| String::new()),
            ("poke", []) => Err(Trouble::new(Code::Failed, &["it does not move"])),
            ("diff", []) => Ok("ok\nerror\n/http/main.hidden=on\n".to_owned()),
            ("drain" | "reload" | "stop", []) => Ok("draining".to_owned()),
            _ => Err(Trouble::new(Code::Syntax, &["expected no words"])),
        }
    }

    fn save(&mut self, passing: &[Step], _: &Actor) -> Result<String, Box<Trouble>> {
        if let Some(trouble) = self.fails.take() {
            return Err(trouble);
        }
        self.passing.clear();
        for step in passing {
            let Step::Set { path, key, text } = step else { continue };
            self.passing.push((path.clone(), key.clone(), text.clone()));
        }
        Ok("wrote 1 change".to_owned())
    }

    fn events(&mut self, from: u64, visit: &mut dyn FnMut(&str)) -> u64 {
        let first = self.noted - self.events.len() as u64;
        let skipped = usize::try_from(from.saturating_sub(first)).unwrap_or(usize::MAX);
        self.events.iter().skip(skipped).for_each(|event| visit(event));
        self.noted
    }

    fn note(&mut self, words: &[&str]) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(words.concat());
        self.noted += 1;
    }

    fn milliseconds(&self) -> u64 {
        self.now
    }
}
