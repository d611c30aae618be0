//! Memory that goes back to the system when it is dropped: mapped, not from the allocator, which keeps what it once had.

use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap_anonymous, munmap};

/// Bytes of their own mapping, zero at first. Pages that were never touched cost nothing.
pub struct Mapping {
    start: NonNull<u8>,
    length: usize,
}

impl Mapping {
    /// Maps so many bytes.
    ///
    /// # Errors
    /// `ENOMEM`; `EINVAL` for no bytes (mmap(2)).
    pub fn new(length: usize) -> Result<Mapping, Errno> {
        // SAFETY: an anonymous mapping at no fixed address touches no memory that is in use.
        let start = unsafe {
            mmap_anonymous(
                core::ptr::null_mut(),
                length,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )?
        };
        match NonNull::new(start.cast()) {
            Some(start) => Ok(Mapping { start, length }),
            None => Err(Errno::NOMEM),
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        // SAFETY: the mapping is ours, readable, `length` bytes long, initialised by the kernel, and lives as long as self.
        unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for Mapping {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `deref`, and writable; `&mut self` says that nobody else looks at it.
        unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours and no reference into it outlives self. It can fail only for a wrong address.
        let _unmapped = unsafe { munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// Up to [`Chunk::CAPACITY`] values in one mapping of 16 KiB.
pub struct Chunk<T> {
    memory: Mapping,
    length: usize,
    values: PhantomData<T>,
}

/// The size of a chunk's mapping, in bytes.
pub const CHUNK_SIZE: usize = 16 * 1024;

impl<T> Chunk<T> {
    /// How many values fit.
    pub const CAPACITY: usize = {
        // A mapping begins at a page, which is aligned enough for anything up to a page.
        assert!(align_of::<T>() <= 4096 && size_of::<T>() > 0 && size_of::<T>() <= CHUNK_SIZE);
        CHUNK_SIZE / size_of::<T>()
    };

    /// An empty chunk.
    ///
    /// # Errors
    /// `ENOMEM`.
    pub fn new() -> Result<Chunk<T>, Errno> {
        Ok(Chunk { memory: Mapping::new(CHUNK_SIZE)?, length: 0, values: PhantomData })
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends a value.
    ///
    /// # Errors
    /// The value, when the chunk is full.
    pub fn push(&mut self, value: T) -> Result<(), T> {
        if self.length >= Self::CAPACITY {
            return Err(value);
        }
        // SAFETY: the place is within the mapping (length < CAPACITY), aligned (see CAPACITY), and holds no value yet.
        unsafe { self.memory.start.as_ptr().cast::<T>().add(self.length).write(value) };
        self.length += 1;
        Ok(())
    }

    /// A value by its place.
    #[inline]
    pub fn get(&self, index: usize) -> Option<&T> {
        if index >= self.length {
            return None;
        }
        // SAFETY: the first `length` places hold values, written by `push`.
        Some(unsafe { &*self.memory.start.as_ptr().cast::<T>().add(index) })
    }

    /// A value by its place, to change.
    #[inline]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut T> {
        if index >= self.length {
            return None;
        }
        // SAFETY: as in `get`; `&mut self` says that nobody else looks at it.
        Some(unsafe { &mut *self.memory.start.as_ptr().cast::<T>().add(index) })
    }
}

impl<T> Drop for Chunk<T> {
    fn drop(&mut self) {
        let values = core::ptr::slice_from_raw_parts_mut(self.memory.start.as_ptr().cast::<T>(), self.length);
        // SAFETY: the first `length` places hold values; they are dropped once, before the mapping goes.
        unsafe { core::ptr::drop_in_place(values) };
    }
}

/// Gives the free memory of the C library's heap back to the system, where that library can.
pub fn trim_heap() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: a plain number; what is in use stays where it is.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::rc::Rc;

    #[test]
    fn a_mapping_is_zero_and_can_be_written() {
        let mut mapping = Mapping::new(5000).unwrap();
        assert!(mapping.len() == 5000 && mapping.iter().all(|byte| *byte == 0));
        mapping[4999] = 7;
        assert_eq!(mapping[4999], 7);
        assert!(Mapping::new(0).is_err());
    }

    #[test]
    fn a_chunk_holds_and_drops_its_values() {
        let counted = Rc::new(5);
        let mut chunk = Chunk::new().unwrap();
        while chunk.push(counted.clone()).is_ok() {}
        assert_eq!(chunk.len(), Chunk::<Rc<i32>>::CAPACITY);
        assert_eq!(chunk.len(), 2048);
        assert_eq!(Rc::strong_count(&counted), 2049, "the one that did not fit is gone");
        assert_eq!(chunk.get(2047).map(|value| **value), Some(5));
        assert!(chunk.get(2048).is_none() && chunk.get_mut(2048).is_none());
        *chunk.get_mut(0).unwrap() = Rc::new(6);
        assert_eq!(Rc::strong_count(&counted), 2048);
        drop(chunk);
        assert_eq!(Rc::strong_count(&counted), 1);
    }
}
