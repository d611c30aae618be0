//! Writes into the files of a configuration what was changed while the program ran.
//!
//! What is written is read again before it is used: it says exactly what it was to say, or nothing is written at all.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::difference::Difference;
use super::editor;
use super::files::{Files, Identity};
#[cfg(any(feature = "http", feature = "monitor"))]
use super::kind::NodeKind;
use super::load::{Inputs, Loaded};
use super::nodes::NodeId;
use super::reader::FILE_MAX;
use super::settings::Settings;
#[cfg(feature = "http")]
use super::settings::{HandlerNode, HttpServer};
use super::source::Origin;
use crate::text::join::joined;
use crate::tree::{About, Problem};

/// What to write, and what is written thereby.
#[cfg_attr(test, derive(Debug))]
pub struct Saved {
    /// The files that change, with their new texts.
    pub files: Vec<(String, String)>,
    /// For people: a line for each change.
    pub report: String,
}

/// Makes the files say what the settings `wanted` are. Nothing is written here.
///
/// # Errors
/// What is wrong with the files as they are, and what cannot be said in them because the command line or the environment
/// says otherwise.
pub fn save(inputs: &Inputs<'_>, files: &dyn Files, wanted: &Settings) -> Result<Saved, Vec<Problem>> {
    let now = inputs.load(files)?;
    let difference = Difference::between(&now.settings, wanted);
    let elsewhere = said_elsewhere(&now, &difference);
    if !elsewhere.is_empty() {
        return Err(elsewhere);
    }
    let mut texts = Vec::new();
    for path in &now.source.files {
        let text = files.read(path, FILE_MAX + 1).map_err(|message| one(path, &message))?;
        let text = String::from_utf8(text).map_err(|_| one(path, "expected UTF-8"))?;
        texts.push((path.clone(), text));
    }
    let before = texts.clone();
    write(&difference, wanted, &mut texts)?;
    let edited = Edited { texts: &texts, files };
    let again = inputs.load(&edited)?;
    if again.settings != *wanted {
        let rest = Difference::between(&again.settings, wanted).print(wanted);
        let message = joined(&["what would be written does not say what holds; by hand: ", rest.trim_end()]);
        return Err(one(&inputs.path, &message));
    }
    texts.retain(|text| !before.contains(text));
    Ok(Saved { files: texts, report: difference.print(wanted) })
}

fn one(place: &str, message: &str) -> Vec<Problem> {
    Vec::from([Problem::new(place, message)])
}

/// The values that no file can change, for something goes before it.
fn said_elsewhere(now: &Loaded, difference: &Difference) -> Vec<Problem> {
    let mut problems = Vec::new();
    for change in &difference.changed {
        let node = now.source.find(change.node.kind, &change.node.name);
        let Some(given) = node.and_then(|node| node.given(change.about.name())) else { continue };
        match &given.origin {
            Origin::File(_) => {}
            Origin::Environment(place) | Origin::Flag(place) => {
                let message = joined(&["goes before the file, so ", &change.new, " cannot be kept there"]);
                problems.push(Problem::new(place, &message));
            }
        }
    }
    problems
}

