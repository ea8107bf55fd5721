//! Typed expressions to operations: the one home of null and error semantics (§2).

use varpulis_abi::scalar::{Physical, Scalar};

use super::builder::{Builder, nullable, plain};
use super::ir::{Arithmetic, Comparison, Op, SiteId, ValueId, VariableId};
use crate::analysis::typed::{Expr, ExprKind, Literal, Place};
use crate::analysis::types::Type;
use crate::syntax::ast::{BinaryOp, Span, UnaryOp};

/// What lowering needs from around an expression: where places are read, and the table of sites.
pub trait Context {
    /// Reads a place.
    fn place(&mut self, b: &mut Builder, place: &Place, ty: &Type) -> ValueId;
    /// The site of an expression that can refuse a record.
    fn site(&mut self, span: Span) -> SiteId;
    /// The type of a variable of the program.
    fn state(&self, _: VariableId) -> Option<Physical> {
        None
    }
}

/// How a type is held.
pub fn physical(ty: &Type) -> Physical {
    Physical { scalar: ty.scalar(), nullable: ty.nullable }
}

/// Lowers an expression; the value's nullability is the type's.
pub fn lower(b: &mut Builder, cx: &mut dyn Context, e: &Expr) -> ValueId {
    let ty = physical(&e.ty);
    let value = match &e.kind {
        ExprKind::Literal(Literal::Null) => b.value(Op::Null, nullable(ty.scalar)),
        ExprKind::Literal(l) => b.constant(l.clone(), ty.scalar),
        ExprKind::Place(p) => cx.place(b, p, &e.ty),
        ExprKind::Unary(op, a) => unary(b, cx, *op, a, e),
        ExprKind::Binary(op, l, r) => binary(b, cx, *op, l, r, e),
        ExprKind::ToFloat(a) => {
            let a = lower(b, cx, a);
            strict(b, &[a], ty, |b, v| b.value(Op::ToFloat(first(v)), plain(Scalar::Float)))
        }
        ExprKind::IsNull(a) => {
            let a = lower(b, cx, a);
            b.is_null(a)
        }
        ExprKind::If(c, t, o) => {
            let c = truth(b, cx, c, true);
            let cell = std::cell::RefCell::new(cx);
            b.choose(
                c,
                ty,
                |b| {
                    let v = lower(b, &mut **cell.borrow_mut(), t);
                    b.fit(v, ty)
                },
                |b| {
                    let v = lower(b, &mut **cell.borrow_mut(), o);
                    b.fit(v, ty)
                },
            )
        }
        ExprKind::In(a, list) => membership(b, cx, a, list, ty),
        ExprKind::Pack(items) => {
            let items = items.iter().map(|item| lower(b, cx, item)).collect();
            b.value(Op::Pack(items), plain(Scalar::Packed))
        }
        ExprKind::Part(of, at) => {
            let (of, at) = (lower(b, cx, of), lower(b, cx, at));
            strict(b, &[of, at], ty, |b, v| b.value(Op::Part { of: first(v), at: second(v) }, ty))
        }
        ExprKind::Element(number) => b.element(*number, ty),
        ExprKind::Gather(gather) => {
            let of = lower(b, cx, &gather.of);
            let site = cx.site(e.span);
            let cell = std::cell::RefCell::new(cx);
            strict(b, &[of], ty, |b, v| {
                let keep = gather.keep.as_ref().map(|keep| |b: &mut Builder| truth(b, &mut **cell.borrow_mut(), keep, true));
                b.gather((first(v), gather.number), keep, |b| lower(b, &mut **cell.borrow_mut(), &gather.value), site)
            })
        }
        ExprKind::Variable(number) => b.variable(VariableId(*number), ty),
        ExprKind::Run(run) => super::run::run(b, cx, run, ty),
        ExprKind::Call(function, args) => {
            let args: Vec<ValueId> = args.iter().map(|a| lower(b, cx, a)).collect();
            let site = if function.row().fallible { cx.site(e.span) } else { SiteId(0) };
            let result = plain(function.row().result);
            strict(b, &args, ty, |b, args| b.value(Op::Call { function: *function, args: args.to_vec(), site }, result))
        }
    };
    b.fit(value, ty)
}

