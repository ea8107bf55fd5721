//! How many different values there are, approximately.

use std::hash::{Hash, Hasher};

use super::element::{Element, adders};

/// How many hashes are kept as they are: up to there the count is exact, but for hashes of different values that are equal.
const FEW: usize = 512;
/// Bits of a hash that choose a register. The standard error is 1.04/√registers, here 1.6 %.
const CHOICE: u32 = 12;
const REGISTERS: usize = 1 << CHOICE;

/// HyperLogLog (Flajolet et al., 2007) with 64-bit hashes, and linear counting where many registers are empty (Heule et al., 2013). O(1) per
/// value; 4 KiB, and less for few values. What it says depends on the set of values alone, not on their order or on what is merged when.
#[derive(Clone, Debug, Default)]
pub struct DistinctSketch {
    /// In order.
    few: Vec<u64>,
    /// Once they are many: the longest run of zeros behind the bits that choose, and 1.
    registers: Vec<u8>,
}

impl DistinctSketch {
    adders!();

    fn add(&mut self, element: Element<&str>) {
        let mut hasher = Fnv::default();
        element.hash(&mut hasher);
        self.add_hash(hasher.finish());
    }

    fn add_hash(&mut self, hash: u64) {
        if !self.registers.is_empty() {
            return self.register(hash);
        }
        if let Err(at) = self.few.binary_search(&hash) {
            self.few.insert(at, hash);
        }
        if self.few.len() > FEW {
            self.registers = vec![0; REGISTERS];
            std::mem::take(&mut self.few).into_iter().for_each(|hash| self.register(hash));
        }
    }

    fn register(&mut self, hash: u64) {
        let zeros = (hash << CHOICE | 1 << (CHOICE - 1)).leading_zeros() as u8;
        if let Some(register) = self.registers.get_mut((hash >> (64 - CHOICE)) as usize) {
            *register = (*register).max(zeros + 1);
        }
    }

    /// Adds the values of later records.
    pub fn merge(&mut self, newer: &Self) {
        newer.few.iter().for_each(|hash| self.add_hash(*hash));
        if newer.registers.is_empty() {
            return;
        }
        if self.registers.is_empty() {
            self.registers = vec![0; REGISTERS];
            std::mem::take(&mut self.few).into_iter().for_each(|hash| self.register(hash));
        }
        self.registers.iter_mut().zip(&newer.registers).for_each(|(mine, other)| *mine = (*mine).max(*other));
    }

    /// How many different values there are.
    pub fn len(&self) -> i64 {
        if self.registers.is_empty() {
            return self.few.len() as i64;
        }
        let count = REGISTERS as f64;
        let sum: f64 = self.registers.iter().map(|zeros| 2f64.powi(-i32::from(*zeros))).sum();
        let estimate = 0.7213 / (1.0 + 1.079 / count) * count * count / sum;
        let empty = self.registers.iter().filter(|zeros| **zeros == 0).count();
        let corrected = if estimate <= 2.5 * count && empty > 0 { count * (count / empty as f64).ln() } else { estimate };
        corrected.round() as i64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.few.is_empty() && self.registers.is_empty()
    }
}

/// FNV-1a, finished as MurmurHash3 does, so that the upper bits depend on all of it: the same on every machine.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hasher for Fnv {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    }
    fn write_i64(&mut self, value: i64) {
        self.write(&value.to_le_bytes());
    }
    fn write_u64(&mut self, value: u64) {
        self.write(&value.to_le_bytes());
    }
    fn write_u32(&mut self, value: u32) {
        self.write(&value.to_le_bytes());
    }
    fn finish(&self) -> u64 {
        let mut hash = self.0;
        for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
            hash = (hash ^ (hash >> 33)).wrapping_mul(factor);
        }
        hash ^ (hash >> 33)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl Iterator<Item = i64>) -> DistinctSketch {
        let mut sketch = DistinctSketch::default();
        values.for_each(|value| sketch.add_int(value));
        sketch
    }

    #[test]
    fn few_are_counted_and_many_estimated() {
        assert_eq!((of(0..0).len(), of(0..0).is_empty()), (0, true));
        assert_eq!(of((0..400).chain(0..400)).len(), 400);
        let mut texts = DistinctSketch::default();
        for at in 0..200_000 {
            texts.add_text(&format!("user-{at}"));
        }
        for (found, count) in [(of(0..2_000).len(), 2_000), (of(0..9_000).len(), 9_000), (of(0..1_000_000).len(), 1_000_000), (texts.len(), 200_000)] {
            let error = (found - count) as f64 / count as f64;
            assert!(error.abs() < 0.05, "{found} for {count}");
        }
    }

    #[test]
    fn what_is_merged_is_as_if_added() {
        let sizes = [0, 10, 511, 513, 20_000];
        for (older, newer) in sizes.into_iter().flat_map(|a| sizes.map(|b| (a, b))) {
            let mut merged = of(0..older);
            merged.merge(&of(older / 2..older / 2 + newer));
            assert_eq!(merged.len(), of((0..older).chain(older / 2..older / 2 + newer)).len(), "{older} and {newer}");
        }
    }
}
