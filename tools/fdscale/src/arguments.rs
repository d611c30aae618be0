//! The command line.

use std::path::PathBuf;

use crate::report::Format;

/// How the program is called.
pub const USAGE: &str = "\
fdscale: how do select, poll, epoll and kqueue grow with descriptors on this host, and where is the limit?

usage: fdscale [OPTIONS]
       fdscale --check [OPTIONS]        only checks that every backend tells the truth
       fdscale diff OLD NEW             compares two records

  --quick                few runs and small numbers: seconds instead of minutes
  --descriptors LIST     how many to watch, as in 100,1000,9900; \"max\": doubled until a limit is met
  --active LIST          how many of them are active at a time, as in 1,100
  --writes N             writes of one run (1000, or ten for each active one)
  --rounds N             runs of each measurement, interleaved (15)
  --workloads LIST       chain, chain-timeouts, churn, idle-tcp, memory, server (all)
  --backends LIST        names, or beginnings of names: raw, gorgon-epoll, engine (all there are)
  --with LIST            more backends: mio, polling, libevent, libev
  --gorgon FILE          the program that the workload \"server\" starts (the one beside this program)
  --seconds N            the time there is; what does not fit is left out (600)
  --format FORMAT        table, csv, json, svg or plot (in text)
  --plot FILE.svg        draws the curves
  --record FILE          keeps the record, for diff
  --quiet                no progress
  --seed N               the order of the runs
  --help, --version

Exit status: 0 done; 1 failed, or a backend was wrong; 2 wrong usage; 3 done as far as a limit of this host allows.
";

/// The workloads, in the order in which they run.
pub const WORKLOADS: [&str; 6] = ["chain", "chain-timeouts", "churn", "idle-tcp", "memory", "server"];
/// What `--with` knows.
pub const EXTRA: [&str; 4] = ["mio", "polling", "libevent", "libev"];

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// Measure.
    Run(Options),
    /// Check the backends.
    Check(Options),
    /// Compare two records.
    Diff(PathBuf, PathBuf),
    /// Part of a measurement, in a process of its own.
    Helper(Vec<String>),
    /// Tell how the program is called.
    Help,
    /// Tell the version.
    Version,
}

/// What to measure, and how.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Few runs, small numbers.
    pub quick: bool,
    /// How many descriptors to watch, growing.
    pub descriptors: Vec<u64>,
    /// Doubled from the last of them on until a limit is met.
    pub to_the_limit: bool,
    /// How many are active at a time.
    pub active: Vec<u64>,
    /// Writes of one run, when they were given.
    pub writes: Option<u64>,
    /// Runs of each measurement.
    pub rounds: u32,
    /// Which workloads.
    pub workloads: Vec<String>,
    /// Beginnings of names of backends; empty is all.
    pub backends: Vec<String>,
    /// Backends that are not measured unasked.
    pub with: Vec<String>,
    /// The server to start.
    pub gorgon: Option<PathBuf>,
    /// The time there is.
    pub seconds: u64,
    /// How the record is shown.
    pub format: Format,
    /// Where to draw the curves.
    pub plot: Option<PathBuf>,
    /// Where to keep the record.
    pub record: Option<PathBuf>,
    /// No progress.
    pub quiet: bool,
    /// The order of the runs.
    pub seed: u64,
}

impl Options {
    fn new(quick: bool) -> Options {
        Options {
            quick,
            descriptors: if quick { vec![100, 1000] } else { vec![100, 1000, 9900] },
            to_the_limit: false,
            active: if quick { vec![1, 100] } else { vec![1, 100, 1000] },
            writes: None,
            rounds: if quick { 3 } else { 15 },
            workloads: WORKLOADS.iter().map(|name| (*name).to_owned()).collect(),
            backends: Vec::new(),
            with: Vec::new(),
            gorgon: None,
            seconds: if quick { 20 } else { 600 },
            format: Format::Table,
            plot: None,
            record: None,
            quiet: false,
            seed: 1,
        }
    }

    /// Whether a backend of this name is asked for.
    pub fn wants(&self, backend: &str) -> bool {
        self.backends.is_empty() || self.backends.iter().any(|name| backend.starts_with(name.as_str()))
    }
}

/// Most descriptors that can be asked for: no system has more.
const MOST: u64 = 1 << 30;

