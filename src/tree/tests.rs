//! Units, values and tables.

use super::*;
use crate::live;

fn parse(unit: Unit, text: &str) -> Option<Value> {
    unit.parse(text).ok()
}

/// What holds for every table of settings; each table's own test calls it.
pub(crate) fn check_table<T: Default>(kind: &Kind<T>) {
    let mut settings = T::default();
    for attribute in kind.attributes {
        let About { unit, flag, .. } = attribute.about;
        let (name, default, help) =
            (attribute.about.name(), attribute.about.default(), attribute.about.help());
        assert!(
            !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()),
            "{name}"
        );
        assert_eq!(kind.abouts().filter(|about| about.name() == name).count(), 1, "{name} is there twice");
        assert!(help.ends_with('.') && help.is_ascii() && !help.contains("  "), "{name}: {help}");
        assert!(attribute.about.short_help().len() <= 64, "{name}: {}", attribute.about.short_help());
        if let Some(flag) = flag {
            assert_eq!(flag.value.is_empty(), unit == Unit::Switch, "{name}");
        }

        let value = unit.parse(default).unwrap_or_else(|message| panic!("{name}: {message}"));
        assert!((attribute.set.unwrap())(&mut settings, &mut value.clone()).is_ok(), "{name}");
        assert!((attribute.get)(&settings) == value, "{name} does not come back");
        let mut printed = String::new();
        (attribute.get)(&settings).print(&mut printed);
        assert_eq!(printed, default, "{name}");
        assert!(unit.parse(&printed).is_ok_and(|again| again == value), "{name}");

        // Another value comes back too, and from its own field: all the others stay as they were.
        let before: Vec<Value> = kind.attributes.iter().map(|other| (other.get)(&settings)).collect();
        // Its items are from a list of their own; those are paths, or rules.
        let other = match name {
            "precompressed" => "gzip,br".to_owned(),
            "match" | "to" => "/other".to_owned(),
            "listen" => "localhost:81 backlog=7,unix:/x mode=600".to_owned(),
            "nameservers" => "192.0.2.1,[::1]:5353".to_owned(),
            "clients" => "10.0.0.0/8 read_buffer=1K,.example.org".to_owned(),
            _ => other_value(unit, default),
        };
        assert!(kind.set_text(&mut settings, name, &other).is_ok(), "{name}={other}");
        assert!(Some((attribute.get)(&settings)) == unit.parse(&other).ok(), "{name}={other}");
        for (again, before) in kind.attributes.iter().zip(before) {
            // The names of one level are one setting.
            let level = ["verbose", "quiet", "log_level"];
            let same = level.contains(&name) && level.contains(&again.about.name());
            assert!(
                same || again.about.name() == name || (again.get)(&settings) == before,
                "{name} changes another"
            );
        }
        kind.defaults(&mut settings);
        assert!((attribute.get)(&settings) == value, "{name} has no default");

        // The widest value the unit lets through fits the field.
        if let Unit::Size { max, .. } | Unit::Count { max, .. } | Unit::Time { max, .. } = unit {
            let widest = match unit {
                Unit::Size { .. } => Value::Size(max),
                Unit::Count { .. } => Value::Count(max),
                Unit::Time { .. } => Value::Time(max),
                Unit::Switch
                | Unit::Choice(_)
                | Unit::Text
                | Unit::List
                | Unit::Rules
                | Unit::Buffer { .. } => unreachable!(),
            };
            assert!((attribute.set.unwrap())(&mut settings, &mut widest.clone()).is_ok(), "{name}");
            assert!((attribute.get)(&settings) == widest, "{name}");
            kind.defaults(&mut settings);
        }
        let mut wrong = if unit == Unit::Switch { Value::Count(1) } else { Value::Switch(true) };
        assert!(
            (attribute.set.unwrap())(&mut settings, &mut wrong).is_err(),
            "{name} takes a value of another unit"
        );
    }
}

fn other_value(unit: Unit, default: &str) -> String {
    let mut other = String::new();
    let value = match unit {
        Unit::Size { min, power_of_two, .. } => Value::Size(if power_of_two { min * 4 } else { min + 77 }),
        Unit::Count { min, .. } => Value::Count(min + 7),
        Unit::Time { min, .. } => Value::Time(min + 7),
        Unit::Switch => Value::Switch(default == "off"),
        Unit::Choice(words) => Value::Choice(words.rsplit('|').next().unwrap()),
        Unit::Text => Value::Text("other".to_owned()),
        Unit::List | Unit::Rules => Value::List(vec!["other".to_owned(), "items".to_owned()]),
        Unit::Buffer { min, .. } => {
            let least = min.trailing_zeros() as u8;
            Value::Buffer(Buffer { least, most: least + 3 })
        }
    };
    value.print(&mut other);
    other
}

#[test]
fn units_keep_their_bounds() {
    let size = Unit::Size { min: 512, max: 1 << 20, power_of_two: true };
    for (text, value) in [
        ("511", None),
        ("512", Some(512)),
        ("513", None),
        ("3K", None),
        ("4K", Some(4096)),
        ("1M", Some(1 << 20)),
        ("2M", None),
        ("4Q", None),
        ("", None),
    ] {
        assert_eq!(parse(size, text), value.map(Value::Size), "{text}");
    }
    let count = Unit::Count { min: 1, max: 10 };
    for (text, value) in
        [("0", None), ("1", Some(1)), ("10", Some(10)), ("11", None), ("1K", None), ("-1", None)]
    {
        assert_eq!(parse(count, text), value.map(Value::Count), "{text}");
    }
    let time = Unit::Time { min: 100, max: 60_000 };
    for (text, value) in
        [("99ms", None), ("100ms", Some(100)), ("60", Some(60_000)), ("1m", Some(60_000)), ("61s", None)]
    {
        assert_eq!(parse(time, text), value.map(Value::Time), "{text}");
    }
}

