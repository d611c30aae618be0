//! Output that a socket did not take at once: bytes in a page, then a piece of a file.
//!
//! A head leaves by itself, before its file: held back to share a segment with it, it costs the sender more (a file of
//! 100 KiB: 32 us of its core against 20), for its early arrival has the peer ready to take the rest.
//!
//! The order is fixed: page, then file. Bytes given while a file is held would overtake it, so a service that was told
//! [`Flow::Held`] gives no more until its connection is drained.

use gorgon_sys::{AsFd, Io, copy_file, read_ahead, read_at_cached, send, send_vectored, sendfile};

use super::conn::{Conn, Flags, NONE};
use super::disk::there_until;
use super::event_loop::Loop;
use super::pages::{PageId, Pages};
use super::services::ServiceState;
use super::slab::Slab;
use super::values::{ConnId, FileId, FileRange, Flow};

/// One sendfile per connection and turn, of at most this many bytes: larger bursts cost more per byte, smaller ones too.
pub(super) const BURST: u64 = 256 * 1024;

/// How much is asked of the disk at once.
const ADVICE: u64 = 64 * 1024;

/// A connection's held output.
pub(super) struct Output {
    page: PageId,
    start: u32,
    end: u32,
    file: Option<FileRange>,
    /// What its service has said of it, in a page of the least size, and the lengths of the two texts.
    note: PageId,
    lengths: (u8, u8),
    /// How often the disk was asked for the next piece of the file; 1 if it had to be asked for one before.
    probes: u16,
    /// Bytes the kernel took since the output was begun.
    sent: u64,
    /// What the peer had taken of those when the rate was last looked at, or when the socket was first full: below
    /// zero by what lay in the kernel from earlier replies.
    mark: Option<i64>,
}

impl Output {
    /// What the peer has taken: bytes that lie in the kernel's buffer are not taken yet.
    fn taken(&self, conn: &Conn) -> i64 {
        let waiting = gorgon_sys::unacknowledged(conn.fd.as_fd()).unwrap_or(0);
        self.sent as i64 - waiting as i64
    }
}

/// All held output.
pub(super) type Outputs = Slab<Output>;

const EMPTY: Output = Output {
    page: PageId::NONE,
    start: 0,
    end: 0,
    file: None,
    note: PageId::NONE,
    lengths: (0, 0),
    probes: 0,
    sent: 0,
    mark: None,
};

/// The most bytes that are kept of each of the two texts of a note.
const NOTED: usize = 128;

impl Loop {
    /// Sends the parts in one call, if nothing is held before them; what the socket does not take is kept.
    pub(super) fn transmit(&mut self, id: ConnId, first: &[u8], rest: &[&[u8]]) -> Flow {
        let Some(conn) = self.slots.get(id) else { return Flow::Dead };
        let total = first.len() + rest.iter().map(|part| part.len()).sum::<usize>();
        let mut sent = 0;
        if conn.output == NONE && !conn.flags.has(Flags::BLOCKED) {
            let fd = conn.fd.as_fd();
            let outcome = match (first.is_empty(), rest) {
                (false, []) => send(fd, first),
                (true, [only]) => send(fd, only),
                _ => send_parts(fd, first, rest),
            };
            match outcome {
                Io::Done(count) => sent = count,
                Io::Blocked => {}
                Io::Ended | Io::Failed(_) => {
                    self.lost = self.lost.saturating_add(total as u64);
                    return Flow::Dead;
                }
            }
            add_sent(&mut self.services, conn.service, sent as u64);
            if sent == total {
                return Flow::Done;
            }
        }
        let mut lost = 0;
        for part in core::iter::once(first).chain(rest.iter().copied()) {
            let left = part.get(sent.min(part.len())..).unwrap_or(&[]);
            sent -= part.len() - left.len();
            if !left.is_empty() && (lost > 0 || !self.keep_output(id, left)) {
                lost += left.len() as u64;
            }
        }
        if lost > 0 {
            self.lost = self.lost.saturating_add(lost);
            return Flow::Dead;
        }
        self.blocked(id)
    }

    /// The socket is full: notes it, and what the peer has taken so far.
    fn blocked(&mut self, id: ConnId) -> Flow {
        let Some(conn) = self.slots.get_mut(id) else { return Flow::Dead };
        conn.flags.set(Flags::BLOCKED);
        if let Some(output) = self.outputs.get_mut(conn.output) {
            if output.mark.is_none() {
                output.mark = Some(output.taken(conn));
            }
        }
        Flow::Held
    }

    /// Appends bytes to what is held.
    fn keep_output(&mut self, id: ConnId, bytes: &[u8]) -> bool {
        let Some(number) = self.output_of(id) else { return false };
        let Some(output) = self.outputs.get_mut(number) else { return false };
        let (start, end) = (output.start as usize, output.end as usize);
        let length = end - start + bytes.len();
        if self.pages.get(output.page).len() < end + bytes.len() {
            if output.page == PageId::NONE && self.pages.is_overdrawn() {
                // All memory for pages is lent, and a quarter more, and here is a peer that takes less than it asks for.
                return false;
            }
            let Some(page) = self.pages.grow(output.page, start..end, length) else { return false };
            output.page = page;
            output.start = 0;
            output.end = (end - start) as u32;
        }
        let at = output.end as usize;
        let Some(room) = self.pages.get_mut(output.page).get_mut(at..at + bytes.len()) else { return false };
        room.copy_from_slice(bytes);
        output.end += bytes.len() as u32;
        true
    }

