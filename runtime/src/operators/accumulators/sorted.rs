//! Percentiles.

/// All values of a window, for exact percentiles. O(1) per value, O(values) per percentile.
#[derive(Clone, Debug, Default)]
pub struct Sorted {
    values: Vec<f64>,
}

impl Sorted {
    /// Adds a value; NaN is skipped.
    #[inline]
    pub fn add(&mut self, value: f64) {
        if !value.is_nan() {
            self.values.push(value);
        }
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        self.values.extend_from_slice(&newer.values);
    }

    /// The value at rank p/100·(n−1), interpolated linearly; p is taken as within 0..100.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        if self.values.is_empty() || p.is_nan() {
            return None;
        }
        let rank = p.clamp(0.0, 100.0) / 100.0 * (self.values.len() - 1) as f64;
        let below = (rank.floor() as usize).min(self.values.len() - 1);
        let mut values = self.values.clone();
        let (_, &mut low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
        let fraction = rank - below as f64;
        match above.iter().copied().min_by(f64::total_cmp) {
            // Not `low + 0 · …` where the values are alike or the rank is whole: infinities would make NaN of it.
            Some(high) if fraction > 0.0 && high != low => Some(low + (high - low) * fraction),
            _ => Some(low),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> Sorted {
        let mut sorted = Sorted::default();
        values.iter().for_each(|v| sorted.add(*v));
        sorted
    }

    #[test]
    fn percentiles_interpolate() {
        assert_eq!(of(&[]).percentile(50.0), None);
        assert_eq!(of(&[f64::NAN]).percentile(50.0), None);
        assert_eq!(of(&[7.0]).percentile(99.0), Some(7.0));
        let four = of(&[4.0, 1.0, f64::NAN, 3.0, 2.0]);
        assert_eq!([0.0, 25.0, 50.0, 90.0, 100.0, 250.0].map(|p| four.percentile(p).unwrap()), [1.0, 1.75, 2.5, 3.7, 4.0, 4.0]);
        assert_eq!(of(&[1.0, f64::INFINITY, f64::INFINITY]).percentile(75.0), Some(f64::INFINITY));
        assert_eq!(of(&[1.0, f64::INFINITY]).percentile(0.0), Some(1.0));
    }

    proptest! {
        #[test]
        fn as_sorted_anew(values in prop::collection::vec(-1e6..1e6f64, 1..50), at in 0..50usize, p in 0.0..=100.0f64) {
            let at = at.min(values.len());
            let mut merged = of(&values[..at]);
            merged.merge(&of(&values[at..]));
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let rank = p / 100.0 * (sorted.len() - 1) as f64;
            let (low, high) = (sorted[rank.floor() as usize], sorted[rank.ceil() as usize]);
            let expected = if low == high { low } else { low + (high - low) * (rank - rank.floor()) };
            prop_assert_eq!(merged.percentile(p), Some(expected));
        }
    }
}
