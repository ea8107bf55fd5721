//! A compiled program as a value, and what it says of itself.

use std::borrow::Cow;
use std::sync::Arc;

use varpulis_abi::duration;
pub use varpulis_abi::scalar::Form;
use varpulis_abi::scalar::{Physical, Scalar};

use crate::event::Event;
use crate::input::Rejected;
use crate::output::Output;
use crate::state::Text;
use crate::value::Value;

/// A text of a schema: part of the program where that is compiled ahead of time, owned where it is compiled at run time.
pub type Name = Cow<'static, str>;

/// The variants of an enum, by their places; none of any other type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Variants {
    /// Part of the program.
    Fixed(&'static [&'static str]),
    /// Made at run time.
    Made(Arc<[String]>),
}

impl Variants {
    /// The name of a variant.
    pub fn get(&self, variant: usize) -> Option<&str> {
        match self {
            Self::Fixed(names) => names.get(variant).copied(),
            Self::Made(names) => names.get(variant).map(String::as_str),
        }
    }
    /// The variant of that name.
    pub fn position(&self, name: &str) -> Option<usize> {
        match self {
            Self::Fixed(names) => names.iter().position(|n| *n == name),
            Self::Made(names) => names.iter().position(|n| n == name),
        }
    }
}

/// One field of an event that the program reads.
#[derive(Clone, Debug)]
pub struct FieldSchema {
    /// Its name in the input.
    pub name: Name,
    /// Its type; nullable ones may be missing.
    pub ty: Physical,
    /// The variants, if it is an enum.
    pub variants: Variants,
    /// Of a `decimal`: how many digits it has, and how many of these are decimals.
    pub decimal: (u8, u8),
    /// How values of [packed](varpulis_abi::packed) types are made of others.
    pub form: Form,
    /// What they are made of: an array's element; a map's key and value; the parts of a tuple; the fields of a record, by their names.
    pub parts: Cow<'static, [FieldSchema]>,
}

impl FieldSchema {
    /// A field of a program compiled ahead of time.
    pub const fn new(name: &'static str, ty: Physical, variants: &'static [&'static str]) -> Self {
        Self { name: Cow::Borrowed(name), ty, variants: Variants::Fixed(variants), decimal: (0, 0), form: Form::Plain, parts: Cow::Borrowed(&[]) }
    }

    /// A field of a program compiled ahead of time whose values are made of others.
    pub const fn packed(name: &'static str, nullable: bool, form: Form, parts: &'static [FieldSchema]) -> Self {
        let ty = Physical { scalar: Scalar::Packed, nullable };
        Self { name: Cow::Borrowed(name), ty, variants: Variants::Fixed(&[]), decimal: (0, 0), form, parts: Cow::Borrowed(parts) }
    }

    /// A `decimal` of a program compiled ahead of time.
    pub const fn decimal(name: &'static str, nullable: bool, digits: u8, scale: u8) -> Self {
        let ty = Physical { scalar: Scalar::Decimal, nullable };
        Self { name: Cow::Borrowed(name), ty, variants: Variants::Fixed(&[]), decimal: (digits, scale), form: Form::Plain, parts: Cow::Borrowed(&[]) }
    }
}

/// One event that the program reads, with the fields in use only.
#[derive(Clone, Debug)]
pub struct EventSchema {
    /// The event's name in the input.
    pub name: Name,
    /// The fields in use; `ts` is not among them.
    pub fields: Cow<'static, [FieldSchema]>,
    /// How far it may lag behind the newest event, in ns (§4).
    pub out_of_order: i64,
    /// After how long without a record an input holds time back no longer, in ns; `None`: never.
    pub idle: Option<i64>,
}

impl EventSchema {
    /// An event of a program compiled ahead of time.
    pub const fn new(name: &'static str, fields: &'static [FieldSchema], out_of_order: i64) -> Self {
        Self { name: Cow::Borrowed(name), fields: Cow::Borrowed(fields), out_of_order, idle: None }
    }