#[test]
fn switches_and_choices() {
    for text in ["on", "On", "true", "yes", "1"] {
        assert_eq!(parse(Unit::Switch, text), Some(Value::Switch(true)), "{text}");
    }
    for text in ["off", "FALSE", "no", "0"] {
        assert_eq!(parse(Unit::Switch, text), Some(Value::Switch(false)), "{text}");
    }
    for text in ["", "2", "o", "on|true", "|", " on"] {
        assert_eq!(parse(Unit::Switch, text), None, "{text}");
    }
    let choice = Unit::Choice("never|inside|all");
    assert_eq!(parse(choice, "inside"), Some(Value::Choice("inside")));
    for text in ["", "Inside", "never|inside", "al"] {
        assert_eq!(parse(choice, text), None, "{text}");
    }
}

#[test]
fn texts_and_lists() {
    assert_eq!(parse(Unit::Text, " a,b "), Some(Value::Text(" a,b ".to_owned())));
    assert_eq!(parse(Unit::Text, ""), Some(Value::Text(String::new())));
    for text in ["a\nb", "a\r", "\0", "\u{85}", "\u{7f}"] {
        assert_eq!(parse(Unit::Text, text), None, "{text:?}");
        assert_eq!(parse(Unit::List, text), None, "{text:?}");
    }
    let list = |items: &[&str]| Some(Value::List(items.iter().map(|&item| item.to_owned()).collect()));
    assert_eq!(parse(Unit::List, ""), list(&[]));
    assert_eq!(parse(Unit::List, "a, b,\tc d "), list(&["a", "b", "c d"]));
    for text in [",", "a,", ",a", "a,,b", " "] {
        assert_eq!(parse(Unit::List, text), None, "{text:?}");
        assert_eq!(parse(Unit::Rules, text), None, "{text:?}");
    }
    assert_eq!(parse(Unit::Rules, "a b=1\nc , d"), list(&["a b=1", "c", "d"]));
    assert_eq!(parse(Unit::Rules, "a\n\nb"), None);
}

#[test]
fn buffers_keep_their_bounds() {
    let unit = Unit::Buffer { min: 512, max: 1 << 20 };
    for (text, least, most) in
        [("512", 9, 9), ("1M", 20, 20), ("auto:512..1M", 9, 20), ("auto:4K..8K", 12, 13)]
    {
        assert_eq!(parse(unit, text), Some(Value::Buffer(Buffer { least, most })), "{text}");
    }
    for text in ["", "256", "2M", "3K", "auto:256..4K", "auto:4K..2M"] {
        assert_eq!(parse(unit, text), None, "{text}");
    }
}

#[test]
fn a_unit_says_what_it_expects() {
    for (unit, message) in [
        (
            Unit::Size { min: 512, max: 1 << 20, power_of_two: true },
            "expected a size such as 4K or 8M, from 512 to 1M, a power of two",
        ),
        (
            Unit::Size { min: 0, max: 1 << 30, power_of_two: false },
            "expected a size such as 4K or 8M, from 0 to 1G",
        ),
        (Unit::Count { min: 1, max: 10 }, "expected a number from 1 to 10"),
        (Unit::Time { min: 100, max: 60_000 }, "expected a time such as 200ms, 10s or 5m, from 100ms to 1m"),
        (Unit::Switch, "expected on or off"),
        (Unit::Choice("a|b"), "expected one of a, b"),
        (Unit::Text, "expected text without control characters"),
        (Unit::List, "expected a list with commas between its items"),
        (Unit::Rules, "expected rules with commas or line ends between them"),
        (
            Unit::Buffer { min: 512, max: 1 << 20 },
            "expected a power of two from 512 to 1M, such as 64K, or a range such as auto:4K..256K",
        ),
    ] {
        assert_eq!(unit.parse("\0"), Err(message.to_owned()));
    }
}

#[test]
fn an_unknown_name_gets_the_nearest() {
    #[derive(Default)]
    struct Settings(bool);
    static KIND: Kind<Settings> = Kind {
        name: "lamp",
        help: "lamp",
        attributes: &[Attribute {
            about: live!("shining", Unit::Switch, "on", "Shine. And do so brightly."),
            get: |s| Value::Switch(s.0),
            set: Some(|s, v| v.store_bool(&mut s.0)),
        }],
    };
    check_table(&KIND);
    let mut settings = Settings::default();
    assert_eq!(
        KIND.set_text(&mut settings, "shinning", "on"),
        Err(Problem::new("shinning", "no such setting; did you mean shining?"))
    );
    assert_eq!(KIND.set_text(&mut settings, "colour", "on"), Err(Problem::new("colour", "no such setting")));
    assert_eq!(
        KIND.set_text(&mut settings, "shining", "x"),
        Err(Problem::new("shining", "expected on or off"))
    );
    assert!(!settings.0);
    assert_eq!(KIND.set_text(&mut settings, "shining", "on"), Ok(()));
    assert!(settings.0);
    assert_eq!(KIND.attributes[0].about.short_help(), "Shine");
}

#[test]
fn roles_are_ordered() {
    assert!(Role::View < Role::Operate && Role::Operate < Role::Admin);
}
