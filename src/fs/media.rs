//! Media types by file extension: a packed table that is built in, and what the user's `mime.types` says otherwise.

use alloc::string::String;
use alloc::vec::Vec;

use crate::text::order::sort;
use core::cmp::Ordering;

mod table;

/// The type of what is not known.
pub const UNKNOWN: &str = "application/octet-stream";

/// The longest text [`MediaTypes::load_mime_types`] takes, in bytes.
pub const MIME_TYPES_LIMIT: usize = 1 << 20;

/// The longest media type and the longest extension that are kept, in bytes (RFC 6838, section 4.2, allows 127 and 127).
const TYPE_LIMIT: usize = 255;
const EXTENSION_LIMIT: usize = 64;

/// The text is longer than [`MIME_TYPES_LIMIT`]; nothing of it was taken.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct TooLarge;

/// Media types by extension.
///
/// What was loaded is kept in the form of the built-in table (`type extension extension`, a line for each type), with the
/// places of its extensions sorted; only what differs from the built-in table is kept.
#[derive(Default)]
pub struct MediaTypes {
    lines: String,
    places: Vec<u32>,
}

impl MediaTypes {
    /// Those that are built in.
    #[must_use]
    pub const fn new() -> MediaTypes {
        MediaTypes { lines: String::new(), places: Vec::new() }
    }

    /// The media type for an extension (without its dot, in any case); [`UNKNOWN`] when there is none. It is always ASCII
    /// and fit for a header field.
    #[must_use]
    pub fn media_type(&self, extension: &[u8]) -> &str {
        self.loaded(extension).or_else(|| built_in(extension)).unwrap_or(UNKNOWN)
    }

    /// Reads a text in the form of `/etc/mime.types`: on each line a media type and its extensions, between blanks; `#`
    /// begins a comment. What it says counts more than what is built in and what was loaded before; within it, a later
    /// line counts more than an earlier one. Lines and extensions that are not such are passed over.
    ///
    /// # Errors
    /// The text is too large.
    pub fn load_mime_types(&mut self, text: &[u8]) -> Result<(), TooLarge> {
        if text.len() > MIME_TYPES_LIMIT || self.lines.len() + text.len() > 2 * MIME_TYPES_LIMIT {
            return Err(TooLarge);
        }
        for line in text.split(|&byte| byte == b'\n') {
            let line = line.split(|&byte| byte == b'#').next().unwrap_or_default();
            let mut words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            if let Some(media_type) = words.next().filter(|word| is_media_type(word)) {
                self.add_line(media_type, words);
            }
        }
        self.sort();
        Ok(())
    }

    /// Appends one line, with those extensions it changes anything for. The places are not in order then.
    fn add_line<'t>(&mut self, media_type: &[u8], extensions: impl Iterator<Item = &'t [u8]>) {
        let start = self.lines.len();
        self.lines.extend(media_type.iter().copied().map(char::from));
        let before = self.places.len();
        for extension in extensions.filter(|word| is_extension(word)) {
            // One that says what the table says has to be kept too where it takes back an earlier line.
            let known = built_in(extension).is_some_and(|known| known.as_bytes() == media_type);
            if known && self.places.is_empty() {
                continue;
            }
            self.lines.push(' ');
            self.places.push(self.lines.len() as u32);
            self.lines.extend(extension.iter().map(|byte| char::from(byte.to_ascii_lowercase())));
        }
        if self.places.len() == before {
            self.lines.truncate(start);
        } else {
            self.lines.push('\n');
        }
    }

    /// Orders the places by extension, drops all but the last of each, then what is no different from the built-in
    /// table, and packs the lines anew with what is left.
    fn sort(&mut self) {
        let lines = core::mem::take(&mut self.lines);
        let mut places = core::mem::take(&mut self.places);
        let extension = |place: &u32| extension_at(&lines, *place as usize);
        // Of one extension the last place comes first, and the others go.
        sort(&mut places, &mut |a, b| extension(&a).cmp(extension(&b)).then(b.cmp(&a)).is_lt());
        places.dedup_by(|later, kept| extension(later) == extension(kept));
        places.retain(|place| {
            built_in(extension(place).as_bytes()) != Some(type_before(&lines, *place as usize))
        });
        sort(&mut places, &mut |a, b| a < b);
        let mut last = "";
        for place in &places {
            let media_type = type_before(&lines, *place as usize);
            if media_type != last || self.lines.is_empty() {
                if !self.lines.is_empty() {
                    self.lines.push('\n');
                }
                self.lines.push_str(media_type);
                last = media_type;
            }
            self.lines.push(' ');
            self.places.push(self.lines.len() as u32);
            self.lines.push_str(extension(place));
        }
        self.lines.push('\n');
        let packed = &self.lines;
        sort(&mut self.places, &mut |a, b| {
            extension_at(packed, a as usize) < extension_at(packed, b as usize)
        });
        self.lines.shrink_to_fit();
        self.places.shrink_to_fit();
    }

    fn loaded(&self, extension: &[u8]) -> Option<&str> {
        let at = self
            .places
            .binary_search_by(|place| compare(extension_at(&self.lines, *place as usize), extension))
            .ok()?;
        Some(type_before(&self.lines, *self.places.get(at)? as usize))
    }
}

