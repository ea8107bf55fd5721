//! Sequences under `next` (§7): each first event opens one run, and every run is followed alone.

use std::collections::BTreeMap;

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::{CURRENT, NodeId, Pattern, PatternStep};

use crate::aggregate;
use crate::expression::{Refused, eval, holds};
use crate::record::{Moment, Record};
use crate::stream::{Streams, same};
use crate::value::Value;
use crate::window::seen;

/// An event that some step or absence may take.
struct Arrival {
    record: Record,
    key: Vec<Value>,
    /// Which steps it satisfies by itself.
    steps: Vec<bool>,
    /// Which absences it satisfies by itself.
    negations: Vec<bool>,
    /// What the first of its own conditions to refuse it says.
    refused: Option<Refused>,
}

/// A run: per step the events taken.
struct Run<'a> {
    s: &'a Streams<'a>,
    p: &'a Pattern,
    taken: Vec<Vec<&'a Record>>,
    key: &'a [Value],
    /// The number of its first event.
    number: usize,
    /// Events that a condition refused, by number.
    refused: BTreeMap<usize, Refused>,
}

pub(crate) fn records(s: &mut Streams<'_>, id: NodeId, p: &Pattern) -> Vec<Record> {
    let arrivals = arrivals(s, id, p);
    let view = &*s;
    // What its own conditions refuse comes before what a run refuses.
    let own = arrivals.iter().enumerate().filter_map(|(number, a)| Some((number, a.refused?)));
    let mut refused: BTreeMap<usize, Refused> = own.collect();
    let mut matches: Vec<((Moment, usize), usize, Record)> = vec![];
    for (number, first) in arrivals.iter().enumerate().filter(|(_, a)| a.steps[0]) {
        let mut run = Run { s: view, p, taken: vec![vec![]; p.steps.len()], key: &first.key, number, refused: BTreeMap::new() };
        // Conditions on the step's own elements apply from the second one on.
        run.taken[0].push(&first.record);
        for Report { moment, arrival, extent, ts } in run.follow(first, &arrivals[number + 1..], id) {
            matches.push(((moment, arrival.map_or(0, |a| number + a)), number, run.firing(&extent, ts)));
        }
        // An event counts once, by the oldest run that refused it.
        for (at, reason) in run.refused {
            refused.entry(at).or_insert(reason);
        }
    }
    for (at, reason) in refused {
        let record = &arrivals[at].record;
        s.refuse(id, &record.moment, record.ts, reason);
    }
    matches.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.cmp(&b.1)));
    matches.into_iter().map(|((moment, _), _, r)| Record { moment, ..r }).collect()
}

fn arrivals(s: &mut Streams<'_>, id: NodeId, p: &Pattern) -> Vec<Arrival> {
    let mut all: Vec<(usize, Record)> = vec![];
    for (port, input) in p.inputs.iter().enumerate() {
        all.extend(s.records(*input).iter().map(|r| (port, r.clone())));
    }
    all.sort_by_key(|(_, r)| r.moment.at(id.0));
    let mut arrivals = vec![];
    for (port, record) in all {
        let read = |place: &Place| current(s, &record, place);
        let key: Vec<Value> = p.keys[port].iter().map(|k| eval(k, &read).unwrap()).collect();
        // A null key takes part in no match.
        if key.iter().any(Value::is_null) {
            continue;
        }
        let fits = |input: usize, unary: &[Expr]| -> Result<bool, Refused> {
            if input != port {
                return Ok(false);
            }
            for e in unary {
                if !holds(e, true, &read)? {
                    return Ok(false);
                }
            }
            Ok(true)
        };
        // One whose own condition refuses the event does not take it; the others may.
        let mut refused = None;
        let mut satisfied = |input: usize, unary: &[Expr]| {
            fits(input, unary).unwrap_or_else(|reason| {
                refused.get_or_insert(reason);
                false
            })
        };
        let steps = p.steps.iter().map(|step| satisfied(step.input, &step.unary)).collect();
        let negations = p.negations.iter().map(|n| satisfied(n.input, &n.unary)).collect();
        arrivals.push(Arrival { key, steps, negations, refused, record });
    }
    arrivals
}

/// A place of the event at hand.
fn current(s: &Streams<'_>, record: &Record, place: &Place) -> Value {
    match place {
        Place::Global(i) => s.globals[*i].clone(),
        Place::Field { field, .. } => record.value(&Place::Field { input: 0, field: *field }),
        _ => Value::Timestamp(record.ts),
    }
}

/// What the run had taken when it was reported: the number of events per step.
type Extent = Vec<usize>;

/// What an event does to a run.
enum Effect {
    Takes,
    Extends,
    Kills,
    Nothing,
}

/// A match.
struct Report {
    moment: Moment,
    /// Which arrival completed it, counted from the first event; none if time did.
    arrival: Option<usize>,
    extent: Extent,
    ts: i64,
}

