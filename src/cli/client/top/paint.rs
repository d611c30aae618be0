//! The screen as lines of text. Pure: the same model and size give the same lines, none of them longer than there is room.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::model::{COLUMNS, Column, Mode, Model};
use super::sample::{first, peer};
use crate::cli::client::record::{Record, number};
use crate::cli::client::table::{push_cell, shrink, visible, widths};
use crate::text::columns::{fitting, width_of};
use crate::text::duration;
use crate::text::number::push_decimal_str;
use crate::text::size::push_short;

/// How a line stands out. None of it says what the text does not.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub enum Style {
    /// Not at all.
    #[default]
    Plain,
    /// The head of a table.
    Bold,
    /// The row that is selected.
    Reverse,
}

/// A line.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Line {
    /// Its text.
    pub text: String,
    /// How it stands out.
    pub style: Style,
}

/// Servers that are shown; more are counted.
const SERVERS: usize = 4;

/// Columns that a text has in any case, before another column is left out for it.
const WIDEST: usize = 22;

const HELP: &str = "\
 Up Down PgUp PgDn Home End   select a connection
 s r      sort by the next column, the other way round
 /        show only some: idle > 60s and server = main
 k c      close the one that is selected
 w R      set its write buffer, its read buffer
 space    hold everything as it is
 + -      look less often, more often
 ?        this; any key goes back
 q        quit";

const HINTS: &str = "q quit  ? help  s sort  / filter  k close  w R buffers  space pause";

/// How many rows of connections there are on a screen of so many lines.
#[must_use]
pub fn page(model: &Model, rows: usize) -> usize {
    rows.saturating_sub(5 + servers(model))
}

/// Lines that the servers take, with the head over them.
fn servers(model: &Model) -> usize {
    match model.sample.servers.len() {
        0 => 0,
        count => 1 + count.min(SERVERS) + usize::from(count > SERVERS),
    }
}

/// Paints a screen of so many columns and lines.
#[must_use]
pub fn paint(model: &Model, columns: usize, rows: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    head(model, &mut lines);
    if let Mode::Help = model.mode {
        lines.push(Line::default());
        lines.extend(HELP.lines().map(|text| Line { text: text.to_owned(), style: Style::Plain }));
        lines.truncate(rows.saturating_sub(1));
    } else {
        server_rows(model, columns, &mut lines);
        let page = page(model, rows);
        connection_rows(model, columns, page, &mut lines);
    }
    lines.truncate(rows.saturating_sub(1));
    lines.resize(rows.saturating_sub(1), Line::default());
    let foot = match &model.mode {
        Mode::Asking(_) | Mode::Typing(..) => model.prompt(),
        Mode::Table | Mode::Help if !model.notice.is_empty() => visible(&model.notice),
        Mode::Table | Mode::Help => HINTS.to_owned(),
    };
    lines.push(Line { text: foot, style: Style::Plain });
    for line in &mut lines {
        let length = fitting(&line.text, columns).0.trim_end().len();
        line.text.truncate(length);
    }
    lines
}

