//! What is asked at each look, what came, and the rates between two looks. Pure: time is a number.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::cli::client::record::Record;
use crate::text::join::joined;

/// The most of one reply that is held, in bytes.
const REPLY: usize = 512 * 1024;

/// One question of a look.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Question {
    /// The process.
    Process,
    /// The loop.
    Loop,
    /// Descriptors.
    Descriptors,
    /// Memory.
    Memory,
    /// Servers.
    Servers,
    /// Connections: filtered, sorted, and so many at most.
    Connections,
}

/// All of them.
pub const QUESTIONS: [Question; 6] = [
    Question::Process,
    Question::Loop,
    Question::Descriptors,
    Question::Memory,
    Question::Servers,
    Question::Connections,
];

impl Question {
    /// The request for it. That for connections has its conditions behind it.
    #[must_use]
    pub fn request(self) -> &'static str {
        match self {
            Self::Process => "kv get /process",
            Self::Loop => "kv get /loop",
            Self::Descriptors => "kv get /descriptors",
            Self::Memory => "kv get /memory",
            Self::Servers => "kv find http",
            Self::Connections => "kv find connection",
        }
    }
}

/// A reply that is coming in.
#[derive(Default)]
pub struct Incoming {
    text: Vec<u8>,
}

impl Incoming {
    /// Takes a piece of it; what is too much is left out.
    pub fn push(&mut self, bytes: &[u8]) {
        let room = REPLY.saturating_sub(self.text.len()).min(bytes.len());
        self.text.extend_from_slice(bytes.get(..room).unwrap_or_default());
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(self.text.trim_ascii_end()).into_owned()
    }

    /// Its rows; the attributes of a node are one.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        let lines =
            self.text.split_inclusive(|&byte| byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
        for record in lines.filter_map(|line| core::str::from_utf8(line).ok()).filter_map(Record::parse) {
            match records.last_mut() {
                Some(last) if last.single && record.single && last.path == record.path => {
                    last.fields.extend(record.fields);
                }
                Some(_) | None => records.push(record),
            }
        }
        records
    }
}

/// A number that only grows, at two looks.
#[derive(Clone, Copy, Default)]
struct Counter {
    before: Option<u64>,
    now: Option<u64>,
}

/// The counters that rates are made of, by name: `/loop.sent`.
#[derive(Default)]
pub struct Rates {
    counters: Vec<(String, Counter)>,
    /// Nanoseconds from the look before to this one; 0 at the first.
    between: u64,
    last: Option<u64>,
}

/// Attributes that are counters.
const COUNTERS: [&str; 6] = ["turns", "busy", "received", "sent", "requests", "accepted"];
/// Servers whose counters are kept.
const MOST: usize = 200;

impl Rates {
    /// Begins a look, at nanoseconds of a clock that is never set.
    pub fn begin(&mut self, now: u64) {
        self.between = self.last.map_or(0, |last| now.saturating_sub(last));
        self.last = Some(now);
        for (_, counter) in &mut self.counters {
            *counter = Counter { before: counter.now, now: None };
        }
        self.counters.retain(|(_, counter)| counter.before.is_some());
    }

    /// Takes the counters among a node's attributes.
    pub fn take(&mut self, record: &Record) {
        for key in COUNTERS {
            let room = self.counters.len() < MOST * COUNTERS.len();
            let Some(number) = record.number(key) else { continue };
            let name = joined(&[&record.path, ".", key]);
            match self.counters.iter_mut().find(|(known, _)| *known == name) {
                Some((_, counter)) => counter.now = Some(number),
                None if room => {
                    self.counters.push((name, Counter { before: None, now: Some(number) }));
                }
                None => {}
            }
        }
    }

    /// By how much a counter grows in a second, in thousandths. None before it is known twice, or when it was set back.
    #[must_use]
    pub fn per_second(&self, path: &str, key: &str) -> Option<u64> {
        let name = joined(&[path, ".", key]);
        let (_, counter) = self.counters.iter().find(|(known, _)| *known == name)?;
        let grown = counter.now?.checked_sub(counter.before?)?;
        let milliseconds = self.between / 1_000_000;
        grown.saturating_mul(1_000_000).checked_div(milliseconds)
    }
}

/// What the last look showed.
#[derive(Default)]
pub struct Sample {
    /// Of `hello`.
    pub hello: Record,
    /// The process.
    pub process: Record,
    /// The loop.
    pub work: Record,
    /// Descriptors.
    pub descriptors: Record,
    /// Memory.
    pub memory: Record,
    /// Servers.
    pub servers: Vec<Record>,
    /// Connections.
    pub connections: Vec<Record>,
    /// What grows.
    pub rates: Rates,
}

