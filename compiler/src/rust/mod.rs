//! The Rust backend: prints a physical program as Rust. It names no operator: types, kernels and constructors come from the plan
//! and the shared lists. Names and texts of the program become tokens, never joined text.

mod body;
mod chain;
mod construct;
mod enums;
mod globals;
mod held;
mod kernel;
mod literal;
mod names;
mod packed;
mod printer;
mod program;
mod record;
mod refused;
mod rejections;
mod rules;
mod run;
mod stages;
mod tables;
mod text;
mod value;
mod without_text;

use proc_macro2::TokenStream;

pub use text::file;

use crate::sources::Sources;

/// A path from its text, which is the caller's own, not the program's.
pub fn path(text: &str) -> syn::Path {
    syn::parse_str(text).unwrap_or_else(|_| syn::Path::from(proc_macro2::Ident::new("varpulis", proc_macro2::Span::call_site())))
}

/// How the program will be used.
#[derive(Clone)]
pub struct Options {
    /// The path under which generated code finds the runtime, such as `varpulis::runtime`.
    pub runtime: syn::Path,
    /// The program's name, for messages.
    pub name: String,
    /// The program's file, for messages.
    pub file: String,
    /// Whether the `.vpl` line stands in a comment above each operator: only where the result is text.
    pub comments: bool,
}

/// The items of the program's module.
pub fn items(program: &crate::plan::physical::Program, sources: &Sources, options: &Options) -> TokenStream {
    names::permit_spelling(printer::Printer::new(program, sources, options).items())
}
