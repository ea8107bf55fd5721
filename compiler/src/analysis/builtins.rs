//! Functions that the compiler makes of others: other names, any number of arguments, results that may be null.

use super::Analyzer;
use super::limits::Size;
use super::typed::{Expr, Literal};
use super::types::{Kind, Type};
use super::values::{call, part_or_null};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::Span;

/// A function: its name, what it takes, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// Its name.
    pub name: &'static str,
    /// What it takes, as written.
    pub arguments: &'static str,
    /// The type of its value, as written.
    pub result: &'static str,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! builtins {
    ($($name:literal $arguments:literal $result:literal $doc:literal;)*) => {
        /// All of them.
        pub const BUILTINS: &[Builtin] = &[$(Builtin { name: $name, arguments: $arguments, result: $result, doc: $doc }),*];
    };
}

builtins! {
    "pow" "(x, y)" "that of `x ** y`" "`x ** y`.";
    "log" "(float)" "float" "`ln(x)`.";
    "day_of_week" "(timestamp)" "int" "`weekday(ts)`.";
    "least" "(a, b, …)" "that of the arguments" "The smallest of numbers, as `min` of two.";
    "greatest" "(a, b, …)" "that of the arguments" "The largest of numbers, as `max` of two.";
    "clamp" "(x, low, high)" "that of the arguments" "x, but not below `low` and not above `high`.";
    "coalesce" "(a, b, …)" "that of the arguments" "The first that is not null: `a ?? b`.";
    "duration_between" "(from, to)" "duration" "`to - from`.";
    "format" "(template, …)" "str" "The template with a value in place of each `{}`; `{:.2}` writes two decimals, and `{{` and `}}` are braces.";
    "join" "(array, separator)" "str" "`array.join(separator)`.";
    "regex_extract" "(text, pattern, group = 1)" "str?" "A group of the first match of a regular expression, 0 for the whole; null if there is none.";
    "try_int" "(x)" "int?" "`int(x)`, or null where that does not convert.";
    "try_float" "(x)" "float?" "`float(x)`, or null where that does not convert.";
    "try_bool" "(x)" "bool?" "`bool(x)`, or null where that does not convert.";
    "try_timestamp" "(x)" "timestamp?" "`timestamp(x)`, or null where that does not convert.";
    "random" "()" "float" "A number from 0 to below 1, another one for each record. The parameter `random_seed`, an `int`, repeats it. Where records pass one by one: not in windows, joins and patterns.";
    "uuid" "()" "str" "A random UUID (version 4), as 36 characters. `random_seed` repeats it, too.";
    "wall_clock" "()" "timestamp" "The machine's time, where `now()` is the event's.";
    "decimal" "(x, digits, decimals = 0)" "decimal" "x, a number, a text or an `any`, as an exact decimal: rounded to so many decimals, halves away from zero. Refused where it has more digits. `abs`, `sign`, `min`, `max`, `floor`, `ceil`, `round`, `fixed`, `hash`, `int`, `float` and `str` take decimals, too.";
    "lag" "(x, n = 1, default = null)" "that of x, or null" "The value that `x` had in the n-th record before this one, of the same key of the partition; the default where there is none so far back. In `.where`, `.select` and `.emit`.";
    "json_get" "(any, path)" "any" "The part of a JSON value at a path such as `\"a.b[0]\"`; null if there is none.";
}

/// Whether a function of this list is called that, or one that differs from run to run.
pub(super) fn is_builtin(name: &str) -> bool {
    name == "now" || super::impure::IMPURE.contains(&name) || BUILTINS.iter().any(|builtin| builtin.name == name)
}

