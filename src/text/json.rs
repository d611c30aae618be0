//! Strings of JSON (RFC 8259, section 7).

use alloc::vec::Vec;

use super::number::hex_digit;
use super::unicode;

/// Appends `text` as a string, quotes and all. Bytes that are not UTF-8 become U+FFFD.
pub fn push_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    unicode::each_valid(text, &mut |valid| {
        for &byte in valid {
            match byte {
                b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
                0..=0x1f => {
                    let digits = [hex_digit(byte >> 4, b'a'), hex_digit(byte, b'a')];
                    out.extend_from_slice(b"\\u00");
                    out.extend_from_slice(&digits);
                }
                _ => out.push(byte),
            }
        }
    });
    out.push(b'"');
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
            (b"\0\x01\n\x1f\x7f", "\"\\u0000\\u0001\\u000a\\u001f\u{7f}\""),
            (b"a\xffb\xc3", "\"a\u{fffd}b\u{fffd}\""),
        ] {
            let mut out = Vec::new();
            push_string(text, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), written);
        }
    }
}
