//! JSON objects as events.
//!
//! Two paths, one meaning. The *general* path reads any record. The *layout* path guesses that a record has the keys of an earlier one of its
//! event, in the same order and spacing, compares them in place, and gives up at the first surprise; whatever it accepts, the general path
//! would have read the same way, because both read values with the same functions. Refusals come from the general path alone.

mod general;
mod layout;

use varpulis_abi::reason::Reason;

use self::general::General;
use self::layout::Layouts;
use super::json::{check_record, stands_at, text_place};
use super::schema::{Catalogue, DecodeOptions};
use super::{Conditions, Decoded, Invalid, Rejected};
use crate::program::EventSchema;
use crate::value::Value;

/// How many layouts of one event are remembered.
const LAYOUTS: usize = 4;

/// The decoder of NDJSON lines and of the elements of JSON arrays.
pub struct Ndjson {
    catalogue: Catalogue,
    general: General,
    layouts: Vec<Layouts>,
    /// What stands before the event's name where the name comes first, as `{"type":"`.
    opening: Vec<u8>,
    /// The event of the previous record: the first guess.
    latest: usize,
}

impl Ndjson {
    /// A decoder of a program's events.
    pub fn new(events: &[EventSchema], options: &DecodeOptions) -> Self {
        Self {
            catalogue: Catalogue::new(events, options),
            general: General::default(),
            layouts: events.iter().map(|_| Layouts::default()).collect(),
            opening: b"{\"type\":\"".to_vec(),
            latest: 0,
        }
    }

    /// Decodes one record.
    #[inline]
    pub fn decode<'a>(&'a mut self, record: &'a [u8], values: &mut Vec<Value<'a>>) -> Decoded {
        if self.catalogue.strict
            && let Err(invalid) = check_record(record)
        {
            return Decoded::Invalid(invalid);
        }
        let (event, start) = match self.opened(record) {
            Opened::Event(event, behind) => (event, behind),
            Opened::Skipped => return Decoded::Skipped,
            Opened::Unknown => (self.latest, 0),
        };
        if let (Some(layouts), Some(keys)) = (self.layouts.get_mut(event), self.catalogue.events.get(event))
            && let Some(ts) = layouts.read(record, start, &keys.schema, self.catalogue.time_power, values)
        {
            self.latest = event;
            return Decoded::Event { event, ts };
        }
        self.decode_generally(record, values)
    }

    /// Decodes one record without guessing. The result is that of [`decode`](Self::decode).
    pub fn decode_generally<'a>(&'a mut self, record: &'a [u8], values: &mut Vec<Value<'a>>) -> Decoded {
        let decoded = self.general.read(record, &self.catalogue);
        match decoded {
            Ok(Some((event, ts))) => {
                self.latest = event;
                if let Some(layouts) = self.layouts.get_mut(event) {
                    layouts.learn(record, &self.general.trace);
                    if let Some(opening) = self.general.trace.opening(record).filter(|opening| *opening != self.opening) {
                        self.opening = opening.to_vec();
                    }
                }
                self.general.held.fill(values);
                Decoded::Event { event, ts }
            }
            Ok(None) => Decoded::Skipped,
            Err(invalid) => Decoded::Invalid(invalid),
        }
    }

    /// What becomes of a record that was just found to be invalid: an event after all, if the fields before the place at fault reject it.
    pub fn rejected<'a>(&'a mut self, record: &'a [u8], conditions: &Conditions<'_>) -> Option<Rejected<'a>> {
        let (event, keys) = self.general.event.filter(|_| !self.catalogue.strict).and_then(|event| Some((event, self.catalogue.events.get(event)?)))?;
        let mut values = Vec::new();
        self.general.held.fill(&mut values);
        if !conditions(event, &values, &self.general.met) {
            return None;
        }
        // Time passes with the event all the same, wherever in the record it stands.
        let ts = General::time(record, keys, self.catalogue.time_power).ok()??;
        Some(Rejected { event, schema: &keys.schema, ts, values, read: &self.general.met })
    }

    /// Looks at the event's name, if it stands where it stood last.
    #[inline(always)]
    fn opened(&self, record: &[u8]) -> Opened {
        if !stands_at(record, 0, &self.opening) {
            return Opened::Unknown;
        }
        let start = self.opening.len();
        if let Some(keys) = self.catalogue.events.get(self.latest) {
            let name = keys.schema.name.as_bytes();
            if stands_at(record, start, name) && record.get(start + name.len()) == Some(&b'"') {
                return Opened::Event(self.latest, start + name.len() + 1);
            }
        }
        match text_place(record, start) {
            Ok(place) if !place.escaped => {
                let name = record.get(start..place.end).unwrap_or_default();
                match self.catalogue.event_named(name) {
                    Some(event) => Opened::Event(event, place.end + 1),
                    None if name.is_ascii() => Opened::Skipped,
                    None => Opened::Unknown,
                }
            }
            _ => Opened::Unknown,
        }
    }
}

/// What a record's first bytes say.
enum Opened {
    /// It is this event; its name ends there.
    Event(usize, usize),
    /// An event that the program does not read.
    Skipped,
    /// Nothing.
    Unknown,
}

/// No event's name in the whole record.
#[cold]
fn no_type(record: &[u8]) -> Invalid {
    Invalid::at(Reason::NoType, record.len())
}

#[cfg(test)]
mod tests;
