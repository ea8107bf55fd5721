//! Which events their first fields reject (§10), from the definition: every stream that reads the event begins with a condition over one of the
//! fields read that is not true, and no condition before it can refuse.

use std::collections::{BTreeMap, BTreeSet};

use varpulis_compiler::analysis::typed::{Expr, ExprKind, Place};
use varpulis_compiler::analysis::types::Kind;
use varpulis_compiler::plan::logical::{NodeId, NodeKind, Plan};
use varpulis_compiler::syntax::ast::{BinaryOp, UnaryOp};

use crate::expression::{eval, holds};
use crate::value::Value;

pub(crate) struct Conditions<'p> {
    pub plan: &'p Plan,
    pub globals: &'p [Value],
}

impl Conditions<'_> {
    /// Whether nothing behind a node keeps an event of which these fields are known.
    pub(crate) fn reject(&self, node: NodeId, fields: &BTreeMap<usize, Value>) -> bool {
        let published = self.plan.publications.iter().any(|p| p.node == node);
        let readers = self.plan.consumers().remove(&node).unwrap_or_default();
        !published && readers.into_iter().filter(|r| self.counts(*r)).all(|r| self.filtered(r, fields))
    }

    /// Whether something that is published or observed needs a node.
    fn counts(&self, node: NodeId) -> bool {
        let observed = matches!(self.plan.node(node).kind, NodeKind::Observe { .. });
        let readers = self.plan.consumers().remove(&node).unwrap_or_default();
        observed || self.plan.publications.iter().any(|p| p.node == node) || readers.into_iter().any(|r| self.counts(r))
    }

    fn filtered(&self, node: NodeId, fields: &BTreeMap<usize, Value>) -> bool {
        let NodeKind::Filter { condition, .. } = &self.plan.node(node).kind else { return false };
        let read = |p: &Place| match p {
            Place::Global(i) => self.globals[*i].clone(),
            Place::Field { field, .. } => fields.get(field).cloned().unwrap_or(Value::Null),
            _ => Value::Null,
        };
        for part in decided(condition).conjuncts() {
            if only_field(&part).is_some_and(|f| fields.contains_key(&f)) && holds(&part, true, &read) == Ok(false) {
                return true;
            }
            if can_refuse(&part) {
                return false;
            }
        }
        self.reject(node, fields)
    }
}

/// The expression without choices that are made before any record comes: what is not chosen is not read. (Where the choice changes the type, in
/// that it may not be null, it stands.)
pub(crate) fn decided(e: &Expr) -> Expr {
    let e = e.map_children(&mut decided);
    let ExprKind::If(condition, then, otherwise) = &e.kind else { return e };
    let chosen = match is_constant(condition).then(|| eval(condition, &|_| Value::Null)) {
        Some(Ok(Value::Bool(known))) => {
            if known {
                then
            } else {
                otherwise
            }
        }
        _ => return e,
    };
    if chosen.ty == e.ty || matches!(chosen.kind, ExprKind::Literal(_)) { Expr { ty: e.ty.clone(), ..chosen.as_ref().clone() } } else { e }
}

/// Whether all that it is made of is known: it reads no record, no element and no variable.
fn is_constant(e: &Expr) -> bool {
    let mut constant = !matches!(e.kind, ExprKind::Place(_) | ExprKind::Element(_) | ExprKind::Variable(_) | ExprKind::Gather(_) | ExprKind::Run(_));
    e.children(&mut |child| constant &= is_constant(child));
    constant
}

/// The field that an expression reads, if that and globals are all it reads.
fn only_field(e: &Expr) -> Option<usize> {
    let (mut fields, mut others) = (BTreeSet::new(), false);
    e.places(&mut |p| match p {
        Place::Field { field, .. } => {
            fields.insert(*field);
        }
        Place::Global(_) => {}
        _ => others = true,
    });
    if others || fields.len() != 1 { None } else { fields.pop_first() }
}

/// Whether the expression can refuse a record: integers that overflow, functions that have no value. Constants are known beforehand.
pub(crate) fn can_refuse(e: &Expr) -> bool {
    let mut constant = true;
    e.places(&mut |_| constant = false);
    if constant {
        return eval(e, &|_| Value::Null).is_err();
    }
    let whole = e.ty.kind != Kind::Float;
    let mut can = match &e.kind {
        ExprKind::Call(f, _) => f.row().fallible,
        ExprKind::Binary(op, ..) => whole && matches!(op, BinaryOp::Add | BinaryOp::Subtract | BinaryOp::Multiply),
        ExprKind::Unary(UnaryOp::Negate, _) => whole,
        _ => false,
    };
    e.children(&mut |c| can |= can_refuse(c));
    can
}
