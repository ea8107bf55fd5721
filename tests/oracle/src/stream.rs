//! Streams: every node of the plan yields the list of its records.

use std::collections::BTreeSet;
use std::rc::Rc;

use varpulis_compiler::analysis::run::Run;
use varpulis_compiler::analysis::typed::{Expr, ExprKind, Place};
use varpulis_compiler::plan::logical::{NodeId, NodeKind, Observation, Plan, Publication};

use crate::expression::{Refused, eval, holds};
use crate::input::{Event, Input, Late};
use crate::record::{ErrorRow, Moment, Record, Row};
use crate::value::Value;
use crate::{join, live, pattern, rejected, run, top, window};

/// The plan at work.
pub(crate) struct Streams<'p> {
    pub plan: &'p Plan,
    live: Vec<BTreeSet<usize>>,
    /// How many nodes that keep records lie before each at most.
    depths: Vec<usize>,
    pub events: Vec<Event>,
    /// From the oldest to the newest event.
    span: Option<(i64, i64)>,
    pub globals: Vec<Value>,
    /// Records of each node; then those of late events.
    made: [Vec<Option<Rc<Vec<Record>>>>; 2],
    late_events: Vec<Late>,
    /// Whether it is late events that are followed.
    follows_late: bool,
    /// The lines of those that a window took.
    pub taken: BTreeSet<usize>,
    errors: Vec<ErrorRow>,
    /// Those that a node handles: the node, and what is known of the error.
    handled: Vec<(NodeId, Handled)>,
}

/// An evaluation error that the program handles.
struct Handled {
    moment: Moment,
    ts: i64,
    reason: Refused,
}

impl<'p> Streams<'p> {
    pub(crate) fn new(plan: &'p Plan, input: &mut Input) -> Self {
        let made = [vec![None; plan.nodes.len()], vec![None; plan.nodes.len()]];
        let (events, late_events) = (std::mem::take(&mut input.events), std::mem::take(&mut input.late_events));
        let live = live::columns(plan);
        let (span, follows_late, taken) = (input.span, false, BTreeSet::new());
        Self {
            plan,
            depths: depths(plan, &live),
            live,
            events,
            span,
            globals: globals(plan),
            made,
            late_events,
            follows_late,
            taken,
            errors: vec![],
            handled: vec![],
        }
    }

    /// The errors, and the lines of late events that windows took.
    pub(crate) fn into_errors(mut self) -> (Vec<ErrorRow>, BTreeSet<usize>) {
        self.errors.sort();
        (self.errors, self.taken)
    }

    pub(crate) fn rows(&mut self, p: &Publication) -> Vec<Row> {
        let columns = self.plan.columns_of(p.node);
        self.records(p.node).iter().map(|r| Row::new(&p.name, r, columns)).collect()
    }

    /// A record left the stream, which of that moment comes last. Errors of late records are not handled.
    pub(crate) fn refuse(&mut self, node: NodeId, moment: &Moment, ts: i64, reason: Refused) {
        if let (Some(handler), false) = (self.plan.node(node).errors_to, self.follows_late) {
            let moment = moment.at(node.0).at(usize::MAX);
            self.handled.push((handler, Handled { moment, ts, reason }));
            return;
        }
        self.errors.push(ErrorRow { stream: self.plan.node(node).stream.clone(), ts, reason });
    }

    /// What an expression is worth over a record.
    pub(crate) fn value(&self, e: &Expr, record: &Record) -> Result<Value, Refused> {
        eval(e, &|p| if let Place::Global(i) = p { self.globals[*i].clone() } else { record.value(p) })
    }

    /// The moment at which something falls due. Of one moment, what has fewer that keep records before it comes first, then what stands earlier
    /// in the program.
    pub(crate) fn due(&self, due: i64, node: NodeId) -> Moment {
        let event = self.events.partition_point(|e| e.ts < due);
        Moment { event, itself: false, due, path: vec![self.depths[node.0], node.0] }
    }

