//! A table of values in mapped blocks of 16 KiB: an empty block goes back to the system, which a growing vector's memory
//! does not.
//!
//! The lowest free place is taken first, so that high blocks run empty. Block 0 stays; one other empty block is kept as
//! a spare until [`Slab::trim`], so that a table that hovers at a block's edge does not map and unmap at every step.

use alloc::vec::Vec;

use gorgon_sys::{Chunk, Errno};

/// A table of `T` by number.
pub struct Slab<T> {
    blocks: Vec<Block<T>>,
    /// No block below this one has a free place.
    hint: usize,
    length: usize,
    spares: usize,
}

struct Block<T> {
    values: Option<Chunk<Option<T>>>,
    /// One bit for each place that is free.
    free: [u64; 4],
    used: u16,
}

impl<T> Slab<T> {
    /// Places in one block: a power of two, so that a number splits by shift and mask.
    pub const PER_BLOCK: usize = {
        let fit = Chunk::<Option<T>>::CAPACITY;
        let fit = if fit > 256 { 256 } else { fit };
        1 << (usize::BITS - 1 - fit.leading_zeros())
    };

    /// An empty table, with nothing mapped.
    pub const fn new() -> Slab<T> {
        Slab { blocks: Vec::new(), hint: 0, length: 0, spares: 0 }
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Every number below this one may be in use.
    pub fn end(&self) -> u32 {
        (self.blocks.len() * Self::PER_BLOCK) as u32
    }

    /// The lowest number in use from this one on.
    pub fn next(&self, from: u32) -> Option<u32> {
        let (first, mut place) = split(from, Self::PER_BLOCK);
        for (index, block) in self.blocks.iter().enumerate().skip(first) {
            let all = free_places(Self::PER_BLOCK);
            for (at, (all, free)) in all.iter().zip(&block.free).enumerate().skip(place / 64) {
                let used = (all & !free) >> (place % 64) << (place % 64);
                if block.used > 0 && used != 0 {
                    let place = at * 64 + used.trailing_zeros() as usize;
                    return Some((index * Self::PER_BLOCK + place) as u32);
                }
                place = 0;
            }
            place = 0;
        }
        None
    }

    /// Puts a value in the lowest free place. Gives it back with the system's error when no block could be mapped.
    pub fn insert(&mut self, value: T) -> Result<u32, (T, Errno)> {
        let block_index = self.block_with_room();
        if block_index == self.blocks.len() {
            self.blocks.push(Block { values: None, free: free_places(Self::PER_BLOCK), used: 0 });
        }
        self.hint = block_index;
        let Some(block) = self.blocks.get_mut(block_index) else { return Err((value, Errno::NOMEM)) };
        if block.used == 0 && block_index > 0 && block.values.is_some() {
            self.spares -= 1;
        }
        let values = match &mut block.values {
            Some(values) => values,
            None => match Chunk::new() {
                Ok(chunk) => block.values.insert(chunk),
                Err(error) => return Err((value, error)),
            },
        };
        let Some((word_index, word)) = block.free.iter_mut().enumerate().find(|(_, word)| **word != 0) else {
            return Err((value, Errno::NOMEM));
        };
        let place = word_index * 64 + word.trailing_zeros() as usize;
        if place < values.len() {
            if let Some(slot) = values.get_mut(place) {
                *slot = Some(value);
            }
        } else if values.push(Some(value)).is_err() {
            // Cannot be: places are taken in order, so the first unreached one is the chunk's end.
            return Ok(u32::MAX);
        }
        *word &= *word - 1;
        block.used += 1;
        self.length += 1;
        Ok((block_index * Self::PER_BLOCK + place) as u32)
    }

    /// Takes a value out.
    pub fn remove(&mut self, index: u32) -> Option<T> {
        let (block_index, place) = split(index, Self::PER_BLOCK);
        let block = self.blocks.get_mut(block_index)?;
        let value = block.values.as_mut()?.get_mut(place)?.take()?;
        if let Some(word) = block.free.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
        block.used -= 1;
        self.length -= 1;
        self.hint = self.hint.min(block_index);
        if block.used == 0 && block_index > 0 {
            if self.spares > 0 {
                *block = Block { values: None, free: free_places(Self::PER_BLOCK), used: 0 };
            } else {
                self.spares += 1;
            }
            self.shorten();
        }
        Some(value)
    }

    /// The value with this number.
    pub fn get(&self, index: u32) -> Option<&T> {
        let (block, place) = split(index, Self::PER_BLOCK);
        self.blocks.get(block)?.values.as_ref()?.get(place)?.as_ref()
    }

    /// The value with this number, to change.
    pub fn get_mut(&mut self, index: u32) -> Option<&mut T> {
        let (block, place) = split(index, Self::PER_BLOCK);
        self.blocks.get_mut(block)?.values.as_mut()?.get_mut(place)?.as_mut()
    }

    /// Whether an empty block is kept that [`Slab::trim`] would give back.
    pub fn has_spare(&self) -> bool {
        self.spares > 0
    }

    /// Gives every empty block but the first back to the system.
    pub fn trim(&mut self) {
        for block in self.blocks.iter_mut().skip(1).filter(|block| block.used == 0) {
            block.values = None;
            block.free = free_places(Self::PER_BLOCK);
        }
        self.spares = 0;
        self.shorten();
    }

    /// Bytes mapped.
    pub fn mapped(&self) -> usize {
        self.blocks.iter().filter(|block| block.values.is_some()).count() * 16384
    }

    fn block_with_room(&self) -> usize {
        let full =
            self.blocks.iter().skip(self.hint).take_while(|b| usize::from(b.used) == Self::PER_BLOCK).count();
        self.hint + full
    }

    fn shorten(&mut self) {
        while self.blocks.last().is_some_and(|block| block.used == 0 && block.values.is_none()) {
            self.blocks.pop();
        }
        if self.blocks.len() * 4 < self.blocks.capacity() {
            self.blocks.shrink_to_fit();
        }
        self.hint = self.hint.min(self.blocks.len());
    }
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab::new()
    }
}

