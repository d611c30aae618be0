//! Whether backends tell the truth: each against a model that knows what is ready, through some hundred random steps.
//!
//! Right is: all that is ready is told, within as many waits as it takes for all to have their turn; nothing else is; in
//! one wait nothing is told twice; what is not used up is told again; what is watched no more is not told; a wait with
//! nothing to tell ends when its time is over, and not before.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use gorgon_sys::{Io, PollerKind, recv, send};

use crate::arguments::Options;
use crate::backend::engine::{Engine, Handler};
use crate::backend::{Backend, Family, Kind, TURN, Visitor};
use crate::sample::Dice;
use crate::workload::chain::{LOST, Pairs};

/// So many that some are beyond the 1,024 of the usual select, where the limit lets.
const MANY: u64 = 1200;
const STEPS: usize = 60;

/// What came of checking one backend.
#[derive(Debug)]
pub struct Outcome {
    /// Its name.
    pub backend: String,
    /// What was looked at, or what is wrong.
    pub result: Result<String, String>,
}

/// Checks all backends asked for.
pub fn all(options: &Options) -> Vec<Outcome> {
    let kinds = Kind::all(&options.with).into_iter().filter(|kind| options.wants(&kind.name()));
    let steps = if options.quick { STEPS / 3 } else { STEPS };
    kinds.map(|kind| Outcome { backend: kind.name(), result: one(kind, options.seed, steps) }).collect()
}

fn one(kind: Kind, seed: u64, steps: usize) -> Result<String, String> {
    let mut dice = Dice::new(seed);
    let mut looked_at = Vec::new();
    for wanted in [1, 40, MANY] {
        let (mut pairs, error) = Pairs::make(wanted);
        if error.is_some() {
            // As many as there can be, and a few descriptors for the backend.
            let left = pairs.readers.len().saturating_sub(8);
            pairs.readers.truncate(left);
            pairs.writers.truncate(left);
        }
        if (cfg!(target_vendor = "apple") || kind.family == Family::Libevent)
            && kind.call == Some(PollerKind::Select)
        {
            pairs.readers.truncate(400);
            pairs.writers.truncate(400);
        }
        let count = pairs.readers.len();
        if count == 0 || looked_at.contains(&count.to_string()) {
            continue;
        }
        let wrong = |fault: String| format!("with {count} descriptors: {fault}");
        match (kind.family, kind.call) {
            (Family::Engine, Some(call)) => check_engine(call, pairs, &mut dice, steps),
            _ => match kind.visit(Check { pairs, dice: &mut dice, steps }) {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                    return Ok(format!("left out: {error}"));
                }
                outcome => outcome.unwrap_or_else(|error| Err(error.to_string())),
            },
        }
        .map_err(wrong)?;
        looked_at.push(count.to_string());
    }
    if looked_at.is_empty() {
        return Err("no descriptors to check it with".to_owned());
    }
    Ok(format!("right in {steps} steps with {} descriptors", looked_at.join(", ")))
}

struct Check<'a> {
    pairs: Pairs,
    dice: &'a mut Dice,
    steps: usize,
}

impl Visitor for Check<'_> {
    type Outcome = Result<(), String>;

    fn visit<B: Backend>(self, backend: B) -> Result<(), String> {
        examine(backend, &self.pairs, self.dice, self.steps)
    }
}

fn system(error: io::Error) -> String {
    error.to_string()
}

/// What is told within as many waits as it takes for all of `count` to have their turn.
fn told<B: Backend>(backend: &mut B, count: usize) -> Result<BTreeSet<u32>, String> {
    let mut all = BTreeSet::new();
    for _ in 0..count / TURN + 2 {
        backend.wait(0).map_err(system)?;
        let mut now = Vec::new();
        backend.each(|token| now.push(token));
        let once: BTreeSet<u32> = now.iter().copied().collect();
        if once.len() != now.len() {
            return Err("one wait told the same descriptor twice".to_owned());
        }
        all.extend(once);
    }
    Ok(all)
}

fn compare(found: &BTreeSet<u32>, expected: &BTreeSet<u32>, when: &str) -> Result<(), String> {
    if let Some(lost) = expected.difference(found).next() {
        return Err(format!("{when}: socket {lost} is ready and was not told"));
    }
    if let Some(invented) = found.difference(expected).next() {
        return Err(format!("{when}: socket {invented} was told and is not ready"));
    }
    Ok(())
}

fn read_one(reader: Option<&OwnedFd>) -> bool {
    let mut room = [0; 16];
    reader.is_some_and(|reader| matches!(recv(reader.as_fd(), &mut room), Io::Done(1)))
}

