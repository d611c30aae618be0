use super::*;
use std::format;
use std::string::ToString;
use std::vec;

fn question(name: &str, record: Record) -> Question {
    Question { id: 0x1234, name: name.into(), record }
}

fn wire(name: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        out.push(label.len() as u8);
        out.extend_from_slice(label.as_bytes());
    }
    out.push(0);
    out
}

/// A record, its owner as it stands on the wire.
fn record(owner: &[u8], kind: u16, seconds: u32, data: &[u8]) -> Vec<u8> {
    let mut out = owner.to_vec();
    out.extend_from_slice(&kind.to_be_bytes());
    out.extend_from_slice(&INTERNET.to_be_bytes());
    out.extend_from_slice(&seconds.to_be_bytes());
    out.extend_from_slice(&(data.len() as u16).to_be_bytes());
    out.extend_from_slice(data);
    out
}

/// What a server answers: the question again, and records.
fn reply(question: &Question, flags: u16, records: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    assert!(question.push(&mut out));
    out[2..4].copy_from_slice(&flags.to_be_bytes());
    out[6..8].copy_from_slice(&(records.len() as u16).to_be_bytes());
    records.iter().for_each(|record| out.extend_from_slice(record));
    out
}

const GOOD: u16 = 0x8180;
/// A pointer to the question's name.
const SAME: [u8; 2] = [0xc0, 12];

#[test]
fn a_question_is_as_the_standard_has_it() {
    let mut out = vec![7];
    assert!(question("www.example.org", Record::Ipv6).push(&mut out));
    let expected =
        b"\x07\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www\x07example\x03org\x00\x00\x1c\x00\x01";
    assert_eq!(out, expected);
    let long = "a".repeat(64);
    let longer = format!("{}.b", vec!["a".repeat(63); 4].join("."));
    for name in ["", ".", "a..b", "a.", "a b", "a\0", "é", &long, &longer] {
        let mut out = Vec::new();
        assert!(!question(name, Record::Name).push(&mut out) && out.is_empty(), "{name}");
    }
    assert!(question(&vec!["a".repeat(63); 4].join(".")[..253], Record::Name).push(&mut Vec::new()));
}