    /// The same with inputs that are idle after so many ns.
    pub const fn with_idle(mut self, idle: i64) -> Self {
        self.idle = Some(idle);
        self
    }
}

/// One published stream.
#[derive(Clone, Debug)]
pub struct StreamSchema {
    /// The record type's name in the output.
    pub name: Name,
    /// Its fields, in declared order, without `type` and `ts`.
    pub fields: Cow<'static, [FieldSchema]>,
}

impl StreamSchema {
    /// A stream of a program compiled ahead of time.
    pub const fn new(name: &'static str, fields: &'static [FieldSchema]) -> Self {
        Self { name: Cow::Borrowed(name), fields: Cow::Borrowed(fields) }
    }
}

/// A place in the program's text that can refuse a record.
#[derive(Clone, Debug)]
pub struct Site {
    /// The stream whose record it refuses.
    pub stream: Name,
    /// The program's file.
    pub file: Name,
    /// From 1.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// The expression as written.
    pub text: Name,
}

impl Site {
    /// A place in a program compiled ahead of time.
    pub const fn new(stream: &'static str, file: &'static str, line: u32, column: u32, text: &'static str) -> Self {
        Self { stream: Cow::Borrowed(stream), file: Cow::Borrowed(file), line, column, text: Cow::Borrowed(text) }
    }
}

/// A `param` of the program.
#[derive(Clone, Debug)]
pub struct ParamSchema {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Physical,
    /// Its default as text, if it has one.
    pub default: Option<Name>,
}

impl ParamSchema {
    /// A parameter of a program compiled ahead of time.
    pub const fn new(name: &'static str, ty: Physical, default: Option<&'static str>) -> Self {
        let default = match default {
            Some(text) => Some(Cow::Borrowed(text)),
            None => None,
        };
        Self { name: Cow::Borrowed(name), ty, default }
    }
}

/// What a program says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Schema<'p> {
    /// The program's name.
    pub name: &'p str,
    /// The events it reads; [`Instance::event`] takes an index into this table.
    pub events: &'p [EventSchema],
    /// The streams it publishes.
    pub streams: &'p [StreamSchema],
    /// The places that can refuse a record.
    pub sites: &'p [Site],
    /// Its parameters.
    pub params: &'p [ParamSchema],
}

/// Values for a program's `param`s, as text; whoever sets them from code uses the program's typed builder instead.
#[derive(Clone, Debug, Default)]
pub struct Params {
    values: Vec<(String, String)>,
}