fn first(values: &[ValueId]) -> ValueId {
    values.first().copied().unwrap_or(ValueId(0))
}

/// Applies an operation that knows no null: null if any operand is null.
fn strict(b: &mut Builder, operands: &[ValueId], ty: Physical, apply: impl FnOnce(&mut Builder, &[ValueId]) -> ValueId) -> ValueId {
    let null = b.any_null(operands);
    b.choose(
        null,
        ty,
        |b| b.value(Op::Null, nullable(ty.scalar)),
        |b| {
            let plain: Vec<ValueId> = operands.iter().map(|v| b.unwrap(*v)).collect();
            let v = apply(b, &plain);
            b.fit(v, ty)
        },
    )
}

fn unary(b: &mut Builder, cx: &mut dyn Context, op: UnaryOp, a: &Expr, e: &Expr) -> ValueId {
    let ty = physical(&e.ty);
    let site = if op == UnaryOp::Negate { cx.site(e.span) } else { SiteId(0) };
    let a = lower(b, cx, a);
    strict(b, &[a], ty, |b, v| match op {
        UnaryOp::Negate => b.value(Op::Negate(first(v), site), plain(ty.scalar)),
        UnaryOp::Not => b.not(first(v)),
        UnaryOp::BitNot => b.value(Op::BitNot(first(v)), plain(ty.scalar)),
    })
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Less => Comparison::Less,
        BinaryOp::LessEqual => Comparison::LessEqual,
        BinaryOp::Greater => Comparison::Greater,
        BinaryOp::GreaterEqual => Comparison::GreaterEqual,
        BinaryOp::Equal => Comparison::Equal,
        BinaryOp::NotEqual => Comparison::NotEqual,
        _ => return None,
    })
}

fn arithmetic(op: BinaryOp) -> Option<Arithmetic> {
    Some(match op {
        BinaryOp::Add => Arithmetic::Add,
        BinaryOp::Subtract => Arithmetic::Subtract,
        BinaryOp::Multiply => Arithmetic::Multiply,
        BinaryOp::Divide => Arithmetic::Divide,
        BinaryOp::BitAnd => Arithmetic::BitAnd,
        BinaryOp::BitOr => Arithmetic::BitOr,
        BinaryOp::BitXor => Arithmetic::BitXor,
        _ => return None,
    })
}

fn binary(b: &mut Builder, cx: &mut dyn Context, op: BinaryOp, l: &Expr, r: &Expr, e: &Expr) -> ValueId {
    let ty = physical(&e.ty);
    match op {
        BinaryOp::And | BinaryOp::Or => return connective(b, cx, op == BinaryOp::Or, l, r, ty),
        BinaryOp::Coalesce => {
            let l = lower(b, cx, l);
            let null = b.is_null(l);
            return b.choose(
                null,
                ty,
                |b| {
                    let r = lower(b, cx, r);
                    b.fit(r, ty)
                },
                |b| {
                    let v = b.unwrap(l);
                    b.fit(v, ty)
                },
            );
        }
        _ => {}
    }
    let left = lower(b, cx, l);
    let right = lower(b, cx, r);
    if let Some(op) = comparison(op) {
        return strict(b, &[left, right], ty, |b, v| b.compare(op, first(v), second(v)));
    }
    if op == BinaryOp::Xor {
        return strict(b, &[left, right], ty, |b, v| b.compare(Comparison::NotEqual, first(v), second(v)));
    }
    let Some(op) = arithmetic(op) else { return left };
    // A ratio of durations is a ratio of their nanoseconds.
    let ratio = op == Arithmetic::Divide && b.ty(left).scalar == Scalar::Duration;
    let site = cx.site(e.span);
    strict(b, &[left, right], ty, |b, v| {
        let (mut x, mut y) = (first(v), second(v));
        if ratio {
            x = b.value(Op::ToFloat(x), plain(Scalar::Float));
            y = b.value(Op::ToFloat(y), plain(Scalar::Float));
        }
        b.arithmetic(op, x, y, ty.scalar, site)
    })
}

fn second(values: &[ValueId]) -> ValueId {
    values.get(1).copied().unwrap_or(ValueId(0))
}

