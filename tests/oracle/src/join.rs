//! Joins (§5): nested loops over both sides in the order of arrival.

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::NodeId;

use crate::record::Record;
use crate::stream::{Streams, same};
use crate::value::Value;

/// All pairs of equal key at most `span` apart when their later one arrives; without a span, each left record with the newest right one.
pub(crate) fn records(s: &mut Streams<'_>, id: NodeId, sides: [NodeId; 2], keys: [&Vec<Expr>; 2], span: Option<i64>) -> Vec<Record> {
    let mut arrivals: Vec<(usize, Record, Vec<Value>)> = vec![];
    for side in 0..2 {
        for r in s.records(sides[side]).iter() {
            // A side's key names its record by the side's number.
            let alone = Record { values: r.values.iter().map(|(p, v)| (renamed(p, side), v.clone())).collect(), ..r.clone() };
            let key = s.key(keys[side], &alone);
            // A null key takes part in no join.
            if !key.iter().any(Value::is_null) {
                arrivals.push((side, r.clone(), key));
            }
        }
    }
    arrivals.sort_by_key(|(_, r, _)| r.moment.at(id.0));
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
