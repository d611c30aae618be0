//! What a listing looks like: a page for people, an array for programs. Everything here appends to a buffer.

use alloc::vec::Vec;

use crate::text::number::push_decimal;
use crate::text::{calendar, html, json, percent, size, unicode};

use super::order::{Key, Order};

/// What is told of one entry.
#[derive(Clone, Copy)]
pub struct Facts {
    /// A directory, or else a file.
    pub directory: bool,
    /// In bytes; not told of a directory.
    pub size: u64,
    /// In seconds since 1970.
    pub modified: i64,
}

/// The fields that go with the page. Its policy lets it have its own style and nothing else.
pub const HTML_FIELDS: &[u8] = b"Content-Type: text/html; charset=utf-8\r\n\
    Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n";
/// The fields that go with the array.
pub const JSON_FIELDS: &[u8] = b"Content-Type: application/json\r\n";

const BEFORE_TITLE: &[u8] = b"<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
    <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>";
const AFTER_TITLE: &[u8] = b"</title>\n<style>\n\
    :root{color-scheme:light dark}\n\
    body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1rem}\n\
    h1{font-size:1.2rem;margin:.5rem 0;overflow-wrap:anywhere}\n\
    table{border-collapse:collapse;width:100%}\n\
    th,td{text-align:left;padding:0;border-bottom:1px solid #8884;vertical-align:baseline}\n\
    td:first-child{overflow-wrap:anywhere;unicode-bidi:isolate}\n\
    th+th,td+td{text-align:right;padding-left:1rem;white-space:nowrap;font-variant-numeric:tabular-nums}\n\
    a{display:block;padding:.4rem 0;text-decoration:none}\na:hover{text-decoration:underline}\n\
    @media(max-width:30rem){th+th+th,td+td+td{display:none}}\n\
    </style>\n</head>\n<body>\n<h1>";

/// The page up to its table. `path` is in directory form.
pub fn push_head(path: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(BEFORE_TITLE);
    push_text(path, out);
    out.extend_from_slice(AFTER_TITLE);
    push_text(path, out);
    out.extend_from_slice(b"</h1>\n");
}

/// The table's head, with links that sort; without an order, a word on why there is none. `above`: there is a parent.
pub fn push_table(order: Option<Order>, above: bool, out: &mut Vec<u8>) {
    if order.is_none() {
        out.extend_from_slice(b"<p>Too many entries to sort: they come as they lie in the directory.</p>\n");
    }
    out.extend_from_slice(b"<table>\n<thead><tr>");
    for (key, title) in [(Key::Name, "Name"), (Key::Size, "Size"), (Key::Date, "Modified (UTC)")] {
        push_title(key, title.as_bytes(), order, out);
    }
    out.extend_from_slice(b"</tr></thead>\n<tbody>\n");
    if above {
        out.extend_from_slice(b"<tr><td><a href=\"../\">../</a></td><td></td><td></td></tr>\n");
    }
}

fn push_title(key: Key, title: &[u8], order: Option<Order>, out: &mut Vec<u8>) {
    let Some(order) = order else {
        out.extend_from_slice(b"<th>");
        out.extend_from_slice(title);
        return out.extend_from_slice(b"</th>");
    };
    let now = order.key == key;
    out.extend_from_slice(match (now, order.descending) {
        (true, false) => b"<th aria-sort=\"ascending\"><a href=\"?sort=",
        (true, true) => b"<th aria-sort=\"descending\"><a href=\"?sort=",
        (false, _) => b"<th><a href=\"?sort=",
    });
    out.extend_from_slice(key.word());
    out.extend_from_slice(b"&amp;order=");
    out.extend_from_slice(if now && !order.descending { b"desc" } else { b"asc" });
    out.extend_from_slice(b"\">");
    out.extend_from_slice(title);
    if now {
        out.extend_from_slice(if order.descending { " \u{2193}".as_bytes() } else { " \u{2191}".as_bytes() });
    }
    out.extend_from_slice(b"</a></th>");
}

/// One row of the table.
pub fn push_row(name: &[u8], facts: &Facts, out: &mut Vec<u8>) {
    let slash: &[u8] = if facts.directory { b"/" } else { b"" };
    // With `./` before it no name is a scheme, and none is empty.
    out.extend_from_slice(b"<tr><td><a href=\"./");
    percent::encode_segment(name, out);
    out.extend_from_slice(slash);
    out.extend_from_slice(b"\">");
    push_text(name, out);
    out.extend_from_slice(slash);
    out.extend_from_slice(b"</a></td><td");
    if !facts.directory {
        out.extend_from_slice(b" title=\"");
        push_decimal(facts.size, out);
        out.extend_from_slice(b" bytes\"");
    }
    out.push(b'>');
    if !facts.directory {
        size::push_short(facts.size, out);
    }
    out.extend_from_slice(b"</td><td>");
    let time = calendar::format_iso(facts.modified);
    let (day, rest) = time.split_at_checked(10).unwrap_or_default();
    out.extend_from_slice(day);
    out.push(b' ');
    out.extend_from_slice(rest.get(1..6).unwrap_or_default());
    out.extend_from_slice(b"</td></tr>\n");
}

