//! Services, listeners and limits that come, change and go while the loop runs.

use super::*;
use gorgon::engine::values::Timeout;
use gorgon::engine::{Buffers, Limits};
use gorgon::tree::Buffer;
use std::net::SocketAddr;

use host::socket;

const BUFFERS: Buffers = Buffers::fixed(12, 14);

fn between(limits: &mut Limits) {
    limits.idle = Timeout(1);
}

/// A second service with a listener of its own.
fn second(host: &mut Host) -> (u8, std::rc::Weak<()>, SocketAddr) {
    let (number, alive) = host.add();
    let (fd, address) = socket();
    host.reactor.lp().add_listener(fd, number, BUFFERS).unwrap();
    (number, alive, address)
}

fn refuses(address: SocketAddr) -> bool {
    TcpStream::connect(address).is_err()
}

#[test]
fn a_service_is_removed_under_load() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let (number, alive, address) = second(&mut host);
        let mut stays = host.client();
        let mut idle: Vec<Client> = (0..20).map(|_| Client::to(address)).collect();
        let mut busy: Vec<Client> = (0..4).map(|_| Client::to(address)).collect();
        idle.iter_mut().for_each(|client| client.say("echo in\n"));
        idle.iter_mut().for_each(|client| host.expect(client, "in\n"));
        // More than the kernel takes at once.
        busy.iter_mut().for_each(|client| client.say("big 20000000\n"));
        host.turns(5);
        // These wait in the backlog, with what they have to say.
        let mut queued: Vec<Client> = (0..20).map(|_| Client::to(address)).collect();
        queued.iter_mut().for_each(|client| client.say("echo queued\n"));
        host.reactor.lp().set_timer(50, number, 42);
        assert!(host.reactor.remove_service(number) && !host.reactor.remove_service(number));
        assert!(!host.reactor.lp().has_service(number) && host.reactor.service(number).is_some());
        // One does what it did; the others are answered, and then it is over. One that is in use gets a last reply.
        if let Some(client) = idle.first_mut() {
            client.say("echo last\n");
            host.expect(client, "last\n");
        }
        stays.say("echo stays\n");
        host.expect(&mut stays, "stays\n");
        idle.iter_mut().for_each(|client| host.gone(client));
        for client in &mut queued {
            host.gone(client);
            assert_eq!(client.got, b"queued\n");
        }
        assert!(alive.strong_count() == 1, "some are still served");
        assert!(refuses(address));
        host.until("all of it", |_| {
            busy.iter_mut().for_each(Client::take);
            busy.iter().all(|client| client.ended)
        });
        assert!(busy.iter().all(|client| client.got.len() == 20_000_000));
        // Nothing else happens, and still it is dropped.
        if alive.strong_count() > 0 {
            host.reactor.turn().unwrap();
        }
        assert_eq!(alive.strong_count(), 0);
        assert!(host.reactor.service(number).is_none() && host.reactor.service_with(number).is_none());
        assert!(host.reactor.lp().service_counters(number).is_none());
        // Its timer may have come while it was there; from here on it may not.
        host.reactor.world().timer = None;
        // The number is used again, and nothing of the one before comes to the new one.
        let (again, alive, address) = second(&mut host);
        assert_eq!(again, number);
        let mut new = Client::to(address);
        new.say("echo new\n");
        host.expect(&mut new, "new\n");
        std::thread::sleep(std::time::Duration::from_millis(60));
        host.turns(3);
        assert_eq!(host.reactor.world().timer, None);
        assert!(alive.strong_count() == 1);
        stays.say("echo still\n");
        host.expect(&mut stays, "still\n");
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn a_service_drains_until_its_time_is_over_and_goes_on() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let (number, alive, address) = second(&mut host);
        let (mut idle, mut busy, mut slow) = (Client::to(address), Client::to(address), Client::to(address));
        idle.say("drains\n");
        host.expect(&mut idle, "no\n");
        busy.say("wait\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        slow.say("big 50000000\n");
        host.turns(20);
        assert!(host.reactor.lp().drain_service(number, 900));
        host.gone(&mut idle);
        assert!(refuses(address));
        let counters = host.reactor.lp().service_counters(number).unwrap();
        assert!(counters.draining && counters.open == 2 && counters.listeners == 0);
        host.gone(&mut busy);
        host.turns(3);
        let counters = host.reactor.lp().service_counters(number).unwrap();
        assert_eq!((counters.accepted, counters.open, counters.closed), (3, 0, 3));
        assert!(alive.strong_count() == 1, "it was not removed");
        let (fd, address) = socket();
        host.reactor.lp().add_listener(fd, number, BUFFERS).unwrap();
        let mut new = Client::to(address);
        new.say("drains\n");
        host.expect(&mut new, "no\n");
        // The timer of another draining that was called off does nothing.
        assert!(host.reactor.lp().drain_service(number, 50));
        host.reactor.lp().undrain(number);
        std::thread::sleep(std::time::Duration::from_millis(60));
        host.turns(3);
        new.say("drains\n");
        host.expect(&mut new, "no\n");
        assert!(!host.reactor.lp().drain_service(99, 0));
    });
}

