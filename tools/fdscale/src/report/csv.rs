//! One row for each point, for spreadsheets and statistics (RFC 4180): lines end in CR LF, the first is the header,
//! values are in the unit of their row.

use std::io::{self, Write};

use crate::record::Record;

/// Writes a record's points.
///
/// # Errors
/// Those of `output`.
pub fn print(record: &Record, output: &mut dyn Write) -> io::Result<()> {
    output.write_all(b"workload,measure,unit,backend,active,descriptors,minimum,median,spread,runs\r\n")?;
    for series in &record.series {
        let words =
            [&series.workload, &series.measure, &series.unit, &series.backend].map(|word| field(word));
        let words = words.join(",");
        for point in &series.points {
            let numbers = [point.minimum, point.median, point.spread].map(number).join(",");
            write!(output, "{words},{},{},{numbers},{}\r\n", series.active, point.descriptors, point.runs)?;
        }
    }
    Ok(())
}

/// A text as a field: in quotes where it must be.
fn field(text: &str) -> String {
    if text.contains([',', '"', '\r', '\n']) || text.starts_with(' ') || text.ends_with(' ') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// A number; an empty field for what is none.
fn number(value: f64) -> String {
    if value.is_finite() { value.to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_row_for_each_point() {
        let mut record = sample::small();
        record.series.truncate(2);
        record.series[1].backend = "a \"b\", c".into();
        record.series[1].points.truncate(1);
        record.series[1].points[0].spread = f64::NAN;
        let mut out = Vec::new();
        print(&record, &mut out).unwrap();
        let wanted = "workload,measure,unit,backend,active,descriptors,minimum,median,spread,runs\r\n\
            chain,pass,ns,raw-epoll,1,100,2400,2550,150,25\r\n\
            chain,pass,ns,raw-epoll,1,1000,3400,3612.5,212.5,25\r\n\
            chain,pass,ns,raw-epoll,1,9900,3300,3506.25,206.25,25\r\n\
            chain,pass,ns,\"a \"\"b\"\", c\",1,100,2450,2603.125,,25\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
