//! Program state (§3): `var`s of the program, which functions change with `:=`.
//!
//! Records pass `.where`, `.select`, `.emit`, `.process` and observers one after the other, so that what they read and change there is the same on
//! every backend. What windows, joins and patterns ask of a record has no such order, and does not see the state.

use super::Analyzer;
use super::scope::Scope;
use super::typed::{Expr, ExprKind};
use super::types::Kind;
use crate::diagnostics::{Code, Diagnostic};
use crate::lower::ir::VariableId;
use crate::plan::logical::{AggregateCall, NodeKind, State};
use crate::syntax::ast::{self, Span};

impl Analyzer<'_> {
    /// Declares `var x: T = e`.
    pub(super) fn declare_state(&mut self, name: &ast::Name, ty: Option<&ast::TypeExpr>, value: &ast::Expr) {
        let mut initial = self.expr(value, &mut Scope::default());
        let mut nullable = initial.ty.nullable;
        if let Some(ty) = ty {
            let ty = self.resolve_type(ty);
            initial = self.coerce(initial, &ty, &format!("`{}`", name.text));
            nullable |= ty.nullable;
        }
        initial = self.holds_something(initial, name);
        if initial.touches_state() {
            let d =
                Diagnostic::new(Code::StateOutOfOrder, value.span, format!("what a `var` holds at the start cannot depend on {}", self.what_is_seen(&initial)));
            initial = self.wrong(d.help("constants, `let`s and parameters may be used"));
        }
        let state = State { name: name.text.clone(), ty: initial.ty.with_null(nullable), initial };
        self.state_ids.insert(name.text.clone(), self.plan.states.len());
        self.plan.states.push(state);
    }

    /// Refuses to begin a variable with what says nothing of its type.
    pub(super) fn holds_something(&mut self, value: Expr, name: &ast::Name) -> Expr {
        let says_nothing = value.ty.kind == Kind::Null || matches!(&value.ty.kind, Kind::Array(element) if element.kind == Kind::Null);
        if !says_nothing {
            return value;
        }
        let d = Diagnostic::new(Code::TypeMismatch, value.span, format!("nothing says what `{}` holds", name.text));
        self.wrong(d.help(format!("declare its type, as in `var {}: int? = null` or `var {}: [int] = []`", name.text, name.text)))
    }

    /// The value of a `var` of the program.
    pub(super) fn state(&mut self, name: &str, span: Span) -> Option<Expr> {
        let id = *self.state_ids.get(name)?;
        self.used.insert(name.to_owned());
        let ty = self.plan.states.get(id)?.ty.clone();
        Some(Expr { kind: ExprKind::Variable(VariableId::STATE + id as u32), ty, span })
    }

    /// The expression, which may not see the program's state: a key, a join's condition, what a window computes.
    pub(crate) fn without_state(&mut self, e: Expr) -> Expr {
        if !e.touches_state() {
            return e;
        }
        let d = self.out_of_order(e.span, self.what_is_seen(&e));
        self.wrong(d)
    }

    fn out_of_order(&self, span: Span, what: &str) -> Diagnostic {
        let message = format!("windows, joins and patterns do not see {what}, nor do keys");
        Diagnostic::new(Code::StateOutOfOrder, span, message).help("read it where records pass one by one, in a `.select` in front or behind")
    }

    /// Refuses state where nothing says in which order records come by.
    pub(super) fn check_state(&mut self) {
        let mut wrong = vec![];
        for node in &self.plan.nodes {
            let mut look = |e: &Expr| wrong.extend(e.touches_state().then(|| (e.span, self.what_is_seen(e))));
            let mut calls: Vec<&AggregateCall> = vec![];
            match &node.kind {
                NodeKind::Window { keys, aggregates, .. } => {
                    keys.iter().for_each(&mut look);
                    calls.extend(aggregates);
                }
                NodeKind::TopK { keys, by, .. } => keys.iter().chain(by.iter().map(|rank| &rank.by)).for_each(look),
                NodeKind::Pattern(p) => {
                    let negations = p.negations.iter().flat_map(|n| n.unary.iter().chain(&n.correlated));
                    p.steps.iter().flat_map(|s| s.unary.iter().chain(&s.correlated)).chain(negations).chain(p.keys.iter().flatten()).for_each(&mut look);
                    calls.extend(p.aggregates.iter().map(|(_, call)| call));
                }
                NodeKind::Join { left_keys, right_keys, outer, .. } => {
                    left_keys.iter().chain(right_keys).chain(outer.iter().filter_map(|o| o.condition.as_ref())).for_each(look);
                }
                NodeKind::Distinct { keys, .. } | NodeKind::Limit { keys, .. } => keys.iter().for_each(look),
                NodeKind::Lag { keys, values, .. } => keys.iter().chain(values).for_each(look),
                NodeKind::Source { .. }
                | NodeKind::Timer { .. }
                | NodeKind::Errors
                | NodeKind::Filter { .. }
                | NodeKind::Project { .. }
                | NodeKind::Process { .. }
                | NodeKind::Merge { .. }
                | NodeKind::Observe { .. } => {}
            }
            for call in calls {
                wrong.extend(call.args.iter().chain(&call.condition).filter(|e| e.touches_state()).map(|e| (e.span, self.what_is_seen(e))));
            }
        }
        for (span, what) in wrong {
            let d = self.out_of_order(span, what);
            self.report(d);
        }
    }
}