impl Sample {
    /// Takes a reply. One that failed leaves nothing.
    pub fn take(&mut self, question: Question, records: Vec<Record>) {
        if question != Question::Connections {
            records.iter().for_each(|record| self.rates.take(record));
        }
        let place = match question {
            Question::Process => &mut self.process,
            Question::Loop => &mut self.work,
            Question::Descriptors => &mut self.descriptors,
            Question::Memory => &mut self.memory,
            Question::Servers => return self.servers = records,
            Question::Connections => return self.connections = records,
        };
        *place = records.into_iter().next().unwrap_or_default();
    }

    /// The sum of a rate over all servers, in thousandths.
    #[must_use]
    pub fn of_servers(&self, key: &str) -> Option<u64> {
        let rates = self.servers.iter().map(|server| self.rates.per_second(&server.path, key));
        rates.fold(None, |sum, rate| rate.map(|rate| rate.saturating_add(sum.unwrap_or(0))).or(sum))
    }
}

/// The attribute of a connection by the first of its names that is there.
#[must_use]
pub fn first<'r>(record: &'r Record, keys: &[&str]) -> Option<&'r str> {
    keys.iter().filter_map(|key| record.get(key)).find(|value| !matches!(*value, "" | "-"))
}

/// A peer with its port.
#[must_use]
pub fn peer(record: &Record) -> String {
    let peer = first(record, &["peer"]).unwrap_or_default();
    match first(record, &["port"]) {
        Some(port) if peer.contains(':') && !peer.starts_with("unix") => joined(&["[", peer, "]:", port]),
        Some(port) if port != "0" => joined(&[peer, ":", port]),
        Some(_) | None => peer.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Vec<Record> {
        let mut incoming = Incoming::default();
        for byte in text.as_bytes() {
            incoming.push(&[*byte]);
        }
        incoming.records()
    }

    #[test]
    fn the_first_that_is_known_is_shown() {
        let rows = records("/connection/1-2 request=- file=/srv/a port=\"\"\n");
        assert_eq!(first(&rows[0], &["request", "file"]), Some("/srv/a"));
        assert_eq!(first(&rows[0], &["none", "request", "port"]), None);
    }

    #[test]
    fn attributes_of_a_node_are_one_row() {
        let rows =
            records("/loop.turns=7\n/loop.busy=1s\n/http/a open=1\n/http/b open=2\n  prose\n/cut.off=1");
        assert_eq!(rows.len(), 3);
        assert_eq!((rows[0].number("turns"), rows[0].number("busy")), (Some(7), Some(1000)));
    }

    #[test]
    fn rates_are_differences() {
        let mut sample = Sample::default();
        let rate = |sample: &Sample, key| sample.rates.per_second("/loop", key);
        sample.rates.begin(5_000_000_000);
        sample.take(Question::Loop, records("/loop.turns=100\n/loop.sent=1K\n/loop.slowest=1s\n"));
        sample.take(Question::Servers, records("/http/a requests=5\n/http/b requests=1\n/http/c open=1\n"));
        assert_eq!((rate(&sample, "turns"), sample.of_servers("requests")), (None, None));
        sample.rates.begin(7_000_000_000);
        sample.take(Question::Loop, records("/loop.turns=103\n/loop.sent=1\n"));
        sample
            .take(Question::Servers, records("/http/a requests=9\n/http/b requests=2\n/http/d requests=2\n"));
        assert_eq!(rate(&sample, "turns"), Some(1500));
        assert_eq!((rate(&sample, "sent"), rate(&sample, "slowest")), (None, None), "set back, no counter");
        assert_eq!(sample.of_servers("requests"), Some(2500));
        sample.rates.begin(8_000_000_000);
        sample.take(Question::Loop, Vec::new());
        assert_eq!((rate(&sample, "turns"), sample.work.path.as_str()), (None, ""));
    }

    #[test]
    fn peers_have_ports() {
        for (line, wanted) in [
            ("/c peer=127.0.0.1 port=80", "127.0.0.1:80"),
            ("/c peer=::1 port=80", "[::1]:80"),
            ("/c peer=unix: port=0", "unix:"),
            ("/c peer=unix: port=-", "unix:"),
            ("/c", ""),
        ] {
            assert_eq!(peer(&Record::parse(line).unwrap()), wanted, "{line}");
        }
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut incoming = Incoming::default();
        for _ in 0..10_000 {
            incoming.push(&[b'x'; 1000]);
        }
        assert_eq!(incoming.text.len(), REPLY);
    }
}
