//! Windows (§6): groups of a sorted list.

use std::collections::BTreeMap;
use std::rc::Rc;

use varpulis_compiler::analysis::typed::{Expr, Place};
use varpulis_compiler::plan::logical::{AggregateCall, NodeId, Window};

use crate::aggregate;
use crate::expression::{Refused, holds};
use crate::record::{Moment, Record};
use crate::stream::{Streams, same};
use crate::value::Value;

/// A record as a window sees it: per aggregate its value, if it counts there.
struct Member {
    /// Its place among the records: late ones come before the record of that number, in their order.
    at: (usize, usize),
    moment: Moment,
    ts: i64,
    /// The watermark that it found, if it was late.
    found: i64,
    values: Vec<Option<Value>>,
}

/// A window of one key.
pub(crate) struct Open {
    key: usize,
    start: i64,
    end: i64,
    members: Vec<Rc<Member>>,
}

/// What an aggregate sees of a record: `None` where its condition is not true or its argument is null.
pub(crate) fn seen(call: &AggregateCall, read: &dyn Fn(&Place) -> Value) -> Result<Option<Value>, Refused> {
    if let Some(c) = &call.condition
        && !holds(c, true, read)?
    {
        return Ok(None);
    }
    let value = call.args.first().map_or(Ok(Value::Bool(true)), |a| crate::expression::eval(a, read))?;
    if let Some(second) = call.args.get(1) {
        let second = crate::expression::eval(second, read)?;
        return Ok((!value.is_null() && !second.is_null()).then(|| Value::Array(vec![value, second])));
    }
    // `sum` of a float argument that is an int is over floats already; nulls are skipped.
    Ok((!value.is_null()).then_some(value))
}

pub(crate) fn records(s: &mut Streams<'_>, id: NodeId, input: NodeId, keys: &[Expr], window: Window, calls: &[AggregateCall]) -> Vec<Record> {
    let mut all_keys: Vec<Vec<Value>> = vec![];
    let mut open: Vec<Open> = vec![];
    // Per key, how many records it has taken.
    let mut taken: Vec<i64> = vec![];
    for (at, r) in s.records(input).iter().enumerate() {
        let key = s.key(keys, r);
        let key = all_keys.iter().position(|k| same(k, &key)).unwrap_or_else(|| {
            all_keys.push(key);
            taken.push(0);
            all_keys.len() - 1
        });
        let windows = windows_of(window, key, r.ts, taken[key], &open);
        if windows.is_empty() {
            // A record between two windows is counted, and nothing is computed of it.
            taken[key] += 1;
            continue;
        }
        let values: Result<Vec<_>, Refused> =
            calls.iter().map(|c| seen(c, &|p| if let Place::Global(i) = p { s.globals[*i].clone() } else { r.value(p) })).collect();
        let values = match values {
            Ok(values) => values,
            Err(reason) => {
                s.refuse(id, &r.moment, r.ts, reason);
                continue;
            }
        };
        taken[key] += 1;
        let member = Rc::new(Member { at: (at, usize::MAX), moment: r.moment.clone(), ts: r.ts, found: i64::MIN, values });
        for (start, end) in windows {
            match open.iter_mut().find(|o| is(o, key, (start, end))) {
                Some(o) => o.members.push(member.clone()),
                None => open.push(Open { key, start, end, members: vec![member.clone()] }),
            }
            // A session ends a gap behind its newest record.
            if let (Window::Session { gap, .. }, Some(o)) = (window, open.iter_mut().rev().find(|o| o.key == key)) {
                o.end = member.ts + gap;
            }
        }
    }
    let mut fired = vec![];
    if let Window::Late { lateness, .. } = window {
        fired = late(s, id, input, &Late { keys, window, lateness, calls }, &mut all_keys, &mut open);
    }
    fired.extend(fire(s, id, window, calls, &all_keys, open));
    fired
}

struct Late<'a> {
    keys: &'a [Expr],
    window: Window,
    lateness: i64,
    calls: &'a [AggregateCall],
}

