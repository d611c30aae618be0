//! How large the buffers of a connection are, and how they follow its load.
//!
//! ```text
//!          three full ones in a row: twice the size         a second between requests: the least
//!  least ──────────────────────────────────────▶ .. most ──────────────────────────────────────▶ least
//! ```
//!
//! Between requests a connection holds no buffer, whatever its size: only what the next burst may take is meant here.
//! What is known of a connection takes three bytes of its slot, and those whose size is fixed are never looked at twice.

use gorgon_sys::AsFd;

use super::conn::Conn;
use super::event_loop::Loop;
use super::services::ServiceState;
use super::timeouts::{Timeouts, list_number};
use super::values::{ConnId, TICK_MILLISECONDS, Tick};
use crate::tree::Buffer;

/// The buffers that connections of a listener, a network or a service get.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Buffers {
    /// Bounds what is read at once.
    pub read: Buffer,
    /// Bounds what is made at once, and so what is held.
    pub write: Buffer,
}

impl Buffers {
    /// Buffers of fixed sizes, given as powers of two.
    #[must_use]
    pub const fn fixed(read: u8, write: u8) -> Buffers {
        Buffers { read: Buffer::fixed(read), write: Buffer::fixed(write) }
    }
}

/// The power of two that the lowest number of a [`SizeRange`] stands for: 256 bytes.
const FLOOR: u8 = 8;

/// The bounds of a size, in one byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SizeRange(u8);

impl SizeRange {
    pub fn of(buffer: Buffer) -> SizeRange {
        let pack = |log2: u8| log2.clamp(FLOOR, FLOOR + 15) - FLOOR;
        let least = pack(buffer.least);
        SizeRange(least | pack(buffer.most).max(least) << 4)
    }

    pub fn least(self) -> u8 {
        (self.0 & 15) + FLOOR
    }

    pub fn most(self) -> u8 {
        (self.0 >> 4) + FLOOR
    }

    pub fn buffer(self) -> Buffer {
        Buffer { least: self.least(), most: self.most() }
    }
}

/// Full buffers in a row after which there is a larger one.
const STREAK: u8 = 3;
/// How long a connection rests before it has its least again: a second.
const REST: Tick = (1000 / TICK_MILLISECONDS) as Tick;

/// The least write buffer whose pieces are made to fit segments, as a power of two: 64 KiB.
const SEGMENTED: u8 = 16;

/// The largest write buffer that grows further, as a power of two: past 64 KiB nothing is gained. Over loopback what is
/// made no longer stays in the processor's cache, and on a line with latency large pieces leave in bursts that whoever
/// forwards them may drop. Reading gains up to the largest.
const ENOUGH: u8 = 16;

/// How many full buffers there were in a row, and whether one has grown: four bits for reading, four for writing.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Streaks(u8);

const READ: u8 = 0;
const WRITE: u8 = 4;
const COUNT: u8 = 7;
const GROWN: u8 = 8;

impl Streaks {
    /// Whether there is anything to be looked after: never of a fixed size.
    pub fn any(self) -> bool {
        self.0 != 0
    }

    /// One more, or the end of the row; says whether it is time to grow.
    fn next(&mut self, side: u8, full: bool) -> bool {
        let count = if full { (self.0 >> side & COUNT) + 1 } else { 0 };
        let grows = count >= STREAK;
        self.0 &= !(COUNT << side);
        self.0 |= if grows { GROWN << side } else { count << side };
        grows
    }

    fn clear(&mut self, side: u8) {
        self.0 &= !((COUNT | GROWN) << side);
    }
}

impl Conn {
    /// Notes that a read filled its buffer or did not.
    #[inline]
    pub(super) fn note_read(&mut self, full: bool) {
        if full || self.streaks.any() {
            self.follow_read(full);
        }
    }

    fn follow_read(&mut self, full: bool) {
        if self.read_size < self.read_range.most() && self.streaks.next(READ, full) {
            self.read_size += 1;
        }
    }

    /// Notes that a piece of output filled its buffer, or almost, or did not.
    pub(super) fn note_made(&mut self, full: bool) {
        if self.write_size < self.write_range.most().min(ENOUGH) && self.streaks.next(WRITE, full) {
            self.write_size += 1;
        }
    }

