//! What a filesystem does for the protocols: one object for all of them, so what it refuses is refused everywhere.
//!
//! Names come as [`VPath`]s, which cannot lead above the root by their text; an implementation sees to it that links
//! cannot either. Files are opened as descriptors, which the loop can wait for and send from.

use alloc::boxed::Box;
use alloc::vec::Vec;

use gorgon_sys::{BorrowedFd, Errno, FileKind, FileStat, OwnedFd};

use super::draft::Draft;
use super::path::{VPath, VPathBuf};

/// What a path led to, opened for reading.
pub enum Opened {
    /// A regular file.
    File(OwnedFd, FileStat),
    /// A directory; [`Filesystem::list`] reads it.
    Directory(FileStat),
    /// A device, FIFO or socket: never served. What was opened to find that out is closed again.
    Other(FileStat),
}

/// A filesystem. Every method may fail with any [`FsError`] that says so by its name.
///
/// A path in directory form never names a file: where the file is there it is `NotDirectory`. Links are followed, as far
/// as the filesystem allows, except as told.
pub trait Filesystem {
    /// The directory of this system beneath which everything is opened, if it has one.
    fn directory(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Opens for reading.
    ///
    /// # Errors
    /// `NotFound`, `Denied`, `NotDirectory`, `Escapes`, `Loop`, `TooManyOpen`, ..
    fn open(&self, path: VPath<'_>) -> Result<Opened, FsError>;

    /// Opens what lies beside a file, under its name with `suffix` after it; the path of that is made in `buffer`. Where
    /// only one file can be asked for, what belongs to it can be opened by nothing else.
    ///
    /// # Errors
    /// As for [`Self::open`].
    fn open_beside(&self, path: VPath<'_>, suffix: &[u8], buffer: &mut VPathBuf) -> Result<Opened, FsError> {
        self.open(buffer.set_with_suffix(path, suffix).map_err(|_no_path| FsError::NotFound)?)
    }

    /// Tells about what the path leads to.
    ///
    /// # Errors
    /// As for [`Self::open`].
    fn stat(&self, path: VPath<'_>) -> Result<FileStat, FsError>;

    /// The text of a link.
    ///
    /// # Errors
    /// `Other(INVAL)` when it is no link.
    fn read_link(&self, path: VPath<'_>) -> Result<Vec<u8>, FsError>;

    /// Begins to list a directory.
    ///
    /// # Errors
    /// `NotDirectory`, and as for [`Self::open`].
    fn list(&self, path: VPath<'_>) -> Result<Box<dyn Listing>, FsError>;

    /// Opens a file for writing from its start: a new one with the permissions `mode`, or one that is there, emptied.
    ///
    /// # Errors
    /// `Exists` when it is there and `exclusive` was asked for; `IsDirectory` for a directory or a path in directory form.
    fn create(&self, path: VPath<'_>, mode: u32, exclusive: bool) -> Result<OwnedFd, FsError>;

    /// Opens a file for writing at its end; makes it, with the permissions `mode`, when it is not there.
    ///
    /// # Errors
    /// As for [`Self::create`].
    fn append(&self, path: VPath<'_>, mode: u32) -> Result<OwnedFd, FsError>;

    /// Places a file that is to be written: `path`, as it is called beneath the directory `area`, out of which neither a
    /// link nor the directory's own renaming leads. Nothing is made yet.
    ///
    /// # Errors
    /// `NotFound` and `NotDirectory` when the directory it is to lie in is not there; `IsDirectory` for a path in
    /// directory form; `ReadOnly` where nothing can be made.
    fn draft(&self, area: VPath<'_>, path: VPath<'_>) -> Result<Box<dyn Draft>, FsError>;

    /// Renames, in place of what has the new name. A last link is renamed itself.
    ///
    /// # Errors
    /// `IsDirectory`, `NotDirectory`, `NotEmpty` when the two do not fit; `Busy` for the root; `Other(INVAL)` for a
    /// directory into itself; `Other(XDEV)` between two mounted file systems.
    fn rename(&self, from: VPath<'_>, to: VPath<'_>) -> Result<(), FsError>;

    /// Removes a file, or a link itself.
    ///
    /// # Errors
    /// `IsDirectory` when it is a directory.
    fn remove(&self, path: VPath<'_>) -> Result<(), FsError>;

    /// Makes a directory with the permissions `mode`.
    ///
    /// # Errors
    /// `Exists`.
    fn make_dir(&self, path: VPath<'_>, mode: u32) -> Result<(), FsError>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `NotDirectory`, `NotEmpty`; `Busy` for the root.
    fn remove_dir(&self, path: VPath<'_>) -> Result<(), FsError>;

    /// Sets the time of the last modification, in seconds since 1970 and nanoseconds.
    ///
    /// # Errors
    /// As for [`Self::open`]; `Other(INVAL)` when there are a billion nanoseconds or more.
    fn set_times(&self, path: VPath<'_>, seconds: i64, nanoseconds: u32) -> Result<(), FsError>;

    /// Sets the permissions.
    ///
    /// # Errors
    /// As for [`Self::open`].
    fn chmod(&self, path: VPath<'_>, mode: u32) -> Result<(), FsError>;

    /// Tells how many bytes this process may still write where the path leads.
    ///
    /// # Errors
    /// As for [`Self::open`].
    fn space(&self, path: VPath<'_>) -> Result<u64, FsError>;
}

/// A directory that is being listed: some names at a time, so that a large one does not keep the loop.
pub trait Listing {
    /// Hands out the next names, and what they name where that is known without asking for each. `.` and `..` are left
    /// out. The order is any. `false` when there are no more.
    ///
    /// # Errors
    /// The directory cannot be read on.
    fn next_slice(&mut self, each: &mut dyn FnMut(&[u8], Option<FileKind>)) -> Result<bool, FsError>;

    /// Tells about an entry itself: a link is not followed.
    ///
    /// # Errors
    /// `NotFound` when it has gone, or is no name.
    fn stat(&self, name: &[u8]) -> Result<FileStat, FsError>;
}

/// Why a filesystem did not do what it was asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum FsError {
    /// There is no such file (ENOENT).
    NotFound,
    /// It is not permitted (EACCES, EPERM).
    Denied,
    /// What has to be a directory is none (ENOTDIR).
    NotDirectory,
    /// What must not be a directory is one (EISDIR).
    IsDirectory,
    /// A link leads out of the root (EXDEV).
    Escapes,
    /// It is there already (EEXIST).
    Exists,
    /// The directory is not empty (ENOTEMPTY).
    NotEmpty,
    /// The disk or the user's part of it is full (ENOSPC, EDQUOT).
    NoSpace,
    /// A file would be larger than it may be (EFBIG).
    TooLarge,
    /// A name is too long (ENAMETOOLONG).
    NameTooLong,
    /// Too many links, or a link where none is allowed (ELOOP).
    Loop,
    /// This process or the system has no descriptor left (EMFILE, ENFILE): to be tried again later.
    TooManyOpen,
    /// It is mounted read-only (EROFS).
    ReadOnly,
    /// It is in use (EBUSY, ETXTBSY).
    Busy,
    /// Anything else.
    Other(Errno),
}

impl From<Errno> for FsError {
    fn from(errno: Errno) -> FsError {
        match errno {
            Errno::NOENT => FsError::NotFound,
            Errno::ACCESS | Errno::PERM => FsError::Denied,
            Errno::NOTDIR => FsError::NotDirectory,
            Errno::ISDIR => FsError::IsDirectory,
            Errno::XDEV => FsError::Escapes,
            Errno::EXIST => FsError::Exists,
            Errno::NOTEMPTY => FsError::NotEmpty,
            Errno::NOSPC | Errno::DQUOT => FsError::NoSpace,
            Errno::FBIG => FsError::TooLarge,
            Errno::NAMETOOLONG => FsError::NameTooLong,
            Errno::LOOP => FsError::Loop,
            Errno::MFILE | Errno::NFILE => FsError::TooManyOpen,
            Errno::ROFS => FsError::ReadOnly,
            Errno::BUSY | Errno::TXTBSY => FsError::Busy,
            other => FsError::Other(other),
        }
    }
}
