//! The table of verbs, and the manual page that shows it.

use super::*;
use crate::monitor::session::WATCHES;
use crate::monitor::{filter, job, output, render, request, session, timed};
use std::fs;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/man/gorgon-monitor.7");

const BEGIN: &str = ".\\\" The verbs are rendered from the tables of the program.\n";
const END: &str = ".\\\" End of the verbs.\n";

#[test]
fn the_table_is_whole() {
    for Verb { name, help, .. } in verbs() {
        assert!(!name.is_empty() && help.ends_with('.') && !help.contains("  "), "{name}: {help}");
        assert_eq!(verbs().filter(|verb| verb.name == name).count(), 1, "{name}");
    }
    // Commands are done by these places.
    let names: Vec<&str> = verbs().map(|verb| verb.name).collect();
    let order = "hello ls get set keep call find watch unwatch begin commit abort log schema save help format kv json";
    assert_eq!(names.join(" "), [order, " quit exit"].concat());
    assert!(verbs().enumerate().all(|(place, verb)| verb.place == place));
    assert_eq!(verb("save").ok().map(|verb| verb.role == Role::Admin), Some(true));
    let message = |name| verb(name).err().unwrap().message;
    assert_eq!(message("wacth"), "no verb is named wacth; did you mean watch?");
    assert_eq!(message("eval"), "no verb is named eval; help lists them");
    assert_eq!(message("reload"), "no verb is named reload; did you mean call /config reload?");
}

fn rendered() -> String {
    let mut out = String::from(".Bl -tag -width Ds\n");
    for Verb { name, role, words, help, .. } in verbs() {
        out.extend([".It Cm ", name]);
        if !words.is_empty() {
            out.extend([" Ar ", words]);
        }
        out.push('\n');
        for sentence in help.split_inclusive(". ") {
            let sentence = sentence.trim_end();
            assert!(!sentence.starts_with(['.', '\'']) && !sentence.contains('\\'), "{sentence}");
            out.extend([sentence, "\n"]);
        }
        if role == Role::Admin {
            out.push_str("It is for the role\n.Cm admin .\n");
        }
    }
    out.push_str(".El\n");
    out
}

/// `UPDATE_MAN=1 cargo test man` writes the verbs into the page.
#[test]
fn the_man_page_has_these_verbs() {
    let page = fs::read_to_string(PAGE).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the verbs begin");
    let (_, after) = rest.split_once(END).expect("the verbs end");
    let renewed = [before, BEGIN, &rendered(), END, after].concat();
    if std::env::var_os("UPDATE_MAN").is_some() {
        fs::write(PAGE, &renewed).unwrap();
    } else {
        let advice =
            "man/gorgon-monitor.7 is not what the table says; UPDATE_MAN=1 cargo test man rewrites it";
        assert!(renewed == page, "{advice}");
    }
}

#[test]
fn limits_are_what_is_told() {
    assert_eq!((request::LINE, request::TAG), (4096, 32));
    assert_eq!((filter::TERMS, filter::DEPTH), (64, 16));
    assert_eq!((session::STEPS, timed::TIMED, job::ROWS, WATCHES), (256, 1024, 4096, 8));
    assert_eq!((output::OUTPUT, render::WIDTH), (65_536, 78));
}

#[test]
fn what_nodes_do_is_no_verb() {
    let told = |name| verb(name).err().unwrap().message;
    assert_eq!(told("stop"), "no verb is named stop; did you mean call PATH stop?");
    assert_eq!(told("diff"), "no verb is named diff; did you mean call /config diff?");
    assert_eq!(told("gett"), "no verb is named gett; did you mean get?");
}
