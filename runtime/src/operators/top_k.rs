//! The records of a time window that rank highest, per key.
//!
//! Invariant: `open` is sorted by start, and each of its windows holds a list for every key with records there, in the order of their first;
//! a list is sorted from the highest rank to the lowest, equal ones by arrival. `uses` counts the windows that hold a key; a key without one
//! is not in the table. Every slot of `kept` is in one list, or in `free` and empty.
#![expect(clippy::indexing_slicing, reason = "slots and keys in lists come from the store and the key table")]

use std::collections::VecDeque;

use super::{NONE, RankFiring};
use crate::kernels::RankKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// The `count` highest records of each window `[offset + k·slide, offset + k·slide + size)` and key, when it ends.
///
/// Per record and window that it belongs to: one comparison if it is none of them, else O(log count) and the move of as many numbers.
/// State is `count` records per key and open window.
pub struct TopK<K: RankKernel> {
    kernel: K,
    count: usize,
    size: i64,
    slide: i64,
    offset: i64,
    keys: KeyTable<K>,
    uses: Vec<u32>,
    kept: K::Kept,
    free: Vec<u32>,
    open: VecDeque<Open>,
}

/// A window with records.
struct Open {
    /// It may lie before the first instant there is.
    start: i128,
    end: i64,
    lists: Vec<List>,
    /// Per key, which of the lists is its own; `NONE` if it has none.
    of_key: Vec<u32>,
}

struct List {
    key: u32,
    slots: Vec<u32>,
}

impl Open {
    fn list(&self, key: u32) -> Option<&List> {
        self.lists.get(*self.of_key.get(key as usize)? as usize)
    }

    /// The key's list, and whether it is new.
    fn list_or_new(&mut self, key: u32) -> (&mut List, bool) {
        if self.of_key.len() <= key as usize {
            self.of_key.resize(key as usize + 1, NONE);
        }
        let place = &mut self.of_key[key as usize];
        let new = *place == NONE;
        if new {
            *place = self.lists.len() as u32;
            self.lists.push(List { key, slots: Vec::new() });
        }
        (&mut self.lists[*place as usize], new)
    }
}

impl<K: RankKernel + 'static> TopK<K> {
    /// The `count` highest (`i64::MAX`: all, in order) of windows of `size` ns every `slide` ns, aligned to the epoch plus `offset` ns.
    pub fn new(kernel: K, count: i64, size: i64, slide: i64, offset: i64) -> Self {
        let (keys, kept) = (KeyTable::new(&kernel), K::Kept::with_layout(kernel.layout("Kept")));
        let (count, size, slide) = (usize::try_from(count.max(1)).unwrap_or(usize::MAX), size.max(1), slide.max(1));
        Self { kernel, count, size, slide, offset, keys, uses: Vec::new(), kept, free: Vec::new(), open: VecDeque::new() }
    }

    /// The starts of the windows that hold a moment, the earliest first.
    fn starts(&self, ts: i64) -> impl Iterator<Item = i128> + use<K> {
        let (slide, since) = (i128::from(self.slide), i128::from(ts) - i128::from(self.offset));
        let last = i128::from(ts) - since.rem_euclid(slide);
        // A window holds the moment as long as it begins less than its size before it.
        let before = (last - (i128::from(ts) - i128::from(self.size) + 1)).div_euclid(slide);
        (0..=before).rev().map(move |n| last - n * slide)
    }

    /// Offers a record to one window.
    fn offer(&mut self, start: i128, key: u32, row: K::Row<'_>) -> Result<(), Refusal> {
        let at = self.open.binary_search_by_key(&start, |window| window.start);
        let full = at.ok().and_then(|at| self.open[at].list(key)).filter(|list| list.slots.len() >= self.count);
        if let Some(lowest) = full.and_then(|list| list.slots.last())
            && !self.kernel.outranks(row, self.kept.at(*lowest as usize))?
        {
            return Ok(());
        }
        let slot = self.free.pop().unwrap_or_else(|| self.kept.add() as u32);
        if let Err(refusal) = self.kernel.keep(row, self.kept.at_mut(slot as usize)) {
            self.release(slot);
            return Err(refusal);
        }
        let at = at.unwrap_or_else(|at| {
            let end = i64::try_from(start + i128::from(self.size)).unwrap_or(i64::MAX);
            self.open.insert(at, Open { start, end, lists: Vec::new(), of_key: Vec::new() });
            at
        });
        let (list, new) = self.open[at].list_or_new(key);
        if new {
            self.uses[key as usize] += 1;
        }
        let (kernel, kept) = (&self.kernel, &self.kept);
        let place = list.slots.partition_point(|other| !kernel.precedes(kept.at(slot as usize), kept.at(*other as usize)));
        list.slots.insert(place, slot);
        if list.slots.len() > self.count
            && let Some(lowest) = list.slots.pop()
        {
            self.release(lowest);
        }
        Ok(())
    }

    fn release(&mut self, slot: u32) {
        self.kept.reset(slot as usize);
        self.free.push(slot);
    }

    fn forget_if_unused(&mut self, key: u32) {
        if self.uses[key as usize] == 0 {
            self.keys.remove(key);
        }
    }

    #[cold]
    #[inline(never)]
    fn close(&mut self, window: Open, fire: &mut impl FnMut(RankFiring<'_, K>)) {
        let Open { start, end, lists, .. } = window;
        let start = i64::try_from(start).unwrap_or(i64::MIN);
        for List { key, slots } in lists {
            for slot in slots {
                fire(RankFiring { ts: end.saturating_sub(1), start, end, key: self.keys.key(key), kept: self.kept.at(slot as usize) });
                self.release(slot);
            }
            self.uses[key as usize] -= 1;
            self.forget_if_unused(key);
        }
    }
}

