//! A reader of replies that lets nothing pass: whoever answers must be understood by the strictest client.

/// Statuses that this server may send in answer to these streams. Of those of 500 and more only the ones that are no
/// failure of its own.
const STATUSES: &[u16] = &[
    200, 201, 204, 206, 301, 303, 304, 308, 400, 401, 403, 404, 405, 408, 409, 411, 412, 413, 414, 415, 416,
    417, 421, 429, 431, 501, 503, 505, 507,
];

/// What a connection gave.
pub struct Told {
    /// Statuses of whole replies, and of one that is cut behind its head.
    pub statuses: Vec<u16>,
    /// How often the server asked for the body.
    pub continues: usize,
}

/// Content that is known by its entity tag.
pub type Known = Vec<(String, Vec<u8>)>;

/// Reads all that came in answer to `sent`. `cut`: the last reply need not be whole, as the connection was left or
/// reset.
pub fn read(bytes: &[u8], sent: &[u8], cut: bool, known: &Known) -> Result<Told, String> {
    let mut told = Told { statuses: Vec::new(), continues: 0 };
    let mut rest = bytes;
    let mut heads = count(sent, b"HEAD");
    let mut closed = false;
    while !rest.is_empty() {
        if closed {
            return Err(format!("it goes on after it said that it closes: {}", shown(rest)));
        }
        let Some(end) = rest.windows(4).position(|w| w == b"\r\n\r\n") else {
            check_start(rest)?;
            if cut {
                break;
            }
            return Err(format!("a head that does not end: {}", shown(rest)));
        };
        let head = Head::read(&rest[..end])?;
        rest = &rest[end + 4..];
        if head.status == 100 {
            if !head.fields.is_empty() {
                return Err("100 with fields".to_owned());
            }
            told.continues += 1;
            continue;
        }
        if !STATUSES.contains(&head.status) {
            return Err(format!("status {}", head.status));
        }
        told.statuses.push(head.status);
        closed = head.field("connection")?.is_some_and(|value| value == "close");
        let (taken, body) = match head.body(rest) {
            Ok(found) => found,
            // Nothing follows the head of an answer to HEAD but the next one.
            Err(_) if heads > 0 && is_next(rest) => {
                heads -= 1;
                continue;
            }
            Err(Cut::Short) if cut => break,
            Err(Cut::Short) => return Err(format!("a body is cut: {}", head.text)),
            Err(Cut::Wrong(why)) => return Err(format!("{why}: {}", head.text)),
        };
        if heads > 0 && taken > 0 && is_next(rest) {
            heads -= 1;
            continue;
        }
        head.check(body, known)?;
        rest = &rest[taken..];
    }
    if told.continues > count(&sent.to_ascii_lowercase(), b"100-continue") {
        return Err("100 for nobody who expects it".to_owned());
    }
    // A request ends with an empty line, and one more may be refused before its end.
    let ends = sent.windows(2).filter(|w| w == b"\n\n").count() + count(sent, b"\n\r\n");
    if told.statuses.len() > ends + 1 {
        return Err(format!("{} replies to at most {} requests", told.statuses.len(), ends + 1));
    }
    Ok(told)
}

/// Whether a reply, or the end, is here rather than a body: no content here begins so.
fn is_next(rest: &[u8]) -> bool {
    rest.is_empty() || rest.starts_with(b"HTTP/1.1 ") || b"HTTP/1.1 ".starts_with(rest)
}

fn count(bytes: &[u8], what: &[u8]) -> usize {
    bytes.windows(what.len()).filter(|w| *w == what).count()
}

pub fn shown(bytes: &[u8]) -> String {
    let most = &bytes[..bytes.len().min(1500)];
    format!("\"{}\" ({} bytes)", most.escape_ascii(), bytes.len())
}

fn check_start(rest: &[u8]) -> Result<(), String> {
    let start = b"HTTP/1.1 ";
    let count = rest.len().min(start.len());
    if rest[..count] == start[..count] { Ok(()) } else { Err(format!("not a reply: {}", shown(rest))) }
}

