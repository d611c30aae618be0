//! Entity tags (RFC 9110 section 8.8.3): one made of what a file is, and the lists of them in conditions.

use super::field::trim;

/// Room for `W/"` and four numbers in hexadecimal with what separates them, and for a suffix.
const CAPACITY: usize = 63 + SUFFIX;
/// The longest suffix, with what separates it.
const SUFFIX: usize = 5;

/// The entity tag of one state of a file.
#[derive(Clone, Copy)]
pub struct ETag {
    text: [u8; CAPACITY],
    length: u8,
}

/// How two entity tags are compared (RFC 9110 section 8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Comparison {
    /// Equal, and neither is weak.
    Strong,
    /// Equal but for the mark of weakness.
    Weak,
}

/// What a list of entity tags says about one.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Listed {
    /// The list is `*`.
    Any,
    /// The tag is in the list.
    Yes,
    /// The tag is not in the list, or there is none to look for.
    No,
    /// It is no list of entity tags.
    Malformed,
}

impl ETag {
    /// A tag of the file's size in bytes, its time of change in seconds and nanoseconds, and its inode.
    ///
    /// It is to be weak while the file may change again within the resolution of its time.
    #[must_use]
    pub fn new(size: u64, seconds: i64, nanoseconds: u32, inode: u64, weak: bool) -> Self {
        let mut tag = Self { text: [0; CAPACITY], length: 0 };
        if weak {
            tag.push(b"W/");
        }
        tag.push(b"\"");
        tag.push_hex(size);
        tag.push(b"-");
        // Negative times are as distinct in two's complement.
        tag.push_hex(seconds as u64);
        tag.push(b"-");
        tag.push_hex(nanoseconds.into());
        tag.push(b"-");
        tag.push_hex(inode);
        tag.push(b"\"");
        tag
    }

    /// The same with a word of at most four bytes added, such as the name of a content coding: encoded and not, the
    /// file is never the same to a client (RFC 9110, section 8.8.3.3).
    #[must_use]
    pub fn with_suffix(mut self, word: &str) -> Self {
        // In place of the closing quote.
        self.length = self.length.saturating_sub(1);
        self.push(b"-");
        self.push(word.as_bytes());
        self.push(b"\"");
        self
    }

    /// The tag as a field value, quotes included.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }

    /// Whether it is marked as weak.
    #[must_use]
    pub const fn is_weak(&self) -> bool {
        matches!(self.text, [b'W', ..])
    }

    /// Whether it is in a list by strong comparison, as for If-Match. `*` has every tag, a malformed list none.
    #[must_use]
    pub fn strong_matches(&self, list: &[u8]) -> bool {
        matches!(listed(list, Some(self), Comparison::Strong), Listed::Any | Listed::Yes)
    }

    /// Whether it is in a list by weak comparison, as for If-None-Match. `*` has every tag, a malformed list none.
    #[must_use]
    pub fn weak_matches(&self, list: &[u8]) -> bool {
        matches!(listed(list, Some(self), Comparison::Weak), Listed::Any | Listed::Yes)
    }

    fn push(&mut self, part: &[u8]) {
        for (to, from) in self.text.iter_mut().skip(self.length.into()).zip(part) {
            *to = *from;
            self.length += 1;
        }
    }

    fn push_hex(&mut self, number: u64) {
        let nibbles = (64 - number.leading_zeros()).div_ceil(4).max(1);
        for place in (0..nibbles).rev() {
            let nibble = (number >> (place * 4)) as u8 & 15;
            self.push(&[if nibble < 10 { b'0' + nibble } else { b'a' + (nibble - 10) }]);
        }
    }
}

/// Whether `value` is one entity tag and no more, the same as `tag` by strong comparison. `None` when it is none.
pub(super) fn is_exactly(value: &[u8], tag: Option<&ETag>) -> Option<bool> {
    let (element, after) = element(value)?;
    after.is_empty().then(|| tag.is_some_and(|tag| same(tag.as_bytes(), element, Comparison::Strong)))
}

