//! The door of all monitors: how many stand in it, and who has to wait after a failure.
//!
//! Each failed login from an address shuts the door to it for twice as long as the one before, from a second to a
//! minute. IPv6 addresses count by their network, which is the least that one customer is given. An address is forgotten
//! when it has not failed for ten minutes, or when the table is full and its wait is over first.

use alloc::vec::Vec;

/// How many may be logging in at once.
pub const WAITING_MAX: u32 = 4;
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

/// The door.
#[derive(Default)]
pub struct Door {
    waiting: u32,
    slowed: Vec<Slowed>,
}

impl Door {
    /// Lets somebody log in; says whether there is room.
    #[must_use]
    pub fn enter(&mut self) -> bool {
        let room = self.waiting < WAITING_MAX;
        self.waiting += u32::from(room);
        room
    }

    /// Somebody has logged in, or has not.
    pub fn leave(&mut self) {
        self.waiting = self.waiting.saturating_sub(1);
    }

    /// How many are logging in.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        self.waiting
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
        assert!((0..4).all(|_| door.enter()));
        assert!(!door.enter());
        door.leave();
        assert!(door.enter() && !door.enter());
        (0..9).for_each(|_| door.leave());
        assert_eq!(door.waiting(), 0);
    }
}
