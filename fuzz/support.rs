//! What fuzz targets share.

use gorgon::http::head::{Fields, Head, Limits, Parsed, parse};
use gorgon::http::request::Request;

/// `input` in pieces, which end at the places that `cuts` gives; none is empty unless the input is.
pub fn pieces<'a>(input: &'a [u8], cuts: &[u16]) -> Vec<&'a [u8]> {
    let mut ends: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut) % (input.len() + 1)).collect();
    ends.push(input.len());
    ends.sort_unstable();
    ends.dedup();
    let mut start = 0;
    let mut pieces = Vec::new();
    for end in ends.into_iter().filter(|&end| end > 0) {
        pieces.push(&input[start..end]);
        start = end;
    }
    pieces
}

/// The request that `input` begins with, if its head is right and whole.
pub fn with_request(input: &[u8], look: impl FnOnce(&Request<'_>)) {
    let (mut fields, mut head) = (Fields::default(), Head::default());
    if let Parsed::Complete { length } = parse(input, 0, &Limits::default(), &mut fields, &mut head) {
        assert!(length <= input.len());
        look(&Request::new(input, &head, &fields));
    }
}
