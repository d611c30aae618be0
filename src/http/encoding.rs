//! Content codings, and which of them a client takes (RFC 9110, section 12.5.3).
//!
//! Files are never encoded here: they lie ready beside their originals, `app.js.br` beside `app.js`. What is to be
//! settled is which of them to look for, and in what order: [`acceptable`].

use super::field::{elements, eq_ignore_case, trim};

/// A content coding that a file may lie ready in.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
#[repr(u8)]
pub enum Coding {
    /// Brotli (RFC 7932).
    Brotli = b'b',
    /// Zstandard (RFC 8878).
    Zstandard = b'z',
    /// gzip (RFC 1952).
    Gzip = b'g',
}

/// How many codings there are.
pub const CODINGS: usize = 3;

const ALL: [Coding; CODINGS] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

impl Coding {
    /// The coding that is registered by this name; case does not count.
    #[must_use]
    pub fn find(name: &[u8]) -> Option<Coding> {
        ALL.into_iter().find(|coding| eq_ignore_case(name, coding.name().as_bytes()))
    }

    /// Its name, as `Content-Encoding` gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstandard => "zstd",
            Coding::Gzip => "gzip",
        }
    }

    /// What the name of an encoded file has more than that of its original.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstandard => ".zst",
            Coding::Gzip => ".gz",
        }
    }
}

/// The codings to look for, best first; when there is no file in any of them, the original is sent.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(test, derive(Debug))]
pub struct Preference {
    codings: [Option<Coding>; CODINGS],
}

impl Preference {
    /// The original, whatever there is.
    pub const ORIGINAL: Preference = Preference { codings: [None; CODINGS] };

    /// Whether the original is to be sent in any case.
    #[must_use]
    pub const fn is_original(self) -> bool {
        matches!(self.codings, [None, ..])
    }

    /// The codings, best first.
    pub fn codings(self) -> impl Iterator<Item = Coding> {
        self.codings.into_iter().flatten()
    }
}

/// What a client says about one name: nothing, or the weight it gives it.
type Weight = Option<u16>;

/// The codings among `offered` that a client takes, best first. `values` are those of its `Accept-Encoding` fields.
///
/// The higher weight goes first, of equal weights the one that is offered first. The original goes after every coding,
/// unless the client names it, or all by `*`, with a higher weight than that coding has. A client that refuses the
/// original is nevertheless sent it when there is nothing else: an answer that may be of use is better than 406. Without
/// any field it gets the original, too, for it may not know of codings at all.
///
/// What is malformed is as if it were not there, element by element. Of a name that is there twice the lower weight
/// counts: whoever refuses a coding cannot read it.
#[must_use]
pub fn acceptable(values: &mut dyn Iterator<Item = &[u8]>, offered: &[Coding]) -> Preference {
    let mut named: [Weight; CODINGS] = [None; CODINGS];
    let (mut original, mut others): (Weight, Weight) = (None, None);
    for element in values.flat_map(elements) {
        let Some((name, weight)) = weighted(element) else { continue };
        let place = if name == b"*" {
            &mut others
        } else if eq_ignore_case(name, b"identity") {
            &mut original
        } else {
            // The old name is to be taken as the same (RFC 9110, section 8.4.1.3).
            let name = if eq_ignore_case(name, b"x-gzip") { b"gzip" } else { name };
            let known = ALL.iter().zip(&mut named).find(|(coding, _)| Coding::find(name) == Some(**coding));
            let Some((_, place)) = known else { continue };
            place
        };
        *place = Some(place.map_or(weight, |before| before.min(weight)));
    }
    let original = original.or(others).unwrap_or(0);
    let weight_of = |coding: Coding| {
        let known = ALL.iter().zip(named).find(|(other, _)| **other == coding);
        known.and_then(|(_, weight)| weight).or(others).unwrap_or(0)
    };
    let mut preference = Preference::ORIGINAL;
    let mut places = preference.codings.iter_mut();
    // The best of those that are worse than the last one, until none is left.
    let mut last = (u16::MAX, 0);
    loop {
        let best = offered
            .iter()
            .enumerate()
            .map(|(place, coding)| (weight_of(*coding), place, *coding))
            .filter(|&(weight, place, _)| {
                weight > 0 && weight >= original && (weight < last.0 || (weight == last.0 && place > last.1))
            })
            // Of equal ones this keeps the first.
            .reduce(|best, other| if other.0 > best.0 { other } else { best });
        let (Some((weight, place, coding)), Some(free)) = (best, places.next()) else { return preference };
        *free = Some(coding);
        last = (weight, place);
    }
}

