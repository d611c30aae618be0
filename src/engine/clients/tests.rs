#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use core::net::{Ipv4Addr, Ipv6Addr};

use super::*;
use crate::text::address::push_ip;

/// Numbers that look random, the same in each run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn client(entered: Entered) -> ClientId {
    match entered {
        Entered::Client(id) => id,
        Entered::Full => panic!("full"),
    }
}

fn text(ip: IpAddr) -> String {
    let mut text = Vec::new();
    push_ip(ip, &mut text);
    String::from_utf8(text).unwrap()
}

fn known(clients: &Clients, id: ClientId) -> Option<String> {
    let mut text = Vec::new();
    clients.push_text(id, &mut text).then(|| String::from_utf8(text).unwrap())
}

#[test]
fn a_place_that_is_used_again_is_told_by_the_count() {
    let mut clients = Clients::default();
    let enter = |clients: &mut Clients, text: &str| match clients.enter(text.parse().unwrap(), 0, true) {
        Entered::Client(id) => (clients.made(), id),
        Entered::Full => panic!("there is no limit"),
    };
    let first = enter(&mut clients, "192.0.2.1");
    assert_eq!(enter(&mut clients, "192.0.2.1"), first);
    clients.leave(first.1);
    clients.leave(first.1);
    clients.trim();
    let second = enter(&mut clients, "192.0.2.2");
    assert!(second.1 == first.1 && second != first);
}

#[test]
fn addresses_are_written_as_std_writes_them() {
    let mut numbers = Numbers(88172645463325252);
    for round in 0..50_000 {
        let v4 = IpAddr::V4(Ipv4Addr::from(numbers.next() as u32));
        assert_eq!(text(v4), v4.to_string());
        let mut groups = [0u16; 8];
        for group in &mut groups {
            // Zero groups in all places, and short ones.
            *group = match numbers.next() % 4 {
                0 | 1 => 0,
                2 => numbers.next() as u16 >> (numbers.next() % 16),
                _ => numbers.next() as u16,
            };
        }
        if round % 3 == 0 {
            groups[..5].fill(0);
        }
        let v6 = Ipv6Addr::from(groups);
        assert_eq!(text(v6.into()), IpAddr::V6(v6).to_canonical().to_string());
    }
    for fixed in ["::", "::1", "1::", "fe80::1", "2001:db8::1:0:0:1", "1:0:0:2:0:0:0:3", "::1:2:3:4:5:6:7"] {
        assert_eq!(text(ip(fixed)), ip(fixed).to_string());
    }
    assert_eq!(text(ip("::ffff:192.0.2.1")), "192.0.2.1");
}

#[test]
fn a_limit_holds_per_address_and_per_network() {
    for addresses in [false, true] {
        let mut clients = Clients::default();
        let one = client(clients.enter(ip("192.0.2.1"), 2, addresses));
        let mapped = client(clients.enter(ip("::ffff:192.0.2.1"), 2, addresses));
        assert_eq!(one, mapped);
        assert!(clients.enter(ip("192.0.2.1"), 2, addresses) == Entered::Full);
        client(clients.enter(ip("192.0.2.2"), 2, addresses));
        let near = client(clients.enter(ip("2001:db8::1"), 2, addresses));
        let far = client(clients.enter(ip("2001:db8::2"), 2, addresses));
        assert_eq!(clients.connections(near), 2);
        assert_eq!(near == far, !addresses);
        assert!(clients.enter(ip("2001:db8::3"), 2, addresses) == Entered::Full);
        client(clients.enter(ip("2001:db8:0:1::3"), 2, addresses));
        assert_eq!(known(&clients, far), addresses.then(|| "2001:db8::2".to_owned()));
        clients.leave(near);
        let third = client(clients.enter(ip("2001:db8::3"), 2, addresses));
        clients.leave(one);
        client(clients.enter(ip("192.0.2.1"), 2, addresses));
        // A network and the address that looks like it are two.
        clients.leave(far);
        let bare = client(clients.enter(ip("2001:db8::"), 2, addresses));
        assert_eq!(clients.connections(third), 2);
        clients.leave(bare);
        clients.leave(third);
        assert_eq!(clients.connections(third), 0);
    }
}

