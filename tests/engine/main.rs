//! The loop over real sockets, with every poller of the host, and with a system that fails at times.
//!
//! One service speaks a line protocol that asks the loop for everything it can do; clients are non-blocking sockets in
//! the same thread, so that each test runs turn by turn and nothing depends on time.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod crowds;
mod host;
mod living;
mod seen;

use std::io::{Read, Write};
use std::net::TcpStream;

use gorgon::engine::Turn;
use gorgon_sys::{Address, PollerKind};

use host::{Client, Host};

fn each(test: impl Fn(PollerKind)) {
    for kind in PollerKind::available() {
        test(*kind);
    }
}

#[test]
fn requests_are_answered_in_order() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("echo one\n");
        host.expect(&mut client, "one\n");
        client.say("echo two\necho three\nlast four\necho five\nclose\n");
        host.expect(&mut client, "two\nthree\nfour\nfive\n");
        host.gone(&mut client);
        assert_eq!(host.reactor.lp().connections(), 0);
        assert_eq!(host.reactor.world().closed.len(), 1);
    });
}

#[test]
fn a_line_may_come_byte_by_byte() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        for byte in "echo slow and steady\n".bytes() {
            client.stream.write_all(&[byte]).unwrap();
            host.reactor.lp().set_timer(1, 99, 0);
            host.reactor.turn().unwrap();
        }
        host.expect(&mut client, "slow and steady\n");
        assert_eq!(host.reactor.lp().page_bytes(), 0, "the page is given back");
    });
}

#[test]
fn a_long_line_outgrows_the_read_buffer() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        let long = "x".repeat(50_000);
        client.say(&format!("echo {long}\n"));
        host.expect(&mut client, &format!("{long}\n"));
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn produced_bytes_and_files_keep_their_order() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("echo a\nbig 1000000\necho b\nfile 2900000\necho c\nfile 0\nbig 5\nfile 10\nclose\n");
        host.gone(&mut client);
        let mut expected = b"a\n".to_vec();
        expected.extend(std::iter::repeat_n(b'b', 1_000_000));
        expected.extend(b"b\nfile:");
        expected.extend((0..2_900_000u32).map(|at| at as u8));
        expected.extend(b"c\nfile:bbbbbfile:");
        expected.extend(0..10u8);
        assert!(client.got == expected, "{} bytes instead of {}", client.got.len(), expected.len());
        assert_eq!(host.reactor.lp().files().open(), 0);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn a_file_that_is_too_short_ends_the_connection() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("file 3000001\necho never\n");
        host.gone(&mut client);
        assert_eq!(client.got.len(), 5 + 3_000_000);
        assert_eq!(host.reactor.lp().files().open(), 0);
    });
}

#[test]
fn a_slow_reader_holds_one_page_and_starves_nobody() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let (mut slow, mut quick) = (host.client(), host.client());
        slow.say("big 50000000\n");
        for round in 0..50 {
            quick.say(&format!("echo {round}\n"));
            host.expect(&mut quick, &format!("{round}\n"));
        }
        assert!(host.reactor.lp().page_bytes() <= 16384, "{}", host.reactor.lp().page_bytes());
        drop(slow);
        host.until("closed", |seen| seen.closed.len() == 1);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn output_is_made_a_piece_at_a_time() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("big 400000\n");
        let mut before = 0;
        host.until("all", |seen| {
            client.take();
            // However fast it is taken: the first by itself, for its end may be all there is.
            assert!(seen.pieces - before <= 2, "{} in one turn", seen.pieces - before);
            before = seen.pieces;
            client.got.len() == 400_000
        });
        assert!(before >= 25);
    });
}

#[test]
fn one_connection_wakes_or_closes_another() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let (mut one, mut two) = (host.client(), host.client());
        one.say("wait\necho after\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        two.say("wake\n");
        host.expect(&mut one, "woken\nafter\n");
        one.say("wait\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        two.say("drop\necho still\n");
        host.gone(&mut one);
        host.expect(&mut two, "still\n");
    });
}

#[test]
fn a_waiting_peer_that_resets_is_noticed() {
    each(|kind| {
        if kind == PollerKind::Select {
            // A descriptor in none of its sets is not looked at: the next send, or the deadline, tells.
            return;
        }
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("wait\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        reset(client);
        host.until("closed", |seen| seen.closed.len() == 1);
    });
}

/// Closes with a reset: linger time 0.
fn reset(client: Client) {
    let stream = std::os::fd::OwnedFd::from(client.stream);
    gorgon_sys::reset_on_close(std::os::fd::AsFd::as_fd(&stream)).unwrap();
}

#[test]
fn a_peer_that_ends_its_side_is_still_answered() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("big 3000000\necho last\n");
        client.stream.shutdown(std::net::Shutdown::Write).unwrap();
        host.gone(&mut client);
        assert_eq!(client.got.len(), 3_000_000 + "last\nbye\n".len());
        assert_eq!(host.reactor.world().ended, 1);
    });
}

