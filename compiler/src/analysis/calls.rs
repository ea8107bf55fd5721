//! Typing of calls: run-time functions, methods, f-strings.

use super::Analyzer;
use super::aggregates::Given;
use super::builtins::BUILTINS;
use super::expressions::to_float;
use super::impure::IMPURE;
use super::limits::Size;
use super::scope::Scope;
use super::typed::{Expr, ExprKind, Literal, Place};
use super::types::{EnumType, Kind, Type};
use super::values::null_of;
use crate::diagnostics::foreign::{self, ours};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::functions::Function;
use crate::functions::aggregates::Aggregate;
use crate::syntax::ast::{self, ArgValue, Span};

/// Functions of the language that later stages do not have.
const LATER: &[&str] = &["attention_score", "top_attention", "count_trends", "sum_trends", "min_trends", "max_trends", "avg_trends", "count_events"];

impl Analyzer<'_> {
    pub(crate) fn call(&mut self, callee: &ast::Expr, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        match &callee.kind {
            ast::ExprKind::Name(name) => self.named_call(name, callee.span, args, span, scope),
            ast::ExprKind::Member { object, name, .. } => match self.imported(object, scope) {
                Some(prefix) => self.imported_call(prefix, name, args, span, scope),
                None => self.method(object, name, args, span, scope),
            },
            _ => self.wrong(Diagnostic::new(Code::UnknownFunction, callee.span, "this is called, and no function").help("functions are called by their names")),
        }
    }

    /// `common.f(…)`
    fn imported_call(&mut self, prefix: &str, name: &ast::Name, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if let Some(function) = self.functions.get(&format!("{prefix}{}", name.text)).copied() {
            self.used.insert(function.name.text.clone());
            return self.call_user_function(function, args, span, scope);
        }
        let mut d = Diagnostic::new(Code::UnknownFunction, name.span, format!("`{}` has no function `{}`", prefix.trim_end_matches('.'), name.text));
        if let Some(similar) = self.similar_in(prefix, &name.text) {
            d = d.fix(name.span, similar, "a similar name exists");
        }
        self.wrong(d)
    }

    fn named_call(&mut self, name: &str, name_span: Span, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if let Some(function) = self.functions.get(&*self.own(name, name_span)).copied() {
            self.used.insert(function.name.text.clone());
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
        if IMPURE.contains(&name) {
            return self.impure(name, args, span);
        }
        if name == "lag" {
            return self.lagged(span);
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
        // What is no function's argument may be an aggregate's: one mistake is one message.
        if scope.firing.is_some() && ours(name, foreign::FUNCTIONS).is_some() && Function::overloads(name).next().is_none() {
            return self.unknown_function(name, name_span);
        }
        if matches!(name, "regex_match" | "regex_extract") {
            self.look_at_regex(args, span);
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

    pub(crate) fn run_time_function(&mut self, name: &str, name_span: Span, mut values: Vec<Expr>, span: Span) -> Expr {
        let special = self.builtin(name, name_span, &values, span).or_else(|| self.decimal_function(name, &values, span));
        if let Some(made) = special {
            return made;
        }
        if Function::overloads(name).next().is_none() || name.starts_with('.') {
            return self.unknown_function(name, name_span);
        }
        if let [only] = values.as_mut_slice()
            && let Some(converted) = self.simple_conversion(name, only, span)
        {
            return converted;
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
                (Kind::Null, s) => null_of(v, Type::optional(kind_of(*s))),
                _ => v,
            })
            .collect();
        if let ("regex_match", [_, pattern]) = (name, values.as_slice())
            && !self.is_regex(pattern)
        {
            return Expr::error(span);
        }
        let nullable = values.iter().any(|v| v.ty.nullable);
        let kind = if row.result == varpulis_abi::scalar::Scalar::Packed { texts() } else { kind_of(row.result) };
        Expr { kind: ExprKind::Call(function, values), ty: Type { kind, nullable }, span }
    }

    /// Conversions that no function of the runtime makes: of a type to itself, of an integer to a float, of a variant to its name, of what
    /// is composed to a text.
    fn simple_conversion(&mut self, name: &str, value: &mut Expr, span: Span) -> Option<Expr> {
        // What an inferred field is converted to, it is not.
        if value.ty.is_lenient() && matches!(name, "int" | "float" | "str" | "bool" | "timestamp") {
            self.settle(value, Kind::Any);
        }
        match (name, &value.ty.kind) {
            ("int", Kind::Int) | ("float", Kind::Float) | ("str", Kind::Str) | ("bool", Kind::Bool) | ("timestamp", Kind::Timestamp) => Some(value.clone()),
            ("float", Kind::Int) => Some(to_float(value.clone())),
            ("str", Kind::Enum(e)) => {
                let e = e.clone();
                Some(self.enum_text(value.clone(), &e, span))
            }
            ("str", Kind::Array(_) | Kind::Map(..) | Kind::Tuple(_) | Kind::Record(_)) => Some(self.composed_text(value, span)),
            _ => None,
        }
    }

    fn unknown_function(&mut self, name: &str, name_span: Span) -> Expr {
        let mut d = Diagnostic::new(Code::UnknownFunction, name_span, format!("no function is called `{name}`"));
        let names: Vec<String> = Function::names()
            .chain(BUILTINS.iter().map(|b| b.name))
            .chain(Aggregate::ALL.iter().map(|a| a.name()))
            .map(str::to_owned)
            .chain(self.functions.keys().cloned())
            .collect();
        if let Some(ours) = ours(name, foreign::FUNCTIONS) {
            d = d.fix(name_span, ours, format!("`{name}` is called `{ours}` here"));
        } else if name == "range" {
            d = d.help("the integers from 0 to before n are `0..n`");
        } else if let Some(similar) = did_you_mean(name, names.iter().map(String::as_str)) {
            d = d.fix(name_span, similar, "a similar name exists");
        }
        let d = self.with_import(d, name, name_span);
        self.wrong(d)
    }

    fn no_overload(&mut self, name: &str, values: &[Expr], overloads: &[Function], span: Span) -> Expr {
        let forms: Vec<String> = overloads
            .iter()
            .map(|f| format!("`{name}({})`", f.row().args.iter().map(|a| Type::new(kind_of(*a)).to_string()).collect::<Vec<_>>().join(", ")))
            .collect();
        if overloads.iter().all(|f| f.row().args.len() != values.len()) {
            let mut lengths: Vec<usize> = overloads.iter().map(|f| f.row().args.len()).collect();
            lengths.sort_unstable();
            lengths.dedup();
            let takes = lengths.iter().map(usize::to_string).collect::<Vec<_>>().join(" or ");
            let message = format!("`{name}` takes {takes} argument(s), {} given", values.len());
            let most = overloads.iter().map(|f| f.row().args.len()).max().unwrap_or(0);
            let surplus = values.get(most).zip(values.last()).map_or(span, |(first, last)| first.span.to(last.span));
            return self.wrong(Diagnostic::new(Code::WrongArgumentCount, surplus, message).note(format!("it is {}", forms.join(" or "))));
        }
        let given: Vec<String> = values.iter().map(|v| v.ty.to_string()).collect();
        let message = format!("`{name}` does not take ({})", given.join(", "));
        let note = format!("it is {}", forms.join(" or "));
        // With one form of that length, one argument is to blame.
        let forms: Vec<&Function> = overloads.iter().filter(|f| f.row().args.len() == values.len()).collect();
        if let [only] = forms.as_slice()
            && let Some((value, wanted)) = values.iter().zip(only.row().args).find(|(v, s)| v.ty.scalar() != **s)
        {
            let wanted = Type::new(kind_of(*wanted)).to_string();
            let d = self.mismatch(Code::WrongArgumentType, value, message, &wanted);
            return self.wrong(if d.code == Code::WrongArgumentType { d.label(format!("{wanted} wanted, {} found", value.ty)).note(note) } else { d });
        }
        self.wrong(Diagnostic::new(Code::WrongArgumentType, span, message).note(note))
    }

    fn method(&mut self, object: &ast::Expr, name: &ast::Name, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if let ast::ExprKind::Name(of) = &object.kind
            && let Some(input) = scope.input(of).filter(|i| i.kleene).cloned()
        {
            if input.is_newest() {
                return self.newest_alone(of, span);
            }
            if name.text == "len" && args.is_empty() {
                return self.kleene_aggregate(Aggregate::Count, &input, Given { value: None, by: None, condition: None, parameter: None, span }, scope);
            }
            return self.not_compiled(span, "methods of a Kleene step other than `len()`", "aggregates such as `sum(x.field)` range over its elements");
        }
        // A function of the program is called so as well, unless arrays have a method of its name.
        if !super::methods::is_method(&name.text)
            && let Some(function) = self.functions.get(&*self.own(&name.text, name.span)).copied()
        {
            self.used.insert(function.name.text.clone());
            let first = ast::Arg { name: None, value: ArgValue::Expr(object.clone(), None), span: object.span };
            let args: Vec<ast::Arg> = std::iter::once(first).chain(args.iter().cloned()).collect();
            return self.call_user_function(function, &args, span, scope);
        }
        let object = self.expr(object, scope);
        if object.ty.is_packed() {
            return self.method_of_value(object, name, args, span, scope);
        }
        let mut values = vec![object];
        for arg in args {
            match &arg.value {
                ArgValue::Expr(e, None) if arg.name.is_none() => values.push(self.expr(e, scope)),
                _ => return self.wrong(Diagnostic::new(Code::BadArgument, arg.span, "expected an expression")),
            }
        }
        self.run_time_function(&name.text, name.span, values, span)
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

    /// The text of an enum's variant: a chain of comparisons, folded where the variant is known.
    pub(super) fn enum_text(&mut self, value: Expr, e: &EnumType, span: Span) -> Expr {
        // The value stands in each of its comparisons.
        if !self.copies("the text of every variant", Size::of(&value).times(e.variants.len()), span) {
            return Expr::error(span);
        }
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

/// What functions make arrays of that are called by name.
fn texts() -> Kind {
    Kind::Array(Box::new(Type::STR))
}

/// The language's kind for a physical type.
pub(crate) fn kind_of(scalar: varpulis_abi::scalar::Scalar) -> Kind {
    use varpulis_abi::scalar::Scalar;
    match scalar {
        Scalar::Int | Scalar::Enum | Scalar::Wide => Kind::Int,
        Scalar::Float => Kind::Float,
        Scalar::Decimal => Kind::Decimal(super::decimals::DIGITS, 0),
        Scalar::Bool => Kind::Bool,
        Scalar::Text => Kind::Str,
        Scalar::Timestamp => Kind::Timestamp,
        Scalar::Duration => Kind::Duration,
        // The functions of arrays are called by what knows the types of elements.
        Scalar::Json | Scalar::Packed => Kind::Any,
    }
}
