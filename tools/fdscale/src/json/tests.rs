//! What is written reads back the same; what is not a record is refused with its place.

use super::*;
use crate::report::sample::{self, Dice};

fn text(dice: &mut Dice) -> String {
    let choice = ['a', '"', '\\', '\n', '\t', '\u{1}', 'é', '\u{2028}', '😀', ' ', '/', '\u{7f}', '<', ','];
    (0..dice.below(8)).map(|_| choice[dice.below(choice.len() as u64) as usize]).collect()
}

fn float(dice: &mut Dice) -> f64 {
    loop {
        let value = f64::from_bits(dice.roll());
        if value.is_finite() {
            return value;
        }
    }
}

fn optional<T>(dice: &mut Dice, make: impl FnOnce(&mut Dice) -> T) -> Option<T> {
    if dice.below(2) == 0 { None } else { Some(make(dice)) }
}

fn many<T>(dice: &mut Dice, make: impl Fn(&mut Dice) -> T) -> Vec<T> {
    (0..dice.below(4)).map(|_| make(dice)).collect()
}

fn arbitrary(dice: &mut Dice) -> Record {
    let point = |dice: &mut Dice| Point {
        descriptors: dice.roll(),
        minimum: float(dice),
        median: float(dice),
        spread: float(dice),
        runs: dice.roll() as u32,
    };
    Record {
        machine: Machine {
            system: text(dice),
            processor: text(dice),
            processors: dice.roll() as u32,
            memory: dice.roll(),
        },
        command: many(dice, text),
        started: dice.roll() as i64,
        seconds: float(dice),
        series: many(dice, |dice| Series {
            workload: text(dice),
            measure: text(dice),
            unit: text(dice),
            backend: text(dice),
            active: dice.roll(),
            points: many(dice, point),
            skipped: optional(dice, text),
        }),
        limits: many(dice, |dice| Limit {
            name: text(dice),
            value: optional(dice, Dice::roll),
            raise: text(dice),
        }),
        stopped: optional(dice, |dice| Stop {
            limit: text(dice),
            reached: dice.roll(),
            wanted: dice.roll(),
            error: text(dice),
        }),
    }
}

#[test]
fn every_record_comes_back() {
    let mut dice = Dice::new(1);
    for _ in 0..500 {
        let record = arbitrary(&mut dice);
        let written = write(&record);
        assert_eq!(read(written.as_bytes()).as_ref(), Ok(&record), "{written}");
    }
    for record in [Record::default(), sample::record()] {
        assert_eq!(read(write(&record).as_bytes()), Ok(record));
    }
}

#[test]
fn the_ends_of_whole_numbers_come_back() {
    let mut record = Record { started: i64::MIN, ..Record::default() };
    record.limits.push(Limit { name: String::new(), value: Some(u64::MAX), raise: String::new() });
    assert_eq!(read(write(&record).as_bytes()), Ok(record));
}

#[test]
fn what_is_no_number_is_null() {
    let record = Record { seconds: f64::INFINITY, ..Record::default() };
    let written = write(&record);
    assert!(written.contains("\"seconds\": null"));
    assert!(read(written.as_bytes()).unwrap().seconds.is_nan());
}

/// A record that is cut off or has a byte changed is refused or another record; it never panics, and the place is in it.
#[test]
fn damage_is_placed() {
    let written = write(&sample::small());
    let whole = written.trim_end();
    for end in 0..whole.len() {
        let error = read(&whole.as_bytes()[..end]).unwrap_err();
        let lines = whole.lines().count();
        assert!((1..=lines).contains(&error.line) && error.column >= 1, "{end}: {error}");
    }
    let mut dice = Dice::new(2);
    for _ in 0..3000 {
        let mut bytes = written.clone().into_bytes();
        let place = dice.below(bytes.len() as u64) as usize;
        bytes[place] = dice.roll() as u8;
        let _ = read(&bytes);
    }
}

