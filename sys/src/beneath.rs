//! Opens files by paths that cannot lead out of a directory, whatever links lie on the way and whoever
//! renames them meanwhile.
//!
//! On Linux since 5.6 the kernel does it (`openat2`). Elsewhere, and where a sandbox forbids that call,
//! `crate::walk` does the same by steps, with the same results and errors.

use rustix::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::walk::{self, Found, Goal};

/// Paths this long or longer, in bytes, are `ENAMETOOLONG` to every lookup (Linux `PATH_MAX`, with its NUL).
const PATH_LIMIT: usize = 4096;

/// Paths shorter than this are handed to the kernel from the stack.
#[cfg(target_os = "linux")]
const STACK_PATH: usize = 1024;

/// How often a lookup that met a rename is tried again before it is walked.
#[cfg(target_os = "linux")]
const RENAME_RETRIES: u32 = 8;

/// What to do with symbolic links, at every component of a path including the last.
///
/// The links of `/proc` that lead to open files rather than to names are `ELOOP` under each policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symlinks {
    /// Any link is `ELOOP`.
    Never,
    /// Followed while they stay beneath the root: an absolute target, or a `..` above the root, is `EXDEV`.
    Inside,
    /// Followed wherever they lead. The path asked for still may not climb above the root by its own `..`.
    All,
}

/// Who resolves paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The kernel, in one `openat2`. Where there is no such call this acts as [`Lookup::Walk`].
    Openat2,
    /// We do, one component at a time.
    Walk,
}

impl Lookup {
    /// The best this system allows. Asks the kernel once: keep the answer.
    ///
    /// Any refusal means [`Lookup::Walk`], for sandboxes answer `EPERM` or whatever they were told to, and a
    /// walk is right everywhere.
    #[must_use]
    pub fn detect() -> Lookup {
        #[cfg(target_os = "linux")]
        {
            use rustix::fd::AsFd;

            let opening = Opening::directory();
            let probe = rustix::fs::open("/", opening.flags, opening.mode)
                .and_then(|root| openat2(root.as_fd(), b".", &opening, Symlinks::Inside));
            if probe.is_ok() {
                return Lookup::Openat2;
            }
        }
        Lookup::Walk
    }
}

/// What a file is opened for. Descriptors are close-on-exec; none waits for the other end of a FIFO and none
/// becomes the controlling terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenHow {
    /// Reading; also directories open so.
    Read,
    /// Listing; what is not a directory is `ENOTDIR`.
    Directory,
    /// Writing from nothing.
    Create {
        /// Permission bits of a new file, before the umask.
        mode: u32,
        /// An existing name, even a dangling link, is `EEXIST`; otherwise an existing file is emptied.
        exclusive: bool,
    },
    /// Writing at the end of a file, which is made when missing.
    Append {
        /// Permission bits of a new file, before the umask.
        mode: u32,
    },
    /// Attributes only, without leave to read: `O_PATH` where the system has it, else as [`OpenHow::Read`].
    Path,
}

/// Flags and mode of one `open`.
pub(crate) struct Opening {
    pub(crate) flags: OFlags,
    pub(crate) mode: Mode,
}

/// Names a file without opening its content.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const PATH: OFlags = OFlags::PATH;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const PATH: OFlags = OFlags::NONBLOCK.union(OFlags::NOCTTY);

/// As little access to a directory as lets names be looked up in it.
#[cfg(any(target_os = "macos", target_os = "netbsd"))]
pub(crate) const SEARCH: OFlags = OFlags::from_bits_retain(libc::O_SEARCH as _);
// OpenBSD has no such access: there, directories on the way must be readable.
#[cfg(not(any(target_os = "macos", target_os = "netbsd")))]
pub(crate) const SEARCH: OFlags = PATH;

impl Opening {
    pub(crate) fn of(how: OpenHow) -> Opening {
        let plain = OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK;
        let (flags, mode) = match how {
            OpenHow::Read => (plain | OFlags::RDONLY, 0),
            OpenHow::Directory => (plain | OFlags::RDONLY | OFlags::DIRECTORY, 0),
            OpenHow::Create { mode, exclusive: true } => {
                (plain | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL, mode)
            }
            OpenHow::Create { mode, exclusive: false } => {
                (plain | OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC, mode)
            }
            OpenHow::Append { mode } => (plain | OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND, mode),
            OpenHow::Path => (PATH | OFlags::CLOEXEC, 0),
        };
        Opening { flags, mode: permissions(mode) }
    }

