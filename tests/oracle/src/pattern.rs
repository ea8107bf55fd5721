//! Sequences under `next` (§7): each first event opens one run, and every run is followed alone.

use std::collections::BTreeMap;

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::{CURRENT, NodeId, Pattern};

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
}

/// A run: per step the events taken.
struct Run<'a> {
    s: &'a Streams<'a>,
    p: &'a Pattern,
    taken: Vec<Vec<&'a Record>>,
    key: &'a [Value],
}

pub(crate) fn records(s: &mut Streams<'_>, id: NodeId, p: &Pattern) -> Vec<Record> {
    let arrivals = arrivals(s, id, p);
    let s = &*s;
    let mut matches: Vec<((Moment, usize), usize, Record)> = vec![];
    for (number, first) in arrivals.iter().enumerate().filter(|(_, a)| a.steps[0]) {
        let mut run = Run { s, p, taken: vec![vec![]; p.steps.len()], key: &first.key };
        // Conditions on the step's own elements apply from the second one on.
        run.taken[0].push(&first.record);
        for Report { moment, arrival, extent, ts } in run.follow(first, &arrivals[number + 1..], id) {
            matches.push(((moment, arrival.map_or(0, |a| number + a)), number, run.firing(&extent, ts)));
        }
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
        let steps: Result<Vec<bool>, Refused> = p.steps.iter().map(|step| fits(step.input, &step.unary)).collect();
        let negations: Result<Vec<bool>, Refused> = p.negations.iter().map(|n| fits(n.input, &n.unary)).collect();
        match (steps, negations) {
            (Ok(steps), Ok(negations)) => arrivals.push(Arrival { key, steps, negations, record }),
            (Err(reason), _) | (_, Err(reason)) => {
                let ts = record.ts;
                s.refuse(id, ts, reason);
            }
        }
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
            let in_time =
                |next: usize, run: &Self| p.steps[next].within.is_none_or(|w| run.taken[next - 1].last().is_some_and(|before| a.record.ts - before.ts <= w));
            if step < last && a.steps[step + 1] && in_time(step + 1, self) && self.fits(&p.steps[step + 1].correlated, step + 1, a) {
                step += 1;
                self.taken[step].push(&a.record);
            } else if p.steps[step].kleene && a.steps[step] && self.fits(&p.steps[step].correlated, step, a) {
                self.taken[step].push(&a.record);
            } else if self.is_killed(step, a) {
                return reports;
            } else {
                continue;
            }
            if step == last && !waits {
                reports.push(report(self, &a.record, at + 1));
                if !p.steps[last].kleene {
                    return reports;
                }
            }
        }
        if waits && step == last && deadline != i64::MAX {
            let moment = self.s.due(deadline.saturating_add(1), &[], id);
            reports.push(Report { moment, arrival: None, extent: self.extent(), ts: deadline });
        }
        reports
    }

    fn extent(&self) -> Extent {
        self.taken.iter().map(Vec::len).collect()
    }

    fn fits(&self, conditions: &[Expr], step: usize, a: &Arrival) -> bool {
        conditions.iter().all(|e| {
            let first_of_step = self.taken[step].is_empty() && self.reads(e, step);
            first_of_step || holds(e, true, &|p| self.place(p, a, &self.extent())).unwrap_or_else(|r| panic!("a step's condition refuses: {r}"))
        })
    }

    fn is_killed(&self, step: usize, a: &Arrival) -> bool {
        self.p.negations.iter().enumerate().any(|(i, n)| {
            a.negations[i]
                && (n.whole || n.after == step)
                && n.correlated.iter().all(|e| holds(e, true, &|p| self.place(p, a, &self.extent())).unwrap_or_else(|r| panic!("an absence refuses: {r}")))
        })
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
