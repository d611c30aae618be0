//! What a record means, in sentences that are computed from it: which poller, when select is fine, what an idle
//! descriptor costs, which limit comes next. What was not measured is not said.

use crate::record::{Limit, Machine, Record, Series};

use super::figure::{self, Choice, Figure};
use super::units;

/// What changes less than this from 1,000 descriptors to the most is called flat.
const FLAT: f64 = 1.4;
/// A poller that costs up to this much of the best is as good.
const FINE: f64 = 2.0;
/// Memory comes in pages and is given back late: below so many descriptors a share of it is mostly noise.
const ENOUGH: u64 = 5000;

/// The sentences, most important first.
pub fn sentences(record: &Record) -> Vec<String> {
    let mut out = Vec::new();
    let machine = &record.machine;
    // Only times of waiting tell pollers apart; memory does not.
    if let Some(figure) = figure::principal(record, &Choice::default()).filter(waits) {
        out.extend(best(&figure, machine));
        out.extend(flatness(&figure, machine));
        for kind in ["poll", "select"] {
            out.extend(break_even(&figure, kind, machine));
            out.extend(idle(&figure, kind, machine));
        }
    }
    out.extend(busy(record));
    out.extend(memory(record));
    out.extend(limit(record));
    out
}

fn waits(figure: &Figure<'_>) -> bool {
    figure.unit == "ns" && ["pass", "wait", "event"].contains(&figure.measure)
}

/// First and last place of a curve.
fn ends(series: &Series) -> Option<((u64, f64), (u64, f64))> {
    let mut places = figure::drawable(series).map(|point| (point.descriptors, point.minimum));
    let first = places.next()?;
    Some((first, places.last().unwrap_or(first)))
}

/// A poller whose cost does not grow, if there is one: what the others are held against.
fn scalable<'a>(figure: &Figure<'a>, machine: &Machine) -> Option<(&'static str, &'a Series)> {
    ["epoll", "kqueue", "ports"].into_iter().find_map(|kind| Some((kind, figure.of_kind(kind, machine)?)))
}

/// Which poller to take.
fn best(figure: &Figure<'_>, machine: &Machine) -> Option<String> {
    let most = figure.series.iter().filter_map(|series| ends(series)).map(|(_, (last, _))| last).max()?;
    let there = figure.series.iter().filter_map(|series| {
        let value = figure::at(series, most)?.minimum;
        Some((figure::kind(&series.backend, machine), &series.backend, value)).filter(|_| value > 0.0)
    });
    let (kind, backend, value) = there.min_by(|(_, _, a), (_, _, b)| a.total_cmp(b))?;
    let (most, value) = (units::count(most), units::value(value, figure.unit));
    Some(format!(
        "Which poller: {kind}. Of what goes to {most} descriptors it is the cheapest: {value} ({backend})."
    ))
}

/// Whether the poller of record stays what it costs.
fn flatness(figure: &Figure<'_>, machine: &Machine) -> Option<String> {
    let (kind, series) = scalable(figure, machine)?;
    let from = figure::drawable(series).find(|point| point.descriptors >= 1000)?;
    let to = figure::drawable(series).last().filter(|point| point.descriptors > from.descriptors)?;
    let change = to.minimum / from.minimum;
    let word = if change < FLAT { "it is flat" } else { "it grows" };
    Some(format!(
        "{kind} ({}) costs {} at {} descriptors and {} at {}, {}: {word}.",
        series.backend,
        units::value(from.minimum, figure.unit),
        units::count(from.descriptors),
        units::value(to.minimum, figure.unit),
        units::count(to.descriptors),
        units::ratio(change),
    ))
}

/// Where one curve begins to cost `times` the other: the place between two measured ones is found on straight lines in
/// the logarithms of both, as the plots draw them.
#[derive(Debug, PartialEq)]
pub enum Crossing {
    /// From the first common place on, where the ratio is given.
    Always(u64, f64),
    /// At about so many.
    About(f64),
    /// Not up to the last common place, where the ratio is given.
    Never(u64, f64),
}

