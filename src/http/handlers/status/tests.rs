#![allow(clippy::indexing_slicing)]

use super::view::{CONNECTIONS_MAX, REPORT_MAX};
use super::*;
use crate::engine::values::{ConnId, Files, Now};
use crate::fs::VPathBuf;
use crate::http::date::DateText;
use crate::http::head::{Fields, Head, Limits, Parsed, parse};
use crate::tree::{About, Actor, Method, Path, Schema, Step, Tree, Trouble, Unit, Value};
use crate::{counter, fact, live};

const COUNT: Unit = Unit::Count { min: 0, max: u64::MAX };
const BYTES: Unit = Unit::Size { min: 0, max: u64::MAX, power_of_two: false };
const TIME: Unit = Unit::Time { min: 0, max: u64::MAX };

static PROCESS: [About; 6] = [
    fact!("version", Unit::Text, "Its version."),
    fact!("uptime", TIME, "How long it runs."),
    fact!("draining", Unit::Switch, "Whether it ends."),
    fact!("memory", BYTES, "What it takes, with a \\ in its help.\nAnd a line's end."),
    live!("grace", TIME, "10s", "A setting, which is no fact."),
    counter!("bytes_sent", BYTES, "Bytes that were sent."),
];
static HTTP: [About; 3] = [
    counter!("requests", COUNT, "Requests."),
    fact!("listeners", Unit::List, "Where it listens."),
    fact!("load", COUNT, "Not told by this system."),
];
static CONNECTION: [About; 2] =
    [fact!("peer", Unit::Text, "Who it is."), counter!("received", BYTES, "Bytes.")];
static CONFIG: [About; 1] = [live!("file", Unit::Text, "", "The file.")];

const fn schema(name: &'static str, named: bool, about: fn(usize) -> Option<&'static About>) -> Schema {
    Schema { name, help: "", named, about, methods: &[] }
}

static SCHEMAS: [Schema; 4] = [
    schema("process", false, |at| PROCESS.get(at)),
    schema("http", true, |at| HTTP.get(at)),
    schema("connection", true, |at| CONNECTION.get(at)),
    schema("config", false, |at| CONFIG.get(at)),
];

/// A name, and a text, that would be something else where they are not escaped.
const HOSTILE: &str = "a\"b\\<script>alert('1')</script>&\n";

/// A tree of a process, two servers, and so many connections.
struct Twin {
    connections: u64,
    text: String,
    now: u64,
    /// How often it was asked for a value.
    asked: usize,
    /// Names come so many at a time.
    slice: u64,
}

impl Twin {
    fn new(connections: u64) -> Twin {
        Twin { connections, text: "1.2".to_owned(), now: 5000, asked: 0, slice: 7 }
    }
}

impl Tree for Twin {
    fn schemas(&self) -> &'static [Schema] {
        &SCHEMAS
    }

    fn names(&mut self, schema: &'static Schema, from: u64, visit: &mut dyn FnMut(&str)) -> Option<u64> {
        if schema.name == "http" {
            visit(["main", HOSTILE][from as usize]);
            return (from == 0).then_some(1);
        }
        let end = (from + self.slice).min(self.connections);
        (from..end).for_each(|number| visit(&format!("{number}-1")));
        (end < self.connections).then_some(end)
    }

    fn get(&mut self, path: &Path<'_>, attribute: usize) -> Option<Value> {
        self.asked += 1;
        Some(match (path.kind, attribute) {
            ("process" | "connection", 0) => Value::Text(self.text.clone()),
            ("process", 1) => Value::Time(83_250),
            ("process", 2) => Value::Switch(true),
            ("process", 3) => Value::Size(1536),
            ("process", 5) => Value::Size(77),
            ("http", 0) => Value::Count(if path.name == "main" { 12 } else { 3 }),
            ("http", 1) => Value::List(vec!["*:80".to_owned(), self.text.clone()]),
            ("http", 2) => Value::Nothing,
            ("connection", 1) => Value::Size(9),
            _ => return None,
        })
    }

    fn change(&mut self, _steps: &[Step], _actor: &Actor) -> Result<(), Box<Trouble>> {
        unreachable!()
    }

    fn call(
        &mut self,
        _path: &Path<'_>,
        _method: &'static Method,
        _words: &[String],
        _actor: &Actor,
    ) -> Result<String, Box<Trouble>> {
        unreachable!()
    }

    fn save(&mut self, _passing: &[Step], _actor: &Actor) -> Result<String, Box<Trouble>> {
        unreachable!()
    }

    fn events(&mut self, _from: u64, _visit: &mut dyn FnMut(&str)) -> u64 {
        0
    }

    fn note(&mut self, _words: &[&str]) {}

    fn milliseconds(&self) -> u64 {
        self.now
    }
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn metrics_are_what_prometheus_reads() {
    let found = text(metrics::make(&mut Twin::new(3)));
    let expected = r#"# HELP gorgon_process_uptime_seconds How long it runs
# TYPE gorgon_process_uptime_seconds gauge
gorgon_process_uptime_seconds 83.25
# HELP gorgon_process_draining Whether it ends
# TYPE gorgon_process_draining gauge
gorgon_process_draining 1
# HELP gorgon_process_memory_bytes What it takes, with a \\ in its help.\nAnd a line's end
# TYPE gorgon_process_memory_bytes gauge
gorgon_process_memory_bytes 1536
# HELP gorgon_process_bytes_sent_total Bytes that were sent
# TYPE gorgon_process_bytes_sent_total counter
gorgon_process_bytes_sent_total 77
# HELP gorgon_http_requests_total Requests
# TYPE gorgon_http_requests_total counter
gorgon_http_requests_total{name="main"} 12
gorgon_http_requests_total{name="a\"b\\<script>alert('1')</script>&\n"} 3
"#;
    assert_eq!(found, expected);
}

