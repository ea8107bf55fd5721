//! The matcher: what an event does to the runs of its key, and what time does to all.

use std::collections::VecDeque;

use super::elements::Elements;
use super::runs::{NONE, Runs};
use super::spec::PatternSpec;
use crate::kernels::PatternKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// A match.
pub struct MatchFiring<'a, K: PatternKernel> {
    /// The completing event's time; the deadline, where an absence completes the match.
    pub ts: i64,
    /// The first event's time.
    pub first_ts: i64,
    /// The partition.
    pub key: &'a <K::Keys as Slots>::Slot,
    /// What the run kept.
    pub run: &'a <K::Runs as Slots>::Slot,
}

/// A timer of a run: it means something only while the run has the stamp.
#[derive(Clone, Copy, Debug)]
struct Timer {
    due: i64,
    run: u32,
    stamp: u32,
}

/// Matches a sequence with `next` selection. An event costs O(states) and what it moves; memory is bounded by the runs in the span.
pub struct PatternMatcher<K: PatternKernel> {
    kernel: K,
    spec: PatternSpec,
    keys: KeyTable<K>,
    runs: Runs,
    kept: K::Runs,
    elements: Elements<K::Elements>,
    /// Every run that can expire, in order of its first event; the number tells whether it is still the same run.
    expiring: VecDeque<(u32, u64)>,
    /// Per state: runs that must move on before a time.
    waiting: Vec<VecDeque<Timer>>,
    /// Matches of the event at hand: number, run, and whether the run ends.
    done: Vec<(u64, u32, bool)>,
    moved: Vec<u32>,
    /// Per step: where the event at hand stands in the log of shared elements, once it is there.
    lifted: Vec<Option<u64>>,
}

impl<K: PatternKernel> PatternMatcher<K> {
    /// A matcher without runs.
    pub fn new(kernel: K, spec: PatternSpec) -> Self {
        let states = spec.steps.len() + 1;
        Self {
            kernel,
            spec,
            keys: KeyTable::default(),
            runs: Runs::new(states),
            kept: K::Runs::empty(),
            elements: Elements::new(spec.steps.len()),
            expiring: VecDeque::new(),
            waiting: vec![VecDeque::new(); states],
            done: vec![],
            moved: vec![],
            lifted: vec![None; states],
        }
    }

    fn step(&self, step: usize) -> Option<super::spec::StepSpec> {
        self.spec.steps.get(step).copied()
    }

    /// Whether runs of a state share the elements of the Kleene step that they fill.
    fn shares(&self, state: u32) -> bool {
        state > 0 && self.step(state as usize - 1).is_some_and(|s| s.kleene && s.shared)
    }

    /// Ends a run and frees what only it held.
    fn end(&mut self, run: u32) {
        let (key, state) = (self.runs.get(run).key, self.runs.get(run).state);
        self.runs.close(run);
        self.after_leaving(key, state);
        if self.runs.live(key) == 0 {
            self.keys.remove(key);
        }
    }

    /// A run left a list: elements that no run of the list needs are freed.
    fn after_leaving(&mut self, key: u32, state: u32) {
        if self.shares(state) {
            let first = self.runs.first(key, state);
            let keep = (first != NONE).then(|| self.runs.get(first).start);
            self.elements.trim(key, state as usize - 1, keep);
        }
    }

    /// Ends the runs whose time was over before `ts`; those that only waited for an absence are reported.
    fn expire(&mut self, ts: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        let last = self.spec.steps.len() as u32;
        let waits = self.spec.waits_at_end();
        while let Some(&(run, number)) = self.expiring.front() {
            let header = *self.runs.get(run);
            if header.alive && header.number == number {
                let due = header.first_ts.saturating_add(self.spec.within);
                if due >= ts {
                    break;
                }
                if waits && header.state == last {
                    self.report(run, due, fire);
                }
                self.end(run);
            }
            self.expiring.pop_front();
        }
        for state in 0..self.waiting.len() {
            while let Some(timer) = self.waiting.get(state).and_then(|w| w.front()).copied().filter(|t| t.due < ts) {
                let header = self.runs.get(timer.run);
                if header.alive && header.stamp == timer.stamp {
                    self.end(timer.run);
                }
                if let Some(w) = self.waiting.get_mut(state) {
                    w.pop_front();
                }
            }
        }
    }

    fn report(&self, run: u32, ts: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        let header = self.runs.get(run);
        fire(MatchFiring { ts, first_ts: header.first_ts, key: self.keys.key(header.key), run: self.kept.at(run as usize) });
    }

    /// Starts the timer of the step that a run waits for, if the step has one.
    fn time(&mut self, run: u32) {
        let header = self.runs.get(run);
        let (state, stamp, previous) = (header.state as usize, header.stamp, header.previous_ts);
        if let Some(within) = self.step(state).map(|s| s.within).filter(|w| *w != i64::MAX)
            && let Some(w) = self.waiting.get_mut(state)
        {
            w.push_back(Timer { due: previous.saturating_add(within), run, stamp });
        }
    }

