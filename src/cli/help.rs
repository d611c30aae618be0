//! `--help` and `--version`, rendered from the tables.

/// The text of `--help`, 80 columns wide.
#[must_use]
pub fn help() -> String {
    String::new()
}

/// The text of `--version`. `pollers` are the names of those built in, best first.
#[must_use]
pub fn version(pollers: &[&str]) -> String {
    let _ = pollers;
    String::new()
}
