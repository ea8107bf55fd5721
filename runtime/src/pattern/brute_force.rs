//! The rules of `next` selection once more, by plain scans over a list of all runs: what the matcher is compared with.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::PatternSpec;
use super::testing::{Event, NEVER, Probe, Seen, Taken};
use crate::kernels::PatternKernel;
use crate::operator::Refusal;

struct Run {
    key: u8,
    first_ts: i64,
    /// For each step taken, when its newest event came.
    times: Vec<i64>,
    taken: Taken,
}

/// What an event does to a run.
enum Effect {
    Nothing,
    Takes(Run),
    Extends(Run),
    Kills,
}

fn is_within(from: i64, to: i64, limit: i64) -> bool {
    limit == NEVER || to - from <= limit
}

/// Whether the step's own time limit, counted from the step before it, still holds.
fn in_time(spec: &PatternSpec, run: &Run, step: usize, ts: i64) -> bool {
    step == 0 || is_within(run.times[step - 1], ts, spec.steps[step].within)
}

/// Whether nothing can come of a run any more, whatever event comes now: a limit is over, also while a Kleene step is being filled.
fn is_over(spec: &PatternSpec, run: &Run, ts: i64) -> bool {
    let next = run.times.len();
    !is_within(run.first_ts, ts, spec.within) || (next < spec.steps.len() && !in_time(spec, run, next, ts))
}

fn with(run: &Run, step: usize, event: Event, keep: impl FnOnce(&mut Taken) -> Result<(), Refusal>) -> Result<Run, Refusal> {
    let mut next = Run { key: run.key, first_ts: run.first_ts, times: run.times.clone(), taken: run.taken.clone() };
    keep(&mut next.taken)?;
    next.times.truncate(step);
    next.times.push(event.ts);
    Ok(next)
}

fn effect(spec: &PatternSpec, run: &Run, event: Event) -> Result<Effect, Refusal> {
    let next = run.times.len();
    let satisfies = |bit: usize| event.mask >> bit & 1 == 1;
    let fits = |s: usize| Ok(satisfies(s) && (!spec.steps[s].correlated || Probe.fits(s, event, &run.taken)?));
    if next < spec.steps.len() && fits(next)? {
        let kleene = spec.steps[next].kleene;
        return Ok(Effect::Takes(with(run, next, event, |t| if kleene { Probe.extend(next, event, t) } else { Probe.capture(next, event, t) })?));
    }
    if spec.steps[next - 1].kleene && fits(next - 1)? {
        return Ok(Effect::Extends(with(run, next - 1, event, |t| Probe.extend(next - 1, event, t))?));
    }
    for (j, n) in spec.negations.iter().enumerate() {
        if (n.whole || n.after + 1 == next) && satisfies(spec.steps.len() + j) && (!n.correlated || Probe.kills(j, event, &run.taken)?) {
            return Ok(Effect::Kills);
        }
    }
    Ok(Effect::Nothing)
}

fn report(run: &Run, ts: i64) -> Seen {
    Seen::Match { ts, first_ts: run.first_ts, key: run.key, taken: run.taken.clone() }
}

/// The steps and absences that an event satisfies by itself. What its own conditions refuse comes before what a run refuses.
fn asked(spec: &PatternSpec, event: Event, mask: u64, error: &mut Option<Refusal>) -> u64 {
    let members = spec.steps.iter().map(|s| s.fallible).chain(spec.negations.iter().map(|n| n.fallible));
    members.enumerate().filter(|(at, fallible)| *fallible && mask >> at & 1 == 1).fold(mask, |left, (at, _)| match Probe.satisfies(at, event) {
        Ok(true) => left,
        Ok(false) => left & !(1 << at),
        Err(refusal) => {
            error.get_or_insert(refusal);
            left & !(1 << at)
        }
    })
}

/// Everything a pattern reports over events, to the end of the input.
pub(super) fn matches(spec: &PatternSpec, events: &[Event]) -> Vec<Seen> {
    let (count, mut seen, mut runs) = (spec.steps.len(), vec![], Vec::<Run>::new());
    let deadlines = |runs: &mut Vec<Run>, seen: &mut Vec<Seen>, is_due: &dyn Fn(i64) -> bool| {
        runs.retain(|r| {
            let due = r.first_ts.saturating_add(spec.within);
            let reached = spec.waits_at_end() && r.times.len() == count && is_due(due);
            if reached {
                seen.push(report(r, due));
            }
            !reached
        });
    };
    for &event in events {
        deadlines(&mut runs, &mut seen, &|due| due < event.ts);
        let Some(key) = event.key else { continue };
        let mask = match Probe.classify(event) {
            Ok(mask) => mask,
            Err(refusal) => {
                seen.push(Seen::Refused(refusal));
                continue;
            }
        };
        let (mut error, mut kept) = (None, vec![]);
        let event = Event { mask: asked(spec, event, mask, &mut error), ..event };
        let mask = event.mask;
        let new = Run { key, first_ts: event.ts, times: vec![], taken: vec![] };
        let waiting = |r: &Run| r.times.len() < count || spec.waits_at_end();
        for run in runs.drain(..).filter(|r| !is_over(spec, r, event.ts)) {
            let effect = if run.key == key { effect(spec, &run, event) } else { Ok(Effect::Nothing) };
            match effect {
                Ok(Effect::Nothing) => kept.push(run),
                Ok(Effect::Kills) => {}
                Ok(Effect::Takes(run) | Effect::Extends(run)) => {
                    if !waiting(&run) {
                        seen.push(report(&run, event.ts));
                    }
                    if waiting(&run) || spec.steps[count - 1].kleene {
                        kept.push(run);
                    }
                }
                Err(refusal) => {
                    error.get_or_insert(refusal);
                    kept.push(run);
                }
            }
        }
        runs = kept;
        if mask & 1 == 1 {
            match with(&new, 0, event, |t| if spec.steps[0].kleene { Probe.extend(0, event, t) } else { Probe.capture(0, event, t) }) {
                Ok(run) => {
                    if !waiting(&run) {
                        seen.push(report(&run, event.ts));
                    }
                    if waiting(&run) || spec.steps[0].kleene {
                        runs.push(run);
                    }
                }
                Err(refusal) => {
                    error.get_or_insert(refusal);
                }
            }
        }
        seen.extend(error.map(Seen::Refused));
    }
    deadlines(&mut runs, &mut seen, &|_| true);
    seen
}
