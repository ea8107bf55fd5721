//! Timers that come due in the order in which they are set, so that a queue is enough.
//!
//! A run that ends early leaves its timer behind: a timer counts only while its run has its number and its moment.

use std::collections::VecDeque;

/// When a run is over, unless it ended or moved on before.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timer {
    /// The last moment at which the run is in time.
    pub(super) due: i64,
    /// The run's number.
    pub(super) number: u64,
    /// The run's index.
    pub(super) run: u32,
}

/// How far time has come.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    /// To this moment, which may still see events.
    Moment(i64),
    /// Beyond every moment.
    End,
}

impl Until {
    #[inline(always)]
    fn is_beyond(self, due: i64) -> bool {
        match self {
            Self::Moment(ts) => due < ts,
            Self::End => true,
        }
    }
}

/// A queue of timers.
#[derive(Debug)]
pub(super) struct Timers {
    queue: VecDeque<Timer>,
    /// When the front comes due; without one, the end of time.
    next: i64,
    /// The length at which timers left behind are swept out.
    limit: usize,
}

/// Queues shorter than this are not worth a sweep.
const SMALL: usize = 1024;

impl Timers {
    /// Without timers.
    pub(super) fn new() -> Self {
        Self { queue: VecDeque::new(), next: i64::MAX, limit: SMALL }
    }

    /// Sets a timer that comes due no earlier than those set before. Constant time on average: a sweep drops the timers that
    /// no longer count, and the next one comes after as many as were left.
    #[inline(always)]
    pub(super) fn set(&mut self, timer: Timer, counts: impl FnMut(&Timer) -> bool) {
        if self.queue.len() >= self.limit {
            self.sweep(counts);
        }
        // No timer is earlier than those before it.
        self.next = self.next.min(timer.due);
        self.queue.push_back(timer);
    }

    #[cold]
    #[inline(never)]
    fn sweep(&mut self, counts: impl FnMut(&Timer) -> bool) {
        self.queue.retain(counts);
        self.look_ahead();
        self.limit = (self.queue.len() * 2).max(SMALL);
    }

    #[inline(always)]
    fn look_ahead(&mut self) {
        self.next = self.queue.front().map_or(i64::MAX, |timer| timer.due);
    }

    /// Takes the next timer that is over.
    #[inline(always)]
    pub(super) fn take_due(&mut self, until: Until) -> Option<Timer> {
        if !until.is_beyond(self.next) {
            return None;
        }
        let timer = self.queue.pop_front();
        self.look_ahead();
        timer
    }

    /// The earliest timer.
    #[inline]
    pub(super) fn first(&self) -> Option<&Timer> {
        self.queue.front()
    }

    /// Drops the timers at the front that no longer count.
    pub(super) fn settle(&mut self, mut counts: impl FnMut(&Timer) -> bool) {
        while self.queue.front().is_some_and(|timer| !counts(timer)) {
            self.queue.pop_front();
        }
        self.look_ahead();
    }

    /// How many timers there are, those that no longer count included.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
}
