//! Byte ranges (RFC 9110 section 14): which pieces of a representation a request is for.
//!
//! What is not understood is ignored, and so is what asks for more than it can be worth: too many pieces, or more bytes
//! than there are. The answer to that is the whole, which is always right.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::conditional::if_range;
use super::etag::ETag;
use super::field::{Name, trim};
use super::method::Method;
use super::request::Request;
use crate::text::number::parse_decimal;
use crate::text::order::sort;

/// How many pieces one reply may have.
pub const MOST: usize = 16;
/// Pieces with fewer bytes than this between them are one: about what a part's own head costs.
const GAP: u64 = 80;

/// A piece that lies within its representation: at least one byte, from `first` up to, not including, `end`.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Range {
    /// The first byte's place.
    pub first: u64,
    /// The place after the last byte.
    pub end: u64,
}

impl Range {
    /// How many bytes it has.
    #[must_use]
    pub const fn length(self) -> u64 {
        self.end.saturating_sub(self.first)
    }
}

/// What a request is for.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Ranges {
    /// All of it: 200.
    Whole,
    /// Nothing that there is: 416.
    Unsatisfiable,
    /// One piece: 206.
    One(Range),
    /// Two pieces or more, [`MOST`] at most, in ascending order with a gap between each two: 206 as
    /// `multipart/byteranges`.
    Many(Box<[Range]>),
}

/// What `request` is for, of a representation of `size` bytes with this tag and time of change.
///
/// It is to be asked after the preconditions (section 13.2.2). Only GET has ranges (section 14.2).
#[inline]
#[must_use]
pub fn requested(request: &Request<'_>, etag: &ETag, modified: i64, size: u64) -> Ranges {
    if !request.has_any(Name::Range.mask()) || request.method() != Method::Get {
        return Ranges::Whole;
    }
    let mut conditions = request.values(Name::IfRange);
    let holds = match (conditions.next(), conditions.next()) {
        (None, _) => true,
        (Some(value), None) => if_range(value, Some(etag), Some(modified)),
        // Which of them counts is not for us to guess.
        (Some(_), Some(_)) => false,
    };
    let mut values = request.values(Name::Range);
    match (values.next(), values.next()) {
        (Some(value), None) if holds => parse(value, size),
        _ => Ranges::Whole,
    }
}

/// What `value`, a Range, asks for of a representation of `size` bytes.
#[must_use]
pub fn parse(value: &[u8], size: u64) -> Ranges {
    let Some((unit, set)) = value.split_at_checked(b"bytes=".len()) else { return Ranges::Whole };
    if !unit.eq_ignore_ascii_case(b"bytes=") {
        return Ranges::Whole;
    }
    let mut pieces: Vec<Range> = Vec::new();
    let (mut specified, mut sum) = (false, 0u64);
    for element in set.split(|&byte| byte == b',') {
        let element = trim(element);
        if element.is_empty() {
            // Section 5.6.1: to be let pass.
            continue;
        }
        let Some(piece) = resolve(element, size) else { return Ranges::Whole };
        specified = true;
        sum = sum.saturating_add(piece.length());
        if sum > size {
            return Ranges::Whole;
        }
        if piece.length() > 0 {
            pieces.push(piece);
        }
    }
    if !specified {
        return Ranges::Whole;
    }
    if size == 0 {
        // The end of an empty file can be had, and is all of it; no other answer could say so.
        return if is_suffix(set) { Ranges::Whole } else { Ranges::Unsatisfiable };
    }
    let mut places: Vec<u32> = (0..pieces.len() as u32).collect();
    let first = |place: u32| pieces.get(place as usize).map_or(0, |piece| piece.first);
    sort(&mut places, &mut |one, other| first(one) < first(other));
    coalesce(&mut places.iter().filter_map(|place| pieces.get(*place as usize)))
}

/// The one piece, or the few, that sorted pieces make.
fn coalesce(sorted: &mut dyn Iterator<Item = &Range>) -> Ranges {
    let mut list = [Range::default(); MOST];
    let mut count = 0usize;
    for &piece in sorted {
        let last = count.checked_sub(1).and_then(|last| list.get_mut(last));
        if let Some(last) = last.filter(|last| piece.first < last.end.saturating_add(GAP)) {
            last.end = last.end.max(piece.end);
            continue;
        }
        let Some(place) = list.get_mut(count) else { return Ranges::Whole };
        *place = piece;
        count += 1;
    }
    match list.get(..count).unwrap_or_default() {
        [] => Ranges::Unsatisfiable,
        [one] => Ranges::One(*one),
        many => Ranges::Many(many.into()),
    }
}