fn split(index: u32, per_block: usize) -> (usize, usize) {
    (index as usize / per_block, index as usize % per_block)
}

/// A bit for each of the first `count` places.
fn free_places(count: usize) -> [u64; 4] {
    let mut words = [0; 4];
    for (index, word) in words.iter_mut().enumerate() {
        *word = match count.saturating_sub(index * 64) {
            0 => 0,
            left if left >= 64 => u64::MAX,
            left => (1 << left) - 1,
        };
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_sized_value_fills_its_block() {
        assert_eq!(Slab::<[u64; 7]>::PER_BLOCK, 256);
        assert_eq!(Slab::<[u64; 64]>::PER_BLOCK, 16);
    }

    #[test]
    fn numbers_are_reused_lowest_first() {
        let mut slab = Slab::new();
        for value in 0..1000u32 {
            assert_eq!(slab.insert(value).ok(), Some(value));
        }
        for gone in [700, 3, 255, 256] {
            assert_eq!(slab.remove(gone), Some(gone));
            assert_eq!(slab.remove(gone), None);
            assert!(slab.get(gone).is_none());
        }
        for expected in [3, 255, 256, 700, 1000] {
            assert_eq!(slab.insert(expected).ok(), Some(expected));
            assert_eq!(slab.get(expected), Some(&expected));
        }
        assert_eq!(slab.len(), 1001);
    }

    #[test]
    fn those_in_use_are_found_in_order() {
        let mut slab = Slab::new();
        assert_eq!(slab.next(0), None);
        for value in 0..1000u32 {
            assert!(slab.insert(value).is_ok());
        }
        let stay = [0, 63, 64, 255, 700, 999];
        (0..1000).filter(|index| !stay.contains(index)).for_each(|index| _ = slab.remove(index));
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(index) = slab.next(at) {
            found.push(index);
            at = index + 1;
        }
        assert_eq!(found, stay);
        assert_eq!(slab.next(u32::MAX), None);
        assert_eq!(Slab::<[u64; 64]>::new().next(5), None);
        let mut large = Slab::new();
        for value in 0..40u8 {
            assert!(large.insert([u64::from(value); 64]).is_ok());
        }
        large.remove(20);
        assert_eq!((large.next(15), large.next(20), large.next(40)), (Some(15), Some(21), None));
    }

    #[test]
    fn empty_blocks_are_given_back() {
        let mut slab = Slab::new();
        for value in 0..10_000u64 {
            assert!(slab.insert(value).is_ok());
        }
        let full = slab.mapped();
        assert!(full >= 39 * 16384);
        for index in 0..10_000 {
            assert!(slab.remove(index).is_some());
        }
        assert!(slab.mapped() <= 2 * 16384, "the first block and one spare stay");
        slab.trim();
        assert_eq!(slab.mapped(), 16384);
        assert!(slab.is_empty() && !slab.has_spare());
        assert_eq!(slab.insert(7).ok(), Some(0));
    }

    #[test]
    fn a_block_in_the_middle_comes_back() {
        let mut slab = Slab::new();
        for value in 0..1024u32 {
            assert!(slab.insert(value).is_ok());
        }
        for index in 256..768 {
            slab.remove(index);
        }
        slab.trim();
        assert_eq!(slab.get(800), Some(&800));
        for expected in 256..768 {
            assert_eq!(slab.insert(expected).ok(), Some(expected));
        }
        assert_eq!(slab.insert(0).ok(), Some(1024));
    }

    #[test]
    fn values_are_dropped_with_the_table() {
        let counted = alloc::sync::Arc::new(());
        let mut slab = Slab::new();
        for _ in 0..300 {
            assert!(slab.insert(counted.clone()).is_ok());
        }
        slab.remove(5);
        assert_eq!(alloc::sync::Arc::strong_count(&counted), 300);
        drop(slab);
        assert_eq!(alloc::sync::Arc::strong_count(&counted), 1);
    }
}
