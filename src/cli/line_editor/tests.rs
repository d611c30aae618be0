use super::*;

const PROMPT: &str = "> ";

/// A row of a terminal that knows what the editor writes, and nothing else.
struct Row {
    cells: Vec<char>,
    cursor: usize,
}

impl Row {
    fn show(out: &str, columns: usize) -> Row {
        let mut row = Row { cells: vec!['~'; columns], cursor: 7 };
        let mut letters = out.chars().peekable();
        while let Some(letter) = letters.next() {
            match letter {
                '\r' => row.cursor = 0,
                '\x1b' => {
                    assert_eq!(letters.next(), Some('['));
                    let mut number = String::new();
                    while letters.peek().is_some_and(char::is_ascii_digit) {
                        number.extend(letters.next());
                    }
                    match letters.next() {
                        Some('K') => row.cells.truncate(row.cursor),
                        Some('C') => row.cursor += number.parse::<usize>().unwrap(),
                        other => panic!("{other:?}"),
                    }
                }
                letter => {
                    let wide = width(letter);
                    assert!(row.cursor + wide < columns, "the last column was written: {out:?}");
                    if wide > 0 {
                        row.cells[row.cursor] = letter;
                    }
                    row.cursor += wide;
                }
            }
        }
        row
    }

    fn text(&self) -> String {
        self.cells.iter().collect()
    }
}

fn drawn(editor: &mut LineEditor, columns: usize) -> (String, usize) {
    let mut out = String::new();
    editor.draw(PROMPT, columns, &mut out);
    let row = Row::show(&out, columns);
    (row.text(), row.cursor)
}

fn typed(bytes: &[u8]) -> LineEditor {
    let mut editor = LineEditor::default();
    for line in ["find connection", "get /loop", "ls /http"] {
        editor.remember(line);
    }
    for &byte in bytes {
        editor.feed(byte);
    }
    editor
}

/// The line with the cursor as `^` in it.
fn line(bytes: &[u8]) -> String {
    let editor = typed(bytes);
    let mut line = editor.line.clone();
    line.insert(editor.at, '^');
    line
}

const CASES: &[(&str, &str)] = &[
    ("abc", "abc^"),
    ("abc\x01x", "x^abc"),
    ("abc\x1b[D\x1b[Dx", "ax^bc"),
    ("abc\x02\x02\x06x", "abx^c"),
    ("abc\x1b[Hx\x1b[Fy", "xabcy^"),
    ("abc\x7f\x08", "a^"),
    ("abc\x01\x04\x1b[3~", "^c"),
    ("\u{e9}\u{65e5}e\u{301}x\x7f\x7f", "\u{e9}\u{65e5}^"),
    ("ab\x1b[D\u{65e5}", "a\u{65e5}^b"),
    ("get /http/main key\x1b[1;5D\x1b[1;5D", "get /http/^main key"),
    ("get /http/main\x01\x1bf\x1bf", "get /http^/main"),
    ("one two three\x17", "one two ^"),
    ("one two three\x17\x17\x19", "one two three^"),
    ("one two\x17x\x17\x19\x19", "one xx^"),
    ("one /two/three\x1b\x7f", "one /two/^"),
    ("one two\x01\x1bd\x05\x19", " twoone^"),
    ("one two\x1bb\x0b\x01\x19", "two^one "),
    ("one two\x1bb\x15", "^two"),
    ("ab\x14", "ba^"),
    ("abc\x02\x14", "acb^"),
    ("a\x14", "a^"),
    ("\x14", "^"),
    ("\x1b[A", "ls /http^"),
    ("\x10\x10", "get /loop^"),
    ("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A", "find connection^"),
    ("dra\x1b[A\x1b[A\x1b[B\x1b[Bft", "draft^"),
    ("dra\x1b<", "find connection^"),
    ("dra\x1b<\x1b>", "dra^"),
    ("\x12get", "^get /loop"),
    ("\x12/\x12", "get ^/loop"),
    ("\x12/\x12\x12\x12", "get ^/loop"),
    ("\x12n\x7f\x05!", "find connection!^"),
    ("kept\x12get\x07", "kept^"),
    ("kept\x12find\x07\x1b[A", "ls /http^"),
    ("\x12zz\x05!", "!^"),
    ("\x12nosuch\x05!", "find connection!^"),
    ("\x12find\x1b[B", "get /loop^"),
    ("a\x00\x1b[15~\x1b[5~b", "ab^"),
    ("a\u{202e}b", "ab^"),
];

#[test]
fn keys_do_what_they_say() {
    for (bytes, wanted) in CASES {
        assert_eq!(line(bytes.as_bytes()), *wanted, "{bytes:?}");
    }
}

#[test]
fn drawing_between_any_two_bytes_changes_nothing() {
    for (bytes, wanted) in CASES {
        for columns in [1, 2, 5, 9, 80] {
            let mut editor = typed(b"");
            for &byte in bytes.as_bytes() {
                editor.feed(byte);
                let (text, cursor) = drawn(&mut editor, columns.max(8));
                assert!(text.chars().count() < columns.max(8) && cursor < columns.max(8));
                // Too narrow for anything, and no reason to fail.
                editor.draw(PROMPT, columns, &mut String::new());
            }
            let mut line = editor.line.clone();
            line.insert(editor.at, '^');
            assert_eq!(line, *wanted, "{bytes:?}");
        }
    }
}

