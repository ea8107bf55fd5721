//! Tumbling count windows.
#![expect(clippy::indexing_slicing, reason = "per-key arrays grow with the numbers of the key table")]

use super::WindowFiring;
use crate::kernels::WindowKernel;
use crate::operator::{Operator, Refusal};
use crate::state::{KeyTable, Slots};

/// Every `size` records of a key. Fires when full; a window that is never full never fires. O(1) per record, O(keys) state.
pub struct CountWindow<K: WindowKernel> {
    kernel: K,
    size: i64,
    keys: KeyTable<K>,
    accs: K::Accs,
    open: Vec<Open>,
}

/// A key's open window.
#[derive(Clone, Copy, Default)]
struct Open {
    count: i64,
    first: i64,
}

impl<K: WindowKernel + 'static> CountWindow<K> {
    /// Windows of `size` records.
    pub fn new(kernel: K, size: i64) -> Self {
        let (keys, accs) = (KeyTable::new(&kernel), K::Accs::with_layout(kernel.layout("Accs")));
        Self { kernel, size, keys, accs, open: Vec::new() }
    }
}

impl<K: WindowKernel + 'static> Operator for CountWindow<K> {
    type Input<'a> = K::Row<'a>;
    type Firing<'a> = WindowFiring<'a, K>;

    #[inline]
    fn push(&mut self, ts: i64, row: K::Row<'_>, fire: &mut impl FnMut(WindowFiring<'_, K>)) -> Result<(), Refusal> {
        let (id, new) = self.keys.find_or_add(&self.kernel, row);
        if new && self.accs.len() <= id as usize {
            self.accs.add();
            self.open.push(Open::default());
        }
        if let Err(refusal) = self.kernel.fold(self.accs.at_mut(id as usize), row) {
            if new {
                self.keys.remove(id);
            }
            return Err(refusal);
        }
        let open = &mut self.open[id as usize];
        if open.count == 0 {
            open.first = ts;
        }
        open.count += 1;
        if open.count >= self.size {
            open.count = 0;
            fire(WindowFiring { ts, start: open.first, end: ts.saturating_add(1), update: false, key: self.keys.key(id), accs: self.accs.at(id as usize) });
            self.accs.reset(id as usize);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
    use super::*;
    use crate::operators::testing::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn as_counted_anew(events in events(), size in 1..12i64) {
            let fired = drive(&mut CountWindow::new(Lists, size), &events, true);
            prop_assert_eq!(fired, count_windows(&events, size as usize, size as usize));
        }
    }
}
