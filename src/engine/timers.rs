//! Timers that fit no timeout class: a heap of the few that are odd.

use alloc::collections::BinaryHeap;
use core::cmp::Reverse;

/// Who is told when a timer fires.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(test, derive(Debug))]
pub enum Owner {
    /// The loop: look whether descriptors are free again.
    Accept,
    /// The loop: close those that were refused.
    Refused,
    /// The loop: give spare memory back.
    Trim,
    /// Let those read again that wait for pages.
    Starved,
    /// The loop: the time for finishing requests in flight is over.
    Grace,
    /// The loop: the time of a service's draining is over.
    Drain(u8),
    /// The loop: close listeners whose place others have taken.
    Retired,
    /// A service, by number, with a number of its own choice.
    Service(u8, u32),
}

/// The timers that are set.
#[derive(Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(u64, Owner)>>,
}

impl Timers {
    /// Sets a timer for `due`, in milliseconds on the loop's clock.
    pub fn set(&mut self, due: u64, owner: Owner) {
        self.heap.push(Reverse((due, owner)));
    }

    /// Forgets those of a service that is gone: its number may be used again.
    pub fn forget(&mut self, number: u8) {
        for Reverse((due, owner)) in core::mem::take(&mut self.heap) {
            if !matches!(owner, Owner::Service(of, _) | Owner::Drain(of) if of == number) {
                self.set(due, owner);
            }
        }
    }

    /// How many are set.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether none is set.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// When the next one fires.
    pub fn earliest(&self) -> Option<u64> {
        self.heap.peek().map(|Reverse((due, _))| *due)
    }

    /// The next one whose time has come.
    pub fn expired(&mut self, now: u64) -> Option<Owner> {
        if self.earliest()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, owner))| owner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_fire_in_order_of_time() {
        let mut timers = Timers::default();
        timers.set(300, Owner::Trim);
        timers.set(100, Owner::Service(1, 7));
        timers.set(200, Owner::Accept);
        assert_eq!(timers.earliest(), Some(100));
        assert_eq!(timers.expired(99), None);
        assert_eq!(timers.expired(250), Some(Owner::Service(1, 7)));
        assert_eq!(timers.expired(250), Some(Owner::Accept));
        assert_eq!(timers.expired(250), None);
        assert_eq!(timers.expired(300), Some(Owner::Trim));
        assert_eq!(timers.earliest(), None);
    }
}
