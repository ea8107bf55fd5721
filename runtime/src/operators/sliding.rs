//! Sliding time windows over panes of the greatest width that divides size and slide.
//!
//! Invariant: `order` lists the keys with records in the next window, in the order of their first record there; between two windows
//! nothing else is kept.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use super::panes::{PaneQueue, Panes, common_width};
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::KeyTable;

/// Windows `[offset + k·slide, offset + k·slide + size)` per key. Amortised O(1) merges per pane and per firing of a key.
pub struct SlidingWindow<K: WindowKernel> {
    kernel: K,
    size: i64,
    slide: i64,
    offset: i64,
    pane_width: i64,
    /// The open pane: its start, its end (`i64::MIN` before the first), and whether any window holds it.
    pane: i64,
    pane_end: i64,
    pane_is_in_window: bool,
    /// The end of the next window that holds records, else `i64::MAX`.
    due: i64,
    keys: KeyTable<K>,
    queues: Vec<PaneQueue>,
    panes: Panes<K>,
    order: Vec<u32>,
    /// Counts panes of keys: orders keys by their first record, since a key's first record makes a pane.
    arrivals: i64,
}

impl<K: WindowKernel + 'static> SlidingWindow<K> {
    /// Windows of `size` ns every `slide` ns, aligned to the epoch plus `offset` ns.
    pub fn new(kernel: K, size: i64, slide: i64, offset: i64) -> Self {
        let (size, slide) = (size.max(1), slide.max(1));
        let (keys, panes) = (KeyTable::new(&kernel), Panes::new(&kernel));
        Self {
            kernel,
            size,
            slide,
            offset,
            pane_width: common_width(size, slide),
            pane: i64::MIN,
            pane_end: i64::MIN,
            pane_is_in_window: false,
            due: i64::MAX,
            keys,
            queues: Vec::new(),
            panes,
            order: Vec::new(),
            arrivals: 0,
        }
    }

    #[inline(never)]
    fn open_pane(&mut self, ts: i64) {
        let since = ts.saturating_sub(self.offset);
        self.pane = ts.saturating_sub(since.rem_euclid(self.pane_width));
        self.pane_end = self.pane.saturating_add(self.pane_width);
        self.pane_is_in_window = since.rem_euclid(self.slide) < self.size;
    }

    /// The smallest window end above `ts`.
    fn end_after(&self, ts: i64) -> i64 {
        let first = i128::from(self.offset) + i128::from(self.size);
        let slide = i128::from(self.slide);
        let end = first + ((i128::from(ts) - first).div_euclid(slide) + 1) * slide;
        i64::try_from(end).unwrap_or(i64::MAX)
    }

    #[inline(never)]
    fn add_pane(&mut self, id: u32, row: K::Row<'_>) -> Result<(), Refusal> {
        let queue = &mut self.queues[id as usize];
        let pane = self.panes.add();
        if let Err(refusal) = self.kernel.fold(self.panes.at_mut(pane), row) {
            self.panes.release(pane);
            if queue.is_empty() {
                self.keys.remove(id);
            }
            return Err(refusal);
        }
        if queue.is_empty() {
            self.order.push(id);
        }
        self.panes.append(&self.kernel, queue, pane, self.pane, self.arrivals);
        self.arrivals += 1;
        if self.due == i64::MAX {
            self.due = self.end_after(self.pane);
        }
        Ok(())
    }

    fn fire_window(&mut self, end: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        let start = end.saturating_sub(self.size);
        for &id in &self.order {
            let total = self.panes.total(&self.kernel, &mut self.queues[id as usize]);
            fire(WindowFiring { ts: end.saturating_sub(1), start, end, update: false, key: self.keys.key(id), accs: self.panes.at(total) });
        }
        self.panes.clear_scratch();
    }

    /// Drops panes before `limit`, and keys that have no others; puts the other keys in the order of their now oldest panes.
    fn evict(&mut self, limit: i64) {
        let queues = &mut self.queues;
        let stale = self.order.partition_point(|&id| queues[id as usize].oldest_position < limit);
        let kept = self.order.split_off(stale);
        let mut moved = std::mem::take(&mut self.order);
        moved.retain(|&id| {
            let queue = &mut queues[id as usize];
            self.panes.evict(&self.kernel, queue, limit);
            if queue.is_empty() {
                self.keys.remove(id);
            }
            !queue.is_empty()
        });
        // A key is sorted once per pane that it loses, whatever the number of keys.
        moved.sort_unstable_by_key(|&id| queues[id as usize].oldest_mark);
        self.order = if moved.is_empty() { kept } else { merge_by(kept, moved, |id| queues[id as usize].oldest_mark) };
    }
}

