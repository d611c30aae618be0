//! Passwords: who is let in, by every scheme, and what happens to others while a password is checked.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "http")]

mod common;

use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{Directory, Reply, Server, gorgon, read_all};

/// Users and their passwords.
const USERS: &[(&str, &str, &str)] = &[
    ("bcrypt", "wonder:land", "$2y$05$boiPDGoaH8fuEg0DiXyX6eN5KvSgay2YSgz5LCY/zMjPnSb6SKElS"),
    ("bcrypt2a", "pässwörd", "$2a$04$KVX2MIYsMWu5.bdVXjMayuozPUAus1uIzijXUFyamwtiQ4bYuUnq2"),
    ("bcrypt2b", "b", "$2b$04$QcFoP90ZXbKJsyFeCLFFE.hUvV.qUmPcTTj6K.ebfHOPSlvJL7DSW"),
    ("sha256", "five", "$5$saltsalt$VkJB1lvQ4vveRPIyqud06IWhP8/XbL/58S/ZywYMk62"),
    (
        "sha512",
        "six six",
        "$6$saltsalt$gmXyMpmA6GdEknYJSOAKAOxT1VibCyjZOxay1Z9Qn2KRZo3ZuGOlohcv4IkDspWcjlRcPGAcB/4axYzyFqk4b1",
    ),
    (
        "rounds",
        "six",
        "$6$rounds=1000$salt$QcaEFTPy5IV1jJ6KzXqbxBFEl9R/akhzWIFyM37FgLw6W9sy8Qhwz0hOyhdlW53h0QBgVl3EaeJfGBcwB2qDb/",
    ),
    ("yescrypt", "why", "$y$j75$saltsaltsalt$8vyEBSrAhQEFlmBAO2gwpeDs/iIA7txA8KVF6FFFo75"),
    ("md5", "one", "$1$salt$EBSXwoDYNJ4rbl3zZYbpy1"),
    ("apache", "apr", "$apr1$salt$7otthaAnt2/NcVibGReNl0"),
    ("sha", "sha", "{SHA}2PRZAyDhNDqRW2OUFwZQqPNdaSY="),
    ("des", "des", "ab.mruLNQ7ZWQ"),
    ("empty", "", "$2y$04$5R5OF4NP3ETuKsM513Xb8O1PolsgFTjQy8Qm/OMsRWRjVCRxVy3xG"),
    ("éve", "ü€", "$apr1$salt$FsFbUoHlFxICGPuniR2uI1"),
];

/// A hash of "slow" that takes more than 100 milliseconds.
const SLOW: &str = "$2y$12$k2jLrPMRypuEoJrWgMRqf.RqewIFArsqVwyxGcw9w3stsakzZ5iWK";

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits =
            group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place <= group.len() { letter.into() } else { '=' });
        }
    }
    text
}

fn basic(name: &str, password: &str) -> String {
    format!("Authorization: Basic {}\r\n", base64(format!("{name}:{password}").as_bytes()))
}

struct Site {
    directory: Directory,
    file: String,
}

impl Site {
    fn new(lines: &str) -> Site {
        let directory = Directory::new();
        directory.file("root/a.txt", "secret");
        let file = directory.file("users", lines);
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        common::give(&file);
        Site { file: file.to_str().unwrap().to_owned(), directory }
    }

    fn all() -> Site {
        Site::new(&USERS.iter().map(|(name, _, hash)| format!("{name}:{hash}\n")).collect::<String>())
    }

    fn start(&self, arguments: &[&str]) -> Server {
        let all = [&["--auth-file", &self.file], arguments].concat();
        Server::start(&self.directory.path().join("root"), &all)
    }

