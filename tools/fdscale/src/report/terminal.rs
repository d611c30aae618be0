//! A plot in text, both axes logarithmic: braille dots, or in ASCII full stops, for the lines; a letter where something
//! was measured; and for each letter a name and its last value at the right, in the order in which the curves end.

use std::io::{self, Write};

use crate::record::{Point, Record, Series};

use super::figure::{self, Figure};
use super::scale::Scale;
use super::{Style, spread::spread, units};

/// Rows of the plot itself.
const ROWS: usize = 20;
/// `100 us` and a space.
const LEFT: usize = 8;

/// Draws the figures that are wanted, one after another.
///
/// # Errors
/// Those of `output`.
pub fn print(
    record: &Record,
    choice: &figure::Choice,
    style: &Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    let mut first = true;
    for figure in figure::figures(record, choice) {
        if let Some(drawing) = draw(&figure, style) {
            if !first {
                writeln!(output)?;
            }
            first = false;
            writeln!(output, "{}", units::wrap(&figure.heading(), style.width).join("\n"))?;
            output.write_all(drawing.as_bytes())?;
        }
    }
    if first {
        writeln!(output, "nothing to draw")?;
    }
    Ok(())
}

/// Cells of text, each of which is a letter, or dots of a line.
struct Canvas {
    columns: usize,
    /// Dots of a cell across and down.
    dots: (usize, usize),
    /// Bits of braille, or not zero for a full stop.
    lines: Vec<u8>,
    letters: Vec<Option<char>>,
}

impl Canvas {
    fn new(columns: usize, ascii: bool) -> Canvas {
        let dots = if ascii { (1, 1) } else { (2, 4) };
        let cells = columns * ROWS;
        Canvas { columns, dots, lines: vec![0; cells], letters: vec![None; cells] }
    }

    /// The cell at places from 0 to 1, from the left and from below; and the dot in it.
    fn cell(&self, (x, y): (f64, f64)) -> (usize, u8) {
        let last = |cells: usize, dots: usize| (cells * dots).saturating_sub(1);
        let (across, down) = (last(self.columns, self.dots.0), last(ROWS, self.dots.1));
        let column = (x.clamp(0.0, 1.0) * across as f64).round() as usize;
        let row = ((1.0 - y.clamp(0.0, 1.0)) * down as f64).round() as usize;
        // Unicode's numbering of the dots: down the left column, down the right, and the lowest two last.
        let bit = match (column % self.dots.0, row % self.dots.1) {
            (0, 0) => 0x01,
            (0, 1) => 0x02,
            (0, 2) => 0x04,
            (1, 0) => 0x08,
            (1, 1) => 0x10,
            (1, 2) => 0x20,
            (0, _) => 0x40,
            (_, _) => 0x80,
        };
        (row / self.dots.1 * self.columns + column / self.dots.0, bit)
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        let steps = (self.columns * self.dots.0).max(ROWS * self.dots.1) * 2;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            let place = (from.0 + (to.0 - from.0) * share, from.1 + (to.1 - from.1) * share);
            let (cell, bit) = self.cell(place);
            if let Some(bits) = self.lines.get_mut(cell) {
                *bits |= bit;
            }
        }
    }

    /// A letter, or a star where there is another one already.
    fn letter(&mut self, place: (f64, f64), letter: char) {
        let (cell, _) = self.cell(place);
        if let Some(cell) = self.letters.get_mut(cell) {
            *cell = match *cell {
                None => Some(letter),
                Some(same) if same == letter => Some(letter),
                Some(_) => Some('*'),
            };
        }
    }

    fn row(&self, row: usize, ascii: bool) -> String {
        let cells = self.letters.iter().zip(&self.lines).skip(row * self.columns).take(self.columns);
        cells
            .map(|(letter, bits)| match (letter, bits) {
                (Some(letter), _) => *letter,
                (None, 0) => ' ',
                (None, _) if ascii => '.',
                (None, bits) => char::from_u32(0x2800 + u32::from(*bits)).unwrap_or('.'),
            })
            .collect()
    }
}

/// The letter of the curve of an index: a to z, then A to Z, then none of its own.
fn letter(index: usize) -> char {
    ('a'..='z').chain('A'..='Z').nth(index).unwrap_or('+')
}

fn draw(figure: &Figure<'_>, style: &Style) -> Option<String> {
    let points = || figure.series.iter().flat_map(|series| figure::drawable(series));
    let across = Scale::over(points().map(|point| point.descriptors as f64), 0.0, 1.0)?;
    let upward = Scale::over(points().map(|point| point.minimum), 0.05, 1.0)?;
    let drawn: Vec<&Series> =
        figure.series.iter().copied().filter(|series| figure::drawable(series).next().is_some()).collect();
    let place = |point: &Point| (across.place(point.descriptors as f64), upward.place(point.minimum));
    let labels: Vec<(f64, String)> = labels(&drawn, figure.unit, &upward);
    let right = labels.iter().map(|(_, label)| label.chars().count()).max().unwrap_or(0);
    // A narrow terminal gets a narrow plot, but one that can be read.
    let columns = style.width.max(40).saturating_sub(LEFT + 1 + right + 2).max(16);
    let mut canvas = Canvas::new(columns, style.ascii);
    for series in &drawn {
        let places: Vec<(f64, f64)> = figure::drawable(series).map(place).collect();
        for pair in places.windows(2) {
            if let [from, to] = pair {
                canvas.line(*from, *to);
            }
        }
    }
    for (index, series) in drawn.iter().enumerate() {
        for point in figure::drawable(series) {
            canvas.letter(place(point), letter(index));
        }
    }
    Some(assemble(figure, style, &canvas, &across, &upward, &labels))
}