/// Why there is no body.
enum Cut {
    Short,
    Wrong(String),
}

struct Head<'a> {
    text: &'a str,
    status: u16,
    fields: Vec<(String, &'a str)>,
}

impl<'a> Head<'a> {
    fn read(bytes: &'a [u8]) -> Result<Head<'a>, String> {
        check_start(bytes)?;
        let text = std::str::from_utf8(bytes).map_err(|_| format!("not text: {}", shown(bytes)))?;
        let wrong = |what: &str| Err(format!("{what} in {text:?}"));
        let mut lines = text.split("\r\n");
        let line = lines.next().unwrap_or_default();
        let (code, reason) = line[9..].split_once(' ').unwrap_or((&line[9..], ""));
        let status = code.parse().ok().filter(|code| (100..600).contains(code));
        let Some(status) = status.filter(|_| code.len() == 3) else { return wrong("no status") };
        if reason.is_empty() || text.replace("\r\n", "").bytes().any(|byte| byte < b' ' || byte == 0x7f) {
            return wrong("no reason, or a control byte");
        }
        let mut fields = Vec::new();
        for line in lines {
            let Some((name, value)) = line.split_once(": ") else { return wrong("not a field") };
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            if name.is_empty() || !name.bytes().all(is_token) || value.is_empty() || value.trim() != value {
                return wrong("not a field");
            }
            fields.push((name.to_ascii_lowercase(), value));
        }
        let head = Head { text, status, fields };
        // RFC 9110 section 6.6.1 leaves it out where the server itself is in trouble.
        if (200..500).contains(&status) && head.field("date")?.is_none() {
            return wrong("no date");
        }
        Ok(head)
    }

    fn field(&self, name: &str) -> Result<Option<&'a str>, String> {
        let mut values = self.fields.iter().filter(|(key, _)| key == name).map(|(_, value)| *value);
        let value = values.next();
        if values.next().is_some() { Err(format!("{name} twice: {}", self.text)) } else { Ok(value) }
    }

    /// How many bytes the body takes, and its content.
    fn body<'b>(&self, rest: &'b [u8]) -> Result<(usize, std::borrow::Cow<'b, [u8]>), Cut> {
        let wrong = |why: &str| Cut::Wrong(why.to_owned());
        let (length, coding) = (
            self.field("content-length").map_err(Cut::Wrong)?,
            self.field("transfer-encoding").map_err(Cut::Wrong)?,
        );
        if matches!(self.status, 204 | 304) {
            return if length.is_none() && coding.is_none() {
                Ok((0, b"".into()))
            } else {
                Err(wrong("a length"))
            };
        }
        match (length, coding) {
            (Some(length), None) => {
                let is_number = length.bytes().all(|byte| byte.is_ascii_digit());
                let Some(length) = length.parse().ok().filter(|_| is_number) else {
                    return Err(wrong("a length"));
                };
                rest.get(..length).map(|body| (length, body.into())).ok_or(Cut::Short)
            }
            (None, Some("chunked")) => {
                let (mut body, mut at) = (Vec::new(), 0);
                loop {
                    let line = rest[at..].windows(2).position(|w| w == b"\r\n").ok_or(Cut::Short)?;
                    let digits =
                        std::str::from_utf8(&rest[at..at + line]).map_err(|_| wrong("a chunk's size"))?;
                    let size = usize::from_str_radix(digits, 16).map_err(|_| wrong("a chunk's size"))?;
                    at += line + 2;
                    body.extend_from_slice(rest.get(at..at + size).ok_or(Cut::Short)?);
                    at += size;
                    if rest.get(at..at + 2).ok_or(Cut::Short)? != b"\r\n" {
                        return Err(wrong("a chunk's end"));
                    }
                    at += 2;
                    if size == 0 {
                        return Ok((at, body.into()));
                    }
                }
            }
            (None, None) if self.field("connection").map_err(Cut::Wrong)? == Some("close") => {
                Ok((rest.len(), rest.into()))
            }
            _ => Err(wrong("no framing, or two")),
        }
    }

    /// What the reply says about its content must be so.
    fn check(&self, body: std::borrow::Cow<'_, [u8]>, known: &Known) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {} with {}", self.text, shown(&body)));
        let tag = self.field("etag")?.unwrap_or_default();
        let content = known.iter().find(|(known, _)| known == tag).map(|(_, content)| content.as_slice());
        let range = self.field("content-range")?;
        if self.status == 200 && content.is_some_and(|content| *content != *body) {
            return wrong("another content");
        }
        if self.status == 206 {
            let Some(range) = range else {
                let kind = self.field("content-type")?.unwrap_or_default();
                let Some(boundary) = kind.strip_prefix("multipart/byteranges; boundary=") else {
                    return wrong("206 without a range");
                };
                let end = format!("\r\n--{boundary}--\r\n");
                return if body.ends_with(end.as_bytes()) { Ok(()) } else { wrong("parts do not end") };
            };
            let numbers: Vec<usize> = range
                .trim_start_matches("bytes ")
                .split(['-', '/'])
                .filter_map(|part| part.parse().ok())
                .collect();
            let [from, until, whole] = numbers[..] else { return wrong("no range") };
            if from > until || until >= whole || until - from + 1 != body.len() {
                return wrong("another range");
            }
            if content.is_some_and(|content| content.get(from..=until) != Some(&*body)) {
                return wrong("another part");
            }
        } else if range.is_some() != (self.status == 416) {
            return wrong("a range");
        }
        Ok(())
    }
}

