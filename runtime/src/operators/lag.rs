//! Values of earlier records of the key.
//!
//! Invariant: key `k` has the slots from `k · (back + 1)` on, as a ring: its record number `t` (from 0) is remembered in slot `t % (back + 1)`,
//! and `next[k]` is the one that the next record takes. A slot that no record took yet is empty.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::LagFiring;
use crate::kernels::LagKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// Hands on every record with what was remembered of the one `back` records before it, of the same key. O(1) per record; state is `back + 1`
/// slots per key. A record that cannot be remembered is refused, and counts for none.
pub struct Lag<K: LagKernel> {
    kernel: K,
    back: usize,
    keys: KeyTable<K>,
    remembered: K::Kept,
    next: Vec<usize>,
}

impl<K: LagKernel + 'static> Lag<K> {
    /// So many records back, at least one.
    pub fn new(kernel: K, back: usize) -> Self {
        let (keys, remembered) = (KeyTable::new(&kernel), K::Kept::with_layout(kernel.layout("Kept")));
        Self { kernel, back: back.max(1), keys, remembered, next: Vec::new() }
    }
}

impl<K: LagKernel + 'static> Operator for Lag<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = LagFiring<'a, K>;

    #[inline]
    fn push<'a>(&'a mut self, ts: i64, row: K::Row<'a>, fire: &mut impl FnMut(LagFiring<'_, K>)) -> Result<(), Refusal> {
        let ring = self.back + 1;
        let (key, new) = self.keys.find_or_add(&self.kernel, row);
        let key = key as usize;
        if new {
            self.next.push(0);
            (0..ring).for_each(|_| {
                self.remembered.add();
            });
        }
        let at = self.next[key];
        let following = if at + 1 == ring { 0 } else { at + 1 };
        let (slot, before) = (key * ring + at, key * ring + following);
        self.remembered.reset(slot);
        self.kernel.remember(row, self.remembered.at_mut(slot))?;
        self.next[key] = following;
        let this: &'a Self = self;
        fire(LagFiring { ts, row, kept: this.remembered.at(before) });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use crate::state::Typed;
    use proptest::prelude::*;

    impl LagKernel for Lists {
        type Kept = Typed<Vec<i64>>;
        fn remember(&self, row: Tick, kept: &mut Vec<i64>) -> Result<(), Refusal> {
            if row.value == FAILS {
                return Err(refused());
            }
            kept.push(row.value);
            Ok(())
        }
    }

    proptest! {
        #[test]
        fn each_record_sees_the_one_so_far_back(back in 1..5usize, events in prop::collection::vec((0..4u32, 0..100i64), 0..60)) {
            let mut lag = Lag::new(Lists, back);
            let mut seen = vec![];
            for (ts, &(key, value)) in events.iter().enumerate() {
                lag.push(ts as i64, Tick { key, value }, &mut |f| seen.push(f.kept.clone())).unwrap();
            }
            for (at, (key, _)) in events.iter().enumerate() {
                let before: Vec<i64> = events[..at].iter().filter(|(k, _)| k == key).map(|(_, value)| *value).collect();
                let expected: Vec<i64> = before.len().checked_sub(back).map(|at| before[at]).into_iter().collect();
                prop_assert_eq!(&seen[at], &expected);
            }
        }
    }

    #[test]
    fn what_is_refused_counts_for_none() {
        let mut lag = Lag::new(Lists, 1);
        let mut push = |value| {
            let mut seen = vec![];
            let result = lag.push(0, Tick { key: 0, value }, &mut |f| seen.push(f.kept.clone()));
            (result.is_ok(), seen)
        };
        assert_eq!(push(1), (true, vec![vec![]]));
        assert_eq!(push(FAILS), (false, vec![]));
        assert_eq!(push(2), (true, vec![vec![1]]));
    }
}
