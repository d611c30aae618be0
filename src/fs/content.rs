//! The bytes of an open file, for those who hold it and know no system call.

use alloc::vec::Vec;

use gorgon_sys::{AsFd, BorrowedFd, Io, OwnedFd, read_ahead, read_at, read_at_cached};

use super::FileStat;
use super::filesystem::FsError;

/// What an open file is now.
///
/// # Errors
/// The system's.
pub fn stat(file: BorrowedFd<'_>) -> Result<FileStat, FsError> {
    Ok(gorgon_sys::stat(file)?)
}

/// Appends a file's first `size` bytes, if all of them are at hand. What a disk would have to be waited for is not, and
/// a file that ends before is not what it was said to be: then `out` holds some of it, and the answer is no.
pub fn read_whole(file: &OwnedFd, size: u64, out: &mut Vec<u8>) -> bool {
    let Ok(length) = usize::try_from(size) else { return false };
    let start = out.len();
    out.resize(start + length, 0);
    let mut done = 0;
    while let Some(room) = out.get_mut(start + done..).filter(|room| !room.is_empty()) {
        let outcome = match read_at_cached(file.as_fd(), room, done as u64) {
            // Not every system and filesystem can tell what its cache holds.
            Io::Failed(_) => read_at(file.as_fd(), room, done as u64),
            outcome => outcome,
        };
        match outcome {
            Io::Done(count) if count > 0 => done += count,
            Io::Done(_) | Io::Blocked | Io::Ended | Io::Failed(_) => return false,
        }
    }
    true
}

/// Reads from a place of a file, at least one byte unless `out` is empty. What a disk would have to be waited for is
/// asked of it, and waited for only if `waits`: else 0 says that it is to be tried again later. `None`: the file has
/// nothing there, or cannot be read.
pub fn read_some(file: BorrowedFd<'_>, at: u64, out: &mut [u8], waits: bool) -> Option<usize> {
    let outcome = match read_at_cached(file, out, at) {
        Io::Blocked => {
            read_ahead(file, at, out.len() as u64);
            if !waits {
                return Some(0);
            }
            read_at(file, out, at)
        }
        Io::Failed(_) => read_at(file, out, at),
        outcome => outcome,
    };
    match outcome {
        Io::Done(count) if count > 0 => Some(count),
        Io::Done(_) | Io::Blocked | Io::Ended | Io::Failed(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_whole_or_not_at_all() {
        let file = gorgon_sys::temporary_file().unwrap();
        assert_eq!(gorgon_sys::write(file.as_fd(), b"0123456789"), Io::Done(10));
        let mut out = b"before ".to_vec();
        assert!(read_whole(&file, 10, &mut out));
        assert_eq!(out, b"before 0123456789");
        assert!(read_whole(&file, 0, &mut out));
        assert!(!read_whole(&file, 11, &mut out));
        assert_eq!(stat(file.as_fd()).map(|stat| stat.size), Ok(10));
        let mut piece = [0; 4];
        assert_eq!((read_some(file.as_fd(), 3, &mut piece, true), &piece), (Some(4), b"3456"));
        assert_eq!((read_some(file.as_fd(), 8, &mut piece, true), &piece[..2]), (Some(2), &b"89"[..]));
        assert_eq!(read_some(file.as_fd(), 10, &mut piece, true), None);
    }
}
