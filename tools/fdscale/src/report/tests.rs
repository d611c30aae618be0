//! Reports against what they are known to look like. `FDSCALE_GOLDEN=write cargo test -p fdscale` writes that anew.

use super::*;

fn golden(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
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
