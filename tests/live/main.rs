//! Changes of an HTTP server that serves, in its real loop over real sockets: turn by turn, so that nothing depends on
//! time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

#[path = "../common/mod.rs"]
mod common;
mod host;

use std::io::Write;
use std::sync::{Arc, Mutex};

use common::Reply;
use gorgon::engine::log::Logs;
use gorgon::engine::values::ConnId;
use gorgon::fs::VPath;
use gorgon::http::handler::{Handler, Hx, Reply as Answer};
use gorgon::http::handlers::auth::AuthHandler;
use gorgon::http::handlers::files::Filesystems;
use gorgon::http::handlers::health::HealthHandler;
use gorgon::http::handlers::status::{HasReports, StatusHandler, work};
use gorgon::http::handlers::upload::{UploadHandler, Uploads};
use gorgon::http::logins::{HasLogins, Logins, Verdict};
use gorgon::http::request::Request;
use gorgon::http::router::Router;
use gorgon::http::service::Access;
use gorgon::http::settings::HttpSettings;
use gorgon::world::World;
use host::{Host, Small};

#[test]
fn settings_hold_from_the_next_request_on() {
    let mut host = Host::new(HttpSettings::default(), &[("a", b"A")]);
    let mut client = host.client();
    assert_eq!(host.ask(&mut client, "GET /a HTTP/1.1").status, 200);
    host.settings.fields_max = 1;
    host.change(None, Access::Same);
    assert_eq!(host.ask(&mut client, "GET /a HTTP/1.1").status, 200);
    let mut other = host.client();
    assert_eq!(host.ask(&mut other, "GET /a HTTP/1.1\r\nA: b").status, 431);
    host.settings.keep_alive = false;
    host.change(None, Access::Same);
    let reply = host.ask(&mut client, "GET /a HTTP/1.1");
    assert_eq!((reply.status, reply.field("connection").as_deref()), (200, Some("close")));
}

#[test]
fn a_handler_is_added_and_the_cache_stays_warm() {
    let mut host = Host::new(HttpSettings::default(), &[("a", b"A"), ("large", &[b'l'; 100_000])]);
    let mut client = host.client();
    for _ in 0..3 {
        assert_eq!(host.ask(&mut client, "GET /a HTTP/1.1").body, b"A");
    }
    assert_eq!(host.ask(&mut client, "GET /large HTTP/1.1").body.len(), 100_000);
    let misses = host.fact("cache", "files", "misses");
    assert!((2..=4).contains(&misses) && host.fact("cache", "files", "hits") + misses == 4);
    assert_eq!(host.fact("cache", "files", "entries"), 2);
    let mut router = Router::default();
    router.add("health", b"/-/healthz", Box::new(HealthHandler));
    router.keep("files", b"");
    host.change(Some(router), Access::Same);
    assert_eq!(host.ask(&mut client, "GET /-/healthz HTTP/1.1").body, b"ok\n");
    assert_eq!(host.fact("cache", "files", "entries"), 2);
    assert_eq!(host.fact("handler", "files", "asked"), 4);
    assert_eq!(host.ask(&mut client, "GET /a HTTP/1.1").body, b"A");
    assert_eq!(host.fact("handler", "files", "answered"), 5);
    assert_eq!(host.fact("handler", "health", "answered"), 1);
    assert_eq!(host.reactor.lp().files().open(), 1);
    // Made anew, it is cold, and the one before has given its file back.
    let mut router = Router::default();
    router.add("files", b"", host.files(host.filesystem));
    host.change(Some(router), Access::Same);
    assert_eq!(host.fact("cache", "files", "entries"), 0);
    assert_eq!(host.reactor.lp().files().open(), 0);
    assert_eq!(host.ask(&mut client, "GET /-/healthz HTTP/1.1").status, 404);
}

