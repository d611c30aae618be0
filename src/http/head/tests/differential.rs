//! Made-up heads: against another parser, in any pieces, and as noise.

use super::*;
use quickcheck::{Arbitrary, Gen, QuickCheck};

/// A request that is nearly right: made of likely parts, then changed in a few places.
#[derive(Clone, Debug)]
struct Mutated(Vec<u8>);

impl Arbitrary for Mutated {
    fn arbitrary(g: &mut Gen) -> Self {
        let mut bytes = Vec::new();
        let methods = ["GET", "HEAD", "POST", "OPTIONS", "PATCH", "CONNECT"];
        let targets = ["/", "/a/b?c=d", "/%41", "*", "http://a:80/b?c", "a:443", "/é", "/a{|}"];
        let versions = ["HTTP/1.1", "HTTP/1.0", "HTTP/1.1", "HTTP/1.1"];
        for part in [
            g.choose(&methods).unwrap(),
            " ",
            g.choose(&targets).unwrap(),
            " ",
            g.choose(&versions).unwrap(),
            "\r\nHost: a:80\r\n",
        ] {
            bytes.extend_from_slice(part.as_bytes());
        }
        let names = ["Range", "accept", "X-Y_z", "Cookie", "a", "If-None-Match"];
        let values = ["", "x", "bytes=0-1", " \ta b \t", "\"a\", W/\"b\"", "\u{fc}1234567890\t1234567890"];
        for _ in 0..usize::arbitrary(g) % 6 {
            for part in [g.choose(&names).unwrap(), ":", g.choose(&values).unwrap(), "\r\n"] {
                bytes.extend_from_slice(part.as_bytes());
            }
        }
        bytes.extend_from_slice(b"\r\nbody");
        for _ in 0..usize::arbitrary(g) % 4 {
            let at = usize::arbitrary(g) % bytes.len();
            let byte = if bool::arbitrary(g) {
                *g.choose(b"\0\t\n\r !#:?@[]\x7f\x80az09./").unwrap()
            } else {
                u8::arbitrary(g)
            };
            match u8::arbitrary(g) % 3 {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        Self(bytes)
    }
}

/// Another parser agrees with each head that this one accepts. Where it is stricter, on purpose of ours:
/// bytes past ASCII in a target (it takes UTF-8 only), and HTTP/1.2 to 1.9.
fn agrees(input: &[u8]) -> bool {
    let Ok(Ok(told)) = whole(input) else { return false };
    let mut room = [httparse::EMPTY_HEADER; 100];
    let mut theirs = httparse::Request::new(&mut room);
    let version_at = input.windows(6).position(|bytes| bytes == b"HTTP/1").unwrap() + 7;
    let minor = input[version_at];
    match theirs.parse(input) {
        Ok(status) => {
            assert_eq!(status, httparse::Status::Complete(told.length));
            assert_eq!(theirs.method, Some(told.method.name()));
            assert_eq!(theirs.path.unwrap().as_bytes(), told.target);
            assert_eq!(theirs.version, Some(u8::from(told.version == Version::Http11)));
            let fields: Vec<_> = theirs
                .headers
                .iter()
                .map(|header| (header.name.as_bytes().to_vec(), header.value.to_vec()))
                .collect();
            assert_eq!(fields, told.fields);
        }
        Err(httparse::Error::Token) if core::str::from_utf8(&told.target).is_err() => {}
        Err(httparse::Error::Version) if minor > b'1' => {}
        Err(error) => panic!("{error:?} {:?}", String::from_utf8_lossy(input)),
    }
    true
}

#[test]
fn another_parser_accepts_what_this_one_does() {
    let mut accepted = 0;
    let mut g = Gen::new(20);
    for _ in 0..20_000 {
        accepted += usize::from(agrees(&Mutated::arbitrary(&mut g).0));
    }
    assert!(accepted > 2000, "{accepted} were accepted: the test tests little");
}

#[test]
fn any_cuts_give_one_outcome() {
    fn property(Mutated(input): Mutated, cuts: Vec<u8>) -> bool {
        let mut cuts: Vec<usize> = cuts.iter().map(|&cut| usize::from(cut) % (input.len() + 1)).collect();
        cuts.sort_unstable();
        let limits = Limits { line: 60, head: 200, fields: 4 };
        for limits in [limits, Limits::default()] {
            let expected = check_cuts(&input, &limits);
            let (outcome, _) = pieces(&input, cuts.iter().copied(), &limits);
            if outcome.is_ok() || matches!(expected, Ok(Ok(_))) {
                assert_eq!(outcome, expected);
            }
        }
        true
    }
    QuickCheck::new().tests(300).quickcheck(property as fn(Mutated, Vec<u8>) -> bool);
}

#[test]
fn noise_does_no_harm() {
    fn property(input: Vec<u8>, resume: u32) -> bool {
        // Also with a `resume` that never was given: it must not panic.
        let _ = step(&input, resume, &Limits::default());
        whole(&input) != Ok(Err(HeadError::HeadTooLong))
    }
    QuickCheck::new().tests(2000).quickcheck(property as fn(Vec<u8>, u32) -> bool);
}
