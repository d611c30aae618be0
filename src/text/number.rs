//! Whole numbers as digits, without the formatting machinery.

use alloc::string::String;
use alloc::vec::Vec;

/// Room for the longest decimal `u64`, `18446744073709551615`.
const DECIMAL: usize = 20;

/// Appends `number` in decimal.
pub fn push_decimal(number: u64, out: &mut Vec<u8>) {
    let mut digits = [0u8; DECIMAL];
    out.extend_from_slice(decimal(number, &mut digits));
}

/// Appends `number` in decimal to a text.
pub fn push_decimal_str(number: u64, out: &mut String) {
    let mut digits = [0u8; DECIMAL];
    for &digit in decimal(number, &mut digits) {
        out.push(char::from(digit));
    }
}

/// Appends `number` in lower-case hexadecimal, without leading zeros.
pub fn push_hex(number: u64, out: &mut Vec<u8>) {
    let nibbles = (64 - number.leading_zeros()).div_ceil(4).max(1);
    for place in (0..nibbles).rev() {
        out.push(hex_digit((number >> (place * 4)) as u8, b'a'));
    }
}

/// Reads a number that is all decimal digits. `None` when it is empty, holds anything else, or exceeds `u64`.
#[must_use]
pub fn parse_decimal(text: &[u8]) -> Option<u64> {
    parse(text, 10)
}

/// Reads a number that is all hexadecimal digits of either case. `None` as for [`parse_decimal`].
#[must_use]
pub fn parse_hex(text: &[u8]) -> Option<u64> {
    parse(text, 16)
}

/// The value of one hexadecimal digit of either case.
#[must_use]
pub fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// The digit of the low four bits of `value`; `ten` is the letter for ten, `b'a'` or `b'A'`.
pub(crate) fn hex_digit(value: u8, ten: u8) -> u8 {
    let value = value & 15;
    if value < 10 { b'0' + value } else { ten + (value - 10) }
}

fn decimal(mut number: u64, digits: &mut [u8; DECIMAL]) -> &[u8] {
    let mut start = DECIMAL;
    for place in digits.iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
        start -= 1;
        if number == 0 {
            break;
        }
    }
    digits.get(start..).unwrap_or_default()
}

fn parse(text: &[u8], base: u8) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    let mut number = 0u64;
    for &byte in text {
        let digit = hex_value(byte).filter(|&digit| digit < base)?;
        number = number.checked_mul(base.into())?.checked_add(digit.into())?;
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(number: u64) -> (String, String) {
        let (mut decimal, mut hex) = (Vec::new(), Vec::new());
        push_decimal(number, &mut decimal);
        push_hex(number, &mut hex);
        let mut text = String::new();
        push_decimal_str(number, &mut text);
        assert_eq!(text.as_bytes(), decimal);
        (text, String::from_utf8(hex).unwrap())
    }

    #[test]
    fn agrees_with_the_standard_library() {
        let mut numbers = vec![0, u64::MAX, u64::MAX - 1];
        for shift in 0..64 {
            numbers.extend([1u64 << shift, (1u64 << shift) - 1, (1u64 << shift) | 5]);
        }
        for power in 0..20 {
            numbers.extend([10u64.pow(power), 10u64.pow(power) - 1]);
        }
        for number in numbers {
            let (decimal, hex) = both(number);
            assert_eq!(decimal, number.to_string());
            assert_eq!(hex, format!("{number:x}"));
            assert_eq!(parse_decimal(decimal.as_bytes()), Some(number));
            assert_eq!(parse_hex(hex.as_bytes()), Some(number));
            assert_eq!(parse_hex(hex.to_uppercase().as_bytes()), Some(number));
        }
    }

    #[test]
    fn refuses_what_is_not_a_number() {
        for text in
            ["", " 1", "1 ", "+1", "-1", "0x1", "1a", "18446744073709551616", "99999999999999999999999"]
        {
            assert_eq!(parse_decimal(text.as_bytes()), None, "{text}");
        }
        for text in ["", "g", "0x1", " 1", "-1", "10000000000000000"] {
            assert_eq!(parse_hex(text.as_bytes()), None, "{text}");
        }
        assert_eq!(parse_decimal(b"000018446744073709551615"), Some(u64::MAX));
    }
}
