//! What Gorgon is held to: its pollers within 1.05 of the raw calls and its loop within 1.15, by the least of all runs;
//! one active among the most at most 1.3 of one among a thousand, where the kernel keeps the set.

use crate::record::{Point, Record, Series};

/// Fewer runs than this prove nothing.
const RUNS: u32 = 15;

/// A comparison with a bar.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// What is compared.
    pub what: String,
    /// How many times as much it is.
    pub ratio: f64,
    /// How many times as much it may be.
    pub bar: f64,
    /// Of enough runs to say so.
    pub proven: bool,
}

impl Verdict {
    /// In one line.
    pub fn line(&self) -> String {
        let word = match (self.proven, self.ratio <= self.bar) {
            (false, _) => "too few runs to say",
            (true, true) => "met",
            (true, false) => "NOT MET",
        };
        format!("{:44} {:6.3} (bar {:.2}): {word}", self.what, self.ratio, self.bar)
    }
}

fn find<'a>(record: &'a Record, backend: &str) -> Option<&'a Series> {
    let fits = |series: &&Series| {
        (series.workload.as_str(), series.measure.as_str(), series.active) == ("chain", "pass", 1)
            && series.backend == backend
    };
    record.series.iter().find(fits)
}

fn verdict(what: String, point: &Point, base: &Point, bar: f64) -> Verdict {
    let proven = point.runs.min(base.runs) >= RUNS;
    Verdict { what, ratio: point.minimum / base.minimum.max(f64::MIN_POSITIVE), bar, proven }
}

/// All comparisons that this record allows.
pub fn verdicts(record: &Record) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for call in ["epoll", "kqueue", "poll", "select"] {
        let Some(raw) = find(record, &format!("raw-{call}")) else { continue };
        for (family, bar) in [("gorgon", 1.05), ("engine", 1.15)] {
            let name = format!("{family}-{call}");
            let Some(series) = find(record, &name) else { continue };
            for point in &series.points {
                let base = raw.points.iter().find(|base| base.descriptors == point.descriptors);
                let Some(base) = base else { continue };
                let what = format!("{name} to raw-{call}, one of {}", point.descriptors);
                verdicts.push(verdict(what, point, base, bar));
            }
            let base = series.points.iter().find(|point| point.descriptors == 1000);
            if let (true, Some(base), Some(last)) =
                (matches!(call, "epoll" | "kqueue"), base, series.points.last())
            {
                if last.descriptors > 1000 {
                    let what = format!("{name}, one of {} to one of 1000", last.descriptors);
                    verdicts.push(verdict(what, last, base, 1.3));
                }
            }
        }
    }
    verdicts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(backend: &str, minima: &[(u64, f64)]) -> Series {
        let point = |(descriptors, minimum): &(u64, f64)| Point {
            descriptors: *descriptors,
            minimum: *minimum,
            median: *minimum,
            spread: 0.0,
            runs: 15,
        };
        Series {
            workload: "chain".to_owned(),
            measure: "pass".to_owned(),
            unit: "ns".to_owned(),
            backend: backend.to_owned(),
            active: 1,
            points: minima.iter().map(point).collect(),
            skipped: None,
        }
    }

    #[test]
    fn ratios_are_of_the_same_call_and_number() {
        let mut record = Record {
            series: vec![
                series("raw-epoll", &[(1000, 100.0), (9900, 200.0)]),
                series("gorgon-epoll", &[(1000, 104.0), (9900, 220.0)]),
                series("engine-poll", &[(1000, 104.0)]),
            ],
            ..Record::default()
        };
        let found = verdicts(&record);
        let ratios: Vec<f64> = found.iter().map(|verdict| verdict.ratio).collect();
        assert_eq!(ratios, [1.04, 1.1, 220.0 / 104.0]);
        assert!(found[0].line().ends_with(": met"));
        assert!(found[1].line().ends_with(": NOT MET"));
        record.series[0].points[0].runs = 3;
        assert!(verdicts(&record)[0].line().ends_with("too few runs to say"));
    }
}
