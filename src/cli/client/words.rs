//! Lines of commands, taken apart as a monitor does: signs that are quoted do not count.

use alloc::vec::Vec;

/// The parts of a text between signs that stand outside of quotes: `"..."` with backslashes, `'...'` without.
#[must_use]
pub fn split_unquoted(text: &str, sign: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quote, mut escaped) = (0, 0, false);
    for (at, byte) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if quote != 0 {
            escaped = byte == b'\\' && quote == b'"';
            quote = if byte == quote { 0 } else { quote };
        } else if byte == b'"' || byte == b'\'' {
            quote = byte;
        } else if byte == sign {
            parts.extend(text.get(start..at));
            start = at + 1;
        }
    }
    parts.extend(text.get(start..));
    parts
}

/// The commands of a line, in order. A blank line and one that begins with `#` have none, for a monitor answers none.
pub fn commands(line: &str) -> impl Iterator<Item = &str> {
    let parts =
        if line.trim_ascii_start().starts_with('#') { Vec::new() } else { split_unquoted(line, b';') };
    parts.into_iter().map(str::trim_ascii).filter(|command| !command.is_empty())
}

/// The verb of a command, with what goes before it left out.
#[must_use]
pub fn verb(command: &str) -> &str {
    command.split_ascii_whitespace().find(|word| !matches!(*word, "json" | "kv")).unwrap_or_default()
}

/// Whether a command goes on by itself once it is answered.
#[must_use]
pub fn is_watch(command: &str) -> bool {
    let mut words = command.split_ascii_whitespace().skip_while(|word| matches!(*word, "json" | "kv"));
    match words.next() {
        Some("watch") => true,
        Some("log") => words.next() == Some("follow"),
        Some(_) | None => false,
    }
}

/// What is done with a command's output on this side.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Stages<'a> {
    /// `| sort KEY`, or `-KEY` for the greatest first.
    pub sort: Option<&'a str>,
    /// `| csv`
    pub csv: bool,
}

/// Takes from the end of a command what is done on this side: the rest is the monitor's.
#[must_use]
pub fn stages(command: &str) -> (&str, Stages<'_>) {
    let mut stages = Stages::default();
    let mut rest = command;
    loop {
        let parts = split_unquoted(rest, b'|');
        let (Some((last, before)), true) = (parts.split_last(), parts.len() > 1) else { break };
        let mut words = last.split_ascii_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some("csv"), None, None) => stages.csv = true,
            (Some("sort"), Some(key), None) => stages.sort = stages.sort.or(Some(key)),
            _ => break,
        }
        let length = before.iter().map(|part| part.len() + 1).sum::<usize>().saturating_sub(1);
        rest = rest.get(..length).unwrap_or_default();
    }
    (rest.trim_ascii(), stages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_apart() {
        for (line, wanted) in [
            ("", &[][..]),
            ("  ;; ", &[]),
            ("# ls; ls", &[]),
            ("  # ls", &[]),
            ("ls; get /loop ;", &["ls", "get /loop"]),
            (r#"set /x a="b;c\";d" ; ls"#, &[r#"set /x a="b;c\";d""#, "ls"]),
            (r"set /x a='b;\';ls", &[r"set /x a='b;\'", "ls"]),
            ("set /x a=\"b;c", &["set /x a=\"b;c"]),
            ("ls # not; one", &["ls # not", "one"]),
        ] {
            assert_eq!(commands(line).collect::<Vec<_>>(), wanted, "{line}");
        }
    }

    #[test]
    fn stages_of_this_side_are_told() {
        let sort = |key| Stages { sort: Some(key), csv: false };
        for (command, rest, wanted) in [
            ("find connection", "find connection", Stages::default()),
            ("find connection | csv", "find connection", Stages { sort: None, csv: true }),
            ("find connection|sort -idle", "find connection", sort("-idle")),
            ("find connection | close", "find connection | close", Stages::default()),
            ("find connection | close | sort a", "find connection | close", sort("a")),
            (
                "find connection | sort a | sort b | csv",
                "find connection",
                Stages { sort: Some("b"), csv: true },
            ),
            ("find connection where a ~ '| csv'", "find connection where a ~ '| csv'", Stages::default()),
            ("| csv", "", Stages { sort: None, csv: true }),
            ("csv", "csv", Stages::default()),
            ("find x | csv now", "find x | csv now", Stages::default()),
        ] {
            assert_eq!(stages(command), (rest, wanted), "{command}");
        }
    }

    #[test]
    fn watches_are_told() {
        for command in ["watch /loop", "json watch /loop", "log follow", "kv log follow 3"] {
            assert!(is_watch(command), "{command}");
        }
        for command in ["unwatch", "log", "log 3", "", "get watch"] {
            assert!(!is_watch(command), "{command}");
        }
        assert_eq!((verb("json get /loop"), verb(""), verb(" quit")), ("get", "", "quit"));
    }
}
