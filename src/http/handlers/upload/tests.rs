use super::super::super::head::{Fields, Head, Limits, Parsed, parse};
use super::*;
use crate::engine::values::Files;
use crate::fs::{Filesystem, MemoryFs, Opened, VPathBuf};
use crate::http::date::DateText;
use crate::http::handlers::listing::Directories;
use std::io::Read;

struct World(MemoryFs, Directories);

impl Filesystems for World {
    fn filesystem(&self, _number: usize) -> Option<&dyn Filesystem> {
        Some(&self.0)
    }

    fn listed(&mut self, _number: usize) -> (Option<&dyn Filesystem>, &mut Directories) {
        (None, &mut self.1)
    }
}

fn v(path: &str) -> VPath<'_> {
    VPath::new(path.as_bytes()).unwrap()
}

fn world() -> World {
    let fs = MemoryFs::new();
    fs.make_dir(v("/in"), 0o755).unwrap();
    fs.make_dir(v("/in/sub"), 0o755).unwrap();
    fs.add_file(v("/in/old"), b"old").unwrap();
    fs.add_file(v("/secret"), b"secret").unwrap();
    fs.add_link(v("/in/link"), b"old").unwrap();
    fs.add_link(v("/in/out"), b"../").unwrap();
    fs.add_link(v("/in/into"), b"sub").unwrap();
    fs.add_other(v("/in/socket")).unwrap();
    World(fs, Directories::default())
}

fn handler(change: impl FnOnce(&mut HttpSettings)) -> UploadHandler {
    let mut settings = HttpSettings::default();
    change(&mut settings);
    UploadHandler::new(
        &settings,
        (settings.upload_max, settings.upload_reserve),
        0,
        Uploads::new(v("/in")),
        8,
    )
}

/// A request, its body in pieces of so many bytes, `None` when it never ends: the status, and the fields.
fn ask(handler: &mut UploadHandler, world: &mut World, head: &str, body: Option<&[u8]>) -> (u16, String) {
    let text = format!("{head}\r\n\r\n").replace("HTTP/1.1\r\n", "HTTP/1.1\r\nHost: h\r\n");
    let (mut fields, mut parsed) = (Fields::default(), Head::default());
    let result = parse(text.as_bytes(), 0, &Limits::default(), &mut fields, &mut parsed);
    assert!(matches!(result, Parsed::Complete { .. }), "{text}");
    let request = Request::new(text.as_bytes(), &parsed, &fields);
    let (mut path, mut files, mut date) = (VPathBuf::default(), Files::default(), DateText::default());
    date.set(1_800_000_000);
    let now = Now { unix_seconds: 1_800_000_000, ..Now::default() };
    let path = path.set_url(request.path()).unwrap();
    let mut hx = Hx {
        path,
        conn: crate::engine::values::ConnId::test(1),
        client: None,
        now,
        date: &date,
        draining: false,
        granted: false,
        files: &mut files,
    };
    let told =
        |response: Response<World>| (response.status.code(), String::from_utf8(response.fields).unwrap());
    match handler.handle(&request, world, &mut hx) {
        Reply::Respond(response) => told(response),
        Reply::Upload(mut sink) => {
            assert_eq!(sink.limit(), Some(u64::MAX));
            for piece in body.unwrap_or(b"half").chunks(3) {
                if let Err(status) = sink.write(piece, world) {
                    return (status.code(), String::new());
                }
            }
            if body.is_none() {
                return (0, String::new());
            }
            told(sink.finish(now, world))
        }
        Reply::Pass => (1, String::new()),
        Reply::Ready { .. } | Reply::Piece { .. } | Reply::File { .. } | Reply::Wait => (2, String::new()),
    }
}

fn read(world: &World, path: &str) -> String {
    let Ok(Opened::File(fd, _)) = world.0.open(v(path)) else { return "-".to_owned() };
    let mut text = String::new();
    std::fs::File::from(fd).read_to_string(&mut text).unwrap();
    text
}

fn names(world: &World) -> Vec<String> {
    let mut listing = world.0.list(v("/in")).unwrap();
    let mut names = Vec::new();
    while listing.next_slice(&mut |name, _| names.push(String::from_utf8(name.to_vec()).unwrap())).unwrap() {}
    names
}

