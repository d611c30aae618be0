//! Tagged replies of a monitor, taken apart as they come. Pure, and holds nothing but the line that a part begins with.
//!
//! ```text
//!   Head ── "+TAG 12", "=TAG ok 12", "=TAG missing 30", "!TAG 12" ──▶ Body
//!     ▲                                                                │ so many bytes, told in pieces
//!     └────────────────────────────── Whole ──────────────────────────┘
//! ```

use alloc::string::String;
use alloc::vec::Vec;

use crate::text::number::parse_decimal;

/// The longest first line of a part, in bytes. A monitor that turns somebody away says so in an untagged line, which
/// has to fit too.
const HEAD: usize = 1024;

/// What a part is.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Kind {
    /// A part of a reply, with more to follow.
    Part,
    /// The last part of a reply that is well.
    Last,
    /// The message of a command that failed.
    Error,
    /// A sample of a watch.
    Push,
}

/// What came.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Event<'a> {
    /// Nothing yet: more bytes are needed.
    More,
    /// Bytes of the part that [`Framer::kind`] and [`Framer::tag`] tell of.
    Piece(&'a [u8]),
    /// That part is over.
    Whole,
}

/// Where in a reply the reader is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Head,
    /// So many bytes are to come.
    Body(u64),
}

/// The reader of replies.
pub struct Framer {
    state: State,
    head: Vec<u8>,
    kind: Kind,
    tag: String,
    code: String,
}

impl Default for Framer {
    fn default() -> Self {
        let (head, tag, code) = (Vec::new(), String::new(), String::new());
        Framer { state: State::Head, head, kind: Kind::Part, tag, code }
    }
}

impl Framer {
    /// What the part is whose bytes are told.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The tag of the request that it answers.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The code of an error.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }

