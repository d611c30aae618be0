//! What the fields of a request say about its body and its connection (RFC 9112 sections 6 and 9.3).
//!
//! Two readers that see different ends of one body are how requests are smuggled, so everything in doubt is refused:
//! one Content-Length of plain digits, or one Transfer-Encoding that is `chunked` and nothing else.

use super::field::{Name, elements, trim};
use super::head::Version;
use super::request::Request;
use super::status::Status;
use crate::text::number::parse_decimal;

/// Where the body of a request ends.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Framing {
    /// There is no body.
    None,
    /// After this many bytes, at most `i64::MAX`.
    Length(u64),
    /// Where the chunked coding says.
    Chunked,
}

/// Why the end of a body cannot be told. The connection must close after each, as the next request is not to be found.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum FramingError {
    /// Content-Length is repeated, a list, empty, not digits, or beyond 19 digits or `i64::MAX`.
    Length,
    /// Both Content-Length and Transfer-Encoding are there.
    Both,
    /// Transfer-Encoding is malformed, has `chunked` twice or not last, or is in HTTP/1.0.
    Encoding,
    /// Transfer-Encoding names a coding other than `chunked`.
    UnknownEncoding,
}

impl FramingError {
    /// The status to refuse with.
    #[must_use]
    pub const fn status(self) -> Status {
        match self {
            Self::Length | Self::Both | Self::Encoding => Status::BAD_REQUEST,
            Self::UnknownEncoding => Status::NOT_IMPLEMENTED,
        }
    }
}

/// What the client expects before it sends the body (RFC 9110 section 10.1.1).
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Expect {
    /// Nothing.
    None,
    /// `100 Continue`, as soon as the body is wanted.
    Continue,
    /// Something this server does not know; answered with 417.
    Unknown,
}

/// The longest Content-Length in digits, those of `i64::MAX`.
const LENGTH_DIGITS: usize = 19;

/// How the body of `request` ends.
///
/// # Errors
/// When that is in any doubt; see [`FramingError`].
#[inline]
pub fn framing(request: &Request<'_>) -> Result<Framing, FramingError> {
    if !request.has_any(Name::ContentLength.mask() | Name::TransferEncoding.mask()) {
        return Ok(Framing::None);
    }
    framing_of(is_11(request), request.values(Name::ContentLength), request.values(Name::TransferEncoding))
}

/// What `request` expects. HTTP/1.0 has no expectations, so its Expect is ignored.
#[inline]
#[must_use]
pub fn expect(request: &Request<'_>) -> Expect {
    if !request.has_any(Name::Expect.mask()) {
        return Expect::None;
    }
    expect_of(is_11(request), request.values(Name::Expect))
}

/// Whether the client lets the connection stay open after the response.
#[inline]
#[must_use]
pub fn persistent(request: &Request<'_>) -> bool {
    if !request.has_any(Name::Connection.mask()) {
        return is_11(request);
    }
    persistent_of(is_11(request), request.values(Name::Connection))
}

fn is_11(request: &Request<'_>) -> bool {
    match request.version() {
        Version::Http10 => false,
        Version::Http11 => true,
    }
}

/// [`framing`] of the values of all Content-Length and all Transfer-Encoding fields, without the space around them.
fn framing_of<'a>(
    is_11: bool,
    mut lengths: impl Iterator<Item = &'a [u8]>,
    encodings: impl Iterator<Item = &'a [u8]>,
) -> Result<Framing, FramingError> {
    let mut encodings = encodings.peekable();
    match (lengths.next(), encodings.peek()) {
        (None, None) => Ok(Framing::None),
        (Some(_), Some(_)) => Err(FramingError::Both),
        (Some(length), None) => match (content_length(length), lengths.next()) {
            (Some(length), None) => Ok(Framing::Length(length)),
            (None, None) | (_, Some(_)) => Err(FramingError::Length),
        },
        (None, Some(_)) if !is_11 => Err(FramingError::Encoding),
        (None, Some(_)) => transfer_encoding(encodings),
    }
}

