//! Constant folding: expressions without places become literals, and conditions that are known disappear.

use super::map_expressions;
use crate::analysis::typed::{Expr, ExprKind, Literal};
use crate::plan::logical::Plan;

/// Folds every expression of the plan.
pub(super) fn apply(plan: &mut Plan) {
    for node in &mut plan.nodes {
        map_expressions(&mut node.kind, &mut fold);
    }
}

/// The same expression, with its constant parts computed. What would fail is left to fail at run time, where records are refused.
pub(crate) fn fold(e: &Expr) -> Expr {
    let e = e.map_children(&mut fold);
    if matches!(e.kind, ExprKind::Literal(_) | ExprKind::Place(_) | ExprKind::Element(_) | ExprKind::Variable(_)) {
        return e;
    }
    if let ExprKind::If(c, a, b) = &e.kind
        && let Some(Literal::Bool(known)) = c.as_literal()
    {
        let chosen = if *known { a } else { b };
        // Where the other branch makes the whole nullable, the choice is what makes this one so.
        let fits = chosen.ty == e.ty || chosen.as_literal().is_some();
        return if fits { Expr { ty: e.ty.clone(), ..chosen.as_ref().clone() } } else { e };
    }
    match is_known(&e).then(|| crate::evaluate::constant(&e)) {
        Some(Ok(Some(value))) => Expr::literal(value, e.ty, e.span),
        _ => e,
    }
}

/// Whether all that it is made of is: literals and, in a function's statements, its own variables.
fn is_known(e: &Expr) -> bool {
    let mut known = true;
    match &e.kind {
        ExprKind::Run(run) => run.expressions(&mut |inner| known &= is_closed(inner)),
        _ => e.children(&mut |c| known &= matches!(c.kind, ExprKind::Literal(_))),
    }
    known
}

fn is_closed(e: &Expr) -> bool {
    let mut closed = !matches!(e.kind, ExprKind::Place(_) | ExprKind::Element(_));
    e.children(&mut |c| closed &= is_closed(c));
    closed
}
