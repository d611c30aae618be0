//! What can be told of the loop, its descriptors and its memory: snapshots, and tables of what is in them.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::event_loop::Loop;
use super::limits::Counters;
use super::pages::BLOCK;
use super::statistics::{LENGTHS, Slowest};
use crate::text::number::push_decimal_str;
use crate::tree::{About, Attribute, Kind, Unit, Value};
use crate::{counter, fact};

/// The loop at one moment.
pub struct LoopFacts {
    /// The poller in use.
    pub poller: &'static str,
    /// Milliseconds since the loop was made.
    pub milliseconds: u64,
    /// Nanoseconds of them that it worked.
    pub busy: u64,
    /// Turns by length: below a millisecond, below 2, 4, .. 1024, and longer.
    pub lengths: [u64; LENGTHS],
    /// The slowest turn since this was last reset.
    pub slowest: Option<Slowest>,
    /// Connections that are open.
    pub connections: usize,
    /// Timers that are set.
    pub timers: usize,
    /// What was counted.
    pub counters: Counters,
}

/// Descriptors at one moment.
pub struct DescriptorFacts {
    /// How many there may be.
    pub limit: u64,
    /// Of connections.
    pub connections: usize,
    /// Of listening sockets.
    pub listeners: usize,
    /// Listening sockets that do not accept for want of room.
    pub paused: usize,
    /// Of open files.
    pub files: usize,
    /// Of connections that were refused, and are about to be closed.
    pub refused: usize,
    /// Kept for when there is no other.
    pub reserve: usize,
}

/// Memory at one moment, in bytes but for the counts.
pub struct MemoryFacts {
    /// At how much the pool of pages is full.
    pub page_cap: usize,
    /// Of pages that are lent.
    pub pages_lent: usize,
    /// Kept for the next page, until a second has passed.
    pub spare: usize,
    /// Mapped for connections.
    pub slots: usize,
    /// Mapped for addresses of clients.
    pub clients: usize,
    /// Mapped for held outputs.
    pub outputs: usize,
    /// How many outputs are held.
    pub held: usize,
    /// Connections whose input waits for a page.
    pub starved: usize,
    /// How often one had to wait so far.
    pub page_waits: u64,
}

impl Loop {
    /// The loop now.
    pub fn loop_facts(&self) -> LoopFacts {
        LoopFacts {
            poller: self.poller().name(),
            milliseconds: self.now.milliseconds,
            busy: self.statistics.busy,
            lengths: self.statistics.lengths,
            slowest: self.statistics.slowest,
            connections: self.connections(),
            timers: self.timers.len(),
            counters: self.counters(),
        }
    }

    /// The descriptors now.
    pub fn descriptor_facts(&self) -> DescriptorFacts {
        DescriptorFacts {
            limit: gorgon_sys::descriptors().0,
            connections: self.slots.len(),
            listeners: self.listeners.iter().flatten().count(),
            paused: self.paused,
            files: self.files.open(),
            refused: self.refused.len(),
            reserve: usize::from(self.reserve.is_some()),
        }
    }

    /// The memory now.
    pub fn memory_facts(&self) -> MemoryFacts {
        MemoryFacts {
            page_cap: self.pages.cap(),
            pages_lent: self.pages.used(),
            spare: if self.pages.has_spare() { BLOCK } else { 0 },
            slots: self.slots.mapped(),
            clients: self.services.iter().map(|state| state.clients.mapped()).sum(),
            outputs: self.outputs.mapped(),
            held: self.outputs.len(),
            starved: self.starved.len(),
            page_waits: self.counters.page_waits,
        }
    }
}

const SIZE: Unit = Unit::Size { min: 0, max: u64::MAX, power_of_two: false };
const COUNT: Unit = Unit::Count { min: 0, max: u64::MAX };
const TIME: Unit = Unit::Time { min: 0, max: u64::MAX };
const WORKS: Unit = Unit::Choice("accept|read|output|expire|settle");

