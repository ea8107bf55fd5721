//! Pattern kernels: what a run keeps of the events that took its steps, and the conditions on them.

use std::collections::BTreeMap;

use varpulis_abi::scalar::{Physical, Scalar};

use super::accumulators::{Accumulators, label_of};
use super::assemble::{Assembler, Frame, Lowering};
use super::builder::{Builder, plain};
use super::expression::truth;
use super::ir::{Arm, Comparison, FieldType, KernelFunction, Op, Read, Record, RecordField, RecordId, Statement, ValueId};
use super::kernels::StateKind;
use crate::analysis::typed::{Expr, ExprKind, Place};
use crate::plan::logical::{CURRENT, NodeId, NodeKind, Pattern};
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
            variants: vec![],
            stored: true,
            doc: format!("What a run of `{stream}` keeps."),
        });
        let elements = a.add_record(Record {
            name: format!("{}Element", operator.name),
            fields: vec![],
            variants: vec![],
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
                    vec![("after", Config::Int(n.after as i64)), ("whole", Config::Bool(n.whole)), ("correlated", Config::Bool(!n.correlated.is_empty()))],
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
                Some(k) => k.run.finish(b, local, "run"),
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
        let mut functions = conditions(a, node, &p);
        let Some(state) = a.operators.get(&node) else { continue };
        let id = state.id;
        let StateKind::Pattern(layout) = &state.kind else { continue };
        let plan = Captures::new(layout);
        functions.extend(captures(a, node, &p, &plan));
        if let Some(o) = a.program.operators.get_mut(id.0 as usize) {
            o.functions.extend(functions);
        }
    }
}

fn several(p: &Pattern, port: usize) -> Option<usize> {
    (p.inputs.len() > 1).then_some(port)
}

/// `classify`, `fits` and `kills`.
fn conditions(a: &mut Assembler<'_>, node: NodeId, p: &Pattern) -> Vec<KernelFunction> {
    let stream = a.plan.node(node).stream.clone();
    let mut classify = vec![];
    for port in 0..p.inputs.len() {
        let mut b = Builder::new();
        let mut bits = vec![];
        let members = p.steps.iter().map(|s| (s.input, &s.unary)).chain(p.negations.iter().map(|n| (n.input, &n.unary)));
        for (bit, (_, unary)) in members.enumerate().filter(|(_, (input, _))| *input == port) {
            let fits = all(&mut b, &mut Lowering { a, frame: Frame::Step { node, port }, stream: stream.clone() }, unary);
            bits.push((bit as u32, fits));
        }
        let mask = b.value(Op::Mask(bits), plain(Scalar::Int));
        b.statement(Statement::Return(mask));
        classify.push(Arm { port: several(p, port), index: None, body: b.finish() });
    }
    let mut fits = vec![];
    for (step, s) in p.steps.iter().enumerate().filter(|(_, s)| !s.correlated.is_empty()) {
        let mut b = Builder::new();
        let guard = s.kleene.then(|| kleene_started(a, &mut b, node, step)).flatten();
        let mut result: Option<ValueId> = None;
        for e in &s.correlated {
            let own = guard.filter(|_| reads_step(e, step, p));
            let mut cx = Lowering { a, frame: Frame::Step { node, port: s.input }, stream: stream.clone() };
            let mut test = |b: &mut Builder| match own {
                // A condition on the elements taken so far applies from the second one on.
                Some(started) => {
                    let fresh = b.not(started);
                    b.or(fresh, |b| truth(b, &mut cx, e, true))
                }
                None => truth(b, &mut cx, e, true),
            };
            result = Some(match result {
                None => test(&mut b),
                Some(before) => b.and(before, test),
            });
        }
        let result = result.unwrap_or_else(|| b.boolean(true));
        b.statement(Statement::Return(result));
        fits.push(Arm { port: several(p, s.input), index: Some(step), body: b.finish() });
    }
    let mut kills = vec![];
    for (at, n) in p.negations.iter().enumerate().filter(|(_, n)| !n.correlated.is_empty()) {
        let mut b = Builder::new();
        let result = all(&mut b, &mut Lowering { a, frame: Frame::Step { node, port: n.input }, stream: stream.clone() }, &n.correlated);
        b.statement(Statement::Return(result));
        kills.push(Arm { port: several(p, n.input), index: Some(at), body: b.finish() });
    }
    let functions = [("classify", classify), ("fits", fits), ("kills", kills)];
    functions.into_iter().filter(|(_, arms)| !arms.is_empty()).map(|(name, arms)| KernelFunction { name, arms }).collect()
}

