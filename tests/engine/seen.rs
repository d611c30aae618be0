//! Connections seen from outside, and tuned while they live.

use super::*;
use gorgon::engine::values::{ConnId, Timeout};
use gorgon::engine::{Buffers, Limits};
use gorgon::tree::rule::ClientRule;
use gorgon::tree::{Buffer, Code, Value};

fn between(limits: &mut Limits) {
    limits.idle = Timeout(1);
}

/// A client that is served already, and its connection.
fn known(host: &mut Host) -> (Client, ConnId) {
    let before = host.ids();
    let mut client = host.client();
    client.say("echo in\n");
    host.expect(&mut client, "in\n");
    let id = *host.ids().iter().find(|id| !before.contains(id)).unwrap();
    (client, id)
}

fn range(least: u8, most: u8) -> Buffer {
    Buffer { least, most }
}

#[test]
fn facts_tell_what_a_connection_does() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let (mut client, id) = known(&mut host);
        let mut name = String::new();
        id.print(&mut name);
        assert!(host.reactor.lp().find_connection(&name) == Some(id));
        assert!(host.reactor.lp().find_connection("0-0").is_none());
        let port = client.stream.local_addr().unwrap().port();
        for (fact, expected) in [
            ("peer", "127.0.0.1"),
            ("port", &port.to_string()),
            ("service", "0"),
            ("state", "idle"),
            ("class", "1"),
            ("read_buffer", "4K"),
            ("write_buffer", "16K"),
            ("read_size", "4K"),
            ("kept", "0"),
            ("held", "0"),
            ("pages", "0"),
            ("file", "-"),
            ("file_left", "-"),
            ("user", "-"),
        ] {
            assert_eq!(host.fact(id, fact), expected, "{fact}");
        }
        assert_ne!(host.fact(id, "deadline"), "-");
        if cfg!(target_os = "linux") {
            assert_eq!(host.fact(id, "received"), "8");
            assert_ne!(host.fact(id, "round_trip"), "-");
        }
        client.say("ec");
        host.turns(5);
        assert_eq!((host.fact(id, "state"), host.fact(id, "kept")), ("reading".into(), "2".into()));
        assert_eq!(host.fact(id, "pages"), "256");
        client.say("ho half\nwait\n");
        host.expect(&mut client, "half\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        assert_eq!((host.fact(id, "state"), host.fact(id, "pages")), ("waiting".into(), "0".into()));
        let (mut reader, reading) = known(&mut host);
        reader.say("file 2900000\nfile 2900000\nfile 2900000\n");
        host.turns(300);
        assert_eq!(
            (host.fact(reading, "state"), host.fact(reading, "class")),
            ("writing".into(), "0".into())
        );
        assert_ne!(host.fact(reading, "file_left"), "-");
        if cfg!(target_os = "linux") {
            assert!(host.fact(reading, "file").contains("gorgon-engine-"), "{}", host.fact(reading, "file"));
        }
        assert_eq!(host.reactor.lp().service_of(id), Some(0));
        drop(client);
        drop(reader);
        host.until("closed", |seen| !seen.closed.is_empty());
        // Of one that is gone nothing is told.
        let gone = host.reactor.world().closed[0].1;
        assert!(host.fact(gone, "state") == "-" && host.reactor.lp().service_of(gone).is_none());
    });
}

#[test]
fn those_that_stay_are_visited_once() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let mut stay: Vec<(Client, ConnId)> = Vec::new();
        let mut go: Vec<Client> = Vec::new();
        for number in 0..300 {
            let (client, id) = known(&mut host);
            if number % 3 == 0 { go.push(client) } else { stay.push((client, id)) }
        }
        let (mut seen, mut cursor, mut slices) = (Vec::new(), Some(0), 0);
        while let Some(at) = cursor {
            slices += 1;
            let mut count = 0;
            cursor = host.reactor.lp().connections_from(at, 7, &mut |lp, id| {
                count += 1;
                assert!(lp.service_of(id) == Some(0));
                seen.push(id);
            });
            assert!(count <= 7);
            go.pop();
            if slices % 2 == 0 {
                go.insert(0, host.client());
            }
            host.turns(2);
        }
        for (_, id) in &stay {
            assert_eq!(seen.iter().filter(|other| *other == id).count(), 1);
        }
        assert!(slices >= 300 * 2 / 3 / 7);
        assert!(host.reactor.lp().connections_from(u64::MAX, 7, &mut |_, _| panic!("nobody")).is_none());
        assert!(host.reactor.lp().connections_from(1 << 31, 7, &mut |_, _| panic!("nobody")).is_none());
    });
}