/// What late records fire; those of windows that have not ended join the others.
fn late(s: &mut Streams<'_>, id: NodeId, input: NodeId, of: &Late<'_>, all_keys: &mut Vec<Vec<Value>>, open: &mut Vec<Open>) -> Vec<Record> {
    let mut fired = vec![];
    let records = s.records(input);
    for (number, (r, watermark)) in s.late_records(input).into_iter().enumerate() {
        let line = r.moment.event;
        let windows: Vec<(i64, i64)> = windows_of(of.window, 0, r.ts, 0, open).into_iter().filter(|(_, end)| end + of.lateness > watermark).collect();
        if windows.is_empty() {
            continue;
        }
        s.taken.insert(line);
        let key = s.key(of.keys, &r);
        let key = all_keys.iter().position(|k| same(k, &key)).unwrap_or_else(|| {
            all_keys.push(key);
            all_keys.len() - 1
        });
        let values: Result<Vec<_>, Refused> =
            of.calls.iter().map(|c| seen(c, &|p| if let Place::Global(i) = p { s.globals[*i].clone() } else { r.value(p) })).collect();
        let values = match values {
            Ok(values) => values,
            Err(reason) => {
                s.refuse(id, &of_late(s, &r, watermark, number), r.ts, reason);
                continue;
            }
        };
        let before = records.iter().filter(|other| s.is_before(other, line, watermark)).count();
        let member = Rc::new(Member { at: (before, number), moment: r.moment.clone(), ts: r.ts, found: watermark, values });
        for (start, end) in windows {
            let at = open.iter().position(|o| is(o, key, (start, end))).unwrap_or_else(|| {
                open.push(Open { key, start, end, members: vec![] });
                open.len() - 1
            });
            open[at].members.push(member.clone());
            open[at].members.sort_by_key(|m| m.at);
            if end > watermark {
                continue;
            }
            let moment = of_late(s, &r, watermark, number);
            let mut values = row(&open[at], of.calls, all_keys, true);
            values.extend([(Place::WindowStart, Value::Timestamp(start)), (Place::WindowEnd, Value::Timestamp(end))]);
            fired.push(Record { moment, ts: end - 1, values });
        }
    }
    fired
}

/// When something comes of a late record, by its number: behind the last event that was taken before it, and all that this one completed.
fn of_late(s: &Streams<'_>, late: &Record, watermark: i64, number: usize) -> Moment {
    let taken = s.events.iter().rposition(|e| e.line < late.moment.event && e.ts <= watermark);
    // Where events wait, what fell due up to the watermark may come behind the last that was taken.
    let due = s.events.partition_point(|e| e.ts < watermark);
    let itself = taken.is_some_and(|taken| taken >= due);
    Moment { event: taken.unwrap_or(0).max(due), itself, due: watermark, path: vec![usize::MAX, number] }
}

/// Whether a window's end is a number of records.
fn counts(window: Window) -> bool {
    matches!(window, Window::Count { .. } | Window::SlidingCount { .. })
}

/// What can be read of a window of one key.
fn row(o: &Open, calls: &[AggregateCall], keys: &[Vec<Value>], updated: bool) -> BTreeMap<Place, Value> {
    let mut values: BTreeMap<Place, Value> = keys[o.key].iter().enumerate().map(|(i, v)| (Place::Key(i), v.clone())).collect();
    values.insert(Place::Updated, Value::Bool(updated));
    for (i, call) in calls.iter().enumerate() {
        let list: Vec<Value> = o.members.iter().filter_map(|m| m.values[i].clone()).collect();
        values.insert(Place::Aggregate(i), aggregate::of(call, &list));
    }
    values
}

fn is(o: &Open, key: usize, window: (i64, i64)) -> bool {
    o.key == key && (o.start, o.end) == window
}

