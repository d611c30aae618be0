//! The reader of Gorgon's own dialect: files into a [`Source`].
//!
//! ```text
//!   [KIND:NAME]            a node          [handler:SERVER/NAME]   one of a server, asked in this order
//!   [gorgon]               the process     [include] files = a.conf conf.d/*.conf
//! ```
//! Only lists and rules may go on in further lines: what goes on elsewhere is likelier a setting that was set in by
//! mistake.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::expand::{Names, expand};
use super::files::{Files, Identity};
use super::hints::hint;
use super::kind::NodeKind;
use super::problems::Problems;
use super::source::{Given, Origin, Place, Source, SourceNode};
use crate::text::file_path;
use crate::text::glob;
use crate::text::ini::{GORGON, Line, LineKind, Lines, unquote};
use crate::text::join::joined;
use crate::text::nearest::nearest;
use crate::text::split::split_once;
use crate::tree::{About, Problem, Unit};

/// The largest file, in bytes.
pub const FILE_MAX: usize = 1 << 20;
/// The most files.
pub const FILES_MAX: usize = 100;
/// How deep files may include others.
pub const DEPTH_MAX: usize = 8;
/// The most nodes.
pub const NODES_MAX: usize = 1000;
/// The most attributes that are given, over all nodes.
pub const KEYS_MAX: usize = 20_000;
/// The longest name of a node, in bytes.
pub const NAME_MAX: usize = 64;

const INCLUDE: &str = "include";

/// What a configuration is read with.
pub struct Surroundings<'a, 'e> {
    /// Its files.
    pub files: &'a dyn Files,
    /// Looks up a variable of the environment.
    pub environment: &'a dyn Fn(&str) -> Option<&'e [u8]>,
    /// The name of this host.
    pub host: &'a str,
}

/// Reads a file and those that it includes. What is right is in the source even where other things are wrong.
pub fn read(path: &str, surroundings: &Surroundings<'_, '_>, problems: &mut Problems) -> Source {
    let mut reader = Reader {
        surroundings,
        problems,
        source: Source::default(),
        identities: Vec::new(),
        open: Vec::new(),
        keys: 0,
        unnamed: false,
        follows: false,
    };
    reader.file(path, None, false);
    reader.check_handlers();
    reader.source
}

/// Whether a name may be a node's: letters, digits, `_`, `.` and `-`.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(allowed)
}

/// Where the next key goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    /// No section has begun.
    None,
    /// One that is wrong: it has been told, and what is in it is not looked at.
    Wrong,
    /// Files to include.
    Include,
    /// The node at that place.
    Node(usize),
}

/// A value whose lines are being read.
struct Value {
    key: Key,
    place: Place,
    text: String,
    lines: usize,
    /// A line of it is wrong.
    wrong: bool,
}

enum Key {
    Attribute(usize, &'static About),
    Files,
}

struct Reader<'a, 's, 'e> {
    surroundings: &'a Surroundings<'s, 'e>,
    problems: &'a mut Problems,
    source: Source,
    /// Which files those of the source are.
    identities: Vec<Identity>,
    /// The files that are being read, each included by the one before it.
    open: Vec<usize>,
    keys: usize,
    /// There is a section whose name is wrong: it may be any.
    unnamed: bool,
    /// The line before is wrong: what goes on with it is so only for that.
    follows: bool,
}

