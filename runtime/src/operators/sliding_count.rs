//! Sliding count windows over panes of the greatest number of records that divides size and slide.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use super::panes::{PaneQueue, Panes, common_width};
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::KeyTable;

/// The last `size` records of a key, every `slide` records once `size` have been seen. Amortised O(1) merges per record; O(keys · panes) state.
pub struct SlidingCountWindow<K: WindowKernel> {
    kernel: K,
    size: i64,
    slide: i64,
    pane_width: i64,
    keys: KeyTable<K>,
    counts: Vec<Counted>,
    panes: Panes<K>,
}

/// A key's records.
#[derive(Clone, Copy, Default)]
struct Counted {
    /// How many have been seen.
    seen: i64,
    /// Panes by the number of their first record, marked with its time.
    queue: PaneQueue,
}

impl<K: WindowKernel + 'static> SlidingCountWindow<K> {
    /// Windows of `size` records every `slide` records.
    pub fn new(kernel: K, size: i64, slide: i64) -> Self {
        let (size, slide) = (size.max(1), slide.max(1));
        let (keys, panes) = (KeyTable::new(&kernel), Panes::new(&kernel));
        Self { kernel, size, slide, pane_width: common_width(size, slide), keys, counts: Vec::new(), panes }
    }

    #[inline]
    fn fold(&mut self, id: u32, ts: i64, row: K::Row<'_>) -> Result<(), Refusal> {
        let counted = &mut self.counts[id as usize];
        let position = counted.seen - counted.seen % self.pane_width;
        if let Some(pane) = self.panes.growing(&counted.queue, position) {
            return self.kernel.fold(self.panes.at_mut(pane), row);
        }
        let pane = self.panes.add();
        if let Err(refusal) = self.kernel.fold(self.panes.at_mut(pane), row) {
            self.panes.release(pane);
            if counted.seen == 0 {
                self.keys.remove(id);
            }
            return Err(refusal);
        }
        self.panes.append(&self.kernel, &mut counted.queue, pane, position, ts);
        Ok(())
    }
}

impl<K: WindowKernel + 'static> Operator for SlidingCountWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new && self.counts.len() <= id as usize {
            self.counts.push(Counted::default());
        }
        // Where the slide is longer than the size, records between two windows are counted only.
        if self.counts[id as usize].seen % self.slide < self.size {
            self.fold(id, ts, row)?;
        }
        let Counted { seen, queue } = &mut self.counts[id as usize];
        *seen += 1;
        if *seen >= self.size && (*seen - self.size) % self.slide == 0 {
            let start = queue.oldest_mark;
            let total = self.panes.total(&self.kernel, queue);
            fire(WindowFiring { ts, start, end: ts.saturating_add(1), update: false, key: self.keys.key(id), accs: self.panes.at(total) });
            self.panes.clear_scratch();
            self.panes.evict(&self.kernel, queue, *seen - self.size + self.slide);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;

    #[test]
    fn panes_are_used_again() {
        let mut window = SlidingCountWindow::new(Lists, 100, 7);
        for ts in 0..10_000 {
            window.push(ts, Tick { key: 1, value: 1 }, &mut |_| {}).unwrap();
            assert!(window.panes.len() <= 102);
        }
    }

    proptest! {
        #[test]
        fn as_counted_anew(events in events(), size in 1..16usize, slide in 1..16usize) {
            // Records between two windows belong to none: that they would fail is never known.
            prop_assume!(slide <= size || events.iter().all(|(_, row)| row.value != FAILS));
            let fired = drive(&mut SlidingCountWindow::new(Lists, size as i64, slide as i64), &events, true);
            prop_assert_eq!(fired, count_windows(&events, size, slide));
        }
    }
}
