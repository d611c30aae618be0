//! How text fills the columns of a terminal, and what of it may get there at all.

use alloc::string::String;

use super::number::hex_digit;

/// Letters that take two columns (Unicode's East Asian Width, W and F), as first and last of each range.
const WIDE: [(char, char); 13] = [
    ('\u{1100}', '\u{115f}'),
    ('\u{2e80}', '\u{303e}'),
    ('\u{3041}', '\u{a4cf}'),
    ('\u{a960}', '\u{a97c}'),
    ('\u{ac00}', '\u{d7a3}'),
    ('\u{f900}', '\u{faff}'),
    ('\u{fe30}', '\u{fe6f}'),
    ('\u{ff01}', '\u{ff60}'),
    ('\u{ffe0}', '\u{ffe6}'),
    ('\u{1f300}', '\u{1f64f}'),
    ('\u{1f680}', '\u{1f6ff}'),
    ('\u{1f900}', '\u{1f9ff}'),
    ('\u{20000}', '\u{3fffd}'),
];

/// Marks that go over the letter before them, and what takes no room.
const NARROW: [(char, char); 7] = [
    ('\u{300}', '\u{36f}'),
    ('\u{483}', '\u{489}'),
    ('\u{591}', '\u{5bd}'),
    ('\u{200b}', '\u{200d}'),
    ('\u{20d0}', '\u{20ff}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{fe20}', '\u{fe2f}'),
];

/// How many columns a letter takes: 0, 1 or 2. As most terminals have it; they do not agree on all.
#[must_use]
pub fn width(letter: char) -> usize {
    let within =
        |ranges: &[(char, char)]| ranges.iter().any(|&(first, last)| first <= letter && letter <= last);
    if letter < '\u{300}' {
        1
    } else if within(&NARROW) {
        0
    } else if within(&WIDE) {
        2
    } else {
        1
    }
}

/// How many columns a text takes.
#[must_use]
pub fn width_of(text: &str) -> usize {
    text.chars().map(width).sum()
}

/// The longest front of a text that takes no more than so many columns, and how many it takes.
#[must_use]
pub fn fitting(text: &str, columns: usize) -> (&str, usize) {
    let mut taken: usize = 0;
    for (at, letter) in text.char_indices() {
        let next = taken.saturating_add(width(letter));
        if next > columns {
            return (text.get(..at).unwrap_or_default(), taken);
        }
        taken = next;
    }
    (text, taken)
}

/// Whether a letter would do something to a terminal rather than show there: control characters of both sets, and those
/// that change the direction of what follows.
#[must_use]
pub fn is_command(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends a text as it may be shown: the bytes of what [`is_command`] tells as `\x1b`, and what is not UTF-8 as U+FFFD.
pub fn push_visible(text: &[u8], out: &mut String) {
    for chunk in text.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if !is_command(letter) {
                out.push(letter);
                continue;
            }
            for &byte in letter.encode_utf8(&mut [0; 4]).as_bytes() {
                out.push_str("\\x");
                out.push(char::from(hex_digit(byte >> 4, b'a')));
                out.push(char::from(hex_digit(byte, b'a')));
            }
        }
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Appends so many blanks.
pub fn push_blanks(count: usize, out: &mut String) {
    out.extend(core::iter::repeat_n(' ', count));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_have_widths() {
        for (text, wanted) in
            [("", 0), ("abc", 3), ("\u{e9}e\u{301}", 2), ("\u{65e5}\u{672c}", 4), ("\u{1f600}!", 3)]
        {
            assert_eq!(width_of(text), wanted, "{text}");
        }
        for ranges in [&WIDE[..], &NARROW[..]] {
            assert!(ranges.iter().all(|(first, last)| first <= last));
            assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }

    #[test]
    fn a_front_fits() {
        for (text, columns, front, taken) in [
            ("abc", 2, "ab", 2),
            ("abc", 3, "abc", 3),
            ("abc", 9, "abc", 3),
            ("a\u{65e5}b", 2, "a", 1),
            ("a\u{65e5}b", 3, "a\u{65e5}", 3),
            ("ae\u{301}b", 2, "ae\u{301}", 2),
            ("\u{65e5}", 0, "", 0),
        ] {
            assert_eq!(fitting(text, columns), (front, taken), "{text}");
        }
    }

    #[test]
    fn commands_are_shown_not_done() {
        let mut out = String::new();
        push_visible(b"a\x1b[31m\x07\x7f\n\xc3\xa9\xff\xc2\x9b\xe2\x80\xaez", &mut out);
        assert_eq!(out, "a\\x1b[31m\\x07\\x7f\\x0a\u{e9}\u{fffd}\\xc2\\x9b\\xe2\\x80\\xaez");
    }

    quickcheck::quickcheck! {
        fn nothing_shown_is_a_command(text: Vec<u8>) -> bool {
            let mut out = String::new();
            push_visible(&text, &mut out);
            !out.chars().any(is_command)
        }
    }
}
