//! What names mean at a place in the program.

use std::rc::Rc;

use super::limits::Size;
use super::typed::{Expr, Place};
use crate::plan::logical::{AggregateCall, Column, Schema};

/// One record whose fields can be named.
#[derive(Clone, Debug)]
pub struct ScopeInput {
    /// Its number in places.
    pub input: usize,
    /// What it is called: `as alias`, or the event's name.
    pub names: Vec<String>,
    /// Its columns, shared: a record is handed on for every name that is looked up.
    pub schema: Rc<Schema>,
    /// A Kleene step: an array of records.
    pub kleene: bool,
    /// Whether there may be none: the unmatched side of a join.
    pub optional: bool,
    /// Where it lies in a record of several; `None`: it is the input's record.
    pub inside: Option<Inside>,
}

/// Where a record's columns lie in another that holds several.
#[derive(Clone, Copy, Debug)]
pub struct Inside {
    /// Before its columns.
    pub offset: usize,
    /// The column of its time.
    pub ts: usize,
}

impl ScopeInput {
    /// The place of a column.
    pub fn field(&self, field: usize) -> Place {
        Place::Field { input: self.input, field: field + self.inside.map_or(0, |inside| inside.offset) }
    }
    /// The place of its time.
    pub fn ts(&self) -> Place {
        self.inside.map_or(Place::Ts { input: self.input }, |inside| Place::Field { input: self.input, field: inside.ts })
    }
}

/// A name bound to an expression, which stands for it wherever it is used.
#[derive(Clone, Debug)]
pub struct Local {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub value: Expr,
    /// How large that is.
    pub size: Size,
    /// Whether it is a `var`: the value is a variable that `:=` sets.
    pub assignable: bool,
}

impl Local {
    /// Binds a name.
    pub fn new(name: &str, value: Expr) -> Self {
        Self { name: name.to_owned(), size: Size::of(&value), value, assignable: false }
    }
}

/// A window, a pattern or a join in front of the expression.
#[derive(Clone, Debug, Default)]
pub struct FiringScope {
    /// Its key's columns.
    pub keys: Vec<Column>,
    /// A window's record: what aggregate calls range over.
    pub record: Option<ScopeInput>,
    /// Whether it has a beginning and an end.
    pub window: bool,
    /// Whether a window tells of itself more than once.
    pub updates: bool,
    /// Whether it is late records that it does so for.
    pub late: bool,
    /// Aggregates called so far; the number is the Kleene step, 0 for windows.
    pub aggregates: Vec<(usize, AggregateCall)>,
}

/// The names that an expression can use.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Records.
    pub inputs: Vec<ScopeInput>,
    /// The record (an index into `inputs`) whose fields stand for themselves.
    pub current: Option<usize>,
    /// Names bound to expressions: function parameters, `let`s, earlier aggregate entries. The last binding counts.
    pub locals: Vec<Local>,
    /// Whether it is that of an aggregate's argument.
    pub is_of_aggregate: bool,
    /// What fired.
    pub firing: Option<FiringScope>,
    /// How deep in function calls, to refuse recursion.
    pub calls: Vec<String>,
}

impl Scope {
    /// The scope of expressions over one record.
    pub fn record(names: Vec<String>, schema: Schema) -> Self {
        Self {
            inputs: vec![ScopeInput { input: 0, names, schema: Rc::new(schema), kleene: false, optional: false, inside: None }],
            current: Some(0),
            ..Self::default()
        }
    }
    /// The record of that name.
    pub fn input(&self, name: &str) -> Option<&ScopeInput> {
        self.inputs.iter().rev().find(|i| i.names.iter().any(|n| n == name))
    }
    /// The record whose fields stand for themselves.
    pub fn current(&self) -> Option<&ScopeInput> {
        self.current.and_then(|i| self.inputs.get(i))
    }
}
