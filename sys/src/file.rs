//! Files by their names, wherever they lie: what is looked at at start, before anything is given up.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::CStr;

use rustix::fd::OwnedFd;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::stat::{FileKind, FileStat};

/// Opens a file or a directory to read it. Nothing else that lies there makes us wait: a FIFO, say, is open at once.
///
/// # Errors
/// The system's.
pub fn open_file(path: impl Arg) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    open_at(&path.into_c_str()?, flags, Mode::empty())
}

/// Opens what a path names, in one place: every call of rustix with bytes would have a copy of what ends them with NUL.
pub(crate) fn open_at(path: &CStr, flags: OFlags, mode: Mode) -> Result<OwnedFd, Errno> {
    rustix::io::retry_on_intr(|| rustix::fs::open(path, flags, mode))
}

/// A path as the system takes it, in one place for the same reason.
#[inline(never)]
pub(crate) fn terminated(path: &[u8]) -> Result<CString, Errno> {
    CString::new(path).map_err(|_| Errno::INVAL)
}

/// Reads a file, but no more than its first `most` bytes. A FIFO or a device is not read: it could have us wait for good.
///
/// # Errors
/// The system's; `EISDIR` for a directory, [`NO_FILE`] for anything else that is no file.
pub fn read_file(path: impl Arg, most: usize) -> Result<Vec<u8>, Errno> {
    let file = open_file(path)?;
    match crate::stat::stat(rustix::fd::AsFd::as_fd(&file))?.kind {
        FileKind::File => read_open(&file, most),
        FileKind::Directory => Err(Errno::ISDIR),
        _ => Err(NO_FILE),
    }
}

/// What lies there is no file, but a FIFO, a device or a socket: what the system says of a socket itself (`ENXIO`).
pub const NO_FILE: Errno = Errno::NXIO;