impl Params {
    /// Sets one; the last setting counts.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.values.push((name.into(), value.into()));
    }
    /// Refuses names that the program does not have.
    ///
    /// # Errors
    /// The first such name.
    pub fn check(&self, schemas: &[ParamSchema]) -> Result<(), String> {
        match self.names().find(|n| schemas.iter().all(|s| s.name != *n)) {
            Some(unknown) => Err(format!("the program has no parameter `{unknown}`")),
            None => Ok(()),
        }
    }

    fn parsed<T>(&self, name: &str, what: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, String> {
        match self.get(name) {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| format!("parameter `{name}` is {what}, not `{text}`")),
        }
    }

    /// An `int`, if it is set.
    ///
    /// # Errors
    /// The text set is none.
    pub fn int(&self, name: &str) -> Result<Option<i64>, String> {
        self.parsed(name, "an int", |t| t.replace('_', "").parse().ok())
    }
    /// A `decimal`, if it is set.
    ///
    /// # Errors
    /// The text set is none of its size.
    pub fn decimal(&self, schema: &FieldSchema) -> Result<Option<i128>, String> {
        let (digits, scale) = schema.decimal;
        let what = format!("a decimal of {digits} digits, {scale} of them behind the point");
        self.parsed(&schema.name, &what, |t| crate::scalar::exact_decimal_text(&t.replace('_', ""), scale, digits).ok())
    }
    /// A variant of an enum, by its name, if it is set.
    ///
    /// # Errors
    /// No variant has that name.
    pub fn variant(&self, schema: &FieldSchema) -> Result<Option<u32>, String> {
        let names: Vec<String> = (0..).map_while(|at| schema.variants.get(at)).map(|name| format!("`{name}`")).collect();
        let what = format!("one of {}", names.join(", "));
        self.parsed(&schema.name, &what, |t| schema.variants.position(t.trim()).and_then(|at| u32::try_from(at).ok()))
    }
    /// A value made of others, [packed](varpulis_abi::packed), if its JSON is set.
    ///
    /// # Errors
    /// The text set is no JSON of its type.
    pub fn packed(&self, schema: &FieldSchema) -> Result<Option<Text>, String> {
        let what = match schema.form {
            Form::Array => "an array as in JSON, of its type",
            Form::Tuple => "a tuple as in JSON, an array, of its type",
            Form::Plain | Form::Map | Form::Record => "an object as in JSON, of its type",
        };
        self.parsed(&schema.name, what, |t| crate::input::nested_text(t, schema).ok().map(Text::from))
    }
    /// A `float`, if it is set.
    ///
    /// # Errors
    /// The text set is none.
    pub fn float(&self, name: &str) -> Result<Option<f64>, String> {
        self.parsed(name, "a number", |t| t.replace('_', "").parse().ok())
    }
    /// A `bool`, if it is set.
    ///
    /// # Errors
    /// The text set is none.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, String> {
        self.parsed(name, "true or false", |t| t.parse().ok())
    }
    /// A `str`, if it is set.
    ///
    /// # Errors
    /// None; like the others for the sake of generated code.
    pub fn text(&self, name: &str) -> Result<Option<&str>, String> {
        Ok(self.get(name))
    }
    /// A `timestamp` in ns, if it is set: RFC 3339 or epoch milliseconds.
    ///
    /// # Errors
    /// The text set is none.
    pub fn timestamp(&self, name: &str) -> Result<Option<i64>, String> {
        self.parsed(name, "a timestamp", |t| match t.parse::<i64>() {
            Ok(millis) => millis.checked_mul(1_000_000),
            Err(_) => crate::scalar::timestamp_of_text(t).ok(),
        })
    }
    /// A `duration` in ns, if it is set: milliseconds, or a number with a unit such as `5m`.
    ///
    /// # Errors
    /// The text set is none.
    pub fn duration(&self, name: &str) -> Result<Option<i64>, String> {
        self.parsed(name, "a duration such as `5m`", |t| {
            let digits = t.bytes().take_while(u8::is_ascii_digit).count();
            let (number, unit) = t.split_at_checked(digits)?;
            let scale = duration::unit(if unit.is_empty() { "ms" } else { unit })?;
            number.parse::<i64>().ok()?.checked_mul(scale)
        })
    }
    /// The text set for it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.iter().rev().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
    /// Every name set.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(n, _)| n.as_str())
    }
}

/// Observations that do not change records: `.print`, `.log`, `.tap`, and what each operator holds.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Named counters (`.tap(counter: …)`) and cuts, in order of the program.
    pub named: Vec<(String, u64)>,
}

/// How many texts a counter tells apart: labels may have values without end.
const MOST_LABELS: usize = 10_000;
/// What all other texts are counted as.
const OTHER_LABELS: &str = "…";

/// A counter with labels (`.tap(counter: …, labels: […])`): one number for each text that they come to, in the order of the first of each.
/// Behind the first 10,000 texts the others have one number together.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    places: hashbrown::HashMap<String, usize, foldhash::fast::RandomState>,
    counts: Vec<u64>,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, label: &str) {
        let is_other = self.counts.len() >= MOST_LABELS && !self.places.contains_key(label);
        let label = if is_other { OTHER_LABELS } else { label };
        let place = *self.places.entry_ref(label).or_insert_with(|| {
            self.counts.push(0);
            self.counts.len() - 1
        });
        if let Some(count) = self.counts.get_mut(place) {
            *count += 1;
        }
    }

    /// The numbers, by names such as `name{region=\"eu\"}`.
    pub fn counts(&self, name: &str) -> Vec<(String, u64)> {
        let mut all: Vec<_> = self.places.iter().collect();
        all.sort_unstable_by_key(|(_, place)| **place);
        all.into_iter().filter_map(|(label, place)| Some((format!("{name}{{{label}}}"), *self.counts.get(*place)?))).collect()
    }
}

