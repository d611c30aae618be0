//! Lines of requests, taken apart: commands between `;`, tags, words with quotes.
//!
//! ```text
//!   @1 get /loop; @2 find connection where user = "a b" | close
//!   -- ---------  -- --------------------------------- --------
//!   tag  words    tag            words                  action
//! ```

use alloc::vec::Vec;

use super::failure::{Failure, expected, expected_of};
use crate::text::number::parse_hex;

/// The longest line, its end included.
pub const LINE: usize = 4096;

/// The longest tag.
pub const TAG: usize = 32;

/// Divides a text at the first `separator` that is not quoted; the separator is in neither part.
#[must_use]
pub fn divide(text: &str, separator: u8) -> (&str, Option<&str>) {
    let mut quote = None;
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(b'"') if byte == b'\\' => escaped = true,
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None if byte == separator => {
                return (text.get(..at).unwrap_or_default(), text.get(at + 1..));
            }
            None if matches!(byte, b'"' | b'\'') => quote = Some(byte),
            None => {}
        }
    }
    (text, None)
}

/// Takes the tag off the beginning of a command, if it has one, and gives what is left. The rest of the line need not
/// be whole.
///
/// # Errors
/// Something begins with `@` and is no tag.
pub fn tag(command: &[u8]) -> Result<(Option<&str>, &[u8]), Failure> {
    let command = command.trim_ascii_start();
    let Some(rest) = command.strip_prefix(b"@") else { return Ok((None, command)) };
    let end = rest.iter().position(|byte| matches!(byte, b' ' | b'\t' | b';')).unwrap_or(rest.len());
    let (tag, rest) = rest.split_at_checked(end).unwrap_or_default();
    match core::str::from_utf8(tag) {
        Ok(tag) if is_name(tag, b"_.-", TAG) => Ok((Some(tag), rest)),
        _ => Err(expected("after @ a tag of 1 to 32 letters, digits, _ . or -")),
    }
}

/// Whether a text is 1 to `most` letters, digits and some signs.
#[inline(never)]
#[must_use]
pub fn is_name(text: &str, signs: &[u8], most: usize) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || signs.contains(&byte);
    (1..=most).contains(&text.len()) && text.bytes().all(fits)
}

/// The words of a command, one after the other. They are made where they stand, without quotes and escapes, so none of
/// them is copied.
pub struct Words<'a> {
    rest: &'a mut [u8],
}

impl<'a> Words<'a> {
    /// The words of `text`, which holds one command or a part of one.
    #[must_use]
    pub fn new(text: &'a mut [u8]) -> Words<'a> {
        let length = text.trim_ascii_end().len();
        let mut words = Words { rest: text.get_mut(..length).unwrap_or_default() };
        words.pass(0);
        words
    }

    /// Whether there are no more.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Takes so many bytes, and passes over the blanks behind them.
    fn pass(&mut self, count: usize) -> &'a mut [u8] {
        let rest = core::mem::take(&mut self.rest);
        let (passed, rest) = rest.split_at_mut_checked(count).unwrap_or_default();
        let blanks = rest.len() - rest.trim_ascii_start().len();
        self.rest = rest.get_mut(blanks..).unwrap_or_default();
        passed
    }

