//! The door of all monitors: who stands in it, and who has to wait after a failure.
//!
//! Four may log in at once, two of them from one address. Who says nothing is not to keep the others out: when the places
//! are taken, the one that came first and has not said who it is makes room.
//!
//! Each failed login from an address shuts the door to it for twice as long as the one before, from a second to a
//! minute. IPv6 addresses count by their network, which is the least that one customer is given. An address is forgotten
//! when it has not failed for ten minutes, or when the table is full and its wait is over first.

use alloc::vec::Vec;

use crate::engine::values::ConnId;

/// How many may be logging in at once.
pub const WAITING_MAX: usize = 4;
/// How many of them from one address.
pub const FROM_ONE_MAX: usize = 2;
/// The first wait, and the longest, in milliseconds.
const WAITS: (u64, u64) = (1000, 60_000);
/// When an address is forgotten, in milliseconds after its wait.
const MEMORY: u64 = 600_000;
/// The most addresses.
const ADDRESSES: usize = 256;

/// Where somebody comes from: the bits of an address, as those of IPv6, or of its network.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Origin([u8; 16]);

impl Origin {
    /// The origin of an address. IPv4 is `::ffff:a.b.c.d`.
    #[must_use]
    pub fn of(mut bits: [u8; 16]) -> Origin {
        let mapped = bits.starts_with(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]);
        // Neighbours on a link share a network that is nobody's, and so do loopback and the unspecified.
        let alone = bits.starts_with(&[0xfe, 0x80]) || bits.starts_with(&[0; 8]);
        if !mapped && !alone {
            bits.iter_mut().skip(8).for_each(|byte| *byte = 0);
        }
        Origin(bits)
    }
}

struct Slowed {
    origin: Origin,
    /// Until when the door is shut, in milliseconds.
    until: u64,
    /// How long it was shut the last time.
    wait: u64,
}

/// One who logs in.
struct Waiting {
    id: ConnId,
    origin: Origin,
    /// Has said who it is.
    named: bool,
}

/// What becomes of one who comes.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Entry {
    /// There is room.
    Free,
    /// There is room when this connection is closed. It has no place any more.
    InsteadOf(ConnId),
    /// All places are taken by those who have said who they are.
    Crowded,
}

/// The door.
#[derive(Default)]
pub struct Door {
    /// In the order in which they came.
    waiting: Vec<Waiting>,
    slowed: Vec<Slowed>,
}

impl Door {
    /// Lets somebody log in, if there is room or can be made.
    #[must_use]
    pub fn enter(&mut self, id: ConnId, origin: Origin) -> Entry {
        let alike = self.waiting.iter().filter(|waiting| waiting.origin == origin).count();
        let mut entry = Entry::Free;
        if alike >= FROM_ONE_MAX || self.waiting.len() >= WAITING_MAX {
            // From an address that has its share, none of another one goes.
            let goes =
                |waiting: &Waiting| !waiting.named && (alike < FROM_ONE_MAX || waiting.origin == origin);
            let Some(at) = self.waiting.iter().position(goes) else { return Entry::Crowded };
            entry = Entry::InsteadOf(self.waiting.remove(at).id);
        }
        self.waiting.push(Waiting { id, origin, named: false });
        entry
    }

    /// Somebody has said who it is, and keeps its place until it has logged in, or has not.
    pub fn name(&mut self, id: ConnId) {
        self.waiting.iter_mut().filter(|waiting| waiting.id == id).for_each(|waiting| waiting.named = true);
    }

    /// Somebody has logged in, or has not.
    pub fn leave(&mut self, id: ConnId) {
        self.waiting.retain(|waiting| waiting.id != id);
        if self.waiting.is_empty() {
            self.waiting = Vec::new();
        }
    }

    /// How many are logging in.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// For how many milliseconds the door is shut to an origin; 0 when it is open.
    #[must_use]
    pub fn wait(&self, origin: Origin, now: u64) -> u64 {
        let slowed = self.slowed.iter().find(|slowed| slowed.origin == origin);
        slowed.map_or(0, |slowed| slowed.until.saturating_sub(now))
    }

