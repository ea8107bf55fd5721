//! The enums that users see: any event that the program reads, any row that it publishes.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::printer::Printer;
use crate::lower::ir::RecordId;

impl Printer<'_> {
    pub(super) fn rows(&self) -> TokenStream {
        self.enum_of("Row", "Any row that the program publishes.", &self.row_records())
    }

    pub(super) fn events(&self) -> TokenStream {
        let records: Vec<RecordId> = self.program.events.iter().map(|e| e.record).collect();
        let events = self.enum_of("Event", "Any event that the program reads.", &records);
        if !self.holds() {
            return events;
        }
        let held = self.held(&records);
        quote!(#events #held)
    }

    pub(super) fn row_records(&self) -> Vec<RecordId> {
        self.program.outputs.iter().enumerate().filter(|(i, _)| !self.is_shared_rule(*i)).map(|(_, o)| o.record).collect()
    }

    fn enum_of(&self, name: &str, doc: &str, variants: &[RecordId]) -> TokenStream {
        let name = format_ident!("{name}");
        let lifetime = variants.iter().any(|r| self.has_lifetime(*r));
        let generics = if lifetime { quote!(<'a>) } else { quote!() };
        let any = if lifetime { quote!(<'_>) } else { quote!() };
        let list = variants.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), self.record_type(*r, &quote!('a)));
            let doc = &self.program.record(*r).doc;
            quote!(#[doc = #doc] #variant(#ty))
        });
        let froms = variants.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), self.record_type(*r, &quote!('a)));
            let own = if self.has_lifetime(*r) || lifetime { quote!(<'a>) } else { quote!() };
            quote!(impl #own From<#ty> for #name #generics { fn from(row: #ty) -> Self { Self::#variant(row) } })
        });
        let writes = variants.iter().map(|r| {
            let variant = self.record_name(*r);
            quote!(Self::#variant(row) => row.write(writer))
        });
        if variants.is_empty() {
            return quote! {
                #[doc = #doc]
                #[derive(Clone, Copy, Debug, PartialEq)]
                pub enum #name {}
                impl WriteRecord for #name { fn write(&self, _writer: &mut RecordWriter<'_>) { match *self {} } }
            };
        }
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub enum #name #generics { #(#list),* }
            #(#froms)*
            impl WriteRecord for #name #any {
                fn write(&self, writer: &mut RecordWriter<'_>) { match self { #(#writes,)* } }
            }
        }
    }
}
