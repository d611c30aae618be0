//! The sockets of monitors: who is let in, and what is carried to and fro. With each poller where that can make a
//! difference.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
#![cfg(feature = "monitor")]

use std::io::{ErrorKind, Read, Write};

use gorgon::engine::Turn;
use gorgon::monitor::keys::{Keys, print_line};
use gorgon::monitor::login::proof::{self, Side};
use gorgon::monitor::roles::{Roles, Unmapped};
use gorgon::monitor::service::Access;
use gorgon::monitor::service::key_file::KeyFile;
use gorgon::text::digest::md5;
use gorgon::tree::Role;
use gorgon_sys::{PollerKind, privilege};

mod host;
mod roles;
use host::{Host, access};

const NONCE_TEXT: &str = "00112233445566778899aabbccddeeff";

/// The two lines of a client that believes in a password.
fn strong(greeting: &str, user: &str, password: &str) -> String {
    let nonce = greeting.trim_end().rsplit(' ').next().unwrap();
    let key = proof::key(password.as_bytes(), b"12345678", 4096);
    let proof = proof::proof(&key, Side::Client, nonce.as_bytes(), NONCE_TEXT.as_bytes(), user.as_bytes());
    let mut hex = Vec::new();
    gorgon::text::hex::push_hex(&proof, &mut hex);
    format!("auth {user} {NONCE_TEXT}\nproof {}\n", String::from_utf8(hex).unwrap())
}

/// What Medusa's client answers: `string.join (map (lambda x: hex (ord (x))[2:], digest), '')`.
fn old(challenge: &str, password: &str) -> String {
    let (mut sum, mut digest) = (md5(), [0; 16]);
    sum.add(challenge.strip_suffix("\r\n").unwrap().as_bytes());
    sum.add(password.as_bytes());
    sum.finish(&mut digest);
    digest.iter().map(|byte| format!("{byte:x}")).collect::<String>() + "\r\n"
}

#[test]
fn a_unix_peer_is_in_by_its_credentials() {
    for &kind in PollerKind::available() {
        let mut host = Host::with(kind, access(false), 60_000, 0);
        let mut client = host.unix();
        client.say("format kv\nbogus\n@t bogus\n");
        assert_eq!(host.heard(&mut client, "ok\n"), "ok\n");
        assert!(host.heard(&mut client, "\n").starts_with("error unknown "));
        assert!(host.heard(&mut client, "\n").starts_with("=t unknown "));
        let who =
            host.reactor.world().sessions.iter().map(|(_, one)| one.actor().who.clone()).next().unwrap();
        let wanted = format!("uid {}, pid {}", privilege::identity().0, std::process::id());
        assert_eq!(who, if cfg!(target_os = "linux") { wanted } else { who.clone() });
        client.say("quit\nformat kv\n");
        assert!(host.rest(&mut client).ends_with("ok\n"));
        host.until("gone", |world| world.sessions.count() == 0);
    }
}

#[test]
fn every_byte_may_come_alone_and_all_that_was_asked_is_answered() {
    for &kind in PollerKind::available() {
        let mut host = Host::with(kind, access(false), 60_000, 0);
        let mut slow = host.unix();
        for byte in b"@1 bogus; @2 format kv\r\n@3 bogus" {
            slow.say([*byte]);
            host.turn();
        }
        assert!(host.heard(&mut slow, "=2 ok 0\n").starts_with("=1 unknown "));
        // The last line has no end, so nothing of it is done.
        slow.stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert!(host.rest(&mut slow).contains("=3 syntax "));
        let mut hasty = host.unix();
        hasty.say("@1 bogus\n@2 bogus\n@3 quit\n@4 bogus\n");
        hasty.stream.shutdown(std::net::Shutdown::Write).unwrap();
        let all = host.rest(&mut hasty);
        assert!(
            all.starts_with("=1 unknown") && all.contains("=2 unknown") && all.ends_with("=3 ok 0\n"),
            "{all}"
        );
        let mut silent = host.unix();
        silent.stream.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(host.rest(&mut silent), "");
        host.until("gone", |world| world.sessions.count() == 0);
    }
}

