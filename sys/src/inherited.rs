//! Descriptors that whoever started this process left open for it, known by their numbers.

use rustix::fd::{BorrowedFd, FromRawFd, OwnedFd, RawFd};
use rustix::io::{Errno, FdFlags};

/// Takes a descriptor that this process was started with, and closes it on exec from then on. The standard streams are
/// not given away.
///
/// # Errors
/// `EBADF` when there is none of that number, or when it is this process's own by now.
pub fn inherit(number: u32) -> Result<OwnedFd, Errno> {
    let raw = RawFd::try_from(number).map_err(|_too_large| Errno::BADF)?;
    if raw <= libc::STDERR_FILENO {
        return Err(Errno::BADF);
    }
    // SAFETY: it is borrowed for the two calls below alone, which fail if it is not open; it is not -1.
    let found = unsafe { BorrowedFd::borrow_raw(raw) };
    // All that is opened here is closed on exec, and what came through exec was not.
    if rustix::io::fcntl_getfd(found)?.contains(FdFlags::CLOEXEC) {
        return Err(Errno::BADF);
    }
    rustix::io::fcntl_setfd(found, FdFlags::CLOEXEC)?;
    // SAFETY: it is open; no value owns it, for it came through exec; and as it is closed on exec now, nobody gets it
    // here again.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsRawFd;

    #[test]
    fn only_what_came_through_exec_is_taken() {
        let (ours, theirs) = crate::socket::pair().unwrap();
        let number = ours.as_raw_fd() as u32;
        for number in [0, 1, 2, number, 900_000, u32::MAX] {
            assert_eq!(inherit(number).err(), Some(Errno::BADF), "{number}");
        }
        // As the system leaves it: owned by nobody, and kept on exec.
        rustix::io::fcntl_setfd(&ours, FdFlags::empty()).unwrap();
        let raw = std::os::fd::IntoRawFd::into_raw_fd(ours);
        let taken = inherit(raw as u32).unwrap();
        assert!(rustix::io::fcntl_getfd(&taken).unwrap().contains(FdFlags::CLOEXEC));
        assert_eq!(inherit(raw as u32).err(), Some(Errno::BADF), "it is taken once");
        drop(taken);
        let mut byte = [0];
        assert!(matches!(crate::read(rustix::fd::AsFd::as_fd(&theirs), &mut byte), crate::Io::Ended));
    }
}
