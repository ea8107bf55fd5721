//! Joins of two inputs within a span of time that also tell of records without a partner.
//!
//! The invariant is that of [`IntervalJoin`](super::IntervalJoin); records without a key stand in no list.
#![expect(clippy::indexing_slicing, reason = "slots and keys in lists come from the store and the key table")]

use super::interval_join::{EMPTY, LEFT, List, RIGHT, Side};
use super::{JoinFiring, NONE};
use crate::kernels::JoinKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// All pairs of equal key at most `span` apart that the kernel joins, each when its later record arrives, the oldest partner first; and, of the
/// sides that say so, each record that was in none, with an empty slot beside it, once no partner can come any more. Of those of one moment the
/// left ones come first.
///
/// O(1) per record and pair of one key; state is the records of the last `span`.
pub struct OuterJoin<K: JoinKernel> {
    kernel: K,
    span: i64,
    /// Whether records of that side are told of if they have no partner.
    keeps: [bool; 2],
    keys: KeyTable<K>,
    lists: Vec<[List; 2]>,
    lefts: Side<K::Lefts>,
    rights: Side<K::Rights>,
    /// By slot: whether the record was in a pair.
    joined: [Vec<bool>; 2],
    /// One empty slot each: what stands beside a record without a partner, and for a key where there is none.
    nothing: (K::Keys, K::Lefts, K::Rights),
}

impl<K: JoinKernel + 'static> OuterJoin<K> {
    /// Pairs at most `span` ns apart, and what is left over of the left or the right records.
    pub fn new(kernel: K, span: i64, keeps_left: bool, keeps_right: bool) -> Self {
        let mut nothing =
            (K::Keys::with_layout(kernel.layout("Keys")), K::Lefts::with_layout(kernel.layout("Lefts")), K::Rights::with_layout(kernel.layout("Rights")));
        nothing.0.add();
        nothing.1.add();
        nothing.2.add();
        let (keys, lefts, rights) = (KeyTable::new(&kernel), Side::new(kernel.layout("Lefts")), Side::new(kernel.layout("Rights")));
        Self { kernel, span, keeps: [keeps_left, keeps_right], keys, lists: Vec::new(), lefts, rights, joined: [Vec::new(), Vec::new()], nothing }
    }

    /// The side of the oldest record that is before `limit`.
    fn oldest(&self, limit: i64) -> Option<usize> {
        match (self.lefts.oldest(), self.rights.oldest()) {
            (Some((left, _)), Some((right, _))) if left.min(right) < limit => Some(if left <= right { LEFT } else { RIGHT }),
            (Some((left, _)), None) if left < limit => Some(LEFT),
            (None, Some((right, _))) if right < limit => Some(RIGHT),
            _ => None,
        }
    }

    /// Removes what no later record can join.
    fn expire(&mut self, now: i64, fire: &mut impl FnMut(JoinFiring<'_, K>)) {
        let limit = now.saturating_sub(self.span);
        while let Some(side) = self.oldest(limit) {
            let oldest = if side == LEFT { self.lefts.oldest() } else { self.rights.oldest() };
            let Some((ts, slot)) = oldest else { return };
            if self.keeps[side] && !self.joined[side][slot as usize] {
                let id = if side == LEFT { self.lefts.key_of(slot) } else { self.rights.key_of(slot) };
                let (no_key, no_left, no_right) = &self.nothing;
                let key = if id == NONE { no_key.at(0) } else { self.keys.key(id) };
                let left = if side == LEFT { self.lefts.at(slot) } else { no_left.at(0) };
                let right = if side == RIGHT { self.rights.at(slot) } else { no_right.at(0) };
                fire(JoinFiring { ts: ts.saturating_add(self.span), key, left, right });
            }
            let expired = if side == LEFT { self.lefts.expire_one(limit, &mut self.lists, side) } else { self.rights.expire_one(limit, &mut self.lists, side) };
            if let Some(key) = expired.filter(|key| *key != NONE)
                && self.lists[key as usize].iter().all(|list| list.oldest == NONE)
            {
                self.keys.remove(key);
            }
        }
    }

    fn remember(joined: &mut Vec<bool>, slot: u32) {
        if joined.len() <= slot as usize {
            joined.resize(slot as usize + 1, false);
        }
        joined[slot as usize] = false;
    }
}

