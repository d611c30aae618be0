//! The login of one who comes by TCP. Pure: bytes in, bytes out, and at the end who it is, or why not.
//!
//! ```text
//!  strong    gorgon-monitor 1 hmac-sha256 NONCE ──▶
//!            ◀── auth USER NONCE          salt SALT ITERATIONS ──▶
//!            ◀── proof HEX                     ok ROLE HEX ──▶
//!
//!   Greeted ── auth ──▶ Salted ── proof, right ──▶ Over: In
//!      │                  │
//!      └──── else ────────┴──▶ Over: Out
//!
//!  Medusa's  CHALLENGE CR LF ──▶        ◀── hex(MD5(CHALLENGE PASSWORD)) CR LF
//!
//!   Challenged ── right ──▶ Over: In
//!       └──────── else ───▶ Over: Out
//! ```
//! Lines end with LF or CR LF, and are at most [`INPUT_MAX`] bytes in all. A nonce is good for one connection and one
//! try, so that neither an answer that was listened to nor a second guess is any good. The client's proof tells nobody
//! the key who does not have it, and the server's tells the client that it has spoken with one who has it.
//!
//! Medusa's handshake is as weak as MD5 and as any password that is sent so; it is there for its clients. They take the
//! challenge as it is, so it holds 128 random bits behind the time that they expect. Medusa's own digits lack the zero
//! before a byte below 16: both forms are taken, in either case.

pub mod door;
pub mod proof;

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use self::proof::{Bytes, Side, parse_hex, proof, push_hex, same};
use super::keys::{Challenge, Keys, is_user};
use super::roles;
use crate::text::digest::md5;
use crate::text::number::{hex_digit, push_decimal};
use crate::tree::Role;

/// The most bytes that are read before somebody is logged in.
pub const INPUT_MAX: usize = 1024;
/// What a connection begins with, and the version of the protocol.
pub const GREETING: &str = "gorgon-monitor 1 hmac-sha256 ";
/// What Medusa says at the end of a session.
pub const FAREWELL: &[u8] = b"BCNU\r\n";
/// Random bytes of a nonce.
pub const NONCE: usize = 16;
/// Digits that a client's nonce may have.
const NONCES: core::ops::RangeInclusive<usize> = 16..=64;

/// What a piece of input led to.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Outcome {
    /// More has to come.
    More,
    /// Somebody is logged in. Input from here on is the session's.
    In {
        /// Who it is.
        user: String,
        /// What they may.
        role: Role,
    },
    /// Nobody is logged in, and will not be.
    Out(Why),
}

/// Why nobody is logged in.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Why {
    /// The proof or the answer was wrong, or there is no such user.
    Wrong,
    /// What came is no login.
    Syntax,
    /// It was too much.
    Limit,
}

impl Why {
    /// In words, for the log.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Wrong => "wrong password or user",
            Self::Syntax => "not the login's protocol",
            Self::Limit => "more than 1024 bytes",
        }
    }
}

/// What is known of who logs in, once they have said it.
struct Known {
    user: String,
    client_nonce: Vec<u8>,
    challenge: Challenge,
}

enum State {
    Greeted,
    Salted(Box<Known>),
    Challenged,
    Over,
}

/// One login.
pub struct Login {
    state: State,
    /// The nonce or challenge as it was sent.
    nonce: Vec<u8>,
    legacy: bool,
    /// Bytes used so far.
    taken: usize,
}

impl Login {
    /// A login by key, with a nonce that nobody can guess.
    #[must_use]
    pub fn strong(random: [u8; NONCE]) -> Login {
        let mut nonce = Vec::with_capacity(2 * NONCE);
        push_hex(&random, &mut nonce);
        Login { state: State::Greeted, nonce, legacy: false, taken: 0 }
    }

    /// A login by Medusa's handshake, at a time in seconds since 1970.
    #[must_use]
    pub fn legacy(unix_seconds: i64, random: [u8; NONCE]) -> Login {
        let mut nonce = Vec::new();
        push_decimal(unix_seconds.unsigned_abs(), &mut nonce);
        nonce.push(b'.');
        push_hex(&random, &mut nonce);
        Login { state: State::Challenged, nonce, legacy: true, taken: 0 }
    }

    /// Whether it is Medusa's handshake.
    #[must_use]
    pub fn is_legacy(&self) -> bool {
        self.legacy
    }

    /// Appends what the server says first.
    pub fn greet(&self, out: &mut Vec<u8>) {
        if !self.legacy {
            out.extend_from_slice(GREETING.as_bytes());
        }
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(if self.legacy { b"\r\n" } else { b"\n" });
    }

