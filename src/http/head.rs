//! The head of a request: request line and fields (RFC 9112, sections 2, 3 and 5), strictly. Where the RFC lets a
//! server choose between repairing and refusing, this refuses: two readers that repair differently are how requests are
//! smuggled.
//!
//! ```text
//!  resume = 0 --> [read all] --whole--> Complete
//!                  |  ^   |
//!           runs   |  |   +--wrong, or over a limit--> Error
//!           out    v  | an empty line, a bare LF, the first line's end, or a limit reached
//!   Partial <--- [look at what is new] ---> Partial
//! ```
//!
//! Reading all is one pass from the first byte, and its outcome at any byte depends only on the bytes before it. So it
//! can be put off without changing what comes out: while a head drips in, only the new bytes are looked at, for line
//! ends, and reading all happens a fixed number of times per head, however small the pieces.

use alloc::vec::Vec;

#[cfg(test)]
mod tests;

use super::class::{self, PATH, TARGET, TOKEN};
use super::field::Name;
use super::host;
use super::method::Method;
use super::status::Status;
use super::target::{self, Form};

/// How large a head may be.
#[derive(Clone, Copy)]
pub struct Limits {
    /// Bytes of the request line, without its CRLF. Longer: 414.
    pub line: usize,
    /// Bytes of the whole head, from an empty line before it to the empty line after it. Longer: 431.
    pub head: usize,
    /// Fields. More: 431.
    pub fields: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line: 8192, head: 16_384, fields: 100 }
    }
}

/// The version a request is held to: its own, or 1.1 for a later 1.x (RFC 9110, section 2.5).
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1 to HTTP/1.9
    #[default]
    Http11,
}

/// A part of the input, by offsets. Offsets fit: a head is bounded by [`HEAD_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub(super) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    /// Its first place and the one behind its last.
    pub(super) fn bounds(self) -> (usize, usize) {
        (self.start as usize, self.end as usize)
    }

    /// The bytes; nothing, when `input` is not what the span was made from.
    #[inline]
    pub(super) fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// One field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    pub(super) known: Option<Name>,
    pub(super) name: Span,
    pub(super) value: Span,
}

/// The fields of one head, in order. One is enough for all connections: it is filled by each [`parse`], and its memory
/// stays, [`Limits::fields`] entries at most.
#[derive(Default)]
pub struct Fields {
    pub(super) list: Vec<Field>,
}

/// The request line of one head, and which fields it has. Of use only when [`parse`] said `Complete`.
#[derive(Clone, Copy, Default)]
pub struct Head {
    pub(super) method: Method,
    pub(super) version: Version,
    pub(super) form: Form,
    pub(super) target: Span,
    /// Within the target; empty unless its form has one.
    pub(super) authority: Span,
    /// Within the target, without the query; empty when it has none.
    pub(super) path: Span,
    pub(super) query: Option<Span>,
    /// The known names present, as of [`Name::mask`].
    pub(super) known: u32,
}

/// What [`parse`] made of its input.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Parsed {
    /// The input starts with a head of `length` bytes, an empty line before it included.
    Complete {
        /// Where the body, or the next request, begins.
        length: usize,
    },
    /// The head has not ended yet.
    Partial {
        /// To be given back with the same bytes and more. It means nothing elsewhere.
        resume: u32,
    },
    /// No more input will make it a request.
    Error(HeadError),
}

/// What is wrong with a head: one for each place in the grammar.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum HeadError {
    /// The method is not a token.
    Method,
    /// The method is a token, but none that exists.
    UnknownMethod,
    /// The target holds `#` or a control, or has no form that goes with the method.
    Target,
    /// Not three parts with one SP between them.
    RequestLine,
    /// The request line is over its limit.
    UriTooLong,
    /// The version is not `HTTP/` digit `.` digit, or is HTTP/0.9.
    Version,
    /// A version other than 1.x.
    UnsupportedVersion,
    /// A CR without LF, or an LF without CR.
    LineEnd,
    /// A line of fields begins with SP or HTAB (obs-fold; RFC 9112, section 5.2).
    Fold,
    /// The name of a field is empty, not a token, or not followed by `:` at once.
    FieldName,
    /// The value of a field holds a control.
    FieldValue,
    /// Not one valid Host (RFC 9112, section 3.2), or for HTTP/1.0, more than one or an invalid one.
    Host,
    /// More fields than the limit.
    TooManyFields,
    /// The head is over its limit.
    HeadTooLong,
}

