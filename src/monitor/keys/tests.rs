use super::*;

fn line(user: &str, role: Role, password: &str) -> String {
    let mut out = String::new();
    print_line(user, role, password.as_bytes(), b"12345678", 4096, &mut out);
    out
}

#[test]
fn reads_what_is_printed() {
    let text = [
        "# who\n\n",
        &line("anna", Role::Admin, "secret"),
        "\r\n",
        &line("b.c@d_e-f", Role::View, ""),
        "\n  \n",
    ];
    let keys = Keys::parse(text.concat().as_bytes()).unwrap();
    let anna = keys.challenge(b"anna");
    assert_eq!((anna.role, anna.iterations, &*anna.salt), (Some(Role::Admin), 4096, &b"12345678"[..]));
    assert_eq!(anna.key, proof::key(b"secret", b"12345678", 4096));
    assert_eq!(keys.challenge(b"b.c@d_e-f").role, Some(Role::View));
    assert!(!keys.is_empty() && keys.has_no_legacy());
    // At every place but its ends, what is cut off makes it wrong.
    let whole = line("anna", Role::Admin, "secret");
    for cut in 1..whole.len() {
        assert!(Keys::parse(&whole.as_bytes()[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn passwords_of_the_old_handshake() {
    let keys = Keys::parse(b"legacy::fnord\nlegacy:operate:a:b c\xff\nlegacy:admin:#\n").unwrap();
    let all: Vec<_> = keys.legacy().collect();
    assert_eq!(all, [(&b"fnord"[..], Role::View), (b"a:b c\xff", Role::Operate), (b"#", Role::Admin)]);
    assert!(keys.is_empty() && !keys.has_no_legacy());
    let challenge = keys.challenge(b"legacy");
    assert_eq!(challenge.role, None, "it is nobody's name");
}

#[test]
fn says_what_is_wrong_and_where() {
    let good = line("anna", Role::Admin, "secret");
    let long = ["legacy:view:", &"x".repeat(256)].concat();
    let longer = ["x".repeat(65), ":view:4096:0000000000000000:00".to_owned()].concat();
    for (wrong, expected) in [
        ("anna", "USER:ROLE"),
        ("anna:admin", "USER:ROLE"),
        ("anna:admin:4096", "USER:ROLE"),
        ("anna:admin:4096:0000000000000000", "USER:ROLE"),
        (&[&good, ":"].concat(), "USER:ROLE"),
        (&good.replace("anna", ""), "a user"),
        (&good.replace("anna", "an na"), "a user"),
        (&good.replace("anna", " anna"), "a user"),
        (&good.replace("anna", "änne"), "a user"),
        (&longer, "a user"),
        (&good.replace("admin", "Admin"), "the role"),
        (&good.replace("admin", ""), "the role"),
        (&good.replace("4096", "4095"), "iterations"),
        (&good.replace("4096", "10000001"), "iterations"),
        (&good.replace("4096", "-1"), "iterations"),
        (&good.replace("4096", "99999999999999999999999"), "iterations"),
        (&good.replace("3132", "313"), "a salt"),
        (&good.replace("3132333435363738", "31323334353637"), "a salt"),
        (&good.replace("3132333435363738", &"31".repeat(33)), "a salt"),
        (&good.replace("3132", "313x"), "a salt"),
        (&good[..good.len() - 2], "a key"),
        (&[&good, "00"].concat(), "a key"),
        (&[&good, " "].concat(), "a key"),
        ("legacy:view:", "legacy:ROLE"),
        (&long, "legacy:ROLE"),
        ("legacy:view:a\0b", "legacy:ROLE"),
        ("legacy:root:a", "the role"),
        ("legacy:admin:once", "each password once"),
        (&good, "each user once"),
    ] {
        let text = ["\n", &good, "\nlegacy::once\n", wrong, "\nmore\n"].concat();
        let problem = Keys::parse(text.as_bytes()).err().unwrap();
        assert_eq!(problem.line, 4, "{wrong}");
        assert!(problem.expected.contains(expected), "{wrong}: {}", problem.expected);
    }
    assert_eq!(Keys::parse(&[b'#'; FILE_MAX + 1]).err().map(|problem| problem.line), Some(0));
    assert!(Keys::parse(&[b'#'; FILE_MAX]).is_ok());
}

#[test]
fn who_is_not_there_looks_like_one_who_is() {
    let text = [line("anna", Role::Admin, "secret"), line("bert", Role::View, "other")].join("\n");
    let keys = Keys::parse(text.as_bytes()).unwrap();
    let (one, two) = (keys.challenge(b"carl"), keys.challenge(b"dora"));
    assert_eq!((one.role, one.iterations, one.salt.len()), (None, 4096, 8));
    assert_ne!(one.salt, two.salt);
    assert_ne!(one.key, two.key);
    // The same each time, in another process too, and when others change.
    let again = [line("anna", Role::View, "secret"), line("dirk", Role::View, "new")].join("\n");
    let again = Keys::parse(again.as_bytes()).unwrap().challenge(b"carl");
    assert_eq!((again.salt, again.iterations), (one.salt, one.iterations));
    let nobody = Keys::default().challenge(b"carl");
    assert_eq!((nobody.role, nobody.iterations, nobody.salt.len()), (None, ITERATIONS, SALT));
}

#[test]
fn a_password_that_was_asked_for() {
    let keys = Keys::of_password("admin", Role::Admin, b"secret", [7; SALT], false);
    let admin = keys.challenge(b"admin");
    assert_eq!((admin.role, admin.key), (Some(Role::Admin), proof::key(b"secret", &[7; SALT], ITERATIONS)));
    assert!(keys.has_no_legacy());
    let keys = Keys::of_password("admin", Role::Admin, b"secret", [7; SALT], true);
    assert_eq!(keys.legacy().collect::<Vec<_>>(), [(&b"secret"[..], Role::Admin)]);
    assert!(keys.is_empty());
}

quickcheck::quickcheck! {
    fn any_text_is_read_or_refused(text: Vec<u8>) -> bool {
        match Keys::parse(&text) {
            Ok(keys) => keys.challenge(&text).iterations >= 4096,
            Err(problem) => problem.line as usize <= text.len() + 1,
        }
    }
}
