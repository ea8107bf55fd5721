//! Time windows whose results are kept for late records: each window has a table of its own, until nothing may come for it any more.
//!
//! Invariant: `windows` is sorted by start, and its windows have one size, so that it is sorted by end, too; those that have fired come first.
#![expect(clippy::indexing_slicing, reason = "places come from searching the list; per-key arrays grow with the numbers of the key table")]

use std::collections::VecDeque;

use super::WindowFiring;
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// Windows `[offset + k·slide, offset + k·slide + size)` per key, kept for `lateness` ns behind their end. O(size / slide) per record; O(windows
/// that are open or kept × keys) state.
pub struct LateWindow<K: WindowKernel> {
    kernel: K,
    size: i64,
    slide: i64,
    offset: i64,
    lateness: i64,
    windows: VecDeque<Kept<K>>,
    /// When something fires or is forgotten next.
    due: i64,
    /// The watermark that a late record finds.
    watermark: i64,
    took_late: bool,
}

/// One window.
struct Kept<K: WindowKernel> {
    start: i64,
    end: i64,
    fired: bool,
    keys: KeyTable<K>,
    accs: K::Accs,
    /// The keys in the order of their first records.
    order: Vec<u32>,
}

impl<K: WindowKernel + 'static> Kept<K> {
    fn fold(&mut self, kernel: &K, row: K::Row<'_>) -> Result<u32, Refusal> {
        let (id, new) = self.keys.find_or_add(kernel, row);
        if new && self.accs.len() <= id as usize {
            self.accs.add();
        }
        if let Err(refusal) = kernel.fold(self.accs.at_mut(id as usize), row) {
            if new {
                self.keys.remove(id);
            }
            return Err(refusal);
        }
        if new {
            self.order.push(id);
        }
        Ok(id)
    }

    fn fire(&self, id: u32, update: bool, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        let accs = self.accs.at(id as usize);
        fire(WindowFiring { ts: self.end.saturating_sub(1), start: self.start, end: self.end, update, key: self.keys.key(id), accs });
    }
}

impl<K: WindowKernel + 'static> LateWindow<K> {
    /// Windows of `size` ns every `slide` ns, aligned to the epoch plus `offset` ns, which take records up to `lateness` ns behind their end.
    pub fn new(kernel: K, size: i64, slide: i64, offset: i64, lateness: i64) -> Self {
        let windows = VecDeque::new();
        Self { kernel, size: size.max(1), slide: slide.max(1), offset, lateness, windows, due: i64::MAX, watermark: i64::MIN, took_late: false }
    }

    /// The starts of the windows that hold `ts`, the latest first.
    fn starts(&self, ts: i64) -> impl Iterator<Item = i64> + use<K> {
        let (size, slide) = (self.size, self.slide);
        let last = ts.saturating_sub(ts.saturating_sub(self.offset).rem_euclid(slide));
        std::iter::successors(Some(last), move |start| start.checked_sub(slide)).take_while(move |start| ts < start.saturating_add(size))
    }

    /// The place of the window that starts there, which is made if it is not there.
    fn window(&mut self, start: i64) -> usize {
        let at = self.windows.partition_point(|window| window.start < start);
        if self.windows.get(at).is_none_or(|window| window.start != start) {
            let (keys, accs) = (KeyTable::new(&self.kernel), K::Accs::with_layout(self.kernel.layout("Accs")));
            self.windows.insert(at, Kept { start, end: start.saturating_add(self.size), fired: false, keys, accs, order: Vec::new() });
        }
        at
    }

    fn fold(&mut self, start: i64, row: K::Row<'_>) -> Result<(usize, u32), Refusal> {
        let at = self.window(start);
        match self.windows[at].fold(&self.kernel, row) {
            Ok(id) => Ok((at, id)),
            Err(refusal) => {
                if self.windows[at].order.is_empty() {
                    self.windows.remove(at);
                }
                Err(refusal)
            }
        }
    }

    fn set_due(&mut self) {
        let fires = self.windows.iter().find(|window| !window.fired).map_or(i64::MAX, |window| window.end);
        let forgets = self.windows.front().map_or(i64::MAX, |window| window.end.saturating_add(self.lateness));
        self.due = fires.min(forgets);
    }
}

