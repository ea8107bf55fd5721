//! Where the fields of a record lie in memory, for programs that are compiled at run time: the only place where offsets are computed.
//!
//! A record is a run of 8-byte words. A row begins with its time; then comes one byte for each field that may be null (1: there is a value,
//! so that zeroed memory is null), padded to a word; then the values in order. Every value begins at a word.
//!
//! A row borrows its texts: two words, the address and the length. A slot owns them: three words, of which the first is the length, with its
//! highest bit set if the second is the address of the bytes; else the bytes, 16 at most, stand in the second and third.

use alloc::vec::Vec;

use crate::scalar::{Physical, Scalar};

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A value.
    Scalar(Physical),
    /// An object of the runtime, by its name in the shared list: a pointer, null for one that is empty.
    Object(&'static str),
}

/// Where a field lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it holds.
    pub held: Held,
    /// The first byte of its value.
    pub offset: u32,
    /// The byte that says whether there is a value; `None`: there always is.
    pub flag: Option<u32>,
}

/// The layout of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLayout {
    /// In order.
    pub places: Vec<Place>,
    /// In bytes; a multiple of a word.
    pub size: u32,
}

/// A word, in bytes.
pub const WORD: u32 = 8;

/// How many bytes of a text a slot holds itself.
pub const INLINE: u64 = 16;

impl Held {
    /// How many bytes its value takes, in a slot or in a row.
    fn size(self, slot: bool) -> u32 {
        match self {
            Self::Scalar(Physical { scalar: Scalar::Text | Scalar::Json, .. }) if slot => 3 * WORD,
            Self::Scalar(Physical { scalar: Scalar::Text | Scalar::Json | Scalar::Wide, .. }) => 2 * WORD,
            Self::Scalar(_) | Self::Object(_) => WORD,
        }
    }

    /// Whether it may be null.
    pub fn is_nullable(self) -> bool {
        matches!(self, Self::Scalar(Physical { nullable: true, .. }))
    }

    /// Whether it is a text, which a slot owns and a row borrows.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Scalar(Physical { scalar: Scalar::Text | Scalar::Json, .. }))
    }
}

impl RecordLayout {
    /// The layout of a row: its time stands at its beginning.
    pub fn row(fields: impl IntoIterator<Item = Held>) -> Self {
        Self::behind(WORD, fields)
    }

    /// The layout of a slot.
    pub fn slot(fields: impl IntoIterator<Item = Held>) -> Self {
        Self::behind(0, fields)
    }

    fn behind(header: u32, fields: impl IntoIterator<Item = Held>) -> Self {
        let mut flags = header;
        let mut places: Vec<Place> = fields
            .into_iter()
            .map(|held| {
                let flag = held.is_nullable().then_some(flags);
                flags += u32::from(held.is_nullable());
                Place { held, offset: 0, flag }
            })
            .collect();
        let mut size = flags.next_multiple_of(WORD);
        for place in &mut places {
            place.offset = size;
            size += place.held.size(header == 0);
        }
        Self { places, size }
    }

    /// In words.
    pub fn words(&self) -> usize {
        (self.size / WORD) as usize
    }
}