#[test]
fn a_listener_moves_with_those_that_wait_on_it() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let (number, _alive) = host.add();
        let listener = host.listener;
        let mut queued: Vec<Client> = (0..100).map(|_| host.client()).collect();
        queued.iter_mut().for_each(|client| client.say("echo queued\n"));
        assert!(host.reactor.lp().move_listener(listener, number));
        assert!(!host.reactor.lp().move_listener(listener, 99));
        queued.iter_mut().for_each(|client| host.expect(client, "queued\n"));
        assert_eq!(host.reactor.lp().service_counters(number).unwrap().accepted, 100);
        assert_eq!(host.reactor.lp().listener(listener).unwrap().accepted(), 100);
        // The first service goes; its listener is another's now.
        let first = host.service;
        host.reactor.remove_service(first);
        host.turns(3);
        assert!(host.reactor.service(first).is_none());
        let mut queued: Vec<Client> = (0..100).map(|_| host.client()).collect();
        queued.iter_mut().for_each(|client| client.say("echo more\n"));
        // Taken out and put back in.
        let fd = host.reactor.lp().release_listener(listener).unwrap();
        assert!(host.reactor.lp().listener(listener).is_none());
        host.turns(3);
        let again = host.reactor.lp().add_listener(fd, number, BUFFERS).unwrap();
        assert!(again != listener);
        queued.iter_mut().for_each(|client| host.expect(client, "more\n"));
        // And closed: those that wait are served before.
        let mut last: Vec<Client> = (0..100).map(|_| host.client()).collect();
        last.iter_mut().for_each(|client| client.say("echo last\n"));
        assert!(host.reactor.lp().remove_listener(again) && !host.reactor.lp().remove_listener(again));
        last.iter_mut().for_each(|client| host.expect(client, "last\n"));
        assert!(refuses(host.address));
        queued.iter_mut().for_each(|client| client.say("echo lives\n"));
        queued.iter_mut().for_each(|client| host.expect(client, "lives\n"));
    });
}

#[test]
fn a_listener_is_closed_at_once_where_its_address_is_wanted_again() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let mut queued: Vec<Client> = (0..50).map(|_| host.client()).collect();
        queued.iter_mut().for_each(|client| client.say("echo queued\n"));
        let (listener, address) = (host.listener, host.address);
        assert!(host.reactor.close_listener(listener) && !host.reactor.close_listener(listener));
        let options = gorgon_sys::ListenOptions { backlog: 16, ..Default::default() };
        let fd = gorgon_sys::listen(&Address::Ip(address), &options).unwrap();
        let service = host.service;
        let new = host.reactor.lp().add_listener(fd, service, BUFFERS).unwrap();
        // It has the place of the one before, and is another.
        assert!(new != listener && host.reactor.lp().listener(listener).is_none());
        assert!(!host.reactor.lp().remove_listener(listener));
        queued.iter_mut().for_each(|client| host.expect(client, "queued\n"));
        let mut client = host.client();
        client.say("echo new\n");
        host.expect(&mut client, "new\n");
        let ids: Vec<_> =
            host.reactor.lp().listeners().map(|listener| (listener.id(), listener.accepted())).collect();
        assert_eq!(ids.len(), 1);
        assert!(ids[0].0 == new && ids[0].1 == 1);
        let id = *host.ids().last().unwrap();
        assert!(host.reactor.lp().listener_of(id) == Some(new));
    });
}

#[test]
fn limits_change_while_connections_are_there() {
    each(|kind| {
        let mut host = Host::new(kind, |limits| limits.connections = 2);
        let mut clients: Vec<Client> = (0..4).map(|_| host.client()).collect();
        clients.iter_mut().for_each(|client| client.say("echo in\n"));
        host.until("two of them", |seen| seen.opened == 2);
        host.turns(20);
        assert_eq!(host.reactor.world().opened, 2);
        assert!(host.reactor.lp().listeners().all(|listener| listener.is_paused()));
        let (number, mut limits) = (host.service, host.limits.clone());
        limits.connections = 4;
        assert!(host.reactor.lp().set_limits(number, limits.clone()));
        // At once, and not when it is next looked whether there is room.
        host.turns(2);
        assert_eq!(host.reactor.world().opened, 4);
        clients.iter_mut().for_each(|client| host.expect(client, "in\n"));
        // Those that wait have less time from now on.
        assert_eq!(host.reactor.world().timeouts, 0);
        limits.timeouts[1] = 250;
        assert!(host.reactor.lp().set_limits(number, limits.clone()));
        clients.iter_mut().for_each(|client| host.expect(client, "timeout\n"));
        assert!(!host.reactor.lp().set_limits(99, limits));
    });
}

