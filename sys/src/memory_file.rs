//! Files without a name: what is written to one goes away with its last descriptor.

use rustix::fd::OwnedFd;
use rustix::io::Errno;

/// Opens a new empty file, for reading and writing, that has no name and is closed on exec.
///
/// # Errors
/// Those of `memfd_create`, or where there is none, of making a file in the directory for temporary files.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
pub fn temporary_file() -> Result<OwnedFd, Errno> {
    rustix::fs::memfd_create(c"gorgon", rustix::fs::MemfdFlags::CLOEXEC)
}

/// Opens a new empty file, for reading and writing, that has no name and is closed on exec.
///
/// # Errors
/// Those of `memfd_create`, or where there is none, of making a file in the directory for temporary files.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
pub fn temporary_file() -> Result<OwnedFd, Errno> {
    use rustix::fs::{Mode, OFlags};

    let directory = std::env::temp_dir();
    let mut number = std::process::id();
    // The name is taken only for a moment; a guess that is taken already is followed by another one.
    for _ in 0..100 {
        let path = directory.join(number.to_string());
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::open(&path, flags, Mode::RUSR | Mode::WUSR) {
            Ok(fd) => return rustix::fs::unlink(&path).map(|()| fd),
            Err(Errno::EXIST) => number = number.wrapping_add(0x9e37),
            Err(error) => return Err(error),
        }
    }
    Err(Errno::EXIST)
}
