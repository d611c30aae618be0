//! Connections that are too many, and who is who.

use super::*;
use gorgon::engine::values::Timeout;

/// One that has something to read at its end.
#[track_caller]
fn refused(host: &mut Host, client: &mut Client) {
    host.gone(client);
    assert_eq!(client.got, b"full\n");
}

#[test]
fn those_beyond_the_limit_are_told() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| {
            (limits.connections, limits.refuses, limits.refusal) = (2, true, b"full\n");
        });
        let mut inside = [host.client(), host.client()];
        for client in &mut inside {
            client.say("echo in\n");
            host.expect(client, "in\n");
        }
        let mut outside: Vec<Client> = (0..150).map(|_| host.client()).collect();
        // Some speak, and more than the loop ever reads of them.
        outside.iter_mut().step_by(3).for_each(|client| client.say(&"echo out\n".repeat(2000)));
        // Those that are served have their turn between.
        inside[0].say("echo still\n");
        host.reactor.turn().unwrap();
        host.reactor.turn().unwrap();
        host.reactor.turn().unwrap();
        inside[0].take();
        assert_eq!(inside[0].got, b"still\n");
        outside.iter_mut().for_each(|client| refused(&mut host, client));
        assert_eq!(host.reactor.lp().counters().refused, 150);
        assert_eq!(host.reactor.world().opened, 2);
        drop(inside);
        host.until("closed", |seen| seen.closed.len() == 2);
        let mut next = host.client();
        next.say("echo next\n");
        host.expect(&mut next, "next\n");
    });
}

#[test]
fn one_that_is_idle_makes_room_and_one_that_is_not_does_not() {
    each(|kind| {
        for refuses in [true, false] {
            let mut host = Host::new(kind, |limits| {
                (limits.connections, limits.refuses, limits.refusal) = (2, refuses, b"full\n");
                limits.idle = Timeout(1);
            });
            let (mut idle, mut busy) = (host.client(), host.client());
            busy.say("wait\n");
            host.until("waiting", |seen| seen.waiting.is_some());
            idle.say("echo idle\n");
            host.expect(&mut idle, "idle\n");
            if refuses {
                let mut early = host.client();
                refused(&mut host, &mut early);
            }
            std::thread::sleep(std::time::Duration::from_millis(1500));
            host.reactor.lp().set_timer(1, 99, 0);
            host.reactor.turn().unwrap();
            // The one whose next request has just come is not idle.
            idle.say("echo again\n");
            let mut late = host.client();
            late.say("echo late\n");
            host.expect(&mut idle, "again\n");
            if refuses {
                refused(&mut host, &mut late);
            }
            assert_eq!(host.reactor.lp().counters().displaced, 0);
            std::thread::sleep(std::time::Duration::from_millis(1500));
            let mut new = host.client();
            new.say("echo new\n");
            host.expect(&mut new, "new\n");
            if refuses {
                host.gone(&mut idle);
                assert_eq!(host.reactor.lp().counters().displaced, 1);
            }
            assert!(host.reactor.world().waiting.is_some());
        }
    });
}

#[test]
fn draining_turns_away_and_ends() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| {
            (limits.connections, limits.refuses, limits.refusal) = (1, true, b"full\n");
        });
        let mut inside = host.client();
        inside.say("echo in\n");
        host.expect(&mut inside, "in\n");
        let mut outside: Vec<Client> = (0..100).map(|_| host.client()).collect();
        host.reactor.lp().drain(60_000);
        while host.reactor.turn().unwrap() != Turn::Finished {}
        for client in &mut outside {
            client.take();
            assert!(client.ended);
        }
    });
}

#[test]
fn descriptors_of_the_refused_are_given_back() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| {
            (limits.connections, limits.refuses, limits.refusal) = (0, true, b"full\n");
        });
        host.reactor.lp().keep_refused(4);
        let mut outside: Vec<Client> = (0..30).map(|_| host.client()).collect();
        outside.iter_mut().for_each(|client| refused(&mut host, client));
        // The last four are kept until their time is over; then the loop has nothing to wait for.
        host.reactor.turn().unwrap();
        let begun = std::time::Instant::now();
        while begun.elapsed() < std::time::Duration::from_millis(1200) {
            host.reactor.lp().set_timer(10, 99, 0);
            host.reactor.turn().unwrap();
        }
        let mut one = host.client();
        refused(&mut host, &mut one);
    });
}

#[test]
fn peers_are_known_by_address_and_port() {
    each(|kind| {
        for addresses in [true, false] {
            let mut host = Host::new(kind, |limits| limits.addresses = addresses);
            let mut client = host.client();
            let port = client.stream.local_addr().unwrap().port();
            client.say("who\n");
            host.expect(&mut client, &format!("127.0.0.1 {port}\n"));
            drop(client);
            host.until("closed", |seen| seen.closed.len() == 1);
            let gone = String::from_utf8(std::mem::take(&mut host.reactor.world().gone)).unwrap();
            // A service that wants addresses still has them when the connection is gone.
            assert_eq!(gone, if addresses { "127.0.0.1" } else { "-" });
        }
    });
}
