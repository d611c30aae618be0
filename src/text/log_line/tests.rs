use super::*;

fn request<'a>(line: &'a [u8], referer: Option<&'a [u8]>, agent: Option<&'a [u8]>) -> Request<'a> {
    let target = Some((4, line.len().saturating_sub(9)));
    Request { user: None, line, target, host: Some(b"h"), referer, agent }
}

fn stamp(form: Form) -> Stamp {
    let mut stamp = Stamp::default();
    stamp.set(form, 971_211_336, |_| -7 * 3600);
    stamp.set_remote(form, |text| text.extend_from_slice(b"192.0.2.1"));
    stamp
}

fn line(form: Form, request: &Request<'_>, outcome: Outcome) -> Vec<u8> {
    let (mut text, mut out) = (Vec::new(), Vec::new());
    let split = push_line(form, request, &stamp(form), FIELD, None, &mut text);
    finish(form, &text, split, &outcome, &mut out);
    assert!(out.len() <= longest(request, FIELD));
    // At once is the same.
    text.clear();
    assert_eq!(push_line(form, request, &stamp(form), FIELD, Some(&outcome), &mut text), split);
    assert_eq!(text, out);
    out
}

const DONE: Outcome = Outcome { status: Some(*b"200"), bytes: 2326, milliseconds: 5, completed: true };

#[test]
fn the_three_forms() {
    let plain = request(b"GET /a?b HTTP/1.1", Some(b"http://r/"), None);
    let text = |form| String::from_utf8(line(form, &plain, DONE)).unwrap();
    let common = "192.0.2.1 - - [10/Oct/2000:13:55:36 -0700] \"GET /a?b HTTP/1.1\" 200 2326";
    assert_eq!(text(Form::Common), format!("{common}\n"));
    assert_eq!(text(Form::Combined), format!("{common} \"http://r/\" \"-\"\n"));
    assert_eq!(
        text(Form::Json),
        "{\"time\":\"2000-10-10T13:55:36-07:00\",\"remote\":\"192.0.2.1\",\"user\":null,\"method\":\"GET\",\
         \"target\":\"/a?b\",\"protocol\":\"HTTP/1.1\",\"host\":\"h\",\"referer\":\"http://r/\",\
         \"user_agent\":null,\"status\":200,\"bytes\":2326,\"duration_ms\":5,\"completed\":true}\n"
    );
}

#[test]
fn a_name_is_one_field() {
    let named = Request { user: Some(b"a \"b"), ..request(b"GET /a HTTP/1.1", None, Some(b"x")) };
    let text = |form| String::from_utf8(line(form, &named, DONE)).unwrap();
    let time = "[10/Oct/2000:13:55:36 -0700]";
    assert_eq!(
        text(Form::Combined),
        format!("192.0.2.1 - a\\x20\\\"b {time} \"GET /a HTTP/1.1\" 200 2326 \"-\" \"x\"\n")
    );
    assert!(text(Form::Json).contains("\"user\":\"a \\\"b\""));
}

#[test]
fn what_is_not_whole() {
    let nothing = Outcome { status: None, bytes: 0, milliseconds: 0, completed: false };
    for (raw, common, json) in [
        (&b""[..], "\"-\" - 0", "\"method\":null,\"target\":\"\",\"protocol\":null"),
        (b"\x16\x03 a b", "\"\\x16\\x03 a b\" - 0", "\"target\":\"\\u0016\\u0003 a b\",\"protocol\":null"),
    ] {
        let wrong = Request { target: None, ..request(raw, None, None) };
        let text = |form| String::from_utf8(line(form, &wrong, nothing)).unwrap();
        assert!(text(Form::Common).contains(common), "{}", text(Form::Common));
        assert!(text(Form::Json).contains(json), "{}", text(Form::Json));
        assert!(text(Form::Json).contains("\"status\":null,\"bytes\":0"));
        assert!(text(Form::Json).contains("\"completed\":false"));
    }
}

