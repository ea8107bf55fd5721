//! `.evt` text as events: `@1500ms Name { field: value, … }`, one per line.
//!
//! The time is a duration since the epoch (without a unit, milliseconds) or an RFC 3339 timestamp; `BATCH n` adds n milliseconds to those of the
//! lines after it. A line without `@` has the time of its field `ts`, else `timestamp`, else that of its batch.

use varpulis_abi::duration;
use varpulis_abi::reason::Reason;
use varpulis_abi::scalar::Scalar;

use super::canonical::canonical;
use super::convert::{from_null, from_number, from_text, number, span};
use super::json::{Care, malformed, skip_nested, skip_space, unescape};
use super::nested::nested_text;
use super::schema::{Catalogue, DecodeOptions, Role, TIME, TimeRole};
use super::slots::Held;
use super::time::{event_time, event_time_of_text};
use super::{Conditions, Decoded, Invalid, Rejected};
use crate::output::text::quoted;
use crate::program::{EventSchema, FieldSchema};
use crate::scalar::scaled;
use crate::value::Value;

/// The decoder of `.evt` lines.
pub struct Evt {
    catalogue: Catalogue,
    held: Held,
    met: Vec<bool>,
    scratch: String,
    /// What the batch adds to times, in ns.
    batch: i64,
    /// The event whose fields were read, or begun to be.
    begun: Option<Begun>,
}

/// What a line says before its fields.
#[derive(Clone, Copy)]
struct Begun {
    event: usize,
    /// The time behind the `@`.
    time: Option<i64>,
    /// Behind the opening brace.
    fields: usize,
}

