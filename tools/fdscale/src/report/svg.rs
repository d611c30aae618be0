//! A plot for print: both axes logarithmic, each curve named at its end, nothing that is not data or its scale.
//!
//! The colour of a curve is the call it waits by, and so is its dash, for grey print; the mark at its points is who
//! makes the call. A raw call is a pale broad band, on which what is as fast as it can be seen to lie. Colours keep apart for those who do not see red or green (after Okabe and Ito,
//! darkened until they carry small type). The same record gives the same bytes.

use std::fmt::Write as _;
use std::io::{self, Write};

use crate::record::{Machine, Record, Series};

use super::figure::{self, Figure};
use super::scale::Scale;
use super::spread::spread;
use super::units;

/// Units of the drawing; at 96 to an inch it is 7.5 inches, the width of a text. Its height follows from the notes.
const WIDTH: f64 = 720.0;
const MARGIN: f64 = 16.0;
/// The plot itself; its right end leaves room for the labels.
const LEFT: f64 = 74.0;
const TOP: f64 = 74.0;
const BOTTOM: f64 = 404.0;
/// Type of titles, of labels, of notes.
const TITLE: f64 = 16.0;
const LABEL: f64 = 11.5;
const NOTE: f64 = 10.0;
/// The first line of notes and the distance to the next.
const NOTES: f64 = 472.0;
const NOTE_LEADING: f64 = 13.0;
/// From one label to the next.
const LEADING: f64 = 13.5;
/// From a curve's end to its label, with room for a leader.
const GAP: f64 = 18.0;
/// The mean width of a letter, as a share of its size; rather too wide than too narrow.
const LETTER: f64 = 0.58;

/// How a curve is drawn.
struct Stroke {
    /// Of marks and label.
    colour: &'static str,
    /// Of the line.
    line: &'static str,
    dash: &'static str,
    width: f64,
    mark: Mark,
}

#[derive(Clone, Copy)]
enum Mark {
    Disc,
    Square,
    Ring,
    Box,
    Diamond,
    Triangle,
    Cross,
}

impl Stroke {
    fn of(series: &Series, machine: &Machine) -> Stroke {
        let (colour, pale, dash) = match figure::kind(&series.backend, machine) {
            "epoll" => ("#005c99", "#a8d0ea", ""),
            "poll" => ("#b34700", "#f6c39d", "7 2.5"),
            "select" => ("#00755a", "#a3d9c7", "2.5 2"),
            _ => ("#8c3d73", "#e3bdd6", "7 2 2 2"),
        };
        let (width, mark) = match figure::library(&series.backend) {
            "raw" => (5.0, Mark::Disc),
            "gorgon" => (1.4, Mark::Square),
            "engine" => (1.4, Mark::Box),
            "mio" => (0.9, Mark::Ring),
            "libev" => (0.9, Mark::Diamond),
            "libevent" => (0.9, Mark::Triangle),
            _ => (0.9, Mark::Cross),
        };
        let (line, dash) = if matches!(mark, Mark::Disc) { (pale, "") } else { (colour, dash) };
        Stroke { colour, line, dash, width, mark }
    }
}

/// A curve on paper.
struct Curve<'a> {
    series: &'a Series,
    stroke: Stroke,
    /// In units of the drawing, from left to right.
    points: Vec<(f64, f64)>,
    /// The end of the last segment.
    end: (f64, f64),
    /// Where its label stands: left end, middle of its height.
    label: (f64, f64),
}

impl Curve<'_> {
    fn label_width(&self) -> f64 {
        text_width(&self.series.backend, LABEL)
    }
}

fn text_width(text: &str, size: f64) -> f64 {
    text.chars().count() as f64 * size * LETTER
}

/// Draws the principal figure of those that are wanted.
///
/// # Errors
/// `InvalidInput` when the record has nothing to draw; those of `output`.
pub fn print(record: &Record, choice: &figure::Choice, output: &mut dyn Write) -> io::Result<()> {
    let nothing = || io::Error::new(io::ErrorKind::InvalidInput, "the record has no such curve to draw");
    let figure = figure::principal(record, choice).ok_or_else(nothing)?;
    let drawing = draw(record, &figure).ok_or_else(nothing)?;
    output.write_all(drawing.as_bytes())
}

