//! CSV records as events: RFC 4180, with a header whose names are the fields' names.
//!
//! A column `type` (or `event_type`) names the event, unless the program reads just one. An empty cell without quotes is null.

use std::borrow::Cow;

use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;

use super::canonical::canonical;
use super::convert::{from_null, from_number, from_text, number, span};
use super::json::malformed;
use super::nested::nested_text;
use super::schema::{Catalogue, DecodeOptions, EventKeys, TIME, TYPE_KEYS, TimeRole};
use super::slots::Held;
use super::time::{event_time, event_time_of_text};
use super::{Conditions, Decoded, Invalid, Rejected};
use crate::output::text::quoted;
use crate::program::{EventSchema, FieldSchema};
use crate::value::Value;

/// The decoder of CSV records; the first one is the header.
pub struct Csv {
    catalogue: Catalogue,
    header: Option<Header>,
    cells: Vec<Cell>,
    held: Held,
    /// Of a record that was refused: the fields that stand before the place at fault.
    before: Vec<bool>,
}

/// A cell's place, without its quotes.
#[derive(Clone, Copy, Debug)]
struct Cell {
    start: usize,
    end: usize,
    quoted: bool,
    /// Whether quotes in it are doubled.
    doubled: bool,
}

struct Header {
    columns: usize,
    name: Option<usize>,
    events: Vec<Columns>,
}

/// Where an event's fields stand.
struct Columns {
    time: Option<usize>,
    fallback: Option<usize>,
    fields: Vec<Option<usize>>,
}

impl Csv {
    /// A decoder of a program's events.
    pub fn new(events: &[EventSchema], options: &DecodeOptions) -> Self {
        Self { catalogue: Catalogue::new(events, options), header: None, cells: Vec::new(), held: Held::default(), before: Vec::new() }
    }

    /// Decodes one record.
    pub fn decode<'a>(&'a mut self, record: &'a [u8], values: &mut Vec<Value<'a>>) -> Decoded {
        match self.read(record) {
            Ok(Some(Decoded::Event { event, ts })) => {
                self.held.fill(values);
                Decoded::Event { event, ts }
            }
            Ok(Some(other)) => other,
            Ok(None) => Decoded::Nothing,
            Err(invalid) => Decoded::Invalid(invalid),
        }
    }

    /// `None` if the record was the header.
    fn read(&mut self, record: &[u8]) -> Result<Option<Decoded>, Invalid> {
        split(record, &mut self.cells)?;
        let Some(header) = &self.header else {
            self.header = Some(Header::new(record, &self.cells, &self.catalogue)?);
            return Ok(None);
        };
        if self.cells.len() != header.columns {
            return Err(malformed(record.len()));
        }
        let Some(event) = header.event(record, &self.cells, &self.catalogue)? else { return Ok(Some(Decoded::Skipped)) };
        let (Some(columns), Some(keys)) = (header.events.get(event), self.catalogue.events.get(event)) else { return Ok(None) };
        let ts = columns.ts(record, &self.cells, self.catalogue.time_power)?;
        self.held.reset(keys.schema.fields.len());
        for (index, (schema, column)) in keys.schema.fields.iter().zip(&columns.fields).enumerate() {
            let cell = column.and_then(|column| self.cells.get(column));
            field(record, cell, index, schema, &mut self.held)?;
        }
        Ok(Some(Decoded::Event { event, ts }))
    }

    /// What becomes of a record that was just found to be invalid: an event after all, if the fields before the place at fault reject it.
    /// Fields come in the order of the columns.
    pub fn rejected<'a>(&'a mut self, record: &'a [u8], conditions: &Conditions<'_>) -> Option<Rejected<'a>> {
        if self.catalogue.strict || split(record, &mut self.cells).is_err() {
            return None;
        }
        let header = self.header.as_ref().filter(|header| header.columns == self.cells.len())?;
        let event = header.event(record, &self.cells, &self.catalogue).ok()??;
        let (columns, keys) = (header.events.get(event)?, self.catalogue.events.get(event)?);
        let ts = columns.ts(record, &self.cells, self.catalogue.time_power).ok()?;
        self.held.reset(keys.schema.fields.len());
        self.before.clear();
        self.before.resize(keys.schema.fields.len(), false);
        let mut order: Vec<(usize, usize)> = columns.fields.iter().enumerate().filter_map(|(index, column)| Some(((*column)?, index))).collect();
        order.sort_unstable();
        for (column, index) in order {
            let (schema, before) = (keys.schema.fields.get(index)?, self.before.get_mut(index)?);
            if field(record, self.cells.get(column), index, schema, &mut self.held).is_err() {
                break;
            }
            *before = true;
        }
        let mut values = Vec::new();
        self.held.fill(&mut values);
        conditions(event, &values, &self.before).then(|| Rejected { event, schema: &keys.schema, ts, values, read: &self.before })
    }
}

