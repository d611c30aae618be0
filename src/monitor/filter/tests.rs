//! Expressions over nodes.

use super::*;
use crate::live;
use crate::monitor::memory::MemoryTree;
use crate::tree::{Buffer, Tree};

static ABOUTS: [About; 7] = [
    live!("size", Unit::Size { min: 512, max: 1024, power_of_two: true }, "512", "Size."),
    live!("count", Unit::Count { min: 5, max: 9 }, "5", "Count."),
    live!("time", Unit::Time { min: 5, max: 9 }, "5ms", "Time."),
    live!("on", Unit::Switch, "on", "Switch."),
    live!("choice", Unit::Choice("red|green"), "red", "Choice."),
    live!("text", Unit::Text, "", "Text."),
    live!("list", Unit::List, "", "List."),
];

static SCHEMA: Schema =
    Schema { name: "thing", help: "A thing.", named: true, about: |place| ABOUTS.get(place), methods: &[] };

fn read(words: &mut Words<'_>, schema: &'static Schema) -> Result<Filter, Failure> {
    let mut filter = Filter::default();
    filter.read(words, schema).map(|()| filter)
}

fn values() -> Vec<Value> {
    vec![
        Value::Size(65536),
        Value::Count(7),
        Value::Time(1500),
        Value::Switch(true),
        Value::Choice("green"),
        Value::Text("a b (c)".to_owned()),
        Value::List(vec!["x".to_owned(), "yz".to_owned()]),
    ]
}

fn parse(text: &str) -> Result<(Filter, bool), Failure> {
    let mut text = text.as_bytes().to_vec();
    let mut words = Words::new(&mut text);
    read(&mut words, &SCHEMA).map(|filter| (filter, words.is_empty()))
}

#[test]
fn an_address_is_of_a_network() {
    for (address, text, expected) in [
        ("127.0.0.1", "text = 127.0.0.0/8", true),
        ("127.0.0.1", "text != 127.0.0.0/8", false),
        ("127.0.0.1", "not text = 10.0.0.0/8", true),
        ("10.1.2.3", "text = 10.1.2.3/32", true),
        ("10.1.2.3", "text != 10.1.3.0/24", true),
        ("::1", "text = ::/64", true),
        ("::1", "text = 0.0.0.0/0", false),
        ("unix:", "text = 0.0.0.0/0", false),
        ("unix:", "text != 0.0.0.0/0", true),
        // No network, so a text like others.
        ("/a/8", "text = /a/8", true),
        ("10.0.0.1", "text = 10.0.0.1/8", false),
        ("10.0.0.0/8", "text ~ 10.0.0.0/8", true),
        ("10.0.0.1", "text < 10.0.0.0/8", false),
    ] {
        let (filter, _) = parse(text).ok().unwrap();
        let met = filter.accepts(&mut |_| Some(Value::Text(address.to_owned())));
        assert_eq!(met, Some(expected), "{address}: {text}");
    }
}

fn holds(text: &str) -> bool {
    let (filter, all) = parse(text).unwrap_or_else(|trouble| panic!("{text}: {}", trouble.message));
    assert!(all, "{text}");
    filter.accepts(&mut |place| values().get(place).cloned()).unwrap()
}

#[test]
fn comparisons_by_unit() {
    for (text, expected) in [
        ("size = 64K", true),
        ("size = 65536", true),
        ("size>63K", true),
        ("size < 64K", false),
        ("size <= 64K", true),
        ("size != 64K", false),
        // Bounds hold for what is set, not for what is asked.
        ("size > 0", true),
        ("size < 100G", true),
        ("size >= 3", true),
        ("count < 10", true),
        ("count > 9", false),
        ("count >= 7", true),
        ("time > 1s", true),
        ("time<2", true),
        ("time = 1500ms", true),
        ("on", true),
        ("not on", false),
        ("on = yes", true),
        ("on != off", true),
        ("on=off", false),
        ("choice = green", true),
        ("choice != red", true),
        ("choice ~ ree", true),
        ("text = \"a b (c)\"", true),
        ("text = 'a b (c)'", true),
        ("text ~ \"b (\"", true),
        ("text ~ B", false),
        ("text < b", true),
        ("text > b", false),
        ("list = x", true),
        ("list = x,yz", true),
        ("list = y", false),
        ("list ~ y", true),
        ("list != yz", false),
        ("size ~ 64", true),
        ("text = -", false),
        ("text != -", true),
    ] {
        assert_eq!(holds(text), expected, "{text}");
    }
}

