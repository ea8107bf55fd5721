//! Events that their first fields reject, so that the rest of the record is not examined (§10).
//!
//! Decoders know no conditions, and ask for none while records fit. Where one does not, they ask, before it counts as refused, whether the
//! fields that stand before the place at fault reject it already.

use crate::output::{RecordWriter, WriteRecord};
use crate::program::EventSchema;
use crate::value::Value;

/// An event that some of its fields reject.
#[derive(Clone, Debug)]
pub struct Rejected<'a> {
    /// Its place in the program's table of events.
    pub event: usize,
    /// The event's schema.
    pub schema: &'a EventSchema,
    /// Its time, ns since the epoch.
    pub ts: i64,
    /// The fields of its schema; null where they were not read.
    pub values: Vec<Value<'a>>,
    /// Which fields were read.
    pub read: &'a [bool],
}

/// What a program says of an event (by its place in the table), the values of its fields, and which of them were read:
/// [`Program::rejects`](crate::program::Instance::rejects).
pub type Conditions<'c> = dyn Fn(usize, &[Value<'_>], &[bool]) -> bool + 'c;

/// The fields that were read; what the others hold, nobody knows.
impl WriteRecord for Rejected<'_> {
    fn write(&self, writer: &mut RecordWriter<'_>) {
        writer.begin(&format!("{{\"type\":\"{}\",\"ts\":", self.schema.name), self.ts);
        for ((field, value), _) in self.schema.fields.iter().zip(&self.values).zip(self.read).filter(|(_, read)| **read) {
            let key = format!(",\"{}\":", field.name);
            writer.value(&key, *value, field);
        }
        writer.end();
    }
}
