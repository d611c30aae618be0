//! Lines of an access log, in three forms.
//!
//! ```text
//! common    host - user [10/Oct/2000:13:55:36 -0700] "GET /a HTTP/1.1" 200 2326
//! combined  the same, then "referer" "user agent"
//! json      {"time":"2000-10-10T13:55:36-07:00","remote":..,"user":..,"method":..,"target":..,"protocol":..,"host":..,
//!           "referer":..,"user_agent":..,"status":200,"bytes":2326,"duration_ms":0,"completed":true}
//! ```
//!
//! A line is made at once ([`push_line`]), or begun when the request is known and ended when its reply is out or given
//! up ([`finish`]): its time is the request's. Nothing a client sends can end a line or a field. In the first two forms `"` and `\` get a
//! backslash, and bytes that are not printable ASCII become `\xHH`; what is too long ends with `\...`, which nothing
//! else makes. JSON is UTF-8: what is not becomes U+FFFD, control characters, line separators and what changes the direction of
//! text become `\uHHHH`, and a line of which anything was cut says `"cut":true`.

use alloc::vec::Vec;

use super::calendar::civil_from_days;
use super::columns::is_command;
use super::json;
use super::number::{hex_digit, push_decimal};

#[cfg(test)]
mod tests;

/// The form of a log's lines.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Form {
    /// That of NCSA's server.
    Common,
    /// The same with two more fields.
    Combined,
    /// One object a line.
    Json,
}

impl Form {
    /// The form of that name; combined for a word that is none.
    #[must_use]
    pub fn named(name: &str) -> Form {
        match name {
            "common" => Form::Common,
            "json" => Form::Json,
            _ => Form::Combined,
        }
    }
}

/// Most bytes that one field may take, escapes included.
pub const FIELD: usize = 1024;
/// The same where a whole line must fit a datagram of 2 KiB.
pub const SHORT_FIELD: usize = 400;

/// What is told of a request.
pub struct Request<'a> {
    /// As whom its client asks, if that was proved.
    pub user: Option<&'a [u8]>,
    /// The request line, without its end.
    pub line: &'a [u8],
    /// Where in the line the target begins and ends; none when it does not have its three parts.
    pub target: Option<(usize, usize)>,
    /// Which host is asked.
    pub host: Option<&'a [u8]>,
    /// `Referer`.
    pub referer: Option<&'a [u8]>,
    /// `User-Agent`.
    pub agent: Option<&'a [u8]>,
}

/// What is told of its reply.
#[derive(Clone, Copy)]
pub struct Outcome {
    /// The digits of the status, if it got one.
    pub status: Option<[u8; 3]>,
    /// Bytes of the body that went out.
    pub bytes: u64,
    /// From the end of the request's head to the end of the reply.
    pub milliseconds: u64,
    /// Whether all of the reply went out.
    pub completed: bool,
}

/// What a line begins with, as text: who asks, and the current second. Either is made anew only when it changes, for
/// most lines are of the same second, and many of the same peer.
pub struct Stamp {
    second: i64,
    minute: i64,
    offset: i32,
    /// With what stands around it.
    time: Vec<u8>,
    remote: Vec<u8>,
    /// Both, in the order of the form.
    text: Vec<u8>,
}

impl Default for Stamp {
    /// A stamp that was never set.
    fn default() -> Self {
        Stamp {
            second: i64::MIN,
            minute: i64::MIN,
            offset: 0,
            time: Vec::new(),
            remote: Vec::new(),
            text: Vec::new(),
        }
    }
}

/// What stands between an address and a time when nobody proved who they are.
const NOBODY: &[u8] = b" - - [";
/// Seconds of one day.
const DAY: i64 = 86_400;
/// The last second of the year 9998: none but four digits whatever the zone.
const LAST_SECOND: i64 = 253_370_764_799;
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

impl Stamp {
    /// Takes the time over, in seconds since 1970. `offset` gives how far the zone is ahead of UTC then, in seconds; it
    /// is asked once a minute, for zones change at whole minutes. Times outside the years 1971 to 9998 become the
    /// nearest second inside.
    pub fn set(&mut self, form: Form, unix_seconds: i64, offset: fn(i64) -> i32) {
        if self.second == unix_seconds {
            return;
        }
        self.second = unix_seconds;
        let minute = unix_seconds.div_euclid(60);
        if self.minute != minute {
            self.minute = minute;
            self.offset = offset(unix_seconds);
        }
        self.time.clear();
        let (before, after): (&[u8], &[u8]) = match form {
            Form::Json => (b"{\"time\":\"", b"\",\"remote\":\""),
            Form::Common | Form::Combined => (NOBODY, b"] \""),
        };
        self.time.extend_from_slice(before);
        push_time(form, unix_seconds, self.offset, &mut self.time);
        self.time.extend_from_slice(after);
        self.join(form);
    }

