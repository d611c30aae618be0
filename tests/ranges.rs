//! Byte ranges over real sockets: what RFC 9110 sections 13.1.5, 14 and 15.3.7 say, and what clients make of it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use common::{Directory, Reply, Server};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};

/// Neither a small file, kept in memory, nor a large one, sent from its descriptor, repeats itself soon.
fn bytes(length: u32) -> Vec<u8> {
    (0..length).map(|n| (n * 7 + n / 256 + n / 65_536) as u8).collect()
}

const SMALL: u32 = 5000;
const LARGE: u32 = 3_000_000;

fn site() -> (Directory, Server) {
    let directory = Directory::new();
    directory.file("small.txt", bytes(SMALL));
    directory.file("large.bin", bytes(LARGE));
    directory.file("empty", "");
    let server = Server::start(directory.path(), &[]);
    (directory, server)
}

fn ask(server: &Server, line: &str, fields: &[&str]) -> Reply {
    let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
    let request = format!("{line}\r\nHost: x\r\nConnection: close\r\n{fields}\r\n");
    let all = server.talk(request.as_bytes());
    let (reply, rest) = Reply::first(&all, line.starts_with("HEAD"));
    assert!(rest.is_empty(), "{line} {fields}: {} bytes too many", rest.len());
    reply
}

fn get(server: &Server, path: &str, fields: &[&str]) -> Reply {
    ask(server, &format!("GET {path} HTTP/1.1"), fields)
}

/// The parts of a multipart reply: Content-Range and bytes.
fn parts(reply: &Reply) -> Vec<(String, Vec<u8>)> {
    let kind = reply.field("content-type").unwrap();
    let boundary = kind.strip_prefix("multipart/byteranges; boundary=").unwrap();
    assert!((20..=70).contains(&boundary.len()));
    let mut rest = &reply.body[..];
    let mut parts = Vec::new();
    let mut open = format!("--{boundary}\r\n");
    loop {
        rest = rest.strip_prefix(open.as_bytes()).unwrap();
        let end = rest.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        let range =
            head.lines().find_map(|line| line.strip_prefix("Content-Range: bytes ")).unwrap().to_owned();
        assert!(head.starts_with("Content-Type: ") && head.lines().count() == 2, "{head}");
        let (first, last) = range.split('/').next().unwrap().split_once('-').unwrap();
        let length = last.parse::<usize>().unwrap() - first.parse::<usize>().unwrap() + 1;
        parts.push((range, rest[end + 4..end + 4 + length].to_vec()));
        rest = &rest[end + 4 + length..];
        if rest == format!("\r\n--{boundary}--\r\n").as_bytes() {
            return parts;
        }
        open = format!("\r\n--{boundary}\r\n");
    }
}

#[test]
fn one_piece() {
    let (_files, server) = site();
    for (path, length) in [("/small.txt", SMALL), ("/large.bin", LARGE)] {
        let whole = bytes(length);
        let plain = get(&server, path, &[]);
        assert_eq!((plain.status, plain.field("accept-ranges").as_deref()), (200, Some("bytes")));
        assert!(plain.body == whole && plain.field("content-range").is_none());
        for (range, first, end) in [
            ("bytes=0-0", 0, 1),
            ("bytes=100-199", 100, 200),
            ("Bytes=4000-", 4000, length),
            ("bytes=-100", length - 100, length),
            ("bytes=-9999999999", 0, length),
            ("bytes=0-9999999999", 0, length),
            ("bytes=0-99,100-199", 0, 200),
            ("bytes=300-399, 100-320", 100, 400),
            ("bytes=10-19,99999999-", 10, 20),
        ] {
            for version in ["1.1", "1.0"] {
                let line = format!("GET {path} HTTP/{version}");
                let reply = ask(&server, &line, &[&format!("Range: {range}")]);
                assert_eq!(reply.status, 206, "{line} {range}");
                let expected = format!("bytes {first}-{}/{length}", end - 1);
                assert_eq!(reply.field("content-range"), Some(expected), "{line} {range}");
                assert!(reply.body == whole[first as usize..end as usize], "{line} {range}");
                assert_eq!(reply.field("content-length"), Some((end - first).to_string()));
                for name in ["content-type", "etag", "last-modified", "accept-ranges"] {
                    assert_eq!(reply.field(name), plain.field(name));
                }
                assert!(reply.field("date").is_some() && reply.field("transfer-encoding").is_none());
            }
        }
        for range in ["bytes=5-2", "bytes=", "bytes=0-1,x", "lines=0-1", "bytes=0-,0-", "bytes=1-2-3"] {
            let reply = get(&server, path, &[&format!("Range: {range}")]);
            assert!(reply.status == 200 && reply.body == whole, "{range}");
        }
        let twice = get(&server, path, &["Range: bytes=0-1", "Range: bytes=2-3"]);
        assert!(twice.status == 200 && twice.body == whole);
        for range in [format!("bytes={length}-"), "bytes=-0".into(), "bytes=99999999999999999999-".into()] {
            let reply = get(&server, path, &[&format!("Range: {range}")]);
            assert_eq!(reply.status, 416, "{range}");
            assert_eq!(reply.field("content-range"), Some(format!("bytes */{length}")));
        }
        let head = ask(&server, &format!("HEAD {path} HTTP/1.1"), &["Range: bytes=0-1"]);
        assert_eq!((head.status, head.field("content-length")), (200, Some(length.to_string())));
        let post = ask(&server, &format!("POST {path} HTTP/1.1"), &["Range: bytes=0-1", "Content-Length: 0"]);
        assert_eq!(post.status, 405);
    }
}

