//! Globals: what is set from outside or computed once, at the start, and the builder that sets it.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use varpulis_abi::scalar::{Physical, Scalar};

use super::body::{BodyPrinter, Place};
use super::names;
use super::printer::Printer;
use super::record::value_type;
use super::tables::shape_schema;

impl Printer<'_> {
    pub(super) fn globals(&self) -> TokenStream {
        if !self.has_globals() {
            return quote!();
        }
        let fields = self.program.globals.iter().map(|g| {
            let (name, ty) = (names::field(&g.name), value_type(g.ty, true));
            let doc = format!("`{}`", g.name);
            quote!(#[doc = #doc] #name: #ty)
        });
        let mut steps = TokenStream::new();
        for g in self.program.globals.iter().chain(&self.program.states) {
            let (name, text) = (names::field(&g.name), &g.name);
            let arguments = match g.ty.scalar {
                Scalar::Decimal | Scalar::Enum | Scalar::Packed => {
                    let schema = shape_schema(text, &g.shape);
                    quote!(const { &#schema })
                }
                _ => quote!(#text),
            };
            let value = g.body.as_ref().map(|b| {
                let place = Place { ts: quote!(0), firing: false, fallible: true, stage: 0, record: quote!(), globals: true };
                let body = BodyPrinter::new(self, b, &place).print();
                quote!((|| -> Result<_, Refusal> { #body })().map_err(|refusal| format!("`{}`: {}", #text, refusal.reason))?)
            });
            let read = if g.is_param {
                let method = format_ident!("{}", param_method(g.ty));
                match value {
                    Some(v) => quote!(match params.#method(#arguments)? { Some(value) => value.into(), None => #v }),
                    None if g.ty.nullable => quote!(params.#method(#arguments)?.map(Into::into)),
                    None => quote!(params.#method(#arguments)?.ok_or_else(|| format!("parameter `{}` must be set", #text))?.into()),
                }
            } else {
                value.unwrap_or_default()
            };
            steps.extend(quote!(let #name = #read;));
        }
        let all = self.program.globals.iter().map(|g| names::field(&g.name));
        // Values alone read no parameter, and users deny warnings.
        let params = if self.program.globals.iter().any(|g| g.is_param) { quote!(params) } else { quote!(_) };
        let (state, made, result) = self.state(quote!(Self { #(#all),* }));
        quote! {
            #state
            /// What is set from outside or computed once, at the start.
            #[derive(Clone, Debug)]
            struct Globals { #(#fields),* }
            impl Globals {
                fn new(#params: &Params) -> Result<#result, String> {
                    #steps
                    Ok(#made)
                }
            }
        }
    }

    /// The struct of the program's state, what `Globals::new` yields, and its type.
    fn state(&self, globals: TokenStream) -> (TokenStream, TokenStream, TokenStream) {
        if !self.has_state() {
            return (quote!(), globals, quote!(Self));
        }
        let fields = self.program.states.iter().map(|s| {
            let (name, ty) = (names::field(&s.name), value_type(s.ty, true));
            let doc = format!("`{}`", s.name);
            quote!(#[doc = #doc] #name: #ty)
        });
        let all = self.program.states.iter().map(|s| names::field(&s.name));
        let state = quote! {
            /// What functions change as records pass.
            #[derive(Clone, Debug)]
            struct State { #(#fields),* }
        };
        (state, quote!((#globals, State { #(#all),* })), quote!((Self, State)))
    }

    /// The statement that makes the globals, and the state.
    pub(super) fn globals_made(&self) -> TokenStream {
        if self.has_state() {
            quote! {
                let (globals, state) = Globals::new(params)?;
                let globals = ::std::sync::Arc::new(globals);
            }
        } else {
            quote!(let globals = ::std::sync::Arc::new(Globals::new(params)?);)
        }
    }

    pub(super) fn builder(&self) -> TokenStream {
        let time = self.time_functions();
        if !self.has_globals() {
            return time;
        }
        let setters = self.program.globals.iter().filter(|g| g.is_param).map(|g| {
            let (name, text) = (names::field(&g.name), &g.name);
            let doc = format!("Sets `{}`.", g.name);
            let ty = match g.ty.scalar {
                Scalar::Float => quote!(f64),
                Scalar::Bool => quote!(bool),
                // A decimal is set as it is written, a variant by its name, and values made of others as JSON.
                Scalar::Text | Scalar::Json | Scalar::Packed | Scalar::Decimal | Scalar::Enum => quote!(&str),
                _ => quote!(i64),
            };
            quote!(#[doc = #doc] pub fn #name(mut self, value: #ty) -> Self { self.params.set(#text, value.to_string()); self })
        });
        quote! {
            #time
            /// Sets parameters, then builds an instance.
            #[derive(Clone, Debug, Default)]
            pub struct Builder { params: Params }
            impl Builder {
                #(#setters)*
                /// A fresh instance.
                ///
                /// # Errors
                /// A parameter without a default is not set.
                pub fn build(self) -> Result<Program, String> { CompiledProgram::with_params(&self.params) }
            }
            impl Program {
                /// Sets parameters, then builds an instance.
                pub fn builder() -> Builder { <Builder as ::core::default::Default>::default() }
            }
        }
    }
}

fn param_method(ty: Physical) -> &'static str {
    match ty.scalar {
        Scalar::Int | Scalar::Wide => "int",
        Scalar::Enum => "variant",
        Scalar::Timestamp => "timestamp",
        Scalar::Duration => "duration",
        Scalar::Float => "float",
        Scalar::Decimal => "decimal",
        Scalar::Bool => "boolean",
        Scalar::Packed => "packed",
        Scalar::Text | Scalar::Json => "text",
    }
}
