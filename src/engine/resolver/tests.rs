//! The resolver in a loop, against servers that answer, lie, fail, or say nothing.

use super::super::names::{Lookup, Names};
use super::*;
use crate::engine::Reactor;
use crate::text::dns::{Question, Record, reverse_name};
use gorgon_sys::PollerKind;
use std::net::{IpAddr, UdpSocket};
use std::string::String;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::vec;

#[derive(Default)]
struct World(Names);

impl HasNames for World {
    fn names(&mut self) -> &mut Names {
        &mut self.0
    }
}

/// What a server makes of a question: the messages it sends, given the question's message, the name and the record.
type Behaviour = fn(&[u8], &str, u16) -> Vec<Vec<u8>>;

struct Server {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
    ports: Arc<Mutex<Vec<u16>>>,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn new(behaviour: Behaviour) -> Server {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let address = socket.local_addr().unwrap();
        let (asked, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let ports = Arc::new(Mutex::new(Vec::new()));
        let (count, over, from) = (asked.clone(), ends.clone(), ports.clone());
        let thread = std::thread::spawn(move || {
            let mut message = [0; 600];
            while !over.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut message) else { continue };
                count.fetch_add(1, Ordering::Relaxed);
                from.lock().unwrap().push(peer.port());
                let (name, record) = read_question(&message[..length]);
                for reply in behaviour(&message[..length], &name, record) {
                    socket.send_to(&reply, peer).unwrap();
                }
            }
        });
        Server { address, asked, ports, ends, thread: Some(thread) }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

fn read_question(message: &[u8]) -> (String, u16) {
    let (mut at, mut labels) = (12, Vec::new());
    while message[at] > 0 {
        let end = at + 1 + usize::from(message[at]);
        labels.push(std::str::from_utf8(&message[at + 1..end]).unwrap());
        at = end;
    }
    (labels.join("."), u16::from_be_bytes([message[at + 1], message[at + 2]]))
}

/// The question's message as an answer with these records of the question's name.
fn answer(message: &[u8], code: u8, records: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut out = message.to_vec();
    (out[2], out[3], out[7]) = (0x81, 0x80 | code, records.len() as u8);
    for (kind, data) in records {
        out.extend_from_slice(&[0xc0, 12]);
        out.extend_from_slice(&kind.to_be_bytes());
        out.extend_from_slice(&[0, 1, 0, 0, 1, 0, 0, data.len() as u8]);
        out.extend_from_slice(data);
    }
    out
}

fn wire(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([0]).collect()
}

const PTR: u16 = 12;

/// 192.0.2.7 is host.example.org, and that is 192.0.2.7.
fn honest(message: &[u8], name: &str, record: u16) -> Vec<Vec<u8>> {
    let records = match (name, record) {
        ("7.2.0.192.in-addr.arpa", PTR) => vec![(PTR, wire("host.example.org"))],
        ("host.example.org", 1) => vec![(1, vec![192, 0, 2, 9]), (1, vec![192, 0, 2, 7])],
        (name, PTR) if name.ends_with("ip6.arpa") => vec![(PTR, wire("six.example.org"))],
        ("six.example.org", 28) => {
            vec![(28, "2001:db8::7".parse::<core::net::Ipv6Addr>().unwrap().octets().to_vec())]
        }
        _ => return vec![answer(message, 3, &[])],
    };
    vec![answer(message, 0, &records)]
}

/// Looks up an address until it is known.
fn look_up(servers: &[SocketAddr], ip: &str) -> Option<String> {
    look_up_all(servers, &[ip]).remove(0)
}

fn look_up_all(servers: &[SocketAddr], ips: &[&str]) -> Vec<Option<String>> {
    let lp = Loop::new(PollerKind::available()[0], 1 << 20).unwrap();
    let mut reactor = Reactor::new(lp, World::default(), 4096).unwrap();
    reactor.add_service(Box::new(Resolver::new(servers.to_vec())), Resolver::limits()).unwrap();
    reactor.lp().settle_soon();
    let ips: Vec<IpAddr> = ips.iter().map(|ip| ip.parse().unwrap()).collect();
    for ip in &ips {
        assert_eq!(reactor.world().names().lookup(*ip, 0), Lookup::Asked);
    }
    let (begun, mut answered) = (Instant::now(), 0);
    while answered < ips.len() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it goes on");
        reactor.turn().unwrap();
        while reactor.world().names().next_answered().is_some() {
            answered += 1;
        }
    }
    reactor.turn_until_idle();
    assert_eq!(reactor.lp().connections(), 0);
    let now = reactor.lp().now().milliseconds;
    ips.iter().map(|ip| reactor.world().names().known(*ip, now).map(String::from)).collect()
}