    /// The records of a node, in order.
    pub(crate) fn records(&mut self, id: NodeId) -> Rc<Vec<Record>> {
        let late = usize::from(self.follows_late);
        if let Some(made) = &self.made[late][id.0] {
            return made.clone();
        }
        let plan = self.plan;
        let mut records = match &plan.node(id).kind {
            NodeKind::Source { event } => self.source(id, *event),
            NodeKind::Timer { period } => self.timer(id, *period),
            NodeKind::Errors => self.errors_of(id),
            NodeKind::Filter { input, condition } => self.filter(id, *input, condition),
            NodeKind::Project { input, columns } => self.project(id, *input, columns),
            NodeKind::Process { input, run } => self.process(id, *input, run),
            NodeKind::Merge { inputs } => self.merge(id, inputs),
            NodeKind::Window { input, keys, window, aggregates, .. } => window::records(self, id, *input, keys, *window, aggregates),
            NodeKind::TopK { input, keys, by, count, window, .. } => {
                top::records(self, id, &top::Top { input: *input, keys, by, count: *count, window: *window })
            }
            NodeKind::Pattern(p) => pattern::records(self, id, p),
            NodeKind::Join { left, right, left_keys, right_keys, span, outer: None, .. } => {
                join::records(self, id, [*left, *right], [left_keys, right_keys], *span)
            }
            NodeKind::Join { left, right, left_keys, right_keys, span: Some(span), outer: Some(outer), .. } => {
                join::outer(self, id, [*left, *right], [left_keys, right_keys], *span, outer)
            }
            NodeKind::Join { .. } => panic!("an outer join has a span"),
            NodeKind::Distinct { input, keys, within } => self.distinct(id, *input, keys, *within),
            NodeKind::Lag { input, keys, values, back } => self.lag(id, *input, keys, values, *back),
            NodeKind::Limit { input, keys, count } => self.limit(id, *input, keys, *count),
            NodeKind::Observe { input, .. } => self.records(*input).to_vec(),
        };
        records.sort_by(|a, b| a.moment.cmp(&b.moment));
        if plan.node(id).kind.fires() {
            // What is fired goes all of its ways before the next that is fired at that moment.
            records.iter_mut().enumerate().for_each(|(at, r)| r.moment = r.moment.at(at));
        }
        let records = Rc::new(records);
        self.made[late][id.0] = Some(records.clone());
        records
    }

    /// The late events that reach a node, each with the watermark that it found, in the order of arrival. Their moments name their lines.
    pub(crate) fn late_records(&mut self, id: NodeId) -> Vec<(Record, i64)> {
        self.follows_late = true;
        let records = self.records(id);
        self.follows_late = false;
        let watermark = |line| self.late_events.iter().find(|late| late.event.line == line).map_or(i64::MIN, |late| late.watermark);
        records.iter().map(|r| (r.clone(), watermark(r.moment.event))).collect()
    }

    /// Whether a record came before a late event found a watermark.
    pub(crate) fn is_before(&self, record: &Record, line: usize, watermark: i64) -> bool {
        self.events.get(record.moment.event).is_some_and(|e| e.line < line && e.ts <= watermark)
    }

    fn source(&self, id: NodeId, event: usize) -> Vec<Record> {
        let late = self.late_events.iter().map(|late| (late.event.line, &late.event));
        if self.follows_late {
            return Self::of_events(id, late.filter(|(_, e)| e.event == event));
        }
        Self::of_events(id, self.events.iter().enumerate().filter(|(_, e)| e.event == event))
    }

