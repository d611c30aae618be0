//! Cutting a text at a mark of several characters. The library's own search for one is three kilobytes, and what we
//! search is short.

/// What stands before the first `mark`, and what behind it.
#[must_use]
pub fn split_once<'a>(text: &'a str, mark: &str) -> Option<(&'a str, &'a str)> {
    let at = (0..text.len())
        .find(|at| text.as_bytes().get(*at..).is_some_and(|rest| rest.starts_with(mark.as_bytes())))?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_at_the_first_as_the_library_does() {
        for text in ["", ".", "..", "...", "a..b", "a.b..c..d", "ä..ö", "..a", "a..", "a.b", "é"] {
            for mark in ["..", ".", "ö", "é", "a.b"] {
                assert_eq!(split_once(text, mark), text.split_once(mark), "{text:?} {mark:?}");
            }
        }
    }
}
