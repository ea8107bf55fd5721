//! The different values of a window.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use varpulis_abi::packed::Packer;

use super::element::{Element, adders};
use crate::state::Text;

/// The different values, in the order of their first arrival. O(1) per value, O(different values) state.
#[derive(Clone, Debug, Default)]
pub struct DistinctSet {
    hasher: foldhash::fast::RandomState,
    /// Places in `elements`.
    table: HashTable<u32>,
    elements: Vec<Element<Text>>,
}

impl DistinctSet {
    adders!();

    fn add(&mut self, element: Element<&str>) {
        let Self { hasher, table, elements } = self;
        let hash = hasher.hash_one(element);
        let at = |place: u32| elements.get(place as usize).map(Element::borrow);
        if table.find(hash, |&place| at(place) == Some(element)).is_none() {
            table.insert_unique(hash, elements.len() as u32, |&place| at(place).map_or(0, |element| hasher.hash_one(element)));
            elements.push(element.to_owned());
        }
    }

    /// How many different values there are.
    pub fn len(&self) -> i64 {
        self.elements.len() as i64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        for element in &newer.elements {
            self.add(element.borrow());
        }
    }

    /// The values as an array.
    pub fn packed(&self) -> Text {
        let mut packer = Packer::new();
        self.elements.iter().for_each(|element| packer.push(element.borrow().cell()));
        Text::from(packer.finish())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;
    use varpulis_abi::packed::{Cell, Packed, pack};

    fn cells(set: &DistinctSet) -> String {
        format!("{:?}", Packed(&set.packed()).cells().collect::<Vec<_>>())
    }

    #[test]
    fn equal_values_count_once() {
        let mut set = DistinctSet::default();
        assert_eq!(cells(&set), "[]");
        for value in [0.0, -0.0, f64::NAN, -f64::NAN, 1.5, 0.0] {
            set.add_float(value);
        }
        assert_eq!((set.len(), cells(&set).as_str()), (3, "[Float(0.0), Float(NaN), Float(1.5)]"));
        let mut set = DistinctSet::default();
        for text in ["b", "a\"", "b", ""] {
            set.add_text(text);
        }
        assert_eq!(cells(&set), r#"[Text("b"), Text("a\""), Text("")]"#);
        let mut set = DistinctSet::default();
        for json in [r#""a""#, r#""\u0061""#, "1", r#""1""#] {
            set.add_json(json);
        }
        assert_eq!(set.len(), 3);
        let mut set = DistinctSet::default();
        let pair = |v: f64| pack([Cell::Float(v), Cell::Null]);
        for v in [0.0, -0.0, f64::NAN, -f64::NAN, 2.0] {
            set.add_packed(&pair(v));
        }
        assert_eq!(set.len(), 3);
        let mut set = DistinctSet::default();
        set.add_bool(true);
        set.add_bool(true);
        set.add_timestamp(5_000_000);
        set.add_duration(5_000_000);
        set.add_variant(5);
        assert_eq!(cells(&set), "[Bool(true), Timestamp(5000000), Duration(5000000), Enum(5)]");
    }

    proptest! {
        #[test]
        fn merging_is_adding(values in prop::collection::vec(0..50i64, 0..200), at in 0..200usize) {
            let at = at.min(values.len());
            let set = |values: &[i64]| {
                let mut set = DistinctSet::default();
                values.iter().for_each(|v| set.add_int(*v));
                set
            };
            let mut merged = set(&values[..at]);
            merged.merge(&set(&values[at..]));
            prop_assert_eq!(merged.packed(), set(&values).packed());
            let mut different = Vec::new();
            for value in values {
                if !different.contains(&value) { different.push(value) }
            }
            prop_assert_eq!(merged.packed(), pack(different.into_iter().map(Cell::Int)));
        }
    }
}
