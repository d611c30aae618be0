//! Changes the text of a configuration file and leaves alone what it does not change: comments, order, line ends.
//!
//! ```text
//!   key = value ; comment      the value alone is replaced
//!   key =                      of rules each keeps its line, with the comments before it, as long as it is the same
//!     rule
//!   ; key = default            a key that is new stands behind such a line, or else at the end of its section
//! ```
//! A comment belongs to the section or the rule that it stands directly above, without a blank line between them: it goes
//! where that goes. `; key = value` is no comment in this sense, but a part of the section above it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::expand::escape;
use super::kind::NodeKind;
use super::nodes::NodeId;
use super::source::section;
use crate::text::ini::{GORGON, Line, LineKind, Lines, push_value, unquote};
use crate::text::join::{joined, push_all};
use crate::text::split::split_once;
use crate::tree::{About, Unit, Value};

/// The lines of a section: that with its name, and those up to its last value.
struct Found<'a> {
    lines: Vec<Line<'a>>,
    /// How many of these lines are the section's; the rest, comments and blanks, belong to what comes next.
    used: usize,
}

fn find<'a>(text: &'a str, node: &NodeId) -> Option<Found<'a>> {
    let mut lines = Lines::new(text, GORGON).skip_while(|line| match line.kind {
        LineKind::Section(name) => !is_section(name, node),
        _ => true,
    });
    let mut found = Found { lines: Vec::from([lines.next()?]), used: 1 };
    for line in lines.take_while(|line| !matches!(line.kind, LineKind::Section(_))) {
        found.lines.push(line);
        if !matches!(line.kind, LineKind::Blank | LineKind::Comment) {
            found.used = found.lines.len();
        }
    }
    Some(found)
}

/// Whether a section of that name is the node's; blanks around the colon do not count.
fn is_section(text: &str, node: &NodeId) -> bool {
    are(parts(text), node)
}

/// The word of a section's kind, and its name.
fn parts(text: &str) -> (&str, Option<&str>) {
    text.split_once(':').map_or((text, None), |(word, name)| (word.trim(), Some(name.trim())))
}

fn are((word, name): (&str, Option<&str>), node: &NodeId) -> bool {
    let named = name.map_or(!node.kind.is_named(), |name| node.kind.is_named() && name == node.name);
    named && word == node.kind.word()
}

/// A section: the parts of its name, where it begins with the comments above it, and where it ends: with its last value,
/// or with the comments that a blank line parts from what comes next.
type Section<'a> = ((&'a str, Option<&'a str>), usize, usize);

/// All sections of a text, read once: to look for each of many would take as many readings.
fn sections(text: &str) -> Vec<Section<'_>> {
    let mut all: Vec<Section<'_>> = Vec::new();
    // Where the comments begin that stand directly above the line.
    let mut above = None;
    for line in Lines::new(text, GORGON) {
        let is_comment = line.kind == LineKind::Comment && !is_commented_out(text, &line);
        // Behind comments, a blank line says that these were of the section if they began right behind it.
        let end = match line.kind {
            LineKind::Section(name) => {
                all.push((parts(name), above.unwrap_or(line.start), line.next));
                None
            }
            LineKind::Comment if is_comment => None,
            LineKind::Blank => {
                above.filter(|above| all.last().is_some_and(|last| last.2 == *above)).map(|_| line.start)
            }
            // What was set once, if nothing parts it from the section.
            LineKind::Comment => Some(line.next)
                .filter(|_| all.last().is_some_and(|last| last.2 == above.unwrap_or(line.start))),
            LineKind::Pair { .. } | LineKind::More { .. } | LineKind::Wrong(_) => Some(line.next),
        };
        if let (Some(end), Some(last)) = (end, all.last_mut()) {
            last.2 = end;
        }
        above = is_comment.then(|| above.unwrap_or(line.start));
    }
    all
}

/// Whether a text has the node's section.
#[must_use]
pub fn has(text: &str, node: &NodeId) -> bool {
    find(text, node).is_some()
}

