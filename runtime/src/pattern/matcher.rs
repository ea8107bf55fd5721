//! The matcher: what an event does to the runs of its key, and what time does to all.
#![expect(clippy::indexing_slicing, reason = "there is one state, and one queue of timers, per number of steps taken")]

use super::elements::Elements;
use super::expiry::{Timer, Timers, Until};
use super::links::{List, NONE};
use super::runs::Runs;
use super::spec::{NegationSpec, PatternSpec, State, StepSpec};
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

/// The event at hand.
struct Event<'a, K: PatternKernel> {
    ts: i64,
    row: K::Row<'a>,
    /// Which steps and absences it satisfies by itself.
    mask: u64,
    /// The refusal of its own conditions, or of the oldest run that refused it, with the run's number.
    refused: Option<(u64, Refusal)>,
    /// Whether it left a run behind that was not there before: then its key stays.
    opened: bool,
}

impl<K: PatternKernel> Event<'_, K> {
    #[cold]
    fn refuse(&mut self, number: u64, refusal: Refusal) {
        if self.refused.is_none_or(|(oldest, _)| number < oldest) {
            self.refused = Some((number, refusal));
        }
    }
}

/// What an event does to a run.
enum Effect {
    None,
    Takes,
    Extends,
    Ends,
}

/// A match of the event at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Match {
    number: u64,
    run: u32,
    /// Whether the run is over; one that fills a Kleene step at the end goes on.
    ends: bool,
}

/// Matches a sequence with `next` selection.
///
/// An event costs O(states) and the runs that it moves, ends, or must be compared with one by one because a condition looks at them; expiry
/// costs the runs that expire. Memory is O(runs in the span), keys without runs are forgotten.
pub struct PatternMatcher<K: PatternKernel> {
    kernel: K,
    steps: Box<[StepSpec]>,
    negations: Box<[NegationSpec]>,
    /// The longest time from the first event of a match to its last, in ns; `i64::MAX`: none.
    within: i64,
    states: Vec<State>,
    /// The steps and absences that are asked by themselves.
    fallible: u64,
    waits_at_end: bool,
    keys: KeyTable<K>,
    runs: Runs,
    kept: K::Runs,
    elements: Elements<K::Elements>,
    /// Every run that can expire, in the order of first events.
    spans: Timers,
    /// Per state: runs that must move on before a time.
    limits: Vec<Timers>,
    /// Per run: when it must have moved on, if its state has a limit.
    due: Vec<i64>,
    matches: Vec<Match>,
}

impl<K: PatternKernel> PatternMatcher<K> {
    /// A matcher without runs. A pattern has 64 steps and absences at most.
    pub fn new(kernel: K, spec: PatternSpec) -> Self {
        let states = spec.states();
        let waits_at_end = spec.waits_at_end();
        let stays = waits_at_end || spec.steps.last().is_some_and(|step| step.kleene);
        let waiting = if stays { spec.steps.len() } else { spec.steps.len().saturating_sub(1) };
        let (keys, elements) = (KeyTable::new(&kernel), Elements::new(&spec.steps, kernel.layout("Elements")));
        let kept = K::Runs::with_layout(kernel.layout("Runs"));
        let fallible = spec.fallible();
        let limited = states.iter().any(|state| state.within != i64::MAX);
        Self {
            kernel,
            steps: spec.steps.into(),
            negations: spec.negations.into(),
            within: spec.within,
            fallible,
            waits_at_end,
            keys,
            runs: Runs::new(waiting),
            kept,
            elements,
            spans: Timers::new(),
            limits: if limited { states.iter().map(|_| Timers::new()).collect() } else { vec![] },
            due: vec![],
            states,
            matches: vec![],
        }
    }

    #[inline(always)]
    fn is_last(&self, state: usize) -> bool {
        state == self.steps.len()
    }

    /// Ends the runs whose time is over; those that only waited for an absence are reported.
    #[inline(always)]
    fn expire(&mut self, until: Until, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        while let Some(timer) = self.spans.take_due(until) {
            self.expire_span(timer, fire);
        }
        if !self.limits.is_empty() {
            self.expire_limits(until);
        }
    }

    #[inline(never)]
    fn expire_limits(&mut self, until: Until) {
        for state in 0..self.limits.len() {
            while let Some(timer) = self.limits[state].take_due(until) {
                if counts_in(&self.runs, &self.due, state, &timer) {
                    self.end(timer.run);
                }
            }
        }
    }