#[test]
fn the_object_is_json() {
    let found = text(json::make(&mut Twin { text: HOSTILE.to_owned(), ..Twin::new(2) }));
    let hostile = r#""a\"b\\<script>alert('1')</script>&\u000a""#;
    let expected = [
        r#"{"process":{"version":"#,
        hostile,
        r#","uptime":83.25,"draining":true,"memory":1536,"bytes_sent":77},"http":{"main":{"requests":12,"listeners":["*:80","#,
        hostile,
        r#"],"load":null},"#,
        hostile,
        r#":{"requests":3,"listeners":["*:80","#,
        hostile,
        r#"],"load":null}},"connection":{"0-1":{"peer":"#,
        hostile,
        r#","received":9},"1-1":{"peer":"#,
        hostile,
        r#","received":9}}}"#,
        "\n",
    ];
    assert_eq!(found, expected.concat());
}

#[test]
fn the_page_shows_all_and_lets_nothing_out() {
    let found = text(page::make(&mut Twin { text: HOSTILE.to_owned(), ..Twin::new(2) }));
    assert!(!found.contains("<script") && !found.contains("alert('"), "{found}");
    for part in [
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
        "<h2>process</h2>",
        "title=\"How long it runs.\">uptime</th><td>1 min 23 s</td>",
        "<td>1.5 K</td>",
        "<td>on</td>",
        "<th scope=\"row\">main</th><td>12</td>",
        "a&quot;b\\&lt;script&gt;",
        "<h2>connection</h2>",
        "<th scope=\"row\">1-1</th>",
        ">bytes sent</th><td>77</td>",
    ] {
        assert!(found.contains(part), "{part} is not in {found}");
    }
    // What is set is not what is.
    assert!(!found.contains("grace") && !found.contains("<h2>config</h2>") && !found.contains("more than"));
    assert_eq!(found.matches('<').count(), found.matches('>').count());
    let none = text(page::make(&mut Twin::new(0)));
    assert!(none.contains("<h2>connection</h2>\n<p>none</p>"), "{none}");
}

#[test]
fn so_many_connections_are_listed() {
    let mut twin = Twin::new(1_000_000);
    let page = text(page::make(&mut twin));
    assert_eq!(page.matches("-1</th>").count(), CONNECTIONS_MAX);
    assert!(page.contains("There are more than are shown."));
    assert!(twin.asked < 1000, "{}", twin.asked);
    let exact = text(page::make(&mut Twin::new(CONNECTIONS_MAX as u64)));
    assert_eq!(exact.matches("-1</th>").count(), CONNECTIONS_MAX);
    assert!(!exact.contains("more than"));
    let json = text(json::make(&mut Twin::new(1_000_000)));
    assert_eq!(json.matches("-1\":").count(), CONNECTIONS_MAX);
    assert!(!text(metrics::make(&mut Twin::new(5))).contains("connection"));
    // A tree that has next to nothing to tell in many places is not asked for ever.
    let sparse = text(page::make(&mut Twin { slice: 0, ..Twin::new(1) }));
    assert!(sparse.contains("<p>none</p>"));
}