/// A value as it is written.
enum Written<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    /// With its unit.
    Duration(i64, &'a str),
    /// Quoted (its content is in the scratch text), or a bare word.
    Text,
    /// An array or object.
    Nested(&'a str),
}

impl Evt {
    /// A decoder of a program's events.
    pub fn new(events: &[EventSchema], options: &DecodeOptions) -> Self {
        Self { catalogue: Catalogue::new(events, options), held: Held::default(), met: Vec::new(), scratch: String::new(), batch: 0, begun: None }
    }

    /// Decodes one line.
    pub fn decode<'a>(&'a mut self, record: &'a [u8], values: &mut Vec<Value<'a>>) -> Decoded {
        match self.read(record) {
            Ok(decoded) => {
                if matches!(decoded, Decoded::Event { .. }) {
                    self.held.fill(values);
                }
                decoded
            }
            Err(invalid) => Decoded::Invalid(invalid),
        }
    }

    fn read(&mut self, record: &[u8]) -> Result<Decoded, Invalid> {
        self.begun = None;
        let line = std::str::from_utf8(record).map_err(|error| Invalid::at(Reason::InvalidUtf8, error.valid_up_to()))?;
        let mut at = skip_space(record, 0);
        let rest = line.get(at..).unwrap_or_default();
        if rest.is_empty() || rest.starts_with('#') || rest.starts_with("//") {
            return Ok(Decoded::Nothing);
        }
        if let Some(offset) = rest.strip_prefix("BATCH").filter(|offset| offset.starts_with([' ', '\t'])) {
            let offset = offset.trim().trim_end_matches(';').trim_end();
            self.batch = offset.parse().ok().and_then(|ms: i64| ms.checked_mul(1_000_000)).ok_or_else(|| malformed(at))?;
            return Ok(Decoded::Nothing);
        }
        let mut time = None;
        if rest.starts_with('@') {
            let word: &str = rest.get(1..).and_then(|rest| rest.split_ascii_whitespace().next()).unwrap_or_default();
            time = Some(self.time(word).map_err(|reason| Invalid::at(reason, at).of(TIME))?);
            at = skip_space(record, at + 1 + word.len());
        }
        let name = word(line, at).ok_or_else(|| malformed(at))?;
        let open = skip_space(record, at + name.len());
        if record.get(open) != Some(&b'{') {
            return Err(malformed(open));
        }
        let Some(event) = self.catalogue.event_named(name.as_bytes()) else { return Ok(Decoded::Skipped) };
        let begun = Begun { event, time, fields: open + 1 };
        self.begun = Some(begun);
        let ts = self.fields(line, begun)?;
        Ok(Decoded::Event { event, ts })
    }

    /// The time behind an `@`.
    fn time(&self, word: &str) -> Result<i64, Reason> {
        let number = number(word.as_bytes(), 0).ok();
        let length = number.map_or(0, |number| number.end);
        let (digits, unit) = word.split_at(length);
        let relative = if unit.is_empty() && length > 0 { scaled(digits.as_bytes(), 6).map(|(ns, _)| ns) } else { in_unit(digits, unit) };
        match relative {
            Some(ns) => ns.checked_add(self.batch).ok_or(Reason::OutOfRange).and_then(event_time),
            None if duration::unit(unit).is_some() || unit.is_empty() => Err(if length > 0 { Reason::OutOfRange } else { Reason::Malformed }),
            None => event_time_of_text(word).map_err(|reason| if reason == Reason::WrongType { Reason::Malformed } else { reason }),
        }
    }

    /// What becomes of a line that was just found to be invalid: an event after all, if the fields before the place at fault reject it.
    pub fn rejected<'a>(&'a mut self, record: &'a [u8], conditions: &Conditions<'_>) -> Option<Rejected<'a>> {
        let begun = self.begun.filter(|_| !self.catalogue.strict)?;
        // Time passes with the event all the same, wherever in the line it stands. The search for it leaves what was read as it is.
        let ts = std::str::from_utf8(record).ok().and_then(|line| self.time_alone(line, begun).ok());
        let mut values = Vec::new();
        self.held.fill(&mut values);
        if !conditions(begun.event, &values, &self.met) {
            return None;
        }
        let schema = &self.catalogue.events.get(begun.event)?.schema;
        Some(Rejected { event: begun.event, schema, ts: ts?, values, read: &self.met })
    }

    /// The time of a line whose fields cannot all be read.
    fn time_alone(&mut self, line: &str, begun: Begun) -> Result<i64, Invalid> {
        if let Some(time) = begun.time {
            return Ok(time);
        }
        let mut fallback = None;
        let mut at = begun.fields;
        while let Some((role, place, written, end)) = self.member(line, at, begun)? {
            if role.time == TimeRole::Time || (role.time == TimeRole::Fallback && fallback.is_none()) {
                let time = time_of(&written, &self.scratch, self.catalogue.time_power).map_err(|reason| Invalid::at(reason, place).of(TIME))?;
                match (role.time, time) {
                    (TimeRole::Time, Some(time)) => return Ok(time),
                    (TimeRole::Fallback, time) => fallback = time,
                    _ => {}
                }
            }
            at = end;
        }
        Ok(fallback.unwrap_or(self.batch))
    }

    /// The member behind `at`, which is behind the previous one or the opening brace: what its key is, where its value stands, the value, and
    /// what is behind it. `None` at the closing brace.
    fn member<'a>(&mut self, line: &'a str, at: usize, begun: Begun) -> Result<Option<(Role, usize, Written<'a>, usize)>, Invalid> {
        let record = line.as_bytes();
        let mut start = skip_space(record, at);
        if at > begun.fields {
            match record.get(start) {
                Some(b',') => start = skip_space(record, start + 1),
                Some(b'}') => {}
                _ => return Err(malformed(start)),
            }
        }
        if record.get(start) == Some(&b'}') {
            return Ok(None);
        }
        let role = self.key(line, &mut start, begun.event)?;
        let place = skip_space(record, start);
        let (written, end) = self.value(line, place)?;
        Ok(Some((role, place, written, end)))
    }

    /// Reads the fields from behind the brace to the line's end; the result is the event's time.
    fn fields(&mut self, line: &str, begun: Begun) -> Result<i64, Invalid> {
        let Begun { event, time, fields: mut at } = begun;
        let record = line.as_bytes();
        let schema = self.catalogue.events.get(event).map(|keys| keys.schema.clone());
        let fields = schema.as_ref().map_or(&[][..], |schema| &schema.fields);
        self.held.reset(fields.len());
        self.met.clear();
        self.met.resize(fields.len(), false);
        let (mut own, mut fallback) = (None, None);
        while let Some((role, start, written, end)) = self.member(line, at, begun)? {
            let place = match role.time {
                TimeRole::Time => Some(&mut own),
                TimeRole::Fallback => Some(&mut fallback),
                TimeRole::None => None,
            };
            if let Some(place) = place.filter(|place| place.is_none() && time.is_none()) {
                *place = time_of(&written, &self.scratch, self.catalogue.time_power).map_err(|reason| Invalid::at(reason, start).of(TIME))?;
            }
            let unmet = role.field.filter(|index| self.met.get(*index) == Some(&false));
            if let Some((index, schema)) = unmet.and_then(|index| Some((index, fields.get(index)?))) {
                set(&mut self.held, index, schema, &written, &self.scratch).map_err(|reason| Invalid::at(reason, start).of(schema.name.clone()))?;
                self.met.iter_mut().skip(index).take(1).for_each(|met| *met = true);
            }
            at = end;
        }
        at = closing(record, at);
        let rest = line.get(at + 1..).unwrap_or_default().trim();
        if !matches!(rest, "" | ";" | ",") && !rest.trim_start_matches(';').trim_start().starts_with(['#', '/']) {
            return Err(malformed(at + 1));
        }
        for (schema, met) in fields.iter().zip(&self.met) {
            if !met && !schema.ty.nullable {
                return Err(Invalid::at(Reason::MissingField, at).of(schema.name.clone()));
            }
        }
        Ok(time.or(own).or(fallback).unwrap_or(self.batch))
    }

    /// Reads a key and its colon.
    fn key(&mut self, line: &str, at: &mut usize, event: usize) -> Result<Role, Invalid> {
        let record = line.as_bytes();
        let start = *at;
        if matches!(record.get(start), Some(b'"' | b'\'')) {
            *at = self.quoted(line, start)?;
        } else {
            let key = word(line, start).ok_or_else(|| malformed(start))?;
            self.scratch.clear();
            self.scratch.push_str(key);
            *at = start + key.len();
        }
        *at = skip_space(record, *at);
        if record.get(*at) != Some(&b':') {
            return Err(malformed(*at));
        }
        *at += 1;
        Ok(self.catalogue.events.get(event).map_or(Role::NOTHING, |keys| keys.role(self.scratch.as_bytes())))
    }

    /// Reads a value; the result is behind it.
    fn value<'a>(&mut self, line: &'a str, at: usize) -> Result<(Written<'a>, usize), Invalid> {
        let record = line.as_bytes();
        match record.get(at) {
            Some(b'"' | b'\'') => {
                let end = self.quoted(line, at)?;
                Ok((Written::Text, end))
            }
            Some(b'{' | b'[') => {
                let end = skip_nested(record, at, 1, Care::Everything)?;
                Ok((Written::Nested(line.get(at..end).unwrap_or_default()), end))
            }
            Some(b'-' | b'0'..=b'9') => {
                let digits = number(record, at)?.end;
                let text = line.get(at..digits).unwrap_or_default();
                let Some(unit) = word(line, digits) else { return Ok((Written::Number(text), digits)) };
                if duration::unit(unit).is_none() {
                    return Err(malformed(digits));
                }
                let duration = in_unit(text, unit).ok_or_else(|| Invalid::at(Reason::OutOfRange, at))?;
                let end = digits + unit.len();
                Ok((Written::Duration(duration, line.get(at..end).unwrap_or_default()), end))
            }
            _ => {
                let word = word(line, at).ok_or_else(|| malformed(at))?;
                self.scratch.clear();
                self.scratch.push_str(word);
                let written = match word {
                    "null" => Written::Null,
                    "true" => Written::Bool(true),
                    "false" => Written::Bool(false),
                    _ => Written::Text,
                };
                Ok((written, at + word.len()))
            }
        }
    }

    /// Reads a text in quotes of either kind into the scratch text; the result is behind it.
    fn quoted(&mut self, line: &str, at: usize) -> Result<usize, Invalid> {
        let record = line.as_bytes();
        let quote = record.get(at).copied().unwrap_or(b'"');
        let mut end = at + 1;
        loop {
            let rest = record.get(end..).unwrap_or_default();
            let found = end + memchr::memchr2(quote, b'\\', rest).ok_or_else(|| malformed(record.len()))?;
            if record.get(found) == Some(&quote) {
                end = found;
                break;
            }
            end = found + 2;
        }
        let raw = line.get(at + 1..end).ok_or_else(|| malformed(at))?;
        self.scratch.clear();
        let result = if raw.contains("\\'") { unescape(&without_quote_escapes(raw), &mut self.scratch) } else { unescape(raw, &mut self.scratch) };
        result.map_err(|place| malformed((at + 1 + place).min(end)))?;
        Ok(end + 1)
    }
}

