//! Any file of users and any Authorization: who is found has a whole hash, and what is read can be split.
#![no_main]

use gorgon::http::authorization::{basic, split};
use gorgon::http::password::check;
use gorgon::http::users::{Scheme, Users};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let mut credentials = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        if basic(line, &mut credentials) {
            let (name, password) = split(&credentials).expect("a name and a password");
            assert_eq!([name, b":", password].concat(), credentials);
        }
        let _ = check(b"password", line);
    }
    if let Ok(users) = Users::parse(input.to_vec()) {
        for line in input.split(|byte| *byte == b'\n' || *byte == b':') {
            if let Some(hash) = users.find(line) {
                assert!(Scheme::of(hash.text) == Some(hash.scheme) && hash.line > 0);
            }
        }
        assert!(users.schemes().len() <= 8 && users.costliest().is_some() != users.schemes().is_empty());
    }
});
