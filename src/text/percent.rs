//! Percent-encoding (RFC 3986, section 2.1).

use alloc::vec::Vec;

use super::number::{hex_digit, hex_value};

/// A `%` that two hexadecimal digits do not follow; the value is its offset in the input.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct BadPercent(pub usize);

/// Appends `input` with each `%XX` made the byte it stands for, once; what comes out is not looked at again.
///
/// # Errors
/// A `%` without its two digits. What came before it has been appended.
pub fn decode(input: &[u8], out: &mut Vec<u8>) -> Result<(), BadPercent> {
    let mut rest = input;
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            out.push(byte);
            rest = after;
            continue;
        }
        let bad = BadPercent(input.len() - rest.len());
        let [high, low, after @ ..] = after else { return Err(bad) };
        let (Some(high), Some(low)) = (hex_value(*high), hex_value(*low)) else { return Err(bad) };
        out.push(high << 4 | low);
        rest = after;
    }
    Ok(())
}

/// Appends one segment of a path: all but the unreserved characters of RFC 3986, section 2.3, are encoded,
/// so the result is also safe in HTML, in a header field, and as the first segment of a relative reference.
pub fn encode_segment(segment: &[u8], out: &mut Vec<u8>) {
    encode(segment, b"-._~", out);
}

/// Appends a whole path: as [`encode_segment`], but each `/` stays.
pub fn encode_path(path: &[u8], out: &mut Vec<u8>) {
    encode(path, b"-._~/", out);
}

/// Appends a query that a client has sent, encoded as it saw fit: only what RFC 3986, section 3.4, does not let a query
/// hold is encoded, and a `%` is left as it is.
pub fn encode_query(query: &[u8], out: &mut Vec<u8>) {
    encode(query, b"-._~!$&'()*+,;=:@/?%", out);
}

/// Appends `text`, all but letters, digits and what is in `keep` encoded.
fn encode(text: &[u8], keep: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || keep.contains(&byte) {
            out.push(byte);
        } else {
            out.extend_from_slice(&[b'%', hex_digit(byte >> 4, b'A'), hex_digit(byte, b'A')]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(input: &[u8]) -> Result<Vec<u8>, BadPercent> {
        let mut out = Vec::new();
        decode(input, &mut out).map(|()| out)
    }

    #[test]
    fn decodes_once() {
        assert_eq!(decoded(b"").unwrap(), b"");
        assert_eq!(decoded(b"/a%20b%2Fc%2fd+e").unwrap(), b"/a b/c/d+e");
        assert_eq!(decoded(b"%2541").unwrap(), b"%41");
        assert_eq!(decoded(b"%00%ff").unwrap(), [0, 255]);
    }

    #[test]
    fn refuses_half_a_triplet() {
        for (input, at) in
            [("%", 0), ("%4", 0), ("a%zz", 1), ("ab%4g", 2), ("%41%", 3), ("%%41", 0), ("%+1", 0)]
        {
            assert_eq!(decoded(input.as_bytes()), Err(BadPercent(at)), "{input}");
        }
    }

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).collect();
        let (mut segment, mut path) = (Vec::new(), Vec::new());
        encode_segment(&all, &mut segment);
        encode_path(&all, &mut path);
        assert_eq!(decoded(&segment).unwrap(), all);
        assert_eq!(decoded(&path).unwrap(), all);
        assert!(segment.iter().all(|&byte| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte)));
        assert_eq!(segment.iter().filter(|&&byte| byte == b'%').count(), 256 - 66);
        assert_eq!(path.len() + 2, segment.len());
    }

    #[test]
    fn queries_keep_their_signs() {
        for (query, encoded) in [
            ("a=b&c=%20d%zz+e;f:@/?", "a=b&c=%20d%zz+e;f:@/?"),
            ("\"<>[]|`{}^\\#", "%22%3C%3E%5B%5D%7C%60%7B%7D%5E%5C%23"),
            ("\u{e9} \r\n", "%C3%A9%20%0D%0A"),
        ] {
            let mut out = Vec::new();
            encode_query(query.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), encoded);
        }
    }
}
