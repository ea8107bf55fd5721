//! Values of earlier records of the key.
//!
//! Invariant: a key has a ring of `back + 1` slots: its record number `t` (from 0) is remembered in place `t % (back + 1)`, and `next[k]` is the
//! place that the next record takes. A place that no record took yet is empty. The ring of key `k` is the slots from `k · (back + 1)` on; where
//! it is long, it is a list of slots that grows with the key's records.
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
    /// Per key, where rings are long: the slots of the places taken so far.
    lists: Option<Vec<Vec<usize>>>,
}

/// How many slots a key gets at once at most.
const SHORT: usize = 32;
/// Where rings are long: the slot that no record takes.
const EMPTY: usize = 0;

impl<K: LagKernel + 'static> Lag<K> {
    /// So many records back, at least one.
    pub fn new(kernel: K, back: usize) -> Self {
        let (keys, mut remembered) = (KeyTable::new(&kernel), K::Kept::with_layout(kernel.layout("Kept")));
        let lists = (back >= SHORT).then(|| {
            remembered.add();
            vec![]
        });
        Self { kernel, back: back.max(1), keys, remembered, next: Vec::new(), lists }
    }

    fn admit(&mut self) {
        self.next.push(0);
        match &mut self.lists {
            Some(lists) => lists.push(vec![]),
            None => (0..=self.back).for_each(|_| {
                self.remembered.add();
            }),
        }
    }

    /// The slots of two places of a key: the one that a record takes now, and another.
    #[inline]
    fn slots(&mut self, key: usize, at: usize, other: usize) -> (usize, usize) {
        let Some(lists) = &mut self.lists else {
            let first = key * (self.back + 1);
            return (first + at, first + other);
        };
        let list = &mut lists[key];
        if at == list.len() {
            list.push(self.remembered.add());
        }
        (list[at], list.get(other).copied().unwrap_or(EMPTY))
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
            self.admit();
        }
        let at = self.next[key];
        let following = if at + 1 == ring { 0 } else { at + 1 };
        let (slot, before) = self.slots(key, at, following);
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
        fn each_record_sees_the_one_so_far_back(back in prop_oneof![1..5usize, 30..36usize], events in prop::collection::vec((0..4u32, 0..100i64), 0..60)) {
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
