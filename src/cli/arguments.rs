//! Arguments and environment into a command. Pure: nothing is opened, looked up or printed here.
//!
//! ```text
//! gorgon [OPTIONS] [DIR|FILE]
//! gorgon COMMAND [-c FILE] [OPTIONS]               what the file says; options go before it
//! -l ADDR  -lADDR  --listen ADDR  --listen=ADDR    short forms, as the tables declare them; -vq is -v -q
//! --http.main.KEY=VALUE  --gorgon.KEY=VALUE        every attribute of every node
//! GORGON_HTTP_MAIN_KEY   GORGON_KEY                the same in the environment
//! --hidden  --no-hidden                            a switch turned on and off
//! --                                               ends the options
//! ```
//! A flag goes before the environment, the environment before the file, the file before the default. A list given more
//! than once on the command line is joined; of other values the last one counts.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::command::{self, Command, Configured};
use super::node::{ALL, flag_prefix};
use crate::config::kind::NodeKind;
use crate::config::load::without_file;
use crate::config::overrides::{self, Override};
use crate::config::problems::Problems;
use crate::config::settings::Settings;
use crate::text::join::{joined, push_all};
use crate::text::nearest::nearest;
use crate::tree::{About, Flag, Problem, Unit};
use core::str::from_utf8;

/// Texts as the system hands them over: arguments, or names of variables.
pub type Arguments<'i, 'a> = &'i mut dyn Iterator<Item = &'a [u8]>;

/// Reads the arguments that follow the program's name, and the environment through a function that looks up one
/// name. `--help` goes before everything else, problems included, and `--version` after it. A command stands first.
///
/// # Errors
/// All that is wrong, not just the first.
pub fn parse<'a>(
    args: Arguments<'_, 'a>,
    environment: &dyn Fn(&str) -> Option<&'a [u8]>,
) -> Result<Command<'a>, Vec<Problem>> {
    let mut reader = Reader::default();
    let first = args.next();
    reader.command = first.and_then(|word| from_utf8(word).ok()).and_then(command::find);
    match (reader.command, first) {
        (Some(word), _) if command::OTHERS.iter().any(|(name, _)| *name == word) => {
            return Ok(Command::Other(word, args.collect()));
        }
        (Some(_), _) | (None, None) => reader.read(args),
        (None, Some(first)) => reader.read(&mut [first].into_iter().chain(args)),
    }
    if reader.help {
        return Ok(Command::Help(reader.command));
    }
    if reader.version {
        return Ok(Command::Version);
    }
    let command = match reader.command {
        None => {
            let settings = reader.serve(environment);
            Command::Serve(settings)
        }
        Some(word) => reader.configured(word),
    };
    if reader.problems.is_empty() { Ok(command) } else { Err(reader.problems) }
}

/// All problems as lines for standard error, with the way to help after them: that of the command, if the first argument
/// is one.
#[must_use]
pub fn print_problems(problems: &[Problem], first: Option<&[u8]>) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str("gorgon: ");
        problem.print(&mut out);
        out.push('\n');
    }
    out.push_str("gorgon: see gorgon ");
    if let Some(word) = first.and_then(|word| from_utf8(word).ok()).and_then(command::find) {
        push_all(&mut out, &[word, " "]);
    }
    out.push_str("--help\n");
    out
}