/// Reads the cell of a field into its place; without one it is null.
fn field(record: &[u8], cell: Option<&Cell>, index: usize, schema: &FieldSchema, held: &mut Held) -> Result<(), Invalid> {
    match cell.filter(|cell| !cell.is_null()) {
        None => {
            let offset = cell.map_or(record.len(), |cell| cell.start);
            from_null(schema, &mut Value::Null).map_err(|reason| Invalid::at(reason, offset).of(schema.name.clone()))
        }
        Some(cell) => {
            let text = cell.text(record).map_err(|e| e.of(schema.name.clone()))?;
            set(held, index, schema, &text, cell.quoted).map_err(|reason| Invalid::at(reason, cell.start).of(schema.name.clone()))
        }
    }
}

impl Header {
    fn new(record: &[u8], cells: &[Cell], catalogue: &Catalogue) -> Result<Self, Invalid> {
        let names: Vec<Cow<'_, str>> = cells.iter().map(|cell| cell.text(record)).collect::<Result<_, _>>()?;
        let name = names.iter().position(|name| TYPE_KEYS.contains(&name.trim().as_bytes()));
        let events = catalogue.events.iter().map(|keys| Columns::new(&names, keys)).collect();
        Ok(Self { columns: cells.len(), name, events })
    }

    /// The event of a record; `None` if the program does not read it.
    fn event(&self, record: &[u8], cells: &[Cell], catalogue: &Catalogue) -> Result<Option<usize>, Invalid> {
        match self.name.and_then(|column| cells.get(column)).filter(|cell| !cell.is_null()) {
            Some(cell) => Ok(catalogue.event_named(cell.text(record)?.as_bytes())),
            None => catalogue.only.map(Some).ok_or_else(|| Invalid::at(Reason::NoType, 0)),
        }
    }
}

impl Columns {
    fn new(names: &[Cow<'_, str>], keys: &EventKeys) -> Self {
        let mut columns = Self { time: None, fallback: None, fields: vec![None; keys.schema.fields.len()] };
        for (column, name) in names.iter().enumerate() {
            let role = keys.role(name.trim().as_bytes());
            // Of a repeated name the first column counts.
            match role.time {
                TimeRole::Time => columns.time = columns.time.or(Some(column)),
                TimeRole::Fallback => columns.fallback = columns.fallback.or(Some(column)),
                TimeRole::None => {}
            }
            if let Some(place) = role.field.and_then(|field| columns.fields.get_mut(field)) {
                *place = place.or(Some(column));
            }
        }
        columns
    }

    /// The time of a record.
    fn ts(&self, record: &[u8], cells: &[Cell], power: i32) -> Result<i64, Invalid> {
        let cell = |column: Option<usize>| column.and_then(|column| cells.get(column)).filter(|cell| !cell.is_null());
        let time = cell(self.time).or_else(|| cell(self.fallback));
        let time = time.ok_or_else(|| Invalid::at(Reason::NoTimestamp, record.len()).of(TIME))?;
        time_of(&time.text(record)?, power).map_err(|reason| Invalid::at(reason, time.start).of(TIME))
    }
}

impl Cell {
    fn is_null(&self) -> bool {
        !self.quoted && self.start == self.end
    }

