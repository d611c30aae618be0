//! Who is connected: the addresses of peers, each held once, with the count of its connections.
//!
//! A connection holds the number of its address, not the address: most servers have many connections from few. An entry
//! is 32 bytes in mapped blocks; an index of chains finds it. Both go back to the system when the table is empty.
//!
//! The hash is keyed with random bytes, so that nobody can choose addresses that fall into one chain.

use alloc::vec::Vec;
use core::net::IpAddr;
use core::num::NonZeroU32;

use gorgon_sys::{Mapping, fill_random};

use super::slab::Slab;
use crate::text::address::push_octets;

/// A peer's place in the table of its service.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct ClientId(u32);

impl ClientId {
    /// A peer that is not in the table: of a Unix socket, or of a service that does not ask.
    pub const NONE: ClientId = ClientId(u32::MAX);
}

/// What became of a peer at the door.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Entered {
    /// It is counted, or need not be.
    Client(ClientId),
    /// It has as many connections as it may have.
    Full,
}

/// What an entry stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// An address that counts alone.
    Alone,
    /// The first 64 bits of IPv6 addresses, which count together: the least that one customer is given.
    Network,
    /// An IPv6 address that counts with its network.
    Member,
}

/// Bytes of an address; IPv4 as `::ffff:a.b.c.d`.
type Key = [u8; 16];

struct Entry {
    key: Key,
    connections: NonZeroU32,
    /// The next entry of the chain.
    next: u32,
    /// The network that a member counts with.
    network: u32,
    kind: Kind,
}

const _: () = assert!(size_of::<Option<Entry>>() <= 32);

const NONE: u32 = u32::MAX;
/// Chains of the smallest index: one page of memory.
const CHAINS: usize = 1024;

/// The table of one service's peers.
#[derive(Default)]
pub struct Clients {
    entries: Slab<Entry>,
    /// The first entry of each chain; a power of two of them.
    index: Option<Index>,
    seed: [u64; 2],
    /// How many entries were ever made.
    made: u64,
}

impl Clients {
    /// Counts a connection from an address. `limit` is how many it may have, 0 for any number; `addresses` says whether
    /// [`Clients::push_text`] will be asked. A loopback address has no limit. Without memory nothing is counted.
    pub fn enter(&mut self, ip: IpAddr, limit: u32, addresses: bool) -> Entered {
        let ip = ip.to_canonical();
        let limit = if ip.is_loopback() { 0 } else { limit };
        if limit == 0 && !addresses {
            return Entered::Client(ClientId::NONE);
        }
        let (key, network) = key_of(ip);
        let counted = match network {
            Some(network) if limit > 0 => (network, Kind::Network),
            Some(_) | None => (key, Kind::Alone),
        };
        let known = self.find(counted.0, counted.1);
        if limit > 0
            && known.and_then(|at| self.entries.get(at)).is_some_and(|e| e.connections.get() >= limit)
        {
            return Entered::Full;
        }
        let Some(counted_at) = self.add(known, counted.0, counted.1, NONE) else {
            return Entered::Client(ClientId::NONE);
        };
        if counted.1 != Kind::Network || !addresses {
            return Entered::Client(ClientId(counted_at));
        }
        match self.add(self.find(key, Kind::Member), key, Kind::Member, counted_at) {
            Some(at) => Entered::Client(ClientId(at)),
            // Counted it is; only its address has to be asked for.
            None => Entered::Client(ClientId(counted_at)),
        }
    }

    /// A connection that was counted is gone.
    pub fn leave(&mut self, id: ClientId) {
        let Some(entry) = self.entries.get(id.0) else { return };
        let network = entry.network;
        self.release(id.0);
        self.release(network);
    }

    /// How many connections an address, or its network, has.
    pub fn connections(&self, id: ClientId) -> u32 {
        let Some(entry) = self.entries.get(id.0) else { return 0 };
        self.entries.get(entry.network).unwrap_or(entry).connections.get()
    }

    /// The bits of an address, as those of IPv6.
    pub fn bits(&self, id: ClientId) -> Option<[u8; 16]> {
        self.entries.get(id.0).filter(|entry| entry.kind != Kind::Network).map(|entry| entry.key)
    }

    /// How many entries were ever made. While no other is, an id that is in use stands for the same peer.
    pub fn made(&self) -> u64 {
        self.made
    }

    /// Appends an address as text. Says whether it is known.
    pub fn push_text(&self, id: ClientId, text: &mut Vec<u8>) -> bool {
        let bits = self.bits(id);
        bits.iter().for_each(|bits| push_octets(bits, text));
        bits.is_some()
    }

    /// How many addresses and networks it holds.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes mapped.
    pub fn mapped(&self) -> usize {
        self.entries.mapped() + self.index.as_ref().map_or(0, |index| index.0.len())
    }

    /// Whether [`Clients::trim`] would give memory back.
    pub fn has_spare(&self) -> bool {
        let is_large = self.index.as_ref().is_some_and(|index| is_too_large(index.chains(), self.len()));
        is_large || self.entries.has_spare() || (self.is_empty() && self.index.is_some())
    }

    /// Gives memory that is not needed back to the system.
    pub fn trim(&mut self) {
        if self.is_empty() {
            *self = Clients { made: self.made, ..Clients::default() };
            return;
        }
        self.entries.trim();
        let Some(mut chains) = self.index.as_ref().map(Index::chains) else { return };
        let before = chains;
        while is_too_large(chains, self.len()) {
            chains /= 2;
        }
        if chains < before {
            self.rebuild(chains);
        }
    }

