//! Which media types a client takes, and which of a few it would rather have, by its Accept fields (RFC 9110, section 12.5.1).

use super::encoding;
use super::field::{elements, eq_ignore_case, trim};

/// The place in `types` of the one the client prefers, by the values of its Accept fields.
///
/// The highest weight wins; of equal ones the type that was asked for by name, then by `type/*`, then by `*/*`; then the
/// one that stands first. A client that says nothing, or wants none of them, gets the first that it does not refuse, or
/// else the first: a listing it did not ask for helps it more than 406. Parameters but `q` are not looked at, and an element that is none is passed over.
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
    let refused = |of: &Match| of.closeness > 0 && of.weight == 0;
    let other = best.iter().take(types.len()).position(|of| !refused(of)).unwrap_or(0);
    let mut chosen = (other, Match::NONE);
    for (at, of) in best.into_iter().enumerate().take(types.len()) {
        if of.weight > 0 && (of.weight, of.closeness) > (chosen.1.weight, chosen.1.closeness) {
            chosen = (at, of);
        }
    }
    chosen.0
}

/// Whether a type is asked for by name, or by `type/*`.
#[must_use]
pub fn names(values: &mut dyn Iterator<Item = &[u8]>, of: &[u8]) -> bool {
    values.flat_map(elements).any(|element| read(element).is_some_and(|(range, _)| closeness(range, of) > 1))
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
        if let part @ [b'q' | b'Q', b'=', ..] = trim(part) {
            weight = encoding::weight(part)?;
        }
    }
    Some((range, weight))
}

/// Whether a client takes `text/html`. `values` are those of its `Accept` fields; without any it takes all.
///
/// The nearest range counts, `text/html` before `text/*` before `*/*`, and of several that are equally near the
/// highest weight. Other parameters than the weight are not looked at. What is malformed is as if it were not there.
#[must_use]
pub fn takes_html(values: &mut dyn Iterator<Item = &[u8]>) -> bool {
    let mut any = false;
    let mut nearest = (0, 0);
    for element in values.inspect(|_| any = true).flat_map(elements) {
        let mut parts = element.split(|byte| *byte == b';');
        let range = trim(parts.next().unwrap_or_default());
        let near = if eq_ignore_case(range, b"text/html") {
            3
        } else if eq_ignore_case(range, b"text/*") {
            2
        } else if range == b"*/*" {
            1
        } else {
            continue;
        };
        let given = parts.map(trim).find(|parameter| matches!(parameter, [b'q' | b'Q', b'=', ..]));
        let Some(weight) = given.map_or(Some(1000), encoding::weight) else { continue };
        nearest = nearest.max((near, weight));
    }
    !any || nearest.1 > 0
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
            ("text/html;q=0", true),
            ("text/*;q=0.0", true),
            ("*/*;q=0", false),
            ("text/html;q=0, application/json;q=0", false),
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

    #[test]
    fn who_takes_a_page() {
        for (value, takes) in [
            ("text/html", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", true),
            ("TEXT/HTML;q=0.1", true),
            ("text/html;level=1", true),
            ("text/html ; q=0.5", true),
            ("text/*", true),
            ("*/*", true),
            ("application/json, text/plain, */*", true),
            ("application/json", false),
            ("image/avif,image/webp", false),
            ("text/plain", false),
            ("", false),
            ("text/html;q=0", false),
            ("text/html;q=0, */*", false),
            ("*/*, text/html;q=0.000", false),
            ("text/*;q=0, */*", false),
            ("text/*;q=0, text/html", true),
            ("*/*;q=0", false),
            ("*/*;q=0, text/html;level=1;q=0.1", true),
            ("text/html;q=0, text/html", true),
            ("text/html;q=7", false),
            ("text/html;q=7, */*", true),
            ("text / html", false),
            ("*", false),
            ("html", false),
            ("text/htmlx", false),
        ] {
            assert_eq!(takes_html(&mut [value.as_bytes()].into_iter()), takes, "{value}");
            let fields: Vec<&[u8]> = value.split(',').map(str::as_bytes).collect();
            assert_eq!(takes_html(&mut fields.into_iter()), takes, "{value}");
        }
        assert!(takes_html(&mut core::iter::empty()));
    }
}
