//! What a monitor answers, made fit to be shown: bytes in, text out. Pure, and bounded: rows are shown by the batch, a
//! line that never ends is cut.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use super::options::Form;
use super::record::{Record, compare};
use super::table::{Head, keys, push_csv, push_sheet, push_table, told_keys};
use super::words::Stages;
use crate::text::columns::push_visible;

/// The longest line that is held, in bytes.
const LINE: usize = 64 * 1024;
/// Rows that are shown together, with columns of the same width.
const BATCH: usize = 1000;
/// The most rows that are sorted here.
const SORTED: usize = 4096;
/// About the most bytes of memory that rows are held in, whatever a server sends: to be shown together, and to be sorted.
const HELD: usize = 1024 * 1024;
const HELD_SORTED: usize = 16 * HELD;
/// The most attributes of a row or a node that are shown.
const FIELDS: usize = 256;
/// About what a row or a value takes beside its text, in bytes.
const BESIDE: usize = 80;

/// The output of one command.
pub struct Output {
    form: Form,
    columns: usize,
    sort: Option<String>,
    line: Vec<u8>,
    records: Vec<Record>,
    /// The memory that they take, in bytes.
    held: usize,
    /// Whether attributes were left out.
    cut: bool,
    /// The head of the CSV that was shown last.
    head: Vec<String>,
    /// That of the table.
    table: Head,
    /// Rows of a table since the last end of a reply or sample.
    rows: usize,
    /// Rows that were not sorted for their number.
    lost: usize,
    text: String,
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
            sort: stages.sort.map(ToOwned::to_owned),
            line: Vec::new(),
            records: Vec::new(),
            held: 0,
            cut: false,
            head: Vec::new(),
            table: Head::default(),
            rows: 0,
            lost: 0,
            text: String::new(),
        }
    }

    /// Takes bytes of a reply.
    pub fn push(&mut self, bytes: &[u8]) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let whole = part.strip_suffix(b"\n");
            let part = whole.unwrap_or(part);
            let room = LINE.saturating_sub(self.line.len()).min(part.len());
            self.line.extend_from_slice(part.get(..room).unwrap_or_default());
            if whole.is_some() {
                self.end_line();
            }
        }
    }

    /// A reply, or a sample, is over.
    pub fn finish(&mut self) {
        if !self.line.is_empty() {
            self.end_line();
        }
        if let Some(key) = self.sort.take() {
            let (name, down) = key.strip_prefix('-').map_or((key.as_str(), false), |name| (name, true));
            let mut sorted: Vec<Record> = Vec::new();
            for record in self.records.drain(..) {
                let value = record.get(name).unwrap_or("-");
                let at = sorted.partition_point(|other| {
                    let order = compare(other.get(name).unwrap_or("-"), value);
                    order == Ordering::Equal || (order == Ordering::Greater) == down
                });
                sorted.insert(at, record);
            }
            self.records = sorted;
            self.sort = Some(key);
        }
        self.flush();
        if self.lost > 0 {
            self.text.push_str("  more rows than are sorted here; find has a sort of its own\n");
            self.lost = 0;
        }
        if core::mem::take(&mut self.cut) {
            self.text.push_str("  more attributes than are shown here\n");
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

    fn end_line(&mut self) {
        let line = core::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        let rows = matches!(self.form, Form::Table | Form::Csv);
        let record = if rows { core::str::from_utf8(line).ok().and_then(Record::parse) } else { None };
        match record.filter(|record| !record.fields.is_empty()) {
            Some(record) => self.add(record),
            None => {
                self.flush();
                push_visible(line, &mut self.text);
                self.text.push('\n');
            }
        }
    }

    fn add(&mut self, mut record: Record) {
        let (most, room) = if self.sort.is_some() { (SORTED, HELD_SORTED) } else { (BATCH, HELD) };
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
            if self.sort.is_some() {
                self.lost += 1;
                return;
            }
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
                push_table("node", records, self.columns, &mut self.table, &mut self.text);
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
        assert!(output.take().is_empty() || output.lost == 0);
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
        for _ in 0..100 {
            output.push(&[b'x'; 10_000]);
        }
        assert_eq!(output.line.len(), LINE);
        output.push(b"\n");
        for _ in 0..10 * BATCH {
            output.push(b"/a b=1\n");
            assert!(output.records.len() <= BATCH);
        }
        output.finish();
        let text = output.take();
        assert_eq!((text.matches("node").count(), text.matches("/a,1").count()), (1, 10 * BATCH));
        let mut output = Output::new(Form::Csv, &Stages { sort: Some("b"), csv: false }, 60);
        for _ in 0..SORTED + 7 {
            output.push(b"/a b=1\n");
        }
        assert_eq!(output.records.len(), SORTED);
        output.finish();
        assert!(output.take().ends_with("find has a sort of its own\n"));
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
        assert_eq!(text.lines().count(), 1 + FIELDS + 1);
        assert!(text.ends_with("  more attributes than are shown here\n"));
        for form in [Form::Table, Form::Csv] {
            let mut output = Output::new(form, &Stages::default(), 10_000);
            for row in 0..300 {
                output.push(std::format!("/a/{row} k{row}=1 same=2\n").as_bytes());
            }
            output.finish();
            let text = output.take();
            assert_eq!(text.lines().next().unwrap().matches('k').count(), COLUMNS - 1);
            assert!(text.ends_with("  more attributes than are shown here\n"));
            output.push(b"/a/1 k=1\n");
            output.finish();
            assert!(!output.take().contains("more attributes"));
        }
    }
}
