//! Where the fields of a record lie in memory, for programs that are compiled at run time: the only place where offsets are computed.
//!
//! A record is a run of 8-byte words. A row begins with its time; then comes one byte for each field that may be null (1: there is a value,
//! so that zeroed memory is null), padded to a word; then the values in order. Every value begins at a word.
//!
//! A row borrows its texts: two words, the address and the length. A slot owns them: three words, of which the first is the length, with its
//! highest bit set if the second is the address of the bytes; else the bytes, 16 at most, stand in the second and third.
//!
//! An event is read where the decoder left it: its row is the time and the address of its [`value`]s, so that no field is copied or even
//! looked at before something asks for it. Places count from that address, and the flag is the value's tag.

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

/// What a record is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A row that compiled code made.
    Row,
    /// A slot of a store.
    Slot,
    /// An event, as it was decoded.
    Event,
}

/// How a decoded value of the runtime lies in memory.
pub mod value {
    use crate::scalar::Scalar;

    /// The size of a value, in bytes; the tag is its first.
    pub const SIZE: u32 = 24;
    /// Where the payload begins: a scalar, or a text's address and then its length.
    pub const PAYLOAD: u32 = 8;
    /// The bits of a tag by which types differ for compiled code: what is held in the same way is the same to it.
    pub const CLASS: u8 = 0x0f;

    /// No value.
    pub const NULL: u8 = 0;
    /// `int`
    pub const INT: u8 = 1;
    /// `timestamp`
    pub const TIMESTAMP: u8 = INT | 0x10;
    /// `duration`
    pub const DURATION: u8 = INT | 0x20;
    /// `float`
    pub const FLOAT: u8 = 2;
    /// `bool`
    pub const BOOL: u8 = 3;
    /// `str`
    pub const TEXT: u8 = 4;
    /// `any`
    pub const JSON: u8 = TEXT | 0x10;
    /// An array, tuple, map or record, packed.
    pub const PACKED: u8 = TEXT | 0x20;
    /// An enum's variant.
    pub const ENUM: u8 = 5;
    /// `decimal`
    pub const DECIMAL: u8 = 6;

    /// The class of the tags of a type's values.
    pub fn class(scalar: Scalar) -> u8 {
        tag(scalar) & CLASS
    }

    /// The tag of a type's values.
    pub fn tag(scalar: Scalar) -> u8 {
        match scalar {
            Scalar::Int | Scalar::Wide => INT,
            Scalar::Timestamp => TIMESTAMP,
            Scalar::Duration => DURATION,
            Scalar::Float => FLOAT,
            Scalar::Decimal => DECIMAL,
            Scalar::Bool => BOOL,
            Scalar::Text => TEXT,
            Scalar::Json => JSON,
            Scalar::Packed => PACKED,
            Scalar::Enum => ENUM,
        }
    }
}

/// Where in the row of an event the address of its values lies; its time lies where that of every row does.
pub const VALUES: u32 = WORD;

/// The layout of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordLayout {
    /// What it is for.
    pub kind: Kind,
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
    /// How many bytes its value takes.
    fn size(self, kind: Kind) -> u32 {
        match (self, kind) {
            (Self::Scalar(Physical { scalar, .. }), Kind::Slot) if scalar.is_text() => 3 * WORD,
            (Self::Scalar(Physical { scalar, .. }), _) if scalar.is_pair() || scalar == Scalar::Wide => 2 * WORD,
            (Self::Scalar(_) | Self::Object(_), _) => WORD,
        }
    }

    /// Whether it may be null.
    pub fn is_nullable(self) -> bool {
        matches!(self, Self::Scalar(Physical { nullable: true, .. }))
    }

    /// Whether it takes two words of a row.
    pub fn is_pair(self) -> bool {
        matches!(self, Self::Scalar(Physical { scalar, .. }) if scalar.is_pair())
    }

    /// Whether it is a text, which a slot owns and a row borrows.
    pub fn is_text(self) -> bool {
        matches!(self, Self::Scalar(Physical { scalar, .. }) if scalar.is_text())
    }
}

impl RecordLayout {
    /// The layout of a record.
    pub fn new(kind: Kind, fields: impl IntoIterator<Item = Held>) -> Self {
        match kind {
            Kind::Row => Self::behind(kind, WORD, fields),
            Kind::Slot => Self::behind(kind, 0, fields),
            Kind::Event => {
                let place = |(at, held): (u32, Held)| Place { held, offset: at * value::SIZE + value::PAYLOAD, flag: Some(at * value::SIZE) };
                Self { kind, places: (0..).zip(fields).map(place).collect(), size: VALUES + WORD }
            }
        }
    }

    fn behind(kind: Kind, header: u32, fields: impl IntoIterator<Item = Held>) -> Self {
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
            size += place.held.size(kind);
        }
        Self { kind, places, size }
    }

    /// In words.
    pub fn words(&self) -> usize {
        (self.size / WORD) as usize
    }
}
