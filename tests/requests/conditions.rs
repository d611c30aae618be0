//! Conditional requests (RFC 9110, section 13).

use super::*;
use std::time::{Duration, SystemTime};

const DAY: Duration = Duration::from_secs(86_400);

fn ask(server: &Server, method: &str, target: &str, fields: &str) -> Reply {
    let request = format!("{method} {target} HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
    let reply = Reply::first(&exchange(server, request.as_bytes()), method == "HEAD").0;
    sound(&reply);
    reply
}

#[test]
fn preconditions() {
    let (directory, server) = served();
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000);
    std::fs::File::options()
        .append(true)
        .open(directory.path().join("f"))
        .unwrap()
        .set_modified(modified)
        .unwrap();
    let first = server.get("/f");
    let etag = first.field("etag").unwrap();
    has(&first, &[("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT")]);
    assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 4, "{etag}");
    let cases = [
        // If-None-Match: the weak comparison, masks If-Modified-Since.
        ("If-None-Match: TAG", 304),
        ("If-None-Match: W/TAG", 304),
        ("If-None-Match: *", 304),
        ("If-None-Match: \"x\", TAG", 304),
        ("If-None-Match: TAG, \"x\"", 304),
        ("If-None-Match: \"x\",,W/TAG ,", 304),
        ("If-None-Match: \"x\"\r\nIf-None-Match: TAG", 304),
        ("If-None-Match: \"a,b\", TAG", 304),
        ("If-None-Match: \"x\"", 200),
        ("If-None-Match: W/\"x\"", 200),
        ("If-None-Match: \"*\"", 200),
        ("If-None-Match: w/TAG", 200),
        ("If-None-Match: BARE", 200),
        ("If-None-Match:", 200),
        ("If-None-Match: TAG\r\nIf-Modified-Since: EARLIER", 304),
        ("If-None-Match: \"x\"\r\nIf-Modified-Since: EXACT", 200),
        ("If-None-Match: \"x\"\r\nIf-Modified-Since: LATER", 200),
        // If-Modified-Since: to the second, in each of the three forms.
        ("If-Modified-Since: EXACT", 304),
        ("If-Modified-Since: LATER", 304),
        ("If-Modified-Since: EARLIER", 200),
        ("If-Modified-Since: Sunday, 13-Sep-20 12:26:40 GMT", 304),
        ("If-Modified-Since: Sun Sep 13 12:26:40 2020", 304),
        ("If-Modified-Since: Sunday, 13-Sep-20 12:26:39 GMT", 200),
        ("If-Modified-Since: Sun, 13 Sep 2020 12:26:40", 200),
        ("If-Modified-Since: Sun, 13 Sep 2020 12:26:40 +0000", 200),
        ("If-Modified-Since: Sun, 13 Sep 2020 25:26:40 GMT", 200),
        ("If-Modified-Since: Sun, 31 Feb 2021 12:26:40 GMT", 200),
        ("If-Modified-Since: 1600000000", 200),
        ("If-Modified-Since: 0", 200),
        ("If-Modified-Since: -1", 200),
        ("If-Modified-Since:", 200),
        ("If-Modified-Since: EXACT\r\nIf-Modified-Since: EXACT", 200),
        ("If-Modified-Since: EXACT; length=5", 200),
        // If-Match: the strong comparison, masks If-Unmodified-Since.
        ("If-Match: TAG", 200),
        ("If-Match: *", 200),
        ("If-Match: \"x\", TAG", 200),
        ("If-Match: W/TAG", 412),
        ("If-Match: \"x\"", 412),
        ("If-Match: BARE", 412),
        ("If-Match:", 412),
        ("If-Match: TAG\r\nIf-Unmodified-Since: EARLIER", 200),
        ("If-Match: \"x\"\r\nIf-Unmodified-Since: LATER", 412),
        // If-Unmodified-Since.
        ("If-Unmodified-Since: EXACT", 200),
        ("If-Unmodified-Since: LATER", 200),
        ("If-Unmodified-Since: EARLIER", 412),
        ("If-Unmodified-Since: nonsense", 200),
        // In the order of section 13.2.2.
        ("If-Match: TAG\r\nIf-None-Match: TAG", 304),
        ("If-Match: \"x\"\r\nIf-None-Match: TAG", 412),
        ("If-Match: TAG\r\nIf-None-Match: \"x\"", 200),
        ("If-Match: TAG\r\nIf-Modified-Since: EXACT", 304),
        ("If-Unmodified-Since: EXACT\r\nIf-None-Match: *", 304),
        ("If-Unmodified-Since: EARLIER\r\nIf-None-Match: TAG", 412),
        ("If-Unmodified-Since: EARLIER\r\nIf-Modified-Since: EXACT", 412),
        ("If-Unmodified-Since: EXACT\r\nIf-Modified-Since: EXACT", 304),
    ];
    all(
        &cases,
        |case| case.0.to_owned(),
        |&(fields, status)| {
            let fields = fields
                .replace("BARE", etag.trim_matches('"'))
                .replace("TAG", &etag)
                .replace("EXACT", "Sun, 13 Sep 2020 12:26:40 GMT")
                .replace("LATER", "Sun, 13 Sep 2020 12:26:41 GMT")
                .replace("EARLIER", "Sun, 13 Sep 2020 12:26:39 GMT")
                + "\r\n";
            for method in ["GET", "HEAD"] {
                let reply = ask(&server, method, "/f", &fields);
                assert_eq!(reply.status, status, "{method}");
                if status != 412 {
                    has(&reply, &[("ETag", &etag), ("Last-Modified", "Sun, 13 Sep 2020 12:26:40 GMT")]);
                }
            }
            // Where the answer is another one anyway, conditions are not looked at (section 13.2.1).
            assert_eq!(ask(&server, "GET", "/none", &fields).status, 404);
            assert_eq!(ask(&server, "GET", "/d", &fields).status, 301);
            assert_eq!(ask(&server, "POST", "/f", &fields).status, 405);
            assert_eq!(ask(&server, "OPTIONS", "/f", &fields).status, 204);
        },
    );
}

