use super::super::request::Request;
use super::*;
use core::cell::Cell;

mod differential;

thread_local! {
    /// How often all of an input was read.
    pub(super) static READS: Cell<usize> = const { Cell::new(0) };
}

/// All that a parse tells, in a form that can be compared.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Told {
    length: usize,
    method: Method,
    version: Version,
    target: Vec<u8>,
    path: Vec<u8>,
    query: Option<Vec<u8>>,
    authority: Vec<u8>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

type Outcome = Result<Told, HeadError>;

fn tell(input: &[u8], length: usize, head: &Head, fields: &Fields) -> Told {
    let request = Request::new(input, head, fields);
    Told {
        length,
        method: request.method(),
        version: request.version(),
        target: request.target().to_vec(),
        path: request.path().to_vec(),
        query: request.query().map(<[u8]>::to_vec),
        authority: request.authority().to_vec(),
        fields: request.fields().map(|(name, value)| (name.to_vec(), value.to_vec())).collect(),
    }
}

/// One parse with scratch that was used for something else before, as it is when shared by connections.
fn step(input: &[u8], resume: u32, limits: &Limits) -> Result<Outcome, u32> {
    let (mut fields, mut head) = (Fields::default(), Head::default());
    let other = b"OPTIONS * HTTP/1.0\r\nHost: other\r\nRange: x\r\n\r\n";
    assert!(matches!(parse(other, 0, &Limits::default(), &mut fields, &mut head), Parsed::Complete { .. }));
    match parse(input, resume, limits, &mut fields, &mut head) {
        Parsed::Complete { length } => Ok(Ok(tell(input, length, &head, &fields))),
        Parsed::Error(error) => Ok(Err(error)),
        Parsed::Partial { resume } => Err(resume),
    }
}

fn whole(input: &[u8]) -> Result<Outcome, u32> {
    step(input, 0, &Limits::default())
}

/// Gives the input in pieces that end at `cuts`, then all of it; stops at the first outcome, and tells how many bytes
/// it took.
fn pieces(input: &[u8], cuts: impl Iterator<Item = usize>, limits: &Limits) -> (Result<Outcome, u32>, usize) {
    let mut resume = 0;
    for end in cuts.chain([input.len()]) {
        match step(&input[..end], resume, limits) {
            Ok(outcome) => return (Ok(outcome), end),
            Err(next) => {
                assert_eq!((next & !LINE_READ) as usize, end, "looks at each byte");
                assert!(next & LINE_READ >= resume & LINE_READ, "the line does not become unread");
                resume = next;
            }
        }
    }
    (Err(resume), input.len())
}

/// The input whole, in two pieces cut anywhere, and byte by byte, must have one outcome. An error may be found later
/// when the input is cut, but then all that could follow leads to it too.
fn check_cuts(input: &[u8], limits: &Limits) -> Result<Outcome, u32> {
    let expected = step(input, 0, limits);
    let rest: &[u8] = if matches!(expected, Ok(Err(_))) { b"\n\r\n\r\n" } else { b"" };
    let input = &[input, rest].concat()[..];
    let mut cuts: Vec<Vec<usize>> = (0..=input.len()).map(|cut| vec![cut]).collect();
    cuts.push((0..input.len()).collect());
    for cuts in cuts {
        let (outcome, end) = pieces(input, cuts.iter().copied(), limits);
        assert_eq!(outcome.is_ok(), expected.is_ok(), "{:?} {cuts:?}", String::from_utf8_lossy(input));
        if expected.is_ok() {
            assert_eq!(outcome, expected, "{:?} {cuts:?}", String::from_utf8_lossy(input));
        }
        if let Ok(Ok(told)) = outcome {
            assert!(end >= told.length, "complete before its end");
        }
    }
    expected
}

fn line_of(input: &str) -> String {
    format!("{input}\r\nHost: h\r\n\r\n")
}

