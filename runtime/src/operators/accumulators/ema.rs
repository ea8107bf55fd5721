//! The exponential moving average.

/// `alpha · x + (1 − alpha) · average so far`, begun by the first value; alpha = 2/(n + 1).
///
/// A step is an affine map of the average so far, and maps compose: so averages of stretches merge, in order.
#[derive(Clone, Debug)]
pub struct Ema {
    /// The average if nothing came before.
    value: Option<f64>,
    /// What the values add to an average that came before, and the weight that is left of it.
    weighted: f64,
    decay: f64,
}

impl Default for Ema {
    fn default() -> Self {
        Self { value: None, weighted: 0.0, decay: 1.0 }
    }
}

impl Ema {
    /// Adds a value.
    #[inline]
    pub fn add(&mut self, x: f64, alpha: f64) {
        let kept = 1.0 - alpha;
        self.value = Some(self.value.map_or(x, |value| alpha * x + kept * value));
        self.weighted = alpha * x + kept * self.weighted;
        self.decay *= kept;
    }

    /// Adds the values of later records.
    #[inline]
    pub fn merge(&mut self, newer: &Self) {
        self.value = match self.value {
            Some(value) => Some(newer.weighted + newer.decay * value),
            None => newer.value,
        };
        self.weighted = newer.weighted + newer.decay * self.weighted;
        self.decay *= newer.decay;
    }

    /// The average.
    pub fn value(&self) -> Option<f64> {
        self.value
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64], alpha: f64) -> Ema {
        let mut ema = Ema::default();
        values.iter().for_each(|v| ema.add(*v, alpha));
        ema
    }

    #[test]
    fn the_first_value_begins() {
        assert_eq!(of(&[], 0.5).value(), None);
        assert_eq!(of(&[4.0], 0.5).value(), Some(4.0));
        assert_eq!(of(&[4.0, 8.0, 2.0], 0.5).value(), Some(4.0));
        let mut empty = Ema::default();
        empty.merge(&of(&[4.0, 8.0], 0.5));
        empty.merge(&Ema::default());
        assert_eq!(empty.value(), Some(6.0));
    }

    proptest! {
        #[test]
        fn merging_is_adding(values in prop::collection::vec(-1e3..1e3f64, 1..40), cuts in (0..40usize, 0..40usize), n in 1..20u32) {
            let alpha = 2.0 / (f64::from(n) + 1.0);
            let (a, b) = (cuts.0.min(cuts.1).min(values.len()), cuts.0.max(cuts.1).min(values.len()));
            let parts = [&values[..a], &values[a..b], &values[b..]].map(|part| of(part, alpha));
            let expected = of(&values, alpha).value().unwrap();
            let mut from_left = parts[0].clone();
            from_left.merge(&parts[1]);
            from_left.merge(&parts[2]);
            let mut right = parts[1].clone();
            right.merge(&parts[2]);
            let mut from_right = parts[0].clone();
            from_right.merge(&right);
            prop_assert!((from_left.value().unwrap() - expected).abs() < 1e-9);
            prop_assert!((from_right.value().unwrap() - expected).abs() < 1e-9);
        }
    }
}