impl HeadError {
    /// How it is answered. The connection closes after it: where the next request would begin is not known.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Method
            | Self::Target
            | Self::RequestLine
            | Self::Version
            | Self::LineEnd
            | Self::Fold
            | Self::FieldName
            | Self::FieldValue
            | Self::Host => Status::BAD_REQUEST,
            Self::UnknownMethod => Status::NOT_IMPLEMENTED,
            Self::UriTooLong => Status::URI_TOO_LONG,
            Self::UnsupportedVersion => Status::VERSION_NOT_SUPPORTED,
            Self::TooManyFields | Self::HeadTooLong => Status::FIELDS_TOO_LARGE,
        }
    }
}

/// In `resume`: the request line has been read and is right. The other bits are how many bytes have been looked at.
const LINE_READ: u32 = 1 << 31;

/// No head is longer, whatever the limits say, so that offsets leave that bit free.
const HEAD_MAX: usize = 1 << 30;

/// Reads the head that `input` starts with. Bytes after it are not looked at.
///
/// `resume` is 0, or what `Partial` gave for a shorter input that began with the same bytes and had the same limits; it
/// is all that is kept between calls, `fields` and `head` may have been used for others. The outcome does not depend
/// on how the input was cut, except that an error may be found later, at the end of its line or of the head.
#[must_use]
pub fn parse(input: &[u8], resume: u32, limits: &Limits, fields: &mut Fields, head: &mut Head) -> Parsed {
    let head_max = limits.head.min(HEAD_MAX);
    if resume != 0 && input.len() < head_max && !has_reason(input, resume, limits.line) {
        return Parsed::Partial { resume: input.len() as u32 | resume & LINE_READ };
    }
    match read(input, limits.line, head_max, limits.fields, fields, head) {
        Ok(length) => Parsed::Complete { length },
        Err(Stop::Wrong(error)) => Parsed::Error(error),
        Err(Stop::Short { line_read }) => {
            Parsed::Partial { resume: input.len() as u32 | if line_read { LINE_READ } else { 0 } }
        }
    }
}

/// Whether the bytes since `resume` are a reason to read all: each of these occurs once in a head, or is an error.
fn has_reason(input: &[u8], resume: u32, line_max: usize) -> bool {
    let line_read = resume & LINE_READ != 0;
    // The empty line before a request may move the limit by two bytes: then all is read twice more.
    if !line_read && input.len() >= line_max.saturating_add(2) {
        return true;
    }
    let mut at = (resume & !LINE_READ) as usize;
    while let Some(next) = input.get(at..).and_then(|new| new.iter().position(|&byte| byte == b'\n')) {
        let end = at + next;
        let before = input.get(end.saturating_sub(2)..end).unwrap_or_default();
        if !line_read || !matches!(before, [byte, b'\r'] if *byte != b'\n') {
            return true;
        }
        at = end + 1;
    }
    false
}

/// Why reading stopped before the end of the head.
enum Stop {
    /// The input ran out.
    Short { line_read: bool },
    /// The head is wrong.
    Wrong(HeadError),
}

/// As [`Stop`], within a line.
type Step<T> = Result<T, Option<HeadError>>;

