//! Sliding aggregation by panes: a pane is the stretch of records that all windows hold wholly or not at all.
//!
//! Each key has a queue of the panes in which it has records, as two stacks over `merge` alone: a firing and a pane cost O(1) merges
//! amortised, whatever the window's length. Invariant: each front pane's accumulator holds its own and all newer front panes' records;
//! each back pane's its own only; `aggregate` holds those of all back panes but a pending newest one.
#![expect(clippy::indexing_slicing, reason = "slots come from `add`, links from `append`")]

use super::NONE;
use crate::kernels::WindowKernel;
use crate::state::Slots;

/// The panes of all keys.
pub(super) struct Panes<K: WindowKernel> {
    accs: K::Accs,
    panes: Vec<Pane>,
    free: Vec<u32>,
    scratch: u32,
}

#[derive(Clone, Copy)]
struct Pane {
    position: i64,
    mark: i64,
    /// Front: the next newer pane. Back: the next older one.
    next: u32,
}

/// The panes of one key.
#[derive(Clone, Copy)]
pub(super) struct PaneQueue {
    front: u32,
    back: u32,
    aggregate: u32,
    /// Whether the newest back pane may still grow, and is not in the aggregate.
    pending: bool,
    /// Position of the oldest pane, and the mark it was made with.
    pub(super) oldest_position: i64,
    pub(super) oldest_mark: i64,
}

impl Default for PaneQueue {
    fn default() -> Self {
        Self { front: NONE, back: NONE, aggregate: NONE, pending: false, oldest_position: 0, oldest_mark: 0 }
    }
}

impl PaneQueue {
    /// Whether the key has no records.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.front == NONE && self.back == NONE
    }
}

impl<K: WindowKernel> Panes<K> {
    pub(super) fn new(kernel: &K) -> Self {
        let mut panes = Self { accs: K::Accs::with_layout(kernel.layout("Accs")), panes: Vec::new(), free: Vec::new(), scratch: 0 };
        panes.scratch = panes.add();
        panes
    }

    /// A new pane, empty and in no queue.
    pub(super) fn add(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.panes.push(Pane { position: 0, mark: 0, next: NONE });
            self.accs.add() as u32
        })
    }

    /// Gives a pane back that is in no queue.
    pub(super) fn release(&mut self, pane: u32) {
        self.accs.reset(pane as usize);
        self.free.push(pane);
    }

    /// How many panes are in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.panes.len() - self.free.len() - 1
    }

    /// A pane's accumulator.
    #[inline(always)]
    pub(super) fn at(&self, pane: u32) -> &<K::Accs as Slots>::Slot {
        self.accs.at(pane as usize)
    }

    /// A pane's accumulator, to write.
    #[inline(always)]
    pub(super) fn at_mut(&mut self, pane: u32) -> &mut <K::Accs as Slots>::Slot {
        self.accs.at_mut(pane as usize)
    }

    /// The pane at `position` if it is the queue's newest and may still grow.
    #[inline(always)]
    pub(super) fn growing(&self, queue: &PaneQueue, position: i64) -> Option<u32> {
        (queue.pending && self.panes[queue.back as usize].position == position).then_some(queue.back)
    }

    /// Puts a pane at the queue's new end.
    pub(super) fn append(&mut self, kernel: &K, queue: &mut PaneQueue, pane: u32, position: i64, mark: i64) {
        self.settle(kernel, queue);
        if queue.is_empty() {
            (queue.oldest_position, queue.oldest_mark) = (position, mark);
        }
        self.panes[pane as usize] = Pane { position, mark, next: queue.back };
        queue.back = pane;
        queue.pending = true;
    }

    /// Takes a pending pane into the aggregate: it is complete.
    fn settle(&mut self, kernel: &K, queue: &mut PaneQueue) {
        if !queue.pending {
            return;
        }
        queue.pending = false;
        if queue.aggregate == NONE {
            queue.aggregate = self.add();
        }
        let (into, newer) = self.accs.pair(queue.aggregate as usize, queue.back as usize);
        kernel.merge(into, newer);
    }

    /// Where the aggregate of the whole queue, which is not empty, can be read until the next call.
    pub(super) fn total(&mut self, kernel: &K, queue: &mut PaneQueue) -> u32 {
        // A lone back pane stays out of the aggregate until another one comes, which may never happen.
        let lone = queue.pending && queue.aggregate == NONE;
        if !lone {
            self.settle(kernel, queue);
        }
        let back = if lone { queue.back } else { queue.aggregate };
        if back == NONE {
            return queue.front;
        }
        if queue.front == NONE {
            return back;
        }
        self.accs.copy(queue.front as usize, self.scratch as usize);
        let (into, newer) = self.accs.pair(self.scratch as usize, back as usize);
        kernel.merge(into, newer);
        self.scratch
    }

    /// Drops what [`Panes::total`] copied.
    pub(super) fn clear_scratch(&mut self) {
        self.accs.reset(self.scratch as usize);
    }

    /// Drops the panes below position `limit`.
    pub(super) fn evict(&mut self, kernel: &K, queue: &mut PaneQueue, limit: i64) {
        loop {
            if queue.front == NONE {
                if queue.back == NONE {
                    return;
                }
                self.turn(kernel, queue, limit);
                if queue.front == NONE {
                    return;
                }
            }
            let oldest = self.panes[queue.front as usize];
            if oldest.position >= limit {
                (queue.oldest_position, queue.oldest_mark) = (oldest.position, oldest.mark);
                return;
            }
            self.release(queue.front);
            queue.front = oldest.next;
        }
    }

    /// Makes the back the front: aggregates from the newest pane to the oldest at or above `limit`; older ones are dropped.
    fn turn(&mut self, kernel: &K, queue: &mut PaneQueue, limit: i64) {
        let (mut pane, mut newer) = (queue.back, NONE);
        while pane != NONE {
            let Pane { position, next: older, .. } = self.panes[pane as usize];
            if position < limit {
                self.release(pane);
            } else {
                if newer != NONE {
                    let (into, from) = self.accs.pair(pane as usize, newer as usize);
                    kernel.merge(into, from);
                }
                self.panes[pane as usize].next = newer;
                newer = pane;
            }
            pane = older;
        }
        if queue.aggregate != NONE {
            self.release(queue.aggregate);
        }
        (queue.front, queue.back, queue.aggregate, queue.pending) = (newer, NONE, NONE, false);
    }
}

/// The greatest common divisor of two positive numbers: the width of a pane for a size and a slide.
pub(super) fn common_width(mut a: i64, mut b: i64) -> i64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
