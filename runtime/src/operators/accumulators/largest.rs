//! The largest values of a window.

use std::cmp::Ordering;

use varpulis_abi::packed::Packer;

use super::element::{Element, adders};
use crate::state::Text;

/// The k largest values, the largest first, equal ones in the order of their arrival; NaN is the smallest. O(1) for a value that is none of them,
/// else O(k).
#[derive(Clone, Debug, Default)]
pub struct Largest {
    most: usize,
    values: Vec<Element<Text>>,
}

impl Largest {
    adders!();

    /// How many values are kept: said before the first is added.
    #[inline]
    pub fn limit(&mut self, most: i64) {
        self.most = usize::try_from(most).unwrap_or(usize::MAX);
    }

    fn add(&mut self, element: Element<&str>) {
        let is_full = self.values.len() >= self.most;
        if is_full && self.values.last().is_none_or(|least| element.order(&least.borrow()) != Ordering::Greater) {
            return;
        }
        let at = self.values.partition_point(|value| value.borrow().order(&element) != Ordering::Less);
        if is_full {
            self.values.pop();
        }
        self.values.insert(at, element.to_owned());
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        self.most = self.most.max(newer.most);
        newer.values.iter().for_each(|value| self.add(value.borrow()));
    }

    /// The values as an array.
    pub fn packed(&self) -> Text {
        let mut packer = Packer::new();
        self.values.iter().for_each(|value| packer.push(value.borrow().cell()));
        Text::from(packer.finish())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;
    use varpulis_abi::packed::{Cell, pack};

    #[test]
    fn nan_is_the_smallest() {
        let mut largest = Largest::default();
        largest.limit(3);
        for value in [f64::NAN, 1.0, f64::NAN, f64::NEG_INFINITY] {
            largest.add_float(value);
        }
        assert_eq!(largest.packed(), pack([Cell::Float(1.0), Cell::Float(f64::NEG_INFINITY), Cell::Float(f64::NAN)]));
        assert_eq!(Largest::default().packed(), pack([]));
    }

    proptest! {
        #[test]
        fn as_sorted_anew(values in prop::collection::vec(-20..20i64, 0..60), at in 0..60usize, most in 1..10i64) {
            let at = at.min(values.len());
            let [mut older, newer] = [&values[..at], &values[at..]].map(|values| {
                let mut largest = Largest::default();
                values.iter().for_each(|value| {
                    largest.limit(most);
                    largest.add_int(*value);
                });
                largest
            });
            older.merge(&newer);
            let mut sorted = values;
            sorted.sort_by(|a, b| b.cmp(a));
            sorted.truncate(most as usize);
            prop_assert_eq!(older.packed(), pack(sorted.into_iter().map(Cell::Int)));
        }
    }
}
