//! Cumulating time windows, and tumbling ones that fire early: one accumulator per key, read at every step of the window and emptied at its end.
//!
//! Invariant: `touched` lists the keys with records in the open window, in the order of their first; all other accumulators are empty.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// Windows `[start, start + step)`, `[start, start + 2·step)` and so on to `[start, start + size)` per key, where `start` is `offset + k·size`.
/// O(1) per record, O(keys in the window) per step.
pub struct CumulatingWindow<K: WindowKernel> {
    kernel: K,
    size: i64,
    step: i64,
    offset: i64,
    /// Whether what fires is the whole window, before its end, and not the part up to the step.
    early: bool,
    /// The open window; its end is `i64::MIN` before the first.
    start: i64,
    end: i64,
    /// The end of the step at hand if the window holds records, else `i64::MAX`.
    due: i64,
    keys: KeyTable<K>,
    accs: K::Accs,
    touched: Vec<u32>,
    /// Per key, whether it is in `touched`.
    is_touched: Vec<bool>,
}

impl<K: WindowKernel + 'static> CumulatingWindow<K> {
    /// Windows of up to `size` ns, by steps of `step` ns, aligned to the epoch plus `offset` ns. With `early`, windows of `size` ns that tell of
    /// themselves at every step, and at their end.
    pub fn new(kernel: K, size: i64, step: i64, offset: i64, early: bool) -> Self {
        let (keys, accs) = (KeyTable::new(&kernel), K::Accs::with_layout(kernel.layout("Accs")));
        let (start, end, due) = (i64::MIN, i64::MIN, i64::MAX);
        Self { kernel, size: size.max(1), step: step.max(1), offset, early, start, end, due, keys, accs, touched: Vec::new(), is_touched: Vec::new() }
    }

    #[cold]
    #[inline(never)]
    fn fire_up_to(&mut self, watermark: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        while watermark >= self.due && !self.touched.is_empty() {
            let due = self.due;
            let end = if self.early { self.end } else { due };
            for &id in &self.touched {
                fire(WindowFiring {
                    ts: due.saturating_sub(1),
                    start: self.start,
                    end,
                    update: false,
                    key: self.keys.key(id),
                    accs: self.accs.at(id as usize),
                });
            }
            if due < self.end {
                self.due = due.saturating_add(self.step).min(self.end);
                continue;
            }
            // What was not in this window is forgotten: it has nothing that the next one needs.
            self.keys.retain(|id| self.is_touched[id as usize]);
            for id in self.touched.drain(..) {
                self.accs.reset(id as usize);
                self.is_touched[id as usize] = false;
            }
            self.due = i64::MAX;
        }
    }

    #[cold]
    #[inline(never)]
    fn touch(&mut self, id: u32, ts: i64) {
        if self.touched.is_empty() {
            let behind = ts.saturating_sub(self.start).rem_euclid(self.step);
            self.due = ts.saturating_sub(behind).saturating_add(self.step).min(self.end);
        }
        self.is_touched[id as usize] = true;
        self.touched.push(id);
    }
}

impl<K: WindowKernel + 'static> Operator for CumulatingWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        if ts >= self.due {
            self.fire_up_to(ts, fire);
        }
        if ts >= self.end {
            self.start = ts.saturating_sub(ts.saturating_sub(self.offset).rem_euclid(self.size));
            self.end = self.start.saturating_add(self.size);
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new && self.accs.len() <= id as usize {
            self.accs.add();
            self.is_touched.push(false);
        }
        self.kernel.fold(self.accs.at_mut(id as usize), row)?;
        if !self.is_touched[id as usize] {
            self.touch(id, ts);
        }
        Ok(())
    }

    #[inline]
    fn deadline(&self) -> i64 {
        self.due
    }

    #[inline]
    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        if watermark >= self.due {
            self.fire_up_to(watermark, fire);
        }
    }

    fn tick(&mut self, now: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        let left_out = now == i64::MAX && self.early;
        self.advance(now, &mut |firing| {
            if !left_out || firing.ts >= firing.end.saturating_sub(1) {
                fire(firing);
            }
        });
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
        fn as_counted_anew(events in events(), step in 1..20i64, steps in 1..6i64, rest in 0..9i64, offset in 0..40i64, announced in any::<bool>(), early in any::<bool>()) {
            // Only windows that fire early may end between two steps.
            let rest = if early { rest % step } else { 0 };
            let (size, steps) = (step * steps + rest, if rest > 0 { steps + 1 } else { steps });
            let mut expected: Vec<Fired> = Vec::new();
            for whole in time_windows(&events, size, size, offset.rem_euclid(size)).into_iter().map(|f| f.start).collect::<std::collections::BTreeSet<_>>() {
                for due in (1..=steps).map(|n| whole + (n * step).min(size)) {
                    let inside: Vec<_> = events.iter().filter(|(ts, _)| (whole..due).contains(ts)).copied().collect();
                    let end = if early { whole + size } else { due };
                    let row = |(key, group): (u32, Vec<(i64, i64)>)| Fired { ts: due - 1, start: whole, end, key, values: group.iter().map(|(_, v)| *v).collect() };
                    expected.extend(by_key(&inside).into_iter().map(row));
                }
            }
            let mut window = CumulatingWindow::new(Lists, size, step, offset.rem_euclid(size), early);
            prop_assert_eq!(drive(&mut window, &events, announced), expected);
        }
    }
}
