//! Which of a few media types a client would rather have, by its Accept fields (RFC 9110, section 12.5.1).

use super::field::{elements, eq_ignore_case, trim};

/// The place in `types` of the one the client prefers, by the values of its Accept fields.
///
/// The highest weight wins; of equal ones the type that was asked for by name, then by `type/*`, then by `*/*`; then the
/// one that stands first. A client that says nothing, or wants none of them, gets the first: a listing it did not ask
/// for helps it more than 406. Parameters but `q` are not looked at, and an element that is none is passed over.
#[must_use]
pub fn preferred(values: &mut dyn Iterator<Item = &[u8]>, types: &[&[u8]]) -> usize {
    let mut best = [Match::NONE; MOST];
    for element in values.flat_map(elements) {
        let Some((range, weight)) = read(element) else { continue };
        for (place, of) in best.iter_mut().zip(types) {
            let closeness = closeness(range, of);
            // The closest range tells the weight, be it a lower one.
            if closeness > place.closeness {
                *place = Match { closeness, weight };
            }
        }
    }
    let mut chosen = (0, Match::NONE);
    for (at, of) in best.into_iter().enumerate().take(types.len()) {
        if of.weight > 0 && (of.weight, of.closeness) > (chosen.1.weight, chosen.1.closeness) {
            chosen = (at, of);
        }
    }
    chosen.0
}

/// The most types to choose from; further ones are not looked at.
const MOST: usize = 4;

/// How a type was asked for: the closest range, and its weight in thousandths.
#[derive(Clone, Copy)]
struct Match {
    closeness: u8,
    weight: u16,
}

impl Match {
    const NONE: Match = Match { closeness: 0, weight: 0 };
}

/// How close a range comes to a type: 0 not at all, 1 `*/*`, 2 `type/*`, 3 the type.
fn closeness(range: &[u8], of: &[u8]) -> u8 {
    if eq_ignore_case(range, of) {
        return 3;
    }
    match range.strip_suffix(b"/*") {
        Some(b"*") => 1,
        Some(kind) => match of.split_at_checked(kind.len()) {
            Some((same, rest)) if rest.starts_with(b"/") && eq_ignore_case(same, kind) => 2,
            Some(_) | None => 0,
        },
        None => 0,
    }
}

/// A media range without its parameters, and its weight.
fn read(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.split(|&byte| byte == b';');
    let range = trim(parts.next()?);
    let mut weight = 1000;
    for part in parts {
        if let [b'q' | b'Q', b'=', value @ ..] = trim(part) {
            weight = thousandths(value)?;
        }
    }
    Some((range, weight))
}

/// A weight: `0` or `1`, and up to three decimals; no more than 1 (RFC 9110, section 12.4.2).
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, decimals) = match text {
        [whole] => (whole, &b""[..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    let mut number = match whole {
        b'0' => 0,
        b'1' => 1,
        _ => return None,
    };
    for place in 0..3 {
        let digit = decimals.get(place).copied().unwrap_or(b'0');
        if !digit.is_ascii_digit() {
            return None;
        }
        number = number * 10 + u16::from(digit - b'0');
    }
    (number <= 1000).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&[u8]; 2] = [b"text/html", b"application/json"];

    fn json(values: &[&str]) -> bool {
        preferred(&mut values.iter().map(|value| value.as_bytes()), &TYPES) == 1
    }

    #[test]
    fn preferences() {
        for (value, is_json) in [
            ("", false),
            ("*/*", false),
            ("text/html", false),
            ("application/json", true),
            ("APPLICATION/Json", true),
            ("application/*", true),
            ("application/json;charset=utf-8", true),
            ("application/json, text/plain, */*", true),
            ("text/html, application/json", false),
            ("application/json, text/html", false),
            ("text/html;q=0.9, application/json", true),
            ("text/html ; q=0.9 , application/json;q=0.8", false),
            ("text/*, application/json", true),
            ("text/*, application/*", false),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false),
            ("application/json;q=0", false),
            ("text/html;q=0, */*;q=0.1", true),
            ("application/json;q=0, */*", false),
            ("application/json;q=0.1, */*;q=0.5", false),
            ("image/png", false),
            ("text/html;q=0.001,application/json;q=0.002", true),
            ("application/json;q=2", false),
            ("application/json;q=1.001", false),
            ("application/json;q=0.1234", false),
            ("application/json;q=", false),
            ("application/json;q=.5", false),
            ("application/json;q=0.x", false),
            ("application/jsonp", false),
            ("application", false),
            ("application/", false),
            ("applicatio/*", false),
            ("/*", false),
            (",;,;q=1,/", false),
        ] {
            assert_eq!(json(&[value]), is_json, "{value}");
        }
        assert!(json(&["text/html;q=0.5", "application/json"]));
        assert!(!json(&[]));
    }

    quickcheck::quickcheck! {
        fn whatever_comes_one_is_chosen(values: Vec<Vec<u8>>) -> bool {
            preferred(&mut values.iter().map(|value| &value[..]), &TYPES) < TYPES.len()
        }
    }
}
