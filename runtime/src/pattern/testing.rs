//! A kernel that keeps everything it sees, so that a match shows which events it took; and random patterns and events for it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use varpulis_abi::reason::Reason;

use super::{MatchFiring, NegationSpec, PatternMatcher, PatternSpec, StepSpec};
use crate::kernels::{KeyHasher, KeyKernel, PatternKernel};
use crate::operator::{Operator, Refusal};
use crate::state::Typed;

/// No limit.
pub(super) const NEVER: i64 = i64::MAX;

/// What happens when an event is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    None,
    Classify,
    Satisfies,
    Fits,
    Kills,
    Keep,
}

/// An event says itself which steps and absences it satisfies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) id: u32,
    pub(super) ts: i64,
    pub(super) key: Option<u8>,
    pub(super) mask: u64,
    pub(super) trouble: Trouble,
}

/// The events of each step.
pub(super) type Taken = Vec<Vec<u32>>;

/// A match or a refusal, in the order of appearance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Seen {
    Match { ts: i64, first_ts: i64, key: u8, taken: Taken },
    Refused(Refusal),
}

/// A condition that looks like chance, but is decided by the event, the place in the pattern and all that the run took.
pub(super) fn related(place: usize, event: Event, taken: &Taken) -> bool {
    let sum = taken.iter().flatten().fold(u64::from(event.id) * 31 + place as u64, |h, id| h.wrapping_mul(0x9E37_79B9).wrapping_add(u64::from(*id)));
    !(sum ^ (sum >> 7)).is_multiple_of(3)
}

/// The refusal of an event by a run; it tells which run it was.
pub(super) fn refusal(what: u32, place: usize, event: Event, taken: &Taken) -> Refusal {
    let first = taken.iter().flatten().next().copied().unwrap_or(0);
    Refusal::new(what + place as u32 * 10 + event.id * 100 + first * 100_000, Reason::Overflow)
}

/// Whether some runs are in trouble with the event, and others are not.
pub(super) fn troubles(kind: Trouble, event: Event, taken: &Taken) -> bool {
    event.trouble == kind && taken.iter().flatten().next().is_none_or(|first| !(first + event.id).is_multiple_of(3))
}

pub(super) struct Probe;

impl KeyKernel for Probe {
    type Row<'a> = Event;
    type Keys = Typed<u8>;
    fn has_key(&self, row: Event) -> bool {
        row.key.is_some()
    }
    fn hash(&self, row: Event, hasher: &KeyHasher) -> u64 {
        hasher.hash(row.key.map(|k| k % 2))
    }
    fn same_key(&self, row: Event, key: &u8) -> bool {
        row.key == Some(*key)
    }
    fn store_key(&self, row: Event, key: &mut u8) {
        *key = row.key.unwrap();
    }
}

fn keep(step: usize, event: Event, taken: &mut Taken) -> Result<(), Refusal> {
    if troubles(Trouble::Keep, event, taken) {
        return Err(refusal(3, step, event, taken));
    }
    taken.resize(taken.len().max(step + 1), vec![]);
    taken[step].push(event.id);
    Ok(())
}

impl PatternKernel for Probe {
    type Runs = Typed<Taken>;
    type Elements = Typed<Vec<u32>>;
    fn classify(&self, row: Event) -> Result<u64, Refusal> {
        if row.trouble == Trouble::Classify { Err(refusal(0, 0, row, &vec![])) } else { Ok(row.mask) }
    }
    fn satisfies(&self, at: usize, row: Event) -> Result<bool, Refusal> {
        let alone = vec![vec![at as u32]];
        if troubles(Trouble::Satisfies, row, &alone) { Err(refusal(4, at, row, &vec![])) } else { Ok(related(at + 128, row, &vec![])) }
    }
    fn fits(&self, step: usize, row: Event, run: &Taken) -> Result<bool, Refusal> {
        if troubles(Trouble::Fits, row, run) { Err(refusal(1, step, row, run)) } else { Ok(related(step, row, run)) }
    }
    fn kills(&self, negation: usize, row: Event, run: &Taken) -> Result<bool, Refusal> {
        if troubles(Trouble::Kills, row, run) { Err(refusal(2, negation, row, run)) } else { Ok(related(negation + 64, row, run)) }
    }
    fn capture(&self, step: usize, row: Event, run: &mut Taken) -> Result<(), Refusal> {
        keep(step, row, run)
    }
    fn extend(&self, step: usize, row: Event, run: &mut Taken) -> Result<(), Refusal> {
        keep(step, row, run)
    }
    fn lift(&self, step: usize, row: Event, element: &mut Vec<u32>) -> Result<(), Refusal> {
        if row.trouble == Trouble::Keep {
            return Err(refusal(3, step, row, &vec![]));
        }
        assert!(element.is_empty(), "an element starts fresh");
        element.push(row.id);
        Ok(())
    }
    fn prepend(&self, _: usize, suffix: &mut Vec<u32>, older: &Vec<u32>) {
        suffix.splice(0..0, older.iter().copied());
    }
    fn absorb(&self, step: usize, run: &mut Taken, suffix: &Vec<u32>) {
        run.resize(run.len().max(step + 1), vec![]);
        run[step] = suffix.clone();
    }
}

/// A plain step.
pub(super) const STEP: StepSpec = StepSpec { kleene: false, fallible: false, correlated: false, within: NEVER, shared: false };
/// A Kleene step.
pub(super) const MANY: StepSpec = StepSpec { kleene: true, ..STEP };
/// A Kleene step whose elements are shared.
pub(super) const SHARED: StepSpec = StepSpec { shared: true, ..MANY };

