//! Input (§4, §10): which lines are events, which of them are late, and in which order the others count.

use std::collections::BTreeMap;

use varpulis_compiler::plan::logical::{NodeKind, Plan};

use crate::live;
use crate::value::Value;

/// An event that is neither late nor invalid.
pub(crate) struct Event {
    /// Its number in the plan.
    pub event: usize,
    pub ts: i64,
    /// The fields that are read.
    pub fields: BTreeMap<usize, Value>,
}

/// What became of each line.
#[derive(Default)]
pub(crate) struct Input {
    /// In the order of time, ties in the order of arrival.
    pub events: Vec<Event>,
    pub late: Vec<usize>,
    pub invalid: Vec<usize>,
}

pub(crate) fn read(plan: &Plan, text: &str) -> Input {
    let live = live::columns(plan);
    let sources: BTreeMap<&str, (usize, usize)> = plan
        .nodes
        .iter()
        .enumerate()
        .filter_map(|(node, n)| match n.kind {
            NodeKind::Source { event } => Some((plan.events[event].name.as_str(), (event, node))),
            _ => None,
        })
        .collect();
    let lag = sources.values().map(|(event, _)| plan.events[*event].out_of_order).max().unwrap_or(0);
    let mut input = Input::default();
    let mut newest = i64::MIN;
    for (at, line) in text.lines().enumerate().filter(|(_, l)| !l.trim().is_empty()) {
        let Ok(Object(object)) = serde_json::from_str(line) else {
            input.invalid.push(at);
            continue;
        };
        let name = object.get("type").or_else(|| object.get("event_type")).and_then(|t| t.as_str());
        let source = match (name, sources.len()) {
            (Some(name), _) => match sources.get(name) {
                Some(source) => *source,
                None => continue,
            },
            (None, 1) => *sources.values().next().unwrap(),
            (None, _) => {
                input.invalid.push(at);
                continue;
            }
        };
        let schema = &plan.events[source.0].schema.columns;
        let fields: Option<BTreeMap<usize, Value>> =
            live[source.1].iter().map(|c| Some((*c, Value::read(object.get(&schema[*c].name), &schema[*c].ty)?))).collect();
        let ts = object.get("ts").or_else(|| object.get("timestamp")).and_then(time);
        let (Some(fields), Some(ts)) = (fields, ts) else {
            input.invalid.push(at);
            continue;
        };
        if ts < newest.saturating_sub(lag) {
            input.late.push(at);
            continue;
        }
        newest = newest.max(ts);
        input.events.push(Event { event: source.0, ts, fields });
    }
    input.events.sort_by_key(|e| e.ts);
    input
}

/// Milliseconds as a number, or a date and time in UTC, as nanoseconds.
pub(crate) fn time(json: &serde_json::Value) -> Option<i64> {
    if let Some(text) = json.as_str() {
        return date(text);
    }
    match json.as_i64() {
        Some(ms) => ms.checked_mul(1_000_000),
        None => json.as_f64().map(|ms| (ms * 1e6).round() as i64),
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
    let mut count: i64 = (1970..*y).map(|y| if leap(y) { 366 } else { 365 }).sum();
    let months = [31, if leap(*y) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    count += months.iter().take(usize::try_from(m - 1).ok()?).sum::<i64>() + d - 1;
    Some((((count * 24 + h) * 60 + min) * 60 + s - offset) * 1_000_000_000 + nanos)
}

/// A line as an object; of a repeated key the first counts.
struct Object(serde_json::Map<String, serde_json::Value>);

impl<'de> serde::Deserialize<'de> for Object {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> serde::de::Visitor<'de> for Entries {
    type Value = Object;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut entries: A) -> Result<Object, A::Error> {
        let mut object = serde_json::Map::new();
        while let Some((key, value)) = entries.next_entry::<String, serde_json::Value>()? {
            object.entry(key).or_insert(value);
        }
        Ok(Object(object))
    }
}
