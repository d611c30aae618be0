//! Buffers of clients by their names: those who came by an address that a rule for a domain may cover wait here until
//! it is known what they are called. They are served meanwhile, with the buffers they would have without a name.
//!
//! ```text
//! accepted -> no domain before the first network that fits: done
//!          -> waiting -> looked up after the turn -> known or without a name: done
//!                                                 -> asked for -> answered: done
//! ```

use alloc::vec::Vec;
use core::net::IpAddr;

use super::buffers::Buffers;
use super::event_loop::Loop;
use super::names::{HasNames, Lookup};
use super::reactor::Reactor;
use super::values::ConnId;
use crate::tree::Buffer;
use crate::tree::rule::{ClientRule, Clients};

/// The most connections that wait for names. Those beyond keep what they have.
const WAITING: usize = 512;

/// A connection whose client's name is not known yet.
struct Waiting {
    id: ConnId,
    /// IPv4 as such.
    ip: IpAddr,
    /// Those of its listener.
    others: Buffers,
    /// Those it was given for now.
    given: Buffers,
    /// Its name is being asked for.
    asked: bool,
}

/// Those that wait.
#[derive(Default)]
pub(super) struct Naming {
    waiting: Vec<Waiting>,
    /// Some of them were not looked up yet.
    fresh: bool,
}

/// The first rule that fits a client, whose name may not be known.
fn find<'a>(rules: &'a [ClientRule], ip: IpAddr, name: Option<&str>) -> Option<&'a ClientRule> {
    rules.iter().find(|rule| match &rule.clients {
        Clients::Network(network) => network.contains(ip),
        Clients::Domain(domain) => name.is_some_and(|name| name.ends_with(domain.as_str())),
    })
}

fn is_by_name(rule: &ClientRule) -> bool {
    matches!(rule.clients, Clients::Domain(_))
}

/// The buffers of a client: those of the rule that fits, and the others' where it says nothing.
fn buffers(rule: Option<&ClientRule>, others: Buffers) -> Buffers {
    rule.map_or(others, |rule| Buffers {
        read: rule.read_buffer.unwrap_or(others.read),
        write: rule.write_buffer.unwrap_or(others.write),
    })
}

/// The buffers of a client whose name is not known, and whether they may be others once it is.
pub(super) fn choose(rules: &[ClientRule], ip: Option<IpAddr>, others: Buffers) -> (Buffers, bool) {
    let Some(ip) = ip else { return (others, false) };
    let found = find(rules, ip, None);
    let before = rules.iter().take_while(|rule| !found.is_some_and(|found| core::ptr::eq(*rule, found)));
    (buffers(found, others), before.into_iter().any(is_by_name))
}

/// What a buffer is to be: nothing where it was set by hand meanwhile, or is that already.
fn wanted(now: Buffer, given: Buffer, wanted: Buffer) -> Option<Buffer> {
    (now == given && now != wanted).then_some(wanted)
}

impl Loop {
    /// Has a connection get other buffers once its client's name is known. `given` it has for now, `others` are its
    /// listener's.
    pub(super) fn wait_for_name(&mut self, id: ConnId, ip: Option<IpAddr>, given: Buffers, others: Buffers) {
        let (naming, slots) = (&mut self.naming, &self.slots);
        if naming.waiting.len() >= WAITING {
            naming.waiting.retain(|waiting| slots.get(waiting.id).is_some());
        }
        let Some(ip) = ip.filter(|_| naming.waiting.len() < WAITING) else { return };
        naming.waiting.push(Waiting { id, ip: ip.to_canonical(), others, given, asked: false });
        naming.fresh = true;
    }

    /// A connection's client has this name: it gets the buffers of a rule for that, if one is the first that fits.
    fn name_client(&mut self, waiting: &Waiting, name: &str) {
        let Some(conn) = self.slots.get(waiting.id) else { return };
        let Some(state) = self.services.get(usize::from(conn.service)) else { return };
        let Some(rule) = find(&state.rules, waiting.ip, Some(name)).filter(|rule| is_by_name(rule)) else {
            return;
        };
        let chosen = buffers(Some(rule), waiting.others);
        let read = wanted(conn.read_range.buffer(), waiting.given.read, chosen.read);
        let write = wanted(conn.write_range.buffer(), waiting.given.write, chosen.write);
        self.set_connection_buffers(waiting.id, read, write);
    }

    /// Nobody is asked for names any more, or others are: those that wait are looked up anew if a rule still wants it.
    pub fn forget_names(&mut self) {
        let (naming, slots, services) = (&mut self.naming, &self.slots, &self.services);
        naming.waiting.retain_mut(|waiting| {
            waiting.asked = false;
            let state = slots.get(waiting.id).and_then(|conn| services.get(usize::from(conn.service)));
            state.is_some_and(|state| state.rules.iter().any(is_by_name))
        });
        naming.fresh = !naming.waiting.is_empty();
        if naming.waiting.is_empty() {
            naming.waiting = Vec::new();
        }
    }
}

