//! What can be asked of a request that was accepted.
#![no_main]

use gorgon::http::field::Name;
use gorgon::http::framing;
use gorgon_fuzz::with_request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    with_request(input, |request| {
        assert!(request.path().starts_with(b"/"));
        assert!(request.authority().starts_with(request.host()));
        assert!(request.query().is_none_or(|query| request.target().ends_with(query)));
        for (name, value) in request.fields() {
            assert!(!name.is_empty() && !value.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            if let Some(known) = Name::find(name) {
                assert!(request.count(known) > 0 && request.field(known).is_some());
                assert!(request.values(known).any(|one| one == value));
            }
        }
        if let Ok(framing::Framing::Length(length)) = framing::framing(request) {
            assert!(i64::try_from(length).is_ok());
        }
        let _ = (framing::expect(request) == framing::Expect::None, framing::persistent(request));
    });
});
