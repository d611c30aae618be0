//! What a connection keeps of a request that is not answered in one go, and its three stages.
//!
//! ```text
//!             head complete
//!   (none) ─────────────────▶ (none)         no body, and the reply fits, or is a file: the usual case
//!      │
//!      ├──▶ Receiving ──┬──▶ (none)          the body goes to a sink, which then answers
//!      │                └──▶ Streaming
//!      ├──▶ Streaming ──┬──▶ (none)          the reply's body is made as the peer takes it
//!      │                └──▶ Discarding
//!      └──▶ Discarding ────▶ (none)          answered already: a body that nobody wants is read away
//! ```
//!
//! From each stage an error, or the peer's end, leads to the connection's end. Nothing here touches a socket.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::authorization;
use super::body::{BodyReader, BodyState};
use super::chunked;
use super::error_page::PageForm;
use super::handler::{Fill, Means, Sink, Stream};
use super::request::Request;
use super::status::Status;

/// Where an exchange is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Stage {
    /// The request's body goes to the sink.
    Receiving,
    /// The reply's body is being made.
    Streaming,
    /// The rest of the request's body is read and dropped.
    Discarding,
}

/// What is left to do for one request.
pub struct Exchange<W> {
    stage: Stage,
    body: BodyReader,
    sink: Option<Box<dyn Sink<W>>>,
    stream: Option<Box<dyn Stream<W>>>,
    framing: Framing,
    /// The shape of the reply that is still to come.
    pub shape: Shape,
    /// How many bytes of the body may still come.
    allowance: u64,
    /// Bytes of body since the rate was last looked at.
    received: u64,
    noted: Option<Box<Noted>>,
}

/// What can be told of a request while it is under way.
pub struct Noted {
    /// The front of its first line, as it was sent.
    pub line: Box<[u8]>,
    /// The name that its client was let in by; empty for none.
    pub user: Box<[u8]>,
}

/// The most bytes that are kept of a request's first line, and of a name.
const NOTED: usize = 128;

impl Noted {
    /// What can be told of a request. `granted`: its credentials are right.
    pub fn of(request: &Request<'_>, granted: bool) -> Noted {
        let front = |text: &[u8]| text.get(..NOTED).unwrap_or(text).into();
        let mut credentials = Vec::new();
        let known = granted && authorization::credentials(request, &mut credentials);
        let name = authorization::split(&credentials).filter(|_| known);
        let user = name.map_or(Box::default(), |(name, _)| front(name));
        credentials.fill(0);
        Noted { line: front(request.line().0), user }
    }
}

/// What the request says about the form of its reply.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// HTTP/1.1, so that a body of unknown length can be chunked.
    pub is_11: bool,
    /// Only the head is sent.
    pub head_only: bool,
    /// The connection ends with the reply.
    pub close: bool,
    /// The form of an error's page.
    pub page: PageForm,
}

/// A reply's body that is to be made, and how its end is told.
pub struct Made<W> {
    /// Makes it.
    pub stream: Box<dyn Stream<W>>,
    /// Tells its end.
    pub framing: Framing,
}

/// How the peer is told where a body that is being made ends.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Framing {
    /// By the chunked coding.
    Chunked,
    /// By the end of the connection.
    UntilClose,
    /// By its length, which the head has told: so many bytes are still to be made, no more and no less.
    Length(u64),
}

/// What came of input given to an exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Fed {
    /// More of the body is to come.
    More,
    /// The body is complete.
    Complete,
    /// The body is wrong, too long or not wanted: the status, if there is no reply yet.
    Refused(Status),
}

/// What came of room given to an exchange.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Pumped {
    /// There is more when there is room.
    More,
    /// Nothing now: wait until woken.
    Pending,
    /// Nothing now: try again when the disk may have answered.
    Disk,
    /// That was all.
    End,
    /// It cannot go on.
    Failed,
}