#[test]
fn steps_are_told() {
    let step = |bytes: &[u8]| {
        let mut editor = typed(&bytes[..bytes.len() - 1]);
        editor.feed(bytes[bytes.len() - 1])
    };
    for (bytes, wanted) in [
        (&b"ls\r"[..], Step::Line("ls".to_owned())),
        (b"\x12get\r", Step::Line("get /loop".to_owned())),
        (b"\n", Step::Line(String::new())),
        (b"l\t", Step::Complete),
        (b"ls\x03", Step::Interrupt),
        (b"\x04", Step::End),
        (b"x\x04", Step::Draw),
        (b"\x0c", Step::Clear),
        (b"\x1a", Step::Suspend),
        (b"\x1b", Step::Nothing),
        (b"\xc3", Step::Nothing),
        (b"\xc3\xa9", Step::Draw),
        (b"\x00", Step::Nothing),
    ] {
        assert_eq!(step(bytes), wanted, "{bytes:?}");
    }
    let mut editor = typed(b"\x1b[A\r\x1b[A");
    assert_eq!(editor.line, "ls /http");
    assert_eq!(editor.feed(3), Step::Interrupt);
    assert_eq!((editor.line.as_str(), editor.at, editor.back), ("", 0, 0));
}

#[test]
fn a_line_scrolls() {
    let mut editor = typed(b"abcdefghij");
    assert_eq!(drawn(&mut editor, 20), ("> abcdefghij".to_owned(), 12));
    assert_eq!(drawn(&mut editor, 10), ("> efghij".to_owned(), 8));
    editor.feed(1);
    assert_eq!(drawn(&mut editor, 10), ("> abcdefg".to_owned(), 2));
    editor.feed(5);
    assert_eq!(drawn(&mut editor, 10), ("> efghij".to_owned(), 8));
    editor.feed(2);
    editor.feed(2);
    assert_eq!(drawn(&mut editor, 10), ("> efghij".to_owned(), 6));
    editor.feed(5);
    editor.feed(0x15);
    assert_eq!(drawn(&mut editor, 10), ("> ".to_owned(), 2));
    let mut editor = typed("\u{65e5}\u{672c}\u{8a9e}".as_bytes());
    assert_eq!(drawn(&mut editor, 8), ("> \u{672c}~\u{8a9e}~".to_owned(), 6));
    let mut editor = typed(b"\x12get");
    let mut out = String::new();
    editor.draw(PROMPT, 80, &mut out);
    assert_eq!(out, "\rsearch \"get\": get /loop\x1b[K\r\x1b[14C");
}

#[test]
fn the_line_and_the_history_are_bounded() {
    let mut editor = typed(&[b'x'; 5000]);
    assert_eq!(editor.line.len(), LONGEST);
    assert_eq!(editor.feed(b'\r'), Step::TooLong);
    assert_eq!((editor.line.as_str(), editor.history.last().map(String::len)), ("", Some(LONGEST)));
    // What is gone is no reason to refuse what is written next.
    for (erase, next) in
        [(3, Step::Line("y".to_owned())), (21, Step::Line("y".to_owned())), (8, Step::TooLong)]
    {
        let mut editor = typed(&[b'x'; LONGEST + 1]);
        editor.feed(erase);
        editor.feed(b'y');
        assert_eq!(editor.feed(b'\r'), next, "{erase}");
    }
    let mut editor = typed(&[b'x'; LONGEST]);
    assert_eq!(editor.feed(b'\r'), Step::Line("x".repeat(LONGEST)));
    for number in 0..2 * HISTORY {
        editor.remember(&number.to_string());
        editor.remember(&number.to_string());
        editor.remember("");
    }
    assert_eq!(editor.history.len(), HISTORY);
    assert_eq!(editor.history[0], HISTORY.to_string());
}

fn wanted_open(word: Option<&String>) -> bool {
    word.is_some_and(|word| word.ends_with(['=', '/']))
}

#[test]
fn words_are_completed() {
    let complete = |line: &str, start: usize, words: &[&str]| {
        let mut editor = typed(line.as_bytes());
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let listed = editor.complete(start, &words, wanted_open(words.first()));
        (editor.line, listed)
    };
    for (line, start, words, wanted, listed) in [
        ("fi", 0, &["find"][..], "find ", false),
        ("fi", 0, &[], "fi", false),
        ("s", 0, &["save", "schema", "set"], "s", true),
        ("sc", 0, &["schema"], "schema ", false),
        ("get /http", 4, &["/http/main", "/http/mirror"], "get /http/m", false),
        ("get /http/m", 4, &["/http/main", "/http/mirror"], "get /http/m", true),
        ("set /x key", 7, &["key="], "set /x key=", false),
        ("ls /http", 3, &["/http/"], "ls /http/", false),
        ("a", 0, &["\u{e9}", "\u{e8}"], "a", false),
        ("", 0, &["\u{e9}", "\u{e8}"], "", true),
    ] {
        assert_eq!(complete(line, start, words), (wanted.to_owned(), listed), "{line}");
    }
}

quickcheck::quickcheck! {
    fn any_bytes_are_borne(bytes: Vec<u8>, columns: u8) -> bool {
        let mut editor = typed(b"");
        for byte in bytes {
            editor.feed(byte & 0x7f);
            editor.feed(byte);
            editor.draw(PROMPT, columns.into(), &mut String::new());
        }
        editor.line.is_char_boundary(editor.at) && editor.at <= editor.line.len()
    }
}
