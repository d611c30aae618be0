//! Landlock: a process takes from itself what it will not need, without being root (landlock(7), Linux 5.13).
//!
//! Everything that the running kernel knows how to refuse is refused, but what the lists allow. Descriptors that are
//! open already are not touched: sockets go on listening, files can be read to the end.

#[cfg(target_os = "linux")]
use rustix::fd::{AsRawFd, FromRawFd, OwnedFd};
use rustix::io::Errno;

use rustix::fd::BorrowedFd;

/// What is in force after [`restrict`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The version of Landlock's interface that this kernel has: 1 and more.
    pub abi: u32,
    /// Whether binding and connecting of TCP sockets is refused too (from 4).
    pub network: bool,
}

/// Rights on files (`LANDLOCK_ACCESS_FS_*`).
#[cfg(target_os = "linux")]
mod access {
    pub(super) const WRITE_FILE: u64 = 1 << 1;
    pub(super) const READ_FILE: u64 = 1 << 2;
    pub(super) const READ_DIR: u64 = 1 << 3;
    pub(super) const REMOVE_DIR: u64 = 1 << 4;
    pub(super) const REMOVE_FILE: u64 = 1 << 5;
    pub(super) const EXECUTE: u64 = 1 << 0;
    pub(super) const MAKE_CHAR: u64 = 1 << 6;
    pub(super) const MAKE_BLOCK: u64 = 1 << 11;
    pub(super) const MAKE_DIR: u64 = 1 << 7;
    pub(super) const MAKE_REG: u64 = 1 << 8;
    pub(super) const MAKE_SOCK: u64 = 1 << 9;
    /// Renaming from one directory to another.
    pub(super) const REFER: u64 = 1 << 13;
    pub(super) const TRUNCATE: u64 = 1 << 14;

    /// Every right there is in an interface: executing, making each kind of file, and all of the above.
    pub(super) const fn all(abi: u32) -> u64 {
        match abi {
            0 | 1 => (1 << 13) - 1,
            2 => (1 << 14) - 1,
            3 | 4 => (1 << 15) - 1,
            _ => (1 << 16) - 1,
        }
    }

    pub(super) const READ: u64 = READ_FILE | READ_DIR;
    pub(super) const WRITE: u64 =
        READ | WRITE_FILE | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER | TRUNCATE;
}

/// From now on, and for good, this thread and all it starts may open to read what is in the directories of `read`,
/// also make, write, rename and remove files and directories in those of `write`, and remove files and make Unix sockets
/// in those of `remove`; nothing else: no execution, no device, and where the kernel can refuse it no new TCP address and no
/// outgoing connection. Wants [`crate::privilege::no_new_privileges`] before it.
///
/// # Errors
/// `ENOSYS` when the kernel has none, `EOPNOTSUPP` when it is turned off; else the system's. Nothing is restricted
/// then.
#[cfg(target_os = "linux")]
pub fn restrict(
    read: &[BorrowedFd<'_>],
    write: &[BorrowedFd<'_>],
    remove: &[BorrowedFd<'_>],
) -> Result<Applied, Errno> {
    let abi = version()?;
    let handled = access::all(abi);
    let rules = create(
        &[
            handled,
            // `LANDLOCK_ACCESS_NET_BIND_TCP` and `_CONNECT_TCP`.
            if abi >= 4 { 0b11 } else { 0 },
            // Abstract Unix sockets of others, and signals to others.
            if abi >= 6 { 0b11 } else { 0 },
        ],
        abi,
    )?;
    let renew = access::REMOVE_FILE | access::MAKE_SOCK;
    for (directories, rights) in [(read, access::READ), (write, access::WRITE), (remove, renew)] {
        for directory in directories {
            allow(&rules, *directory, rights & handled)?;
        }
    }
    // SAFETY: plain numbers, no memory.
    if unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) } != 0 {
        return Err(crate::error::last_error());
    }
    Ok(Applied { abi, network: abi >= 4 })
}

/// From now on, and for good, this thread and all it starts may execute nothing, make no device, and where the kernel can
/// refuse it connect nowhere by TCP. All else stays as it is. Wants [`crate::privilege::no_new_privileges`] before it.
///
/// # Errors
/// As for [`restrict`].
#[cfg(target_os = "linux")]
pub fn restrict_execution() -> Result<Applied, Errno> {
    let abi = version()?;
    // `LANDLOCK_ACCESS_NET_CONNECT_TCP`.
    let rules = create(
        &[access::EXECUTE | access::MAKE_CHAR | access::MAKE_BLOCK, if abi >= 4 { 0b10 } else { 0 }, 0],
        abi,
    )?;
    // SAFETY: plain numbers, no memory.
    if unsafe { libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0) } != 0 {
        return Err(crate::error::last_error());
    }
    Ok(Applied { abi, network: abi >= 4 })
}

/// As elsewhere, for systems that have no Landlock.
///
/// # Errors
/// `ENOSYS`.
#[cfg(not(target_os = "linux"))]
pub fn restrict_execution() -> Result<Applied, Errno> {
    Err(Errno::NOSYS)
}

/// As elsewhere, for systems that have no Landlock.
///
/// # Errors
/// `ENOSYS`.
#[cfg(not(target_os = "linux"))]
pub fn restrict(
    _read: &[BorrowedFd<'_>],
    _write: &[BorrowedFd<'_>],
    _remove: &[BorrowedFd<'_>],
) -> Result<Applied, Errno> {
    Err(Errno::NOSYS)
}

#[cfg(target_os = "linux")]
fn version() -> Result<u32, Errno> {
    const VERSION: u32 = 1;
    let none = core::ptr::null::<u64>();
    // SAFETY: asked for its version, the call takes no memory and makes no descriptor.
    let found = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, none, 0_usize, VERSION) };
    u32::try_from(found).map_err(|_error| crate::error::last_error())
}

/// A set of rules that handles files, network and scopes: as much of that as the interface knows.
#[cfg(target_os = "linux")]
fn create(attributes: &[u64; 3], abi: u32) -> Result<OwnedFd, Errno> {
    let words = match abi {
        0..=3 => 1,
        4 | 5 => 2,
        _ => 3,
    };
    // SAFETY: the call reads that many words, of three that are there.
    let made = unsafe {
        libc::syscall(libc::SYS_landlock_create_ruleset, attributes.as_ptr(), words * size_of::<u64>(), 0_u32)
    };
    match libc::c_int::try_from(made) {
        // SAFETY: the call has just made it, and nobody else knows it.
        Ok(fd) if fd >= 0 => Ok(unsafe { OwnedFd::from_raw_fd(fd) }),
        Ok(_) | Err(_) => Err(crate::error::last_error()),
    }
}

#[cfg(target_os = "linux")]
fn allow(rules: &OwnedFd, directory: BorrowedFd<'_>, rights: u64) -> Result<(), Errno> {
    /// `struct landlock_path_beneath_attr`.
    #[repr(C, packed)]
    struct Beneath {
        rights: u64,
        directory: i32,
    }
    const PATH_BENEATH: u32 = 1;
    let rule = Beneath { rights, directory: directory.as_raw_fd() };
    // SAFETY: the call reads one such structure.
    let added = unsafe {
        libc::syscall(
            libc::SYS_landlock_add_rule,
            rules.as_raw_fd(),
            PATH_BENEATH,
            core::ptr::from_ref(&rule),
            0_u32,
        )
    };
    if added == 0 { Ok(()) } else { Err(crate::error::last_error()) }
}
