//! The JIT backend: a physical program as native code in memory, in milliseconds.
//!
//! It prints the same lowered bodies as the Rust backend and decides nothing: what an operation means is in `lower/`, what an operator does is
//! in the runtime. Rows are words whose places a layout gives; an operator's kernel is a table of addresses.

mod batch;
mod effect;
mod fields;
mod function;
mod kernel;
mod module;
mod packed;
mod program;
mod records;
mod rejections;
mod run;
mod tables;
mod text;
mod value;

pub use program::{Limits, Program, Refused};
pub use varpulis_runtime::jit::{Instance, JitRow as Row};

/// Why a program could not be made into code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// There is no code generator for this machine.
    Machine(String),
    /// The code generator or the operating system refused: no memory, as a rule.
    Module(String),
    /// The machine code is larger than so many bytes.
    TooLarge(usize),
}

impl Error {
    fn module(error: impl std::fmt::Display) -> Self {
        Self::Module(error.to_string())
    }

    /// Something that lowered code and the runtime do not agree on.
    fn unknown(what: &str) -> Self {
        Self::Module(format!("code generation lacks `{what}`"))
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Machine(error) => write!(f, "no code can be generated for this machine: {error}"),
            Self::Module(error) => write!(f, "internal error: {error}"),
            Self::TooLarge(most) => write!(f, "the program's machine code is larger than {most} bytes"),
        }
    }
}

impl std::error::Error for Error {}
