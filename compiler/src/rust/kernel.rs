//! Kernels: `impl Trait for Name`, printed from the shared list of signatures.

use proc_macro2::{Literal as Token, TokenStream};
use quote::{format_ident, quote};
use varpulis_abi::kernels::{Kernel, Param, Signature, Yield};

use super::body::{BodyPrinter, Place};
use super::names;
use super::printer::Printer;
use crate::lower::ir::{Arm, Body, KernelFunction, Op, OperatorId, Read, Statement};
use crate::plan::physical::Operator;

impl Printer<'_> {
    /// The kernel's type, its input where there are several, and its traits.
    pub(super) fn kernel(&self, id: OperatorId) -> TokenStream {
        let operator = self.program.operator(id);
        let name = names::type_name(&operator.name);
        let doc = format!("{}: {}", self.options.file, operator.doc);
        let globals = !self.program.globals.is_empty();
        let kernel = if globals {
            quote!(#[doc = #doc] #[derive(Clone)] pub struct #name { globals: ::std::sync::Arc<Globals> })
        } else {
            quote!(#[doc = #doc] #[derive(Clone, Copy, Default)] pub struct #name;)
        };
        let input = self.input_enum(operator);
        let mut impls = TokenStream::new();
        let mut wanted = Some(operator.kernel);
        while let Some(kernel) = wanted.and_then(varpulis_abi::kernels::kernel) {
            impls.extend(self.kernel_impl(operator, kernel));
            wanted = kernel.extends;
        }
        quote!(#kernel #input #impls)
    }

    /// With several inputs: one variant per input.
    fn input_enum(&self, operator: &Operator) -> TokenStream {
        if operator.ports.len() < 2 {
            return quote!();
        }
        let name = format_ident!("{}Input", operator.name);
        let variants = operator.ports.iter().enumerate().map(|(i, record)| {
            let variant = self.port_variant(i);
            let ty = self.record_type(*record, &quote!('a));
            let doc = format!("By input {}.", i + 1);
            quote!(#[doc = #doc] #variant(&'a #ty))
        });
        let doc = format!("What `{}` reads.", operator.name);
        let ts = (0..operator.ports.len()).map(|i| {
            let variant = self.port_variant(i);
            quote!(Self::#variant(row) => row.ts)
        });
        quote! {
            #[doc = #doc]
            #[derive(Clone, Copy)]
            pub enum #name<'a> { #(#variants),* }
            impl #name<'_> {
                /// Event time, ns since the epoch.
                pub fn ts(&self) -> i64 { match self { #(#ts,)* } }
            }
        }
    }

    pub(super) fn port_variant(&self, port: usize) -> proc_macro2::Ident {
        format_ident!("Input{}", port + 1)
    }

    /// The type of the operator's rows.
    pub(super) fn row_type(&self, operator: &Operator, lifetime: &TokenStream) -> TokenStream {
        match operator.ports.as_slice() {
            [only] => {
                let ty = self.record_type(*only, lifetime);
                quote!(&#lifetime #ty)
            }
            _ => {
                let name = format_ident!("{}Input", operator.name);
                quote!(#name<#lifetime>)
            }
        }
    }

    fn kernel_impl(&self, operator: &Operator, kernel: &Kernel) -> TokenStream {
        let name = names::type_name(&operator.name);
        let kernel_trait = names::ident(kernel.name);
        let row = if kernel.extends.is_none() {
            let row = self.row_type(operator, &quote!('a));
            quote!(type Row<'a> = #row;)
        } else {
            quote!()
        };
        let stores = kernel.stores.iter().map(|store| {
            let store_name = names::ident(store);
            let slot = match operator.stores.iter().find(|(n, _)| n == store) {
                Some((_, record)) => {
                    let record = self.record_name(*record);
                    quote!(Typed<#record>)
                }
                None => quote!(NoState),
            };
            quote!(type #store_name = #slot;)
        });
        let functions = kernel.functions.iter().filter_map(|s| {
            let function = operator.functions.iter().find(|f| f.name == s.name)?;
            Some(self.kernel_function(operator, s, function))
        });
        quote!(impl #kernel_trait for #name { #row #(#stores)* #(#functions)* })
    }

    #[expect(clippy::too_many_lines, reason = "one arm per case")]
    fn kernel_function(&self, operator: &Operator, signature: &Signature, function: &KernelFunction) -> TokenStream {
        let name = names::ident(signature.name);
        let default = default_of(signature);
        let place = Place { ts: quote!(row.ts), firing: false, fallible: signature.fallible, stage: 0, record: quote!(), globals: false };
        let print = |arm: &Arm| {
            let body = BodyPrinter::new(self, &arm.body, &place).print();
            if signature.fallible && signature.yields == Yield::Nothing { quote!(#body Ok(())) } else { body }
        };
        let ports = function.arms.iter().any(|a| a.port.is_some());
        let indices = function.arms.iter().any(|a| a.index.is_some());
        let reads_row = function.arms.iter().any(|a| self.reads_row(&a.body));
        let index = signature.params.iter().find(|(_, p)| *p == Param::Index).map(|(n, _)| names::ident(n));
        let body = match (function.arms.as_slice(), ports, indices) {
            ([only], false, false) => print(only),
            (arms, ..) => {
                let cases = arms.iter().map(|arm| {
                    let body = print(arm);
                    let row = arm.port.map(|p| {
                        let (input, variant) = (format_ident!("{}Input", operator.name), self.port_variant(p));
                        let binding = if self.reads_row(&arm.body) { quote!(row) } else { quote!(_) };
                        quote!(#input::#variant(#binding))
                    });
                    let index = arm.index.map(Token::usize_unsuffixed);
                    let pattern = match (ports, indices) {
                        (true, true) => {
                            let index = index.map_or(quote!(_), |i| quote!(#i));
                            let row = row.unwrap_or(quote!(_));
                            quote!((#index, #row))
                        }
                        (true, false) => row.unwrap_or(quote!(_)),
                        _ => index.map_or(quote!(_), |i| quote!(#i)),
                    };
                    quote!(#pattern => { #body })
                });
                let all_ports = ports && !indices && arms.len() == operator.ports.len();
                let rest = if all_ports { quote!() } else { quote!(_ => #default,) };
                let subject = match (ports, indices) {
                    (true, true) => quote!((#index, row)),
                    (true, false) => quote!(row),
                    _ => quote!(#index),
                };
                quote!(match #subject { #(#cases)* #rest })
            }
        };
        let params = signature.params.iter().map(|(n, p)| {
            let used = match p {
                Param::Row => ports || reads_row,
                Param::Index => indices,
                Param::Ref(_) | Param::Mut(_) => function.arms.iter().any(|a| self.reads_param(&a.body, n)),
                Param::Hasher => function.arms.iter().any(|a| hashes(&a.body)),
            };
            let param = names::ident(&if used { (*n).to_owned() } else { format!("_{n}") });
            let slot = |store: &str| {
                operator.stores.iter().find(|(s, _)| *s == store).map_or(quote!(()), |(_, r)| {
                    let r = self.record_name(*r);
                    quote!(#r)
                })
            };
            let ty = match p {
                Param::Row => self.row_type(operator, &quote!('_)),
                Param::Index => quote!(usize),
                Param::Hasher => quote!(&KeyHasher),
                Param::Ref(s) => {
                    let s = slot(s);
                    quote!(&#s)
                }
                Param::Mut(s) => {
                    let s = slot(s);
                    quote!(&mut #s)
                }
            };
            quote!(#param: #ty)
        });
        let result = match (signature.yields, signature.fallible) {
            (Yield::Nothing, false) => quote!(),
            (Yield::Nothing, true) => quote!(-> Result<(), Refusal>),
            (Yield::Bool, false) => quote!(-> bool),
            (Yield::Bool, true) => quote!(-> Result<bool, Refusal>),
            (Yield::Hash | Yield::Mask, false) => quote!(-> u64),
            (Yield::Hash | Yield::Mask, true) => quote!(-> Result<u64, Refusal>),
        };
        quote!(#[inline] fn #name(&self, #(#params),*) #result { #body })
    }

    fn reads_row(&self, body: &Body) -> bool {
        self.reads_param(body, "row")
    }

    /// Whether a body mentions a parameter, in what is printed of it.
    fn reads_param(&self, body: &Body, param: &str) -> bool {
        let reads = self.usage.uses(body).keys().any(|v| match &body.value(*v).op {
            Op::Load { param: p, .. } | Op::Ask { param: p, .. } => *p == param,
            Op::Read(Read::Ts) => param == "row",
            _ => false,
        });
        let mut statements = vec![];
        body.walk(&mut |_| {}, &mut |s| statements.push(s));
        reads
            || statements.into_iter().any(|s| match s {
                Statement::Store { param: p, record, field, .. } => *p == param && self.is_used(*record, *field),
                Statement::Tell { param: p, record, field, .. } => *p == param && self.is_used(*record, *field),
                Statement::MergeObject { into, from, record, field } => (*into == param || *from == param) && self.is_used(*record, *field),
                _ => false,
            })
    }
}

fn hashes(body: &Body) -> bool {
    let mut found = false;
    body.walk(&mut |v| found |= matches!(v.op, Op::Hash(_)), &mut |_| {});
    found
}

fn default_of(s: &Signature) -> TokenStream {
    let value = match s.yields {
        Yield::Nothing => quote!(()),
        Yield::Bool => quote!(true),
        Yield::Hash | Yield::Mask => quote!(0),
    };
    if s.fallible { quote!(Ok(#value)) } else { value }
}
