//! A bounded cache by name: the lookup is one hash and, when it hits, one comparison.
//!
//! What is kept costs bytes, and the sum is bounded; so is the count, since a value may hold a descriptor. When there is
//! no room the clock's hand goes round: a value that was used since it last came by gets one more round, another one
//! has to go (the CLOCK algorithm: nearly least-recently-used, without a list to relink on every hit). Being put in is
//! not yet a use, so names that are asked for once do not push out those that are asked for again and again.

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

/// The cache.
pub struct Cache<V> {
    entries: Vec<Option<Entry<V>>>,
    /// Heads of the chains, by hash; a power of two.
    buckets: Vec<u32>,
    free: Vec<u32>,
    hand: usize,
    used: usize,
    capacity: usize,
    most: usize,
    evictions: u64,
}

struct Entry<V> {
    hash: u32,
    next: u32,
    cost: usize,
    recent: bool,
    name: Box<[u8]>,
    value: V,
}

/// Names a value that was just found; good until the cache is changed.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Found(u32);

const END: u32 = u32::MAX;

impl<V> Cache<V> {
    /// A cache of at most `capacity` bytes and `most` values; 0 keeps nothing.
    pub const fn new(capacity: usize, most: usize) -> Cache<V> {
        Cache {
            entries: Vec::new(),
            buckets: Vec::new(),
            free: Vec::new(),
            hand: 0,
            used: 0,
            capacity,
            most,
            evictions: 0,
        }
    }

    /// Finds a value by name and counts it as used.
    pub fn find(&mut self, name: &[u8]) -> Option<Found> {
        let hash = hash(name);
        let mut at = *self.buckets.get(hash as usize & self.buckets.len().wrapping_sub(1))?;
        while let Some(Some(entry)) = self.entries.get_mut(at as usize) {
            if entry.hash == hash && *entry.name == *name {
                entry.recent = true;
                return Some(Found(at));
            }
            at = entry.next;
        }
        None
    }

    /// The value found.
    pub fn get(&self, found: Found) -> Option<&V> {
        self.entries.get(found.0 as usize)?.as_ref().map(|entry| &entry.value)
    }

    /// The value found, to change. Its cost stays.
    pub fn get_mut(&mut self, found: Found) -> Option<&mut V> {
        self.entries.get_mut(found.0 as usize)?.as_mut().map(|entry| &mut entry.value)
    }

    /// Puts a value in, in place of one of the same name. What has to go, or the value itself when it is too large, is
    /// handed to `gone`.
    pub fn insert(&mut self, name: &[u8], cost: usize, value: V, gone: &mut dyn FnMut(V)) -> Option<Found> {
        if let Some(found) = self.find(name) {
            self.take(found).into_iter().for_each(&mut *gone);
        }
        let cost = cost.saturating_add(name.len() + size_of::<Option<Entry<V>>>());
        if cost > self.capacity || self.most == 0 {
            gone(value);
            return None;
        }
        while cost > self.capacity - self.used || self.len() >= self.most {
            self.evictions += 1;
            self.evict().into_iter().for_each(&mut *gone);
        }
        if self.len() >= self.buckets.len() {
            self.rehash();
        }
        let hash = hash(name);
        let mask = self.buckets.len() - 1;
        let bucket = self.buckets.get_mut(hash as usize & mask)?;
        let entry = Entry { hash, next: *bucket, cost, recent: false, name: name.into(), value };
        let at = match self.free.pop() {
            Some(at) => at,
            None => {
                self.entries.push(None);
                (self.entries.len() - 1) as u32
            }
        };
        *bucket = at;
        *self.entries.get_mut(at as usize)? = Some(entry);
        self.used += cost;
        Some(Found(at))
    }

    /// Takes a value out.
    pub fn take(&mut self, found: Found) -> Option<V> {
        let entry = self.entries.get_mut(found.0 as usize)?.take()?;
        let mask = self.buckets.len() - 1;
        let bucket = self.buckets.get_mut(entry.hash as usize & mask)?;
        if *bucket == found.0 {
            *bucket = entry.next;
        } else {
            let mut at = *bucket;
            while let Some(Some(before)) = self.entries.get_mut(at as usize) {
                if before.next == found.0 {
                    before.next = entry.next;
                    break;
                }
                at = before.next;
            }
        }
        self.free.push(found.0);
        self.used -= entry.cost;
        Some(entry.value)
    }

    /// Takes every value out that `keeps` says no to, and hands it to `gone`.
    pub fn retain(&mut self, keeps: &mut dyn FnMut(&V) -> bool, gone: &mut dyn FnMut(V)) {
        for index in 0..self.entries.len() as u32 {
            let found = Found(index);
            if self.get(found).is_some_and(|value| !keeps(value)) {
                self.take(found).into_iter().for_each(&mut *gone);
            }
        }
    }

    /// How many values are kept.
    pub fn len(&self) -> usize {
        self.entries.len() - self.free.len()
    }

    /// Whether none is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The sum of the costs, in bytes.
    pub fn used(&self) -> usize {
        self.used
    }

