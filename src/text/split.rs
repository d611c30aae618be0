//! Cutting a text at a mark. The library's own search for one of several characters is three kilobytes, and what we
//! search is short.

/// What stands before the first `mark`, and what behind it.
#[must_use]
pub fn split_once<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let at = (0..text.len())
        .find(|at| text.as_bytes().get(*at..).is_some_and(|rest| rest.starts_with(mark.as_bytes())))?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

/// Takes what stands before a byte off the text, that byte too; nothing where there is none.
#[inline(never)]
pub fn until<'a>(text: &mut &'a [u8], end: u8) -> Option<&'a [u8]> {
    let place = text.iter().position(|byte| *byte == end)?;
    let (before, after) = text.split_at_checked(place)?;
    *text = after.get(1..).unwrap_or_default();
    Some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_up_to_a_byte() {
        let mut text = &b"a::b"[..];
        assert_eq!((until(&mut text, b':'), text), (Some(&b"a"[..]), &b":b"[..]));
        assert_eq!((until(&mut text, b':'), text), (Some(&b""[..]), &b"b"[..]));
        assert_eq!((until(&mut text, b':'), text), (None, &b"b"[..]));
    }

    #[test]
    fn cuts_at_the_first_as_the_library_does() {
        for text in ["", ".", "..", "...", "a..b", "a.b..c..d", "ä..ö", "..a", "a..", "a.b", "é"] {
            for mark in ["..", ".", "ö", "é", "a.b"] {
                assert_eq!(split_once(text, mark), text.split_once(mark), "{text:?} {mark:?}");
            }
        }
    }
}
