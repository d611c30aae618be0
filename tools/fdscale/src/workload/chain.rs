//! libevent's benchmark (Provos, Libenzi): N socket pairs, all watched; A bytes set out, spread over them; each byte that
//! is read sends one to the next pair, until W were written.
//!
//! What is sent is sent at the end of a pass: all bytes take their steps together, and each wait finds A events, whether
//! a backend reads one byte at a time or all there are.
//!
//! A pass is one wait and the handling of what it found. With one active, a pass is one event, and its cost beyond that of
//! the sockets alone is the price of those that idle.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use gorgon_sys::{Io, PollerKind, recv, send};

use crate::backend::engine::{Engine, Handler};
use crate::backend::{Backend, Family, Kind, Visitor};

/// After this long without an event while one is due, it is lost.
pub const LOST: Duration = Duration::from_secs(2);

/// The sockets: what is written to the `n`th writer is read from the `n`th reader.
#[derive(Default)]
pub struct Pairs {
    /// Watched.
    pub readers: Vec<OwnedFd>,
    /// As many as readers, or fewer: those beyond them idle for ever.
    pub writers: Vec<OwnedFd>,
}

impl Pairs {
    /// Makes so many pairs, or as many as the system lets, and what it said then.
    pub fn make(count: u64) -> (Pairs, Option<io::Error>) {
        let mut pairs = Pairs::default();
        for _ in 0..count {
            match gorgon_sys::pair() {
                Ok((reader, writer)) => {
                    pairs.readers.push(reader);
                    pairs.writers.push(writer);
                }
                Err(error) => return (pairs, Some(error.into())),
            }
        }
        (pairs, None)
    }
}

/// The bytes on their way.
pub struct Chain {
    writers: Vec<OwnedFd>,
    /// Who is written to at the end of the pass.
    next: Vec<u32>,
    left: u64,
    sent: u64,
    received: u64,
    /// Reads that found nothing: events that were none.
    pub spurious: u64,
    /// The first thing that went wrong.
    pub failure: Option<String>,
}

impl Chain {
    /// A chain over these sockets that stands still.
    pub fn new(writers: Vec<OwnedFd>) -> Chain {
        Chain { writers, next: Vec::new(), left: 0, sent: 0, received: 0, spurious: 0, failure: None }
    }

    /// Sends `active` bytes, spread over all, on a way of `writes` in all.
    fn start(&mut self, active: u64, writes: u64) {
        (self.left, self.sent, self.received) = (writes.max(active), 0, 0);
        self.next.clear();
        let count = self.writers.len() as u64;
        let step = count.checked_div(active).unwrap_or(1).max(1);
        for number in 0..active.min(count) {
            self.left -= 1;
            self.send(number * step % count.max(1));
        }
    }

    fn send(&mut self, to: u64) {
        let Some(writer) = usize::try_from(to).ok().and_then(|to| self.writers.get(to)) else { return };
        match send(writer.as_fd(), b"e") {
            Io::Done(_) => self.sent += 1,
            _ => self.fail(|| format!("cannot write to socket {to}")),
        }
    }

    fn fail(&mut self, text: impl FnOnce() -> String) {
        self.left = 0;
        if self.failure.is_none() {
            self.failure = Some(text());
        }
    }

    /// What follows from so many bytes read from a socket.
    #[inline]
    pub fn step(&mut self, token: u32, count: usize) {
        self.received += count as u64;
        for _ in 0..count {
            if self.left > 0 {
                self.left -= 1;
                self.next.push(if token as usize + 1 == self.writers.len() { 0 } else { token + 1 });
            }
        }
    }

    /// Ends a pass: sends what follows from it.
    #[inline]
    fn send_next(&mut self) {
        let mut next = std::mem::take(&mut self.next);
        for to in next.drain(..) {
            self.send(to.into());
        }
        self.next = next;
    }

    /// Reads from a socket that is said to be ready.
    #[inline]
    fn read(&mut self, reader: Option<&OwnedFd>, token: u32) {
        let mut room = [0; 64];
        match reader.map(|reader| recv(reader.as_fd(), &mut room)) {
            Some(Io::Done(count)) => self.step(token, count),
            Some(Io::Blocked) => self.spurious += 1,
            _ => self.fail(|| format!("cannot read from socket {token}")),
        }
    }

    fn is_over(&self) -> bool {
        (self.left == 0 && self.received >= self.sent && self.next.is_empty()) || self.failure.is_some()
    }
}

impl Handler for Chain {
    fn received(&mut self, token: u32, count: usize) {
        self.step(token, count);
    }
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Bytes on their way at a time.
    pub active: u64,
    /// Most writes.
    pub writes: u64,
    /// No more writes after this time.
    pub time: Duration,
    /// Waits are made to last until the next deadline, and every descriptor has one, renewed at each event.
    pub timeouts: bool,
}

/// What a run came to, in nanoseconds by a clock on the wall; each is the median of the run, for what interrupts a run takes
/// a few passes and leaves the others as they are. (The kernel's count of a thread's time is no help: what the host
/// of a virtual machine steals is taken off it, sometimes from the wrong run.)
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    /// A wait and what follows from it.
    pub pass: f64,
    /// An event.
    pub event: f64,
    /// The wait alone, where it was looked at.
    pub wait: f64,
}

