//! What a monitor answers, made fit to be shown: bytes in, text out. Pure, and bounded: rows are shown by the batch, a
//! line that never ends by the piece.

use alloc::string::String;
use alloc::vec::Vec;

use super::options::Form;
use super::record::Record;
use super::sorted::Sorted;
use super::table::{Head, keys, push_csv, push_sheet, push_table, split_keys, told_keys, visible};
use super::words::Stages;
use crate::text::columns::{fitting, push_visible, width_of};
use crate::text::join::{joined, push_all};
use crate::text::number::push_decimal_str;

/// The longest line that is held, in bytes.
const LINE: usize = 64 * 1024;
/// Rows that are shown together, with columns of the same width.
const BATCH: usize = 1000;
/// The same of rows that were sorted.
const BATCH_SORTED: usize = 4096;
/// About the most bytes of memory that rows are held in, whatever a server sends, to be shown together; and when they
/// were sorted, for which they are held besides.
const HELD: usize = 1024 * 1024;
const HELD_SORTED: usize = 16 * HELD;
/// Rows that were sorted and are made ready at once.
const SOME: usize = 256;
/// The most attributes of a row or a node that are shown.
const FIELDS: usize = 256;
/// About what a row or a value takes beside its text, in bytes.
const BESIDE: usize = 80;

/// The output of one command.
pub struct Output {
    form: Form,
    columns: usize,
    /// Whether the command has a `show`, which columns can be asked for by.
    pub finds: bool,
    sort: Option<Sorted>,
    /// Whether sorted rows are being given.
    giving: bool,
    line: Vec<u8>,
    /// Whether the beginning of the line was shown.
    long: bool,
    /// Whether there was a line that is no row.
    prose: bool,
    records: Vec<Record>,
    /// The memory that they take, in bytes.
    held: usize,
    /// Whether attributes were left out.
    cut: bool,
    /// The head of the CSV that was shown last.
    head: Vec<String>,
    /// That of the table.
    table: Head,
    /// Columns that there was no room for.
    left: Vec<String>,
    /// Rows of a table since the last end of a reply or sample.
    rows: usize,
    text: String,
    /// What is wrong with it, in lines.
    trouble: String,
}

impl Output {
    /// One in a form, for so many columns. `Fitting` shows lines as they come.
    #[must_use]
    pub fn new(form: Form, stages: &Stages<'_>, columns: usize) -> Output {
        let form = if stages.csv { Form::Csv } else { form };
        // Lines that are to be sorted have to be taken apart.
        let form = if stages.sort.is_some() && form == Form::Fitting { Form::Table } else { form };
        Output {
            form,
            columns,
            finds: false,
            sort: stages.sort.map(Sorted::new),
            giving: false,
            line: Vec::new(),
            long: false,
            prose: false,
            records: Vec::new(),
            held: 0,
            cut: false,
            head: Vec::new(),
            table: Head::default(),
            left: Vec::new(),
            rows: 0,
            text: String::new(),
            trouble: String::new(),
        }
    }

