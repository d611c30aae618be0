//! Which measurements are made, in which order, and how long they may take.

use std::io;
use std::time::{Duration, Instant};

use crate::arguments::Options;
use crate::backend::Kind;
use crate::limits;
use crate::progress::Progress;
use crate::record::Stop;
use crate::sample::{Curve, Dice, Sheet};
use crate::workload;
use crate::workload::chain::{Chain, Pairs, Plan};

/// Pairs that are let go of at a limit, so that the rest of the program has descriptors.
const ROOM: u64 = 8;
/// No more descriptors than this, though no limit be met.
const MOST: u64 = 1 << 24;

/// All that a measurement needs and fills.
pub struct Bench {
    /// What was asked for.
    pub options: Options,
    /// What was measured.
    pub sheet: Sheet,
    /// The first limit that was met.
    pub stopped: Option<Stop>,
    /// The order of runs.
    pub dice: Dice,
    /// How far it is.
    pub progress: Progress,
    /// When the workload that is being measured shall be done.
    pub end: Instant,
}

impl Bench {
    /// Nothing measured yet.
    pub fn new(options: Options) -> Bench {
        let (dice, progress) = (Dice::new(options.seed), Progress::new(options.quiet));
        Bench { options, sheet: Sheet::default(), stopped: None, dice, progress, end: Instant::now() }
    }

    /// Measures all workloads.
    ///
    /// # Errors
    /// When a backend was wrong: what it said is worth nothing then.
    pub fn run(&mut self) -> io::Result<()> {
        let weight = |name: &str| if name == "chain" { 4.0 } else { 1.0 };
        let workloads = self.options.workloads.clone();
        let whole: f64 = workloads.iter().map(|name| weight(name)).sum();
        let last = Instant::now() + Duration::from_secs(self.options.seconds);
        let mut before = 0.0;
        for name in &workloads {
            let left = last.saturating_duration_since(Instant::now());
            // What others did not use is there for those that come later.
            let share = weight(name) / (whole - before);
            self.end = Instant::now() + left.mul_f64(share.min(1.0));
            self.progress.part(before / whole, (before + weight(name)) / whole);
            self.workload(name)?;
            before += weight(name);
        }
        self.progress.clear();
        Ok(())
    }

    fn workload(&mut self, name: &str) -> io::Result<()> {
        match name {
            "chain" => self.chain("chain", false),
            "chain-timeouts" => self.chain("chain-timeouts", true),
            _ => workload::run(self, name),
        }
    }

    /// The backends asked for.
    pub fn kinds(&self) -> Vec<Kind> {
        let all = Kind::all(&self.options.with);
        all.into_iter().filter(|kind| self.options.wants(&kind.name())).collect()
    }

    /// Notes that a limit was met. The first counts.
    pub fn stop(&mut self, stop: Stop) {
        self.stopped.get_or_insert(stop);
    }

    /// The next number of descriptors after `last` that is asked for.
    pub fn next_place(&self, last: u64) -> Option<u64> {
        let listed = self.options.descriptors.iter().find(|number| **number > last).copied();
        match listed {
            None if self.options.to_the_limit => last.checked_mul(2).filter(|next| *next <= MOST),
            other => other,
        }
    }

    /// How many pairs there can be, up to `wanted`; fewer only if a limit is met, which is noted.
    fn fit(&mut self, wanted: u64) -> u64 {
        let mut fit = wanted;
        if let Err(stop) = limits::memory_for(wanted) {
            fit = stop.reached;
            self.stop(stop);
        }
        let (pairs, error) = Pairs::make(fit);
        let made = pairs.readers.len() as u64;
        drop(pairs);
        let Some(error) = error else { return fit };
        fit = made.saturating_sub(ROOM);
        let stop = limits::met(&error, fit, wanted).unwrap_or_else(|| Stop {
            limit: "unknown".to_owned(),
            reached: fit,
            wanted,
            error: error.to_string(),
        });
        self.stop(stop);
        fit
    }

    /// libevent's benchmark, of each number of descriptors asked for.
    fn chain(&mut self, workload: &'static str, timeouts: bool) -> io::Result<()> {
        let mut last = 0;
        while let Some(wanted) = self.next_place(last) {
            let fit = self.fit(wanted);
            if fit > last {
                // The larger numbers take longer, and are what it is about.
                let later = self.options.descriptors.iter().filter(|number| **number > wanted).count() as f64;
                let left = self.end.saturating_duration_since(Instant::now());
                let end = Instant::now() + left.div_f64(1.0 + later);
                let share = 1.0 / (1.0 + later);
                self.chain_of(workload, timeouts, fit, end, share)?;
            }
            if fit < wanted {
                break;
            }
            last = wanted;
        }
        Ok(())
    }

