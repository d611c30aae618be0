//! placeholder
use crate::record::Series;

/// Reasons why series have no points or no more, each with the back ends that it holds for.
pub fn reasons<'a>(series: &[&'a Series]) -> Vec<(Vec<&'a str>, &'a str)> {
    let mut reasons: Vec<(Vec<&str>, &str)> = Vec::new();
    for series in series {
        let Some(reason) = &series.skipped else { continue };
        match reasons.iter_mut().find(|(_, known)| known == reason) {
            Some((names, _)) => names.push(&series.backend),
            None => reasons.push((vec![&series.backend], reason)),
        }
    }
    reasons
}