#[test]
fn reads_request_lines() {
    use Method::{Connect, Get, Head, Options, Post, Propfind};
    use Version::{Http10, Http11};
    for (line, method, target, path, query, authority, version) in [
        ("GET / HTTP/1.1", Get, "/", "/", None, "h", Http11),
        ("GET / HTTP/1.0", Get, "/", "/", None, "h", Http10),
        ("HEAD / HTTP/1.2", Head, "/", "/", None, "h", Http11),
        ("POST /a HTTP/1.9", Post, "/a", "/a", None, "h", Http11),
        ("PROPFIND /a/ HTTP/1.1", Propfind, "/a/", "/a/", None, "h", Http11),
        ("GET /? HTTP/1.1", Get, "/?", "/", Some(""), "h", Http11),
        ("GET /a?b?c/d HTTP/1.1", Get, "/a?b?c/d", "/a", Some("b?c/d"), "h", Http11),
        ("GET //a///b HTTP/1.1", Get, "//a///b", "//a///b", None, "h", Http11),
        ("GET /%zz%2F%00 HTTP/1.1", Get, "/%zz%2F%00", "/%zz%2F%00", None, "h", Http11),
        ("GET /é HTTP/1.1", Get, "/é", "/é", None, "h", Http11),
        (
            "GET /\"<>\\^`{|}?\"<>\\^`{|} HTTP/1.1",
            Get,
            "/\"<>\\^`{|}?\"<>\\^`{|}",
            "/\"<>\\^`{|}",
            Some("\"<>\\^`{|}"),
            "h",
            Http11,
        ),
        ("OPTIONS * HTTP/1.1", Options, "*", "/", None, "h", Http11),
        ("OPTIONS /a HTTP/1.1", Options, "/a", "/a", None, "h", Http11),
        ("CONNECT a:443 HTTP/1.1", Connect, "a:443", "/", None, "a:443", Http11),
        ("GET http://a HTTP/1.1", Get, "http://a", "/", None, "a", Http11),
        ("GET HTTPS://a:1/b?c HTTP/1.1", Get, "HTTPS://a:1/b?c", "/b", Some("c"), "a:1", Http11),
        ("GET http://a?c/d HTTP/1.1", Get, "http://a?c/d", "/", Some("c/d"), "a", Http11),
        ("GET http://[::1]:80//b HTTP/1.0", Get, "http://[::1]:80//b", "//b", None, "[::1]:80", Http10),
    ] {
        for prefix in ["", "\r\n"] {
            let input = format!("{prefix}{}", line_of(line));
            let told = check_cuts(input.as_bytes(), &Limits::default()).unwrap().unwrap();
            let expected = Told {
                length: input.len(),
                method,
                version,
                target: target.into(),
                path: path.into(),
                query: query.map(Into::into),
                authority: authority.into(),
                fields: vec![("Host".into(), "h".into())],
            };
            assert_eq!(told, expected, "{line}");
        }
    }
}

