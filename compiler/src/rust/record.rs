//! Records: structs for rows and slots, and how a row writes itself.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use varpulis_abi::scalar::{Form, Physical, Scalar};

use super::literal::json_text;
use super::names;
use super::printer::Printer;
use super::tables::shape_schema;
use super::without_text;
use crate::lower::ir::{FieldType, RecordField, RecordId, Shape};

/// The Rust type of a value: borrowed in rows, owned in slots.
pub(super) fn value_type(ty: Physical, stored: bool) -> TokenStream {
    let inner = match ty.scalar {
        Scalar::Int | Scalar::Timestamp | Scalar::Duration => quote!(i64),
        Scalar::Wide | Scalar::Decimal => quote!(i128),
        Scalar::Float => quote!(f64),
        Scalar::Bool => quote!(bool),
        Scalar::Enum => quote!(u32),
        Scalar::Text | Scalar::Json | Scalar::Packed if stored => quote!(Text),
        Scalar::Text | Scalar::Json | Scalar::Packed => quote!(&'a str),
    };
    if ty.nullable { quote!(Option<#inner>) } else { inner }
}

/// Whether the values of a type borrow.
pub(super) fn borrows(ty: FieldType) -> bool {
    matches!(ty, FieldType::Scalar(Physical { scalar: Scalar::Text | Scalar::Json | Scalar::Packed, .. }))
}

impl Printer<'_> {
    /// The records of events, slots and rows, in this order of the plan.
    pub(super) fn records(&self) -> TokenStream {
        let mut out = TokenStream::new();
        let outputs: Vec<RecordId> = self.program.outputs.iter().map(|o| o.record).collect();
        for i in 0..self.program.records.len() {
            let id = RecordId(i as u32);
            if outputs.contains(&id) {
                continue;
            }
            // A slot that nobody reads has a type all the same; a row that nobody makes has none.
            out.extend(self.record(id));
            let record = self.program.record(id);
            if !record.stored {
                let event = self.program.events.iter().find(|e| e.record == id);
                let name = event.map_or(record.name.as_str(), |e| e.name.as_str());
                out.extend(self.write_record(id, name, None));
            }
        }
        for (at, o) in self.program.outputs.iter().enumerate() {
            if self.is_shared_rule(at) {
                continue;
            }
            match self.rule_of(at) {
                Some(rule) => out.extend(self.rule_record(o.record, rule)),
                None => {
                    out.extend(self.record(o.record));
                    out.extend(self.write_record(o.record, &o.name, o.shadow));
                }
            }
        }
        out
    }

    /// The fields of a record that something reads.
    pub(super) fn used_fields(&self, id: RecordId) -> Vec<(usize, &RecordField)> {
        self.usage.used_fields(self.program, id)
    }

    pub(super) fn is_used(&self, id: RecordId, field: usize) -> bool {
        self.usage.is_used(id, field)
    }

    /// Whether the row's type has a lifetime: where a text is in it, and wherever users name it, text or not.
    fn has_lifetime(&self, id: RecordId) -> bool {
        self.has_text(id) || self.public.contains(&id)
    }

    /// Whether the row borrows.
    pub(super) fn has_text(&self, id: RecordId) -> bool {
        !self.program.record(id).stored && self.used_fields(id).iter().any(|(_, f)| borrows(f.ty))
    }

    /// The records that users name: events, and rows that are published.
    pub(super) fn public_records(&self) -> Vec<RecordId> {
        self.event_records().into_iter().chain(self.row_records()).collect()
    }

    pub(super) fn record_name(&self, id: RecordId) -> Ident {
        names::type_name(&self.program.record(id).name)
    }

    /// The type with a lifetime, if it has one.
    pub(super) fn record_type(&self, id: RecordId, lifetime: &TokenStream) -> TokenStream {
        let name = self.record_name(id);
        if self.has_lifetime(id) { quote!(#name<#lifetime>) } else { quote!(#name) }
    }

    /// The type of a row or of a slot.
    pub(super) fn record(&self, id: RecordId) -> TokenStream {
        let record = self.program.record(id);
        let name = self.record_name(id);
        let doc = &record.doc;
        if !record.stored {
            let lent = self.has_lifetime(id) && !self.has_text(id);
            return if lent { without_text::alias(&name, doc) } else { self.row_struct(id) };
        }
        let fields = self.struct_fields(id);
        quote! {
            #[doc = #doc]
            #[derive(Clone, Debug, Default)]
            pub struct #name { #fields }
        }
    }

    /// The struct of a row.
    pub(super) fn row_struct(&self, id: RecordId) -> TokenStream {
        let name = self.record_name(id);
        let generics = if self.has_text(id) { quote!(<'a>) } else { quote!() };
        let rule = self.rule_of_record(id);
        let doc = rule.map_or_else(|| self.program.record(id).doc.clone(), |r| format!("A row of {} streams that differ in constants only.", r.len()));
        let number = rule.map(|_| {
            quote! {
                /// Which of the streams, in the order of the program.
                pub rule: usize,
            }
        });
        let fields = self.struct_fields(id);
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy, Debug, PartialEq)]
            pub struct #name #generics {
                #number
                /// Event time, ns since the epoch.
                pub ts: i64,
                #fields
            }
        }
    }

    fn struct_fields(&self, id: RecordId) -> TokenStream {
        let stored = self.program.record(id).stored;
        let fields = self.used_fields(id).into_iter().map(|(_, f)| {
            let name = names::field(&f.name);
            let ty = match f.ty {
                FieldType::Scalar(ty) => value_type(ty, stored),
                FieldType::Object(o) => {
                    let o = names::ident(o.name);
                    quote!(#o)
                }
            };
            let doc = format!("`{}`", f.name);
            quote!(#[doc = #doc] pub #name: #ty,)
        });
        quote!(#(#fields)*)
    }

    /// `impl WriteRecord`, with the record's name in the output.
    pub(super) fn write_record(&self, id: RecordId, type_name: &str, shadow: Option<usize>) -> TokenStream {
        let ty = self.record_type(id, &quote!('_));
        let record = self.program.record(id);
        let open = format!("{{\"type\":{}", json_text(type_name));
        let timestamp = |f: &RecordField| matches!(f.ty, FieldType::Scalar(Physical { scalar: Scalar::Timestamp, nullable: false }));
        let begin = match shadow.and_then(|s| record.fields.get(s)) {
            None => {
                let head = format!("{open},\"ts\":");
                quote!(writer.begin(#head, self.ts);)
            }
            Some(f) if timestamp(f) => {
                let (head, ts) = (format!("{open},\"ts\":"), names::field("ts"));
                quote!(writer.begin(#head, self.#ts);)
            }
            Some(_) => quote!(writer.json(#open, "");),
        };
        let fields = self.used_fields(id).into_iter().filter(|(i, f)| Some(*i) != shadow || !timestamp(f)).map(|(i, f)| {
            let name = names::field(&f.name);
            let key = format!(",{}:", json_text(&f.name));
            let FieldType::Scalar(ty) = f.ty else { return quote!() };
            let names = record.variants_of(i);
            if !names.is_empty() {
                let lookup =
                    if ty.nullable { quote!(self.#name.map(|v| variant_name(&[#(#names),*], v))) } else { quote!(variant_name(&[#(#names),*], self.#name)) };
                return if ty.nullable { quote!(writer.optional_text(#key, #lookup);) } else { quote!(writer.text(#key, #lookup);) };
            }
            let method = writer_method(ty);
            match record.shape_of(i) {
                Some(shape) if shape.form != Form::Plain => {
                    let schema = shape_schema(&f.name, shape);
                    quote!(writer.#method(#key, self.#name, const { &#schema });)
                }
                Some(Shape { decimal: (_, scale), .. }) if ty.scalar == Scalar::Decimal => quote!(writer.#method(#key, self.#name, #scale);),
                _ => quote!(writer.#method(#key, self.#name);),
            }
        });
        quote! {
            impl WriteRecord for #ty {
                fn write(&self, writer: &mut RecordWriter<'_>) {
                    #begin
                    #(#fields)*
                    writer.end();
                }
            }
        }
    }
}

/// The method of `RecordWriter` that writes a value.
pub(super) fn writer_method(p: Physical) -> Ident {
    let plain = match p.scalar {
        Scalar::Int | Scalar::Wide | Scalar::Enum => "int",
        Scalar::Float => "float",
        Scalar::Decimal => "decimal",
        Scalar::Bool => "boolean",
        Scalar::Text => "text",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Json => "json",
        Scalar::Packed => "packed",
    };
    names::ident(&if p.nullable { format!("optional_{plain}") } else { plain.to_owned() })
}
