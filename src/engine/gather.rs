//! The one output buffer that all connections share within a call: replies to pipelined requests are gathered here and
//! leave in one send.

use gorgon_sys::{Errno, Mapping};

use super::output::BURST;
use super::values::{FileRange, Flow};

/// Bytes, then perhaps a file, that the connection being served has produced since the last send.
pub struct Gather {
    bytes: Mapping,
    length: usize,
    /// Goes out after the bytes.
    pub(super) file: Option<FileRange>,
    /// Bytes given since the connection's turn began, whether they are gathered still or have left.
    pub(super) given: usize,
    /// The connection failed while it was written to; nothing more is sent.
    pub(super) dead: bool,
    /// The connection holds output.
    pub(super) held: bool,
    /// Bytes that were produced in this call, those of files included.
    pub(super) produced: u64,
}

impl Gather {
    /// How many bytes are gathered: what is beyond it is sent in between.
    const SIZE: usize = 64 * 1024;
    /// The largest piece that is made at once, in bytes: a write buffer of the largest size. What is never reached takes
    /// no memory.
    pub(super) const ROOM: usize = 1024 * 1024;

    pub(super) fn new() -> Result<Gather, Errno> {
        Ok(Gather {
            bytes: Mapping::new(Self::ROOM)?,
            length: 0,
            file: None,
            given: 0,
            dead: false,
            held: false,
            produced: 0,
        })
    }

    /// Copies bytes in, or says that they do not fit.
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let end = self.length + bytes.len();
        match self.bytes.get_mut(self.length..end).filter(|_| end <= Self::SIZE) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.length = end;
                true
            }
            None => false,
        }
    }

    /// The room that is left.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.bytes.get_mut(self.length..).unwrap_or(&mut [])
    }

    /// Counts bytes that were written into [`Gather::room`].
    pub(super) fn grow(&mut self, count: usize) {
        self.length = (self.length + count).min(Self::ROOM);
    }

    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or(&[])
    }

    /// Whether the connection was given as much as one turn allows.
    pub(super) fn is_enough(&self) -> bool {
        self.given >= BURST as usize
    }

    /// Notes what became of what was sent.
    pub(super) fn note(&mut self, flow: Flow) {
        self.dead = flow == Flow::Dead;
        self.held = flow == Flow::Held;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
    }
}
