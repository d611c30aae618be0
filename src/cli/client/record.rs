//! Lines of a monitor's output in its key=value form, taken apart; and how their values compare.
//!
//! ```text
//!   /connection/17-93 server=main idle=12s    a node with some of its attributes
//!   /http/main.write_buffer=16K               one attribute of a node
//!   /schema/http stop args="" role=operate    with a word that is no attribute
//! ```

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use crate::text::duration;
use crate::text::number::{hex_value, parse_decimal};
use crate::text::size;

/// One line.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Record {
    /// The node.
    pub path: String,
    /// Key and value; a word that is none has no key.
    pub fields: Vec<(String, String)>,
    /// Whether it is one attribute of the node, so that others of it may follow on lines of their own.
    pub single: bool,
}

impl Record {
    /// Reads a line. None when it is another kind of line.
    #[must_use]
    pub fn parse(line: &str) -> Option<Record> {
        let mut record = Record::default();
        let mut rest = line.strip_prefix('/').map(|_| line)?;
        while !rest.is_empty() {
            let (word, after) = read_word(rest)?;
            let (value, left) = match after.strip_prefix('=') {
                Some(text) => read_value(text).map(|(value, left)| (Some(value), left))?,
                None => (None, after),
            };
            rest = left.trim_start_matches(' ');
            let first = record.path.is_empty();
            match value {
                None if first => word.clone_into(&mut record.path),
                None => record.fields.push((String::new(), word.to_owned())),
                Some(value) if first => {
                    let (path, key) = word.rsplit_once('.')?;
                    path.clone_into(&mut record.path);
                    record.fields.push((key.to_owned(), value));
                    record.single = true;
                }
                Some(value) => record.fields.push((word.to_owned(), value)),
            }
        }
        Some(record)
    }

    /// The value of an attribute, if it is there.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// The value of an attribute as a number: bytes, milliseconds or a count.
    #[must_use]
    pub fn number(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(number)
    }
}

/// A word up to a blank or `=`, and what follows it. The name in a path may be quoted, and stays so: that is how it is
/// given back.
fn read_word(text: &str) -> Option<(&str, &str)> {
    let (mut quoted, mut escaped) = (false, false);
    let end = text.bytes().position(|byte| {
        let ends = !quoted && matches!(byte, b' ' | b'=');
        quoted ^= byte == b'"' && !escaped;
        escaped = quoted && byte == b'\\' && !escaped;
        ends
    });
    if quoted {
        return None;
    }
    text.split_at_checked(end.unwrap_or(text.len())).filter(|(word, _)| !word.is_empty())
}

/// A value and what follows it.
fn read_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(' ').unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(end)?;
        return Some((value.to_owned(), rest));
    };
    let mut value = Vec::new();
    let mut bytes = quoted.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' => {
                // A byte that was written as \xHH need not be UTF-8.
                let value = String::from_utf8_lossy(&value).into_owned();
                return Some((value, quoted.get(at + 1..)?));
            }
            b'\\' => value.push(match bytes.next()?.1 {
                b'n' => b'\n',
                b't' => b'\t',
                b'x' => hex_value(bytes.next()?.1)? << 4 | hex_value(bytes.next()?.1)?,
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

/// The number that a value stands for: a count, bytes, or milliseconds. Sizes have capital letters, times small ones.
#[must_use]
pub fn number(value: &str) -> Option<u64> {
    match value.bytes().last()? {
        b'0'..=b'9' => parse_decimal(value.as_bytes()),
        b'A'..=b'Z' => size::parse(value),
        _ => duration::parse(value),
    }
}

/// The order of two values: numbers by their size and before texts, what is not known last.
#[must_use]
pub fn compare(one: &str, other: &str) -> Ordering {
    let rank = |text: &str, number: Option<u64>| if number.is_some() { 0 } else { 1 + u8::from(text == "-") };
    let (first, second) = (number(one), number(other));
    let ranks = rank(one, first).cmp(&rank(other, second));
    ranks.then_with(|| if first.is_some() { first.cmp(&second) } else { one.cmp(other) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        let Some(record) = Record::parse(line) else { return "none".to_owned() };
        let fields: Vec<String> =
            record.fields.iter().map(|(key, value)| [key.as_str(), ":", value.as_str()].concat()).collect();
        [record.path.as_str(), if record.single { "." } else { "" }, "|", &fields.join("|")].concat()
    }

    #[test]
    fn lines_are_read() {
        for (line, wanted) in [
            ("/loop", "/loop|"),
            ("/connection/17-93 server=main idle=12s", "/connection/17-93|server:main|idle:12s"),
            ("/http/main.write_buffer=16K", "/http/main.|write_buffer:16K"),
            ("/handler/a/b.c/d.match=/x", "/handler/a/b.c/d.|match:/x"),
            ("/schema/http stop args=\"\"", "/schema/http|:stop|args:"),
            (r#"/x a="b c=d" e=f"#, "/x|a:b c=d|e:f"),
            (r#"/x a="\"\\\n\t\x41\q" b=-"#, "/x|a:\"\\\n\tAq|b:-"),
            (r#"/x a="\xff""#, "/x|a:\u{fffd}"),
            ("/x a=b=c", "/x|a:b=c"),
            ("/x  a=1  ", "/x|a:1"),
            ("/x=1", "none"),
            ("/x a=\"b", "none"),
            ("/x a=\"\\x4", "none"),
            ("/x \"a\"", "/x|:\"a\""),
            (r#"/x/"a b=\"c".key=1"#, r#"/x/"a b=\"c".|key:1"#),
            ("/x/\"a b", "none"),
            ("/x =1", "none"),
            ("", "none"),
            ("ok", "none"),
            ("{\"path\":1}", "none"),
        ] {
            assert_eq!(told(line), wanted, "{line}");
        }
        let record = Record::parse("/x a=16K b=250ms c=7 d=on").unwrap();
        let numbers: Vec<_> = ["a", "b", "c", "d", "e"].iter().map(|key| record.number(key)).collect();
        assert_eq!(numbers, [Some(16384), Some(250), Some(7), None, None]);
    }

    #[test]
    fn values_have_an_order() {
        for pair in ["0", "7", "250ms", "1s", "16K", "5m", "1M", "", "a", "b", "-"].windows(2) {
            assert_eq!(compare(pair[0], pair[1]), Ordering::Less, "{pair:?}");
            assert_eq!(compare(pair[1], pair[0]), Ordering::Greater, "{pair:?}");
            assert_eq!(compare(pair[0], pair[0]), Ordering::Equal, "{pair:?}");
        }
    }

    quickcheck::quickcheck! {
        fn any_line_is_borne(line: String) -> bool {
            let line = ["/", &line].concat();
            Record::parse(&line).is_none_or(|record| !record.path.is_empty())
        }
    }
}
