//! Acts on names beneath a directory: describes, makes, renames and removes them.
//!
//! Each resolves the directory that holds the name beneath the root, then acts on the name there without
//! following it, so a link is described, renamed or removed itself. Paths and their errors are those of
//! [`crate::open_beneath`].

use alloc::ffi::CString;
use alloc::vec::Vec;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::Errno;

use crate::beneath::{Lookup, OpenHow, Opening, Symlinks, accept, open_with, permissions};
use crate::file::terminated;
use crate::stat::{FileKind, FileStat, stat};
use crate::walk::{Found, Goal, walk};

/// The attributes of what `path` leads to; links, the last too, as `symlinks` says. Needs no permission on the
/// file itself.
pub fn stat_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<FileStat, Errno> {
    let path = accept(path, symlinks)?;
    if lookup == Lookup::Openat2 && cfg!(target_os = "linux") {
        let fd = open_with(lookup, root, path, &Opening::of(OpenHow::Path), symlinks)?;
        return stat(fd.as_fd());
    }
    match walk(root, path, &Goal::Stat, symlinks)? {
        Found::Described(found) => Ok(found),
        Found::Opened(fd) => stat(fd.as_fd()),
    }
}

/// The attributes of the name itself: a link at the end is described, not followed, unless a slash follows it.
pub fn stat_link_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<FileStat, Errno> {
    let place = Place::of(path, symlinks)?;
    if place.slashed || place.dots() {
        return stat_beneath(lookup, root, path, symlinks);
    }
    place.lstat(place.directory(lookup, root)?.as_fd())
}

/// Where the link `path` leads, as it is written in it. What is no link is `EINVAL`.
pub fn read_link_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<Vec<u8>, Errno> {
    let place = Place::of(path, symlinks)?;
    if place.slashed || place.dots() {
        // A directory, then, or an error that tells more.
        return stat_beneath(lookup, root, path, symlinks).and(Err(Errno::INVAL));
    }
    let directory = place.directory(lookup, root)?;
    rustix::fs::readlinkat(directory.as_fd(), &*terminated(place.name)?, Vec::new()).map(CString::into_bytes)
}

/// Renames `from` to `to`, both beneath `root`, in place of any file or empty directory there. Between filesystems
/// it is `EXDEV`.
pub fn rename_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    from: &[u8],
    to: &[u8],
    symlinks: Symlinks,
) -> Result<(), Errno> {
    let (from, to) = (Place::of(from, symlinks)?, Place::of(to, symlinks)?);
    let (source, target) = (from.directory(lookup, root)?, to.directory(lookup, root)?);
    // Either slash says that a directory is meant.
    if (from.slashed || to.slashed) && from.lstat(source.as_fd())?.kind != FileKind::Directory {
        return Err(Errno::NOTDIR);
    }
    rustix::fs::renameat(source.as_fd(), &*terminated(from.name)?, target.as_fd(), &*terminated(to.name)?)
}

/// Removes a name that is not a directory. A directory is `EISDIR`, or `EPERM` on other systems than Linux.
pub fn unlink_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<(), Errno> {
    let place = Place::of(path, symlinks)?;
    let directory = place.directory(lookup, root)?;
    if place.slashed && place.lstat(directory.as_fd())?.kind != FileKind::Directory {
        return Err(Errno::NOTDIR);
    }
    rustix::fs::unlinkat(directory.as_fd(), &*terminated(place.name)?, AtFlags::empty())
}

/// Makes a directory with the permission bits `mode`, less the umask.
pub fn mkdir_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    mode: u32,
    symlinks: Symlinks,
) -> Result<(), Errno> {
    let place = Place::of(path, symlinks)?;
    let directory = place.directory(lookup, root)?;
    rustix::fs::mkdirat(directory.as_fd(), &*terminated(place.name)?, permissions(mode))
}

/// Removes an empty directory.
pub fn rmdir_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<(), Errno> {
    let place = Place::of(path, symlinks)?;
    let directory = place.directory(lookup, root)?;
    rustix::fs::unlinkat(directory.as_fd(), &*terminated(place.name)?, AtFlags::REMOVEDIR)
}

/// Sets the permission bits of what `path` leads to. A link at the end is followed or refused as `symlinks` says.
pub fn chmod_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    mode: u32,
    symlinks: Symlinks,
) -> Result<(), Errno> {
    let mode = permissions(mode);
    match open_to_change(lookup, root, path, symlinks)? {
        Change::Opened(fd) => rustix::fs::fchmod(&fd, mode),
        #[cfg(target_os = "linux")]
        Change::Named(fd) => rustix::fs::chmod(&*terminated(&proc_path(&fd))?, mode).map_err(no_proc),
        #[cfg(not(target_os = "linux"))]
        Change::Named(directory, name) => {
            rustix::fs::chmodat(&directory, name.as_slice(), mode, AtFlags::SYMLINK_NOFOLLOW)
        }
    }
}