/// Where each label wants to be, in rows from above, and what it says; from above.
fn labels(drawn: &[&Series], unit: &str, upward: &Scale) -> Vec<(f64, String)> {
    let most = drawn
        .iter()
        .filter_map(|series| figure::drawable(series).last())
        .map(|point| point.descriptors)
        .max();
    let mut labels = Vec::new();
    for (index, series) in drawn.iter().enumerate() {
        let Some(point) = figure::drawable(series).last() else { continue };
        let row = (1.0 - upward.place(point.minimum)) * (ROWS - 1) as f64;
        let value = units::value(point.minimum, unit);
        // One that ends early says where.
        let end = if Some(point.descriptors) == most {
            String::new()
        } else {
            format!(" at {}", short(point.descriptors))
        };
        labels.push((row, format!("{} {} {value}{end}", letter(index), series.backend)));
    }
    labels.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    labels
}

/// `10k`, `9.9k`, `1M`.
fn short(count: u64) -> String {
    let thousands = count as f64 / 1e3;
    if count >= 1_000_000 {
        format!("{}M", (thousands / 100.0).round() / 10.0)
    } else if count >= 1000 {
        format!("{}k", (thousands * 10.0).round() / 10.0)
    } else {
        count.to_string()
    }
}

fn assemble(
    figure: &Figure<'_>,
    style: &Style,
    canvas: &Canvas,
    across: &Scale,
    upward: &Scale,
    labels: &[(f64, String)],
) -> String {
    let (vertical, tick, corner, horizontal, notch) =
        if style.ascii { ('|', '+', '+', '-', '+') } else { ('│', '┤', '└', '─', '┬') };
    // One row for each label; more labels than rows go on below.
    let wanted: Vec<f64> = labels.iter().map(|(row, _)| *row).collect();
    let rows = ROWS.max(labels.len());
    let places = spread(&wanted, 1.0, 0.0, (rows - 1) as f64);
    let mut beside: Vec<&str> = vec![""; rows];
    let mut next = 0;
    for (place, (_, label)) in places.iter().zip(labels) {
        let row = (place.round() as usize).max(next).min(rows - 1);
        next = row + 1;
        if let Some(cell) = beside.get_mut(row) {
            *cell = label;
        }
    }
    let ticks: Vec<(usize, String)> = upward
        .ticks()
        .into_iter()
        .map(|value| {
            let row = ((1.0 - upward.place(value)) * (ROWS - 1) as f64).round() as usize;
            (row, units::decade(value, figure.unit))
        })
        .collect();
    let mut out = String::new();
    let mut axis: Vec<char> = vec![horizontal; canvas.columns];
    let mut below: Vec<char> = vec![' '; canvas.columns + 12];
    let mut free = 0;
    for value in across.ticks() {
        let column = (across.place(value) * (canvas.columns - 1) as f64).round() as usize;
        if let Some(cell) = axis.get_mut(column) {
            *cell = notch;
        }
        let label = units::count(value.round() as u64);
        let from = (column + LEFT + 1).saturating_sub(label.len() / 2).saturating_sub(LEFT - 4);
        // A label that would touch the one before it is left out; its tick stays.
        if from >= free {
            free = from + label.len() + 1;
            for (cell, character) in below.iter_mut().skip(from).zip(label.chars()) {
                *cell = character;
            }
        }
    }
    for (row, label) in beside.iter().enumerate() {
        let found = ticks.iter().find(|(at, _)| *at == row);
        let (name, mark) = found.map_or(("", vertical), |(_, name)| (name.as_str(), tick));
        let line = if row < ROWS {
            format!("{name:>width$} {mark}{} {label}", canvas.row(row, style.ascii), width = LEFT - 1)
        } else {
            format!("{:width$} {label}", "", width = LEFT + 1 + canvas.columns)
        };
        push(&mut out, &line);
        if row + 1 == ROWS {
            let axis: String = axis.iter().collect();
            // Labels that are more than the rows begin beside the axis.
            push(&mut out, &format!("{:width$}{corner}{axis}", "", width = LEFT));
            let below: String = below.iter().collect();
            push(&mut out, &format!("{:4}{below}", ""));
        }
    }
    push(&mut out, &format!("{:width$}descriptors watched", "", width = LEFT + 1));
    out
}

fn push(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}
