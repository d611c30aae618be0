//! Measures how waiting for many descriptors grows on this host, where it ends, and what sets the limit.

mod arguments;
mod backend;
mod bars;
mod check;
pub mod json;
mod limits;
mod machine;
mod measure;
mod progress;
pub mod record;
pub mod report;
mod sample;
mod sys_calls;
mod workload;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use arguments::{Command, Options};
use measure::Bench;
use record::Record;
use report::Format;

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
        Command::Help => say(arguments::USAGE.as_bytes()),
        Command::Version => say(concat!("fdscale ", env!("CARGO_PKG_VERSION"), "\n").as_bytes()),
        Command::Diff(old, new) => compare(&old, &new),
        Command::Helper(words) => workload::helper(&words),
        Command::Check(options) => check(&options),
        Command::Run(options) => run(options, words),
    }
}

/// Writes to the standard output. A reader that has gone is no failure.
fn say(text: &[u8]) -> ExitCode {
    match std::io::stdout().write_all(text) {
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
    let status = say(text.as_bytes());
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
    let mut bench = Bench::new(options.clone());
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
    let status = publish(&record, &options);
    if record.stopped.is_some() && status == ExitCode::SUCCESS { ExitCode::from(LIMIT) } else { status }
}

/// Keeps, draws and prints the record. What was measured is printed, though it could not be kept.
fn publish(record: &Record, options: &Options) -> ExitCode {
    let mut status = ExitCode::SUCCESS;
    if let Some(path) = &options.record {
        if let Err(error) = report::save(record, path) {
            status = complain(FAILED, &error);
        }
    }
    let choice = report::Choice::default();
    let style = report::Style::from_environment(false);
    if let Some(path) = &options.plot {
        let mut drawing = Vec::new();
        let drawn = report::print(record, Format::Svg, &choice, &style, &mut drawing)
            .and_then(|()| std::fs::write(path, &drawing));
        if let Err(error) = drawn {
            status = complain(FAILED, &format!("{}: {error}", path.display()));
        }
    }
    let mut text = Vec::new();
    if let Err(error) = report::print(record, options.format, &choice, &style, &mut text) {
        return complain(FAILED, &error.to_string());
    }
    let verdicts = if options.format == Format::Table { bars::verdicts(record) } else { Vec::new() };
    if !verdicts.is_empty() {
        text.extend(b"\nWhat Gorgon is held to, one active, least of all runs\n");
    }
    for verdict in &verdicts {
        text.extend(["  ", &verdict.line(), "\n"].concat().bytes());
    }
    let said = say(&text);
    if status == ExitCode::SUCCESS { said } else { status }
}

/// Shows what changed between two records.
fn compare(old: &Path, new: &Path) -> ExitCode {
    let mut text = Vec::new();
    match report::compare(old, new, &mut text) {
        Ok(()) => say(&text),
        Err(error) => complain(USAGE, &error),
    }
}
