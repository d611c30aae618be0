//! A logarithmic axis: what it spans, where a value lies on it, and which ticks it has.

/// An axis.
#[derive(Clone, Copy)]
pub struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    /// An axis that spans positive values with `air` at both ends, as a share of a decade, and at least `decades`.
    pub fn over(values: impl Iterator<Item = f64>, air: f64, decades: f64) -> Option<Scale> {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values {
            low = low.min(value.log10());
            high = high.max(value.log10());
        }
        if !low.is_finite() || !high.is_finite() {
            return None;
        }
        // A decade that is near enough is worth its room: it is a tick more to read by.
        let (down, up) = (low - low.floor(), high.ceil() - high);
        let (below, above) = (if down < 0.4 { down } else { air }, if up < 0.4 { up } else { air });
        let (low, high) = if air > 0.0 {
            (low - below.max(air), high + above.max(air))
        } else {
            // 9,900 is read as 10,000 when that is on the axis.
            (if down < 0.05 { low.floor() } else { low }, if up < 0.05 { high.ceil() } else { high })
        };
        let missing = (decades - (high - low)).max(0.0) / 2.0;
        Some(Scale { low: low - missing, high: high + missing })
    }

    /// Where a value lies: 0 at the low end, 1 at the high end.
    pub fn place(&self, value: f64) -> f64 {
        (value.log10() - self.low) / (self.high - self.low)
    }

    /// The ticks that are labelled: decades, or 1, 2 and 5 of them where there are fewer than two decades.
    pub fn ticks(&self) -> Vec<f64> {
        let decades = self.steps(&[1.0]);
        if decades.len() < 2 {
            return self.steps(&[1.0, 2.0, 5.0]);
        }
        // Each one up to ten, then each second, third, ..
        let each = decades.len().div_ceil(10);
        decades.into_iter().step_by(each).collect()
    }

    /// The ticks between the labelled ones.
    pub fn between(&self) -> Vec<f64> {
        let all = self.steps(&[1.0, 2.0, 5.0]);
        let labelled = self.ticks();
        // More than some decades of them would be a grey bar.
        if self.high - self.low > 7.0 {
            return Vec::new();
        }
        all.into_iter().filter(|tick| !labelled.contains(tick)).collect()
    }

    fn steps(&self, factors: &[f64]) -> Vec<f64> {
        let mut ticks = Vec::new();
        // Floats have some 616 decades; nothing here is near that.
        for exponent in self.low.floor() as i32..=self.high.ceil() as i32 {
            for factor in factors {
                let tick = factor * 10f64.powi(exponent);
                if (-1e-9..=1.0 + 1e-9).contains(&self.place(tick)) {
                    ticks.push(tick);
                }
            }
        }
        ticks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_decades_where_there_are_two() {
        let scale = Scale::over([100.0, 1e5].into_iter(), 0.0, 1.0).unwrap();
        assert_eq!(scale.ticks(), [100.0, 1e3, 1e4, 1e5]);
        assert_eq!(scale.between().len(), 6);
        assert_eq!((scale.place(100.0), scale.place(1e5)), (0.0, 1.0));
        let scale = Scale::over([2400.0, 3500.0].into_iter(), 0.0, 1.0).unwrap();
        assert_eq!(scale.ticks(), [1e3, 2e3, 5e3]);
        assert!(Scale::over([].into_iter(), 0.0, 1.0).is_none());
        let scale = Scale::over([f64::MIN_POSITIVE, f64::MAX].into_iter(), 0.1, 1.0).unwrap();
        assert!(scale.ticks().len() <= 10 && scale.between().is_empty());
    }
}
