//! Open files with reference counts, so that a file being sent outlives its handler or cache entry.

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
    open: usize,
    closed: bool,
}

struct File {
    fd: OwnedFd,
    holders: u32,
    /// So many bytes from the start were seen in the page cache, at that tick.
    warm: u64,
    warm_at: Tick,
}

impl Files {
    /// Takes an open file in; the caller holds its first reference.
    pub fn insert(&mut self, fd: OwnedFd) -> FileId {
        let file = Some(File { fd, holders: 1, warm: 0, warm_at: 0 });
        self.open += 1;
        if let Some(index) = self.list.iter().position(Option::is_none) {
            if let Some(slot) = self.list.get_mut(index) {
                *slot = file;
            }
            return FileId(index as u32);
        }
        self.list.push(file);
        FileId((self.list.len() - 1) as u32)
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
        std::mem::take(&mut self.closed)
    }

    /// Whether the file's first `end` bytes were seen in the page cache within the last second.
    pub(super) fn is_warm(&self, id: FileId, end: u64, now: Tick) -> bool {
        let file = self.list.get(id.0 as usize).and_then(Option::as_ref);
        file.is_some_and(|file| end <= file.warm && now.wrapping_sub(file.warm_at) < 4)
    }

    /// Notes that the file's first `end` bytes are in the page cache.
    pub(super) fn set_warm(&mut self, id: FileId, end: u64, now: Tick) {
        if let Some(Some(file)) = self.list.get_mut(id.0 as usize) {
            file.warm = end;
            file.warm_at = now;
        }
    }
}
