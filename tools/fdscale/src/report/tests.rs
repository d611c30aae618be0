//! Reports against what they are known to look like. `FDSCALE_GOLDEN=write cargo test -p fdscale` writes that anew.

use super::*;
use crate::record::Point;

fn golden(name: &str, found: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("FDSCALE_GOLDEN").is_some() {
        std::fs::write(&path, found).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    assert!(known == found, "{name} is now\n{found}");
}

fn printed(record: &Record, format: Format, style: Style) -> String {
    let mut out = Vec::new();
    print(record, format, &Choice::default(), &style, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn drawn(record: &Record, choice: &Choice) -> String {
    let mut out = Vec::new();
    svg::print(record, choice, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const WIDE: Style = Style { width: 100, ascii: false };
const NARROW: Style = Style { width: 80, ascii: true };

#[test]
fn reports_look_as_they_did() {
    golden("small.svg", &printed(&sample::small(), Format::Svg, WIDE));
    golden("full.svg", &printed(&sample::record(), Format::Svg, WIDE));
    golden("small.json", &printed(&sample::small(), Format::Json, WIDE));
    golden("small-table.txt", &printed(&sample::small(), Format::Table, NARROW));
    golden("full-table.txt", &printed(&sample::record(), Format::Table, WIDE));
    golden("small-plot.txt", &printed(&sample::small(), Format::Plot, NARROW));
    golden("full-plot.txt", &printed(&sample::record(), Format::Plot, WIDE));
}

#[test]
fn comparison() {
    let mut after = sample::small();
    after.machine.processors = 4;
    after.started += 86_400;
    after.series[0].points[0].minimum = 2200.0;
    after.series[0].points[1].minimum = 3500.0;
    after.series[1].points[0].minimum = 4900.0;
    after.series[1].points[2].descriptors = 10_000;
    after.series[2].backend = "raw-select".into();
    let mut out = Vec::new();
    diff::print(("old.json", &sample::small()), ("new.json", &after), &mut out).unwrap();
    golden("diff.txt", &String::from_utf8(out).unwrap());
}

/// Records that no run makes; each form prints them all the same.
fn odd() -> Vec<Record> {
    let point =
        |descriptors, value| Point { descriptors, minimum: value, median: value, spread: value, runs: 0 };
    let key = ("chain", "pass", "raw-epoll", 1);
    let mut records = vec![Record::default()];
    for points in [
        vec![],
        vec![point(0, 0.0)],
        vec![point(1, 1.0)],
        vec![point(u64::MAX, f64::MAX), point(1, f64::MIN_POSITIVE)],
        vec![
            point(100, f64::NAN),
            point(100, -1.0),
            point(100, f64::INFINITY),
            point(100, 5.0),
            point(100, 6.0),
        ],
    ] {
        let mut record =
            Record { series: vec![sample::series(key, "ns", &[], None); 3], ..Record::default() };
        record.series[1].points = points.clone();
        record.series[1].backend =
            "a-<name> & \"more\" of it, \u{1} which \u{ffff} is very long, longer than anything".into();
        record.series[2].unit = "bytes".into();
        record.series[2].points = points;
        records.push(record);
    }
    // More curves than letters and rows.
    let mut record = Record::default();
    for index in 0..70u64 {
        let backend = format!("number{index}-epoll");
        let points = [(100, 1000.0 + index as f64), (10_000 - index % 3 * 100, 1200.0)];
        record.series.push(sample::series(("chain", "pass", &backend, 1), "ns", &points, None));
    }
    records.push(record);
    records
}

#[test]
fn odd_records_are_printed_too() {
    for record in odd() {
        for (name, format) in Format::NAMES {
            for style in [WIDE, NARROW] {
                let mut out = Vec::new();
                let result = print(&record, format, &Choice::default(), &style, &mut out);
                assert!(result.is_ok() || format == Format::Svg, "{name}");
            }
        }
        let mut out = Vec::new();
        diff::print(("a", &record), ("b", &sample::record()), &mut out).unwrap();
        diff::print(("a", &sample::record()), ("b", &record), &mut out).unwrap();
    }
}

#[test]
fn text_keeps_to_the_width() {
    let mut records = odd();
    records.truncate(1);
    records.extend([sample::small(), sample::record()]);
    for record in &records {
        for width in [60, 72, 80, 100, 132, 200] {
            for format in [Format::Table, Format::Plot] {
                let text = printed(record, format, Style { width, ascii: true });
                assert!(text.is_ascii());
                for line in text.lines() {
                    assert!(line.len() <= width, "{width}: {line}");
                    assert_eq!(line.trim_end(), line);
                }
            }
        }
    }
}

#[test]
fn choices_leave_the_rest_out() {
    let record = sample::record();
    let choice = Choice { measure: Some("event".into()), ..Choice::default() };
    assert_eq!(figure::figures(&record, &choice).len(), 1);
    assert!(drawn(&record, &choice).contains("Time for each event, 100 descriptors active"));
    assert_eq!(drawn(&record, &Choice::default()), drawn(&record, &Choice::default()));
    // A pass with many active is a multiple of the event, and shown only if it is asked for.
    let mut record = sample::small();
    for (measure, active) in [("event", 1), ("pass", 9), ("event", 9)] {
        record.series.push(sample::series(("chain", measure, "raw-epoll", active), "ns", &[(9, 9.0)], None));
    }
    let shown = |choice: &Choice| -> Vec<(String, u64)> {
        figure::figures(&record, choice).iter().map(|figure| (figure.measure.into(), figure.active)).collect()
    };
    assert_eq!(shown(&Choice::default()), [("pass".into(), 1), ("event".into(), 9)]);
    let asked = Choice { measure: Some("pass".into()), ..Choice::default() };
    assert_eq!(shown(&asked), [("pass".into(), 1), ("pass".into(), 9)]);
    let choice = Choice { active: Some(7), ..Choice::default() };
    let error = svg::print(&record, &choice, &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
}

/// Left, right, middle and text of each label of a plot for print.
fn labels(drawing: &str) -> Vec<(f64, f64, f64, String)> {
    let number = |line: &str, name: &str| -> f64 {
        line.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap().parse().unwrap()
    };
    let lines = drawing.lines().filter(|line| line.starts_with("<text") && line.contains("stroke=\"none\""));
    lines
        .map(|line| {
            let text = line.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned();
            let left = number(line, "x");
            (left, left + text.len() as f64 * 6.5, number(line, "y"), text)
        })
        .collect()
}

#[test]
fn labels_of_the_plot_do_not_overlap() {
    let mut dice = sample::Dice::new(4);
    for round in 0..200 {
        let mut record = sample::record();
        // Each curve ends at a place of its own.
        for series in &mut record.series {
            let keep = 1 + dice.below(series.points.len().max(1) as u64) as usize;
            if round > 0 && round % 2 == 0 {
                series.points.truncate(keep);
            }
            for point in &mut series.points {
                point.minimum *= 0.5 + dice.below(100) as f64 / 100.0;
            }
        }
        let labels = labels(&drawn(&record, &Choice::default()));
        assert_eq!(labels.len(), 11);
        for (index, a) in labels.iter().enumerate() {
            for b in &labels[index + 1..] {
                let apart = a.1 <= b.0 || b.1 <= a.0 || (a.2 - b.2).abs() >= 12.0;
                assert!(apart, "{round}: {a:?} {b:?}");
            }
        }
    }
}

#[test]
fn plots_for_print_are_xml() {
    let program = "import sys, xml.dom.minidom\nfor text in sys.stdin.buffer.read().split(b'\\0'):\n    xml.dom.minidom.parseString(text)\n";
    let child = std::process::Command::new("python3")
        .args(["-c", program])
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        eprintln!("skipped: no python3");
        return;
    };
    let mut drawings = vec![drawn(&sample::record(), &Choice::default())];
    for record in odd() {
        let mut out = Vec::new();
        if svg::print(&record, &Choice::default(), &mut out).is_ok() {
            drawings.push(String::from_utf8(out).unwrap());
        }
    }
    assert!(drawings.len() > 4);
    child.stdin.take().unwrap().write_all(drawings.join("\0").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn styles_follow_the_environment() {
    let of = |columns, locale: &str| Style::of(false, columns, Some(locale.to_owned()));
    assert_eq!(of(None, "en_US.UTF-8"), Style { width: 80, ascii: false });
    assert_eq!(of(Some("120"), "C.utf8"), Style { width: 120, ascii: false });
    assert_eq!(of(Some("1"), "C"), Style { width: 40, ascii: true });
    assert_eq!(of(Some("x"), "POSIX"), Style { width: 80, ascii: true });
    assert!(Style::of(true, None, Some("C.UTF-8".into())).ascii && Style::of(false, None, None).ascii);
    assert_eq!((Format::named("svg"), Format::named("png")), (Some(Format::Svg), None));
}

#[test]
fn records_are_kept_and_compared() {
    let directory = std::env::temp_dir().join(format!("fdscale-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let (kept, broken) = (directory.join("a.json"), directory.join("b.json"));
    save(&sample::record(), &kept).unwrap();
    assert_eq!(load(&kept), Ok(sample::record()));
    let mut out = Vec::new();
    compare(&kept, &kept, &mut out).unwrap();
    assert!(
        String::from_utf8(out).unwrap().ends_with("0 really less, 0 really more, 104 within the spread\n")
    );
    std::fs::write(&broken, "{\n").unwrap();
    let error = compare(&kept, &broken, &mut Vec::new()).unwrap_err();
    assert_eq!(
        error,
        format!("{}: line 2, column 1: the text ends where a name in quotes should be", broken.display())
    );
    let error = load(&directory.join("none")).unwrap_err();
    assert!(error.starts_with(&directory.join("none").display().to_string()), "{error}");
    assert!(save(&sample::small(), &directory.join("none/a")).is_err());
    std::fs::remove_dir_all(&directory).unwrap();
}