    /// Takes over who asks, an address: `push` appends its text.
    pub fn set_remote(&mut self, form: Form, push: impl FnOnce(&mut Vec<u8>)) {
        self.remote.clear();
        push(&mut self.remote);
        self.join(form);
    }

    fn join(&mut self, form: Form) {
        self.text.clear();
        if form == Form::Json {
            self.text.extend_from_slice(&self.time);
            push_json(&self.remote, FIELD, &mut self.text);
            self.text.push(b'"');
        } else {
            self.text.extend_from_slice(&self.remote);
            self.text.extend_from_slice(&self.time);
        }
    }
}

fn push_time(form: Form, unix_seconds: i64, offset: i32, out: &mut Vec<u8>) {
    let local = unix_seconds.clamp(365 * DAY, LAST_SECOND) + i64::from(offset).clamp(-DAY, DAY);
    let (year, month, day) = civil_from_days(local.div_euclid(DAY));
    let second = local.rem_euclid(DAY);
    let json = form == Form::Json;
    if json {
        push_pairs(&[year / 100, year], b"", out);
        out.push(b'-');
        push_pairs(&[month, day], b"-", out);
        out.push(b'T');
    } else {
        push_pairs(&[day], b"", out);
        out.push(b'/');
        out.extend_from_slice(month_name(month));
        out.push(b'/');
        push_pairs(&[year / 100, year], b"", out);
        out.push(b':');
    }
    push_pairs(&[second / 3600, second / 60 % 60, second % 60], b":", out);
    out.extend_from_slice(if json { b"" } else { b" " });
    out.push(if offset < 0 { b'-' } else { b'+' });
    let minutes = i64::from(offset.unsigned_abs() / 60);
    push_pairs(&[minutes / 60, minutes % 60], if json { b":" } else { b"" }, out);
}

/// `Oct 10 13:55:36`, as RFC 3164 begins the messages of syslog, for a local time in seconds.
pub fn push_syslog_time(local_seconds: i64, out: &mut Vec<u8>) {
    let (_, month, day) = civil_from_days(local_seconds.div_euclid(DAY));
    let second = local_seconds.rem_euclid(DAY);
    out.extend_from_slice(month_name(month));
    out.extend_from_slice(if day < 10 { b"  " } else { b" " });
    push_decimal(day.unsigned_abs(), out);
    out.push(b' ');
    push_pairs(&[second / 3600, second / 60 % 60, second % 60], b":", out);
}

fn month_name(month: i64) -> &'static [u8] {
    let place = usize::try_from(month - 1).unwrap_or(0) * 3;
    MONTHS.get(place..place + 3).unwrap_or_default()
}

/// Each number as its last two digits, with a separator between them.
fn push_pairs(numbers: &[i64], separator: &[u8], out: &mut Vec<u8>) {
    for (place, number) in numbers.iter().enumerate() {
        if place > 0 {
            out.extend_from_slice(separator);
        }
        out.extend_from_slice(&[b'0' + (number / 10 % 10) as u8, b'0' + (number % 10) as u8]);
    }
}

/// Appends a line: a whole one, or without an outcome what is known before the reply. Gives how many of these bytes stand
/// before the reply's part. No field takes more than `limit` bytes and the few that say that it was cut.
pub fn push_line(
    form: Form,
    request: &Request<'_>,
    stamp: &Stamp,
    limit: usize,
    outcome: Option<&Outcome>,
    out: &mut Vec<u8>,
) -> usize {
    let before = out.len();
    push_front(form, request, stamp, limit, out);
    let split = out.len() - before;
    if let Some(outcome) = outcome {
        push_outcome(form, outcome, out);
    }
    push_back(form, request, limit, out);
    split
}

/// Appends a whole line: what [`push_line`] made without an outcome, `split` as it said, with the reply's part.
pub fn finish(form: Form, text: &[u8], split: usize, outcome: &Outcome, out: &mut Vec<u8>) {
    let (front, back) = text.split_at_checked(split).unwrap_or((text, &[]));
    out.extend_from_slice(front);
    push_outcome(form, outcome, out);
    out.extend_from_slice(back);
}

