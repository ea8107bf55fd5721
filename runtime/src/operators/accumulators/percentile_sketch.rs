//! Percentiles, approximately.

use std::collections::BTreeMap;

/// Counts of values in buckets that grow with the values (DDSketch; Masson, Rim and Lee, 2019): what it says is within 1 % of the value at that
/// rank. A bucket is an exponent and the first bits of a fraction, so that no logarithm decides. O(log buckets) per value; 64 buckets for each
/// doubling of the values. What it says depends on the values
/// alone, not on their order or on what is merged when.
#[derive(Clone, Debug, Default)]
pub struct PercentileSketch {
    /// By the number of the bucket; what is below zero by its amount.
    below: BTreeMap<i32, u64>,
    zeros: u64,
    above: BTreeMap<i32, u64>,
    /// Infinities are no bucket's.
    lowest: u64,
    highest: u64,
}

impl PercentileSketch {
    /// Adds a value; NaN is skipped.
    #[inline]
    pub fn add(&mut self, value: f64) {
        match bucket(value.abs()) {
            _ if value.is_nan() => {}
            _ if value == f64::INFINITY => self.highest += 1,
            _ if value == f64::NEG_INFINITY => self.lowest += 1,
            None => self.zeros += 1,
            Some(bucket) => *if value < 0.0 { &mut self.below } else { &mut self.above }.entry(bucket).or_default() += 1,
        }
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        for (mine, other) in [(&mut self.below, &newer.below), (&mut self.above, &newer.above)] {
            other.iter().for_each(|(bucket, count)| *mine.entry(*bucket).or_default() += count);
        }
        self.zeros += newer.zeros;
        self.lowest += newer.lowest;
        self.highest += newer.highest;
    }

    /// The value at rank p/100·(n−1), rounded down to a whole rank; p is taken as within 0..100.
    pub fn percentile(&self, p: f64) -> Option<f64> {
        let buckets = || self.below.values().chain(self.above.values());
        let count = self.lowest + self.zeros + self.highest + buckets().sum::<u64>();
        if count == 0 || p.is_nan() {
            return None;
        }
        let mut rank = (p.clamp(0.0, 100.0) / 100.0 * (count - 1) as f64) as u64;
        let below = self.below.iter().rev().map(|(bucket, count)| (-in_bucket(*bucket), *count));
        let above = self.above.iter().map(|(bucket, count)| (in_bucket(*bucket), *count));
        let all = [(f64::NEG_INFINITY, self.lowest)].into_iter().chain(below).chain([(0.0, self.zeros)]).chain(above);
        for (value, count) in all {
            if rank < count {
                return Some(value);
            }
            rank -= count;
        }
        Some(f64::INFINITY)
    }
}

/// Bits of the fraction that a bucket keeps: its ends differ by 1/64 at most, and its middle by 1/128 from either.
const KEPT: u32 = 6;
const DROPPED: u32 = f64::MANTISSA_DIGITS - 1 - KEPT;

/// The bucket of a number that is not negative; none for 0, and for what is so small that it has no exponent of its own.
fn bucket(value: f64) -> Option<i32> {
    let bucket = (value.to_bits() >> DROPPED) as i32;
    (bucket > 0).then_some(bucket)
}

/// The number in the middle of a bucket.
fn in_bucket(bucket: i32) -> f64 {
    f64::from_bits(u64::from(bucket.cast_unsigned()) << DROPPED | 1 << (DROPPED - 1))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn of(values: &[f64]) -> PercentileSketch {
        let mut sketch = PercentileSketch::default();
        values.iter().for_each(|v| sketch.add(*v));
        sketch
    }

    #[test]
    fn what_is_no_ordinary_number() {
        assert_eq!(of(&[f64::NAN]).percentile(50.0), None);
        let sketch = of(&[f64::INFINITY, 0.0, f64::NEG_INFINITY, -0.0, f64::NAN, 5e-324]);
        assert_eq!([0.0, 25.0, 50.0, 100.0].map(|p| sketch.percentile(p).unwrap()), [f64::NEG_INFINITY, 0.0, 0.0, f64::INFINITY]);
        let extreme = of(&[f64::MAX, -f64::MAX, f64::MIN_POSITIVE]);
        for (p, value) in [(0.0, -f64::MAX), (50.0, f64::MIN_POSITIVE), (100.0, f64::MAX)] {
            let found = extreme.percentile(p).unwrap();
            assert!(found.is_finite() && (found / value - 1.0).abs() <= 0.0101, "{found} for {value}");
        }
    }

    proptest! {
        #[test]
        fn within_one_percent_of_the_value_at_that_rank(values in prop::collection::vec(-1e9..1e9f64, 1..80), at in 0..80usize, p in 0.0..=100.0f64) {
            let at = at.min(values.len());
            let mut merged = of(&values[..at]);
            merged.merge(&of(&values[at..]));
            let mut sorted = values;
            sorted.sort_by(f64::total_cmp);
            let exact = sorted[(p / 100.0 * (sorted.len() - 1) as f64) as usize];
            let found = merged.percentile(p).unwrap();
            prop_assert!((found - exact).abs() <= 0.0101 * exact.abs(), "{} for {}", found, exact);
        }
    }
}
