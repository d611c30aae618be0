//! Every poller of this system gives the same events; where one can not, the test says so.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::{Duration, Instant};

use gorgon_sys::poller::TURN;
use gorgon_sys::{Errno, Event, Poller, PollerKind, Ready};
use rustix::io::{dup, dup2, fcntl_dupfd_cloexec, read, write};
use rustix::net::{AddressFamily, Shutdown, SocketFlags, SocketType, shutdown, socketpair};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn pair() -> (OwnedFd, OwnedFd) {
    socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::empty(), None).unwrap()
}

/// Runs a test with an empty poller of each kind there is.
fn each(test: impl Fn(&mut Poller)) {
    for kind in PollerKind::available() {
        let mut poller = Poller::new(*kind).unwrap();
        assert_eq!(poller.kind(), *kind);
        test(&mut poller);
    }
}

/// What is ready now, as tokens and bits in order of tokens.
fn now(poller: &mut Poller) -> Vec<(u64, u8)> {
    let mut events = vec![Event { token: 99, ready: Ready::BOTH }];
    poller.wait(Some(0), &mut events).unwrap();
    let mut told: Vec<_> = events.iter().map(|event| (event.token, event.ready.bits())).collect();
    told.sort_unstable();
    told
}

/// Raises the limit of descriptors to at least `count`.
fn allow_descriptors(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        assert!(limit.maximum.is_none_or(|maximum| maximum >= count), "the hard limit is below {count}");
        setrlimit(Resource::Nofile, Rlimit { current: Some(count), maximum: limit.maximum }).unwrap();
    }
}

/// A number that was a descriptor, far above those other tests open, for as long as the test runs.
fn stale(from: &OwnedFd, number: RawFd) -> BorrowedFd<'static> {
    let fd = fcntl_dupfd_cloexec(from, number).unwrap().into_raw_fd();
    // SAFETY: not truly borrowed once closed: that a poller withstands such a number is what is tested.
    unsafe { BorrowedFd::borrow_raw(fd) }
}

fn close(fd: BorrowedFd<'_>) {
    // SAFETY: `stale` made it and gave up owning it.
    drop(unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) });
}

const READ: u8 = 1;
const WRITE: u8 = 2;
const BOTH: u8 = 3;
const GONE: u8 = 4;

#[test]
fn sets_of_bits() {
    assert!(Ready::READ.union(Ready::WRITE) == Ready::BOTH);
    assert!(Ready::BOTH.contains(Ready::READ) && Ready::BOTH.contains(Ready::NONE));
    assert!(!Ready::READ.contains(Ready::BOTH) && !Ready::BOTH.contains(Ready::GONE));
    assert!(Ready::NONE.is_empty() && !Ready::GONE.is_empty());
    assert_eq!(
        [Ready::NONE, Ready::READ, Ready::WRITE, Ready::BOTH, Ready::GONE].map(Ready::bits),
        [0, 1, 2, 3, 4]
    );
}

#[test]
fn kinds_have_names() {
    let all = [PollerKind::Epoll, PollerKind::Kqueue, PollerKind::Poll, PollerKind::Select];
    for kind in all {
        assert_eq!(PollerKind::from_name(kind.name()), Some(kind));
        if !PollerKind::available().contains(&kind) {
            assert_eq!(Poller::new(kind).err(), Some(Errno::NOSYS));
        }
    }
    for name in ["", "Epoll", "epoll ", "devpoll"] {
        assert_eq!(PollerKind::from_name(name), None);
    }
    #[cfg(target_os = "linux")]
    assert_eq!(PollerKind::available(), [PollerKind::Epoll, PollerKind::Poll, PollerKind::Select]);
}

#[test]
fn tells_what_is_ready_for_as_long_as_it_is() {
    each(|poller| {
        let (a, b) = pair();
        assert_eq!(now(poller), []);
        poller.add(a.as_fd(), u64::MAX, Ready::BOTH).unwrap();
        poller.add(b.as_fd(), 0, Ready::READ).unwrap();
        assert_eq!(now(poller), [(u64::MAX, WRITE)]);
        write(&b, b"x").unwrap();
        for _ in 0..3 {
            assert_eq!(now(poller), [(u64::MAX, BOTH)]);
        }
        read(&a, &mut [0; 8]).unwrap();
        assert_eq!(now(poller), [(u64::MAX, WRITE)]);
    });
}

