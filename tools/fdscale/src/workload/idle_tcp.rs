//! Many TCP connections that idle, and a hot minority: what servers have. The chain runs over the hot ones alone; the
//! clients of the others are in other processes.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use gorgon_sys::{Accepted, Address, ListenOptions, accept};

use super::Place;
use super::chain::{Pairs, Plan};
use super::crowd::Crowd;
use crate::backend::Kind;
use crate::limits;
use crate::measure::Bench;

/// Most hot connections.
const HOT: u64 = 100;
/// Descriptors that are neither watched nor clients.
const SPARE: u64 = 48;
/// Most rounds: each makes all connections anew.
const ROUNDS: u32 = 5;
const PATIENCE: Duration = Duration::from_secs(5);

/// A socket on a free port of 127.0.0.1 that takes connections.
///
/// # Errors
/// The system's.
pub fn listener() -> io::Result<(OwnedFd, SocketAddr)> {
    let options = ListenOptions { backlog: 4096, ..ListenOptions::default() };
    let listener = gorgon_sys::listen(&Address::Ip(SocketAddr::from(([127, 0, 0, 1], 0))), &options)?;
    match gorgon_sys::local_address(listener.as_fd())? {
        Address::Ip(address) => Ok((listener, address)),
        Address::Unix(_) => Err(io::Error::other("not an address")),
    }
}

/// Accepts the next connection, which is on its way.
///
/// # Errors
/// The system's, or that none comes.
pub fn accept_one(listener: &OwnedFd) -> io::Result<OwnedFd> {
    let begun = Instant::now();
    loop {
        match accept(listener.as_fd()) {
            Accepted::Connection(fd, _) => return Ok(fd),
            Accepted::Full(error) | Accepted::Failed(error) => return Err(error.into()),
            Accepted::Again => {}
            Accepted::Blocked => std::thread::sleep(Duration::from_micros(50)),
        }
        if begun.elapsed() > PATIENCE {
            return Err(io::ErrorKind::TimedOut.into());
        }
    }
}

/// All connections: those that are hot, half of the others before and half behind them, and the others' clients.
fn connect(count: u64) -> io::Result<(Pairs, Crowd)> {
    let (listener, address) = listener()?;
    let hot = count.min(HOT);
    let (mut pairs, mut idle, mut crowd) = (Pairs::default(), Vec::new(), Crowd::default());
    let before = (count - hot) / 2;
    gather(&mut crowd, &listener, address, before, &mut idle)?;
    for _ in 0..hot {
        let (client, _) = gorgon_sys::connect(&Address::Ip(address))?;
        gorgon_sys::reset_on_close(client.as_fd())?;
        pairs.readers.push(accept_one(&listener)?);
        pairs.writers.push(client);
    }
    gather(&mut crowd, &listener, address, count - hot - before, &mut idle)?;
    pairs.readers.append(&mut idle);
    Ok((pairs, crowd))
}

fn gather(
    crowd: &mut Crowd,
    listener: &OwnedFd,
    address: SocketAddr,
    count: u64,
    accepted: &mut Vec<OwnedFd>,
) -> io::Result<()> {
    let wanted = accepted.len() as u64 + count;
    let (_, error) = crowd.gather(address, count, false, || {
        loop {
            match accept(listener.as_fd()) {
                Accepted::Connection(fd, _) => accepted.push(fd),
                Accepted::Again => {}
                Accepted::Full(error) | Accepted::Failed(error) => return Err(error.into()),
                Accepted::Blocked => break,
            }
        }
        std::thread::sleep(Duration::from_micros(200));
        Ok(accepted.len() as u64)
    })?;
    if let Some(error) = error {
        return Err(error);
    }
    while (accepted.len() as u64) < wanted {
        accepted.push(accept_one(listener)?);
    }
    Ok(())
}

/// Measures all backends at one number of connections; gives how many there could be.
///
/// # Errors
/// When a backend was wrong.
pub fn measure(bench: &mut Bench, place: &Place) -> io::Result<u64> {
    let most = gorgon_sys::descriptors().0.saturating_sub(SPARE + place.wanted.min(HOT));
    let mut count = place.wanted.min(most);
    if let Err(stop) = limits::memory_for(count) {
        count = stop.reached;
        bench.stop(stop);
    }
    if count == most && most < place.wanted {
        let error = io::Error::from_raw_os_error(libc::EMFILE);
        if let Some(stop) = limits::met(&error, count, place.wanted) {
            bench.stop(stop);
        }
    }
    if count <= place.last {
        return Ok(count);
    }
    let time = Duration::from_millis(if bench.options.quick { 10 } else { 40 });
    let hot = count.min(HOT);
    let mut plans: Vec<Plan> = Vec::new();
    for active in bench.options.active.iter().map(|active| (*active).min(hot)) {
        if plans.iter().all(|plan| plan.active != active) {
            plans.push(Plan { active, writes: 1000.max(10 * active), time, timeouts: false });
        }
    }
    let mut kinds = bench.kinds();
    let rounds = bench.options.rounds.min(ROUNDS);
    for round in 0..rounds {
        bench.dice.shuffle(&mut kinds);
        let mut groups = Kind::groups(&kinds);
        bench.dice.shuffle(&mut groups);
        for (at, group) in groups.iter().enumerate() {
            if round > 0 && !place.has_time() {
                return Ok(count);
            }
            let share = (f64::from(round) + at as f64 / groups.len() as f64) / f64::from(rounds);
            place.tell(bench, share, &format!("idle-tcp {count}"));
            let failed = match connect(count) {
                Ok((pairs, crowd)) => {
                    let failed = bench.chain_once("idle-tcp", group, pairs, count, &plans)?;
                    drop(crowd);
                    failed
                }
                Err(error) => {
                    bench.skip("idle-tcp", group.first().copied(), count, &plans, &error);
                    group.clone()
                }
            };
            kinds.retain(|kind| !failed.contains(kind));
        }
    }
    Ok(count)
}
