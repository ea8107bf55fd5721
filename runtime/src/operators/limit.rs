//! The first records of each key.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::RowFiring;
use crate::kernels::KeyKernel;
use crate::operator::{Operator, Refusal};
use crate::state::KeyTable;

/// Passes the first `n` records of each key. O(1) per record, O(keys) state.
pub struct Limit<K: KeyKernel> {
    kernel: K,
    n: i64,
    keys: KeyTable<K>,
    passed: Vec<i64>,
}

impl<K: KeyKernel + 'static> Limit<K> {
    /// The first `n` per key.
    pub fn new(kernel: K, n: i64) -> Self {
        let keys = KeyTable::new(&kernel);
        Self { kernel, n, keys, passed: Vec::new() }
    }
}

impl<K: KeyKernel + 'static> Operator for Limit<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = RowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(RowFiring<'_, K>)) -> Result<(), Refusal> {
        if self.n <= 0 {
            return Ok(());
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new {
            self.passed.push(0);
        }
        let passed = &mut self.passed[id as usize];
        if *passed < self.n {
            *passed += 1;
            fire(RowFiring { ts, row });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;

    #[test]
    fn the_first_of_each_key_pass() {
        for (n, expected) in [(0, vec![]), (1, vec![0, 1]), (2, vec![0, 1, 2, 3]), (9, (0..10).collect())] {
            let mut limit = Limit::new(Lists, n);
            let mut out = Vec::new();
            for ts in 0..10 {
                limit.push(ts, Tick { key: (ts % 2) as u32, value: 0 }, &mut |f| out.push(f.ts)).unwrap();
            }
            assert_eq!(out, expected);
        }
    }
}
