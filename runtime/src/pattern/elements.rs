//! Shared elements of Kleene steps: each is kept once per key, and every run remembers where its own begin.

use std::collections::VecDeque;

use crate::state::Slots;

/// The elements of one Kleene step for one key, oldest first.
#[derive(Debug, Default)]
struct Log {
    /// The position of the first element kept.
    base: u64,
    slots: VecDeque<u32>,
}

/// The logs of all keys, and the slots they share.
#[derive(Debug)]
pub(super) struct Elements<S: Slots> {
    pub(super) slots: S,
    free: Vec<u32>,
    logs: Vec<Log>,
    steps: usize,
}

impl<S: Slots> Elements<S> {
    /// For a pattern with that many steps.
    pub(super) fn new(steps: usize) -> Self {
        Self { slots: S::empty(), free: vec![], logs: vec![], steps }
    }

    /// A fresh slot, in no log yet.
    pub(super) fn fresh(&mut self) -> u32 {
        match self.free.pop() {
            Some(slot) => {
                self.slots.reset(slot as usize);
                slot
            }
            None => self.slots.add() as u32,
        }
    }

    /// Gives a slot back.
    pub(super) fn give_back(&mut self, slot: u32) {
        self.free.push(slot);
    }

    fn log(&mut self, key: u32, step: usize) -> &mut Log {
        let at = key as usize * self.steps + step;
        if self.logs.len() <= at {
            self.logs.resize_with(at + 1, Log::default);
        }
        #[expect(clippy::indexing_slicing, reason = "resized above")]
        &mut self.logs[at]
    }

    /// Adds an element and returns its position.
    pub(super) fn append(&mut self, key: u32, step: usize, slot: u32) -> u64 {
        let log = self.log(key, step);
        log.slots.push_back(slot);
        log.base + log.slots.len() as u64 - 1
    }

    /// One past the newest element's position.
    pub(super) fn end(&mut self, key: u32, step: usize) -> u64 {
        let log = self.log(key, step);
        log.base + log.slots.len() as u64
    }

    /// The slot of a position.
    pub(super) fn at(&mut self, key: u32, step: usize, position: u64) -> Option<u32> {
        let log = self.log(key, step);
        log.slots.get(usize::try_from(position.checked_sub(log.base)?).ok()?).copied()
    }

    /// Frees what lies before a position; `None` frees all.
    pub(super) fn trim(&mut self, key: u32, step: usize, keep_from: Option<u64>) {
        let mut freed = std::mem::take(&mut self.free);
        let log = self.log(key, step);
        while keep_from.is_none_or(|from| log.base < from) {
            let Some(slot) = log.slots.pop_front() else { break };
            log.base += 1;
            freed.push(slot);
        }
        self.free = freed;
    }
}
