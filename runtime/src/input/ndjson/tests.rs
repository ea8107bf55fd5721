//! The two paths against each other, and both against serde_json.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use super::*;
use crate::program::FieldSchema;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value as Json;
use varpulis_abi::scalar::{Physical, Scalar};

const fn field(name: &'static str, scalar: Scalar, nullable: bool) -> FieldSchema {
    FieldSchema::new(name, Physical { scalar, nullable }, &["Buy", "Sell"])
}

const TRADE: EventSchema = EventSchema::new(
    "Trade",
    const {
        &[
            field("symbol", Scalar::Text, false),
            field("price", Scalar::Float, false),
            field("volume", Scalar::Int, false),
            field("venue", Scalar::Text, true),
            field("side", Scalar::Enum, true),
            field("extra", Scalar::Json, true),
        ]
    },
    0,
);
const QUOTE: EventSchema = EventSchema::new(
    "Quote",
    const { &[field("timestamp", Scalar::Timestamp, true), field("hold", Scalar::Duration, true), field("live", Scalar::Bool, true)] },
    0,
);
const BOTH: &[EventSchema] = &[TRADE, QUOTE];
const ONE: &[EventSchema] = &[TRADE];

fn options() -> DecodeOptions {
    DecodeOptions::default()
}

/// A result that owns what it says.
#[derive(Debug, PartialEq)]
struct Read(Decoded, Vec<String>);

fn read(decoder: &mut Ndjson, line: &[u8], general: bool) -> Read {
    let mut values = Vec::new();
    let decoded = if general { decoder.decode_generally(line, &mut values) } else { decoder.decode(line, &mut values) };
    let values = if matches!(decoded, Decoded::Event { .. }) { values.iter().map(|v| format!("{v:?}")).collect() } else { Vec::new() };
    Read(decoded, values)
}

fn one(line: &str) -> Read {
    read(&mut Ndjson::new(BOTH, &options()), line.as_bytes(), false)
}

fn refused(line: &str) -> (Reason, Option<&'static str>) {
    match one(line).0 {
        Decoded::Invalid(invalid) => (invalid.reason, invalid.field.map(|name| &*name.into_owned().leak())),
        other => panic!("{line}: {other:?}"),
    }
}

