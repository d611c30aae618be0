//! The pool of pages: buffers lent to connections while a request does not fit in one read, or a reply in one write.
//!
//! Pages come in powers of two from 256 B to 1 MiB. Those below 16 KiB are cut from mapped blocks of 16 KiB, larger ones
//! are mappings of their own. A block goes back to the system when its last page is given back; one is kept as a spare
//! until [`Pages::trim`].
//!
//! The pool has a cap. At the cap a large request or reply may still take a page, but there are two ends: a quarter past
//! it, a peer that does not take what it asked for is given up rather than held more for; half as much past it, input
//! that would need one waits in the kernel. What needs no page, which is most, goes on as ever.

use alloc::vec::Vec;

use gorgon_sys::Mapping;

/// Names a page: its class in the top four bits, its number below.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct PageId(u32);

impl PageId {
    /// No page.
    pub const NONE: PageId = PageId(u32::MAX);

    fn new(class: usize, number: usize) -> PageId {
        PageId((class as u32) << 28 | number as u32)
    }
    fn class(self) -> usize {
        (self.0 >> 28) as usize
    }
    fn number(self) -> usize {
        (self.0 & 0x0fff_ffff) as usize
    }
}

/// The smallest page, in bytes.
pub const SMALLEST: usize = 256;
/// The largest page, in bytes.
pub const LARGEST: usize = SMALLEST << (CLASSES - 1);
const CLASSES: usize = 13;
/// What smaller pages are cut from, in bytes.
pub(super) const BLOCK: usize = 16 * 1024;

/// The pool.
pub struct Pages {
    classes: [Vec<Block>; CLASSES],
    /// In each class, no block below this one has a free page.
    hints: [usize; CLASSES],
    spare: Option<Mapping>,
    used: usize,
    cap: usize,
}

struct Block {
    map: Option<Mapping>,
    /// A bit for each page that is lent.
    lent: u64,
}

fn size_of_class(class: usize) -> usize {
    SMALLEST << class
}

fn pages_in_block(class: usize) -> usize {
    (BLOCK / size_of_class(class)).max(1)
}

impl Pages {
    /// A pool that is full at `cap` bytes.
    pub const fn new(cap: usize) -> Pages {
        Pages { classes: [const { Vec::new() }; CLASSES], hints: [0; CLASSES], spare: None, used: 0, cap }
    }

    /// Lends the smallest page of at least `length` bytes; none when that is more than [`LARGEST`] or the system has no
    /// memory.
    pub fn take(&mut self, length: usize) -> Option<PageId> {
        let class = class_for(length)?;
        let per_block = pages_in_block(class);
        let all = if per_block == 64 { u64::MAX } else { (1 << per_block) - 1 };
        let blocks = self.classes.get_mut(class)?;
        let hint = self.hints.get_mut(class)?;
        let index = *hint + blocks.iter().skip(*hint).take_while(|block| block.lent == all).count();
        if index == blocks.len() {
            blocks.push(Block { map: None, lent: 0 });
        }
        *hint = index;
        let block = blocks.get_mut(index)?;
        if block.map.is_none() {
            let wanted = size_of_class(class).max(BLOCK);
            let spare = if wanted == BLOCK { self.spare.take() } else { None };
            block.map = Some(match spare {
                Some(map) => map,
                None => Mapping::new(wanted).ok()?,
            });
        }
        let place = block.lent.trailing_ones() as usize;
        block.lent |= 1 << place;
        self.used += size_of_class(class);
        Some(PageId::new(class, index * per_block + place))
    }

    /// Takes a page back. Giving [`PageId::NONE`] back does nothing.
    pub fn give(&mut self, id: PageId) {
        let class = id.class();
        let (index, place) = (id.number() / per(class), id.number() % per(class));
        let Some(blocks) = self.classes.get_mut(class) else { return };
        let Some(block) = blocks.get_mut(index) else { return };
        if block.lent & (1 << place) == 0 {
            return;
        }
        block.lent &= !(1 << place);
        self.used -= size_of_class(class);
        if let Some(hint) = self.hints.get_mut(class) {
            *hint = (*hint).min(index);
        }
        if block.lent == 0 {
            let map = block.map.take();
            if size_of_class(class) <= BLOCK && self.spare.is_none() {
                self.spare = map;
            }
            while blocks.last().is_some_and(|block| block.lent == 0) {
                blocks.pop();
            }
            if blocks.len() * 4 < blocks.capacity() {
                blocks.shrink_to_fit();
            }
        }
    }

    /// The bytes of a page; empty for [`PageId::NONE`].
    pub fn get(&self, id: PageId) -> &[u8] {
        let class = id.class();
        let (index, place) = (id.number() / per(class), id.number() % per(class));
        let map =
            self.classes.get(class).and_then(|blocks| blocks.get(index)).and_then(|block| block.map.as_ref());
        let size = SMALLEST << class;
        map.and_then(|map| map.get(place * size..(place + 1) * size)).unwrap_or(&[])
    }

    /// The bytes of a page, to write; empty for [`PageId::NONE`].
    pub fn get_mut(&mut self, id: PageId) -> &mut [u8] {
        let class = id.class();
        let (index, place) = (id.number() / per(class), id.number() % per(class));
        let block = self.classes.get_mut(class).and_then(|blocks| blocks.get_mut(index));
        let size = SMALLEST << class;
        let map = block.and_then(|block| block.map.as_mut());
        map.and_then(|map| map.get_mut(place * size..(place + 1) * size)).unwrap_or(&mut [])
    }

