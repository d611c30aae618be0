//! Any INI file: its lines are all of it, and a value that is written is read again.
#![no_main]

use gorgon::text::ini::{GORGON, LineKind, Lines, push_value, unquote};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    for line in Lines::new(text, GORGON) {
        assert!(line.start == at && line.next > at);
        at = line.next;
        let (LineKind::Pair { value, at: place, .. } | LineKind::More { value, at: place }) = line.kind
        else {
            continue;
        };
        assert!(value.is_empty() || text.get(place..place + value.len()) == Some(value));
        assert!(line.start <= place && place <= line.next);
        let value = unquote(value);
        let mut written = "a = ".to_owned();
        push_value(&value, &mut written);
        let again = Lines::new(&written, GORGON).next().map(|line| line.kind);
        assert!(matches!(again, Some(LineKind::Pair { value: again, .. }) if unquote(again) == value));
    }
    assert_eq!(at, text.len());
});
