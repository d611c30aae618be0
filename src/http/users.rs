//! A file of users, in the form of `htpasswd`: `name:hash` a line, with `#` before what is a comment.
//!
//! | hash | scheme | made by |
//! |---|---|---|
//! | `$2a$ $2b$ $2y$` | bcrypt | `htpasswd -B` |
//! | `$5$`, `$6$` | SHA-crypt | `htpasswd -2`, `-5`, `openssl passwd -6` |
//! | `$y$` | yescrypt | `mkpasswd` |
//! | `$1$` | MD5-crypt | `openssl passwd -1` |
//! | `$apr1$` | MD5 as Apache has it | `htpasswd` |
//! | `{SHA}` | SHA-1, once | `htpasswd -s` |
//! | 13 characters | DES-crypt | `htpasswd -d` |
//!
//! Fields after the hash are passed over, as nginx does it.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::text::base64;
use crate::text::number::push_decimal_str;

/// The longest file, in bytes.
pub const FILE_MAX: usize = 1 << 20;
/// The most users.
const USERS_MAX: usize = 10_000;
/// What a line is.
const NAME: &str = "expected name:hash, with a name of 1 to 255 bytes";

/// How a password was hashed.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Scheme {
    /// `$2a$`, `$2b$`, `$2y$`.
    Bcrypt,
    /// `$5$`.
    Sha256,
    /// `$6$`.
    Sha512,
    /// `$y$`.
    Yescrypt,
    /// `$1$`.
    Md5,
    /// `$apr1$`.
    Apache,
    /// `{SHA}`.
    Sha1,
    /// 13 characters without a sign.
    Des,
}

impl Scheme {
    /// What people call it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Scheme::Bcrypt => "bcrypt ($2y$)",
            Scheme::Sha256 => "SHA-256 ($5$)",
            Scheme::Sha512 => "SHA-512 ($6$)",
            Scheme::Yescrypt => "yescrypt ($y$)",
            Scheme::Md5 => "MD5 ($1$)",
            Scheme::Apache => "MD5 ($apr1$)",
            Scheme::Sha1 => "{SHA}",
            Scheme::Des => "DES",
        }
    }

    /// The scheme of a hash that has its form.
    #[must_use]
    pub fn of(hash: &[u8]) -> Option<Scheme> {
        let text = core::str::from_utf8(hash).ok()?;
        if let Some(digest) = text.strip_prefix("{SHA}") {
            let mut bytes = Vec::new();
            let good =
                digest.len() == 28 && base64::decode(digest.as_bytes(), &mut bytes) && bytes.len() == 20;
            return good.then_some(Scheme::Sha1);
        }
        let Some(rest) = text.strip_prefix('$') else {
            return (text.len() == 13 && is_crypt(text)).then_some(Scheme::Des);
        };
        let (sign, rest) = rest.split_once('$')?;
        let (salt, digest) = rest.rsplit_once('$')?;
        let (scheme, salt_max, length) = match sign {
            "2a" | "2b" | "2y" => {
                // The salt and the digest stand together.
                let good = salt.len() == 2 && cost(salt) > 0 && digest.len() == 53 && is_crypt(digest);
                return good.then_some(Scheme::Bcrypt);
            }
            "y" => {
                let (parameters, salt) = salt.split_once('$')?;
                let good = [parameters, salt].iter().all(|text| text.len() <= 86 && is_crypt(text));
                return (good && digest.len() == 43 && is_crypt(digest)).then_some(Scheme::Yescrypt);
            }
            "5" => (Scheme::Sha256, 16, 43),
            "6" => (Scheme::Sha512, 16, 86),
            "1" => (Scheme::Md5, 8, 22),
            "apr1" => (Scheme::Apache, 8, 22),
            _ => return None,
        };
        let salt = match salt.split_once('$') {
            Some((rounds, salt))
                if matches!(scheme, Scheme::Sha256 | Scheme::Sha512) && sha_rounds(rounds) > 0 =>
            {
                salt
            }
            Some(_) => return None,
            None => salt,
        };
        let graphic = salt.bytes().all(|byte| byte.is_ascii_graphic());
        (salt.len() <= salt_max && graphic && digest.len() == length && is_crypt(digest)).then_some(scheme)
    }

    /// About how long it takes to check, in microseconds: to find the costliest, no more.
    fn weight(self, hash: &[u8]) -> u64 {
        let parameter =
            hash.split(|byte| *byte == b'$').nth(2).and_then(|text| core::str::from_utf8(text).ok());
        let parameter = parameter.unwrap_or_default();
        match self {
            Scheme::Bcrypt => cost(parameter) * 40,
            Scheme::Sha256 | Scheme::Sha512 => match sha_rounds(parameter) {
                0 => 5000,
                rounds => rounds,
            },
            Scheme::Yescrypt => 50_000,
            Scheme::Md5 | Scheme::Apache => 500,
            Scheme::Sha1 => 1,
            Scheme::Des => 5,
        }
    }
}

