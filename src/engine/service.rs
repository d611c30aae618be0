//! What a protocol gives the loop, [`Service`], and what it gets while it is called, [`Cx`].

use core::any::Any;

use gorgon_sys::Credentials;

use super::client::Client;
use super::clients::ClientId;
use super::conn::{Conn, Flags};
use super::event_loop::Loop;
use super::gather::Gather;
use super::values::{ConnId, FileRange, Files, Flow, Key, Next, Now, Timeout};
use crate::tree::{About, Path, Value};

/// One configured server. `W` is what the whole program shares.
///
/// Of the methods that get a [`Cx`], at most one runs at a time, and nothing is delivered for a connection after its
/// `on_close`.
pub trait Service<W> {
    /// Called when a connection was accepted, or one that this service asked for was made.
    fn on_open(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next;

    /// Called with unread input, never empty. Gives how much of it was used; what is left is kept, and comes again in
    /// front of what follows. To use nothing and ask for [`Next::Read`] or [`Next::More`] means "not enough yet".
    fn on_bytes(&mut self, key: &mut Key, input: &[u8], world: &mut W, cx: &mut Cx<'_>) -> (usize, Next);

    /// Called when all output is out, after [`Next::Drain`] or after [`Loop::send`] answered [`Flow::Held`].
    fn on_drained(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next;

    /// Called after [`Loop::wake`].
    fn on_wake(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next;

    /// Called when a deadline passed. [`Next::More`] is taken as the same time again.
    fn on_timeout(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next;

    /// Called when the peer has ended its side. It may still read.
    fn on_end(&mut self, key: &mut Key, world: &mut W, cx: &mut Cx<'_>) -> Next;

    /// Called when a connection is gone, for whatever reason; also for one that could not be made.
    fn on_close(&mut self, key: Key, id: ConnId, world: &mut W, lp: &mut Loop);

    /// Called when a timer of [`Loop::set_timer`] fires; `service` is this service's own number.
    fn on_timer(&mut self, _token: u32, _service: u8, _world: &mut W, _lp: &mut Loop) {}

    /// Called after each batch of events, to do what was put off.
    fn settle(&mut self, _world: &mut W, _lp: &mut Loop) {}

    /// Itself, for whoever put it into the loop and changes it there: `Some(self)`.
    fn as_any(&mut self) -> Option<&mut dyn Any> {
        None
    }

    /// Called once, when it was added: `service` is its own number.
    fn on_added(&mut self, _service: u8) {}

    /// Called once, when it was removed and its last connection is gone: gives back what it holds of what others own.
    fn on_removed(&mut self, _world: &mut W, _lp: &mut Loop) {}

    /// Tells what it has counted: the node that a fact belongs to, whose name is within this service, the fact and its
    /// value. Each node's facts come together.
    fn inspect(&self, _out: &mut dyn FnMut(&Path<'_>, &'static About, Value)) {}

    /// Tells what is to be said of one of its connections: `state`, `request`, `user`, as far as it knows them.
    fn describe(&self, _seen: &Sight<'_>, _out: &mut dyn FnMut(&'static str, Value)) {}
}

/// A connection as one sees it from outside, while nobody serves it.
#[derive(Clone, Copy)]
pub struct Sight<'a> {
    /// Which one.
    pub id: ConnId,
    /// What its service keeps with it.
    pub key: Key,
    /// The timeout class that its service asked for last.
    pub class: Timeout,
    /// Output waits for the peer.
    pub sends: bool,
    /// Input was left unused.
    pub unread: bool,
    /// What its service said of the output that waits, by [`Cx::note`].
    pub noted: Option<(&'a [u8], &'a [u8])>,
}

/// The connection that is being served, as its service sees it.
pub struct Cx<'a> {
    pub(super) id: ConnId,
    pub(super) service: u8,
    pub(super) client: ClientId,
    pub(super) resume: u32,
    pub(super) lp: &'a mut Loop,
    pub(super) gather: &'a mut Gather,
}

impl Cx<'_> {
    /// This connection's id.
    pub fn id(&self) -> ConnId {
        self.id
    }

    /// Its peer, whose address is worked out when it is asked for.
    pub fn client(&self) -> Client<'_> {
        Client { lp: self.lp, id: self.id, service: self.service, place: self.client }
    }

    /// The number of this connection's service.
    pub fn service(&self) -> u8 {
        self.service
    }

    /// The time of this turn.
    pub fn now(&self) -> Now {
        self.lp.now
    }

    /// The loop, for what concerns other connections.
    pub fn lp(&mut self) -> &mut Loop {
        self.lp
    }

    /// The table of open files.
    pub fn files(&mut self) -> &mut Files {
        &mut self.lp.files
    }

    /// Whether the program, or this connection's service, finishes its requests and takes no new ones.
    pub fn draining(&self) -> bool {
        self.lp.drains(self.id)
    }

    /// Who the peer of a Unix socket is; nothing for one of another kind.
    pub fn credentials(&self) -> Option<Credentials> {
        self.lp.credentials(self.id)
    }

    /// Gathers bytes: they leave together when the call ends, or when the gather is full.
    pub fn write(&mut self, bytes: &[u8]) {
        self.gather.given += bytes.len();
        self.gather.produced += bytes.len() as u64;
        if !self.gather.push(bytes) {
            self.flush_with(&[bytes]);
        }
    }

    /// Sends what was gathered and these parts (at most four) at once, without copying them.
    pub fn write_last(&mut self, parts: &[&[u8]]) {
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        self.gather.given += length;
        self.gather.produced += length as u64;
        self.flush_with(parts);
    }

    /// Sends a file after all bytes written so far. Nothing may be written after it before the output is drained.
    pub fn write_file(&mut self, range: FileRange) {
        self.gather.produced = self.gather.produced.saturating_add(range.left);
        if let Some(before) = self.gather.file.replace(range) {
            self.lp.files.release(before.file);
            self.lp.lost = self.lp.lost.saturating_add(before.left);
            self.gather.dead = true;
        }
    }

    /// Lets a producer write at most `limit` bytes straight into the gather, between a margin before and one after them
    /// that it may fill when it knows the count. It is lent the open files too. Gives what `fill` gave.
    pub fn write_with<T>(
        &mut self,
        limit: usize,
        fill: impl FnOnce(&mut [u8], &mut Files) -> (usize, T),
    ) -> Option<T> {
        let limit = limit.min(Gather::ROOM);
        if self.gather.room().len() < limit {
            self.flush_with(&[]);
        }
        let (count, result) = fill(self.gather.room().get_mut(..limit)?, &mut self.lp.files);
        let count = count.min(limit);
        if let Some(conn) = self.lp.slots.get_mut(self.id) {
            // A producer may stop short of the end, for what comes next does not fit.
            conn.note_made(limit > 1 << conn.write_size >> 1 && count > limit - limit / 8);
        }
        self.gather.grow(count);
        self.gather.given += count;
        self.gather.produced += count as u64;
        Some(result)
    }

    /// Whether output waits for the peer, or was enough for one turn: then it is time to return. What is left of the
    /// input comes again, when the output is drained or others had their turn.
    pub fn held(&self) -> bool {
        self.gather.dead || self.gather.file.is_some() || self.gather.is_enough() || self.gather.held
    }

    /// The write buffer's size in bytes: how much a producer should make at a time.
    pub fn write_buffer(&self) -> usize {
        self.lp.slots.get(self.id).map_or(0, Conn::piece_size)
    }

    /// How far the parser has come with this call's input before, as it said by [`Cx::set_resume`]; 0 for new input.
    pub fn resume(&self) -> u32 {
        self.resume
    }

    /// Whether input was left unused by a call before this one.
    pub fn has_unread(&self) -> bool {
        let conn = self.lp.slots.get(self.id);
        conn.is_some_and(|conn| conn.input_length > 0 || conn.flags.has(Flags::STARVED))
    }

    /// The timeout class that its service asked for last.
    pub fn class(&self) -> Timeout {
        self.lp.slots.get(self.id).map_or(Timeout::NEVER, |conn| conn.class)
    }

    /// Notes how far into the input that this call leaves unused the parser need not look again.
    pub fn set_resume(&mut self, resume: u32) {
        if let Some(conn) = self.lp.slots.get_mut(self.id) {
            conn.resume = resume;
        }
    }

    /// Has `on_drained` called when the disk may have answered: return [`Next::Wait`] then.
    pub fn wait_for_disk(&mut self) {
        if let Some(conn) = self.lp.slots.get_mut(self.id) {
            conn.flags.set(Flags::NOTIFY);
            self.lp.counters.disk_waits += 1;
            self.lp.go_on_after_disk(self.id);
        }
    }

    /// Ends our side of the connection once all output is with the kernel. Call it from `on_drained`.
    pub fn end_output(&mut self) {
        if let Some(conn) = self.lp.slots.get(self.id) {
            let _gone = gorgon_sys::shutdown_write(gorgon_sys::AsFd::as_fd(&conn.fd));
        }
    }

    /// Whether the peer has ended its side.
    pub fn ended(&self) -> bool {
        self.lp.slots.get(self.id).is_some_and(|conn| conn.flags.has(Flags::ENDED))
    }

    /// Bytes that this call has produced so far, those of files included.
    pub fn produced(&self) -> u64 {
        self.gather.produced
    }

    /// Whether all of this connection's output is with the kernel.
    pub fn is_out(&self) -> bool {
        self.gather.is_empty() && self.gather.file.is_none() && !self.gather.dead && !self.gather.held
    }

    /// Sends what was written so far, as the end of the call would. Nothing may be written after it in the same call.
    /// Gives how many bytes of this connection's output are not with the kernel then.
    pub fn flush(&mut self) -> u64 {
        if !self.gather.is_empty() {
            self.flush_with(&[]);
        }
        if let Some(range) = self.gather.file.take() {
            if self.gather.dead {
                self.lp.files.release(range.file);
                self.lp.lost = self.lp.lost.saturating_add(range.left);
            } else {
                let flow = self.lp.hold_file(self.id, range);
                self.gather.note(flow);
            }
        }
        self.lp.lost.saturating_add(self.lp.unsent(self.id))
    }

    /// After [`Cx::flush`]: keeps the fronts of two texts, 128 bytes of each, with the output that waits for the peer. They
    /// are there for whoever looks at the connection until that is out.
    pub fn note(&mut self, first: &[u8], second: &[u8]) {
        self.lp.note_output(self.id, first, second);
    }

    /// Has `on_drained` called when all output is out, whatever this call asks for next; not if it is out already.
    pub fn notify_drained(&mut self) {
        if let Some(conn) = self.lp.slots.get_mut(self.id) {
            conn.flags.set(Flags::NOTIFY);
        }
    }

    /// Sends what was gathered: called by the loop when the service's call is over.
    pub(super) fn finish(&mut self) -> Flow {
        if !self.gather.is_empty() || self.gather.file.is_some() {
            self.flush();
        }
        if core::mem::take(&mut self.gather.dead) {
            Flow::Dead
        } else if self.gather.held {
            Flow::Held
        } else {
            Flow::Done
        }
    }

    fn flush_with(&mut self, parts: &[&[u8]]) {
        if !self.gather.dead {
            let flow = self.lp.transmit(self.id, self.gather.bytes(), parts);
            self.gather.note(flow);
        } else {
            let lost = self.gather.bytes().len() + parts.iter().map(|part| part.len()).sum::<usize>();
            self.lp.lost = self.lp.lost.saturating_add(lost as u64);
        }
        self.gather.clear();
    }
}
