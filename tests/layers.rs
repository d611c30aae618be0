//! Holds the source to the layer table of CONTRIBUTING.md: each module imports only from rows above it.
//!
//! Paths are read from the text, not by a compiler: `crate::..`, `super::..` and `gorgon_sys` wherever they stand,
//! groups in braces taken apart, `super` counted from the file's place and the inline modules around it.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

/// The longest a source file may be. No exceptions.
const LINES: usize = 520;

const PROTOCOLS: [&str; 4] = ["http", "ftp", "monitor", "supervisor"];

/// Handlers that join two worlds.
const JOINING: [&[&str]; 4] = [
    &["supervisor", "rpc"],
    &["supervisor", "web"],
    &["monitor", "commands"],
    &["http", "handlers", "status"],
];

/// A place in the layer table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Layer<'a> {
    Sys,
    Text,
    /// Attribute tables, and a protocol's `settings`, which is one.
    Tree,
    Engine,
    /// The plain values of the engine.
    Values,
    Fs,
    Xmlrpc,
    Protocol(&'a str),
    Service(&'a str),
    Joining,
    Program,
}

use Layer::{Engine, Fs, Joining, Program, Protocol, Service, Sys, Text, Tree, Values, Xmlrpc};

/// The layer of a module path; none for a module that the table does not know.
fn layer<'a>(path: &[&'a str]) -> Option<Layer<'a>> {
    let (first, rest) = path.split_first()?;
    Some(match *first {
        "gorgon_sys" => Sys,
        "text" => Text,
        "tree" => Tree,
        "engine" if rest.first() == Some(&"values") => Values,
        "engine" => Engine,
        "fs" => Fs,
        "xmlrpc" => Xmlrpc,
        // The macros of its tables of attributes, which Rust has at the root.
        "live" | "admin" | "fixed" | "fact" | "counter" if rest.is_empty() => Tree,
        "world" | "config" | "cli" | "assemble" | "main" => Program,
        protocol if PROTOCOLS.contains(&protocol) => match rest.first() {
            Some(&"settings") => Tree,
            Some(&"service") => Service(protocol),
            _ if JOINING.iter().any(|joining| path.starts_with(joining)) => Joining,
            _ => Protocol(protocol),
        },
        _ => return None,
    })
}