fn content_length(value: &[u8]) -> Option<u64> {
    // A file offset is an i64; a length that is none could not be stored nor answered.
    if value.len() > LENGTH_DIGITS {
        return None;
    }
    parse_decimal(value).filter(|&length| i64::try_from(length).is_ok())
}

/// Reads all Transfer-Encoding fields as one list. Unlike other lists it may not have empty elements: readers differ
/// on `,chunked`.
fn transfer_encoding<'a>(values: impl Iterator<Item = &'a [u8]>) -> Result<Framing, FramingError> {
    let (mut chunked, mut unknown) = (false, false);
    for value in values {
        for coding in value.split(|&byte| byte == b',').map(trim) {
            if chunked || coding.is_empty() {
                return Err(FramingError::Encoding);
            }
            chunked = coding.eq_ignore_ascii_case(b"chunked");
            unknown |= !chunked;
        }
    }
    if unknown { Err(FramingError::UnknownEncoding) } else { Ok(Framing::Chunked) }
}

/// [`expect`] of the values of all Expect fields.
fn expect_of<'a>(is_11: bool, values: impl Iterator<Item = &'a [u8]>) -> Expect {
    let mut expect = Expect::None;
    if !is_11 {
        return expect;
    }
    for value in values {
        for element in elements(value) {
            if !element.eq_ignore_ascii_case(b"100-continue") {
                return Expect::Unknown;
            }
            expect = Expect::Continue;
        }
    }
    expect
}