#[test]
fn refuses_request_lines() {
    for (line, error) in [
        ("GET", HeadError::RequestLine),
        ("GET /", HeadError::RequestLine),
        ("GET / ", HeadError::Version),
        ("GET  / HTTP/1.1", HeadError::RequestLine),
        ("GET /  HTTP/1.1", HeadError::RequestLine),
        ("GET / HTTP/1.1 ", HeadError::RequestLine),
        ("GET / HTTP/1.1 x", HeadError::RequestLine),
        ("GET /a b HTTP/1.1", HeadError::RequestLine),
        (" GET / HTTP/1.1", HeadError::Method),
        ("GET\t/ HTTP/1.1", HeadError::Method),
        ("GET /\tHTTP/1.1", HeadError::Target),
        ("G(T / HTTP/1.1", HeadError::Method),
        ("G\0T / HTTP/1.1", HeadError::Method),
        ("GÉT / HTTP/1.1", HeadError::Method),
        ("\x16\x03\x01\x02\0\x01\0", HeadError::Method),
        ("get / HTTP/1.1", HeadError::UnknownMethod),
        ("BREW / HTTP/1.1", HeadError::UnknownMethod),
        ("PROPFINDERS / HTTP/1.1", HeadError::UnknownMethod),
        ("BREW x?y HTTP/1.0", HeadError::UnknownMethod),
        // What is no request line has no method.
        ("PRI * HTTP/2.0", HeadError::UnsupportedVersion),
        ("BREW / HTTP/1.1.1", HeadError::Version),
        ("BREW / HTTP/1.1\rX", HeadError::LineEnd),
        ("G ET / HTTP/1.1", HeadError::RequestLine),
        ("AAAAAAAAAAAAAAAAAAAA / HTTP/1.1 ", HeadError::RequestLine),
        ("BREW  / HTTP/1.1", HeadError::RequestLine),
        ("BREW /", HeadError::RequestLine),
        ("BREW /#a HTTP/1.1", HeadError::Target),
        ("AAAAAAAAAAAAAAAAAAAAAAAAAAAAA", HeadError::RequestLine),
        ("GET /#a HTTP/1.1", HeadError::Target),
        ("GET /?a#b HTTP/1.1", HeadError::Target),
        ("GET /\x7f HTTP/1.1", HeadError::Target),
        ("GET /\x01 HTTP/1.1", HeadError::Target),
        ("GET /\0 HTTP/1.1", HeadError::Target),
        ("GET /a\rb HTTP/1.1", HeadError::RequestLine),
        ("GET a HTTP/1.1", HeadError::Target),
        ("GET ?a HTTP/1.1", HeadError::Target),
        ("GET * HTTP/1.1", HeadError::Target),
        ("OPTIONS *?a HTTP/1.1", HeadError::Target),
        ("OPTIONS ** HTTP/1.1", HeadError::Target),
        ("CONNECT / HTTP/1.1", HeadError::Target),
        ("CONNECT a HTTP/1.1", HeadError::Target),
        ("CONNECT a:0x HTTP/1.1", HeadError::Target),
        ("GET http:// HTTP/1.1", HeadError::Target),
        ("GET http:///a HTTP/1.1", HeadError::Target),
        ("GET http://?a HTTP/1.1", HeadError::Target),
        ("GET http://u@a/ HTTP/1.1", HeadError::Target),
        ("GET http://a:99999/ HTTP/1.1", HeadError::Target),
        ("GET ftp://a/ HTTP/1.1", HeadError::Target),
        ("GET / HTTP/0.9", HeadError::Version),
        ("GET / http/1.1", HeadError::Version),
        ("GET / HTTP/1", HeadError::Version),
        ("GET / HTTP/1.", HeadError::Version),
        ("GET / HTTP/.1", HeadError::Version),
        ("GET / HTTP/1.x", HeadError::Version),
        ("GET / HTTP/1.1x", HeadError::Version),
        ("GET / HTTP/1.1.1", HeadError::Version),
        ("GET / HTTP/-1.1", HeadError::Version),
        ("GET / HTTP/1,1", HeadError::Version),
        ("GET / HTTPS/1.1", HeadError::Version),
        ("GET / HTTP 1.1", HeadError::RequestLine),
        ("GET / HTTP/2.0", HeadError::UnsupportedVersion),
        ("GET / HTTP/3.1", HeadError::UnsupportedVersion),
        ("GET / HTTP/1.10", HeadError::Version),
        ("GET / HTTP/11.1", HeadError::Version),
        ("GET / HTTP/01.1", HeadError::Version),
        ("GET / HTTP/2.00", HeadError::Version),
        ("GET / HTTP/0.8", HeadError::UnsupportedVersion),
        ("GET / HTTP/1.1\r", HeadError::LineEnd),
        ("GET / HTTP/1.0\r", HeadError::LineEnd),
        ("GET / HTTP/1.1\rX: y", HeadError::LineEnd),
        ("\rGET / HTTP/1.1", HeadError::LineEnd),
        ("\nGET / HTTP/1.1", HeadError::LineEnd),
        ("\r\n\r\nGET / HTTP/1.1", HeadError::Method),
    ] {
        let input = line_of(line);
        assert_eq!(check_cuts(input.as_bytes(), &Limits::default()), Ok(Err(error)), "{line:?}");
    }
    for input in ["GET / HTTP/1.1\nHost: h\r\n\r\n", "GET / HTTP/1.0\n\n"] {
        assert_eq!(check_cuts(input.as_bytes(), &Limits::default()), Ok(Err(HeadError::LineEnd)));
    }
    assert_eq!(check_cuts(b"GET /\n", &Limits::default()), Ok(Err(HeadError::RequestLine)));
}

