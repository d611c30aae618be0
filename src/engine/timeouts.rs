//! Deadlines of connections: one first-in-first-out list for each timeout class of each service.
//!
//! All connections of a class get the same time, so a list is in order of deadline without sorting; its links are
//! slot numbers inside the slots. Setting a deadline that is already set (same list, same tick) touches nothing.

use alloc::vec::Vec;

use super::conn::{Conn, NONE, Slots};
use super::values::{CLASSES, ConnId, TICK_MILLISECONDS, Tick, Timeout};

/// In no list.
pub(super) const NO_LIST: u16 = u16::MAX;

/// The lists.
#[derive(Default)]
pub struct Timeouts {
    lists: Vec<List>,
}

#[derive(Clone, Copy)]
struct List {
    head: u32,
    tail: u32,
    ticks: u32,
}

impl Timeouts {
    /// Adds the lists of one more service. `milliseconds` holds the time of each class; 0 means never.
    pub(super) fn add_service(&mut self, milliseconds: &[u64; CLASSES]) {
        self.lists.extend(milliseconds.iter().map(|time| List {
            head: NONE,
            tail: NONE,
            ticks: ticks(*time),
        }));
    }

    /// Sets the times of a service's classes. Who waits in one is taken to have waited in the new time from the start: the
    /// order stays what it is, and a time that is over already ends in this turn. Who had no end before gets one when it
    /// waits next.
    pub(super) fn set(&mut self, slots: &mut Slots, service: u8, milliseconds: &[u64; CLASSES], now: Tick) {
        for (class, time) in milliseconds.iter().enumerate() {
            let number = usize::from(service) * CLASSES + class;
            let Some(list) = self.lists.get_mut(number) else { continue };
            let (before, after) = (list.ticks, ticks(*time));
            list.ticks = after;
            if before == after {
                continue;
            }
            let mut at = list.head;
            if after == 0 {
                (list.head, list.tail) = (NONE, NONE);
            }
            while let Some(conn) = slots.at(at) {
                at = conn.next;
                let since = conn.deadline.wrapping_sub(before);
                if after == 0 {
                    (conn.list, conn.deadline) = (NO_LIST, since);
                } else {
                    let deadline = since.wrapping_add(after);
                    conn.deadline = if reached(deadline, now) { now } else { deadline };
                }
            }
        }
    }

    /// For how many ticks a connection has been waiting, as far as is known: since its time was last set.
    pub(super) fn since(&self, conn: &Conn, now: Tick) -> Option<Tick> {
        let ticks = match self.lists.get(usize::from(conn.list)) {
            Some(list) => list.ticks,
            None => 0,
        };
        let since = now.wrapping_sub(conn.deadline.wrapping_sub(ticks));
        // One that was taken out of its list just now.
        (since as i32 >= 0).then_some(since)
    }

    /// Gives a connection the full time of a class from now on.
    pub(super) fn arm(&mut self, slots: &mut Slots, id: ConnId, class: Timeout, now: Tick) {
        let Some(conn) = slots.get_mut(id) else { return };
        let number = list_number(conn.service, class);
        let ticks = self.lists.get(usize::from(number)).map_or(0, |list| list.ticks);
        let deadline = now.wrapping_add(ticks);
        if conn.list == number && conn.deadline == deadline {
            return;
        }
        self.disarm(slots, id);
        if ticks == 0 {
            if let Some(conn) = slots.at(id.index) {
                conn.deadline = now;
            }
            return;
        }
        let Some(list) = self.lists.get_mut(usize::from(number)) else { return };
        let tail = core::mem::replace(&mut list.tail, id.index);
        if tail == NONE {
            list.head = id.index;
        } else if let Some(last) = slots.at(tail) {
            last.next = id.index;
        }
        if let Some(conn) = slots.at(id.index) {
            conn.list = number;
            conn.deadline = deadline;
            conn.previous = tail;
            conn.next = NONE;
        }
    }

    /// Takes a connection out of its list.
    pub(super) fn disarm(&mut self, slots: &mut Slots, id: ConnId) {
        let Some(conn) = slots.get_mut(id) else { return };
        let number = core::mem::replace(&mut conn.list, NO_LIST);
        let (previous, next) = (conn.previous, conn.next);
        let Some(list) = self.lists.get_mut(usize::from(number)) else { return };
        if previous == NONE {
            list.head = next;
        } else if let Some(conn) = slots.at(previous) {
            conn.next = next;
        }
        if next == NONE {
            list.tail = previous;
        } else if let Some(conn) = slots.at(next) {
            conn.previous = previous;
        }
    }