    /// The most of that.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many values had to go to make room, since the start.
    pub fn evictions(&self) -> u64 {
        self.evictions
    }

    /// Moves the hand to the next value that was not used since it last came by, and takes it out. Called only when
    /// there is one at all; two rounds are always enough.
    fn evict(&mut self) -> Option<V> {
        for _ in 0..self.entries.len() * 2 {
            self.hand = if self.hand + 1 < self.entries.len() { self.hand + 1 } else { 0 };
            if let Some(Some(entry)) = self.entries.get_mut(self.hand) {
                if !core::mem::take(&mut entry.recent) {
                    return self.take(Found(self.hand as u32));
                }
            }
        }
        None
    }

    /// Doubles the chains' heads and deals the values out anew.
    fn rehash(&mut self) {
        let count = (self.buckets.len() * 2).max(16);
        self.buckets = vec![END; count];
        for (at, entry) in self.entries.iter_mut().enumerate() {
            let Some(entry) = entry else { continue };
            if let Some(bucket) = self.buckets.get_mut(entry.hash as usize & (count - 1)) {
                entry.next = core::mem::replace(bucket, at as u32);
            }
        }
    }
}

/// FNV-1a over eight bytes at a time, folded: names are short, and their last bytes differ most.
fn hash(name: &[u8]) -> u32 {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut chunks = name.chunks_exact(8);
    for chunk in &mut chunks {
        let word = chunk.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
        state = (state ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    let rest = chunks.remainder().iter().fold(name.len() as u64, |word, byte| word << 8 | u64::from(*byte));
    state = (state ^ rest).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (state ^ state >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(cache: &mut Cache<u32>, name: &str, cost: usize, value: u32) -> Vec<u32> {
        let mut gone = Vec::new();
        cache.insert(name.as_bytes(), cost, value, &mut |value| gone.push(value));
        gone
    }

    fn look(cache: &mut Cache<u32>, name: &str) -> Option<u32> {
        let found = cache.find(name.as_bytes())?;
        cache.get(found).copied()
    }

    #[test]
    fn what_was_put_is_found() {
        let mut cache = Cache::new(1 << 20, 1000);
        assert_eq!(look(&mut cache, "/a"), None);
        for number in 0..500 {
            assert!(put(&mut cache, &format!("/dir/file{number}"), 10, number).is_empty());
        }
        for number in 0..500 {
            assert_eq!(look(&mut cache, &format!("/dir/file{number}")), Some(number));
        }
        assert_eq!(look(&mut cache, "/dir/file500"), None);
        assert_eq!(cache.len(), 500);
    }

    #[test]
    fn the_same_name_replaces() {
        let mut cache = Cache::new(10_000, 10);
        put(&mut cache, "/a", 10, 1);
        assert_eq!(put(&mut cache, "/a", 20, 2), [1]);
        assert_eq!(look(&mut cache, "/a"), Some(2));
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn bytes_and_count_are_bounded() {
        let mut cache = Cache::new(5000, 1000);
        for number in 0..1000 {
            put(&mut cache, &format!("/{number}"), 100, number);
            assert!(cache.used() <= 5000);
        }
        assert!(cache.len() > 10);
        assert_eq!(cache.evictions(), 1000 - cache.len() as u64);
        assert_eq!(cache.capacity(), 5000);
        let mut few = Cache::new(1 << 20, 3);
        for number in 0..100 {
            put(&mut few, &format!("/{number}"), 1, number);
            assert!(few.len() <= 3);
        }
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let mut cache = Cache::new(1000, 10);
        put(&mut cache, "/small", 10, 1);
        assert_eq!(put(&mut cache, "/large", 1000, 2), [2]);
        assert_eq!(look(&mut cache, "/small"), Some(1));
        assert_eq!(put(&mut Cache::new(0, 10), "/a", 0, 3), [3]);
    }

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::new(1 << 20, 8);
        put(&mut cache, "/hot", 1, 1000);
        for number in 0..200 {
            put(&mut cache, &format!("/{number}"), 1, number);
            assert_eq!(look(&mut cache, "/hot"), Some(1000));
        }
    }

    /// Against a plain map, through thousands of steps: nothing is lost but by eviction, and every value goes once.
    #[test]
    fn it_agrees_with_a_map() {
        let mut cache = Cache::new(1 << 14, 64);
        let mut map = std::collections::HashMap::new();
        let mut seed = 1u32;
        for value in 0..20_000u32 {
            seed = seed.wrapping_mul(1664525).wrapping_add(1013904223);
            let name = format!("/{}", (seed >> 16) % 150);
            if seed >> 30 == 0 {
                let found = cache.find(name.as_bytes());
                let taken = found.and_then(|found| cache.take(found));
                assert_eq!(taken, map.remove(&name));
                continue;
            }
            assert_eq!(look(&mut cache, &name), map.get(&name).copied());
            map.insert(name.clone(), value);
            let mut gone = Vec::new();
            cache.insert(name.as_bytes(), 100, value, &mut |value| gone.push(value));
            map.retain(|_, value| !gone.contains(value));
            assert_eq!(cache.len(), map.len());
        }
    }
}
