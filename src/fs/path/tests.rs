use super::*;
use quickcheck::quickcheck;

fn set(raw: &[u8]) -> Result<Vec<u8>, PathError> {
    let mut buffer = VPathBuf::default();
    buffer.set_url(raw).map(|path| path.as_bytes().to_vec())
}

#[test]
fn paths_are_decoded_and_normalised() {
    for (raw, path) in [
        ("/", "/"),
        ("//", "/"),
        ("///", "/"),
        ("/.", "/"),
        ("/./", "/"),
        ("/./.", "/"),
        ("/a", "/a"),
        ("/a/", "/a/"),
        ("/a/b.c", "/a/b.c"),
        ("//a///b//", "/a/b/"),
        ("/a/.", "/a/"),
        ("/a/./", "/a/"),
        ("/a/./b", "/a/b"),
        ("/a/..", "/"),
        ("/a/../", "/"),
        ("/a/../b", "/b"),
        ("/a/b/..", "/a/"),
        ("/a/b/../../c", "/c"),
        ("/a//../b", "/b"),
        ("/a/b/./../c/", "/a/c/"),
        ("/%61", "/a"),
        ("/a%20b", "/a b"),
        ("/a+b", "/a+b"),
        ("/%C3%a9t%C3%A9", "/\u{e9}t\u{e9}"),
        ("/%3F%23", "/?#"),
        ("/a?b#c", "/a?b#c"),
        ("/.hidden", "/.hidden"),
        ("/..a", "/..a"),
        ("/a..", "/a.."),
        ("/...", "/..."),
        ("/a/.../b", "/a/.../b"),
        ("/a.", "/a."),
    ] {
        assert_eq!(set(raw.as_bytes()).unwrap(), path.as_bytes(), "{raw}");
    }
}

#[test]
fn what_is_no_path_is_refused() {
    use PathError::{EncodedSlash, Invalid, TooLong};
    for (raw, error) in [
        ("", Invalid),
        ("a", Invalid),
        ("*", Invalid),
        ("http://host/", Invalid),
        ("%2Fa", Invalid),
        ("\\a", Invalid),
        ("/%", Invalid),
        ("/%4", Invalid),
        ("/%4/1", Invalid),
        ("/a%zz", Invalid),
        ("/%u002e", Invalid),
        ("/\0", Invalid),
        ("/a%00.html", Invalid),
        ("/a%00%2f", Invalid),
        ("/..", Invalid),
        ("/../a", Invalid),
        ("/a/../..", Invalid),
        ("/./..", Invalid),
        ("//..", Invalid),
        ("/a/../../etc/passwd", Invalid),
        ("/%2F", EncodedSlash),
        ("/a%2fb", EncodedSlash),
        ("/a/..%2f..%2fetc", EncodedSlash),
        ("/%2f%00", EncodedSlash),
    ] {
        assert_eq!(set(raw.as_bytes()), Err(error), "{raw}");
    }
    assert_eq!(set(&[b"/", &[b'a'; 256][..]].concat()), Err(TooLong));
}

/// The tricks that have opened other servers, with what they come to here.
#[test]
fn traversal_is_refused_or_is_an_ordinary_name() {
    use PathError::{EncodedSlash, Invalid};
    type Case = (&'static [u8], Result<&'static [u8], PathError>);
    let cases: [Case; 30] = [
        (b"/%2e%2e/", Err(Invalid)),
        (b"/%2E%2E/etc/passwd", Err(Invalid)),
        (b"/.%2e/", Err(Invalid)),
        (b"/%2e./", Err(Invalid)),
        (b"/%2e%2e", Err(Invalid)),
        (b"/cgi-bin/.%2e/.%2e/.%2e/etc/passwd", Err(Invalid)),
        (b"/a/%2e%2e/b", Ok(b"/b")),
        (b"/a/%2e", Ok(b"/a/")),
        (b"/..%2f", Err(EncodedSlash)),
        (b"/..%2fetc%2fpasswd", Err(EncodedSlash)),
        (b"/%2e%2e%2f", Err(EncodedSlash)),
        (b"/%252e%252e/", Ok(b"/%2e%2e/")),
        (b"/%252e%252e%252fetc", Ok(b"/%2e%2e%2fetc")),
        (b"/%%32%65%%32%65/", Err(Invalid)),
        (b"/..\\", Ok(b"/..\\")),
        (b"/..\\..\\etc", Ok(b"/..\\..\\etc")),
        (b"/..%5c..%5cetc", Ok(b"/..\\..\\etc")),
        (b"/....//", Ok(b"/..../")),
        (b"/....//....//etc", Ok(b"/..../..../etc")),
        (b"/..;/", Ok(b"/..;/")),
        (b"/a;/../b", Ok(b"/b")),
        (b"/;/../..", Err(Invalid)),
        (b"/%c0%ae%c0%ae/", Ok(b"/\xc0\xae\xc0\xae/")),
        (b"/%c0%af", Ok(b"/\xc0\xaf")),
        (b"/%e0%80%ae/", Ok(b"/\xe0\x80\xae/")),
        (b"/\xef\xbc\x8e\xef\xbc\x8e/", Ok("/\u{ff0e}\u{ff0e}/".as_bytes())),
        (b"/%ef%bc%8f", Ok("/\u{ff0f}".as_bytes())),
        (b"/ ../", Ok(b"/ ../")),
        (b"/..%20/", Ok(b"/.. /")),
        (b"/..%00/", Err(Invalid)),
    ];
    for (raw, expected) in cases {
        assert_eq!(set(raw), expected.map(<[u8]>::to_vec), "{}", String::from_utf8_lossy(raw));
    }
}

