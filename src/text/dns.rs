//! Messages of the domain name system (RFC 1035): one question about one name, and what was answered to it.
//!
//! A message comes from a network and may lie. Names are bounded, a pointer leads only backwards, and only what answers the
//! question, by itself or through aliases, is looked at.

use alloc::string::String;
use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::number::{hex_digit, push_decimal_str};

/// The longest name in dots, without one at its end (RFC 1035, section 2.3.4: 255 bytes on the wire).
const NAME_MAX: usize = 253;
/// The longest label.
const LABEL_MAX: usize = 63;
/// The most aliases that are followed from one name.
const ALIASES: usize = 8;
/// The most pointers in one name: a name has no use for more, and a message of pointers alone would take long to read.
const POINTERS: usize = 16;
/// The most names and addresses that are taken out of one answer.
const TAKEN: usize = 16;

/// What is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Record {
    /// `A`: IPv4 addresses.
    Ipv4,
    /// `PTR`: names.
    Name,
    /// `AAAA`: IPv6 addresses (RFC 3596).
    Ipv6,
}

impl Record {
    fn number(self) -> u16 {
        match self {
            Record::Ipv4 => 1,
            Record::Name => 12,
            Record::Ipv6 => 28,
        }
    }
}

/// `CNAME`.
const ALIAS: u16 = 5;
/// The class of the Internet.
const INTERNET: u16 = 1;

/// A question.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Question {
    /// What the answer has to repeat.
    pub id: u16,
    /// The name in small letters, without a dot at its end.
    pub name: String,
    /// What of it.
    pub record: Record,
}

/// What was answered.
#[derive(Clone, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Answer {
    /// Names of hosts, in small letters.
    pub names: Vec<String>,
    /// Addresses.
    pub addresses: Vec<IpAddr>,
    /// For how many seconds that holds: the shortest time of what it was made of. 0 when there is nothing.
    pub seconds: u32,
}

/// Why a message is no answer.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Unanswered {
    /// It does not answer this question, or is no message: another may come.
    Stray,
    /// The server cannot say: another may.
    Failed,
}

impl Question {
    /// Appends the message that asks it, for servers that look further for us. Nothing is appended for a name that cannot
    /// be asked for; says whether it was.
    pub fn push(&self, out: &mut Vec<u8>) -> bool {
        if !is_name(&self.name) {
            return false;
        }
        out.extend_from_slice(&self.id.to_be_bytes());
        // Recursion desired; one question.
        out.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in self.name.split('.') {
            // At most 63: it is a name.
            out.push(label.len() as u8);
            out.extend_from_slice(label.as_bytes());
        }
        out.push(0);
        out.extend_from_slice(&self.record.number().to_be_bytes());
        out.extend_from_slice(&INTERNET.to_be_bytes());
        true
    }

    /// Reads what a server sent. That there is no such name is an answer with nothing in it.
    ///
    /// # Errors
    /// It is no answer to this question.
    pub fn read(&self, message: &[u8]) -> Result<Answer, Unanswered> {
        let mut at = Reader { message, at: 0 };
        self.read_head(&mut at).unwrap_or(Err(Unanswered::Stray))?;
        let mut answer = Answer { seconds: u32::MAX, ..Answer::default() };
        let count = at.word_at(6).unwrap_or(0);
        // What follows aliases that come later in the message than their names is found in another pass.
        let (start, mut wanted) = (at.at, self.name.clone());
        for _ in 0..=ALIASES {
            at.at = start;
            let mut alias = None;
            for _ in 0..count {
                // A message that ends too early was cut: what came is true all the same.
                let Some(record) = at.record() else { break };
                if record.class != INTERNET || record.owner.as_deref() != Some(wanted.as_str()) {
                    continue;
                }
                if record.kind == ALIAS {
                    alias = at.name_at(record.data).filter(|name| is_name(name));
                    answer.seconds = answer.seconds.min(record.seconds);
                } else if record.kind == self.record.number() {
                    self.take(&at, &record, &mut answer);
                }
            }
            match alias {
                Some(name) if answer.names.is_empty() && answer.addresses.is_empty() => wanted = name,
                Some(_) | None => break,
            }
        }
        if answer.names.is_empty() && answer.addresses.is_empty() {
            answer.seconds = 0;
        }
        Ok(answer)
    }

    /// Passes over the head and the question; nothing when the message ends before that.
    fn read_head(&self, at: &mut Reader<'_>) -> Option<Result<(), Unanswered>> {
        let flags = at.word_at(2)?;
        let (is_answer, operation, code) = (flags & 0x8000 != 0, flags >> 11 & 15, flags & 15);
        if at.word_at(0)? != self.id || !is_answer || operation != 0 || at.word_at(4)? != 1 {
            return Some(Err(Unanswered::Stray));
        }
        at.at = 12;
        let name = at.name()?;
        let (record, class) = (at.word()?, at.word()?);
        if name.as_deref() != Some(self.name.as_str()) || record != self.record.number() || class != INTERNET
        {
            return Some(Err(Unanswered::Stray));
        }
        // No error, or no such name.
        Some(if matches!(code, 0 | 3) { Ok(()) } else { Err(Unanswered::Failed) })
    }