#[test]
fn replies_under_way_go_on_when_their_handler_is_gone() {
    let large: Vec<u8> = (0..5_000_000u32).map(|at| at as u8).collect();
    let mut host = Host::new(HttpSettings::default(), &[("large", &large), ("many/0", b"")]);
    for number in 0..6000 {
        std::fs::write(host.path(&format!("root/many/{number}")), "").unwrap();
    }
    std::os::unix::fs::symlink("0", host.path("root/many/link")).unwrap();
    std::fs::create_dir(host.path("other")).unwrap();
    let (mut file, mut listing, mut parts) = (host.client(), host.client(), host.client());
    file.stream.write_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    listing.stream.write_all(b"GET /many/ HTTP/1.1\r\nHost: h\r\nAccept: application/json\r\n\r\n").unwrap();
    parts
        .stream
        .write_all(b"GET /large HTTP/1.1\r\nHost: h\r\nRange: bytes=0-2999999, 4000000-\r\n\r\n")
        .unwrap();
    for _ in 0..4 {
        host.turn();
    }
    assert_eq!(host.fact("http", "", "exchanges"), 2);
    let other = host.add_root("other");
    let mut router = Router::default();
    router.add("files", b"", host.files(other));
    let before = host.filesystem;
    host.change(Some(router), Access::Same);
    host.reactor.world().remove_filesystem(before);
    assert!(host.reactor.world().filesystem(before).is_some(), "a listing needs it to follow links");
    assert_eq!(host.reply(&mut file).body, large);
    let listed = String::from_utf8(host.reply(&mut listing).body).unwrap();
    assert_eq!(listed.matches("\"name\"").count(), 6001);
    let body = host.reply(&mut parts).body;
    assert!(body.windows(1000).any(|part| part == &large[4_999_000..]));
    host.turn();
    assert_eq!((host.reactor.lp().files().open(), host.fact("http", "", "exchanges")), (0, 0));
    // Its place is given back once nobody reads from it.
    host.reactor.world().let_go();
    assert!(host.reactor.world().filesystem(before).is_none());
    assert_eq!(host.ask(&mut file, "GET /large HTTP/1.1").status, 404);
}

#[test]
fn an_upload_under_way_ends_as_it_began() {
    let settings = HttpSettings { upload_reserve: 0, ..HttpSettings::default() };
    let mut host = Host::new(settings, &[("in/x", b"old")]);
    let uploads = Uploads::new(VPath::new(b"/in").ok().unwrap());
    let mut router = Router::default();
    let handler = UploadHandler::new(&host.settings, (0, 0), host.filesystem, uploads, 8);
    router.add("upload", b"/in", Box::new(handler));
    router.keep("files", b"");
    host.change(Some(router), Access::Same);
    let mut client = host.client();
    client.stream.write_all(b"PUT /in/x HTTP/1.1\r\nHost: h\r\nContent-Length: 8\r\n\r\nfour").unwrap();
    host.turn();
    host.turn();
    let mut router = Router::default();
    router.keep("files", b"");
    host.settings.body_max = 1;
    host.change(Some(router), Access::Same);
    client.stream.write_all(b"more").unwrap();
    assert_eq!(host.reply(&mut client).status, 204);
    assert_eq!(std::fs::read(host.path("root/in/x")).unwrap(), b"fourmore");
    assert_eq!(host.ask(&mut client, "PUT /in/x HTTP/1.1\r\nContent-Length: 0").status, 405);
}