/// Whether a `charset` parameter says something about a media type: `text/*`, and the old name of `text/javascript` (RFC
/// 9239, section 4.2). XML names its own, which the parameter would overrule (RFC 7303, section 3), and for JSON there is
/// none (RFC 8259, section 11).
#[must_use]
pub fn takes_charset(media_type: &str) -> bool {
    let bare = media_type.split(';').next().unwrap_or_default().trim_end().as_bytes();
    let is = |known: &[u8]| bare.eq_ignore_ascii_case(known);
    let is_text = bare.get(..5).is_some_and(|front| front.eq_ignore_ascii_case(b"text/"));
    (is_text && !is(b"text/xml")) || is(b"application/javascript")
}

fn built_in(extension: &[u8]) -> Option<&'static str> {
    let at = table::PLACES
        .binary_search_by(|place| compare(extension_at(table::LINES, usize::from(*place)), extension))
        .ok()?;
    Some(type_before(table::LINES, usize::from(*table::PLACES.get(at)?)))
}

/// The extension that begins at `place`.
fn extension_at(lines: &str, place: usize) -> &str {
    let rest = lines.get(place..).unwrap_or_default();
    rest.split([' ', '\n']).next().unwrap_or_default()
}

/// The type on the line that `place` is in.
fn type_before(lines: &str, place: usize) -> &str {
    let before = lines.get(..place).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    before.get(start..).unwrap_or_default().split(' ').next().unwrap_or_default()
}

/// Compares an extension of the table with one in any case.
fn compare(known: &str, asked: &[u8]) -> Ordering {
    known.bytes().cmp(asked.iter().map(u8::to_ascii_lowercase))
}

/// `type/subtype` of the characters RFC 6838, section 4.2, allows; so it can go into a header field as it is.
fn is_media_type(word: &[u8]) -> bool {
    let name = |part: &[u8]| {
        !part.is_empty()
            && part.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(byte))
    };
    let mut parts = word.splitn(2, |&byte| byte == b'/');
    word.len() <= TYPE_LIMIT && parts.next().is_some_and(name) && parts.next().is_some_and(name)
}

