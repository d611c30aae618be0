#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::*;

const BCRYPT: &str = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC";
const SHA: &str = "{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY=";
const APACHE: &str = "$apr1$saltsalt$0123456789abcdefghij./";
const DES: &str = "rl0uE0v7CFCCg";

fn parse(text: &str) -> Result<Users, Problem> {
    Users::parse(text.as_bytes().to_vec())
}

#[test]
fn schemes_are_told_by_their_form() {
    let digest = |length| "a".repeat(length);
    for (hash, scheme) in [
        (BCRYPT.to_owned(), Some(Scheme::Bcrypt)),
        (BCRYPT.replace("$2y$", "$2a$"), Some(Scheme::Bcrypt)),
        (BCRYPT.replace("$2y$", "$2b$"), Some(Scheme::Bcrypt)),
        (BCRYPT.replace("$2y$", "$2x$"), None),
        (BCRYPT.replace("$05$", "$03$"), None),
        (BCRYPT.replace("$05$", "$32$"), None),
        (BCRYPT.replace("$05$", "$+5$"), None),
        (BCRYPT.replace("$05$", "$5$"), None),
        (BCRYPT[..59].to_owned(), None),
        ([BCRYPT, "x"].concat(), None),
        (["$5$salt$", &digest(43)].concat(), Some(Scheme::Sha256)),
        (["$5$rounds=1000$salt$", &digest(43)].concat(), Some(Scheme::Sha256)),
        (["$5$rounds=x$salt$", &digest(43)].concat(), None),
        (["$5$salt$", &digest(42)].concat(), None),
        (["$6$salt$", &digest(86)].concat(), Some(Scheme::Sha512)),
        (["$6$rounds=999999999$salt$", &digest(86)].concat(), Some(Scheme::Sha512)),
        (["$6$12345678901234567$", &digest(86)].concat(), None),
        (["$6$a b$", &digest(86)].concat(), None),
        (["$y$j9T$salt$", &digest(43)].concat(), Some(Scheme::Yescrypt)),
        (["$y$salt$", &digest(43)].concat(), None),
        (["$1$salt$", &digest(22)].concat(), Some(Scheme::Md5)),
        (["$1$rounds=1$salt$", &digest(22)].concat(), None),
        (APACHE.to_owned(), Some(Scheme::Apache)),
        ([APACHE, "="].concat(), None),
        (SHA.to_owned(), Some(Scheme::Sha1)),
        (SHA.replace('=', ""), None),
        (DES.to_owned(), Some(Scheme::Des)),
        (DES[1..].to_owned(), None),
        ("plain text".to_owned(), None),
        ("$".to_owned(), None),
        ("$1".to_owned(), None),
        ("$1$".to_owned(), None),
        (String::new(), None),
        ("\u{e9}".to_owned(), None),
    ] {
        assert_eq!(Scheme::of(hash.as_bytes()), scheme, "{hash}");
    }
}

#[test]
fn reads_every_form_of_a_line() {
    let text = format!(
        "# users\r\n\nbob:{DES}\r\n  \nalice:{BCRYPT}:ignored:fields\n\u{e9}ve x:{SHA}\n#eve:{DES}\ncarol:{APACHE}"
    );
    let users = parse(&text).unwrap();
    for (name, hash, line) in
        [("bob", DES, 3), ("alice", BCRYPT, 5), ("\u{e9}ve x", SHA, 6), ("carol", APACHE, 8)]
    {
        let found = users.find(name.as_bytes()).unwrap();
        assert_eq!((found.text, found.line), (hash.as_bytes(), line), "{name}");
    }
    for name in ["", "eve", "#eve", "Alice", "alic", "alicee", "bob\r"] {
        assert!(users.find(name.as_bytes()).is_none(), "{name}");
    }
    assert_eq!(users.costliest().unwrap().text, BCRYPT.as_bytes());
    let mut lines: Vec<u32> = users.schemes().iter().map(|hash| hash.line).collect();
    lines.sort_unstable();
    assert_eq!(lines, [3, 5, 6, 8]);
    let none = parse("").unwrap();
    assert!(none.find(b"a").is_none() && none.costliest().is_none() && none.schemes().is_empty());
}

#[test]
fn wrong_lines_are_named() {
    for (text, line, told) in [
        ("alice", 1, "expected name:hash"),
        ("\n:x", 2, "expected name:hash"),
        ("a\tb:x", 1, "expected name:hash"),
        ("#\n\nalice:", 3, "htpasswd -B"),
        ("alice:secret", 1, "htpasswd -B"),
        ("alice:{PLAIN}secret", 1, "scheme {PLAIN}"),
        ("alice:{SSHA}x", 1, "scheme {SSHA}"),
        ("alice:{SHA}x", 1, "scheme {SHA}"),
        ("alice:$argon2id$v=19$m", 1, "scheme $argon2id$"),
        ("alice:$2y$05$short", 1, "scheme $2y$"),
        ("alice:$secret of mine$", 1, "htpasswd -B"),
        ("alice:$secret", 1, "htpasswd -B"),
    ] {
        let problem = parse(text).err().unwrap();
        assert_eq!(problem.line, line, "{text}");
        assert!(problem.expected.contains(told), "{text}: {}", problem.expected);
        assert!(!problem.expected.contains("secret"), "{text}: {}", problem.expected);
    }
    let twice = parse(&format!("a:{DES}\nb:{DES}\na:{SHA}\n")).err().unwrap();
    assert_eq!((twice.line, &*twice.expected), (3, "expected each name once, this one is in line 1"));
}

#[test]
fn the_costliest_is_found() {
    let costlier = BCRYPT.replace("$05$", "$06$");
    let long = format!("$6$rounds=900000$s${}", "a".repeat(86));
    for (text, line) in [
        (format!("a:{SHA}\nb:{DES}\n"), 2),
        (format!("a:{costlier}\nb:{BCRYPT}\n"), 1),
        (format!("a:{BCRYPT}\nb:{long}\nc:{costlier}"), 2),
    ] {
        assert_eq!(parse(&text).unwrap().costliest().unwrap().line, line, "{text}");
    }
}

#[test]
fn files_are_bounded() {
    let mut text = "#".repeat(FILE_MAX);
    assert!(parse(&text).is_ok());
    text.push('#');
    assert_eq!(parse(&text).err().unwrap().line, 0);
    let mut many = String::new();
    for number in 0..10_000 {
        many.push_str(&format!("user{number}:{DES}\n"));
    }
    assert!(parse(&many).unwrap().find(b"user9999").is_some());
    many.push_str(&format!("one:{DES}\n"));
    assert_eq!(parse(&many).err().unwrap().line, 10_001);
}

#[test]
fn no_cut_of_a_file_is_wrong_but_as_a_whole() {
    let text = format!("bob:{DES}\r\nalice:{BCRYPT}:x\n\u{e9}ve:{SHA}\n");
    for end in 0..=text.len() {
        if let Ok(users) = Users::parse(text.as_bytes()[..end].to_vec()) {
            assert!(users.list.iter().all(|user| users.hash(*user).is_some()));
        }
    }
}