#[test]
fn what_each_request_is_answered() {
    let draft = "/in/.a-0123456789abcdef.part";
    let (mut plain, mut hidden) = (handler(|_| {}), handler(|settings| settings.hidden = true));
    for (line, fields, status) in [
        ("PUT /in/new", "", 201),
        ("PUT /in/sub/n%65w", "", 201),
        ("PUT /in/into/new", "", 201),
        ("PUT /in/old", "", 204),
        ("PUT /in/new", "Content-Encoding: identity", 201),
        ("PUT /in/new", "Content-Encoding: gzip", 415),
        ("PUT /in/new", "Content-Encoding: identity, GZIP", 415),
        ("PUT /in/new", "Content-Range: bytes 0-1/2", 400),
        ("PUT /in/new", "Content-Range: x", 400),
        // What has the name, or is in the way.
        ("PUT /in", "", 409),
        ("PUT /in/", "", 409),
        ("PUT /in/sub", "", 409),
        ("PUT /in/sub/", "", 409),
        ("PUT /in/new/", "", 409),
        ("PUT /in/none/new", "", 409),
        ("PUT /in/old/new", "", 409),
        ("PUT /in/link", "", 403),
        ("PUT /in/out", "", 403),
        ("PUT /in/out/secret", "", 403),
        ("PUT /in/socket", "", 403),
        ("PUT /in/.new", "", 403),
        (&format!("PUT {draft}"), "", 403),
        // Conditions.
        ("PUT /in/new", "If-None-Match: *", 201),
        ("PUT /in/old", "If-None-Match: *", 412),
        ("PUT /in/new", "If-Match: *", 412),
        ("PUT /in/old", "If-Match: *", 204),
        ("PUT /in/old", "If-Match: \"x\"", 412),
        ("PUT /in/old", "If-None-Match: \"x\"", 204),
        ("PUT /in/old", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 412),
        ("PUT /in/new", "If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT", 201),
        // Pages.
        ("PUT /in/new", "Sec-Fetch-Site: same-origin", 201),
        ("PUT /in/new", "Sec-Fetch-Site: none", 201),
        ("PUT /in/new", "sec-fetch-site: cross-site", 403),
        ("PUT /in/new", "Sec-Fetch-Site: same-site", 403),
        // Other methods.
        ("GET /in/old", "", 1),
        ("HEAD /in/", "", 1),
        (&format!("GET {draft}"), "", 404),
        ("DELETE /in/old", "", 405),
        ("POST /in/", "", 405),
        ("OPTIONS /in/old", "", 204),
    ] {
        let mut world = world();
        let before = names(&world);
        let (answered, told) =
            ask(&mut plain, &mut world, format!("{line} HTTP/1.1\r\n{fields}").trim_end(), Some(b"content"));
        assert_eq!(answered, status, "{line} {fields}");
        assert_eq!(told.contains("Location: "), status == 201, "{told}");
        if matches!((status, &line[..3]), (201 | 204, "PUT")) {
            let (_, path) = line.split_once(' ').unwrap();
            assert_eq!(read(&world, &path.replace("%65", "e")), "content", "{line}");
            assert!(told.contains("ETag: W/\"7-") || told.contains("ETag: \"7-"), "{told}");
        } else {
            assert_eq!(names(&world), before, "{line} {fields}");
        }
        assert_eq!(told.contains("Allow: GET, HEAD, PUT, OPTIONS"), line.starts_with("OPT") || status == 405);
        assert_eq!(told.contains("Accept-Encoding: identity"), status == 415);
    }
    let mut world = world();
    assert_eq!(ask(&mut hidden, &mut world, "PUT /in/.new HTTP/1.1", Some(b"x")).0, 201);
    assert_eq!(ask(&mut hidden, &mut world, &format!("PUT {draft} HTTP/1.1"), Some(b"x")).0, 403);
    assert_eq!(ask(&mut hidden, &mut world, &format!("HEAD {draft} HTTP/1.1"), None).0, 404);
}

#[test]
fn locations_are_encoded_and_lead_back() {
    let (mut handler, mut world) = (handler(|_| {}), world());
    let (status, told) =
        ask(&mut handler, &mut world, "PUT /in/%c3%A9%20%0d%0aX:%20y%2541 HTTP/1.1", Some(b""));
    assert_eq!(status, 201);
    assert!(told.starts_with("Location: /in/%C3%A9%20%0D%0AX%3A%20y%2541\r\n"), "{told}");
    assert_eq!(read(&world, "/in/\u{e9} \r\nX: y%41"), "");
}

#[test]
fn what_is_cut_leaves_nothing_and_counts_no_more() {
    let (mut handler, mut world) = (handler(|_| {}), world());
    let before = names(&world);
    for _ in 0..100 {
        assert_eq!(ask(&mut handler, &mut world, "PUT /in/old HTTP/1.1\r\nContent-Length: 9", None).0, 0);
        assert_eq!(ask(&mut handler, &mut world, "PUT /in/none/x HTTP/1.1", None).0, 409);
    }
    assert_eq!((names(&world), read(&world, "/in/old")), (before, "old".into()));
    assert_eq!(handler.uploads.changes(), 0);
    assert_eq!(handler.uploads.shared.open.load(Relaxed), 0);
    ask(&mut handler, &mut world, "PUT /in/old HTTP/1.1", Some(b"x"));
    assert_eq!(handler.uploads.changes(), 1);
}