/// What one element names: `first-last`, `first-` or `-length`. It is empty where there is nothing, and `None` when the
/// element is wrong.
fn resolve(element: &[u8], size: u64) -> Option<Range> {
    let dash = element.iter().position(|&byte| byte == b'-')?;
    let (first, last) = element.split_at_checked(dash)?;
    let last = last.get(1..)?;
    if first.is_empty() {
        let length = number(last)?;
        return Some(Range { first: size.saturating_sub(length), end: size });
    }
    let first = number(first)?;
    let end =
        if last.is_empty() { size } else { number(last).filter(|&last| last >= first)?.saturating_add(1) };
    let end = end.min(size);
    Some(Range { first: first.min(end), end })
}

/// A number; one that is too large for us is beyond the end of every file.
fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(parse_decimal(digits).unwrap_or(u64::MAX))
}

/// Whether an element, of those that are right, asks for one byte or more from the end.
fn is_suffix(set: &[u8]) -> bool {
    set.split(|&byte| byte == b',')
        .any(|element| trim(element).strip_prefix(b"-").and_then(number).is_some_and(|length| length > 0))
}

#[cfg(test)]
mod tests {
    use super::Ranges::{Many, One, Unsatisfiable, Whole};
    use super::*;

    fn one(first: u64, end: u64) -> Ranges {
        One(Range { first, end })
    }

    fn many(list: &[(u64, u64)]) -> Ranges {
        Many(list.iter().map(|&(first, end)| Range { first, end }).collect())
    }

    #[test]
    fn one_piece() {
        for (value, of_1000, of_none) in [
            ("bytes=0-0", one(0, 1), Unsatisfiable),
            ("bytes=0-499", one(0, 500), Unsatisfiable),
            ("BYTES=500-999", one(500, 1000), Unsatisfiable),
            ("bytes=0-", one(0, 1000), Unsatisfiable),
            ("bytes=0-5000", one(0, 1000), Unsatisfiable),
            ("bytes=0-18446744073709551615", one(0, 1000), Unsatisfiable),
            ("bytes=0-99999999999999999999999", one(0, 1000), Unsatisfiable),
            ("bytes=999-", one(999, 1000), Unsatisfiable),
            ("bytes=007-08", one(7, 9), Unsatisfiable),
            ("bytes=1000-", Unsatisfiable, Unsatisfiable),
            ("bytes=1000-1000", Unsatisfiable, Unsatisfiable),
            ("bytes=18446744073709551615-", Unsatisfiable, Unsatisfiable),
            ("bytes=18446744073709551615-18446744073709551615", Unsatisfiable, Unsatisfiable),
            ("bytes=99999999999999999999999-", Unsatisfiable, Unsatisfiable),
            ("bytes=-1", one(999, 1000), Whole),
            ("bytes=-1000", one(0, 1000), Whole),
            ("bytes=-5000", one(0, 1000), Whole),
            ("bytes=-99999999999999999999999", one(0, 1000), Whole),
            ("bytes=-0", Unsatisfiable, Unsatisfiable),
            // Wrong, so not there.
            ("bytes=5-2", Whole, Whole),
            ("bytes=", Whole, Whole),
            ("bytes=-", Whole, Whole),
            ("bytes=,", Whole, Whole),
            ("bytes= , ,", Whole, Whole),
            ("bytes=--1", Whole, Whole),
            ("bytes=1--2", Whole, Whole),
            ("bytes=1-2-3", Whole, Whole),
            ("bytes=+1-2", Whole, Whole),
            ("bytes=1 -2", Whole, Whole),
            ("bytes=1- 2", Whole, Whole),
            ("bytes=0x1-2", Whole, Whole),
            ("bytes=1.0-2", Whole, Whole),
            ("bytes=a-b", Whole, Whole),
            ("bytes=1", Whole, Whole),
            ("bytes=0-1;", Whole, Whole),
            ("bytes =0-1", Whole, Whole),
            ("bytes 0-1", Whole, Whole),
            ("bytes", Whole, Whole),
            ("byte=0-1", Whole, Whole),
            ("bytess=0-1", Whole, Whole),
            ("items=0-1", Whole, Whole),
            ("0-1", Whole, Whole),
            ("", Whole, Whole),
        ] {
            assert_eq!(parse(value.as_bytes(), 1000), of_1000, "{value}");
            assert_eq!(parse(value.as_bytes(), 0), of_none, "{value} of nothing");
        }
        assert_eq!(parse(b"bytes=18446744073709551614-", u64::MAX), one(u64::MAX - 1, u64::MAX));
        assert_eq!(parse(b"bytes=-1", u64::MAX), one(u64::MAX - 1, u64::MAX));
    }

