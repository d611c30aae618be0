//! Kinds of nodes and their attributes.

use alloc::borrow::ToOwned;
use alloc::string::String;

use super::{Problem, Unit, Value};
use crate::text::nearest::nearest;

/// Who may change an attribute; each role may all that the ones before it may.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Debug))]
pub enum Role {
    /// Looks only.
    View,
    /// Tunes what is running.
    Operate,
    /// Decides what is served, and where.
    Admin,
}

/// A short form of an attribute on the command line, beside `--KIND.NAME.key=`.
#[derive(Clone, Copy)]
pub struct Flag {
    /// The letter of `-l`, if it has one.
    pub short: Option<char>,
    /// The word of `--listen`.
    pub long: &'static str,
    /// What stands for its value in help; empty for a switch.
    pub value: &'static str,
}

/// What an attribute is, apart from the settings that hold it.
#[derive(Clone, Copy)]
pub struct About {
    /// Its key: lower-case words joined by `_`.
    pub name: &'static str,
    /// What it holds.
    pub unit: Unit,
    /// The text of its default.
    pub default: &'static str,
    /// What it does. The first sentence stands alone as the short help; all of it is in the manual page.
    pub help: &'static str,
    /// Its short form, if it has one.
    pub flag: Option<&'static Flag>,
    /// Who may change it.
    pub role: Role,
    /// Whether it may change while the program runs.
    pub live: bool,
    /// Nobody sets it: it tells what is.
    pub fact: bool,
    /// It only grows, from 0 at the start.
    pub counter: bool,
}

impl About {
    /// An attribute that an operator may tune while the program runs.
    #[must_use]
    pub const fn live(name: &'static str, unit: Unit, default: &'static str, help: &'static str) -> Self {
        Self {
            name,
            unit,
            default,
            help,
            flag: None,
            role: Role::Operate,
            live: true,
            fact: false,
            counter: false,
        }
    }

    /// An attribute that an administrator sets before the program starts.
    #[must_use]
    pub const fn fixed(name: &'static str, unit: Unit, default: &'static str, help: &'static str) -> Self {
        Self {
            name,
            unit,
            default,
            help,
            flag: None,
            role: Role::Admin,
            live: false,
            fact: false,
            counter: false,
        }
    }

    /// What is, and is not set: a number of connections, a name.
    #[must_use]
    pub const fn fact(name: &'static str, unit: Unit, help: &'static str) -> Self {
        let role = Role::View;
        Self { name, unit, default: "", help, flag: None, role, live: false, fact: true, counter: false }
    }

    /// A fact that only grows, from 0 at the start.
    #[must_use]
    pub const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Self {
        let mut about = Self::fact(name, unit, help);
        about.counter = true;
        about
    }

    /// The same, but only an administrator may change it.
    #[must_use]
    pub const fn by_admin(mut self) -> Self {
        self.role = Role::Admin;
        self
    }

    /// An attribute that an administrator may change while the program runs.
    #[must_use]
    pub const fn admin(name: &'static str, unit: Unit, default: &'static str, help: &'static str) -> Self {
        let mut about = Self::live(name, unit, default, help);
        about.role = Role::Admin;
        about
    }

    /// The same with a short form on the command line.
    #[must_use]
    pub const fn with_flag(mut self, flag: &'static Flag) -> Self {
        self.flag = Some(flag);
        self
    }

    /// The first sentence of its help, without the full stop.
    #[must_use]
    pub fn short_help(&self) -> &'static str {
        first_sentence(self.help)
    }
}

/// The first sentence of a text, without the full stop.
#[must_use]
pub fn first_sentence(text: &'static str) -> &'static str {
    let end = text.as_bytes().windows(2).position(|pair| pair == b". ");
    let sentence = end.and_then(|end| text.get(..end)).unwrap_or(text);
    sentence.strip_suffix('.').unwrap_or(sentence)
}

/// One attribute of the settings `T`.
pub struct Attribute<T: 'static> {
    /// What it is.
    pub about: About,
    /// Its value now.
    pub get: fn(&T) -> Value,
    /// Takes a value that its unit has let through; refuses with `expected ..` what the unit cannot check.
    pub set: fn(&mut T, Value) -> Result<(), String>,
}

/// A kind of node: its word and its attributes, in the order they are shown.
pub struct Kind<T: 'static> {
    /// `http`.
    pub name: &'static str,
    /// What such a node is.
    pub help: &'static str,
    /// Its attributes.
    pub attributes: &'static [Attribute<T>],
}

impl<T> Kind<T> {
    /// The attribute of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static Attribute<T>> {
        self.attributes.iter().find(|attribute| attribute.about.name == name)
    }

    /// What each attribute is, in order.
    pub fn abouts(&self) -> impl Iterator<Item = &'static About> + use<T> {
        self.attributes.iter().map(|attribute| &attribute.about)
    }

    /// Sets one attribute from text.
    ///
    /// # Errors
    /// There is no such attribute (the nearest one is named), or the text is not a value for it. The place of the
    /// problem is `name`; whoever knows where the text was written says so instead.
    pub fn set_text(&self, settings: &mut T, name: &str, text: &str) -> Result<(), Problem> {
        let attributes = self.attributes;
        let (at, value) = read(&|at| attributes.get(at).map(|attribute| &attribute.about), name, text)?;
        match attributes.get(at) {
            Some(attribute) => (attribute.set)(settings, value)
                .map_err(|message| Problem { place: name.to_owned(), message }),
            None => Ok(()),
        }
    }

    /// Sets every attribute to its default.
    pub fn defaults(&self, settings: &mut T) {
        for Attribute { about, set, .. } in self.attributes.iter().filter(|attribute| !attribute.about.fact) {
            // Never an error: a test of each table parses and sets every default.
            let _ = about.unit.parse(about.default).and_then(|value| set(settings, value));
        }
    }
}

/// The attribute of that name and the value that the text is for it: what of [`Kind::set_text`] is the same for every
/// kind.
#[inline(never)]
fn read(
    about: &dyn Fn(usize) -> Option<&'static About>,
    name: &str,
    text: &str,
) -> Result<(usize, Value), Problem> {
    let found = (0..).map_while(about).enumerate().find(|(_, about)| about.name == name && !about.fact);
    let Some((at, about)) = found else {
        let near = nearest(name, &mut (0..).map_while(about).map(|about| about.name));
        return Err(Problem::unknown(name, "setting", "", near));
    };
    match about.unit.parse(text) {
        Ok(value) => Ok((at, value)),
        Err(message) => Err(Problem { place: name.to_owned(), message }),
    }
}
