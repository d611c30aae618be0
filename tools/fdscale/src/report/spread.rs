//! Labels side by side without overlap, each as near to its curve's end as the others let it be.

/// Places of labels that want to be at `wanted` (ascending), `apart` from one another, from `low` to `high`.
///
/// Labels that would overlap become a pile around the mean of what they want; piles that touch are joined, which is
/// the least sum of squared distances. When they do not fit between `low` and `high` they stand closer than `apart`.
pub fn spread(wanted: &[f64], apart: f64, low: f64, high: f64) -> Vec<f64> {
    let room = (high - low).max(0.0);
    let gaps = wanted.len().saturating_sub(1) as f64;
    let apart = if gaps > 0.0 { apart.min(room / gaps) } else { apart };
    // How many labels a pile has, and where its first one stands.
    let mut piles: Vec<(usize, f64)> = Vec::new();
    for place in wanted {
        let mut pile = (1, place.clamp(low, high));
        loop {
            // The whole pile is to lie between the ends.
            let last = (pile.0 - 1) as f64 * apart;
            pile.1 = pile.1.min(high - last).max(low);
            let Some((count, first)) = piles.pop() else { break };
            let length = count as f64 * apart;
            if first + length <= pile.1 {
                piles.push((count, first));
                break;
            }
            let all = count + pile.0;
            let first = (first * count as f64 + (pile.1 - length) * pile.0 as f64) / all as f64;
            pile = (all, first);
        }
        piles.push(pile);
    }
    let mut places = Vec::new();
    for (count, first) in piles {
        places.extend((0..count).map(|index| first + index as f64 * apart));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::Dice;

    #[test]
    fn labels_stand_apart_and_in_order() {
        assert_eq!(spread(&[], 10.0, 0.0, 100.0), []);
        assert_eq!(spread(&[50.0], 10.0, 0.0, 100.0), [50.0]);
        assert_eq!(spread(&[120.0], 10.0, 0.0, 100.0), [100.0]);
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(spread(&[10.0, 50.0, 52.0, 90.0], 10.0, 0.0, 100.0), [10.0, 46.0, 56.0, 90.0]);
        assert_eq!(spread(&[98.0, 99.0], 10.0, 0.0, 100.0), [90.0, 100.0]);
        assert_eq!(spread(&[1.0, 2.0, 3.0], 10.0, 0.0, 10.0), [0.0, 5.0, 10.0]);
        let mut dice = Dice::new(3);
        for _ in 0..1000 {
            let mut wanted: Vec<f64> = (0..dice.below(12)).map(|_| dice.below(1000) as f64 / 10.0).collect();
            wanted.sort_by(f64::total_cmp);
            let places = spread(&wanted, 8.0, 0.0, 100.0);
            assert_eq!(places.len(), wanted.len());
            for pair in places.windows(2) {
                assert!(pair[1] - pair[0] >= 8.0 - 1e-9, "{wanted:?} {places:?}");
            }
            assert!(
                places.iter().all(|place| (-1e-9..=100.0 + 1e-9).contains(place)),
                "{wanted:?} {places:?}"
            );
        }
    }
}
