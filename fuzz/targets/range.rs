//! Byte ranges: whatever is asked for lies within the file, in order, and apart.
#![no_main]

use gorgon::http::range::{MOST, Ranges, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &[u8])| {
    let (size, set) = input;
    let _ = parse(set, size);
    match parse(&[b"bytes=", set].concat(), size) {
        Ranges::Whole | Ranges::Unsatisfiable => {}
        Ranges::One(one) => assert!(one.first < one.end && one.end <= size),
        Ranges::Many(list) => {
            assert!((2..=MOST).contains(&list.len()));
            assert!(list.iter().all(|piece| piece.first < piece.end && piece.end <= size));
            assert!(list.windows(2).all(|pair| pair[0].end + 80 <= pair[1].first));
        }
    }
});
