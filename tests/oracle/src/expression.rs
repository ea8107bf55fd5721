//! Expressions (§2): null and error semantics, written down once more.

use varpulis_abi::packed::LARGEST;
use varpulis_compiler::analysis::typed::{Expr, ExprKind, Literal, Place};
use varpulis_compiler::analysis::types::{Kind, Type};
use varpulis_compiler::syntax::ast::{BinaryOp, UnaryOp};

use crate::value::Value;
use crate::{functions, packed, run};

/// Why there is no value: the reason's text.
pub(crate) type Refused = &'static str;

/// Where values of places come from.
pub(crate) type Read<'r> = &'r dyn Fn(&Place) -> Value;

pub(crate) fn eval(e: &Expr, read: Read<'_>) -> Result<Value, Refused> {
    Ok(match &e.kind {
        ExprKind::Literal(l) => literal(l, &e.ty.kind),
        ExprKind::Place(p) => match read(p) {
            Value::Refused(reason) => return Err(reason),
            value => value,
        },
        ExprKind::ToFloat(a) => match eval(a, read)? {
            Value::Int(v) => Value::Float(v as f64),
            other => other,
        },
        ExprKind::IsNull(a) => Value::Bool(eval(a, read)?.is_null()),
        ExprKind::If(c, t, o) => eval(if holds(c, true, read)? { t } else { o }, read)?,
        ExprKind::In(a, list) => membership(a, list, read)?,
        ExprKind::Unary(op, a) => match (op, eval(a, read)?) {
            (_, Value::Null) => Value::Null,
            (UnaryOp::Not, v) => Value::Bool(!v.is_true()),
            (UnaryOp::BitNot, v) => Value::Int(!v.int()),
            (UnaryOp::Negate, Value::Float(v)) => Value::Float(-v),
            (UnaryOp::Negate, v) => like(&v, v.int().checked_neg())?,
        },
        ExprKind::Binary(op, l, r) => binary(*op, l, r, read)?,
        ExprKind::Pack(items) => packed::pack(items.iter().map(|item| eval(item, read)).collect::<Result<_, _>>()?, &e.ty),
        ExprKind::Part(of, at) => match (eval(of, read)?, eval(at, read)?) {
            (Value::Null, _) | (_, Value::Null) => Value::Null,
            (of, at) => packed::part(&of, at.int()),
        },
        ExprKind::Element(number) => packed::element(*number),
        ExprKind::Gather(gather) => match eval(&gather.of, read)? {
            Value::Array(elements) => {
                let mut made = vec![];
                for element in elements {
                    made.extend(packed::with_element(gather.number, element, || {
                        let keep = gather.keep.as_ref().map_or(Ok(true), |keep| holds(keep, true, read))?;
                        if keep { eval(&gather.value, read).map(Some) } else { Ok(None) }
                    })?);
                }
                let made = Value::Array(made);
                // Of texts it may be larger than all that it is made of.
                if gather.value.ty.scalar().is_text() && packed::size(&made) > LARGEST {
                    return Err("value too large");
                }
                made
            }
            other => other,
        },
        ExprKind::Variable(number) => run::variable(*number),
        ExprKind::Run(run) => run::run(run, read)?,
        ExprKind::Call(f, args) => {
            let args = args.iter().map(|a| eval(a, read)).collect::<Result<Vec<_>, _>>()?;
            if args.iter().any(Value::is_null) {
                return Ok(Value::Null);
            }
            match functions::call(f.row().body, &args)? {
                // The sum of nothing has the decimals of what is not there.
                Value::Decimal(0, _) => Value::Decimal(0, e.ty.decimal().1),
                value => value,
            }
        }
    })
}

fn literal(l: &Literal, kind: &Kind) -> Value {
    match l {
        Literal::Null => Value::Null,
        Literal::Int(v) => Value::Int(*v),
        Literal::Float(v) => Value::Float(*v),
        Literal::Decimal(v) => Value::Decimal(*v, Type::new(kind.clone()).decimal().1),
        Literal::Bool(v) => Value::Bool(*v),
        Literal::Str(v) if Type::new(kind.clone()).is_packed() => packed::unpacked(v, kind),
        Literal::Str(v) => Value::Str(v.clone()),
        Literal::Timestamp(v) => Value::Timestamp(*v),
        Literal::Duration(v) => Value::Duration(*v),
        Literal::Enum(v) => match kind {
            Kind::Enum(e) => Value::Enum(*v, e.variants[*v as usize].clone()),
            _ => Value::Enum(*v, String::new()),
        },
    }
}

/// A whole number of the same type; none is an overflow.
fn like(v: &Value, result: Option<i64>) -> Result<Value, Refused> {
    let result = result.ok_or("integer overflow")?;
    Ok(match v {
        Value::Timestamp(_) => Value::Timestamp(result),
        Value::Duration(_) => Value::Duration(result),
        _ => Value::Int(result),
    })
}

