//! Typing of values made of values: literals, elements, slices, membership.

use std::rc::Rc;

use super::Analyzer;
use super::limits::Size;
use super::scope::Scope;
use super::typed::{Expr, ExprKind, Literal};
use super::types::{Kind, RecordType, Type};
use crate::diagnostics::{Code, Diagnostic, did_you_mean, listed};
use crate::functions::Function;
use crate::syntax::ast::{self, BinaryOp, Span};

/// A call of a function that only the compiler names.
pub(super) fn call(name: &str, args: Vec<Expr>, kind: Kind, span: Span) -> Expr {
    let nullable = args.iter().any(|arg| arg.ty.nullable);
    let scalars: Vec<_> = args.iter().map(|arg| arg.ty.scalar()).collect();
    match Function::find(name, &scalars) {
        Some(function) => Expr { kind: ExprKind::Call(function, args), ty: Type { kind, nullable }, span },
        None => Expr::error(span),
    }
}

/// Null as a null of another type. What computes it is computed all the same.
pub(super) fn null_of(null: Expr, ty: Type) -> Expr {
    let span = null.span;
    let literal = || Expr::literal(Literal::Null, ty.clone(), span);
    if matches!(null.kind, ExprKind::Literal(_)) || ty.scalar() == null.ty.scalar() {
        return Expr { ty, ..null };
    }
    let is_null = Expr { kind: ExprKind::IsNull(Box::new(null)), ty: Type::BOOL, span };
    Expr { kind: ExprKind::If(Box::new(is_null), Box::new(literal()), Box::new(literal())), ty: ty.clone(), span }
}

/// The part at a place that is known.
pub(super) fn part(of: Expr, at: usize, ty: &Type, span: Span) -> Expr {
    let ty = ty.with_null(of.ty.nullable);
    let at = Expr::literal(Literal::Int(at as i64), Type::INT, span);
    Expr { kind: ExprKind::Part(Box::new(of), Box::new(at)), ty, span }
}

/// The part at a place that may not exist: null then.
pub(super) fn part_or_null(of: Expr, at: Expr, ty: &Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Part(Box::new(of), Box::new(at)), ty: ty.with_null(true), span }
}

