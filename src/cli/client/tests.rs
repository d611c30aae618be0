//! The clients against the monitor's own machines, over a socket and a tree in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gorgon_sys::{AsFd, Io, OwnedFd};

use super::completion::{Known, Wanted, complete};
use super::connection::{Connection, Reply};
use super::framing::{Event, Kind};
use super::record::Record;
use super::top::model::Model;
use super::top::sample::{Incoming, QUESTIONS, Question};
use crate::engine::values::ConnId;
use crate::monitor::memory::MemoryTree;
use crate::monitor::{Sessions, commands};
use crate::tree::{Actor, Role};

/// Serves one session until it is over or its peer gone.
fn serve(socket: &OwnedFd, ended: &AtomicBool) {
    let (begun, mut tree, mut sessions) =
        (Instant::now(), MemoryTree::new().with_connections(3000), Sessions::default());
    let actor = Actor { role: Role::Admin, who: "test".to_owned() };
    let number = sessions.open(ConnId::test(1), actor, tree.now);
    let (before, mut input) = (tree.now, Vec::new());
    while !ended.load(Ordering::Relaxed) {
        let mut piece = [0; 1000];
        match gorgon_sys::recv(socket.as_fd(), &mut piece) {
            Io::Done(count) => input.extend_from_slice(&piece[..count]),
            Io::Blocked => std::thread::sleep(Duration::from_millis(1)),
            Io::Ended | Io::Failed(_) => return,
        }
        tree.now = before + u64::try_from(begun.elapsed().as_millis()).unwrap();
        commands::work(&mut sessions, &mut tree, &mut |_| {});
        let session = sessions.get(number).unwrap();
        let used = session.feed(&input);
        input.drain(..used);
        if let Io::Done(count) = gorgon_sys::send(socket.as_fd(), session.output()) {
            session.sent(count);
        }
    }
}

fn with_monitor(test: impl FnOnce(&mut Connection)) {
    let (ours, theirs) = gorgon_sys::pair().unwrap();
    let ended = Arc::new(AtomicBool::new(false));
    let told = ended.clone();
    let server = std::thread::spawn(move || serve(&theirs, &told));
    let mut connection = Connection::of(ours);
    test(&mut connection);
    ended.store(true, Ordering::Relaxed);
    server.join().unwrap();
}

/// The body of a reply that is well.
fn body(connection: &mut Connection, command: &str) -> String {
    let mut out = Vec::new();
    let reply = connection.ask(command, &mut |bytes| out.extend_from_slice(bytes)).unwrap();
    assert_eq!(reply, Reply::Done, "{command}");
    String::from_utf8(out).unwrap()
}

#[test]
fn replies_are_read() {
    with_monitor(|connection| {
        let hello = Record::parse(body(connection, "hello").trim_end()).unwrap();
        assert_eq!((hello.get("pid"), hello.get("role")), (Some("4711"), Some("admin")));
        let rows = body(connection, "find connection sort -idle");
        assert_eq!(
            rows.lines().filter_map(Record::parse).filter(|record| record.fields.len() > 3).count(),
            3000
        );
        let Ok(Reply::Error(code, message)) = connection.ask("get /http/nosuch", &mut |_| {}) else {
            panic!()
        };
        assert!(code == "missing" && !message.is_empty(), "{code} {message}");
        let mut samples = 0;
        let mut take = |kind: Kind, event: &Event<'_>| {
            samples += u32::from((kind, event) == (Kind::Push, &Event::Whole));
            true
        };
        assert_eq!(connection.ask_all("watch /loop every 100ms", &mut take).unwrap(), Reply::Done);
        assert_eq!(connection.ask_all("find connection", &mut take).unwrap(), Reply::Done);
        assert_eq!(connection.ask_all("unwatch", &mut take).unwrap(), Reply::Done);
        assert!(samples > 0);
        assert_eq!(body(connection, "quit"), "");
    });
}

#[test]
fn completion_knows_what_the_schema_tells() {
    with_monitor(|connection| {
        let mut known = Known::default();
        for (before, wanted) in [
            ("get /ht", "/http"),
            ("get /http/m", "/http/main"),
            ("get /http/main.wr", "/http/main.write_buffer"),
            ("set /http/main hidden=", "on off"),
            ("set /http/main re", ""),
            ("set /connection/1-7 state=", "idle busy"),
            ("find connection where id", "idle"),
            ("find connection | cl", "close"),
        ] {
            let words = loop {
                match complete(before, &known) {
                    Wanted::Words(found) => break found.words,
                    Wanted::Ask(question) => {
                        let answer = body(connection, &["kv ", &question].concat());
                        known.learn(&question, &answer);
                    }
                }
            };
            assert_eq!(words.join(" "), wanted, "{before}");
        }
    });
}

#[test]
fn top_asks_what_is_answered() {
    with_monitor(|connection| {
        let mut model = Model::new(1000);
        for typed in ["", "s", "ssr", "/idle > 1s and server = main\r"] {
            typed.bytes().for_each(|byte| drop(model.byte(byte, 10)));
            for question in QUESTIONS {
                let mut incoming = Incoming::default();
                let reply =
                    connection.ask(&model.request(question), &mut |bytes| incoming.push(bytes)).unwrap();
                // The tree of tests has no node of descriptors or memory.
                if matches!(
                    question,
                    Question::Loop | Question::Process | Question::Servers | Question::Connections
                ) {
                    assert_eq!(reply, Reply::Done, "{}", model.request(question));
                }
                model.take(question, incoming.records());
            }
            assert_eq!(model.sample.connections.len(), 500);
            assert_eq!((model.sample.servers.len(), model.sample.work.path.as_str()), (2, "/loop"));
        }
        assert!(model.sample.connections.iter().all(|record| record.get("server") == Some("main")));
        assert!(model.sample.connections.iter().all(|record| record.number("idle") > Some(1000)));
    });
}