#[test]
fn who_asks_faster_than_it_listens_waits() {
    for &kind in PollerKind::available() {
        let mut host = Host::with(kind, access(false), 60_000, 0);
        let mut client = host.unix();
        // Much more than all buffers hold; what is not taken is said again.
        let lines: String = (0..800).map(|number| format!("@{number} help\n")).collect();
        let (mut said, mut most) = (0, 0);
        for _ in 0..1000 {
            match client.stream.write(&lines.as_bytes()[said..]) {
                Ok(count) => said += count,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
            host.turn();
            most = most.max(host.reactor.world().sessions.iter().map(|(_, one)| one.output().len()).sum());
        }
        assert!(most > 0 && most <= 72 * 1024, "{most}");
        let mut all = String::new();
        for number in 0..800 {
            if said < lines.len() {
                said += client.stream.write(&lines.as_bytes()[said..]).unwrap_or(0);
            }
            all += &host.heard(&mut client, &format!("={number} ok "));
        }
        assert!(all.len() > 1 << 20, "{}", all.len());
    }
}

#[test]
fn a_login_by_key() {
    for &kind in PollerKind::available() {
        let mut host = Host::with(kind, access(false), 60_000, 0);
        let mut client = host.tcp();
        let greeting = host.heard(&mut client, "\n");
        let said = strong(&greeting, "anna", "secret");
        client.say(&said);
        client.say("format kv\n");
        assert_eq!(host.heard(&mut client, "\n"), "salt 3132333435363738 4096\n");
        assert!(host.heard(&mut client, "\n").starts_with("ok operate "));
        assert_eq!(host.heard(&mut client, "\n"), "ok\n");
        assert!(host.notes().ends_with("monitor main: anna from 127.0.0.1 logged in as operate"));
        assert_eq!(host.reactor.world().door.waiting(), 0);
        // Byte for byte, and what was heard on the first connection is no good on the next.
        let mut slow = host.tcp();
        let greeting = host.heard(&mut slow, "\n");
        for byte in strong(&greeting, "anna", "secret").bytes() {
            slow.say([byte]);
            host.turn();
        }
        assert!(host.heard(&mut slow, "ok operate").starts_with("salt "));
        let mut replay = host.tcp();
        host.heard(&mut replay, "\n");
        replay.say(&said);
        let told = host.rest(&mut replay);
        assert_eq!(told, "salt 3132333435363738 4096\nerror refused\n");
        assert!(host.notes().ends_with("login of anna from 127.0.0.1 failed: wrong password or user"));
        assert_eq!(host.counters().failed_logins, 1);
        // Those who are in do not notice.
        client.say("bogus\n");
        assert!(host.heard(&mut client, "\n").starts_with("error unknown"));
    }
}

#[test]
fn a_failed_login_shuts_the_door_for_a_while() {
    let mut host = Host::new(false);
    let (mut wrong, mut beside) = (host.tcp(), host.tcp());
    let greeting = host.heard(&mut wrong, "\n");
    let other = host.heard(&mut beside, "\n");
    wrong.say(strong(&greeting, "anna", "SECRET"));
    host.until("the failure", |world| world.notes.iter().any(|note| note.contains(" failed: ")));
    // Neither the next one nor one that was begun before gets an answer.
    let mut next = host.tcp();
    assert!(host.rest(&mut next).starts_with("error limit a login from here has failed; try again in "));
    beside.say(strong(&other, "anna", "secret"));
    assert!(host.rest(&mut beside).starts_with("error limit "));
    let mut local = host.unix();
    local.say("bogus\n");
    assert!(host.heard(&mut local, "\n").starts_with("error unknown"));
    assert!(host.rest(&mut wrong).ends_with("error refused\n"));
    host.wait(1100);
    let mut right = host.tcp();
    let greeting = host.heard(&mut right, "\n");
    right.say(strong(&greeting, "anna", "secret"));
    host.heard(&mut right, "ok operate ");
}

#[test]
fn what_is_no_login_is_refused() {
    for (said, told, failures) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "error refused\n", 1),
        ("x".repeat(1100), "error limit expected a login of at most 1024 bytes\n", 1),
        (format!("auth anna {NONCE_TEXT}\nproof 00\n"), "salt 3132333435363738 4096\nerror refused\n", 1),
        (format!("auth anna {NONCE_TEXT}\nproof"), "salt 3132333435363738 4096\n", 0),
        ("auth an".to_owned(), "", 0),
        (String::new(), "", 0),
    ] {
        let mut host = Host::new(false);
        let mut client = host.tcp();
        host.heard(&mut client, "\n");
        client.say(&said);
        if failures == 0 {
            client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        assert_eq!(host.rest(&mut client), told, "{said}");
        host.until("gone", |world| world.door.waiting() == 0);
        assert_eq!(host.counters().failed_logins, failures, "{said}");
        assert_eq!(host.reactor.world().sessions.count(), 0);
    }
}