#[test]
fn changes_interest_and_token() {
    each(|poller| {
        let (a, b) = pair();
        write(&b, b"x").unwrap();
        poller.add(a.as_fd(), 1, Ready::NONE).unwrap();
        assert_eq!(now(poller), []);
        for (token, interest) in
            [(2, Ready::READ), (3, Ready::WRITE), (3, Ready::BOTH), (1 << 40, Ready::READ), (5, Ready::BOTH)]
        {
            poller.change(a.as_fd(), token, interest).unwrap();
            assert_eq!(now(poller), [(token, interest.bits())]);
        }
        poller.change(a.as_fd(), 6, Ready::NONE).unwrap();
        assert_eq!(now(poller), []);
    });
}

#[test]
fn removed_ones_are_silent() {
    each(|poller| {
        let pairs: Vec<_> = (0..5).map(|_| pair()).collect();
        for (token, (a, _)) in pairs.iter().enumerate() {
            poller.add(a.as_fd(), token as u64, Ready::WRITE).unwrap();
        }
        // The first, one between, and the last, in any order: what remains keeps its token.
        for (index, left) in
            [(1, vec![0, 2, 3, 4]), (4, vec![0, 2, 3]), (0, vec![2, 3]), (2, vec![3]), (3, vec![])]
        {
            poller.remove(pairs[index].0.as_fd()).unwrap();
            assert_eq!(now(poller), left.iter().map(|token| (*token, WRITE)).collect::<Vec<_>>());
        }
        poller.add(pairs[4].0.as_fd(), 7, Ready::WRITE).unwrap();
        assert_eq!(now(poller), [(7, WRITE)]);
    });
}

#[test]
fn a_number_used_again_has_only_its_new_token() {
    each(|poller| {
        let (mut a, b) = pair();
        let (c, d) = pair();
        write(&b, b"x").unwrap();
        poller.add(a.as_fd(), 1, Ready::BOTH).unwrap();
        assert_eq!(now(poller), [(1, BOTH)]);
        poller.closing(a.as_fd());
        poller.closing(a.as_fd());
        // Closes `a` and gives its number to a duplicate of `c` in one step.
        dup2(&c, &mut a).unwrap();
        assert_eq!(now(poller), []);
        poller.add(a.as_fd(), 2, Ready::READ).unwrap();
        assert_eq!(now(poller), []);
        write(&d, b"x").unwrap();
        assert_eq!(now(poller), [(2, READ)]);
    });
}

#[test]
fn a_duplicate_kept_open_does_not_speak_for_the_next_of_its_number() {
    each(|poller| {
        let (mut a, b) = pair();
        if poller.kind() == PollerKind::Epoll {
            // The kernel goes on for the duplicate: that is why no descriptor of ours has one, and why the loop's
            // tokens carry a generation.
            return;
        }
        let (c, _d) = pair();
        let _kept = dup(&a).unwrap();
        write(&b, b"x").unwrap();
        poller.add(a.as_fd(), 1, Ready::READ).unwrap();
        poller.closing(a.as_fd());
        dup2(&c, &mut a).unwrap();
        poller.add(a.as_fd(), 2, Ready::READ).unwrap();
        assert_eq!(now(poller), []);
    });
}

#[test]
fn a_peer_that_stopped_writing_can_be_read() {
    each(|poller| {
        let (a, b) = pair();
        poller.add(a.as_fd(), 1, Ready::READ).unwrap();
        shutdown(&b, Shutdown::Write).unwrap();
        // One system's poll calls it a hang-up as well.
        assert!(matches!(now(poller)[..], [(1, told)] if told & READ != 0 && told & WRITE == 0));
        poller.change(a.as_fd(), 1, Ready::NONE).unwrap();
        assert!(matches!(now(poller)[..], [] | [(1, GONE)]));
        #[cfg(target_os = "linux")]
        assert_eq!(now(poller), []);
    });
}