#[test]
fn some_are_never_limited() {
    let mut clients = Clients::default();
    for _ in 0..5 {
        assert_eq!(client(clients.enter(ip("127.0.0.9"), 1, false)), ClientId::NONE);
        assert_eq!(client(clients.enter(ip("::1"), 1, false)), ClientId::NONE);
        assert_eq!(client(clients.enter(ip("192.0.2.1"), 0, false)), ClientId::NONE);
    }
    assert!(clients.is_empty() && clients.mapped() == 0 && !clients.has_spare());
    let ids: Vec<_> = (0..5).map(|_| client(clients.enter(ip("::1"), 1, true))).collect();
    assert_eq!(known(&clients, ids[0]).as_deref(), Some("::1"));
    // Neighbours on a link share a prefix that is nobody's.
    client(clients.enter(ip("fe80::1"), 1, true));
    client(clients.enter(ip("fe80::2"), 1, true));
    assert!(clients.enter(ip("fe80::2"), 1, true) == Entered::Full);
    clients.leave(ClientId::NONE);
    assert_eq!(known(&clients, ClientId::NONE), None);
}

/// A limit that is set later counts those who come from then on.
#[test]
fn a_limit_may_be_set_while_clients_are_in() {
    let mut clients = Clients::default();
    let before = client(clients.enter(ip("2001:db8::"), 0, true));
    let after = client(clients.enter(ip("2001:db8::"), 1, true));
    assert!(clients.enter(ip("2001:db8::7"), 1, true) == Entered::Full);
    clients.leave(before);
    assert!(clients.enter(ip("2001:db8::7"), 1, true) == Entered::Full);
    clients.leave(after);
    assert!(clients.is_empty());
}

#[test]
fn ten_thousand_addresses_are_small_and_go() {
    let mut clients = Clients::default();
    let same: Vec<_> = (0..10_000).map(|_| client(clients.enter(ip("192.0.2.1"), 0, true))).collect();
    assert_eq!(clients.len(), 1);
    assert!(clients.mapped() <= 5 * 4096, "{}", clients.mapped());
    same.into_iter().for_each(|id| clients.leave(id));
    let ids: Vec<_> = (0..10_000u32)
        .map(|n| client(clients.enter(IpAddr::V4((0x0a00_0000 + n).into()), 3, true)))
        .collect();
    assert_eq!(clients.len(), 10_000);
    // A block's memory that was never touched costs nothing: 256 entries of 32 bytes in its 16 KiB.
    let touched = clients.entries.mapped() / 2 + clients.index.as_ref().unwrap().0.len();
    assert!(touched / 10_000 <= 48, "{touched}");
    for (n, id) in ids.iter().enumerate() {
        assert_eq!(known(&clients, *id).unwrap(), Ipv4Addr::from(0x0a00_0000 + n as u32).to_string());
        clients.leave(*id);
    }
    assert!(clients.is_empty() && clients.has_spare());
    clients.trim();
    assert!(clients.mapped() == 0 && !clients.has_spare());
    client(clients.enter(ip("192.0.2.1"), 1, true));
}

#[test]
fn the_longest_chain_is_short() {
    let mut clients = Clients::default();
    for n in 0..20_000u32 {
        client(clients.enter(IpAddr::V4((n << 8).into()), 0, true));
    }
    let index = clients.index.as_ref().unwrap();
    let lengths = (0..index.chains()).map(|chain| {
        core::iter::successors(clients.entries.get(index.get(chain)), |e| clients.entries.get(e.next)).count()
    });
    // About ten are to be expected of 20,000 in 16,384.
    assert!(lengths.max().unwrap() < 24);
}

/// The table against a plain model, through growth and shrinking.
#[test]
fn it_agrees_with_a_model() {
    let mut clients = Clients::default();
    let mut model: alloc::collections::BTreeMap<[u8; 8], u32> = Default::default();
    let mut inside: Vec<(ClientId, [u8; 8], IpAddr)> = Vec::new();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for step in 0..200_000u64 {
        let number = numbers.next();
        let grows = step / 20_000 % 2 == 0;
        if number % 8 < if grows { 6 } else { 2 } {
            let ip = Ipv6Addr::from(
                (0x2001_0db8u128 << 96)
                    | u128::from(number >> 40 & 0x3fff) << 64
                    | u128::from(number >> 8 & 7),
            );
            let network: [u8; 8] = ip.octets()[..8].try_into().unwrap();
            let count = model.entry(network).or_default();
            match clients.enter(ip.into(), 3, true) {
                Entered::Full => assert_eq!(*count, 3),
                Entered::Client(id) => {
                    assert!(*count < 3);
                    *count += 1;
                    assert_eq!(clients.connections(id), *count);
                    inside.push((id, network, ip.into()));
                }
            }
        } else if !inside.is_empty() {
            let (id, network, ip) = inside.swap_remove(number as usize / 8 % inside.len());
            assert_eq!(known(&clients, id), Some(text(ip)));
            assert_eq!(clients.connections(id), model[&network]);
            *model.get_mut(&network).unwrap() -= 1;
            clients.leave(id);
        }
        if step % 5000 == 0 {
            clients.trim();
        }
    }
    for (id, ..) in inside {
        clients.leave(id);
    }
    assert!(clients.is_empty());
}
