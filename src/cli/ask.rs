//! Asks for a password: at the terminal, where it is not shown, or else from whatever standard input is.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use gorgon_sys::terminal::{Guard, Mode};
use gorgon_sys::{Io, describe, is_terminal, pause, read, standard_input};

use super::terminal::complain;
use crate::text::join::joined;

/// The longest password, in bytes.
pub const PASSWORD_MAX: usize = 1024;

/// Whether somebody is there to be asked.
#[must_use]
pub fn can_ask() -> bool {
    is_terminal(standard_input())
}

/// Asks for a password, at a terminal twice.
///
/// # Errors
/// In one line: nothing was given, both were not the same, or the terminal's trouble.
pub fn ask_twice(prompt: &str) -> Result<Vec<u8>, String> {
    let first = ask(prompt)?;
    if can_ask() && ask("Once more: ")? != first {
        return Err("the two are not the same".to_owned());
    }
    Ok(first)
}

/// Asks for a password, once.
///
/// # Errors
/// As for [`ask_twice`].
pub fn ask(prompt: &str) -> Result<Vec<u8>, String> {
    let guard = if can_ask() {
        // The prompt is for the terminal, even where standard output leads elsewhere.
        let guard = Guard::take(standard_input(), Mode::Silent, b"", b"");
        let guard = guard.map_err(|error| joined(&["the terminal: ", &describe(error)]))?;
        complain(prompt);
        Some(guard)
    } else {
        None
    };
    let line = read_line();
    drop(guard);
    let line = line?;
    if line.is_empty() { Err("expected a password".to_owned()) } else { Ok(line) }
}

/// Reads one line of standard input, and no byte more, for what follows may be somebody else's.
fn read_line() -> Result<Vec<u8>, String> {
    let mut line = Vec::with_capacity(PASSWORD_MAX + 1);
    let mut byte = [0];
    loop {
        match read(standard_input(), &mut byte) {
            Io::Done(_) if byte == *b"\n" => break,
            Io::Done(_) if line.len() > PASSWORD_MAX => {
                return Err("expected a password of at most 1024 bytes".to_owned());
            }
            Io::Done(_) => line.extend_from_slice(&byte),
            // Others set it so.
            Io::Blocked => pause(10),
            Io::Ended => break,
            Io::Failed(error) => return Err(joined(&["standard input: ", &describe(error)])),
        }
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(line)
}
