//! The `varpulis!` macro. What it does is told at [`varpulis`]; this file is a shell around `expand`.

mod arguments;
mod expand;
mod source;

use proc_macro::TokenStream;

/// Compiles a VarpulisQL program into a module.
///
/// The program is a file, a text, or stands in the macro itself:
///
/// ```ignore
/// varpulis! { pub mod fraud; file "fraud.vpl" }
///
/// varpulis! { mod fraud; r#"
///     stream Big = Trade.where(price > 50.0)
/// "# }
///
/// varpulis! {
///     mod fraud;
///
///     event Trade:
///         symbol: str
///         price: float
///     stream Big = Trade.where(price > 50.0)
/// }
/// ```
///
/// - A file's path is relative to the package's `Cargo.toml`. Cargo notices when the file changes. Errors show its line and text.
/// - A text loses the indentation that all of its lines share.
/// - A program in the macro begins on a line of its own, and errors are shown at its very words. Rust reads it first, so that what Rust cannot read
///   has to be written otherwise: texts in double quotes, comments with `//`; no `f"…"`.
///
/// `crate = some::path,` before `mod` names the crate `varpulis` if it goes by another name.
/// With `VARPULIS_EMIT=folder` in the environment, the Rust that is made is written there too.
#[proc_macro]
pub fn varpulis(input: TokenStream) -> TokenStream {
    expand::expand(input.into()).into()
}
