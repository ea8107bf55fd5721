//! The runtime that compiled VarpulisQL programs link: operators, state, time, ingestion and output.
//!
//! It never sees the text of a program. An operator is a generic type over a *kernel* ([`kernels`]): the functions that
//! a program contributes, which the Rust backend prints and rustc inlines.

pub mod clock;
pub mod event;
pub mod input;
#[cfg(feature = "jit")]
pub mod jit;
pub mod kernels;
pub mod operator;
pub mod operators;
pub mod output;
pub mod pattern;
pub mod program;
pub mod reorder;
pub mod scalar;
#[cfg(feature = "standalone")]
pub mod standalone;
pub mod state;
pub mod timers;
pub mod told;
pub mod value;

/// What generated code uses, under plain names.
pub mod prelude {
    // A program may have a type of its own called `Option`; this one is then reached by its path.
    pub use std::borrow::Cow;
    pub use std::prelude::v1::*;

    pub use crate::clock::{Arrival, Clock, MachineTime};
    pub use crate::input::Rejected;
    pub use crate::kernels::*;
    pub use crate::operator::{Operator, Refusal};
    pub use crate::operators::*;
    pub use crate::output::{At, Output, RecordWriter, WithState, WriteRecord};
    pub use crate::pattern::*;
    pub use crate::program::{
        Counters, EventSchema, FieldSchema, Form, Instance, ParamSchema, Params, Program as CompiledProgram, Schema, Site, StreamSchema, Tally,
    };
    pub use crate::reorder::ReorderBuffer;
    pub use crate::scalar::*;
    pub use crate::state::{NoState, Slots, Text, Typed};
    pub use crate::timers::Timers;
    pub use crate::told::Told;
    pub use crate::value::Value;
    pub use varpulis_abi::packed::{Cell, Packed, Packer, pack};
    pub use varpulis_abi::reason::Reason;
    pub use varpulis_abi::scalar::{Physical, Scalar};
}
