//! The conditions of a request: those of tags go before those of dates, and only reading finds things unmodified.
#![no_main]

use gorgon::http::conditional::{Precondition, precondition};
use gorgon::http::etag::ETag;
use gorgon::http::field::Name;
use gorgon::http::method::Method;
use gorgon_fuzz::with_request;
use libfuzzer_sys::fuzz_target;

// The last are the values of four fields, a line each.
fuzz_target!(|input: (bool, bool, i64, i64, &[u8])| {
    let (weak, post, modified, now, values) = input;
    let mut values = values.split(|byte| *byte == b'\n');
    let tag = ETag::new(1, modified, 2, 3, weak);
    let mut text =
        if post { b"POST / HTTP/1.1\r\nHost: h".to_vec() } else { b"GET / HTTP/1.1\r\nHost: h".to_vec() };
    for name in ["If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"] {
        let value = values.next().unwrap_or_default();
        if !value.is_empty() {
            text.extend_from_slice(&[b"\r\n", name.as_bytes(), b": ", value].concat());
        }
    }
    text.extend_from_slice(b"\r\n\r\n");
    with_request(&text, |request| {
        let all = [Some(&tag), None]
            .map(|tag| [Some(modified), None].map(|modified| precondition(request, tag, modified, now)));
        let reads = matches!(request.method(), Method::Get | Method::Head);
        assert!(reads || all.iter().flatten().all(|one| *one != Precondition::NotModified));
        // What does not exist matches no tag.
        assert!(!request.has_any(Name::IfMatch.mask()) || all[1][1] == Precondition::Failed);
    });
});
