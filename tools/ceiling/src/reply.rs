//! The constant reply, and the only thing that is looked for in a request: where its head ends.

use rustix::fd::OwnedFd;
use rustix::fs::fstat;
use rustix::io::Errno;

/// Constant replies are repeated in one buffer up to this many bytes, so that a batch leaves in one send.
const BATCH_BYTES: usize = 1024 * 1024;
/// And no more often than this, which is beyond any pipelining client in use.
const BATCH_REPLIES: usize = 64;

/// What every request is answered with.
pub enum Reply {
    /// Replies one after the other, each `length` bytes with its head.
    Constant {
        /// The repeated reply.
        batch: Vec<u8>,
        /// Bytes of one reply.
        length: usize,
        /// The end of the connection follows, and may leave in the same packet.
        close: bool,
    },
    /// A head, and a file behind it.
    File {
        /// The head, ended by an empty line.
        head: Vec<u8>,
        /// The body.
        file: OwnedFd,
        /// Bytes of the body.
        length: u64,
        /// The head leaves by itself.
        split: bool,
    },
}

fn head(length: u64, close: bool) -> Vec<u8> {
    let connection = if close { "Connection: close\r\n" } else { "" };
    // As long as what a static file server says of a file, or the comparison would not be fair.
    format!(
        "HTTP/1.1 200 OK\r\nServer: ceiling\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Type: text/plain\r\n\
         Content-Length: {length}\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\nETag: \"0-0\"\r\n\
         Accept-Ranges: bytes\r\n{connection}\r\n"
    )
    .into_bytes()
}

impl Reply {
    /// A reply whose body is `body` bytes of the letter x.
    pub fn constant(body: usize, close: bool) -> Reply {
        let mut one = head(body as u64, close);
        one.resize(one.len().saturating_add(body), b'x');
        let length = one.len();
        let times = (BATCH_BYTES / length).clamp(1, BATCH_REPLIES);
        Reply::Constant { batch: one.repeat(times), length, close }
    }

    /// A reply whose body is a file's content as long as it is now.
    pub fn file(file: OwnedFd, split: bool, close: bool) -> Result<Reply, Errno> {
        let length = u64::try_from(fstat(&file)?.st_size).unwrap_or(0);
        Ok(Reply::File { head: head(length, close), file, length, split })
    }

    /// Bytes of one whole reply.
    pub fn bytes(&self) -> u64 {
        match self {
            Reply::Constant { length, .. } => *length as u64,
            Reply::File { head, length, .. } => length.saturating_add(head.len() as u64),
        }
    }

    /// How far into a reply a connection is that is owed this many bytes.
    fn position(&self, owed: u64) -> u64 {
        let whole = self.bytes();
        match owed.checked_rem(whole) {
            None | Some(0) => 0,
            Some(rest) => whole.saturating_sub(rest),
        }
    }

    /// The bytes to send next; empty for a file.
    pub fn constant_piece(&self, owed: u64) -> &[u8] {
        let Reply::Constant { batch, .. } = self else { return &[] };
        let start = usize::try_from(self.position(owed)).unwrap_or(usize::MAX);
        let rest = batch.get(start..).unwrap_or_default();
        let wanted = usize::try_from(owed).unwrap_or(usize::MAX);
        rest.get(..wanted).unwrap_or(rest)
    }

    /// What of the head is to be sent next, and the offset in the file to go on from.
    pub fn file_piece(&self, owed: u64) -> (&[u8], u64) {
        let Reply::File { head, .. } = self else { return (&[], 0) };
        let position = self.position(owed);
        let start = usize::try_from(position).unwrap_or(usize::MAX);
        (head.get(start..).unwrap_or_default(), position.saturating_sub(head.len() as u64))
    }
}

/// How much of an empty line the bytes so far end with.
#[derive(Default)]
pub struct HeadEnds(u8);

impl HeadEnds {
    /// Counts the heads that end in these bytes, which follow those counted before.
    pub fn count(&mut self, bytes: &[u8]) -> u64 {
        let mut found = 0;
        for byte in bytes {
            self.0 = match (self.0, *byte) {
                (2, b'\r') => 3,
                (0 | 1 | 3.., b'\r') => 1,
                (1, b'\n') => 2,
                (3, b'\n') => {
                    found += 1;
                    0
                }
                (_, _) => 0,
            };
        }
        found
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;

    #[test]
    fn ends_of_heads_are_counted_however_the_bytes_are_cut() {
        let cases: [(&[u8], u64); 8] = [
            (b"", 0),
            (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 1),
            (b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n", 2),
            (b"\r\r\n\r\n", 1),
            (b"\r\n\r\r\n\r\n", 1),
            (b"\n\n\r\n\r", 0),
            (b"\r\n\r\n\r\n\r\n", 2),
            (b"\r\nx\r\n", 0),
        ];
        for (bytes, expected) in cases {
            for at in 0..=bytes.len() {
                let (first, second) = bytes.split_at(at);
                let mut ends = HeadEnds::default();
                assert_eq!(ends.count(first) + ends.count(second), expected, "{bytes:?} cut at {at}");
            }
        }
    }

    #[test]
    fn pieces_make_whole_replies_wherever_sending_stops() {
        let reply = Reply::constant(10, false);
        let whole = reply.bytes();
        let expected = reply.constant_piece(whole * 3).to_vec();
        assert_eq!(expected.len() as u64, whole * 3);
        for step in 1..=whole {
            let (mut owed, mut sent) = (whole * 3, Vec::new());
            while owed > 0 {
                let piece = reply.constant_piece(owed);
                let piece = piece.get(..usize::try_from(step).unwrap()).unwrap_or(piece);
                sent.extend_from_slice(piece);
                owed -= piece.len() as u64;
            }
            assert_eq!(sent, expected);
        }
    }

    #[test]
    fn more_replies_than_the_batch_holds_are_sent_in_several_pieces() {
        let reply = Reply::constant(2 * BATCH_BYTES, false);
        assert_eq!(reply.constant_piece(reply.bytes() * 5).len() as u64, reply.bytes());
    }
}
