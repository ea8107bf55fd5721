//! Typing of methods of arrays and maps.

use super::Analyzer;
use super::decimals::DIGITS;
use super::limits::Size;
use super::scope::{Local, Scope};
use super::typed::{Expr, ExprKind, Gather, Literal};
use super::types::{Kind, Type};
use super::values::{call, part, part_or_null};
use crate::diagnostics::{Code, Diagnostic, did_you_mean};
use crate::syntax::ast::{self, ArgValue, BinaryOp, Span};

/// A method: its name, what it takes, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// Its name.
    pub name: &'static str,
    /// What it takes, as written.
    pub arguments: &'static str,
    /// What it does.
    pub doc: &'static str,
}

macro_rules! methods {
    ($($name:literal $arguments:literal $doc:literal;)*) => {
        /// The methods of arrays; of a map, `len`, `keys` and `values`.
        pub const METHODS: &[Method] = &[$(Method { name: $name, arguments: $arguments, doc: $doc }),*];
    };
}

methods! {
    "len" "()" "The number of elements, or of a map's keys.";
    "filter" "(x => condition)" "The elements for which the condition is true.";
    "map" "(x => value)" "What is made of each element.";
    "count" "() or (x => condition)" "The number of elements, or of those for which the condition is true.";
    "any" "() or (x => condition)" "Whether an element is true, or the condition is of one.";
    "all" "() or (x => condition)" "Whether every element is true, or the condition is of every one; over nothing, true.";
    "sum" "() or (x => number)" "The sum; 0 over nothing. Of int it is int and checked.";
    "avg" "() or (x => number)" "The arithmetic mean; null over nothing.";
    "min" "() or (x => value)" "The smallest value; null over nothing. NaN is skipped.";
    "max" "() or (x => value)" "The largest value; null over nothing. NaN is skipped.";
    "first" "()" "The first element; null over nothing.";
    "last" "()" "The last element; null over nothing.";
    "sort" "()" "In ascending order; NaN and null last.";
    "reverse" "()" "From the last to the first.";
    "distinct" "()" "The different elements, in order of first appearance.";
    "flatten" "()" "The elements of an array's arrays.";
    "zip" "(other)" "Pairs of the elements at equal places, as many as the shorter has.";
    "sliding_pairs" "()" "Pairs of each element with the next.";
    "contains" "(x)" "Whether an element is equal, as `x in array`.";
    "join" "(separator)" "The texts of an array, with the separator between them; null is left out.";
    "keys" "()" "The keys of a map.";
    "values" "()" "The values of a map.";
}

/// Whether arrays or maps have a method of that name.
pub(super) fn is_method(name: &str) -> bool {
    METHODS.iter().any(|method| method.name == name)
}

/// An argument of a method.
#[derive(Clone, Copy)]
enum Given<'e> {
    Nothing,
    Lambda(&'e [ast::Name], &'e ast::Expr),
    Value(&'e ast::Expr),
}