/// Times a run in laps of some passes, and looks after its end: when its time is over, and when nothing happens any
/// more.
struct Laps {
    begun: Instant,
    time: Duration,
    lap: Instant,
    /// Passes of this lap, and of every lap.
    passes: u32,
    each: u32,
    /// Laps in a row that were long enough.
    long: u32,
    received: u64,
    moved: Instant,
    pass: Vec<f64>,
    event: Vec<f64>,
}

/// Laps last so long at least, so that reading the clock is nothing beside them.
const LAP: Duration = Duration::from_micros(8);
/// After so many laps in a row that are long enough, all are.
const SETTLED: u32 = 4;

impl Laps {
    fn new(time: Duration) -> Laps {
        let now = Instant::now();
        let (pass, event) = (Vec::with_capacity(4096), Vec::with_capacity(4096));
        Laps { begun: now, time, lap: now, passes: 0, each: 1, long: 0, received: 0, moved: now, pass, event }
    }

    /// Ends a pass.
    #[inline]
    fn pass(&mut self, chain: &mut Chain) {
        self.passes += 1;
        if self.passes >= self.each {
            self.look(chain);
        }
    }

    fn look(&mut self, chain: &mut Chain) {
        let now = Instant::now();
        let (length, events) = (now.duration_since(self.lap), chain.received - self.received);
        if events > 0 {
            let length = length.as_nanos() as f64;
            self.pass.push(length / f64::from(self.passes));
            self.event.push(length / events as f64);
            self.moved = now;
        } else if now.duration_since(self.moved) >= LOST {
            let missing = chain.sent.saturating_sub(chain.received);
            chain.fail(|| format!("an event was lost: {missing} bytes are on their way, and nobody is told"));
        }
        if now.duration_since(self.begun) >= self.time {
            chain.left = 0;
        }
        if self.long < SETTLED && length < LAP && self.each < 64 {
            (self.each, self.long) = (self.each * 2, 0);
            // What was measured in shorter laps is mostly the clock.
            self.pass.clear();
            self.event.clear();
        } else {
            self.long += 1;
        }
        (self.lap, self.passes, self.received) = (now, 0, chain.received);
    }

    /// Ends the run.
    fn finish(mut self, chain: &mut Chain) -> io::Result<Run> {
        if let Some(failure) = chain.failure.take() {
            return Err(io::Error::other(failure));
        }
        if self.pass.is_empty() && chain.received > self.received {
            self.look(chain);
        }
        Ok(Run { pass: median(&mut self.pass), event: median(&mut self.event), wait: f64::NAN })
    }
}

/// The median of these; not a number of none, which no point is made of.
pub fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return f64::NAN;
    }
    values.sort_by(f64::total_cmp);
    crate::sample::quantile(values, 0.5)
}

/// Runs the chain over a backend that watches all readers.
///
/// # Errors
/// The backend's, or the chain's failure.
pub fn run<B: Backend>(
    backend: &mut B,
    readers: &[OwnedFd],
    chain: &mut Chain,
    plan: &Plan,
    waits: bool,
) -> io::Result<Run> {
    let (mut waited, mut told) = (Vec::new(), Vec::new());
    let mut deadlines = if plan.timeouts { vec![Instant::now(); readers.len()] } else { Vec::new() };
    chain.start(plan.active, plan.writes);
    let mut laps = Laps::new(plan.time);
    while !chain.is_over() {
        if waits {
            let before = Instant::now();
            backend.wait(0)?;
            waited.push(before.elapsed().as_nanos() as f64);
        } else {
            // Long enough to be a real wait; a lost event shall be noticed.
            backend.wait(if plan.timeouts { 500 } else { 0 })?;
        }
        if plan.timeouts {
            let now = Instant::now();
            let own = backend.has_timers();
            told.clear();
            backend.each(|token| told.push(token));
            for token in &told {
                chain.read(readers.get(*token as usize), *token);
                if own {
                    backend.renew(*token);
                } else if let Some(deadline) = deadlines.get_mut(*token as usize) {
                    *deadline = now;
                }
            }
        } else {
            backend.each(|token| chain.read(readers.get(token as usize), token));
        }
        chain.send_next();
        laps.pass(chain);
    }
    Ok(Run { wait: median(&mut waited), ..laps.finish(chain)? })
}

/// Runs the chain over the engine, which watches all readers and owns the chain.
///
/// # Errors
/// The engine's, or the chain's failure.
pub fn run_engine(engine: &mut Engine<Chain>, plan: &Plan) -> io::Result<Run> {
    engine.handler().start(plan.active, plan.writes);
    let mut laps = Laps::new(plan.time);
    while !engine.handler().is_over() {
        engine.turn(!plan.timeouts)?;
        engine.handler().send_next();
        laps.pass(engine.handler());
    }
    laps.finish(engine.handler())
}

