//! Small kernels written by hand, and windows counted anew, for the operators' tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use proptest::prelude::*;
use varpulis_abi::reason::Reason;

use super::WindowFiring;
use crate::kernels::{JoinKernel, KeyHasher, KeyKernel, WindowKernel};
use crate::operator::{Operator, Refusal};
use crate::state::{NoState, Typed};

/// A value that every kernel here refuses.
pub(crate) const FAILS: i64 = -1;

/// A record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tick {
    pub(crate) key: u32,
    pub(crate) value: i64,
}

/// A refusal for the tests.
pub(crate) fn refused() -> Refusal {
    Refusal::new(0, Reason::Overflow)
}

/// Keeps all values of a window, so that order and completeness show; keys are stored as text.
pub(crate) struct Lists;
impl KeyKernel for Lists {
    type Row<'a> = Tick;
    type Keys = Typed<String>;
    fn hash(&self, row: Tick, hasher: &KeyHasher) -> u64 {
        hasher.hash(row.key % 7)
    }
    fn same_key(&self, row: Tick, key: &String) -> bool {
        row.key.to_string() == *key
    }
    fn store_key(&self, row: Tick, key: &mut String) {
        key.push_str(&row.key.to_string());
    }
}
impl WindowKernel for Lists {
    type Accs = Typed<Vec<i64>>;
    fn fold(&self, acc: &mut Vec<i64>, row: Tick) -> Result<(), Refusal> {
        if row.value == FAILS {
            return Err(refused());
        }
        acc.push(row.value);
        Ok(())
    }
    fn merge(&self, into: &mut Vec<i64>, newer: &Vec<i64>) {
        into.extend_from_slice(newer);
    }
}

/// A kernel without a key: what the traits' defaults give.
pub(crate) struct Unkeyed;
impl KeyKernel for Unkeyed {
    type Row<'a> = Tick;
    type Keys = NoState;
}

/// What a window fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fired {
    pub(crate) ts: i64,
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) key: u32,
    pub(crate) values: Vec<i64>,
}

/// Records in the order of their time, some of which fail; now and then far apart.
pub(crate) fn events() -> impl Strategy<Value = Vec<(i64, Tick)>> {
    let step = prop_oneof![6 => 0..4i64, 3 => 0..30i64, 1 => 0..400i64];
    let event = (step, 0..6u32, prop_oneof![8 => 0..1000i64, 1 => Just(FAILS)]);
    (-200..200i64, prop::collection::vec(event, 0..120)).prop_map(|(mut ts, steps)| {
        let take = |(step, key, value)| {
            ts += step;
            (ts, Tick { key, value })
        };
        steps.into_iter().map(take).collect()
    })
}

/// Runs a window over records, announcing each one's time or not, up to the end of the input.
pub(crate) fn drive<O>(operator: &mut O, events: &[(i64, Tick)], announced: bool) -> Vec<Fired>
where
    O: for<'a> Operator<Input<'a> = Tick, Firing<'a> = WindowFiring<'a, Lists>> + 'static,
{
    drive_some(operator, events, announced, |_| true)
}

/// The same where records of some times belong to no window, so that they cannot fail.
pub(crate) fn drive_some<O>(operator: &mut O, events: &[(i64, Tick)], announced: bool, belongs: impl Fn(i64) -> bool) -> Vec<Fired>
where
    O: for<'a> Operator<Input<'a> = Tick, Firing<'a> = WindowFiring<'a, Lists>> + 'static,
{
    let mut fired = Vec::new();
    let mut fire = |f: WindowFiring<'_, Lists>| fired.push(Fired { ts: f.ts, start: f.start, end: f.end, key: f.key.parse().unwrap(), values: f.accs.clone() });
    for &(ts, row) in events {
        if announced && operator.deadline() <= ts {
            operator.advance(ts, &mut fire);
        }
        assert_eq!(operator.push(ts, row, &mut fire).is_err(), row.value == FAILS && belongs(ts));
    }
    operator.advance(i64::MAX, &mut fire);
    assert_eq!(operator.deadline(), i64::MAX);
    fired
}