/// Reads a file, or what another process writes into a pipe, up to the end or `most` bytes; waits for it.
///
/// # Errors
/// The system's.
pub fn read_stream(path: impl Arg, most: usize) -> Result<Vec<u8>, Errno> {
    read_open(&open_at(&path.into_c_str()?, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?, most)
}

/// Reads an open file from where it stands, up to the end or `most` bytes; waits for it.
///
/// # Errors
/// The system's.
#[inline(never)]
pub fn read_open(file: &OwnedFd, most: usize) -> Result<Vec<u8>, Errno> {
    let mut text = Vec::new();
    while text.len() < most {
        let before = text.len();
        text.resize(most.min(before.saturating_add(PIECE)), 0);
        let room = text.get_mut(before..).unwrap_or_default();
        let count = rustix::io::retry_on_intr(|| rustix::io::read(file, &mut *room));
        text.truncate(before.saturating_add(*count.as_ref().unwrap_or(&0)));
        if count? == 0 {
            break;
        }
    }
    Ok(text)
}

/// How much is read at once, in bytes.
const PIECE: usize = 16 * 1024;

/// Appends to a file that only its owner may read, which is made if it is not there. A link is not followed.
///
/// # Errors
/// The system's; `ELOOP` for a link, `ENOSPC` when not all of it was taken.
pub fn append_private(path: impl Arg, bytes: &[u8]) -> Result<(), Errno> {
    write_private(&path.into_c_str()?, OFlags::APPEND, bytes)
}

/// Makes a file that only its owner may read. It must not be there.
///
/// # Errors
/// As for [`append_private`]; `EEXIST`.
pub fn create_private(path: impl Arg, bytes: &[u8]) -> Result<(), Errno> {
    write_private(&path.into_c_str()?, OFlags::EXCL, bytes)
}

fn write_private(path: &CStr, how: OFlags, bytes: &[u8]) -> Result<(), Errno> {
    // A FIFO that nobody reads is an error, and not waited for.
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | how;
    let file = open_at(path, flags, Mode::RUSR | Mode::WUSR)?;
    match crate::io::write(rustix::fd::AsFd::as_fd(&file), bytes) {
        crate::io::Io::Done(count) if count == bytes.len() => Ok(()),
        crate::io::Io::Failed(error) => Err(error),
        _ => Err(Errno::NOSPC),
    }
}

/// What lies at a path, or what a link there leads to.
///
/// # Errors
/// The system's.
pub fn stat_path(path: impl Arg) -> Result<FileStat, Errno> {
    rustix::fs::stat(&*path.into_c_str()?).map(|raw| FileStat::of(&raw))
}

/// What lies at a path, be it a link.
///
/// # Errors
/// The system's.
pub fn stat_link(path: impl Arg) -> Result<FileStat, Errno> {
    rustix::fs::lstat(&*path.into_c_str()?).map(|raw| FileStat::of(&raw))
}

/// The absolute path of what is there, without links in it (realpath(3)).
///
/// # Errors
/// The system's.
pub fn real_path(path: impl Arg) -> Result<Vec<u8>, Errno> {
    path.into_with_c_str(|path| {
        // SAFETY: the path is a C string; without a buffer the call makes one itself (POSIX.1-2008).
        let found = unsafe { libc::realpath(path.as_ptr(), core::ptr::null_mut()) };
        if found.is_null() {
            return Err(crate::error::last_error());
        }
        // SAFETY: it is a C string, and stays until it is freed below.
        let real = unsafe { CStr::from_ptr(found) }.to_bytes().to_vec();
        // SAFETY: the call above made it, by malloc, and nobody has it but us.
        unsafe { libc::free(found.cast()) };
        Ok(real)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_up_to_a_bound() {
        let path = std::env::temp_dir().join(format!("gorgon-file-{}", std::process::id()));
        let text: Vec<u8> = (0..40_000_u32).map(|number| number as u8).collect();
        std::fs::write(&path, &text).unwrap();
        for most in [0, 1, PIECE - 1, PIECE, PIECE + 1, 39_999, 40_000, 40_001, 1 << 20] {
            assert_eq!(read_file(&path, most).unwrap(), text[..most.min(text.len())], "{most}");
        }
        assert_eq!(stat_path(&path).unwrap().size, 40_000);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(read_file(&path, 1), Err(Errno::NOENT));
        assert_eq!(read_file(b"/".as_slice(), 1), Err(Errno::ISDIR));
        assert_eq!(open_file(b"a\0b".as_slice()).err(), Some(Errno::INVAL));
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let place = std::env::temp_dir().join(format!("gorgon-fifo-{}", std::process::id()));
        std::fs::create_dir_all(&place).unwrap();
        let (fifo, socket) = (place.join("fifo"), place.join("socket"));
        let mode = Mode::RUSR | Mode::WUSR;
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, mode, 0).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        // Without what is tested here the first of these never ends.
        assert_eq!(read_file(&fifo, 1), Err(NO_FILE));
        assert!(open_file(&fifo).is_ok());
        assert_eq!(append_private(&fifo, b"x"), Err(NO_FILE));
        assert_eq!(read_file(&socket, 1), Err(NO_FILE));
        assert_eq!(read_file("/dev/null", 1), Err(NO_FILE));
        assert_eq!(read_file("/dev/zero", 1 << 40), Err(NO_FILE));
        let path = fifo.clone();
        let writer = std::thread::spawn(move || std::fs::write(path, "secret\nmore").unwrap());
        assert_eq!(read_stream(&fifo, 6).unwrap(), b"secret");
        writer.join().unwrap();
        std::fs::remove_dir_all(&place).unwrap();
    }

    #[test]
    fn private_files_are_private() {
        let path = std::env::temp_dir().join(format!("gorgon-private-{}", std::process::id()));
        let link = path.with_extension("link");
        for text in ["one\n", "two\n"] {
            append_private(&path, text.as_bytes()).unwrap();
        }
        assert_eq!(read_file(&path, 100).unwrap(), b"one\ntwo\n");
        assert_eq!(stat_path(&path).unwrap().mode, 0o600);
        assert_eq!(create_private(&path, b"x"), Err(Errno::EXIST));
        std::os::unix::fs::symlink(&path, &link).unwrap();
        assert_eq!(append_private(&link, b"x"), Err(Errno::LOOP));
        std::fs::remove_file(&link).unwrap();
        std::fs::remove_file(&path).unwrap();
        create_private(&path, b"x").unwrap();
        std::fs::remove_file(&path).unwrap();
    }

    #[test]
    fn real_paths_have_no_links() {
        let place = std::env::temp_dir().join(format!("gorgon-real-{}", std::process::id()));
        std::fs::create_dir(&place).unwrap();
        std::os::unix::fs::symlink(".", place.join("link")).unwrap();
        let real = std::fs::canonicalize(&place).unwrap();
        let found = real_path(place.join("link/./link")).unwrap();
        assert_eq!(found, real.as_os_str().as_encoded_bytes());
        assert_eq!(stat_link(place.join("link")).unwrap().kind, FileKind::Symlink);
        assert_eq!(stat_path(place.join("link")).unwrap().kind, FileKind::Directory);
        assert_eq!(real_path(place.join("none")), Err(Errno::NOENT));
        std::fs::remove_dir_all(&place).unwrap();
    }
}