/// The crossing of a series over `times` a reference, over the places that both have.
pub fn crossing(series: &Series, reference: &Series, times: f64) -> Option<Crossing> {
    let ratios = figure::drawable(series).filter_map(|point| {
        let other = figure::at(reference, point.descriptors).filter(|other| other.minimum > 0.0)?;
        Some((point.descriptors, point.minimum / other.minimum))
    });
    let mut before: Option<(u64, f64)> = None;
    for (count, ratio) in ratios {
        if ratio >= times {
            let Some((from, low)) = before else { return Some(Crossing::Always(count, ratio)) };
            let share = (times / low).ln() / (ratio / low).ln();
            let between = (from as f64).ln() + share * (count as f64 / from as f64).ln();
            return Some(Crossing::About(between.exp()));
        }
        before = Some((count, ratio));
    }
    before.map(|(count, ratio)| Crossing::Never(count, ratio))
}

/// When poll or select is fine.
fn break_even(figure: &Figure<'_>, kind: &str, machine: &Machine) -> Option<String> {
    let (other, reference) = scalable(figure, machine)?;
    let series = figure.of_kind(kind, machine)?;
    let mut text = match crossing(series, reference, 1.0)? {
        Crossing::Always(count, ratio) => {
            let more = figure::at(series, count)?.minimum - figure::at(reference, count)?.minimum;
            format!(
                "{kind} costs more than {other} from {} descriptors on, the fewest measured: {} or {} more there",
                units::count(count),
                units::ratio(ratio),
                units::value(more, figure.unit)
            )
        }
        Crossing::About(count) => {
            format!("{kind} costs less than {other} up to about {} descriptors", about(count))
        }
        Crossing::Never(count, ratio) => {
            let count = units::count(count);
            format!(
                "{kind} is fine: up to {count} descriptors it costs no more than {other}: {}",
                units::ratio(ratio)
            )
        }
    };
    match crossing(series, reference, FINE)? {
        Crossing::About(count) => {
            text.push_str(&format!("; it is fine, within twice of it, up to about {}", about(count)));
        }
        Crossing::Always(..) | Crossing::Never(..) => {}
    }
    // Of what is common to both, the most: the figure that ends discussions.
    let last = figure::drawable(series)
        .filter_map(|point| {
            Some((point.descriptors, point.minimum / figure::at(reference, point.descriptors)?.minimum))
        })
        .last();
    if let Some((count, ratio)) = last.filter(|(_, ratio)| *ratio >= FINE) {
        text.push_str(&format!("; at {} it costs {} as much", units::count(count), units::ratio(ratio)));
    }
    if kind == "select" {
        text.push_str(". The C library's fd_set ends at descriptor FD_SETSIZE - 1, mostly 1,023, whatever the limits say");
    }
    Some(format!("{text}."))
}

/// An interpolated number, without digits that nobody measured.
fn about(number: f64) -> String {
    let unit = 10f64.powf(number.log10().floor() - 1.0).max(1.0);
    units::count(((number / unit).round() * unit) as u64)
}

/// What each idle descriptor adds to a pass.
fn idle(figure: &Figure<'_>, kind: &str, machine: &Machine) -> Option<String> {
    let series = figure.of_kind(kind, machine)?;
    let places: Vec<(f64, f64)> =
        figure::drawable(series).map(|point| (point.descriptors as f64, point.minimum)).collect();
    let slopes: Vec<(f64, f64, f64)> = places
        .windows(2)
        .filter_map(|pair| match pair {
            [(from, low), (to, high)] if to > from => Some((*from, *to, (high - low) / (to - from))),
            _ => None,
        })
        .collect();
    let (first, last) = (slopes.first()?, slopes.last()?);
    let slope = |(from, to, each): &(f64, f64, f64)| {
        let (from, to) = (units::count(*from as u64), units::count(*to as u64));
        format!("{} from {from} to {to}", units::value(*each, figure.unit))
    };
    let more = if slopes.len() > 1 { format!(", and {}", slope(last)) } else { String::new() };
    Some(format!("Each idle descriptor adds to a pass of {kind} {}{more}.", slope(first)))
}