    fn of_events<'e>(id: NodeId, events: impl Iterator<Item = (usize, &'e Event)>) -> Vec<Record> {
        events
            .map(|(at, e)| Record {
                moment: Moment { event: at, itself: true, due: 0, path: vec![id.0] },
                ts: e.ts,
                values: e.fields.iter().map(|(field, v)| (Place::Field { input: 0, field: *field }, v.clone())).collect(),
            })
            .collect()
    }

    /// The multiples of the period behind the oldest event, up to the newest. What else falls due at that moment comes first.
    fn timer(&self, id: NodeId, period: i64) -> Vec<Record> {
        if self.follows_late {
            return vec![];
        }
        let Some((first, last)) = self.span else { return vec![] };
        let ticks = (first.div_euclid(period) + 1..=last.div_euclid(period)).map(|n| n * period);
        let at_tick = |ts| Moment { path: vec![usize::MAX, id.0], ..self.due(ts, id) };
        ticks.map(|ts| Record { moment: at_tick(ts), ts, values: Default::default() }).collect()
    }

    /// The errors of the nodes that this one handles. Of what is known of them, the oracle knows the reason.
    fn errors_of(&mut self, id: NodeId) -> Vec<Record> {
        if self.follows_late {
            return vec![];
        }
        let known: BTreeSet<usize> = BTreeSet::from([0]);
        assert!(self.live[id.0].is_subset(&known), "the oracle knows of an error its reason alone");
        for node in (0..self.plan.nodes.len()).filter(|node| self.plan.nodes[*node].errors_to == Some(id)) {
            self.records(NodeId(node));
        }
        let mine = self.handled.iter().filter(|(handler, _)| *handler == id);
        mine.map(|(_, e)| Record::of_columns(e.moment.clone(), e.ts, [Value::Str(e.reason.into())])).collect()
    }

    fn filter(&mut self, id: NodeId, input: NodeId, condition: &Expr) -> Vec<Record> {
        let mut kept = vec![];
        for r in self.records(input).iter() {
            match holds(condition, true, &|p| if let Place::Global(i) = p { self.globals[*i].clone() } else { r.value(p) }) {
                Ok(true) => kept.push(Record { moment: r.moment.at(id.0), ..r.clone() }),
                Ok(false) => {}
                Err(reason) => self.refuse(id, &r.moment, r.ts, reason),
            }
        }
        kept
    }

    fn project(&mut self, id: NodeId, input: NodeId, columns: &[Expr]) -> Vec<Record> {
        let live = self.live[id.0].clone();
        let mut made = vec![];
        for r in self.records(input).iter() {
            let values: Result<_, Refused> = live.iter().map(|c| Ok((Place::Field { input: 0, field: *c }, self.value(&columns[*c], r)?))).collect();
            match values {
                Ok(values) => made.push(Record { moment: r.moment.at(id.0), ts: r.ts, values }),
                Err(reason) => self.refuse(id, &r.moment, r.ts, reason),
            }
        }
        made
    }

    /// What is emitted goes all of its ways before what the function emits next.
    fn process(&mut self, id: NodeId, input: NodeId, of: &Run) -> Vec<Record> {
        let live: Vec<usize> = self.live[id.0].iter().copied().collect();
        let mut made = vec![];
        for r in self.records(input).iter() {
            let mut emitted = vec![];
            let read = |p: &Place| if let Place::Global(i) = p { self.globals[*i].clone() } else { r.value(p) };
            let end = run::process(of, &live, &mut emitted, &read);
            for (at, values) in emitted.into_iter().enumerate() {
                let values = live.iter().map(|c| Place::Field { input: 0, field: *c }).zip(values).collect();
                made.push(Record { moment: r.moment.at(id.0).at(at), ts: r.ts, values });
            }
            if let Err(reason) = end {
                self.refuse(id, &r.moment, r.ts, reason);
            }
        }
        made
    }

    fn merge(&mut self, id: NodeId, inputs: &[(NodeId, Vec<Option<usize>>)]) -> Vec<Record> {
        let mut all = vec![];
        for (input, map) in inputs {
            for r in self.records(*input).iter() {
                let columns = map.iter().map(|from| from.map_or(Value::Null, |f| r.column(f).cloned().unwrap_or(Value::Null)));
                all.push(Record::of_columns(r.moment.at(id.0), r.ts, columns));
            }
        }
        all
    }

    /// The values of a key.
    pub(crate) fn key(&self, keys: &[Expr], record: &Record) -> Vec<Value> {
        keys.iter().map(|k| self.value(k, record).unwrap_or_else(|reason| panic!("a key refuses: {reason}"))).collect()
    }

    fn distinct(&mut self, id: NodeId, input: NodeId, keys: &[Expr], within: i64) -> Vec<Record> {
        let mut passed: Vec<(Vec<Value>, Record)> = vec![];
        for r in self.records(input).iter() {
            let key = self.key(keys, r);
            // The newest record of that value that passed.
            let before = passed.iter().rev().find(|(k, _)| same(k, &key));
            if before.is_none_or(|(_, b)| within != i64::MAX && r.ts - b.ts >= within) {
                passed.push((key, Record { moment: r.moment.at(id.0), ..r.clone() }));
            }
        }
        passed.into_iter().map(|(_, r)| r).collect()
    }

    /// Each record, with the values of the one so many before it among those of its key.
    fn lag(&mut self, id: NodeId, input: NodeId, keys: &[Expr], values: &[Expr], back: i64) -> Vec<Record> {
        let mut remembered: Vec<(Vec<Value>, Vec<Value>)> = vec![];
        let mut made = vec![];
        for r in self.records(input).iter() {
            let key = self.key(keys, r);
            let mine: Result<Vec<Value>, Refused> = values.iter().map(|e| self.value(e, r)).collect();
            match mine {
                Err(reason) => self.refuse(id, &r.moment, r.ts, reason),
                Ok(mine) => {
                    let before: Vec<&Vec<Value>> = remembered.iter().filter(|(k, _)| same(k, &key)).map(|(_, values)| values).collect();
                    let found = before.len().checked_sub(back as usize).map(|at| before[at].clone());
                    let found = found.unwrap_or_else(|| vec![Value::Null; values.len()]);
                    let mut record = Record { moment: r.moment.at(id.0), ..r.clone() };
                    record.values.extend(found.into_iter().enumerate().map(|(field, v)| (Place::Field { input: 1, field }, v)));
                    made.push(record);
                    remembered.push((key, mine));
                }
            }
        }
        made
    }

    fn limit(&mut self, id: NodeId, input: NodeId, keys: &[Expr], count: i64) -> Vec<Record> {
        let mut passed: Vec<(Vec<Value>, Record)> = vec![];
        for r in self.records(input).iter() {
            let key = self.key(keys, r);
            if (passed.iter().filter(|(k, _)| same(k, &key)).count() as i64) < count {
                passed.push((key, Record { moment: r.moment.at(id.0), ..r.clone() }));
            }
        }
        passed.into_iter().map(|(_, r)| r).collect()
    }
}

