//! The plain values that travel between the loop and the protocols. No I/O happens here.

use alloc::string::String;

use crate::text::number::{parse_decimal, push_decimal_str};

pub use super::files::{FileId, FileRange, Files};

/// A number a service keeps with each of its connections: its session, or a state that needs none. 0 is idle.
pub type Key = u32;

/// Time in steps of [`TICK_MILLISECONDS`] since the program started.
pub type Tick = u32;

/// The length of one [`Tick`].
pub const TICK_MILLISECONDS: u64 = 250;

/// How many timeout classes each service has.
pub const CLASSES: usize = 8;

/// Names one connection for as long as it lives. A stale id finds nothing: every connection gets a new generation.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct ConnId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl ConnId {
    /// The number of its slot: small, and another's when it is gone.
    pub fn slot(self) -> u32 {
        self.index
    }

    /// Appends it as people and the monitor name it: `17-93`, slot and generation.
    pub fn print(self, out: &mut String) {
        push_decimal_str(self.index.into(), out);
        out.push('-');
        push_decimal_str(self.generation.into(), out);
    }

    /// Reads what [`ConnId::print`] appends.
    pub fn parse(text: &str) -> Option<ConnId> {
        let (index, generation) = text.split_once('-')?;
        let number = |text: &str| u32::try_from(parse_decimal(text.as_bytes())?).ok();
        Some(ConnId { index: number(index)?, generation: number(generation)? })
    }

    /// The poller's token: the generation above, the index below. Generation 0 is never a connection's.
    pub(super) fn token(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The id a token was made from; truncation splits the two halves.
    pub(super) fn from_token(token: u64) -> ConnId {
        ConnId { index: token as u32, generation: (token >> 32) as u32 }
    }

    /// The id of no connection, one for each number.
    #[cfg(any(test, feature = "memory"))]
    pub fn test(number: u64) -> ConnId {
        ConnId::from_token(number)
    }
}

/// A class of timeouts of one service: all connections in it get the same time.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Timeout(pub u8);

impl Timeout {
    /// Output waits for the peer: the engine's own class, renewed while the peer takes bytes fast enough.
    pub const WRITE: Timeout = Timeout(0);
    /// No deadline at all.
    pub const NEVER: Timeout = Timeout(u8::MAX);
}

/// What a service wants to happen next with a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Next {
    /// Read, in this timeout class. Output still held goes out first, then kept input is fed again.
    Read(Timeout),
    /// The same request goes on: read, and do not renew the deadline.
    More,
    /// Call `on_drained` when all output is out; do not read before that.
    Drain,
    /// Neither read nor write until woken, or until this class's time is over.
    Wait(Timeout),
    /// Close when all output is out.
    Close,
}

/// What became of bytes handed to a connection.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Flow {
    /// The kernel took all of them.
    Done,
    /// Some wait in the connection's output: give no more before it is drained.
    Held,
    /// The connection is gone.
    Dead,
}

/// The time, read once a turn.
#[derive(Clone, Copy, Default)]
pub struct Now {
    /// Steps of a quarter second since the program started.
    pub tick: Tick,
    /// Milliseconds since the program started.
    pub milliseconds: u64,
    /// Seconds since 1970-01-01 UTC.
    pub unix_seconds: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_printed_and_read() {
        for (index, generation, text) in [(17, 93, "17-93"), (0, 1, "0-1"), (u32::MAX, 7, "4294967295-7")] {
            let id = ConnId { index, generation };
            let mut out = String::new();
            id.print(&mut out);
            assert_eq!(out, text);
            assert_eq!(ConnId::parse(text), Some(id));
        }
        for text in ["", "-", "17", "17-", "-93", "17-93-1", "a-1", "1-4294967296", " 1-1", "1--1"] {
            assert_eq!(ConnId::parse(text), None, "{text}");
        }
    }
}