#[test]
fn times() {
    for (second, offset, common, json) in [
        (951_782_400, 0, "29/Feb/2000:00:00:00 +0000", "2000-02-29T00:00:00+00:00"),
        (951_782_400, 20_700, "29/Feb/2000:05:45:00 +0545", "2000-02-29T05:45:00+05:45"),
        (951_782_400, -12_600, "28/Feb/2000:20:30:00 -0330", "2000-02-28T20:30:00-03:30"),
        (i64::MAX, 0, "31/Dec/9998:23:59:59 +0000", "9998-12-31T23:59:59+00:00"),
        (i64::MIN, 0, "01/Jan/1971:00:00:00 +0000", "1971-01-01T00:00:00+00:00"),
    ] {
        for (form, expected) in [(Form::Common, common), (Form::Json, json)] {
            let mut out = Vec::new();
            push_time(form, second, offset, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
    let mut out = Vec::new();
    push_syslog_time(971_186_136 - 9 * DAY, &mut out);
    assert_eq!(out, b"Oct  1 13:55:36");
    // The zone is asked once a minute, the second told each time.
    let mut stamp = Stamp::default();
    stamp.set(Form::Common, 60, |_| 0);
    stamp.set(Form::Common, 61 + 365 * DAY, |_| 3600);
    assert_eq!(stamp.text, b" - - [01/Jan/1971:01:01:01 +0100] \"");
    stamp.set(Form::Common, 119 + 365 * DAY, |_| 7200);
    assert_eq!(stamp.text, b" - - [01/Jan/1971:01:01:59 +0100] \"");
    stamp.set(Form::Common, 120 + 365 * DAY, |_| 7200);
    assert_eq!(stamp.text, b" - - [01/Jan/1971:02:02:00 +0200] \"");
}

#[test]
fn long_fields_are_cut() {
    for (text, cut) in [
        (vec![b'a'; FIELD], false),
        (vec![b'a'; FIELD + 1], true),
        (vec![0xff; FIELD / 4], false),
        (vec![0xff; FIELD / 4 + 1], true),
        ([vec![b'a'; FIELD - 1], vec![b'"']].concat(), true),
        ([vec![b'a'; FIELD - 2], vec![b'"']].concat(), false),
    ] {
        let mut out = Vec::new();
        push_escaped(&text, b'"', FIELD, &mut out);
        assert_eq!(out.ends_with(b"\\..."), cut, "{}", text.len());
        assert!(out.len() <= FIELD + 4);
        assert_eq!(unescape(&out) == text, !cut);
        assert!(text.starts_with(&unescape(&out)));
    }
    for (text, cut) in [
        (vec![b'a'; FIELD], false),
        (vec![b'a'; FIELD + 1], true),
        (vec![7; FIELD / 6], false),
        (vec![7; FIELD / 6 + 1], true),
        ("\u{e9}".repeat(FIELD / 2).into_bytes(), false),
        ([b"a", "\u{e9}".repeat(FIELD / 2).as_bytes()].concat(), true),
    ] {
        let mut out = Vec::new();
        assert_eq!(push_json(&text, FIELD, &mut out), cut, "{}", text.len());
        assert!(out.len() <= FIELD && core::str::from_utf8(&out).is_ok());
    }
    let long = request(b"GET / HTTP/1.1", None, Some(&[b'x'; 5000]));
    assert!(String::from_utf8(line(Form::Json, &long, DONE)).unwrap().contains(",\"cut\":true,"));
    // The longest line there can be still fits a datagram when fields are short.
    let worst = [7; 5000];
    let target = [b"GET /".as_slice(), &worst, b" HTTP/1.1"].concat();
    for form in [Form::Common, Form::Combined, Form::Json] {
        let all = Request { host: Some(&worst), ..request(&target, Some(&worst), Some(&worst)) };
        let mut text = Vec::new();
        push_line(form, &all, &stamp(form), SHORT_FIELD, None, &mut text);
        assert!(text.len() < 1920, "{}", text.len());
    }
}

/// The reverse of the escapes of the first two forms.
fn unescape(text: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), text);
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'\\' {
            out.push(*first);
            continue;
        }
        match after {
            [b'x', high, low, after @ ..] => {
                let value = |digit| crate::text::number::hex_value(digit).unwrap();
                out.push(value(*high) << 4 | value(*low));
                rest = after;
            }
            [quoted @ (b'"' | b'\\'), after @ ..] => {
                out.push(*quoted);
                rest = after;
            }
            b"..." => return out,
            other => panic!("{other:?} after a backslash"),
        }
    }
    out
}

/// Takes a field in quotes from the front of a line.
fn quoted(text: &[u8]) -> (Vec<u8>, &[u8]) {
    let text = text.strip_prefix(b"\"").unwrap();
    let mut at = 0;
    while text[at] != b'"' {
        at += if text[at] == b'\\' { 2 } else { 1 };
    }
    (unescape(&text[..at]), &text[at + 1..])
}

/// The reverse of [`push_json`].
fn unescape_json(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text);
    while let Some(first) = rest.chars().next() {
        rest = &rest[first.len_utf8()..];
        if first != '\\' {
            assert_ne!(first, '"');
            out.push(first);
        } else if let Some(hex) = rest.strip_prefix('u') {
            out.push(char::from_u32(u32::from_str_radix(&hex[..4], 16).unwrap()).unwrap());
            rest = &hex[4..];
        } else {
            out.push(rest.chars().next().unwrap());
            rest = &rest[1..];
        }
    }
    out
}

quickcheck::quickcheck! {
    fn a_line_gives_its_fields_back(target: Vec<u8>, referer: Vec<u8>, agent: Vec<u8>) -> bool {
        let whole = [b"GET /", target.as_slice(), b" HTTP/1.1"].concat();
        let bytes = line(Form::Combined, &request(&whole, Some(&referer), Some(&agent)), DONE);
        let start = bytes.windows(3).position(|w| w == b"] \"").unwrap() + 2;
        let (first, rest) = quoted(&bytes[start..]);
        let rest = rest.strip_prefix(b" 200 2326 ").unwrap();
        let (second, rest) = quoted(rest);
        let (third, rest) = quoted(rest.strip_prefix(b" ").unwrap());
        first == whole && second == referer && third == agent && rest == b"\n"
    }

    fn no_byte_of_a_request_ends_a_line(text: Vec<u8>, whole: bool) -> bool {
        let target = whole.then_some((text.len() / 3, text.len() / 2));
        let line_of = |form| {
            let request = Request { user: Some(&text), host: Some(&text), target, ..request(&text, Some(&text), Some(&text)) };
            let mut bytes = line(form, &request, DONE);
            let end = bytes.pop();
            (end, String::from_utf8(bytes).unwrap())
        };
        [Form::Common, Form::Combined, Form::Json].into_iter().all(|form| {
            let (end, text) = line_of(form);
            let separators = ['\u{2028}', '\u{2029}'];
            end == Some(b'\n') && !text.chars().any(|c| c.is_control() || separators.contains(&c))
                && (form == Form::Json || text.is_ascii())
        })
    }

    fn json_gives_its_text_back(text: Vec<u8>) -> bool {
        let mut out = Vec::new();
        let cut = push_json(&text, FIELD, &mut out);
        cut || unescape_json(&String::from_utf8(out).unwrap()) == String::from_utf8_lossy(&text)
    }
}
