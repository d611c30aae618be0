//! Lines of every kind, whole texts, and what is written being read.

use super::*;

fn kinds(text: &str) -> Vec<LineKind<'_>> {
    Lines::new(text, GORGON).map(|line| line.kind).collect()
}

fn pair<'a>(text: &str, key: &'a str, value: &'a str) -> LineKind<'a> {
    let at = if value.is_empty() { text.find(['=', ':']).unwrap() + 1 } else { text.find(value).unwrap() };
    LineKind::Pair { key, value, at }
}

#[test]
fn pairs_in_every_form() {
    for (text, key, value) in [
        ("root=/srv", "root", "/srv"),
        ("root = /srv\r", "root", "/srv"),
        ("root\t:\t/srv  ", "root", "/srv"),
        ("a = b = c", "a", "b = c"),
        ("a : b = c", "a", "b = c"),
        ("a =", "a", ""),
        ("a:  ", "a", ""),
        ("a = ; nothing", "a", ""),
        ("a = b ; c", "a", "b"),
        ("a = b;c", "a", "b;c"),
        ("a = b #c", "a", "b #c"),
        ("a = b\t;c", "a", "b"),
        ("a = \"b ; c\" ; d", "a", "\"b ; c\""),
        ("a = \"b \\\" ; c\" ; d", "a", "\"b \\\" ; c\""),
        // A quote that does not end is one of the value's letters.
        ("a = 5\" disk ; d", "a", "5\" disk"),
        ("a = x\"y ; z\"w ; d", "a", "x\"y ; z\"w"),
        ("a key = \u{e9}\u{fc}", "a key", "\u{e9}\u{fc}"),
    ] {
        assert_eq!(kinds(text), [pair(text, key, value)], "{text:?}");
    }
}

#[test]
fn other_lines() {
    for (text, kind) in [
        ("", None),
        ("\n", Some(LineKind::Blank)),
        (" \t\r\n", Some(LineKind::Blank)),
        ("; x = y", Some(LineKind::Comment)),
        ("# x = y", Some(LineKind::Comment)),
        ("   ; x", Some(LineKind::Comment)),
        ("[http:main]", Some(LineKind::Section("http:main"))),
        ("[ http:main ] ; all", Some(LineKind::Section("http:main"))),
        ("[]", Some(LineKind::Section(""))),
    ] {
        assert_eq!(kinds(text).first().copied(), kind, "{text:?}");
    }
    for (text, message) in [
        ("[a", "expected a ]"),
        ("[a] b", "behind the ]"),
        ("[a]]", "behind the ]"),
        ("word", "expected KEY = VALUE"),
        ("= x", "expected a key"),
        (" a = b", "goes on with a value"),
        ("a\0b = c", "without NUL"),
    ] {
        let found = kinds(text);
        assert!(matches!(found[..], [LineKind::Wrong(why)] if why.contains(message)), "{text:?} {found:?}");
    }
}

#[test]
fn values_go_on() {
    let text = "[a]\nx = 1\n  2 ; two\n\n# not\n\t[::1]:80\ny =\n z=3\n[b]\n w\nword\n v\n";
    let found: Vec<(u32, Option<&str>)> = Lines::new(text, GORGON)
        .filter_map(|line| match line.kind {
            LineKind::More { value, at } => {
                assert_eq!(text.get(at..at + value.len()), Some(value));
                Some((line.number, Some(value)))
            }
            LineKind::Wrong(_) => Some((line.number, None)),
            _ => None,
        })
        .collect();
    let expected =
        [(3, Some("2")), (6, Some("[::1]:80")), (8, Some("z=3")), (10, None), (11, None), (12, None)];
    assert_eq!(found, expected);
}

#[test]
fn a_mark_and_both_line_ends() {
    let text = "\u{feff}[a]\r\nb = c\r\n  d\r\n";
    let unix = text.trim_start_matches('\u{feff}').replace('\r', "");
    let names = |text: &str| -> Vec<String> {
        Lines::new(text, GORGON)
            .map(|line| match line.kind {
                LineKind::Section(name) => name.to_owned(),
                LineKind::Pair { key, value, .. } => [key, value].concat(),
                LineKind::More { value, .. } => value.to_owned(),
                _ => "?".to_owned(),
            })
            .collect()
    };
    assert_eq!(names(text), ["a", "bc", "d"]);
    assert_eq!(names(&unix), ["a", "bc", "d"]);
}