    /// How much is made at once, in bytes: the write buffer, or of a large one as much as whole segments hold. What
    /// is left of a piece behind its last whole segment leaves as a small one of its own, which costs more than it
    /// carries: over loopback, whose segments hold 65,483 bytes, pieces of 64 KiB go at a third of the pace of those that
    /// fit. Of a small buffer the answer would cost more than it saves.
    pub(super) fn piece_size(&self) -> usize {
        let size = 1 << self.write_size;
        if self.write_size < SEGMENTED {
            return size;
        }
        whole_segments(size, gorgon_sys::segment_size(self.fd.as_fd()))
    }

    pub(super) fn set_read(&mut self, buffer: Buffer) {
        self.read_range = SizeRange::of(buffer);
        self.read_size = self.read_range.least();
        self.streaks.clear(READ);
    }

    pub(super) fn set_write(&mut self, buffer: Buffer) {
        self.write_range = SizeRange::of(buffer);
        self.write_size = self.write_range.least();
        self.streaks.clear(WRITE);
    }
}

/// As many bytes of `size` as whole segments hold: all of them if not even one does.
fn whole_segments(size: usize, segment: Option<usize>) -> usize {
    match segment {
        Some(segment @ 1..) if segment <= size => size - size % segment,
        _ => size,
    }
}

/// Whether a connection was between requests for so long that it has its least again.
fn has_rested(conn: &Conn, services: &[ServiceState], timeouts: &Timeouts, now: Tick) -> bool {
    let idle = services.get(usize::from(conn.service)).map(|state| state.limits.idle);
    idle.is_some_and(|idle| conn.list == list_number(conn.service, idle))
        && timeouts.since(conn, now).is_some_and(|ticks| ticks >= REST)
}

/// Has a connection that rested begin with its least again.
#[cold]
pub(super) fn shrink_rested(conn: &mut Conn, services: &[ServiceState], timeouts: &Timeouts, now: Tick) {
    if has_rested(conn, services, timeouts, now) {
        conn.set_read(conn.read_range.buffer());
        conn.set_write(conn.write_range.buffer());
    }
}

impl Loop {
    /// The sizes of a connection's buffers, reading and writing, as powers of two.
    pub(super) fn sizes(&self, conn: &Conn) -> (u8, u8) {
        if conn.streaks.any() && has_rested(conn, &self.services, &self.timeouts, self.now.tick) {
            (conn.read_range.least(), conn.write_range.least())
        } else {
            (conn.read_size, conn.write_size)
        }
    }

    /// Gives a connection other buffers. What it holds goes out, in pieces of the new size. Says whether it is there.
    pub fn set_connection_buffers(
        &mut self,
        id: ConnId,
        read: Option<Buffer>,
        write: Option<Buffer>,
    ) -> bool {
        let Some(conn) = self.slots.get_mut(id) else { return false };
        if let Some(read) = read {
            conn.set_read(read);
        }
        if let Some(write) = write {
            conn.set_write(write);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_fit_a_byte() {
        for least in 8..=20 {
            for most in least..=20 {
                let buffer = Buffer { least, most };
                assert!(SizeRange::of(buffer).buffer() == buffer);
            }
        }
        let odd = SizeRange::of(Buffer { least: 0, most: 255 }).buffer();
        assert!(odd == Buffer { least: 8, most: 23 });
        assert!(SizeRange::of(Buffer { least: 14, most: 9 }).buffer() == Buffer::fixed(14));
    }

    #[test]
    fn large_pieces_fit_segments() {
        assert_eq!(whole_segments(65_536, Some(65_483)), 65_483, "loopback");
        assert_eq!(whole_segments(65_536, Some(1448)), 45 * 1448, "Ethernet");
        for (size, segment) in
            [(65_536, None), (65_536, Some(0)), (65_536, Some(65_537)), (65_536, Some(1024))]
        {
            assert_eq!(whole_segments(size, segment), size);
        }
    }

    #[test]
    fn a_row_of_full_ones_grows_once() {
        let mut streaks = Streaks::default();
        assert!(!streaks.any());
        let told = [true, true, false, true, true, true, true].map(|full| streaks.next(READ, full));
        assert_eq!(told, [false, false, false, false, false, true, false]);
        assert!(!streaks.next(WRITE, true) && !streaks.next(WRITE, true) && streaks.next(WRITE, true));
        streaks.clear(READ);
        assert!(streaks.any());
        streaks.clear(WRITE);
        assert!(!streaks.any());
    }
}
