//! Short connections beside many that idle: accepted, watched, read from once, and closed. What registration costs is seen
//! here; it is told for a whole connection.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use gorgon_sys::{Accepted, Address, Io, PollerKind, accept, recv, send};

use super::Place;
use super::chain::{LOST, Pairs, median};
use super::idle_tcp::listener;
use crate::backend::engine::{Engine, Handler};
use crate::backend::{Backend, Family, Kind, Visitor};
use crate::limits;
use crate::measure::Bench;
use crate::sample::Curve;

/// Pairs that are not made, so that there are descriptors for what comes and goes.
const ROOM: usize = 16;
/// Most connections of one run.
const MOST: usize = 500;

/// Measures all backends beside one number of idle ones; gives how many there could be.
///
/// # Errors
/// When a backend was wrong.
pub fn measure(bench: &mut Bench, place: &Place) -> io::Result<u64> {
    let (pairs, error) = Pairs::make(place.wanted);
    let mut count = pairs.readers.len() as u64;
    drop(pairs);
    if let Some(error) = error {
        count = count.saturating_sub(ROOM as u64);
        if let Some(stop) = limits::met(&error, count, place.wanted) {
            bench.stop(stop);
        }
    }
    if count <= place.last {
        return Ok(count);
    }
    let time = Duration::from_millis(if bench.options.quick { 10 } else { 40 });
    let mut kinds = bench.kinds();
    let rounds = bench.options.rounds;
    for round in 0..rounds {
        bench.dice.shuffle(&mut kinds);
        for (at, kind) in kinds.clone().into_iter().enumerate() {
            if round > 0 && !place.has_time() {
                return Ok(count);
            }
            let share = (f64::from(round) + at as f64 / kinds.len() as f64) / f64::from(rounds);
            place.tell(bench, share, &format!("churn {count} {}", kind.name()));
            let curve =
                Curve { workload: "churn", measure: "event", unit: "ns", backend: kind.name(), active: 1 };
            let (pairs, error) = Pairs::make(count);
            let outcome = match error {
                Some(error) => Err(error),
                None => churn(kind, pairs, time),
            };
            match outcome {
                Ok(value) => bench.sheet.note(&curve, count, value),
                Err(error) => {
                    bench.sheet.skip(&curve, &format!("at {count}: {error}"));
                    if let Some(stop) = limits::met(&error, 0, count) {
                        bench.stop(stop);
                    }
                    kinds.retain(|other| *other != kind);
                }
            }
        }
    }
    Ok(count)
}

/// Nanoseconds for one connection: the median of a run.
fn churn(kind: Kind, pairs: Pairs, time: Duration) -> io::Result<f64> {
    match (kind.family, kind.call) {
        (Family::Engine, Some(call)) => churn_engine(call, pairs, time),
        _ => kind.visit(Direct { pairs, time })?,
    }
}

struct Direct {
    pairs: Pairs,
    time: Duration,
}

fn lost(begun: Instant) -> io::Result<()> {
    if begun.elapsed() > LOST { Err(io::Error::other("a connection was lost")) } else { Ok(()) }
}

impl Visitor for Direct {
    type Outcome = io::Result<f64>;

    fn visit<B: Backend>(self, mut backend: B) -> io::Result<f64> {
        let (listener, address) = listener()?;
        let address = Address::Ip(address);
        backend.add(listener.as_fd(), 0)?;
        for (token, reader) in (2..).zip(&self.pairs.readers) {
            backend.add(reader.as_fd(), token)?;
        }
        let end = Instant::now() + self.time;
        let mut times = Vec::with_capacity(MOST);
        while times.len() < MOST && Instant::now() < end {
            let begun = Instant::now();
            let client = speaking_client(&address)?;
            let (mut server, mut over) = (None::<OwnedFd>, false);
            let started = Instant::now();
            while !over {
                backend.wait(100)?;
                let (mut accepts, mut reads) = (false, false);
                backend.each(|token| match token {
                    0 => accepts = true,
                    1 => reads = true,
                    _ => {}
                });
                if accepts && server.is_none() {
                    if let Accepted::Connection(fd, _) = accept(listener.as_fd()) {
                        backend.add(fd.as_fd(), 1)?;
                        server = Some(fd);
                    }
                }
                if let (true, Some(fd)) = (reads, &server) {
                    let mut room = [0; 64];
                    if let Io::Done(_) = recv(fd.as_fd(), &mut room) {
                        backend.closing(fd.as_fd(), 1)?;
                        over = true;
                    }
                }
                lost(started)?;
            }
            drop(server);
            drop(client);
            times.push(begun.elapsed().as_nanos() as f64);
        }
        Ok(median(&mut times))
    }
}

/// A connection on which a byte was sent. Its close is a reset, which leaves nothing in TIME-WAIT.
fn speaking_client(address: &Address) -> io::Result<OwnedFd> {
    let (client, _) = gorgon_sys::connect(address)?;
    gorgon_sys::reset_on_close(client.as_fd())?;
    let begun = Instant::now();
    loop {
        match send(client.as_fd(), b"c") {
            Io::Done(_) => return Ok(client),
            Io::Blocked => lost(begun)?,
            Io::Failed(error) => return Err(error.into()),
            Io::Ended => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

struct Ending;

impl Handler for Ending {
    fn received(&mut self, _token: u32, _count: usize) {}

    fn ends(&self) -> bool {
        true
    }
}

fn churn_engine(call: PollerKind, pairs: Pairs, time: Duration) -> io::Result<f64> {
    let (listener, address) = listener()?;
    let address = Address::Ip(address);
    let mut engine = Engine::new(call, Ending)?;
    for reader in pairs.readers {
        engine.add(reader)?;
    }
    engine.open_all()?;
    engine.listen(listener)?;
    let end = Instant::now() + time;
    let mut times = Vec::with_capacity(MOST);
    while times.len() < MOST && Instant::now() < end {
        let (begun, before) = (Instant::now(), engine.closed());
        let client = speaking_client(&address)?;
        let started = Instant::now();
        while engine.closed() == before {
            engine.turn(false)?;
            lost(started)?;
        }
        drop(client);
        times.push(begun.elapsed().as_nanos() as f64);
    }
    Ok(median(&mut times))
}
