//! Typing of expressions: operators and implicit conversions.

use super::Analyzer;
use super::limits::Size;
use super::scope::Scope;
use super::typed::{Expr, ExprKind, Literal, symbol};
use super::types::{Kind, Type};
use super::values::null_of;
use crate::diagnostics::{Code, Diagnostic};
use crate::functions::Function;
use crate::syntax::ast::{self, BinaryOp, Span, UnaryOp};

impl Analyzer<'_> {
    /// Types an expression.
    pub(crate) fn expr(&mut self, e: &ast::Expr, scope: &mut Scope) -> Expr {
        if !scope.calls.is_empty() && !self.expands(e.span) {
            return Expr::error(e.span);
        }
        self.level(e.span, |a| a.form(e, scope)).unwrap_or_else(|| Expr::error(e.span))
    }

    fn form(&mut self, e: &ast::Expr, scope: &mut Scope) -> Expr {
        let span = e.span;
        match &e.kind {
            ast::ExprKind::Int(v) => Expr::literal(Literal::Int(*v), Type::INT, span),
            ast::ExprKind::Float(v) => Expr::literal(Literal::Float(*v), Type::FLOAT, span),
            ast::ExprKind::LongFloat(v, text) => {
                self.long_numbers.insert(v.to_bits(), text.clone());
                Expr::literal(Literal::Float(*v), Type::FLOAT, span)
            }
            ast::ExprKind::Str(v) => {
                self.look_at_text(v, span, scope);
                Expr::literal(Literal::Str(v.clone()), Type::STR, span)
            }
            ast::ExprKind::Duration(v) => Expr::literal(Literal::Duration(*v), Type::new(Kind::Duration), span),
            ast::ExprKind::Timestamp(v) => Expr::literal(Literal::Timestamp(*v), Type::TIMESTAMP, span),
            ast::ExprKind::Bool(v) => Expr::literal(Literal::Bool(*v), Type::BOOL, span),
            ast::ExprKind::Null => Expr::literal(Literal::Null, Type::optional(Kind::Null), span),
            ast::ExprKind::Error => Expr::error(span),
            ast::ExprKind::Name(name) => self.name(name, span, scope),
            ast::ExprKind::Format(parts) => self.format(parts, span, scope),
            ast::ExprKind::Member { object, name, .. } => self.member(object, name, span, scope),
            ast::ExprKind::Index { object, index } => self.index(object, index, span, scope),
            ast::ExprKind::Call { callee, args } => self.call(callee, args, span, scope),
            ast::ExprKind::Unary { op, operand } => self.unary(*op, operand, span, scope),
            ast::ExprKind::Binary { op, left, right, .. } => {
                self.look_at_power(*op, right, span);
                self.binary(*op, left, right, span, scope)
            }
            ast::ExprKind::In { value, set, negated } => self.membership(value, set, *negated, span, scope),
            ast::ExprKind::IsNull { operand, negated } => {
                let operand = self.expr(operand, scope);
                self.look_at_null(&operand, *negated, span, scope);
                is_null(operand, *negated, span)
            }
            ast::ExprKind::If { condition, then, otherwise } => {
                let condition = self.condition(condition, scope);
                let then = self.expr(then, scope);
                let otherwise = self.expr(otherwise, scope);
                self.choose(condition, then, otherwise, span)
            }
            ast::ExprKind::Array(items) => self.array(items, span, scope),
            ast::ExprKind::Map(members) => self.map(members, span, scope),
            ast::ExprKind::Tuple(items) => self.tuple(items, span, scope),
            ast::ExprKind::Slice { object, from, to } => self.slice(object, from.as_deref(), to.as_deref(), span, scope),
            ast::ExprKind::Range { from, to, inclusive } => self.range(from, to, *inclusive, span, scope),
            ast::ExprKind::Lambda { .. } => {
                let message = "a lambda stands for no value here";
                self.wrong(Diagnostic::new(Code::BadArgument, span, message).help("methods of arrays take one, as in `items.filter(x => x > 1)`"))
            }
        }
    }

    pub(crate) fn not_compiled(&mut self, span: Span, what: &str, help: &str) -> Expr {
        self.wrong(Diagnostic::new(Code::NotCompiledYet, span, format!("{what}: understood, not compiled yet")).help(help))
    }

    /// Types an expression that must be `bool`.
    pub(crate) fn condition(&mut self, e: &ast::Expr, scope: &mut Scope) -> Expr {
        let expr = self.expr(e, scope);
        self.boolean(expr)
    }

    fn boolean(&mut self, mut expr: Expr) -> Expr {
        self.settle(&mut expr, Kind::Bool);
        match expr.ty.kind {
            Kind::Bool | Kind::Error => expr,
            Kind::Null => null_of(expr, Type::optional(Kind::Bool)),
            _ => {
                let message = format!("expected a condition, found {}", expr.ty);
                let d = self.mismatch(Code::NotBoolean, &expr, message, "bool").label("not a `bool`");
                self.wrong(d)
            }
        }
    }

    fn unary(&mut self, op: UnaryOp, operand: &ast::Expr, span: Span, scope: &mut Scope) -> Expr {
        // The smallest integer has no positive counterpart; the parser hands it over as it is.
        let mut operand = if op == UnaryOp::Not { self.condition(operand, scope) } else { self.expr(operand, scope) };
        if op == UnaryOp::Negate && operand.ty.is_decimal() {
            return self.negated_decimal(operand, span);
        }
        match op {
            UnaryOp::Negate => self.settle(&mut operand, Kind::Float),
            UnaryOp::BitNot => self.settle(&mut operand, Kind::Int),
            UnaryOp::Not => {}
        }
        let fits = match op {
            UnaryOp::Negate => matches!(operand.ty.kind, Kind::Int | Kind::Float | Kind::Duration | Kind::Error),
            UnaryOp::BitNot => matches!(operand.ty.kind, Kind::Int | Kind::Error),
            UnaryOp::Not => true,
        };
        if !fits {
            let wanted = if op == UnaryOp::Negate { "a number or a duration" } else { "int" };
            let message = format!("expected {wanted}, found {}", operand.ty);
            let d = self.mismatch(Code::TypeMismatch, &operand, message, wanted);
            return self.wrong(d);
        }
        let ty = operand.ty.clone();
        Expr { kind: ExprKind::Unary(op, Box::new(operand)), ty, span }
    }

    fn binary(&mut self, op: BinaryOp, left: &ast::Expr, right: &ast::Expr, span: Span, scope: &mut Scope) -> Expr {
        use BinaryOp::*;
        match op {
            And | Or | Xor => {
                let left = self.condition(left, scope);
                let right = self.condition(right, scope);
                let ty = Type::BOOL.with_null(left.ty.nullable || right.ty.nullable);
                Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span }
            }
            Coalesce => {
                let left = self.expr(left, scope);
                let right = self.expr(right, scope);
                self.coalesce(left, right, span)
            }
            Equal | NotEqual | Less | LessEqual | Greater | GreaterEqual => {
                let left = self.expr(left, scope);
                let right = self.expr(right, scope);
                self.compare(op, left, right, span)
            }
            _ => {
                let left = self.expr(left, scope);
                let right = self.expr(right, scope);
                self.arithmetic(op, left, right, span)
            }
        }
    }

    /// Brings two operands to one kind, settling inferred fields and turning text into enum variants.
    pub(crate) fn unify(&mut self, left: &mut Expr, right: &mut Expr) -> bool {
        // A literal integer says "a number": events that carry 1.5 are not refused for it.
        let wanted = |other: &Expr| match (&other.ty.kind, other.as_literal()) {
            (Kind::Int, Some(_)) => Kind::Float,
            (kind, _) => kind.clone(),
        };
        match (left.ty.is_lenient(), right.ty.is_lenient()) {
            (true, false) if right.ty.kind != Kind::Null => self.settle(left, wanted(right)),
            (false, true) if left.ty.kind != Kind::Null => self.settle(right, wanted(left)),
            _ => {}
        }
        if let (Kind::Enum(e), Some(Literal::Str(text))) = (&left.ty.kind, right.as_literal()) {
            let (e, text) = (e.clone(), text.clone());
            *right = self.variant(&e, &text, right.span);
        } else if let (Kind::Enum(e), Some(Literal::Str(text))) = (&right.ty.kind, left.as_literal()) {
            let (e, text) = (e.clone(), text.clone());
            *left = self.variant(&e, &text, left.span);
        }
        self.unify_decimals(left, right);
        match (&left.ty.kind, &right.ty.kind) {
            (Kind::Int, Kind::Float) => *left = to_float(left.clone()),
            (Kind::Float, Kind::Int) => *right = to_float(right.clone()),
            (Kind::Array(a), Kind::Array(b)) if a.kind == Kind::Null && a != b => left.ty.kind = right.ty.kind.clone(),
            (Kind::Array(a), Kind::Array(b)) if b.kind == Kind::Null && a != b => right.ty.kind = left.ty.kind.clone(),
            (Kind::Null, other) if *other != Kind::Null => *left = null_of(left.clone(), Type::optional(other.clone())),
            (other, Kind::Null) if *other != Kind::Null => *right = null_of(right.clone(), Type::optional(other.clone())),
            _ => {}
        }
        if left.ty.is_packed() {
            Self::widen(left, right);
        }
        left.ty.kind == right.ty.kind || left.ty.is_lenient() || right.ty.is_lenient()
    }

    pub(super) fn compare(&mut self, op: BinaryOp, mut left: Expr, mut right: Expr, span: Span) -> Expr {
        let equality = matches!(op, BinaryOp::Equal | BinaryOp::NotEqual);
        if equality && (left.ty.kind == Kind::Null || right.ty.kind == Kind::Null) {
            let operand = if left.ty.kind == Kind::Null { right } else { left };
            let words = if op == BinaryOp::Equal { "is null" } else { "is not null" };
            self.report(
                Diagnostic::new(Code::NullComparison, span, format!("a comparison with `null` means `{words}`"))
                    .help(format!("write `{words}`; every other comparison with null is null")),
            );
            return is_null(operand, op == BinaryOp::NotEqual, span);
        }
        if left.ty.kind == Kind::Error || right.ty.kind == Kind::Error {
            return Expr::error(span);
        }
        if let Some(comparison) = equality.then(|| json_is(op, &left, &right, span)).flatten() {
            return comparison;
        }
        if let Some(comparison) = self.wide_comparison(op, &left, &right, span) {
            return comparison;
        }
        let same = self.unify(&mut left, &mut right);
        if !equality && left.ty.is_lenient() && right.ty.is_lenient() {
            for side in [&left, &right] {
                if let Kind::Unsettled { event, field } = side.ty.kind {
                    self.ordered.push((event, field, side.span));
                }
            }
        }
        if let (true, Some(wrong)) = (same, [&left, &right].into_iter().find(|e| matches!(&e.ty.kind, Kind::Array(t) if t.kind == Kind::Null))) {
            let span = wrong.span;
            return self.untyped_array(span);
        }
        let ordered = left.ty.is_lenient() || left.ty.is_ordered() || equality;
        if !same || !ordered {
            return self.cannot(op, &left, &right, span);
        }
        let ty = Type::BOOL.with_null(left.ty.nullable || right.ty.nullable);
        Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span }
    }

    fn cannot(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Expr {
        let verb = match op {
            BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::Less | BinaryOp::LessEqual | BinaryOp::Greater | BinaryOp::GreaterEqual => "compare",
            _ => "compute",
        };
        let message = format!("cannot {verb} {} {} {}", left.ty, symbol(op), right.ty);
        let mut d = self.mismatch(Code::TypeMismatch, left, message.clone(), &right.ty.without_null().to_string());
        if d.code != Code::ConflictingUses {
            d = self.mismatch(Code::TypeMismatch, right, message, &left.ty.without_null().to_string());
        }
        if d.code != Code::ConflictingUses {
            d.span = span;
            d = d.also(left.span, left.ty.to_string()).also(right.span, right.ty.to_string());
            if left.ty.kind == Kind::Any || right.ty.kind == Kind::Any {
                d = d.help("convert an `any` first: `int(x)`, `float(x)`, `str(x)`, `bool(x)`");
            }
        }
        self.wrong(d)
    }

    /// `a ?? b`
    pub(crate) fn coalesce(&mut self, mut left: Expr, mut right: Expr, span: Span) -> Expr {
        if !self.unify(&mut left, &mut right) {
            return self.cannot(BinaryOp::Coalesce, &left, &right, span);
        }
        let ty = Type { kind: left.ty.kind.clone(), nullable: left.ty.nullable && right.ty.nullable };
        Expr { kind: ExprKind::Binary(BinaryOp::Coalesce, Box::new(left), Box::new(right)), ty, span }
    }

    /// `a - b`
    pub(super) fn difference(&mut self, left: Expr, right: Expr, span: Span) -> Expr {
        self.arithmetic(BinaryOp::Subtract, left, right, span)
    }

    fn arithmetic(&mut self, op: BinaryOp, mut left: Expr, mut right: Expr, span: Span) -> Expr {
        use BinaryOp::*;
        let bits = matches!(op, BitAnd | BitOr | BitXor | ShiftLeft | ShiftRight);
        if left.ty.is_lenient() && right.ty.is_lenient() && left.ty.kind != Kind::Error && right.ty.kind != Kind::Error {
            let kind = if bits { Kind::Int } else { Kind::Float };
            self.settle(&mut left, kind.clone());
            self.settle(&mut right, kind);
        } else if bits {
            self.settle(&mut left, Kind::Int);
            self.settle(&mut right, Kind::Int);
        } else if left.ty.is_decimal() || right.ty.is_decimal() {
            // A field whose type is not known yet is one, too.
            let kind = if left.ty.is_decimal() { left.ty.kind.clone() } else { right.ty.kind.clone() };
            self.settle(&mut left, kind.clone());
            self.settle(&mut right, kind);
            if let Some(made) = self.decimal_arithmetic(op, left.clone(), right.clone(), span) {
                return made;
            }
        } else if !matches!((&left.ty.kind, &right.ty.kind), (Kind::Timestamp | Kind::Duration, _) | (_, Kind::Timestamp | Kind::Duration)) {
            self.unify(&mut left, &mut right);
        }
        if left.ty.kind == Kind::Error || right.ty.kind == Kind::Error {
            return Expr::error(span);
        }
        let nullable = left.ty.nullable || right.ty.nullable;
        let result = |kind| Type { kind, nullable };
        let by_function = |name: &str, left: Expr, right: Expr, kind: Kind| {
            Function::find(name, &[left.ty.scalar(), right.ty.scalar()]).map(|f| Expr { kind: ExprKind::Call(f, vec![left, right]), ty: result(kind), span })
        };
        let ty = match (op, &left.ty.kind, &right.ty.kind) {
            (Add | Subtract | Multiply, Kind::Int, Kind::Int) => result(Kind::Int),
            (Add | Subtract | Multiply | Divide, Kind::Float, Kind::Float) => result(Kind::Float),
            (BitAnd | BitOr | BitXor, Kind::Int, Kind::Int) => result(Kind::Int),
            (Divide | Remainder | Power | ShiftLeft | ShiftRight, Kind::Int, Kind::Int) => {
                return by_function(symbol(op), left, right, Kind::Int).unwrap_or_else(|| Expr::error(span));
            }
            (Remainder | Power, Kind::Float, Kind::Float) => return by_function(symbol(op), left, right, Kind::Float).unwrap_or_else(|| Expr::error(span)),
            (Subtract, Kind::Timestamp, Kind::Timestamp) => result(Kind::Duration),
            (Add | Subtract, Kind::Timestamp, Kind::Duration) | (Add, Kind::Duration, Kind::Timestamp) => result(Kind::Timestamp),
            (Add | Subtract, Kind::Duration, Kind::Duration) => result(Kind::Duration),
            (Multiply, Kind::Duration, Kind::Int) | (Multiply, Kind::Int, Kind::Duration) => result(Kind::Duration),
            (Multiply, Kind::Float, Kind::Duration) => return by_function("*", right, left, Kind::Duration).unwrap_or_else(|| Expr::error(span)),
            (Multiply | Divide, Kind::Duration, Kind::Float) => {
                return by_function(symbol(op), left, right, Kind::Duration).unwrap_or_else(|| Expr::error(span));
            }
            (Divide, Kind::Duration, Kind::Int) => return by_function("/", left, to_float(right), Kind::Duration).unwrap_or_else(|| Expr::error(span)),
            (Divide, Kind::Duration, Kind::Duration) => result(Kind::Float),
            (Add, Kind::Array(a), Kind::Array(b)) if a == b => {
                let kind = left.ty.kind.clone();
                return by_function(".concat", left, right, kind).unwrap_or_else(|| Expr::error(span));
            }
            (Add, Kind::Str, Kind::Str) => return by_function("concat", left, right, Kind::Str).unwrap_or_else(|| Expr::error(span)),
            _ => return self.cannot(op, &left, &right, span),
        };
        Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span }
    }

    fn membership(&mut self, value: &ast::Expr, set: &ast::Expr, negated: bool, span: Span, scope: &mut Scope) -> Expr {
        let mut value = self.expr(value, scope);
        let found = match &set.kind {
            ast::ExprKind::Array(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    let mut item = self.expr(item, scope);
                    if !self.unify(&mut value, &mut item) {
                        return self.cannot(BinaryOp::Equal, &value, &item, span);
                    }
                    list.push(item);
                }
                // A later item may have turned the value into a float; bring the earlier ones along.
                for item in &mut list {
                    self.unify(&mut value, item);
                }
                let nullable = value.ty.nullable || list.iter().any(|i| i.ty.nullable);
                Expr { kind: ExprKind::In(Box::new(value), list), ty: Type::BOOL.with_null(nullable), span }
            }
            ast::ExprKind::Range { from, to, inclusive } => {
                if !self.copies("the value", Size::of(&value), span) {
                    return Expr::error(span);
                }
                let from = self.expr(from, scope);
                let to = self.expr(to, scope);
                let upper = if *inclusive { BinaryOp::LessEqual } else { BinaryOp::Less };
                let low = self.compare(BinaryOp::GreaterEqual, value.clone(), from, span);
                let high = self.compare(upper, value, to, span);
                Expr::all(vec![low, high], span)
            }
            _ => {
                let set = self.expr(set, scope);
                self.contains(set, value, span)
            }
        };
        if !negated {
            return found;
        }
        let ty = found.ty.clone();
        Expr { kind: ExprKind::Unary(UnaryOp::Not, Box::new(found)), ty, span }
    }

    /// `if c then a else b`
    pub(crate) fn choose(&mut self, condition: Expr, mut then: Expr, mut otherwise: Expr, span: Span) -> Expr {
        if !self.unify(&mut then, &mut otherwise) {
            let message = format!("the branches have different types: {} and {}", then.ty, otherwise.ty);
            return self
                .wrong(Diagnostic::new(Code::TypeMismatch, span, message).also(then.span, then.ty.to_string()).also(otherwise.span, otherwise.ty.to_string()));
        }
        let ty = then.ty.with_null(otherwise.ty.nullable);
        Expr { kind: ExprKind::If(Box::new(condition), Box::new(then), Box::new(otherwise)), ty, span }
    }

    /// Brings an expression to a declared type, if an implicit conversion does.
    pub(crate) fn coerce(&mut self, mut expr: Expr, to: &Type, what: &str) -> Expr {
        self.settle(&mut expr, to.kind.clone());
        if expr.ty.kind == Kind::Int && to.kind == Kind::Float {
            expr = to_float(expr);
        }
        if let Some(decimal) = self.coerce_decimal(&expr, to) {
            expr = decimal;
        }
        if expr.ty.kind == Kind::Null && to.nullable {
            expr = null_of(expr, to.clone());
        }
        if expr.ty.is_packed() {
            expr = self.adapt(expr, to);
        }
        if let (Kind::Enum(e), Some(Literal::Str(text))) = (&to.kind, expr.as_literal()) {
            let text = text.clone();
            return self.variant(&e.clone(), &text, expr.span);
        }
        let fits = expr.ty.kind == to.kind && (to.nullable || !expr.ty.nullable);
        if fits || expr.ty.is_lenient() || to.is_lenient() {
            return expr;
        }
        let message = format!("{what} must be {to}, found {}", expr.ty);
        if expr.ty.kind == to.kind {
            // Not a conflict of uses, even of an inferred field: all of them are of one kind.
            return self.wrong(
                Diagnostic::new(Code::TypeMismatch, expr.span, message)
                    .label(format!("{} found", expr.ty))
                    .help("give null a value, as in `x ?? default`; or declare the field without `?`"),
            );
        }
        let d = self.mismatch(Code::TypeMismatch, &expr, message, &to.to_string()).label(format!("{} found", expr.ty));
        // No decimals are lost unasked.
        let (digits, scale) = to.decimal();
        let is_rounded = to.is_decimal() && (expr.ty.is_number() || expr.ty.is_decimal());
        self.wrong(if is_rounded { d.help(format!("convert it, as in `decimal(x, {digits}, {scale})`, which rounds")) } else { d })
    }
}