#[test]
fn what_is_not_known() {
    for (text, expected) in [
        ("text = -", true),
        ("text != -", false),
        ("text = x", false),
        ("text != x", true),
        ("text < x", false),
        ("text ~ -", false),
        ("size = -", true),
        ("size > 0", false),
        ("not size > 0", true),
        ("on", false),
    ] {
        let (filter, _) = parse(text).ok().unwrap();
        assert_eq!(filter.accepts(&mut |_| Some(Value::Nothing)), Some(expected), "{text}");
        assert_eq!(filter.accepts(&mut |_| None), None, "{text}");
    }
    assert_eq!(Filter::default().accepts(&mut |_| None), Some(true));
}

#[test]
fn buffers() {
    let buffer = |text: &str| Buffer::parse(text).map(Value::Buffer).unwrap();
    static BUFFER: [About; 1] = [live!("buffer", Unit::Buffer { min: 512, max: 1024 }, "512", "Room.")];
    static SCHEMA: Schema = Schema {
        name: "thing",
        help: "A thing.",
        named: true,
        about: |place| BUFFER.get(place),
        methods: &[],
    };
    for (value, text, expected) in [
        ("64K", "buffer = 64K", true),
        ("64K", "buffer >= 3K", true),
        ("auto:4K..64K", "buffer > 63K", true),
        ("auto:4K..64K", "buffer < 64K", false),
        ("auto:4K..64K", "buffer = 'auto:4K..64K'", true),
        ("auto:4K..64K", "buffer ~ auto", true),
        ("64K", "buffer ~ auto", false),
    ] {
        let filter = read(&mut Words::new(&mut text.as_bytes().to_vec()), &SCHEMA).ok().unwrap();
        assert_eq!(filter.accepts(&mut |_| Some(buffer(value))), Some(expected), "{value} {text}");
    }
}

#[test]
fn the_order_of_sort() {
    let key = |number: u64| if number == 9 { Key::Nothing } else { Key::Number(number) };
    for (a, b, up, down) in [
        (1, 2, true, false),
        (2, 1, false, true),
        (1, 1, true, true),
        (1, 9, true, true),
        (9, 1, false, false),
        (9, 9, true, true),
    ] {
        assert_eq!(
            (key(a).goes_before(&key(b), false), key(a).goes_before(&key(b), true)),
            (up, down),
            "{a} {b}"
        );
    }
    let text = |text: &str| Key::of(&Value::Text(text.to_owned()));
    assert!(text("a").goes_before(&text("b"), false) && !text("a").goes_before(&text("b"), true));
}

/// As the grammar has it, by plain recursion; each letter is a switch.
fn expected(text: &str, values: [bool; 4]) -> bool {
    struct Reader<'a>(Vec<&'a str>, usize, [bool; 4]);
    impl Reader<'_> {
        fn take(&mut self, word: &str) -> bool {
            let is = self.0.get(self.1) == Some(&word);
            self.1 += usize::from(is);
            is
        }
        fn any(&mut self) -> bool {
            let mut on = self.all();
            while self.take("or") {
                on |= self.all();
            }
            on
        }
        fn all(&mut self) -> bool {
            let mut on = self.one();
            while self.take("and") {
                on &= self.one();
            }
            on
        }
        fn one(&mut self) -> bool {
            if self.take("not") {
                return !self.one();
            }
            if self.take("(") {
                let on = self.any();
                assert!(self.take(")"));
                return on;
            }
            let place = "abcd".find(self.0[self.1]).unwrap();
            self.1 += 1;
            self.2[place]
        }
    }
    let mut reader = Reader(text.split(' ').collect(), 0, values);
    let on = reader.any();
    assert_eq!(reader.1, reader.0.len());
    on
}

static LETTERS: [About; 4] = [
    live!("a", Unit::Switch, "on", "A."),
    live!("b", Unit::Switch, "on", "B."),
    live!("c", Unit::Switch, "on", "C."),
    live!("d", Unit::Switch, "on", "D."),
];

static LETTER: Schema =
    Schema { name: "letter", help: "Letters.", named: true, about: |place| LETTERS.get(place), methods: &[] };