/// An absence between two steps, or behind the last.
pub(super) const fn absent(after: usize) -> NegationSpec {
    NegationSpec { after, whole: false, fallible: false, correlated: false }
}

/// A pattern made at run time.
pub(super) fn pattern(steps: &[StepSpec], negations: &[NegationSpec], within: i64) -> PatternSpec {
    PatternSpec { steps: steps.to_vec().into(), negations: negations.to_vec().into(), within }
}

fn collect(seen: &mut Vec<Seen>) -> impl FnMut(MatchFiring<'_, Probe>) {
    |m| seen.push(Seen::Match { ts: m.ts, first_ts: m.first_ts, key: *m.key, taken: m.run.clone() })
}

/// Runs a pattern over events up to the end of the input. Announced or not, an event's time is the same.
pub(super) fn drive(spec: PatternSpec, events: &[Event], announced: bool) -> (Vec<Seen>, PatternMatcher<Probe>) {
    let (mut seen, mut matcher) = push_all(spec, events, announced);
    matcher.advance(NEVER, &mut collect(&mut seen));
    (seen, matcher)
}

/// The same, while the input goes on.
pub(super) fn drive_open(spec: PatternSpec, events: &[Event]) -> (Vec<Seen>, PatternMatcher<Probe>) {
    push_all(spec, events, true)
}

fn push_all(spec: PatternSpec, events: &[Event], announced: bool) -> (Vec<Seen>, PatternMatcher<Probe>) {
    let mut matcher = PatternMatcher::new(Probe, spec);
    let mut seen = vec![];
    for event in events {
        if announced && matcher.deadline() <= event.ts {
            matcher.advance(event.ts, &mut collect(&mut seen));
            assert!(matcher.deadline() > event.ts, "nothing is left to do at the watermark");
        }
        let pushed = matcher.push(event.ts, *event, &mut collect(&mut seen));
        seen.extend(pushed.err().map(Seen::Refused));
    }
    (seen, matcher)
}

fn limit() -> impl Strategy<Value = i64> {
    prop_oneof![4 => Just(NEVER), 1 => 0..12i64]
}

fn step() -> impl Strategy<Value = StepSpec> {
    (any::<bool>(), prop::bool::weighted(0.3), prop::bool::weighted(0.3), limit()).prop_map(|(kleene, fallible, correlated, within)| StepSpec {
        kleene,
        fallible,
        correlated,
        within,
        shared: false,
    })
}

/// Two to four steps (now and then one), up to three absences; a span, which an absence at the end needs.
pub(super) fn patterns() -> impl Strategy<Value = PatternSpec> {
    let absence = (0..4usize, prop::bool::weighted(0.3), prop::bool::weighted(0.3), prop::bool::weighted(0.3))
        .prop_map(|(after, whole, fallible, correlated)| NegationSpec { after, whole, fallible, correlated });
    let steps = prop_oneof![1 => prop::collection::vec(step(), 1), 9 => prop::collection::vec(step(), 2..=4)];
    (
        steps,
        prop_oneof![1 => Just(0), 1 => 0..=3usize].prop_flat_map(move |n| prop::collection::vec(absence.clone(), n)),
        prop_oneof![1 => Just(NEVER), 3 => 0..60i64],
    )
        .prop_map(|(steps, mut negations, mut within)| {
            for n in &mut negations {
                n.after %= steps.len();
            }
            let spec = pattern(&steps, &negations, within);
            if spec.waits_at_end() && within == NEVER {
                within = 30;
            }
            PatternSpec { within, ..spec }
        })
}

/// Every Kleene step.
pub(super) const ALL: u8 = u8::MAX;

/// The same with those of `wanted` shared that may be: the compiler shares every one, unless its aggregates cannot be.
pub(super) fn with_sharing(spec: PatternSpec, wanted: u8) -> PatternSpec {
    let mut steps = spec.steps.to_vec();
    for at in 0..steps.len().saturating_sub(1) {
        let plain = |s: StepSpec| !s.correlated && s.within == NEVER;
        let free = spec.negations.iter().filter(|n| n.whole || n.after == at).all(|n| !n.correlated);
        steps[at].shared = wanted >> at & 1 == 1 && steps[at].kleene && plain(steps[at]) && plain(steps[at + 1]) && free;
    }
    PatternSpec { steps: steps.into(), ..spec }
}

/// Events in the order of their time, with ties; most satisfy one or two places of a pattern of up to seven.
pub(super) fn events(troubled: bool) -> impl Strategy<Value = Vec<Event>> {
    let mask = prop_oneof![2 => Just(1u64), 8 => (0..4u32).prop_map(|b| 1 << b), 3 => (0..7u32, 0..7u32).prop_map(|(a, b)| 1 << a | 1 << b), 1 => 0..128u64];
    let trouble = prop_oneof![
        30 => Just(Trouble::None), 1 => Just(Trouble::Classify), 1 => Just(Trouble::Satisfies), 1 => Just(Trouble::Fits), 1 => Just(Trouble::Kills), 1 => Just(Trouble::Keep)
    ];
    let key = prop_oneof![10 => Just(Some(0)), 5 => (1..3u8).prop_map(Some), 1 => Just(None)];
    let event = (prop_oneof![3 => Just(0), 6 => 0..3i64, 1 => 0..12i64], key, mask, trouble);
    prop::collection::vec(event, 0..60).prop_map(move |list| {
        let mut ts = -20;
        let make = |(id, (step, key, mask, trouble))| {
            ts += step;
            Event { id, ts, key, mask, trouble: if troubled { trouble } else { Trouble::None } }
        };
        (1..).zip(list).map(make).collect()
    })
}
