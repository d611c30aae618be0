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

/// What an attribute is, apart from the settings that hold it. The macros `admin!`, `live!`, `fixed!`, `fact!` and
/// `counter!` make it.
#[derive(Clone, Copy)]
pub struct About {
    /// Its name, its default and its help, a tab behind each of the first two: three texts of their own would be three
    /// addresses, each of which the program has to have put right when it starts.
    texts: &'static str,
    /// Where the first tab is.
    name_end: u8,
    /// Where the second one is.
    default_end: u8,
    /// What it holds.
    pub unit: Unit,
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

/// Where a tab is from a place on. A text without one does not compile.
const fn tab(text: &str, from: u8) -> u8 {
    let mut at = from;
    let (_, mut rest) = text.as_bytes().split_at(from as usize);
    while let [byte, tail @ ..] = rest {
        if *byte == b'\t' {
            break;
        }
        rest = tail;
        at += 1;
    }
    assert!(!rest.is_empty(), "name, default and help, with tabs between");
    at
}

impl About {
    const fn new(texts: &'static str, unit: Unit, role: Role) -> Self {
        let name_end = tab(texts, 0);
        let default_end = tab(texts, name_end + 1);
        Self {
            texts,
            name_end,
            default_end,
            unit,
            flag: None,
            role,
            live: false,
            fact: false,
            counter: false,
        }
    }

    /// An attribute that an operator may tune while the program runs, of its texts as they are packed.
    #[must_use]
    pub const fn live(texts: &'static str, unit: Unit) -> Self {
        let mut about = Self::new(texts, unit, Role::Operate);
        about.live = true;
        about
    }

    /// An attribute that an administrator sets before the program starts.
    #[must_use]
    pub const fn fixed(texts: &'static str, unit: Unit) -> Self {
        Self::new(texts, unit, Role::Admin)
    }

    /// What is, and is not set: a number of connections, a name. It has no default.
    #[must_use]
    pub const fn fact(texts: &'static str, unit: Unit) -> Self {
        let mut about = Self::new(texts, unit, Role::View);
        about.fact = true;
        about
    }

    /// A fact that only grows, from 0 at the start.
    #[must_use]
    pub const fn counter(texts: &'static str, unit: Unit) -> Self {
        let mut about = Self::fact(texts, unit);
        about.counter = true;
        about
    }

    /// The same, but only an administrator may change it.
    #[must_use]
    pub const fn by_admin(mut self) -> Self {
        self.role = Role::Admin;
        self
    }

    /// The same with a short form on the command line.
    #[must_use]
    pub const fn with_flag(mut self, flag: &'static Flag) -> Self {
        self.flag = Some(flag);
        self
    }

    /// Its key: lower-case words joined by `_`.
    #[inline(never)]
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.texts.get(..usize::from(self.name_end)).unwrap_or_default()
    }

    /// The text of its default.
    #[inline(never)]
    #[must_use]
    pub fn default(&self) -> &'static str {
        self.texts.get(usize::from(self.name_end) + 1..usize::from(self.default_end)).unwrap_or_default()
    }

    /// What it does. The first sentence stands alone as the short help; all of it is in the manual page.
    #[inline(never)]
    #[must_use]
    pub fn help(&self) -> &'static str {
        self.texts.get(usize::from(self.default_end) + 1..).unwrap_or_default()
    }

    /// The first sentence of its help, without the full stop.
    #[must_use]
    pub fn short_help(&self) -> &'static str {
        first_sentence(self.help())
    }
}

/// [`About::live`] of a name, a unit, a default and a help.
#[macro_export]
macro_rules! live {
    ($name:literal, $unit:expr, $default:literal, $help:literal $(,)?) => {
        $crate::tree::About::live(concat!($name, "\t", $default, "\t", $help), $unit)
    };
}

/// The same, but only an administrator may change it.
#[macro_export]
macro_rules! admin {
    ($($part:tt)*) => {
        $crate::live!($($part)*).by_admin()
    };
}

/// [`About::fixed`] of a name, a unit, a default and a help.
#[macro_export]
macro_rules! fixed {
    ($name:literal, $unit:expr, $default:literal, $help:literal $(,)?) => {
        $crate::tree::About::fixed(concat!($name, "\t", $default, "\t", $help), $unit)
    };
}

/// [`About::fact`] of a name, a unit and a help.
#[macro_export]
macro_rules! fact {
    ($name:literal, $unit:expr, $help:literal $(,)?) => {
        $crate::tree::About::fact(concat!($name, "\t\t", $help), $unit)
    };
}

/// [`About::counter`] of a name, a unit and a help.
#[macro_export]
macro_rules! counter {
    ($name:literal, $unit:expr, $help:literal $(,)?) => {
        $crate::tree::About::counter(concat!($name, "\t\t", $help), $unit)
    };
}

/// The first sentence of a text, without the full stop.
#[must_use]
pub fn first_sentence(text: &'static str) -> &'static str {
    let end = text.as_bytes().windows(2).position(|pair| pair == b". ");
    let sentence = end.and_then(|end| text.get(..end)).unwrap_or(text);
    sentence.strip_suffix('.').unwrap_or(sentence)
}

/// Takes a value: what is behind the reference may be taken out of it. By value it would be copied once more in each.
pub type Set<T> = fn(&mut T, &mut Value) -> Result<(), String>;

/// One attribute of the settings `T`.
pub struct Attribute<T: 'static> {
    /// What it is.
    pub about: About,
    /// Its value now.
    pub get: fn(&T) -> Value,
    /// Takes a value that its unit has let through; refuses with `expected ..` what the unit cannot check. A fact has none.
    pub set: Option<Set<T>>,
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
        self.attributes.iter().find(|attribute| attribute.about.name() == name)
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
        let (at, mut value) = read(&|at| attributes.get(at).map(|attribute| &attribute.about), name, text)?;
        match attributes.get(at).and_then(|attribute| attribute.set) {
            Some(set) => {
                set(settings, &mut value).map_err(|message| Problem { place: name.to_owned(), message })
            }
            None => Ok(()),
        }
    }

    /// Sets every attribute to its default.
    pub fn defaults(&self, settings: &mut T) {
        for Attribute { about, set, .. } in self.attributes {
            if let Some(set) = set {
                // Never an error: a test of each table parses and sets every default.
                let _ = about.unit.parse(about.default()).and_then(|mut value| set(settings, &mut value));
            }
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
    let found = (0..).map_while(about).enumerate().find(|(_, about)| about.name() == name && !about.fact);
    let Some((at, about)) = found else {
        let near = nearest(name, &mut (0..).map_while(about).map(|about| about.name()));
        return Err(Problem::unknown(name, "setting", "", near));
    };
    match about.unit.parse(text) {
        Ok(value) => Ok((at, value)),
        Err(message) => Err(Problem { place: name.to_owned(), message }),
    }
}
