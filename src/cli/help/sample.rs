//! Keeps `dist/conf/gorgon.conf` equal to the tables, and every sample a good one.
//!
//! `UPDATE_MAN=1 cargo test sample` rewrites it.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use std::fs;

use super::*;
use crate::config::files::{Files, Identity, SystemFiles};
use crate::config::kind::NodeKind;
use crate::config::load::{Inputs, Loaded};
use crate::text::ini::push_value;
use crate::text::join::{joined, push_all};
use crate::tree::Problem;

const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/dist/conf");

const HEAD: &str = "\
; Every setting of Gorgon, with its default. A line that begins with a semicolon is a comment: take that away to set
; what it says. gorgon.conf(5) tells the rest; beside this file lie small ones for one purpose each.
;
;   gorgon check -c FILE    says all that is wrong with it
;   gorgon run -c FILE      serves what it says
;   gorgon dump -c FILE     prints it with every value, and where each comes from
;
; Values: sizes 512, 4K, 1M; times 200ms, 10s, 5m, 2h; switches on and off; lists with commas. What begins with a blank
; goes on with the list before it. In a value %(here)s is the directory of this file, %(ENV_NAME)s a variable of the
; environment, %(host_node_name)s the name of this host and %% a percent sign.

; Files to read here; * ? and [] stand for what they do in a shell.
;[include]
;files = conf.d/*.conf
";

/// The line of the head that would be read by what is above it, and is none of a server.
const INCLUDED: &str = "files = conf.d/*.conf";

/// The parts after the head: a section and what it is.
fn parts() -> Vec<(NodeKind, &'static str, &'static str)> {
    Vec::from([
        (NodeKind::Process, "[gorgon]", "The process."),
        (
            NodeKind::Http,
            "[http:main]",
            "An HTTP server. There may be any number, each with a name of its own.",
        ),
        (
            NodeKind::Handler,
            ";[handler:main/NAME]",
            "Answers before the server does, if the path matches. There may be any number; they are asked in the order in \
             which they stand here.",
        ),
        (
            NodeKind::Monitor,
            "[monitor:main]",
            "Where the running program is looked at and changed. Without a section there is one with these defaults.",
        ),
    ])
}

fn comment(text: &str, out: &mut String) {
    let mut line = String::from(";");
    for word in text.split(' ') {
        if line.len() + 1 + word.len() > 118 {
            push_all(out, &[&*line, "\n"]);
            line = String::from(";");
        }
        push_all(&mut line, &[" ", word]);
    }
    push_all(out, &[&*line, "\n"]);
}

fn sample() -> String {
    let mut out = String::from(HEAD);
    for (kind, section, what) in parts() {
        out.push('\n');
        comment(what, &mut out);
        push_all(&mut out, &[section, "\n"]);
        for about in kind.abouts().filter(|about| !about.fact) {
            out.push('\n');
            comment(about.help(), &mut out);
            let mut expected = String::new();
            match about.unit {
                Unit::Switch | Unit::Text | Unit::List | Unit::Rules => {}
                _ => about.unit.describe(&mut expected),
            }
            if !expected.is_empty() {
                expected[..1].make_ascii_uppercase();
                comment(&joined(&[&*expected, "."]), &mut out);
            }
            // The one thing that has no default here.
            if (kind, about.name()) == (NodeKind::Http, "root") {
                out.push_str("root = /srv/www\n");
                continue;
            }
            push_all(&mut out, &[";", about.name(), " ="]);
            if !about.default().is_empty() {
                out.push(' ');
                push_value(&about.default().replace('%', "%%"), &mut out);
            }
            out.push('\n');
        }
    }
    out
}

fn load(path: &str, files: &dyn Files) -> Result<Loaded, String> {
    let inputs = Inputs { path: path.into(), flags: Vec::new(), environment: &|_| None, host: "host".into() };
    let line = |problem: &Problem| format!("{}: {}\n", problem.place, problem.message);
    inputs.load(files).map_err(|problems| problems.iter().map(line).collect())
}

/// One text, whatever the path.
struct Text(String);

impl Files for Text {
    fn read(&self, _path: &str, _most: usize) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn list(&self, _directory: &str) -> Result<Vec<String>, String> {
        Err(String::new())
    }

    fn identity(&self, _path: &str) -> Option<Identity> {
        Some((1, 1))
    }
}

#[test]
fn the_full_sample_says_what_the_tables_say() {
    let path = joined(&[DIRECTORY, "/gorgon.conf"]);
    let text = sample();
    if std::env::var_os("UPDATE_MAN").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(&path).unwrap() == text,
        "dist/conf/gorgon.conf is not what the tables say; UPDATE_MAN=1 cargo test sample rewrites it"
    );
}

#[test]
fn what_is_commented_out_is_the_default() {
    let plain = load("x", &Text(sample())).unwrap_or_else(|problems| panic!("{problems}"));
    // All of it but the files to read.
    let text: String = sample()
        .lines()
        .map(|line| match line.strip_prefix(';') {
            Some(set) if set.contains(" =") && !set.starts_with(' ') && set != INCLUDED => format!("{set}\n"),
            Some(set) if set.starts_with("[handler") => format!("{set}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    let mut all = load("x", &Text(text.clone())).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    let handler = all.settings.servers[0].handlers.pop().unwrap();
    assert_eq!(handler.settings, Default::default());
    assert!(all.settings == plain.settings);
    let given: usize = all.source.nodes.iter().map(|node| node.given.len()).sum();
    let known: usize = NodeKind::ALL.iter().map(|kind| kind.abouts().count()).sum();
    assert_eq!(given, known);
}

#[test]
fn every_sample_is_a_good_one() {
    let mut count = 0;
    for entry in fs::read_dir(DIRECTORY).unwrap() {
        let path = entry.unwrap().path();
        let path = path.to_str().unwrap();
        let loaded = load(path, &SystemFiles).unwrap_or_else(|problems| panic!("{problems}"));
        assert!(loaded.warnings.is_empty() && !loaded.settings.servers.is_empty(), "{path}");
        // The line that says what it is for comes first.
        assert!(fs::read_to_string(path).unwrap().starts_with("; "), "{path}");
        count += 1;
    }
    assert!(count >= 7, "{count}");
}
