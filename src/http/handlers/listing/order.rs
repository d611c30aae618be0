//! The order a listing is asked for in.

use core::cmp::Ordering;

use super::page::Facts;

/// What is sorted by.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Key {
    /// The name, whatever the case of ASCII letters.
    Name,
    /// The size.
    Size,
    /// The time of the last change.
    Date,
}

impl Key {
    /// The word for it in a query.
    pub fn word(self) -> &'static [u8] {
        match self {
            Key::Name => b"name",
            Key::Size => b"size",
            Key::Date => b"date",
        }
    }
}

/// An order. Directories come first in each.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Order {
    /// What is sorted by; what is equal there is sorted by name.
    pub key: Key,
    /// The greatest first.
    pub descending: bool,
}

impl Order {
    /// Reads `sort=name|size|date&order=asc|desc`. What is none of this is passed over, so that a link never fails; the
    /// last word counts.
    pub fn of_query(query: &[u8]) -> Order {
        let mut order = Order { key: Key::Name, descending: false };
        for part in query.split(|&byte| byte == b'&') {
            match part {
                b"sort=name" => order.key = Key::Name,
                b"sort=size" => order.key = Key::Size,
                b"sort=date" => order.key = Key::Date,
                b"order=asc" => order.descending = false,
                b"order=desc" => order.descending = true,
                _ => {}
            }
        }
        order
    }

    /// How two entries stand to each other. Of two names in one directory none is equal.
    pub fn compare(self, one: (&[u8], &Facts), other: (&[u8], &Facts)) -> Ordering {
        let by_name = || {
            let lower = |name: &'_ [u8], at: usize| name.get(at).map(u8::to_ascii_lowercase);
            let (length, names) = (one.0.len().max(other.0.len()), (one.0, other.0));
            let folded = (0..length).map(|at| lower(names.0, at).cmp(&lower(names.1, at)));
            folded.reduce(Ordering::then).unwrap_or(Ordering::Equal).then_with(|| names.0.cmp(names.1))
        };
        let sized = |facts: &Facts| if facts.directory { 0 } else { facts.size };
        let by_key = match self.key {
            Key::Name => Ordering::Equal,
            Key::Size => sized(one.1).cmp(&sized(other.1)),
            Key::Date => one.1.modified.cmp(&other.1.modified),
        };
        let rest = by_key.then_with(by_name);
        let rest = if self.descending { rest.reverse() } else { rest };
        other.1.directory.cmp(&one.1.directory).then(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries() {
        for (query, key, descending) in [
            ("", Key::Name, false),
            ("sort=size", Key::Size, false),
            ("sort=date&order=desc", Key::Date, true),
            ("order=desc", Key::Name, true),
            ("order=desc&order=asc&sort=size&sort=name", Key::Name, false),
            ("sort=size&x=y&&=&sort=colour&order=", Key::Size, false),
            ("SORT=size", Key::Name, false),
        ] {
            assert_eq!(Order::of_query(query.as_bytes()), Order { key, descending }, "{query}");
        }
    }

    #[test]
    fn orders() {
        let entries: [(&[u8], Facts); 5] = [
            (b"B", Facts { directory: false, size: 1, modified: 3 }),
            (b"a", Facts { directory: false, size: 2, modified: 1 }),
            (b"z", Facts { directory: true, size: 4096, modified: 9 }),
            (b"b", Facts { directory: false, size: 2, modified: 0 }),
            (b"Y", Facts { directory: true, size: 0, modified: 8 }),
        ];
        for (query, expected) in [
            ("", "YzaBb"),
            ("order=desc", "zYbBa"),
            ("sort=size", "YzBab"),
            ("sort=size&order=desc", "zYbaB"),
            ("sort=date", "YzbaB"),
            ("sort=date&order=desc", "zYBab"),
        ] {
            let order = Order::of_query(query.as_bytes());
            let mut sorted = entries;
            sorted.sort_by(|one, other| order.compare((one.0, &one.1), (other.0, &other.1)));
            let names: Vec<u8> = sorted.iter().flat_map(|(name, _)| name.to_vec()).collect();
            assert_eq!(String::from_utf8(names).unwrap(), expected, "{query}");
        }
    }
}
