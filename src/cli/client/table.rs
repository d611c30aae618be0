//! Rows in aligned columns: numbers to the right, cut to the width there is. Pure.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::record::Record;
use crate::text::columns::{fitting, push_blanks, push_visible, width_of};
use crate::text::join::{joined, push_all};

/// The narrowest that a column is made to have all of them fit.
const NARROWEST: usize = 6;
/// The most columns of a table, beside the node: twice what any node has.
pub const COLUMNS: usize = 128;
/// The most that a column takes before another has to go for it: any address is whole.
const WIDEST: usize = 46;
/// What is cut says so.
const CUT: char = '\u{2026}';

/// One value, as it is shown.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::new();
    push_visible(text.as_bytes(), &mut out);
    out
}

/// Appends a text in so many columns, cut if need be, filled with blanks before or after it.
fn push_cell(text: &str, width: usize, right: bool, out: &mut String) {
    let whole = width_of(text);
    let (shown, taken) = if whole <= width { (text, whole) } else { fitting(text, width.saturating_sub(1)) };
    let cut = whole > width && width > 0;
    let blanks = width.saturating_sub(taken + usize::from(cut));
    if right {
        push_blanks(blanks, out);
    }
    out.push_str(shown);
    if cut {
        out.push(CUT);
    }
    if !right {
        push_blanks(blanks, out);
    }
}

/// Makes columns narrower, the widest first, until they fit with two blanks between them; but not the first, which names
/// the row and is what is typed next.
fn shrink(widths: &mut [usize], room: usize) {
    loop {
        let sum: usize = widths.iter().map(|width| width + 2).sum();
        let widest = widths.iter_mut().skip(1).max();
        match widest {
            Some(widest) if sum > room + 2 && *widest > NARROWEST => *widest -= 1,
            Some(_) | None => return,
        }
    }
}

/// The keys of records, each once, in the order they first come in, and whether those are all: there are at most
/// [`COLUMNS`].
#[must_use]
pub fn keys(records: &[Record]) -> (Vec<String>, bool) {
    let (mut keys, mut all): (Vec<String>, bool) = (Vec::new(), true);
    for (key, _) in records.iter().flat_map(|record| &record.fields) {
        if !keys.contains(key) {
            if keys.len() >= COLUMNS {
                all = false;
                break;
            }
            keys.push(key.clone());
        }
    }
    (keys, all)
}

/// Whether a value may stand in a column of numbers: one of them with its unit, or none.
fn is_numeric(value: &str) -> bool {
    let dots = value.bytes().filter(|&byte| byte == b'.').count();
    let begins = value.bytes().next().is_none_or(|byte| byte.is_ascii_digit());
    value == "-"
        || (begins && dots < 2 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'))
}

/// The head of the table that was shown last.
#[derive(Default)]
pub struct Head {
    keys: Vec<String>,
    widths: Vec<usize>,
}

/// The keys of a table's columns, and whether there is room for all of them. If not, what no record has is left out.
#[must_use]
pub fn told_keys(records: &[Record], columns: usize) -> (Vec<String>, bool) {
    let mut keys = keys(records).0;
    let is_told = |value: Option<&str>| value.is_some_and(|value| !matches!(value, "" | "-"));
    let width = |key: &String| {
        let values = records.iter().map(|record| record.get(key).map_or(0, width_of));
        values.max().unwrap_or(0).max(width_of(key)) + 2
    };
    let first = records.iter().map(|record| width_of(&record.path)).max().unwrap_or(0);
    let fits = |keys: &[String]| first + keys.iter().map(width).sum::<usize>() <= columns;
    if fits(&keys) {
        return (keys, true);
    }
    keys.retain(|key| records.iter().any(|record| is_told(record.get(key))));
    let fits = fits(&keys);
    (keys, fits)
}

/// Takes off the end of the keys of a table's columns those that there is no room for; one is left in any case.
#[must_use]
pub fn split_keys(records: &[Record], columns: usize, keys: &mut Vec<String>) -> Vec<String> {
    let mut sum = records.iter().map(|record| width_of(&visible(&record.path))).max().unwrap_or(0);
    let fits = |key: &String| {
        let values =
            records.iter().map(|record| record.get(key).map_or(0, |value| width_of(&visible(value))));
        sum += values.max().unwrap_or(0).min(WIDEST).max(width_of(key)) + 2;
        sum <= columns
    };
    let count = keys.iter().map(fits).take_while(|fits| *fits).count();
    keys.split_off(count.max(1).min(keys.len()))
}

/// Appends records as a table with a head, in at most so many columns of the terminal. A single row that fits beneath the
/// head before it has none of its own.
pub fn push_table(
    title: &str,
    records: &[Record],
    keys: &[String],
    columns: usize,
    head: &mut Head,
    out: &mut String,
) {
    let mut rows = vec![vec![title.to_owned()]];
    records.iter().for_each(|record| rows.push(vec![visible(&record.path)]));
    let mut right = vec![false];
    for key in keys {
        let mut numbers = !key.is_empty();
        for (row, record) in rows.iter_mut().skip(1).zip(records) {
            let value = record.get(key).unwrap_or_default();
            numbers &= is_numeric(value);
            row.push(visible(value));
        }
        right.push(numbers);
        rows.iter_mut().take(1).for_each(|row| row.push(visible(key)));
    }
    let widths = widths(&rows, right.len());
    let fits = head.widths.iter().zip(&widths).all(|(known, width)| width <= known);
    if records.len() == 1 && head.keys == keys && fits {
        rows.remove(0);
    } else {
        *head = Head { keys: keys.to_vec(), widths };
    }
    push_rows(&rows, &right, head.widths.clone(), columns, out);
}

/// Appends the attributes of one node, one a line.
pub fn push_sheet(record: &Record, columns: usize, out: &mut String) {
    out.push_str(fitting(&visible(&record.path), columns).0);
    out.push('\n');
    let mut rows = Vec::new();
    for (key, value) in &record.fields {
        rows.push(vec![joined(&["  ", &visible(key)]), visible(value)]);
    }
    push_rows(&rows, &[false, false], widths(&rows, 2), columns, out);
}

/// How wide each of so many columns has to be.
fn widths(rows: &[Vec<String>], columns: usize) -> Vec<usize> {
    let mut widths = vec![0; columns];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = width_of(cell).max(*width);
        }
    }
    widths
}

