//! Ingestion: records out of bytes, events out of records.
//!
//! A [`Source`] cuts a byte stream into records and knows where each stands; a [`Decoder`] turns a record into an event of the program's
//! [`EventSchema`] tables. Both are compiled once, with the runtime: no program has its own decoder. Memory is bounded by the longest record.

mod canonical;
mod convert;
mod csv;
mod evt;
mod framing;
mod json;
#[cfg(feature = "standalone")]
mod live;
mod merge;
mod ndjson;
mod nested;
mod rejected;
mod schema;
mod slots;
mod source;
mod time;

pub use csv::Csv;
pub use evt::Evt;
pub(crate) use json::json_part;
pub use json::unescape;
#[cfg(feature = "standalone")]
pub(crate) use live::{Arrivals, LiveReader};
#[cfg(feature = "standalone")]
pub(crate) use merge::refused;
pub use merge::{Feed, Head, Merge, Refusals};
pub use ndjson::Ndjson;
pub(crate) use nested::nested_text;
pub use rejected::{Conditions, Rejected};
pub use schema::{DecodeOptions, TimeUnit};
pub use slots::{Held, ValueBuffer};
pub use source::{Framing, Item, Position, Source};

use varpulis_abi::reason::Reason;

use crate::program::{EventSchema, Name};
use crate::value::Value;

/// What a record turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// An event; its values were written to the buffer given.
    Event {
        /// Its place in the program's table of events.
        event: usize,
        /// Its time, ns since the epoch.
        ts: i64,
    },
    /// An event of a type that the program does not read.
    Skipped,
    /// Not a record, but something that the format puts between records: a header, a comment.
    Nothing,
    /// It does not fit.
    Invalid(Invalid),
}

/// Why a record is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Why.
    pub reason: Reason,
    /// The field at fault, if it is one of the program's.
    pub field: Option<Name>,
    /// Where in the record, in bytes.
    pub offset: usize,
}

impl Invalid {
    /// A refusal at a place in the record.
    #[cold]
    pub(crate) fn at(reason: Reason, offset: usize) -> Self {
        Self { reason, field: None, offset }
    }

    /// The same, of a field.
    #[cold]
    pub(crate) fn of(self, field: impl Into<Name>) -> Self {
        Self { field: Some(field.into()), ..self }
    }
}

/// The input formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "standalone", derive(clap::ValueEnum))]
pub enum Format {
    /// One JSON object per line.
    Ndjson,
    /// A JSON array of objects, or objects one after the other.
    Json,
    /// RFC 4180, with a header.
    Csv,
    /// `@time Name { field: value }`.
    Evt,
}

impl Format {
    /// By a file's extension, below `.gz`.
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.strip_suffix(".gz").unwrap_or(name);
        match name.rsplit_once('.')?.1.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "json" => Some(Self::Json),
            "csv" => Some(Self::Csv),
            "evt" => Some(Self::Evt),
            _ => None,
        }
    }

    /// How its records are told apart.
    pub fn framing(self) -> Framing {
        match self {
            Self::Ndjson | Self::Evt => Framing::Lines,
            Self::Json => Framing::JsonValues,
            Self::Csv => Framing::CsvRecords,
        }
    }
}

/// Turns the records of one input into events.
pub enum Decoder {
    /// NDJSON, and the elements of JSON arrays.
    Json(Box<Ndjson>),
    /// CSV.
    Csv(Box<Csv>),
    /// `.evt` text.
    Evt(Box<Evt>),
}

impl Decoder {
    /// A decoder of a format for a program's events.
    pub fn new(format: Format, events: &[EventSchema], options: &DecodeOptions) -> Self {
        match format {
            Format::Ndjson | Format::Json => Self::Json(Box::new(Ndjson::new(events, options))),
            Format::Csv => Self::Csv(Box::new(Csv::new(events, options))),
            Format::Evt => Self::Evt(Box::new(Evt::new(events, options))),
        }
    }

    /// Decodes one record; if it is an event, `values` becomes the fields of its schema, in the schema's order.
    #[inline]
    pub fn decode<'a>(&'a mut self, record: &'a [u8], values: &mut Vec<Value<'a>>) -> Decoded {
        match self {
            Self::Json(decoder) => decoder.decode(record, values),
            Self::Csv(decoder) => decoder.decode(record, values),
            Self::Evt(decoder) => decoder.decode(record, values),
        }
    }

    /// What becomes of a record just found to be [invalid](Decoded::Invalid): an event after all, if the fields before the place at fault
    /// reject it, whatever follows them.
    #[cold]
    pub fn rejected<'a>(&'a mut self, record: &'a [u8], conditions: &Conditions<'_>) -> Option<Rejected<'a>> {
        match self {
            Self::Json(decoder) => decoder.rejected(record, conditions),
            Self::Csv(decoder) => decoder.rejected(record, conditions),
            Self::Evt(decoder) => decoder.rejected(record, conditions),
        }
    }
}
