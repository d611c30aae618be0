//! Conditional requests (RFC 9110 section 13): whether the method is to be done at all, and whether a range still
//! belongs to what the client has.
//!
//! ```text
//!   If-Match? ── there, false ─────────────────────────> Failed
//!      │  └───── there, true ──────────────┐
//!      none                                v
//!   If-Unmodified-Since? ── none, true ─> If-None-Match? ── there, false ──> GET, HEAD: NotModified; others: Failed
//!      └────────────────── false ─> Failed │  └──────────── there, true ───> Proceed
//!                                          none
//!                                          v
//!                           If-Modified-Since, of GET and HEAD? ── false ──> NotModified
//!                                          └────────── none, true ─────────> Proceed
//! ```
//!
//! A date that is malformed, repeated, or has no date to be compared with is as one that is not there (sections 13.1.3
//! and 13.1.4). A list of entity tags that is malformed has no tag in it, but is there: what it was to guard or to
//! replace is not judged by another field.

use super::date;
use super::etag::{Comparison, ETag, Listed, is_exactly, listed};
use super::field::Name;
use super::method::Method;
use super::request::Request;

/// What the conditions of a request come to.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Precondition {
    /// Do what the method says.
    Proceed,
    /// Answer 304: the client has it.
    NotModified,
    /// Answer 412, and change nothing.
    Failed,
}

/// Each condition as far as it is there.
#[derive(Clone, Copy, Default)]
#[cfg_attr(test, derive(Debug))]
struct Conditions {
    matches: Option<bool>,
    unmodified: Option<bool>,
    none_match: Option<bool>,
    modified: Option<bool>,
}

const CONDITIONS: u32 = Name::IfMatch.mask()
    | Name::IfNoneMatch.mask()
    | Name::IfModifiedSince.mask()
    | Name::IfUnmodifiedSince.mask();

/// What the conditions of `request` come to for a representation with this entity tag and time of change, `modified`,
/// in seconds since 1970 like `now`. One with neither does not exist, so that even `*` does not match it.
///
/// It is to be asked only when the answer would otherwise be of 2xx, and not for OPTIONS, TRACE and CONNECT (section
/// 13.2.1).
#[inline]
#[must_use]
pub fn precondition(
    request: &Request<'_>,
    etag: Option<&ETag>,
    modified: Option<i64>,
    now: i64,
) -> Precondition {
    if !request.has_any(CONDITIONS) {
        return Precondition::Proceed;
    }
    evaluate(request, etag, modified, etag.is_some() || modified.is_some(), now)
}

/// The same for what exists and has neither: it was made for this request.
#[must_use]
pub fn of_generated(request: &Request<'_>) -> Precondition {
    if !request.has_any(CONDITIONS) {
        return Precondition::Proceed;
    }
    evaluate(request, None, None, true, 0)
}

/// Whether the representation is still the one that `value`, an If-Range, names, so that its Range counts (section
/// 13.1.5).
///
/// A date counts only when the entity tag is not weak: a file that may have changed twice in one second is not known by
/// it.
#[must_use]
pub fn if_range(value: &[u8], etag: Option<&ETag>, modified: Option<i64>) -> bool {
    if let Some(same) = is_exactly(value, etag) {
        return same;
    }
    // Equal dates are equal in any century, so the date itself serves as now.
    modified.is_some_and(|modified| {
        date::parse(value, modified) == Some(modified) && !etag.is_some_and(ETag::is_weak)
    })
}

#[inline(never)]
fn evaluate(
    request: &Request<'_>,
    etag: Option<&ETag>,
    modified: Option<i64>,
    exists: bool,
    now: i64,
) -> Precondition {
    let in_lists = |name, comparison| matched(request.values(name), etag, exists, comparison);
    let since = |name| compared(request.values(name), modified, now);
    let conditions = Conditions {
        matches: in_lists(Name::IfMatch, Comparison::Strong),
        unmodified: since(Name::IfUnmodifiedSince).map(|later| !later),
        none_match: in_lists(Name::IfNoneMatch, Comparison::Weak).map(|found| !found),
        modified: since(Name::IfModifiedSince),
    };
    decide(matches!(request.method(), Method::Get | Method::Head), conditions)
}

/// The order of section 13.2.2; `reads` is for GET and HEAD.
fn decide(reads: bool, conditions: Conditions) -> Precondition {
    if conditions.matches.or(conditions.unmodified) == Some(false) {
        return Precondition::Failed;
    }
    let unchanged = if reads { Precondition::NotModified } else { Precondition::Failed };
    match (conditions.none_match, conditions.modified) {
        (Some(false), _) => unchanged,
        (None, Some(false)) if reads => unchanged,
        (Some(true), _) | (None, None | Some(_)) => Precondition::Proceed,
    }
}

/// Whether the tag is in the list that all `values` make together; `None` without any.
fn matched<'a>(
    values: impl Iterator<Item = &'a [u8]>,
    etag: Option<&ETag>,
    exists: bool,
    comparison: Comparison,
) -> Option<bool> {
    let mut found = None;
    for value in values {
        let here = match listed(value, etag, comparison) {
            Listed::Any => exists,
            Listed::Yes => true,
            Listed::No => false,
            Listed::Malformed => return Some(false),
        };
        found = Some(found.unwrap_or(false) || here);
    }
    found
}

/// Whether the representation changed later than the date in `values` says; `None` when that is to be ignored.
fn compared<'a>(mut values: impl Iterator<Item = &'a [u8]>, modified: Option<i64>, now: i64) -> Option<bool> {
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    Some(modified? > date::parse(value, now)?)
}