/// A running program: events in, rows out. It owns all its state, is `Send`, and has no globals.
pub trait Instance: Sized + Send {
    /// Any published record.
    type Row<'a>: crate::output::WriteRecord;

    /// What the program says of itself.
    fn schema(&self) -> Schema<'_>;

    /// Takes one decoded event: its place in [`Schema::events`], its time (ns since the epoch) and the fields of its schema.
    /// A late one goes to [`Output::late`], and nothing else happens.
    fn event<O: Output<Self>>(&mut self, event: usize, ts: i64, values: &[Value<'_>], out: &mut O);

    /// Takes many events, in their order: the same as [`Instance::event`] for each, at less cost where the program was compiled at run time.
    #[inline]
    fn events<O: Output<Self>>(&mut self, events: &[Event<'_>], out: &mut O) {
        for event in events {
            self.event(event.event(), event.ts(), event.values(), out);
        }
    }

    /// Whether an event is rejected by those of its fields that are marked in `read`, whatever the others hold: every stream that reads the
    /// event begins with a condition over one such field that is not true.
    fn rejects(&self, _event: usize, _values: &[Value<'_>], _read: &[bool]) -> bool {
        false
    }

    /// Takes an event that is [rejected](Instance::rejects): its time counts, and nothing else does. A late one goes to [`Output::late`].
    fn rejected<O: Output<Self>>(&mut self, _record: &Rejected<'_>, _out: &mut O) {}

    /// No event below `watermark` will come: what waits for that is done.
    fn advance<O: Output<Self>>(&mut self, watermark: i64, out: &mut O);

    /// The machine's time, in ns since the epoch, at which [`Instance::tick`] has something to do: `i64::MAX` if nothing waits for it now, `None`
    /// if nothing ever does.
    fn machine_deadline(&self) -> Option<i64> {
        None
    }

    /// Windows by the machine's time fire whose end has come, as [`Output::wall_clock`] says. Call it now and then while no event comes; records
    /// let time go on by themselves.
    fn tick<O: Output<Self>>(&mut self, _out: &mut O) {}

    /// The end of the input: every window fires, every deadline passes.
    fn finish<O: Output<Self>>(&mut self, out: &mut O) {
        self.advance(i64::MAX, out);
    }

    /// What `.tap` counted and what was cut.
    fn counters(&self) -> Counters {
        Counters::default()
    }
}

/// A program compiled ahead of time: it is a type, so that what it says of itself is known without an instance.
pub trait Program: Instance {
    /// The program's name.
    const NAME: &'static str;
    /// The events it reads.
    const EVENTS: &'static [EventSchema];
    /// The streams it publishes.
    const STREAMS: &'static [StreamSchema];
    /// The places that can refuse a record.
    const SITES: &'static [Site];
    /// Its parameters.
    const PARAMS: &'static [ParamSchema];
    /// All of these.
    const SCHEMA: Schema<'static> = Schema { name: Self::NAME, events: Self::EVENTS, streams: Self::STREAMS, sites: Self::SITES, params: Self::PARAMS };

    /// A fresh instance.
    ///
    /// # Errors
    /// A parameter is unknown, missing, or not of its type; the text says which and why.
    fn with_params(params: &Params) -> Result<Self, String>;
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;

    #[test]
    fn labels_without_end_are_counted_together() {
        let mut tally = Tally::default();
        for n in 0..MOST_LABELS + 5 {
            tally.count(&format!("n=\"{n}\""));
        }
        tally.count("n=\"7\"");
        let counts = tally.counts("seen");
        assert_eq!(counts.len(), MOST_LABELS + 1);
        assert_eq!((&counts[7], &counts[MOST_LABELS]), (&("seen{n=\"7\"}".to_owned(), 2), &("seen{…}".to_owned(), 5)));
    }
}
