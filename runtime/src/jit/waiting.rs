//! Events that wait for their turn, and how events lie in memory.
#![expect(unsafe_code, reason = "compiled code reads values by address; a waiting event points into its own text")]

use varpulis_abi::jit::event;
use varpulis_abi::layout::{VALUES, WORD, value as tag};

use super::memory;
use crate::event::Event;
use crate::value::Value;

const _: () = {
    assert!(size_of::<Event<'static>>() == event::SIZE as usize);
    assert!(size_of::<Value<'static>>() == tag::SIZE as usize);
    // Where the length of a text or slice lies, and so its address, is the compiler's choice: this is what it chose.
    let text = Value::Text("12345");
    // SAFETY: the value is as large as its layout says, and its third word is a number.
    assert!(unsafe { (&raw const text).cast::<usize>().add(((tag::PAYLOAD + WORD) / WORD) as usize).read() } == 5);
    let one = Event::new(3, 4, &[Value::Null; 7]);
    // SAFETY: an event is four words, of which only that of its values' address is no number.
    unsafe {
        let words = (&raw const one).cast::<usize>();
        assert!(event::COUNT as u32 == VALUES + WORD && words.add(event::COUNT as usize / WORD as usize).read() == 7);
        assert!(words.add(event::EVENT as usize / WORD as usize).read() == 3);
    }
};

/// An event that waits for its turn, with texts of its own.
pub(super) struct Waiting {
    event: usize,
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

    /// The event, at its time.
    pub(super) fn at(&self, ts: i64) -> Event<'_> {
        Event::new(self.event, ts, &self.values)
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
        assert_eq!(waiting.at(5).ts(), 5);
    }
}
