//! Lists a directory a slice at a time, so that a huge one does not hold up everything else.

use core::mem::MaybeUninit;
#[cfg(target_os = "linux")]
use rustix::fd::AsFd;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::AtFlags;
use rustix::io::Errno;

use crate::stat::{FileKind, FileStat};

/// What is told of each entry: its name, its kind where the filesystem tells it, its inode.
pub type Entry<'a> = dyn FnMut(&[u8], Option<FileKind>, u64) + 'a;

/// An open directory being listed.
pub struct Directory {
    #[cfg(target_os = "linux")]
    fd: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    stream: rustix::fs::Dir,
}

/// Entries of one slice, where the system does not slice by the caller's buffer.
#[cfg(not(target_os = "linux"))]
const SLICE: usize = 128;

impl Directory {
    /// Lists the directory that `fd` was opened to list (not with `O_PATH`).
    #[cfg(target_os = "linux")]
    pub fn new(fd: OwnedFd) -> Result<Directory, Errno> {
        Ok(Directory { fd })
    }

    /// Lists the directory that `fd` was opened to list.
    #[cfg(not(target_os = "linux"))]
    pub fn new(fd: OwnedFd) -> Result<Directory, Errno> {
        Ok(Directory { stream: rustix::fs::Dir::new(fd)? })
    }

    /// Tells `each` the next entries, in no order and without `.` and `..`; returns whether to call again. A slice
    /// may tell none.
    ///
    /// `buffer` holds one slice; 32 KiB make about a thousand entries. Entries added or removed between slices may
    /// or may not be told.
    ///
    /// # Errors
    /// `EINVAL` when `buffer` cannot hold the next entry (300 bytes always can); else what the system gives.
    #[cfg(target_os = "linux")]
    pub fn next_slice(
        &mut self,
        buffer: &mut [MaybeUninit<u8>],
        each: &mut Entry<'_>,
    ) -> Result<bool, Errno> {
        let mut slice = rustix::fs::RawDir::new(&self.fd, buffer);
        loop {
            match slice.next() {
                None => return Ok(false),
                // The directory itself has been removed.
                Some(Err(Errno::NOENT)) => return Ok(false),
                Some(Err(errno)) => return Err(errno),
                Some(Ok(entry)) => {
                    tell(entry.file_name().to_bytes(), entry.file_type(), entry.ino(), each);
                }
            }
            if slice.is_buffer_empty() {
                return Ok(true);
            }
        }
    }

    /// Tells `each` the next entries, in no order and without `.` and `..`; returns whether to call again. A slice
    /// may tell none.
    ///
    /// The buffer is the system library's own here; entries added or removed between slices may or may not be told.
    #[cfg(not(target_os = "linux"))]
    pub fn next_slice(&mut self, _: &mut [MaybeUninit<u8>], each: &mut Entry<'_>) -> Result<bool, Errno> {
        for _ in 0..SLICE {
            match self.stream.read() {
                None => return Ok(false),
                Some(entry) => {
                    let entry = entry?;
                    tell(entry.file_name().to_bytes(), entry.file_type(), entry.ino(), each);
                }
            }
        }
        Ok(true)
    }

    /// Starts again from the first entry.
    #[cfg(target_os = "linux")]
    pub fn rewind(&mut self) -> Result<(), Errno> {
        rustix::fs::seek(&self.fd, rustix::fs::SeekFrom::Start(0)).map(|_| ())
    }

    /// Starts again from the first entry.
    #[cfg(not(target_os = "linux"))]
    pub fn rewind(&mut self) -> Result<(), Errno> {
        self.stream.rewind();
        Ok(())
    }

    /// The attributes of one entry; of a link, its own. A name with a slash or a NUL, `.`, `..` and the empty name are
    /// `EINVAL`.
    pub fn stat(&self, name: &[u8]) -> Result<FileStat, Errno> {
        if name.is_empty() || name == b"." || name == b".." || name.contains(&b'/') {
            return Err(Errno::INVAL);
        }
        rustix::fs::statat(self.fd()?, name, AtFlags::SYMLINK_NOFOLLOW).map(|raw| FileStat::of(&raw))
    }

    /// The directory itself.
    #[cfg(target_os = "linux")]
    pub fn fd(&self) -> Result<BorrowedFd<'_>, Errno> {
        Ok(self.fd.as_fd())
    }

    /// The directory itself.
    #[cfg(not(target_os = "linux"))]
    pub fn fd(&self) -> Result<BorrowedFd<'_>, Errno> {
        self.stream.fd()
    }
}

fn tell(name: &[u8], kind: rustix::fs::FileType, inode: u64, each: &mut Entry<'_>) {
    if name != b"." && name != b".." {
        each(name, FileKind::of(kind), inode);
    }
}