#[test]
fn reads_fields() {
    for (lines, expected) in [
        ("", &[][..]),
        ("A:\r\n", &[("A", "")]),
        ("A: \t \r\n", &[("A", "")]),
        ("a:b\r\n", &[("a", "b")]),
        ("a: b\r\n", &[("a", "b")]),
        ("a:\t b c\t \r\n", &[("a", "b c")]),
        ("a: b\tc: d, \"e\"\r\n", &[("a", "b\tc: d, \"e\"")]),
        ("a: é\u{80}\r\n", &[("a", "é\u{80}")]),
        ("a: 12345678\t12345678\t\r\nb:\tx\r\n", &[("a", "12345678\t12345678"), ("b", "x")]),
        ("!#$%&'*+-.^_`|~09azAZ: x\r\n", &[("!#$%&'*+-.^_`|~09azAZ", "x")]),
        ("a: 1\r\nA: 2\r\na: 1\r\n", &[("a", "1"), ("A", "2"), ("a", "1")]),
        ("a::\r\n", &[("a", ":")]),
    ] {
        for body in ["", "x", "\r\n", "GET / HTTP/1.1\r\n\0"] {
            let head = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
            let input = format!("{head}{body}");
            let told = check_cuts(input.as_bytes(), &Limits::default()).unwrap().unwrap();
            assert_eq!(told.length, head.len());
            let fields: Vec<_> = told
                .fields
                .iter()
                .map(|(name, value)| {
                    (core::str::from_utf8(name).unwrap(), core::str::from_utf8(value).unwrap())
                })
                .collect();
            assert_eq!(fields.first(), Some(&("Host", "h")));
            assert_eq!(&fields[1..], expected);
        }
    }
}

#[test]
fn refuses_fields() {
    for (lines, error) in [
        ("a\r\n", HeadError::FieldName),
        ("a b: c\r\n", HeadError::FieldName),
        ("a : b\r\n", HeadError::FieldName),
        ("a\t: b\r\n", HeadError::FieldName),
        (": b\r\n", HeadError::FieldName),
        (":\r\n", HeadError::FieldName),
        ("(a): b\r\n", HeadError::FieldName),
        ("a\0: b\r\n", HeadError::FieldName),
        ("é: b\r\n", HeadError::FieldName),
        ("a\n", HeadError::FieldName),
        ("a: b\n", HeadError::LineEnd),
        ("a: b\nc: d\r\n", HeadError::LineEnd),
        ("a:\n", HeadError::LineEnd),
        ("a: b\rc\r\n", HeadError::LineEnd),
        ("a: b\r\r\n", HeadError::LineEnd),
        ("a:\r\r\n", HeadError::LineEnd),
        ("a: b\0c\r\n", HeadError::FieldValue),
        ("a: \x01\r\n", HeadError::FieldValue),
        ("a: 12345678\x7f\r\n", HeadError::FieldValue),
        ("a: 1234567\x0b12345678\r\n", HeadError::FieldValue),
        ("a: b\r\n c\r\n", HeadError::Fold),
        ("a: b\r\n\tc\r\n", HeadError::Fold),
        ("a: b\r\n \r\n", HeadError::Fold),
        (" a: b\r\n", HeadError::Fold),
        ("\n", HeadError::LineEnd),
        ("\r\r\n", HeadError::LineEnd),
        ("\rx", HeadError::LineEnd),
        ("Host: h\r\n", HeadError::Host),
        ("hOST: i\r\n", HeadError::Host),
        ("Host:\r\n", HeadError::Host),
    ] {
        let input = format!("GET / HTTP/1.1\r\nHost: h\r\n{lines}\r\n");
        let outcome = check_cuts(input.as_bytes(), &Limits::default());
        assert_eq!(outcome, Ok(Err(error)), "{lines:?}");
    }
}