fn read(
    input: &[u8],
    line_max: usize,
    head_max: usize,
    fields_max: usize,
    fields: &mut Fields,
    head: &mut Head,
) -> Result<usize, Stop> {
    #[cfg(test)]
    tests::READS.with(|reads| reads.set(reads.get() + 1));
    let start = match input {
        [b'\r', b'\n', ..] => 2,
        [b'\r'] => return Err(Stop::Short { line_read: false }),
        [b'\r' | b'\n', ..] => return Err(Stop::Wrong(HeadError::LineEnd)),
        _ => 0,
    };
    // Each part reads from no more than its limit allows. When that much is there and still runs out, it is too long.
    let line_end_max = line_max.saturating_add(start + 2).min(head_max);
    let line = input.get(..line_end_max).unwrap_or(input);
    let at = match read_line(line, start, head) {
        Ok(at) => at,
        Err(Some(error)) => return Err(Stop::Wrong(error)),
        Err(None) if line.len() == line_end_max => return Err(Stop::Wrong(HeadError::UriTooLong)),
        Err(None) => return Err(Stop::Short { line_read: false }),
    };
    let lines = input.get(..head_max).unwrap_or(input);
    match read_fields(lines, at, fields_max, fields, head) {
        Ok(length) => Ok(length),
        Err(Some(error)) => Err(Stop::Wrong(error)),
        Err(None) if lines.len() == head_max => Err(Stop::Wrong(HeadError::HeadTooLong)),
        Err(None) => Err(Stop::Short { line_read: true }),
    }
}

/// Reads the request line at `start`; gives where the next line begins.
fn read_line(input: &[u8], start: usize, head: &mut Head) -> Step<usize> {
    let rest = input.get(start..).unwrap_or_default();
    let (method, method_length) = match rest.first_chunk() {
        Some(b"GET ") => (Method::Get, 3),
        _ => read_method(rest)?,
    };
    let start = start + method_length + 1;
    let rest = input.get(start..).unwrap_or_default();
    let path_end = class::run(rest, PATH);
    let (end, has_query) = match rest.get(path_end) {
        Some(b'?') => {
            let query = rest.get(path_end + 1..).unwrap_or_default();
            (path_end + 1 + class::run(query, TARGET), true)
        }
        _ => (path_end, false),
    };
    match rest.get(end) {
        Some(b' ') if end > 0 => {}
        Some(b' ' | b'\r' | b'\n') => return Err(Some(HeadError::RequestLine)),
        Some(_) => return Err(Some(HeadError::Target)),
        None => return Err(None),
    }
    let (form, authority, path_start) = match rest.first() {
        Some(b'/') if method != Method::Connect => (Form::Origin, Span::default(), 0),
        _ => {
            let before_query = rest.get(..path_end).unwrap_or_default();
            let Some((form, from, to)) = target::read(method, before_query, has_query) else {
                return Err(Some(HeadError::Target));
            };
            (form, Span::new(start + from, start + to), to)
        }
    };
    let path = match form {
        Form::Origin | Form::Absolute => Span::new(start + path_start, start + path_end),
        Form::Authority | Form::Asterisk => Span::default(),
    };
    let query = has_query.then(|| Span::new(start + path_end + 1, start + end));
    let after = rest.get(end + 1..).unwrap_or_default();
    let (version, length) = match after.first_chunk() {
        Some(b"HTTP/1.1\r\n") => (Version::Http11, 10),
        _ => read_version(after)?,
    };
    *head = Head {
        method,
        version,
        form,
        target: Span::new(start, start + end),
        authority,
        path,
        query,
        known: 0,
    };
    Ok(start + end + 1 + length)
}

/// Reads a method and looks at the SP after it; gives its length. Input that runs out after it is no matter here: the
/// target will be found missing. Of a token that is no method the rest of the line is read first, for what is no request
/// line has no method.
fn read_method(rest: &[u8]) -> Step<(Method, usize)> {
    let length = class::run(rest, TOKEN);
    let (token, after) = rest.split_at_checked(length).unwrap_or_default();
    let after = match after {
        [b' ', after @ ..] if length > 0 => after,
        [b'\r' | b'\n', ..] if length > 0 => return Err(Some(HeadError::RequestLine)),
        [] => return Err(None),
        _ => return Err(Some(HeadError::Method)),
    };
    if let Some(method) = Method::find(token) {
        return Ok((method, length));
    }
    let target = class::run(after, TARGET);
    match after.get(target) {
        Some(b' ') if target > 0 => {}
        Some(b' ' | b'\r' | b'\n') => return Err(Some(HeadError::RequestLine)),
        Some(_) => return Err(Some(HeadError::Target)),
        None => return Err(None),
    }
    read_version(after.get(target + 1..).unwrap_or_default())?;
    Err(Some(HeadError::UnknownMethod))
}

