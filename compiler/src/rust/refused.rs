//! What a stage does with evaluation errors that the program handles: one function finds who handles them, by the place that refused.

use proc_macro2::{Literal as Token, TokenStream};
use quote::quote;

use super::names;
use super::printer::Printer;
use crate::lower::ir::ChainId;
use crate::plan::physical::ErrorInput;

impl Printer<'_> {
    /// What happens when a chain refuses its record.
    pub(super) fn when_refused(&self, id: ChainId, receiver: &TokenStream, ts: &TokenStream, record: &TokenStream) -> TokenStream {
        if self.is_handled(id) { quote!(#receiver.refused(refusal, #ts, #record, out);) } else { quote!(out.error(refusal, #record);) }
    }

    /// Whether something handles what a chain refuses.
    fn is_handled(&self, id: ChainId) -> bool {
        !self.program.errors.is_empty() && !self.program.error_inputs_of(self.program.chain(id)).is_empty()
    }

    /// The stage of the chains that take an error.
    fn stage_of(&self, input: &ErrorInput) -> usize {
        input.chains.iter().map(|chain| self.program.chain(*chain).stage).min().unwrap_or(0)
    }

    /// The function of a stage that takes what its chains refuse, if something of it is handled: here, or in a later stage.
    pub(super) fn refused(&self, stage: usize) -> TokenStream {
        let chains = (0..self.program.chains.len()).map(|at| ChainId(at as u32)).filter(|id| self.is_handled(*id));
        let first = chains.map(|id| self.program.chain(id).stage).min();
        let last = self.program.errors.iter().map(|input| self.stage_of(input)).max();
        let (Some(first), Some(last)) = (first, last) else { return quote!() };
        if stage < first || stage > last {
            return quote!();
        }
        let mine = self.program.errors.iter().enumerate().filter(|(_, input)| self.stage_of(input) == stage);
        let arms: Vec<TokenStream> = mine.map(|(at, input)| self.handler(at, input)).collect();
        let else_arm = if stage == last { quote!(out.error(refusal, record)) } else { quote!(self.next.refused(refusal, ts, record, out)) };
        let body = if arms.is_empty() { quote!(#else_arm) } else { quote!(match refusal.site { #(#arms)* _ => #else_arm }) };
        let out_type = self.out_type();
        quote! {
            /// A record was refused: what handles that takes it.
            #[cold]
            fn refused(&mut self, refusal: Refusal, ts: i64, record: &impl WriteRecord, out: &mut #out_type) { #body }
        }
    }

    /// The arm of one handler: it makes a record of the error.
    fn handler(&self, at: usize, input: &ErrorInput) -> TokenStream {
        let sites = self.program.sites.iter().enumerate().filter(|(_, site)| site.errors_to == Some(at));
        let sites: Vec<Token> = sites.map(|(number, _)| Token::u32_unsuffixed(number as u32)).collect();
        if sites.is_empty() {
            return quote!();
        }
        let name = self.record_name(input.record);
        let used = self.used_fields(input.record);
        let fields: Vec<TokenStream> = used.iter().map(|(_, field)| names::ident(&field.name)).map(|of| quote!(#of: told.#of())).collect();
        let program = self.program_type();
        let told = (!fields.is_empty()).then(|| quote!(let told = Told::new(<#program as CompiledProgram>::SITES, refusal, record);));
        let calls = input.chains.iter().map(|chain| {
            let receiver = self.path(&quote!(self), self.program.chain(*chain).stage - self.stage_of(input));
            self.call(*chain, &receiver, &quote!(row), &quote!(row.ts), &quote!(row))
        });
        quote! {
            #(#sites)|* => {
                #told
                let row = &#name { ts, #(#fields),* };
                #(#calls)*
            }
        }
    }
}