/// What `list`, the value of one If-Match or If-None-Match, says about `tag`.
///
/// The whole list is read before it is believed: one that goes wrong after a match has matched nothing.
#[must_use]
pub fn listed(list: &[u8], tag: Option<&ETag>, comparison: Comparison) -> Listed {
    let mut rest = trim(list);
    if rest == b"*" {
        return Listed::Any;
    }
    let mut found = false;
    loop {
        // Empty elements are skipped, as section 5.6.1 wants.
        while let [b',' | b' ' | b'\t', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            return if found { Listed::Yes } else { Listed::No };
        }
        let Some((element, after)) = element(rest) else { return Listed::Malformed };
        found |= tag.is_some_and(|tag| same(tag.as_bytes(), element, comparison));
        rest = trim(after);
        if !matches!(rest, [] | [b',', ..]) {
            return Listed::Malformed;
        }
    }
}

/// The entity tag that `text` begins with, and what follows.
fn element(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let opaque = text.strip_prefix(b"W/").unwrap_or(text).strip_prefix(b"\"")?;
    // Section 8.8.3: a tag has no escapes, and neither spaces nor controls.
    let inside = opaque.iter().position(|&byte| byte == b'"' || byte <= b' ' || byte == 0x7f)?;
    let after = opaque.get(inside..)?.strip_prefix(b"\"")?;
    text.split_at_checked(text.len() - after.len())
}

