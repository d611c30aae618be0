//! HTML escapes, for text and for attribute values in either kind of quotes.

use alloc::vec::Vec;

/// Appends `text` so that it reads as itself in HTML: `& < > " '` become references, other bytes stay.
pub fn escape(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        let reference: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\'' => b"&#39;",
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(reference);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_place() {
        for (text, escaped) in [
            ("", ""),
            ("plain \u{e9}", "plain \u{e9}"),
            ("<script>alert('1')</script>", "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;"),
            ("a&b\"c", "a&amp;b&quot;c"),
            ("&amp;", "&amp;amp;"),
        ] {
            let mut out = Vec::new();
            escape(text.as_bytes(), &mut out);
            assert_eq!(out, escaped.as_bytes());
        }
    }

    #[test]
    fn every_byte_is_kept_or_named() {
        for byte in 0..=255u8 {
            let mut out = Vec::new();
            escape(&[byte], &mut out);
            assert!(out == [byte] || (out.first() == Some(&b'&') && out.last() == Some(&b';')));
            assert!(!out.iter().any(|byte| b"<>\"'".contains(byte)));
        }
    }
}
