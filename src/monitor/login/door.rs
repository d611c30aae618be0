//! The door of all monitors: who stands in it, and who has to wait after a failure.
//!
//! Sixteen may log in at once, two of them from one address. Who stalls is not to keep the others out: when the places
//! are taken, one makes room for who comes. That is the one that came first of those who have not said who they are; where
//! all have, the one that said it first, which has had the most time to prove it. An address that has its share takes
//! only its own places, so that the others lose none to it.
//!
//! Each failed login from an address shuts the door to it for twice as long as the one before, from a second to a
//! minute. IPv6 addresses count by their network, which is the least that one customer is given. An address is forgotten
//! when it has not failed for ten minutes, or when the table is full and its wait is over first.

use alloc::vec::Vec;

use crate::engine::values::ConnId;

/// How many may be logging in at once.
pub const WAITING_MAX: usize = 16;
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

/// The door.
#[derive(Default)]
pub struct Door {
    /// In the order in which they came, or said who they are.
    waiting: Vec<Waiting>,
    slowed: Vec<Slowed>,
}

impl Door {
    /// Lets somebody log in. Gives the connection that makes room, where one has to: it is to be closed, and has no place
    /// any more.
    #[inline(never)]
    #[must_use]
    pub fn enter(&mut self, id: ConnId, origin: Origin) -> Option<ConnId> {
        let alike = self.waiting.iter().filter(|waiting| waiting.origin == origin).count();
        let mut gone = None;
        if alike >= FROM_ONE_MAX || self.waiting.len() >= WAITING_MAX {
            let may_go = |waiting: &Waiting| alike < FROM_ONE_MAX || waiting.origin == origin;
            let first = |named| self.waiting.iter().position(|one| one.named == named && may_go(one));
            let at = first(false).or_else(|| first(true));
            gone = at.and_then(|at| self.put_last(at)).map(|waiting| waiting.id);
            self.waiting.pop();
        }
        self.waiting.push(Waiting { id, origin, named: false });
        gone
    }

    /// Somebody has said who it is, and goes after those who have not. To say it again makes nobody later.
    pub fn name(&mut self, id: ConnId) {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.id == id && !waiting.named) {
            if let Some(waiting) = self.put_last(at) {
                waiting.named = true;
            }
        }
    }

    /// Puts one behind all others. It takes less code than to remove one from amidst them.
    #[inline(never)]
    fn put_last(&mut self, at: usize) -> Option<&mut Waiting> {
        for behind in at + 1..self.waiting.len() {
            self.waiting.swap(behind - 1, behind);
        }
        self.waiting.last_mut()
    }

    /// Somebody has logged in, or has not.
    pub fn leave(&mut self, id: ConnId) {
        if let Some(at) = self.waiting.iter().position(|waiting| waiting.id == id) {
            self.put_last(at);
            self.waiting.pop();
        }
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
    #[inline(never)]
    pub fn fail(&mut self, origin: Origin, now: u64) {
        let is_forgotten = |slowed: &Slowed| now >= slowed.until.saturating_add(MEMORY);
        if self.slowed.iter().all(is_forgotten) {
            // A table of nobody holds no memory until somebody fails again.
            self.slowed = Vec::new();
        }
        let (mut wait, mut place) = (WAITS.0, None::<&mut Slowed>);
        let full = self.slowed.len() >= ADDRESSES;
        for slowed in &mut self.slowed {
            if slowed.origin == origin {
                if !is_forgotten(slowed) {
                    wait = (slowed.wait * 2).min(WAITS.1);
                }
                place = Some(slowed);
                break;
            }
            // Another one's, whose wait is over first.
            let free = full || is_forgotten(slowed);
            if free && place.as_ref().is_none_or(|first| slowed.until < first.until) {
                place = Some(slowed);
            }
        }
        let slowed = Slowed { origin, until: now + wait, wait };
        match place {
            Some(place) => *place = slowed,
            None => self.slowed.push(slowed),
        }
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

    fn id(number: u64) -> ConnId {
        ConnId::test(number)
    }

    fn from(number: u64) -> Origin {
        origin(&format!("::ffff:10.0.0.{number}"))
    }

    #[test]
    fn sixteen_may_stand_in_it() {
        let mut door = Door::default();
        assert!((0..16).all(|at| door.enter(id(at), from(at)).is_none()));
        // The one that came first and said nothing makes room.
        door.name(id(0));
        assert_eq!(door.enter(id(16), from(16)), Some(id(1)));
        assert_eq!(door.enter(id(17), from(17)), Some(id(2)));
        // Where all have said who they are, the one that said it first; to say it again is no way to stay.
        [5, 4, 3].into_iter().chain(6..18).for_each(|at| door.name(id(at)));
        [0, 5].into_iter().for_each(|at| door.name(id(at)));
        for (new, gone) in [(18, 0), (19, 18), (20, 19)] {
            assert_eq!((door.enter(id(new), from(new)), door.waiting()), (Some(id(gone)), 16));
        }
        door.name(id(20));
        assert_eq!(door.enter(id(21), from(21)), Some(id(5)));
        // Who made room leaves no place free, and twice is once.
        [0, 5].into_iter().for_each(|at| door.leave(id(at)));
        assert_eq!(door.waiting(), 16);
        [21, 21].into_iter().for_each(|at| door.leave(id(at)));
        assert_eq!((door.enter(id(22), from(22)), door.waiting()), (None, 16));
        (0..23).for_each(|at| door.leave(id(at)));
        assert_eq!((door.waiting(), door.waiting.capacity()), (0, 0));
    }

    #[test]
    fn two_of_them_from_one_address() {
        let (mut door, one, two) = (Door::default(), from(1), from(2));
        assert_eq!((door.enter(id(1), one), door.enter(id(2), one)), (None, None));
        // As many as they are, they take only one another's places, whether they say who they are or not.
        for at in 3..100 {
            assert_eq!(door.enter(id(at), one), Some(id(at - 2)));
            if at > 50 {
                door.name(id(at));
            }
        }
        assert_eq!((door.enter(id(100), two), door.enter(id(101), two)), (None, None));
        assert_eq!(door.enter(id(102), one), Some(id(98)));
        assert_eq!((door.enter(id(103), one), door.waiting()), (Some(id(102)), 4));
        // A network of IPv6 is one.
        let mut door = Door::default();
        let mut enter = |at: u64| door.enter(id(at), origin(&format!("2001:db8::{at}")));
        assert_eq!((enter(1), enter(2), enter(3), enter(4)), (None, None, Some(id(1)), Some(id(2))));
    }

    /// Whoever holds the places, from however many addresses, who comes gets in and has time to prove who it is.
    #[test]
    fn who_stalls_keeps_nobody_out() {
        for named in [false, true] {
            let mut door = Door::default();
            for at in 0..100 {
                let _gone = door.enter(id(at), from(at / 2));
                if named {
                    door.name(id(at));
                }
            }
            let _gone = door.enter(id(200), from(200));
            door.name(id(200));
            // They come again, from new addresses: all of theirs go first.
            for at in 300..315 {
                let gone = door.enter(id(at), from(at - 200));
                assert!(gone.is_some() && gone != Some(id(200)), "{named} {at}");
                if named {
                    door.name(id(at));
                }
            }
            assert_eq!(door.waiting(), 16);
        }
    }
}
