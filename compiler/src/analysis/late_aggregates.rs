//! Aggregates that depend on the order of records, over windows that take late ones (§4): such a record has its place by its time, not by when it
//! came. They are other aggregates of pairs with the time, and what is computed of these.

use super::Analyzer;
use super::scope::Scope;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, Type};
use super::values::{call, record};
use crate::functions::aggregates::Aggregate;
use crate::plan::logical::AggregateCall;
use crate::syntax::ast::{BinaryOp, UnaryOp};

impl Analyzer<'_> {
    /// The call by the time of the records; `None` if their order does not matter to it.
    pub(super) fn in_time_order(&mut self, of: &AggregateCall, outer: &mut Scope) -> Option<Expr> {
        let span = of.span;
        let value = of.args.first()?;
        let time = || Expr::place(Place::Ts { input: 0 }, Type::TIMESTAMP, span);
        let by_time = |aggregate| AggregateCall { aggregate, args: vec![value.clone(), time()], ..of.clone() };
        match of.aggregate {
            Aggregate::First => return Some(self.call_as_is(by_time(Aggregate::ArgMin), 0, outer)),
            Aggregate::Last => return Some(self.call_as_is(by_time(Aggregate::Last), 0, outer)),
            Aggregate::Collect | Aggregate::CollectDistinct | Aggregate::Ema => {}
            _ => return None,
        }
        let names = ["ts", "value"].map(|name| Expr::literal(Literal::Str(name.to_owned()), Type::STR, span));
        let pair = record(&names, vec![time(), value.clone()], span);
        // What aggregates pass over, pairs must not bring in.
        let is_there = value.ty.nullable.then(|| {
            let null = Expr { kind: ExprKind::IsNull(Box::new(value.clone())), ty: Type::BOOL, span };
            Expr { kind: ExprKind::Unary(UnaryOp::Not, Box::new(null)), ty: Type::BOOL, span }
        });
        let condition = of.condition.iter().cloned().chain(is_there).reduce(|a, b| {
            let ty = Type::BOOL.with_null(a.ty.nullable || b.ty.nullable);
            Expr { kind: ExprKind::Binary(BinaryOp::And, Box::new(a), Box::new(b)), ty, span }
        });
        let all = self.call_as_is(AggregateCall { aggregate: Aggregate::Collect, args: vec![pair], parameter: None, condition, ..of.clone() }, 0, outer);
        let kind = Kind::Array(Box::new(value.ty.without_null()));
        let ordered = call(".by_time", vec![all], kind.clone(), span);
        Some(match of.aggregate {
            Aggregate::Collect => ordered,
            Aggregate::CollectDistinct => call(".distinct", vec![ordered], kind, span),
            _ => self.smoothed(of, ordered),
        })
    }

    /// The exponential moving average of values that are in order.
    fn smoothed(&mut self, of: &AggregateCall, values: Expr) -> Expr {
        let span = of.span;
        let n = Expr::literal(Literal::Float(of.parameter.unwrap_or(1.0)), Type::FLOAT, span);
        let length = call(".len", vec![values.clone()], Kind::Int, span);
        let average = call(".smoothed", vec![values, n], Kind::Float, span);
        let ty = Aggregate::Ema.result(of.args.first().map(|v| &v.ty), of.condition.is_some() || of.args.iter().any(|v| v.ty.nullable));
        if !ty.nullable {
            return average;
        }
        let nothing =
            Expr { kind: ExprKind::Binary(BinaryOp::Equal, Box::new(length), Box::new(Expr::literal(Literal::Int(0), Type::INT, span))), ty: Type::BOOL, span };
        let null = Expr::literal(Literal::Null, ty.clone(), span);
        Expr { kind: ExprKind::If(Box::new(nothing), Box::new(null), Box::new(average)), ty, span }
    }
}