fn draw(record: &Record, figure: &Figure<'_>) -> Option<String> {
    let points = || figure.series.iter().flat_map(|series| figure::drawable(series));
    let across = Scale::over(points().map(|point| point.descriptors as f64), 0.0, 1.0)?;
    let upward = Scale::over(points().map(|point| point.minimum), 0.12, 2.0)?;
    // All that may stand at the right end is room for the widest label.
    let widest = figure.series.iter().map(|series| text_width(&series.backend, LABEL)).fold(0.0, f64::max);
    let right = (WIDTH - MARGIN - GAP - widest).max(WIDTH / 2.0);
    let mut curves = Vec::new();
    for series in &figure.series {
        let points: Vec<(f64, f64)> = figure::drawable(series)
            .map(|point| {
                let x = LEFT + across.place(point.descriptors as f64) * (right - LEFT);
                let y = BOTTOM - upward.place(point.minimum) * (BOTTOM - TOP);
                (x, y)
            })
            .collect();
        if let Some(&end) = points.last() {
            let stroke = Stroke::of(series, &record.machine);
            curves.push(Curve { series, stroke, points, end, label: (0.0, 0.0) });
        }
    }
    place_labels(&mut curves);
    let mut out = String::new();
    // A String takes whatever is written to it.
    let notes = notes(record, figure, &curves);
    let _ = head(&mut out, record, figure, NOTES + NOTE_LEADING * notes.len() as f64);
    let _ = axes(&mut out, figure, right, &across, &upward);
    // The raw calls lie beneath all others.
    curves.sort_by_key(|curve| !matches!(curve.stroke.mark, Mark::Disc));
    for curve in &curves {
        let _ = curve_to(&mut out, curve);
    }
    for (index, line) in notes.iter().enumerate() {
        let _ = text(&mut out, (MARGIN, NOTES + NOTE_LEADING * index as f64), NOTE, "start", line);
    }
    out.push_str("</svg>\n");
    Some(out)
}

// ---------------------------------------------------------------- labels

