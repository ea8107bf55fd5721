//! Predicate push-down: a condition moves in front of the projection, the window or the pattern step that it does not depend on.

use crate::analysis::typed::{Expr, ExprKind, Place};
use crate::analysis::types::Kind;
use crate::functions::aggregates::Aggregate;
use crate::plan::logical::{CURRENT, Node, NodeId, NodeKind, Plan, Window};

/// Moves conditions as far towards their sources as they go.
pub(super) fn apply(plan: &mut Plan) {
    // Each move brings a filter one node nearer to its source. Who is read by how many stays as it is: two nodes in a row change places.
    let counts = readers(plan);
    let mut moved = true;
    while moved {
        moved = false;
        for at in 0..plan.nodes.len() {
            moved |= push(plan, &counts, NodeId(at));
        }
    }
}

/// How many nodes and publications read each node.
fn readers(plan: &Plan) -> Vec<usize> {
    let mut counts = vec![0; plan.nodes.len()];
    let read = plan.consumers().into_iter().map(|(node, by)| (node, by.len())).chain(plan.publications.iter().map(|p| (p.node, 1)));
    for (node, times) in read {
        if let Some(count) = counts.get_mut(node.0) {
            *count += times;
        }
    }
    counts
}

fn push(plan: &mut Plan, readers: &[usize], filter: NodeId) -> bool {
    let NodeKind::Filter { input, condition } = &plan.node(filter).kind else { return false };
    let input = *input;
    // Whoever else reads the node in between still needs what the condition drops.
    if readers.get(input.0) != Some(&1) {
        return false;
    }
    let condition = condition.clone();
    match &plan.node(input).kind {
        NodeKind::Project { input: below, columns } if plan.firing(*below).is_none() => {
            let columns = columns.clone();
            // A column that can fail must still fail first; a computed one would be computed twice.
            let plain = columns.iter().all(|c| matches!(c.kind, ExprKind::Place(_) | ExprKind::Literal(_)));
            if !plain {
                return false;
            }
            let below = *below;
            let moved = condition.map_places(&mut |p, e| match p {
                Place::Field { field, .. } => columns.get(*field).map_or_else(|| e.clone(), |c| Expr { span: e.span, ty: e.ty.clone(), ..c.clone() }),
                _ => e.clone(),
            });
            swap(plan, filter, input, below, moved)
        }
        NodeKind::Project { input: below, columns } => {
            // Behind a window, pattern or join: the condition moves into the firing.
            let (below, columns) = (*below, columns.clone());
            if !columns.iter().all(|c| matches!(c.kind, ExprKind::Place(_) | ExprKind::Literal(_)) && !may_overflow(plan, below, c)) {
                return false;
            }
            let moved = condition.map_places(&mut |p, e| match p {
                Place::Field { field, .. } => columns.get(*field).map_or_else(|| e.clone(), |c| Expr { span: e.span, ty: e.ty.clone(), ..c.clone() }),
                Place::Ts { .. } => Expr { kind: ExprKind::Place(Place::Now), ..e.clone() },
                _ => e.clone(),
            });
            swap(plan, filter, input, below, moved)
        }
        NodeKind::Window { input: below, keys, window, .. } => {
            // A key's condition keeps or drops all records of the key. Count windows and sessions are per key too. A late record that a window
            // takes is not late, whatever becomes of the row.
            if matches!(window, Window::Late { .. }) {
                return false;
            }
            let (below, keys) = (*below, keys.clone());
            if plan.firing(below).is_some() || !condition_reads_only(&condition, |p| matches!(p, Place::Key(_) | Place::Global(_))) {
                return false;
            }
            let moved = condition.map_places(&mut |p, e| match p {
                Place::Key(i) => keys.get(*i).map_or_else(|| e.clone(), |k| Expr { span: e.span, ..k.clone() }),
                _ => e.clone(),
            });
            swap(plan, filter, input, below, moved)
        }
        NodeKind::Pattern(_) => push_into_first_step(plan, filter, input, &condition),
        _ => false,
    }
}

/// Whether it is a sum of a firing, which reading refuses where it has no room in its type.
fn may_overflow(plan: &Plan, firing: NodeId, e: &Expr) -> bool {
    let ExprKind::Place(Place::Aggregate(at)) = &e.kind else { return false };
    let call = match plan.firing(firing).map(|id| &plan.node(id).kind) {
        Some(NodeKind::Window { aggregates, .. }) => aggregates.get(*at),
        Some(NodeKind::Pattern(p)) => p.aggregates.get(*at).map(|(_, call)| call),
        _ => None,
    };
    call.is_some_and(|call| call.aggregate == Aggregate::Sum && call.ty.kind != Kind::Float)
}