    /// The connection that has been longest in a class of a service, and for how many ticks.
    pub(super) fn longest(
        &self,
        slots: &mut Slots,
        service: u8,
        class: Timeout,
        now: Tick,
    ) -> Option<(ConnId, Tick)> {
        let list = self.lists.get(usize::from(list_number(service, class)))?;
        let since = slots.at(list.head)?.deadline.wrapping_sub(list.ticks);
        Some((slots.id_at(list.head)?, now.wrapping_sub(since)))
    }

    /// A connection whose time is over, if there is one. It stays in its list.
    pub(super) fn expired(&self, slots: &mut Slots, now: Tick) -> Option<ConnId> {
        let heads = self.lists.iter().map(|list| list.head).filter(|head| *head != NONE);
        for head in heads {
            if slots.at(head).is_some_and(|conn| reached(conn.deadline, now)) {
                return slots.id_at(head);
            }
        }
        None
    }

    /// The next deadline of all.
    pub(super) fn earliest(&self, slots: &mut Slots, now: Tick) -> Option<Tick> {
        let heads = self.lists.iter().map(|list| list.head).filter(|head| *head != NONE);
        let left =
            heads.filter_map(|head| slots.at(head).map(|conn| conn.deadline.wrapping_sub(now) as i32)).min();
        left.map(|left| now.wrapping_add_signed(left))
    }
}

/// Whether `deadline` is now or past, on a clock that wraps.
pub(super) fn reached(deadline: Tick, now: Tick) -> bool {
    deadline.wrapping_sub(now) as i32 <= 0
}

/// Ticks that are never shorter than the time: rounded up, and one more for the part of the current tick that is over.
fn ticks(milliseconds: u64) -> u32 {
    match milliseconds {
        0 => 0,
        time => u32::try_from(time.div_ceil(TICK_MILLISECONDS) + 1).unwrap_or(u32::MAX / 4).min(u32::MAX / 4),
    }
}

pub(super) fn list_number(service: u8, class: Timeout) -> u16 {
    if usize::from(class.0) < CLASSES {
        u16::from(service) * CLASSES as u16 + u16::from(class.0)
    } else {
        NO_LIST
    }
}

#[cfg(test)]
mod tests {
    use super::super::buffers::{SizeRange, Streaks};
    use super::super::conn::{Flags, Mode};
    use super::super::pages::PageId;
    use super::*;

    fn conn(service: u8) -> Conn {
        let (fd, _) = gorgon_sys::pair().unwrap();
        Conn {
            fd,
            generation: 0,
            key: 0,
            deadline: 0,
            opened: 0,
            previous: NONE,
            next: NONE,
            input: PageId::NONE,
            input_length: 0,
            resume: 0,
            client: super::super::clients::ClientId::NONE,
            output: NONE,
            list: NO_LIST,
            listener: super::super::listener::NO_LISTENER,
            service,
            interest: gorgon_sys::Ready::NONE,
            mode: Mode::Reading,
            flags: Flags::default(),
            class: Timeout::NEVER,
            read_size: 12,
            write_size: 14,
            read_range: SizeRange::of(crate::tree::Buffer::fixed(12)),
            write_range: SizeRange::of(crate::tree::Buffer::fixed(14)),
            streaks: Streaks::default(),
        }
    }

    fn lists() -> (Timeouts, Slots, Vec<ConnId>) {
        let mut timeouts = Timeouts::default();
        timeouts.add_service(&[1000, 500, 0, 0, 0, 0, 0, 0]);
        timeouts.add_service(&[0, 250, 0, 0, 0, 0, 0, 0]);
        let mut slots = Slots::default();
        let ids = (0..6).map(|n| slots.insert(conn(n / 3)).unwrap()).collect();
        (timeouts, slots, ids)
    }

    #[test]
    fn time_is_rounded_up() {
        assert_eq!([0, 1, 250, 251, 500].map(ticks), [0, 2, 2, 3, 3]);
        assert_eq!(ticks(u64::MAX), u32::MAX / 4);
    }

    #[test]
    fn the_first_in_is_the_first_out() {
        let (mut timeouts, mut slots, ids) = lists();
        for (step, id) in ids.iter().take(3).enumerate() {
            timeouts.arm(&mut slots, *id, Timeout(0), 10 + step as u32);
        }
        assert_eq!(timeouts.earliest(&mut slots, 10), Some(15));
        assert_eq!(timeouts.expired(&mut slots, 14), None);
        assert_eq!(timeouts.expired(&mut slots, 15), Some(ids[0]));
        timeouts.arm(&mut slots, ids[0], Timeout(0), 15);
        assert_eq!(timeouts.expired(&mut slots, 15), None);
        assert_eq!(timeouts.expired(&mut slots, 17), Some(ids[1]));
        timeouts.disarm(&mut slots, ids[1]);
        assert_eq!(timeouts.expired(&mut slots, 17), Some(ids[2]));
        timeouts.disarm(&mut slots, ids[2]);
        assert_eq!(timeouts.expired(&mut slots, 19), None);
        assert_eq!(timeouts.expired(&mut slots, 20), Some(ids[0]));
        timeouts.disarm(&mut slots, ids[0]);
        assert_eq!(timeouts.earliest(&mut slots, 20), None);
    }

