//! Events that wait for their turn, where some may lag: each with texts of its own.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use varpulis_abi::scalar::{Physical, Scalar};

use super::names;
use super::printer::Printer;
use super::record::value_type;
use crate::lower::ir::{FieldType, RecordField, RecordId};

impl Printer<'_> {
    /// Whether some event may lag, so that events wait in a reorder buffer.
    pub(super) fn holds(&self) -> bool {
        self.program.events.iter().any(|e| e.out_of_order > 0)
    }

    /// What waits: one struct per event, and any of them.
    pub(super) fn held(&self, records: &[RecordId]) -> TokenStream {
        let held = records.iter().map(|r| self.held_record(*r));
        let variants = records.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), format_ident!("Held{}", self.program.record(*r).name));
            quote!(#variant(#ty))
        });
        quote!(#(#held)* enum Held { #(#variants),* })
    }

    fn held_record(&self, r: RecordId) -> TokenStream {
        let name = format_ident!("Held{}", self.program.record(r).name);
        let (row, row_name) = (self.record_type(r, &quote!('_)), self.record_name(r));
        let used = self.used_fields(r);
        let fields = used.iter().map(|(_, f)| {
            let field = names::field(&f.name);
            let FieldType::Scalar(ty) = f.ty else { return quote!() };
            let ty = value_type(ty, true);
            quote!(#field: #ty)
        });
        let text = |f: &RecordField| match f.ty {
            FieldType::Scalar(Physical { scalar: Scalar::Text | Scalar::Json | Scalar::Packed, nullable }) => Some(nullable),
            _ => None,
        };
        let owns = used.iter().map(|(_, f)| {
            let field = names::field(&f.name);
            match text(f) {
                Some(true) => quote!(#field: row.#field.map(Text::from)),
                Some(false) => quote!(#field: Text::from(row.#field)),
                None => quote!(#field: row.#field),
            }
        });
        let lends = used.iter().map(|(_, f)| {
            let field = names::field(&f.name);
            match text(f) {
                Some(true) => quote!(#field: self.#field.as_deref()),
                Some(false) => quote!(#field: self.#field.as_str()),
                None => quote!(#field: self.#field),
            }
        });
        let doc = format!("`{}`, waiting for its turn.", self.program.record(r).name);
        quote! {
            #[doc = #doc]
            struct #name { ts: i64, #(#fields),* }
            impl #name {
                fn new(row: &#row) -> Self { Self { ts: row.ts, #(#owns),* } }
                fn row(&self) -> #row { #row_name { ts: self.ts, #(#lends),* } }
            }
        }
    }
}