#[test]
fn long_texts_do_not_make_long_reports() {
    let long = Twin { text: "\u{1}\u{e9}\"".repeat(1 << 20), ..Twin::new(200) };
    let Twin { text: long, .. } = long;
    for make in [page::make, json::make, metrics::make] {
        let report = text(make(&mut Twin { text: long.clone(), ..Twin::new(200) }));
        assert!(report.len() <= REPORT_MAX, "{}", report.len());
    }
}

#[test]
fn times_for_people() {
    for (milliseconds, shown) in [
        (0, "0 ms"),
        (999, "999 ms"),
        (1000, "1 s"),
        (61_000, "1 min 1 s"),
        (3_600_000, "1 h"),
        (3_661_000, "1 h 1 min"),
        (90_000_000, "1 d 1 h"),
        (u64::MAX, "213503982334 d 14 h"),
    ] {
        let mut out = Vec::new();
        page::push_time(milliseconds, &mut out);
        assert_eq!(text(out), shown);
    }
}

#[derive(Default)]
struct World(Reports);

impl HasReports for World {
    fn reports(&mut self) -> &mut Reports {
        &mut self.0
    }
}

/// What a handler answers: the status, the fields and the body; nothing while the request waits.
fn ask<H: Handler<World>>(
    handler: &mut H,
    world: &mut World,
    head: &str,
    conn: u64,
    now: u64,
) -> Option<(u16, String, Vec<u8>)> {
    ask_while(false, handler, world, head, conn, now)
}

fn ask_while<H: Handler<World>>(
    draining: bool,
    handler: &mut H,
    world: &mut World,
    head: &str,
    conn: u64,
    now: u64,
) -> Option<(u16, String, Vec<u8>)> {
    let input = format!("{head}\r\nHost: h\r\n\r\n");
    let (mut fields, mut parsed) = (Fields::default(), Head::default());
    let result = parse(input.as_bytes(), 0, &Limits::default(), &mut fields, &mut parsed);
    assert!(matches!(result, Parsed::Complete { .. }), "{input}");
    let request = Request::new(input.as_bytes(), &parsed, &fields);
    let (mut path, mut files, date) = (VPathBuf::default(), Files::default(), DateText::default());
    let now = Now { milliseconds: now, ..Now::default() };
    let mut hx = Hx {
        path: path.set_url(request.path()).unwrap(),
        conn: ConnId::test(conn),
        client: None,
        now,
        date: &date,
        draining,
        granted: false,
        files: &mut files,
    };
    let response = match handler.handle(&request, world, &mut hx) {
        Reply::Wait => return None,
        Reply::Respond(response) => response,
        _ => panic!("another answer"),
    };
    let body = match response.body {
        Body::Bytes(bytes) => bytes,
        Body::Sized { length, mut stream } => {
            let mut body = Vec::new();
            let mut room = [0; 1000];
            loop {
                let mut means = Means { world: &mut *world, files: &mut files, now };
                match stream.fill(&mut room, &mut means) {
                    Fill::Some(count) => body.extend_from_slice(&room[..count]),
                    Fill::End(count) => {
                        body.extend_from_slice(&room[..count]);
                        break;
                    }
                    _ => panic!("another piece"),
                }
            }
            assert_eq!(body.len() as u64, length);
            body
        }
        Body::Page => Vec::new(),
        _ => panic!("another body"),
    };
    Some((response.status.code(), String::from_utf8(response.fields).unwrap(), body))
}

const GET: &str = "GET /-/status HTTP/1.1";