    /// Adds one connection to a known entry, or makes it.
    fn add(&mut self, known: Option<u32>, key: Key, kind: Kind, network: u32) -> Option<u32> {
        if let Some(at) = known {
            let entry = self.entries.get_mut(at)?;
            entry.connections = entry.connections.checked_add(1)?;
            return Some(at);
        }
        self.make_room()?;
        let chain = self.chain(&key)?;
        let next = self.index.as_ref()?.get(chain);
        let entry = Entry { key, connections: NonZeroU32::MIN, next, network, kind };
        let at = self.entries.insert(entry).ok()?;
        self.index.as_mut()?.set(chain, at);
        self.made += 1;
        Some(at)
    }

    fn release(&mut self, at: u32) {
        let Some(entry) = self.entries.get_mut(at) else { return };
        if let Some(fewer) = NonZeroU32::new(entry.connections.get() - 1) {
            entry.connections = fewer;
            return;
        }
        let (key, next) = (entry.key, entry.next);
        let (Some(chain), Some(index)) = (self.chain(&key), self.index.as_mut()) else { return };
        let mut before = index.get(chain);
        if before == at {
            index.set(chain, next);
        } else {
            while let Some(entry) = self.entries.get_mut(before) {
                if entry.next == at {
                    entry.next = next;
                    break;
                }
                before = entry.next;
            }
        }
        self.entries.remove(at);
    }

    fn find(&self, key: Key, kind: Kind) -> Option<u32> {
        let mut at = self.index.as_ref()?.get(self.chain(&key)?);
        loop {
            let entry = self.entries.get(at)?;
            if entry.key == key && entry.kind == kind {
                return Some(at);
            }
            at = entry.next;
        }
    }

    /// Has an index with room for one more entry. A larger one that cannot be had is done without.
    fn make_room(&mut self) -> Option<()> {
        match self.index.as_ref().map(Index::chains) {
            None => {
                let mut seed = [[0; 8]; 2];
                // Without random bytes the table works, and is only easier to attack.
                let _weak = fill_random(seed.as_flattened_mut());
                self.seed = seed.map(u64::from_ne_bytes);
                self.index = Some(Index::new(CHAINS)?);
            }
            Some(chains) if self.len() >= 2 * chains => self.rebuild(2 * chains),
            Some(_) => {}
        }
        Some(())
    }

    fn rebuild(&mut self, chains: usize) {
        let Some(index) = Index::new(chains) else { return };
        self.index = Some(index);
        for at in 0..self.entries.end() {
            let Some(key) = self.entries.get(at).map(|entry| entry.key) else { continue };
            let (Some(chain), Some(index)) = (self.chain(&key), self.index.as_mut()) else { return };
            if let Some(entry) = self.entries.get_mut(at) {
                entry.next = index.get(chain);
                index.set(chain, at);
            }
        }
    }

    /// The chain of a key: the two halves, hidden by the seed, multiplied and folded.
    fn chain(&self, key: &Key) -> Option<usize> {
        let [first, second] = self.seed;
        let (high, low) = key.split_first_chunk::<8>()?;
        let high = u64::from_ne_bytes(*high) ^ first;
        let low = u64::from_ne_bytes(*low.first_chunk::<8>()?) ^ second;
        let product = u128::from(high) * u128::from(low);
        let folded = (product >> 64) as u64 ^ product as u64;
        // Once more, for the low bits of the halves alone made the low bits of the product.
        let mixed = u128::from(folded ^ second) * u128::from(first | 1);
        Some(((mixed >> 64) as usize) & (self.index.as_ref()?.chains() - 1))
    }
}

/// The heads of the chains, in memory of their own; kept plus one, so that fresh memory says "none".
struct Index(Mapping);

impl Index {
    fn new(chains: usize) -> Option<Index> {
        Mapping::new(chains.checked_mul(4)?).ok().map(Index)
    }

    fn chains(&self) -> usize {
        self.0.len() / 4
    }

    fn get(&self, chain: usize) -> u32 {
        let head = self.0.get(4 * chain..).and_then(|rest| rest.first_chunk::<4>());
        head.map_or(NONE, |head| u32::from_ne_bytes(*head).wrapping_sub(1))
    }

    fn set(&mut self, chain: usize, at: u32) {
        if let Some(head) = self.0.get_mut(4 * chain..).and_then(|rest| rest.first_chunk_mut::<4>()) {
            *head = at.wrapping_add(1).to_ne_bytes();
        }
    }
}

fn is_too_large(chains: usize, entries: usize) -> bool {
    chains > CHAINS && entries < chains / 2
}

/// The bytes of an address, and those of the network that it counts with. Neighbours on a link share a network that is
/// nobody's (`fe80::/64`): they count alone.
fn key_of(ip: IpAddr) -> (Key, Option<Key>) {
    match ip {
        IpAddr::V4(ip) => (ip.to_ipv6_mapped().octets(), None),
        IpAddr::V6(ip) => {
            let key = ip.octets();
            let mut network = key;
            network.iter_mut().skip(8).for_each(|byte| *byte = 0);
            let counts_alone = ip.is_loopback() || ip.is_unicast_link_local();
            (key, (!counts_alone).then_some(network))
        }
    }
}

#[cfg(test)]
#[path = "clients/tests.rs"]
mod tests;