impl Analyzer<'_> {
    /// `[a, b]`
    pub(super) fn array(&mut self, items: &[ast::Expr], span: Span, scope: &mut Scope) -> Expr {
        let mut list: Vec<Expr> = items.iter().map(|item| self.expr(item, scope)).collect();
        match self.alike(&mut list, "the elements of an array", span) {
            Some(element) => Expr { kind: ExprKind::Pack(list), ty: Type::new(Kind::Array(Box::new(element))), span },
            None => Expr::error(span),
        }
    }

    /// Brings expressions to one type, which is the result; of none, the type of null.
    pub(super) fn alike(&mut self, list: &mut [Expr], what: &str, span: Span) -> Option<Type> {
        let Some((first, rest)) = list.split_first_mut() else { return Some(Type::new(Kind::Null)) };
        // A later one may turn the first into a float; earlier ones are brought along.
        for _ in 0..2 {
            for other in rest.iter_mut() {
                if !self.unify(first, other) {
                    let message = format!("{what} have different types: {} and {}", first.ty, other.ty);
                    let d = Diagnostic::new(Code::TypeMismatch, span, message).also(first.span, first.ty.to_string()).also(other.span, other.ty.to_string());
                    self.report(d);
                    return None;
                }
            }
        }
        if first.ty.is_lenient() {
            self.settle(first, Kind::Any);
            rest.iter_mut().for_each(|other| self.settle(other, Kind::Any));
        }
        let kind = if first.ty.kind == Kind::Null { Kind::Any } else { first.ty.kind.clone() };
        let nullable = list.iter().any(|item| item.ty.nullable);
        for item in list.iter_mut().filter(|item| item.ty.kind == Kind::Null) {
            *item = null_of(item.clone(), Type::optional(kind.clone()));
        }
        (kind != Kind::Error).then_some(Type { kind, nullable })
    }

    /// `(a, b)`
    pub(super) fn tuple(&mut self, items: &[ast::Expr], span: Span, scope: &mut Scope) -> Expr {
        let list: Vec<Expr> = items.iter().map(|item| self.typed_item(item, scope)).collect();
        let parts: Vec<Type> = list.iter().map(|item| item.ty.clone()).collect();
        if parts.iter().any(|ty| ty.kind == Kind::Error) {
            return Expr::error(span);
        }
        Expr { kind: ExprKind::Pack(list), ty: Type::new(Kind::Tuple(parts)), span }
    }

    fn typed_item(&mut self, item: &ast::Expr, scope: &mut Scope) -> Expr {
        let mut item = self.expr(item, scope);
        self.settle(&mut item, Kind::Any);
        if item.ty.kind == Kind::Null {
            item.ty = Type::optional(Kind::Any);
        }
        item
    }

    /// `{"a": 1, b: 2}`: a map, or a record where names stand for values of different types.
    pub(super) fn map(&mut self, members: &[(ast::Expr, ast::Expr)], span: Span, scope: &mut Scope) -> Expr {
        let named = members.iter().all(|(key, _)| matches!(key.kind, ast::ExprKind::Name(_) | ast::ExprKind::Str(_)));
        let mut keys: Vec<Expr> = members
            .iter()
            .map(|(key, _)| match &key.kind {
                ast::ExprKind::Name(name) => Expr::literal(Literal::Str(name.clone()), Type::STR, key.span),
                _ => self.expr(key, scope),
            })
            .collect();
        for (at, key) in keys.iter().enumerate() {
            let Some(literal) = key.as_literal() else { continue };
            if let Some(first) = keys.iter().take(at).find(|k| k.as_literal() == Some(literal)) {
                let d = Diagnostic::new(Code::DuplicateField, key.span, "this key stands here twice").also(first.span, "the first one");
                return self.wrong(d);
            }
        }
        let values: Vec<Expr> = members.iter().map(|(_, value)| self.typed_item(value, scope)).collect();
        let one_kind = values.windows(2).all(|pair| matches!(pair, [a, b] if a.ty.kind == b.ty.kind || (a.ty.is_number() && b.ty.is_number())));
        if named && !one_kind {
            return record(&keys, values, span);
        }
        let Some(key) = self.alike(&mut keys, "the keys of a map", span) else { return Expr::error(span) };
        if key.nullable || key.kind == Kind::Any || !key.kind.is_key() {
            return self.wrong(Diagnostic::new(Code::TypeMismatch, span, format!("a key of a map cannot be {key}")));
        }
        let mut values = values;
        let Some(value) = self.alike(&mut values, "the values of a map", span) else { return Expr::error(span) };
        let items = keys.into_iter().zip(values).flat_map(|(key, value)| [key, value]).collect();
        Expr { kind: ExprKind::Pack(items), ty: Type::new(Kind::Map(Box::new(key), Box::new(value))), span }
    }

    /// Gives two values of one form one type, where they differ in what may be null inside: they are held alike.
    pub(super) fn widen(left: &mut Expr, right: &mut Expr) {
        if left.ty.kind != right.ty.kind
            && let Some(kind) = common(&left.ty.kind, &right.ty.kind)
        {
            left.ty.kind = kind.clone();
            right.ty.kind = kind;
        }
    }

    /// Brings a value to a type of the same form whose parts differ by implicit conversions.
    pub(super) fn adapt(&mut self, expr: Expr, to: &Type) -> Expr {
        if expr.ty.kind == to.kind {
            return expr;
        }
        let ExprKind::Pack(items) = &expr.kind else {
            // A part that cannot be null is one that may be.
            let widens = common(&expr.ty.kind, &to.kind).as_ref() == Some(&to.kind);
            return if widens { Expr { ty: Type { kind: to.kind.clone(), nullable: expr.ty.nullable }, ..expr } } else { expr };
        };
        let fields = |record: &RecordType| -> Option<Vec<Expr>> {
            let member = |name: &str| {
                let at = items.iter().step_by(2).position(|key| matches!(key.as_literal(), Some(Literal::Str(key)) if key == name))?;
                items.get(2 * at + 1).cloned()
            };
            let given = matches!(expr.ty.kind, Kind::Map(..)) && items.len() == 2 * record.fields.len();
            given.then(|| record.fields.iter().map(|(name, _)| member(name)).collect()).flatten()
        };
        let (items, types): (Vec<Expr>, Vec<&Type>) = match (&expr.ty.kind, &to.kind) {
            (Kind::Array(_), Kind::Array(element)) => (items.clone(), vec![element; items.len()]),
            (Kind::Map(..), Kind::Map(key, value)) => (items.clone(), [&**key, &**value].into_iter().cycle().take(items.len()).collect()),
            (Kind::Tuple(_), Kind::Tuple(parts)) if parts.len() == items.len() => (items.clone(), parts.iter().collect()),
            (Kind::Record(from), Kind::Record(record)) if from.fields.len() == record.fields.len() => {
                let at = |name: &str| from.fields.iter().position(|(n, _)| n == name).and_then(|at| items.get(at).cloned());
                let Some(items) = record.fields.iter().map(|(name, _)| at(name)).collect::<Option<Vec<_>>>() else { return expr };
                (items, record.fields.iter().map(|(_, ty)| ty).collect())
            }
            (Kind::Map(..), Kind::Record(record)) => match fields(record) {
                Some(items) => (items, record.fields.iter().map(|(_, ty)| ty).collect()),
                None => return expr,
            },
            _ => return expr,
        };
        let items = items.into_iter().zip(types).map(|(item, ty)| self.coerce(item, ty, "this part")).collect();
        Expr { kind: ExprKind::Pack(items), ty: Type { kind: to.kind.clone(), nullable: expr.ty.nullable }, span: expr.span }
    }

    /// `a[i]`
    pub(super) fn index(&mut self, object: &ast::Expr, index: &ast::Expr, span: Span, scope: &mut Scope) -> Expr {
        if let ast::ExprKind::Name(of) = &object.kind
            && let Some(input) = scope.input(of).filter(|input| input.kleene)
        {
            if input.is_newest() {
                return self.newest_alone(of, span);
            }
            return self.not_compiled(span, "an element of a Kleene step as a whole", "its fields can be read: `x[0].field` and `x[-1].field`");
        }
        let object = self.expr(object, scope);
        let index = self.expr(index, scope);
        self.element_at(object, index, span)
    }

    fn element_at(&mut self, object: Expr, index: Expr, span: Span) -> Expr {
        match object.ty.kind.clone() {
            Kind::Error => Expr::error(span),
            Kind::Array(element) => {
                let index = self.place(index);
                if index.ty.kind == Kind::Error || !self.copies("the array", Size::of(&object), span) {
                    return Expr::error(span);
                }
                let at = call(".place", vec![object.clone(), index], Kind::Int, span);
                let ty = element.with_null(at.ty.nullable);
                Expr { kind: ExprKind::Part(Box::new(object), Box::new(at)), ty, span }
            }
            Kind::Str => {
                let index = self.place(index);
                if index.ty.kind == Kind::Error { index } else { call(".character", vec![object, index], Kind::Str, span) }
            }
            Kind::Tuple(parts) => match index.as_literal() {
                Some(Literal::Int(at)) => {
                    let from_start = if *at < 0 { *at + parts.len() as i64 } else { *at };
                    match usize::try_from(from_start).ok().and_then(|at| Some((at, parts.get(at)?))) {
                        Some((at, ty)) => part(object, at, ty, span),
                        None => self.wrong(Diagnostic::new(Code::BadArgument, index.span, format!("{} has no part {at}", object.ty)).note("the first is 0")),
                    }
                }
                _ => self.wrong(Diagnostic::new(Code::BadArgument, index.span, "a part of a tuple is named by a number such as `0`").label("not a number")),
            },
            Kind::Map(key, value) => {
                let key = self.coerce_part(index, &key, "the key");
                if key.ty.kind == Kind::Error || !self.copies("the map", Size::of(&object), span) {
                    return Expr::error(span);
                }
                let one = packed_one(key, span);
                let at = call(".member", vec![object.clone(), one], Kind::Int, span);
                part_or_null(object, at, &value, span)
            }
            Kind::Record(record) => {
                let fields = listed(record.fields.iter().map(|(name, _)| format!("`.{name}`")));
                self.wrong(Diagnostic::new(Code::TypeMismatch, span, "a record has no places").help(format!("name a field: {fields}")))
            }
            _ => {
                let d = Diagnostic::new(Code::TypeMismatch, object.span, format!("{} has no elements", object.ty));
                let d = if object.ty.kind == Kind::Any { d.help("declare the field with its type, such as `[float]`") } else { d };
                self.wrong(d)
            }
        }
    }

    /// An expression that is a place: an integer.
    fn place(&mut self, mut index: Expr) -> Expr {
        self.settle(&mut index, Kind::Int);
        match index.ty.kind {
            Kind::Int | Kind::Error => index,
            _ => {
                let message = format!("a place is an int, found {}", index.ty);
                let d = self.mismatch(Code::TypeMismatch, &index, message, "int");
                self.wrong(d)
            }
        }
    }

    /// `a[i:j]`
    pub(super) fn slice(&mut self, object: &ast::Expr, from: Option<&ast::Expr>, to: Option<&ast::Expr>, span: Span, scope: &mut Scope) -> Expr {
        let object = self.expr(object, scope);
        let mut end = |given: Option<&ast::Expr>, default: i64| match given {
            Some(given) => {
                let given = self.expr(given, scope);
                self.place(given)
            }
            None => Expr::literal(Literal::Int(default), Type::INT, span),
        };
        let (from, to) = (end(from, 0), end(to, i64::MAX));
        if [&object, &from, &to].into_iter().any(|e| e.ty.kind == Kind::Error) {
            return Expr::error(span);
        }
        match &object.ty.kind {
            Kind::Array(_) | Kind::Str => {
                let kind = object.ty.kind.clone();
                call(".slice", vec![object, from, to], kind, span)
            }
            _ => self.wrong(Diagnostic::new(Code::TypeMismatch, object.span, format!("{} has no slices", object.ty)).note("arrays and texts have")),
        }
    }

    /// `a..b`, `a..=b` as arrays of integers.
    pub(super) fn range(&mut self, from: &ast::Expr, to: &ast::Expr, inclusive: bool, span: Span, scope: &mut Scope) -> Expr {
        let (from, to) = (self.expr(from, scope), self.expr(to, scope));
        let (from, mut to) = (self.place(from), self.place(to));
        if from.ty.kind == Kind::Error || to.ty.kind == Kind::Error {
            return Expr::error(span);
        }
        if inclusive {
            let one = Expr::literal(Literal::Int(1), Type::INT, span);
            let ty = to.ty.clone();
            to = Expr { kind: ExprKind::Binary(BinaryOp::Add, Box::new(to), Box::new(one)), ty, span };
        }
        call(".range", vec![from, to], Kind::Array(Box::new(Type::INT)), span)
    }

    /// `x in set`, of a set that is no literal.
    pub(super) fn contains(&mut self, set: Expr, mut value: Expr, span: Span) -> Expr {
        let (function, element) = match set.ty.kind.clone() {
            Kind::Error => return Expr::error(span),
            Kind::Array(element) => (".find", *element),
            Kind::Map(key, _) => (".member", *key),
            Kind::Str => {
                self.settle(&mut value, Kind::Str);
                if value.ty.kind == Kind::Str {
                    return call("contains", vec![set, value], Kind::Bool, span);
                }
                (".find", Type::STR)
            }
            _ => {
                let message = format!("`in` needs an array, a map, a text or a range, found {}", set.ty);
                return self.wrong(Diagnostic::new(Code::TypeMismatch, set.span, message));
            }
        };
        let value = self.coerce_part(value, &element, "what stands before `in`");
        if value.ty.kind == Kind::Error || set.ty.kind == Kind::Str {
            return Expr::error(span);
        }
        if !self.copies("the array", Size::of(&set), span) || !self.copies("the value", Size::of(&value), span) {
            return Expr::error(span);
        }
        let at = call(function, vec![set.clone(), packed_one(value.clone(), span)], Kind::Int, span);
        let zero = Expr::literal(Literal::Int(0), Type::INT, span);
        let ty = Type::BOOL.with_null(set.ty.nullable);
        let mut found = Expr { kind: ExprKind::Binary(BinaryOp::GreaterEqual, Box::new(at), Box::new(zero)), ty, span };
        let null = |found: Expr, condition: Expr| {
            let ty = found.ty.with_null(true);
            let null = Expr::literal(Literal::Null, ty.clone(), span);
            Expr { kind: ExprKind::If(Box::new(condition), Box::new(null), Box::new(found)), ty, span }
        };
        if element.nullable && function == ".find" {
            // Not found among values of which one is unknown: unknown.
            let unknown = call(".has_null", vec![set], Kind::Bool, span);
            let missing = Expr { kind: ExprKind::Unary(ast::UnaryOp::Not, Box::new(found.clone())), ty: found.ty.clone(), span };
            let both =
                Expr { ty: Type::BOOL.with_null(missing.ty.nullable), kind: ExprKind::Binary(BinaryOp::And, Box::new(missing), Box::new(unknown)), span };
            found = null(found, both);
        }
        if value.ty.nullable {
            found = null(found, Expr { kind: ExprKind::IsNull(Box::new(value)), ty: Type::BOOL, span });
        }
        found
    }

    /// A field of a record, or the value of a key, by name.
    pub(super) fn field_of_value(&mut self, object: Expr, name: &ast::Name, span: Span) -> Expr {
        match object.ty.kind.clone() {
            Kind::Error => Expr::error(span),
            Kind::Record(record) => match record.fields.iter().position(|(n, _)| *n == name.text).and_then(|at| Some((at, record.fields.get(at)?))) {
                Some((at, (_, ty))) => part(object, at, ty, span),
                None => {
                    let names: Vec<&str> = record.fields.iter().map(|(name, _)| name.as_str()).collect();
                    let mut d = Diagnostic::new(Code::UnknownField, name.span, format!("{} has no field `{}`", object.ty.without_null(), name.text));
                    if let Some(similar) = did_you_mean(&name.text, names.iter().copied()) {
                        d = d.fix(name.span, similar, "a similar name exists");
                    }
                    self.wrong(d)
                }
            },
            Kind::Map(key, _) if key.kind == Kind::Str => {
                let key = Expr::literal(Literal::Str(name.text.clone()), Type::STR, name.span);
                self.element_at(object, key, span)
            }
            _ => {
                let d = Diagnostic::new(Code::TypeMismatch, span, format!("{} has no fields", object.ty)).label("not a record");
                let d = match &object.ty.kind {
                    Kind::Array(_) => d.help(format!("of each element: `.map(x => x.{})`", name.text)),
                    Kind::Any => d.help(format!("declare the field with its type, such as `{{{}: str}}`", name.text)),
                    _ => d,
                };
                self.wrong(d)
            }
        }
    }

    /// Brings an expression to a type; it may be null all the same, and what is made of it is null then.
    pub(super) fn coerce_part(&mut self, expr: Expr, to: &Type, what: &str) -> Expr {
        let to = to.with_null(expr.ty.nullable);
        self.coerce(expr, &to, what)
    }

    pub(super) fn untyped_array(&mut self, span: Span) -> Expr {
        self.wrong(Diagnostic::new(Code::TypeMismatch, span, "nothing says what the elements of this array are").help("declare its type"))
    }
}