fn binary(op: BinaryOp, l: &Expr, r: &Expr, read: Read<'_>) -> Result<Value, Refused> {
    let left = eval(l, read)?;
    // The right operand is not looked at where the left one decides.
    match (op, &left) {
        (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return Ok(left),
        (BinaryOp::Coalesce, v) if !v.is_null() => return Ok(left),
        _ => {}
    }
    let right = eval(r, read)?;
    match (op, &right) {
        (BinaryOp::Coalesce, _) => return Ok(right),
        (BinaryOp::And, Value::Bool(false)) | (BinaryOp::Or, Value::Bool(true)) => return Ok(right),
        _ => {}
    }
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    if let Some(result) = compare(op, &left, &right) {
        return Ok(Value::Bool(result));
    }
    match (op, left, right) {
        (BinaryOp::And | BinaryOp::Or, _, right) => Ok(right),
        (BinaryOp::Xor, left, right) => Ok(Value::Bool(left != right)),
        (op, Value::Float(a), Value::Float(b)) => Ok(Value::Float(match op {
            BinaryOp::Add => a + b,
            BinaryOp::Subtract => a - b,
            BinaryOp::Multiply => a * b,
            BinaryOp::Divide => a / b,
            other => panic!("{other:?} of floats"),
        })),
        (op, left, right) => whole(op, &left, &right),
    }
}

fn whole(op: BinaryOp, left: &Value, right: &Value) -> Result<Value, Refused> {
    let (a, b) = (left.int(), right.int());
    Ok(match (op, left, right) {
        (BinaryOp::Divide, Value::Duration(_), Value::Duration(_)) => Value::Float(a as f64 / b as f64),
        (BinaryOp::Subtract, Value::Timestamp(_), Value::Timestamp(_)) => Value::Duration(a.checked_sub(b).ok_or("integer overflow")?),
        (BinaryOp::Add, Value::Duration(_), Value::Timestamp(_)) => like(right, a.checked_add(b))?,
        (BinaryOp::Multiply, Value::Int(_), Value::Duration(_)) => like(right, a.checked_mul(b))?,
        (BinaryOp::Add, ..) => like(left, a.checked_add(b))?,
        (BinaryOp::Subtract, ..) => like(left, a.checked_sub(b))?,
        (BinaryOp::Multiply, ..) => like(left, a.checked_mul(b))?,
        (BinaryOp::BitAnd, ..) => Value::Int(a & b),
        (BinaryOp::BitOr, ..) => Value::Int(a | b),
        (BinaryOp::BitXor, ..) => Value::Int(a ^ b),
        (other, ..) => panic!("{other:?} of {left:?} and {right:?}"),
    })
}

fn compare(op: BinaryOp, l: &Value, r: &Value) -> Option<bool> {
    let order = || l.order(r);
    Some(match op {
        BinaryOp::Less => order().is_some_and(|o| o.is_lt()),
        BinaryOp::LessEqual => order().is_some_and(|o| o.is_le()),
        BinaryOp::Greater => order().is_some_and(|o| o.is_gt()),
        BinaryOp::GreaterEqual => order().is_some_and(|o| o.is_ge()),
        BinaryOp::Equal => order().is_some_and(|o| o.is_eq()),
        BinaryOp::NotEqual => order().is_none_or(|o| o.is_ne()),
        _ => return None,
    })
}

/// `x in [a, b]` is `x == a or x == b`.
fn membership(a: &Expr, list: &[Expr], read: Read<'_>) -> Result<Value, Refused> {
    let value = eval(a, read)?;
    let items = list.iter().map(|i| eval(i, read)).collect::<Result<Vec<_>, _>>()?;
    if value.is_null() {
        return Ok(Value::Null);
    }
    if items.iter().any(|i| !i.is_null() && value.order(i) == Some(std::cmp::Ordering::Equal)) {
        return Ok(Value::Bool(true));
    }
    Ok(if items.iter().any(Value::is_null) { Value::Null } else { Value::Bool(false) })
}

/// Whether a condition is true (or false, if that is asked): looked at from left to right, as far as it takes.
pub(crate) fn holds(e: &Expr, wanted: bool, read: Read<'_>) -> Result<bool, Refused> {
    match &e.kind {
        ExprKind::Unary(UnaryOp::Not, a) => holds(a, !wanted, read),
        ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), l, r) => {
            let both = (*op == BinaryOp::And) == wanted;
            let left = holds(l, wanted, read)?;
            if left == both { holds(r, wanted, read) } else { Ok(left) }
        }
        _ => Ok(eval(e, read)? == Value::Bool(wanted)),
    }
}
