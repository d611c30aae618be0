//! The record as a person reads it in a terminal: one block for each figure, then the limits, then what it means.

use std::io::{self, Write};

use crate::record::{Point, Record, Series};

use super::figure::{self, Figure};
use super::{Style, conclusion, units};

/// Of a cell: the value with its unit, and the ratio with a space.
const VALUE: usize = 8;
const RATIO: usize = 7;

/// A point is noisy when the middle half of its runs spans more than this share of the median.
const NOISY: f64 = 0.25;

/// Writes the table of the figures that are wanted, and the conclusion.
///
/// # Errors
/// Those of `output`.
pub fn print(
    record: &Record,
    choice: &figure::Choice,
    style: &Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let width = style.width.max(60);
    paragraph(output, &figure::host(&record.machine), width)?;
    let command = record.command.join(" ");
    let text = format!("{}, {:.0} s: {command}", units::day(record.started), record.seconds);
    paragraph(output, &text, width)?;
    let mut noisy = false;
    let figures = figure::figures(record, choice);
    for figure in &figures {
        writeln!(output)?;
        noisy |= block(record, figure, width, output)?;
    }
    writeln!(output)?;
    let mut key =
        "Values are the least of all runs; 1.02x: that much of the raw call of the same kind.".to_owned();
    if noisy {
        key.push_str(" ~ noisy: the middle half of the runs spans over a quarter of the median.");
    }
    paragraph(output, &key, width)?;
    limits(record, width, output)?;
    let sentences = conclusion::sentences(record);
    if !sentences.is_empty() {
        writeln!(output, "\nWhat it means")?;
        for sentence in sentences {
            item(output, "- ", &sentence, width)?;
        }
    }
    Ok(())
}

/// One figure: back ends down, descriptors across, in as many parts as the width asks for. True when a point is noisy.
fn block(record: &Record, figure: &Figure<'_>, width: usize, output: &mut dyn Write) -> io::Result<bool> {
    writeln!(output, "{}", units::wrap(&figure.heading(), width).join("\n"))?;
    let reasons = figure::reasons(&figure.series);
    let note = |series: &Series| {
        let index = reasons.iter().position(|(_, reason)| series.skipped.as_deref() == Some(*reason));
        index.map_or(String::new(), |index| format!(" [{}]", index + 1))
    };
    let longest =
        figure.series.iter().map(|series| series.backend.chars().count() + note(series).len()).max();
    let names = longest.unwrap_or(0).max("descriptors".len());
    let counts = figure.counts();
    // Raw calls alone have no ratios, and need no room for them; those of bytes would be ratios of noise.
    let compared = figure.unit == "ns"
        && figure.series.iter().any(|series| figure.raw(series, &record.machine).is_some());
    let ratio = if compared { RATIO } else { 0 };
    let across = (width.saturating_sub(names + 2) / (2 + VALUE + ratio)).max(1);
    let mut noisy = false;
    for (part, counts) in counts.chunks(across).enumerate() {
        if part > 0 {
            writeln!(output)?;
        }
        write!(output, "  {:names$}", "descriptors")?;
        let mut line = String::new();
        for count in counts {
            // Over the values, not over the ratios.
            line.push_str(&format!("  {:>VALUE$}{:ratio$}", units::count(*count), ""));
        }
        writeln!(output, "{}", line.trim_end())?;
        for series in &figure.series {
            let raw = figure.raw(series, &record.machine).filter(|_| compared);
            let mut line = format!("  {:names$}", format!("{}{}", series.backend, note(series)));
            for count in counts {
                let (cell, noise) = match figure::at(series, *count) {
                    Some(point) => (cell(point, raw, figure.unit, ratio), is_noisy(point)),
                    None => (format!("  {:>VALUE$}{:ratio$}", "-", ""), false),
                };
                noisy |= noise;
                line.push_str(&cell);
            }
            writeln!(output, "{}", line.trim_end())?;
        }
    }
    if counts.is_empty() {
        for series in &figure.series {
            writeln!(output, "  {}{}", series.backend, note(series))?;
        }
    }
    for (index, (_, reason)) in reasons.iter().enumerate() {
        item(output, &format!("  [{}] ", index + 1), reason, width)?;
    }
    Ok(noisy)
}

fn cell(point: &Point, raw: Option<&Series>, unit: &str, width: usize) -> String {
    let value = units::value(point.minimum, unit);
    let ratio = match raw.and_then(|raw| figure::at(raw, point.descriptors)) {
        Some(raw) if raw.minimum > 0.0 => format!(" {}", units::ratio(point.minimum / raw.minimum)),
        _ => String::new(),
    };
    let noise = if is_noisy(point) { '~' } else { ' ' };
    format!(" {noise}{value:>VALUE$}{ratio:width$}")
}

fn is_noisy(point: &Point) -> bool {
    point.spread > point.median * NOISY
}

fn limits(record: &Record, width: usize, output: &mut dyn Write) -> io::Result<()> {
    if !record.limits.is_empty() {
        writeln!(output, "\nLimits of this host, and how each is raised")?;
        let names = record.limits.iter().map(|limit| limit.name.chars().count()).max().unwrap_or(0);
        for limit in &record.limits {
            let value = match limit.value {
                None => "not known".to_owned(),
                Some(bytes) if limit.name == "memory" => units::value(bytes as f64, "bytes"),
                Some(count) => units::limit(count),
            };
            let first = format!("  {:names$}  {value:>13}  ", limit.name);
            if first.chars().count() <= width / 2 {
                item(output, &first, &limit.raise, width)?;
            } else {
                writeln!(output, "{}", first.trim_end())?;
                item(output, "      ", &limit.raise, width)?;
            }
        }
    }
    if let Some(stop) = &record.stopped {
        let (reached, wanted) = (units::count(stop.reached), units::count(stop.wanted));
        writeln!(output)?;
        let text = format!("It ended at {reached} of {wanted} descriptors: {}: {}", stop.limit, stop.error);
        paragraph(output, &text, width)?;
    }
    Ok(())
}

/// Text of several lines behind a first word, indented by its width.
fn item(output: &mut dyn Write, first: &str, text: &str, width: usize) -> io::Result<()> {
    let indent = first.chars().count();
    let lines = units::wrap(text, width.saturating_sub(indent).max(20));
    for (index, line) in lines.iter().enumerate() {
        let before = if index == 0 { first } else { "" };
        writeln!(output, "{before:indent$}{line}")?;
    }
    if lines.is_empty() {
        writeln!(output, "{}", first.trim_end())?;
    }
    Ok(())
}

fn paragraph(output: &mut dyn Write, text: &str, width: usize) -> io::Result<()> {
    item(output, "", text, width)
}
