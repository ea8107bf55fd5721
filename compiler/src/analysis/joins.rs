//! Joins: their conditions, the equalities among them that become keys, and how far apart in time their members may be.

use std::rc::Rc;

use super::Analyzer;
use super::scope::{Scope, ScopeInput};
use super::streams::StreamBuilder;
use super::typed::{Expr, ExprKind, Place};
use super::types::Kind;
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Column, NodeKind, Schema};
use crate::syntax::ast::{self, BinaryOp, JoinKind, Span};

impl<'a> Analyzer<'a> {
    /// The two sides of a join, each with names that are not the other's.
    fn join_sides(&mut self, name: &str, left: &'a ast::StreamArg, right: &'a ast::StreamArg) -> Option<(StreamBuilder, StreamBuilder)> {
        let (mut l, mut r) = (self.stream_arg(name, left)?, self.stream_arg(name, right)?);
        if l.names.first() == r.names.first() {
            let d = Diagnostic::new(Code::PatternAlias, right.span, format!("both sides of the join are called `{}`", right.source.text));
            self.report(d.help(format!("give each a name of its own: `{0} as a, {0} as b`", right.source.text)));
            return None;
        }
        // What both sides are called names neither, but for the one whose own name it is.
        let shared: Vec<String> = l.names.iter().filter(|n| r.names.contains(n)).cloned().collect();
        for side in [&mut l, &mut r] {
            let own = side.names.first().cloned();
            side.names.retain(|n| own.as_ref() == Some(n) || !shared.contains(n));
        }
        Some((l, r))
    }

    /// A join's condition and window, and how many operators say them.
    fn join_operators(&mut self, kind: JoinKind, ops: &'a [ast::Op], at: Span) -> Option<(&'a ast::Expr, Option<i64>, usize)> {
        let mut taken = 0;
        // Outer: whether it is written; inner: whether it is right.
        let mut condition: Option<Option<&ast::Expr>> = None;
        let mut window: Option<Option<i64>> = None;
        for op in ops {
            match op.name.text.as_str() {
                "on" if condition.is_none() => {
                    condition = Some(if self.check_args(op, &[], 1, 1) { self.positional(op).first().copied() } else { None });
                }
                // A further window is one over the joined records.
                "window" if kind == JoinKind::Inner && window.is_none() => {
                    let size = if self.check_args(op, &[], 1, 1) { self.positional(op).first().copied() } else { None };
                    window = Some(size.and_then(|e| self.constant_duration(e, "a join's window")));
                }
                _ => break,
            }
            taken += 1;
        }
        if condition == Some(None) || window == Some(None) {
            return None;
        }
        let window = window.flatten();
        let Some(condition) = condition.flatten() else {
            self.report(Diagnostic::new(Code::JoinCondition, at, "a join needs a condition").help("as in `.on(A.key == B.key)`"));
            return None;
        };
        if kind == JoinKind::Inner && window.is_none() {
            self.report(
                Diagnostic::new(Code::JoinCondition, at, "a join needs a window: how far apart in time its members may be").help("as in `.window(5m)`"),
            );
            return None;
        }
        Some((condition, window, taken))
    }

    pub(crate) fn join(&mut self, name: &str, kind: JoinKind, args: &'a [ast::StreamArg], ops: &'a [ast::Op], at: Span, span: Span) -> Option<StreamBuilder> {
        let [left, right] = args else {
            self.not_compiled(at, "a join of other than two inputs", "join two, then join the result with the third");
            return None;
        };
        let (l, r) = self.join_sides(name, left, right)?;
        let inputs: Vec<ScopeInput> = [&l, &r]
            .iter()
            .enumerate()
            .map(|(i, b)| ScopeInput { input: i, names: b.names.clone(), schema: Rc::new(self.schema(b.node)), kleene: false })
            .collect();
        let (condition, window, taken) = self.join_operators(kind, ops, at)?;
        let mut scope = Scope { inputs: inputs.clone(), ..Scope::default() };
        let typed = self.condition(condition, &mut scope);
        let (mut left_keys, mut right_keys, mut rest) = (vec![], vec![], vec![]);
        for part in typed.conjuncts() {
            match equality_of_sides(&part) {
                Some((a, b)) => {
                    left_keys.push(a);
                    right_keys.push(b);
                }
                None => rest.push(part),
            }
        }
        let read = rest.iter().all(|part| part.ty.kind != Kind::Error);
        if left_keys.is_empty() && read {
            self.report(
                Diagnostic::new(Code::CrossJoin, condition.span, "this join has no equality: every record is compared with all others in the window")
                    .help("add an equality between the two sides, as in `A.key == B.key`"),
            );
        }
        let key_columns: Vec<Column> =
            left_keys.iter().enumerate().map(|(i, k): (usize, &Expr)| Column { name: format!("key{}", i + 1), ty: k.ty.clone(), hidden: true }).collect();
        let node = self.add_node(NodeKind::Join { left: l.node, right: r.node, left_keys, right_keys, key_columns, span: window }, Schema::default(), name, at);
        let mut b = StreamBuilder {
            name: name.to_owned(),
            node,
            names: vec![name.to_owned()],
            keys: vec![],
            inputs,
            firing: Some(node),
            emitted: None,
            record_type: None,
            span,
            taken,
        };
        if !rest.is_empty() {
            let condition = Expr::all(rest, condition.span);
            self.chain(&mut b, NodeKind::Filter { input: node, condition }, at);
        }
        Some(b)
    }
}

/// `left expression == right expression`, if that is what it is.
fn equality_of_sides(e: &Expr) -> Option<(Expr, Expr)> {
    let ExprKind::Binary(BinaryOp::Equal, a, b) = &e.kind else { return None };
    // A computed side can refuse, and a hash cannot: such an equality stays a condition.
    let plain = |e: &Expr| match &e.kind {
        ExprKind::Place(_) => true,
        ExprKind::ToFloat(inner) => matches!(inner.kind, ExprKind::Place(_)),
        _ => false,
    };
    if !plain(a) || !plain(b) {
        return None;
    }
    let side = |e: &Expr| {
        let (mut left, mut right, mut other) = (false, false, false);
        e.places(&mut |p| match p {
            Place::Field { input: 0, .. } | Place::Ts { input: 0 } => left = true,
            Place::Field { input: 1, .. } | Place::Ts { input: 1 } => right = true,
            Place::Global(_) => {}
            _ => other = true,
        });
        (left, right, other)
    };
    match (side(a), side(b)) {
        ((true, false, false), (false, true, false)) => Some((a.as_ref().clone(), b.as_ref().clone())),
        ((false, true, false), (true, false, false)) => Some((b.as_ref().clone(), a.as_ref().clone())),
        _ => None,
    }
}
