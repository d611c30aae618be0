//! One step of a change, done on settings that do not run yet: what the monitor's `set` and the methods that configure
//! come to.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::kind::NodeKind;
use super::settings::{HandlerNode, HttpServer, Settings};
use crate::text::join::joined;
use crate::tree::{Code, Method, Path, Role, Step, Trouble};

/// Nodes of one kind at most.
const NODES: usize = 64;
/// The longest name, in bytes.
const NAME: usize = 64;

const fn method(name: &'static str, words: &'static str, help: &'static str) -> Method {
    Method { name, words, help, role: Role::Admin, configures: true }
}

const REMOVE: Method =
    method("remove", "", "Take it out of the configuration; what it was asked is finished.");
const START: Method = method("start", "", "The same as to set enabled=on.");
const STOP: Method =
    method("stop", "", "The same as to set enabled=off: it answers no more, and finishes what it was asked.");

/// The method of `/config` that configures.
pub const ADD: Method = method(
    "add",
    "PATH [KEY=VALUE ...]",
    "Add a server, a handler or a monitor: /http/NAME, /handler/SERVER/NAME, /monitor/NAME. A handler comes after those \
     that are there.",
);
/// The other one. It is not for [`edit`], which does not know what the settings were.
pub const REVERT: Method = method(
    "revert",
    "",
    "Take back every change that was made since the file was read or saved, all of them or none. What is set of \
     connections stays.",
);
/// Those of servers.
pub static SERVER_METHODS: &[Method] = &[
    START,
    method("stop", "", "Turn it off, and close its connections at once, also those that still drain."),
    method(
        "drain",
        "",
        "Turn it off as set enabled=off does: it takes no new connections, closes those at rest, and gives the others \
         grace to finish what they were asked.",
    ),
    REMOVE,
];
/// Those of handlers.
pub static HANDLER_METHODS: &[Method] = &[
    START,
    STOP,
    method(
        "move",
        "first | last | before NAME | after NAME",
        "Change its place in the order in which they are asked.",
    ),
    REMOVE,
];
/// Those of monitors.
pub static MONITOR_METHODS: &[Method] = &[START, STOP, REMOVE];

/// Does one step on settings.
///
/// # Errors
/// There is no such thing, or the value is wrong. The settings may be changed in part then: they are of no use.
pub fn edit(settings: &mut Settings, step: &Step) -> Result<(), Box<Trouble>> {
    match canonical(settings, step) {
        Step::Set { path, key, text } => set(settings, &path, &key, &text),
        Step::Call { path, method, words } => call(settings, &path, method.name, &words),
    }
}

/// The same step on the node that keeps what it changes: `start` and `stop` set `enabled`, and the handler that serves
/// a server's own files is kept in `files` of the server.
#[must_use]
pub fn canonical(settings: &Settings, step: &Step) -> Step {
    let (path, key, text) = match step {
        Step::Set { path, key, text } => (path, key.as_str(), text.as_str()),
        Step::Call { path, method, .. } => match method.name {
            "start" => (path, "enabled", "on"),
            "stop" | "drain" => (path, "enabled", "off"),
            "remove" if own_files(settings, path).is_some() => (path, "enabled", "off"),
            _ => return step.clone(),
        },
    };
    let (path, key) = match own_files(settings, path) {
        Some(server) if key == "enabled" => (joined(&["/http/", server]), "files"),
        _ => (path.clone(), key),
    };
    Step::Set { path, key: key.to_owned(), text: text.to_owned() }
}

fn set(settings: &mut Settings, path: &str, key: &str, text: &str) -> Result<(), Box<Trouble>> {
    hold_own(settings, path)?;
    let (kind, name) = node(settings, path)?;
    let place = joined(&[path, ".", key]);
    let about = kind.find(key);
    if about.is_some_and(|about| about.fact) {
        return Err(Trouble::new(Code::Invalid, &[&place, ": tells what is, and is not set"]));
    }
    if about.is_some_and(|about| !about.live) {
        let why = ": cannot change while the program runs; set it in the file, and start anew";
        return Err(Trouble::new(Code::Refused, &[&place, why]));
    }
    let code = if about.is_some() { Code::Invalid } else { Code::Unknown };
    let outcome = settings.set(kind, name, key, text);
    outcome.map_err(|problem| Trouble::new(code, &[&place, ": ", &problem.message]))
}

/// The kind and the name of a node that is there.
fn node<'p>(settings: &Settings, path: &'p str) -> Result<(NodeKind, &'p str), Box<Trouble>> {
    let Path { kind, name } = parse(path)?;
    let kind = NodeKind::from_word(kind).filter(|kind| kind.is_named() != name.is_empty());
    kind.filter(|kind| settings.has(*kind, name)).map(|kind| (kind, name)).ok_or_else(|| missing(path))
}

fn call(settings: &mut Settings, path: &str, method: &str, words: &[String]) -> Result<(), Box<Trouble>> {
    let node = parse(path)?;
    if node.kind == "config" && method == "add" {
        let Some((path, pairs)) = words.split_first() else {
            return Err(Trouble::new(Code::Syntax, &["expected add PATH [KEY=VALUE ...]"]));
        };
        return add(settings, path, pairs);
    }
    hold_own(settings, path)?;
    if method == "remove" && NodeKind::from_word(node.kind).is_some_and(NodeKind::is_named) {
        let (kind, name) = self::node(settings, path)?;
        settings.remove(kind, name);
        return Ok(());
    }
    if node.kind != "handler" || method != "move" {
        return Err(Trouble::new(Code::Unknown, &[path, ": no such method"]));
    }
    let (handlers, at) = handler(settings, node.name).ok_or_else(|| missing(path))?;
    let handler = handlers.remove(at);
    let to = place(handlers, words)?;
    handlers.insert(to, handler);
    Ok(())
}