#[test]
fn bytes_and_files_pass_between_connections() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let (mut taker, mut giver) = (host.client(), host.client());
        taker.say("wait\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        giver.say("relay 900000\n");
        host.until("relayed", |_| {
            taker.take();
            taker.got.len() >= 900_000
        });
        assert_eq!(taker.got.len(), 900_000);
        // What was held was told, and so was its end.
        if host.reactor.world().held > 0 {
            host.until("drained", |seen| seen.timer == Some(u32::MAX));
        }
    });
}

#[test]
fn outbound_connections_open_or_close() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let mut client = host.client();
        client.say("dial\n");
        host.until("answered", |seen| seen.held == "outbound\n".len());
        assert_eq!(host.reactor.world().opened, 3, "the client, the outbound one, and its other end");
        // Nobody listens there: the port was just given back.
        let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        host.reactor.world().outbound = Some(Address::Ip(closed));
        client.say("dial\n");
        host.until("refused", |seen| {
            seen.closed.iter().any(|(key, id)| *key == 77 && Some(*id) == seen.peer) || seen.peer.is_none()
        });
    });
}

#[test]
fn deadlines_and_timers_fire() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| limits.timeouts[1] = 300);
        let mut client = host.client();
        client.say("timer\n");
        host.until("the timer", |seen| seen.timer == Some(42));
        host.expect(&mut client, "timeout\n");
        host.gone(&mut client);
        assert_eq!(host.reactor.world().timeouts, 1);
    });
}

#[test]
fn a_reader_below_the_rate_is_given_up() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| limits.timeouts[0] = 300);
        let mut client = host.client();
        client.say("big 100000000\n");
        host.until("given up", |seen| seen.closed.len() == 1);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
        let _ = client.stream.read(&mut [0]);
    });
}

#[test]
fn a_reader_above_the_rate_is_kept() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| limits.timeouts[0] = 300);
        let mut client = host.client();
        client.say("big 60000000\n");
        let mut total = 0;
        let mut buffer = vec![0; 256 * 1024];
        // Slowly enough that the deadline passes several times, and well above 240 bytes a second.
        host.until("all of it", |seen| {
            assert!(seen.closed.is_empty(), "given up after {total} bytes");
            std::thread::sleep(std::time::Duration::from_millis(5));
            total += client.stream.read(&mut buffer).unwrap_or(0);
            total >= 60_000_000
        });
    });
}

#[test]
fn accepting_waits_for_room() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| limits.connections = 2);
        let mut clients: Vec<Client> = (0..4).map(|_| host.client()).collect();
        for client in &mut clients {
            client.say("echo in\n");
        }
        host.until("two of them", |seen| seen.opened == 2);
        for _ in 0..20 {
            host.reactor.lp().set_timer(1, 99, 0);
            host.reactor.turn().unwrap();
        }
        assert_eq!(host.reactor.world().opened, 2);
        while let Some(mut client) = clients.pop() {
            client.take();
            if client.got.is_empty() {
                clients.insert(0, client);
                host.reactor.lp().set_timer(1, 99, 0);
                host.reactor.turn().unwrap();
            }
        }
        host.until("all closed", |seen| seen.closed.len() == 4);
    });
}

#[test]
fn half_requests_that_fill_the_pages_lock_nobody_out_and_none_is_lost() {
    each(|kind| {
        let mut host = Host::with_pages(kind, 16 * 1024, |_| {});
        let half = ["echo ", &"x".repeat(3000)].concat();
        let mut halves: Vec<Client> = (0..40).map(|_| host.client()).collect();
        for client in &mut halves {
            client.say(&half);
            for _ in 0..4 {
                host.reactor.lp().set_timer(1, 99, 0);
                host.reactor.turn().unwrap();
            }
            assert!(host.reactor.lp().page_bytes() <= (16 + 8 + 4) * 1024);
        }
        assert!(host.reactor.lp().counters().page_waits >= 30);
        // One that asks for nothing that needs a page is served at once, also behind another, and one in halves soon.
        let mut other = host.client();
        other.say("echo whole\necho next\necho ha");
        host.expect(&mut other, "whole\nnext\n");
        other.say("lf\n");
        host.expect(&mut other, "half\n");
        // None of the others is lost, and what they add is not kept here either.
        for client in &mut halves {
            client.say(&"y".repeat(5000));
        }
        for _ in 0..100 {
            host.reactor.lp().set_timer(1, 99, 0);
            host.reactor.turn().unwrap();
        }
        assert!(host.reactor.lp().page_bytes() <= (16 + 8 + 4) * 1024);
        for client in &mut halves {
            client.say("end\n");
        }
        for client in &mut halves {
            host.expect(client, &[&half[5..], &"y".repeat(5000), "end\n"].concat());
        }
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn draining_finishes_what_is_begun() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        let (mut idle, mut busy) = (host.client(), host.client());
        idle.say("echo hello\n");
        host.expect(&mut idle, "hello\n");
        busy.say("big 5000000\nclose\n");
        host.until("begun", |_| {
            busy.take();
            !busy.got.is_empty()
        });
        host.reactor.lp().drain(60_000);
        let mut finished = false;
        for _ in 0..100_000 {
            busy.take();
            host.reactor.lp().set_timer(1, 99, 0);
            finished = host.reactor.turn().unwrap() == Turn::Finished;
            if finished {
                break;
            }
        }
        assert!(finished);
        busy.take();
        idle.take();
        assert_eq!(busy.got.len(), 5_000_000);
        assert!(idle.ended);
        assert!(TcpStream::connect(host.address).is_err(), "it listens no more");
    });
}

