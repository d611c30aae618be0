//! Keeps the tables' parts of `man/gorgon.1` and `man/gorgon.conf.5` equal to the tables. The frame around them is written
//! by hand.
//!
//! `UPDATE_MAN=1 cargo test man` rewrites those parts.

use alloc::format;
use alloc::string::String;

use super::*;
use crate::config::kind::NodeKind;
use crate::text::join::{joined, push_all};
use std::fs;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/man/");

fn options(out: &mut String) {
    out.push_str(".Bl -tag -width Ds\n");
    for about in ALL.iter().flat_map(|kind| kind.abouts()) {
        let Some(flag) = about.flag else { continue };
        out.push_str(".It ");
        if let Some(letter) = flag.short {
            push_all(out, &["Fl ", letter.encode_utf8(&mut [0; 4])]);
            if !flag.value.is_empty() {
                push_all(out, &[" Ar ", flag.value]);
            }
            out.push_str(" , ");
        }
        push_all(out, &["Fl -", negation(about), flag.long]);
        if !flag.value.is_empty() {
            push_all(out, &[" Ns = Ns Ar ", flag.value]);
        }
        out.push('\n');
        sentences(about.help(), out);
        if about.unit != Unit::Switch || about.default() == "on" {
            default(about, out);
        }
    }
    out.push_str(".It Fl h , Fl -help\nPrint help.\n");
    out.push_str(".It Fl V , Fl -version\nPrint the version and what is built in.\n.El\n");
}

fn settings(out: &mut String) {
    for &kind in ALL {
        push_all(out, &[".Ss The ", kind.help(), "\nOn the command line\n.Cm "]);
        push_all(out, &[flag_prefix(kind), "KEY Ns = Ns Ar VALUE ,\nin the environment\n.Ev "]);
        push_all(out, &[environment_prefix(kind), "KEY .\n.Bl -tag -width Ds\n"]);
        entries(kind, " Ns = Ns Ar ", out);
    }
}

/// The sections of a configuration.
fn sections(out: &mut String) {
    for (kind, section, what) in [
        (NodeKind::Process, "gorgon", "The process. There is one such section."),
        (NodeKind::Http, "http:NAME", "An HTTP server."),
        (
            NodeKind::Handler,
            "handler:SERVER/NAME",
            "A handler of the server SERVER. The handlers of a server are asked in the order in which they stand in the \
             file; the first that matches answers, and what none answers is served from the root of the server.",
        ),
        (
            NodeKind::Monitor,
            "monitor:NAME",
            "A monitor. Where there is no such section, there is a monitor main with the defaults.",
        ),
    ] {
        push_all(out, &[".Ss [", section, "]\n"]);
        sentences(what, out);
        out.push_str(".Bl -tag -width Ds\n");
        entries(kind, " No = Ar ", out);
    }
}

fn entries(kind: NodeKind, joint: &str, out: &mut String) {
    for about in kind.abouts().filter(|about| !about.fact) {
        push_all(out, &[".It Cm ", about.name(), joint, about.unit.placeholder(), "\n"]);
        sentences(about.help(), out);
        bounds(about, out);
        default(about, out);
    }
    out.push_str(".El\n");
}

/// What may be given, where the placeholder does not say it all.
fn bounds(about: &About, out: &mut String) {
    let mut expected = String::new();
    match about.unit {
        Unit::Switch | Unit::Text | Unit::List | Unit::Rules => return,
        Unit::Size { .. }
        | Unit::Count { .. }
        | Unit::Time { .. }
        | Unit::Choice(_)
        | Unit::Buffer { .. } => {
            about.unit.describe(&mut expected);
        }
    }
    expected[..1].make_ascii_uppercase();
    push_all(out, &[&expected, ".\n"]);
}

fn default(about: &About, out: &mut String) {
    match about.default() {
        "" => out.push_str("Empty by default.\n"),
        default => push_all(out, &["The default is\n.Ql \\&", default, " .\n"]),
    }
}

/// One sentence a line, as manual pages are written.
fn sentences(text: &str, out: &mut String) {
    for sentence in text.split_inclusive(". ") {
        let sentence = sentence.trim_end();
        assert!(!sentence.starts_with(['.', '\'']) && !sentence.contains('\\'), "{sentence} would be markup");
        push_all(out, &[sentence, "\n"]);
    }
}

type Part = (&'static str, fn(&mut String));

#[test]
fn the_pages_say_what_the_tables_say() {
    let pages: [(&str, &[Part]); 2] = [
        ("gorgon.1", &[("options", options), ("settings", settings)]),
        ("gorgon.conf.5", &[("sections", sections)]),
    ];
    for (name, parts) in pages {
        let path = joined(&[DIRECTORY, name]);
        let page = fs::read_to_string(&path).unwrap();
        let mut renewed = page.clone();
        for (part, render) in parts {
            let begin = format!(".\\\" The {part} are rendered from the tables of the program.\n");
            let end = format!(".\\\" End of the {part}.\n");
            let (before, rest) = renewed.split_once(&begin).expect("the part begins");
            let (_, after) = rest.split_once(&end).expect("the part ends");
            let mut text = String::new();
            render(&mut text);
            renewed = joined(&[before, &begin, &text, &end, after]);
        }
        if std::env::var_os("UPDATE_MAN").is_some() {
            fs::write(&path, &renewed).unwrap();
        } else {
            assert!(
                renewed == page,
                "man/{name} is not what the tables say; UPDATE_MAN=1 cargo test man rewrites it"
            );
        }
    }
}