    /// Who has said to be logging in.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        match &self.state {
            State::Salted(known) => Some(&known.user),
            State::Greeted | State::Challenged | State::Over => None,
        }
    }

    /// What one is told who is not let in.
    #[must_use]
    pub fn farewell(&self, why: Why) -> &'static [u8] {
        match (self.legacy, why) {
            (false, Why::Wrong | Why::Syntax) => b"error refused\n",
            (false, Why::Limit) => b"error limit expected a login of at most 1024 bytes\n",
            (true, Why::Limit) => FAREWELL,
            (true, Why::Wrong | Why::Syntax) => b"",
        }
    }

    /// Takes unread input, at most one line of it; gives how much it used, and appends what is to be answered. What it
    /// does not use comes again, with more behind it.
    pub fn feed(&mut self, input: &[u8], keys: &Keys, out: &mut Vec<u8>) -> (usize, Outcome) {
        let room = INPUT_MAX.saturating_sub(self.taken);
        let within = input.get(..room).unwrap_or(input);
        let Some(end) = within.iter().position(|byte| *byte == b'\n') else {
            // At the limit without an end: no byte more can bring one.
            let over = input.len() > room || (input.len() == room && !self.legacy);
            return if over { (input.len(), self.end(Why::Limit)) } else { (0, Outcome::More) };
        };
        let line = within.get(..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.taken += end + 1;
        let outcome = match core::mem::replace(&mut self.state, State::Over) {
            State::Greeted => self.auth(line, keys, out),
            State::Salted(known) => self.proof(line, *known, keys, out),
            State::Challenged => self.answer(line, keys),
            State::Over => Outcome::Out(Why::Syntax),
        };
        (end + 1, outcome)
    }

    fn enter(&mut self, state: State) {
        self.state = state;
    }

    fn end(&mut self, why: Why) -> Outcome {
        self.enter(State::Over);
        Outcome::Out(why)
    }

    /// `auth USER NONCE`
    fn auth(&mut self, line: &[u8], keys: &Keys, out: &mut Vec<u8>) -> Outcome {
        let Some((user, nonce)) = auth_words(line) else { return self.end(Why::Syntax) };
        let challenge = keys.challenge(user.as_bytes());
        out.extend_from_slice(b"salt ");
        push_hex(&challenge.salt, out);
        out.push(b' ');
        push_decimal(challenge.iterations.into(), out);
        out.push(b'\n');
        let known = Known { user: user.into(), client_nonce: nonce.into(), challenge };
        self.enter(State::Salted(Box::new(known)));
        Outcome::More
    }

    /// `proof HEX`
    fn proof(&mut self, line: &[u8], known: Known, keys: &Keys, out: &mut Vec<u8>) -> Outcome {
        let Known { user, client_nonce, challenge } = known;
        let of = |side| proof(&challenge.key, side, &self.nonce, &client_nonce, user.as_bytes());
        let given: Option<Bytes> = line.strip_prefix(b"proof ").and_then(parse_hex);
        let right = given.is_some_and(|given| same(&given, &of(Side::Client)));
        // The keys may have been read again since. What counts is what they say now.
        let now = keys.challenge(user.as_bytes());
        let stays = same(&now.key, &challenge.key);
        let (Some(role), true) = (now.role, right & stays) else {
            return self.end(if given.is_some() { Why::Wrong } else { Why::Syntax });
        };
        out.extend_from_slice(b"ok ");
        out.extend_from_slice(roles::word(role).as_bytes());
        out.push(b' ');
        push_hex(&of(Side::Server), out);
        out.push(b'\n');
        Outcome::In { user, role }
    }

    /// The answer to Medusa's challenge. The password alone tells who it is, so all are tried.
    fn answer(&mut self, line: &[u8], keys: &Keys) -> Outcome {
        let mut given = [0; 32];
        let Some(place) = given.get_mut(..line.len()) else { return self.end(Why::Wrong) };
        place.copy_from_slice(line);
        place.make_ascii_lowercase();
        let given = given.get(..line.len()).unwrap_or_default();
        let mut found = None;
        for (password, role) in keys.legacy() {
            let mut digest = [0; 16];
            let mut sum = md5();
            sum.add(&self.nonce);
            sum.add(password);
            sum.finish(&mut digest);
            let (mut padded, mut bare) = (Vec::new(), Vec::new());
            push_hex(&digest, &mut padded);
            for byte in digest {
                if byte > 15 {
                    bare.push(hex_digit(byte >> 4, b'a'));
                }
                bare.push(hex_digit(byte, b'a'));
            }
            if same(given, &padded) | same(given, &bare) {
                found = Some(role);
            }
        }
        match found {
            Some(role) => Outcome::In { user: super::keys::LEGACY.into(), role },
            None => self.end(Why::Wrong),
        }
    }
}

/// The user and the nonce of `auth USER NONCE`.
fn auth_words(line: &[u8]) -> Option<(&str, &str)> {
    let line = core::str::from_utf8(line).ok()?.strip_prefix("auth ")?;
    let (user, nonce) = line.split_once(' ')?;
    let good = NONCES.contains(&nonce.len()) && nonce.bytes().all(|byte| byte.is_ascii_hexdigit());
    // The name of the old handshake's lines is nobody's, and told apart by nothing.
    (good && (is_user(user) || user == super::keys::LEGACY)).then_some((user, nonce))
}

#[cfg(test)]
mod tests;
