//! Varpulis: a compiler for VarpulisQL, a language for complex event processing. A program becomes ordinary Rust: typed events in, typed rows out.
//!
//! [`varpulis!`] compiles a program where it stands, `build` compiles one in a build script (feature `build`), and [`include!`] takes that one in.
//! Either way the program is a module with a `Program` to push events into, a struct for each event, and an enum `Row` of what it publishes.
//! These types have a lifetime whatever fields they have, so that `Row<'_>` stays right when a program gains or loses a `str`.
//!
//! ```
//! varpulis::varpulis! {
//!     mod large;
//!
//!     event Trade:
//!         symbol: str
//!         price: float
//!     stream Large = Trade
//!         .where(price > 50.0)
//!         .emit(symbol, price)
//! }
//!
//! # fn main() {
//! use varpulis::Instance;
//!
//! let mut seen = vec![];
//! let mut out = varpulis::rows(|row: large::Row<'_>| seen.push(format!("{row:?}")));
//! let mut program = large::Program::new();
//! program.push(large::Trade { ts: 0, symbol: "ACME", price: 101.5 }, &mut out);
//! program.push(large::Trade { ts: 1, symbol: "INIT", price: 20.25 }, &mut out);
//! program.finish(&mut out);
//! assert_eq!(seen.len(), 1);
//! # }
//! ```

#[cfg(feature = "build")]
mod script;

#[cfg(feature = "jit")]
pub use varpulis_compiler::jit;
pub use varpulis_macros::varpulis;
pub use varpulis_runtime as runtime;

pub use runtime::output::{Output, RecordWriter, Rows, WriteRecord, rows};
pub use runtime::program::{Instance, Params, Program};
#[cfg(feature = "build")]
pub use script::build;

/// Takes in, as a public module, a program that the build script compiled: `varpulis::include!(fraud);` after `varpulis::build("fraud.vpl")`.
#[macro_export]
macro_rules! include {
    ($name:ident) => {
        #[doc = ::core::concat!("The VarpulisQL program `", ::core::stringify!($name), "`.")]
        #[allow(
            dead_code,
            missing_debug_implementations,
            rustdoc::all,
            clippy::all,
            clippy::pedantic,
            clippy::nursery,
            clippy::restriction,
            reason = "generated code"
        )]
        pub mod $name {
            ::core::include!(::core::concat!(::core::env!("OUT_DIR"), "/", ::core::stringify!($name), ".rs"));
        }
    };
}
