//! The matcher against a brute-force one: all runs in one list, everything asked of everyone, nothing shared.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;

use super::{NegationSpec, PatternMatcher, PatternSpec, StepSpec};
use crate::kernels::{KeyHasher, KeyKernel, PatternKernel};
use crate::operator::{Operator, Refusal};
use crate::state::Typed;

#[derive(Clone, Copy, Debug)]
struct Event {
    ts: i64,
    key: Option<u8>,
    kind: u8,
    value: i64,
}

/// Values per step.
type Taken = Vec<Vec<i64>>;

#[derive(Clone, Debug)]
struct Shape {
    steps: Vec<(u8, bool, bool, i64, bool)>,
    negations: Vec<(u8, usize, bool, bool)>,
    within: i64,
}

#[derive(Clone, Debug)]
struct Kernel(Shape);

/// Depends on the run only, and on the elements of the step itself from the second one on.
fn fits(step: usize, value: i64, taken: &Taken) -> bool {
    match taken.get(step).and_then(|own| own.last()).or_else(|| taken.get(step.wrapping_sub(1)).and_then(|t| t.last())) {
        Some(last) => value >= *last,
        None => true,
    }
}

fn kills(value: i64, taken: &Taken) -> bool {
    value > taken[0][0]
}

impl Kernel {
    fn mask(&self, e: &Event) -> u64 {
        let kinds = self.0.steps.iter().map(|s| s.0).chain(self.0.negations.iter().map(|n| n.0));
        kinds.enumerate().map(|(i, kind)| u64::from(kind == e.kind) << i).sum()
    }
}

impl KeyKernel for Kernel {
    type Row<'a> = &'a Event;
    type Keys = Typed<u8>;
    fn has_key(&self, row: &Event) -> bool {
        row.key.is_some()
    }
    fn hash(&self, row: &Event, hasher: &KeyHasher) -> u64 {
        hasher.hash(row.key)
    }
    fn same_key(&self, row: &Event, key: &u8) -> bool {
        row.key == Some(*key)
    }
    fn store_key(&self, row: &Event, key: &mut u8) {
        *key = row.key.unwrap();
    }
}

fn slot(taken: &mut Taken, step: usize) -> &mut Vec<i64> {
    if taken.len() <= step {
        taken.resize(step + 1, vec![]);
    }
    &mut taken[step]
}

impl PatternKernel for Kernel {
    type Runs = Typed<Taken>;
    type Elements = Typed<Vec<i64>>;
    fn classify(&self, row: &Event) -> Result<u64, Refusal> {
        Ok(self.mask(row))
    }
    fn fits(&self, step: usize, row: &Event, run: &Taken) -> Result<bool, Refusal> {
        Ok(fits(step, row.value, run))
    }
    fn kills(&self, _: usize, row: &Event, run: &Taken) -> Result<bool, Refusal> {
        Ok(kills(row.value, run))
    }
    fn capture(&self, step: usize, row: &Event, run: &mut Taken) -> Result<(), Refusal> {
        *slot(run, step) = vec![row.value];
        Ok(())
    }
    fn extend(&self, step: usize, row: &Event, run: &mut Taken) -> Result<(), Refusal> {
        slot(run, step).push(row.value);
        Ok(())
    }
    fn lift(&self, _: usize, row: &Event, element: &mut Vec<i64>) -> Result<(), Refusal> {
        *element = vec![row.value];
        Ok(())
    }
    fn prepend(&self, _: usize, suffix: &mut Vec<i64>, older: &Vec<i64>) {
        let newer = std::mem::replace(suffix, older.clone());
        suffix.extend(newer);
    }
    fn absorb(&self, step: usize, run: &mut Taken, suffix: &Vec<i64>) {
        *slot(run, step) = suffix.clone();
    }
}

struct Run {
    key: u8,
    first: i64,
    previous: i64,
    taken: Taken,
}

type Matches = Vec<(i64, u8, Taken)>;