#[test]
fn lines_that_wait_go_to_the_log_they_were_begun_for() {
    let large = vec![b'x'; 4_000_000];
    let mut host = Host::new(HttpSettings::default(), &[("large", &large), ("a", b"A")]);
    let one = host.log("one");
    host.change(None, Access::New(Box::new(one)));
    let (mut slow, mut gone, mut quick) = (host.client(), host.client(), host.client());
    for client in [&mut slow, &mut gone] {
        client
            .stream
            .write_all(b"GET /large?1 HTTP/1.1\r\nHost: h\r\n\r\nGET /a?2 HTTP/1.1\r\nHost: h\r\n\r\n")
            .unwrap();
    }
    assert_eq!(host.ask(&mut quick, "GET /a?one HTTP/1.1").status, 200);
    let two = host.log("two");
    host.change(None, Access::New(Box::new(two)));
    assert_eq!(host.ask(&mut quick, "GET /a?two HTTP/1.1").status, 200);
    host.change(None, Access::Off);
    assert_eq!(host.ask(&mut quick, "GET /a?off HTTP/1.1").status, 200);
    assert_eq!(host.lines("one"), ["GET /a?one HTTP/1.1\" 200 1"]);
    let three = host.log("three");
    host.change(None, Access::New(Box::new(three)));
    drop(gone);
    assert_eq!(host.reply(&mut slow).body.len(), large.len());
    assert_eq!(host.reply(&mut slow).body, b"A");
    assert_eq!(host.ask(&mut quick, "GET /a?three HTTP/1.1").status, 200);
    host.turn();
    let one = host.lines("one");
    assert_eq!(one.len(), 3, "{one:?}");
    assert!(one.contains(&"GET /large?1 HTTP/1.1\" 200 4000000".to_owned()), "{one:?}");
    let cut = one.iter().find(|line| line.starts_with("GET /large?1") && !line.ends_with(" 4000000"));
    assert!(cut.is_some(), "{one:?}");
    assert_eq!(host.lines("two"), ["GET /a?two HTTP/1.1\" 200 1"]);
    assert_eq!(host.lines("three"), ["GET /a?2 HTTP/1.1\" 200 1", "GET /a?three HTTP/1.1\" 200 1"]);
    // The first two are closed, and their places free.
    for name in ["four", "five"] {
        let log = host.log(name);
        host.change(None, Access::New(Box::new(log)));
    }
    let open = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|entry| {
        let target = std::fs::read_link(entry.unwrap().path()).ok()?;
        target.starts_with(host.directory.path()).then(|| target.file_name().unwrap().to_owned())
    });
    let open: Vec<_> =
        open.filter(|name| ["one", "two", "three", "four"].iter().any(|log| name == log)).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn logs_that_change_all_the_time_do_not_pile_up() {
    let large = vec![b'x'; 4_000_000];
    let mut host = Host::new(HttpSettings::default(), &[("large", &large)]);
    let mut clients = Vec::new();
    for number in 0..8 {
        let log = host.log(&number.to_string());
        host.change(None, Access::New(Box::new(log)));
        let mut client = host.client();
        client.stream.write_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
        host.turn();
        host.turn();
        clients.push(client);
    }
    // Those before the last four were ended, each in its own log.
    for number in 0..3 {
        assert_eq!(host.lines(&number.to_string()).len(), 1, "{number}");
    }
    assert_eq!(host.lines("7").len(), 0);
    for client in &mut clients {
        assert_eq!(host.reply(client).body.len(), large.len());
    }
    for number in 0..8 {
        assert_eq!(host.lines(&number.to_string()).len(), 1, "{number}");
    }
}