/// How the lines of a text end.
fn line_end(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

/// Appends what is in a text between two places.
fn push_part(text: &str, from: usize, to: usize, out: &mut String) {
    out.push_str(text.get(from..to).unwrap_or_default());
}

/// A text with a part of it replaced. What goes between begins a line, so the line before it is ended.
fn replaced(text: &str, from: usize, to: usize, new: &str) -> String {
    let mut out = String::with_capacity(text.len() + new.len() + 2);
    push_part(text, 0, from, &mut out);
    if !new.is_empty() && !out.is_empty() && !out.ends_with(['\n', '\u{feff}']) {
        out.push_str(line_end(text));
    }
    out.push_str(new);
    push_part(text, to, text.len(), &mut out);
    out
}

/// Sets a key in the section of a node. The text without the section stays as it is.
#[must_use]
pub fn set(text: &str, node: &NodeId, about: &About, value: &Value) -> String {
    let Some(found) = find(text, node) else { return text.to_owned() };
    let end = line_end(text);
    let own = found.lines.get(..found.used).unwrap_or_default();
    let key =
        own.iter().position(|line| matches!(line.kind, LineKind::Pair { key, .. } if key == about.name()));
    let Some(at) = key else {
        // New: behind its own comment, or else at the end.
        let comment = found.lines.iter().find(|line| is_commented(text, line, about.name()));
        let place = comment.or(own.last()).map_or(text.len(), |line| line.next);
        let mut new = String::new();
        push_new(about, value, end, &mut new);
        return replaced(text, place, place, &new);
    };
    let lines = own.get(at..).unwrap_or_default();
    // Its lines are those up to the last that goes on.
    let mut count = 1;
    for (place, line) in lines.iter().enumerate().skip(1) {
        match line.kind {
            LineKind::More { .. } => count = place + 1,
            LineKind::Blank | LineKind::Comment => {}
            LineKind::Pair { .. } | LineKind::Section(_) | LineKind::Wrong(_) => break,
        }
    }
    let lines = lines.get(..count).unwrap_or_default();
    let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return text.to_owned() };
    let mut new = String::new();
    push_changed(text, lines, about, value, end, &mut new);
    replaced(text, first.start, last.next, &new)
}

/// Whether a line is `; key = value`, as a sample has them.
fn is_commented(text: &str, line: &Line<'_>, key: &str) -> bool {
    let rest = comment(text, line).strip_prefix(key);
    rest.is_some_and(|rest| rest.trim_start_matches([' ', '\t']).starts_with(['=', ':']))
}

/// Whether a line is that of any key.
fn is_commented_out(text: &str, line: &Line<'_>) -> bool {
    let rest = comment(text, line).trim_start_matches(|sign: char| sign.is_ascii_lowercase() || sign == '_');
    rest.trim_start_matches([' ', '\t']).starts_with('=')
}

/// What a comment says; nothing for another line.
fn comment<'a>(text: &'a str, line: &Line<'_>) -> &'a str {
    let content = text.get(line.start..line.next).filter(|_| line.kind == LineKind::Comment);
    content.unwrap_or_default().trim_start_matches([';', '#', ' ', '\t'])
}

/// A value as its lines have it: the items of several where each `stands_alone`, or one text.
fn texts(stands_alone: bool, value: &Value) -> Vec<String> {
    match value {
        Value::List(items) if stands_alone && items.len() > 1 => {
            items.iter().map(|item| escape(item)).collect()
        }
        _ => {
            let mut text = String::new();
            value.print(&mut text);
            Vec::from([escape(&text)])
        }
    }
}

/// What a line of a list or of rules says, without the comma that may end it.
fn bare(old: &str) -> String {
    let mut text = unquote(old);
    if text.ends_with(',') {
        text.pop();
        text.truncate(text.trim_end_matches([' ', '\t']).len());
    }
    text
}

/// How many items a line holds, if they are those that come first.
fn held(old: &str, new: &[String]) -> usize {
    let (text, mut count) = (bare(old), 0);
    for item in text.split(',') {
        if new.get(count).is_none_or(|new| new != item.trim_matches([' ', '\t'])) {
            return 0;
        }
        count += 1;
    }
    count
}

fn push_new(about: &About, value: &Value, end: &str, out: &mut String) {
    super::dump::push_pair(about, value, "", end, out);
}