#[test]
fn silent_logins_make_room_and_go_on_not_for_ever() {
    for legacy in [false, true] {
        let mut host = Host::with(PollerKind::available()[0], access(legacy), 1000, 0);
        let mut waiting: Vec<_> = (0..4).map(|_| host.tcp()).collect();
        for client in &mut waiting {
            host.heard(client, "\n");
        }
        // They come from one address, so that two are left: the last ones.
        assert_eq!((host.rest(&mut waiting[0]), host.rest(&mut waiting[1])), Default::default());
        assert_eq!(host.reactor.world().door.waiting(), 2);
        // Bytes that come meanwhile do not help.
        waiting[2].say("a");
        let late = if legacy { "" } else { "error limit the login took longer than login_timeout\n" };
        for client in &mut waiting[2..] {
            assert_eq!(host.rest(client), late);
        }
        host.until("gone", |world| world.door.waiting() == 0);
        assert!(host.notes().contains("login from 127.0.0.1 took too long"));
        let mut next = host.tcp();
        host.heard(&mut next, "\n");
    }
}

#[test]
fn those_who_said_who_they_are_and_stall_make_room_too() {
    let mut host = Host::new(false);
    let mut waiting: Vec<_> = (0..2).map(|_| host.tcp()).collect();
    for client in &mut waiting {
        host.heard(client, "\n");
        client.say("auth anna 00112233445566778899aabbccddeeff\n");
        host.heard(client, "4096\n");
    }
    let mut right = host.tcp();
    let greeting = host.heard(&mut right, "\n");
    assert_eq!((host.rest(&mut waiting[0]).as_str(), waiting[1].ended), ("", false));
    right.say(strong(&greeting, "anna", "secret"));
    host.heard(&mut right, "ok operate ");
    // To make room is no failure, and shuts no door.
    assert_eq!(host.counters().failed_logins, 0);
    drop(waiting);
    host.until("gone", |world| world.door.waiting() == 0);
}

#[test]
fn sessions_have_a_limit() {
    let few = || Access { max_sessions: 2, ..access(false) };
    let mut host = Host::with(PollerKind::available()[0], few(), 60_000, 1000);
    let mut inside = [host.unix(), host.unix()];
    for client in &mut inside {
        client.say("format kv\n");
        host.heard(client, "ok\n");
    }
    let mut outside = host.unix();
    outside.say("format kv\n");
    assert!(host.rest(&mut outside).starts_with("error limit as many sessions"));
    assert!(host.rest(&mut host.tcp()).starts_with("error limit as many sessions"));
    // They are idle for too long, and make room.
    for client in &mut inside {
        assert!(host.rest(client).starts_with("error limit nothing was asked"));
    }
    let mut next = host.unix();
    next.say("format kv\n");
    host.heard(&mut next, "ok\n");
}

