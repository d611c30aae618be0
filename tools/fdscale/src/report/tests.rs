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

fn drawn(record: &crate::record::Record, choice: &Choice) -> String {
    let mut out = Vec::new();
    svg::print(record, choice, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn plot_for_print() {
    golden("small.svg", &drawn(&sample::small(), &Choice::default()));
    golden("full.svg", &drawn(&sample::record(), &Choice::default()));
}
