//! Paths as the served tree names them: decoded once, normalised, and by their type never wrong.
//!
//! A [`VPath`] begins with `/`; no segment is empty, `.` or `..`, none is longer than [`SEGMENT_LIMIT`], and there is no
//! NUL. It may end with `/`: then it is in *directory form* and names nothing but a directory. So whoever holds one
//! needs no check of his own before he hands it to the kernel.
//!
//! Segments are cut at the slashes of the raw text and decoded one by one, and only then compared with `.` and `..`:
//! `%2e%2e` is `..`, and `%252e` is a name that holds a percent sign. A backslash, a semicolon and bytes that are not
//! UTF-8 are ordinary: they are characters of names on the systems this program runs on.

use alloc::vec::Vec;

use crate::text::percent;

/// The longest path, in decoded bytes: what the kernel takes at once (`PATH_MAX`).
pub const PATH_LIMIT: usize = 4096;

/// The longest segment, in decoded bytes: what common file systems take (`NAME_MAX`).
pub const SEGMENT_LIMIT: usize = 255;

/// Why a text is no path.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum PathError {
    /// No leading slash, a `%` without its digits, a NUL, or a `..` that leads above the root: a bad request (400).
    Invalid,
    /// `%2F`: a name cannot hold a slash, so there is no such file (404).
    EncodedSlash,
    /// Longer than [`PATH_LIMIT`] or with a segment longer than [`SEGMENT_LIMIT`]: there is no such file (404).
    TooLong,
}

/// What follows the last dot of a name. Empty when there is none, or when it is the first byte of the name.
#[must_use]
pub fn extension(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|byte| *byte == b'.') {
        Some(dot) if dot > 0 => name.get(dot + 1..).unwrap_or_default(),
        Some(_) | None => b"",
    }
}

/// A borrowed path: decoded, normalised, absolute. See the module.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct VPath<'a>(&'a [u8]);

impl<'a> VPath<'a> {
    /// The root, `/`.
    pub const ROOT: VPath<'static> = VPath(b"/");

    /// Takes a text that is already decoded and normalised.
    ///
    /// # Errors
    /// `TooLong`, or `Invalid` when it is anything else than a [`VPath`] may be.
    pub fn new(text: &'a [u8]) -> Result<VPath<'a>, PathError> {
        let inner = text.strip_prefix(b"/").ok_or(PathError::Invalid)?;
        let inner = inner.strip_suffix(b"/").unwrap_or(inner);
        if text.len() > PATH_LIMIT {
            return Err(PathError::TooLong);
        }
        if text.len() > 1 {
            inner.split(|&byte| byte == b'/').try_for_each(check_name)?;
        }
        Ok(VPath(text))
    }

    /// All of it, with the leading slash.
    #[must_use]
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The path from the root, without leading and trailing slash; empty for the root itself.
    #[must_use]
    pub fn relative(self) -> &'a [u8] {
        let inner = self.0.strip_prefix(b"/").unwrap_or(self.0);
        inner.strip_suffix(b"/").unwrap_or(inner)
    }

    /// The segments, from the root down; none for the root itself.
    pub fn segments(self) -> impl DoubleEndedIterator<Item = &'a [u8]> {
        self.relative().split(|&byte| byte == b'/').filter(|segment| !segment.is_empty())
    }

    /// The last segment; empty for the root.
    #[must_use]
    pub fn name(self) -> &'a [u8] {
        self.segments().next_back().unwrap_or_default()
    }

    /// The directory the last segment is in, in directory form; the root is in itself.
    #[must_use]
    pub fn parent(self) -> VPath<'a> {
        let end = self.relative().len() + 1 - self.name().len();
        VPath(self.0.get(..end).unwrap_or(b"/"))
    }

    /// The [`extension`] of its name.
    #[must_use]
    pub fn extension(self) -> &'a [u8] {
        extension(self.name())
    }

    /// Whether it ends with a slash, as the root does.
    #[must_use]
    pub fn is_directory_form(self) -> bool {
        self.0.ends_with(b"/")
    }

    /// Whether a segment begins with a dot. A first segment `.well-known` (RFC 8615) does not count.
    #[must_use]
    pub fn is_hidden(self) -> bool {
        let dotted = |(at, segment): (usize, &[u8])| {
            segment.starts_with(b".") && !(at == 0 && segment == b".well-known")
        };
        self.segments().enumerate().any(dotted)
    }

    /// Appends it percent-encoded, such that [`VPathBuf::set_url`] gives the same path again.
    pub fn encode_url(self, out: &mut Vec<u8>) {
        percent::encode_path(self.0, out);
    }
}

/// A path to be used again: it keeps its memory from one request to the next.
#[derive(Default)]
pub struct VPathBuf(Vec<u8>);

