//! Any text as `/etc/passwd` and as `/etc/group`: nobody is root who is not listed so, and no number means "no change".
#![no_main]

use gorgon::cli::user::User;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let name = input.split(|byte| *byte == b':').next().and_then(|name| std::str::from_utf8(name).ok());
    for text in ["", "web", "33:alice", "1000:1000", name.unwrap_or("0")] {
        let Ok(user) = User::resolve(text, input, input) else { continue };
        assert!(user.listed || user.user != 0 || text.starts_with('0'));
        assert!(user.groups.first() == Some(&user.group) && !user.groups.contains(&u32::MAX));
        assert!(user.user != u32::MAX && user.groups.len() <= 1 + input.len() / 6);
    }
});