impl<'a> Run<'a> {
    /// Follows the run to its end: when it is reported, with which events and at which time.
    fn follow(&mut self, first: &'a Arrival, rest: &'a [Arrival], id: NodeId) -> Vec<Report> {
        let p = self.p;
        let last = p.steps.len() - 1;
        let deadline = p.within.map_or(i64::MAX, |w| first.record.ts.saturating_add(w));
        let waits = p.negations.iter().any(|n| !n.whole && n.after == last);
        let mut reports = vec![];
        let mut step = 0;
        let report = |run: &Self, r: &Record, at: usize| Report { moment: r.moment.at(id.0), arrival: Some(at), extent: run.extent(), ts: r.ts };
        if last == 0 && !waits {
            reports.push(report(self, &first.record, 0));
            if !p.steps[0].kleene {
                return reports;
            }
        }
        for (at, a) in rest.iter().enumerate() {
            if a.record.ts > deadline {
                break;
            }
            if !same(&a.key, self.key) {
                continue;
            }
            match self.effect(step, a) {
                Ok(Effect::Takes) => step += 1,
                Ok(Effect::Extends) => {}
                Ok(Effect::Kills) => return reports,
                Ok(Effect::Nothing) => continue,
                Err(reason) => {
                    self.refused.insert(self.number + 1 + at, reason);
                    continue;
                }
            }
            self.taken[step].push(&a.record);
            if step == last && !waits {
                reports.push(report(self, &a.record, at + 1));
                if !p.steps[last].kleene {
                    return reports;
                }
            }
        }
        if waits && step == last && deadline != i64::MAX {
            let moment = self.s.due(deadline.saturating_add(1), id);
            reports.push(Report { moment, arrival: None, extent: self.extent(), ts: deadline });
        }
        reports
    }

    fn extent(&self) -> Extent {
        self.taken.iter().map(Vec::len).collect()
    }

    /// Whether the conditions of a step hold; those on its own elements apply from the second one on.
    fn fits(&self, conditions: &[Expr], step: usize, a: &Arrival) -> Result<bool, Refused> {
        let begun = !self.taken[step].is_empty();
        let apply: Vec<&Expr> = conditions.iter().filter(|e| begun || !self.reads(e, step)).collect();
        self.all(&apply, a)
    }

    fn is_killed(&self, step: usize, a: &Arrival) -> Result<bool, Refused> {
        for (i, n) in self.p.negations.iter().enumerate() {
            let concerned = a.negations[i] && (n.whole || n.after == step);
            if concerned && self.all(&n.correlated.iter().collect::<Vec<_>>(), a)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn all(&self, conditions: &[&Expr], a: &Arrival) -> Result<bool, Refused> {
        for e in conditions {
            if !holds(e, true, &|p| self.place(p, a, &self.extent()))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What an event does to the run when it waits behind a step. A condition that refuses keeps the event away from the run.
    fn effect(&self, step: usize, a: &Arrival) -> Result<Effect, Refused> {
        let (p, next) = (self.p, step + 1);
        let in_time = |s: &PatternStep| s.within.is_none_or(|w| self.taken[step].last().is_some_and(|before| a.record.ts - before.ts <= w));
        if let Some(s) = p.steps.get(next)
            && a.steps[next]
            && in_time(s)
            && self.fits(&s.correlated, next, a)?
        {
            return Ok(Effect::Takes);
        }
        if p.steps[step].kleene && a.steps[step] && self.fits(&p.steps[step].correlated, step, a)? {
            return Ok(Effect::Extends);
        }
        Ok(if self.is_killed(step, a)? { Effect::Kills } else { Effect::Nothing })
    }

    /// Whether a condition reads elements of a step.
    fn reads(&self, e: &Expr, step: usize) -> bool {
        let mut reads = false;
        e.places(&mut |p| {
            reads |= match p {
                Place::Field { input, .. } | Place::Ts { input } | Place::First { input, .. } | Place::FirstTs { input } => *input == step,
                Place::Aggregate(i) => self.p.aggregates[*i].0 == step,
                _ => false,
            }
        });
        reads
    }

    /// A place, seen from an event that is examined.
    fn place(&self, place: &Place, a: &Arrival, extent: &Extent) -> Value {
        match place {
            Place::Field { input: CURRENT, .. } | Place::Ts { input: CURRENT } => current(self.s, &a.record, place),
            other => self.held(other, extent),
        }
    }

    /// What the run holds.
    fn held(&self, place: &Place, extent: &Extent) -> Value {
        let of = |input: usize| &self.taken[input][..extent[input]];
        let field = |r: &Record, field: usize| r.value(&Place::Field { input: 0, field });
        match place {
            Place::Field { input, field: f } => field(of(*input).last().unwrap(), *f),
            Place::First { input, field: f } => field(of(*input).first().unwrap(), *f),
            Place::Ts { input } => Value::Timestamp(of(*input).last().unwrap().ts),
            Place::FirstTs { input } => Value::Timestamp(of(*input).first().unwrap().ts),
            Place::Key(i) => self.key[*i].clone(),
            Place::Global(i) => self.s.globals[*i].clone(),
            Place::Aggregate(i) => {
                let (step, call) = &self.p.aggregates[*i];
                let values: Vec<Value> = of(*step)
                    .iter()
                    .filter_map(|r| seen(call, &|p| current(self.s, r, p)).unwrap_or_else(|reason| panic!("an element refuses: {reason}")))
                    .collect();
                aggregate::of(call, &values)
            }
            other => panic!("{other:?} cannot be read of a run"),
        }
    }

    /// Everything that can be read of a match.
    fn firing(&self, extent: &Extent, ts: i64) -> Record {
        let mut values = BTreeMap::new();
        for (input, step) in self.p.steps.iter().enumerate() {
            for field in self.taken[input][0].values.keys().filter_map(|p| if let Place::Field { field, .. } = p { Some(*field) } else { None }) {
                for place in [Place::Field { input, field }, Place::First { input, field }] {
                    values.insert(place.clone(), self.held(&place, extent));
                }
            }
            let _ = step;
            for place in [Place::Ts { input }, Place::FirstTs { input }] {
                values.insert(place.clone(), self.held(&place, extent));
            }
        }
        for place in (0..self.key.len()).map(Place::Key).chain((0..self.p.aggregates.len()).map(Place::Aggregate)) {
            values.insert(place.clone(), self.held(&place, extent));
        }
        let moment = Moment { event: 0, itself: false, due: 0, path: vec![] };
        Record { moment, ts, values }
    }
}
