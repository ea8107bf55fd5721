//! The program's tables: what it reads, what it publishes, where it can refuse and what can be set.

use proc_macro2::{Literal as Token, TokenStream};
use quote::quote;
use varpulis_abi::scalar::{Form, Physical, Scalar};

use super::literal::int;
use super::names;
use super::printer::Printer;
use crate::lower::ir::{FieldType, RecordField, Shape};

impl Printer<'_> {
    pub(super) fn tables(&self) -> TokenStream {
        let name = &self.options.name;
        let events = self.program.events.iter().map(|e| {
            let name = &e.name;
            let record = self.program.record(e.record);
            let fields = self.used_fields(e.record).into_iter().map(|(i, f)| field_schema(f, record.shape_of(i)));
            let lag = int(e.out_of_order);
            let idle = e.idle.map(|ns| {
                let ns = int(ns);
                quote!(.with_idle(#ns))
            });
            quote!(EventSchema::new(#name, const { &[#(#fields),*] }, #lag)#idle)
        });
        let streams = self.program.outputs.iter().map(|o| {
            let name = &o.name;
            let record = self.program.record(o.record);
            let fields = record.fields.iter().enumerate().map(|(i, f)| field_schema(f, record.shape_of(i)));
            quote!(StreamSchema::new(#name, const { &[#(#fields),*] }))
        });
        let sites = self.program.sites.iter().map(|s| {
            let (file, line, column) = self.sources.position(s.start as usize);
            let file = if self.sources.part(s.start as usize).start == 0 { &self.options.file } else { file };
            let (line, column) = (Token::u32_unsuffixed(line as u32), Token::u32_unsuffixed(column as u32));
            let stream = &s.stream;
            let text = self.sources.text().get(s.start as usize..s.end as usize).unwrap_or_default();
            quote!(Site::new(#stream, #file, #line, #column, #text))
        });
        let params = self.program.globals.iter().filter(|g| g.is_param).map(|g| {
            let name = &g.name;
            let ty = physical(g.ty);
            let default = g.default.as_deref().or(g.ty.nullable.then_some("null"));
            let default = default.map_or(quote!(None), |text| quote!(Some(#text)));
            quote!(ParamSchema::new(#name, #ty, #default))
        });
        quote! {
            const NAME: &'static str = #name;
            const EVENTS: &'static [EventSchema] = &[#(#events),*];
            const STREAMS: &'static [StreamSchema] = &[#(#streams),*];
            const SITES: &'static [Site] = &[#(#sites),*];
            const PARAMS: &'static [ParamSchema] = &[#(#params),*];
        }
    }
}

fn field_schema(field: &RecordField, shape: Option<&Shape>) -> TokenStream {
    if let Some(shape) = shape {
        return shape_schema(&field.name, shape);
    }
    let name = &field.name;
    let ty = match field.ty {
        FieldType::Scalar(p) => physical(p),
        FieldType::Object(_) => quote!(),
    };
    quote!(FieldSchema::new(#name, #ty, &[]))
}

/// The schema of what is read and written by its shape.
pub(super) fn shape_schema(name: &str, shape: &Shape) -> TokenStream {
    if let (Physical { scalar: Scalar::Decimal, nullable }, (digits, scale)) = (shape.ty, shape.decimal) {
        return quote!(FieldSchema::decimal(#name, #nullable, #digits, #scale));
    }
    if shape.form == Form::Plain {
        let (ty, variants) = (physical(shape.ty), &shape.variants);
        return quote!(FieldSchema::new(#name, #ty, &[#(#variants),*]));
    }
    let (nullable, form) = (shape.ty.nullable, names::ident(&format!("{:?}", shape.form)));
    let parts = shape.parts.iter().map(|(name, shape)| shape_schema(name, shape));
    quote!(FieldSchema::packed(#name, #nullable, Form::#form, const { &[#(#parts),*] }))
}

fn physical(p: Physical) -> TokenStream {
    let scalar = names::ident(&format!("{:?}", p.scalar));
    let nullable = p.nullable;
    quote!(Physical { scalar: Scalar::#scalar, nullable: #nullable })
}
