//! What people see: standard output and standard error, written whole and at once, without a buffer to forget.

use alloc::string::String;

use gorgon_sys::{BorrowedFd, Errno, Io, describe, standard_error, standard_output, wait_writable, write};

use crate::text::columns::push_visible;
use crate::text::join::joined;
use crate::text::split::split_once;

/// How long a reader who takes nothing is waited for while there is something better to do, in milliseconds.
const PATIENCE: u32 = 500;
/// What a pipe takes at once when it takes anything (POSIX promises 512).
const PIECE: usize = 512;

/// Writes to standard output, and waits for as long as it takes; says whether it was taken. That nobody reads it is
/// nobody's fault; anything else is told on standard error.
pub fn say(text: &str) -> bool {
    let outcome = put(standard_output(), text.as_bytes(), u32::MAX / 2);
    if let Err(error) = outcome {
        if error != Errno::PIPE {
            complain(&joined(&["gorgon: standard output: ", &describe(error), "\n"]));
        }
    }
    outcome.is_ok()
}

/// Writes to standard output, unless nobody reads it: a server must not wait for its reader, nor turn deaf to signals.
pub fn report(text: &str) {
    show(standard_output(), text);
}

/// Writes to standard error, unless nobody reads it. That nobody listens cannot be told to anybody.
pub fn complain(text: &str) {
    show(standard_error(), text);
}

#[inline(never)]
fn show(fd: BorrowedFd<'_>, text: &str) {
    let _unread = put(fd, visible(text).as_bytes(), PATIENCE);
}

/// Lines as they may be shown: what files, the environment or others say in them commands no terminal.
#[must_use]
#[inline(never)]
pub fn visible(text: &str) -> String {
    let (mut shown, mut rest) = (String::new(), text);
    while let Some((line, more)) = split_once(rest, "\n") {
        push_visible(line.as_bytes(), &mut shown);
        shown.push('\n');
        rest = more;
    }
    push_visible(rest.as_bytes(), &mut shown);
    shown
}

/// Writes all of it, as the reader takes it; a descriptor that others set to not block makes no difference.
fn put(fd: BorrowedFd<'_>, mut bytes: &[u8], patience: u32) -> Result<(), Errno> {
    while !bytes.is_empty() {
        if !wait_writable(fd, patience) {
            return Err(Errno::PIPE);
        }
        let piece = bytes.get(..PIECE.min(bytes.len())).unwrap_or(bytes);
        match write(fd, piece) {
            Io::Done(count) if count > 0 => bytes = bytes.get(count..).unwrap_or(&[]),
            Io::Blocked => {}
            Io::Done(_) | Io::Ended => return Err(Errno::PIPE),
            Io::Failed(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_stay_and_command_nothing() {
        for (text, shown) in [
            ("", ""),
            ("a\nb\n", "a\nb\n"),
            ("\n\na", "\n\na"),
            (
                "\x1b[31mx\x07\r\n\u{9b}\u{202e}\u{e9}",
                "\\x1b[31mx\\x07\\x0d\n\\xc2\\x9b\\xe2\\x80\\xae\u{e9}",
            ),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
