//! What an HTTP server, its handlers and its cache count: the tables of their facts.

use crate::tree::{About, Attribute, Kind, Path, Unit, Value};
use crate::{counter, fact};

/// Who is told facts: the node within the service, the fact, its value.
pub type Tell<'t> = &'t mut dyn FnMut(&Path<'_>, &'static About, Value);

/// Any number.
const COUNT: Unit = Unit::Count { min: 0, max: u64::MAX };
/// Any number of bytes.
const BYTES: Unit = Unit::Size { min: 0, max: u64::MAX, power_of_two: false };

const fn tells<T>(about: About, get: fn(&T) -> Value) -> Attribute<T> {
    Attribute { about, get, set: None }
}

/// What a server has counted.
#[derive(Clone, Copy, Default)]
pub struct HttpFacts {
    /// Requests whose head came whole.
    pub requests: u64,
    /// Replies by the first digit of their status, 1 to 5.
    pub replies: [u64; 5],
    /// Requests that are being received or answered piece by piece.
    pub exchanges: u64,
}

impl HttpFacts {
    /// Counts a reply by the first digit of its status, as a character.
    #[inline]
    pub fn count(&mut self, digit: u8) {
        if let Some(count) = self.replies.get_mut(usize::from(digit.wrapping_sub(b'1'))) {
            *count += 1;
        }
    }
}

/// The facts of the kind `http`.
pub static HTTP_FACTS: Kind<HttpFacts> = Kind {
    name: "http",
    help: "HTTP server",
    attributes: &[
        tells(counter!("requests", COUNT, "Requests whose head came whole."), |f| Value::Count(f.requests)),
        tells(counter!("informational", COUNT, "Requests for a body, by status 100."), |f| {
            Value::Count(f.replies[0])
        }),
        tells(counter!("successful", COUNT, "Replies with a status of 200 to 299."), |f| {
            Value::Count(f.replies[1])
        }),
        tells(counter!("redirected", COUNT, "Replies with a status of 300 to 399."), |f| {
            Value::Count(f.replies[2])
        }),
        tells(counter!("client_errors", COUNT, "Replies with a status of 400 to 499."), |f| {
            Value::Count(f.replies[3])
        }),
        tells(counter!("server_errors", COUNT, "Replies with a status of 500 to 599."), |f| {
            Value::Count(f.replies[4])
        }),
        tells(
            fact!(
                "exchanges",
                COUNT,
                "Requests under way. Their body is still coming, or their reply is made while it is sent.",
            ),
            |f| Value::Count(f.exchanges),
        ),
    ],
};

/// What is counted of one handler.
#[derive(Clone, Copy, Default)]
pub struct HandlerFacts {
    /// Requests it was asked to answer.
    pub asked: u64,
    /// Those it answered.
    pub answered: u64,
    /// Those it answered with a status of 500 or above.
    pub errors: u64,
}

/// The facts of the kind `handler`.
pub static HANDLER_FACTS: Kind<HandlerFacts> = Kind {
    name: "handler",
    help: "handler of an HTTP server",
    attributes: &[
        tells(counter!("asked", COUNT, "Requests it was asked to answer."), |f| Value::Count(f.asked)),
        tells(
            counter!("answered", COUNT, "Requests it answered. Those it passed on are not among them."),
            |f| Value::Count(f.answered),
        ),
        tells(
            counter!(
                "errors",
                COUNT,
                "Requests it answered with a status of 500 or above. An upload that fails once its body has begun to \
                 come is counted by the server alone.",
            ),
            |f| Value::Count(f.errors),
        ),
    ],
};

/// What is counted of the replies that a handler of files keeps.
#[derive(Clone, Copy, Default)]
pub struct CacheFacts {
    /// Replies that are kept.
    pub entries: u64,
    /// Bytes they are charged.
    pub used: u64,
    /// The most of that.
    pub limit: u64,
    /// Requests that were answered without a look at the file's path.
    pub hits: u64,
    /// Requests for which it was looked at.
    pub misses: u64,
    /// Replies that had to go to make room.
    pub evictions: u64,
}

/// The facts of the kind `cache`.
pub static CACHE: Kind<CacheFacts> = Kind {
    name: "cache",
    help: "cache of replies",
    attributes: &[
        tells(fact!("entries", COUNT, "Replies that are kept ready."), |f| Value::Count(f.entries)),
        tells(fact!("used", BYTES, "Bytes that they are charged, of those that file_cache grants."), |f| {
            Value::Size(f.used)
        }),
        tells(fact!("limit", BYTES, "Bytes that they may be charged."), |f| Value::Size(f.limit)),
        tells(
            counter!(
                "hits",
                COUNT,
                "Requests answered without a look at the path of the file. It is good for a second.",
            ),
            |f| Value::Count(f.hits),
        ),
        tells(counter!("misses", COUNT, "Requests for which the path of the file was looked at."), |f| {
            Value::Count(f.misses)
        }),
        tells(counter!("evictions", COUNT, "Replies that had to go to make room for others."), |f| {
            Value::Count(f.evictions)
        }),
    ],
};

/// Tells all facts of a node.
pub fn tell<T>(kind: &'static Kind<T>, facts: &T, name: &str, out: Tell<'_>) {
    for attribute in kind.attributes {
        out(&Path { kind: kind.name, name }, &attribute.about, (attribute.get)(facts));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T>(kind: &'static Kind<T>) {
        for attribute in kind.attributes {
            let (name, help) = (attribute.about.name(), attribute.about.help());
            assert!(attribute.about.fact && attribute.about.default().is_empty(), "{name}");
            assert!(help.ends_with('.') && help.is_ascii() && !help.contains("  "), "{name}: {help}");
            assert!(attribute.about.short_help().len() <= 64, "{name}: {}", attribute.about.short_help());
            assert_eq!(
                kind.abouts().filter(|about| about.name() == name).count(),
                1,
                "{name} is there twice"
            );
            assert!(attribute.set.is_none(), "{name}");
        }
    }

    #[test]
    fn the_tables_hold() {
        check(&HTTP_FACTS);
        check(&HANDLER_FACTS);
        check(&CACHE);
    }

    #[test]
    fn each_fact_is_its_own() {
        let facts = HttpFacts { requests: 9, replies: [1, 2, 3, 4, 5], exchanges: 6 };
        let mut told = Vec::new();
        tell(&HTTP_FACTS, &facts, "main", &mut |path, about, value| {
            assert_eq!((path.kind, path.name), ("http", "main"));
            told.push((about.name(), value));
        });
        let expected = [9, 1, 2, 3, 4, 5, 6].map(Value::Count);
        assert!(told.iter().map(|(_, value)| value).eq(&expected), "{told:?}");
    }

    #[test]
    fn a_class_that_there_is_not_counts_for_nothing() {
        let mut facts = HttpFacts::default();
        (0..=255).for_each(|digit| facts.count(digit));
        assert_eq!(facts.replies, [1; 5]);
    }
}
