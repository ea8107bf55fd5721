//! Names of the program as Rust identifiers.

use std::collections::HashSet;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::quote;

/// An identifier for a field, function or variable.
pub(super) fn ident(name: &str) -> Ident {
    // These cannot be raw identifiers, and a lone underscore is none.
    if matches!(name, "self" | "Self" | "super" | "crate" | "_") {
        return Ident::new(&format!("{name}_"), Span::call_site());
    }
    if syn::parse_str::<Ident>(name).is_ok() { Ident::new(name, Span::call_site()) } else { Ident::new_raw(name, Span::call_site()) }
}

/// Marks a field of the program until [`resolve`] has seen all names: it may be spelt like a type.
const FIELD: &str = "__field_of_program";

/// A record's field; `ts` is taken by the record's time.
pub(super) fn field(name: &str) -> Ident {
    let name = if name == "ts" { "ts_field" } else { name };
    // Names of imported files have the import's in front.
    let name = name.replace('.', "__");
    Ident::new(&format!("{name}{FIELD}"), Span::call_site())
}

/// Marks a type of the program until [`resolve`] has seen all names.
const MARK: &str = "__of_program";

/// An identifier for a type or variant of the program.
pub(super) fn type_name(name: &str) -> Ident {
    Ident::new(&format!("{name}{MARK}"), Span::call_site())
}

/// Gives every type its name, and lets the program's names be spelt as they are: what Rust would warn of is no mistake of the user's.
pub(super) fn permit_spelling(tokens: TokenStream) -> TokenStream {
    let unusual = has_unusual(&tokens);
    let tokens = resolve(tokens);
    if !unusual {
        return tokens;
    }
    let Ok(mut file) = syn::parse2::<syn::File>(tokens.clone()) else { return tokens };
    for item in &mut file.items {
        let (syn::Item::Struct(syn::ItemStruct { attrs, .. })
        | syn::Item::Enum(syn::ItemEnum { attrs, .. })
        | syn::Item::Type(syn::ItemType { attrs, .. })
        | syn::Item::Mod(syn::ItemMod { attrs, .. })
        | syn::Item::Impl(syn::ItemImpl { attrs, .. })
        | syn::Item::Use(syn::ItemUse { attrs, .. })
        | syn::Item::Fn(syn::ItemFn { attrs, .. })) = item
        else {
            continue;
        };
        attrs.push(syn::parse_quote!(#[allow(non_snake_case, non_camel_case_types, reason = "names are the program's")]));
    }
    quote!(#file)
}

/// Whether a name is spelt unlike Rust's fields and types.
fn has_unusual(tokens: &TokenStream) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Group(g) => has_unusual(&g.stream()),
        TokenTree::Ident(i) => is_unusual(&i.to_string()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

fn is_unusual(name: &str) -> bool {
    let upper = |name: &str| name.contains(|c: char| c.is_ascii_uppercase());
    if let Some(field) = name.strip_suffix(FIELD) {
        return upper(field) || field.trim_matches('_').contains("__");
    }
    let own = name.strip_suffix(MARK);
    let text = own.unwrap_or(name);
    let mixed = upper(text) && text.contains(|c: char| c.is_ascii_lowercase());
    match text.trim_start_matches('_').chars().next() {
        Some('A'..='Z') => text.contains('_') && (mixed || own.is_some()),
        _ => mixed || own.is_some(),
    }
}

/// Gives every type its name. Where the program has a type that the runtime has too, the runtime's is reached by its path:
/// the program's names are the user's, and stay as they are.
fn resolve(tokens: TokenStream) -> TokenStream {
    let mut taken = HashSet::new();
    collect(&tokens, &mut taken);
    rename(tokens, &taken)
}

fn collect(tokens: &TokenStream, taken: &mut HashSet<String>) {
    for token in tokens.clone() {
        match token {
            TokenTree::Group(g) => collect(&g.stream(), taken),
            TokenTree::Ident(i) => taken.extend(i.to_string().strip_suffix(MARK).map(str::to_owned)),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

fn rename(tokens: TokenStream, taken: &HashSet<String>) -> TokenStream {
    let mut out = TokenStream::new();
    let (mut colons, mut is_defined) = (0, false);
    for token in tokens {
        // What stands behind `::` is a name of what stands before it, and what stands behind `type` is given a meaning, as a trait asks for it.
        let in_path = colons >= 2 || is_defined;
        is_defined = matches!(&token, TokenTree::Ident(i) if i == "type");
        colons = if matches!(&token, TokenTree::Punct(p) if p.as_char() == ':') { colons + 1 } else { 0 };
        match token {
            TokenTree::Group(g) => {
                let mut inner = Group::new(g.delimiter(), rename(g.stream(), taken));
                inner.set_span(g.span());
                out.extend([TokenTree::Group(inner)]);
            }
            TokenTree::Ident(i) => {
                let text = i.to_string();
                match text.strip_suffix(MARK).or_else(|| text.strip_suffix(FIELD)) {
                    Some(own) => {
                        let own = ident(own);
                        out.extend(quote!(#own));
                    }
                    // Types of the runtime begin with a capital; anything else lives in another name space.
                    None if !in_path && text.starts_with(|c: char| c.is_uppercase()) && taken.contains(&text) => out.extend(quote!(runtime::#i)),
                    None => out.extend([TokenTree::Ident(i)]),
                }
            }
            other => out.extend([other]),
        }
    }
    out
}