    #[test]
    fn classes_and_services_do_not_mix() {
        let (mut timeouts, mut slots, ids) = lists();
        timeouts.arm(&mut slots, ids[0], Timeout(0), 0);
        timeouts.arm(&mut slots, ids[1], Timeout(1), 0);
        timeouts.arm(&mut slots, ids[3], Timeout(1), 0);
        timeouts.arm(&mut slots, ids[4], Timeout(0), 0);
        timeouts.arm(&mut slots, ids[5], Timeout::NEVER, 0);
        assert_eq!(timeouts.expired(&mut slots, 2), Some(ids[3]), "250 ms are two ticks");
        timeouts.disarm(&mut slots, ids[3]);
        assert_eq!(timeouts.expired(&mut slots, 3), Some(ids[1]));
        timeouts.arm(&mut slots, ids[1], Timeout(0), 3);
        assert_eq!(timeouts.expired(&mut slots, 5), Some(ids[0]));
    }

    #[test]
    fn times_change_while_they_run() {
        let (mut timeouts, mut slots, ids) = lists();
        for (step, id) in ids.iter().take(3).enumerate() {
            timeouts.arm(&mut slots, *id, Timeout(0), 10 + step as u32);
        }
        // From 5 ticks to 9, and to 3: as if it had been so from the start.
        timeouts.set(&mut slots, 0, &[2000, 500, 0, 0, 0, 0, 0, 0], 12);
        assert_eq!(timeouts.earliest(&mut slots, 12), Some(19));
        assert_eq!(timeouts.since(slots.get(ids[1]).unwrap(), 13), Some(2));
        timeouts.set(&mut slots, 0, &[500, 500, 0, 0, 0, 0, 0, 0], 14);
        assert_eq!(timeouts.expired(&mut slots, 14), Some(ids[0]));
        timeouts.disarm(&mut slots, ids[0]);
        assert_eq!(timeouts.expired(&mut slots, 14), Some(ids[1]));
        timeouts.disarm(&mut slots, ids[1]);
        assert_eq!(timeouts.expired(&mut slots, 14), None);
        assert_eq!(timeouts.expired(&mut slots, 15), Some(ids[2]));
        // Never, and how long it waits is still known; then a time again.
        timeouts.set(&mut slots, 0, &[0, 500, 0, 0, 0, 0, 0, 0], 15);
        assert_eq!(timeouts.earliest(&mut slots, 15), None);
        assert_eq!(timeouts.since(slots.get(ids[2]).unwrap(), 20), Some(8));
        timeouts.arm(&mut slots, ids[2], Timeout(0), 21);
        assert_eq!(timeouts.since(slots.get(ids[2]).unwrap(), 23), Some(2));
        timeouts.set(&mut slots, 0, &[500, 500, 0, 0, 0, 0, 0, 0], 23);
        assert_eq!(timeouts.earliest(&mut slots, 23), None);
        timeouts.arm(&mut slots, ids[2], Timeout(0), 23);
        assert_eq!(timeouts.earliest(&mut slots, 23), Some(26));
        // The other service kept its own.
        timeouts.arm(&mut slots, ids[3], Timeout(1), 23);
        assert_eq!(timeouts.earliest(&mut slots, 23), Some(25));
    }

    #[test]
    fn the_clock_may_wrap() {
        let (mut timeouts, mut slots, ids) = lists();
        let now = u32::MAX - 2;
        timeouts.arm(&mut slots, ids[0], Timeout(0), now);
        assert_eq!(timeouts.expired(&mut slots, u32::MAX), None);
        assert_eq!(timeouts.earliest(&mut slots, now), Some(2));
        assert_eq!(timeouts.expired(&mut slots, 2), Some(ids[0]));
    }

    /// The lists against a plain model, through some thousands of steps.
    #[test]
    fn links_agree_with_a_model() {
        let (mut timeouts, mut slots, ids) = lists();
        let mut model: Vec<(ConnId, u32)> = Vec::new();
        let mut seed = 7u32;
        for now in 0..3000 {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            let id = ids[(seed >> 16) as usize % 3];
            model.retain(|(other, _)| *other != id);
            if seed >> 28 < 10 {
                timeouts.arm(&mut slots, id, Timeout(0), now);
                model.push((id, now + 5));
            } else {
                timeouts.disarm(&mut slots, id);
            }
            let due = model.first().filter(|(_, deadline)| *deadline <= now).map(|(id, _)| *id);
            assert_eq!(timeouts.expired(&mut slots, now), due);
            assert_eq!(timeouts.earliest(&mut slots, now), model.first().map(|(_, deadline)| *deadline));
        }
    }
}
