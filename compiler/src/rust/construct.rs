//! How an operator is made: its type, its configuration, and the slots it starts with.

use proc_macro2::TokenStream;
use quote::quote;
use varpulis_abi::scalar::Scalar;

use super::literal::{constant, int};
use super::names;
use super::printer::Printer;
use super::record::value_type;
use crate::analysis::typed::Literal;
use crate::lower::ir::FieldType;
use crate::plan::physical::{Config, Operator};

impl Printer<'_> {
    pub(super) fn operator_type(&self, operator: &Operator) -> TokenStream {
        let (ty, kernel) = (names::ident(operator.runtime), names::type_name(&operator.name));
        quote!(#ty<#kernel>)
    }

    pub(super) fn construct(&self, operator: &Operator) -> TokenStream {
        let (ty, kernel) = (names::ident(operator.runtime), names::type_name(&operator.name));
        let kernel = if self.program.globals.is_empty() { quote!(#kernel) } else { quote!(#kernel { globals: globals.clone() }) };
        let config = operator.config.iter().map(|c| self.config(operator, c));
        quote!(#ty::new(#kernel #(, #config)*))
    }

    fn config(&self, operator: &Operator, c: &Config) -> TokenStream {
        match c {
            Config::Int(v) => int(*v),
            Config::Bool(v) => quote!(#v),
            Config::Struct(name, fields) => {
                let name = names::ident(name);
                let fields = fields.iter().map(|(n, v)| {
                    let n = names::ident(n);
                    let v = self.config(operator, v);
                    quote!(#n: #v)
                });
                quote!(#name { #(#fields),* })
            }
            Config::List(items) => {
                let items = items.iter().map(|i| self.config(operator, i));
                quote!(Cow::Borrowed(&[#(#items),*]))
            }
            Config::Slots(store, rows) => self.slots(operator, store, rows),
        }
    }

    /// Prefilled slots: a table of constants, and one loop that makes slots of it.
    fn slots(&self, operator: &Operator, store: &str, rows: &[Vec<Literal>]) -> TokenStream {
        let Some((_, record)) = operator.stores.iter().find(|(s, _)| *s == store) else { return quote!(NoState::empty()) };
        let name = self.record_name(*record);
        let fields: Vec<_> = self.program.record(*record).fields.iter().collect();
        if fields.is_empty() {
            let count = rows.len();
            return quote!((0..#count).map(|_| #name {}).collect());
        }
        let types = fields.iter().map(|f| match f.ty {
            FieldType::Scalar(p) if matches!(p.scalar, Scalar::Text | Scalar::Json | Scalar::Packed) => quote!(&str),
            FieldType::Scalar(p) => value_type(p, true),
            FieldType::Object(_) => quote!(()),
        });
        let names: Vec<_> = fields.iter().map(|f| names::field(&f.name)).collect();
        let inits = fields.iter().zip(&names).map(|(f, n)| match f.ty {
            FieldType::Scalar(p) if matches!(p.scalar, Scalar::Text | Scalar::Json | Scalar::Packed) => quote!(#n: Text::from(*#n)),
            _ => quote!(#n: *#n),
        });
        let values = rows.iter().map(|row| {
            let cells = row.iter().map(|l| constant(l).0);
            quote!((#(#cells,)*))
        });
        let count = rows.len();
        quote! {{
            const TABLE: [(#(#types,)*); #count] = [#(#values),*];
            TABLE.iter().map(|(#(#names,)*)| #name { #(#inits),* }).collect()
        }}
    }
}
