//! Puts events in the order of their time, once the watermark says that none before them will come.
//!
//! Invariant: `run` is in order; `stragglers` holds the events that came behind a later one of the run.

use std::collections::VecDeque;

use crate::state::{Calendar, Timed};

/// Events that wait for the watermark. O(1) for each of them.
pub struct ReorderBuffer<E> {
    run: VecDeque<(Place, E)>,
    stragglers: Calendar<Straggler>,
    /// The stragglers themselves; what waits is moved once on its way in and once on its way out.
    slots: Vec<Option<E>>,
    free: Vec<usize>,
    arrived: u64,
}

/// By time, then by arrival.
type Place = (i64, u64);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Straggler {
    place: Place,
    slot: usize,
}

impl Timed for Straggler {
    #[inline(always)]
    fn due(&self) -> i64 {
        self.place.0
    }
}

impl<E> ReorderBuffer<E> {
    /// An empty buffer for events that come as late as that, in ns.
    pub fn new(out_of_order: i64) -> Self {
        Self { run: VecDeque::new(), stragglers: Calendar::new(out_of_order), slots: Vec::new(), free: Vec::new(), arrived: 0 }
    }

    /// Takes an event.
    #[inline]
    pub fn push(&mut self, ts: i64, event: E) {
        let place = (ts, self.arrived);
        self.arrived += 1;
        if self.run.back().is_none_or(|((newest, _), _)| *newest <= ts) {
            self.run.push_back((place, event));
            return;
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                self.slots.push(None);
                self.slots.len() - 1
            }
        };
        if let Some(empty) = self.slots.get_mut(slot) {
            *empty = Some(event);
        }
        self.stragglers.push(Straggler { place, slot });
    }

    /// The first event by time, then by arrival, if the watermark has reached it. An event of the watermark's own time may leave: one that
    /// arrives later comes behind it anyway.
    #[inline]
    pub fn pop_ready(&mut self, watermark: i64) -> Option<(i64, E)> {
        let straggler = self.stragglers.first();
        match (self.run.front(), straggler) {
            (Some((place, _)), straggler) if straggler.is_none_or(|s| *place < s.place) => {
                if place.0 > watermark {
                    return None;
                }
                self.run.pop_front().map(|((ts, _), event)| (ts, event))
            }
            (_, Some(Straggler { place: (ts, _), slot })) if ts <= watermark => {
                self.stragglers.pop();
                self.free.push(slot);
                self.slots.get_mut(slot).and_then(Option::take).map(|event| (ts, event))
            }
            _ => None,
        }
    }

    /// How many events wait.
    #[inline]
    pub fn len(&self) -> usize {
        self.run.len() + self.slots.len() - self.free.len()
    }

    /// Whether none waits.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
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
            let mut buffer = ReorderBuffer::new(delay);
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
