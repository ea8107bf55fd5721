//! The path that reads any record: first the event's name, then its fields, from the start of the record to the last one needed.

use varpulis_abi::packed::Packer;
use varpulis_abi::reason::Reason;

use super::no_type;
use crate::input::Invalid;
use crate::input::convert::{Field, escaped_field, field, span, time};
use crate::input::json::{Care, TextPlace, is_space, malformed, skip_space, skip_value, text_at, text_place, unescape};
use crate::input::nested::nested;
use crate::input::schema::{Catalogue, EventKeys, TIME, TYPE_KEYS, TimeRole};
use crate::input::slots::Held;
use crate::program::Form;
use crate::value::Value;

/// How a member of a record was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Not at all.
    Nothing,
    /// It named the event.
    Name,
    /// It was the event's time, or a field, or both.
    Value {
        /// The event's time.
        time: bool,
        /// The field's place in the schema.
        field: Option<usize>,
    },
    /// In a way that depends on the value, such as a time that is null: no layout can be learnt of it.
    Peculiar,
}

/// A member as it was read: where the previous value ended, where its value starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) from: usize,
    pub(super) value: usize,
    pub(super) usage: Use,
}

/// How a record was read: what a layout is made of.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) steps: Vec<Step>,
    /// Whether the record was read to its end.
    pub(super) to_end: bool,
}

impl Trace {
    /// What stands before the event's name, if the name is the first member.
    pub(super) fn opening<'a>(&self, record: &'a [u8]) -> Option<&'a [u8]> {
        let first = self.steps.first()?;
        (first.usage == Use::Name).then(|| span(record, 0, first.value + 1))
    }
}

/// The general path and its buffers.
#[derive(Default)]
pub(super) struct General {
    pub(super) held: Held,
    pub(super) trace: Trace,
    /// A key or text without its escapes, or a packed value.
    scratch: String,
    packer: Packer,
    /// The event whose fields were read, or begun to be.
    pub(super) event: Option<usize>,
    /// Which fields of the schema were read.
    pub(super) met: Vec<bool>,
}

impl General {
    /// Reads a record into `held` and says how in `trace`; `None` if the program does not read its event.
    pub(super) fn read(&mut self, record: &[u8], catalogue: &Catalogue) -> Result<Option<(usize, i64)>, Invalid> {
        self.event = None;
        let event = match self.named(record, catalogue)? {
            Named::Event(event) => event,
            Named::Unread => return Ok(None),
            Named::Not => catalogue.only.ok_or_else(|| no_type(record))?,
        };
        let Some(keys) = catalogue.events.get(event) else { return Ok(None) };
        self.event = Some(event);
        let ts = self.fields(record, keys, catalogue.time_power)?;
        Ok(Some((event, ts)))
    }

    /// Finds the event's name: the first of its keys counts, unless it is null.
    fn named(&mut self, record: &[u8], catalogue: &Catalogue) -> Result<Named, Invalid> {
        let mut members = Members::new(record)?;
        while let Some(member) = members.next(&mut self.scratch)? {
            let at = member.value;
            if TYPE_KEYS.contains(&member.key(record, &self.scratch)) && record.get(at) != Some(&b'n') {
                if record.get(at) != Some(&b'"') {
                    skip_value(record, at, Care::Structure)?;
                    return Err(Invalid::at(Reason::WrongType, at).of("type"));
                }
                let place = text_place(record, at + 1)?;
                let name = text_at(record, place)?;
                let name = if place.escaped {
                    self.scratch.clear();
                    unescape(name, &mut self.scratch).map_err(|escape| malformed(place.start + escape))?;
                    self.scratch.as_str()
                } else {
                    name
                };
                return Ok(catalogue.event_named(name.as_bytes()).map_or(Named::Unread, Named::Event));
            }
            members.at = skip_value(record, at, Care::Structure)?;
        }
        Ok(Named::Not)
    }

    /// Reads the fields of the event, up to the last one needed, and its time.
    fn fields(&mut self, record: &[u8], keys: &EventKeys, time_power: i32) -> Result<i64, Invalid> {
        let fields = &*keys.schema.fields;
        self.held.reset(fields.len());
        self.met.clear();
        self.met.resize(fields.len(), false);
        self.trace.steps.clear();
        let mut missing = fields.len();
        let mut ts = None;
        let mut time_met = false;
        let mut named = false;
        let mut fallback: Option<usize> = None;
        let mut members = Members::new(record)?;
        loop {
            self.trace.to_end = false;
            if missing == 0 && ts.is_some() && named {
                break;
            }
            let from = members.at;
            let Some(member) = members.next(&mut self.scratch)? else {
                self.trace.to_end = true;
                break;
            };
            let at = member.value;
            let role = keys.role(member.key(record, &self.scratch));
            let is_name = role.names_event && !named && record.get(at) != Some(&b'n');
            named |= is_name;
            let is_time = role.time == TimeRole::Time && !time_met;
            time_met |= is_time;
            let field = role.field.filter(|index| self.met.get(*index) == Some(&false));
            if role.time == TimeRole::Fallback && fallback.is_none() {
                fallback = Some(self.trace.steps.len());
            }
            let mut end = None;
            if is_time {
                let (time, behind) = time(record, at, time_power)?;
                (ts, end) = (time, Some(behind));
            }
            if let Some(index) = field {
                end = Some(self.field(record, at, keys, index)?);
                missing -= 1;
            }
            members.at = match end {
                Some(end) => end,
                None => skip_value(record, at, Care::Structure)?,
            };
            let usage = match (is_name, is_time, field) {
                // Null where a name or a time could stand: another member may count instead.
                _ if (role.names_event && !named) || (is_time && ts.is_none()) => Use::Peculiar,
                (true, false, None) => Use::Name,
                (true, ..) => Use::Peculiar,
                (false, false, None) => Use::Nothing,
                (.., Some(field)) if fields.get(field).is_some_and(|schema| schema.form != Form::Plain) => Use::Peculiar,
                (false, time, field) => Use::Value { time, field },
            };
            self.trace.steps.push(Step { from, value: at, usage });
        }
        if ts.is_none() {
            ts = self.fallback(record, fallback, time_power)?;
        }
        let ts = ts.ok_or_else(|| Invalid::at(Reason::NoTimestamp, record.len()).of(TIME))?;
        for (schema, met) in fields.iter().zip(&self.met) {
            if !met && !schema.ty.nullable {
                return Err(Invalid::at(Reason::MissingField, record.len()).of(schema.name.clone()));
            }
        }
        Ok(ts)
    }

