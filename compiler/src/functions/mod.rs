//! Functions of expressions: the typing of the shared list, and the aggregates.

pub mod aggregates;

use varpulis_abi::functions::{FUNCTIONS, FunctionRow};
use varpulis_abi::scalar::Scalar;

/// A run-time function: a place in the shared list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function(u16);

impl Function {
    /// Its row.
    #[expect(clippy::indexing_slicing, reason = "made from places in the list only")]
    pub fn row(self) -> &'static FunctionRow {
        &FUNCTIONS[self.0 as usize]
    }
    /// The overload for exactly these arguments.
    pub fn find(name: &str, args: &[Scalar]) -> Option<Function> {
        FUNCTIONS.iter().position(|f| f.name == name && f.args == args).map(|i| Function(i as u16))
    }
    /// Every overload of a name.
    pub fn overloads(name: &str) -> impl Iterator<Item = Function> + use<'_> {
        FUNCTIONS.iter().enumerate().filter(move |(_, f)| f.name == name).map(|(i, _)| Function(i as u16))
    }
    /// Every name that can be called.
    pub fn names() -> impl Iterator<Item = &'static str> {
        FUNCTIONS.iter().map(|f| f.name).filter(|n| n.starts_with(|c: char| c.is_ascii_alphabetic()))
    }
}
