//! Pattern kernels: what a run keeps of the events that took its steps, and the conditions on them.

mod captures;
mod conditions;

use std::collections::BTreeMap;

use varpulis_abi::scalar::{Physical, Scalar};

use super::accumulators::{Accumulators, label_of};
use super::assemble::Assembler;
use super::builder::{Builder, plain};
use super::ir::{FieldType, Op, Record, RecordField, RecordId, ValueId};
use super::kernels::StateKind;
use crate::analysis::typed::{Expr, ExprKind, Place};
use crate::plan::logical::{NodeId, NodeKind, Pattern};
use crate::plan::physical::{Config, Operator};

/// The fields of a run.
pub(super) struct RunLayout {
    record: RecordId,
    elements: RecordId,
    pattern: Pattern,
    /// Captured places, and their fields.
    captured: BTreeMap<Place, (usize, Physical)>,
    /// Per Kleene step: its element count, and its aggregates in the run and in an element.
    kleene: BTreeMap<usize, Kleene>,
}

struct Kleene {
    count: usize,
    run: Accumulators,
    element_count: usize,
    element: Accumulators,
    shared: bool,
    /// Captured places in an element: place → field.
    element_places: BTreeMap<Place, usize>,
}

impl RunLayout {
    pub(super) fn new(a: &mut Assembler<'_>, operator: &mut Operator, node: NodeId, p: &Pattern, keys: RecordId) -> Self {
        let stream = a.plan.node(node).stream.clone();
        let record = a.add_record(Record {
            name: format!("{}Run", operator.name),
            fields: vec![],
            shapes: vec![],
            stored: true,
            doc: format!("What a run of `{stream}` keeps."),
        });
        let elements = a.add_record(Record {
            name: format!("{}Element", operator.name),
            fields: vec![],
            shapes: vec![],
            stored: true,
            doc: format!("An element of a Kleene step of `{stream}`."),
        });
        let mut layout = Self { record, elements, pattern: p.clone(), captured: BTreeMap::new(), kleene: BTreeMap::new() };
        for (step, s) in p.steps.iter().enumerate().filter(|(_, s)| s.kleene) {
            let calls: Vec<_> = p.aggregates.iter().filter(|(at, _)| *at == step).map(|(_, c)| c.clone()).collect();
            let port = operator.ports.get(s.input).copied().unwrap_or(RecordId(0));
            let columns: Vec<String> = a.program.record(port).fields.iter().map(|f| f.name.clone()).collect();
            let column = |p: &Place| if let Place::Field { field, .. } = p { columns.get(*field).cloned() } else { None };
            let alias = layout.alias(step);
            let make = |a: &mut Assembler<'_>, record: RecordId| {
                let mut fields = a.program.record(record).fields.clone();
                let count = fields.len();
                fields.push(RecordField { name: format!("{alias}_len"), ty: FieldType::Scalar(plain(Scalar::Int)) });
                let accumulators = Accumulators::new(record, &alias, &calls, &|e| label_of(e, &column), &mut fields);
                if let Some(r) = a.program.records.get_mut(record.0 as usize) {
                    r.fields = fields;
                }
                (count, accumulators)
            };
            let (count, run) = make(a, record);
            let (element_count, element) = make(a, elements);
            let shared = is_shareable(p, step) && !run.has_objects();
            layout.kleene.insert(step, Kleene { count, run, element_count, element, shared, element_places: BTreeMap::new() });
        }
        operator.kernel = "PatternKernel";
        operator.runtime = "PatternMatcher";
        operator.firing = "MatchFiring";
        operator.stores.extend([("Runs", record), ("Elements", elements)]);
        operator.parts = vec![("key", keys), ("run", record)];
        operator.timed = p.negations.iter().any(|n| !n.whole && n.after + 1 == p.steps.len());
        operator.config = vec![layout.spec()];
        operator.memory = "runs in the span × (captures + 40 B)".to_owned();
        layout
    }

    fn alias(&self, step: usize) -> String {
        self.pattern.steps.get(step).and_then(|s| s.alias.clone()).unwrap_or_else(|| format!("step{}", step + 1))
    }

    fn spec(&self) -> Config {
        let p = &self.pattern;
        let steps = p
            .steps
            .iter()
            .enumerate()
            .map(|(i, s)| {
                Config::Struct(
                    "StepSpec",
                    vec![
                        ("kleene", Config::Bool(s.kleene)),
                        ("fallible", Config::Bool(conditions::is_fallible(p, s.input, &s.unary))),
                        ("correlated", Config::Bool(!s.correlated.is_empty())),
                        ("within", Config::Int(s.within.unwrap_or(i64::MAX))),
                        ("shared", Config::Bool(self.kleene.get(&i).is_some_and(|k| k.shared))),
                    ],
                )
            })
            .collect();
        let negations = p
            .negations
            .iter()
            .map(|n| {
                Config::Struct(
                    "NegationSpec",
                    vec![
                        ("after", Config::Int(n.after as i64)),
                        ("whole", Config::Bool(n.whole)),
                        ("fallible", Config::Bool(conditions::is_fallible(p, n.input, &n.unary))),
                        ("correlated", Config::Bool(!n.correlated.is_empty())),
                    ],
                )
            })
            .collect();
        Config::Struct(
            "PatternSpec",
            vec![("steps", Config::List(steps)), ("negations", Config::List(negations)), ("within", Config::Int(p.within.unwrap_or(i64::MAX)))],
        )
    }

    /// Reads a place of the run; in a kernel, of a run that an event on `port` is examined against.
    #[expect(clippy::too_many_arguments, reason = "the parts of one look-up")]
    pub(super) fn place(
        &mut self,
        a: &mut Assembler<'_>,
        b: &mut Builder,
        node: NodeId,
        place: &Place,
        ty: Physical,
        port: Option<usize>,
        keys: RecordId,
    ) -> ValueId {
        if let Place::Aggregate(i) = place {
            let Some((step, _)) = self.pattern.aggregates.get(*i) else { return b.value(Op::Null, ty) };
            let local = self.pattern.aggregates.iter().take(*i).filter(|(s, _)| s == step).count();
            return match self.kleene.get(step) {
                Some(k) => {
                    let owner = a.plan.node(node).error_owner();
                    k.run.finish(b, local, "run", &mut |span| a.site(&owner, span))
                }
                None => b.value(Op::Null, ty),
            };
        }
        if let Place::Field { input, field } | Place::First { input, field } = place
            && let Some(key) = self.key_of(*input, *field)
        {
            // Every event of a match has the same key: no need to keep it again.
            match port {
                None => return b.value(Op::Load { param: "key", record: keys, field: key }, ty),
                Some(port) => {
                    if let Some(Expr { kind: ExprKind::Place(Place::Field { field, .. }), .. }) = self.pattern.keys.get(port).and_then(|k| k.get(key)) {
                        let record = a.port_record_of(node, port);
                        let stored = a.program.record(record).fields.get(*field).map(|f| f.ty);
                        if stored == Some(FieldType::Scalar(ty)) {
                            return b.value(Op::Load { param: "row", record, field: *field }, ty);
                        }
                    }
                }
            }
        }
        let field = self.field(a, place, ty);
        let stored = self.captured.get(place).map_or(ty, |c| c.1);
        let value = b.value(Op::Load { param: "run", record: self.record, field }, stored);
        b.fit(value, ty)
    }

    /// The key column that a step's field is, if it is one.
    fn key_of(&self, step: usize, field: usize) -> Option<usize> {
        let port = self.pattern.steps.get(step)?.input;
        let key = self.pattern.keys.get(port)?.iter().position(|k| matches!(k.kind, ExprKind::Place(Place::Field { field: f, .. }) if f == field))?;
        let own = self.pattern.keys.get(port)?.get(key)?.ty.nullable;
        (self.pattern.key_columns.get(key)?.ty.nullable == own).then_some(key)
    }

    fn field(&mut self, a: &mut Assembler<'_>, place: &Place, ty: Physical) -> usize {
        if let Some((field, _)) = self.captured.get(place) {
            return *field;
        }
        let (step, name) = match place {
            Place::Field { input, field } => (*input, self.column(a, *input, *field)),
            Place::First { input, field } => (*input, format!("first_{}", self.column(a, *input, *field))),
            Place::Ts { input } => (*input, "ts".to_owned()),
            Place::FirstTs { input } => (*input, "first_ts".to_owned()),
            _ => (0, "value".to_owned()),
        };
        let base = format!("{}_{name}", self.alias(step));
        let field = add_field(a, self.record, &base, ty);
        self.captured.insert(place.clone(), (field, ty));
        if let Some(k) = self.kleene.get_mut(&step) {
            let at = add_field(a, self.elements, &base, ty);
            k.element_places.insert(place.clone(), at);
        }
        field
    }

    fn column(&self, a: &Assembler<'_>, step: usize, field: usize) -> String {
        let node = self.pattern.steps.get(step).and_then(|s| self.pattern.inputs.get(s.input));
        node.and_then(|n| a.plan.columns_of(*n).get(field)).map_or_else(|| "field".to_owned(), |c| c.name.clone())
    }
}

