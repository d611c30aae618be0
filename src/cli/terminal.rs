//! What people see: standard output and standard error, written whole and at once, without a buffer to forget.

use gorgon_sys::{AsFd, BorrowedFd, Io, write};

/// Writes to standard output; says whether it was taken.
pub fn say(text: &str) -> bool {
    put(std::io::stdout().as_fd(), text.as_bytes())
}

/// Writes to standard error. That nobody listens cannot be told to anybody.
pub fn complain(text: &str) {
    put(std::io::stderr().as_fd(), text.as_bytes());
}

/// Writes all of it. A descriptor that others set to not block is tried again for a while.
fn put(fd: BorrowedFd<'_>, mut bytes: &[u8]) -> bool {
    let mut patience = 100;
    while !bytes.is_empty() {
        match write(fd, bytes) {
            Io::Done(count) if count > 0 => bytes = bytes.get(count..).unwrap_or(&[]),
            Io::Blocked if patience > 0 => {
                patience -= 1;
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Io::Done(_) | Io::Blocked | Io::Ended | Io::Failed(_) => return false,
        }
    }
    true
}
