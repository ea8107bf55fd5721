//! Doubly linked lists through the entries of an array.
//!
//! Invariant: an entry is in one list at most, and only the entries of a list are reached from its ends.
#![expect(clippy::indexing_slicing, reason = "links hold indices of entries of the same array, which never shrinks")]

/// No entry.
pub(super) const NONE: u32 = u32::MAX;

/// An entry's neighbours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) before: u32,
    pub(super) after: u32,
}

impl Link {
    /// In no list.
    pub(super) const ALONE: Self = Self { before: NONE, after: NONE };
}

/// The ends of a list.
#[derive(Clone, Copy, Debug)]
pub(super) struct List {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl List {
    /// Without entries.
    pub(super) const EMPTY: Self = Self { first: NONE, last: NONE };

    #[inline(always)]
    pub(super) fn is_empty(self) -> bool {
        self.first == NONE
    }

    /// Adds an entry at the end.
    #[inline(always)]
    pub(super) fn push<E: Linked>(&mut self, entries: &mut [E], entry: u32) {
        *entries[entry as usize].link_mut() = Link { before: self.last, after: NONE };
        match self.last {
            NONE => self.first = entry,
            last => entries[last as usize].link_mut().after = entry,
        }
        self.last = entry;
    }

    /// Takes an entry out.
    #[inline]
    pub(super) fn remove<E: Linked>(&mut self, entries: &mut [E], entry: u32) {
        let Link { before, after } = entries[entry as usize].link();
        match before {
            NONE => self.first = after,
            before => entries[before as usize].link_mut().after = after,
        }
        match after {
            NONE => self.last = before,
            after => entries[after as usize].link_mut().before = before,
        }
    }

    /// Adds a whole list at the end, in constant time.
    #[inline(always)]
    pub(super) fn append<E: Linked>(&mut self, entries: &mut [E], tail: List) {
        if self.is_empty() {
            *self = tail;
        } else if !tail.is_empty() {
            entries[self.last as usize].link_mut().after = tail.first;
            entries[tail.first as usize].link_mut().before = self.last;
            self.last = tail.last;
        }
    }
}

/// What can be in a list.
pub(super) trait Linked {
    /// Its neighbours.
    fn link(&self) -> Link;
    /// The same, to write.
    fn link_mut(&mut self) -> &mut Link;
}

impl Linked for Link {
    #[inline(always)]
    fn link(&self) -> Link {
        *self
    }
    #[inline(always)]
    fn link_mut(&mut self) -> &mut Link {
        self
    }
}
