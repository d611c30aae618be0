//! Rows that are sorted on this side: held as the lines they came in, up to a limit, and given back in order. Pure.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::record::{Record, compare};

/// About the most bytes of memory that rows are held in to be sorted, whatever a server sends.
pub const MOST: usize = 64 * 1024 * 1024;
/// About what a row takes beside its text, in bytes.
const BESIDE: usize = 96;
/// The most lines of one row: a node's attributes may come on lines of their own.
pub const LINES: usize = 256;

/// One row.
struct Row {
    /// The value it is sorted by, if it has one.
    value: Option<String>,
    text: String,
    lines: usize,
}

/// The rows of one reply.
pub struct Sorted {
    key: String,
    /// Whether the greatest come first.
    down: bool,
    rows: Vec<Row>,
    /// The memory that they take, in bytes.
    held: usize,
    /// The node whose attributes came last, if they came on lines of their own.
    last: String,
    /// Whether there was no room for a row.
    pub lost: bool,
    /// Whether there was no room for a line of one.
    pub cut: bool,
    /// The rows in the order in which they are given, from the last one on.
    order: Option<Vec<u32>>,
}

impl Sorted {
    /// None so far, to be sorted by `KEY`, or by `-KEY` with the greatest first.
    #[must_use]
    pub fn new(sort: &str) -> Sorted {
        let (key, down) = sort.strip_prefix('-').map_or((sort, false), |key| (key, true));
        let (key, rows, last) = (key.to_owned(), Vec::new(), String::new());
        Sorted { key, down, rows, held: 0, last, lost: false, cut: false, order: None }
    }

    /// By what they are sorted.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Takes a line and what it says.
    pub fn push(&mut self, line: &str, record: &Record) {
        let value = record.get(&self.key).or(Some(&*record.path).filter(|_| self.key == "node"));
        let value = value.map(ToOwned::to_owned);
        let size = line.len() + 1 + value.as_ref().map_or(0, String::len);
        let more = record.single && self.last == record.path;
        self.last.clear();
        if record.single {
            self.last.push_str(&record.path);
        }
        if self.held + size + BESIDE > MOST {
            self.lost = true;
            return;
        }
        match self.rows.last_mut() {
            Some(row) if more && row.lines >= LINES => {
                self.cut = true;
                return;
            }
            Some(row) if more => {
                row.text.push('\n');
                row.text.push_str(line);
                row.lines += 1;
                row.value = row.value.take().or(value);
            }
            Some(_) | None => {
                self.rows.push(Row { value, text: line.to_owned(), lines: 1 });
                self.held += BESIDE;
            }
        }
        self.held += size;
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether any row has what they are sorted by.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.rows.iter().any(|row| row.value.is_some())
    }

    /// Gives the lines of the next row. None at the end, and then there may be others.
    pub fn give(&mut self) -> Option<String> {
        if self.order.is_none() {
            let mut order = self.sort();
            order.reverse();
            self.order = Some(order);
        }
        let place = self.order.as_mut().and_then(Vec::pop);
        let row = place.and_then(|place| self.rows.get_mut(place as usize));
        match row {
            Some(row) => Some(core::mem::take(&mut row.text)),
            None => {
                self.clear();
                None
            }
        }
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        (self.rows, self.order, self.held) = (Vec::new(), None, 0);
        self.last.clear();
    }

    /// Whether a row stays before one that came after it.
    fn stays(&self, one: u32, other: u32) -> bool {
        let value = |place: u32| {
            let row = self.rows.get(place as usize);
            row.and_then(|row| row.value.as_deref()).unwrap_or("-")
        };
        let order = compare(value(one), value(other));
        order == Ordering::Equal || (order == Ordering::Greater) == self.down
    }

