//! Every crate of the tree is listed by name in `deny.toml`, so that none arrives unseen.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The names in a lock file.
fn locked(lock: &str) -> BTreeSet<&str> {
    let mut package = false;
    let mut names = BTreeSet::new();
    for line in lock.lines() {
        if line.starts_with('[') {
            package = line == "[[package]]";
        } else if package {
            names.extend(line.strip_prefix("name = \"").and_then(|rest| rest.strip_suffix('"')));
        }
    }
    names
}

/// The names in the `allow` list of `[bans]`.
fn allowed(deny: &str) -> BTreeSet<&str> {
    let (_, bans) = deny.split_once("\n[bans]\n").expect("deny.toml has no [bans]");
    let (_, list) = bans.split_once("\nallow = [\n").expect("[bans] in deny.toml has no list `allow`");
    list.lines()
        .take_while(|line| line.trim() != "]")
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| line.split('"').nth(1))
        .collect()
}

/// What is in one and not in the other, as sentences.
fn differences(lock: &str, deny: &str) -> Vec<String> {
    let (locked, allowed) = (locked(lock), allowed(deny));
    let unseen = locked.difference(&allowed).map(|name| format!("{name} is in Cargo.lock, not in deny.toml"));
    let gone = allowed.difference(&locked).map(|name| format!("{name} is in deny.toml, not in Cargo.lock"));
    unseen.chain(gone).collect()
}

#[test]
fn every_crate_is_listed_and_every_listed_crate_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // The tool that wants the standard library has a lock file of its own.
    let lock =
        ["Cargo.lock", "tools/fdscale/Cargo.lock"].map(|name| fs::read_to_string(root.join(name)).unwrap());
    let lock = lock.concat();
    let deny = fs::read_to_string(root.join("deny.toml")).unwrap();
    assert!(locked(&lock).contains("gorgon"), "Cargo.lock was not understood");
    let found = differences(&lock, &deny);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn differences_are_named() {
    let lock = "version = 4\n\n[[package]]\nname = \"one\"\nversion = \"1\"\n\n[[package]]\nname = \"two\"\n";
    let deny = "[graph]\n\n[bans]\nwildcards = \"allow\"\nallow = [\n  # \"two\"\n  \"one\",\n  \"three\", # why\n]\n";
    assert_eq!(
        differences(lock, deny),
        ["two is in Cargo.lock, not in deny.toml", "three is in deny.toml, not in Cargo.lock"]
    );
}