/// How pollers compare when much is active, from the figure with the greatest share of actives.
fn busy(record: &Record) -> Option<String> {
    let machine = &record.machine;
    let mut found: Option<(f64, String)> = None;
    for figure in figure::figures(record, &Choice::default()).iter().filter(|figure| waits(figure)) {
        let Some((kind, reference)) = scalable(figure, machine) else { continue };
        let Some(series) = ["select", "poll"].iter().find_map(|kind| figure.of_kind(kind, machine)) else {
            continue;
        };
        for point in figure::drawable(series) {
            let share = figure.active as f64 / point.descriptors as f64;
            let Some(other) = figure::at(reference, point.descriptors).filter(|other| other.minimum > 0.0)
            else {
                continue;
            };
            if share < 0.5 || found.as_ref().is_some_and(|(most, _)| *most >= share) {
                continue;
            }
            let sentence = format!(
                "Where most descriptors are busy the poller matters little: with {} of {} active {} costs {} of {kind}.",
                units::count(figure.active),
                units::count(point.descriptors),
                series.backend,
                units::ratio(point.minimum / other.minimum),
            );
            // Said only if it is so.
            if point.minimum / other.minimum < FINE {
                found = Some((share, sentence));
            }
        }
    }
    found.map(|(_, sentence)| sentence)
}

/// What a descriptor takes of memory: in the kernel what is there without a poller and what the poller adds, and of the
/// process's own what Gorgon or else another takes.
fn memory(record: &Record) -> Option<String> {
    let wanted = [
        ("kernel", "sockets"),
        ("kernel", "epoll"),
        ("kernel", "kqueue"),
        ("user", "gorgon"),
        ("user", "engine"),
    ];
    let mut parts = Vec::new();
    for (measure, word) in wanted {
        let choice =
            Choice { workload: Some("memory".into()), measure: Some(measure.into()), ..Choice::default() };
        let figures = figure::figures(record, &choice);
        let mut found =
            figures.iter().filter(|figure| figure.unit == "bytes").flat_map(|figure| &figure.series);
        let Some(series) = found.find(|series| {
            series.backend.contains(word) && ends(series).is_some_and(|(_, (last, _))| last >= ENOUGH)
        }) else {
            continue;
        };
        if let Some((_, (count, value))) = ends(series) {
            let million = units::value(value * 1e6, "bytes");
            let (value, count) = (units::value(value, "bytes"), units::count(count));
            let whose = if measure == "kernel" { "the kernel" } else { "the process" };
            parts.push(format!(
                "{value} in {whose} for {} ({million} for a million; at {count})",
                series.backend
            ));
        }
    }
    if parts.is_empty() { None } else { Some(format!("Memory of a descriptor: {}.", parts.join(", "))) }
}

/// Which limit ended it, or would end it next.
fn limit(record: &Record) -> Option<String> {
    let raise = |name: &str| {
        let limit = record.limits.iter().find(|limit| limit.name == name);
        limit.map_or(String::new(), |limit| format!(" To raise it: {}.", limit.raise.trim_end_matches('.')))
    };
    if let Some(stop) = &record.stopped {
        let (reached, wanted) = (units::count(stop.reached), units::count(stop.wanted));
        return Some(format!(
            "Which limit: {} ended it at {reached} of {wanted} descriptors.{}",
            stop.limit,
            raise(&stop.limit)
        ));
    }
    let next =
        record.limits.iter().filter(|limit| counts_descriptors(limit)).min_by_key(|limit| limit.value)?;
    let value = units::limit(next.value?);
    Some(format!("Which limit: none was met; the lowest is {}, {value}.{}", next.name, raise(&next.name)))
}

