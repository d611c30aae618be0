//! Bytes that are mostly UTF-8.

/// Hands `text` out in pieces that are UTF-8, each maximal part that is not as one U+FFFD.
pub fn each_valid(text: &[u8], each: &mut dyn FnMut(&[u8])) {
    for chunk in text.utf8_chunks() {
        each(chunk.valid().as_bytes());
        if !chunk.invalid().is_empty() {
            each("\u{fffd}".as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    quickcheck::quickcheck! {
        fn it_is_as_the_library_has_it(text: Vec<u8>) -> bool {
            let mut out = Vec::new();
            each_valid(&text, &mut |valid| out.extend_from_slice(valid));
            out == String::from_utf8_lossy(&text).as_bytes()
        }
    }
}
