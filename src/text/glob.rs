//! Patterns of file names, as shells have them: `*`, `?`, `[a-z]`, `[!a-z]`.

/// Whether a name is wholly of a pattern. As in a shell a name that begins with a dot is only of one that does. A `[`
/// without its end stands for itself. Takes at most as many steps as both lengths multiplied.
#[must_use]
pub fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    let (mut at, mut from) = (0, 0);
    // Behind the last star: the pattern's place, and where the name went on.
    let mut star: Option<(usize, usize)> = None;
    loop {
        let rest = pattern.get(at..).unwrap_or_default();
        match (rest, name.get(from)) {
            ([b'*', ..], _) => {
                star = Some((at + 1, from));
                at += 1;
                continue;
            }
            ([], None) => return true,
            (_, Some(&byte)) => {
                if let Some(length) = one(rest, byte) {
                    at += length;
                    from += 1;
                    continue;
                }
            }
            (_, None) => {}
        }
        // The star takes one more.
        match star {
            Some((behind, start)) if start < name.len() => {
                star = Some((behind, start + 1));
                (at, from) = (behind, start + 1);
            }
            _ => return false,
        }
    }
}

/// Whether there is anything to match but the text itself.
#[must_use]
pub fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[".contains(byte))
}

/// How much of the pattern stands for one byte, if it does for this one.
fn one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', class @ ..] => {
            let negated = matches!(class, [b'!' | b'^', ..]);
            let start = usize::from(negated);
            // A ] at the start is one of the class.
            let end = class.iter().skip(start + 1).position(|byte| *byte == b']').map(|end| end + start + 1);
            let Some(members) = end.and_then(|end| class.get(start..end)) else {
                return (byte == b'[').then_some(1);
            };
            (is_member(members, byte) != negated).then_some(members.len() + start + 2)
        }
        [first, ..] => (*first == byte).then_some(1),
        [] => None,
    }
}

fn is_member(mut members: &[u8], byte: u8) -> bool {
    loop {
        members = match members {
            [first, b'-', last, rest @ ..] => {
                if (*first..=*last).contains(&byte) {
                    return true;
                }
                rest
            }
            [first, rest @ ..] => {
                if *first == byte {
                    return true;
                }
                rest
            }
            [] => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_shells_do() {
        for (pattern, name, fits) in [
            ("a.conf", "a.conf", true),
            ("a.conf", "a.conf2", false),
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            (".*", ".conf", true),
            ("*", "", true),
            ("*", "a", true),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("??", "ab", true),
            ("??", "a", false),
            ("[a-c]x", "bx", true),
            ("[a-c]x", "dx", false),
            ("[!a-c]x", "dx", true),
            ("[^a-c]x", "ax", false),
            ("[]a]", "]", true),
            ("[a-]", "-", true),
            ("[", "[", true),
            ("[a", "[a", true),
            ("[a", "a", false),
            ("", "", true),
            ("", "a", false),
            ("[0-9][0-9]-*.conf", "10-web.conf", true),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn many_stars_take_no_longer() {
        let pattern = "*a".repeat(500);
        assert!(!matches(pattern.as_bytes(), "a".repeat(499).as_bytes()));
        assert!(matches(pattern.as_bytes(), "a".repeat(5000).as_bytes()));
        assert!(!matches(
            ["*a".repeat(200), "b".to_owned()].concat().as_bytes(),
            "a".repeat(5000).as_bytes()
        ));
    }

    /// Tries everything.
    fn naive(pattern: &[u8], name: &[u8]) -> bool {
        match pattern {
            [] => name.is_empty(),
            [b'*', rest @ ..] => (0..=name.len()).any(|skip| naive(rest, &name[skip..])),
            _ => name.first().is_some_and(|&byte| {
                one(pattern, byte).is_some_and(|length| naive(&pattern[length..], &name[1..]))
            }),
        }
    }

    quickcheck::quickcheck! {
        fn agrees_with_trying_all(pattern: Vec<u8>, name: Vec<u8>) -> bool {
            let small = |byte: u8| b"ab*?[]!-"[usize::from(byte) % 8];
            let pattern: Vec<u8> = pattern.into_iter().take(12).map(small).collect();
            let name: Vec<u8> = name.into_iter().take(12).map(|byte| b"ab[-"[usize::from(byte) % 4]).collect();
            matches(&pattern, &name) == naive(&pattern, &name)
        }
    }
}