const fn tells<T>(about: About, get: fn(&T) -> Value) -> Attribute<T> {
    Attribute { about, get, set: None }
}

const MILLISECOND: u64 = 1_000_000;

/// The loop.
pub static LOOP: Kind<LoopFacts> = Kind {
    name: "loop",
    help: "The loop that serves all connections. Its turns, and how long they take.",
    attributes: &[
        tells(fact!("poller", Unit::Text, "The call it waits with."), |f| Value::Text(f.poller.to_owned())),
        tells(counter!("turns", COUNT, "Passes through the loop."), |f| Value::Count(f.counters.turns)),
        tells(counter!("busy", TIME, "Time it worked. It waited for the rest of its life."), |f| {
            Value::Time(f.busy / MILLISECOND)
        }),
        tells(
            fact!(
                "turn_lengths",
                Unit::List,
                "Turns by their length in milliseconds. 4:17 are 17 turns below 4 ms that were not below 2.",
            ),
            |f| Value::List(lengths(&f.lengths)),
        ),
        tells(fact!("slowest", TIME, "The slowest turn, since this was last reset."), |f| {
            f.slowest.map_or(Value::Nothing, |slowest| Value::Time(slowest.nanoseconds / MILLISECOND))
        }),
        tells(fact!("slowest_ago", TIME, "Time since the slowest turn began."), |f| {
            f.slowest.map_or(Value::Nothing, |slowest| {
                Value::Time(f.milliseconds.saturating_sub(slowest.at.milliseconds))
            })
        }),
        tells(
            fact!("slowest_work", WORKS, "What took the most of the slowest turn, if it can be told."),
            |f| {
                let work = f.slowest.and_then(|slowest| slowest.work);
                work.map_or(Value::Nothing, |work| Value::Choice(work.word()))
            },
        ),
        tells(fact!("slowest_service", COUNT, "The number of the service it was done for."), |f| {
            let service = f.slowest.and_then(|slowest| slowest.service);
            service.map_or(Value::Nothing, |service| Value::Count(service.into()))
        }),
        tells(fact!("connections", COUNT, "Connections that are open."), |f| {
            Value::Count(f.connections as u64)
        }),
        tells(fact!("timers", COUNT, "Timers that are set."), |f| Value::Count(f.timers as u64)),
        tells(counter!("accepted", COUNT, "Connections accepted."), |f| Value::Count(f.counters.accepted)),
        tells(counter!("refused", COUNT, "Connections that were too many, and told so."), |f| {
            Value::Count(f.counters.refused)
        }),
        tells(counter!("displaced", COUNT, "Idle connections that were closed to make room."), |f| {
            Value::Count(f.counters.displaced)
        }),
        tells(counter!("received", SIZE, "Bytes received."), |f| Value::Size(f.counters.bytes_received)),
        tells(counter!("sent", SIZE, "Bytes sent."), |f| Value::Size(f.counters.bytes_sent)),
        tells(counter!("disk_waits", COUNT, "Times a file was not in memory."), |f| {
            Value::Count(f.counters.disk_waits)
        }),
    ],
};

/// Each length with its number of turns; `-` is longer than all.
fn lengths(counts: &[u64; LENGTHS]) -> Vec<String> {
    let mut items = Vec::new();
    for (class, turns) in counts.iter().enumerate() {
        let mut item = String::new();
        if class < LENGTHS - 1 {
            push_decimal_str(1 << class, &mut item);
        } else {
            item.push('-');
        }
        item.push(':');
        push_decimal_str(*turns, &mut item);
        items.push(item);
    }
    items
}

