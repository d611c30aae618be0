//! The chunked coding (RFC 9112 section 7.1), read strictly and written without allocation.
//!
//! ```text
//!   SizeStart ─hex─> Size ─CR─> SizeLineFeed ─LF─> Data ─last byte─> DataReturn ─CR─> DataLineFeed
//!    ^               │  ^ hex   ^     │                                                 │
//!    │               ;          CR    LF after size 0                                   LF
//!    │               v          │     v                                                 │
//!    │               extension ─┘     TrailerStart ─CR─> EndLineFeed ─LF─> Done         │
//!    │                                │          ^                                      │
//!    │                                tchar      └──────────────────────LF───┐          │
//!    │                                v                                      │          │
//!    │                                TrailerName ─:─> TrailerValue ─CR─> TrailerLineFeed
//!    └──────────────────────────────────────────────────────────────────────────────────┘
//!
//!   extension:   ExtensionStart ─tchar─> ExtensionName ─=─> ValueStart ─tchar─> Value ─space─> AfterValue
//!                                        │ space      ┌─=───^    │ "                             ^
//!                                        v            │          v                               space
//!                                        AfterName ───┘          Quoted ────────"────────> AfterQuoted
//!                                                                \   ^
//!                                                                v   any
//!                                                                QuotedPair
//!     ; leads back to ExtensionStart from a name, a value, or the space after either; CR to SizeLineFeed from a
//!     name or a value alone. Space after a size leads to AfterValue too: an extension must follow it.
//!
//!   any other byte, or one beyond a limit: Broken
//! ```
//!
//! A size has no space around it but before an extension, lines end with CR LF and nothing less, extensions and trailers are held to their
//! grammar and thrown away: readers that were easier here were made to see another request where the body ends.

use core::ops::Deref;

use super::body::{BodyState, BodyStep};
use super::class;
use crate::text::number::hex_value;

/// The most digits of a size, those of a `u64`.
const SIZE_DIGITS: u16 = 16;
/// The longest line with a size, its CR LF included.
const LINE_LIMIT: u16 = 256;
/// The most bytes of extensions in one body.
const EXTENSION_LIMIT: u16 = 16 * 1024;
/// The most bytes of the trailer section, CR LFs included.
const TRAILER_LIMIT: u16 = 8 * 1024;

/// What ends a body of chunks: the last chunk and no trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What ends the data of each chunk.
pub const CHUNK_END: &[u8] = b"\r\n";

/// Room for the digits of any size and CR LF.
const HEAD_LENGTH: usize = 18;

/// Reads a chunked body.
pub struct ChunkedDecoder {
    /// While a size is read that size, later how much of the data is left.
    left: u64,
    state: State,
    /// Bytes of the current line with a size.
    line: u16,
    /// Bytes of extensions so far.
    extensions: u16,
    /// Bytes of trailers so far.
    trailers: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
enum State {
    SizeStart,
    Size,
    ExtensionStart,
    ExtensionName,
    AfterName,
    ValueStart,
    Value,
    Quoted,
    QuotedPair,
    AfterQuoted,
    AfterValue,
    SizeLineFeed,
    Data,
    DataReturn,
    DataLineFeed,
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    EndLineFeed,
    Done,
    Broken,
}

/// The parts of a body, which are counted apart.
#[derive(Clone, Copy)]
enum Section {
    Size,
    Extension,
    Data,
    DataEnd,
    Trailer,
    Ended,
}

impl Default for ChunkedDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl ChunkedDecoder {
    /// A decoder before the first size.
    #[must_use]
    pub const fn new() -> Self {
        Self { left: 0, state: State::SizeStart, line: 0, extensions: 0, trailers: 0 }
    }

    /// Whether the body has ended.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Takes the next bytes, as [`super::body::BodyReader::feed`] does: up to the data of a second chunk, the end of
    /// the body, the first wrong byte, or all.
    pub fn feed(&mut self, input: &[u8]) -> BodyStep {
        let mut used = 0;
        let mut data = 0..0;
        while let Some(&byte) = input.get(used) {
            let (taken, next) = match self.state.section() {
                Section::Ended => break,
                Section::Data if data.end > 0 => break,
                Section::Data => {
                    let run = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len() - used);
                    self.left = self.left.saturating_sub(run as u64);
                    data = used..used + run;
                    (run, if self.left == 0 { State::DataReturn } else { State::Data })
                }
                Section::Size | Section::Extension | Section::DataEnd | Section::Trailer => {
                    let next = if self.count() { self.next(byte) } else { None };
                    (1, next.unwrap_or(State::Broken))
                }
            };
            self.state = next;
            if next == State::Broken {
                break;
            }
            used += taken;
        }
        let state = match self.state.section() {
            Section::Ended if self.is_done() => BodyState::Done,
            Section::Ended => BodyState::Error,
            Section::Size | Section::Extension | Section::Data | Section::DataEnd | Section::Trailer => {
                BodyState::NeedMore
            }
        };
        BodyStep { used, data, state }
    }

    /// Counts one byte of syntax; whether it is within the limits.
    fn count(&mut self) -> bool {
        match self.state.section() {
            Section::Size => self.line += 1,
            Section::Extension => {
                self.line += 1;
                self.extensions += 1;
            }
            Section::Trailer => self.trailers += 1,
            Section::Data | Section::DataEnd | Section::Ended => {}
        }
        self.line <= LINE_LIMIT && self.extensions <= EXTENSION_LIMIT && self.trailers <= TRAILER_LIMIT
    }

