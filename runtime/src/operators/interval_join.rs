//! Joins of two inputs within a span of time.
//!
//! Invariant: each side's `arrived` holds its records in the order of time, and each key's list links its records of a side in the same
//! order; so the oldest record of a side heads its key's list, and a key is in the table while one of its lists is not empty.
#![expect(clippy::indexing_slicing, reason = "slots and keys in lists come from the store and the key table")]

use std::collections::VecDeque;
use std::sync::Arc;

use varpulis_abi::layout::RecordLayout;

use super::{JoinFiring, NONE};
use crate::kernels::JoinKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// All pairs of equal key at most `span` apart, each when its later record arrives, the oldest partner first.
///
/// O(1) per record and pair; state is the records of the last `span`.
pub struct IntervalJoin<K: JoinKernel> {
    kernel: K,
    span: i64,
    keys: KeyTable<K>,
    /// Per key, its left and its right records.
    lists: Vec<[List; 2]>,
    lefts: Side<K::Lefts>,
    rights: Side<K::Rights>,
}

pub(super) const LEFT: usize = 0;
pub(super) const RIGHT: usize = 1;

/// A key's records of one side, linked from the oldest to the newest.
#[derive(Clone, Copy)]
pub(super) struct List {
    pub(super) oldest: u32,
    newest: u32,
}

pub(super) const EMPTY: List = List { oldest: NONE, newest: NONE };

#[derive(Clone, Copy)]
struct Link {
    key: u32,
    newer: u32,
}

/// The records of one input.
pub(super) struct Side<S: Slots> {
    records: S,
    links: Vec<Link>,
    free: Vec<u32>,
    arrived: VecDeque<(i64, u32)>,
}

impl<S: Slots> Side<S> {
    pub(super) fn new(layout: Option<&Arc<RecordLayout>>) -> Self {
        Self { records: S::with_layout(layout), links: Vec::new(), free: Vec::new(), arrived: VecDeque::new() }
    }

    /// A fresh slot at the end of a key's list.
    #[inline]
    pub(super) fn add(&mut self, ts: i64, key: u32, list: &mut List) -> u32 {
        let link = Link { key, newer: NONE };
        let slot = match self.free.pop() {
            Some(slot) => {
                self.links[slot as usize] = link;
                slot
            }
            None => {
                self.links.push(link);
                self.records.add() as u32
            }
        };
        match list.newest {
            NONE => list.oldest = slot,
            newest => self.links[newest as usize].newer = slot,
        }
        list.newest = slot;
        self.arrived.push_back((ts, slot));
        slot
    }

    /// Removes the oldest record if it is before `limit`, and returns its key.
    #[inline(always)]
    pub(super) fn expire_one(&mut self, limit: i64, lists: &mut [[List; 2]], side: usize) -> Option<u32> {
        let &(ts, slot) = self.arrived.front()?;
        if ts >= limit {
            return None;
        }
        self.arrived.pop_front();
        let Link { key, newer } = self.links[slot as usize];
        // A record without a key stands in no list.
        if let Some(lists) = lists.get_mut(key as usize) {
            let list = &mut lists[side];
            *list = if newer == NONE { EMPTY } else { List { oldest: newer, ..*list } };
        }
        self.records.reset(slot as usize);
        self.free.push(slot);
        Some(key)
    }

    /// The time of the oldest record, and its slot.
    pub(super) fn oldest(&self) -> Option<(i64, u32)> {
        self.arrived.front().copied()
    }

    /// A record's key.
    pub(super) fn key_of(&self, slot: u32) -> u32 {
        self.links[slot as usize].key
    }

    pub(super) fn at(&self, slot: u32) -> &S::Slot {
        self.records.at(slot as usize)
    }

    pub(super) fn at_mut(&mut self, slot: u32) -> &mut S::Slot {
        self.records.at_mut(slot as usize)
    }

    /// The slots of a list's records, the oldest first.
    pub(super) fn slots(&self, list: List) -> impl Iterator<Item = u32> {
        std::iter::successors((list.oldest != NONE).then_some(list.oldest), |slot| {
            self.links.get(*slot as usize).map(|link| link.newer).filter(|newer| *newer != NONE)
        })
    }

