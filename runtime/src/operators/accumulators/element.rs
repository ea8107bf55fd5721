//! One value that an accumulator keeps.

use std::hash::{Hash, Hasher};

use crate::output::RecordWriter;
use crate::scalar::{equal_json, text_of_json};
use crate::state::Text;

/// A value; its text borrowed (`&str`) or owned ([`Text`]).
#[derive(Clone, Copy, Debug)]
pub(super) enum Element<T> {
    Int(i64),
    Float(f64),
    Bool(bool),
    Text(T),
    Timestamp(i64),
    Duration(i64),
    Json(T),
}

impl Element<&str> {
    pub(super) fn to_owned(self) -> Element<Text> {
        match self {
            Element::Int(v) => Element::Int(v),
            Element::Float(v) => Element::Float(v),
            Element::Bool(v) => Element::Bool(v),
            Element::Text(v) => Element::Text(Text::from(v)),
            Element::Timestamp(v) => Element::Timestamp(v),
            Element::Duration(v) => Element::Duration(v),
            Element::Json(v) => Element::Json(Text::from(v)),
        }
    }

    /// Writes it as an element of an array, behind `separator`.
    pub(super) fn write(self, writer: &mut RecordWriter<'_>, separator: &str) {
        match self {
            Element::Int(v) => writer.int(separator, v),
            Element::Float(v) => writer.float(separator, v),
            Element::Bool(v) => writer.boolean(separator, v),
            Element::Text(v) => writer.text(separator, v),
            Element::Timestamp(v) => writer.timestamp(separator, v),
            Element::Duration(v) => writer.duration(separator, v),
            Element::Json(v) => writer.json(separator, v),
        }
    }
}

impl Element<Text> {
    pub(super) fn borrow(&self) -> Element<&str> {
        match self {
            Element::Int(v) => Element::Int(*v),
            Element::Float(v) => Element::Float(*v),
            Element::Bool(v) => Element::Bool(*v),
            Element::Text(v) => Element::Text(v),
            Element::Timestamp(v) => Element::Timestamp(*v),
            Element::Duration(v) => Element::Duration(*v),
            Element::Json(v) => Element::Json(v),
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
            (Element::Bool(a), Element::Bool(b)) => a == b,
            (Element::Text(a), Element::Text(b)) => a == b,
            (Element::Json(a), Element::Json(b)) => equal_json(a, b),
            _ => false,
        }
    }
}

impl Hash for Element<&str> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match *self {
            Element::Int(v) | Element::Timestamp(v) | Element::Duration(v) => v.hash(state),
            Element::Float(v) => float_bits(v).hash(state),
            Element::Bool(v) => v.hash(state),
            Element::Text(v) => v.hash(state),
            Element::Json(v) => text_of_json(v).hash(state),
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
            /// Adds a `bool`.
            add_bool(bool) = Bool;
            /// Adds a `str`, or an enum's variant by its name.
            add_text(&str) = Text;
            /// Adds a `timestamp`.
            add_timestamp(i64) = Timestamp;
            /// Adds a `duration`.
            add_duration(i64) = Duration;
            /// Adds an `any`.
            add_json(&str) = Json;
        }
    };
    ($($(#[$doc:meta])* $name:ident($ty:ty) = $variant:ident;)*) => {
        $($(#[$doc])*
        #[inline]
        pub fn $name(&mut self, value: $ty) {
            self.add(Element::$variant(value));
        })*
    };
}
pub(super) use adders;