    /// What the event does to the runs of one state. `mask`: which steps and absences it satisfies by itself.
    fn meet(&mut self, key: u32, state: u32, mask: u64, ts: i64, row: K::Row<'_>, error: &mut Option<Refusal>) {
        let at = state as usize;
        if self.step(at).is_some() && mask >> at & 1 == 1 {
            if self.shares(state) {
                self.complete_shared(key, state);
            }
            self.take_step(key, state, ts, row, error);
        }
        // Whoever took the step has left the list. What remains may be extended, or killed.
        if self.runs.first(key, state) == NONE {
            return;
        }
        self.moved.clear();
        if at > 0 && self.step(at - 1).is_some_and(|s| s.kleene) && mask >> (at - 1) & 1 == 1 && self.extend(key, state, ts, row, error) {
            return;
        }
        self.kill(key, state, mask, row, error);
    }

    /// Runs take the step that they wait for.
    fn take_step(&mut self, key: u32, state: u32, ts: i64, row: K::Row<'_>, error: &mut Option<Refusal>) {
        let step = state as usize;
        let Some(spec) = self.step(step) else { return };
        let mut run = self.runs.first(key, state);
        while run != NONE {
            let next = self.runs.after(run);
            if spec.correlated {
                match self.kernel.fits(step, row, self.kept.at(run as usize)) {
                    Ok(true) => {}
                    Ok(false) => {
                        run = next;
                        continue;
                    }
                    Err(refusal) => {
                        error.get_or_insert(refusal);
                        run = next;
                        continue;
                    }
                }
            }
            match self.keep(step, run, key, row) {
                Ok(()) => self.pass(run, state, ts),
                Err(refusal) => {
                    error.get_or_insert(refusal);
                }
            }
            run = next;
        }
    }

    /// Keeps what a run needs of the event that takes a step.
    fn keep(&mut self, step: usize, run: u32, key: u32, row: K::Row<'_>) -> Result<(), Refusal> {
        match self.step(step) {
            Some(s) if s.kleene && s.shared => {
                self.runs.get_mut(run).start = self.lift(step, key, row)?;
                Ok(())
            }
            Some(s) if s.kleene => self.kernel.extend(step, row, self.kept.at_mut(run as usize)),
            _ => self.kernel.capture(step, row, self.kept.at_mut(run as usize)),
        }
    }

    /// Makes an element of the event, once: all runs that fill the step have it in common.
    fn lift(&mut self, step: usize, key: u32, row: K::Row<'_>) -> Result<u64, Refusal> {
        if let Some(Some(position)) = self.lifted.get(step) {
            return Ok(*position);
        }
        let slot = self.elements.fresh();
        match self.kernel.lift(step, row, self.elements.slots.at_mut(slot as usize)) {
            Ok(()) => {
                let position = self.elements.append(key, step, slot);
                if let Some(lifted) = self.lifted.get_mut(step) {
                    *lifted = Some(position);
                }
                Ok(position)
            }
            Err(refusal) => {
                self.elements.give_back(slot);
                Err(refusal)
            }
        }
    }

    /// A run has taken the step of its state.
    fn pass(&mut self, run: u32, state: u32, ts: i64) {
        let key = self.runs.get(run).key;
        self.runs.advance(run, state + 1, ts);
        self.after_leaving(key, state);
        self.time(run);
        let last = self.spec.steps.len() as u32;
        if state + 1 == last && !self.spec.waits_at_end() {
            let goes_on = self.step(state as usize).is_some_and(|s| s.kleene);
            self.done.push((self.runs.get(run).number, run, !goes_on));
        }
    }

    /// Gives every run that fills a shared Kleene step its elements, from the newest run to the oldest: each suffix is made once.
    fn complete_shared(&mut self, key: u32, state: u32) {
        let step = state as usize - 1;
        let mut run = self.runs.last(key, state);
        if run == NONE {
            return;
        }
        let suffix = self.elements.fresh();
        let mut position = self.elements.end(key, step);
        while run != NONE {
            let start = self.runs.get(run).start;
            while position > start {
                position -= 1;
                if let Some(slot) = self.elements.at(key, step, position) {
                    let (write, read) = self.elements.slots.pair(suffix as usize, slot as usize);
                    self.kernel.prepend(step, write, read);
                }
            }
            self.kernel.absorb(step, self.kept.at_mut(run as usize), self.elements.slots.at(suffix as usize));
            run = self.runs.before(run);
        }
        self.elements.give_back(suffix);
    }