#[test]
fn medusas_client_is_at_home() {
    for &kind in PollerKind::available() {
        let mut host = Host::with(kind, access(true), 60_000, 0);
        // Several challenges, for most have a byte that its digits leave a zero out of.
        for round in 0..6 {
            let mut client = host.tcp();
            let challenge = host.heard(&mut client, "\r\n");
            assert_eq!(challenge.split_once('.').map(|(_, random)| random.len()), Some(34));
            client.say(old(&challenge, "fnord"));
            let welcome = host.heard(&mut client, ">>> ");
            assert!(
                welcome.starts_with("Welcome to <gorgon ") && welcome.ends_with(", role admin>\r\n>>> "),
                "{welcome}"
            );
            client.say("bogus\r\n");
            let answer = host.heard(&mut client, ">>> ");
            assert!(answer.starts_with("error unknown ") && answer.ends_with("\r\n>>> "), "{answer}");
            assert_eq!(answer.matches('\n').count(), 1);
            client.say("\r\n# nothing\r\nforx\x08mat kv\r\n");
            assert_eq!(host.heard(&mut client, "ok\r\n>>> "), ">>> >>> ok\r\n>>> ");
            client.say("bogus\r\nformat kv\r\n");
            assert!(host.heard(&mut client, "ok\r\n>>> ").starts_with("error unknown"));
            match round {
                0 => client.say("exit\r\n"),
                1 => client.say("\x04\r\n"),
                2 => client.say("x".repeat(1100)),
                3 => client.say(["x".repeat(1100), "\r\n".to_owned()].concat()),
                4 => {
                    client.say("quit\r\n");
                    assert_eq!(host.heard(&mut client, "ok\r\n"), "ok\r\n");
                }
                _ => {
                    client.stream.shutdown(std::net::Shutdown::Write).unwrap();
                }
            }
            assert_eq!(host.rest(&mut client), "BCNU\r\n", "{round}");
        }
        // What is long comes whole.
        let mut client = host.tcp();
        let challenge = host.heard(&mut client, "\r\n");
        client.say(old(&challenge, "fnord"));
        host.heard(&mut client, ">>> ");
        client.say("help\r\n".repeat(300));
        let mut length = None;
        for _ in 0..300 {
            let help = host.heard(&mut client, "ok\r\n>>> ");
            assert!(!help.replace("\r\n", "").contains('\n'));
            assert_eq!(*length.get_or_insert(help.len()), help.len());
        }
        assert!(length > Some(200));
    }
}

#[test]
fn medusas_wrong_answer_is_told_nothing() {
    for (answer, told) in [
        (old("1.2\r\n", "fnord"), ""),
        ("fnord\r\n".to_owned(), ""),
        ("\r\n".to_owned(), ""),
        ("x".repeat(1100), "BCNU\r\n"),
    ] {
        let mut host = Host::new(true);
        let mut client = host.tcp();
        host.heard(&mut client, "\r\n");
        client.say(&answer);
        assert_eq!(host.rest(&mut client), told, "{answer}");
        assert_eq!(host.counters().failed_logins, 1);
        assert!(host.notes().contains("login from 127.0.0.1 failed: "));
        assert_eq!(host.rest(&mut host.tcp()), "", "the door is shut");
    }
}

#[test]
fn a_loop_that_drains_does_not_wait_for_those_who_look_on() {
    let mut host = Host::new(false);
    let (mut client, mut login) = (host.unix(), host.tcp());
    client.say("format kv\n");
    host.heard(&mut client, "ok\n");
    host.heard(&mut login, "\n");
    host.reactor.lp().drain(3_600_000);
    while host.turn() != Turn::Finished {}
}

#[test]
fn keys_that_change_count_from_the_next_login_on() {
    use std::os::unix::fs::OpenOptionsExt;
    let path = std::env::temp_dir().join(format!("gorgon-changing-{}", std::process::id()));
    let write = |password: &str| {
        let _gone = std::fs::remove_file(&path);
        let mut file =
            std::fs::OpenOptions::new().create_new(true).write(true).mode(0o600).open(&path).unwrap();
        file.write_all(format!("legacy:view:{password}\n").as_bytes()).unwrap();
    };
    write("one");
    let own = privilege::identity().0;
    let keys = KeyFile::open(path.to_str().unwrap(), &[own]).unwrap();
    let mut host =
        Host::with(PollerKind::available()[0], Access { keys: Some(keys), ..access(true) }, 60_000, 0);
    for password in ["one", "two"] {
        write(password);
        let mut client = host.tcp();
        let challenge = host.heard(&mut client, "\r\n");
        client.say(old(&challenge, password));
        assert!(host.heard(&mut client, ">>> ").contains("role view"), "{password}");
    }
    std::fs::write(&path, "wrong\n").unwrap();
    let mut client = host.tcp();
    let challenge = host.heard(&mut client, "\r\n");
    client.say(old(&challenge, "two"));
    host.heard(&mut client, ">>> ");
    assert!(host.notes().contains(":1: expected USER:ROLE"), "{}", host.notes());
    std::fs::remove_file(&path).unwrap();
}