#[test]
fn demands_one_valid_host() {
    for (version, lines, good) in [
        ("1.1", "", false),
        ("1.0", "", true),
        ("1.2", "", false),
        ("1.1", "Host: a\r\n", true),
        ("1.1", "x: y\r\nHOST:a:80\r\n", true),
        ("1.1", "Host: a\r\nHost: a\r\n", false),
        ("1.0", "Host: a\r\nHost: a\r\n", false),
        ("1.1", "Host:\r\n", false),
        ("1.0", "Host: \r\n", false),
        ("1.1", "Host: a b\r\n", false),
        ("1.1", "Host: a, b\r\n", false),
        ("1.1", "Host: a/b\r\n", false),
        ("1.1", "Host: u@a\r\n", false),
        ("1.0", "Host: a:b\r\n", false),
        ("1.1", "Host: [::1]\r\n", true),
        ("1.1", "Hosts: a\r\n", false),
    ] {
        for target in ["/", "http://b/"] {
            let input = format!("GET {target} HTTP/{version}\r\n{lines}\r\n");
            let outcome = check_cuts(input.as_bytes(), &Limits::default()).unwrap();
            assert_eq!(outcome.err(), (!good).then_some(HeadError::Host), "{input:?}");
        }
    }
}

#[test]
fn every_byte_everywhere_is_judged_alike() {
    // Each byte put in the place of each other, and before it: whatever comes of it, cuts do not change it.
    let head = b"\r\nPUT http://a/b?c HTTP/1.1\r\nHost:\t[::1]:8 \r\nAb: c\r\n\r\n";
    let interesting = b"\0\t\n\r !#%:?@A[\x7f\x80";
    for at in 0..head.len() {
        for &byte in interesting {
            let mut other = head.to_vec();
            other[at] = byte;
            let _ = check_cuts(&other, &Limits::default());
            other.insert(at, head[at]);
            let _ = check_cuts(&other, &Limits::default());
        }
    }
    // Controls are never let through.
    for at in 0..head.len() {
        for byte in (0..0x20).chain([0x7f]).filter(|&byte| byte != b'\t') {
            let mut other = head.to_vec();
            other.insert(at, byte);
            let ended = at == head.len() - 1 && byte == b'\n';
            assert!(whole(&other).is_ok_and(|outcome| outcome.is_err()) || ended, "{byte} at {at}");
        }
    }
}