trait Idle {
    fn turn_until_idle(&mut self);
}

impl Idle for Reactor<World> {
    /// Lets what is closed go.
    fn turn_until_idle(&mut self) {
        self.lp().drain(0);
        for _ in 0..4 {
            self.turn().unwrap();
        }
    }
}

#[test]
fn a_name_that_is_confirmed_is_known() {
    let server = Server::new(honest);
    assert_eq!(look_up(&[server.address], "192.0.2.7").as_deref(), Some("host.example.org"));
    assert_eq!(server.asked(), 2);
    assert_eq!(look_up(&[server.address], "2001:db8::7").as_deref(), Some("six.example.org"));
    let ports = server.ports.lock().unwrap();
    assert!(
        ports.windows(2).any(|pair| pair[0] != pair[1]),
        "each question has a port of its own: {ports:?}"
    );
}

#[test]
fn one_that_is_removed_leaves_its_lookups_to_the_next() {
    let (silent, server) = (Server::new(|_, _, _| Vec::new()), Server::new(honest));
    let lp = Loop::new(PollerKind::available()[0], 1 << 20).unwrap();
    let mut reactor = Reactor::new(lp, World::default(), 4096).unwrap();
    let add = |reactor: &mut Reactor<World>, address| {
        reactor.add_service(Box::new(Resolver::new(vec![address])), Resolver::limits()).unwrap()
    };
    let first = add(&mut reactor, silent.address);
    let ip = "192.0.2.7".parse().unwrap();
    assert_eq!(reactor.world().names().lookup(ip, 0), Lookup::Asked);
    reactor.lp().settle_soon();
    while silent.asked() == 0 {
        // So that it need not wait, though there may be nothing to do.
        reactor.lp().set_timer(1, 99, 0);
        reactor.turn().unwrap();
    }
    assert!(reactor.remove_service(first));
    add(&mut reactor, server.address);
    let begun = Instant::now();
    while reactor.world().names().next_answered().is_none() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it goes on");
        reactor.turn().unwrap();
    }
    assert_eq!(reactor.world().names().known(ip, 0), Some("host.example.org"));
    assert!(!reactor.lp().has_service(first) && silent.asked() == 1);
}

#[test]
fn a_name_that_is_not_confirmed_is_none() {
    // Whoever owns the address says what he likes; the owner of the name knows nothing of it.
    let server = Server::new(|message, name, record| match (name, record) {
        ("8.2.0.192.in-addr.arpa", PTR) => {
            vec![answer(message, 0, &[(PTR, wire("bank.example.com")), (PTR, wire("host.example.org"))])]
        }
        _ => honest(message, name, record),
    });
    assert_eq!(look_up(&[server.address], "192.0.2.8"), None);
    assert_eq!(server.asked(), 3);
    assert_eq!(look_up(&[server.address], "192.0.2.99"), None, "there is no name at all");
}

#[test]
fn the_second_name_may_be_the_true_one() {
    let server = Server::new(|message, name, record| match record {
        PTR => vec![answer(message, 0, &[(PTR, wire("false.example")), (PTR, wire("host.example.org"))])],
        _ => honest(message, name, record),
    });
    assert_eq!(look_up(&[server.address], "192.0.2.7").as_deref(), Some("host.example.org"));
}

#[test]
fn another_server_is_asked_when_one_fails() {
    let broken = Server::new(|message, _, _| vec![answer(message, 2, &[])]);
    let good = Server::new(honest);
    let both = [broken.address, good.address];
    assert_eq!(look_up(&both, "192.0.2.7").as_deref(), Some("host.example.org"));
    assert_eq!((broken.asked(), good.asked()), (2, 2));
    assert_eq!(look_up(&[broken.address], "192.0.2.7"), None);
}

