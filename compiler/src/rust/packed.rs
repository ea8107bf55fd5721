//! Values made of others: packing them, and their parts.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use varpulis_abi::scalar::{Physical, Scalar};

use super::body::BodyPrinter;
use super::names;
use super::value::Printed;
use crate::lower::ir::{Region, SiteId, ValueId};

/// The place of the element at hand.
pub(super) fn index(number: u32) -> TokenStream {
    let name = variable("at", number);
    quote!(#name)
}

fn variable(name: &str, number: u32) -> Ident {
    format_ident!("{name}{number}")
}

/// The method of `Value` that takes a value of the type out.
pub(super) fn getter(ty: Physical) -> Ident {
    let plain = match ty.scalar {
        Scalar::Int | Scalar::Timestamp | Scalar::Duration | Scalar::Wide => "int",
        Scalar::Float => "float",
        Scalar::Decimal => "decimal",
        Scalar::Bool => "bool",
        Scalar::Text | Scalar::Json | Scalar::Packed => "text",
        Scalar::Enum => "variant",
    };
    names::ident(&if ty.nullable { format!("optional_{plain}") } else { plain.to_owned() })
}

/// Whether a name stands in tokens.
fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

impl<'p> BodyPrinter<'p, '_> {
    /// A value as one that says its type.
    fn tagged(&mut self, v: ValueId) -> TokenStream {
        let ty = self.body.value(v).ty;
        let p = self.borrowed(v);
        let variant = match ty.scalar {
            Scalar::Decimal => names::ident("of_decimal"),
            scalar => names::ident(&format!("{scalar:?}")),
        };
        let (t, operand) = (&p.tokens, p.operand());
        if !ty.nullable {
            return quote!(Value::#variant(#t));
        }
        if t.to_string() == "None" { quote!(Value::Null) } else { quote!(#operand.map_or(Value::Null, Value::#variant)) }
    }

    pub(super) fn pack(&mut self, values: &[ValueId]) -> Printed {
        let values: Vec<TokenStream> = values.iter().map(|v| self.tagged(*v)).collect();
        Printed::tight(quote!(packed(&[#(#values),*])), false)
    }

    pub(super) fn part(&mut self, of: ValueId, at: ValueId, ty: Physical) -> Printed {
        let (of, at) = (self.borrowed(of), self.take(at));
        let movable = of.movable && at.movable;
        let (of, at, getter) = (of.tokens, at.tokens, getter(ty));
        Printed::tight(quote!(part(#of, #at).#getter()), movable)
    }

    /// A loop over the elements, as a block.
    pub(super) fn gather(&mut self, (of, number): (ValueId, u32), keep: Option<&'p Region>, body: &'p Region, grows: Option<SiteId>) -> Printed {
        let of = self.borrowed(of).tokens;
        let (made, at) = (variable("made", number), variable("at", number));
        let mut inside = TokenStream::new();
        self.depth += 1;
        self.loops += 1;
        if let Some(keep) = keep {
            let outer = self.outer();
            let mut statements = TokenStream::new();
            keep.statements.iter().for_each(|s| self.statement(s, &mut statements));
            let condition = keep.result.map_or(quote!(true), |v| self.take(v).tokens);
            self.leave(&outer);
            inside.extend(quote!(#statements if !(#condition) { continue; }));
        }
        let outer = self.outer();
        body.statements.iter().for_each(|s| self.statement(s, &mut inside));
        if let Some(v) = body.result {
            let value = self.tagged(v);
            inside.extend(match grows {
                Some(site) => {
                    let push = self.checked(quote!(#made.push_within(#value.cell(), #of.len())), site).tokens;
                    quote!(#push;)
                }
                None => quote!(#made.push(#value.cell());),
            });
        }
        self.leave(&outer);
        self.depth -= 1;
        self.loops -= 1;
        let at = if mentions(inside.clone(), &at) { at.to_token_stream() } else { quote!(_) };
        Printed::tight(
            quote!({
                let mut #made = Packer::new();
                for #at in 0..parts(#of) {
                    #inside
                }
                Text::from(#made.finish())
            }),
            false,
        )
    }

    fn outer(&self) -> Vec<ValueId> {
        self.pending.iter().map(|(v, _)| *v).collect()
    }

    /// Values of a region that were not used stay in it.
    fn leave(&mut self, outer: &[ValueId]) {
        self.pending.retain(|(id, _)| outer.contains(id));
    }
}
