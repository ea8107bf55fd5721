//! Input (§4, §10): which lines are events, which of them are late, and in which order the others count.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserializer;
use varpulis_compiler::plan::logical::{Column, NodeId, NodeKind, Plan};

use crate::live;
use crate::rejected::Conditions;
use crate::stream::globals;
use crate::value::Value;

/// An event that is neither late nor invalid.
pub(crate) struct Event {
    /// The line it came in.
    pub line: usize,
    /// Its number in the plan.
    pub event: usize,
    pub ts: i64,
    /// The fields that are read.
    pub fields: BTreeMap<usize, Value>,
}

/// An event below the watermark that it found.
pub(crate) struct Late {
    pub event: Event,
    pub watermark: i64,
}

/// What became of each line.
#[derive(Default)]
pub(crate) struct Input {
    /// In the order of time, ties in the order of arrival.
    pub events: Vec<Event>,
    /// The times of the oldest and the newest event; `None` without events.
    pub span: Option<(i64, i64)>,
    pub late: Vec<usize>,
    /// What late events hold, in the order of arrival.
    pub late_events: Vec<Late>,
    pub invalid: Vec<usize>,
}

pub(crate) fn read(plan: &Plan, text: &str, examined: &dyn Fn(&str, &str) -> bool) -> Input {
    let mut live = live::columns(plan);
    let read = live.clone();
    for (node, columns) in plan.nodes.iter().zip(&mut live) {
        if let NodeKind::Source { event } = node.kind {
            let event = &plan.events[event];
            columns.retain(|column| examined(&event.name, &event.schema.columns[*column].name));
        }
    }
    let globals = globals(plan);
    let conditions = Conditions { plan, globals: &globals };
    let sources: BTreeMap<&str, (usize, NodeId)> = plan
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(node, n)| match n.kind {
            NodeKind::Source { event } => Some((plan.events[event].name.as_str(), (event, NodeId(node)))),
            _ => None,
        })
        .collect();
    let lag = sources.values().map(|(event, _)| plan.events[*event].out_of_order).max().unwrap_or(0);
    let mut input = Input::default();
    let mut newest = i64::MIN;
    for (at, text) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let line = Line::read(text);
        let (event, node) = match line.name(&sources) {
            Ok(Some(source)) => source,
            Ok(None) => continue,
            Err(()) => {
                input.invalid.push(at);
                continue;
            }
        };
        let schema = &plan.events[event].schema.columns;
        let (mut fields, fits) = line.fields(&live[node.0], schema);
        let Some(ts) = line.time().filter(|_| fits || conditions.reject(node, &fields)) else {
            input.invalid.push(at);
            continue;
        };
        let watermark = newest.saturating_sub(lag);
        if fits {
            // What is read here and examined by no one else does not matter: it is what it is, or nothing.
            for column in &read[node.0] {
                let value = || Value::read(line.get(&schema[*column].name), &schema[*column].ty).unwrap_or(Value::Null);
                fields.entry(*column).or_insert_with(value);
            }
        }
        let found = Event { line: at, event, ts, fields };
        if ts < watermark {
            input.late.push(at);
            input.late_events.extend(fits.then_some(Late { event: found, watermark }));
            continue;
        }
        newest = newest.max(ts);
        input.span = Some((input.span.map_or(ts, |(oldest, _)| oldest.min(ts)), newest));
        if fits {
            input.events.push(found);
        }
    }
    input.events.sort_by_key(|e| e.ts);
    input
}

/// A line, as far as it is JSON.
#[derive(Default)]
struct Line {
    /// Its members in order; of a repeated key the first counts.
    members: Vec<(String, serde_json::Value)>,
    /// Whether it is an object and nothing else.
    whole: bool,
}

impl Line {
    fn read(text: &str) -> Self {
        let mut line = Self::default();
        let mut json = serde_json::Deserializer::from_str(text);
        line.whole = json.deserialize_map(Entries(&mut line.members)).is_ok() && json.end().is_ok();
        line
    }

