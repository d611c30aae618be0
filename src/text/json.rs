//! Strings of JSON (RFC 8259, section 7).

use alloc::vec::Vec;

use super::columns::is_command;
use super::number::hex_digit;
use super::unicode;

/// Appends `text` as a string, quotes and all. Bytes that are not UTF-8 become U+FFFD; what would do something to a
/// terminal ([`is_command`]) is written by its number, so that a string may be shown and still be the same.
pub fn push_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    unicode::each_valid(text, &mut |valid| {
        for letter in core::str::from_utf8(valid).unwrap_or_default().chars() {
            if is_command(letter) {
                out.extend_from_slice(&escape(letter));
                continue;
            }
            if matches!(letter, '"' | '\\') {
                out.push(b'\\');
            }
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
    });
    out.push(b'"');
}

/// A letter below U+10000 by its number, as `\u202e`.
pub(super) fn escape(letter: char) -> [u8; 6] {
    let digit = |shift: u32| hex_digit((u32::from(letter) >> shift) as u8, b'a');
    [b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings() {
        for (text, written) in [
            (&b""[..], "\"\""),
            (b"plain \xc3\xa9/<", "\"plain \u{e9}/<\""),
            (b"\"\\", "\"\\\"\\\\\""),
            (b"\0\x01\n\x1f\x7f", "\"\\u0000\\u0001\\u000a\\u001f\\u007f\""),
            (
                "\u{9b}\u{200f}\u{202e}\u{2069}\u{1f600}".as_bytes(),
                "\"\\u009b\\u200f\\u202e\\u2069\u{1f600}\"",
            ),
            (b"a\xffb\xc3", "\"a\u{fffd}b\u{fffd}\""),
        ] {
            let mut out = Vec::new();
            push_string(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
}
