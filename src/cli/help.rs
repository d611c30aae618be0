//! `--help` and `--version`, rendered from the tables.

use alloc::string::String;

use super::command::{CONFIGURED, OTHERS};
use super::node::{ALL, environment_prefix, flag_prefix};
use crate::text::join::{joined, push_all};
use crate::text::wrap::wrap;
use crate::tree::{About, Unit};

/// Where the second column begins.
const COLUMN: usize = 25;
/// No line is longer.
const WIDTH: usize = 80;

/// The text of `--help`, 80 columns wide.
#[must_use]
pub fn help() -> String {
    let mut out = String::with_capacity(8 << 10);
    name(&mut out);
    out.push_str(INTRODUCTION);
    for (word, what) in CONFIGURED.iter().chain(OTHERS) {
        entry(&joined(&["  ", word]), what, &mut out);
    }
    out.push_str("\nOptions:\n");
    for &kind in ALL {
        for about in kind.abouts() {
            flag(about, &mut out);
        }
    }
    entry("  -h, --help", "Print this help", &mut out);
    entry("  -V, --version", "Print the version and what is built in", &mut out);
    out.push_str(ADDRESSES);
    for &kind in ALL {
        push_all(
            &mut out,
            &["\nSettings of the ", kind.help(), ", as ", flag_prefix(kind), "KEY=VALUE or\n"],
        );
        push_all(&mut out, &[environment_prefix(kind), "KEY:\n"]);
        for about in kind.abouts() {
            setting(about, &mut out);
        }
    }
    out.push_str(END);
    out
}

/// The text of `COMMAND --help`.
#[must_use]
pub fn command_help(word: &str) -> String {
    let mut out = String::new();
    let usage = match word {
        "dump" => "dump [-c FILE] [--json] [OPTIONS]",
        "diff" => "diff [-c FILE] [OPTIONS] OTHER",
        word => &joined(&[word, " [-c FILE] [OPTIONS]"]),
    };
    push_all(
        &mut out,
        &[
            "Usage: gorgon ",
            usage,
            "\n\n",
            match word {
                "check" => CHECK,
                "dump" => DUMP,
                "diff" => DIFF,
                _ => RUN,
            },
        ],
    );
    out.push_str(CONFIGURED_OPTIONS);
    entry("  -c, --config FILE", "The file [$GORGON_CONF, or /etc/gorgon/gorgon.conf]", &mut out);
    if word == "dump" {
        entry("      --json", "Print JSON, one node a line", &mut out);
    }
    entry("  -h, --help", "Print this help", &mut out);
    out
}

const RUN: &str = "\
Serves what the configuration file says; gorgon.conf(5) describes it.
";

const CHECK: &str = "\
Says all that is wrong with a configuration file, each with its line, and exits
with 2; or that nothing is, and exits with 0. Nothing is served or changed.
";

const DUMP: &str = "\
Prints the configuration with every value there is, and behind each where it
comes from. What it prints is itself a configuration of the same meaning.
";

const DIFF: &str = "\
Says what differs between the configuration and that of the file OTHER, node by
node: + there is one more, - one less, ~ a value is another. Exits with 1 if
anything does.
";

const CONFIGURED_OPTIONS: &str = "
An option goes before the environment, the environment before the file:
  --KIND.NAME.KEY=VALUE  One value, as in --http.main.read_buffer=8K
  --gorgon.KEY=VALUE     One of the process, as in --gorgon.grace=5s
The short forms of gorgon --help mean the only HTTP server of the file.
";

/// The text of `--version`. `pollers` are the names of those built in, best first.
#[must_use]
pub fn version(pollers: &[&str]) -> String {
    let mut out = String::new();
    name(&mut out);
    out.push_str("features:");
    out.push_str(if cfg!(feature = "http") { " +http" } else { " -http" });
    out.push_str(if cfg!(feature = "monitor") { " +monitor" } else { " -monitor" });
    out.push_str("\npollers:");
    for poller in pollers {
        out.push(' ');
        out.push_str(poller);
    }
    out.push('\n');
    out
}

const INTRODUCTION: &str = "\
Serves files over HTTP from one small process.

Usage: gorgon [OPTIONS] [DIR|FILE]
       gorgon COMMAND ..

Serves the directory DIR, or FILE alone, or else the current directory. A
directory that has the name of a command is ./NAME.

Commands, of which gorgon COMMAND --help says more:
";