/// An `any` compared with a value of a type that JSON has; `None` for any other operands.
fn json_is(op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
    let (json, value) = match (&left.ty.kind, &right.ty.kind) {
        (Kind::Any, _) => (left, right),
        (_, Kind::Any) => (right, left),
        _ => return None,
    };
    let function = Function::find("==", &[json.ty.scalar(), value.ty.scalar()])?;
    let ty = Type::BOOL.with_null(left.ty.nullable || right.ty.nullable);
    let is = Expr { kind: ExprKind::Call(function, vec![json.clone(), value.clone()]), ty: ty.clone(), span };
    Some(if op == BinaryOp::Equal { is } else { Expr { kind: ExprKind::Unary(UnaryOp::Not, Box::new(is)), ty, span } })
}

/// `x is null`, `x is not null`
fn is_null(operand: Expr, negated: bool, span: Span) -> Expr {
    let test = Expr { kind: ExprKind::IsNull(Box::new(operand)), ty: Type::BOOL, span };
    if !negated {
        return test;
    }
    Expr { kind: ExprKind::Unary(UnaryOp::Not, Box::new(test)), ty: Type::BOOL, span }
}

/// `int → float`; a constant is converted at once.
pub(crate) fn to_float(expr: Expr) -> Expr {
    let ty = Type { kind: Kind::Float, nullable: expr.ty.nullable };
    match expr.as_literal() {
        Some(Literal::Int(v)) => Expr::literal(Literal::Float(*v as f64), ty, expr.span),
        _ if expr.ty.kind == Kind::Float => expr,
        _ => Expr { span: expr.span, ty, kind: ExprKind::ToFloat(Box::new(expr)) },
    }
}