    fn text<'a>(&self, record: &'a [u8]) -> Result<Cow<'a, str>, Invalid> {
        let bytes = span(record, self.start, self.end);
        let text = std::str::from_utf8(bytes).map_err(|error| Invalid::at(Reason::InvalidUtf8, self.start + error.valid_up_to()))?;
        Ok(if self.doubled { Cow::Owned(text.replace("\"\"", "\"")) } else { Cow::Borrowed(text) })
    }
}

/// Splits a record into cells.
fn split(record: &[u8], cells: &mut Vec<Cell>) -> Result<(), Invalid> {
    cells.clear();
    let mut at = 0;
    loop {
        let cell = if record.get(at) == Some(&b'"') { quoted_cell(record, at + 1)? } else { plain_cell(record, at) };
        let behind = cell.end + usize::from(cell.quoted);
        cells.push(cell);
        match record.get(behind) {
            None => return Ok(()),
            Some(b',') => at = behind + 1,
            Some(_) => return Err(malformed(behind)),
        }
    }
}

fn plain_cell(record: &[u8], start: usize) -> Cell {
    let rest = record.get(start..).unwrap_or_default();
    let end = memchr::memchr(b',', rest).map_or(record.len(), |found| start + found);
    Cell { start, end, quoted: false, doubled: false }
}

fn quoted_cell(record: &[u8], start: usize) -> Result<Cell, Invalid> {
    let mut at = start;
    let mut doubled = false;
    loop {
        let rest = record.get(at..).unwrap_or_default();
        let end = at + memchr::memchr(b'"', rest).ok_or_else(|| malformed(record.len()))?;
        if record.get(end + 1) != Some(&b'"') {
            return Ok(Cell { start, end, quoted: true, doubled });
        }
        doubled = true;
        at = end + 2;
    }
}

/// The whole text as a number.
fn whole_number(text: &str) -> Option<super::convert::Number> {
    number(text.as_bytes(), 0).ok().filter(|number| number.end == text.len())
}

fn time_of(text: &str, power: i32) -> Result<i64, Reason> {
    let text = text.trim();
    match whole_number(text) {
        Some(number) => number.scaled(text.as_bytes(), power).and_then(event_time),
        None => event_time_of_text(text),
    }
}

/// Puts a cell's value into its place.
fn set(held: &mut Held, index: usize, schema: &FieldSchema, text: &str, is_quoted: bool) -> Result<(), Reason> {
    let bare = text.trim();
    let mut value = Value::Null;
    let mut json = Vec::new();
    match schema.ty.scalar {
        Scalar::Text | Scalar::Enum => from_text(schema, text, &mut value)?,
        Scalar::Bool => match bare {
            "true" => value = Value::Bool(true),
            "false" => value = Value::Bool(false),
            _ => return Err(Reason::WrongType),
        },
        Scalar::Json if !is_quoted && is_json_scalar(bare) => {
            let mut form = String::with_capacity(bare.len());
            canonical(bare, &mut form).map_err(|_| Reason::WrongType)?;
            held.set(index, Value::Json(&form));
            return Ok(());
        }
        Scalar::Packed => {
            let packed = nested_text(text, schema)?;
            held.set(index, Value::Packed(&packed));
            return Ok(());
        }
        Scalar::Json => {
            quoted(&mut json, text);
            value = Value::Json(std::str::from_utf8(&json).unwrap_or("null"));
        }
        Scalar::Int | Scalar::Float | Scalar::Decimal | Scalar::Timestamp | Scalar::Duration | Scalar::Wide => match whole_number(bare) {
            Some(number) => from_number(schema, number, bare.as_bytes(), &mut value)?,
            None => from_text(schema, bare, &mut value)?,
        },
    }
    held.set(index, value);
    Ok(())
}