impl<K: WindowKernel + 'static> Operator for LateWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    const TAKES_LATE: bool = true;

    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        if ts >= self.due {
            self.advance(ts, fire);
        }
        for start in self.starts(ts) {
            self.fold(start, row)?;
        }
        self.set_due();
        Ok(())
    }

    fn deadline(&self) -> i64 {
        self.due
    }

    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        let ended = self.windows.partition_point(|window| window.end <= watermark);
        for window in self.windows.range_mut(..ended).filter(|window| !window.fired) {
            window.fired = true;
            window.order.iter().for_each(|id| window.fire(*id, false, fire));
        }
        let forgotten = self.windows.partition_point(|window| window.end.saturating_add(self.lateness) <= watermark);
        self.windows.drain(..forgotten);
        self.set_due();
    }

    fn begin_late(&mut self, watermark: i64) {
        (self.watermark, self.took_late) = (watermark, false);
    }

    fn push_late(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        let mut starts: Vec<i64> = self.starts(ts).filter(|start| start.saturating_add(self.size).saturating_add(self.lateness) > self.watermark).collect();
        starts.reverse();
        for start in starts {
            self.took_late = true;
            let (at, id) = self.fold(start, row)?;
            let window = &mut self.windows[at];
            if window.end <= self.watermark {
                window.fired = true;
                window.fire(id, true, fire);
            }
        }
        self.set_due();
        Ok(())
    }

    fn took_late(&self) -> bool {
        self.took_late
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
        fn without_late_records_as_others(events in events(), slide in 1..20i64, more in 0..30i64, offset in -40..40i64, lateness in 0..50i64, announced: bool) {
            let size = slide + more;
            let fired = drive(&mut LateWindow::new(Lists, size, slide, offset, lateness), &events, announced);
            let mut expected = time_windows(&events, size, slide, offset);
            expected.sort_by_key(|f| f.end);
            prop_assert_eq!(fired, expected);
        }

        #[test]
        fn late_records_fire_what_is_kept(events in events(), late in prop::collection::vec((0..60i64, 0..6u32, 0..1000i64), 0..30), slide in 1..20i64, more in 0..30i64, lateness in 0..50i64) {
            let size = slide + more;
            let mut window = LateWindow::new(Lists, size, slide, 0, lateness);
            let (mut taken, mut late) = (Vec::new(), late.into_iter());
            for (ts, row) in events.into_iter().filter(|(_, row)| row.value != FAILS) {
                window.advance(ts, &mut |_| {});
                window.push(ts, row, &mut |_| {}).unwrap();
                taken.push((ts, row));
                let Some((behind, key, value)) = late.next().filter(|(behind, ..)| *behind > 0) else { continue };
                let (at, tick) = (ts - behind, Tick { key, value });
                let mut fired = Vec::new();
                window.begin_late(ts);
                window.push_late(at, tick, &mut |f| fired.push((f.start, f.update, f.accs.clone()))).unwrap();
                taken.push((at, tick));
                let starts: Vec<i64> = (at - size + 1..=at).filter(|start| start.rem_euclid(slide) == 0 && start + size + lateness > ts).collect();
                prop_assert_eq!(window.took_late(), !starts.is_empty());
                // A window that was forgotten when a record came has missed it; nothing is forgotten before its time.
                let ended: Vec<i64> = starts.into_iter().filter(|start| start + size <= ts).collect();
                prop_assert_eq!(fired.iter().map(|(start, ..)| *start).collect::<Vec<_>>(), ended);
                for (start, update, values) in fired {
                    let mine = taken.iter().filter(|(ts, t)| t.key == key && (start..start + size).contains(ts)).map(|(_, t)| t.value).collect::<Vec<_>>();
                    prop_assert!(update);
                    prop_assert_eq!(values, mine);
                }
            }
            prop_assert!(window.windows.iter().map(|w| w.end + lateness).min().is_none_or(|end| end > taken.iter().map(|(ts, _)| *ts).max().unwrap()));
        }
    }
}