#[test]
fn several_pieces() {
    let (_files, server) = site();
    for (path, length) in [("/small.txt", SMALL), ("/large.bin", LARGE)] {
        let whole = bytes(length);
        let plain = get(&server, path, &[]);
        for version in ["1.1", "1.0"] {
            let line = format!("GET {path} HTTP/{version}");
            let reply = ask(&server, &line, &["Range: bytes=-10, 0-1 ,1000-3999,200-299,250-309"]);
            assert_eq!(reply.status, 206);
            assert_eq!(reply.field("content-length"), Some(reply.body.len().to_string()));
            for name in ["etag", "last-modified", "accept-ranges"] {
                assert_eq!(reply.field(name), plain.field(name));
            }
            assert!(reply.field("content-range").is_none() && reply.field("transfer-encoding").is_none());
            let expected: Vec<(String, Vec<u8>)> =
                [(0, 2), (200, 310), (1000, 4000), (length as usize - 10, length as usize)]
                    .map(|(first, end)| (format!("{first}-{}/{length}", end - 1), whole[first..end].to_vec()))
                    .into();
            assert!(parts(&reply) == expected);
        }
        let head = ask(&server, &format!("HEAD {path} HTTP/1.1"), &["Range: bytes=0-1,1000-1001"]);
        assert_eq!((head.status, head.field("content-length")), (200, Some(length.to_string())));
    }
    // Most of a large file, in pieces that no one send takes.
    let whole = bytes(LARGE);
    let reply = get(&server, "/large.bin", &["Range: bytes=0-999999,1000100-1999999,2000100-2999999"]);
    let parts = parts(&reply);
    assert_eq!(parts.len(), 3);
    assert!(parts[0].1 == whole[..1_000_000] && parts[2].1 == whole[2_000_100..]);
}

#[test]
fn the_connection_goes_on() {
    let (_files, server) = site();
    let whole = bytes(LARGE);
    let mut wire = Vec::new();
    for range in ["0-9", "0-9,1000-1999", "9999999-", "0-9,500000-1500000", "-5"] {
        for path in ["small.txt", "large.bin"] {
            wire.extend_from_slice(
                format!("GET /{path} HTTP/1.1\r\nHost: x\r\nRange: bytes={range}\r\n\r\n").as_bytes(),
            );
        }
    }
    let replies = Reply::all(&server.talk(&wire));
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [206, 206, 206, 206, 416, 416, 206, 206, 206, 206]);
    assert!(parts(&replies[7])[1].1 == whole[500_000..=1_500_000]);
    assert!(replies[9].body == whole[whole.len() - 5..]);
}

