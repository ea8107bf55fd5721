//! A decoded field value, between the decoders and a program's typed structs.
//!
//! Programs that are compiled at run time read values where they lie: their tags and layout are those of `varpulis_abi::layout::value`.

use varpulis_abi::layout::value as tag;
use varpulis_abi::packed::Cell;

/// One value of a field, borrowed from the input or from the decoder's scratch space.
#[derive(Clone, Copy, Debug, PartialEq, Default)]
#[repr(C, u8)]
pub enum Value<'a> {
    /// Missing or null.
    #[default]
    Null = tag::NULL,
    /// `int`.
    Int(i64) = tag::INT,
    /// `float`.
    Float(f64) = tag::FLOAT,
    /// `decimal`: the digits as an integer, of which the field's schema says how many are decimals.
    Decimal(Decimal) = tag::DECIMAL,
    /// `bool`.
    Bool(bool) = tag::BOOL,
    /// `str`.
    Text(&'a str) = tag::TEXT,
    /// `timestamp`, ns since the epoch.
    Timestamp(i64) = tag::TIMESTAMP,
    /// `duration`, ns.
    Duration(i64) = tag::DURATION,
    /// An enum's variant, by its place in the declaration.
    Enum(u32) = tag::ENUM,
    /// `any`: one JSON value as it stood in the input.
    Json(&'a str) = tag::JSON,
    /// An array, tuple, map or record, [packed](varpulis_abi::packed).
    Packed(&'a str) = tag::PACKED,
}

/// 128 bits that lie where words do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct Decimal {
    low: u64,
    high: i64,
}

impl From<i128> for Decimal {
    #[inline(always)]
    fn from(value: i128) -> Self {
        Self { low: value as u64, high: (value >> 64) as i64 }
    }
}

impl From<Decimal> for i128 {
    #[inline(always)]
    fn from(Decimal { low, high }: Decimal) -> Self {
        (i128::from(high) << 64) | i128::from(low)
    }
}

impl<'a> Value<'a> {
    /// A `decimal`.
    #[inline(always)]
    pub fn of_decimal(value: i128) -> Self {
        Value::Decimal(value.into())
    }

    /// A `decimal`. The decoder has checked the type; anything else reads as zero.
    #[inline(always)]
    pub fn decimal(self) -> i128 {
        if let Value::Decimal(v) = self { v.into() } else { 0 }
    }

    /// A `decimal`; `None` if null.
    #[inline(always)]
    pub fn optional_decimal(self) -> Option<i128> {
        if let Value::Decimal(v) = self { Some(v.into()) } else { None }
    }

    /// The same value; its text, should it have one, replaced.
    #[inline]
    pub fn with_text<'b>(self, text: impl FnOnce(&'a str) -> &'b str) -> Value<'b> {
        match self {
            Value::Text(v) => Value::Text(text(v)),
            Value::Json(v) => Value::Json(text(v)),
            Value::Packed(v) => Value::Packed(text(v)),
            Value::Null => Value::Null,
            Value::Int(v) => Value::Int(v),
            Value::Float(v) => Value::Float(v),
            Value::Decimal(v) => Value::Decimal(v),
            Value::Bool(v) => Value::Bool(v),
            Value::Timestamp(v) => Value::Timestamp(v),
            Value::Duration(v) => Value::Duration(v),
            Value::Enum(v) => Value::Enum(v),
        }
    }

    /// The same as a part of a packed value.
    #[inline]
    pub fn cell(self) -> Cell<'a> {
        match self {
            Value::Null => Cell::Null,
            Value::Int(v) => Cell::Int(v),
            Value::Float(v) => Cell::Float(v),
            Value::Decimal(v) => Cell::Decimal(v.into()),
            Value::Bool(v) => Cell::Bool(v),
            Value::Timestamp(v) => Cell::Timestamp(v),
            Value::Duration(v) => Cell::Duration(v),
            Value::Enum(v) => Cell::Enum(v),
            Value::Text(v) => Cell::Text(v),
            Value::Json(v) => Cell::Json(v),
            Value::Packed(v) => Cell::Packed(v),
        }
    }
}

impl<'a> From<Cell<'a>> for Value<'a> {
    #[inline]
    fn from(cell: Cell<'a>) -> Self {
        match cell {
            Cell::Null => Value::Null,
            Cell::Int(v) => Value::Int(v),
            Cell::Float(v) => Value::Float(v),
            Cell::Decimal(v) => Value::Decimal(v.into()),
            Cell::Bool(v) => Value::Bool(v),
            Cell::Timestamp(v) => Value::Timestamp(v),
            Cell::Duration(v) => Value::Duration(v),
            Cell::Enum(v) => Value::Enum(v),
            Cell::Text(v) => Value::Text(v),
            Cell::Json(v) => Value::Json(v),
            Cell::Packed(v) => Value::Packed(v),
        }
    }
}

macro_rules! getters {
    ($($(#[$doc:meta])* $name:ident, $optional:ident, $ty:ty, [$($variant:ident),*], $zero:expr;)*) => {
        impl<'a> Value<'a> {
            $($(#[$doc])* /// The decoder has checked the type; anything else reads as the type's zero.
            #[inline(always)]
            pub fn $name(self) -> $ty { match self { $(Value::$variant(v) => v,)* _ => $zero } }
            $(#[$doc])* /// `None` if null.
            #[inline(always)]
            pub fn $optional(self) -> Option<$ty> { match self { $(Value::$variant(v) => Some(v),)* _ => None } })*
        }
    };
}
getters! {
    /// An `int`, a `timestamp` or a `duration`.
    int, optional_int, i64, [Int, Timestamp, Duration], 0;
    /// A `float`.
    float, optional_float, f64, [Float], 0.0;
    /// A `bool`.
    bool, optional_bool, bool, [Bool], false;
    /// A `str`, the text of an `any`, or a packed value.
    text, optional_text, &'a str, [Text, Json, Packed], "";
    /// An enum's variant.
    variant, optional_variant, u32, [Enum], 0;
}
