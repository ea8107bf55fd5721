//! Shared elements of Kleene steps: each is kept once per key, and every run remembers where its own begin.
//!
//! Invariant: a log is empty, or begins with the first element of the oldest run that fills its step.
#![expect(clippy::indexing_slicing, reason = "logs and elements are this structure's own indices")]

use std::sync::Arc;

use varpulis_abi::layout::RecordLayout;

use super::links::{Link, List, NONE};
use super::spec::StepSpec;
use crate::state::Slots;

/// The slot in which suffixes are put together.
const SUFFIX: usize = 0;

/// The logs of all keys, and the slots that they share.
#[derive(Debug)]
pub(super) struct Elements<S: Slots> {
    slots: S,
    links: Vec<Link>,
    free: Vec<u32>,
    /// One per key and shared step.
    logs: Vec<List>,
    /// Which of the shared steps a step is.
    order: Vec<usize>,
    /// How many steps are shared.
    shared: usize,
    /// How many events there were.
    events: u64,
    /// Per shared step: the newest element, and the event that became it.
    lifted: Vec<(u64, u32)>,
}

impl<S: Slots> Elements<S> {
    /// For a pattern with these steps.
    pub(super) fn new(steps: &[StepSpec], layout: Option<&Arc<RecordLayout>>) -> Self {
        let order = steps.iter().scan(0, |next, step| Some(std::mem::replace(next, *next + usize::from(step.shared)))).collect();
        let shared = steps.iter().filter(|step| step.shared).count();
        let mut slots = S::with_layout(layout);
        slots.add();
        Self { slots, links: vec![Link::ALONE], free: vec![], logs: vec![], order, shared, events: 0, lifted: vec![(0, NONE); shared] }
    }

    /// Makes room for a key.
    #[inline(always)]
    pub(super) fn admit(&mut self, key: u32) {
        let need = (key as usize + 1) * self.shared;
        if self.logs.len() < need {
            self.logs.resize(need, List::EMPTY);
        }
    }

    /// Another event is at hand.
    #[inline(always)]
    pub(super) fn begin(&mut self) {
        self.events += 1;
    }

    #[inline(always)]
    fn at(&self, key: u32, step: usize) -> usize {
        key as usize * self.shared + self.order[step]
    }

    /// The element that the event at hand becomes: made once, by `lift`, and put at the end of the log.
    ///
    /// # Errors
    /// What `lift` says; then nothing is added.
    #[inline(always)]
    pub(super) fn lift<E>(&mut self, key: u32, step: usize, lift: impl FnOnce(&mut S::Slot) -> Result<(), E>) -> Result<u32, E> {
        let (event, newest) = self.lifted[self.order[step]];
        if event == self.events {
            return Ok(newest);
        }
        let element = match self.free.pop() {
            Some(element) => element,
            None => {
                self.links.push(Link::ALONE);
                self.slots.add() as u32
            }
        };
        if let Err(error) = lift(self.slots.at_mut(element as usize)) {
            self.give_back(element);
            return Err(error);
        }
        let log = self.at(key, step);
        self.logs[log].push(&mut self.links, element);
        self.lifted[self.order[step]] = (self.events, element);
        Ok(element)
    }

    /// A slot without an owner is fresh: what it held is freed.
    #[inline(always)]
    fn give_back(&mut self, element: u32) {
        self.slots.reset(element as usize);
        self.free.push(element);
    }

    /// Frees the elements before `start`; all of them if it is `NONE`.
    #[inline(always)]
    pub(super) fn trim(&mut self, key: u32, step: usize, start: u32) {
        let log = self.at(key, step);
        let mut first = self.logs[log].first;
        while first != start && first != NONE {
            let after = self.links[first as usize].after;
            self.give_back(first);
            first = after;
        }
        match first {
            NONE => self.logs[log] = List::EMPTY,
            first => {
                self.links[first as usize].before = NONE;
                self.logs[log].first = first;
            }
        }
    }

    /// Starts at the newest element and puts suffixes together towards older ones.
    #[inline(always)]
    pub(super) fn suffixes(&mut self, key: u32, step: usize) -> Suffixes<'_, S> {
        let newest = self.logs[self.at(key, step)].last;
        Suffixes { elements: self, next: newest, reached: NONE }
    }

    /// How many elements are kept.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.slots.len() - 1 - self.free.len()
    }
}

/// The suffixes of a log, each made out of the next shorter one.
pub(super) struct Suffixes<'e, S: Slots> {
    elements: &'e mut Elements<S>,
    /// The element to put in front next.
    next: u32,
    /// The suffix's first element.
    reached: u32,
}

impl<S: Slots> Suffixes<'_, S> {
    /// The suffix from an element on, which is not newer than the one asked for before.
    #[inline(always)]
    pub(super) fn reach(&mut self, start: u32, mut prepend: impl FnMut(&mut S::Slot, &S::Slot)) -> &S::Slot {
        let slots = &mut self.elements.slots;
        while self.reached != start && self.next != NONE {
            let element = self.next as usize;
            if self.reached == NONE {
                slots.copy(element, SUFFIX);
            } else {
                let (suffix, older) = slots.pair(SUFFIX, element);
                prepend(suffix, older);
            }
            self.reached = self.next;
            self.next = self.elements.links[element].before;
        }
        slots.at(SUFFIX)
    }
}