/// Takes an element of a list with weights apart: its name, and its weight in thousandths, 1000 when it gives none.
/// `None` when it is malformed.
fn weighted(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.split(|byte| *byte == b';');
    let name = trim(parts.next()?);
    let weight = match parts.next() {
        Some(parameter) => weight(parameter)?,
        None => 1000,
    };
    (!name.is_empty() && parts.next().is_none()).then_some((name, weight))
}

/// A weight, `q=0.5`, in thousandths (RFC 9110, section 12.4.2). `None` when it is anything else.
#[must_use]
pub fn weight(parameter: &[u8]) -> Option<u16> {
    let number = match trim(parameter) {
        [b'q' | b'Q', b'=', number @ ..] => number,
        _ => return None,
    };
    let (whole, decimals) = match number {
        [whole] => (whole, &[][..]),
        [whole, b'.', decimals @ ..] if decimals.len() <= 3 => (whole, decimals),
        _ => return None,
    };
    if !decimals.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let thousandths = (0..3).fold(0, |sum, place| {
        sum * 10 + decimals.get(place).map_or(0, |digit| u16::from(digit.wrapping_sub(b'0')))
    });
    match (whole, thousandths) {
        (b'0', _) => Some(thousandths),
        (b'1', 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::{HTTP, HttpSettings};
    use super::*;

    const OFFERED: [Coding; 3] = [Coding::Brotli, Coding::Zstandard, Coding::Gzip];

    fn names(values: &[&str], offered: &[Coding]) -> String {
        let preference = acceptable(&mut values.iter().map(|value| value.as_bytes()), offered);
        let names: Vec<_> = preference.codings().map(Coding::name).collect();
        assert_eq!(names.is_empty(), preference.is_original());
        names.join(" ")
    }

    #[test]
    fn what_clients_take() {
        for (value, expected) in [
            ("gzip, deflate, br, zstd", "br zstd gzip"),
            ("gzip, deflate, br", "br gzip"),
            ("gzip,deflate", "gzip"),
            ("gzip", "gzip"),
            ("GZip", "gzip"),
            ("BR;Q=0.1", "br"),
            ("x-gzip", "gzip"),
            ("X-GZIP;q=0", ""),
            ("deflate", ""),
            ("", ""),
            ("identity", ""),
            // Weights.
            ("gzip;q=1.0, br;q=0.5", "gzip br"),
            ("br;q=0.5, gzip;q=0.5", "br gzip"),
            ("gzip;q=0.5, br;q=0.5, zstd;q=0.501", "zstd br gzip"),
            ("gzip ; q=0.2 , br\t;\tq=0.1", "gzip br"),
            ("br;q=0, gzip", "gzip"),
            ("br;q=0.000, gzip;q=0.001", "gzip"),
            // The original.
            ("gzip;q=0.5, identity", ""),
            ("gzip;q=0.5, identity;q=0.6, br", "br"),
            ("gzip, identity", "gzip"),
            ("gzip;q=0.5, identity;q=0.5", "gzip"),
            ("gzip, identity;q=0", "gzip"),
            ("identity;q=0", ""),
            // All others.
            ("*", "br zstd gzip"),
            ("*;q=0.1", "br zstd gzip"),
            ("*;q=0", ""),
            ("gzip, *;q=0", "gzip"),
            ("br;q=0, *", "zstd gzip"),
            ("gzip;q=0.5, *", "br zstd"),
            ("gzip;q=0.5, *, identity;q=0", "br zstd gzip"),
            ("*;q=0.5, gzip", "gzip br zstd"),
            ("identity, *;q=0.5", ""),
            // Twice.
            ("gzip, gzip;q=0", ""),
            ("gzip;q=0, x-gzip", ""),
            ("br;q=0.2, br, gzip;q=0.5", "gzip br"),
            // Malformed: not there.
            ("gzip;q=2", ""),
            ("gzip;q=", ""),
            ("gzip;q=0.1234", ""),
            ("gzip;q=1.001", ""),
            ("gzip;q=-1", ""),
            ("gzip;q=.5", ""),
            ("gzip;q=0,5", ""),
            ("gzip;level=1", ""),
            ("gzip;q=1;q=1", ""),
            ("gzip;", ""),
            (";q=1", ""),
            ("gzip br", ""),
            ("\"gzip\"", ""),
            ("gzip;q=x, br", "br"),
            (",, ,br,,", "br"),
            ("brotli", ""),
            ("gz", ""),
            ("\u{e9}, gzip", "gzip"),
        ] {
            assert_eq!(names(&[value], &OFFERED), expected, "{value}");
            // It is the same in several fields.
            let fields: Vec<&str> = value.split(',').collect();
            assert_eq!(names(&fields, &OFFERED), expected, "{value}");
        }
        assert_eq!(names(&[], &OFFERED), "");
    }

    #[test]
    fn only_what_is_offered() {
        use Coding::{Brotli, Gzip, Zstandard};
        for (offered, expected) in [
            (&[][..], ""),
            (&[Gzip], "gzip"),
            (&[Gzip, Brotli], "gzip br"),
            (&[Zstandard, Gzip, Brotli], "zstd gzip br"),
        ] {
            assert_eq!(names(&["br, gzip, zstd"], offered), expected);
            assert_eq!(names(&["*"], offered), expected);
        }
    }

    #[test]
    fn weights() {
        for (text, expected) in [
            ("q=0", Some(0)),
            ("q=0.", Some(0)),
            ("q=1", Some(1000)),
            ("q=1.", Some(1000)),
            ("q=1.000", Some(1000)),
            ("q=0.5", Some(500)),
            (" Q=0.05\t", Some(50)),
            ("q=0.999", Some(999)),
            ("q=0.9990", None),
            ("q=1.1", None),
            ("q = 1", None),
            ("q= 1", None),
            ("q", None),
            ("q=", None),
            ("q=00", None),
            ("q=0.x", None),
            ("q=0x5", None),
            ("r=1", None),
            ("", None),
        ] {
            assert_eq!(weight(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn names_and_suffixes() {
        for coding in ALL {
            assert_eq!(Coding::find(coding.name().as_bytes()), Some(coding));
            assert_eq!(Coding::find(coding.name().to_uppercase().as_bytes()), Some(coding));
            assert!(coding.suffix().starts_with('.'));
            let mut settings = HttpSettings::default();
            assert!(HTTP.set_text(&mut settings, "precompressed", coding.name()).is_ok());
        }
        for name in ["", "g", "gz", "identity", "*", "deflate"] {
            assert_eq!(Coding::find(name.as_bytes()), None, "{name}");
        }
    }

    quickcheck::quickcheck! {
        /// Whatever is sent, no coding is told twice and none that is not offered.
        fn any_value_is_met(bytes: Vec<u8>, offer: u8) -> bool {
            let parts = ["br", "gzip", "zstd", "identity", "*", ";q=", "0", "0.5", "1", ",", " ", ";", "\u{e9}"];
            let value: Vec<&str> = bytes.iter().map(|&byte| parts[usize::from(byte) % parts.len()]).collect();
            let value = value.concat();
            let offered = &OFFERED[..usize::from(offer) % 4];
            let preference = acceptable(&mut [value.as_bytes()].into_iter(), offered);
            let found: Vec<_> = preference.codings().collect();
            found.iter().enumerate().all(|(at, coding)| offered.contains(coding) && !found[..at].contains(coding))
        }
    }
}
