//! Records as text: the form in which runs are kept, compared and drawn again.
//!
//! One point is one line, so that two records can be looked at by `diff` and kept by git. The reader is strict: what
//! it does not know it refuses with a line and a column, for a name that is silently passed over would be a
//! measurement silently lost.

mod value;

#[cfg(test)]
mod tests;

use std::fmt::{self, Display, Write};

use crate::record::{Limit, Machine, Point, Record, Series, Stop, VERSION};
use value::{Fault, Kind, Member, Value};

/// Why a text is no record.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

impl Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}, column {}: {}", self.line, self.column, self.what)
    }
}

impl std::error::Error for Error {}

// ---------------------------------------------------------------- writing

/// A record in JSON, with a line end at its end. The same record gives the same bytes.
///
/// A measured value that is not finite is written as `null`.
pub fn write(record: &Record) -> String {
    let mut out = String::new();
    // A String takes whatever is written to it.
    let _ = record_to(&mut out, record);
    out
}

fn record_to(out: &mut String, record: &Record) -> fmt::Result {
    let machine = &record.machine;
    write!(out, "{{\n  \"version\": {VERSION},\n  \"machine\": {{\n    \"system\": ")?;
    string(out, &machine.system)?;
    out.push_str(",\n    \"processor\": ");
    string(out, &machine.processor)?;
    let (processors, memory) = (machine.processors, machine.memory);
    write!(out, ",\n    \"processors\": {processors},\n    \"memory\": {memory}\n  }},\n  \"command\": ")?;
    list(out, &record.command, ", ", "", |out, word| string(out, word))?;
    write!(out, ",\n  \"started\": {},\n  \"seconds\": ", record.started)?;
    number(out, record.seconds)?;
    out.push_str(",\n  \"series\": ");
    list(out, &record.series, ",\n    ", "\n    ", series)?;
    out.push_str(",\n  \"limits\": ");
    list(out, &record.limits, ",\n    ", "\n    ", limit)?;
    out.push_str(",\n  \"stopped\": ");
    match &record.stopped {
        None => out.push_str("null"),
        Some(stop) => {
            out.push_str("{\"limit\": ");
            string(out, &stop.limit)?;
            write!(out, ", \"reached\": {}, \"wanted\": {}, \"error\": ", stop.reached, stop.wanted)?;
            string(out, &stop.error)?;
            out.push('}');
        }
    }
    out.push_str("\n}\n");
    Ok(())
}

fn series(out: &mut String, series: &Series) -> fmt::Result {
    let names = [
        ("workload", &series.workload),
        ("measure", &series.measure),
        ("unit", &series.unit),
        ("backend", &series.backend),
    ];
    out.push('{');
    for (name, text) in names {
        write!(out, "\"{name}\": ")?;
        string(out, text)?;
        out.push_str(", ");
    }
    write!(out, "\"active\": {}, \"skipped\": ", series.active)?;
    optional(out, series.skipped.as_ref(), |out, reason| string(out, reason))?;
    out.push_str(",\n      \"points\": ");
    list(out, &series.points, ",\n        ", "\n        ", point)?;
    out.push('}');
    Ok(())
}

fn point(out: &mut String, point: &Point) -> fmt::Result {
    write!(out, "{{\"descriptors\": {}", point.descriptors)?;
    for (name, value) in [("minimum", point.minimum), ("median", point.median), ("spread", point.spread)] {
        write!(out, ", \"{name}\": ")?;
        number(out, value)?;
    }
    write!(out, ", \"runs\": {}}}", point.runs)
}

fn limit(out: &mut String, limit: &Limit) -> fmt::Result {
    out.push_str("{\"name\": ");
    string(out, &limit.name)?;
    out.push_str(", \"value\": ");
    optional(out, limit.value, |out, value| write!(out, "{value}"))?;
    out.push_str(", \"raise\": ");
    string(out, &limit.raise)?;
    out.push('}');
    Ok(())
}