/// What globals are worth, in the order of the plan.
pub(crate) fn globals(plan: &Plan) -> Vec<Value> {
    let mut globals: Vec<Value> = vec![];
    for g in &plan.globals {
        let value = g.value.as_ref().map_or(Ok(Value::Null), |e| eval(e, &|p| if let Place::Global(i) = p { globals[*i].clone() } else { Value::Null }));
        globals.push(value.unwrap_or(Value::Null));
    }
    globals
}

/// Whether two keys are one.
pub(crate) fn same(a: &[Value], b: &[Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_key(b))
}

/// Whether something that a node computes can refuse a record.
fn can_refuse(kind: &NodeKind, live: &BTreeSet<usize>) -> bool {
    let mut read: Vec<&Expr> = vec![];
    match kind {
        NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors | NodeKind::Merge { .. } => {}
        NodeKind::Filter { condition, .. } => read.push(condition),
        NodeKind::Project { columns, .. } => read.extend(live.iter().filter_map(|at| columns.get(*at))),
        NodeKind::Process { .. } => return true,
        NodeKind::Observe { observation, .. } => match observation {
            Observation::Print(e) | Observation::Sample { text: e, .. } | Observation::CountBy { label: e, .. } => read.push(e),
            Observation::Count(_) => {}
        },
        NodeKind::Window { aggregates, .. } => read.extend(aggregates.iter().flat_map(|call| call.args.iter().chain(&call.condition))),
        NodeKind::TopK { by, .. } => read.extend(by.iter().map(|rank| &rank.by)),
        NodeKind::Pattern(p) => {
            read.extend(p.steps.iter().flat_map(|s| s.unary.iter().chain(&s.correlated)));
            read.extend(p.negations.iter().flat_map(|n| n.unary.iter().chain(&n.correlated)));
            read.extend(p.aggregates.iter().flat_map(|(_, call)| call.args.iter().chain(&call.condition)));
        }
        NodeKind::Join { outer, .. } => read.extend(outer.iter().filter_map(|outer| outer.condition.as_ref())),
        NodeKind::Distinct { keys, .. } | NodeKind::Limit { keys, .. } => read.extend(keys),
        NodeKind::Lag { values, .. } => read.extend(values),
    }
    read.into_iter().any(|e| rejected::can_refuse(e) || loops(e))
}

fn loops(e: &Expr) -> bool {
    let mut any = matches!(e.kind, ExprKind::Gather(_) | ExprKind::Run(_));
    e.children(&mut |child| any |= loops(child));
    any
}

fn depths(plan: &Plan, live: &[BTreeSet<usize>]) -> Vec<usize> {
    let mut depths: Vec<usize> = vec![];
    for node in &plan.nodes {
        let behind = |input: &NodeId| {
            let kind = &plan.node(*input).kind;
            depths[input.0] + usize::from(!kind.is_passed() && !matches!(kind, NodeKind::Source { .. } | NodeKind::Timer { .. } | NodeKind::Errors))
        };
        let id = NodeId(depths.len());
        let handled = plan.nodes.iter().zip(&depths).enumerate();
        let handled = handled.filter(|(at, (other, _))| other.errors_to == Some(id) && can_refuse(&other.kind, &live[*at])).map(|(_, of)| of);
        let handled = handled.map(|(_, depth)| *depth).max().unwrap_or(0);
        let depth = node.kind.inputs().iter().map(behind).max().unwrap_or(handled);
        depths.push(depth);
    }
    depths
}
