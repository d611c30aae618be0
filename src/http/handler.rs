//! What answers requests: [`Handler`], and what it can answer with, [`Reply`].
//!
//! A handler sees a request whose head is complete and whose path is decoded. It never sees a socket: its reply is a
//! value, and the exchange sends it. A reply from the cache is borrowed from the handler and leaves without a copy.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::engine::values::{ConnId, FileRange, Files, Now};
use crate::fs::VPath;

use super::date::DateText;
use super::facts::Tell;
use super::request::Request;
use super::status::Status;

/// What a handler gets beside the request.
pub struct Hx<'a> {
    /// The request's path, decoded and normalised.
    pub path: VPath<'a>,
    /// The connection it came on: who answers [`Reply::Wait`] has it woken.
    pub conn: ConnId,
    /// The bits of the peer's address, if it is known and not one of this host.
    pub client: Option<[u8; 16]>,
    /// The time of this turn.
    pub now: Now,
    /// The time as a `Date` field gives it.
    pub date: &'a DateText,
    /// The program finishes its requests and takes no new connections.
    pub draining: bool,
    /// The request's credentials were looked at, and are right.
    pub granted: bool,
    /// The table of open files.
    pub files: &'a mut Files,
}

/// One answerer in a server's list. The first that does not [`Reply::Pass`] answers (Medusa's rule).
pub trait Handler<W> {
    /// Called with each request that no handler before this one has answered.
    fn handle<'h>(&'h mut self, request: &Request<'_>, world: &mut W, hx: &mut Hx<'_>) -> Reply<'h, W>;

    /// Called every few seconds while there are connections: lets go what nobody asked for lately. Says whether it
    /// should be called again though there may be no connection.
    fn sweep(&mut self, _now: Now, _files: &mut Files) -> bool {
        false
    }

    /// Called once when it will not be asked again: gives back what it holds of the open files.
    fn retire(&mut self, _files: &mut Files) {}

    /// Whether it looks at [`Hx::client`].
    fn wants_addresses(&self) -> bool {
        false
    }

    /// Tells what it has counted itself, as facts of nodes with its name.
    fn inspect(&self, _name: &str, _out: Tell<'_>) {}
}

/// What a handler answers.
pub enum Reply<'h, W> {
    /// Not mine: the next handler is asked.
    Pass,
    /// A reply that lies ready: `head` bytes of status line and fields, the empty line, the body.
    Ready {
        /// All of it.
        whole: &'h [u8],
        /// The length of status line and fields, with the last field's CRLF and without the empty line.
        head: usize,
    },
    /// A reply that lies ready in two places.
    Piece {
        /// Status line and fields, without the empty line.
        head: &'h [u8],
        /// The body.
        body: &'h [u8],
    },
    /// A piece of a file.
    File {
        /// Status line and fields, without the empty line.
        head: &'h [u8],
        /// What follows. The reply's own hold on the file goes with it.
        range: FileRange,
    },
    /// A reply made for this request.
    Respond(Response<W>),
    /// Not known yet: the connection waits until it is woken, then the same request is asked again.
    Wait,
    /// The request's body is wanted; the sink answers when it has all of it. To a request that does not say how its body
    /// ends the answer is 411, and the sink is dropped.
    Upload(Box<dyn Sink<W>>),
}

/// A reply made for one request. `Date`, `Server`, `Connection` and the fields that frame the body are added to it.
pub struct Response<W> {
    /// The status.
    pub status: Status,
    /// Further fields, as they go out: lines that end with CRLF, written by [`super::response`].
    pub fields: Vec<u8>,
    /// The body.
    pub body: Body<W>,
}

/// A reply's body.
pub enum Body<W> {
    /// None: the status allows none, or its length is 0.
    Empty,
    /// The short page that goes with an error status, in the words of [`super::error_page`].
    Page,
    /// Bytes at hand.
    Bytes(Vec<u8>),
    /// Bytes made when there is room for them, chunked for those who understand it.
    Stream(Box<dyn Stream<W>>),
    /// As [`Body::Stream`], with its length known before: a stream that makes more or less ends the connection.
    Sized {
        /// The length in bytes.
        length: u64,
        /// Makes them.
        stream: Box<dyn Stream<W>>,
    },
}

impl<W> Response<W> {
    /// A reply with a status and its page.
    pub fn page(status: Status) -> Response<W> {
        Response { status, fields: Vec::new(), body: Body::Page }
    }

    /// A reply with a status and no body.
    pub fn empty(status: Status) -> Response<W> {
        Response { status, fields: Vec::new(), body: Body::Empty }
    }
}

/// What a stream did with the room it was given.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Fill {
    /// So many bytes were written, at least one; there is more.
    Some(usize),
    /// Nothing yet: the connection waits until it is woken.
    Pending,
    /// Nothing yet: the disk was asked for what comes next, and may have it in a moment.
    Disk,
    /// So many last bytes were written, perhaps none.
    End(usize),
    /// It cannot go on: the connection is closed, so that the reply is seen to be cut.
    Failed,
}

/// What a stream works with.
pub struct Means<'a, W> {
    /// What the whole program shares.
    pub world: &'a mut W,
    /// The table of open files.
    pub files: &'a mut Files,
    /// The time of this turn.
    pub now: Now,
}

/// A body that is made piece by piece, as the peer takes it.
pub trait Stream<W> {
    /// Called when there is room: at least 256 bytes.
    fn fill(&mut self, out: &mut [u8], means: &mut Means<'_, W>) -> Fill;

    /// Called once when the reply is over, whole or not: gives back what the stream holds of what others own too.
    fn end(&mut self, _means: &mut Means<'_, W>) {}
}

/// Takes a request's body.
pub trait Sink<W> {
    /// Called with each piece. An error ends the upload with that status, and the connection with it.
    ///
    /// # Errors
    /// The status to answer with.
    fn write(&mut self, data: &[u8], world: &mut W) -> Result<(), Status>;

    /// The longest body it takes, in bytes, where that is not the server's own limit. A longer one is answered 413.
    fn limit(&self) -> Option<u64> {
        None
    }

    /// Called when the body is complete. A sink that is dropped without this undoes what it did.
    fn finish(self: Box<Self>, now: Now, world: &mut W) -> Response<W>;
}
