//! The client's side of a login. Pure: the server's lines in, ours out.
//!
//! ```text
//!   gorgon-monitor 1 hmac-sha256 NONCE      auth USER NONCE
//!   salt SALT ITERATIONS                    proof HEX
//!   ok ROLE HEX                             (checked: the server knows the key too)
//!
//!   1795321818.99                           hex(MD5(that and the password)), as Medusa wants it
//! ```

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::monitor::login::proof::{Bytes, ITERATIONS_RANGE, Side, key, proof, same};
use crate::monitor::login::{GREETING, NONCE, medusa_answer};
use crate::text::hex::{parse_hex, push_hex, read_hex};
use crate::text::join::joined;
use crate::text::number::parse_decimal;

/// What a server says first.
#[derive(PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub enum Greeting<'a> {
    /// Ours, with its nonce.
    Strong(&'a str),
    /// Medusa's: the challenge is the line.
    Bare,
    /// Neither.
    Other,
}

/// Tells what a first line is, without its end.
#[must_use]
pub fn greeting(line: &str) -> Greeting<'_> {
    let is_hex = |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(nonce) = line.strip_prefix(GREETING) {
        return if (16..=64).contains(&nonce.len()) && is_hex(nonce) {
            Greeting::Strong(nonce)
        } else {
            Greeting::Other
        };
    }
    let (seconds, rest) = line.split_once('.').unwrap_or((line, ""));
    let bare = parse_decimal(seconds.as_bytes()).is_some() && is_hex(rest) && rest.len() <= 64;
    if bare { Greeting::Bare } else { Greeting::Other }
}

/// The answer to Medusa's challenge, without a line's end. Its digits lack the zero before a byte below 16, which is what
/// Medusa compares with; Gorgon takes both.
#[must_use]
pub fn bare_answer(challenge: &str, password: &[u8]) -> String {
    String::from_utf8(medusa_answer(challenge.as_bytes(), password, false)).unwrap_or_default()
}

/// A strong login under way.
pub struct Strong {
    user: String,
    server_nonce: String,
    client_nonce: String,
    key: Option<Bytes>,
}

impl Strong {
    /// Begins one: who to be, the server's nonce, and random bytes for ours.
    #[must_use]
    pub fn new(user: &str, server_nonce: &str, random: [u8; NONCE]) -> Strong {
        let client_nonce = hex(&random);
        Strong { user: user.to_owned(), server_nonce: server_nonce.to_owned(), client_nonce, key: None }
    }

    /// What is sent first.
    #[must_use]
    pub fn auth(&self) -> String {
        joined(&["auth ", &self.user, " ", &self.client_nonce, "\n"])
    }

    /// The proof that answers the server's salt. Takes as long as making the key does.
    ///
    /// # Errors
    /// Why the line cannot be answered.
    pub fn proof(&mut self, line: &str, password: &[u8]) -> Result<String, String> {
        let mut words = line.strip_prefix("salt ").ok_or_else(|| unexpected(line))?.split(' ');
        let salt =
            words.next().and_then(unhex).filter(|salt| !salt.is_empty()).ok_or_else(|| unexpected(line))?;
        let iterations = words.next().and_then(|word| parse_decimal(word.as_bytes()));
        let iterations =
            iterations.and_then(|count| u32::try_from(count).ok()).ok_or_else(|| unexpected(line))?;
        // Fewer would give the password away to who listens, more would hold us up.
        if !ITERATIONS_RANGE.contains(&iterations) {
            return Err("the server asks for a number of iterations that nobody should agree to".to_owned());
        }
        let key = key(password, &salt, iterations);
        let own = self.of(Side::Client, &key);
        self.key = Some(key);
        Ok(joined(&["proof ", &hex(&own), "\n"]))
    }

    /// Checks the server's own proof; gives our role.
    ///
    /// # Errors
    /// That it turned us away, or does not know the password itself.
    pub fn finish(&self, line: &str) -> Result<String, String> {
        let (role, given) =
            line.strip_prefix("ok ").and_then(|rest| rest.split_once(' ')).ok_or_else(|| unexpected(line))?;
        let given: Option<Bytes> = parse_hex(given.as_bytes());
        let right = match (&self.key, given) {
            (Some(key), Some(given)) => same(&given, &self.of(Side::Server, key)),
            (None, _) | (_, None) => false,
        };
        if right {
            Ok(role.to_owned())
        } else {
            Err("the server does not prove that it knows the password".to_owned())
        }
    }

    fn of(&self, side: Side, key: &Bytes) -> Bytes {
        proof(key, side, self.server_nonce.as_bytes(), self.client_nonce.as_bytes(), self.user.as_bytes())
    }
}

