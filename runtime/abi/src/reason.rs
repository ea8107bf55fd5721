//! Why a record was refused at run time.

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// The reason for which a record left the stream or never entered it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Reason { $($(#[$doc])* $name,)* }
        impl Reason {
            /// Every reason, in the order of declaration.
            pub const ALL: &'static [Reason] = &[$(Reason::$name,)*];
            /// The stable text that outputs and counters carry.
            pub const fn text(self) -> &'static str { match self { $(Reason::$name => $text,)* } }
        }
        impl core::fmt::Display for Reason {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result { f.write_str(self.text()) }
        }
    };
}

reasons! {
    /// Integer arithmetic left 64 bits.
    Overflow = "integer overflow",
    /// An integer was divided by zero.
    DivisionByZero = "division by zero",
    /// An index lies outside its array.
    IndexOutOfRange = "index out of range",
    /// A value does not convert to the type asked for.
    Conversion = "conversion failed",
    /// A shift by fewer than 0 or more than 63 bits.
    ShiftOutOfRange = "shift out of range",
    /// A loop used up what it may.
    OutOfFuel = "out of fuel",
    /// A text or an array would be larger than [`LARGEST`](crate::packed::LARGEST) bytes.
    TooLarge = "value too large",
    /// The event is older than the watermark.
    Late = "late",
    /// The line is not a JSON object (or not what the format demands).
    Malformed = "malformed record",
    /// The bytes are not UTF-8.
    InvalidUtf8 = "invalid UTF-8",
    /// A record without a type where the source carries several.
    NoType = "no event type",
    /// A declared field that is not optional is missing or null.
    MissingField = "missing field",
    /// A field's value does not fit its declared type.
    WrongType = "wrong type",
    /// A number lies outside its type's range.
    OutOfRange = "out of range",
    /// No event time in a file.
    NoTimestamp = "no timestamp",
    /// The record is longer than the limit.
    TooLong = "record too long",
    /// A text that is none of its enum's variants.
    UnknownVariant = "unknown enum variant",
    /// The source ended in the middle of a record, or its compression is broken.
    Truncated = "truncated input",
}
