//! Session windows: a key's records that are less than the gap apart.
//!
//! Invariant: the key table holds exactly the keys with an open session, and each has one entry in `timers`, at or before its end.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{Calendar, KeyTable, Slots, Timed};

/// Windows `[first, last + gap)` per key. O(1) per record, and per session and gap of its length; O(open sessions) state.
pub struct SessionWindow<K: WindowKernel> {
    kernel: K,
    gap: i64,
    keys: KeyTable<K>,
    accs: K::Accs,
    sessions: Vec<Session>,
    /// Ends, as they were when the entry was made; a session that grew since gets a new entry when the old one is due.
    timers: Calendar<Timer>,
    /// The first timer, else `i64::MAX`.
    due: i64,
    opened: u64,
}

#[derive(Clone, Copy)]
struct Session {
    first: i64,
    last: i64,
}

/// Ordered as results are: by end, then by the session's first record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    end: i64,
    opened: u64,
    id: u32,
}

impl Timed for Timer {
    #[inline(always)]
    fn due(&self) -> i64 {
        self.end
    }
}

impl<K: WindowKernel + 'static> SessionWindow<K> {
    /// Sessions that end when a key has had no record for `gap` ns.
    pub fn new(kernel: K, gap: i64) -> Self {
        let (keys, accs) = (KeyTable::new(&kernel), K::Accs::with_layout(kernel.layout("Accs")));
        Self { kernel, gap, keys, accs, sessions: Vec::new(), timers: Calendar::new(gap), due: i64::MAX, opened: 0 }
    }

    #[inline(never)]
    fn open(&mut self, id: u32, ts: i64, row: K::Row<'_>) -> Result<(), Refusal> {
        if self.accs.len() <= id as usize {
            self.accs.add();
            self.sessions.push(Session { first: ts, last: ts });
        }
        if let Err(refusal) = self.kernel.fold(self.accs.at_mut(id as usize), row) {
            self.keys.remove(id);
            return Err(refusal);
        }
        self.sessions[id as usize] = Session { first: ts, last: ts };
        self.timers.push(Timer { end: ts.saturating_add(self.gap), opened: self.opened, id });
        self.opened += 1;
        self.set_due();
        Ok(())
    }

    fn set_due(&mut self) {
        self.due = self.timers.first().map_or(i64::MAX, |timer| timer.end);
    }
}

impl<K: WindowKernel + 'static> Operator for SessionWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        if ts >= self.due {
            self.advance(ts, fire);
        }
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new {
            return self.open(id, ts, row);
        }
        self.kernel.fold(self.accs.at_mut(id as usize), row)?;
        let session = &mut self.sessions[id as usize];
        session.last = session.last.max(ts);
        Ok(())
    }

    #[inline]
    fn deadline(&self) -> i64 {
        self.due
    }

    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        while let Some(timer) = self.timers.first() {
            if timer.end > watermark {
                break;
            }
            self.timers.pop();
            let Session { first, last } = self.sessions[timer.id as usize];
            let end = last.saturating_add(self.gap);
            if end > timer.end {
                self.timers.push(Timer { end, ..timer });
                continue;
            }
            let accs = self.accs.at(timer.id as usize);
            fire(WindowFiring { ts: end.saturating_sub(1), start: first, end, update: false, key: self.keys.key(timer.id), accs });
            self.accs.reset(timer.id as usize);
            self.keys.remove(timer.id);
        }
        self.set_due();
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;

    fn sessions(events: &[(i64, Tick)], gap: i64) -> Vec<Fired> {
        let mut all = Vec::new();
        for (key, records) in by_key(events) {
            for run in records.chunk_by(|a, b| b.0 - a.0 < gap) {
                let (start, end) = (run[0].0, run[run.len() - 1].0 + gap);
                let opened = events.iter().position(|&(ts, row)| ts == start && row.key == key && row.value != FAILS).unwrap();
                all.push((end, opened, Fired { ts: end - 1, start, end, key, values: run.iter().map(|(_, v)| *v).collect() }));
            }
        }
        all.sort_by_key(|&(end, opened, _)| (end, opened));
        all.into_iter().map(|(_, _, fired)| fired).collect()
    }

    #[test]
    fn ended_sessions_leave_nothing() {
        let mut window = SessionWindow::new(Lists, 10);
        for ts in 0..5_000 {
            window.push(ts, Tick { key: ts as u32, value: 1 }, &mut |_| {}).unwrap();
            assert!(window.keys.len() <= 10 && window.timers.count() == window.keys.len());
        }
        assert!(window.accs.len() <= 10);
    }

    proptest! {
        #[test]
        fn as_counted_anew(events in events(), gap in 1..40i64, announced: bool) {
            prop_assert_eq!(drive(&mut SessionWindow::new(Lists, gap), &events, announced), sessions(&events, gap));
        }
    }
}