#[test]
fn lengths_are_bounded() {
    let segment = vec![b'a'; SEGMENT_LIMIT];
    let one = [b"/", &segment[..]].concat();
    for tail in ["", "/", "/b"] {
        let good = [&one[..], tail.as_bytes()].concat();
        assert_eq!(set(&good).unwrap(), good);
        let bad = [&one[..], b"a", tail.as_bytes()].concat();
        assert_eq!(set(&bad), Err(PathError::TooLong));
        assert_eq!(VPath::new(&bad), Err(PathError::TooLong));
    }
    let encoded = [b"/".to_vec(), b"%61".repeat(SEGMENT_LIMIT)].concat();
    assert_eq!(set(&encoded).unwrap(), one);
    assert_eq!(set(&[&encoded[..], b"%61"].concat()), Err(PathError::TooLong));

    let most = one.repeat(PATH_LIMIT / one.len());
    assert_eq!(most.len(), PATH_LIMIT);
    assert_eq!(set(&most).unwrap(), most);
    assert_eq!(set(&[&most[..], b"/"].concat()), Err(PathError::TooLong));
    assert_eq!(set(&[b"/%61", &most[..]].concat()), Err(PathError::TooLong));
    assert_eq!(set(&[b"/", &most[..]].concat()).unwrap(), most);
    assert_eq!(set(&b"/a/..".repeat(10_000)).unwrap(), b"/");
}

#[test]
fn the_fast_way_agrees_with_the_careful_one() {
    for raw in ["/", "/a", "/a/", "/a.b/c..d/e~", "/a/b/c/d/e", "/x y"] {
        assert!(is_plain(raw.as_bytes()), "{raw}");
        let mut buffer = VPathBuf::default();
        buffer.normalise(raw.as_bytes()).unwrap();
        assert_eq!(buffer.0, raw.as_bytes());
    }
    for raw in ["", "a", "/.a", "/a/.", "//", "/a//b", "/%61", "/\0"] {
        assert!(!is_plain(raw.as_bytes()), "{raw}");
    }
}

#[test]
fn parts() {
    for (text, relative, parent, name, extension, directory) in [
        ("/", "", "/", "", "", true),
        ("/a", "a", "/", "a", "", false),
        ("/a/", "a", "/", "a", "", true),
        ("/a.b/c", "a.b/c", "/a.b/", "c", "", false),
        ("/a/b.tar.gz", "a/b.tar.gz", "/a/", "b.tar.gz", "gz", false),
        ("/a/b.d/", "a/b.d", "/a/", "b.d", "d", true),
        ("/.x", ".x", "/", ".x", "", false),
        ("/.x.y", ".x.y", "/", ".x.y", "y", false),
        ("/x.", "x.", "/", "x.", "", false),
    ] {
        let path = VPath::new(text.as_bytes()).unwrap();
        assert_eq!(path.as_bytes(), text.as_bytes());
        assert_eq!(path.relative(), relative.as_bytes(), "{text}");
        assert_eq!(path.parent().as_bytes(), parent.as_bytes(), "{text}");
        assert_eq!(path.name(), name.as_bytes(), "{text}");
        assert_eq!(path.extension(), extension.as_bytes(), "{text}");
        assert_eq!(path.is_directory_form(), directory, "{text}");
        let joined = path.segments().collect::<Vec<_>>().join(&b'/');
        assert_eq!(joined, relative.as_bytes());
    }
}

#[test]
fn hidden() {
    for (text, hidden) in [
        ("/", false),
        ("/a.b", false),
        ("/.git", true),
        ("/.git/", true),
        ("/a/.git/config", true),
        ("/.well-known", false),
        ("/.well-known/acme-challenge/x", false),
        ("/.well-known/.x", true),
        ("/a/.well-known/x", true),
        ("/.well-known2", true),
        ("/...", true),
    ] {
        assert_eq!(VPath::new(text.as_bytes()).unwrap().is_hidden(), hidden, "{text}");
    }
}

