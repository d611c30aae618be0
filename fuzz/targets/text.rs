//! The small codecs: what is written is read back, and what is read is written such that it reads the same.
#![no_main]

use gorgon::text::{duration, html, nearest, number, percent, size};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u64, &[u8])| {
    let (value, bytes) = input;
    let (mut encoded, mut decoded) = (Vec::new(), Vec::new());
    percent::encode_segment(bytes, &mut encoded);
    assert!(encoded.iter().all(u8::is_ascii_graphic));
    assert!(percent::decode(&encoded, &mut decoded).is_ok() && decoded == bytes);
    let _ = percent::decode(bytes, &mut decoded);
    let mut query = Vec::new();
    percent::encode_query(bytes, &mut query);
    assert!(query.iter().all(|byte| byte.is_ascii_graphic() && !b"\"<>#".contains(byte)));
    let mut escaped = Vec::new();
    html::escape(bytes, &mut escaped);
    assert!(!escaped.iter().any(|byte| b"<>\"'".contains(byte)));
    let text = String::from_utf8_lossy(bytes);
    let _ = nearest::nearest(&text, &mut ["listen", "root", "index"].into_iter());
    let (mut decimal, mut hexadecimal) = (Vec::new(), Vec::new());
    number::push_decimal(value, &mut decimal);
    number::push_hex(value, &mut hexadecimal);
    assert_eq!(number::parse_decimal(&decimal), Some(value));
    assert_eq!(number::parse_hex(&hexadecimal), Some(value));
    for value in [Some(value), size::parse(&text)].into_iter().flatten() {
        let mut printed = String::new();
        size::print(value, &mut printed);
        assert_eq!(size::parse(&printed), Some(value));
    }
    for value in [Some(value), duration::parse(&text)].into_iter().flatten() {
        let mut printed = String::new();
        duration::print(value, &mut printed);
        assert_eq!(duration::parse(&printed), Some(value));
    }
});