/// The three lines on top. What the server does not tell is left out.
fn head(model: &Model, lines: &mut Vec<Line>) {
    let sample = &model.sample;
    let mut line = String::new();
    let told = |record: &Record, key: &str| visible(first(record, &[key]).unwrap_or_default());
    let uptime = time(&told(&sample.process, "uptime"));
    add(&mut line, &["gorgon ", &told(&sample.hello, "version")]);
    add(&mut line, &["pid ", &told(&sample.hello, "pid")]);
    add(&mut line, &["up ", &uptime]);
    add(&mut line, &["role ", &told(&sample.hello, "role")]);
    let mut every = String::new();
    duration::print(model.interval, &mut every);
    add(&mut line, &["every ", &every]);
    add(&mut line, &[if model.paused { "PAUSED" } else { "" }]);
    add(&mut line, &["where ", &visible(&model.filter)]);
    lines.push(Line { text: core::mem::take(&mut line), style: Style::Bold });

    let rate = |key: &str| sample.rates.per_second("/loop", key);
    add(&mut line, &["loop ", &count(rate("turns")), " turns/s"]);
    // Milliseconds a second, in thousandths: a tenth of a percent is a thousand of them.
    add(&mut line, &["busy ", &rate("busy").map(|busy| decimal(busy / 1000)).unwrap_or_default(), "%"]);
    add(&mut line, &["slowest ", &time(&told(&sample.work, "slowest"))]);
    let why = first(&sample.work, &["slowest_why", "slowest_work"]).unwrap_or_default();
    add(&mut line, &["by ", &visible(why)]);
    add(&mut line, &["requests ", &count(sample.of_servers("requests")), "/s"]);
    lines.push(Line { text: core::mem::take(&mut line), style: Style::Plain });

    add(&mut line, &["in ", &bytes(rate("received")), "/s"]);
    add(&mut line, &["out ", &bytes(rate("sent")), "/s"]);
    let (used, limit) = (told(&sample.descriptors, "used"), told(&sample.descriptors, "limit"));
    add(&mut line, &["descriptors ", &used, "/", &limit]);
    add(&mut line, &["pages ", &size(&told(&sample.memory, "pages"))]);
    add(&mut line, &["of ", &size(&told(&sample.memory, "page_memory"))]);
    add(&mut line, &["connections ", &told(&sample.work, "connections")]);
    lines.push(Line { text: line, style: Style::Plain });
}

/// Adds a part to a line, unless something of it is not known.
fn add(line: &mut String, parts: &[&str]) {
    if parts.iter().all(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push_str("  ");
        }
        line.extend(parts.iter().copied());
    }
}

fn server_rows(model: &Model, columns: usize, lines: &mut Vec<Line>) {
    let servers = &model.sample.servers;
    if servers.is_empty() {
        return;
    }
    let keys = ["open", "accepted", "requests"];
    let mut rows = vec![vec!["server".to_owned()]];
    rows.extend(servers.iter().take(SERVERS).map(|server| vec![visible(&server.path)]));
    for key in keys {
        if !servers.iter().any(|server| server.get(key).is_some()) {
            continue;
        }
        for (row, server) in rows.iter_mut().zip(core::iter::once(None).chain(servers.iter().map(Some))) {
            row.push(server.map_or(key.to_owned(), |server| visible(server.get(key).unwrap_or_default())));
        }
    }
    for (row, server) in rows.iter_mut().zip(core::iter::once(None).chain(servers.iter().map(Some))) {
        row.push(match server {
            None => "requests/s".to_owned(),
            Some(server) => count(model.sample.rates.per_second(&server.path, "requests")),
        });
    }
    let right: Vec<bool> =
        rows.first().map(|row| (0..row.len()).map(|at| at > 0).collect()).unwrap_or_default();
    for (at, text) in aligned(&rows, &right, columns).into_iter().enumerate() {
        lines.push(Line { text, style: if at == 0 { Style::Bold } else { Style::Plain } });
    }
    if servers.len() > SERVERS {
        let mut text = "and ".to_owned();
        push_decimal_str((servers.len() - SERVERS) as u64, &mut text);
        text.push_str(" more");
        lines.push(Line { text, style: Style::Plain });
    }
}