    /// Begins to send a file after all that is held. The range's hold on its file passes to the connection.
    pub(super) fn hold_file(&mut self, id: ConnId, range: FileRange) -> Flow {
        let Some(number) = self.output_of(id) else {
            self.files.release(range.file);
            self.lost = self.lost.saturating_add(range.left);
            return Flow::Dead;
        };
        if let Some(output) = self.outputs.get_mut(number) {
            if let Some(before) = output.file.replace(range) {
                // A service gave two files without waiting for the first: its bytes are lost, so the reply is too.
                self.files.release(before.file);
                self.lost = self.lost.saturating_add(before.left);
                return Flow::Dead;
            }
        }
        if self.slots.get(id).is_some_and(|conn| conn.flags.has(Flags::BLOCKED)) {
            return Flow::Held;
        }
        self.advance(id)
    }

    /// The number of a connection's held output, begun if there is none.
    fn output_of(&mut self, id: ConnId) -> Option<u32> {
        let conn = self.slots.get_mut(id)?;
        if conn.output == NONE {
            conn.output = self.outputs.insert(EMPTY).ok()?;
        }
        Some(conn.output)
    }

    /// The bytes that are held of a connection, without its file.
    pub(super) fn held(&self, conn: &Conn) -> u64 {
        self.outputs.get(conn.output).map_or(0, |output| (output.end - output.start).into())
    }

    /// The bytes of the pages that are lent for its output.
    pub(super) fn output_pages(&self, conn: &Conn) -> usize {
        let output = self.outputs.get(conn.output);
        output.map_or(0, |output| Pages::size(output.page) + Pages::size(output.note))
    }

    /// Keeps two texts, or their fronts, with the output that is held. Nobody waits for memory for their sake: all of
    /// them together never have more than a quarter of the pages.
    #[cold]
    pub(super) fn note_output(&mut self, id: ConnId, first: &[u8], second: &[u8]) {
        let number = self.slots.get(id).map_or(NONE, |conn| conn.output);
        let Some(output) = self.outputs.get_mut(number) else { return };
        if output.note == PageId::NONE {
            if !self.pages.has_plenty() {
                return;
            }
            let Some(page) = self.pages.take(2 * NOTED) else { return };
            output.note = page;
        }
        let front = |text: &[u8]| text.len().min(NOTED) as u8;
        output.lengths = (front(first), front(second));
        let room = self.pages.get_mut(output.note);
        room.iter_mut().zip(first.iter().take(NOTED)).for_each(|(to, from)| *to = *from);
        room.iter_mut().skip(NOTED).zip(second.iter().take(NOTED)).for_each(|(to, from)| *to = *from);
    }

    /// What was kept by [`Loop::note_output`].
    pub(super) fn noted(&self, conn: &Conn) -> Option<(&[u8], &[u8])> {
        let output = self.outputs.get(conn.output).filter(|output| output.note != PageId::NONE)?;
        let (first, second) = self.pages.get(output.note).split_at_checked(NOTED)?;
        Some((first.get(..output.lengths.0.into())?, second.get(..output.lengths.1.into())?))
    }

    /// The file that a connection is sent, and how much of it is left.
    pub(super) fn file_held(&self, conn: &Conn) -> Option<(u64, FileId)> {
        let range = self.outputs.get(conn.output)?.file.as_ref()?;
        Some((range.left, range.file))
    }

    /// Bytes of what is held, its file's included.
    pub(super) fn unsent(&self, id: ConnId) -> u64 {
        let number = self.slots.get(id).map_or(NONE, |conn| conn.output);
        let Some(output) = self.outputs.get(number) else { return 0 };
        let file = output.file.as_ref().map_or(0, |range| range.left);
        file.saturating_add(u64::from(output.end - output.start))
    }

    /// Within `on_close`: how many bytes that were produced for the connection the kernel did not take.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Sends of what is held as much as one turn allows.
    pub(super) fn advance(&mut self, id: ConnId) -> Flow {
        let Some(conn) = self.slots.get_mut(id) else { return Flow::Dead };
        conn.flags.clear(Flags::BLOCKED);
        let Some(output) = self.outputs.get_mut(conn.output) else { return Flow::Done };
        let (start, end) = (output.start as usize, output.end as usize);
        if start < end {
            let limit = (1usize << conn.write_size).max(512);
            let bytes = self.pages.get(output.page).get(start..end).unwrap_or(&[]);
            let bytes = bytes.get(..limit.min(bytes.len())).unwrap_or(bytes);
            let asked = bytes.len();
            match send(conn.fd.as_fd(), bytes) {
                Io::Done(count) => {
                    output.start += count as u32;
                    output.sent += count as u64;
                    add_sent(&mut self.services, conn.service, count as u64);
                    if count < asked {
                        return self.blocked(id);
                    }
                }
                Io::Blocked => return self.blocked(id),
                Io::Ended | Io::Failed(_) => return Flow::Dead,
            }
            if output.start < output.end {
                self.go_on_later(id);
                return Flow::Held;
            }
            let page = core::mem::replace(&mut output.page, PageId::NONE);
            (output.start, output.end) = (0, 0);
            self.pages.give(page);
        }
        if output.file.is_some() {
            return self.advance_file(id);
        }
        self.drop_output(id);
        Flow::Done
    }

