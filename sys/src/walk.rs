//! Resolves a path one component at a time, without help of the kernel in keeping it beneath the root.
//!
//! ```text
//!                 +--------- passed: "." / ".." / a directory entered
//!                 v         |
//!  path ----> next component+---- is a link ---> its target, then the rest of the path
//!                 ^         |                          |
//!                 +---------|--------------------------+   (at most 40 times)
//!                           +---- is the last ---> done: opened or described
//! ```
//!
//! No step follows a link by itself (`O_NOFOLLOW`), and `..` goes back to the directory we came from rather than
//! to what the system now holds for its parent. So renames, at any moment, can make a walk fail or let it
//! finish in a directory that was beneath the root when it was entered, and nothing else.
//!
//! What the kernel's own lookup adds is not told apart here: `fs.protected_symlinks` and `nosymfollow` mounts.

use alloc::vec::Vec;

use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use crate::beneath::{Opening, Symlinks};
use crate::stat::{FileKind, FileStat, stat};

/// Links followed by one walk, as Linux has it (`MAXSYMLINKS`).
const LINK_LIMIT: u32 = 40;

/// Directories a walk keeps open, so that a deep path cannot use up our descriptors.
const KEPT: usize = 32;

/// What to do at the end of the path.
pub(crate) enum Goal<'a> {
    Open(&'a Opening),
    /// Describe it without opening it, which needs no permission on the file itself.
    Stat,
}

/// What the end of the path gave.
pub(crate) enum Found {
    Opened(OwnedFd),
    Described(FileStat),
}

/// What one component turned out to be.
enum Met {
    Passed,
    Done(Found),
    /// A link, or at least the system gave the error it gives at links.
    Link(Errno),
}

/// Resolves a path that [`crate::beneath::accept`] has passed.
pub(crate) fn walk(
    root: BorrowedFd<'_>,
    path: &[u8],
    goal: &Goal<'_>,
    symlinks: Symlinks,
) -> Result<Found, Errno> {
    let mut trail = Trail { root, symlinks, names: Vec::new(), kept: Vec::new() };
    let mut pending = path.to_vec();
    let mut at = 0usize;
    let mut links = 0u32;
    loop {
        let (name, rest) = first_component(pending.get(at..).unwrap_or_default());
        match step(&mut trail, name, rest, goal)? {
            Met::Done(found) => return Ok(found),
            Met::Passed => at = pending.len().saturating_sub(rest.len()),
            Met::Link(seen) => {
                links = links.saturating_add(1);
                if links > LINK_LIMIT {
                    return Err(Errno::LOOP);
                }
                let target = match rustix::fs::readlinkat(trail.here(), name, Vec::new()) {
                    Ok(target) => target.into_bytes(),
                    // No link at all: a plain file where a directory was needed.
                    Err(Errno::INVAL) if seen == Errno::NOTDIR => return Err(seen),
                    // No longer a link: look again.
                    Err(Errno::INVAL) => continue,
                    Err(errno) => return Err(errno),
                };
                trail.allow(&target)?;
                let mut next = target;
                next.extend_from_slice(rest);
                pending = next;
                at = 0;
            }
        }
    }
}

/// Takes one component, after which `rest` of the path is left, slashes and all.
fn step(trail: &mut Trail<'_>, name: &[u8], rest: &[u8], goal: &Goal<'_>) -> Result<Met, Errno> {
    let last = rest.iter().all(|&byte| byte == b'/');
    match (name, last) {
        (b".", true) => reach(trail.here(), name, false, goal),
        (b".", false) => searchable(trail.here()).map(|()| Met::Passed),
        // With links free to lead anywhere this is the system's own `..`, as it is for the kernel.
        (b"..", true) if trail.symlinks == Symlinks::All => reach(trail.here(), name, false, goal),
        (b"..", true) => {
            trail.leave()?;
            reach(trail.here(), b".", false, goal)
        }
        (b"..", false) => trail.leave().map(|()| Met::Passed),
        (_, true) => reach(trail.here(), name, !rest.is_empty(), goal),
        (_, false) => match open_directory(trail.here(), name) {
            Ok(fd) => {
                trail.enter(fd, name);
                Ok(Met::Passed)
            }
            Err(errno) if at_link(errno) => Ok(Met::Link(errno)),
            Err(errno) => Err(errno),
        },
    }
}