/// Reads a version and its line end; gives the length of both.
fn read_version(rest: &[u8]) -> Step<(Version, usize)> {
    let length = class::run(rest, TARGET);
    match rest.get(length) {
        Some(b'\r' | b'\n') => {}
        Some(_) => return Err(Some(HeadError::RequestLine)),
        None => return Err(None),
    }
    let Some([b'H', b'T', b'T', b'P', b'/', major @ b'0'..=b'9', b'.', minor @ b'0'..=b'9']) =
        rest.get(..length)
    else {
        return Err(Some(HeadError::Version));
    };
    let version = match (major, minor) {
        (b'1', b'0') => Version::Http10,
        (b'1', _) => Version::Http11,
        (b'0', b'9') => return Err(Some(HeadError::Version)),
        _ => return Err(Some(HeadError::UnsupportedVersion)),
    };
    Ok((version, length + read_line_end(rest, length)?))
}

/// Looks for the CRLF that must be at `at`; gives its length.
#[inline]
fn read_line_end(rest: &[u8], at: usize) -> Step<usize> {
    match rest.get(at..).unwrap_or_default() {
        [b'\r', b'\n', ..] => Ok(2),
        [] | [b'\r'] => Err(None),
        _ => Err(Some(HeadError::LineEnd)),
    }
}

/// Reads fields from `at` to the empty line; gives where that ends.
fn read_fields(
    input: &[u8],
    mut at: usize,
    fields_max: usize,
    fields: &mut Fields,
    head: &mut Head,
) -> Step<usize> {
    fields.list.clear();
    let mut rest = input.get(at..).unwrap_or_default();
    loop {
        let name_length = class::run(rest, TOKEN);
        let Some((name, after)) = rest.split_at_checked(name_length) else { return Err(None) };
        let after = match after {
            [b':', after @ ..] if name_length > 0 => after,
            [b'\r', ..] if name_length == 0 => {
                at += read_line_end(after, 0)?;
                break;
            }
            [] => return Err(None),
            [b' ' | b'\t', ..] if name_length == 0 => return Err(Some(HeadError::Fold)),
            [b'\n', ..] if name_length == 0 => return Err(Some(HeadError::LineEnd)),
            _ => return Err(Some(HeadError::FieldName)),
        };
        if fields.list.len() >= fields_max {
            return Err(Some(HeadError::TooManyFields));
        }
        let line_length = class::run_value(after);
        let (line, end) = after.split_at_checked(line_length).unwrap_or_default();
        rest = match end {
            [b'\r', b'\n', rest @ ..] => rest,
            [] | [b'\r'] => return Err(None),
            [b'\r' | b'\n', ..] => return Err(Some(HeadError::LineEnd)),
            _ => return Err(Some(HeadError::FieldValue)),
        };
        let name_end = at + name_length;
        let mut value = line;
        while let [b' ' | b'\t', inner @ ..] = value {
            value = inner;
        }
        let value_start = name_end + 1 + (line.len() - value.len());
        while let [inner @ .., b' ' | b'\t'] = value {
            value = inner;
        }
        let known = Name::find(name);
        if let Some(known) = known {
            if known == Name::Host && (head.known & known.mask() != 0 || !host::is_valid(value)) {
                return Err(Some(HeadError::Host));
            }
            head.known |= known.mask();
        }
        fields.list.push(Field {
            known,
            name: Span::new(at, name_end),
            value: Span::new(value_start, value_start + value.len()),
        });
        at = name_end + 1 + line_length + 2;
    }
    if head.version == Version::Http11 && head.known & Name::Host.mask() == 0 {
        return Err(Some(HeadError::Host));
    }
    Ok(at)
}