    fn get(&self, key: &str) -> Option<&serde_json::Value> {
        self.members.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The source of the line; `Ok(None)` if the program does not read its event.
    fn name<S: Copy>(&self, sources: &BTreeMap<&str, S>) -> Result<Option<S>, ()> {
        match self.members.iter().find(|(k, v)| (k == "type" || k == "event_type") && !v.is_null()) {
            Some((_, name)) => name.as_str().map(|name| sources.get(name).copied()).ok_or(()),
            None if self.whole && sources.len() == 1 => Ok(sources.values().next().copied()),
            None => Err(()),
        }
    }

    /// The fields before the first one that does not fit, and whether all fit. What lies behind the last one needed is not looked at.
    fn fields(&self, live: &BTreeSet<usize>, schema: &[Column]) -> (BTreeMap<usize, Value>, bool) {
        let mut fields = BTreeMap::new();
        for (key, json) in &self.members {
            let Some(column) = live.iter().find(|c| schema[**c].name == *key) else { continue };
            match Value::read(Some(json), &schema[*column].ty) {
                Some(value) => fields.insert(*column, value),
                None => return (fields, false),
            };
        }
        let missing: Vec<&usize> = live.iter().filter(|c| !fields.contains_key(c)).collect();
        let examined = missing.is_empty() && self.get("ts").is_some_and(|ts| !ts.is_null()) && (self.get("type").is_some() || self.get("event_type").is_some());
        if !(examined || self.whole) || missing.iter().any(|c| !schema[**c].ty.nullable) {
            return (fields, false);
        }
        let absent: Vec<(usize, Value)> = missing.into_iter().map(|c| (*c, Value::Null)).collect();
        fields.extend(absent);
        (fields, true)
    }

    fn time(&self) -> Option<i64> {
        let time = match self.get("ts").filter(|ts| !ts.is_null()) {
            Some(ts) => time(ts),
            None if self.whole => self.get("timestamp").and_then(time),
            None => None,
        };
        time.filter(|ns| (date("1700-01-01T00:00:00Z")..date("2200-01-01T00:00:00Z")).contains(&Some(*ns)))
    }
}

/// Milliseconds as a number, or a date and time in UTC, as nanoseconds.
pub(crate) fn time(json: &serde_json::Value) -> Option<i64> {
    if let Some(text) = json.as_str() {
        return date(text);
    }
    match json.as_i64() {
        Some(ms) => ms.checked_mul(1_000_000),
        // The whole milliseconds and the rest apart: nanoseconds of this century are no floats.
        None => json.as_f64().map(|ms| (ms.trunc() as i64).saturating_mul(1_000_000).saturating_add((ms.fract() * 1e6).round() as i64)),
    }
}

/// RFC 3339, as nanoseconds.
pub(crate) fn date(text: &str) -> Option<i64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let numbers = |text: &str, by: char| text.split(by).map(|p| p.parse::<i64>().ok()).collect::<Option<Vec<_>>>();
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at(zone);
    let offset = match zone {
        "Z" | "z" => 0,
        zone => {
            let [h, m] = numbers(zone.get(1..)?, ':')?[..] else { return None };
            (h * 60 + m) * if zone.starts_with('-') { -60 } else { 60 }
        }
    };
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let ([y, m, d], [h, min, s]) = (&numbers(date, '-')?[..], &numbers(clock, ':')?[..]) else { return None };
    let nanos: i64 = format!("{fraction:0<9}").get(..9)?.parse().ok()?;
    // Days from the civil calendar, by counting.
    let leap = |y: i64| (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    let days = |years: std::ops::Range<i64>| -> i64 { years.map(|y| if leap(y) { 366 } else { 365 }).sum() };
    let mut count = days(1970..*y) - days(*y..1970);
    let months = [31, if leap(*y) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    count += months.iter().take(usize::try_from(m - 1).ok()?).sum::<i64>() + d - 1;
    (((count * 24 + h) * 60 + min) * 60 + s - offset).checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Takes the members of an object as they come, so that those before an error are known.
struct Entries<'m>(&'m mut Vec<(String, serde_json::Value)>);

impl<'de> serde::de::Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        while let Some((key, Json(value))) = entries.next_entry::<String, Json>()? {
            if !self.0.iter().any(|(k, _)| *k == key) {
                self.0.push((key, value));
            }
        }
        Ok(())
    }
}

/// A value in which the first of repeated keys counts.
struct Json(serde_json::Value);

impl<'de> serde::Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_any(AnyJson).map(Json)
    }
}

struct AnyJson;

impl<'de> serde::de::Visitor<'de> for AnyJson {
    type Value = serde_json::Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a value")
    }
    fn visit_bool<E>(self, v: bool) -> Result<Self::Value, E> {
        Ok(v.into())
    }
    fn visit_i64<E>(self, v: i64) -> Result<Self::Value, E> {
        Ok(v.into())
    }
    fn visit_u64<E>(self, v: u64) -> Result<Self::Value, E> {
        Ok(v.into())
    }
    fn visit_f64<E>(self, v: f64) -> Result<Self::Value, E> {
        Ok(v.into())
    }
    fn visit_str<E>(self, v: &str) -> Result<Self::Value, E> {
        Ok(v.into())
    }
    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(serde_json::Value::Null)
    }
    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = vec![];
        while let Some(Json(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(all.into())
    }
    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut all = serde_json::Map::new();
        while let Some((key, Json(value))) = entries.next_entry::<String, Json>()? {
            all.entry(key).or_insert(value);
        }
        Ok(all.into())
    }
}
