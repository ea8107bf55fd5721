//! The declarations of a large program are read on several threads: each stands for itself.

use std::thread::{Builder, available_parallelism, scope};

/// How many items are worth a thread: below, it costs more than it does.
const WORTH_A_THREAD: usize = 100;
/// As much as the main thread has: nested expressions are read by recursion, up to a limit that it is made for.
const STACK: usize = 8 << 20;

/// What `of` makes of each item and its place, in order.
pub(super) fn map<T: Sync, R: Send>(items: &[T], of: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
    let threads = available_parallelism().map_or(1, usize::from).min(items.len() / WORTH_A_THREAD).max(1);
    let share = items.len().div_ceil(threads).max(1);
    let one = |(part, items): (usize, &[T])| items.iter().enumerate().map(|(at, item)| of(part * share + at, item)).collect::<Vec<R>>();
    let mut parts = items.chunks(share).enumerate();
    let Some(mine) = parts.next() else { return vec![] };
    scope(|scope| {
        let one = &one;
        let others: Vec<_> = parts.map(|part| (part, Builder::new().stack_size(STACK).spawn_scoped(scope, move || one(part)))).collect();
        let mut all = one(mine);
        for (part, thread) in others {
            // A thread that cannot be had, or that died, leaves its part to this one.
            all.extend(thread.ok().and_then(|thread| thread.join().ok()).unwrap_or_else(|| one(part)));
        }
        all
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_order_stays() {
        for count in [0, 1, 99, 100, 250, 1_003] {
            let items: Vec<usize> = (0..count).collect();
            let mapped = super::map(&items, |at, item| (at, item * 2));
            assert!(mapped.len() == count && mapped.iter().enumerate().all(|(n, (at, double))| n == *at && n * 2 == *double));
        }
    }
}