#[test]
fn a_server_that_is_removed_gives_all_back() {
    let mut host = Host::new(HttpSettings::default(), &[("large", &[b'l'; 4_000_000])]);
    let log = host.log("log");
    host.change(None, Access::New(Box::new(log)));
    let mut client = host.client();
    assert_eq!(host.ask(&mut client, "GET /large HTTP/1.1").status, 200);
    assert_eq!(host.reactor.lp().files().open(), 1);
    client.stream.write_all(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    host.turn();
    assert!(host.reactor.remove_service(host.service));
    assert_eq!(host.reply(&mut client).body.len(), 4_000_000);
    while host.reactor.service(host.service).is_some() {
        host.turn();
    }
    assert_eq!(host.reactor.lp().files().open(), 0);
    let text = std::fs::read_to_string(host.path("log")).unwrap();
    assert_eq!(text.lines().count(), 2);
    assert!(host.reactor.world().log(0).is_none(), "the log is closed");
}

#[test]
fn what_is_answered_is_counted() {
    let mut host = Host::new(HttpSettings::default(), &[("a", b"A"), ("d/b", b"B")]);
    let mut client = host.client();
    for (request, status) in [
        ("GET /a HTTP/1.1", 200),
        ("GET /a HTTP/1.1\r\nIf-None-Match: *", 304),
        ("GET /d HTTP/1.1", 301),
        ("GET /none HTTP/1.1", 404),
        ("GET /a HTTP/1.1\r\nRange: bytes=0-0", 206),
        ("GET /d/ HTTP/1.1", 200),
        ("wrong", 400),
    ] {
        assert_eq!(host.ask(&mut client, request).status, status, "{request}");
    }
    let facts = ["requests", "informational", "successful", "redirected", "client_errors", "server_errors"]
        .map(|fact| host.fact("http", "", fact));
    assert_eq!(facts, [6, 0, 3, 2, 2, 0]);
    assert_eq!(["asked", "answered", "errors"].map(|fact| host.fact("handler", "files", fact)), [6, 6, 0]);
    assert!(host.fact("cache", "files", "used") > 0 && host.fact("cache", "files", "limit") == 1 << 20);
}

/// Remembers which connection was the last.
struct Spy(Arc<Mutex<Option<ConnId>>>);

impl Handler<World> for Spy {
    fn handle<'h>(&'h mut self, _: &Request<'_>, _: &mut World, hx: &mut Hx<'_>) -> Answer<'h, World> {
        *self.0.lock().unwrap() = Some(hx.conn);
        Answer::Pass
    }
}

#[test]
fn a_connection_tells_what_it_is_at() {
    let large = vec![b'x'; 4_000_000];
    let mut host = Host::new(HttpSettings::default(), &[("large", &large), ("many/0", b"")]);
    for number in 0..6000 {
        std::fs::write(host.path(&format!("root/many/{number}")), "").unwrap();
    }
    let uploads = Uploads::new(VPath::new(b"/many").ok().unwrap());
    let asked = Arc::default();
    let mut router = Router::default();
    router.add("spy", b"", Box::new(Spy(Arc::clone(&asked))));
    let settings = HttpSettings { upload_reserve: 0, ..HttpSettings::default() };
    router.add(
        "upload",
        b"/many",
        Box::new(UploadHandler::new(&settings, (0, 0), host.filesystem, uploads, 8)),
    );
    router.keep("files", b"");
    host.change(Some(router), Access::Same);
    let long = format!("GET /many/?{} HTTP/1.1\r\nHost: h\r\n\r\n", "q".repeat(300));
    for (input, state, request) in [
        ("", "idle", None),
        ("GET / HT", "head", None),
        ("GET /large HTTP/1.1\r\nHost: h\r\n\r\n", "sending", Some("GET /large HTTP/1.1")),
        (&*long, "streaming", Some(&long[..128])),
        (
            "PUT /many/new HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nx",
            "receiving",
            Some("PUT /many/new HTTP/1.1"),
        ),
        (
            "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nx",
            "discarding",
            Some("POST /large HTTP/1.1"),
        ),
        ("wrong\r\n\r\n", "lingering", None),
    ] {
        let mut client = host.client();
        assert_eq!(host.ask(&mut client, "GET /none HTTP/1.1").status, 404);
        let id = asked.lock().unwrap().unwrap();
        client.stream.write_all(input.as_bytes()).unwrap();
        for _ in 0..5 {
            host.turn();
        }
        let mut seen = host.seen(id).into_iter();
        let first = seen.next();
        assert_eq!(first, Some(("state", state.to_owned())), "{input}");
        assert_eq!(seen.next(), request.map(|line| ("request", line.to_owned())), "{input}");
        drop(client);
        while host.reactor.lp().connections() > 0 {
            host.turn();
        }
        assert!(host.seen(id).is_empty());
    }
}