#[test]
fn lies_and_loops_are_passed_over() {
    let server = Server::new(|message, name, record| {
        let mut other = answer(message, 0, &[(PTR, wire("liar.example")), (1, vec![192, 0, 2, 7])]);
        other[0] ^= 1;
        let mut pointer = answer(message, 0, &[(record, vec![0, 0])]);
        let end = pointer.len();
        let itself = 0xc000 | (end - 2) as u16;
        pointer[end - 2..].copy_from_slice(&itself.to_be_bytes());
        pointer[1] ^= 1;
        let mut all = vec![other, message.to_vec(), vec![1, 2, 3], pointer, vec![0; 600]];
        all.extend(honest(message, name, record));
        all
    });
    assert_eq!(look_up(&[server.address], "192.0.2.7").as_deref(), Some("host.example.org"));
    // A name that leads to itself is none, and ends.
    let looping = Server::new(|message, _, _| {
        let mut reply = answer(message, 0, &[(PTR, vec![0, 0])]);
        let end = reply.len();
        reply[end - 2..].copy_from_slice(&(0xc000 | (end - 2) as u16).to_be_bytes());
        vec![reply]
    });
    assert_eq!(look_up(&[looping.address], "192.0.2.7"), None);
}

#[test]
fn what_is_cut_counts_as_far_as_it_goes() {
    let server = Server::new(|message, name, record| match record {
        PTR => {
            let mut reply =
                answer(message, 0, &[(PTR, wire("host.example.org")), (PTR, wire("cut.example"))]);
            reply.truncate(reply.len() - 5);
            reply[2] |= 2;
            vec![reply]
        }
        _ => honest(message, name, record),
    });
    assert_eq!(look_up(&[server.address], "192.0.2.7").as_deref(), Some("host.example.org"));
}

#[test]
fn an_empty_datagram_is_no_answer() {
    let server = Server::new(|_, _, _| vec![Vec::new()]);
    assert_eq!(look_up(&[server.address], "192.0.2.7"), None);
    assert_eq!(server.asked(), 2, "each try ends by it");
}

#[test]
fn a_server_that_is_gone_is_told_by_the_kernel() {
    let gone = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let good = Server::new(honest);
    assert_eq!(look_up(&[gone, good.address], "192.0.2.7").as_deref(), Some("host.example.org"));
    assert_eq!(look_up(&[gone], "192.0.2.7"), None);
    assert_eq!(look_up(&[], "192.0.2.7"), None);
}

#[test]
fn silence_ends() {
    let silent = Server::new(|_, _, _| Vec::new());
    assert_eq!(look_up(&[silent.address], "192.0.2.7"), None);
    assert_eq!(silent.asked(), 2);
}

#[test]
fn many_are_asked_for_a_few_at_a_time() {
    let server = Server::new(honest);
    let ips: Vec<String> = (0..60).map(|last| std::format!("192.0.2.{last}")).collect();
    let ips: Vec<&str> = ips.iter().map(String::as_str).collect();
    let found = look_up_all(&[server.address], &ips);
    for (last, name) in found.iter().enumerate() {
        assert_eq!(name.as_deref(), (last == 7).then_some("host.example.org"), "{last}");
    }
}

#[test]
fn the_machine_ends_whatever_it_hears() {
    let mut seed = 1_u32;
    for _ in 0..2000 {
        let mut ask = Ask::new("192.0.2.7".parse().unwrap());
        let mut messages = 0;
        let mut step = Step::Ask;
        loop {
            step = match step {
                Step::Done(name) => {
                    assert_eq!(name, None, "nothing confirms it");
                    break;
                }
                Step::Ask => {
                    messages += 1;
                    assert!(messages <= 8);
                    let asked = ask.message(7);
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    match seed >> 29 {
                        0 => ask.fail(),
                        1 => ask.hear(&answer(&asked, 2, &[])),
                        2 => ask.hear(&asked),
                        3 => ask.hear(&answer(&asked, 3, &[])),
                        _ => {
                            let names =
                                (0..seed >> 24 & 7).map(|n| (PTR, wire(&std::format!("n{n}.example"))));
                            ask.hear(&answer(&asked, 0, &names.collect::<Vec<_>>()))
                        }
                    }
                }
                Step::Wait => ask.hear(&[]),
            };
        }
    }
    // What the questions are made of can be asked for.
    let question =
        Question { id: 1, name: reverse_name("2001:db8::1".parse().unwrap()), record: Record::Name };
    assert!(question.push(&mut Vec::new()));
}
