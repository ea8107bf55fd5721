//! What programs that are compiled at run time need around their code (feature `jit`).
//!
//! Operators are those of all programs, over one kernel type that calls compiled functions by address. Rows and slots are words whose
//! places a layout gives. All that compiled code calls stands in the shared lists of `varpulis_abi`: helpers, functions, objects.
//!
//! Memory safety rests on three things: the compiler computes addresses from layouts and checked tables alone, so that no program or event
//! can make it compute another; texts and objects of slots are changed by helpers only; and what lives shorter than the call that uses it is
//! never stored.

mod bytes;
mod call;
mod code;
mod context;
mod instance;
mod kernel;
mod memory;
mod objects;
mod operator;
mod record;
mod refused;
mod waiting;

pub use code::{BatchAddress, ChainAddress, Code, CounterCode, GlobalCode, InputCode, OperatorCode, OutputCode, RejectionCode, Rejections, Target};
pub use instance::Instance;
pub use kernel::{Address, Functions};
pub use operator::{Config, Constant};
pub use record::{JitRow, Shape, ShapeField};

/// What compiled code calls by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Symbol<'a> {
    /// A helper of the shared list.
    Helper(&'a str),
    /// A run-time function, by its body's name.
    Function(&'a str),
    /// A method of an object, or its `merge`.
    Method(&'a str, &'a str),
}

/// Its address; `None` if there is none of that name.
pub fn address(symbol: Symbol<'_>) -> Option<*const u8> {
    match symbol {
        Symbol::Helper(name) => context::address(name),
        Symbol::Function(body) => call::address(body),
        Symbol::Method(object, method) => objects::address(object, method),
    }
}