/// Printable ASCII without a slash. A dot within it (`tar.gz`) is taken, but never asked for.
fn is_extension(word: &[u8]) -> bool {
    word.len() <= EXTENSION_LIMIT && word.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use quickcheck::quickcheck;

    fn loaded(text: &str) -> MediaTypes {
        let mut types = MediaTypes::new();
        types.load_mime_types(text.as_bytes()).unwrap();
        types
    }

    #[test]
    fn the_table_is_sorted_and_says_nothing_twice() {
        let extensions: Vec<&str> =
            table::PLACES.iter().map(|&place| extension_at(table::LINES, place.into())).collect();
        assert!(extensions.windows(2).all(|pair| pair[0] < pair[1]), "{extensions:?}");
        assert!(extensions.len() >= 180);
        assert!(table::LINES.len() + size_of_val(&table::PLACES) <= 6 << 10);
        for line in table::LINES.lines() {
            let mut words = line.split(' ');
            let media_type = words.next().unwrap();
            assert!(is_media_type(media_type.as_bytes()), "{line}");
            for extension in words {
                assert!(is_extension(extension.as_bytes()) && !extension.is_empty(), "{line}");
                assert_eq!(extension, extension.to_ascii_lowercase());
                assert_eq!(built_in(extension.as_bytes()), Some(media_type));
            }
        }
    }

    #[test]
    fn common_types() {
        let types = MediaTypes::new();
        for (extension, media_type) in [
            ("html", "text/html"),
            ("HTM", "text/html"),
            ("js", "text/javascript"),
            ("mjs", "text/javascript"),
            ("json", "application/json"),
            ("css", "text/css"),
            ("svg", "image/svg+xml"),
            ("svgz", "image/svg+xml"),
            ("mpd", "application/dash+xml"),
            ("pls", "audio/x-scpls"),
            ("srt", "application/x-subrip"),
            ("vtt", "text/vtt"),
            ("ts", "video/mp2t"),
            ("tsx", "text/plain"),
            ("rst", "text/plain"),
            ("JPG", "image/jpeg"),
            ("woff2", "font/woff2"),
            ("wasm", "application/wasm"),
            ("ico", "image/vnd.microsoft.icon"),
            ("7z", "application/x-7z-compressed"),
            ("webmanifest", "application/manifest+json"),
            ("gz", "application/gzip"),
            ("", UNKNOWN),
            ("htmlx", UNKNOWN),
            ("ht", UNKNOWN),
            ("html htm", UNKNOWN),
            ("a/b", UNKNOWN),
        ] {
            assert_eq!(types.media_type(extension.as_bytes()), media_type, "{extension}");
        }
        assert_eq!(types.media_type(b"\xff"), UNKNOWN);
        assert_eq!(types.media_type(b"html\n"), UNKNOWN);
    }

    #[test]
    fn what_is_loaded_counts_more() {
        let types = loaded(
            "# comment\n\
             text/x-mine\t\thtml  Foo\n\
             text/css css # nothing new\r\n\
             text/plain\n\
             \n\
             not-a-type zip\n\
             bad/type/two zip\n\
             inject/ed\u{1} zip\n\
             application/x-old twice\n\
             application/x-new twice\n  video/x-last\tlast",
        );
        for (extension, media_type) in [
            ("html", "text/x-mine"),
            ("foo", "text/x-mine"),
            ("FOO", "text/x-mine"),
            ("htm", "text/html"),
            ("css", "text/css"),
            ("zip", "application/zip"),
            ("twice", "application/x-new"),
            ("last", "video/x-last"),
            ("nothing", UNKNOWN),
        ] {
            assert_eq!(types.media_type(extension.as_bytes()), media_type, "{extension}");
        }
        assert_eq!(types.lines, "text/x-mine html foo\napplication/x-new twice\nvideo/x-last last\n");
    }

    #[test]
    fn what_the_table_says_takes_room_only_while_it_is_read() {
        let types = loaded(table::LINES);
        assert_eq!(types.places.len(), 0);
        let types = loaded("a/b html\ntext/html html\n");
        assert_eq!(types.media_type(b"html"), "text/html");
        assert_eq!(types.places.len(), 0);
    }

    #[test]
    fn a_second_file_counts_more_than_the_first() {
        let mut types = loaded("a/a one two\n");
        types.load_mime_types(b"b/b two three\n").unwrap();
        assert_eq!(types.media_type(b"one"), "a/a");
        assert_eq!(types.media_type(b"two"), "b/b");
        assert_eq!(types.media_type(b"three"), "b/b");
        assert_eq!(types.lines, "a/a one\nb/b two three\n");
        types.load_mime_types(b"").unwrap();
        assert_eq!(types.media_type(b"two"), "b/b");
    }

    #[test]
    fn too_much_is_refused() {
        let mut types = MediaTypes::new();
        assert_eq!(types.load_mime_types(&vec![b'a'; MIME_TYPES_LIMIT + 1]), Err(TooLarge));
        assert_eq!(types.load_mime_types(&vec![b'a'; MIME_TYPES_LIMIT]), Ok(()));
        let mut many = String::new();
        for number in 0..40_000 {
            many.push_str(&format!("a/b{number} e{number}\n"));
        }
        types.load_mime_types(many.as_bytes()).unwrap();
        assert_eq!(types.media_type(b"e39999"), "a/b39999");
        assert_eq!(types.media_type(b"e40000"), UNKNOWN);
    }

    #[test]
    fn charsets_go_with_text() {
        for media_type in [
            "text/html",
            "TEXT/plain",
            "text/css; x=y",
            "text/javascript",
            "application/javascript",
            "Application/JavaScript ; a=b",
        ] {
            assert!(takes_charset(media_type), "{media_type}");
        }
        for media_type in [
            "",
            "text",
            "text/xml",
            "Text/XML; x=y",
            "application/json",
            "application/ld+json",
            "application/xml",
            "application/xhtml+xml",
            "image/svg+xml",
            "image/png",
            UNKNOWN,
        ] {
            assert!(!takes_charset(media_type), "{media_type}");
        }
    }

    quickcheck! {
        fn any_text_leaves_types_that_are_fit(text: Vec<u8>, extension: Vec<u8>) -> bool {
            let mut types = MediaTypes::new();
            let mut whole = b"a/b ".to_vec();
            whole.extend_from_slice(&extension);
            whole.extend_from_slice(b"\nc/d ");
            whole.extend_from_slice(&text);
            types.load_mime_types(&whole).unwrap();
            is_media_type(types.media_type(&extension).as_bytes())
                && is_media_type(types.media_type(&text).as_bytes())
        }
    }
}
