//! A program's event tables, prepared for look-ups by the names that stand in records.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::program::EventSchema;

/// What the input's timestamps count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "standalone", derive(clap::ValueEnum))]
pub enum TimeUnit {
    /// Seconds.
    #[cfg_attr(feature = "standalone", value(name = "s"))]
    Seconds,
    /// Milliseconds.
    #[default]
    #[cfg_attr(feature = "standalone", value(name = "ms"))]
    Milliseconds,
    /// Microseconds.
    #[cfg_attr(feature = "standalone", value(name = "us"))]
    Microseconds,
    /// Nanoseconds.
    #[cfg_attr(feature = "standalone", value(name = "ns"))]
    Nanoseconds,
}

impl TimeUnit {
    /// How many nanoseconds one is, as a power of ten.
    pub(crate) fn power(self) -> i32 {
        match self {
            Self::Seconds => 9,
            Self::Milliseconds => 6,
            Self::Microseconds => 3,
            Self::Nanoseconds => 0,
        }
    }
}

/// How records are read.
#[derive(Clone, Debug, Default)]
pub struct DecodeOptions {
    /// The field that holds an event's time; without one, `ts`, else `timestamp`.
    pub time_field: Option<String>,
    /// What numbers in it count.
    pub time_unit: TimeUnit,
    /// Whether all of a JSON record is examined, not just what is needed. In every format, no field then rejects a record whose rest does not fit.
    pub strict_json: bool,
}

/// What a key says about an event's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeRole {
    /// Nothing.
    None,
    /// It is the event's time.
    Time,
    /// It is the event's time if nothing else is.
    Fallback,
}

/// What a key of a record is to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Role {
    /// Whether it is the event's time.
    pub(crate) time: TimeRole,
    /// Whether it names the event.
    pub(crate) names_event: bool,
    /// The field of the schema.
    pub(crate) field: Option<usize>,
}

impl Role {
    /// Of a key that nobody reads.
    pub(crate) const NOTHING: Self = Self { time: TimeRole::None, names_event: false, field: None };
}

/// The key roles of one event.
pub(crate) struct EventKeys {
    pub(crate) schema: Arc<EventSchema>,
    roles: HashMap<Box<[u8]>, Role, foldhash::fast::RandomState>,
}

impl EventKeys {
    /// The role of a key, unescaped.
    #[inline]
    pub(crate) fn role(&self, key: &[u8]) -> Role {
        self.roles.get(key).copied().unwrap_or(Role::NOTHING)
    }
}

/// All events of a program.
pub(crate) struct Catalogue {
    pub(crate) events: Vec<EventKeys>,
    names: HashMap<Box<[u8]>, usize, foldhash::fast::RandomState>,
    /// The event of records without a type, if the source carries just one.
    pub(crate) only: Option<usize>,
    /// The power of ten from the time's unit to ns.
    pub(crate) time_power: i32,
    /// Whether a record must fit even where its first fields reject it.
    pub(crate) strict: bool,
}

/// What an event's time is called when it is refused, whatever the field's name.
pub(crate) const TIME: &str = "event time";

/// The keys that name an event.
pub(crate) const TYPE_KEYS: [&[u8]; 2] = [b"type", b"event_type"];

impl Catalogue {
    pub(crate) fn new(events: &[EventSchema], options: &DecodeOptions) -> Self {
        let mut names = HashMap::default();
        for (index, event) in events.iter().enumerate() {
            names.entry(event.name.as_bytes().into()).or_insert(index);
        }
        Self {
            events: events.iter().map(|schema| EventKeys { schema: Arc::new(schema.clone()), roles: roles(schema, options) }).collect(),
            names,
            only: (events.len() == 1).then_some(0),
            time_power: options.time_unit.power(),
            strict: options.strict_json,
        }
    }

    /// The event of that name.
    #[inline]
    pub(crate) fn event_named(&self, name: &[u8]) -> Option<usize> {
        self.names.get(name).copied()
    }
}

fn roles(schema: &EventSchema, options: &DecodeOptions) -> HashMap<Box<[u8]>, Role, foldhash::fast::RandomState> {
    let mut roles: HashMap<Box<[u8]>, Role, _> = HashMap::default();
    for key in TYPE_KEYS {
        roles.entry(key.into()).or_insert(Role::NOTHING).names_event = true;
    }
    match &options.time_field {
        Some(name) => roles.entry(name.as_bytes().into()).or_insert(Role::NOTHING).time = TimeRole::Time,
        None => {
            roles.entry(b"ts".as_slice().into()).or_insert(Role::NOTHING).time = TimeRole::Time;
            roles.entry(b"timestamp".as_slice().into()).or_insert(Role::NOTHING).time = TimeRole::Fallback;
        }
    }
    for (index, field) in schema.fields.iter().enumerate() {
        roles.entry(field.name.as_bytes().into()).or_insert(Role::NOTHING).field = Some(index);
    }
    roles
}