    /// What it says when it does not start.
    fn fail(&self, arguments: &[&str]) -> String {
        let root = self.directory.path().join("root");
        let output = gorgon()
            .arg(root)
            .args(["-l", "127.0.0.1:0", "--auth-file", &self.file])
            .args(arguments)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

fn ask(server: &Server, method: &str, fields: &str) -> Reply {
    let request = format!("{method} /a.txt HTTP/1.1\r\nHost: test\r\nConnection: close\r\n{fields}\r\n");
    Reply::first(&server.talk(request.as_bytes()), method == "HEAD").0
}

fn challenge(reply: &Reply) -> Option<String> {
    reply.field("www-authenticate")
}

/// The number of the helper process.
fn helper(server: &Server) -> Option<u32> {
    let id = server.child.id();
    let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
    children.split_whitespace().next().map(|number| number.parse().unwrap())
}

#[test]
fn every_scheme() {
    let site = Site::all();
    let server = site.start(&[]);
    for (name, password, _) in USERS {
        for _ in 0..2 {
            let reply = ask(&server, "GET", &basic(name, password));
            assert_eq!((reply.status, &*reply.body), (200, &b"secret"[..]), "{name}");
            assert_eq!(challenge(&reply), None);
            for wrong in [format!("{password}x"), format!(" {password}"), format!("{password}:")] {
                assert_eq!(ask(&server, "GET", &basic(name, &wrong)).status, 401, "{name} {wrong}");
            }
        }
    }
}

#[test]
fn who_is_not_let_in() {
    let site = Site::all();
    let server = site.start(&["--http.main.auth_realm=My files"]);
    let (name, password, _) = USERS[0];
    let right = base64(format!("{name}:{password}").as_bytes());
    for (fields, status) in [
        (String::new(), 401),
        (basic(name, ""), 401),
        (basic(name, "wrong"), 401),
        (basic("nobody", password), 401),
        (basic("", password), 401),
        (basic(name, &"x".repeat(600)), 401),
        (basic(name, &"x".repeat(2000)), 401),
        (basic(name, &format!("{password}\0")), 401),
        (basic(name, &format!("{password}\0x")), 401),
        (basic(&name.to_uppercase(), password), 401),
        (format!("Authorization: Basic {right}x\r\n"), 401),
        (format!("Authorization: Basic {right} \r\n"), 200),
        (format!("Authorization: Basic  {right}\r\n"), 200),
        (format!("authorization: bAsIc {right}\r\n"), 200),
        (format!("Authorization: Basic {}\r\n", right.trim_end_matches('=')), 200),
        (format!("Authorization: Basic{right}\r\n"), 401),
        (format!("Authorization: Digest {right}\r\n"), 401),
        (format!("Authorization: Bearer {right}\r\n"), 401),
        (format!("Authorization: {right}\r\n"), 401),
        ("Authorization:\r\n".to_owned(), 401),
        (format!("Authorization: Basic {right}\r\nAuthorization: Basic {right}\r\n"), 401),
        (format!("Proxy-Authorization: Basic {right}\r\n"), 401),
    ] {
        for method in ["GET", "HEAD"] {
            let reply = ask(&server, method, &fields);
            assert_eq!(reply.status, status, "{method} {fields}");
            let expected = (status == 401).then(|| "Basic realm=\"My files\", charset=\"UTF-8\"".to_owned());
            assert_eq!(challenge(&reply), expected);
            assert!(status == 200 || !reply.body.windows(6).any(|part| part == b"secret"));
            assert_eq!(reply.body.is_empty(), method == "HEAD");
        }
    }
    // What is not there is no secret either.
    for method in ["GET", "POST", "PUT", "DELETE", "OPTIONS"] {
        let reply = ask(&server, method, "Content-Length: 0\r\n");
        assert_eq!(reply.status, 401, "{method}");
    }
    assert_eq!(server.get("/none").status, 401);
    assert_eq!(server.get("/../x").status, 400);
}

#[test]
fn a_body_without_credentials_is_not_asked_for() {
    let site = Site::all();
    let server = site.start(&[]);
    let mut stream = server.connect();
    stream
        .write_all(b"PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        .unwrap();
    let reply = Reply::first(&read_all(&mut stream), false).0;
    assert_eq!((reply.status, reply.field("connection").as_deref()), (401, Some("close")));
    // One that comes with it is read away.
    let right = basic(USERS[0].0, USERS[0].1);
    let text = format!(
        "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhelloGET /a.txt HTTP/1.1\r\nHost: a\r\n{right}\r\n"
    );
    let replies = Reply::all(&server.talk(text.as_bytes()));
    assert_eq!(replies.iter().map(|reply| reply.status).collect::<Vec<_>>(), [401, 200]);
}

#[test]
fn pages_of_other_origins_may_ask() {
    let site = Site::all();
    let server = site.start(&["--cors"]);
    let origin = "Origin: http://a\r\n";
    let question = format!("{origin}Access-Control-Request-Method: GET\r\n");
    assert_eq!(ask(&server, "OPTIONS", &question).status, 204);
    assert_eq!(ask(&server, "OPTIONS", origin).status, 401);
    assert_eq!(ask(&server, "GET", &question).status, 401);
    let reply = ask(&server, "GET", origin);
    assert_eq!(reply.field("access-control-allow-origin").as_deref(), Some("*"));
    let server = site.start(&[]);
    assert_eq!(ask(&server, "OPTIONS", &question).status, 401);
}

#[test]
fn requests_wait_in_order() {
    let site = Site::new(&format!("slow:{SLOW}\nquick:{}\n", USERS[0].2));
    let server = site.start(&[]);
    let (slow, quick) = (basic("slow", "slow"), basic("quick", USERS[0].1));
    let requests: String = ["", &slow, "", &quick, &slow, &basic("slow", "x"), ""]
        .iter()
        .map(|fields| format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n{fields}\r\n"))
        .collect();
    let replies = Reply::all(&server.talk(requests.as_bytes()));
    let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [401, 200, 401, 200, 200, 401, 401]);
    // The one before it does not wait with it, and more input does no harm.
    let server = site.start(&[]);
    let mut stream = server.connect();
    let request =
        format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n\r\nGET /a.txt HTTP/1.1\r\nHost: a\r\n{slow}\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut first = vec![0; 12];
    stream.read_exact(&mut first).unwrap();
    assert_eq!(first, b"HTTP/1.1 401");
    stream.write_all(b"GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut all = first;
    all.extend(read_all(&mut stream));
    let statuses: Vec<u16> = Reply::all(&all).iter().map(|reply| reply.status).collect();
    assert_eq!(statuses, [401, 200, 401]);
}

#[test]
fn others_do_not_wait() {
    let site = Site::new(&format!("slow:{SLOW}\n"));
    let mut server = site.start(&[]);
    let waiting: Vec<_> = (0..8)
        .map(|number| {
            let mut stream = server.connect();
            let fields = basic("slow", &number.to_string());
            write!(stream, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").unwrap();
            stream
        })
        .collect();
    let begun = Instant::now();
    for _ in 0..20 {
        assert_eq!(server.get("/a.txt").status, 401);
    }
    let quick = begun.elapsed();
    // Some go away while they wait.
    for (number, mut stream) in waiting.into_iter().enumerate() {
        if number % 2 == 0 {
            assert_eq!(Reply::first(&read_all(&mut stream), false).0.status, 401);
        }
    }
    let slow = begun.elapsed();
    assert!(quick < slow / 2, "{quick:?} {slow:?}");
    assert!(server.runs());
    assert_eq!(ask(&server, "GET", &basic("slow", "slow")).status, 200);
    // What is known is not checked again.
    let begun = Instant::now();
    let request = format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n{}\r\n", basic("slow", "slow"));
    let replies = Reply::all(&server.talk(request.repeat(50).as_bytes()));
    assert!(replies.len() == 50 && replies.iter().all(|reply| reply.status == 200));
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[test]
fn many_at_once() {
    let site = Site::all();
    let server = site.start(&[]);
    let send = |fields: &str| {
        let mut stream = server.connect();
        write!(stream, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").unwrap();
        stream
    };
    // All have the same password: one is checked.
    let streams: Vec<_> = (0..100).map(|_| send(&basic(USERS[0].0, USERS[0].1))).collect();
    for mut stream in streams {
        assert_eq!(Reply::first(&read_all(&mut stream), false).0.status, 200);
    }
    // Each has another: those for whom there is no room are told to come again.
    let streams: Vec<_> = (0..100).map(|number| send(&basic("x", &number.to_string()))).collect();
    for mut stream in streams {
        let reply = Reply::first(&read_all(&mut stream), false).0;
        match reply.status {
            401 => assert_eq!(reply.field("retry-after"), None),
            503 => assert_eq!(reply.field("retry-after").as_deref(), Some("1")),
            other => panic!("{other}"),
        }
    }
}

#[test]
fn a_helper_that_dies_is_started_again() {
    let site = Site::new(&format!("slow:{SLOW}\n"));
    let mut server = site.start(&[]);
    let first = helper(&server).unwrap();
    let mut stream = server.connect();
    let fields = basic("slow", "slow");
    write!(stream, "GET /a.txt HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{fields}\r\n").unwrap();
    std::thread::sleep(Duration::from_millis(20));
    assert!(Command::new("kill").args(["-KILL", &first.to_string()]).status().unwrap().success());
    let reply = Reply::first(&read_all(&mut stream), false).0;
    assert!(matches!(reply.status, 200 | 503), "{}", reply.status);
    let begun = Instant::now();
    while ask(&server, "GET", &basic("slow", "slow")).status != 200 {
        assert!(begun.elapsed() < common::PATIENCE);
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(ask(&server, "GET", &basic("slow", "x")).status, 401);
    let second = helper(&server).unwrap();
    assert_ne!(first, second);
    assert!(server.runs());
    // It does not outlive the server, and signals do not end it.
    assert!(Command::new("kill").args(["-TERM", &second.to_string()]).status().unwrap().success());
    assert_eq!(ask(&server, "GET", &basic("slow", "y")).status, 401);
    assert_eq!(helper(&server), Some(second));
    let descriptors = std::fs::read_dir(format!("/proc/{second}/fd")).unwrap().count();
    // Its socket, and the standard streams unless `/dev/null` is out of reach.
    assert!(descriptors == 1 || descriptors == 4, "{descriptors}");
    server.signal("KILL");
    server.child.wait().unwrap();
    let begun = Instant::now();
    while std::fs::read_to_string(format!("/proc/{second}/stat")).is_ok_and(|stat| !stat.contains(") Z ")) {
        assert!(begun.elapsed() < common::PATIENCE);
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_program_ends_with_its_helper() {
    for signal in ["TERM", "INT", "QUIT"] {
        let site = Site::all();
        let mut server = site.start(&[]);
        assert_eq!(ask(&server, "GET", &basic(USERS[0].0, USERS[0].1)).status, 200);
        server.signal(signal);
        let begun = Instant::now();
        assert!(server.child.wait().unwrap().success());
        assert!(begun.elapsed() < Duration::from_secs(5), "{signal}: {:?}", begun.elapsed());
    }
    // A login in flight is finished first.
    let site = Site::new(&format!("slow:{SLOW}\n"));
    let mut server = site.start(&[]);
    let mut stream = server.connect();
    write!(stream, "GET /a.txt HTTP/1.1\r\nHost: a\r\n{}\r\n", basic("slow", "slow")).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    server.signal("QUIT");
    let reply = Reply::first(&read_all(&mut stream), false).0;
    assert_eq!((reply.status, reply.field("connection").as_deref()), (200, Some("close")));
    assert!(server.child.wait().unwrap().success());
}

#[test]
fn a_changed_file_is_read_again() {
    let (name, password, hash) = USERS[0];
    let site = Site::new(&format!("{name}:{hash}\n"));
    let mut server = site.start(&[]);
    let right = basic(name, password);
    let becomes = |status: u16| {
        let begun = Instant::now();
        while ask(&server, "GET", &right).status != status {
            assert!(begun.elapsed() < Duration::from_secs(10), "never {status}");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    becomes(200);
    std::fs::write(&site.file, "# nobody\n").unwrap();
    becomes(401);
    std::fs::write(&site.file, format!("{name}:{hash}\n# again\n")).unwrap();
    becomes(200);
    // One that is wrong, or gone, changes nothing.
    std::fs::write(&site.file, "nonsense\n").unwrap();
    std::thread::sleep(Duration::from_millis(2500));
    assert_eq!(ask(&server, "GET", &right).status, 200);
    std::fs::remove_file(&site.file).unwrap();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(ask(&server, "GET", &right).status, 200);
    assert_eq!(ask(&server, "GET", &basic(name, "x")).status, 401);
    assert!(server.runs());
}

#[test]
fn files_that_cannot_be_used_are_refused_at_start() {
    for (lines, told) in [
        ("alice:secret\n", "users:1: expected the whole hash of a password, such as htpasswd -B makes"),
        ("# x\n\nalice\n", "users:3: expected name:hash"),
        ("alice:$argon2id$x\n", "makes, found one of the scheme $argon2id$"),
    ] {
        let said = Site::new(lines).fail(&[]);
        assert!(said.contains(told) && !said.contains("secret"), "{said}");
    }
    let site = Site::all();
    std::fs::remove_file(&site.file).unwrap();
    assert!(site.fail(&[]).contains("users: No such file"));
    assert!(Site::all().fail(&["--http.main.auth_realm=a\"b"]).contains("auth_realm"));
    // A name that is missing is not taken for no file.
    let output = gorgon().args(["-l", "127.0.0.1:0", "--auth-file", ""]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let server = Server::start(&site.directory.path().join("root"), &["--auth-file=none"]);
    assert_eq!(server.get("/a.txt").status, 200);
    // An empty one lets nobody in.
    let site = Site::new("");
    let server = site.start(&[]);
    assert_eq!(ask(&server, "GET", &basic("a", "b")).status, 401);
}

#[test]
fn curl_gets_in() {
    let site = Site::all();
    let server = site.start(&[]);
    for (name, password, _) in USERS {
        let user = format!("{name}:{password}");
        let command = Command::new("curl")
            .args(["-s", "-o", "/dev/null", "-w", "%{http_code}", "--anyauth", "-u", &user])
            .arg(server.url("/a.txt"))
            .output();
        // Where curl is not installed there is nothing to test.
        let Ok(output) = command else { return };
        assert_eq!(output.stdout, b"200", "{name}");
    }
}

#[test]
fn who_leaves_before_the_verdict_is_logged() {
    let site = Site::new(&format!("slow:{SLOW}\n"));
    let log = site.directory.path().join("log");
    let mut server = site.start(&["--access-log", log.to_str().unwrap()]);
    // Reset, for one that ends is answered all the same; and one that waits for the answer.
    let mut stream = server.connect();
    let request = format!("GET /a.txt HTTP/1.1\r\nHost: a\r\n{}\r\n", basic("guess", "x"));
    stream.write_all(request.as_bytes()).unwrap();
    gorgon_sys::reset_on_close(std::os::fd::AsFd::as_fd(&stream)).unwrap();
    std::thread::sleep(Duration::from_millis(20));
    drop(stream);
    assert_eq!(ask(&server, "GET", &basic("slow", "slow")).status, 200);
    server.signal("QUIT");
    server.child.wait().unwrap();
    let text = std::fs::read_to_string(log).unwrap();
    let of = |name: &str| text.lines().filter(|line| line.contains(name)).collect::<Vec<_>>();
    assert!(matches!(&of(" guess ")[..], [line] if line.contains("\" 499 0 ")), "{text}");
    assert!(matches!(&of(" slow ")[..], [line] if line.contains("\" 200 6 ")), "{text}");
}
