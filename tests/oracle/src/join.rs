//! Joins (§5): nested loops over both sides in the order of arrival.

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::{NodeId, Outer};

use crate::expression::holds;
use crate::record::Record;
use crate::stream::{Streams, same};
use crate::value::Value;

/// All pairs of equal key at most `span` apart when their later one arrives; without a span, each left record with the newest right one.
pub(crate) fn records(s: &mut Streams<'_>, id: NodeId, sides: [NodeId; 2], keys: [&Vec<Expr>; 2], span: Option<i64>) -> Vec<Record> {
    let mut arrivals = arrivals(s, id, sides, keys);
    // A null key takes part in no join.
    arrivals.retain(|(_, _, key)| !key.iter().any(Value::is_null));
    let mut pairs = vec![];
    for (at, (side, r, key)) in arrivals.iter().enumerate() {
        let partners: Vec<&Record> = arrivals[..at].iter().filter(|(o, _, k)| o != side && same(k, key)).map(|(_, r, _)| r).collect();
        match span {
            Some(span) => {
                for p in partners.into_iter().filter(|p| r.ts - p.ts <= span) {
                    let (left, right) = if *side == 0 { (r, p) } else { (p, r) };
                    pairs.push(pair(id, r, left, right));
                }
            }
            None if *side == 0 => pairs.extend(partners.last().map(|p| pair(id, r, r, p))),
            None => {}
        }
    }
    pairs
}

/// The records of both sides in the order of arrival, with their keys.
fn arrivals(s: &mut Streams<'_>, id: NodeId, sides: [NodeId; 2], keys: [&Vec<Expr>; 2]) -> Vec<(usize, Record, Vec<Value>)> {
    let mut arrivals: Vec<(usize, Record, Vec<Value>)> = vec![];
    for side in 0..2 {
        for r in s.records(sides[side]).iter() {
            // A side's key names its record by the side's number.
            let alone = Record { values: r.values.iter().map(|(p, v)| (renamed(p, side), v.clone())).collect(), ..r.clone() };
            let key = s.key(keys[side], &alone);
            arrivals.push((side, r.clone(), key));
        }
    }
    arrivals.sort_by_key(|(_, r, _)| r.moment.at(id.0));
    arrivals
}

/// The pairs that fulfil the condition when their later one arrives; and what is in none of them, with nulls, when no partner can come any more.
pub(crate) fn outer(s: &mut Streams<'_>, id: NodeId, sides: [NodeId; 2], keys: [&Vec<Expr>; 2], span: i64, outer: &Outer) -> Vec<Record> {
    let arrivals = arrivals(s, id, sides, keys);
    let mut joined = vec![false; arrivals.len()];
    let mut made = vec![];
    for (at, (side, r, key)) in arrivals.iter().enumerate() {
        for (other, (other_side, p, _)) in arrivals[..at].iter().enumerate().filter(|(_, (_, _, k))| same(k, key) && !key.iter().any(Value::is_null)) {
            if other_side == side || r.ts - p.ts > span {
                continue;
            }
            let (left, right) = if *side == 0 { (r, p) } else { (p, r) };
            let pair = pair(id, r, left, right);
            let read = |p: &Place| if let Place::Global(i) = p { s.globals[*i].clone() } else { pair.value(p) };
            let fits = outer.condition.as_ref().map_or(Ok(true), |condition| holds(condition, true, &read));
            if fits == Ok(true) {
                (joined[at], joined[other]) = (true, true);
            }
            // What refuses is told of behind the join.
            if fits != Ok(false) {
                made.push(pair);
            }
        }
    }
    for side in (0..2).filter(|side| outer.keeps[*side]) {
        for (at, (_, r, _)) in arrivals.iter().enumerate().filter(|(_, (of, _, _))| *of == side) {
            if !joined[at] {
                let nothing = (0..s.plan.columns_of(sides[1 - side]).len()).map(|field| (Place::Field { input: 1 - side, field }, Value::Null));
                let mut values: std::collections::BTreeMap<Place, Value> = nothing.collect();
                values.insert(Place::Ts { input: 1 - side }, Value::Null);
                values.insert(Place::Ts { input: side }, Value::Timestamp(r.ts));
                values.extend(r.values.iter().map(|(p, v)| (renamed(p, side), v.clone())));
                let due = r.ts.saturating_add(span);
                made.push(Record { moment: s.due(due.saturating_add(1), id), ts: due, values });
            }
        }
    }
    made
}

fn renamed(place: &Place, input: usize) -> Place {
    if let Place::Field { field, .. } = place { Place::Field { input, field: *field } } else { place.clone() }
}

fn pair(id: NodeId, last: &Record, left: &Record, right: &Record) -> Record {
    let mut values = std::collections::BTreeMap::new();
    for (input, r) in [left, right].into_iter().enumerate() {
        values.insert(Place::Ts { input }, Value::Timestamp(r.ts));
        values.extend(r.values.iter().map(|(p, v)| (renamed(p, input), v.clone())));
    }
    Record { moment: last.moment.at(id.0), ts: last.ts, values }
}
