//! What the monitor works over: kinds with their types left out, paths, changes, and the [`Tree`] that holds the nodes.
//!
//! ```text
//!   /http/main           Path { kind: "http", name: "main" }
//!   /handler/main/files  Path { kind: "handler", name: "main/files" }
//!   /loop                Path { kind: "loop", name: "" }
//! ```

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::{About, Role, Value};
use crate::text::join::joined;

/// A kind of node with the type of its settings left out.
pub struct Schema {
    /// `http`.
    pub name: &'static str,
    /// What such a node is.
    pub help: &'static str,
    /// Whether nodes of the kind have names, and there are any number of them; otherwise there is one.
    pub named: bool,
    /// What the attribute at that place is.
    pub about: fn(usize) -> Option<&'static About>,
    /// What such a node can be told to do.
    pub methods: &'static [Method],
}

impl Schema {
    /// Its attributes, in order.
    pub fn abouts(&self) -> impl Iterator<Item = &'static About> + use<> {
        let about = self.about;
        (0..).map_while(about)
    }

    /// The attribute of that name, and its place.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(usize, &'static About)> {
        self.abouts().enumerate().find(|(_, about)| about.name() == name)
    }

    /// The method of that name.
    #[must_use]
    pub fn method(&self, name: &str) -> Option<&'static Method> {
        self.methods.iter().find(|method| method.name == name)
    }
}

/// What a node can be told to do.
#[derive(Clone, Copy)]
pub struct Method {
    /// `close`.
    pub name: &'static str,
    /// Its words, as help shows them: `before NAME`; empty for none.
    pub words: &'static str,
    /// What it does.
    pub help: &'static str,
    /// Who may.
    pub role: Role,
    /// It changes the configuration: between `begin` and `commit` it is put off, and done with all the rest or not at
    /// all.
    pub configures: bool,
}

impl Method {
    /// Whether these are words that it takes: one of the forms that [`Method::words`] shows. There a word of small
    /// letters is said as it is, another stands for any word, and `[KEY=VALUE ...]` for any number of pairs.
    #[inline(never)]
    #[must_use]
    pub fn takes(&self, words: &[String]) -> bool {
        // By bytes and bare words: a search for a text is kilobytes.
        self.words.split('|').any(|form| {
            let mut rest = words.iter();
            for wanted in form.split_ascii_whitespace() {
                let any = wanted.bytes().all(|byte| byte.is_ascii_uppercase());
                if wanted == "[KEY=VALUE" {
                    return rest.all(|word| word.contains('='));
                }
                match rest.next() {
                    Some(word) if any || word == wanted => {}
                    Some(_) | None => return false,
                }
            }
            rest.next().is_none()
        })
    }
}

/// Names a node.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Path<'a> {
    /// The kind's word.
    pub kind: &'a str,
    /// Its name; empty for the only node of its kind.
    pub name: &'a str,
}

impl<'a> Path<'a> {
    /// Reads `/KIND` or `/KIND/NAME`. A name may hold further slashes.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Path<'a>> {
        let rest = text.strip_prefix('/')?;
        let (kind, name) = rest.split_once('/').unwrap_or((rest, ""));
        let wrong = kind.is_empty() || (name.is_empty() && rest.ends_with('/'));
        (!wrong).then_some(Path { kind, name })
    }

    /// Appends it as [`Path::parse`] reads it.
    pub fn print(&self, out: &mut String) {
        out.push('/');
        out.push_str(self.kind);
        if !self.name.is_empty() {
            out.push('/');
            out.push_str(self.name);
        }
    }

    /// Its text, as [`Path::parse`] reads it.
    #[inline(never)]
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        self.print(&mut text);
        text
    }
}

/// Who asks.
#[derive(Clone)]
pub struct Actor {
    /// What they may.
    pub role: Role,
    /// How the log names them: `uid 0, pid 17` or `anna from 127.0.0.1`.
    pub who: String,
}

/// One step of a change of the configuration.
#[derive(Clone)]
pub enum Step {
    /// An attribute gets another value.
    Set {
        /// The node, as it was written: `/http/main`.
        path: String,
        /// The attribute.
        key: String,
        /// The value, as it was written.
        text: String,
    },
    /// A method that configures.
    Call {
        /// The node.
        path: String,
        /// The method.
        method: &'static Method,
        /// Its words.
        words: Vec<String>,
    },
}

impl Step {
    /// Sets an attribute to a text.
    #[inline(never)]
    #[must_use]
    pub fn set(path: &str, key: &str, text: &str) -> Step {
        Step::Set { path: String::from(path), key: String::from(key), text: String::from(text) }
    }
}

/// Why something was not done.
#[derive(Clone)]
#[cfg_attr(test, derive(Debug))]
pub struct Trouble {
    /// Of which sort it is.
    pub code: Code,
    /// What is wrong, and what was expected.
    pub message: String,
}

impl Trouble {
    /// Trouble in a few words.
    #[must_use]
    pub fn new(code: Code, words: &[&str]) -> Box<Trouble> {
        Box::new(Trouble { code, message: joined(words) })
    }
}

