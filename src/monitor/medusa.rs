//! How Medusa talks once somebody is logged in: lines that end with CR LF, a prompt, and `BCNU` at the end. Stands between
//! a peer that expects that and a session that knows nothing of it. Pure.
//!
//! What a line is follows Medusa's `monitor.py`: bytes from 127 on are dropped, a backspace takes back the byte before
//! it, a line that is then empty is answered with another prompt, and `exit` or a lone Ctrl-D with the end. A line of
//! more than [`LINE_MAX`] bytes ends the session too.

use alloc::string::String;
use alloc::vec::Vec;

use super::failure::fill;
use crate::text::number::push_decimal_str;

/// The longest line, in bytes, without its end.
pub const LINE_MAX: usize = 1024;
/// What asks for a line.
pub const PROMPT: &[u8] = b">>> ";

/// What a piece of input is to the session.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Heard {
    /// Nothing yet.
    Nothing,
    /// An empty line: it gets a prompt.
    Empty,
    /// A line, with a line feed behind it.
    Line(Vec<u8>),
    /// It is over: [`super::login::FAREWELL`].
    Over,
}

/// Takes unread input, at most one line of it; gives how much it used and what it is. What it does not use comes again,
/// with more behind it.
#[must_use]
pub fn hear(input: &[u8]) -> (usize, Heard) {
    let within = input.get(..LINE_MAX + 2).unwrap_or(input);
    let end = within.iter().position(|byte| *byte == b'\n');
    let line = end.and_then(|end| within.get(..end)).unwrap_or(within);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    if line.len() > LINE_MAX {
        return (input.len(), Heard::Over);
    }
    let Some(end) = end else { return (0, Heard::Nothing) };
    let mut clean = Vec::with_capacity(line.len() + 1);
    for byte in line {
        match *byte {
            8 => _ = clean.pop(),
            127.. => {}
            byte => clean.push(byte),
        }
    }
    let heard = match &*clean {
        b"" => Heard::Empty,
        b"exit" | b"\x04" => Heard::Over,
        _ => {
            clean.push(b'\n');
            Heard::Line(clean)
        }
    };
    (end + 1, heard)
}

/// What is said to one who is in, before the first prompt. Medusa showed the session as Python does an object.
#[must_use]
pub fn welcome(process: u32, role: &str) -> String {
    let mut number = String::new();
    push_decimal_str(process.into(), &mut number);
    let text = concat!("Welcome to <gorgon ", env!("CARGO_PKG_VERSION"), ", process %, role %>\r\n");
    fill(text, &[&number, role])
}

/// Appends what a session says, with a carriage return before each line feed.
pub fn say(text: &[u8], out: &mut Vec<u8>) {
    for byte in text {
        if *byte == b'\n' {
            out.push(b'\r');
        }
        out.push(*byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Heard {
        Heard::Line([text, "\n"].concat().into_bytes())
    }

    #[test]
    fn lines_as_they_are_meant() {
        for (input, heard) in [
            ("help\r\n", line("help")),
            ("help\n", line("help")),
            ("a b\r\r\n", line("a b\r")),
            ("gex\x08t\r\n", line("get")),
            ("\x08\x08ls\r\n", line("ls")),
            ("ls\x7f\u{e9}\r\n", line("ls")),
            ("exit\r\n", Heard::Over),
            ("exitt\x08\n", Heard::Over),
            ("\x04\r\n", Heard::Over),
            ("\r\n", Heard::Empty),
            ("\n", Heard::Empty),
            ("x\x08\r\n", Heard::Empty),
            (" exit\n", line(" exit")),
            ("exit now\n", line("exit now")),
        ] {
            let whole = [input, "next\r\n"].concat();
            assert_eq!(hear(whole.as_bytes()), (input.len(), heard), "{input:?}");
            for cut in 0..input.len() {
                assert_eq!(hear(&input.as_bytes()[..cut]), (0, Heard::Nothing), "{input:?} {cut}");
            }
        }
    }

    #[test]
    fn a_line_has_an_end() {
        let long = "x".repeat(LINE_MAX);
        assert_eq!(hear(long.as_bytes()), (0, Heard::Nothing));
        for end in ["\n", "\r\n"] {
            let whole = [&long, end].concat();
            assert_eq!(hear(whole.as_bytes()), (whole.len(), line(&long)));
            assert_eq!(hear(&whole.as_bytes()[..LINE_MAX + end.len() - 1]), (0, Heard::Nothing));
        }
        for wrong in [[&long, "x"].concat(), [&long, "x\n"].concat(), [&long, "\rx"].concat()] {
            assert_eq!(hear(wrong.as_bytes()), (wrong.len(), Heard::Over));
        }
    }

    #[test]
    fn line_ends_are_told_in_full() {
        let mut out = Vec::new();
        say(b"one\ntwo\n\n", &mut out);
        assert_eq!(out, b"one\r\ntwo\r\n\r\n");
    }

    quickcheck::quickcheck! {
        fn any_input_is_used_or_waited_for(input: Vec<u8>) -> bool {
            let (used, heard) = hear(&input);
            used <= input.len() && (used == 0) == (heard == Heard::Nothing)
        }
    }
}