#[test]
fn a_peer_that_is_gone_is_told_with_what_was_asked() {
    each(|poller| {
        let (a, b) = pair();
        poller.add(a.as_fd(), 1, Ready::NONE).unwrap();
        drop(b);
        let unasked = matches!(poller.kind(), PollerKind::Epoll | PollerKind::Poll);
        assert_eq!(now(poller), if unasked { vec![(1, GONE)] } else { vec![] });
        for interest in [Ready::READ, Ready::BOTH] {
            poller.change(a.as_fd(), 1, interest).unwrap();
            let told = now(poller);
            assert!(
                matches!(told[..], [(1, bits)] if bits & BOTH == interest.bits()),
                "{:?}: {told:?}",
                poller.kind()
            );
            assert!(!unasked || told[0].1 & GONE != 0);
        }
        assert_eq!(read(&a, &mut [0; 8]), Ok(0));
    });
}

#[test]
fn ends_of_pipes_that_are_gone() {
    each(|poller| {
        let kind = poller.kind();
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let (other_reader, other_writer) = rustix::pipe::pipe().unwrap();
        poller.add(reader.as_fd(), 1, Ready::READ).unwrap();
        poller.add(other_writer.as_fd(), 2, Ready::WRITE).unwrap();
        assert_eq!(now(poller), [(2, WRITE)]);
        drop((writer, other_reader));
        let told = now(poller);
        match kind {
            PollerKind::Epoll => assert_eq!(told, [(1, GONE), (2, WRITE | GONE)]),
            PollerKind::Poll => assert_eq!(told, [(1, READ | GONE), (2, WRITE | GONE)]),
            PollerKind::Kqueue => assert_eq!(told, [(1, READ), (2, WRITE | GONE)]),
            PollerKind::Select => assert_eq!(told, [(1, READ), (2, WRITE)]),
        }
    });
}

#[test]
fn waits_no_longer_than_asked_and_no_shorter() {
    each(|poller| {
        let (a, b) = pair();
        poller.add(a.as_fd(), 1, Ready::READ).unwrap();
        let mut events = Vec::new();
        let start = Instant::now();
        poller.wait(Some(0), &mut events).unwrap();
        assert!(events.is_empty() && start.elapsed() < Duration::from_millis(15));
        let start = Instant::now();
        poller.wait(Some(20), &mut events).unwrap();
        let passed = start.elapsed();
        assert!(events.is_empty() && passed >= Duration::from_millis(20), "{passed:?}");
        assert!(passed < Duration::from_secs(5), "{passed:?}");
        write(&b, b"x").unwrap();
        for timeout in [None, Some(u32::MAX), Some(i32::MAX as u32), Some(60_000)] {
            poller.wait(timeout, &mut events).unwrap();
            assert_eq!(events.len(), 1);
        }
    });
}

#[test]
fn a_signal_ends_a_wait_without_events() {
    extern "C" fn ignore(_: libc::c_int) {}
    let handler: extern "C" fn(libc::c_int) = ignore;
    // SAFETY: the handler does nothing; an action of zeros but for it has no flags, hence no restart.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as libc::sighandler_t;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()), 0);
    }
    each(|poller| {
        // SAFETY: asks for the calling thread, which outlives the scope below.
        let waiter = unsafe { libc::pthread_self() } as usize;
        let over = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !over.load(std::sync::atomic::Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                    // SAFETY: the thread waits for this one before it ends.
                    unsafe { libc::pthread_kill(waiter as libc::pthread_t, libc::SIGUSR1) };
                }
            });
            let mut events = vec![Event { token: 1, ready: Ready::READ }];
            let result = poller.wait(None, &mut events);
            over.store(true, std::sync::atomic::Ordering::Relaxed);
            assert_eq!(result, Ok(()));
            assert!(events.is_empty());
        });
    });
}

