//! Which media types a client takes (RFC 9110, section 12.5.1), as far as it is asked here: whether it takes a page.

use super::encoding::weight;
use super::field::{elements, eq_ignore_case, trim};

/// Whether a client takes `text/html`. `values` are those of its `Accept` fields; without any it takes all.
///
/// The nearest range counts, `text/html` before `text/*` before `*/*`, and of several that are equally near the
/// highest weight. Other parameters than the weight are not looked at. What is malformed is as if it were not there.
#[must_use]
pub fn takes_html(values: &mut dyn Iterator<Item = &[u8]>) -> bool {
    let mut any = false;
    let mut nearest = (0, 0);
    for element in values.inspect(|_| any = true).flat_map(elements) {
        let mut parts = element.split(|byte| *byte == b';');
        let range = trim(parts.next().unwrap_or_default());
        let near = if eq_ignore_case(range, b"text/html") {
            3
        } else if eq_ignore_case(range, b"text/*") {
            2
        } else if range == b"*/*" {
            1
        } else {
            continue;
        };
        let given = parts.map(trim).find(|parameter| matches!(parameter, [b'q' | b'Q', b'=', ..]));
        let Some(weight) = given.map_or(Some(1000), weight) else { continue };
        nearest = nearest.max((near, weight));
    }
    !any || nearest.1 > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_takes_a_page() {
        for (value, takes) in [
            ("text/html", true),
            ("text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8", true),
            ("TEXT/HTML;q=0.1", true),
            ("text/html;level=1", true),
            ("text/html ; q=0.5", true),
            ("text/*", true),
            ("*/*", true),
            ("application/json, text/plain, */*", true),
            ("application/json", false),
            ("image/avif,image/webp", false),
            ("text/plain", false),
            ("", false),
            ("text/html;q=0", false),
            ("text/html;q=0, */*", false),
            ("*/*, text/html;q=0.000", false),
            ("text/*;q=0, */*", false),
            ("text/*;q=0, text/html", true),
            ("*/*;q=0", false),
            ("*/*;q=0, text/html;level=1;q=0.1", true),
            ("text/html;q=0, text/html", true),
            ("text/html;q=7", false),
            ("text/html;q=7, */*", true),
            ("text / html", false),
            ("*", false),
            ("html", false),
            ("text/htmlx", false),
        ] {
            assert_eq!(takes_html(&mut [value.as_bytes()].into_iter()), takes, "{value}");
            let fields: Vec<&[u8]> = value.split(',').map(str::as_bytes).collect();
            assert_eq!(takes_html(&mut fields.into_iter()), takes, "{value}");
        }
        assert!(takes_html(&mut std::iter::empty()));
    }
}
