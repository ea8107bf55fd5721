//! Typing of aggregates: what they range over, what they take, and which of them are one.

use super::Analyzer;
use super::expressions::to_float;
use super::names::collect_names;
use super::scope::{Scope, ScopeInput};
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, Type};
use crate::diagnostics::{Code, Diagnostic};
use crate::functions::aggregates::{Aggregate, Argument};
use crate::plan::logical::{AggregateCall, CURRENT};
use crate::plan::print::expression_key;
use crate::syntax::ast::{self, ArgValue, Span};

/// How many values `top_k` may keep.
const MOST_KEPT: f64 = 1_000_000.0;

/// What a call gives to an aggregate.
#[derive(Clone, Copy)]
pub(super) struct Given<'e> {
    pub(super) value: Option<&'e ast::Expr>,
    pub(super) by: Option<&'e ast::Expr>,
    pub(super) condition: Option<&'e ast::Expr>,
    pub(super) parameter: Option<f64>,
    pub(super) span: Span,
}

impl Analyzer<'_> {
    pub(super) fn aggregate(&mut self, mut aggregate: Aggregate, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        let mut condition = None;
        let mut positional = vec![];
        for arg in args {
            match (&arg.name, &arg.value) {
                (Some(n), ArgValue::Expr(e, None)) if n.text == "where" => condition = Some(e),
                (Some(n), _) => {
                    return self.wrong(
                        Diagnostic::new(Code::UnknownArgument, n.span, format!("`{}` takes no argument by the name of `{}`", aggregate.name(), n.text))
                            .help("`where:` restricts an aggregate"),
                    );
                }
                (None, ArgValue::Expr(e, None)) => positional.push(e),
                _ => return self.wrong(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression")),
            }
        }
        let mut value = positional.first().copied();
        if let Some(ast::Expr { kind: ast::ExprKind::Call { callee, args: inner }, .. }) = value
            && aggregate == Aggregate::Count
            && callee.kind == ast::ExprKind::Name("distinct".to_owned())
            && let [ast::Arg { name: None, value: ArgValue::Expr(x, None), .. }] = inner.as_slice()
        {
            aggregate = Aggregate::CountDistinct;
            value = Some(x);
        }
        let (least, most) = match aggregate.argument() {
            Argument::Optional => (0, 1),
            Argument::NumberAndConstant | Argument::OrderedAndConstant | Argument::ValueAndOrdered | Argument::TwoNumbers => (2, 2),
            _ => (1, 1),
        };
        if positional.len() < least || positional.len() > most {
            let d = wrong_count(aggregate, &positional, (least, most), span);
            return self.wrong(d);
        }
        let second = positional.get(1).copied();
        let (by, constant) =
            if matches!(aggregate.argument(), Argument::NumberAndConstant | Argument::OrderedAndConstant) { (None, second) } else { (second, None) };
        let parameter = match constant.map(|e| self.aggregate_parameter(aggregate, e, scope)) {
            Some(None) => return Expr::error(span),
            parameter => parameter.flatten(),
        };
        let given = Given { value, by, condition, parameter, span };
        if let Some(input) = self.kleene_of(&given, scope) {
            let bare = matches!(value, Some(ast::Expr { kind: ast::ExprKind::Name(n), .. }) if input.names.contains(n));
            if let (true, Some(of)) = (bare && by.is_some(), value) {
                let message = format!("`{}` takes a value of each element, not the elements", aggregate.name());
                return self.wrong(Diagnostic::new(Code::BadArgument, of.span, message).help("name a field of them, as in `tries.amount`"));
            }
            return self.kleene_aggregate(aggregate, &input, Given { value: value.filter(|_| !bare), ..given }, scope);
        }
        let Some(record) = scope.firing.as_ref().and_then(|f| f.record.clone()) else {
            return self.without_records(aggregate, &given, span, scope);
        };
        let mut inner = Scope { inputs: vec![record], current: Some(0), calls: scope.calls.clone(), is_of_aggregate: true, ..Scope::default() };
        self.aggregate_over(aggregate, 0, given, &mut inner, scope)
    }

    /// There is neither a window nor a Kleene step to range over.
    fn without_records(&mut self, aggregate: Aggregate, given: &Given<'_>, span: Span, scope: &Scope) -> Expr {
        if scope.is_of_aggregate {
            let d = Diagnostic::new(Code::AggregateOutsideWindow, span, format!("`{}` stands inside another aggregate", aggregate.name()));
            return self.wrong(d.help("compute the inner one in a stream in front, by a window of its own"));
        }
        if let Some(newest) = self.newest_of(given, scope) {
            return self.newest_alone(&newest, span);
        }
        let d = Diagnostic::new(Code::AggregateOutsideWindow, span, format!("`{}` needs records to range over", aggregate.name()));
        let is_kleene = scope.inputs.iter().any(|i| i.kleene);
        self.wrong(d.help(if is_kleene {
            "name a Kleene step, as in `count(tries)`"
        } else {
            "put a `.window(…)` in front, and the aggregate into `.aggregate(…)`, behind which its entries are fields"
        }))
    }

    /// A constant argument, such as the percentile.
    fn aggregate_parameter(&mut self, aggregate: Aggregate, e: &ast::Expr, scope: &Scope) -> Option<f64> {
        let value = self.constant_number(e, scope)?;
        if aggregate == Aggregate::TopK && !((1.0..=MOST_KEPT).contains(&value) && value.fract() == 0.0) {
            let given = if value.fract() == 0.0 { (value as i64).to_string() } else { value.to_string() };
            let message = format!("`top_k` keeps a whole number of values, from 1 to {MOST_KEPT}, not {given}");
            self.report(Diagnostic::new(Code::BadArgument, e.span, message));
            return None;
        }
        if aggregate == Aggregate::Ema && value < 1.0 {
            let d = Diagnostic::new(Code::BadArgument, e.span, format!("an average moves over 1 record or more, not {value}"));
            self.report(d.help("as in `ema(price, 12)`: the newest record weighs 2/(n + 1)"));
            return None;
        }
        if matches!(aggregate, Aggregate::Percentile | Aggregate::ApproxPercentile) && !(0.0..=100.0).contains(&value) {
            self.report(Diagnostic::new(Code::BadArgument, e.span, format!("a percentile lies in 0..100, not at {value}")));
            return None;
        }
        if matches!(aggregate, Aggregate::Percentile | Aggregate::ApproxPercentile) {
            self.look_at_percentile(value, e.span);
        }
        Some(value)
    }

    /// A Kleene step that an aggregate's argument names, of which the record has the newest element.
    fn newest_of(&self, given: &Given<'_>, scope: &Scope) -> Option<String> {
        names_in(given).into_iter().find(|name| scope.input(name).is_some_and(ScopeInput::is_newest)).map(str::to_owned)
    }

    /// Refuses what wants all elements of a Kleene step behind an operator that made a record of the match.
    pub(super) fn newest_alone(&mut self, step: &str, span: Span) -> Expr {
        let message = format!("behind this operator's record, `{step}` is the newest of its elements alone");
        let d = Diagnostic::new(Code::AggregateOutsideWindow, span, message);
        self.wrong(d.help(format!("compute it right behind the pattern, and go on with it: `.select(…, n: count({step}))`")))
    }

    /// The Kleene step that an aggregate's argument names.
    fn kleene_of(&self, given: &Given<'_>, scope: &Scope) -> Option<ScopeInput> {
        let names = names_in(given);
        scope.inputs.iter().find(|i| i.kleene && i.names.iter().any(|n| names.contains(&n.as_str()))).cloned()
    }

    pub(super) fn kleene_aggregate(&mut self, aggregate: Aggregate, input: &ScopeInput, given: Given<'_>, scope: &mut Scope) -> Expr {
        let step = input.input;
        let element = ScopeInput { input: CURRENT, kleene: false, ..input.clone() };
        let mut inner = Scope { inputs: vec![element], current: None, calls: scope.calls.clone(), is_of_aggregate: true, ..Scope::default() };
        self.aggregate_over(aggregate, step, given, &mut inner, scope)
    }

    fn aggregate_over(&mut self, aggregate: Aggregate, step: usize, given: Given<'_>, inner: &mut Scope, outer: &mut Scope) -> Expr {
        let Given { parameter, span, .. } = given;
        let condition = given.condition.map(|c| self.condition(c, inner));
        let mut args = vec![];
        for (place, e) in given.value.into_iter().chain(given.by).enumerate() {
            let value = self.expr(e, inner);
            match self.aggregate_argument(aggregate, place, value) {
                Some(value) => args.push(value),
                None => return Expr::error(span),
            }
        }
        if aggregate == Aggregate::Slope {
            args.extend(inner.inputs.first().map(|input| Expr::place(Place::Ts { input: input.input }, Type::TIMESTAMP, span)));
        }
        self.call_of(AggregateCall { aggregate, args, parameter, condition, ty: Type::ERROR, span }, step, outer)
    }

    /// A call whose arguments have their types: the same as one that stands there already, if it is.
    pub(super) fn call_of(&mut self, call: AggregateCall, step: usize, outer: &mut Scope) -> Expr {
        let takes_late = outer.firing.as_ref().is_some_and(|firing| firing.late);
        let by_time = if takes_late { self.in_time_order(&call, outer) } else { None };
        by_time.unwrap_or_else(|| self.call_as_is(call, step, outer))
    }

    pub(super) fn call_as_is(&mut self, call: AggregateCall, step: usize, outer: &mut Scope) -> Expr {
        let AggregateCall { aggregate, args, condition, span, .. } = &call;
        let span = *span;
        let may_be_empty = condition.is_some() || args.iter().any(|v| v.ty.nullable);
        let ty = aggregate.result(args.first().map(|v| &v.ty), may_be_empty);
        let call = AggregateCall { ty: ty.clone(), ..call };
        let Some(firing) = &mut outer.firing else { return Expr::error(span) };
        let same = |(s, c): &(usize, AggregateCall)| *s == step && same_call(c, &call);
        let index = firing.aggregates.iter().position(same).unwrap_or_else(|| {
            firing.aggregates.push((step, call));
            firing.aggregates.len() - 1
        });
        Expr::place(Place::Aggregate(index), ty, span)
    }

    /// The first or second argument as the aggregate takes it.
    fn aggregate_argument(&mut self, aggregate: Aggregate, place: usize, mut value: Expr) -> Option<Expr> {
        let argument = match (aggregate.argument(), place) {
            (Argument::OrderedAndConstant, _) => Argument::Ordered,
            (Argument::ValueAndOrdered, 0) => Argument::Value,
            (Argument::ValueAndOrdered, _) => Argument::Ordered,
            (Argument::TwoNumbers | Argument::NumberAndConstant, _) => Argument::Number,
            (argument, _) => argument,
        };
        match argument {
            Argument::Number | Argument::Ordered => self.settle(&mut value, Kind::Float),
            Argument::Condition => self.settle(&mut value, Kind::Bool),
            _ => {}
        }
        if value.ty.kind == Kind::Error {
            return None;
        }
        let (fits, wanted) = match argument {
            Argument::Number => (value.ty.is_number() || value.ty.is_decimal(), "a number"),
            Argument::Ordered => (value.ty.is_ordered(), "an ordered value"),
            Argument::Condition => (value.ty.kind == Kind::Bool, "a condition"),
            _ => (true, ""),
        };
        if !fits {
            let message = format!("`{}` takes {wanted}, found {}", aggregate.name(), value.ty);
            let d = self.mismatch(Code::WrongArgumentType, &value, message, "a number");
            self.report(d);
            return None;
        }
        let float = matches!(
            aggregate,
            Aggregate::Avg
                | Aggregate::Stddev
                | Aggregate::StddevPop
                | Aggregate::Variance
                | Aggregate::VarPop
                | Aggregate::Median
                | Aggregate::Percentile
                | Aggregate::Ema
                | Aggregate::Covar
                | Aggregate::Corr
                | Aggregate::ApproxPercentile
                | Aggregate::Slope
        );
        Some(match float {
            true if value.ty.is_decimal() => self.decimal_to_float(value),
            true => to_float(value),
            false => value,
        })
    }

    /// A field of the records that an aggregate ranges over, if the expression names one.
    fn field_named<'e>(&self, e: &'e ast::Expr, scope: &Scope) -> Option<&'e str> {
        let mut names = vec![];
        collect_names(e, &mut names);
        let records: Vec<&ScopeInput> = scope.inputs.iter().chain(scope.firing.iter().flat_map(|f| &f.record)).collect();
        let is_value = |name: &str| {
            let name = self.own(name, e.span);
            self.constants.contains_key(&*name) || self.global_ids.contains_key(&*name)
        };
        // An undeclared event takes any name for a field, but not that of a function in a call.
        let is_bare = matches!(e.kind, ast::ExprKind::Name(_));
        names.into_iter().find(|n| records.iter().any(|r| r.schema.find(n).is_some() || (is_bare && r.schema.open.is_some())) && !is_value(n))
    }

    /// A number known at compile time.
    fn constant_number(&mut self, e: &ast::Expr, scope: &Scope) -> Option<f64> {
        if let Some(field) = self.field_named(e, scope) {
            let message = format!("this must be known at compile time, and `{field}` is a field");
            self.report(Diagnostic::new(Code::NotConstant, e.span, message).help("write a number, or name a `const`"));
            return None;
        }
        let expr = self.constant(e)?;
        match expr.as_literal() {
            Some(Literal::Int(v)) => Some(*v as f64),
            Some(Literal::Float(v)) => Some(*v),
            _ => {
                self.report(Diagnostic::new(Code::WrongArgumentType, e.span, format!("expected a constant number, found {}", expr.ty)));
                None
            }
        }
    }
}

