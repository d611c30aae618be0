//! What the screen shows and what its keys do. Pure: bytes in, acts out.
//!
//! ```text
//!            ?              any key
//!   Table ───────▶ Help ─────────────▶ Table
//!     │ / w R              Enter, Escape
//!     ├──────────▶ Typing ───────────▶ Table
//!     │ k c                y, any other key
//!     └──────────▶ Asking ───────────▶ Table
//! ```

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use super::sample::{Question, Sample, first, peer};
use crate::cli::client::record::Record;
use crate::cli::client::table::visible;
use crate::cli::keys::{Key, Keys};
use crate::cli::line_editor::{LineEditor, Step};
use crate::text::join::{joined, push_all};

/// The most connections that are asked for.
const LIMIT: &str = " limit 500";
/// Intervals to choose from, in milliseconds.
const INTERVALS: [u64; 9] = [100, 250, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000];

/// A column of the table of connections.
pub struct Column {
    /// What stands above it.
    pub title: &'static str,
    /// The attributes it shows: the first that is there.
    pub keys: &'static [&'static str],
    /// Where there is no room for all, the greatest goes first.
    pub rank: u8,
}

/// The columns, from left to right.
pub const COLUMNS: [Column; 10] = [
    Column { title: "peer", keys: &["peer"], rank: 0 },
    Column { title: "server", keys: &["server", "service"], rank: 5 },
    Column { title: "state", keys: &["state"], rank: 1 },
    Column { title: "age", keys: &["age"], rank: 4 },
    Column { title: "idle", keys: &["idle"], rank: 2 },
    Column { title: "in", keys: &["received"], rank: 7 },
    Column { title: "out", keys: &["sent"], rank: 3 },
    Column { title: "reads", keys: &["read_buffer"], rank: 9 },
    Column { title: "writes", keys: &["write_buffer"], rank: 8 },
    Column { title: "what", keys: &["request", "file"], rank: 6 },
];

/// What is being typed.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Purpose {
    /// Which connections to show.
    Filter,
    /// The read buffer of the one that is selected.
    ReadBuffer,
    /// Its write buffer.
    WriteBuffer,
}

/// What the keys are for.
pub enum Mode {
    /// The table.
    Table,
    /// The keys are told.
    Help,
    /// A text is typed, for the connection of a path if not a filter.
    Typing(Purpose, String, Box<LineEditor>),
    /// Whether to close the connection of a path.
    Asking(String),
}

/// What is to be done after a key.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Act {
    /// Nothing.
    Nothing,
    /// Paint what has changed.
    Paint,
    /// Look anew, at once.
    Look,
    /// Send a command, and show what becomes of it.
    Send(String),
    /// Paint all of it.
    Clear,
    /// Stop, as Ctrl-Z does.
    Suspend,
    /// End.
    Quit,
}

/// All that the screen shows.
pub struct Model {
    /// The last look.
    pub sample: Sample,
    /// What the keys are for.
    pub mode: Mode,
    keys: Keys,
    /// The path of the connection that is selected.
    selected: String,
    /// Its row, where the next one is selected when it is gone.
    row: usize,
    /// The column that is sorted by; none is the server's order.
    pub sort: Option<usize>,
    /// The greatest first.
    pub reverse: bool,
    /// Which connections to show; empty for all.
    pub filter: String,
    /// What went well or wrong last.
    pub notice: String,
    /// The filter of what is shown, and that of the last question.
    pub accepted: String,
    asked: String,
    /// Whether the filter is why there are none.
    filter_is_wrong: bool,
    /// Milliseconds.
    pub interval: u64,
    /// Whether no new looks are made.
    pub paused: bool,
}

impl Model {
    /// One with nothing to show yet.
    #[must_use]
    pub fn new(interval: u64) -> Model {
        Model {
            sample: Sample::default(),
            mode: Mode::Table,
            keys: Keys::default(),
            selected: String::new(),
            row: 0,
            sort: None,
            reverse: false,
            filter: String::new(),
            notice: String::new(),
            accepted: String::new(),
            asked: String::new(),
            filter_is_wrong: false,
            interval,
            paused: false,
        }
    }

    /// The request for a question.
    #[must_use]
    pub fn request(&mut self, question: Question) -> String {
        let mut request = question.request().to_owned();
        if question != Question::Connections {
            return request;
        }
        self.asked.clone_from(&self.filter);
        if !self.filter.is_empty() {
            // What follows is no part of it, even where something is missing at its end.
            push_all(&mut request, &[" where (", &self.filter, ")"]);
        }
        let key = self.sort.and_then(|sort| COLUMNS.get(sort)).and_then(|column| self.key_of(column));
        if let Some(key) = key {
            push_all(&mut request, &[" sort ", if self.reverse { "-" } else { "" }, key]);
        }
        request.push_str(LIMIT);
        request
    }