    /// Reads one field into its place; the result is behind its value.
    fn field(&mut self, record: &[u8], at: usize, keys: &EventKeys, index: usize) -> Result<usize, Invalid> {
        let (Some(schema), Some(met)) = (keys.schema.fields.get(index), self.met.get_mut(index)) else { return Err(malformed(at)) };
        let mut value = Value::Null;
        match field(record, at, schema, &mut value)? {
            Field::Written(end) => {
                self.held.set(index, value);
                *met = true;
                Ok(end)
            }
            Field::Escaped(raw, end) => {
                let value = escaped_field(raw, at, schema, &mut self.scratch)?;
                self.held.set(index, value);
                *met = true;
                Ok(end)
            }
            Field::Nested => {
                self.packer.clear();
                let end = nested(record, at, schema, &mut self.packer, &mut self.scratch)?;
                self.scratch.clear();
                self.packer.write(&mut self.scratch);
                self.held.set(index, Value::Packed(&self.scratch));
                *met = true;
                Ok(end)
            }
        }
    }

    /// The time out of the member that holds it for want of a better one.
    fn fallback(&mut self, record: &[u8], step: Option<usize>, time_power: i32) -> Result<Option<i64>, Invalid> {
        let Some(step) = step.and_then(|index| self.trace.steps.get_mut(index)) else { return Ok(None) };
        let (ts, _) = time(record, step.value, time_power)?;
        step.usage = match step.usage {
            Use::Value { field, .. } => Use::Value { time: true, field },
            Use::Nothing => Use::Value { time: true, field: None },
            Use::Name | Use::Peculiar => Use::Peculiar,
        };
        Ok(ts)
    }
}

impl General {
    /// The event's time alone, of a record whose fields cannot all be read. It ends at the time, or, for want of a better one, at the record's end.
    pub(super) fn time(record: &[u8], keys: &EventKeys, time_power: i32) -> Result<Option<i64>, Invalid> {
        let mut scratch = String::new();
        let mut members = Members::new(record)?;
        let (mut met, mut fallback) = (false, None);
        while let Some(member) = members.next(&mut scratch)? {
            let at = member.value;
            match keys.role(member.key(record, &scratch)).time {
                TimeRole::Time if !met => {
                    met = true;
                    let (ts, _) = time(record, at, time_power)?;
                    if ts.is_some() {
                        return Ok(ts);
                    }
                }
                TimeRole::Fallback => fallback = fallback.or(Some(at)),
                TimeRole::Time | TimeRole::None => {}
            }
            members.at = skip_value(record, at, Care::Structure)?;
        }
        fallback.map_or(Ok(None), |at| time(record, at, time_power).map(|(ts, _)| ts))
    }
}

/// What the search for an event's name found.
enum Named {
    Event(usize),
    Unread,
    Not,
}

/// The members of a record, one after the other.
struct Members<'a> {
    record: &'a [u8],
    /// Behind the previous value, or behind the opening brace.
    at: usize,
    first: bool,
}

/// A member: its key, and where its value starts.
struct Member {
    key: TextPlace,
    value: usize,
}

impl Member {
    /// The key; `scratch` holds it if it has escapes.
    fn key<'k>(&self, record: &'k [u8], scratch: &'k str) -> &'k [u8] {
        if self.key.escaped { scratch.as_bytes() } else { span(record, self.key.start, self.key.end) }
    }
}

impl<'a> Members<'a> {
    fn new(record: &'a [u8]) -> Result<Self, Invalid> {
        let at = skip_space(record, 0);
        if record.get(at) == Some(&b'{') { Ok(Self { record, at: at + 1, first: true }) } else { Err(malformed(at)) }
    }

    /// The next member, or `None` at the record's end, behind which nothing may stand.
    fn next(&mut self, scratch: &mut String) -> Result<Option<Member>, Invalid> {
        let record = self.record;
        let mut at = skip_space(record, self.at);
        let first = std::mem::replace(&mut self.first, false);
        match record.get(at) {
            Some(b'}') => {
                let end = at + 1;
                let rest = record.get(end..).unwrap_or_default();
                return match rest.iter().position(|b| !is_space(*b)) {
                    None => Ok(None),
                    Some(garbage) => Err(malformed(end + garbage)),
                };
            }
            Some(b',') if !first => at = skip_space(record, at + 1),
            Some(b'"') if first => {}
            _ => return Err(malformed(at)),
        }
        if record.get(at) != Some(&b'"') {
            return Err(malformed(at));
        }
        let key = text_place(record, at + 1)?;
        if key.escaped {
            scratch.clear();
            unescape(text_at(record, key)?, scratch).map_err(|escape| malformed(key.start + escape))?;
        }
        let colon = skip_space(record, key.end + 1);
        if record.get(colon) != Some(&b':') {
            return Err(malformed(colon));
        }
        Ok(Some(Member { key, value: skip_space(record, colon + 1) }))
    }
}
