//! Slots whose layout is known at run time only: plain words, with the texts and objects that they own found by the layout.
//!
//! Invariant: the words of an owned text hold UTF-8 of the length that the first of them says: in the other two, or in a `Box<[u8]>` that
//! belongs to this slot alone; the word of an object is 0 or a box of the type that the layout names. Compiled code changes both through
//! helpers only, but for a short text that takes a short one's place: that it writes itself.
#![expect(unsafe_code, reason = "slots own texts and objects by address; the invariant above says what an address may be")]
#![expect(clippy::indexing_slicing, reason = "indices come from `add`, places from the layout of the same slots")]

use std::sync::Arc;

use varpulis_abi::layout::{Held, INLINE, Place, RecordLayout, WORD};

use super::objects;
use crate::state::Slots;

/// A growing array of equal slots of so many words.
pub(super) struct Bytes {
    words: Vec<u64>,
    /// In words.
    stride: usize,
    count: usize,
    owned: Vec<Owned>,
}

/// A field that owns something.
#[derive(Clone, Copy)]
struct Owned {
    /// In words.
    at: usize,
    /// `None`: a text.
    object: Option<&'static objects::Object>,
}

/// Marks the length of a text whose bytes stand elsewhere.
const BOXED: u64 = 1 << 63;

/// Replaces the text that a slot owns at `place`. The new one may be the old one, or a part of it.
///
/// # Safety
/// `place` points to three words of a slot as this module's invariant has them, and nothing refers to the text there afterwards.
#[inline]
pub(super) unsafe fn store_text(place: *mut u64, text: &str) {
    let length = text.len() as u64;
    // SAFETY: by this function's contract; what is freed was copied from before.
    unsafe {
        let new = if length <= INLINE {
            let [low, high] = inline_words(text.as_bytes());
            [length, low, high]
        } else {
            let boxed: Box<[u8]> = text.as_bytes().into();
            [length | BOXED, Box::into_raw(boxed).cast::<u8>().expose_provenance() as u64, 0]
        };
        drop_text(place);
        place.cast::<[u64; 3]>().write(new);
    }
}

/// The words that hold so few bytes, with zeros behind them. No more than the bytes is read, and nothing goes through memory: a copy byte by
/// byte that is read as words at once waits for its stores.
#[inline(always)]
fn inline_words(bytes: &[u8]) -> [u64; 2] {
    let word = |bytes: Option<&[u8; 8]>| bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let half = |bytes: Option<&[u8; 4]>| bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)));
    let bits = |missing: usize| 8 * missing as u32;
    let [low, high] = match bytes.len() {
        // The last eight bytes overlap the first by what the second word lacks.
        8.. => [word(bytes.first_chunk()), word(bytes.last_chunk()).checked_shr(bits(16 - bytes.len().min(16))).unwrap_or(0)],
        4..8 => [half(bytes.first_chunk()) | half(bytes.last_chunk()) << bits(bytes.len() - 4), 0],
        _ => [bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0],
    };
    [low.to_le(), high.to_le()]
}

/// Gives a text to a slot, by the field's place.
///
/// # Safety
/// The slot is of the layout that the place belongs to, and the place holds a text.
pub(super) unsafe fn put_text(slot: *mut u64, place: &Place, text: &str) {
    // SAFETY: by this function's contract.
    unsafe {
        if let Some(flag) = place.flag {
            slot.cast::<u8>().add(flag as usize).write(1);
        }
        store_text(slot.add((place.offset / WORD) as usize), text);
    }
}

/// Frees the text at `place`; its words are not to be read any more.
///
/// # Safety
/// As for [`store_text`].
#[inline]
unsafe fn drop_text(place: *mut u64) {
    // SAFETY: by the invariant, a length that is marked belongs to a box of this place.
    unsafe {
        let length = place.read();
        if length & BOXED != 0 {
            let start = std::ptr::with_exposed_provenance_mut::<u8>(place.add(1).read() as usize);
            drop(Box::from_raw(std::ptr::slice_from_raw_parts_mut(start, (length & !BOXED) as usize)));
        }
    }
}

/// The text at `place`.
///
/// # Safety
/// As for [`store_text`]; the slot does not change or move for `'a`.
unsafe fn text_at<'a>(place: *const u64) -> &'a str {
    // SAFETY: by the invariant.
    unsafe {
        let length = place.read();
        let start = place.add(1);
        let address = if length & BOXED == 0 { start.expose_provenance() as u64 } else { start.read() };
        super::memory::text(address, length & !BOXED)
    }
}

impl Owned {
    fn drop_at(&self, slot: &mut [u64]) {
        match self.object {
            None => {
                let place = &mut slot[self.at..self.at + 3];
                // SAFETY: the layout says that a text is owned here; whoever drops it overwrites its words.
                unsafe { drop_text(place.as_mut_ptr()) };
            }
            // SAFETY: the layout says that an object of this type is owned here.
            Some(object) => unsafe { (object.drop)(&raw mut slot[self.at]) },
        }
    }

    /// Gives the copied words of a slot texts and objects of their own.
    fn clone_at(&self, slot: &mut [u64]) {
        match self.object {
            None => {
                let place = &mut slot[self.at..self.at + 3];
                // SAFETY: the words are copies of a slot's, whose text lives; a box is the other slot's, and left to it.
                unsafe {
                    if place[0] & BOXED != 0 {
                        let text = text_at(place.as_ptr());
                        place.fill(0);
                        store_text(place.as_mut_ptr(), text);
                    }
                }
            }
            // SAFETY: as above, for an object of this type.
            Some(object) => unsafe { (object.clone)(&raw mut slot[self.at]) },
        }
    }
}

