use super::super::keys::print_line;
use super::*;
use crate::text::digest::md5;

const NUMBER: [u8; NONCE] = [0xa5; NONCE];
const CLIENT: &str = "00112233445566778899AABBCCDDEEFF";

fn keys() -> Keys {
    let mut text = String::new();
    print_line("anna", Role::Operate, b"secret", b"12345678", 4096, &mut text);
    text.push_str("\nlegacy:view:fnord\nlegacy:admin:other\n");
    Keys::parse(text.as_bytes()).unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    push_hex(bytes, &mut out);
    String::from_utf8(out).unwrap()
}

fn greeting(login: &Login) -> String {
    let mut out = Vec::new();
    login.greet(&mut out);
    String::from_utf8(out).unwrap()
}

/// Feeds the pieces as a loop does: what is not used comes again. Gives what was answered, the last outcome, and how
/// much of the input was used.
fn feed(login: &mut Login, keys: &Keys, pieces: &[&[u8]]) -> (String, Outcome, usize) {
    let (mut out, mut unread, mut used) = (Vec::new(), Vec::new(), 0);
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            let (count, outcome) = login.feed(&unread, keys, &mut out);
            unread.drain(..count);
            used += count;
            match outcome {
                Outcome::More if count > 0 && !unread.is_empty() => {}
                Outcome::More => break,
                end => return (text(&out).to_owned(), end, used),
            }
        }
    }
    (text(&out).to_owned(), Outcome::More, used)
}

/// What a client sends that knows the password.
fn client(greeting: &str, user: &str, password: &str) -> String {
    let nonce = greeting.trim().rsplit(' ').next().unwrap();
    let key = proof::key(password.as_bytes(), b"12345678", 4096);
    let proof = proof(&key, Side::Client, nonce.as_bytes(), CLIENT.as_bytes(), user.as_bytes());
    format!("auth {user} {CLIENT}\nproof {}\n", hex(&proof))
}

#[test]
fn who_knows_the_password_is_let_in_at_every_split() {
    let keys = keys();
    let mut login = Login::strong(NUMBER);
    let greeted = greeting(&login);
    assert_eq!(greeted, ["gorgon-monitor 1 hmac-sha256 ", &"a5".repeat(16), "\n"].concat());
    let said = client(&greeted, "anna", "secret");
    let key = proof::key(b"secret", b"12345678", 4096);
    let server = proof(&key, Side::Server, "a5".repeat(16).as_bytes(), CLIENT.as_bytes(), b"anna");
    let wanted = format!("salt 3132333435363738 4096\nok operate {}\n", hex(&server));
    let whole = [said.as_bytes(), b"get /process\n"].concat();
    let (answered, outcome, used) = feed(&mut login, &keys, &[&whole]);
    assert_eq!((answered.as_str(), used), (wanted.as_str(), said.len()), "the rest is the session's");
    assert_eq!((outcome, login.user()), (Outcome::In(Role::Operate), "anna"));
    for said in [said.clone(), said.replace('\n', "\r\n"), said.to_ascii_lowercase().replace("aabb", "AABB")]
    {
        for split in 0..=said.len() {
            let (one, two) = said.as_bytes().split_at(split);
            let (answered, outcome, used) = feed(&mut Login::strong(NUMBER), &keys, &[one, two]);
            if said.contains("AABBCCDD") || said.contains('\r') {
                assert_eq!((answered.as_str(), used), (wanted.as_str(), said.len()), "{split}");
                assert_eq!(outcome, Outcome::In(Role::Operate));
            } else {
                assert_eq!(outcome, Outcome::Out(Why::Wrong), "another nonce than the one that was proved");
            }
        }
    }
    // Nothing comes of it a second time.
    assert_eq!(feed(&mut login, &keys, &[said.as_bytes()]).1, Outcome::Out(Why::Syntax));
}

