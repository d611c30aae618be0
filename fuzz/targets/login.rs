//! Any file of keys, and any input of one who logs in: nobody is let in who does not know the password, one who does is, and
//! input in pieces is the input whole.
#![no_main]

use std::sync::OnceLock;

use gorgon::monitor::keys::{Keys, print_line};
use gorgon::monitor::login::proof::{Side, key, proof};
use gorgon::monitor::login::{INPUT_MAX, Login, Outcome};
use gorgon::monitor::medusa::{Heard, hear};
use gorgon::text::hex::push_hex;
use gorgon::tree::Role;
use gorgon_fuzz::pieces;
use libfuzzer_sys::fuzz_target;

const SALT: &[u8] = b"12345678";

/// The keys of a file that has one user, and that user's key, which takes a while to make.
fn known() -> &'static (Keys, [u8; 32]) {
    static KNOWN: OnceLock<(Keys, [u8; 32])> = OnceLock::new();
    KNOWN.get_or_init(|| {
        let mut text = String::new();
        print_line("anna", Role::View, b"secret", SALT, 4096, &mut text);
        let keys = Keys::parse([text.as_bytes(), b"\nlegacy::fnord\n"].concat().as_slice());
        (keys.ok().expect("keys"), key(b"secret", SALT, 4096))
    })
}

/// What was answered, `In` or `Out` at the end, and how much was used.
fn talk(mut login: Login, keys: &Keys, pieces: &[&[u8]]) -> (Vec<u8>, Option<bool>, usize) {
    let (mut out, mut unread, mut used) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            let (count, outcome) = login.feed(&unread, keys, &mut out);
            unread.drain(..count);
            used += count;
            match outcome {
                Outcome::More if count > 0 => {}
                Outcome::More => break,
                Outcome::In(_) => return (out, Some(true), used),
                // How much of what is too much was seen depends on the pieces.
                Outcome::Out(_) => return (out, Some(false), 0),
            }
        }
    }
    assert!(unread.len() <= INPUT_MAX);
    (out, None, used)
}

fuzz_target!(|input: (u8, [u16; 3], &[u8], &[u8])| {
    let (how, cuts, file, said) = input;
    if let Ok(keys) = Keys::parse(file) {
        let challenge = keys.challenge(said);
        assert!(challenge.iterations >= 4096 && (8..=32).contains(&challenge.salt.len()));
        assert!(challenge.role.is_none() || !keys.is_empty());
    }
    let (keys, key) = known();
    let legacy = how & 1 == 1;
    let login = || if legacy { Login::legacy(1, [7; 16]) } else { Login::strong([7; 16]) };
    let whole = talk(login(), keys, &[said]);
    assert!(talk(login(), keys, &pieces(said, &cuts)) == whole);
    assert!(whole.1 != Some(true), "without the password");
    if !legacy && how & 2 == 2 {
        // One who knows it, with whatever comes after.
        let nonce = "00112233445566778899aabbccddeeff";
        let proof = proof(key, Side::Client, "07".repeat(16).as_bytes(), nonce.as_bytes(), b"anna");
        let mut line = format!("auth anna {nonce}\nproof ").into_bytes();
        push_hex(&proof, &mut line);
        line.push(b'\n');
        let length = line.len();
        line.extend_from_slice(said);
        let (_, outcome, used) = talk(login(), keys, &pieces(&line, &cuts));
        assert!(outcome == Some(true) && used == length);
    }
    let mut rest = said;
    loop {
        match hear(rest) {
            (0, Heard::Nothing) => break,
            (used, heard) if used > 0 && heard != Heard::Nothing => rest = &rest[used..],
            _ => panic!("nothing used and something heard"),
        }
    }
});