    /// The attribute that a column shows, as far as the connections there are tell.
    #[must_use]
    pub fn key_of(&self, column: &Column) -> Option<&'static str> {
        let there =
            |key: &&&'static str| self.sample.connections.iter().any(|record| record.get(key).is_some());
        column.keys.iter().find(there).copied()
    }

    /// Takes the reply to a question.
    pub fn take(&mut self, question: Question, records: Vec<Record>) {
        self.sample.take(question, records);
        if question == Question::Connections {
            self.accepted.clone_from(&self.asked);
            if core::mem::take(&mut self.filter_is_wrong) {
                self.notice.clear();
            }
            let rows = &self.sample.connections;
            // At first it is none of those that look, as this one does.
            let looks = |record: &Record| {
                first(record, &["server"]).is_some_and(|server| server.starts_with("monitor:"))
            };
            let begins = self.selected.is_empty();
            let row = rows
                .iter()
                .position(|record| if begins { !looks(record) } else { record.path == self.selected });
            self.select(row.unwrap_or(self.row));
        }
    }

    /// Takes the failure of a question. Only that of the connections is the user's: the rest is not there, and left out.
    pub fn fail(&mut self, question: Question, message: String) {
        if question == Question::Connections {
            self.notice = message;
            if self.asked != self.accepted {
                // The one before it stays in force, unless another is typed already.
                if self.filter == self.asked {
                    self.filter.clone_from(&self.accepted);
                }
                return;
            }
            self.filter_is_wrong = true;
        }
        self.sample.take(question, Vec::new());
    }

    /// The row that is selected.
    #[must_use]
    pub fn row(&self) -> usize {
        self.row
    }

    fn select(&mut self, row: usize) {
        self.row = row.min(self.sample.connections.len().saturating_sub(1));
        self.selected =
            self.sample.connections.get(self.row).map(|record| record.path.clone()).unwrap_or_default();
    }

    /// Whether an Escape waits for what follows it.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        match &self.mode {
            Mode::Typing(_, _, editor) => editor.is_waiting(),
            Mode::Table | Mode::Help | Mode::Asking(_) => self.keys.is_waiting(),
        }
    }

    /// Nothing followed an Escape: it was a key by itself.
    pub fn settle(&mut self) -> Act {
        let escaped = match &mut self.mode {
            Mode::Typing(_, _, editor) => editor.settle(),
            Mode::Table | Mode::Help | Mode::Asking(_) => self.keys.settle().is_some(),
        };
        if !escaped {
            return Act::Nothing;
        }
        if matches!(self.mode, Mode::Table) && !self.filter.is_empty() {
            self.filter.clear();
            return Act::Look;
        }
        self.notice.clear();
        self.enter(Mode::Table)
    }

    /// Takes a byte that was typed. `page` is how many rows of the table are seen.
    pub fn byte(&mut self, byte: u8, page: usize) -> Act {
        if let Mode::Typing(purpose, path, editor) = &mut self.mode {
            let step = editor.feed(byte);
            let (purpose, path) = (*purpose, core::mem::take(path));
            return match step {
                Step::Line(text) => {
                    self.enter(Mode::Table);
                    self.typed(purpose, &path, text.trim_ascii())
                }
                Step::Interrupt | Step::End => self.enter(Mode::Table),
                Step::TooLong => {
                    "that is too long".clone_into(&mut self.notice);
                    self.enter(Mode::Table)
                }
                step => {
                    if let Mode::Typing(_, kept, _) = &mut self.mode {
                        *kept = path;
                    }
                    match step {
                        Step::Suspend => Act::Suspend,
                        Step::Clear => Act::Clear,
                        _ => Act::Paint,
                    }
                }
            };
        }
        let Some(key) = self.keys.push(byte) else { return Act::Nothing };
        let told = !core::mem::take(&mut self.notice).is_empty();
        if key == Key::Control(b'c') {
            return Act::Quit;
        }
        if matches!(self.mode, Mode::Help) {
            return self.enter(Mode::Table);
        }
        if let Mode::Asking(path) = &self.mode {
            let command = joined(&["call ", path, " close"]);
            self.enter(Mode::Table);
            return if matches!(key, Key::Letter('y' | 'Y')) { Act::Send(command) } else { Act::Paint };
        }
        match self.key(key, page) {
            Act::Nothing if told => Act::Paint,
            act => act,
        }
    }

    fn enter(&mut self, mode: Mode) -> Act {
        self.mode = mode;
        Act::Paint
    }

    /// A key over the table.
    fn key(&mut self, key: Key, page: usize) -> Act {
        let last = self.sample.connections.len().saturating_sub(1);
        match key {
            Key::Letter('q' | 'Q') => return Act::Quit,
            Key::Control(b'z') => return Act::Suspend,
            Key::Control(b'l') => return Act::Clear,
            Key::Letter('?' | 'h') => return self.enter(Mode::Help),
            Key::Up => self.select(self.row.saturating_sub(1)),
            Key::Down => self.select(self.row + 1),
            Key::PageUp => self.select(self.row.saturating_sub(page.max(1))),
            Key::PageDown => self.select(self.row + page.max(1)),
            Key::Home => self.select(0),
            Key::End => self.select(last),
            Key::Letter('s') => {
                let after = self.sort.map_or(0, |sort| sort + 1);
                let there = |(_, column): &(usize, &Column)| self.key_of(column).is_some();
                self.sort = COLUMNS.iter().enumerate().skip(after).find(there).map(|(at, _)| at);
                return Act::Look;
            }
            Key::Letter('r') => {
                self.reverse = !self.reverse;
                return Act::Look;
            }
            Key::Letter(' ' | 'p') => {
                self.paused = !self.paused;
                return if self.paused { Act::Paint } else { Act::Look };
            }
            Key::Letter('+' | '=') => self.change_interval(true),
            Key::Letter('-' | '_') => self.change_interval(false),
            Key::Letter('/') => {
                let mut editor = Box::<LineEditor>::default();
                editor.insert(&self.filter);
                return self.enter(Mode::Typing(Purpose::Filter, String::new(), editor));
            }
            Key::Letter('k' | 'c') if !self.selected.is_empty() => {
                return self.enter(Mode::Asking(self.selected.clone()));
            }
            Key::Letter('w') => return self.type_buffer(Purpose::WriteBuffer),
            Key::Letter('R') => return self.type_buffer(Purpose::ReadBuffer),
            _ => return Act::Nothing,
        }
        Act::Paint
    }

    fn type_buffer(&mut self, purpose: Purpose) -> Act {
        if self.selected.is_empty() {
            return Act::Nothing;
        }
        self.enter(Mode::Typing(purpose, self.selected.clone(), Box::default()))
    }

    fn typed(&mut self, purpose: Purpose, path: &str, text: &str) -> Act {
        let key = match purpose {
            Purpose::Filter => {
                text.clone_into(&mut self.filter);
                self.notice.clear();
                return Act::Look;
            }
            Purpose::ReadBuffer => " read_buffer=",
            Purpose::WriteBuffer => " write_buffer=",
        };
        // One word, so that it is this setting and nothing else.
        if text.is_empty() || text.contains([' ', ';', '|', '"', '\'']) {
            self.notice = "a size is wanted, such as 64K".to_owned();
            return Act::Paint;
        }
        Act::Send(joined(&["set ", path, key, text]))
    }

    fn change_interval(&mut self, longer: bool) {
        let mut others = INTERVALS.iter().copied();
        let next = if longer {
            others.find(|&other| other > self.interval)
        } else {
            others.rev().find(|&other| other < self.interval)
        };
        self.interval = next.unwrap_or(self.interval);
    }

    /// The question that is asked before something is done, or what is typed is for.
    #[must_use]
    pub fn prompt(&self) -> String {
        match &self.mode {
            Mode::Asking(path) => joined(&["close ", &self.peer_of(path), "? y or n "]),
            Mode::Typing(Purpose::Filter, _, _) => "where ".to_owned(),
            Mode::Typing(Purpose::ReadBuffer, path, _) => {
                joined(&["read buffer of ", &self.peer_of(path), ": "])
            }
            Mode::Typing(Purpose::WriteBuffer, path, _) => {
                joined(&["write buffer of ", &self.peer_of(path), ": "])
            }
            Mode::Table | Mode::Help => String::new(),
        }
    }

    fn peer_of(&self, path: &str) -> String {
        let record = self.sample.connections.iter().find(|record| record.path == path);
        let name = record.map(peer).filter(|peer| !peer.is_empty()).unwrap_or_else(|| path.to_owned());
        visible(&name)
    }
}

#[cfg(test)]
pub(super) mod tests;
