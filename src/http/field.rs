//! Names of header fields that mean something to us, and the comma-separated lists many of them hold.

/// A field name we know, numbered from 1.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[repr(u8)]
#[allow(missing_docs)]
pub enum Name {
    Host = 1,
    Connection,
    ContentLength,
    TransferEncoding,
    Expect,
    Range,
    IfRange,
    IfMatch,
    IfNoneMatch,
    IfModifiedSince,
    IfUnmodifiedSince,
    Accept,
    AcceptEncoding,
    Authorization,
    Origin,
    Upgrade,
    Te,
    Trailer,
    ContentType,
    ContentRange,
    UserAgent,
    Referer,
    Cookie,
    Date,
}

const NAMES: [(Name, &str); 24] = [
    (Name::Host, "Host"),
    (Name::Connection, "Connection"),
    (Name::ContentLength, "Content-Length"),
    (Name::TransferEncoding, "Transfer-Encoding"),
    (Name::Expect, "Expect"),
    (Name::Range, "Range"),
    (Name::IfRange, "If-Range"),
    (Name::IfMatch, "If-Match"),
    (Name::IfNoneMatch, "If-None-Match"),
    (Name::IfModifiedSince, "If-Modified-Since"),
    (Name::IfUnmodifiedSince, "If-Unmodified-Since"),
    (Name::Accept, "Accept"),
    (Name::AcceptEncoding, "Accept-Encoding"),
    (Name::Authorization, "Authorization"),
    (Name::Origin, "Origin"),
    (Name::Upgrade, "Upgrade"),
    (Name::Te, "TE"),
    (Name::Trailer, "Trailer"),
    (Name::ContentType, "Content-Type"),
    (Name::ContentRange, "Content-Range"),
    (Name::UserAgent, "User-Agent"),
    (Name::Referer, "Referer"),
    (Name::Cookie, "Cookie"),
    (Name::Date, "Date"),
];

/// Where each name of [`NAMES`] is kept by [`slot`], no two in one place: one look and one comparison find a name.
static SLOTS: [Option<(Name, &str)>; SLOT_COUNT] = slots();
const SLOT_COUNT: usize = 64;

const fn slot(length: usize, first: u8, last: u8) -> usize {
    let (first, last) = ((first | 0x20) as usize, (last | 0x20) as usize);
    (length + first * FIRST + last * LAST) % SLOT_COUNT
}

/// Found by trying; the build fails when two names meet.
const FIRST: usize = 6;
const LAST: usize = 16;

const fn slots() -> [Option<(Name, &'static str)>; SLOT_COUNT] {
    let mut table = [None; SLOT_COUNT];
    let mut at = 0;
    // Evaluated at build time, where an index or an assertion that fails fails the build.
    #[allow(clippy::indexing_slicing)]
    while at < NAMES.len() {
        let (name, text) = NAMES[at];
        assert!(name as usize == at + 1, "out of order");
        let bytes = text.as_bytes();
        let slot = slot(bytes.len(), bytes[0], bytes[bytes.len() - 1]);
        assert!(table[slot].is_none(), "two names in one slot");
        table[slot] = Some((name, text));
        at += 1;
    }
    table
}

impl Name {
    /// The name written so, in either case.
    #[inline]
    #[must_use]
    pub fn find(text: &[u8]) -> Option<Self> {
        let (&first, &last) = (text.first()?, text.last()?);
        let &(name, known) = SLOTS.get(slot(text.len(), first, last))?.as_ref()?;
        let known = known.as_bytes();
        // Nearly all clients write names as the RFCs do, and that is seen at much less cost than case put aside.
        (text == known || eq_ignore_case(text, known)).then_some(name)
    }

    /// As it is usually written.
    #[must_use]
    pub fn text(self) -> &'static str {
        NAMES.get(self as usize - 1).map_or("", |&(_, text)| text)
    }

    /// Its bit in a set of names.
    #[must_use]
    pub const fn mask(self) -> u32 {
        1 << self as u32
    }
}

/// Whether two texts are the same but for the case of ASCII letters.
#[inline]
#[must_use]
pub fn eq_ignore_case(a: &[u8], b: &[u8]) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// The text without the SP and HTAB around it (OWS of RFC 9110, section 5.6.3).
#[inline]
#[must_use]
pub fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = text {
        text = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}

/// The elements of a comma-separated list, trimmed, without empty ones (RFC 9110, section 5.6.1). Commas in quoted
/// strings separate too: this is for lists whose elements are tokens, where a quote is an error in any case.
#[must_use]
pub fn elements(value: &[u8]) -> Elements<'_> {
    Elements { rest: Some(value) }
}

/// Made by [`elements`].
#[derive(Clone)]
pub struct Elements<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Elements<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.rest?;
            let comma = rest.iter().position(|&byte| byte == b',').unwrap_or(rest.len());
            let (element, after) = rest.split_at_checked(comma)?;
            self.rest = after.get(1..);
            let element = trim(element);
            if !element.is_empty() {
                return Some(element);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_name_in_any_case() {
        let mut all = 0;
        for (name, text) in NAMES {
            assert_eq!(name.text(), text);
            assert_eq!(Name::find(text.as_bytes()), Some(name));
            assert_eq!(Name::find(text.to_lowercase().as_bytes()), Some(name));
            assert_eq!(Name::find(text.to_uppercase().as_bytes()), Some(name));
            assert_eq!(all & name.mask(), 0);
            all |= name.mask();
            // One byte off, anywhere, is another name.
            for at in 0..text.len() {
                for byte in 0..=255u8 {
                    let mut other = text.as_bytes().to_vec();
                    other[at] = byte;
                    let same = other.eq_ignore_ascii_case(text.as_bytes());
                    assert_eq!(Name::find(&other).is_some(), same, "{text} {at} {byte}");
                }
            }
            assert_eq!(Name::find(&[text.as_bytes(), b"x"].concat()), None);
            assert_eq!(Name::find(&[text.as_bytes(), b" "].concat()), None);
        }
        for text in ["", "x", "Accept-Language", "Cache-Control", "Sec-Fetch-Mode", "DNT"] {
            assert_eq!(Name::find(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn lists_come_apart() {
        for (value, expected) in [
            ("", &[][..]),
            (",", &[]),
            (" , \t,,", &[]),
            ("a", &["a"]),
            (" a ", &["a"]),
            ("a,b", &["a", "b"]),
            (",a\t, ,b c ,", &["a", "b c"]),
            ("close,keep-alive", &["close", "keep-alive"]),
            ("\"a,b\"", &["\"a", "b\""]),
        ] {
            let found: Vec<_> = elements(value.as_bytes()).collect();
            let expected: Vec<_> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(found, expected, "{value}");
        }
    }

    #[test]
    fn trims_spaces_and_tabs_only() {
        for (text, expected) in [
            ("", ""),
            (" \t ", ""),
            ("a", "a"),
            (" a b\t", "a b"),
            ("\ra\u{b}", "\ra\u{b}"),
            ("\u{a0}", "\u{a0}"),
        ] {
            assert_eq!(trim(text.as_bytes()), expected.as_bytes());
        }
    }
}