#[cfg(test)]
mod tests {
    use super::Precondition::{Failed, NotModified, Proceed};
    use super::*;

    const NOW: i64 = 1_764_000_000;
    const MODIFIED: i64 = 784_111_777;
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";
    const OWN: &str = "\"1-2-3-4\"";
    const OWN_WEAK: &str = "W/\"1-2-3-4\"";

    fn strong() -> ETag {
        ETag::new(1, 2, 3, 4, false)
    }

    fn values<'a>(values: &'a [&'a str]) -> impl Iterator<Item = &'a [u8]> {
        values.iter().map(|value| value.as_bytes())
    }

    /// RFC 9110 section 13.2.2, step by step in its own words, for comparison.
    fn by_the_book(reads: bool, conditions: Conditions) -> Precondition {
        let mut step = 1;
        loop {
            step = match step {
                1 => match conditions.matches {
                    Some(true) => 3,
                    Some(false) => return Failed,
                    None => 2,
                },
                2 => match conditions.unmodified {
                    Some(true) | None => 3,
                    Some(false) => return Failed,
                },
                3 => match conditions.none_match {
                    Some(true) => 5,
                    Some(false) if reads => return NotModified,
                    Some(false) => return Failed,
                    None => 4,
                },
                4 => match conditions.modified {
                    Some(false) if reads => return NotModified,
                    Some(_) | None => 5,
                },
                _ => return Proceed,
            }
        }
    }

    #[test]
    fn the_whole_truth_table() {
        let each = [None, Some(false), Some(true)];
        let mut seen = [0; 3];
        for place in 0..3 * 3 * 3 * 3 {
            let conditions = Conditions {
                matches: each[place % 3],
                unmodified: each[place / 3 % 3],
                none_match: each[place / 9 % 3],
                modified: each[place / 27],
            };
            for reads in [true, false] {
                let result = decide(reads, conditions);
                assert_eq!(result, by_the_book(reads, conditions), "{reads} {conditions:?}");
                seen[result as usize] += 1;
            }
        }
        // The first two fields fail 4 times in 9; then the others stop 4 in 9 when reading, 3 in 9 when writing.
        assert_eq!(seen, [5 * (5 + 6), 5 * (3 + 1), 2 * 4 * 9 + 5 * 3]);
    }

    #[test]
    fn lists_in_several_fields_are_one() {
        for (fields, by_strong, by_weak) in [
            (&[] as &[&str], None, None),
            (&["*"], Some(true), Some(true)),
            (&[""], Some(false), Some(false)),
            (&[OWN], Some(true), Some(true)),
            (&[OWN_WEAK], Some(false), Some(true)),
            (&["\"x\"", OWN], Some(true), Some(true)),
            (&[OWN, "\"x\""], Some(true), Some(true)),
            (&["\"x\"", "\"y\""], Some(false), Some(false)),
            (&[OWN, "x"], Some(false), Some(false)),
            (&["x", OWN], Some(false), Some(false)),
        ] {
            assert_eq!(matched(values(fields), Some(&strong()), true, Comparison::Strong), by_strong);
            assert_eq!(matched(values(fields), Some(&strong()), true, Comparison::Weak), by_weak);
            let nothing = (!fields.is_empty()).then_some(false);
            assert_eq!(matched(values(fields), None, false, Comparison::Weak), nothing);
        }
        assert_eq!(matched(values(&["*"]), None, true, Comparison::Weak), Some(true));
        assert_eq!(matched(values(&[OWN]), None, true, Comparison::Weak), Some(false));
    }

    #[test]
    fn dates() {
        for (fields, later) in [
            (&[] as &[&str], None),
            (&[EARLIER], Some(true)),
            (&[SAME], Some(false)),
            (&[LATER], Some(false)),
            (&["Fri, 31 Dec 9999 23:59:59 GMT"], Some(false)),
            (&["Sunday, 06-Nov-94 08:49:36 GMT"], Some(true)),
            (&["Sun Nov  6 08:49:37 1994"], Some(false)),
            (&[""], None),
            (&["0"], None),
            (&["Sun, 06 Nov 1994 08:49:36 gmt"], None),
            (&[EARLIER, EARLIER], None),
            (&[EARLIER, LATER], None),
        ] {
            assert_eq!(compared(values(fields), Some(MODIFIED), NOW), later, "{fields:?}");
            assert_eq!(compared(values(fields), None, NOW), None);
        }
    }

    #[test]
    fn ranges() {
        let (strong, weak) = (strong(), ETag::new(1, 2, 3, 4, true));
        for (value, of_strong, of_weak, of_none) in [
            (OWN, true, false, false),
            (OWN_WEAK, false, false, false),
            ("\"x\"", false, false, false),
            ("*", false, false, false),
            ("\"x\", \"1-2-3-4\"", false, false, false),
            ("\"1-2-3-4\",", false, false, false),
            ("", false, false, false),
            (SAME, true, false, true),
            ("Sunday, 06-Nov-94 08:49:37 GMT", true, false, true),
            ("Sun Nov  6 08:49:37 1994", true, false, true),
            (EARLIER, false, false, false),
            (LATER, false, false, false),
            ("Sun, 06 Nov 1994 08:49:37", false, false, false),
        ] {
            assert_eq!(if_range(value.as_bytes(), Some(&strong), Some(MODIFIED)), of_strong, "{value}");
            assert_eq!(if_range(value.as_bytes(), Some(&weak), Some(MODIFIED)), of_weak, "{value}");
            assert_eq!(if_range(value.as_bytes(), None, Some(MODIFIED)), of_none, "{value}");
            assert!(!if_range(value.as_bytes(), None, None));
        }
    }
}