/// The largest head of a chunk: five digits are enough for what is made at once.
const CHUNK_HEAD: usize = 7;
/// The room a chunk needs beside its data: its head, its CRLF, and the last chunk.
const CHUNK_MARGIN: usize = CHUNK_HEAD + 2 + chunked::LAST_CHUNK.len();
/// So much of a body is given to its sink at once, if it is there.
const JOINED: usize = 4096;
/// The longest data of one chunk.
const CHUNK_DATA: usize = 0xf_ffff;

impl<W> Exchange<W> {
    /// An exchange whose body goes to a sink; `allowance` bounds the body.
    pub fn receiving(body: BodyReader, sink: Box<dyn Sink<W>>, shape: Shape, allowance: u64) -> Exchange<W> {
        Exchange { sink: Some(sink), ..Self::begin(Stage::Receiving, body, shape, allowance) }
    }

    /// An exchange that is answered, whose body nobody wants; `allowance` bounds what is read away.
    pub fn discarding(body: BodyReader, shape: Shape, allowance: u64) -> Exchange<W> {
        Self::begin(Stage::Discarding, body, shape, allowance)
    }

    /// An exchange whose reply has a body to be made. `body` is what the request has left of its own.
    pub fn streaming(body: BodyReader, made: Made<W>, shape: Shape, allowance: u64) -> Exchange<W> {
        Exchange {
            stream: Some(made.stream),
            framing: made.framing,
            ..Self::begin(Stage::Streaming, body, shape, allowance)
        }
    }

    fn begin(stage: Stage, body: BodyReader, shape: Shape, allowance: u64) -> Exchange<W> {
        let framing = Framing::UntilClose;
        Exchange {
            stage,
            body,
            sink: None,
            stream: None,
            framing,
            shape,
            allowance,
            received: 0,
            noted: None,
        }
    }

    /// The one place where the stage changes.
    fn enter(&mut self, stage: Stage) {
        self.stage = stage;
        self.received = 0;
    }

    /// Keeps what can be told of its request.
    pub fn note(&mut self, noted: Noted) {
        self.noted = Some(Box::new(noted));
    }

    /// What can be told of its request.
    pub fn noted(&self) -> Option<&Noted> {
        self.noted.as_deref()
    }

    /// Where it is.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Whether all of the request's body has come.
    pub fn has_whole_body(&self) -> bool {
        self.body.is_done()
    }

    /// Takes input while receiving or discarding; gives how much of it belongs to the body.
    pub fn feed(&mut self, input: &[u8], world: &mut W) -> (usize, Fed) {
        let mut used = 0;
        let mut joined = Vec::new();
        loop {
            let step = self.body.feed(input.get(used..).unwrap_or(&[]));
            let data = input.get(used + step.data.start..used + step.data.end).unwrap_or(&[]);
            used += step.used;
            self.received += step.used as u64;
            // What is wanted is bounded by its data, what is not by all that has to be read.
            let counted = if self.stage == Stage::Receiving { data.len() } else { step.used };
            let Some(left) = self.allowance.checked_sub(counted as u64) else {
                // What came before may be wrong first, however the input was cut.
                let fits = usize::try_from(self.allowance).unwrap_or(usize::MAX).min(data.len());
                joined.extend_from_slice(data.get(..fits).unwrap_or(&[]));
                let before = self.sink.as_mut().map_or(Ok(()), |sink| sink.write(&joined, world));
                return (used, Fed::Refused(before.err().unwrap_or(Status::CONTENT_TOO_LARGE)));
            };
            self.allowance = left;
            let over = step.state != BodyState::NeedMore || step.used == 0 || used >= input.len();
            if let Some(sink) = &mut self.sink {
                // Small chunks are written together.
                let alone = joined.is_empty() && (over || data.len() >= JOINED);
                if !alone {
                    joined.extend_from_slice(data);
                }
                let data = if alone { data } else { &joined[..] };
                if !data.is_empty() && (over || data.len() >= JOINED) {
                    if let Err(status) = sink.write(data, world) {
                        return (used, Fed::Refused(status));
                    }
                    joined.clear();
                }
            }
            match step.state {
                BodyState::Done => return (used, Fed::Complete),
                BodyState::Error => return (used, Fed::Refused(Status::BAD_REQUEST)),
                BodyState::NeedMore if over => return (used, Fed::More),
                BodyState::NeedMore => {}
            }
        }
    }