#[test]
fn addresses_have_names_to_ask_for() {
    for (ip, name) in [
        ("192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa"),
        ("2001:db8::567:89ab", "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
    ] {
        assert_eq!(reverse_name(ip.parse().unwrap()), name);
        assert!(question(name, Record::Name).push(&mut Vec::new()));
    }
}

#[test]
fn answers_are_read() {
    let asked = question("1.2.0.192.in-addr.arpa", Record::Name);
    let message = reply(
        &asked,
        GOOD,
        &[record(&SAME, 12, 300, &wire("Host.Example.ORG")), record(&SAME, 12, 200, &wire("b.example.org"))],
    );
    let answer = asked.read(&message).unwrap();
    assert_eq!(answer.names, ["host.example.org", "b.example.org"]);
    assert_eq!((answer.addresses.len(), answer.seconds), (0, 200));

    let asked = question("host.example.org", Record::Ipv4);
    let message =
        reply(&asked, GOOD, &[record(&SAME, 1, 60, &[192, 0, 2, 1]), record(&SAME, 28, 9, &[0; 16])]);
    let answer = asked.read(&message).unwrap();
    assert_eq!((answer.addresses, answer.seconds), (vec!["192.0.2.1".parse().unwrap()], 60));

    let asked = question("host.example.org", Record::Ipv6);
    let message = reply(&asked, GOOD, &[record(&SAME, 28, 0x8000_0001, &[1; 16])]);
    let answer = asked.read(&message).unwrap();
    assert_eq!((answer.addresses.len(), answer.seconds), (1, 0), "a time that is none is over");

    // The letters of the question may come back in another case.
    let mut message = reply(&asked, GOOD, &[]);
    message[13] = b'H';
    assert_eq!(asked.read(&message), Ok(Answer::default()));
}

#[test]
fn aliases_are_followed() {
    // A network smaller than a byte (RFC 2317): the name is an alias. In an order that needs a second look.
    let asked = question("1.2.0.192.in-addr.arpa", Record::Name);
    let records = [
        record(&wire("1.0-63.2.0.192.in-addr.arpa"), 12, 50, &wire("host.example.org")),
        record(&SAME, ALIAS, 40, &wire("1.0-63.2.0.192.in-addr.arpa")),
    ];
    let answer = asked.read(&reply(&asked, GOOD, &records)).unwrap();
    assert_eq!((answer.names.as_slice(), answer.seconds), (["host.example.org".into()].as_slice(), 40));
    // In a circle, and in a line that is too long.
    let asked = question("a.example", Record::Ipv4);
    let circle = [
        record(&SAME, ALIAS, 1, &wire("b.example")),
        record(&wire("b.example"), ALIAS, 1, &wire("a.example")),
    ];
    assert_eq!(asked.read(&reply(&asked, GOOD, &circle)), Ok(Answer::default()));
    let mut line: Vec<Vec<u8>> = (0..20)
        .map(|step| {
            let from = if step == 0 { "a.example".into() } else { format!("{step}.example") };
            record(&wire(&from), ALIAS, 1, &wire(&format!("{}.example", step + 1)))
        })
        .collect();
    line.push(record(&wire("20.example"), 1, 1, &[1; 4]));
    assert_eq!(asked.read(&reply(&asked, GOOD, &line)), Ok(Answer::default()));
}

#[test]
fn what_does_not_answer_is_left_aside() {
    let asked = question("host.example.org", Record::Ipv4);
    let good = reply(&asked, GOOD, &[record(&SAME, 1, 60, &[192, 0, 2, 1])]);
    assert_eq!(asked.read(&good).unwrap().addresses.len(), 1);
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut message = good.clone();
        change(&mut message);
        asked.read(&message)
    };
    assert_eq!(with(&|m| m[1] ^= 1), Err(Unanswered::Stray), "another question's");
    assert_eq!(with(&|m| m[2] &= 0x7f), Err(Unanswered::Stray), "a question itself");
    assert_eq!(with(&|m| m[2] |= 0x08), Err(Unanswered::Stray), "another operation");
    assert_eq!(with(&|m| m[5] = 0), Err(Unanswered::Stray), "no question in it");
    assert_eq!(with(&|m| m[14] ^= 1), Err(Unanswered::Stray), "another name");
    assert_eq!(with(&|m| m[31] = 28), Err(Unanswered::Stray), "another record");
    for code in [1, 2, 4, 5, 9, 15] {
        assert_eq!(with(&|m| m[3] = 0x80 | code), Err(Unanswered::Failed), "{code}");
    }
    let nothing = reply(&asked, GOOD | 3, &[]);
    assert_eq!(asked.read(&nothing), Ok(Answer::default()), "there is no such name");
    // Records of others prove nothing, nor do those of a wrong length.
    for other in [
        record(&wire("other.example.org"), 1, 60, &[192, 0, 2, 1]),
        record(&SAME, 1, 60, &[192, 0, 2]),
        record(&SAME, 1, 60, &[0; 16]),
    ] {
        assert_eq!(asked.read(&reply(&asked, GOOD, &[other])), Ok(Answer::default()));
    }
}

#[test]
fn a_message_may_end_anywhere() {
    let asked = question("1.2.0.192.in-addr.arpa", Record::Name);
    let records = [record(&SAME, 12, 300, &wire("a.example")), record(&SAME, 12, 300, &wire("b.example"))];
    let message = reply(&asked, GOOD, &records);
    let head = 12 + wire(&asked.name).len() + 4;
    for end in 0..message.len() {
        let names = asked.read(&message[..end]).map(|answer| answer.names.len());
        let whole = (end >= head + records[0].len()).into();
        assert_eq!(names, if end < head { Err(Unanswered::Stray) } else { Ok(whole) }, "{end}");
    }
}

