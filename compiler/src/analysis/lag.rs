//! `lag(x, n, default)`: values of earlier records of the key (§5). Calls are found before their operator is read; in front of it the plan gets
//! a node that remembers what they ask for, and a record with the remembered values as hidden columns.

use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, Type};
use super::{Analyzer, StreamBuilder};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::logical::{Column, NodeKind, Schema};
use crate::plan::print::expression_key;
use crate::syntax::ast::{self, ArgValue, Span};

/// Operators whose expressions may look back.
const LOOKING_BACK: &[&str] = &["where", "having", "select", "emit"];

/// How far a stream may look back: it keeps so many records of each key.
const FARTHEST: i64 = 100_000;

/// A call of `lag`.
#[derive(Clone, Copy)]
struct Call<'a> {
    args: &'a [ast::Arg],
    span: Span,
}

/// What a call asks for.
struct Wanted {
    value: Expr,
    back: i64,
    default: Option<Expr>,
    span: Span,
}

impl<'a> Analyzer<'a> {
    /// What `lag` stands for at a place, if its operator may look back.
    pub(super) fn lagged(&mut self, span: Span) -> Expr {
        match self.lagged.get(&span) {
            Some(found) => found.clone(),
            None => self.wrong(
                Diagnostic::new(Code::LagWithoutRecords, span, "`lag` looks back from the records of `.where`, `.having`, `.select` and `.emit`")
                    .help("compute it there, as a field that other expressions can use: `.select(…, before: lag(x))`"),
            ),
        }
    }

    /// Puts in front of an operator what its calls of `lag` need.
    pub(crate) fn look_back(&mut self, b: &mut StreamBuilder, op: &'a ast::Op) {
        if !LOOKING_BACK.contains(&op.name.text.as_str()) || self.functions.contains_key("lag") {
            return;
        }
        let mut calls = vec![];
        for arg in &op.args {
            if let ArgValue::Expr(e, _) = &arg.value {
                find(e, &mut calls);
            }
        }
        if let (Some(_), Some(first)) = (b.firing, calls.first()) {
            let d = Diagnostic::new(Code::LagWithoutRecords, first.span, "`lag` needs a record to look back from, and this has several, or a window's");
            self.report(d.help("make one in front of it: `.select(…)` or `.aggregate(…)`"));
            self.lagged.extend(calls.iter().map(|call| (call.span, Expr::error(call.span))));
            return;
        }
        // Inner calls stand before those around them, which find them done.
        for round in rounds(&calls) {
            let wanted: Vec<Wanted> = round.into_iter().filter_map(|call| self.wanted(b, call)).collect();
            let mut distances: Vec<i64> = wanted.iter().map(|w| w.back).collect();
            distances.sort_unstable();
            distances.dedup();
            for back in distances {
                self.remember(b, back, wanted.iter().filter(|w| w.back == back), op.span);
            }
        }
    }

    /// Reads a call's arguments.
    fn wanted(&mut self, b: &StreamBuilder, call: Call<'a>) -> Option<Wanted> {
        let found = self.arguments(b, call);
        if found.is_none() {
            self.lagged.insert(call.span, Expr::error(call.span));
        }
        found
    }

    fn arguments(&mut self, b: &StreamBuilder, Call { args, span }: Call<'a>) -> Option<Wanted> {
        let mut given = [None; 3];
        let mut place = 0;
        for arg in args {
            let at = match arg.name.as_ref().map(|name| name.text.as_str()) {
                None => place,
                Some("n") => 1,
                Some("default") => 2,
                Some(_) => given.len(),
            };
            place = at + 1;
            let (Some(slot), ArgValue::Expr(e, None)) = (given.get_mut(at), &arg.value) else {
                self.report(
                    Diagnostic::new(Code::WrongArgumentCount, arg.span, "`lag` takes a value, how far to look back, and a default")
                        .note("it is `lag(x, n = 1, default = null)`"),
                );
                return None;
            };
            *slot = Some(e);
        }
        let Some(value) = given[0] else {
            self.report(Diagnostic::new(Code::WrongArgumentCount, span, "`lag` needs a value").note("it is `lag(x, n = 1, default = null)`"));
            return None;
        };
        let back = given[1].map_or(Some(1), |e| self.constant_count(e, "how far `lag` looks back"))?;
        if back > FARTHEST {
            self.report(Diagnostic::new(Code::BadArgument, span, format!("`lag` looks back at most {FARTHEST} records")));
            return None;
        }
        let (value, default) = self.in_scope(b, |a, scope| (a.expr(value, scope), given[2].map(|e| a.expr(e, scope))));
        let is_error = |e: &Expr| e.ty.kind == Kind::Error;
        (!is_error(&value) && !default.as_ref().is_some_and(is_error)).then_some(Wanted { value, back, default, span })
    }