#[test]
fn auto_buffers_grow_under_load_and_shrink_at_rest() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let listener = host.listener;
        let buffers = Buffers { read: range(9, 15), write: range(9, 20) };
        assert!(host.reactor.lp().set_listener_buffers(listener, buffers));
        let (mut client, id) = known(&mut host);
        assert_eq!((host.fact(id, "read_size"), host.fact(id, "write_size")), ("512".into(), "512".into()));
        assert_eq!(host.fact(id, "write_buffer"), "auto:512..1M");
        client.say("big 20000000\n");
        let mut seen = Vec::new();
        let mut got = 0;
        for _ in 0..200_000 {
            client.take();
            got += std::mem::take(&mut client.got).len();
            let size = host.fact(id, "write_size");
            if seen.last() != Some(&size) {
                seen.push(size);
            }
            if got == 20_000_000 {
                break;
            }
            host.turns(1);
        }
        // One step at a time, and no further than it gains anything.
        assert_eq!(seen, ["512", "1K", "2K", "4K", "8K", "16K", "32K", "64K"]);
        assert_eq!(host.fact(id, "read_size"), "512");
        let long = "x".repeat(300_000);
        client.stream.set_nonblocking(false).unwrap();
        let mut writer = client.stream.try_clone().unwrap();
        let text = format!("echo {long}\n");
        let thread = std::thread::spawn(move || writer.write_all(text.as_bytes()).unwrap());
        let mut largest = String::new();
        while !thread.is_finished() || largest != "32K" {
            host.turns(1);
            largest = host.fact(id, "read_size");
        }
        thread.join().unwrap();
        client.stream.set_nonblocking(true).unwrap();
        host.expect(&mut client, &format!("{long}\n"));
        assert_eq!((host.fact(id, "read_size"), host.fact(id, "write_size")), ("32K".into(), "64K".into()));
        // Requests that follow at once find what the last one left; one that comes after a rest does not.
        client.say("echo at once\n");
        host.expect(&mut client, "at once\n");
        assert_eq!(host.fact(id, "write_size"), "64K");
        std::thread::sleep(std::time::Duration::from_millis(1600));
        host.turns(2);
        assert_eq!((host.fact(id, "read_size"), host.fact(id, "write_size")), ("512".into(), "512".into()));
        let before = host.reactor.world().pieces;
        client.say("big 1024\n");
        host.expect(&mut client, &"b".repeat(1024));
        assert_eq!(host.reactor.world().pieces - before, 2);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn a_large_write_buffer_makes_large_pieces() {
    each(|kind| {
        let mut host = Host::with_sizes(kind, 1 << 24, (12, 20), |_| {});
        let mut client = host.client();
        client.say("big 3145728\n");
        host.until("all", |_| {
            client.take();
            client.got.len() == 3 << 20
        });
        // Four where its end would not fit whole segments, as over loopback once the window is open.
        assert!((3..=4).contains(&host.reactor.world().pieces), "{}", host.reactor.world().pieces);
    });
}

#[test]
fn a_connection_is_retuned_while_it_holds_output() {
    each(|kind| {
        let mut host = Host::with_sizes(kind, 1 << 24, (12, 17), between);
        let (mut client, id) = known(&mut host);
        client.say("big 9000000\necho be");
        host.turns(200);
        assert_ne!(host.fact(id, "held"), "0");
        let pages = host.reactor.lp().page_bytes();
        for (key, value, shown) in [
            ("write_buffer", Value::Buffer(Buffer::fixed(9)), "512"),
            ("read_buffer", Value::Buffer(range(10, 12)), "auto:1K..4K"),
        ] {
            host.reactor
                .lp()
                .set_connection(id, key, value)
                .unwrap_or_else(|trouble| panic!("{}", trouble.message));
            assert_eq!(host.fact(id, key), shown);
        }
        assert_eq!(host.fact(id, "read_size"), "1K");
        assert_eq!(host.reactor.lp().page_bytes(), pages);
        let before = host.fact(id, "send_buffer");
        assert!(host.reactor.lp().set_connection(id, "send_buffer", Value::Size(20_000)).is_ok());
        assert!(host.reactor.lp().set_connection(id, "receive_buffer", Value::Size(20_000)).is_ok());
        assert_ne!(host.fact(id, "send_buffer"), before);
        for (key, value, code) in [
            ("write_buffer", Value::Size(512), Code::Invalid),
            ("read_buffer", Value::Switch(true), Code::Invalid),
            ("send_buffer", Value::Switch(true), Code::Invalid),
            ("send_buffer", Value::Size(0), Code::Invalid),
            ("peer", Value::Size(512), Code::Unknown),
        ] {
            assert!(
                host.reactor.lp().set_connection(id, key, value).is_err_and(|trouble| trouble.code == code),
                "{key}"
            );
        }
        let mut got = 0;
        host.until("all of it", |_| {
            client.take();
            got += std::mem::take(&mut client.got).len();
            got == 9_000_000
        });
        client.say("hind\n");
        host.expect(&mut client, "behind\n");
        assert_eq!(host.reactor.lp().page_bytes(), 0);
        drop(client);
        host.until("closed", |seen| seen.closed.len() == 1);
        let trouble = host.reactor.lp().set_connection(id, "write_buffer", Value::Buffer(Buffer::fixed(9)));
        assert!(trouble.is_err_and(|trouble| trouble.code == Code::Missing));
    });
}

