//! The rows of rule tables: one struct for many streams that differ in constants only.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::literal::json_text;
use super::names;
use super::printer::Printer;
use super::record::writer_method;
use crate::lower::ir::{FieldType, RecordId};

impl Printer<'_> {
    /// A publication that belongs to a rule table but is not its first: it has no record of its own.
    pub(super) fn is_shared_rule(&self, publication: usize) -> bool {
        self.rules.iter().any(|r| r.iter().skip(1).any(|p| *p == publication))
    }

    /// The publications of the rule table whose rows a record is.
    pub(super) fn rule_of_record(&self, id: RecordId) -> Option<&Vec<usize>> {
        self.program.outputs.iter().position(|o| o.record == id).and_then(|publication| self.rule_of(publication))
    }

    pub(super) fn rule_of(&self, publication: usize) -> Option<&Vec<usize>> {
        self.rules.iter().find(|r| r.first() == Some(&publication))
    }

    /// The row of many rules: it knows which one it came from.
    pub(super) fn rule_record(&self, id: RecordId, rule: &[usize]) -> TokenStream {
        let row = self.record(id);
        let ty = self.record_type(id, &quote!('_));
        let streams = rule.iter().filter_map(|p| self.program.outputs.get(*p)).map(|o| o.name.as_str());
        let heads = rule.iter().filter_map(|p| self.program.outputs.get(*p)).map(|o| format!("{{\"type\":{},\"ts\":", json_text(&o.name)));
        let count = rule.len();
        let (heads_name, names_name) = (
            format_ident!("{}_HEADS", crate::lower::assemble::snake(&self.program.record(id).name).to_uppercase()),
            format_ident!("{}_NAMES", crate::lower::assemble::snake(&self.program.record(id).name).to_uppercase()),
        );
        let writes = self.used_fields(id).into_iter().map(|(_, f)| {
            let field = names::field(&f.name);
            let key = format!(",{}:", json_text(&f.name));
            let FieldType::Scalar(p) = f.ty else { return quote!() };
            let plain = writer_method(p);
            quote!(writer.#plain(#key, self.#field);)
        });
        quote! {
            #row
            const #heads_name: [&str; #count] = [#(#heads),*];
            const #names_name: [&str; #count] = [#(#streams),*];
            impl #ty {
                /// The stream that the row belongs to.
                pub fn stream(&self) -> &'static str { #names_name.get(self.rule).copied().unwrap_or_default() }
            }
            impl WriteRecord for #ty {
                fn write(&self, writer: &mut RecordWriter<'_>) {
                    writer.begin(#heads_name.get(self.rule).copied().unwrap_or_default(), self.ts);
                    #(#writes)*
                    writer.end();
                }
            }
        }
    }
}