    /// Runs that fill a Kleene step take the event as a further element. Returns whether all of them did.
    fn extend(&mut self, key: u32, state: u32, ts: i64, row: K::Row<'_>, error: &mut Option<Refusal>) -> bool {
        let step = state as usize - 1;
        let Some(spec) = self.step(step) else { return false };
        let last = self.spec.steps.len() as u32;
        if spec.shared {
            if let Err(refusal) = self.lift(step, key, row) {
                error.get_or_insert(refusal);
                return false;
            }
            return true;
        }
        let mut run = self.runs.first(key, state);
        let mut all = true;
        while run != NONE {
            let next = self.runs.after(run);
            let fits = if spec.correlated { self.kernel.fits(step, row, self.kept.at(run as usize)) } else { Ok(true) };
            let taken = fits.and_then(|fits| if fits { self.kernel.extend(step, row, self.kept.at_mut(run as usize)).map(|()| true) } else { Ok(false) });
            match taken {
                Ok(true) => {
                    let header = self.runs.get_mut(run);
                    header.previous_ts = ts;
                    header.stamp = header.stamp.wrapping_add(1);
                    let number = header.number;
                    self.time(run);
                    self.moved.push(run);
                    if state == last && !self.spec.waits_at_end() {
                        self.done.push((number, run, false));
                    }
                }
                Ok(false) => all = false,
                Err(refusal) => {
                    error.get_or_insert(refusal);
                    all = false;
                }
            }
            run = next;
        }
        all
    }

    /// Absences end the runs for which the event should not have come; an element of a run does not.
    fn kill(&mut self, key: u32, state: u32, mask: u64, row: K::Row<'_>, error: &mut Option<Refusal>) {
        let steps = self.spec.steps.len();
        for (at, negation) in self.spec.negations.iter().enumerate() {
            if !(negation.whole || negation.after + 1 == state as usize) || mask >> (steps + at) & 1 == 0 {
                continue;
            }
            let mut run = self.runs.first(key, state);
            while run != NONE {
                let next = self.runs.after(run);
                let spared = !self.moved.is_empty() && self.moved.contains(&run);
                let kills = if negation.correlated { self.kernel.kills(at, row, self.kept.at(run as usize)) } else { Ok(true) };
                match kills {
                    Ok(true) if !spared => self.end_of_key(run),
                    Ok(_) => {}
                    Err(refusal) => {
                        error.get_or_insert(refusal);
                    }
                }
                run = next;
            }
        }
    }

    /// Ends a run but leaves its key in place: the event at hand may open another.
    fn end_of_key(&mut self, run: u32) {
        let (key, state) = (self.runs.get(run).key, self.runs.get(run).state);
        self.runs.close(run);
        self.after_leaving(key, state);
    }

    /// The event opens a run.
    fn open(&mut self, key: u32, ts: i64, row: K::Row<'_>, error: &mut Option<Refusal>) {
        let run = self.runs.open(key, 0, ts);
        if self.kept.len() <= run as usize {
            self.kept.add();
        } else {
            self.kept.reset(run as usize);
        }
        match self.keep(0, run, key, row) {
            Ok(()) => {
                let number = self.runs.get(run).number;
                self.pass(run, 0, ts);
                if self.spec.within != i64::MAX {
                    self.expiring.push_back((run, number));
                }
            }
            Err(refusal) => {
                error.get_or_insert(refusal);
                self.end_of_key(run);
            }
        }
    }

    /// Reports the matches of the event, oldest first event first.
    fn settle(&mut self, ts: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        if self.done.len() > 1 && !self.done.is_sorted() {
            self.done.sort_unstable();
        }
        let mut done = std::mem::take(&mut self.done);
        for &(_, run, ends) in &done {
            self.report(run, ts, fire);
            if ends {
                self.end_of_key(run);
            }
        }
        done.clear();
        self.done = done;
    }

    /// Drops timers of runs that are gone, so that the queue's front is a live run.
    fn clean(&mut self) {
        while let Some(&(run, number)) = self.expiring.front() {
            let header = self.runs.get(run);
            if header.alive && header.number == number {
                break;
            }
            self.expiring.pop_front();
        }
    }
}

impl<K: PatternKernel + 'static> Operator for PatternMatcher<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = MatchFiring<'a, K>;

    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(MatchFiring<'_, K>)) -> Result<(), Refusal> {
        let mask = self.kernel.classify(row)?;
        if mask == 0 || !self.kernel.has_key(row) {
            return Ok(());
        }
        self.expire(ts, fire);
        let opens = mask & 1 == 1;
        let key = if opens {
            let (key, new) = self.keys.find_or_add(&self.kernel, row);
            if new {
                self.runs.admit(key);
            }
            key
        } else {
            match self.keys.find(&self.kernel, row) {
                Some(key) => key,
                None => return Ok(()),
            }
        };
        let mut error = None;
        self.lifted.fill(None);
        // From the last state to the first, so that no run takes two steps with one event.
        for state in (1..=self.spec.steps.len() as u32).rev() {
            if self.runs.first(key, state) != NONE {
                self.meet(key, state, mask, ts, row, &mut error);
            }
        }
        if opens {
            self.open(key, ts, row, &mut error);
        }
        self.settle(ts, fire);
        if self.runs.live(key) == 0 {
            self.keys.remove(key);
        }
        self.clean();
        error.map_or(Ok(()), Err)
    }

    fn deadline(&self) -> i64 {
        if !self.spec.waits_at_end() {
            return i64::MAX;
        }
        self.expiring.front().map_or(i64::MAX, |(run, _)| self.runs.get(*run).first_ts.saturating_add(self.spec.within).saturating_add(1))
    }

    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        self.expire(watermark, fire);
        self.clean();
    }
}