impl<K: RankKernel + 'static> Operator for TopK<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = RankFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(RankFiring<'_, K>)) -> Result<(), Refusal> {
        self.advance(ts, fire);
        let mut starts = self.starts(ts).peekable();
        if starts.peek().is_none() {
            return Ok(());
        }
        let (key, _) = self.keys.find_or_add(&self.kernel, row);
        if self.uses.len() <= key as usize {
            self.uses.push(0);
        }
        // What refuses a record for one window does so for the first.
        let offered = starts.try_for_each(|start| self.offer(start, key, row));
        self.forget_if_unused(key);
        offered
    }

    #[inline]
    fn deadline(&self) -> i64 {
        self.open.front().map_or(i64::MAX, |window| window.end)
    }

    #[inline]
    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(RankFiring<'_, K>)) {
        while self.deadline() <= watermark {
            let Some(window) = self.open.pop_front() else { return };
            self.close(window, fire);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::kernels::RankKernel;
    use crate::operators::testing::*;
    use crate::state::Typed;
    use proptest::prelude::*;

    impl RankKernel for Lists {
        type Kept = Typed<i64>;
        fn outranks(&self, row: Tick, kept: &i64) -> Result<bool, Refusal> {
            if row.value == FAILS { Err(refused()) } else { Ok(rank(row.value) > rank(*kept)) }
        }
        fn keep(&self, row: Tick, kept: &mut i64) -> Result<(), Refusal> {
            *kept = row.value;
            if row.value == FAILS { Err(refused()) } else { Ok(()) }
        }
        fn precedes(&self, kept: &i64, other: &i64) -> bool {
            rank(*kept) > rank(*other)
        }
    }

    /// Few ranks, so that many records share one.
    fn rank(value: i64) -> i64 {
        value / 100
    }

    #[test]
    fn nothing_is_left_of_what_ended() {
        let mut top = TopK::new(Lists, 3, 40, 10, 0);
        for key in 0..10_000 {
            top.push(i64::from(key), Tick { key, value: 1 }, &mut |_| {}).unwrap();
            assert!(top.keys.len() <= 41 && top.kept.len() <= 200 && top.open.len() <= 5);
        }
        top.advance(i64::MAX, &mut |_| {});
        assert!(top.keys.is_empty() && top.open.is_empty() && top.free.len() == top.kept.len() && top.uses.iter().all(|uses| *uses == 0));
    }

    #[test]
    fn records_that_fail_leave_nothing() {
        let mut top = TopK::new(Lists, 1, 10, 10, 0);
        assert!(top.push(1, Tick { key: 1, value: FAILS }, &mut |_| panic!("fired")).is_err());
        assert!(top.keys.is_empty() && top.open.is_empty());
    }

    #[test]
    fn time_at_its_limits() {
        let mut top = TopK::new(Lists, 2, 30, 10, 0);
        let mut fired = vec![];
        for ts in [i64::MIN, 0, i64::MAX] {
            top.push(ts, Tick { key: 1, value: 1 }, &mut |f| fired.push((f.start, f.end))).unwrap();
        }
        top.advance(i64::MAX, &mut |f| fired.push((f.start, f.end)));
        // A window each, whether or not it begins or ends within time.
        assert_eq!(fired.len(), 9);
        assert_eq!(fired[3..6], [(-20, 10), (-10, 20), (0, 30)]);
    }

    proptest! {
        #[test]
        fn as_sorted_anew(events in events(), count in 1..5usize, size in 1..30i64, slide in 1..30i64, offset in -40..40i64, announced: bool) {
            let mut top = TopK::new(Lists, count as i64, size, slide, offset);
            let mut fired: Vec<Fired> = Vec::new();
            let mut fire = |f: RankFiring<'_, Lists>| match fired.last_mut() {
                Some(last) if last.start == f.start && last.key.to_string() == *f.key => last.values.push(*f.kept),
                _ => fired.push(Fired { ts: f.ts, start: f.start, end: f.end, key: f.key.parse().unwrap(), values: vec![*f.kept] }),
            };
            for &(ts, row) in &events {
                if announced && top.deadline() <= ts {
                    top.advance(ts, &mut fire);
                }
                let inside = (ts - offset).rem_euclid(slide) < size;
                prop_assert_eq!(top.push(ts, row, &mut fire).is_err(), row.value == FAILS && inside);
            }
            top.advance(i64::MAX, &mut fire);
            let mut expected = time_windows(&events, size, slide, offset);
            for window in &mut expected {
                window.values.sort_by_key(|value| -rank(*value));
                window.values.truncate(count);
            }
            prop_assert_eq!(fired, expected);
        }
    }
}
