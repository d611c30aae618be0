//! Measures how waiting for many descriptors grows on this host, where it ends, and what sets the limit.

mod arguments;
mod backend;
mod bars;
mod check;
mod limits;
mod machine;
mod measure;
mod progress;
pub mod record;
mod sample;
mod sys_calls;
mod workload;

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use arguments::{Command, Options};
use measure::Bench;
use record::Record;

/// Something failed, or was wrong.
const FAILED: u8 = 1;
/// Wrong usage.
const USAGE: u8 = 2;
/// A limit was met.
const LIMIT: u8 = 3;

fn main() -> ExitCode {
    let words: Vec<String> =
        std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    let command = match arguments::parse(&words) {
        Ok(command) => command,
        Err(mistake) => return complain(USAGE, &mistake),
    };
    match command {
        Command::Help => say(arguments::USAGE),
        Command::Version => say(concat!("fdscale ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Diff(..) => complain(USAGE, "diff is not there yet"),
        Command::Helper(words) => workload::helper(&words),
        Command::Check(options) => check(&options),
        Command::Run(options) => run(options, words),
    }
}

/// Writes to the standard output. A reader that has gone is no failure.
fn say(text: &str) -> ExitCode {
    match std::io::stdout().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILED),
    }
}

fn complain(status: u8, text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "fdscale: {text}");
    ExitCode::from(status)
}

/// Raises the soft limit as far as it goes; gives what it was.
fn raise() -> u64 {
    match gorgon_sys::raise_descriptors() {
        Ok((before, _)) => before,
        Err(_) => gorgon_sys::descriptors().0,
    }
}

fn check(options: &Options) -> ExitCode {
    raise();
    let outcomes = check::all(options);
    let mut text = String::new();
    for outcome in &outcomes {
        let line = match &outcome.result {
            Ok(what) => format!("{:16} {what}\n", outcome.backend),
            Err(fault) => format!("{:16} WRONG: {fault}\n", outcome.backend),
        };
        text.push_str(&line);
    }
    let status = say(&text);
    if outcomes.is_empty() {
        return complain(USAGE, "no such backend");
    }
    if outcomes.iter().any(|outcome| outcome.result.is_err()) { ExitCode::from(FAILED) } else { status }
}

fn run(options: Options, command: Vec<String>) -> ExitCode {
    let soft = raise();
    let started = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |time| i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    let begun = Instant::now();
    let mut bench = Bench::new(options);
    if bench.kinds().is_empty() {
        return complain(USAGE, "--backends: no such backend on this host");
    }
    if let Err(error) = bench.run() {
        bench.progress.clear();
        return complain(FAILED, &error.to_string());
    }
    let record = Record {
        machine: machine::machine(),
        command,
        started,
        seconds: begun.elapsed().as_secs_f64(),
        series: bench.sheet.series(),
        limits: limits::all(soft),
        stopped: bench.stopped,
    };
    let status = say(&table(&record));
    if record.stopped.is_some() && status == ExitCode::SUCCESS { ExitCode::from(LIMIT) } else { status }
}

/// The record in plain lines.
fn table(record: &Record) -> String {
    let mut lines = Vec::new();
    let machine = &record.machine;
    lines.push(format!(
        "{}; {}, {} processors, {} MiB; {:.1} s",
        machine.system,
        machine.processor,
        machine.processors,
        machine.memory >> 20,
        record.seconds
    ));
    for series in &record.series {
        for point in &series.points {
            lines.push(format!(
                "{:14} {:8} {:16} active {:5} of {:7}: {:12.1} {:5} median {:12.1} spread {:10.1} runs {}",
                series.workload,
                series.measure,
                series.backend,
                series.active,
                point.descriptors,
                point.minimum,
                series.unit,
                point.median,
                point.spread,
                point.runs
            ));
        }
        if let Some(reason) = &series.skipped {
            lines.push(format!("{:14} {:8} {:16} {reason}", series.workload, series.measure, series.backend));
        }
    }
    lines.extend(bars::verdicts(record).iter().map(bars::Verdict::line));
    for limit in &record.limits {
        let value = limit.value.map_or("not known".to_owned(), |value| value.to_string());
        lines.push(format!("{}: {value} ({})", limit.name, limit.raise));
    }
    if let Some(stop) = &record.stopped {
        lines.push(format!(
            "stopped by {} at {} of {}: {}",
            stop.limit, stop.reached, stop.wanted, stop.error
        ));
    }
    lines.push(String::new());
    lines.join("\n")
}