#[test]
fn a_system_that_fails_at_times_loses_nothing() {
    each(|kind| {
        for seed in 1..20 {
            let mut host = Host::new(kind, |_| {});
            let mut client = host.client();
            client.say("echo a\nbig 200000\nfile 300000\necho z\nclose\n");
            gorgon_sys::fault::set(gorgon_sys::fault::Plan {
                seed,
                short_read: 30,
                short_write: 30,
                interrupted: 20,
                blocked: 20,
                ..Default::default()
            });
            host.until("all of it", |_| {
                client.take();
                client.ended
            });
            gorgon_sys::fault::clear();
            assert_eq!(client.got.len(), "a\n".len() + 200_000 + "file:".len() + 300_000 + "z\n".len());
            assert!(client.got.ends_with(b"z\n"));
        }
    });
}

#[test]
fn resets_and_full_tables_leak_nothing() {
    each(|kind| {
        let mut host = Host::new(kind, |_| {});
        gorgon_sys::fault::set(gorgon_sys::fault::Plan {
            seed: 5,
            reset: 10,
            accept_full: 30,
            ..Default::default()
        });
        let mut clients: Vec<Client> = (0..60).map(|_| host.client()).collect();
        for client in &mut clients {
            client.say("echo x\nbig 100000\nfile 1000\nclose\n");
        }
        host.until("some closed", |seen| {
            clients.iter_mut().for_each(Client::take);
            seen.closed.len() >= 5
        });
        gorgon_sys::fault::clear();
        host.until("all ended", |_| {
            clients.iter_mut().for_each(Client::take);
            clients.iter().all(|client| client.ended)
        });
        assert_eq!(host.reactor.lp().connections(), 0);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
        assert_eq!(host.reactor.lp().files().open(), 0);
        assert_eq!(host.reactor.world().closed.len(), 60);
    });
}

#[test]
fn much_input_behind_a_held_file_is_kept_and_answered() {
    each(|kind| {
        let mut host = Host::with_sizes(kind, 1 << 24, (20, 14), |_| {});
        for _ in 0..3 {
            let mut client = host.client();
            let lines = "echo 0123456789abcdef0123456789abcdef\n".repeat(15_000);
            client.say("file 2900000\n");
            let mut sent = 0;
            host.until("all of it", |_| {
                // The file is not taken before the lines wait behind it.
                sent += client.stream.write(&lines.as_bytes()[sent..]).unwrap_or(0);
                if sent == lines.len() {
                    client.take();
                }
                client.got.len() >= 5 + 2_900_000 + 15_000 * 33
            });
            drop(client);
            host.until("closed", |seen| !std::mem::take(&mut seen.closed).is_empty());
            assert_eq!(host.reactor.lp().page_bytes(), 0);
        }
    });
}

/// What is only there to be seen takes no memory from what is needed.
#[test]
fn notes_have_a_quarter_of_the_pages_at_most() {
    each(|kind| {
        let mut host = Host::with_pages(kind, 1 << 14, |_| {});
        let mut clients: Vec<Client> = (0..20).map(|_| host.client()).collect();
        for client in &mut clients {
            client.say("noted 50000000\n");
        }
        host.until("notes", |seen| seen.pieces == 20);
        // Each is a page of 256 bytes.
        assert_eq!(host.reactor.lp().page_bytes(), 1 << 12);
        drop(clients);
        host.until("closed", |seen| seen.closed.len() == 20);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn at_the_page_cap_those_that_need_no_page_are_served() {
    each(|kind| {
        let mut host = Host::with_pages(kind, 1 << 16, |_| {});
        let mut silent: Vec<Client> = (0..8).map(|_| host.client()).collect();
        for client in &mut silent {
            client.say("big 50000000\n");
        }
        for _ in 0..100_000 {
            if host.reactor.lp().page_bytes() >= 1 << 16 {
                break;
            }
            host.reactor.lp().set_timer(1, 99, 0);
            host.reactor.turn().unwrap();
        }
        let mut quick = host.client();
        for round in 0..20 {
            quick.say(&format!("echo {round}\n"));
            host.expect(&mut quick, &format!("{round}\n"));
        }
        assert!(host.reactor.lp().page_bytes() >= 1 << 16, "{}", host.reactor.lp().page_bytes());
        drop(silent);
        host.until("closed", |seen| seen.closed.len() == 8);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}
