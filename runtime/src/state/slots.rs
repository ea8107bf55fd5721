//! Growing arrays of equal slots.

use std::sync::Arc;

use varpulis_abi::layout::RecordLayout;

/// A growing array of equal slots that start, and restart, as their type's zero.
///
/// An operator that said `Vec<Acc>` would need a second copy of itself where the slot's size is known at run time only.
pub trait Slots {
    /// One slot.
    type Slot: ?Sized;
    /// No slots yet. The layout is given where it is known at run time only.
    fn with_layout(layout: Option<&Arc<RecordLayout>>) -> Self
    where
        Self: Sized;
    /// Adds a slot and returns its index.
    fn add(&mut self) -> usize;
    /// How many there are.
    fn len(&self) -> usize;
    /// Whether there are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The slot at `index`, which [`Slots::add`] returned.
    fn at(&self, index: usize) -> &Self::Slot;
    /// The same, to write.
    fn at_mut(&mut self, index: usize) -> &mut Self::Slot;
    /// Two different slots, the first to write.
    fn pair(&mut self, write: usize, read: usize) -> (&mut Self::Slot, &Self::Slot);
    /// Back to zero; what the slot owned is freed.
    fn reset(&mut self, index: usize);
    /// Copies slot `from` over slot `to`.
    fn copy(&mut self, from: usize, to: usize);
}

/// Slots of a Rust type.
#[derive(Clone, Debug)]
pub struct Typed<A>(Vec<A>);

impl<A> FromIterator<A> for Typed<A> {
    fn from_iter<I: IntoIterator<Item = A>>(values: I) -> Self {
        Self(values.into_iter().collect())
    }
}

impl<A> Typed<A> {
    /// No slots yet.
    pub const fn empty() -> Self {
        Self(Vec::new())
    }

    /// Adds a slot with a value and returns its index.
    pub fn push(&mut self, value: A) -> usize {
        self.0.push(value);
        self.0.len() - 1
    }
}

#[expect(clippy::indexing_slicing, reason = "indices come from `add`; an index that does not is a bug in the operator")]
impl<A: Default + Clone> Slots for Typed<A> {
    type Slot = A;
    fn with_layout(_: Option<&Arc<RecordLayout>>) -> Self {
        Self(Vec::new())
    }
    #[inline]
    fn add(&mut self) -> usize {
        self.push(A::default())
    }
    #[inline(always)]
    fn len(&self) -> usize {
        self.0.len()
    }
    #[inline(always)]
    fn at(&self, index: usize) -> &A {
        &self.0[index]
    }
    #[inline(always)]
    fn at_mut(&mut self, index: usize) -> &mut A {
        &mut self.0[index]
    }
    #[inline]
    fn pair(&mut self, write: usize, read: usize) -> (&mut A, &A) {
        if write < read {
            let (low, high) = self.0.split_at_mut(read);
            (&mut low[write], &high[0])
        } else {
            let (low, high) = self.0.split_at_mut(write);
            (&mut high[0], &low[read])
        }
    }
    #[inline]
    fn reset(&mut self, index: usize) {
        self.0[index] = A::default();
    }
    #[inline]
    fn copy(&mut self, from: usize, to: usize) {
        if from != to {
            self.0[to] = self.0[from].clone();
        }
    }
}

/// No state at all: what a kernel names for a store that it does not use.
pub type NoState = Typed<()>;
