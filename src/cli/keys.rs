//! Bytes of a terminal into keys. Pure: a byte in, perhaps a key out.
//!
//! ```text
//!              lead byte                 last byte
//!   Ground ──────────────▶ Letter ────────────────────▶ Ground
//!     │  ESC                    [            0x40..0x7e
//!     └──────▶ Escape ────────────▶ Sequence ──────────▶ Ground
//!                │   O               any
//!                ├─────────▶ Single ──────▶ Ground
//!                └── any other: a key with Meta ──▶ Ground
//! ```

/// What was pressed.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Key {
    /// A letter, sign or blank.
    Letter(char),
    /// With Ctrl: the small letter, or the sign.
    Control(u8),
    /// With Meta, which is Alt on most keyboards, or after Escape.
    Meta(char),
    /// Return.
    Enter,
    /// Tabulator.
    Tab,
    /// Deletes what is before the cursor.
    Backspace,
    /// Deletes what is under the cursor.
    Delete,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow with Ctrl or Meta.
    WordLeft,
    /// An arrow with Ctrl or Meta.
    WordRight,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A page back.
    PageUp,
    /// A page on.
    PageDown,
    /// Escape alone.
    Escape,
    /// Any other.
    Other,
}

/// Where the reader of keys is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum State {
    #[default]
    Ground,
    /// Within a letter of UTF-8 of so many bytes.
    Letter(u8),
    Escape,
    Sequence,
    Single,
}

/// The reader of keys.
#[derive(Default)]
pub struct Keys {
    state: State,
    /// The letter, or the parameters of the sequence; what does not fit is of no key known here.
    held: [u8; 8],
    length: u8,
}

impl Keys {
    /// Takes one byte; gives the key that it completes.
    pub fn push(&mut self, byte: u8) -> Option<Key> {
        match self.state {
            State::Ground => self.begin(byte),
            State::Letter(length) => {
                if byte & 0xc0 != 0x80 {
                    // What was begun is lost; this byte begins anew.
                    self.enter(State::Ground);
                    return self.begin(byte);
                }
                self.hold(byte);
                if self.length < length {
                    return None;
                }
                let letter = core::str::from_utf8(self.held()).ok().and_then(|text| text.chars().next());
                self.enter(State::Ground);
                Some(Key::Letter(letter.unwrap_or(char::REPLACEMENT_CHARACTER)))
            }
            State::Escape => match byte {
                b'[' => self.enter(State::Sequence),
                b'O' => self.enter(State::Single),
                0x1b => Some(Key::Escape),
                _ => {
                    self.enter(State::Ground);
                    Some(if byte.is_ascii() { Key::Meta(char::from(byte)) } else { Key::Other })
                }
            },
            State::Sequence => match byte {
                0x40..=0x7e => {
                    let key = sequence(self.held(), byte);
                    self.enter(State::Ground);
                    Some(key)
                }
                0x1b => self.enter(State::Escape),
                _ => {
                    self.hold(byte);
                    None
                }
            },
            State::Single => {
                self.enter(State::Ground);
                Some(sequence(b"", byte))
            }
        }
    }

    /// Whether an Escape waits for what follows it.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.state == State::Escape
    }

    /// Nothing followed for a while: an Escape that waits was a key by itself.
    pub fn settle(&mut self) -> Option<Key> {
        let alone = self.is_waiting();
        if alone {
            self.enter(State::Ground);
        }
        alone.then_some(Key::Escape)
    }

    fn begin(&mut self, byte: u8) -> Option<Key> {
        Some(match byte {
            b'\r' | b'\n' => Key::Enter,
            b'\t' => Key::Tab,
            0x08 | 0x7f => Key::Backspace,
            0x1b => return self.enter(State::Escape),
            0..=0x1f => Key::Control((byte | 0x40).to_ascii_lowercase()),
            0x20..=0x7e => Key::Letter(char::from(byte)),
            0xc2..=0xf4 => {
                let length = if byte < 0xe0 {
                    2
                } else if byte < 0xf0 {
                    3
                } else {
                    4
                };
                self.enter(State::Letter(length));
                self.hold(byte);
                return None;
            }
            0x80..=0xc1 | 0xf5..=0xff => Key::Letter(char::REPLACEMENT_CHARACTER),
        })
    }

    fn enter(&mut self, state: State) -> Option<Key> {
        self.state = state;
        self.length = 0;
        None
    }

    fn hold(&mut self, byte: u8) {
        if let Some(place) = self.held.get_mut(usize::from(self.length)) {
            *place = byte;
            self.length += 1;
        }
    }

    fn held(&self) -> &[u8] {
        self.held.get(..usize::from(self.length)).unwrap_or_default()
    }
}

/// The key of a sequence: its parameters and its last byte (xterm's, VT220's, the Linux console's and rxvt's).
fn sequence(parameters: &[u8], last: u8) -> Key {
    let modified = parameters.contains(&b';') || parameters == b"5";
    match (last, parameters) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if modified => Key::WordRight,
        (b'D', _) if modified => Key::WordLeft,
        (b'C', _) => Key::Right,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', b"1" | b"7") => Key::Home,
        (b'F', _) | (b'~', b"4" | b"8") => Key::End,
        (b'~', b"3") => Key::Delete,
        (b'~', b"5") => Key::PageUp,
        (b'~', b"6") => Key::PageDown,
        (b'M', b"") => Key::Enter,
        _ => Key::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        let mut found: Vec<Key> = bytes.iter().filter_map(|&byte| keys.push(byte)).collect();
        found.extend(keys.settle());
        found
    }

    #[test]
    fn knows_every_key() {
        use Key::*;
        for (bytes, wanted) in [
            (&b"a Z"[..], &[Letter('a'), Letter(' '), Letter('Z')][..]),
            (
                "\u{e9}\u{65e5}\u{1f600}".as_bytes(),
                &[Letter('\u{e9}'), Letter('\u{65e5}'), Letter('\u{1f600}')],
            ),
            (b"\x01\x1a\x00", &[Control(b'a'), Control(b'z'), Control(b'@')]),
            (b"\r\n\t\x7f\x08", &[Enter, Enter, Tab, Backspace, Backspace]),
            (b"\x1b[A\x1b[B\x1b[C\x1b[D\x1bOA\x1bOD", &[Up, Down, Right, Left, Up, Left]),
            (b"\x1b[1;5C\x1b[1;3D\x1b[5C", &[WordRight, WordLeft, WordRight]),
            (
                b"\x1b[H\x1bOH\x1b[1~\x1b[7~\x1b[F\x1bOF\x1b[4~\x1b[8~",
                &[Home, Home, Home, Home, End, End, End, End],
            ),
            (b"\x1b[3~\x1b[5~\x1b[6~\x1b[15~", &[Delete, PageUp, PageDown, Other]),
            (b"\x1bb\x1b\x7f\x1b", &[Meta('b'), Meta('\x7f'), Escape]),
            (b"\x1b\x1b[A", &[Escape, Up]),
            (b"\x1b[123456789012~x", &[Other, Letter('x')]),
            (b"\xffa\xc3b\xe6\x97\x1b[A", &[Letter('\u{fffd}'), Letter('a'), Letter('b'), Up]),
            (b"\xed\xa0\x80a", &[Letter('\u{fffd}'), Letter('a')]),
        ] {
            assert_eq!(keys(bytes), wanted, "{bytes:?}");
        }
    }
}