/// Puts each label at the end of its curve. Those that end at the same number stand under one another; a column that
/// would lie on a curve that goes on is moved up or down as a whole.
fn place_labels(curves: &mut [Curve<'_>]) {
    let mut ends: Vec<f64> = curves.iter().map(|curve| curve.end.0).collect();
    ends.sort_by(|a, b| b.total_cmp(a));
    ends.dedup();
    // From the right, where labels have nowhere else to go.
    let mut placed: Vec<(f64, f64, f64)> = Vec::new();
    for end in ends {
        let mut column: Vec<usize> = (0..curves.len()).collect();
        column.retain(|index| curves.get(*index).is_some_and(|curve| curve.end.0 == end));
        let height = |index: &usize| curves.get(*index).map_or(0.0, |curve| curve.end.1);
        column.sort_by(|a, b| height(a).total_cmp(&height(b)));
        let wanted: Vec<f64> = column.iter().map(height).collect();
        let places = spread(&wanted, LEADING, TOP, BOTTOM - 4.0);
        let widest =
            column.iter().filter_map(|index| curves.get(*index)).map(Curve::label_width).fold(0.0, f64::max);
        let left = end + GAP;
        let free = |shift: f64, off_curves: bool| {
            places.iter().all(|place| {
                let y = place + shift;
                let inside = (TOP - 6.0..=BOTTOM - 4.0).contains(&y);
                // Half of a band's breadth more than the letters.
                let half = LEADING / 2.0 + 3.0;
                let boxed = (left - 4.0, left + widest + 4.0, y - half, y + half);
                inside
                    && !(off_curves
                        && curves.iter().any(|curve| curve.end.0 > end && crosses(&curve.points, boxed)))
                    && !placed.iter().any(|(from, to, other)| {
                        boxed.0 < *to && *from < boxed.1 && (y - other).abs() < LEADING - 0.1
                    })
            })
        };
        let steps = || (0..200).flat_map(|step| [f64::from(step) * -2.0, f64::from(step) * 2.0]);
        // Between many curves there may be no free place: a label on a curve can still be read, one on another cannot.
        let shift =
            steps().find(|shift| free(*shift, true)).or_else(|| steps().find(|shift| free(*shift, false)));
        let shift = shift.unwrap_or(0.0);
        for (index, place) in column.iter().zip(&places) {
            if let Some(curve) = curves.get_mut(*index) {
                curve.label = (left, place + shift);
                placed.push((left, left + widest, place + shift));
            }
        }
    }
}

/// Whether a line passes through a box of left, right, top and bottom.
fn crosses(points: &[(f64, f64)], (left, right, top, bottom): (f64, f64, f64, f64)) -> bool {
    points.windows(2).any(|pair| {
        let [(x0, y0), (x1, y1)] = pair else { return false };
        let (from, to) = (left.max(*x0), right.min(*x1));
        if from > to || x1 <= x0 {
            return false;
        }
        let height = |x: f64| y0 + (y1 - y0) * (x - x0) / (x1 - x0);
        let (a, b) = (height(from), height(to));
        a.min(b) < bottom && a.max(b) > top
    })
}

// ---------------------------------------------------------------- parts of the drawing

fn head(out: &mut String, record: &Record, figure: &Figure<'_>, height: f64) -> std::fmt::Result {
    let (title, height) = (escape(&figure.title()), n(height));
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"Helvetica, Arial, 'Liberation Sans', 'Nimbus Sans', sans-serif\" fill=\"#1a1a1a\">"
    )?;
    writeln!(out, "<title>{title}</title>")?;
    writeln!(out, "<rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#ffffff\"/>")?;
    writeln!(out, "<text x=\"{MARGIN}\" y=\"26\" font-size=\"{TITLE}\" font-weight=\"bold\">{title}</text>")?;
    let host = figure::host(&record.machine);
    text(out, (MARGIN, 44.0), NOTE, "start", &format!("{host}; {}", units::day(record.started)))
}

fn axes(
    out: &mut String,
    figure: &Figure<'_>,
    right: f64,
    across: &Scale,
    upward: &Scale,
) -> std::fmt::Result {
    let x = |value: f64| LEFT + across.place(value) * (right - LEFT);
    let y = |value: f64| BOTTOM - upward.place(value) * (BOTTOM - TOP);
    // The axes stand off the data, so that no curve lies on them.
    let (axis, base) = (LEFT - 8.0, BOTTOM + 8.0);
    let mut ticks = format!("M{} {}V{}M{LEFT} {base}H{}", axis, n(TOP), n(BOTTOM), n(right));
    for (values, length) in [(across.ticks(), 6.0), (across.between(), 3.0)] {
        for value in values {
            write!(ticks, "M{} {base}v{length}", n(x(value)))?;
        }
    }
    for (values, length) in [(upward.ticks(), 6.0), (upward.between(), 3.0)] {
        for value in values {
            write!(ticks, "M{axis} {}h-{length}", n(y(value)))?;
        }
    }
    writeln!(out, "<path d=\"{ticks}\" fill=\"none\" stroke=\"#1a1a1a\" stroke-width=\"0.6\"/>")?;
    for value in across.ticks() {
        text(out, (x(value), base + 19.0), LABEL, "middle", &units::count(value.round() as u64))?;
    }
    for value in upward.ticks() {
        let label = units::decade(value, figure.unit).replace(" us", " µs");
        text(out, (axis - 10.0, y(value) + LABEL * 0.35), LABEL, "end", &label.replace(' ', "\u{a0}"))?;
    }
    text(out, (right, base + 37.0), LABEL, "end", "descriptors watched")
}