#[test]
fn clients_get_buffers_by_their_network() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let rule = |text: &str| ClientRule::parse(text).unwrap();
        let number = host.service;
        let rules = vec![
            rule("10.0.0.0/8 write_buffer=512"),
            rule("127.0.0.0/8 write_buffer=auto:32K..256K"),
            rule("0.0.0.0/0 read_buffer=512"),
        ];
        let (_before, old) = known(&mut host);
        assert!(host.reactor.lp().set_client_rules(number, rules));
        let (_client, id) = known(&mut host);
        assert_eq!((host.fact(id, "read_size"), host.fact(id, "write_size")), ("4K".into(), "32K".into()));
        assert_eq!(host.fact(id, "write_buffer"), "auto:32K..256K");
        assert_eq!(host.fact(old, "write_size"), "16K");
        assert!(host.reactor.lp().set_client_rules(number, Vec::new()));
        let (_client, id) = known(&mut host);
        assert_eq!(host.fact(id, "write_size"), "16K");
        assert!(!host.reactor.lp().set_client_rules(99, Vec::new()));
    });
}

#[test]
fn kernel_buffers_of_a_listener_are_inherited() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let (_before, old) = known(&mut host);
        let listener = host.listener;
        host.reactor.lp().set_listener_socket_buffers(listener, Some(20_000), Some(20_000)).unwrap();
        let (_client, id) = known(&mut host);
        assert_ne!(host.fact(id, "send_buffer"), host.fact(old, "send_buffer"));
        assert_ne!(host.fact(id, "receive_buffer"), host.fact(old, "receive_buffer"));
    });
}

#[test]
fn unix_peers_have_credentials() {
    use std::os::unix::fs::MetadataExt;
    use std::os::unix::net::UnixStream;
    each(|kind| {
        let mut host = Host::new(kind, between);
        let path = std::env::temp_dir().join(format!("gorgon-peer-{}-{}", std::process::id(), kind.name()));
        let address = Address::Unix(path.as_os_str().as_encoded_bytes().to_vec());
        let options = gorgon_sys::ListenOptions { backlog: 4, ..Default::default() };
        let fd = gorgon_sys::listen(&address, &options).unwrap();
        let own = std::fs::symlink_metadata(&path).unwrap().uid().to_string();
        let service = host.service;
        host.reactor.lp().add_listener(fd, service, Buffers::fixed(12, 14)).unwrap();
        let mut stream = UnixStream::connect(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        stream.write_all(b"user\n").unwrap();
        host.turns(5);
        let mut answer = vec![0; own.len() + 1];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, format!("{own}\n").as_bytes());
        let id = host.ids()[0];
        assert_eq!((host.fact(id, "user"), host.fact(id, "peer")), (own, "unix:".into()));
        assert_eq!((host.fact(id, "port"), host.fact(id, "received")), ("-".into(), "-".into()));
        if cfg!(target_os = "linux") {
            assert_eq!(host.fact(id, "process"), std::process::id().to_string());
        }
        let (mut other, _) = known(&mut host);
        other.say("user\n");
        host.expect(&mut other, "nobody\n");
    });
}

#[test]
fn descriptors_are_counted() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let _clients: Vec<Client> = (0..3).map(|_| known(&mut host).0).collect();
        let facts = host.reactor.lp().descriptor_facts();
        assert_eq!((facts.connections, facts.listeners, facts.files, facts.reserve), (3, 1, 0, 1));
        assert!(facts.limit >= 5);
    });
}