/// Merges two sorted lists.
fn merge_by(left: Vec<u32>, right: Vec<u32>, mark: impl Fn(u32) -> i64) -> Vec<u32> {
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let mut right = right.into_iter().peekable();
    for id in left {
        while let Some(earlier) = right.next_if(|&other| mark(other) < mark(id)) {
            merged.push(earlier);
        }
        merged.push(id);
    }
    merged.extend(right);
    merged
}

impl<K: WindowKernel + 'static> Operator for SlidingWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        if ts >= self.due {
            self.advance(ts, fire);
        }
        if ts >= self.pane_end {
            self.open_pane(ts);
        }
        if !self.pane_is_in_window {
            return Ok(());
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new && self.queues.len() <= id as usize {
            self.queues.push(PaneQueue::default());
        }
        match self.panes.growing(&self.queues[id as usize], self.pane) {
            Some(pane) => self.kernel.fold(self.panes.at_mut(pane), row),
            None => self.add_pane(id, row),
        }
    }

    #[inline]
    fn deadline(&self) -> i64 {
        self.due
    }

    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        while watermark >= self.due && !self.order.is_empty() {
            let end = self.due;
            self.fire_window(end, fire);
            match end.checked_add(self.slide) {
                Some(next) => {
                    self.evict(next.saturating_sub(self.size));
                    self.due = if self.order.is_empty() { i64::MAX } else { next };
                }
                None => {
                    self.evict(i64::MAX);
                    self.due = i64::MAX;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;

    #[test]
    fn state_is_bounded_by_the_window() {
        let mut window = SlidingWindow::new(Lists, 30, 10, 0);
        for ts in 0..20_000 {
            window.push(ts, Tick { key: ts as u32, value: 1 }, &mut |_| {}).unwrap();
            assert!(window.keys.len() <= 40 && window.panes.len() <= 80);
        }
        window.advance(i64::MAX, &mut |_| {});
        assert_eq!((window.keys.len(), window.panes.len()), (0, 0));
    }

    #[test]
    fn a_firing_costs_a_bounded_number_of_merges() {
        struct Counting(std::cell::Cell<usize>);
        impl crate::kernels::KeyKernel for Counting {
            type Row<'a> = ();
            type Keys = crate::state::NoState;
        }
        impl WindowKernel for Counting {
            type Accs = crate::state::Typed<i64>;
            fn fold(&self, acc: &mut i64, _: ()) -> Result<(), Refusal> {
                *acc += 1;
                Ok(())
            }
            fn merge(&self, into: &mut i64, newer: &i64) {
                self.0.set(self.0.get() + 1);
                *into += newer;
            }
        }
        let mut window = SlidingWindow::new(Counting(std::cell::Cell::new(0)), 1000, 1, 0);
        let mut firings = 0;
        for ts in 0..10_000 {
            window
                .push(ts, (), &mut |f: WindowFiring<'_, Counting>| {
                    firings += 1;
                    assert_eq!(*f.accs, firings.min(1000));
                })
                .unwrap();
        }
        assert!(window.kernel.0.get() <= 30_000, "{}", window.kernel.0.get());
    }

    proptest! {
        #[test]
        fn as_counted_anew(events in events(), size in 1..40i64, slide in 1..40i64, offset in -40..40i64, announced: bool) {
            let fired = drive_some(&mut SlidingWindow::new(Lists, size, slide, offset), &events, announced, |ts| (ts - offset).rem_euclid(slide) < size);
            prop_assert_eq!(fired, time_windows(&events, size, slide, offset));
        }

        #[test]
        fn as_counted_anew_over_few_panes(events in events(), width in 5..40i64, size in 1..5i64, slide in 1..5i64) {
            let (size, slide) = (width * size, width * slide);
            let fired = drive_some(&mut SlidingWindow::new(Lists, size, slide, 0), &events, true, |ts| ts.rem_euclid(slide) < size);
            prop_assert_eq!(fired, time_windows(&events, size, slide, 0));
        }
    }
}