#[test]
fn a_report_is_made_once_for_all_who_wait() {
    let (mut world, mut twin) = (World::default(), Twin::new(1));
    let (mut page, mut metrics) = (StatusHandler::page(), StatusHandler::metrics());
    assert!(world.0.is_quiet() && work(&mut world.0, &mut twin).is_empty());
    for conn in [1, 2, 1, 3] {
        assert!(ask(&mut page, &mut world, GET, conn, 5000).is_none());
    }
    assert!(ask(&mut metrics, &mut world, GET, 4, 5000).is_none());
    assert!(!world.0.is_quiet());
    let woken = work(&mut world.0, &mut twin);
    assert_eq!(woken, [1, 2, 3, 4].map(ConnId::test));
    let once = twin.asked;
    assert!(once < 30, "{once}");
    for now in [5000, 5999] {
        let (status, fields, body) = ask(&mut page, &mut world, GET, 1, now).unwrap();
        assert!(status == 200 && fields.contains("Content-Type: text/html"), "{fields}");
        assert!(fields.contains("Cache-Control: no-store\r\n") && !fields.contains("Refresh"));
        assert_eq!(body, page::make(&mut Twin::new(1)));
        let (_, fields, body) = ask(&mut metrics, &mut world, GET, 1, now).unwrap();
        assert!(fields.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
        assert_eq!(body, metrics::make(&mut Twin::new(1)));
    }
    assert_eq!(twin.asked, once);
    // A second later it is old, and is not kept for nobody.
    assert!(ask(&mut page, &mut world, GET, 1, 6000).is_none());
    twin.now = 6000;
    assert_eq!(work(&mut world.0, &mut twin), [ConnId::test(1)]);
    twin.now = 7000;
    assert!(!world.0.is_quiet() && work(&mut world.0, &mut twin).is_empty() && world.0.is_quiet());
}

#[test]
fn the_form_is_the_one_that_is_asked_for() {
    for (target, accept, json) in [
        ("/s", "", false),
        ("/s", "\r\nAccept: application/json", true),
        ("/s", "\r\nAccept: text/html,*/*;q=0.8", false),
        ("/s?format=json", "\r\nAccept: text/html", true),
        ("/s?format=html", "\r\nAccept: application/json", false),
        ("/s?a&format=json&b", "", true),
    ] {
        let (mut world, mut handler) = (World::default(), StatusHandler::page());
        let head = format!("GET {target} HTTP/1.1{accept}");
        assert!(ask(&mut handler, &mut world, &head, 1, 5000).is_none());
        assert_eq!(work(&mut world.0, &mut Twin::new(0)).len(), 1);
        let (_, fields, body) = ask(&mut handler, &mut world, &head, 1, 5000).unwrap();
        assert_eq!(fields.contains("application/json"), json, "{head}");
        assert_eq!(body.first() == Some(&b'{'), json, "{head}");
        assert!(fields.contains("Vary: Accept\r\n"));
    }
}

#[test]
fn a_page_may_ask_for_itself_again() {
    let (mut world, mut handler) = (World::default(), StatusHandler::page());
    assert!(ask(&mut handler, &mut world, GET, 1, 5000).is_none());
    work(&mut world.0, &mut Twin::new(0));
    for (query, seconds) in [
        ("refresh=5", Some("5")),
        ("refresh=0", None),
        ("refresh=3601", None),
        ("refresh=5;url=//evil.example", None),
        ("refresh=", None),
    ] {
        let head = format!("GET /s?{query} HTTP/1.1");
        let (_, fields, _) = ask(&mut handler, &mut world, &head, 1, 5000).unwrap();
        let found = fields.lines().find_map(|line| line.strip_prefix("Refresh: "));
        assert_eq!(found, seconds, "{query}");
    }
}

#[test]
fn other_methods_are_refused() {
    let mut world = World::default();
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let head = format!("{method} /-/status HTTP/1.1");
        for (status, fields, _) in [
            ask(&mut StatusHandler::page(), &mut world, &head, 1, 0).unwrap(),
            ask(&mut StatusHandler::metrics(), &mut world, &head, 1, 0).unwrap(),
            ask(&mut crate::http::handlers::health::HealthHandler, &mut world, &head, 1, 0).unwrap(),
        ] {
            assert!(status == 405 && fields == "Allow: GET, HEAD\r\n", "{method}: {fields}");
        }
    }
    assert!(world.0.is_quiet());
    assert!(ask(&mut StatusHandler::page(), &mut world, "HEAD /s HTTP/1.1", 1, 0).is_none());
}

#[test]
fn so_many_may_wait() {
    let (mut world, mut handler) = (World::default(), StatusHandler::page());
    for conn in 0..1024 {
        assert!(ask(&mut handler, &mut world, GET, conn, 0).is_none());
    }
    assert_eq!(ask(&mut handler, &mut world, GET, 1024, 0).map(|reply| reply.0), Some(503));
    assert!(ask(&mut handler, &mut world, GET, 7, 0).is_none(), "it waits already");
    assert_eq!(work(&mut world.0, &mut Twin::new(0)).len(), 1024);
}

#[test]
fn health_is_good_until_the_end() {
    let (mut world, mut handler) = (World::default(), crate::http::handlers::health::HealthHandler);
    let (status, fields, body) = ask(&mut handler, &mut world, GET, 1, 0).unwrap();
    assert!(status == 200 && body == b"ok\n" && fields.contains("Cache-Control: no-store\r\n"));
    let (status, _, body) = ask_while(true, &mut handler, &mut world, GET, 1, 0).unwrap();
    assert!(status == 503 && body == b"draining\n");
}