    /// The list's records, the oldest first.
    #[inline]
    fn of(&self, list: List) -> impl Iterator<Item = &S::Slot> {
        let mut next = list.oldest;
        std::iter::from_fn(move || {
            let slot = next as usize;
            next = self.links.get(slot)?.newer;
            Some(self.records.at(slot))
        })
    }
}

impl<K: JoinKernel + 'static> IntervalJoin<K> {
    /// Pairs at most `span` ns apart.
    pub fn new(kernel: K, span: i64) -> Self {
        let (keys, lefts, rights) = (KeyTable::new(&kernel), Side::new(kernel.layout("Lefts")), Side::new(kernel.layout("Rights")));
        Self { kernel, span, keys, lists: Vec::new(), lefts, rights }
    }

    #[inline]
    fn expire(&mut self, now: i64) {
        let limit = now.saturating_sub(self.span);
        let Self { keys, lists, lefts, rights, .. } = self;
        let mut forget = |key: u32, lists: &[[List; 2]]| {
            if lists[key as usize].iter().all(|list| list.oldest == NONE) {
                keys.remove(key);
            }
        };
        while let Some(key) = lefts.expire_one(limit, lists, LEFT) {
            forget(key, lists);
        }
        while let Some(key) = rights.expire_one(limit, lists, RIGHT) {
            forget(key, lists);
        }
    }
}

impl<K: JoinKernel + 'static> Operator for IntervalJoin<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = JoinFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(JoinFiring<'_, K>)) -> Result<(), Refusal> {
        self.expire(ts);
        if !self.kernel.has_key(row) {
            return Ok(());
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new && self.lists.len() <= id as usize {
            self.lists.push([EMPTY; 2]);
        }
        let [left_list, right_list] = &mut self.lists[id as usize];
        let key = self.keys.key(id);
        if self.kernel.is_left(row) {
            let slot = self.lefts.add(ts, id, left_list) as usize;
            self.kernel.keep_left(row, self.lefts.records.at_mut(slot));
            let left = self.lefts.records.at(slot);
            self.rights.of(*right_list).for_each(|right| fire(JoinFiring { ts, key, left, right }));
        } else {
            let slot = self.rights.add(ts, id, right_list) as usize;
            self.kernel.keep_right(row, self.rights.records.at_mut(slot));
            let right = self.rights.records.at(slot);
            self.lefts.of(*left_list).for_each(|left| fire(JoinFiring { ts, key, left, right }));
        }
        Ok(())
    }

    #[inline]
    fn advance(&mut self, watermark: i64, _: &mut impl FnMut(JoinFiring<'_, K>)) {
        self.expire(watermark);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;

    #[test]
    fn state_is_bounded_by_the_span() {
        let mut join = IntervalJoin::new(Sides, 50);
        let mut pairs = 0;
        for ts in 0..20_000 {
            join.push(ts, Sided { left: ts % 2 == 0, key: Some(ts as u32 / 2), value: ts }, &mut |_| pairs += 1).unwrap();
            assert!(join.keys.len() <= 27 && join.lefts.links.len() <= 27 && join.rights.links.len() <= 27);
        }
        assert_eq!(pairs, 10_000);
        join.advance(i64::MAX, &mut |_| {});
        assert!(join.keys.is_empty() && join.lefts.arrived.is_empty() && join.rights.arrived.is_empty());
    }

    proptest! {
        #[test]
        fn as_paired_anew(events in sides(), span in 0..60i64) {
            let mut join = IntervalJoin::new(Sides, span);
            let (mut fired, mut expected) = (Vec::new(), Vec::new());
            for (at, &(ts, row)) in events.iter().enumerate() {
                join.push(ts, row, &mut |f| fired.push((f.ts, *f.key, *f.left, *f.right))).unwrap();
                let Some(key) = row.key else { continue };
                for &(other_ts, other) in &events[..at] {
                    if other.key == row.key && other.left != row.left && ts - other_ts <= span {
                        let (left, right) = if row.left { (row, other) } else { (other, row) };
                        expected.push((ts, key, left.value, right.value));
                    }
                }
            }
            prop_assert_eq!(fired, expected);
        }
    }
}