    #[inline(never)]
    fn expire_span(&mut self, Timer { due, number, run }: Timer, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        if !self.runs.is(run, number) {
            return;
        }
        if self.waits_at_end && self.is_last(self.runs.key_and_state(run).1) {
            self.report(self.runs.key_and_state(run).0, run, due, fire);
        }
        self.end(run);
    }

    /// Ends a run and frees what only it held.
    fn end(&mut self, run: u32) {
        let (key, state) = self.runs.key_and_state(run);
        self.runs.unlink(run);
        self.runs.free(run);
        self.trim(key, state);
        self.forget_if_idle(key);
    }

    /// Runs left a list: elements that no run of the list needs are freed.
    #[inline(always)]
    fn trim(&mut self, key: u32, state: usize) {
        if self.states[state].shared {
            let oldest = self.runs.list(key, state).first;
            let start = if oldest == NONE { NONE } else { self.runs.start(oldest) };
            self.elements.trim(key, state - 1, start);
        }
    }

    #[inline(always)]
    fn forget_if_idle(&mut self, key: u32) {
        if self.runs.is_idle(key) {
            self.keys.remove(key);
        }
    }

    #[inline(always)]
    fn report(&self, key: u32, run: u32, ts: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        fire(MatchFiring { ts, first_ts: self.runs.first_ts(run), key: self.keys.key(key), run: self.kept.at(run as usize) });
    }

    /// Asks the steps and absences whose own condition may refuse the event: which of them it satisfies, and the first refusal. One that refuses
    /// is not satisfied.
    #[inline(never)]
    fn ask(&self, open: u64, row: K::Row<'_>) -> (u64, Option<Refusal>) {
        let (mut satisfied, mut first) = (0, None);
        let mut rest = open;
        while rest != 0 {
            let at = rest.trailing_zeros();
            rest &= rest - 1;
            match self.kernel.satisfies(at as usize, row) {
                Ok(true) => satisfied |= 1 << at,
                Ok(false) => {}
                Err(refusal) => first = first.or(Some(refusal)),
            }
        }
        (satisfied, first)
    }

    /// Shows the event to the runs of a key in a state.
    fn meet(&mut self, key: u32, state: usize, event: &mut Event<'_, K>) {
        let runs = self.runs.list(key, state);
        if runs.is_empty() {
            return;
        }
        let plan = self.states[state];
        let takes = event.mask & plan.take != 0;
        if plan.shared && !takes && event.mask & plan.extend != 0 {
            if let Err(refusal) = self.lift(key, state - 1, event.row) {
                self.refuse_for_all(runs, refusal, event);
            }
            return;
        }
        if plan.shared && takes {
            self.absorb(key, state);
        }
        let (mut left, mut moved) = (List::EMPTY, List::EMPTY);
        let mut run = runs.first;
        while run != NONE {
            let next = self.runs.after(run);
            match self.affect(key, run, state, plan, event) {
                Ok(Effect::Takes) => {
                    if self.arrive(key, run, state + 1, event.ts) {
                        self.runs.link(&mut moved, run);
                    }
                }
                Ok(Effect::Extends) => {
                    self.arrive(key, run, state, event.ts);
                    self.runs.link(&mut left, run);
                }
                Ok(Effect::None) => self.runs.link(&mut left, run),
                Ok(Effect::Ends) => self.runs.free(run),
                Err(refusal) => {
                    event.refuse(self.runs.number(run), refusal);
                    self.runs.link(&mut left, run);
                }
            }
            run = next;
        }
        self.runs.set_list(key, state, left);
        if !moved.is_empty() {
            self.runs.append(key, state + 1, moved);
        }
        self.trim(key, state);
    }

