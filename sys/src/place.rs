//! Directories where a process keeps things of its own: made for it alone, and never what somebody else put there.

use rustix::fd::{BorrowedFd, OwnedFd};

use rustix::fs::{FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

/// Makes a directory for its owner alone, unless something lies there.
///
/// # Errors
/// The system's; that something lies there is none.
pub fn make_directory(path: impl Arg) -> Result<(), Errno> {
    match path.into_c_str().and_then(|path| rustix::fs::mkdir(&*path, Mode::RWXU)) {
        Err(Errno::EXIST) => Ok(()),
        outcome => outcome,
    }
}

/// Opens a directory to list it and to act on it; a link to one is none.
///
/// # Errors
/// `ENOTDIR` or `ELOOP` for what is none, `ENOENT`, ..
pub fn open_directory(path: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    crate::file::open_at(&path.into_c_str()?, flags, Mode::empty())
}

/// Sets the permission bits of an open file or directory.
///
/// # Errors
/// The system's.
#[allow(clippy::cast_possible_truncation)] // narrower on some systems, and wide enough there
pub fn set_mode(fd: BorrowedFd<'_>, mode: u32) -> Result<(), Errno> {
    rustix::fs::fchmod(fd, Mode::from_raw_mode(mode as _))
}

/// Locks an open file or directory until it is closed (flock(2)); says whether nobody else has it locked.
#[must_use]
pub fn try_lock(fd: BorrowedFd<'_>) -> bool {
    rustix::fs::flock(fd, FlockOperation::NonBlockingLockExclusive).is_ok()
}

/// Whether there is a process of that number, of whichever user.
#[must_use]
pub fn is_running(process: u32) -> bool {
    let number = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    number.is_some_and(|number| rustix::process::test_kill_process(number) != Err(Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn a_directory_of_ones_own() {
        let place = std::env::temp_dir().join(format!("gorgon-place-{}", std::process::id()));
        make_directory(&place).unwrap();
        make_directory(&place).unwrap();
        let mode = || std::fs::metadata(&place).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o700);
        let directory = open_directory(&place).unwrap();
        set_mode(directory.as_fd(), 0o755).unwrap();
        assert_eq!(mode(), 0o755);
        assert!(try_lock(directory.as_fd()));
        let other = open_directory(&place).unwrap();
        assert!(!try_lock(other.as_fd()));
        drop(directory);
        assert!(try_lock(other.as_fd()));
        symlink(".", place.join("link")).unwrap();
        assert!(matches!(open_directory(place.join("link")).err(), Some(Errno::NOTDIR | Errno::LOOP)));
        assert_eq!(open_directory(place.join("none")).err(), Some(Errno::NOENT));
        std::fs::write(place.join("file"), "").unwrap();
        assert_eq!(open_directory(place.join("file")).err(), Some(Errno::NOTDIR));
        std::fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn processes_are_known() {
        assert!(is_running(std::process::id()));
        assert!(is_running(1));
        // Above the highest number that Linux gives.
        assert!(!is_running(0x7fff_fff0));
        assert!(!is_running(0) && !is_running(u32::MAX));
    }
}