    /// The sink, once the body is complete: its reply is then sent by the same exchange, or without one.
    pub fn take_sink(&mut self) -> Option<Box<dyn Sink<W>>> {
        self.sink.take()
    }

    /// The reply has a body to be made.
    pub fn start_stream(&mut self, made: Made<W>) {
        self.stream = Some(made.stream);
        self.framing = made.framing;
        self.enter(Stage::Streaming);
    }

    /// Writes the next piece of the reply's body into `room`, with its framing; gives the bytes written. `room` has at
    /// least 512 bytes.
    pub fn pump(&mut self, room: &mut [u8], means: &mut Means<'_, W>) -> (usize, Pumped) {
        let Some(stream) = &mut self.stream else { return (0, Pumped::End) };
        if self.framing != Framing::Chunked {
            let (count, result) = match stream.fill(room, means) {
                Fill::Some(count) => (count, Pumped::More),
                Fill::Pending => (0, Pumped::Pending),
                Fill::Disk => (0, Pumped::Disk),
                Fill::End(count) => (count, Pumped::End),
                Fill::Failed => (0, Pumped::Failed),
            };
            if let Framing::Length(left) = &mut self.framing {
                // What came after it, or in place of what is missing, would be taken for another reply.
                match left.checked_sub(count as u64) {
                    Some(rest) if rest == 0 || result != Pumped::End => *left = rest,
                    Some(_) | None => return (0, Pumped::Failed),
                }
            }
            return (count, result);
        }
        let most = room.len().saturating_sub(CHUNK_MARGIN).min(CHUNK_DATA);
        let Some(data) = room.get_mut(CHUNK_HEAD..CHUNK_HEAD + most) else { return (0, Pumped::Failed) };
        let (count, result) = match stream.fill(data, means) {
            Fill::Some(count) => (count, Pumped::More),
            Fill::Pending => return (0, Pumped::Pending),
            Fill::Disk => return (0, Pumped::Disk),
            Fill::End(count) => (count, Pumped::End),
            Fill::Failed => return (0, Pumped::Failed),
        };
        let mut length = 0;
        if count > 0 {
            // The data is moved to where its head ends, which is known only now.
            let head = chunked::chunk_head(count);
            room.copy_within(CHUNK_HEAD..CHUNK_HEAD + count, head.len());
            put(room, 0, &head);
            length = head.len() + count;
            length = put(room, length, b"\r\n");
        }
        if result == Pumped::End {
            length = put(room, length, chunked::LAST_CHUNK);
        }
        (length, result)
    }

    /// The reply's body is all made: what is left of the request's own is read away.
    pub fn discard_rest(&mut self, means: &mut Means<'_, W>) {
        self.end(means);
        self.enter(Stage::Discarding);
    }

    /// Ends the reply's body, if it has one: to be called before an exchange is dropped.
    pub fn end(&mut self, means: &mut Means<'_, W>) {
        if let Some(mut stream) = self.stream.take() {
            stream.end(means);
        }
    }

    /// Whether the body came at `rate` bytes a second at least, over `milliseconds`, since this was last asked.
    pub fn keeps_rate(&mut self, rate: u64, milliseconds: u64) -> bool {
        let received = core::mem::take(&mut self.received);
        received.saturating_mul(1000) >= rate.saturating_mul(milliseconds)
    }
}

/// Writes bytes at a place; gives the place after them.
fn put(room: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    if let Some(place) = room.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
    at + bytes.len()
}

