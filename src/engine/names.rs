//! Names of clients, as far as they are known: who asks for one that is not is answered later.
//!
//! A name is one that the address has, and that has the address: whoever owns an address says what name it has, and only
//! the owner of the name can say that this is so.
//!
//! ```text
//! lookup -> known, or known to have none
//!        -> wanted -> being asked for ([`Resolver`](super::resolver::Resolver)) -> known -> told once by `next_answered`
//! ```

use alloc::collections::VecDeque;
use alloc::string::String;
use alloc::vec::Vec;
use core::net::IpAddr;

/// The most addresses whose names are kept.
const KEPT: usize = 256;
/// The most that are waited for.
const WANTED: usize = 64;
/// How long a name is kept at least and at most, whatever its owner says, and how long that there is none: milliseconds.
const TIMES: (u64, u64, u64) = (30_000, 3_600_000, 60_000);

/// What is known of an address.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Lookup<'a> {
    /// Its name, in small letters.
    Known(&'a str),
    /// It has none, or that cannot be told.
    Unknown,
    /// It is being asked for.
    Asked,
}

/// What gives services the names: a part of what the program shares.
pub trait HasNames {
    /// The names.
    fn names(&mut self) -> &mut Names;
}

/// The table: bounded, and empty until somebody asks.
#[derive(Default)]
pub struct Names {
    kept: Vec<Entry>,
    /// Not asked for yet, in order.
    wanted: VecDeque<IpAddr>,
    /// Being asked for.
    asked: Vec<IpAddr>,
    /// Answered, and nobody was told.
    answered: VecDeque<IpAddr>,
}

struct Entry {
    ip: IpAddr,
    name: Option<String>,
    /// Until when it holds, in milliseconds on the loop's clock.
    until: u64,
}