/// An expression out of random numbers.
fn grow(seed: &mut u64, depth: usize) -> String {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    let choice = (*seed >> 33) % if depth == 0 { 4 } else { 9 };
    match choice {
        0..=3 => ["a", "b", "c", "d"][choice as usize].to_owned(),
        4 => ["not ", &grow(seed, depth - 1)].concat(),
        5 => ["( ", &grow(seed, depth - 1), " )"].concat(),
        6 | 7 => [grow(seed, depth - 1), " and ".to_owned(), grow(seed, depth - 1)].concat(),
        _ => [grow(seed, depth - 1), " or ".to_owned(), grow(seed, depth - 1)].concat(),
    }
}

#[test]
fn jumps_do_what_the_grammar_says() {
    let mut seed = 4711;
    for _ in 0..3000 {
        let text = grow(&mut seed, 5);
        for packed in [text.clone(), text.replace("( ", "(").replace(" )", ")")] {
            let filter = read(&mut Words::new(&mut packed.clone().into_bytes()), &LETTER).ok().unwrap();
            for bits in 0..16_u8 {
                let values = [0, 1, 2, 3].map(|bit| bits >> bit & 1 == 1);
                let is = filter.accepts(&mut |place| values.get(place).map(|&on| Value::Switch(on)));
                assert_eq!(is, Some(expected(&text, values)), "{packed} {values:?}");
            }
        }
    }
}

#[test]
fn what_decides_is_all_that_is_asked() {
    let filter = |text: &str| read(&mut Words::new(&mut text.as_bytes().to_vec()), &LETTER).ok().unwrap();
    for (text, on, asked) in
        [("a and b and c", false, 1), ("a or b or c", true, 1), ("a and b and c", true, 3)]
    {
        let mut count = 0;
        let is = filter(text).accepts(&mut |_| {
            count += 1;
            Some(Value::Switch(on))
        });
        assert_eq!((is, count), (Some(on), asked), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (text, code, message) in [
        ("", Code::Syntax, "expected an attribute"),
        ("= 5", Code::Syntax, "expected an attribute"),
        ("()", Code::Syntax, "expected an attribute"),
        ("on and", Code::Syntax, "expected an attribute"),
        ("colour = 5", Code::Unknown, "thing has no attribute colour"),
        ("siz = 5", Code::Unknown, "thing has no attribute siz; did you mean size?"),
        ("size", Code::Syntax, "expected = != < <= > >= or ~ behind size"),
        ("size ! 5", Code::Syntax, "expected = != < <= > >= or ~ behind size"),
        ("size =", Code::Syntax, "expected a value behind size="),
        ("size >=", Code::Syntax, "expected a value behind size>="),
        ("size = big", Code::Invalid, "size: expected a size such as 4K"),
        ("count = 4K", Code::Invalid, "count: expected a number"),
        ("time < soon", Code::Invalid, "time: expected a time such as 10s"),
        ("on = maybe", Code::Invalid, "on: expected on or off"),
        ("choice = blue", Code::Invalid, "choice: expected one of red, green"),
        ("(on", Code::Syntax, "expected and, or or )"),
        ("(on on)", Code::Syntax, "expected and, or or )"),
        ("text = \"a", Code::Syntax, "expected a closing \""),
    ] {
        let trouble = parse(text).err().unwrap();
        assert_eq!((trouble.code, trouble.message.as_str()), (code, message), "{text}");
    }
    let nots = |count| ["not ".repeat(count), "on".to_owned()].concat();
    assert!(parse(&nots(DEPTH - 1)).is_ok());
    assert!(matches!(parse(&nots(DEPTH)), Err(trouble) if trouble.code == Code::Limit));
    let terms = |count: usize| vec!["on"; count].join(" and ");
    assert!(parse(&terms(TERMS)).is_ok());
    assert!(matches!(parse(&terms(TERMS + 1)), Err(trouble) if trouble.code == Code::Limit));
}

#[test]
fn what_follows_is_left() {
    let mut text = b"on and (time>1s) show a".to_vec();
    let mut words = Words::new(&mut text);
    assert!(read(&mut words, &SCHEMA).is_ok());
    assert!(words.take("show"));
    assert!(MemoryTree::new().schemas().len() > 3);
}
