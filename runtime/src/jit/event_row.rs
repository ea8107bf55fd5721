//! Events as compiled code reads them: where the decoder, or whoever pushes them, left their values.
#![expect(unsafe_code, reason = "compiled code reads values by address; a waiting event points into its own text")]

use std::marker::PhantomData;

use varpulis_abi::layout::{VALUES, WORD, value as tag};

use super::memory;
use crate::value::Value;

/// The row of an event: its time, and where its values lie. The layout of its record says so too.
#[repr(C)]
pub(super) struct EventRow<'a> {
    ts: i64,
    values: *const Value<'a>,
    lives: PhantomData<&'a [Value<'a>]>,
}

const _: () = {
    assert!(std::mem::offset_of!(EventRow<'static>, ts) == 0);
    assert!(std::mem::offset_of!(EventRow<'static>, values) == VALUES as usize);
    assert!(size_of::<Value<'static>>() == tag::SIZE as usize);
    // Where a text's length lies, and so its address, is the compiler's choice: this is what it chose.
    let text = Value::Text("12345");
    // SAFETY: the value is as large as its layout says, and its third word is a number.
    assert!(unsafe { (&raw const text).cast::<usize>().add(((tag::PAYLOAD + WORD) / WORD) as usize).read() } == 5);
};

impl<'a> EventRow<'a> {
    #[inline(always)]
    pub(super) fn new(ts: i64, values: &'a [Value<'a>]) -> Self {
        Self { ts, values: values.as_ptr(), lives: PhantomData }
    }

    #[inline(always)]
    pub(super) fn address(&self) -> *const u64 {
        std::ptr::from_ref(self).cast()
    }
}

/// An event that waits for its turn, with texts of its own.
pub(super) struct Waiting {
    pub(super) event: usize,
    /// They point into the text.
    values: Box<[Value<'static>]>,
    _text: Box<str>,
}

impl Waiting {
    pub(super) fn new(event: usize, values: &[Value<'_>]) -> Self {
        let mut text = String::new();
        for value in values {
            if let Value::Text(part) | Value::Json(part) | Value::Packed(part) = value {
                text.push_str(part);
            }
        }
        let text = text.into_boxed_str();
        let mut address = text.as_ptr().expose_provenance() as u64;
        let mut kept = |part: &str| {
            // SAFETY: the text was put together from the same parts, in the same order, and lives as long as what points into it.
            let kept: &'static str = unsafe { memory::text(address, part.len() as u64) };
            address += part.len() as u64;
            kept
        };
        let values = values.iter().map(|value| value.with_text(&mut kept)).collect();
        Self { event, values, _text: text }
    }

    /// Its row, at its time.
    pub(super) fn row(&self, ts: i64) -> EventRow<'_> {
        EventRow::new(ts, &self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_owns_its_texts() {
        let (first, second) = ("first".to_owned(), "{\"a\":1}".to_owned());
        let waiting = Waiting::new(3, &[Value::Text(&first), Value::Null, Value::Json(&second), Value::Int(7), Value::Text("")]);
        drop((first, second));
        assert_eq!(*waiting.values, [Value::Text("first"), Value::Null, Value::Json("{\"a\":1}"), Value::Int(7), Value::Text("")]);
        assert_eq!(waiting.row(5).ts, 5);
    }
}