/// Reads the words after the program's name.
///
/// # Errors
/// What is wrong with them, in a line.
pub fn parse(words: &[String]) -> Result<Command, String> {
    let first = words.first().map(String::as_str);
    if first == Some("helper") {
        return Ok(Command::Helper(words.get(1..).unwrap_or_default().to_vec()));
    }
    if first == Some("diff") {
        return match words.get(1..) {
            Some([old, new]) => Ok(Command::Diff(old.into(), new.into())),
            _ => Err("diff takes two records: fdscale diff OLD NEW".to_owned()),
        };
    }
    // What it implies is implied wherever it stands.
    let mut options = Options::new(words.iter().any(|word| word == "--quick"));
    let mut check = false;
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let (name, attached) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let flag = matches!(name, "--quick" | "--check" | "--quiet" | "--help" | "-h" | "--version");
        if flag && attached.is_some() {
            return Err(format!("{name} takes no value"));
        }
        let mut value = || match &attached {
            Some(value) => Ok(value.clone()),
            None => rest.next().cloned().ok_or_else(|| format!("{name} needs a value")),
        };
        match name {
            "--help" | "-h" => return Ok(Command::Help),
            "--version" => return Ok(Command::Version),
            "--quick" => {}
            "--check" => check = true,
            "--quiet" => options.quiet = true,
            "--descriptors" => {
                let value = value()?;
                options.to_the_limit = value == "max" || value == "MAX";
                if options.to_the_limit {
                    options.descriptors = vec![100, 1000];
                } else {
                    options.descriptors = numbers(name, &value)?;
                }
            }
            "--active" => options.active = numbers(name, &value()?)?,
            "--writes" => options.writes = Some(number(name, &value()?, MOST)?),
            "--rounds" => options.rounds = number(name, &value()?, 100_000)? as u32,
            "--seconds" => options.seconds = number(name, &value()?, 1_000_000)?,
            "--seed" => {
                let value = value()?;
                options.seed = value.parse().map_err(|_| format!("--seed: not a number: {value}"))?;
            }
            "--workloads" => options.workloads = names(name, &value()?, &WORKLOADS)?,
            "--with" => options.with = names(name, &value()?, &EXTRA)?,
            "--backends" => options.backends = split(&value()?),
            "--gorgon" => options.gorgon = Some(value()?.into()),
            "--plot" => options.plot = Some(value()?.into()),
            "--record" => options.record = Some(value()?.into()),
            "--format" => {
                let value = value()?;
                let names = Format::NAMES.map(|(name, _)| name).join(", ");
                options.format =
                    Format::named(&value).ok_or_else(|| format!("--format: one of {names}, not {value}"))?;
            }
            _ => return Err(format!("no such option: {word}; --help lists them")),
        }
    }
    Ok(if check { Command::Check(options) } else { Command::Run(options) })
}

fn split(list: &str) -> Vec<String> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A number from 1 on; commas and underscores do not group, for lists have commas.
fn number(option: &str, text: &str, most: u64) -> Result<u64, String> {
    match text.parse::<u64>() {
        Ok(number) if (1..=most).contains(&number) => Ok(number),
        _ => Err(format!("{option}: a number from 1 to {most}, not \"{text}\"")),
    }
}

/// A list of numbers, sorted, each once.
fn numbers(option: &str, list: &str) -> Result<Vec<u64>, String> {
    let mut all = split(list).iter().map(|text| number(option, text, MOST)).collect::<Result<Vec<_>, _>>()?;
    all.sort_unstable();
    all.dedup();
    if all.is_empty() { Err(format!("{option}: an empty list")) } else { Ok(all) }
}

/// A list of names out of those there are, in the order of those there are.
fn names(option: &str, list: &str, known: &[&str]) -> Result<Vec<String>, String> {
    let asked = split(list);
    if let Some(stranger) = asked.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(format!("{option}: no \"{stranger}\"; there are {}", known.join(", ")));
    }
    if asked.is_empty() {
        return Err(format!("{option}: an empty list"));
    }
    Ok(known.iter().filter(|name| asked.iter().any(|word| word == *name)).map(|n| (*n).to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    fn run(line: &str) -> Options {
        match parse(&words(line)).unwrap() {
            Command::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_said_means_all() {
        let options = run("");
        assert_eq!(options.descriptors, [100, 1000, 9900]);
        assert_eq!(options.rounds, 15);
        assert_eq!(options.workloads, WORKLOADS);
        assert!(options.wants("raw-epoll") && options.wants("engine-select"));
    }

    #[test]
    fn options_are_taken() {
        let options = run("--descriptors 500,20,500 --active=2 --rounds 4 --quick --with libev,mio --seed 0");
        assert_eq!((options.descriptors, options.active), (vec![20, 500], vec![2]));
        assert_eq!((options.rounds, options.quick, options.seed), (4, true, 0));
        assert_eq!(options.with, ["mio", "libev"]);
        assert_eq!(options.seconds, 20, "quick counts, though it stands behind");
        assert!(run("--descriptors max").to_the_limit);
        assert!(!run("--backends raw,engine-poll").wants("gorgon-epoll"));
        assert!(run("--backends raw,engine-poll").wants("raw-epoll"));
    }

    #[test]
    fn commands_are_told_apart() {
        assert_eq!(parse(&words("--rounds 3 --help")), Ok(Command::Help));
        assert_eq!(parse(&words("--version")), Ok(Command::Version));
        assert_eq!(parse(&words("diff a b")), Ok(Command::Diff("a".into(), "b".into())));
        assert!(matches!(parse(&words("--quick --check")), Ok(Command::Check(options)) if options.quick));
        assert_eq!(parse(&words("helper x 1")), Ok(Command::Helper(words("x 1"))));
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("--frobnicate", "no such option: --frobnicate"),
            ("chain", "no such option: chain"),
            ("--rounds", "--rounds needs a value"),
            ("--rounds 0", "from 1"),
            ("--rounds -3", "from 1"),
            ("--rounds ten", "\"ten\""),
            ("--descriptors ,", "an empty list"),
            ("--descriptors 10,x", "\"x\""),
            ("--descriptors 99999999999999999999", "from 1 to"),
            ("--workloads chains", "no \"chains\"; there are chain,"),
            ("--with libuv", "no \"libuv\""),
            ("--format xml", "one of table, csv, json, svg, plot"),
            ("--quiet=1", "takes no value"),
            ("--seed x", "not a number"),
            ("diff a", "two records"),
        ] {
            let error = parse(&words(line)).unwrap_err();
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
