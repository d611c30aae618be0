//! Lengths of time as an operator writes them: `200ms`, `10s`, `5m`, `2h`; a bare number is seconds.

use alloc::string::String;
use alloc::vec::Vec;

use super::number::{parse_decimal, push_decimal, push_decimal_str};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;

/// Reads a length of time, in milliseconds. `None` when it is not one, or exceeds `u64`.
#[must_use]
pub fn parse(text: &str) -> Option<u64> {
    let end = text.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at_checked(end)?;
    let factor = match unit {
        "ms" => 1,
        "" | "s" => SECOND,
        "m" => MINUTE,
        "h" => HOUR,
        _ => return None,
    };
    parse_decimal(digits.as_bytes())?.checked_mul(factor)
}

/// Appends a length of time, given in milliseconds, with the largest unit that loses nothing.
pub fn print(milliseconds: u64, out: &mut String) {
    let (factor, unit) = match milliseconds {
        0 => (SECOND, "s"),
        n if n % HOUR == 0 => (HOUR, "h"),
        n if n % MINUTE == 0 => (MINUTE, "m"),
        n if n % SECOND == 0 => (SECOND, "s"),
        _ => (1, "ms"),
    };
    push_decimal_str(milliseconds / factor, out);
    out.push_str(unit);
}

/// Appends a length of time, given in milliseconds, as seconds with as many decimals as there are: `12`, `0.25`.
#[inline(never)]
pub fn push_seconds(milliseconds: u64, out: &mut Vec<u8>) {
    push_decimal(milliseconds / SECOND, out);
    let mut rest = milliseconds % SECOND;
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        push_decimal(rest / 100, out);
        rest = rest % 100 * 10;
    }
}

/// A length of time that was measured, in milliseconds, as people want it: from 10 s on without the parts of a second.
/// Of a setting nothing may be lost.
#[must_use]
pub fn rounded(milliseconds: u64) -> u64 {
    if milliseconds < 10 * SECOND { milliseconds } else { milliseconds - milliseconds % SECOND }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_measured_is_rounded() {
        for (measured, told) in [(0, 0), (9_999, 9_999), (10_001, 10_000), (139_214, 139_000)] {
            assert_eq!(rounded(measured), told);
        }
    }

    #[test]
    fn seconds_have_the_decimals_that_there_are() {
        let mut seconds = Vec::new();
        for milliseconds in [0, 1, 20, 250, 300, 1010, 12_000, 61_000] {
            push_seconds(milliseconds, &mut seconds);
            seconds.push(b' ');
        }
        assert_eq!(seconds, b"0 0.001 0.02 0.25 0.3 1.01 12 61 ");
    }

    #[test]
    fn reads_and_prints() {
        for (text, milliseconds, printed) in [
            ("0", 0, "0s"),
            ("0ms", 0, "0s"),
            ("200ms", 200, "200ms"),
            ("1500ms", 1500, "1500ms"),
            ("2000ms", 2000, "2s"),
            ("10", 10_000, "10s"),
            ("10s", 10_000, "10s"),
            ("60s", 60_000, "1m"),
            ("90s", 90_000, "90s"),
            ("5m", 300_000, "5m"),
            ("120m", 7_200_000, "2h"),
        ] {
            assert_eq!(parse(text), Some(milliseconds), "{text}");
            let mut out = String::new();
            print(milliseconds, &mut out);
            assert_eq!(out, printed);
            assert_eq!(parse(&out), Some(milliseconds));
        }
    }

    #[test]
    fn refuses_what_is_not_a_time() {
        for text in
            ["", "s", "ms", "-1s", "1.5s", "10 s", " 1", "1d", "1S", "1é", "5mm", "18446744073709551615h"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
