//! What a file is, and the few acts on an open file that are neither reading nor writing.

use rustix::fd::BorrowedFd;
use rustix::fs::FileType;
use rustix::io::Errno;

/// What sort of thing a name leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, itself.
    Symlink,
    /// A FIFO, socket or device.
    Other,
}

impl FileKind {
    /// `None` when the filesystem does not tell kinds in its listings.
    pub(crate) fn of(kind: FileType) -> Option<FileKind> {
        match kind {
            FileType::RegularFile => Some(FileKind::File),
            FileType::Directory => Some(FileKind::Directory),
            FileType::Symlink => Some(FileKind::Symlink),
            FileType::Unknown => None,
            _ => Some(FileKind::Other),
        }
    }
}

/// The attributes of a file at one moment.
#[derive(Clone, Copy, PartialEq)]
#[cfg_attr(test, derive(Debug))]
pub struct FileStat {
    /// What it is.
    pub kind: FileKind,
    /// Length in bytes.
    pub size: u64,
    /// Last modification, in whole seconds since 1970-01-01 UTC; negative before.
    pub modified: i64,
    /// Nanoseconds after `modified`, below 1,000,000,000.
    pub modified_ns: u32,
    /// When its bytes or attributes last changed, in whole seconds. Nobody can set this time, so it tells a file that
    /// was rewritten and given its old `modified` from one that was left alone.
    pub changed: i64,
    /// Nanoseconds after `changed`, below 1,000,000,000.
    pub changed_ns: u32,
    /// Number of the file in its filesystem.
    pub inode: u64,
    /// Number of the filesystem. With `inode` it tells files apart.
    pub device: u64,
    /// Permission bits, set-id bits and sticky bit: at most `0o7777`.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// Numeric owner.
    pub user: u32,
    /// Numeric group.
    pub group: u32,
}

impl FileStat {
    // The width and sign of each field differ between systems; none loses a value by these casts.
    #[allow(clippy::unnecessary_cast)]
    pub(crate) fn of(raw: &rustix::fs::Stat) -> FileStat {
        FileStat {
            kind: FileKind::of(FileType::from_raw_mode(raw.st_mode)).unwrap_or(FileKind::Other),
            size: u64::try_from(raw.st_size).unwrap_or(0),
            modified: raw.st_mtime as i64,
            modified_ns: raw.st_mtime_nsec as u32,
            changed: raw.st_ctime as i64,
            changed_ns: raw.st_ctime_nsec as u32,
            inode: raw.st_ino as u64,
            device: raw.st_dev as u64,
            mode: raw.st_mode as u32 & 0o7777,
            links: raw.st_nlink as u64,
            user: raw.st_uid as u32,
            group: raw.st_gid as u32,
        }
    }
}

/// The attributes of an open file.
pub fn stat(fd: BorrowedFd<'_>) -> Result<FileStat, Errno> {
    rustix::fs::fstat(fd).map(|raw| FileStat::of(&raw))
}

/// Bytes an unprivileged user may still write to the filesystem of `fd`.
#[allow(clippy::unnecessary_cast)] // 32 bits wide on some systems
pub fn space(fd: BorrowedFd<'_>) -> Result<u64, Errno> {
    let raw = rustix::fs::fstatvfs(fd)?;
    Ok((raw.f_bavail as u64).saturating_mul(raw.f_frsize as u64))
}

/// Waits until the content and attributes of `fd` are on the device.
pub fn sync(fd: BorrowedFd<'_>) -> Result<(), Errno> {
    rustix::io::retry_on_intr(|| rustix::fs::fsync(fd))
}

/// Cuts the file, or lengthens it with zeros, to `length` bytes. `fd` must be open for writing.
pub fn truncate(fd: BorrowedFd<'_>, length: u64) -> Result<(), Errno> {
    rustix::io::retry_on_intr(|| rustix::fs::ftruncate(fd, length))
}
