//! A file of keys: who may log in to a monitor by TCP, and as what. One line for each user, `#` before what is a comment.
//!
//! ```text
//! USER:ROLE:ITERATIONS:SALT:KEY      salt and key in hexadecimal digits; `gorgon passwd --monitor` makes it
//! legacy:ROLE:PASSWORD               for Medusa's handshake, which cannot do without the clear text; no role is view
//! ```
//! A key is as good as the password for this monitor, so nobody else may be able to read the file.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::login::proof::{self, Bytes, ITERATIONS, ITERATIONS_RANGE, LENGTH};
use super::request::is_name;
use super::roles;
use crate::text::hex::{push_hex, read_hex};
use crate::text::number::{parse_decimal, push_decimal_str};
use crate::text::split::until;
use crate::tree::Role;

/// The longest file, in bytes.
pub const FILE_MAX: usize = 64 * 1024;
/// The longest name of a user, in bytes.
pub const USER_MAX: usize = 64;
/// The user of lines for Medusa's handshake.
pub const LEGACY: &str = "legacy";
/// The longest password of such a line, in bytes.
pub const PASSWORD_MAX: usize = 255;
/// Bytes of the salts that are made here.
pub const SALT: usize = 16;
/// The fewest bytes that a salt may have; it has [`LENGTH`] at most.
const SALT_MIN: usize = 8;

const FORM: &str = "expected USER:ROLE:ITERATIONS:SALT:KEY, as gorgon passwd --monitor USER prints it";
const LEGACY_FORM: &str = "expected legacy:ROLE:PASSWORD, with a password of 1 to 255 bytes";
const ROLE: &str = "expected the role view, operate or admin";
const USER: &str = "expected a user of 1 to 64 letters, digits and any of . _ - @";

/// What is wrong with a file. What may be a secret is not told.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Problem {
    /// The line, from 1; 0 for the file itself.
    pub line: u32,
    /// What was expected.
    pub expected: &'static str,
}

/// The key of a user.
struct Entry {
    user: String,
    role: Role,
    iterations: u32,
    salt: Vec<u8>,
    key: Bytes,
}

/// A password for Medusa's handshake.
struct Legacy {
    role: Role,
    password: Vec<u8>,
}

/// The keys of a monitor.
#[derive(Default)]
pub struct Keys {
    entries: Vec<Entry>,
    legacy: Vec<Legacy>,
}

/// What a user has to prove, and what it is good for.
pub struct Challenge {
    /// What the key was made with.
    pub salt: Vec<u8>,
    /// See `salt`.
    pub iterations: u32,
    /// What has to be known.
    pub key: Bytes,
    /// What the user may then do; none for one who is not there, whatever is proved.
    pub role: Option<Role>,
}