fn condition_reads_only(e: &Expr, allowed: impl Fn(&Place) -> bool) -> bool {
    let mut only = true;
    let mut any = false;
    e.places(&mut |p| {
        any = true;
        only &= allowed(p);
    });
    only && any && !can_fail(e)
}

/// Whether an evaluation error can come of it, or it touches the program's state: then it stays where the program has it.
pub(crate) fn can_fail(e: &Expr) -> bool {
    e.touches_state() || refuses(e)
}

fn refuses(e: &Expr) -> bool {
    let mine = match &e.kind {
        ExprKind::Call(f, _) => f.row().fallible,
        ExprKind::Gather(gather) => gather.value.ty.scalar().is_text(),
        ExprKind::Binary(op, ..) => {
            use crate::syntax::ast::BinaryOp::{Add, Multiply, Subtract};
            matches!(op, Add | Subtract | Multiply) && e.ty.kind != crate::analysis::types::Kind::Float
        }
        ExprKind::Unary(crate::syntax::ast::UnaryOp::Negate, _) => e.ty.kind != crate::analysis::types::Kind::Float,
        _ => false,
    };
    let mut fails = mine;
    e.children(&mut |c| fails |= refuses(c));
    fails
}

/// `filter` over `input` over `below` becomes `input` over `filter` over `below`: the two nodes change places, so that whoever read the filter reads the same records.
fn swap(plan: &mut Plan, filter: NodeId, input: NodeId, below: NodeId, condition: Expr) -> bool {
    let (Some(upper), Some(lower)) = (plan.nodes.get(filter.0).cloned(), plan.nodes.get(input.0).cloned()) else { return false };
    let schema =
        if plan.firing(below).is_some() { Default::default() } else { crate::plan::logical::Schema { columns: plan.columns_of(below).to_vec(), open: None } };
    let mut kind = lower.kind;
    super::map_inputs(&mut kind, &mut |n| if n == below { input } else { n });
    // Consumers of the filter read `filter`; what fires must keep its id for its places, which are looked up along the chain.
    if let Some(slot) = plan.nodes.get_mut(filter.0) {
        *slot = Node { kind, schema: lower.schema, ..upper.clone() };
        slot.stream = lower.stream.clone();
        slot.span = lower.span;
        slot.errors_to = lower.errors_to;
    }
    if let Some(slot) = plan.nodes.get_mut(input.0) {
        *slot = Node { kind: NodeKind::Filter { input: below, condition }, schema, ..upper };
    }
    true
}

/// Under `next`, a condition on the first step alone decides which runs open, wherever it stands.
fn push_into_first_step(plan: &mut Plan, filter: NodeId, pattern: NodeId, condition: &Expr) -> bool {
    let NodeKind::Pattern(p) = &plan.node(pattern).kind else { return false };
    if p.steps.first().is_none_or(|s| s.kleene) {
        return false;
    }
    let parts = condition.clone().conjuncts();
    let first = |e: &Expr| condition_reads_only(e, |p| matches!(p, Place::Field { input: 0, .. } | Place::Ts { input: 0 } | Place::Global(_)));
    let (moved, rest): (Vec<Expr>, Vec<Expr>) = parts.into_iter().partition(first);
    if moved.is_empty() {
        return false;
    }
    let moved: Vec<Expr> = moved
        .into_iter()
        .map(|e| {
            e.map_places(&mut |p, e| {
                let place = match p {
                    Place::Field { field, .. } => Place::Field { input: CURRENT, field: *field },
                    Place::Ts { .. } => Place::Ts { input: CURRENT },
                    other => other.clone(),
                };
                Expr { kind: ExprKind::Place(place), ..e.clone() }
            })
        })
        .collect();
    if let Some(Node { kind: NodeKind::Pattern(p), .. }) = plan.nodes.get_mut(pattern.0)
        && let Some(step) = p.steps.first_mut()
    {
        step.unary.extend(moved);
    }
    let span = condition.span;
    if let Some(Node { kind: NodeKind::Filter { condition, .. }, .. }) = plan.nodes.get_mut(filter.0) {
        *condition = Expr::all(rest, span);
    }
    true
}
