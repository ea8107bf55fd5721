//! What single fields reject, as functions of the first stage, and the two functions of the program that decoders and runs call.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::body::{BodyPrinter, Place};
use super::printer::Printer;
use super::stages::GROUP;
use crate::plan::physical::{EventInput, FieldRejection};

impl Printer<'_> {
    /// Whether fields can reject an event at all: each beginning of its streams has a condition over a field that is read.
    fn rejects(&self, e: &EventInput) -> bool {
        !e.rejections.is_empty() && e.rejections.iter().all(|beginning| beginning.iter().any(|r| self.is_used(e.record, r.field)))
    }

    fn rejects_name(&self, e: &EventInput) -> Ident {
        format_ident!("rejects_{}", crate::lower::assemble::snake(&self.program.record(e.record).name))
    }

    /// One function per event that fields can reject.
    pub(super) fn rejection_functions(&self) -> TokenStream {
        self.program.events.iter().filter(|e| self.rejects(e)).map(|e| self.rejection_function(e)).collect()
    }

    fn rejection_function(&self, e: &EventInput) -> TokenStream {
        let (name, ty) = (self.rejects_name(e), self.record_type(e.record, &quote!('_)));
        let doc = format!("Whether fields that were read reject `{}` in every stream.", e.name);
        let beginnings: Vec<TokenStream> = e.rejections.iter().map(|beginning| self.beginning(e, beginning)).collect();
        if let [only] = beginnings.as_slice() {
            return quote!(#[doc = #doc] #[cold] fn #name(&self, row: &#ty, read: &[bool]) -> bool { #only });
        }
        if beginnings.len() <= GROUP {
            return quote!(#[doc = #doc] #[cold] fn #name(&self, row: &#ty, read: &[bool]) -> bool { #((#beginnings))&&* });
        }
        let parts: Vec<_> = (0..beginnings.len().div_ceil(GROUP)).map(|i| format_ident!("{name}_{}", i + 1)).collect();
        let functions = parts.iter().zip(beginnings.chunks(GROUP)).map(|(part, beginnings)| {
            // A group of one has no use for parentheses.
            let all = if let [only] = beginnings { only.clone() } else { quote!(#((#beginnings))&&*) };
            quote!(#[cold] fn #part(&self, row: &#ty, read: &[bool]) -> bool { #all })
        });
        quote! {
            #[doc = #doc]
            #[cold]
            fn #name(&self, row: &#ty, read: &[bool]) -> bool { #(self.#parts(row, read))&&* }
            #(#functions)*
        }
    }

    /// Whether one of the conditions at the beginning of a stream fails.
    fn beginning(&self, e: &EventInput, beginning: &[FieldRejection]) -> TokenStream {
        let place = Place { ts: quote!(row.ts), firing: false, fallible: false, stage: 0, record: quote!(row), globals: false };
        let fallible = Place { fallible: true, ts: quote!(row.ts), record: quote!(row), ..place };
        let used = self.used_fields(e.record);
        let parts = beginning.iter().filter_map(|r| {
            let at = used.iter().position(|(field, _)| *field == r.field)?;
            let at = proc_macro2::Literal::usize_unsuffixed(at);
            let read = if at.to_string() == "0" { quote!(read.first()) } else { quote!(read.get(#at)) };
            let rejects = if r.body.is_fallible() {
                let body = BodyPrinter::new(self, &r.body, &fallible).print();
                // A condition that refuses does not reject.
                quote!((|| -> Result<bool, Refusal> { #body })().is_ok_and(|rejects| rejects))
            } else {
                operand(BodyPrinter::new(self, &r.body, &place).print())
            };
            Some(quote!(#read == Some(&true) && #rejects))
        });
        let parts: Vec<TokenStream> = parts.collect();
        if let [only] = parts.as_slice() { only.clone() } else { quote!(#((#parts))||*) }
    }

    /// `rejects` and `rejected` of the program, unless the defaults will do.
    pub(super) fn rejection(&self) -> TokenStream {
        let arms: Vec<TokenStream> = self
            .program
            .events
            .iter()
            .enumerate()
            .filter(|(_, e)| self.rejects(e))
            .map(|(i, e)| {
                let index = proc_macro2::Literal::usize_unsuffixed(i);
                let (name, function) = (self.record_name(e.record), self.rejects_name(e));
                let (bindings, fields) = self.decoded_fields(e.record);
                quote!((#index, &[#(#bindings),*]) => self.stage.#function(&#name { ts: 0, #(#fields),* }, read))
            })
            .collect();
        if arms.is_empty() {
            return quote!();
        }
        let moved = if self.holds() {
            quote!(Arrival::Moved(watermark) => self.release(watermark, out), Arrival::InTime => {})
        } else if self.is_timed() {
            quote!(Arrival::Moved(watermark) => self.pass(watermark, out), Arrival::InTime => {})
        } else {
            quote!(Arrival::Moved(_) | Arrival::InTime => {})
        };
        quote! {
            #[cold]
            fn rejects(&self, event: usize, values: &[Value<'_>], read: &[bool]) -> bool {
                match (event, values) { #(#arms,)* _ => false }
            }
            #[cold]
            fn rejected<Destination: Output<Self>>(&mut self, record: &runtime::Rejected<'_>, out: &mut Destination) {
                match self.clock.observe(record.ts) {
                    Arrival::Late => out.late(record),
                    #moved
                }
            }
        }
    }
}

/// A body as an operand of `&&`.
fn operand(body: TokenStream) -> TokenStream {
    match syn::parse2::<syn::Expr>(body.clone()) {
        Ok(syn::Expr::Unary(_) | syn::Expr::MethodCall(_) | syn::Expr::Call(_) | syn::Expr::Path(_) | syn::Expr::Field(_) | syn::Expr::Lit(_)) => body,
        Ok(_) => quote!((#body)),
        Err(_) => quote!({ #body }),
    }
}