fn optional<T>(
    out: &mut String,
    value: Option<T>,
    write: impl FnOnce(&mut String, T) -> fmt::Result,
) -> fmt::Result {
    match value {
        None => out.write_str("null"),
        Some(value) => write(out, value),
    }
}

fn list<T>(
    out: &mut String,
    items: &[T],
    between: &str,
    before: &str,
    write: impl Fn(&mut String, &T) -> fmt::Result,
) -> fmt::Result {
    out.push('[');
    for (index, item) in items.iter().enumerate() {
        out.push_str(if index == 0 { before } else { between });
        write(out, item)?;
    }
    out.push(']');
    Ok(())
}

fn number(out: &mut String, value: f64) -> fmt::Result {
    // Rust writes the shortest digits that read back as the same float.
    if value.is_finite() { write!(out, "{value}") } else { out.write_str("null") }
}

fn string(out: &mut String, text: &str) -> fmt::Result {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => write!(out, "\\u{:04x}", u32::from(control))?,
            other => out.push(other),
        }
    }
    out.push('"');
    Ok(())
}

// ---------------------------------------------------------------- reading

/// Reads a record that [`write()`] made.
///
/// # Errors
/// The first place that is not JSON, not a record, or of a version that this reader does not know.
pub fn read(bytes: &[u8]) -> Result<Record, Error> {
    let text = match std::str::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let sound = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let fault = Fault::new(sound.len(), "bytes that are not UTF-8");
            return Err(placed(std::str::from_utf8(sound).unwrap_or_default(), fault));
        }
    };
    value::parse(text).and_then(record_of).map_err(|fault| placed(text, fault))
}