/// Whether two calls compute the same: compared by what they mean, not by where they stand.
pub(crate) fn same_call(a: &AggregateCall, b: &AggregateCall) -> bool {
    let text = |c: &AggregateCall| {
        let parts: Vec<String> = c.args.iter().map(expression_key).collect();
        (parts, c.condition.as_ref().map(expression_key))
    };
    a.aggregate == b.aggregate
        && a.args.iter().zip(&b.args).all(|(a, b)| may_equal(a, b))
        && a.parameter.map(f64::to_bits) == b.parameter.map(f64::to_bits)
        && text(a) == text(b)
}

/// Whether two expressions may compute the same: what differs at a glance needs no text of it.
fn may_equal(a: &Expr, b: &Expr) -> bool {
    use ExprKind::*;
    match (&a.kind, &b.kind) {
        (Literal(a), Literal(b)) => a == b,
        (Place(a), Place(b)) => a == b,
        (Unary(f, a), Unary(g, b)) => f == g && may_equal(a, b),
        (Binary(f, a, c), Binary(g, b, d)) => f == g && may_equal(a, b) && may_equal(c, d),
        (Call(f, a), Call(g, b)) => f == g && a.len() == b.len() && a.iter().zip(b).all(|(a, b)| may_equal(a, b)),
        (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

/// The names in an aggregate's arguments.
fn names_in<'e>(given: &Given<'e>) -> Vec<&'e str> {
    let mut names = vec![];
    for e in given.value.into_iter().chain(given.by).chain(given.condition) {
        collect_names(e, &mut names);
    }
    names
}

/// Too few arguments, or too many.
fn wrong_count(aggregate: Aggregate, given: &[&ast::Expr], (least, most): (usize, usize), span: Span) -> Diagnostic {
    let of_two = match aggregate {
        Aggregate::Max => Some("greatest"),
        Aggregate::Min => Some("least"),
        _ => None,
    };
    // The smaller or larger of two values is a function.
    let takes = match (least == most, of_two) {
        (_, Some(_)) => "1 or 2".to_owned(),
        (true, None) => least.to_string(),
        (false, None) => format!("{least} or {most}"),
    };
    let surplus = given.get(most).zip(given.last()).map_or(span, |(first, last)| first.span.to(last.span));
    let d = Diagnostic::new(Code::WrongArgumentCount, surplus, format!("`{}` takes {takes} argument(s), {} given", aggregate.name(), given.len()));
    match of_two.filter(|_| given.len() > most) {
        Some(function) => d.help(format!("of several values of one record, `{function}(a, b, c)`")),
        None => d,
    }
}
