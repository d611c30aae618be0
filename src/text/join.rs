//! Texts put together from parts, in one place: the loop would be copied to wherever it is called from otherwise.

use alloc::string::String;

/// The parts, one behind the other.
#[inline(never)]
#[must_use]
pub fn joined(parts: &[&str]) -> String {
    let mut out = String::new();
    push_all(&mut out, parts);
    out
}

/// Appends the parts.
#[inline(never)]
pub fn push_all(out: &mut String, parts: &[&str]) {
    out.reserve(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        out.push_str(part);
    }
}

/// The parts with something between each two.
#[inline(never)]
#[must_use]
pub fn separated(parts: &mut dyn Iterator<Item = &str>, between: &str) -> String {
    let mut out = String::new();
    for (place, part) in parts.enumerate() {
        push_all(&mut out, &[if place == 0 { "" } else { between }, part]);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_together() {
        let mut out = joined(&["a", "", "bc"]);
        push_all(&mut out, &["d"]);
        push_all(&mut out, &[]);
        assert_eq!(out, "abcd");
        for parts in [&[][..], &["a"], &["", "b"], &["a", "b", "c"]] {
            assert_eq!(separated(&mut parts.iter().copied(), ", "), parts.join(", "));
        }
    }
}
