//! The request line (RFC 9112, section 3): methods, targets, versions and lengths.

use super::*;

const ALLOW: (&str, &str) = ("Allow", "GET, HEAD, OPTIONS");

#[test]
fn methods() {
    run_told(&[
        ("GET", b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept, &[("Content-Length", "5")]),
        ("HEAD", b"HEAD /f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept, &[("Content-Length", "5")]),
        ("HEAD of nothing", b"HEAD /none HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept, &[]),
        ("HEAD refused", b"HEAD /f HTTP/1.1\r\n\r\n", 400, Closed, &[]),
        (
            "HEAD refused after an empty line",
            b"\r\nHEAD /f HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n",
            400,
            Closed,
            &[],
        ),
        ("HEAD of a bad path", b"HEAD /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        (
            "HEAD of two lengths",
            b"HEAD /f HTTP/1.1\r\nHost: h\r\nContent-Length: 1, 1\r\n\r\n",
            400,
            Closed,
            &[],
        ),
        ("OPTIONS", b"OPTIONS /f HTTP/1.1\r\nHost: h\r\n\r\n", 204, Kept, &[ALLOW]),
        ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 204, Kept, &[ALLOW]),
        ("OPTIONS of a host", b"OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n", 204, Kept, &[ALLOW]),
        (
            "OPTIONS with a body",
            b"OPTIONS * HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc",
            204,
            Kept,
            &[ALLOW],
        ),
        ("TRACE", b"TRACE /f HTTP/1.1\r\nHost: h\r\nX: echo\r\n\r\n", 405, Kept, &[ALLOW]),
        ("CONNECT", b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n", 405, Kept, &[ALLOW]),
        ("POST", b"POST /f HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405, Kept, &[ALLOW]),
        ("POST without length", b"POST /f HTTP/1.1\r\nHost: h\r\n\r\n", 405, Kept, &[ALLOW]),
        ("PUT", b"PUT /new HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 405, Kept, &[ALLOW]),
        ("DELETE", b"DELETE /f HTTP/1.1\r\nHost: h\r\n\r\n", 405, Kept, &[ALLOW]),
        ("PATCH", b"PATCH /f HTTP/1.1\r\nHost: h\r\n\r\n", 405, Kept, &[ALLOW]),
        ("PROPFIND", b"PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n", 405, Kept, &[ALLOW]),
        ("MKCOL", b"MKCOL /new/ HTTP/1.1\r\nHost: h\r\n\r\n", 405, Kept, &[ALLOW]),
        ("unknown", b"BREW /f HTTP/1.1\r\nHost: h\r\n\r\n", 501, Closed, &[("Allow", "-")]),
        ("longer than any", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ /f HTTP/1.1\r\nHost: h\r\n\r\n", 501, Closed, &[]),
        ("every token character", b"!#$%&'*+-.^_`|~09azAZ /f HTTP/1.1\r\nHost: h\r\n\r\n", 501, Closed, &[]),
        ("lower case", b"get /f HTTP/1.1\r\nHost: h\r\n\r\n", 501, Closed, &[]),
        ("mixed case", b"Get /f HTTP/1.1\r\nHost: h\r\n\r\n", 501, Closed, &[]),
        ("prefix of GET", b"GE /f HTTP/1.1\r\nHost: h\r\n\r\n", 501, Closed, &[]),
        ("preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, Closed, &[]),
        ("no token: at sign", b"G@T /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("no token: brackets", b"G[T /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("no token: NUL", b"G\0T /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("no token: high byte", b"G\xc3\xa9T /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("no token: tab", b"GET\t/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("empty", b" /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("byte order mark", b"\xef\xbb\xbfGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed, &[]),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, Closed, &[]),
    ]);
}

#[test]
fn shape() {
    run(&[
        ("two SP before the target", b"GET  /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("two SP before the version", b"GET /f  HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("SP after the version", b"GET /f HTTP/1.1 \r\nHost: h\r\n\r\n", 400, Closed),
        ("tab after the version", b"GET /f HTTP/1.1\t\r\nHost: h\r\n\r\n", 400, Closed),
        ("SP before the method", b" GET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("tab before the version", b"GET /f\tHTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("vertical tab", b"GET\x0b/f\x0bHTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("form feed", b"GET /f\x0cHTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("CR for SP", b"GET\r/f\rHTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("SP in the target", b"GET /f g HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("no target", b"GET HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("SP in the method", b"G ET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("no method", b"/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("method only", b"GET\r\nHost: h\r\n\r\n", 400, Closed),
        ("HTTP/0.9", b"GET /f\r\n", 400, Closed),
        ("HTTP/0.9 with fields", b"GET /f\r\nHost: h\r\n\r\n", 400, Closed),
        ("HTTP/0.9 with SP", b"GET /f \r\n\r\n", 400, Closed),
        ("a response", b"HTTP/1.1 200 OK\r\nHost: h\r\n\r\n", 400, Closed),
        ("bare LF", b"GET /f HTTP/1.1\nHost: h\r\n\r\n", 400, Closed),
        ("bare LFs", b"GET /f HTTP/1.1\nHost: h\n\n", 400, Closed),
        ("CR CR LF", b"GET /f HTTP/1.1\r\r\nHost: h\r\n\r\n", 400, Closed),
        ("bare CR", b"GET /f HTTP/1.1\rHost: h\r\n\r\n", 400, Closed),
        ("LF CR", b"GET /f HTTP/1.1\n\rHost: h\r\n\r\n", 400, Closed),
        ("one empty line before", b"\r\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("one empty line after", b"GET /f HTTP/1.1\r\nHost: h\r\n\r\n\r\n", 200, Kept),
        ("two empty lines before", b"\r\n\r\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("a bare LF before", b"\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("a bare CR before", b"\rGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("SP and an empty line before", b" \r\nGET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("NUL before", b"\0GET /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
    ]);
}

#[test]
fn versions() {
    run(&[
        ("1.0", b"GET /f HTTP/1.0\r\n\r\n", 200, Closed),
        ("1.2 is 1.1", b"GET /f HTTP/1.2\r\nHost: h\r\n\r\n", 200, Kept),
        ("1.9 is 1.1", b"GET /f HTTP/1.9\r\nHost: h\r\n\r\n", 200, Kept),
        ("1.9 needs Host", b"GET /f HTTP/1.9\r\n\r\n", 400, Closed),
        ("2.0", b"GET /f HTTP/2.0\r\nHost: h\r\n\r\n", 505, Closed),
        ("3.0", b"GET /f HTTP/3.0\r\nHost: h\r\n\r\n", 505, Closed),
        ("9.9", b"GET /f HTTP/9.9\r\nHost: h\r\n\r\n", 505, Closed),
        ("0.9", b"GET /f HTTP/0.9\r\nHost: h\r\n\r\n", 400, Closed),
        ("no minor", b"GET /f HTTP/1\r\nHost: h\r\n\r\n", 400, Closed),
        ("no minor, with dot", b"GET /f HTTP/1.\r\nHost: h\r\n\r\n", 400, Closed),
        ("no major", b"GET /f HTTP/.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("no numbers", b"GET /f HTTP/\r\nHost: h\r\n\r\n", 400, Closed),
        ("letters", b"GET /f HTTP/a.b\r\nHost: h\r\n\r\n", 400, Closed),
        ("lower case", b"GET /f http/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("mixed case", b"GET /f Http/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("another name", b"GET /f HTTPS/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("ICY", b"GET /f ICY/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("comma", b"GET /f HTTP/1,1\r\nHost: h\r\n\r\n", 400, Closed),
        ("two digits", b"GET /f HTTP/1.10\r\nHost: h\r\n\r\n", 400, Closed),
        ("leading zero", b"GET /f HTTP/01.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("three numbers", b"GET /f HTTP/1.1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("SP within", b"GET /f HTTP/1. 1\r\nHost: h\r\n\r\n", 400, Closed),
        ("negative", b"GET /f HTTP/-1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("high byte", b"GET /f HTTP/1.\xb2\r\nHost: h\r\n\r\n", 400, Closed),
        ("NUL", b"GET /f HTTP/1.1\0\r\nHost: h\r\n\r\n", 400, Closed),
    ]);
}

#[test]
fn forms_of_targets() {
    run(&[
        ("absolute", b"GET http://h/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, https", b"GET https://h/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, capitals", b"GET HTTP://H/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, port", b"GET http://h:8080/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, address", b"GET http://[::1]:80/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, no path", b"GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, query alone", b"GET http://h?q HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("absolute, another Host", b"GET http://h/f HTTP/1.1\r\nHost: other\r\n\r\n", 200, Kept),
        ("absolute, no Host", b"GET http://h/f HTTP/1.1\r\n\r\n", 400, Closed),
        ("absolute, 1.0", b"GET http://h/f HTTP/1.0\r\n\r\n", 200, Closed),
        ("absolute, bad Host", b"GET http://h/f HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, Closed),
        ("userinfo", b"GET http://user@h/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("userinfo with password", b"GET http://a:b@h/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("empty host", b"GET http:///f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("empty host with port", b"GET http://:80/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("bad port", b"GET http://h:x/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("port out of range", b"GET http://h:65536/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("one slash", b"GET http:/h/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("another scheme", b"GET ftp://h/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("file", b"GET file:///etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("no scheme", b"GET h/f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("authority of GET", b"GET h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("asterisk of GET", b"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("asterisk with more", b"OPTIONS *f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("path of CONNECT", b"CONNECT /f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("CONNECT without port", b"CONNECT h HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("CONNECT with an empty port", b"CONNECT h: HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("CONNECT of a URL", b"CONNECT http://h:80/ HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("query alone", b"GET ?q HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("relative", b"GET f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("dots", b"GET ../f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("backslash", b"GET \\f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("fragment", b"GET /f#a HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("fragment after a query", b"GET /f?q#a HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("NUL", b"GET /f\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("control", b"GET /f\x01 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("DEL", b"GET /f\x7f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("NUL in the query", b"GET /f?\0 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("tab in the query", b"GET /f?\t HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
    ]);
}

#[test]
fn paths() {
    run(&[
        ("root", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("query", b"GET /f?a=b&c HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("empty query", b"GET /f? HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("question mark in the query", b"GET /f?? HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        (
            "anything in the query",
            b"GET /f?%zz/../..%2f%00|\"<>\\^`{} HTTP/1.1\r\nHost: h\r\n\r\n",
            200,
            Kept,
        ),
        ("encoded", b"GET /%66 HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("encoded question mark", b"GET /f%3fq HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("encoded twice", b"GET /%2566 HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("percent without digits", b"GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("percent at the end", b"GET /f% HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("percent and one digit", b"GET /f%6 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("percent of Unicode", b"GET /%u0066 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("encoded slash", b"GET /d%2Fg.txt HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("encoded slash, small letter", b"GET /d%2fg.txt HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("encoded slash and dots", b"GET /d/..%2ff HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("encoded NUL", b"GET /f%00 HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("encoded NUL before a type", b"GET /f%00.html HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("one dot", b"GET /./f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("two dots", b"GET /d/../f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("two dots at the end", b"GET /d/.. HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("encoded dots", b"GET /d/%2e%2e/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("half encoded dots", b"GET /d/.%2E/f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("dots past nothing", b"GET /none/../f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("above the root", b"GET /../f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("above the root, encoded", b"GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("above the root from below", b"GET /d/../../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("above the root, absolute form", b"GET http://h/../f HTTP/1.1\r\nHost: h\r\n\r\n", 400, Closed),
        ("above the root, 1.0", b"GET /../f HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 400, Closed),
        ("dots with backslashes", b"GET /..\\..\\f HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("dots with encoded backslashes", b"GET /..%5c..%5cf HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("three dots", b"GET /.../f HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("dots and a parameter", b"GET /d/..;/f HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("overlong UTF-8 dots", b"GET /%c0%ae%c0%ae/f HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("two slashes", b"GET //f HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("many slashes", b"GET ///d////g.txt HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("slashes alone", b"GET /// HTTP/1.1\r\nHost: h\r\n\r\n", 200, Kept),
        ("file with a slash", b"GET /f/ HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("file with more", b"GET /f/g HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("file with a dot", b"GET /f/. HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("high bytes", b"GET /\xc3\xa9\xff HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("no such file", b"GET /none HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("markup", b"GET /<script>alert(1)</script> HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
        ("encoded line end", b"GET /%0d%0aX:%20y HTTP/1.1\r\nHost: h\r\n\r\n", 404, Kept),
    ]);
}

#[test]
fn lengths() {
    let (_directory, server) = served();
    let line = |length: usize| {
        let around = "GET /f? HTTP/1.1".len();
        format!("GET /f?{} HTTP/1.1\r\n", "q".repeat(length - around))
    };
    let head = |length: usize| {
        let start = "GET /f HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n";
        start.replace("X: ", &format!("X: {}", "x".repeat(length - start.len())))
    };
    let fields = |count: usize| format!("GET /f HTTP/1.1\r\nHost: h\r\n{}\r\n", "A: b\r\n".repeat(count - 1));
    let segment = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: h\r\n\r\n", "s".repeat(length));
    let cases = [
        ("longest line", line(8192) + "Host: h\r\n\r\n", 200, Kept),
        ("longest line after an empty one", format!("\r\n{}Host: h\r\n\r\n", line(8192)), 200, Kept),
        ("line too long", line(8193) + "Host: h\r\n\r\n", 414, Closed),
        ("line far too long", line(60_000) + "Host: h\r\n\r\n", 414, Closed),
        ("line beyond the head's limit", line(1_000_000) + "Host: h\r\n\r\n", 414, Closed),
        ("HEAD too long", line(9000).replace("GET", "HEAD") + "Host: h\r\n\r\n", 414, Closed),
        ("line without end", format!("GET /{}", "a".repeat(20_000)), 414, Closed),
        ("longest head", head(16_384), 200, Kept),
        ("head too long", head(16_385), 431, Closed),
        ("head far too long", head(1_000_000), 431, Closed),
        ("name too long", format!("GET /f HTTP/1.1\r\n{}", "n".repeat(20_000)), 431, Closed),
        ("most fields", fields(100), 200, Kept),
        ("too many fields", fields(101), 431, Closed),
        ("far too many fields", fields(2000), 431, Closed),
        ("longest name of a file", segment(255), 404, Kept),
        ("name of a file too long", segment(256), 404, Kept),
        (
            "path too long for any file",
            segment(200).replacen("s ", &format!("s{} ", "/t".repeat(2500)), 1),
            404,
            Kept,
        ),
        ("deep path", segment(1).replacen("s ", &format!("{} ", "a/".repeat(1000)), 1), 404, Kept),
        (
            "deep and back",
            segment(1).replacen("s ", &format!("{}f ", "a/".repeat(1000) + &"../".repeat(1000)), 1),
            200,
            Kept,
        ),
    ];
    all(
        &cases,
        |case| case.0.to_owned(),
        |(_, bytes, status, fate)| {
            check(&server, bytes.as_bytes(), *status, *fate);
        },
    );
}
