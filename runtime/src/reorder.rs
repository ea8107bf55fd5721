//! Puts events in the order of their time, once the watermark says that none before them will come.
//!
//! Invariant: `run` is in order; `stragglers` holds the events that came behind a later one of the run.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};

/// Events that wait for the watermark. O(1) for an event that is in order, O(log stragglers) for one that is not.
pub struct ReorderBuffer<E> {
    run: VecDeque<Waiting<E>>,
    stragglers: BinaryHeap<Waiting<E>>,
    arrived: u64,
}

struct Waiting<E> {
    ts: i64,
    arrived: u64,
    event: E,
}

impl<E> Waiting<E> {
    fn place(&self) -> (i64, u64) {
        (self.ts, self.arrived)
    }
}

/// Reversed: the heap's greatest is the one that leaves first.
impl<E> Ord for Waiting<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.place().cmp(&self.place())
    }
}
impl<E> PartialOrd for Waiting<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<E> PartialEq for Waiting<E> {
    fn eq(&self, other: &Self) -> bool {
        self.place() == other.place()
    }
}
impl<E> Eq for Waiting<E> {}

impl<E> Default for ReorderBuffer<E> {
    fn default() -> Self {
        Self { run: VecDeque::new(), stragglers: BinaryHeap::new(), arrived: 0 }
    }
}

impl<E> ReorderBuffer<E> {
    /// An empty buffer.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes an event.
    #[inline]
    pub fn push(&mut self, ts: i64, event: E) {
        let waiting = Waiting { ts, arrived: self.arrived, event };
        self.arrived += 1;
        if self.run.back().is_none_or(|newest| newest.ts <= ts) {
            self.run.push_back(waiting);
        } else {
            self.stragglers.push(waiting);
        }
    }

    /// The first event by time, then by arrival, if the watermark has reached it. An event of the watermark's own time may leave: one that
    /// arrives later comes behind it anyway.
    #[inline]
    pub fn pop_ready(&mut self, watermark: i64) -> Option<(i64, E)> {
        let from_run = match (self.run.front(), self.stragglers.peek()) {
            (Some(first), Some(straggler)) => first.place() < straggler.place(),
            (first, _) => first.is_some(),
        };
        let next = if from_run { self.run.front() } else { self.stragglers.peek() };
        if next?.ts > watermark {
            return None;
        }
        let first = if from_run { self.run.pop_front() } else { self.stragglers.pop() };
        first.map(|first| (first.ts, first.event))
    }

    /// How many events wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.run.len() + self.stragglers.len()
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.run.is_empty() && self.stragglers.is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_sorted_at_once(times in prop::collection::vec(0..100i64, 0..200), delay in 0..50i64) {
            let mut buffer = ReorderBuffer::new();
            let (mut out, mut taken, mut watermark) = (Vec::new(), Vec::new(), i64::MIN);
            for (i, ts) in times.into_iter().enumerate() {
                if ts < watermark {
                    continue;
                }
                watermark = watermark.max(ts - delay);
                taken.push((ts, i));
                buffer.push(ts, i);
                while let Some(event) = buffer.pop_ready(watermark) {
                    prop_assert!(event.0 <= watermark);
                    out.push(event);
                }
                prop_assert_eq!(buffer.len() + out.len(), taken.len());
            }
            while let Some(event) = buffer.pop_ready(i64::MAX) {
                out.push(event);
            }
            prop_assert!(buffer.is_empty());
            taken.sort();
            prop_assert_eq!(out, taken);
        }
    }
}