/// Three-valued `and`, `or`: the second operand is evaluated only if the first does not decide.
fn connective(b: &mut Builder, cx: &mut dyn Context, or: bool, l: &Expr, r: &Expr, ty: Physical) -> ValueId {
    let left = lower(b, cx, l);
    if !b.ty(left).nullable && !ty.nullable {
        return if or { b.or(left, |b| lower(b, cx, r)) } else { b.and(left, |b| lower(b, cx, r)) };
    }
    let decides = if or {
        b.is_true(left)
    } else {
        let null = b.is_null(left);
        let known = b.not(null);
        b.and(known, |b| {
            let v = b.unwrap(left);
            b.not(v)
        })
    };
    b.choose(
        decides,
        ty,
        |b| {
            let v = b.boolean(or);
            b.fit(v, ty)
        },
        |b| {
            let right = lower(b, cx, r);
            let right_decides = if or {
                b.is_true(right)
            } else {
                let null = b.is_null(right);
                let known = b.not(null);
                b.and(known, |b| {
                    let v = b.unwrap(right);
                    b.not(v)
                })
            };
            let null = b.any_null(&[left, right]);
            b.choose(
                right_decides,
                ty,
                |b| {
                    let v = b.boolean(or);
                    b.fit(v, ty)
                },
                |b| {
                    b.choose(
                        null,
                        ty,
                        |b| b.value(Op::Null, nullable(Scalar::Bool)),
                        |b| {
                            let v = b.boolean(!or);
                            b.fit(v, ty)
                        },
                    )
                },
            )
        },
    )
}

/// `x in [a, b]` is `x == a or x == b`: true if one is equal, else null if one is null.
fn membership(b: &mut Builder, cx: &mut dyn Context, a: &Expr, list: &[Expr], ty: Physical) -> ValueId {
    let value = lower(b, cx, a);
    let items: Vec<ValueId> = list.iter().map(|i| lower(b, cx, i)).collect();
    strict(b, &[value], ty, |b, v| {
        let value = first(v);
        let mut found = b.boolean(false);
        for item in items.iter().rev() {
            let null = b.is_null(*item);
            let there = b.not(null);
            let same = b.and(there, |b| {
                let item = b.unwrap(*item);
                b.compare(Comparison::Equal, value, item)
            });
            found = if matches!(b.get(found).op, Op::Const(Literal::Bool(false))) { same } else { b.or(same, |_| found) };
        }
        let null = b.any_null(&items);
        b.choose(
            null,
            ty,
            |b| {
                let yes = b.boolean(true);
                b.choose(found, ty, |b| b.fit(yes, ty), |b| b.value(Op::Null, nullable(ty.scalar)))
            },
            |b| b.fit(found, ty),
        )
    })
}

/// Whether a condition is true (or, with `want` false, whether it is false); null is neither. Only what decides is evaluated, from left to right.
pub fn truth(b: &mut Builder, cx: &mut dyn Context, e: &Expr, want: bool) -> ValueId {
    match &e.kind {
        ExprKind::Unary(UnaryOp::Not, a) => truth(b, cx, a, !want),
        ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), l, r) => {
            let left = truth(b, cx, l, want);
            // `and` is true, and `or` is false, only if both are.
            if (*op == BinaryOp::And) == want { b.and(left, |b| truth(b, cx, r, want)) } else { b.or(left, |b| truth(b, cx, r, want)) }
        }
        ExprKind::Binary(op, l, r) if comparison(*op).is_some() => {
            let left = lower(b, cx, l);
            let right = lower(b, cx, r);
            let null = b.any_null(&[left, right]);
            let known = b.not(null);
            let op = comparison(*op).unwrap_or(Comparison::Equal);
            b.and(known, |b| {
                let (l, r) = (b.unwrap(left), b.unwrap(right));
                let c = b.compare(op, l, r);
                if want { c } else { b.not(c) }
            })
        }
        _ => {
            let v = lower(b, cx, e);
            if want {
                return b.is_true(v);
            }
            let null = b.is_null(v);
            let known = b.not(null);
            b.and(known, |b| {
                let v = b.unwrap(v);
                b.not(v)
            })
        }
    }
}
