//! What runs and shared elements keep of the events that took their steps.

use std::collections::BTreeMap;

use varpulis_abi::scalar::{Physical, Scalar};

use super::{RunLayout, several};
use crate::analysis::typed::Place;
use crate::lower::accumulators::Accumulators;
use crate::lower::assemble::Assembler;
use crate::lower::builder::{Builder, plain};
use crate::lower::frame::{Frame, Lowering};
use crate::lower::ir::{Arm, Body, Comparison, FieldType, KernelFunction, Op, Read, RecordId, Statement, ValueId};
use crate::plan::logical::{NodeId, Pattern};

/// What must be captured, copied out of the layout.
pub(super) struct Captures {
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
    pub(super) fn new(l: &RunLayout) -> Self {
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

/// `capture`, `extend`, `lift`, `prepend`, `absorb`.
pub(super) fn captures(a: &mut Assembler<'_>, node: NodeId, p: &Pattern, c: &Captures) -> Vec<KernelFunction> {
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

fn step_of(place: &Place) -> Option<usize> {
    match place {
        Place::Field { input, .. } | Place::Ts { input } | Place::First { input, .. } | Place::FirstTs { input } => Some(*input),
        _ => None,
    }
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
) -> Body {
    let owner = a.plan.node(node).error_owner();
    let mut b = Builder::new();
    let n = b.value(Op::Load { param, record, field: count }, plain(Scalar::Int));
    let zero = b.int(0);
    let first = b.compare(Comparison::Equal, n, zero);
    // What can refuse comes before anything is written.
    accumulators.fold(&mut b, &mut Lowering { a, frame: Frame::Step { node, port: port_index }, owner }, param);
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
fn prepend(c: &Captures, k: &KleeneCapture, places: &[(Place, usize, Physical)]) -> Body {
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
fn absorb(a: &Assembler<'_>, c: &Captures, k: &KleeneCapture, mine: &[(Place, usize, Physical)]) -> Body {
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