fn all(b: &mut Builder, cx: &mut Lowering<'_, '_>, conditions: &[Expr]) -> ValueId {
    let mut result: Option<ValueId> = None;
    for e in conditions {
        result = Some(match result {
            None => truth(b, cx, e, true),
            Some(before) => b.and(before, |b| truth(b, cx, e, true)),
        });
    }
    result.unwrap_or_else(|| b.boolean(true))
}

fn reads_step(e: &Expr, step: usize, p: &Pattern) -> bool {
    let mut reads = false;
    e.places(&mut |place| {
        reads |= match place {
            Place::Field { input, .. } | Place::Ts { input } | Place::First { input, .. } | Place::FirstTs { input } => *input == step && *input != CURRENT,
            Place::Aggregate(i) => p.aggregates.get(*i).is_some_and(|(s, _)| *s == step),
            _ => false,
        };
    });
    reads
}

/// Whether the run's Kleene step has an element.
fn kleene_started(a: &mut Assembler<'_>, b: &mut Builder, node: NodeId, step: usize) -> Option<ValueId> {
    let state = a.operators.get(&node)?;
    let StateKind::Pattern(layout) = &state.kind else { return None };
    let count = layout.kleene.get(&step)?.count;
    let n = b.value(Op::Load { param: "run", record: layout.record, field: count }, plain(Scalar::Int));
    let zero = b.int(0);
    Some(b.compare(Comparison::Greater, n, zero))
}

/// What must be captured, copied out of the layout.
struct Captures {
    record: RecordId,
    elements: RecordId,
    captured: Vec<(Place, usize, Physical)>,
    kleene: Vec<KleeneCapture>,
}

struct KleeneCapture {
    step: usize,
    count: usize,
    element_count: usize,
    run: Accumulators,
    element: Accumulators,
    places: Vec<(Place, usize)>,
    shared: bool,
}

impl Captures {
    fn new(l: &RunLayout) -> Self {
        let kleene = l
            .kleene
            .iter()
            .map(|(step, k)| KleeneCapture {
                step: *step,
                count: k.count,
                element_count: k.element_count,
                run: k.run.clone(),
                element: k.element.clone(),
                places: k.element_places.iter().map(|(p, f)| (p.clone(), *f)).collect(),
                shared: k.shared,
            })
            .collect();
        Self { record: l.record, elements: l.elements, captured: l.captured.iter().map(|(p, (f, t))| (p.clone(), *f, *t)).collect(), kleene }
    }
}

fn step_of(place: &Place) -> Option<usize> {
    match place {
        Place::Field { input, .. } | Place::Ts { input } | Place::First { input, .. } | Place::FirstTs { input } => Some(*input),
        _ => None,
    }
}

/// `capture`, `extend`, `lift`, `prepend`, `absorb`.
fn captures(a: &mut Assembler<'_>, node: NodeId, p: &Pattern, c: &Captures) -> Vec<KernelFunction> {
    let mut functions: BTreeMap<&'static str, Vec<Arm>> = BTreeMap::new();
    for (step, s) in p.steps.iter().enumerate() {
        let port = a.port_record_of(node, s.input);
        let arm = |body| Arm { port: several(p, s.input), index: Some(step), body };
        let mine: Vec<(Place, usize, Physical)> = c.captured.iter().filter(|(place, ..)| step_of(place) == Some(step)).cloned().collect();
        if !s.kleene {
            let mut b = Builder::new();
            for (place, field, ty) in &mine {
                let value = current(&mut b, place, port, *ty);
                b.statement(Statement::Store { param: "run", record: c.record, field: *field, value });
            }
            if !mine.is_empty() {
                functions.entry("capture").or_default().push(arm(b.finish()));
            }
            continue;
        }
        let Some(k) = c.kleene.iter().find(|k| k.step == step) else { continue };
        let in_run: Vec<(Place, usize, Physical)> = mine.clone();
        let body = element(a, node, s.input, port, "run", c.record, k.count, &in_run, &k.run);
        functions.entry("extend").or_default().push(arm(body));
        if k.shared {
            let in_element: Vec<(Place, usize, Physical)> =
                k.places.iter().filter_map(|(place, f)| mine.iter().find(|m| m.0 == *place).map(|m| (place.clone(), *f, m.2))).collect();
            let body = element(a, node, s.input, port, "element", c.elements, k.element_count, &in_element, &k.element);
            functions.entry("lift").or_default().push(arm(body));
            functions.entry("prepend").or_default().push(Arm { port: None, index: Some(step), body: prepend(c, k, &in_element) });
            functions.entry("absorb").or_default().push(Arm { port: None, index: Some(step), body: absorb(a, c, k, &mine) });
        }
    }
    functions.into_iter().map(|(name, arms)| KernelFunction { name, arms }).collect()
}

