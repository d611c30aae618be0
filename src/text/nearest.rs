//! The nearest valid name, for "did you mean".

/// Names longer than this are not compared: nobody mistypes that much, and the work stays small.
const LONGEST: usize = 40;

/// The name that takes the fewest typing mistakes (a letter left out, added, changed, or swapped with its
/// neighbour) to become `wanted`; `None` when all take more than a third of its length, rounded. The first of equals wins.
#[must_use]
pub fn nearest<'a>(wanted: &str, names: &mut dyn Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut least = (wanted.len() + 1) / 3 + 1;
    let mut best = None;
    for name in names {
        let mistakes = distance(wanted.as_bytes(), name.as_bytes());
        if mistakes < least && mistakes < name.len().min(wanted.len()) {
            least = mistakes;
            best = Some(name);
        }
    }
    best
}

/// Optimal string alignment distance of bytes, case aside.
fn distance(a: &[u8], b: &[u8]) -> usize {
    if a.len() > LONGEST || b.len() > LONGEST {
        return usize::MAX;
    }
    // Three rows of the usual table: for the letters of `a` up to two back, one back, and this one.
    let mut older = [0usize; LONGEST + 1];
    let mut old = [0usize; LONGEST + 1];
    for (column, cell) in old.iter_mut().enumerate() {
        *cell = column;
    }
    let mut before_a = None;
    for (row, a) in a.iter().map(u8::to_ascii_lowercase).enumerate() {
        let mut new = [0usize; LONGEST + 1];
        let mut left = row + 1;
        let mut before_b = None;
        if let Some(first) = new.first_mut() {
            *first = left;
        }
        for (column, b) in b.iter().map(u8::to_ascii_lowercase).enumerate() {
            let at = |row: &[usize; LONGEST + 1], column: usize| row.get(column).copied().unwrap_or(LONGEST);
            let changed = at(&old, column) + usize::from(a != b);
            let mut cell = changed.min(at(&old, column + 1) + 1).min(left + 1);
            if column > 0 && before_a == Some(b) && before_b == Some(a) {
                cell = cell.min(at(&older, column - 1) + 1);
            }
            if let Some(place) = new.get_mut(column + 1) {
                *place = cell;
            }
            left = cell;
            before_b = Some(b);
        }
        older = old;
        old = new;
        before_a = Some(a);
    }
    old.get(b.len()).copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_mistakes() {
        for (a, b, mistakes) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("listen", "Listen", 0),
            ("lisen", "listen", 1),
            ("listten", "listen", 1),
            ("liszen", "listen", 1),
            ("lisetn", "listen", 1),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), mistakes, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), mistakes, "{b} {a}");
        }
        assert_eq!(distance(&[b'a'; LONGEST], &[b'b'; LONGEST]), LONGEST);
        assert_eq!(distance(&[b'a'; LONGEST + 1], b""), usize::MAX);
    }

    #[test]
    fn names_the_nearest_or_none() {
        let names = ["read_buffer", "write_buffer", "listen", "hidden"];
        let near = |wanted| nearest(wanted, &mut names.into_iter());
        assert_eq!(near("read_bufer"), Some("read_buffer"));
        assert_eq!(near("read-buffer"), Some("read_buffer"));
        assert_eq!(near("wirte_buffer"), Some("write_buffer"));
        assert_eq!(near("lsten"), Some("listen"));
        assert_eq!(near("colour"), None);
        // Half of it is another.
        assert_eq!(nearest("daemon", &mut ["admin"].into_iter()), None);
        assert_eq!(near(""), None);
        assert_eq!(near("x"), None);
        assert_eq!(nearest("-x", &mut ["v"].into_iter()), None);
        assert_eq!(near(&"x".repeat(1000)), None);
    }
}
