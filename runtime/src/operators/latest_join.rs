//! Temporal joins: a left record with the newest right record of its key.

use super::JoinFiring;
use crate::kernels::JoinKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// Joins each left record with the newest right record of its key that came before it. O(1) per record; state is one right record per key.
pub struct LatestJoin<K: JoinKernel> {
    kernel: K,
    keys: KeyTable<K>,
    /// The newest right record per key.
    rights: K::Rights,
    /// One slot, for the left record at hand.
    left: K::Lefts,
}

impl<K: JoinKernel + 'static> LatestJoin<K> {
    /// A join without records.
    pub fn new(kernel: K) -> Self {
        let mut left = K::Lefts::with_layout(kernel.layout("Lefts"));
        left.add();
        let (keys, rights) = (KeyTable::new(&kernel), K::Rights::with_layout(kernel.layout("Rights")));
        Self { kernel, keys, rights, left }
    }
}

impl<K: JoinKernel + 'static> Operator for LatestJoin<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = JoinFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(JoinFiring<'_, K>)) -> Result<(), Refusal> {
        if !self.kernel.has_key(row) {
            return Ok(());
        }
        if self.kernel.is_left(row) {
            if let Some(id) = self.keys.find(&self.kernel, row) {
                self.kernel.keep_left(row, self.left.at_mut(0));
                fire(JoinFiring { ts, key: self.keys.key(id), left: self.left.at(0), right: self.rights.at(id as usize) });
                self.left.reset(0);
            }
            return Ok(());
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new {
            self.rights.add();
        } else {
            self.rights.reset(id as usize);
        }
        self.kernel.keep_right(row, self.rights.at_mut(id as usize));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_looked_up_anew(events in sides()) {
            let mut join = LatestJoin::new(Sides);
            let (mut fired, mut expected) = (Vec::new(), Vec::new());
            for (at, &(ts, row)) in events.iter().enumerate() {
                join.push(ts, row, &mut |f| fired.push((f.ts, *f.key, *f.left, *f.right))).unwrap();
                let (true, Some(key)) = (row.left, row.key) else { continue };
                let newest = events[..at].iter().rev().find(|(_, other)| !other.left && other.key == row.key);
                expected.extend(newest.map(|(_, right)| (ts, key, row.value, right.value)));
            }
            prop_assert_eq!(fired, expected);
        }
    }
}