fn push_rows(rows: &[Vec<String>], right: &[bool], mut widths: Vec<usize>, columns: usize, out: &mut String) {
    shrink(&mut widths, columns);
    for row in rows {
        let mut line = String::new();
        for ((cell, width), right) in row.iter().zip(&widths).zip(right) {
            push_cell(cell, *width, *right, &mut line);
            line.push_str("  ");
        }
        out.push_str(fitting(line.trim_ascii_end(), columns).0.trim_ascii_end());
        out.push('\n');
    }
}

/// Appends a row of CSV (RFC 4180, with the line ends of this system).
pub fn push_csv(cells: &mut dyn Iterator<Item = &str>, out: &mut String) {
    let mut first = true;
    for cell in cells {
        if !core::mem::take(&mut first) {
            out.push(',');
        }
        let cell = visible(cell);
        if cell.contains(['"', ',']) {
            push_all(out, &["\"", &cell.replace('"', "\"\""), "\""]);
        } else {
            out.push_str(&cell);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push_table(title: &str, records: &[Record], columns: usize, head: &mut Head, out: &mut String) {
        super::push_table(title, records, &told_keys(records, columns).0, columns, head, out);
    }

    fn records(lines: &[&str]) -> Vec<Record> {
        lines.iter().map(|line| Record::parse(line).unwrap()).collect()
    }

    const ROWS: [&str; 3] = [
        "/connection/7-1 server=main peer=127.0.0.1 idle=12s",
        "/connection/12-3 server=\u{65e5}\u{672c} peer=\"a \\x1b[1m b\" idle=250ms",
        "/connection/3-9 idle=- peer=::1 file=\"x\"",
    ];

    #[test]
    fn rows_are_aligned() {
        let mut out = String::new();
        push_table("node", &records(&ROWS), 80, &mut Head::default(), &mut out);
        let wanted = "\
node              server  peer          idle  file
/connection/7-1   main    127.0.0.1      12s
/connection/12-3  \u{65e5}\u{672c}    a \\x1b[1m b  250ms
/connection/3-9           ::1              -  x
";
        assert_eq!(out, wanted);
    }

    #[test]
    fn rows_are_cut_to_the_width() {
        for columns in 1..60 {
            let mut out = String::new();
            push_table("node", &records(&ROWS), columns, &mut Head::default(), &mut out);
            push_sheet(&records(&ROWS)[0], columns, &mut out);
            assert!(out.lines().all(|line| width_of(line) <= columns), "{columns}: {out}");
        }
        let mut out = String::new();
        let row = "/connection/7-1  main    127.0\u{2026}   12s\n";
        push_table("node", &records(&ROWS[..1]), 37, &mut Head::default(), &mut out);
        assert_eq!(out, ["node             server  peer    idle\n", row].concat());
        out.clear();
        let empty = records(&["/a/1 b=- c=7 d=\"\"", "/a/2 b=- c=9 d=\"\""]);
        push_table("node", &empty, 10, &mut Head::default(), &mut out);
        assert_eq!(out, "node  c\n/a/1  7\n/a/2  9\n");
    }

    #[test]
    fn rows_that_come_one_by_one_have_one_head() {
        let (mut head, mut out) = (Head::default(), String::new());
        for line in
            ["/loop turns=17", "/loop turns=9", "/loop turns=123456", "/loop turns=17", "/loop busy=1s"]
        {
            push_table("node", &records(&[line]), 80, &mut head, &mut out);
        }
        let wanted = "\
node   turns
/loop     17
/loop      9
node    turns
/loop  123456
/loop      17
node   busy
/loop    1s
";
        assert_eq!(out, wanted);
    }

    #[test]
    fn columns_are_whole_or_not_there() {
        let rows = records(&["/a/1 peer=2001:db8::1234:5678 port=4001 file=\"/srv/a long name\" idle=5s"]);
        for (columns, count) in [(1, 1), (30, 1), (31, 2), (48, 2), (49, 3), (54, 3), (55, 4)] {
            let mut shown = keys(&rows).0;
            let left = split_keys(&rows, columns, &mut shown);
            assert_eq!((shown.len(), left.len()), (count, 4 - count), "{columns}");
        }
        let long = records(&[&["/a/1 file=", &"x".repeat(200), " idle=5s"].concat()]);
        let mut shown = keys(&long).0;
        assert_eq!(split_keys(&long, 80, &mut shown).len(), 0);
        assert_eq!(split_keys(&[], 80, &mut Vec::new()).len(), 0);
    }

    #[test]
    fn a_node_is_a_sheet() {
        let mut out = String::new();
        push_sheet(&records(&["/loop turns=17 slowest_why=\"a b\""])[0], 80, &mut out);
        assert_eq!(out, "/loop\n  turns        17\n  slowest_why  a b\n");
    }

    #[test]
    fn commas_and_quotes_are_quoted() {
        let mut out = String::new();
        push_csv(&mut ["a", "b,c", "d\"e", "", "f\ng"].into_iter(), &mut out);
        assert_eq!(out, "a,\"b,c\",\"d\"\"e\",,f\\x0ag\r\n");
    }
}