fn curve_to(out: &mut String, curve: &Curve<'_>) -> std::fmt::Result {
    let Stroke { colour, line: line_colour, dash, width, mark } = curve.stroke;
    writeln!(out, "<g stroke=\"{colour}\" fill=\"{colour}\">")?;
    let line: Vec<String> = curve.points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect();
    let dash = if dash.is_empty() { String::new() } else { format!(" stroke-dasharray=\"{dash}\"") };
    writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{line_colour}\" stroke-width=\"{width}\" stroke-linejoin=\"round\"{dash}/>",
        line.join(" ")
    )?;
    let mut marks = String::new();
    for point in &curve.points {
        mark_to(&mut marks, mark, *point)?;
    }
    let fill = if matches!(mark, Mark::Disc | Mark::Square) { "" } else { " fill=\"#ffffff\"" };
    writeln!(out, "<path d=\"{marks}\" stroke-width=\"1\"{fill}/>")?;
    // A leader from the end of the curve to its label.
    let ((x, y), (left, middle)) = (curve.end, curve.label);
    writeln!(
        out,
        "<path d=\"M{} {}L{} {}\" fill=\"none\" stroke-width=\"0.5\"/>",
        n(x + 5.0),
        n(y),
        n(left - 3.0),
        n(middle)
    )?;
    let name = escape(&curve.series.backend);
    let weight = if matches!(mark, Mark::Disc) { " font-weight=\"bold\"" } else { "" };
    writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" font-size=\"{LABEL}\" stroke=\"none\"{weight}>{name}</text>\n</g>",
        n(left),
        n(middle + LABEL * 0.35)
    )
}

fn mark_to(out: &mut String, mark: Mark, (x, y): (f64, f64)) -> std::fmt::Result {
    let at = |dx: f64, dy: f64| format!("{} {}", n(x + dx), n(y + dy));
    match mark {
        Mark::Disc | Mark::Ring => {
            write!(out, "M{}a2.6 2.6 0 1 0 5.2 0a2.6 2.6 0 1 0 -5.2 0z", at(-2.6, 0.0))
        }
        Mark::Square | Mark::Box => write!(out, "M{}h4.6v4.6h-4.6z", at(-2.3, -2.3)),
        Mark::Diamond => write!(out, "M{}l3.2 3.2l-3.2 3.2l-3.2 -3.2z", at(0.0, -3.2)),
        Mark::Triangle => write!(out, "M{}l3 5.2h-6z", at(0.0, -3.4)),
        Mark::Cross => write!(out, "M{}l4.6 4.6M{}l4.6 -4.6", at(-2.3, -2.3), at(-2.3, 2.3)),
    }
}

/// Under the plot: what the figures are, and why a curve ends before the others. In lines.
fn notes(record: &Record, figure: &Figure<'_>, curves: &[Curve<'_>]) -> Vec<String> {
    let runs = figure.series.iter().flat_map(|series| figure::drawable(series)).map(|point| point.runs);
    let (least, most) = runs.fold((u32::MAX, 0), |(least, most), runs| (least.min(runs), most.max(runs)));
    let of = if least == most { format!("{most}") } else { format!("{least} to {most}") };
    let mut notes = vec![format!("Each point is the least of {of} runs.")];
    for (names, reason) in figure::reasons(&figure.series) {
        let drawn = curves.iter().any(|curve| names.contains(&curve.series.backend.as_str()));
        notes.push(format!(
            "{} {}: {reason}.",
            names.join(", "),
            if drawn { "no further" } else { "not measured" }
        ));
    }
    if let Some(stop) = &record.stopped {
        let (reached, wanted) = (units::count(stop.reached), units::count(stop.wanted));
        notes.push(format!("The run ended at {reached} of {wanted} descriptors: {}.", stop.limit));
    }
    let letters = ((WIDTH - 2.0 * MARGIN) / (NOTE * 0.53)) as usize;
    notes.iter().flat_map(|note| units::wrap(note, letters)).collect()
}

fn text(out: &mut String, (x, y): (f64, f64), size: f64, anchor: &str, text: &str) -> std::fmt::Result {
    let anchor = if anchor == "start" { String::new() } else { format!(" text-anchor=\"{anchor}\"") };
    writeln!(out, "<text x=\"{}\" y=\"{}\" font-size=\"{size}\"{anchor}>{}</text>", n(x), n(y), escape(text))
}

/// A coordinate: tenths are finer than a printer.
fn n(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// Text within XML. Characters that XML 1.0 does not have become U+FFFD.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            control if control < ' ' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
