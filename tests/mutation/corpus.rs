//! The streams that mutations begin with, and what is served to them.

use crate::common::Directory;

/// A stream, and the statuses of its replies where nobody has to log in and nothing stands for what is missing.
pub struct Seed {
    pub bytes: Vec<u8>,
    pub statuses: &'static [u16],
}

/// Whether the replies to a stream do not depend on what was uploaded before.
pub fn is_steady(bytes: &[u8]) -> bool {
    !bytes.windows(3).any(|w| w == b"/in" || w == b"PUT")
}

/// The length of the file `big`: more than a socket takes at once.
pub const BIG: usize = 300_000;
/// Lets in the one user that there is where logins are asked for.
pub const LOGIN: &str = "Authorization: Basic YWxpY2U6c2hh\r\n";
/// Names under the root whose content never changes.
pub const FILES: &[&str] = &["index.html", "a.txt", "big", "page.html", "sub/b c.txt", "sub/\u{e9}.txt"];

/// Writes the root, with the directory `in` for uploads, and a secret beside it.
pub fn write_site(directory: &Directory) {
    directory.file("outside/secret", "secret");
    directory.file("users", "alice:{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY=\n");
    for name in FILES {
        directory.file(&format!("root/{name}"), content(name));
    }
    directory.file("root/a.txt.gz", "not really compressed");
    directory.file("root/.hidden", "hidden");
    directory.file("root/in/old.txt", "old");
}

/// What one of [`FILES`] contains: no two the same.
pub fn content(name: &str) -> Vec<u8> {
    let size = if name == "big" { BIG } else { 30 + name.len() };
    (0..size).map(|at| b'a' + ((at * 7 + at / 26 + name.len()) % 26) as u8).collect()
}

/// All of them, with a field that is added to each request.
pub fn corpus(field: &str) -> Vec<Seed> {
    let mut seeds = Vec::new();
    let start = format!(" HTTP/1.1|Host: test|{field}");
    let mut add = |text: &str, statuses: &'static [u16]| {
        let bytes = text.replace('@', &start).replace('|', "\r\n").into_bytes();
        seeds.push(Seed { bytes, statuses });
    };
    for &(text, statuses) in PLAIN {
        add(text, statuses);
    }
    // Heads at the limits of their length and count, and beyond.
    let long = |count: usize| "x".repeat(count);
    add(&format!("GET /{}@|", long(7000)), &[404]);
    add(&format!("GET /{}@|", long(9000)), &[414]);
    add(&format!("GET /a.txt@X: {}|Y: {}|Z: y||", long(6000), long(6000)), &[200]);
    add(&format!("GET /a.txt@X: {}||", long(20_000)), &[431]);
    add(&format!("GET /a.txt@{}|", "X: y|".repeat(98)), &[200]);
    add(&format!("GET /a.txt@{}|", "X: y|".repeat(120)), &[431]);
    add(&format!("GET /{}@|", "../".repeat(300)), &[400]);
    add(&format!("GET /a.txt@Range: bytes={}0-1||", "0-1,".repeat(300)), &[200]);
    // Bodies that are more than one reading.
    let body = long(30_000);
    add(&format!("PUT /in/long@Content-Length: 30000||{body}GET /a.txt@|"), &[201, 200]);
    let chunks: String = (1..60).map(|size| format!("{size:x};a=b|{}|", long(size))).collect();
    add(&format!("PUT /in/chunks@Transfer-Encoding: chunked||{chunks}0|T: x||GET /a.txt@|"), &[201, 200]);
    add(&format!("POST /a.txt@Content-Length: 30000||{body}GET /a.txt@|"), &[405, 200]);
    // Batches.
    add(&"GET /a.txt@|".repeat(40), &[200; 40]);
    add(&"HEAD /a.txt@|GET /none@|GET /sub@|".repeat(3), &[200, 404, 301, 200, 404, 301, 200, 404, 301]);
    add(&"GET /big@|".repeat(6), &[200; 6]);
    seeds
}

