//! Values made of values (§2): lists of parts, and what is asked of them.

use std::cell::RefCell;

use varpulis_abi::packed::{Cell, LARGEST, Packed};
use varpulis_compiler::analysis::types::{Kind, Type};

use crate::expression::Refused;
use crate::library;
use crate::value::Value::{self, Array, Bool, Float, Int, Map, Record, Str};

thread_local! {
    /// The elements at hand, by the numbers of what ranges over them.
    static ELEMENTS: RefCell<Vec<(u32, Value)>> = const { RefCell::new(vec![]) };
}

/// Runs something for an element.
pub(crate) fn with_element<R>(number: u32, element: Value, run: impl FnOnce() -> R) -> R {
    ELEMENTS.with_borrow_mut(|elements| elements.push((number, element)));
    let result = run();
    ELEMENTS.with_borrow_mut(Vec::pop);
    result
}

pub(crate) fn element(number: u32) -> Value {
    ELEMENTS.with_borrow(|elements| elements.iter().rev().find(|(n, _)| *n == number).map(|(_, v)| v.clone())).expect("an element is at hand")
}

/// Parts as a value of a type.
pub(crate) fn pack(items: Vec<Value>, ty: &Type) -> Value {
    match &ty.kind {
        Kind::Map(..) => Map(items.chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()),
        Kind::Record(record) => Record(record.fields.iter().map(|(name, _)| name.clone()).zip(items).collect()),
        _ => Array(items),
    }
}

/// A part by its place; a map's are its keys and values in turn.
pub(crate) fn part(of: &Value, at: i64) -> Value {
    let Ok(at) = usize::try_from(at) else { return Value::Null };
    let found = match of {
        Array(items) => items.get(at),
        Record(fields) => fields.get(at).map(|(_, v)| v),
        Map(members) => members.get(at / 2).map(|(k, v)| if at % 2 == 0 { k } else { v }),
        other => panic!("{other:?} has no parts"),
    };
    found.cloned().unwrap_or(Value::Null)
}

/// A constant of a packed type.
pub(crate) fn unpacked(text: &str, kind: &Kind) -> Value {
    let ty = Type::new(kind.clone());
    let parts = ty.parts();
    let items = Packed(text).cells().enumerate().map(|(at, cell)| {
        let of = match kind {
            Kind::Array(_) => parts[0],
            Kind::Map(..) => parts[at % 2],
            _ => parts[at],
        };
        match (cell, &of.kind) {
            (Cell::Null, _) => Value::Null,
            (Cell::Int(v), _) => Int(v),
            (Cell::Float(v), _) => Float(v),
            (Cell::Decimal(v), kind) => Value::Decimal(v, Type::new(kind.clone()).decimal().1),
            (Cell::Bool(v), _) => Bool(v),
            (Cell::Timestamp(v), _) => Value::Timestamp(v),
            (Cell::Duration(v), _) => Value::Duration(v),
            (Cell::Enum(v), Kind::Enum(e)) => Value::Enum(v, e.variants[v as usize].clone()),
            (Cell::Text(v), _) => Str(v.to_owned()),
            (Cell::Json(v), _) => Value::Json(serde_json::from_str(v).unwrap()),
            (Cell::Packed(v), kind) => unpacked(v, kind),
            (cell, kind) => panic!("{cell:?} as {kind:?}"),
        }
    });
    pack(items.collect(), &ty)
}

fn equal(a: &Value, b: &Value) -> bool {
    !a.is_null() && !b.is_null() && a.order(b) == Some(std::cmp::Ordering::Equal)
}

/// From the front or, if negative, from the back.
fn clamped(length: usize, at: i64) -> usize {
    let length = length as i64;
    (if at < 0 { at.saturating_add(length).max(0) } else { at.min(length) }) as usize
}

fn cut<T: Clone>(items: &[T], from: i64, to: i64) -> Vec<T> {
    let (from, to) = (clamped(items.len(), from), clamped(items.len(), to));
    if from < to { items[from..to].to_vec() } else { vec![] }
}

fn at<T: Clone>(items: &[T], at: i64) -> Result<T, Refused> {
    let place = if at < 0 { at.saturating_add(items.len() as i64) } else { at };
    usize::try_from(place).ok().and_then(|place| items.get(place).cloned()).ok_or("index out of range")
}

fn is_nan(v: &Value) -> bool {
    matches!(v, Float(f) if f.is_nan())
}

/// The place of the first that no other stands before.
fn foremost(items: &[Value], before: std::cmp::Ordering) -> i64 {
    let ranked = || items.iter().enumerate().filter(|(_, v)| !v.is_null() && !is_nan(v));
    let ahead = |a: &Value, b: &Value| total(a, b) == before;
    ranked().find(|(_, v)| !ranked().any(|(_, other)| ahead(other, v))).map_or(-1, |(at, _)| at as i64)
}

/// The order in which elements are sorted: −0 is below 0; NaN, then null, come last.
fn total(a: &Value, b: &Value) -> std::cmp::Ordering {
    match (a, b) {
        (Value::Null, Value::Null) => std::cmp::Ordering::Equal,
        (Value::Null, _) => std::cmp::Ordering::Greater,
        (_, Value::Null) => std::cmp::Ordering::Less,
        (a, b) if is_nan(a) || is_nan(b) => is_nan(a).cmp(&is_nan(b)),
        (Float(x), Float(y)) if x == y => y.is_sign_negative().cmp(&x.is_sign_negative()),
        (a, b) => a.order(b).expect("elements of one type have an order"),
    }
}

