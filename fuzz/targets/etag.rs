//! Lists of entity tags, and whether one's own is found in them.
#![no_main]

use gorgon::http::conditional::if_range;
use gorgon::http::etag::{Comparison, ETag, Listed, listed};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: ((u64, i64, u32, u64, bool), &[u8])| {
    let ((size, seconds, nanoseconds, inode, weak), list) = input;
    let tag = ETag::new(size, seconds, nanoseconds, inode, weak);
    let text = tag.as_bytes();
    assert!(tag.is_weak() == weak && tag.weak_matches(text) && tag.strong_matches(text) != weak);
    assert!(if_range(text, Some(&tag), None) != weak);
    assert!(!tag.strong_matches(list) || tag.weak_matches(list));
    let alone = listed(list, None, Comparison::Weak);
    assert!(
        (alone == Listed::Malformed) == (listed(list, Some(&tag), Comparison::Strong) == Listed::Malformed)
    );
    let longer = [list, b", ", text].concat();
    assert!(tag.weak_matches(&longer) == (alone == Listed::No));
    let _ = (if_range(list, Some(&tag), Some(seconds)), if_range(list, None, None));
});