    /// Takes bytes of a reply.
    pub fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let whole = part.strip_suffix(b"\n");
            let part = whole.unwrap_or(part);
            self.extend(part);
            if whole.is_some() {
                self.end_line();
            }
        }
    }

    /// Makes ready some of the rows that were sorted, when a reply or a sample is over; to be called until there are no
    /// more, and the text to be taken between.
    pub fn give_sorted(&mut self) -> bool {
        if !self.giving {
            if !self.line.is_empty() || self.long {
                self.end_line();
            }
            self.judge_sort();
        }
        for _ in 0..SOME {
            let lines = self.sort.as_mut().and_then(Sorted::give);
            self.giving = lines.is_some();
            let Some(lines) = lines else { return false };
            lines.lines().filter_map(Record::parse).for_each(|record| self.add(record));
        }
        true
    }

    /// A reply, or a sample, is over.
    pub fn finish(&mut self) {
        while self.give_sorted() {}
        self.flush();
        let left = core::mem::take(&mut self.left);
        if !left.is_empty() {
            let mut line = String::new();
            push_decimal_str(left.len() as u64, &mut line);
            line.push_str(if left.len() == 1 { " more column:" } else { " more columns:" });
            line.push_str(if self.finds { " show " } else { " " });
            for (at, key) in left.iter().enumerate() {
                let piece = joined(&[&visible(key), if at + 1 < left.len() { "," } else { "" }]);
                if width_of(&line) + width_of(&piece) > self.columns {
                    push_all(&mut self.text, &[fitting(line.trim_ascii_end(), self.columns).0, "\n"]);
                    line = String::from("  ");
                }
                line.push_str(&piece);
            }
            push_all(&mut self.text, &[fitting(&line, self.columns).0, "\n"]);
        }
        if core::mem::take(&mut self.cut) {
            self.trouble.push_str("a node has more attributes than are shown here\n");
        }
    }

    /// Notes what keeps rows from being sorted.
    fn judge_sort(&mut self) {
        let prose = core::mem::take(&mut self.prose);
        let Some(sorted) = &mut self.sort else { return };
        self.cut |= core::mem::take(&mut sorted.cut);
        if core::mem::take(&mut sorted.lost) {
            let words =
                "more rows than are sorted here, which are 64 MiB of them: find has a sort of its own\n";
            self.trouble.push_str(words);
        }
        if !sorted.is_known() && (prose || !sorted.is_empty()) {
            push_all(&mut self.trouble, &["sort: there is no column ", &visible(sorted.key()), "\n"]);
            sorted.clear();
        }
    }

    /// A sample is over. Tables of several rows are kept apart.
    pub fn finish_sample(&mut self) {
        self.finish();
        if core::mem::take(&mut self.rows) > 1 {
            self.text.push('\n');
        }
    }

    /// How many bytes are ready to be shown.
    #[must_use]
    pub fn ready(&self) -> usize {
        self.text.len()
    }

    /// The text that is ready to be shown.
    pub fn take(&mut self) -> String {
        core::mem::take(&mut self.text)
    }

    /// What is wrong with what was finished, in lines: not all of it is there, or not as it was asked for.
    pub fn take_trouble(&mut self) -> String {
        core::mem::take(&mut self.trouble)
    }

    /// Takes a part of a line. One that is longer than any is shown as it comes.
    fn extend(&mut self, mut part: &[u8]) {
        while self.line.len() + part.len() > LINE {
            let room = LINE - self.line.len();
            let (front, rest) = part.split_at_checked(room).unwrap_or((part, &[]));
            self.line.extend_from_slice(front);
            part = rest;
            self.flush();
            // A letter may be cut in two.
            let whole = match core::str::from_utf8(&self.line) {
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Ok(_) | Err(_) => self.line.len(),
            };
            push_visible(self.line.get(..whole).unwrap_or_default(), &mut self.text);
            self.line.drain(..whole);
            self.long = true;
        }
        self.line.extend_from_slice(part);
    }

    fn end_line(&mut self) {
        let line = core::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let rows = matches!(self.form, Form::Table | Form::Csv) && !core::mem::take(&mut self.long);
        let text = core::str::from_utf8(line).ok().filter(|_| rows);
        let record = text.and_then(Record::parse).filter(|record| !record.fields.is_empty());
        match (text.zip(record), &mut self.sort) {
            (Some((text, record)), Some(sorted)) => sorted.push(text, &record),
            (Some((_, record)), None) => self.add(record),
            (None, _) => {
                self.flush();
                self.prose = true;
                push_visible(line, &mut self.text);
                self.text.push('\n');
            }
        }
    }

    fn add(&mut self, mut record: Record) {
        let (most, room) = if self.sort.is_some() { (BATCH_SORTED, HELD_SORTED) } else { (BATCH, HELD) };
        let before = match self.records.last() {
            Some(last) if record.single && last.single && last.path == record.path => last.fields.len(),
            _ => 0,
        };
        let left = FIELDS.saturating_sub(before);
        self.cut |= record.fields.len() > left;
        record.fields.truncate(left);
        let values = record.fields.iter().map(|(key, value)| key.len() + value.len() + BESIDE);
        let size = values.sum::<usize>() + record.path.len() + BESIDE;
        let fits = self.held + size <= room;
        if before > 0 {
            if let Some(last) = self.records.last_mut().filter(|_| fits) {
                last.fields.append(&mut record.fields);
                self.held += size;
            } else {
                self.cut = true;
            }
            return;
        }
        if self.records.len() >= most || !fits {
            self.flush();
        }
        self.held += size;
        self.records.push(record);
    }

    /// Shows the rows that are held.
    fn flush(&mut self) {
        let records = core::mem::take(&mut self.records);
        self.held = 0;
        match (self.form, records.as_slice()) {
            (_, []) => {}
            (Form::Csv, records) => {
                let (keys, all) = keys(records);
                self.cut |= !all;
                if self.head != keys {
                    push_csv(
                        &mut core::iter::once("node").chain(keys.iter().map(String::as_str)),
                        &mut self.text,
                    );
                }
                for record in records {
                    let values = keys.iter().map(|key| record.get(key).unwrap_or_default());
                    push_csv(&mut core::iter::once(record.path.as_str()).chain(values), &mut self.text);
                }
                self.head = keys;
            }
            // A node with more than a row has room for is a sheet.
            (Form::Table, [record]) if record.single || !told_keys(&records, self.columns).1 => {
                self.rows += record.fields.len();
                push_sheet(record, self.columns, &mut self.text);
            }
            (Form::Table | Form::Fitting | Form::Json, records) => {
                self.rows += records.len();
                self.cut |= !keys(records).1;
                let mut keys = told_keys(records, self.columns).0;
                self.left = split_keys(records, self.columns, &mut keys);
                push_table("node", records, &keys, self.columns, &mut self.table, &mut self.text);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::table::COLUMNS;
    use super::*;

    fn shown(form: Form, stages: &Stages<'_>, pieces: &[&[u8]]) -> String {
        let mut output = Output::new(form, stages, 60);
        pieces.iter().for_each(|piece| output.push(piece));
        output.finish();
        assert_eq!(output.take_trouble(), "");
        let mut output = Output::new(form, stages, 60);
        pieces.iter().for_each(|piece| output.push(piece));
        output.finish();
        output.take()
    }

    const FOUND: &[u8] = b"/connection/1-1 server=main idle=12s\n/connection/2-1 server=b idle=250ms\n";
    const GOT: &[u8] = b"/http/main.root=/srv\n/http/main.hidden=off\n";

    #[test]
    fn every_form_however_it_comes() {
        let none = Stages::default();
        let sort = Stages { sort: Some("-idle"), csv: false };
        let both = Stages { sort: Some("idle"), csv: true };
        for (form, stages, input, wanted) in [
            (Form::Fitting, &none, FOUND, str_of(FOUND)),
            (Form::Json, &none, b"{\"a\":\"\x1b\"}\r\n", "{\"a\":\"\\x1b\"}\n"),
            (
                Form::Table,
                &none,
                FOUND,
                "node             server   idle\n/connection/1-1  main      12s\n/connection/2-1  b       250ms\n",
            ),
            (Form::Table, &none, GOT, "/http/main\n  root    /srv\n  hidden  off\n"),
            (Form::Table, &none, b"  text\n/http\n/loop", "  text\n/http\n/loop\n"),
            (
                Form::Csv,
                &none,
                FOUND,
                "node,server,idle\r\n/connection/1-1,main,12s\r\n/connection/2-1,b,250ms\r\n",
            ),
            (
                Form::Table,
                &both,
                FOUND,
                "node,server,idle\r\n/connection/2-1,b,250ms\r\n/connection/1-1,main,12s\r\n",
            ),
            (
                Form::Fitting,
                &sort,
                FOUND,
                "node             server   idle\n/connection/1-1  main      12s\n/connection/2-1  b       250ms\n",
            ),
            (Form::Csv, &none, GOT, "node,root,hidden\r\n/http/main,/srv,off\r\n"),
            (Form::Table, &none, b"\xff\x07", "\u{fffd}\\x07\n"),
            (Form::Table, &none, b"", ""),
        ] {
            assert_eq!(shown(form, stages, &[input]), wanted);
            for cut in 0..input.len() {
                assert_eq!(shown(form, stages, &[&input[..cut], &input[cut..]]), wanted, "{cut}");
            }
        }
    }

    fn str_of(bytes: &[u8]) -> &str {
        std::str::from_utf8(bytes).unwrap()
    }

    #[test]
    fn memory_is_bounded() {
        let mut output = Output::new(Form::Csv, &Stages::default(), 60);
        let mut shown = 0;
        for _ in 0..100 {
            output.push(&[b'x'; 10_000]);
            assert!(output.line.len() <= LINE && output.ready() <= 2 * LINE);
            shown += output.take().len();
        }
        output.push(b"\n");
        assert_eq!(shown + output.take().len(), 1_000_001, "all of a long line is shown");
        for _ in 0..10 * BATCH {
            output.push(b"/a b=1\n");
            assert!(output.records.len() <= BATCH);
        }
        output.finish();
        let text = output.take();
        assert_eq!((text.matches("node").count(), text.matches("/a,1").count()), (1, 10 * BATCH));
    }

    #[test]
    fn a_letter_of_a_long_line_is_not_cut() {
        for shift in 0..3 {
            let line = ["x".repeat(shift), "\u{65e5}".repeat(LINE)].concat();
            for form in [Form::Fitting, Form::Json, Form::Table] {
                let mut output = Output::new(form, &Stages::default(), 60);
                line.as_bytes().chunks(1000).for_each(|piece| output.push(piece));
                output.finish();
                assert!(output.take() == [&line, "\n"].concat());
            }
        }
        let mut output = Output::new(Form::Fitting, &Stages::default(), 60);
        output.push(&[0xe6; 2 * LINE]);
        output.finish();
        assert_eq!(output.take().chars().count(), 2 * LINE + 1);
    }

    #[test]
    fn more_rows_than_a_batch_are_sorted() {
        let sort = Stages { sort: Some("-b"), csv: true };
        let mut output = Output::new(Form::Fitting, &sort, 60);
        for row in 0..20_000 {
            output.push(std::format!("/a b={row}\n").as_bytes());
        }
        let mut text = String::new();
        while output.give_sorted() {
            assert!(output.ready() < 1 << 20);
            text.push_str(&output.take());
        }
        output.finish();
        text.push_str(&output.take());
        let mut rows = text.split("\r\n");
        assert_eq!(rows.next(), Some("node,b"));
        assert!((0..20_000).rev().all(|row| rows.next() == Some(&std::format!("/a,{row}"))));
        assert_eq!((rows.next(), rows.next()), (Some(""), None));
        assert_eq!(output.take_trouble(), "");
    }

    #[test]
    fn what_cannot_be_sorted_is_told() {
        for (input, shown, told) in [
            ("/a b=1\n/b b=2\n", "", "sort: there is no column \\x1bn\n"),
            ("{\"path\":\"/a\"}\n", "{\"path\":\"/a\"}\n", "sort: there is no column \\x1bn\n"),
            ("", "", ""),
        ] {
            let mut output = Output::new(Form::Fitting, &Stages { sort: Some("\x1bn"), csv: false }, 60);
            output.push(input.as_bytes());
            output.finish();
            assert_eq!((output.take().as_str(), output.take_trouble().as_str()), (shown, told));
        }
        let long = ["/a k=", &"v".repeat(60_000), "\n"].concat();
        let mut output = Output::new(Form::Csv, &Stages { sort: Some("k"), csv: false }, 60);
        for _ in 0..1200 {
            output.push(long.as_bytes());
        }
        while output.give_sorted() {
            output.take();
        }
        output.finish();
        assert!(output.take_trouble().starts_with("more rows than are sorted here"));
        assert!(!output.take().contains("more rows"));
    }

    /// The memory that rows are held in.
    fn held(output: &Output) -> usize {
        let fields = output.records.iter().flat_map(|record| &record.fields);
        fields.map(|(key, value)| key.capacity() + value.capacity() + 48).sum::<usize>()
            + output.records.iter().map(|record| record.path.capacity() + 56).sum::<usize>()
    }

    #[test]
    fn memory_is_bounded_by_bytes() {
        let long = ["/a/b k=", &"v".repeat(60_000), "\n"].concat();
        let single = ["/a.k=", &"v".repeat(60_000), "\n"].concat();
        let many = ["/a", &" b=1".repeat(15_000), "\n"].concat();
        let sort = Stages { sort: Some("k"), csv: false };
        for line in [&long, &single, &many] {
            for (stages, most) in [(&Stages::default(), HELD), (&sort, HELD_SORTED)] {
                let mut output = Output::new(Form::Table, stages, 60);
                for _ in 0..400 {
                    output.push(line.as_bytes());
                    assert!(output.held <= most && held(&output) <= 2 * most);
                    output.take();
                }
                output.finish();
            }
        }
    }

    #[test]
    fn so_many_attributes_are_shown() {
        let single: Vec<String> = (0..100_000).map(|key| std::format!("/a.k{key}=1\n")).collect();
        let mut output = Output::new(Form::Table, &Stages::default(), 60);
        single.iter().for_each(|line| output.push(line.as_bytes()));
        assert_eq!(output.records[0].fields.len(), FIELDS);
        output.finish();
        let text = output.take();
        assert_eq!(text.lines().count(), 1 + FIELDS);
        assert_eq!(output.take_trouble(), "a node has more attributes than are shown here\n");
        for form in [Form::Table, Form::Csv] {
            let mut output = Output::new(form, &Stages::default(), 10_000);
            for row in 0..300 {
                output.push(std::format!("/a/{row} k{row}=1 same=2\n").as_bytes());
            }
            output.finish();
            let text = output.take();
            assert_eq!(text.lines().next().unwrap().matches('k').count(), COLUMNS - 1);
            assert!(output.take_trouble().contains("more attributes"));
            output.push(b"/a/1 k=1\n");
            output.finish();
            assert_eq!(output.take_trouble(), "");
        }
    }
}