const ADDRESSES: &str = "
Addresses (with or without http:// before them; port 0 is any free one):
  :8080 or 8080          Every address, IPv4 and IPv6
  localhost:8080         Both loopback addresses
  127.0.0.1:8080         One address; IPv6 in brackets, as in [::1]:8080
  unix:PATH              A Unix socket
";

const END: &str = "
Defaults are in brackets; [] is empty, as in KEY= with nothing behind it. A flag
goes before the environment, the environment before the default. SIZE is 512,
4K, 1M or 2G. TIME is 200ms, 10s, 5m or 2h; a bare number is seconds. SWITCH is
on or off; an option that is one is turned off by --no- and its word, as in
--no-listing, a KEY by KEY=off. LIST has commas between its items.

Examples:
  gorgon /srv/www
  gorgon -l localhost:8000 --hidden notes
  gorgon -l :80 -l unix:/run/gorgon.sock --http.main.idle_timeout=5m /srv/www
";

fn name(out: &mut String) {
    out.push_str(concat!("gorgon ", env!("CARGO_PKG_VERSION"), "\n"));
}

/// The line of a short form, if there is one.
fn flag(about: &About, out: &mut String) {
    let Some(flag) = about.flag else { return };
    let mut head = String::new();
    match flag.short {
        Some(letter) => push_all(&mut head, &["  -", letter.encode_utf8(&mut [0; 4]), ", --", flag.long]),
        None => push_all(&mut head, &["      --", negation(about), flag.long]),
    }
    if !flag.value.is_empty() {
        push_all(&mut head, &[" ", flag.value]);
    }
    let mut text = String::from(about.short_help());
    if about.unit != Unit::Switch || about.default() == "on" {
        push_all(&mut text, &[" [", about.default(), "]"]);
    }
    entry(&head, &text, out);
}

/// What goes before the word of a switch that is on: to turn it off is what it is for.
fn negation(about: &About) -> &'static str {
    if about.unit == Unit::Switch && about.default() == "on" { "[no-]" } else { "" }
}

fn setting(about: &About, out: &mut String) {
    let head = joined(&["  ", about.name(), "=", about.unit.placeholder()]);
    let mut text = String::from(about.short_help());
    if let Unit::Choice(words) = about.unit {
        for (place, word) in words.split('|').enumerate() {
            push_all(&mut text, &[if place == 0 { ": " } else { ", " }, word]);
        }
    }
    push_all(&mut text, &[" [", about.default(), "]"]);
    entry(&head, &text, out);
}

/// One entry of a list: `head`, and beside it `text`, folded between words.
fn entry(head: &str, text: &str, out: &mut String) {
    out.push_str(head);
    if head.len() + 1 >= COLUMN {
        out.push('\n');
    }
    wrap(text, COLUMN, WIDTH, out);
}

// Without one of its features the program has fewer settings than the page.
#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod man;
#[cfg(test)]
#[cfg(all(feature = "http", feature = "monitor"))]
mod sample;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn every_line_fits() {
        let help = help();
        let commands = CONFIGURED.iter().map(|(word, _)| command_help(word));
        let all: Vec<String> = commands.chain([help.clone()]).collect();
        for line in all.iter().flat_map(|help| help.lines()) {
            assert!(line.len() <= WIDTH && line.trim_end() == line, "{line:?}");
        }
        assert!(help.ends_with("\n") && !help.contains("\n\n\n"));
    }

    #[test]
    fn everything_is_told() {
        let help = help();
        for &kind in ALL {
            for about in kind.abouts() {
                let setting = ["\n  ", about.name(), "=", about.unit.placeholder()].concat();
                assert!(help.matches(&setting).count() >= 1, "{}", about.name());
                if let Some(flag) = about.flag {
                    assert!(help.contains(&["--", negation(about), flag.long].concat()), "{}", flag.long);
                }
            }
        }
        let words: Vec<_> = help.split_whitespace().collect();
        #[cfg(feature = "http")]
        assert!(words.join(" ").contains("follow: never, inside, all [inside]"));
        assert!(words.join(" ").contains("auto, epoll, kqueue, poll, select [auto]"));
        // A word in its place would be taken for a value.
        assert!(help.contains(" []\n"));
        #[cfg(feature = "http")]
        assert_eq!(help.matches("[none]").count(), 2, "the word of auth_file is none");
    }

    #[test]
    fn folds_between_words() {
        let mut out = String::new();
        entry("  a", &"word ".repeat(20), &mut out);
        entry("  a_head_that_is_too_long_for_it", "text", &mut out);
        entry("  b", &"x".repeat(100), &mut out);
        let indent = " ".repeat(COLUMN);
        let words = |count: usize| ["word"].repeat(count).join(" ");
        let expected = [
            ["  a", &indent[3..], &words(11)].concat(),
            [&indent, words(9).as_str(), " "].concat(),
            "  a_head_that_is_too_long_for_it".to_owned(),
            [&indent, "text"].concat(),
            ["  b", &indent[3..], &"x".repeat(100)].concat(),
        ];
        assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_version_names_what_is_built_in() {
        let version = version(&["epoll", "poll"]);
        let lines: Vec<_> = version.lines().collect();
        assert_eq!(lines[0], concat!("gorgon ", env!("CARGO_PKG_VERSION")));
        assert!(lines[1].contains(if cfg!(feature = "http") { " +http" } else { " -http" }));
        assert!(lines[1].contains(if cfg!(feature = "monitor") { " +monitor" } else { " -monitor" }));
        assert_eq!(lines[2], "pollers: epoll poll");
    }
}