fn is_json_scalar(text: &str) -> bool {
    matches!(text, "true" | "false") || whole_number(text).is_some()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::input::slots::tests::{EVENTS, ONE};
    use proptest::prelude::*;

    fn read(events: &[EventSchema], header: &str, record: &str) -> Result<String, Decoded> {
        let mut csv = Csv::new(events, &DecodeOptions::default());
        assert_eq!(csv.decode(header.as_bytes(), &mut Vec::new()), Decoded::Nothing);
        let mut values = Vec::new();
        match csv.decode(record.as_bytes(), &mut values) {
            Decoded::Event { event, ts } => Ok(format!("{event} {ts} {values:?}")),
            other => Err(other),
        }
    }

    fn refused(header: &str, record: &str) -> (Reason, Option<&'static str>, usize) {
        match read(ONE, header, record) {
            Err(Decoded::Invalid(invalid)) => (invalid.reason, invalid.field.map(|name| &*name.into_owned().leak()), invalid.offset),
            other => panic!("{record}: {other:?}"),
        }
    }

    #[test]
    fn cells_fit_as_the_language_says() {
        let header = "text,ts,number,count,truth,side,at,span,any";
        let all = read(ONE, header, "\"a \"\"b\"\",\nc\",1.5,1,2.0,true,Sell,1970-01-01T00:00:01Z,1.5,[1]").unwrap();
        let expected =
            "0 1500000 [Text(\"a \\\"b\\\",\\nc\"), Float(1.0), Int(2), Bool(true), Enum(1), Timestamp(1000000000), Duration(1500000), Json(\"\\\"[1]\\\"\")]";
        assert_eq!(all, expected);
        let nulls = read(ONE, header, "\"\",1970-01-01T00:00:00Z,,,,,,,7").unwrap();
        assert_eq!(nulls, "0 0 [Text(\"\"), Null, Null, Null, Null, Null, Null, Json(\"7\")]");
        assert_eq!(read(EVENTS, "event_type,timestamp,text", "Other,x,").unwrap_err(), Decoded::Skipped);
        assert!(read(EVENTS, "event_type,timestamp,text", "Every,5,x").unwrap().starts_with("0 5000000 [Text(\"x\")"));
    }

    #[test]
    fn refusals_name_reason_field_and_place() {
        assert_eq!(refused("ts,text", "1,"), (Reason::MissingField, Some("text"), 2));
        assert_eq!(refused("ts,other", "1,"), (Reason::MissingField, Some("text"), 2));
        assert_eq!(refused("ts,text", ",x"), (Reason::NoTimestamp, Some("event time"), 2));
        assert_eq!(refused("ts,text", "noon,x"), (Reason::WrongType, Some("event time"), 0));
        assert_eq!(refused("ts,text,count", "1,x,1.5"), (Reason::WrongType, Some("count"), 4));
        assert_eq!(refused("ts,text,count", "1,x,one"), (Reason::WrongType, Some("count"), 4));
        assert_eq!(refused("ts,text,side", "1,x,Hold"), (Reason::UnknownVariant, Some("side"), 4));
        assert_eq!(refused("ts,text", "1"), (Reason::Malformed, None, 1));
        assert_eq!(refused("ts,text", "1,x,y"), (Reason::Malformed, None, 5));
        assert_eq!(refused("ts,text", "1,\"x\"y"), (Reason::Malformed, None, 5));
        assert_eq!(refused("ts,text", "1,\"x"), (Reason::Malformed, None, 4));
        assert!(matches!(read(EVENTS, "ts,text", "1,x"), Err(Decoded::Invalid(Invalid { reason: Reason::NoType, .. }))));
    }

    proptest! {
        #[test]
        fn any_text_survives_quotes(text in any::<String>(), before in any::<String>()) {
            let quote = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
            let found = read(ONE, "other,ts,text", &format!("{},1,{}", quote(&before), quote(&text))).unwrap();
            let expected = format!("0 1000000 [{:?},", Value::Text(&text));
            prop_assert!(found.starts_with(&expected));
        }

        #[test]
        fn nothing_panics(record in prop::collection::vec(prop::sample::select(b"\",1x\n\xff".to_vec()), 0..12)) {
            let mut csv = Csv::new(ONE, &DecodeOptions::default());
            csv.decode(b"ts,text,count", &mut Vec::new());
            csv.decode(&record, &mut Vec::new());
        }
    }
}
