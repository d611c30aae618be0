//! The directories that are being listed, and what their listings hold together.
//!
//! A listing of a large directory keeps it open for as long as its client takes to read. There is room for so many; when
//! it is used up, the one whose client has not taken anything for longest gives its place up, so that a few clients that
//! do not read cannot keep the others from listing. Its own reply is then cut, which the client can see.

use alloc::boxed::Box;
use alloc::vec::Vec;

use crate::fs::Listing;

/// How long a client must have taken nothing before its place is given to another, in milliseconds.
const IDLE: u64 = 1000;

/// The open directories, of one program.
#[derive(Default)]
pub struct Directories {
    slots: Vec<Option<Open>>,
    generation: u32,
    /// Bytes that all listings hold for sorting.
    pub(super) held: usize,
}

/// An open directory and when its client last took something.
struct Open {
    listing: Box<dyn Listing>,
    generation: u32,
    moved: u64,
}

/// Names an open directory. It finds that one or, once its place was given up, none.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct DirectoryId {
    index: u32,
    generation: u32,
}

impl Directories {
    /// Makes room for one of at most `most`, if need be at the expense of an idle one; says whether there is room. `now`
    /// is in milliseconds.
    pub fn make_room(&mut self, most: usize, now: u64) -> bool {
        if self.open() < most {
            return true;
        }
        let oldest = self.slots.iter_mut().filter(|slot| slot.is_some());
        match oldest.min_by_key(|slot| slot.as_ref().map_or(u64::MAX, |open| open.moved)) {
            Some(slot) if slot.as_ref().is_some_and(|open| open.moved.saturating_add(IDLE) <= now) => {
                *slot = None;
                true
            }
            Some(_) | None => false,
        }
    }

    /// How many are open.
    pub fn open(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    /// Takes an open directory in.
    pub fn insert(&mut self, listing: Box<dyn Listing>, now: u64) -> DirectoryId {
        self.generation = self.generation.wrapping_add(1);
        let open = Some(Open { listing, generation: self.generation, moved: now });
        let index = match self.slots.iter().position(Option::is_none) {
            Some(index) => index,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(slot) = self.slots.get_mut(index) {
            *slot = open;
        }
        DirectoryId { index: index as u32, generation: self.generation }
    }

    /// An open directory whose client takes something now.
    pub fn get(&mut self, id: DirectoryId, now: u64) -> Option<&mut dyn Listing> {
        let slot = self.slots.get_mut(id.index as usize)?.as_mut()?;
        if slot.generation != id.generation {
            return None;
        }
        slot.moved = now;
        Some(&mut *slot.listing)
    }

    /// Closes a directory, unless its place was given up before.
    pub fn close(&mut self, id: DirectoryId) {
        if let Some(slot) = self.slots.get_mut(id.index as usize) {
            if slot.as_ref().is_some_and(|open| open.generation == id.generation) {
                *slot = None;
            }
        }
        while let Some(None) = self.slots.last() {
            self.slots.pop();
        }
        if self.slots.is_empty() {
            self.slots = Vec::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::{Filesystem, MemoryFs, VPath};

    #[test]
    fn the_idlest_gives_its_place_up() {
        let fs = MemoryFs::new();
        let list = || fs.list(VPath::ROOT).unwrap();
        let mut all = Directories::default();
        let ids: Vec<DirectoryId> = (0..3u64)
            .map(|number| {
                assert!(all.make_room(3, number));
                all.insert(list(), number)
            })
            .collect();
        assert!(!all.make_room(3, 500), "all have taken something within the last second");
        assert!(all.get(ids[0], 600).is_some());
        assert!(all.make_room(3, 1600));
        assert!(all.get(ids[1], 1600).is_none(), "it was idle for longest");
        let next = all.insert(list(), 1600);
        all.close(ids[1]);
        for id in [ids[0], ids[2], next] {
            assert!(all.get(id, 1700).is_some());
            all.close(id);
            assert!(all.get(id, 1700).is_none());
        }
        assert!(all.slots.is_empty());
    }

    #[test]
    fn no_room_at_all() {
        assert!(!Directories::default().make_room(0, 10_000));
    }
}