impl Reader<'_, '_, '_> {
    fn problem(&mut self, place: Place, message: &str) {
        self.problems.add_at(&self.source, place, message);
    }

    /// The same, with what it is about.
    #[inline(never)]
    fn tell(&mut self, place: Place, what: &str, message: &str) {
        self.problem(place, &joined(&[what, ": ", message]));
    }

    /// Reads one file; `from` is where it is included. One that is there by a pattern is `found`, and not read twice.
    fn file(&mut self, path: &str, from: Option<Place>, found: bool) {
        let identity = self.surroundings.files.identity(path);
        let known = identity.and_then(|own| self.identities.iter().position(|known| *known == own));
        if found && known.is_some() {
            return;
        }
        let text =
            match self.admit(path, known).and_then(|()| self.surroundings.files.read(path, FILE_MAX + 1)) {
                Ok(text) if text.len() > FILE_MAX => Err("expected at most 1 MiB".to_owned()),
                other => other,
            };
        let text = match (text, from) {
            (Ok(text), _) => text,
            (Err(message), Some(place)) => {
                return self.tell(place, path, &message);
            }
            (Err(message), None) => return self.problems.add(path, &message),
        };
        let file = self.source.files.len();
        self.source.files.push(path.to_owned());
        self.identities.push(identity.unwrap_or_default());
        self.open.push(file);
        match core::str::from_utf8(&text) {
            Ok(text) => self.lines(path, file, text),
            Err(error) => {
                let before = text.get(..error.valid_up_to()).unwrap_or_default();
                let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
                let line = u32::try_from(line).unwrap_or(u32::MAX);
                self.problem(Place { file, line }, "expected UTF-8");
            }
        }
        self.open.pop();
    }

    /// Whether one more file may be read; `known` is its place among those that were, if it was.
    fn admit(&self, path: &str, known: Option<usize>) -> Result<(), String> {
        Err(match known {
            Some(file) if self.open.contains(&file) => "includes itself",
            Some(file) => {
                let name = self.source.files.get(file).filter(|name| *name != path);
                let (first, name) = name.map_or(("", ""), |name| (", first as ", name));
                return Err(joined(&["included twice", first, name]));
            }
            None if self.source.files.len() >= FILES_MAX => "more than 100 files",
            None if self.open.len() > DEPTH_MAX => "files include others more than 8 deep",
            None => return Ok(()),
        }
        .to_owned())
    }

    fn lines(&mut self, path: &str, file: usize, text: &str) {
        let mut section = Section::None;
        let mut value: Option<Value> = None;
        self.follows = false;
        for line in Lines::new(text, GORGON) {
            let place = Place { file, line: line.number };
            if let LineKind::More { value: text, .. } = line.kind {
                // One whose key was wrong has been told.
                if let Some(value) = &mut value {
                    value.lines += 1;
                    self.piece(path, text, place, value);
                }
                continue;
            }
            // Who has that much wrong is told the first of it: to work out the rest would have others wait.
            if self.problems.is_full() {
                return self.problems.stop();
            }
            if matches!(line.kind, LineKind::Blank | LineKind::Comment) {
                continue;
            }
            self.finish(path, value.take());
            if matches!(line.kind, LineKind::Wrong(_)) {
                let start = text.get(line.start..).unwrap_or_default();
                let goes_on = start.starts_with([' ', '\t']);
                if core::mem::replace(&mut self.follows, true) && goes_on {
                    continue;
                }
                if start.starts_with('[') {
                    (section, self.unnamed) = (Section::Wrong, true);
                }
                self.flaw(section, None);
            } else {
                self.follows = false;
            }
            self.line(&line, place, path, &mut section, &mut value);
        }
        self.finish(path, value);
    }

    /// A line that goes on with nothing.
    fn line(
        &mut self,
        line: &Line<'_>,
        place: Place,
        path: &str,
        section: &mut Section,
        value: &mut Option<Value>,
    ) {
        match line.kind {
            LineKind::Blank | LineKind::Comment | LineKind::More { .. } => {}
            LineKind::Wrong(message) => self.problem(place, message),
            LineKind::Section(name) => *section = self.section(name, place),
            LineKind::Pair { key, value: text, .. } => {
                if let Some(key) = self.key(key, place, *section) {
                    let mut begun = Value { key, place, text: String::new(), lines: 1, wrong: false };
                    self.piece(path, text, place, &mut begun);
                    *value = Some(begun);
                }
            }
        }
    }

    /// What is missing in a section may be what is wrong there: that key, or any.
    fn flaw(&mut self, section: Section, key: Option<&str>) {
        if let Section::Node(at) = section {
            if let Some(node) = self.source.nodes.get_mut(at) {
                node.flawed = true;
                node.excused |= key.is_none() || key == node.kind.wanted();
            }
        }
    }

    fn section(&mut self, text: &str, place: Place) -> Section {
        let (word, name) = match text.split_once(':') {
            Some((word, name)) => (word.trim(), Some(name.trim())),
            None => (text, None),
        };
        let shown = joined(&["[", text, "]"]);
        if word == INCLUDE && name.is_none() {
            return Section::Include;
        }
        let Some(kind) = NodeKind::from_word(word) else {
            let problem = if NodeKind::is_elsewhere(word) {
                Problem::new(&shown, "this build has no such kind")
            } else {
                let words = NodeKind::ALL.iter().map(|kind| kind.word());
                Problem::unknown(&shown, "kind of node", "", nearest(word, &mut words.chain([INCLUDE])))
            };
            return self.wrong(place, problem);
        };
        let expected = match name {
            _ if !kind.is_named() => name.map(|_| "expected [gorgon], of which there is one"),
            _ if kind.is_handler() => {
                let good = name.and_then(|name| name.split_once('/'));
                let good = good.is_some_and(|(server, name)| is_name(server) && is_name(name));
                (!good).then_some("expected [handler:SERVER/NAME], names of letters, digits, _ . and -")
            }
            Some(name) if is_name(name) => None,
            Some(_) => Some("expected a name of at most 64 letters, digits, _ . and -"),
            None => Some("expected a name, as in [http:main]"),
        };
        if let Some(message) = expected {
            return self.wrong(place, Problem::new(&shown, message));
        }
        let name = name.unwrap_or_default();
        if let Some(before) = self.source.find(kind, name) {
            let first = self.source.show_node(before);
            return self.wrong(place, Problem::new(&shown, &joined(&["given twice, first at ", &first])));
        }
        if self.source.nodes.len() >= NODES_MAX {
            return self.wrong(place, Problem::new(&shown, "more than 1000 sections"));
        }
        self.source.nodes.push(SourceNode {
            kind,
            name: name.to_owned(),
            place: Some(place),
            given: Vec::new(),
            flawed: false,
            excused: false,
        });
        Section::Node(self.source.nodes.len() - 1)
    }

    fn wrong(&mut self, place: Place, problem: Problem) -> Section {
        self.unnamed = true;
        self.tell(place, &problem.place, &problem.message);
        Section::Wrong
    }

    /// What a key stands for, if for anything.
    fn key(&mut self, key: &str, place: Place, section: Section) -> Option<Key> {
        let problem = match section {
            Section::Wrong => return None,
            Section::None => Problem::new(key, "expected a section before it, as in [http:main]"),
            Section::Include if key == "files" => return Some(Key::Files),
            Section::Include => Problem::unknown(key, "key of [include]", "", Some("files")),
            Section::Node(at) => {
                let node = self.source.nodes.get(at)?;
                match node.kind.find(key).filter(|about| !about.fact) {
                    None => {
                        let what = joined(&["setting of [", &node.section(), "]"]);
                        // As others have it: `listen 127.0.0.1:80`, of which the key is `listen 127.0.0.1`.
                        let word = split_once(key, " ").map_or(key, |(word, _)| word);
                        let (front, near, hint) = if node.kind.find(word).is_some_and(|about| !about.fact) {
                            (word, Some(" = .."), None)
                        } else {
                            let hint = hint(word, node.kind);
                            let near = nearest(word, &mut node.kind.abouts().map(|about| about.name()));
                            let near = near.filter(|_| hint.is_none());
                            ("", near, hint)
                        };
                        let mut problem = Problem::unknown(key, &what, front, near);
                        problem.message.push_str(&hint.unwrap_or_default());
                        if !front.is_empty() {
                            self.flaw(section, Some(word));
                        }
                        problem
                    }
                    Some(about) => match node.given(key) {
                        Some(before) => {
                            let first = self.source.show_origin(&before.origin);
                            Problem::new(key, &joined(&["given twice, first at ", &first]))
                        }
                        None if self.keys >= KEYS_MAX => Problem::new(key, "more than 20000 keys"),
                        None => {
                            self.keys += 1;
                            return Some(Key::Attribute(at, about));
                        }
                    },
                }
            }
        };
        self.tell(place, &problem.place, &problem.message);
        None
    }

    /// One line of a value.
    fn piece(&mut self, path: &str, text: &str, place: Place, value: &mut Value) {
        let names = Names {
            here: core::str::from_utf8(file_path::parent(path.as_bytes())).unwrap_or_default(),
            host: self.surroundings.host,
            environment: self.surroundings.environment,
        };
        let mut lone = false;
        let piece = match expand(&unquote(text), &names, &mut lone) {
            Ok(piece) => piece,
            Err(message) => {
                value.wrong = true;
                return self.problem(place, &message);
            }
        };
        if lone {
            self.problems.warn_at(&self.source, place, "a % that begins nothing stands for itself; write %%");
        }
        if piece.is_empty() {
            return;
        }
        if !value.text.is_empty() {
            if value.text.ends_with(',') {
                value.text.pop();
            }
            value.text.push(',');
        }
        value.text.push_str(&piece);
    }

    /// A value whose last line was read.
    fn finish(&mut self, path: &str, value: Option<Value>) {
        let Some(Value { key, place, text, lines, wrong }) = value else { return };
        match key {
            Key::Attribute(at, about) if wrong => self.flaw(Section::Node(at), Some(about.name())),
            Key::Files => self.include(path, &text, place),
            Key::Attribute(at, about) => {
                if lines > 1 && !matches!(about.unit, Unit::List | Unit::Rules) {
                    let message =
                        "expected one line; what begins with a blank goes on with the line before it";
                    self.flaw(Section::Node(at), Some(about.name()));
                    return self.tell(place, about.name(), message);
                }
                if let Some(node) = self.source.nodes.get_mut(at) {
                    node.give(Given { about, text, origin: Origin::File(place) });
                }
            }
        }
    }

    /// Reads the files of `[include]`, where it stands.
    fn include(&mut self, path: &str, text: &str, place: Place) {
        let here = core::str::from_utf8(file_path::parent(path.as_bytes())).unwrap_or_default();
        for word in text.split([' ', '\t', ',']).filter(|word| !word.is_empty()) {
            let base = match here {
                _ if word.starts_with('/') => "",
                "." => "",
                "/" => "/",
                here => &joined(&[here, "/"]),
            };
            let name = word.rsplit_once('/').map_or(word, |(_, name)| name);
            let directory = joined(&[base, word.strip_suffix(name).unwrap_or_default()]);
            if glob::is_pattern(directory.as_bytes()) {
                self.tell(place, word, "expected * ? and [ in the last name only");
            } else if !glob::is_pattern(name.as_bytes()) {
                self.file(&joined(&[&directory, name]), Some(place), false);
            } else {
                self.pattern(&directory, name, place);
            }
        }
    }

    fn pattern(&mut self, directory: &str, pattern: &str, place: Place) {
        let listed = if directory.is_empty() { "." } else { directory };
        let listed = match self.surroundings.files.list(listed) {
            Ok(names) => names,
            Err(message) => return self.tell(place, listed, &message),
        };
        // Few: a sort would be the largest part of this module.
        let mut names: Vec<String> = Vec::new();
        for name in listed {
            if glob::matches(pattern.as_bytes(), name.as_bytes()) {
                names.insert(names.partition_point(|other| *other < name), name);
            }
        }
        for name in names.iter().take(FILES_MAX + 1) {
            self.file(&joined(&[directory, name]), Some(place), true);
        }
    }

    /// The servers that handlers belong to are there.
    fn check_handlers(&mut self) {
        #[cfg(feature = "http")]
        for node in self.source.of_kind(NodeKind::Handler).filter(|_| !self.unnamed) {
            let server = node.name.split_once('/').map_or("", |(server, _)| server);
            if self.source.find(NodeKind::Http, server).is_some() {
                continue;
            }
            let mut servers = self.source.of_kind(NodeKind::Http).map(|node| node.name.as_str());
            let shown = joined(&["[", &node.section(), "]"]);
            let problem = Problem::unknown(&shown, "HTTP server", "", nearest(server, &mut servers));
            let message = joined(&[&problem.place, ": ", &problem.message]);
            if let Some(place) = node.place {
                self.problems.add_at(&self.source, place, &message);
            }
        }
    }
}

#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod tests;