impl VPathBuf {
    /// Decodes and normalises the path of a request target, without its query.
    ///
    /// Runs of slashes are one slash. A last segment `.` or `..` leaves the directory form.
    ///
    /// # Errors
    /// See [`PathError`]; of several, the one found first. The buffer then is the root.
    pub fn set_url(&mut self, raw: &[u8]) -> Result<VPath<'_>, PathError> {
        self.0.clear();
        if is_plain(raw) {
            self.0.extend_from_slice(raw);
            return Ok(self.path());
        }
        match self.normalise(raw) {
            Ok(()) => Ok(self.path()),
            Err(error) => {
                self.0.clear();
                Err(error)
            }
        }
    }

    /// Copies a path.
    pub fn set(&mut self, path: VPath<'_>) -> VPath<'_> {
        self.0.clear();
        self.0.extend_from_slice(path.0);
        self.path()
    }

    /// The path; the root when none was set.
    #[must_use]
    pub fn path(&self) -> VPath<'_> {
        if self.0.is_empty() { VPath::ROOT } else { VPath(&self.0) }
    }

    /// Appends one segment, such as the name of an index file, and a slash before it where there is none.
    ///
    /// # Errors
    /// `TooLong`, or `Invalid` when `name` is no name. The path then is what it was.
    pub fn push_name(&mut self, name: &[u8]) -> Result<VPath<'_>, PathError> {
        check_name(name)?;
        if self.0.len() + 1 + name.len() > PATH_LIMIT {
            return Err(PathError::TooLong);
        }
        if !self.0.ends_with(b"/") {
            self.0.push(b'/');
        }
        self.0.extend_from_slice(name);
        Ok(self.path())
    }

    /// Copies a path with something added to its name: `/a.js` and `.gz` give `/a.js.gz`.
    ///
    /// # Errors
    /// `TooLong`, or `Invalid` when the path is in directory form or the whole is no name. The buffer then is the root.
    pub fn set_with_suffix(&mut self, path: VPath<'_>, suffix: &[u8]) -> Result<VPath<'_>, PathError> {
        self.0.clear();
        if path.is_directory_form() {
            return Err(PathError::Invalid);
        }
        self.0.extend_from_slice(path.0);
        self.0.extend_from_slice(suffix);
        let start = path.parent().0.len();
        let checked = match self.0.get(start..) {
            Some(name) if self.0.len() <= PATH_LIMIT => check_name(name),
            Some(_) | None => Err(PathError::TooLong),
        };
        if let Err(error) = checked {
            self.0.clear();
            return Err(error);
        }
        Ok(self.path())
    }

    /// Shortens it to its first `length` bytes, as taken from `path().as_bytes().len()` before [`Self::push_name`].
    /// A length that would cut a segment in two, or leave no path, changes nothing: half a name may be `..`.
    pub fn truncate(&mut self, length: usize) {
        let Some((kept, rest)) = self.0.split_at_checked(length) else { return };
        if kept.ends_with(b"/") || (length > 0 && rest.starts_with(b"/")) {
            self.0.truncate(length);
        }
    }

    /// The careful way: segment by segment.
    fn normalise(&mut self, raw: &[u8]) -> Result<(), PathError> {
        let mut rest = raw.strip_prefix(b"/").ok_or(PathError::Invalid)?;
        let out = &mut self.0;
        out.push(b'/');
        loop {
            // Here `out` ends with a slash.
            let start = out.len();
            let (segment, after) = match rest.iter().position(|byte| *byte == b'/') {
                Some(at) => rest.split_at_checked(at).unwrap_or((rest, b"")),
                None => (rest, &b""[..]),
            };
            percent::decode(segment, out).map_err(|_bad| PathError::Invalid)?;
            match out.get(start..).unwrap_or_default() {
                b"" | b"." => out.truncate(start),
                b".." => {
                    let parent =
                        out.get(..start - 1).and_then(|above| above.iter().rposition(|byte| *byte == b'/'));
                    out.truncate(parent.ok_or(PathError::Invalid)? + 1);
                }
                name => {
                    check_name(name)?;
                    if !after.is_empty() {
                        out.push(b'/');
                    }
                    if out.len() > PATH_LIMIT {
                        return Err(PathError::TooLong);
                    }
                }
            }
            let Some((_slash, next)) = after.split_first() else { return Ok(()) };
            rest = next;
        }
    }
}

/// Whether one decoded segment is a name.
fn check_name(name: &[u8]) -> Result<(), PathError> {
    match name.iter().find(|byte| matches!(byte, b'/' | 0)) {
        Some(b'/') => return Err(PathError::EncodedSlash),
        Some(_) => return Err(PathError::Invalid),
        None => {}
    }
    match name {
        b"" | b"." | b".." => Err(PathError::Invalid),
        _ if name.len() > SEGMENT_LIMIT => Err(PathError::TooLong),
        _ => Ok(()),
    }
}

/// Whether the raw text is a [`VPath`] as it stands, and has no segment that begins with a dot. Most have none.
fn is_plain(raw: &[u8]) -> bool {
    if raw.len() > PATH_LIMIT || !raw.starts_with(b"/") || raw.iter().any(|byte| matches!(byte, b'%' | 0)) {
        return false;
    }
    let mut before = 0;
    for (slash, _) in raw.iter().enumerate().filter(|(_, byte)| **byte == b'/') {
        if slash - before > SEGMENT_LIMIT + 1 || matches!(raw.get(slash + 1), Some(b'/' | b'.')) {
            return false;
        }
        before = slash;
    }
    raw.len() - before <= SEGMENT_LIMIT + 1
}

#[cfg(test)]
mod tests;