fn connection_rows(model: &Model, columns: usize, page: usize, lines: &mut Vec<Line>) {
    let records = &model.sample.connections;
    // The selected one is seen, with as little movement as that takes.
    let top = (model.row() / page.max(1)) * page.max(1);
    let seen = records.get(top..(top + page).min(records.len())).unwrap_or_default();
    let sign = if model.reverse { "-" } else { "+" };
    let title =
        |at: usize, column: &Column| [if model.sort == Some(at) { sign } else { "" }, column.title].concat();
    let mut shown: Vec<(&Column, Vec<String>)> = Vec::new();
    for (at, column) in COLUMNS.iter().enumerate() {
        if model.key_of(column).is_some() || column.rank == 0 {
            let cells =
                core::iter::once(title(at, column)).chain(seen.iter().map(|record| cell(record, column)));
            shown.push((column, cells.collect()));
        }
    }
    let width = |(_, cells): &(&Column, Vec<String>)| {
        // One that is long can be cut.
        cells.iter().map(|cell| width_of(cell)).max().unwrap_or(0).min(WIDEST) + 2
    };
    while shown.iter().map(width).sum::<usize>() > columns && shown.len() > 1 {
        let least = shown.iter().map(|(column, _)| column.rank).max();
        shown.retain(|(column, _)| Some(column.rank) != least);
    }
    let mark = |at: usize| if at > 0 && top + at - 1 == model.row() { ">" } else { " " };
    let right: Vec<bool> =
        core::iter::once(false).chain(shown.iter().map(|(column, _)| column.right)).collect();
    let rows: Vec<Vec<String>> = (0..=seen.len())
        .map(|at| {
            let cells = shown.iter().filter_map(|(_, cells)| cells.get(at).cloned());
            core::iter::once(mark(at).to_owned()).chain(cells).collect()
        })
        .collect();
    let mut texts = aligned(&rows, &right, columns).into_iter();
    lines.push(Line { text: texts.next().unwrap_or_default(), style: Style::Bold });
    for (at, text) in texts.enumerate() {
        let style = if top + at == model.row() { Style::Reverse } else { Style::Plain };
        lines.push(Line { text, style });
    }
}

/// What stands in a column of the table of connections.
fn cell(record: &Record, column: &Column) -> String {
    let value = first(record, column.keys).unwrap_or_default();
    match column.title {
        "peer" => visible(&peer(record)),
        "age" | "idle" => time(value),
        "in" | "out" => size(value),
        _ => visible(value),
    }
}

/// Rows as lines: columns aligned and, if they are too wide together, cut.
fn aligned(rows: &[Vec<String>], right: &[bool], columns: usize) -> Vec<String> {
    let mut widths = widths(rows, right.len());
    shrink(&mut widths, columns);
    let line = |row: &Vec<String>| {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(&widths).zip(right) {
            push_cell(cell, *width, *right, &mut line);
            line.push_str(if *width == 1 { " " } else { "  " });
        }
        line
    };
    rows.iter().map(line).collect()
}

/// A time for people: `250ms`, `12s`, `5m`, `3h12m`, `4d1h`.
fn time(value: &str) -> String {
    let Some(milliseconds) = number(value) else { return visible(value) };
    let mut out = String::new();
    let seconds = milliseconds / 1000;
    let parts = match seconds {
        0 if milliseconds > 0 => [(milliseconds, "ms"), (0, "")],
        0..120 => [(seconds, "s"), (0, "")],
        120..7200 => [(seconds / 60, "m"), (0, "")],
        7200..172_800 => [(seconds / 3600, "h"), (seconds / 60 % 60, "m")],
        _ => [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h")],
    };
    for (number, unit) in parts {
        if !unit.is_empty() {
            push_decimal_str(number, &mut out);
            out.push_str(unit);
        }
    }
    out
}

/// A size for people.
fn size(value: &str) -> String {
    number(value).map_or_else(|| visible(value), short)
}

fn short(size: u64) -> String {
    let mut out = Vec::new();
    push_short(size, &mut out);
    out.into_iter().map(char::from).filter(|letter| *letter != ' ').collect()
}

/// A rate in thousandths, as bytes.
fn bytes(rate: Option<u64>) -> String {
    rate.map_or(String::new(), |rate| short(rate / 1000))
}

/// A rate in thousandths, as a count.
fn count(rate: Option<u64>) -> String {
    let mut out = String::new();
    if let Some(rate) = rate {
        if (1..10_000).contains(&rate) {
            return decimal(rate / 100);
        }
        push_decimal_str(rate / 1000, &mut out);
    }
    out
}

/// Tenths, with their point.
fn decimal(tenths: u64) -> String {
    let mut out = String::new();
    push_decimal_str(tenths / 10, &mut out);
    out.push('.');
    push_decimal_str(tenths % 10, &mut out);
    out
}

#[cfg(test)]
mod tests;
