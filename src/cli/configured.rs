//! The commands that read a configuration and serve nothing: `check`, `dump` and `diff`.

use alloc::string::String;

use super::terminal;
use crate::config::difference::Difference;
use crate::config::dump::{dump, dump_json};
use crate::config::load::{Inputs, Loaded};
use crate::text::join::{joined, push_all};
#[cfg(any(feature = "http", feature = "monitor"))]
use crate::text::number::push_decimal_str;
use crate::tree::Problem;

/// What `check` says of a configuration without a mistake: `FILE: ok, 2 servers, 1 monitor`.
#[must_use]
pub fn verdict(path: &str, loaded: &Loaded) -> String {
    let mut out = joined(&[path, ": ok"]);
    let settings = &loaded.settings;
    let _ = settings;
    #[cfg(feature = "http")]
    push_count(settings.servers.len(), "server", &mut out);
    #[cfg(feature = "monitor")]
    {
        let monitors = settings.monitors.iter().filter(|monitor| monitor.settings.enabled);
        push_count(monitors.count(), "monitor", &mut out);
    }
    out.push('\n');
    out
}

#[cfg(any(feature = "http", feature = "monitor"))]
fn push_count(count: usize, what: &str, out: &mut String) {
    out.push_str(", ");
    push_decimal_str(count as u64, out);
    push_all(out, &[" ", what, if count == 1 { "" } else { "s" }]);
}

/// Prints a configuration; says whether that could be done.
#[must_use]
pub fn print(loaded: &Loaded, json: bool) -> bool {
    let text = if json { dump_json } else { dump }(&loaded.source, &loaded.settings);
    terminal::say(&text)
}

/// What differs between two configurations.
#[must_use]
pub fn difference(one: &Loaded, other: &Loaded) -> String {
    terminal::visible(&Difference::between(&one.settings, &other.settings).print(&other.settings))
}

/// The same with another file, which no option of the command line was meant for.
#[must_use]
pub fn with_file<'e>(inputs: &Inputs<'e>, path: &str) -> Inputs<'e> {
    Inputs { path: String::from(path), ..inputs.clone() }
}

/// All that is wrong with a configuration, as lines for standard error.
#[must_use]
pub fn print_problems(problems: &[Problem], what: &str) -> String {
    let mut out = String::new();
    for problem in problems {
        push_all(&mut out, &["gorgon: ", what]);
        problem.print(&mut out);
        out.push('\n');
    }
    out
}
