//! Exact decimals (§2): what types their results have, and the calls that compute them. A value is an integer; how many of its digits are decimals
//! its type says, so that every call is told what it needs of that.

use super::Analyzer;
use super::limits::Size;
use super::statements::int;
use super::typed::{Expr, ExprKind, Literal};
use super::types::{Kind, Type};
use super::values::{call, null_of};
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast::{BinaryOp, Span};

/// How many digits a value has at most.
pub(crate) const DIGITS: u8 = 38;
/// How many digits an integer has at most.
const OF_INT: u8 = 19;
/// How many decimals a float has that is computed with decimals.
const OF_FLOAT: u8 = 9;
/// How many decimals a quotient has at least.
const OF_QUOTIENT: u8 = 6;

/// Digits, and how many of them are decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Precision {
    digits: u8,
    scale: u8,
}

impl Precision {
    /// With so many digits in front of the point, or as many as there are.
    fn new(whole: u8, scale: u8) -> Self {
        Self { digits: DIGITS.min(whole.saturating_add(scale)), scale }
    }

    fn whole(self) -> u8 {
        self.digits - self.scale
    }

    /// What holds the values of both, as far as there is room.
    fn common(self, other: Self) -> Self {
        Self::new(self.whole().max(other.whole()), self.scale.max(other.scale))
    }

    /// Whether it holds all that another does.
    fn holds(self, other: Self) -> bool {
        self.whole() >= other.whole() && self.scale >= other.scale
    }

    fn kind(self) -> Kind {
        Kind::Decimal(self.digits, self.scale)
    }

    /// Of what a number is as a decimal.
    fn of(e: &Expr) -> Option<Self> {
        match (&e.ty.kind, e.as_literal()) {
            (Kind::Decimal(digits, scale), _) => Some(Self { digits: *digits, scale: *scale }),
            (Kind::Int, Some(Literal::Int(v))) => Some(Self::new(written(&v.to_string())?.1, 0)),
            (Kind::Int, _) => Some(Self::new(OF_INT, 0)),
            (Kind::Float, Some(Literal::Float(v))) => {
                let (_, whole, scale) = written(&v.to_string())?;
                Some(Self::new(whole, scale))
            }
            (Kind::Float, _) => Some(Self::new(DIGITS - OF_FLOAT, OF_FLOAT)),
            _ => None,
        }
    }
}

/// A number as written without an exponent: all its digits as an integer, and how many stand before and behind the point.
fn written(text: &str) -> Option<(i128, u8, u8)> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = whole.trim_start_matches('-').len();
    let value = format!("{whole}{decimals}").parse().ok()?;
    (digits + decimals.len() <= usize::from(DIGITS)).then_some((value, digits as u8, decimals.len() as u8))
}

/// A number of the program's text as a decimal, if that has room for it.
fn exact(value: &Expr, to: Precision) -> Option<i128> {
    let text = match value.as_literal()? {
        Literal::Int(v) => v.to_string(),
        Literal::Float(v) => v.to_string(),
        _ => return None,
    };
    let (number, _, decimals) = written(&text)?;
    let by = u32::from(to.scale).checked_sub(u32::from(decimals))?;
    let number = number.checked_mul(10_i128.checked_pow(by)?)?;
    (number.unsigned_abs() < 10_u128.pow(u32::from(to.digits))).then_some(number)
}

/// What is widened to a decimal with more room, if nothing but that is done to it.
pub(super) fn widened(e: &Expr) -> Option<&Expr> {
    match &e.kind {
        ExprKind::Call(function, args) if function.row().name == ".widen" => args.first(),
        _ => None,
    }
}