    /// A login has failed: shuts the door to where it came from.
    pub fn fail(&mut self, origin: Origin, now: u64) {
        self.slowed.retain(|slowed| now < slowed.until.saturating_add(MEMORY));
        if self.slowed.is_empty() {
            // An empty table holds no memory until somebody fails again.
            self.slowed = Vec::new();
        }
        if let Some(slowed) = self.slowed.iter_mut().find(|slowed| slowed.origin == origin) {
            slowed.wait = (slowed.wait * 2).min(WAITS.1);
            slowed.until = now + slowed.wait;
            return;
        }
        if self.slowed.len() >= ADDRESSES {
            let first = self.slowed.iter().enumerate().min_by_key(|(_, slowed)| slowed.until);
            if let Some(at) = first.map(|(at, _)| at) {
                self.slowed.swap_remove(at);
            }
        }
        self.slowed.push(Slowed { origin, until: now + WAITS.0, wait: WAITS.0 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    fn origin(text: &str) -> Origin {
        Origin::of(text.parse::<Ipv6Addr>().unwrap().octets())
    }

    #[test]
    fn waits_double_to_a_minute_and_are_forgotten() {
        let (mut door, one) = (Door::default(), origin("::ffff:10.0.0.1"));
        let mut now = 0;
        assert_eq!(door.wait(one, now), 0);
        for wait in [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000] {
            door.fail(one, now);
            assert_eq!(door.wait(one, now), wait);
            assert_eq!(door.wait(one, now + wait - 1), 1);
            assert_eq!(door.wait(one, now + wait), 0);
            assert_eq!(door.wait(origin("::ffff:10.0.0.2"), now), 0);
            now += wait;
        }
        now += MEMORY - 1;
        door.fail(one, now);
        assert_eq!(door.wait(one, now), 60_000);
        now += 60_000 + MEMORY;
        door.fail(one, now);
        assert_eq!(door.wait(one, now), 1000);
    }

    #[test]
    fn networks_count_together_and_hosts_alone() {
        let alike = [("2001:db8::1", "2001:db8::ffff:2", true), ("2001:db8::1", "2001:db8:0:1::1", false)];
        let apart = [
            ("::ffff:10.0.0.1", "::ffff:10.0.0.2", false),
            ("fe80::1", "fe80::2", false),
            ("::1", "::2", false),
        ];
        for (one, two, same) in alike.into_iter().chain(apart) {
            assert_eq!(origin(one) == origin(two), same, "{one} {two}");
        }
    }

    #[test]
    fn the_table_is_bounded() {
        let mut door = Door::default();
        let number = |number: u16| Origin::of(Ipv6Addr::new(0x2001, number, 0, 0, 0, 0, 0, 1).octets());
        (0..1000).for_each(|at| door.fail(number(at), u64::from(at)));
        assert_eq!(door.slowed.len(), ADDRESSES);
        assert_eq!(door.wait(number(999), 999), 1000);
        assert_eq!(door.wait(number(1000 - 256), 999), 1000 - 255);
        assert_eq!(door.wait(number(1000 - 257), 999), 0);
    }

    #[test]
    fn four_may_stand_in_it() {
        let mut door = Door::default();
        let from = |number: u64| origin(&format!("::ffff:10.0.0.{number}"));
        let enter = |door: &mut Door, id: u64, number: u64| door.enter(ConnId::test(id), from(number));
        for id in 0..4 {
            assert_eq!(enter(&mut door, id, id), Entry::Free);
        }
        // The one that came first and said nothing makes room.
        door.name(ConnId::test(0));
        assert_eq!(enter(&mut door, 4, 4), Entry::InsteadOf(ConnId::test(1)));
        assert_eq!(enter(&mut door, 5, 5), Entry::InsteadOf(ConnId::test(2)));
        [3, 4, 5].into_iter().for_each(|id| door.name(ConnId::test(id)));
        assert_eq!((enter(&mut door, 6, 6), door.waiting()), (Entry::Crowded, 4));
        // Who made room leaves no place free, and twice is once.
        [1, 2, 6].into_iter().for_each(|id| door.leave(ConnId::test(id)));
        assert_eq!(enter(&mut door, 6, 6), Entry::Crowded);
        [4, 4].into_iter().for_each(|id| door.leave(ConnId::test(id)));
        assert_eq!((enter(&mut door, 6, 6), door.waiting()), (Entry::Free, 4));
        (0..9).for_each(|id| door.leave(ConnId::test(id)));
        assert_eq!((door.waiting(), door.waiting.capacity()), (0, 0));
    }

    #[test]
    fn two_of_them_from_one_address() {
        let (mut door, one, two) = (Door::default(), origin("::ffff:10.0.0.1"), origin("::ffff:10.0.0.2"));
        let mut enter = |id: u64, origin| door.enter(ConnId::test(id), origin);
        assert_eq!((enter(1, one), enter(2, one)), (Entry::Free, Entry::Free));
        // Silent ones, as many as they are, take only one another's places.
        for id in 3..100 {
            assert_eq!(enter(id, one), Entry::InsteadOf(ConnId::test(id - 2)));
        }
        assert_eq!((enter(100, two), enter(101, two)), (Entry::Free, Entry::Free));
        assert_eq!(enter(102, one), Entry::InsteadOf(ConnId::test(98)));
        [99, 102].into_iter().for_each(|id| door.name(ConnId::test(id)));
        assert_eq!(door.enter(ConnId::test(103), one), Entry::Crowded);
        assert_eq!(door.waiting(), 4);
    }
}