/// No line of this request is longer, in bytes.
pub fn longest(request: &Request<'_>, limit: usize) -> usize {
    let length = |text: Option<&[u8]>| text.map_or(0, <[u8]>::len);
    let texts = request.line.len()
        + length(request.user)
        + length(request.host)
        + length(request.referer)
        + length(request.agent);
    // An escape makes six bytes of one at most; seven fields may be cut. The rest: keys, numbers, time and address.
    (texts * 6).min((limit + 4) * 7) + 400
}

/// What stands before the reply's part.
fn push_front(form: Form, request: &Request<'_>, stamp: &Stamp, limit: usize, out: &mut Vec<u8>) {
    if form == Form::Json {
        return push_front_json(request, stamp, limit, out);
    }
    match request.user {
        None => out.extend_from_slice(&stamp.text),
        Some(user) => {
            out.extend_from_slice(&stamp.remote);
            out.extend_from_slice(b" - ");
            // A name with a space in it would make two fields.
            push_escaped(user, b' ', limit, out);
            out.extend_from_slice(stamp.time.get(NOBODY.len() - 2..).unwrap_or_default());
        }
    }
    if !request.line.is_empty() && is_plain(request.line, limit) {
        // As it is almost always; so are its parts, then.
        return out.extend_from_slice(request.line);
    }
    match split_line(request) {
        Some((method, target, protocol)) => {
            push_escaped(method, b'"', limit, out);
            out.push(b' ');
            push_escaped(target, b'"', limit, out);
            out.push(b' ');
            push_escaped(protocol, b'"', limit, out);
        }
        None => push_escaped(if request.line.is_empty() { b"-" } else { request.line }, b'"', limit, out),
    }
}

fn push_front_json(request: &Request<'_>, stamp: &Stamp, limit: usize, out: &mut Vec<u8>) {
    out.extend_from_slice(&stamp.text);
    let mut cut = false;
    let (method, target, protocol) = match split_line(request) {
        Some((method, target, protocol)) => (Some(method), target, Some(protocol)),
        None => (None, request.line, None),
    };
    for (key, value) in [
        (&b",\"user\":"[..], request.user),
        (b",\"method\":", method),
        (b",\"target\":", Some(target)),
        (b",\"protocol\":", protocol),
        (b",\"host\":", request.host),
        (b",\"referer\":", request.referer),
        (b",\"user_agent\":", request.agent),
    ] {
        out.extend_from_slice(key);
        match value {
            Some(value) => {
                out.push(b'"');
                cut |= push_json(value, limit, out);
                out.push(b'"');
            }
            None => out.extend_from_slice(b"null"),
        }
    }
    if cut {
        out.extend_from_slice(b",\"cut\":true");
    }
}

/// The reply's part.
fn push_outcome(form: Form, outcome: &Outcome, out: &mut Vec<u8>) {
    if form == Form::Json {
        let status = outcome.status.as_ref().map(<[u8; 3]>::as_slice);
        out.extend_from_slice(b",\"status\":");
        out.extend_from_slice(status.unwrap_or(b"null"));
        out.extend_from_slice(b",\"bytes\":");
        push_decimal(outcome.bytes, out);
        out.extend_from_slice(b",\"duration_ms\":");
        push_decimal(outcome.milliseconds, out);
        let end: &[u8] =
            if outcome.completed { b",\"completed\":true}\n" } else { b",\"completed\":false}\n" };
        out.extend_from_slice(end);
    } else {
        match outcome.status {
            Some([a, b, c]) => out.extend_from_slice(&[b'"', b' ', a, b, c, b' ']),
            None => out.extend_from_slice(b"\" - "),
        }
        push_decimal(outcome.bytes, out);
    }
}

/// What stands behind it.
fn push_back(form: Form, request: &Request<'_>, limit: usize, out: &mut Vec<u8>) {
    match form {
        Form::Json => {}
        Form::Common => out.push(b'\n'),
        Form::Combined if request.referer.is_none() && request.agent.is_none() => {
            out.extend_from_slice(b" \"-\" \"-\"\n");
        }
        Form::Combined => {
            match request.referer {
                None => out.extend_from_slice(b" \"-\" \""),
                Some(referer) => {
                    out.extend_from_slice(b" \"");
                    push_escaped(referer, b'"', limit, out);
                    out.extend_from_slice(b"\" \"");
                }
            }
            push_escaped(request.agent.unwrap_or(b"-"), b'"', limit, out);
            out.extend_from_slice(b"\"\n");
        }
    }
}