fn same(tag: &[u8], other: &[u8], comparison: Comparison) -> bool {
    let opaque = |tag| <[u8]>::strip_prefix(tag, b"W/").unwrap_or(tag);
    match comparison {
        Comparison::Strong => tag == other && !tag.starts_with(b"W/"),
        Comparison::Weak => opaque(tag) == opaque(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tag(weak: bool) -> ETag {
        ETag::new(0x1f, 0xabc, 5, 0, weak)
    }

    #[test]
    fn written() {
        assert_eq!(tag(false).as_bytes(), b"\"1f-abc-5-0\"");
        assert_eq!(tag(true).as_bytes(), b"W/\"1f-abc-5-0\"");
        assert!(tag(true).is_weak() && !tag(false).is_weak());
        let longest = ETag::new(u64::MAX, -1, u32::MAX, u64::MAX, true);
        assert_eq!(longest.as_bytes(), b"W/\"ffffffffffffffff-ffffffffffffffff-ffffffff-ffffffffffffffff\"");
        assert_eq!(longest.as_bytes().len(), CAPACITY - SUFFIX);
        let longer = longest.with_suffix("zstd");
        assert_eq!(longer.as_bytes().len(), CAPACITY);
        assert!(longer.as_bytes().ends_with(b"-zstd\"") && longer.is_weak());
        assert_eq!(size_of::<ETag>(), CAPACITY + 1);
    }

    #[test]
    fn every_part_tells() {
        let one = ETag::new(1, 2, 3, 4, false);
        for other in [
            ETag::new(0, 2, 3, 4, false),
            ETag::new(1, 1, 3, 4, false),
            ETag::new(1, 2, 2, 4, false),
            ETag::new(1, 2, 3, 5, false),
            ETag::new(12, 2, 3, 4, false),
        ] {
            assert!(!one.strong_matches(other.as_bytes()) && !one.weak_matches(other.as_bytes()));
        }
        assert!(one.strong_matches(one.as_bytes()) && one.weak_matches(one.as_bytes()));
    }

    #[test]
    fn lists() {
        use Listed::{Any, Malformed, No, Yes};
        // What each list says about the strong tag and the weak one, by strong and by weak comparison. `@` is the tag.
        for (list, strong_strong, strong_weak, weak_strong, weak_weak) in [
            ("*", Any, Any, Any, Any),
            (" * ", Any, Any, Any, Any),
            ("@", Yes, Yes, No, Yes),
            ("W/@", No, Yes, No, Yes),
            ("\t@ ", Yes, Yes, No, Yes),
            ("\"x\", @", Yes, Yes, No, Yes),
            ("@,\"x\"", Yes, Yes, No, Yes),
            ("\"x\" , W/@ , \"y\"", No, Yes, No, Yes),
            (",, @ ,,", Yes, Yes, No, Yes),
            ("\"\", @", Yes, Yes, No, Yes),
            ("\"a,b\",@", Yes, Yes, No, Yes),
            ("\"a,W/\", @", Yes, Yes, No, Yes),
            ("\"\\\", @", Yes, Yes, No, Yes),
            ("\"\u{e9}\", @", Yes, Yes, No, Yes),
            ("", No, No, No, No),
            (",", No, No, No, No),
            ("\"x\"", No, No, No, No),
            ("\"\"", No, No, No, No),
            ("\"1F-ABC-5-0\"", No, No, No, No),
            ("\"1f-abc-5-0,\"", No, No, No, No),
            ("\"*\"", No, No, No, No),
            ("1f-abc-5-0", Malformed, Malformed, Malformed, Malformed),
            ("\"1f-abc-5-0", Malformed, Malformed, Malformed, Malformed),
            ("1f-abc-5-0\"", Malformed, Malformed, Malformed, Malformed),
            ("\"", Malformed, Malformed, Malformed, Malformed),
            ("W/", Malformed, Malformed, Malformed, Malformed),
            ("w/@", Malformed, Malformed, Malformed, Malformed),
            ("W/ @", Malformed, Malformed, Malformed, Malformed),
            ("W/W/@", Malformed, Malformed, Malformed, Malformed),
            ("@ @", Malformed, Malformed, Malformed, Malformed),
            ("@@", Malformed, Malformed, Malformed, Malformed),
            ("@;", Malformed, Malformed, Malformed, Malformed),
            ("@, x", Malformed, Malformed, Malformed, Malformed),
            ("@, *", Malformed, Malformed, Malformed, Malformed),
            ("*, @", Malformed, Malformed, Malformed, Malformed),
            ("**", Malformed, Malformed, Malformed, Malformed),
            ("@, \"a b\"", Malformed, Malformed, Malformed, Malformed),
            ("@, \"a\tb\"", Malformed, Malformed, Malformed, Malformed),
            ("@, \"a\x7f\"", Malformed, Malformed, Malformed, Malformed),
            ("@, \"a\"b\"", Malformed, Malformed, Malformed, Malformed),
        ] {
            let list = list.replace('@', "\"1f-abc-5-0\"");
            let list = list.as_bytes();
            assert_eq!(listed(list, Some(&tag(false)), Comparison::Strong), strong_strong, "{list:?}");
            assert_eq!(listed(list, Some(&tag(false)), Comparison::Weak), strong_weak, "{list:?}");
            assert_eq!(listed(list, Some(&tag(true)), Comparison::Strong), weak_strong, "{list:?}");
            assert_eq!(listed(list, Some(&tag(true)), Comparison::Weak), weak_weak, "{list:?}");
            assert_eq!(tag(false).strong_matches(list), matches!(strong_strong, Any | Yes));
            assert_eq!(tag(true).weak_matches(list), matches!(weak_weak, Any | Yes));
            let without = if strong_weak == Yes { No } else { strong_weak };
            assert_eq!(listed(list, None, Comparison::Weak), without);
        }
    }

    quickcheck::quickcheck! {
        fn any_list_is_met(bytes: Vec<u8>) -> bool {
            let alphabet = b"\"\",, *W/\tab\\\x7f\xff";
            let list: Vec<u8> = bytes.iter().map(|&byte| alphabet[usize::from(byte) % alphabet.len()]).collect();
            // A tag of its own is found only where it is added, and only in a list that was one before.
            let known = listed(&list, Some(&tag(false)), Comparison::Strong);
            let longer = [&list[..], b",", tag(false).as_bytes()].concat();
            let with = listed(&longer, Some(&tag(false)), Comparison::Strong);
            match known {
                Listed::No => with == Listed::Yes,
                Listed::Any => with == Listed::Malformed,
                // The comma may end up inside of what was an open tag.
                Listed::Malformed => true,
                Listed::Yes => false,
            }
        }
    }
}