impl<K: JoinKernel + 'static> Operator for OuterJoin<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = JoinFiring<'a, K>;

    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(JoinFiring<'_, K>)) -> Result<(), Refusal> {
        self.expire(ts, fire);
        let is_left = self.kernel.is_left(row);
        let has_key = self.kernel.has_key(row);
        if !has_key && !self.keeps[if is_left { LEFT } else { RIGHT }] {
            return Ok(());
        }
        let (mut alone, mut id) = ([EMPTY; 2], NONE);
        if has_key {
            let (found, new) = self.keys.find_or_add(&self.kernel, row);
            id = found;
            if new && self.lists.len() <= id as usize {
                self.lists.push([EMPTY; 2]);
            }
        }
        let [left_list, right_list] = if has_key { &mut self.lists[id as usize] } else { &mut alone };
        let Self { kernel, keys, lefts, rights, joined: [left_joined, right_joined], nothing, .. } = self;
        let key = if has_key { keys.key(id) } else { nothing.0.at(0) };
        // What refuses joins nothing; it is fired all the same, and refuses where a stream can tell of it.
        if is_left {
            let slot = lefts.add(ts, id, left_list);
            kernel.keep_left(row, lefts.at_mut(slot));
            Self::remember(left_joined, slot);
            let left = lefts.at(slot);
            for other in rights.slots(*right_list) {
                let right = rights.at(other);
                let joins = kernel.joins(left, right);
                if joins == Ok(true) {
                    (left_joined[slot as usize], right_joined[other as usize]) = (true, true);
                }
                if joins != Ok(false) {
                    fire(JoinFiring { ts, key, left, right });
                }
            }
        } else {
            let slot = rights.add(ts, id, right_list);
            kernel.keep_right(row, rights.at_mut(slot));
            Self::remember(right_joined, slot);
            let right = rights.at(slot);
            for other in lefts.slots(*left_list) {
                let left = lefts.at(other);
                let joins = kernel.joins(left, right);
                if joins == Ok(true) {
                    (left_joined[other as usize], right_joined[slot as usize]) = (true, true);
                }
                if joins != Ok(false) {
                    fire(JoinFiring { ts, key, left, right });
                }
            }
        }
        Ok(())
    }

    fn deadline(&self) -> i64 {
        let sides = [self.lefts.oldest(), self.rights.oldest()];
        let due = sides.into_iter().zip(self.keeps).filter_map(|(oldest, keeps)| oldest.filter(|_| keeps));
        due.map(|(ts, _)| ts.saturating_add(self.span).saturating_add(1)).min().unwrap_or(i64::MAX)
    }

    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(JoinFiring<'_, K>)) {
        self.expire(watermark, fire);
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
        fn as_paired_anew(events in sides(), span in 0..60i64, keeps in any::<[bool; 2]>(), announced in any::<bool>()) {
            // An empty slot holds 0, and no record does.
            let events: Vec<(i64, Sided)> = events.into_iter().map(|(ts, row)| (ts, Sided { value: row.value * 2 + 3, ..row })).collect();
            let mut join = OuterJoin::new(Sides, span, keeps[0], keeps[1]);
            let mut fired = Vec::new();
            let mut fire = |f: JoinFiring<'_, Sides>| fired.push((f.ts, *f.left, *f.right));
            for &(ts, row) in &events {
                if announced && join.deadline() <= ts {
                    join.advance(ts, &mut fire);
                }
                join.push(ts, row, &mut fire).unwrap();
            }
            join.advance(i64::MAX, &mut fire);
            assert_eq!(join.deadline(), i64::MAX);
            prop_assert!(join.keys.is_empty());
            let mut expected = Vec::new();
            for (at, &(ts, row)) in events.iter().enumerate() {
                let pairs = |other: &(i64, Sided)| row.key.is_some() && other.1.key == row.key && other.1.left != row.left && (ts - other.0).abs() <= span;
                for (_, other) in events[..at].iter().filter(|other| pairs(other)) {
                    let (left, right) = if row.left { (row.value, other.value) } else { (other.value, row.value) };
                    // Pairs come behind what falls due before them or at their time.
                    expected.push(((ts, 1, at, 0), (ts, left, right)));
                }
                if keeps[usize::from(!row.left)] && !events.iter().any(pairs) {
                    let (left, right) = if row.left { (row.value, 0) } else { (0, row.value) };
                    let due = ts + span;
                    expected.push(((due, 2, usize::from(!row.left), at), (due, left, right)));
                }
            }
            expected.sort_by_key(|(order, _)| *order);
            prop_assert_eq!(fired, expected.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
        }
    }
}
