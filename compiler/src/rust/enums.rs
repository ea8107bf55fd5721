//! The enums that users see: any event that the program reads, any row that it publishes.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, format_ident, quote};

use super::printer::Printer;
use super::without_text;
use crate::lower::ir::RecordId;

const EVENT: (&str, &str) = ("Event", "Any event that the program reads.");
const ROW: (&str, &str) = ("Row", "Any row that the program publishes.");

impl Printer<'_> {
    pub(super) fn rows(&self) -> TokenStream {
        self.enum_of(ROW, &self.row_records())
    }

    pub(super) fn events(&self) -> TokenStream {
        let records = self.event_records();
        let events = self.enum_of(EVENT, &records);
        if !self.holds() {
            return events;
        }
        let held = self.held(&records);
        quote!(#events #held)
    }

    pub(super) fn row_records(&self) -> Vec<RecordId> {
        self.program.outputs.iter().enumerate().filter(|(i, _)| !self.is_shared_rule(*i)).map(|(_, o)| o.record).collect()
    }

    pub(super) fn event_records(&self) -> Vec<RecordId> {
        self.program.events.iter().map(|e| e.record).collect()
    }

    /// The enums of which no variant has a text.
    pub(super) fn enums_without_text(&self) -> TokenStream {
        let all = [(EVENT, self.event_records()), (ROW, self.row_records())];
        all.iter().filter(|(_, variants)| !self.any_text(variants)).map(|(e, variants)| self.enum_item(*e, variants)).collect()
    }

    fn any_text(&self, variants: &[RecordId]) -> bool {
        variants.iter().any(|r| self.has_text(*r))
    }

    fn enum_item(&self, (name, doc): (&str, &str), variants: &[RecordId]) -> TokenStream {
        let name = format_ident!("{name}");
        let text = self.any_text(variants);
        let generics = if text { quote!(<'a>) } else { quote!() };
        let list = variants.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), if text { self.record_type(*r, &quote!('a)) } else { self.record_name(*r).into_token_stream() });
            let doc = &self.program.record(*r).doc;
            quote!(#[doc = #doc] #variant(#ty))
        });
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub enum #name #generics { #(#list),* }
        }
    }

    fn enum_of(&self, (text, doc): (&str, &str), variants: &[RecordId]) -> TokenStream {
        let name = format_ident!("{text}");
        let item = if self.any_text(variants) { self.enum_item((text, doc), variants) } else { without_text::alias(&name, doc) };
        let impls = self.enum_impls(&name, variants);
        quote!(#item #impls)
    }

    fn enum_impls(&self, name: &Ident, variants: &[RecordId]) -> TokenStream {
        if variants.is_empty() {
            return quote!(impl WriteRecord for #name<'_> { fn write(&self, _writer: &mut RecordWriter<'_>) { match *self {} } });
        }
        let froms = variants.iter().map(|r| {
            let (variant, ty) = (self.record_name(*r), self.record_type(*r, &quote!('a)));
            quote!(impl<'a> From<#ty> for #name<'a> { fn from(row: #ty) -> Self { Self::#variant(row) } })
        });
        let writes = variants.iter().map(|r| {
            let variant = self.record_name(*r);
            quote!(Self::#variant(row) => row.write(writer))
        });
        quote! {
            #(#froms)*
            impl WriteRecord for #name<'_> {
                fn write(&self, writer: &mut RecordWriter<'_>) { match self { #(#writes,)* } }
            }
        }
    }
}