impl Analyzer<'_> {
    /// `decimal(12, 2)`
    pub(super) fn decimal_type(&mut self, args: &[u32], span: Span) -> Type {
        match args {
            [digits @ 1..=38, scale] if scale <= digits => Type::new(Kind::Decimal(*digits as u8, *scale as u8)),
            [digits @ 1..=38] => Type::new(Kind::Decimal(*digits as u8, 0)),
            _ => {
                let d = Diagnostic::new(Code::BadArgument, span, "a decimal has 1 to 38 digits, and as many decimals at most");
                self.report(d.help("as in `decimal(12, 2)`: ten digits in front of the point and two behind it"));
                Type::ERROR
            }
        }
    }

    /// Brings two numbers to one decimal type, if one of them is a decimal. What has no room in front of the point then is refused at run time.
    pub(super) fn unify_decimals(&mut self, left: &mut Expr, right: &mut Expr) {
        if !left.ty.is_decimal() && !right.ty.is_decimal() {
            return;
        }
        self.typed_nulls(left, right);
        let (Some(l), Some(r)) = (Precision::of(left), Precision::of(right)) else { return };
        let to = l.common(r);
        *left = self.as_decimal(left.clone(), to);
        *right = self.as_decimal(right.clone(), to);
    }

    /// Null beside a decimal is a null of its type.
    fn typed_nulls(&self, left: &mut Expr, right: &mut Expr) {
        if left.ty.kind == Kind::Null {
            *left = null_of(left.clone(), Type::optional(right.ty.kind.clone()));
        } else if right.ty.kind == Kind::Null {
            *right = null_of(right.clone(), Type::optional(left.ty.kind.clone()));
        }
    }

    /// A comparison of a decimal with what no common type holds: with a float that is computed, as floats are; with a decimal or an integer, exactly.
    pub(super) fn wide_comparison(&mut self, op: BinaryOp, left: &Expr, right: &Expr, span: Span) -> Option<Expr> {
        if !left.ty.is_decimal() && !right.ty.is_decimal() {
            return None;
        }
        let (l, r) = (Precision::of(left)?, Precision::of(right)?);
        let is_computed = |e: &Expr| e.ty.kind == Kind::Float && e.as_literal().is_none();
        let (left, right) = if is_computed(left) || is_computed(right) {
            let mut float = |e: &Expr| if e.ty.kind == Kind::Float { e.clone() } else { self.decimal_to_float(e.clone()) };
            (float(left), float(right))
        } else if l.whole().max(r.whole()) + l.scale.max(r.scale) > DIGITS {
            let sides = [self.as_decimal(left.clone(), l), self.as_decimal(right.clone(), r)];
            let [left, right] = sides;
            let order = call(".compare", vec![left, right, int(i64::from(l.scale) - i64::from(r.scale), span)], Kind::Int, span);
            (order, int(0, span))
        } else {
            return None;
        };
        let ty = Type::BOOL.with_null(left.ty.nullable || right.ty.nullable);
        Some(Expr { kind: ExprKind::Binary(op, Box::new(left), Box::new(right)), ty, span })
    }

    /// `+ - * / %` and powers of which one operand is a decimal.
    pub(super) fn decimal_arithmetic(&mut self, op: BinaryOp, mut left: Expr, mut right: Expr, span: Span) -> Option<Expr> {
        self.typed_nulls(&mut left, &mut right);
        let (l, r) = (Precision::of(&left)?, Precision::of(&right)?);
        let operands = |a: &mut Self, to: [Precision; 2]| [a.as_decimal(left.clone(), to[0]), a.as_decimal(right.clone(), to[1])];
        let common = l.common(r);
        let made = |name: &str, args: Vec<Expr>, of: Precision| Some(call(name, args, of.kind(), span));
        match op {
            BinaryOp::Add | BinaryOp::Subtract => {
                let name = if op == BinaryOp::Add { ".add" } else { ".subtract" };
                let args = operands(self, [common; 2]);
                made(name, args.to_vec(), Precision::new(common.whole() + 1, common.scale))
            }
            BinaryOp::Remainder => {
                let args = operands(self, [common; 2]);
                made(".remainder", args.to_vec(), common)
            }
            BinaryOp::Multiply if l.scale + r.scale <= DIGITS => {
                let args = operands(self, [l, r]);
                made(".multiply", args.to_vec(), Precision::new(l.whole() + r.whole(), l.scale + r.scale))
            }
            BinaryOp::Divide => {
                let scale = common.scale.max(OF_QUOTIENT);
                let [dividend, divisor] = operands(self, [l, r]);
                let shift = int(i64::from(scale) + i64::from(r.scale) - i64::from(l.scale), span);
                made(".divide", vec![dividend, divisor, shift], Precision { digits: DIGITS, scale })
            }
            _ => None,
        }
    }

    /// `-x`
    pub(super) fn negated_decimal(&mut self, operand: Expr, span: Span) -> Expr {
        let (kind, ty) = (operand.ty.kind.clone(), operand.ty.clone());
        if let Some(Literal::Decimal(v)) = operand.as_literal() {
            return Expr::literal(Literal::Decimal(-v), ty, span);
        }
        let zero = Expr::literal(Literal::Decimal(0), Type::new(kind.clone()), span);
        call(".subtract", vec![zero, operand], kind, span)
    }

    /// A value as a decimal of a declared type, if that has room for it; `None` if it is something else.
    pub(super) fn coerce_decimal(&mut self, value: &Expr, to: &Type) -> Option<Expr> {
        let Kind::Decimal(digits, scale) = to.kind else { return None };
        let to = Precision { digits, scale };
        let of = Precision::of(value)?;
        let is_number = matches!(value.as_literal(), Some(Literal::Int(_) | Literal::Float(_)));
        let fits = if is_number { exact(value, to).is_some() } else { to.holds(of) && (value.ty.is_decimal() || value.ty.kind == Kind::Int) };
        fits.then(|| self.as_decimal(value.clone(), to))
    }

    /// A number as a decimal. What has too many decimals is rounded, halves away from zero; what has too many digits is refused at run time.
    fn as_decimal(&mut self, value: Expr, to: Precision) -> Expr {
        let span = value.span;
        if let Some(Literal::Float(v)) = value.as_literal()
            && let Some(text) = self.long_numbers.get(&v.to_bits())
        {
            let d = Diagnostic::new(Code::InvalidNumber, span, format!("`{text}` has more digits than a float keeps, and would be {v} here"));
            return self.wrong(d.help(format!("write it as a text: `decimal(\"{text}\", {}, {})`", to.digits, to.scale)));
        }
        let (digits, scale) = (int(i64::from(to.digits), span), int(i64::from(to.scale), span));
        if let Some(number) = exact(&value, to) {
            return Expr::literal(Literal::Decimal(number), Type { kind: to.kind(), nullable: value.ty.nullable }, span);
        }
        match value.ty.kind {
            Kind::Decimal(d, s) if (d, s) == (to.digits, to.scale) => value,
            // More room in front of the point costs nothing.
            Kind::Decimal(d, s) if s == to.scale && d <= to.digits => Expr { ty: Type { kind: to.kind(), nullable: value.ty.nullable }, ..value },
            Kind::Decimal(d, s) => {
                let by = int(i64::from(to.scale) - i64::from(s), span);
                if to.holds(Precision { digits: d, scale: s }) {
                    return call(".widen", vec![value, by], to.kind(), span);
                }
                call(".rescale", vec![value, by, digits], to.kind(), span)
            }
            Kind::Int if to.whole() >= OF_INT => call(".widen", vec![value, scale], to.kind(), span),
            _ => call(".decimal", vec![value, scale, digits], to.kind(), span),
        }
    }

    /// A function of decimals, if it is one.
    pub(super) fn decimal_function(&mut self, name: &str, values: &[Expr], span: Span) -> Option<Expr> {
        if name == "decimal" {
            return Some(self.conversion_to_decimal(values, span));
        }
        let of = values.iter().find(|value| value.ty.is_decimal()).and_then(Precision::of)?;
        let scale = || int(i64::from(of.scale), span);
        match (name, values) {
            ("int", [value]) => Some(call(".int", vec![value.clone(), scale()], Kind::Int, span)),
            ("float", [value]) => Some(self.decimal_to_float(value.clone())),
            ("str", [value]) => Some(call(".text", vec![value.clone(), scale()], Kind::Str, span)),
            ("fixed", [value, Expr { kind: ExprKind::Literal(Literal::Int(n @ 0..=37)), .. }]) => {
                let to = Precision::new(of.whole() + 1, *n as u8);
                let rounded = self.as_decimal(value.clone(), to);
                Some(call(".text", vec![rounded, int(*n, span)], Kind::Str, span))
            }
            ("round", [value]) => Some(self.as_decimal(value.clone(), Precision::new(of.whole() + 1, 0))),
            ("round", [value, Expr { kind: ExprKind::Literal(Literal::Int(n)), .. }]) => {
                let to = u8::try_from(*n).ok()?;
                // One that has fewer decimals is as it is.
                Some(if to >= of.scale { value.clone() } else { self.as_decimal(value.clone(), Precision::new(of.whole() + 1, to)) })
            }
            ("round" | "fixed", [_, count]) => {
                let d = Diagnostic::new(Code::NotConstant, count.span, format!("the number of decimals in `{name}` of a decimal is a constant from 0 to 37"));
                Some(self.wrong(d.help(format!("as in `{name}(x, 2)`; or go by way of a float: `{name}(float(x), n)`"))))
            }
            ("floor" | "ceil", [value]) => {
                let down = Expr::literal(Literal::Bool(name == "floor"), Type::BOOL, span);
                Some(call(".whole", vec![value.clone(), scale(), down], Precision::new(of.whole() + 1, 0).kind(), span))
            }
            ("abs", [value]) => Some(call(".abs", vec![value.clone()], of.kind(), span)),
            ("sign", [value]) => Some(call(".sign", vec![value.clone()], Kind::Int, span)),
            ("hash", [value]) => {
                // Equal numbers have one hash, however many decimals they have.
                let text = call(".shortest", vec![value.clone(), scale()], Kind::Str, span);
                Some(call("hash", vec![text], Kind::Int, span))
            }
            ("min" | "max", [a, b]) => {
                let (mut a, mut b) = (a.clone(), b.clone());
                self.unify_decimals(&mut a, &mut b);
                if !self.copies("the values", Size::of(&a).times(2), span) {
                    return None;
                }
                let kind = a.ty.kind.clone();
                Some(call(if name == "min" { ".min" } else { ".max" }, vec![a, b], kind, span))
            }
            _ => None,
        }
    }

    /// A decimal as a float, for what is computed with floats.
    pub(super) fn decimal_to_float(&mut self, value: Expr) -> Expr {
        let (span, scale) = (value.span, Precision::of(&value).map_or(0, |of| of.scale));
        call(".float", vec![value, int(i64::from(scale), span)], Kind::Float, span)
    }

    /// `decimal(x, p, s)`
    fn conversion_to_decimal(&mut self, values: &[Expr], span: Span) -> Expr {
        let constant = |e: &Expr| if let Some(Literal::Int(v)) = e.as_literal() { u32::try_from(*v).ok() } else { None };
        let (Some(value), Some(digits)) = (values.first(), values.get(1)) else {
            let d = Diagnostic::new(Code::WrongArgumentCount, span, "`decimal` takes a value, and how many digits and decimals it has");
            return self.wrong(d.help("as in `decimal(x, 12, 2)`"));
        };
        let (digits, scale) = (constant(digits), values.get(2).map_or(Some(0), constant));
        let (Some(digits), Some(scale), true) = (digits, scale, values.len() <= 3) else {
            return self
                .wrong(Diagnostic::new(Code::NotConstant, span, "how many digits and decimals a decimal has is a constant").help("as in `decimal(x, 12, 2)`"));
        };
        let Kind::Decimal(digits, scale) = self.decimal_type(&[digits, scale], span).kind else { return Expr::error(span) };
        let mut value = value.clone();
        if value.ty.is_lenient() {
            self.settle(&mut value, Kind::Any);
        }
        match value.ty.kind {
            Kind::Int | Kind::Float | Kind::Str | Kind::Any | Kind::Decimal(..) => self.as_decimal(value, Precision { digits, scale }),
            Kind::Error => Expr::error(span),
            _ => {
                let message = format!("{} is no decimal", value.ty);
                self.wrong(Diagnostic::new(Code::WrongArgumentType, value.span, message).help("numbers, texts and `any` can be"))
            }
        }
    }
}