/// A captured place of the event at hand.
fn current(b: &mut Builder, place: &Place, port: RecordId, ty: Physical) -> ValueId {
    match place {
        Place::Field { field, .. } | Place::First { field, .. } => b.value(Op::Load { param: "row", record: port, field: *field }, ty),
        _ => b.value(Op::Read(Read::Ts), ty),
    }
}

/// Adds an element to a slot: count, newest and first values, aggregates.
#[expect(clippy::too_many_arguments, reason = "one slot or the other")]
fn element(
    a: &mut Assembler<'_>,
    node: NodeId,
    port_index: usize,
    port: RecordId,
    param: &'static str,
    record: RecordId,
    count: usize,
    places: &[(Place, usize, Physical)],
    accumulators: &Accumulators,
) -> super::ir::Body {
    let stream = a.plan.node(node).stream.clone();
    let mut b = Builder::new();
    let n = b.value(Op::Load { param, record, field: count }, plain(Scalar::Int));
    let zero = b.int(0);
    let first = b.compare(Comparison::Equal, n, zero);
    // What can refuse comes before anything is written.
    accumulators.fold(&mut b, &mut Lowering { a, frame: Frame::Step { node, port: port_index }, stream }, param);
    let (firsts, newest): (Vec<_>, Vec<_>) = places.iter().partition(|(p, ..)| matches!(p, Place::First { .. } | Place::FirstTs { .. }));
    let store = |b: &mut Builder, list: &[&(Place, usize, Physical)]| {
        for (place, field, ty) in list {
            let value = current(b, place, port, *ty);
            b.statement(Statement::Store { param, record, field: *field, value });
        }
    };
    if !firsts.is_empty() {
        let then = b.region(|b| {
            store(b, &firsts);
            None
        });
        b.statement(Statement::If { condition: first, then: then.statements, otherwise: vec![] });
    }
    store(&mut b, &newest);
    let one = b.int(1);
    let more = b.value(Op::AddCounts(n, one), plain(Scalar::Int));
    b.statement(Statement::Store { param, record, field: count, value: more });
    b.finish()
}

/// An older element in front of a suffix: its first values replace the suffix's, counts and aggregates are merged.
fn prepend(c: &Captures, k: &KleeneCapture, places: &[(Place, usize, Physical)]) -> super::ir::Body {
    let mut b = Builder::new();
    let record = c.elements;
    let empty = {
        let n = b.value(Op::Load { param: "suffix", record, field: k.element_count }, plain(Scalar::Int));
        let zero = b.int(0);
        b.compare(Comparison::Equal, n, zero)
    };
    for (place, field, ty) in places {
        let first = matches!(place, Place::First { .. } | Place::FirstTs { .. });
        let copy = |b: &mut Builder| {
            let value = b.value(Op::Load { param: "older", record, field: *field }, *ty);
            b.statement(Statement::Store { param: "suffix", record, field: *field, value });
        };
        if first {
            copy(&mut b);
        } else {
            let then = b.region(|b| {
                copy(b);
                None
            });
            b.statement(Statement::If { condition: empty, then: then.statements, otherwise: vec![] });
        }
    }
    k.element.merge(&mut b, "suffix", "older", "suffix");
    let (o, s) = (
        b.value(Op::Load { param: "older", record, field: k.element_count }, plain(Scalar::Int)),
        b.value(Op::Load { param: "suffix", record, field: k.element_count }, plain(Scalar::Int)),
    );
    let sum = b.value(Op::AddCounts(o, s), plain(Scalar::Int));
    b.statement(Statement::Store { param: "suffix", record, field: k.element_count, value: sum });
    b.finish()
}

/// Copies a suffix into a run: fields stand in the same order in both.
fn absorb(a: &Assembler<'_>, c: &Captures, k: &KleeneCapture, mine: &[(Place, usize, Physical)]) -> super::ir::Body {
    let mut b = Builder::new();
    let mut copy = |from: usize, to: usize, ty: Physical| {
        let value = b.value(Op::Load { param: "suffix", record: c.elements, field: from }, ty);
        b.statement(Statement::Store { param: "run", record: c.record, field: to, value });
    };
    copy(k.element_count, k.count, plain(Scalar::Int));
    for (place, from) in &k.places {
        if let Some((_, to, ty)) = mine.iter().find(|m| m.0 == *place) {
            copy(*from, *to, *ty);
        }
    }
    let fields = |r: RecordId| a.program.record(r).fields.clone();
    let (run, element) = (fields(c.record), fields(c.elements));
    for (from, to) in k.element.fields().zip(k.run.fields()) {
        if let (Some(FieldType::Scalar(ty)), Some(_)) = (element.get(from).map(|f| f.ty), run.get(to)) {
            copy(from, to, ty);
        }
    }
    b.finish()
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