#[test]
fn abuse() {
    let (_files, mut server) = site();
    let list = |step: usize, count: usize| {
        let all: Vec<String> = (0..count).map(|n| format!("{}-{}", n * step, n * step)).collect();
        format!("Range: bytes={}", all.join(","))
    };
    assert_eq!(get(&server, "/large.bin", &[&list(1000, 1000)]).status, 200);
    assert_eq!(get(&server, "/large.bin", &[&list(1000, 17)]).status, 200);
    assert_eq!(parts(&get(&server, "/large.bin", &[&list(1000, 16)])).len(), 16);
    assert_eq!(
        get(&server, "/large.bin", &[&list(2, 1000)]).field("content-range").unwrap(),
        "bytes 0-1998/3000000"
    );
    // The one of 2011: many that overlap.
    let killer: Vec<String> = (0..1000).map(|n| format!("5-{n}")).collect();
    assert_eq!(get(&server, "/small.txt", &[&format!("Range: bytes=0-,{}", killer.join(","))]).status, 200);
    let before = server.descriptors();
    for _ in 0..200 {
        // Gone before the reply is.
        let mut stream = server.connect();
        stream
            .write_all(b"GET /large.bin HTTP/1.1\r\nHost: x\r\nRange: bytes=0-999999,1500000-2900000\r\n\r\n")
            .unwrap();
        stream.read_exact(&mut [0; 100]).unwrap();
    }
    let begun = std::time::Instant::now();
    while server.descriptors() > before + 2 {
        assert!(begun.elapsed() < common::PATIENCE, "{} are open", server.descriptors());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(server.runs());
}

#[test]
fn conditions() {
    let (files, server) = site();
    for path in ["/small.txt", "/large.bin"] {
        let plain = get(&server, path, &[]);
        let (etag, date) = (plain.field("etag").unwrap(), plain.field("last-modified").unwrap());
        let range = "Range: bytes=0-9";
        for (condition, status) in [
            (format!("If-Range: {etag}"), 206),
            (format!("If-Range: W/{etag}"), 200),
            ("If-Range: \"other\"".into(), 200),
            (format!("If-Range: {etag}, {etag}"), 200),
            (format!("If-Range: {date}"), 206),
            ("If-Range: Sun, 06 Nov 1994 08:49:37 GMT".into(), 200),
            ("If-Range: Fri, 31 Dec 2100 23:59:59 GMT".into(), 200),
            ("If-Range: yesterday".into(), 200),
            (format!("If-Range: {etag}\r\nIf-Range: {etag}"), 200),
            (format!("If-None-Match: {etag}"), 304),
            (format!("If-None-Match: {etag}\r\nIf-Range: {etag}"), 304),
            (format!("If-Modified-Since: {date}"), 304),
            (format!("If-Match: {etag}"), 206),
            ("If-Match: \"other\"".into(), 412),
            (format!("If-Unmodified-Since: {date}"), 206),
            ("If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT".into(), 412),
            ("If-None-Match: \"other\"".into(), 206),
        ] {
            assert_eq!(get(&server, path, &[range, &condition]).status, status, "{condition}");
            let far = get(&server, path, &["Range: bytes=99999999-", &condition]).status;
            assert_eq!(far, if status == 206 { 416 } else { status }, "{condition}");
        }
    }
    // One that was just changed has a weak tag, which is no word for its bytes, and so has its date.
    files.file("new", "0123456789");
    files.age("new", 0);
    let plain = get(&server, "/new", &[]);
    let etag = plain.field("etag").unwrap();
    if etag.starts_with("W/") {
        assert_eq!(get(&server, "/new", &["Range: bytes=0-1", &format!("If-Range: {etag}")]).status, 200);
    }
    assert_eq!(get(&server, "/new", &["Range: bytes=0-1"]).body, b"01");
}

#[test]
fn an_empty_file_has_no_pieces() {
    let (_files, server) = site();
    let reply = get(&server, "/empty", &["Range: bytes=0-"]);
    assert_eq!((reply.status, reply.field("content-range").unwrap()), (416, "bytes */0".to_owned()));
    assert_eq!(get(&server, "/empty", &["Range: bytes=0-0,5-"]).status, 416);
    assert_eq!(get(&server, "/empty", &["Range: bytes=-5"]).status, 200);
    assert_eq!(get(&server, "/empty", &["Range: bytes=x"]).status, 200);
}

#[test]
fn a_file_larger_than_32_bits() {
    let (files, server) = site();
    let length: u64 = 5 << 30;
    let path = files.file("huge", "begin");
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::Start(length - 3)).unwrap();
    file.write_all(b"end").unwrap();
    file.write_at(b"middle", 9 << 29).unwrap();
    drop(file);
    files.age("huge", 3600);
    let reply = get(&server, "/huge", &["Range: bytes=5368709115-"]);
    assert_eq!(reply.field("content-range").unwrap(), format!("bytes 5368709115-5368709119/{length}"));
    assert_eq!(reply.body, b"\0\0end");
    let reply = get(&server, "/huge", &["Range: bytes=0-4,4831838208-4831838213,-3"]);
    let bodies: Vec<Vec<u8>> = parts(&reply).into_iter().map(|part| part.1).collect();
    assert_eq!(bodies, [&b"begin"[..], b"middle", b"end"]);
}

