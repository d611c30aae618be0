//! Any file of media types: what is found is fit for a field, and loading it twice changes nothing.
#![no_main]

use gorgon::fs::media::{MediaTypes, takes_charset};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let (mut once, mut twice) = (MediaTypes::new(), MediaTypes::new());
    assert!(once.load_mime_types(input).is_ok());
    assert!(twice.load_mime_types(input).is_ok() && twice.load_mime_types(input).is_ok());
    for word in input.split(|byte| byte.is_ascii_whitespace() || *byte == b'#').chain([&b"html"[..]]) {
        let found = once.media_type(word);
        assert_eq!(found, twice.media_type(word));
        assert_eq!(found, once.media_type(&word.to_ascii_uppercase()));
        assert!(
            found.len() <= 255 && found.contains('/') && found.bytes().all(|byte| byte.is_ascii_graphic())
        );
        let _ = takes_charset(found);
    }
});