#[derive(Default)]
struct Reader<'a> {
    /// The command that stands first, if one does.
    command: Option<&'static str>,
    given: Vec<Override>,
    target: Option<&'a [u8]>,
    /// The file of the configuration.
    path: Option<String>,
    json: bool,
    help: bool,
    version: bool,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, args: Arguments<'_, 'a>) {
        let mut ended = false;
        while let Some(arg) = args.next() {
            if ended || !arg.starts_with(b"-") || arg == b"-" {
                self.target(arg, ended);
            } else if arg == b"--" {
                ended = true;
            } else if let Ok(text) = from_utf8(arg) {
                if let Some(long) = text.strip_prefix("--") {
                    self.long(text, long, args);
                } else {
                    self.short(text, args);
                }
            } else {
                self.problem(&shown(arg), NOT_UTF8);
            }
        }
    }

    fn target(&mut self, target: &'a [u8], ended: bool) {
        let shown = shown(target);
        if self.command.is_none() && !ended && command::is_command(&shown) {
            let message = match command::find(&shown) {
                Some(_) => "a command goes before all options; a directory of that name is ./",
                None => "no such command in this build; a directory of that name is ./",
            };
            self.problem(&shown, &joined(&[message, &*shown]));
        } else if target.is_empty() {
            self.problem("''", "expected a directory or a file");
        } else if self.target.is_some()
            && !self.problems.iter().any(|one| one.message.starts_with("no such option"))
        {
            // After an option that is unknown it may have been that option's value.
            self.problem(
                &shown,
                match self.command {
                    None => "only one directory or file can be served",
                    Some(_) => "expected no more than one file",
                },
            );
        } else if self.target.is_none() {
            self.target = Some(target);
        }
    }

    /// `text` is `--NAME` or `--NAME=VALUE`, `long` the same without the dashes.
    fn long(&mut self, text: &str, long: &str, args: Arguments<'_, 'a>) {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        match name {
            "help" | "version" if value.is_some() => self.problem(text, "takes no value"),
            "help" => self.help = true,
            "version" => self.version = true,
            "config" if self.command.is_some() => self.config("--config", value, args),
            "json" if self.command == Some("dump") && value.is_none() => self.json = true,
            _ => {
                let found = if name.contains('.') {
                    self.by_path(text, name)
                } else {
                    if let Some((kind, about)) = name.strip_prefix("no-").and_then(switch) {
                        return match value {
                            Some(_) => self.problem(text, "takes no value"),
                            None => self.give((kind, self.only(kind), about), text.to_owned(), "off"),
                        };
                    }
                    self.by_flag(text, &|flag| flag.long == name)
                };
                let written = text.split_once('=').map_or(text, |(written, _)| written);
                match found {
                    Ok(attribute) => self.value(attribute, written, "=", value, args),
                    Err(problem) => self.problems.push(problem),
                }
            }
        }
    }

    /// The name that a short form means: the only node of its kind.
    fn only(&self, kind: NodeKind) -> Option<String> {
        match (self.command, kind.is_named()) {
            (_, false) => Some(String::new()),
            (None, true) => Some("main".to_owned()),
            (Some(_), true) => None,
        }
    }

    /// The file of the configuration.
    fn config(&mut self, written: &str, value: Option<&str>, args: Arguments<'_, 'a>) {
        let value = value.map_or_else(|| args.next().map(from_utf8), |value| Some(Ok(value)));
        match value {
            Some(Ok("")) | None => self.problem(written, &joined(&["expected a file: ", written, " FILE"])),
            Some(Err(_)) => self.problem(written, NOT_UTF8),
            Some(Ok(_)) if self.path.is_some() => self.problem(written, "given twice"),
            Some(Ok(path)) => self.path = Some(path.to_owned()),
        }
    }

    /// `text` is `-` and one or more letters, the last of which may be followed by its value.
    fn short(&mut self, text: &str, args: Arguments<'_, 'a>) {
        let mut letters = text.strip_prefix('-').unwrap_or(text).chars();
        while let Some(letter) = letters.next() {
            let written = String::from_iter(['-', letter]);
            match letter {
                'h' => self.help = true,
                'V' => self.version = true,
                'c' if self.command.is_some() => {
                    return self.config("-c", rest_of(letters.as_str()), args);
                }
                _ => match self.by_flag(&written, &|flag| flag.short == Some(letter)) {
                    Ok(attribute) if attribute.2.unit == Unit::Switch => {
                        self.value(attribute, &written, "", None, args);
                    }
                    Ok(attribute) => {
                        return self.value(attribute, &written, "", rest_of(letters.as_str()), args);
                    }
                    Err(problem) => return self.problems.push(problem),
                },
            }
        }
    }

    /// Takes the value that came with an option, or the argument after it, unless it is a switch.
    fn value(
        &mut self,
        attribute: Attribute,
        written: &str,
        joint: &str,
        value: Option<&str>,
        args: Arguments<'_, 'a>,
    ) {
        let about = attribute.2;
        if let Some(value) = value {
            return self.give(attribute, joined(&[written, joint, value]), value);
        }
        if about.unit == Unit::Switch {
            return self.give(attribute, written.to_owned(), "on");
        }
        match args.next().map(|value| from_utf8(value).map_err(|_| value)) {
            Some(Ok(value)) => self.give(attribute, joined(&[written, " ", value]), value),
            Some(Err(value)) => self.problem(&joined(&[written, " ", &shown(value)]), NOT_UTF8),
            None => {
                let placeholder = about.flag.map_or(about.unit.placeholder(), |flag| flag.value);
                self.problem(written, &joined(&["expected a value: ", written, " ", placeholder]));
            }
        }
    }

    fn give(&mut self, (kind, name, about): Attribute, place: String, text: &str) {
        overrides::give(&mut self.given, Override { kind, name, about, place, text: text.to_owned() });
    }

    /// The settings without a configuration.
    fn serve(&mut self, environment: &dyn Fn(&str) -> Option<&'a [u8]>) -> Box<Settings> {
        let mut problems = Problems::default();
        #[cfg(feature = "http")]
        if let Some(target) = self.target {
            if self.given.iter().any(|given| given.kind == NodeKind::Http && given.about.name() == "root") {
                self.problem(&shown(target), "cannot go with --http.main.root, which says the same");
            }
        }
        let (_source, settings) = without_file(self.target, &self.given, environment, &mut problems);
        self.problems.extend(problems.into_list());
        Box::new(settings)
    }

    /// A command that reads a configuration.
    fn configured(&mut self, word: &str) -> Command<'a> {
        let config = Configured { path: self.path.take(), flags: core::mem::take(&mut self.given) };
        match (word, self.target.map(from_utf8)) {
            ("diff", Some(Ok(other))) => return Command::Diff { config, other: other.to_owned() },
            ("diff", Some(Err(_))) => self.problem("diff", NOT_UTF8),
            ("diff", None) => self.problem("diff", "expected a file: gorgon diff [-c FILE] OTHER"),
            (_, Some(_)) => {
                let target = self.target.map(shown).unwrap_or_default();
                let message = [
                    "expected no file but that of -c",
                    "; did you mean gorgon ",
                    word,
                    " -c ",
                    &*target,
                    "?",
                ];
                let told = if config.path.is_some() { 1 } else { message.len() };
                self.problem(&target, &joined(message.get(..told).unwrap_or_default()));
            }
            (_, None) => {}
        }
        match word {
            "check" => Command::Check(config),
            "dump" => Command::Dump { config, json: self.json },
            _ => Command::Run(config),
        }
    }

    fn problem(&mut self, place: &str, message: &str) {
        self.problems.push(Problem::new(place, message));
    }
}