/// Method, target and protocol of a request line that has them.
fn split_line<'a>(request: &Request<'a>) -> Option<(&'a [u8], &'a [u8], &'a [u8])> {
    let (line, (start, end)) = (request.line, request.target?);
    Some((line.get(..start.checked_sub(1)?)?, line.get(start..end)?, line.get(end + 1..)?))
}

/// How many bytes at the front of `text` go out as they are, `quote` being one that does not.
fn plain(text: &[u8], quote: u8) -> usize {
    let is_plain = |byte: u8| (b' '..=b'~').contains(&byte) && byte != quote && byte != b'\\' && byte != b'"';
    let mut at = 0;
    if quote == b'"' {
        // Eight at a time, up to those among which is one that does not.
        let mut rest = text;
        while let Some((word, after)) = rest.split_first_chunk() {
            if has_escape(u64::from_ne_bytes(*word)) {
                break;
            }
            rest = after;
        }
        at = text.len() - rest.len();
        // The last eight, some of which were seen.
        if rest.len() < 8 && text.last_chunk().is_some_and(|word| !has_escape(u64::from_ne_bytes(*word))) {
            return text.len();
        }
    }
    while text.get(at).is_some_and(|&byte| is_plain(byte)) {
        at += 1;
    }
    at
}

/// Whether among eight bytes is a control, a quote, a backslash, or one that is not ASCII.
#[inline(always)]
fn has_escape(word: u64) -> bool {
    const ONES: u64 = u64::MAX / 255;
    const HIGH: u64 = ONES << 7;
    // The high bit of a byte below `n`, and of one that is zero; a borrow may add others above it.
    let below = |word: u64, n: u64| word.wrapping_sub(ONES * n) & !word & HIGH;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    // 0x7f carries into the high bit when one is added, and what is above it has that bit.
    ((word | word.wrapping_add(ONES)) & HIGH) | below(word, 0x20) | is(b'"') | is(b'\\') != 0
}

/// Whether a text goes out as it is.
fn is_plain(text: &[u8], limit: usize) -> bool {
    text.len() <= limit && plain(text, b'"') == text.len()
}

/// Appends a field of the first two forms. `quote` is one more byte that must not stand for itself.
fn push_escaped(mut text: &[u8], quote: u8, limit: usize, out: &mut Vec<u8>) {
    let end = out.len() + limit;
    loop {
        let run = plain(text, quote);
        let room = end.saturating_sub(out.len());
        let (head, rest) = text.split_at_checked(run.min(room)).unwrap_or((text, &[]));
        out.extend_from_slice(head);
        let Some((&byte, after)) = rest.split_first() else { return };
        let hex = [b'\\', b'x', hex_digit(byte >> 4, b'A'), hex_digit(byte, b'A')];
        let pair = [b'\\', byte];
        let escape: &[u8] = if byte == b'"' || byte == b'\\' { &pair } else { &hex };
        if head.len() < run || out.len() + escape.len() > end {
            out.extend_from_slice(b"\\...");
            return;
        }
        out.extend_from_slice(escape);
        text = after;
    }
}

/// Appends the inside of a string of JSON; says whether it was cut.
fn push_json(text: &[u8], limit: usize, out: &mut Vec<u8>) -> bool {
    let end = out.len() + limit;
    if is_plain(text, limit) {
        // As it is almost always.
        out.extend_from_slice(text);
        return false;
    }
    for chunk in text.utf8_chunks() {
        let replaced = if chunk.invalid().is_empty() { None } else { Some('\u{fffd}') };
        for character in chunk.valid().chars().chain(replaced) {
            let mut room = [0; 6];
            let written: &[u8] = match character {
                '"' => b"\\\"",
                '\\' => b"\\\\",
                _ if is_command(character) => {
                    room = json::escape(character);
                    &room
                }
                character => {
                    let length = character.encode_utf8(&mut room).len();
                    room.get(..length).unwrap_or_default()
                }
            };
            if out.len() + written.len() > end {
                return true;
            }
            out.extend_from_slice(written);
        }
    }
    false
}
