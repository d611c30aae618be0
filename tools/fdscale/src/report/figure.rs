//! What belongs into one block of the table and one plot: the curves of one workload, measure and number of actives.

use crate::record::{Machine, Point, Record, Series};

use super::units;

/// In the order in which they are shown; those that are not here come last.
const WORKLOADS: [&str; 6] = ["chain", "chain-timeouts", "churn", "idle-tcp", "memory", "server"];
const MEASURES: [&str; 9] = ["pass", "wait", "io", "event", "register", "kernel", "user", "p50", "p99"];
/// Calls, and who makes them.
const KINDS: [&str; 5] = ["epoll", "kqueue", "ports", "poll", "select"];
const LIBRARIES: [&str; 7] = ["raw", "gorgon", "engine", "mio", "polling", "libev", "libevent"];

/// Curves that may be held against one another.
pub struct Figure<'a> {
    /// `chain`, ..
    pub workload: &'a str,
    /// `pass`, ..
    pub measure: &'a str,
    /// `ns` or `bytes`.
    pub unit: &'a str,
    /// How many descriptors are active at a time.
    pub active: u64,
    /// By call and by who makes it; not empty.
    pub series: Vec<&'a Series>,
}

/// Which figures are wanted; what is not said is not asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice {
    /// Only this workload.
    pub workload: Option<String>,
    /// Only this measure.
    pub measure: Option<String>,
    /// Only with so many active.
    pub active: Option<u64>,
}

impl Choice {
    fn takes(&self, figure: &Figure<'_>) -> bool {
        self.workload.as_ref().is_none_or(|wanted| wanted == figure.workload)
            && self.measure.as_ref().is_none_or(|wanted| wanted == figure.measure)
            && self.active.is_none_or(|wanted| wanted == figure.active)
    }
}

/// The figures of a record that are wanted, in the order of `WORKLOADS` and `MEASURES`, and the fewest active first.
pub fn figures<'a>(record: &'a Record, choice: &Choice) -> Vec<Figure<'a>> {
    let mut figures: Vec<Figure<'a>> = Vec::new();
    for series in &record.series {
        let same = |figure: &&mut Figure<'a>| {
            figure.workload == series.workload
                && figure.measure == series.measure
                && figure.unit == series.unit
                && figure.active == series.active
        };
        match figures.iter_mut().find(same) {
            Some(figure) => figure.series.push(series),
            None => figures.push(Figure {
                workload: &series.workload,
                measure: &series.measure,
                unit: &series.unit,
                active: series.active,
                series: vec![series],
            }),
        }
    }
    if choice.measure.is_none() {
        drop_twins(&mut figures);
    }
    figures.retain(|figure| choice.takes(figure));
    // Runs are interleaved, so the order of a record says nothing.
    for figure in &mut figures {
        figure.series.sort_by_key(|series| rank(series, &record.machine));
    }
    let place =
        |words: &[&str], word: &str| words.iter().position(|known| *known == word).unwrap_or(words.len());
    figures.sort_by_key(|figure| {
        (place(&WORKLOADS, figure.workload), place(&MEASURES, figure.measure), figure.active)
    });
    figures
}

/// Of a pass and its events one says it all: the pass with one active, where it is the cost of waiting; the event with
/// more, for a pass over as many descriptors as are active is only a multiple of it.
fn drop_twins(figures: &mut Vec<Figure<'_>>) {
    let known: Vec<(String, &str, u64)> = figures
        .iter()
        .filter_map(|figure| {
            let twin = match figure.measure {
                "pass" => "event",
                "event" => "pass",
                _ => return None,
            };
            Some((figure.workload.to_owned(), twin, figure.active))
        })
        .collect();
    figures.retain(|figure| {
        let lesser = if figure.active == 1 { "event" } else { "pass" };
        let twin = |(workload, measure, active): &(String, &str, u64)| {
            workload == figure.workload && *measure == figure.measure && *active == figure.active
        };
        figure.measure != lesser || !known.iter().any(twin)
    });
}

/// The figure that says most: what a pass costs with the fewest active, for that is the cost of waiting alone.
pub fn principal<'a>(record: &'a Record, choice: &Choice) -> Option<Figure<'a>> {
    let rank = |figure: &Figure<'_>| {
        let drawn = figure.series.iter().any(|series| drawable(series).next().is_some());
        let workload =
            ["chain", "chain-timeouts"].iter().position(|name| *name == figure.workload).unwrap_or(9);
        let measure = ["pass", "wait", "event"].iter().position(|name| *name == figure.measure).unwrap_or(9);
        (!drawn, workload, measure, figure.active)
    };
    figures(record, choice).into_iter().min_by_key(rank)
}

/// The points that a logarithmic plot can show.
pub fn drawable(series: &Series) -> impl Iterator<Item = &Point> {
    series
        .points
        .iter()
        .filter(|point| point.descriptors > 0 && point.minimum.is_finite() && point.minimum > 0.0)
}