/// Text that is not UTF-8 as well as it can be shown.
fn shown(text: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(text)
}

const NOT_UTF8: &str = "expected UTF-8";

/// The value behind the letter of a short form.
fn rest_of(letters: &str) -> Option<&str> {
    let rest = letters.strip_prefix('=').unwrap_or(letters);
    (!rest.is_empty()).then_some(rest)
}

/// A node's kind, its name unless the only one is meant, and one of its attributes.
type Attribute = (NodeKind, Option<String>, &'static About);

/// The switch that `--NAME` turns on.
fn switch(name: &str) -> Option<(NodeKind, &'static About)> {
    let mut all = ALL.iter().flat_map(|&kind| kind.abouts().map(move |about| (kind, about)));
    all.find(|(_, about)| about.unit == Unit::Switch && about.flag.is_some_and(|flag| flag.long == name))
}

impl Reader<'_> {
    /// The attribute whose short form is looked for; `text` is what was written.
    fn by_flag(&self, text: &str, is: &dyn Fn(&Flag) -> bool) -> Result<Attribute, Problem> {
        for &kind in ALL {
            if let Some(about) = kind.abouts().find(|about| about.flag.is_some_and(is)) {
                return Ok((kind, self.only(kind), about));
            }
        }
        let Some(name) = text.strip_prefix("--") else {
            let near = match text {
                "-p" | "-b" => Some("-l ADDR"),
                "-c" => Some("gorgon run -c FILE"),
                "-t" => Some("gorgon check -c FILE"),
                _ => None,
            };
            return Err(Problem::unknown(text, "option", "", near));
        };
        let name = name.split_once('=').map_or(name, |(name, _)| name);
        if ["port", "bind", "address", "addr"].contains(&name) {
            return Err(Problem::unknown(text, "option", "", Some("-l ADDR")));
        }
        if name == "config" {
            return Err(Problem::unknown(text, "option", "", Some("gorgon run -c FILE")));
        }
        // The key of a setting alone is more likely a setting than a mistyped option.
        if let Some(&kind) = ALL.iter().find(|kind| kind.find(name).is_some()) {
            return Err(Problem::unknown(text, "option", flag_prefix(kind), Some(name)));
        }
        let flags = ALL.iter().flat_map(|kind| kind.abouts()).filter_map(|about| about.flag);
        let words = flags.map(|flag| flag.long).chain(["help", "version"]);
        let more: &[&str] = match self.command {
            None => &[],
            Some("dump") => &["config", "json"],
            Some(_) => &["config"],
        };
        if let Some(off) = name.strip_prefix("no").filter(|off| switch(off).is_some()) {
            return Err(Problem::unknown(text, "option", "--no-", Some(off)));
        }
        if let Some(near) = nearest(name, &mut words.chain(more.iter().copied())) {
            return Err(Problem::unknown(text, "option", "--", Some(near)));
        }
        for &kind in ALL {
            if let Some(near) = nearest(name, &mut kind.abouts().map(|about| about.name())) {
                return Err(Problem::unknown(text, "option", flag_prefix(kind), Some(near)));
            }
        }
        Err(Problem::unknown(text, "option", "", None))
    }

    /// The attribute at `KIND.NAME.KEY`, or `gorgon.KEY`.
    fn by_path(&self, text: &str, path: &str) -> Result<Attribute, Problem> {
        let (word, rest) = path.split_once('.').unwrap_or((path, ""));
        let kinds = if self.command.is_some() { NodeKind::ALL } else { ALL };
        let Some(&kind) = kinds.iter().find(|kind| kind.word() == word) else {
            let near = nearest(word, &mut kinds.iter().map(|kind| kind.word()));
            return Err(Problem::unknown(text, "kind of node", "--", near));
        };
        let (name, key) = match rest.rsplit_once('.') {
            _ if !kind.is_named() => ("", rest),
            Some((name, key)) if self.command.is_some() || name == "main" => (name, key),
            Some(_) | None => {
                let name = if self.command.is_some() { "NAME" } else { "main" };
                return Err(Problem::new(text, &joined(&["expected --", word, ".", name, ".KEY"])));
            }
        };
        match kind.find(key) {
            Some(about) => Ok((kind, Some(name.to_owned()), about)),
            None => {
                let prefix = match name {
                    "" => joined(&["--", word, "."]),
                    name => joined(&["--", word, ".", name, "."]),
                };
                let near = nearest(key, &mut kind.abouts().map(|about| about.name()));
                Err(Problem::unknown(text, "setting", &prefix, near))
            }
        }
    }
}

#[cfg(test)]
#[cfg(feature = "http")]
mod tests;
