//! Many rules on one stream that differ in constants only, as data.
//!
//! Invariant: a bucket is a stretch of `rules` and `constants` that holds the rules of one key in ascending order. A record costs a
//! look-up and its own bucket, whatever the number of rules.
#![expect(clippy::indexing_slicing, reason = "buckets and rules are laid out once, from arrays of one length")]

use hashbrown::HashTable;

use super::RuleFiring;
use crate::kernels::{KeyHasher, RuleKernel};
use crate::operator::{Operator, Refusal};
use crate::state::Slots;

/// Rules hung under the constants that they compare for equality. O(rules of the record's key) per record.
pub struct RuleTable<K: RuleKernel> {
    kernel: K,
    hasher: KeyHasher,
    table: HashTable<u32>,
    keys: K::Keys,
    buckets: Vec<Bucket>,
    /// By place in the buckets: which rule it is, and its other constants.
    rules: Vec<u32>,
    constants: K::Constants,
}

#[derive(Clone, Copy)]
struct Bucket {
    start: u32,
    end: u32,
    /// A rule whose key stands for the bucket's.
    key: u32,
}

impl<K: RuleKernel + 'static> RuleTable<K> {
    /// Rules by their keys and their other constants: slot i of both belongs to rule i.
    pub fn new(kernel: K, keys: K::Keys, mut constants: K::Constants) -> Self {
        let hasher = KeyHasher::default();
        let hash = |rule: u32| kernel.hash_key(keys.at(rule as usize), &hasher);
        let mut table: HashTable<u32> = HashTable::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        for rule in 0..keys.len().min(constants.len()) as u32 {
            let same = |&bucket: &u32| kernel.same_keys(keys.at(rule as usize), keys.at(members[bucket as usize][0] as usize));
            match table.find(hash(rule), same).copied() {
                Some(bucket) => members[bucket as usize].push(rule),
                None => {
                    table.insert_unique(hash(rule), members.len() as u32, |&bucket| hash(members[bucket as usize][0]));
                    members.push(vec![rule]);
                }
            }
        }
        let mut rules = Vec::with_capacity(constants.len());
        let buckets = members.iter().map(|members| {
            let start = rules.len() as u32;
            rules.extend_from_slice(members);
            Bucket { start, end: rules.len() as u32, key: members[0] }
        });
        let buckets = buckets.collect();
        permute(&mut constants, &rules);
        Self { kernel, hasher, table, keys, buckets, rules, constants }
    }
}

/// Moves slot `sources[i]` to `i`, for all i at once.
fn permute<S: Slots>(slots: &mut S, sources: &[u32]) {
    let scratch = slots.add();
    let mut done = vec![false; sources.len()];
    for first in 0..sources.len() {
        if done[first] {
            continue;
        }
        slots.copy(first, scratch);
        let mut at = first;
        loop {
            done[at] = true;
            let source = sources[at] as usize;
            if source == first {
                break;
            }
            slots.copy(source, at);
            at = source;
        }
        slots.copy(scratch, at);
    }
    slots.reset(scratch);
}

impl<K: RuleKernel + 'static> Operator for RuleTable<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = RuleFiring<'a, K>;

    /// Fires for each rule that accepts the record, in the rules' order. A rule whose condition fails does not stop the others; the first
    /// failure is returned.
    #[inline]
    fn push<'a>(&'a mut self, ts: i64, row: K::Row<'a>, fire: &mut impl FnMut(RuleFiring<'_, K>)) -> Result<(), Refusal> {
        let this: &'a Self = self;
        let kernel = &this.kernel;
        if !kernel.has_key(row) {
            return Ok(());
        }
        let same = |&bucket: &u32| kernel.same_key(row, this.keys.at(this.buckets[bucket as usize].key as usize));
        let Some(&bucket) = this.table.find(kernel.hash(row, &this.hasher), same) else {
            return Ok(());
        };
        let Bucket { start, end, .. } = this.buckets[bucket as usize];
        let mut first_failure = Ok(());
        for at in start as usize..end as usize {
            let constants = this.constants.at(at);
            match kernel.accepts(row, constants) {
                Ok(true) => fire(RuleFiring { ts, row, rule: this.rules[at] as usize, constants }),
                Ok(false) => {}
                Err(refusal) => first_failure = first_failure.and(Err(refusal)),
            }
        }
        first_failure
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::kernels::KeyKernel;
    use crate::operators::testing::refused;
    use crate::state::Typed;
    use proptest::prelude::*;

    #[derive(Clone, Copy)]
    struct Quote<'a> {
        symbol: Option<&'a str>,
        price: i64,
    }
    struct Above;
    impl KeyKernel for Above {
        type Row<'a> = Quote<'a>;
        type Keys = Typed<String>;
        fn has_key(&self, row: Quote<'_>) -> bool {
            row.symbol.is_some()
        }
        fn hash(&self, row: Quote<'_>, hasher: &KeyHasher) -> u64 {
            hasher.hash(row.symbol.unwrap_or_default())
        }
        fn same_key(&self, row: Quote<'_>, key: &String) -> bool {
            row.symbol == Some(key)
        }
    }
    impl RuleKernel for Above {
        type Constants = Typed<i64>;
        fn hash_key(&self, key: &String, hasher: &KeyHasher) -> u64 {
            hasher.hash(key.as_str())
        }
        fn same_keys(&self, key: &String, other: &String) -> bool {
            key == other
        }
        fn accepts(&self, row: Quote<'_>, constants: &i64) -> Result<bool, Refusal> {
            if *constants == 13 && row.price == 13 { Err(refused()) } else { Ok(row.price > *constants) }
        }
    }

    proptest! {
        #[test]
        fn as_asked_one_by_one(rules in prop::collection::vec((0..20u32, 0..30i64), 0..80), records in prop::collection::vec((prop::option::of(0..22u32), 0..40i64), 0..40)) {
            let (mut keys, mut constants) = (Typed::empty(), Typed::empty());
            for (symbol, limit) in &rules {
                keys.push(symbol.to_string());
                constants.push(*limit);
            }
            let mut table = RuleTable::new(Above, keys, constants);
            for (ts, (symbol, price)) in records.into_iter().enumerate() {
                let text = symbol.map(|s| s.to_string());
                let row = Quote { symbol: text.as_deref(), price };
                let mut fired = Vec::new();
                let result = table.push(ts as i64, row, &mut |f: RuleFiring<'_, Above>| fired.push((f.rule, *f.constants, f.row.price)));
                let mine = || rules.iter().enumerate().filter(|(_, rule)| Some(rule.0) == symbol);
                let expected: Vec<_> = mine().filter(|(_, rule)| price > rule.1).map(|(i, rule)| (i, rule.1, price)).collect();
                prop_assert_eq!(fired, expected);
                prop_assert_eq!(result.is_err(), mine().any(|(_, rule)| rule.1 == 13 && price == 13));
            }
        }
    }
}