    #[test]
    fn several_pieces() {
        for (value, ranges) in [
            ("bytes=0-0,-1", many(&[(0, 1), (999, 1000)])),
            ("bytes=\t0-0 ,\t 500-599 ,", many(&[(0, 1), (500, 600)])),
            ("bytes=,,0-0,,500-599", many(&[(0, 1), (500, 600)])),
            // In ascending order, whatever order they were asked in.
            ("bytes=900-, 0-9, 500-509", many(&[(0, 10), (500, 510), (900, 1000)])),
            // 79 bytes between them are sent along, 80 are not.
            ("bytes=0-9,89-99", one(0, 100)),
            ("bytes=0-9,90-99", many(&[(0, 10), (90, 100)])),
            ("bytes=100-199,0-99", one(0, 200)),
            ("bytes=0-299,100-149", one(0, 300)),
            ("bytes=100-149,0-299", one(0, 300)),
            ("bytes=0-99,50-199,400-", many(&[(0, 200), (400, 1000)])),
            ("bytes=7-7,7-7,7-7", one(7, 8)),
            // What is not there is left out.
            ("bytes=0-9,1000-,2000-3000", one(0, 10)),
            ("bytes=0-9,-0,500-509", many(&[(0, 10), (500, 510)])),
            ("bytes=1000-,-0,5000-6000", Unsatisfiable),
            // One that is wrong spoils all.
            ("bytes=0-9,x", Whole),
            ("bytes=0-9,5-2", Whole),
            ("bytes=1000-,5-2", Whole),
            ("bytes=0-9 500-509", Whole),
            ("bytes=0-9;500-509", Whole),
            // More than there is.
            ("bytes=0-,0-", Whole),
            ("bytes=0-,-1", Whole),
            ("bytes=0-499,500-", one(0, 1000)),
            ("bytes=0-499,400-999", Whole),
            ("bytes=0-18446744073709551615,0-18446744073709551615", Whole),
        ] {
            assert_eq!(parse(value.as_bytes(), 1000), ranges, "{value}");
        }
        assert_eq!(parse(b"bytes=-5,0-", 0), Whole);
        assert_eq!(parse(b"bytes=0-,-0", 0), Unsatisfiable);
    }

    #[test]
    fn too_many_pieces() {
        let list = |count: u64, step: u64| {
            let all: Vec<String> = (0..count).map(|n| format!("{}-{}", n * step, n * step)).collect();
            ["bytes=", &all.join(",")].concat()
        };
        let Many(sixteen) = parse(list(16, 1000).as_bytes(), 1_000_000) else { panic!() };
        assert_eq!(sixteen.len(), 16);
        assert_eq!(parse(list(17, 1000).as_bytes(), 1_000_000), Whole);
        // They are counted when they are joined.
        assert_eq!(parse(list(1000, 10).as_bytes(), 1_000_000), one(0, 9991));
        let all = [list(1000, 1000), ",0-700000".into()].concat();
        assert_eq!(parse(all.as_bytes(), 1_000_000), Whole);
        let all = [list(700, 1000), ",0-700000".into()].concat();
        assert_eq!(parse(all.as_bytes(), 1_000_000), one(0, 700_001));
    }

    quickcheck::quickcheck! {
        fn pieces_lie_within_and_apart(text: Vec<u8>, size: u64) -> bool {
            let alphabet = b"0123456789,,,--- \t";
            let text: Vec<u8> = text.iter().map(|&byte| alphabet[usize::from(byte) % alphabet.len()]).collect();
            is_sound(&[b"bytes=", &text[..]].concat(), size % 2000) && is_sound(&text, size)
        }

        fn every_byte_asked_for_is_there(asked: Vec<(u16, u8)>, size: u16) -> bool {
            let size = u64::from(size);
            let asked: Vec<(u64, u64)> =
                asked.iter().map(|&(first, length)| (first.into(), u64::from(first) + u64::from(length))).collect();
            let list: Vec<String> = asked.iter().map(|(first, last)| format!("{first}-{last}")).collect();
            let value = format!("bytes={}", list.join(", "));
            let ranges = parse(value.as_bytes(), size);
            let pieces: Vec<Range> = match &ranges {
                Whole => return is_sound(value.as_bytes(), size),
                Unsatisfiable => Vec::new(),
                One(one) => vec![*one],
                Many(pieces) => pieces.to_vec(),
            };
            let has = |place| pieces.iter().any(|piece| piece.first <= place && place < piece.end);
            is_sound(value.as_bytes(), size)
                && asked.iter().all(|&(first, last)| (first..=last).all(|place| place >= size || has(place)))
        }
    }

    fn is_sound(value: &[u8], size: u64) -> bool {
        match parse(value, size) {
            Whole | Unsatisfiable => true,
            One(one) => one.first < one.end && one.end <= size,
            Many(list) => {
                (2..=MOST).contains(&list.len())
                    && list.iter().all(|piece| piece.first < piece.end && piece.end <= size)
                    && list.windows(2).all(|pair| pair[0].end + GAP <= pair[1].first)
            }
        }
    }
}
