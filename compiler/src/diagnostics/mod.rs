//! Diagnostics: one value for every message, and its renderers.

mod codes;
mod diagnostic;
pub mod foreign;
mod json;
mod lines;
mod quoted;
mod similar;
mod terminal;
mod tokens;

pub use codes::Code;
pub use diagnostic::{Diagnostic, Fix, Label, Level};
pub use json::render_json;
pub use lines::Lines;
pub use quoted::listed;
pub use similar::did_you_mean;
pub use terminal::render;
pub use tokens::compile_errors;
