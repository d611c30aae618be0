//! The screen as lines of text. Pure: the same model and size give the same lines, none of them longer than there is room.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::model::{COLUMNS, Column, Mode, Model};
use super::sample::{first, peer};
use crate::cli::client::record::{Record, number};
use crate::cli::client::table::{Head, keys, push_table, visible};
use crate::text::columns::{fitting, width_of};
use crate::text::duration;
use crate::text::join::joined;
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
 /        show only some: idle > 60s and server = main; Escape shows all
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
        HELP.lines().for_each(|text| lines.push(Line { text: text.to_owned(), style: Style::Plain }));
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
        line.text = fitting(&line.text, columns).0.trim_end_matches(' ').to_owned();
    }
    lines
}

/// The parts of the three lines on top, one a line with tabs between: what is before, the node, its attribute, how it is
/// shown, what is behind. What the server does not tell is left out. One text, for a table of texts costs more.
const HEAD: &str = "\
gorgon \thello\tversion\ttext\t
pid \thello\tpid\ttext\t
up \tprocess\tuptime\ttime\t
role \thello\trole\ttext\t
every \town\tevery\ttext\t
\town\tpaused\ttext\t
where \town\twhere\ttext\t

loop \tloop\tturns\trate\t turns/s
busy \tloop\tbusy\tpart\t%
slowest \tloop\tslowest\ttime\t
by \tloop\tslowest_work\ttext\t
by \tloop\tslowest_why\ttext\t
requests \town\trequests\ttext\t/s

in \tloop\treceived\tbytes\t/s
out \tloop\tsent\tbytes\t/s
connections \tloop\tconnections\ttext\t
fds \tdescriptors\tused\ttext\t
of \tdescriptors\tlimit\ttext\t
pages \tmemory\tpages\tsize\t
of \tmemory\tpage_memory\tsize\t
";

fn head(model: &Model, lines: &mut Vec<Line>) {
    let sample = &model.sample;
    let mut own = Record::default();
    let mut every = String::new();
    duration::print(model.interval, &mut every);
    let requests = count(sample.of_servers("requests"));
    let paused = if model.paused { "PAUSED" } else { "" };
    for (key, value) in
        [("every", every.as_str()), ("paused", paused), ("where", &model.accepted), ("requests", &requests)]
    {
        own.fields.push((key.to_owned(), value.to_owned()));
    }
    let mut line = String::new();
    for part in HEAD.split_terminator('\n') {
        if part.is_empty() {
            lines.push(Line { text: core::mem::take(&mut line), style: Style::Plain });
        }
        let mut words = part.split('\t');
        let mut word = || words.next().unwrap_or_default();
        let (before, node, key, shown, after) = (word(), word(), word(), word(), word());
        let record = match node {
            "hello" => &sample.hello,
            "process" => &sample.process,
            "loop" => &sample.work,
            "descriptors" => &sample.descriptors,
            "memory" => &sample.memory,
            _ => &own,
        };
        let value = first(record, &[key]).unwrap_or_default();
        let rate = sample.rates.per_second("/loop", key);
        let text = match shown {
            "time" => time(value),
            "size" => in_bytes(size(value)),
            "rate" => count(rate),
            "bytes" => rate.map_or(String::new(), |rate| in_bytes(short(rate / 1000))),
            // Milliseconds a second, in thousandths: a tenth of a percent is a thousand of them.
            "part" => rate.map_or(String::new(), |rate| decimal(rate / 1000)),
            _ => visible(value),
        };
        if !text.is_empty() {
            let gap = if line.is_empty() {
                ""
            } else if before == "of " {
                " "
            } else {
                "  "
            };
            line.push_str(&joined(&[gap, before, &text, after]));
        }
    }
    lines.push(Line { text: line, style: Style::Plain });
}