    /// Sends one burst of the held file.
    fn advance_file(&mut self, id: ConnId) -> Flow {
        let Some(conn) = self.slots.get_mut(id) else { return Flow::Dead };
        let Some(output) = self.outputs.get_mut(conn.output) else { return Flow::Dead };
        let Some(range) = &mut output.file else { return Flow::Dead };
        let Some(file) = self.files.get(range.file) else { return Flow::Dead };
        let mut burst = range.left.min(BURST);
        let end = range.at.saturating_add(burst);
        let mut forced = false;
        if burst > 0 && self.disk.tells() && !self.files.is_warm(range.file, (range.at, end), self.now.tick) {
            let there = there_until(range.at, end, output.probes > 0, &mut |at| {
                read_at_cached(file, &mut [0], at) != Io::Blocked
            });
            forced = there == range.at && !self.disk.waits(output.probes);
            if there < end && !forced {
                // The others are served meanwhile. The kernel may take less of an advice than it was given, but never
                // all of a small one.
                for at in (there..end).step_by(ADVICE as usize) {
                    read_ahead(file, at, ADVICE.min(end - at));
                }
                output.probes = output.probes.saturating_add(1);
            }
            if there > range.at {
                burst = there - range.at;
                output.probes = output.probes.min(1);
                self.disk.told(true);
                self.files.set_warm(range.file, (range.at, there), self.now.tick);
            } else if !forced {
                self.counters.disk_waits += 1;
                self.go_on_after_disk(id);
                return Flow::Held;
            }
        }
        let Some(file) = self.files.get(range.file) else { return Flow::Dead };
        let within =
            self.services.get(usize::from(conn.service)).is_none_or(|service| service.limits.sendfile);
        let transfer = if within { sendfile } else { copy_file };
        let count = match transfer(conn.fd.as_fd(), file, range.at, burst as usize) {
            Io::Done(count) => count as u64,
            Io::Blocked => return self.blocked(id),
            // The file is shorter than it was: the promised length cannot be kept, and only closing says so.
            Io::Ended | Io::Failed(_) if burst > 0 => return Flow::Dead,
            Io::Ended | Io::Failed(_) => 0,
        };
        if count == 0 && burst > 0 {
            return Flow::Dead;
        }
        if forced {
            output.probes = 1;
            self.disk.told(read_at_cached(file, &mut [0], range.at) != Io::Blocked);
        }
        range.at += count;
        range.left -= count.min(range.left);
        output.sent += count;
        add_sent(&mut self.services, conn.service, count);
        if range.left == 0 {
            self.drop_output(id);
            return Flow::Done;
        }
        if count < burst {
            return self.blocked(id);
        }
        self.go_on_later(id);
        Flow::Held
    }

    /// Gives up what is held: pages, file and record.
    pub(super) fn drop_output(&mut self, id: ConnId) {
        let Some(conn) = self.slots.get_mut(id) else { return };
        let Some(output) = self.outputs.remove(core::mem::replace(&mut conn.output, NONE)) else { return };
        self.pages.give(output.page);
        self.pages.give(output.note);
        if let Some(range) = output.file {
            self.files.release(range.file);
        }
    }

    /// Whether the peer took at least `rate` bytes a second over `milliseconds`, since this was last asked. What lies
    /// in the kernel's buffer does not count as taken.
    pub(super) fn output_keeps_rate(&mut self, id: ConnId, rate: u64, milliseconds: u64) -> bool {
        let Some(conn) = self.slots.get(id) else { return false };
        let Some(output) = self.outputs.get_mut(conn.output) else { return true };
        let taken = output.taken(conn);
        let progress = taken.saturating_sub(output.mark.unwrap_or(0)).max(0) as u64;
        output.mark = Some(taken);
        progress.saturating_mul(1000) >= rate.saturating_mul(milliseconds)
    }
}

fn add_sent(services: &mut [ServiceState], service: u8, bytes: u64) {
    if let Some(state) = services.get_mut(usize::from(service)) {
        state.sent += bytes;
    }
}

fn send_parts(fd: gorgon_sys::BorrowedFd<'_>, first: &[u8], rest: &[&[u8]]) -> Io {
    let part = |index: usize| rest.get(index).copied().unwrap_or(&[]);
    let parts = [first, part(0), part(1), part(2), part(3)];
    let from = usize::from(first.is_empty());
    send_vectored(fd, parts.get(from..rest.len().min(4) + 1).unwrap_or(&[]))
}