/// The records of a window by key, keys in the order of their first, failing records left out.
pub(crate) fn by_key(events: &[(i64, Tick)]) -> Vec<(u32, Vec<(i64, i64)>)> {
    let mut groups: Vec<(u32, Vec<(i64, i64)>)> = Vec::new();
    for (ts, row) in events.iter().filter(|(_, row)| row.value != FAILS) {
        match groups.iter_mut().find(|(key, _)| *key == row.key) {
            Some((_, group)) => group.push((*ts, row.value)),
            None => groups.push((row.key, vec![(*ts, row.value)])),
        }
    }
    groups
}

/// Time windows, each counted from all records.
pub(crate) fn time_windows(events: &[(i64, Tick)], size: i64, slide: i64, offset: i64) -> Vec<Fired> {
    let (Some((first, _)), Some((last, _))) = (events.first(), events.last()) else {
        return Vec::new();
    };
    let mut start = (first - offset - size).div_euclid(slide) * slide + offset;
    let mut fired = Vec::new();
    while start <= *last {
        let inside: Vec<_> = events.iter().filter(|(ts, _)| (start..start + size).contains(ts)).copied().collect();
        let end = start + size;
        fired.extend(by_key(&inside).into_iter().map(|(key, group)| Fired { ts: end - 1, start, end, key, values: group.iter().map(|(_, v)| *v).collect() }));
        start += slide;
    }
    fired
}

/// Count windows, each counted from all records of its key; in the order of their last records.
pub(crate) fn count_windows(events: &[(i64, Tick)], size: usize, slide: usize) -> Vec<Fired> {
    let mut fired = Vec::new();
    for (at, (ts, row)) in events.iter().enumerate().filter(|(_, (_, row))| row.value != FAILS) {
        let seen: Vec<_> = events[..=at].iter().filter(|(_, other)| other.key == row.key && other.value != FAILS).collect();
        if seen.len() >= size && (seen.len() - size).is_multiple_of(slide) {
            let window = &seen[seen.len() - size..];
            fired.push(Fired { ts: *ts, start: window[0].0, end: ts + 1, key: row.key, values: window.iter().map(|(_, r)| r.value).collect() });
        }
    }
    fired
}

/// A record of one of two inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sided {
    pub(crate) left: bool,
    pub(crate) key: Option<u32>,
    pub(crate) value: i64,
}

/// Keeps the values of both inputs.
pub(crate) struct Sides;
impl KeyKernel for Sides {
    type Row<'a> = Sided;
    type Keys = Typed<u32>;
    fn has_key(&self, row: Sided) -> bool {
        row.key.is_some()
    }
    fn hash(&self, row: Sided, hasher: &KeyHasher) -> u64 {
        hasher.hash(row.key)
    }
    fn same_key(&self, row: Sided, key: &u32) -> bool {
        row.key == Some(*key)
    }
    fn store_key(&self, row: Sided, key: &mut u32) {
        *key = row.key.unwrap();
    }
}
impl JoinKernel for Sides {
    type Lefts = Typed<i64>;
    type Rights = Typed<i64>;
    fn is_left(&self, row: Sided) -> bool {
        row.left
    }
    fn keep_left(&self, row: Sided, left: &mut i64) {
        assert_eq!(*left, 0, "a fresh slot");
        *left = row.value;
    }
    fn keep_right(&self, row: Sided, right: &mut i64) {
        assert_eq!(*right, 0, "a fresh slot");
        *right = row.value;
    }
}

/// Records of two inputs in the order of their time.
pub(crate) fn sides() -> impl Strategy<Value = Vec<(i64, Sided)>> {
    (events(), prop::collection::vec((any::<bool>(), any::<bool>()), 120)).prop_map(|(events, bits)| {
        let side = |((ts, tick), (left, keyed)): ((i64, Tick), (bool, bool))| {
            (ts, Sided { left, key: (keyed || tick.value % 5 != 0).then_some(tick.key), value: tick.value })
        };
        events.into_iter().zip(bits).map(side).collect()
    })
}
