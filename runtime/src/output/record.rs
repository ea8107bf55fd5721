//! Records as NDJSON text.

use varpulis_abi::packed::{Cell, Packed};

use super::text;
use crate::program::{FieldSchema, Form};
use crate::value::Value;
use varpulis_abi::number::write_decimal;

/// A record that can write itself: `type`, `ts`, then its fields in declared order.
pub trait WriteRecord {
    /// Appends the record as one JSON object, without a line end.
    fn write(&self, writer: &mut RecordWriter<'_>);
}

/// A record as its text.
pub(crate) fn text_of(record: &dyn WriteRecord) -> String {
    let mut buffer = vec![];
    record.write(&mut RecordWriter::new(&mut buffer));
    String::from_utf8(buffer).unwrap_or_default()
}

/// Appends one JSON object to a buffer.
///
/// Generated code calls `begin`, then one method per field, then `end`. `key` parameters are the text `,"name":`, made at compile time.
pub struct RecordWriter<'b> {
    buffer: &'b mut Vec<u8>,
}

macro_rules! optional {
    ($($(#[$doc:meta])* $name:ident = $plain:ident($ty:ty);)*) => {
        $($(#[$doc])*
        #[inline]
        pub fn $name(&mut self, key: &str, value: Option<$ty>) {
            match value {
                Some(value) => self.$plain(key, value),
                None => self.null(key),
            }
        })*
    };
}

impl<'b> RecordWriter<'b> {
    /// Writes to the end of `buffer`.
    pub fn new(buffer: &'b mut Vec<u8>) -> Self {
        Self { buffer }
    }

    /// `{"type":"Name","ts":` and the milliseconds (rounded down). `head` is `{"type":"Name","ts":`, made at compile time.
    #[inline]
    pub fn begin(&mut self, head: &str, ts: i64) {
        self.buffer.extend_from_slice(head.as_bytes());
        self.integer(ts.div_euclid(1_000_000));
    }

    /// The same with a head that ends behind the name: `{"type":"Name"`.
    #[cfg(feature = "jit")]
    #[inline]
    pub(crate) fn begin_with(&mut self, head: &str, ts: i64) {
        self.buffer.extend_from_slice(head.as_bytes());
        self.begin(",\"ts\":", ts);
    }

    /// An `int`.
    #[inline]
    pub fn int(&mut self, key: &str, value: i64) {
        self.key(key);
        self.integer(value);
    }

    /// A `float`: the shortest text that reads back to the same number; null if it is not finite.
    #[inline]
    pub fn float(&mut self, key: &str, value: f64) {
        self.key(key);
        if value.is_finite() {
            self.buffer.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
        } else {
            self.buffer.extend_from_slice(b"null");
        }
    }

    /// A `decimal`, with all of its decimals, so many.
    #[inline]
    pub fn decimal(&mut self, key: &str, value: i128, scale: u8) {
        self.key(key);
        write_decimal(self.buffer, value, scale);
    }

    /// A `decimal?`.
    #[inline]
    pub fn optional_decimal(&mut self, key: &str, value: Option<i128>, scale: u8) {
        match value {
            Some(value) => self.decimal(key, value, scale),
            None => self.null(key),
        }
    }

    /// A `bool`.
    #[inline]
    pub fn boolean(&mut self, key: &str, value: bool) {
        self.key(key);
        self.buffer.extend_from_slice(if value { b"true" } else { b"false" });
    }

    /// A `str`.
    #[inline]
    pub fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        text::quoted(self.buffer, value);
    }

    /// A `timestamp`, as milliseconds since the epoch, rounded down.
    #[inline]
    pub fn timestamp(&mut self, key: &str, value: i64) {
        self.key(key);
        self.integer(value.div_euclid(1_000_000));
    }

    /// A `duration`, in milliseconds; what is below one follows as decimals.
    #[inline]
    pub fn duration(&mut self, key: &str, value: i64) {
        self.key(key);
        if value % 1_000_000 == 0 {
            self.integer(value / 1_000_000);
        } else {
            self.fraction(value);
        }
    }

    /// An enum's variant, by its name, which is an identifier.
    #[inline]
    pub fn variant(&mut self, key: &str, name: &str) {
        self.key(key);
        self.buffer.push(b'"');
        self.buffer.extend_from_slice(name.as_bytes());
        self.buffer.push(b'"');
    }

    /// An `any`: one valid JSON value, as it stood in the input. Line ends between its tokens are dropped.
    #[inline]
    pub fn json(&mut self, key: &str, raw: &str) {
        self.key(key);
        if memchr::memchr2(b'\n', b'\r', raw.as_bytes()).is_none() {
            self.buffer.extend_from_slice(raw.as_bytes());
        } else {
            self.buffer.extend(raw.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r')));
        }
    }

    /// Null.
    #[inline]
    pub fn null(&mut self, key: &str) {
        self.key(key);
        self.buffer.extend_from_slice(b"null");
    }

    optional! {
        /// An `int?`.
        optional_int = int(i64);
        /// A `float?`.
        optional_float = float(f64);
        /// A `bool?`.
        optional_boolean = boolean(bool);
        /// A `str?`.
        optional_text = text(&str);
        /// A `timestamp?`.
        optional_timestamp = timestamp(i64);
        /// A `duration?`.
        optional_duration = duration(i64);
        /// An enum's variant or null.
        optional_variant = variant(&str);
        /// An `any?`.
        optional_json = json(&str);
    }

    /// A value of the field's type, with the field's key.
    #[inline]
    pub fn value(&mut self, key: &str, value: Value<'_>, field: &FieldSchema) {
        match value {
            Value::Null => self.null(key),
            Value::Int(v) => self.int(key, v),
            Value::Float(v) => self.float(key, v),
            Value::Decimal(v) => self.decimal(key, v.into(), field.decimal.1),
            Value::Bool(v) => self.boolean(key, v),
            Value::Text(v) => self.text(key, v),
            Value::Timestamp(v) => self.timestamp(key, v),
            Value::Duration(v) => self.duration(key, v),
            Value::Enum(v) => self.variant(key, field.variants.get(v as usize).unwrap_or("?")),
            Value::Json(v) => self.json(key, v),
            Value::Packed(v) => self.packed(key, v, field),
        }
    }

    /// An array or tuple as an array; a record, or a map by the texts of its keys, as an object.
    pub fn packed(&mut self, key: &str, value: &str, field: &FieldSchema) {
        self.key(key);
        let parts = Packed(value).cells();
        match field.form {
            Form::Plain => self.null(""),
            Form::Array => self.list(parts.zip(field.parts.iter().cycle())),
            Form::Tuple => self.list(parts.zip(field.parts.iter())),
            Form::Record => {
                self.buffer.push(b'{');
                for (at, (part, schema)) in parts.zip(field.parts.iter()).enumerate() {
                    if at > 0 {
                        self.buffer.push(b',');
                    }
                    text::quoted(self.buffer, &schema.name);
                    self.value(":", part.into(), schema);
                }
                self.buffer.push(b'}');
            }
            Form::Map => self.map(Packed(value), &field.parts),
        }
    }

    /// A packed value of the field's type, or null.
    #[inline]
    pub fn optional_packed(&mut self, key: &str, value: Option<&str>, field: &FieldSchema) {
        match value {
            Some(value) => self.packed(key, value, field),
            None => self.null(key),
        }
    }

    fn list<'c>(&mut self, parts: impl Iterator<Item = (Cell<'c>, &'c FieldSchema)>) {
        self.buffer.push(b'[');
        for (at, (part, schema)) in parts.enumerate() {
            self.value(if at == 0 { "" } else { "," }, part.into(), schema);
        }
        self.buffer.push(b']');
    }

    fn map(&mut self, value: Packed<'_>, parts: &[FieldSchema]) {
        self.buffer.push(b'{');
        if let [key_schema, value_schema] = parts {
            for at in (0..value.len()).step_by(2) {
                if at > 0 {
                    self.buffer.push(b',');
                }
                let start = self.buffer.len();
                self.value("", value.cell(at).into(), key_schema);
                // What is not a text yet becomes one: an object's keys are texts.
                if self.buffer.get(start) != Some(&b'"') {
                    self.buffer.insert(start, b'"');
                    self.buffer.push(b'"');
                }
                self.value(":", value.cell(at + 1).into(), value_schema);
            }
        }
        self.buffer.push(b'}');
    }

    /// The end of the object.
    #[inline]
    pub fn end(&mut self) {
        self.buffer.push(b'}');
    }

    #[inline]
    fn key(&mut self, key: &str) {
        self.buffer.extend_from_slice(key.as_bytes());
    }

    #[inline]
    fn integer(&mut self, value: i64) {
        self.buffer.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
    }

    /// Nanoseconds as milliseconds with up to six decimals.
    #[cold]
    fn fraction(&mut self, nanoseconds: i64) {
        if nanoseconds < 0 {
            self.buffer.push(b'-');
        }
        let magnitude = nanoseconds.unsigned_abs();
        self.buffer.extend_from_slice(itoa::Buffer::new().format(magnitude / 1_000_000).as_bytes());
        let decimals = format!(".{:06}", magnitude % 1_000_000);
        self.buffer.extend_from_slice(decimals.trim_end_matches('0').as_bytes());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use proptest::prelude::*;

    fn written(write: impl FnOnce(&mut RecordWriter<'_>)) -> String {
        let mut buffer = Vec::new();
        let mut writer = RecordWriter::new(&mut buffer);
        writer.begin(r#"{"type":"T","ts":"#, -1);
        write(&mut writer);
        writer.end();
        String::from_utf8(buffer).unwrap()
    }

    #[test]
    fn every_scalar_is_written_as_the_language_says() {
        let text = written(|w| {
            w.int(r#","i":"#, i64::MIN);
            w.float(r#","f":"#, 1.0);
            w.float(r#","nan":"#, f64::NAN);
            w.optional_float(r#","inf":"#, Some(f64::INFINITY));
            w.boolean(r#","b":"#, true);
            w.text(r#","s":"#, "a\"\\\n\u{1}\u{1f}é");
            w.timestamp(r#","t":"#, -1_500_000);
            w.duration(r#","d":"#, 5_000_000);
            w.duration(r#","e":"#, -1_500_010);
            w.variant(r#","v":"#, "Buy");
            w.json(r#","j":"#, "{\"a\":\n1}");
            w.optional_int(r#","n":"#, None);
        });
        let expected = concat!(
            r#"{"type":"T","ts":-1,"i":-9223372036854775808,"f":1.0,"nan":null,"inf":null,"b":true,"#,
            r#""s":"a\"\\\n\u0001\u001fé","t":-2,"d":5,"e":-1.50001,"v":"Buy","j":{"a":1},"n":null}"#
        );
        assert_eq!(text, expected);
        serde_json::from_str::<serde_json::Value>(&text).unwrap();
    }

    proptest! {
        #[test]
        fn texts_and_floats_read_back(text in any::<String>(), number in any::<f64>()) {
            let written = written(|w| { w.text(r#","s":"#, &text); w.float(r#","f":"#, number); });
            let read: serde_json::Value = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read["s"].as_str().unwrap(), text);
            let float = written.rsplit(':').next().unwrap().trim_end_matches('}');
            if number.is_finite() { prop_assert_eq!(float.parse::<f64>().unwrap().to_bits(), number.to_bits()); }
        }
    }
}