    /// The places of the rows in order: equal ones as they came. By merging runs, for what is generic is large.
    fn sort(&self) -> Vec<u32> {
        let count = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        let mut order: Vec<u32> = (0..count).collect();
        let mut merged = Vec::with_capacity(order.len());
        let mut run = 1;
        while run < order.len() {
            merged.clear();
            for both in order.chunks(2 * run) {
                let (mut one, mut other) = both.split_at_checked(run).unwrap_or((both, &[]));
                while let (Some((&first, ones)), Some((&second, others))) =
                    (one.split_first(), other.split_first())
                {
                    if self.stays(first, second) {
                        merged.push(first);
                        one = ones;
                    } else {
                        merged.push(second);
                        other = others;
                    }
                }
                merged.extend_from_slice(one);
                merged.extend_from_slice(other);
            }
            core::mem::swap(&mut order, &mut merged);
            run *= 2;
        }
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(sorted: &mut Sorted, line: &str) {
        sorted.push(line, &Record::parse(line).unwrap());
    }

    fn all(sorted: &mut Sorted) -> Vec<String> {
        core::iter::from_fn(|| sorted.give()).collect()
    }

    #[test]
    fn rows_come_in_order() {
        let lines = ["/a k=7", "/b k=-", "/c k=12s", "/d k=7 j=2", "/e j=1", "/f k=x", "/g k=0"];
        for (sort, wanted) in [
            ("k", [6, 0, 3, 2, 5, 1, 4]),
            ("-k", [1, 4, 5, 2, 0, 3, 6]),
            ("node", [0, 1, 2, 3, 4, 5, 6]),
            ("-node", [6, 5, 4, 3, 2, 1, 0]),
        ] {
            let mut sorted = Sorted::new(sort);
            lines.iter().for_each(|line| push(&mut sorted, line));
            assert!(sorted.is_known());
            assert_eq!(all(&mut sorted), wanted.map(|place| lines[place]), "{sort}");
            push(&mut sorted, "/z k=1");
            assert_eq!(all(&mut sorted), ["/z k=1"]);
        }
        let mut sorted = Sorted::new("nosuch");
        push(&mut sorted, "/a k=7");
        assert!(!sorted.is_known() && sorted.key() == "nosuch");
    }

    #[test]
    fn attributes_of_a_node_are_one_row() {
        let mut sorted = Sorted::new("-k");
        ["/a.j=1", "/a.k=1", "/b.k=2", "/b.j=3"].iter().for_each(|line| push(&mut sorted, line));
        assert_eq!(all(&mut sorted), ["/b.k=2\n/b.j=3", "/a.j=1\n/a.k=1"]);
        for number in 0..LINES + 1 {
            push(&mut sorted, &["/a.k", &number.to_string(), "=1"].concat());
        }
        assert!(sorted.cut && !sorted.lost);
        assert_eq!(all(&mut sorted)[0].lines().count(), LINES);
    }

    #[test]
    fn many_are_sorted_and_memory_is_bounded() {
        let mut sorted = Sorted::new("k");
        for number in 0..100_000_u32 {
            push(&mut sorted, &["/a k=", &(number.wrapping_mul(7919) % 100_000).to_string()].concat());
        }
        let values = all(&mut sorted);
        assert!(!sorted.lost && values.len() == 100_000);
        assert!(
            values.iter().enumerate().all(|(place, line)| *line == ["/a k=", &place.to_string()].concat())
        );
        let long = ["/a k=", &"v".repeat(60_000)].concat();
        for _ in 0..2 * MOST / 60_000 {
            push(&mut sorted, &long);
        }
        assert!(sorted.lost && sorted.held <= MOST);
        let held: usize =
            sorted.rows.iter().map(|row| row.text.capacity() + row.value.as_ref().unwrap().capacity()).sum();
        assert!(held <= MOST);
    }

    quickcheck::quickcheck! {
        fn as_another_sorts(values: Vec<u16>, down: bool) -> bool {
            let mut sorted = Sorted::new(if down { "-k" } else { "k" });
            let line = |(place, value): (usize, &u16)| std::format!("/a/{place} k={value}");
            let mut lines: Vec<(u16, String)> =
                values.iter().enumerate().map(|(place, value)| (*value, line((place, value)))).collect();
            lines.iter().for_each(|(_, line)| push(&mut sorted, line));
            lines.sort_by(|one, other| if down { other.0.cmp(&one.0) } else { one.0.cmp(&other.0) });
            all(&mut sorted).iter().eq(lines.iter().map(|(_, line)| line))
        }
    }
}