/// Whether a limit is a number of descriptors; memory and ports are not, and the soft limit is raised by whoever runs.
fn counts_descriptors(limit: &Limit) -> bool {
    limit.value.is_some()
        && !limit.name.ends_with("(soft)")
        && (limit.name.starts_with("RLIMIT_NOFILE")
            || limit.name.starts_with("fs.")
            || limit.name.starts_with("kern."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn curve(backend: &str, points: &[(u64, f64)]) -> Series {
        sample::series(("chain", "pass", backend, 1), "ns", points, None)
    }

    #[test]
    fn crossings_lie_on_straight_lines_of_logarithms() {
        let flat = curve("raw-epoll", &[(10, 1000.0), (100, 1000.0), (1000, 1000.0)]);
        let steep = curve("raw-poll", &[(10, 100.0), (1000, 10_000.0)]);
        assert!(
            matches!(crossing(&steep, &flat, 1.0), Some(Crossing::About(count)) if (count - 100.0).abs() < 1e-6)
        );
        assert!(
            matches!(crossing(&steep, &flat, 5.0), Some(Crossing::About(count)) if (count - 500.0).abs() < 1e-6)
        );
        assert_eq!(crossing(&steep, &flat, 0.05), Some(Crossing::Always(10, 0.1)));
        assert_eq!(crossing(&steep, &flat, 20.0), Some(Crossing::Never(1000, 10.0)));
        assert_eq!(crossing(&steep, &curve("raw-epoll", &[(11, 1000.0)]), 1.0), None);
        assert_eq!(crossing(&steep, &curve("raw-epoll", &[(10, f64::NAN)]), 1.0), None);
        assert_eq!((about(103.7), about(8.3), about(2846.0)), ("100".into(), "8".into(), "2,800".into()));
    }

    #[test]
    fn says_only_what_was_measured() {
        assert_eq!(sentences(&Record::default()), [""; 0]);
        let record = Record {
            machine: sample::machine(),
            series: vec![
                curve("raw-epoll", &[(10, 1000.0), (1000, 1000.0), (10_000, 2000.0)]),
                curve("raw-select", &[(10, 100.0), (1000, 10_000.0)]),
            ],
            limits: sample::small().limits,
            ..Record::default()
        };
        let wanted = [
            "Which poller: epoll. Of what goes to 10,000 descriptors it is the cheapest: 2.00 us (raw-epoll).",
            "epoll (raw-epoll) costs 1.00 us at 1,000 descriptors and 2.00 us at 10,000, 2.0x: it grows.",
            "select costs less than epoll up to about 100 descriptors; it is fine, within twice of it, up to about \
             200; at 1,000 it costs 10x as much. The C library's fd_set ends at descriptor FD_SETSIZE - 1, mostly 1,023, \
             whatever the limits say.",
            "Each idle descriptor adds to a pass of select 10.0 ns from 10 to 1,000.",
            "Which limit: none was met; the lowest is RLIMIT_NOFILE (hard), 20,000. To raise it: LimitNOFILE= in the \
             unit, or /etc/security/limits.conf.",
        ];
        assert_eq!(sentences(&record), wanted);
    }

    #[test]
    fn a_system_without_epoll_is_held_against_its_own() {
        let mut record = Record {
            series: vec![
                curve("raw-kqueue", &[(10, 1000.0), (1000, 1000.0)]),
                curve("raw-poll", &[(10, 900.0), (1000, 950.0)]),
            ],
            ..Record::default()
        };
        record.machine.system = "FreeBSD 15.0 amd64".into();
        let found = sentences(&record);
        assert_eq!(
            found.get(1).map(String::as_str),
            Some("poll is fine: up to 1,000 descriptors it costs no more than kqueue: 0.95x.")
        );
    }
}