impl Analyzer<'_> {
    /// `array.method(…)`
    pub(super) fn method_of_value(&mut self, object: Expr, name: &ast::Name, args: &[ast::Arg], span: Span, scope: &mut Scope) -> Expr {
        if !METHODS.iter().any(|method| method.name == name.text) {
            let mut d = Diagnostic::new(Code::UnknownFunction, name.span, format!("{} has no method `{}`", object.ty.without_null(), name.text));
            if let Some(similar) = did_you_mean(&name.text, METHODS.iter().map(|method| method.name)) {
                d = d.fix(name.span, similar, "a similar name exists");
            }
            return self.wrong(d);
        }
        let given = match args {
            [] => Given::Nothing,
            [ast::Arg { name: None, value: ArgValue::Expr(e, None), .. }] => match &e.kind {
                ast::ExprKind::Lambda { params, body } => Given::Lambda(params, body),
                _ => Given::Value(e),
            },
            _ => return self.wrong_arguments(name, span),
        };
        match object.ty.kind.clone() {
            Kind::Array(element) if element.kind == Kind::Null => self.untyped_array(object.span),
            Kind::Array(element) => self.method_of_array(object, *element, name, given, span, scope),
            Kind::Map(key, value) => match (name.text.as_str(), given) {
                ("len", Given::Nothing) => call(".size", vec![object], Kind::Int, span),
                ("keys", Given::Nothing) => call(".keys", vec![object], Kind::Array(key), span),
                ("values", Given::Nothing) => call(".values", vec![object], Kind::Array(value), span),
                _ => self.not_of(&object, name, "its methods are `len()`, `keys()` and `values()`"),
            },
            _ => self.not_of(&object, name, "arrays and maps have methods"),
        }
    }

    fn wrong_arguments(&mut self, name: &ast::Name, span: Span) -> Expr {
        let takes = METHODS.iter().find(|method| method.name == name.text).map_or("()", |method| method.arguments);
        self.wrong(
            Diagnostic::new(Code::WrongArgumentCount, span, format!("`{}` takes other arguments", name.text)).note(format!("it is `.{}{takes}`", name.text)),
        )
    }

    fn not_of(&mut self, object: &Expr, name: &ast::Name, help: &str) -> Expr {
        let message = format!("{} has no method `{}`", object.ty.without_null(), name.text);
        self.wrong(Diagnostic::new(Code::TypeMismatch, name.span, message).help(help))
    }

    fn method_of_array(&mut self, object: Expr, element: Type, name: &ast::Name, given: Given<'_>, span: Span, scope: &mut Scope) -> Expr {
        let kind = object.ty.kind.clone();
        let array_of = |ty: Type| Kind::Array(Box::new(ty));
        match (name.text.as_str(), given) {
            ("filter", Given::Lambda(params, body)) => self.filter(object, element, params, body, span, scope),
            ("map", Given::Lambda(params, body)) => self.map_elements(object, element, params, body, span, scope),
            ("count", Given::Lambda(params, body)) => {
                let kept = self.filter(object, element, params, body, span, scope);
                call(".len", vec![kept], Kind::Int, span)
            }
            ("len" | "count", Given::Nothing) => call(".len", vec![object], Kind::Int, span),
            ("any" | "all", Given::Lambda(params, body)) => {
                let truths = self.conditions(object, element, params, body, span, scope);
                call(&format!(".{}", name.text), vec![truths], Kind::Bool, span)
            }
            ("any" | "all", Given::Nothing) if element.kind == Kind::Bool => call(&format!(".{}", name.text), vec![object], Kind::Bool, span),
            ("sum" | "avg" | "min" | "max", Given::Lambda(params, body)) => {
                let values = self.map_elements(object, element, params, body, span, scope);
                self.reduce(values, name, span)
            }
            ("sum" | "avg" | "min" | "max", Given::Nothing) => self.reduce(object, name, span),
            ("first", Given::Nothing) => part_or_null(object, Expr::literal(Literal::Int(0), Type::INT, span), &element, span),
            ("last", Given::Nothing) => {
                if !self.copies("the array", Size::of(&object), span) {
                    return Expr::error(span);
                }
                let one = Expr::literal(Literal::Int(1), Type::INT, span);
                let length = call(".len", vec![object.clone()], Kind::Int, span);
                let ty = length.ty.clone();
                let at = Expr { kind: ExprKind::Binary(BinaryOp::Subtract, Box::new(length), Box::new(one)), ty, span };
                part_or_null(object, at, &element, span)
            }
            ("sort", Given::Nothing) if !element.is_ordered() && element.kind != Kind::Bool => {
                self.not_of(&object, name, "elements that have an order can be sorted")
            }
            ("sort" | "reverse" | "distinct", Given::Nothing) => call(&format!(".{}", name.text), vec![object], kind, span),
            ("flatten", Given::Nothing) => match &element.kind {
                Kind::Array(_) => call(".flatten", vec![object], element.kind.clone(), span),
                _ => self.not_of(&object, name, "its elements are no arrays"),
            },
            ("sliding_pairs", Given::Nothing) => {
                let pair = Type::new(Kind::Tuple(vec![element.clone(), element]));
                call(".sliding_pairs", vec![object], array_of(pair), span)
            }
            ("zip", Given::Value(other)) => {
                let other = self.expr(other, scope);
                match other.ty.kind.clone() {
                    Kind::Array(with) => call(".zip", vec![object, other], array_of(Type::new(Kind::Tuple(vec![element, *with]))), span),
                    Kind::Error => Expr::error(span),
                    _ => self.wrong(Diagnostic::new(Code::WrongArgumentType, other.span, format!("`zip` takes an array, found {}", other.ty))),
                }
            }
            ("contains", Given::Value(value)) => {
                let value = self.expr(value, scope);
                self.contains(object, value, span)
            }
            ("join", Given::Value(separator)) if element.kind == Kind::Str => {
                let separator = self.expr(separator, scope);
                self.joined(object, separator, span)
            }
            ("join", Given::Value(_)) => self.not_of(&object, name, "texts are joined: `.map(x => str(x)).join(…)`"),
            ("any" | "all", Given::Nothing) => self.not_of(&object, name, "give it a condition: `x => …`"),
            ("keys" | "values", _) => self.not_of(&object, name, "maps have keys and values"),
            _ => self.wrong_arguments(name, span),
        }
    }

    /// The texts of an array, with a separator between them.
    pub(super) fn joined(&mut self, texts: Expr, separator: Expr, span: Span) -> Expr {
        let separator = self.coerce_part(separator, &Type::STR, "the separator");
        if separator.ty.kind == Kind::Error { separator } else { call(".join", vec![texts, separator], Kind::Str, span) }
    }

    /// `sum`, `avg`, `min` and `max` of an array's elements.
    fn reduce(&mut self, object: Expr, name: &ast::Name, span: Span) -> Expr {
        let Kind::Array(element) = object.ty.kind.clone() else { return Expr::error(span) };
        match (name.text.as_str(), &element.kind) {
            ("sum", Kind::Int) => call_of(".sum", "sum_of_ints", object, Kind::Int, span),
            ("sum", Kind::Float) => call_of(".sum", "sum_of_floats", object, Kind::Float, span),
            ("sum", Kind::Duration) => call_of(".sum", "sum_of_durations", object, Kind::Duration, span),
            ("sum", Kind::Decimal(_, scale)) => call_of(".sum", "sum_of_decimals", object, Kind::Decimal(DIGITS, *scale), span),
            ("avg", Kind::Int | Kind::Float | Kind::Decimal(..)) => {
                if !self.copies("the array", Size::of(&object).times(2), span) {
                    return Expr::error(span);
                }
                let sum = match &element.kind {
                    Kind::Decimal(_, scale) => {
                        let sum = call_of(".sum", "sum_of_decimals", object.clone(), Kind::Decimal(DIGITS, *scale), span);
                        self.decimal_to_float(sum)
                    }
                    _ => call_of(".sum", "sum_of_floats", object.clone(), Kind::Float, span),
                };
                let count = call(".count", vec![object], Kind::Int, span);
                let is_empty = {
                    let zero = Expr::literal(Literal::Int(0), Type::INT, span);
                    Expr { ty: Type::BOOL.with_null(count.ty.nullable), kind: ExprKind::Binary(BinaryOp::Equal, Box::new(count.clone()), Box::new(zero)), span }
                };
                let ty = Type::optional(Kind::Float);
                let count = super::expressions::to_float(count);
                let mean = Expr { ty: sum.ty.clone(), kind: ExprKind::Binary(BinaryOp::Divide, Box::new(sum), Box::new(count)), span };
                let null = Expr::literal(Literal::Null, ty.clone(), span);
                Expr { kind: ExprKind::If(Box::new(is_empty), Box::new(null), Box::new(mean)), ty, span }
            }
            ("min" | "max", _) if element.is_ordered() => {
                if !self.copies("the array", Size::of(&object), span) {
                    return Expr::error(span);
                }
                let function = if name.text == "min" { ".least" } else { ".greatest" };
                let at = call(function, vec![object.clone()], Kind::Int, span);
                part_or_null(object, at, &element, span)
            }
            ("min" | "max", _) => self.not_of(&object, name, "its elements have no order"),
            _ => self.not_of(&object, name, "numbers have a sum and a mean"),
        }
    }

    fn filter(&mut self, of: Expr, element: Type, params: &[ast::Name], body: &ast::Expr, span: Span, scope: &mut Scope) -> Expr {
        let (number, keep) = self.lambda(&element, params, scope, |a, scope| a.condition(body, scope));
        let value = Expr { kind: ExprKind::Element(number), ty: element, span };
        gather(number, of, Some(keep), value, span)
    }

    fn map_elements(&mut self, of: Expr, element: Type, params: &[ast::Name], body: &ast::Expr, span: Span, scope: &mut Scope) -> Expr {
        let (number, value) = self.lambda(&element, params, scope, |a, scope| a.expr(body, scope));
        gather(number, of, None, value, span)
    }

    fn conditions(&mut self, of: Expr, element: Type, params: &[ast::Name], body: &ast::Expr, span: Span, scope: &mut Scope) -> Expr {
        let (number, value) = self.lambda(&element, params, scope, |a, scope| a.condition(body, scope));
        gather(number, of, None, value, span)
    }

    /// Reads a lambda's body with its parameters bound: one is the element; several are the parts of a tuple.
    fn lambda(&mut self, element: &Type, params: &[ast::Name], scope: &mut Scope, read: impl FnOnce(&mut Self, &mut Scope) -> Expr) -> (u32, Expr) {
        let number = self.number();
        let bound = scope.locals.len();
        let at = params.first().map_or(Span::default(), |name| name.span);
        let whole = Expr { kind: ExprKind::Element(number), ty: element.clone(), span: at };
        match (params, &element.kind) {
            ([one], _) => scope.locals.push(Local::new(&one.text, whole)),
            (several, Kind::Tuple(parts)) if several.len() == parts.len() => {
                for (at, (name, ty)) in several.iter().zip(parts).enumerate() {
                    scope.locals.push(Local::new(&name.text, part(whole.clone(), at, ty, name.span)));
                }
            }
            _ => {
                let message = format!("this lambda takes {} values, and an element is {element}", params.len());
                return (number, self.wrong(Diagnostic::new(Code::WrongArgumentCount, at, message)));
            }
        }
        let value = read(self, scope);
        scope.locals.truncate(bound);
        (number, value)
    }
}

/// A call of the function of that body, where several go by one name and take the same.
fn call_of(name: &str, body: &str, arg: Expr, kind: Kind, span: Span) -> Expr {
    let ty = Type { kind, nullable: arg.ty.nullable };
    match crate::functions::Function::overloads(name).find(|function| function.row().body == body) {
        Some(function) => Expr { kind: ExprKind::Call(function, vec![arg]), ty, span },
        None => Expr::error(span),
    }
}

pub(super) fn gather(number: u32, of: Expr, keep: Option<Expr>, value: Expr, span: Span) -> Expr {
    if value.ty.kind == Kind::Error || keep.as_ref().is_some_and(|keep| keep.ty.kind == Kind::Error) {
        return Expr::error(span);
    }
    let element = if value.ty.kind == Kind::Null { Type::optional(Kind::Any) } else { value.ty.clone() };
    let ty = Type { kind: Kind::Array(Box::new(element)), nullable: of.ty.nullable };
    Expr { kind: ExprKind::Gather(Box::new(Gather { number, of, keep, value })), ty, span }
}