#[test]
fn a_later_time_than_now_is_not_told() {
    let (directory, server) = served();
    let path = directory.path().join("f");
    std::fs::File::options().append(true).open(path).unwrap().set_modified(SystemTime::now() + DAY).unwrap();
    let reply = server.get("/f");
    let date = |name: &str| httpdate::parse_http_date(&reply.field(name).unwrap()).unwrap();
    assert!(date("last-modified") <= date("date"));
    let since = format!("If-Modified-Since: {}\r\n", reply.field("last-modified").unwrap());
    // By its date the file cannot be told from a later one, by its tag it can.
    assert!([200, 304].contains(&ask(&server, "GET", "/f", &since).status));
    let tag = format!("If-None-Match: {}\r\n", reply.field("etag").unwrap());
    assert_eq!(ask(&server, "GET", "/f", &tag).status, 304);
}

#[test]
fn tags_are_weak_while_a_file_may_change_unseen() {
    let (directory, server) = served();
    std::fs::write(directory.path().join("new"), "new").unwrap();
    let weak = server.get("/new").field("etag").unwrap();
    assert!(weak.starts_with("W/\""), "{weak}");
    assert_eq!(ask(&server, "GET", "/new", &format!("If-None-Match: {weak}\r\n")).status, 304);
    assert_eq!(ask(&server, "GET", "/new", &format!("If-Match: {weak}\r\n")).status, 412);
    std::thread::sleep(Duration::from_millis(3100));
    let strong = server.get("/new").field("etag").unwrap();
    assert_eq!(format!("W/{strong}"), weak);
    assert_eq!(ask(&server, "GET", "/new", &format!("If-None-Match: {weak}\r\n")).status, 304);
}

#[test]
fn times_long_ago() {
    let (directory, server) = served();
    let file = std::fs::File::options().append(true).open(directory.path().join("f")).unwrap();
    for (seconds, text) in
        [(0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT")]
    {
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        has(&server.get("/f"), &[("Last-Modified", text)]);
        assert_eq!(ask(&server, "GET", "/f", &format!("If-Modified-Since: {text}\r\n")).status, 304);
    }
    file.set_modified(SystemTime::UNIX_EPOCH - DAY).unwrap();
    std::thread::sleep(Duration::from_millis(1100));
    // A date may be later than the truth: the file is then sent once too often, never once too seldom.
    has(&server.get("/f"), &[("Last-Modified", "Thu, 01 Jan 1970 00:00:00 GMT")]);
}
