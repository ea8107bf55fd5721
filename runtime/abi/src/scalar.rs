//! The closed set of physical types.

/// How a value is held at run time. Nullability stands beside it: see [`Physical`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scalar {
    /// Signed, 64 bits.
    Int,
    /// IEEE 754 double.
    Float,
    /// An exact decimal: an integer of at most 38 digits, signed 128 bits; the type says how many of its digits are decimals.
    Decimal,
    /// True or false.
    Bool,
    /// UTF-8 text, borrowed from the input or from an arena.
    Text,
    /// Nanoseconds since the Unix epoch, signed 64 bits.
    Timestamp,
    /// Nanoseconds, signed 64 bits.
    Duration,
    /// The index of an enum's variant, unsigned 32 bits.
    Enum,
    /// One JSON value as it stood in the input (type `any`).
    Json,
    /// Arrays, tuples, maps and records, [packed](crate::packed).
    Packed,
    /// A sum of integers in the making, signed 128 bits: of state only, never of a record.
    Wide,
}

impl Scalar {
    /// Whether its values are texts, which a slot owns and a row borrows.
    pub const fn is_text(self) -> bool {
        matches!(self, Self::Text | Self::Json | Self::Packed)
    }

    /// Whether a value is two words: a text's address and length, or the lower and the upper half of a decimal.
    pub const fn is_pair(self) -> bool {
        self.is_text() || matches!(self, Self::Decimal)
    }
}

/// A scalar type and whether it may be null.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Physical {
    /// The type of its values.
    pub scalar: Scalar,
    /// Whether it may be null.
    pub nullable: bool,
}

/// How a value is made of others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Not at all.
    #[default]
    Plain,
    /// Any number of equal parts.
    Array,
    /// Keys and values in turn, in the order in which the keys came first.
    Map,
    /// A fixed number of parts.
    Tuple,
    /// A fixed number of named parts.
    Record,
}
