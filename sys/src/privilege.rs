//! Who this process is, and giving up for good what it no longer needs.
//!
//! Users and groups go through the C library, which changes them for every thread. Capabilities are Linux's, and each
//! thread has its own: [`drop_capabilities`] is for a process that has one thread so far.

use core::ffi::CStr;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::path::Arg;

use crate::error::last_error;
use crate::stat::FileStat;

/// The effective user and group of this process.
#[must_use]
pub fn identity() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

/// The outcome of a call of the C library that gives 0 or sets `errno`.
fn outcome(result: libc::c_int) -> Result<(), Errno> {
    if result == 0 { Ok(()) } else { Err(last_error()) }
}

/// Becomes a user with a group and exactly these further groups, real, effective and saved: groups first, for a user
/// who is not root may not change them. What came of it is read back, and the way back is tried.
///
/// # Errors
/// The system's, `EPERM` when this process may not: then it may be changed in part, and must end. `EPERM` too when
/// the system agreed and did something else.
pub fn become_user(user: u32, group: u32, groups: &[u32]) -> Result<(), Errno> {
    #[allow(clippy::useless_conversion)] // a narrower type on other systems
    let count = groups.len().try_into().map_err(|_error| Errno::INVAL)?;
    // SAFETY: the call reads `count` group numbers from there; `gid_t` is `u32` on every system here.
    outcome(unsafe { libc::setgroups(count, groups.as_ptr()) })?;
    set_ids(user, group)?;
    let taken = identity() == (user, group)
        && rustix::process::getuid().as_raw() == user
        && rustix::process::getgid().as_raw() == group;
    // SAFETY: a plain number, no memory. The saved user is the last that could lead back.
    let back = user != 0 && unsafe { libc::setuid(0) } == 0;
    if taken && !back { Ok(()) } else { Err(Errno::PERM) }
}

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd"))]
fn set_ids(user: u32, group: u32) -> Result<(), Errno> {
    // SAFETY: plain numbers, no memory.
    outcome(unsafe { libc::setresgid(group, group, group) })?;
    // SAFETY: the same.
    outcome(unsafe { libc::setresuid(user, user, user) })
}

/// Root sets all three by these.
#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "openbsd")))]
fn set_ids(user: u32, group: u32) -> Result<(), Errno> {
    // SAFETY: plain numbers, no memory.
    outcome(unsafe { libc::setgid(group) })?;
    // SAFETY: the same.
    outcome(unsafe { libc::setuid(user) })
}

/// Takes from this process and all it could start what no set of its capabilities can give back. Needs
/// `CAP_SETPCAP`, so it comes before [`become_user`]; without that it does nothing, and nothing is lost: with
/// [`no_new_privileges`] the bounding set has nobody to bound.
pub fn drop_bounds() {
    #[cfg(target_os = "linux")]
    for capability in 0..64_u32 {
        // SAFETY: plain numbers, no memory.
        if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, libc::c_ulong::from(capability), 0, 0, 0) } != 0 {
            break;
        }
    }
}

/// Empties the capability sets of this thread, ambient ones included (capset(2)).
///
/// # Errors
/// The system's; where there are no capabilities this does nothing.
pub fn drop_capabilities() -> Result<(), Errno> {
    #[cfg(target_os = "linux")]
    {
        /// `_LINUX_CAPABILITY_VERSION_3`: two words of each set.
        const VERSION: u32 = 0x2008_0522;
        let header: [u32; 2] = [VERSION, 0];
        let sets = [0_u32; 6];
        // SAFETY: the header is the version and a thread number, 0 for this one; the call reads two times three words
        // after that. Ambient capabilities go with the permitted ones.
        if unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) } != 0 {
            return Err(last_error());
        }
    }
    Ok(())
}

/// Nothing that this process executes from now on gains a right by it: no set-id bit and no file capability counts
/// (prctl(2), `PR_SET_NO_NEW_PRIVS`). Says whether the system has that.
pub fn no_new_privileges() -> bool {
    #[cfg(target_os = "linux")]
    // SAFETY: plain numbers, no memory.
    return unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } == 0;
    #[cfg(not(target_os = "linux"))]
    false
}

/// Makes a directory the root of this process, and the current directory. Descriptors stay what they are: one of a
/// directory outside leads out again.
///
/// # Errors
/// The system's, `EPERM` for one who is not root.
pub fn enter_root(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    rustix::process::fchdir(directory)?;
    rustix::process::chroot(c".")?;
    rustix::process::chdir(c"/")
}