    /// Takes what came; gives how many bytes of it were taken, and what they are. To be called again with the rest until
    /// it says `More`.
    ///
    /// # Errors
    /// The line that is no part's beginning, as far as it was read.
    pub fn next<'a>(&mut self, input: &'a [u8]) -> Result<(usize, Event<'a>), String> {
        match self.state {
            State::Body(0) => {
                self.enter(State::Head);
                Ok((0, Event::Whole))
            }
            State::Body(left) => {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(input.len());
                if length == 0 {
                    return Ok((0, Event::More));
                }
                self.enter(State::Body(left - length as u64));
                Ok((length, Event::Piece(input.get(..length).unwrap_or_default())))
            }
            State::Head => {
                let end = input.iter().position(|&byte| byte == b'\n');
                let line = input.get(..end.unwrap_or(input.len())).unwrap_or_default();
                let fits = self.head.len() + line.len() <= HEAD;
                if fits {
                    self.head.extend_from_slice(line);
                    if end.is_none() {
                        return Ok((line.len(), Event::More));
                    }
                }
                // Not before it is whole: a letter may be cut in two.
                let head = String::from_utf8_lossy(&core::mem::take(&mut self.head)).into_owned();
                let Some(end) = end.filter(|_| fits) else { return Err(head) };
                let Some(length) = self.begin(&head) else { return Err(head) };
                self.enter(State::Body(length));
                Ok((end + 1, Event::Piece(&[])))
            }
        }
    }

    fn enter(&mut self, state: State) {
        self.state = state;
    }

    /// Reads the first line of a part; gives the part's length.
    fn begin(&mut self, head: &str) -> Option<u64> {
        let sign = head.chars().next().filter(|_| head.is_ascii())?;
        let mut words = head.get(1..)?.split(' ');
        let tag = words.next().filter(|tag| !tag.is_empty())?;
        let code = if sign == '=' { words.next()? } else { "" };
        let length = parse_decimal(words.next()?.as_bytes())?;
        self.kind = match (sign, code) {
            ('+', _) => Kind::Part,
            ('!', _) => Kind::Push,
            ('=', "ok") => Kind::Last,
            ('=', code) if !code.is_empty() => Kind::Error,
            _ => return None,
        };
        if words.next().is_some() {
            return None;
        }
        self.tag.clear();
        self.tag.push_str(tag);
        self.code.clear();
        self.code.push_str(code);
        Some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Everything that pieces of input tell, one line a part.
    fn told(pieces: &[&[u8]]) -> String {
        let (mut framer, mut out, mut held) = (Framer::default(), String::new(), Vec::new());
        for piece in pieces {
            let mut rest = *piece;
            loop {
                match framer.next(rest) {
                    Ok((taken, Event::More)) => {
                        assert_eq!(taken, rest.len());
                        break;
                    }
                    Ok((taken, Event::Piece(bytes))) => {
                        held.extend_from_slice(bytes);
                        rest = &rest[taken..];
                    }
                    Ok((taken, Event::Whole)) => {
                        rest = &rest[taken..];
                        let text = String::from_utf8_lossy(&held);
                        out += &format!("{:?} {} {} {text:?}\n", framer.kind(), framer.tag(), framer.code());
                        held.clear();
                    }
                    Err(line) => return out + "broken " + &line,
                }
            }
        }
        out
    }

    const INPUT: &[u8] = b"+a 3\n1\n2=a ok 0\n!w.1 5\n=x +\n=b missing 7\nnothing=c ok 1\nx";
    const TOLD: &str = "Part a  \"1\\n2\"\nLast a ok \"\"\nPush w.1  \"=x +\\n\"\nError b missing \"nothing\"\nLast c ok \"x\"\n";

    #[test]
    fn parts_are_told_however_they_come() {
        assert_eq!(told(&[INPUT]), TOLD);
        for cut in 0..INPUT.len() {
            assert_eq!(told(&[&INPUT[..cut], &INPUT[cut..]]), TOLD, "{cut}");
        }
        assert_eq!(told(&INPUT.chunks(1).collect::<Vec<_>>()), TOLD);
    }

    #[test]
    fn what_is_no_part_is_told() {
        for line in [
            "error refused who are you",
            "",
            "+a",
            "+ 1",
            "+a x",
            "+a 1 2",
            "=a 1",
            "=a  1",
            "=a ok",
            "a 1",
            "+a 99999999999999999999",
            "\u{e9}",
            "+\u{e9} 1",
        ] {
            assert_eq!(told(&[line.as_bytes(), b"\n"]), ["broken ", line].concat());
        }
        let endless = [b'+'; 100];
        assert!(told(&[&endless[..]; 100]).starts_with("broken +"));
        assert_eq!(told(&[b"+a\xff"]), "");
        assert_eq!(told(&[b"+a\xff\n"]), "broken +a\u{fffd}");
    }

    #[test]
    fn a_line_is_no_part_wherever_it_is_cut() {
        // The first was found by fuzzing: valid up to its third letter, so the cut within that told it from the whole.
        let found = b"ge\xcd\x8a\xdf\x97D1\x17\x01\x03\x00@\x17\x01\x03\x00@\x00\x04";
        for line in [&found[..], "+\u{e9} 1".as_bytes(), b"\xff", b"=a ok \xc3"] {
            for end in ["", "\n"] {
                let line = [line, end.as_bytes()].concat();
                let whole = told(&[&line]);
                assert_eq!(whole.is_empty(), end.is_empty());
                for cut in 0..line.len() {
                    assert_eq!(told(&[&line[..cut], &line[cut..]]), whole, "{cut}");
                }
            }
        }
    }

    #[test]
    fn a_long_part_is_not_held() {
        let mut framer = Framer::default();
        assert!(framer.next(b"+a 18446744073709551615\n").is_ok());
        for _ in 0..1000 {
            assert_eq!(framer.next(&[0; 1000]), Ok((1000, Event::Piece(&[0; 1000]))));
        }
    }
}
