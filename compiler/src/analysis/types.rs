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

/// What values a type holds, null aside.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `int`
    Int,
    /// `float`
    Float,
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
    /// Whether values can be ordered with `<`.
    pub fn is_ordered(&self) -> bool {
        matches!(self.kind, Kind::Int | Kind::Float | Kind::Str | Kind::Timestamp | Kind::Duration | Kind::Enum(_))
    }
    /// A mistake was reported, or the type is still to come: ask nothing of it.
    pub fn is_lenient(&self) -> bool {
        matches!(self.kind, Kind::Error | Kind::Unsettled { .. })
    }
    /// How deep arrays stand in arrays; 0 for what is none.
    pub(super) fn levels(&self) -> usize {
        let (mut ty, mut levels) = (self, 0);
        while let Kind::Array(inner) = &ty.kind {
            (ty, levels) = (inner.as_ref(), levels + 1);
        }
        levels
    }
    /// How its values are held at run time. Arrays are held as their JSON text until they are compiled.
    pub fn scalar(&self) -> Scalar {
        match self.kind {
            Kind::Int => Scalar::Int,
            Kind::Float => Scalar::Float,
            Kind::Bool => Scalar::Bool,
            Kind::Str => Scalar::Text,
            Kind::Timestamp => Scalar::Timestamp,
            Kind::Duration => Scalar::Duration,
            Kind::Enum(_) => Scalar::Enum,
            Kind::Any | Kind::Array(_) | Kind::Null | Kind::Unsettled { .. } | Kind::Error => Scalar::Json,
        }
    }
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Int => f.write_str("int"),
            Kind::Float => f.write_str("float"),
            Kind::Bool => f.write_str("bool"),
            Kind::Str => f.write_str("str"),
            Kind::Timestamp => f.write_str("timestamp"),
            Kind::Duration => f.write_str("duration"),
            Kind::Any => f.write_str("any"),
            Kind::Enum(e) => f.write_str(&e.name),
            Kind::Array(t) => write!(f, "[{t}]"),
            Kind::Null => return f.write_str("null"),
            Kind::Unsettled { .. } | Kind::Error => return f.write_str("unknown"),
        }?;
        if self.nullable { f.write_str("?") } else { Ok(()) }
    }
}
