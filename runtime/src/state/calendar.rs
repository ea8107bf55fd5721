//! A calendar queue: timers that lie ahead by no more than a known span, in O(1) each (Brown, "Calendar queues", CACM 31(10), 1988).
//!
//! Time is cut into days of equal length. The timers of days to come lie in one list per day, unordered; those of the day at hand are in a
//! small heap, which is all that is ever put into order.
#![expect(clippy::indexing_slicing, reason = "days are numbers below their count")]

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Something that is due at a time; ordered by it first.
pub trait Timed: Ord + Copy {
    /// When, in ns.
    fn due(&self) -> i64;
}

/// A power of two.
const DAYS: usize = 512;

/// Timers, the earliest first. Those that lie further ahead than the span are kept in order all the same, at the cost of a heap.
pub struct Calendar<T> {
    /// A day is so many ns, as a power of two.
    shift: u32,
    /// The day at hand. Nothing lies before it but in `near`.
    today: i64,
    near: BinaryHeap<Reverse<T>>,
    days: Box<[Vec<T>]>,
    /// How many lie in `days`.
    ahead: usize,
}

impl<T: Timed> Calendar<T> {
    /// For timers that are due within `span` ns of the one at hand, as a rule.
    pub fn new(span: i64) -> Self {
        let day = (span.max(1).unsigned_abs() / (DAYS as u64 / 2)).max(1).next_power_of_two();
        Self { shift: day.ilog2(), today: i64::MIN, near: BinaryHeap::new(), days: Box::default(), ahead: 0 }
    }

    /// How many there are.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.near.len() + self.ahead
    }

    #[inline]
    fn day(&self, timer: &T) -> i64 {
        timer.due() >> self.shift
    }

    /// Adds a timer.
    #[inline]
    pub fn push(&mut self, timer: T) {
        let day = self.day(&timer);
        if self.ahead == 0 && self.near.is_empty() {
            self.today = day;
        }
        let days_ahead = day.saturating_sub(self.today);
        if (1..DAYS as i64).contains(&days_ahead) {
            if self.days.is_empty() {
                self.days = (0..DAYS).map(|_| Vec::new()).collect();
            }
            self.days[day as usize % DAYS].push(timer);
            self.ahead += 1;
        } else {
            self.near.push(Reverse(timer));
        }
    }

    /// The earliest.
    #[inline]
    pub fn first(&mut self) -> Option<T> {
        loop {
            match self.near.peek() {
                Some(Reverse(timer)) if self.ahead == 0 || self.day(timer) <= self.today => {
                    let timer = *timer;
                    self.today = self.today.max(self.day(&timer));
                    return Some(timer);
                }
                None if self.ahead == 0 => return None,
                _ => self.begin_day(),
            }
        }
    }

    /// Takes the earliest away.
    #[inline]
    pub fn pop(&mut self) -> Option<T> {
        self.first()?;
        self.near.pop().map(|Reverse(timer)| timer)
    }

    fn begin_day(&mut self) {
        self.today += 1;
        let timers = &mut self.days[self.today as usize % DAYS];
        self.ahead -= timers.len();
        self.near.extend(timers.drain(..).map(Reverse));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    impl Timed for (i64, u32) {
        fn due(&self) -> i64 {
            self.0
        }
    }

    proptest! {
        #[test]
        fn as_a_heap(start in prop::sample::select(vec![0, -5_000, i64::MAX - 90_000, i64::MIN]), span in prop::sample::select(vec![1i64, 700, 60_000, i64::MAX]),
            steps in prop::collection::vec((0..3u8, 0..80_000i64), 0..400)) {
            let (mut calendar, mut heap, mut now) = (Calendar::new(span), BinaryHeap::new(), start);
            for (number, (kind, by)) in steps.into_iter().enumerate() {
                if kind == 2 {
                    prop_assert_eq!(calendar.first(), heap.peek().map(|Reverse(timer)| *timer));
                    let popped = calendar.pop();
                    prop_assert_eq!(popped, heap.pop().map(|Reverse(timer)| timer));
                    now = popped.map_or(now, |timer: (i64, u32)| timer.0);
                } else {
                    // Most lie within the span, some beyond it.
                    let due = now.saturating_add(if kind == 0 { by % span } else { by });
                    calendar.push((due, number as u32));
                    heap.push(Reverse((due, number as u32)));
                }
                prop_assert_eq!(calendar.count(), heap.len());
            }
            while let Some(Reverse(timer)) = heap.pop() {
                prop_assert_eq!(calendar.pop(), Some(timer));
            }
            prop_assert_eq!(calendar.pop(), None);
        }
    }
}