/// Where `first`, `last`, `before NAME` or `after NAME` is among handlers.
fn place(handlers: &[HandlerNode], words: &[String]) -> Result<usize, Box<Trouble>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let find = |name: &str| {
        let at = handlers.iter().position(|handler| handler.name == name);
        at.ok_or_else(|| Trouble::new(Code::Missing, &[name, ": no such handler of this server"]))
    };
    match words.as_slice() {
        ["first"] => Ok(0),
        ["last"] => Ok(handlers.len()),
        ["before", name] => find(name),
        ["after", name] => find(name).map(|at| at + 1),
        _ => Err(Trouble::new(Code::Syntax, &["expected first, last, before NAME or after NAME"])),
    }
}

fn add(settings: &mut Settings, path: &str, pairs: &[String]) -> Result<(), Box<Trouble>> {
    let Path { kind: word, name } = parse(path)?;
    let Some(kind) = NodeKind::from_word(word).filter(|kind| kind.is_named()) else {
        return Err(Trouble::new(Code::Unknown, &[path, ": nothing of that kind can be added"]));
    };
    let own = if kind.is_handler() {
        let Some((server, own)) = name.split_once('/') else {
            return Err(Trouble::new(Code::Syntax, &[path, ": expected /handler/SERVER/NAME"]));
        };
        if !settings.has(NodeKind::Http, server) {
            return Err(Trouble::new(Code::Missing, &[server, ": no such server"]));
        }
        own
    } else {
        name
    };
    may_add(settings, path, kind, own)?;
    if !settings.add(kind, name) {
        return Err(Trouble::new(Code::Conflict, &[path, ": is there already"]));
    }
    if kind.wanted().is_some() {
        // What is not set, now or by a later step, is found to be wrong with all of the settings.
        settings.servers.last_mut().map(|server| core::mem::take(&mut server.settings.root));
    }
    for pair in pairs {
        let Some((key, text)) = pair.split_once('=') else {
            return Err(Trouble::new(Code::Syntax, &[pair, ": expected KEY=VALUE"]));
        };
        set(settings, path, key, text)?;
    }
    Ok(())
}

fn may_add(settings: &Settings, path: &str, kind: NodeKind, own: &str) -> Result<(), Box<Trouble>> {
    let is_named = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if own.is_empty() || own.len() > NAME || !own.bytes().all(is_named) {
        let expected = ": expected a name of letters, digits and _ . -, at most 64 of them";
        return Err(Trouble::new(Code::Invalid, &[path, expected]));
    }
    // Those of one server, where the kind belongs to servers.
    let server = if kind.is_handler() { parse(path)?.name.strip_suffix(own).unwrap_or_default() } else { "" };
    let nodes = settings.nodes();
    let beside = nodes.iter().filter(|node| node.kind == kind && node.name.starts_with(server));
    if beside.count() >= NODES {
        return Err(Trouble::new(Code::Limit, &[path, ": there are 64 of that kind, which is the most"]));
    }
    Ok(())
}

fn server<'s>(settings: &'s mut Settings, name: &str) -> Option<&'s mut HttpServer> {
    settings.servers.iter_mut().find(|server| server.name == name)
}

/// The server of `/handler/SERVER/files`, if that handler is not one of the configuration but the server's own.
fn own_files<'s>(settings: &'s Settings, path: &str) -> Option<&'s str> {
    own(settings, path).filter(|(_, key)| *key == "files").map(|(server, _)| server)
}

/// The server whose own a handler is, and its attribute that the handler comes of.
fn own<'s>(settings: &'s Settings, path: &str) -> Option<(&'s str, &'static str)> {
    let (server, name) = path.strip_prefix("/handler/")?.split_once('/')?;
    let server = settings.servers.iter().find(|other| other.name == server)?;
    let key = match name {
        // Turned off, it can be turned on.
        "files" => "files",
        "auth" if !server.settings.auth_file.is_empty() => "auth_file",
        "upload" if !server.settings.upload.is_empty() => "upload",
        _ => return None,
    };
    server.handlers.iter().all(|handler| handler.name != name).then_some((&server.name, key))
}

/// Holds that a handler is not the server's own, which nothing is set of but by the server.
fn hold_own(settings: &Settings, path: &str) -> Result<(), Box<Trouble>> {
    let Some((server, key)) = own(settings, path) else { return Ok(()) };
    let why = [
        path,
        ": it is what ",
        key,
        " of /http/",
        server,
        " makes it, and where; add a handler to have another",
    ];
    Err(Trouble::new(Code::Conflict, &why))
}

/// The handlers of the server that a name begins with, and the place of the handler it ends with.
fn handler<'s>(settings: &'s mut Settings, name: &str) -> Option<(&'s mut Vec<HandlerNode>, usize)> {
    let (server_name, name) = name.split_once('/')?;
    let handlers = &mut server(settings, server_name)?.handlers;
    let at = handlers.iter().position(|handler| handler.name == name)?;
    Some((handlers, at))
}

fn parse(path: &str) -> Result<Path<'_>, Box<Trouble>> {
    Path::parse(path).ok_or_else(|| Trouble::new(Code::Syntax, &[path, ": expected /KIND/NAME"]))
}

fn missing(path: &str) -> Box<Trouble> {
    Trouble::new(Code::Missing, &[path, ": no such node"])
}

#[cfg(test)]
#[cfg(feature = "monitor")]
mod tests;