/// The letters of crypt(3), which are not in the order of base64.
fn is_crypt(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/'))
}

/// The rounds that two digits of bcrypt stand for; 0 when they stand for none.
fn cost(digits: &str) -> u64 {
    match digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>()) {
        Some(Ok(exponent @ 4..=31)) => 1 << exponent,
        _ => 0,
    }
}

/// The rounds that `rounds=N` says; 0 when it is something else.
fn sha_rounds(text: &str) -> u64 {
    let digits = text.strip_prefix("rounds=").unwrap_or_default();
    match digits.len() <= 9 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        true => digits.parse().unwrap_or(0),
        false => 0,
    }
}

/// What is wrong with a file.
#[cfg_attr(test, derive(Debug, PartialEq, Eq))]
pub struct Problem {
    /// The line, from 1; 0 for the file itself.
    pub line: u32,
    /// What was expected, and what was found if that may be told.
    pub expected: String,
}

/// One user: where the name begins in the text, how long it is, and how long the hash is that follows its colon.
#[derive(Clone, Copy)]
struct User {
    at: u32,
    name: u8,
    hash: u8,
}

/// The users of a file. Names and hashes lie in its text.
#[derive(Default)]
pub struct Users {
    text: Vec<u8>,
    /// By name.
    list: Vec<User>,
    costliest: Option<User>,
}

/// A hash and where it stands.
#[derive(Clone, Copy)]
pub struct Hash<'a> {
    /// As it stands.
    pub text: &'a [u8],
    /// Its scheme.
    pub scheme: Scheme,
    /// Its line, from 1.
    pub line: u32,
}

impl Users {
    /// Reads a file's text.
    ///
    /// # Errors
    /// The first line that is wrong.
    pub fn parse(text: Vec<u8>) -> Result<Users, Problem> {
        if text.len() > FILE_MAX {
            return Err(problem(0, "expected at most 1 MiB"));
        }
        let mut users = Users { text, ..Users::default() };
        let (mut at, mut number, mut most) = (0, 0, 0);
        while let Some(rest) = users.text.get(at..).filter(|rest| !rest.is_empty()) {
            number += 1;
            let start = at as u32;
            let line =
                rest.iter().position(|byte| *byte == b'\n').and_then(|end| rest.get(..end)).unwrap_or(rest);
            at += line.len() + 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.trim_ascii().is_empty() || line.first() == Some(&b'#') {
                continue;
            }
            let (name, hash, weight) =
                parse_line(line).map_err(|expected| Problem { line: number, expected })?;
            if users.list.len() == USERS_MAX {
                return Err(problem(number, "expected at most 10000 users"));
            }
            // Both are at most 255 bytes long.
            let user = User { at: start, name: name.len() as u8, hash: hash.len() as u8 };
            let place = match users.place(name) {
                Err(place) => place,
                Ok(place) => {
                    let mut expected = "expected each name once, this one is in line ".to_owned();
                    let before = users.list.get(place).map_or(0, |before| users.line(*before));
                    push_decimal_str(before.into(), &mut expected);
                    return Err(Problem { line: number, expected });
                }
            };
            // Each costs the moving of those behind it, of 8 bytes each: less code than a sort, and quick enough.
            users.list.insert(place, user);
            if weight > most {
                most = weight;
                users.costliest = Some(user);
            }
        }
        Ok(users)
    }

