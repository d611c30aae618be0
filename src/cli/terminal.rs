//! What people see: standard output and standard error, written whole and at once, without a buffer to forget.

use gorgon_sys::{BorrowedFd, Io, standard_error, standard_output, wait_writable, write};

/// How long a reader who takes nothing is waited for while there is something better to do, in milliseconds.
const PATIENCE: u32 = 500;
/// What a pipe takes at once when it takes anything (POSIX promises 512).
const PIECE: usize = 512;

/// Writes to standard output, and waits for as long as it takes; says whether it was taken.
pub fn say(text: &str) -> bool {
    put(standard_output(), text.as_bytes(), u32::MAX / 2)
}

/// Writes to standard output, unless nobody reads it: a server must not wait for its reader, nor turn deaf to signals.
pub fn report(text: &str) {
    put(standard_output(), text.as_bytes(), PATIENCE);
}

/// Writes to standard error, unless nobody reads it. That nobody listens cannot be told to anybody.
pub fn complain(text: &str) {
    put(standard_error(), text.as_bytes(), PATIENCE);
}

/// Writes all of it, as the reader takes it; a descriptor that others set to not block makes no difference.
fn put(fd: BorrowedFd<'_>, mut bytes: &[u8], patience: u32) -> bool {
    while !bytes.is_empty() {
        if !wait_writable(fd, patience) {
            return false;
        }
        let piece = bytes.get(..PIECE.min(bytes.len())).unwrap_or(bytes);
        match write(fd, piece) {
            Io::Done(count) if count > 0 => bytes = bytes.get(count..).unwrap_or(&[]),
            Io::Blocked => {}
            Io::Done(_) | Io::Ended | Io::Failed(_) => return false,
        }
    }
    true
}
