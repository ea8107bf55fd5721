//! Values whose texts stand in a scratch buffer, and the reuse of value buffers across records.

use crate::value::Value;

/// A buffer of values whose allocation outlives the records that its values borrow from.
#[derive(Default)]
pub struct ValueBuffer(Vec<Value<'static>>);

impl ValueBuffer {
    /// The empty buffer, for one record.
    #[inline]
    pub fn take<'a>(&mut self) -> Vec<Value<'a>> {
        std::mem::take(&mut self.0)
    }

    /// Gives it back for the next one.
    #[inline]
    pub fn give_back(&mut self, mut values: Vec<Value<'_>>) {
        values.clear();
        // An empty vector of one lifetime collects into an empty vector of another in place.
        self.0 = values.into_iter().map(|_| Value::Null).collect();
    }
}

/// One value, as a place.
#[derive(Clone, Copy, Debug)]
enum Slot {
    Plain(Value<'static>),
    Text { start: usize, end: usize },
    Json { start: usize, end: usize },
    Packed { start: usize, end: usize },
}

/// Values that own their texts: what a decoder unescapes into, and what waits while several inputs are merged. Reused without allocation.
#[derive(Default, Debug)]
pub struct Held {
    slots: Vec<Slot>,
    text: String,
}

impl Held {
    /// As many nulls.
    pub(crate) fn reset(&mut self, fields: usize) {
        self.text.clear();
        self.slots.clear();
        self.slots.resize(fields, Slot::Plain(Value::Null));
    }

    /// Copies a value into a place.
    pub(crate) fn set(&mut self, index: usize, value: Value<'_>) {
        let slot = match value {
            Value::Text(text) => self.append(text, |start, end| Slot::Text { start, end }),
            Value::Json(text) => self.append(text, |start, end| Slot::Json { start, end }),
            Value::Packed(text) => self.append(text, |start, end| Slot::Packed { start, end }),
            Value::Null => Slot::Plain(Value::Null),
            Value::Int(v) => Slot::Plain(Value::Int(v)),
            Value::Float(v) => Slot::Plain(Value::Float(v)),
            Value::Decimal(v) => Slot::Plain(Value::Decimal(v)),
            Value::Bool(v) => Slot::Plain(Value::Bool(v)),
            Value::Timestamp(v) => Slot::Plain(Value::Timestamp(v)),
            Value::Duration(v) => Slot::Plain(Value::Duration(v)),
            Value::Enum(v) => Slot::Plain(Value::Enum(v)),
        };
        if let Some(place) = self.slots.get_mut(index) {
            *place = slot;
        }
    }

    fn append(&mut self, text: &str, slot: fn(usize, usize) -> Slot) -> Slot {
        let start = self.text.len();
        self.text.push_str(text);
        slot(start, self.text.len())
    }

    /// Holds the values of a record.
    pub fn hold(&mut self, values: &[Value<'_>]) {
        self.reset(values.len());
        for (index, value) in values.iter().enumerate() {
            self.set(index, *value);
        }
    }

    /// Fills `values` with what is held.
    pub fn fill<'a>(&'a self, values: &mut Vec<Value<'a>>) {
        values.clear();
        values.extend(self.slots.iter().map(|slot| match *slot {
            Slot::Plain(value) => value,
            Slot::Text { start, end } => Value::Text(self.text.get(start..end).unwrap_or_default()),
            Slot::Json { start, end } => Value::Json(self.text.get(start..end).unwrap_or_default()),
            Slot::Packed { start, end } => Value::Packed(self.text.get(start..end).unwrap_or_default()),
        }));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::program::{EventSchema, FieldSchema};
    use varpulis_abi::scalar::{Physical, Scalar};

    const fn field(name: &'static str, scalar: Scalar, nullable: bool) -> FieldSchema {
        FieldSchema::new(name, Physical { scalar, nullable }, &["Buy", "Sell"])
    }

    /// An event with a field of every type; only the text must be there.
    const EVERY: EventSchema = EventSchema::new(
        "Every",
        const {
            &[
                field("text", Scalar::Text, false),
                field("number", Scalar::Float, true),
                field("count", Scalar::Int, true),
                field("truth", Scalar::Bool, true),
                field("side", Scalar::Enum, true),
                field("at", Scalar::Timestamp, true),
                field("span", Scalar::Duration, true),
                field("any", Scalar::Json, true),
            ]
        },
        0,
    );
    pub(crate) const ONE: &[EventSchema] = &[EVERY];
    pub(crate) const EVENTS: &[EventSchema] = &[EVERY, EventSchema::new("Bare", const { &[] }, 0)];

    #[test]
    fn a_value_buffer_keeps_its_allocation() {
        let mut buffer = ValueBuffer::default();
        let mut values = buffer.take();
        values.resize(40, Value::Int(1));
        let place = values.as_ptr().addr();
        buffer.give_back(values);
        let values = buffer.take();
        assert_eq!((values.as_ptr().addr(), values.len()), (place, 0));
        assert!(values.capacity() >= 40);
    }

    #[test]
    fn held_values_are_the_ones_given() {
        let given = [Value::Text("a"), Value::Null, Value::Json("[1]"), Value::Float(0.5), Value::Enum(3), Value::Bool(true), Value::Int(-1)];
        let mut held = Held::default();
        held.hold(&[Value::Text("before")]);
        held.hold(&given);
        let mut values = Vec::new();
        held.fill(&mut values);
        assert_eq!(values, given);
    }
}