    /// The hash of a user's password.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Hash<'_>> {
        let place = self.place(name).ok()?;
        self.list.get(place).and_then(|user| self.hash(*user))
    }

    /// The hash that takes longest to check: what is checked for a name that is not there, so that the time does not
    /// tell. (In a file of several schemes it still tells who has a cheaper one.)
    #[must_use]
    pub fn costliest(&self) -> Option<Hash<'_>> {
        self.hash(self.costliest?)
    }

    /// The first hash of each scheme, by line.
    #[must_use]
    pub fn schemes(&self) -> Vec<Hash<'_>> {
        let mut found: Vec<Hash<'_>> = Vec::new();
        for hash in self.list.iter().filter_map(|user| self.hash(*user)) {
            match found.iter_mut().find(|other| other.scheme == hash.scheme) {
                Some(other) if other.line > hash.line => *other = hash,
                Some(_) => {}
                None => found.push(hash),
            }
        }
        found
    }

    /// Where a name is in the list, or would be.
    fn place(&self, name: &[u8]) -> Result<usize, usize> {
        self.list.binary_search_by(|user| self.part(user.at, 0, user.name).cmp(name))
    }

    fn hash(&self, user: User) -> Option<Hash<'_>> {
        let text = self.part(user.at, usize::from(user.name) + 1, user.hash);
        Some(Hash { text, scheme: Scheme::of(text)?, line: self.line(user) })
    }

    fn line(&self, user: User) -> u32 {
        let before = self.text.get(..user.at as usize).unwrap_or(&[]);
        1 + before.iter().filter(|byte| **byte == b'\n').count() as u32
    }

    fn part(&self, at: u32, skip: usize, length: u8) -> &[u8] {
        let from = at as usize + skip;
        self.text.get(from..from + usize::from(length)).unwrap_or(&[])
    }
}

fn problem(line: u32, expected: &str) -> Problem {
    Problem { line, expected: expected.to_owned() }
}

/// Name and hash of a line, and what the hash costs.
fn parse_line(line: &[u8]) -> Result<(&[u8], &[u8], u64), String> {
    let mut parts = line.split(|byte| *byte == b':');
    let (name, hash) = (parts.next().unwrap_or(&[]), parts.next());
    let (Some(hash), 1..=255) = (hash, name.len()) else { return Err(NAME.to_owned()) };
    if name.iter().any(u8::is_ascii_control) {
        return Err(NAME.to_owned());
    }
    match Scheme::of(hash) {
        Some(scheme) if hash.len() <= 255 => Ok((name, hash, scheme.weight(hash))),
        _ => Err(unknown(hash)),
    }
}

/// Says what is wrong with a hash. What may be a password is not repeated.
fn unknown(hash: &[u8]) -> String {
    // A scheme's sign is short: `$argon2id$`, `{SSHA}`.
    let sign = match hash {
        [open @ (b'$' | b'{'), rest @ ..] => {
            let close = if *open == b'$' { b'$' } else { b'}' };
            let end = rest.iter().position(|byte| *byte == close).filter(|end| (1..=10).contains(end));
            end.and_then(|end| hash.get(..end + 2)).filter(|sign| {
                sign.iter()
                    .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'$' | b'{' | b'}' | b'-'))
            })
        }
        _ => None,
    };
    let mut text = "expected the whole hash of a password, such as htpasswd -B makes".to_owned();
    if let Some(sign) = sign.and_then(|sign| core::str::from_utf8(sign).ok()) {
        text.push_str(", found one of the scheme ");
        text.push_str(sign);
    }
    text
}

#[cfg(test)]
mod tests;
