//! A head in pieces is the head whole.
#![no_main]

use gorgon::http::head::{Fields, Head, Limits, Parsed, parse};
use gorgon::http::request::Request;
use gorgon_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, [u16; 3], &[u8])| {
    let (small, cuts, text) = input;
    let limits = if small { Limits { line: 24, head: 96, fields: 3 } } else { Limits::default() };
    let read = |text: &[u8], resume| {
        let (mut fields, mut head) = (Fields::default(), Head::default());
        let parsed = parse(text, resume, &limits, &mut fields, &mut head);
        let told = matches!(parsed, Parsed::Complete { .. }).then(|| {
            let request = Request::new(text, &head, &fields);
            let fields: Vec<_> = request.fields().map(|(n, v)| (n.to_vec(), v.to_vec())).collect();
            (request.method().name(), request.target().to_vec(), request.path().to_vec(), fields)
        });
        (parsed, told)
    };
    let first = read(text, 0);
    // In pieces, an error may be found later: at the end of its line or of the head.
    let ended = [text, b"\n\r\n\r\n"].concat();
    let text = if matches!(first.0, Parsed::Error(_)) { &ended[..] } else { text };
    let whole = read(text, 0);
    assert!(matches!(first.0, Parsed::Partial { .. }) || first == whole);
    let (mut end, mut resume) = (0, 0);
    for piece in pieces(text, &cuts) {
        end += piece.len();
        let (parsed, told) = read(&text[..end], resume);
        match parsed {
            Parsed::Partial { resume: next } => resume = next,
            Parsed::Complete { .. } | Parsed::Error(_) => return assert!((parsed, told) == whole),
        }
    }
    assert!(matches!(whole.0, Parsed::Partial { .. }));
});