#[test]
fn a_key_that_is_gone_meanwhile_lets_nobody_in() {
    let keys_of = |user: &str, role, password: &[u8]| {
        let mut text = String::new();
        print_line(user, role, password, b"12345678", 4096, &mut text);
        Keys::parse(text.as_bytes()).unwrap()
    };
    for (meanwhile, outcome) in [
        (keys(), Outcome::In(Role::Operate)),
        (keys_of("anna", Role::View, b"secret"), Outcome::In(Role::View)),
        (keys_of("anna", Role::Operate, b"changed"), Outcome::Out(Why::Wrong)),
        (keys_of("bert", Role::Operate, b"secret"), Outcome::Out(Why::Wrong)),
        (Keys::default(), Outcome::Out(Why::Wrong)),
    ] {
        let mut login = Login::strong(NUMBER);
        let said = client(&greeting(&login), "anna", "secret");
        let (auth, proof) = said.split_at(said.find("proof").unwrap());
        assert_eq!(feed(&mut login, &keys(), &[auth.as_bytes()]).1, Outcome::More);
        assert_eq!(feed(&mut login, &meanwhile, &[proof.as_bytes()]).1, outcome);
    }
}

#[test]
fn who_does_not_is_not() {
    let keys = keys();
    let good = client(&greeting(&Login::strong(NUMBER)), "anna", "secret");
    let proof_at = good.find("proof").unwrap();
    for (said, why) in [
        (client(&greeting(&Login::strong(NUMBER)), "anna", "secreT"), Why::Wrong),
        (client(&greeting(&Login::strong(NUMBER)), "anna", ""), Why::Wrong),
        (client(&greeting(&Login::strong(NUMBER)), "bert", "secret"), Why::Wrong),
        (client(&greeting(&Login::strong(NUMBER)), "legacy", "fnord"), Why::Wrong),
        // What was listened to on another connection.
        (client(&greeting(&Login::strong([1; NONCE])), "anna", "secret"), Why::Wrong),
        (good.replace("proof ", "proof"), Why::Syntax),
        (good.replace("proof ", "proof  "), Why::Syntax),
        (good.replace("proof ", "proof 00"), Why::Syntax),
        ([&good[..good.len() - 3], "\n"].concat(), Why::Syntax),
        ([&good[..proof_at], "\n"].concat(), Why::Syntax),
        ([&good[..proof_at], &good].concat(), Why::Syntax),
        (good[proof_at..].to_owned(), Why::Syntax),
        ("\n".to_owned(), Why::Syntax),
        ("auth anna\n".to_owned(), Why::Syntax),
        ("auth anna 0011223344556\n".to_owned(), Why::Syntax),
        (["auth anna ", &"0".repeat(65), "\n"].concat(), Why::Syntax),
        ("auth anna 001122334455667g\n".to_owned(), Why::Syntax),
        ("auth anna 0011223344556677 \n".to_owned(), Why::Syntax),
        ("auth an\tna 0011223344556677\n".to_owned(), Why::Syntax),
        (["auth ", &"x".repeat(65), " 0011223344556677\n"].concat(), Why::Syntax),
        ("AUTH anna 0011223344556677\n".to_owned(), Why::Syntax),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), Why::Syntax),
        ("x".repeat(1024), Why::Limit),
        (["x".repeat(1024), "\n".to_owned()].concat(), Why::Limit),
        (["auth anna 0011223344556677\n".to_owned(), "x".repeat(1024)].concat(), Why::Limit),
    ] {
        for split in 0..=said.len().min(80) {
            let (one, two) = said.as_bytes().split_at(split);
            let mut login = Login::strong(NUMBER);
            let (answered, outcome, _) = feed(&mut login, &keys, &[one, two]);
            assert_eq!(outcome, Outcome::Out(why), "{said:?} {split}");
            assert!(!answered.contains("ok"), "{said:?}");
            assert_eq!(!login.user().is_empty(), answered.contains("salt"), "{said:?}");
        }
    }
    // Truncated: nothing is decided before the line ends.
    for cut in 0..good.len() {
        let (answered, outcome, _) = feed(&mut Login::strong(NUMBER), &keys, &[&good.as_bytes()[..cut]]);
        assert_eq!((outcome, answered.contains("ok")), (Outcome::More, false), "{cut}");
    }
    let mut login = Login::strong(NUMBER);
    assert_eq!(feed(&mut login, &keys, &[&good.as_bytes()[..proof_at]]).1, Outcome::More);
    assert_eq!(login.user(), "anna");
    // The last byte within the limit is still read.
    let long = ["auth anna ", CLIENT, "\n", &"x".repeat(1023 - proof_at), "\n"].concat();
    assert_eq!(feed(&mut Login::strong(NUMBER), &keys, &[long.as_bytes()]).1, Outcome::Out(Why::Syntax));
}

