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

use alloc::string::String;
use alloc::vec::Vec;

use self::proof::{Bytes, Side, proof, same};
use super::keys::{Keys, is_user};
use super::roles;
use crate::text::digest::md5;
use crate::text::hex::{parse_hex, push_hex};
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
    /// Somebody is logged in, and may do so much. Input from here on is the session's.
    In(Role),
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

    /// What one is told who is not let in.
    #[must_use]
    pub fn farewell(self, legacy: bool) -> &'static [u8] {
        match (legacy, self) {
            (false, Why::Wrong | Why::Syntax) => b"error refused\n",
            (false, Why::Limit) => b"error limit expected a login of at most 1024 bytes\n",
            (true, Why::Limit) => FAREWELL,
            (true, Why::Wrong | Why::Syntax) => b"",
        }
    }
}

#[derive(Clone, Copy)]
enum State {
    Greeted,
    Salted,
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
    /// Who has said to be logging in; empty before that.
    user: String,
    /// The nonce that they sent with it.
    client_nonce: Vec<u8>,
    /// What they have to know.
    key: Bytes,
}

impl Login {
    /// A login by key, with a nonce that nobody can guess.
    #[must_use]
    pub fn strong(random: [u8; NONCE]) -> Login {
        Login::new(None, random)
    }

    /// A login by Medusa's handshake, at a time in seconds since 1970.
    #[must_use]
    pub fn legacy(unix_seconds: i64, random: [u8; NONCE]) -> Login {
        Login::new(Some(unix_seconds), random)
    }

    /// A login by Medusa's handshake where there is a time, else by key.
    #[must_use]
    pub fn new(time: Option<i64>, random: [u8; NONCE]) -> Login {
        let mut nonce = Vec::new();
        if let Some(seconds) = time {
            push_decimal(seconds.unsigned_abs(), &mut nonce);
            nonce.push(b'.');
        }
        push_hex(&random, &mut nonce);
        Login {
            state: if time.is_some() { State::Challenged } else { State::Greeted },
            nonce,
            legacy: time.is_some(),
            taken: 0,
            user: String::new(),
            client_nonce: Vec::new(),
            key: [0; proof::LENGTH],
        }
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

    /// Who has said to be logging in, and then who is logged in; empty before that.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Takes unread input, at most one line of it; gives how much it used, and appends what is to be answered. What it
    /// does not use comes again, with more behind it.
    #[inline(never)]
    pub fn feed(&mut self, input: &[u8], keys: &Keys, out: &mut Vec<u8>) -> (usize, Outcome) {
        let room = INPUT_MAX.saturating_sub(self.taken);
        let within = input.get(..room).unwrap_or(input);
        let (used, outcome) = match within.iter().position(|byte| *byte == b'\n') {
            Some(end) => {
                let line = within.get(..end).unwrap_or_default();
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                let outcome = match self.state {
                    State::Greeted => self.auth(line, keys, out),
                    State::Salted => self.prove(line, keys, out),
                    State::Challenged => self.answer(line, keys),
                    State::Over => Outcome::Out(Why::Syntax),
                };
                (end + 1, outcome)
            }
            // At the limit without an end: no byte more can bring one.
            None if input.len() > room || (input.len() == room && !self.legacy) => {
                (input.len(), Outcome::Out(Why::Limit))
            }
            None => return (0, Outcome::More),
        };
        self.taken += used;
        self.state = if outcome == Outcome::More { State::Salted } else { State::Over };
        (used, outcome)
    }

    /// `auth USER NONCE`
    #[inline(never)]
    fn auth(&mut self, line: &[u8], keys: &Keys, out: &mut Vec<u8>) -> Outcome {
        let Some((user, nonce)) = auth_words(line) else { return Outcome::Out(Why::Syntax) };
        let challenge = keys.challenge(user.as_bytes());
        out.extend_from_slice(b"salt ");
        push_hex(&challenge.salt, out);
        out.push(b' ');
        push_decimal(challenge.iterations.into(), out);
        out.push(b'\n');
        self.user.push_str(user);
        self.client_nonce.extend_from_slice(nonce.as_bytes());
        self.key = challenge.key;
        Outcome::More
    }

    /// `proof HEX`
    #[inline(never)]
    fn prove(&mut self, line: &[u8], keys: &Keys, out: &mut Vec<u8>) -> Outcome {
        let user = self.user.as_bytes();
        let of = |side| proof(&self.key, side, &self.nonce, &self.client_nonce, user);
        let given: Option<Bytes> = line.strip_prefix(b"proof ").and_then(parse_hex);
        let Some(given) = given else { return Outcome::Out(Why::Syntax) };
        let right = same(&given, &of(Side::Client));
        // The keys may have been read again since. What counts is what they say now.
        let now = keys.challenge(user);
        let stays = same(&now.key, &self.key);
        let (Some(role), true) = (now.role, right & stays) else { return Outcome::Out(Why::Wrong) };
        out.extend_from_slice(b"ok ");
        out.extend_from_slice(roles::word(role).as_bytes());
        out.push(b' ');
        push_hex(&of(Side::Server), out);
        out.push(b'\n');
        Outcome::In(role)
    }

    /// The answer to Medusa's challenge. The password alone tells who it is, so all are tried.
    #[inline(never)]
    fn answer(&mut self, line: &[u8], keys: &Keys) -> Outcome {
        let given = line.to_ascii_lowercase();
        let mut found = None;
        for (password, role) in keys.legacy() {
            let is_answer = |zeros| same(&given, &medusa_answer(&self.nonce, password, zeros));
            if is_answer(true) | is_answer(false) {
                found = Some(role);
            }
        }
        let Some(role) = found else { return Outcome::Out(Why::Wrong) };
        self.user.push_str(super::keys::LEGACY);
        Outcome::In(role)
    }
}

/// The answer to Medusa's challenge, with or without the zeros before bytes below 16.
#[inline(never)]
#[must_use]
pub fn medusa_answer(challenge: &[u8], password: &[u8], zeros: bool) -> Vec<u8> {
    let (mut sum, mut digest, mut out) = (md5(), [0; 16], Vec::new());
    sum.add(challenge);
    sum.add(password);
    sum.finish(&mut digest);
    for &byte in &digest {
        if zeros || byte > 15 {
            out.push(hex_digit(byte >> 4, b'a'));
        }
        out.push(hex_digit(byte, b'a'));
    }
    out
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