#[test]
fn the_time_for_draining_all_can_be_changed() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let mut busy = host.client();
        busy.say("wait\n");
        host.until("waiting", |seen| seen.waiting.is_some());
        host.reactor.lp().drain(10);
        host.reactor.lp().set_grace(60_000);
        std::thread::sleep(std::time::Duration::from_millis(20));
        host.turns(5);
        assert_eq!(host.reactor.lp().connections(), 1);
        host.reactor.lp().set_grace(0);
        while host.reactor.turn().unwrap() != Turn::Finished {}
        host.gone(&mut busy);
    });
}

#[test]
fn more_memory_lets_those_go_on_that_wait_for_it() {
    each(|kind| {
        let mut host = Host::with_pages(kind, 16 * 1024, |_| {});
        let mut halves: Vec<Client> = (0..40).map(|_| host.client()).collect();
        halves.iter_mut().for_each(|client| client.say(&"echo ".repeat(600)));
        host.turns(200);
        let facts = host.reactor.lp().memory_facts();
        assert!(facts.starved >= 30 && facts.page_cap == 16 * 1024 && facts.pages_lent <= 28 * 1024);
        host.reactor.lp().set_page_memory(1 << 20);
        host.turns(200);
        let facts = host.reactor.lp().memory_facts();
        assert_eq!((facts.starved, facts.pages_lent), (0, 40 * 4096));
        drop(halves);
        host.until("closed", |seen| seen.closed.len() == 40);
        assert_eq!(host.reactor.lp().page_bytes(), 0);
    });
}

#[test]
fn a_slow_turn_is_known_by_what_it_did() {
    each(|kind| {
        let mut host = Host::new(kind, between);
        let (number, _alive, address) = second(&mut host);
        let (mut quick, mut slow) = (host.client(), Client::to(address));
        for client in [&mut quick, &mut slow] {
            client.say("echo in\n");
            host.expect(client, "in\n");
        }
        host.reactor.lp().reset_slowest();
        slow.say("sleep 60\necho out\n");
        host.expect(&mut slow, "out\n");
        quick.say("echo out\n");
        host.expect(&mut quick, "out\n");
        let facts = host.reactor.lp().loop_facts();
        let slowest = facts.slowest.unwrap();
        assert!(slowest.nanoseconds >= 60_000_000 && facts.busy >= 60_000_000);
        assert_eq!(slowest.work.map(|work| work.word()), Some("read"));
        assert_eq!(slowest.service, Some(number));
        assert_eq!(facts.lengths.iter().sum::<u64>(), facts.counters.turns);
        assert!(facts.lengths[6..].iter().sum::<u64>() >= 1);
        host.reactor.lp().reset_slowest();
        assert!(host.reactor.lp().loop_facts().slowest.is_none());
    });
}

#[test]
fn coming_and_going_loses_nothing_when_the_system_fails_at_times() {
    each(|kind| {
        for seed in 1..8 {
            let mut host = Host::new(kind, between);
            let listener = host.listener;
            host.reactor.lp().set_listener_buffers(
                listener,
                Buffers { read: Buffer { least: 9, most: 14 }, write: Buffer { least: 9, most: 16 } },
            );
            let mut numbers = vec![host.service];
            let mut alive = Vec::new();
            let mut clients: Vec<Client> = Vec::new();
            // But never "nothing is there" where there is: an idle connection is asked once more, and believed.
            gorgon_sys::fault::set(gorgon_sys::fault::Plan {
                seed,
                short_read: 30,
                short_write: 30,
                interrupted: 20,
                ..Default::default()
            });
            for round in 0..6 {
                for _ in 0..10 {
                    let mut client = host.client();
                    client.say("echo a\nbig 30000\nfile 30000\necho z\nclose\n");
                    clients.push(client);
                }
                host.turns(round % 3);
                // The next service takes the listener over, with those that wait; the one before it goes.
                let (number, weak) = host.add();
                alive.push(weak);
                assert!(host.reactor.lp().move_listener(listener, number));
                host.reactor.remove_service(numbers.pop().unwrap());
                numbers.push(number);
            }
            host.until("all of it", |_| {
                clients.iter_mut().for_each(Client::take);
                clients.iter().all(|client| client.ended)
            });
            host.turns(2);
            gorgon_sys::fault::clear();
            for client in &clients {
                assert_eq!(client.got.len(), "a\n".len() + 30_000 + "file:".len() + 30_000 + "z\n".len());
                assert!(client.got.ends_with(b"z\n"));
            }
            let last = alive.pop().unwrap();
            assert!(last.strong_count() == 1 && alive.iter().all(|weak| weak.strong_count() == 0));
            let lp = host.reactor.lp();
            assert_eq!((lp.page_bytes(), lp.files().open(), lp.connections()), (0, 0, 0));
            assert_eq!(lp.memory_facts().held, 0);
        }
    });
}