/// How large the runtime's form of an array is: 17 bytes a part, and the texts in them.
pub(crate) fn size(v: &Value) -> usize {
    match v {
        Str(text) => text.len(),
        Array(parts) => parts.iter().map(|part| 17 + size(part)).sum(),
        Map(members) => members.iter().map(|(k, v)| 34 + size(k) + size(v)).sum(),
        Record(fields) => fields.iter().map(|(_, v)| 17 + size(v)).sum(),
        _ => 0,
    }
}

/// A function over values that are not null.
pub(crate) fn call(body: &str, args: &[Value]) -> Result<Value, Refused> {
    Ok(match (body, args) {
        ("parts", [Array(a)]) => Int(a.len() as i64),
        ("members", [Map(a)]) => Int(a.len() as i64),
        ("place", [Array(a), Int(i)]) => Int(at(&(0..a.len() as i64).collect::<Vec<_>>(), *i)?),
        ("character", [Str(a), Int(i)]) => Str(at(&a.chars().collect::<Vec<_>>(), *i)?.to_string()),
        ("slice", [Array(a), Int(from), Int(to)]) => Array(cut(a, *from, *to)),
        ("slice_text", [Str(a), Int(from), Int(to)]) => Str(cut(&a.chars().collect::<Vec<_>>(), *from, *to).into_iter().collect()),
        ("find", [Array(a), Array(one)]) => Int(a.iter().position(|v| equal(v, &one[0])).map_or(-1, |at| at as i64)),
        ("member", [Map(a), Array(one)]) => Int(a.iter().position(|(k, _)| equal(k, &one[0])).map_or(-1, |at| 2 * at as i64 + 1)),
        ("has_null", [Array(a)]) => Bool(a.iter().any(Value::is_null)),
        ("sum_of_ints" | "sum_of_durations", [Array(a)]) => {
            let sum: i128 = a.iter().filter(|v| !v.is_null()).map(|v| i128::from(v.int())).sum();
            let sum = i64::try_from(sum).map_err(|_| "integer overflow")?;
            if body == "sum_of_ints" { Int(sum) } else { Value::Duration(sum) }
        }
        ("sum_of_floats", [Array(a)]) => Float(a.iter().fold(0.0, |sum, v| match v {
            Float(v) => sum + v,
            Int(v) => sum + *v as f64,
            _ => sum,
        })),
        ("count_of_values", [Array(a)]) => Int(a.iter().filter(|v| !v.is_null()).count() as i64),
        ("least", [Array(a)]) => Int(foremost(a, std::cmp::Ordering::Less)),
        ("greatest", [Array(a)]) => Int(foremost(a, std::cmp::Ordering::Greater)),
        ("any_true", [Array(a)]) => Bool(a.iter().any(Value::is_true)),
        ("all_true", [Array(a)]) => Bool(a.iter().all(Value::is_true)),
        ("sort", [Array(a)]) => {
            let mut a = a.clone();
            a.sort_by(total);
            Array(a)
        }
        ("by_time", [Array(a)]) => {
            let pair = |v: &Value| if let Value::Record(pair) = v { (pair[0].1.int(), pair[1].1.clone()) } else { panic!("no pair: {v:?}") };
            let mut pairs: Vec<(i64, Value)> = a.iter().map(pair).collect();
            pairs.sort_by_key(|(ts, _)| *ts);
            Array(pairs.into_iter().map(|(_, value)| value).collect())
        }
        ("smoothed", [Array(a), Float(n)]) => {
            let alpha = 2.0 / (n + 1.0);
            let numbers = a.iter().map(|v| if let Float(v) = v { *v } else { panic!("no float: {v:?}") });
            Float(numbers.reduce(|average, x| alpha * x + (1.0 - alpha) * average).unwrap_or(f64::NAN))
        }
        ("reverse", [Array(a)]) => Array(a.iter().rev().cloned().collect()),
        ("different", [Array(a)]) => Array(a.iter().enumerate().filter(|(i, v)| !a[..*i].iter().any(|w| w.same_key(v))).map(|(_, v)| v.clone()).collect()),
        ("flatten", [Array(a)]) => Array(a.iter().flat_map(|v| if let Array(inner) = v { inner.clone() } else { vec![] }).collect()),
        ("zip", [Array(a), Array(b)]) => Array(a.iter().zip(b).map(|(a, b)| Array(vec![a.clone(), b.clone()])).collect()),
        ("sliding_pairs", [Array(a)]) => Array(a.windows(2).map(|pair| Array(pair.to_vec())).collect()),
        ("keys", [Map(a)]) => Array(a.iter().map(|(k, _)| k.clone()).collect()),
        ("values", [Map(a)]) => Array(a.iter().map(|(_, v)| v.clone()).collect()),
        ("concat_arrays", [Array(a), Array(b)]) => Array(a.iter().chain(b).cloned().collect()),
        ("range", [Int(a), Int(b)]) if i128::from(*b) - i128::from(*a) > 1_000_000 => return Err("out of range"),
        ("range", [Int(a), Int(b)]) => Array((*a..*b).map(Int).collect()),
        ("join", [Array(a), Str(by)]) if a.len() * by.len() > LARGEST => return Err("value too large"),
        ("limited_array", [a]) if size(a) > LARGEST => return Err("value too large"),
        ("limited_array", [a @ (Array(_) | Map(_) | Value::Record(_))]) => a.clone(),
        ("join", [Array(a), Str(by)]) => Str(a.iter().filter_map(|v| if let Str(v) = v { Some(v.as_str()) } else { None }).collect::<Vec<_>>().join(by)),
        ("split", [Str(a), Str(by)]) if by.is_empty() => Array(a.chars().map(|c| Str(c.to_string())).collect()),
        ("split", [Str(a), Str(by)]) => Array(a.split(by.as_str()).map(|part| Str(part.to_owned())).collect()),
        (body, args) => library::call(body, args)?,
    })
}