/// The sorts of trouble.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Code {
    /// It cannot be read.
    Syntax,
    /// There is no such verb, kind, attribute or method.
    Unknown,
    /// There is no such node.
    Missing,
    /// The role is too low, or the program has given the right away.
    Refused,
    /// The value is wrong.
    Invalid,
    /// It does not go with something else.
    Conflict,
    /// It is more than a limit allows.
    Limit,
    /// The system did not do it.
    Failed,
}

impl Code {
    /// Its word, as replies give it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Syntax => "syntax",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
            Self::Refused => "refused",
            Self::Invalid => "invalid",
            Self::Conflict => "conflict",
            Self::Limit => "limit",
            Self::Failed => "failed",
        }
    }
}

/// The nodes of the running program.
pub trait Tree {
    /// Every kind, in the order they are shown.
    fn schemas(&self) -> &'static [Schema];

    /// Names nodes of a kind from a place on, a bounded number of them in one call, and gives the place to go on from;
    /// nothing at the end. The first place is 0. Nodes that come and go between the calls may be named or not; those
    /// that stay are named once.
    fn names(&mut self, schema: &'static Schema, from: u64, visit: &mut dyn FnMut(&str)) -> Option<u64>;

    /// An attribute's value, by its place in the schema. Nothing: there is no such node.
    fn get(&mut self, path: &Path<'_>, attribute: usize) -> Option<Value>;

    /// The same steps, each on the node that keeps what it changes, for some nodes show what another one keeps: the buffer
    /// of a listener is `listen[1].write_buffer` of its server, a part of a rule. What waits or is looked for by name
    /// goes by these.
    ///
    /// # Errors
    /// The first step that cannot be done, named.
    fn canonical(&mut self, steps: &[Step]) -> Result<Vec<Step>, Box<Trouble>> {
        Ok(steps.to_vec())
    }

    /// The text that a part has, as [`Tree::canonical`] names it, which is no attribute: empty where it has none of its
    /// own. Nothing: it is no such part.
    fn part(&mut self, _path: &str, _key: &str) -> Option<String> {
        None
    }

    /// The attributes, as `/http/main.listen`, of which the configuration says something else than before since this was
    /// asked last. Nothing: it was not read again.
    fn touched(&mut self) -> Option<Vec<String>> {
        None
    }

    /// What the configuration says of an attribute, as it was read last.
    fn said(&mut self, _path: &str, _key: &str) -> Option<String> {
        None
    }

    /// Changes the configuration, or what lives, in all these steps or in none. That the actor's role suffices was
    /// looked at before.
    ///
    /// # Errors
    /// The first step that cannot be done, named.
    fn change(&mut self, steps: &[Step], actor: &Actor) -> Result<(), Box<Trouble>>;

    /// Has a node do something that does not configure; gives lines to show, perhaps none.
    ///
    /// # Errors
    /// Why it cannot be done.
    fn call(
        &mut self,
        path: &Path<'_>,
        method: &'static Method,
        words: &[String],
        actor: &Actor,
    ) -> Result<String, Box<Trouble>>;

    /// Writes what was changed while the program ran into its file, but for values that will change back by
    /// these steps. Gives lines that say what was written.
    ///
    /// # Errors
    /// There is no file, it was changed meanwhile, or the system's words.
    fn save(&mut self, passing: &[Step], actor: &Actor) -> Result<String, Box<Trouble>>;

    /// Visits the events from a number on that are still kept, oldest first; gives the number that the next one will
    /// have. Events are numbered one by one, so with nothing visited, as from `u64::MAX` on, it tells only that.
    fn events(&mut self, from: u64, visit: &mut dyn FnMut(&str)) -> u64;

    /// Notes an event.
    fn note(&mut self, words: &[&str]);

    /// Milliseconds since the program started.
    fn milliseconds(&self) -> u64;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_take_the_words_they_show() {
        let place = "first | last | before NAME | after NAME";
        for (shown, words, takes) in [
            ("", "", true),
            ("", "x", false),
            ("", "for 2s", false),
            (place, "first", true),
            (place, "before a", true),
            (place, "after first", true),
            (place, "", false),
            (place, "before", false),
            (place, "first first", false),
            (place, "before a b", false),
            (place, "up", false),
            ("PATH [KEY=VALUE ...]", "", false),
            ("PATH [KEY=VALUE ...]", "/http/x", true),
            ("PATH [KEY=VALUE ...]", "/http/x a=b c=", true),
            ("PATH [KEY=VALUE ...]", "/http/x a=b c", false),
        ] {
            let method = Method { name: "do", words: shown, help: "", role: Role::Admin, configures: true };
            let list: Vec<String> = words.split_ascii_whitespace().map(String::from).collect();
            assert_eq!(method.takes(&list), takes, "{shown}: {words}");
        }
    }

    #[test]
    fn paths_are_read_and_printed() {
        for (text, kind, name) in [
            ("/loop", "loop", ""),
            ("/http/main", "http", "main"),
            ("/handler/main/a/b", "handler", "main/a/b"),
        ] {
            let path = Path::parse(text).unwrap();
            assert_eq!(path, Path { kind, name });
            let mut out = String::new();
            path.print(&mut out);
            assert_eq!(out, text);
        }
        for text in ["", "/", "loop", "/http/", "//", "//a"] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