/// What the language says, word for word.
fn brute(shape: &Shape, events: &[Event]) -> Matches {
    let kernel = Kernel(shape.clone());
    let steps = shape.steps.len();
    let waits = shape.negations.iter().any(|n| !n.2 && n.1 + 1 == steps);
    let mut runs: Vec<Run> = vec![];
    let mut out = vec![];
    let expire = |runs: &mut Vec<Run>, ts: i64, out: &mut Matches| {
        runs.retain(|r| {
            let over = r.first.saturating_add(shape.within) < ts;
            if over && waits && r.taken.len() == steps {
                out.push((r.first + shape.within, r.key, r.taken.clone()));
            }
            let late = shape.steps.get(r.taken.len()).is_some_and(|s| r.previous.saturating_add(s.3) < ts);
            !over && !late
        });
    };
    for e in events {
        expire(&mut runs, e.ts, &mut out);
        let Some(key) = e.key else { continue };
        let mask = kernel.mask(e);
        runs.retain_mut(|r| {
            if r.key != key {
                return true;
            }
            let state = r.taken.len();
            if state < steps && mask >> state & 1 == 1 && (!shape.steps[state].2 || fits(state, e.value, &r.taken)) {
                r.taken.push(vec![e.value]);
                r.previous = e.ts;
                if state + 1 == steps && !waits {
                    out.push((e.ts, key, r.taken.clone()));
                    return shape.steps[state].1;
                }
                return true;
            }
            let last = &shape.steps[state - 1];
            if last.1 && mask >> (state - 1) & 1 == 1 && (!last.2 || fits(state - 1, e.value, &r.taken)) {
                r.taken[state - 1].push(e.value);
                r.previous = e.ts;
                if state == steps && !waits {
                    out.push((e.ts, key, r.taken.clone()));
                }
                return true;
            }
            !shape.negations.iter().enumerate().any(|(i, n)| mask >> (steps + i) & 1 == 1 && (n.2 || n.1 + 1 == state) && (!n.3 || kills(e.value, &r.taken)))
        });
        if mask & 1 == 1 {
            let run = Run { key, first: e.ts, previous: e.ts, taken: vec![vec![e.value]] };
            if steps == 1 && !waits {
                out.push((e.ts, key, run.taken.clone()));
            }
            if steps > 1 || waits || shape.steps[0].1 {
                runs.push(run);
            }
        }
    }
    expire(&mut runs, i64::MAX, &mut out);
    out
}

fn run(shape: &Shape, events: &[Event], announced: bool) -> Matches {
    let steps: Vec<StepSpec> = shape.steps.iter().map(|s| StepSpec { kleene: s.1, correlated: s.2, within: s.3, shared: s.4 }).collect();
    let negations: Vec<NegationSpec> = shape.negations.iter().map(|n| NegationSpec { after: n.1, whole: n.2, correlated: n.3 }).collect();
    let spec = PatternSpec { steps: Box::leak(steps.into_boxed_slice()), negations: Box::leak(negations.into_boxed_slice()), within: shape.within };
    let mut matcher = PatternMatcher::new(Kernel(shape.clone()), spec);
    let mut out = vec![];
    for e in events {
        if announced && matcher.deadline() <= e.ts {
            matcher.advance(e.ts, &mut |m| out.push((m.ts, *m.key, m.run.clone())));
        }
        matcher.push(e.ts, e, &mut |m| out.push((m.ts, *m.key, m.run.clone()))).unwrap();
    }
    matcher.advance(i64::MAX, &mut |m| out.push((m.ts, *m.key, m.run.clone())));
    out
}

fn shapes() -> impl Strategy<Value = Shape> {
    let step = (0u8..4, prop::bool::weighted(0.35), prop::bool::weighted(0.4), prop_oneof![3 => Just(i64::MAX), 1 => 0i64..6], any::<bool>());
    let negation = (0u8..4, 0usize..4, prop::bool::weighted(0.3), prop::bool::weighted(0.4));
    (prop::collection::vec(step, 1..5), prop::collection::vec(negation, 0..3), 0i64..20).prop_map(|(mut steps, mut negations, within)| {
        let count = steps.len();
        steps[0].2 &= steps[0].1;
        steps[0].3 = i64::MAX;
        for n in &mut negations {
            n.1 %= count;
        }
        // An absence behind a Kleene step in last position is refused by the compiler.
        if steps[count - 1].1 {
            negations.retain(|n| n.2 || n.1 + 1 != count);
        }
        for i in 0..count {
            let alone = i + 1 < count && steps[i].1 && !steps[i].2 && !steps[i + 1].2 && steps[i].3 == i64::MAX && steps[i + 1].3 == i64::MAX;
            steps[i].4 &= alone && negations.iter().all(|n| !n.3);
        }
        Shape { steps, negations, within }
    })
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let event = (0i64..3, prop::option::weighted(0.95, 0u8..3), 0u8..4, 0i64..6);
    prop::collection::vec(event, 0..60).prop_map(|list| {
        let mut ts = 0;
        list.into_iter()
            .map(|(step, key, kind, value)| {
                ts += step;
                Event { ts, key, kind, value }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn matches_are_those_of_brute_force(shape in shapes(), events in events(), announced: bool) {
        prop_assert_eq!(run(&shape, &events, announced), brute(&shape, &events));
    }
}

/// Keys that come once leave nothing behind.
#[test]
fn memory_is_bounded_by_the_span() {
    let shape = Shape {
        steps: vec![(0, false, false, i64::MAX, false), (1, true, false, i64::MAX, true), (2, false, false, i64::MAX, false)],
        negations: vec![],
        within: 10,
    };
    let events: Vec<Event> = (0..50_000).map(|i| Event { ts: i, key: Some((i % 251) as u8), kind: (i % 2) as u8, value: i }).collect();
    assert!(run(&shape, &events, true).is_empty());
}