#[test]
fn only_what_is_normal_is_taken_as_it_is() {
    for text in ["/", "/a", "/a/", "/a/b", "/a/..b/"] {
        assert!(VPath::new(text.as_bytes()).is_ok(), "{text}");
    }
    for text in ["", "a", "//", "/a//", "//a", "/a//b", "/.", "/..", "/a/./", "/a/../b", "/a\0"] {
        assert_eq!(VPath::new(text.as_bytes()), Err(PathError::Invalid), "{text}");
    }
}

#[test]
fn names_are_pushed_and_dropped() {
    let mut buffer = VPathBuf::default();
    assert_eq!(buffer.path(), VPath::ROOT);
    assert_eq!(buffer.push_name(b"index.html").unwrap().as_bytes(), b"/index.html");
    buffer.truncate(1);
    assert_eq!(buffer.path().as_bytes(), b"/");
    buffer.set_url(b"/dir").unwrap();
    assert_eq!(buffer.push_name(b"...").unwrap().as_bytes(), b"/dir/...");
    for cut in [0, 2, 3, 6, 7, 9, usize::MAX] {
        buffer.truncate(cut);
        assert_eq!(buffer.path().as_bytes(), b"/dir/...", "{cut}");
    }
    buffer.truncate(4);
    assert_eq!(buffer.path().as_bytes(), b"/dir");
    for name in ["", ".", "..", "a\0"] {
        assert_eq!(buffer.push_name(name.as_bytes()), Err(PathError::Invalid));
    }
    assert_eq!(buffer.push_name(b"a/b"), Err(PathError::EncodedSlash));
    assert_eq!(buffer.push_name(&[b'a'; 256]), Err(PathError::TooLong));
    assert_eq!(buffer.path().as_bytes(), b"/dir");
    assert!(buffer.set_url(b"/..").is_err());
    assert_eq!(buffer.path(), VPath::ROOT);
}

/// Bytes that make trouble are drawn more often than others.
fn troublesome(seed: &[u8]) -> Vec<u8> {
    let pieces: [&[u8]; 12] =
        [b"/", b"/", b".", b"..", b"%2e", b"%2E", b"%2f", b"%00", b"%25", b"\\", b"%c0%ae", b"a"];
    let mut raw = b"/".to_vec();
    for &byte in seed {
        raw.extend_from_slice(pieces.get(usize::from(byte) % 16).copied().unwrap_or(&[byte]));
    }
    raw
}

fn holds(raw: &[u8]) -> bool {
    let Ok(path) = set(raw) else { return true };
    let segments: Vec<&[u8]> = path[1..].split(|&byte| byte == b'/').collect();
    let (last, inner) = segments.split_last().unwrap();
    let right = path[0] == b'/'
        && path.len() <= PATH_LIMIT
        && !path.contains(&0)
        && inner.iter().all(|segment| !segment.is_empty())
        && segments.iter().all(|segment| *segment != b"." && *segment != b".." && segment.len() <= 255)
        && (!last.is_empty() || path.ends_with(b"/"))
        && VPath::new(&path).is_ok();
    let mut encoded = Vec::new();
    VPath::new(&path).unwrap().encode_url(&mut encoded);
    right && set(&encoded).as_ref() == Ok(&path)
}

quickcheck! {
    fn a_decoded_path_is_never_wrong(seed: Vec<u8>) -> bool {
        holds(&troublesome(&seed))
    }

    fn any_text_is_a_right_path_or_none(raw: Vec<u8>) -> bool {
        holds(&raw) && holds(&[b"/", &raw[..]].concat())
    }
}

#[test]
fn suffixes() {
    let long = ["/", &"n".repeat(SEGMENT_LIMIT - 3)].concat();
    let deep = "/n".repeat(PATH_LIMIT / 2 - 1);
    for (path, suffix, expected) in [
        ("/a", ".gz", Ok("/a.gz")),
        ("/d/a.js", ".br", Ok("/d/a.js.br")),
        ("/d/a", "", Ok("/d/a")),
        ("/", ".gz", Err(PathError::Invalid)),
        ("/d/", ".gz", Err(PathError::Invalid)),
        ("/a", "/b", Err(PathError::EncodedSlash)),
        ("/a", "\0", Err(PathError::Invalid)),
        (&long, ".gz", Ok([&long, ".gz"].concat().as_str())),
        (&long, ".zst", Err(PathError::TooLong)),
        (&deep, ".gz", Err(PathError::TooLong)),
    ] {
        let mut buffer = VPathBuf::default();
        let path = VPath::new(path.as_bytes()).unwrap();
        let found = buffer.set_with_suffix(path, suffix.as_bytes()).map(|path| path.as_bytes().to_vec());
        assert_eq!(found, expected.map(|text| text.as_bytes().to_vec()));
        assert!(found.is_ok() || buffer.path() == VPath::ROOT);
    }
}
