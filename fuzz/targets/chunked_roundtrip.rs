//! What is written in chunks is read back.
#![no_main]

use gorgon::http::body::BodyState;
use gorgon::http::chunked::{CHUNK_END, ChunkedDecoder, LAST_CHUNK, chunk_head};
use gorgon_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: ([u16; 4], [u16; 3], &[u8])| {
    let (chunks, cuts, data) = input;
    let mut coded = Vec::new();
    for chunk in pieces(data, &chunks) {
        coded.extend_from_slice(&[&*chunk_head(chunk.len()), chunk, CHUNK_END].concat());
    }
    coded.extend_from_slice(LAST_CHUNK);
    let (mut decoder, mut decoded, mut used) = (ChunkedDecoder::new(), Vec::new(), 0);
    for piece in pieces(&coded, &cuts) {
        let mut rest = piece;
        while !rest.is_empty() {
            let step = decoder.feed(rest);
            assert!(step.used > 0 && step.state != BodyState::Error);
            decoded.extend_from_slice(&rest[step.data]);
            rest = &rest[step.used..];
            used += step.used;
        }
    }
    assert!(decoder.is_done() && used == coded.len() && decoded == data);
});
