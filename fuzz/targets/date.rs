//! Any second can be written and read back; what is read is a second that can be written.
#![no_main]

use gorgon::http::date::{DateText, format, parse};
use libfuzzer_sys::fuzz_target;

const LAST: i64 = 253_402_300_799;

fuzz_target!(|input: (i64, i64, &[u8])| {
    let (time, now, text) = input;
    for time in [time, time % LAST] {
        let mut written = DateText::default();
        written.set(time);
        assert_eq!(*written.as_bytes(), format(time));
        assert_eq!(parse(&format(time), now), Some(time.clamp(0, LAST)));
    }
    if let Some(read) = parse(text, now).filter(|read| (0..=LAST).contains(read)) {
        assert_eq!(parse(&format(read), now), Some(read));
    }
});