/// Whether a file of one layer may name something of another.
fn may_import(from: Layer<'_>, to: Layer<'_>) -> bool {
    match from {
        Sys => to == Sys,
        Text => to == Text,
        Tree => matches!(to, Text | Tree),
        Engine | Values => matches!(to, Sys | Text | Tree | Engine | Values),
        Fs => matches!(to, Sys | Text | Tree | Fs),
        Xmlrpc => matches!(to, Sys | Text | Tree | Xmlrpc),
        Protocol(own) => matches!(to, Text | Tree | Fs | Xmlrpc | Values) || to == Protocol(own),
        Service(own) => {
            matches!(to, Sys | Text | Tree | Engine | Values | Fs | Xmlrpc)
                || to == Protocol(own)
                || to == Service(own)
        }
        Joining => to != Program,
        Program => true,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Token<'a> {
    Word(&'a str),
    /// `::`
    Path,
    Sign(u8),
}

/// Skips the rest of a quoted text, after its opening quote; backslashes count unless it is raw.
fn skip_quoted(bytes: &[u8], mut at: usize, raw_hashes: Option<usize>) -> usize {
    while at < bytes.len() {
        match (bytes[at], raw_hashes) {
            (b'\\', None) => at += 1,
            (b'"', None) => return at + 1,
            (b'"', Some(hashes))
                if bytes[at + 1..].iter().take_while(|byte| **byte == b'#').count() >= hashes =>
            {
                return at + 1 + hashes;
            }
            _ => {}
        }
        at += 1;
    }
    at
}

/// The tokens of a source file with their lines, without comments and what is quoted.
fn tokens(text: &str) -> Vec<(usize, Token<'_>)> {
    let bytes = text.as_bytes();
    let is_word = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    let (mut found, mut at, mut line, mut counted) = (Vec::new(), 0, 1, 0);
    while at < bytes.len() {
        line += bytes[counted..at].iter().filter(|byte| **byte == b'\n').count();
        counted = at;
        let rest = &bytes[at..];
        if rest.starts_with(b"//") {
            at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        } else if rest.starts_with(b"/*") {
            let mut depth = 1;
            at += 2;
            while at < bytes.len() && depth > 0 {
                let step = if bytes[at..].starts_with(b"/*") {
                    depth += 1;
                    2
                } else if bytes[at..].starts_with(b"*/") {
                    depth -= 1;
                    2
                } else {
                    1
                };
                at += step;
            }
        } else if rest[0] == b'"' {
            at = skip_quoted(bytes, at + 1, None);
        } else if rest[0] == b'\'' {
            // A character, or else a lifetime, whose name is passed over as a word.
            let escaped = rest.get(1) == Some(&b'\\');
            let search = if escaped { 3 } else { 2 };
            let end = rest.iter().skip(search).take(10).position(|byte| *byte == b'\'');
            let width = text[at + 1..].chars().next().map_or(1, char::len_utf8);
            at += match end {
                Some(end) if escaped || end + search == 1 + width => end + search + 1,
                _ => 1,
            };
        } else if is_word(rest[0]) {
            let length = rest.iter().take_while(|byte| is_word(**byte)).count();
            let word = &text[at..at + length];
            at += length;
            let hashes = bytes[at..].iter().take_while(|byte| **byte == b'#').count();
            if matches!(word, "r" | "br" | "cr") && bytes.get(at + hashes) == Some(&b'"') {
                at = skip_quoted(bytes, at + hashes + 1, Some(hashes));
            } else {
                found.push((line, Token::Word(word)));
            }
        } else if rest.starts_with(b"::") {
            found.push((line, Token::Path));
            at += 2;
        } else {
            if rest[0].is_ascii_graphic() {
                found.push((line, Token::Sign(rest[0])));
            }
            at += 1;
        }
    }
    found
}

/// Follows a path from the token behind its first words, and all its branches; gives where it ends.
fn follow<'a>(
    tokens: &[(usize, Token<'a>)],
    mut at: usize,
    mut path: Vec<&'a str>,
    found: &mut Vec<(usize, Vec<&'a str>)>,
) -> usize {
    let line = tokens[at - 1].0;
    loop {
        match (tokens.get(at), tokens.get(at + 1)) {
            (Some((_, Token::Path)), Some((_, Token::Word(word)))) => {
                match *word {
                    "self" => {}
                    "super" => drop(path.pop()),
                    word => path.push(word),
                }
                at += 2;
            }
            (Some((_, Token::Path)), Some((_, Token::Sign(b'{')))) => {
                at += 2;
                loop {
                    match tokens.get(at) {
                        Some((_, Token::Word(word))) => {
                            let mut branch = path.clone();
                            if *word != "self" {
                                branch.push(word);
                            }
                            at = follow(tokens, at + 1, branch, found);
                        }
                        Some((_, Token::Sign(b'}'))) | None => return at + 1,
                        Some(_) => at += 1,
                    }
                }
            }
            _ => {
                found.push((line, path));
                return at;
            }
        }
    }
}

/// The module path of a file beneath `src`.
fn module(file: &str) -> Vec<&str> {
    let mut path: Vec<&str> = file.trim_end_matches(".rs").split('/').collect();
    if path.last() == Some(&"mod") {
        path.pop();
    }
    if path == ["lib"] { vec![] } else { path }
}

/// The module paths that a file names, from the root of the crate, with their lines.
fn named<'a>(file: &'a str, text: &'a str) -> Vec<(usize, Vec<&'a str>)> {
    let tokens = tokens(text);
    let mut inline: Vec<(usize, &str)> = Vec::new();
    let (mut depth, mut at, mut found) = (0_usize, 0, Vec::new());
    while at < tokens.len() {
        let next = tokens.get(at + 1).map(|token| token.1);
        match tokens[at].1 {
            Token::Sign(b'{') => depth += 1,
            Token::Sign(b'}') => {
                depth = depth.saturating_sub(1);
                inline.retain(|(opened, _)| *opened < depth);
            }
            Token::Word("mod") => {
                if let (Some(Token::Word(name)), Some((_, Token::Sign(b'{')))) = (next, tokens.get(at + 2)) {
                    inline.push((depth, name));
                    depth += 1;
                    at += 2;
                }
            }
            Token::Word("gorgon_sys") => {
                at = follow(&tokens, at + 1, vec!["gorgon_sys"], &mut found);
                continue;
            }
            Token::Word("crate") if next == Some(Token::Path) => {
                at = follow(&tokens, at + 1, vec![], &mut found);
                continue;
            }
            Token::Word("super") if next == Some(Token::Path) => {
                let mut here = module(file);
                here.extend(inline.iter().map(|(_, name)| *name));
                here.pop();
                at = follow(&tokens, at + 1, here, &mut found);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    found
}

/// What a file beneath `src` imports against the table, as `file:line: ..`.
fn problems(file: &str, text: &str) -> Vec<String> {
    let own = module(file);
    if own.is_empty() {
        return vec![]; // The root names every module, and nothing else.
    }
    let Some(from) = layer(&own) else { return vec![format!("src/{file}:1: not in the layer table")] };
    let mut found = Vec::new();
    let mut protocols = Vec::new();
    for (line, path) in named(file, text) {
        let told = path.join("::");
        match layer(&path) {
            Some(to) if may_import(from, to) => {
                if let Protocol(name) | Service(name) = to {
                    protocols.push(name);
                }
            }
            Some(to) => {
                found.push(format!("src/{file}:{line}: {from:?} may not import {told}, which is {to:?}"))
            }
            // Items of the crate's root, of which there are none, or all of it.
            None if from == Program => {}
            None => found.push(format!("src/{file}:{line}: {told:?} is not in the layer table")),
        }
    }
    if from == Program && own[0] != "assemble" && PROTOCOLS.iter().all(|name| protocols.contains(name)) {
        found.push(format!("src/{file}:1: only assemble may name every protocol"));
    }
    found
}

/// Source files beneath a directory, with their names relative to it.
fn sources(directory: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut queue: Vec<PathBuf> = vec![directory.to_path_buf()];
    while let Some(path) = queue.pop() {
        if path.is_dir() {
            queue.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned();
            found.push((name, fs::read_to_string(path).unwrap()));
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn modules_import_only_from_rows_above() {
    let sources = sources(&root().join("src"));
    assert!(sources.len() > 10, "the sources were not found");
    let found: Vec<String> = sources.iter().flat_map(|(file, text)| problems(file, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_program_forbids_unsafe_code() {
    for (file, text) in sources(&root().join("src")) {
        let used = tokens(&text).into_iter().find(|token| token.1 == Token::Word("unsafe"));
        assert!(used.is_none(), "src/{file}:{}: unsafe code belongs in sys", used.map_or(0, |token| token.0));
        let forbids = text.lines().any(|line| line == "#![forbid(unsafe_code)]");
        assert!(
            forbids || !matches!(&*file, "lib.rs" | "main.rs"),
            "src/{file}: #![forbid(unsafe_code)] is missing"
        );
    }
}

#[test]
fn files_are_short() {
    for directory in ["src", "sys", "tests", "tools", "benches"] {
        for (file, text) in sources(&root().join(directory)) {
            let lines = text.lines().count();
            assert!(lines <= LINES, "{directory}/{file} has {lines} lines; {LINES} are allowed");
        }
    }
}

#[test]
fn a_path_is_found_however_it_is_written() {
    let cases = [
        ("use crate::text::number;", "text::number"),
        ("use crate::{text, tree::{self, Unit}};", "text tree tree::Unit"),
        ("let x = crate :: cli\n::run();", "cli::run"),
        ("use super::wire::*;", "http::wire"),
        ("use super::super::engine;", "engine"),
        ("mod tests { use super::*; use super::super::super::fs; } use super::x;", "http::head fs http::x"),
        ("use gorgon_sys as sys; gorgon_sys::open()", "gorgon_sys gorgon_sys::open"),
        ("// crate::cli\n/* crate::cli /* */ crate::cli */ \"crate::cli\" r#\"crate::cli\"#", ""),
        ("b'\"'; '\"'; '\\''; '\\\\'; fn f<'a>(x: &'a str) { crate::fs::x }", "fs::x"),
        ("\"\\\"crate::cli\"; pub(crate) fn f() {} pub(super) mod x;", ""),
        ("$crate::fs::open!()", "fs::open"),
    ];
    for (text, expected) in cases {
        let paths: Vec<String> =
            named("http/head.rs", text).iter().map(|(_, path)| path.join("::")).collect();
        assert_eq!(paths.join(" "), expected, "{text}");
    }
}

#[test]
fn imports_from_below_are_found_with_their_lines() {
    let refused = [
        ("text/number.rs", "use crate::tree::Unit;"),
        ("text/number.rs", "use gorgon_sys::Io;"),
        ("tree/mod.rs", "fn f() { crate::engine::run() }"),
        ("http/settings.rs", "use crate::http::Request;"),
        ("engine/mod.rs", "use crate::fs::Opened;"),
        ("engine/mod.rs", "use super::http::Request;"),
        ("fs/disk.rs", "use crate::engine::values::ConnId;"),
        ("fs/disk.rs", "use super::super::cli;"),
        ("http/parser.rs", "use crate::engine::Loop;"),
        ("http/parser.rs", "use crate::engine::{self, values::Next};"),
        ("http/parser.rs", "use crate::{text::number, ftp::Reply};"),
        ("http/parser.rs", "use gorgon_sys::Fd;"),
        ("http/parser.rs", "use super::service::Web;"),
        ("http/handlers/files.rs", "use super::status;"),
        ("http/service.rs", "use crate::ftp::Reply;"),
        ("http/service.rs", "use crate::world::World;"),
        ("monitor/commands.rs", "use crate::config::Config;"),
        ("other.rs", ""),
        ("http/parser.rs", "use crate::other::X;"),
        ("http/parser.rs", "use crate::*;"),
        ("cli/mod.rs", "use crate::{http, ftp, monitor, supervisor};"),
    ];
    for (file, text) in refused {
        let found = problems(file, &format!("\n{text}"));
        assert_eq!(found.len(), 1, "{file}: {text}: {found:?}");
        let line = if text.is_empty() || file == "cli/mod.rs" { 1 } else { 2 };
        assert!(found[0].starts_with(&format!("src/{file}:{line}: ")), "{found:?}");
    }
}

#[test]
fn imports_from_above_pass() {
    let granted = [
        ("tree/mod.rs", "use crate::text::number; use self::unit::Unit; use super::text;"),
        ("http/settings.rs", "use crate::tree::Unit;"),
        ("engine/values.rs", "use gorgon_sys::Io; use super::slab::X;"),
        (
            "http/parser.rs",
            "use crate::engine::values::{ConnId, Next}; use crate::fs::Opened; use super::wire;",
        ),
        ("http/parser/tests.rs", "use super::super::wire; use crate::http::settings::HTTP;"),
        ("http/service.rs", "use crate::engine::Loop; use super::parser; use gorgon_sys::Io;"),
        ("http/service/accept.rs", "use super::Web; use crate::engine::Loop;"),
        ("monitor/commands.rs", "use crate::http::service::Web; use crate::engine::Loop;"),
        ("cli/mod.rs", "use crate::http::settings::HTTP; use crate::config;"),
        ("assemble.rs", "use crate::{http, ftp, monitor, supervisor};"),
        ("main.rs", "use gorgon::cli;"),
        ("lib.rs", "pub mod anything;"),
    ];
    for (file, text) in granted {
        assert_eq!(problems(file, text), [""; 0], "{text}");
    }
}
