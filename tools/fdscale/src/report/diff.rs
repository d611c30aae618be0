//! What changed between two records: for each point that both have, the change of the least value, and whether it is
//! more than both runs varied by themselves.

use std::io::{self, Write};

use crate::record::{Point, Record, Series};

use super::{figure, units};

/// Compares two records, of which each has a name to be called by.
///
/// # Errors
/// Those of `output`.
pub fn print(before: (&str, &Record), after: (&str, &Record), output: &mut dyn Write) -> io::Result<()> {
    let ((before_name, before), (after_name, after)) = (before, after);
    for (letter, name, record) in [("A", before_name, before), ("B", after_name, after)] {
        let command = record.command.join(" ");
        writeln!(output, "{letter}: {name}: {}: {command}", units::day(record.started))?;
    }
    if before.machine != after.machine {
        let (a, b) = (figure::host(&before.machine), figure::host(&after.machine));
        writeln!(
            output,
            "Warning: not the same machine, so a change may be the machine's:\n  A {a}\n  B {b}"
        )?;
    }
    let (mut points, mut faster, mut slower) = (0, 0, 0);
    let mut alone: Vec<String> = Vec::new();
    for series in &before.series {
        let Some(other) = after.series.iter().find(|other| same(series, other)) else {
            alone.push(format!("{} is in A only", name(series)));
            continue;
        };
        let mut headed = false;
        for point in &series.points {
            let Some(match_) = figure::at(other, point.descriptors) else {
                alone.push(format!("{} at {} is in A only", name(series), units::count(point.descriptors)));
                continue;
            };
            if !headed {
                writeln!(output, "\n{}", name(series))?;
                headed = true;
            }
            points += 1;
            match row(point, match_, &series.unit, output)? {
                Verdict::Noise => {}
                Verdict::Less => faster += 1,
                Verdict::More => slower += 1,
            }
        }
        for point in other.points.iter().filter(|point| figure::at(series, point.descriptors).is_none()) {
            alone.push(format!("{} at {} is in B only", name(series), units::count(point.descriptors)));
        }
    }
    for other in after.series.iter().filter(|other| !before.series.iter().any(|series| same(series, other))) {
        alone.push(format!("{} is in B only", name(other)));
    }
    if !alone.is_empty() {
        writeln!(output)?;
    }
    for line in alone {
        writeln!(output, "{line}")?;
    }
    let rest = points - faster - slower;
    writeln!(
        output,
        "\n{points} points in both: {faster} really less, {slower} really more, {rest} within the spread"
    )
}

enum Verdict {
    Noise,
    Less,
    More,
}

fn row(before: &Point, after: &Point, unit: &str, output: &mut dyn Write) -> io::Result<Verdict> {
    let change = after.minimum - before.minimum;
    // Written so that what is not a number is noise.
    let real = change.abs() > before.spread && change.abs() > after.spread;
    let verdict = match (real, change < 0.0) {
        (false, _) => Verdict::Noise,
        (true, true) => Verdict::Less,
        (true, false) => Verdict::More,
    };
    let percent = if before.minimum > 0.0 && change.is_finite() {
        format!("{:+.1} %", change / before.minimum * 100.0)
    } else {
        "?".into()
    };
    let line = format!(
        "  {:>11}  {:>9} -> {:>9}  {percent:>10}{}",
        units::count(before.descriptors),
        units::value(before.minimum, unit),
        units::value(after.minimum, unit),
        if real { "  real" } else { "" }
    );
    writeln!(output, "{line}")?;
    Ok(verdict)
}

fn same(a: &Series, b: &Series) -> bool {
    a.workload == b.workload
        && a.measure == b.measure
        && a.unit == b.unit
        && a.backend == b.backend
        && a.active == b.active
}

fn name(series: &Series) -> String {
    let Series { workload, measure, backend, active, .. } = series;
    format!("{workload}, {measure}, {} active: {backend}", units::count(*active))
}