/// Descriptors.
pub static DESCRIPTORS: Kind<DescriptorFacts> = Kind {
    name: "descriptors",
    help: "Descriptors: how many there may be, and who has them.",
    attributes: &[
        tells(fact!("limit", COUNT, "How many there may be."), |f| Value::Count(f.limit)),
        tells(fact!("used", COUNT, "How many the loop has. Those of logs are not counted."), |f| {
            let used = f.connections + f.listeners + f.files + f.refused + f.reserve;
            Value::Count(used as u64)
        }),
        tells(fact!("connections", COUNT, "Of connections."), |f| Value::Count(f.connections as u64)),
        tells(fact!("listeners", COUNT, "Of listening sockets."), |f| Value::Count(f.listeners as u64)),
        tells(fact!("paused", COUNT, "Listening sockets that wait until there is room."), |f| {
            Value::Count(f.paused as u64)
        }),
        tells(fact!("files", COUNT, "Of open files."), |f| Value::Count(f.files as u64)),
        tells(fact!("refused", COUNT, "Of connections that were refused a moment ago."), |f| {
            Value::Count(f.refused as u64)
        }),
        tells(fact!("reserve", COUNT, "Kept for when there is no other."), |f| {
            Value::Count(f.reserve as u64)
        }),
    ],
};

/// Memory.
pub static MEMORY: Kind<MemoryFacts> = Kind {
    name: "memory",
    help: "Memory of connections: pages that are lent to them, and tables.",
    attributes: &[
        tells(fact!("page_memory", SIZE, "At how much the pool of pages is full."), |f| {
            Value::Size(f.page_cap as u64)
        }),
        tells(fact!("pages", SIZE, "Pages that are lent to connections."), |f| {
            Value::Size(f.pages_lent as u64)
        }),
        tells(fact!("spare", SIZE, "Memory that is kept for the next page for a second."), |f| {
            Value::Size(f.spare as u64)
        }),
        tells(fact!("slots", SIZE, "The table of connections."), |f| Value::Size(f.slots as u64)),
        tells(fact!("clients", SIZE, "The tables of clients."), |f| Value::Size(f.clients as u64)),
        tells(fact!("outputs", SIZE, "The table of outputs that are held."), |f| {
            Value::Size(f.outputs as u64)
        }),
        tells(fact!("held", COUNT, "Outputs that are held, for the kernel takes no more."), |f| {
            Value::Count(f.held as u64)
        }),
        tells(fact!("starved", COUNT, "Connections whose input waits for a page."), |f| {
            Value::Count(f.starved as u64)
        }),
        tells(counter!("page_waits", COUNT, "Times that input had to wait for a page."), |f| {
            Value::Count(f.page_waits)
        }),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T>(kind: &Kind<T>, facts: &T) {
        for (place, attribute) in kind.attributes.iter().enumerate() {
            let about = &attribute.about;
            assert!(
                about.name().bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()),
                "{}",
                about.name()
            );
            assert!(about.help().ends_with('.') && about.short_help().len() <= 64, "{}", about.name());
            assert!(about.fact, "{}", about.name());
            assert_eq!(
                kind.attributes.iter().position(|other| other.about.name() == about.name()),
                Some(place)
            );
            let value = (attribute.get)(facts);
            let mut text = String::new();
            value.print(&mut text);
            assert!(
                value == Value::Nothing || about.unit.parse(&text) == Ok(value),
                "{}: {text}",
                about.name()
            );
        }
    }

    #[test]
    fn the_tables_tell_what_their_units_say() {
        let lp = Loop::new(gorgon_sys::PollerKind::available()[0], 1 << 20).unwrap();
        check(&LOOP, &lp.loop_facts());
        check(&DESCRIPTORS, &lp.descriptor_facts());
        check(&MEMORY, &lp.memory_facts());
    }

    #[test]
    fn lengths_are_listed() {
        let mut counts = [0; LENGTHS];
        (counts[0], counts[2], counts[11]) = (5, 17, 1);
        let items = lengths(&counts);
        assert_eq!(
            (items.len(), &*items[0], &*items[2], &*items[10], &*items[11]),
            (12, "1:5", "4:17", "1024:0", "-:1")
        );
    }
}