impl Names {
    /// The name of an address; it is asked for where it is not known. With too many of them on their way it is taken to have
    /// none, for this time.
    pub fn lookup(&mut self, ip: IpAddr, now: u64) -> Lookup<'_> {
        let ip = ip.to_canonical();
        if let Some(place) = self.kept.iter().position(|entry| entry.ip == ip && entry.until > now) {
            return self
                .kept
                .get(place)
                .and_then(|entry| entry.name.as_deref())
                .map_or(Lookup::Unknown, Lookup::Known);
        }
        if self.asked.contains(&ip) || self.wanted.contains(&ip) {
            return Lookup::Asked;
        }
        if self.wanted.len() + self.asked.len() >= WANTED {
            return Lookup::Unknown;
        }
        self.wanted.push_back(ip);
        Lookup::Asked
    }

    /// What is known of an address now; nothing is asked for.
    #[must_use]
    pub fn known(&self, ip: IpAddr, now: u64) -> Option<&str> {
        let ip = ip.to_canonical();
        self.kept.iter().find(|entry| entry.ip == ip && entry.until > now)?.name.as_deref()
    }

    /// The next address whose lookup has ended: those of its connections that were told [`Lookup::Asked`] can be told now.
    pub fn next_answered(&mut self) -> Option<IpAddr> {
        self.answered.pop_front()
    }

    /// Whether something is to be asked for.
    pub(super) fn is_wanted(&self) -> bool {
        !self.wanted.is_empty()
    }

    /// The next address to ask for; [`Names::settle`] has to follow.
    pub(super) fn next_wanted(&mut self) -> Option<IpAddr> {
        let ip = self.wanted.pop_front()?;
        self.asked.push(ip);
        Some(ip)
    }

    /// Has an address asked for again that was being asked for.
    pub(super) fn put_back(&mut self, ip: IpAddr) {
        if let Some(place) = self.asked.iter().position(|asked| *asked == ip) {
            self.wanted.push_front(self.asked.swap_remove(place));
        }
    }

    /// What came of it: the name and for how many seconds it holds, or that there is none to be had. What nobody wants to know any more is forgotten.
    pub(super) fn settle(&mut self, ip: IpAddr, name: Option<(String, u32)>, now: u64) {
        let Some(place) = self.asked.iter().position(|asked| *asked == ip) else { return };
        self.asked.swap_remove(place);
        let (shortest, longest, without) = TIMES;
        let (name, time) = match name {
            Some((name, seconds)) => (Some(name), (u64::from(seconds) * 1000).clamp(shortest, longest)),
            None => (None, without),
        };
        self.kept.retain(|entry| entry.ip != ip && entry.until > now);
        if self.kept.len() >= KEPT {
            // The one that holds for the shortest time is missed least.
            let soonest = self.kept.iter().enumerate().min_by_key(|(_, entry)| entry.until);
            if let Some(place) = soonest.map(|(place, _)| place) {
                self.kept.swap_remove(place);
            }
        }
        self.kept.push(Entry { ip, name, until: now.saturating_add(time) });
        if self.answered.len() >= KEPT {
            self.answered.pop_front();
        }
        self.answered.push_back(ip);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn ip(number: u32) -> IpAddr {
        Ipv4Addr::from(0x0a00_0000 + number).into()
    }

    fn answer(names: &mut Names, name: Option<&str>, seconds: u32, now: u64) -> IpAddr {
        let ip = names.next_wanted().unwrap();
        names.settle(ip, name.map(|name| (name.into(), seconds)), now);
        ip
    }

    #[test]
    fn a_name_is_asked_for_once_and_kept() {
        let mut names = Names::default();
        assert!(!names.is_wanted());
        assert_eq!(names.lookup(ip(1), 0), Lookup::Asked);
        assert_eq!(names.lookup("::ffff:10.0.0.1".parse().unwrap(), 0), Lookup::Asked);
        assert!(names.is_wanted());
        assert_eq!(names.next_wanted(), Some(ip(1)));
        assert_eq!(names.lookup(ip(1), 0), Lookup::Asked);
        assert_eq!(names.next_wanted(), None, "it is asked for once");
        names.settle(ip(1), Some(("a.example".into(), 100)), 1000);
        assert_eq!((names.next_answered(), names.next_answered()), (Some(ip(1)), None));
        assert_eq!(names.lookup(ip(1), 100_999), Lookup::Known("a.example"));
        assert_eq!(names.known(ip(1), 100_999), Some("a.example"));
        assert_eq!(names.known(ip(1), 101_000), None);
        assert_eq!(names.lookup(ip(1), 101_000), Lookup::Asked);
    }

    #[test]
    fn who_goes_leaves_to_the_next_what_it_was_at() {
        let mut names = Names::default();
        for number in 1..=2 {
            assert_eq!(names.lookup(ip(number), 0), Lookup::Asked);
        }
        assert_eq!(names.next_wanted(), Some(ip(1)));
        names.put_back(ip(1));
        names.put_back(ip(9));
        assert_eq!(names.lookup(ip(1), 0), Lookup::Asked);
        assert_eq!(
            [names.next_wanted(), names.next_wanted(), names.next_wanted()],
            [Some(ip(1)), Some(ip(2)), None]
        );
        // Nobody wants to know that.
        names.settle(ip(9), Some(("a.example".into(), 100)), 0);
        assert_eq!(names.next_answered(), None);
        assert_eq!(names.known(ip(9), 0), None);
    }

    #[test]
    fn that_there_is_none_is_kept_too() {
        let mut names = Names::default();
        let _ = names.lookup(ip(1), 0);
        answer(&mut names, None, 0, 0);
        assert_eq!(names.lookup(ip(1), TIMES.2 - 1), Lookup::Unknown);
        assert_eq!(names.lookup(ip(1), TIMES.2), Lookup::Asked);
    }

    #[test]
    fn times_are_bounded() {
        let mut names = Names::default();
        let mut now = 0;
        for (seconds, time) in [(0, TIMES.0), (1, TIMES.0), (60, 60_000), (u32::MAX, TIMES.1)] {
            now += 1_000_000_000;
            assert_eq!(names.lookup(ip(1), now), Lookup::Asked);
            answer(&mut names, Some("a"), seconds, now);
            assert_eq!(names.lookup(ip(1), now + time - 1), Lookup::Known("a"));
            assert_eq!(names.known(ip(1), now + time), None);
        }
    }

    #[test]
    fn the_table_is_bounded() {
        let mut names = Names::default();
        for number in 0..1000 {
            let expected = if number < WANTED as u32 { Lookup::Asked } else { Lookup::Unknown };
            assert_eq!(names.lookup(ip(number), 0), expected);
        }
        for number in 1000..3000 {
            let _ = answer(&mut names, Some("a"), number, 0);
            let _ = names.lookup(ip(number), 0);
        }
        assert!(names.kept.len() == KEPT && names.answered.len() == KEPT);
        assert!(names.wanted.len() + names.asked.len() <= WANTED);
    }
}
