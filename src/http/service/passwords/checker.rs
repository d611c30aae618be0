//! What the helper process does: it checks one password after the other, until the server is gone.
//!
//! A question is the length of the hash and of the password, two bytes each, the lowest first, then both. The answer is
//! one byte.

use std::ffi::CString;

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
    let length = |text: &[u8]| (text.len() as u16).to_le_bytes();
    [&length(hash), &length(password), hash, password].concat()
}

/// Answers questions until the socket ends. Runs in the helper process.
pub fn work(socket: OwnedFd) {
    let crypt = Crypt::load();
    let mut lengths = [0; 4];
    let mut text = Vec::new();
    while fill(&socket, &mut lengths) {
        let [a, b, c, d] = lengths;
        let (hash, password) = (u16::from_le_bytes([a, b]), u16::from_le_bytes([c, d]));
        text.clear();
        text.resize(usize::from(hash) + usize::from(password), 0);
        if !fill(&socket, &mut text) {
            return;
        }
        let Some((hash, password)) = text.split_at_checked(hash.into()) else { return };
        if write(socket.as_fd(), &[answer(crypt.as_ref(), hash, password)]) != Io::Done(1) {
            return;
        }
    }
}

fn answer(crypt: Option<&Crypt>, hash: &[u8], password: &[u8]) -> u8 {
    if password.len() > PASSWORD_MAX {
        return NO;
    }
    let found = password::check(password, hash).or_else(|| {
        let (hash, password) = (CString::new(hash).ok()?, CString::new(password).ok()?);
        crypt?.check(&password, &hash)
    });
    match found {
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
