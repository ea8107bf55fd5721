//! Types of the language (§2): a kind, and whether null belongs to it.

use std::fmt;
use std::rc::Rc;

use varpulis_abi::scalar::Scalar;

/// An `enum` of the program.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct EnumType {
    /// Its name.
    pub name: String,
    /// In declared order.
    pub variants: Vec<String>,
}

/// A record inside a value.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct RecordType {
    /// In declared order.
    pub fields: Vec<(String, Type)>,
}

/// What values a type holds, null aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `int`
    Int,
    /// `float`
    Float,
    /// `decimal(p, s)`: so many digits, and so many of them behind the point.
    Decimal(u8, u8),
    /// `bool`
    Bool,
    /// `str`
    Str,
    /// `timestamp`
    Timestamp,
    /// `duration`
    Duration,
    /// `any`
    Any,
    /// An `enum`.
    Enum(Rc<EnumType>),
    /// `[T]`
    Array(Box<Type>),
    /// `{K: V}`
    Map(Box<Type>, Box<Type>),
    /// `(A, B)`
    Tuple(Vec<Type>),
    /// `{a: A, b: B}`, or an event's fields.
    Record(Rc<RecordType>),
    /// The literal `null`, before a context gives it a type.
    Null,
    /// A field of an undeclared event whose uses have not settled its type yet.
    Unsettled {
        /// The event.
        event: usize,
        /// Its field.
        field: usize,
    },
    /// The type of a wrong expression: fits everywhere, so that one mistake is one message.
    Error,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Type {
    /// Its values.
    pub kind: Kind,
    /// Whether it may be null: `T?`.
    pub nullable: bool,
}

impl Type {
    /// A type that never holds null.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, nullable: false }
    }
    /// `T?`
    pub fn optional(kind: Kind) -> Self {
        Self { kind, nullable: true }
    }
    /// The type of a wrong expression.
    pub const ERROR: Type = Type::new(Kind::Error);
    /// `bool`
    pub const BOOL: Type = Type::new(Kind::Bool);
    /// `int`
    pub const INT: Type = Type::new(Kind::Int);
    /// `float`
    pub const FLOAT: Type = Type::new(Kind::Float);
    /// `str`
    pub const STR: Type = Type::new(Kind::Str);
    /// `timestamp`
    pub const TIMESTAMP: Type = Type::new(Kind::Timestamp);

    /// The same values, and null if `nullable`.
    pub fn with_null(&self, nullable: bool) -> Type {
        Type { kind: self.kind.clone(), nullable: self.nullable || nullable }
    }
    /// The same values without null.
    pub fn without_null(&self) -> Type {
        Type { kind: self.kind.clone(), nullable: false }
    }
    /// Int or float.
    pub fn is_number(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Float)
    }
    /// `decimal(p, s)`
    pub fn is_decimal(&self) -> bool {
        matches!(self.kind, Kind::Decimal(..))
    }
    /// How many digits a `decimal` has, and how many of these are decimals.
    pub fn decimal(&self) -> (u8, u8) {
        if let Kind::Decimal(digits, scale) = self.kind { (digits, scale) } else { (0, 0) }
    }
    /// Whether values can be ordered with `<`.
    pub fn is_ordered(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Float | Kind::Decimal(..) | Kind::Str | Kind::Timestamp | Kind::Duration | Kind::Enum(_))
    }
    /// A mistake was reported, or the type is still to come: ask nothing of it.
    pub fn is_lenient(&self) -> bool {
        matches!(self.kind, Kind::Error | Kind::Unsettled { .. })
    }
    /// How deep values stand in values; 0 for what is made of no others.
    pub(super) fn levels(&self) -> usize {
        self.parts().into_iter().map(Type::levels).max().map_or(0, |inside| inside + 1)
    }
    /// How many types it is made of, itself included.
    pub(super) fn size(&self) -> usize {
        self.parts().into_iter().map(Type::size).fold(1, usize::saturating_add)
    }
    /// The types of what its values are made of.
    pub fn parts(&self) -> Vec<&Type> {
        match &self.kind {
            Kind::Array(element) => vec![element],
            Kind::Map(key, value) => vec![key, value],
            Kind::Tuple(parts) => parts.iter().collect(),
            Kind::Record(record) => record.fields.iter().map(|(_, ty)| ty).collect(),
            _ => vec![],
        }
    }
    /// Whether values are made of others.
    pub fn is_packed(&self) -> bool {
        self.scalar() == Scalar::Packed
    }
    /// How its values are held at run time.
    pub fn scalar(&self) -> Scalar {
        match self.kind {
            Kind::Int => Scalar::Int,
            Kind::Float => Scalar::Float,
            Kind::Decimal(..) => Scalar::Decimal,
            Kind::Bool => Scalar::Bool,
            Kind::Str => Scalar::Text,
            Kind::Timestamp => Scalar::Timestamp,
            Kind::Duration => Scalar::Duration,
            Kind::Enum(_) => Scalar::Enum,
            Kind::Array(_) | Kind::Map(..) | Kind::Tuple(_) | Kind::Record(_) => Scalar::Packed,
            Kind::Any | Kind::Null | Kind::Unsettled { .. } | Kind::Error => Scalar::Json,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Int => f.write_str("int"),
            Kind::Float => f.write_str("float"),
            Kind::Decimal(digits, scale) => write!(f, "decimal({digits}, {scale})"),
            Kind::Bool => f.write_str("bool"),
            Kind::Str => f.write_str("str"),
            Kind::Timestamp => f.write_str("timestamp"),
            Kind::Duration => f.write_str("duration"),
            Kind::Any => f.write_str("any"),
            Kind::Enum(e) => f.write_str(&e.name),
            Kind::Array(t) => write!(f, "[{t}]"),
            Kind::Map(key, value) => write!(f, "{{{key}: {value}}}"),
            Kind::Tuple(parts) => {
                f.write_str("(")?;
                for (at, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str(")")
            }
            Kind::Record(record) => {
                f.write_str("{")?;
                for (at, (name, ty)) in record.fields.iter().enumerate() {
                    write!(f, "{}{name}: {ty}", if at == 0 { "" } else { ", " })?;
                }
                f.write_str("}")
            }
            Kind::Null => return f.write_str("null"),
            Kind::Unsettled { .. } | Kind::Error => return f.write_str("unknown"),
        }?;
        if self.nullable { f.write_str("?") } else { Ok(()) }
    }
}
