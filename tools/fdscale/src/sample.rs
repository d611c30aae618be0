//! From single measurements to the points of a curve; and the dice that order the measurements.

use crate::record::{Point, Series};

/// A source of numbers that look random and are the same for the same seed (xorshift, Marsaglia 2003).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// Dice that fall as this seed says.
    pub fn new(seed: u64) -> Dice {
        // Spreads small seeds; a state of 0 would stay 0.
        Dice((seed ^ 0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9) | 1)
    }

    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `bound`; 0 when that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        (self.roll() >> 11).checked_rem(bound).unwrap_or(0)
    }

    /// Brings a list into another order.
    pub fn shuffle<T>(&mut self, list: &mut [T]) {
        for last in (1..list.len()).rev() {
            let other = self.below(last as u64 + 1) as usize;
            list.swap(last, other);
        }
    }
}

/// The point that these runs make; none without runs. What is not a number is left out.
pub fn point(descriptors: u64, runs: &[f64]) -> Option<Point> {
    let mut sorted: Vec<f64> = runs.iter().copied().filter(|run| run.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    Some(Point {
        descriptors,
        minimum: *sorted.first()?,
        median: quantile(&sorted, 0.5),
        spread: quantile(&sorted, 0.75) - quantile(&sorted, 0.25),
        runs: u32::try_from(sorted.len()).unwrap_or(u32::MAX),
    })
}

/// The value below which this share of a sorted list lies, between two of its values if need be.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * sorted.len().saturating_sub(1) as f64;
    let below = sorted.get(place.floor() as usize).copied().unwrap_or(0.0);
    let above = sorted.get(place.ceil() as usize).copied().unwrap_or(below);
    below + (above - below) * place.fract()
}

/// Which curve a measurement belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve {
    /// See [`Series::workload`].
    pub workload: &'static str,
    /// See [`Series::measure`].
    pub measure: &'static str,
    /// See [`Series::unit`].
    pub unit: &'static str,
    /// See [`Series::backend`].
    pub backend: String,
    /// See [`Series::active`].
    pub active: u64,
}

#[derive(Debug)]
struct Collected {
    curve: Curve,
    /// By descriptors, in the order in which they were measured.
    runs: Vec<(u64, Vec<f64>)>,
    skipped: Option<String>,
}

/// All measurements of a run.
#[derive(Debug, Default)]
pub struct Sheet {
    curves: Vec<Collected>,
}

impl Sheet {
    fn collected(&mut self, curve: &Curve) -> Option<&mut Collected> {
        let at = match self.curves.iter().position(|collected| collected.curve == *curve) {
            Some(at) => at,
            None => {
                self.curves.push(Collected { curve: curve.clone(), runs: Vec::new(), skipped: None });
                self.curves.len() - 1
            }
        };
        self.curves.get_mut(at)
    }

    /// Notes one run.
    pub fn note(&mut self, curve: &Curve, descriptors: u64, value: f64) {
        let Some(collected) = self.collected(curve) else { return };
        match collected.runs.iter_mut().find(|(place, _)| *place == descriptors) {
            Some((_, runs)) => runs.push(value),
            None => collected.runs.push((descriptors, vec![value])),
        }
    }

    /// Notes why a curve ends, the first reason being the one that counts.
    pub fn skip(&mut self, curve: &Curve, reason: &str) {
        if let Some(collected) = self.collected(curve) {
            collected.skipped.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// The curves, in the order in which they were begun.
    pub fn series(&self) -> Vec<Series> {
        let of = |collected: &Collected| {
            let curve = &collected.curve;
            let mut points: Vec<Point> =
                collected.runs.iter().filter_map(|(place, runs)| point(*place, runs)).collect();
            points.sort_by_key(|point| point.descriptors);
            Series {
                workload: curve.workload.to_owned(),
                measure: curve.measure.to_owned(),
                unit: curve.unit.to_owned(),
                backend: curve.backend.clone(),
                active: curve.active,
                points,
                skipped: collected.skipped.clone(),
            }
        };
        self.curves.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_tells_minimum_median_and_spread() {
        assert_eq!(point(7, &[]), None);
        assert_eq!(point(7, &[f64::NAN]), None);
        let one = point(7, &[3.0]).unwrap();
        assert_eq!((one.minimum, one.median, one.spread, one.runs), (3.0, 3.0, 0.0, 1));
        let five = point(7, &[50.0, 10.0, 30.0, 20.0, 40.0]).unwrap();
        assert_eq!((five.minimum, five.median, five.spread, five.runs), (10.0, 30.0, 20.0, 5));
        let two = point(7, &[1.0, 2.0, f64::INFINITY]).unwrap();
        assert_eq!((two.median, two.runs), (1.5, 2));
    }

    #[test]
    fn dice_are_the_same_for_the_same_seed_and_shuffling_loses_nothing() {
        let rolls = |seed| {
            let mut dice = Dice::new(seed);
            (0..5).map(|_| dice.roll()).collect::<Vec<_>>()
        };
        assert_eq!(rolls(1), rolls(1));
        assert_ne!(rolls(1), rolls(2));
        assert_ne!(rolls(0), [0; 5]);
        let mut list: Vec<u32> = (0..100).collect();
        Dice::new(3).shuffle(&mut list);
        assert_ne!(list, (0..100).collect::<Vec<_>>());
        list.sort_unstable();
        assert_eq!(list, (0..100).collect::<Vec<_>>());
        assert_eq!(Dice::new(1).below(0), 0);
        let mut dice = Dice::new(9);
        let mut seen = [0u32; 4];
        (0..4000).for_each(|_| seen[dice.below(4) as usize] += 1);
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
    }

    #[test]
    fn a_sheet_keeps_curves_apart_and_points_in_order() {
        let curve = |backend: &str| Curve {
            workload: "chain",
            measure: "pass",
            unit: "ns",
            backend: backend.to_owned(),
            active: 1,
        };
        let mut sheet = Sheet::default();
        sheet.note(&curve("b"), 1000, 5.0);
        sheet.note(&curve("a"), 100, 9.0);
        sheet.note(&curve("b"), 100, 2.0);
        sheet.note(&curve("b"), 100, 1.0);
        sheet.skip(&curve("a"), "first");
        sheet.skip(&curve("a"), "second");
        let series = sheet.series();
        assert_eq!(series.len(), 2);
        assert_eq!(series[0].points.iter().map(|point| point.descriptors).collect::<Vec<_>>(), [100, 1000]);
        assert_eq!((series[0].points[0].minimum, series[0].points[0].runs), (1.0, 2));
        assert_eq!(series[1].skipped.as_deref(), Some("first"));
    }
}