impl Bytes {
    fn range(&self, index: usize) -> std::ops::Range<usize> {
        index * self.stride..(index + 1) * self.stride
    }
}

impl Slots for Bytes {
    type Slot = [u64];

    fn with_layout(layout: Option<&Arc<RecordLayout>>) -> Self {
        let places = layout.map_or(&[][..], |layout| &layout.places);
        let owned = places.iter().filter_map(|place| {
            let at = (place.offset / WORD) as usize;
            match place.held {
                Held::Object(name) => Some(Owned { at, object: Some(objects::named(name)?) }),
                held if held.is_text() => Some(Owned { at, object: None }),
                Held::Scalar(_) => None,
            }
        });
        Self { words: Vec::new(), stride: layout.map_or(0, |layout| layout.words()), count: 0, owned: owned.collect() }
    }

    #[inline]
    fn add(&mut self) -> usize {
        self.words.resize(self.words.len() + self.stride, 0);
        self.count += 1;
        self.count - 1
    }

    #[inline(always)]
    fn len(&self) -> usize {
        self.count
    }

    #[inline(always)]
    fn at(&self, index: usize) -> &[u64] {
        &self.words[self.range(index)]
    }

    #[inline(always)]
    fn at_mut(&mut self, index: usize) -> &mut [u64] {
        let range = self.range(index);
        &mut self.words[range]
    }

    #[inline]
    fn pair(&mut self, write: usize, read: usize) -> (&mut [u64], &[u64]) {
        let (first, second) = (self.range(write.min(read)), self.range(write.max(read)));
        let (low, high) = self.words.split_at_mut(second.start);
        let (low, high) = (&mut low[first], &mut high[..second.len()]);
        if write < read { (low, high) } else { (high, low) }
    }

    #[inline]
    fn reset(&mut self, index: usize) {
        let range = self.range(index);
        let slot = &mut self.words[range];
        for field in &self.owned {
            field.drop_at(slot);
        }
        match slot {
            // A call costs more than it clears here.
            [a] => *a = 0,
            [a, b] => (*a, *b) = (0, 0),
            [a, b, c] => (*a, *b, *c) = (0, 0, 0),
            [a, b, c, d] => (*a, *b, *c, *d) = (0, 0, 0, 0),
            more => more.fill(0),
        }
    }

    #[inline]
    fn copy(&mut self, from: usize, to: usize) {
        if from == to {
            return;
        }
        self.reset(to);
        let (source, target) = (self.range(from), self.range(to));
        self.words.copy_within(source, target.start);
        let slot = &mut self.words[target];
        for field in &self.owned {
            field.clone_at(slot);
        }
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if !self.owned.is_empty() {
            (0..self.count).for_each(|slot| self.reset(slot));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
    use super::*;
    use varpulis_abi::layout::Kind;
    use varpulis_abi::scalar::{Physical, Scalar};

    fn layout() -> Arc<RecordLayout> {
        let text = Held::Scalar(Physical { scalar: Scalar::Text, nullable: true });
        let int = Held::Scalar(Physical { scalar: Scalar::Int, nullable: false });
        Arc::new(RecordLayout::new(Kind::Slot, [int, text, Held::Object("Sorted")]))
    }

    fn text_of(bytes: &Bytes, slot: usize) -> String {
        let at = (layout().places[1].offset / WORD) as usize;
        // SAFETY: the slot owns the text.
        unsafe { text_at(bytes.at(slot)[at..].as_ptr()) }.to_owned()
    }

    fn set(bytes: &mut Bytes, slot: usize, text: &str) {
        let at = (layout().places[1].offset / WORD) as usize;
        // SAFETY: the layout has a text there.
        unsafe { store_text(bytes.at_mut(slot)[at..].as_mut_ptr(), text) };
    }

    #[test]
    fn words_hold_every_short_text() {
        for length in 0..=16u8 {
            let bytes: Vec<u8> = (1..=length).collect();
            let words = inline_words(&bytes);
            let mut padded = [0; 16];
            padded[..bytes.len()].copy_from_slice(&bytes);
            assert_eq!(words.map(u64::to_ne_bytes).concat(), padded, "{length}");
        }
    }

    #[test]
    fn slots_own_what_they_hold() {
        let mut bytes = Bytes::with_layout(Some(&layout()));
        for _ in 0..3 {
            bytes.add();
        }
        set(&mut bytes, 0, "first");
        set(&mut bytes, 0, "a longer text than before");
        bytes.copy(0, 2);
        set(&mut bytes, 0, "");
        assert_eq!((text_of(&bytes, 0), text_of(&bytes, 2)), (String::new(), "a longer text than before".to_owned()));
        bytes.copy(2, 2);
        for text in ["", "short", "sixteen bytes ok", "seventeen bytes ->"] {
            set(&mut bytes, 1, text);
            bytes.copy(1, 0);
            set(&mut bytes, 1, "another");
            assert_eq!((text_of(&bytes, 0), text_of(&bytes, 1)), (text.to_owned(), "another".to_owned()));
        }
        bytes.reset(0);
        bytes.reset(1);
        let (write, read) = bytes.pair(2, 1);
        assert_eq!((write.len(), read.len()), (6, 6));
        bytes.reset(2);
        assert_eq!(bytes.at(2), bytes.at(1));
        set(&mut bytes, 1, "freed with the slots");
    }

    #[test]
    fn slots_without_fields_take_no_room() {
        let mut none = Bytes::with_layout(None);
        assert_eq!((none.add(), none.add(), none.len()), (0, 1, 2));
        none.copy(0, 1);
        assert!(none.at(1).is_empty());
    }
}
