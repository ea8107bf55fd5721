//! Events with fields of every type, and reading whole inputs.

use varpulis_abi::scalar::{Physical, Scalar};
use varpulis_runtime::input::{DecodeOptions, Decoded, Decoder, Format, Item, Source, ValueBuffer};
use varpulis_runtime::program::{EventSchema, FieldSchema};

const fn field(name: &'static str, scalar: Scalar, nullable: bool) -> FieldSchema {
    FieldSchema::new(name, Physical { scalar, nullable }, &["Buy", "Sell"])
}

pub const EVENTS: &[EventSchema] = &[
    EventSchema::new("A", const { &[
            field("text", Scalar::Text, false),
            field("number", Scalar::Float, true),
            field("count", Scalar::Int, true),
            field("truth", Scalar::Bool, true),
            field("side", Scalar::Enum, true),
            field("any", Scalar::Json, true),
        ] }, 0),
    EventSchema::new("B", const { &[field("timestamp", Scalar::Timestamp, true), field("span", Scalar::Duration, true)] }, 0),
];

/// What every record of an input came to; read in small pieces through a small buffer.
#[allow(dead_code, reason = "not every target reads whole inputs")]
pub fn read(format: Format, bytes: &[u8]) -> Vec<String> {
    let mut source = Source::with_limits(Box::new(std::io::Cursor::new(bytes.to_vec())), format.framing(), 16, 256);
    let mut decoder = Decoder::new(format, EVENTS, &DecodeOptions::default());
    let mut buffer = ValueBuffer::default();
    let mut found = Vec::new();
    loop {
        while let Some(item) = source.buffered() {
            match item {
                Item::Record(_, record) => {
                    let mut values = buffer.take();
                    let decoded = decoder.decode(record, &mut values);
                    if let Decoded::Event { event, .. } = decoded {
                        assert_eq!(values.len(), EVENTS[event].fields.len());
                    }
                    found.push(format!("{decoded:?} {values:?}"));
                    buffer.give_back(values);
                }
                refused @ Item::Refused(..) => found.push(format!("{refused:?}")),
            }
        }
        if !source.refill().expect("memory is readable") {
            return found;
        }
    }
}
