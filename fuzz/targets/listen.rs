//! Any address to listen on.
#![no_main]

use gorgon::text::listen::Listen;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(listen) = Listen::parse(text) else { return };
    if matches!(listen, Listen::Unix(_) | Listen::Passed(_)) {
        assert!(!listen.is_ephemeral());
    }
    let longer = ["http://", text].concat();
    assert!(text.contains("://") || Listen::parse(&longer).is_ok_and(|same| same == listen));
});
