//! Random programs and inputs whose outputs stand in a known relation to those of others.

use fastrand::Rng;

use super::expressions::{Scope, condition};
use super::input::value;
use super::streams::{event, pattern, window};
use super::{Event, Field, Program, Stream, Type, pick};

fn events(rng: &mut Rng) -> (Vec<Event>, Vec<(String, Vec<Field>)>) {
    let events: Vec<Event> = (0..rng.usize(1..4)).map(|i| event(rng, i)).collect();
    let sources = events.iter().map(|e| (e.name.clone(), e.fields.clone())).collect();
    (events, sources)
}

/// One stream: the records of an event for which a condition holds.
pub fn filtered(rng: &mut Rng) -> Program {
    let event = event(rng, 0);
    let condition = condition(rng, &Scope::new(&event.fields), 3).0;
    let operators = vec![format!(".where({condition})"), ".emit()".to_owned()];
    Program { streams: vec![Stream { head: format!("stream S = {}", event.name), operators }], events: vec![event] }
}

/// One stream: a pattern.
pub fn sequence(rng: &mut Rng) -> Program {
    let (events, sources) = events(rng);
    let (head, operators, _) = pattern(rng, &sources, &sources, "S");
    Program { events, streams: vec![Stream { head, operators }] }
}

/// One stream that is kept apart by `k`: a pattern, or windows, or something that passes records by what came before.
pub fn keyed(rng: &mut Rng) -> Program {
    let (events, sources) = events(rng);
    if rng.u8(..3) == 0 {
        let (head, mut operators, _) = pattern(rng, &sources, &sources, "S");
        if !operators.iter().any(|o| o.starts_with(".partition_by")) {
            operators.insert(1, ".partition_by(k)".to_owned());
        }
        return Program { events, streams: vec![Stream { head, operators }] };
    }
    let (from, fields) = pick(rng, &sources);
    let mut operators = vec![];
    if rng.bool() {
        operators.push(format!(".where({})", condition(rng, &Scope::new(&fields), 2).0));
    }
    operators.push(".partition_by(k)".to_owned());
    let key: Vec<Field> = fields.iter().filter(|f| f.name == "k").cloned().collect();
    match rng.u8(..6) {
        0 => operators.push(".limit(3)".to_owned()),
        1 => operators.push(".distinct(n, within: 2s)".to_owned()),
        2 => operators.push(".select(k, n, before: lag(n), x: lag(x, 2))".to_owned()),
        _ => {
            window(rng, &mut operators, &fields, &key);
            // The rows of all keys are what `.order_by` orders.
            operators.retain(|o| !o.starts_with(".order_by"));
        }
    }
    Program { events, streams: vec![Stream { head: format!("stream S = {from}"), operators }] }
}

/// NDJSON lines without fault, each later than the one before.
pub fn rising(rng: &mut Rng, program: &Program) -> Vec<String> {
    lines(rng, program, |rng, step| 1 + if rng.u8(..10) == 0 { rng.i64(0..step * 10) } else { rng.i64(0..step) })
}

/// NDJSON lines without fault: several at a time, and some late.
pub fn sound(rng: &mut Rng, program: &Program) -> Vec<String> {
    lines(rng, program, |rng, step| match rng.u8(..10) {
        0..=3 => 0,
        9 => -rng.i64(0..step * 3),
        _ => rng.i64(0..step),
    })
}

fn lines(rng: &mut Rng, program: &Program, passes: fn(&mut Rng, i64) -> i64) -> Vec<String> {
    let step = pick(rng, &[3_i64, 50, 700, 4_000]);
    let mut ts: i64 = pick(rng, &[0, 59_990, 1_700_000_000_000]);
    let mut lines = vec![];
    for _ in 0..rng.usize(5..80) {
        ts = (ts + passes(rng, step)).max(0);
        let event = pick(rng, &program.events);
        let members: Vec<String> = event.fields.iter().filter_map(|f| Some(format!(",\"{}\":{}", f.name, small(rng, f)?))).collect();
        lines.push(format!("{{\"type\":\"{}\",\"ts\":{ts}{}}}", event.name, members.concat()));
    }
    lines
}

/// A value; sums of integers stay far from their limits, so that nothing depends on the order in which they are added.
fn small(rng: &mut Rng, f: &Field) -> Option<String> {
    let value = value(rng, f)?;
    Some(if f.ty == Type::Int && value.len() > 10 { "7".to_owned() } else { value })
}

/// The time of such a line, in ms.
pub fn time(line: &str) -> i64 {
    line.split_once("\"ts\":").and_then(|(_, rest)| rest.split([',', '}']).next()?.parse().ok()).unwrap_or(0)
}

/// The line at another time, so many ms later.
pub fn later(line: &str, by: i64) -> String {
    let ts = time(line);
    line.replacen(&format!("\"ts\":{ts}"), &format!("\"ts\":{}", ts + by), 1)
}

/// What stands at `"k":` in such a line.
pub fn key(line: &str) -> Option<&str> {
    line.split_once("\"k\":").and_then(|(_, rest)| rest.split([',', '}']).next()).filter(|key| *key != "null")
}