#[test]
fn all_have_their_turn() {
    const COUNT: u64 = 300;
    allow_descriptors(2000);
    each(|poller| {
        let (a, b) = pair();
        write(&b, b"x").unwrap();
        let mut copies: Vec<_> = (0..COUNT).map(|_| dup(&a).unwrap()).collect();
        for (token, copy) in copies.iter().enumerate() {
            poller.add(copy.as_fd(), token as u64, Ready::BOTH).unwrap();
        }
        let mut told = Vec::new();
        let mut events = Vec::new();
        for _ in 0..30 {
            poller.wait(Some(0), &mut events).unwrap();
            assert!(events.len() <= TURN && events.iter().all(|event| event.ready == Ready::BOTH));
            told.extend(events.iter().map(|event| event.token));
            // Nobody twice before everybody once.
            if told.len() >= COUNT as usize {
                let mut round: Vec<_> = told.drain(..COUNT as usize).collect();
                round.sort_unstable();
                assert_eq!(round, (0..COUNT).collect::<Vec<_>>(), "{:?}", poller.kind());
            }
        }
        // Those that leave between turns hide nobody.
        let mut seen = vec![false; COUNT as usize];
        for _ in 0..4 {
            poller.wait(Some(0), &mut events).unwrap();
            events.iter().for_each(|event| seen[event.token as usize] = true);
            poller.remove(copies.pop().unwrap().as_fd()).unwrap();
        }
        assert!(seen[..copies.len()].iter().all(|seen| *seen), "{:?}", poller.kind());
    });
}

#[test]
fn errors_are_alike() {
    each(|poller| {
        let (a, b) = pair();
        assert_eq!(poller.change(a.as_fd(), 1, Ready::READ), Err(Errno::NOENT));
        assert_eq!(poller.remove(a.as_fd()), Err(Errno::NOENT));
        poller.closing(a.as_fd());
        poller.add(a.as_fd(), 1, Ready::WRITE).unwrap();
        assert_eq!(poller.add(a.as_fd(), 2, Ready::READ), Err(Errno::EXIST));
        assert_eq!(poller.change(b.as_fd(), 2, Ready::READ), Err(Errno::NOENT));
        assert_eq!(now(poller), [(1, WRITE)]);
        poller.remove(a.as_fd()).unwrap();
        assert_eq!(poller.remove(a.as_fd()), Err(Errno::NOENT));
        assert_eq!(poller.change(a.as_fd(), 1, Ready::READ), Err(Errno::NOENT));
        assert_eq!(now(poller), []);
    });
}

#[test]
fn descriptors_above_the_usual_set() {
    allow_descriptors(2000);
    each(|poller| {
        let (a, b) = pair();
        let high = fcntl_dupfd_cloexec(&a, 1500).unwrap();
        assert!(high.as_raw_fd() >= 1500);
        if cfg!(target_vendor = "apple") && poller.kind() == PollerKind::Select {
            assert_eq!(poller.add(high.as_fd(), 1, Ready::READ), Err(Errno::INVAL));
            return;
        }
        poller.add(high.as_fd(), 1, Ready::READ).unwrap();
        poller.add(b.as_fd(), 2, Ready::WRITE).unwrap();
        assert_eq!(now(poller), [(2, WRITE)]);
        write(&b, b"x").unwrap();
        assert_eq!(now(poller), [(1, READ), (2, WRITE)]);
        poller.remove(high.as_fd()).unwrap();
        assert_eq!(now(poller), [(2, WRITE)]);
        poller.add(high.as_fd(), 3, Ready::BOTH).unwrap();
        assert_eq!(now(poller), [(2, WRITE), (3, BOTH)]);
    });
}

#[test]
fn a_descriptor_closed_without_a_word_hinders_no_other() {
    allow_descriptors(2000);
    each(|poller| {
        let kind = poller.kind();
        let (a, b) = pair();
        let (c, _d) = pair();
        // No other test opens so high a number, so it stays closed.
        let gone = stale(&c, 1900);
        poller.add(a.as_fd(), 1, Ready::READ).unwrap();
        poller.add(gone, 2, Ready::BOTH).unwrap();
        write(&b, b"x").unwrap();
        assert_eq!(now(poller), [(1, READ), (2, WRITE)]);
        close(gone);
        // Epoll would go on watching a file that `c` still holds open.
        drop(c);
        match kind {
            PollerKind::Epoll | PollerKind::Kqueue => {}
            PollerKind::Poll => assert_eq!(now(poller), [(1, READ), (2, GONE)]),
            PollerKind::Select => assert_eq!(now(poller), [(2, GONE)]),
        }
        if kind != PollerKind::Poll {
            assert_eq!(now(poller), [(1, READ)]);
        }
        poller.closing(gone);
        assert_eq!(now(poller), [(1, READ)]);
    });
}