impl Keys {
    /// Reads a file's text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: &[u8]) -> Result<Keys, Problem> {
        if text.len() > FILE_MAX {
            return Err(Problem { line: 0, expected: "expected at most 64 KiB" });
        }
        let mut keys = Keys::default();
        let (mut rest, mut number) = (text, 0);
        while !rest.is_empty() {
            let line = until(&mut rest, b'\n').unwrap_or_else(|| core::mem::take(&mut rest));
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            number += 1;
            if !line.trim_ascii().is_empty() && line.first() != Some(&b'#') {
                keys.add(line).map_err(|expected| Problem { line: number, expected })?;
            }
        }
        Ok(keys)
    }

    /// One user whose password is known: for a monitor that asks for it when it starts. `legacy` makes a password for
    /// Medusa's handshake of it instead. Takes a tenth of a second.
    #[must_use]
    pub fn of_password(user: &str, role: Role, password: &[u8], salt: [u8; SALT], legacy: bool) -> Keys {
        let mut keys = Keys::default();
        if legacy {
            keys.legacy.push(Legacy { role, password: password.to_owned() });
        } else {
            let key = proof::key(password, &salt, ITERATIONS);
            let (user, salt) = (user.to_owned(), salt.to_vec());
            keys.entries.push(Entry { user, role, iterations: ITERATIONS, salt, key });
        }
        keys
    }

    /// Whether nobody can log in with a key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether nobody can log in by Medusa's handshake.
    #[must_use]
    pub fn has_no_legacy(&self) -> bool {
        self.legacy.is_empty()
    }

    /// What a user has to prove. One who is not there gets a salt that is the same each time, and as many iterations as
    /// one who is there, so that nobody can tell by asking.
    #[must_use]
    pub fn challenge(&self, user: &[u8]) -> Challenge {
        let found = self.entry(user);
        // Made in either case, for the time must not tell either. The secret is one that the file keeps for as long as
        // its first user keeps the password.
        let secret = self.entries.first().map_or(&[0; LENGTH], |first| &first.key);
        let made = proof::mac(secret, &[b"salt\n", user]);
        // Not the bytes that choose the model, but others that follow from the same.
        let salt = proof::mac(secret, &[b"bytes\n", user]);
        let model = usize::from(u16::from_be_bytes([made[0], made[1]])).checked_rem(self.entries.len());
        let like = found.or(model.and_then(|at| self.entries.get(at)));
        let length = like.map_or(SALT, |entry| entry.salt.len());
        Challenge {
            salt: found.map_or(&salt[..], |entry| &entry.salt).get(..length).unwrap_or_default().to_owned(),
            iterations: like.map_or(ITERATIONS, |entry| entry.iterations),
            key: found.map_or(made, |entry| entry.key),
            role: found.map(|entry| entry.role),
        }
    }

    /// What a user may who got that role before; nothing for one who would not be let in any more.
    #[must_use]
    pub fn role(&self, user: &str, held: Role) -> Option<Role> {
        if user == LEGACY {
            return self.legacy.iter().any(|legacy| legacy.role == held).then_some(held);
        }
        self.entry(user.as_bytes()).map(|entry| entry.role)
    }

    /// The key of a user.
    #[inline(never)]
    fn entry(&self, user: &[u8]) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.user.as_bytes() == user)
    }

    /// Passwords for Medusa's handshake, and what they are good for.
    pub fn legacy(&self) -> impl Iterator<Item = (&[u8], Role)> {
        self.legacy.iter().map(|legacy| (&*legacy.password, legacy.role))
    }

    fn add_legacy(&mut self, role: Role, password: &[u8]) -> Result<(), &'static str> {
        if !is_password(password) {
            return Err(LEGACY_FORM);
        }
        if self.legacy.iter().any(|legacy| legacy.password == password) {
            return Err("expected each password once, for it alone tells the role");
        }
        self.legacy.push(Legacy { role, password: password.to_owned() });
        Ok(())
    }

    #[inline(never)]
    fn add(&mut self, mut line: &[u8]) -> Result<(), &'static str> {
        let (user, role) = (until(&mut line, b':').ok_or(FORM)?, until(&mut line, b':').ok_or(FORM)?);
        let user = core::str::from_utf8(user).unwrap_or_default();
        let legacy = user == LEGACY;
        if !legacy && !is_user(user) {
            return Err(USER);
        }
        let role = if legacy && role.is_empty() { Role::View } else { roles::parse(role).ok_or(ROLE)? };
        if legacy {
            return self.add_legacy(role, line);
        }
        let (iterations, salt) = (until(&mut line, b':').ok_or(FORM)?, until(&mut line, b':').ok_or(FORM)?);
        if line.contains(&b':') {
            return Err(FORM);
        }
        let iterations = parse_decimal(iterations).unwrap_or(0).min(u32::MAX.into()) as u32;
        if !ITERATIONS_RANGE.contains(&iterations) {
            return Err("expected 4096 to 10000000 iterations");
        }
        let mut room = [0; LENGTH];
        let length = read_hex(salt, &mut room).unwrap_or(0);
        let salt = room.get(..length).unwrap_or_default();
        if salt.len() < SALT_MIN {
            return Err("expected a salt of 8 to 32 bytes, in hexadecimal digits");
        }
        let mut key = [0; LENGTH];
        if read_hex(line, &mut key).unwrap_or(0) != LENGTH {
            return Err("expected a key of 32 bytes, in hexadecimal digits");
        }
        if self.entry(user.as_bytes()).is_some() {
            return Err("expected each user once");
        }
        self.entries.push(Entry { user: user.to_owned(), role, iterations, salt: salt.to_owned(), key });
        Ok(())
    }
}

/// Whether a name can be that of a user with a key.
#[must_use]
pub fn is_user(name: &str) -> bool {
    name != LEGACY && is_name(name, b"._-@", USER_MAX)
}

/// Whether a password can stand in a line for Medusa's handshake.
#[must_use]
pub fn is_password(password: &[u8]) -> bool {
    (1..=PASSWORD_MAX).contains(&password.len()) && !password.iter().any(|byte| b"\n\r\0".contains(byte))
}

/// Appends the line of a user, without its end.
pub fn print_line(user: &str, role: Role, password: &[u8], salt: &[u8], iterations: u32, out: &mut String) {
    out.push_str(user);
    out.push(':');
    out.push_str(roles::word(role));
    out.push(':');
    push_decimal_str(iterations.into(), out);
    for bytes in [salt, &proof::key(password, salt, iterations)] {
        out.push(':');
        let mut digits = Vec::new();
        push_hex(bytes, &mut digits);
        out.extend(digits.into_iter().map(char::from));
    }
}

#[cfg(test)]
#[path = "keys/tests.rs"]
mod tests;