/// Medusa's client: `string.join (map (lambda x: hex (ord (x))[2:], digest), '')`.
fn unpadded(challenge: &str, password: &str) -> String {
    digest(challenge, password).iter().map(|byte| format!("{byte:x}")).collect()
}

fn digest(challenge: &str, password: &str) -> [u8; 16] {
    let (mut sum, mut out) = (md5(), [0; 16]);
    sum.add(challenge.as_bytes());
    sum.add(password.as_bytes());
    sum.finish(&mut out);
    out
}

#[test]
fn the_old_handshake() {
    let keys = keys();
    let mut short = 0;
    for number in 0..40 {
        let login = Login::legacy(1_795_321_818, [number; NONCE]);
        let challenge = greeting(&login);
        let challenge = challenge.strip_suffix("\r\n").unwrap();
        let (time, random) = challenge.split_once('.').unwrap();
        assert_eq!((time, random.len()), ("1795321818", 32));
        for (password, role) in [("fnord", Some(Role::View)), ("other", Some(Role::Admin)), ("fnorD", None)] {
            let (padded, bare) = (hex(&digest(challenge, password)), unpadded(challenge, password));
            short += usize::from(padded != bare);
            for answer in [&padded, &bare, &padded.to_uppercase(), &bare.to_uppercase()] {
                for end in ["\r\n", "\n"] {
                    let said = [answer, end].concat();
                    let split = usize::from(number) % said.len();
                    let (one, two) = said.as_bytes().split_at(split);
                    let mut login = Login::legacy(1_795_321_818, [number; NONCE]);
                    let (answered, outcome, used) = feed(&mut login, &keys, &[one, two, b"help\r\n"]);
                    assert_eq!((answered.as_str(), used), ("", said.len()));
                    match role {
                        Some(role) => {
                            assert_eq!((outcome, login.user()), (Outcome::In(role), "legacy"))
                        }
                        None => assert_eq!(outcome, Outcome::Out(Why::Wrong)),
                    }
                    // One try.
                    assert_eq!(feed(&mut login, &keys, &[said.as_bytes()]).1, Outcome::Out(Why::Syntax));
                }
            }
        }
    }
    assert!(short > 20, "digests with a byte below 16 are common");
    // An answer to another challenge.
    let old = unpadded(greeting(&Login::legacy(1, [1; NONCE])).trim(), "fnord");
    let said = [&old, "\r\n"].concat();
    assert_eq!(
        feed(&mut Login::legacy(1, [2; NONCE]), &keys, &[said.as_bytes()]).1,
        Outcome::Out(Why::Wrong)
    );
    for wrong in ["\r\n", "\n", "x\n", "fnord\r\n", &["0".repeat(33), "\n".to_owned()].concat()] {
        let (answered, outcome, _) = feed(&mut Login::legacy(1, NUMBER), &keys, &[wrong.as_bytes()]);
        assert_eq!((answered.as_str(), outcome), ("", Outcome::Out(Why::Wrong)), "{wrong:?}");
    }
    let empty = Keys::default();
    assert_eq!(feed(&mut Login::legacy(1, NUMBER), &empty, &[b"\n"]).1, Outcome::Out(Why::Wrong));
}

#[test]
fn what_is_told_at_the_end() {
    for why in [Why::Wrong, Why::Syntax] {
        assert_eq!((text(why.farewell(false)), text(why.farewell(true))), ("error refused\n", ""));
    }
    // 1,024 bytes without an end are still borne by Medusa.
    let keys = keys();
    let mut login = Login::legacy(1, NUMBER);
    let pending = [b'x'; 1025];
    assert_eq!(login.feed(&pending[..1024], &keys, &mut Vec::new()).1, Outcome::More);
    assert_eq!(login.feed(&pending, &keys, &mut Vec::new()).1, Outcome::Out(Why::Limit));
    assert_eq!(text(Why::Limit.farewell(true)), "BCNU\r\n");
    assert!(text(Why::Limit.farewell(false)).starts_with("error limit "));
}

quickcheck::quickcheck! {
    fn nothing_else_is_let_in(pieces: Vec<Vec<u8>>, legacy: bool) -> bool {
        let mut login = if legacy { Login::legacy(0, NUMBER) } else { Login::strong(NUMBER) };
        let pieces: Vec<&[u8]> = pieces.iter().map(|piece| &piece[..]).collect();
        !matches!(feed(&mut login, &keys(), &pieces).1, Outcome::In(_))
    }
}
