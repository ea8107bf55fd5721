//! Records of compiled code as text and as values.
#![expect(unsafe_code, reason = "rows lie where compiled code put them, in the layout that their shape names")]

use std::sync::Arc;

use varpulis_abi::layout::{Held, Kind, Place, RecordLayout, VALUES, WORD};
use varpulis_abi::scalar::{Physical, Scalar};

use super::code::OutputCode;
use super::memory;
use crate::output::{RecordWriter, WriteRecord};
use crate::program::FieldSchema;
use crate::value::Value;

/// What a record looks like: where its fields lie and how they are written.
#[derive(Clone, Debug)]
pub struct Shape {
    /// How its text begins: `{"type":"Name"`.
    pub head: String,
    /// Where its fields lie.
    pub layout: Arc<RecordLayout>,
    /// Its fields, in the order of the layout.
    pub fields: Vec<ShapeField>,
}

/// A field of a shape.
#[derive(Clone, Debug)]
pub struct ShapeField {
    /// What it is.
    pub schema: FieldSchema,
    /// How it begins in a record's text: `,"name":`.
    pub key: String,
}

/// A row of compiled code, or an event on its way to it.
#[derive(Clone, Copy)]
pub struct JitRow<'a> {
    shape: &'a Shape,
    head: &'a str,
    /// What it is called, if it is published.
    stream: &'a str,
    /// A field in place of its time.
    shadow: Option<usize>,
    row: *const u64,
}

/// The value at a place of a row.
///
/// # Safety
/// The row is of the layout that the place belongs to, which is of that kind, and lives for `'a`.
unsafe fn value<'a>(record: *const u64, kind: Kind, place: &Place) -> Value<'a> {
    if kind == Kind::Event {
        // SAFETY: by this function's contract, the address of the event's values stands there, and the place is one of them.
        return unsafe {
            let values = record.add((VALUES / WORD) as usize).cast::<*const u8>().read();
            values.add(place.flag.unwrap_or_default() as usize).cast::<Value<'a>>().read()
        };
    }
    let Held::Scalar(Physical { scalar, .. }) = place.held else { return Value::Null };
    // SAFETY: by this function's contract; flags and values are within the record.
    unsafe {
        if place.flag.is_some_and(|flag| record.cast::<u8>().add(flag as usize).read() == 0) {
            return Value::Null;
        }
        let words = record.add((place.offset / WORD) as usize);
        let word = words.read();
        match scalar {
            Scalar::Int | Scalar::Wide => Value::Int(word.cast_signed()),
            Scalar::Float => Value::Float(f64::from_bits(word)),
            Scalar::Decimal => Value::of_decimal(i128::from(words.add(1).read().cast_signed()) << 64 | i128::from(word)),
            Scalar::Bool => Value::Bool(word & 0xff != 0),
            Scalar::Timestamp => Value::Timestamp(word.cast_signed()),
            Scalar::Duration => Value::Duration(word.cast_signed()),
            Scalar::Enum => Value::Enum(word as u32),
            Scalar::Text => Value::Text(memory::text(word, words.add(1).read())),
            Scalar::Json => Value::Json(memory::text(word, words.add(1).read())),
            Scalar::Packed => Value::Packed(memory::text(word, words.add(1).read())),
        }
    }
}

/// Writes a value to a place. A text is borrowed.
///
/// # Safety
/// The record is of the layout that the place belongs to.
#[inline(always)]
pub(super) unsafe fn put(record: *mut u64, place: &Place, value: Value<'_>) {
    // SAFETY: by this function's contract; flags and values are within the record.
    unsafe {
        if let Some(flag) = place.flag {
            record.cast::<u8>().add(flag as usize).write(u8::from(!matches!(value, Value::Null)));
        }
        let words = record.add((place.offset / WORD) as usize);
        let word = match value {
            Value::Int(v) | Value::Timestamp(v) | Value::Duration(v) => v.cast_unsigned(),
            Value::Float(v) => v.to_bits(),
            Value::Decimal(v) => {
                let v = i128::from(v);
                words.add(1).write((v >> 64) as u64);
                v as u64
            }
            Value::Bool(v) => u64::from(v),
            Value::Enum(v) => u64::from(v),
            Value::Text(text) | Value::Json(text) | Value::Packed(text) => {
                let [address, length] = memory::words(text);
                words.add(1).write(length);
                address
            }
            Value::Null => {
                if place.held.is_pair() {
                    words.add(1).write(0);
                }
                0
            }
        };
        words.write(word);
    }
}

impl<'a> JitRow<'a> {
    pub(super) fn new(shape: &'a Shape, head: &'a str, row: *const u64) -> Self {
        Self { shape, head, stream: "", shadow: None, row }
    }

    pub(super) fn published(shape: &'a Shape, output: &'a OutputCode, row: *const u64) -> Self {
        Self { shape, head: &output.head, stream: &output.name, shadow: output.shadow, row }
    }

    /// The name of its type in the output.
    pub fn stream(&self) -> &'a str {
        self.stream
    }

    /// Its time, ns since the epoch.
    pub fn ts(&self) -> i64 {
        // SAFETY: a row begins with its time, and lives as long as this value.
        unsafe { self.row.read().cast_signed() }
    }

    /// Its fields, in declared order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a FieldSchema, Value<'a>)> {
        let Self { shape, row, .. } = *self;
        // SAFETY: the row is of the shape's layout, and lives as long as this value.
        shape.fields.iter().zip(&shape.layout.places).map(move |(field, place)| (&field.schema, unsafe { value(row, shape.layout.kind, place) }))
    }

    /// The value of a field; `None` if there is none of that name.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        self.fields().find(|(field, _)| field.name == name).map(|(_, value)| value)
    }
}

impl WriteRecord for JitRow<'_> {
    fn write(&self, writer: &mut RecordWriter<'_>) {
        let fields = self.shape.fields.iter().zip(&self.shape.layout.places);
        let kind = self.shape.layout.kind;
        // A timestamp in place of the record's own time stands where that stands; any other field keeps its place.
        let shadow = self.shadow.and_then(|at| Some((at, self.shape.layout.places.get(at)?)));
        // SAFETY: the row is of the shape's layout, and lives as long as this value.
        let shadow = shadow.map(|(at, place)| (at, unsafe { value(self.row, kind, place) }, place.flag.is_some()));
        let in_head = match shadow {
            None => {
                writer.begin_with(self.head, self.ts());
                None
            }
            Some((at, Value::Timestamp(ts), false)) => {
                writer.begin_with(self.head, ts);
                Some(at)
            }
            Some(_) => {
                writer.json(self.head, "");
                None
            }
        };
        for (at, (field, place)) in fields.enumerate() {
            if Some(at) != in_head {
                // SAFETY: as above.
                write(writer, field, unsafe { value(self.row, kind, place) });
            }
        }
        writer.end();
    }
}

#[inline]
fn write(writer: &mut RecordWriter<'_>, field: &ShapeField, value: Value<'_>) {
    writer.value(&field.key, value, &field.schema);
}

/// A field of a shape.
impl ShapeField {
    /// Of what it is.
    pub fn new(schema: FieldSchema) -> Self {
        let mut key = vec![b','];
        crate::output::text::quoted(&mut key, &schema.name);
        key.push(b':');
        Self { schema, key: String::from_utf8(key).unwrap_or_default() }
    }
}