/// Where the closing brace stands: behind a value, perhaps its comma, and space.
fn closing(record: &[u8], at: usize) -> usize {
    let at = skip_space(record, at);
    if record.get(at) == Some(&b',') { skip_space(record, at + 1) } else { at }
}

/// JSON has no `\'`; other escapes stay as they are.
fn without_quote_escapes(raw: &str) -> String {
    let mut plain = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some('\'')) => {}
            ('\\', Some(escaped)) => {
                plain.extend(['\\', escaped]);
                characters.next();
            }
            _ => plain.push(character),
        }
    }
    plain
}

/// The identifier at a place.
fn word(line: &str, at: usize) -> Option<&str> {
    let rest = line.get(at..)?;
    let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_')).unwrap_or(rest.len());
    rest.get(..end).filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_'))
}

/// A number with a unit of time, in ns, rounded down.
fn in_unit(digits: &str, unit: &str) -> Option<i64> {
    const SECOND: i64 = 1_000_000_000;
    let length = duration::unit(unit)?;
    // Digits behind the point count as powers of ten, which a second has and a minute has not.
    let (power, factor) = if length < SECOND { (length.ilog10() as i32, 1) } else { (9, length / SECOND) };
    let (value, _) = scaled(span(digits.as_bytes(), 0, digits.len()), power).filter(|_| !digits.is_empty())?;
    value.checked_mul(factor)
}