/// Holds a backend against the model.
///
/// # Errors
/// What is wrong with it.
pub fn examine<B: Backend>(
    mut backend: B,
    pairs: &Pairs,
    dice: &mut Dice,
    steps: usize,
) -> Result<(), String> {
    let count = pairs.readers.len();
    let level = backend.is_level_triggered();
    for (token, reader) in (0..).zip(&pairs.readers) {
        backend.add(reader.as_fd(), token).map_err(system)?;
    }
    // Ready now; each has one byte.
    let mut ready: BTreeSet<u32> = BTreeSet::new();
    for step in 0..steps {
        let density = [1, count as u64 / 10 + 1, count as u64].get(step % 3).copied().unwrap_or(1);
        let mut fresh = BTreeSet::new();
        for _ in 0..dice.below(density) + 1 {
            let token = dice.below(count as u64) as u32;
            if ready.contains(&token) || fresh.contains(&token) {
                continue;
            }
            let Some(writer) = pairs.writers.get(token as usize) else { continue };
            let Io::Done(1) = send(writer.as_fd(), b"x") else { return Err("cannot write".to_owned()) };
            fresh.insert(token);
        }
        ready.extend(&fresh);
        compare(&told(&mut backend, count)?, if level { &ready } else { &fresh }, "after writes")?;
        if level {
            compare(&told(&mut backend, count)?, &ready, "not read since")?;
            remove_and_add(&mut backend, pairs, dice, &ready)?;
        }
        let used: Vec<u32> =
            ready.iter().copied().filter(|_| step % 3 == 2 || !level || dice.below(2) == 0).collect();
        for token in used {
            ready.remove(&token);
            if !read_one(pairs.readers.get(token as usize)) {
                return Err(format!("socket {token} has nothing to read"));
            }
        }
        let rest = if level { ready.clone() } else { BTreeSet::new() };
        compare(&told(&mut backend, count)?, &rest, "after reads")?;
    }
    for token in &ready {
        read_one(pairs.readers.get(*token as usize));
    }
    compare(&told(&mut backend, count)?, &BTreeSet::new(), "at the end")?;
    let begun = Instant::now();
    backend.wait(50).map_err(system)?;
    let waited = begun.elapsed();
    backend.each(|_| {});
    if waited < Duration::from_millis(40) || waited > LOST {
        return Err(format!("a wait of 50 ms with nothing ready took {} ms", waited.as_millis()));
    }
    for (token, reader) in (0..).zip(&pairs.readers) {
        backend.remove(reader.as_fd(), token).map_err(system)?;
    }
    Ok(())
}

/// One that is not watched is not told, whether it is ready or not, and is told when it is watched again.
fn remove_and_add<B: Backend>(
    backend: &mut B,
    pairs: &Pairs,
    dice: &mut Dice,
    ready: &BTreeSet<u32>,
) -> Result<(), String> {
    let count = pairs.readers.len();
    let token = dice.below(count as u64) as u32;
    let Some(reader) = pairs.readers.get(token as usize) else { return Ok(()) };
    backend.remove(reader.as_fd(), token).map_err(system)?;
    let mut rest = ready.clone();
    rest.remove(&token);
    compare(&told(backend, count)?, &rest, "watched no more")?;
    backend.add(reader.as_fd(), token).map_err(system)?;
    compare(&told(backend, count)?, ready, "watched again")
}

/// Counts what each connection received.
struct Counts(Vec<u64>);

impl Handler for Counts {
    fn received(&mut self, token: u32, count: usize) {
        if let Some(sum) = self.0.get_mut(token as usize) {
            *sum += count as u64;
        }
    }
}

