//! Classes of bytes, in one table, and the two loops that run over bytes of a class.

/// `tchar` of RFC 9110, section 5.6.2: methods and field names.
pub const TOKEN: u8 = 1;
/// All that a request target may hold but `?`.
pub const PATH: u8 = 2;
/// All that a request target may hold. Wider than RFC 3986, section 2: browsers send `"<>\^{|}` and the grave
/// accent in queries, and old clients send paths in raw UTF-8. Never controls, SP, DEL or `#`.
pub const TARGET: u8 = 4;
/// `unreserved` and `sub-delims` of RFC 3986: a `reg-name` without its `%XX`.
pub const HOST: u8 = 8;

static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0u8;
    loop {
        let mut classes = 0;
        if byte > b' ' && byte != 0x7f && byte != b'#' {
            classes |= TARGET;
            if byte != b'?' {
                classes |= PATH;
            }
        }
        if byte.is_ascii_alphanumeric() {
            classes |= TOKEN | HOST;
        }
        if matches!(byte, b'!' | b'$' | b'&' | b'\'' | b'*' | b'+' | b'-' | b'.' | b'_' | b'~') {
            classes |= TOKEN | HOST;
        }
        if matches!(byte, b'#' | b'%' | b'^' | b'`' | b'|') {
            classes |= TOKEN;
        }
        if matches!(byte, b'(' | b')' | b',' | b';' | b'=') {
            classes |= HOST;
        }
        // Const evaluation cannot use `get_mut`, and the index of a `u8` cannot be past 255.
        #[allow(clippy::indexing_slicing)]
        {
            table[byte as usize] = classes;
        }
        if byte == 255 {
            return table;
        }
        byte += 1;
    }
}

/// Whether `byte` is of one of `classes`.
#[inline]
#[must_use]
pub fn is(byte: u8, classes: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|&of| of & classes != 0)
}

/// How many bytes at the start of `bytes` are of one of `classes`.
#[inline]
#[must_use]
pub fn run(bytes: &[u8], classes: u8) -> usize {
    bytes.iter().position(|&byte| !is(byte, classes)).unwrap_or(bytes.len())
}

/// Whether `bytes` is a token (RFC 9110, section 5.6.2): not empty, and nothing else in it.
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && run(bytes, TOKEN) == bytes.len()
}

/// How many bytes at the start of `bytes` a field value may hold (RFC 9110, section 5.5): SP, HTAB, visible ones and
/// those past ASCII. Eight at a time, for values are most of a head.
#[inline]
#[must_use]
pub fn run_value(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    let mut rest = bytes;
    while let Some((eight, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*eight);
        let deletes = word ^ (ONES * 0x7f);
        // A borrow may also mark bytes after the first that is marked, never before it.
        let low = word.wrapping_sub(ONES * 0x20) & !word;
        let delete = deletes.wrapping_sub(ONES) & !deletes;
        let marks = (low | delete) & HIGHS;
        if marks == 0 {
            rest = after;
            continue;
        }
        let (_, from_mark) = rest.split_at_checked((marks.trailing_zeros() / 8) as usize).unwrap_or_default();
        match from_mark {
            [b'\t', after @ ..] => rest = after,
            _ => return bytes.len() - from_mark.len(),
        }
    }
    bytes.len() - rest.len() + rest.iter().position(|&byte| !is_value(byte)).unwrap_or(rest.len())
}

#[inline]
fn is_value(byte: u8) -> bool {
    (byte >= b' ' && byte != 0x7f) || byte == b'\t'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_hold_what_the_grammar_says() {
        for byte in 0..=255u8 {
            let alphanumeric = byte.is_ascii_alphanumeric();
            assert_eq!(is(byte, TOKEN), alphanumeric || b"!#$%&'*+-.^_`|~".contains(&byte), "{byte}");
            assert_eq!(is(byte, HOST), alphanumeric || b"-._~!$&'()*+,;=".contains(&byte), "{byte}");
            let target = (0x21..=0x7e).contains(&byte) && byte != b'#' || byte >= 0x80;
            assert_eq!(is(byte, TARGET), target, "{byte}");
            assert_eq!(is(byte, PATH), target && byte != b'?', "{byte}");
        }
        assert!(is_token(b"a-b") && !is_token(b"") && !is_token(b"a b") && !is_token(b"a:"));
    }

    #[test]
    fn values_end_where_a_plain_loop_ends_them() {
        // Every byte at every place of a word, before, between and after others that end a value.
        for length in 0..20 {
            for place in 0..length {
                for byte in 0..=255u8 {
                    for filler in [b'a', b' ', 0x80, 0xff, b'!', 0x7e, b'\t'] {
                        let mut bytes = vec![filler; length];
                        bytes[place] = byte;
                        let expected = bytes.iter().position(|&byte| !is_value(byte)).unwrap_or(length);
                        assert_eq!(run_value(&bytes), expected, "{byte} at {place} of {length}");
                        if let Some(last) = bytes.last_mut() {
                            *last = 0x7f;
                        }
                        let expected = bytes.iter().position(|&byte| !is_value(byte)).unwrap_or(length);
                        assert_eq!(run_value(&bytes), expected, "{byte} at {place} of {length}, DEL last");
                    }
                }
            }
        }
    }
}
