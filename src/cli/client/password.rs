//! The password that a login wants: of a file, or typed at the terminal.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use gorgon_sys::terminal::{Guard, Mode, open_terminal};
use gorgon_sys::{AsFd, Io};

use super::Failure;
use super::options::Options;
use crate::text::columns::push_visible;

/// The longest password that is read, in bytes.
const PASSWORD: usize = 1024;

/// The password: the first line of the file that was named, or what is typed at the terminal, unseen.
///
/// # Errors
/// That there is none, or that others can read it.
pub fn password(options: &Options, prompt: &str) -> Result<Vec<u8>, Failure> {
    let mut text = match &options.password_file {
        Some(path) => {
            let mut name = String::new();
            push_visible(path, &mut name);
            let failed = |error| Failure::usage(&[&name, ": ", &gorgon_sys::describe(error)]);
            let stat = gorgon_sys::stat_path(path.as_slice()).map_err(failed)?;
            if stat.kind == gorgon_sys::FileKind::File && stat.mode & 0o077 != 0 {
                return Err(Failure::usage(&[&name, ": others can read it; make it 0600"]));
            }
            gorgon_sys::read_stream(path.as_slice(), PASSWORD).map_err(failed)?
        }
        None => typed(prompt)?,
    };
    let end = text.iter().position(|&byte| matches!(byte, b'\n' | b'\r')).unwrap_or(text.len());
    text.truncate(end);
    if text.is_empty() {
        return Err(Failure::usage(&["without a password there is no login"]));
    }
    Ok(text)
}

/// A line typed at the terminal, which shows none of it.
fn typed(prompt: &str) -> Result<Vec<u8>, Failure> {
    let no_terminal =
        |_| Failure::usage(&["a password is wanted and there is no terminal to ask at: use --password-file"]);
    let terminal = open_terminal().map_err(no_terminal)?;
    let _guard = Guard::take(terminal.as_fd(), Mode::Silent, b"", b"").map_err(no_terminal)?;
    let _shown = gorgon_sys::write(terminal.as_fd(), prompt.as_bytes());
    let mut line = vec![0; PASSWORD];
    let count = if let Io::Done(count) = gorgon_sys::read(terminal.as_fd(), &mut line) { count } else { 0 };
    line.truncate(count);
    Ok(line)
}