#[test]
fn errors_say_where_and_what() {
    let sound = write(&Record::default());
    let cases: &[(&str, &str, &str)] = &[
        (
            "\"version\": 1",
            "\"version\": 2",
            "line 2, column 14: version 2 of the form, from a newer fdscale; this one reads version 1",
        ),
        (
            "\"version\": 1",
            "\"version\": 0",
            "line 2, column 14: version 0 of the form; this fdscale reads 1",
        ),
        (
            "\"version\": 1",
            "\"version\": \"1\"",
            "line 2, column 14: \"version\" should be a whole number in range, and is a string",
        ),
        ("\"version\": 1,", "", "line 1, column 1: a record has no \"version\""),
        (
            "\"processors\": 0",
            "\"processors\": 1.5",
            "line 6, column 19: \"processors\" should be a whole number in range, and is 1.5",
        ),
        (
            "\"processors\": 0",
            "\"processors\": 4294967296",
            "line 6, column 19: \"processors\" should be a whole number in range, and is 4294967296",
        ),
        (
            "\"memory\": 0",
            "\"memory\": -1",
            "line 7, column 15: \"memory\" should be a whole number in range, and is -1",
        ),
        (
            "\"memory\": 0",
            "\"memory\": 0, \"disk\": 0",
            "line 7, column 18: a machine has no \"disk\" in version 1",
        ),
        ("\"memory\": 0", "\"memory\": 0, \"memory\": 0", "line 7, column 18: \"memory\" is there twice"),
        ("\"memory\": 0", "\"memory\": 00", "line 7, column 16: a digit after a leading 0"),
        ("\"memory\": 0", "\"memory\": 0,", "line 8, column 3: '}' where a name in quotes should be"),
        (
            "\"command\": []",
            "\"command\": [1]",
            "line 9, column 15: \"command\" should be a string, and is a number",
        ),
        (
            "\"command\": []",
            "\"command\": [\"é\", \"\\x\"]",
            "line 9, column 21: an escape that JSON does not know",
        ),
        ("\"command\": []", "\"command\": [\"\\ud800\"]", "line 9, column 16: half of a surrogate pair"),
        (
            "\"command\": []",
            "\"command\": [\"\\u12g4\"]",
            "line 9, column 16: \\u wants four hexadecimal digits",
        ),
        (
            "\"command\": []",
            "\"command\": [\"\n\"]",
            "line 9, column 16: U+000A in a string; it must be escaped",
        ),
        ("\"command\": []", "\"command\": [}", "line 9, column 15: '}' where a value should be"),
        (
            "\"command\": []",
            "\"command\": {}",
            "line 9, column 14: \"command\" should be a list, and is an object",
        ),
        ("\"seconds\": 0", "\"seconds\": .5", "line 11, column 14: '.' where a value should be"),
        ("\"seconds\": 0", "\"seconds\": 1.", "line 11, column 16: ',' where a digit should be"),
        ("\"stopped\": null", "\"stopped\": nul", "line 14, column 14: 'n' where a value should be"),
        (
            "\"stopped\": null",
            "\"stopped\": true",
            "line 14, column 14: true or false where what stopped it should be, an object",
        ),
    ];
    for (from, to, wanted) in cases {
        let text = sound.replacen(from, to, 1);
        assert_ne!(text, sound, "{from}");
        assert_eq!(read(text.as_bytes()).unwrap_err().to_string(), *wanted, "{to}");
    }
    let whole: &[(&[u8], &str)] = &[
        (b"", "line 1, column 1: the text ends where a value should be"),
        (b"\xef\xbb\xbf{}", "line 1, column 1: a byte order mark, which JSON does not have"),
        (b"{\n\"a\xff\": 1}", "line 2, column 3: bytes that are not UTF-8"),
        (b"[]", "line 1, column 1: a list where a record should be, an object"),
        (b"{} {}", "line 1, column 4: '{' after the end of the value"),
        (b"{\"a\": \"bc", "line 1, column 7: the string that begins here has no end"),
    ];
    for (bytes, wanted) in whole {
        assert_eq!(read(bytes).unwrap_err().to_string(), *wanted);
    }
    let deep = "[".repeat(100_000);
    assert_eq!(read(deep.as_bytes()).unwrap_err().what, "lists and objects are too deep in one another");
}