#[test]
fn room_and_size_are_asked_for_first() {
    let mut world = world();
    let mut large = handler(|settings| settings.upload_reserve = (1 << 40) - 1000);
    for (length, status) in [(1000, 201), (1001, 507), (u64::MAX / 4, 507)] {
        let head = format!("PUT /in/{length} HTTP/1.1\r\nContent-Length: {length}");
        assert_eq!(ask(&mut large, &mut world, &head, Some(b"x")).0, status, "{length}");
    }
    // Without a length, too.
    let mut full = handler(|settings| settings.upload_reserve = 1 << 41);
    let chunked = "PUT /in/chunked HTTP/1.1\r\nTransfer-Encoding: chunked";
    assert_eq!(ask(&mut full, &mut world, chunked, Some(b"x")).0, 507);
    assert_eq!(ask(&mut full, &mut world, "PUT /in/empty HTTP/1.1\r\nContent-Length: 0", Some(b"")).0, 201);
    let mut unasked = handler(|settings| settings.upload_reserve = 0);
    assert_eq!(ask(&mut unasked, &mut world, chunked, Some(b"x")).0, 201);
    let mut small = handler(|settings| settings.upload_max = 10);
    assert_eq!(ask(&mut small, &mut world, "PUT /in/b HTTP/1.1\r\nContent-Length: 11", Some(b"x")).0, 413);
}

#[test]
fn grants_shrink_with_the_room() {
    let world = world();
    for (room, granted) in [
        (1u64 << 40, GRANT_MOST - 10),
        (64 << 20, (64 << 10) - 10),
        (5000, GRANT_LEAST - 10),
        (10, GRANT_LEAST - 10),
    ] {
        let mut sink = UploadSink {
            draft: Some(world.0.draft(v("/in"), v("/x")).unwrap()),
            location: [].into(),
            guard: Guard::Any,
            largest: u64::MAX,
            reserve: (1 << 40) - room.min((1 << 40) - 1),
            granted: 0,
            cors: false,
            shared: Arc::default(),
        };
        assert!(sink.grant(10) == Ok(()), "{room}");
        assert_eq!(sink.granted, granted, "{room}");
        assert_eq!(sink.grant(room + (1 << 20)).err(), Some(Status::INSUFFICIENT_STORAGE));
    }
}

#[test]
fn with_cors_pages_of_any_origin_may_send() {
    let (mut handler, mut world) = (handler(|settings| settings.cors = true), world());
    for (head, status) in [
        ("PUT /in/new HTTP/1.1\r\nSec-Fetch-Site: cross-site\r\nOrigin: http://a", 201),
        ("PUT /in/none/new HTTP/1.1\r\nOrigin: http://a", 409),
        ("OPTIONS /in/new HTTP/1.1\r\nOrigin: http://a", 204),
    ] {
        let (answered, told) = ask(&mut handler, &mut world, head, Some(b"x"));
        assert_eq!(answered, status);
        assert!(told.contains("Access-Control-Allow-Origin: *\r\n"), "{told}");
        let asked = status == 204;
        assert_eq!(told.contains("Access-Control-Allow-Methods: GET, HEAD, PUT, OPTIONS\r\n"), asked);
        assert_eq!(told.contains("content-type, if-match, if-none-match, *\r\n"), asked);
    }
}

#[test]
fn only_so_many_at_once() {
    let (handler, world) = (handler(|_| {}), world());
    handler.uploads.shared.open.store(4, Relaxed);
    let mut handler = handler;
    let mut world = world;
    assert_eq!(ask(&mut handler, &mut world, "PUT /in/new HTTP/1.1", Some(b"x")).0, 503);
    handler.uploads.shared.open.store(3, Relaxed);
    assert_eq!(ask(&mut handler, &mut world, "PUT /in/new HTTP/1.1", Some(b"x")).0, 201);
}

#[test]
fn areas_are_whole_segments() {
    for (area, path, covers) in [
        ("/in", "/in/", true),
        ("/in", "/in", true),
        ("/in", "/into", false),
        ("/", "/x/y", true),
        ("/", "/", true),
    ] {
        assert_eq!(Uploads::new(v(area)).covers(v(path)), covers, "{area} {path}");
    }
}