fn time_of(written: &Written<'_>, scratch: &str, power: i32) -> Result<Option<i64>, Reason> {
    match written {
        Written::Null => Ok(None),
        Written::Number(text) => scaled(text.as_bytes(), power).ok_or(Reason::OutOfRange).and_then(|(ns, _)| event_time(ns)).map(Some),
        Written::Duration(ns, _) => event_time(*ns).map(Some),
        Written::Text => event_time_of_text(scratch).map(Some),
        Written::Bool(_) | Written::Nested(_) => Err(Reason::WrongType),
    }
}

/// Puts a value into its place.
fn set(held: &mut Held, index: usize, schema: &FieldSchema, written: &Written<'_>, scratch: &str) -> Result<(), Reason> {
    let scalar = schema.ty.scalar;
    let mut value = Value::Null;
    let mut json = Vec::new();
    let mut as_json = |text: &str| quoted(&mut json, text);
    match written {
        Written::Null => from_null(schema, &mut value)?,
        Written::Bool(truth) if scalar == Scalar::Bool => value = Value::Bool(*truth),
        Written::Bool(truth) if scalar == Scalar::Json => value = Value::Json(if *truth { "true" } else { "false" }),
        Written::Number(text) | Written::Nested(text) if scalar == Scalar::Json => {
            let mut form = String::with_capacity(text.len());
            canonical(text, &mut form).map_err(|_| Reason::Malformed)?;
            held.set(index, Value::Json(&form));
            return Ok(());
        }
        Written::Nested(text) if scalar == Scalar::Packed => {
            let packed = nested_text(text, schema)?;
            held.set(index, Value::Packed(&packed));
            return Ok(());
        }
        Written::Number(text) => {
            let number = number(text.as_bytes(), 0).map_err(|invalid| invalid.reason)?;
            from_number(schema, number, text.as_bytes(), &mut value)?;
        }
        Written::Duration(ns, _) if scalar == Scalar::Duration => value = Value::Duration(*ns),
        Written::Duration(ns, _) if scalar == Scalar::Timestamp => value = Value::Timestamp(*ns),
        Written::Duration(_, text) if scalar == Scalar::Json => as_json(text),
        Written::Text if scalar == Scalar::Json => as_json(scratch),
        Written::Text => from_text(schema, scratch, &mut value)?,
        Written::Bool(_) | Written::Duration(..) | Written::Nested(_) => return Err(Reason::WrongType),
    }
    if !json.is_empty() {
        value = Value::Json(std::str::from_utf8(&json).unwrap_or("null"));
    }
    held.set(index, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::input::slots::tests::EVENTS;
    use proptest::prelude::*;

    fn read(evt: &mut Evt, line: &str) -> Result<String, Decoded> {
        let mut values = Vec::new();
        match evt.decode(line.as_bytes(), &mut values) {
            Decoded::Event { event, ts } => Ok(format!("{event} {ts} {values:?}")),
            other => Err(other),
        }
    }

    fn fresh() -> Evt {
        Evt::new(EVENTS, &DecodeOptions::default())
    }

    fn refused(line: &str) -> (Reason, Option<&'static str>, usize) {
        match read(&mut fresh(), line) {
            Err(Decoded::Invalid(invalid)) => (invalid.reason, invalid.field.map(|name| &*name.into_owned().leak()), invalid.offset),
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn lines_are_events_comments_or_batches() {
        let mut evt = fresh();
        let all = r#"@1.5s Every { text: 'it\'s "é"', number: 1, count: -2, truth: true, side: Sell, at: "1970-01-01T00:00:01Z", span: 5m, any: {"a": [1]}, more: 1 };"#;
        let expected = "0 1500000000 [Text(\"it's \\\"é\\\"\"), Float(1.0), Int(-2), Bool(true), Enum(1), Timestamp(1000000000), Duration(300000000000), Json(\"{\\\"a\\\":[1]}\")]";
        assert_eq!(read(&mut evt, all).unwrap(), expected);
        for line in ["# comment", "  // comment", "", "BATCH 100"] {
            assert_eq!(read(&mut evt, line).unwrap_err(), Decoded::Nothing);
        }
        let ts = |evt: &mut Evt, line: &str| read(evt, line).map(|found| found.split(' ').nth(1).unwrap().parse::<i64>().unwrap());
        assert_eq!(ts(&mut evt, "@5 Every { text: x } # note"), Ok(105_000_000));
        assert_eq!(ts(&mut evt, "@-5ms Every { text: x }"), Ok(95_000_000));
        assert_eq!(ts(&mut evt, "@1d Every{text:\"x\",}"), Ok(86_400_100_000_000));
        assert_eq!(ts(&mut evt, "@1970-01-01T00:00:01Z Every { text: x }"), Ok(1_000_000_000));
        assert_eq!(ts(&mut evt, "Every { text: x, ts: 7 }"), Ok(7_000_000));
        assert_eq!(ts(&mut evt, "Every { text: x }"), Ok(100_000_000));
        assert_eq!(read(&mut evt, "@5ms Other { x: }").unwrap_err(), Decoded::Skipped);
        assert!(read(&mut evt, "@1 Every { 'text': \"a\\u{}\" }").is_err());
    }

    #[test]
    fn refusals_name_reason_field_and_place() {
        assert_eq!(refused("@1 Every { }"), (Reason::MissingField, Some("text"), 11));
        assert_eq!(refused("@1 Every { text: 5 }"), (Reason::WrongType, Some("text"), 17));
        assert_eq!(refused("@1 Every { text: x, count: 1s }"), (Reason::WrongType, Some("count"), 27));
        assert_eq!(refused("@1 Every { text: null }"), (Reason::MissingField, Some("text"), 17));
        assert_eq!(refused("@x Every { text: x }"), (Reason::Malformed, Some("event time"), 0));
        assert_eq!(refused("@99999999w Every { text: x }"), (Reason::OutOfRange, Some("event time"), 0));
        for line in [
            "@1 Every",
            "@1 Every { text x }",
            "@1 Every { text: 'x }",
            "@1 Every { text: x } y",
            "@1 Every { text: 5x }",
            "BATCH x",
            "5",
            "@1 Every { text: x",
        ] {
            assert_eq!(refused(line).0, Reason::Malformed, "{line}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(line in "(@1(ms|w)? )?Every \\{ ?(text|any|count|'): ?[-@1a\"'\\\\u{}\\[\\]:é,]{0,9}\\}?") {
            read(&mut fresh(), &line).ok();
        }
    }
}
