//! Records on their way: what can be read of them, and their place among all records.

use std::collections::BTreeMap;

use varpulis_compiler::analysis::typed::Place;
use varpulis_compiler::plan::logical::Column;

use crate::value::Value;

/// When a record comes into being: streams are merged in this order.
///
/// The accepted events are numbered in the order of time. What falls due at a time comes before the first event that has reached it, in the
/// order of time; what an event completes comes with it. Among equals, what stands earlier in the program.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment {
    /// The event.
    pub event: usize,
    /// Whether it is the event itself, not what fell due before it.
    pub itself: bool,
    /// The time at which it fell due.
    pub due: i64,
    /// The nodes that it passed; behind one that fires, its number among what that fired.
    pub path: Vec<usize>,
}

impl Moment {
    /// The same moment, behind a node.
    pub(crate) fn at(&self, node: usize) -> Self {
        let mut path = self.path.clone();
        path.push(node);
        Self { path, ..*self }
    }
}

/// A record of a stream, or a firing with all that can be read of it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub moment: Moment,
    pub ts: i64,
    pub values: BTreeMap<Place, Value>,
}

impl Record {
    /// A record whose columns are those values.
    pub(crate) fn of_columns(moment: Moment, ts: i64, columns: impl IntoIterator<Item = Value>) -> Self {
        let values = columns.into_iter().enumerate().map(|(field, v)| (Place::Field { input: 0, field }, v)).collect();
        Self { moment, ts, values }
    }

    /// What a place holds.
    pub(crate) fn value(&self, place: &Place) -> Value {
        match place {
            Place::Ts { .. } if !self.values.contains_key(place) => Value::Timestamp(self.ts),
            Place::Now => Value::Timestamp(self.ts),
            place => self.values.get(place).cloned().unwrap_or_else(|| panic!("{place:?} cannot be read here")),
        }
    }

    /// A column, if the record has it.
    pub(crate) fn column(&self, field: usize) -> Option<&Value> {
        self.values.get(&Place::Field { input: 0, field })
    }
}

/// A published row.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its type's name.
    pub name: String,
    /// Nanoseconds since the epoch.
    pub ts: i64,
    /// Its fields, in order.
    pub fields: Vec<(String, Value)>,
}

impl Row {
    pub(crate) fn new(name: &str, record: &Record, columns: &[Column]) -> Self {
        let fields = columns.iter().enumerate().filter(|(_, c)| !c.hidden);
        let fields = fields.map(|(i, c)| (c.name.clone(), record.column(i).cloned().unwrap_or(Value::Null))).collect();
        Self { name: name.to_owned(), ts: record.ts, fields }
    }

    /// As an object. A field called `ts` shadows the record's.
    pub fn to_json(&self) -> serde_json::Map<String, serde_json::Value> {
        let mut all = serde_json::Map::new();
        all.insert("type".to_owned(), self.name.clone().into());
        all.insert("ts".to_owned(), self.ts.div_euclid(1_000_000).into());
        all.extend(self.fields.iter().map(|(n, v)| (n.clone(), v.to_json())));
        all
    }
}

/// A record that left a stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ErrorRow {
    /// The stream.
    pub stream: String,
    /// The record's time.
    pub ts: i64,
    /// The reason's text.
    pub reason: &'static str,
}