fn write(
    difference: &Difference,
    wanted: &Settings,
    texts: &mut [(String, String)],
) -> Result<(), Vec<Problem>> {
    for node in &difference.removed {
        if let Some(at) = editor::find_text(texts, node.kind, &node.name) {
            edit(texts, at, &|text| editor::remove(text, node));
        }
    }
    #[cfg(feature = "monitor")]
    if difference.added.iter().any(|node| node.kind == NodeKind::Monitor) {
        // One that is there without a section is not, once another one has a section.
        for monitor in &wanted.monitors {
            let node = NodeId::new(NodeKind::Monitor, &monitor.name);
            if !difference.added.contains(&node) && editor::find_text(texts, node.kind, &node.name).is_none()
            {
                edit(texts, 0, &|text| editor::add(text, &node));
            }
        }
    }
    for node in &difference.added {
        // A handler stands with the others of its server, or with that, all else in the first file.
        let server = node.name.split_once('/').map(|(server, _)| server);
        let beside = server.and_then(|server| of_server(texts, server, wanted)).unwrap_or(0);
        edit(texts, beside, &|text| editor::add(text, node));
        for (at, about) in node.kind.abouts().enumerate().filter(|(_, about)| !about.fact) {
            set(texts, node, (at, about), wanted, false);
        }
    }
    for change in &difference.changed {
        let about = change.node.kind.abouts().position(|about| about.name() == change.about.name());
        if let Some(at) = about {
            if editor::find_text(texts, change.node.kind, &change.node.name).is_none() {
                // A node that is there without a section, as the process.
                edit(texts, 0, &|text| editor::add(text, &change.node));
            }
            set(texts, &change.node, (at, change.about), wanted, true);
        }
    }
    #[cfg(feature = "http")]
    for server in &wanted.servers {
        order(server, texts)?;
    }
    Ok(())
}

/// The file where the last handler of a server stands that stands in any, or else the server's section.
fn of_server(texts: &[(String, String)], server: &str, wanted: &Settings) -> Option<usize> {
    #[cfg(feature = "http")]
    {
        let known = wanted.servers.iter().find(|known| known.name == server);
        let places = editor::find_texts(texts, &known.map(handlers).unwrap_or_default());
        places.last().copied().or_else(|| editor::find_text(texts, NodeKind::Http, server))
    }
    #[cfg(not(feature = "http"))]
    {
        let _ = (texts, server, wanted);
        None
    }
}

/// The handlers of a server, in their order.
#[cfg(feature = "http")]
fn handlers(server: &HttpServer) -> Vec<NodeId> {
    let name = |handler: &HandlerNode| joined(&[&server.name, "/", &handler.name]);
    server.handlers.iter().map(|handler| NodeId::new(NodeKind::Handler, &name(handler))).collect()
}

fn edit(texts: &mut [(String, String)], at: usize, change: &dyn Fn(&str) -> String) {
    if let Some((_, text)) = texts.get_mut(at) {
        *text = change(text);
    }
}

/// Sets one value; a default only if it is to be written anyway.
fn set(
    texts: &mut [(String, String)],
    node: &NodeId,
    (at, about): (usize, &'static About),
    wanted: &Settings,
    anyway: bool,
) {
    let Some(value) = wanted.value(node.kind, &node.name, at) else { return };
    // What has to be given is written also where it is the default.
    let anyway = anyway || node.kind.wanted() == Some(about.name());
    if !anyway && about.unit.parse(about.default()).is_ok_and(|default| default == value) {
        return;
    }
    if let Some(file) = editor::find_text(texts, node.kind, &node.name) {
        edit(texts, file, &|text| editor::set(text, node, about, &value));
    }
}

/// Puts the sections of a server's handlers into their order.
#[cfg(feature = "http")]
fn order(server: &HttpServer, texts: &mut [(String, String)]) -> Result<(), Vec<Problem>> {
    let nodes = handlers(server);
    let files = editor::find_texts(texts, &nodes);
    let Some(&first) = files.first() else { return Ok(()) };
    if files.iter().all(|file| *file == first) {
        edit(texts, first, &|text| editor::reorder(text, &nodes));
    }
    Ok(())
}

/// Files, some of them with other texts.
struct Edited<'a> {
    texts: &'a [(String, String)],
    files: &'a dyn Files,
}

impl Files for Edited<'_> {
    fn read(&self, path: &str, most: usize) -> Result<Vec<u8>, String> {
        match self.texts.iter().find(|(known, _)| known == path) {
            Some((_, text)) => Ok(text.as_bytes().get(..most.min(text.len())).unwrap_or_default().to_owned()),
            None => self.files.read(path, most),
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, String> {
        self.files.list(directory)
    }

    fn identity(&self, path: &str) -> Option<Identity> {
        self.files.identity(path)
    }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests;
