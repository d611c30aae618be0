//! How values, rows and prose are written: as `key=value`, or as JSON with one object a line.

use alloc::string::String;
use alloc::vec::Vec;

use crate::text::columns::is_command;
use crate::text::hex::push_hex;
use crate::text::json::push_string;
use crate::tree::{Path, Value};

/// No line of prose is longer, its two blanks included.
pub const WIDTH: usize = 78;

/// Appends a text without what would do something to a terminal: that becomes `\n`, `\t` or `\xHH`, byte by byte.
pub fn escape(text: &str, out: &mut Vec<u8>) {
    escaped(text, b"", out);
}

fn escaped(text: &str, signs: &[u8], out: &mut Vec<u8>) {
    for character in text.chars() {
        let mut room = [0; 4];
        let bytes = character.encode_utf8(&mut room).as_bytes();
        match character {
            '\n' => out.extend_from_slice(b"\\n"),
            '\t' => out.extend_from_slice(b"\\t"),
            _ if is_command(character) => {
                for &byte in bytes {
                    out.extend_from_slice(b"\\x");
                    push_hex(&[byte], out);
                }
            }
            _ => {
                if matches!(*bytes, [byte] if signs.contains(&byte)) {
                    out.push(b'\\');
                }
                out.extend_from_slice(bytes);
            }
        }
    }
}