#[test]
fn a_user_is_told_where_credentials_were_looked_at() {
    let mut host = Host::new(HttpSettings::default(), &[("a", b"A")]);
    let logins = host.reactor.world().add_logins(Logins::new((1, 2)));
    let asked = Arc::default();
    let mut router = Router::default();
    router.add("spy", b"", Box::new(Spy(Arc::clone(&asked))));
    router.add("auth", b"/private", Box::new(AuthHandler::new("realm", false, logins)));
    router.keep("files", b"");
    host.change(Some(router), Access::Same);
    let mut client = host.client();
    // anna:secret
    let request = "POST /private/x HTTP/1.1\r\nHost: h\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n\
                   Content-Length: 5\r\n\r\nx";
    client.stream.write_all(request.as_bytes()).unwrap();
    host.turn();
    host.turn();
    let id = asked.lock().unwrap().unwrap();
    assert_eq!(host.seen(id), [("state", "waiting".to_owned())]);
    // The router changes under who waits.
    let mut router = Router::default();
    for name in ["spy", "auth", "files"] {
        router.keep(name, if name == "auth" { b"/private" } else { b"" });
    }
    host.change(Some(router), Access::Same);
    let known = host.reactor.world().logins(logins).unwrap();
    let (digest, credentials) = known.take().unwrap();
    assert_eq!(credentials, b"anna:secret");
    known.decide(digest, Verdict::Granted, 0, &mut |conn| assert!(conn == id));
    host.reactor.lp().wake(id);
    host.turn();
    let line = ("request", "POST /private/x HTTP/1.1".to_owned());
    let state = ("state", "discarding".to_owned());
    assert_eq!(host.seen(id), [state.clone(), line, ("user", "anna".to_owned())]);
    // Nobody looks at them here: they may be anybody's.
    let mut other = host.client();
    other.stream.write_all(request.replace("private", "public").as_bytes()).unwrap();
    host.turn();
    host.turn();
    let id = asked.lock().unwrap().unwrap();
    assert_eq!(host.seen(id), [state, ("request", "POST /public/x HTTP/1.1".to_owned())]);
    assert_eq!(host.fact("handler", "auth", "asked"), 1);
    assert_eq!(host.fact("http", "", "requests"), 2);
}

#[test]
fn a_file_on_its_way_tells_who_asked_for_it() {
    let long = format!("GET /private/huge?{} HTTP/1.1", "q".repeat(300));
    let ask = |line: &str| format!("{line}\r\nHost: h\r\nAuthorization: Basic YW5uYTpzZWNyZXQ=\r\n\r\n");
    for (sendfile, end) in [(true, ""), (false, ""), (true, "Connection: close\r\n")] {
        let settings = HttpSettings { sendfile, ..HttpSettings::default() };
        let huge = vec![b'h'; 2_000_000];
        let files: [(&str, &[u8]); 2] = [("private/huge", &huge), ("private/small", b"S")];
        let mut host = Host::new(settings, &files);
        let logins = host.reactor.world().add_logins(Logins::new((1, 2)));
        let asked = Arc::default();
        let mut router = Router::default();
        router.add("spy", b"", Box::new(Spy(Arc::clone(&asked))));
        router.add("auth", b"/private", Box::new(AuthHandler::new("realm", false, logins)));
        router.keep("files", b"");
        host.change(Some(router), Access::Same);
        let mut client = host.client();
        // The second one comes with the first, and after a reply that goes out at once.
        let first = "GET /private/huge HTTP/1.1";
        let small = ask("GET /private/small HTTP/1.1");
        let second = ask(&long).replace("\r\n\r\n", &format!("\r\n{end}\r\n"));
        client.stream.write_all([ask(first), small, second].concat().as_bytes()).unwrap();
        host.turn();
        let id = asked.lock().unwrap().unwrap();
        assert_eq!(host.seen(id), [("state", "waiting".to_owned())]);
        let known = host.reactor.world().logins(logins).unwrap();
        let (digest, _) = known.take().unwrap();
        known.decide(digest, Verdict::Granted, 0, &mut |conn| assert!(conn == id));
        host.reactor.lp().wake(id);
        for line in [first, &long[..128]] {
            for _ in 0..5 {
                host.turn();
            }
            let told = |name, text: &str| (name, text.to_owned());
            let seen = [told("state", "sending"), told("request", line), told("user", "anna")];
            assert_eq!(host.seen(id), seen, "{sendfile} {end}");
            let pages = host.reactor.lp().memory_facts().pages_lent;
            assert!((256..=8192).contains(&pages), "{pages}");
            assert_eq!(host.reply(&mut client).body.len(), huge.len());
            if line == first {
                assert_eq!(host.reply(&mut client).body, b"S");
            }
        }
        let state = if end.is_empty() { "idle" } else { "lingering" };
        assert_eq!(host.seen(id), [("state", state.to_owned())]);
        assert_eq!(host.reactor.lp().memory_facts().pages_lent, 0);
        // One that leaves gives back what was kept for it.
        let mut other = host.client();
        other.stream.write_all(ask("GET /private/huge HTTP/1.0").as_bytes()).unwrap();
        host.turn();
        assert_eq!(host.seen(asked.lock().unwrap().unwrap()).len(), 3);
        drop((client, other));
        while host.reactor.lp().connections() > 0 {
            host.turn();
        }
        assert_eq!(host.reactor.lp().memory_facts().pages_lent, 0);
    }
}