    /// The next word without its quotes; nothing at the end.
    ///
    /// # Errors
    /// A quote is not closed, an escape is unknown, or it gives something that is not UTF-8.
    pub fn word(&mut self) -> Result<Option<&'a str>, Failure> {
        self.word_until(b"")
    }

    /// The next word, which also ends before one of these bytes where it is not quoted.
    ///
    /// # Errors
    /// As for [`Words::word`]. What words follow then is not said.
    pub fn word_until(&mut self, stops: &[u8]) -> Result<Option<&'a str>, Failure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (mut at, mut length, mut quote) = (0, 0, None);
        while let Some(&byte) = self.rest.get(at) {
            at += 1;
            let made = match (quote, byte) {
                (Some(open), _) if byte == open => {
                    quote = None;
                    continue;
                }
                (Some(b'"'), b'\\') => {
                    let (made, taken) = escape(self.rest.get(at..).unwrap_or_default())?;
                    at += taken;
                    made
                }
                (None, b'"' | b'\'') => {
                    quote = Some(byte);
                    continue;
                }
                (None, _) if matches!(byte, b' ' | b'\t') || stops.contains(&byte) => {
                    at -= 1;
                    break;
                }
                _ => byte,
            };
            // A word is never longer than what it is made of.
            if let Some(place) = self.rest.get_mut(length) {
                *place = made;
            }
            length += 1;
        }
        match quote {
            None => {}
            Some(b'"') => return Err(expected("a closing \"")),
            Some(_) => return Err(expected("a closing '")),
        }
        let word = self.pass(at).get(..length).unwrap_or_default();
        core::str::from_utf8(word).map(Some).map_err(|_| expected("UTF-8 behind the escapes"))
    }

    /// The next word.
    ///
    /// # Errors
    /// As for [`Words::word`]; at the end, that `what` was expected.
    pub fn expect(&mut self, what: &str) -> Result<&'a str, Failure> {
        self.word()?.ok_or_else(|| expected(what))
    }

    /// Whether the next word is this one, bare; a parenthesis may stand right behind it.
    #[must_use]
    pub fn begin_with(&self, keyword: &str) -> bool {
        let rest = self.rest.strip_prefix(keyword.as_bytes());
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b' ' | b'\t' | b'(')))
    }

    /// Takes the next word if it is this one, as [`Words::begin_with`] tells.
    pub fn take(&mut self, keyword: &str) -> bool {
        let takes = self.begin_with(keyword);
        if takes {
            self.pass(keyword.len());
        }
        takes
    }

    /// Takes these signs, if they come next.
    pub fn take_sign(&mut self, sign: &str) -> bool {
        let takes = self.rest.starts_with(sign.as_bytes());
        if takes {
            self.pass(sign.len());
        }
        takes
    }

    /// Appends all the words that are left.
    ///
    /// # Errors
    /// As for [`Words::word`].
    #[inline(never)]
    pub fn all(&mut self, words: &mut Vec<&'a str>) -> Result<(), Failure> {
        while let Some(word) = self.word()? {
            words.push(word);
        }
        Ok(())
    }

    /// Holds that there are no more.
    ///
    /// # Errors
    /// There are; the first of them is named.
    pub fn end(&mut self) -> Result<(), Failure> {
        match self.word()? {
            None => Ok(()),
            Some(word) => Err(expected_of("the end, not %", word)),
        }
    }
}

