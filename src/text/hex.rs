//! Bytes as pairs of hexadecimal digits.

use alloc::vec::Vec;

use super::number::{hex_digit, hex_value};

/// Appends bytes as pairs of hexadecimal digits.
pub fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.push(hex_digit(byte >> 4, b'a'));
        out.push(hex_digit(*byte, b'a'));
    }
}

/// The bytes that pairs of hexadecimal digits of either case stand for, as many as there are places.
#[must_use]
pub fn parse_hex<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    (read_hex(text, &mut bytes)? == N).then_some(bytes)
}

/// Reads pairs of hexadecimal digits into the front of a room; gives how many bytes they are.
pub fn read_hex(text: &[u8], room: &mut [u8]) -> Option<usize> {
    if text.len() % 2 != 0 || text.len() / 2 > room.len() {
        return None;
    }
    for (place, pair) in room.iter_mut().zip(text.chunks_exact(2)) {
        let mut byte = 0;
        for &digit in pair {
            byte = byte << 4 | hex_value(digit)?;
        }
        *place = byte;
    }
    Some(text.len() / 2)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// As a text.
    pub(crate) fn hex(bytes: &[u8]) -> String {
        let mut out = Vec::new();
        push_hex(bytes, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn hexadecimal_there_and_back() {
        assert_eq!(parse_hex::<2>(b"00fF"), Some([0, 255]));
        for wrong in ["", "0", "00", "000", "000000", "0g00", "+100", " 000"] {
            assert_eq!(parse_hex::<2>(wrong.as_bytes()), None, "{wrong}");
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(parse_hex::<256>(hex(&all).as_bytes()).map(Vec::from), Some(all.clone()));
        assert_eq!(parse_hex::<256>(hex(&all).to_uppercase().as_bytes()).map(Vec::from), Some(all));
    }
}
