//! A function's statements, as a block of Rust with its variables at the start.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Lifetime;
use varpulis_abi::scalar::{Physical, Scalar};

use super::body::BodyPrinter;
use super::names;
use super::record::value_type;
use super::value::{Printed, lent};
use crate::lower::ir::{Label, Op, Region, Statement, ValueId, Variable, VariableId};
use crate::lower::run::leaves;

fn lifetime(label: Label) -> Lifetime {
    Lifetime::new(&format!("'b{}", label.0), proc_macro2::Span::call_site())
}

/// What a variable holds before the program sets it, which it does before it reads it.
fn start(ty: Physical) -> TokenStream {
    match ty {
        Physical { nullable: true, .. } => quote!(None),
        Physical { scalar: Scalar::Float, .. } => quote!(0.0),
        Physical { scalar: Scalar::Bool, .. } => quote!(false),
        Physical { scalar: Scalar::Text | Scalar::Json | Scalar::Packed, .. } => quote!(Text::default()),
        Physical { scalar: Scalar::Int | Scalar::Wide | Scalar::Decimal | Scalar::Timestamp | Scalar::Duration | Scalar::Enum, .. } => quote!(0),
    }
}

impl<'p> BodyPrinter<'p, '_> {
    /// What the compiler is not to say of a value's code: a program's variable may be set and never read, or never set again.
    pub(super) fn lints_of(&self, id: ValueId) -> TokenStream {
        match &self.body.value(id).op {
            Op::Run { variables, .. } if !variables.is_empty() => {
                quote!(#[allow(unused_assignments, unused_mut, unused_variables)])
            }
            _ => quote!(),
        }
    }

    /// Statements with their variables before them.
    pub(super) fn run_statements(&mut self, variables: &[Variable], body: &'p [Statement]) -> TokenStream {
        let mut inside = TokenStream::new();
        for Variable { id, name, ty } in variables {
            let name = self.variables.entry(*id).or_insert_with(|| format_ident!("{}_{}", name.replace('.', "__"), id.0));
            let (held, start) = (value_type(*ty, true), start(*ty));
            inside.extend(quote!(let mut #name: #held = #start;));
        }
        body.iter().for_each(|s| self.statement(s, &mut inside));
        inside
    }

    pub(super) fn run(&mut self, variables: &[Variable], body: &'p Region) -> Printed {
        self.depth += 1;
        let outer: Vec<ValueId> = self.pending.iter().map(|(v, _)| *v).collect();
        self.around.append(&mut self.pending);
        let mut inside = self.run_statements(variables, &body.statements);
        if let Some(result) = body.result {
            // Nothing reads the variable behind this.
            let result = match &self.body.value(result).op {
                Op::Variable { variable, .. } => {
                    let name = self.name_of(*variable);
                    quote!(#name)
                }
                _ => self.owned_text(result).tokens,
            };
            inside.extend(result);
        }
        // Values of these statements that were not used stay in them.
        self.pending = self.around.extract_if(.., |(id, _)| outer.contains(id)).collect();
        self.depth -= 1;
        Printed::tight(quote!({ #inside }), false)
    }

    /// The place of a variable: a name, or a field of the program's state.
    fn name_of(&self, variable: VariableId) -> TokenStream {
        if let Some(state) = variable.state().and_then(|at| self.printer.program.states.get(at)) {
            let field = names::field(&state.name);
            return quote!(out.state.#field);
        }
        let name = self.variables.get(&variable).cloned().unwrap_or_else(|| format_ident!("x{}", variable.0));
        quote!(#name)
    }

    /// A variable's value, for good.
    pub(super) fn variable(&self, variable: VariableId, ty: Physical) -> Printed {
        let name = self.name_of(variable);
        let tokens = if matches!(ty.scalar, Scalar::Text | Scalar::Json | Scalar::Packed) { quote!(#name.clone()) } else { quote!(#name) };
        Printed::tight(tokens, false)
    }

    /// The same, lent.
    pub(super) fn lent_variable(&self, variable: VariableId, ty: Physical) -> Printed {
        let name = self.name_of(variable);
        Printed::tight(lent(quote!(#name), ty), false)
    }

    pub(super) fn set(&mut self, variable: VariableId, value: ValueId, out: &mut TokenStream) {
        let value = self.owned_text(value);
        self.flush(out, false);
        let name = self.name_of(variable);
        // `x = x` says nothing, and Rust says so.
        if name.to_string() != value.tokens.to_string() {
            out.extend(value.assigned_to(&quote!(#name)));
        }
    }

    pub(super) fn block(&mut self, label: Label, repeats: bool, body: &'p [Statement], out: &mut TokenStream) {
        self.flush(out, true);
        self.loops += usize::from(repeats);
        let inside = self.list(body);
        self.loops -= usize::from(repeats);
        let name = leaves(body, label).then(|| lifetime(label)).map(|name| quote!(#name:));
        out.extend(match (repeats, name) {
            (true, name) => quote!(#name loop { #inside }),
            (false, Some(name)) => quote!(#name { #inside }),
            // A block that nothing leaves is its statements.
            (false, None) => inside,
        });
    }

    pub(super) fn leave_block(&mut self, label: Label, out: &mut TokenStream) {
        self.flush(out, true);
        let name = lifetime(label);
        out.extend(quote!(break #name;));
    }
}