/// `@` ends a request line of HTTP/1.1 and adds a host, `|` ends a line.
const PLAIN: &[(&str, &[u16])] = &[
    ("GET /@|", &[200]),
    ("GET /a.txt@|", &[200]),
    ("GET /big@|", &[200]),
    ("GET /sub/b%20c.txt@|", &[200]),
    ("GET /sub/%C3%A9.txt?x=y#z@|", &[400]),
    ("GET /none@|", &[404]),
    ("GET /.hidden@|", &[404]),
    ("GET /sub/../a.txt@|", &[200]),
    ("GET /%2e%2e/outside/secret@|", &[400]),
    ("GET /a%00b@|", &[400]),
    ("HEAD /a.txt@|", &[200]),
    ("HEAD /big@|GET /a.txt@|", &[200, 200]),
    ("HEAD /sub/@|GET /a.txt@|", &[200, 200]),
    ("GET /sub/@|", &[200]),
    ("GET /sub/@Accept: application/json||", &[200]),
    ("GET /sub/?sort=size&order=desc@|GET /in/@|", &[200, 200]),
    ("GET /in/@Accept: application/json||", &[200]),
    ("GET /sub@|", &[301]),
    ("GET /a.txt HTTP/1.0||", &[200]),
    ("GET /sub/ HTTP/1.0||", &[200]),
    ("GET /a.txt HTTP/1.0|Connection: keep-alive||GET /a.txt HTTP/1.0||", &[200, 200]),
    ("GET /a.txt@Connection: close||GET /a.txt@|", &[200]),
    ("GET http://test/a.txt@|", &[200]),
    ("GET http://test:80/@|GET http://user@host/ HTTP/1.1|Host: a||", &[200, 400]),
    ("OPTIONS *@|", &[204]),
    ("OPTIONS /a.txt@Origin: http://a|Access-Control-Request-Method: PUT||", &[204]),
    ("GET /a.txt@Origin: http://a||", &[200]),
    ("GET /a.txt@If-None-Match: *||", &[304]),
    ("GET /a.txt@If-None-Match: \"a\", W/\"b\"||", &[200]),
    ("GET /a.txt@If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT||GET /a.txt@|", &[304, 200]),
    ("GET /a.txt@If-Match: \"none\"||", &[412]),
    ("GET /a.txt@If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT||", &[412]),
    ("GET /a.txt@Range: bytes=3-7||", &[206]),
    ("GET /big@Range: bytes=-100||", &[206]),
    ("GET /big@Range: bytes=100-||", &[206]),
    ("GET /a.txt@Range: bytes=1000-||", &[416]),
    ("GET /big@Range: bytes=0-9,1000-1999,-5||", &[206]),
    ("HEAD /big@Range: bytes=0-9,1000-1999,-5||", &[200]),
    ("GET /a.txt@Range: bytes=3-7|If-Range: \"x\"||", &[200]),
    ("GET /a.txt@Accept-Encoding: gzip, br;q=0.1||", &[200]),
    ("GET /page.html@Accept-Encoding: identity;q=0, *;q=0||", &[200]),
    ("PUT /in/new.txt@Content-Length: 5||hello", &[201]),
    ("PUT /in/new.txt@Content-Length: 5|If-None-Match: *||hello", &[412]),
    ("PUT /in/c@Transfer-Encoding: chunked||5|hello|6;x=\"y\"| world|0||", &[201]),
    ("PUT /in/e@Content-Length: 5|Expect: 100-continue||hello", &[201]),
    ("PUT /in/e@Transfer-Encoding: chunked|Expect: 100-continue||3|abc|0||GET /in/e@|", &[204, 200]),
    ("PUT /a.txt@Content-Length: 5||hello", &[405]),
    ("PUT /in/../x@Content-Length: 5||helloGET /a.txt@|", &[405, 200]),
    ("PUT /in/n@||", &[411]),
    ("PUT /in/n@Content-Length: 0||GET /in/@If-Match: \"x\"||", &[201, 412]),
    ("PUT /in/r@Content-Length: 5|Content-Range: bytes 0-4/9||hello", &[400]),
    ("POST /in/@Content-Type: multipart/form-data; boundary=b|Content-Length: 9||--b--xxxx", &[405]),
    ("DELETE /in/old.txt@|", &[405]),
    ("GET /a.txt@Content-Length: 5||helloGET /a.txt@|", &[200, 200]),
    ("GET /a.txt@Content-Length: 5|Content-Length: 6||hello", &[400]),
    ("GET /a.txt@Content-Length: 5|Transfer-Encoding: chunked||0||", &[400]),
    ("POST /a.txt@Transfer-Encoding: gzip, chunked||0||", &[501]),
    ("POST /a.txt@Transfer-Encoding: chunked||5|hello|xyz|", &[405]),
    ("GET /a.txt@Authorization: Basic YWxpY2U6c2hh||GET /a.txt@|", &[200, 200]),
    ("GET /a.txt@Authorization: Basic YWxpY2U6eA==||", &[200]),
    ("GET /a.txt@Authorization: Basic !!!||", &[200]),
    ("GET /a.txt HTTP/1.1||", &[400]),
    ("GET /a.txt@Host: other||", &[400]),
    ("GET /a.txt HTTP/2.0|Host: a||", &[505]),
    ("BREW /a.txt@|", &[501]),
    ("CONNECT test:80@|", &[405]),
    ("GET /a.txt@X : y||", &[400]),
    ("GET /a.txt@X: y| folded||", &[400]),
    ("GET  /a.txt@|", &[400]),
    ("|GET /a.txt@|", &[200]),
    ("GET /a.txt@Expect: more||", &[417]),
    ("\u{16}\u{3}\u{1}\u{0}\u{2}\u{1}\u{0}|", &[400]),
    ("PRI * HTTP/2.0||SM||", &[505]),
    ("GET /a.txt@Upgrade: websocket|Connection: upgrade||", &[200]),
];