/// The lines of a key with another value.
fn push_changed(text: &str, lines: &[Line<'_>], about: &About, value: &Value, end: &str, out: &mut String) {
    let Some((first, more)) = lines.split_first() else { return };
    let LineKind::Pair { value: old, at, .. } = first.kind else { return };
    let new = texts(about.unit == Unit::Rules || !more.is_empty(), value);
    // A rule that says something else of the same address, which is its first word, is the same rule.
    let is_same = |one: &str, other: &str| {
        let key = |text| {
            if about.unit == Unit::Rules { split_once(text, " ").map_or(text, |(key, _)| key) } else { text }
        };
        key(one) == key(other)
    };
    let is_line = |text: &str| {
        more.iter()
            .any(|line| matches!(line.kind, LineKind::More { value, .. } if is_same(&bare(value), text)))
    };
    // The first line: up to the value, the value, and what is behind it.
    let keeps_first = new.first().is_some_and(|new| !new.is_empty() && is_same(new, &bare(old)));
    let (head, rest) = match (new.split_first(), held(old, &new)) {
        (Some((only, [])), _) if !is_line(only) => (only.as_str(), &[][..]),
        (_, count @ 2..) => (old, new.get(count..).unwrap_or_default()),
        (Some((head, rest)), _) if keeps_first => (head.as_str(), rest),
        _ => ("", new.as_slice()),
    };
    let mut line = String::new();
    push_part(text, first.start, at, &mut line);
    if !head.is_empty() && !line.ends_with([' ', '\t']) && old.is_empty() {
        line.push(' ');
    }
    push_value_over(old, head, rest.is_empty(), &mut line);
    let behind = text.get(at + old.len()..first.next).unwrap_or_default().trim_end_matches(['\r', '\n']);
    line.push_str(behind);
    push_all(out, &[line.trim_end_matches([' ', '\t']), end]);
    // The others: those that are the same keep their lines and the comments before them.
    let mut blocks: Vec<(usize, &Line<'_>, &str, usize)> = Vec::new();
    let mut from = first.next;
    for line in more {
        if let LineKind::More { value, at } = line.kind {
            blocks.push((from, line, value, at));
            from = line.next;
        }
    }
    let indent = blocks.first().and_then(|(_, line, _, at)| text.get(line.start..*at)).unwrap_or("  ");
    let (mut lines, mut left) = (String::new(), rest);
    while let Some((item, others)) = left.split_first() {
        let mut counts = blocks.iter().map(|(.., old, _)| held(old, left)).enumerate();
        let whole = counts.find(|(_, count)| *count > 0);
        let place = whole.map_or_else(
            || blocks.iter().position(|(.., old, _)| is_same(&bare(old), item)),
            |(place, _)| Some(place),
        );
        left = whole.map_or(others, |(_, count)| left.get(count..).unwrap_or_default());
        match place.map(|place| blocks.remove(place)) {
            Some((from, line, old, at)) => {
                push_part(text, from, at, &mut lines);
                push_value_over(old, whole.map_or(item, |_| old), left.is_empty(), &mut lines);
                push_part(text, at + old.len(), line.next, &mut lines);
                if !lines.ends_with('\n') {
                    lines.push_str(end);
                }
            }
            None => {
                lines.push_str(indent);
                push_value(item, &mut lines);
                lines.push_str(end);
            }
        }
    }
    for (from, line, old, _) in blocks {
        push_comments(
            text.get(from..line.next).unwrap_or_default(),
            old.trim_end_matches(',').contains(','),
            out,
        );
    }
    out.push_str(&lines);
}

/// A value in the place of another: as that was written, if it says the same. Behind the last no comma stands.
fn push_value_over(old: &str, new: &str, last: bool, out: &mut String) {
    if new.is_empty() {
        return;
    }
    match old == new || bare(old) == new {
        true if last && unquote(old).ends_with(',') => push_value(&bare(old), out),
        true => out.push_str(old),
        false => push_value(new, out),
    }
}

/// The comments above a rule that are not its own, for a blank line parts them from it; `all` if they may be of another
/// item of its line.
fn push_comments(part: &str, all: bool, out: &mut String) {
    let mut kept = String::new();
    for line in part.split_inclusive('\n') {
        if line.trim_ascii().is_empty() {
            out.push_str(&kept);
            kept.clear();
        } else if line.trim_start_matches([' ', '\t']).starts_with([';', '#']) {
            kept.push_str(line);
        }
    }
    if all {
        out.push_str(&kept);
    }
}

/// Adds a section: of a handler behind the last one of its server, or else behind the server's own; any other, and one
/// whose server is elsewhere, at the end.
#[must_use]
pub fn add(text: &str, node: &NodeId) -> String {
    let end = line_end(text);
    let mut at = text.len();
    if let Some((server, _)) = split_once(&node.name, "/") {
        for ((word, name), _, place) in sections(text) {
            let name = name.unwrap_or_default();
            let is_handler = word == node.kind.word() && belongs(name, server);
            if is_handler || (at == text.len() && word == "http" && name == server) {
                at = place;
            }
        }
    }
    if text.get(at..).is_some_and(|rest| rest.bytes().all(|byte| byte <= b' ')) {
        at = text.len();
    }
    let before = text.get(..at).unwrap_or_default();
    let ends_blank = before.is_empty() || before.ends_with("\n\n") || before.ends_with("\n\r\n");
    let blank = if ends_blank { "" } else { end };
    let new = joined(&[blank, "[", &section(node.kind, &node.name), "]", end]);
    replaced(text, at, at, &new)
}

/// Whether a handler of that name, `SERVER/NAME`, is one of the server.
fn belongs(name: &str, server: &str) -> bool {
    name.strip_prefix(server).is_some_and(|rest| rest.starts_with('/'))
}

/// Takes a section away, with the comments that are its own.
#[must_use]
pub fn remove(text: &str, node: &NodeId) -> String {
    let sections = sections(text);
    let Some((_, start, end)) = sections.into_iter().find(|(parts, ..)| are(*parts, node)) else {
        return text.to_owned();
    };
    // One of the blank lines around it goes with it.
    let (before, rest) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    let blank = ["\n", "\r\n"].into_iter().find(|blank| rest.starts_with(blank)).map_or(0, str::len);
    let last = ["\n\n", "\r\n\r\n"].into_iter().find(|blank| rest.is_empty() && before.ends_with(blank));
    replaced(text, start - last.map_or(0, |blank| blank.len() / 2), end + blank, "")
}

/// Puts the sections of some nodes into another order, each into the place of another; all of them stand in the text.
#[must_use]
pub fn reorder(text: &str, nodes: &[NodeId]) -> String {
    let sections = sections(text);
    let (mut wanted, mut places) = (Vec::new(), Vec::new());
    for node in nodes {
        if let Some((_, start, end)) = sections.iter().find(|(parts, ..)| are(*parts, node)) {
            let range = (*start, *end);
            wanted.push(range);
            places.insert(places.partition_point(|other: &(usize, usize)| *other < range), range);
        }
    }
    if places == wanted {
        return text.to_owned();
    }
    let end = line_end(text);
    let (mut out, mut at) = (String::with_capacity(text.len() + 2), 0);
    for (place, new) in places.iter().zip(&wanted) {
        push_part(text, at, place.0, &mut out);
        push_part(text, new.0, new.1, &mut out);
        if !out.ends_with('\n') {
            out.push_str(end);
        }
        at = place.1;
        let next = text.get(at..).unwrap_or_default();
        if ends_in_comment(text.get(new.0..new.1).unwrap_or_default())
            && !next.is_empty()
            && !next.starts_with(end)
        {
            // It would be that of what comes next.
            out.push_str(end);
        }
    }
    push_part(text, at, text.len(), &mut out);
    out
}

/// Whether the last line of a section is a comment of its own.
fn ends_in_comment(part: &str) -> bool {
    let last = Lines::new(part, GORGON).last();
    last.is_some_and(|line| line.kind == LineKind::Comment && !is_commented_out(part, &line))
}

/// Where the section of a node stands among texts.
#[must_use]
pub fn find_text(texts: &[(String, String)], kind: NodeKind, name: &str) -> Option<usize> {
    let node = NodeId::new(kind, name);
    texts.iter().position(|(_, text)| has(text, &node))
}

/// Where the sections of nodes stand among texts, as [`find_text`] finds each; those that stand nowhere are left out.
#[must_use]
pub fn find_texts(texts: &[(String, String)], nodes: &[NodeId]) -> Vec<usize> {
    let (mut all, mut found) = (Vec::new(), Vec::new());
    texts.iter().for_each(|(_, text)| all.push(sections(text)));
    for node in nodes {
        found.extend(all.iter().position(|sections| sections.iter().any(|(parts, ..)| are(*parts, node))));
    }
    found
}

#[cfg(test)]
#[cfg(feature = "http")]
mod tests;
