//! The highest records of a window (§5): its records, sorted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::{NodeId, Rank, Window};

use crate::record::Record;
use crate::stream::{Streams, same};
use crate::value::Value;
use crate::window::windows_of;

/// The records of one key in one window, in order of arrival.
struct Group {
    window: (i64, i64),
    key: Vec<Value>,
    members: Vec<(Vec<Value>, Record)>,
}

/// What the node reads and ranks by.
pub(crate) struct Top<'p> {
    pub input: NodeId,
    pub keys: &'p [Expr],
    pub by: &'p [Rank],
    pub count: i64,
    pub window: Window,
}

pub(crate) fn records(s: &mut Streams<'_>, id: NodeId, top: &Top<'_>) -> Vec<Record> {
    let mut groups: Vec<Group> = vec![];
    for r in s.records(top.input).iter() {
        let windows = windows_of(top.window, 0, r.ts, 0, &[]);
        if windows.is_empty() {
            continue;
        }
        let key = s.key(top.keys, r);
        match top.by.iter().map(|rank| s.value(&rank.by, r)).collect::<Result<Vec<Value>, _>>() {
            Err(reason) => s.refuse(id, &r.moment, r.ts, reason),
            Ok(by) => {
                for window in windows {
                    let member = (by.clone(), r.clone());
                    match groups.iter_mut().find(|g| g.window == window && same(&g.key, &key)) {
                        Some(group) => group.members.push(member),
                        None => groups.push(Group { window, key: key.clone(), members: vec![member] }),
                    }
                }
            }
        }
    }
    // By end, then by the key's first arrival in the window.
    groups.sort_by_key(|group| group.window.1);
    let mut fired = vec![];
    for Group { window: (start, end), key, mut members } in groups {
        members.sort_by(|(a, _), (b, _)| {
            let sides = top.by.iter().zip(a.iter().zip(b));
            sides.map(|(rank, (a, b))| order(a, b, rank.descending)).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        });
        for (_, r) in members.into_iter().take(top.count as usize) {
            let mut values = BTreeMap::from([(Place::WindowStart, Value::Timestamp(start)), (Place::WindowEnd, Value::Timestamp(end))]);
            values.extend(key.iter().enumerate().map(|(i, v)| (Place::Key(i), v.clone())));
            values.insert(Place::Ts { input: 0 }, Value::Timestamp(r.ts));
            values.extend(r.values.iter().filter(|(p, _)| matches!(p, Place::Field { .. })).map(|(p, v)| (p.clone(), v.clone())));
            fired.push(Record { moment: s.due(end, id), ts: end - 1, values });
        }
    }
    fired
}

/// Which of two comes first: null and NaN last, and alike.
fn order(a: &Value, b: &Value, descending: bool) -> Ordering {
    let last = |v: &Value| v.is_null() || matches!(v, Value::Float(v) if v.is_nan());
    match (last(a), last(b)) {
        (false, false) => {
            let order = a.order(b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
        (a, b) => a.cmp(&b),
    }
}
