//! What the helper process does: it checks one password after the other, until the server is gone.
//!
//! A question is its length, two bytes, the lower one first, then the hash and the password, each with a NUL after it,
//! which neither can have in it. The answer is one byte.

use alloc::vec;
use alloc::vec::Vec;
use core::ffi::CStr;

use gorgon_sys::{AsFd, Crypt, Io, OwnedFd, read, write};

use super::super::super::password;

/// The password is not the one.
pub const NO: u8 = 0;
/// It is.
pub const YES: u8 = 1;
/// The hash's scheme is not known here.
pub const UNKNOWN: u8 = 2;

/// The longest password that crypt(3) takes (`CRYPT_MAX_PASSPHRASE_SIZE` with its NUL). A longer one is nobody's.
const PASSWORD_MAX: usize = 511;

/// Writes a question.
pub fn question(hash: &[u8], password: &[u8]) -> Vec<u8> {
    // Both are bounded by what holds them, far below.
    let length = (hash.len() + password.len() + 2) as u16;
    [&length.to_le_bytes(), hash, b"\0", password, b"\0"].concat()
}

/// Answers questions until the socket ends. Runs in the helper process.
pub fn work(socket: OwnedFd) {
    let crypt = Crypt::load();
    let mut length = [0; 2];
    while fill(&socket, &mut length) {
        let mut text = vec![0; u16::from_le_bytes(length).into()];
        if !fill(&socket, &mut text) || write(socket.as_fd(), &[answer(crypt.as_ref(), &text)]) != Io::Done(1)
        {
            return;
        }
    }
}

fn answer(crypt: Option<&Crypt>, text: &[u8]) -> u8 {
    let Ok(hash) = CStr::from_bytes_until_nul(text) else { return NO };
    let rest = text.get(hash.count_bytes() + 1..).unwrap_or(&[]);
    let Ok(password) = CStr::from_bytes_with_nul(rest) else { return NO };
    if password.count_bytes() > PASSWORD_MAX {
        return NO;
    }
    let found = password::check(password.to_bytes(), hash.to_bytes());
    match found.or_else(|| crypt?.check(password, hash)) {
        Some(true) => YES,
        Some(false) => NO,
        None => UNKNOWN,
    }
}

/// Reads until a buffer is full; says whether it is.
fn fill(socket: &OwnedFd, mut room: &mut [u8]) -> bool {
    while !room.is_empty() {
        match read(socket.as_fd(), room) {
            Io::Done(count) => room = room.get_mut(count..).unwrap_or_default(),
            Io::Blocked | Io::Ended | Io::Failed(_) => return false,
        }
    }
    true
}