#[cfg(test)]
mod tests {
    use super::super::framing;
    use super::super::handler::Response;
    use super::*;
    use crate::engine::values::{Files, Now};

    /// Makes pieces of so many bytes.
    struct Script(alloc::vec::IntoIter<Fill>);

    impl Stream<()> for Script {
        fn fill(&mut self, out: &mut [u8], _means: &mut Means<'_, ()>) -> Fill {
            let next = self.0.next().unwrap();
            if let Fill::Some(count) | Fill::End(count) = next {
                out[..count].fill(b'x');
            }
            next
        }
    }

    /// Takes what has no `!` in it.
    struct Calm;

    impl Sink<()> for Calm {
        fn write(&mut self, data: &[u8], _world: &mut ()) -> Result<(), Status> {
            if data.contains(&b'!') { Err(Status::CONFLICT) } else { Ok(()) }
        }

        fn finish(self: Box<Self>, _now: Now, _world: &mut ()) -> Response<()> {
            unreachable!()
        }
    }

    #[test]
    fn of_two_things_that_are_wrong_the_first_is_told() {
        for (body, status) in [
            (&b"3\r\nab!\r\n9\r\nxxxxxxxxx\r\n"[..], Status::CONFLICT),
            (b"3\r\nabc\r\n9\r\nx!xxxxxxx\r\n", Status::CONFLICT),
            (b"3\r\nabc\r\n9\r\nxxxxxx!xx\r\n", Status::CONTENT_TOO_LARGE),
            (b"3\r\nab!\r\nx\r\n", Status::CONFLICT),
            (b"3\r\nabc\r\nx\r\n!", Status::BAD_REQUEST),
        ] {
            for cut in 0..=body.len() {
                let shape = Shape { is_11: true, head_only: false, close: false, page: PageForm::Text };
                let reader = BodyReader::new(framing::Framing::Chunked);
                let mut exchange = Exchange::receiving(reader, Box::new(Calm), shape, 8);
                let (front, rest) = body.split_at(cut);
                let (used, mut fed) = exchange.feed(front, &mut ());
                if fed == Fed::More {
                    fed = exchange.feed(&[&front[used..], rest].concat(), &mut ()).1;
                }
                assert_eq!(fed, Fed::Refused(status), "{} at {cut}", body.escape_ascii());
            }
        }
    }

    #[test]
    fn a_body_has_the_length_that_was_told() {
        for (length, script, results) in [
            (5, vec![Fill::Some(2), Fill::End(3)], vec![(2, Pumped::More), (3, Pumped::End)]),
            (5, vec![Fill::Some(5), Fill::End(0)], vec![(5, Pumped::More), (0, Pumped::End)]),
            (5, vec![Fill::Pending, Fill::End(5)], vec![(0, Pumped::Pending), (5, Pumped::End)]),
            (0, vec![Fill::End(0)], vec![(0, Pumped::End)]),
            (5, vec![Fill::Some(2), Fill::Failed], vec![(2, Pumped::More), (0, Pumped::Failed)]),
            // Too little, and too much.
            (5, vec![Fill::Some(2), Fill::End(2)], vec![(2, Pumped::More), (0, Pumped::Failed)]),
            (5, vec![Fill::Some(5), Fill::Some(1)], vec![(5, Pumped::More), (0, Pumped::Failed)]),
            (5, vec![Fill::End(6)], vec![(0, Pumped::Failed)]),
        ] {
            let made =
                Made { stream: Box::new(Script(script.into_iter())), framing: Framing::Length(length) };
            let shape = Shape { is_11: true, head_only: false, close: false, page: PageForm::Text };
            let mut exchange = Exchange::streaming(BodyReader::new(framing::Framing::None), made, shape, 0);
            for result in results {
                let (world, files) = (&mut (), &mut Files::default());
                let means = &mut Means { world, files, now: Now::default() };
                assert_eq!(exchange.pump(&mut [0; 512], means), result, "of {length}");
            }
        }
    }
}
