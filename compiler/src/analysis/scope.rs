//! What names mean at a place in the program.

use std::rc::Rc;

use super::limits::Size;
use super::streams::Key;
use super::typed::{Expr, Place};
use super::types::Type;
use crate::plan::logical::{AggregateCall, Schema};

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
    /// The records that it was made of, each at its columns: a join's or a pattern's members.
    pub members: Rc<[ScopeInput]>,
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
    /// An input's own record.
    pub fn new(input: usize, names: Vec<String>, schema: Schema) -> Self {
        Self { input, names, schema: Rc::new(schema), kleene: false, optional: false, inside: None, members: Rc::new([]) }
    }
    /// Whether it is a Kleene step of which a record has the newest element alone.
    pub fn is_newest(&self) -> bool {
        self.kleene && self.inside.is_some()
    }
    /// Whether it is called that.
    pub fn is_called(&self, name: &str) -> bool {
        self.names.iter().any(|n| n == name)
    }
    /// The record of that name among those that it was made of.
    pub fn member(&self, name: &str) -> Option<&ScopeInput> {
        self.members.iter().rev().find(|member| member.is_called(name))
    }
    /// The place of a column.
    pub fn field(&self, field: usize) -> Place {
        Place::Field { input: self.input, field: field + self.inside.map_or(0, |inside| inside.offset) }
    }
    /// The type of its time.
    pub fn time(&self) -> Type {
        Type::TIMESTAMP.with_null(self.optional)
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
    /// Its key, over a window's records.
    pub(crate) keys: Vec<Key>,
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
    pub fn record(record: ScopeInput) -> Self {
        Self { inputs: vec![record], current: Some(0), ..Self::default() }
    }
    /// The record of that name; those that a record was made of come last.
    pub fn input(&self, name: &str) -> Option<&ScopeInput> {
        self.inputs.iter().rev().find(|i| i.is_called(name)).or_else(|| self.inputs.iter().find_map(|i| i.member(name)))
    }
    /// The record whose fields stand for themselves.
    pub fn current(&self) -> Option<&ScopeInput> {
        self.current.and_then(|i| self.inputs.get(i))
    }
}