    fn take(&self, at: &Reader<'_>, record: &Found, answer: &mut Answer) {
        if answer.names.len() + answer.addresses.len() >= TAKEN {
            return;
        }
        let data = at.message.get(record.data..record.end).unwrap_or_default();
        match self.record {
            Record::Name => match at.name_at(record.data).filter(|name| is_name(name)) {
                Some(name) => answer.names.push(name),
                None => return,
            },
            Record::Ipv4 => match <[u8; 4]>::try_from(data) {
                Ok(octets) => answer.addresses.push(Ipv4Addr::from(octets).into()),
                Err(_) => return,
            },
            Record::Ipv6 => match <[u8; 16]>::try_from(data) {
                Ok(octets) => answer.addresses.push(Ipv6Addr::from(octets).into()),
                Err(_) => return,
            },
        }
        answer.seconds = answer.seconds.min(record.seconds);
    }
}

/// A record of a message, its data by where it lies.
struct Found {
    /// Nothing for a name that cannot be one of a host.
    owner: Option<String>,
    kind: u16,
    class: u16,
    seconds: u32,
    data: usize,
    end: usize,
}

struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn word_at(&self, at: usize) -> Option<u16> {
        let end = at.checked_add(2)?;
        Some(u16::from_be_bytes(self.message.get(at..end)?.try_into().ok()?))
    }

    fn word(&mut self) -> Option<u16> {
        let word = self.word_at(self.at)?;
        self.at += 2;
        Some(word)
    }

    fn record(&mut self) -> Option<Found> {
        let owner = self.name()?;
        let (kind, class) = (self.word()?, self.word()?);
        let (high, low) = (self.word()?, self.word()?);
        // A time with the highest bit is none (RFC 2181, section 8).
        let seconds = if high >= 0x8000 { 0 } else { u32::from(high) << 16 | u32::from(low) };
        let length = usize::from(self.word()?);
        let (data, end) = (self.at, self.at.checked_add(length)?);
        if end > self.message.len() {
            return None;
        }
        self.at = end;
        Some(Found { owner, kind, class, seconds, data, end })
    }

    /// The name here, which is passed over. Nothing at all where the message is wrong; no text for a name that has letters
    /// which no host's has.
    fn name(&mut self) -> Option<Option<String>> {
        let (name, end) = self.labels(self.at)?;
        self.at = end;
        Some(name)
    }

    fn name_at(&self, at: usize) -> Option<String> {
        self.labels(at)?.0
    }

    /// The name at a place, and where what follows it begins.
    fn labels(&self, start: usize) -> Option<(Option<String>, usize)> {
        let (mut at, mut end) = (start, None);
        // Where the part began that is being read: a pointer leads before it, so this ends.
        let mut part = start;
        let mut name = Some(String::new());
        let mut length = 0;
        let mut pointers = 0;
        loop {
            let first = *self.message.get(at)?;
            match first >> 6 {
                0 if first == 0 => {
                    return Some((name, end.unwrap_or(at + 1)));
                }
                0 => {
                    let label = self.message.get(at + 1..at + 1 + usize::from(first))?;
                    length += label.len() + 1;
                    if length > NAME_MAX + 1 {
                        return None;
                    }
                    push_label(label, &mut name);
                    at += 1 + label.len();
                }
                3 => {
                    let target = usize::from(self.word_at(at)? & 0x3fff);
                    end = end.or(Some(at + 2));
                    pointers += 1;
                    if target >= part || pointers > POINTERS {
                        return None;
                    }
                    (at, part) = (target, target);
                }
                _ => return None,
            }
        }
    }
}

/// Appends a label in small letters; nothing is left of a name that is no host's.
fn push_label(label: &[u8], name: &mut Option<String>) {
    let Some(text) = name else { return };
    if !label.iter().all(|byte| is_letter(*byte)) {
        *name = None;
        return;
    }
    if !text.is_empty() {
        text.push('.');
    }
    text.extend(label.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
}

fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

/// Whether a text is a name that can be asked for.
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| (1..=LABEL_MAX).contains(&label.len()) && label.bytes().all(is_letter);
    name.len() <= NAME_MAX && name.split('.').all(is_label)
}

/// The name under which the names of an address are found: `1.2.0.192.in-addr.arpa` (RFC 1035, section 3.5), and with
/// each half of a byte under `ip6.arpa` (RFC 3596, section 2.5).
#[must_use]
pub fn reverse_name(ip: IpAddr) -> String {
    let mut name = String::new();
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            for byte in ip.octets().iter().rev() {
                push_decimal_str(u64::from(*byte), &mut name);
                name.push('.');
            }
            name.push_str("in-addr.arpa");
        }
        IpAddr::V6(ip) => {
            for byte in ip.octets().iter().rev() {
                for half in [*byte, byte >> 4] {
                    name.push(char::from(hex_digit(half, b'a')));
                    name.push('.');
                }
            }
            name.push_str("ip6.arpa");
        }
    }
    name
}

/// The servers that a file in the form of resolv.conf(5) names, three at most. That of the host itself where it names none;
/// addresses of one interface only are passed over.
#[must_use]
pub fn servers(text: &[u8]) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let Ok(line) = core::str::from_utf8(line) else { continue };
        let mut words = line.split_ascii_whitespace();
        if words.next() == Some("nameserver") && found.len() < 3 {
            found.extend(words.next().and_then(|word| word.parse().ok()).filter(|ip| !found.contains(ip)));
        }
    }
    if found.is_empty() {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    found
}

#[cfg(test)]
mod tests;
