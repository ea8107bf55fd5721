//! Random programs and inputs, for what no list of cases thinks of.
//!
//! A program is kept in parts, so that a failing one can be made smaller. What is generated is well typed as far as the generator knows;
//! the few programs that the compiler refuses are left out and counted.

mod arrays;
mod expressions;
mod input;
mod reduce;
pub mod related;
pub mod rows;
mod streams;
pub mod trees;

pub use input::input;
pub use reduce::reduce;
pub use streams::program;

/// A type of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    Int,
    Float,
    Bool,
    Str,
    Timestamp,
    Duration,
    Enum,
    /// Of 12 digits, two of them decimals.
    Decimal,
}

/// A field: its name, its type, and whether it may be null.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    pub name: String,
    pub ty: Type,
    pub nullable: bool,
}

impl Field {
    /// Whether it is a result that is rounded: what differs in the last bit must not decide anything.
    pub(crate) fn is_rounded(&self) -> bool {
        self.name.rsplit('.').next().is_some_and(|name| name.starts_with('r') && name.contains("float"))
    }
}

/// An event that a program declares.
#[derive(Clone, Debug)]
pub struct Event {
    pub(crate) name: String,
    pub(crate) fields: Vec<Field>,
}

impl Event {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// A stream: what stands before its operators, and each operator's text.
#[derive(Clone, Debug)]
pub struct Stream {
    /// `stream Name = Source`
    pub head: String,
    /// `.where(…)` and so on.
    pub operators: Vec<String>,
}

/// A program in parts.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its events, in order.
    pub events: Vec<Event>,
    /// Its streams, in order.
    pub streams: Vec<Stream>,
}

impl Program {
    /// Its text.
    pub fn text(&self) -> String {
        let mut text = String::from("enum Side: Buy, Sell, Hold\n");
        for event in &self.events {
            text.push_str(&format!("event {}:\n", event.name));
            for f in &event.fields {
                text.push_str(&format!("    {}: {}{}\n", f.name, f.ty.text(), if f.nullable { "?" } else { "" }));
            }
        }
        for stream in &self.streams {
            text.push_str(&stream.head);
            for op in &stream.operators {
                text.push_str(&format!("\n    {op}"));
            }
            text.push('\n');
        }
        text
    }
}

impl Type {
    pub(crate) const ALL: [Type; 8] = [Type::Int, Type::Float, Type::Bool, Type::Str, Type::Timestamp, Type::Duration, Type::Enum, Type::Decimal];

    pub(crate) fn text(self) -> &'static str {
        match self {
            Type::Int => "int",
            Type::Float => "float",
            Type::Bool => "bool",
            Type::Str => "str",
            Type::Timestamp => "timestamp",
            Type::Duration => "duration",
            Type::Enum => "Side",
            Type::Decimal => "decimal(12, 2)",
        }
    }
    /// As a part of a name.
    pub(crate) fn word(self) -> String {
        self.text().split('(').next().unwrap_or_default().to_lowercase()
    }
    pub(crate) fn is_number(self) -> bool {
        matches!(self, Type::Int | Type::Float | Type::Decimal)
    }
    pub(crate) fn is_ordered(self) -> bool {
        self != Type::Bool
    }
}

/// One of several.
pub(crate) fn pick<T: Clone>(rng: &mut fastrand::Rng, of: &[T]) -> T {
    rng.choice(of).cloned().unwrap_or_else(|| of.first().cloned().unwrap_or_else(|| panic!("nothing to pick from")))
}