/// [`persistent`] of the values of all Connection fields. Tokens count whole: `closed` is not `close`.
fn persistent_of<'a>(is_11: bool, values: impl Iterator<Item = &'a [u8]>) -> bool {
    let mut keep = is_11;
    for value in values {
        for option in elements(value) {
            if option.eq_ignore_ascii_case(b"close") {
                return false;
            }
            keep |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }
    keep
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values<'a>(values: &'a [&'a str]) -> impl Iterator<Item = &'a [u8]> {
        values.iter().map(|value| value.as_bytes())
    }

    fn frame(is_11: bool, lengths: &[&str], encodings: &[&str]) -> Result<Framing, FramingError> {
        framing_of(is_11, values(lengths), values(encodings))
    }

    #[test]
    fn no_field_is_no_body() {
        assert_eq!(frame(true, &[], &[]), Ok(Framing::None));
        assert_eq!(frame(false, &[], &[]), Ok(Framing::None));
    }

    #[test]
    fn content_lengths() {
        for (text, length) in [
            ("0", 0),
            ("5", 5),
            ("005", 5),
            ("0000000000000000005", 5),
            ("9223372036854775807", i64::MAX as u64),
        ] {
            for is_11 in [true, false] {
                assert_eq!(frame(is_11, &[text], &[]), Ok(Framing::Length(length)), "{text}");
            }
        }
        for fields in [
            &[""] as &[&str],
            &["+5"],
            &["-5"],
            &["-0"],
            &["5 "],
            &["5 5"],
            &["0x5"],
            &["5a"],
            &["5.0"],
            &["5e1"],
            &["5, 5"],
            &["5,"],
            &["5,6"],
            &["5", "5"],
            &["5", "6"],
            &["5", ""],
            &["", "5"],
            &["9223372036854775808"],
            &["9999999999999999999"],
            &["00000000000000000005"],
            &["18446744073709551615"],
            &["18446744073709551621"],
            &["99999999999999999999999999999999"],
        ] {
            for is_11 in [true, false] {
                assert_eq!(frame(is_11, fields, &[]), Err(FramingError::Length), "{fields:?}");
            }
        }
    }

    #[test]
    fn transfer_encodings() {
        for text in ["chunked", "Chunked", "CHUNKED"] {
            assert_eq!(frame(true, &[], &[text]), Ok(Framing::Chunked));
            assert_eq!(frame(false, &[], &[text]), Err(FramingError::Encoding));
        }
        for fields in [
            &[""] as &[&str],
            &[","],
            &["chunked", "chunked"],
            &["chunked,chunked"],
            &["chunked, gzip"],
            &["chunked", "gzip"],
            &["chunked", ""],
            &["", "chunked"],
            &["chunked,"],
            &[",chunked"],
            &["gzip,,chunked"],
            &["gzip, chunked, chunked"],
        ] {
            assert_eq!(frame(true, &[], fields), Err(FramingError::Encoding), "{fields:?}");
        }
        for fields in [
            &["gzip"] as &[&str],
            &["identity"],
            &["identity, chunked"],
            &["gzip, chunked"],
            &["gzip", "chunked"],
            &["chunke"],
            &["chunkedd"],
            &["xchunked"],
            &["chunked;q=1"],
            &["chunked\x0b"],
            &["\"chunked\""],
            &["gzip;a=\"b,chunked\""],
        ] {
            assert_eq!(frame(true, &[], fields), Err(FramingError::UnknownEncoding), "{fields:?}");
            assert_eq!(frame(false, &[], fields), Err(FramingError::Encoding), "{fields:?}");
        }
    }

    #[test]
    fn both_are_refused_whatever_they_say() {
        for length in ["5", "0", "", "x"] {
            for encoding in ["chunked", "gzip", "identity", ""] {
                for is_11 in [true, false] {
                    assert_eq!(frame(is_11, &[length], &[encoding]), Err(FramingError::Both));
                }
            }
        }
    }

    #[test]
    fn statuses() {
        for (error, status) in [
            (FramingError::Length, Status::BAD_REQUEST),
            (FramingError::Both, Status::BAD_REQUEST),
            (FramingError::Encoding, Status::BAD_REQUEST),
            (FramingError::UnknownEncoding, Status::NOT_IMPLEMENTED),
        ] {
            assert_eq!(error.status(), status);
        }
    }

    #[test]
    fn expectations() {
        for (fields, expected) in [
            (&[] as &[&str], Expect::None),
            (&["100-continue"], Expect::Continue),
            (&["100-Continue"], Expect::Continue),
            (&["100-continue, 100-continue"], Expect::Continue),
            (&["100-continue", "100-CONTINUE"], Expect::Continue),
            (&[""], Expect::None),
            (&[",", ""], Expect::None),
            (&["100-continue", ""], Expect::Continue),
            (&["200-ok"], Expect::Unknown),
            (&["100-continued"], Expect::Unknown),
            (&["100-continue;a=b"], Expect::Unknown),
            (&["100-continue, x"], Expect::Unknown),
            (&["100-continue", "x"], Expect::Unknown),
            (&["x", "100-continue"], Expect::Unknown),
        ] {
            assert_eq!(expect_of(true, values(fields)), expected, "{fields:?}");
            assert_eq!(expect_of(false, values(fields)), Expect::None);
        }
    }

    #[test]
    fn persistence() {
        for (fields, in_11, in_10) in [
            (&[] as &[&str], true, false),
            (&[""], true, false),
            (&["close"], false, false),
            (&["Close"], false, false),
            (&["closed"], true, false),
            (&["clos"], true, false),
            (&["\"close\""], true, false),
            (&["keep-alive"], true, true),
            (&["Keep-Alive"], true, true),
            (&["keep-alives"], true, false),
            (&["keep-alive, close"], false, false),
            (&["close, keep-alive"], false, false),
            (&["close", "keep-alive"], false, false),
            (&["keep-alive", "close"], false, false),
            (&["upgrade, TE"], true, false),
            (&[",, keep-alive ,"], true, true),
            (&["upgrade", "x, close ,y"], false, false),
        ] {
            assert_eq!(persistent_of(true, values(fields)), in_11, "{fields:?}");
            assert_eq!(persistent_of(false, values(fields)), in_10, "{fields:?}");
        }
    }
}
