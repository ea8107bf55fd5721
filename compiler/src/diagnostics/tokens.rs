//! Diagnostics as Rust tokens: errors of a macro land on the text in the user's file.

use proc_macro2::TokenStream;
use quote::quote_spanned;

use super::Diagnostic;
use crate::sources::Sources;
use crate::syntax::ast::Span;

/// One `compile_error!` per error, at the token that `place` finds for its span; where there is none, at the whole program, with line, column and excerpt.
pub fn compile_errors(
    diagnostics: &[Diagnostic],
    sources: &Sources,
    place: &dyn Fn(Span) -> Option<proc_macro2::Span>,
    whole: proc_macro2::Span,
) -> TokenStream {
    diagnostics
        .iter()
        .filter(|d| d.is_error())
        .map(|d| {
            let mut message = format!("{}: {}", d.code.text(), d.message);
            for more in d.notes.iter().chain(&d.help) {
                message.push_str("\n  = ");
                message.push_str(more);
            }
            if let Some(fix) = &d.fix {
                message.push_str(&format!("\n  = help: {}: `{}`", fix.title, fix.replacement));
            }
            let span = place(d.span).unwrap_or_else(|| {
                let (path, line, column) = sources.position(d.span.start as usize);
                let text = sources.text();
                let excerpt = sources.part(d.span.start as usize).text.lines().nth(line - 1).unwrap_or_default();
                let width = text.get(d.span.start as usize..d.span.end as usize).map_or(1, |t| t.lines().next().unwrap_or_default().chars().count().max(1));
                message.push_str(&format!("\n  --> {path}:{line}:{column}\n   | {excerpt}\n   | {}{}", " ".repeat(column - 1), "^".repeat(width)));
                whole
            });
            quote_spanned!(span=> ::core::compile_error!(#message);)
        })
        .collect()
}
