//! The first record per value, in all or in a span of time.
//!
//! Invariant: `passed` holds one entry per key in the table, in the order of time (nothing where the span is unbounded).

use std::collections::VecDeque;

use super::RowFiring;
use crate::kernels::KeyKernel;
use crate::operator::{Operator, Refusal};
use crate::state::KeyTable;

/// Passes the first record of a key, and the next one that comes at least `within` after the one that passed. O(1); O(keys in the span) state.
pub struct Distinct<K: KeyKernel> {
    kernel: K,
    within: i64,
    keys: KeyTable<K>,
    passed: VecDeque<(i64, u32)>,
}

impl<K: KeyKernel + 'static> Distinct<K> {
    /// Distinct over spans of `within` ns; `i64::MAX` for no bound.
    pub fn new(kernel: K, within: i64) -> Self {
        let keys = KeyTable::new(&kernel);
        Self { kernel, within, keys, passed: VecDeque::new() }
    }

    #[inline]
    fn expire(&mut self, now: i64) {
        while let Some(&(passed, id)) = self.passed.front() {
            if passed.saturating_add(self.within) > now {
                break;
            }
            self.passed.pop_front();
            self.keys.remove(id);
        }
    }
}

impl<K: KeyKernel + 'static> Operator for Distinct<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = RowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(RowFiring<'_, K>)) -> Result<(), Refusal> {
        self.expire(ts);
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new {
            if self.within != i64::MAX {
                self.passed.push_back((ts, id));
            }
            fire(RowFiring { ts, row });
        }
        Ok(())
    }

    #[inline]
    fn advance(&mut self, watermark: i64, _: &mut impl FnMut(RowFiring<'_, K>)) {
        self.expire(watermark);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn passing(operator: &mut Distinct<Lists>, events: &[(i64, Tick)]) -> Vec<(i64, Tick)> {
        let mut out = Vec::new();
        for &(ts, row) in events {
            operator.push(ts, row, &mut |f| out.push((f.ts, f.row))).unwrap();
        }
        out
    }

    #[test]
    fn values_expire() {
        let mut distinct = Distinct::new(Lists, 10);
        for ts in 0..1_000 {
            distinct.push(ts, Tick { key: ts as u32, value: 0 }, &mut |_| {}).unwrap();
            assert!(distinct.keys.len() <= 10);
        }
        distinct.advance(2_000, &mut |_| {});
        assert!(distinct.keys.is_empty());
    }

    proptest! {
        #[test]
        fn as_looked_up_anew(events in events(), within in prop_oneof![0..60i64, Just(i64::MAX)]) {
            let mut last: HashMap<u32, i64> = HashMap::new();
            let mut expected = Vec::new();
            for &(ts, row) in &events {
                if last.get(&row.key).is_none_or(|passed| within != i64::MAX && ts >= passed + within) {
                    last.insert(row.key, ts);
                    expected.push((ts, row));
                }
            }
            prop_assert_eq!(passing(&mut Distinct::new(Lists, within), &events), expected);
        }
    }
}