/// Appends a table, one of whose rows may stand out.
fn table(title: &str, records: &[Record], selected: Option<usize>, columns: usize, lines: &mut Vec<Line>) {
    let mut text = String::new();
    push_table(title, records, &keys(records).0, columns, &mut Head::default(), &mut text);
    for (at, line) in text.split_terminator('\n').enumerate() {
        let style = match at.checked_sub(1) {
            None => Style::Bold,
            row if row == selected => Style::Reverse,
            Some(_) => Style::Plain,
        };
        lines.push(Line { text: line.to_owned(), style });
    }
}

fn server_rows(model: &Model, columns: usize, lines: &mut Vec<Line>) {
    let servers = &model.sample.servers;
    if servers.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for server in servers.iter().take(SERVERS) {
        let mut row = Record { path: server.path.clone(), ..Record::default() };
        for key in ["open", "accepted", "requests"] {
            row.fields.extend(server.get(key).map(|value| (key.to_owned(), value.to_owned())));
        }
        row.fields
            .push(("requests/s".to_owned(), count(model.sample.rates.per_second(&server.path, "requests"))));
        rows.push(row);
    }
    table("server", &rows, None, columns, lines);
    if servers.len() > SERVERS {
        let mut text = "and ".to_owned();
        push_decimal_str((servers.len() - SERVERS) as u64, &mut text);
        text.push_str(" more");
        lines.push(Line { text, style: Style::Plain });
    }
}

fn connection_rows(model: &Model, columns: usize, page: usize, lines: &mut Vec<Line>) {
    let records = &model.sample.connections;
    // A page is turned when the selected one leaves it, so that the rest stands still.
    let top = (model.row() / page.max(1)) * page.max(1);
    let seen = records.get(top..(top + page).min(records.len())).unwrap_or_default();
    let title = |at: usize, column: &Column| {
        let sign = if model.sort != Some(at) {
            ""
        } else if model.reverse {
            "-"
        } else {
            "+"
        };
        joined(&[sign, column.title])
    };
    let mut rows: Vec<Record> = Vec::new();
    for (at, record) in seen.iter().enumerate() {
        let mark = if top + at == model.row() { "> " } else { "  " };
        rows.push(Record { path: joined(&[mark, &peer(record)]), ..Record::default() });
    }
    let widest = |cells: &mut dyn Iterator<Item = usize>| cells.max().unwrap_or(0).min(WIDEST) + 2;
    let mut left = columns.saturating_sub(widest(&mut rows.iter().map(|row| width_of(&row.path))));
    let there = |(_, column): &(usize, &Column)| model.key_of(column).is_some();
    let mut shown: Vec<(usize, &Column)> = COLUMNS.iter().enumerate().skip(1).filter(there).collect();
    // The most wanted take the room there is.
    for rank in 1..=COLUMNS.len() {
        let Some(place) = shown.iter().position(|(_, column)| usize::from(column.rank) == rank) else {
            continue;
        };
        let Some(&(at, column)) = shown.get(place) else { continue };
        let cells = &mut seen.iter().map(|record| width_of(&cell(record, column)));
        let width = widest(cells).max(title(at, column).len() + 2);
        if width > left + 2 {
            shown.remove(place);
        }
        left = left.saturating_sub(width);
    }
    for (at, column) in shown {
        let title = title(at, column);
        rows.iter_mut()
            .zip(seen)
            .for_each(|(row, record)| row.fields.push((title.clone(), cell(record, column))));
    }
    let heading = COLUMNS.first().map(|column| title(0, column)).unwrap_or_default();
    table(&joined(&["  ", &heading]), &rows, model.row().checked_sub(top), columns, lines);
}

/// What stands in a column of the table of connections.
fn cell(record: &Record, column: &Column) -> String {
    let value = first(record, column.keys).unwrap_or_default();
    match column.title {
        "age" | "idle" => time(value),
        "in" | "out" => size(value),
        _ => visible(value),
    }
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

/// With its unit, where nothing beside it says that it is no count.
fn in_bytes(mut size: String) -> String {
    if size.ends_with(|last: char| last.is_ascii_digit()) {
        size.push('B');
    }
    size
}

fn short(size: u64) -> String {
    let mut out = Vec::new();
    push_short(size, &mut out);
    out.into_iter().map(char::from).filter(|letter| *letter != ' ').collect()
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
