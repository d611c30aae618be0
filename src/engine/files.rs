//! Open files with reference counts, so that a file being sent outlives its handler or cache entry.

use alloc::vec::Vec;

use gorgon_sys::{AsFd, BorrowedFd, OwnedFd};

use super::values::Tick;

/// Names an open file in [`Files`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct FileId(u32);

/// A piece of an open file. Whoever holds a range holds one reference to its file.
#[cfg_attr(test, derive(Debug))]
pub struct FileRange {
    /// The file.
    pub file: FileId,
    /// The first byte still to be sent.
    pub at: u64,
    /// How many bytes are still to be sent.
    pub left: u64,
}

/// The table of open files.
#[derive(Default)]
pub struct Files {
    list: Vec<Option<File>>,
    /// No place below this one is free.
    hint: usize,
    open: usize,
    closed: bool,
}

struct File {
    fd: OwnedFd,
    holders: u32,
    /// The bytes between these places were seen in the page cache, at that tick.
    warm: (u64, u64),
    warm_at: Tick,
}

impl Files {
    /// Takes an open file in; the caller holds its first reference.
    pub fn insert(&mut self, fd: OwnedFd) -> FileId {
        let file = Some(File { fd, holders: 1, warm: (0, 0), warm_at: 0 });
        self.open += 1;
        let taken = self.list.iter().skip(self.hint).take_while(|slot| slot.is_some()).count();
        let index = self.hint + taken;
        self.hint = index + 1;
        match self.list.get_mut(index) {
            Some(slot) => *slot = file,
            None => self.list.push(file),
        }
        FileId(index as u32)
    }

    /// Adds a holder.
    pub fn hold(&mut self, id: FileId) {
        if let Some(Some(file)) = self.list.get_mut(id.0 as usize) {
            file.holders += 1;
        }
    }

    /// Ends one holder's claim; the last one closes the file.
    pub fn release(&mut self, id: FileId) {
        let Some(slot) = self.list.get_mut(id.0 as usize) else { return };
        let Some(file) = slot else { return };
        file.holders -= 1;
        if file.holders == 0 {
            *slot = None;
            self.open -= 1;
            self.closed = true;
            self.hint = self.hint.min(id.0 as usize);
            while let Some(None) = self.list.last() {
                self.list.pop();
            }
        }
    }

    /// The descriptor of an open file.
    pub fn get(&self, id: FileId) -> Option<BorrowedFd<'_>> {
        self.list.get(id.0 as usize)?.as_ref().map(|file| file.fd.as_fd())
    }

    /// How many files are open.
    pub fn open(&self) -> usize {
        self.open
    }

    /// Whether a descriptor was given back since this was last asked.
    pub(super) fn take_closed(&mut self) -> bool {
        core::mem::take(&mut self.closed)
    }

    /// Whether the bytes of a piece were all seen in the page cache within the last second.
    pub(super) fn is_warm(&self, id: FileId, (at, end): (u64, u64), now: Tick) -> bool {
        let file = self.list.get(id.0 as usize).and_then(Option::as_ref);
        file.is_some_and(|file| file.warm.0 <= at && end <= file.warm.1 && now.wrapping_sub(file.warm_at) < 4)
    }

    /// Notes that a piece is in the page cache. It joins what was noted within the last second, if it touches it.
    pub(super) fn set_warm(&mut self, id: FileId, (at, end): (u64, u64), now: Tick) {
        if let Some(Some(file)) = self.list.get_mut(id.0 as usize) {
            let joins = at <= file.warm.1 && file.warm.0 <= end && now.wrapping_sub(file.warm_at) < 4;
            file.warm = if joins { (at.min(file.warm.0), end.max(file.warm.1)) } else { (at, end) };
            if !joins {
                file.warm_at = now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> OwnedFd {
        gorgon_sys::pair().unwrap().0
    }

    #[test]
    fn the_last_holder_closes_and_numbers_are_reused() {
        let mut files = Files::default();
        let ids: Vec<FileId> = (0..5).map(|_| files.insert(open())).collect();
        files.hold(ids[1]);
        files.release(ids[1]);
        assert!(files.get(ids[1]).is_some() && !files.take_closed());
        files.release(ids[1]);
        files.release(ids[1]);
        files.release(ids[3]);
        assert!(files.get(ids[1]).is_none() && files.take_closed() && files.open() == 3);
        assert_eq!(
            [files.insert(open()), files.insert(open()), files.insert(open())],
            [ids[1], ids[3], FileId(5)]
        );
    }

    #[test]
    fn only_what_was_seen_is_warm() {
        let mut files = Files::default();
        let id = files.insert(open());
        files.set_warm(id, (100, 200), 10);
        assert!(files.is_warm(id, (150, 200), 13));
        assert!(!files.is_warm(id, (0, 150), 13) && !files.is_warm(id, (150, 201), 13));
        files.set_warm(id, (200, 300), 11);
        assert!(files.is_warm(id, (100, 300), 13));
        assert!(!files.is_warm(id, (100, 300), 14), "a second after the first part was seen");
        files.set_warm(id, (1000, 1100), 12);
        assert!(!files.is_warm(id, (100, 200), 13) && files.is_warm(id, (1000, 1100), 13));
    }
}