    /// libevent's benchmark of one number of descriptors.
    fn chain_of(
        &mut self,
        workload: &'static str,
        timeouts: bool,
        count: u64,
        end: Instant,
        share: f64,
    ) -> io::Result<()> {
        let time = Duration::from_millis(if self.options.quick { 10 } else { 40 });
        let mut plans: Vec<Plan> = Vec::new();
        for active in &self.options.active {
            let active = (*active).min(count);
            let writes = self.options.writes.unwrap_or_else(|| 1000.max(10 * active));
            if plans.iter().all(|plan| plan.active != active) {
                // Writes that were asked for are made, if it takes an hour; but not more than that.
                let time = if self.options.writes.is_some() { Duration::from_secs(3600) } else { time };
                plans.push(Plan { active, writes, time, timeouts });
            }
        }
        let mut kinds = self.kinds();
        let begun = Instant::now();
        for round in 0..self.options.rounds {
            if round > 0 && Instant::now() >= end {
                break;
            }
            self.dice.shuffle(&mut kinds);
            let mut groups = Kind::groups(&kinds);
            self.dice.shuffle(&mut groups);
            for (at, group) in groups.iter().enumerate() {
                let by_rounds =
                    (f64::from(round) + at as f64 / groups.len() as f64) / f64::from(self.options.rounds);
                let whole = end.saturating_duration_since(begun).as_secs_f64().max(0.001);
                let by_time = begun.elapsed().as_secs_f64() / whole;
                let done = by_rounds.max(by_time).min(1.0);
                let call = group.first().and_then(|kind| kind.call).map_or("", |call| call.name());
                self.progress.tell(1.0 - share + share * done, &format!("{workload} {count} {call}"));
                let (pairs, error) = Pairs::make(count);
                let failed = match error {
                    Some(error) => {
                        self.skip(workload, group.first().copied(), count, &plans, &error);
                        group.clone()
                    }
                    None => self.chain_once(workload, group, pairs, count, &plans)?,
                };
                kinds.retain(|kind| !failed.contains(kind));
            }
            if !timeouts {
                self.sockets_once(workload, count, &plans)?;
            }
        }
        Ok(())
    }

    /// Runs backends over these sockets; gives those that can not have another run.
    ///
    /// # Errors
    /// When one was wrong.
    pub fn chain_once(
        &mut self,
        workload: &'static str,
        group: &[Kind],
        pairs: Pairs,
        count: u64,
        plans: &[Plan],
    ) -> io::Result<Vec<Kind>> {
        let mut failed = Vec::new();
        for (kind, result) in workload::chain::sample(group, pairs, plans) {
            let curve = |measure: &'static str, active: u64| Curve {
                workload,
                measure,
                unit: "ns",
                backend: kind.name(),
                active,
            };
            match result {
                Ok(sample) => {
                    if workload == "chain" && sample.register > 0.0 {
                        self.sheet.note(&curve("register", 0), count, sample.register);
                    }
                    for (active, whole, split) in sample.runs {
                        self.sheet.note(&curve("pass", active), count, whole.pass);
                        if active > 1 {
                            self.sheet.note(&curve("event", active), count, whole.event);
                        }
                        if let Some(split) = split {
                            self.sheet.note(&curve("wait", active), count, split.wait);
                        }
                    }
                }
                // It was wrong: said by the chain, not by the system.
                Err(error) if workload::chain::is_wrong(&error) => {
                    return Err(io::Error::other(format!(
                        "{} with {count} descriptors: {error}",
                        kind.name()
                    )));
                }
                Err(error) => {
                    self.skip(workload, Some(kind), count, plans, &error);
                    failed.push(kind);
                }
            }
        }
        Ok(failed)
    }

    /// Notes why a backend has no more points, and the limit if it was one.
    pub fn skip(
        &mut self,
        workload: &'static str,
        kind: Option<Kind>,
        count: u64,
        plans: &[Plan],
        error: &io::Error,
    ) {
        let Some(kind) = kind else { return };
        for plan in plans {
            let curve =
                Curve { workload, measure: "pass", unit: "ns", backend: kind.name(), active: plan.active };
            self.sheet.skip(&curve, &format!("at {count}: {error}"));
        }
        if let Some(stop) = limits::met(error, 0, count) {
            self.stop(stop);
        }
    }

    /// The sockets alone, without waiting.
    fn sockets_once(&mut self, workload: &'static str, count: u64, plans: &[Plan]) -> io::Result<()> {
        let (pairs, error) = Pairs::make(count);
        if error.is_some() {
            return Ok(());
        }
        let mut chain = Chain::new(pairs.writers);
        for plan in plans {
            workload::chain::run_alone(&pairs.readers, &mut chain, plan)?;
            let run = workload::chain::run_alone(&pairs.readers, &mut chain, plan)?;
            let (active, backend) = (plan.active, "sockets".to_owned());
            self.sheet.note(
                &Curve { workload, measure: "io", unit: "ns", backend, active },
                count,
                run.event,
            );
        }
        Ok(())
    }
}