/// Needs to be root, for to be somebody else.
#[test]
fn who_has_no_role_is_refused() {
    use std::os::unix::process::CommandExt;
    if privilege::identity().0 != 0 {
        return;
    }
    let mut host = Host::new(false);
    let script = "import socket,sys\ns=socket.socket(socket.AF_UNIX)\ns.connect(sys.argv[1])\n\
        d=b''\nwhile True:\n  p=s.recv(999)\n  if not p: break\n  d+=p\nsys.stdout.write(d.decode())";
    let mut child = std::process::Command::new("python3")
        .args(["-c", script])
        .arg(&host.unix)
        .uid(65534)
        .gid(65534)
        .current_dir("/")
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    host.until("the end", |_| child.try_wait().unwrap().is_some());
    let mut told = String::new();
    child.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert!(told.starts_with("error refused no role"), "{told}");
    assert!(host.notes().contains("monitor main: refused uid 65534, pid "), "{}", host.notes());
    assert_eq!(host.counters().sessions, 0);
}

#[test]
fn higher_roles_displace_lower_ones_and_are_never_shut_out() {
    for (held, comes, left) in [
        // Who comes by its own user is admin.
        ([Role::View, Role::View], true, Some(1)),
        ([Role::Operate, Role::View], true, Some(0)),
        ([Role::Operate, Role::Operate], true, Some(1)),
        ([Role::Admin, Role::View], true, Some(0)),
        ([Role::Admin, Role::Admin], false, None),
    ] {
        let mut host =
            Host::with(PollerKind::available()[0], Access { max_sessions: 2, ..access(false) }, 60_000, 0);
        let mut clients = [host.unix(), host.unix()];
        for (client, number) in clients.iter_mut().zip([1, 2]) {
            client.say("format kv\n");
            host.heard(client, "ok\n");
            host.reactor.world().sessions.get(number).unwrap().set_role(Some(held[number as usize - 1]));
        }
        let mut client = host.unix();
        client.say("format kv\n");
        if comes {
            assert_eq!(host.heard(&mut client, "ok\n"), "ok\n");
            let (stays, goes) = if left == Some(0) { (0, 1) } else { (1, 0) };
            assert!(host.rest(&mut clients[goes]).starts_with("error limit max_sessions"));
            clients[stays].say("format kv\n");
            host.heard(&mut clients[stays], "ok\n");
            assert!(host.notes().contains(" had to make room"));
        } else {
            assert!(host.rest(&mut client).starts_with("error limit as many sessions"));
        }
        assert_eq!((host.reactor.world().sessions.count(), host.counters().sessions), (2, 2));
    }
}

#[test]
fn who_comes_with_a_key_displaces_too_once_they_are_in() {
    let mut host =
        Host::with(PollerKind::available()[0], Access { max_sessions: 1, ..access(false) }, 60_000, 0);
    let mut client = host.unix();
    client.say("format kv\n");
    host.heard(&mut client, "ok\n");
    // Nobody who could come would be above the one who is in.
    assert!(host.rest(&mut host.tcp()).starts_with("error limit as many sessions"));
    host.reactor.world().sessions.get(1).unwrap().set_role(Some(Role::View));
    let mut anna = host.tcp();
    let greeting = host.heard(&mut anna, "\n");
    anna.say(strong(&greeting, "anna", "secret"));
    host.heard(&mut anna, "ok operate ");
    assert!(host.rest(&mut client).starts_with("error limit max_sessions"));
    // She is of her own role, and another of it finds no room.
    let mut other = host.tcp();
    let greeting = host.heard(&mut other, "\n");
    other.say(strong(&greeting, "anna", "secret"));
    assert!(host.rest(&mut other).contains("error limit as many sessions"));
    assert_eq!((host.reactor.world().sessions.count(), host.counters().sessions), (1, 1));
}

#[test]
fn each_monitor_counts_its_own() {
    let mut host = Host::new(false);
    let mut client = host.unix();
    client.say("format kv\nbogus\n");
    host.heard(&mut client, "ok\n");
    host.heard(&mut client, "\n");
    client.say("quit\n");
    host.rest(&mut client);
    host.until("gone", |world| world.sessions.count() == 0);
    let counters = host.counters();
    assert_eq!((counters.sessions, counters.commands, counters.refused), (0, 3, 0));
    assert_eq!(host.counters_of(host.other).commands, 0);
}
