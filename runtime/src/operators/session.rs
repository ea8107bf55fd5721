//! Session windows: a key's records that are less than the gap apart.
//!
//! Invariant: the key table holds exactly the keys with an open session, and each has one entry in `timers`, at or before its end
//! and its next early firing.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{Calendar, KeyTable, Slots, Timed};

/// Windows `[first, last + gap)` per key. O(1) per record, and per session and gap of its length, or early firing; O(open sessions) state.
pub struct SessionWindow<K: WindowKernel> {
    kernel: K,
    gap: i64,
    /// After how long a session tells of itself, and again; `i64::MAX` for never.
    step: i64,
    keys: KeyTable<K>,
    accs: K::Accs,
    sessions: Vec<Session>,
    /// Ends, as they were when the entry was made, or early firings before them; a session that grew since gets a new entry when the old one is due.
    timers: Calendar<Timer>,
    /// The first timer, else `i64::MAX`.
    due: i64,
    opened: u64,
}

#[derive(Clone, Copy)]
struct Session {
    first: i64,
    last: i64,
    /// Its next early firing.
    early: i64,
}

/// Ordered as results are: by their moment, then by the session's first record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: i64,
    opened: u64,
    id: u32,
}

impl Timed for Timer {
    #[inline(always)]
    fn due(&self) -> i64 {
        self.at
    }
}

impl<K: WindowKernel + 'static> SessionWindow<K> {
    /// Sessions that end when a key has had no record for `gap` ns, and fire every `step` ns before.
    pub fn new(kernel: K, gap: i64, step: i64) -> Self {
        let (keys, accs) = (KeyTable::new(&kernel), K::Accs::with_layout(kernel.layout("Accs")));
        let (step, timers) = (step.max(1), Calendar::new(gap.min(step)));
        Self { kernel, gap, step, keys, accs, sessions: Vec::new(), timers, due: i64::MAX, opened: 0 }
    }

    #[inline(never)]
    fn open(&mut self, id: u32, ts: i64, row: K::Row<'_>) -> Result<(), Refusal> {
        if self.accs.len() <= id as usize {
            self.accs.add();
            self.sessions.push(Session { first: ts, last: ts, early: i64::MAX });
        }
        if let Err(refusal) = self.kernel.fold(self.accs.at_mut(id as usize), row) {
            self.keys.remove(id);
            return Err(refusal);
        }
        let early = ts.saturating_add(self.step);
        self.sessions[id as usize] = Session { first: ts, last: ts, early };
        self.timers.push(Timer { at: ts.saturating_add(self.gap).min(early), opened: self.opened, id });
        self.opened += 1;
        self.set_due();
        Ok(())
    }

    fn set_due(&mut self) {
        self.due = self.timers.first().map_or(i64::MAX, |timer| timer.at);
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
            if timer.at > watermark {
                break;
            }
            self.timers.pop();
            let session = &mut self.sessions[timer.id as usize];
            let (start, end) = (session.first, session.last.saturating_add(self.gap));
            let (is_open, is_early) = (end > timer.at, session.early <= timer.at);
            if is_open {
                if is_early {
                    session.early = session.early.saturating_add(self.step);
                }
                self.timers.push(Timer { at: end.min(session.early), ..timer });
            }
            if is_early || !is_open {
                let accs = self.accs.at(timer.id as usize);
                fire(WindowFiring { ts: timer.at.saturating_sub(1), start, end, update: is_open, key: self.keys.key(timer.id), accs });
            }
            if !is_open {
                self.accs.reset(timer.id as usize);
                self.keys.remove(timer.id);
            }
        }
        self.set_due();
    }

    fn tick(&mut self, now: i64, fire: &mut impl FnMut(WindowFiring<'_, K>)) {
        let is_end = now == i64::MAX;
        self.advance(now, &mut |firing| {
            if !(is_end && firing.update) {
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

    fn sessions(events: &[(i64, Tick)], gap: i64, step: i64) -> Vec<Fired> {
        let mut all = Vec::new();
        for (key, records) in by_key(events) {
            for run in records.chunk_by(|a, b| b.0 - a.0 < gap) {
                let (start, over) = (run[0].0, run[run.len() - 1].0 + gap);
                let opened = events.iter().position(|&(ts, row)| ts == start && row.key == key && row.value != FAILS).unwrap();
                let early = (1..).map_while(|times| Some(step.checked_mul(times)?.checked_add(start)?).filter(|at| *at < over));
                for at in early.chain([over]) {
                    let so_far: Vec<_> = run.iter().filter(|(ts, _)| *ts < at).collect();
                    let end = so_far[so_far.len() - 1].0 + gap;
                    all.push((at, opened, Fired { ts: at - 1, start, end, key, values: so_far.iter().map(|(_, v)| *v).collect() }));
                }
            }
        }
        all.sort_by_key(|&(at, opened, _)| (at, opened));
        all.into_iter().map(|(_, _, fired)| fired).collect()
    }

    #[test]
    fn ended_sessions_leave_nothing() {
        let mut window = SessionWindow::new(Lists, 10, i64::MAX);
        for ts in 0..5_000 {
            window.push(ts, Tick { key: ts as u32, value: 1 }, &mut |_| {}).unwrap();
            assert!(window.keys.len() <= 10 && window.timers.count() == window.keys.len());
        }
        assert!(window.accs.len() <= 10);
    }

    proptest! {
        #[test]
        fn as_counted_anew(events in events(), gap in 1..40i64, step in prop_oneof![1..60i64, Just(i64::MAX)], announced: bool) {
            prop_assert_eq!(drive(&mut SessionWindow::new(Lists, gap, step), &events, announced), sessions(&events, gap, step));
        }
    }
}