    /// A directory to look names up in.
    pub(crate) fn directory() -> Opening {
        Opening { flags: SEARCH | OFlags::DIRECTORY | OFlags::CLOEXEC, mode: Mode::empty() }
    }
}

/// The bits of `mode` that `open`, `mkdir` and `chmod` take; `openat2` refuses any other.
pub(crate) fn permissions(mode: u32) -> Mode {
    // Below 2^12, so it fits the 16 bits some systems have for it.
    Mode::from_raw_mode((mode & 0o7777) as rustix::fs::RawMode)
}

/// Opens the directory that paths will be beneath. It can be listed. Links in `path` are followed.
pub fn open_root(path: impl Arg) -> Result<OwnedFd, Errno> {
    let opening = Opening::of(OpenHow::Directory);
    crate::file::open_at(&path.into_c_str()?, opening.flags, opening.mode)
}

/// Opens `path`, which is relative to `root` and never leads above it but as `symlinks` allows. `""` and `"."`
/// are the root itself.
///
/// # Errors
/// `EINVAL` for a NUL in the path, `ENAMETOOLONG` from 4,096 bytes on, `EXDEV` for a leading slash, a `..` above
/// the root or a link that `symlinks` keeps inside; `ELOOP` for a link it refuses and for the 41st it follows;
/// else what `open` gives.
pub fn open_beneath(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    how: OpenHow,
    symlinks: Symlinks,
) -> Result<OwnedFd, Errno> {
    open_with(lookup, root, accept(path, symlinks)?, &Opening::of(how), symlinks)
}

/// [`open_beneath`] for a path that [`accept`] has passed.
pub(crate) fn open_with(
    lookup: Lookup,
    root: BorrowedFd<'_>,
    path: &[u8],
    opening: &Opening,
    symlinks: Symlinks,
) -> Result<OwnedFd, Errno> {
    #[cfg(target_os = "linux")]
    if lookup == Lookup::Openat2 {
        for _ in 0..RENAME_RETRIES {
            match openat2(root, path, opening, symlinks) {
                // A rename or mount happened while a `..` was looked up, or a signal came.
                Err(Errno::AGAIN | Errno::INTR) => {}
                // A sandbox has been put on since we asked.
                Err(Errno::NOSYS) => break,
                settled => return settled,
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = lookup;
    match walk::walk(root, path, &Goal::Open(opening), symlinks)? {
        Found::Opened(fd) => Ok(fd),
        Found::Described(_) => Err(Errno::INVAL),
    }
}

#[cfg(target_os = "linux")]
fn openat2(
    root: BorrowedFd<'_>,
    path: &[u8],
    opening: &Opening,
    symlinks: Symlinks,
) -> Result<OwnedFd, Errno> {
    use alloc::ffi::CString;
    use core::ffi::CStr;
    use rustix::fs::ResolveFlags;

    let resolve = ResolveFlags::NO_MAGICLINKS
        | match symlinks {
            Symlinks::Never => ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS,
            Symlinks::Inside => ResolveFlags::BENEATH,
            Symlinks::All => ResolveFlags::empty(),
        };
    let mut stack = [0; STACK_PATH];
    let heap;
    let path = match stack.split_at_mut_checked(path.len()) {
        Some((room, [_, ..])) => {
            room.copy_from_slice(path);
            // Ends at the first zero after the path, which itself holds none.
            CStr::from_bytes_until_nul(&stack).map_err(|_| Errno::INVAL)?
        }
        _ => {
            heap = CString::new(path).map_err(|_| Errno::INVAL)?;
            heap.as_c_str()
        }
    };
    rustix::fs::openat2(root, path, opening.flags, opening.mode, resolve)
}

/// The path as lookups take it, or why no lookup may see it.
pub(crate) fn accept(path: &[u8], symlinks: Symlinks) -> Result<&[u8], Errno> {
    if path.contains(&0) {
        return Err(Errno::INVAL);
    }
    if path.len() >= PATH_LIMIT {
        return Err(Errno::NAMETOOLONG);
    }
    match path.first() {
        None => return Ok(b"."),
        Some(b'/') => return Err(Errno::XDEV),
        Some(_) => {}
    }
    // Nothing else holds this path beneath the root when its links may lead anywhere.
    if symlinks == Symlinks::All && climbs(path) {
        return Err(Errno::XDEV);
    }
    Ok(path)
}

/// Whether more `..` than names precede any point of the path.
fn climbs(path: &[u8]) -> bool {
    let mut depth = 0usize;
    for name in path.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." => {
                let Some(above) = depth.checked_sub(1) else { return true };
                depth = above;
            }
            _ => depth = depth.saturating_add(1),
        }
    }
    false
}