impl<'a> Figure<'a> {
    /// What is measured, as a title: `One pass of the loop, 1 descriptor active`.
    pub fn title(&self) -> String {
        let what = match self.measure {
            "pass" => "Time of one pass of the loop",
            "wait" => "Time of one wait",
            "io" => "Time of the sends and receives alone",
            "event" => "Time for each event",
            "register" => "Time to register a descriptor",
            "user" => "Memory of the process for each descriptor",
            "kernel" => "Memory of the kernel for each descriptor",
            "p50" => "Median latency",
            "p99" => "Latency that one request in 100 exceeds",
            other => other,
        };
        let workload = match self.workload {
            // The workload of record, and one whose name would say the same again.
            "chain" | "memory" => String::new(),
            "chain-timeouts" => ", each with a timeout".into(),
            "churn" => ", connections that come and go".into(),
            "idle-tcp" => ", over idle TCP connections".into(),
            "server" => ", of the server itself".into(),
            other => format!(", {other}"),
        };
        let active = match self.active {
            0 => String::new(),
            1 => ", 1 descriptor active".into(),
            count => format!(", {} descriptors active", units::count(count)),
        };
        format!("{what}{workload}{active}")
    }

    /// The title and the names that the record has for it.
    pub fn heading(&self) -> String {
        format!("{} ({}, {})", self.title(), self.workload, self.measure)
    }

    /// The numbers of descriptors at which something was measured, in order.
    pub fn counts(&self) -> Vec<u64> {
        let mut counts: Vec<u64> =
            self.series.iter().flat_map(|series| &series.points).map(|point| point.descriptors).collect();
        counts.sort_unstable();
        counts.dedup();
        counts
    }

    /// The raw call that does the same as a series, if it was measured and is not the series itself.
    pub fn raw(&self, series: &Series, machine: &Machine) -> Option<&'a Series> {
        if library(&series.backend) == "raw" {
            return None;
        }
        let wanted = kind(&series.backend, machine);
        self.series
            .iter()
            .find(|other| library(&other.backend) == "raw" && kind(&other.backend, machine) == wanted)
            .copied()
    }

    /// The series that stands for a kind of call: the raw one, else the first there is. It has points.
    pub fn of_kind(&self, wanted: &str, machine: &Machine) -> Option<&'a Series> {
        let rank = |series: &&&Series| library(&series.backend) != "raw";
        self.series
            .iter()
            .filter(|series| kind(&series.backend, machine) == wanted && drawable(series).next().is_some())
            .min_by_key(rank)
            .copied()
    }
}

/// The call by which a back end waits. A library that does not say takes the best of its system.
pub fn kind<'a>(backend: &'a str, machine: &Machine) -> &'a str {
    let best = if machine.system.starts_with("Linux") {
        "epoll"
    } else if machine.system.starts_with("SunOS") {
        "ports"
    } else {
        "kqueue"
    };
    backend.split('-').rev().find(|word| KINDS.contains(word)).unwrap_or(best)
}

/// The place of a curve among others.
fn rank(series: &Series, machine: &Machine) -> (usize, usize) {
    let (kind, library) = (kind(&series.backend, machine), library(&series.backend));
    let kind = KINDS.iter().position(|known| *known == kind).unwrap_or(KINDS.len());
    (kind, LIBRARIES.iter().position(|known| *known == library).unwrap_or(LIBRARIES.len()))
}

/// Who makes the call: `raw`, `gorgon`, `libevent`, ..
pub fn library(backend: &str) -> &str {
    backend.split('-').next().unwrap_or(backend)
}

/// Reasons why series have no points or no more, each with the back ends that it holds for.
pub fn reasons<'a>(series: &[&'a Series]) -> Vec<(Vec<&'a str>, &'a str)> {
    let mut reasons: Vec<(Vec<&str>, &str)> = Vec::new();
    for series in series {
        let Some(reason) = &series.skipped else { continue };
        match reasons.iter_mut().find(|(_, known)| known == reason) {
            Some((names, _)) => names.push(&series.backend),
            None => reasons.push((vec![&series.backend], reason)),
        }
    }
    reasons
}

/// The minimum at a number of descriptors, if it was measured there.
pub fn at(series: &Series, descriptors: u64) -> Option<&Point> {
    series.points.iter().find(|point| point.descriptors == descriptors)
}

/// The host in a line: `AMD EPYC 7B13, 2 processors, 8.00 GiB, Linux 6.18.0 x86_64`.
pub fn host(machine: &Machine) -> String {
    let mut parts = Vec::new();
    if !machine.processor.is_empty() {
        parts.push(machine.processor.clone());
    }
    match machine.processors {
        0 => {}
        1 => parts.push("1 processor".into()),
        count => parts.push(format!("{count} processors")),
    }
    if machine.memory > 0 {
        // To a tenth of a GiB: no memory is known better than what the kernel keeps of it.
        let tenths = (machine.memory as f64 / 107_374_182.4).round() / 10.0;
        parts.push(format!("{tenths} GiB"));
    }
    if !machine.system.is_empty() {
        parts.push(machine.system.clone());
    }
    if parts.is_empty() { "an unknown machine".into() } else { parts.join(", ") }
}
