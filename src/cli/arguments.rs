//! Arguments and environment into a command. Pure: nothing is opened, looked up or printed here.
//!
//! ```text
//! gorgon [OPTIONS] [DIR|FILE]
//! -l ADDR  -lADDR  --listen ADDR  --listen=ADDR    short forms, as the tables declare them; -vq is -v -q
//! --http.main.KEY=VALUE  --gorgon.KEY=VALUE        every attribute of every node
//! GORGON_HTTP_MAIN_KEY   GORGON_KEY                the same in the environment
//! --hidden  --no-hidden                            a switch turned on and off
//! --                                               ends the options
//! ```
//! A flag goes before the environment, the environment before the default. A list given more than once on the command
//! line is joined; of other values the last one counts.

use alloc::borrow::{Cow, ToOwned};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::node::Node;
use super::process::GORGON;
#[cfg(feature = "http")]
use crate::config::settings::HttpServer;
#[cfg(feature = "monitor")]
use crate::config::settings::MonitorServer;
use crate::config::settings::Settings;
#[cfg(feature = "http")]
use crate::http::settings::{HTTP, HttpSettings};
use crate::text::nearest::nearest;
use crate::tree::{About, Flag, Problem, Unit};
use core::str::from_utf8;

/// Texts as the system hands them over: arguments, or names of variables.
pub type Arguments<'i, 'a> = &'i mut dyn Iterator<Item = &'a [u8]>;

/// What the program was asked to do.
pub enum Command {
    /// Print [`super::help::help`].
    Help,
    /// Print [`super::help::version`].
    Version,
    /// Serve.
    Serve(Box<Settings>),
}

/// Words that are commands, in this build or in others: a directory of that name is given as `./run`, so that the
/// meaning of a command line does not depend on the build.
const COMMANDS: &str = "run check dump diff reload upgrade monitor top ftpd passwd supervisord ctl";

/// Reads the arguments that follow the program's name, and the environment through a function that looks up one
/// name. `--help` goes before everything else, problems included, and `--version` after it.
///
/// # Errors
/// All that is wrong, not just the first.
pub fn parse<'a>(
    args: Arguments<'_, 'a>,
    environment: &dyn Fn(&str) -> Option<&'a [u8]>,
) -> Result<Command, Vec<Problem>> {
    let mut reader = Reader::default();
    reader.read(args);
    if reader.help {
        return Ok(Command::Help);
    }
    if reader.version {
        return Ok(Command::Version);
    }
    reader.read_environment(environment);
    let settings = reader.settle();
    if reader.problems.is_empty() { Ok(Command::Serve(settings)) } else { Err(reader.problems) }
}

/// Variables of the environment that look like ours and are not: a setting that is mistyped there must not be lost
/// without a word.
#[must_use]
pub fn strangers(names: Arguments<'_, '_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for name in names {
        let Some(name) = from_utf8(name).ok().filter(|name| name.starts_with("GORGON_")) else { continue };
        let ours = |node: &&Node| {
            let key = name.strip_prefix(node.environment_prefix()).unwrap_or_default();
            node.abouts().any(|about| about.name.to_ascii_uppercase() == key)
        };
        // What Kubernetes, and Docker before it, tell every container of a service named gorgon.
        let linked = name.strip_prefix("GORGON_").is_some_and(|key| {
            key == "PORT" || ["PORT_", "SERVICE_", "ENV_", "NAME"].iter().any(|front| key.starts_with(front))
        });
        if linked || Node::ALL.iter().any(|node| ours(&node)) {
            continue;
        }
        let all: Vec<String> = Node::ALL
            .iter()
            .flat_map(|node| node.abouts().map(|about| (node.environment_prefix(), about.name)))
            .map(|(prefix, key)| joined(prefix, "", &key.to_ascii_uppercase()))
            .collect();
        let mut key = name;
        while let Some(rest) = key.strip_prefix("GORGON_") {
            key = rest;
        }
        // The key of a setting without its node's name is likelier than a mistyped one of another node.
        let near = all.iter().map(String::as_str).find(|known| known.ends_with(&joined("_", "", key)));
        let keys = &mut all.iter().filter_map(|known| known.strip_prefix("GORGON_"));
        let near = near.and_then(|known| known.strip_prefix("GORGON_")).or_else(|| nearest(key, keys));
        problems.push(Problem::unknown(name, "setting", "GORGON_", near));
    }
    problems
}

/// All problems as lines for standard error, with the way to help after them.
#[must_use]
pub fn print_problems(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str("gorgon: ");
        problem.print(&mut out);
        out.push('\n');
    }
    out.push_str("gorgon: see gorgon --help\n");
    out
}