impl Analyzer<'_> {
    /// A call of a function of this list, if it is one.
    pub(super) fn builtin(&mut self, name: &str, name_span: Span, values: &[Expr], span: Span) -> Option<Expr> {
        let builtin = BUILTINS.iter().find(|builtin| builtin.name == name && name != "decimal")?;
        if values.iter().any(|value| value.ty.kind == Kind::Error) {
            return Some(Expr::error(span));
        }
        let values = values.to_vec();
        let count = values.len();
        let found = match (name, count) {
            ("pow", 2) => self.run_time_function("**", name_span, values, span),
            ("log", 1) => self.run_time_function("ln", name_span, values, span),
            ("day_of_week", 1) => self.run_time_function("weekday", name_span, values, span),
            ("least" | "greatest", 2..) => self.folded(if name == "least" { "min" } else { "max" }, name_span, values, span),
            ("clamp", 3) => self.clamp(name_span, values, span),
            ("coalesce", 1..) => {
                let mut rest = values.into_iter().rev();
                let last = rest.next()?;
                rest.fold(last, |right, left| self.coalesce(left, right, span))
            }
            ("duration_between", 2) => {
                let [mut from, mut to] = <[Expr; 2]>::try_from(values).ok()?;
                self.settle(&mut from, Kind::Timestamp);
                self.settle(&mut to, Kind::Timestamp);
                self.difference(to, from, span)
            }
            ("format", 1..) => self.formatted(values, span),
            ("join", 2) => {
                let [array, separator] = <[Expr; 2]>::try_from(values).ok()?;
                match &array.ty.kind {
                    Kind::Array(element) if element.kind == Kind::Str => self.joined(array, separator, span),
                    _ => self.wrong(Diagnostic::new(Code::WrongArgumentType, array.span, format!("`join` takes an array of texts, found {}", array.ty))),
                }
            }
            ("regex_extract", 2 | 3) => self.regex_extract(values, span),
            ("try_int" | "try_float" | "try_bool" | "try_timestamp", 1) => self.tried(name, name_span, values, span),
            ("json_get", 2) => {
                let [mut json, mut path] = <[Expr; 2]>::try_from(values).ok()?;
                self.settle(&mut json, Kind::Any);
                self.settle(&mut path, Kind::Str);
                match (&json.ty.kind, &path.ty.kind) {
                    (Kind::Any, Kind::Str) => only(call(".json_get", vec![json, path], Kind::Any, span), Kind::Any, span),
                    _ => {
                        let message = format!("`json_get` takes an `any` and a path, found ({}, {})", json.ty, path.ty);
                        self.wrong(Diagnostic::new(Code::WrongArgumentType, span, message))
                    }
                }
            }
            _ => {
                let message = format!("`{name}` does not take {count} argument(s)");
                self.wrong(Diagnostic::new(Code::WrongArgumentCount, span, message).note(format!("it is `{name}{}`", builtin.arguments)))
            }
        };
        Some(found)
    }

    fn folded(&mut self, function: &str, name_span: Span, values: Vec<Expr>, span: Span) -> Expr {
        let mut values = values.into_iter();
        let Some(first) = values.next() else { return Expr::error(span) };
        values.fold(first, |left, right| self.run_time_function(function, name_span, vec![left, right], span))
    }

    fn clamp(&mut self, name_span: Span, values: Vec<Expr>, span: Span) -> Expr {
        let Ok([x, low, high]) = <[Expr; 3]>::try_from(values) else { return Expr::error(span) };
        let raised = self.run_time_function("max", name_span, vec![x, low], span);
        if raised.ty.kind == Kind::Error { raised } else { self.run_time_function("min", name_span, vec![raised, high], span) }
    }

    fn regex_extract(&mut self, values: Vec<Expr>, span: Span) -> Expr {
        let mut values = values;
        if values.len() == 2 {
            values.push(Expr::literal(Literal::Int(1), Type::INT, span));
        }
        let Ok([mut text, mut pattern, mut group]) = <[Expr; 3]>::try_from(values) else { return Expr::error(span) };
        self.settle(&mut text, Kind::Str);
        self.settle(&mut pattern, Kind::Str);
        self.settle(&mut group, Kind::Int);
        if text.ty.kind != Kind::Str || pattern.ty.kind != Kind::Str || group.ty.kind != Kind::Int {
            let message = format!("`regex_extract` takes (str, str, int), found ({}, {}, {})", text.ty, pattern.ty, group.ty);
            return self.wrong(Diagnostic::new(Code::WrongArgumentType, span, message));
        }
        if !self.is_regex(&pattern) {
            return Expr::error(span);
        }
        only(call(".regex_extract", vec![text, pattern, group], Kind::Array(Box::new(Type::STR)), span), Kind::Str, span)
    }

    /// Whether a constant regular expression is one; what is computed shows at run time.
    pub(super) fn is_regex(&mut self, pattern: &Expr) -> bool {
        let Some(Literal::Str(text)) = pattern.as_literal() else { return true };
        match regex_lite::Regex::new(text) {
            Ok(_) => true,
            Err(error) => {
                let message = format!("this is no regular expression: {error}");
                self.report(Diagnostic::new(Code::BadArgument, pattern.span, message));
                false
            }
        }
    }

    /// `try_int` and the like: what converts always needs no trying.
    fn tried(&mut self, name: &str, name_span: Span, mut values: Vec<Expr>, span: Span) -> Expr {
        let plain = name.trim_start_matches("try_");
        let kind = match plain {
            "int" => Kind::Int,
            "float" => Kind::Float,
            "bool" => Kind::Bool,
            _ => Kind::Timestamp,
        };
        if let [value] = values.as_mut_slice() {
            self.settle(value, Kind::Any);
        }
        let scalars: Vec<_> = values.iter().map(|value| value.ty.scalar()).collect();
        let function = format!(".{name}");
        if crate::functions::Function::find(&function, &scalars).is_none() {
            return self.run_time_function(plain, name_span, values, span);
        }
        only(call(&function, values, Kind::Array(Box::new(Type::new(kind.clone()))), span), kind, span)
    }

    /// `format("{} of {:.2}", a, b)`
    fn formatted(&mut self, values: Vec<Expr>, span: Span) -> Expr {
        let mut values = values.into_iter();
        let Some(template) = values.next() else { return Expr::error(span) };
        let Some(Literal::Str(text)) = template.as_literal().cloned() else {
            return self.wrong(Diagnostic::new(Code::BadArgument, template.span, "the template must be a literal").help("put texts together with `+`"));
        };
        let mut result = Expr::literal(Literal::Str(String::new()), Type::STR, span);
        let mut rest = text.as_str();
        while let Some(at) = rest.find(['{', '}']) {
            let (before, brace) = rest.split_at(at);
            let doubled = brace.get(..2).filter(|two| matches!(*two, "{{" | "}}"));
            let (plain, behind) = match doubled {
                Some(two) => (format!("{before}{}", two.split_at(1).0), brace.split_at(2).1),
                None => (before.to_owned(), brace),
            };
            result = self.concat(result, Expr::literal(Literal::Str(plain), Type::STR, span), span);
            rest = behind;
            if doubled.is_some() {
                continue;
            }
            let Some((spec, behind)) = brace.strip_prefix('{').and_then(|inside| inside.split_once('}')) else {
                return self
                    .wrong(Diagnostic::new(Code::BadArgument, template.span, "a brace of the template has no partner").help("`{{` and `}}` are braces"));
            };
            let Some(value) = values.next() else {
                return self.wrong(Diagnostic::new(Code::WrongArgumentCount, template.span, "the template has more places than there are values"));
            };
            let value = match (spec, spec.strip_prefix(":.").and_then(|n| n.parse::<u8>().ok())) {
                ("", _) => value,
                (_, Some(n)) => {
                    let n = Expr::literal(Literal::Int(i64::from(n)), Type::INT, span);
                    self.run_time_function("fixed", span, vec![value, n], span)
                }
                _ => {
                    let message = format!("`{{{spec}}}` is no place for a value");
                    return self.wrong(Diagnostic::new(Code::BadArgument, template.span, message).help("write `{}` or `{:.2}`"));
                }
            };
            if !self.copies("the text", Size::of(&value), span) {
                return Expr::error(span);
            }
            let value = self.text_of(value, span);
            result = self.concat(result, value, span);
            rest = behind;
        }
        if let Some(left) = values.next() {
            return self.wrong(Diagnostic::new(Code::WrongArgumentCount, left.span, "the template has no place for this value"));
        }
        self.concat(result, Expr::literal(Literal::Str(rest.to_owned()), Type::STR, span), span)
    }
}

/// What stands alone in an array, or null.
fn only(of: Expr, kind: Kind, span: Span) -> Expr {
    let zero = Expr::literal(Literal::Int(0), Type::INT, span);
    part_or_null(of, zero, &Type::new(kind), span)
}
