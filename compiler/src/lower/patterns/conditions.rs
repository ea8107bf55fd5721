//! The conditions of a pattern: which steps an event fits by itself, and which runs it extends or ends.

use varpulis_abi::scalar::Scalar;

use super::several;
use crate::analysis::typed::{Expr, Place};
use crate::lower::assemble::Assembler;
use crate::lower::builder::{Builder, plain};
use crate::lower::expression::truth;
use crate::lower::frame::{Frame, Lowering};
use crate::lower::ir::{Arm, Comparison, KernelFunction, Op, Statement, ValueId};
use crate::lower::kernels::StateKind;
use crate::optimize::can_fail;
use crate::plan::logical::{CURRENT, NodeId, Pattern};

/// Whether a step or absence is asked by itself: its condition on the event alone may refuse it, and others look at the same events. What one
/// refuses, another may take.
pub(super) fn is_fallible(p: &Pattern, input: usize, unary: &[Expr]) -> bool {
    members(p).filter(|(other, _)| *other == input).count() > 1 && unary.iter().any(can_fail)
}

/// The input and the conditions on the event alone, of each step and absence.
fn members(p: &Pattern) -> impl Iterator<Item = (usize, &[Expr])> {
    p.steps.iter().map(|s| (s.input, s.unary.as_slice())).chain(p.negations.iter().map(|n| (n.input, n.unary.as_slice())))
}

/// `classify`, `satisfies`, `fits` and `kills`.
pub(super) fn conditions(a: &mut Assembler<'_>, node: NodeId, p: &Pattern) -> Vec<KernelFunction> {
    let owner = a.plan.node(node).error_owner();
    let (mut classify, mut satisfies) = (vec![], vec![]);
    for port in 0..p.inputs.len() {
        let mut b = Builder::new();
        let mut bits = vec![];
        for (at, (_, unary)) in members(p).enumerate().filter(|(_, (input, _))| *input == port) {
            let open = if is_fallible(p, port, unary) { unary.iter().position(can_fail).unwrap_or(unary.len()) } else { unary.len() };
            let (known, rest) = unary.split_at(open);
            let mut cx = Lowering { a, frame: Frame::Step { node, port }, owner: owner.clone() };
            bits.push((at as u32, all(&mut b, &mut cx, known)));
            if !rest.is_empty() {
                let mut b = Builder::new();
                let result = all(&mut b, &mut cx, rest);
                b.statement(Statement::Return(result));
                satisfies.push(Arm { port: several(p, port), index: Some(at), body: b.finish() });
            }
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
            let mut cx = Lowering { a, frame: Frame::Step { node, port: s.input }, owner: owner.clone() };
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
        let result = all(&mut b, &mut Lowering { a, frame: Frame::Step { node, port: n.input }, owner: owner.clone() }, &n.correlated);
        b.statement(Statement::Return(result));
        kills.push(Arm { port: several(p, n.input), index: Some(at), body: b.finish() });
    }
    let functions = [("classify", classify), ("satisfies", satisfies), ("fits", fits), ("kills", kills)];
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
