//! Values, and what it means that two are the same or in order.

use std::cmp::Ordering;
use std::fmt;

use varpulis_compiler::analysis::types::{Kind, Type};

/// A value of the language.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `int`
    Int(i64),
    /// `float`
    Float(f64),
    /// `decimal`: its digits, and how many of them are decimals.
    Decimal(i128, u8),
    /// `bool`
    Bool(bool),
    /// `str`
    Str(String),
    /// Nanoseconds since the epoch.
    Timestamp(i64),
    /// Nanoseconds.
    Duration(i64),
    /// A variant, with its name.
    Enum(u32, String),
    /// `any`
    Json(serde_json::Value),
    /// `[T]`, `(A, B)`
    Array(Vec<Value>),
    /// `{K: V}`, in order.
    Map(Vec<(Value, Value)>),
    /// A record inside a value.
    Record(Vec<(String, Value)>),
    /// What reading refuses, for a reason.
    Refused(&'static str),
}

impl Value {
    pub(crate) fn is_null(&self) -> bool {
        *self == Value::Null
    }
    pub(crate) fn is_true(&self) -> bool {
        *self == Value::Bool(true)
    }
    pub(crate) fn int(&self) -> i64 {
        match self {
            Value::Int(v) | Value::Timestamp(v) | Value::Duration(v) => *v,
            other => panic!("{other:?} is no whole number"),
        }
    }
    /// The order of two values of one type that are not null; none with a NaN.
    pub(crate) fn order(&self, other: &Value) -> Option<Ordering> {
        match (self, other) {
            (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
            (Value::Decimal(a, _), Value::Decimal(b, _)) => Some(a.cmp(b)),
            (Value::Str(a), Value::Str(b)) => Some(a.as_bytes().cmp(b.as_bytes())),
            (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
            (Value::Enum(a, _), Value::Enum(b, _)) => Some(a.cmp(b)),
            (Value::Json(a), Value::Json(b)) => (a == b).then_some(Ordering::Equal),
            (Value::Array(a), Value::Array(b)) => (a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same_key(b))).then_some(Ordering::Equal),
            (Value::Map(a), Value::Map(b)) => {
                (a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.0.same_key(&b.0) && a.1.same_key(&b.1))).then_some(Ordering::Equal)
            }
            (Value::Record(a), Value::Record(b)) => (a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.1.same_key(&b.1))).then_some(Ordering::Equal),
            _ => Some(self.int().cmp(&other.int())),
        }
    }

    /// Whether two values are one key: null is a key, and so is NaN.
    pub(crate) fn same_key(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Null, _) | (_, Value::Null) => false,
            (Value::Float(a), Value::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// A field of an event as its type has it; `None` if it does not fit.
    pub(crate) fn read(json: Option<&serde_json::Value>, ty: &Type) -> Option<Value> {
        use serde_json::Value as Json;
        match (json, &ty.kind) {
            (None | Some(Json::Null), _) => ty.nullable.then_some(Value::Null),
            (Some(Json::Number(n)), Kind::Int) => n.as_i64().or_else(|| whole(n.as_f64()?)).map(Value::Int),
            (Some(Json::Number(n)), Kind::Float) => n.as_f64().map(Value::Float),
            (Some(json), Kind::Decimal(digits, scale)) => crate::decimal::read(json, *digits, *scale),
            (Some(Json::Bool(b)), Kind::Bool) => Some(Value::Bool(*b)),
            (Some(Json::String(s)), Kind::Str) => Some(Value::Str(s.clone())),
            (Some(json), Kind::Timestamp) => crate::input::time(json).map(Value::Timestamp),
            (Some(json @ Json::Number(_)), Kind::Duration) => crate::input::time(json).map(Value::Duration),
            (Some(Json::String(s)), Kind::Enum(e)) => e.variants.iter().position(|v| v == s).map(|i| Value::Enum(i as u32, s.clone())),
            (Some(Json::Array(items)), Kind::Array(of)) => items.iter().map(|item| Value::read(Some(item), of)).collect::<Option<_>>().map(Value::Array),
            (Some(Json::Array(items)), Kind::Tuple(parts)) if items.len() == parts.len() => {
                items.iter().zip(parts).map(|(item, ty)| Value::read(Some(item), ty)).collect::<Option<_>>().map(Value::Array)
            }
            (Some(Json::Object(members)), Kind::Map(key, of)) => {
                let member = |(name, json): (&String, &Json)| Some((Value::key(name, key)?, Value::read(Some(json), of)?));
                let all: Vec<(Value, Value)> = members.iter().map(member).collect::<Option<_>>()?;
                let is_first = |at: &usize| all.iter().take(*at).all(|(before, _)| !before.same_key(&all[*at].0));
                Some(Value::Map((0..all.len()).filter(is_first).map(|at| all[at].clone()).collect()))
            }
            (Some(Json::Object(members)), Kind::Record(record)) => {
                let field = |(name, ty): &(String, Type)| Some((name.clone(), Value::read(members.get(name), ty)?));
                record.fields.iter().map(field).collect::<Option<_>>().map(Value::Record)
            }
            (Some(json), Kind::Any) => Some(Value::Json(plain(json))),
            _ => None,
        }
    }

    /// A key of a map, which JSON writes as a text.
    fn key(name: &str, ty: &Type) -> Option<Value> {
        let zero = |value| if matches!(value, Value::Float(v) if v == 0.0) { Value::Float(0.0) } else { value };
        Self::key_as_written(name, ty).map(zero)
    }

    fn key_as_written(name: &str, ty: &Type) -> Option<Value> {
        let text = serde_json::Value::String(name.to_owned());
        match ty.kind {
            Kind::Int | Kind::Float | Kind::Decimal(..) | Kind::Bool | Kind::Duration => Value::read(serde_json::from_str(name).ok().as_ref(), ty),
            Kind::Timestamp => Value::read(serde_json::from_str(name).ok().as_ref(), ty).or_else(|| Value::read(Some(&text), ty)),
            _ => Value::read(Some(&text), ty),
        }
    }

    /// As it is written in a row.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null | Value::Refused(_) => serde_json::Value::Null,
            Value::Int(v) => (*v).into(),
            Value::Float(v) => serde_json::Number::from_f64(*v).map_or(serde_json::Value::Null, serde_json::Value::Number),
            Value::Decimal(v, scale) => serde_json::from_str(&crate::decimal::text(*v, *scale)).unwrap_or_default(),
            Value::Bool(v) => (*v).into(),
            Value::Str(v) | Value::Enum(_, v) => v.clone().into(),
            Value::Timestamp(v) => v.div_euclid(1_000_000).into(),
            Value::Duration(v) if v % 1_000_000 == 0 => (v / 1_000_000).into(),
            Value::Duration(v) => (*v as f64 / 1e6).into(),
            Value::Json(v) => v.clone(),
            Value::Array(v) => v.iter().map(Value::to_json).collect(),
            Value::Map(v) => {
                let name = |key: &Value| match key {
                    Value::Decimal(v, scale) => crate::decimal::text(*v, *scale),
                    key => key.to_json().as_str().map_or_else(|| key.to_json().to_string(), str::to_owned),
                };
                v.iter().map(|(key, value)| (name(key), value.to_json())).collect()
            }
            Value::Record(v) => v.iter().map(|(name, value)| (name.clone(), value.to_json())).collect(),
        }
    }
}

fn whole(f: f64) -> Option<i64> {
    (f.fract() == 0.0 && (-9.2e18..9.2e18).contains(&f)).then_some(f as i64)
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to_json())
    }
}

/// Numbers of a JSON value without decimals that say nothing.
fn plain(json: &serde_json::Value) -> serde_json::Value {
    match json {
        serde_json::Value::Number(number) if number.is_f64() => match number.as_f64() {
            Some(v) if v.fract() == 0.0 && v.abs() < 9_007_199_254_740_992.0 => serde_json::Value::from(v as i64),
            _ => json.clone(),
        },
        serde_json::Value::Array(items) => items.iter().map(plain).collect(),
        serde_json::Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        _ => json.clone(),
    }
}