/// The end of the page.
pub fn push_foot(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</tbody>\n</table>\n");
    push_text_end(out);
}

/// The end of a page without a table.
pub fn push_text_end(out: &mut Vec<u8>) {
    out.extend_from_slice(b"</body>\n</html>\n");
}

/// One object of the array, with what parts it from the one before.
pub fn push_object(first: bool, name: &[u8], facts: &Facts, out: &mut Vec<u8>) {
    out.extend_from_slice(if first { b"\n{\"name\":" } else { b",\n{\"name\":" });
    json::push_string(name, out);
    // What is not UTF-8 has no name in JSON, and is fetched by this.
    out.extend_from_slice(b",\"href\":\"");
    percent::encode_segment(name, out);
    if facts.directory {
        out.extend_from_slice(b"/\",\"type\":\"directory\"");
    } else {
        out.extend_from_slice(b"\",\"type\":\"file\",\"size\":");
        push_decimal(facts.size, out);
    }
    out.extend_from_slice(b",\"modified\":\"");
    out.extend_from_slice(&calendar::format_iso(facts.modified));
    out.extend_from_slice(b"\"}");
}

/// A name as text of the page. What is not UTF-8, or would not be seen, is shown as U+FFFD.
fn push_text(text: &[u8], out: &mut Vec<u8>) {
    unicode::each_valid(text, &mut |valid| {
        for part in valid.split_inclusive(u8::is_ascii_control) {
            match part.split_last() {
                Some((last, before)) if last.is_ascii_control() => {
                    html::escape(before, out);
                    out.extend_from_slice("\u{fffd}".as_bytes());
                }
                Some(_) | None => html::escape(part, out),
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &[u8], facts: Facts) -> String {
        let mut out = Vec::new();
        push_row(name, &facts, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn rows() {
        let file = Facts { directory: false, size: 1536, modified: 784_111_777 };
        assert_eq!(
            row(b"<a>&\"b\".txt", file),
            "<tr><td><a href=\"./%3Ca%3E%26%22b%22.txt\">&lt;a&gt;&amp;&quot;b&quot;.txt</a></td>\
             <td title=\"1536 bytes\">1.5 K</td><td>1994-11-06 08:49</td></tr>\n"
        );
        let directory = Facts { directory: true, ..file };
        assert_eq!(
            row(b"javascript:\xff\n", directory),
            "<tr><td><a href=\"./javascript%3A%FF%0A/\">javascript:\u{fffd}\u{fffd}/</a></td>\
             <td></td><td>1994-11-06 08:49</td></tr>\n"
        );
    }

    #[test]
    fn objects() {
        let file = Facts { directory: false, size: 7, modified: 0 };
        let mut out = Vec::new();
        push_object(true, b"a\"", &file, &mut out);
        push_object(false, b"d:\xff", &Facts { directory: true, ..file }, &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "\n{\"name\":\"a\\\"\",\"href\":\"a%22\",\"type\":\"file\",\"size\":7,\
             \"modified\":\"1970-01-01T00:00:00Z\"},\
             \n{\"name\":\"d:\u{fffd}\",\"href\":\"d%3A%FF/\",\"type\":\"directory\",\"modified\":\"1970-01-01T00:00:00Z\"}"
        );
    }

    #[test]
    fn titles_turn_their_order_round() {
        let table = |order| {
            let mut out = Vec::new();
            push_table(order, false, &mut out);
            String::from_utf8(out).unwrap()
        };
        let ascending = table(Some(Order { key: Key::Size, descending: false }));
        assert!(ascending.contains("?sort=size&amp;order=desc\">Size \u{2191}"));
        assert!(ascending.contains("?sort=name&amp;order=asc\">Name<"));
        assert!(!ascending.contains("../") && !ascending.contains("Too many"));
        let descending = table(Some(Order { key: Key::Size, descending: true }));
        assert!(descending.contains("?sort=size&amp;order=asc\">Size \u{2193}"));
        let unsorted = table(None);
        assert!(unsorted.contains("Too many") && !unsorted.contains("href"));
    }
}
