//! Dense numbers for keys.
//!
//! Invariant: `table` holds exactly the numbers that are in use, each under `hashes[number]`; `free` holds all others below `hashes.len()`.
#![expect(clippy::indexing_slicing, reason = "numbers in the table and the free list are below the arrays' length")]

use hashbrown::HashTable;

use crate::kernels::{KeyHasher, KeyKernel};
use crate::state::Slots;

/// Maps keys to small numbers, which index the operator's own arrays. Numbers of removed keys are used again.
///
/// A look-up hashes and compares the key inside the row: no key is built.
pub struct KeyTable<K: KeyKernel> {
    hasher: KeyHasher,
    table: HashTable<u32>,
    keys: K::Keys,
    hashes: Vec<u64>,
    free: Vec<u32>,
}

impl<K: KeyKernel> KeyTable<K> {
    /// A table without keys.
    pub fn new(kernel: &K) -> Self {
        let keys = K::Keys::with_layout(kernel.layout("Keys"));
        Self { hasher: KeyHasher::default(), table: HashTable::new(), keys, hashes: Vec::new(), free: Vec::new() }
    }

    /// How many keys there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The number of the row's key.
    #[inline(always)]
    pub fn find(&self, kernel: &K, row: K::Row<'_>) -> Option<u32> {
        self.find_hashed(kernel, row, kernel.hash(row, &self.hasher))
    }

    /// The number of the row's key, and whether it is new. Numbers are dense: freed ones first, else the next.
    #[inline(always)]
    pub fn find_or_add(&mut self, kernel: &K, row: K::Row<'_>) -> (u32, bool) {
        let hash = kernel.hash(row, &self.hasher);
        match self.find_hashed(kernel, row, hash) {
            Some(id) => (id, false),
            None => (self.add(kernel, row, hash), true),
        }
    }

    #[inline(always)]
    fn find_hashed(&self, kernel: &K, row: K::Row<'_>, hash: u64) -> Option<u32> {
        self.table.find(hash, |&id| kernel.same_key(row, self.keys.at(id as usize))).copied()
    }

    #[cold]
    #[inline(never)]
    fn add(&mut self, kernel: &K, row: K::Row<'_>, hash: u64) -> u32 {
        let id = match self.free.pop() {
            Some(id) => {
                self.hashes[id as usize] = hash;
                id
            }
            None => {
                self.hashes.push(hash);
                self.keys.add() as u32
            }
        };
        kernel.store_key(row, self.keys.at_mut(id as usize));
        self.table.insert_unique(hash, id, |&other| self.hashes[other as usize]);
        id
    }

    /// The key with a number in use.
    #[inline(always)]
    pub fn key(&self, id: u32) -> &<K::Keys as Slots>::Slot {
        self.keys.at(id as usize)
    }

    /// Forgets a key; its number is used again.
    pub fn remove(&mut self, id: u32) {
        if let Ok(entry) = self.table.find_entry(self.hashes[id as usize], |&other| other == id) {
            entry.remove();
            self.keys.reset(id as usize);
            self.free.push(id);
        }
    }

    /// Forgets every key that `keep` does not want. Costs a pass over all keys.
    pub fn retain(&mut self, mut keep: impl FnMut(u32) -> bool) {
        let Self { table, keys, free, .. } = self;
        table.retain(|&mut id| {
            let kept = keep(id);
            if !kept {
                keys.reset(id as usize);
                free.push(id);
            }
            kept
        });
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::{Lists, Tick, Unkeyed};
    use proptest::prelude::*;
    use std::collections::HashMap;

    fn tick(key: u32) -> Tick {
        Tick { key, value: 0 }
    }

    #[test]
    fn unkeyed_rows_share_one_number() {
        let mut table = KeyTable::new(&Unkeyed);
        assert!(table.is_empty());
        assert_eq!(table.find_or_add(&Unkeyed, tick(1)), (0, true));
        assert_eq!(table.find_or_add(&Unkeyed, tick(2)), (0, false));
    }

    proptest! {
        #[test]
        fn numbers_stay_with_their_keys(steps in prop::collection::vec((0..4u8, 0..50u32), 0..400)) {
            let mut table = KeyTable::new(&Lists);
            let mut model: HashMap<u32, u32> = HashMap::new();
            for (step, key) in steps {
                match step {
                    0 | 1 => {
                        let (id, new) = table.find_or_add(&Lists, tick(key));
                        prop_assert_eq!(new, !model.contains_key(&key));
                        prop_assert_eq!(*model.entry(key).or_insert(id), id);
                    }
                    2 => if let Some(id) = model.remove(&key) { table.remove(id) },
                    _ => {
                        let kept: Vec<u32> = model.iter().filter(|(k, _)| **k % 3 == key % 3).map(|(_, id)| *id).collect();
                        table.retain(|id| kept.contains(&id));
                        model.retain(|_, id| kept.contains(id));
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                for (key, id) in &model {
                    prop_assert_eq!(table.find(&Lists, tick(*key)), Some(*id));
                    prop_assert_eq!(table.key(*id), &key.to_string());
                }
            }
        }
    }
}
