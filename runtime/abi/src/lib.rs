//! What the compiler and the runtime must agree on, written once.
//!
//! The compiler names operators' kernels, run-time functions, physical types and refusal codes without depending on
//! the runtime; the runtime provides exactly those. Both expand the lists of this crate, so that drift is a compile error.
#![no_std]

extern crate alloc;

pub mod decimal;
pub mod duration;
pub mod functions;
pub mod jit;
pub mod kernels;
pub mod layout;
pub mod number;
pub mod objects;
pub mod packed;
pub mod reason;
pub mod scalar;
pub mod scaled;
