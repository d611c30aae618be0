//! Acts on the names in one open directory, for files that get their name only when they are complete.
//!
//! The directory is opened once, beneath a root, and stays the one it was; a name is one segment, and a link that has
//! it is never followed. Descriptors of [`directory_beneath`] may be good for nothing else than to look up names.

use core::ffi::CStr;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::beneath::{Lookup, Opening, Symlinks, accept, open_with};
use crate::stat::FileStat;

/// Opens a directory to act on names in it: without leave to list it, where the system can.
///
/// # Errors
/// As for [`crate::open_beneath`].
pub fn directory_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<OwnedFd, Errno> {
    open_with(lookup, root, accept(path, symlinks)?, &Opening::directory(), symlinks)
}

/// Makes a file of a name that is not there yet, and opens it for writing; anybody may do with it what the umask lets.
///
/// # Errors
/// `EEXIST` whatever has the name, even a link that leads nowhere.
pub fn create_in(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(0o666);
    rustix::io::retry_on_intr(|| rustix::fs::openat(directory, single(name)?, flags, mode))
}

/// Holds the file that has the name, so that it outlives the name; for nothing else, where the system can.
///
/// # Errors
/// `ENOENT`, ..
pub fn hold_in(directory: BorrowedFd<'_>, name: &CStr) -> Result<OwnedFd, Errno> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let how = OFlags::PATH;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let how = OFlags::RDONLY | OFlags::NONBLOCK;
    let flags = how | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::io::retry_on_intr(|| rustix::fs::openat(directory, single(name)?, flags, Mode::empty()))
}

/// The attributes of what has the name; of a link, its own.
///
/// # Errors
/// `ENOENT`, ..
pub fn stat_in(directory: BorrowedFd<'_>, name: &CStr) -> Result<FileStat, Errno> {
    rustix::fs::statat(directory, single(name)?, AtFlags::SYMLINK_NOFOLLOW).map(|raw| FileStat::of(&raw))
}

/// Gives a file another name, in place of what has it.
///
/// # Errors
/// `EISDIR` when that is a directory.
pub fn rename_in(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> Result<(), Errno> {
    rustix::fs::renameat(directory, single(from)?, directory, single(to)?)
}

/// Gives a file another name, unless something has it. At no moment do two callers both succeed.
///
/// # Errors
/// `EEXIST` when something has it; another when neither the system nor the filesystem can do this.
pub fn rename_new_in(directory: BorrowedFd<'_>, from: &CStr, to: &CStr) -> Result<(), Errno> {
    let (from, to) = (single(from)?, single(to)?);
    #[cfg(any(target_os = "linux", target_os = "android"))]
    match rustix::fs::renameat_with(directory, from, directory, to, rustix::fs::RenameFlags::NOREPLACE) {
        // The kernel, a sandbox or the filesystem does not know how: a second name, then the first away.
        Err(Errno::NOSYS | Errno::INVAL | Errno::PERM | Errno::OPNOTSUPP) => {}
        settled => return settled,
    }
    rustix::fs::linkat(directory, from, directory, to, AtFlags::empty())?;
    // It has its name, and that is what was asked for: one name too many is no reason to say otherwise.
    let _spare = rustix::fs::unlinkat(directory, from, AtFlags::empty());
    Ok(())
}

/// Removes a name that is not a directory's.
///
/// # Errors
/// `ENOENT`, ..
pub fn unlink_in(directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    rustix::fs::unlinkat(directory, single(name)?, AtFlags::empty())
}

/// A name of one segment, so that it cannot lead elsewhere.
fn single(name: &CStr) -> Result<&CStr, Errno> {
    let bytes = name.to_bytes();
    if matches!(bytes, b"" | b"." | b"..") || bytes.contains(&b'/') {
        return Err(Errno::INVAL);
    }
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;

    #[test]
    fn a_name_is_one_segment() {
        let root = crate::open_root(std::env::temp_dir()).unwrap();
        for name in [c"", c".", c"..", c"/x", c"a/b", c"../x", c"x/"] {
            assert_eq!(create_in(root.as_fd(), name).err(), Some(Errno::INVAL));
            assert_eq!(stat_in(root.as_fd(), name).err(), Some(Errno::INVAL));
            assert_eq!(unlink_in(root.as_fd(), name), Err(Errno::INVAL));
            assert_eq!(rename_in(root.as_fd(), c"x", name), Err(Errno::INVAL));
            assert_eq!(rename_in(root.as_fd(), name, c"x"), Err(Errno::INVAL));
            assert_eq!(rename_new_in(root.as_fd(), c"x", name), Err(Errno::INVAL));
            assert_eq!(rename_new_in(root.as_fd(), name, c"x"), Err(Errno::INVAL));
        }
    }
}
