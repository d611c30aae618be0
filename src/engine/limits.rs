//! What a service may have, and what is counted.

use super::values::{CLASSES, Timeout};

/// The limits of one service.
#[derive(Clone)]
pub struct Limits {
    /// Milliseconds of each timeout class; 0 is never. Class 0 is [`Timeout::WRITE`]: how often a held output's rate is
    /// looked at.
    pub timeouts: [u64; CLASSES],
    /// Bytes a second that a peer must take; 0 asks for none.
    pub rate_floor: u64,
    /// Connections at once.
    pub connections: usize,
    /// Connections at once from one address, 0 for any number; see
    /// [`Clients`](super::clients::Clients).
    pub per_address: u32,
    /// The addresses of peers will be asked for by [`Cx::client`](super::Cx::client): they are kept.
    pub addresses: bool,
    /// What a connection that is too many is told before it is closed.
    pub refusal: &'static [u8],
    /// Those beyond `connections` are told the refusal; otherwise they wait to be accepted.
    pub refuses: bool,
    /// The class of connections between requests: one that has been in it for a second makes room for a new one.
    pub idle: Timeout,
    /// Buffer sizes of the connections it makes itself, as powers of two.
    pub read_size: u8,
    /// See `read_size`.
    pub write_size: u8,
    /// Files go from the page cache to the socket within the kernel; otherwise they are read and sent.
    pub sendfile: bool,
    /// Its connections look on: a loop that drains does not wait for them.
    pub looks_on: bool,
}

impl Default for Limits {
    /// No limits, and nothing that costs anything.
    fn default() -> Limits {
        Limits {
            timeouts: [0; CLASSES],
            rate_floor: 0,
            connections: usize::MAX,
            per_address: 0,
            addresses: false,
            refusal: b"",
            refuses: false,
            idle: Timeout::NEVER,
            read_size: 12,
            write_size: 14,
            sendfile: true,
            looks_on: false,
        }
    }
}

/// What was counted since the program started.
#[derive(Clone, Copy, Default)]
pub struct Counters {
    /// Passes through the loop.
    pub turns: u64,
    /// Connections accepted.
    pub accepted: u64,
    /// Bytes received and sent.
    pub bytes_received: u64,
    /// See `bytes_received`.
    pub bytes_sent: u64,
    /// Connections that were too many, and were told so.
    pub refused: u64,
    /// Idle connections that were closed to make room.
    pub displaced: u64,
    /// Times a listener stopped accepting for want of room.
    pub pauses: u64,
    /// Times a file was not in the page cache and others were served meanwhile.
    pub disk_waits: u64,
    /// Times that input was left with the kernel because the pages ran out.
    pub page_waits: u64,
}

/// What was counted of one service since it was added.
#[derive(Clone, Copy, Default)]
pub struct ServiceCounters {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections that were too many, and were told so.
    pub refused: u64,
    /// Connections that are open.
    pub open: usize,
    /// Connections that were open.
    pub closed: u64,
    /// Bytes received and sent.
    pub bytes_received: u64,
    /// See `bytes_received`.
    pub bytes_sent: u64,
    /// Listeners that are open.
    pub listeners: usize,
    /// It takes no new connections, and finishes the requests of those it has.
    pub draining: bool,
}
