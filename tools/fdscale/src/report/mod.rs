//! What a record looks like to people: a table, a plot for print, a plot in text, rows for a spreadsheet, and what
//! changed between two of them. All of it is made from the record alone, so that a run of last year can be drawn
//! today; nothing here measures.

mod conclusion;
mod csv;
mod diff;
mod figure;
mod scale;
mod spread;
mod svg;
mod table;
mod terminal;
mod units;

#[cfg(test)]
pub mod sample;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use crate::json;
use crate::record::Record;

pub use figure::Choice;

/// A record larger than this is none: a full run makes some 100 kB.
const LARGEST: u64 = 64 << 20;
/// Columns of a terminal that does not say how many it has.
const COLUMNS: usize = 80;

/// What a record is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people: every figure, the limits, what it means.
    Table,
    /// One row for each point.
    Csv,
    /// The record itself, as [`save`] keeps it.
    Json,
    /// A plot for print of one figure.
    Svg,
    /// A plot in text of every figure.
    Plot,
}

impl Format {
    /// The formats by the names that the command line has for them.
    pub const NAMES: [(&'static str, Format); 5] = [
        ("table", Format::Table),
        ("csv", Format::Csv),
        ("json", Format::Json),
        ("svg", Format::Svg),
        ("plot", Format::Plot),
    ];

    /// The format of a name.
    pub fn named(name: &str) -> Option<Format> {
        Format::NAMES.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }
}

/// What a terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// In columns.
    pub width: usize,
    /// Only ASCII.
    pub ascii: bool,
}

impl Style {
    /// What the environment says of the terminal; `ascii` wants ASCII whatever it says.
    pub fn from_environment(ascii: bool) -> Style {
        let variable = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
        Style::of(
            ascii,
            variable("COLUMNS").as_deref(),
            ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(variable),
        )
    }

    /// The first of LC_ALL, LC_CTYPE and LANG that is set decides (POSIX XBD 8.2); none is as good as C.
    fn of(ascii: bool, columns: Option<&str>, locale: Option<String>) -> Style {
        let locale = locale.unwrap_or_default().to_ascii_lowercase();
        let unicode = locale.contains("utf-8") || locale.contains("utf8");
        let width = columns.and_then(|columns| columns.parse().ok()).unwrap_or(COLUMNS);
        Style { width: width.clamp(40, 400), ascii: ascii || !unicode }
    }
}

/// Prints a record. `choice` is for all but CSV and JSON, which are whole.
///
/// # Errors
/// Those of `output`; `InvalidInput` for [`Format::Svg`] when `choice` leaves nothing to draw.
pub fn print(
    record: &Record,
    format: Format,
    choice: &Choice,
    style: &Style,
    output: &mut dyn Write,
) -> io::Result<()> {
    match format {
        Format::Table => table::print(record, choice, style, output),
        Format::Csv => csv::print(record, output),
        Format::Json => output.write_all(json::write(record).as_bytes()),
        Format::Svg => svg::print(record, choice, output),
        Format::Plot => terminal::print(record, choice, style, output),
    }
}

/// Keeps a record in a file (`--record FILE`). The file is whole or what it was before.
///
/// # Errors
/// The system's, with the file's name.
pub fn save(record: &Record, path: &Path) -> Result<(), String> {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    std::fs::write(beside, json::write(record)).map_err(named)?;
    std::fs::rename(beside, path).map_err(named)
}

/// Reads a record that [`save`] kept.
///
/// # Errors
/// The system's, or the line and column of what is no record; each with the file's name.
pub fn load(path: &Path) -> Result<Record, String> {
    let named = |error: io::Error| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    File::open(path).map_err(named)?.take(LARGEST + 1).read_to_end(&mut bytes).map_err(named)?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("{}: larger than any record", path.display()));
    }
    json::read(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

/// Prints what changed from one kept record to another (`fdscale diff A B`).
///
/// # Errors
/// Those of [`load`], and of `output`. A change is no error.
pub fn compare(before: &Path, after: &Path, output: &mut dyn Write) -> Result<(), String> {
    let records = (load(before)?, load(after)?);
    let names = (before.display().to_string(), after.display().to_string());
    diff::print((&names.0, &records.0), (&names.1, &records.1), output).map_err(|error| error.to_string())
}