/// Sets when the content of what `path` leads to was last modified: seconds since 1970-01-01 UTC and nanoseconds,
/// below 1,000,000,000. Its time of access stays. Links as for [`chmod_beneath`].
pub fn set_times_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    seconds: i64,
    nanoseconds: u32,
    symlinks: Symlinks,
) -> Result<(), Errno> {
    if nanoseconds >= 1_000_000_000 {
        return Err(Errno::INVAL);
    }
    let times = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: seconds, tv_nsec: nanoseconds as _ },
    };
    match open_to_change(lookup, root, path, symlinks)? {
        Change::Opened(fd) => rustix::fs::futimens(&fd, &times),
        #[cfg(target_os = "linux")]
        Change::Named(fd) => {
            let path = terminated(&proc_path(&fd))?;
            rustix::fs::utimensat(rustix::fs::CWD, &*path, &times, AtFlags::empty()).map_err(no_proc)
        }
        #[cfg(not(target_os = "linux"))]
        Change::Named(directory, name) => {
            rustix::fs::utimensat(&directory, name.as_slice(), &times, AtFlags::SYMLINK_NOFOLLOW)
        }
    }
}

/// A file whose attributes are to be changed.
enum Change {
    Opened(OwnedFd),
    /// It may not be read: all there is is a descriptor that names it.
    #[cfg(target_os = "linux")]
    Named(OwnedFd),
    /// It may not be read: there is its directory, and its name in there.
    #[cfg(not(target_os = "linux"))]
    Named(OwnedFd, Vec<u8>),
}

fn open_to_change(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    symlinks: Symlinks,
) -> Result<Change, Errno> {
    let accepted = accept(path, symlinks)?;
    let refusal = match open_with(lookup, root, accepted, &Opening::of(OpenHow::Read), symlinks) {
        Ok(fd) => return Ok(Change::Opened(fd)),
        // No leave to read, or a socket or such. Its owner may change it nevertheless.
        Err(errno @ (Errno::ACCESS | Errno::NXIO)) => errno,
        Err(errno) => return Err(errno),
    };
    #[cfg(target_os = "linux")]
    {
        open_with(lookup, root, accepted, &Opening::of(OpenHow::Path), symlinks)
            .map(Change::Named)
            .map_err(|_| refusal)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let place = Place::of(path, symlinks)?;
        let parent = if place.parent.is_empty() { b".".as_slice() } else { place.parent };
        let directory = open_with(lookup, root, parent, &Opening::directory(), symlinks)?;
        // Through a link, and at `..`, there is no acting on the name itself.
        if place.dots() || place.lstat(directory.as_fd())?.kind == FileKind::Symlink {
            return Err(refusal);
        }
        Ok(Change::Named(directory, place.name.to_vec()))
    }
}

/// The name under which the kernel lets a descriptor without access be changed (as its `fchmod` does not).
#[cfg(target_os = "linux")]
fn proc_path(fd: &OwnedFd) -> Vec<u8> {
    let mut path = b"/proc/self/fd/".to_vec();
    path.extend_from_slice(rustix::path::DecInt::from_fd(fd).as_bytes());
    path
}

/// Without `/proc`, what may not be opened may not be changed.
#[cfg(target_os = "linux")]
fn no_proc(errno: Errno) -> Errno {
    if errno == Errno::NOENT { Errno::ACCESS } else { errno }
}

/// A path in two: the directory that holds the name, and the name.
struct Place<'a> {
    /// Empty for the root itself.
    parent: &'a [u8],
    /// Never empty; may be `.` or `..`.
    name: &'a [u8],
    /// Slashes follow the name, so it must be a directory.
    slashed: bool,
    symlinks: Symlinks,
}

/// The directory of a [`Place`].
enum Holder<'a> {
    Root(BorrowedFd<'a>),
    Below(OwnedFd),
}

impl<'a> Place<'a> {
    fn of(path: &'a [u8], symlinks: Symlinks) -> Result<Place<'a>, Errno> {
        let path = accept(path, symlinks)?;
        // A path that passed begins with a name.
        let end = path.iter().rposition(|&byte| byte != b'/').map_or(0, |last| last.saturating_add(1));
        let (whole, slashes) = path.split_at_checked(end).ok_or(Errno::INVAL)?;
        let start = whole.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash.saturating_add(1));
        let (parent, name) = whole.split_at_checked(start).ok_or(Errno::INVAL)?;
        Ok(Place { parent, name, slashed: !slashes.is_empty(), symlinks })
    }

    /// Whether the name is one that is no entry of its own in the directory.
    fn dots(&self) -> bool {
        self.name == b"." || self.name == b".."
    }

    fn directory<'r>(&self, lookup: Lookup, root: BorrowedFd<'r>) -> Result<Holder<'r>, Errno> {
        if self.parent.is_empty() {
            return Ok(Holder::Root(root));
        }
        open_with(lookup, root, self.parent, &Opening::directory(), self.symlinks).map(Holder::Below)
    }

    fn lstat(&self, directory: BorrowedFd<'_>) -> Result<FileStat, Errno> {
        rustix::fs::statat(directory, self.name, AtFlags::SYMLINK_NOFOLLOW).map(|raw| FileStat::of(&raw))
    }
}

impl AsFd for Holder<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Holder::Root(fd) => *fd,
            Holder::Below(fd) => fd.as_fd(),
        }
    }
}