#[test]
fn a_file_that_is_cut_ends_the_connection() {
    let (files, server) = site();
    let path = files.file("cut", vec![1; 60_000_000]);
    for range in ["bytes=0-59000000", "bytes=0-29000000,30000000-59999999"] {
        std::fs::File::options().write(true).open(&path).unwrap().set_len(60_000_000).unwrap();
        files.age("cut", 3600);
        let mut stream = server.connect();
        write!(stream, "GET /cut HTTP/1.1\r\nHost: x\r\nRange: {range}\r\n\r\n").unwrap();
        let mut first = vec![0; 1000];
        stream.read_exact(&mut first).unwrap();
        assert!(first.starts_with(b"HTTP/1.1 206 "));
        std::fs::File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
        let all = common::read_all(&mut stream);
        assert!(all.len() < 58_000_000, "{range}");
    }
}

fn run(directory: &Directory, words: &[&str]) -> String {
    let output = Command::new(words[0])
        .args(&words[1..])
        .env_remove("http_proxy")
        .env("HOME", directory.path())
        .current_dir(directory.path())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{} is needed: {error}", words[0]));
    let text = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(output.status.success(), "{words:?}: {text:?}");
    text[0].clone()
}

const PYTHON: &str = r#"
import email, sys, urllib.request
whole = open(sys.argv[2], "rb").read()
ask = urllib.request.Request(sys.argv[1], headers={"Range": "bytes=0-99,5000-699999,-7"})
with urllib.request.urlopen(ask, timeout=20) as reply:
    assert reply.status == 206
    body = reply.read()
    message = email.message_from_bytes(b"Content-Type: " + reply.headers["Content-Type"].encode() + b"\r\n\r\n" + body)
assert message.is_multipart() and not message.defects
pieces = [part.get_payload(decode=True) for part in message.get_payload()]
ranges = [part["Content-Range"] for part in message.get_payload()]
assert ranges == ["bytes 0-99/%d" % len(whole), "bytes 5000-699999/%d" % len(whole), "bytes %d-%d/%d" % (len(whole) - 7, len(whole) - 1, len(whole))], ranges
assert pieces == [whole[:100], whole[5000:700000], whole[-7:]]
print("good")
"#;

#[test]
fn clients() {
    let (files, server) = site();
    // What goes through the email module must be text with line ends of one kind.
    let text: String = (0..200_000).map(|n| format!("{n}\r\n")).collect();
    let path = files.file("text.txt", &text);
    let here = Directory::new();
    let (url, large) = (server.url("/large.bin"), bytes(LARGE));
    let curl = |words: &[&str]| run(&here, &[&["curl", "-sS", "--max-time", "25"][..], words].concat());
    let read = |name: &str| std::fs::read(here.path().join(name)).unwrap();
    assert_eq!(curl(&["-r", "100-199", "-o", "part", "-w", "%{http_code}", &url]), "206");
    assert!(read("part") == large[100..200]);
    assert_eq!(curl(&["-r", "-5", "-o", "part", "-w", "%{http_code}", &server.url("/small.txt")]), "206");
    assert!(read("part") == bytes(SMALL)[4995..]);
    here.file("resumed", &large[..1_234_567]);
    assert_eq!(curl(&["-C", "-", "-o", "resumed", "-w", "%{http_code}", &url]), "206");
    assert!(read("resumed") == large);
    here.file("large.bin", &large[..7]);
    run(&here, &["wget", "-q", "-c", "-T", "20", "-t", "1", &url]);
    assert!(read("large.bin") == large);
    // All of it is there already.
    run(&here, &["wget", "-q", "-c", "-T", "20", "-t", "1", &url]);
    assert!(read("large.bin") == large);
    let words = ["python3", "-c", PYTHON, &server.url("/text.txt"), path.to_str().unwrap()];
    assert_eq!(run(&here, &words), "good\n");
}

#[test]
fn replies_in_parts_share_a_descriptor() {
    let directory = Directory::new();
    directory.file("large", vec![b'x'; 32 << 20]);
    let server = Server::start(directory.path(), &["--http.main.send_buffer=16K"]);
    let before = server.descriptors();
    let mut clients: Vec<_> = (0..20).map(|_| server.connect()).collect();
    for client in &mut clients {
        let request = b"GET /large HTTP/1.1\r\nHost: h\r\nRange: bytes=0-9999999,20000000-29999999\r\n\r\n";
        client.write_all(request).unwrap();
        client.read_exact(&mut [0; 15]).unwrap();
    }
    assert!(server.descriptors() <= before + clients.len() + 1);
    let all = get(&server, "/large", &["Range: bytes=0-9999999,20000000-29999999"]);
    assert_eq!(parts(&all).len(), 2);
}
