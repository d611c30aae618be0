//! The standard streams, and what else a program has from its birth.

use rustix::fd::BorrowedFd;

/// Standard input.
#[must_use]
pub fn standard_input() -> BorrowedFd<'static> {
    stream(libc::STDIN_FILENO)
}

/// Standard output.
#[must_use]
pub fn standard_output() -> BorrowedFd<'static> {
    stream(libc::STDOUT_FILENO)
}

/// Standard error.
#[must_use]
pub fn standard_error() -> BorrowedFd<'static> {
    stream(libc::STDERR_FILENO)
}

fn stream(number: libc::c_int) -> BorrowedFd<'static> {
    // SAFETY: no value owns the descriptors 0 to 2, so nobody closes them. They are open from the start
    // (`crate::runtime`); were one closed all the same, its number would still not be -1, and a call on it would fail.
    unsafe { BorrowedFd::borrow_raw(number) }
}

/// Whether a descriptor is a terminal.
#[must_use]
pub fn is_terminal(fd: BorrowedFd<'_>) -> bool {
    use rustix::fd::AsRawFd;
    // SAFETY: the call takes a number.
    unsafe { libc::isatty(fd.as_raw_fd()) == 1 }
}

/// The number of this process.
#[must_use]
pub fn process_id() -> u32 {
    rustix::process::getpid().as_raw_nonzero().get().unsigned_abs()
}

/// Does nothing for so many milliseconds, or until a signal comes.
pub fn pause(milliseconds: u32) {
    let time = crate::io::timespec(milliseconds);
    // A signal ends it early, which nobody minds.
    let _outcome = rustix::event::poll(&mut [], Some(&time));
}