/// Runs the chain over the sockets alone: each write is read at once, and nobody waits.
///
/// # Errors
/// The chain's failure.
pub fn run_alone(readers: &[OwnedFd], chain: &mut Chain, plan: &Plan) -> io::Result<Run> {
    let count = chain.writers.len().min(readers.len()) as u64;
    let step = count.checked_div(plan.active).unwrap_or(1).max(1);
    chain.start(plan.active, plan.writes);
    let mut laps = Laps::new(plan.time);
    let mut at = 0;
    while !chain.is_over() {
        for number in 0..plan.active.min(count) {
            let token = ((number * step + at) % count.max(1)) as u32;
            if chain.received < chain.sent {
                chain.read(readers.get(token as usize), token);
            }
        }
        at += 1;
        chain.send_next();
        laps.pass(chain);
    }
    laps.finish(chain)
}

/// What one backend needed for one number of descriptors.
#[derive(Debug, Default)]
pub struct Sample {
    /// Nanoseconds to begin to watch one; 0 if they were watched already.
    pub register: f64,
    /// Of each number of active ones: the whole, and with an eye on the waits where that can be told apart.
    pub runs: Vec<(u64, Run, Option<Run>)>,
}

/// Measures backends over the same sockets, which are closed: each that only borrows them twice, in this order and the
/// other way round, and then the engine, which takes them for its own. Gives what came of each run.
pub fn sample(kinds: &[Kind], pairs: Pairs, plans: &[Plan]) -> Vec<(Kind, io::Result<Sample>)> {
    let Pairs { readers, writers } = pairs;
    let mut chain = Chain::new(writers);
    let mut results: Vec<(Kind, io::Result<Sample>)> = Vec::new();
    for kind in kinds.iter().chain(kinds.iter().rev()) {
        if kind.family == Family::Engine
            || results.iter().any(|(other, result)| other == kind && result.is_err())
        {
            continue;
        }
        let direct = Direct { readers: &readers, chain: &mut chain, plans };
        let result = kind.visit(direct).and_then(|result| result);
        let failed = result.as_ref().is_err_and(is_wrong);
        results.push((*kind, result));
        if failed {
            // Bytes of the failed run may be on their way still.
            return results;
        }
    }
    let engine = kinds.iter().find(|kind| kind.family == Family::Engine);
    if let Some((kind, call)) = engine.and_then(|kind| Some((*kind, kind.call?))) {
        match sample_engine(call, readers, chain, plans) {
            Ok(samples) => results.extend(samples.into_iter().map(|sample| (kind, Ok(sample)))),
            Err(error) => results.push((kind, Err(error))),
        }
    }
    results
}

/// Whether an error says that a backend was wrong, and not that something is lacking.
pub fn is_wrong(error: &io::Error) -> bool {
    error.raw_os_error().is_none() && error.kind() == io::ErrorKind::Other
}

struct Direct<'a> {
    readers: &'a [OwnedFd],
    chain: &'a mut Chain,
    plans: &'a [Plan],
}

/// A short run, so that what follows finds all in its place.
fn warm(plan: &Plan) -> Plan {
    Plan { writes: plan.writes / 4 + 1, time: plan.time / 4, ..*plan }
}

impl Visitor for Direct<'_> {
    type Outcome = io::Result<Sample>;

    fn visit<B: Backend>(self, mut backend: B) -> io::Result<Sample> {
        let Direct { readers, chain, plans } = self;
        let begun = Instant::now();
        for (token, reader) in (0..).zip(readers) {
            backend.add(reader.as_fd(), token)?;
        }
        let register = per_one(begun, readers.len());
        if backend.has_timers() && plans.iter().any(|plan| plan.timeouts) {
            (0..).zip(readers).for_each(|(token, _)| backend.renew(token));
        }
        let mut sample = Sample { register, runs: Vec::new() };
        for plan in plans {
            run(&mut backend, readers, chain, &warm(plan), false)?;
            let whole = run(&mut backend, readers, chain, plan, false)?;
            let split = run(&mut backend, readers, chain, &warm(plan), true)?;
            sample.runs.push((plan.active, whole, Some(split)));
        }
        Ok(sample)
    }
}

/// Nanoseconds since then for one of so many.
fn per_one(begun: Instant, count: usize) -> f64 {
    begun.elapsed().as_nanos() as f64 / count.max(1) as f64
}

/// As many runs as the others have, the first with what it took to begin.
fn sample_engine(
    call: PollerKind,
    readers: Vec<OwnedFd>,
    chain: Chain,
    plans: &[Plan],
) -> io::Result<[Sample; 2]> {
    let count = readers.len();
    let mut engine = Engine::new(call, chain)?;
    let begun = Instant::now();
    for reader in readers {
        engine.add(reader)?;
    }
    engine.open_all()?;
    let mut samples = [Sample { register: per_one(begun, count), runs: Vec::new() }, Sample::default()];
    for sample in &mut samples {
        for plan in plans {
            run_engine(&mut engine, &warm(plan))?;
            sample.runs.push((plan.active, run_engine(&mut engine, plan)?, None));
        }
    }
    Ok(samples)
}
