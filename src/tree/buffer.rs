//! Sizes of buffers: fixed, or between two bounds.

use alloc::string::String;

use crate::text::size;
use crate::text::split::split_once;

/// The word before a range.
const AUTO: &str = "auto";

/// How large a buffer is: powers of two, as their exponents.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Buffer {
    /// It is 2 to this at first, and when little is to do.
    pub least: u8,
    /// It grows to 2 to this where that helps. The same as `least`: it is fixed.
    pub most: u8,
}

impl Buffer {
    /// A buffer of one size, 2 to the `exponent`.
    #[must_use]
    pub const fn fixed(exponent: u8) -> Buffer {
        Buffer { least: exponent, most: exponent }
    }

    /// Reads `64K`, `auto:4K..256K` or, with a blank, `auto 4K..256K`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Buffer> {
        let Some(range) = text.strip_prefix(AUTO) else { return exponent(text).map(Buffer::fixed) };
        let range = range.strip_prefix([' ', '\t', ':'])?.trim_matches([' ', '\t']);
        let (least, most) = split_once(range, "..")?;
        let (least, most) = (exponent(least)?, exponent(most)?);
        (least <= most).then_some(Buffer { least, most })
    }

    /// Appends it as [`Buffer::parse`] reads it.
    pub fn print(self, out: &mut String) {
        if self.least != self.most {
            out.push_str(AUTO);
            // With a blank it would be two words to who types it behind `set`.
            out.push(':');
            size::print(self.least_bytes(), out);
            out.push_str("..");
        }
        size::print(self.most_bytes(), out);
    }

    /// The least size, in bytes.
    #[must_use]
    pub fn least_bytes(self) -> u64 {
        1_u64.checked_shl(self.least.into()).unwrap_or(0)
    }

    /// The largest size, in bytes.
    #[must_use]
    pub fn most_bytes(self) -> u64 {
        1_u64.checked_shl(self.most.into()).unwrap_or(0)
    }

    /// Whether it keeps within bounds in bytes, both included.
    #[must_use]
    pub fn is_within(self, min: u64, max: u64) -> bool {
        min <= self.least_bytes() && self.most_bytes() <= max
    }
}

fn exponent(text: &str) -> Option<u8> {
    let size = size::parse(text).filter(|size| size.is_power_of_two())?;
    Some(size.trailing_zeros() as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_prints() {
        for (text, least, most, printed) in [
            ("512", 9, 9, "512"),
            ("64K", 16, 16, "64K"),
            ("65536", 16, 16, "64K"),
            ("auto 4K..256K", 12, 18, "auto:4K..256K"),
            ("auto:4K..256K", 12, 18, "auto:4K..256K"),
            ("auto \t 4K..256K ", 12, 18, "auto:4K..256K"),
            ("auto 4K..4K", 12, 12, "4K"),
        ] {
            let buffer = Buffer::parse(text).unwrap();
            assert_eq!(buffer, Buffer { least, most }, "{text}");
            let mut out = String::new();
            buffer.print(&mut out);
            assert_eq!(out, printed);
            assert_eq!(Buffer::parse(&out), Some(buffer));
        }
    }

    #[test]
    fn refuses_what_is_none() {
        for text in [
            "",
            "0",
            "3K",
            "4K..8K",
            "auto",
            "auto ",
            "auto4K..8K",
            "auto 4K",
            "auto 8K..4K",
            "auto 4K...8K",
            "auto 4K..",
            "auto ..8K",
            "auto 3K..8K",
            "auto 4K .. 8K",
            " 4K",
        ] {
            assert_eq!(Buffer::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn keeps_bounds() {
        let buffer = Buffer { least: 12, most: 18 };
        assert!(buffer.is_within(4096, 1 << 18));
        assert!(!buffer.is_within(4097, 1 << 18) && !buffer.is_within(512, 1 << 17));
    }
}
