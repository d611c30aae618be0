//! A body in pieces is the body whole, and reading one ends.
#![no_main]

use gorgon::http::body::{BodyReader, BodyState};
use gorgon::http::framing::Framing;
use gorgon_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Option<u16>, [u16; 3], &[u8])| {
    let (length, cuts, text) = input;
    let framing = length.map_or(Framing::Chunked, |length| Framing::Length(length.into()));
    assert!(read(framing, &[text]) == read(framing, &pieces(text, &cuts)));
});

/// The data, how many bytes were used, and how it ended.
fn read(framing: Framing, pieces: &[&[u8]]) -> (Vec<u8>, usize, BodyState) {
    let mut reader = BodyReader::new(framing);
    let (mut data, mut used, mut state) = (Vec::new(), 0, reader.feed(b"").state);
    for piece in pieces {
        let mut rest = *piece;
        while state == BodyState::NeedMore && !rest.is_empty() {
            let step = reader.feed(rest);
            assert!(step.used > 0 || step.state != BodyState::NeedMore, "stands still");
            assert!(step.data.is_empty() || step.data.end <= step.used);
            data.extend_from_slice(&rest[step.data]);
            rest = &rest[step.used..];
            used += step.used;
            state = step.state;
        }
    }
    assert!(reader.is_done() == (state == BodyState::Done));
    (data, used, state)
}