/// An array of one element, as the functions that look for one take it. What is null is found nowhere.
fn packed_one(value: Expr, span: Span) -> Expr {
    let ty = Type::new(Kind::Array(Box::new(value.ty.clone())));
    Expr { kind: ExprKind::Pack(vec![value]), ty, span }
}

/// The kind that holds the values of both, if they differ in what may be null inside.
fn common(a: &Kind, b: &Kind) -> Option<Kind> {
    let both = |a: &Type, b: &Type| Some(Type { kind: common(&a.kind, &b.kind)?, nullable: a.nullable || b.nullable });
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Kind::Array(a), Kind::Array(b)) => Kind::Array(Box::new(both(a, b)?)),
        (Kind::Map(k, a), Kind::Map(l, b)) if k == l => Kind::Map(k.clone(), Box::new(both(a, b)?)),
        (Kind::Tuple(a), Kind::Tuple(b)) if a.len() == b.len() => Kind::Tuple(a.iter().zip(b).map(|(a, b)| both(a, b)).collect::<Option<_>>()?),
        (Kind::Record(a), Kind::Record(b)) if a.fields.len() == b.fields.len() => {
            let field =
                |((name, a), (other, b)): (&(String, Type), &(String, Type))| (name == other).then(|| both(a, b)).flatten().map(|ty| (name.clone(), ty));
            Kind::Record(Rc::new(RecordType { fields: a.fields.iter().zip(&b.fields).map(field).collect::<Option<_>>()? }))
        }
        _ => return None,
    })
}

/// Names and values as a record.
pub(super) fn record(keys: &[Expr], values: Vec<Expr>, span: Span) -> Expr {
    let name = |key: &Expr| if let Some(Literal::Str(name)) = key.as_literal() { name.clone() } else { String::new() };
    if values.iter().any(|value| value.ty.kind == Kind::Error) {
        return Expr::error(span);
    }
    let fields = keys.iter().map(name).zip(values.iter().map(|value| value.ty.clone())).collect();
    Expr { kind: ExprKind::Pack(values), ty: Type::new(Kind::Record(Rc::new(RecordType { fields }))), span }
}
