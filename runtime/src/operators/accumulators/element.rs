//! One value that an accumulator keeps.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use varpulis_abi::packed::{Cell, Packed};

use crate::scalar::{equal_json, equal_packed, text_of_json};
use crate::state::Text;
use crate::value::Decimal;

/// A value; its text borrowed (`&str`) or owned ([`Text`]).
#[derive(Clone, Copy, Debug)]
pub(super) enum Element<T> {
    Int(i64),
    Float(f64),
    Decimal(Decimal),
    Bool(bool),
    Text(T),
    Timestamp(i64),
    Duration(i64),
    Json(T),
    Packed(T),
    Enum(u32),
}

impl Element<&str> {
    pub(super) fn to_owned(self) -> Element<Text> {
        match self {
            Element::Int(v) => Element::Int(v),
            Element::Float(v) => Element::Float(v),
            Element::Decimal(v) => Element::Decimal(v),
            Element::Bool(v) => Element::Bool(v),
            Element::Text(v) => Element::Text(Text::from(v)),
            Element::Timestamp(v) => Element::Timestamp(v),
            Element::Duration(v) => Element::Duration(v),
            Element::Json(v) => Element::Json(Text::from(v)),
            Element::Packed(v) => Element::Packed(Text::from(v)),
            Element::Enum(v) => Element::Enum(v),
        }
    }

    /// As a part of a packed value.
    pub(super) fn cell(&self) -> Cell<'_> {
        match *self {
            Element::Int(v) => Cell::Int(v),
            Element::Float(v) => Cell::Float(v),
            Element::Decimal(v) => Cell::Decimal(v.into()),
            Element::Bool(v) => Cell::Bool(v),
            Element::Text(v) => Cell::Text(v),
            Element::Timestamp(v) => Cell::Timestamp(v),
            Element::Duration(v) => Cell::Duration(v),
            Element::Json(v) => Cell::Json(v),
            Element::Packed(v) => Cell::Packed(v),
            Element::Enum(v) => Cell::Enum(v),
        }
    }
}

impl Element<Text> {
    pub(super) fn borrow(&self) -> Element<&str> {
        match self {
            Element::Int(v) => Element::Int(*v),
            Element::Float(v) => Element::Float(*v),
            Element::Decimal(v) => Element::Decimal(*v),
            Element::Bool(v) => Element::Bool(*v),
            Element::Text(v) => Element::Text(v),
            Element::Timestamp(v) => Element::Timestamp(*v),
            Element::Duration(v) => Element::Duration(*v),
            Element::Json(v) => Element::Json(v),
            Element::Packed(v) => Element::Packed(v),
            Element::Enum(v) => Element::Enum(*v),
        }
    }
}

impl Element<&str> {
    /// The order of values of one type; NaN is the smallest. What has no order is equal.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (*self, *other) {
            (Element::Int(a), Element::Int(b)) | (Element::Timestamp(a), Element::Timestamp(b)) | (Element::Duration(a), Element::Duration(b)) => a.cmp(&b),
            (Element::Float(a), Element::Float(b)) => a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan())),
            (Element::Decimal(a), Element::Decimal(b)) => i128::from(a).cmp(&b.into()),
            (Element::Bool(a), Element::Bool(b)) => a.cmp(&b),
            (Element::Text(a), Element::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Element::Enum(a), Element::Enum(b)) => a.cmp(&b),
            _ => Ordering::Equal,
        }
    }
}

/// Here −0 equals 0, and all NaN are one value.
fn float_bits(value: f64) -> u64 {
    if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() }
}

impl PartialEq for Element<&str> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Element::Int(a), Element::Int(b)) | (Element::Timestamp(a), Element::Timestamp(b)) | (Element::Duration(a), Element::Duration(b)) => a == b,
            (Element::Float(a), Element::Float(b)) => float_bits(a) == float_bits(b),
            (Element::Decimal(a), Element::Decimal(b)) => a == b,
            (Element::Bool(a), Element::Bool(b)) => a == b,
            (Element::Text(a), Element::Text(b)) => a == b,
            (Element::Json(a), Element::Json(b)) => equal_json(a, b),
            (Element::Packed(a), Element::Packed(b)) => equal_packed(a, b),
            (Element::Enum(a), Element::Enum(b)) => a == b,
            _ => false,
        }
    }
}

impl Hash for Element<&str> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Element::Int(v) | Element::Timestamp(v) | Element::Duration(v) => v.hash(state),
            Element::Float(v) => float_bits(v).hash(state),
            Element::Decimal(v) => i128::from(v).hash(state),
            Element::Bool(v) => v.hash(state),
            Element::Text(v) => v.hash(state),
            Element::Json(v) => text_of_json(v).hash(state),
            Element::Packed(v) => hash_parts(v, state),
            Element::Enum(v) => v.hash(state),
        }
    }
}

/// What is the same, however packed, has one hash.
fn hash_parts<H: Hasher>(packed: &str, state: &mut H) {
    for cell in Packed(packed).cells() {
        match cell {
            Cell::Null => state.write_u8(0),
            Cell::Int(v) | Cell::Timestamp(v) | Cell::Duration(v) => v.hash(state),
            Cell::Float(v) => float_bits(v).hash(state),
            Cell::Decimal(v) => v.hash(state),
            Cell::Bool(v) => v.hash(state),
            Cell::Text(v) | Cell::Json(v) => v.hash(state),
            Cell::Packed(v) => hash_parts(v, state),
            Cell::Enum(v) => v.hash(state),
        }
    }
}

/// One method per type of value, each handing an [`Element`] to the type's `add`.
macro_rules! adders {
    () => {
        adders! {
            /// Adds an `int`.
            add_int(i64) = Int;
            /// Adds a `float`.
            add_float(f64) = Float;
            /// Adds a `decimal`.
            add_decimal(i128) = Decimal;
            /// Adds a `bool`.
            add_bool(bool) = Bool;
            /// Adds a `str`.
            add_text(&str) = Text;
            /// Adds a `timestamp`.
            add_timestamp(i64) = Timestamp;
            /// Adds a `duration`.
            add_duration(i64) = Duration;
            /// Adds an `any`.
            add_json(&str) = Json;
            /// Adds an array, tuple, map or record.
            add_packed(&str) = Packed;
            /// Adds an enum's variant.
            add_variant(u32) = Enum;
        }
    };
    ($($(#[$doc:meta])* $name:ident($ty:ty) = $variant:ident;)*) => {
        $($(#[$doc])*
        #[inline]
        pub fn $name(&mut self, value: $ty) {
            self.add(Element::$variant(value.into()));
        })*
    };
}
pub(super) use adders;
