//! What the field Authorization says in the scheme Basic (RFC 7617).

use alloc::vec::Vec;

use super::field::Name;
use super::request::Request;
use crate::text::base64;

/// The most bytes of a name with its password. No system hashes longer passwords than 512 bytes.
const MOST: usize = 1024;

/// Puts `name:password` in `out`, if that is what the request has, once and in order. Control characters, which RFC
/// 7617 rules out, are refused: a password with a NUL would be hashed up to it, and the rest be of no matter.
#[must_use]
pub fn credentials(request: &Request<'_>, out: &mut Vec<u8>) -> bool {
    let mut values = request.values(Name::Authorization);
    match (values.next(), values.next()) {
        (Some(value), None) => basic(value, out),
        _ => false,
    }
}

/// The same of a field's value.
#[must_use]
pub fn basic(value: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let Some((scheme, rest)) = value.split_at_checked(5) else { return false };
    let text = rest.trim_ascii_start();
    scheme.eq_ignore_ascii_case(b"Basic")
        && text.len() < rest.len()
        && text.len() <= MOST * 2
        && base64::decode(text, out)
        && out.len() <= MOST
        && !out.iter().any(u8::is_ascii_control)
        && split(out).is_some()
}

/// The name, and the password after the first colon. The name may not be empty: none is.
#[must_use]
pub fn split(credentials: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = credentials.iter().position(|byte| *byte == b':').filter(|at| *at > 0)?;
    let (name, rest) = credentials.split_at_checked(colon)?;
    Some((name, rest.get(1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_basic_and_nothing_else() {
        for (value, expected) in [
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Some("Aladdin:open sesame")),
            ("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ", Some("Aladdin:open sesame")),
            ("BASIC   dGVzdDoxMjPCow==", Some("test:123\u{a3}")),
            ("Basic YTo=", Some("a:")),
            ("Basic YTpiOmM=", Some("a:b:c")),
            ("Basic OmI=", None),     // :b
            ("Basic YQ==", None),     // a
            ("Basic YTpiAGM=", None), // a:b, NUL, c
            ("Basic YTpiCg==", None), // a:b and a line feed
            ("Basic YTp/", None),     // a:DEL
            ("Basic", None),
            ("Basic ", None),
            ("BasicYTo=", None),
            ("Basic YTo= x", None),
            ("Basic YTo=,", None),
            ("Bearer YTo=", None),
            ("Basi", None),
            ("", None),
        ] {
            let mut out = b"before".to_vec();
            let found = basic(value.as_bytes(), &mut out).then_some(&out[..]);
            assert_eq!(found, expected.map(str::as_bytes), "{value}");
        }
    }

    #[test]
    fn long_ones_are_refused() {
        for (count, taken) in [(1364, true), (1368, false), (100_000, false)] {
            let mut value = b"Basic YTo6".to_vec();
            value.resize(6 + count, b'6');
            assert_eq!(basic(&value, &mut Vec::new()), taken, "{count}");
        }
    }
}