    /// What the event does to a run, in the order of precedence; the run keeps what it needs of the event.
    #[inline(always)]
    fn affect(&mut self, key: u32, run: u32, state: usize, plan: State, event: &Event<'_, K>) -> Result<Effect, Refusal> {
        let slot = run as usize;
        if event.mask & plan.take != 0 && (!plan.take_asks || self.kernel.fits(state, event.row, self.kept.at(slot))?) {
            self.keep(state, key, run, event.row)?;
            return Ok(Effect::Takes);
        }
        if event.mask & plan.extend != 0 && (!plan.extend_asks || self.kernel.fits(state - 1, event.row, self.kept.at(slot))?) {
            self.kernel.extend(state - 1, event.row, self.kept.at_mut(slot))?;
            return Ok(Effect::Extends);
        }
        if event.mask & plan.kill != 0 && self.is_killed(slot, event.mask & plan.kill, event.row)? {
            return Ok(Effect::Ends);
        }
        Ok(Effect::None)
    }

    /// Whether one of these absences forbids the event to the run.
    #[inline(never)]
    fn is_killed(&self, slot: usize, active: u64, row: K::Row<'_>) -> Result<bool, Refusal> {
        let steps = self.steps.len();
        for (at, negation) in self.negations.iter().enumerate() {
            if active >> (steps + at) & 1 == 1 && (!negation.correlated || self.kernel.kills(at, row, self.kept.at(slot))?) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Keeps what a run needs of the event that takes a step.
    #[inline(always)]
    fn keep(&mut self, step: usize, key: u32, run: u32, row: K::Row<'_>) -> Result<(), Refusal> {
        match self.steps[step] {
            spec if spec.shared => {
                let start = self.lift(key, step, row)?;
                self.runs.set_start(run, start);
                Ok(())
            }
            spec if spec.kleene => self.kernel.extend(step, row, self.kept.at_mut(run as usize)),
            _ => self.kernel.capture(step, row, self.kept.at_mut(run as usize)),
        }
    }

    /// The element that the event becomes, for all runs that fill the step.
    #[inline(always)]
    fn lift(&mut self, key: u32, step: usize, row: K::Row<'_>) -> Result<u32, Refusal> {
        let kernel = &self.kernel;
        self.elements.lift(key, step, |element| kernel.lift(step, row, element))
    }

    #[cold]
    #[inline(never)]
    fn refuse_for_all(&self, runs: List, refusal: Refusal, event: &mut Event<'_, K>) {
        let mut run = runs.first;
        while run != NONE {
            event.refuse(self.runs.number(run), refusal);
            run = self.runs.after(run);
        }
    }

    /// Gives every run that fills a shared Kleene step its elements, from the newest run to the oldest: each suffix is made once.
    fn absorb(&mut self, key: u32, state: usize) {
        let (kernel, step) = (&self.kernel, state - 1);
        let mut suffixes = self.elements.suffixes(key, step);
        let mut run = self.runs.list(key, state).last;
        while run != NONE {
            let suffix = suffixes.reach(self.runs.start(run), |suffix, older| kernel.prepend(step, suffix, older));
            kernel.absorb(step, self.kept.at_mut(run as usize), suffix);
            run = self.runs.before(run);
        }
    }

    /// A run has just taken an event and is in a state now. Returns whether it waits there.
    #[inline(always)]
    fn arrive(&mut self, key: u32, run: u32, state: usize, ts: i64) -> bool {
        if self.is_last(state) && !self.waits_at_end {
            let ends = self.states[state].extend == 0;
            self.matches.push(Match { number: self.runs.number(run), run, ends });
            if ends {
                return false;
            }
        }
        self.runs.set_state(run, key, state);
        if self.states[state].within != i64::MAX {
            self.limit(run, state, ts);
        }
        true
    }

    /// Starts the timer of the step that a run waits for.
    #[inline(never)]
    fn limit(&mut self, run: u32, state: usize, ts: i64) {
        let due = ts.saturating_add(self.states[state].within);
        if self.due.len() <= run as usize {
            self.due.resize(run as usize + 1, i64::MAX);
        }
        self.due[run as usize] = due;
        let timer = Timer { due, number: self.runs.number(run), run };
        let (runs, dues) = (&self.runs, &self.due);
        self.limits[state].set(timer, |timer| counts_in(runs, dues, state, timer));
    }

    /// The event opens a run.
    #[inline(always)]
    fn open(&mut self, key: u32, event: &mut Event<'_, K>) {
        let ts = event.ts;
        let run = self.runs.open(ts);
        if self.kept.len() <= run as usize {
            self.kept.add();
        } else {
            self.kept.reset(run as usize);
        }
        let number = self.runs.number(run);
        if let Err(refusal) = self.keep(0, key, run, event.row) {
            event.refuse(number, refusal);
            self.runs.free(run);
        } else if self.arrive(key, run, 1, ts) {
            let mut alone = List::EMPTY;
            self.runs.link(&mut alone, run);
            self.runs.append(key, 1, alone);
            event.opened = true;
            if self.within != i64::MAX || self.waits_at_end {
                let runs = &self.runs;
                self.spans.set(Timer { due: ts.saturating_add(self.within), number, run }, |timer| runs.is(timer.run, timer.number));
            }
        }
    }

    /// Reports the matches of the event, oldest run first: so the oldest first event comes first.
    #[inline(always)]
    fn report_matches(&mut self, key: u32, ts: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        if self.matches.is_empty() {
            return;
        }
        // Runs overtake each other only where a condition looks at them.
        if !self.matches.is_sorted() {
            self.matches.sort_unstable();
        }
        for at in 0..self.matches.len() {
            let Match { run, ends, .. } = self.matches[at];
            self.report(key, run, ts, fire);
            if ends {
                self.runs.free(run);
            }
        }
        self.matches.clear();
    }

    /// The front of the queue tells the deadline, where there is one.
    #[inline(always)]
    fn settle(&mut self) {
        if self.waits_at_end {
            let runs = &self.runs;
            self.spans.settle(|timer| runs.is(timer.run, timer.number));
        }
    }

    /// How many keys, runs, shared elements and timers are kept.
    #[cfg(test)]
    pub(super) fn size(&self) -> [usize; 4] {
        [self.keys.len(), self.runs.len(), self.elements.len(), self.spans.len() + self.limits.iter().map(Timers::len).sum::<usize>()]
    }
}

/// Whether a state's timer counts: the run is still there and has neither moved on nor taken a later element.
fn counts_in(runs: &Runs, dues: &[i64], state: usize, timer: &Timer) -> bool {
    runs.is(timer.run, timer.number) && runs.key_and_state(timer.run).1 == state && dues[timer.run as usize] == timer.due
}

impl<K: PatternKernel + 'static> Operator for PatternMatcher<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = MatchFiring<'a, K>;

    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(MatchFiring<'_, K>)) -> Result<(), Refusal> {
        if !self.kernel.has_key(row) {
            return Ok(());
        }
        let (mut mask, mut refused) = (self.kernel.classify(row)?, None);
        if mask & self.fallible != 0 {
            let (satisfied, refusal) = self.ask(mask & self.fallible, row);
            mask = mask & !self.fallible | satisfied;
            // It stands before what any run refuses.
            refused = refusal.map(|refusal| (0, refusal));
        }
        let refusal = |refused: Option<(u64, Refusal)>| refused.map_or(Ok(()), |(_, refusal)| Err(refusal));
        if mask == 0 {
            return refusal(refused);
        }
        self.expire(Until::Moment(ts), fire);
        let opens = mask & 1 == 1;
        let key = if opens {
            let (key, new) = self.keys.find_or_add(&self.kernel, row);
            if new {
                self.runs.admit(key);
                self.elements.admit(key);
            }
            key
        } else {
            match self.keys.find(&self.kernel, row) {
                Some(key) => key,
                None => return refusal(refused),
            }
        };
        let mut event = Event::<'_, K> { ts, row, mask, refused, opened: false };
        self.elements.begin();
        // From the last state to the first, so that no run takes two steps with one event.
        let mut state = self.runs.states();
        while state > 0 {
            if self.states[state].is_concerned(mask) {
                self.meet(key, state, &mut event);
            }
            state -= 1;
        }
        if opens {
            self.open(key, &mut event);
        }
        self.report_matches(key, ts, fire);
        if !event.opened {
            self.forget_if_idle(key);
        }
        self.settle();
        refusal(event.refused)
    }

    /// One past the deadline of the oldest run, where runs wait for an absence at the end.
    fn deadline(&self) -> i64 {
        if !self.waits_at_end {
            return i64::MAX;
        }
        self.spans.first().map_or(i64::MAX, |timer| timer.due.saturating_add(1))
    }

    fn advance(&mut self, watermark: i64, fire: &mut impl FnMut(MatchFiring<'_, K>)) {
        self.expire(if watermark == i64::MAX { Until::End } else { Until::Moment(watermark) }, fire);
        self.settle();
    }
}
