//! Replies without a tag, as Gorgon gives them behind Medusa's login: their lines, then `ok` or `error CODE MESSAGE`. Pure,
//! and holds no more than one such line.

use alloc::string::String;
use alloc::vec::Vec;

use super::connection::Reply;
use crate::text::columns::push_visible;

/// The longest line of an error that is kept, in bytes.
const LINE: usize = 4096;
const WELL: &[u8] = b"ok";
const ERROR: &[u8] = b"error ";

/// Where in a line the reader is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// In the first bytes, which say what it is.
    #[default]
    Begin,
    /// In one of the reply's body.
    Body,
    /// In that of an error.
    Error,
}

/// The reader of one reply.
#[derive(Default)]
pub struct Untagged {
    state: State,
    held: Vec<u8>,
    /// How it ended, once it has.
    reply: Option<Reply>,
}

impl Untagged {
    /// Takes what came; tells what of it is the body.
    pub fn push(&mut self, bytes: &[u8], each: &mut dyn FnMut(&[u8])) {
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            let mut rest = part;
            if self.state == State::Begin {
                let room = ERROR.len().saturating_sub(self.held.len()).min(part.len());
                let (front, behind) = part.split_at_checked(room).unwrap_or((part, &[]));
                self.held.extend_from_slice(front);
                rest = behind;
                if self.held == ERROR {
                    self.state = State::Error;
                    self.held.clear();
                } else if self.held.ends_with(b"\n") && self.held.trim_ascii_end() == WELL {
                    self.reply = self.reply.take().or(Some(Reply::Done));
                    self.held.clear();
                } else if self.held.len() == ERROR.len() || self.held.ends_with(b"\n") {
                    self.state = State::Body;
                    each(&core::mem::take(&mut self.held));
                }
            }
            match self.state {
                State::Begin => {}
                State::Body if rest.is_empty() => {}
                State::Body => each(rest),
                State::Error => {
                    let room = LINE.saturating_sub(self.held.len()).min(rest.len());
                    self.held.extend_from_slice(rest.get(..room).unwrap_or_default());
                }
            }
            if part.ends_with(b"\n") {
                if self.state == State::Error {
                    self.fail();
                }
                self.state = State::Begin;
            }
        }
    }

    /// How the reply ended, if it has.
    #[must_use]
    pub fn end(self) -> Option<Reply> {
        self.reply
    }

    fn fail(&mut self) {
        let line = core::mem::take(&mut self.held);
        let line = line.trim_ascii_end();
        let blank = line.iter().position(|&byte| byte == b' ').unwrap_or(line.len());
        let (mut code, mut words) = (String::new(), String::new());
        push_visible(line.get(..blank).unwrap_or_default(), &mut code);
        push_visible(line.get(blank + 1..).unwrap_or_default(), &mut words);
        self.reply = Some(Reply::Error(code, words));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::borrow::ToOwned;

    fn read(pieces: &[&[u8]]) -> (String, Option<Reply>) {
        let (mut reader, mut body) = (Untagged::default(), Vec::new());
        pieces.iter().for_each(|piece| reader.push(piece, &mut |bytes| body.extend_from_slice(bytes)));
        (String::from_utf8(body).unwrap(), reader.end())
    }

    #[test]
    fn the_end_is_told_from_the_body() {
        let error = |code: &str, words: &str| Some(Reply::Error(code.to_owned(), words.to_owned()));
        for (input, body, reply) in [
            ("ok\r\n", "", Some(Reply::Done)),
            ("ok\n", "", Some(Reply::Done)),
            ("/http\r\n/o\r\nok\r\n", "/http\r\n/o\r\n", Some(Reply::Done)),
            ("  ok\r\n\r\n  error x\r\nok\r\n", "  ok\r\n\r\n  error x\r\n", Some(Reply::Done)),
            ("/a b=1\r\nerror missing no \x1b such\r\n", "/a b=1\r\n", error("missing", "no \\x1b such")),
            ("error odd\r\nok\r\n", "", error("odd", "")),
            ("ok, not\r\nokok\r\nerrors\r\n", "ok, not\r\nokok\r\nerrors\r\n", None),
            ("/cut", "", None),
            ("", "", None),
        ] {
            let wanted = (body.to_owned(), reply);
            assert_eq!(read(&[input.as_bytes()]), wanted, "{input:?}");
            for cut in 0..input.len() {
                let (one, other) = input.as_bytes().split_at(cut);
                assert_eq!(read(&[one, other]), wanted, "{input:?} {cut}");
            }
        }
    }

    #[test]
    fn no_line_is_held() {
        let mut reader = Untagged::default();
        for front in ["x", "\nerror x "] {
            reader.push(front.as_bytes(), &mut |_| {});
            for _ in 0..1000 {
                reader.push(&[b'x'; 1000], &mut |_| {});
                assert!(reader.held.len() <= LINE);
            }
        }
    }
}
