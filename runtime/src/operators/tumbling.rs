//! Tumbling time windows: one accumulator per key, indexed by the key's number.
//!
//! Invariant: `touched` lists the keys with records in the open window, in the order of their first; all other accumulators are empty.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// Below this many keys none is forgotten.
const FEW_KEYS: usize = 1024;

/// Windows `[offset + k·size, offset + (k + 1)·size)` per key. O(1) per record; O(keys seen lately) state.
pub struct TumblingWindow<K: WindowKernel> {
    kernel: K,
    size: i64,
    offset: i64,
    /// The open window; its end is `i64::MIN` before the first.
    start: i64,
    end: i64,
    /// The end of the open window if it holds records, else `i64::MAX`.
    due: i64,
    keys: KeyTable<K>,
    accs: K::Accs,
    touched: Vec<u32>,
    /// Per key, whether it is in `touched`.
    is_touched: Vec<bool>,
}

impl<K: WindowKernel + 'static> TumblingWindow<K> {
    /// Windows of `size` ns, aligned to the epoch plus `offset` ns.
    pub fn new(kernel: K, size: i64, offset: i64) -> Self {
        let (keys, accs) = (KeyTable::new(&kernel), K::Accs::with_layout(kernel.layout("Accs")));
        Self { kernel, size: size.max(1), offset, start: i64::MIN, end: i64::MIN, due: i64::MAX, keys, accs, touched: Vec::new(), is_touched: Vec::new() }
    }

    #[cold]
    #[inline(never)]
    fn open(&mut self, ts: i64) {
        self.start = ts.saturating_sub(ts.saturating_sub(self.offset).rem_euclid(self.size));
        self.end = self.start.saturating_add(self.size);
    }

    #[cold]
    #[inline(never)]
    fn close(&mut self, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        for &id in &self.touched {
            let accs = self.accs.at(id as usize);
            fire(WindowFiring { ts: self.end.saturating_sub(1), start: self.start, end: self.end, update: false, key: self.keys.key(id), accs });
            self.accs.reset(id as usize);
        }
        self.forget_idle_keys();
        for id in self.touched.drain(..) {
            self.is_touched[id as usize] = false;
        }
        self.due = i64::MAX;
    }

    /// Each pass forgets at least half of what it looks at, so it costs O(1) per key that was ever added.
    fn forget_idle_keys(&mut self) {
        if self.keys.len() >= FEW_KEYS && self.touched.len() < self.keys.len() / 2 {
            self.keys.retain(|id| self.is_touched[id as usize]);
        }
    }

    #[cold]
    #[inline(never)]
    fn touch(&mut self, id: u32) {
        self.is_touched[id as usize] = true;
        self.touched.push(id);
        self.due = self.end;
    }
}

impl<K: WindowKernel + 'static> Operator for TumblingWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        if ts >= self.end {
            self.close(fire);
            self.open(ts);
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new && self.accs.len() <= id as usize {
            self.accs.add();
            self.is_touched.push(false);
        }
        self.kernel.fold(self.accs.at_mut(id as usize), row)?;
        if !self.is_touched[id as usize] {
            self.touch(id);
        }
        Ok(())
    }

    #[inline]
    fn deadline(&self) -> i64 {
        self.due
    }

    #[inline]
    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        if watermark >= self.due && !self.touched.is_empty() {
            self.close(fire);
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
    fn keys_that_fall_idle_are_forgotten() {
        let mut window = TumblingWindow::new(Lists, 10, 0);
        for key in 0..100_000 {
            window.push(i64::from(key), Tick { key, value: 1 }, &mut |_| {}).unwrap();
            assert!(window.keys.len() <= 1034);
        }
        assert!(window.accs.len() < 1100);
    }

    #[test]
    fn records_that_fail_leave_no_window() {
        let mut window = TumblingWindow::new(Lists, 10, 0);
        assert!(window.push(1, Tick { key: 1, value: FAILS }, &mut |_| panic!("fired")).is_err());
        assert_eq!(window.deadline(), i64::MAX);
        window.advance(i64::MAX, &mut |_| panic!("fired"));
    }

    proptest! {
        #[test]
        fn as_counted_anew(events in events(), size in 1..30i64, offset in -40..40i64, announced: bool) {
            let fired = drive(&mut TumblingWindow::new(Lists, size, offset), &events, announced);
            prop_assert_eq!(fired, time_windows(&events, size, size, offset));
        }
    }
}
