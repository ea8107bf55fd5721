//! Lowering: from the typed logical plan to records, kernels and chains in which everything is explicit.
//! From here on there are no names to resolve, no conversions to find and no nulls to think of.

pub mod accumulators;
pub mod assemble;
pub mod builder;
pub mod columns;
mod entries;
pub mod expression;
mod frame;
pub mod ir;
mod kept;
mod kernels;
mod observe;
mod order;
mod parameters;
mod patterns;
pub mod print;
mod rejections;
mod rules;
pub(crate) mod run;
mod stages;
pub mod usage;

pub use assemble::assemble;
