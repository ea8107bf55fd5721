//! The plans: data and printers. What transforms them lives in `lower/` and `optimize/`.

pub mod json;
mod layout;
pub mod logical;
pub mod physical;
pub mod picture;
pub mod print;
