use super::*;
use crate::engine::values::ConnId;
use crate::fs::VPathBuf;
use crate::http::date::DateText;
use crate::http::handler::Response;
use crate::http::head::{Fields, Head, Limits, Parsed, parse};
use crate::http::status::Status;

/// What the handlers did, one letter each.
#[derive(Default)]
struct Seen(String);

/// Answers with a status; 0 passes, 1 waits.
struct Fixed(char, u16);

impl Handler<Seen> for Fixed {
    fn handle<'h>(&'h mut self, _: &Request<'_>, seen: &mut Seen, _: &mut Hx<'_>) -> Reply<'h, Seen> {
        seen.0.push(self.0);
        match self.1 {
            0 => Reply::Pass,
            1 => Reply::Wait,
            500 => Reply::Respond(Response::page(Status::INTERNAL_SERVER_ERROR)),
            _ => Reply::Respond(Response::page(Status::OK)),
        }
    }

    fn retire(&mut self, files: &mut Files) {
        // A descriptor that says so.
        files.insert(std::fs::File::open("/dev/null").unwrap().into());
    }
}

fn ask(router: &mut Router<Seen>, url: &str) -> String {
    let input = format!("GET {url} HTTP/1.1\r\nHost: h\r\n\r\n");
    let (mut fields, mut head) = (Fields::default(), Head::default());
    let parsed = parse(input.as_bytes(), 0, &Limits::default(), &mut fields, &mut head);
    assert!(matches!(parsed, Parsed::Complete { .. }));
    let request = Request::new(input.as_bytes(), &head, &fields);
    let (mut path, mut files, date) = (VPathBuf::default(), Files::default(), DateText::default());
    let mut seen = Seen::default();
    let mut hx = Hx {
        path: path.set_url(request.path()).unwrap(),
        conn: ConnId::test(1),
        client: None,
        now: Now::default(),
        date: &date,
        draining: false,
        granted: false,
        files: &mut files,
    };
    let waits = match router.route(&request, &mut seen, &mut hx) {
        Reply::Pass => {
            seen.0.push('-');
            false
        }
        reply => matches!(reply, Reply::Wait),
    };
    if waits {
        router.put_off(request.path());
    }
    seen.0
}

fn facts(router: &Router<Seen>) -> Vec<(&str, [u64; 3])> {
    let three = |mount: &HandlerFacts| [mount.asked, mount.answered, mount.errors];
    router.mounts().map(|mount| (mount.name(), three(&mount.facts()))).collect()
}

#[test]
fn prefixes_are_whole_segments() {
    for (path, prefix, below) in [
        ("/a", "", true),
        ("/a", "/a", true),
        ("/a/", "/a", true),
        ("/a/b", "/a", true),
        ("/ab", "/a", false),
        ("/", "/a", false),
        ("/b/a", "/a", false),
    ] {
        assert_eq!(is_below(path.as_bytes(), prefix.as_bytes()), below, "{path} below {prefix}");
    }
}

#[test]
fn the_first_that_does_not_pass_answers() {
    let mut router = Router::default();
    router.add("a", b"", Box::new(Fixed('a', 0)));
    router.add("b", b"/b/", Box::new(Fixed('b', 200)));
    router.add("c", b"/b", Box::new(Fixed('c', 200)));
    router.add("off", b"", Box::new(Fixed('o', 200)));
    router.enable_last(false);
    router.add("e", b"/e", Box::new(Fixed('e', 500)));
    for (url, asked) in [("/b/x", "ab"), ("/bx", "a-"), ("/e", "ae"), ("/e", "ae"), ("/", "a-")] {
        assert_eq!(ask(&mut router, url), asked, "{url}");
    }
    assert_eq!(
        facts(&router),
        [("a", [5, 0, 0]), ("b", [1, 1, 0]), ("c", [0; 3]), ("off", [0; 3]), ("e", [2, 2, 2])]
    );
    let mounts: Vec<_> = router.mounts().map(|mount| (mount.prefix(), mount.is_enabled())).collect();
    assert_eq!(mounts[1..4], [(&b"/b"[..], true), (b"/b", true), (b"", false)]);
}

#[test]
fn a_request_that_waits_counts_once() {
    let mut router = Router::default();
    router.add("pass", b"", Box::new(Fixed('p', 0)));
    router.add("wait", b"/w", Box::new(Fixed('w', 1)));
    router.add("after", b"", Box::new(Fixed('a', 200)));
    for _ in 0..3 {
        assert_eq!(ask(&mut router, "/w"), "pw");
    }
    assert_eq!(facts(&router), [("pass", [0; 3]), ("wait", [0; 3]), ("after", [0; 3])]);
    assert_eq!(ask(&mut router, "/x"), "pa");
    assert_eq!(facts(&router), [("pass", [1, 0, 0]), ("wait", [0; 3]), ("after", [1, 1, 0])]);
}

#[test]
fn another_router_takes_over_what_is_kept() {
    let mut before = Router::default();
    before.add("one", b"", Box::new(Fixed('1', 0)));
    before.add("two", b"", Box::new(Fixed('2', 0)));
    before.add("three", b"", Box::new(Fixed('3', 200)));
    assert_eq!(ask(&mut before, "/"), "123");
    let mut router = Router::default();
    router.keep("three", b"/3");
    router.keep("two", b"");
    router.add("new", b"", Box::new(Fixed('n', 0)));
    router.add("one", b"", Box::new(Fixed('o', 200)));
    // There was none: it is as if it were not there.
    router.keep("gone", b"");
    let mut files = Files::default();
    router.replace(&mut before, &mut files);
    assert_eq!(files.open(), 1, "the handler that is not kept is told");
    assert_eq!(before.mounts().count(), 0);
    assert_eq!(ask(&mut router, "/x"), "2no");
    assert_eq!(ask(&mut router, "/3"), "3");
    assert_eq!(
        facts(&router),
        [("three", [2, 2, 0]), ("two", [2, 0, 0]), ("new", [1, 0, 0]), ("one", [2, 1, 0]), ("gone", [0; 3])]
    );
}