/// Opens a directory to name what is in it, which wants no leave to list it.
///
/// # Errors
/// The system's.
pub fn open_to_name(path: impl Arg) -> Result<OwnedFd, Errno> {
    crate::file::open_at(&path.into_c_str()?, TO_NAME, Mode::empty())
}

const TO_NAME: OFlags = crate::beneath::SEARCH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Whether a directory is another one or lies beneath it, found by climbing from it to the root.
///
/// # Errors
/// The system's, `ELOOP` past 4,096 levels.
pub fn is_beneath(directory: BorrowedFd<'_>, above: BorrowedFd<'_>) -> Result<bool, Errno> {
    let wanted = key(above)?;
    let mut at = rustix::io::fcntl_dupfd_cloexec(directory, 0)?;
    let mut here = key(at.as_fd())?;
    for _level in 0..4096 {
        if here == wanted {
            return Ok(true);
        }
        at = rustix::fs::openat(&at, c"..", TO_NAME, Mode::empty())?;
        let upper = key(at.as_fd())?;
        if upper == here {
            return Ok(false);
        }
        here = upper;
    }
    Err(Errno::LOOP)
}

fn key(fd: BorrowedFd<'_>) -> Result<(u64, u64), Errno> {
    crate::stat::stat(fd).map(|stat| (stat.device, stat.inode))
}

/// Gives a socket in a directory to a user, if it is still the one of that device and inode.
///
/// # Errors
/// The system's; `ESTALE` when something else lies there.
pub fn give_socket(
    directory: BorrowedFd<'_>,
    name: &CStr,
    (device, inode): (u64, u64),
    user: u32,
    group: u32,
) -> Result<(), Errno> {
    let user = Some(rustix::fs::Uid::from_raw(user));
    let group = Some(rustix::fs::Gid::from_raw(group));
    // Held while it is looked at: who may write to the directory could put a link to another file in its place.
    #[cfg(target_os = "linux")]
    {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let socket = rustix::fs::openat(directory, name, flags, Mode::empty())?;
        if key(socket.as_fd())? != (device, inode) {
            return Err(Errno::STALE);
        }
        rustix::fs::chownat(&socket, c"", user, group, AtFlags::EMPTY_PATH)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let found = stat_name(directory, name)?;
        if (found.device, found.inode) != (device, inode) {
            return Err(Errno::STALE);
        }
        rustix::fs::chownat(directory, name, user, group, AtFlags::SYMLINK_NOFOLLOW)
    }
}

/// Sets the permission bits of a socket in a directory, if it is still the one of that device and inode.
///
/// # Errors
/// The system's; `ESTALE` when something else lies there.
pub fn set_socket_mode(
    directory: BorrowedFd<'_>,
    name: &CStr,
    (device, inode): (u64, u64),
    mode: u32,
) -> Result<(), Errno> {
    let mode = Mode::from_raw_mode(mode as _);
    // Held as in [`give_socket`]; the kernel lets what is held so be changed by this name alone.
    #[cfg(target_os = "linux")]
    {
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let socket = rustix::fs::openat(directory, name, flags, Mode::empty())?;
        if key(socket.as_fd())? != (device, inode) {
            return Err(Errno::STALE);
        }
        let mut path = b"/proc/self/fd/".to_vec();
        path.extend_from_slice(rustix::path::DecInt::from_fd(&socket).as_bytes());
        rustix::fs::chmod(&*path, mode)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let found = stat_name(directory, name)?;
        if (found.device, found.inode) != (device, inode) {
            return Err(Errno::STALE);
        }
        rustix::fs::chmodat(directory, name, mode, AtFlags::empty())
    }
}

/// Whether the effective user may make and remove names in a directory. Of a directory with the sticky bit it says
/// no more than that.
#[must_use]
pub fn may_write(directory: BorrowedFd<'_>) -> bool {
    let wanted = rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK;
    // Android's has no flags and asks for the real user, who is the effective one of all that is not setuid.
    #[cfg(target_os = "android")]
    let effective = AtFlags::empty();
    #[cfg(not(target_os = "android"))]
    let effective = AtFlags::EACCESS;
    rustix::fs::accessat(directory, c".", wanted, effective).is_ok()
}

/// What a name in a directory is, a link itself rather than what it leads to.
///
/// # Errors
/// The system's.
pub fn stat_name(directory: BorrowedFd<'_>, name: &CStr) -> Result<FileStat, Errno> {
    rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW).map(|raw| FileStat::of(&raw))
}

/// Removes a name that is not a directory's.
///
/// # Errors
/// The system's.
pub fn unlink_name(directory: BorrowedFd<'_>, name: &CStr) -> Result<(), Errno> {
    rustix::fs::unlinkat(directory, name, AtFlags::empty())
}