fn add_field(a: &mut Assembler<'_>, record: RecordId, base: &str, ty: Physical) -> usize {
    let Some(r) = a.program.records.get_mut(record.0 as usize) else { return 0 };
    let taken = |n: &str| r.fields.iter().any(|f| f.name == n);
    let name = if taken(base) { (2..).map(|i| format!("{base}_{i}")).find(|n| !taken(n)).unwrap_or_default() } else { base.to_owned() };
    r.fields.push(RecordField { name, ty: FieldType::Scalar(ty) });
    r.fields.len() - 1
}

/// Whether runs that fill a Kleene step may share its elements: nothing asks a single run before the next step is taken.
fn is_shareable(p: &Pattern, step: usize) -> bool {
    let own = p.steps.get(step).is_some_and(|s| s.correlated.is_empty());
    let next = p.steps.get(step + 1).is_some_and(|s| s.correlated.is_empty() && s.within.is_none());
    let negations = p.negations.iter().filter(|n| n.whole || n.after == step).all(|n| n.correlated.is_empty());
    own && next && negations && p.steps.get(step).is_some_and(|s| s.within.is_none())
}

/// Makes the kernels of all patterns. Chains behind them are lowered already, so that it is known what a run must keep.
pub(super) fn finish(a: &mut Assembler<'_>) {
    let mut nodes: Vec<NodeId> = a.operators.iter().filter(|(_, s)| matches!(s.kind, StateKind::Pattern(_))).map(|(n, _)| *n).collect();
    nodes.sort();
    for node in nodes {
        let NodeKind::Pattern(p) = &a.plan.node(node).kind else { continue };
        let p = p.clone();
        let mut functions = conditions::conditions(a, node, &p);
        let Some(state) = a.operators.get(&node) else { continue };
        let id = state.id;
        let StateKind::Pattern(layout) = &state.kind else { continue };
        let plan = captures::Captures::new(layout);
        functions.extend(captures::captures(a, node, &p, &plan));
        if let Some(o) = a.program.operators.get_mut(id.0 as usize) {
            o.functions.extend(functions);
        }
    }
}

fn several(p: &Pattern, port: usize) -> Option<usize> {
    (p.inputs.len() > 1).then_some(port)
}

impl Assembler<'_> {
    /// The record of a pattern's port; the operator exists, though its state may be at work elsewhere.
    pub(super) fn port_record_of(&mut self, node: NodeId, port: usize) -> RecordId {
        let NodeKind::Pattern(p) = &self.plan.node(node).kind else { return RecordId(0) };
        match p.inputs.get(port).copied() {
            Some(input) => self.record_of(input),
            None => RecordId(0),
        }
    }
}