/// What a line that was not expected means.
fn unexpected(line: &str) -> String {
    if line.starts_with("error refused") || line.is_empty() {
        return "the login was refused: wrong user or password".to_owned();
    }
    let mut out = "the server says: ".to_owned();
    crate::text::columns::push_visible(line.as_bytes(), &mut out);
    out
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    push_hex(bytes, &mut out);
    out.into_iter().map(char::from).collect()
}

/// The bytes that pairs of hexadecimal digits stand for: at most 64.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let mut room = [0; 64];
    let length = read_hex(text.as_bytes(), &mut room)?;
    room.get(..length).map(Vec::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::keys::Keys;
    use crate::monitor::login::{Login, Outcome};
    use crate::tree::Role;

    #[test]
    fn greetings_are_told_apart() {
        let nonce = "0123456789abcdef0123456789abcdef";
        assert_eq!(greeting(&[GREETING, nonce].concat()), Greeting::Strong(nonce));
        for bare in ["1795321818.99", "1795321840", "1795321840.0123456789abcdef"] {
            assert_eq!(greeting(bare), Greeting::Bare, "{bare}");
        }
        for other in
            ["", ".5", "SSH-2.0-x", "220 ready", "1.x", GREETING, "gorgon-monitor 2 x 00112233445566778899"]
        {
            assert_eq!(greeting(other), Greeting::Other, "{other}");
        }
    }

    /// What server and client come to with these passwords.
    fn login(servers: &[u8], clients: &[u8]) -> (bool, Result<String, String>) {
        let keys = Keys::of_password("ada", Role::Operate, servers, [7; 16], false);
        let mut server = Login::strong([5; NONCE]);
        let mut said = Vec::new();
        let line =
            |said: &mut Vec<u8>| String::from_utf8(core::mem::take(said)).unwrap().trim_end().to_owned();
        server.greet(&mut said);
        let greeted = line(&mut said);
        let Greeting::Strong(nonce) = greeting(&greeted) else { panic!("{greeted}") };
        let mut client = Strong::new("ada", nonce, [9; NONCE]);
        server.feed(client.auth().as_bytes(), &keys, &mut said);
        let proof = client.proof(&line(&mut said), clients).unwrap();
        let (_, outcome) = server.feed(proof.as_bytes(), &keys, &mut said);
        let is_in = matches!(outcome, Outcome::In(_)) && server.user() == "ada";
        (is_in, client.finish(&line(&mut said)))
    }

    #[test]
    fn both_sides_prove_that_they_know() {
        assert_eq!(login(b"secret", b"secret"), (true, Ok("operate".to_owned())));
        let (taken, outcome) = login(b"secret", b"guess");
        assert!(!taken && outcome.unwrap_err().contains("wrong user or password"));
    }

    #[test]
    fn a_server_that_does_not_know_is_found_out() {
        let mut client = Strong::new("ada", "0123456789abcdef", [9; NONCE]);
        let salt = "salt 0011223344556677 4096";
        client.proof(salt, b"secret").unwrap();
        let zeros = ["ok admin ", "00".repeat(32).as_str()].concat();
        assert!(client.finish(&zeros).unwrap_err().contains("does not prove"));
        // Our own proof sent back is none of the server's.
        let own = client.proof(salt, b"secret").unwrap().replace("proof", "ok admin");
        assert!(client.finish(own.trim_end()).unwrap_err().contains("does not prove"));
        for weak in ["salt 00 1", "salt 00 4095", "salt 00 4294967295"] {
            assert!(client.proof(weak, b"").unwrap_err().contains("nobody should agree"), "{weak}");
        }
        for line in ["", "salt", "salt 0 4096", "salt zz 4096", "salt  4096", "salt 00 x", "hello \x1b"] {
            assert!(client.proof(line, b"").is_err(), "{line}");
        }
        assert_eq!(client.finish("error limit \x1b").unwrap_err(), "the server says: error limit \\x1b");
    }

    #[test]
    fn medusas_challenge_is_answered() {
        let keys = Keys::of_password("x", Role::Admin, b"fnord", [7; 16], true);
        for time in 0..40 {
            let mut server = Login::legacy(1_795_321_818 + time, [3; NONCE]);
            let mut said = Vec::new();
            server.greet(&mut said);
            let challenge = String::from_utf8(said).unwrap();
            assert_eq!(greeting(challenge.trim_end()), Greeting::Bare);
            let answer = [bare_answer(challenge.trim_end(), b"fnord"), "\r\n".to_owned()].concat();
            let (_, outcome) = server.feed(answer.as_bytes(), &keys, &mut Vec::new());
            assert!(matches!(outcome, Outcome::In(_)));
        }
        // MD5 of "1795321818.99fnord" as Medusa's client computes it.
        assert_eq!(bare_answer("1795321818.99", b"fnord"), "62de2b15606da535d4d062f31e94ecf");
    }
}