#[test]
fn limits_are_exact() {
    let limits = Limits { line: 40, head: 100, fields: 3 };
    let target = |length: usize| format!("/{}", "a".repeat(length - "GET / HTTP/1.1".len()));
    for prefix in ["", "\r\n"] {
        for (length, error) in
            [(39, None), (40, None), (41, Some(HeadError::UriTooLong)), (60, Some(HeadError::UriTooLong))]
        {
            let input = format!("{prefix}GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target(length));
            let outcome = check_cuts(input.as_bytes(), &limits).unwrap();
            assert_eq!(outcome.err(), error, "{length}");
            // Found with no line end in sight, as soon as it cannot be met.
            if error.is_some() {
                let early = &input.as_bytes()[..prefix.len() + 42];
                assert_eq!(check_cuts(early, &limits), Ok(Err(HeadError::UriTooLong)));
                assert!(check_cuts(&early[..early.len() - 1], &limits).is_err());
            }
        }
    }
    for (length, error) in
        [(99, None), (100, None), (101, Some(HeadError::HeadTooLong)), (150, Some(HeadError::HeadTooLong))]
    {
        let start = "GET / HTTP/1.1\r\nHost: h\r\na: ";
        let input = format!("{start}{}\r\n\r\n", "b".repeat(length - start.len() - 4));
        assert_eq!(input.len(), length);
        let outcome = check_cuts(input.as_bytes(), &limits).unwrap();
        assert_eq!(outcome.err(), error, "{length}");
        if error.is_some() {
            let early = &input.as_bytes()[..100];
            assert_eq!(check_cuts(early, &limits), Ok(Err(HeadError::HeadTooLong)));
            assert!(check_cuts(&early[..99], &limits).is_err());
        }
    }
    for (count, error) in [(2, None), (3, None), (4, Some(HeadError::TooManyFields))] {
        let input = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(count - 1));
        let outcome = check_cuts(input.as_bytes(), &limits).unwrap();
        assert_eq!(outcome.err(), error, "{count}");
    }
    // What is wrong before a limit goes before it.
    let input = format!("GET /#{} HTTP/1.1\r\n\r\n", "a".repeat(200));
    assert_eq!(check_cuts(input.as_bytes(), &limits), Ok(Err(HeadError::Target)));
    let input = format!("GET / HTTP/1.1\r\na\0{}\r\n\r\n", "a".repeat(200));
    assert_eq!(check_cuts(input.as_bytes(), &limits), Ok(Err(HeadError::FieldName)));
    // A head smaller than its line, and limits of nothing, are limits too.
    for (line, head) in [(0, 0), (0, 100), (100, 0), (1, 1), (100, 5), (usize::MAX, usize::MAX)] {
        let outcome = check_cuts(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", &Limits { line, head, fields: 3 });
        let expected = if line == usize::MAX { None } else { Some(HeadError::UriTooLong) };
        assert_eq!(outcome.unwrap().err(), expected, "{line} {head}");
    }
}

#[test]
fn drips_cost_no_more_than_they_weigh() {
    let fields = "a: bcdefg\r\n".repeat(99);
    let long = format!("Host: h\r\nx: {}\r\n", "y".repeat(16_000));
    for (start, fields) in [("", fields.as_str()), ("\r\n", &long), ("", &long)] {
        let input = format!("{start}GET / HTTP/1.1\r\nHost: h\r\n{fields}");
        let input = input.replacen("Host: h\r\nHost: h", "Host: h", 1);
        for end in ["\r\n", &"z".repeat(20_000), "\nx"] {
            let input = format!("{input}{end}");
            let (mut fields, mut head) = (Fields::default(), Head::default());
            let mut resume = 0;
            READS.set(0);
            for end in 0..input.len() {
                match parse(&input.as_bytes()[..end], resume, &Limits::default(), &mut fields, &mut head) {
                    Parsed::Partial { resume: next } => resume = next,
                    Parsed::Complete { .. } | Parsed::Error(_) => break,
                }
            }
            // Nothing yet, the first byte, the empty line before, the request line, and the end.
            assert!(READS.get() <= 5, "{} reads", READS.get());
        }
    }
}

#[test]
fn a_line_is_refused_when_it_ends() {
    for line in [
        "GET /\r\n",
        "GET / HTTP/2.0\r\n",
        "GET /\u{1} HTTP/1.1\r\n",
        "BREW / HTTP/1.1\r\n",
        "GET / HTTP/1.1\n",
    ] {
        let (outcome, _) = pieces(line.as_bytes(), 0..line.len(), &Limits::default());
        assert!(matches!(outcome, Ok(Err(_))), "{line:?}");
    }
}

#[test]
fn statuses_are_as_agreed() {
    for (error, code) in [
        (HeadError::Method, 400),
        (HeadError::UnknownMethod, 501),
        (HeadError::Target, 400),
        (HeadError::RequestLine, 400),
        (HeadError::UriTooLong, 414),
        (HeadError::Version, 400),
        (HeadError::UnsupportedVersion, 505),
        (HeadError::LineEnd, 400),
        (HeadError::Fold, 400),
        (HeadError::FieldName, 400),
        (HeadError::FieldValue, 400),
        (HeadError::Host, 400),
        (HeadError::TooManyFields, 431),
        (HeadError::HeadTooLong, 431),
    ] {
        assert_eq!(error.status().code(), code, "{error:?}");
    }
}

#[test]
fn memory_stays() {
    let (mut fields, mut head) = (Fields::default(), Head::default());
    let input = format!("GET / HTTP/1.1\r\nHost: h\r\n{}\r\n", "a: b\r\n".repeat(99));
    let mut capacity = 0;
    for round in 0..3 {
        let parsed = parse(input.as_bytes(), 0, &Limits::default(), &mut fields, &mut head);
        assert!(matches!(parsed, Parsed::Complete { .. }));
        assert!(round == 0 || fields.list.capacity() == capacity);
        capacity = fields.list.capacity();
    }
}
