//! The body of a request as it arrives: which of the bytes read are its data, and which byte is its last.
//!
//! ```text
//!   Framing::None, Length(0) ─────────────────────┐
//!                                                 v
//!   Framing::Length ──> Length ── last byte ──> Done
//!                                                 ^
//!   Framing::Chunked ─> Chunked ── last chunk ────┘
//!                          └────── not the grammar ──> (stays Chunked, broken for good)
//! ```
//!
//! No byte is copied or kept, and none after the end is looked at: it belongs to the next request.

use core::ops::Range;

use super::chunked::ChunkedDecoder;
use super::framing::Framing;

/// How far a body has come.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum BodyState {
    /// There is more to come.
    NeedMore,
    /// The body has ended; the bytes after those used are not its own.
    Done,
    /// The body is malformed. Where it ends is unknown, so answer with 400 and close.
    Error,
}

/// What one call of [`BodyReader::feed`] came to.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct BodyStep {
    /// How many bytes of the input are done with.
    pub used: usize,
    /// The data among them: one run, often empty.
    pub data: Range<usize>,
    /// How far the body has come.
    pub state: BodyState,
}

/// Finds the data and the end of one body.
pub struct BodyReader {
    progress: Progress,
}

enum Progress {
    Done,
    /// How many bytes are left, at least one.
    Length(u64),
    Chunked(ChunkedDecoder),
}

// One is in every slot of a connection.
const _: () = assert!(size_of::<BodyReader>() <= 48);

impl BodyReader {
    /// A reader before the first byte of the body.
    #[must_use]
    pub const fn new(framing: Framing) -> Self {
        let progress = match framing {
            Framing::None | Framing::Length(0) => Progress::Done,
            Framing::Length(length) => Progress::Length(length),
            Framing::Chunked => Progress::Chunked(ChunkedDecoder::new()),
        };
        Self { progress }
    }

    /// Takes the next bytes. While the state is `NeedMore`, call again with `input[used..]`, which is the rest of a
    /// chunked body with several chunks, and then with what is read next. Every such call uses at least one byte unless
    /// there is none.
    pub fn feed(&mut self, input: &[u8]) -> BodyStep {
        match &mut self.progress {
            Progress::Done => BodyStep { used: 0, data: 0..0, state: BodyState::Done },
            Progress::Length(left) => {
                let used = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                *left = left.saturating_sub(used as u64);
                let ended = *left == 0;
                if ended {
                    self.progress = Progress::Done;
                }
                let state = if ended { BodyState::Done } else { BodyState::NeedMore };
                BodyStep { used, data: 0..used, state }
            }
            Progress::Chunked(decoder) => decoder.feed(input),
        }
    }

    /// Whether the body has ended.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        match &self.progress {
            Progress::Done => true,
            Progress::Length(_) => false,
            Progress::Chunked(decoder) => decoder.is_done(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds `input` in pieces of `size`, and gives the data, the bytes used and the last state.
    fn read(framing: Framing, input: &[u8], size: usize) -> (Vec<u8>, usize, BodyState) {
        let mut reader = BodyReader::new(framing);
        let (mut data, mut used) = (Vec::new(), 0);
        let mut state = reader.feed(&[]).state;
        for piece in input.chunks(size) {
            let mut rest = piece;
            while state == BodyState::NeedMore && !rest.is_empty() {
                let step = reader.feed(rest);
                assert!(step.used > 0 || step.state == BodyState::Error);
                assert!(step.data.end <= step.used);
                data.extend_from_slice(&rest[step.data]);
                rest = &rest[step.used..];
                used += step.used;
                state = step.state;
            }
        }
        assert_eq!(reader.is_done(), state == BodyState::Done);
        (data, used, state)
    }

    #[test]
    fn bodies() {
        use BodyState::{Done, Error, NeedMore};
        for (framing, input, data, used, state) in [
            (Framing::None, "GET", "", 0, Done),
            (Framing::Length(0), "GET", "", 0, Done),
            (Framing::Length(3), "abc", "abc", 3, Done),
            (Framing::Length(3), "abcGET", "abc", 3, Done),
            (Framing::Length(4), "abc", "abc", 3, NeedMore),
            (Framing::Length(4), "", "", 0, NeedMore),
            (Framing::Length(u64::MAX), "abc", "abc", 3, NeedMore),
            (Framing::Chunked, "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nGET", "abcde", 20, Done),
            (Framing::Chunked, "0\r\n\r\nGET", "", 5, Done),
            (Framing::Chunked, "3\r\nabc\r\n", "abc", 8, NeedMore),
            (Framing::Chunked, "3\r\nabcx", "abc", 6, Error),
        ] {
            for size in 1..=input.len().max(1) {
                assert_eq!(read(framing, input.as_bytes(), size), (data.as_bytes().to_vec(), used, state));
            }
        }
    }

    #[test]
    fn after_the_end_nothing_is_used() {
        for (framing, body) in
            [(Framing::None, ""), (Framing::Length(2), "ab"), (Framing::Chunked, "0\r\n\r\n")]
        {
            let mut reader = BodyReader::new(framing);
            reader.feed(body.as_bytes());
            for input in ["", "GET / HTTP/1.1\r\n"] {
                let step = reader.feed(input.as_bytes());
                assert_eq!(step, BodyStep { used: 0, data: 0..0, state: BodyState::Done });
                assert!(reader.is_done());
            }
        }
    }
}
