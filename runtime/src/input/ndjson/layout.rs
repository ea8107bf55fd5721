//! The path that guesses: records of one source mostly have the same keys in the same order.

use super::LAYOUTS;
use super::general::{Trace, Use};
use crate::input::convert::{Field, field, span, time};
use crate::input::json::{Care, is_space, skip_value, stands_at};
use crate::program::{EventSchema, FieldSchema};
use crate::value::Value;

/// What to do with a member's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Skip,
    /// It must be the event's name.
    Name,
    Time,
    Field(usize),
    TimeAndField(usize),
}

/// One member: what must stand between the previous value and its own, byte for byte.
#[derive(Debug)]
struct Entry {
    /// Where its text starts in the layout's.
    start: usize,
    end: usize,
    action: Action,
}

/// The members of a record from its start (or from behind the event's name, if that comes first) to the last one needed.
#[derive(Debug, Default)]
struct Layout {
    text: Vec<u8>,
    entries: Vec<Entry>,
    /// Whether the event's name comes first.
    behind_name: bool,
    /// Whether the record must end behind the last member.
    to_end: bool,
}

/// The layouts met of one event, the most useful one tried first.
pub(super) struct Layouts {
    known: Vec<Layout>,
    first: usize,
    /// The one to be forgotten next.
    oldest: usize,
    /// Learning costs; it pauses where records follow no layout.
    credit: u32,
}

const CREDIT: u32 = 256;
const LEARNING: u32 = 16;

impl Default for Layouts {
    fn default() -> Self {
        Self { known: Vec::new(), first: 0, oldest: 0, credit: CREDIT }
    }
}

impl Layouts {
    /// Reads a record whose event is known if `start` is behind the event's name, guessed if `start` is 0.
    #[inline(always)]
    pub(super) fn read<'a>(&mut self, record: &'a [u8], start: usize, event: &EventSchema, time_power: i32, values: &mut Vec<Value<'a>>) -> Option<i64> {
        let known = self.known.len();
        let mut index = self.first;
        for _ in 0..known {
            if let Some(ts) = self.known.get(index)?.read(record, start, event, time_power, values) {
                self.first = index;
                return Some(ts);
            }
            index = if index + 1 < known { index + 1 } else { 0 };
        }
        None
    }

    /// Remembers how the general path read a record.
    pub(super) fn learn(&mut self, record: &[u8], trace: &Trace) {
        if self.credit < LEARNING {
            self.credit += 1;
            return;
        }
        self.credit -= LEARNING;
        let Some(layout) = Layout::new(record, trace) else { return };
        if self.known.iter().any(|known| known.same(&layout)) {
            // It was this one, with a value that it leaves to the general path.
            return;
        }
        self.first = if self.known.len() < LAYOUTS { self.known.len() } else { self.oldest };
        match self.known.get_mut(self.first) {
            Some(place) => {
                *place = layout;
                self.oldest = (self.oldest + 1) % LAYOUTS;
            }
            None => self.known.push(layout),
        }
    }
}

impl Layout {
    fn new(record: &[u8], trace: &Trace) -> Option<Self> {
        let mut layout = Self { to_end: trace.to_end, ..Self::default() };
        for (index, step) in trace.steps.iter().enumerate() {
            let action = match step.usage {
                Use::Nothing => Action::Skip,
                Use::Name => Action::Name,
                Use::Value { time: true, field: None } => Action::Time,
                Use::Value { time: true, field: Some(index) } => Action::TimeAndField(index),
                Use::Value { time: false, field: Some(index) } => Action::Field(index),
                Use::Value { time: false, field: None } | Use::Peculiar => return None,
            };
            if index == 0 && action == Action::Name {
                layout.behind_name = true;
                continue;
            }
            // The first text includes the opening brace and what stands before it.
            let from = if index == 0 { 0 } else { step.from };
            let start = layout.text.len();
            layout.text.extend_from_slice(span(record, from, step.value));
            layout.entries.push(Entry { start, end: layout.text.len(), action });
        }
        Some(layout)
    }

    fn same(&self, other: &Self) -> bool {
        let places = |layout: &Self| (layout.behind_name, layout.to_end, layout.entries.len());
        let actions = |layout: &Self| layout.entries.iter().map(|entry| (entry.end, entry.action)).collect::<Vec<_>>();
        self.text == other.text && places(self) == places(other) && actions(self) == actions(other)
    }

    /// Reads a record that looks like this, or gives up.
    #[inline(always)]
    fn read<'a>(&self, record: &'a [u8], start: usize, event: &EventSchema, time_power: i32, values: &mut Vec<Value<'a>>) -> Option<i64> {
        if self.behind_name != (start > 0) {
            return None;
        }
        let fields = &*event.fields;
        values.clear();
        values.resize(fields.len(), Value::Null);
        let mut at = start;
        let mut ts = None;
        for entry in &self.entries {
            at = self.behind(record, at, entry)?;
            match entry.action {
                Action::Skip => at = skip_value(record, at, Care::Structure).ok()?,
                Action::Name => at = name(record, at, event)?,
                Action::Time => {
                    let (time, behind) = time(record, at, time_power).ok()?;
                    ts = Some(time?);
                    at = behind;
                }
                Action::Field(index) => at = place(record, at, fields, index, values)?,
                Action::TimeAndField(index) => {
                    ts = Some(time(record, at, time_power).ok()?.0?);
                    at = place(record, at, fields, index, values)?;
                }
            }
        }
        if self.to_end && !ends(record, at) {
            return None;
        }
        ts
    }

    /// The place behind the text of an entry, if that is what stands at `at`.
    #[inline(always)]
    fn behind(&self, record: &[u8], at: usize, entry: &Entry) -> Option<usize> {
        let text = self.text.get(entry.start..entry.end)?;
        stands_at(record, at, text).then_some(at + text.len())
    }
}

#[inline(always)]
fn place<'a>(record: &'a [u8], at: usize, fields: &[FieldSchema], index: usize, values: &mut [Value<'a>]) -> Option<usize> {
    match field(record, at, fields.get(index)?, values.get_mut(index)?).ok()? {
        Field::Written(end) => Some(end),
        Field::Escaped(..) | Field::Nested => None,
    }
}

fn name(record: &[u8], at: usize, event: &EventSchema) -> Option<usize> {
    let rest = record.get(at..)?.strip_prefix(b"\"")?.strip_prefix(event.name.as_bytes())?;
    rest.starts_with(b"\"").then_some(at + event.name.len() + 2)
}

/// Whether the record ends at `at`.
fn ends(record: &[u8], at: usize) -> bool {
    let Some(rest) = record.get(at..) else { return false };
    let mut rest = rest.iter().skip_while(|b| is_space(**b));
    rest.next() == Some(&b'}') && rest.all(|b| is_space(*b))
}