    /// The state after one byte of syntax; `None` when the grammar has no such byte here.
    fn next(&mut self, byte: u8) -> Option<State> {
        let token = class::is(byte, class::TOKEN);
        let text = (byte >= b' ' && byte != 0x7f) || byte == b'\t';
        match (self.state, byte) {
            (State::SizeStart, _) => self.digit(byte),
            (State::Size, b'\r') => Some(State::SizeLineFeed),
            (State::Size, b';') => Some(State::ExtensionStart),
            (State::Size, b' ' | b'\t') => Some(State::AfterValue),
            (State::Size, _) => self.digit(byte),

            (State::ExtensionStart, b' ' | b'\t') => Some(State::ExtensionStart),
            (State::ExtensionStart, _) => token.then_some(State::ExtensionName),
            (State::ExtensionName, b'=') => Some(State::ValueStart),
            (State::ExtensionName | State::Value | State::AfterQuoted, b'\r') => Some(State::SizeLineFeed),
            (
                State::ExtensionName
                | State::AfterName
                | State::Value
                | State::AfterQuoted
                | State::AfterValue,
                b';',
            ) => Some(State::ExtensionStart),
            (State::ExtensionName | State::AfterName, b' ' | b'\t') => Some(State::AfterName),
            (State::ExtensionName, _) => token.then_some(State::ExtensionName),
            (State::AfterName, b'=') => Some(State::ValueStart),
            (State::AfterName, _) => None,
            (State::ValueStart, b' ' | b'\t') => Some(State::ValueStart),
            (State::ValueStart, b'"') => Some(State::Quoted),
            (State::ValueStart, _) => token.then_some(State::Value),
            (State::Value | State::AfterQuoted | State::AfterValue, b' ' | b'\t') => Some(State::AfterValue),
            (State::Value, _) => token.then_some(State::Value),
            (State::Quoted, b'"') => Some(State::AfterQuoted),
            (State::Quoted, b'\\') => Some(State::QuotedPair),
            (State::Quoted | State::QuotedPair, _) => text.then_some(State::Quoted),
            (State::AfterQuoted | State::AfterValue, _) => None,

            (State::SizeLineFeed, b'\n') if self.left == 0 => Some(State::TrailerStart),
            (State::SizeLineFeed, b'\n') => Some(State::Data),
            (State::SizeLineFeed, _) => None,

            (State::DataReturn, b'\r') => Some(State::DataLineFeed),
            (State::DataReturn, _) => None,
            (State::DataLineFeed, b'\n') => {
                self.line = 0;
                Some(State::SizeStart)
            }
            (State::DataLineFeed, _) => None,

            (State::TrailerStart, b'\r') => Some(State::EndLineFeed),
            (State::TrailerStart, _) => token.then_some(State::TrailerName),
            (State::TrailerName, b':') => Some(State::TrailerValue),
            (State::TrailerName, _) => token.then_some(State::TrailerName),
            (State::TrailerValue, b'\r') => Some(State::TrailerLineFeed),
            (State::TrailerValue, _) => text.then_some(State::TrailerValue),
            (State::TrailerLineFeed, b'\n') => Some(State::TrailerStart),
            (State::TrailerLineFeed, _) => None,
            (State::EndLineFeed, b'\n') => Some(State::Done),
            (State::EndLineFeed, _) => None,

            (State::Data | State::Done | State::Broken, _) => None,
        }
    }

    /// One more digit of a size: sixteen at most, leading zeros among them, and no size that an `i64` cannot hold.
    fn digit(&mut self, byte: u8) -> Option<State> {
        let digit = u64::from(hex_value(byte)?);
        // At the end of a chunk nothing is left of the last size, so that the new one begins with zero.
        self.left = self.left.checked_mul(16)?.checked_add(digit)?;
        (self.line <= SIZE_DIGITS && i64::try_from(self.left).is_ok()).then_some(State::Size)
    }
}

impl State {
    /// The part of the body it is in.
    const fn section(self) -> Section {
        match self {
            Self::SizeStart | Self::Size | Self::SizeLineFeed => Section::Size,
            Self::ExtensionStart
            | Self::ExtensionName
            | Self::AfterName
            | Self::ValueStart
            | Self::Value
            | Self::Quoted
            | Self::QuotedPair
            | Self::AfterQuoted
            | Self::AfterValue => Section::Extension,
            Self::Data => Section::Data,
            Self::DataReturn | Self::DataLineFeed => Section::DataEnd,
            Self::TrailerStart
            | Self::TrailerName
            | Self::TrailerValue
            | Self::TrailerLineFeed
            | Self::EndLineFeed => Section::Trailer,
            Self::Done | Self::Broken => Section::Ended,
        }
    }
}

/// The head of one chunk, its size and CR LF.
pub struct ChunkHead {
    text: [u8; HEAD_LENGTH],
    start: usize,
}

impl Deref for ChunkHead {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.text.get(self.start..).unwrap_or_default()
    }
}

/// The head of a chunk with `length` bytes of data, which [`CHUNK_END`] follows. No length may be zero: that would end
/// the body, which [`LAST_CHUNK`] does.
#[must_use]
pub fn chunk_head(length: usize) -> ChunkHead {
    let mut head = ChunkHead { text: [b'0'; HEAD_LENGTH], start: HEAD_LENGTH };
    let mut rest = length;
    for (place, byte) in head.text.iter_mut().enumerate().rev() {
        *byte = match HEAD_LENGTH - place {
            1 => b'\n',
            2 => b'\r',
            _ => {
                let digit = (rest & 15) as u8;
                rest >>= 4;
                if digit < 10 { b'0' + digit } else { b'a' + (digit - 10) }
            }
        };
        head.start = place;
        if rest == 0 && HEAD_LENGTH - place > 2 {
            break;
        }
    }
    head
}

#[cfg(test)]
mod tests;