/// A fault by line and column.
fn placed(text: &str, fault: Fault) -> Error {
    let before = text.get(..fault.at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Error { line, column, what: fault.what }
}

/// The members of an object that were not asked for yet.
struct Fields {
    at: usize,
    what: &'static str,
    members: Vec<Member>,
}

impl Fields {
    fn of(value: Value, what: &'static str) -> Result<Fields, Fault> {
        match value.kind {
            Kind::Object(members) => Ok(Fields { at: value.at, what, members }),
            other => Err(Fault::new(value.at, format!("{} where {what} should be, an object", other.name()))),
        }
    }

    fn take(&mut self, name: &str) -> Result<Value, Fault> {
        match self.members.iter().position(|member| member.name == name) {
            Some(index) => Ok(self.members.remove(index).value),
            None => Err(Fault::new(self.at, format!("{} has no \"{name}\"", self.what))),
        }
    }

    fn string(&mut self, name: &str) -> Result<String, Fault> {
        string_of(self.take(name)?, name)
    }

    fn float(&mut self, name: &str) -> Result<f64, Fault> {
        let value = self.take(name)?;
        if value.kind == Kind::Null {
            return Ok(f64::NAN);
        }
        number_of::<f64>(value, name, "a number")
    }

    fn whole<T: std::str::FromStr>(&mut self, name: &str) -> Result<T, Fault> {
        number_of(self.take(name)?, name, "a whole number in range")
    }

    fn list<T>(&mut self, name: &str, item: impl Fn(Value) -> Result<T, Fault>) -> Result<Vec<T>, Fault> {
        let value = self.take(name)?;
        match value.kind {
            Kind::List(values) => values.into_iter().map(item).collect(),
            other => Err(wrong(value.at, name, "a list", other.name())),
        }
    }

    /// `None` for null.
    fn optional<T>(
        &mut self,
        name: &str,
        item: impl Fn(Value) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        let value = self.take(name)?;
        if value.kind == Kind::Null { Ok(None) } else { item(value).map(Some) }
    }

    fn end(self) -> Result<(), Fault> {
        match self.members.first() {
            None => Ok(()),
            Some(member) => Err(Fault::new(
                member.at,
                format!("{} has no \"{}\" in version {VERSION}", self.what, member.name),
            )),
        }
    }
}

fn wrong(at: usize, name: &str, wanted: &str, found: &str) -> Fault {
    Fault::new(at, format!("\"{name}\" should be {wanted}, and is {found}"))
}

fn string_of(value: Value, name: &str) -> Result<String, Fault> {
    match value.kind {
        Kind::Text(text) => Ok(text),
        other => Err(wrong(value.at, name, "a string", other.name())),
    }
}

fn number_of<T: std::str::FromStr>(value: Value, name: &str, wanted: &str) -> Result<T, Fault> {
    match value.kind {
        Kind::Number(text) => text.parse().map_err(|_| wrong(value.at, name, wanted, &text)),
        other => Err(wrong(value.at, name, wanted, other.name())),
    }
}

fn record_of(value: Value) -> Result<Record, Fault> {
    let mut fields = Fields::of(value, "a record")?;
    // Before all else: a record of another version may well have other names.
    let version = fields.take("version")?;
    let at = version.at;
    match number_of::<u32>(version, "version", "a whole number in range")? {
        VERSION => {}
        newer if newer > VERSION => {
            let what = format!(
                "version {newer} of the form, from a newer fdscale; this one reads version {VERSION}"
            );
            return Err(Fault::new(at, what));
        }
        other => {
            return Err(Fault::new(at, format!("version {other} of the form; this fdscale reads {VERSION}")));
        }
    }
    let record = Record {
        machine: machine_of(fields.take("machine")?)?,
        command: fields.list("command", |word| string_of(word, "command"))?,
        started: fields.whole("started")?,
        seconds: fields.float("seconds")?,
        series: fields.list("series", series_of)?,
        limits: fields.list("limits", limit_of)?,
        stopped: fields.optional("stopped", stop_of)?,
    };
    fields.end()?;
    Ok(record)
}

fn machine_of(value: Value) -> Result<Machine, Fault> {
    let mut fields = Fields::of(value, "a machine")?;
    let machine = Machine {
        system: fields.string("system")?,
        processor: fields.string("processor")?,
        processors: fields.whole("processors")?,
        memory: fields.whole("memory")?,
    };
    fields.end()?;
    Ok(machine)
}

fn series_of(value: Value) -> Result<Series, Fault> {
    let mut fields = Fields::of(value, "a series")?;
    let series = Series {
        workload: fields.string("workload")?,
        measure: fields.string("measure")?,
        unit: fields.string("unit")?,
        backend: fields.string("backend")?,
        active: fields.whole("active")?,
        points: fields.list("points", point_of)?,
        skipped: fields.optional("skipped", |reason| string_of(reason, "skipped"))?,
    };
    fields.end()?;
    Ok(series)
}

fn point_of(value: Value) -> Result<Point, Fault> {
    let mut fields = Fields::of(value, "a point")?;
    let point = Point {
        descriptors: fields.whole("descriptors")?,
        minimum: fields.float("minimum")?,
        median: fields.float("median")?,
        spread: fields.float("spread")?,
        runs: fields.whole("runs")?,
    };
    fields.end()?;
    Ok(point)
}

fn limit_of(value: Value) -> Result<Limit, Fault> {
    let mut fields = Fields::of(value, "a limit")?;
    let limit = Limit {
        name: fields.string("name")?,
        value: fields.optional("value", |value| number_of(value, "value", "a whole number in range"))?,
        raise: fields.string("raise")?,
    };
    fields.end()?;
    Ok(limit)
}

fn stop_of(value: Value) -> Result<Stop, Fault> {
    let mut fields = Fields::of(value, "what stopped it")?;
    let stop = Stop {
        limit: fields.string("limit")?,
        reached: fields.whole("reached")?,
        wanted: fields.whole("wanted")?,
        error: fields.string("error")?,
    };
    fields.end()?;
    Ok(stop)
}
