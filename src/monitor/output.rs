//! What waits to be sent to one peer: replies and pushes in their frames, and no more than a limit.

use alloc::vec::Vec;

use super::failure::Failure;
use super::render;
use crate::text::number::push_decimal;

/// Bytes that may wait before work on a reply stops; one row more than that is the most that ever waits.
pub const OUTPUT: usize = 64 << 10;

/// Bytes of a tagged reply that make a part.
const PART: usize = 4 << 10;

/// The output of a session.
pub(super) struct Output {
    /// In frames, from `start` on unsent.
    bytes: Vec<u8>,
    start: usize,
    limit: usize,
    /// Bytes sent since the beginning.
    passed: u64,
    /// Of the reply or the sample that is being made, not in a frame yet.
    pub(super) part: Vec<u8>,
}

impl Output {
    pub(super) fn new(limit: usize) -> Output {
        Output { bytes: Vec::new(), start: 0, limit, passed: 0, part: Vec::new() }
    }

    pub(super) fn unsent(&self) -> &[u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// The first `count` bytes are gone. An empty output holds no memory.
    pub(super) fn sent(&mut self, count: usize) {
        let count = count.min(self.unsent().len());
        self.start += count;
        self.passed += count as u64;
        if self.start == self.bytes.len() {
            self.bytes = Vec::new();
            self.start = 0;
        }
    }

    /// Whether work may go on.
    pub(super) fn has_room(&self) -> bool {
        self.unsent().len() + self.part.len() < self.limit
    }

    /// The most that one sample of a watch may hold.
    pub(super) fn sample(&self) -> usize {
        self.limit / 2
    }

    /// Bytes given out since the beginning, sent or not.
    pub(super) fn given(&self) -> u64 {
        self.passed + self.unsent().len() as u64
    }

    /// Whether all bytes before that place, as [`Output::given`] told it, were sent.
    pub(super) fn has_left(&self, place: u64) -> bool {
        self.passed >= place
    }

    /// Puts what there is of a reply into a frame: all of it without a tag, else when it is a part.
    pub(super) fn settle(&mut self, tag: Option<&str>) {
        match tag {
            None => self.take_part(),
            Some(tag) if self.part.len() >= PART.min(self.limit / 4) => self.frame(b'+', tag, ""),
            Some(_) => {}
        }
    }

    /// Ends a reply.
    pub(super) fn end(&mut self, tag: Option<&str>, result: Result<(), Failure>) {
        let word = result.as_ref().map_or_else(|trouble| trouble.code.word(), |()| "ok");
        match tag {
            Some(tag) => {
                if let Err(trouble) = &result {
                    if !self.part.is_empty() {
                        self.frame(b'+', tag, "");
                    }
                    render::escape(&trouble.message, &mut self.part);
                }
                self.frame(b'=', tag, word);
            }
            None => {
                if let Err(trouble) = &result {
                    self.part.extend_from_slice(b"error ");
                    self.part.extend_from_slice(word.as_bytes());
                    self.part.push(b' ');
                    render::escape(&trouble.message, &mut self.part);
                } else {
                    self.part.extend_from_slice(word.as_bytes());
                }
                self.end_line();
            }
        }
    }

    /// Pushes a sample; gives the place of its end.
    pub(super) fn push(&mut self, tag: Option<&str>) -> u64 {
        match tag {
            Some(tag) => self.frame(b'!', tag, ""),
            None => self.end_line(),
        }
        self.given()
    }

    fn frame(&mut self, sign: u8, tag: &str, word: &str) {
        self.forget_sent();
        self.bytes.push(sign);
        self.bytes.extend_from_slice(tag.as_bytes());
        if !word.is_empty() {
            self.bytes.push(b' ');
            self.bytes.extend_from_slice(word.as_bytes());
        }
        self.bytes.push(b' ');
        push_decimal(self.part.len() as u64, &mut self.bytes);
        self.bytes.push(b'\n');
        self.take_part();
    }

    fn take_part(&mut self) {
        self.forget_sent();
        self.bytes.append(&mut self.part);
    }

    fn end_line(&mut self) {
        self.part.push(b'\n');
        self.take_part();
    }

    /// Moves what is unsent to the front when the front is the greater part.
    fn forget_sent(&mut self) {
        if self.start > self.bytes.len() / 2 {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
    }
}