/// Appends a text as one word of a request, in quotes where it needs them.
pub fn word(text: &str, out: &mut Vec<u8>) {
    let needs = |character: char| {
        matches!(character, ' ' | '"' | '\'' | '\\' | '=' | ';' | '|') || is_command(character)
    };
    if text.is_empty() || text.contains(needs) {
        out.push(b'"');
        escaped(text, b"\"\\", out);
        out.push(b'"');
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Appends a path. Quotes stand around its name alone.
fn path(path: &Path<'_>, out: &mut Vec<u8>) {
    out.push(b'/');
    out.extend_from_slice(path.kind.as_bytes());
    if !path.name.is_empty() {
        out.push(b'/');
        word(path.name, out);
    }
}

/// Appends a value.
pub fn value(value: &Value, json: bool, out: &mut Vec<u8>) {
    match value {
        _ if json => value.push_json(out),
        Value::Nothing => out.push(b'-'),
        // A text that looks like what is not known.
        Value::Text(text) if text == "-" => out.extend_from_slice(b"\"-\""),
        _ => word(&value.text(), out),
    }
}

/// Begins the row of a node.
#[inline(never)]
pub fn open(kind: &str, name: &str, json: bool, out: &mut Vec<u8>) {
    let node = Path { kind, name };
    if json {
        out.extend_from_slice(b"{\"path\":");
        push_string(node.text().as_bytes(), out);
    } else {
        path(&node, out);
    }
}

/// A field of a row.
pub fn field(key: &str, content: &Value, json: bool, out: &mut Vec<u8>) {
    if json {
        out.push(b',');
        push_string(key.as_bytes(), out);
        out.push(b':');
    } else {
        out.push(b' ');
        out.extend_from_slice(key.as_bytes());
        out.push(b'=');
    }
    value(content, json, out);
}

/// A field of a row that holds text.
pub fn text(key: &str, content: &str, json: bool, out: &mut Vec<u8>) {
    field(key, &Value::Text(String::from(content)), json, out);
}

/// What a row is about, which has a key in JSON only.
pub fn name(key: &str, content: &str, json: bool, out: &mut Vec<u8>) {
    if json {
        text(key, content, true, out);
    } else {
        out.push(b' ');
        out.extend_from_slice(content.as_bytes());
    }
}

/// A field of a row that holds a switch.
#[inline(never)]
pub fn switch(key: &str, on: bool, json: bool, out: &mut Vec<u8>) {
    field(key, &Value::Switch(on), json, out);
}

/// A field of a row that holds a number.
#[inline(never)]
pub fn count(key: &str, content: u64, json: bool, out: &mut Vec<u8>) {
    field(key, &Value::Count(content), json, out);
}

/// Ends a row.
pub fn close(json: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(if json { b"}\n" } else { b"\n" });
}

/// One attribute of a node on a line of its own.
pub fn line(node: &Path<'_>, key: &str, content: &Value, out: &mut Vec<u8>) {
    path(node, out);
    out.push(b'.');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
    value(content, false, out);
    out.push(b'\n');
}

/// A line of text. A row passes as it is; anything else gets two blanks before it, so that it is never taken for the
/// end of a reply, or becomes an object.
pub fn prose(line: &str, json: bool, out: &mut Vec<u8>) {
    if json && !line.starts_with('{') {
        out.extend_from_slice(b"{\"text\":");
        push_string(line.as_bytes(), out);
        out.extend_from_slice(b"}\n");
        return;
    }
    if !line.starts_with(['/', '{']) {
        out.extend_from_slice(b"  ");
    }
    escape(line, out);
    out.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::request::Words;
    use crate::tree::Unit;

    fn written(content: &Value, json: bool) -> String {
        let mut out = Vec::new();
        value(content, json, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn values_in_both_forms() {
        let text = |text: &str| Value::Text(text.to_owned());
        let list = |items: &[&str]| Value::List(items.iter().map(|&item| item.to_owned()).collect());
        for (value, kv, json) in [
            (Value::Size(16 << 10), "16K", "16384"),
            (Value::Count(7), "7", "7"),
            (Value::Time(12_000), "12s", "12"),
            (Value::Time(250), "250ms", "0.25"),
            (Value::Time(1_007), "1007ms", "1.007"),
            (Value::Time(1_100), "1100ms", "1.1"),
            (Value::Time(0), "0s", "0"),
            (Value::Switch(true), "on", "true"),
            (Value::Switch(false), "off", "false"),
            (Value::Choice("never"), "never", "\"never\""),
            (Value::Nothing, "-", "null"),
            (text(""), "\"\"", "\"\""),
            (text("-"), "\"-\"", "\"-\""),
            (text("plain/\u{e9}"), "plain/\u{e9}", "\"plain/\u{e9}\""),
            (text("a b"), "\"a b\"", "\"a b\""),
            (text("a\"\\"), "\"a\\\"\\\\\"", "\"a\\\"\\\\\""),
            (text("a=b"), "\"a=b\"", "\"a=b\""),
            (text("\n\t\u{1}\u{85}"), "\"\\n\\t\\x01\\xc2\\x85\"", "\"\\u000a\\u0009\\u0001\\u0085\""),
            (text("\u{202e}a"), "\"\\xe2\\x80\\xaea\"", "\"\\u202ea\""),
            (list(&[]), "\"\"", "[]"),
            (list(&["a"]), "a", "[\"a\"]"),
            (list(&["a", "b c"]), "\"a,b c\"", "[\"a\",\"b c\"]"),
        ] {
            assert_eq!(written(&value, false), kv);
            assert_eq!(written(&value, true), json);
        }
    }

    #[test]
    fn what_is_written_as_a_word_is_read_as_one() {
        fn property(text: String) -> bool {
            let mut out = Vec::new();
            word(&text, &mut out);
            let written = String::from_utf8(out).unwrap();
            assert!(!written.contains(is_command));
            let (mut written, mut words) = (written.into_bytes(), Vec::new());
            Words::new(&mut written).all(&mut words).unwrap();
            words == [text]
        }
        quickcheck::quickcheck(property as fn(String) -> bool);
        assert!(property("a b;c|d'e\\\"\u{80}\u{2069}".to_owned()));
        assert_eq!(Unit::Text.parse("a").unwrap(), Value::Text("a".to_owned()));
    }

    #[test]
    fn rows_and_lines() {
        let node = Path { kind: "http", name: "my own" };
        for (json, shown) in [
            (false, "/http/\"my own\" a=1 b=x\n"),
            (true, "{\"path\":\"/http/my own\",\"a\":1,\"b\":\"x\"}\n"),
        ] {
            let mut out = Vec::new();
            open(node.kind, node.name, json, &mut out);
            count("a", 1, json, &mut out);
            text("b", "x", json, &mut out);
            close(json, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), shown);
        }
        let mut out = Vec::new();
        line(&Path { kind: "loop", name: "" }, "turns", &Value::Count(3), &mut out);
        for text in ["ok", "/a", "{}", "x\u{7}"] {
            prose(text, false, &mut out);
        }
        for text in ["ok", "/a", "{}"] {
            prose(text, true, &mut out);
        }
        let shown = "/loop.turns=3\n  ok\n/a\n{}\n  x\\x07\n{\"text\":\"ok\"}\n{\"text\":\"/a\"}\n{}\n";
        assert_eq!(String::from_utf8(out).unwrap(), shown);
    }
}
