//! The row that an event is decoded into.

use varpulis_abi::layout::{Held, RecordLayout, WORD};

use super::memory;
use crate::value::Value;

/// A row, and where its fields lie in it. Texts are borrowed from the values that it was last filled with.
pub(super) struct EventRow {
    words: Vec<u64>,
    fields: Vec<Field>,
}

/// A field, in few bytes: events are filled by the million.
#[derive(Clone, Copy)]
struct Field {
    /// Which word.
    at: u32,
    /// Which byte says whether there is a value; 0, where time lies, for none.
    flag: u32,
    is_text: bool,
}

impl EventRow {
    pub(super) fn new(layout: &RecordLayout) -> Self {
        let field = |place: &varpulis_abi::layout::Place| Field {
            at: place.offset / WORD,
            flag: place.flag.unwrap_or(0),
            is_text: matches!(place.held, Held::Scalar(_)) && place.held.is_text(),
        };
        Self { words: vec![0; layout.words().max(1)], fields: layout.places.iter().map(field).collect() }
    }

    /// Takes a time and one value a field; false if their number is another.
    #[inline]
    pub(super) fn fill(&mut self, ts: i64, values: &[Value<'_>]) -> bool {
        if values.len() != self.fields.len() {
            return false;
        }
        if let Some(first) = self.words.first_mut() {
            *first = ts.cast_unsigned();
        }
        let Self { words, fields } = self;
        for (field, value) in fields.iter().zip(values) {
            let at = field.at as usize;
            let mut there = true;
            if field.is_text {
                // A null has no stale address beside it: what waits for its turn copies every text.
                let text = match *value {
                    Value::Text(text) | Value::Json(text) => memory::words(text),
                    _ => {
                        there = false;
                        [0, 0]
                    }
                };
                if let Some(place) = words.get_mut(at..at + 2) {
                    place.copy_from_slice(&text);
                }
            } else if let Some(place) = words.get_mut(at) {
                *place = match *value {
                    Value::Int(v) | Value::Timestamp(v) | Value::Duration(v) => v.cast_unsigned(),
                    Value::Float(v) => v.to_bits(),
                    Value::Bool(v) => u64::from(v),
                    Value::Enum(v) => u64::from(v),
                    Value::Null | Value::Text(_) | Value::Json(_) => {
                        there = false;
                        0
                    }
                };
            }
            if field.flag != 0 {
                set_flag(words, field.flag, there);
            }
        }
        true
    }

    pub(super) fn address(&self) -> *const u64 {
        self.words.as_ptr()
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }
}

#[inline(always)]
fn set_flag(words: &mut [u64], flag: u32, there: bool) {
    if let Some(word) = words.get_mut((flag / WORD) as usize) {
        let mut bytes = word.to_ne_bytes();
        if let Some(byte) = bytes.get_mut((flag % WORD) as usize) {
            *byte = u8::from(there);
        }
        *word = u64::from_ne_bytes(bytes);
    }
}