#[test]
fn a_line_has_an_end() {
    let fits = ["a=", &"x".repeat(LINE_MAX - 2), "\r\nb=c"].concat();
    assert!(matches!(kinds(&fits)[..], [LineKind::Pair { .. }, LineKind::Pair { .. }]));
    let long = ["a=", &"x".repeat(LINE_MAX - 1), "\n x\nb=c"].concat();
    assert!(matches!(kinds(&long)[..], [LineKind::Wrong(_), LineKind::Wrong(_), LineKind::Pair { .. }]));
}

/// Lines are told one by one, so a text cut between two of them gives the same lines.
#[test]
fn cut_at_every_line() {
    let text = "\u{feff}; one\n[a]\nx = 1\n  2\n\n# c\r\n  3 ; d\n[b]\ny: \"z ; \" ; e\nbroken\n  more\n";
    let whole: Vec<Line<'_>> = Lines::new(text, GORGON).collect();
    let mut at = 3;
    for (place, line) in whole.iter().enumerate() {
        assert_eq!((line.start, line.number as usize), (at, place + 1));
        at = line.next;
        let front = Lines::new(&text[..at], GORGON).collect::<Vec<_>>();
        assert_eq!(front, whole[..=place]);
    }
    assert_eq!(at, text.len());
    // Wherever it is cut, what was whole before stays what it was.
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let front: Vec<Line<'_>> = Lines::new(&text[..end], GORGON).collect();
        let whole_lines = whole.iter().filter(|line| line.next <= end).count();
        assert_eq!(front[..whole_lines], whole[..whole_lines], "{end}");
        assert!(front.len() <= whole_lines + 1);
    }
}

fn written(value: &str) -> String {
    let mut out = String::new();
    push_value(value, &mut out);
    out
}

#[test]
fn quotes_only_what_needs_it() {
    for (value, text) in [
        ("plain text", "plain text"),
        ("", ""),
        ("a;b", "a;b"),
        ("a ;b", "\"a ;b\""),
        (";a", "\";a\""),
        ("#a", "\"#a\""),
        (" a", "\" a\""),
        ("a\t", "\"a\t\""),
        ("\"a", "\"\\\"a\""),
        ("a\"b\\", "\"a\\\"b\\\\\""),
        ("a\\b", "a\\b"),
        (" \\", "\" \\\\\""),
        ("a\r", "\"a\r\""),
    ] {
        assert_eq!(written(value), text);
        assert_eq!(unquote(text), value);
    }
    for (text, value) in
        [("\"a\" b \"c\"", "\"a\" b \"c\""), ("\"", "\""), ("\"a", "\"a"), ("\"\\n\"", "\\n")]
    {
        assert_eq!(unquote(text), value, "{text}");
    }
}

quickcheck::quickcheck! {
    /// A value that is written is read as it was, in the first line and in those after it.
    fn comes_back(value: String) -> bool {
        let value: String = value.chars().filter(|letter| !letter.is_control()).collect();
        // A value of nothing in a line of its own is no line.
        let first = ["a = ", &written(&value), " ; c\n"].concat();
        let further = ["a =\n  ", &written(&value), " ; c\n"].concat();
        let read = |text: &str| match Lines::new(text, GORGON).last().map(|line| line.kind) {
            Some(LineKind::Pair { value, .. } | LineKind::More { value, .. }) => Some(unquote(value)),
            _ => None,
        };
        read(&first).as_deref() == Some(&value) && (value.is_empty() || read(&further) == Some(value))
    }

    /// Whatever the text is, its lines are all of it.
    fn nothing_is_lost(text: String) -> bool {
        let text = text.replace('x', "\n[=;");
        let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        for line in Lines::new(&text, GORGON) {
            if line.start != at || line.next <= at {
                return false;
            }
            at = line.next;
        }
        at == text.len()
    }
}
