//! A connection: one slot of at most one cache line, and its five modes.
//!
//! ```text
//!  accepted                 Next::Read, Next::More
//!  ────────▶ Reading ◀───────────────────────────────┐
//!             │ │ │                                   │
//!             │ │ └── Next::Drain ──▶ Draining ───────┤ on_drained, when all output is out
//!             │ │                                     │
//!  connect    │ └──── Next::Wait ───▶ Waiting ────────┘ on_wake
//!  ────────▶ Connecting
//!             │
//!             └────── Next::Close ──▶ Closing ──▶ gone, when all output is out
//! ```
//!
//! Every mode can be left by any `Next`; a connection whose peer is lost is closed from every mode. An idle connection is
//! `Reading` with no input and no output: it owns nothing but its slot.

use gorgon_sys::{Errno, OwnedFd, Ready};

use super::buffers::{SizeRange, Streaks};
use super::clients::ClientId;
use super::pages::PageId;
use super::slab::Slab;
use super::values::{ConnId, Key, Tick, Timeout};

/// What the loop does with a connection now.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Mode {
    /// An outbound connection is not there yet.
    Connecting,
    /// Input is wanted, as soon as no output is held.
    Reading,
    /// Input is not wanted; `on_drained` follows the last byte of output.
    Draining,
    /// Nothing is wanted until a wake.
    Waiting,
    /// The connection ends with the last byte of output.
    Closing,
}

/// No number of a slot, an output or a timeout list.
pub(super) const NONE: u32 = u32::MAX;

/// Facts that are true or not. A plain set of bits.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags(u8);

impl Flags {
    /// The poller knows the descriptor.
    pub const REGISTERED: u8 = 1;
    /// The socket took less than it was given: wait until it is writable.
    pub const BLOCKED: u8 = 2;
    /// In the queue of those that go on in the next turn.
    pub const QUEUED: u8 = 4;
    /// In the queue of those that were woken.
    pub const WOKEN: u8 = 8;
    /// Its input waits in the kernel until there is room among the pages.
    pub const STARVED: u8 = 16;
    /// The peer has ended its side: there is nothing more to read.
    pub const ENDED: u8 = 32;
    /// Another connection gave it bytes and waits until they are out.
    pub const NOTIFY: u8 = 64;
    /// Leads to a part of the program: it does not keep the loop from ending.
    pub const INSIDE: u8 = 128;

    pub fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }
    pub fn set(&mut self, bit: u8) {
        self.0 |= bit;
    }
    pub fn clear(&mut self, bit: u8) {
        self.0 &= !bit;
    }
}

/// The slot of a connection. Its port is asked of the kernel when somebody wants to know.
#[repr(align(64))]
pub struct Conn {
    pub(super) fd: OwnedFd,
    pub(super) generation: u32,
    pub(super) key: Key,
    /// When its time is over; of one that has all the time in the world, when it last began to wait.
    pub(super) deadline: Tick,
    /// When its slot was taken.
    pub(super) opened: Tick,
    /// Neighbours in the timeout list, by slot number.
    pub(super) previous: u32,
    pub(super) next: u32,
    /// Unread input, kept in a page.
    pub(super) input: PageId,
    pub(super) input_length: u32,
    /// How far into the kept input the service's parser need not look again.
    pub(super) resume: u32,
    /// Its peer in the table of its service.
    pub(super) client: ClientId,
    /// Held output, by number, or [`NONE`].
    pub(super) output: u32,
    /// The timeout list it is in.
    pub(super) list: u16,
    /// The front of its listener's id.
    pub(super) listener: u16,
    pub(super) service: u8,
    /// What the poller was asked to report.
    pub(super) interest: Ready,
    pub(super) mode: Mode,
    pub(super) flags: Flags,
    /// The class the service asked for: taken up when the output is out.
    pub(super) class: Timeout,
    /// Buffer sizes as powers of two: what is read at once, and made at once.
    pub(super) read_size: u8,
    pub(super) write_size: u8,
    /// Within which they may grow and shrink.
    pub(super) read_range: SizeRange,
    pub(super) write_range: SizeRange,
    pub(super) streaks: Streaks,
}

const _: () = assert!(size_of::<Conn>() <= 64);
const _: () = assert!(size_of::<Option<Conn>>() <= 64);

/// The table of connections. An id finds its connection or nothing, never another one.
#[derive(Default)]
pub struct Slots {
    slab: Slab<Conn>,
    generation: u32,
}

impl Slots {
    /// Puts a connection in its slot and gives it an id that no other one had.
    pub(super) fn insert(&mut self, mut conn: Conn) -> Result<ConnId, Errno> {
        self.generation = self.generation.wrapping_add(1).max(1);
        conn.generation = self.generation;
        match self.slab.insert(conn) {
            Ok(index) => Ok(ConnId { index, generation: self.generation }),
            Err((_, error)) => Err(error),
        }
    }

    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        self.get(id)?;
        self.slab.remove(id.index)
    }

    pub(super) fn get(&self, id: ConnId) -> Option<&Conn> {
        self.slab.get(id.index).filter(|conn| conn.generation == id.generation)
    }

    pub(super) fn get_mut(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.slab.get_mut(id.index).filter(|conn| conn.generation == id.generation)
    }

    /// By number alone: for the links of the timeout lists, which never outlive their connections.
    pub(super) fn at(&mut self, index: u32) -> Option<&mut Conn> {
        self.slab.get_mut(index)
    }

    /// The id of the connection in a slot, if there is one.
    pub(super) fn id_at(&self, index: u32) -> Option<ConnId> {
        self.slab.get(index).map(|conn| ConnId { index, generation: conn.generation })
    }

    /// Every number below this one may be in use.
    pub(super) fn end(&self) -> u32 {
        self.slab.end()
    }

    /// How many connections there are.
    pub fn len(&self) -> usize {
        self.slab.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.slab.is_empty()
    }

    /// Bytes mapped for slots.
    pub fn mapped(&self) -> usize {
        self.slab.mapped()
    }

    /// The first connection whose slot has this number or a higher one.
    pub(super) fn from(&self, index: u32) -> Option<ConnId> {
        self.slab.next(index).and_then(|index| self.id_at(index))
    }

    pub(super) fn has_spare(&self) -> bool {
        self.slab.has_spare()
    }

    pub(super) fn trim(&mut self) {
        self.slab.trim();
    }
}