impl<W: HasNames> Reactor<W> {
    /// After a turn: looks up the clients of connections that came, and gives those whose names have come their buffers.
    pub fn name_clients(&mut self) {
        let (lp, names) = (&mut self.lp, self.world.names());
        let now = lp.now.milliseconds;
        let mut all = core::mem::take(&mut lp.naming.waiting);
        if core::mem::take(&mut lp.naming.fresh) {
            all.retain_mut(|waiting| {
                if waiting.asked {
                    return true;
                }
                match names.lookup(waiting.ip, now) {
                    Lookup::Known(name) => lp.name_client(waiting, name),
                    Lookup::Unknown => {}
                    Lookup::Asked => {
                        waiting.asked = true;
                        lp.settle_soon();
                    }
                }
                waiting.asked
            });
        }
        while let Some(ip) = names.next_answered() {
            let name = names.known(ip, now);
            all.retain(|waiting| {
                if waiting.ip == ip {
                    if let Some(name) = name {
                        lp.name_client(waiting, name);
                    }
                }
                waiting.ip != ip
            });
        }
        // An empty list keeps no room.
        lp.naming.waiting = if all.is_empty() { Vec::new() } else { all };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    fn rules(texts: &[&str]) -> Vec<ClientRule> {
        texts.iter().map(|text| ClientRule::parse(text).unwrap()).collect()
    }

    /// The write buffer of a client without a name, as a power of two, and whether its name matters.
    fn first(rules: &[ClientRule], ip: &str) -> (u8, bool) {
        let (buffers, waits) = choose(rules, Some(ip.parse().unwrap()), Buffers::fixed(12, 14));
        assert_eq!(buffers.read, Buffer::fixed(12));
        (buffers.write.least, waits)
    }

    #[test]
    fn the_first_rule_that_covers_a_client_counts() {
        let rules = rules(&["10.0.0.0/8 write_buffer=256K", "0.0.0.0/0 write_buffer=1K"]);
        for (ip, expected) in [("10.1.1.1", 18), ("::ffff:10.1.1.1", 18), ("11.1.1.1", 10), ("::1", 14)] {
            assert_eq!(first(&rules, ip), (expected, false), "{ip}");
        }
        assert!(choose(&rules, None, Buffers::fixed(12, 14)) == (Buffers::fixed(12, 14), false));
    }

    #[test]
    fn a_name_matters_before_the_network_that_fits() {
        let all =
            rules(&["10.0.0.0/8 write_buffer=1K", ".a.b write_buffer=2K", "11.0.0.0/8 write_buffer=4K"]);
        assert_eq!(first(&all, "10.0.0.1"), (10, false));
        assert_eq!(first(&all, "11.0.0.1"), (12, true));
        assert_eq!(first(&all, "12.0.0.1"), (14, true));
        assert!(!choose(&all, None, Buffers::fixed(12, 14)).1, "a Unix peer has no name");
        let found = |ip: &str, name| {
            let found = find(&all, ip.parse().unwrap(), name);
            buffers(found, Buffers::fixed(12, 14)).write.least
        };
        for (ip, name, expected) in [
            ("10.0.0.1", "x.a.b", 10),
            ("11.0.0.1", "x.a.b", 11),
            ("11.0.0.1", "x.y.a.b", 11),
            ("11.0.0.1", "a.b", 12),
            ("11.0.0.1", "xa.b", 12),
            ("11.0.0.1", "x.a.b.c", 12),
            ("12.0.0.1", "x.a.b", 11),
            ("12.0.0.1", "", 14),
        ] {
            assert_eq!(found(ip, Some(name)), expected, "{ip} {name}");
        }
        assert_eq!(found("12.0.0.1", None), 14);
    }

    #[test]
    fn what_was_set_by_hand_stays() {
        let [small, large, other] = [10, 11, 12].map(Buffer::fixed);
        assert_eq!(wanted(small, small, large), Some(large));
        assert_eq!(wanted(other, small, large), None);
        assert_eq!(wanted(small, small, small), None);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut lp = Loop::new(gorgon_sys::PollerKind::available()[0], 0).unwrap();
        let given = Buffers::fixed(12, 14);
        let ip: IpAddr = "10.0.0.1".parse().unwrap();
        let full = vec![ConnId::test(7 << 32); WAITING].into_iter();
        lp.naming.waiting = full.map(|id| Waiting { id, ip, others: given, given, asked: true }).collect();
        lp.wait_for_name(ConnId::test(8 << 32), Some(ip), given, given);
        assert_eq!(lp.naming.waiting.len(), 1, "those that are gone make room");
        lp.forget_names();
        assert_eq!(lp.naming.waiting.capacity(), 0);
        lp.wait_for_name(ConnId::test(8 << 32), None, given, given);
        assert!(lp.naming.waiting.is_empty() && !lp.naming.fresh);
    }
}