#[test]
fn without_memory_a_file_goes_out_untold() {
    let huge = vec![b'h'; 2_000_000];
    let mut host = Host::new(HttpSettings::default(), &[("huge", &huge)]);
    let asked = Arc::default();
    let mut router = Router::default();
    router.add("spy", b"", Box::new(Spy(Arc::clone(&asked))));
    router.keep("files", b"");
    host.change(Some(router), Access::Same);
    host.reactor.lp().set_page_memory(0);
    let mut client = host.client();
    client.stream.write_all(b"GET /huge HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    for _ in 0..5 {
        host.turn();
    }
    let id = asked.lock().unwrap().unwrap();
    assert_eq!(host.seen(id), [("state", "sending".to_owned())]);
    assert_eq!(host.reactor.lp().memory_facts().pages_lent, 0);
    assert_eq!(host.reply(&mut client).body.len(), huge.len());
}

#[test]
fn a_report_is_waited_for() {
    let mut host = Host::new(HttpSettings::default(), &[("a", b"A")]);
    let log = host.log("log");
    let mut router = Router::default();
    router.add("metrics", b"/-/metrics", Box::new(StatusHandler::metrics()));
    router.keep("files", b"");
    host.change(Some(router), Access::New(Box::new(log)));
    let (mut one, mut head) = (host.client(), host.client());
    one.stream
        .write_all(b"GET /-/metrics HTTP/1.1\r\nHost: h\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n")
        .unwrap();
    head.stream.write_all(b"HEAD /-/metrics HTTP/1.1\r\nHost: h\r\n\r\n").unwrap();
    for _ in 0..5 {
        host.turn();
        one.take(usize::MAX);
    }
    assert!(one.got.is_empty() && host.fact("http", "", "requests") == 0);
    let mut reports = std::mem::take(host.reactor.world().reports());
    let woken = work(&mut reports, &mut Small);
    *host.reactor.world().reports() = reports;
    assert_eq!(woken.len(), 2);
    for id in woken {
        host.reactor.lp().wake(id);
    }
    let expected =
        "# HELP gorgon_door_open What is open\n# TYPE gorgon_door_open gauge\ngorgon_door_open 1\n";
    let reply = host.reply(&mut one);
    assert_eq!(String::from_utf8(reply.body).unwrap(), expected);
    assert_eq!(host.reply(&mut one).body, b"A");
    head.take(usize::MAX);
    let (reply, rest) = Reply::first(&head.got, true);
    assert_eq!(reply.field("content-length"), Some(expected.len().to_string()));
    assert!(rest.is_empty());
    assert_eq!((host.fact("http", "", "requests"), host.fact("http", "", "successful")), (3, 3));
    assert_eq!(host.fact("handler", "metrics", "asked"), 2);
    assert_eq!(host.lines("log").len(), 3);
}
