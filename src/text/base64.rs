//! Base64 (RFC 4648, section 4), one way: from text to bytes.

use alloc::vec::Vec;

/// The value of a letter of the alphabet.
fn value(letter: u8) -> Option<u32> {
    Some(u32::from(match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    }))
}

/// Appends the bytes that `text` stands for; says whether it stands for any. Padding may be missing, but not be wrong,
/// and bits that carry nothing are zero: no two texts stand for the same bytes but by their padding. `out` may hold some
/// bytes more when it does not.
#[must_use]
pub fn decode(text: &[u8], out: &mut Vec<u8>) -> bool {
    let letters = match text {
        [letters @ .., b'=', b'='] | [letters @ .., b'='] => letters,
        _ => text,
    };
    if letters.len() != text.len() && text.len() % 4 != 0 {
        return false;
    }
    out.reserve(letters.len() / 4 * 3 + 3);
    for group in letters.chunks(4) {
        let mut bits = 0;
        for letter in group {
            let Some(value) = value(*letter) else { return false };
            bits = bits << 6 | value;
        }
        // Four letters are three bytes, three are two with two bits over, two are one with four bits over.
        let (count, spare) = match group.len() {
            4 => (3, 0),
            3 => (2, 2),
            2 => (1, 4),
            _ => return false,
        };
        if bits & ((1 << spare) - 1) != 0 {
            return false;
        }
        let bytes = (bits >> spare).to_be_bytes();
        out.extend_from_slice(bytes.get(4 - count..).unwrap_or(&[]));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        decode(text.as_bytes(), &mut out).then_some(out)
    }

    #[test]
    fn the_vectors_of_the_rfc() {
        for (text, bytes) in [
            ("", ""),
            ("Zg==", "f"),
            ("Zm8=", "fo"),
            ("Zm9v", "foo"),
            ("Zm9vYg==", "foob"),
            ("Zm9vYmE=", "fooba"),
            ("Zm9vYmFy", "foobar"),
            ("QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin:open sesame"),
        ] {
            assert_eq!(decoded(text).as_deref(), Some(bytes.as_bytes()), "{text}");
            assert_eq!(decoded(text.trim_end_matches('=')).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(decoded("+/+/"), Some(vec![0xfb, 0xff, 0xbf]));
    }

    #[test]
    fn what_is_not_canonical_is_refused() {
        for text in [
            "=",
            "==",
            "===",
            "====",
            "Z",
            "Z===",
            "Zg=",
            "Zg===",
            "Zh==",
            "Zm9=",
            "Zm8==",
            "Zm9v=",
            "Zm9v==",
            "Zg==Zg==",
            "Z g=",
            "Zm9v\n",
            "Zm-_",
            "Zm9v\u{e9}",
            "Zg=g",
            "Zm9vY",
        ] {
            assert_eq!(decoded(text), None, "{text}");
        }
    }

    #[test]
    fn every_byte_has_one_text() {
        const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut found = std::collections::BTreeSet::new();
        for first in ALPHABET {
            for second in ALPHABET {
                let mut out = Vec::new();
                if decode(&[*first, *second], &mut out) {
                    assert!(out.len() == 1 && found.insert(out));
                }
            }
        }
        assert_eq!(found.len(), 256);
    }
}
