//! Mean and variance in one pass: Welford's update, Chan's merge.

/// Count, mean and sum of squared deviations. O(1) state; stable where the values are large and close together.
#[derive(Clone, Debug, Default)]
pub struct Moments {
    count: i64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds a value.
    #[inline(always)]
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let delta = value - self.mean;
        self.mean += delta / self.count as f64;
        self.squares += delta * (value - self.mean);
    }

    /// Adds the values of later records.
    #[inline]
    pub fn merge(&mut self, newer: &Self) {
        if newer.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(newer);
            return;
        }
        let (mine, others) = (self.count as f64, newer.count as f64);
        let delta = newer.mean - self.mean;
        self.count += newer.count;
        self.mean += delta * (others / self.count as f64);
        self.squares += newer.squares + delta * delta * (mine * others / self.count as f64);
    }

    /// How many values there are.
    pub fn count(&self) -> i64 {
        self.count
    }

    /// The arithmetic mean.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// The sample variance, of two values or more.
    pub fn variance_sample(&self) -> Option<f64> {
        (self.count > 1).then(|| self.squares / (self.count - 1) as f64)
    }

    /// The variance of the whole population.
    pub fn variance_population(&self) -> Option<f64> {
        (self.count > 0).then(|| self.squares / self.count as f64)
    }

    /// The sample standard deviation, of two values or more.
    pub fn stddev_sample(&self) -> Option<f64> {
        self.variance_sample().map(f64::sqrt)
    }

    /// The standard deviation of the whole population.
    pub fn stddev_population(&self) -> Option<f64> {
        self.variance_population().map(f64::sqrt)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|v| moments.add(*v));
        moments
    }

    #[test]
    fn few_values() {
        let none = of(&[]);
        assert_eq!((none.mean(), none.variance_sample(), none.variance_population()), (None, None, None));
        let one = of(&[3.0]);
        assert_eq!((one.mean(), one.stddev_sample(), one.stddev_population()), (Some(3.0), None, Some(0.0)));
        let two = of(&[1e9 + 1.0, 1e9 + 3.0]);
        assert_eq!((two.variance_sample(), two.variance_population(), two.count()), (Some(2.0), Some(1.0), 2));
    }

    proptest! {
        #[test]
        fn as_summed_in_two_passes(values in prop::collection::vec(-1e3..1e3f64, 2..60), at in 0..60usize) {
            let at = at.min(values.len());
            let mut merged = of(&values[..at]);
            merged.merge(&of(&values[at..]));
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
            for moments in [&merged, &of(&values)] {
                prop_assert!((moments.mean().unwrap() - mean).abs() < 1e-9);
                prop_assert!((moments.variance_sample().unwrap() - squares / (n - 1.0)).abs() < 1e-6);
            }
        }
    }
}