#[test]
fn pointers_cannot_lead_astray() {
    let asked = question("1.2.0.192.in-addr.arpa", Record::Name);
    let start = 12 + wire(&asked.name).len() + 4;
    // Where the data of the one record lies.
    let data = (start + 12) as u8;
    for (bytes, names) in [
        // To itself, to what follows it, past the end.
        (vec![0xc0, data], 0),
        (vec![0xc0, data + 2, 1, b'a', 0], 0),
        (vec![0xff, 0xff], 0),
        // In a circle with a label in it.
        (vec![1, b'a', 0xc0, data], 0),
        // A label type that is none.
        (vec![0x40, 0], 0),
        (vec![0x80, 0], 0),
        // The root alone, and bytes that no host's name has.
        (vec![0], 0),
        (vec![2, b'a', b' ', 0], 0),
        (vec![2, b'a', b'.', 0], 0),
        // Backwards, into the question.
        (vec![1, b'a', 0xc0, 12], 1),
        (vec![0xc0, 14], 1),
    ] {
        let message = reply(&asked, GOOD, &[record(&SAME, 12, 300, &bytes)]);
        let answer = asked.read(&message);
        assert_eq!(answer.map(|answer| answer.names.len()).unwrap_or(0), names, "{bytes:?}");
    }
    // One pointer behind another: some are borne.
    for (count, names) in [(1, 1), (POINTERS - 1, 1), (POINTERS + 1, 0)] {
        let mut chain = vec![1, b'a', 0];
        for step in 0..count {
            let target = 0xc000 | (start + 12 + if step == 0 { 0 } else { 1 + 2 * step }) as u16;
            chain.extend_from_slice(&target.to_be_bytes());
        }
        let last = 0xc000 | (start + 12 + chain.len() - 2) as u16;
        let records = [record(&SAME, 99, 9, &chain), record(&SAME, 12, 9, &last.to_be_bytes())];
        assert_eq!(asked.read(&reply(&asked, GOOD, &records)).unwrap().names.len(), names, "{count}");
    }
    // A name that is too long, by labels that are not.
    let long = wire(&vec!["a".repeat(60); 5].join("."));
    let message = reply(&asked, GOOD, &[record(&SAME, 12, 300, &long)]);
    assert_eq!(asked.read(&message).unwrap().names.len(), 0);
}

#[test]
fn a_flood_is_bounded() {
    let asked = question("a.example", Record::Ipv4);
    let records: Vec<Vec<u8>> = (0..4000_u32).map(|at| record(&SAME, 1, 9, &at.to_be_bytes())).collect();
    assert_eq!(asked.read(&reply(&asked, GOOD, &records)).unwrap().addresses.len(), TAKEN);
    // A count that is a lie.
    let mut message = reply(&asked, GOOD, &records[..1]);
    message[6..8].copy_from_slice(&[255, 255]);
    assert_eq!(asked.read(&message).unwrap().addresses.len(), 1);
}

#[test]
fn servers_are_those_of_the_file() {
    let shown = |text: &[u8]| -> Vec<_> { servers(text).iter().map(ToString::to_string).collect() };
    assert_eq!(shown(b""), ["127.0.0.1"]);
    assert_eq!(
        shown(b"# nameserver 192.0.2.9\nsearch x\nnameserver 192.0.2.1\n nameserver\t2001:db8::1 # x\nnameservers 192.0.2.8\n"),
        ["192.0.2.1", "2001:db8::1"]
    );
    assert_eq!(shown(b"nameserver fe80::1%eth0\nnameserver name\nnameserver\n\xff\n"), ["127.0.0.1"]);
    assert_eq!(
        shown(b"nameserver 1.0.0.1\nnameserver 1.0.0.1\nnameserver 1.0.0.2\nnameserver 1.0.0.3\nnameserver 1.0.0.4"),
        ["1.0.0.1", "1.0.0.2", "1.0.0.3"]
    );
}

/// Messages that are almost right: what is taken out of them can be asked for in turn, and is bounded.
#[test]
fn bent_messages_are_borne() {
    let asked = question("7.2.0.192.in-addr.arpa", Record::Name);
    let records = [
        record(&SAME, ALIAS, 9, b"\x017\x010\xc0\x0e"),
        record(&wire("7.0.2.0.192.in-addr.arpa"), 12, 9, &wire("host.example.org")),
        record(&SAME, 12, 9, b"\x01a\xc0\x0c"),
    ];
    let good = reply(&asked, GOOD, &records);
    let mut seed = 5_u32;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 8) as usize % below
    };
    let mut taken = 0;
    for _ in 0..100_000 {
        let mut message = good.clone();
        for _ in 0..=random(4) {
            let at = random(message.len());
            match random(4) {
                0 => message[at] = random(256) as u8,
                1 => message[at] ^= 1 << random(8),
                2 => message[at] = [0, 0xc0, 0xff, 63, 64, 12][random(6)],
                _ => message.truncate(at.max(1)),
            }
        }
        let Ok(answer) = asked.read(&message) else { continue };
        assert!(answer.names.len() <= TAKEN && answer.addresses.is_empty());
        for name in answer.names {
            taken += 1;
            assert!(question(&name, Record::Ipv4).push(&mut Vec::new()), "{name}");
        }
    }
    assert!(taken > 10_000, "{taken}");
}