/// The windows that a record belongs to, by start and end. Count windows are numbered by their first record.
pub(crate) fn windows_of(window: Window, key: usize, ts: i64, taken: i64, open: &[Open]) -> Vec<(i64, i64)> {
    let aligned = |size: i64, slide: i64, offset: i64| {
        let last = (ts - offset).div_euclid(slide) * slide + offset;
        let mut starts: Vec<i64> = (0..).map(|i| last - i * slide).take_while(|start| ts < start + size).collect();
        starts.reverse();
        starts.into_iter().map(|start| (start, start + size)).collect()
    };
    match window {
        Window::Tumbling { size, offset } => aligned(size, size, offset),
        Window::Sliding { size, slide, offset } | Window::Late { size, slide, offset, .. } => aligned(size, slide, offset),
        Window::Cumulating { size, step, offset, .. } => {
            let start = (ts - offset).div_euclid(size) * size + offset;
            (1..=(size + step - 1) / step).map(|n| (start, start + (n * step).min(size))).filter(|(_, end)| ts < *end).collect()
        }
        Window::Session { gap, .. } => {
            let last = open.iter().rev().find(|o| o.key == key).filter(|o| ts < o.end);
            vec![last.map_or((ts, ts + gap), |o| (o.start, o.end))]
        }
        Window::Count { size } => vec![(taken - taken % size, size)],
        Window::SlidingCount { size, slide } => (0..=taken).filter(|first| first % slide == 0 && taken - first < size).map(|first| (first, size)).collect(),
    }
}

/// What a session tells of itself before its end, every `step` from its first record on: of what came before that moment.
fn early_of_session(
    s: &Streams<'_>,
    id: NodeId,
    (session, gap, step): (&Open, i64, i64),
    (calls, keys): (&[AggregateCall], &[Vec<Value>]),
    fired: &mut Vec<((usize, usize), Record)>,
) {
    for at in (1..).map(|times| session.start + times * step).take_while(|at| *at < session.end) {
        let members: Vec<_> = session.members.iter().filter(|m| m.ts < at).cloned().collect();
        let (first, end) = (members[0].at, members[members.len() - 1].ts + gap);
        let so_far = Open { key: session.key, start: session.start, end, members };
        let mut values = row(&so_far, calls, keys, true);
        values.extend([(Place::WindowStart, Value::Timestamp(session.start)), (Place::WindowEnd, Value::Timestamp(end))]);
        fired.push((first, Record { moment: s.due(at, id), ts: at - 1, values }));
    }
}

fn fire(s: &Streams<'_>, id: NodeId, window: Window, calls: &[AggregateCall], keys: &[Vec<Value>], open: Vec<Open>) -> Vec<Record> {
    let mut fired = vec![];
    for mut o in open {
        // What came behind the end has fired by itself.
        o.members.retain(|m| counts(window) || o.end > m.found);
        let (Some(first), Some(last)) = (o.members.first(), o.members.last()) else { continue };
        if let Window::Session { gap, early: Some(step) } = window {
            early_of_session(s, id, (&o, gap, step), (calls, keys), &mut fired);
        }
        let counted = match window {
            Window::Count { size } | Window::SlidingCount { size, .. } => Some(size),
            _ => None,
        };
        let (ts, start, end, moment) = match counted {
            Some(size) if (o.members.len() as i64) < size => continue,
            Some(_) => (last.ts, first.ts, last.ts + 1, last.moment.at(id.0)),
            None => (o.end - 1, o.start, o.end, s.due(o.end, id)),
        };
        let end = if let Window::Cumulating { size, early: true, .. } = window { start + size } else { end };
        let mut values = BTreeMap::from([(Place::WindowStart, Value::Timestamp(start)), (Place::WindowEnd, Value::Timestamp(end))]);
        values.extend(row(&o, calls, keys, false));
        fired.push((if counted.is_some() { last.at } else { first.at }, Record { moment, ts, values }));
    }
    // Of one moment: by end (which the moment has), then by the key's first arrival in the window; count windows by their last.
    fired.sort_by(|a, b| a.1.moment.cmp(&b.1.moment).then_with(|| a.0.cmp(&b.0)));
    fired.into_iter().map(|(_, r)| r).collect()
}