fn trade(members: &str) -> String {
    format!(r#"{{"type":"Trade","ts":1500,"symbol":"A","price":1,"volume":2{members}}}"#)
}

#[test]
fn values_fit_as_the_language_says() {
    let all = r#"{ "side" : "Sell" , "ts":1.0005e3,"x":[1,{"a":"}"}],"price":-0.25,"volume":3.0,"symbol":"a\u00e9\"","extra":{"k": [1]},"venue":null,"event_type":"Trade"}"#;
    let expected = ["Text(\"aé\\\"\")", "Float(-0.25)", "Int(3)", "Null", "Enum(1)", "Json(\"{\\\"k\\\":[1]}\")"];
    assert_eq!(one(all), Read(Decoded::Event { event: 0, ts: 1_000_500_000 }, expected.map(str::to_owned).to_vec()));
    let quote = r#"{"type":"Quote","timestamp":"1970-01-01T00:00:01Z","hold":1.5,"live":true}"#;
    let expected = ["Timestamp(1000000000)", "Duration(1500000)", "Bool(true)"];
    assert_eq!(one(quote), Read(Decoded::Event { event: 1, ts: 1_000_000_000 }, expected.map(str::to_owned).to_vec()));
    assert_eq!(one(r#"{"type":"Other","price":"x"#).0, Decoded::Skipped);
    assert_eq!(one(r#"{"price":"x","type":"Other""#).0, Decoded::Skipped);
    // What lies beyond the last field needed is not looked at.
    let full = trade(r#","venue":"v","side":"Buy","extra":1, "#).trim_end_matches('}').to_owned();
    assert!(matches!(one(&full).0, Decoded::Event { .. }));
    // Of a repeated key the first counts.
    assert!(matches!(one(&trade(r#","price":"x""#)).0, Decoded::Event { .. }));
    assert_eq!(one(r#"{"type":"Quote","timestamp":1,"ts":2}"#).0, Decoded::Event { event: 1, ts: 2_000_000 });
    assert_eq!(one(r#"{"type":"Quote","timestamp":1,"ts":null}"#).0, Decoded::Event { event: 1, ts: 1_000_000 });
}

#[test]
fn refusals_name_reason_and_field() {
    let at = |replaced: &str, by: &str| refused(&trade("").replace(replaced, by));
    assert_eq!(at("\"price\":1", "\"price\":\"1\""), (Reason::WrongType, Some("price")));
    assert_eq!(at("\"price\":1", "\"price\":1e999"), (Reason::OutOfRange, Some("price")));
    assert_eq!(at("\"price\":1", "\"price\":01"), (Reason::Malformed, Some("price")));
    assert_eq!(at("\"price\":1", "\"price\":null"), (Reason::MissingField, Some("price")));
    assert_eq!(at("\"price\":1,", ""), (Reason::MissingField, Some("price")));
    assert_eq!(at("\"volume\":2", "\"volume\":2.5"), (Reason::WrongType, Some("volume")));
    assert_eq!(at("\"volume\":2", "\"volume\":9223372036854775808"), (Reason::OutOfRange, Some("volume")));
    assert_eq!(at("\"symbol\":\"A\"", "\"symbol\":\"\\ud800\""), (Reason::Malformed, Some("symbol")));
    assert_eq!(at("\"symbol\":\"A\"", "\"symbol\":\"\u{1}\""), (Reason::Malformed, Some("symbol")));
    assert_eq!(at("1500", "true"), (Reason::WrongType, Some("event time")));
    assert_eq!(at("1500", "\"noon\""), (Reason::WrongType, Some("event time")));
    assert_eq!(at("1500", "1e30"), (Reason::OutOfRange, Some("event time")));
    assert_eq!(at("\"ts\":1500,", ""), (Reason::NoTimestamp, Some("event time")));
    assert_eq!(at("\"type\":\"Trade\",", ""), (Reason::NoType, None));
    assert_eq!(at("\"Trade\"", "7"), (Reason::WrongType, Some("type")));
    assert_eq!(refused(&trade(r#","side":"Hold""#)), (Reason::UnknownVariant, Some("side")));
    assert_eq!(refused(&trade(r#","extra":[1"#)), (Reason::Malformed, Some("extra")));
    for line in ["", "[]", "{", "{\"a\"", "{} x", "nonsense", "{\"a\":1,}", "{,\"a\":1}", "\"text\""] {
        assert!(matches!(one(line).0, Decoded::Invalid(Invalid { reason: Reason::Malformed | Reason::NoType, .. })), "{line}");
    }
    let mut line = trade("").into_bytes();
    let place = line.windows(3).position(|w| w == b"\"A\"").unwrap() + 1;
    line[place] = 0xff;
    let found = read(&mut Ndjson::new(BOTH, &options()), &line, false).0;
    assert_eq!(found, Decoded::Invalid(Invalid { reason: Reason::InvalidUtf8, field: Some("symbol".into()), offset: place }));
}

#[test]
fn options_change_time_and_care() {
    let mut decoder = Ndjson::new(ONE, &DecodeOptions { time_field: Some("when".to_owned()), time_unit: crate::input::TimeUnit::Seconds, strict_json: true });
    let line = r#"{"symbol":"A","ts":"no time","when":1.5,"price":1,"volume":2}"#;
    assert_eq!(read(&mut decoder, line.as_bytes(), false).0, Decoded::Event { event: 0, ts: 1_500_000_000 });
    let broken = line.replace("no time", "\\x");
    assert!(matches!(read(&mut decoder, broken.as_bytes(), false).0, Decoded::Invalid(_)));
}

#[test]
fn a_layout_once_met_is_used() {
    let mut decoder = Ndjson::new(BOTH, &options());
    let line = trade(r#","other":[1,2],"venue":"v","side":"Buy","extra":{}"#);
    assert!(decoder.layouts[0].read(line.as_bytes(), 15, &TRADE, 6, &mut Vec::new()).is_none());
    read(&mut decoder, line.as_bytes(), false);
    let next = line.replace("1500", "1600.25").replace("\"A\"", "\"BCDEFGHIJK\"");
    assert_eq!(decoder.layouts[0].read(next.as_bytes(), 15, &TRADE, 6, &mut Vec::new()), Some(1_600_250_000));
}

const KEYS: [&str; 15] =
    ["type", "event_type", "ts", "timestamp", "symbol", "price", "volume", "venue", "side", "extra", "hold", "live", "unknown", "pri\\u0063e", "é"];

/// A value for a key: mostly one that fits, and never the same, so that mixing up two is noticed.
fn value_for(key: &'static str) -> impl Strategy<Value = String> {
    let fitting = match key {
        "type" | "event_type" => select(vec!["\"Trade\"", "\"Trade\"", "\"Trade\"", "\"Quote\"", "\"Other\""]).prop_map(str::to_owned).boxed(),
        "ts" | "timestamp" | "hold" | "volume" => (0..1_000_000_000_i64).prop_map(|i| i.to_string()).boxed(),
        "price" | "pri\\u0063e" => prop_oneof![
            (0..100_000_u32, 0..1000_u32).prop_map(|(a, b)| format!("{a}.{b}")),
            any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| serde_json::to_string(&f).unwrap()),
        ]
        .boxed(),
        "symbol" | "venue" => "\"[a-z,:{}\\]]{0,12}\"".boxed(),
        "side" => select(vec!["\"Buy\"", "\"Sell\""]).prop_map(str::to_owned).boxed(),
        "live" => select(vec!["true", "false"]).prop_map(str::to_owned).boxed(),
        _ => value().boxed(),
    };
    prop_oneof![20 => fitting, 2 => Just("null".to_owned()), 1 => value()]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["\"Trade\"", "\"Quote\"", "\"Other\"", "\"Buy\"", "null", "true", "false", "1", "1.0", "1.5", "-0", "0", "1e2", "1.25E-3",
            "123456789012345678901234567890", "9223372036854775807", "-9223372036854775808", "\"\"", "\"a\\nb\"", "\"\\ud83d\\ude00\"", "\"\\ud800\"",
            "[1,{\"a\":[]}]", "{}", "\"2026-01-23T10:00:00Z\"", "tru", "01", "1.", "\"a", "-", "1e999", "0.1234567890123456789"]).prop_map(str::to_owned),
        1 => any::<f64>().prop_filter("finite", |f| f.is_finite()).prop_map(|f| serde_json::to_string(&f).unwrap()),
        1 => any::<i64>().prop_map(|i| i.to_string()),
        1 => any::<String>().prop_map(|s| serde_json::to_string(&s).unwrap()),
    ]
}

/// Lines of one layout, as far as values, left out members and broken bytes let them be.
fn lines() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let spaces = select(vec![("", "", ""), ("", " ", " "), (" ", "", "\t "), ("\r\n", " ", "")]);
    let needed = prop::sample::subsequence(vec!["type", "ts", "timestamp", "symbol", "price", "volume"], 4..=6);
    let layout = (needed, prop::collection::vec(select(KEYS.to_vec()), 0..5)).prop_flat_map(|(mut keys, more)| {
        keys.extend(more);
        (Just(keys.clone()).prop_shuffle(), any::<bool>()).prop_map(move |(shuffled, shuffle)| if shuffle { shuffled } else { keys.clone() })
    });
    (layout, spaces).prop_flat_map(|(keys, spaces)| prop::collection::vec(line(keys, spaces), 5))
}

fn line(keys: Vec<&'static str>, (before, colon, comma): (&'static str, &'static str, &'static str)) -> impl Strategy<Value = Vec<u8>> {
    let members: Vec<_> =
        keys.into_iter().map(|key| (value_for(key), prop::bool::weighted(0.02)).prop_map(move |(value, left_out)| (key, value, left_out))).collect();
    let mutation = prop::option::weighted(0.05, (any::<prop::sample::Index>(), select(b"\",:{}[]\\ 0en\xff\x01".to_vec())));
    (members, mutation).prop_map(move |(members, mutation)| {
        let kept = members.iter().filter(|(_, _, left_out)| !left_out);
        let text: Vec<String> = kept.map(|(key, value, _)| format!("\"{key}\"{before}:{colon}{value}")).collect();
        let mut line = format!("{before}{{{}{comma}}}{before}", text.join(&format!(",{comma}"))).into_bytes();
        if let Some((place, byte)) = mutation {
            let at = place.index(line.len());
            line[at] = byte;
        }
        line
    })
}

/// What the language says of a line that is valid JSON, by another parser. `None` if it is refused.
fn oracle(line: &[u8], events: &[EventSchema]) -> Option<Option<(usize, i64, Vec<String>)>> {
    let text = std::str::from_utf8(line).ok()?;
    let members: Vec<(String, Box<serde_json::value::RawValue>)> = ordered(text)?;
    let first = |key: &str| members.iter().find(|(k, _)| k == key).map(|(_, v)| v.get()).filter(|v| *v != "null");
    let Some(event) = named(&members, events)? else { return Some(None) };
    let ts = time_in(&members)?;
    let mut values = Vec::new();
    for field in &*events[event].fields {
        let value = match first(&field.name) {
            None if field.ty.nullable => Value::Null,
            None => return None,
            Some(raw) => {
                let owned = fitting(field, raw)?;
                values.push(owned);
                continue;
            }
        };
        values.push(format!("{value:?}"));
    }
    Some(Some((event, ts, values)))
}

type Members = [(String, Box<serde_json::value::RawValue>)];

/// The event that a record names: `Some(None)` if the program does not read it.
fn named(members: &Members, events: &[EventSchema]) -> Option<Option<usize>> {
    match members.iter().find(|(k, v)| (k == "type" || k == "event_type") && v.get() != "null") {
        Some((_, name)) => {
            let name: String = serde_json::from_str(name.get()).ok()?;
            Some(events.iter().position(|e| e.name == name))
        }
        None => (events.len() == 1).then_some(Some(0)),
    }
}

fn time_in(members: &Members) -> Option<i64> {
    let first = |key: &str| members.iter().find(|(k, _)| k == key).map(|(_, v)| v.get()).filter(|v| *v != "null");
    nanoseconds(first("ts").or_else(|| first("timestamp"))?)
}

/// A value that is not null as a field.
fn fitting(field: &FieldSchema, raw: &str) -> Option<String> {
    let json: Json = serde_json::from_str(raw).ok()?;
    Some(match (field.ty.scalar, json.as_str()) {
        (Scalar::Text, Some(text)) => format!("{:?}", Value::Text(text)),
        (Scalar::Enum, Some(text)) => format!("{:?}", Value::Enum(["Buy", "Sell"].iter().position(|v| *v == text)? as u32)),
        (Scalar::Bool, _) => format!("{:?}", Value::Bool(json.as_bool()?)),
        (Scalar::Json, _) => {
            let mut form = String::new();
            crate::input::canonical::canonical(raw, &mut form).ok()?;
            format!("{:?}", Value::Json(&form))
        }
        (Scalar::Timestamp, _) => format!("{:?}", Value::Timestamp(nanoseconds(raw)?)),
        (Scalar::Duration, None) if json.is_number() => format!("{:?}", Value::Duration(nanoseconds(raw)?)),
        (Scalar::Float, None) if json.is_number() => format!("{:?}", Value::Float(raw.parse::<f64>().ok().filter(|f| f.is_finite())?)),
        (Scalar::Int, None) if json.is_number() => format!("{:?}", Value::Int(shifted(raw, 0).filter(|(_, cut)| !cut)?.0)),
        _ => return None,
    })
}

/// Which fields of an event stand before the first one that does not fit, and their values. A time that does not fit ends them too.
fn fields_before(members: &Members, event: &EventSchema) -> Vec<Option<String>> {
    let mut read: Vec<Option<String>> = vec![None; event.fields.len()];
    for (at, (key, value)) in members.iter().enumerate() {
        let raw = value.get();
        if members[..at].iter().any(|(before, _)| before == key) {
            continue;
        }
        if key == "ts" && raw != "null" && nanoseconds(raw).is_none() {
            break;
        }
        let Some(index) = event.fields.iter().position(|f| f.name == **key) else { continue };
        let field = &event.fields[index];
        let value = if raw == "null" { field.ty.nullable.then(|| format!("{:?}", Value::Null)) } else { fitting(field, raw) };
        let Some(value) = value else { break };
        read[index] = Some(value);
    }
    read
}

/// What a decoder says of a line that it found invalid, under conditions that some of the fields fail: the event, its time, and what was read.
fn rejected(decoder: &mut Ndjson, line: &[u8], fail: u8) -> Option<(usize, i64, Vec<Option<String>>)> {
    let found = decoder.rejected(line, &|_, _, read| read.iter().enumerate().any(|(at, read)| *read && fail >> at & 1 == 1))?;
    let values = found.values.iter().zip(found.read).map(|(value, read)| read.then(|| format!("{value:?}")));
    Some((found.event, found.ts, values.collect()))
}

/// Milliseconds or RFC 3339, in ns, rounded down.
fn nanoseconds(raw: &str) -> Option<i64> {
    match serde_json::from_str(raw).ok()? {
        Json::String(text) => crate::scalar::timestamp_of_text(&text).ok(),
        Json::Number(_) => shifted(raw, 6).and_then(|(whole, cut)| whole.checked_sub(i64::from(cut && raw.starts_with('-')))),
        _ => None,
    }
}

/// A number's text times a power of ten, by moving its point: the whole part, and whether anything is left behind the point.
fn shifted(raw: &str, power: i64) -> Option<(i64, bool)> {
    let lower = raw.to_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let (whole, decimals) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |rest| ("-", rest));
    let digits = format!("{whole}{decimals}");
    if digits.bytes().all(|digit| digit == b'0') {
        return Some((0, false));
    }
    let point = whole.len() as i64 + exponent.parse::<i64>().ok()? + power;
    if point > 400 {
        return None;
    }
    let padded = format!("{digits}{}", "0".repeat((point - digits.len() as i64).max(0) as usize));
    let (kept, cut) = padded.split_at(point.max(0) as usize);
    let value = if kept.is_empty() { 0 } else { format!("{sign}{kept}").parse().ok()? };
    Some((value, cut.bytes().any(|digit| digit != b'0')))
}

/// An object's members in order, repeated ones included.
fn ordered(text: &str) -> Option<Vec<(String, Box<serde_json::value::RawValue>)>> {
    struct Visitor;
    impl<'de> serde::de::Visitor<'de> for Visitor {
        type Value = Vec<(String, Box<serde_json::value::RawValue>)>;
        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    serde::Deserializer::deserialize_map(&mut serde_json::Deserializer::from_str(text), Visitor).ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn both_paths_agree_on_every_line(lines in lines(), single in any::<bool>(), strict in any::<bool>()) {
        let events = if single { ONE } else { BOTH };
        let mut fast = Ndjson::new(events, &options());
        let mut strict_decoder = Ndjson::new(events, &DecodeOptions { strict_json: true, ..options() });
        for line in &lines {
            let general = read(&mut Ndjson::new(events, &options()), line, true);
            prop_assert_eq!(&read(&mut fast, line, false), &general, "{}", String::from_utf8_lossy(line));
            if strict {
                let examined = read(&mut strict_decoder, line, false);
                let valid = serde_json::from_slice::<Json>(line).is_ok_and(|v| v.is_object());
                prop_assert!(examined == general || (!valid && matches!(examined.0, Decoded::Invalid(_))), "{}", String::from_utf8_lossy(line));
            }
        }
    }

    #[test]
    fn valid_lines_mean_what_another_parser_says(lines in lines(), single in any::<bool>()) {
        let events = if single { ONE } else { BOTH };
        let mut decoder = Ndjson::new(events, &options());
        for line in &lines {
            if !serde_json::from_slice::<Json>(line).is_ok_and(|v| v.is_object()) { continue; }
            let shown = String::from_utf8_lossy(line).into_owned();
            let found = read(&mut decoder, line, false);
            match (oracle(line, events), found.0) {
                (None, Decoded::Invalid(_)) | (Some(None), Decoded::Skipped) => {}
                (Some(Some((event, ts, values))), Decoded::Event { event: e, ts: t }) => {
                    prop_assert_eq!((event, ts, values), (e, t, found.1), "{}", &shown);
                }
                (expected, found) => prop_assert!(false, "{} {:?} {:?}", shown, expected, found),
            }
        }
    }

    #[test]
    fn fields_before_the_place_at_fault_reject(lines in lines(), single in any::<bool>(), fail in any::<u8>()) {
        let events = if single { ONE } else { BOTH };
        let mut fast = Ndjson::new(events, &options());
        let mut strict = Ndjson::new(events, &DecodeOptions { strict_json: true, ..options() });
        for line in &lines {
            let shown = String::from_utf8_lossy(line).into_owned();
            let mut general = Ndjson::new(events, &options());
            let invalid = matches!(read(&mut fast, line, false).0, Decoded::Invalid(_));
            read(&mut general, line, true);
            read(&mut strict, line, false);
            if !invalid { continue; }
            let found = rejected(&mut fast, line, fail);
            prop_assert_eq!(&rejected(&mut general, line, fail), &found, "{}", &shown);
            prop_assert_eq!(rejected(&mut strict, line, fail), None);
            if !serde_json::from_slice::<Json>(line).is_ok_and(|v| v.is_object()) { continue; }
            let members = ordered(&shown).unwrap();
            let (event, ts) = (named(&members, events).flatten(), time_in(&members));
            let expected = event.zip(ts).and_then(|(event, ts)| {
                let read = fields_before(&members, &events[event]);
                read.iter().enumerate().any(|(at, v)| v.is_some() && fail >> at & 1 == 1).then_some((event, ts, read))
            });
            prop_assert_eq!(found, expected, "{}", shown);
        }
    }
}
