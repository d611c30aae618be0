//! A path that is accepted can be handed to the kernel, and its URL leads back to it.
#![no_main]

use gorgon::fs::path::{PATH_LIMIT, SEGMENT_LIMIT, VPath, VPathBuf};
use libfuzzer_sys::fuzz_target;

// A line that is a name to append, then the raw path.
fuzz_target!(|input: &[u8]| {
    let line = input.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (name, raw) = input.split_at(line);
    let raw = raw.strip_prefix(b"\n").unwrap_or(raw);
    let (mut buffer, mut other) = (VPathBuf::default(), VPathBuf::default());
    check(buffer.path());
    let Ok(path) = buffer.set_url(raw) else { return check(buffer.path()) };
    check(path);
    let length = path.as_bytes().len();
    let _ = buffer.push_name(name);
    check(buffer.path());
    buffer.truncate(length);
    check(buffer.path());
    buffer.truncate(name.len());
    check(buffer.path());
    check(other.set(buffer.path()));
});

fn check(path: VPath<'_>) {
    let text = path.as_bytes();
    assert!(text.starts_with(b"/") && text.len() <= PATH_LIMIT);
    assert!(!text.contains(&0) && !text.windows(2).any(|two| two == b"//"));
    for segment in path.segments() {
        assert!(segment != b"." && segment != b".." && segment.len() <= SEGMENT_LIMIT);
    }
    assert!(VPath::new(text).is_ok_and(|same| same == path));
    assert!(VPath::new(path.parent().as_bytes()).is_ok() && path.parent().is_directory_form());
    let (mut url, mut buffer) = (Vec::new(), VPathBuf::default());
    path.encode_url(&mut url);
    assert!(buffer.set_url(&url).is_ok_and(|same| same == path));
    let _ = (path.name(), path.extension(), path.is_hidden());
}