#[test]
fn a_wrong_reply_is_seen() {
    let date = "Date: Sun, 06 Nov 1994 08:49:37 GMT";
    let known = vec![("\"a\"".to_owned(), b"abc".to_vec())];
    for (reply, sent, is_right) in [
        ("HTTP/1.1 200 OK|D|Content-Length: 2||ok", "GET / HTTP/1.1|Host: a||", true),
        ("HTTP/1.1 200 OK|D|Content-Length: 2||o", "GET / HTTP/1.1|Host: a||", false),
        ("HTTP/1.1 200 OK|D|Content-Length: 2||okx", "GET / HTTP/1.1|Host: a||", false),
        ("HTTP/1.1 200 OK|D|Content-Length: 2||", "GET / HTTP/1.1|Host: a||", false),
        ("HTTP/1.1 200 OK|D|Content-Length: 2||", "HEAD / HTTP/1.1|Host: a||", true),
        ("HTTP/1.1 200 OK|D|Transfer-Encoding: chunked||2|ok|0||", "GET / HTTP/1.1||", true),
        ("HTTP/1.1 200 OK|D|Transfer-Encoding: chunked||2|okx0||", "GET / HTTP/1.1||", false),
        ("HTTP/1.1 200 OK|D||ok", "GET / HTTP/1.0||", false),
        ("HTTP/1.1 200 OK|D|Connection: close||ok", "GET / HTTP/1.0||", true),
        ("HTTP/1.1 200 OK|D|Content-Length: 3|ETag: \"a\"||abd", "GET / HTTP/1.1||", false),
        ("HTTP/1.1 500 Oh|D|Content-Length: 0||", "GET / HTTP/1.1||", false),
        ("HTTP/1.1 204 No|D|X: \ty||", "GET / HTTP/1.1||", false),
        ("HTTP/1.1 204 No|D||HTTP/1.1 204 No|D||HTTP/1.1 204 No|D||", "GET / HTTP/1.1||", false),
        ("HTTP/1.1 204 No|D|Connection: close||HTTP/1.1 204 No|D||", "GET / HTTP/1.1||", false),
        ("HTTP/1.1 100 Continue||HTTP/1.1 204 No|D||", "GET / HTTP/1.1||", false),
    ] {
        let (reply, sent) = (reply.replace("|D", &format!("|{date}")), sent.replace('|', "\r\n"));
        let told = read(reply.replace('|', "\r\n").as_bytes(), sent.as_bytes(), false, &known);
        assert_eq!(told.is_ok(), is_right, "{reply:?}: {:?}", told.err());
    }
}
