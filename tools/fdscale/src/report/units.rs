//! Figures as people read them: 3.40 us, 4.30 kB, 100,000, 2026-11-25.

use gorgon::text::calendar::civil_from_days;

/// A whole number with commas between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A value with three digits that mean something, in the unit of its size. `unit` is that of the record.
pub fn value(value: f64, unit: &str) -> String {
    if !value.is_finite() {
        return "not a number".into();
    }
    let (scaled, name) = scale(value, unit);
    format!("{} {name}", three(scaled))
}

/// A value in the unit of its size.
fn scale(value: f64, unit: &str) -> (f64, &str) {
    let steps: &[(f64, &str)] = match unit {
        "ns" => &[(1e9, "s"), (1e6, "ms"), (1e3, "us")],
        // Of 1,000: what a million of them takes is read off without a calculator.
        "bytes" => &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB")],
        _ => &[],
    };
    // 999.6 is written 1,000 with three digits; it belongs to the next unit.
    for (size, name) in steps {
        if value.abs() / size >= 0.9995 {
            return (value / size, name);
        }
    }
    (value, if unit == "bytes" { "B" } else { unit })
}

/// Three digits that mean something; whole numbers from 100 on.
pub fn three(value: f64) -> String {
    let size = value.abs();
    if size >= 999.5 {
        let whole = count(size.round() as u64);
        return if value < 0.0 { format!("-{whole}") } else { whole };
    }
    let decimals = if size >= 99.95 || size == 0.0 {
        0
    } else if size >= 9.995 {
        1
    } else if size >= 0.9995 {
        2
    } else {
        3
    };
    format!("{value:.decimals$}")
}

/// `1.04x`, `12x`.
pub fn ratio(value: f64) -> String {
    if !value.is_finite() {
        return "?".into();
    }
    if value >= 99.5 {
        format!("{}x", count(value.round() as u64))
    } else if value >= 9.95 {
        format!("{value:.0}x")
    } else if value >= 1.95 {
        format!("{value:.1}x")
    } else {
        format!("{value:.2}x")
    }
}

/// A decade on an axis: `1 us`, `100 ns`, `10 kB`.
pub fn decade(value: f64, unit: &str) -> String {
    let steps: &[(f64, &str)] = match unit {
        "ns" => &[(1e9, "s"), (1e6, "ms"), (1e3, "us"), (1.0, "ns")],
        "bytes" => &[(1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B")],
        _ => &[],
    };
    for (size, name) in steps {
        if value >= size * 0.999 {
            return format!("{} {name}", (value / size * 1000.0).round() / 1000.0);
        }
    }
    format!("{value} {unit}")
}

/// The day of a time in seconds since 1970, in the world's time.
pub fn day(seconds: i64) -> String {
    let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// A limit: a number, or that there is none, which is what the greatest numbers say.
pub fn limit(value: u64) -> String {
    if value >= u64::from(u32::MAX) << 30 { "no limit".into() } else { count(value) }
}

/// Text in lines of at most so many characters, broken at spaces; a longer word has a line of its own.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split_whitespace() {
        let letters = word.chars().count();
        if length > 0 && length + 1 + letters > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += letters;
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_read_them() {
        for (number, wanted) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_048_576, "1,048,576")] {
            assert_eq!(count(number), wanted);
        }
        let cases = [
            (0.0, "ns", "0 ns"),
            (65.2, "ns", "65.2 ns"),
            (0.5, "ns", "0.500 ns"),
            (999.4, "ns", "999 ns"),
            (999.6, "ns", "1.00 us"),
            (2400.0, "ns", "2.40 us"),
            (68_000.0, "ns", "68.0 us"),
            (1_560_000.0, "ns", "1.56 ms"),
            (999_950.0, "ns", "1.00 ms"),
            (7.8e9, "ns", "7.80 s"),
            (7.8e12, "ns", "7,800 s"),
            (-2400.0, "ns", "-2.40 us"),
            (65.0, "bytes", "65.0 B"),
            (4398.0, "bytes", "4.40 kB"),
            (8e9, "bytes", "8.00 GB"),
            (12.0, "events", "12.0 events"),
            (f64::NAN, "ns", "not a number"),
        ];
        for (number, unit, wanted) in cases {
            assert_eq!(value(number, unit), wanted);
        }
        for (number, wanted) in
            [(1.0, "1.00x"), (1.96, "2.0x"), (9.96, "10x"), (470.2, "470x"), (1250.0, "1,250x")]
        {
            assert_eq!(ratio(number), wanted);
        }
        let decades = [
            (1.0, "ns", "1 ns"),
            (0.1, "ns", "0.1 ns"),
            (1e4, "ns", "10 us"),
            (2e6, "ns", "2 ms"),
            (1e4, "bytes", "10 kB"),
        ];
        for (number, unit, wanted) in decades {
            assert_eq!(decade(number, unit), wanted);
        }
    }

    #[test]
    fn lines_break_at_spaces() {
        assert_eq!(wrap("", 5), [""; 0]);
        assert_eq!(wrap(" ab  cd efghijk l", 5), ["ab cd", "efghijk", "l"]);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        let cases = [
            (0, "1970-01-01"),
            (-1, "1969-12-31"),
            (951_782_400, "2000-02-29"),
            (1_795_593_600, "2026-11-25"),
            (4_107_542_400, "2100-03-01"),
        ];
        for (seconds, wanted) in cases {
            assert_eq!(day(seconds), wanted);
        }
        for seconds in [i64::MIN, i64::MAX] {
            assert!(day(seconds).len() >= 10);
        }
    }
}
