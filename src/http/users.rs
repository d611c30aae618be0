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

use std::ops::Range;

use crate::text::base64;
use crate::text::number::push_decimal_str;

/// The longest file, in bytes.
pub const FILE_MAX: usize = 1 << 20;
/// The most users.
const USERS_MAX: usize = 10_000;
/// The longest name in bytes.
const NAME_MAX: usize = 255;

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
        let text = str::from_utf8(hash).ok()?;
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
    fn weight(self, hash: &str) -> u64 {
        let parameter = hash.split('$').nth(2).unwrap_or_default();
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

/// One user.
#[derive(Clone)]
struct User {
    name: Range<u32>,
    hash: Range<u32>,
    line: u32,
    scheme: Scheme,
}

/// The users of a file. Names and hashes lie in its text.
#[derive(Default)]
pub struct Users {
    text: Vec<u8>,
    /// By name.
    list: Vec<User>,
    /// Where the costliest hash is in the list.
    costliest: usize,
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
        let mut users = Users { text: Vec::new(), list: Vec::new(), costliest: 0 };
        let (mut at, mut number) = (0, 0);
        for line in text.split(|byte| *byte == b'\n') {
            number += 1;
            let start = at;
            at += line.len() + 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.trim_ascii().is_empty() || line.first() == Some(&b'#') {
                continue;
            }
            let (name, hash, scheme) =
                parse_line(line).map_err(|expected| Problem { line: number, expected })?;
            if users.list.len() == USERS_MAX {
                return Err(problem(number, "expected at most 10000 users"));
            }
            // The file has at most 1 MiB.
            let place = |range: Range<usize>| (start + range.start) as u32..(start + range.end) as u32;
            users.list.push(User { name: place(name), hash: place(hash), line: number, scheme });
        }
        users.text = text;
        let Users { text, list, .. } = &mut users;
        list.sort_by(|one, two| (slice(text, &one.name), one.line).cmp(&(slice(text, &two.name), two.line)));
        for pair in list.windows(2) {
            if let [one, two] = pair {
                if slice(text, &one.name) == slice(text, &two.name) {
                    let mut expected = "expected each name once, this one is in line ".to_owned();
                    push_decimal_str(one.line.into(), &mut expected);
                    return Err(Problem { line: two.line, expected });
                }
            }
        }
        let weight =
            |user: &User| user.scheme.weight(str::from_utf8(slice(text, &user.hash)).unwrap_or_default());
        let costliest = list.iter().enumerate().max_by_key(|(_, user)| weight(user));
        users.costliest = costliest.map_or(0, |(number, _)| number);
        Ok(users)
    }

    /// The hash of a user's password.
    #[must_use]
    pub fn find(&self, name: &[u8]) -> Option<Hash<'_>> {
        let found = self.list.binary_search_by(|user| slice(&self.text, &user.name).cmp(name)).ok()?;
        self.list.get(found).map(|user| self.hash(user))
    }

    /// The hash that takes longest to check: what is checked for a name that is not there, so that the time does not
    /// tell. (In a file of several schemes it still tells who has a cheaper one.)
    #[must_use]
    pub fn costliest(&self) -> Option<Hash<'_>> {
        self.list.get(self.costliest).map(|user| self.hash(user))
    }

    /// The first hash of each scheme, by line.
    #[must_use]
    pub fn schemes(&self) -> Vec<Hash<'_>> {
        let mut found: Vec<Hash<'_>> = Vec::new();
        for user in &self.list {
            match found.iter_mut().find(|hash| hash.scheme == user.scheme) {
                Some(hash) if hash.line > user.line => *hash = self.hash(user),
                Some(_) => {}
                None => found.push(self.hash(user)),
            }
        }
        found.sort_by_key(|hash| hash.line);
        found
    }

    fn hash(&self, user: &User) -> Hash<'_> {
        Hash { text: slice(&self.text, &user.hash), scheme: user.scheme, line: user.line }
    }
}

fn slice<'a>(text: &'a [u8], range: &Range<u32>) -> &'a [u8] {
    text.get(range.start as usize..range.end as usize).unwrap_or(&[])
}

fn problem(line: u32, expected: &str) -> Problem {
    Problem { line, expected: expected.to_owned() }
}

/// Where name and hash are in a line, and the hash's scheme.
fn parse_line(line: &[u8]) -> Result<(Range<usize>, Range<usize>, Scheme), String> {
    let colon = line.iter().position(|byte| *byte == b':').unwrap_or(0);
    let (name, rest) = line.split_at_checked(colon).unwrap_or((line, &[]));
    if colon == 0 || name.len() > NAME_MAX || name.iter().any(u8::is_ascii_control) {
        return Err("expected name:hash, with a name of 1 to 255 bytes".to_owned());
    }
    let rest = rest.get(1..).unwrap_or(&[]);
    let length = rest.iter().position(|byte| *byte == b':').unwrap_or(rest.len());
    let hash = rest.get(..length).unwrap_or(rest);
    match Scheme::of(hash) {
        Some(scheme) => Ok((0..colon, colon + 1..colon + 1 + length, scheme)),
        None => Err(unknown(hash)),
    }
}

/// Says what is wrong with a hash. What may be a password is not repeated.
fn unknown(hash: &[u8]) -> String {
    let sign = match hash {
        [b'$', rest @ ..] => rest.iter().position(|byte| *byte == b'$').and_then(|end| hash.get(..end + 2)),
        [b'{', ..] => hash.iter().position(|byte| *byte == b'}').and_then(|end| hash.get(..=end)),
        _ => None,
    };
    let plain = |sign: &&str| {
        sign.len() <= 16 && sign.bytes().all(|b| b.is_ascii_alphanumeric() || b"${}-".contains(&b))
    };
    let known = ["$2a$", "$2b$", "$2y$", "$5$", "$6$", "$y$", "$1$", "$apr1$", "{SHA}"];
    match sign.and_then(|sign| str::from_utf8(sign).ok()).filter(plain) {
        Some(sign) if known.contains(&sign) => ["expected a whole hash after ", sign].concat(),
        Some(sign) => ["expected a hash of bcrypt or another scheme of crypt(3), found ", sign].concat(),
        None => "expected the hash of a password, such as htpasswd -B makes".to_owned(),
    }
}

#[cfg(test)]
mod tests;
