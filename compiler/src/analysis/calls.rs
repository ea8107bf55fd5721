//! Typing of calls: run-time functions, aggregates, f-strings, methods.

use super::Analyzer;
use super::expressions::to_float;
use super::scope::{Scope, ScopeInput};
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{Kind, Type};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::functions::Function;
use crate::functions::aggregates::{Aggregate, Argument};
use crate::plan::logical::{AggregateCall, CURRENT};
use crate::syntax::ast::{self, ArgValue, Span};

/// Functions of the language that later stages do not have.
const LATER: &[&str] = &[
    "lag",
    "wall_clock",
    "uuid",
    "random",
    "attention_score",
    "top_attention",
    "count_trends",
    "sum_trends",
    "min_trends",
    "max_trends",
    "avg_trends",
    "count_events",
];

impl Analyzer<'_> {
    pub(crate) fn call(&mut self, callee: &ast::Expr, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        match &callee.kind {
            ast::ExprKind::Name(name) => self.named_call(name, callee.span, args, span, scope),
            ast::ExprKind::Member { object, name, .. } => self.method(object, name, args, span, scope),
            _ => self.not_compiled(span, "calling a value", "functions are called by name"),
        }
    }

    fn named_call(&mut self, name: &str, name_span: Span, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if let Some(function) = self.functions.get(name).copied() {
            self.used.insert(name.to_owned());
            return self.call_user_function(function, args, span, scope);
        }
        let positional = args.iter().filter(|a| a.name.is_none()).count();
        if let Some(aggregate) = Aggregate::find(name)
            && !(matches!(aggregate, Aggregate::Min | Aggregate::Max) && positional == 2)
        {
            return self.aggregate(aggregate, args, span, scope);
        }
        if name == "now" && args.is_empty() {
            return Expr::place(Place::Now, Type::TIMESTAMP, span);
        }
        if name == "distinct" {
            return self.wrong(
                Diagnostic::new(Code::AggregateOutsideWindow, span, "`distinct(x)` stands inside `count(…)`")
                    .help("write `count(distinct(x))` or `count_distinct(x)`"),
            );
        }
        if LATER.contains(&name) {
            return self.wrong(Diagnostic::new(Code::FunctionNotCompiledYet, name_span, format!("`{name}` is understood, not compiled yet")));
        }
        let mut values = Vec::with_capacity(args.len());
        for arg in args {
            if let Some(label) = &arg.name {
                return self.wrong(Diagnostic::new(Code::UnknownArgument, label.span, format!("`{name}` takes no argument by the name of `{}`", label.text)));
            }
            match &arg.value {
                ArgValue::Expr(e, None) => values.push(self.expr(e, scope)),
                _ => return self.wrong(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression")),
            }
        }
        self.run_time_function(name, name_span, values, span)
    }

    fn run_time_function(&mut self, name: &str, name_span: Span, mut values: Vec<Expr>, span: Span) -> Expr {
        if Function::overloads(name).next().is_none() || !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            let mut d = Diagnostic::new(Code::UnknownFunction, name_span, format!("no function is called `{name}`"));
            let names: Vec<String> =
                Function::names().chain(Aggregate::ALL.iter().map(|a| a.name())).map(str::to_owned).chain(self.functions.keys().cloned()).collect();
            if let Some(similar) = did_you_mean(name, names.iter().map(String::as_str)) {
                d = d.fix(name_span, similar, "a similar name exists");
            }
            return self.wrong(d);
        }
        if let [only] = values.as_mut_slice() {
            // Conversions of a type to itself, and of `any` by an inferred field, cost nothing.
            if only.ty.is_lenient() && matches!(name, "int" | "float" | "str" | "bool" | "timestamp") {
                self.settle(only, Kind::Any);
            }
            let same = matches!(
                (name, &only.ty.kind),
                ("int", Kind::Int) | ("float", Kind::Float) | ("str", Kind::Str) | ("bool", Kind::Bool) | ("timestamp", Kind::Timestamp)
            );
            if same {
                return only.clone();
            }
            if name == "float" && only.ty.kind == Kind::Int {
                return to_float(only.clone());
            }
            if name == "str"
                && let Kind::Enum(e) = &only.ty.kind
            {
                return enum_text(only.clone(), &e.clone(), span);
            }
        }
        if values.iter().any(|v| v.ty.kind == Kind::Error) {
            return Expr::error(span);
        }
        let overloads: Vec<Function> = Function::overloads(name).collect();
        if let [only] = overloads.as_slice() {
            for (value, scalar) in values.iter_mut().zip(only.row().args) {
                self.settle(value, kind_of(*scalar));
            }
        }
        for value in &mut values {
            self.settle(value, Kind::Float);
        }
        let exact: Vec<_> = values.iter().map(|v| v.ty.scalar()).collect();
        let chosen = Function::find(name, &exact).or_else(|| {
            overloads.iter().copied().find(|f| {
                f.row().args.len() == values.len()
                    && values
                        .iter()
                        .zip(f.row().args)
                        .all(|(v, s)| v.ty.scalar() == *s || (v.ty.kind == Kind::Int && *s == varpulis_abi::scalar::Scalar::Float) || v.ty.kind == Kind::Null)
            })
        });
        let Some(function) = chosen else {
            return self.no_overload(name, &values, &overloads, span);
        };
        let row = function.row();
        let values: Vec<Expr> = values
            .into_iter()
            .zip(row.args)
            .map(|(v, s)| match (&v.ty.kind, s) {
                (Kind::Int, varpulis_abi::scalar::Scalar::Float) => to_float(v),
                (Kind::Null, s) => Expr { ty: Type::optional(kind_of(*s)), ..v },
                _ => v,
            })
            .collect();
        let nullable = values.iter().any(|v| v.ty.nullable);
        Expr { kind: ExprKind::Call(function, values), ty: Type { kind: kind_of(row.result), nullable }, span }
    }

    fn no_overload(&mut self, name: &str, values: &[Expr], overloads: &[Function], span: Span) -> Expr {
        let forms: Vec<String> = overloads
            .iter()
            .map(|f| format!("`{name}({})`", f.row().args.iter().map(|a| Type::new(kind_of(*a)).to_string()).collect::<Vec<_>>().join(", ")))
            .collect();
        if overloads.iter().all(|f| f.row().args.len() != values.len()) {
            let message = format!("`{name}` takes {} argument(s), {} given", overloads.first().map_or(0, |f| f.row().args.len()), values.len());
            return self.wrong(Diagnostic::new(Code::WrongArgumentCount, span, message).note(format!("it is {}", forms.join(" or "))));
        }
        let given: Vec<String> = values.iter().map(|v| v.ty.to_string()).collect();
        self.wrong(
            Diagnostic::new(Code::WrongArgumentType, span, format!("`{name}` does not take ({})", given.join(", ")))
                .note(format!("it is {}", forms.join(" or "))),
        )
    }

    fn method(&mut self, object: &ast::Expr, name: &ast::Name, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if let ast::ExprKind::Name(of) = &object.kind
            && let Some(input) = scope.input(of).filter(|i| i.kleene).cloned()
        {
            if name.text == "len" && args.is_empty() {
                return self.kleene_aggregate(Aggregate::Count, &input, None, None, None, span, scope);
            }
            return self.not_compiled(span, "methods of a Kleene step other than `len()`", "aggregates such as `sum(x.field)` range over its elements");
        }
        let mut values = vec![self.expr(object, scope)];
        for arg in args {
            match &arg.value {
                ArgValue::Expr(e, None) if arg.name.is_none() => values.push(self.expr(e, scope)),
                _ => return self.wrong(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression")),
            }
        }
        self.run_time_function(&name.text, name.span, values, span)
    }

    fn aggregate(&mut self, mut aggregate: Aggregate, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if !aggregate.is_compiled() {
            return self.wrong(Diagnostic::new(Code::FunctionNotCompiledYet, span, format!("`{}` is understood, not compiled yet", aggregate.name())));
        }
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
            Argument::NumberAndConstant => (2, 2),
            _ => (1, 1),
        };
        if positional.len() < least || positional.len() > most {
            return self.wrong(Diagnostic::new(
                Code::WrongArgumentCount,
                span,
                format!("`{}` takes {least} argument(s), {} given", aggregate.name(), positional.len()),
            ));
        }
        let parameter = match positional.get(1) {
            Some(e) => match self.constant_number(e) {
                Some(v) => Some(v),
                None => return Expr::error(span),
            },
            None => None,
        };
        if let (Aggregate::Percentile, Some(p)) = (aggregate, parameter)
            && !(0.0..=100.0).contains(&p)
        {
            return self.wrong(Diagnostic::new(Code::BadArgument, span, format!("a percentile lies in 0..100, not at {p}")));
        }
        if let Some(input) = self.kleene_of(value, condition, scope) {
            let bare = matches!(value, Some(ast::Expr { kind: ast::ExprKind::Name(n), .. }) if input.names.contains(n));
            return self.kleene_aggregate(aggregate, &input, if bare { None } else { value }, condition, parameter, span, scope);
        }
        let Some(record) = scope.firing.as_ref().and_then(|f| f.record.clone()) else {
            let mut d = Diagnostic::new(Code::AggregateOutsideWindow, span, format!("`{}` needs records to range over", aggregate.name()));
            d = if scope.inputs.iter().any(|i| i.kleene) {
                d.help("name a Kleene step, as in `count(tries)`")
            } else {
                d.help("put a `.window(…)` in front, and the aggregate into `.aggregate(…)`")
            };
            return self.wrong(d);
        };
        let mut inner = Scope { inputs: vec![record], current: Some(0), calls: scope.calls.clone(), ..Scope::default() };
        self.aggregate_over(aggregate, 0, value, condition, parameter, span, &mut inner, scope)
    }

    /// The Kleene step that an aggregate's argument names.
    fn kleene_of(&self, value: Option<&ast::Expr>, condition: Option<&ast::Expr>, scope: &Scope) -> Option<ScopeInput> {
        let mut names = vec![];
        for e in value.into_iter().chain(condition) {
            collect_names(e, &mut names);
        }
        scope.inputs.iter().find(|i| i.kleene && i.names.iter().any(|n| names.contains(&n.as_str()))).cloned()
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn kleene_aggregate(
        &mut self,
        aggregate: Aggregate,
        input: &ScopeInput,
        value: Option<&ast::Expr>,
        condition: Option<&ast::Expr>,
        parameter: Option<f64>,
        span: Span,
        scope: &mut Scope,
    ) -> Expr {
        let step = input.input;
        let element = ScopeInput { input: CURRENT, kleene: false, ..input.clone() };
        let mut inner = Scope { inputs: vec![element], current: None, calls: scope.calls.clone(), ..Scope::default() };
        self.aggregate_over(aggregate, step, value, condition, parameter, span, &mut inner, scope)
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one call")]
    fn aggregate_over(
        &mut self,
        aggregate: Aggregate,
        step: usize,
        value: Option<&ast::Expr>,
        condition: Option<&ast::Expr>,
        parameter: Option<f64>,
        span: Span,
        inner: &mut Scope,
        outer: &mut Scope,
    ) -> Expr {
        let condition = condition.map(|c| self.condition(c, inner));
        let value = value.map(|v| self.expr(v, inner));
        let value = match value {
            Some(v) => match self.aggregate_argument(aggregate, v) {
                Some(v) => Some(v),
                None => return Expr::error(span),
            },
            None => None,
        };
        let may_be_empty = condition.is_some() || value.as_ref().is_some_and(|v| v.ty.nullable);
        let ty = aggregate.result(value.as_ref().map(|v| &v.ty), may_be_empty);
        let call = AggregateCall { aggregate, args: value.into_iter().collect(), parameter, condition, ty: ty.clone(), span };
        let Some(firing) = &mut outer.firing else { return Expr::error(span) };
        let same = |(s, c): &(usize, AggregateCall)| *s == step && same_call(c, &call);
        let index = firing.aggregates.iter().position(same).unwrap_or_else(|| {
            firing.aggregates.push((step, call));
            firing.aggregates.len() - 1
        });
        Expr::place(Place::Aggregate(index), ty, span)
    }

    fn aggregate_argument(&mut self, aggregate: Aggregate, mut value: Expr) -> Option<Expr> {
        let numeric = matches!(aggregate.argument(), Argument::Number | Argument::NumberAndConstant | Argument::Ordered);
        if numeric {
            self.settle(&mut value, Kind::Float);
        }
        if value.ty.kind == Kind::Error {
            return None;
        }
        // What is collected is written, and an enum is written as its variant's name.
        if matches!(aggregate, Aggregate::Collect | Aggregate::CollectDistinct | Aggregate::CountDistinct)
            && let Kind::Enum(e) = &value.ty.kind
        {
            let (e, span) = (e.clone(), value.span);
            value = enum_text(value, &e, span);
        }
        let fits = match aggregate.argument() {
            Argument::Number | Argument::NumberAndConstant => value.ty.is_number(),
            Argument::Ordered => value.ty.is_ordered(),
            _ => true,
        };
        if !fits {
            let wanted = if aggregate.argument() == Argument::Ordered { "an ordered value" } else { "a number" };
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
        );
        Some(if float { to_float(value) } else { value })
    }

    /// A number known at compile time.
    fn constant_number(&mut self, e: &ast::Expr) -> Option<f64> {
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

    /// The text of a value; of null, `null`.
    pub(crate) fn text_of(&mut self, value: Expr, span: Span) -> Expr {
        let text = self.run_time_function("str", span, vec![value], span);
        if !text.ty.nullable {
            return text;
        }
        let null = Expr::literal(Literal::Str("null".to_owned()), Type::STR, span);
        self.coalesce(text, null, span)
    }

    /// Two texts, joined.
    pub(crate) fn concat(&mut self, left: Expr, right: Expr, span: Span) -> Expr {
        self.run_time_function("concat", span, vec![left, right], span)
    }

    pub(crate) fn format(&mut self, parts: &[ast::FormatPart], span: Span, scope: &mut Scope) -> Expr {
        let mut result: Option<Expr> = None;
        for part in parts {
            let text = match part {
                ast::FormatPart::Text(t) => Expr::literal(Literal::Str(t.clone()), Type::STR, span),
                ast::FormatPart::Value(e, decimals) => {
                    let value = self.expr(e, scope);
                    let value = match decimals {
                        Some(n) => {
                            let n = Expr::literal(Literal::Int(i64::from(*n)), Type::INT, e.span);
                            self.run_time_function("fixed", e.span, vec![value, n], e.span)
                        }
                        None => value,
                    };
                    self.text_of(value, e.span)
                }
            };
            result = Some(match result {
                None => text,
                Some(before) => self.concat(before, text, span),
            });
        }
        result.unwrap_or_else(|| Expr::literal(Literal::Str(String::new()), Type::STR, span))
    }
}

/// The language's kind for a physical type.
pub(crate) fn kind_of(scalar: varpulis_abi::scalar::Scalar) -> Kind {
    use varpulis_abi::scalar::Scalar;
    match scalar {
        Scalar::Int | Scalar::Enum => Kind::Int,
        Scalar::Float => Kind::Float,
        Scalar::Bool => Kind::Bool,
        Scalar::Text => Kind::Str,
        Scalar::Timestamp => Kind::Timestamp,
        Scalar::Duration => Kind::Duration,
        Scalar::Json => Kind::Any,
    }
}

/// The text of an enum's variant: a chain of comparisons, folded where the variant is known.
fn enum_text(value: Expr, e: &super::types::EnumType, span: Span) -> Expr {
    let ty = Type { kind: Kind::Str, nullable: value.ty.nullable };
    let mut result: Option<Expr> = None;
    for (i, variant) in e.variants.iter().enumerate().rev() {
        let text = Expr::literal(Literal::Str(variant.clone()), ty.clone(), span);
        result = Some(match result {
            None => text,
            Some(rest) => {
                let is = Expr {
                    kind: ExprKind::Binary(
                        ast::BinaryOp::Equal,
                        Box::new(value.clone()),
                        Box::new(Expr::literal(Literal::Enum(i as u32), value.ty.without_null(), span)),
                    ),
                    ty: Type::BOOL.with_null(value.ty.nullable),
                    span,
                };
                Expr { kind: ExprKind::If(Box::new(is), Box::new(text), Box::new(rest)), ty: ty.clone(), span }
            }
        });
    }
    let chosen = result.unwrap_or_else(|| Expr::error(span));
    if !value.ty.nullable {
        return chosen;
    }
    let null = Expr::literal(Literal::Null, ty.clone(), span);
    let is_null = Expr { kind: ExprKind::IsNull(Box::new(value)), ty: Type::BOOL, span };
    Expr { kind: ExprKind::If(Box::new(is_null), Box::new(null), Box::new(chosen)), ty, span }
}

/// Whether two calls compute the same: compared by what they mean, not by where they stand.
pub(crate) fn same_call(a: &AggregateCall, b: &AggregateCall) -> bool {
    let text = |c: &AggregateCall| {
        let parts: Vec<String> = c.args.iter().map(crate::plan::print::expression_key).collect();
        (parts, c.condition.as_ref().map(crate::plan::print::expression_key))
    };
    a.aggregate == b.aggregate && a.parameter.map(f64::to_bits) == b.parameter.map(f64::to_bits) && text(a) == text(b)
}

/// Every name in an expression.
pub(crate) fn collect_names<'e>(e: &'e ast::Expr, into: &mut Vec<&'e str>) {
    let arg = |a: &'e ast::Arg, into: &mut Vec<&'e str>| {
        if let ArgValue::Expr(e, _) = &a.value {
            collect_names(e, into);
        }
    };
    match &e.kind {
        ast::ExprKind::Name(n) => into.push(n),
        ast::ExprKind::Member { object, .. } => collect_names(object, into),
        ast::ExprKind::Index { object, index } => {
            collect_names(object, into);
            collect_names(index, into);
        }
        ast::ExprKind::Slice { object, .. } => collect_names(object, into),
        ast::ExprKind::Call { callee, args } => {
            collect_names(callee, into);
            args.iter().for_each(|a| arg(a, into));
        }
        ast::ExprKind::Unary { operand, .. } | ast::ExprKind::IsNull { operand, .. } => collect_names(operand, into),
        ast::ExprKind::Binary { left, right, .. } => {
            collect_names(left, into);
            collect_names(right, into);
        }
        ast::ExprKind::In { value, set, .. } => {
            collect_names(value, into);
            collect_names(set, into);
        }
        ast::ExprKind::If { condition, then, otherwise } => {
            collect_names(condition, into);
            collect_names(then, into);
            collect_names(otherwise, into);
        }
        ast::ExprKind::Range { from, to, .. } => {
            collect_names(from, into);
            collect_names(to, into);
        }
        ast::ExprKind::Array(items) | ast::ExprKind::Tuple(items) => items.iter().for_each(|i| collect_names(i, into)),
        ast::ExprKind::Map(items) => items.iter().for_each(|(k, v)| {
            collect_names(k, into);
            collect_names(v, into);
        }),
        ast::ExprKind::Lambda { body, .. } => collect_names(body, into),
        ast::ExprKind::Format(parts) => parts.iter().for_each(|p| {
            if let ast::FormatPart::Value(e, _) = p {
                collect_names(e, into);
            }
        }),
        ast::ExprKind::Int(_)
        | ast::ExprKind::Float(_)
        | ast::ExprKind::Str(_)
        | ast::ExprKind::Duration(_)
        | ast::ExprKind::Timestamp(_)
        | ast::ExprKind::Bool(_)
        | ast::ExprKind::Null
        | ast::ExprKind::Error => {}
    }
}