/// One value as it was given.
struct Given {
    node: Node,
    about: &'static About,
    /// As the operator wrote it: `-l :80`.
    place: String,
    text: String,
}

#[derive(Default)]
struct Reader<'a> {
    given: Vec<Given>,
    target: Option<&'a [u8]>,
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
        if !ended && COMMANDS.split(' ').any(|word| word == shown) {
            let mut message = "no such command in this build; a directory of that name is ./".to_owned();
            message.push_str(&shown);
            self.problem(&shown, &message);
        } else if target.is_empty() {
            self.problem("''", "expected a directory or a file");
        } else if self.target.is_some()
            && !self.problems.iter().any(|one| one.message.starts_with("no such option"))
        {
            // After an option that is unknown it may have been that option's value.
            self.problem(&shown, "only one directory or file can be served");
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
            _ => {
                let found = if name.contains('.') {
                    by_path(text, name)
                } else {
                    if let Some((node, about)) = name.strip_prefix("no-").and_then(switch) {
                        return match value {
                            Some(_) => self.problem(text, "takes no value"),
                            None => self.give(node, about, text.to_owned(), "off"),
                        };
                    }
                    by_flag(text, &|flag| flag.long == name)
                };
                let written = text.split_once('=').map_or(text, |(written, _)| written);
                match found {
                    Ok((node, about)) => self.value(node, about, written, "=", value, args),
                    Err(problem) => self.problems.push(problem),
                }
            }
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
                _ => match by_flag(&written, &|flag| flag.short == Some(letter)) {
                    Ok((node, about)) if about.unit == Unit::Switch => {
                        self.value(node, about, &written, "", None, args);
                    }
                    Ok((node, about)) => {
                        let rest = letters.as_str();
                        let rest = rest.strip_prefix('=').unwrap_or(rest);
                        let value = (!rest.is_empty()).then_some(rest);
                        return self.value(node, about, &written, "", value, args);
                    }
                    Err(problem) => return self.problems.push(problem),
                },
            }
        }
    }

    /// Takes the value that came with an option, or the argument after it, unless it is a switch.
    fn value(
        &mut self,
        node: Node,
        about: &'static About,
        written: &str,
        joint: &str,
        value: Option<&str>,
        args: Arguments<'_, 'a>,
    ) {
        if let Some(value) = value {
            return self.give(node, about, joined(written, joint, value), value);
        }
        if about.unit == Unit::Switch {
            return self.give(node, about, written.to_owned(), "on");
        }
        match args.next().map(|value| from_utf8(value).map_err(|_| value)) {
            Some(Ok(value)) => self.give(node, about, joined(written, " ", value), value),
            Some(Err(value)) => self.problem(&joined(written, " ", &shown(value)), NOT_UTF8),
            None => {
                let placeholder = about.flag.map_or(about.unit.placeholder(), |flag| flag.value);
                self.problem(written, &joined("expected a value: ", &joined(written, " ", placeholder), ""));
            }
        }
    }

    fn give(&mut self, node: Node, about: &'static About, place: String, text: &str) {
        let before = self.given.iter_mut().find(|given| given.node == node && given.about.name == about.name);
        match before {
            Some(before) if matches!(about.unit, Unit::List | Unit::Rules) => {
                before.place = joined(&before.place, " ", &place);
                before.text = joined(&before.text, ",", text);
            }
            // An earlier value still has to be a right one.
            Some(_) | None => self.given.push(Given { node, about, place, text: text.to_owned() }),
        }
    }

    /// Puts what the environment says before what was given, unless a flag says otherwise.
    fn read_environment(&mut self, environment: &dyn Fn(&str) -> Option<&'a [u8]>) {
        for &node in Node::ALL {
            for about in node.abouts() {
                let name = joined(node.environment_prefix(), "", &about.name.to_ascii_uppercase());
                let flagged =
                    self.is_given(node, about.name) || (about.name == "root" && self.target.is_some());
                let Some(value) = environment(&name).filter(|_| !flagged) else { continue };
                let place = joined(&name, "=", &shown(value));
                match from_utf8(value) {
                    Ok(text) => self.give(node, about, place, text),
                    Err(_) => self.problem(&place, NOT_UTF8),
                }
            }
        }
    }

    /// Sets what was given, and looks at the whole.
    fn settle(&mut self) -> Box<Settings> {
        let mut settings = Box::<Settings>::default();
        #[cfg(feature = "http")]
        let mut http = HttpSettings::default();
        for given in &self.given {
            let name = given.about.name;
            let set = match given.node {
                #[cfg(feature = "http")]
                Node::Http => HTTP.set_text(&mut http, name, &given.text),
                Node::Process => GORGON.set_text(&mut settings.process, name, &given.text),
            };
            if let Err(problem) = set {
                self.problems.push(Problem { place: given.place.clone(), message: problem.message });
            }
        }
        if settings.process.verbose && settings.process.quiet {
            self.problem("--quiet", "cannot go with --verbose");
        }
        #[cfg(feature = "http")]
        settings.servers.push(self.settle_http(http));
        #[cfg(feature = "monitor")]
        settings.monitors.push(MonitorServer::new("main", Default::default()));
        #[cfg(not(feature = "http"))]
        if let Some(target) = self.target {
            let shown = shown(target).into_owned();
            self.problem(&shown, "nothing in this build serves files");
        }
        settings
    }

    #[cfg(feature = "http")]
    fn settle_http(&mut self, mut http: HttpSettings) -> HttpServer {
        if let Some(target) = self.target.take() {
            if self.is_given(Node::Http, "root") {
                self.problem(&shown(target), "cannot go with --http.main.root, which says the same");
            }
            http.root = target.to_vec();
        }
        if let Some((key, message)) = http.contradiction() {
            self.problem(&joined(Node::Http.flag_prefix(), key, ""), message);
        }
        HttpServer::new("main", http)
    }

    fn is_given(&self, node: Node, key: &str) -> bool {
        self.given.iter().any(|given| given.node == node && given.about.name == key)
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

#[inline(never)] // Called from everywhere; its loop would be copied to each place.
fn joined(left: &str, joint: &str, right: &str) -> String {
    [left, joint, right].concat()
}

/// The switch that `--NAME` turns on.
fn switch(name: &str) -> Option<(Node, &'static About)> {
    let mut all = Node::ALL.iter().flat_map(|&node| node.abouts().map(move |about| (node, about)));
    all.find(|(_, about)| about.unit == Unit::Switch && about.flag.is_some_and(|flag| flag.long == name))
}

/// The attribute whose short form is looked for; `text` is what was written.
fn by_flag(text: &str, is: &dyn Fn(&Flag) -> bool) -> Result<(Node, &'static About), Problem> {
    for &node in Node::ALL {
        if let Some(about) = node.abouts().find(|about| about.flag.is_some_and(is)) {
            return Ok((node, about));
        }
    }
    let Some(name) = text.strip_prefix("--") else {
        let near = (text == "-p" || text == "-b").then_some("-l ADDR");
        return Err(Problem::unknown(text, "option", "", near));
    };
    let name = name.split_once('=').map_or(name, |(name, _)| name);
    if ["port", "bind", "address", "addr"].contains(&name) {
        return Err(Problem::unknown(text, "option", "", Some("-l ADDR")));
    }
    // The key of a setting alone is more likely a setting than a mistyped option.
    if let Some(node) = Node::ALL.iter().find(|node| node.find(name).is_some()) {
        return Err(Problem::unknown(text, "option", node.flag_prefix(), Some(name)));
    }
    let flags = Node::ALL.iter().flat_map(|node| node.abouts()).filter_map(|about| about.flag);
    if let Some(near) = nearest(name, &mut flags.map(|flag| flag.long).chain(["help", "version"])) {
        return Err(Problem::unknown(text, "option", "--", Some(near)));
    }
    for node in Node::ALL {
        if let Some(near) = nearest(name, &mut node.abouts().map(|about| about.name)) {
            return Err(Problem::unknown(text, "option", node.flag_prefix(), Some(near)));
        }
    }
    Err(Problem::unknown(text, "option", "", None))
}

/// The attribute at `KIND.NAME.KEY`, or `gorgon.KEY`.
fn by_path(text: &str, path: &str) -> Result<(Node, &'static About), Problem> {
    let (kind, rest) = path.split_once('.').unwrap_or((path, ""));
    let Some(&node) = Node::ALL.iter().find(|node| node.kind() == kind) else {
        let near = nearest(kind, &mut Node::ALL.iter().map(|node| node.kind()));
        return Err(Problem::unknown(text, "kind of node", "--", near));
    };
    let key = match node.name() {
        None => rest,
        Some(name) => match rest.split_once('.') {
            Some((given, key)) if given == name => key,
            Some(_) | None => {
                let expected = ["expected ", node.flag_prefix(), "KEY"].concat();
                return Err(Problem::new(text, &expected));
            }
        },
    };
    let near = || nearest(key, &mut node.abouts().map(|about| about.name));
    let about =
        node.find(key).ok_or_else(|| Problem::unknown(text, "setting", node.flag_prefix(), near()))?;
    Ok((node, about))
}

#[cfg(test)]
#[cfg(feature = "http")]
mod tests;
