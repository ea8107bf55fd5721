//! Types that users name and that borrow nothing. They have a lifetime all the same, so that `Row<'_>` in a user's code
//! stays right when a text comes in or goes out: the types stand in a module, and what users name is an alias with a lifetime.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::printer::Printer;

/// The name with a lifetime.
pub(super) fn alias(name: &Ident, doc: &str) -> TokenStream {
    quote!(#[doc = #doc] pub type #name<'a> = without_text::#name;)
}

impl Printer<'_> {
    /// The module of the types, if there are any.
    pub(super) fn without_text(&self) -> TokenStream {
        let records = self.public_records();
        let structs: TokenStream = records.iter().filter(|r| !self.has_text(**r)).map(|r| self.row_struct(*r)).collect();
        let enums = self.enums_without_text();
        if structs.is_empty() && enums.is_empty() {
            return quote!();
        }
        quote! {
            /// Types that borrow nothing now. Their aliases have a lifetime, so that code which names them need not change when they do.
            mod without_text {
                #[allow(unused_imports, reason = "the path is for names that the program has too")]
                use super::runtime;
                #structs
                #enums
            }
        }
    }
}
