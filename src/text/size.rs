//! Sizes in bytes as an operator writes them: `512`, `4K`, `1M`, `2G`, `1T`; each letter is 1024 of the one before.

use alloc::string::String;
use alloc::vec::Vec;

use super::number::{parse_decimal, push_decimal, push_decimal_str};

const LETTERS: &[u8] = b"KMGT";

/// Reads a size; the letter may be of either case. `None` when it is not a size, or exceeds `u64`.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    let (&last, digits) = bytes.split_last()?;
    let Some(place) = LETTERS.iter().position(|&letter| letter == last.to_ascii_uppercase()) else {
        return parse_decimal(bytes);
    };
    let factor = 1u64 << (10 * (place + 1));
    parse_decimal(digits)?.checked_mul(factor)
}

/// Appends a size with the largest letter that loses nothing.
pub fn print(mut size: u64, out: &mut String) {
    let mut letter = None;
    for &next in LETTERS {
        if size == 0 || size % 1024 != 0 {
            break;
        }
        size /= 1024;
        letter = Some(next);
    }
    push_decimal_str(size, out);
    out.extend(letter.map(char::from));
}

/// Appends a size for people to read: `999`, `1.5 K`, `3 M`, `117 G`, rounded to a decimal below ten.
pub fn push_short(size: u64, out: &mut Vec<u8>) {
    if size < 1024 {
        return push_decimal(size, out);
    }
    // In 1024ths of the unit; a size that rounds to 1024 of a unit is 1 of the next.
    let mut parts = size;
    for (place, &letter) in SHORT_LETTERS.iter().enumerate() {
        let (tenths, whole) =
            (parts.saturating_mul(10).saturating_add(512) / 1024, parts.saturating_add(512) / 1024);
        if whole < 1024 || place + 1 == SHORT_LETTERS.len() {
            if tenths < 100 && tenths % 10 != 0 {
                push_decimal(tenths / 10, out);
                out.push(b'.');
                push_decimal(tenths % 10, out);
            } else {
                push_decimal(whole, out);
            }
            out.extend_from_slice(&[b' ', letter]);
            return;
        }
        parts /= 1024;
    }
}

/// The letters of [`push_short`].
const SHORT_LETTERS: &[u8] = b"KMGTPE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_people() {
        for (size, shown) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1 K"),
            (1536, "1.5 K"),
            (10_188, "9.9 K"),
            (10_200, "10 K"),
            (102_400, "100 K"),
            (1_048_063, "1023 K"),
            (1_048_064, "1 M"),
            (3 << 20, "3 M"),
            (117 << 30, "117 G"),
            (5 << 50, "5 P"),
            (u64::MAX, "16 E"),
        ] {
            let mut out = Vec::new();
            push_short(size, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), shown, "{size}");
        }
    }

    #[test]
    fn reads_and_prints() {
        for (text, size, printed) in [
            ("0", 0, "0"),
            ("512", 512, "512"),
            ("1024", 1024, "1K"),
            ("4K", 4096, "4K"),
            ("4k", 4096, "4K"),
            ("1536", 1536, "1536"),
            ("1025K", 1_049_600, "1025K"),
            ("1M", 1 << 20, "1M"),
            ("2G", 2 << 30, "2G"),
            ("1024G", 1 << 40, "1T"),
            ("2048T", 2 << 50, "2048T"),
        ] {
            assert_eq!(parse(text), Some(size), "{text}");
            let mut out = String::new();
            print(size, &mut out);
            assert_eq!(out, printed);
            assert_eq!(parse(&out), Some(size));
        }
    }

    #[test]
    fn refuses_what_is_not_a_size() {
        for text in
            ["", "K", "-1", "1.5K", "4KB", "4 K", " 4K", "1P", "99999999999999999999", "18014398509481984K"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