    /// Moves `from`'s bytes in `kept` to the front of a page of at least `length` bytes, and gives `from` back.
    pub fn grow(&mut self, from: PageId, kept: core::ops::Range<usize>, length: usize) -> Option<PageId> {
        let to = self.take(length)?;
        let (old_class, old_index) = (from.class(), from.number() / per(from.class()));
        let at = from.number() % per(old_class) * size_of_class(old_class.min(CLASSES - 1));
        // The old block is lent out of the table for the copy, so that both pages can be borrowed at once.
        let block = self.classes.get_mut(old_class).and_then(|blocks| blocks.get_mut(old_index));
        if from.class() == to.class() && old_index == to.number() / per(to.class()) {
            let size = size_of_class(to.class());
            let to_at = to.number() % per(to.class()) * size;
            if let Some(map) = block.and_then(|block| block.map.as_mut()) {
                map.copy_within(at + kept.start..at + kept.end, to_at);
            }
        } else if let Some(map) = block.and_then(|block| block.map.take()) {
            if let (Some(old), Some(new)) =
                (map.get(at + kept.start..at + kept.end), self.get_mut(to).get_mut(..kept.len()))
            {
                new.copy_from_slice(old);
            }
            if let Some(block) = self.classes.get_mut(old_class).and_then(|blocks| blocks.get_mut(old_index))
            {
                block.map = Some(map);
            }
        }
        self.give(from);
        Some(to)
    }

    /// Whether less than a quarter is lent: then what only helps to see may have pages, too.
    pub fn has_plenty(&self) -> bool {
        self.used < self.cap / 4
    }

    /// Whether the pages lent are a quarter past the cap: then no more output is held.
    pub fn is_overdrawn(&self) -> bool {
        self.used >= self.cap.saturating_add(self.cap / 4)
    }

    /// Whether they are half as much past it: then no new input is kept either.
    pub fn is_exhausted(&self) -> bool {
        self.used >= self.cap.saturating_add(self.cap / 2)
    }

    /// Sets at how many bytes it is full.
    pub fn set_cap(&mut self, cap: usize) {
        self.cap = cap;
    }

    /// At how many bytes it is full.
    pub fn cap(&self) -> usize {
        self.cap
    }

    /// The bytes of a page's size; none for [`PageId::NONE`].
    pub fn size(id: PageId) -> usize {
        if id.class() < CLASSES { size_of_class(id.class()) } else { 0 }
    }

    /// Bytes lent.
    pub fn used(&self) -> usize {
        self.used
    }

    /// Whether a block is kept that [`Pages::trim`] would give back.
    pub(super) fn has_spare(&self) -> bool {
        self.spare.is_some()
    }

    /// Gives the spare block back to the system.
    pub fn trim(&mut self) {
        self.spare = None;
    }
}

fn per(class: usize) -> usize {
    if class < CLASSES { pages_in_block(class) } else { 1 }
}

fn class_for(length: usize) -> Option<usize> {
    let size = length.max(SMALLEST).checked_next_power_of_two()?;
    let class = size.trailing_zeros() - SMALLEST.trailing_zeros();
    (size <= LARGEST).then_some(class as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_the_smallest_that_fits() {
        let mut pages = Pages::new(1 << 20);
        for (length, size) in
            [(0, 256), (256, 256), (257, 512), (16384, 16384), (16385, 32768), (1 << 20, 1 << 20)]
        {
            let page = pages.take(length).unwrap();
            assert_eq!(pages.get(page).len(), size);
            pages.give(page);
        }
        assert!(pages.take((1 << 20) + 1).is_none());
        assert!(pages.take(usize::MAX).is_none());
        assert_eq!(pages.used(), 0);
    }

    #[test]
    fn pages_do_not_overlap() {
        let mut pages = Pages::new(1 << 20);
        let ids: Vec<PageId> = (0..200).map(|i| pages.take(256 << (i % 4)).unwrap()).collect();
        for (number, id) in ids.iter().enumerate() {
            pages.get_mut(*id).fill(number as u8);
        }
        for (number, id) in ids.iter().enumerate() {
            assert!(pages.get(*id).iter().all(|byte| *byte == number as u8));
        }
        ids.iter().for_each(|id| pages.give(*id));
        assert_eq!(pages.used(), 0);
        assert!(pages.classes.iter().all(Vec::is_empty));
    }

    #[test]
    fn growing_keeps_the_bytes() {
        for (first, second) in [(256, 512), (256, 256), (512, 100_000), (16384, 32768)] {
            let mut pages = Pages::new(1 << 20);
            let small = pages.take(first).unwrap();
            for (at, byte) in pages.get_mut(small).iter_mut().enumerate() {
                *byte = at as u8;
            }
            let large = pages.grow(small, 100..200, second).unwrap();
            let expected: Vec<u8> = (100..200).collect();
            assert_eq!(pages.get(large).get(..100).unwrap(), expected);
            pages.give(large);
            assert_eq!(pages.used(), 0);
        }
    }

    #[test]
    fn growing_from_no_page_gives_an_empty_one() {
        let mut pages = Pages::new(1 << 20);
        let page = pages.grow(PageId::NONE, 0..0, 300).unwrap();
        assert_eq!(pages.get(page).len(), 512);
    }

    #[test]
    fn no_page_is_harmless() {
        let mut pages = Pages::new(0);
        pages.give(PageId::NONE);
        assert!(pages.get(PageId::NONE).is_empty());
        assert!(pages.get_mut(PageId::NONE).is_empty());
        assert!(pages.is_exhausted() && !pages.has_plenty());
    }

    #[test]
    fn giving_twice_counts_once() {
        let mut pages = Pages::new(1000);
        let (one, two) = (pages.take(600).unwrap(), pages.take(600).unwrap());
        pages.give(one);
        pages.give(one);
        assert_eq!(pages.used(), 1024);
        pages.give(two);
        assert_eq!(pages.used(), 0);
    }
}