    /// A node that remembers values of so many records back, and the record that has them.
    fn remember<'w>(&mut self, b: &mut StreamBuilder, back: i64, wanted: impl Iterator<Item = &'w Wanted>, span: Span) {
        let schema = self.schema(b.node);
        let mut record = schema.places(span);
        let Schema { mut columns, open } = schema;
        let first = columns.len();
        let mut values: Vec<Expr> = vec![];
        let mut remembered = |value: &Expr| {
            let key = expression_key(value);
            let at = values.iter().position(|v| expression_key(v) == key).unwrap_or_else(|| {
                values.push(value.clone());
                values.len() - 1
            });
            Expr::place(Place::Field { input: 0, field: first + at }, Type { nullable: true, ..value.ty.clone() }, value.span)
        };
        let mut found = vec![];
        for w in wanted {
            let place = Expr { span: w.span, ..remembered(&w.value) };
            // A null that was remembered is no missing record.
            let there = (w.default.is_some() && w.value.ty.nullable).then(|| remembered(&Expr::literal(Literal::Bool(true), Type::BOOL, w.span)));
            found.push((w, place, there));
        }
        for (field, value) in values.iter().enumerate() {
            let ty = Type { nullable: true, ..value.ty.clone() };
            columns.push(Column { name: format!("lag_{back}_{}", field + 1), ty: ty.clone(), hidden: true });
            record.push(Expr::place(Place::Field { input: 1, field }, ty, value.span));
        }
        for (w, place, there) in found {
            let value = match w.default.clone() {
                None => place,
                Some(default) => self.or_default(place, there, default, w.span),
            };
            self.lagged.insert(w.span, value);
        }
        let (name, keys) = (b.name.clone(), b.keys.iter().map(|key| key.expr.clone()).collect());
        let lag = self.add_node(NodeKind::Lag { input: b.node, keys, values, back }, Schema::default(), &name, span);
        b.node = self.add_node(NodeKind::Project { input: lag, columns: record }, Schema { columns, open }, &name, span);
    }

    /// The default where there is no record so far back: where the value is null, unless `there` is what tells.
    fn or_default(&mut self, mut place: Expr, there: Option<Expr>, mut default: Expr, span: Span) -> Expr {
        if !self.unify(&mut place, &mut default) {
            let message = format!("`lag` looks back at {}, and its default is {}", place.ty.without_null(), default.ty);
            return self.wrong(Diagnostic::new(Code::TypeMismatch, default.span, message));
        }
        let Some(there) = there else { return self.coalesce(place, default, span) };
        let ty = Type { kind: place.ty.kind.clone(), nullable: place.ty.nullable || default.ty.nullable };
        let missing = Expr { kind: ExprKind::IsNull(Box::new(there)), ty: Type::BOOL, span };
        Expr { kind: ExprKind::If(Box::new(missing), Box::new(default), Box::new(place)), ty, span }
    }
}

/// Calls that need others done before them come in later rounds; inner ones stand first.
fn rounds<'a>(calls: &[Call<'a>]) -> Vec<Vec<Call<'a>>> {
    let inside = |a: &Call<'_>, b: &Call<'_>| a.span != b.span && b.span.start <= a.span.start && a.span.end <= b.span.end;
    let (mut rounds, mut depths): (Vec<Vec<Call<'a>>>, Vec<usize>) = (vec![], vec![]);
    for call in calls {
        let depth = calls.iter().zip(&depths).filter(|(other, _)| inside(other, call)).map(|(_, depth)| depth + 1).max().unwrap_or(0);
        depths.push(depth);
        if rounds.len() <= depth {
            rounds.resize_with(depth + 1, Vec::new);
        }
        if let Some(round) = rounds.get_mut(depth) {
            round.push(*call);
        }
    }
    rounds
}

/// The calls of `lag` in an expression.
fn find<'a>(e: &'a ast::Expr, calls: &mut Vec<Call<'a>>) {
    e.children().into_iter().for_each(|e| find(e, calls));
    if let ast::ExprKind::Call { callee, args } = &e.kind
        && matches!(&callee.kind, ast::ExprKind::Name(name) if name == "lag")
    {
        calls.push(Call { args, span: e.span });
    }
}