/// The byte of an escape, and how long it is behind its backslash.
fn escape(text: &[u8]) -> Result<(u8, usize), Failure> {
    match text {
        [byte @ (b'"' | b'\\'), ..] => Some((*byte, 1)),
        [b'n', ..] => Some((b'\n', 1)),
        [b't', ..] => Some((b'\t', 1)),
        [b'x', high, low, ..] => parse_hex(&[*high, *low]).map(|byte| (byte as u8, 3)),
        _ => None,
    }
    .ok_or_else(|| expected("\\\" \\\\ \\n \\t or \\xHH"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::Code;

    fn words(text: &str) -> Result<Vec<String>, String> {
        let mut text = text.as_bytes().to_vec();
        let mut words = Vec::new();
        let all = Words::new(&mut text).all(&mut words);
        all.map(|()| words.into_iter().map(str::to_owned).collect()).map_err(|trouble| {
            assert_eq!(trouble.code, Code::Syntax);
            trouble.message
        })
    }

    #[test]
    fn words_and_quotes() {
        for (text, found) in [
            ("", &[][..]),
            ("  \t ", &[]),
            ("get /loop", &["get", "/loop"]),
            (" a\t b  ", &["a", "b"]),
            ("key=\"a b\"", &["key=a b"]),
            ("'a \"b\\' c", &["a \"b\\", "c"]),
            ("\"\" ''", &["", ""]),
            (r#""\"\\\n\t\x41\xc3\xa9""#, &["\"\\\n\tA\u{e9}"]),
            ("a\"b\"'c'd", &["abcd"]),
            ("\u{e9}\u{e8} \u{2028}", &["\u{e9}\u{e8}", "\u{2028}"]),
            ("a\\b", &["a\\b"]),
        ] {
            assert_eq!(words(text), Ok(found.iter().map(|&word| word.to_owned()).collect()), "{text}");
        }
        for (text, message) in [
            ("\"a", "expected a closing \""),
            ("\"a\\\"", "expected a closing \""),
            ("b 'a", "expected a closing '"),
            (r#""\q""#, "expected \\\" \\\\ \\n \\t or \\xHH"),
            (r#""\x4""#, "expected \\\" \\\\ \\n \\t or \\xHH"),
            (r#""\"#, "expected \\\" \\\\ \\n \\t or \\xHH"),
            (r#""\xff""#, "expected UTF-8 behind the escapes"),
        ] {
            assert_eq!(words(text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn no_text_upsets_it() {
        fn property(text: String) -> bool {
            let mut bytes = text.as_bytes().to_vec();
            let mut words = Words::new(&mut bytes);
            for _ in 0..=text.len() {
                if !matches!(words.word_until(b"()=<>!~"), Ok(Some(_))) {
                    break;
                }
                let _ = words.take_sign("=");
            }
            let (first, rest) = divide(&text, b';');
            rest.map_or(first == text, |rest| [first, ";", rest].concat() == text)
        }
        quickcheck::quickcheck(property as fn(String) -> bool);
    }

    #[test]
    fn separators_count_where_they_are_not_quoted() {
        for (text, first, rest) in [
            ("a;b", "a", Some("b")),
            ("a", "a", None),
            ("a;", "a", Some("")),
            (";", "", Some("")),
            ("\"a;b\";c", "\"a;b\"", Some("c")),
            ("'a;\"';c", "'a;\"'", Some("c")),
            (r#""\";";c"#, r#""\";""#, Some("c")),
            (r"a\;c", r"a\", Some("c")),
            ("\"a;b", "\"a;b", None),
        ] {
            assert_eq!(divide(text, b';'), (first, rest), "{text}");
        }
    }

    #[test]
    fn tags() {
        let found = |text: &'static str| {
            let (tag, rest) = tag(text.as_bytes()).ok()?;
            Some((tag, std::str::from_utf8(rest).unwrap()))
        };
        assert_eq!(found(" get"), Some((None, "get")));
        assert_eq!(found("@a.b_C-9 get"), Some((Some("a.b_C-9"), " get")));
        assert_eq!(found("@a"), Some((Some("a"), "")));
        assert_eq!(found("@a;b"), Some((Some("a"), ";b")));
        for text in ["@", "@ a", "@a/b", "@\u{e9}", "@123456789012345678901234567890123"] {
            assert_eq!(found(text), None, "{text}");
        }
        assert_eq!(found("@12345678901234567890123456789012").unwrap().0.unwrap().len(), TAG);
    }

    #[test]
    fn keywords_and_ends() {
        let mut text = b"where (a) not(b) and\"x\"".to_vec();
        let mut words = Words::new(&mut text);
        assert!(!words.take("wher") && words.take("where") && words.take_sign("(") && !words.take_sign("("));
        assert_eq!(words.word_until(b")").unwrap().unwrap(), "a");
        assert!(words.take_sign(")") && words.take("not") && words.take_sign("("));
        assert_eq!(words.word_until(b")").unwrap().unwrap(), "b");
        assert!(words.take_sign(")") && !words.take("and") && !words.is_empty());
        let trouble = words.end().unwrap_err();
        assert_eq!(trouble.message, "expected the end, not andx");
        assert_eq!(Words::new(&mut [b' ']).expect("a path").unwrap_err().message, "expected a path");
    }
}
