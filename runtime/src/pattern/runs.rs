//! Runs: headers in an array, linked into one list per key and state.
//!
//! Invariant: a run in use is in the list that it names, but for the moments in which an event moves it.
#![expect(clippy::indexing_slicing, reason = "runs and keys are this structure's own indices")]

use super::links::{Link, Linked, List, NONE};

/// The number of a run that is not in use.
const UNUSED: u64 = u64::MAX;

/// A run, but for what it keeps of events: 32 bytes, so that many fit the cache.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// In order of creation.
    number: u64,
    first_ts: i64,
    link: Link,
    /// Its list, or the one that it goes to: this is its key and its state.
    list: u32,
    /// The first of its shared Kleene elements.
    start: u32,
}

impl Linked for Run {
    #[inline(always)]
    fn link(&self) -> Link {
        self.link
    }
    #[inline(always)]
    fn link_mut(&mut self) -> &mut Link {
        &mut self.link
    }
}

/// All runs of a pattern.
#[derive(Debug)]
pub(super) struct Runs {
    headers: Vec<Run>,
    free: Vec<u32>,
    /// One per key and state.
    lists: Vec<List>,
    /// How many states there are in which runs wait: 1, 2, and so on.
    states: usize,
    created: u64,
}

impl Runs {
    /// For a pattern whose runs wait in states 1 to `states`.
    pub(super) fn new(states: usize) -> Self {
        Self { headers: vec![], free: vec![], lists: vec![], states, created: 0 }
    }

    /// In how many states runs wait.
    #[inline(always)]
    pub(super) fn states(&self) -> usize {
        self.states
    }

    /// How many runs are in use.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.headers.len() - self.free.len()
    }

    /// The run's place in the order of creation.
    #[inline(always)]
    pub(super) fn number(&self, run: u32) -> u64 {
        self.headers[run as usize].number
    }

    /// When its first event came.
    #[inline(always)]
    pub(super) fn first_ts(&self, run: u32) -> i64 {
        self.headers[run as usize].first_ts
    }

    /// Its key, and how many steps it has taken; the last of them may be a Kleene step that it still fills.
    #[inline(always)]
    pub(super) fn key_and_state(&self, run: u32) -> (u32, usize) {
        let list = self.headers[run as usize].list as usize;
        ((list / self.states) as u32, list % self.states + 1)
    }

    /// Says which list the run goes to.
    #[inline(always)]
    pub(super) fn set_state(&mut self, run: u32, key: u32, state: usize) {
        self.headers[run as usize].list = self.at(key, state) as u32;
    }

    /// The first of the run's shared elements.
    #[inline(always)]
    pub(super) fn start(&self, run: u32) -> u32 {
        self.headers[run as usize].start
    }

    /// Sets it.
    #[inline(always)]
    pub(super) fn set_start(&mut self, run: u32, start: u32) {
        self.headers[run as usize].start = start;
    }

    /// Whether the run is still the one with this number.
    #[inline(always)]
    pub(super) fn is(&self, run: u32, number: u64) -> bool {
        self.headers[run as usize].number == number
    }

    /// Makes room for a key.
    #[inline(always)]
    pub(super) fn admit(&mut self, key: u32) {
        let need = (key as usize + 1) * self.states;
        if self.lists.len() < need {
            self.lists.resize(need, List::EMPTY);
        }
    }

    #[inline(always)]
    fn at(&self, key: u32, state: usize) -> usize {
        key as usize * self.states + state - 1
    }

    /// The runs of a key in a state.
    #[inline(always)]
    pub(super) fn list(&self, key: u32, state: usize) -> List {
        self.lists[self.at(key, state)]
    }

    /// Replaces a list.
    #[inline(always)]
    pub(super) fn set_list(&mut self, key: u32, state: usize, list: List) {
        let at = self.at(key, state);
        self.lists[at] = list;
    }

    /// Adds a run to a list that is being made.
    #[inline(always)]
    pub(super) fn link(&mut self, list: &mut List, run: u32) {
        list.push(&mut self.headers, run);
    }

    /// Adds runs behind those of a key in a state.
    #[inline(always)]
    pub(super) fn append(&mut self, key: u32, state: usize, tail: List) {
        if !tail.is_empty() {
            let at = self.at(key, state);
            self.lists[at].append(&mut self.headers, tail);
        }
    }

    /// Takes a run out of its list.
    pub(super) fn unlink(&mut self, run: u32) {
        let list = self.headers[run as usize].list as usize;
        self.lists[list].remove(&mut self.headers, run);
    }

    #[inline(always)]
    pub(super) fn after(&self, run: u32) -> u32 {
        self.headers[run as usize].link.after
    }

    #[inline(always)]
    pub(super) fn before(&self, run: u32) -> u32 {
        self.headers[run as usize].link.before
    }

    /// Whether a key has no runs.
    #[inline(always)]
    pub(super) fn is_idle(&self, key: u32) -> bool {
        let from = key as usize * self.states;
        self.lists[from..from + self.states].iter().all(|list| list.is_empty())
    }

    /// Makes a run, in no list yet. Its index may have belonged to an earlier one.
    #[inline(always)]
    pub(super) fn open(&mut self, ts: i64) -> u32 {
        let run = Run { number: self.created, first_ts: ts, link: Link::ALONE, list: NONE, start: NONE };
        self.created += 1;
        if let Some(id) = self.free.pop() {
            self.headers[id as usize] = run;
            return id;
        }
        self.headers.push(run);
        (self.headers.len() - 1) as u32
    }

    /// Gives up a run that is in no list.
    #[inline(always)]
    pub(super) fn free(&mut self, run: u32) {
        self.headers[run as usize].number = UNUSED;
        self.free.push(run);
    }
}