/// Holds the loop against the model: each connection receives what was sent to it, and none else; what does not fit in one
/// read comes with the next.
fn check_engine(call: PollerKind, pairs: Pairs, dice: &mut Dice, steps: usize) -> Result<(), String> {
    let count = pairs.readers.len();
    let mut engine = Engine::new(call, Counts(vec![0; count])).map_err(system)?;
    for reader in pairs.readers {
        engine.add(reader).map_err(system)?;
    }
    engine.open_all().map_err(system)?;
    let mut sent = vec![0; count];
    let bytes = [b'x'; 9000];
    for step in 0..steps {
        let density = [1, count as u64 / 10 + 1, count as u64].get(step % 3).copied().unwrap_or(1);
        for _ in 0..dice.below(density) + 1 {
            let token = dice.below(count as u64) as usize;
            let length = dice.below(if step % 2 == 0 { 1 } else { bytes.len() as u64 }) as usize + 1;
            let (Some(writer), Some(sum)) = (pairs.writers.get(token), sent.get_mut(token)) else { continue };
            match send(writer.as_fd(), bytes.get(..length).unwrap_or_default()) {
                Io::Done(count) => *sum += count as u64,
                Io::Blocked => {}
                _ => return Err("cannot write".to_owned()),
            }
        }
        let begun = Instant::now();
        while engine.handler().0 != sent {
            engine.turn(true).map_err(system)?;
            let told = &engine.handler().0;
            if let Some(token) = told.iter().zip(&sent).position(|(told, sent)| told > sent) {
                return Err(format!("connection {token} received what was not sent to it"));
            }
            if begun.elapsed() > LOST {
                let lost = told.iter().zip(&sent).position(|(told, sent)| told < sent);
                return Err(format!("connection {} is ready and was not read", lost.unwrap_or(0)));
            }
        }
        engine.turn(true).map_err(system)?;
        if engine.handler().0 != sent {
            return Err("something was received that was not sent".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::raw_poll::RawPoll;
    use crate::workload::chain;
    use std::os::fd::BorrowedFd;

    /// What a backend that does not tell the truth does.
    #[derive(Clone, Copy)]
    enum Lie {
        None,
        Loses(u32),
        Invents(u32),
        Repeats,
        TellsOnce,
        ForgetsNothing,
        NeverWaits,
    }

    struct Liar {
        poll: RawPoll,
        lie: Lie,
        told: BTreeSet<u32>,
        removed: BTreeSet<u32>,
    }

    impl Liar {
        fn new(lie: Lie) -> Liar {
            Liar { poll: RawPoll::default(), lie, told: BTreeSet::new(), removed: BTreeSet::new() }
        }
    }

    impl Backend for Liar {
        fn add(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
            if self.removed.remove(&token) {
                return Ok(());
            }
            self.poll.add(fd, token)
        }

        fn remove(&mut self, fd: BorrowedFd<'_>, token: u32) -> io::Result<()> {
            if let Lie::ForgetsNothing = self.lie {
                self.removed.insert(token);
                return Ok(());
            }
            self.poll.remove(fd, token)
        }

        fn wait(&mut self, milliseconds: i32) -> io::Result<()> {
            self.poll.wait(if let Lie::NeverWaits = self.lie { 0 } else { milliseconds })
        }

        fn each(&mut self, mut handle: impl FnMut(u32)) {
            let (lie, told) = (self.lie, &mut self.told);
            if let Lie::Invents(token) = lie {
                handle(token);
            }
            self.poll.each(|token| match lie {
                Lie::Loses(lost) if lost == token => {}
                Lie::Invents(invented) if invented == token => {}
                Lie::TellsOnce if !told.insert(token) => {}
                Lie::Repeats => {
                    handle(token);
                    handle(token);
                }
                _ => handle(token),
            });
        }
    }

    fn pairs(count: u64) -> Pairs {
        let (pairs, error) = Pairs::make(count);
        assert!(error.is_none());
        pairs
    }

    #[test]
    fn lies_are_found_out() {
        let check = |lie| examine(Liar::new(lie), &pairs(20), &mut Dice::new(5), 40);
        assert_eq!(check(Lie::None), Ok(()));
        for (lie, part) in [
            (Lie::Loses(7), "socket 7 is ready and was not told"),
            (Lie::Invents(3), "socket 3 was told and is not ready"),
            (Lie::Repeats, "twice"),
            (Lie::TellsOnce, "not read since: socket"),
            (Lie::ForgetsNothing, "watched no more: socket"),
            (Lie::NeverWaits, "a wait of 50 ms"),
        ] {
            let fault = check(lie).unwrap_err();
            assert!(fault.contains(part), "{fault}");
        }
    }

    #[test]
    fn a_stuck_descriptor_ends_a_run() {
        let Pairs { readers, writers } = pairs(20);
        let mut chain = chain::Chain::new(writers);
        let mut backend = Liar::new(Lie::Loses(7));
        for (token, reader) in (0..).zip(&readers) {
            backend.add(reader.as_fd(), token).unwrap();
        }
        let plan = chain::Plan { active: 1, writes: 1000, time: Duration::from_secs(60), timeouts: false };
        let begun = Instant::now();
        let error = chain::run(&mut backend, &readers, &mut chain, &plan, false).unwrap_err();
        assert!(error.to_string().contains("1 bytes are on their way"), "{error}");
        assert!(begun.elapsed() < 10 * LOST);
        assert!(chain::is_wrong(&error));
    }
}