/// Does what the walk is for with the last component. `slashed`: slashes follow it, so it must be a directory.
fn reach(dir: BorrowedFd<'_>, name: &[u8], slashed: bool, goal: &Goal<'_>) -> Result<Met, Errno> {
    match goal {
        Goal::Stat => {
            let found = rustix::fs::statat(dir, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let found = FileStat::of(&found);
            match found.kind {
                FileKind::Symlink => Ok(Met::Link(Errno::LOOP)),
                FileKind::File | FileKind::Other if slashed => Err(Errno::NOTDIR),
                FileKind::File | FileKind::Other | FileKind::Directory => {
                    Ok(Met::Done(Found::Described(found)))
                }
            }
        }
        Goal::Open(opening) => {
            let mut flags = opening.flags | OFlags::NOFOLLOW;
            if slashed {
                if flags.contains(OFlags::CREATE) {
                    // Files are not made by the name of a directory.
                    searchable(dir)?;
                    return Err(Errno::ISDIR);
                }
                flags |= OFlags::DIRECTORY;
            }
            match rustix::io::retry_on_intr(|| rustix::fs::openat(dir, name, flags, opening.mode)) {
                Ok(fd) if names_only(flags) && stat(fd.as_fd())?.kind == FileKind::Symlink => {
                    Ok(Met::Link(Errno::LOOP))
                }
                Ok(fd) => Ok(Met::Done(Found::Opened(fd))),
                Err(errno) if at_link(errno) => Ok(Met::Link(errno)),
                Err(errno) => Err(errno),
            }
        }
    }
}

/// The first name of a path, and everything after it. A path of slashes alone names the directory itself.
fn first_component(path: &[u8]) -> (&[u8], &[u8]) {
    let start = path.iter().position(|&byte| byte != b'/').unwrap_or(path.len());
    let path = path.get(start..).unwrap_or_default();
    let end = path.iter().position(|&byte| byte == b'/').unwrap_or(path.len());
    match path.split_at_checked(end) {
        Some((name, rest)) if !name.is_empty() => (name, rest),
        _ => (b".", b""),
    }
}

/// Whether `open` with these flags may have opened a link itself.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
fn names_only(flags: OFlags) -> bool {
    flags.contains(OFlags::PATH) && !flags.contains(OFlags::DIRECTORY)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
fn names_only(_: OFlags) -> bool {
    false
}

/// Whether `open` with `O_NOFOLLOW` gives this error at links, among other things.
fn at_link(errno: Errno) -> bool {
    #[cfg(target_os = "netbsd")]
    if errno == Errno::FTYPE {
        return true;
    }
    // Linux and POSIX; any system that also asked for a directory; FreeBSD.
    matches!(errno, Errno::LOOP | Errno::NOTDIR | Errno::MLINK)
}

/// Fails as the system does where it may not look up names in `dir`.
fn searchable(dir: BorrowedFd<'_>) -> Result<(), Errno> {
    rustix::fs::statat(dir, c".", AtFlags::empty()).map(|_| ())
}

fn open_directory(dir: BorrowedFd<'_>, name: &[u8]) -> Result<OwnedFd, Errno> {
    let opening = Opening::directory();
    let flags = opening.flags | OFlags::NOFOLLOW;
    rustix::io::retry_on_intr(|| rustix::fs::openat(dir, name, flags, opening.mode))
}

/// The way from the root to where the walk is.
struct Trail<'a> {
    root: BorrowedFd<'a>,
    symlinks: Symlinks,
    /// Every directory entered, each with a slash after it. Empty at the root, and under [`Symlinks::All`].
    names: Vec<u8>,
    /// The last of those directories, up to [`KEPT`]. Empty at the root only.
    kept: Vec<OwnedFd>,
}

impl Trail<'_> {
    fn here(&self) -> BorrowedFd<'_> {
        self.kept.last().map_or(self.root, AsFd::as_fd)
    }

    fn enter(&mut self, fd: OwnedFd, name: &[u8]) {
        match self.symlinks {
            Symlinks::All => self.kept.clear(),
            Symlinks::Never | Symlinks::Inside => {
                self.names.extend_from_slice(name);
                self.names.push(b'/');
                if self.kept.len() >= KEPT {
                    // Half at a time, so that going back up opens directories anew only once in many steps.
                    self.kept.drain(..KEPT / 2);
                }
            }
        }
        self.kept.push(fd);
    }

    /// Takes a `..`.
    fn leave(&mut self) -> Result<(), Errno> {
        if self.symlinks == Symlinks::All {
            let above = open_directory(self.here(), b"..")?;
            self.enter(above, b"..");
            return Ok(());
        }
        searchable(self.here())?;
        let Some((_, above)) = self.names.split_last() else { return Err(Errno::XDEV) };
        let length = above.iter().rposition(|&byte| byte == b'/').map_or(0, |slash| slash.saturating_add(1));
        self.names.truncate(length);
        self.kept.pop();
        if self.kept.is_empty() { self.retrace() } else { Ok(()) }
    }

    /// Opens the directories to here again, from the root, once those kept have all been left.
    fn retrace(&mut self) -> Result<(), Errno> {
        let names = core::mem::take(&mut self.names);
        for name in names.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            let fd = open_directory(self.here(), name)?;
            self.enter(fd, name);
        }
        Ok(())
    }

    /// Decides on following a link in the current directory. An absolute target leads to the system's root.
    fn allow(&mut self, target: &[u8]) -> Result<(), Errno> {
        if self.symlinks == Symlinks::Never || magic(self.here(), target)? {
            return Err(Errno::LOOP);
        }
        match (target.first(), self.symlinks) {
            (None, _) => Err(Errno::NOENT),
            (Some(b'/'), Symlinks::All) => {
                let opening = Opening::directory();
                let top = rustix::fs::open(c"/", opening.flags, Mode::empty())?;
                self.enter(top, b"/");
                Ok(())
            }
            (Some(b'/'), Symlinks::Inside | Symlinks::Never) => Err(Errno::XDEV),
            (Some(_), _) => Ok(()),
        }
    }
}

/// Whether a link in `dir` is one of `/proc` that leads to an open file, which the kernel does not do by name:
/// the text it shows is absolute, or of the form `pipe:[1]` or `(unreachable)/name`.
#[cfg(target_os = "linux")]
fn magic(dir: BorrowedFd<'_>, target: &[u8]) -> Result<bool, Errno> {
    let named = target.first().is_some_and(u8::is_ascii_alphanumeric) && !target.contains(&b':');
    Ok(!named && rustix::fs::fstatfs(dir)?.f_type == rustix::fs::PROC_SUPER_MAGIC)
}

#[cfg(not(target_os = "linux"))]
fn magic(_: BorrowedFd<'_>, _: &[u8]) -> Result<bool, Errno> {
    Ok(false)
}
